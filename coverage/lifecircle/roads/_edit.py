"""Change a network: add a road and join it, or close a stretch; everything else stays as it was.

A change is made to all networks that share their lines (profiles that differ in speed alone), so that they
share the new lines too. Splitting an edge changes no time: each part takes its share of the seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import ops

from lifecircle.roads._network import FloatArray, LongArray, ObjectArray, Roads, frozen, hilbert_order
from lifecircle.roads._profiles import allowed_way, oneway, way_kmh

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lifecircle.roads._profiles import Profile

JOIN_WITHIN_M = 25.0
"""Usual metres within which the end of an added road joins the nearest road (inclusive)."""

ALONG_M = 12.0
"""Usual metres within which a road runs along a line that is drawn to close it (inclusive)."""

_JUNCTION_M = 1.0  # metres to a junction that count as the junction: lines are not drawn more exactly
_TOUCH_M = 1e-6
_FOLLOWS = 0.7  # a stretch follows the line when it advances along it by this share of its own length


@dataclass(frozen=True, eq=False)
class _Draft:
    """Networks on the same lines while they are changed; arrays as in :class:`Roads`.

    ``forward_s``, ``backward_s`` : (network, edge).
    """

    xy: FloatArray
    u: LongArray
    v: LongArray
    lines: ObjectArray
    length_m: FloatArray
    forward_s: FloatArray
    backward_s: FloatArray
    highway: ObjectArray

    @classmethod
    def of(cls, networks: Sequence[Roads]) -> _Draft:
        """Make a draft of networks that share their lines.

        Raises
        ------
        ValueError
            The networks do not share their lines.
        """
        first = networks[0]
        if any(other.lines is not first.lines for other in networks):
            message = "networks that are changed together must share their lines"
            raise ValueError(message)
        return cls(
            first.xy,
            first.u.astype(np.int64),
            first.v.astype(np.int64),
            first.lines,
            first.length_m,
            np.stack([roads.forward_s for roads in networks]),
            np.stack([roads.backward_s for roads in networks]),
            first.highway,
        )

    def taking(self, edges: LongArray) -> _Draft:
        """Return the draft with some edges only, in the order given."""
        per_edge = ("u", "v", "lines", "length_m", "highway")
        kept = {name: getattr(self, name)[edges] for name in per_edge}
        return replace(self, **kept, forward_s=self.forward_s[:, edges], backward_s=self.backward_s[:, edges])

    def adding(self, other: _Draft) -> _Draft:
        """Return the draft with the other's edges at the end, and the junctions of the other draft."""
        per_edge = ("u", "v", "lines", "length_m", "highway")
        joined = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in per_edge}
        return replace(
            self,
            **joined,
            xy=other.xy,
            forward_s=np.hstack([self.forward_s, other.forward_s]),
            backward_s=np.hstack([self.backward_s, other.backward_s]),
        )

    def networks(self, like: Sequence[Roads]) -> list[Roads]:
        """Return frozen networks: junctions numbered along a Hilbert curve, edges ordered by their ends."""
        used = np.unique(np.concatenate([self.u, self.v]))
        # The same numbering as a network that was read, so that a change and a new reading give equal
        # networks.
        order = hilbert_order(self.xy[used])
        number = np.full(len(self.xy), -1, np.int32)
        number[used[order]] = np.arange(len(used), dtype=np.int32)
        u, v = number[self.u], number[self.v]
        edges = np.lexsort((v, u))
        shared = replace(
            like[0],
            xy=frozen(self.xy[used[order]]),
            u=frozen(u[edges]),
            v=frozen(v[edges]),
            length_m=frozen(self.length_m[edges]),
            lines=frozen(self.lines[edges]),
            highway=frozen(self.highway[edges]),
        )
        return [
            replace(
                shared,
                profile=roads.profile,
                forward_s=frozen(self.forward_s[at, edges]),
                backward_s=frozen(self.backward_s[at, edges]),
            )
            for at, roads in enumerate(like)
        ]


