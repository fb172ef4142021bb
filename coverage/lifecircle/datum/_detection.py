"""Detect the datum of points from how well they fit roads and districts under each shift.

A facility is beside a road; moved by the 300 to 1,200 m of GCJ-02 or BD-09 it is anywhere. Every
candidate reverses one mistake. A point's distance to the nearest road is then either that of a place beside a
road or that of a place at random, and how distances at random are distributed is measured on the roads
themselves. Mixing shares of the candidates follow by expectation maximisation (Dempster, Laird and Rubin
1977, J. Roy. Stat. Soc. B 39), so that a file with two datums is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.datum._metre_crs import metre_crs, way_between
from lifecircle.datum._shifts import (
    bd09_from_wgs84,
    gcj02_from_wgs84,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifecircle.datum._shifts import FloatArray

    Shift = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

LEAST_POINTS = 30
"""Least number of points for detection; fewer points fit several datums."""

CLEAR = 6.9
"""Difference of log-likelihoods that is clear: the next best is a thousand times less likely."""

MIXED = 0.15
"""Share of points from which on a second datum counts as a mixture."""

MAYBE_MIXED, HINT = 0.1, 0.5
"""Share of points on a second datum, and difference of log-likelihoods, from which on one datum is not clear.

In a county with dense roads none of 30 lists of one datum came so far. Of 88 lists of two datums 43 would be
taken for one of them without this, and 31 of these come so far: 27 of the 33 with 80 places or more.
"""

_MOST_POINTS = 2000
_ROUNDS = 200
_RANDOM_TURNS = 12
_RANDOM_M = (300.0, 1300.0)
_NEAR_M = 2.0  # smallest scale of a distance beside a road: positions are not better than this
_PLAIN = ("wgs84", "gcj02", "bd09")


def _twice(shift: Shift) -> Shift:
    return lambda lon, lat: shift(*shift(lon, lat))


CANDIDATES: Mapping[str, Shift] = {
    "wgs84": lambda lon, lat: (lon, lat),
    "gcj02": wgs84_from_gcj02,
    "bd09": wgs84_from_bd09,
    # A file shifted twice, or one whose shift was undone although there was none.
    "gcj02_twice": _twice(wgs84_from_gcj02),
    "gcj02_undone": gcj02_from_wgs84,
    "bd09_undone": bd09_from_wgs84,
}
"""Name -> how coordinates as they stand become WGS84 if that is what happened to them."""


@dataclass(frozen=True, eq=False)
class Detection:
    """What was detected.

    ``datum`` : ``wgs84``, ``gcj02``, ``bd09`` or ``EPSG:n`` where the evidence is clear, else None;
    ``swapped`` : the second number of a point is its easting; ``reason`` : a code that says why there is no
    datum (``few_points``, ``unclear``, ``mixed``, ``twice``, ``far``), else empty.
    ``evidence`` : on the candidates, ``share`` of the points, ``log_likelihood`` of all points under it
    alone, ``median_m`` to the nearest road and ``inside`` (share within the district stated, or any; NaN
    without districts).
    ``parts`` : candidate -> positions of the points that are most likely its, where several are mixed.
    """

    datum: str | None
    reason: str
    evidence: pd.DataFrame
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)
    swapped: bool = False


def detect(
    points: Any,
    road_lines: Any,
    districts: gpd.GeoDataFrame | None = None,
    *,
    stated: Sequence[Any] | None = None,
) -> Detection:
    """Detect the datum of points, in degrees or in metres.

    Parameters
    ----------
    points : (point,) shapely points, a GeoSeries or an array (point, 2) of numbers as written in a file
    road_lines : (line,) lines in WGS84
    districts : polygons in WGS84 on their codes
    stated : (point,) code of the district that the file states for each point, NA where it states none

    Returns
    -------
    detection : a datum only where the evidence is clear; else the reason

    Raises
    ------
    ValueError
        When there are no road lines.
    """
    lonlat = _lonlat(points)
    ground = _Ground(road_lines, districts)
    if _is_metres(lonlat):
        return _detect_zone(lonlat, ground)
    good = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat) <= (180.0, 90.0)).all(axis=1)
    known = np.flatnonzero(good)
    if len(known) > _MOST_POINTS:  # evenly, so that a second part at the end of a file is seen
        known = known[np.linspace(0, len(known) - 1, _MOST_POINTS).astype(int)]
    table = _evidence_table()
    if len(known) < LEAST_POINTS:
        return Detection(None, "few_points", table)
    x, y = lonlat[known].T
    places = {name: np.column_stack(shift(x, y)) for name, shift in CANDIDATES.items()}
    metres = {name: ground.to_roads(place) for name, place in places.items()}
    names = list(CANDIDATES)
    at_random = ground.at_random(places["wgs84"])
    ratios = _ratios(np.column_stack([metres[name] for name in names]), at_random)
    states = None if stated is None else np.asarray(stated, dtype=object)[known]
    inside = np.column_stack([ground.inside(places[name], states) for name in names])
    # A place outside its district speaks against a candidate, but districts have wrong edges too.
    ratios = ratios * np.where(np.isnan(inside), 1.0, np.where(inside > 0, 1.0, _OUTSIDE))
    shares = _mixed_shares(ratios)
    likely = np.log(_ALONE * ratios + (1 - _ALONE)).sum(axis=0)
    table = pd.DataFrame(
        {
            "share": shares[:-1],
            "log_likelihood": likely,
            "median_m": [float(np.median(metres[name])) for name in names],
            "inside": [
                float(np.nanmean(column)) if np.isfinite(column).any() else np.nan for column in inside.T
            ],
        },
        index=pd.Index(names, name="candidate"),
    )
    return _decided(table, ratios, shares, known)


def _is_metres(xy: FloatArray) -> bool:
    """Return whether numbers are metres: most are larger than any degree."""
    sizes = np.abs(xy[np.isfinite(xy).all(axis=1)])
    return bool(len(sizes)) and bool(np.median(sizes.max(axis=1)) > _MOST_DEGREES)


def _detect_zone(xy: FloatArray, ground: _Ground) -> Detection:
    """Find the zone of CGCS2000 and the order of the axes with which points lie by the roads.

    Zones are a hundred kilometres and more apart, so that a few points are evidence enough; two that both fit
    are separated by their distances to the roads.
    """
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))[:_MOST_POINTS]
    rows: dict[str, tuple[float, float, float]] = {}
    west, _, east, _ = ground.extent
    places: list[FloatArray] = []
    middle = (west + east) / 2
    for code in (code for code, meridian in _ZONES.items() if abs(meridian - middle) <= _ZONE_DEG):
        way = way_between(code, 4326)
        for name, pair in ((f"EPSG:{code}", xy[known]), (f"EPSG:{code} swapped", xy[known][:, ::-1])):
            lon, lat = way.transform(*pair.T)
            # Both orders of the axes, because Chinese surveys write the northing first.
            place = np.column_stack([lon, lat])
            near = ground.near(place)
            # A zone of six degrees may be one of three under another number: the first is enough.
            if near.mean() < _NEARLY_ALL or any(np.allclose(place, other) for other in places):
                continue
            places.append(place)
            metres = ground.to_roads(place[near])
            rows[name] = (float(near.mean()), -float(np.log1p(metres).sum()), float(np.median(metres)))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["share", "log_likelihood", "median_m"])
    table = (
        table.assign(inside=np.nan).rename_axis("candidate").sort_values("log_likelihood", ascending=False)
    )
    if table.empty:
        return Detection(None, "far", table)
    if len(table) > 1 and table["log_likelihood"].iloc[0] - table["log_likelihood"].iloc[1] <= CLEAR:
        return Detection(None, "unclear", table)
    name, _, swapped = str(table.index[0]).partition(" ")
    return Detection(name, "", table, swapped=bool(swapped))


_MOST_DEGREES = 360.0
_NEARLY_ALL = 0.5
_AROUND_DEG = 0.2
"""Degrees beyond the roads within which points are of the same county."""

_ZONE_DEG = 6.0
"""Degrees from the roads to the middle of a zone: no office uses a zone beyond that."""

_ZONES = {
    **{4534 + zone: 75.0 + 3 * zone for zone in range(21)},
    **{4513 + zone: 75.0 + 3 * zone for zone in range(21)},
    **{4502 + zone: 75.0 + 6 * zone for zone in range(11)},
    **{4491 + zone: 75.0 + 6 * zone for zone in range(11)},
}
"""CGCS2000 zone -> its central meridian: of three degrees and of six, without and with the zone's number."""

