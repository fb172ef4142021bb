"""Own the tables of a run: scoreboard as csv and workbook, gaps and rejects as csv; computes no figure.

The scoreboard has, for every target in the standard's order, a row for the whole study and one for each
district. Cells are printed as people read them, rates truncated to a tenth of a point; the unrounded
figures stand in ``summary.json``.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from lifecircle.findings import ACCOUNTINGS, BUCKETS
from lifecircle.tables import write_csv, written
from lifecircle.wording import explain, percent, truncated_percent, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

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
GAPS = {
    "id": TEXT, "target": TEXT, "district": TEXT, "village": TEXT, "gap_people": PEOPLE, "minutes": TEXT,
    "too_far": TEXT, "nearest": TEXT, "gap_reason": TEXT, "lon": TEXT, "lat": TEXT,
}  # fmt: skip
SCOREBOARD = {
    **{name: BOARD[name] for name in ("row", "target")}, "district": TEXT,
    **{name: kind for name, kind in BOARD.items() if name not in {"row", "target", "grade", "remarks"}},
    "open": RATE, "any_one": RATE, "band": TEXT, **COUNTS, "rank": TEXT, "grade": TEXT, "remarks": TEXT,
}  # fmt: skip

_Row = dict[str, Any]


@dataclass(frozen=True)
class _Rate:
    """A figure of a target whose kind is a share: printed as a rate, and a fraction in a workbook."""

    share: float


def write_tables(findings: Findings, folder: Path) -> None:
    """Write ``scoreboard.csv``, ``scoreboard.xlsx``, ``gaps.csv`` and ``rejects.csv``."""
    write_csv(scoreboard(findings), folder / "scoreboard.csv")
    write_csv(findings.gaps, folder / "gaps.csv")
    write_csv(findings.rejects, folder / "rejects.csv")
    book = _workbook(findings)
    with written(folder / "scoreboard.xlsx") as fresh:
        book.save(fresh)


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


def _counts(count: Count | None) -> _Row:
    if count is None:
        return {}
    return {"people": count.people, **{bucket: getattr(count, bucket) for bucket in BUCKETS}}


def _ranks(districts: Iterable[DistrictResult]) -> dict[str, int]:
    """Rank districts by value, highest first; equal values share a rank."""
    known = [one for one in districts if one.value is not None]
    values = sorted((one.value for one in known if one.value is not None), reverse=True)
    return {one.code: values.index(one.value) + 1 for one in known if one.value is not None}


def _figure(result: TargetResult, value: float | None) -> _Rate | str:
    if value is None:
        return ""
    share = result.target.kind in {"circle", "presence"} or getattr(result.target, "unit", "") == "share"
    return _Rate(value) if share else f"{value:g}"


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
    if isinstance(value, _Rate):
        return percent(value.share)
    if kind == RATE:
        return percent(value)
    if kind == PEOPLE:
        return f"{value:,.0f}"
    return f"{value:+.1f}" if kind == POINTS else str(value)


# ---------------------------------------------------------------------------------------------------------
# The workbook


def _workbook(findings: Findings) -> Workbook:
    language = findings.language
    numbered = list(enumerate(findings.targets, 1))
    sheets: Mapping[str, tuple[Mapping[str, str], Sequence[_Row]]] = {
        "board": (BOARD, [_board_row(number, result, findings) for number, result in numbered]),
        "towns": (TOWNS, [row for number, one in numbered for row in _town_rows(number, one, language)]),
        "ladder": (LADDER, [row for number, one in numbered for row in _ladder_rows(number, one, language)]),
        "groups": (GROUPS, [row for number, one in numbered for row in _group_rows(number, one, language)]),
        "gaps": (GAPS, _gap_rows(findings)),
    }
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, (columns, rows) in sheets.items():
        sheet = book.create_sheet(word("sheet", name, language))
        _fill(sheet, columns, rows, findings)
        _lay_out(sheet, columns)
    return book


@dataclass(frozen=True)
class _Look:
    """The styles of a workbook, made once and shared by its cells."""

    face: str
    fills: Mapping[str, PatternFill]

    @cached_property
    def line(self) -> Border:
        return Border(bottom=Side(style="thin", color="C8CDD3"))

    @cached_property
    def plain(self) -> Font:
        return Font(name=self.face, size=10)

    @cached_property
    def bold(self) -> Font:
        return Font(name=self.face, size=10, bold=True)


_ALIGNED = {
    "left": Alignment(vertical="center", horizontal="left", wrap_text=True, indent=1),
    "right": Alignment(vertical="center", horizontal="right", indent=1),
    "center": Alignment(vertical="center", horizontal="center", wrap_text=True),
}
_SIDES = {TEXT: "left", STATUS: "center"}
_STRONG = frozenset({"value", "status"})


def _fill(sheet: Worksheet, columns: Mapping[str, str], rows: Sequence[_Row], findings: Findings) -> None:
    language = findings.language
    fills = {
        word("status", name, language): PatternFill("solid", fgColor=c) for name, c in STATUS_FILL.items()
    }
    look = _Look("Microsoft YaHei" if language == "zh" else "Calibri", fills)
    sheet.append([f"{findings.name} {findings.year} · {sheet.title}"])
    sheet.append([word("stamp", "synthetic" if findings.synthetic else "internal", language)])
    sheet.append([word("column", name, language) for name in columns])
    sheet["A1"].font = Font(name=look.face, size=14, bold=True)
    sheet["A2"].font = Font(name=look.face, size=9, color="B00020")
    head = PatternFill("solid", fgColor="E8EEF5")
    for cell in sheet[3]:
        cell.font, cell.fill, cell.border, cell.alignment = look.bold, head, look.line, _ALIGNED["center"]
    for number, row in enumerate(rows, 4):
        for place, (name, kind) in enumerate(columns.items(), 1):
            cell = sheet.cell(number, place)
            _write(cell, kind, row.get(name))
            cell.font = look.bold if name in _STRONG else look.plain
            cell.border = look.line
            if kind == STATUS and cell.value in look.fills:
                cell.fill = look.fills[cell.value]


def _write(cell: Cell, kind: str, value: Any) -> None:
    """Give a cell its value as a number that adds up and sorts, and its format."""
    cell.alignment = _ALIGNED[_SIDES.get(kind, "right")]
    if value is None or value == "":
        return
    share = value.share if isinstance(value, _Rate) else value if kind == RATE else None
    if share is not None:
        cell.value, cell.number_format = round(truncated_percent(share) / 100, 3), "0.0%"
    elif kind == PEOPLE:
        cell.value, cell.number_format = round(value), "#,##0"
    elif kind == POINTS:
        cell.value, cell.number_format = round(value, 1), "+0.0;-0.0;0.0"
    else:
        cell.value = str(value)


_WIDEST = {"source": 26, "remarks": 26, "target": 38}
_LINE_POINTS = 15.0


def _lay_out(sheet: Worksheet, columns: Mapping[str, str]) -> None:
    """Make columns as wide as their text, up to a point, and rows as high as their wrapped lines."""
    lines = [1.0] * (sheet.max_row + 1)
    for place, name in enumerate(columns, 1):
        letter = get_column_letter(place)
        widths = {cell.row: _width(cell) for cell in sheet[letter][2:]}
        width = min(max(6.0, *(value + 3.0 for value in widths.values())), _WIDEST.get(name, 18))
        sheet.column_dimensions[letter].width = width
        for row, value in widths.items():
            lines[row] = max(lines[row], math.ceil(value / (width - 2.0)))
    for row in range(3, sheet.max_row + 1):
        sheet.row_dimensions[row].height = _LINE_POINTS * max(lines[row], 2.0 if row == 3 else 1.0)
    sheet.freeze_panes = sheet.cell(4, 3)
    sheet.auto_filter.ref = f"A3:{get_column_letter(len(columns))}{max(sheet.max_row, 4)}"
    sheet.print_title_rows = "3:3"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A3
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddFooter.center.text = "&P / &N"


def _width(cell: Cell) -> float:
    """Estimate the characters a cell takes, a Chinese one counting double; headings may wrap."""
    text = f"{cell.value:,}" if isinstance(cell.value, int | float) else str(cell.value or "")
    width = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
    return width / 1.6 if cell.row == 3 else width
