"""Join plain road lines: find where lines without named junctions meet, and where they nearly do.

This module reads no file and knows no tags. It works on flat arrays of vertices: a county has a million.
The steps, in the order they are applied:

1. A vertex that two lines share exactly is a junction; so is one that a line passes twice.
2. Lines of different level (a bridge over a street) meet only where one of them ends.
3. Ends within ``join_m`` of each other are one junction.
4. An end within ``join_m`` of the inside of a line of its own level is put on that line.
5. Lines that cross without a shared vertex stay apart, unless the study wants them joined or other lines of
   the table are graded apart: then those of one level meet where they cross.

An end is moved by no more than ``join_m`` for each line it is joined to, and nothing else is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse
import shapely
from scipy.sparse.csgraph import connected_components

from lifecircle.roads._topology import JOIN_M

if TYPE_CHECKING:
    from lifecircle.roads._network import FloatArray, LongArray, ObjectArray
    from lifecircle.roads._topology import BoolArray

MISS_M = 5.0
"""Metres to another line, inclusive, within which a dead end is counted as a probable miss to repair."""

_NOISE_M = 1e-6  # a distance is inclusive, up to the noise of coordinates
_STUB = 4.0  # a dead end no longer than this many times its distance from the road it leaves is no miss


@dataclass(frozen=True)
class Joined:
    """Lines cut and joined at their junctions.

    Attributes
    ----------
    row : (piece,) position of the line each piece is a part of.
    lines : (piece,) LineStrings; their ends are exactly at their junctions.
    start, end : (piece,) junction.
    xy : (junction, 2)
    joined : junctions where lines meet that do not share an end point.
    misses : (miss, 3) x, y, metres of dead ends that miss another line by more than ``join_m``.
    crossings : pairs of pieces of one level that still cross without a junction.
    split : junctions that were made where lines cross.
    """

    row: LongArray
    lines: ObjectArray
    start: LongArray
    end: LongArray
    xy: FloatArray
    joined: int
    misses: FloatArray
    crossings: int = 0
    split: int = 0


@dataclass(frozen=True)
class _Course:
    """Lines as one list of vertices, line after line.

    ``line`` : (vertex,) position of the line; ``xy`` : (vertex, 2); ``node`` : (vertex,) junction, or -1;
    ``level`` : (line,); ``place`` : (node, 2), a row for each junction so far; ``moved`` : (node,) whether
    its place is on another line already.
    """

    line: LongArray
    xy: FloatArray
    node: LongArray
    level: LongArray
    place: FloatArray
    moved: BoolArray

    @property
    def first(self) -> BoolArray:
        """Return whether each vertex begins its line."""
        return np.concatenate([[True], self.line[1:] != self.line[:-1]])

    @property
    def last(self) -> BoolArray:
        """Return whether each vertex ends its line."""
        return np.concatenate([self.line[1:] != self.line[:-1], [True]])

    def lines(self) -> ObjectArray:
        """Return the lines as they are now."""
        drawn: ObjectArray = shapely.linestrings(self.xy, indices=self.line)
        return drawn


def join_lines(
    lines: ObjectArray, level: LongArray, *, join_m: float, split_crossings: bool | None = None
) -> Joined:
    """Cut and join lines where they meet.

    Parameters
    ----------
    lines : (line,) LineStrings in a metre CRS, no coordinate missing.
    level : (line,) storey each line runs on, 0 on the ground.
    join_m : metres that an end may miss another line by and still be joined to it, inclusive; a millimetre
        is always joined, because that is the noise of coordinates.
    split_crossings : also cut lines of one level where they cross without a shared vertex; None: only where
        some lines are on another level than the rest, because the table then states what is graded apart.

    Returns
    -------
    joined : pieces of lines between junctions, and the near misses

    >>> lines = shapely.from_wkt(["LINESTRING (0 0, 100 0)", "LINESTRING (100.05 0, 200 0)"])
    >>> joined = join_lines(lines, np.zeros(2, np.int64), join_m=0.1)
    >>> joined.start.tolist(), joined.end.tolist(), joined.joined
    ([0, 1], [1, 2], 1)
    """
    reach = max(float(join_m), JOIN_M) + _NOISE_M
    # The order matters: ends find each other first, then vertices that lines share exactly, and only ends
    # that found neither are moved on to the inside of a line.
    course = _with_end_nodes(_vertices(lines, level), reach)
    course = _with_shared_vertices(course)
    course = _with_near_insides(course, reach)
    if split_crossings is None:
        split_crossings = bool((level != level[:1]).any())
    before = len(course.place)
    if split_crossings:
        course = _with_crossings(course, reach)
    split = max(len(course.place) - before, 0)
    row, pieces, start, end, xy = _cut(course)
    return Joined(
        row,
        pieces,
        start,
        end,
        xy,
        joined=_joined_places(course),
        misses=_misses(pieces, start, end, xy, course.level[row]),
        crossings=_open_crossings(pieces, course.level[row]),
        split=split,
    )


def _vertices(lines: ObjectArray, level: LongArray) -> _Course:
    """List the vertices of lines, without those that repeat the one before."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    new_line = np.r_[True, line[1:] != line[:-1]]
    kept = new_line | np.r_[True, (xy[1:] != xy[:-1]).any(axis=1)]
    single = np.bincount(line, weights=kept, minlength=len(lines)) == 1
    kept |= np.r_[new_line[1:], True] & single[line]  # a line of no length keeps both its ends
    xy, line = xy[kept], line[kept].astype(np.int64)
    none = np.full(len(line), -1, np.int64)
    return _Course(line, xy, none, level.astype(np.int64), np.empty((0, 2)), np.empty(0, dtype=bool))


