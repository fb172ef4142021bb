"""Own the tables of a run: scoreboard as csv and workbook, gaps and rejects as csv; computes no figure.

The scoreboard has, for every target in the standard's order, a row for the whole study and one for each
district. Cells are printed as people read them, rates truncated to a tenth of a point; the unrounded
figures stand in ``summary.json``.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import xlsxwriter

from lifecircle.files import written
from lifecircle.findings import ACCOUNTINGS, BUCKETS
from lifecircle.reading import reading_rows
from lifecircle.tables import write_csv
from lifecircle.wording import explain, percent, truncated_percent, word

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lifecircle.findings import Count, DistrictResult, Findings, Language, TargetResult

STATUS_FILL = {
    "met": "C6E5D0",
    "on_track": "DDEFE3",
    "behind": "FBE3B5",
    "missed": "F4C0B4",
    "reported": "E7EAEE",
    "not_assessable": "E7EAEE",
    "data_insufficient": "E7EAEE",
    "nobody": "F3F4F6",
}

TEXT, RATE, PEOPLE, POINTS, FIGURE, STATUS = "text", "rate", "people", "points", "figure", "status"
NUMBER = "number"

_RUNGS = dict.fromkeys(ACCOUNTINGS, RATE)
BOARD = {
    "row": TEXT, "target": TEXT, "department": TEXT, "source": TEXT, "denominator": TEXT,
    "goal": FIGURE, "due": TEXT, "milestone": FIGURE, "previous": FIGURE, "value": FIGURE, "change": POINTS,
    "shortfall": PEOPLE, "status": STATUS, "flip": TEXT, "borderline": PEOPLE,
    "accepted": RATE, "straight": RATE, "network_distance": RATE, "reach": RATE,
    "grade": TEXT, "remarks": TEXT,
}  # fmt: skip
"""Columns of the study's own rows, in the order an office reads them."""

COUNTS = {"people": PEOPLE, "covered": PEOPLE, "beyond": PEOPLE, "disconnected": PEOPLE, "unsnapped": PEOPLE}
TOWNS = {
    "row": TEXT, "target": TEXT, "district": TEXT, "urban": TEXT, **COUNTS,
    "value": FIGURE, "goal": FIGURE, "status": STATUS, "rank": TEXT,
}  # fmt: skip
LADDER = {"row": TEXT, "target": TEXT, "rung": TEXT, "villages": PEOPLE, "people": PEOPLE, "value": RATE}
GROUPS = {"row": TEXT, "target": TEXT, "group": TEXT, **COUNTS, "value": RATE}
VILLAGES = {"code": TEXT, "village": TEXT, "district": TEXT, "urban": TEXT}
GAPS = {
    "id": TEXT, "target": TEXT, "district": TEXT, "village": TEXT, "gap_people": PEOPLE, "minutes": TEXT,
    "too_far": TEXT, "nearest": TEXT, "gap_reason": TEXT, "lon": TEXT, "lat": TEXT,
}  # fmt: skip
READING = {
    "reading_part": TEXT, "reading_what": TEXT, "reading_rows": PEOPLE, "people": PEOPLE, "metres": NUMBER,
    "lon": TEXT, "lat": TEXT, "remarks": TEXT,
}  # fmt: skip
SCOREBOARD = {
    **{name: BOARD[name] for name in ("row", "target")}, "district": TEXT,
    **{name: kind for name, kind in BOARD.items() if name not in {"row", "target", "grade", "remarks"}},
    "open": RATE, "any_one": RATE, "band": TEXT, **COUNTS, "rank": TEXT, "grade": TEXT, "remarks": TEXT,
}  # fmt: skip

_Row = dict[str, Any]
Sheets = Mapping[str, tuple[Mapping[str, str], Sequence[_Row]]]
"""Name of a sheet in the catalogue -> name of each column and how it is printed, and the rows."""


@dataclass(frozen=True)
class Heading:
    """What stands above every sheet of a workbook; ``words`` is where the catalogue names its columns."""

    title: str
    language: Language
    synthetic: bool
    words: str = "column"


@dataclass(frozen=True)
class Rate:
    """A figure of a target whose kind is a share: printed as a rate, and a fraction in a workbook."""

    share: float


