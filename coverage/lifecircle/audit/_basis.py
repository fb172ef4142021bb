"""What a target's own accounting says of every resident, so that all figures of its row come from it.

By ``reach`` and ``open`` a resident is covered in time, by ``network_distance`` within a radius along the
roads, by ``accepted`` and ``straight`` when the village is on the list or its circle holds the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.audit._counted import village_of
from lifecircle.audit._ladder import (
    accepted_villages,
    known_hours,
    road_radius,
    straight_villages,
    villages_counted,
)
from lifecircle.counting import buckets
from lifecircle.findings import BY_VILLAGE
from lifecircle.limits import within_limit

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._searches import Answer, Answering
    from lifecircle.standards import CircleTarget

    Flags = npt.NDArray[np.bool_]

BY_TIME = frozenset({"reach", "open"})

GAP_REASONS = {
    "network_distance": "beyond_radius",
    "accepted": "not_accepted",
    "straight": "not_held",
}
"""Why people within a road network are uncovered by an accounting that knows no minutes."""


@dataclass(frozen=True, eq=False)
class Basis:
    """What one accounting says of every resident: (demand,).

    ``status`` : the bucket; ``answer`` : the times it rests on, None by village; ``holds``, ``counted`` :
    (village,) which villages hold the rule and which count at all, None by resident; ``speed_ms`` : what
    turns seconds into metres where the radius decides, else None.
    """

    accounting: str
    status: npt.NDArray[np.str_]
    answer: Answer | None = None
    holds: Flags | None = None
    counted: Flags | None = None
    speed_ms: float | None = None

    @property
    def covered(self) -> Flags:
        """Return who is covered: (demand,)."""
        flags: Flags = self.status == "covered"
        return flags

    @property
    def timed(self) -> bool:
        """Return whether minutes decide."""
        return self.accounting in BY_TIME

    def value(self, people: npt.NDArray[np.float64], where: Flags | None = None) -> float | None:
        """Return the share covered: of villages where they are the unit, else of people.

        Parameters
        ----------
        people : (demand,) people the target counts
        where : the part it is asked for: (village,) by village, (demand,) by resident; all where left out
        """
        if self.holds is not None and self.counted is not None:
            unit = self.counted if where is None else self.counted & where
            return float((self.holds & unit).sum() / unit.sum()) if unit.any() else None
        inside = people if where is None else np.where(where, people, 0.0)
        total = inside.sum()
        return float(inside[self.covered].sum() / total) if total > 0 else None


def bucket(answer: Answer, limit_s: float) -> npt.NDArray[np.str_]:
    """Put every resident in one of the four buckets by time: (demand,)."""
    return _buckets(answer, within_limit(answer.seconds, limit_s))


def _buckets(answer: Answer, near: Flags) -> npt.NDArray[np.str_]:
    return buckets(
        near,
        snapped=answer.snapped,
        seconds=answer.seconds,
        any_seconds=answer.any_seconds,
        lacking=bool(answer.lacking),
    )


def basis_of(
    target: CircleTarget, inputs: Inputs, answers: Answering, *, only: Flags | None = None
) -> Basis | None:
    """Ask a target's own accounting of every resident; None where the study has not what it needs.

    Parameters
    ----------
    only : (facility,) venues to count instead of all; has no bearing on the accepted list
    """
    if target.accounting in BY_VILLAGE:
        return _by_village(target, inputs, only)
    if target.accounting == "network_distance":
        return _by_distance(target, inputs, answers, only)
    chosen = only
    if target.accounting == "open":
        hours = known_hours(target, inputs)
        if hours is None:
            return None
        chosen = hours[2] if only is None else hours[2] & only
    answer = answers.answer(target, only=chosen)
    return Basis(target.accounting, bucket(answer, target.minutes * 60), answer)


def _by_distance(
    target: CircleTarget, inputs: Inputs, answers: Answering, only: Flags | None
) -> Basis | None:
    radius = road_radius(target, inputs)
    if radius is None:
        return None
    speed_ms = inputs.networks[target.profile].profile.access_ms
    answer = answers.answer(target, only=only)
    near = within_limit(np.where(np.isfinite(answer.seconds), answer.seconds * speed_ms, np.inf), radius)
    return Basis(target.accounting, _buckets(answer, near), answer, speed_ms=speed_ms)


def _by_village(target: CircleTarget, inputs: Inputs, only: Flags | None) -> Basis | None:
    """Take residents for covered when their village is; those of no village are not."""
    accepted = target.accounting == "accepted"
    holds = accepted_villages(target, inputs) if accepted else straight_villages(target, inputs, only=only)
    counted = villages_counted(target, inputs)
    if holds is None or not counted.any():
        return None
    village = village_of(inputs)
    status = np.where((village >= 0) & holds[village], "covered", "beyond")
    return Basis(target.accounting, status, holds=holds, counted=counted)


def open_venues(target: CircleTarget, inputs: Inputs) -> Any:
    """Return which venues the target's accounting counts: (facility,), or None for all of them."""
    if target.accounting != "open":
        return None
    hours = known_hours(target, inputs)
    return None if hours is None else hours[2]
