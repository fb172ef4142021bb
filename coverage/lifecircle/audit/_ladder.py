"""The ladder of accountings, from the reported figure to lived reach, rung by rung.

Every rung is given in villages and in people. On the first two rungs the unit is the village (its whole
population counts with it: the people the target counts); on the others it is the resident, and a village
counts as reached when at least :data:`MAJORITY` of the people the target counts there are covered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.audit._counted import village_of
from lifecircle.audit._searches import venue_classes
from lifecircle.counting import MAJORITY, known_true, people_by_village, village_urban
from lifecircle.demand import village_centres
from lifecircle.facilities import open_at
from lifecircle.findings import Accounting
from lifecircle.limits import within_limit
from lifecircle.measures import VILLAGE_SHARES, holds_rule, holds_share, settlement_centres, villages_reached

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._searches import Answer, Answering
    from lifecircle.standards import CircleTarget


def accountings(
    target: CircleTarget,
    inputs: Inputs,
    answers: Answering,
    people: npt.NDArray[np.float64],
    answer: Answer,
) -> dict[str, Accounting | None]:
    """Return each accounting of a target, None where the study has not what it needs."""
    limit_s = target.minutes * 60
    villages = _Villages(target, inputs, people)
    reached = np.where(answer.snapped, answer.seconds, np.inf)
    any_one = np.where(answer.snapped, answer.any_seconds, np.inf)
    opened = _open_answer(target, inputs, answers)
    return {
        "accepted": villages.by_village(accepted_villages(target, inputs)),
        "straight": villages.by_village(straight_villages(target, inputs)),
        "network_distance": villages.by_resident(_along_roads(target, inputs, answers)),
        "reach": villages.by_resident(within_limit(reached, limit_s)),
        "open": None if opened is None else villages.by_resident(within_limit(opened, limit_s)),
        "any_one": villages.by_resident(within_limit(any_one, limit_s)),
    }


def village_curve(
    target: CircleTarget, inputs: Inputs, people: npt.NDArray[np.float64], covered: npt.NDArray[np.bool_]
) -> tuple[tuple[float, int], ...]:
    """Count the villages of which at least 50, 80, 90 and 100 % of the people are covered.

    Parameters
    ----------
    covered : (demand,) who is covered by the accounting of the target, or in time where it counts villages

    Returns
    -------
    curve : (share, villages), empty without villages
    """
    return () if inputs.villages is None else _Villages(target, inputs, people).curve(covered)


def village_readings(
    target: CircleTarget,
    inputs: Inputs,
    people: npt.NDArray[np.float64],
    covered: npt.NDArray[np.bool_],
) -> dict[str, pd.Series[Any]]:
    """Return for every village whether it is accepted, holds the straight circle, and is reached.

    Parameters
    ----------
    covered : (demand,) who is covered, by the target's own accounting where it counts residents

    Returns
    -------
    readings : ``accepted_<target>``, ``straight_<target>`` (where the study has what they need) and
        ``reached_<target>`` -> boolean on the villages' index, NA where the target counts nobody
    """
    if inputs.villages is None:
        return {}
    villages = _Villages(target, inputs, people)
    readings = {
        "accepted": accepted_villages(target, inputs),
        "straight": straight_villages(target, inputs),
        "reached": villages.reached(covered),
    }
    nobody = ~villages.counted | (villages.total <= 0)
    return {
        f"{name}_{target.id}": pd.Series(flags, index=inputs.villages.index, dtype="boolean").mask(nobody)
        for name, flags in readings.items()
        if flags is not None
    }


class _Villages:
    """Adds up villages and people for one target."""

    def __init__(self, target: CircleTarget, inputs: Inputs, people: npt.NDArray[np.float64]) -> None:
        self.people = people
        self.of = village_of(inputs)
        units = inputs.villages
        self.number = 0 if units is None else len(units)
        self.counted = villages_counted(target, inputs)
        self.total = self._add(np.ones(len(people), dtype=bool))

    def _add(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        return people_by_village(np.where(chosen, self.people, 0.0), self.of, villages=self.number)

    def reached(self, covered: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return where at least :data:`MAJORITY` of the people counted are covered: (village,)."""
        return holds_share(self._add(covered), self.total, MAJORITY)

    def curve(self, covered: npt.NDArray[np.bool_]) -> tuple[tuple[float, int], ...]:
        """Count the villages reached at every share of their people: (share, villages)."""
        mine = self.counted
        table = villages_reached(self._add(covered)[mine], self.total[mine], shares=VILLAGE_SHARES)
        return tuple((float(share), int(number)) for share, number in table["villages"].items())

    def by_village(self, holds: npt.NDArray[np.bool_] | None) -> Accounting | None:
        """Count the villages that hold a rule, and their people; the value is the share of villages."""
        if holds is None or not self.counted.any():
            return None
        chosen = holds & self.counted
        number = int(chosen.sum())
        return Accounting(number, float(self.total[chosen].sum()), number / int(self.counted.sum()))

    def by_resident(self, covered: npt.NDArray[np.bool_] | None) -> Accounting | None:
        """Count the people covered, and the villages reached; the value is the share of people."""
        if covered is None:
            return None
        reached = self.reached(covered)
        people = float(self.people[covered].sum())
        total = float(self.people.sum())
        return Accounting(int((reached & self.counted).sum()), people, people / total if total else None)


