"""Trace the way that a resident's time was computed over: its line and its turns; computes no coverage."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
import shapely
from scipy.sparse.csgraph import dijkstra

from lifecircle.reach import usable

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.reach import Snap
    from lifecircle.roads import Roads

_SIDES = ("east", "northeast", "north", "northwest", "west", "southwest", "south", "southeast")
SHORTEST_M = 15.0
"""Setting: a shorter stretch counts with the one before it."""


@dataclass(frozen=True, eq=False)
class WalkPath:
    """A way from a resident to a venue.

    ``line`` : along the roads, in their CRS; ``seconds`` : access legs and roads together; ``legs_m`` :
    straight metres at either end; ``turns`` : (side, metres) one after the other.
    """

    line: shapely.LineString
    seconds: float
    legs_m: tuple[float, float]
    turns: tuple[tuple[str, float], ...]


def walk_path(roads: Roads, home: Snap, venue: Snap, *, limit_min: float) -> WalkPath | None:
    """Trace the shortest way between two places on the roads; None where there is none.

    Parameters
    ----------
    home, venue : one row each
    limit_min : of the target: it bounds the access legs as in every search
    """
    if not usable(roads, home, limit_min=limit_min)[0] or not usable(roads, venue, limit_min=limit_min)[0]:
        return None
    starts, ends = _ends(roads, home, to=False), _ends(roads, venue, to=True)
    best, line = np.inf, None
    if home.edge[0] == venue.edge[0]:  # both on one edge: straight along it, where that is allowed
        edge, one, two = int(home.edge[0]), float(home.share[0]), float(venue.share[0])
        way = roads.forward_s if two >= one else roads.backward_s
        best = abs(two - one) * float(way[edge]) if two != one else 0.0
        line = _piece(roads, edge, one, two)
    graph = _graph(roads)
    for node, first_s, first in starts:
        if not np.isfinite(first_s):
            continue
        seconds, before = dijkstra(graph, indices=node, return_predecessors=True)
        for other, last_s, last in ends:
            whole = first_s + float(seconds[other]) + last_s
            if whole < best:
                best = whole
                line = _joined([first, *_edges(roads, _nodes(before, node, other)), last])
    if line is None or not np.isfinite(best):
        return None
    legs = (float(home.leg_m[0]), float(venue.leg_m[0]))
    seconds_all = best + sum(legs) / roads.profile.access_ms
    return WalkPath(line, seconds_all, legs, _turns(line))


def _graph(roads: Roads) -> scipy.sparse.csr_array:
    """Return the seconds from junction to junction, the quickest of parallel edges."""
    indptr, indices, seconds = roads.reversed_csr
    head = np.repeat(np.arange(len(roads.xy)), np.diff(indptr))
    # Rows are ordered by tail and seconds, so the first of equal pairs is the quickest.
    pair = np.column_stack([head, indices])
    first = np.r_[True, (np.diff(pair, axis=0) != 0).any(axis=1)] if len(pair) else np.zeros(0, dtype=bool)
    # Zero seconds would be no edge in a sparse matrix.
    held = np.maximum(seconds[first], 1e-9)
    size = (len(roads.xy), len(roads.xy))
    return scipy.sparse.csr_array((held, (indices[first], head[first])), shape=size)


def _ends(roads: Roads, place: Snap, *, to: bool) -> list[tuple[int, float, shapely.LineString]]:
    """List the ways between a place and the two ends of its edge: junction, seconds, line as travelled."""
    edge, share = int(place.edge[0]), float(place.share[0])
    ahead, back = float(roads.forward_s[edge]), float(roads.backward_s[edge])
    to_v, to_u = (1 - share) * ahead if share < 1 else 0.0, share * back if share > 0 else 0.0
    from_u, from_v = share * ahead if share > 0 else 0.0, (1 - share) * back if share < 1 else 0.0
    u, v = int(roads.u[edge]), int(roads.v[edge])
    if to:
        return [(u, from_u, _piece(roads, edge, 0.0, share)), (v, from_v, _piece(roads, edge, 1.0, share))]
    return [(u, to_u, _piece(roads, edge, share, 0.0)), (v, to_v, _piece(roads, edge, share, 1.0))]


def _piece(roads: Roads, edge: int, start: float, end: float) -> shapely.LineString:
    line = shapely.ops.substring(roads.lines[edge], min(start, end), max(start, end), normalized=True)
    if line.geom_type == "Point":
        line = shapely.LineString([line, line])
    return line if start <= end else line.reverse()


def _nodes(before: npt.NDArray[np.int32], start: int, end: int) -> list[int]:
    nodes = [end]
    while nodes[-1] != start:
        nodes.append(int(before[nodes[-1]]))
    return nodes[::-1]


def _edges(roads: Roads, nodes: list[int]) -> list[shapely.LineString]:
    """List the lines between junctions, the quickest of parallel edges, as travelled."""
    return [_line(roads, one, two) for one, two in itertools.pairwise(nodes)]


def _line(roads: Roads, one: int, two: int) -> shapely.LineString:
    ahead = _between(roads, one, two)
    back = _between(roads, two, one)
    options = [(float(roads.forward_s[edge]), edge, False) for edge in ahead]
    options += [(float(roads.backward_s[edge]), edge, True) for edge in back]
    _, edge, turned = min(options)
    return roads.lines[edge].reverse() if turned else roads.lines[edge]


def _between(roads: Roads, u: int, v: int) -> list[int]:
    """List the edges that were drawn from one junction to another; edges are ordered by (u, v)."""
    low, high = np.searchsorted(roads.u, [u, u + 1])
    return [int(low + at) for at in np.flatnonzero(roads.v[low:high] == v)]


def _joined(lines: list[shapely.LineString]) -> shapely.LineString:
    points = [point for line in lines for point in line.coords]
    kept = [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]
    return shapely.LineString(kept if len(kept) > 1 else kept * 2)


def _turns(line: shapely.LineString) -> tuple[tuple[str, float], ...]:
    """Put a line in stretches by one of eight sides; very short ones go with the one before."""
    xy = np.asarray(line.coords)[:, :2]
    steps = np.diff(xy, axis=0)
    turns: list[tuple[str, float]] = []
    for east, north in steps:
        metres = float(np.hypot(east, north))
        if metres == 0:
            continue
        side = _SIDES[int(np.round(np.degrees(np.arctan2(north, east)) / 45)) % 8]
        if turns and (turns[-1][0] == side or metres < SHORTEST_M):
            turns[-1] = (turns[-1][0], turns[-1][1] + metres)
        else:
            turns.append((side, metres))
    return tuple(turns)
