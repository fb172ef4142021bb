"""Own the tables of a run: scoreboard as csv and xlsx, gaps and rejects as csv; computes no figure.

The scoreboard has a row per target for the whole study, then one per district, in the standard's order.
Cells are printed as people read them; the unrounded figures stand in ``summary.json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from lifecircle.findings import ACCOUNTINGS
from lifecircle.tables import write_csv, written
from lifecircle.wording import explain, percent, word

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from lifecircle.findings import DistrictResult, Findings, Language, TargetResult

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
_PLACE_COLUMNS = ("people", "covered", "beyond", "disconnected", "unsnapped")
_RUNGS = ("accepted", "straight", "network_distance", "reach", "open", "any_one")
SCOREBOARD_COLUMNS = (
    "row", "target", "district", "department", "source", "denominator", "goal", "due", "milestone",
    "previous", "value", "change", "shortfall", "status", "flip", "borderline", *_RUNGS, "band",
    *_PLACE_COLUMNS, "rank", "grade", "remarks",
)  # fmt: skip
_WHOLE = ("people", "covered", "beyond", "disconnected", "unsnapped", "shortfall", "borderline")


def write_tables(findings: Findings, folder: Path) -> None:
    """Write ``scoreboard.csv``, ``scoreboard.xlsx``, ``gaps.csv`` and ``rejects.csv``."""
    board = scoreboard(findings)
    write_csv(board, folder / "scoreboard.csv")
    write_csv(findings.gaps, folder / "gaps.csv")
    write_csv(findings.rejects, folder / "rejects.csv")
    _write_workbook(findings, board, folder / "scoreboard.xlsx")


def scoreboard(findings: Findings) -> pd.DataFrame:
    """Lay out the scoreboard as people read it: the study's row of each target, then its districts'."""
    language = findings.language
    rows = []
    for number, result in enumerate(findings.targets, 1):
        rows.append(_target_row(number, result, findings))
        ranks = _ranks(result.districts)
        rows += [
            _district_row(number, result, one, ranks.get(one.code), findings) for one in result.districts
        ]
    table = pd.DataFrame(rows, columns=list(SCOREBOARD_COLUMNS))
    return table.rename(columns={name: word("column", name, language) for name in SCOREBOARD_COLUMNS})


def _target_row(number: int, result: TargetResult, findings: Findings) -> dict[str, object]:
    language, target = findings.language, result.target
    row: dict[str, object] = {
        "row": str(number),
        "target": target.name.get(language),
        "district": findings.name,
        "department": target.department,
        "source": target.source,
        "denominator": _denominator(result, language),
        "goal": _figure(result, target.goal),
        "due": "" if target.due is None else str(target.due),
        "milestone": _figure(result, result.milestone),
        "previous": _figure(result, result.previous),
        "value": _figure(result, result.value),
        "change": _change(result),
        "shortfall": _people(result.shortfall_people),
        "status": word("status", result.status, language),
        "flip": "" if result.flip_kmh is None else f"{result.flip_kmh:.2f} km/h",
        "borderline": _people(result.borderline_people),
        "band": _band(result),
        "grade": word("grade", target.grade, language),
        "remarks": _remarks(result, language),
        "rank": "",
    }
    for rung in _RUNGS:
        accounting = result.accountings.get(rung)
        row[rung] = "" if accounting is None else percent(accounting.value, empty="")
    for name in _PLACE_COLUMNS:
        row[name] = "" if result.count is None else _people(getattr(result.count, name))
    return row


def _district_row(
    number: int, result: TargetResult, one: DistrictResult, rank: int | None, findings: Findings
) -> dict[str, object]:
    language = findings.language
    row: dict[str, object] = dict.fromkeys(SCOREBOARD_COLUMNS, "")
    row |= {
        "row": str(number),
        "target": result.target.name.get(language),
        "district": word("area", "outside", language) if one.code == "(outside)" else one.name,
        "department": result.target.department,
        "goal": _figure(result, result.target.goal),
        "due": "" if result.target.due is None else str(result.target.due),
        "value": _figure(result, one.value),
        "status": word("status", one.status, language),
        "rank": "" if rank is None else str(rank),
    }
    for name in _PLACE_COLUMNS:
        row[name] = _people(getattr(one.count, name))
    return row


def _ranks(districts: tuple[DistrictResult, ...]) -> dict[str, int]:
    """Rank districts by value, highest first; equal values share a rank."""
    values = sorted((one.value for one in districts if one.value is not None), reverse=True)
    return {one.code: values.index(one.value) + 1 for one in districts if one.value is not None}


def _figure(result: TargetResult, value: float | None) -> str:
    if value is None:
        return ""
    if result.target.kind in {"circle", "presence"}:
        return percent(value)
    return f"{value:g}"


def _change(result: TargetResult) -> str:
    if result.value is None or result.previous is None or result.target.kind not in {"circle", "presence"}:
        return ""
    points = (result.value - result.previous) * 100
    return f"{points:+.1f}"


def _people(count: float | None) -> str:
    return "" if count is None else f"{count:,.0f}"


def _band(result: TargetResult) -> str:
    if not result.band:
        return ""
    return " / ".join(percent(result.band.get(name)) for name in ("slow", "usual", "fast"))


def _denominator(result: TargetResult, language: Language) -> str:
    target = result.target
    if target.denominator:
        return str(target.denominator)
    if target.kind != "circle":
        return ""
    group = word("group", target.group, language)
    return group if target.area == "all" else f"{word('area', target.area, language)} · {group}"


def _remarks(result: TargetResult, language: Language) -> str:
    said = [explain(result.reason, language), *(explain(note, language) for note in result.notes)]
    return "; ".join(part for part in said if part)


def _write_workbook(findings: Findings, board: pd.DataFrame, path: Path) -> None:
    language = findings.language
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "scoreboard" if language == "en" else "指标总表"
    stamp = word("stamp", "synthetic" if findings.synthetic else "internal", language)
    sheet.append([f"{findings.name} {findings.year}"])
    sheet.append([stamp])
    sheet.append(list(board.columns))
    whole = {word("column", name, language) for name in _WHOLE}
    for row in board.itertuples(index=False):
        sheet.append(
            [
                _number(str(value)) if name in whole else _rate(str(value))
                for name, value in zip(board.columns, row, strict=True)
            ]
        )
    _style(sheet, board, findings)
    with written(path) as fresh:
        book.save(fresh)


def _number(text: str) -> float | str:
    """Turn a printed count into a number, so that a spreadsheet can add it up."""
    return float(text.replace(",", "")) if text else ""


def _rate(text: str) -> float | str:
    """Turn a printed rate into a fraction, so that a spreadsheet can sort it; other text stays."""
    if text.endswith(" %") and " / " not in text:
        return round(float(text.removesuffix(" %")) / 100, 6)
    return text


def _style(sheet: Worksheet, board: pd.DataFrame, findings: Findings) -> None:
    language = findings.language
    thin = Side(style="thin", color="C8CDD3")
    font = "Microsoft YaHei" if language == "zh" else "Calibri"
    words = {word("status", name, language): fill for name, fill in STATUS_FILL.items()}
    sheet["A1"].font = Font(name=font, size=16, bold=True)
    sheet["A2"].font = Font(name=font, size=10, color="B00020" if findings.synthetic else "555555")
    for cell in sheet[3]:
        cell.font = Font(name=font, bold=True)
        cell.fill = PatternFill("solid", fgColor="E8EEF5")
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        cell.border = Border(bottom=thin, top=thin)
    area = word("column", "district", language)
    column = list(board.columns).index(area)
    rates = _rate_letters(board, language)
    for row in sheet.iter_rows(min_row=4):
        own = row[column].value == findings.name
        for cell in row:
            cell.font = Font(name=font, size=10, bold=own)
            cell.border = Border(bottom=thin)
            cell.alignment = Alignment(vertical="top", wrap_text=isinstance(cell.value, str))
            if isinstance(cell.value, float):
                rate = cell.column_letter in rates
                cell.number_format = "0.0%" if rate else "#,##0"
            if isinstance(cell.value, str) and cell.value in words:
                cell.fill = PatternFill("solid", fgColor=words[cell.value])
    for number, name in enumerate(board.columns, 1):
        longest = max([len(str(value)) for value in board[name]] + [len(str(name)) * 2])
        sheet.column_dimensions[get_column_letter(number)].width = min(max(7, longest * 1.2), 34)
    sheet.freeze_panes = "D4"
    sheet.auto_filter.ref = f"A3:{get_column_letter(len(board.columns))}{sheet.max_row}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _rate_letters(board: pd.DataFrame, language: Language) -> set[str]:
    rates = {
        word("column", name, language) for name in ("goal", "milestone", "previous", "value", *ACCOUNTINGS)
    }
    return {get_column_letter(number) for number, name in enumerate(board.columns, 1) if name in rates}
