"""Build a :class:`Roads` from loose pieces of road: cut at junctions, join, number, compute seconds.

This module reads no file and knows no tags. It works on flat arrays: a county has a million vertices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import scipy.sparse
import shapely
from scipy.sparse.csgraph import connected_components

from lifecircle.datum import check_metre_crs, metre_crs, way_between
from lifecircle.errors import Fault, ProjectionError, UnusableInputError, say
from lifecircle.roads._network import FloatArray, LongArray, ObjectArray, Roads, frozen, hilbert_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecircle.roads._profiles import Profile

JOIN_M = 1e-3
"""Metres within which ends of lines are one junction (inclusive): above float noise, below any gap."""

FIT_M = 1.0
"""Metres by which a line may miss its named junction and be extended to it; beyond, it is a fault."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Vertices:
    """Ways as one long list of vertices, way after way.

    Attributes
    ----------
    node : (vertex,) name of the node each vertex is; equal names are one junction.
    way : (vertex,) number of the way, not falling.
    lon, lat : (vertex,) degrees; NaN where the file does not hold the node, which cuts the way there.
    """

    node: LongArray
    way: LongArray
    lon: FloatArray
    lat: FloatArray


@dataclass(frozen=True)
class Pieces:
    """Edges before they are numbered.

    Attributes
    ----------
    lines : (piece,) LineStrings in the metre CRS.
    start, end : (piece,) node each line begins and ends at, 0 ... nodes - 1.
    xy : (node, 2) in the metre CRS.
    length_m : (piece,)
    forward_kmh, backward_kmh : (piece,) usual speed along and against the line, 0 where not allowed.
    highway : (piece,) class.
    """

    lines: ObjectArray
    start: LongArray
    end: LongArray
    xy: FloatArray
    length_m: FloatArray
    forward_kmh: FloatArray
    backward_kmh: FloatArray
    highway: ObjectArray


def metre_frame(lon: FloatArray, lat: FloatArray, crs: Any) -> pyproj.CRS:
    """Choose the metre CRS of an area, or check the one that was asked for.

    Raises
    ------
    ProjectionError
        The CRS is unknown, or cannot measure metres over the area.
    """
    if crs is None:
        chosen = metre_crs(lon, lat)
    else:
        try:
            chosen = pyproj.CRS.from_user_input(crs)
        except pyproj.exceptions.CRSError as error:
            raise ProjectionError(
                f"crs {crs!r} is not a coordinate system. Remedy: write for example 'EPSG:4549'"
            ) from error
    check_metre_crs(chosen, lon, lat)
    return chosen


def to_metres(lon: FloatArray, lat: FloatArray, crs: pyproj.CRS) -> FloatArray:
    """Project degrees to (point, 2) metres."""
    x, y = way_between("EPSG:4326", crs).transform(lon, lat)
    return np.column_stack([x, y])


def shift_between(source: pyproj.CRS, target: pyproj.CRS) -> Callable[..., Any]:
    """Return the function that transforms x, y from one CRS to another; equal CRS change nothing."""
    if source == target:
        return lambda x, y: (x, y)
    return way_between(source, target).transform


def cut_ways(vertices: Vertices, crs: Any) -> tuple[pyproj.CRS, LongArray, Pieces]:
    """Cut ways where they meet: at nodes that two ways, or one way twice, run through.

    Crossing without a common node is not a junction (a bridge over a street). A node that is missing cuts
    the way, and the gap stays a gap.

    Returns
    -------
    crs, way : (piece,), pieces without speeds and classes.
    """
    node, run, way, first_of_node = _runs(vertices)
    crs = metre_frame(vertices.lon[first_of_node], vertices.lat[first_of_node], crs)
    xy = to_metres(vertices.lon[first_of_node], vertices.lat[first_of_node], crs)
    change = run[1:] != run[:-1]
    ends = np.concatenate([[True], change]) | np.concatenate([change, [True]])
    # A node that occurs twice is a junction, even where each way only passes through it.
    cut = np.flatnonzero(ends | (np.bincount(node)[node] > 1))
    a, b = cut[:-1], cut[1:]
    # Two cuts that follow each other in the list may end one run and begin the next: that is no piece.
    whole = run[a] == run[b]
    a, b = a[whole], b[whole]
    counts = b - a + 1
    offsets = np.concatenate([[0], np.cumsum(counts)])
    vertex = np.repeat(a - offsets[:-1], counts) + np.arange(offsets[-1])
    lines = shapely.linestrings(xy[node[vertex]], indices=np.repeat(np.arange(len(a)), counts))
    nothing = np.zeros(len(a))
    pieces = Pieces(
        lines,
        node[a],
        node[b],
        xy,
        shapely.length(lines),
        nothing,
        nothing,
        np.full(len(a), "", dtype=object),
    )
    return crs, way[a], pieces