def add_road(  # noqa: PLR0913 - what a road is, each fact named
    networks: Sequence[Roads],
    line: shapely.LineString,
    *,
    highway: str = "residential",
    oneway_word: str = "",
    crossings: bool = False,
    within_m: float = JOIN_WITHIN_M,
) -> list[Roads] | None:
    """Add a road to networks that share their lines.

    Each end joins the nearest road within ``within_m``: at a junction nearer than a metre, else between two
    junctions, where the road is split. The line is drawn on to where it joins. An end without a road that
    near is a dead end.

    Parameters
    ----------
    networks : networks with one array ``lines``
    line : in their CRS, planar metres
    highway : road class, which decides who may use it and how fast
    oneway_word : ``yes`` along the line, ``-1`` against it, empty both; for those it binds
    crossings : join every road the line crosses, not at its ends alone; a bridge crosses without joining
    within_m : metres, inclusive

    Returns
    -------
    networks : the changed ones, as they are where their profile may not use the road; None where neither
        end comes near a road

    >>> from lifecircle.roads import allowed_way
    >>> allowed_way({"highway": "footway"}, "walk"), allowed_way({"highway": "footway"}, "drive")
    (True, False)
    """
    tags = {"highway": highway, "oneway": oneway_word} if oneway_word else {"highway": highway}
    # The networks share their lines, so they share the list of ways: one check is enough.
    if not allowed_way(tags, networks[0].profile):
        return list(networks)
    draft = _Draft.of(networks)
    tree = networks[0].tree
    line, ends = _joined_line(draft, tree, line, within_m)
    if not any(joined for _, joined in ends):
        return None
    meetings = [(0.0, ends[0][0]), (shapely.length(line), ends[1][0])]
    if crossings:
        meetings += _crossings(draft, tree, line)
    draft, stops = _with_stops(draft, meetings)
    # A road may come to the same junction twice (two ends near each other, a crossing beside an end). Only
    # the first stop counts, because an edge from a junction to itself of no length would break the network.
    first_at = {node: along for along, node in reversed(stops)}
    course = sorted(first_at.items(), key=lambda stop: stop[1])
    if len(course) < 2:
        return None
    fresh = _new_edges(draft, line, course, [roads.profile for roads in networks], tags)
    return draft.adding(fresh).networks(networks)


@dataclass(frozen=True)
class _Place:
    """Where a road meets the network: a junction, metres along an edge, or else a new dead end."""

    xy: tuple[float, float]
    node: int = -1
    edge: int = -1
    along_m: float = 0.0


def _joined_line(
    draft: _Draft, tree: shapely.STRtree, line: shapely.LineString, within_m: float
) -> tuple[shapely.LineString, list[tuple[_Place, bool]]]:
    """Extend a line to the roads its ends join; return where each end is and whether it is on a road."""
    coordinates = shapely.get_coordinates(line)
    ends = []
    for point in (coordinates[0], coordinates[-1]):
        here = shapely.Point(point)
        near, metres = tree.query_nearest(here, max_distance=within_m, return_distance=True)
        if len(near):
            # At a junction several edges are equally near: the lowest number, so that a run can be repeated.
            edge = int(near[np.lexsort((near, metres))[0]])
            ends.append((_place_on(draft, edge, here), True))
        else:
            ends.append((_Place((float(point[0]), float(point[1]))), False))
    whole = np.vstack([ends[0][0].xy, coordinates, ends[1][0].xy])
    fresh = np.r_[True, np.hypot(*np.diff(whole, axis=0).T) > _TOUCH_M]
    kept = whole[fresh]
    # Points closer than the tolerance are dropped, but the last point must stay: it is the junction itself.
    kept[-1] = whole[-1]
    if len(kept) < 2:
        kept = whole[[0, -1]]
    return shapely.LineString(kept), ends


def _place_on(draft: _Draft, edge: int, point: shapely.Point) -> _Place:
    """Return the point of an edge nearest to a given point; near an end it is that junction."""
    line = draft.lines[edge]
    along, length = float(shapely.line_locate_point(line, point)), float(shapely.length(line))
    if min(along, length - along) <= _JUNCTION_M:
        node = int(draft.u[edge] if along <= length - along else draft.v[edge])
        return _Place((float(draft.xy[node, 0]), float(draft.xy[node, 1])), node=node)
    x, y = shapely.get_coordinates(shapely.line_interpolate_point(line, along))[0]
    return _Place((float(x), float(y)), edge=edge, along_m=along)


