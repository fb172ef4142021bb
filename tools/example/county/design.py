"""Design villages that mislead: a circle that holds while nobody walks there in time, and the reverse.

Culture venues of some villages move across the water; committees of others move away from everybody.
Which villages these are is computed from the network, and written to ``designed.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

from county.plan import SKETCHES
from county.services import MANDATORY, PUBLIC_BENEFIT
from county.venues import WALK_15_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from county.venues import County, Register

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

STRAIGHT_M = {True: 1_000.0, False: 1_500.0}  # radius of the straight-line circle, urban and rural


@dataclass(frozen=True)
class Designed:
    """Villages where circle and walks disagree, or canals make detours; and all committees' places."""

    rows: list[dict[str, Any]]
    committee: Floats


def design_villages(county: County, register: Register, *, wanted: int = 8) -> Designed:
    """Move some villages' culture venues across the water, and others' committees away from everybody.

    Villages with a long way round water to the nearest culture venue are listed beside them.
    """
    committee = county.residents.committee.copy()
    across = _move_across(county, register, committee, wanted=wanted)
    beside = _move_committees(county, register, committee, avoid=across)
    rows = [_design_row(county, register, committee, unit, "straight_yes_reach_no") for unit in across]
    rows += [_design_row(county, register, committee, unit, "straight_no_reach_yes") for unit in beside]
    taken = {*across, *beside}
    rows += [
        _design_row(county, register, committee, unit, "canal_detour")
        for unit in _detours(county, register, committee)
        if unit not in taken
    ]
    return Designed(rows, committee)


def _detours(county: County, register: Register, committee: Floats, *, most: int = 10) -> list[int]:
    """Find villages whose committee is near a culture venue in a straight line, and far from all on foot."""
    venues = np.concatenate([register.xy(MANDATORY), register.xy(PUBLIC_BENEFIT)])
    straight = cKDTree(venues).query(committee)[0]
    walk = county.walks.metres(venues, committee, limit_m=9_000)
    ratio = np.where((straight > 250) & np.isfinite(walk), walk / np.maximum(straight, 1), 0)
    order = np.argsort(-ratio, kind="stable")[:most]
    return [int(unit) for unit in order if ratio[unit] >= 1.5]


