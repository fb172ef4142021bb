"""Find the edges near a point on a grid of cells, and measure to them, in compiled loops.

Distances are written in the operations of GEOS, in their order, so that they give the same bits. The caller
checks whether they do on this computer. Importing this module imports numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifecircle.compiled import kernel, part

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]
    Labels = npt.NDArray[np.int32]

TIE_M = 1e-6
"""Metres by which an edge may be farther than the nearest and is still listed: well above float noise."""

_MOST_RINGS = 32
"""Rings of cells searched around a point before the search stops without an answer."""

_MARGIN = 1e-6
"""Share of a cell by which a segment is put in more cells than it runs through, against float noise."""


class Segments(NamedTuple):
    """Straight pieces of the edges: from (ax, ay) to (bx, by), and their ``edge``, each (segment,).

    The pieces of an edge stand together in their order: ``ptr[edge]:ptr[edge + 1]``.
    """

    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    edge: Labels
    ptr: Longs


class Measures(NamedTuple):
    """What is measured for each point, (point,) each: to the nearest edge, and along it.

    ``edge`` is -1 where a point has no candidates; then the others are NaN. ``metres`` to the edge; ``at_m``
    along it to the nearest place; ``length_m`` of the edge.
    """

    edge: Longs
    metres: Floats
    at_m: Floats
    length_m: Floats


class Frame(NamedTuple):
    """Where the cells are: the lower left corner, the side of a cell in metres, columns and rows."""

    x: float
    y: float
    side: float
    columns: int
    rows: int


class Cells(NamedTuple):
    """Segments in each cell, row by row: those of cell c are ``segment[ptr[c]:ptr[c + 1]]``."""

    ptr: Longs
    segment: Labels


@part
def _column(place: float, low: float, side: float, many: int) -> int:
    """Return the cell of a coordinate along one axis, the outermost one for what lies outside."""
    return min(max(int(np.floor((place - low) / side)), 0), many - 1)


@kernel
def fill(segments: Segments, frame: Frame, cells: Cells) -> None:
    """Put every segment in the cells it runs through.

    Called twice: with an empty ``cells.segment`` it counts, into ``cells.ptr`` (cell + 1,), zero on
    entry; with room for as many as were counted, it fills.
    """
    x, y, side, columns, rows = frame
    filling = len(cells.segment) > 0
    margin = _MARGIN * side
    for s in range(len(segments.ax)):
        ax, ay, bx, by = segments.ax[s], segments.ay[s], segments.bx[s], segments.by[s]
        # Segments run upward here, so that ``below`` and ``above`` are the crossings with the lower and upper
        # side.
        if ay > by:
            ax, ay, bx, by = bx, by, ax, ay
        low, high = min(ax, bx), max(ax, bx)
        for row in range(_column(ay - margin, y, side, rows), _column(by + margin, y, side, rows) + 1):
            left, right = low, high
            # A nearly level segment has no usable slope; it takes every cell between its two ends.
            if by - ay > margin:
                slope = (bx - ax) / (by - ay)
                below = ax + slope * (min(max(y + row * side - margin, ay), by) - ay)
                above = ax + slope * (min(max(y + (row + 1) * side + margin, ay), by) - ay)
                left, right = max(low, min(below, above)), min(high, max(below, above))
            for column in range(
                _column(left - margin, x, side, columns), _column(right + margin, x, side, columns) + 1
            ):
                cell = row * columns + column
                if filling:
                    cells.segment[cells.ptr[cell]] = s
                cells.ptr[cell] += 1


@kernel
def near(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one search, in the arrays it is handed
    px: Floats,
    py: Floats,
    begin: int,
    segments: Segments,
    frame: Frame,
    cells: Cells,
    seen_edge: Labels,
    seen_m: Floats,
    ptr: Longs,
    edge: Labels,
) -> int:
    """List for each point from ``begin`` on the edges at most :data:`TIE_M` farther than the nearest.

    Parameters
    ----------
    px, py : (point,)
    begin : the first point to look at
    segments, frame, cells : the grid
    seen_edge, seen_m : (room,) for the edges seen around one point
    ptr : (point + 1,) written: those of point p are ``edge[ptr[p]:ptr[p + 1]]``, ascending. None, where
        no edge is within the rings looked at, or more than there is room for.
    edge : (candidate,) written

    Returns
    -------
    point : the first one that ``edge`` had no room for, or the number of points
    """
    x, y, side, columns, rows = frame
    room = len(seen_edge)
    for p in range(begin, len(px)):
        at = ptr[p]
        # Checked before the point is searched: a point is listed as a whole or not at all.
        if at + room > len(edge):
            return p
        here_x, here_y = px[p], py[p]
        # Clipped first: a point far outside the grid would not fit in a whole number.
        middle = int(np.floor(min(max((here_x - x) / side, -1e9), 1e9)))
        level = int(np.floor(min(max((here_y - y) / side, -1e9), 1e9)))
        best, seen, given_up = np.inf, 0, False
        ring = 0
        # A cell of ring n is at least n - 1 sides away, so rings beyond the best distance hold nothing
        # nearer.
        while ring <= _MOST_RINGS and best + TIE_M > (ring - 1) * side and not given_up:
            for row in range(max(level - ring, 0), min(level + ring, rows - 1) + 1):
                # Of the inner rows only the first and the last column belong to the ring.
                step = 1 if row in (level - ring, level + ring) or ring == 0 else 2 * ring
                for column in range(middle - ring, middle + ring + 1, step):
                    if column < 0 or column >= columns:
                        continue
                    cell = row * columns + column
                    for entry in range(cells.ptr[cell], cells.ptr[cell + 1]):
                        s = cells.segment[entry]
                        along_x, along_y = segments.bx[s] - segments.ax[s], segments.by[s] - segments.ay[s]
                        off_x, off_y = here_x - segments.ax[s], here_y - segments.ay[s]
                        square = along_x * along_x + along_y * along_y
                        share = 0.0
                        if square > 0.0:
                            share = min(max((off_x * along_x + off_y * along_y) / square, 0.0), 1.0)
                        off_x -= share * along_x
                        off_y -= share * along_y
                        metres = np.sqrt(off_x * off_x + off_y * off_y)
                        if metres > best + TIE_M:
                            continue
                        best = min(best, metres)
                        if seen == room:
                            # The list is full: drop what is no tie of the best any more, and only then give
                            # up.
                            kept = 0
                            for i in range(seen):
                                if seen_m[i] <= best + TIE_M:
                                    seen_edge[kept], seen_m[kept] = seen_edge[i], seen_m[i]
                                    kept += 1
                            seen = kept
                        if seen == room:
                            given_up = True
                            break
                        seen_edge[seen], seen_m[seen] = segments.edge[s], metres
                        seen += 1
                    if given_up:
                        break
                if given_up:
                    break
            ring += 1
        if best + TIE_M > (ring - 1) * side:
            given_up = True
        if not given_up:
            first = at
            for i in range(seen):
                if seen_m[i] > best + TIE_M:
                    continue
                found = seen_edge[i]
                place = at
                # Insertion sort: the list is short, and an edge with several segments nearby comes several
                # times.
                while place > first and edge[place - 1] > found:
                    place -= 1
                if place > first and edge[place - 1] == found:
                    continue
                for j in range(at, place, -1):
                    edge[j] = edge[j - 1]
                edge[place] = found
                at += 1
        ptr[p + 1] = at
    return len(px)


@part
def _between(x: float, y: float, other_x: float, other_y: float) -> float:
    """Return the metres between two places."""
    dx, dy = other_x - x, other_y - y
    return float(np.sqrt(dx * dx + dy * dy))


@part
def _to_segment(px: float, py: float, segments: Segments, s: int) -> tuple[float, float]:
    """Return the metres from a place to a segment, and the share of it at which the nearest place is.

    The share is not cut off at the ends.
    """
    ax, ay, bx, by = segments.ax[s], segments.ay[s], segments.bx[s], segments.by[s]
    if ax == bx and ay == by:
        return _between(px, py, ax, ay), 0.0
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    share = ((px - ax) * dx + (py - ay) * dy) / square
    if share <= 0.0:
        return _between(px, py, ax, ay), share
    if share >= 1.0:
        return _between(px, py, bx, by), share
    aside = ((ay - py) * dx - (ax - px) * dy) / square
    return abs(aside) * float(np.sqrt(square)), share


@kernel
def measure(  # noqa: PLR0913, PLR0917 - the candidates, and the arrays it works in
    px: Floats, py: Floats, ptr: Longs, edge: Labels, segments: Segments, measures: Measures
) -> None:
    """Measure from each point to its candidates and along the nearest, the first of equals.

    ``ptr`` (point + 1,) and ``edge`` are those of :func:`near`.
    """
    for p in range(len(px)):
        best, chosen = np.inf, -1
        for c in range(ptr[p], ptr[p + 1]):
            for s in range(segments.ptr[edge[c]], segments.ptr[edge[c] + 1]):
                metres, _ = _to_segment(px[p], py[p], segments, s)
                if metres < best:
                    best, chosen = metres, edge[c]
        measures.edge[p] = chosen
        measures.metres[p] = measures.at_m[p] = measures.length_m[p] = np.nan
        if chosen < 0:
            continue
        nearest, at, before = np.inf, 0.0, 0.0
        for s in range(segments.ptr[chosen], segments.ptr[chosen + 1]):
            metres, share = _to_segment(px[p], py[p], segments, s)
            ax, ay, bx, by = segments.ax[s], segments.ay[s], segments.bx[s], segments.by[s]
            length = _between(ax, ay, bx, by)
            if px[p] == bx and py[p] == by:
                share = 1.0
            if metres < nearest:
                nearest = metres
                at = before if share <= 0.0 else before + (share * length if share <= 1.0 else length)
            before += length
        measures.metres[p], measures.at_m[p], measures.length_m[p] = best, at, before
