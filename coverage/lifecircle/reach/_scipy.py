"""Search with scipy over bare arrays; without checking a graph or knowing what a source is.

The same three questions as ``_ring`` answers, with the same answers: seconds are those of
``scipy.sparse.csgraph.dijkstra`` bit for bit, ties go to the lowest group. Nothing has to be compiled or
loaded but scipy itself, so small questions are answered faster than there. Large ones are slower, because
scipy returns what it finds from many sources as a full table (source, junction).
"""
# ruff: noqa: PLC0415 - scipy.sparse takes 35 MB, which a process that asks the ring alone does not pay

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lifecircle.reach._seeds import Seeds, lowest_groups

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_CHUNK_CELLS = 8_000_000
"""Cells of the full table (source, junction) that one call of the search may fill: 64 MB."""

_FEW = 8
"""Up to this many ranks are picked one by one; more are sorted."""


class Matrix(NamedTuple):
    """A graph as scipy takes it: ``edges`` (junction, junction) csr, and the ``tail`` (edge,) of each edge.

    Of parallel edges only the fastest is there; edges of zero seconds are stored zeros.
    """

    edges: Any
    tail: npt.NDArray[np.int32]

    @property
    def size(self) -> int:
        """Return the number of junctions."""
        return len(self.edges.indptr) - 1


def matrix_of(
    indptr: npt.NDArray[np.integer[Any]], indices: npt.NDArray[np.integer[Any]], seconds: Floats
) -> Matrix:
    """Return a graph as scipy needs it: scipy would add up the seconds of parallel edges."""
    from scipy.sparse import csr_array

    n = len(indptr) - 1
    row = np.repeat(np.arange(n), np.diff(indptr))
    # Of parallel edges only the fastest is kept, the first in this order. The csr matrix is built from its
    # own arrays, because making it from coo would sum parallel edges and drop edges of zero seconds.
    order = np.lexsort((seconds, indices, row))
    row, column, weight = row[order], indices[order], seconds[order]
    first = np.ones(len(row), dtype=bool)
    first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    row, column, weight = row[first], column[first].astype(np.int32), weight[first]
    pointers = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int32)
    return Matrix(csr_array((weight, column, pointers), shape=(n, n)), row.astype(np.int32))


def scipy_nearest(matrix: Matrix, seeds: Seeds, limit_s: float) -> tuple[Floats, Ints]:
    """Find the group that is first at each junction.

    Parameters
    ----------
    matrix : the graph
    seeds : where the search starts; their starts are finite
    limit_s : seconds, inclusive: ``seconds <= limit_s``; inf is no limit

    Returns
    -------
    first_s : (junction,) float64, inf where nothing arrives
    group : (junction,) int64, the lowest of those that tie, -1 where nothing arrives
    """
    from scipy.sparse.csgraph import dijkstra

    n, many = matrix.size, len(seeds)
    if n == 0 or many == 0:
        return np.full(n, np.inf), np.full(n, -1, dtype=np.int64)
    started = _with_starts(matrix, np.arange(many), seeds, rows=many)
    found, _, tree = dijkstra(
        started, indices=np.arange(n, n + many), min_only=True, limit=limit_s, return_predecessors=True
    )
    first_s, tree = found[:n], tree[:n].astype(np.int64)
    reached = np.isfinite(first_s)
    # scipy names any of the groups that tie
    named = np.where(reached, seeds.group[np.where(reached, tree - n, 0)], -1)
    edges = matrix.edges
    return first_s, lowest_groups(
        matrix.tail, edges.indices, edges.data, seconds=first_s, seeds=seeds, group=named
    )


def scipy_within(matrix: Matrix, seeds: Seeds, rows: int, limit_s: float) -> tuple[Ints, Ints, Floats]:
    """Find the junctions that each group reaches.

    Parameters
    ----------
    matrix, seeds, limit_s : as for :func:`scipy_nearest`
    rows : number of groups, from 0; some may have no seeds

    Returns
    -------
    row_ptr : (row + 1,) int64
    nodes : (pair,) int64, ascending within a row
    first_s : (pair,) float64
    """
    counts, nodes, seconds = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    # In chunks, because scipy fills the whole table (row, junction): 0.3 MB for each row of a county.
    step = _chunk(matrix)
    for first in range(0, rows, step):
        dense = _dense(matrix, seeds, first, min(first + step, rows), limit_s)
        row, node = np.nonzero(np.isfinite(dense))
        counts.append(np.bincount(row, minlength=len(dense)))
        nodes.append(node)
        seconds.append(dense[row, node])
    row_ptr = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return row_ptr, np.concatenate(nodes), np.concatenate(seconds)


