"""The whole town the fuzzer mutates: every kind of input a study may have, small and valid.

It is the toy town (``tests/toytown``) in degrees, with villages, an accepted list, indicators, barriers,
candidates, excluded land, labels, a mask, changes, and its roads in every format of roads.
"""

from __future__ import annotations

import functools
import json
import shutil
import tomllib
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import networkx as nx
import osmium
import pyproj
import shapely

from conftest import TOYTOWN
from fuzzing import Draft

if TYPE_CHECKING:
    from pathlib import Path

_TO_DEGREES = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)


@functools.cache
def place(x: float, y: float) -> tuple[float, float]:
    """Give lon and lat of a place of the toy town, to a tenth of a millimetre."""
    lon, lat = _TO_DEGREES.transform(x, y)
    return round(lon, 9), round(lat, 9)


def _line(*metres: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([place(*xy) for xy in metres])


def _box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.Polygon([place(west, south), place(east, south), place(east, north), place(west, north)])


def _at(x: float, y: float) -> list[float]:
    return list(place(x, y))


_HOMES = [
    ("r1", 500000, 3377000, 100, 4, 20), ("r2", 500500, 3377000, 50, 2, 10), ("r3", 501000, 3378250, 40, 1,
    12),
    ("r4", 502000, 3378000, 30, 0, 15), ("r5", 501250, 3377030, 25, 3, 5), ("r6", 504000, 3377200, 20, 0, 8),
    ("r7", 503000, 3377000, 10, 0, 4),
]  # fmt: skip
_VENUES = [
    ("L1", "Toy library", "library", 501000, 3377000, "2010", None, "Mo-Su 09:00-17:00", 120),
    ("G1", "Toy gym west", "gym", 500500, 3377000, "2023-06-01", None, "Mo-Fr 18:00-21:00", 30),
    ("G2", "Toy gym middle", "gym", 501500, 3377000, "2021-01-01", None, None, None),
    ("P1", "Toy park", "sports_park", 502000, 3377500, "2019", None, "24/7", None),
    ("C1", "Toy clinic", "clinic", 500000, 3377000, "2015", "2025-07-01", None, 4),
    ("C2", "Toy clinic east", "clinic", 502000, 3377500, "2025-07-01", None, None, 4),
]
_STREETS = [
    ("Main Street", "residential", (500000, 3377000), (500500, 3377000)),
    ("Main Street", "residential", (500500, 3377000), (501000, 3377000)),
    ("Main Street", "residential", (501000, 3377000), (501500, 3377000)),
    ("Bridge", "residential", (501500, 3377000), (502000, 3377000)),
    ("North Lane", "footway", (501000, 3377000), (501000, 3378250)),
    ("East Road", "residential", (502000, 3377000), (502000, 3378000)),
    ("Island Path", "path", (504000, 3377000), (504000, 3377500)),
]


@functools.cache
def _drafts() -> dict[str, Draft]:
    west, east = _box(499500, 3376500, 501700, 3379000), _box(501700, 3376500, 503500, 3379000)
    streets = [(name, highway, _line(a, b)) for name, highway, a, b in _STREETS]
    return {
        "demand": Draft(
            ["id", "lon", "lat", "population", "age_0_2", "age_60"],
            [[name, *place(x, y), *rest] for name, x, y, *rest in _HOMES],
        ),
        "demand_shapes": Draft(
            ["id", "population", "age_0_2", "age_60"],
            [[name, *rest] for name, _, _, *rest in _HOMES],
            [shapely.Point(place(x, y)) for _, x, y, *_ in _HOMES],
        ),
        "facilities": Draft(
            ["id", "name", "service", "lon", "lat", "opened", "closed", "hours", "capacity"],
            [[*head, *place(x, y), *rest] for *head, x, y, a, b, c, d in _VENUES for rest in [(a, b, c, d)]],
        ),
        "facilities_shapes": Draft(
            ["id", "name", "service", "opened", "closed", "hours", "capacity"],
            [[*head, *rest] for *head, _, _, a, b, c, d in _VENUES for rest in [(a, b, c, d)]],
            [shapely.Point(place(x, y)) for *_, x, y, _a, _b, _c, _d in _VENUES],
        ),
        "districts": Draft(
            ["code", "name", "urban"], [["01", "West Bank", True], ["02", "East Bank", False]], [west, east]
        ),
        "villages": Draft(
            ["code", "name", "district", "class", "lon", "lat", "accepted_reading"],
            [
                ["001", "Alpha", "01", "111", *place(500500, 3377000), True],
                ["002", "Beta", "02", "220", *place(502000, 3377800), False],
                ["003", "Gamma", "02", "220", *place(503000, 3377000), True],
            ],
        ),
        "villages_shapes": Draft(
            ["code", "name", "district", "class"],
            [["001", "Alpha", "01", "111"], ["002", "Beta", "02", "220"], ["003", "Gamma", "02", "220"]],
            [west, _box(501700, 3376500, 502600, 3379000), _box(502600, 3376500, 503500, 3379000)],
        ),
        "accepted": Draft(["code", "name"], [["001", "Alpha"], ["003", "Gamma"]]),
        "indicators": Draft(
            ["target", "year", "district", "value", "unit", "source"],
            [["seats", 2025, None, 7, "count", "made up"], ["seats", 2024, None, 6, "count", "made up"]],
        ),
        "barriers": Draft(["k"], [["river"]], [_line((499800, 3376800), (499900, 3376800))]),
        "land": Draft(["n"], [["field"]], [_box(501250, 3376990, 501350, 3377050)]),
        "mask": Draft(["n"], [["m"]], [_box(499000, 3376000, 499100, 3376100)]),
        "candidates": Draft(
            ["id", "name", "works", "cost", "suitability", "services", "required"],
            [
                ["K1", "Lot 1", "New", 50, 0.9, None, False], ["K2", "Lot 2", "New", None, None, None, False],
                ["K3", "Lot 3", "New", 20.5, 0.2, "library", False], ["K4", "Field", "New", None, None,
                None, False],
            ],
            [
                shapely.Point(place(502000, 3377900)), _box(500950, 3378100, 501000, 3378150),
                shapely.Point(place(500100, 3377010)), shapely.Point(place(501300, 3377020)),
            ],
        ),
        "labels": Draft(
            ["name", "lon", "lat", "kind"],
            [["Sea", *place(504500, 3378000), "water"], ["North", *place(501000, 3379500), "neighbour"]],
        ),
        "roads": Draft(
            ["name", "highway", "oneway"],
            [[name, highway, "no"] for name, highway, _ in streets],
            [shape for _, _, shape in streets],
        ),
        "edges": Draft(["u", "v", "length", "highway", "oneway", "wkt"], [
            [*_numbers(a, b), shapely.length(shapely.LineString([a, b])), highway, False, _line(a, b).wkt]
            for _, highway, a, b in _STREETS
        ]),
        "changes": Draft(
            ["action", "id", "service", "name", "lon", "lat", "capacity", "hours", "village", "district",
            "factor"],
            [
                ["close", "L1", *[None] * 9],
                ["open", "N1", "library", "New", *place(502000, 3377700), 20, "Mo-Su 08:00-20:00", None,
                None, None],
                ["grow", *[None] * 7, "Alpha", "01", 1.5],
                ["move", "G1", None, None, *place(501000, 3377500), *[None] * 5],
            ],
        ),
        "changes_shapes": Draft(
            ["action", "service", "name", "highway", "crossings"],
            [["add_road", None, None, "footway", True], ["open", "gym", "G", None, None],
             ["close_road", None, None, None, None]],
            [_line((500500, 3377000), (501000, 3377600)), shapely.Point(place(500010, 3377000)),
             _line((501500, 3377000), (502000, 3377000))],
        ),
    }  # fmt: skip


def _numbers(*metres: tuple[float, float]) -> list[int]:
    """Give junctions numbers by their place, so that equal places have equal numbers."""
    return [int((x - 500000) // 10 * 1000 + (y - 3377000) // 10 + 1) for x, y in metres]


def draft(role: str) -> Draft:
    """Give a fresh valid table of a role."""
    return _drafts()[role].copy()


CHANGES: dict[str, Any] = {
    "change": [
        {"action": "add_road", "line": [_at(500500, 3377000), _at(501000, 3377600)], "highway": "footway"},
        {"action": "move", "id": "L1", "lon": _at(501500, 3377000)[0], "lat": _at(501500, 3377000)[1]},
        {"action": "open", "service": "library;gym", "name": "New", "lon": place(502000, 3377700)[0],
         "lat": place(502000, 3377700)[1], "capacity": 20, "hours": "Mo-Su 08:00-20:00"},
        {"action": "close_road", "line": [_at(501500, 3377000), _at(502000, 3377000)], "within_m": 5.0},
        {"action": "grow", "village": "Alpha", "factor": 1.5},
        {"action": "hours", "id": "G1", "hours": "24/7"},
        {"action": "resize", "id": "L1", "capacity": 3},
        {"action": "close", "id": "G2"},
    ]
}  # fmt: skip

FILES = {
    "demand": "residents.csv", "facilities": "facilities.csv", "districts": "districts.geojson",
    "villages": "villages.csv", "accepted": "accepted.csv", "indicators": "indicators.csv",
    "barriers": "barriers.geojson", "land": "farmland.geojson", "mask": "mask.geojson",
    "candidates": "candidates.geojson", "labels": "labels.csv", "roads": "roads.geojson",
}  # fmt: skip
"""Role -> file of the town's folder."""


def study() -> dict[str, Any]:
    """Give the town's ``study.toml`` as a tree."""
    return {
        "id": "toytown", "name": "Toy Town (example)", "year": 2025, "crs": "EPSG:4549", "language": "en",
        "synthetic": True, "max_rejected": 0.3,
        "roads": {"file": "roads.geojson"},
        "demand": {"file": "residents.csv", "population": "population",
                   "groups": {"under3": "age_0_2", "over60": "age_60"}},
        "districts": {"file": "districts.geojson"},
        "villages": {"file": "villages.csv", "accepted": {"culture": "accepted.csv"}},
        "facilities": [{"file": "facilities.csv"}],
        "indicators": {"file": "indicators.csv"},
        "barriers": {"file": "barriers.geojson"},
        "siting": {"candidates": "candidates.geojson", "works": {"New": "new_building"},
                   "exclude": {"Farm": "farmland.geojson"},
                   "costs": {"new_building": {"cost": 190.0, "source": "made up", "grade": "setting"},
                             "link_m": {"cost": 0.12, "source": "made up", "grade": "setting"}}},
        "atlas": {"labels": "labels.csv"},
        "publish": {"mask": "mask.geojson", "min_people": 2, "date": "2026-03-01", "organisation": "Toy"},
        "standard": {"use": "standard.toml"},
    }  # fmt: skip


def standard() -> dict[str, Any]:
    """Give the town's profile as a tree: the toy town's, with every kind of target and every key."""
    plain = tomllib.loads((TOYTOWN / "standard.toml").read_text("utf-8"))
    reading, culture, _ = plain["target"]
    reading |= {"baseline": {2020: 0.5}, "milestones": {2023: 0.8}, "open_at": "Sat 10:00", "tolerance": 0.0}
    culture |= {"straight": {"urban_m": 1000, "rural_m": 1500, "centre": "committee"}}
    made_up = {"source": "made up", "date": "2021", "grade": "setting", "department": "Culture"}
    plain["target"] += [
        {"id": "seats", "kind": "indicator", "unit": "count", "goal": 5, "due": 2025, **made_up},
        {
            "id": "one_each",
            "kind": "presence",
            "require": {"library": 1},
            "unit": "district",
            "minimum": 1,
            **made_up,
        },
        {
            "id": "beds",
            "kind": "capacity",
            "require": {"clinic": 1},
            "of": "capacity",
            "per": 1000,
            **made_up,
        },
    ]
    return plain


def write_town(folder: Path) -> Path:
    """Write the whole valid town into a folder."""
    import random  # noqa: PLC0415 - the writers want one; nothing is drawn here that matters

    from fuzzing import toml_text, write_table  # noqa: PLC0415

    folder.mkdir(parents=True)
    for role, name in FILES.items():
        write_table(draft(role), folder / name, random.Random(0))
    (folder / "study.toml").write_text(toml_text(study()), "utf-8")
    (folder / "standard.toml").write_text(toml_text(standard()), "utf-8")
    (folder / "changes.toml").write_text(toml_text(CHANGES), "utf-8")
    return folder


# ---------------------------------------------------------------------------------------------------------
# Roads in the formats of OpenStreetMap


@functools.cache
def osm_xml() -> str:
    """Give the town's roads, a wall and a river as an .osm file."""
    numbers: dict[tuple[float, float], int] = {}
    for *_, a, b in _STREETS:
        for end in (a, b):
            numbers.setdefault(end, len(numbers) + 1)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="made by hand">']
    for (x, y), number in numbers.items():
        lon, lat = place(x, y)
        lines.append(f'<node id="{number}" version="1" visible="true" lat="{lat:.7f}" lon="{lon:.7f}"/>')
    for number, (name, highway, a, b) in enumerate(_STREETS, start=100):
        lines.append(
            f'<way id="{number}" version="1" visible="true"><nd ref="{numbers[a]}"/><nd ref="{numbers[b]}"/>'
            f'<tag k="highway" v="{highway}"/><tag k="name" v="{name}"/><tag k="oneway" v="no"/></way>'
        )
    lines.append('<way id="200" version="1"><nd ref="1"/><nd ref="3"/><tag k="barrier" v="wall"/></way>')
    lines.append(
        '<relation id="1" version="1"><member type="way" ref="200" role="outer"/>'
        '<tag k="natural" v="water"/><tag k="type" v="multipolygon"/></relation>'
    )
    return "\n".join([*lines, "</osm>"])


def write_pbf(folder: Path) -> Path:
    """Write the .osm file's content as .osm.pbf."""
    (folder / "as-xml.osm").write_text(osm_xml(), "utf-8")
    path = folder / "roads.osm.pbf"
    writer = osmium.SimpleWriter(str(path))
    try:
        osmium.apply(str(folder / "as-xml.osm"), _Copied(writer))
    finally:
        writer.close()
    return path


class _Copied(osmium.SimpleHandler):
    def __init__(self, writer: Any) -> None:
        super().__init__()
        self.node, self.way = writer.add_node, writer.add_way


def graphml() -> str:
    """Give the town's roads as OSMnx saves them."""
    graph = nx.MultiDiGraph(crs="epsg:4326", simplified="True")
    for name, highway, a, b in _STREETS:
        for start, end in ((a, b), (b, a)):
            for xy in (start, end):
                lon, lat = place(*xy)
                graph.add_node(_numbers(xy)[0], x=str(lon), y=str(lat), street_count="2")
            graph.add_edge(
                _numbers(start)[0], _numbers(end)[0], osmid="1", highway=highway, name=name, oneway="False",
                length="500.0", geometry=_line(start, end).wkt,
            )  # fmt: skip
    return "\n".join(nx.generate_graphml(graph))


def road_lines() -> gpd.GeoDataFrame:
    """Give the road lines as a layer."""
    roads = draft("roads")
    facts = [dict(zip(roads.names, row, strict=True)) for row in roads.rows]
    return gpd.GeoDataFrame(facts, geometry=roads.shapes, crs="EPSG:4326")


def fresh(town: Path, folder: Path) -> Path:
    """Copy a written town."""
    return shutil.copytree(town, folder)


def plan_text(folder: Path) -> str:
    """Give the text of a plan that ``lifecircle site`` wrote."""
    return json.dumps(json.loads((folder / "plan.json").read_text("utf-8")))
