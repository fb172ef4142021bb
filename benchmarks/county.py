"""Own the audit of a county as a whole process, beside the same result by pandana and as tutorials do it.

The county is the synthetic one of data/geo/haiyan, made larger. The peers are spared the reading of
offices' files: they are handed clean tables in metres, with each resident's district, and search only as
far as the farthest limit.
"""
# ruff: noqa: PLC0415 - peers are optional, and a process pays only for what it measures

from __future__ import annotations

import compileall
import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from benchmarks.children import measure
from benchmarks.exact import CutStreets
from benchmarks.networks import ROOT
from benchmarks.pipelines import FARTHEST_M, LIMIT_MIN, SPEEDS_KMH, USUAL_KMH
from benchmarks.timing import EXACT, WRONG, Agreement, compare_seconds, say

if TYPE_CHECKING:
    from pathlib import Path

    Array = np.ndarray[Any, Any]

EXAMPLE = ROOT / "data" / "geo" / "haiyan"
GENERATOR = ROOT / "tools" / "example" / "generate.py"
SAMPLE = 20


@dataclass(frozen=True)
class Whole:
    """A pipeline as a whole process: wall seconds per round, peak memory, stages of one round, agreement.

    ``estimated`` : the seconds are scaled up from a sample.
    """

    name: str
    settings: str
    wall_s: list[float]
    peak_mb: float
    stages: dict[str, float]
    agreement: Agreement
    estimated: bool = False

    @property
    def median_s(self) -> float:
        """Median wall seconds."""
        return float(np.median(self.wall_s))


@dataclass(frozen=True)
class County:
    """A county's size and what each pipeline took.

    ``first_s`` : an audit with nothing kept between runs; ``example_s`` : one of the bundled example, the
    median of the rounds; whole processes both.
    """

    size: dict[str, int]
    first_s: float
    pipelines: tuple[Whole, ...]
    example_s: float | None = None

    def pipeline(self, name: str) -> Whole | None:
        """Find a pipeline by the beginning of its name."""
        return next((one for one in self.pipelines if one.name.startswith(name)), None)

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> County:
        """Read what :meth:`as_json` gave."""
        return cls(
            plain["size"],
            plain["first_s"],
            tuple(Whole(**{**one, "agreement": Agreement(**one["agreement"])}) for one in plain["pipelines"]),
            plain.get("example_s"),
        )


def race_county(folder: Path, *, edges: int, residents: int, rounds: int, here: dict[str, str]) -> County:
    """Make a county in a folder, audit it and run the peers on it, in turn."""
    study, tables, out = folder / "study", folder / "tables", folder / "out"
    say(f"county of {edges} edges and {residents} residents")
    make_county(study, edges=edges, residents=residents)
    size = export_tables(study, tables)
    reference = exact_metres(tables)
    audited, lean = exact_seconds(study, tables)
    # The byte code of an installed package is there before its first start: pip compiles what it installs.
    compileall.compile_dir(ROOT / "coverage", quiet=1)
    command = [sys.executable, "-m", "lifecircle", "audit", str(study), "--out", str(out / "audit")]
    nothing = {"LIFECIRCLE_CACHE": str(folder / "kept"), "NUMBA_CACHE_DIR": str(folder / "compiled")}
    first = measure("audit", argv=command, environment=nothing)["wall_s"]
    say(f"    first audit {first:.2f} s")
    example = [*command[:4], str(EXAMPLE), "--out", str(out / "example")]
    measure("audit", argv=example)  # its roads and snaps are kept from now on, as the county's are
    example_s = float(np.median([measure("audit", argv=example)["wall_s"] for _ in range(rounds)]))
    say(f"    bundled example {example_s:.2f} s")
    runs: dict[str, list[dict[str, Any]]] = {}
    for _ in range(rounds):
        for name in ("audit", "lifecircle", *(["pandana"] if "pandana" in here else [])):
            argv = command if name == "audit" else _pipeline(name, tables, out / name)
            runs.setdefault(name, []).append(measure(name, argv=argv))
            say(f"    {name:12s} {runs[name][-1]['wall_s']:8.2f} s")
    stages = measure("audit by stages", argv=_pipeline("audit", study, out / "stages"))["stages"]
    pipelines = [
        _whole(
            "lifecircle audit",
            "whole command: offices' files read and cleaned, 8 rules, five accountings, the year before, "
            "gaps, spreadsheets and GeoPackage written",
            runs["audit"],
            _agree_seconds(out / "stages", audited),
            stages,
        ),
        _whole(
            "lifecircle, same result",
            "read_roads, snap, nearest, coverage; to the point on the edge",
            runs["lifecircle"],
            _agree_seconds(out / "lifecircle", lean),
        ),
    ]
    if "pandana" in runs:
        pipelines.append(
            _whole(
                "pandana",
                "Network, get_node_ids, set_pois and nearest_pois per circle; to the nearest junction",
                runs["pandana"],
                _agree_metres(out / "pandana", reference),
            )
        )
    if "osmnx" in here and importlib.util.find_spec("sklearn") is not None:
        pipelines += _tutorial(tables, out / "tutorial")
    for one in pipelines:
        say(f"    {one.name:44s} {one.median_s:10.2f} s {one.peak_mb:8.0f} MB   {one.agreement.text}")
    return County(size, first, tuple(pipelines), example_s)


