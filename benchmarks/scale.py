"""Measure what a region costs: one graph of millions of junctions, and the reading of OpenStreetMap files.

    python -m benchmarks.scale graph 4000000    one graph from its edges, nearest of 8 services, peak
    python -m benchmarks.scale roads 1000000    the network with its lines: build, store, a part of it
    python -m benchmarks.scale pbf FILE...      MB a second and peak memory of each file
    python -m benchmarks.scale made 300000      the same of a file that is made of a network of that size
    python -m benchmarks.scale tasks STUDY      every task of a study that is split, and of it as one district

Each prints one line of JSON: wall seconds, seconds of the processor, the peak of the process and the load
of the machine. One at a time, on a machine that does nothing else; on one that is busy the seconds of the
processor say more than those of the wall.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import hilbert_place, road_like

SERVICES = 8
VENUES_PER_SERVICE = 2_500
PAIRS_WITHIN_S = 900.0
CHECKED = 3
"""Venues whose whole search is compared with scipy, on the same graph."""


def peak_mb() -> float:
    """Give the most memory this process ever held: as the system counts it, where it does."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Clock:
    """Wall seconds and seconds of the processor since it was started."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def facts(self, name: str) -> dict[str, float]:
        """Give both under a name."""
        return {
            f"{name}_s": round(time.perf_counter() - self.wall, 2),
            f"{name}_cpu_s": round(time.process_time() - self.cpu, 2),
        }


def measure_graph(junctions: int) -> dict[str, Any]:
    """Build one graph from a table of edges, and search the nearest venue of 8 services from every junction.

    The edges come as a reader gives them: in no order, both directions of a street once.
    """
    import lifecircle as lc  # noqa: PLC0415 - the peak is then that of what is measured

    xy, tail, head, seconds = _edges(junctions)
    size = len(xy)
    before = peak_mb()
    clock = Clock()
    graph = graph_of(xy, tail, head, seconds)
    built = clock.facts("build")
    rng = np.random.default_rng(2026)
    sources = rng.integers(0, size, SERVICES * VENUES_PER_SERVICE).reshape(SERVICES, -1)
    graph.nearest(sources[0][:10])  # the loops are compiled, which is not what is measured
    clock = Clock()
    found = [graph.nearest(mine)[0] for mine in sources]
    searched = clock.facts("nearest_8")
    graph.within(sources[0][:2], 10.0)
    clock = Clock()
    _, nodes, _ = graph.within(sources[0], PAIRS_WITHIN_S)
    paired = {**clock.facts("pairs"), "pairs": len(nodes)}
    del lc
    return {
        "task": "graph",
        "junctions": size,
        "edges": len(tail),
        **built,
        **searched,
        **paired,
        "peak_mb": round(peak_mb()),
        "peak_of_input_mb": round(before),
        "reached": round(float(np.mean([np.isfinite(one).mean() for one in found])), 4),
        "agrees_with_scipy": _agrees(graph, sources[0][:CHECKED]),
        "load": round(os.getloadavg()[0], 1),
    }


def graph_of(xy: Any, tail: Any, head: Any, seconds: Any) -> Any:
    """Build the graph from edges in any order, junctions numbered along a Hilbert curve as Roads has them."""
    import lifecircle as lc  # noqa: PLC0415 - as above

    size = len(xy)
    number = np.empty(size, np.int64)
    number[np.argsort(hilbert_place(xy), kind="stable")] = np.arange(size)
    tail, head = number[tail], number[head]
    order = np.argsort(tail, kind="stable")
    indptr = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=size), out=indptr[1:])
    return lc.TravelGraph(indptr, head[order], seconds[order])


def _edges(junctions: int) -> tuple[Any, Any, Any, Any]:
    """Give the junctions and the edges of a road-like network, shuffled."""
    network = road_like(junctions)
    graph = network.modes["walk"] if "walk" in network.modes else next(iter(network.modes.values()))
    shuffled = np.random.default_rng(1).permutation(len(graph.indices))
    return network.xy, graph.tails[shuffled], graph.indices[shuffled], graph.seconds[shuffled]


def _agrees(graph: Any, sources: Any) -> bool:
    """Return whether scipy finds the same seconds from a few sources, to 1e-9 of them."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - as above
    from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - as above

    size = len(graph.indptr) - 1
    matrix = csr_array((graph.seconds, graph.indices, graph.indptr), shape=(size, size))
    expected = dijkstra(matrix, indices=sources, min_only=True)
    return bool(np.allclose(graph.nearest(sources)[0], expected, rtol=1e-9))


