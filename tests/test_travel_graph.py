"""TravelGraph against a search written out by hand and against scipy, bit for bit."""

from __future__ import annotations

import heapq
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import lifecircle
from lifecircle import compiled, reach
from lifecircle.errors import GraphError, MissingExtraError
from lifecircle.reach import TravelGraph, _choice, _ring, _scipy
from lifecircle.reach._choice import Work, choose

# ---------------------------------------------------------------------------------------------------------
# Both engines answer every question of this file


@pytest.fixture(params=["scipy", "ring"], scope="module", autouse=True)
def engine(request):
    """Let every graph that leaves the choice open be searched by one engine."""
    needs_numba(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIFECIRCLE_ENGINE", request.param)
        yield request.param


def needs_numba(name):
    if name == "ring" and os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") != "1":
        pytest.importorskip("numba", reason="the extra `fast` is not installed")


# ---------------------------------------------------------------------------------------------------------
# The search by hand


def graph_of(size: int, edges: list[tuple[int, int, float]]) -> TravelGraph:
    """Put edges in rows in a shuffled order within each row, parallel ones and loops kept."""
    rows = sorted(edges, key=lambda edge: (edge[0], hash(edge)))
    counts = np.bincount([tail for tail, _, _ in rows], minlength=size) if size else np.zeros(0, dtype=int)
    return TravelGraph(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.array([head for _, head, _ in rows], dtype=np.int64),
        np.array([seconds for _, _, seconds in rows]),
    )


def by_hand(
    size: int, edges: list[tuple[int, int, float]], seeds: list[tuple[float, int, int]]
) -> tuple[list[float], list[int]]:
    """Settle junctions in the order of (seconds, group), seeds being (start, node, group)."""
    out: list[list[tuple[int, float]]] = [[] for _ in range(size)]
    for tail, head, seconds in edges:
        out[tail].append((head, seconds))
    found, who = [np.inf] * size, [-1] * size
    queue = [(start, group, node) for start, node, group in seeds]
    heapq.heapify(queue)
    settled = set()
    while queue:
        seconds, group, node = heapq.heappop(queue)
        if node in settled:
            continue
        settled.add(node)
        found[node], who[node] = seconds, group
        for head, more in out[node]:
            heapq.heappush(queue, (seconds + more, group, head))
    return found, who


# quarters add without rounding, so that ties are ties; zeros and long edges among them
QUARTERS = st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 1.0, 2.5, 40.0])


@st.composite
def questions(draw):
    size = draw(st.integers(1, 9))
    junction = st.integers(0, size - 1)
    edges = draw(st.lists(st.tuples(junction, junction, QUARTERS), max_size=30))
    sources = draw(st.lists(junction, max_size=6))
    start = draw(st.lists(QUARTERS, min_size=len(sources), max_size=len(sources)))
    group = draw(st.lists(st.integers(0, 5), min_size=len(sources), max_size=len(sources)))
    limit = draw(st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0, 3.0, 1000.0])))
    return size, edges, sources, start, group, limit


def each_group(question) -> dict[int, np.ndarray]:
    """Seconds from each group alone: group -> (junction,), inf beyond the limit."""
    size, edges, sources, start, group, limit = question
    answers = {}
    for name in sorted(set(group)):
        seeds = [seed for seed in zip(start, sources, group, strict=True) if seed[2] == name]
        seconds = np.array(by_hand(size, edges, seeds)[0])
        answers[name] = np.where(seconds <= (np.inf if limit is None else limit + 1e-6), seconds, np.inf)
    return answers


@settings(max_examples=300, deadline=None, derandomize=True)
@given(questions())
def test_nearest_is_the_search_by_hand(question) -> None:
    size, edges, sources, start, group, limit = question
    seconds, source = graph_of(size, edges).nearest(sources, limit, start_s=start, group=group)
    expected, who = by_hand(size, edges, list(zip(start, sources, group, strict=True)))
    inside = np.array(expected) <= (np.inf if limit is None else limit + 1e-6)
    inside &= np.isfinite(expected)
    np.testing.assert_array_equal(seconds, np.where(inside, expected, np.inf))
    np.testing.assert_array_equal(source, np.where(inside, who, -1))
    assert seconds.dtype == np.float64
    assert source.dtype == np.int32


