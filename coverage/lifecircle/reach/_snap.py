"""Find where a point joins the roads: edge, share of the edge, access leg; not the time it takes.

A point joins the nearest point of the nearest edge, planar in the roads' CRS. Steps, in order:

1. no usable place (no geometry, an empty one, coordinates that cannot be projected): ``no_place``;
2. the nearest edge, whatever its component; of several at exactly one distance, the lowest number;
3. nearest edge farther than the cap, or no edge at all: ``far`` (the distance is kept);
4. a leg that crosses a barrier is not taken: the nearest of up to 8 nearest edges within the cap whose
   leg is clear, else ``barrier`` (the distance of the nearest edge is kept);
5. where the main network is preferred (``prefer_main_m`` > 0), a point whose edge, found by the steps
   before, lies on a short fragment goes to an edge that lies on none:

   a. a fragment is all edges that are connected, one-way or not; it is short when together they are under
      ``fragment_m``, unless it is the longest of the network;
   b. of the edges on no short fragment, those no more than ``prefer_main_m`` farther from the point than
      its edge, and within the cap, are tried by distance, then edge number (both bounds inclusive);
   c. the first whose leg is clear of barriers, of up to 8, is taken; where there is none, the point stays;
6. a place within 1e-7 m of an end of its edge is that junction: share exactly 0 or 1.

A leg crosses a line barrier when it meets it anywhere but at the leg's own two ends (to the millimetre),
so that a road lying on a railway at a crossing, or a home on the line itself, is no crossing. It crosses
a polygon when it runs through its interior; along the bank is no crossing. A home inside a water polygon
therefore has no clear leg, and neither has a leg that joins a bridge from the water side.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.errors import GraphError, ProjectionError, say
from lifecircle.files import content_key, load_arrays, save_arrays
from lifecircle.reach._choice import Work, choose
from lifecircle.reach._grid import grid_of
from lifecircle.reach._ranges import spread

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from lifecircle.roads import Roads

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Objects = npt.NDArray[Any]

REASONS = ("", "far", "barrier", "no_place")
"""Why a point is not on the roads; empty for one that is."""

_DEMAND_CAP_M = 500.0
FACILITY_CAP_M = 300.0
FRAGMENT_M = 500.0
"""Metres of road together under which a fragment is short, unless a caller says otherwise."""

_JUNCTION_M = 1e-7  # above float noise of projected coordinates (1e-9 m), below any limit's slack in time
_LEG_END_M = 1e-3
TRIED_EDGES = 8
_COMPARED = 64
"""Points whose measures by compiled loops are compared with those of GEOS, each time."""


@dataclass(frozen=True, eq=False)
class Snap:
    """Where each row of a table joins the roads.

    Attributes
    ----------
    index : (row,) labels of the table
    edge : (row,) int64, -1 where not on the roads
    share : (row,) float64, planar fraction of the edge from its first junction; 0 where not on the roads
    leg_m : (row,) float64, straight metres to the road; NaN where there is no place or no road at all
    reason : (row,) str, one of :data:`REASONS`
    lines : the lines of the roads snapped to, which alone the snap can be used with
    moved : (row,) bool, went to the main network instead of a nearer short fragment; empty where that was
        not asked for: then nobody moved
    """

    index: pd.Index
    edge: Ints
    share: Floats
    leg_m: Floats
    reason: npt.NDArray[np.str_]
    lines: Objects
    moved: Flags = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.edge)

    @property
    def snapped(self) -> Flags:
        """Return which rows are on the roads: (row,)."""
        return self.edge >= 0

    def take(self, positions: npt.ArrayLike) -> Snap:
        """Return the rows at these positions, in this order."""
        at = np.asarray(positions, dtype=np.int64)
        return replace(
            self,
            index=self.index.take(at),
            edge=self.edge[at],
            share=self.share[at],
            leg_m=self.leg_m[at],
            reason=self.reason[at],
            moved=self.moved[at] if len(self.moved) else self.moved,
        )

    def where(self, mask: npt.ArrayLike) -> Snap:
        """Return the rows where ``mask`` (row,) is true.

        Raises
        ------
        GraphError
            The mask has not one flag for each row.
        """
        flags = np.asarray(mask, dtype=bool)
        if flags.shape != self.edge.shape:
            raise GraphError(
                say(
                    "the mask has shape {shape} for {rows} snapped rows: give one flag for each",
                    shape=flags.shape,
                    rows=len(self),
                )
            )
        return self.take(np.flatnonzero(flags))


def snap(  # noqa: PLR0913 - each is a length that decides where a point joins
    roads: Roads,
    table: gpd.GeoDataFrame,
    *,
    cap_m: float | Literal["default"] | None = "default",
    prefer_main_m: float = 0.0,
    fragment_m: float = FRAGMENT_M,
    keep: bool = False,
) -> Snap:
    """Join every row of a table to the roads.

    Parameters
    ----------
    roads : the network; its CRS measures
    table : GeoDataFrame in any CRS; what is not a point stands at its centroid
    cap_m : metres, inclusive; left out, 500 for residents (a table with a column ``population``) and 300
        for facilities; None is no cap
    prefer_main_m : metres, inclusive, that a leg may be longer so as not to end on a short fragment; 0 takes
        the nearest edge, whatever it belongs to
    fragment_m : metres of road together under which a fragment is short (exclusive)
    keep : also store the snap in the cache folder, and read it from there; pass False for trial inputs

    Returns
    -------
    snap : one row for each row of the table, usable wherever the table is

    Raises
    ------
    ProjectionError
        When the table has no CRS.
    GraphError
        When the table has no geometry column, or the cap or a preference is negative or NaN.

        >>> from geopandas import GeoDataFrame, GeoSeries, points_from_xy
        >>> from lifecircle.roads import read_roads
        >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
        >>> roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
        >>> home = GeoDataFrame(geometry=points_from_xy([500250], [3380040], crs="EPSG:4549"))
        >>> snap(roads, home).leg_m.round(3).tolist(), snap(roads, home).share.round(3).tolist()
        ([40.0], [0.25])
    """
    bounds = _Bounds(_cap(cap_m, table), *_preference(prefer_main_m, fragment_m))
    points = _points(roads, table)
    if not keep:
        return _snapped(roads, table.index, points, bounds)
    absent = shapely.is_missing(points)
    places = shapely.get_coordinates(points[~absent])
    # The key holds all that the answer depends on, so a stored snap is never one of other roads or bounds.
    key = content_key(roads.key, repr(tuple(bounds)), absent.tobytes(), places.tobytes())
    kept = load_arrays(_KIND, key, _KEPT)
    if kept is not None:
        return Snap(index=table.index, lines=roads.lines, **kept[0])
    fresh = _snapped(roads, table.index, points, bounds)
    save_arrays(_KIND, key, {name: getattr(fresh, name) for name in _KEPT}, {})
    return fresh


_KIND = "snaps"
_KEPT = ("edge", "share", "leg_m", "reason", "moved")


class _Bounds(NamedTuple):
    """How far a point may be from the roads, and how much farther the main network may be; in metres."""

    cap: float
    prefer_main: float
    fragment: float


def _snapped(roads: Roads, index: pd.Index, points: Objects, bounds: _Bounds) -> Snap:
    """Join points to the roads: (row,) points in the roads' CRS, None where there is no usable place."""
    cap = bounds.cap
    many = len(points)
    edge = np.full(many, -1, dtype=np.int64)
    share, leg_m = np.zeros(many), np.full(many, np.nan)
    reason = np.full(many, "", dtype="<U8")

    # A row is never dropped: who has no place stays a resident, unsnapped, with a reason.
    placed = np.flatnonzero(~shapely.is_missing(points))
    reason[shapely.is_missing(points)] = "no_place"
    nearest = _nearest_edges(roads, points[placed])
    leg_m[placed] = nearest.metres
    # The order of the steps is that of the module: the cap first, then barriers, then the main network. Each
    # step only looks at the points that are still on the roads.
    near = nearest.metres <= cap  # NaN, no road at all, is not
    reason[placed[~near]] = "far"

    on, nearest = placed[near], nearest.take(near)
    nearest = _around_barriers(roads, points[on], nearest, cap=cap)
    clear = nearest.edge >= 0
    reason[on[~clear]] = "barrier"
    on, nearest = on[clear], nearest.take(clear)
    moved = np.zeros(many, dtype=bool)
    moved[on] = _onto_main(roads, points[on], nearest, bounds)
    edge[on], leg_m[on] = nearest.edge, nearest.metres
    share[on] = _shares(roads.lines, points[on], nearest)
    return Snap(index, edge, share, leg_m, reason, roads.lines, moved)