def write_tables(findings: Findings, folder: Path) -> None:
    """Write ``scoreboard.csv``, ``scoreboard.xlsx``, ``gaps.csv`` and ``rejects.csv``."""
    write_csv(scoreboard(findings), folder / "scoreboard.csv")
    write_csv(findings.gaps, folder / "gaps.csv")
    write_csv(findings.rejects, folder / "rejects.csv")
    with written(folder / "scoreboard.xlsx") as fresh:
        _write_workbook(findings, fresh)


def scoreboard(findings: Findings) -> pd.DataFrame:
    """Lay out the scoreboard as printed: the study's row of each target, then those of its districts."""
    rows: list[_Row] = []
    for number, result in enumerate(findings.targets, 1):
        rows.append(_board_row(number, result, findings) | {"district": findings.name})
        rows += _town_rows(number, result, findings.language)
    printed = [{name: _printed(kind, row.get(name)) for name, kind in SCOREBOARD.items()} for row in rows]
    table = pd.DataFrame(printed, columns=list(SCOREBOARD))
    return table.rename(columns={name: word("column", name, findings.language) for name in SCOREBOARD})


# ---------------------------------------------------------------------------------------------------------
# Rows


def _board_row(number: int, result: TargetResult, findings: Findings) -> _Row:
    language, target = findings.language, result.target
    rungs = {name: rung.value for name, rung in result.accountings.items() if rung is not None}
    return {
        "row": str(number),
        "target": target.name.get(language),
        "department": target.department,
        "source": target.source,
        "denominator": _denominator(result, language),
        "goal": _figure(result, target.goal),
        "due": "" if target.due is None else str(target.due),
        "milestone": _figure(result, result.milestone),
        "previous": _figure(result, result.previous),
        "value": _figure(result, result.value),
        "change": _change(result),
        "shortfall": result.shortfall_people,
        "status": word("status", result.status, language),
        "flip": "" if result.flip_kmh is None else f"{result.flip_kmh:.2f} km/h",
        "borderline": result.borderline_people,
        **rungs,
        "band": " / ".join(percent(result.band[name]) for name in ("slow", "usual", "fast") if result.band),
        **_counts(result.count),
        "grade": word("grade", target.grade, language),
        "remarks": _remarks(result, language),
    }


def _town_rows(number: int, result: TargetResult, language: Language) -> list[_Row]:
    ranks = _ranks(result.districts)
    return [
        {
            "row": str(number),
            "target": result.target.name.get(language),
            "district": word("area", "outside", language) if one.code == "(outside)" else one.name,
            "urban": "" if one.urban is None else word("area", "urban" if one.urban else "rural", language),
            **_counts(one.count),
            "value": _figure(result, one.value),
            "goal": _figure(result, result.target.goal),
            "status": word("status", one.status, language),
            "rank": str(ranks.get(one.code, "")),
        }
        for one in result.districts
    ]


def _ladder_rows(number: int, result: TargetResult, language: Language) -> list[_Row]:
    return [
        {
            "row": str(number),
            "target": result.target.name.get(language),
            "rung": word("column", name, language),
            "villages": rung.villages,
            "people": rung.people,
            "value": rung.value,
        }
        for name in ACCOUNTINGS
        if (rung := result.accountings.get(name)) is not None
    ]


def _group_rows(number: int, result: TargetResult, language: Language) -> list[_Row]:
    return [
        {
            "row": str(number),
            "target": result.target.name.get(language),
            "group": word("group", one.group, language),
            **_counts(one.count),
            "value": one.value,
        }
        for one in result.groups
    ]


def _gap_rows(findings: Findings) -> list[_Row]:
    language = findings.language
    limits = {one.target.id: one.target for one in findings.targets if one.target.kind == "circle"}
    rows = []
    for gap in findings.gaps.to_dict("records"):
        target = limits[gap["target"]]
        known = not pd.isna(gap["minutes"])
        rows.append(
            {
                **gap,
                "target": target.name.get(language),
                "gap_people": gap["people"],
                "minutes": f"{gap['minutes']:.1f}" if known else "",
                "too_far": f"{max(gap['minutes'] - target.minutes, 0):.1f}" if known else "",
                "gap_reason": word("bucket", gap["reason"], language),
                "lon": "" if pd.isna(gap["lon"]) else f"{gap['lon']:.5f}",
                "lat": "" if pd.isna(gap["lat"]) else f"{gap['lat']:.5f}",
            }
        )
    return rows


