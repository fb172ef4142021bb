"""Where the inputs lie to each other, near the roads and in the districts, and what would explain it.

A table nearly none of whose rows lies near the roads is unusable. The commonest mistakes are tried on it: lon
and lat exchanged, GCJ-02 or BD-09 taken for WGS84, another zone of the projection. A wrong zone of a
transverse Mercator projection moves all points by the difference of the two central meridians, a multiple
of 3 degrees in the CGCS2000 and Gauss-Kruger zones and of 6 in UTM, so no zone need be known to try it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from lifecircle.datum import way_between, wgs84_from_bd09, wgs84_from_gcj02
from lifecircle.demand import OUTSIDE
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.roads import profile as find_profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.reading import InputReading
    from lifecircle.roads import Roads
    from lifecircle.standards import Standard
    from lifecircle.study import Study

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

_MOST_ZONES = 10
_SAMPLE = 300
_ENOUGH = 20  # rows under which a shifted datum is not guessed at
_CLEARLY = 2.0
_OFF_M = 10.0


@dataclass(frozen=True, eq=False)
class Layer:
    """The places of one input: ``lonlat`` (row, 2) degrees, NaN where a row has none."""

    role: str
    path: str
    lonlat: Floats

    @property
    def placed(self) -> Flags:
        """Return which rows have a place: (row,)."""
        known: Flags = np.isfinite(self.lonlat[:, 0]) & np.isfinite(self.lonlat[:, 1])
        return known


class Ground:
    """The roads' extent, widened by the usual reach, and distances to the roads."""

    def __init__(self, roads: Roads, reach_m: float) -> None:
        self._roads = roads
        self._to_metres = way_between("EPSG:4326", roads.crs)
        self.reach_m = reach_m
        west, south, east, north = shapely.total_bounds(roads.lines)
        self.box = shapely.box(west - reach_m, south - reach_m, east + reach_m, north + reach_m)
        back = way_between(roads.crs, "EPSG:4326")
        self.degrees: tuple[float, ...] = back.transform_bounds(west, south, east, north)

    def metres(self, lonlat: Floats) -> Floats:
        """Project places: (row, 2), inf or NaN where the projection has no answer."""
        usable = np.abs(lonlat[:, 1]) <= 90  # NaN is not
        x, y = np.where(usable, lonlat[:, 0], np.nan), np.where(usable, lonlat[:, 1], np.nan)
        return np.column_stack(self._to_metres.transform(x, y))

    def near(self, lonlat: Floats) -> Flags:
        """Return which places lie within the roads' extent and the reach around it: (row,)."""
        x, y = self.metres(lonlat).T
        west, south, east, north = self.box.bounds
        with np.errstate(invalid="ignore"):
            inside: Flags = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        return inside

    def usual_leg_m(self, lonlat: Floats) -> float:
        """Find the median distance of places to the nearest road."""
        xy = self.metres(lonlat)
        points = shapely.points(xy[np.isfinite(xy).all(axis=1)])
        if not len(points):
            return float("inf")
        (row, _), metres = self._roads.tree.query_nearest(points, return_distance=True, all_matches=False)
        return float(np.median(metres[np.argsort(row)]))


class Mistake(NamedTuple):
    """A mistake that would explain where rows lie: its code (``swapped``, ``gcj02``, ``bd09``, ``zone``)."""

    code: str
    degrees: int = 0

    def undone(self, lonlat: Floats) -> Floats:
        """Return the places as they would be without the mistake."""
        lon, lat = lonlat.T
        if self.code == "swapped":
            return np.column_stack([lat, lon])
        if self.code == "zone":
            return np.column_stack([lon + self.degrees, lat])
        unshift = wgs84_from_gcj02 if self.code == "gcj02" else wgs84_from_bd09
        return np.column_stack(unshift(lon, lat))


SHIFTS = (Mistake("gcj02"), Mistake("bd09"))
_MISTAKES = (
    Mistake("swapped"),
    *SHIFTS,
    *(Mistake("zone", sign * 3 * step) for step in range(1, _MOST_ZONES + 1) for sign in (1, -1)),
)


def usual_reach_m(standard: Standard) -> float:
    """Find how far anybody gets within the largest limit of a circle, in a straight line at best."""
    reaches = [
        target.minutes * _fastest_kmh(target.profile) / 0.06
        for target in standard.targets
        if target.kind == "circle"
    ]
    return max(reaches, default=1250.0)


