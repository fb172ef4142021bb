"""Read a workbook: choose the sheets that are the table, and read their cells with bounded memory.

Steps to choose the sheets, in order:

1. the sheet that is given;
2. sheets that are hidden, blank, of one column (covers, remarks), without a row under their header, or with
   at most one heading of the catalogue beside a sheet that has three are left out and noted;
3. one sheet left is the table; several with the same column names are one table, row after row;
4. several with different column names are refused: it is unknown which is meant.
"""

from __future__ import annotations

import math
import re
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.headings import known_headings
from lifecircle.tables._header import Found, Grid, table_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KNOWN = 3
"""Headings of the catalogue in one sheet that make another with one or none a cover or remarks."""

_LAST_ROW: Final = 1_048_576
"""Last row of a spreadsheet; a file may name a later one, and every row before it would be counted."""

CELLS: Final = 30_000_000
"""Filled cells that a sheet may hold."""


@dataclass(frozen=True, eq=False)
class Sheets:
    """The table of a workbook.

    ``frame`` : its rows; ``places`` : for each row the name of its sheet and its number there, where several
    sheets are one table; ``notes`` : codes of what was joined, left out and recognised.
    """

    frame: pd.DataFrame
    header: int
    places: dict[int, tuple[str, int]]
    notes: tuple[str, ...]


def read_workbook(path: Path, name: str, *, sheet: str | None, header_row: int | None) -> Sheets:
    """Read the table of a workbook.

    Raises
    ------
    UnusableInputError
        There is no such sheet, no table, or several that differ.
    """
    with _opened(path, data_only=True) as book:
        titles = [one.title for one in book.worksheets]
        if sheet is not None and sheet not in titles:
            present = ", ".join(titles)
            place = say("sheet '{sheet}'", sheet=sheet)
            remedy = say("the file has {names}", names=present)
            raise UnusableInputError([Fault(name, place, "", say("no such sheet"), remedy)])
        wanted = [one for one in book.worksheets if sheet in {None, one.title}]
        grids = {one.title: _grid(one, name) for one in wanted}
        hidden = {one.title for one in wanted if one.sheet_state != "visible"} if sheet is None else set()
    # Hidden sheets hold lists for drop-down fields or old versions: they are left out and noted.
    tables, left_out = _tables(grids, hidden, name, header_row, named=sheet is not None)
    if not tables:
        # The first sheet speaks for the workbook, so that a table without rows is called so.
        first = next(iter(grids.values()), Grid(()))
        frame = table_in(first, name=name, header_row=header_row).frame if first.rows else pd.DataFrame()
        return Sheets(frame, 1, {}, ())
    notes = [f"sheet_left_out:{title}|{why}" for title, why in left_out.items()]
    notes += dict.fromkeys(note for one in tables.values() for note in one.notes)
    notes += _formulas(path, {title: grids[title] for title in tables})
    if len(tables) == 1:
        ((_, only),) = tables.items()
        return Sheets(only.frame, only.header, {}, tuple(notes))
    notes.insert(0, f"sheets_joined:{len(tables)}|{', '.join(tables)}")
    return _joined(tables, tuple(notes))


@contextmanager
def _opened(path: Path, *, data_only: bool) -> Iterator[Any]:
    """Open a workbook for reading row by row; the file is closed even where the library leaves it open."""
    import openpyxl  # noqa: PLC0415 - a tenth of a second, which a study of csv files does not pay

    with path.open("rb") as file, warnings.catch_warnings():
        # openpyxl warns about drop-down lists and styles it does not keep: nothing is lost by reading.
        warnings.simplefilter("ignore", UserWarning)
        book = openpyxl.load_workbook(file, read_only=True, data_only=data_only)
        try:
            yield book
        finally:
            book.close()


def _grid(sheet: Any, name: str) -> Grid:
    """Return the filled rows of a sheet; blank rows between them cost nothing, however many there are.

    Raises
    ------
    UnusableInputError
        It holds more filled cells than :data:`CELLS`.
    """
    # The size a sheet states may be that of one stray cell far away: rows are as wide as they are filled.
    sheet.reset_dimensions()
    rows: list[tuple[int, list[Any]]] = []
    cells = 0
    for number, values in enumerate(sheet.iter_rows(max_row=_LAST_ROW, values_only=True), start=1):
        row = [_plain(value) for value in values]
        while row and row[-1] is None:
            row.pop()
        if not row:
            continue
        cells += len(row)
        if cells > CELLS:
            reason = say("the sheet holds more than {most} cells", most=f"{CELLS:,}")
            place = say("sheet '{sheet}'", sheet=sheet.title)
            remedy = say(
                "save the sheet that is meant as csv, or delete the empty rows and columns around it"
            )
            raise UnusableInputError([Fault(name, place, "", reason, remedy)])
        rows.append((number, row))
    return Grid(rows, sheet.title)