@settings(max_examples=200, deadline=None, derandomize=True)
@given(questions())
def test_within_lists_each_group_in_its_row(question) -> None:
    size, edges, sources, start, group, limit = question
    limit = 1000.0 if limit is None else limit
    indptr, nodes, seconds = graph_of(size, edges).within(sources, limit, start_s=start, group=group)
    expected = each_group((size, edges, sources, start, group, limit))
    assert len(indptr) == max(group, default=-1) + 2
    for row in range(len(indptr) - 1):
        mine = slice(indptr[row], indptr[row + 1])
        alone = expected.get(row, np.full(size, np.inf))
        np.testing.assert_array_equal(nodes[mine], np.flatnonzero(np.isfinite(alone)))
        np.testing.assert_array_equal(seconds[mine], alone[np.isfinite(alone)])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(questions(), st.integers(1, 12))
def test_nearest_k_ranks_distinct_groups(question, k) -> None:
    size, edges, sources, start, group, limit = question
    seconds, source = graph_of(size, edges).nearest_k(sources, k, limit, start_s=start, group=group)
    assert seconds.shape == source.shape == (size, k)
    alone = each_group((size, edges, sources, start, group, limit))
    for node in range(size):
        ranks = sorted((times[node], name) for name, times in alone.items() if np.isfinite(times[node]))[:k]
        ranks += [(np.inf, -1)] * (k - len(ranks))
        assert list(zip(seconds[node], source[node], strict=True)) == ranks


@settings(max_examples=100, deadline=None, derandomize=True)
@given(questions())
def test_first_of_k_is_the_nearest(question) -> None:
    size, edges, sources, start, group, limit = question
    graph = graph_of(size, edges)
    seconds, source = graph.nearest(sources, limit, start_s=start, group=group)
    for k in (1, 2):
        ranked, names = graph.nearest_k(sources, k, limit, start_s=start, group=group)
        np.testing.assert_array_equal(ranked[:, 0], seconds)
        np.testing.assert_array_equal(names[:, 0], source)


# ---------------------------------------------------------------------------------------------------------
# Larger graphs, against scipy


@pytest.fixture(scope="module")
def city() -> tuple[TravelGraph, csr_array]:
    """Draw a directed random graph of 3,000 junctions with islands, without parallel edges."""
    rng = np.random.default_rng(7)
    size = 3000
    tail, head = rng.integers(0, size, (2, 9000))
    tail, head = np.unique(np.stack([tail, head]), axis=1)
    seconds = rng.random(len(tail)) * 100
    matrix = csr_array((seconds, (tail, head)), shape=(size, size))
    return TravelGraph(matrix.indptr, matrix.indices, matrix.data), matrix


def test_nearest_has_the_seconds_of_scipy(city) -> None:
    graph, matrix = city
    sources = np.random.default_rng(1).integers(0, graph.size, 40)
    seconds, source = graph.nearest(sources)
    table = dijkstra(matrix, indices=sources)
    np.testing.assert_array_equal(seconds, table.min(axis=0))
    np.testing.assert_array_equal(source, np.where(np.isfinite(seconds), table.argmin(axis=0), -1))
    assert 0 < np.isinf(seconds).sum() < graph.size


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_within_is_the_same_in_any_chunk(city, monkeypatch, chunk) -> None:
    graph, matrix = city
    sources = np.random.default_rng(2).integers(0, graph.size, 25)
    monkeypatch.setattr(_scipy, "_CHUNK_CELLS", chunk * (graph.size + 1))
    indptr, nodes, seconds = graph.within(sources, 150.0)
    table = dijkstra(matrix, indices=sources, limit=150.0)
    row, node = np.nonzero(np.isfinite(table))
    np.testing.assert_array_equal(np.repeat(np.arange(25), np.diff(indptr)), row)
    np.testing.assert_array_equal(nodes, node)
    np.testing.assert_array_equal(seconds, table[row, node])


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("k", [1, 3, 9])
def test_nearest_k_is_the_same_in_any_chunk(city, monkeypatch, chunk, k) -> None:
    graph, matrix = city
    sources = np.random.default_rng(3).integers(0, graph.size, 25)
    monkeypatch.setattr(_scipy, "_CHUNK_CELLS", chunk * (graph.size + 1))
    seconds, source = graph.nearest_k(sources, k)
    table = dijkstra(matrix, indices=sources)
    order = np.argsort(table, axis=0, kind="stable")[:k]
    expected = np.take_along_axis(table, order, axis=0).T
    np.testing.assert_array_equal(seconds, expected)
    np.testing.assert_array_equal(source, np.where(np.isfinite(expected), order.T, -1))