def scipy_nearest_k(matrix: Matrix, seeds: Seeds, k: int, limit_s: float) -> tuple[Floats, Ints]:
    """Find the ``k`` distinct groups that are first at each junction.

    Parameters
    ----------
    matrix, seeds, limit_s : as for :func:`scipy_nearest`
    k : >= 1

    Returns
    -------
    first_s : (junction, k) float64, in order of (seconds, group), inf where there are fewer
    group : (junction, k) int64, -1 where there are fewer
    """
    best, who = np.full((k, matrix.size), np.inf), np.full((k, matrix.size), -1, dtype=np.int64)
    ranked, present = seeds.ranked()
    step = _chunk(matrix)
    for first in range(0, len(present), step):
        last = min(first + step, len(present))
        dense = _dense(matrix, ranked, first, last, limit_s)
        best, who = _merge(best, who, dense, present[first:last])
    return best.T.copy(), who.T.copy()


def _chunk(matrix: Matrix) -> int:
    return max(1, _CHUNK_CELLS // (matrix.size + 1))


def _with_starts(matrix: Matrix, row: npt.NDArray[np.integer[Any]], seeds: Seeds, *, rows: int) -> Any:
    """Append ``rows`` starting points behind the junctions; seed i leaves from the row[i]-th of them.

    Start times become the seconds of ordinary edges, so that scipy needs to know nothing of them.
    """
    from scipy.sparse import csr_array

    edges, n = matrix.edges, matrix.size
    # Two seeds of one row at one junction would be parallel edges, which scipy adds up: keep the earlier.
    order = np.lexsort((seeds.start_s, seeds.node, row))
    row, node, start_s = row[order], seeds.node[order], seeds.start_s[order]
    first = np.ones(len(row), dtype=bool)
    first[1:] = (row[1:] != row[:-1]) | (node[1:] != node[:-1])
    counts = np.bincount(row[first], minlength=rows)
    indptr = np.concatenate([edges.indptr, edges.indptr[-1] + np.cumsum(counts)]).astype(np.int32)
    indices = np.concatenate([edges.indices, node[first].astype(np.int32)])
    weight = np.concatenate([edges.data, start_s[first]])
    return csr_array((weight, indices, indptr), shape=(n + rows, n + rows))


def _dense(matrix: Matrix, seeds: Seeds, first: int, last: int, limit_s: float) -> Floats:
    """Search from groups ``first`` to ``last`` (excluded): (group, junction) seconds, inf where not."""
    from scipy.sparse.csgraph import dijkstra

    n, rows = matrix.size, last - first
    mine = (seeds.group >= first) & (seeds.group < last)
    if n == 0 or not mine.any():
        return np.full((rows, n), np.inf)
    picked = seeds.where(mine)
    started = _with_starts(matrix, picked.group - first, picked, rows=rows)
    found: Floats = dijkstra(started, indices=np.arange(n, n + rows), limit=limit_s)
    return found[:, :n]


def _merge(best: Floats, who: Ints, dense: Floats, groups: Ints) -> tuple[Floats, Ints]:
    """Merge the ranks so far (k, junction) with further groups (group, junction), all higher in number."""
    k, n = best.shape
    seconds = np.concatenate([best, dense])
    label = np.concatenate([who, np.broadcast_to(groups[:, None], dense.shape)])
    if k > _FEW:
        order = np.argsort(seconds, axis=0, kind="stable")[:k]
        merged = np.take_along_axis(seconds, order, axis=0)
        return merged, np.where(np.isfinite(merged), np.take_along_axis(label, order, axis=0), -1)
    column = np.arange(n)
    merged, names = np.empty((k, n)), np.empty((k, n), dtype=np.int64)
    for rank in range(k):
        first = seconds.argmin(axis=0)  # the first of equals: ranks so far, then ascending groups
        merged[rank] = seconds[first, column]
        names[rank] = np.where(np.isfinite(merged[rank]), label[first, column], -1)
        seconds[first, column] = np.inf
    return merged, names