def _crossings(draft: _Draft, tree: shapely.STRtree, line: shapely.LineString) -> list[tuple[float, _Place]]:
    """List where a line meets other roads: metres along the line, and the point on the road."""
    found = []
    for edge in np.sort(tree.query(line, predicate="intersects")):
        for point in shapely.get_coordinates(shapely.intersection(line, draft.lines[edge])):
            here = shapely.Point(point)
            found.append((float(shapely.line_locate_point(line, here)), _place_on(draft, int(edge), here)))
    return found


def _with_stops(
    draft: _Draft, meetings: Iterable[tuple[float, _Place]]
) -> tuple[_Draft, list[tuple[float, int]]]:
    """Make junctions where the new road stops, and split edges there; return stops (metres, junction)."""
    number: dict[tuple[int, int], int] = {}
    cuts: dict[int, dict[float, int]] = {}
    places = [draft.xy]
    following = len(draft.xy)
    stops = []
    for along, place in meetings:
        if place.node >= 0:
            stops.append((along, place.node))
            continue
        # Two stops at one point of an edge are one junction; two dead ends never are.
        key = (place.edge, round(place.along_m / _JUNCTION_M)) if place.edge >= 0 else (-1, following)
        if key not in number:
            number[key] = following
            places.append(np.array([place.xy]))
            following += 1
            if place.edge >= 0:
                cuts.setdefault(place.edge, {})[place.along_m] = number[key]
        stops.append((along, number[key]))
    draft = replace(draft, xy=np.vstack(places))
    return _split(draft, cuts), stops


def _split(draft: _Draft, cuts: Mapping[int, Mapping[float, int]]) -> _Draft:
    """Split edges at new junctions, given as edge -> metres along its line -> junction; parts come last."""
    if not cuts:
        return draft
    kept = np.setdiff1d(np.arange(len(draft.u)), list(cuts))
    edge, first, last, start, end = [], [], [], [], []
    for number in sorted(cuts):
        metres = sorted(cuts[number])
        stops = [0.0, *metres, float(shapely.length(draft.lines[number]))]
        nodes = [int(draft.u[number]), *(cuts[number][along] for along in metres), int(draft.v[number])]
        for at in range(len(stops) - 1):
            edge.append(number)
            first.append(stops[at])
            last.append(stops[at + 1])
            start.append(nodes[at])
            end.append(nodes[at + 1])
    of = np.array(edge, dtype=np.int64)
    # By share of the drawn length, so that a stated length and its seconds are divided and not measured
    # again.
    share = (np.array(last) - np.array(first)) / shapely.length(draft.lines[of])
    parts = replace(
        draft.taking(of),
        u=np.array(start, dtype=np.int64),
        v=np.array(end, dtype=np.int64),
        lines=_between(draft, of, first, last, start, end),
        length_m=draft.length_m[of] * share,
        forward_s=draft.forward_s[:, of] * share,
        backward_s=draft.backward_s[:, of] * share,
    )
    return draft.taking(kept).adding(parts)


def _between(  # noqa: PLR0913, PLR0917 - parallel lists of one table of parts
    draft: _Draft,
    edges: LongArray,
    first: Sequence[float],
    last: Sequence[float],
    start: Sequence[int],
    end: Sequence[int],
) -> ObjectArray:
    """Return parts of lines, their ends exactly at their junctions."""
    parts = np.empty(len(edges), dtype=object)
    for at, edge in enumerate(edges):
        points = shapely.get_coordinates(ops.substring(draft.lines[edge], first[at], last[at]))
        points[0], points[-1] = draft.xy[start[at]], draft.xy[end[at]]
        parts[at] = shapely.LineString(points)
    return parts


def _new_edges(
    draft: _Draft,
    line: shapely.LineString,
    stops: Sequence[tuple[int, float]],
    profiles: Sequence[Profile],
    tags: Mapping[str, str],
) -> _Draft:
    """Return the edges of a new road between its stops: (junction, metres along the line), in order."""
    nodes = np.array([node for node, _ in stops], dtype=np.int64)
    lines = np.empty(len(stops) - 1, dtype=object)
    for at in range(len(lines)):
        points = shapely.get_coordinates(ops.substring(line, stops[at][1], stops[at + 1][1]))
        points[0], points[-1] = draft.xy[nodes[at]], draft.xy[nodes[at + 1]]
        lines[at] = shapely.LineString(points)
    length = shapely.length(lines)
    seconds = np.stack([length / (way_kmh(tags, used) / 3.6) for used in profiles])
    way = [oneway(tags, used) for used in profiles]
    ahead, back = np.array([[one >= 0] for one in way]), np.array([[one <= 0] for one in way])
    return _Draft(
        draft.xy,
        nodes[:-1],
        nodes[1:],
        lines,
        length,
        np.where(ahead, seconds, np.inf),
        np.where(back, seconds, np.inf),
        np.full(len(lines), tags["highway"], dtype=object),
    )


