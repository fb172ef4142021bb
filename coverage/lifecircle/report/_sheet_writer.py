"""Write a workbook: sheets with a title, the stamp, column names and rows; what is in them it does not know.

Cells are the unrounded figures, shown to a tenth of a point, but for a rate below its goal that would then
show the goal: that one is truncated. Text is written as text: nothing a table holds becomes a formula or a
link.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

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
    Rate,
    column_heading,
)
from lifecircle.wording import truncated_percent, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import xlsxwriter

    from lifecircle.report._columns import Heading, Row, Sheets


def write_workbook(path: Path | BinaryIO, sheets: Sheets, heading: Heading) -> None:
    """Write a workbook: for each sheet a title, the stamp, the column names and the rows.

    Kinds of column are :data:`TEXT`, :data:`RATE`, :data:`PEOPLE`, :data:`POINTS`, :data:`FIGURE`,
    :data:`NUMBER`, :data:`ORDER` (a number that is not added up: 序号, a year), :data:`DEGREES`,
    :data:`SPEED` and :data:`STATUS`; what a row lacks stays empty. Numbers are written unrounded, texts as
    texts whatever they begin with.
    """
    import xlsxwriter  # noqa: PLC0415 - only the process that writes a workbook pays for it

    with xlsxwriter.Workbook(path, _AS_TEXT) as book:
        book.set_properties({"created": _NO_CLOCK})
        look = _Look(book, "Microsoft YaHei" if heading.language == "zh" else "Calibri")
        for name, (columns, rows) in sheets.items():
            _write_sheet(
                book.add_worksheet(word("sheet", name, heading.language)), columns, rows, heading, look
            )


class _Look:
    """The formats of a workbook, each made when first asked for."""

    def __init__(self, book: xlsxwriter.Workbook, face: str) -> None:
        self._book = book
        self._face = face
        self._made: dict[str, Any] = {}
        self._cells: dict[tuple[str, bool, bool, str | None, bool], Any] = {}

    def format(self, **properties: Any) -> Any:
        """Return the format with these properties on top of the plain one."""
        key = repr(sorted(properties.items()))
        if key not in self._made:
            plain = {"font_name": self._face, "font_size": 10, "valign": "vcenter"}
            self._made[key] = self._book.add_format(plain | properties)
        return self._made[key]

    def of(self, name: str, kind: str, value: Any, fills: Mapping[str, str]) -> Any:
        """Return the format of a cell: its side, its number format, and the colour of a verdict."""
        share, strong = _share(kind, value) is not None, name in _STRONG
        fill = fills.get(value) if kind == STATUS else None
        whole = kind == FIGURE and not share and _is_whole(value)
        key = (kind, share, strong, fill, whole)
        if key not in self._cells:
            number = "0.0%" if share else _NUMBERS.get(kind, "@")
            number = "#,##0.00##" if kind == FIGURE and not share else number
            if whole:
                number = "#,##0"
            side = _SIDES.get(kind, _RIGHT)
            colour = {"bg_color": f"#{fill}"} if fill else {}
            line = {"bottom": 1, "bottom_color": _LINE}
            self._cells[key] = self.format(num_format=number, bold=strong, **line, **side, **colour)
        return self._cells[key]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and float(value).is_integer()


_NO_CLOCK = datetime(2000, 1, 1)  # noqa: DTZ001 -- a file without a clock is the same file tomorrow
_LINE = "#C8CDD3"
_LEFT = {"align": "left", "text_wrap": True, "indent": 1}
_RIGHT = {"align": "right", "indent": 1}
_SIDES = {TEXT: _LEFT, STATUS: {"align": "center", "text_wrap": True}}
_NUMBERS = {
    PEOPLE: "#,##0", POINTS: "+0.0;-0.0;0.0", NUMBER: "#,##0.0", ORDER: "0", DEGREES: "0.00000",
    SPEED: "0.00",
}  # fmt: skip
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_LONGEST_TEXT = 32_767  # characters a cell may hold; a longer text would be left out
_HIGHEST = 409.0  # points a row may be high
_STRONG = frozenset({"value", "status"})
_WIDEST = {
    "source": 26, "remarks": 26, "target": 38, "text": 110, "change": 60, "name": 34, "site": 34,
    "existing": 34,
    "services": 34, "next_best": 34, "why": 34, "new_villages": 26, "cost_source": 26, "venues": 44,
    "notes": 44, "venue_name": 34,
}  # fmt: skip
_LINE_POINTS = 15.0
_PAGE_WIDTH = 300.0
"""Width of columns that an A3 page holds in type of some 7 points; a wider sheet is printed on several."""


def _write_sheet(
    sheet: Any, columns: Mapping[str, str], rows: Sequence[Row], heading: Heading, look: _Look
) -> None:
    language = heading.language
    fills = {word("status", name, language): colour for name, colour in STATUS_FILL.items()}
    stamp = word("stamp", "synthetic" if heading.synthetic else "internal", language)
    heads = [column_heading(name, heading) for name in columns]
    widths = [
        _column_width(name, kind, head, rows, heading.widths)
        for (name, kind), head in zip(columns.items(), heads, strict=True)
    ]
    sheet.write_string(0, 0, f"{heading.title} · {sheet.get_name()}", look.format(bold=True, font_size=14))
    sheet.write_string(1, 0, stamp, look.format(font_size=9, font_color="#B00020"))
    head_look = look.format(
        bold=True, bg_color="#E8EEF5", align="center", text_wrap=True, top=1, bottom=1, bottom_color=_LINE
    )
    if POINTS in columns.values():
        sheet.write_string(1, 2, word("footnote", "points", language), look.format(font_size=9))
    for place, head in enumerate(heads):
        sheet.write_string(2, place, head[:_LONGEST_TEXT], head_look)
    sheet.set_row(2, 2 * _LINE_POINTS)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    for number, row in enumerate(rows, 3):
        lines = 1
        for place, (name, kind) in enumerate(columns.items()):
            value = row.get(name)
            cell = _cell(kind, value)
            _put(sheet, (number, place), cell, look.of(name, kind, value, fills))
            lines = max(lines, _lines(cell, widths[place] - 2))
        sheet.set_row(number, min(lines * _LINE_POINTS, _HIGHEST))
    sheet.freeze_panes(3, 2)
    sheet.autofilter(2, 0, max(len(rows) + 2, 3), len(columns) - 1)
    sheet.repeat_rows(2)
    sheet.set_landscape()
    sheet.set_paper(_A3)
    across = math.ceil(sum(widths) / _PAGE_WIDTH)
    if across > 1:
        sheet.repeat_columns(0, 1)  # number and name stand on every page
    sheet.fit_to_pages(across, 0)
    sheet.set_footer("&C&P / &N")


_A3 = 8  # the paper's number in the file format


def _share(kind: str, value: Any) -> float | None:
    if isinstance(value, Rate):
        return value.share
    return value if kind == RATE else None


def _cell(kind: str, value: Any) -> float | str | None:
    """Return a cell's value as a number that adds up and sorts, where it is one."""
    if value is None or value == "":
        return None
    if isinstance(value, Change):
        return value.points
    share = _share(kind, value)
    if share is not None:
        return _shown_share(share, value.marks if isinstance(value, Rate) else ())
    if kind in _NUMBERS or (kind == FIGURE and not isinstance(value, str)):
        return float(value) if math.isfinite(float(value)) else None
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _shown_share(share: float, marks: tuple[float, ...]) -> float:
    """Return a share unrounded, but truncated where a tenth of a point would show a mark it is below.

    >>> _shown_share(0.89996, (0.9,)), _shown_share(0.87666, (0.9,)), _shown_share(0.9999, ())
    (0.899, 0.87666, 0.999)
    """
    shown = Decimal(repr(share)).quantize(Decimal("0.001"), rounding=ROUND_HALF_UP)
    if any(share < mark and shown >= Decimal(repr(mark)) for mark in (*marks, 1.0)):
        return round(truncated_percent(share) / 100, 3)
    return share


