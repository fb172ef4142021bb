"""The sheets of what is within reach: districts, venues, and how evenly it is shared; computes no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lifecircle.findings import CapacityResult, equity_lines, reach_lines, unit_text
from lifecircle.report._columns import FIGURE, ORDER, PEOPLE, RATE, TEXT, Rate
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.findings import Findings, Language, ServedCount, TargetResult
    from lifecircle.report._columns import Row, Sheets

SUPPLY = {
    "row": ORDER, "target": TEXT, "district": TEXT, "urban": TEXT, "figure_unit": TEXT, "value": FIGURE,
    "near_score": FIGURE, "people": PEOPLE, "near_served": PEOPLE, "near_full": PEOPLE,
    "near_unreachable": PEOPLE, "unsnapped": PEOPLE, "missing": FIGURE, "missing_full": FIGURE,
    "missing_unreachable": FIGURE, "remarks": TEXT,
}  # fmt: skip
VENUES = {
    "row": ORDER, "target": TEXT, "venue_id": TEXT, "venue_name": TEXT, "service": TEXT, "district": TEXT,
    "amount": FIGURE, "near_people": PEOPLE, "near_rate": FIGURE, "load": FIGURE, "unused": FIGURE,
    "use": RATE, "remarks": TEXT,
}  # fmt: skip
EQUITY = {
    "row": ORDER, "target": TEXT, "figure_unit": TEXT, "mean": FIGURE, "gap_sides": FIGURE,
    "higher_side": TEXT, "gap_towns": FIGURE, "highest_town": TEXT, "lowest_town": TEXT,
    "lowest_group": TEXT, "group_value": FIGURE, "gini": FIGURE, "theil_between": FIGURE,
    "theil_within": FIGURE, "below": RATE, "remarks": TEXT,
}  # fmt: skip
_DIGITS = 6
"""Digits after the point of figures that are no whole numbers, which no reader compares further."""


def supply_sheets(findings: Findings, language: Language) -> Sheets:
    """Return the sheets of what is within reach; none where a run has nothing of it."""
    numbered = list(enumerate(findings.targets, 1))
    circles = {one.target.id: one.target.name.get(language) for one in findings.targets}
    towns = [
        row
        for number, one in numbered
        if isinstance(one, CapacityResult)
        for row in _supply_rows(number, one, language, circles)
    ]
    venues = [
        row
        for number, one in numbered
        if isinstance(one, CapacityResult)
        for row in _venue_rows(number, one, findings, language)
    ]
    shares = [row for number, one in numbered for row in _equity_rows(number, one, language)]
    sheets: Sheets = {"supply": (SUPPLY, towns), "venue_use": (VENUES, venues), "equity": (EQUITY, shares)}
    return {name: sheet for name, sheet in sheets.items() if sheet[1]}


def near_columns(count: ServedCount | None) -> Row:
    """Return the columns of the scoreboard that say what is within reach."""
    if count is None:
        return {}
    people = {f"near_{name}": getattr(count, name) for name in ("served", "full", "unreachable")}
    return {"near_score": None if count.score is None else round(count.score, _DIGITS), **people}


def _supply_rows(
    number: int, result: CapacityResult, language: Language, circles: Mapping[str, str]
) -> list[Row]:
    """Return a row for the whole study and one for every district of a capacity target."""
    reach = result.reach
    if reach is None:
        return []
    stop = "；" if language == "zh" else "; "
    values = {one.code: one.value for one in result.districts}
    head = {"row": number, "target": result.target.name.get(language)}
    whole: Row = {
        **head,
        "district": word("supply", "whole", language),
        "value": result.value,
        "remarks": stop.join(reach_lines(result, language, circles)),
        **_counts(reach.count, result, language),
    }
    return [whole] + [
        {
            **head,
            "district": one.name,
            "urban": "" if one.urban is None else word("area", "urban" if one.urban else "rural", language),
            "value": values.get(one.code),
            **_counts(one.count, result, language),
        }
        for one in reach.districts
    ]


def _counts(count: ServedCount, result: TargetResult, language: Language) -> Row:
    places = ("missing", "missing_full", "missing_unreachable")
    return {
        "figure_unit": unit_text(result, language),
        "people": count.people,
        "unsnapped": count.unsnapped,
        **near_columns(count),
        **{name: _rounded(getattr(count, name)) for name in places},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else round(value, _DIGITS)


def _venue_rows(number: int, result: CapacityResult, findings: Findings, language: Language) -> list[Row]:
    """Return a row for every venue of a capacity target, the fullest first."""
    name, supply = result.target.id, findings.venue_supply
    if f"near_people_{name}" not in supply:
        return []
    towns = findings.districts["name"].to_dict() if len(findings.districts) else {}
    mine = supply[supply[f"near_people_{name}"].notna().to_numpy()]
    mine = mine[mine.index.isin(findings.facilities.index)]  # a masked venue is drawn and listed nowhere
    venues = pd.DataFrame(findings.facilities.drop(columns="geometry")).loc[mine.index].to_dict("records")
    parts = [one for one in ("people", "rate", "load", "use") if f"near_{one}_{name}" in mine]
    near = mine[[f"near_{one}_{name}" for one in parts]].set_axis(parts, axis=1).to_dict("records")
    rows = []
    for label, venue, found in zip(mine.index, venues, near, strict=True):
        amount = float(pd.to_numeric(venue[getattr(result.target, "of", "")], errors="coerce"))
        load = _rounded(found.get("load"))
        rows.append(
            {
                "row": number,
                "target": result.target.name.get(language),
                "venue_id": str(label),
                "venue_name": str(venue["name"]),
                "service": findings.services.get(str(venue["service"]), {}).get(language, venue["service"]),
                "district": towns.get(venue["district"], venue["district"]),
                "amount": _rounded(amount),
                "near_people": found["people"],
                "near_rate": _rounded(found["rate"]),
                "load": load,
                "unused": None if load is None else _rounded(amount - load),
                "use": None if pd.isna(found.get("use")) else Rate(found["use"]),
                "remarks": _venue_remark(amount, found, language),
            }
        )
    return sorted(rows, key=lambda row: -(row["use"].share if row["use"] is not None else -1.0))


def _venue_remark(amount: float, parts: Mapping[str, float], language: Language) -> str:
    """Say what is to be known of a venue: unknown or no places, nobody who reaches it, or full."""
    key = ""
    if pd.isna(amount):
        key = "amount_unknown"
    elif amount == 0:
        key = "no_places"
    elif parts["people"] <= 0:
        key = "nobody_reaches"
    elif parts.get("use", 0.0) >= _FULL:
        key = "full_venue"
    return word("supply", key, language) if key else ""


_FULL = 1 - 1e-9


def _equity_rows(number: int, result: TargetResult, language: Language) -> list[Row]:
    """Return the row of how evenly a target's figure is shared out; none where that was not counted."""
    equity = getattr(result, "equity", None)
    if equity is None:
        return []
    stop = "；" if language == "zh" else "; "

    def shown(value: float | None) -> Rate | float | None:
        """Print a figure of the target as its own are."""
        return None if value is None else Rate(value) if result.is_share else round(value, _DIGITS)

    sides, towns, groups = equity.urban_rural, equity.towns, equity.groups
    group = min(groups, key=lambda name: groups[name]) if groups else ""
    return [
        {
            "row": number,
            "target": result.target.name.get(language),
            "figure_unit": unit_text(result, language),
            "mean": shown(equity.mean),
            "gap_sides": None if sides is None else shown(sides.difference),
            "higher_side": "" if sides is None else word("area", sides.high, language),
            "gap_towns": None if towns is None else shown(towns.difference),
            "highest_town": "" if towns is None else towns.high,
            "lowest_town": "" if towns is None else towns.low,
            "lowest_group": word("group", group, language) if group else "",
            "group_value": shown(groups[group]) if group else None,
            "gini": _rounded(equity.gini),
            "theil_between": _rounded(equity.theil_between),
            "theil_within": _rounded(equity.theil_within),
            "below": None if equity.below is None else Rate(equity.below),
            "remarks": stop.join(equity_lines(result, language)),
        }
    ]
