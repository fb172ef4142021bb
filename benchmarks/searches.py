"""Own the searches that are raced: nearest, within a limit, k nearest, and each peer's best question."""
# ruff: noqa: PLC0415 - peers are optional, and a process pays only for what it measures

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse.csgraph import dijkstra

import lifecircle as lc
from benchmarks import kernels, peers
from benchmarks.timing import (
    EXACT,
    WRONG,
    Agreement,
    Contestant,
    Race,
    clocked,
    compare_seconds,
    no_answer,
    run_race,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.networks import Graph, Network

    Array = np.ndarray[Any, Any]
    Agree = Callable[[Any], Agreement]

LIMIT_S = 900.0
FACILITIES = 500
WALKING_SOURCES = 5_000
RANKS = 5
BLOCK = 50
FEW = 4
MANY_JUNCTIONS = 2_000_000
"""Above this only the package, scipy and the bounds are raced: the others would take the whole run."""

PYTHON_JUNCTIONS = 300_000
"""Up to this a peer that is built junction by junction in Python is raced."""


class Field:
    """A network in one mode and in the package's order, with peers built once and kept for every race."""

    def __init__(
        self, network: Network, mode: str, *, rounds: int, sources: int = FACILITIES, alone: bool = False
    ) -> None:
        self.network = network
        self.mode = mode
        self.rounds = rounds
        self.graph: Graph = network.modes[mode]
        rng = np.random.default_rng(1)
        many = min(sources, self.graph.size // 4)
        self.sources: Array = rng.choice(self.graph.size, many, replace=False).astype(np.int64)
        self.here = {} if alone else peers.installed()
        self._built: dict[str, tuple[Any, float]] = {}

    @property
    def label(self) -> str:
        """Name the network and the mode."""
        return f"{self.network.name}, {self.mode}"

    def built(self, name: str, build: Callable[[], Any]) -> tuple[Any, float]:
        """Build something once; give it and the seconds it took."""
        if name not in self._built:
            made, took, _ = clocked(build)
            self._built[name] = made, took
            say(f"    built {name} in {took:.2f} s")
        return self._built[name]

    def own(self) -> tuple[lc.TravelGraph, float]:
        """Build the package's graph."""
        return self.built("lifecircle", lambda: lc.TravelGraph(*self.graph))

    def matrix(self) -> tuple[Any, float]:
        """Build scipy's matrix."""
        return self.built("scipy", lambda: peers.scipy_matrix(self.graph))

    def networkx(self) -> tuple[Any, float]:
        """Build networkx's graph."""
        return self.built("networkx", lambda: peers.networkx_graph(self.graph))

    def pandana(self) -> tuple[Any, float]:
        """Let pandana contract the graph and note the sources."""

        def build() -> Any:
            made = peers.pandana_network(self.network.xy, self.graph)
            peers.pandana_places(made, self.network.xy, self.sources, limit_s=LIMIT_S, most=RANKS)
            return made

        return self.built("pandana", build)

    def pandana_outward(self) -> tuple[Any, float]:
        """Let pandana contract the graph as it stands; on foot all edges go both ways, so once is enough."""
        if self.mode == "walk":
            return self.pandana()
        return self.built(
            "pandana outward", lambda: peers.pandana_network(self.network.xy, self.graph, outward=True)
        )

    def has(self, name: str, *, most: int = MANY_JUNCTIONS) -> bool:
        """Return whether a peer is installed and not hopeless at this size."""
        return name in self.here and self.graph.size <= most


# ---------------------------------------------------------------------------------------------------------
# The nearest of all facilities


def race_nearest(field: Field, *, file_order: tuple[Network, Array] | None = None) -> Race:
    """Race for the time from the nearest of all sources to every junction.

    Parameters
    ----------
    file_order : the network in the order of its source and the number of each of its junctions in the field
    """
    expected = dijkstra(
        field.matrix()[0], indices=field.sources, min_only=True, limit=LIMIT_S, return_predecessors=True
    )
    contestants = [
        *_own_nearest(field, expected, file_order),
        *_scipy_nearest(field, expected),
        *_compiled_nearest(field, expected),
        *_peer_nearest(field, expected[0]),
    ]
    title = f"nearest of {len(field.sources)} facilities within 15 minutes, at every junction"
    return run_race("nearest", field.label, title, contestants, rounds=field.rounds)


def _own_nearest(
    field: Field, expected: Any, file_order: tuple[Network, Array] | None
) -> Iterator[Contestant]:
    graph, took = field.own()

    def agree(found: Any) -> Agreement:
        agreement = compare_seconds(found[0], expected[0])
        named = expected[2] >= 0
        same = field.sources[found[1][named]] == expected[2][named]
        text = f"{agreement.text}; facility named as by scipy at {_percent(same)}"
        return Agreement(agreement.kind, text)

    yield Contestant(
        "lifecircle",
        "TravelGraph.nearest as it comes; times and facilities",
        lambda: graph.nearest(field.sources, LIMIT_S),
        agree,
        took,
    )
    if file_order is None:
        return
    network, number = file_order
    old = np.empty(len(number), np.int64)
    old[number] = np.arange(len(number))
    shuffled = lc.TravelGraph(*network.modes[field.mode])
    yield Contestant(
        "lifecircle, order of the file",
        "the same, junctions numbered as in the source",
        lambda: shuffled.nearest(old[field.sources], LIMIT_S),
        lambda found: compare_seconds(found[0], expected[0][number]),
    )


def _scipy_nearest(field: Field, expected: Any) -> Iterator[Contestant]:
    matrix, took = field.matrix()
    yield Contestant(
        "scipy",
        "csgraph.dijkstra(min_only=True, limit, return_predecessors=True); times and facilities",
        lambda: dijkstra(
            matrix, indices=field.sources, min_only=True, limit=LIMIT_S, return_predecessors=True
        ),
        lambda found: compare_seconds(found[0], expected[0]),
        took,
    )
    yield Contestant(
        "scipy, times only",
        "csgraph.dijkstra(min_only=True, limit)",
        lambda: dijkstra(matrix, indices=field.sources, min_only=True, limit=LIMIT_S),
        lambda found: compare_seconds(found, expected[0]),
        took,
    )


def _compiled_nearest(field: Field, expected: Any) -> Iterator[Contestant]:
    graph, sources = field.graph, field.sources
    first_s, source = np.empty(graph.size), np.empty(graph.size, np.int32)
    room = len(graph.indices) + len(sources)
    keys, values = np.empty(room), np.empty(room, np.int64)

    def heap() -> Array:
        kernels.heap_nearest(*graph, sources, LIMIT_S, first_s, source, keys, values)
        return first_s

    yield Contestant(
        "compiled binary heap",
        "textbook Dijkstra in numba, memory kept from call to call",
        heap,
        lambda found: compare_seconds(found, expected[0]),
    )
    yield Contestant(
        "streaming bound",
        "one pass over edges and answers in numba",
        lambda: kernels.stream(*graph, first_s, source),
        no_answer,
    )


def _peer_nearest(field: Field, expected: Array) -> Iterator[Contestant]:
    if field.has("networkx"):
        import networkx as nx

        made, took = field.networkx()
        starts = field.sources.tolist()
        yield Contestant(
            "networkx",
            "multi_source_dijkstra_path_length(cutoff); times only",
            lambda: nx.multi_source_dijkstra_path_length(made, starts, cutoff=LIMIT_S),
            lambda found: compare_seconds(_filled(found, field.graph.size), expected),
            took,
        )
    if field.has("igraph"):
        vertices, took_igraph = field.built("igraph", lambda: peers.igraph_graph(field.graph, field.sources))
        yield Contestant(
            "igraph",
            "Graph.distances from one vertex that leads to all sources; no limit, times only",
            lambda: peers.igraph_seconds(vertices),
            lambda found: compare_seconds(np.where(found <= LIMIT_S, found, np.inf), expected),
            took_igraph,
        )
    if field.has("pandana"):
        contracted, took_pandana = field.pandana()
        yield Contestant(
            "pandana",
            "nearest_pois(num_pois=1), all threads; times only; build = Network + set_pois",
            lambda: peers.pandana_nearest(contracted, limit_s=LIMIT_S, k=1),
            lambda found: compare_seconds(peers.pandana_seconds(found[:, 0], limit_s=LIMIT_S), expected),
            took_pandana,
        )
    if field.has("cityseer", most=PYTHON_JUNCTIONS) and field.mode == "walk":
        yield from _cityseer_nearest(field, expected)


def _cityseer_nearest(field: Field, expected: Array) -> Iterator[Contestant]:
    def build() -> Any:
        made = peers.cityseer_network(field.network.xy, field.graph, speed_ms=field.network.walk_ms)
        return made, peers.cityseer_places(made, field.network.xy, field.sources)

    (made, places), took = field.built("cityseer", build)
    yield Contestant(
        "cityseer",
        "DataMap.accessibility(distances=[15 minutes' walk]), all threads; times only",
        lambda: peers.cityseer_seconds(
            made, places, field.sources, limit_s=LIMIT_S, speed_ms=field.network.walk_ms
        ),
        lambda found: compare_seconds(found, expected),
        took,
    )


# ---------------------------------------------------------------------------------------------------------
# Everything within a limit of each facility


def race_within(field: Field, *, sources: int, peers_too: bool = True) -> Race:
    """Race for every junction within 15 minutes of each source, as sparse rows."""
    rng = np.random.default_rng(2)
    chosen = rng.choice(field.graph.size, min(sources, field.graph.size // 4), replace=False)
    expected = scipy_rows(field.matrix()[0], chosen[:50])
    contestants = [*_own_within(field, chosen, expected), *_scipy_within(field, chosen, expected)]
    if peers_too:
        contestants += _peer_within(field, chosen, expected)
    pairs = len(field.own()[0].within(chosen, LIMIT_S)[1])
    title = f"junctions within 15 minutes of each of {len(chosen)} facilities, {pairs:,} pairs"
    return run_race("within", field.label, title, contestants, rounds=field.rounds)


def scipy_rows(matrix: Any, sources: Array, *, block: int = BLOCK) -> tuple[Array, Array, Array]:
    """Ask scipy for what each source reaches, a block of dense rows at a time: indptr, nodes, seconds."""
    counts, nodes, seconds = [], [], []
    for first in range(0, len(sources), block):
        dense = dijkstra(matrix, indices=sources[first : first + block], limit=LIMIT_S)
        row, node = np.nonzero(np.isfinite(dense))
        counts.append(np.bincount(row, minlength=len(dense)))
        nodes.append(node)
        seconds.append(dense[row, node])
    indptr = np.r_[0, np.cumsum(np.concatenate(counts))]
    return indptr, np.concatenate(nodes), np.concatenate(seconds)


def _own_within(field: Field, chosen: Array, expected: Any) -> Iterator[Contestant]:
    graph, took = field.own()
    yield Contestant(
        "lifecircle",
        "TravelGraph.within as it comes",
        lambda: graph.within(chosen, LIMIT_S),
        lambda found: _compare_rows(found, expected),
        took,
    )


def _scipy_within(field: Field, chosen: Array, expected: Any) -> Iterator[Contestant]:
    matrix, took = field.matrix()
    few = max(1, len(chosen) // 20) if field.graph.size > PYTHON_JUNCTIONS else len(chosen)
    yield Contestant(
        "scipy, dense blocks",
        f"csgraph.dijkstra(limit) for {BLOCK} sources at a time, a fresh block per call, then np.nonzero",
        lambda: scipy_rows(matrix, chosen),
        lambda found: _compare_rows(found, expected),
        took,
    )
    yield Contestant(
        "scipy, small blocks",
        f"the same for {FEW} sources at a time",
        lambda: scipy_rows(matrix, chosen[:few], block=FEW),
        lambda found: _compare_rows(found, expected),
        took,
        len(chosen[:few]) / len(chosen),
    )


def _peer_within(field: Field, chosen: Array, expected: Any) -> Iterator[Contestant]:
    few, fewer = (20, 4) if field.mode == "drive" else (200, 40)
    starts = chosen[:few].tolist()
    if field.has("networkx"):
        import networkx as nx

        made, took = field.networkx()
        yield Contestant(
            "networkx, lengths per facility",
            "single_source_dijkstra_path_length(cutoff)",
            lambda: [nx.single_source_dijkstra_path_length(made, one, cutoff=LIMIT_S) for one in starts],
            lambda found: _compare_rows(_rows_of(found), expected),
            took,
            len(starts) / len(chosen),
        )
        yield Contestant(
            "networkx, ego_graph per facility",
            "ego_graph(radius=900, distance=seconds), as tutorials do; junctions, no times",
            lambda: [nx.ego_graph(made, one, radius=LIMIT_S, distance="weight") for one in starts[:fewer]],
            lambda found: _compare_sets(found, expected),
            took,
            len(starts[:fewer]) / len(chosen),
        )
    if field.has("pandana", most=PYTHON_JUNCTIONS):
        contracted, took_pandana = field.pandana_outward()
        some = chosen[: few * 5].tolist()
        yield Contestant(
            "pandana, nodes_in_range",
            "Network.nodes_in_range, all threads",
            lambda: contracted.nodes_in_range(some, LIMIT_S),
            lambda found: _compare_rows(_rows_of_frame(found, some), expected),
            took_pandana,
            min(1.0, len(some) / len(chosen)),
        )


# ---------------------------------------------------------------------------------------------------------
# The k nearest facilities


def race_ranked(field: Field) -> Race:
    """Race for the five nearest sources of every junction."""
    graph, sources = field.graph, field.sources
    first_s, source = np.empty((graph.size, RANKS)), np.empty((graph.size, RANKS), np.int32)
    settled = np.empty(graph.size, np.int32)
    room = RANKS * len(graph.indices) + len(sources)
    keys, values = np.empty(room), np.empty(room, np.int64)

    def heap() -> Array:
        kernels.heap_nearest_k(*graph, sources, RANKS, LIMIT_S, first_s, source, settled, keys, values)
        return first_s

    expected = heap().copy()
    made, took = field.own()
    contestants = [
        Contestant(
            "lifecircle",
            "TravelGraph.nearest_k as it comes; times and facilities",
            lambda: made.nearest_k(sources, RANKS, LIMIT_S),
            lambda found: compare_seconds(found[0], expected),
            took,
        ),
        Contestant(
            "compiled binary heap",
            "textbook k-label Dijkstra in numba, memory kept from call to call",
            heap,
            lambda found: _compare_ranked(found, field),
        ),
    ]
    if field.has("pandana"):
        contracted, took_pandana = field.pandana()
        contestants.append(
            Contestant(
                "pandana",
                "nearest_pois(num_pois=5), all threads; times only; build = Network + set_pois",
                lambda: peers.pandana_nearest(contracted, limit_s=LIMIT_S, k=RANKS),
                lambda found: compare_seconds(peers.pandana_seconds(found, limit_s=LIMIT_S), expected),
                took_pandana,
            )
        )
    title = f"{RANKS} nearest of {len(sources)} facilities within 15 minutes, at every junction"
    return run_race("nearest_k", field.label, title, contestants, rounds=field.rounds)


# ---------------------------------------------------------------------------------------------------------
# Each peer's best question


def race_best(field: Field) -> list[Race]:
    """Ask what suits a peer best, and let the package do the same work."""
    races = [_few_sources(field)]
    if field.has("networkx"):
        races.append(_one_neighbourhood(field))
    if field.has("pandana"):
        races.append(_trips(field))
    return races


def _few_sources(field: Field) -> Race:
    """Ask for all times from few sources without limit, where a dense answer is the right one."""
    matrix, took = field.matrix()
    graph, took_own = field.own()
    few = field.sources[:10]
    expected = dijkstra(matrix, indices=few)

    def own() -> Array:
        return graph.within(few, np.inf)[2]

    contestants = [
        Contestant(
            "lifecircle",
            "TravelGraph.within(limit = inf)",
            own,
            lambda found: compare_seconds(found, expected[np.isfinite(expected)]),
            took_own,
        ),
        Contestant(
            "scipy",
            "csgraph.dijkstra, dense",
            lambda: dijkstra(matrix, indices=few),
            lambda found: compare_seconds(found, expected),
            took,
        ),
    ]
    if field.has("igraph"):
        made, took_igraph = field.built("igraph", lambda: peers.igraph_graph(field.graph, field.sources))
        contestants.append(
            Contestant(
                "igraph",
                "Graph.distances, dense",
                lambda: np.array(made.distances(source=few.tolist(), weights="weight", mode="out"))[:, :-1],
                lambda found: compare_seconds(found, expected),
                took_igraph,
            )
        )
    title = f"all times from {len(few)} junctions, no limit (best for scipy and igraph)"
    return run_race("best for scipy", field.label, title, contestants, rounds=field.rounds)


def _one_neighbourhood(field: Field) -> Race:
    """Ask for what lies within 2 minutes of one junction, where nothing has to be set up."""
    import networkx as nx

    made, took = field.networkx()
    graph, took_own = field.own()
    matrix, _ = field.matrix()
    one, limit_s = int(field.sources[0]), 120.0
    dense = dijkstra(matrix, indices=one, limit=limit_s)
    expected = dense[np.isfinite(dense)]
    contestants = [
        Contestant(
            "lifecircle",
            "TravelGraph.within",
            lambda: graph.within([one], limit_s),
            lambda found: compare_seconds(found[2], expected),
            took_own,
        ),
        Contestant(
            "networkx",
            "single_source_dijkstra_path_length(cutoff)",
            lambda: nx.single_source_dijkstra_path_length(made, one, cutoff=limit_s),
            lambda found: compare_seconds(
                np.array([found[node] for node in np.flatnonzero(np.isfinite(dense)).tolist()]), expected
            ),
            took,
        ),
    ]
    title = f"junctions within 2 minutes of one, {len(expected)} of them (best for networkx)"
    return run_race("best for networkx", field.label, title, contestants, rounds=field.rounds)


def _trips(field: Field) -> Race:
    """Ask for the times of single trips, which a contraction hierarchy is made for."""
    contracted, took = field.pandana()
    graph, took_own = field.own()
    matrix, _ = field.matrix()
    rng = np.random.default_rng(3)
    starts, ends = rng.choice(field.graph.size, (2, 2000))
    starts = starts[:40].repeat(50)
    different, row = np.unique(starts, return_inverse=True)
    expected = dijkstra(matrix, indices=different)[row, ends]

    def own() -> Array:
        indptr, nodes, seconds = graph.within(different, np.inf)
        found = np.full(len(ends), np.inf)
        for one in range(len(different)):
            line = slice(indptr[one], indptr[one + 1])
            mine = np.flatnonzero(row == one)
            place = np.searchsorted(nodes[line], ends[mine])
            found[mine] = seconds[line][place]
        return found

    contestants = [
        Contestant(
            "lifecircle",
            "TravelGraph.within(limit = inf) from every start: not what it is for",
            own,
            lambda found: compare_seconds(found, expected),
            took_own,
        ),
        Contestant(
            "scipy",
            "csgraph.dijkstra from every start, dense",
            lambda: dijkstra(matrix, indices=different)[row, ends],
            lambda found: compare_seconds(found, expected),
        ),
        Contestant(
            "pandana",
            "shortest_path_lengths, all threads",
            lambda: np.array(contracted.shortest_path_lengths(ends, starts)),
            lambda found: compare_seconds(found, expected),
            took,
        ),
    ]
    title = f"times of {len(starts)} single trips from {len(different)} starts (best for pandana)"
    return run_race("best for pandana", field.label, title, contestants, rounds=field.rounds)


# ---------------------------------------------------------------------------------------------------------
# Agreement


def _compare_rows(found: tuple[Array, Array, Array], expected: tuple[Array, Array, Array]) -> Agreement:
    """Compare as many rows as the reference has, or as were found."""
    rows = min(len(found[0]), len(expected[0])) - 1
    ours, theirs = int(found[0][rows]), int(expected[0][rows])
    if not np.array_equal(found[0][: rows + 1], expected[0][: rows + 1]) or not np.array_equal(
        found[1][:ours], expected[1][:theirs]
    ):
        off = abs(ours - theirs)
        return Agreement(
            WRONG if off > 1e-3 * theirs else "rounded", f"{ours} pairs where {theirs} are right"
        )
    agreement = compare_seconds(found[2][:ours], expected[2][:theirs])
    return Agreement(agreement.kind, f"{agreement.text} in {rows} rows")


def _compare_sets(found: list[Any], expected: tuple[Array, Array, Array]) -> Agreement:
    rows = min(len(found), len(expected[0]) - 1)
    same = all(
        set(found[row]) == set(expected[1][expected[0][row] : expected[0][row + 1]].tolist())
        for row in range(rows)
    )
    return Agreement(EXACT if same else WRONG, f"{'equal' if same else 'other'} junctions in {rows} rows")


def _compare_ranked(found: Array, field: Field) -> Agreement:
    """Compare a few junctions' ranks with scipy's dense times from every source."""
    some = np.linspace(0, field.graph.size - 1, 200).astype(np.int64)
    turned = field.matrix()[0].T.tocsr()
    dense = dijkstra(turned, indices=some, limit=LIMIT_S)[:, field.sources]
    expected = np.sort(dense, axis=1)[:, :RANKS]
    agreement = compare_seconds(found[some], expected)
    return Agreement(agreement.kind, f"{agreement.text} at {len(some)} junctions (scipy)")


def _rows_of(found: list[dict[int, float]]) -> tuple[Array, Array, Array]:
    nodes, seconds = [], []
    for lengths in found:
        row = np.fromiter(lengths, np.int64, len(lengths))
        order = np.argsort(row)
        nodes.append(row[order])
        seconds.append(np.fromiter(lengths.values(), float, len(lengths))[order])
    return (
        np.r_[0, np.cumsum([len(row) for row in nodes])],
        np.concatenate(nodes),
        np.concatenate(seconds),
    )


def _rows_of_frame(found: Any, sources: list[int]) -> tuple[Array, Array, Array]:
    """Read pandana's table of pairs, in the order of the sources."""
    place = {source: row for row, source in enumerate(sources)}
    row = found["source"].map(place).to_numpy()
    node, seconds = found["destination"].to_numpy(), found.iloc[:, -1].to_numpy()
    order = np.lexsort((node, row))
    counts = np.bincount(row, minlength=len(sources))
    return np.r_[0, np.cumsum(counts)], node[order], seconds[order]


def _filled(found: dict[int, float], size: int) -> Array:
    times = np.full(size, np.inf)
    times[np.fromiter(found, np.int64, len(found))] = np.fromiter(found.values(), float, len(found))
    return times


def _percent(same: Array) -> str:
    share = float(same.mean()) if len(same) else 1.0
    return "all junctions" if share == 1.0 else f"{100 * share:.4f} % of junctions"
