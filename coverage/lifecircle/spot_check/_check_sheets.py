"""Write a sample as files: its record, and a workbook: the list to fill in, a sheet for each resident."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
import xlsxwriter

from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files import Results, complete_folder
from lifecircle.spot_check._field_results import COLUMNS, FILLED
from lifecircle.spot_check._sample_draw import Sample
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lifecircle.findings import Findings, Language
    from lifecircle.roads import Roads
    from lifecircle.spot_check._walk_path import WalkPath

SCHEMA = 1
MARK = "sample.json"
BOOK = "spot-check.xlsx"
FOLDER = Results(MARK, (MARK, BOOK))

_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_NO_CLOCK = datetime(2000, 1, 1)  # noqa: DTZ001 -- a file without a clock is the same file tomorrow
_LINE = "#C8CDD3"
_WIDTHS = {"id": 12, "venue": 28, "village": 16, "district": 12, "remarks": 30}
_A4 = 9


@dataclass(frozen=True, eq=False)
class Sheets:
    """What the workbook shows: a sample, its run, and the way of every resident that has one."""

    sample: Sample
    findings: Findings
    paths: Mapping[str, WalkPath]
    roads: Roads | None = None


def write_sample(sheets: Sheets, folder: Path) -> Path:
    """Write a sample into a folder, its record and its workbook, both or none.

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    with complete_folder(folder, FOLDER) as fresh:
        plain = asdict(replace(sheets.sample, points=pd.DataFrame()))
        points = sheets.sample.points.reset_index().replace({np.nan: None}).to_dict("records")
        text = json.dumps({"schema": SCHEMA, **plain, "points": points}, ensure_ascii=False, indent=1)
        (fresh / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")
        _write_book(sheets, fresh / BOOK)
    return folder


def read_sample(folder: Path) -> Sample:
    """Read a sample back from its folder.

    Raises
    ------
    UnusableInputError
        When the record is not there, or is damaged.
    """
    path = folder / MARK
    with system_errors(path):
        text = path.read_bytes()
    try:
        plain = json.loads(text)
        plain.pop("schema")
        points = pd.DataFrame(plain.pop("points")).set_index("id")
        points["minutes"] = points["minutes"].astype(float)
        return Sample(**plain, points=points)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        reason = say("a damaged record of a sample: {what}", what=what)
        remedy = say("put the file back from a copy: the chances of being drawn stand in it")
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)]) from None


def _write_book(sheets: Sheets, path: Path) -> None:
    language = sheets.findings.language
    with xlsxwriter.Workbook(path, _AS_TEXT) as book:
        book.set_properties({"created": _NO_CLOCK})
        face = "Microsoft YaHei" if language == "zh" else "Calibri"
        plain = {"font_name": face, "font_size": 10, "valign": "vcenter"}
        cell = {**plain, "border": 1, "border_color": _LINE, "text_wrap": True}
        look = {
            "title": book.add_format({**plain, "bold": True, "font_size": 14}),
            "stamp": book.add_format({**plain, "font_color": "#B00020"}),
            "head": book.add_format({**cell, "bold": True, "bg_color": "#E8EEF5", "align": "center"}),
            "text": book.add_format({**cell, "num_format": "@"}),
            "number": book.add_format({**cell, "num_format": "General"}),
            "minutes": book.add_format({**cell, "num_format": "0.0"}),
            "probability": book.add_format({**cell, "num_format": "0.0000"}),
            "fill": book.add_format({**cell, "bg_color": "#FFF9DB"}),
        }
        rows = _rows(sheets)
        _write_list(book.add_worksheet(word("sheet", "spot_list", language)), rows, sheets, look)
        for number, row in enumerate(rows, 1):
            sheet = book.add_worksheet(f"{number:03d}")
            _write_point(sheet, row, sheets, look)


def _rows(sheets: Sheets) -> list[dict[str, Any]]:
    findings, points = sheets.findings, sheets.sample.points
    language = findings.language
    places = findings.demand.geometry.set_axis(findings.demand.index.astype(str))
    demand = findings.demand.set_axis(findings.demand.index.astype(str))
    names = findings.facilities["name"].set_axis(findings.facilities.index.astype(str))
    rows = []
    for label, one in points.iterrows():
        point = places[label]
        rows.append(
            {
                "id": str(label),
                "stratum": word("spot_stratum", one["stratum"], language),
                "probability": float(one["probability"]),
                "district": _unit(demand, str(label), "district", findings.districts),
                "village": _unit(demand, str(label), "village", findings.villages),
                "people": float(one["people"]),
                "lon": round(float(point.x), 6),
                "lat": round(float(point.y), 6),
                "venue": str(names.get(one["venue"], "")),
                "minutes": float(one["minutes"]) if np.isfinite(one["minutes"]) else None,
            }
        )
    return rows


def _unit(demand: pd.DataFrame, label: str, column: str, units: pd.DataFrame) -> str:
    if column not in demand or pd.isna(demand.loc[label, column]):
        return ""
    code = demand.loc[label, column]
    return str(units["name"].loc[code]) if len(units) and code in units.index else str(code)


