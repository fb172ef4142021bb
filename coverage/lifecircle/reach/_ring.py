"""Search with a ring of buckets over bare arrays; without checking a graph or knowing what a source is.

Three questions, always outward from the sources along the edges: which source is first at each junction
(:func:`ring_nearest`), which junctions does each row of sources reach (:func:`ring_within`), and which
``k`` groups are first at each junction (:func:`ring_nearest_k`). Each is a function of its arguments:
nothing is kept between calls, so that calls may run in several threads, and the lock of the interpreter
is released while they do.

The idea
--------
Dijkstra's algorithm keeps the junctions that wait in a heap, and a heap does not know which one comes
next: on a large network the processor waits for memory at every step. Here they wait in buckets of equal
width in time (Dial 1969; Denardo and Fox 1979), 64 rows used in turn as a ring. Whatever lies beyond the
ring (a ferry, a late start) waits in a far row, which is read once in every turn, or at once when the
ring is empty. Three things follow.

* A bucket may be wider than the shortest edge. A junction whose time improves after it has been taken is
  simply filed again (label correcting: Cherkassky, Goldberg and Radzik 1996; the inner loop of
  delta-stepping, Meyer and Sanders 2003). So the width decides the speed and never the answer; between 1
  and 8 mean edges the speed hardly changes either. Edges of zero seconds, and cycles of them, end as
  soon as nothing improves.
* A row is known ahead of the junction being taken, so that the memory of the ones behind it is called
  for in time. This prefetch halves the time on a million junctions, and it is why buckets beat a heap.
  It is a hint: where it cannot be compiled, the same search runs without it.
* An entry is never removed from a row. A stamp on the junction says in which bucket it really waits;
  an entry that disagrees is stale and passed over.

The compiled loops allocate nothing. A row or an output that is full stops them at a point from which
they go on once this module has made it wider.

Answers
-------
Times are float64 sums taken along the path from the source outward, and equal those of Dijkstra's
algorithm to the last bit. Labels are compared as (seconds, group): the lowest group wins a tie, of those
that arrive along a fastest way. With ``k`` labels, where two different times are rounded to the same sum
by an edge further on, either of the groups may be named from there on: both arrive in exactly the seconds
given.

The arrays of a graph are trusted, for they are checked once where the graph is made: ``indptr``
(junction + 1,) from 0, never falling; ``indices`` (edge,) int32 junctions; ``seconds`` (edge,) float64,
finite and >= 0. Row pointers of 32 or 64 bits, signed or not, are used as they stand; another type or
array that is not in one piece is copied on every call. Parallel edges and loops are edges like any.

References
----------
Dial, R. B. (1969). Algorithm 360: shortest-path forest with topological ordering. CACM 12(11).
Denardo, E. V., Fox, B. L. (1979). Shortest-route methods: 1. Reaching, pruning, and buckets. Operations
Research 27(1). Cherkassky, B. V., Goldberg, A. V., Radzik, T. (1996). Shortest paths algorithms: theory
and experimental evaluation. Mathematical Programming 73. Meyer, U., Sanders, P. (2003). Delta-stepping:
a parallelizable shortest path algorithm. Journal of Algorithms 49(1).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lifecircle.compiled import call, compiled
from lifecircle.errors import GraphError
from lifecircle.reach._choice import thread_count
from lifecircle.reach._seeds import Seeds, lowest_groups

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    import numpy.typing as npt

    from lifecircle.reach._kernels import Graph, Marks, Pairs, Queue

    Floats = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

_PREFETCH = True
"""Whether to call for memory ahead, where that compiles."""

_AHEAD = 4
"""Entries of a row by which the edges are called for; their junctions are called for twice as early."""

_CAPACITY = 4096
"""Entries a row of the ring has room for at first."""

_PAIRS = 65_536
"""Pairs that the output of :func:`ring_within` has room for at first."""

_WORTH_A_THREAD = 1 << 22
"""Rows times junctions from which one more thread, with memory of its own for every junction, pays."""

_MEAN_EDGES = 3.0
"""Width of a bucket in mean edges: the middle of the range in which the speed is best."""

_SAMPLE = 4096
_LONGEST_SHARE = 8.0
_WIDTHS = (1e-300, 1e300)
_MOST_JUNCTIONS = 2**31 - 1


def bucket_width(seconds: Floats) -> float:
    """Choose the width of a bucket for a graph.

    Three times the mean edge, from up to some 4,000 to 8,000 edges; an edge counts for at most eight
    medians, so that a few huge ones do not put all the others in one bucket.

    Parameters
    ----------
    seconds : (edge,) float64, finite and >= 0

    Returns
    -------
    width_s : seconds, > 0 and finite

    >>> bucket_width(np.array([0.0, 10.0, 10.0, 1e9]))
    100.0
    """
    sample = seconds[:: max(1, len(seconds) // _SAMPLE)]
    sample = sample[sample > 0]
    if len(sample) == 0:
        return 1.0
    with np.errstate(over="ignore"):
        longest = _LONGEST_SHARE * np.median(sample)
        width_s = _MEAN_EDGES * float(np.minimum(sample, longest).mean())
    return min(max(width_s, _WIDTHS[0]), _WIDTHS[1])


def ring_nearest(  # noqa: PLR0913, PLR0917 - a graph and its sources as bare arrays, in one order throughout
    indptr: npt.NDArray[Any],
    indices: npt.NDArray[Any],
    seconds: Floats,
    sources: npt.NDArray[Any],
    start_s: Floats,
    group: npt.NDArray[Any],
    limit_s: float,
    *,
    width_s: float | None = None,
) -> tuple[Floats, Labels]:
    """Find the group that is first at each junction.

    Parameters
    ----------
    indptr, indices, seconds : the graph, see the module
    sources : (seed,) junctions; repeats are allowed, none reaches nothing
    start_s : (seed,) seconds spent before each seed, >= 0; an infinite one starts nowhere
    group : (seed,) numbers from 0 to 2^31 - 1
    limit_s : seconds up to which is searched, inclusive: ``seconds <= limit_s``; inf is no limit
    width_s : seconds, width of a bucket; None is :func:`bucket_width`. It never changes the answer.

    Returns
    -------
    first_s : (junction,) float64, inf where nothing arrives
    source : (junction,) int32, the group; the lowest of those that tie; -1 where nothing arrives

    Raises
    ------
    GraphError
        When a source, a start, a group, the limit or the width is unusable.
    MissingExtraError
        When numba is not installed.

    >>> graph = np.array([0, 1, 2, 2]), np.array([1, 2]), np.array([60.0, 30.0])
    >>> first_s, source = ring_nearest(*graph, np.array([0, 2]), np.zeros(2), np.array([7, 4]), 60.0)
    >>> first_s.tolist(), source.tolist()
    ([0.0, 60.0, 0.0], [7, 7, 4])
    """
    kernels = search_loops()
    graph = bare_graph(kernels, indptr, indices, seconds)
    seeds = _seeds(len(indptr) - 1, sources, start_s, group)
    inverse = 1.0 / _width(width_s, graph.seconds)
    limit = _limit(limit_s)
    first_s, source = _labels(len(indptr) - 1, 1)
    queue = _plant(kernels, seeds, first_s, source, limit=limit, inverse=inverse)
    labels = first_s[:, 0], source[:, 0]
    run(kernels, kernels.nearest_kernel, graph, queue, limit, inverse, *labels, None, None)
    if queue.state[kernels.ROUNDED]:
        every = Seeds(seeds.node.astype(np.int64), seeds.start_s, seeds.group.astype(np.int64))
        return first_s[:, 0], lowest_labels(graph, every, first_s[:, 0])
    return first_s[:, 0], source[:, 0]


def ring_nearest_k(  # noqa: PLR0913, PLR0917 - a graph and its sources as bare arrays, in one order throughout
    indptr: npt.NDArray[Any],
    indices: npt.NDArray[Any],
    seconds: Floats,
    sources: npt.NDArray[Any],
    start_s: Floats,
    group: npt.NDArray[Any],
    k: int,
    limit_s: float,
    *,
    width_s: float | None = None,
) -> tuple[Floats, Labels]:
    """Find the ``k`` distinct groups that are first at each junction.

    Parameters
    ----------
    indptr, indices, seconds, sources, start_s, group, limit_s, width_s : as for :func:`ring_nearest`
    k : >= 1

    Returns
    -------
    first_s : (junction, k) float64, in order of (seconds, group), inf where there are fewer
    source : (junction, k) int32, the groups, all different, -1 where there are fewer

    Raises
    ------
    GraphError
        As for :func:`ring_nearest`, and when ``k`` is below 1.
    MissingExtraError
        When numba is not installed.

    >>> graph = np.array([0, 1, 2, 2]), np.array([1, 2]), np.array([60.0, 30.0])
    >>> first_s, source = ring_nearest_k(*graph, np.array([0, 2]), np.zeros(2), np.array([7, 4]), 2, np.inf)
    >>> source.tolist()
    [[7, -1], [7, -1], [4, 7]]
    """
    if k < 1:
        raise GraphError(f"k is {k}: give a whole number of at least 1")
    kernels = search_loops()
    graph = bare_graph(kernels, indptr, indices, seconds)
    seeds = _seeds(len(indptr) - 1, sources, start_s, group)
    inverse = 1.0 / _width(width_s, graph.seconds)
    limit = _limit(limit_s)
    first_s, source = _labels(len(indptr) - 1, k)
    queue = _plant(kernels, seeds, first_s, source, limit=limit, inverse=inverse)
    run(
        kernels,
        kernels.nearest_k_kernel,
        graph,
        queue,
        int(k),
        limit,
        inverse,
        first_s.ravel(),
        source.ravel(),
    )
    return first_s, source


def ring_within(  # noqa: PLR0913, PLR0917 - a graph and its sources as bare arrays, in one order throughout
    indptr: npt.NDArray[Any],
    indices: npt.NDArray[Any],
    seconds: Floats,
    sources: npt.NDArray[Any],
    start_s: Floats,
    group_ptr: npt.NDArray[Any],
    limit_s: float,
    *,
    width_s: float | None = None,
) -> tuple[Longs, Labels, Floats]:
    """Find the junctions that each row of sources reaches.

    Each row costs what it reaches, not the size of the graph: only that is reset for the next one. Many
    rows are divided among threads (see :func:`thread_count`); the answer does not depend on it.

    Parameters
    ----------
    indptr, indices, seconds, start_s, limit_s, width_s : as for :func:`ring_nearest`
    sources : (seed,) junctions, row by row
    group_ptr : (row + 1,) from 0 to the number of seeds, never falling; the seeds of row i are those in
        ``group_ptr[i]:group_ptr[i + 1]``, and answer together

    Returns
    -------
    row_ptr : (row + 1,) int64
    nodes : (pair,) int32, ascending within a row
    first_s : (pair,) float64

    Raises
    ------
    GraphError
        When a source, a start, the pointers, the limit or the width is unusable.
    MissingExtraError
        When numba is not installed.

    >>> graph = np.array([0, 1, 2, 2]), np.array([1, 2]), np.array([60.0, 30.0])
    >>> rows = np.array([1, 0]), np.zeros(2), np.array([0, 1, 2])
    >>> row_ptr, nodes, first_s = ring_within(*graph, *rows, 60.0)
    >>> row_ptr.tolist(), nodes.tolist(), first_s.tolist()
    ([0, 2, 4], [1, 2, 0, 1], [0.0, 30.0, 0.0, 60.0])
    """
    kernels = search_loops()
    graph = bare_graph(kernels, indptr, indices, seconds)
    size = len(indptr) - 1
    node, start, _ = _seeds(size, sources, start_s, np.zeros(len(sources), dtype=np.int32))
    pointers = _pointers(group_ptr, len(node))
    inverse = 1.0 / _width(width_s, graph.seconds)
    limit = _limit(limit_s)
    # Threads divide the rows, not the junctions: rows are independent, so the answer does not depend on them.
    pieces = _pieces(pointers, size)
    search = partial(_rows_within, kernels, graph, limit=limit, inverse=inverse)
    parts = [(node[ptr[0] : ptr[-1]], start[ptr[0] : ptr[-1]], ptr - ptr[0]) for ptr in pieces]
    if len(parts) == 1:
        return search(kernels.Seeds(*parts[0]))
    with ThreadPoolExecutor(len(parts)) as pool:  # the compiled loops let go of Python's lock
        found = list(pool.map(search, starmap(kernels.Seeds, parts)))
    ends = np.cumsum([0, *(int(row_ptr[-1]) for row_ptr, _, _ in found)])
    row_ptr = [rows[:-1] + first for (rows, _, _), first in zip(found, ends[:-1], strict=True)]
    nodes, first_s = (np.concatenate([part[column] for part in found]) for column in (1, 2))
    return np.concatenate([*row_ptr, ends[-1:]]), nodes, first_s


def _pieces(pointers: Longs, size: int) -> list[Longs]:
    """Divide the rows among the threads there are, where there is enough to do for more than one."""
    rows = len(pointers) - 1
    many = max(1, min(thread_count(), rows * size // _WORTH_A_THREAD, rows))
    cuts = np.linspace(0, rows, many + 1).astype(np.int64)
    return [pointers[first : last + 1] for first, last in pairwise(cuts)]


def _rows_within(
    kernels: ModuleType, graph: Graph, seeds: Any, *, limit: float, inverse: float
) -> tuple[Longs, Labels, Floats]:
    """Find what each row of seeds reaches, one row after another, in memory of its own."""
    size, pointers = len(graph.indptr) - 1, seeds.ptr
    queue = empty_queue(kernels, size, int(np.diff(pointers).max(initial=0)))
    marks = kernels.Marks(
        word=np.zeros(size // 64 + 1, dtype=np.uint64),
        block=np.zeros(size // 4096 + 1, dtype=np.uint64),
        found=np.zeros(1, dtype=np.int64),
    )
    pairs = kernels.Pairs(
        row_ptr=np.zeros(len(pointers), dtype=np.int64),
        nodes=np.empty(_PAIRS, dtype=np.int32),
        seconds=np.empty(_PAIRS),
    )
    first_s = np.full(size, np.inf)
    ahead = _ahead(kernels)
    while True:
        code = call(kernels.within_kernel, graph, queue, seeds, limit, inverse, first_s, marks, pairs, ahead)
        if code == kernels.DONE:
            many = int(pairs.row_ptr[-1])
            return pairs.row_ptr, pairs.nodes[:many], pairs.seconds[:many]
        if code == kernels.ROWS_FULL:
            queue = with_wider_rows(kernels, queue)
        else:
            pairs = _lengthen(pairs, marks, int(queue.state[kernels.OUTPUT]))


class _Seeds(NamedTuple):
    """Checked seeds: ``node`` uint32, ``start_s`` float64 and ``group`` int32, each (seed,)."""

    node: npt.NDArray[np.uint32]
    start_s: Floats
    group: Labels


@cache
def search_loops() -> ModuleType:
    """Import the compiled loops, and numba with them."""
    return compiled("lifecircle.reach._kernels")


@cache
def hint_compiles(kernels: ModuleType) -> bool:
    """Return whether memory can be fetched ahead; the first call readies numba."""
    compiles: bool = kernels.prefetch_compiles()
    return compiles


def _ahead(kernels: ModuleType) -> int | None:
    """Return how far ahead memory is fetched; None makes numba compile a kernel without it."""
    return _AHEAD if _PREFETCH and hint_compiles(kernels) else None


def run(
    kernels: ModuleType, kernel: Callable[..., int], graph: Graph, queue: Queue, *arguments: Any
) -> Queue:
    """Run a search to its end, with wider rows whenever one is full; return the queue as wide as it got."""
    ahead = _ahead(kernels)
    while call(kernel, graph, queue, *arguments, ahead) != kernels.DONE:
        queue = with_wider_rows(kernels, queue)
    return queue


def bare_graph(
    kernels: ModuleType, indptr: npt.NDArray[Any], indices: npt.NDArray[Any], seconds: Floats
) -> Graph:
    """Return the graph in the types the kernels need; an array that has the type already is not copied.

    Raises
    ------
    GraphError
        The arrays do not belong to one graph, or have too many junctions.
    """
    if len(indptr) == 0 or len(indptr) - 1 > _MOST_JUNCTIONS:
        raise GraphError(
            f"indptr has {len(indptr)} values: give one more than junctions, of which there are < 2^31"
        )
    if len(indices) != len(seconds):
        raise GraphError(
            f"seconds has {len(seconds)} values for {len(indices)} edges: give one for each edge"
        )
    offsets = np.ascontiguousarray(indptr)
    # Unsigned numbers spare the compiled loops the check for negative ones. A view keeps the memory; values
    # are never negative, because the graph was checked.
    unsigned = {4: np.uint32, 8: np.uint64}.get(offsets.dtype.itemsize)
    offsets = offsets.astype(np.uint64) if unsigned is None else offsets.view(unsigned)
    heads = np.ascontiguousarray(indices, dtype=np.int32).view(np.uint32)
    views = [offsets[:], heads[:], np.ascontiguousarray(seconds, dtype=np.float64)[:]]
    for view in views:
        view.flags.writeable = False  # as a graph holds its arrays: one kind of them, compiled once
    graph: Graph = kernels.Graph(*views)
    return graph


def _seeds(size: int, sources: npt.NDArray[Any], start_s: Floats, group: npt.NDArray[Any]) -> _Seeds:
    node, start, label = np.asarray(sources), np.asarray(start_s, dtype=np.float64), np.asarray(group)
    for name, array in (("start_s", start), ("group", label)):
        if len(array) != len(node):
            raise GraphError(
                f"{name} has {len(array)} values for {len(node)} sources: give one for each source"
            )
    for name, array, usable, rule in (
        ("sources", node, (node >= 0) & (node < size), f"junctions are numbered from 0 to below {size}"),
        ("start_s", start, start >= 0, "starts are seconds >= 0"),
        ("group", label, (label >= 0) & (label < 2**31), "groups are numbers from 0 to below 2^31"),
    ):
        if not usable.all():
            worst = int(usable.argmin())
            raise GraphError(f"{name}[{worst}] is {array[worst]}: {rule}")
    return _Seeds(
        np.ascontiguousarray(node, dtype=np.uint32),
        np.ascontiguousarray(start),
        np.ascontiguousarray(label, dtype=np.int32),
    )


def _pointers(group_ptr: npt.NDArray[Any], seeds: int) -> Longs:
    pointers = np.ascontiguousarray(group_ptr, dtype=np.int64)
    if len(pointers) == 0 or pointers[0] != 0 or pointers[-1] != seeds or (np.diff(pointers) < 0).any():
        raise GraphError(
            f"group_ptr does not divide the sources: give numbers from 0 to {seeds} that never fall"
        )
    return pointers


def _limit(limit_s: float) -> float:
    if np.isnan(limit_s):
        raise GraphError("limit_s is not a number: give seconds, or inf for no limit")
    return float(limit_s)


def _width(width_s: float | None, seconds: Floats) -> float:
    if width_s is None:
        return bucket_width(seconds)
    if not width_s > 0:
        raise GraphError(f"width_s is {width_s}: give seconds > 0")
    return min(max(float(width_s), _WIDTHS[0]), _WIDTHS[1])


def _labels(size: int, k: int) -> tuple[Floats, Labels]:
    return np.full((size, k), np.inf), np.full((size, k), -1, dtype=np.int32)


def _plant(  # noqa: PLR0913 - two of these are what it writes into
    kernels: ModuleType, seeds: _Seeds, first_s: Floats, source: Labels, *, limit: float, inverse: float
) -> Queue:
    """Write the seeds into the labels, and make the queue in which their junctions wait."""
    size, k = first_s.shape
    node, start, group = (column[(seeds.start_s <= limit) & np.isfinite(seeds.start_s)] for column in seeds)
    # A junction may hold several seeds of one group: only its fastest is kept, because with ``k`` labels a
    # group may be there once.
    order = np.lexsort((start, group, node))
    node, start, group = node[order], start[order], group[order]
    fastest = np.r_[True, (node[1:] != node[:-1]) | (group[1:] != group[:-1])][: len(node)]
    node, start, group = node[fastest], start[fastest], group[fastest]
    order = np.lexsort((group, start, node))
    node, start, group = node[order], start[order], group[order]
    waiting, begin, counts = np.unique(node, return_index=True, return_counts=True)
    rank = np.arange(len(node)) - np.repeat(begin, counts)
    best = rank < k
    first_s[node[best], rank[best]] = start[best]
    source[node[best], rank[best]] = group[best]
    queue = empty_queue(kernels, size, len(waiting))
    # A very late start overflows to infinity and is then cut to the last bucket, which is meant.
    with np.errstate(over="ignore"):
        queue.stamp[waiting] = np.minimum(start[begin] * inverse, kernels.LAST).astype(np.int32)
    far = kernels.ROWS * (len(queue.rows) // (kernels.ROWS + 1))
    queue.rows[far : far + len(waiting)] = waiting
    queue.fill[kernels.ROWS] = len(waiting)
    return queue


def lowest_labels(graph: Graph, seeds: Seeds, first_s: Floats) -> Labels:
    """Return the lowest group at each junction, computed from the seconds alone."""
    degree = graph.indptr[1:] - graph.indptr[:-1]
    tail = np.repeat(np.arange(len(first_s), dtype=np.int32), degree.astype(np.int64))
    heads = graph.indices.view(np.int32)
    return lowest_groups(tail, heads, graph.seconds, seconds=first_s, seeds=seeds).astype(np.int32)


def empty_queue(kernels: ModuleType, size: int, seeds: int) -> Queue:
    """Make a queue with nothing in it for a graph of ``size`` junctions, with room for so many seeds."""
    queue: Queue = kernels.Queue(
        stamp=np.full(size, kernels.IDLE, dtype=np.int32),
        rows=np.empty((kernels.ROWS + 1) * max(_CAPACITY, seeds), dtype=np.uint32),
        fill=np.zeros(kernels.ROWS + 1, dtype=np.int64),
        state=np.zeros(kernels.STATES, dtype=np.int64),
    )
    return queue


def with_wider_rows(kernels: ModuleType, queue: Queue) -> Queue:
    """Return the queue with twice the room in every row; what waits stays."""
    narrow = queue.rows.reshape(kernels.ROWS + 1, -1)
    wide = np.empty((kernels.ROWS + 1, 2 * narrow.shape[1]), dtype=np.uint32)
    for row, many in enumerate(queue.fill):
        wide[row, :many] = narrow[row, :many]
    return queue._replace(rows=wide.ravel())


def _lengthen(pairs: Pairs, marks: Marks, done: int) -> Pairs:
    """Return the output with room for the row that did not fit, and for rows like those so far."""
    used = int(pairs.row_ptr[done])
    needed = used + int(marks.found[0])
    expected = int(1.1 * needed / (done + 1) * (len(pairs.row_ptr) - 1))
    longer = max(2 * len(pairs.nodes), needed, expected)
    nodes, seconds = np.empty(longer, dtype=np.int32), np.empty(longer)
    nodes[:used], seconds[:used] = pairs.nodes[:used], pairs.seconds[:used]
    return pairs._replace(nodes=nodes, seconds=seconds)
