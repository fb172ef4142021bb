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
        what, cost = _NAMES[name]
        many = len(points[kinds[name.split("_")[0]]])
        fixed, per = f"{figure(line.start)} {cost}", f"{figure(line.per)} {cost} a {unit}"
        lines.append(f"| {what} | {fixed} | {per} | {many} sizes |")
    pair = points["graph"][-1]
    per = f"{figure(pair['pairs_cpu_s'] / pair['pairs'] * 1e6)} s a million pairs"
    lines.append(f"| pairs of a place and what it reaches in 15 minutes | | {per} | 1 size |")
    for row in points["counties"]:
        size = f"{row['residents']:,} homes, {row['roads']:,} roads, {row['targets']} targets"
        cost = f"{figure(row['cpu_s'])} s, {figure(row['peak_mb'])} MB"
        lines.append(f"| a county with road files of its own, nothing kept ({size}) | {cost} | | 1 size |")
    whole = {name: found[name][1].at(100) for name in ("pbf_read", "pbf_memory")}
    cost = f"{figure(whole['pbf_read'])} s, {figure(whole['pbf_memory'])} MB"
    lines.append(f"| an OpenStreetMap file of 100 MB, by the lines | {cost} | | |")
    head = "| checked: the largest size, by a line through the smaller ones | predicted | measured |"
    lines += ["", head, "|---|---|---|"]
    lines += [f"| {what} | {figure(one)} | {figure(other)} |" for what, one, other in check_largest(points)]
    lines += ["", *_province(points["province"])]
    head = "| a batch of counties of their own | workers | wall | tasks | beside them | peak | load |"
    lines += ["", head, "|---|---|---|---|---|---|---|"]
    for row in points["batch"]:
        times = f"{figure(row['wall_s'])} s | {figure(row['task_s'])} s | {row['overhead']:.0%}"
        size = f"{row['studies']} of {row['roads']:,} roads, {row['residents']:,} homes"
        lines.append(
            f"| {size} | {row['workers']} | {times} | {figure(row['peak_mb'])} MB | {row['load']:.0f} |"
        )
    lines += ["", *_nation(points, found), "", END]
    return "\n".join(lines)


def _province(rows: list[dict[str, Any]]) -> list[str]:
    """Return what whole provinces took in one process, and a line through all sizes, as a table."""
    head = "| a province in one process, nothing kept | residents | seconds | a million junctions | peak |"
    lines = [head, "|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: row["junctions"]):
        millions = row["junctions"] / 1e6
        lines.append(
            f"| {row['junctions']:,} junctions, {row['edges']:,} roads | {row['residents']:,} "
            f"| {figure(row['cpu_s'])} | {figure(row['cpu_s'] / millions)} | {figure(row['peak_mb'])} MB |"
        )
    line, held = (
        fit_line([row["junctions"] / 1e6 for row in rows], [row[cost] for row in rows])
        for cost in ("cpu_s", "peak_mb")
    )
    fitted = f"{figure(line.start)} s and {figure(line.per)} s a million junctions"
    return [
        *lines,
        f"| a line through them | | {fitted} | | {figure(held.start)} MB and {figure(held.per)} MB |",
    ]


def figure(value: float) -> str:
    """Return a figure with three digits that count, whole from 100 on.

    >>> figure(2684.2), figure(0.882), figure(39.31), figure(0.0)
    ('2,684', '0.882', '39.3', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _nation(points: dict[str, list[dict[str, Any]]], found: dict[str, tuple[str, Fit]]) -> list[str]:
    """Return what a nation costs by the lines, as a table."""
    lines = {name: line for name, (_, line) in found.items()}
    thousand = COUNTY["residents"] / 1e3
    millions = NATION_JUNCTIONS / 1e6
    task_s = lines["task"].at(thousand)
    apart_s = float(np.mean([row["cpu_s"] for row in points["counties"]]))
    roads_s = lines["roads_build"].per * millions
    per_home = float(np.mean([row["disk_mb"] / row["residents"] for row in points["disk"]]))
    disk_gb = (COUNTIES * per_home * COUNTY["residents"] + lines["roads_disk"].per * millions) / 1e3
    hours = (COUNTIES * task_s + roads_s) / HOUR_S
    split_mb = lines["roads_memory"].at(millions / PROVINCES)
    graph_gb, graph_s = lines["graph_memory"].at(millions) / 1e3, lines["graph_nearest"].at(millions)
    facts = {
        "audits": f"{COUNTIES * task_s / HOUR_S:.1f} core-hours ({task_s:.1f} s a county)",
        f"roads of {PROVINCES} provinces read": f"{roads_s / HOUR_S:.1f} core-hours",
        "together": f"{hours:.1f} core-hours: {hours / 8:.1f} hours on 8 workers",
        "had each county road files of its own": f"{COUNTIES * apart_s / HOUR_S:.1f} core-hours",
        "memory of a worker": f"{figure(lines['task_memory'].at(thousand))} MB",
        "memory while a province is read and split": f"{figure(split_mb)} MB",
        "the nation as one graph, without lines": f"{graph_gb:.0f} GB, {graph_s:.0f} s for 8 services",
        "disk: runs and partitions, roads mapped": f"{disk_gb:.0f} GB",
    }
    size = f"{COUNTIES:,} counties of {COUNTY['residents']:,} homes, {millions:.0f} million junctions"
    return [f"| a nation: {size} | |", "|---|---|", *(f"| {what} | {fact} |" for what, fact in facts.items())]


def write_page(page: Path = PAGE, points: Path = POINTS) -> None:
    """Put the section in its place in the page."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    page.write_text(before + section(json.loads(points.read_text("utf-8"))) + after, "utf-8")


if __name__ == "__main__":
    write_page()
