"""Find the edges nearest to many points by compiled loops; not what a snap makes of them.

The segments of all edges are sorted into square cells (a uniform grid: Bentley, Weide and Yao 1980). Around
each point rings of cells are searched until nothing nearer can follow. Distances found in this way only show
which edges are candidates. These are then measured with the same operations as in GEOS, which measures
without compiled loops, so that both give the same answer to the last bit.

References
----------
Bentley, J. L., Weide, B. W., Yao, A. C. (1980). Optimal expected-time algorithms for closest point
problems. ACM Transactions on Mathematical Software 6(4).
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.compiled import call, compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.reach._grid_kernels import Cells, Frame, Measures, Segments

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Objects = npt.NDArray[Any]

_CELLS_PER_SEGMENT = 4.0
"""Cells for each segment; most lie where there are no roads."""

_ROOM = 64
"""Candidate segments around one point; where there are more, GEOS measures that point."""


_BLOCKS = 256
"""Blocks along a side of the extent, by which points are sorted: their numbers fill 16 bits."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The segments of lines, sorted into cells."""

    segments: Segments
    frame: Frame
    cells: Cells

    @classmethod
    def of(cls, lines: Objects) -> Grid:
        """Sort lines into cells; there is at least one line, and the extent is finite.

        Raises
        ------
        MissingExtraError
            When numba is not installed.
        """
        kernels = compiled("lifecircle.reach._grid_kernels")
        xy, line = shapely.get_coordinates(lines, return_index=True)
        joined = np.flatnonzero(line[1:] == line[:-1])
        ends = np.ascontiguousarray(np.hstack([xy[joined], xy[joined + 1]]).T)
        edge = line[joined].astype(np.int32)
        segments = kernels.Segments(*ends, edge, np.searchsorted(edge, np.arange(len(lines) + 1)))
        low, extent = xy.min(axis=0), np.ptp(xy, axis=0)
        # Side of a cell: a mean of four cells for each segment. The second term bounds the number of cells
        # where all roads lie on one line; the third avoids a side of zero.
        side = max(
            np.sqrt(extent.prod() / (_CELLS_PER_SEGMENT * len(joined))),
            extent.max() / (_CELLS_PER_SEGMENT * len(joined)),
            1e-3,
        )
        columns, rows = (extent // side).astype(int) + 2
        frame = kernels.Frame(float(low[0]), float(low[1]), float(side), int(columns), int(rows))
        ptr = np.zeros(columns * rows + 1, dtype=np.int64)
        # Counted first, then filled, because a compiled loop cannot make its arrays longer.
        call(kernels.fill, segments, frame, kernels.Cells(ptr, np.empty(0, dtype=np.int32)))
        many = int(ptr.sum())
        ptr = np.concatenate([[0], np.cumsum(ptr[:-1])])
        cells = kernels.Cells(ptr.copy(), np.empty(many, dtype=np.int32))
        call(kernels.fill, segments, frame, cells)
        return cls(segments, frame, kernels.Cells(ptr, cells.segment))

    def near(self, xy: Floats) -> tuple[Ints, Ints]:
        """List the edges that may be the nearest of each point.

        Parameters
        ----------
        xy : (point, 2), finite

        Returns
        -------
        point, edge : (candidate,) in ascending order of both. A point far from every edge, or with very
            many at equal distances, has none.
        """
        ptr, edge = self._listed(*np.ascontiguousarray(xy.T))
        return np.repeat(np.arange(len(xy)), np.diff(ptr)), edge.astype(np.int64)

    def nearest(self, xy: Floats) -> Measures:
        """Find the nearest edge of each point, the lowest of equals, and measure to it and along it.

        Parameters
        ----------
        xy : (point, 2), finite

        Returns
        -------
        measures : in the order of the points; edge -1 where :meth:`near` lists none
        """
        kernels = compiled("lifecircle.reach._grid_kernels")
        # Neighbouring points look at the same cells: in this order they are in the processor's cache already.
        order = _in_blocks(xy)
        px, py = np.ascontiguousarray(xy[order].T)
        many = len(px)
        found: Measures = kernels.Measures(
            np.empty(many, dtype=np.int64), np.empty(many), np.empty(many), np.empty(many)
        )
        call(kernels.measure, px, py, *self._listed(px, py), self.segments, found)
        place = np.empty(many, dtype=np.int64)
        place[order] = np.arange(many)
        answer: Measures = kernels.Measures(*(column[place] for column in found))
        return answer

    def _listed(self, px: Floats, py: Floats) -> tuple[Ints, npt.NDArray[np.int32]]:
        """List the edges that may be the nearest of each point: where each list begins, and the edges."""
        kernels = compiled("lifecircle.reach._grid_kernels")
        many = len(px)
        ptr = np.zeros(many + 1, dtype=np.int64)
        edge = np.empty(2 * many + _ROOM, dtype=np.int32)
        room = np.empty(_ROOM, dtype=np.int32), np.empty(_ROOM)
        done = 0
        while done < many:
            done = call(kernels.near, px, py, done, self.segments, self.frame, self.cells, *room, ptr, edge)
            # The list was full at point ``done``: double it and go on from there.
            if done < many:
                edge = np.concatenate([edge, np.empty(len(edge), dtype=np.int32)])
        return ptr, edge[: ptr[-1]]


def _in_blocks(xy: Floats) -> Ints:
    """Return an order of points (point, 2) by square blocks, so that neighbours read the same memory."""
    if len(xy) == 0:
        return np.zeros(0, dtype=np.int64)
    side_m = max(float(np.ptp(xy, axis=0).max()), 1e-3) / (_BLOCKS - 1)
    column, row = ((xy - xy.min(axis=0)) / side_m).astype(np.uint16).T
    order: Ints = np.argsort(row * np.uint16(_BLOCKS) + column, kind="stable")  # 16 bits: by counting
    return order


_grids: dict[int, Grid] = {}


def grid_of(lines: Objects) -> Grid:
    """Return the grid of these lines; it is made once for each array and dropped with the array."""
    grid = _grids.get(id(lines))
    if grid is None:
        grid = _grids[id(lines)] = Grid.of(lines)
        weakref.finalize(lines, _grids.pop, id(lines), None)
    return grid