def _runs(vertices: Vertices) -> tuple[LongArray, LongArray, LongArray, LongArray]:
    """Assign numbers to the nodes that are not missing and to the unbroken runs of vertices.

    Returns
    -------
    node (vertex,), run (vertex,), way (vertex,) without missing and repeated vertices, and where each node
    is first met in ``vertices``.
    """
    there = np.isfinite(vertices.lon) & np.isfinite(vertices.lat)
    break_before = (vertices.way[1:] != vertices.way[:-1]) | ~there[1:] | ~there[:-1]
    run = np.concatenate([[0], np.cumsum(break_before)])[there]
    kept = np.flatnonzero(there)
    _, first, node = np.unique(vertices.node[kept], return_index=True, return_inverse=True)
    fresh = np.concatenate([[True], (node[1:] != node[:-1]) | (run[1:] != run[:-1])])
    return node[fresh], run[fresh], vertices.way[kept][fresh], kept[first]


def line_ends(lines: ObjectArray, index: int) -> FloatArray:
    """Return the first (0) or last (-1) point of each line, (line, 2)."""
    coordinates, begin = _vertices_of(lines)
    points: FloatArray = coordinates[begin[:-1] if index == 0 else begin[1:] - 1]
    return points


def _vertices_of(lines: ObjectArray) -> tuple[FloatArray, LongArray]:
    """Return the vertices of lines, (vertex, 2), and where each line begins: (line + 1,)."""
    begin = np.zeros(len(lines) + 1, np.int64)
    np.cumsum(shapely.get_num_coordinates(lines), out=begin[1:])
    return shapely.get_coordinates(lines), begin


def with_ends(lines: ObjectArray, start_xy: FloatArray, end_xy: FloatArray) -> ObjectArray:
    """Return lines with their ends exactly at the given points."""
    coordinates, begin = _vertices_of(lines)
    first, last = begin[:-1], begin[1:] - 1
    apart = (coordinates[first] != start_xy).any(axis=1) | (coordinates[last] != end_xy).any(axis=1)
    if not apart.any():
        return lines
    coordinates[first], coordinates[last] = start_xy, end_xy
    # Most lines end at their junctions already, and a line takes some four hundred bytes.
    row = np.flatnonzero(apart)
    vertex = np.repeat(apart, np.diff(begin))
    moved: ObjectArray = lines.copy()
    moved[row] = shapely.linestrings(
        coordinates[vertex], indices=np.repeat(np.arange(len(row)), np.diff(begin)[row])
    )
    return moved


def fit_lines(
    lines: ObjectArray, start_xy: FloatArray, end_xy: FloatArray
) -> tuple[ObjectArray, FloatArray, BoolArray]:
    """Reverse lines that were drawn from end to start, and put the ends on their junctions.

    Returns
    -------
    lines, miss_m : (line,) how far the worse end was from its junction; above :data:`FIT_M` it is a fault.
    turn : (line,) whether the line was turned.
    """
    first, last = line_ends(lines, 0), line_ends(lines, -1)
    drawn = np.maximum(_apart(first, start_xy), _apart(last, end_xy))
    turned = np.maximum(_apart(first, end_xy), _apart(last, start_xy))
    # Equal misses (a loop) leave the line as it is drawn.
    turn = turned < drawn
    straightened = lines.copy()
    straightened[turn] = shapely.reverse(lines[turn])
    return with_ends(straightened, start_xy, end_xy), np.where(turn, turned, drawn), turn


def _apart(here: FloatArray, there: FloatArray) -> FloatArray:
    apart: FloatArray = np.hypot(*(here - there).T)
    return apart


def straight_lines(start_xy: FloatArray, end_xy: FloatArray) -> ObjectArray:
    """Return the straight line between two points of each row."""
    lines: ObjectArray = shapely.linestrings(np.stack([start_xy, end_xy], axis=1))
    return lines


