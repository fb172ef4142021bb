"""Reduce targets that are no circles to what everyone may know: capacities and computed gaps.

Whether a village has a venue is no secret, nor is a figure that an office registered. What is counted from
residents is: a capacity per thousand people beside the capacity itself shows how many people there are. So a
district of too few of them keeps its figure back, and the others are cut to steps that stand for enough.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from lifecircle.findings import CapacityResult, IndicatorResult, PresenceResult
from lifecircle.publication._withheld import EVERYONE, in_area

if TYPE_CHECKING:
    from lifecircle.findings import DistrictResult, Findings, TargetResult

SUPPRESSED = "suppressed"
_BY_DISTRICT = frozenset({"gap_by_district", "districts_one_side", "share_by_district"})
"""Notes on the figures of districts, which go with them."""
_SHARE_STEP = 0.001
_LEAST_STEP = 0.01  # as values are printed
_DIGITS = (1, 2, 5)


def public_kind(findings: Findings, result: TargetResult, *, min_people: int) -> TargetResult:
    """Withhold what the result of a target that is no circle may not show.

    Parameters
    ----------
    findings : the run, not yet reduced: its residents say how many people a figure is of
    result : the result of one of its targets
    min_people : no figure describes fewer people

    Raises
    ------
    TypeError
        The kind is not known here: what of it may be published has to be decided first.
    """
    if isinstance(result, CapacityResult):
        # Who finds a place and who does not is counted resident by resident: it stays inside the office.
        return _capacity(findings, replace(result, reach=None, equity=None), min_people)
    if isinstance(result, PresenceResult):
        return replace(result, disagreements=())
    if not isinstance(result, IndicatorResult):
        raise TypeError(f"it is not decided what of {type(result).__name__} may be published")
    if result.gaps:
        value, previous = (
            None if one is None else cut_to(one, _SHARE_STEP) for one in (result.value, result.previous)
        )
        # The gap of a single circle or district would show the rate of a group whose row may be withheld.
        kept = tuple(code for code in result.notes if code.partition(":")[0] not in _BY_DISTRICT)
        notes = (*kept, "districts_internal") if result.districts else kept
        return replace(result, gaps={}, value=value, previous=previous, districts=(), notes=notes)
    return result


def value_step(value: float, people: float, min_people: int) -> float:
    """Return the step that a figure per so many people is cut to, so that it stands for enough of them.

    The capacity itself is known, so a figure shows how many people it is of as exactly as it is printed.

    >>> value_step(4.05, 44_400, 20), value_step(31.4, 5_000, 20), value_step(500.0, 40, 20)
    (0.01, 0.2, 500.0)
    """
    wanted = abs(value) * min_people / people if people > 0 else 0.0
    step, power = _LEAST_STEP, 0
    while step < wanted:
        power += 1
        step = _LEAST_STEP * _DIGITS[power % len(_DIGITS)] * 10.0 ** (power // len(_DIGITS))
    return round(step, 2)


def cut_to(value: float, step: float) -> float:
    """Round a figure down to whole steps.

    >>> cut_to(31.57, 0.2), cut_to(0.2054, 0.001)
    (31.4, 0.205)
    """
    steps = (Decimal(repr(float(value))) / Decimal(repr(step))).to_integral_value(rounding=ROUND_FLOOR)
    return float(steps * Decimal(repr(step)))


def _capacity(findings: Findings, result: CapacityResult, min_people: int) -> CapacityResult:
    total = result.people
    if result.value is None or total is None:
        return result
    if total < min_people:
        rows = tuple(replace(one, value=None, status=SUPPRESSED) for one in result.districts)
        return replace(
            result,
            value=None,
            previous=None,
            amount=None,
            people=None,
            missing=None,
            status=SUPPRESSED,
            reason="",
            notes=(),
            districts=rows,
        )
    step = value_step(result.value, total, min_people)
    people = _people_by_district(findings, result)
    hidden = _hidden(result, people, min_people)
    return replace(
        result,
        value=cut_to(result.value, step),
        previous=None if result.previous is None else cut_to(result.previous, step),
        districts=tuple(_district(one, people, hidden, min_people) for one in result.districts),
    )


def _people_by_district(findings: Findings, result: CapacityResult) -> dict[str, float] | None:
    """Add up the people of a target's group by district; None where the residents do not say."""
    demand, group = findings.demand, result.target.group
    column = "population" if group == EVERYONE else group
    if column not in demand or "district" not in demand:
        return None
    people = demand[column].astype("float64").where(in_area(findings, result), 0.0)
    sums = people.groupby(demand["district"].astype("str")).sum()
    return {str(code): float(count) for code, count in sums.items()}


def _hidden(result: CapacityResult, people: dict[str, float] | None, min_people: int) -> set[str]:
    """Choose the districts that keep their figure back, never one alone: it would follow from the total."""
    codes = [one.code for one in result.districts if one.value is not None]
    if people is None:
        return set(codes)
    few = {code for code in codes if 0 < people.get(code, 0.0) < min_people}
    left = sorted((code for code in codes if code not in few), key=lambda code: (people.get(code, 0.0), code))
    while few and left and sum(people.get(code, 0.0) for code in few) < min_people:
        few.add(left.pop(0))
    if len(few) == 1 and left:
        few.add(left[0])
    return few


def _district(
    one: DistrictResult, people: dict[str, float] | None, hidden: set[str], min_people: int
) -> DistrictResult:
    if one.value is None or people is None or one.code in hidden:
        kept_back = one.code in hidden
        return replace(one, value=None, status=SUPPRESSED if kept_back else one.status)
    return replace(one, value=cut_to(one.value, value_step(one.value, people.get(one.code, 0.0), min_people)))