def villages_counted(target: CircleTarget, inputs: Inputs) -> npt.NDArray[np.bool_]:
    """Return which villages lie in the area a target is about: (village,)."""
    units = inputs.villages
    if units is None or target.area == "all":
        return np.ones(0 if units is None else len(units), dtype=bool)
    urban = village_urban(units, inputs.districts)
    return known_true(urban if target.area == "urban" else ~urban)


def accepted_villages(target: CircleTarget, inputs: Inputs) -> npt.NDArray[np.bool_] | None:
    """Return which villages are on the target's accepted list: (village,); None without a list."""
    column = f"accepted_{target.id}"
    if inputs.villages is None or column not in inputs.villages:
        return None
    listed: npt.NDArray[np.bool_] = inputs.villages[column].to_numpy(dtype=bool)
    return listed


def straight_villages(
    target: CircleTarget, inputs: Inputs, *, only: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.bool_] | None:
    """Return which villages' straight-line circles hold the rule: (village,); None without radii.

    ``only`` : (facility,) venues to count instead of all.
    """
    straight, villages = target.straight, inputs.villages
    if straight is None or villages is None:
        return None
    venues = inputs.venue_metres
    placed = np.isfinite(venues).all(axis=1)
    if only is not None:
        placed &= only
    members = venue_classes(target, inputs.study.standard, inputs.facilities)
    middles = village_centres(villages, inputs.crs)
    if straight.centre == "settlement":
        everyone = inputs.demand["population"].to_numpy(dtype=np.float64)
        settled = settlement_centres(inputs.metres, everyone, village_of(inputs), len(villages))
        # Where no resident is listed the village still has its own centre.
        middles = np.where(np.isfinite(settled), settled, middles)
    return holds_rule(
        middles,
        straight_radius(target, village_urban(villages, inputs.districts)),
        venues=venues[placed],
        classes={name: member[placed] for name, member in members.items()},
        require=target.require,
        distinct_site_m=straight.distinct_site_m,
        free=straight.centre == "free",
    )


def straight_radius(target: CircleTarget, urban: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Return each unit's straight-line radius; one whose class is unknown takes the rural radius."""
    assert target.straight is not None
    return np.where(known_true(urban), float(target.straight.urban_m), float(target.straight.rural_m))


def ladder_notes(target: CircleTarget, inputs: Inputs) -> list[str]:
    """Return what the rungs had to suppose: radii of villages of unknown class, venues of unknown hours."""
    notes = []
    straight, units = target.straight, inputs.villages
    if straight is not None and units is not None and straight.urban_m != straight.rural_m:
        unknown = int(village_urban(units, inputs.districts).isna().sum()) if target.area == "all" else 0
        if unknown:
            notes.append(f"rural_radius_used:{unknown}")
    hours = known_hours(target, inputs)
    if hours is not None:
        venue, known, _ = hours
        silent = int((venue & ~known).sum())
        if silent:
            notes.append(f"hours_unknown:{silent}")
    return notes


def _along_roads(target: CircleTarget, inputs: Inputs, answers: Answering) -> npt.NDArray[np.bool_] | None:
    """Return which residents find the rule within the straight radius measured along the roads."""
    radius = road_radius(target, inputs)
    if radius is None:
        return None
    answer = answers.answer(target)
    speed_ms = inputs.networks[target.profile].profile.access_ms
    return within_limit(np.where(answer.snapped, answer.seconds * speed_ms, np.inf), radius)


def road_radius(target: CircleTarget, inputs: Inputs) -> npt.NDArray[np.float64] | None:
    """Return each resident's radius along the roads in metres: (demand,); None without such a reading.

    A profile with one speed gives metres as seconds x speed; where the class of the road decides the speed
    it does not.
    """
    straight = target.straight
    if straight is None or not inputs.networks[target.profile].profile.uniform:
        return None
    if straight.urban_m == straight.rural_m:
        return np.full(len(inputs.demand), float(straight.urban_m))
    if inputs.villages is None:
        return None
    return straight_radius(target, _resident_urban(inputs, inputs.villages))


def _resident_urban(inputs: Inputs, villages: gpd.GeoDataFrame) -> pd.Series[Any]:
    """Return each resident's urban class: the village's as :func:`village_urban`, else the district's."""
    demand = inputs.demand
    own: pd.Series[Any] = demand["village"].map(village_urban(villages, inputs.districts)).astype("boolean")
    if inputs.districts is None:
        return own
    return own.fillna(demand["district"].map(inputs.districts["urban"]).astype("boolean"))


def known_hours(
    target: CircleTarget, inputs: Inputs
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]] | None:
    """Return the venues of the rule, whose hours are known and which are open; None where none is known."""
    if target.open_at is None or "hours" not in inputs.facilities:
        return None
    members = venue_classes(target, inputs.study.standard, inputs.facilities)
    venue = np.logical_or.reduce(list(members.values()))
    known, opened = open_at(inputs.facilities, target.open_at)
    return (venue, known, opened) if (venue & known).any() else None


def _open_answer(target: CircleTarget, inputs: Inputs, answers: Answering) -> npt.NDArray[np.float64] | None:
    """Return the rule time over the venues open at the target's hour; None without known hours."""
    hours = known_hours(target, inputs)
    if hours is None:
        return None
    _, _, opened = hours
    answer = answers.answer(target, only=opened)
    return np.where(answer.snapped, answer.seconds, np.inf)
