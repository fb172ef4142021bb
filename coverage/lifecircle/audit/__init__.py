"""Own the audit of a study for a year: prepare its inputs, run them, write the run.

The rooms below compute pure answers; this one knows the order and is the only one that reads a study.
"""

from lifecircle.audit._circles import in_area, urban_class
from lifecircle.audit._gaps import gap_clusters
from lifecircle.audit._prepare import Inputs, prepare
from lifecircle.audit._run import complete_folder, copy_example, find_run, run, run_audit, write_run

__all__ = [
    "Inputs",
    "complete_folder",
    "copy_example",
    "find_run",
    "gap_clusters",
    "in_area",
    "prepare",
    "run",
    "run_audit",
    "urban_class",
    "write_run",
]
