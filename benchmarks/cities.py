"""Own how near the search comes to the best values known of public city instances of maximal cover.

    python -m benchmarks.cities FILE RADIUS_M SITES=BEST [SITES=BEST ...]

FILE lists the points of a city as their publishers do: a header, then latitude, longitude and demand of each
point in a line. Every point is a customer and a site, and covers all within the radius, by the great circle
on a sphere of 6,378,100 m. BEST is the best value that was published for so many sites. The instances are not
in this repository, for they have licences of their own; what was measured stands in benchmarks/cities.json,
from which ``python -m benchmarks --page`` takes it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from benchmarks.networks import ROOT
from benchmarks.siting import Instance, own_plan
from benchmarks.timing import say

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

KEPT = ROOT / "benchmarks" / "cities.json"
SPHERE_M = 6_378_100.0
CUT_S = 60.0


def read_city(path: Path, radius_m: float) -> Instance:
    """Read a city and find who is within the radius of whom: metres csr (point, point)."""
    lat, lon, demand = np.array([[float(cell) for cell in row] for row in _rows(path)]).T
    lat, lon = np.radians(lat), np.radians(lon)
    place = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    # By chords, a hair too far; what is within is then decided by the publishers' own formula.
    chord = 2 * np.sin(radius_m / SPHERE_M / 2) * (1 + 1e-6)
    near = cKDTree(place).sparse_distance_matrix(cKDTree(place), chord, output_type="coo_matrix")
    row, column = near.row, near.col
    angle = np.cos(lat[row]) * np.cos(lat[column]) * np.cos(lon[column] - lon[row])
    metres = SPHERE_M * np.arccos(np.clip(angle + np.sin(lat[row]) * np.sin(lat[column]), -1, 1))
    metres[row == column] = 0.0
    within = metres <= radius_m
    pairs = csr_array((metres[within], (row[within], column[within])), shape=near.shape)
    return Instance(path.stem, pairs, demand, radius_m)


def _rows(path: Path) -> list[list[str]]:
    """Return the cells of every line that begins with three numbers, of which two have a decimal point."""
    lines = [line.split() for line in path.read_text("utf-8").splitlines()]
    return [line[:3] for line in lines if len(line) >= 3 and _is_place(line[:3])]


def _is_place(cells: list[str]) -> bool:
    try:
        known = np.isfinite([float(cell) for cell in cells]).all()
    except ValueError:
        return False
    return bool(known) and all("." in one for one in cells[:2])


def race_city(instance: Instance, best: dict[int, float], cut_s: float = CUT_S) -> dict[str, Any]:
    """Ask for every number of sites, and note value and bound beside the best value known."""
    rows = []
    load = round(os.getloadavg()[0], 1)
    for sites, known in best.items():
        begin, used = time.perf_counter(), time.process_time()
        value, bound = own_plan(instance, sites, cut_s)
        wall, spent = time.perf_counter() - begin, time.process_time() - used
        say(f"{instance.name}, {sites} sites: {100 * (1 - value / known):.3f} % short of {known:,.0f}")
        rows.append(
            {
                "sites": sites,
                "best": known,
                "value": value,
                "bound": bound,
                "used_s": round(spent, 1),
                "wall_s": round(wall, 1),
            }
        )
    return {
        "name": instance.name,
        "points": len(instance.people),
        "radius_m": instance.limit_m,
        "load": load,
        "rows": rows,
    }


def kept_cities(path: Path = KEPT) -> list[dict[str, Any]]:
    """Return what was measured of every city, none where nothing was."""
    held: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.is_file() else []
    return held


def main() -> None:
    """Read the instance, ask, and keep the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cities",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("radius_m", type=float)
    parser.add_argument("best", nargs="+", metavar="SITES=BEST")
    options = parser.parse_args()
    best = {int(sites): float(value) for sites, value in (one.split("=") for one in options.best)}
    instance = read_city(options.file, options.radius_m)
    done = race_city(instance, best)
    others = [one for one in kept_cities() if one["name"] != done["name"]]
    KEPT.write_text(json.dumps([*others, done], indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