_ALONE = 0.9
"""Share of points that stand beside a road when a candidate is right; the others stand anywhere."""

_OUTSIDE = 0.05


def _decided(table: pd.DataFrame, ratios: FloatArray, shares: FloatArray, known: Any) -> Detection:
    """Return the decision from the evidence: one datum, a mixture, a shift made twice, or none."""
    # The order of the tests matters: far from the roads nothing can be concluded, and a mixture must be found
    # before one datum is accepted for all points.
    order = table["log_likelihood"].sort_values(ascending=False)
    best, second = order.index[0], order.index[1]
    names = list(table.index)
    if order.iloc[0] <= 0 and table["share"].sum() < MIXED:
        return Detection(None, "far", table)
    large = [name for name in names if table.loc[name, "share"] >= MIXED]
    together = float(np.log((ratios * shares[:-1]).sum(axis=1) + shares[-1]).sum())
    if len(large) > 1 and together - order.iloc[0] > CLEAR:
        weights = np.column_stack([ratios * shares[:-1], np.full(len(ratios), shares[-1])])
        member = weights.argmax(axis=1)
        parts = {name: known[member == names.index(name)] for name in large}
        return Detection(None, "mixed", table, parts)
    if order.iloc[0] - order[second] <= CLEAR:
        return Detection(None, "unclear", table)
    # Too little to name a mixture, but enough not to move every point by one shift.
    if (
        table["share"].drop(best).max() >= MAYBE_MIXED
        and together - _alone(ratios[:, names.index(best)]) > HINT
    ):
        return Detection(None, "unclear", table)
    if best not in _PLAIN:
        return Detection(None, "twice", table)
    return Detection(str(best), "", table)


