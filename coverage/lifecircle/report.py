"""The tables of a run: scoreboard as csv and workbook, gaps and rejects as csv; computes no figure.

The scoreboard has, for every target in the standard's order, a row for the whole study and one for each
district. The csv is printed as people read it, rates truncated to a tenth of a point. Cells of the workbook
are the unrounded figures, shown to a tenth of a point, but for a rate below its goal that would then show
the goal: that one is truncated. Text is written as text: nothing a table holds becomes a formula or a link.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import xlsxwriter

from lifecircle.files import written
from lifecircle.findings import ACCOUNTINGS, BUCKETS, BY_VILLAGE, LANGUAGES, as_circle, unit_text, venue_lines
from lifecircle.reading import reading_rows
from lifecircle.tables import write_csv
from lifecircle.wording import explain, percent, printed_points, translate, truncated_percent, word

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lifecircle.findings import (
        Count,
        DistrictResult,
        Findings,
        Language,
        TargetResult,
        VenueLine,
    )

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
NUMBER, ORDER, DEGREES, SPEED = "number", "order", "degrees", "speed"

BOARD = {
    "row": ORDER, "target": TEXT, "department": TEXT, "source": TEXT, "denominator": TEXT, "judged": TEXT,
    "figure_unit": TEXT, "goal": FIGURE, "due": ORDER, "milestone": FIGURE, "previous": FIGURE,
    "value": FIGURE, "quality": RATE, "change": POINTS, "shortfall": PEOPLE, "shortfall_villages": PEOPLE,
    "status": STATUS, "flip": SPEED, "borderline": PEOPLE, "accepted": RATE, "straight": RATE,
    "network_distance": RATE, "reach": RATE, "grade": TEXT, "remarks": TEXT,
}  # fmt: skip
"""Columns of the study's own rows, in the order an office reads them."""
_IF_ANY = frozenset({"quality", "shortfall_villages"})
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
VILLAGES = {"code": TEXT, "village": TEXT, "district": TEXT, "urban": TEXT}
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
    "open": RATE, "any_one": RATE, "band": TEXT, **COUNTS, "rank": ORDER, "grade": TEXT, "remarks": TEXT,
}  # fmt: skip

_Row = dict[str, Any]
Sheets = Mapping[str, tuple[Mapping[str, str], Sequence[_Row]]]
"""Name of a sheet in the catalogue -> name of each column and how it is printed, and the rows."""


@dataclass(frozen=True)
class Heading:
    """What stands above every sheet of a workbook.

    ``words`` is where the catalogue names its columns; ``names`` are headings of columns that are a study's
    own, such as one for each target; ``widths`` are the most characters of columns that need a width of
    their own.
    """

    title: str
    language: Language
    synthetic: bool
    words: str = "column"
    names: Mapping[str, str] = field(default_factory=dict)
    widths: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rate:
    """A figure of a target whose kind is a share: printed as a rate, and a fraction in a workbook.

    ``marks`` : goal and milestone, which a rate below them must not show by being rounded.
    """

    share: float
    marks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Change:
    """The change between two shares: unrounded in a workbook, else the difference of what is printed."""

    before: float
    after: float

    @property
    def points(self) -> float:
        """Percentage points, unrounded."""
        return (self.after - self.before) * 100

    @property
    def printed(self) -> float:
        """Percentage points between the two rates as they are printed."""
        return printed_points(self.before, self.after)


def write_tables(findings: Findings, folder: Path) -> None:
    """Write ``scoreboard.csv``, ``scoreboard.xlsx``, ``gaps.csv`` and ``rejects.csv``."""
    write_csv(scoreboard(findings), folder / "scoreboard.csv")
    write_csv(_gap_table(findings), folder / "gaps.csv")
    write_csv(_reject_table(findings), folder / "rejects.csv")
    with written(folder / "scoreboard.xlsx") as fresh:
        _write_workbook(findings, fresh)


def scoreboard(findings: Findings) -> pd.DataFrame:
    """Return the scoreboard as printed: the study's row of each target, then those of its districts."""
    rows: list[_Row] = []
    for number, result in enumerate(findings.targets, 1):
        rows.append(_board_row(number, result, findings.language) | {"district": findings.name})
        rows += _town_rows(number, result, findings.language)
    printed = [{name: _printed(kind, row.get(name)) for name, kind in SCOREBOARD.items()} for row in rows]
    columns = _used(SCOREBOARD, rows)
    table = pd.DataFrame(printed, columns=list(columns))
    return table.rename(columns={name: word("column", name, findings.language) for name in columns})


