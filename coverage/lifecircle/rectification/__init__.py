"""Keep the rectification list: one problem for each gap, its number for life, what people write beside it.

Made from findings alone, after an audit. A problem keeps its number as long as the gap is there, a number is
never given twice, and what people fill in is carried from list to list. A problem is closed with evidence,
and only when the computation finds the gap no more because of venues or roads.
"""

from lifecircle.rectification._filled_list import read_filled
from lifecircle.rectification._gap_facts import covered_if_open
from lifecircle.rectification._list_files import problem_row, write_list
from lifecircle.rectification._list_steps import find_list, rectify_study
from lifecircle.rectification._problem_record import (
    CAUSES,
    COLUMNS,
    FIGURES,
    FOLDER,
    HAND,
    STATUSES,
    Problem,
    Record,
    RunFacts,
    read_record,
    write_record,
)
from lifecircle.rectification._rounds import RectificationList, list_line, rectify

__all__ = [
    "CAUSES",
    "COLUMNS",
    "FIGURES",
    "FOLDER",
    "HAND",
    "STATUSES",
    "Problem",
    "Record",
    "RectificationList",
    "RunFacts",
    "covered_if_open",
    "find_list",
    "list_line",
    "problem_row",
    "read_filled",
    "read_record",
    "rectify",
    "rectify_study",
    "write_list",
    "write_record",
]