def collapse(pieces: Pieces) -> Pieces:
    """Merge pieces that follow the same line between the same nodes, in either direction.

    A graph holds a two-way street as two edges; counted as two, its length would count double. Each
    direction keeps its best speed; the first piece gives the orientation and the class. Parallel pieces on
    different lines, or of different stated lengths, stay apart.
    """
    low, high = np.minimum(pieces.start, pieces.end), np.maximum(pieces.start, pieces.end)
    _, pair, count = np.unique(low * len(pieces.xy) + high, return_inverse=True, return_counts=True)
    # Only pieces with a second one between the same nodes are compared: comparing lines is slow.
    several = np.flatnonzero(count[pair] > 1)
    if not len(several):
        return pieces
    # To the millimetre, because the two edges of a street may differ in the last digit after projection.
    along = shapely.set_precision(pieces.lines[several], 1e-3, mode="pointwise")
    ahead, back = shapely.to_wkb(along), shapely.to_wkb(shapely.reverse(along))
    turned = np.zeros(len(pair), dtype=bool)
    turned[several] = back < ahead
    course = np.full(len(pair), b"", dtype=object)
    course[several] = np.where(turned[several], back, ahead)
    same = pd.DataFrame({"course": course, "pair": pair, "mm": np.round(pieces.length_m * 1000)})
    group = same.groupby(["course", "pair", "mm"], sort=False).ngroup().to_numpy()
    _, first = np.unique(group, return_index=True)
    against = turned != turned[first[group]]
    forward, backward = np.zeros(len(first)), np.zeros(len(first))
    np.maximum.at(forward, group, np.where(against, pieces.backward_kmh, pieces.forward_kmh))
    np.maximum.at(backward, group, np.where(against, pieces.forward_kmh, pieces.backward_kmh))
    return replace(taking_pieces(pieces, first), forward_kmh=forward, backward_kmh=backward)


def assemble(pieces: Pieces, *, crs: pyproj.CRS, profile: Profile, name: str) -> Roads:
    """Assign numbers to junctions and edges, compute the seconds of edges, and freeze all arrays.

    Pieces without length disappear and their two ends become one junction. Junctions are numbered along a
    Hilbert curve, edges by (u, v), both stable, so the same input gives the same numbers.

    Raises
    ------
    UnusableInputError
        No piece has any length; ``name`` is the file the message speaks of.
    """
    # First, because it joins junctions: their numbers are given after it.
    pieces = _without_length_zero(pieces)
    if not len(pieces.lines):
        reason = say("no way that may be used has any length: its nodes are missing, or all at one place")
        raise UnusableInputError(
            [Fault(name, "ways", "", reason, say("export the file again with the nodes of its ways"))]
        )
    used = np.unique(np.concatenate([pieces.start, pieces.end]))
    xy = pieces.xy[used]
    # Junctions near each other get near numbers: a search then finds their labels in one cache line.
    order = hilbert_order(xy)
    number = np.full(len(pieces.xy), -1, np.int32)
    number[used[order]] = np.arange(len(used), dtype=np.int32)
    u, v = number[pieces.start], number[pieces.end]
    edges = np.lexsort((v, u))
    pieces = taking_pieces(pieces, edges)
    # 0 km/h means closed: the division gives inf seconds, which is what every search takes for closed.
    with np.errstate(divide="ignore"):
        forward_s = pieces.length_m / (pieces.forward_kmh / 3.6)
        backward_s = pieces.length_m / (pieces.backward_kmh / 3.6)
    return Roads(
        crs=crs,
        profile=profile,
        xy=frozen(xy[order]),
        u=frozen(u[edges]),
        v=frozen(v[edges]),
        length_m=frozen(pieces.length_m),
        forward_s=frozen(forward_s),
        backward_s=frozen(backward_s),
        lines=frozen(pieces.lines),
        highway=frozen(pieces.highway),
    )


def _without_length_zero(pieces: Pieces) -> Pieces:
    nowhere = pieces.length_m == 0
    if not nowhere.any():
        return pieces
    n = len(pieces.xy)
    ends = pieces.start[nowhere], pieces.end[nowhere]
    links = scipy.sparse.coo_array((np.ones(int(nowhere.sum()), np.int8), ends), shape=(n, n))
    _, label = connected_components(links, directed=False)
    xy = np.empty((label.max() + 1, 2))
    # Written backwards, so that of several nodes the first one gives the place.
    xy[label[::-1]] = pieces.xy[::-1]
    joined = replace(
        pieces, start=label[pieces.start].astype(np.int64), end=label[pieces.end].astype(np.int64), xy=xy
    )
    return taking_pieces(joined, np.flatnonzero(~nowhere))


def taking_pieces(pieces: Pieces, kept: LongArray) -> Pieces:
    """Return some pieces, in the order given; the nodes stay."""
    per_piece = ("lines", "start", "end", "length_m", "forward_kmh", "backward_kmh", "highway")
    return replace(pieces, **{name: getattr(pieces, name)[kept] for name in per_piece})