def check_snap(roads: Roads, snapped: Snap) -> None:
    """Raise GraphError when a snap belongs to other roads.

    Raises
    ------
    GraphError
        It does.
    """
    if snapped.lines is not roads.lines:
        raise GraphError(
            say(
                "a snap of {rows} rows belongs to other roads ({there} edges there, {here} here): "
                "snap the table again with snap(roads, table)",
                rows=len(snapped),
                there=len(snapped.lines),
                here=len(roads.lines),
            )
        )


def _cap(cap_m: float | Literal["default"] | None, table: gpd.GeoDataFrame) -> float:
    if cap_m is None:
        return np.inf
    if isinstance(cap_m, str):
        if cap_m != "default":
            raise GraphError(
                say("cap_m is {cap}: give metres >= 0, None for no cap, or leave it out", cap=repr(cap_m))
            )
        return _DEMAND_CAP_M if "population" in table.columns else FACILITY_CAP_M
    if not cap_m >= 0:
        raise GraphError(say("cap_m is {cap}: give metres >= 0, or None for no cap", cap=repr(cap_m)))
    return float(cap_m)


def _preference(prefer_main_m: float, fragment_m: float) -> tuple[float, float]:
    """Check how much farther the main network may be; without a preference no fragment is short."""
    for name, metres in (("prefer_main_m", prefer_main_m), ("fragment_m", fragment_m)):
        if not metres >= 0:
            raise GraphError(say("{name} is {metres}: give metres >= 0", name=name, metres=repr(metres)))
    return (float(prefer_main_m), float(fragment_m)) if prefer_main_m > 0 else (0.0, 0.0)