def _move_across(county: County, register: Register, committee: Floats, *, wanted: int) -> list[int]:
    """Choose rural villages with a site in their circle that hardly anybody reaches; move venues there."""
    plan, residents = county.plan, county.residents
    scores = []
    for unit in np.nonzero(~plan.units.urban & (plan.units.town < len(SKETCHES)))[0]:
        straight = np.hypot(*(county.sites - committee[unit]).T)
        near = np.nonzero((straight > 300) & (straight < 1_380))[0]
        own = (residents.unit == unit) & ~np.isnan(residents.xy[:, 0]) & ~residents.far
        if len(near) < 3:
            continue
        near = near[:: max(1, len(near) // 36)]
        homes = np.vstack([residents.xy[own], committee[unit]])
        walks = county.walks.around(homes, 2_600).from_each(county.sites[near], homes, limit_m=4_500)
        people = residents.people[own]
        lost = ((walks[:, :-1] > WALK_15_M * 1.03) * people).sum(axis=1) / people.sum()
        other_straight, other_walk = _other_venues(county, register, int(unit), committee[unit])
        detour = np.minimum(walks[:, -1], other_walk) / np.minimum(straight[near], other_straight)
        value = lost + 0.25 * np.minimum(detour, 3)
        best = int(np.where(np.isfinite(walks[:, -1]), value, -1).argmax())
        scores.append((float(lost[best]), float(detour[best]), int(unit), int(near[best])))
    chosen: list[int] = []
    scores.sort(key=lambda score: (-min(score[0], 0.85) - 0.25 * min(score[1], 2.5), score[2]))
    for lost, detour, unit, site in scores:
        apart = all(np.hypot(*(county.main[unit] - county.main[other])) > 4_200 for other in chosen)
        if len(chosen) < wanted and lost > 0.72 and detour >= 1.55 and apart:
            chosen.append(unit)
            _move_venues(county, register, unit, county.sites[site], committee[unit])
    return chosen


def _other_venues(county: County, register: Register, unit: int, centre: Floats) -> tuple[float, float]:
    """Measure how far the nearest culture venue that is not the village's own lies: straight, and on foot."""
    code = county.plan.units.codes[unit]
    places = np.array(
        [
            (row["x"], row["y"])
            for row in register.rows
            if row["service"] in MANDATORY + PUBLIC_BENEFIT and row["serves"] != code and not row["closed"]
        ]
    )
    straight = np.hypot(*(places - centre).T)
    near = places[straight < 3_000]
    if not len(near):
        return np.inf, np.inf
    walk = county.walks.around(np.vstack([near, centre]), 1_500).metres(near, centre[None])[0]
    return float(straight.min()), float(walk)


def _move_venues(county: County, register: Register, unit: int, site: Floats, centre: Floats) -> None:
    """Move a village's culture venues to a site, and drop the spare ones its people could walk to instead."""
    code = county.plan.units.codes[unit]
    inside = county.sites[np.hypot(*(county.sites - centre).T) < STRAIGHT_M[False] - 60]
    close = inside[np.hypot(*(inside - site).T) < 700]
    walk = county.walks.around(close, 400).metres(site[None], close)  # so that all stand on the same bank
    around = close[np.argsort(walk, kind="stable")[:3]]
    number = 0
    for row in register.rows:
        if (
            row["service"] in {"culture_hall", "small_gym", "elderly_activity_centre"}
            and row["serves"] == code
        ):
            row["x"], row["y"] = (float(value) for value in around[number % len(around)])
            row["opened"] = min(row["opened"], "2022-05-01")
            number += 1
    heart = county.main[unit]
    kept = []
    for row in register.rows:
        spare = (
            row["service"] in {"culture_post", "small_gym", "elderly_activity_centre"} and not row["serves"]
        )
        if spare and np.hypot(row["x"] - heart[0], row["y"] - heart[1]) < 1_400:
            continue
        kept.append(row)
    register.rows[:] = kept


def _reach_share(county: County, register: Register, unit: int) -> float:
    """Compute the share of a village's people whom the culture rule reaches within 15 minutes."""
    own = (county.residents.unit == unit) & ~np.isnan(county.residents.xy[:, 0])
    walks = _rule_metres(county, register, county.residents.xy[own])
    return float(county.residents.people[own][walks <= WALK_15_M].sum() / county.residents.unit_people[unit])


def _rule_metres(county: County, register: Register, xy: Floats) -> Floats:
    """Measure the walk after which the culture rule (one mandatory, two of public benefit) is met."""
    walks = county.walks.around(xy, 2_600)
    low, high = xy.min(axis=0) - 1_800, xy.max(axis=0) + 1_800
    times = []
    for services, rank in ((MANDATORY, 0), (PUBLIC_BENEFIT, 1)):
        venues = register.xy(services)
        near = venues[((venues > low) & (venues < high)).all(axis=1)]
        sorted_walks = np.sort(walks.from_each(near, xy, limit_m=4_000), axis=0)
        times.append(sorted_walks[rank] if len(near) > rank else np.full(len(xy), np.inf))
    return np.maximum(*times)


def _straight_holds(county: County, register: Register, unit: int, centre: Floats) -> Any:
    """Return for centres (n, 2) whether their circle holds the culture rule."""
    radius = STRAIGHT_M[bool(county.plan.units.urban[unit])]
    one = cKDTree(register.xy(MANDATORY)).query(centre)[0]
    two = cKDTree(register.xy(PUBLIC_BENEFIT)).query(centre, k=2)[0][:, 1]
    return (one <= radius - 20) & (two <= radius - 20), (one > radius + 60) | (two > radius + 60)


def _move_committees(
    county: County, register: Register, committee: Floats, *, avoid: list[int], wanted: int = 3
) -> list[int]:
    """Choose villages with land outside every circle; move their committee there, as after a merger."""
    plan, found = county.plan, []
    for unit in np.nonzero(plan.units.town < len(SKETCHES))[0]:
        if unit in avoid or plan.units.community[unit]:
            continue
        own = county.sites[county.site_unit == unit]
        fails = _straight_holds(county, register, unit, own)[1]
        if not fails.any():
            continue
        share = _reach_share(county, register, unit)
        far = own[fails][np.hypot(*(own[fails] - county.main[unit]).T).argmin()]
        found.append((share, unit, far))
    found.sort(key=lambda item: (-item[0], item[1]))
    chosen = [item for item in found[:wanted] if item[0] > 0.6]
    for _, unit, far in chosen:
        committee[unit] = np.round(far + 6.0, 1)
    return [unit for _, unit, _ in chosen]


def _design_row(
    county: County, register: Register, committee: Floats, unit: int, purpose: str
) -> dict[str, Any]:
    """Describe one designed village by what it shows."""
    centre = committee[unit][None]
    venues = np.concatenate([register.xy(MANDATORY), register.xy(PUBLIC_BENEFIT)])
    walk = float(county.walks.metres(venues, centre, limit_m=9_000)[0])
    straight = float(cKDTree(venues).query(centre)[0][0])
    return {
        "code": county.plan.units.codes[unit],
        "name": county.plan.units.names[unit],
        "purpose": purpose,
        "people": int(county.residents.unit_people[unit]),
        "straight_holds": bool(_straight_holds(county, register, unit, centre)[0][0]),
        "reach_share": round(_reach_share(county, register, unit), 3),
        "nearest_straight_m": round(straight),
        "nearest_walk_m": round(walk),
        "detour": round(walk / straight, 2),
    }
