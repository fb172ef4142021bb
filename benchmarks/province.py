"""Audit a whole province in one process: how long, how much memory, and how both grow with its size.

    python -m benchmarks.province                             1, 2 and 4 million junctions
    python -m benchmarks.province --sizes 250000 500000       other sizes; residents are half of the junctions
    python -m benchmarks.province make 1000000 FOLDER         the study alone, to look at or to profile

A province is made by code: a road-like network as a table of lines with named junctions, residents as points,
8 services of 2,500 venues for 4 million junctions, counties as districts. It is audited by the command that
everyone uses, in a process of its own, with nothing kept; --again audits once more, with what that run kept.
Prints one line of JSON for each run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.children import measure
from benchmarks.networks import road_like

SIZES = (1_000_000, 2_000_000, 4_000_000)
SERVICES = 8
JUNCTIONS_PER_VENUE = 1_600
COUNTIES_PER_MILLION = 22
CRS = "EPSG:4549"
CLASSES = ("residential", "tertiary", "secondary")

_STUDY = f"""id = "province"
name = "Province (example)"
year = 2025
crs = "{CRS}"
language = "en"
synthetic = true

[roads]
file = "roads.parquet"

[demand]
file = "residents.parquet"
population = "population"
groups = {{ over60 = "age_60" }}

[districts]
file = "counties.gpkg"

[[facilities]]
file = "venues.csv"

[standard]
use = "standard.toml"
"""
_SERVICE = """
[[service]]
id = "service_{n}"
name = {{ zh = "服务{n}", en = "service {n}" }}

