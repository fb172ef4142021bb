"""A solved nearest, repaired: after every change it is what a full search gives, to the last bit."""

from __future__ import annotations

import os

import numpy as np
import pytest

from conftest import seeds
from lifecircle.errors import GraphError
from lifecircle.reach import NearestSolve, TravelGraph, _choice, _ring

KINDS = ("uniform", "whole", "zeros", "huge", "mixed", "subnormal", "tenths")
SEEDS = seeds(500, whole=5000)


@pytest.fixture(params=["scipy", "ring"], scope="module", autouse=True)
def engine(request):
    """Let every graph of this file be searched by one engine."""
    if request.param == "ring" and os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") != "1":
        pytest.importorskip("numba", reason="the extra `fast` is not installed")
    return request.param


def weights(kind: str, many: int, rng: np.random.Generator) -> np.ndarray:
    whole = rng.integers(1, 6, many).astype(float)
    return {
        "uniform": rng.uniform(0.1, 50, many),
        "whole": whole,
        "zeros": np.where(rng.random(many) < 0.5, 0.0, whole),
        "huge": np.where(rng.random(many) < 0.2, whole * 2.0**44, whole),
        "mixed": whole * 10.0 ** rng.choice([-12, 0, 3, 16, 300, 307], many),
        "subnormal": whole * 5e-324,
        "tenths": whole / 10,  # sums differ in the last bit by the order they are made in
    }[kind]


