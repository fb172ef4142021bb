"""What a capacity target lacks, by district: places are missing there, and no site can be chosen for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.audit import counted_people, open_study, prepare, run
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.findings import CapacityResult, value_text
from lifecircle.siting_study._question import not_assessable
from lifecircle.siting_study._siting_table import PlanTable, worded_table
from lifecircle.standards import threshold
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecircle.findings import Findings, Language
    from lifecircle.study import Study

_LAST_DIGITS = 1e-6
"""Places are whole: a sum that is whole but for float noise is not rounded up."""


@dataclass(frozen=True)
class TownPlaces:
    """One district of a capacity target.

    ``value`` : places per so many people; None where nothing is known; ``missing`` : places still needed so
    that the district by itself has what the goal asks for, at most so many where a capacity is unknown.
    """

    code: str
    name: str
    people: float
    value: float | None
    amount: float | None
    missing: float | None


@dataclass(frozen=True, eq=False)
class PlacesMissing:
    """A capacity target and what is missing: in all, and in each district by itself, most first."""

    findings: Findings
    result: CapacityResult
    towns: tuple[TownPlaces, ...]

    @property
    def language(self) -> Language:
        """The language of the study."""
        return self.findings.language


def places_missing(
    study: str | Path | Study,
    target: str,
    *,
    year: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> PlacesMissing:
    """Count the places that a capacity target lacks in the year, in all and by district.

    Districts do not make up for each other, so their sum may exceed what is missing in all.

    Raises
    ------
    UnusableInputError
        The study is unusable, or the target cannot be assessed.
    """
    if isinstance(study, str | Path):
        study = open_study(study, year)
    inputs = prepare(study, year)
    findings = run(inputs, progress=progress)
    result = findings.result(target)
    if not isinstance(result, CapacityResult):
        reason, remedy = say("no capacity target"), say("choose another target")
        raise UnusableInputError([Fault("", "target", target, reason, remedy)])
    if result.value is None:
        raise UnusableInputError([not_assessable(target, result.reason, study.language)])
    assert result.target.kind == "capacity"  # its result is one
    _, people = counted_people(result.target, inputs)
    homes = inputs.demand["district"].astype("str").to_numpy()
    turn, per = threshold(result.target, findings.year), result.per
    assert per is not None  # a value has its ratio
    towns = []
    for one in result.districts:
        heads = float(people[homes == one.code].sum())
        amount = None if one.value is None else one.value * heads / per
        missing = None
        if amount is not None and turn is not None:
            missing = max(0.0, math.ceil(turn * heads / per - amount - _LAST_DIGITS))
        towns.append(TownPlaces(one.code, one.name, heads, one.value, amount, missing))
    return PlacesMissing(
        findings, result, tuple(sorted(towns, key=lambda one: (-(one.missing or 0.0), one.code)))
    )


def missing_lines(found: PlacesMissing) -> list[str]:
    """Say what is missing in all, and that a capacity target takes places and no sites."""
    result, language = found.result, found.language
    say_it = {
        "target": result.target.name.get(language),
        "value": value_text(result, result.value, language),
        "goal": value_text(result, result.milestone, language),
        "missing": "—" if result.missing is None else f"{result.missing:,.0f}",
        "towns": f"{sum(one.missing or 0.0 for one in found.towns):,.0f}",
    }
    key = "no_goal" if result.milestone is None else "line"
    lines = [word("places", key, language).format(**say_it)]
    if result.unknown:
        lines.append(word("places", "unknown", language).format(result.unknown))
    return lines


def missing_table(found: PlacesMissing) -> PlanTable:
    """Return a row for every district: people, places, ratio, places missing."""
    rows = [
        {
            "district": one.name,
            "people": f"{one.people:,.0f}",
            "places": "" if one.amount is None else f"{one.amount:,.0f}",
            "ratio": value_text(found.result, one.value, found.language),
            "missing": "" if one.missing is None else f"{one.missing:,.0f}",
        }
        for one in found.towns
    ]
    return worded_table(("district", "people", "places", "ratio", "missing"), rows, found.language)