def _points(xy: FloatArray) -> tuple[FloatArray, LongArray]:
    """Return the different points among coordinates (point, 2), and the point of each coordinate."""
    found, point = np.unique(xy[:, 0] + 1j * xy[:, 1], return_inverse=True)
    return np.column_stack([found.real, found.imag]), point.astype(np.int64)


def _with_end_nodes(course: _Course, reach: float) -> _Course:
    """Make one junction of the ends of lines that lie within ``reach`` of each other."""
    ends = np.flatnonzero(course.first | course.last)
    places, point = _points(course.xy[ends])
    label = _clusters(places, point, course, ends, reach)
    many = np.bincount(point, minlength=len(places))
    best = np.lexsort((np.arange(len(places)), -many))[::-1]  # most ends stay where they are
    place = np.empty((int(label.max()) + 1, 2))
    place[label[best]] = places[best]
    place = _between_scattered(place, places, label, many)
    node = course.node.copy()
    node[ends] = label[point]
    return replace(course, node=node, place=place, moved=np.zeros(len(place), dtype=bool))


def _between_scattered(
    place: FloatArray, places: FloatArray, label: LongArray, many: LongArray
) -> FloatArray:
    """Put a junction of three or more ends, no two of them at one point, in the middle between them.

    Such ends carry an error each, and the errors of several cancel in part. Ends that agree are kept.
    """
    several = np.bincount(label)
    agreed = np.zeros(len(several), np.int64)
    np.maximum.at(agreed, label, many)
    middle = np.column_stack([np.bincount(label, weights=axis) / several for axis in places.T])
    scattered = (several > 2) & (agreed == 1)
    return np.where(scattered[:, None], middle, place)


def _clusters(
    places: FloatArray, point: LongArray, course: _Course, ends: LongArray, reach: float
) -> LongArray:
    """Return a number for each end point, equal where they are one junction; nearest pairs join first.

    The two ends of a short line stay apart: each joins its own neighbours, so the line is not closed.
    """
    from scipy.spatial import KDTree  # noqa: PLC0415 - only tables of lines need it

    pairs = KDTree(places).query_pairs(reach, output_type="ndarray").astype(np.int64).reshape(-1, 2)
    apart = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T)
    # A millimetre is coordinate noise and always one point. Wider gaps join from the nearest on, one at a
    # time, so that a chain of ends does not become one junction of several metres.
    label = _components(pairs[apart <= JOIN_M], len(places))
    order = np.lexsort((pairs[:, 1], pairs[:, 0], apart))
    wider = pairs[order[apart[order] > JOIN_M]]
    if not len(wider):
        return label
    short = _short_lines(course, ends, label[point], reach)
    parent = list(range(int(label.max()) + 1))
    for one, other in label[wider].tolist():
        a, b = _root(parent, one), _root(parent, other)
        # The two groups hold the two ends of one short line: joining them would close it up.
        if a == b or short.get(a, _NONE) & short.get(b, _NONE):
            continue
        low, high = min(a, b), max(a, b)
        parent[high] = low
        if high in short:
            short[low] = short.get(low, frozenset()) | short.pop(high)
    root = np.array([_root(parent, each) for each in range(len(parent))], np.int64)
    return np.unique(root[label], return_inverse=True)[1].astype(np.int64)


