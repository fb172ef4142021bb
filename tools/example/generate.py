"""Make the synthetic county of Haiyan: the bundled example, or a larger one for benchmarks.

    python tools/example/generate.py [--out DIR] [--towns N] [--edges N] [--residents N] [--seed S]
    python tools/example/generate.py --compare FILE.graphml

The same options give the same bytes. Nothing made here is a survey: see README.md in data/geo/haiyan,
the folder that is written where no other is named.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from county import compare, design, faults, figures, files, network, people, plan, sites, venues, walking

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "geo" / "haiyan"
SEED, TOWNS, EDGES, RESIDENTS = 2025, 9, 56_000, 24_000


def generate(
    out: Path, *, towns: int = TOWNS, edges: int = EDGES, residents: int = RESIDENTS, seed: int = SEED
) -> None:
    """Write every file of the county into a folder.

    Parameters
    ----------
    towns : int
        Number of towns; the nine true names come first.
    edges, residents : int
        Wanted number of street edges (met within a few per cent) and of residents' places.
    """
    out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()

    def report(what: str) -> None:
        print(f"{time.perf_counter() - start:6.1f} s  {what}")

    county = plan.draw_plan(seed, towns=towns)
    report(f"plan: {len(county.units.codes)} villages and communities in {towns} towns")
    roads = network.build_network(county, seed, edges=edges)
    report(f"roads: {len(roads.uv)} edges, {len(roads.xy)} junctions, {int(roads.bridge.sum())} bridges")
    settled = people.settle(county, roads, seed, residents=residents)
    report(f"residents: {settled.people.sum()} people at {len(settled.people)} places")
    ground = venues.prepare(county, roads, settled, walking.walks_on(roads))
    register = venues.place_facilities(ground, seed)
    designed = design.design_villages(ground, register)
    planted = faults.plant(register, seed)
    report(f"facilities: {len(register.rows)} rows, {len(designed.rows)} designed villages")

    files.write_roads(roads, out)
    files.write_barriers(county, roads, out)
    ids = files.write_residents(county, settled, out)
    files.write_towns(county, out)
    files.write_around(county, out)
    files.write_villages(county, settled, designed.committee, out, seed)
    files.write_facilities(register, out)
    files.write_indicators(county, out, seed)
    figures.write_town_figures(county, out, seed)
    figures.write_village_figures(county, out, seed)
    figures.write_village_income(county, out, seed)
    figures.write_outlets(ground, register, out, seed)
    files.write_csv(pd.DataFrame(designed.rows), out / "designed.csv")
    sites.write_land(county, settled, out, seed)
    sites.write_candidates(county, settled, out, seed)
    sites.write_projects(register, out)
    planted += faults.resident_faults(settled, _fragment_people(roads, settled), ids)
    files.write_csv(pd.DataFrame(planted), out / "faults.csv")
    if out.resolve() != EXAMPLE:
        shutil.copyfile(EXAMPLE / "study.toml", out / "study.toml")
    report(f"written to {out}")


def _fragment_people(roads: network.Network, settled: people.Residents) -> int:
    """Count the people whose nearest street is on the fragment cut off the network."""
    known = ~np.isnan(settled.xy[:, 0])
    nearest = shapely.STRtree(roads.lines).query_nearest(
        shapely.points(settled.xy[known]), all_matches=False
    )[1]
    return int(settled.people[known][roads.fragment[roads.uv[nearest]].all(axis=1)].sum())


def main() -> None:
    """Read the options and make the county, or compare its network with a real one."""
    parser = argparse.ArgumentParser(description="Make the synthetic county of Haiyan.")
    parser.add_argument("--out", type=Path, default=EXAMPLE)
    parser.add_argument("--towns", type=int, default=TOWNS)
    parser.add_argument("--edges", type=int)
    parser.add_argument("--residents", type=int)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--compare", type=Path, metavar="GRAPHML", help="print figures beside a real network's and stop"
    )
    options = parser.parse_args()
    if options.compare:
        print(compare.table(options.out / "roads.parquet", options.compare))
        return
    scale = options.towns / TOWNS
    generate(
        options.out,
        towns=options.towns,
        seed=options.seed,
        edges=options.edges or round(EDGES * scale),
        residents=options.residents or round(RESIDENTS * scale),
    )


if __name__ == "__main__":
    main()
