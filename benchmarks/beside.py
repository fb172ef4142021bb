"""Set lifecircle beside the tools people would otherwise use, on one real city, and write docs/validation.md.

    python -m benchmarks.beside                with the real inputs beside the repository: two minutes
    python -m benchmarks.beside --out FOLDER   the page goes there

The same people and venues go through every tool as its own documentation does it. Then our settings are
turned to those of the tool, one at a time, until the difference is gone: each step says what it explains. A
tool that is not installed is said to be so.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import beside_peers, beside_settings
from benchmarks.beside_page import Step, Tool, write_page
from benchmarks.networks import ROOT
from benchmarks.timing import say

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from benchmarks.beside_settings import City

    Array = np.ndarray[Any, Any]

KMH = 5.0
PACKAGES = {
    "Valhalla": ("valhalla", ("pyvalhalla-weekly", "pyvalhalla")),
    "OSMnx with networkx": ("osmnx", ("osmnx",)),
    "OSMnx, a file read with its defaults": ("osmnx", ("osmnx",)),
    "pandana": ("pandana", ("pandana",)),
    "cityseer": ("cityseer", ("cityseer",)),
}
"""Tool -> the module that is imported, and the distributions that it may come in."""


AS_IT_IS = ("as it is", "both as they come")
LEGS = ("access legs", "nobody walks from the door to the road")
JUNCTIONS = ("snapping", "everybody starts and ends at the nearest junction")
FRAGMENTS = ("fragments", "the longest part of the network alone")
WAYS = ("list of ways", "our engine on the ways that the tool uses")
CHOICE = (
    "choice of way",
    "a setting of its own turned, as ours has none: asked for the shortest way, its metres taken",
)
LENGTHS = ("lengths", "lengths along great circles on a sphere, on its very edges and nodes")


def beside_osmnx(city: City, folder: Path) -> list[Step]:
    """Turn our settings to those of OSMnx with networkx."""
    graph = beside_peers.osmnx_graph(city, folder)
    start, end = (beside_peers.osmnx_nodes(graph, points) for points in (city.homes, city.venues))
    theirs = beside_peers.networkx_minutes(graph, start, end, kmh=KMH)
    roads = beside_settings.ways_of(graph, city)
    return [
        *_to_junctions(city, theirs),
        Step(*WAYS, _between_junctions(roads, city), theirs),
        Step(*LENGTHS, beside_settings.graph_minutes(graph, start, end, kmh=KMH), theirs),
    ]


def beside_osmnx_plain(city: City, folder: Path) -> list[Step]:
    """Turn our settings to those of OSMnx where a file is read with its defaults."""
    graph = beside_peers.osmnx_plain_graph(city, folder)
    start, end = (beside_peers.osmnx_nodes(graph, points) for points in (city.homes, city.venues))
    theirs = beside_peers.networkx_minutes(graph, start, end, kmh=KMH)
    both, bound = (beside_settings.ways_of(graph, city, one_way=one_way) for one_way in (False, True))
    return [
        *_to_junctions(city, theirs),
        Step(*WAYS, _between_junctions(both, city), theirs),
        Step("one-way", "the direction of a street binds walkers", _between_junctions(bound, city), theirs),
        Step(*LENGTHS, beside_settings.graph_minutes(graph, start, end, kmh=KMH), theirs),
    ]


def beside_pandana(city: City, folder: Path) -> list[Step]:
    """Turn our settings to those of pandana on OSMnx's graph."""
    graph = beside_peers.osmnx_graph(city, folder)
    theirs, start, end = beside_peers.pandana_minutes(graph, city, kmh=KMH)
    roads = beside_settings.ways_of(graph, city)
    return [
        *_to_junctions(city, theirs),
        Step(*WAYS, _between_junctions(roads, city), theirs),
        Step(
            "snapping",
            "the nearest junction in degrees",
            _between_junctions(roads, city, degrees=True),
            theirs,
        ),
        Step(*LENGTHS, beside_settings.graph_minutes(graph, start, end, kmh=KMH), theirs),
    ]


def beside_cityseer(city: City, folder: Path) -> list[Step]:
    """Turn our settings to those of cityseer on OSMnx's graph."""
    graph = beside_peers.osmnx_graph(city, folder)
    theirs = beside_peers.cityseer_minutes(graph, city)
    kmh = beside_peers.CITYSEER_MS * 3.6
    slow = city.roads.at_speed(kmh)
    main = beside_settings.main_part(slow)
    roads = beside_settings.ways_of(graph, city).at_speed(kmh)
    homes = beside_settings.at_junctions(roads, city.homes)
    ask = beside_settings.minutes
    return [
        Step(*AS_IT_IS, ask(city.roads, city.homes, city.venues), theirs),
        Step("speeds", f"{kmh:.1f} km/h, its default", ask(slow, city.homes, city.venues), theirs),
        Step(*FRAGMENTS, ask(main, city.homes, city.venues), theirs),
        Step(*WAYS, ask(roads, city.homes, city.venues), theirs),
        Step(
            "snapping",
            "a resident is at the nearest junction",
            ask(roads, homes, city.venues),
            theirs,
        ),
    ]