_NONE: frozenset[int] = frozenset()


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        # Halve the path on the way up, so that long chains of ends stay quick.
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


def _components(pairs: LongArray, count: int) -> LongArray:
    """Return the group number of each of 0 ... count - 1; a pair is in one group."""
    links = scipy.sparse.coo_array((np.ones(len(pairs), np.int8), pairs.T), shape=(count, count))
    label: LongArray = connected_components(links, directed=False)[1].astype(np.int64)
    return label


def _short_lines(
    course: _Course, ends: LongArray, label: LongArray, reach: float
) -> dict[int, frozenset[int]]:
    """Return the lines that joining could close into a ring, by the group of their ends."""
    length = np.bincount(course.line, weights=_steps(course), minlength=len(course.level))
    short = (length > JOIN_M) & (length <= 3 * reach)
    found: dict[int, frozenset[int]] = {}
    for at in np.flatnonzero(short[course.line[ends]]):
        group = int(label[at])
        found[group] = found.get(group, frozenset()) | {int(course.line[ends[at]])}
    return found


def _steps(course: _Course) -> FloatArray:
    """Return the metres from the vertex before on the same line, 0 at the first of a line: (vertex,)."""
    step = np.zeros(len(course.line))
    step[1:] = np.hypot(*np.diff(course.xy, axis=0).T)
    step[course.first] = 0.0
    return step


def _with_shared_vertices(course: _Course) -> _Course:
    """Make junctions of inner vertices that lines share exactly with an end or with each other."""
    _, point = _points(course.xy)
    level = course.level[course.line]
    is_end = course.node >= 0
    table = pd.DataFrame({"point": point, "level": level, "end": is_end})
    group = table.groupby(["point", "level"], sort=True).ngroup().to_numpy()
    inner = ~is_end
    # A line that repeats another one shares all its vertices; it would cut the other at every one of them.
    counted = inner & ~_repeated(course, point)[course.line]
    inner_in = np.bincount(group, weights=counted, minlength=int(group.max()) + 1)
    end_in = np.bincount(group, weights=is_end, minlength=len(inner_in))
    point_of = np.empty(len(inner_in), np.int64)
    point_of[group] = point
    levels_at = np.bincount(point_of, weights=inner_in > 0, minlength=int(point.max()) + 1)
    end_node = np.full(len(levels_at), -1, np.int64)
    end_node[point[is_end]] = course.node[is_end]
    # a line of another level passes an end only where no third level makes that doubtful
    to_end = (end_node[point_of] >= 0) & ((end_in > 0) | (levels_at[point_of] == 1))
    fresh = ~to_end & (inner_in >= 2)
    number = np.full(len(inner_in), -1, np.int64)
    number[to_end] = end_node[point_of[to_end]]
    number[fresh] = len(course.place) + np.arange(int(fresh.sum()))
    node = np.where(inner, number[group], course.node)
    place = np.vstack([course.place, np.zeros((int(fresh.sum()), 2))])
    at = inner & fresh[group]
    place[node[at]] = course.xy[at]
    anchored = np.r_[course.moved, np.ones(int(fresh.sum()), dtype=bool)]
    return replace(course, node=node, place=place, moved=anchored)


def _repeated(course: _Course, point: LongArray) -> BoolArray:
    """Return which lines repeat an earlier one, in either direction: (line,). They cut no other line."""
    first, last = np.flatnonzero(course.first), np.flatnonzero(course.last)
    one, other = point[first], point[last]
    alike = pd.DataFrame(
        {
            "low": np.minimum(one, other),
            "high": np.maximum(one, other),
            "count": last - first,
            "level": course.level,
        }
    )
    # A cheap test first (ends, count, level): only lines that agree in it are compared vertex by vertex.
    several = np.flatnonzero(alike.duplicated(keep=False))
    repeated = np.zeros(len(first), dtype=bool)
    seen: set[tuple[int, bytes]] = set()
    for line in several:
        along = point[first[line] : last[line] + 1]
        key = (int(course.level[line]), min(along.tobytes(), along[::-1].tobytes()))
        repeated[line] = key in seen
        seen.add(key)
    return repeated