def warning_lines(findings: Findings) -> list[str]:
    """Put a run's warnings in the study's language, its own targets and services by their names."""
    language = findings.language
    names = {one.target.id: one.target.name.get(language) for one in findings.targets}
    names |= {service: words[language] for service, words in findings.services.items() if language in words}
    return [explain(code, language, names) for code in findings.warnings]


def _used(columns: Mapping[str, str], rows: Sequence[_Row]) -> dict[str, str]:
    """Leave out columns that are there only where something stands in them."""
    return {
        name: kind
        for name, kind in columns.items()
        if name not in _IF_ANY or any(row.get(name) is not None for row in rows)
    }


def _gap_table(findings: Findings) -> pd.DataFrame:
    """Return the gaps as a script reads them, the venues of the classes in one line."""
    lines = [venue_lines(text) for text in findings.gaps.get("venues", ())]
    told = ["; ".join(_plain_line(one) for one in mine) for mine in lines]
    return findings.gaps.assign(venues=pd.Series(told, index=findings.gaps.index, dtype="str"))


def _plain_line(line: VenueLine) -> str:
    if not line.venue:
        return f"{line.name} {line.count}: -"
    far = f"{line.metres:.0f} m" if line.minutes is None else f"{line.minutes:.1f} min"
    return f"{line.name} {line.count}: {line.venue}, {far}"


def _reject_table(findings: Findings) -> pd.DataFrame:
    """Return the rejects with reasons and remedies in the study's language."""
    told = {
        name: [translate(text, findings.language) for text in findings.rejects[name]]
        for name in ("reason", "remedy")
    }
    return findings.rejects.assign(**told)


# ---------------------------------------------------------------------------------------------------------
# Rows


def _board_row(number: int, result: TargetResult, language: Language) -> _Row:
    target = result.target
    circle = as_circle(result)
    rungs = {name: _rate(result, rung.value) for name, rung in circle.accountings.items() if rung is not None}
    return {
        "row": number,
        "target": target.name.get(language),
        "department": target.department,
        "source": target.source,
        "denominator": _denominator(result, language),
        "judged": _judged(result, language),
        "figure_unit": unit_text(result, language),
        "goal": _figure(result, target.goal),
        "due": target.due,
        "milestone": _figure(result, result.milestone),
        "previous": _figure(result, result.previous),
        "value": _figure(result, result.value),
        "quality": None if circle.quality is None else _rate(result, circle.quality.value),
        "change": _change(result),
        "shortfall": circle.shortfall_people,
        "shortfall_villages": circle.shortfall_villages,
        "status": word("status", result.status, language),
        "flip": circle.flip_kmh,
        "borderline": circle.borderline_people,
        **rungs,
        "band": " / ".join(percent(circle.band[name]) for name in ("slow", "usual", "fast") if circle.band),
        **_counts(circle.count),
        "grade": word("grade", target.grade, language),
        "remarks": _remarks(result, language),
    }


def _town_rows(number: int, result: TargetResult, language: Language) -> list[_Row]:
    ranks = _ranks(result.districts, falls=result.falls)
    return [
        {
            "row": number,
            "target": result.target.name.get(language),
            "district": word("area", "outside", language) if one.code == "(outside)" else one.name,
            "urban": "" if one.urban is None else word("area", "urban" if one.urban else "rural", language),
            "judged": _judged(result, language),
            **_counts(getattr(one, "count", None)),
            "value": _figure(result, one.value),
            "goal": _figure(result, result.target.goal),
            "status": word("status", one.status, language),
            "rank": ranks.get(one.code),
        }
        for one in result.districts
    ]


def _ladder_rows(number: int, result: TargetResult, language: Language) -> list[_Row]:
    """List the rungs, and after them the villages by the share of their people that is covered."""
    circle = as_circle(result)
    target = {"row": number, "target": result.target.name.get(language)}
    rungs = [
        {
            **target,
            "rung": word("column", name, language),
            "villages": rung.villages,
            "people": rung.people,
            "village_share" if name in BY_VILLAGE else "people_share": _rate(result, rung.value),
        }
        for name in ACCOUNTINGS
        if (rung := circle.accountings.get(name)) is not None
    ]
    # No source says when a village is reached: every threshold in use is shown.
    return rungs + [
        {
            **target,
            "rung": word("village_threshold", "at_least", language).format(share=f"{share:.0%}"),
            "villages": villages,
        }
        for share, villages in circle.village_curve
    ]


