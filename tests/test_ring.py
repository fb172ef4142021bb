"""Check the ring-bucket search against scipy, against a heap written here, and against itself."""

from __future__ import annotations

import heapq
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import lifecircle
from conftest import seeds
from lifecircle.errors import GraphError, MissingExtraError
from lifecircle.reach import _ring
from lifecircle.reach._ring import bucket_width, ring_nearest, ring_nearest_k, ring_within

numba = pytest.importorskip("numba", reason="the extra `fast` is not installed")

KINDS = ("uniform", "whole", "zeros", "huge", "mixed", "subnormal")
SEEDS = seeds(504, whole=6000)
WIDTHS = (None, 0.05, 1.0, 1e9, 1e-12)


@dataclass(frozen=True, eq=False)
class Case:
    """A random directed graph with parallel edges and loops, its sources, and a limit."""

    kind: str
    indptr: np.ndarray
    indices: np.ndarray
    seconds: np.ndarray
    sources: np.ndarray
    start_s: np.ndarray
    group: np.ndarray
    limit_s: float

    @property
    def size(self):
        """Number of junctions."""
        return len(self.indptr) - 1

    @property
    def graph(self):
        """Arrays of the graph, as every search takes them."""
        return self.indptr, self.indices, self.seconds

    @property
    def seeds(self):
        """Arrays of the sources, as every search takes them."""
        return self.sources, self.start_s, self.group

    @property
    def exact(self):
        """Whether no sum is rounded, so that ties are ties of real numbers."""
        return self.kind in {"whole", "zeros", "huge"}


def compressed(size, tail, head, seconds):
    order = np.argsort(tail, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=size))]).astype(np.uint32)
    return indptr, head[order].astype(np.int32), seconds[order].astype(np.float64)


def weights(kind, many, rng):
    whole = rng.integers(1, 6, many).astype(float)
    if kind == "whole":
        return whole
    if kind == "zeros":
        return np.where(rng.random(many) < 0.6, 0.0, whole)
    if kind == "huge":  # sums stay below 2^53: exact, in buckets up to the last
        return np.where(rng.random(many) < 0.2, whole * 2.0**44, whole)
    if kind == "mixed":  # rounded away, up to beyond the largest number
        return whole * 10.0 ** rng.choice([-12, 0, 3, 16, 300, 307], many)
    if kind == "subnormal":
        return whole * 5e-324
    return rng.uniform(0.1, 50, many)


def make_case(seed):
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    size = int(rng.integers(1, 60))
    many = int(rng.integers(0, 4 * size))
    tail, head = rng.integers(0, size, many), rng.integers(0, size, many)
    if rng.random() < 0.5:  # both ways, as most roads are
        tail, head = np.concatenate([tail, head]), np.concatenate([head, tail])
    graph = compressed(size, tail, head, weights(kind, len(tail), rng))
    seeds = int(rng.integers(0, 9))
    sources = rng.integers(0, size, seeds).astype(np.int32)
    start_s = (
        np.zeros(seeds) if rng.random() < 0.4 else rng.integers(0, 9, seeds) * float(rng.choice([1, 60]))
    )
    start_s[rng.random(seeds) < 0.05] = np.inf
    group = np.arange(seeds) if rng.random() < 0.5 else rng.integers(0, 5, seeds)
    case = Case(kind, *graph, sources, start_s, group.astype(np.int32), np.inf)
    reached = table(case)[np.isfinite(table(case))]
    exact = float(rng.choice(reached)) if len(reached) else 3.0
    limit = (np.inf, 0.0, exact, float(np.nextafter(exact, -np.inf)), 20.0, -1.0)[int(rng.integers(0, 6))]
    return Case(kind, *graph, sources, start_s, group.astype(np.int32), limit)


