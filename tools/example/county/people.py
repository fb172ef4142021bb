"""Settle the county: people per village, residents about 100 m apart, and groups among them.

Totals are the census totals to the person; everything below the county is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from county.plan import SKETCHES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from county.network import Network
    from county.plan import Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CENSUS_TOTAL, CENSUS_URBAN = 456_775, 297_920
SPACING_M = 100.0
# Group: share of urban residents, share of rural residents. Plausible, not surveyed.
GROUP_SHARES = {
    "age_0_2": (0.023, 0.014),
    "age_60": (0.205, 0.335),
    "nonregistered": (0.29, 0.085),
    "low_income": (0.004, 0.017),
    "disabled": (0.021, 0.031),
}
FAR_HAMLET_PEOPLE = 46  # the hamlet more than 500 m from any road
PLACELESS_PEOPLE = (23, 17)  # residents registered without coordinates


@dataclass(frozen=True)
class Residents:
    """Points where people live, by village, then place. ``xy`` is NaN where the register has no place."""

    xy: Floats
    unit: Ints
    people: Ints
    groups: dict[str, Ints]
    far: NDArray[np.bool_]  # the unsnappable hamlet
    committee: Floats  # (unit, 2): the committee's office of each village
    unit_people: Ints


def settle(plan: Plan, network: Network, seed: int, *, residents: int) -> Residents:
    """Put residents where streets and clusters are; ``residents`` is the number of points."""
    rng = np.random.default_rng([seed, 30])
    totals = _unit_totals(plan, rng)
    xy, weight, unit = _places(plan, network, rng, residents=residents)
    far_xy, far_unit = _far_hamlet(plan, network)
    order = np.lexsort((xy[:, 0], xy[:, 1], unit))
    xy, weight, unit = xy[order], weight[order], unit[order]
    apart = np.zeros(len(totals), dtype=np.int64)
    people_far = _shared_out(np.ones(len(far_xy)), FAR_HAMLET_PEOPLE if len(far_xy) else 0)
    np.add.at(apart, far_unit, people_far)
    homeless_unit = np.nonzero(~plan.units.urban)[0][[4, -5]]
    apart[homeless_unit] += np.array(PLACELESS_PEOPLE)
    people = np.zeros(len(xy), dtype=np.int64)
    for number, total in enumerate(totals):
        own = unit == number
        people[own] = 1 + _shared_out(
            weight[own] * rng.uniform(0.6, 1.4, own.sum()), int(total - apart[number] - own.sum())
        )
    xy = np.concatenate([xy, far_xy, np.full((2, 2), np.nan)])
    unit = np.concatenate([unit, far_unit, homeless_unit])
    people = np.concatenate([people, people_far, np.array(PLACELESS_PEOPLE)])
    far = np.zeros(len(xy), dtype=bool)
    far[-2 - len(far_xy) : -2] = True
    groups = _groups(plan, unit, people, rng)
    return Residents(xy, unit, people, groups, far, _committees(plan, xy, people), totals)


def _unit_totals(plan: Plan, rng: np.random.Generator) -> Ints:
    """Share the census totals out among urban and rural units."""
    units = plan.units
    scale = len(plan.towns) / len(SKETCHES)
    size = np.exp(rng.normal(0, 0.22, len(units.codes)))
    town_weight = np.array([sketch.urban_weight for sketch in plan.sketches])[units.town]
    urban_weight = size * np.where(units.community, town_weight, 0.62)
    totals = np.zeros(len(units.codes), dtype=np.int64)
    urban = round(CENSUS_URBAN * scale)
    totals[units.urban] = _shared_out(urban_weight[units.urban], urban)
    totals[~units.urban] = _shared_out(size[~units.urban], round(CENSUS_TOTAL * scale) - urban)
    return totals


def _shared_out(weight: Floats, total: int) -> Ints:
    """Share a whole number out by weight, largest remainders first; the parts add up exactly."""
    if total < 0:
        raise ValueError(f"there are {-total} more places than people in a village: ask for fewer residents")
    if not len(weight) and total == 0:
        return np.empty(0, dtype=np.int64)
    if not len(weight):
        raise ValueError(f"{total} people have no place to live in: ask for more edges or residents")
    exact = weight * (total / weight.sum())
    parts = np.floor(exact).astype(np.int64)
    rest = total - int(parts.sum())
    parts[np.argsort(parts - exact, kind="stable")[:rest]] += 1
    return parts


def _places(
    plan: Plan, network: Network, rng: np.random.Generator, *, residents: int
) -> tuple[Floats, Floats, Ints]:
    """Choose the most settled places of a jittered lattice, near streets and off the water."""
    spacing = SPACING_M * min(1.0, float(np.sqrt(24_000 * len(plan.towns) / 9 / max(residents, 1))) * 1.02)
    west, south, east, north = plan.outline.bounds
    grid = np.meshgrid(np.arange(west, east, spacing), np.arange(south, north, spacing))
    xy = np.column_stack([axis.ravel() for axis in grid])
    xy += rng.uniform(-0.25, 0.25, xy.shape) * spacing
    land = plan.outline.buffer(-70)
    shapely.prepare(land)
    xy = xy[shapely.contains_xy(land, xy[:, 0], xy[:, 1])]
    crowd = plan.fields.at(plan.fields.people, xy)
    hilly = plan.fields.at(plan.fields.block_m, xy) > 2_000
    walkable = network.highway != "motorway"
    stops = shapely.get_coordinates(shapely.segmentize(network.lines[walkable], 30.0))
    off = cKDTree(stops).query(xy, distance_upper_bound=150.0)[0]
    town = np.full(len(xy), -1)
    for number, tile in enumerate(plan.towns):
        shapely.prepare(tile)
        town[shapely.contains_xy(tile, xy[:, 0], xy[:, 1])] = number
    good = (off < 105) & ~hilly & (town >= 0)
    xy, crowd, town, off = xy[good], crowd[good], town[good], off[good]
    strips = shapely.buffer([*network.canals, *network.expressways, plan.lake], 9.0)
    wet = shapely.STRtree(shapely.points(xy)).query(strips, predicate="contains")[1]
    dry = np.ones(len(xy), dtype=bool)
    dry[wet] = False
    xy, crowd, town, off = xy[dry], crowd[dry], town[dry], off[dry]
    unit, gap = _owner(plan, xy, town)
    # Few live where the nearest street is across the water, and nobody in towns.
    cut_off = _across_water(network, xy, walkable) & (plan.units.urban[unit] | (rng.random(len(xy)) > 0.2))
    xy, crowd, off, unit, gap = (part[~cut_off] for part in (xy, crowd, off, unit, gap))
    ribbon = 0.035 * np.exp(-((gap / 1_150) ** 2)) * np.clip(1.2 - off / 105, 0.1, 1)
    weight = np.maximum(crowd, ribbon)
    rank = weight * rng.uniform(0.5, 1.5, len(weight))
    rank[_best_of_each(unit, weight)] += 10
    order = np.argsort(-rank, kind="stable")[:residents]
    return np.round(xy[order], 1), weight[order], unit[order]


def _across_water(network: Network, xy: Floats, walkable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the places (n, 2) where the way to the nearest street crosses a canal or the expressway."""
    places, lines = shapely.points(xy), network.lines[walkable]
    place, line = shapely.STRtree(lines).query_nearest(places, all_matches=False)
    ways = shapely.shortest_line(places[place], lines[line])
    crossed = np.zeros(len(xy), dtype=bool)
    strips = shapely.STRtree([*network.canals, *network.expressways])
    crossed[place[strips.query(ways, predicate="intersects")[0]]] = True
    return crossed