def _evidence_table() -> pd.DataFrame:
    columns = {name: pd.Series(dtype="float64") for name in ("share", "log_likelihood", "median_m", "inside")}
    return pd.DataFrame(columns, index=pd.Index([], name="candidate", dtype="str"))


def _ratios(metres: FloatArray, at_random: FloatArray) -> FloatArray:
    """Return how much likelier each distance is beside a road than at random: (point, candidate).

    Distances at random are binned by their quantiles, so that each bin is equally likely at random. What is
    beside a road falls off exponentially; its scale is that of the candidate that fits best.
    """
    scale = max(_NEAR_M, float(np.median(metres, axis=0).min()) / np.log(2))
    edges = np.unique(np.quantile(at_random, np.linspace(0, 1, 21)))
    edges[0], edges[-1] = 0.0, np.inf
    if len(edges) < 3:
        return np.ones(metres.shape)
    counts = np.histogram(at_random, edges)[0] / len(at_random)
    beside = np.diff(1 - np.exp(-np.minimum(edges, 1e9) / scale))
    ratio = np.maximum(beside, 1e-6) / np.maximum(counts, 1e-6)
    return np.asarray(ratio[np.clip(np.searchsorted(edges, metres, side="right") - 1, 0, len(ratio) - 1)])


def _mixed_shares(ratios: FloatArray) -> FloatArray:
    """Find the shares of candidates, and of none of them (last), that explain all points best."""
    both = np.column_stack([ratios, np.ones(len(ratios))])
    shares = np.full(both.shape[1], 1 / both.shape[1])
    for _ in range(_ROUNDS):
        weights = both * shares
        fresh = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
        if np.abs(fresh - shares).max() < 1e-6:
            break
        shares = fresh
    return np.asarray(shares)