def make_county(study: Path, *, edges: int, residents: int, towns: int | None = None) -> None:
    """Make the synthetic county; more towns hold more people, and so more places where they live."""
    asked = {"out": study, "edges": edges, "residents": residents} | ({"towns": towns} if towns else {})
    options = [word for name, value in asked.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, str(GENERATOR), *options]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def export_tables(study: Path, tables: Path) -> dict[str, int]:
    """Write what the peers start from: junctions, edges, residents and venues in metres, and a GraphML."""
    from lifecircle.audit import prepare
    from lifecircle.study import read_study

    tables.mkdir(parents=True, exist_ok=True)
    inputs = prepare(read_study(study))
    standard, roads = inputs.study.standard, inputs.networks["walk"]
    circles = {
        target.id: set().union(*standard.venues(target).values())
        for target in standard.targets
        if target.kind == "circle"
    }
    placed = inputs.demand[~(inputs.demand.geometry.isna() | inputs.demand.geometry.is_empty)]
    at = placed.geometry.to_crs(roads.crs)
    residents = pd.DataFrame(
        {
            "x": at.x,
            "y": at.y,
            "population": placed["population"].astype(float),
            "district": placed["district"].astype(str),
        }
    ).reset_index(drop=True)
    where = inputs.facilities.geometry.to_crs(roads.crs)
    every = pd.DataFrame({"x": where.x, "y": where.y, "service": inputs.facilities["service"].astype(str)})
    venues = pd.concat(
        [every[every["service"].isin(services)].assign(circle=name) for name, services in circles.items()],
        ignore_index=True,
    )
    nodes = pd.DataFrame(np.asarray(roads.xy), columns=["x", "y"])
    edges = pd.DataFrame(
        {"u": roads.u.astype(np.int64), "v": roads.v.astype(np.int64), "length_m": roads.length_m}
    )
    for name, table in {"residents": residents, "venues": venues, "nodes": nodes, "edges": edges}.items():
        table.to_parquet(tables / f"{name}.parquet")
    about = {
        "roads": str(study / "roads.parquet"),
        "crs": roads.crs.to_string(),
        "circles": list(circles),
    }
    (tables / "about.json").write_text(json.dumps(about), "utf-8")
    _write_graphml(nodes, edges, roads.crs.to_string(), tables / "graph.graphml")
    return {
        "edges": len(edges),
        "junctions": len(nodes),
        "residents": len(residents),
        "facilities": len(every),
        "venues": len(venues),
        "circles": len(circles),
    }


def exact_metres(tables: Path) -> dict[str, Array]:
    """Find each resident's metres to the nearest venue of each circle with scipy, junction to junction."""
    matrix, nearest, residents, venues = _junctions(tables)
    circles = json.loads((tables / "about.json").read_text("utf-8"))["circles"]
    home = nearest(residents)
    found = {}
    for circle in circles:
        starts = np.unique(nearest(venues[venues["circle"] == circle]))
        found[circle] = dijkstra(matrix, indices=starts, min_only=True, limit=FARTHEST_M)[home]
    return found


def exact_seconds(study: Path, tables: Path) -> tuple[dict[str, Array], dict[str, Array]]:
    """Find each resident's seconds to the nearest venue of each circle with scipy, to the point on the edge.

    Returns
    -------
    audited : for every resident of the study, legs kept off its barriers; circles of one class only
    lean : for the residents of the tables, no barriers
    """
    import lifecircle as lc
    from lifecircle.audit import prepare
    from lifecircle.study import read_study

    inputs = prepare(read_study(study))
    roads, standard = inputs.networks["walk"], inputs.study.standard
    service = inputs.facilities["service"]
    homes, places = lc.snap(roads, inputs.demand), lc.snap(roads, inputs.facilities)
    audited = {}
    for target in standard.targets:
        if target.kind == "circle" and list(target.require.values()) == [1]:
            streets = CutStreets(roads, homes, places, limit_s=60.0 * target.minutes)
            (services,) = standard.venues(target).values()
            audited[target.id] = streets.nearest(service.isin(services).to_numpy())
    plain = lc.read_roads(study / "roads.parquet", mode="walk", crs=roads.crs)
    residents, venues = (
        gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["x"], table["y"]), crs=roads.crs)
        for table in (pd.read_parquet(tables / f"{name}.parquet") for name in ("residents", "venues"))
    )
    streets = CutStreets(plain, lc.snap(plain, residents), lc.snap(plain, venues), limit_s=60.0 * LIMIT_MIN)
    lean = {
        circle: streets.nearest((venues["circle"] == circle).to_numpy())
        for circle in venues["circle"].unique()
    }
    return audited, lean