def _way_rows(number: int, result: TargetResult, language: Language) -> list[_Row]:
    """List the shares by other ways to travel and for other walkers; none of them decides a verdict."""
    circle = as_circle(result)
    ways = {
        **{word("traveller", name, language): value for name, value in circle.modes.items()},
        **{word("variant", name, language): value for name, value in circle.variants.items()},
    }
    return [
        {
            "row": number,
            "target": result.target.name.get(language),
            "way": way,
            "people_share": _rate(result, value),
        }
        for way, value in ways.items()
    ]


def _group_rows(number: int, result: TargetResult, language: Language) -> list[_Row]:
    return [
        {
            "row": number,
            "target": result.target.name.get(language),
            "group": word("group", one.group, language),
            "denominator": _group_denominator(result, one.group, language),
            **_counts(one.count),
            "people_share": _rate(result, one.value),
        }
        for one in as_circle(result).groups
    ]


def _gap_rows(findings: Findings, language: Language) -> list[_Row]:
    targets = {one.target.id: one.target for one in findings.targets}
    rows = []
    for gap in findings.gaps.to_dict("records"):
        target = targets[gap["target"]]
        lines = [_venue_text(line, findings, language) for line in venue_lines(gap.get("venues"))]
        rows.append(
            {
                **gap,
                "target": target.name.get(language),
                "gap_people": gap["people"],
                "too_far": _too_far(gap["minutes"], getattr(target, "minutes", math.nan)),
                "venues": "\n".join(lines),
                "gap_reason": word("bucket", gap["reason"], language),
                "department": target.department,
            }
        )
    return rows


def _unit_rows(number: int, result: TargetResult, findings: Findings, language: Language) -> list[_Row]:
    """List the units that do not hold what a target asks of each, and what each lacks."""
    units = getattr(result, "units", None)

    def named(key: str) -> str:
        own = findings.services.get(key, {}).get(language)
        return own or word("class", key, language)

    between = "、" if language == "zh" else ", "
    return [
        {
            "row": number,
            "target": result.target.name.get(language),
            "code": one.code,
            "unit_name": one.name,
            "lacks": between.join(named(key) for key in one.lacks),
        }
        for one in (() if units is None else units.without)
    ]


def _too_far(minutes: float, limit: float) -> float | None:
    """Count the minutes beyond the limit; None where there is no way at all."""
    return max(minutes - limit, 0.0) if math.isfinite(minutes) and math.isfinite(limit) else None


def _venue_text(line: VenueLine, findings: Findings, language: Language) -> str:
    """Name the venue of one class of a rule, and how far it is, in a language."""
    name = findings.services.get(line.name, {}).get(language) or word("class", line.name, language)
    kind = "none" if not line.venue else "minutes" if line.metres is None else "metres"
    far = "" if kind == "none" else f"{line.minutes:.1f}" if kind == "minutes" else f"{line.metres:.0f}"
    return word("venue_line", kind, language).format(name=name, count=line.count, venue=line.venue, far=far)


def _village_sheet(findings: Findings, language: Language) -> tuple[Mapping[str, str], list[_Row]]:
    """Return a row for every village and a column for every circle: the share of its people covered."""
    villages = findings.villages
    circles = [one.target for one in findings.targets if f"people_{one.target.id}" in villages]
    columns = {**VILLAGES, **{f"covered_{target.id}": RATE for target in circles}}
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
            row[f"covered_{target.id}"] = village[f"covered_{target.id}"] / people if people else None
        rows.append(row)
    return columns, rows


def _counts(count: Count | None) -> _Row:
    if count is None:
        return {}
    return {"people": count.people, **{bucket: getattr(count, bucket) for bucket in BUCKETS}}


def _ranks(districts: Iterable[DistrictResult], *, falls: bool = False) -> dict[str, int]:
    """Rank districts by value, the best first; equal values share a rank."""
    known = [one for one in districts if one.value is not None]
    values = sorted((one.value for one in known if one.value is not None), reverse=not falls)
    return {one.code: values.index(one.value) + 1 for one in known if one.value is not None}


def _rate(result: TargetResult, share: float | None) -> Rate | None:
    """Return a share that must not be rounded up to what it was to reach."""
    if share is None:
        return None
    marks = (result.target.goal, result.milestone)
    return Rate(share, tuple(mark for mark in marks if mark is not None))


def _figure(result: TargetResult, value: float | None) -> Rate | float | None:
    return _rate(result, value) if result.is_share else value


def _change(result: TargetResult) -> Change | None:
    if result.value is None or result.previous is None or not result.is_share:
        return None
    return Change(result.previous, result.value)