def test_lowest_position_wins_across_a_lattice_of_ties() -> None:
    side = 30
    number = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.stack([number[:-1].ravel(), number[1:].ravel()]),
        ],
        axis=1,
    )
    edges = [(int(a), int(b), 80.0) for a, b in pairs.T] + [(int(b), int(a), 80.0) for a, b in pairs.T]
    sources = np.random.default_rng(0).choice(side * side, 12, replace=False)
    seconds, source = graph_of(side * side, edges).nearest(sources)
    row, column = np.divmod(np.arange(side * side), side)
    steps = np.abs(row[:, None] - sources // side) + np.abs(column[:, None] - sources % side)
    np.testing.assert_array_equal(seconds, 80.0 * steps.min(axis=1))
    np.testing.assert_array_equal(source, steps.argmin(axis=1))
    assert ((steps == steps.min(axis=1)[:, None]).sum(axis=1) > 1).sum() > 50


def test_a_slower_group_gets_no_name_by_rounding() -> None:
    """Group 0 is later than group 1 at junction 3, by less than the sums beyond it can show."""
    later = float(np.nextafter(1.0, 2.0))
    edges = [(0, 3, later), (1, 2, 0.5), (2, 3, 0.5), (3, 4, 1e6), (4, 5, 1.0)]
    seconds, source = graph_of(6, edges).nearest([0, 1])
    assert seconds.tolist() == [0.0, 0.0, 0.5, 1.0, 1e6 + 1, 1e6 + 2]
    assert source.tolist() == [0, 1, 1, 1, 1, 1]
    assert by_hand(6, edges, [(0.0, 0, 0), (0.0, 1, 1)]) == (seconds.tolist(), source.tolist())


@pytest.mark.parametrize("seed", range(12))
def test_a_lattice_that_is_its_own_mirror_image(seed) -> None:
    """Of its many equal ways some differ in the last bit, and agree again farther on."""
    side, rng = 24, np.random.default_rng(seed)
    number, gaps = np.arange(side * side).reshape(side, side), rng.random(side - 1) * 100
    edges = [
        (int(one), int(other), float(gap))
        for lines in (number, number.T)
        for tail, head, gap in [
            *zip(lines, lines[1:], gaps, strict=False),
            *zip(lines[1:], lines, gaps, strict=False),
        ]
        for one, other in zip(tail, head, strict=True)
    ]
    places = rng.choice(side * side, 8, replace=False)
    sources = np.concatenate([places, rng.permutation(places % side * side + places // side)])
    seconds, source = graph_of(side * side, edges).nearest(sources)
    starts = [(0.0, int(node), group) for group, node in enumerate(sources)]
    expected, who = by_hand(side * side, edges, starts)
    np.testing.assert_array_equal(seconds, expected)
    np.testing.assert_array_equal(source, who)


def test_groups_may_have_any_number() -> None:
    graph = graph_of(3, [(0, 1, 5.0), (1, 2, 5.0), (1, 0, 5.0)])
    high = 2**40
    assert graph.nearest([2, 0], group=[high, 7])[1].tolist() == [7, 7, high]
    for group, wide in (([2**31 - 1, 7], np.int32), ([2**31, 7], np.int64)):
        for source in (graph.nearest([2, 0], group=group)[1], graph.nearest_k([2, 0], 1, group=group)[1]):
            assert (source.ravel().tolist(), source.dtype) == ([7, 7, group[0]], wide)
    assert graph.nearest_k([2, 0, 1], 3, group=[high, 7, high])[1].tolist() == [
        [7, high, -1],
        [high, 7, -1],
        [high, 7, -1],
    ]


# ---------------------------------------------------------------------------------------------------------
# Which engine answers


@pytest.fixture
def asked(monkeypatch):
    """Note which engine is called; nothing has been spent, no engine is named."""
    calls: list[str] = []
    for module, names in (
        ("_graph", ["scipy_nearest", "scipy_nearest_k", "scipy_within"]),
        ("_graph", ["ring_nearest", "ring_nearest_k", "ring_within"]),
    ):
        for name in names:
            target = f"lifecircle.reach.{module}.{name}"
            plain = getattr(sys.modules[f"lifecircle.reach.{module}"], name)
            monkeypatch.setattr(
                target,
                lambda *some, plain=plain, name=name, **more: calls.append(name) or plain(*some, **more),
            )
    monkeypatch.delenv("LIFECIRCLE_ENGINE")
    monkeypatch.setattr(_choice._Spent, "seconds", 0.0)
    return calls


def ask_everything(graph: TravelGraph) -> None:
    graph.nearest([0])
    graph.nearest_k([0], 2)
    graph.within([0], 5.0)


def test_an_engine_can_be_insisted_on(asked, monkeypatch, engine) -> None:
    arrays = [0, 1, 1], [1], [1.0]
    questions = [f"{engine}_nearest", f"{engine}_nearest_k", f"{engine}_within"]
    ask_everything(TravelGraph(*arrays, engine=engine))
    assert asked == questions
    asked.clear()
    monkeypatch.setenv("LIFECIRCLE_ENGINE", engine)
    ask_everything(TravelGraph(*arrays))
    assert asked == questions
    asked.clear()
    monkeypatch.setenv("LIFECIRCLE_ENGINE", "scipy" if engine == "ring" else "ring")
    ask_everything(TravelGraph(*arrays, engine=engine))
    assert asked == questions


def test_an_unknown_engine_is_refused(monkeypatch) -> None:
    with pytest.raises(GraphError, match="engine is 'fast': give one of auto, scipy, ring"):
        TravelGraph([0], [], [], engine="fast")
    monkeypatch.setenv("LIFECIRCLE_ENGINE", "numba")
    with pytest.raises(GraphError, match="LIFECIRCLE_ENGINE is 'numba': give one of auto, scipy, ring"):
        graph_of(1, []).nearest([0])
    monkeypatch.setenv("LIFECIRCLE_ENGINE", "")
    assert graph_of(1, []).nearest([0])[0].tolist() == [0.0]


def test_a_process_goes_over_to_the_ring_when_that_has_paid(asked, monkeypatch) -> None:
    needs_numba("ring")
    loaded: list[bool] = []
    monkeypatch.setattr(_choice, "is_loaded", lambda _module: bool(loaded))
    monkeypatch.setattr(_choice, "loads", lambda _module: loaded.append(True) or True)
    county, metropolis = Work.nearest(37_000), Work.nearest(5_000_000)
    chosen = [choose("auto", county) for _ in range(100)]
    turned = chosen.index("ring")
    assert 20 < turned < 80
    assert set(chosen[:turned]) == {"scipy"}
    assert set(chosen[turned:]) == {"ring"}
    for work in (metropolis, Work.nearest_k(37_000, 200, 2), Work.within(1_000_000, 500, bounded=True)):
        loaded.clear()
        monkeypatch.setattr(_choice._Spent, "seconds", 0.0)
        assert choose("auto", work) == "ring"
        assert loaded == [True]
    assert choose("auto", Work.nearest_k(37_000, 200, 190)) == "scipy"  # hardly fewer ranks than groups
    assert asked == []


def test_without_numba_scipy_answers_and_the_ring_cannot_be_insisted_on(asked, monkeypatch) -> None:
    monkeypatch.setattr(_choice, "is_loaded", lambda _module: False)
    monkeypatch.setitem(sys.modules, "numba", None)
    _ring.search_loops.cache_clear()
    try:
        assert choose("auto", Work.nearest(10**9)) == "scipy"
        ask_everything(graph_of(2, [(0, 1, 1.0)]))
        assert asked == ["scipy_nearest", "scipy_nearest_k", "scipy_within"]
        for ask in (
            lambda graph: graph.nearest([0]),
            lambda graph: graph.nearest_k([0], 2),
            lambda graph: graph.within([0], 5.0),
        ):
            with pytest.raises(MissingExtraError, match=r"numba.*pip install 'lifecircle\[fast\]'"):
                ask(TravelGraph([0, 0], [], [], engine="ring"))
    finally:
        _ring.search_loops.cache_clear()


def test_a_numba_that_does_not_load_is_as_good_as_none(asked, monkeypatch) -> None:
    needs_numba("ring")
    monkeypatch.setattr(_choice, "is_loaded", lambda _module: False)

    def refuse(_name):
        raise ImportError("Numba needs NumPy 1.0 or less")

    monkeypatch.setattr(compiled, "compiled", refuse)
    assert choose("auto", Work.nearest(10**9)) == "scipy"
    assert asked == []


def test_asking_little_does_not_import_numba() -> None:
    script = (
        "import sys, lifecircle as lc; graph = lc.TravelGraph([0, 1, 1], [1], [60.0]); graph.nearest([0]);"
        "graph.nearest_k([0, 1], 2); graph.within([0], 60); sys.exit('numba' in sys.modules)"
    )
    root = str(Path(lifecircle.__path__[0]).parent)
    subprocess.run(
        [sys.executable, "-c", script],
        env={key: value for key, value in os.environ.items() if key != "LIFECIRCLE_ENGINE"}
        | {"PYTHONPATH": root},
        check=True,
        timeout=60,
    )


# ---------------------------------------------------------------------------------------------------------
# Edges of the contract


def test_the_limit_is_inclusive_up_to_float_noise() -> None:
    graph = graph_of(4, [(0, 1, 900.0), (0, 2, 900.0 + 9e-13), (0, 3, 900.01)])
    seconds, source = graph.nearest([0], 900.0)
    assert np.isfinite(seconds).tolist() == [True, True, True, False]
    assert source.tolist() == [0, 0, 0, -1]
    assert graph.within([0], 900.0)[1].tolist() == [0, 1, 2]
    assert np.isfinite(graph.nearest_k([0], 1, 900.0)[0][:, 0]).tolist() == [True, True, True, False]


def test_limit_zero_reaches_the_sources_and_what_costs_nothing() -> None:
    graph = graph_of(3, [(0, 1, 0.0), (1, 2, 1.0)])
    assert graph.nearest([0], 0)[0].tolist() == [0.0, 0.0, np.inf]
    assert graph.within([0, 0, 2], 0)[0].tolist() == [0, 2, 4, 5]


def test_a_zero_second_edge_is_an_edge_and_parallel_edges_take_the_fastest() -> None:
    graph = graph_of(3, [(0, 1, 5.0), (0, 1, 0.0), (0, 1, 7.0), (1, 2, 3.0), (1, 2, 2.0), (1, 1, 0.0)])
    assert graph.nearest([0])[0].tolist() == [0.0, 0.0, 2.0]


def test_a_start_beyond_the_limit_reaches_nothing() -> None:
    graph = graph_of(2, [(0, 1, 1.0)])
    seconds, source = graph.nearest([0], 10.0, start_s=[10.5])
    assert np.isinf(seconds).all()
    assert source.tolist() == [-1, -1]


def test_no_sources_reach_nothing() -> None:
    graph = graph_of(2, [(0, 1, 1.0)])
    seconds, source = graph.nearest([])
    assert seconds.tolist() == [np.inf, np.inf]
    assert source.tolist() == [-1, -1]
    indptr, nodes, times = graph.within([], 60)
    assert (indptr.tolist(), len(nodes), len(times)) == ([0], 0, 0)
    assert graph.nearest_k([], 2)[1].tolist() == [[-1, -1], [-1, -1]]


def test_an_empty_graph_answers_with_nothing() -> None:
    graph = TravelGraph([0], [], [])
    assert graph.size == 0
    assert [len(part) for part in graph.nearest([])] == [0, 0]
    assert graph.within([], 1)[0].tolist() == [0]
    assert graph.nearest_k([], 3)[0].shape == (0, 3)
    with pytest.raises(GraphError, match=r"sources\[0\] is 0: the graph has no junctions"):
        graph.nearest([0])


def test_duplicated_sources_answer_with_the_first() -> None:
    graph = graph_of(2, [(0, 1, 1.0)])
    assert graph.nearest([0, 0])[1].tolist() == [0, 0]
    assert graph.nearest([0, 0], start_s=[2.0, 1.0])[1].tolist() == [1, 1]
    assert graph.nearest_k([0, 0], 2)[1].tolist() == [[0, 1], [0, 1]]
    assert graph.within([0, 0], 5)[1].tolist() == [0, 1, 0, 1]


def test_edges_are_one_way_in_the_order_given() -> None:
    graph = graph_of(2, [(0, 1, 1.0)])
    assert graph.nearest([1])[0].tolist() == [np.inf, 0.0]


def test_arguments_are_left_alone() -> None:
    arrays = np.array([0, 2, 2]), np.array([1, 1]), np.array([2.0, 1.0])
    before = [array.copy() for array in arrays]
    graph = TravelGraph(*arrays)
    sources, start, group = np.array([1, 0]), np.array([3.0, 0.0]), np.array([4, 2])
    graph.nearest(sources, 10, start_s=start, group=group)
    graph.within(sources, 10, start_s=start, group=group)
    graph.nearest_k(sources, 2, start_s=start, group=group)
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)
    assert (sources.tolist(), start.tolist(), group.tolist()) == ([1, 0], [3.0, 0.0], [4, 2])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([0, 1], [0], [np.nan]), r"seconds\[0\] is nan: seconds are finite and >= 0"),
        (([0, 2], [0, 0], [1.0, -0.5]), r"seconds\[1\] is -0.5: seconds are finite"),
        (([0, 1], [0], [np.inf]), r"seconds\[0\] is inf"),
        (([0, 2, 1], [0, 0], [1.0, 1.0]), r"indptr\[2\] is 1: row pointers never fall"),
        (([1, 1], [], []), r"indptr\[0\] is 1: row pointers begin with 0"),
        (([], [], []), r"indptr\[0\] is nothing"),
        (([0, 1], [], []), r"indptr\[1\] is 1: the last row pointer is the number of edges, 0"),
        (([0, 1], [1], [1.0]), r"indices\[0\] is 1: junctions are numbered 0 to 0"),
        (([0, 3], [0, -1, -2], [1.0] * 3), r"indices\[1\] is -1: .*and 1 more like it"),
        (([0, 1], [0], [1.0, 2.0]), "seconds has 2 values for 1 edges"),
        (([0, 1], [0.5], [1.0]), r"indices\[0\] is .*0.5.* of type float64: give whole numbers"),
        (([0, 1], [0], ["far"]), "seconds holds something that is no number"),
        (([0, 1], [[0]], [1.0]), "indices has 2 dimensions"),
        (([0, 1], [0], [[1.0]]), "seconds has 2 dimensions"),
    ],
)
def test_unusable_arrays_are_refused(arrays, message) -> None:
    with pytest.raises(GraphError, match=message):
        TravelGraph(*arrays)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda graph: graph.nearest([0, 2]), r"sources\[1\] is 2: junctions are numbered 0 to 1"),
        (lambda graph: graph.within([-1], 5), r"sources\[0\] is -1"),
        (lambda graph: graph.nearest([True]), r"sources\[0\] is .*True"),
        (lambda graph: graph.nearest([0], -1), "limit_s is -1: give seconds >= 0"),
        (lambda graph: graph.within([0], float("nan")), "limit_s is nan"),
        (lambda graph: graph.nearest([0], start_s=[-1.0]), r"start_s\[0\] is -1.0"),
        (lambda graph: graph.nearest([0], start_s=[np.inf]), r"start_s\[0\] is inf"),
        (lambda graph: graph.nearest([0], start_s=[]), "start_s has 0 values for 1 sources"),
        (lambda graph: graph.nearest([0, 1], group=[0]), "group has 1 values for 2 sources"),
        (lambda graph: graph.within([0], 5, group=[-2]), r"group\[0\] is -2: groups are numbers >= 0"),
        (lambda graph: graph.nearest_k([0], 0), "k is 0: give a whole number of at least 1"),
        (lambda graph: graph.nearest_k([0], 1.5), "k is 1.5"),
    ],
)
def test_unusable_questions_are_refused(ask, message) -> None:
    with pytest.raises(GraphError, match=message):
        ask(graph_of(2, [(0, 1, 1.0)]))


