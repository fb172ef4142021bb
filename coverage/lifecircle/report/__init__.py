"""The tables that people read: those of a run, and workbooks of any other part; computes no figure.

Rows hold unrounded figures by the names of columns. A column has a kind, which says how it is printed in the
csv and shown in a workbook.
"""

from lifecircle.report._columns import (
    DEGREES,
    FIGURE,
    NUMBER,
    ORDER,
    PEOPLE,
    POINTS,
    RATE,
    SPEED,
    STATUS,
    STATUS_FILL,
    TEXT,
    Change,
    Heading,
    Rate,
    Row,
    Sheets,
    column_heading,
)
from lifecircle.report._run_tables import (
    definition_sheet,
    run_sheets,
    run_workbook,
    scoreboard,
    warning_lines,
    write_tables,
)
from lifecircle.report._sheet_writer import write_workbook

__all__ = [
    "DEGREES",
    "FIGURE",
    "NUMBER",
    "ORDER",
    "PEOPLE",
    "POINTS",
    "RATE",
    "SPEED",
    "STATUS",
    "STATUS_FILL",
    "TEXT",
    "Change",
    "Heading",
    "Rate",
    "Row",
    "Sheets",
    "column_heading",
    "definition_sheet",
    "run_sheets",
    "run_workbook",
    "scoreboard",
    "warning_lines",
    "write_tables",
    "write_workbook",
]
