"""Check a run in the field: a sample with known chances, sheets to walk by, and coverage corrected by it.

The estimate is about the sample and the run it was drawn from; the run itself is not changed by it.
"""

from lifecircle.spot_check._check_sheets import FOLDER, Sheets, path_text, read_sample, write_sample
from lifecircle.spot_check._check_steps import (
    estimate_line,
    estimate_study,
    folder_of,
    sample_line,
    spot_check_study,
    trace_paths,
)
from lifecircle.spot_check._difference_estimate import Estimate, estimate
from lifecircle.spot_check._field_results import read_results
from lifecircle.spot_check._sample_draw import STRATA, Sample, allocate, draw_sample, strata_of
from lifecircle.spot_check._walk_path import WalkPath, walk_path

__all__ = [
    "FOLDER",
    "STRATA",
    "Estimate",
    "Sample",
    "Sheets",
    "WalkPath",
    "allocate",
    "draw_sample",
    "estimate",
    "estimate_line",
    "estimate_study",
    "folder_of",
    "path_text",
    "read_results",
    "read_sample",
    "sample_line",
    "spot_check_study",
    "strata_of",
    "trace_paths",
    "walk_path",
    "write_sample",
]