def close_road(
    networks: Sequence[Roads], line: shapely.LineString, *, along_m: float = ALONG_M
) -> list[Roads] | None:
    """Close the stretches of road that run along a line, in networks that share their lines.

    A stretch is closed where it is within ``along_m`` of the line and follows it: a side street that only
    begins there stays. What would be left of an edge within ``along_m`` of its end is closed with it.

    Parameters
    ----------
    networks : networks with one array ``lines``
    line : in their CRS, planar metres
    along_m : metres, inclusive

    Returns
    -------
    networks : the changed ones; None where no road runs along the line

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> from lifecircle.roads import read_roads
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> close_road([roads], shapely.LineString([(500000, 3380000), (500400, 3380000)]))[0].length_m.tolist()
    [600.0]
    """
    draft = _Draft.of(networks)
    cuts: dict[int, dict[float, int]] = {}
    closed: list[tuple[int, float, float]] = []
    places, following = [draft.xy], len(draft.xy)
    for edge in np.sort(networks[0].tree.query(line, predicate="dwithin", distance=along_m)):
        shape = draft.lines[edge]
        length = float(shapely.length(shape))
        for first, last in _stretches(shape, line, along_m):
            # A stub shorter than the tolerance would be left as a dead end that nobody can use: it goes too.
            low = 0.0 if first <= along_m else first
            high = length if length - last <= along_m else last
            closed.append((int(edge), low, high))
            for along in (low, high):
                if 0.0 < along < length and along not in cuts.get(int(edge), {}):
                    cuts.setdefault(int(edge), {})[along] = following
                    places.append(shapely.get_coordinates(shapely.line_interpolate_point(shape, along)))
                    following += 1
    if not closed:
        return None
    whole = replace(draft, xy=np.vstack(places))
    parts = _split(whole, cuts)
    # Split first, remove after: the rest of each edge keeps its seconds.
    gone = _closed_parts(whole, cuts, closed)
    return parts.taking(np.setdiff1d(np.arange(len(parts.u)), gone)).networks(networks)


def _stretches(
    shape: shapely.LineString, line: shapely.LineString, along_m: float
) -> list[tuple[float, float]]:
    """Return the stretches of a road that follow a line: from and to, metres along the road."""
    near = shapely.intersection(shape, shapely.buffer(line, along_m, cap_style="flat"))
    found = []
    for part in shapely.get_parts(shapely.line_merge(near)):
        ends = shapely.points(shapely.get_coordinates(part)[[0, -1]])
        first, last = sorted(float(along) for along in shapely.line_locate_point(shape, ends))
        advance = abs(float(np.subtract(*shapely.line_locate_point(line, ends))))
        shortest = min(_JUNCTION_M, shapely.length(shape) / 2)
        if last - first > shortest and advance >= _FOLLOWS * (last - first):
            found.append((first, last))
    return found


def _closed_parts(
    before: _Draft,
    cuts: Mapping[int, Mapping[float, int]],
    closed: Sequence[tuple[int, float, float]],
) -> LongArray:
    """Find the edges that closed stretches became after splitting."""
    gone = []
    kept = np.setdiff1d(np.arange(len(before.u)), list(cuts))
    place = {int(edge): at for at, edge in enumerate(kept)}
    at = len(kept)
    for edge in sorted(cuts):
        stops = [0.0, *sorted(cuts[edge]), float(shapely.length(before.lines[edge]))]
        for low, high in pairwise(stops):
            if any(one == edge and first <= low and high <= last for one, first, last in closed):
                gone.append(at)
            at += 1
    gone += [place[edge] for edge, _, _ in closed if edge in place]
    return np.unique(np.array(gone, dtype=np.int64))
