"""A small study on disk for tasks tried on its page: streets, homes with their aged, villages, two years."""

from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from conftest import TOYTOWN, edit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CORNER = (500_000, 3_377_000)
STREET, COLUMNS, ROWS = 300, 15, 9
TOWNS = {"01": ("西镇", 0, 7), "02": ("东镇", 7, 14)}
VILLAGES = ("河口村", "柳湾村", "石桥村", "枫林村", "沙渚村", "盐塘村")
VENUES = (
    # name, service, street from the west, street from the south, opened
    ("西镇图书馆", "library", 2, 3, "2012"),
    ("西镇健身房", "gym", 3, 4, "2015"),
    ("西镇体育公园", "sports_park", 1, 4, "2016"),
    ("中街图书馆", "library", 7, 5, "2013"),
    ("中街健身房", "gym", 7, 4, "2017"),
    ("中街体育公园", "sports_park", 8, 5, "2025-03-01"),
    ("东镇卫生室", "clinic", 11, 4, "2014"),
)


def make_town(folder: Path) -> Path:
    """Write the study: what it holds follows from the numbers above and one seed."""
    study = shutil.copytree(TOYTOWN, folder / "tasktown")
    rng = np.random.default_rng(20)
    edit(study / "study.toml", 'id = "toytown"', 'id = "tasktown"')
    edit(study / "study.toml", 'name = "Toy Town (example)"', 'name = "任务县（示例）"')
    edit(study / "study.toml", 'language = "en"', 'language = "zh"')
    edit(
        study / "study.toml",
        "[standard]",
        '[villages]\nfile = "villages.csv"\ndatum = "EPSG:4549"\n\n[standard]',
    )
    _layer(study / "roads.geojson", _streets())
    _layer(study / "districts.geojson", _towns())
    places = [(2, 1), (3, 6), (5, 4), (9, 2), (11, 6), (13, 3)]
    _table(
        study / "villages.csv",
        ("code", "name", "district", "x", "y"),
        (
            (f"0{1 + (n > 2)}00{n}", name, f"0{1 + (n > 2)}", *_at(*place))
            for n, (name, place) in enumerate(zip(VILLAGES, places, strict=True))
        ),
    )
    _table(
        study / "facilities.csv",
        ("id", "name", "service", "x", "y", "opened", "closed"),
        (
            (f"F{n}", name, what, *_at(x, y), opened, "")
            for n, (name, what, x, y, opened) in enumerate(VENUES)
        ),
    )
    _table(study / "residents.csv", ("id", "x", "y", "population", "age_0_2", "age_60"), _homes(rng))
    return study


def _at(column: float, row: float) -> tuple[float, float]:
    return CORNER[0] + STREET * column, CORNER[1] + STREET * row


def _homes(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Put homes beside the streets; of the people of each some are small children, some 60 and over."""
    for number in range(420):
        along, street = rng.uniform(0, 1, 2)
        x, y = _at(along * (COLUMNS - 1), round(street * (ROWS - 1)))
        people = int(rng.integers(4, 40))
        yield (
            f"r{number}",
            round(x, 1),
            round(y + rng.uniform(-25, 25), 1),
            people,
            people // 9,
            int(rng.binomial(people, 0.3)),
        )


def _streets() -> list[dict[str, Any]]:
    lines = [[_at(c, r), _at(c + 1, r)] for r in range(ROWS) for c in range(COLUMNS - 1)]
    lines += [[_at(c, r), _at(c, r + 1)] for c in range(COLUMNS) for r in range(ROWS - 1)]
    return [_feature("LineString", line, highway="residential") for line in lines]


def _towns() -> list[dict[str, Any]]:
    out = []
    for code, (name, west, east) in TOWNS.items():
        (left, low), (right, high) = _at(west - 0.4 * (west == 0), -0.4), _at(east + 0.4 * (west > 0), ROWS)
        ring = [(left, low), (right, low), (right, high), (left, high), (left, low)]
        out.append(_feature("Polygon", [ring], code=code, name=name, urban=code == "01"))
    return out


def _feature(kind: str, coordinates: Any, **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def _layer(path: Path, features: list[dict[str, Any]]) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    path.write_text(
        json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}, ensure_ascii=False),
        "utf-8",
    )


def _table(path: Path, head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