def heap_search(case, seeds):
    """Seconds from the given seeds by a textbook heap, inf beyond the limit."""
    best = np.full(case.size, np.inf)
    heap = [(float(case.start_s[i]), int(case.sources[i])) for i in seeds if np.isfinite(case.start_s[i])]
    heapq.heapify(heap)
    while heap:
        now, node = heapq.heappop(heap)
        if now >= best[node] or now > case.limit_s:
            continue
        best[node] = now
        for edge in range(case.indptr[node], case.indptr[node + 1]):
            with np.errstate(over="ignore"):
                heapq.heappush(heap, (now + case.seconds[edge], int(case.indices[edge])))
    return best


def table(case):
    """Seconds of every group at every junction: (group, junction)."""
    groups = int(case.group.max()) + 1 if len(case.group) else 0
    rows = [heap_search(case, np.flatnonzero(case.group == g)) for g in range(groups)]
    return np.array(rows).reshape(groups, case.size)


def ranks(case, k):
    """List the first k groups at every junction by (seconds, group), from the full table."""
    full = table(case)
    groups = len(full)
    seconds, source = np.full((case.size, k), np.inf), np.full((case.size, k), -1)
    for node in range(case.size):
        arrivals = sorted((full[g, node], g) for g in range(groups) if np.isfinite(full[g, node]))[:k]
        for rank, (time, g) in enumerate(arrivals):
            seconds[node, rank], source[node, rank] = time, g
    return seconds, source


def scipy_nearest(case):
    """Seconds by scipy, which starts from one more junction whose edges are the starts."""
    size, best = case.size, {}
    tails = [*np.repeat(np.arange(size), np.diff(case.indptr.astype(int))), *([size] * len(case.sources))]
    heads = [*case.indices, *case.sources]
    for tail, head, time in zip(tails, heads, [*case.seconds, *case.start_s], strict=True):
        if np.isfinite(time):
            key = int(tail), int(head)
            best[key] = min(best.get(key, np.inf), time)
    keys = sorted(best)
    indptr = np.searchsorted([tail for tail, _ in keys], np.arange(size + 2))
    heads = np.array([head for _, head in keys], dtype=np.int32)
    matrix = csr_array((np.array([best[key] for key in keys]), heads, indptr), shape=(size + 1, size + 1))
    found = dijkstra(matrix, indices=size)[:size]
    return np.where(found <= case.limit_s, found, np.inf)


def by_group(case):
    """Sort sources by their groups, and return where each group begins."""
    order = np.argsort(case.group, kind="stable")
    groups = int(case.group.max()) + 1 if len(case.group) else 0
    return case.sources[order], case.start_s[order], np.searchsorted(case.group[order], np.arange(groups + 1))


def assert_labels(case, seconds, source, full):
    """Every label arrives in exactly its seconds; the lowest does where no sum was rounded."""
    node, rank = np.nonzero(source >= 0)
    assert np.array_equal(full[source[node, rank], node], seconds[node, rank])
    assert np.array_equal(source >= 0, np.isfinite(seconds))
    if case.exact:
        assert np.array_equal(source, ranks(case, source.shape[1])[1])


@pytest.fixture
def settings_of(monkeypatch):
    """Vary, by seed, what may change the way of a search but not its answer."""

    def vary(seed):
        if seed % 4 == 0:
            monkeypatch.setattr(_ring, "_CAPACITY", 1)
            monkeypatch.setattr(_ring, "_PAIRS", 1)
        if seed % 5 == 0:
            monkeypatch.setattr(_ring, "_PREFETCH", False)
        return WIDTHS[seed % 7 % len(WIDTHS)]

    return vary