def _plain(value: Any) -> Any:
    """Return a cell: whole numbers whole, blank text as None, durations as the text they show."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, (time, timedelta)):
        return str(value)
    return value


def _tables(
    grids: dict[str, Grid], hidden: set[str], name: str, header_row: int | None, *, named: bool
) -> tuple[dict[str, Found], dict[str, str]]:
    """Return the sheets that hold a table, and the others with the reason.

    Raises
    ------
    UnusableInputError
        Several hold tables with other column names.
    """
    tables: dict[str, Found] = {}
    left_out: dict[str, str] = {}
    for title, grid in grids.items():
        if title in hidden:
            left_out[title] = "hidden"
            continue
        if not grid.rows:
            left_out[title] = "blank"
            continue
        if not named and len(grids) > 1 and max(_filled(cells) for _, cells in grid.rows) < 2:
            left_out[title] = "cover"
            continue
        found = table_in(grid, name=name, header_row=header_row)
        if found.frame.empty and len(grids) > 1:
            left_out[title] = "no_rows"
            continue
        tables[title] = found
    headings = {title: tuple(map(str, one.frame.columns)) for title, one in tables.items()}
    # Known headings are compared, because a cover sheet with two columns looks like a table otherwise.
    known = {title: known_headings(names) for title, names in headings.items()}
    if max(known.values(), default=0) >= _KNOWN:
        # A cover of two columns, or a list of what the columns mean, is no second table.
        for title in [title for title, many in known.items() if many <= 1]:
            left_out[title] = "no_headings"
            del tables[title], headings[title]
    if len({frozenset(names) for names in headings.values()}) > 1:
        first = max(headings, key=lambda title: known[title])
        others = [title for title, names in headings.items() if set(names) != set(headings[first])]
        reason = say(
            "the workbook holds several tables with other column names: {first} and {others}",
            first=first,
            others=", ".join(others),
        )
        remedy = say('name the sheet that is meant: sheet = "{sheet}"', sheet=first)
        raise UnusableInputError([Fault(name, "", "", reason, remedy)])
    return tables, left_out


def _filled(cells: Any) -> int:
    return sum(cell is not None for cell in cells)


def _joined(tables: dict[str, Found], notes: tuple[str, ...]) -> Sheets:
    """Return sheets of one kind as one table, rows numbered on, with their sheet and row kept."""
    places: dict[int, tuple[str, int]] = {}
    frames: list[pd.DataFrame] = []
    columns = next(iter(tables.values())).frame.columns
    header = next(iter(tables.values())).header
    last = header
    for title, found in tables.items():
        shift = 0 if not frames else last - int(found.frame.index[0]) + 1
        frame = found.frame[list(columns)] if found.frame.columns.is_unique else found.frame
        numbers = [int(number) + shift for number in frame.index]
        places |= {new: (title, int(old)) for new, old in zip(numbers, frame.index, strict=True)}
        frames.append(frame.set_axis(numbers))
        last = numbers[-1]
    return Sheets(pd.concat(frames), header, places, notes)


def _formulas(path: Path, grids: dict[str, Grid]) -> list[str]:
    """Return notes on formulas whose result was never stored: they read as blank, which nobody would see."""
    with zipfile.ZipFile(path) as book:
        sheets = [part for part in book.namelist() if part.startswith("xl/worksheets/sheet")]
        # A search in the raw text is cheaper than reading the sheets again, and without a formula there is
        # nothing to note.
        if not any(re.search(rb"<f[ >/]", book.read(part)) for part in sheets):
            return []
    notes = []
    with _opened(path, data_only=False) as written:
        for title, grid in grids.items():
            sheet = written[title]
            sheet.reset_dimensions()
            results = dict(grid.rows)
            without = 0
            for number, values in enumerate(sheet.iter_rows(max_row=_LAST_ROW, values_only=True), start=1):
                known = results.get(number, ())
                without += sum(
                    isinstance(value, str)
                    and value.startswith("=")
                    and (place >= len(known) or known[place] is None)
                    for place, value in enumerate(values)
                )
            if without:
                notes.append(f"formula_without_value:{title}|{without}")
    return notes