def _owner(plan: Plan, xy: Floats, town: Ints) -> tuple[Ints, Floats]:
    """Find the nearest village heart of the same town, and how far it is."""
    unit, gap = np.full(len(xy), -1), np.zeros(len(xy))
    for number in range(len(plan.towns)):
        own = np.nonzero(plan.units.town == number)[0]
        here = town == number
        if here.any():
            distance, nearest = cKDTree(plan.units.xy[own]).query(xy[here])
            unit[here], gap[here] = own[nearest], distance
    return unit, gap


def _best_of_each(unit: Ints, weight: Floats) -> Ints:
    """Find the twelve most settled places of every village, so that none is empty."""
    order = np.lexsort((-weight, unit))
    start = np.searchsorted(unit[order], unit[order])
    return order[np.arange(len(order)) - start < 12]


def _far_hamlet(plan: Plan, network: Network) -> tuple[Floats, Ints]:
    """Find a place in the hills more than 500 m from any road and put four dwellings there.

    A small county may have no such place; then there is no such hamlet.
    """
    stops = cKDTree(shapely.get_coordinates(shapely.segmentize(network.lines, 25.0)))
    box = plan.hills.buffer(300).intersection(plan.outline.buffer(-600))
    west, south, east, north = box.bounds
    grid = np.meshgrid(np.arange(west, east, 40.0), np.arange(south, north, 40.0))
    xy = np.column_stack([axis.ravel() for axis in grid])
    xy = xy[shapely.contains_xy(box, xy[:, 0], xy[:, 1])]
    gap = stops.query(xy)[0]
    best = xy[gap.argmax()]
    near = np.argsort(np.hypot(*(xy - best).T), kind="stable")[[0, 5, 9, 13]]
    if gap[near].min() < 515:
        return np.empty((0, 2)), np.empty(0, dtype=np.int64)
    town = np.array(
        [[tile.contains(shapely.Point(place)) for tile in plan.towns].index(True) for place in xy[near]]
    )
    return np.round(xy[near], 1), _owner(plan, xy[near], town)[0]


def _groups(plan: Plan, unit: Ints, people: Ints, rng: np.random.Generator) -> dict[str, Ints]:
    """Count each group at each point; running totals are rounded, so that shares hold in every village."""
    urban = plan.units.urban[unit]
    tilt = {name: rng.uniform(0.8, 1.2, len(plan.units.codes))[unit] for name in GROUP_SHARES}
    groups = {}
    for name, (town_share, village_share) in GROUP_SHARES.items():
        running = np.cumsum(people * np.where(urban, town_share, village_share) * tilt[name])
        groups[name] = np.diff(np.floor(running + 0.5), prepend=0).astype(np.int64)
    groups["age_0_2"] = np.minimum(groups["age_0_2"], people - groups["age_60"])
    return groups


def _committees(plan: Plan, xy: Floats, people: Ints) -> Floats:
    """Put each committee's office beside the residents nearest to the village's heart."""
    known = ~np.isnan(xy[:, 0]) & (people > 0)
    nearest: Any = cKDTree(xy[known]).query(plan.units.xy)[1]
    return np.round(xy[known][nearest] + 8.0, 1)
