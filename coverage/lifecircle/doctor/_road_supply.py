"""Measure by district how complete the roads are: length, homes near a road, and pieces that join no other.

Pure figures of prepared inputs and a run; whether they are a problem is decided in ``_road_checks``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely

from lifecircle.findings import as_circle

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings, TargetResult
    from lifecircle.roads import Roads

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]

NEAR_M: Final = (100.0, 500.0)
"""Metres from a home to the nearest road, inclusive, of which the share of the people is given."""

OUTSIDE: Final = "(outside)"


@dataclass(frozen=True)
class DistrictRoads:
    """Roads of one district, and who lives how near to them.

    ``area_km2`` is None where the study has no districts; ``near_100``, ``near_500`` : share of the people
    who have a road within so many metres, None where nobody lives. ``islands``, ``island_km``,
    ``island_people`` : pieces of road apart from the longest fragment, their length inside the district, and
    the people whose home joined one. ``lost`` and ``beyond`` : people unsnapped or disconnected, and people
    beyond, of the target where most are lost; ``counted`` : all the people it counts.
    """

    code: str
    name: str
    area_km2: float | None
    road_km: float
    people: float
    near_100: float | None
    near_500: float | None
    islands: int
    island_km: float
    island_people: float
    target: str
    counted: float
    lost: float
    beyond: float

    @property
    def km_per_km2(self) -> float | None:
        """Return kilometres of road per square kilometre."""
        return self.road_km / self.area_km2 if self.area_km2 else None

    @property
    def km_per_1000(self) -> float | None:
        """Return kilometres of road per 1,000 residents."""
        return self.road_km / self.people * 1000 if self.people > 0 else None


def road_supply(inputs: Inputs, findings: Findings) -> tuple[DistrictRoads, ...]:
    """Return the roads of every district, of the network on foot where there is one.

    Parameters
    ----------
    inputs, findings : a study prepared for a year, and its run

    Returns
    -------
    districts : in their order; one row without a name where the study has none
    """
    roads = inputs.networks.get("walk") or next(iter(inputs.networks.values()))
    codes, names, areas = _units(inputs)
    home = _district_of_homes(inputs, codes)
    people = inputs.demand["population"].to_numpy(dtype=float)
    metres = _to_roads(roads, inputs)
    lengths = _lengths(roads, inputs, len(codes))
    joined = inputs.snapped(roads, inputs.homes)
    fragment = np.zeros(len(people), np.int64)
    fragment[joined.snapped] = roads.components[roads.u[joined.edge[joined.snapped]]]
    lost = _lost(inputs, findings, home, len(codes))
    found = []
    for at, code in enumerate(codes):
        mine = home == at
        heads = float(people[mine].sum())
        near = [float(people[mine & (metres <= most)].sum()) / heads if heads else None for most in NEAR_M]
        island = lengths[at, 1:]
        found.append(
            DistrictRoads(
                code=code,
                name=names[at],
                area_km2=areas[at],
                road_km=float(lengths[at].sum()) / 1000,
                people=heads,
                near_100=near[0],
                near_500=near[1],
                islands=int((island > 0).sum()),
                island_km=float(island.sum()) / 1000,
                island_people=float(people[mine & (fragment > 0)].sum()),
                target=lost[at][0],
                counted=lost[at][1],
                lost=lost[at][2],
                beyond=lost[at][3],
            )
        )
    return tuple(found)


def _units(inputs: Inputs) -> tuple[list[str], list[str], list[float | None]]:
    """Return the codes, names and square kilometres of the districts; one unit where there are none."""
    if inputs.districts is None:
        return [""], [""], [None]
    districts = inputs.districts.to_crs(inputs.crs)
    areas = shapely.area(districts.geometry.to_numpy()) / 1e6
    names = districts["name"].astype("str") if "name" in districts else districts.index.astype("str")
    return [str(code) for code in districts.index], list(names), [float(area) for area in areas]


def _district_of_homes(inputs: Inputs, codes: list[str]) -> Longs:
    """Return the position of the district each home lies in, -1 outside all: (demand,)."""
    if inputs.districts is None:
        return np.zeros(len(inputs.demand), np.int64)
    number = {code: at for at, code in enumerate(codes)}
    stated = inputs.demand["district"].astype("str")
    return np.array([number.get(code, -1) for code in stated], np.int64)


def _to_roads(roads: Roads, inputs: Inputs) -> Floats:
    """Return the straight metres from each home to the nearest road, inf beyond the farthest asked for."""
    points = inputs.homes.to_crs(roads.crs).geometry.to_numpy()
    metres = np.full(len(points), np.inf)
    placed = np.flatnonzero(~(shapely.is_missing(points) | shapely.is_empty(points)))
    (at, _), found = roads.tree.query_nearest(
        points[placed], max_distance=NEAR_M[-1] * (1 + 1e-9), return_distance=True, all_matches=False
    )
    metres[placed[at]] = found
    return metres


def _lengths(roads: Roads, inputs: Inputs, units: int) -> Floats:
    """Return the metres of road of each fragment in each unit: (unit, fragment)."""
    label = roads.components[roads.u]
    lengths = np.zeros((units, int(label.max(initial=0)) + 1))
    if inputs.districts is None:
        np.add.at(lengths[0], label, shapely.length(roads.lines))
        return lengths
    shapes = inputs.districts.to_crs(roads.crs).geometry.to_numpy()
    for at, shape in enumerate(shapes):
        touching = roads.tree.query(shape, predicate="intersects")
        inside = np.isin(touching, roads.tree.query(shape, predicate="contains"))
        # Only edges that cross the border are cut: cutting all of them takes a hundred times as long.
        crossing = touching[~inside]
        parts = shapely.length(shapely.intersection(roads.lines[crossing], shape))
        np.add.at(lengths[at], label[touching[inside]], shapely.length(roads.lines[touching[inside]]))
        np.add.at(lengths[at], label[crossing], parts)
    return lengths


def reached_by_some(result: TargetResult) -> bool:
    """Return whether anybody reaches the venues of a circle.

    Where nobody does, venues are missing, and roads are not to blame.
    """
    count = as_circle(result).count
    return count is not None and count.covered + count.beyond > 0


def _lost(
    inputs: Inputs, findings: Findings, home: Longs, units: int
) -> list[tuple[str, float, float, float]]:
    """Return for each unit the circle that loses most people to its roads: id, counted, lost, beyond."""
    worst = [("", 0.0, 0.0, 0.0)] * units
    rows = findings.status.index.get_indexer(inputs.demand.index)
    for result in findings.targets:
        name = result.target.id
        if as_circle(result).count is None or name not in findings.status or name not in findings.people:
            continue
        table = pd.DataFrame(
            {
                "unit": home,
                "people": findings.people[name].to_numpy(dtype=float)[rows],
                "status": findings.status[name].astype("str").to_numpy()[rows],
            }
        )
        sums = table[table["unit"] >= 0].pivot_table(
            index="unit", columns="status", values="people", aggfunc="sum", fill_value=0.0
        )
        for unit, row in sums.iterrows():
            cut_off = row.get("disconnected", 0.0) if reached_by_some(result) else 0.0
            lost = float(row.get("unsnapped", 0.0) + cut_off)
            own = (name, float(row.sum()), lost, float(row.get("beyond", 0.0)))
            if own[1] > 0 and (not worst[int(unit)][0] or lost / own[1] > _share(worst[int(unit)])):
                worst[int(unit)] = own
    return worst


def _share(one: tuple[str, float, float, float]) -> float:
    return one[2] / one[1] if one[1] > 0 else 0.0
