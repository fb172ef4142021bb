"""List what an audit has to ask of the roads for a year's circles, and hold the answers.

An audit has two steps: first every question is asked (:func:`ask`), then targets are assessed from the
answers alone, without any search. A question that nobody listed is an error of this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.audit._basis import open_venues
from lifecircle.audit._coarse import coarse_places, spread_over_quarters
from lifecircle.audit._counted import counted_people
from lifecircle.audit._ladder import known_hours
from lifecircle.audit._position_grades import village_centred
from lifecircle.audit._prepare import AGED, STEP_FREE, at_factor, circles
from lifecircle.audit._school_grounds import without_grounds
from lifecircle.demand import OUTSIDE
from lifecircle.standards import CapacityTarget, reach_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt

    from lifecircle.audit._coarse import Quarters
    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._searches import Answer, Searches, ServicePairs
    from lifecircle.standards import CircleTarget

    Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Question:
    """A target's rule over a profile, with all venues (None) or some: (facility,)."""

    profile: str
    only: Flags | None = None


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to all questions of a year's circles.

    ``quarters`` : target -> what is found from the quarters of places, None where none are to be split.
    ``pairs`` : capacity target -> who reaches its venues, of those whose limit is known.
    """

    found: Mapping[tuple[str, str, bytes], Answer]
    quarters: Mapping[str, Quarters | None] = field(default_factory=dict)
    pairs: Mapping[str, ServicePairs] = field(default_factory=dict)

    def answer(
        self, target: CircleTarget, *, profile: str | None = None, only: Flags | None = None
    ) -> Answer:
        """Return the answer to a target's rule over its own profile or another, with all venues or some."""
        return self.found[_key(target, Question(profile or target.profile, only))]


def ask(
    inputs: Inputs,
    searches: Searches,
    *,
    values_only: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Answers:
    """Ask every question of a year's circles.

    Parameters
    ----------
    values_only : ask only what values need, as for the year before, not margins and variants
    progress : called with the id of each target as its search begins
    """
    found: dict[tuple[str, str, bytes], Answer] = {}
    quarters: dict[str, Quarters | None] = {}
    for target in circles(inputs.study.standard):
        if progress is not None:
            progress(target.id)
        for question in questions(target, inputs, values_only=values_only):
            key = _key(target, question)
            if key not in found:
                found[key] = searches.answer(target, profile=question.profile, only=question.only)
        if not values_only and target.accounting == "reach":
            reason, people = counted_people(target, inputs)
            own = found[_key(target, Question(target.profile))]
            coarse = None if reason else coarse_places(target, inputs, people, own)
            quarters[target.id] = (
                None if coarse is None else spread_over_quarters(target, inputs, searches, coarse)
            )
    return Answers(found, quarters, {} if values_only else _capacity_pairs(inputs, searches))


def _capacity_pairs(inputs: Inputs, searches: Searches) -> dict[str, ServicePairs]:
    """Find who reaches the venues of every capacity target whose limit is known and whose column is there."""
    standard, pairs = inputs.study.standard, {}
    for target in standard.targets:
        if not isinstance(target, CapacityTarget) or target.of not in inputs.facilities:
            continue
        rule = reach_of(standard, target)
        if rule is not None:
            pairs[target.id] = searches.pairs(rule, set().union(*standard.venues(target).values()))
    return pairs


def questions(target: CircleTarget, inputs: Inputs, *, values_only: bool = False) -> Iterator[Question]:
    """List the questions of one target, the plain one first; some may come twice.

    Parameters
    ----------
    values_only : only what the value itself needs
    """
    own = target.profile
    yield Question(own)
    hours = known_hours(target, inputs)
    if hours is not None:
        yield Question(own, hours[2])
    opened = open_venues(target, inputs)
    # What a verdict would be without venues at village centres, which do not support one.
    centred = village_centred(inputs)
    if centred is not None and target.accounting not in {"accepted", "straight"}:
        yield Question(own, ~centred if opened is None else opened & ~centred)
    if values_only:
        return
    yield from _across_border(target, inputs, opened)
    if target.accounting not in {"reach", "open"}:
        return  # no minutes decide: there is neither a margin nor a variant by speed
    used = inputs.networks[own].profile
    if not used.uniform:
        # One speed is scaled; where the class of the road decides, another speed takes another way.
        slow, _, fast = used.band
        yield from (Question(at_factor(own, factor), opened) for factor in (slow, fast))
    if used.mode == "walk":
        yield from (Question(name, opened) for name in (AGED, STEP_FREE))
    yield from (Question(mode, opened) for mode in target.modes)
    public = without_grounds(target, inputs, opened)
    if public is not None:
        yield Question(own, public)


def _across_border(target: CircleTarget, inputs: Inputs, opened: Flags | None) -> Iterator[Question]:
    """Ask again without the venues beyond the border, for the people whom only those cover."""
    if inputs.districts is None or target.accounting == "accepted":
        return
    inside = (inputs.facilities["district"] != OUTSIDE).to_numpy(dtype=bool)
    if not inside.all():
        yield Question(target.profile, inside if opened is None else inside & opened)


def _key(target: CircleTarget, question: Question) -> tuple[str, str, bytes]:
    return target.id, question.profile, b"" if question.only is None else np.packbits(question.only).tobytes()