def _with_near_insides(course: _Course, reach: float) -> _Course:
    """Move ends on to the inside of lines of their level that pass within ``reach``."""
    end = np.flatnonzero(course.first | course.last)
    lines = course.lines()
    tree = shapely.STRtree(lines)
    nodes = np.unique(course.node[end])
    at, line = tree.query(shapely.points(course.place[nodes]), predicate="dwithin", distance=reach)
    pairs = _wanted_pairs(course, end, nodes[at], line.astype(np.int64))
    if not len(pairs):
        return course
    node, line = pairs.T
    along = shapely.line_locate_point(lines[line], shapely.points(course.place[node]))
    inside = (along > 0) & (along < shapely.length(lines[line]))
    node, line, along = node[inside], line[inside], along[inside]
    return _with_stops(course, lines, node, line, along, reach)


def _wanted_pairs(course: _Course, end: LongArray, node: LongArray, line: LongArray) -> LongArray:
    """Return pairs of a junction and a line of its level that it is not on yet, in order, each once."""
    lines = len(course.level)
    there = course.node >= 0
    on_it = np.unique(course.node[there] * lines + course.line[there])
    levels, level = np.unique(course.level, return_inverse=True)
    ends_at = np.unique(course.node[end] * len(levels) + level[course.line[end]])
    wanted = ~np.isin(node * lines + line, on_it) & np.isin(node * len(levels) + level[line], ends_at)
    return np.unique(np.column_stack([node[wanted], line[wanted]]), axis=0)


def _with_stops(  # noqa: PLR0913, PLR0917 - parallel lists of one table of stops
    course: _Course,
    lines: ObjectArray,
    node: LongArray,
    line: LongArray,
    along: FloatArray,
    reach: float,
) -> _Course:
    """Add junctions beside a line to it: at a junction of its own, at a vertex, or in between.

    ``node``, ``line``, ``along`` : (stop,) junction, line, metres along the line as it is drawn in ``lines``.
    """
    step = np.cumsum(_steps(course))
    first = np.flatnonzero(course.first)[line]
    # The segment in which the stop lies; clipped, because float noise can put it beyond the last vertex.
    before = np.clip(
        np.searchsorted(step, step[first] + along, side="right") - 1,
        first,
        np.flatnonzero(course.last)[line] - 1,
    )
    points = shapely.line_interpolate_point(lines[line], along)
    where = shapely.get_coordinates(points)
    here = course.place[node]
    links: list[LongArray] = []
    new_node, left = course.node.copy(), np.ones(len(node), dtype=bool)
    place, moved = course.place.copy(), course.moved.copy()
    for vertex in (before, before + 1):  # a junction of the line's own that is near enough
        near = np.hypot(*(course.xy[vertex] - here).T) <= reach
        taken = left & near & (course.node[vertex] >= 0)
        links.append(np.column_stack([node[taken], course.node[vertex[taken]]]))
        left &= ~taken
    for vertex in (before, before + 1):  # a vertex where the junction comes to stand anyway
        near = np.hypot(*(course.xy[vertex] - where).T) <= JOIN_M
        for at in np.flatnonzero(left & near):
            if new_node[vertex[at]] < 0:
                new_node[vertex[at]] = node[at]
            else:
                links.append(np.array([[node[at], new_node[vertex[at]]]]))
            left[at] = False
            where[at] = course.xy[vertex[at]]
    # A junction moves once: on to the first line it touches. Later lines are drawn on to it where it stands.
    on_line = ~moved[node]
    place[node[on_line][::-1]] = where[on_line][::-1]
    moved[node] = True
    course = replace(course, node=new_node, place=place, moved=moved)
    course = _inserted(course, before[left], along[left], where[left], node[left])
    return _united(course, np.vstack(links))


def _inserted(
    course: _Course, before: LongArray, along: FloatArray, xy: FloatArray, node: LongArray
) -> _Course:
    """Add vertices after others, in the order of the metres along their line."""
    order = np.lexsort((node, along, before))
    at = before[order] + 1
    return replace(
        course,
        line=np.insert(course.line, at, course.line[before[order]]),
        xy=np.insert(course.xy, at, xy[order], axis=0),
        node=np.insert(course.node, at, node[order]),
    )