def measure_roads(junctions: int) -> dict[str, Any]:
    """Build Roads from lines, keep them as a store, and read a part of a ninetieth of it."""
    import geopandas as gpd  # noqa: PLC0415 - as above
    import shapely  # noqa: PLC0415 - as above

    from lifecircle.roads import (  # noqa: PLC0415 - as above
        edges_near,
        read_roads,
        write_road_part,
        write_road_store,
    )

    network = road_like(junctions)
    graph = network.modes["walk"] if "walk" in network.modes else next(iter(network.modes.values()))
    once = graph.tails < graph.indices
    ends = np.stack([network.xy[graph.tails[once]], network.xy[graph.indices[once]]], axis=1)
    ends += (500_000.0 - ends[..., 0].mean(), 3_380_000.0 - ends[..., 1].mean())
    table = gpd.GeoDataFrame(
        {"highway": np.full(len(ends), "residential")}, geometry=shapely.linestrings(ends), crs="EPSG:4549"
    )
    clock = Clock()
    roads = read_roads(table, mode="walk", crs="EPSG:4549")
    built = clock.facts("build")
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        store = write_road_store(roads, Path(folder) / "walk")
        stored = clock.facts("store")
        west, south, east, north = shapely.total_bounds(roads.lines)
        side = ((east - west) * (north - south) / 90) ** 0.5 / 2
        x, y = (west + east) / 2, (south + north) / 2
        area = shapely.box(x - side, y - side, x + side, y + side)
        write_road_part(Path(folder) / "a.roadpart", [(roads, edges_near(roads, area, 3_000.0), store)])
        size = sum(one.stat().st_size for one in store.iterdir())
        peak = peak_mb()
        clock = Clock()
        part = read_roads(Path(folder) / "a.roadpart", mode="walk")
        read = clock.facts("part")
    return {
        "task": "roads",
        "junctions": len(roads.xy),
        "edges": len(roads.u),
        **built,
        **stored,
        "store_mb": round(size / 2**20, 1),
        "part_edges": len(part.u),
        **read,
        "peak_mb": round(peak),
        "load": round(os.getloadavg()[0], 1),
    }


def measure_pbf(path: Path) -> dict[str, Any]:
    """Read an OpenStreetMap file for walking."""
    from lifecircle.roads import read_roads  # noqa: PLC0415 - as above

    clock = Clock()
    roads = read_roads(path, mode="walk")
    took = clock.facts("read")
    size = path.stat().st_size / 1e6
    return {
        "task": "pbf",
        "file": path.name,
        "mb": round(size, 2),
        "junctions": len(roads.xy),
        "edges": len(roads.u),
        **took,
        "mb_per_cpu_s": round(size / max(took["read_cpu_s"], 0.01), 3),
        "peak_mb": round(peak_mb()),
        "load": round(os.getloadavg()[0], 1),
    }


