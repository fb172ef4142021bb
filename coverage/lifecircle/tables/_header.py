"""Find the table in a grid of cells: the row of its header, its columns, the rows that count.

A grid is what a csv file or a sheet of a workbook holds: rows of cells with the numbers that people see.
Steps to find the header, in order:

1. the row that is given (``header_row``), counted as people see it;
2. the first row, unless titles are above the header: rows that fill no more than half as many cells as is
   usual in the grid (the middle of the first rows), where three or more are usual. The header is then the
   first row that fills more;
3. a later row instead, where most of its cells are headings of the catalogue and it has more of them;
4. a row of texts under the header that fills the gaps between its names, or divides them, is part of it.

Rows of totals (合计, total) are left out and noted: with them everybody would be counted twice. So are rows
that show how to fill in a form: their first cell says 示例 or ``example row``. In a sheet,
cells right of the last heading are left out and noted too, because they have no name; in a csv they are a
fault, because there a comma that is not quoted moves every cell behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.headings import known_headings, plain_heading

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOKED_AT = 50
"""First rows from which the usual number of filled cells is counted."""

_FEW_COLUMNS = 3
"""Filled cells a row from which titles can be distinguished from the header."""


_FIRST_CELLS = 3
"""First cells of a row in which the word for a total is looked for."""

_EXAMPLE: Final = re.compile("(填写)?示例行?|样例|examplerow")

_TOTAL: Final = re.compile("合计|总计|共计|总和|累计|小计|总合计|全县合计|全镇合计|合计数|总数")
_TOTAL_IN_ENGLISH: Final = re.compile("(grand|sub)?totals?|sum")


@dataclass(frozen=True)
class Grid:
    """Rows of cells that are not blank: ``(number as people see it, cells)``, blank cells None.

    ``sheet`` : name of the sheet they are in, None in a csv.
    """

    rows: Sequence[tuple[int, Sequence[Any]]]
    sheet: str | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """A table found in a grid.

    ``frame`` : cells under their names, index the row numbers; ``header`` : number of the header's last row;
    ``above`` : filled rows above the header, which are titles; ``notes`` : codes of what was recognised or
    left out.
    """

    frame: pd.DataFrame
    header: int
    above: int
    notes: tuple[str, ...] = ()


def table_in(grid: Grid, *, name: str, header_row: int | None = None) -> Found:
    """Find the table in a grid.

    Raises
    ------
    UnusableInputError
        The header's row is not there, or rows of a csv are longer than the header.
    """
    at = _header_at(grid, name, header_row)
    header_number, header = grid.rows[at]
    below = grid.rows[at + 1 :]
    where = "" if grid.sheet is None else grid.sheet
    notes = [f"header_found:{header_number}|{at}"] if at else []
    # Before the width is known: a second row of the header may be longer than the first.
    if below and _divides(header, below[0][1]):
        header = _two_rows(header, below[0][1])
        header_number, below = below[0][0], below[1:]
        notes = [f"header_found:{header_number}|{at}", f"header_of_two_rows:{header_number}"]
    width = len(header)
    if grid.sheet is None:
        _refuse_ragged(below, width, name)
    else:
        beyond = [(number, cells) for number, cells in below if any(map(_filled, cells[width:]))]
        if beyond:
            notes.append(f"cells_beyond:{where}|{_address(*beyond[0], width)}|{len(beyond)}")
        below = [(number, cells) for number, cells in below if any(map(_filled, cells[:width]))]
    examples = {
        number
        for number, cells in below
        if isinstance(cells[0], str) and _EXAMPLE.fullmatch(plain_heading(cells[0]))
    }
    if examples:
        notes.append(f"examples_left_out:{len(examples)}|{', '.join(map(str, sorted(examples)[:5]))}")
        below = [(number, cells) for number, cells in below if number not in examples]
    # Last, so that a row of totals is compared with the rows that are really data.
    totals = _totals(below, width)
    if totals:
        shown = ", ".join(map(str, sorted(totals)[:5])) + (" …" if len(totals) > 5 else "")
        notes.append(f"totals_left_out:{len(totals)}|{shown}")
        below = [(number, cells) for number, cells in below if number not in totals]
    return Found(_frame(header, below), header_number, at, tuple(notes))


def _frame(header: Sequence[Any], below: Sequence[tuple[int, Sequence[Any]]]) -> pd.DataFrame:
    """Return the cells as a frame under their names."""
    width = len(header)
    names = [_column_name(cell, number) for number, cell in enumerate(header, start=1)]
    numbers = [number for number, _ in below]
    # Rows may be shorter than the header: spreadsheets do not store blank cells at their end.
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
    return frame.set_axis([names[place] for place in kept], axis=1)


def _refuse_ragged(below: Sequence[tuple[int, Sequence[Any]]], width: int, name: str) -> None:
    """Raise UnusableInputError for rows with cells right of the last heading.

    Raises
    ------
    UnusableInputError
        With a fault for each of the first such rows.
    """
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


def _address(number: int, cells: Sequence[Any], width: int) -> str:
    """Return the first filled cell right of the header as a spreadsheet names it, as in XFD1048576."""
    place = next(place for place in range(width, len(cells)) if _filled(cells[place])) + 1
    letters = ""
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{number}"


def _divides(header: Sequence[Any], row: Sequence[Any]) -> bool:
    """Return whether a row is the second half of the header: known texts where the first half has gaps."""
    filled = [cell for cell in row if _filled(cell)]
    if not known_headings(filled) or not all(isinstance(cell, str) for cell in filled):
        return False
    width = max(len(header), len(row))
    above = [header[place] if place < len(header) else None for place in range(width)]
    under = [row[place] if place < len(row) else None for place in range(width)]
    gaps = any(_filled(low) and not _filled(high) for high, low in zip(above, under, strict=True))
    whole = any(_filled(high) and not _filled(low) for high, low in zip(above, under, strict=True))
    clash = any(
        _filled(high) and _filled(low) and not known_headings([low])
        for high, low in zip(above, under, strict=True)
    )
    return gaps and whole and not clash


def _two_rows(header: Sequence[Any], row: Sequence[Any]) -> list[Any]:
    """Return the two rows of a header as one: the lower name, where there is one."""
    width = max(len(header), len(row))
    low = [row[place] if place < len(row) else None for place in range(width)]
    return [
        cell if _filled(cell) else (header[place] if place < len(header) else None)
        for place, cell in enumerate(low)
    ]


def _totals(below: Sequence[tuple[int, Sequence[Any]]], width: int) -> set[int]:
    """Return the rows of totals: the word is in one of the first cells.

    The English words can be names too, so such a row must also leave cells blank that most rows fill.
    """
    usual = sorted(sum(map(_filled, cells[:width])) for _, cells in below)
    most = usual[len(usual) // 2] if usual else 0
    found = set()
    for number, cells in below:
        words = [plain_heading(cell) for cell in cells[:_FIRST_CELLS] if isinstance(cell, str)]
        if any(map(_TOTAL.fullmatch, words)) or (
            any(map(_TOTAL_IN_ENGLISH.fullmatch, words)) and sum(map(_filled, cells[:width])) < most
        ):
            found.add(number)
    return found


def _header_at(grid: Grid, name: str, header_row: int | None) -> int:
    """Return the position of the header among the rows that are not blank.

    Raises
    ------
    UnusableInputError
        The given row is blank or not there.
    """
    if header_row is not None:
        for at, (number, _) in enumerate(grid.rows):
            if number == header_row:
                return at
        reason = say("no column names stand in this row")
        remedy = say("set header_row to the row of the column names, counted as the spreadsheet shows it")
        raise UnusableInputError([Fault(name, say("row {row}", row=header_row), "", reason, remedy)])
    filled = [sum(_filled(cell) for cell in cells) for _, cells in grid.rows[:_LOOKED_AT]]
    # The middle and not the mean: one long row of remarks must not decide.
    usual = sorted(filled)[len(filled) // 2]
    first = 0 if usual < _FEW_COLUMNS else next(at for at, many in enumerate(filled) if 2 * many > usual)
    known = [known_headings(cells) for _, cells in grid.rows[:_LOOKED_AT]]
    best = max(range(len(known)), key=lambda at: (known[at], -at), default=0)
    if known[best] >= 2 and known[best] > known[first] and 2 * known[best] > filled[best]:
        return best
    return first


def _filled(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _column_name(cell: Any, number: int) -> str:
    return str(cell).strip() if _filled(cell) else f"column {number}"
