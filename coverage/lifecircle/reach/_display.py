"""Draw reach: the pieces of road within a limit, and the areas around them; never count people.

Coverage is counted at residents through the network (:func:`~lifecircle.reach.nearest`), never by points
in these shapes. What is drawn follows from anchors: places on an edge from which a facility is a known
number of seconds away. The two ends of an edge are anchors once the search has reached them, and so is
the place of a facility on its own edge::

    u o=====>-----------<===*===>------o v        = within the limit of an anchor
      anchor of u       of a facility

The travel time of any place on the edge is the least over its anchors of the seconds to the anchor along
the edge and the seconds from there. So the pieces within a limit are the stretches around the anchors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.errors import GraphError
from lifecircle.limits import search_bound
from lifecircle.reach._ranges import spread
from lifecircle.reach._trips import Venue, graph_to_facilities, snapped_on, usable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lifecircle.reach._snap import Snap
    from lifecircle.roads import Roads

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Objects = npt.NDArray[Any]

Layers = Literal["all", "facility"]

_SHORTEST_M = 1e-6
"""Metres up to which a piece is a point and not a road."""

_VERTEX_M = 1e-9
"""Metres of a cut within which a vertex is the cut itself: float noise of projected coordinates."""


def reach_lines(
    roads: Roads, facilities: gpd.GeoDataFrame | Snap, *, limit_min: float, by: Layers = "all"
) -> gpd.GeoDataFrame:
    """Draw the pieces of road from which a facility is reached within a limit; for display only.

    Coverage is counted at residents through the network, never by what lies on or near these lines.

    Travel is from the road to the facility, whose access leg is charged; a resident's own leg is not. An
    edge that is reached in part is cut where the time is exactly the limit. A one-way edge is reached
    from the side that may be travelled alone. Where the stretches of an edge meet they are one piece.

    Parameters
    ----------
    roads : the network
    facilities : table, or its snap on these roads; those whose leg takes more than a quarter of the limit
        are left out, as in :func:`~lifecircle.reach.nearest`
    limit_min : minutes > 0, inclusive (see :func:`~lifecircle.reach.within_limit`)
    by : ``all`` draws every piece once, for the nearest facility; ``facility`` draws every facility's own
        pieces, in the order of the table, as many as there are pairs of facility and edge

    Returns
    -------
    lines : in the CRS of the roads, ordered by (facility and) edge and along it, with columns

        * ``geometry`` : LineString in the direction of the edge, longer than 1e-6 m;
        * ``edge`` : int64, position in the roads;
        * ``seconds_from``, ``seconds_to`` : float64, travel time from the first and the last place of the
          piece to the nearest facility (``facility``: to that facility). In between it can be longer,
          never beyond the limit; at an end junction it is that junction's own time, whichever road is
          taken from it;
        * ``facility`` : label of the facility that is reached soonest from anywhere on the piece, the
          first in the table of several. Far along the piece another one can be nearer.

    Raises
    ------
    GraphError
        When the limit is not positive or not finite, ``by`` is neither of the two, or a snap belongs to
        other roads.

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> from lifecircle.roads import read_roads
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> ends = GeoDataFrame(geometry=line.boundary.explode(ignore_index=True))
    >>> reach_lines(roads, ends[1:], limit_min=6).length.round(3).tolist()
    [500.0]
    """
    _check_positive("limit_min", limit_min, "minutes")
    if by not in get_args(Layers):
        raise GraphError(f"by is {by!r}: give 'all' for the nearest facility or 'facility' for each")
    there = snapped_on(roads, facilities)
    pieces = _pieces_of(roads, there, limit_min=limit_min, by=by)
    columns = {
        "geometry": _cut(roads.lines[pieces.edge], pieces.first, pieces.last),
        "edge": pieces.edge,
        "seconds_from": pieces.from_s,
        "seconds_to": pieces.to_s,
        "facility": there.index.take(pieces.facility),
    }
    return gpd.GeoDataFrame(columns, geometry="geometry", crs=roads.crs)


def isochrones(
    roads: Roads,
    facilities: gpd.GeoDataFrame | Snap,
    *,
    limits_min: Sequence[float] = (5, 10, 15),
    width_m: float = 50.0,
) -> gpd.GeoDataFrame:
    """Draw the areas along the roads within each limit of the nearest facility; pictures only.

    Never count people in these polygons. A polygon also holds what stands near a reached road and has no
    way to it, and leaves out who has a long leg: on one town such shortcuts gave anything from 63 % to
    98 % where the edge-exact answer was 87.6 %. Count with :func:`~lifecircle.reach.nearest`, at residents
    and through the network.

    Parameters
    ----------
    roads, facilities : as for :func:`reach_lines`
    limits_min : minutes > 0, inclusive, in any order
    width_m : metres > 0 on either side of the road that are painted

    Returns
    -------
    areas : in the CRS of the roads, one row for each limit, ascending, with columns ``minutes`` (float64)
        and ``geometry`` (Polygon or MultiPolygon: the widened reach lines, and the area of the limit
        before). A limit within which no road is reached has no row.

    Raises
    ------
    GraphError
        When there is no limit, a limit or the width is not positive or not finite, or a snap belongs to
        other roads.

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> from lifecircle.roads import read_roads
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> ends = GeoDataFrame(geometry=line.boundary.explode(ignore_index=True))
    >>> isochrones(roads, ends[1:], limits_min=[6, 12])["minutes"].tolist()
    [6.0, 12.0]
    """
    if len(limits_min) == 0:
        raise GraphError("limits_min is empty: give at least one number of minutes > 0")
    for position, limit_min in enumerate(limits_min):
        _check_positive(f"limits_min[{position}]", limit_min, "minutes")
    _check_positive("width_m", width_m, "metres")
    there = snapped_on(roads, facilities)
    minutes: list[float] = []
    areas: list[Any] = []
    # Edges that lie in a smaller area as a whole are not widened again for a larger limit.
    whole = np.zeros(len(roads.u), dtype=bool)
    for limit_min in sorted({float(limit) for limit in limits_min}):
        pieces = _pieces_of(roads, there, limit_min=limit_min, by="all")
        # Buffers are the slow step, and most roads of a smaller limit are in the larger one as a whole.
        new = ~whole[pieces.edge]
        lines = _cut(roads.lines[pieces.edge[new]], pieces.first[new], pieces.last[new])
        # arcs are drawn as chords, so a shorter piece can stick out of a longer one: keep the area before
        area = shapely.union_all([*areas[-1:], *shapely.buffer(lines, width_m)])
        whole[pieces.edge[(pieces.first == 0.0) & (pieces.last == 1.0)]] = True
        if not area.is_empty:
            minutes.append(limit_min)
            areas.append(area)
    return gpd.GeoDataFrame(
        {"minutes": np.array(minutes, dtype=np.float64)},
        geometry=np.array(areas, dtype=object),
        crs=roads.crs,
    )


def _check_positive(name: str, value: float, unit: str) -> None:
    if not (np.isfinite(value) and value > 0):
        raise GraphError(f"{name} is {value!r}: give a finite number of {unit} > 0")


@dataclass(frozen=True, eq=False)
class _Anchors:
    """Places on edges and the seconds from there to a facility, (anchor,), ordered by layer and edge.

    ``layer`` is 0, or the venue where each is drawn for itself; ``share`` is the place on ``edge``.
    """

    layer: Ints
    edge: Ints
    share: Floats
    seconds: Floats
    venue: Ints

    @classmethod
    def of(cls, roads: Roads, venue: Venue, *, limit_s: float, by: Layers) -> _Anchors:
        """Find every anchor within a limit."""
        layer, node, seconds, name = _junctions(roads, venue, limit_s=limit_s, by=by)
        row, edge, share = _edges_at(roads, node)
        mine = np.arange(len(venue))
        found = cls(
            np.concatenate([layer[row], mine if by == "facility" else np.zeros_like(mine)]),
            np.concatenate([edge, venue.edge]),
            np.concatenate([share, venue.share]),
            np.concatenate([seconds[row], venue.leg_s]),
            np.concatenate([name[row], mine]),
        )
        return found.take(np.lexsort((found.edge, found.layer)))

    def take(self, at: Ints) -> _Anchors:
        """Return the anchors at these positions."""
        return _Anchors(self.layer[at], self.edge[at], self.share[at], self.seconds[at], self.venue[at])

    def stretch(self, roads: Roads, until_s: float) -> tuple[Floats, Floats]:
        """Return the first and the last share of the edge within ``until_s`` of each anchor's facility."""
        left_s = np.maximum(until_s - self.seconds, 0.0)
        before, after = left_s / roads.forward_s[self.edge], left_s / roads.backward_s[self.edge]
        first = np.where(before >= self.share, 0.0, self.share - before)
        return first, np.where(after >= 1.0 - self.share, 1.0, self.share + after)


