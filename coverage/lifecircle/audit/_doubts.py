"""What makes a figure doubtful: no verdict is given on data that cannot carry it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.audit._circles import values_with
from lifecircle.audit._coarse import check_coarse
from lifecircle.audit._intake import largest_share
from lifecircle.audit._position_grades import (
    VenueGrades,
    counted_grades,
    rests_on_centres,
    too_rough,
    village_centred,
)
from lifecircle.audit._searches import venue_classes
from lifecircle.standards import verdict

if TYPE_CHECKING:
    from lifecircle.audit._circles import Circle
    from lifecircle.audit._coarse import CoarseCheck
    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._questions import Answers
    from lifecircle.findings import CircleResult
    from lifecircle.reading import CoarseReading
    from lifecircle.standards import CircleTarget

_ALONG_ROADS = frozenset({"network_distance", "reach", "open"})
"""Accountings that rest on where residents and venues join the roads."""


def weighed(circle: Circle, inputs: Inputs, answers: Answers) -> tuple[CircleResult, CoarseReading | None]:
    """Weigh the data a circle's result rests on: the result, without a verdict where they cannot carry one.

    Returns
    -------
    result : with the status ``data_insufficient`` and its reason where there is a doubt, in districts too
    coarse : the check of residents that may live elsewhere than they stand, None where nothing is to be said
    """
    result = circle.result
    target = result.target
    if result.value is None or result.count is None or target.kind != "circle":
        return result, None
    coarse, check = None, None
    if target.accounting == "reach":  # the check asks the same minutes of the same venues
        check = check_coarse(
            target, inputs, answers.quarters.get(target.id), circle.people, circle.status == "covered"
        )
        coarse = None if check is None else check.reading
    along_roads = target.accounting in _ALONG_ROADS
    doubt = ""
    if along_roads:
        doubt = (
            _people_off(result, inputs)
            or _broken(target, inputs)
            or _venues_off(target, answers)
            or _too_coarse(target, inputs, coarse)
        )
    grades = _grades(target, inputs)
    result = replace(result, notes=(*result.notes, *grades.notes))
    doubt = doubt or too_rough(grades, inputs)
    if doubt:
        return _insufficient(result, doubt), coarse
    result = _without_centres(result, grades, inputs, answers)
    if check is not None and check.reading.unsure:
        result = _with_unsure(result, check, inputs)
    if not along_roads or result.status == "data_insufficient":
        return result, coarse
    few = [code for code in answers.answer(target).lacking if code.startswith("too_few_venues:")]
    return (replace(result, reason=few[0], notes=(*few[1:], *result.notes)) if few else result), coarse


def _grades(target: CircleTarget, inputs: Inputs) -> VenueGrades:
    """Count the grades of the venues of a rule; no position decides where villages are on a list."""
    if target.accounting == "accepted":
        return VenueGrades()
    members = venue_classes(target, inputs.study.standard, inputs.facilities)
    return counted_grades(inputs, np.logical_or.reduce(list(members.values())))


def _without_centres(
    result: CircleResult, grades: VenueGrades, inputs: Inputs, answers: Answers
) -> CircleResult:
    """Take back the good verdicts, of the whole and of districts, that rest on venues at village centres."""
    target, centred = result.target, village_centred(inputs)
    if centred is None or not grades.village_centre or target.kind != "circle":
        return result
    value, by_district = values_with(target, inputs, answers, ~centred)

    def doubt(status: str, without: float | None) -> str:
        """Return why a verdict rests on venues at village centres, empty where it does not."""
        return rests_on_centres(status, verdict(target, inputs.year, without), grades)

    districts = tuple(
        replace(one, status="data_insufficient") if doubt(one.status, by_district.get(one.code)) else one
        for one in result.districts
    )
    reason = doubt(result.status, value)
    if not reason:
        return replace(result, districts=districts)
    return replace(result, status="data_insufficient", reason=reason, districts=districts)


def _insufficient(result: CircleResult, doubt: str) -> CircleResult:
    districts = tuple(
        one if one.status == "nobody" else replace(one, status="data_insufficient")
        for one in result.districts
    )
    return replace(result, status="data_insufficient", reason=doubt, districts=districts)


def _people_off(result: CircleResult, inputs: Inputs) -> str:
    """Doubt a target most of whose people have no road."""
    count = result.count
    assert count is not None
    share = count.unsnapped / count.people if count.people > 0 else 0.0
    return f"people_off_roads:{share:.1%}" if share > inputs.study.reading.unsnapped_max else ""


def _broken(target: CircleTarget, inputs: Inputs) -> str:
    """Doubt roads that fall into pieces: lines that were never joined, a layer of another kind."""
    share = largest_share(inputs.networks[target.profile])
    return f"roads_broken:{share:.1%}" if share < inputs.study.reading.fragment_min else ""


def _venues_off(target: CircleTarget, answers: Answers) -> str:
    """Doubt a rule that the register would hold, but of whose venues too few are on the roads."""
    codes = [code for code in answers.answer(target).lacking if code.startswith("venues_off_roads:")]
    return codes[0] if codes else ""


def _too_coarse(target: CircleTarget, inputs: Inputs, check: CoarseReading | None) -> str:
    """Doubt residents whose rate changes too much, or crosses the verdict, when they are spread."""
    if check is None:
        return ""
    changed = abs(check.spread - check.value) > inputs.study.reading.coarse_change
    crossed = verdict(target, inputs.year, check.value) != verdict(target, inputs.year, check.spread)
    unsure = _unsure(target, inputs, check)
    if unsure or not (changed or crossed):
        return unsure
    return f"coarse_demand:{check.spacing_m:.0f}|{check.value:.1%}|{check.spread:.1%}"


def _unsure(target: CircleTarget, inputs: Inputs, check: CoarseReading) -> str:
    """Doubt people of cells or polygons that are partly in time, as they may live on either side."""
    turned = _turned(target, inputs, check.value, check.unsure)
    if check.unsure <= inputs.study.reading.unsure_max and not turned:
        return ""
    return f"coarse_extent:{check.spacing_m:.0f}|{check.value:.1%}|{check.unsure * 100:.1f}"


def _turned(target: CircleTarget, inputs: Inputs, value: float, unsure: float) -> bool:
    """Return whether the verdict of a value is another where it is off by what is unsure."""
    ends = (max(value - unsure, 0.0), min(value + unsure, 1.0))
    return len({verdict(target, inputs.year, one) for one in (*ends, value)}) > 1


def _with_unsure(result: CircleResult, check: CoarseCheck, inputs: Inputs) -> CircleResult:
    """Note what a rate may be off by, and take back the verdicts of districts that it would turn."""
    target, read = result.target, check.reading
    assert target.kind == "circle"
    note = f"unsure_people:{read.spacing_m:.0f}|{read.partly:.1%}|{read.unsure * 100:.1f}"
    districts = tuple(
        replace(one, status="data_insufficient")
        if one.value is not None
        and one.status != "nobody"
        and _turned(target, inputs, one.value, check.by_district.get(one.code, 0.0))
        else one
        for one in result.districts
    )
    return replace(result, notes=(*result.notes, note), districts=districts)