def test_a_graph_is_frozen() -> None:
    with pytest.raises(AttributeError, match="cannot assign"):
        graph_of(1, []).seconds = np.zeros(3)
    with pytest.raises(ValueError, match="read-only"):
        graph_of(2, [(0, 1, 1.0)]).seconds[0] = 2.0


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64, ">i4"])
def test_whole_numbers_of_any_type_are_taken(kind) -> None:
    graph = TravelGraph(np.array([0, 1, 2, 2], kind), np.array([1, 2], kind), np.array([1.0, 2.0], ">f8"))
    assert (graph.indptr.dtype, graph.indices.dtype) == (np.int32, np.int32)
    assert graph.nearest(np.array([0], kind), group=np.array([3], kind))[0].tolist() == [0.0, 1.0, 3.0]


def test_arrays_of_the_right_types_are_shared_and_others_are_not() -> None:
    every = np.arange(6, dtype=np.int32)
    indptr, indices, seconds = np.array([0, 1, 2, 2], np.int32), np.array([1, 2], np.int32), np.ones(2)
    graph = TravelGraph(indptr, indices, seconds)
    for mine, held in zip((indptr, indices, seconds), graph.arrays, strict=True):
        assert np.shares_memory(mine, held)
        assert mine.flags.writeable
    graph.nearest([0])
    assert graph.nearest([0])[0].tolist() == [0.0, 1.0, 2.0]
    parted = TravelGraph(every[:2], every[2:][::2][:1] - 2, np.ones(2)[::2])
    assert parted.nearest([0])[0].tolist() == [0.0]


