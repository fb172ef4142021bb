"""Own how each peer is handed a graph and asked; every peer is optional but scipy.

All answers are outward from the sources along the edges. A peer that answers from junctions to places is
handed the edges turned round. What a peer needs once (its build) is apart from what it does per question.
"""
# ruff: noqa: PLC0415 - peers are optional, and a process pays only for what it measures

from __future__ import annotations

import contextlib
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.networks import Graph

    Array = np.ndarray[Any, Any]

PACKAGES = {
    "lifecircle": "lifecircle",
    "scipy": "scipy",
    "networkx": "networkx",
    "igraph": "python-igraph",
    "pandana": "pandana",
    "cityseer": "cityseer",
    "osmnx": "osmnx",
    "shapely": "shapely",
}
"""Name of each contestant and the distribution it comes in."""


def installed() -> dict[str, str]:
    """Give the version of each peer that is installed."""
    found = {}
    for name, package in PACKAGES.items():
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(package)
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep compiled code from writing to the output."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def scipy_matrix(graph: Graph) -> Any:
    """Hand the edges to scipy."""
    from scipy.sparse import csr_array

    return csr_array((graph.seconds, graph.indices, graph.indptr), shape=(graph.size, graph.size))


def networkx_graph(graph: Graph) -> Any:
    """Hand the edges to networkx, one by one as it wants them."""
    import networkx as nx

    made = nx.DiGraph()
    made.add_nodes_from(range(graph.size))
    made.add_weighted_edges_from(
        zip(graph.tails.tolist(), graph.indices.tolist(), graph.seconds.tolist(), strict=True)
    )
    return made


def igraph_graph(graph: Graph, sources: Array) -> Any:
    """Hand the edges to igraph, with one more vertex that leads to every source in no time."""
    import igraph

    extra = np.column_stack([np.full(len(sources), graph.size), sources])
    edges = np.concatenate([np.column_stack([graph.tails, graph.indices]), extra])
    made = igraph.Graph(n=graph.size + 1, edges=edges, directed=True)
    made.es["weight"] = np.r_[graph.seconds, np.zeros(len(sources))]
    return made


def igraph_seconds(made: Any) -> Array:
    """Ask igraph for the times from its last vertex to all."""
    found = made.distances(source=[made.vcount() - 1], weights="weight", mode="out")
    return np.array(found[0][:-1])


def pandana_network(xy: Array, graph: Graph, *, outward: bool = False) -> Any:
    """Let pandana contract the graph; edges turned round unless it is asked outward."""
    import pandana
    import pandas as pd

    tail, head = graph.tails.astype(np.int64), graph.indices.astype(np.int64)
    if not outward:
        tail, head = head, tail
    with quiet():
        return pandana.Network(
            pd.Series(xy[:, 0]),
            pd.Series(xy[:, 1]),
            pd.Series(tail),
            pd.Series(head),
            pd.DataFrame({"seconds": graph.seconds}),
            twoway=False,
        )


def pandana_places(made: Any, xy: Array, sources: Array, *, limit_s: float, most: int) -> None:
    """Give pandana the sources."""
    import pandas as pd

    made.set_pois("source", limit_s, most, pd.Series(xy[sources, 0]), pd.Series(xy[sources, 1]))


def pandana_nearest(made: Any, *, limit_s: float, k: int) -> Array:
    """Ask pandana for the times to the k nearest sources: (junction, k), the limit where there are fewer."""
    return made.nearest_pois(limit_s, "source", num_pois=k).to_numpy()


def pandana_seconds(found: Array, *, limit_s: float) -> Array:
    """Take pandana's limit for what it means: nothing found."""
    return np.where(found >= limit_s, np.inf, found)


def cityseer_network(xy: Array, graph: Graph, *, speed_ms: float) -> Any:
    """Hand a walking graph to cityseer: each edge a line with a bend that makes it as long as it is."""
    from cityseer.rustalgos import graph as rust

    made = rust.NetworkStructure()
    for junction, (x, y) in enumerate(xy.tolist()):
        made.add_street_node(str(junction), x, y, live=True, weight=1.0)
    start, end = xy[graph.tails], xy[graph.indices]
    chord = end - start
    straight_m = np.hypot(*chord.T)
    length_m = graph.seconds * speed_ms
    aside = np.sqrt(np.maximum(length_m**2 - straight_m**2, 0.0)) / 2.0
    bend = (start + end) / 2.0 + np.column_stack([-chord[:, 1], chord[:, 0]]) * (aside / straight_m)[:, None]
    ends = zip(graph.tails.tolist(), graph.indices.tolist(), strict=True)
    points = np.column_stack([start, bend, end]).tolist()
    for number, ((tail, head), (x0, y0, x1, y1, x2, y2)) in enumerate(zip(ends, points, strict=True)):
        line = f"LINESTRING ({x0} {y0}, {x1} {y1}, {x2} {y2})"
        made.add_street_edge(tail, head, number, str(tail), str(head), line)
    made.validate()
    made.build_edge_rtree()
    return made


def cityseer_places(made: Any, xy: Array, sources: Array) -> Any:
    """Give cityseer the sources."""
    from cityseer.rustalgos import data

    places = data.DataMap()
    places.progress_init()
    for position, (x, y) in enumerate(xy[sources].tolist()):
        places.insert(str(position), f"POINT ({x} {y})")
    places.assign_data_to_network(made, 50.0, 8)
    return places


def cityseer_seconds(made: Any, places: Any, sources: Array, *, limit_s: float, speed_ms: float) -> Array:
    """Ask cityseer for the time from each junction to the nearest source."""
    reach_m = round(limit_s * speed_ms)
    found = places.accessibility(
        made,
        {str(position): "source" for position in range(len(sources))},
        ["source"],
        distances=[reach_m],
        speed_m_s=speed_ms,
        pbar_disabled=True,
    )
    metres = np.asarray(found.result["source"].distance[reach_m])
    return np.where(np.isfinite(metres), metres / speed_ms, np.inf)