def beside_valhalla(city: City, folder: Path) -> list[Step]:
    """Turn our settings to those of Valhalla, and one of its own to ours."""
    tool = beside_peers.Valhalla.of(city, folder)
    theirs, _ = tool.nearest()
    _, metres = tool.nearest(shortest=True)
    kmh = beside_peers.VALHALLA_KMH
    shortest = metres / (kmh / 3.6) / 60.0
    ask, joined = beside_settings.minutes, beside_settings.on_roads
    fast = city.roads.at_speed(kmh)
    main = beside_settings.main_part(fast)
    unwalked = ask(main, joined(main, city.homes), joined(main, city.venues))
    ways = beside_settings.main_part(beside_settings.read_lines(tool.ways(), city).at_speed(kmh))
    homes, venues = (joined(ways, tool.joined(points)) for points in (city.homes, city.venues))
    return [
        Step(*AS_IT_IS, ask(city.roads, city.homes, city.venues), theirs),
        Step("speeds", f"{kmh:.1f} km/h, its default", ask(fast, city.homes, city.venues), theirs),
        Step(*FRAGMENTS, ask(main, city.homes, city.venues), theirs),
        Step(*LEGS, unwalked, theirs),
        Step(*CHOICE, unwalked, shortest),
        Step(*WAYS, ask(ways, joined(ways, city.homes), joined(ways, city.venues)), shortest),
        Step("snapping", "points where it joins them to its edges", ask(ways, homes, venues), shortest),
        Step(
            "lengths",
            "lengths along great circles on a sphere",
            ask(beside_settings.on_a_sphere(ways), homes, venues),
            shortest,
        ),
    ]


def _to_junctions(city: City, theirs: Array) -> list[Step]:
    """Turn what every tool on a graph of junctions has in common: no legs, junctions, the largest part."""
    roads, ask, joined = city.roads, beside_settings.minutes, beside_settings.on_roads
    return [
        Step(*AS_IT_IS, ask(roads, city.homes, city.venues), theirs),
        Step(*LEGS, ask(roads, joined(roads, city.homes), joined(roads, city.venues)), theirs),
        Step(*JUNCTIONS, _between_junctions(roads, city), theirs),
        Step(*FRAGMENTS, _between_junctions(beside_settings.main_part(roads), city), theirs),
    ]


def _between_junctions(roads: Any, city: City, *, degrees: bool = False) -> Array:
    points = (
        beside_settings.at_junctions(roads, one, in_degrees=degrees) for one in (city.homes, city.venues)
    )
    return beside_settings.minutes(roads, *points)


TOOLS: dict[str, tuple[Callable[[City, Path], list[Step]], str]] = {
    "Valhalla": (beside_valhalla, "tiles of the file, matrix with costing `pedestrian`, its defaults"),
    "OSMnx with networkx": (
        beside_osmnx,
        "its list of ways for walkers, both directions, largest part; nearest nodes; Dijkstra by length",
    ),
    "OSMnx, a file read with its defaults": (
        beside_osmnx_plain,
        "`graph_from_xml(file)`: every way, streets in their direction; the rest as above",
    ),
    "pandana": (beside_pandana, "OSMnx's nodes in degrees and edges, `nearest_pois` by length at 5 km/h"),
    "cityseer": (
        beside_cityseer,
        "OSMnx's graph, `compute_accessibilities` at its speed; residents at the nearest node",
    ),
}


def measure(city: City, folder: Path) -> list[Tool]:
    """Ask every tool that is installed."""
    tools = []
    for name, (ask, asked) in TOOLS.items():
        module, distributions = PACKAGES[name]
        if find_spec(module) is None:
            tools.append(Tool(name, "not installed", asked))
            continue
        say(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tools.append(Tool(name, _version(distributions), asked, ask(city, folder)))
    return tools


def _version(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return version(name).split("+")[0]
        except PackageNotFoundError:
            continue
    return "unknown"


def main() -> None:
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.beside",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder of the page; left out, docs")
    options = parser.parse_args()
    shared = Path(os.environ.get("LIFECIRCLE_SHARED_DATA") or ROOT.parent / "shared" / "data")
    folder = shared / "sao_paulo"
    if not folder.is_dir():
        parser.error("the real inputs are not beside the repository (set LIFECIRCLE_SHARED_DATA)")
    city = beside_settings.read_city(folder)
    with tempfile.TemporaryDirectory(prefix="beside-") as scratch:
        tools = measure(city, Path(scratch))
    options.out.mkdir(parents=True, exist_ok=True)
    page = options.out / "validation.md"
    page.write_text(write_page(city, tools), "utf-8")
    print(page)


if __name__ == "__main__":
    main()
