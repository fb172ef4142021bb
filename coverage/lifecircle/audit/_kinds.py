"""Choose the assessor of a target by its kind: the one table that a new kind is added to.

Every assessor takes a target and the facts of the year and returns the result of its kind. None of them
searches: the answers are there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lifecircle.audit._assess_capacity import assess_capacity
from lifecircle.audit._assess_indicator import assess_indicator
from lifecircle.audit._assess_presence import assess_presence
from lifecircle.audit._capacity_reach import circle_equity
from lifecircle.audit._circles import assess_circle
from lifecircle.audit._doubts import weighed
from lifecircle.audit._gaps import find_gaps
from lifecircle.audit._judged import Assessed, without_value
from lifecircle.findings import CapacityResult, CircleResult, IndicatorResult, PresenceResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifecircle.audit._judged import YearFacts
    from lifecircle.findings import TargetResult
    from lifecircle.standards import CircleTarget, Target


def assess(target: Target, facts: YearFacts) -> Assessed:
    """Assess a target of any kind."""
    assessed: Assessed = ASSESSORS[target.kind](target, facts)
    return assessed


def _circle(target: CircleTarget, facts: YearFacts) -> Assessed:
    inputs = facts.inputs
    circle = assess_circle(target, inputs, facts.answers)
    result, coarse = weighed(circle, inputs, facts.answers)
    if result.value is not None:
        result = replace(result, equity=circle_equity(inputs, circle.people, circle.status))
    circle = replace(circle, result=result)
    if result.value is None:
        return Assessed(result, circle=circle, coarse=coarse)
    return Assessed(result, find_gaps(circle, inputs), circle, coarse)


def left_out(target: Target) -> TargetResult:
    """Return what is said of a target that the study leaves out: that it does, and no figure."""
    return without_value(RESULTS[target.kind], target, "left_out")


RESULTS: Mapping[str, type[TargetResult]] = {
    "circle": CircleResult,
    "presence": PresenceResult,
    "capacity": CapacityResult,
    "indicator": IndicatorResult,
}
"""Kind of target -> what its result is."""

ASSESSORS: Mapping[str, Callable[[Any, YearFacts], Assessed]] = {
    "circle": _circle,
    "presence": assess_presence,
    "capacity": assess_capacity,
    "indicator": assess_indicator,
}
"""Kind of target -> its assessor."""

NEED_NO_ANSWERS = frozenset({"presence"})
"""Kinds that are assessed from the inputs alone, whatever the roads answer."""