def _points(roads: Roads, table: gpd.GeoDataFrame) -> Objects:
    """Points in the roads' CRS: (row,) shapely points, None where there is no usable place."""
    if not isinstance(table, gpd.GeoDataFrame) or table._geometry_column_name not in table.columns:  # noqa: SLF001 - asking for .geometry of a table without one raises a bare AttributeError
        raise GraphError(
            say("the table has no geometry: make it with geopandas.GeoDataFrame(..., geometry=...)")
        )
    geometry = table.geometry
    if geometry.crs is None:
        raise ProjectionError(
            say("the table has no coordinate system: state it with table.set_crs('EPSG:...')")
        )
    shapes = geometry.to_crs(roads.crs).to_numpy()
    points: Objects = np.full(len(shapes), None, dtype=object)
    usable = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    points[usable] = shapes[usable]
    other = usable[shapely.get_type_id(shapes[usable]) != shapely.GeometryType.POINT]
    # Taken in the metre CRS: a centroid in degrees is drawn out to the east and west.
    points[other] = shapely.centroid(shapes[other])
    # A coordinate outside the area of the CRS is projected to infinity; such a row has no place.
    xy = shapely.get_coordinates(points[usable])
    points[usable[~np.isfinite(xy).all(axis=1)]] = None
    return points


