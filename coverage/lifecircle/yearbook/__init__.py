"""Write the yearly report of a study: a document, and a workbook over all years of a plan.

The figures come from runs; nothing is computed again here.
"""

from lifecircle.yearbook._document import DOCUMENT, write_document
from lifecircle.yearbook._list_sheets import BOOK
from lifecircle.yearbook._order import YEARBOOK, YearbookOrder, plan_years, write_yearbook
from lifecircle.yearbook._plan_table import plan_rows

__all__ = [
    "BOOK",
    "DOCUMENT",
    "YEARBOOK",
    "YearbookOrder",
    "plan_rows",
    "plan_years",
    "write_document",
    "write_yearbook",
]
