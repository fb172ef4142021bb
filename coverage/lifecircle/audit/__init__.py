"""Own the audit of a study for a year: prepare its inputs, run them, write the run.

The rooms below compute pure answers; this one knows the order and is the only one that reads a study.
"""

from lifecircle.audit._prepare import Inputs, prepare, read_networks
from lifecircle.audit._run import copy_example, find_run, run, run_audit, write_run

__all__ = ["Inputs", "copy_example", "find_run", "prepare", "read_networks", "run", "run_audit", "write_run"]