class _Nearest(NamedTuple):
    """The edge of each point, (point,) each: -1 and NaN where there is none.

    ``metres`` from the point; ``at_m`` along the edge to the nearest place and ``length_m`` of the edge, NaN
    where that was not measured yet.
    """

    edge: Ints
    metres: Floats
    at_m: Floats
    length_m: Floats

    @classmethod
    def none(cls, many: int) -> _Nearest:
        """Return no edge for any of so many points."""
        return cls(np.full(many, -1, dtype=np.int64), *(np.full(many, np.nan) for _ in range(3)))

    def take(self, mask: Flags) -> _Nearest:
        """Return the points where ``mask`` (point,) is true."""
        return _Nearest(self.edge[mask], self.metres[mask], self.at_m[mask], self.length_m[mask])

    def put(self, row: Ints, edge: Ints, metres: Floats) -> None:
        """Set another edge for some points; its share is measured later."""
        self.edge[row], self.metres[row] = edge, metres
        self.at_m[row] = self.length_m[row] = np.nan


def _nearest_edges(roads: Roads, points: Objects) -> _Nearest:
    """Find the nearest edge of each point."""
    if len(points) == 0 or len(roads.lines) == 0:
        return _Nearest.none(len(points))
    ring = choose("auto", Work.snapping(len(points), len(roads.lines))) == "ring"
    nearest = _on_grid(roads, points) if ring else _Nearest.none(len(points))
    waiting = np.flatnonzero(nearest.edge < 0)
    if len(waiting):
        # In Hilbert order neighbours ask the same branches of the tree: 0.2 s instead of 0.5 s for 30,000
        # points. All matches are asked for, because otherwise the tree returns any of several edges at a
        # junction.
        curve = gpd.GeoSeries(points[waiting]).hilbert_distance().to_numpy()
        order = waiting[np.argsort(curve, kind="stable")]
        (row, found), metres = roads.tree.query_nearest(points[order], return_distance=True, all_matches=True)
        nearest.put(*_first_of_each(order[row], found, metres))
    return nearest


def _on_grid(roads: Roads, points: Objects) -> _Nearest:
    """Find the nearest edge of each point by compiled loops, none where they stop without an answer."""
    grid, xy = grid_of(roads.lines), shapely.get_coordinates(points)
    nearest = _Nearest(*grid.nearest(xy))
    if _as_geos_measures(roads, points, nearest):
        return nearest
    # a GEOS compiled to other operations, as some processors have them: its own figures are the answer
    nearest = _Nearest.none(len(points))
    row, found = grid.near(xy)
    nearest.put(*_first_of_each(row, found, shapely.distance(roads.lines[found], points[row])))
    return nearest


def _as_geos_measures(roads: Roads, points: Objects, nearest: _Nearest) -> bool:
    """Return whether GEOS measures the same figures, to the last bit, for some points."""
    known = np.flatnonzero(nearest.edge >= 0)
    some = known[np.linspace(0, len(known) - 1, min(len(known), _COMPARED)).astype(np.int64)]
    lines = roads.lines[nearest.edge[some]]
    return (
        np.array_equal(nearest.metres[some], shapely.distance(lines, points[some]))
        and np.array_equal(nearest.at_m[some], shapely.line_locate_point(lines, points[some]))
        and np.array_equal(nearest.length_m[some], shapely.length(lines))
    )


def _first_of_each(row: Ints, edge: Ints, metres: Floats) -> tuple[Ints, Ints, Floats]:
    """Return the nearest edge of each row, the lowest of equals."""
    order = np.lexsort((edge, metres, row))
    row, edge, metres = row[order], edge[order], metres[order]
    first = np.ones(len(row), dtype=bool)
    first[1:] = row[1:] != row[:-1]
    return row[first], edge[first], metres[first]


def _shares(lines: Objects, points: Objects, nearest: _Nearest) -> Floats:
    """Return the fraction of each edge at the point nearest to each point; exactly 0 or 1 at an end."""
    at_m, length_m = nearest.at_m.copy(), nearest.length_m.copy()
    rest = np.flatnonzero(np.isnan(at_m))
    courses = lines[nearest.edge[rest]]
    at_m[rest] = shapely.line_locate_point(courses, points[rest])
    length_m[rest] = shapely.length(courses)
    with np.errstate(invalid="ignore"):
        # A loop of no length gives 0 / 0; the line below makes it a junction.
        share = np.clip(at_m / length_m, 0.0, 1.0)
    to_end = length_m - at_m
    return np.where(np.minimum(at_m, to_end) > _JUNCTION_M, share, np.where(at_m <= to_end, 0.0, 1.0))