def _junctions(tables: Path) -> tuple[Any, Any, pd.DataFrame, pd.DataFrame]:
    nodes, edges, residents, venues = (
        pd.read_parquet(tables / f"{name}.parquet") for name in ("nodes", "edges", "residents", "venues")
    )
    tail = np.r_[edges["u"], edges["v"]]
    head = np.r_[edges["v"], edges["u"]]
    metres = np.r_[edges["length_m"], edges["length_m"]]
    order = np.lexsort((metres, head, tail))
    tail, head, metres = tail[order], head[order], metres[order]
    shortest = np.r_[True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])]
    shape = (len(nodes), len(nodes))
    matrix = coo_array((metres[shortest], (tail[shortest], head[shortest])), shape=shape).tocsr()
    tree = KDTree(nodes[["x", "y"]].to_numpy())
    return matrix, lambda table: tree.query(table[["x", "y"]].to_numpy())[1], residents, venues


def _tutorial(tables: Path, out: Path) -> list[Whole]:
    """Run the tutorial's way for a sample of venues and scale it up, with both ways of snapping."""
    found = measure("tutorial", argv=_pipeline("tutorial", tables, out, SAMPLE))
    stages, scale = found["stages"], found["venues"] / len(found["sampled"])
    sampled = {"snap the sample", "snap the sample at once", "ego graphs of the sample"}
    fixed = found["wall_s"] - sum(took for name, took in stages.items() if name in sampled)
    circles = stages["ego graphs of the sample"] * scale
    one_by_one = fixed + stages["snap the sample"] * scale + circles
    at_once = fixed + stages["snap the sample at once"] + circles
    agreement = _agree_sample(tables, found)
    text = f"measured on {len(found['sampled'])} of {found['venues']} venues; 3 ego graphs each"
    return [
        Whole(
            "tutorial, nearest_nodes per facility",
            f"osmnx.nearest_nodes and networkx.ego_graph for each; {text}",
            [one_by_one],
            found["peak_mb"],
            stages,
            agreement,
            estimated=True,
        ),
        Whole(
            "tutorial, nearest_nodes at once",
            f"one osmnx.nearest_nodes, networkx.ego_graph for each; {text}",
            [at_once],
            found["peak_mb"],
            stages,
            agreement,
            estimated=True,
        ),
    ]


def _agree_sample(tables: Path, found: dict[str, Any]) -> Agreement:
    matrix, nearest, residents, venues = _junctions(tables)
    home, starts = nearest(residents), np.unique(nearest(venues.loc[found["sampled"]]))
    metres = dijkstra(matrix, indices=starts, min_only=True, limit=FARTHEST_M)[home]
    expected = {str(kmh): int((metres <= 15 * kmh / 0.06).sum()) for kmh in SPEEDS_KMH}
    off = max(abs(found["covered"][kmh] - many) for kmh, many in expected.items())
    text = f"residents covered by the sample: off by up to {off} of {len(residents)}; no times"
    return Agreement(EXACT if off == 0 else WRONG, text)


def _agree_metres(out: Path, reference: dict[str, Array]) -> Agreement:
    """Compare written seconds with the reference, junction to junction."""
    found = pd.read_csv(out / "seconds.csv", index_col=0)
    expected = np.column_stack([reference[circle] for circle in found.columns]) / USUAL_KMH * 3.6
    return compare_seconds(found.to_numpy(dtype=float), expected)


def _agree_seconds(out: Path, expected: dict[str, Array]) -> Agreement:
    """Compare written seconds with the reference, to the point on the edge."""
    found = pd.read_csv(out / "seconds.csv", index_col=0)
    names = [name for name in found.columns if name in expected]
    agreement = compare_seconds(
        found[names].fillna(np.inf).to_numpy(dtype=float), np.column_stack([expected[name] for name in names])
    )
    text = f"{agreement.text} in {len(names)} circles, to the point on the edge (scipy, streets cut)"
    return Agreement(agreement.kind, text)


def _whole(
    name: str,
    settings: str,
    runs: list[dict[str, Any]],
    agreement: Agreement,
    stages: dict[str, float] | None = None,
) -> Whole:
    return Whole(
        name,
        settings,
        [run["wall_s"] for run in runs],
        max(run["peak_mb"] for run in runs),
        stages or runs[-1].get("stages", {}),
        agreement,
    )


def _pipeline(name: str, folder: Path, out: Path, sample: int = 0) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    return [sys.executable, "-m", "benchmarks.pipelines", name, str(folder), str(out), str(sample)]


def _write_graphml(nodes: pd.DataFrame, edges: pd.DataFrame, crs: str, path: Path) -> None:
    import networkx as nx
    import osmnx as ox

    graph = nx.MultiDiGraph(crs=crs, simplified=True)
    graph.add_nodes_from((node, {"x": x, "y": y}) for node, x, y in nodes.itertuples())
    for u, v, length in edges.itertuples(index=False):
        graph.add_edge(u, v, length=length, osmid=0)
        graph.add_edge(v, u, length=length, osmid=0)
    ox.save_graphml(graph, path)
