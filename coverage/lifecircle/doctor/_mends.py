"""Find what of a study's tables can be mended for certain: cell by cell, with the reason; nothing is written.

Certain is what has one reading: wide digits, units behind numbers, degrees with minutes and seconds, blanks
within Chinese names, days in wide digits, longitude and latitude in each other's column, texts that a
spreadsheet would run. Whatever has two readings is left to people, and check lists it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lifecircle.cells import mended_number, parse_date, plain_degrees, plain_text
from lifecircle.datum import CHINA_AREA, is_projected, raw_places
from lifecircle.errors import UnusableInputError, say
from lifecircle.headings import named, synonyms
from lifecircle.tables import headings_of, unarmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lifecircle.errors import Message
    from lifecircle.tables import Table


@dataclass(frozen=True)
class Mend:
    """One change of the mended copy.

    ``row`` : as people see it, 0 of ``study.toml``; ``column`` : heading in the file, empty where the whole
    row goes; ``sheet`` : of a workbook, where several are one table.
    """

    file: str
    row: int
    column: str
    before: str
    after: str
    reason: Message | str
    sheet: str = ""


@dataclass(frozen=True)
class TableColumns:
    """Which columns of a table hold what, by our names.

    ``kind`` : the table whose synonyms are looked for; ``mapped`` : our name -> heading in the file.
    """

    kind: str
    mapped: Mapping[str, str]
    numbers: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    names: tuple[str, ...] = ("name",)
    datum: str = "wgs84"

    def found(self, table: Table, wanted: Iterable[str]) -> list[str]:
        """Return the headings of a table that are surely these columns."""
        present = headings_of(table)
        headings: list[str] = []
        for name in wanted:
            asked = self.mapped.get(name)
            others = (
                () if asked is not None else (*synonyms(self.kind, name), *synonyms("facility_details", name))
            )
            here = named(present, asked or name, others)
            headings += here if len(here) == 1 else ()
        return list(dict.fromkeys(headings))


def table_mends(table: Table, columns: TableColumns, file: str) -> list[Mend]:
    """Return every certain mend of a table, in the order of its rows.

    Parameters
    ----------
    table : as read
    columns : what its columns hold
    file : its name from the study's folder

    Returns
    -------
    mends : at most one of a cell

    >>> import pandas as pd
    >>> from lifecircle.tables import read_table
    >>> cells = {"name": ["大刘村 礼堂"], "容量": ["１２0人"], "lon": [30.5], "lat": [120.9]}
    >>> table = read_table(pd.DataFrame(cells))
    >>> columns = TableColumns("facilities", {}, numbers=("capacity",))
    >>> [(mend.column, mend.after) for mend in table_mends(table, columns, "a.csv")]
    [('name', '大刘村礼堂'), ('容量', '120'), ('lon', '120.9'), ('lat', '30.5')]
    """
    cells: dict[tuple[int, str], tuple[str, Message]] = {}
    for heading in columns.found(table, columns.names):
        _note(cells, table, heading, _plain_name, say("blanks that are no part of a name"))
    for heading in columns.found(table, columns.numbers):
        _note(cells, table, heading, _plain_number, say("a number with wide digits or a unit"))
    for heading in columns.found(table, columns.days):
        _note(cells, table, heading, _plain_day, say("a day in wide digits"))
    cells |= _places(table, columns)
    if file.lower().endswith(".csv"):
        for heading in headings_of(table):
            armed = {key: text for key, text in _changed(table, heading, unarmed).items() if key not in cells}
            cells |= {key: (text, say("a text that a spreadsheet would run")) for key, text in armed.items()}
    order = {heading: at for at, heading in enumerate(headings_of(table))}
    found = []
    for (row, heading), (after, reason) in sorted(
        cells.items(), key=lambda one: (one[0][0], order[one[0][1]])
    ):
        sheet, seen = table.places.get(row, ("", row))
        before = plain_text(table.frame.at[row, heading])
        found.append(Mend(file, int(seen), heading, before, after, reason, sheet))
    return found


def _note(
    cells: dict[tuple[int, str], tuple[str, Message]],
    table: Table,
    heading: str,
    mended: Callable[[str], str],
    reason: Message,
) -> None:
    cells |= {key: (after, reason) for key, after in _changed(table, heading, mended).items()}


def _changed(table: Table, heading: str, mended: Callable[[str], str]) -> dict[tuple[int, str], str]:
    """Return the cells of a column that a function would change: (row, heading) -> new text."""
    found = {}
    for row, cell in zip(table.frame.index.tolist(), table.frame[heading], strict=True):
        if isinstance(cell, str):
            after = mended(cell)
            if after != cell:
                found[row, heading] = after
    return found


_HIDDEN: Final = re.compile("[\u200b-\u200d\ufeff\u2060\u00ad]")
_WIDE = "\u3007\u3400-\u4dbf\u4e00-\u9fff\u00b7\u30fb（）《》“”、，。"
_WITHIN: Final = re.compile(rf"(?<=[{_WIDE}])\s+(?=[{_WIDE}])")


def _plain_name(name: str) -> str:
    """Return a name without hidden signs, and without blanks between Chinese characters."""
    plain = _HIDDEN.sub("", name).strip()
    return re.sub(r"\s+", " ", _WITHIN.sub("", plain))


def _plain_number(cell: str) -> str:
    try:
        float(cell) if cell.isascii() else float("none")
    except ValueError:
        return mended_number(cell) or cell
    return cell


def _plain_day(cell: str) -> str:
    """Return a day in narrow digits; one that is read as it stands stays as it is."""
    narrow = unicodedata.normalize("NFKC", cell)
    if narrow == cell:
        return cell
    try:
        day = parse_date(narrow)
    except ValueError:
        return cell
    return cell if day is None else narrow


def _places(table: Table, columns: TableColumns) -> dict[tuple[int, str], tuple[str, Message]]:
    """Return the mends of coordinates: degrees as decimals, and pairs in each other's column."""
    try:
        names = raw_places(table.frame, file=table.name, columns=columns.mapped).names
        projected = columns.datum != "auto" and is_projected(columns.datum)
    except UnusableInputError:
        return {}  # check says what is wrong with them
    if len(names) != 2:
        return {}
    texts = [[plain_text(cell) for cell in table.frame[name]] for name in names]
    degrees = [plain_degrees(table.frame[name]) for name in names]
    cells: dict[tuple[int, str], tuple[str, Message]] = {}
    rows = [int(row) for row in table.frame.index]
    for name, words, values in zip(names, texts, degrees, strict=True):
        for row, text, value in zip(rows, words, values.tolist(), strict=True):
            if np.isfinite(value) and not _is_plain(text):
                cells[row, name] = (
                    f"{value:.8f}".rstrip("0").rstrip("."),
                    say("degrees written as decimals"),
                )
    if not projected:
        reason = say("lon and lat stood in each other's column")
        for at in np.flatnonzero(_swapped(*degrees)).tolist():
            for name, value in zip(names, (degrees[1][at], degrees[0][at]), strict=True):
                cells[rows[at], name] = (f"{value:.8f}".rstrip("0").rstrip("."), reason)
    return cells


def _is_plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii()


def _swapped(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return which pairs can only be lat, lon: no latitude is over 90, and exchanged the pair lies in China.

    Elsewhere than in China a single pair is left to people: it may be a wrong figure as well.
    """
    west, south, east, north = CHINA_AREA
    impossible = np.abs(y) > 90.0
    inside = (y >= west) & (y <= east) & (x >= south) & (x <= north)
    found: np.ndarray[Any, Any] = impossible & inside & np.isfinite(x) & np.isfinite(y)
    return found


def iter_files(file: Any) -> Iterator[str]:
    """Yield the files of a key of a study: one, or one for each year."""
    yield from (file,) if isinstance(file, str) else dict.fromkeys(file.values())