@pytest.mark.parametrize("seed", SEEDS)
def test_random_graphs(seed, settings_of):
    case = make_case(seed)
    width = settings_of(seed)
    full = table(case)
    least = full.min(axis=0, initial=np.inf)

    seconds, source = ring_nearest(*case.graph, *case.seeds, case.limit_s, width_s=width)
    assert np.array_equal(seconds, scipy_nearest(case))
    assert np.array_equal(seconds, least)
    assert (seconds.dtype, source.dtype, source.shape) == (np.float64, np.int32, (case.size,))
    assert_labels(case, seconds[:, None], source[:, None], full)

    sources, start_s, group_ptr = by_group(case)
    row_ptr, nodes, times = ring_within(*case.graph, sources, start_s, group_ptr, case.limit_s, width_s=width)
    row, node = np.nonzero(np.isfinite(full))
    assert np.array_equal(row_ptr, np.searchsorted(row, np.arange(len(full) + 1)))
    assert np.array_equal(nodes, node)
    assert np.array_equal(times, full[row, node])
    assert (row_ptr.dtype, nodes.dtype, times.dtype) == (np.int64, np.int32, np.float64)

    k = 1 + seed % 5
    seconds, source = ring_nearest_k(*case.graph, *case.seeds, k, case.limit_s, width_s=width)
    assert np.array_equal(seconds, ranks(case, k)[0])
    assert_labels(case, seconds, source, full)
    assert all(len(set(row)) == len(row) for row in (row[row >= 0].tolist() for row in source))


@pytest.fixture(scope="module")
def grid():
    """Streets of a town of 90 x 90 junctions, some one way, a few slow ferries, one island."""
    rng = np.random.default_rng(7)
    side = 90
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    keep = rng.random(len(tail)) < 0.8
    keep &= (tail % side != 80) | (head % side != 81)  # the last columns are an island
    tail, head = tail[keep], head[keep]
    time = rng.integers(5, 40, len(tail)).astype(float)
    time[rng.random(len(time)) < 0.002] = 20_000.0
    back = rng.random(len(tail)) < 0.9
    graph = compressed(
        side * side,
        np.concatenate([tail, head[back]]),
        np.concatenate([head, tail[back]]),
        np.concatenate([time, time[back]]),
    )
    sources = rng.choice(node[:45, :80].ravel(), 40).astype(np.int32)
    return Case("whole", *graph, sources, np.zeros(40), np.arange(40, dtype=np.int32), 500.0)


def grid_table(grid, limit_s):
    size = grid.size
    matrix = csr_array((grid.seconds, grid.indices, grid.indptr.astype(np.int32)), shape=(size, size))
    full = dijkstra(matrix, indices=grid.sources)
    return np.where(full <= limit_s, full, np.inf)


@pytest.mark.parametrize("limit_s", [500.0, np.inf])
@pytest.mark.parametrize("capacity", [1, 4096])
@pytest.mark.parametrize("prefetch", [True, False])
def test_long_rows(grid, limit_s, capacity, prefetch, monkeypatch):
    monkeypatch.setattr(_ring, "_CAPACITY", capacity)
    monkeypatch.setattr(_ring, "_PAIRS", capacity)
    monkeypatch.setattr(_ring, "_PREFETCH", prefetch)
    full = grid_table(grid, limit_s)
    order = np.lexsort((np.broadcast_to(np.arange(40)[:, None], full.shape), full), axis=0)[:6].T
    best = np.take_along_axis(full.T, order, axis=1)
    names = np.where(np.isfinite(best), order, -1)

    seconds, source = ring_nearest(*grid.graph, *grid.seeds, limit_s)
    assert np.array_equal(seconds, best[:, 0])
    assert np.array_equal(source, names[:, 0])
    seconds, source = ring_nearest_k(*grid.graph, *grid.seeds, 6, limit_s)
    assert np.array_equal(seconds, best)
    assert np.array_equal(source, names)
    row_ptr, nodes, times = ring_within(*grid.graph, grid.sources, grid.start_s, np.arange(41), limit_s)
    row, node = np.nonzero(np.isfinite(full))
    assert np.array_equal(nodes, node)
    assert np.array_equal(times, full[row, node])
    assert np.array_equal(np.diff(row_ptr), np.bincount(row, minlength=40))
    assert np.isinf(seconds[81::90]).all()