def _judged(result: TargetResult, language: Language) -> str:
    """Name the accounting of a row, and whether it counts villages or people."""
    name = getattr(result.target, "accounting", "")
    unit = "village_share" if name in BY_VILLAGE else "people_share"
    return f"{word('column', name, language)} · {word('column', unit, language)}" if name else ""


def _group_denominator(result: TargetResult, group: str, language: Language) -> str:
    """Name whom a row of a group counts: the target's area, its group, and the row's own."""
    area, who = result.target.area, result.target.group
    if group in {"urban", "rural"}:
        return f"{word('area', group, language)} · {word('group', who, language)}"
    return f"{word('area', area, language)} · {word('group', group, language)}"


def _denominator(result: TargetResult, language: Language) -> str:
    target = result.target
    if target.denominator or target.kind != "circle":
        return str(target.denominator)
    group = word("group", target.group, language)
    return group if target.area == "all" else f"{word('area', target.area, language)} · {group}"


def _remarks(result: TargetResult, language: Language) -> str:
    codes = [result.reason, *result.notes, *result.previous_notes]
    if as_circle(result).quality is not None:
        codes.append(f"quality_by:{getattr(result.target, 'quality', '')}")
    said = [explain(code, language) for code in codes if code]
    return "；".join(said) if language == "zh" else "; ".join(said)


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


# ---------------------------------------------------------------------------------------------------------
# The workbook


def write_workbook(path: Path, sheets: Sheets, heading: Heading) -> None:
    """Write a workbook: for each sheet a title, the stamp, the column names and the rows.

    Kinds of column are :data:`TEXT`, :data:`RATE`, :data:`PEOPLE`, :data:`POINTS`, :data:`FIGURE`,
    :data:`NUMBER`, :data:`ORDER` (a number that is not added up: 序号, a year), :data:`DEGREES`,
    :data:`SPEED` and :data:`STATUS`; what a row lacks stays empty. Numbers are written unrounded, texts as
    texts whatever they begin with.
    """
    with xlsxwriter.Workbook(path, _AS_TEXT) as book:
        book.set_properties({"created": _NO_CLOCK})
        look = _Look(book, "Microsoft YaHei" if heading.language == "zh" else "Calibri")
        for name, (columns, rows) in sheets.items():
            _write_sheet(
                book.add_worksheet(word("sheet", name, heading.language)), columns, rows, heading, look
            )


def _write_workbook(findings: Findings, path: Path) -> None:
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
    write_workbook(path, sheets, Heading(title, language, findings.synthetic, "board_column", names))


def run_sheets(findings: Findings, language: Language) -> Sheets:
    """Return the sheets of one run, in the order an office reads them."""
    numbered = list(enumerate(findings.targets, 1))
    board = [_board_row(number, result, language) for number, result in numbered]
    return {
        "board": (_used(BOARD, board), board),
        "towns": (TOWNS, [row for number, one in numbered for row in _town_rows(number, one, language)]),
        "ladder": (LADDER, [row for number, one in numbered for row in _ladder_rows(number, one, language)]),
        "ways": (WAYS, [row for number, one in numbered for row in _way_rows(number, one, language)]),
        "groups": (GROUPS, [row for number, one in numbered for row in _group_rows(number, one, language)]),
        "villages": _village_sheet(findings, language),
        "gaps": (GAPS, _gap_rows(findings, language)),
        "units": (
            UNITS,
            [row for number, one in numbered for row in _unit_rows(number, one, findings, language)],
        ),
    }


def definition_sheet(
    findings: Findings, language: Language, remarks: Mapping[str, str] | None = None
) -> tuple[Mapping[str, str], list[_Row]]:
    """Return how every target is counted (口径说明), with room for who made, checked and signed it.

    ``remarks`` : name of a sheet in the catalogue -> what is to be known of it, after the targets.
    """
    rows: list[_Row] = [
        {
            "row": number,
            "target": result.target.name.get(language),
            "kind": word("kind", result.target.kind, language),
            "denominator": _denominator(result, language),
            "judged": _judged(result, language),
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
    "services": 34, "next_best": 34, "why": 34, "new_villages": 26, "cost_source": 26, "venues": 44,
    "notes": 44, "venue_name": 34,
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


def _head(name: str, heading: Heading) -> str:
    """Name a column: by the study's own words, by the workbook's, else by those of all tables."""
    if name in heading.names:
        return heading.names[name]
    known = any(word(heading.words, name, language) != name for language in LANGUAGES)
    return word(heading.words if known else "column", name, heading.language)


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


def _column_width(
    name: str, kind: str, head: str, rows: Sequence[_Row], widths: Mapping[str, float]
) -> float:
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
