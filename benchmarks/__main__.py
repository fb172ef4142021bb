"""Measure everything and write docs/performance.md.

    python -m benchmarks                 the full run: some 15 minutes on two quiet cores
    python -m benchmarks --quick         small networks and a small county, written to --out: some 3 minutes
    python -m benchmarks --quick --alone only the package, scipy and compiled yardsticks: seconds
    python -m benchmarks --siting        the race of choosing sites alone, the other figures kept
    python -m benchmarks --county        the audit of a county alone, the other figures kept
    python -m benchmarks --page          write the page again from benchmarks/results.json

With --out, page and results go to that folder.

Run it from the root of the repository, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import children, peers
from benchmarks.atlas_page import kept_section
from benchmarks.county import County, race_county
from benchmarks.machine import describe_machine, describe_peers
from benchmarks.networks import (
    ROOT,
    in_hilbert_order,
    real_files,
    real_network,
    road_like,
    save_graph,
)
from benchmarks.page import write_page
from benchmarks.pictures import draw_pictures
from benchmarks.repairs import race_repairs
from benchmarks.results import Results
from benchmarks.searches import (
    MANY_JUNCTIONS,
    WALKING_SOURCES,
    Field,
    race_best,
    race_nearest,
    race_ranked,
    race_within,
)
from benchmarks.siting import race_siting
from benchmarks.snapping import race_snapping
from benchmarks.timing import say

if TYPE_CHECKING:
    from benchmarks.networks import Array, Network

MEMORY_PEERS = ("networkx", "igraph", "pandana")
KEPT = ROOT / "benchmarks" / "results.json"


@dataclass(frozen=True)
class Plan:
    """What a run measures.

    ``sizes`` in junctions, (points, edges) to snap, (edges, residents) of the county, and (residents, sites)
    of the three instances that sites are chosen on.
    """

    sizes: tuple[int, ...]
    real: bool
    snapping: tuple[tuple[int, int], ...]
    county: tuple[int, int] | None
    siting: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    rounds: int
    alone: bool = False
    children: bool = True


FULL = Plan(
    sizes=(100_000, 1_000_000, 4_000_000),
    real=True,
    snapping=((30_000, 60_000), (1_000_000, 1_000_000)),
    county=(60_000, 30_000),
    siting=((5_000, 500), (30_000, 2_000), (1_000_000, 10_000)),
    rounds=5,
)
QUICK = Plan(
    sizes=(5_000,),
    real=True,
    snapping=((1_000, 5_000),),
    county=(6_000, 3_000),
    siting=((600, 120), (2_000, 300), (20_000, 1_000)),
    rounds=2,
)
ALONE = Plan(
    sizes=(2_000,),
    real=False,
    snapping=((200, 1_000),),
    county=None,
    siting=((400, 80), (600, 100), (2_000, 200)),
    rounds=2,
    alone=True,
    children=False,
)


def measure(plan: Plan, scratch: Path) -> Results:
    """Measure everything a plan asks for."""
    begin = time.perf_counter()
    results = Results(describe_machine(), describe_peers())
    here = {} if plan.alone else peers.installed()
    if plan.children:
        say("first run ever")
        results.cold = children.cold_start(rounds=3)
    if plan.county is not None:
        results.county = _race_county(plan.county, scratch, here)
    for points, edges in plan.snapping:
        rounds = plan.rounds if points <= 100_000 else 1
        results.races.append(race_snapping(points=points, edges=edges, rounds=rounds))
    results.siting = race_siting(plan.siting, alone=plan.alone)
    if plan.real:
        for name, path in real_files().items():
            network = real_network(name, path)
            results.networks.append(network.describe())
            field = Field(network, "walk", rounds=plan.rounds, sources=50, alone=plan.alone)
            results.races.append(race_nearest(field))
    for junctions in plan.sizes:
        _measure_size(junctions, plan, results, scratch)
    results.took_s = time.perf_counter() - begin
    return results


def _race_county(size: tuple[int, int], scratch: Path, here: dict[str, str]) -> County:
    edges, residents = size
    return race_county(scratch / "county", edges=edges, residents=residents, rounds=3, here=here)


def _measure_size(junctions: int, plan: Plan, results: Results, scratch: Path) -> None:
    """Run every race on a synthetic network of a size."""
    from_file = road_like(junctions)
    network, number = in_hilbert_order(from_file)
    results.networks.append(network.describe())
    _race_drive(network, (from_file, number), plan, results)
    if junctions <= MANY_JUNCTIONS:
        walk = Field(network, "walk", rounds=plan.rounds, alone=plan.alone)
        if junctions <= 100_000:
            results.races.append(race_nearest(walk))
        results.races.append(race_within(walk, sources=WALKING_SOURCES, peers_too=not plan.alone))
        del walk
    if plan.children:
        _measure_children(network, results, scratch, big=junctions >= 1_000_000)


def _race_drive(network: Network, file_order: tuple[Network, Array], plan: Plan, results: Results) -> None:
    field = Field(network, "drive", rounds=plan.rounds, alone=plan.alone)
    results.races.append(race_nearest(field, file_order=file_order))
    if network.size > MANY_JUNCTIONS:
        return
    results.races.append(race_repairs(field))
    results.races.append(race_ranked(field))
    results.races.append(race_within(field, sources=500, peers_too=not plan.alone))
    if network.size <= 100_000:
        results.races += race_best(field)


def _measure_children(network: Network, results: Results, scratch: Path, *, big: bool) -> None:
    """Measure peaks of memory, and scipy with freed memory kept, in processes of their own."""
    kept = {mode: save_graph(graph, scratch / mode) for mode, graph in network.modes.items()}
    np.save(kept["drive"] / "xy.npy", network.xy)
    here = peers.installed()
    others = [] if big else [name for name in MEMORY_PEERS if name in here]
    say(f"memory ({network.name})")
    results.memory[network.name] = children.memory(kept["drive"], ["lifecircle", "scipy", *others])
    if network.name == "1 M":
        say("scipy with freed memory kept (1 M)")
        for mode, many in (("drive", 500), ("walk", WALKING_SOURCES)):
            results.warm[mode] = children.measure(
                "within-warm", kept[mode], many, 1, environment=children.WARM
            )


def write(results: Results, docs: Path) -> Path:
    """Write the page and its pictures to a folder."""
    docs.mkdir(parents=True, exist_ok=True)
    pictures = draw_pictures(results, docs / "pictures")
    page = docs / "performance.md"
    of_the_map = kept_section(page)
    page.write_text(
        write_page(results, pictures=pictures) + (f"\n{of_the_map}" if of_the_map else ""), "utf-8"
    )
    return page


def main() -> None:
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="small networks; the page goes to --out")
    parser.add_argument(
        "--alone", action="store_true", help="no peers but scipy, no child processes (with --quick)"
    )
    parser.add_argument("--page", action="store_true", help="write the page again, measure nothing")
    parser.add_argument(
        "--siting", action="store_true", help="measure the choice of sites again, and nothing else"
    )
    parser.add_argument(
        "--county", action="store_true", help="measure the audit of a county again, and nothing else"
    )
    parser.add_argument(
        "--out", type=Path, help="folder of page and results; left out, docs, or for --quick a new one"
    )
    options = parser.parse_args()
    if options.alone and not options.quick:
        parser.error("--alone goes with --quick")
    docs = options.out or (Path(tempfile.mkdtemp(prefix="performance-")) if options.quick else ROOT / "docs")
    kept = docs / "results.json" if options.quick or options.out else KEPT
    if options.page or options.siting or options.county:
        results = Results.load(kept)
        if options.siting:
            results.siting = race_siting(FULL.siting, alone=False)
            results.save(kept)
        if options.county and FULL.county is not None:
            with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
                results.county = _race_county(FULL.county, Path(scratch), peers.installed())
            results.save(kept)
    else:
        plan = (ALONE if options.alone else QUICK) if options.quick else FULL
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
            results = measure(plan, Path(scratch))
        docs.mkdir(parents=True, exist_ok=True)
        results.save(kept)
    print(write(results, docs))


if __name__ == "__main__":
    main()