def test_only_what_a_row_reached_is_reset(grid):
    """Rows do not see each other: each alone is the same as all together, whatever came before it."""
    together = ring_within(*grid.graph, grid.sources, grid.start_s, np.arange(41), 300.0)
    for row in (0, 17, 39):
        alone = ring_within(*grid.graph, grid.sources[[row]], np.zeros(1), np.array([0, 1]), 300.0)
        part = slice(*together[0][row : row + 2])
        assert np.array_equal(alone[1], together[1][part])
        assert np.array_equal(alone[2], together[2][part])


@pytest.mark.parametrize("threads", [2, 3, 7, 64])
def test_rows_divided_among_threads_give_the_same_answer(grid, monkeypatch, threads):
    monkeypatch.setenv("LIFECIRCLE_THREADS", "1")
    group_ptr = np.array([0, 0, 3, 3, *range(5, 39), 40, 40])  # rows of none, of several, of one source
    alone = ring_within(*grid.graph, grid.sources, grid.start_s, group_ptr, 300.0)
    monkeypatch.setattr(_ring, "_WORTH_A_THREAD", 1)
    monkeypatch.setenv("LIFECIRCLE_THREADS", str(threads))
    divided = ring_within(*grid.graph, grid.sources, grid.start_s, group_ptr, 300.0)
    for one, other in zip(alone, divided, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_number_of_threads_that_is_none(grid, monkeypatch, value):
    monkeypatch.setenv("LIFECIRCLE_THREADS", value)
    with pytest.raises(GraphError, match=r"LIFECIRCLE_THREADS is .*whole number of at least 1"):
        ring_within(*grid.graph, grid.sources, grid.start_s, np.arange(41), 300.0)


def test_threads_do_not_share_anything(grid):
    def answers(turn):
        sources = np.roll(grid.sources, turn)
        nearest = ring_nearest(*grid.graph, sources, grid.start_s, grid.group, np.inf)
        ranked = ring_nearest_k(*grid.graph, sources, grid.start_s, grid.group, 3, np.inf)
        return *nearest, *ranked, *ring_within(*grid.graph, sources, grid.start_s, np.arange(41), 400.0)

    turns = [*range(8)] * 3
    alone = [answers(turn) for turn in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for turn, together in zip(turns, pool.map(answers, turns), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(alone[turn], together, strict=True))


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.uint32, np.int64, np.uint64])
def test_row_pointers_of_any_type(kind):
    indptr, indices, seconds = np.array([0, 2, 3, 3], kind), np.array([1, 2, 2]), np.array([1.0, 5.0, 2.0])
    found = ring_nearest(indptr, indices, seconds, np.array([0]), np.zeros(1), np.array([4]), np.inf)
    assert (found[0].tolist(), found[1].tolist()) == ([0.0, 1.0, 3.0], [4, 4, 4])


def test_limit_is_inclusive():
    graph = compressed(3, np.array([0, 1]), np.array([1, 2]), np.array([0.1, 0.2]))
    seed = np.array([0]), np.zeros(1), np.array([0])
    limit = 0.1 + 0.2
    for limit_s, reached in ((limit, 3), (np.nextafter(limit, 0), 2), (0.0, 1), (-1.0, 0), (np.inf, 3)):
        assert np.isfinite(ring_nearest(*graph, *seed, limit_s)[0]).sum() == reached
        assert (ring_nearest_k(*graph, *seed, 2, limit_s)[1] >= 0).sum() == reached
        assert len(ring_within(*graph, *seed[:2], np.array([0, 1]), limit_s)[1]) == reached


def test_zero_cycle_and_loops_end():
    size = 200
    node = np.arange(size)
    tail, head = (
        np.concatenate([node, node, node]),
        np.concatenate([np.roll(node, -1), node, np.roll(node, 1)]),
    )
    graph = compressed(size, tail, head, np.zeros(3 * size))
    sources, start_s, group = np.array([50, 20, 120]), np.zeros(3), np.array([9, 4, 6])
    seconds, source = ring_nearest(*graph, sources, start_s, group, 0.0)
    assert not seconds.any()
    assert (source == 4).all()
    seconds, source = ring_nearest_k(*graph, sources, start_s, group, 4, np.inf)
    assert (source == [4, 6, 9, -1]).all()
    row_ptr, _, times = ring_within(*graph, sources, start_s, np.array([0, 1, 1, 3]), 0.0)
    assert row_ptr.tolist() == [0, 200, 200, 400]
    assert not times.any()