def _alone(ratio: FloatArray) -> float:
    """Return the log-likelihood of one candidate, with the share of points beside a road that fits best."""
    shares = _mixed_shares(ratio[:, None])
    return float(np.log(ratio * shares[0] + shares[1]).sum())


def _lonlat(points: Any) -> FloatArray:
    """Return points as (point, 2), NaN where there is none."""
    array = np.asarray(points, dtype=object) if not isinstance(points, np.ndarray) else points
    if array.dtype != object:
        return np.asarray(array, dtype=np.float64).reshape(-1, 2)
    shapes = np.asarray(getattr(points, "array", points), dtype=object)
    return np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])


class _Ground:
    """Roads and districts in metres, to measure points against."""

    def __init__(self, road_lines: Any, districts: gpd.GeoDataFrame | None) -> None:
        lines = gpd.GeoSeries(np.asarray(road_lines, dtype=object), crs="EPSG:4326")
        lines = lines[lines.notna() & ~lines.is_empty]
        if lines.empty:
            raise ValueError("no road lines to compare points with")
        self.extent = tuple(lines.total_bounds)
        west, south, east, north = self.extent
        self.crs = metre_crs([west, east], [south, north])
        self.tree = shapely.STRtree(lines.to_crs(self.crs).to_numpy())
        self.districts = None if districts is None or districts.empty else districts.to_crs(self.crs)

    def near(self, lonlat: FloatArray) -> Any:
        """Return which places lie within the roads' extent or close around it: (point,)."""
        west, south, east, north = self.extent
        lon, lat = lonlat.T
        with np.errstate(invalid="ignore"):
            return (
                (lon >= west - _AROUND_DEG)
                & (lon <= east + _AROUND_DEG)
                & (lat >= south - _AROUND_DEG)
                & (lat <= north + _AROUND_DEG)
            )

    def metres(self, lonlat: FloatArray) -> Any:
        """Return places in metres, as points."""
        return gpd.GeoSeries(gpd.points_from_xy(*lonlat.T), crs="EPSG:4326").to_crs(self.crs).to_numpy()

    def to_roads(self, lonlat: FloatArray) -> FloatArray:
        """Return the distance of each place to the nearest road: (point,)."""
        return self._distance(self.metres(lonlat))

    def _distance(self, shapes: Any) -> FloatArray:
        _, metres = self.tree.query_nearest(shapes, return_distance=True, all_matches=False)
        return np.asarray(metres, dtype=np.float64)

    def at_random(self, lonlat: FloatArray) -> FloatArray:
        """Return distances of the same places moved about as far as a shift does, in every direction."""
        shapes = self.metres(lonlat)
        xy = np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])
        turns = np.linspace(0, 2 * np.pi, _RANDOM_TURNS, endpoint=False)
        found = []
        for at, turn in enumerate(turns):
            far = np.linspace(*_RANDOM_M, _RANDOM_TURNS)[(at * 5) % _RANDOM_TURNS]
            found.append(self._distance(shapely.points(xy + far * np.array([np.cos(turn), np.sin(turn)]))))
        return np.concatenate(found)

    def inside(self, lonlat: FloatArray, stated: Any) -> FloatArray:
        """Return whether each place is in the district stated for it, or in any: (point,), NaN unknown."""
        nothing = np.full(len(lonlat), np.nan)
        if self.districts is None:
            return nothing
        shapes = self.metres(lonlat)
        point, unit = shapely.STRtree(self.districts.geometry.to_numpy()).query(
            shapes, predicate="intersects"
        )
        if stated is None:
            found = np.zeros(len(lonlat))
            found[point] = 1.0
            return found
        codes = self.districts.index.astype("str").to_numpy()
        own = np.array(["" if code is None or pd.isna(code) else str(code) for code in stated], dtype=object)
        found = np.where(np.isin(own.astype(str), codes), 0.0, np.nan)
        hit = codes[unit] == own[point].astype(str)
        found[point[hit]] = 1.0
        return found
