"""Assess capacity targets: places, beds or staff per residents, by district."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from lifecircle.audit._capacity_reach import reach_of_capacity
from lifecircle.audit._counted import counted_people
from lifecircle.audit._judged import Assessed, by_district, judged, without_value
from lifecircle.audit._position_grades import (
    counted_grades,
    of_services,
    rests_on_centres,
    too_rough,
    village_centred,
)
from lifecircle.audit._questions import Answers
from lifecircle.demand import OUTSIDE
from lifecircle.findings import CapacityResult
from lifecircle.measures import capacity, undecided
from lifecircle.standards import reach_of, threshold, verdict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lifecircle.audit._capacity_reach import Reached
    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._judged import YearFacts
    from lifecircle.audit._position_grades import VenueGrades
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
    grades = counted_grades(inputs, of_services(inputs, set().union(*services.values())))
    positions = _position_doubt(target, inputs, grades, statuses, value)
    reached = _reached(target, facts, turn, table)
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
            *grades.notes,
        ),
        previous=None if before is None else float(before.loc["all", "value"]),
        districts=by_district(
            target, inputs, {str(code): float(v) for code, v in table["value"].iloc[:-1].items()}, statuses
        ),
        status=None if doubt or not positions else "data_insufficient",
        reason=f"capacity_unknown:{unknown}" if doubt else positions,
        amount=amount,
        people=people,
        per=float(target.per),
        venue_count=venues,
        unknown=unknown,
        missing=missing,
        reach=None if reached is None else reached.reach,
        equity=None if reached is None else reached.equity,
    )
    if reached is None:
        return Assessed(result)
    return Assessed(result, reached.gaps, homes=reached.homes, venues=reached.venues)


def _reached(
    target: CapacityTarget, facts: YearFacts, norm: float | None, plain: pd.DataFrame
) -> Reached | None:
    """Count what is within reach; None where the limit is not known, or nobody asked the roads."""
    pairs = facts.answers.pairs.get(target.id) if isinstance(facts.answers, Answers) else None
    rule = reach_of(facts.inputs.study.standard, target)
    if pairs is None or rule is None:
        return None
    return reach_of_capacity(target, facts.inputs, pairs, rule=rule, norm=norm, plain=plain)


def _position_doubt(
    target: CapacityTarget, inputs: Inputs, grades: VenueGrades, statuses: dict[str, str], value: float
) -> str:
    """Return why positions give no verdict, and note the districts of which it is true in ``statuses``."""
    centred = village_centred(inputs)
    rough = too_rough(grades, inputs)
    if rough:
        codes = [] if inputs.districts is None else [str(code) for code in inputs.districts.index]
        statuses.update(dict.fromkeys(codes, "data_insufficient"))
        return rough
    if centred is None or not grades.village_centre:
        return ""
    _, table = _ratios(target, inputs)
    _, fewer = _ratios(target, inputs, without=centred)
    assert table is not None  # it was computed before
    kept = {} if fewer is None else {str(code): float(one) for code, one in fewer["value"].items()}

    def doubt(figure: float, code: str) -> str:
        """Return why the verdict of a unit rests on venues at village centres, empty where it does not."""
        without = verdict(target, inputs.year, kept.get(code, 0.0))
        return rests_on_centres(verdict(target, inputs.year, figure), without, grades)

    for code, figure in table["value"].iloc[:-1].items():
        if str(code) not in statuses and doubt(float(figure), str(code)):
            statuses[str(code)] = "data_insufficient"
    return doubt(value, "all")


def _ratios(
    target: CapacityTarget, inputs: Inputs, *, without: npt.NDArray[np.bool_] | None = None
) -> tuple[str, pd.DataFrame | None]:
    """Compute the ratios by district and for all, or return a code of what is missing.

    ``without`` : (facility,) venues that are not counted.
    """
    services = inputs.study.standard.venues(target)
    reason, people = counted_people(target, inputs)
    if reason:
        return reason, None
    venues = inputs.facilities if without is None else inputs.facilities[~without]
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