def test_buckets_beyond_the_last():
    """Times of more bucket widths than 2^31, and sums beyond the largest number."""
    weight = np.array([1e12, 1e300, 1e308, 1e308, 3.0])
    graph = compressed(6, np.arange(5), np.arange(1, 6), weight)
    seed = np.array([0]), np.zeros(1), np.array([0])
    for width_s in (None, 1e-300, 1.0, np.inf):
        seconds, _ = ring_nearest(*graph, *seed, np.inf, width_s=width_s)
        assert seconds.tolist() == [0.0, 1e12, 1e300, 1e308 + 1e300, np.inf, np.inf]
        ranked, _ = ring_nearest_k(*graph, *seed, 2, np.inf, width_s=width_s)
        assert np.array_equal(ranked[:, 0], seconds)
        within = ring_within(*graph, *seed[:2], np.array([0, 1]), np.inf, width_s=width_s)
        assert within[1].tolist() == [0, 1, 2, 3]


def test_late_starts_far_apart():
    graph = compressed(4, np.array([0, 2]), np.array([1, 3]), np.array([1.0, 1.0]))
    start_s = np.array([1e9, 5e5])
    seconds, source = ring_nearest(*graph, np.array([0, 2]), start_s, np.array([0, 1]), np.inf, width_s=1.0)
    assert seconds.tolist() == [1e9, 1e9 + 1, 5e5, 5e5 + 1]
    assert source.tolist() == [0, 0, 1, 1]


def test_sources_at_one_junction():
    graph = compressed(2, np.array([0]), np.array([1]), np.array([5.0]))
    sources, start_s, group = (
        np.zeros(5, dtype=int),
        np.array([2.0, 1.0, 1.0, 3.0, 0.5]),
        np.array([0, 3, 2, 2, 3]),
    )
    assert ring_nearest(*graph, sources, start_s, group, np.inf)[1].tolist() == [3, 3]
    seconds, source = ring_nearest_k(*graph, sources, start_s, group, 3, np.inf)
    assert source.tolist() == [[3, 2, 0], [3, 2, 0]]
    assert seconds.tolist() == [[0.5, 1.0, 2.0], [5.5, 6.0, 7.0]]
    assert ring_nearest_k(*graph, sources, start_s, group, 1, np.inf)[1].tolist() == [[3], [3]]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_nothing_to_search(size):
    graph = np.zeros(size + 1, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0)
    none = np.zeros(0, dtype=np.int64)
    seconds, source = ring_nearest(*graph, none, np.zeros(0), none, np.inf)
    assert np.isinf(seconds).all()
    assert (source == -1).all()
    assert len(seconds) == size
    assert ring_nearest_k(*graph, none, np.zeros(0), none, 2, 10.0)[0].shape == (size, 2)
    for group_ptr in ([0], [0, 0, 0]):
        row_ptr, nodes, times = ring_within(*graph, none, np.zeros(0), np.array(group_ptr), 10.0)
        assert row_ptr.tolist() == group_ptr
        assert len(nodes) == len(times) == 0