[[target]]
id = "circle_{n}"
kind = "circle"
name = {{ zh = "15分钟服务圈{n}", en = "15-minute circle {n}" }}
department = "Example"
require = {{ service_{n} = 1 }}
minutes = 15
profile = "walk"
goal = 0.9
due = 2025
source = "made up"
date = "2025"
grade = "setting"
"""


def make_province(study: Path, junctions: int, *, seed: int = 0) -> dict[str, int]:
    """Write the study of a province; give its sizes."""
    study.mkdir(parents=True, exist_ok=True)
    network = road_like(junctions, seed=seed)
    rng = np.random.default_rng(seed + 1)
    xy = network.xy - network.xy.mean(axis=0) + (500_000.0, 3_380_000.0)
    edges = _write_roads(study / "roads.parquet", network.modes["walk"], xy, rng)
    residents = _write_residents(study / "residents.parquet", xy, rng)
    venues = _write_venues(study / "venues.csv", xy, rng)
    counties = _write_counties(study / "counties.gpkg", xy, junctions)
    (study / "study.toml").write_text(_STUDY, "utf-8")
    head = 'id = "eight-circles"\nname = { zh = "八项服务圈", en = "Eight circles" }\n'
    circles = "".join(_SERVICE.format(n=n) for n in range(1, SERVICES + 1))
    (study / "standard.toml").write_text(head + circles, "utf-8")
    return {
        "junctions": network.size,
        "edges": edges,
        "residents": residents,
        "venues": venues,
        "counties": counties,
    }


def _write_roads(path: Path, graph: Any, xy: Any, rng: Any) -> int:
    """Write every street once, with a bend in it, and give the number of streets."""
    once = graph.tails < graph.indices
    tail, head = graph.tails[once], graph.indices[once]
    bend = (xy[tail] + xy[head]) / 2 + rng.normal(0, 4.0, (len(tail), 2))
    lines = shapely.linestrings(np.stack([xy[tail], bend, xy[head]], axis=1))
    words = np.array(CLASSES, dtype=object)[rng.integers(0, len(CLASSES), len(tail))]
    table = gpd.GeoDataFrame({"u": tail, "v": head, "highway": words}, geometry=lines, crs=CRS)
    table.to_parquet(path)
    return len(table)


def _write_residents(path: Path, xy: Any, rng: Any) -> int:
    """Write homes beside half of the junctions."""
    chosen = rng.permutation(len(xy))[: len(xy) // 2]
    homes = xy[np.sort(chosen)] + rng.normal(0, 30.0, (len(chosen), 2))
    people = rng.integers(1, 60, len(homes))
    table = gpd.GeoDataFrame(
        {
            "id": [f"R{n}" for n in range(len(homes))],
            "population": people,
            "age_60": rng.binomial(people, 0.2),
        },
        geometry=gpd.points_from_xy(*homes.T),
        crs=CRS,
    )
    table.to_crs("EPSG:4326").to_parquet(path)
    return len(table)


def _write_venues(path: Path, xy: Any, rng: Any) -> int:
    """Write the venues of all services in one table."""
    each = max(1, len(xy) // JUNCTIONS_PER_VENUE)
    near = xy[rng.integers(0, len(xy), each * SERVICES)] + rng.normal(0, 15.0, (each * SERVICES, 2))
    at = gpd.GeoSeries(gpd.points_from_xy(*near.T), crs=CRS).to_crs("EPSG:4326")
    service = np.repeat(np.arange(1, SERVICES + 1), each)
    pd.DataFrame(
        {
            "id": [f"V{n}" for n in range(len(near))],
            "name": [f"Venue {n}" for n in range(len(near))],
            "service": [f"service_{n}" for n in service],
            "opened": "2015-01-01",
            "lon": at.x.round(7),
            "lat": at.y.round(7),
        }
    ).to_csv(path, index=False)
    return len(near)


def _write_counties(path: Path, xy: Any, junctions: int) -> int:
    """Write counties as a grid of squares."""
    side = max(1, round((COUNTIES_PER_MILLION * junctions / 1e6) ** 0.5))
    (west, south), (east, north) = xy.min(axis=0) - 200.0, xy.max(axis=0) + 200.0
    across, up = np.linspace(west, east, side + 1), np.linspace(south, north, side + 1)
    squares = [
        shapely.box(across[i], up[j], across[i + 1], up[j + 1]) for i in range(side) for j in range(side)
    ]
    names = [f"County {n + 1}" for n in range(len(squares))]
    codes = [f"33{n + 1:04d}" for n in range(len(squares))]
    urban = [n % 3 == 0 for n in range(len(squares))]
    table = gpd.GeoDataFrame({"code": codes, "name": names, "urban": urban}, geometry=squares, crs=CRS)
    table.to_file(path)
    return len(squares)


def audit_province(study: Path, out: Path, kept: Path) -> dict[str, Any]:
    """Audit a study by the command, in a process of its own; ``kept`` : folder of what runs keep."""
    command = [sys.executable, "-m", "lifecircle", "audit", str(study), "--out", str(out), "--quiet"]
    environment = {"LIFECIRCLE_CACHE": str(kept / "cache"), "NUMBA_CACHE_DIR": str(kept / "compiled")}
    used = measure("province", argv=command, environment=environment)
    (run,) = [one for one in out.iterdir() if one.name.isdigit()]
    evidence = json.loads((run / "evidence.json").read_text("utf-8"))
    return {
        "wall_s": round(used["wall_s"], 1),
        "cpu_s": round(used["used_s"], 1),
        "peak_mb": round(used["peak_mb"]),
        "stages": {one["stage"]: one["seconds"] for one in evidence["stages"]},
    }


def main(words: list[str] | None = None) -> None:
    """Make provinces of the sizes asked for, audit each, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("make", nargs="*", help="make JUNCTIONS FOLDER: only make the study")
    parser.add_argument("--again", action="store_true", help="audit a second time with what was kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    asked = parser.parse_args(words)
    if asked.make:
        _, junctions, folder = asked.make
        print(json.dumps(make_province(Path(folder), int(junctions))))
        return
    for size in asked.sizes:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            command = [sys.executable, "-m", "benchmarks.province", "make", str(size), str(folder / "study")]
            made = measure("make", argv=command)
            about = {name: made[name] for name in ("junctions", "edges", "residents", "venues", "counties")}
            for run in ("first", "again") if asked.again else ("first",):
                found = audit_province(folder / "study", folder / run, folder)
                facts = {"task": "province", "run": run, **about, **found}
                print(json.dumps({**facts, "load": round(os.getloadavg()[0], 1)}), flush=True)


if __name__ == "__main__":
    main()