def _put(sheet: Any, place: tuple[int, int], cell: float | str | None, look: Any) -> None:
    """Write a cell as what it is: a text is never looked into."""
    if cell is None:
        sheet.write_blank(*place, None, look)
    elif isinstance(cell, str):
        sheet.write_string(*place, cell, look)
    else:
        sheet.write_number(*place, cell, look)


def _lines(cell: float | str | None, width: float) -> int:
    """Count the lines a cell takes in a column."""
    texts = cell.split("\n") if isinstance(cell, str) else [cell]
    return sum(max(1, math.ceil(_width(text) / width)) for text in texts)


def _column_width(name: str, kind: str, head: str, rows: Sequence[Row], widths: Mapping[str, float]) -> float:
    if name in widths:
        return widths[name]
    widest = max([_width(head) / 1.6, *(_width(_cell(kind, row.get(name))) for row in rows)])
    return min(max(6.0, widest + 3.5), _WIDEST.get(name, 18))


def _width(value: float | str | None) -> float:
    """Estimate the characters a value takes: a Chinese one counts double, a fraction shows as 100.0%."""
    if isinstance(value, float):
        return max(len(f"{value:,.0f}"), len("100.0%"))
    return _text_width(value or "")


@functools.lru_cache(maxsize=10_000)
def _text_width(text: str) -> int:
    """Count the columns a text takes; most texts of a workbook stand in many cells."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