def _junctions(roads: Roads, venue: Venue, *, limit_s: float, by: Layers) -> tuple[Ints, Ints, Floats, Ints]:
    """Find the junctions within a limit: layer, junction, seconds and venue of each."""
    graph, seeds = graph_to_facilities(roads), venue.seeds
    if by == "facility":
        row_ptr, node, seconds = graph.within(seeds.node, limit_s, start_s=seeds.start_s, group=seeds.group)
        layer = np.repeat(np.arange(len(row_ptr) - 1), np.diff(row_ptr))
        return layer, node, seconds, layer
    everywhere, label = graph.nearest(seeds.node, limit_s, start_s=seeds.start_s, group=seeds.group)
    node = np.flatnonzero(np.isfinite(everywhere))
    return np.zeros_like(node), node, everywhere[node], label[node].astype(np.int64)


def _edges_at(roads: Roads, node: Ints) -> tuple[Ints, Ints, Floats]:
    """List the ends of edges at junctions: position in ``node``, edge, and share 0 or 1; loops twice."""
    ends = np.concatenate([roads.u, roads.v])
    order = np.argsort(ends, kind="stable")
    counts = np.bincount(ends, minlength=len(roads.xy))
    row, member = spread((np.cumsum(counts) - counts)[node], counts[node])
    at_v, edge = np.divmod(order[member], max(len(roads.u), 1))
    return row, edge, at_v.astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of edges, (piece,): shares where they begin and end, seconds there, row of the facility."""

    edge: Ints
    first: Floats
    last: Floats
    from_s: Floats
    to_s: Floats
    facility: Ints


def _pieces_of(roads: Roads, facilities: Snap, *, limit_min: float, by: Layers) -> _Pieces:
    """Find the pieces of edges within a limit."""
    limit_s = 60.0 * limit_min
    rows = np.flatnonzero(usable(roads, facilities, limit_min=limit_min))
    anchors = _Anchors.of(roads, Venue.of(roads, facilities, rows), limit_s=limit_s, by=by)
    # what is within the limit, float noise and all, decides which stretches meet and which ends are
    # reached; a cut alone stands at the limit itself
    low, high = anchors.stretch(roads, search_bound(limit_s))
    order = np.lexsort((low, anchors.edge, anchors.layer))
    anchors, low, high = anchors.take(order), low[order], high[order]
    first, last = anchors.stretch(roads, limit_s)
    # An end within the tolerance is the end itself: otherwise two edges at one junction would leave a gap.
    first, last = np.where(low == 0.0, 0.0, first), np.where(high == 1.0, 1.0, last)

    new_edge = np.ones(len(low), dtype=bool)
    new_edge[1:] = (np.diff(anchors.edge) != 0) | (np.diff(anchors.layer) != 0)
    run = np.cumsum(new_edge) - 1
    # A stretch can contain the next one, so a gap is measured from the farthest end so far, not from the end
    # of the stretch before.
    so_far = pd.Series(high).groupby(run).cummax().to_numpy()
    new_piece = new_edge.copy()
    new_piece[1:] |= low[1:] > so_far[:-1]
    start = np.flatnonzero(new_piece)
    edge, begin, end = anchors.edge[start], _least(first, start), -_least(-last, start)
    # an end that cannot be come to along its edge reaches nothing of it, so it names no piece
    soonest = np.lexsort((anchors.venue, anchors.seconds, last <= first, np.cumsum(new_piece)))

    # A facility whose limit ends exactly at its own junction would give pieces of no length.
    kept = np.flatnonzero((end - begin) * roads.length_m[edge] > _SHORTEST_M)
    # The seconds at both ends are the least over every anchor of the edge, not only those of the piece: near
    # one end, a facility that is reached through the other end may still be the nearer one.
    edge, begin, end, start = edge[kept], begin[kept], end[kept], start[kept]
    runs = np.flatnonzero(new_edge)
    of = runs[run[start]], np.diff(np.append(runs, len(run)))[run[start]]
    return _Pieces(
        edge,
        begin,
        end,
        _seconds_at(roads, anchors, begin, *of),
        _seconds_at(roads, anchors, end, *of),
        rows[anchors.venue[soonest[start]]],
    )


def _least(values: Floats, start: Ints) -> Floats:
    """Return the least of each run of values; a run begins where the one before ends."""
    return np.minimum.reduceat(values, start) if len(start) else np.zeros(0)


def _seconds_at(roads: Roads, anchors: _Anchors, share: Floats, start: Ints, counts: Ints) -> Floats:
    """Return the least over a run of anchors (at least one) of the seconds from a point on their edge."""
    place, member = spread(start, counts)
    gap, edge = share[place] - anchors.share[member], anchors.edge[member]
    along = np.where(gap > 0.0, roads.backward_s[edge], roads.forward_s[edge])
    way_s = np.multiply(np.abs(gap), along, out=np.zeros(len(gap)), where=gap != 0.0)
    least = np.full(len(share), np.inf)
    np.minimum.at(least, place, anchors.seconds[member] + way_s)
    return least


def _cut(lines: Objects, first: Floats, last: Floats) -> Objects:
    """Cut lines (line,) between two shares of their lengths; whole lines are passed on as they are."""
    pieces = lines.copy()
    cut = np.flatnonzero((first > 0.0) | (last < 1.0))
    if len(cut) == 0:
        return pieces
    # Only pieces that are really cut are rebuilt: a whole edge keeps its own vertices to the last bit.
    whole, length_m = lines[cut], shapely.length(lines[cut])
    xy, line = shapely.get_coordinates(whole, return_index=True)
    steps = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    steps[np.diff(line, prepend=-1) != 0] = 0.0
    run_m = np.cumsum(steps)
    run_m -= run_m[np.searchsorted(line, np.arange(len(cut)))][line]
    # A vertex at the cut itself is left out, because a line with the same point twice is not valid.
    inside = (run_m > (first[cut] * length_m)[line] + _VERTEX_M) & (
        run_m < (last[cut] * length_m)[line] - _VERTEX_M
    )
    begin, end = (
        shapely.get_coordinates(shapely.line_interpolate_point(whole, share[cut], normalized=True))
        for share in (first, last)
    )
    each = np.arange(len(cut))
    number = np.concatenate([each, line[inside], each])
    order = np.argsort(number, kind="stable")  # of each line: its begin, its vertices, its end
    pieces[cut] = shapely.linestrings(np.concatenate([begin, xy[inside], end])[order], indices=number[order])
    return pieces