def _around_barriers(roads: Roads, points: Objects, nearest: _Nearest, *, cap: float) -> _Nearest:
    """Replace edges whose leg crosses a barrier by the next clear one, none where none is clear."""
    barriers = _standing_barriers(roads)
    if len(barriers) == 0 or len(points) == 0:
        return nearest
    tree = shapely.STRtree(barriers)
    blocked = np.flatnonzero(_crosses(tree, points, roads.lines[nearest.edge]))
    if len(blocked) == 0:
        return nearest
    # Only points whose first leg is blocked look further: barriers touch few, and this search is the slow
    # one.
    row, candidate, metres = _next_edges(roads, points[blocked], nearest.metres[blocked], cap=cap)
    clear = ~_crosses(tree, points[blocked[row]], roads.lines[candidate])
    row, candidate, metres = row[clear], candidate[clear], metres[clear]
    taken, first = np.unique(row, return_index=True)
    # Set to none first, so that a point without any clear leg stays without an edge.
    nearest.edge[blocked] = -1
    nearest.put(blocked[taken], candidate[first], metres[first])
    return nearest


def fragment_lengths(roads: Roads) -> Floats:
    """Return the metres of road of each fragment.

    A fragment is a part of the network that no road joins to the rest, one-way streets taken as open.

    Parameters
    ----------
    roads : the network

    Returns
    -------
    length_m : (fragment,) float64, metres, by the labels in ``roads.components``

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> from lifecircle.roads import read_roads
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> fragment_lengths(roads).tolist()
    [1000.0]
    """
    many = int(roads.components.max(initial=-1)) + 1
    metres = np.bincount(roads.components[roads.u], weights=roads.length_m, minlength=many)
    return metres.astype(np.float64)


def short_edges(roads: Roads, fragment_m: float) -> Flags:
    """Return which edges lie on a short fragment.

    Parameters
    ----------
    roads : the network
    fragment_m : metres of road together under which a fragment is short (exclusive); the longest fragment is
        never short

    Returns
    -------
    short : (edge,) bool

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> from lifecircle.roads import read_roads
    >>> line = GeoSeries.from_wkt(["LINESTRING (0 0, 90 0)", "LINESTRING (0 9, 80 9)"], crs="EPSG:4549")
    >>> lines = GeoDataFrame({"highway": ["path"] * 2}, geometry=line.translate(5e5, 3.38e6))
    >>> short_edges(read_roads(lines, crs="EPSG:4549"), 100.0).tolist()
    [False, True]
    """
    short = fragment_lengths(roads) < fragment_m
    short[:1] = False  # fragments are numbered from the longest
    flags: Flags = short[roads.components[roads.u]]
    return flags


def _onto_main(roads: Roads, points: Objects, nearest: _Nearest, bounds: _Bounds) -> Flags:
    """Move points from short fragments to the main network where that is near enough; return which moved."""
    moved = np.zeros(len(points), dtype=bool)
    if bounds.prefer_main == 0 or len(points) == 0:
        return moved
    short = short_edges(roads, bounds.fragment)
    again = np.flatnonzero(short[nearest.edge])  # only points on a short fragment are searched again
    if len(again) == 0:
        return moved
    most = np.minimum(nearest.metres[again] + bounds.prefer_main, bounds.cap)
    # the index is asked a hair farther, so that the bound is the same sum here and there
    row, candidate = roads.tree.query(points[again], predicate="dwithin", distance=most + _LEG_END_M)
    row, candidate = row[~short[candidate]], candidate[~short[candidate]]
    metres = shapely.distance(points[again[row]], roads.lines[candidate])
    order = np.lexsort((candidate, metres, row))
    order = order[metres[order] <= most[row[order]]]
    row, candidate, metres = row[order], candidate[order], metres[order]
    counts = np.bincount(row, minlength=len(again))
    _, tried = spread(np.cumsum(counts) - counts, np.minimum(counts, TRIED_EDGES))
    row, candidate, metres = row[tried], candidate[tried], metres[tried]
    barriers = _standing_barriers(roads)
    if len(barriers) and len(row):
        clear = ~_crosses(shapely.STRtree(barriers), points[again[row]], roads.lines[candidate])
        row, candidate, metres = row[clear], candidate[clear], metres[clear]
    taken, first = np.unique(row, return_index=True)
    nearest.put(again[taken], candidate[first], metres[first])
    moved[again[taken]] = True
    return moved