def _united(course: _Course, links: LongArray) -> _Course:
    """Make one junction of linked ones; it lies where the one made last lies, on a vertex of its line."""
    if not len(links):
        return course
    label = _components(links, len(course.place))
    place = np.empty((int(label.max()) + 1, 2))
    moved = np.zeros(len(place), dtype=bool)
    # in rising order of what holds a place: moved ends first, then junctions that lines had already
    weight = np.zeros(len(label), np.int64)
    weight[links[:, 1]] = 1
    order = np.lexsort((-np.arange(len(label)), weight))
    place[label[order]] = course.place[order]
    moved[label[course.moved]] = True
    node = np.where(course.node >= 0, label[course.node], -1)
    return replace(course, node=node, place=place, moved=moved)


def _with_crossings(course: _Course, reach: float) -> _Course:
    """Cut lines of one level where they cross without a shared vertex."""
    lines = course.lines()
    one, other = shapely.STRtree(lines).query(lines, predicate="intersects")
    # A bridge and the street below cross too, and no one can change from one to the other.
    wanted = (one < other) & (course.level[one] == course.level[other])
    pair = np.unique(np.column_stack([one[wanted], other[wanted]]), axis=0).astype(np.int64)
    if not len(pair):
        return course
    meeting = shapely.intersection(lines[pair[:, 0]], lines[pair[:, 1]])
    xy, at = shapely.get_coordinates(meeting, return_index=True)
    # Lines that already share a junction there are not cut again a few centimetres beside it.
    fresh = ~_share_a_node(course, pair[at], xy, reach)
    xy, at = xy[fresh], at[fresh]
    if not len(xy):
        return course
    node = len(course.place) + np.arange(len(xy))
    course = replace(
        course, place=np.vstack([course.place, xy]), moved=np.r_[course.moved, np.ones(len(xy), dtype=bool)]
    )
    nodes, line = np.tile(node, 2), np.concatenate([pair[at, 0], pair[at, 1]])
    along = shapely.line_locate_point(lines[line], shapely.points(np.tile(xy, (2, 1))))
    course = _with_stops(course, lines, nodes, line, along, JOIN_M)
    return _united(course, _same_places(course))


def _open_crossings(lines: ObjectArray, level: LongArray) -> int:
    """Count the pairs of pieces of one level that cross inside both of them."""
    one, other = shapely.STRtree(lines).query(lines)
    wanted = (one < other) & (level[one] == level[other])
    one, other = one[wanted], other[wanted]
    # Nearly all pairs are neighbours at a junction. Two that have an end in common and are straight, or whose
    # boxes have no more than that place in common, meet nowhere else: a look at each takes most of the time.
    ends = [shapely.get_coordinates(shapely.get_point(lines, end)) for end in (0, -1)]
    neighbours = np.any([(a[one] == b[other]).all(axis=1) for a in ends for b in ends], axis=0)
    box = shapely.bounds(lines)
    common = np.minimum(box[one, 2:], box[other, 2:]) - np.maximum(box[one, :2], box[other, :2])
    straight = shapely.get_num_coordinates(lines) == 2
    at_most_there = (straight[one] & straight[other]) | (common <= 0).all(axis=1)
    # A ring has no end: where it closes is inside it.
    ring = shapely.is_closed(lines)
    open_ = ~(neighbours & at_most_there) | ring[one] | ring[other]
    return int(shapely.crosses(lines[one[open_]], lines[other[open_]]).sum())


def _share_a_node(course: _Course, pair: LongArray, xy: FloatArray, reach: float) -> BoolArray:
    """Return which meetings of two lines already have a junction of both within ``reach``."""
    there = np.flatnonzero(course.node >= 0)
    on = pd.DataFrame({"line": course.line[there], "node": course.node[there]}).drop_duplicates()
    meeting = pd.DataFrame({"one": pair[:, 0], "other": pair[:, 1], "at": np.arange(len(pair))})
    both = meeting.merge(on, left_on="one", right_on="line").merge(
        on, left_on=["other", "node"], right_on=["line", "node"]
    )
    shared = np.zeros(len(pair), dtype=bool)
    at, node = both["at"].to_numpy(), both["node"].to_numpy()
    near = np.hypot(*(course.place[node] - xy[at]).T) <= reach
    shared[at[near]] = True
    return shared