def _village_sheet(findings: Findings) -> tuple[Mapping[str, str], list[_Row]]:
    """Give every village a row and every circle a column with the share covered there."""
    language, villages = findings.language, findings.villages
    circles = [one.target for one in findings.targets if f"people_{one.target.id}" in villages]
    columns = {**VILLAGES, **{target.name.get(language): RATE for target in circles}}
    towns = findings.districts["name"].to_dict() if len(findings.districts) else {}
    rows = []
    for code, village in zip(villages.index, villages.to_dict("records"), strict=True):
        urban = village.get("urban")
        row: _Row = {
            "code": str(code),
            "village": village["name"],
            "district": towns.get(village.get("district"), village.get("district")),
            "urban": ""
            if urban is None or pd.isna(urban)
            else word("area", "urban" if urban else "rural", language),
        }
        for target in circles:
            people = village[f"people_{target.id}"]
            row[target.name.get(language)] = village[f"covered_{target.id}"] / people if people else None
        rows.append(row)
    return columns, rows


def _counts(count: Count | None) -> _Row:
    if count is None:
        return {}
    return {"people": count.people, **{bucket: getattr(count, bucket) for bucket in BUCKETS}}


def _ranks(districts: Iterable[DistrictResult]) -> dict[str, int]:
    """Rank districts by value, highest first; equal values share a rank."""
    known = [one for one in districts if one.value is not None]
    values = sorted((one.value for one in known if one.value is not None), reverse=True)
    return {one.code: values.index(one.value) + 1 for one in known if one.value is not None}


def _figure(result: TargetResult, value: float | None) -> Rate | str:
    if value is None:
        return ""
    share = result.target.kind in {"circle", "presence"} or getattr(result.target, "unit", "") == "share"
    return Rate(value) if share else f"{value:g}"


def _change(result: TargetResult) -> float | None:
    if result.value is None or result.previous is None:
        return None
    return (result.value - result.previous) * 100


def _denominator(result: TargetResult, language: Language) -> str:
    target = result.target
    if target.denominator or target.kind != "circle":
        return str(target.denominator)
    group = word("group", target.group, language)
    return group if target.area == "all" else f"{word('area', target.area, language)} · {group}"


def _remarks(result: TargetResult, language: Language) -> str:
    said = [explain(code, language) for code in (result.reason, *result.notes) if code]
    return "；".join(said) if language == "zh" else "; ".join(said)


def _printed(kind: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, Rate):
        return percent(value.share)
    if kind == RATE:
        return percent(value)
    if kind == PEOPLE:
        return f"{value:,.0f}"
    return f"{value:+.1f}" if kind == POINTS else str(value)


# ---------------------------------------------------------------------------------------------------------
# The workbook


def write_workbook(path: Path, sheets: Sheets, heading: Heading) -> None:
    """Write a workbook: for each sheet a title, the stamp, the column names and the rows.

    Kinds of column are :data:`TEXT`, :data:`RATE`, :data:`PEOPLE`, :data:`POINTS`, :data:`NUMBER` and
    :data:`STATUS`; what a row lacks stays empty.
    """
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": _NO_CLOCK})
        look = _Look(book, "Microsoft YaHei" if heading.language == "zh" else "Calibri")
        for name, (columns, rows) in sheets.items():
            _write_sheet(
                book.add_worksheet(word("sheet", name, heading.language)), columns, rows, heading, look
            )


def _write_workbook(findings: Findings, path: Path) -> None:
    language = findings.language
    numbered = list(enumerate(findings.targets, 1))
    sheets: Sheets = {
        "board": (BOARD, [_board_row(number, result, findings) for number, result in numbered]),
        "towns": (TOWNS, [row for number, one in numbered for row in _town_rows(number, one, language)]),
        "ladder": (LADDER, [row for number, one in numbered for row in _ladder_rows(number, one, language)]),
        "groups": (GROUPS, [row for number, one in numbered for row in _group_rows(number, one, language)]),
        "villages": _village_sheet(findings),
        "gaps": (GAPS, _gap_rows(findings)),
        "reading": (READING, list(reading_rows(findings.reading, language))),
    }
    write_workbook(path, sheets, Heading(f"{findings.name} {findings.year}", language, findings.synthetic))


