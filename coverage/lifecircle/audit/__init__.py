"""Audit a study for a year: prepare its inputs, run them, write the run.

The rooms below compute pure answers; this one knows the order and is the only one that reads a study.
"""

from lifecircle.audit._basis import Basis, basis_of, bucket, open_venues
from lifecircle.audit._before import has_files
from lifecircle.audit._circles import CircleParts, circle_parts
from lifecircle.audit._counted import counted_people, in_area, urban_class
from lifecircle.audit._fingerprint import fingerprint
from lifecircle.audit._gaps import gap_clusters
from lifecircle.audit._inputs import Inputs
from lifecircle.audit._judged import YearFacts
from lifecircle.audit._kinds import assess
from lifecircle.audit._ladder import road_radius
from lifecircle.audit._prepare import open_study, prepare, prepare_other, read_networks, yearly_files
from lifecircle.audit._record import source_of, used_files, write_files, write_run
from lifecircle.audit._run import find_run, find_runs, run, run_audit
from lifecircle.audit._searches import Answer, Answering, Searches, venue_classes
from lifecircle.audit._surfaces import another_surface, declared_break

__all__ = [
    "Answer",
    "Answering",
    "Basis",
    "CircleParts",
    "Inputs",
    "Searches",
    "YearFacts",
    "another_surface",
    "assess",
    "basis_of",
    "bucket",
    "circle_parts",
    "counted_people",
    "declared_break",
    "find_run",
    "find_runs",
    "fingerprint",
    "gap_clusters",
    "has_files",
    "in_area",
    "open_study",
    "open_venues",
    "prepare",
    "prepare_other",
    "read_networks",
    "road_radius",
    "run",
    "run_audit",
    "source_of",
    "urban_class",
    "used_files",
    "venue_classes",
    "write_files",
    "write_run",
    "yearly_files",
]
