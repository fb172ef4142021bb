"""The rows of the tables of a run: of targets, districts, groups, units and gaps; computes no figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from lifecircle.findings import (
    ACCOUNTINGS,
    BUCKETS,
    BY_VILLAGE,
    as_circle,
    grounds_text,
    unit_text,
    venue_lines,
)
from lifecircle.report._columns import RATE, TEXT, Change, Rate
from lifecircle.report._supply_rows import near_columns
from lifecircle.standards import judges_districts
from lifecircle.wording import explain, percent, village_text, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lifecircle.findings import (
        Count,
        DistrictResult,
        Findings,
        Language,
        ServedCount,
        TargetResult,
        VenueLine,
    )
    from lifecircle.report._columns import Row


VILLAGES = {"code": TEXT, "village": TEXT, "district": TEXT, "urban": TEXT}


def board_row(number: int, result: TargetResult, language: Language, names: Mapping[str, str]) -> Row:
    """Return the row of a target for the whole study; ``names`` : names of targets and services by id."""
    target = result.target
    circle = as_circle(result)
    rungs = {name: _rate(result, rung.value) for name, rung in circle.accountings.items() if rung is not None}
    return {
        "row": number,
        "target": target.name.get(language),
        "department": target.department,
        "source": target.source,
        "denominator": denominator(result, language),
        "judged": judged_by(result, language),
        "figure_unit": unit_text(result, language),
        "goal": _figure(result, target.goal),
        "due": target.due,
        "milestone": _figure(result, result.milestone),
        "previous": _figure(result, result.previous),
        "value": _figure(result, result.value),
        "quality": None if circle.quality is None else _rate(result, circle.quality.value),
        "change": _change(result),
        "uncovered": None if circle.count is None else circle.count.uncovered,
        "data_problem": None if circle.count is None else circle.count.unsnapped,
        "shortfall": circle.shortfall_people,
        "shortfall_villages": circle.shortfall_villages,
        "status": word("status", result.status, language),
        "flip": circle.flip_kmh,
        "borderline": circle.borderline_people,
        **rungs,
        "band": " / ".join(percent(circle.band[name]) for name in ("slow", "usual", "fast") if circle.band),
        **_counts(circle.count),
        **near_columns(_reach_count(result)),
        "grade": word("grade", target.grade, language),
        "remarks": _remarks(result, language, names),
    }


def town_rows(number: int, result: TargetResult, language: Language) -> list[Row]:
    """Return a row for every district of a target, ranked by value."""
    # Where a gap is computed over districts, theirs are shares of residents: more is better.
    computed = getattr(result.target, "computed", None)
    shares = computed is not None and computed.gap == "districts"
    ranks = _ranks(result.districts, falls=result.falls and not shares)
    reach = getattr(result, "reach", None)
    near = {} if reach is None else {one.code: one.count for one in reach.districts}
    return [
        {
            "row": number,
            "target": result.target.name.get(language),
            "district": word("area", "outside", language) if one.code == "(outside)" else one.name,
            "urban": "" if one.urban is None else word("area", "urban" if one.urban else "rural", language),
            "judged": judged_by(result, language),
            **_counts(getattr(one, "count", None)),
            **near_columns(near.get(one.code)),
            "value": _figure(result, one.value),
            "goal": _figure(result, result.target.goal) if judges_districts(result.target) else None,
            "status": word("status", one.status, language),
            "rank": ranks.get(one.code),
        }
        for one in result.districts
    ]


def ladder_rows(number: int, result: TargetResult, language: Language) -> list[Row]:
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


def way_rows(number: int, result: TargetResult, language: Language) -> list[Row]:
    """List the shares by other ways to travel and for other walkers; none of them decides a verdict."""
    circle = as_circle(result)
    ways = {
        **{word("traveller", name, language): value for name, value in circle.modes.items()},
        **{word("variant", name, language): value for name, value in circle.variants.items()},
        **{
            word("variant", "surface", language).format(name=name): value
            for name, value in circle.surfaces.items()
        },
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


def group_rows(number: int, result: TargetResult, language: Language) -> list[Row]:
    """Return a row for every group of residents of a circle."""
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


def gap_rows(findings: Findings, language: Language) -> list[Row]:
    """Return a row for every gap, with its venues in lines."""
    targets = {one.target.id: one.target for one in findings.targets}
    towns = findings.districts["name"].to_dict() if len(findings.districts) else {}
    villages = findings.villages["name"].to_dict() if len(findings.villages) else {}
    rows = []
    for gap in findings.gaps.to_dict("records"):
        target = targets[gap["target"]]
        lines = [_venue_text(line, findings, language) for line in venue_lines(gap.get("venues"))]
        rows.append(
            {
                **gap,
                "target": target.name.get(language),
                # Gaps of units hold codes, those of circles names.
                "district": towns.get(gap["district"], gap["district"]),
                "village": village_text(str(villages.get(gap["village"], gap["village"]) or "")),
                "gap_people": gap["people"],
                "too_far": _too_far(gap["minutes"], getattr(target, "minutes", None) or math.nan),
                "venues": "\n".join(lines),
                "gap_reason": word("bucket", gap["reason"], language),
                "department": target.department,
            }
        )
    return rows


def unit_rows(number: int, result: TargetResult, findings: Findings, language: Language) -> list[Row]:
    """List the units that do not hold what a target asks of each, and what each lacks."""
    units = getattr(result, "units", None)

    def named(key: str) -> str:
        """Name a service, a class or an item."""
        own = findings.services.get(key, {}).get(language)
        return own or word("class", key, language)

    between = "、" if language == "zh" else ", "
    return [
        {
            "row": number,
            "target": result.target.name.get(language),
            "code": one.code,
            "unit_name": village_text(one.name),
            "lacks": between.join(
                named(key) if short == 1 else f"{named(key)} ×{short}"
                for key, short in zip(one.lacks, one.short or (1,) * len(one.lacks), strict=True)
            ),
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


def village_sheet(findings: Findings, language: Language) -> tuple[Mapping[str, str], list[Row]]:
    """Return a row for every village and a column for every circle: the share of its people covered."""
    villages = findings.villages
    circles = [one.target for one in findings.targets if f"people_{one.target.id}" in villages]
    columns = {**VILLAGES, **{f"covered_{target.id}": RATE for target in circles}}
    towns = findings.districts["name"].to_dict() if len(findings.districts) else {}
    rows = []
    for code, village in zip(villages.index, villages.to_dict("records"), strict=True):
        urban = village.get("urban")
        row: Row = {
            "code": str(code),
            "village": village_text(str(village["name"])),
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


def _reach_count(result: TargetResult) -> ServedCount | None:
    """Return who is served within reach, of a capacity target with a limit."""
    reach = getattr(result, "reach", None)
    return None if reach is None else reach.count


def _counts(count: Count | None) -> Row:
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


def judged_by(result: TargetResult, language: Language) -> str:
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


def denominator(result: TargetResult, language: Language) -> str:
    """Name of whom a figure is a share or rate."""
    target = result.target
    if target.denominator or target.kind != "circle":
        return str(target.denominator)
    group = word("group", target.group, language)
    return group if target.area == "all" else f"{word('area', target.area, language)} · {group}"


def _remarks(result: TargetResult, language: Language, names: Mapping[str, str]) -> str:
    codes = [result.reason, *result.notes, *result.previous_notes]
    if as_circle(result).quality is not None:
        codes.append(f"quality_by:{getattr(result.target, 'quality', '')}")
    said = [explain(code, language, names) for code in codes if code]
    grounds = grounds_text(result, language)
    said = [grounds, *said] if grounds else said
    return "；".join(said) if language == "zh" else "; ".join(said)