def test_arguments_are_left_alone_and_of_any_layout(grid):
    expected = ring_nearest(*grid.graph, *grid.seeds, 500.0)
    wide = [np.repeat(a, 2) for a in (*grid.graph, *grid.seeds)]
    before = [a.copy() for a in wide]
    strided = [a[::2].astype(a.dtype if a.dtype.kind == "f" else np.int64) for a in wide]
    frozen = [a.copy() for a in (*grid.graph, *grid.seeds)]
    for array in (*strided, *frozen):
        array.flags.writeable = False
    for arguments in ([a[::2] for a in wide], strided, frozen):
        found = ring_nearest(*arguments, 500.0)
        assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, wide, strict=True))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sources": np.array([0, 2])}, r"sources\[1\] is 2: junctions are numbered from 0 to below 2"),
        ({"sources": np.array([-1, 0])}, r"sources\[0\] is -1"),
        ({"start_s": np.array([0.0, -1.0])}, r"start_s\[1\] is -1.0: starts are seconds >= 0"),
        ({"start_s": np.array([np.nan, 0.0])}, r"start_s\[0\] is nan"),
        ({"start_s": np.zeros(3)}, "start_s has 3 values for 2 sources"),
        ({"group": np.array([0, 2**31])}, r"group\[1\] is 2147483648"),
        ({"group": np.array([0, -2])}, r"group\[1\] is -2"),
        ({"limit_s": np.nan}, "limit_s is not a number"),
        ({"width_s": 0.0}, "width_s is 0.0: give seconds > 0"),
        ({"width_s": np.nan}, "width_s is nan"),
        ({"seconds": np.zeros(3)}, "seconds has 3 values for 1 edges"),
        ({"indptr": np.zeros(0, dtype=int)}, "indptr has 0 values"),
    ],
)
def test_unusable_arguments(changed, message):
    arguments = {
        "indptr": np.array([0, 1, 1]),
        "indices": np.array([1]),
        "seconds": np.ones(1),
        "sources": np.array([0, 1]),
        "start_s": np.zeros(2),
        "group": np.array([0, 1]),
        "limit_s": 10.0,
    }
    with pytest.raises(GraphError, match=message):
        ring_nearest(**arguments | changed)


def test_unusable_rows_and_ranks():
    graph = np.array([0, 0]), np.zeros(0, dtype=int), np.zeros(0)
    with pytest.raises(GraphError, match="k is 0"):
        ring_nearest_k(*graph, np.array([0]), np.zeros(1), np.array([0]), 0, np.inf)
    for group_ptr in ([], [1], [0], [0, 2], [0, 2, 1], [1, 1]):
        with pytest.raises(GraphError, match="group_ptr does not divide the sources"):
            ring_within(*graph, np.array([0]), np.zeros(1), np.array(group_ptr, dtype=int), 1.0)


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_one_more_source_or_edge_never_takes_longer(seed, k):
    case = make_case(seed)
    if len(case.sources) == 0:
        return
    all_of_them = ring_nearest_k(*case.graph, *case.seeds, k, case.limit_s)[0]
    fewer = ring_nearest_k(*case.graph, *(a[1:] for a in case.seeds), k, case.limit_s)[0]
    assert (all_of_them <= fewer).all()
    tail = np.repeat(np.arange(case.size), np.diff(case.indptr.astype(int)))
    shorter = compressed(
        case.size, np.r_[tail, 0], np.r_[case.indices, case.size - 1], np.r_[case.seconds, 1.0]
    )
    assert (ring_nearest_k(*shorter, *case.seeds, k, case.limit_s)[0] <= all_of_them).all()


@pytest.mark.parametrize(
    ("seconds", "width_s"),
    [
        ([], 1.0),
        ([0.0, 0.0], 1.0),
        ([10.0] * 20_000, 30.0),
        ([0.0, 10.0, 10.0, 1e300], 100.0),
        ([5e-324], 1e-300),
        ([1.7e308, 1.7e308], 1e300),
    ],
)
def test_bucket_width(seconds, width_s):
    assert bucket_width(np.array(seconds)) == pytest.approx(width_s, rel=1e-12)


def test_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    _ring.search_loops.cache_clear()
    try:
        with pytest.raises(MissingExtraError, match=r"numba.*pip install 'lifecircle\[fast\]'"):
            ring_nearest(
                np.array([0, 0]),
                np.zeros(0, int),
                np.zeros(0),
                np.array([0]),
                np.zeros(1),
                np.array([0]),
                1.0,
            )
    finally:
        _ring.search_loops.cache_clear()


