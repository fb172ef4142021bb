"""The tables of a run: scoreboard as csv and workbook, gaps and rejects as csv; computes no figure.

The scoreboard has, for every target in the standard's order, a row for the whole study and one for each
district. The csv is printed as people read it, rates truncated to a tenth of a point.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecircle.files import written
from lifecircle.findings import venue_lines
from lifecircle.reading import reading_rows
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
    TEXT,
    Change,
    Heading,
    Rate,
)
from lifecircle.report._run_rows import (
    board_row,
    denominator,
    gap_rows,
    group_rows,
    judged_by,
    ladder_rows,
    town_rows,
    unit_rows,
    village_sheet,
    way_rows,
)
from lifecircle.report._sheet_writer import write_workbook
from lifecircle.report._supply_rows import supply_sheets
from lifecircle.tables import write_csv
from lifecircle.wording import explain, percent, translate, word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lifecircle.findings import Findings, Language, VenueLine
    from lifecircle.report._columns import Row, Sheets


BOARD = {
    "row": ORDER, "target": TEXT, "department": TEXT, "source": TEXT, "denominator": TEXT, "judged": TEXT,
    "figure_unit": TEXT, "goal": FIGURE, "due": ORDER, "milestone": FIGURE, "previous": FIGURE,
    "value": FIGURE, "quality": RATE, "change": POINTS, "uncovered": PEOPLE, "data_problem": PEOPLE,
    "shortfall": PEOPLE, "shortfall_villages": PEOPLE,
    "status": STATUS, "flip": SPEED, "borderline": PEOPLE, "accepted": RATE, "straight": RATE,
    "network_distance": RATE, "reach": RATE, "grade": TEXT, "remarks": TEXT,
}  # fmt: skip
"""Columns of the study's own rows, in the order an office reads them."""

NEAR = {
    "near_score": FIGURE, "near_served": PEOPLE, "near_full": PEOPLE, "near_unreachable": PEOPLE,
}  # fmt: skip
IF_ANY = frozenset({"quality", "shortfall_villages", *NEAR})
"""Columns that are there only where a target has something to put in them."""

COUNTS = {"people": PEOPLE, "covered": PEOPLE, "beyond": PEOPLE, "disconnected": PEOPLE, "unsnapped": PEOPLE}
TOWNS = {
    "row": ORDER, "target": TEXT, "district": TEXT, "urban": TEXT, "judged": TEXT, **COUNTS,
    "value": FIGURE, "goal": FIGURE, "status": STATUS, "rank": ORDER,
}  # fmt: skip
LADDER = {
    "row": ORDER, "target": TEXT, "rung": TEXT, "villages": PEOPLE, "village_share": RATE, "people": PEOPLE,
    "people_share": RATE,
}  # fmt: skip
WAYS = {"row": ORDER, "target": TEXT, "way": TEXT, "people_share": RATE}
DEFINITIONS = {
    "row": ORDER, "target": TEXT, "kind": TEXT, "denominator": TEXT, "judged": TEXT, "source": TEXT,
    "grade": TEXT, "notes": TEXT,
}  # fmt: skip
GROUPS = {"row": ORDER, "target": TEXT, "group": TEXT, "denominator": TEXT, **COUNTS, "people_share": RATE}
UNITS = {"row": ORDER, "target": TEXT, "code": TEXT, "unit_name": TEXT, "lacks": TEXT}
GAPS = {
    "id": TEXT, "target": TEXT, "district": TEXT, "village": TEXT, "gap_people": PEOPLE, "minutes": NUMBER,
    "too_far": NUMBER, "nearest": TEXT, "venues": TEXT, "gap_reason": TEXT, "department": TEXT,
    "lon": DEGREES, "lat": DEGREES,
}  # fmt: skip
READING = {
    "reading_part": TEXT, "reading_what": TEXT, "reading_rows": PEOPLE, "people": PEOPLE, "metres": NUMBER,
    "lon": TEXT, "lat": TEXT, "remarks": TEXT,
}  # fmt: skip
SCOREBOARD = {
    **{name: BOARD[name] for name in ("row", "target")}, "district": TEXT,
    **{name: kind for name, kind in BOARD.items() if name not in {"row", "target", "grade", "remarks"}},
    "open": RATE, "any_one": RATE, "band": TEXT, **COUNTS, **NEAR, "rank": ORDER, "grade": TEXT,
    "remarks": TEXT,
}  # fmt: skip


def write_tables(findings: Findings, folder: Path, workbook: Callable[[], bytes] | None = None) -> None:
    """Write ``scoreboard.csv``, ``scoreboard.xlsx``, ``gaps.csv`` and ``rejects.csv``.

    ``workbook`` : gives :func:`run_workbook` of the findings, where it is made elsewhere meanwhile.
    """
    write_csv(scoreboard(findings), folder / "scoreboard.csv")
    write_csv(_gap_table(findings), folder / "gaps.csv")
    write_csv(_reject_table(findings), folder / "rejects.csv")
    with written(folder / "scoreboard.xlsx") as fresh:
        fresh.write_bytes(run_workbook(findings) if workbook is None else workbook())


