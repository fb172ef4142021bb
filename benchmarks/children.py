"""Own what is measured in a process of its own: peak memory, warm memory of scipy, cold compiled code.

``measure(...)`` starts ``python -m benchmarks.children TASK ...`` and reads the JSON line it prints.
"""
# ruff: noqa: PLC0415 - peers are optional, and a process pays only for what it measures

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import ROOT, load_graph

LIMIT_S = 900.0
WARM = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**62), "MALLOC_TOP_PAD_": str(2**20)}
"""Makes the GNU C library to keep the memory of a freed block for the next one."""


_LAUNCHER = """
import json, os, sys, time
begin = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(json.dumps({
    "wall_s": time.perf_counter() - begin,
    "used_s": usage.ru_utime + usage.ru_stime,
    "peak_mb": usage.ru_maxrss / 1024,
    "status": os.waitstatus_to_exitcode(status),
}))
"""
"""A bare interpreter between us and the child: on Linux a child inherits the peak of who started it."""


def measure(
    task: str, *arguments: object, environment: dict[str, str] | None = None, argv: list[str] | None = None
) -> dict[str, Any]:
    """Run a task in a child and give what it printed, with the child's wall seconds and peak memory.

    Parameters
    ----------
    argv : another command than a task of this module
    """
    command = argv or [sys.executable, "-m", "benchmarks.children", task, *map(str, arguments)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *results, usage = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if usage["status"]:
        raise RuntimeError(f"{task} ended with {usage['status']}: {' '.join(command)}")
    return {**(results[-1] if results else {}), **usage}


def memory(folder: Path, contestants: list[str]) -> list[dict[str, Any]]:
    """Measure the peak of one search per process, from arrays on disk."""
    return [{"name": name, **measure("nearest", folder, name)} for name in contestants]


def cold_start(*, rounds: int) -> dict[str, float]:
    """Measure a process that imports the package and searches once: no compiled code, kept code, scipy.

    Returns
    -------
    median wall seconds of each: ``empty cache``, ``warm cache``, ``scipy engine``
    """
    with tempfile.TemporaryDirectory() as kept:
        cache = {"NUMBA_CACHE_DIR": kept}
        measure("start", "ring", environment=cache)
        found: dict[str, list[float]] = {"empty cache": [], "warm cache": [], "scipy engine": []}
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as empty:
                first = measure("start", "ring", environment={"NUMBA_CACHE_DIR": empty})
            found["empty cache"].append(first["wall_s"])
            found["warm cache"].append(measure("start", "ring", environment=cache)["wall_s"])
            found["scipy engine"].append(measure("start", "scipy", environment=cache)["wall_s"])
    return {name: float(np.median(walls)) for name, walls in found.items()}


def _start(engine: str) -> dict[str, Any]:
    """Answer the three questions once on a graph of four junctions."""
    import lifecircle as lc

    graph = lc.TravelGraph([0, 1, 2, 3, 3], [1, 2, 3], [1.0, 1.0, 1.0], engine=engine)
    graph.nearest([0])
    graph.within([0], 2.0)
    graph.nearest_k([0, 1], 2)
    return {}


def _nearest(folder: str, name: str) -> dict[str, Any]:
    """Search once, and return how much was resident before."""
    graph = load_graph(Path(folder))
    sources = np.random.default_rng(1).choice(graph.size, min(500, graph.size // 4), replace=False)
    answer = {"lifecircle": _own_answer, "scipy": _scipy_answer}.get(name, _peer_answer)
    loaded = _resident_mb()
    begin = time.perf_counter()
    answer(name, graph, sources, Path(folder))
    return {"solve_s": time.perf_counter() - begin, "loaded_mb": loaded}


def _own_answer(_: str, graph: Any, sources: Any, __: Path) -> Any:
    import lifecircle as lc

    return lc.TravelGraph(*graph).nearest(sources, LIMIT_S)


def _scipy_answer(_: str, graph: Any, sources: Any, __: Path) -> Any:
    from scipy.sparse.csgraph import dijkstra

    from benchmarks import peers

    return dijkstra(
        peers.scipy_matrix(graph), indices=sources, min_only=True, limit=LIMIT_S, return_predecessors=True
    )


def _peer_answer(name: str, graph: Any, sources: Any, folder: Path) -> Any:
    from benchmarks import peers

    if name == "networkx":
        import networkx as nx

        return nx.multi_source_dijkstra_path_length(
            peers.networkx_graph(graph), sources.tolist(), cutoff=LIMIT_S
        )
    if name == "igraph":
        return peers.igraph_seconds(peers.igraph_graph(graph, sources))
    xy = np.load(folder / "xy.npy")
    made = peers.pandana_network(xy, graph)
    peers.pandana_places(made, xy, sources, limit_s=LIMIT_S, most=1)
    return peers.pandana_nearest(made, limit_s=LIMIT_S, k=1)


def _within_warm(folder: str, many: str, rounds: str) -> dict[str, Any]:
    """Time scipy in dense blocks beside the package where freed memory is kept, interleaved."""
    import lifecircle as lc
    from benchmarks import peers
    from benchmarks.searches import scipy_rows
    from benchmarks.timing import clocked

    graph = load_graph(Path(folder))
    chosen = np.random.default_rng(2).choice(graph.size, int(many), replace=False)
    matrix, own = peers.scipy_matrix(graph), lc.TravelGraph(*graph)
    scipy_rows(matrix, chosen[:50])
    own.within(chosen, LIMIT_S)
    took: dict[str, list[float]] = {"scipy": [], "lifecircle": []}
    for _ in range(int(rounds)):
        took["scipy"].append(clocked(lambda: scipy_rows(matrix, chosen))[1])
        took["lifecircle"].append(clocked(lambda: own.within(chosen, LIMIT_S))[1])
    ratios = np.array(took["scipy"]) / np.array(took["lifecircle"])
    return {
        "scipy_s": float(np.median(took["scipy"])),
        "lifecircle_s": float(np.median(took["lifecircle"])),
        "ratio": float(np.median(ratios)),
    }


def _greedy(residents: str, sites: str) -> dict[str, Any]:
    """Choose from a large county without searching."""
    from benchmarks.siting import greedy

    return {"row": asdict(greedy(int(residents), int(sites)))}


def _uniform(residents: str) -> dict[str, Any]:
    """Prove the uniform instances of one size."""
    from benchmarks.siting import slowest_uniform

    return {"row": asdict(slowest_uniform(int(residents)))}


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_TASKS = {
    "greedy": _greedy,
    "nearest": _nearest,
    "start": _start,
    "uniform": _uniform,
    "within-warm": _within_warm,
}

if __name__ == "__main__":
    print(json.dumps(_TASKS[sys.argv[1]](*sys.argv[2:])))