def measure_made(junctions: int) -> dict[str, Any]:
    """Write a network as an OpenStreetMap file, streets of some ten junctions each, and read it.

    The file is written by a process of its own, so that the peak is that of the reading.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"made-{junctions}.osm.pbf"
        command = [sys.executable, "-m", "benchmarks.scale", "write", str(junctions), str(path)]
        subprocess.run(command, check=True)
        return {**measure_pbf(path), "task": "made"}


def write_pbf(junctions: int, path: Path) -> None:
    """Write a road-like network as OpenStreetMap has roads: ways along a line of the lattice, with a bend."""
    import osmium  # noqa: PLC0415 - as above

    network = road_like(junctions)
    graph = network.modes["walk"]
    once = graph.tails < graph.indices
    tail, head = graph.tails[once], graph.indices[once]
    lon = 120.0 + (network.xy[:, 0] - network.xy[:, 0].mean()) / 96_000
    lat = 30.0 + (network.xy[:, 1] - network.xy[:, 1].mean()) / 111_000
    rng = np.random.default_rng(3)
    bends = 3  # a road of OpenStreetMap has three vertices or so between two junctions
    header = osmium.io.Header()
    header.set("sorting", "Type_then_ID")  # as extracts state it, so that the order is not looked at first
    writer = osmium.SimpleWriter(str(path), header=header)
    try:
        for number, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True), 1):
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(x, y)))
        extra = len(lon) + 1
        for u, v in zip(tail.tolist(), head.tolist(), strict=True):
            for step in range(1, bends + 1):
                share = step / (bends + 1)
                place = (
                    lon[u] + share * (lon[v] - lon[u]) + rng.normal(0, 4e-5),
                    lat[u] + share * (lat[v] - lat[u]) + rng.normal(0, 4e-5),
                )
                writer.add_node(osmium.osm.mutable.Node(id=extra, location=place))
                extra += 1
        first = len(lon) + 1
        for at, (u, v) in enumerate(zip(tail.tolist(), head.tolist(), strict=True)):
            inner = range(first + bends * at, first + bends * (at + 1))
            tags = {"highway": "residential" if at % 3 else "tertiary", "name": f"Road {at % 5000}"}
            writer.add_way(osmium.osm.mutable.Way(id=at + 1, nodes=[u + 1, *inner, v + 1], tags=tags))
    finally:
        writer.close()


def measure_tasks(study: Path) -> dict[str, Any]:
    """Split a study by its districts, and once more as if it were one district; nothing is kept from before.

    Returns what each task took (``tasks``) and how much room its run and its partitions take (``disk``).
    """
    found: dict[str, Any] = {"task": "tasks", "tasks": [], "disk": []}
    with tempfile.TemporaryDirectory() as place:
        for name in ("districts", "whole"):
            copy = Path(shutil.copytree(study, Path(place) / name))
            if name == "whole":
                _as_one_district(copy)
            for key, rows in _split(copy, Path(place) / f"out-{name}").items():
                found[key] += rows
    return {**found, "load": round(os.getloadavg()[0], 1)}


def _split(study: Path, out: Path) -> dict[str, list[dict[str, Any]]]:
    code = (
        "import sys; from pathlib import Path; from lifecircle.batch import BatchOrder, run_batch\n"
        "study, out = map(Path, sys.argv[1:])\n"
        "run_batch(BatchOrder((study,), out=out, split=True, solve='districts', pool=1))"
    )
    environment = {**os.environ, "LIFECIRCLE_CACHE": str(out.with_suffix(".cache"))}
    subprocess.run([sys.executable, "-c", code, str(study), str(out)], check=True, env=environment)
    tasks = json.loads((out / "batch.json").read_text("utf-8"))["tasks"]
    places = {
        one["id"]: [
            out / one["id"],
            *(out / kind / f"study={one['id']}" for kind in ("residents", "districts")),
        ]
        for one in tasks
    }
    sizes = {
        name: sum(path.stat().st_size for place in found for path in place.rglob("*") if path.is_file())
        for name, found in places.items()
    }
    return {
        "tasks": [
            {
                "residents": one["residents"],
                "roads": one["roads"],
                "s": round(one["seconds"], 1),
                "cpu_s": one["processor_seconds"],
                "peak_mb": one["peak_mb"],
            }
            for one in tasks
        ],
        "disk": [
            {"residents": one["residents"], "disk_mb": round(sizes[one["id"]] / 2**20, 2)} for one in tasks
        ],
    }


def _as_one_district(study: Path) -> None:
    """Make one district of all, and leave out the figures of the others."""
    import geopandas as gpd  # noqa: PLC0415 - as above
    import pandas as pd  # noqa: PLC0415 - as above

    towns = gpd.read_file(study / "towns.geojson")
    first = towns.drop(columns="geometry").iloc[:1]
    gpd.GeoDataFrame(first, geometry=[towns.union_all()], crs=towns.crs).to_file(study / "towns.geojson")
    for path in study.glob("indicators*.csv"):
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        if "district" in rows:
            rows[rows["district"].isin(["", first["code"].iloc[0]])].to_csv(path, index=False)


def main(words: list[str] | None = None) -> None:
    """Measure one thing and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("task", choices=["graph", "roads", "pbf", "made", "tasks", "write"])
    parser.add_argument("what", nargs="+")
    asked = parser.parse_args(words)
    if asked.task == "write":
        write_pbf(int(asked.what[0]), Path(asked.what[1]))
        return
    for one in asked.what:
        if asked.task in {"pbf", "tasks"}:
            found = {"pbf": measure_pbf, "tasks": measure_tasks}[asked.task](Path(one))
        else:
            tasks = {"graph": measure_graph, "roads": measure_roads, "made": measure_made}
            found = tasks[asked.task](int(one))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