def scoreboard(findings: Findings) -> pd.DataFrame:
    """Return the scoreboard as printed: the study's row of each target, then those of its districts."""
    rows: list[Row] = []
    names = _own_names(findings)
    for number, result in enumerate(findings.targets, 1):
        rows.append(board_row(number, result, findings.language, names) | {"district": findings.name})
        rows += town_rows(number, result, findings.language)
    printed = [{name: _printed(kind, row.get(name)) for name, kind in SCOREBOARD.items()} for row in rows]
    columns = _used(SCOREBOARD, rows)
    table = pd.DataFrame(printed, columns=list(columns))
    return table.rename(columns={name: word("column", name, findings.language) for name in columns})


def warning_lines(findings: Findings) -> list[str]:
    """Put a run's warnings in the study's language, its own targets and services by their names."""
    names = _own_names(findings)
    return [explain(code, findings.language, names) for code in findings.warnings]


def _own_names(findings: Findings, language: Language | None = None) -> dict[str, str]:
    """Return the names of a study's own targets and services by their ids."""
    language = language or findings.language
    names = {one.target.id: one.target.name.get(language) for one in findings.targets}
    names |= {service: words[language] for service, words in findings.services.items() if language in words}
    return names


def _used(columns: Mapping[str, str], rows: Sequence[Row]) -> dict[str, str]:
    """Leave out columns that are there only where something stands in them."""
    return {
        name: kind
        for name, kind in columns.items()
        if name not in IF_ANY or any(row.get(name) is not None for row in rows)
    }


def _gap_table(findings: Findings) -> pd.DataFrame:
    """Return the gaps as a script reads them, the venues of the classes in one line."""
    lines = [venue_lines(text) for text in findings.gaps.get("venues", ())]
    texts = ["; ".join(_plain_line(one) for one in mine) for mine in lines]
    return findings.gaps.assign(venues=pd.Series(texts, index=findings.gaps.index, dtype="str"))


def _plain_line(line: VenueLine) -> str:
    if not line.venue:
        return f"{line.name} {line.count}: -"
    far = f"{line.metres:.0f} m" if line.minutes is None else f"{line.minutes:.1f} min"
    return f"{line.name} {line.count}: {line.venue}, {far}"


def _reject_table(findings: Findings) -> pd.DataFrame:
    """Return the rejects with reasons and remedies in the study's language."""
    texts = {
        name: [translate(text, findings.language) for text in findings.rejects[name]]
        for name in ("reason", "remedy")
    }
    return findings.rejects.assign(**texts)


def _printed(kind: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, Rate):
        return percent(value.share)
    if isinstance(value, Change):
        return f"{value.printed:+.1f}"
    if kind == PEOPLE:
        return f"{value:,.0f}"
    if kind == SPEED:
        return f"{value:.2f} km/h"
    return f"{value:g}" if kind == FIGURE else str(value)


def run_workbook(findings: Findings) -> bytes:
    """Return what ``scoreboard.xlsx`` of a run holds."""
    language = findings.language
    sheets: Sheets = {
        **run_sheets(findings, language),
        "reading": (READING, list(reading_rows(findings.reading, language))),
        "definitions": definition_sheet(
            findings, language, {"gaps": word("yearbook", "list_of_run", language)}
        ),
    }
    names = {f"covered_{one.target.id}": one.target.name.get(language) for one in findings.targets}
    title = f"{findings.name} {findings.year}"
    content = io.BytesIO()
    write_workbook(content, sheets, Heading(title, language, findings.synthetic, "board_column", names))
    return content.getvalue()


def run_sheets(findings: Findings, language: Language) -> Sheets:
    """Return the sheets of one run, in the order an office reads them."""
    numbered = list(enumerate(findings.targets, 1))
    names = _own_names(findings, language)
    board = [board_row(number, result, language, names) for number, result in numbered]
    return {
        "board": (_used(BOARD, board), board),
        "towns": (TOWNS, [row for number, one in numbered for row in town_rows(number, one, language)]),
        "ladder": (LADDER, [row for number, one in numbered for row in ladder_rows(number, one, language)]),
        "ways": (WAYS, [row for number, one in numbered for row in way_rows(number, one, language)]),
        "groups": (GROUPS, [row for number, one in numbered for row in group_rows(number, one, language)]),
        "villages": village_sheet(findings, language),
        **supply_sheets(findings, language),
        "gaps": (GAPS, gap_rows(findings, language)),
        "units": (
            UNITS,
            [row for number, one in numbered for row in unit_rows(number, one, findings, language)],
        ),
    }


def definition_sheet(
    findings: Findings, language: Language, remarks: Mapping[str, str] | None = None
) -> tuple[Mapping[str, str], list[Row]]:
    """Return how every target is counted (口径说明), with room for who made, checked and signed it.

    ``remarks`` : name of a sheet in the catalogue -> what is to be known of it, after the targets.
    """
    rows: list[Row] = [
        {
            "row": number,
            "target": result.target.name.get(language),
            "kind": word("kind", result.target.kind, language),
            "denominator": denominator(result, language),
            "judged": judged_by(result, language),
            "source": " · ".join(part for part in (result.target.source, result.target.date) if part),
            "grade": word("grade", result.target.grade, language),
            "notes": "" if result.target.notes is None else result.target.notes.get(language),
        }
        for number, result in enumerate(findings.targets, 1)
    ]
    said = [
        {"target": word("sheet", name, language), "notes": text} for name, text in (remarks or {}).items()
    ]
    signed = [{"target": word("yearbook", key, language)} for key in ("made_by", "checked_by", "signed_by")]
    return DEFINITIONS, [*rows, *said, *signed]