def test_a_graph_and_a_search_take_no_memory_but_what_is_said(engine) -> None:
    """A mask of a byte a junction to check with, 16 bytes a junction to search with, and the rows."""
    many = 400_000
    arrays = (
        np.minimum(np.arange(many + 1), many - 1).astype(np.int32),
        np.arange(1, many, dtype=np.int32),
        np.ones(many - 1),
    )
    tracemalloc.start()
    try:
        graph = TravelGraph(*arrays)
        made = tracemalloc.get_traced_memory()[1]
        graph.nearest([0])
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        seconds, source = graph.nearest([0, 9])
        taken = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert seconds[-1] == many - 10
    assert source[-1] == 1
    assert made < many + 100_000
    if engine == "ring":
        assert taken < 16 * many + 2_000_000


def test_every_public_name_of_reach_loads() -> None:
    assert sorted(reach.__all__) == sorted(reach._HOME) == sorted(dir(reach))
    assert all(getattr(reach, name) is not None for name in reach.__all__)
    with pytest.raises(AttributeError, match=r"'lifecircle\.reach' has no attribute 'nowhere'"):
        _ = reach.nowhere


def test_searching_a_graph_imports_no_tables() -> None:
    script = (
        "import sys, lifecircle as lc; lc.TravelGraph([0, 1, 1], [1], [60.0]).nearest([0]);"
        "sys.exit('pandas' in sys.modules or 'shapely' in sys.modules)"
    )
    root = str(Path(lifecircle.__path__[0]).parent)
    subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": root}, check=True, timeout=60
    )