def _standing_barriers(roads: Roads) -> Objects:
    """Return the barriers that have a geometry."""
    barriers = np.asarray(list(roads.barriers), dtype=object)
    present: Objects = barriers[~(shapely.is_missing(barriers) | shapely.is_empty(barriers))]
    return present


def _next_edges(roads: Roads, points: Objects, nearest_m: Floats, *, cap: float) -> tuple[Ints, Ints, Floats]:
    """List up to 8 nearest edges of each point within the cap, by distance, then edge number.

    Returns
    -------
    row, edge, metres : (candidate,) each, rows ascending
    """
    left, top, right, bottom = shapely.total_bounds(np.concatenate([roads.lines, points]))
    everywhere = float(np.hypot(right - left, bottom - top))
    # The radius doubles until eight edges are inside, so that a town is not searched as far as the open land.
    radius = np.minimum(np.minimum(np.maximum(2.0 * nearest_m, 50.0), cap), everywhere)
    waiting = np.arange(len(points))
    rows, edges = [], []
    while len(waiting):
        row, found = roads.tree.query(points[waiting], predicate="dwithin", distance=radius[waiting])
        most = np.minimum(cap, everywhere)
        done = (np.bincount(row, minlength=len(waiting)) >= TRIED_EDGES) | (radius[waiting] >= most)
        rows.append(waiting[row[done[row]]])
        edges.append(found[done[row]])
        waiting = waiting[~done]
        radius[waiting] = np.minimum(2.0 * radius[waiting], most)
    row, edge = np.concatenate(rows), np.concatenate(edges)
    metres = shapely.distance(points[row], roads.lines[edge])
    order = np.lexsort((edge, metres, row))
    row, edge, metres = row[order], edge[order], metres[order]
    counts = np.bincount(row, minlength=len(points))
    _, kept = spread(np.cumsum(counts) - counts, np.minimum(counts, TRIED_EDGES))
    return row[kept], edge[kept], metres[kept]


def _crosses(barriers: shapely.STRtree, points: Objects, lines: Objects) -> Flags:
    """Return which straight legs from points to their nearest points on lines cross a barrier: (leg,)."""
    crossing = np.zeros(len(points), dtype=bool)
    start = shapely.get_coordinates(points)
    end = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, points))
    )
    length = np.hypot(*(end - start).T)
    long = np.flatnonzero(length > 2 * _LEG_END_M)
    if len(long) == 0:
        return crossing
    # A millimetre is cut off at both ends: a road on a bank, or a home on the wall itself, would cross it.
    start, end, cut = start[long], end[long], (_LEG_END_M / length[long])[:, None]
    step = (end - start) * cut
    legs = shapely.linestrings(np.stack([start + step, end - step], axis=1))
    leg, barrier = barriers.query(legs, predicate="intersects")
    shape = barriers.geometries[barrier]
    area = shapely.get_dimensions(shape) == 2
    # A line barrier is crossed by any meeting; an area only by a leg that runs through its interior.
    through = ~area
    through[area] = shapely.relate_pattern(legs[leg[area]], shape[area], "T********")
    crossing[long[leg[through]]] = True
    return crossing
