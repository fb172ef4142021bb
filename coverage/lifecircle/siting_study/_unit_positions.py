"""Where the sites of a unit stand: on candidates near the middle of its people, else at homes near it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.candidates import service_list
from lifecircle.demand import OUTSIDE, assign_districts, assign_villages
from lifecircle.facilities import DUPLICATE_M
from lifecircle.siting_study._candidate_sites import gather
from lifecircle.siting_study._existing_venues import profile_of
from lifecircle.siting_study._siting_steps import known_costs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.siting_study._candidate_sites import Candidates
    from lifecircle.standards import PresenceTarget

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Position:
    """Where a site stands.

    ``candidate`` : its id, with ``works`` and ``cost`` (None where unknown); empty where it is put at a home.
    """

    lon: float
    lat: float
    candidate: str = ""
    works: str = ""
    cost: float | None = None


@dataclass(frozen=True, eq=False)
class Homes:
    """Homes of a unit: ``metres``, ``lonlat`` (home, 2), ``people`` (home,), ``able`` : on the roads."""

    metres: Floats
    people: Floats
    lonlat: Floats
    able: npt.NDArray[np.bool_]


def unit_candidates(inputs: Inputs, target: PresenceTarget, file: str | Path | None) -> Candidates | None:
    """Read the list of candidates, the one given or the study's own; None where there is none.

    Raises
    ------
    UnusableInputError
        With every fault of the list.
    """
    if file is None and inputs.study.siting.candidates is None:
        return None
    nobody = np.zeros(len(inputs.demand))
    return gather(inputs, target, nobody > 0, nobody, file=file)


def homes_of(inputs: Inputs, target: PresenceTarget, codes: Sequence[str]) -> dict[str, Homes]:
    """Return the homes of each unit at which a venue would stand in it, by its code.

    Parameters
    ----------
    codes : of the units
    """
    demand = inputs.demand
    roads = inputs.networks[profile_of(inputs)]
    on_roads = inputs.snapped(roads, inputs.in_metres(demand)).snapped
    placed = (demand.geometry.notna() & ~demand.geometry.is_empty).to_numpy(dtype=bool)
    if target.unit == "county":
        mine = np.flatnonzero(placed & (demand["district"].astype("str") != OUTSIDE).to_numpy(dtype=bool))
        unit = np.full(len(mine), codes[0], dtype=object)
    else:
        wanted = demand[target.unit].astype("str").isin(list(codes)).to_numpy(dtype=bool)
        mine = np.flatnonzero(placed & wanted)
        # A venue's unit is found from its place alone, and a resident's may be what a column says.
        bare = gpd.GeoDataFrame(geometry=demand.geometry.to_numpy()[mine], crs="EPSG:4326")
        bare = assign_villages(assign_districts(bare, inputs.districts), inputs.villages)
        unit = bare[target.unit].astype("str").to_numpy(dtype=object)
    people = demand["population"].to_numpy(dtype=float)
    metres = inputs.metres
    homes = {}
    for code in codes:
        rows = mine[unit == code]
        # A site that no road leads to is for nobody; only a unit without any road has to take such a home.
        able = on_roads[rows] if on_roads[rows].any() else np.ones(len(rows), dtype=bool)
        if len(rows):
            homes[code] = Homes(metres[rows], people[rows], inputs.lonlat[rows], able)
    return homes


def positions_in(  # noqa: PLR0913 - where, and what for
    inputs: Inputs,
    target: PresenceTarget,
    found: Candidates | None,
    *,
    code: str,
    inside: tuple[float, float],
    homes: Mapping[str, Homes],
    holds: Sequence[tuple[str, ...]],
) -> list[Position]:
    """Choose where the sites of a unit stand: the candidates nearest to the middle of its people, then homes.

    Parameters
    ----------
    code, inside : the unit, and a position within it in degrees
    homes : as from :func:`homes_of`
    holds : (site,) services that each site holds; a candidate that may not hold them is passed over

    Returns
    -------
    positions : (site,); sites at homes are farther from each other than venues that would count as one, as
        long as the unit has such homes
    """
    middle = _middle(inputs, homes.get(code), inside)
    at_home = _spread(homes.get(code), middle, inside)
    near = _candidates_in(inputs, target, found, code, middle)
    chosen = []
    for number, services in enumerate(holds):
        on = next((one for one, able in near if not able or set(services) <= able), None)
        if on is not None:
            near = [pair for pair in near if pair[0] is not on]
        chosen.append(on or at_home[number % len(at_home)])
    return chosen


def _middle(inputs: Inputs, homes: Homes | None, inside: tuple[float, float]) -> Floats:
    """Find the middle of a unit's people in metres; without homes the position inside it."""
    if homes is None:
        point = gpd.GeoSeries([shapely.Point(*inside)], crs="EPSG:4326").to_crs(inputs.crs).iloc[0]
        return np.array([point.x, point.y])
    people = homes.people if homes.people.sum() > 0 else None
    return np.asarray(np.average(homes.metres, axis=0, weights=people))


def _spread(homes: Homes | None, middle: Floats, inside: tuple[float, float]) -> list[Position]:
    """Return the homes for sites, nearest to the middle first, each apart from those before."""
    if homes is None:
        return [Position(*inside)]
    metres, lonlat = homes.metres[homes.able], homes.lonlat[homes.able]
    kept: list[int] = []
    for at in np.argsort(np.hypot(*(metres - middle).T), kind="stable").tolist():
        if all(np.hypot(*(metres[at] - metres[other])) > DUPLICATE_M for other in kept):
            kept.append(at)
        if len(kept) == _MOST_HOMES:
            break
    return [Position(float(lonlat[at, 0]), float(lonlat[at, 1])) for at in kept]


_MOST_HOMES = 20  # more sites than this in one unit stand at the same homes


def _candidates_in(
    inputs: Inputs, target: PresenceTarget, found: Candidates | None, code: str, middle: Floats
) -> list[tuple[Position, set[str]]]:
    """Return the free candidates in a unit, nearest first, each with what it may hold (empty: anything)."""
    if found is None:
        return []
    table = found.table
    inside = np.ones(len(table), dtype=bool)
    if target.unit != "county":
        inside = (table[target.unit].astype("str") == code).to_numpy(dtype=bool)
    at = np.flatnonzero(inside & found.free)
    if not len(at):
        return []
    points = table.geometry.iloc[at].to_crs(inputs.crs)
    away = np.hypot(points.x.to_numpy() - middle[0], points.y.to_numpy() - middle[1])
    prices = known_costs(table, inputs.study)
    near = []
    for one in at[np.argsort(away, kind="stable")].tolist():
        row = table.iloc[one]
        price = float(prices[one])
        position = Position(
            lon=float(row.geometry.x),
            lat=float(row.geometry.y),
            candidate=str(table.index[one]),
            works=str(row["works"]),
            cost=None if np.isnan(price) else price,
        )
        text = row["services"]
        near.append((position, set() if not isinstance(text, str) or not text else set(service_list(text))))
    return near
