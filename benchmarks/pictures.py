"""Own the plots of docs/performance.md; the same results give the same bytes."""
# ruff: noqa: PLC0415 - peers are optional, and a process pays only for what it measures

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from benchmarks.timing import WRONG

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.results import Results

OWN, OTHER, FAINT = "#0b6e4f", "#8a939b", "#c9ced3"


def draw_pictures(results: Results, folder: Path) -> list[str]:
    """Draw what the results allow and give the names of the files; nothing where matplotlib is absent."""
    if importlib.util.find_spec("matplotlib") is None:
        return []
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update(
        {"svg.hashsalt": "lifecircle", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False,
         "axes.spines.right": False}
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, draw in {"performance-nearest.svg": _nearest, "performance-county.svg": _county}.items():
        figure = draw(results)
        if figure is not None:
            figure.savefig(folder / name, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
            drawn.append(name)
    return drawn


def _nearest(results: Results) -> Any:
    """Show the time of a search for the nearest facility by network and contestant."""
    from matplotlib import pyplot as plt

    races = [race for race in results.races if race.task == "nearest"]
    if not races:
        return None
    tall = [max(1.0, 0.24 * len(race.timings)) for race in races]
    figure, panels = plt.subplots(
        len(races),
        1,
        figsize=(7.5, sum(tall) + 0.6 * len(races)),
        height_ratios=tall,
        sharex=True,
        squeeze=False,
    )
    for panel, race in zip(panels[:, 0], races, strict=True):
        timings = sorted(race.timings, key=lambda one: -one.median_s)
        colours = [
            OWN if one.name.startswith("lifecircle") else FAINT if one.agreement.kind == "bound" else OTHER
            for one in timings
        ]
        names = [f"{one.name}{' (wrong)' if one.agreement.kind == WRONG else ''}" for one in timings]
        bars = panel.barh(names, [one.median_s * 1e3 for one in timings], color=colours)
        panel.bar_label(bars, [f" {_figure(one.median_s * 1e3)}" for one in timings], fontsize=8)
        panel.set_xscale("log")
        panel.margins(x=0.16)
        panel.set_title(f"{race.network}: {race.title}", loc="left", fontsize=9)
    panels[-1, 0].set_xlabel("milliseconds per search, logarithmic; what is built once is not counted")
    figure.tight_layout()
    return figure


def _county(results: Results) -> Any:
    """Show whole processes on a county."""
    from matplotlib import pyplot as plt

    if results.county is None:
        return None
    pipelines = results.county.pipelines[::-1]
    figure, panel = plt.subplots(figsize=(7.5, 0.35 * len(pipelines) + 0.8))
    colours = [OWN if one.name.startswith("lifecircle") else OTHER for one in pipelines]
    names = [f"{one.name}{' (scaled up)' if one.estimated else ''}" for one in pipelines]
    bars = panel.barh(names, [one.median_s for one in pipelines], color=colours)
    panel.bar_label(bars, [f" {_figure(one.median_s)} s" for one in pipelines], fontsize=8)
    panel.set_xscale("log")
    panel.set_xlim(1.0, 2.0 * max(one.median_s for one in pipelines))
    panel.set_xlabel("seconds of the whole process on a county, logarithmic")
    return figure


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
