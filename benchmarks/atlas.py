"""Measure the map page and write its section of docs/performance.md.

    python -m benchmarks.atlas           counties of 30 k and of 200 k cells, medians of 3: some 6 minutes
    python -m benchmarks.atlas --quick   a small county, once, written to --out
    python -m benchmarks.atlas --page    write the section again from benchmarks/atlas.json

It needs Chromium and its driver (apt install chromium chromium-driver). A peer that is not installed is left
out and named. Run it from the root of the repository, on a machine that does nothing else.
"""
# ruff: noqa: PLC0415 - peers are optional, and a run pays only for what it measures

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.atlas_page import write_section
from benchmarks.browser import measure_page
from benchmarks.county import make_county
from benchmarks.machine import describe_machine
from benchmarks.networks import ROOT
from benchmarks.timing import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecircle.findings import Findings

KEPT = ROOT / "benchmarks" / "atlas.json"
DOCS = ROOT / "docs"
YEARS = (2024, 2025)
PLACES = 20
CHANGES = 8


@dataclass(frozen=True)
class Size:
    """How large a county is; ``peers`` says whether its residents are put in the peers' pages too.

    More towns hold more people, and so more places where they live.
    """

    name: str
    edges: int
    cells: int
    towns: int | None = None
    peers: bool = True


@dataclass(frozen=True)
class Plan:
    """What a run measures: counties, how often each page is opened, whether peers too."""

    counties: tuple[Size, ...]
    rounds: int
    peers: bool = True


# Plain GeoJson of 200 k squares does not open within two minutes: the peers have the first county only.
FULL = Plan(
    (Size("30 k cells", 60_000, 30_000), Size("200 k cells", 60_000, 200_000, towns=21, peers=False)),
    rounds=3,
)
QUICK = Plan((Size("3 k cells", 6_000, 3_000),), rounds=1)


def measure(plan: Plan, scratch: Path) -> dict[str, Any]:
    """Measure every page of every county of a plan."""
    begin = time.perf_counter()
    pages: list[dict[str, Any]] = []
    for size in plan.counties:
        say(f"county of {size.name}")
        years, study = _county(scratch / size.name.replace(" ", "-"), size)
        places = _places(years[-1])
        for writer in _writers(study, years, peers=plan.peers and size.peers):
            pages.append(_measured(writer, size.name, scratch, places, plan.rounds))
            say(f"    {pages[-1]['page']}: {_line(pages[-1])}")
    return {"machine": describe_machine(), "pages": pages, "took_s": time.perf_counter() - begin}


def _county(folder: Path, size: Size) -> tuple[list[Findings], Path]:
    """Make a county and audit it for two years."""
    from lifecircle.audit import run_audit

    make_county(folder, edges=size.edges, residents=size.cells, towns=size.towns)
    return [run_audit(folder, year) for year in YEARS], folder


def _places(findings: Findings) -> list[tuple[float, float]]:
    """Choose homes to try a new venue at."""
    homes = findings.demand.geometry.dropna()
    chosen = np.random.default_rng(0).choice(len(homes), min(PLACES, len(homes)), replace=False)
    return [(float(home.x), float(home.y)) for home in homes.iloc[np.sort(chosen)]]


@dataclass(frozen=True)
class Writer:
    """One way to put the same county in a page: what it is, what is in it, how it is written."""

    page: str
    holds: str
    write: Callable[[Path], object]


def _writers(study: Path, years: list[Findings], *, peers: bool) -> list[Writer]:
    import lifecircle as lc
    from lifecircle.audit import read_networks
    from lifecircle.study import read_study

    roads = next(iter(read_networks(read_study(study), YEARS[-1]).values()))
    circles = len(years[-1].seconds.columns)
    whole = f"{circles} targets x {len(years)} years, roads, tables"
    own = [
        Writer("lifecircle", whole, lambda path: lc.draw_atlas(years, path, roads=roads)),
        Writer(
            "lifecircle, public edition",
            f"{circles} targets x {len(years)} years, merged cells",
            lambda path: lc.draw_atlas(years, path, edition="public"),
        ),
    ]
    if not peers:
        return own
    latest = years[-1]
    others = [Writer("folium GeoJson", "one target, one year", lambda path: _folium(latest, path))]
    if importlib.util.find_spec("pydeck") is not None:
        others.append(Writer("pydeck (WebGL)", "one target, one year", lambda path: _pydeck(latest, path)))
    return own + others


