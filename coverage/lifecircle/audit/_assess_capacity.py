"""Assess capacity targets: places, beds or staff per residents, by district."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from lifecircle.audit._counted import counted_people
from lifecircle.audit._judged import Assessed, by_district, judged, without_value
from lifecircle.demand import OUTSIDE
from lifecircle.findings import CapacityResult
from lifecircle.measures import capacity, undecided
from lifecircle.standards import threshold

if TYPE_CHECKING:
    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._judged import YearFacts
    from lifecircle.standards import CapacityTarget

_LAST_DIGITS = 1e-9
"""Sums of places are exact to less than this, so that a whole number needed is not rounded up by noise."""


def assess_capacity(target: CapacityTarget, facts: YearFacts) -> Assessed:
    """Assess a capacity target for the year; a venue of unknown capacity makes its value a lower bound."""
    inputs = facts.inputs
    services = inputs.study.standard.venues(target)
    reason, table = _ratios(target, inputs)
    if table is None:
        return Assessed(without_value(CapacityResult, target, reason, services))
    whole = table.loc["all"]
    turn = threshold(target, inputs.year)
    value, unknown = float(whole["value"]), int(whole["unknown"])
    people, amount, venues = float(whole["people"]), float(whole["amount"]), int(whole["venues"])
    missing = None
    if turn is not None:
        missing = max(0.0, math.ceil(turn * people / target.per - amount - _LAST_DIGITS))
    statuses = {}
    for code, row in table.iloc[:-1].iterrows():
        # What is not known may be anything: where it could turn the verdict there is none.
        upper = math.inf if row["unknown"] else float(row["value"])
        if undecided(float(row["value"]), upper, turn):
            statuses[str(code)] = "not_assessable"
    doubt = undecided(value, math.inf if unknown else value, turn)
    before = None if facts.inputs_before is None else _ratios(target, facts.inputs_before)[1]
    result = judged(
        CapacityResult,
        target,
        inputs,
        value,
        services=services,
        notes=(
            f"amount_per:{amount:,.0f}|{venues}|{people:,.0f}",
            *([f"capacity_unknown:{unknown}"] if unknown else []),
        ),
        previous=None if before is None else float(before.loc["all", "value"]),
        districts=by_district(
            target, inputs, {str(code): float(v) for code, v in table["value"].iloc[:-1].items()}, statuses
        ),
        reason=f"capacity_unknown:{unknown}" if doubt else "",
        amount=amount,
        people=people,
        per=float(target.per),
        venue_count=venues,
        unknown=unknown,
        missing=missing,
    )
    return Assessed(result)


def _ratios(target: CapacityTarget, inputs: Inputs) -> tuple[str, pd.DataFrame | None]:
    """Compute the ratios by district and for all, or return a code of what is missing."""
    services = inputs.study.standard.venues(target)
    reason, people = counted_people(target, inputs)
    if reason:
        return reason, None
    venues = inputs.facilities
    mine = venues[venues["service"].isin(set().union(*services.values())).to_numpy()]
    mine = mine[mine["district"].astype("str").to_numpy() != OUTSIDE]
    if target.of not in mine:
        return f"capacity_column_missing:{target.of}", None
    homes = inputs.demand["district"].astype("str")
    inside = homes.to_numpy() != OUTSIDE
    heads = pd.Series(people[inside]).groupby(homes[inside].to_numpy()).sum().astype("float64")
    if not heads.sum() > 0:
        return "nobody_counted", None
    own = mine.assign(district=mine["district"].astype("str"))
    return "", capacity(own, heads, column=target.of, per=target.per)