@pytest.fixture
def fresh_kernels(monkeypatch):
    """Forget whether the hint compiles, and have it compiled again."""
    kernels = _ring.search_loops()
    monkeypatch.setattr(kernels, "_prefetch_probe", numba.njit(kernels._prefetch_probe.py_func))
    _ring.hint_compiles.cache_clear()
    yield kernels
    _ring.hint_compiles.cache_clear()


def test_prefetch_compiles_here(fresh_kernels):
    assert fresh_kernels.prefetch_compiles()
    assert _ring._ahead(fresh_kernels) == _ring._AHEAD


def test_prefetch_that_cannot_be_emitted(fresh_kernels, monkeypatch):
    monkeypatch.setattr(fresh_kernels, "ir", None)
    assert _ring._ahead(fresh_kernels) is None


@pytest.mark.parametrize("error", [RuntimeError("unknown intrinsic"), NotImplementedError("no such target")])
def test_prefetch_that_llvm_refuses(fresh_kernels, monkeypatch, error):
    def refuse(_values):
        raise error

    monkeypatch.setattr(fresh_kernels, "_prefetch_probe", refuse)
    assert _ring._ahead(fresh_kernels) is None


def test_prefetch_switched_off(fresh_kernels, monkeypatch):
    monkeypatch.setattr(_ring, "_PREFETCH", False)
    assert _ring._ahead(fresh_kernels) is None


SCRIPT = """
import logging, sys
import numpy as np
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s %(message)s")
from lifecircle.reach import _ring
graph = np.array([0, 1, 2, 2]), np.array([1, 2]), np.array([60.0, 30.0])
print(_ring.ring_nearest(*graph, np.array([0]), np.zeros(1), np.array([0]), 90.0)[0].tolist(), _ring.__file__)
"""


def run_apart(package_root, script, **environment):
    """Run a script on a copy of the package in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error::numba.core.errors.NumbaWarning", "-c", script],
        cwd=package_root,
        env=os.environ
        | {"PYTHONPATH": str(package_root), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_OPT": "0"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def package_root(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(
        Path(lifecircle.__path__[0]), root / "lifecircle", ignore=shutil.ignore_patterns("__pycache__")
    )
    return root


def test_no_folder_to_keep_compiled_code_in(package_root):
    """A file where each cache folder would be: not even root can write there."""
    (package_root / "lifecircle" / "reach" / "__pycache__").write_text("")
    nowhere = str(package_root / "lifecircle" / "reach" / "__pycache__" / "cache")
    kept = {"HOME": nowhere, "XDG_CACHE_HOME": nowhere, "LOCALAPPDATA": nowhere, "NUMBA_CACHE_DIR": ""}
    run = run_apart(package_root, SCRIPT, **kept)
    assert run.returncode == 0, run.stderr
    assert f"[0.0, 60.0, 90.0] {package_root}" in run.stdout
    assert "compiled code is not kept: cannot cache function" in run.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes cannot be limited there")
def test_no_room_to_keep_compiled_code_in(package_root, tmp_path):
    """Folders can be made but no byte written, as on a full disk."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    run = run_apart(package_root, limit + SCRIPT, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert run.returncode == 0, run.stderr
    assert f"[0.0, 60.0, 90.0] {package_root}" in run.stdout
    assert "compiled code is not kept: " in run.stdout


def test_compiling_is_reported_once_on_a_machine(package_root, tmp_path):
    folder = str(tmp_path / "cache")
    kept = {"NUMBA_CACHE_DIR": folder, "NUMBA_OPT": "3"}  # without optimising, nothing is kept
    first, second = (run_apart(package_root, SCRIPT, **kept) for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "compiling nearest_kernel, once on this machine" in first.stdout
    assert "once on this machine" not in second.stdout