def _cells(findings: Findings) -> tuple[np.ndarray[Any, Any], list[str], list[float]]:
    """Give the placed residents of the first target: (lon, lat), colour, minutes (-1 for none)."""
    from lifecircle.page_data import CELL_COLOURS, lonlat, resident_classes

    target = findings.seconds.columns[0]
    places = lonlat(findings.demand)
    placed = np.isfinite(places).all(axis=1)
    classes = resident_classes(findings, findings.result(target))[placed]
    minutes = np.nan_to_num(findings.seconds[target].to_numpy()[placed] / 60, nan=-1.0)
    return places[placed], [CELL_COLOURS[name] for name in classes], minutes.round(1).tolist()


def _folium(findings: Findings, path: Path) -> None:
    """Write what tutorials show: one GeoJson feature per resident, each with its style and a tooltip."""
    import folium

    from lifecircle.atlas import OfflineFigure

    places, colours, minutes = _cells(findings)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [_square(lon, lat)]},
            "properties": {"colour": colour, "minutes": time_min},
        }
        for (lon, lat), colour, time_min in zip(places.tolist(), colours, minutes, strict=True)
    ]
    figure = OfflineFigure("folium", seed="folium")
    drawn = folium.Map(
        location=places.mean(axis=0)[::-1].tolist(), zoom_start=11, tiles=None, prefer_canvas=True
    )
    figure.add_child(drawn)
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        style_function=lambda one: {"fillColor": one["properties"]["colour"], "weight": 0, "fillOpacity": 1},
        tooltip=folium.GeoJsonTooltip(["minutes"]),
    ).add_to(drawn)
    figure.save(str(path))


def _square(lon: float, lat: float, *, side: float = 0.001) -> list[list[float]]:
    east, north = round(lon + side, 5), round(lat + side, 5)
    west, south = round(lon, 5), round(lat, 5)
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _pydeck(findings: Findings, path: Path) -> None:
    """Write the residents as one WebGL layer of deck.gl, its scripts in the page."""
    import pandas as pd
    import pydeck

    places, colours, minutes = _cells(findings)
    rgb = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours]
    table = pd.DataFrame({"lon": places[:, 0], "lat": places[:, 1], "rgb": rgb, "minutes": minutes})
    layer = pydeck.Layer(
        "ScatterplotLayer",
        table,
        get_position="[lon, lat]",
        get_fill_color="rgb",
        get_radius=60,
        pickable=True,
    )
    lon, lat = places.mean(axis=0).tolist()
    view = pydeck.ViewState(longitude=lon, latitude=lat, zoom=10)
    deck = pydeck.Deck([layer], initial_view_state=view, map_provider=None, tooltip={"text": "{minutes} min"})
    deck.to_html(str(path), open_browser=False, notebook_display=False, offline=True)


def _measured(
    writer: Writer, county: str, scratch: Path, places: list[tuple[float, float]], rounds: int
) -> dict[str, Any]:
    """Write a page and open it, several times; gives the medians."""
    path = scratch / f"{writer.page} {county}.html".replace(" ", "-").replace(",", "")
    found: list[dict[str, float | None]] = []
    for _ in range(rounds):
        begin = time.perf_counter()
        writer.write(path)
        wrote = time.perf_counter() - begin
        opened = measure_page(path, places=places, rounds=CHANGES)
        found.append({"file_mb": path.stat().st_size / 1e6, "write_s": wrote, **opened})
    return {
        "page": writer.page,
        "county": county,
        "holds": writer.holds,
        "rounds": rounds,
        **{name: _median([one.get(name) for one in found]) for name in found[0]},
    }


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if len(known) == len(values) else None


def _line(page: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in page.items() if isinstance(value, float))


def main() -> None:
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.atlas",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="a small county, once; goes to --out")
    parser.add_argument("--alone", action="store_true", help="no peers")
    parser.add_argument("--page", action="store_true", help="write the section again, measure nothing")
    parser.add_argument("--out", type=Path, help="folder of page and results; left out, docs, or a new one")
    options = parser.parse_args()
    docs = options.out or (Path(tempfile.mkdtemp(prefix="atlas-")) if options.quick else DOCS)
    kept = docs / "atlas.json" if options.quick or options.out else KEPT
    if options.page:
        results = json.loads(kept.read_text("utf-8"))
    else:
        plan = QUICK if options.quick else FULL
        plan = Plan(plan.counties, plan.rounds, peers=not options.alone)
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
            results = measure(plan, Path(scratch))
        docs.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(write_section(results, docs / "performance.md"))


if __name__ == "__main__":
    main()