def _fastest_kmh(name: str) -> float:
    profile = find_profile(name)
    return max([profile.access_kmh, profile.speed_kmh or 0.0, *(kmh for _, kmh in profile.class_kmh)])


def explaining(ground: Ground, lonlat: Floats) -> Mistake | None:
    """Find the first mistake without which at least half of these places would lie near the roads."""
    known = lonlat[np.isfinite(lonlat).all(axis=1)]
    for mistake in _MISTAKES if len(known) else ():
        if ground.near(mistake.undone(known)).mean() >= 0.5:
            return mistake
    return None


def check_near(
    ground: Ground, layers: Sequence[Layer], roads: str, study: Study
) -> dict[tuple[str, str], float]:
    """Find the share of every layer's places that lie near the roads: (role, path) -> share.

    Raises
    ------
    UnusableInputError
        With a fault for each layer of which less than ``near_min`` lies there; with one for the roads,
        where that is so of every layer.
    """
    shares: dict[tuple[str, str], float] = {}
    lost: list[Layer] = []
    for layer in layers:
        known = layer.placed
        if not known.any():
            continue
        share = shares[layer.role, layer.path] = float(ground.near(layer.lonlat[known]).mean())
        if share < study.reading.near_min:
            lost.append(layer)
    if lost and len(lost) == len(shares) > 1:
        raise UnusableInputError([_roads_fault(ground, lost[0], roads)])
    if lost:
        raise UnusableInputError([_fault(ground, layer) for layer in lost])
    return shares


def _extent(ground: Ground) -> str:
    return "{:.4f}, {:.4f} - {:.4f}, {:.4f}".format(*ground.degrees)


def _fault(ground: Ground, layer: Layer) -> Fault:
    known = np.flatnonzero(layer.placed)
    near = ground.near(layer.lonlat[known])
    lon, lat = layer.lonlat[known[np.argmin(near)]]
    return Fault(
        layer.path,
        say("{far} of {rows} {rows:row|rows}", far=int((~near).sum()), rows=len(known)),
        f"{lon:.6f}, {lat:.6f}",
        say(
            "they lie over {km} km away from the roads, which run from {extent}",
            km=f"{ground.reach_m / 1000:g}",
            extent=_extent(ground),
        ),
        _remedy(explaining(ground, layer.lonlat)),
    )


def _remedy(mistake: Mistake | None) -> str:
    if mistake is None:
        return say("check the file and its datum; if they are right, lower reading.near_min in study.toml")
    if mistake.code == "swapped":
        return say("they lie near the roads with lon and lat exchanged: exchange the two columns")
    if mistake.code == "zone":
        return say(
            "they lie near the roads with a central meridian {degrees} degrees away: "
            "declare datum = 'EPSG:n' of the right zone",
            degrees=f"{mistake.degrees:+d}",
        )
    return say("they lie near the roads when read as {datum}: declare datum = '{datum}'", datum=mistake.code)


def _roads_fault(ground: Ground, layer: Layer, roads: str) -> Fault:
    """Doubt the roads, where no layer lies near them."""
    known = layer.lonlat[layer.placed]
    lon, lat = np.median(known, axis=0)
    return Fault(
        roads,
        say("every table"),
        _extent(ground),
        say(
            "no table lies near these roads; the rows of {path} are about {place}",
            path=layer.path,
            place=f"{lon:.4f}, {lat:.4f}",
        ),
        say("check the coordinate system of the roads, or of all tables, and that they are of one place"),
    )


def check_districts(
    demand: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None, path: str, study: Study
) -> float | None:
    """Find the share of the people with a place who live in a district; None without districts or people.

    Raises
    ------
    UnusableInputError
        When it is less than ``near_min``.
    """
    if districts is None or districts.empty:
        return None
    people = np.where(demand.geometry.isna(), 0.0, demand["population"].to_numpy(dtype=float))
    if not people.sum() > 0:
        return None
    inside = (demand["district"] != OUTSIDE).to_numpy(dtype=bool)
    share = float(people[inside].sum() / people.sum())
    if share < study.reading.near_min:
        fault = Fault(
            path,
            say("{rows} {rows:row|rows}", rows=len(districts)),
            "{:.4f}, {:.4f} - {:.4f}, {:.4f}".format(*districts.total_bounds),
            say("only {share} of the residents live in one of these districts", share=f"{share:.1%}"),
            _district_remedy(demand, districts),
        )
        raise UnusableInputError([fault])
    return share


