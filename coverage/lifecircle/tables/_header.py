"""Own which cells of a grid are a table: where its header stands, what its columns are called.

A grid is what a csv file or a sheet of a workbook holds: rows of cells with the numbers that people see.
Rules for the header, in order:

1. the row that is named (``header_row``), counted as people see it;
2. the first row, unless titles stand above the header: rows that fill no more than half as many cells as is
   usual in the grid (the middle of the first rows), where three or more are usual. The header is then the
   first row that fills more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOKED_AT = 50
"""Rows that say how many filled cells are usual."""

_FEW_COLUMNS = 3
"""A grid with fewer filled cells a row has no titles that could be told from its header."""


@dataclass(frozen=True)
class Grid:
    """Rows of cells that are not blank: ``(number as people see it, cells)``, blank cells None."""

    rows: Sequence[tuple[int, Sequence[Any]]]


@dataclass(frozen=True, eq=False)
class Found:
    """A table found in a grid.

    ``frame`` : cells under their names, index the row numbers; ``header`` : number of the header's row;
    ``above`` : filled rows above it, which are titles.
    """

    frame: pd.DataFrame
    header: int
    above: int


def table_in(grid: Grid, *, name: str, header_row: int | None = None) -> Found:
    """Find the table in a grid.

    Raises
    ------
    UnusableInputError
        The header's row is not there, or rows are longer than the header.
    """
    at = _header_at(grid, name, header_row)
    header_number, header = grid.rows[at]
    below = grid.rows[at + 1 :]
    width = len(header)
    ragged = [
        Fault(
            name,
            say("row {row}", row=number),
            "",
            say("{cells} cells under {columns} columns", cells=len(cells), columns=width),
            say('quote cells that hold commas, as in "a, b"'),
        )
        for number, cells in below
        if any(_filled(cell) for cell in cells[width:])
    ]
    if ragged:
        raise UnusableInputError(ragged[:20])
    names = [_column_name(cell, number) for number, cell in enumerate(header, start=1)]
    numbers = [number for number, _ in below]
    columns = [[cells[place] if place < len(cells) else None for _, cells in below] for place in range(width)]
    # A column without a name and without a cell is no column: spreadsheets save such ones at the right.
    kept = [
        place
        for place in range(width)
        if _filled(header[place]) or any(cell is not None for cell in columns[place])
    ]
    frame = pd.DataFrame(
        {place: pd.Series(columns[place], index=numbers, dtype=object) for place in kept},
        index=pd.Index(numbers, dtype="int64"),
    )
    return Found(frame.set_axis([names[place] for place in kept], axis=1), header_number, at)


def _header_at(grid: Grid, name: str, header_row: int | None) -> int:
    """Find the position of the header among the rows that are not blank.

    Raises
    ------
    UnusableInputError
        The row that is named is blank or not there.
    """
    if header_row is not None:
        for at, (number, _) in enumerate(grid.rows):
            if number == header_row:
                return at
        reason = say("no column names stand in this row")
        remedy = say("set header_row to the row of the column names, counted as the spreadsheet shows it")
        raise UnusableInputError([Fault(name, say("row {row}", row=header_row), "", reason, remedy)])
    filled = [sum(_filled(cell) for cell in cells) for _, cells in grid.rows[:_LOOKED_AT]]
    usual = sorted(filled)[len(filled) // 2]
    if usual < _FEW_COLUMNS:
        return 0
    return next(at for at, many in enumerate(filled) if 2 * many > usual)


def _filled(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _column_name(cell: Any, number: int) -> str:
    return str(cell).strip() if _filled(cell) else f"column {number}"
