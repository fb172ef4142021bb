"""The year before: when there is one, what it is computed from, and what is said of it.

A value of the year before stands beside this year's only where something dated differs between the two:
a file given by year, or the venues that are open. Without that it would be this year's figure printed
twice. What the year before shares with this year, because no file of its own is given, is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.audit._circles import circle_value
from lifecircle.audit._prepare import circles, prepare_other, yearly_files
from lifecircle.audit._questions import Answers, ask
from lifecircle.audit._searches import Searches
from lifecircle.audit._surfaces import another_surface
from lifecircle.errors import UnusableInputError
from lifecircle.facilities import open_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.audit._inputs import Inputs
    from lifecircle.standards import CircleTarget
    from lifecircle.study import Study, YearlyFile


@dataclass(frozen=True)
class YearBefore:
    """Values of the year before and remarks on them: target -> value, target -> codes (see wording)."""

    shares: Mapping[str, float | None] = field(default_factory=dict)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def earlier_inputs(inputs: Inputs) -> Inputs | str:
    """Prepare the year before from the study's own files for it; a code where they do not allow it."""
    study, year = inputs.study, inputs.year - 1
    if not has_files(study, year):
        return f"year_before_no_file:{year}"
    try:
        return prepare_other(inputs, year)
    except UnusableInputError as error:
        if error.of_system:  # a disk that fails for a moment must not cost a run its year before
            raise
        return f"year_before_unusable:{error.faults[0].file}"


def ask_earlier(earlier: Inputs, now: Searches) -> Answers:
    """Ask the questions of the year before; the searches of this year answer what is the same in both."""
    return ask(earlier, Searches(earlier, like=now), values_only=True)


def has_files(study: Study, year: int) -> bool:
    """Return whether a study has a file of every kind for a year, or one that holds for all years."""
    return all(_has(file, year) for file in yearly_files(study))


def year_before(inputs: Inputs, earlier: Inputs | str, answers: Answers) -> YearBefore:
    """Compute each circle's value for the year before, and the remarks on it for every kind."""
    study, year = inputs.study, inputs.year - 1
    dated = [one.id for one in study.standard.targets if one.kind in _DATED]
    if isinstance(earlier, str):
        return YearBefore(notes=dict.fromkeys(dated, (earlier,)))
    values: dict[str, float | None] = {}
    same = () if anything_dated(inputs, earlier) else (f"year_before_same:{year}",)
    notes: dict[str, tuple[str, ...]] = dict.fromkeys(dated, same)
    for target in circles(study.standard):
        if _differs(target, inputs, earlier):
            values[target.id] = circle_value(target, earlier, answers)
            notes[target.id] = _shared(target, study, (year, inputs.year))
            if target.accounting != "accepted" and another_surface(earlier, inputs):
                notes[target.id] += (f"year_before_surface:{year}",)
        else:
            notes[target.id] = (f"year_before_same:{year}",)
    return YearBefore(values, notes)


_DATED = frozenset({"circle", "presence", "capacity"})
"""Kinds whose values follow from files and venues of a year; registers give their own years."""


def anything_dated(now: Inputs, earlier: Inputs) -> bool:
    """Return whether a file given by year, the open venues or the outlets differ between two years."""
    years = (earlier.year, now.year)
    if not all(_same(now.study, file, years) for file in yearly_files(now.study)):
        return True
    return not (np.array_equal(now.opened, earlier.opened) and _same_outlets(now, earlier))


def _same_outlets(now: Inputs, earlier: Inputs) -> bool:
    if now.outlets is None or earlier.outlets is None:
        return now.outlets is earlier.outlets
    return bool(open_in(now.outlets, now.year).equals(open_in(earlier.outlets, earlier.year)))


def _has(file: YearlyFile, year: int) -> bool:
    return isinstance(file, str) or any(given <= year for given in file)


def _same(study: Study, file: YearlyFile | None, years: tuple[int, int]) -> bool:
    """Return whether one file holds in both years; a place that is fetched has no years."""
    return file is None or study.path_in(file, years[0]) == study.path_in(file, years[1])


def _differs(target: CircleTarget, now: Inputs, earlier: Inputs) -> bool:
    """Return whether anything dated differs that the target's accounting may rest on."""
    study, years = now.study, (earlier.year, now.year)
    if target.accounting == "accepted":
        return not _same_list(target, study, years)
    if not all(_same(study, file, years) for file in yearly_files(study)):
        return True
    return not np.array_equal(now.opened, earlier.opened)


def _same_list(target: CircleTarget, study: Study, years: tuple[int, int]) -> bool:
    """Return whether the accepted list of a target is one for both years."""
    part = study.villages
    if part is None:
        return True
    return _same(study, part.accepted.get(target.id, part.file), years)


def _shared(target: CircleTarget, study: Study, years: tuple[int, int]) -> tuple[str, ...]:
    """Return which of this year's inputs the year before was computed with, for want of its own."""
    if target.accounting in {"accepted", "straight"}:
        return ()
    parts = {"roads": study.roads.file, "residents": study.demand.file}
    shared = [name for name, file in parts.items() if _same(study, file, years)]
    return tuple(f"year_before_{name}:{years[0]}" for name in shared)