def districts_near(ground: Ground, districts: gpd.GeoDataFrame, crs: Any) -> float:
    """Find the share of the districts that come near the roads."""
    return float(shapely.intersects(districts.geometry.to_crs(crs).to_numpy(), ground.box).mean())


def _district_remedy(demand: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> str:
    """Try each mistake on the districts, and see whether half of the residents would live in one."""
    homes = demand.geometry.dropna().to_numpy()
    some = shapely.STRtree(homes[np.linspace(0, len(homes) - 1, min(len(homes), _SAMPLE)).astype(np.intp)])
    for mistake in _MISTAKES:
        moved = shapely.transform(districts.geometry.to_numpy(), mistake.undone)
        usable = shapely.is_valid(moved)
        held = np.unique(some.query(moved[usable], predicate="intersects")[1])
        if len(held) >= len(some.geometries) / 2:
            return _remedy(mistake)
    return say("check the coordinate system of the districts, and that they are of this place")


def check_barriers(ground: Ground, roads: Roads, path: str) -> float | None:
    """Find the share of the barriers that come near the roads; None where there are none.

    Raises
    ------
    UnusableInputError
        When none does: a barrier file may well reach far beyond the roads, but not miss them.
    """
    if not len(roads.barriers):
        return None
    share = float(shapely.intersects(roads.barriers, ground.box).mean())
    if share == 0:
        fault = Fault(
            path,
            say("{rows} {rows:row|rows}", rows=len(roads.barriers)),
            "",
            say("no barrier comes near the roads, which run from {extent}", extent=_extent(ground)),
            say("check the coordinate system of the barriers, and that they are of this place"),
        )
        raise UnusableInputError([fault])
    return share


def placement_warnings(
    ground: Ground, layers: Iterable[Layer], readings: Sequence[InputReading], study: Study
) -> list[str]:
    """Warn of layers a notable share of which lies off the roads, with the mistake that would explain it."""
    found = []
    shares = {(one.role, one.path): one.near for one in readings}
    for layer in layers:
        known = layer.lonlat[layer.placed]
        near = ground.near(known)
        far, share = known[~near], shares.get((layer.role, layer.path))
        if share is not None and 1 - share > study.reading.far_warn:
            found.append(f"rows_far:{layer.path}|{len(far)}|{len(known)}")
            mistake = explaining(ground, far)
            if mistake is not None:
                degrees = f"|{mistake.degrees:+d}" if mistake.code == "zone" else ""
                found.append(f"rows_fit_{mistake.code}:{layer.path}|{len(far)}{degrees}")
        shifted = _shifted(ground, known[near]) if layer.role in {"demand", "facilities"} else None
        if shifted is not None:
            found.append(f"rows_fit_{shifted.code}:{layer.path}|{int(near.sum())}")
    return found


def _shifted(ground: Ground, lonlat: Floats) -> Mistake | None:
    """Find the shifted datum read as which places would lie clearly nearer to the roads.

    Places that are right stand at their road's side; read as another datum they are thrown 300 to 1,000 m
    off, which no place gains by. So a median distance halved, and shorter by more than 10 m, is a sign.
    """
    some = lonlat[np.linspace(0, len(lonlat) - 1, min(len(lonlat), _SAMPLE)).astype(np.intp)]
    if len(some) < _ENOUGH:
        return None
    now = ground.usual_leg_m(some)
    legs = {shift: ground.usual_leg_m(shift.undone(some)) for shift in SHIFTS}
    best = min(legs, key=legs.__getitem__)
    return best if now > _CLEARLY * legs[best] and now - legs[best] > _OFF_M else None


def with_near(
    readings: Sequence[InputReading], layers: Iterable[Layer], shares: Mapping[tuple[str, str], float]
) -> tuple[InputReading, ...]:
    """Add to what was read of every input how many rows have a place, and which share lies near the roads."""
    placed = {(one.role, one.path): int(one.placed.sum()) for one in layers}
    return tuple(
        replace(one, placed=placed.get((one.role, one.path)), near=shares.get((one.role, one.path)))
        for one in readings
    )