class _Look:
    """The formats of a workbook, each made when first asked for."""

    def __init__(self, book: xlsxwriter.Workbook, face: str) -> None:
        self._book = book
        self._face = face
        self._made: dict[str, Any] = {}
        self._cells: dict[tuple[str, bool, bool, str | None], Any] = {}

    def format(self, **properties: Any) -> Any:
        """Give the format with these properties on top of the plain one."""
        key = repr(sorted(properties.items()))
        if key not in self._made:
            plain = {"font_name": self._face, "font_size": 10, "valign": "vcenter"}
            self._made[key] = self._book.add_format(plain | properties)
        return self._made[key]

    def of(self, name: str, kind: str, value: Any, fills: Mapping[str, str]) -> Any:
        """Give the format of a cell: its side, its number format, and the colour of a verdict."""
        share, strong = _share(kind, value) is not None, name in _STRONG
        fill = fills.get(value) if kind == STATUS else None
        key = (kind, share, strong, fill)
        if key not in self._cells:
            number = "0.0%" if share else _NUMBERS.get(kind, "@")
            side = _SIDES.get(kind, _RIGHT)
            colour = {"bg_color": f"#{fill}"} if fill else {}
            line = {"bottom": 1, "bottom_color": _LINE}
            self._cells[key] = self.format(num_format=number, bold=strong, **line, **side, **colour)
        return self._cells[key]


_NO_CLOCK = datetime(2000, 1, 1)  # noqa: DTZ001 -- a file without a clock is the same file tomorrow
_LINE = "#C8CDD3"
_LEFT = {"align": "left", "text_wrap": True, "indent": 1}
_RIGHT = {"align": "right", "indent": 1}
_SIDES = {TEXT: _LEFT, STATUS: {"align": "center", "text_wrap": True}}
_NUMBERS = {PEOPLE: "#,##0", POINTS: "+0.0;-0.0;0.0", NUMBER: "#,##0.0"}
_STRONG = frozenset({"value", "status"})
_WIDEST = {
    "source": 26, "remarks": 26, "target": 38, "text": 110, "change": 60, "name": 34, "site": 34,
    "services": 34, "next_best": 34, "why": 34, "new_villages": 26, "cost_source": 26,
}  # fmt: skip
_LINE_POINTS = 15.0
_PAGE_WIDTH = 300.0
"""Width of columns that an A3 page holds in type of some 7 points; a wider sheet is printed on several."""


def _write_sheet(
    sheet: Any, columns: Mapping[str, str], rows: Sequence[_Row], heading: Heading, look: _Look
) -> None:
    language = heading.language
    fills = {word("status", name, language): colour for name, colour in STATUS_FILL.items()}
    stamp = word("stamp", "synthetic" if heading.synthetic else "internal", language)
    heads = [_head(name, heading) for name in columns]
    widths = [
        _column_width(name, kind, head, rows)
        for (name, kind), head in zip(columns.items(), heads, strict=True)
    ]
    sheet.write_string(0, 0, f"{heading.title} · {sheet.get_name()}", look.format(bold=True, font_size=14))
    sheet.write_string(1, 0, stamp, look.format(font_size=9, font_color="#B00020"))
    head_look = look.format(
        bold=True, bg_color="#E8EEF5", align="center", text_wrap=True, top=1, bottom=1, bottom_color=_LINE
    )
    sheet.write_row(2, 0, heads, head_look)
    sheet.set_row(2, 2 * _LINE_POINTS)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    for number, row in enumerate(rows, 3):
        lines = 1
        for place, (name, kind) in enumerate(columns.items()):
            value = row.get(name)
            cell = _cell(kind, value)
            sheet.write(number, place, cell, look.of(name, kind, value, fills))
            lines = max(lines, math.ceil(_width(cell) / (widths[place] - 2)))
        sheet.set_row(number, lines * _LINE_POINTS)
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


def _head(name: str, heading: Heading) -> str:
    """Name a column: by the workbook's own words, else by those of all tables."""
    own = word(heading.words, name, heading.language)
    return own if own != name else word("column", name, heading.language)


_A3 = 8  # the paper's number in the file format


def _share(kind: str, value: Any) -> float | None:
    if isinstance(value, Rate):
        return value.share
    return value if kind == RATE else None


def _cell(kind: str, value: Any) -> float | str | None:
    """Give a cell's value as a number that adds up and sorts, where it is one."""
    if value is None or value == "":
        return None
    share = _share(kind, value)
    if share is not None:
        return round(truncated_percent(share) / 100, 3)
    if kind in _NUMBERS:
        return round(float(value), 0 if kind == PEOPLE else 1)
    return str(value)


def _column_width(name: str, kind: str, head: str, rows: Sequence[_Row]) -> float:
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