def _titles(sheet: Any, sheets: Sheets, look: Mapping[str, Any], how: str = "how") -> None:
    findings, language = sheets.findings, sheets.findings.language
    target = findings.result(sheets.sample.target).target.name.get(language)
    title = f"{findings.name} {findings.year} · {target} · {word('spot', 'title', language)}"
    stamp = word("stamp", "synthetic" if findings.synthetic else "internal", language)
    sheet.write_string(0, 0, title, look["title"])
    sheet.write_string(1, 0, f"{stamp}  {word('spot', how, language)}", look["stamp"])


def _write_list(sheet: Any, rows: list[dict[str, Any]], sheets: Sheets, look: Mapping[str, Any]) -> None:
    """Write the list that is filled in and read back."""
    language = sheets.findings.language
    _titles(sheet, sheets, look)
    for at, column in enumerate(COLUMNS):
        sheet.write_string(2, at, word("spot_column", column, language), look["head"])
        sheet.set_column(at, at, _WIDTHS.get(column, 11))
    for number, row in enumerate(rows, 3):
        for at, column in enumerate(COLUMNS):
            value, kind = row.get(column), "fill" if column in FILLED else "text"
            if value is None:
                sheet.write_blank(number, at, None, look[kind])
            elif isinstance(value, float):
                sheet.write_number(number, at, value, look.get(column, look["number"]))
            else:
                sheet.write_string(number, at, value, look[kind])
    last, at = len(rows) + 2, COLUMNS.index("reached")
    answers = [word("spot", "yes", language), word("spot", "no", language)]
    sheet.data_validation(3, at, last, at, {"validate": "list", "source": answers})
    at = COLUMNS.index("actual_minutes")
    sheet.data_validation(3, at, last, at, {"validate": "decimal", "criteria": ">=", "value": 0})
    sheet.freeze_panes(3, 1)
    sheet.repeat_rows(2)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C&P / &N")


def _write_point(sheet: Any, row: Mapping[str, Any], sheets: Sheets, look: Mapping[str, Any]) -> None:
    """Write the sheet of one resident: where it is, where to go, how long it should take, and the way."""
    language = sheets.findings.language
    _titles(sheet, sheets, look, "how_point")
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 70)
    shown = ("id", "district", "village", "lon", "lat", "venue", "minutes")
    for number, column in enumerate(shown, 3):
        value = row[column]
        text = "" if value is None else f"{value:.1f}" if column == "minutes" else str(value)
        sheet.write_string(number, 0, word("spot_column", column, language), look["head"])
        sheet.write_string(number, 1, text, look["text"])
    number = len(shown) + 3
    path = sheets.paths.get(str(row["id"]))
    sheet.write_string(number, 0, word("spot", "path", language), look["head"])
    sheet.write_string(number, 1, path_text(path, language), look["text"])
    sheet.set_row(number, 90)
    for column in FILLED:
        number += 1
        sheet.write_string(number, 0, word("spot_column", column, language), look["head"])
        sheet.write_blank(number, 1, None, look["fill"])
        sheet.set_row(number, 24)
    picture = None if path is None or sheets.roads is None else _picture(path, sheets.roads)
    if picture is not None:
        sheet.insert_image(number + 2, 0, "path.png", {"image_data": picture, "x_scale": 0.6, "y_scale": 0.6})
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 1)


def path_text(path: WalkPath | None, language: Language) -> str:
    """Describe a way by its stretches."""
    if path is None:
        return word("spot", "no_path", language)
    turn, between = word("spot", "turn", language), "，" if language == "zh" else ", "
    turns = between.join(
        turn.format(side=word("spot_side", side, language), metres=f"{metres:,.0f}")
        for side, metres in path.turns
    )
    return word("spot", "way", language).format(
        start=f"{path.legs_m[0]:.0f}",
        turns=turns,
        end=f"{path.legs_m[1]:.0f}",
        metres=f"{path.line.length:,.0f}",
    )


def _picture(path: WalkPath, roads: Roads) -> io.BytesIO | None:
    """Draw a way on the roads round it; None where matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - the extra print
        from matplotlib.collections import LineCollection  # noqa: PLC0415 - as above
        from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    except ImportError:
        return None
    figure = Figure(figsize=(7, 5), dpi=130)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    low_x, low_y, high_x, high_y = path.line.bounds
    pad = max(80.0, 0.12 * max(high_x - low_x, high_y - low_y))
    window = shapely.box(low_x - pad, low_y - pad, high_x + pad, high_y + pad)
    near = roads.lines[roads.tree.query(window)]
    axes.add_collection(
        LineCollection([np.asarray(one.coords)[:, :2] for one in near], colors="#B8BEC6", linewidths=1.2)
    )
    xy = np.asarray(path.line.coords)[:, :2]
    axes.plot(xy[:, 0], xy[:, 1], color="#B4382A", linewidth=3)
    axes.plot(*xy[0], "o", color="#1D4E89", markersize=10)
    axes.plot(*xy[-1], "s", color="#B4382A", markersize=10)
    axes.set_xlim(low_x - pad, high_x + pad)
    axes.set_ylim(low_y - pad, high_y + pad)
    axes.set_aspect("equal")
    axes.set_axis_off()
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    out.seek(0)
    return out