def random_graph(seed: int, engine: str) -> tuple[TravelGraph, TravelGraph, np.random.Generator]:
    """Give a graph for an engine, the same for scipy, and the lot that drew them; islands are frequent."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 50))
    many = int(rng.integers(0, 4 * size))
    tail, head = rng.integers(0, size, many), rng.integers(0, size, many)
    seconds = weights(KINDS[seed % len(KINDS)], many, rng)
    if rng.random() < 0.6:
        tail, head, seconds = np.r_[tail, head], np.r_[head, tail], np.r_[seconds, seconds]
    order = np.argsort(tail, kind="stable")
    indptr = np.r_[0, np.cumsum(np.bincount(tail, minlength=size))]
    arrays = indptr, head[order], seconds[order]
    return TravelGraph(*arrays, engine=engine), TravelGraph(*arrays, engine="scipy"), rng


class Twin:
    """A solve, and the list of sources it should be the answer for."""

    def __init__(self, graph, plain, limit_s, starts):
        self.plain, self.limit_s, self.starts = plain, limit_s, list(starts)
        node, start_s, group = self.columns()
        self.solve = graph.solve(node, limit_s, start_s=start_s, group=group)
        self.seconds, self.source = self.solve.seconds.copy(), self.solve.source.copy()
        self.check(None)

    def columns(self):
        """Nodes, starts and groups of the sources, each as an array."""
        return [
            np.array([one[i] for one in self.starts], dtype=kind) for i, kind in enumerate((int, float, int))
        ]

    def check(self, change):
        """Compare with the full answer, and what is said to have changed with what has."""
        node, start_s, group = self.columns()
        seconds, source = self.plain.nearest(node, self.limit_s, start_s=start_s, group=group)
        np.testing.assert_array_equal(self.solve.seconds, seconds)
        np.testing.assert_array_equal(self.solve.source, source)
        if change is not None:
            differs = (self.seconds != seconds) | (self.source != source)
            np.testing.assert_array_equal(change.junctions, np.flatnonzero(differs))
        self.seconds, self.source = seconds, source
        np.testing.assert_array_equal(self.solve.groups, np.unique(group))

    def add(self, nodes, starts, group):
        """Add to both."""
        change = self.solve.add_source(nodes, starts, group=group)
        assert group is None or change.group == group
        self.starts += [
            (int(node), float(start), change.group) for node, start in zip(nodes, starts, strict=True)
        ]
        self.check(change)

    def remove(self, group, node):
        """Remove from both."""
        self.starts = [one for one in self.starts if one[2] != group or (node is not None and one[0] != node)]
        change = self.solve.remove_source(group, node=node)
        assert change.group == group
        self.check(change)


def play(twin: Twin, size: int, rng: np.random.Generator, *, moves: int) -> None:
    """Add and remove at random: one start or two, at times for a group that is there, at times one of two."""
    for _ in range(moves):
        if not twin.starts or rng.random() < 0.5:
            many = int(rng.integers(1, 3))
            known = [one[2] for one in twin.starts]
            group = [None, int(rng.integers(0, 12)), *known][int(rng.integers(0, 2 + len(known)))]
            twin.add(rng.integers(0, size, many), draw_starts(many, rng), group)
        else:
            node, _, group = twin.starts[int(rng.integers(0, len(twin.starts)))]
            twin.remove(group, node if rng.random() < 0.3 else None)


def draw_starts(many: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 9, many) * float(rng.choice([0, 0.1, 1, 60]))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_repaired_answer_is_that_of_a_full_search(seed, engine, monkeypatch) -> None:
    if seed % 4 == 0:
        monkeypatch.setattr(_ring, "_CAPACITY", 1)  # rows must grow, and what waits be kept
    graph, plain, rng = random_graph(seed, engine)
    many = int(rng.integers(0, 7))
    group = np.arange(many) if rng.random() < 0.5 else rng.integers(0, 4, many)
    node = rng.integers(0, graph.size, many)
    limit_s = [None, 0.0, 3.0, 20.0, 0.5][int(rng.integers(0, 5))]
    starts = zip(node.tolist(), draw_starts(many, rng).tolist(), group.tolist(), strict=True)
    play(Twin(graph, plain, limit_s, starts), graph.size, rng, moves=6)


@pytest.mark.parametrize("seed", range(8))
def test_a_lattice_that_is_its_own_mirror_image(seed, engine) -> None:
    """Of its many equal ways some differ in the last bit, and agree again farther on: labels go stale."""
    side, rng = 16, np.random.default_rng(seed)
    number, gaps = np.arange(side * side).reshape(side, side), rng.random(side - 1) * 100
    pairs = np.concatenate(
        [
            np.stack([number[:, :-1], number[:, 1:]], 2).reshape(-1, 2),
            np.stack([number.T[:, :-1], number.T[:, 1:]], 2).reshape(-1, 2),
        ]
    )
    seconds = np.tile(np.tile(gaps, side), 2)
    tail, head = np.r_[pairs[:, 0], pairs[:, 1]], np.r_[pairs[:, 1], pairs[:, 0]]
    order = np.argsort(tail, kind="stable")
    arrays = np.r_[0, np.cumsum(np.bincount(tail))], head[order], np.tile(seconds, 2)[order]
    graph, plain = TravelGraph(*arrays, engine=engine), TravelGraph(*arrays, engine="scipy")
    places = rng.choice(side * side, 6, replace=False)
    mirrored = places % side * side + places // side
    every = [(int(node), 0.0, group) for group, node in enumerate(rng.permutation(np.r_[places, mirrored]))]
    twin = Twin(graph, plain, None, every[:6])
    for node, start_s, _ in every[6:]:
        twin.add([node], [start_s], None)
    for group in rng.permutation(12).tolist():
        twin.remove(group, None)
    assert not np.isfinite(twin.solve.seconds).any()


def test_a_label_goes_stale_by_rounding(engine) -> None:
    """Group 1 is sooner at junction 3 than group 0, by less than the sums beyond it can show."""
    later = float(np.nextafter(1.0, 2.0))
    arrays = [0, 1, 2, 3, 4, 5, 5], [3, 2, 3, 4, 5], [later, 0.5, 0.5, 1e6, 1.0]
    solve = TravelGraph(*arrays, engine=engine).solve([0])
    assert solve.seconds.tolist() == [0.0, np.inf, np.inf, later, 1e6 + 1, 1e6 + 2]
    assert solve.add_source(1).junctions.tolist() == [1, 2, 3, 4, 5]
    assert solve.source.tolist() == [0, 1, 1, 1, 1, 1]
    assert solve.add_source(3, 1.0, group=2).junctions.tolist() == []
    assert solve.remove_source(1).junctions.tolist() == [1, 2, 3, 4, 5]
    assert solve.source.tolist() == [0, -1, -1, 2, 2, 2]
    solve = TravelGraph(*arrays, engine=engine).solve([0])
    assert solve.add_source(3, 1.0).junctions.tolist() == [3, 4, 5]
    assert solve.source.tolist() == [0, -1, -1, 1, 1, 1]


@pytest.fixture
def line(engine) -> NearestSolve:
    """Six junctions in a row, ten seconds apart, with sources at both ends."""
    indptr, indices = [0, 1, 3, 5, 7, 9, 10], [1, 0, 2, 1, 3, 2, 4, 3, 5, 4]
    return TravelGraph(indptr, indices, [10.0] * 10, engine=engine).solve([0, 5])


def test_numbers_stay_and_are_not_given_again(line) -> None:
    assert line.source.tolist() == [0, 0, 0, 1, 1, 1]
    change = line.add_source([2, 3], 1.0)
    assert (change.group, change.junctions.tolist()) == (2, [2, 3])
    assert line.remove_source(0).junctions.tolist() == [0, 1]
    assert line.source.tolist() == [2, 2, 2, 2, 1, 1]
    assert line.seconds.tolist() == [21.0, 11.0, 1.0, 1.0, 10.0, 0.0]
    assert line.groups.tolist() == [1, 2]
    assert line.remove_source(2, node=3).junctions.tolist() == [3]
    assert line.source.tolist() == [2, 2, 2, 2, 1, 1]
    assert line.remove_source(2).junctions.tolist() == [0, 1, 2, 3]
    assert line.add_source(0).group == 3
    assert line.add_source(1, group=9).group == 9
    assert line.add_source(2).group == 10


def test_labels_are_seen_through_and_cannot_be_written(line) -> None:
    seconds, source = line.seconds, line.source
    line.add_source(2)
    assert (seconds[2], source[2]) == (0.0, 2)
    with pytest.raises(ValueError, match="read-only"):
        seconds[0] = 1.0


def test_the_last_source_may_go_and_another_come(line) -> None:
    line.remove_source(0)
    assert line.remove_source(1).junctions.tolist() == [0, 1, 2, 3, 4, 5]
    assert (line.groups.tolist(), line.source.tolist()) == ([], [-1] * 6)
    assert line.add_source(4).junctions.tolist() == [0, 1, 2, 3, 4, 5]
    assert line.seconds.tolist() == [40.0, 30.0, 20.0, 10.0, 0.0, 10.0]


def test_a_source_beyond_the_limit_changes_nothing(engine) -> None:
    solve = TravelGraph([0, 1, 1], [1], [5.0], engine=engine).solve([], 10.0)
    assert solve.add_source(0, 10.5).junctions.tolist() == []
    assert solve.add_source(0, 5.0).junctions.tolist() == [0, 1]  # inclusive
    assert solve.remove_source(0).junctions.tolist() == []
    assert solve.remove_source(1).junctions.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda solve: solve.add_source(6), r"node\[0\] is 6: junctions are numbered 0 to 5"),
        (lambda solve: solve.add_source(0.5), "node.* of type float64: give whole numbers"),
        (lambda solve: solve.add_source([0, 1], [0.0, -1.0]), r"start_s\[1\] is -1.0"),
        (lambda solve: solve.add_source([0, 1], [0.0, 1.0, 2.0]), "start_s has 3 values for 2 sources"),
        (lambda solve: solve.add_source(0, group=-1), r"group\[0\] is -1: groups are numbers from 0"),
        (lambda solve: solve.add_source(0, group=2**31), r"group\[0\] is 2147483648: groups are numbers"),
        (lambda solve: solve.remove_source(2), "group is 2: no source answers with it, see"),
        (lambda solve: solve.remove_source(0, node=3), "no source answers with it from junction 3, see"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(line, ask, message) -> None:
    with pytest.raises(GraphError, match=message):
        ask(line)
    assert line.source.tolist() == [0, 0, 0, 1, 1, 1]
    assert line.groups.tolist() == [0, 1]
    assert line.add_source(2).group == 2


def test_a_solve_refuses_what_nearest_refuses_and_groups_too_high_to_repair(engine) -> None:
    graph = TravelGraph([0, 0], [], [], engine=engine)
    with pytest.raises(GraphError, match=r"sources\[0\] is 1"):
        graph.solve([1])
    with pytest.raises(GraphError, match="limit_s is -1"):
        graph.solve([0], -1)
    with pytest.raises(GraphError, match=r"group\[0\] is 2147483647: groups are numbers from 0"):
        graph.solve([0], group=[2**31 - 1])
    assert TravelGraph([0], [], [], engine=engine).solve([]).seconds.tolist() == []


def test_two_solves_of_one_graph_do_not_see_each_other(engine) -> None:
    graph = TravelGraph([0, 1, 2], [1, 0], [1.0, 1.0], engine=engine)
    one, other = graph.solve([0]), graph.solve([0])
    one.add_source(1)
    assert (one.source.tolist(), other.source.tolist()) == ([0, 1], [0, 0])
    assert graph.nearest([0])[1].tolist() == [0, 0]


def test_repairs_are_left_to_compiled_loops_where_the_graph_is_not_small(monkeypatch) -> None:
    monkeypatch.delenv("LIFECIRCLE_ENGINE", raising=False)
    monkeypatch.setattr(_choice, "is_loaded", lambda _module: False)
    monkeypatch.setattr(_choice, "loads", lambda _module: True)
    monkeypatch.setattr(_choice._Spent, "seconds", 0.0)
    assert _choice.choose("auto", _choice.Work.repairs(1_000)) == "scipy"
    assert _choice.choose("auto", _choice.Work.repairs(40_000)) == "ring"
