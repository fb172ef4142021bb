"""Measure walks on the synthetic network, well enough to choose sites; the package measures them exactly.

A walk runs from the junction nearest to one place to the junction nearest to another, plus both straight
ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from county.network import Network

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

NOT_WALKED = ("motorway", "motorway_link")
STEP_M = 55.0


@dataclass(frozen=True)
class Walks:
    """The walking graph with a junction every 55 m: the nearest one stands in for a place on a street."""

    graph: Any
    xy: Floats
    tree: Any
    main: NDArray[np.bool_]

    def around(self, xy: Floats, margin_m: float) -> Walks:
        """Cut out the part of the graph in the box of some places, widened by a margin."""
        low, high = xy.min(axis=0) - margin_m, xy.max(axis=0) + margin_m
        keep = np.nonzero(((self.xy >= low) & (self.xy <= high)).all(axis=1))[0]
        return Walks(self.graph[keep][:, keep], self.xy[keep], cKDTree(self.xy[keep]), self.main[keep])

    def snapped(self, xy: Floats) -> tuple[Ints, Floats]:
        """Find the nearest junction of each place (n, 2) and the distance to it (m)."""
        gap, node = self.tree.query(xy)
        return node, gap

    def metres(self, sources: Floats, places: Floats, *, limit_m: float = np.inf) -> Floats:
        """Measure from each place the walk to its nearest source: (place,), inf where there is none."""
        if not len(sources):
            return np.full(len(places), np.inf)
        start, start_gap = self.snapped(sources)
        node, gap = self.snapped(places)
        size = self.graph.shape[0]
        extra = coo_matrix(
            (np.maximum(start_gap, 0.01), (np.full(len(start), size), start)), shape=(size + 1, size + 1)
        )
        wide = self.graph.copy()
        wide.resize((size + 1, size + 1))
        reached = dijkstra((wide + extra.tocsr()).tocsr(), directed=True, indices=size, limit=limit_m)
        return reached[node] + gap

    def from_each(self, sources: Floats, places: Floats, *, limit_m: float) -> Floats:
        """Measure every walk: (source, place), inf beyond the limit."""
        start, start_gap = self.snapped(sources)
        node, gap = self.snapped(places)
        walks = np.empty((len(sources), len(places)))
        for first in range(0, len(sources), 64):
            part = slice(first, first + 64)
            walks[part] = dijkstra(self.graph, directed=True, indices=start[part], limit=limit_m)[:, node]
        return walks + start_gap[:, None] + gap[None, :]


def walks_on(network: Network) -> Walks:
    """Build the walking graph: every street but the expressway's, both ways, cut into short pieces."""
    used = ~np.isin(network.highway, NOT_WALKED)
    lines, uv, length = network.lines[used], network.uv[used], network.length_m[used]
    pieces = np.maximum(1, np.round(length / STEP_M)).astype(int)
    inner = pieces - 1
    edge = np.repeat(np.arange(len(lines)), inner)
    first = np.cumsum(inner) - inner
    share = (np.arange(len(edge)) - first[edge] + 1) / pieces[edge]
    between = shapely.get_coordinates(shapely.line_interpolate_point(lines[edge], share, normalized=True))
    base = len(network.xy)
    chain_edge = np.repeat(np.arange(len(lines)), pieces)
    start = np.cumsum(pieces) - pieces
    step = np.arange(len(chain_edge)) - start[chain_edge]
    number = base + first[chain_edge] + step
    tail = np.where(step == 0, uv[chain_edge, 0], number - 1)
    head = np.where(step == pieces[chain_edge] - 1, uv[chain_edge, 1], number)
    xy = np.concatenate([network.xy, between])
    weight = (length / pieces)[chain_edge]
    order = np.lexsort((weight, np.maximum(tail, head), np.minimum(tail, head)))
    low, high = np.minimum(tail, head)[order], np.maximum(tail, head)[order]
    fresh = np.ones(len(low), dtype=bool)
    fresh[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    low, high, weight = low[fresh], high[fresh], weight[order][fresh]
    size = len(xy)
    graph = coo_matrix(
        (np.r_[weight, weight], (np.r_[low, high], np.r_[high, low])), shape=(size, size)
    ).tocsr()
    on_foot = np.zeros(size, dtype=bool)
    on_foot[low], on_foot[high] = True, True
    keep = np.nonzero(on_foot)[0]
    fragment = np.concatenate([network.fragment, np.zeros(len(between), dtype=bool)])
    return Walks(graph[keep][:, keep], xy[keep], cKDTree(xy[keep]), ~fragment[keep])
