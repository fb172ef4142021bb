"""Fit what a region costs to what was measured, and write the section of docs/scale.md.

    python -m benchmarks.cost_model              write docs/scale.md from benchmarks/scale.json

The points stand in benchmarks/scale.json, as benchmarks.scale and the records of batches gave them. Costs are
seconds of one processor, which a machine that does other things as well changes less than those of the wall.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.networks import ROOT

if TYPE_CHECKING:
    from pathlib import Path

POINTS = ROOT / "benchmarks" / "scale.json"
PAGE = ROOT / "docs" / "scale.md"
START, END = "<!-- measured: begin -->", "<!-- measured: end -->"

COUNTIES = 2_850
COUNTY = {"residents": 30_000, "roads": 60_000}
NATION_JUNCTIONS = 40_000_000
PROVINCES = 31
HOUR_S = 3600.0


@dataclass(frozen=True)
class Fit:
    """A straight line through points: ``start`` and ``per`` unit, fitted for relative errors."""

    start: float
    per: float

    def at(self, size: float) -> float:
        """Return the cost of a size."""
        return self.start + self.per * size


def fit_line(sizes: list[float], costs: list[float]) -> Fit:
    """Fit a line of a start that is at least 0 and a cost for each unit, every point by its share of error.

    >>> fit_line([1.0, 2.0, 4.0], [3.0, 5.0, 9.0])
    Fit(start=1.0, per=2.0)
    """
    x, y = np.asarray(sizes), np.asarray(costs)
    weights = 1 / y
    design = np.column_stack([np.ones(len(x)), x]) * weights[:, None]
    (start, per), *_ = np.linalg.lstsq(design, y * weights, rcond=None)
    if start < 0:
        start, per = 0.0, float((x * weights) @ (y * weights) / ((x * weights) @ (x * weights)))
    return Fit(round(float(start), 12), round(float(per), 12))


def fits(points: dict[str, list[dict[str, Any]]]) -> dict[str, tuple[str, Fit]]:
    """Fit every part of the cost: name -> (unit, line)."""

    def line(kind: str, size: str, cost: str, scale: float = 1.0) -> Fit:
        """Fit one figure of one kind of points."""
        rows = points[kind]
        return fit_line([row[size] / scale for row in rows], [row[cost] for row in rows])

    return {
        "graph_build": ("million junctions", line("graph", "junctions", "build_cpu_s", 1e6)),
        "graph_nearest": ("million junctions", line("graph", "junctions", "nearest_8_cpu_s", 1e6)),
        "graph_memory": ("million junctions", line("graph", "junctions", "peak_mb", 1e6)),
        "roads_build": ("million junctions", line("roads", "junctions", "build_cpu_s", 1e6)),
        "roads_memory": ("million junctions", line("roads", "junctions", "peak_mb", 1e6)),
        "roads_disk": ("million junctions", line("roads", "junctions", "store_mb", 1e6)),
        "pbf_read": ("MB", line("made", "mb", "read_cpu_s")),
        "pbf_memory": ("MB", line("made", "mb", "peak_mb")),
        "task": ("thousand residents", line("tasks", "residents", "cpu_s", 1e3)),
        "task_memory": ("thousand residents", line("tasks", "residents", "peak_mb", 1e3)),
    }


_NAMES = {
    "graph_build": ("one graph: built from its edges", "s"),
    "graph_nearest": ("one graph: nearest venue of 8 services from everywhere", "s"),
    "graph_memory": ("one graph: peak memory", "MB"),
    "roads_build": ("roads with their lines, read from a table", "s"),
    "roads_memory": ("roads with their lines: peak memory", "MB"),
    "roads_disk": ("roads of a region, mapped: disk", "MB"),
    "pbf_read": ("OpenStreetMap file: read for walking", "s"),
    "pbf_memory": ("OpenStreetMap file: peak memory", "MB"),
    "task": ("audit of a district over mapped roads, all targets of the shipped profile", "s"),
    "task_memory": ("the same: peak memory of its worker", "MB"),
}


def check_largest(points: dict[str, list[dict[str, Any]]]) -> list[tuple[str, float, float]]:
    """Predict the largest graph and file from the smaller ones: (what, predicted, measured)."""
    found = []
    for kind, size, cost, name in (
        ("graph", "junctions", "build_cpu_s", "graph built, s"),
        ("graph", "junctions", "nearest_8_cpu_s", "nearest of 8 services, s"),
        ("graph", "junctions", "peak_mb", "graph, peak MB"),
        ("made", "mb", "read_cpu_s", "OpenStreetMap file read, s"),
        ("made", "mb", "peak_mb", "OpenStreetMap file, peak MB"),
    ):
        rows = sorted(points[kind], key=lambda row: row[size])
        *smaller, largest = rows
        line = fit_line([row[size] for row in smaller], [row[cost] for row in smaller])
        found.append((f"{name} ({largest[size]:,})", line.at(largest[size]), float(largest[cost])))
    return found


def section(points: dict[str, list[dict[str, Any]]]) -> str:
    """Return the measured section of the page."""
    lines = [START, "", "| what | fixed | for each | measured on |", "|---|---|---|---|"]
    found = fits(points)
    kinds = {"graph": "graph", "roads": "roads", "pbf": "made", "task": "tasks"}
    for name, (unit, line) in found.items():
        told, cost = _NAMES[name]
        many = len(points[kinds[name.split("_")[0]]])
        lines.append(
            f"| {told} | {line.start:,.3g} {cost} | {line.per:,.3g} {cost} a {unit} | {many} sizes |"
        )
    pair = points["graph"][-1]
    lines.append(
        f"| pairs of a place and what it reaches in 15 minutes | | {pair['pairs_cpu_s'] / pair['pairs'] * 1e6:.2g} "
        f"s a million pairs | {pair['junctions']:,} junctions |"
    )
    lines += [
        f"| a county with road files of its own, nothing kept from before ({row['residents']:,} homes, "
        f"{row['roads']:,} roads, {row['targets']} targets) | {row['cpu_s']:.1f} s, {row['peak_mb']:,.0f} MB | | 1 size |"
        for row in points["counties"]
    ]
    whole = {name: found[name][1].at(100) for name in ("pbf_read", "pbf_memory")}
    lines.append(
        f"| an OpenStreetMap file of 100 MB, by the lines | {whole['pbf_read']:,.0f} s, "
        f"{whole['pbf_memory'] / 1e3:,.1f} GB | | |"
    )
    lines += [
        "",
        "| checked: the largest size, from a line through the smaller ones | predicted | measured |",
        "|---|---|---|",
    ]
    lines += [f"| {what} | {one:,.3g} | {other:,.3g} |" for what, one, other in check_largest(points)]
    lines += ["", *_nation(points, found), "", END]
    return "\n".join(lines)


def _nation(points: dict[str, list[dict[str, Any]]], found: dict[str, tuple[str, Fit]]) -> list[str]:
    """Return what a nation costs by the lines, as a table."""
    thousand = COUNTY["residents"] / 1e3
    task_s = found["task"][1].at(thousand)
    memory = found["task_memory"][1].at(thousand)
    apart_s = float(np.mean([row["cpu_s"] for row in points["counties"]]))
    millions = NATION_JUNCTIONS / 1e6
    province = NATION_JUNCTIONS / PROVINCES / 1e6
    roads_s = found["roads_build"][1].per * millions
    run_mb = (
        float(np.mean([row["disk_mb"] / row["residents"] for row in points["disk"]])) * COUNTY["residents"]
    )
    disk = COUNTIES * run_mb / 1e3 + found["roads_disk"][1].per * millions / 1e3
    core_hours = (COUNTIES * task_s + roads_s) / HOUR_S
    return [
        f"| a nation: {COUNTIES:,} counties of {COUNTY['residents']:,} homes, {millions:.0f} million junctions | |",
        "|---|---|",
        f"| audits | {COUNTIES * task_s / HOUR_S:,.1f} core-hours ({task_s:.1f} s a county) |",
        f"| roads of {PROVINCES} provinces read | {roads_s / HOUR_S:,.1f} core-hours |",
        f"| together | {core_hours:,.1f} core-hours: {core_hours / 8:,.1f} hours on 8 workers |",
        f"| the same, were each county a study with road files of its own | "
        f"{COUNTIES * apart_s / HOUR_S:,.1f} core-hours |",
        f"| memory of a worker | {memory:,.0f} MB |",
        f"| memory while a province is read and split | {found['roads_memory'][1].at(province):,.0f} MB |",
        f"| the nation as one graph, without lines | {found['graph_memory'][1].at(millions) / 1e3:,.0f} GB, "
        f"{found['graph_nearest'][1].at(millions):,.0f} s for 8 services |",
        f"| disk: runs and partitions, roads mapped | {disk:,.0f} GB |",
    ]


def write_page(page: Path = PAGE, points: Path = POINTS) -> None:
    """Put the section in its place in the page."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    page.write_text(before + section(json.loads(points.read_text("utf-8"))) + after, "utf-8")


if __name__ == "__main__":
    write_page()
