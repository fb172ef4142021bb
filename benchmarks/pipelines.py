"""Own the county pipelines that run as whole processes: the package's, pandana's, the tutorial's.

Each reads the same tables, finds the nearest venue of every circle for every resident at three walking
speeds, counts people by district, writes two csv files and prints a JSON line with its stages::

    python -m benchmarks.pipelines lifecircle|pandana|tutorial|audit FOLDER OUT [SAMPLE]
"""
# ruff: noqa: PLC0415 - peers are optional, and a process pays only for what it measures

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

BEGIN = time.perf_counter()
LIMIT_MIN = 15
SPEEDS_KMH = (4.0, 5.0, 6.0)
USUAL_KMH = 5.0
FARTHEST_M = LIMIT_MIN * SPEEDS_KMH[-1] / 0.06


class Stages:
    """Notes how long each stage took since the one before."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}
        self._last = BEGIN

    def done(self, name: str) -> None:
        """Note the end of a stage."""
        now = time.perf_counter()
        self.took[name] = self.took.get(name, 0.0) + now - self._last
        self._last = now


def lifecircle(folder: Path, out: Path, _: int) -> dict[str, Any]:
    """Read, snap, search and count with the package, to the point on the edge and to the person."""
    import geopandas as gpd
    import pandas as pd

    import lifecircle as lc

    stages = Stages()
    about = json.loads((folder / "about.json").read_text("utf-8"))
    roads = lc.read_roads(about["roads"], mode="walk", crs=about["crs"])
    stages.done("import and read roads")
    residents = pd.read_parquet(folder / "residents.parquet")
    residents = gpd.GeoDataFrame(
        residents, geometry=gpd.points_from_xy(residents["x"], residents["y"]), crs=about["crs"]
    )
    venues = pd.read_parquet(folder / "venues.parquet")
    venues = gpd.GeoDataFrame(venues, geometry=gpd.points_from_xy(venues["x"], venues["y"]), crs=about["crs"])
    stages.done("read tables")
    homes, places = lc.snap(roads, residents), lc.snap(roads, venues)
    stages.done("snap")
    seconds, rates = {}, []
    for circle in about["circles"]:
        near = lc.nearest(roads, homes, places.where(venues["circle"] == circle), limit_min=LIMIT_MIN)
        seconds[circle] = near["seconds"]
        stages.done("search")
        for kmh in SPEEDS_KMH:
            table = lc.coverage(near, residents, limit_min=LIMIT_MIN * kmh / USUAL_KMH, by="district").assign(
                circle=circle, kmh=kmh
            )
            rates.append(table.reset_index())
        stages.done("count")
    pd.DataFrame(seconds).to_csv(out / "seconds.csv")
    pd.concat(rates).to_csv(out / "coverage.csv", index=False)
    stages.done("write")
    return {"stages": stages.took}


def pandana(folder: Path, out: Path, _: int) -> dict[str, Any]:
    """Do the same with pandana: places join the nearest junction, up to the farthest limit."""
    import numpy as np
    import pandana as pdna

    from benchmarks.peers import quiet

    stages = Stages()
    about, nodes, edges, residents, venues = _tables(folder)
    stages.done("import and read tables")
    with quiet():
        network = pdna.Network(
            nodes["x"], nodes["y"], edges["u"], edges["v"], edges[["length_m"]], twoway=True
        )
    stages.done("build")
    home = network.get_node_ids(residents["x"], residents["y"])
    stages.done("snap")
    metres = {}
    for circle in about["circles"]:
        mine = venues[venues["circle"] == circle]
        network.set_pois(circle, FARTHEST_M, 1, mine["x"], mine["y"])
        found = network.nearest_pois(FARTHEST_M, circle, num_pois=1)[1]
        far = found.reindex(home).to_numpy()
        metres[circle] = np.where(far >= FARTHEST_M, np.inf, far)
        stages.done("search")
    _write(metres, residents, out)
    stages.done("count and write")
    return {"stages": stages.took}


def tutorial(folder: Path, out: Path, sample: int) -> dict[str, Any]:
    """Do it as tutorials do: one nearest_nodes and one ego_graph per facility and speed, for a sample.

    Returns, beside the stages, the seconds that ``sample`` facilities took for each of the two steps, those
    of one nearest_nodes for all of them, and the residents that the sample covers at each speed.
    """
    import networkx as nx
    import osmnx as ox
    import pandas as pd

    stages = Stages()
    _, _, _, residents, venues = _tables(folder)
    graph = ox.load_graphml(folder / "graph.graphml", node_dtypes={"osmid": int})
    stages.done("import and load graph")
    home = ox.nearest_nodes(graph, residents["x"].to_numpy(), residents["y"].to_numpy())
    stages.done("snap residents")
    chosen = venues.iloc[:: max(1, len(venues) // sample)].head(sample)
    nodes = [ox.nearest_nodes(graph, x, y) for x, y in zip(chosen["x"], chosen["y"], strict=True)]
    stages.done("snap the sample")
    ox.nearest_nodes(graph, chosen["x"].to_numpy(), chosen["y"].to_numpy())
    stages.done("snap the sample at once")
    covered = {}
    for kmh in SPEEDS_KMH:
        reached: set[int] = set()
        for node in nodes:
            circle = nx.ego_graph(graph, node, radius=LIMIT_MIN * kmh / 0.06, distance="length")
            reached.update(circle.nodes)
        covered[kmh] = int(pd.Index(home).isin(list(reached)).sum())
    stages.done("ego graphs of the sample")
    pd.Series(covered).to_csv(out / "coverage.csv")
    stages.done("count and write")
    return {
        "stages": stages.took,
        "covered": covered,
        "sampled": chosen.index.tolist(),
        "venues": len(venues),
    }


def audit(folder: Path, out: Path, _: int) -> dict[str, Any]:
    """Audit a study by stages: what ``lifecircle audit`` does, with a clock between the steps."""
    from lifecircle.audit import prepare, run, write_run
    from lifecircle.beside import allow_copies
    from lifecircle.reach import thread_count
    from lifecircle.study import read_study

    allow_copies(thread_count())  # as the command does
    stages = Stages()
    stages.done("imports")
    study = read_study(folder)
    inputs = prepare(study)
    stages.done("read and prepare")
    steps: list[str] = []

    def end_step(step: str) -> None:
        stages.done(f"search and assess: {steps[-1]}" if steps else "begin")
        steps.append(step)

    findings = run(inputs, progress=end_step)
    stages.done(f"search and assess: {steps[-1]}")
    write_run(findings, out)
    stages.done("write the run")
    findings.seconds.to_csv(out / "seconds.csv")
    return {"stages": stages.took}


def _tables(folder: Path) -> Any:
    import pandas as pd

    about = json.loads((folder / "about.json").read_text("utf-8"))
    names = ("nodes", "edges", "residents", "venues")
    return about, *(pd.read_parquet(folder / f"{name}.parquet") for name in names)


def _write(metres: dict[str, Any], residents: Any, out: Path) -> None:
    import pandas as pd

    rates = []
    for circle, far in metres.items():
        for kmh in SPEEDS_KMH:
            inside = far <= LIMIT_MIN * kmh / 0.06
            people = pd.DataFrame(
                {"people": residents["population"], "covered": residents["population"] * inside}
            )
            rates.append(
                people.groupby(residents["district"]).sum().assign(circle=circle, kmh=kmh).reset_index()
            )
    seconds = pd.DataFrame(metres, index=residents.index) / USUAL_KMH * 3.6
    seconds.to_csv(out / "seconds.csv")
    pd.concat(rates).to_csv(out / "coverage.csv", index=False)


if __name__ == "__main__":
    _name, _folder, _out, *_rest = sys.argv[1:]
    _pipeline = {"lifecircle": lifecircle, "pandana": pandana, "tutorial": tutorial, "audit": audit}[_name]
    Path(_out).mkdir(parents=True, exist_ok=True)
    print(json.dumps(_pipeline(Path(_folder), Path(_out), int(_rest[0]) if _rest else 0)))