def _same_places(course: _Course) -> LongArray:
    """List pairs of junctions that follow each other on a line within a millimetre."""
    there = np.flatnonzero(course.node >= 0)
    a, b = there[:-1], there[1:]
    near = (course.line[a] == course.line[b]) & (
        np.hypot(*(course.place[course.node[a]] - course.place[course.node[b]]).T) <= JOIN_M
    )
    different = near & (course.node[a] != course.node[b])
    return np.column_stack([course.node[a[different]], course.node[b[different]]])


def _cut(course: _Course) -> tuple[LongArray, ObjectArray, LongArray, LongArray, FloatArray]:
    """Cut lines at their junctions.

    Returns
    -------
    row (piece,), lines (piece,), start (piece,), end (piece,), xy (junction, 2).
    """
    cut = np.flatnonzero(course.node >= 0)
    a, b = cut[:-1], cut[1:]
    whole = course.line[a] == course.line[b]
    a, b = a[whole], b[whole]
    xy = course.xy.copy()
    xy[cut] = course.place[course.node[cut]]
    counts = b - a + 1
    offsets = np.concatenate([[0], np.cumsum(counts)])
    vertex = np.repeat(a - offsets[:-1], counts) + np.arange(offsets[-1])
    lines = shapely.linestrings(xy[vertex], indices=np.repeat(np.arange(len(a)), counts))
    return course.line[a], lines, course.node[a], course.node[b], course.place


def _joined_places(course: _Course) -> int:
    """Return the number of junctions where lines meet that do not all end at one and the same point."""
    there = np.flatnonzero(course.node >= 0)
    is_end = (course.first | course.last)[there]
    node = course.node[there]
    count = len(course.place)
    inner = np.bincount(node[~is_end], minlength=count) > 0
    several = np.bincount(node, minlength=count) > 1
    _, point = _points(course.xy[there])
    ends = np.unique(np.column_stack([node[is_end], point[is_end]]), axis=0)
    apart = np.bincount(ends[:, 0], minlength=count) > 1
    return int((several & (inner | apart)).sum())


def _misses(
    lines: ObjectArray, start: LongArray, end: LongArray, xy: FloatArray, level: LongArray
) -> FloatArray:
    """Find dead ends within :data:`MISS_M` of a line they were probably meant for: (miss, 3) x, y, metres."""
    node = np.concatenate([start, end])
    # A dead end is a junction that only one piece touches.
    dead = np.flatnonzero(np.bincount(node, minlength=len(xy))[node] == 1)
    own = dead % len(lines)
    far_end = np.concatenate([end, start])[dead]
    points = shapely.points(xy[node[dead]])
    at, near = shapely.STRtree(lines).query(points, predicate="dwithin", distance=MISS_M + _NOISE_M)
    metres = shapely.distance(points[at], lines[near])
    leaves = (start[near] == far_end[at]) | (end[near] == far_end[at])
    # A short side street ends near the street it leaves; that is its shape and not a miss.
    stub = leaves & (shapely.length(lines[own[at]]) <= _STUB * metres)
    ends = np.minimum(
        np.hypot(*(xy[start[near]] - xy[node[dead[at]]]).T), np.hypot(*(xy[end[near]] - xy[node[dead[at]]]).T)
    )
    # A street that ends under a bridge is near the bridge in the plan only.
    below = (level[near] != level[own[at]]) & (ends > metres + JOIN_M)
    kept = (near != own[at]) & ~stub & ~below & (metres > 0)
    if not kept.any():
        return np.empty((0, 3))
    to_start = np.hypot(*(xy[start[near]] - xy[node[dead[at]]]).T) <= ends
    meant = np.where(ends <= metres + JOIN_M, np.where(to_start, start[near], end[near]), -1)
    found = pd.DataFrame({"node": node[dead[at]], "metres": metres, "meant": meant})[kept]
    best = found.sort_values(["metres", "node", "meant"]).drop_duplicates("node").set_index("node")
    # two ends that miss each other are one miss
    back = best["meant"].reindex(best["meant"]).to_numpy() == best.index.to_numpy()
    best = best[~(back & (best["meant"].to_numpy() < best.index.to_numpy()))].sort_index()
    return np.column_stack([xy[best.index.to_numpy()], best["metres"].to_numpy()])
