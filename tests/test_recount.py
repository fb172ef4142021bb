"""The bundled county counted a second time, from its files, by code that shares nothing with the package.

What is shared is the files themselves (the study, the profile as a list of promises, residents, roads,
venues)
and the libraries that read them and search graphs. Every figure compared is compared to the person.
"""

from __future__ import annotations

import functools
import json
import math
import re
import tomllib
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import scipy.sparse
import shapely
from scipy.sparse.csgraph import connected_components, dijkstra

from conftest import ROOT

COUNTY = ROOT / "data" / "geo" / "haiyan"
PROFILE = ROOT / "coverage" / "lifecircle" / "standards" / "profiles" / "haiyan-2025.toml"
TARGETS = ("culture", "civic", "fitness", "fitness_rural", "nursery", "elder_care", "clinic", "bus")
YEARS = (2025, 2022)

METRES = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True)
WALK_MS = 5.0 / 3.6
NOT_WALKED = {"motorway", "motorway_link"}
FRAGMENT_M, FURTHER_M = 500.0, 50.0
"""A street net under 500 m is left for the main one where that is no more than 50 m further."""


# ---------------------------------------------------------------------------------------------------------
# Places


def _plain_offset(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the published shift of GCJ-02 in degrees."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = (20.0 * np.sin(6.0 * x * math.pi) + 20.0 * np.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20.0 * np.sin(y * math.pi) + 40.0 * np.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * math.pi) + 320.0 * np.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20.0 * np.sin(x * math.pi) + 40.0 * np.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * math.pi) + 300.0 * np.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    axis, flat = 6_378_245.0, 0.00669342162296594323
    phi = np.radians(lat)
    magic = 1.0 - flat * np.sin(phi) ** 2
    per_lat = (axis * (1.0 - flat)) / (magic * np.sqrt(magic)) * math.pi / 180.0
    per_lon = axis / np.sqrt(magic) * np.cos(phi) * math.pi / 180.0
    return east / per_lon, north / per_lat


def _from_gcj02(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    true_lon, true_lat = lon, lat
    for _ in range(30):
        east, north = _plain_offset(true_lon, true_lat)
        true_lon, true_lat = lon - east, lat - north
    return true_lon, true_lat


def _from_bd09(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Undo the second shift by iterating on its published forward form, then the first."""
    turn = math.pi * 3000.0 / 180.0
    gcj_lon, gcj_lat = lon - 0.0065, lat - 0.006
    for _ in range(30):
        far = np.hypot(gcj_lon, gcj_lat) + 0.00002 * np.sin(gcj_lat * turn)
        angle = np.arctan2(gcj_lat, gcj_lon) + 0.000003 * np.cos(gcj_lon * turn)
        gcj_lon = gcj_lon + lon - (far * np.cos(angle) + 0.0065)
        gcj_lat = gcj_lat + lat - (far * np.sin(angle) + 0.006)
    return _from_gcj02(gcj_lon, gcj_lat)


_DATUMS: dict[str, Any] = {"wgs84": lambda lon, lat: (lon, lat), "gcj02": _from_gcj02, "bd09": _from_bd09}


# ---------------------------------------------------------------------------------------------------------
# Venues


@functools.cache
def _venues() -> pd.DataFrame:
    """Read every list the study names: id, service, opened, closed, x, y; faulty and doubled rows left out.

    Which rows are faulty or doubled is what ``faults.csv`` says was planted.
    """
    study = tomllib.loads((COUNTY / "study.toml").read_text("utf-8"))
    parts = [_register(part) for part in study["facilities"]]
    venues = pd.concat(parts, ignore_index=True)
    planted = pd.read_csv(COUNTY / "faults.csv", encoding="utf-8-sig", dtype=str)
    doubled = planted.loc[planted["kind"].isin(["duplicate", "near_duplicate"]), "id"].str.split().str[1]
    unreadable = planted.loc[planted["kind"] == "unreadable", "id"]
    return venues[~venues["id"].isin({*doubled, *unreadable})].reset_index(drop=True)


def _register(part: dict[str, Any]) -> pd.DataFrame:
    path = COUNTY / part["file"]
    if path.suffix == ".xlsx":
        table = pd.read_excel(path)
    elif path.suffix == ".geojson":
        layer = gpd.read_file(path)
        table = pd.DataFrame(layer.drop(columns="geometry")).assign(
            lon=layer.geometry.x, lat=layer.geometry.y
        )
    else:
        table = pd.read_csv(path, encoding="gb18030" if part["file"] == "welfare.csv" else "utf-8-sig")
    table = table.rename(columns={there: ours for ours, there in part.get("columns", {}).items()})
    lon, lat = (pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float) for name in ("lon", "lat"))
    x, y = METRES.transform(*_DATUMS[part.get("datum", "wgs84")](lon, lat))
    words = part.get("services", {})
    return pd.DataFrame(
        {
            "id": table["id"].astype(str),
            "service": [words.get(word, word) for word in table["service"]],
            "opened": [_day(value) for value in table["opened"]],
            "closed": [_day(value) for value in table["closed"]],
            "x": x,
            "y": y,
        }
    )


def _day(value: Any) -> str:
    """Give the day a cell holds as a text that sorts, empty where there is none."""
    found = re.match(r"(\d{4})(?:-(\d{2})-(\d{2}))?", str(value))
    return f"{found[1]}-{found[2] or '01'}-{found[3] or '01'}" if found else ""


def _open_in(year: int) -> pd.DataFrame:
    venues, last = _venues(), f"{year}-12-31"
    there = (venues["opened"] <= last) & ((venues["closed"] == "") | (venues["closed"] > last))
    return venues[there]


# ---------------------------------------------------------------------------------------------------------
# Streets


@dataclass(frozen=True)
class Streets:
    """Walked streets: each line once, its end nodes, its length, its net and that net's length."""

    lines: np.ndarray
    start: np.ndarray
    end: np.ndarray
    length: np.ndarray
    net: np.ndarray
    net_length: np.ndarray
    nodes: int

    @functools.cached_property
    def tree(self) -> shapely.STRtree:
        """Index the lines by place."""
        return shapely.STRtree(self.lines)


@functools.cache
def _streets() -> Streets:
    table = gpd.read_parquet(COUNTY / "roads.parquet").to_crs("EPSG:4549")
    lines = table.geometry[~table["highway"].isin(NOT_WALKED)].to_numpy()
    forms = [line.coords[:] for line in lines]
    once = {min(tuple(form), tuple(form[::-1])): line for form, line in zip(forms, lines, strict=True)}
    lines = np.array(list(once.values()), dtype=object)
    number: dict[tuple[float, float], int] = {}
    ends = [[number.setdefault(line.coords[at], len(number)) for at in (0, -1)] for line in lines]
    start, end = np.array(ends).T
    length = shapely.length(lines)
    joined = scipy.sparse.coo_array((np.ones(len(lines)), (start, end)), shape=(len(number),) * 2)
    _, net = connected_components(joined, directed=False)
    return Streets(
        lines, start, end, length, net[start], np.bincount(net[start], weights=length), len(number)
    )


@dataclass(frozen=True)
class Joined:
    """Where points meet the streets: line (-1 for none), metres along it, metres to it."""

    line: np.ndarray
    along: np.ndarray
    leg: np.ndarray


def _join(xy: np.ndarray, cap: float) -> Joined:
    """Join points to the nearest line within a cap whose leg crosses no barrier."""
    streets = _streets()
    points = np.array([shapely.Point(pair) if np.isfinite(pair).all() else None for pair in xy], dtype=object)
    line = np.full(len(points), -1)
    placed = np.flatnonzero(points != None)  # noqa: E711 - element by element
    (row, found), metres = streets.tree.query_nearest(points[placed], max_distance=cap, return_distance=True)
    order = np.lexsort((found, metres, row))
    row, first = np.unique(row[order], return_index=True)
    line[placed[row]] = found[order][first]
    on = np.flatnonzero(line >= 0)
    small = streets.net_length[streets.net[line[on]]] < FRAGMENT_M
    for row in on[_crosses(points[on], streets.lines[line[on]]) | small]:
        line[row] = _another(points[row], cap)
    on = np.flatnonzero(line >= 0)
    along, leg = np.zeros(len(points)), np.full(len(points), np.inf)
    along[on] = shapely.line_locate_point(streets.lines[line[on]], points[on])
    leg[on] = shapely.distance(streets.lines[line[on]], points[on])
    return Joined(line, along, leg)


def _another(point: shapely.Point, cap: float) -> int:
    """Give the nearest of eight lines whose leg is clear; a short net is left for the main one beside it."""
    streets = _streets()
    near = streets.tree.query(point, predicate="dwithin", distance=cap)
    metres = shapely.distance(streets.lines[near], point)
    order = np.lexsort((near, metres))[:8]
    near, metres = near[order], metres[order]
    clear = ~_crosses(np.full(len(near), point, dtype=object), streets.lines[near])
    near, metres = near[clear], metres[clear]
    if not len(near):
        return -1
    large = streets.net_length[streets.net[near]] >= FRAGMENT_M
    if not large[0] and (large & (metres <= metres[0] + FURTHER_M)).any():
        return int(near[large][0])
    return int(near[0])


@functools.cache
def _barriers() -> shapely.STRtree:
    return shapely.STRtree(
        gpd.read_parquet(COUNTY / "barriers.parquet").to_crs("EPSG:4549").geometry.to_numpy()
    )


def _crosses(points: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return which legs pass through a polygon of water: what lies in it for more than two millimetres."""
    there = shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, points))
    legs = shapely.linestrings(
        np.stack([shapely.get_coordinates(points), shapely.get_coordinates(there)], axis=1)
    )
    leg, barrier = _barriers().query(legs, predicate="intersects")
    wet = shapely.length(shapely.intersection(legs[leg], _barriers().geometries[barrier])) > 2e-3
    crossing = np.zeros(len(points), dtype=bool)
    crossing[leg[wet]] = True
    return crossing


def _network(parts: list[Joined]) -> tuple[scipy.sparse.csr_array, list[np.ndarray]]:
    """Make every point a node on its line: the metres between nodes, and the node of each point."""
    streets = _streets()
    line, along = (np.concatenate([getattr(part, name) for part in parts]) for name in ("line", "along"))
    node = np.where(line >= 0, streets.nodes + np.arange(len(line)), -1)
    stops = pd.DataFrame({"line": line, "along": along, "node": node})[line >= 0]
    every = np.arange(len(streets.lines))
    ends = [
        pd.DataFrame({"line": every, "along": 0.0, "node": streets.start}),
        pd.DataFrame({"line": every, "along": streets.length, "node": streets.end}),
    ]
    chain = pd.concat([ends[0], stops, ends[1]]).sort_values(["line", "along"], kind="stable")
    same = chain["line"].to_numpy()[1:] == chain["line"].to_numpy()[:-1]
    a, b = chain["node"].to_numpy()[:-1][same], chain["node"].to_numpy()[1:][same]
    # a nanometre stands for nothing: a search in a sparse matrix may take no metres for no arc
    metres = np.maximum(np.diff(chain["along"].to_numpy())[same], 1e-9)
    arcs = pd.DataFrame({"a": np.minimum(a, b), "b": np.maximum(a, b), "metres": metres})
    arcs = arcs[arcs["a"] != arcs["b"]].groupby(["a", "b"], as_index=False)["metres"].min()
    size = streets.nodes + len(line)
    graph = scipy.sparse.csr_array((arcs["metres"], (arcs["a"], arcs["b"])), shape=(size, size))
    return graph, np.split(node, np.cumsum([len(part.line) for part in parts])[:-1])


# ---------------------------------------------------------------------------------------------------------
# People


@functools.cache
def _homes() -> tuple[pd.DataFrame, Joined]:
    """Read the residents with their district (by polygon), their area (by village) and their street."""
    residents = pd.read_parquet(COUNTY / "residents.parquet")
    x, y = METRES.transform(residents["lon"].to_numpy(), residents["lat"].to_numpy())
    villages = pd.read_csv(COUNTY / "villages.csv", encoding="utf-8-sig", dtype=str).set_index("code")
    towns = gpd.read_file(COUNTY / "towns.geojson").sort_values("code", ignore_index=True)
    places = shapely.points(residents["lon"].fillna(0), residents["lat"].fillna(0))
    district = residents["district"].to_numpy(dtype=object, copy=True)
    row, town = shapely.STRtree(towns.geometry.to_numpy()).query(places, predicate="intersects")
    order = np.argsort(town, kind="stable")[::-1]  # of two towns at a border the lower code is written last
    district[row[order]] = towns["code"].to_numpy()[town[order]]
    residents = residents.assign(
        district=district, urban=residents["village"].map(villages["urban"]).eq("true").to_numpy()
    )
    return residents, _join(np.column_stack([x, y]), 500.0)


@functools.cache
def _profile() -> dict[str, Any]:
    return tomllib.loads(PROFILE.read_text("utf-8"))


def _target(name: str) -> dict[str, Any]:
    return next(target for target in _profile()["target"] if target["id"] == name)


def _services(name: str) -> set[str]:
    """Name the services of a class, or the one service itself."""
    classes = {
        one["id"]: {one["id"], one.get("class"), *one.get("also", ())} for one in _profile()["service"]
    }
    return {service for service, names in classes.items() if name in names}


@functools.cache
def _counted(name: str, year: int) -> pd.DataFrame:
    """Say of every resident in which bucket of a target it is at each of three speeds."""
    target, (residents, homes) = _target(name), _homes()
    limit_m = target["minutes"] * 60.0 * WALK_MS
    leg_m = 0.25 * limit_m
    on = (homes.line >= 0) & (homes.leg <= leg_m)
    venues = _open_in(year)
    parts = {kind: venues[venues["service"].isin(_services(kind))] for kind in target["require"]}
    everywhere = pd.concat(parts.values())
    joined = _join(everywhere[["x", "y"]].to_numpy(), 300.0)
    use = (joined.line >= 0) & (joined.leg <= leg_m)
    graph, (home_node, venue_node) = _network([homes, joined])
    _, net = connected_components(graph, directed=False)
    farthest = np.zeros((3, len(residents)), dtype=bool)
    farthest[:] = True
    known = np.ones(len(residents), dtype=bool)
    at = 0
    for kind, part in parts.items():
        mine = np.flatnonzero(use[at : at + len(part)]) + at
        at += len(part)
        metres = dijkstra(graph, directed=False, indices=venue_node[mine], limit=1.2 * limit_m + 1)
        metres = metres[:, np.maximum(home_node, 0)] + joined.leg[mine][:, None] + homes.leg[None, :]
        for row, speed in enumerate((4.0, 5.0, 6.0)):
            reached = metres <= limit_m * speed / 5.0 + 1e-6 * speed / 3.6
            farthest[row] &= reached.sum(axis=0) >= target["require"][kind]
        there = np.bincount(net[venue_node[mine]], minlength=net.max() + 1)
        known &= there[net[np.maximum(home_node, 0)]] >= target["require"][kind]
    bucket = np.where(
        ~on, "unsnapped", np.where(farthest[1], "covered", np.where(known, "beyond", "disconnected"))
    )
    return residents.assign(
        bucket=bucket, slow=farthest[0] & on, usual=farthest[1] & on, fast=farthest[2] & on
    )


_GROUPS = {"all": "population", "under3": "age_0_2", "over60": "age_60", "nonregistered": "nonregistered",
           "low_income": "low_income", "disabled": "disabled"}  # fmt: skip


def _buckets(table: pd.DataFrame, column: str) -> dict[str, int]:
    people = table.groupby("bucket")[column].sum()
    found = {name: int(people.get(name, 0)) for name in ("covered", "beyond", "disconnected", "unsnapped")}
    return {"total": int(table[column].sum()), **found}


# ---------------------------------------------------------------------------------------------------------
# The comparison


@pytest.fixture(scope="module", params=YEARS)
def audited(request, county_run):
    """Audit a year of the county and give the year with what the run says of each target."""
    told = json.loads((county_run(request.param) / "summary.json").read_text("utf-8"))
    return request.param, {one["id"]: one for one in told["targets"]}


def _area(target: dict[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    area = target.get("area", "all")
    return table if area == "all" else table[table["urban"] == (area == "urban")]


@pytest.mark.parametrize("name", TARGETS)
def test_every_person_is_in_the_same_bucket(audited, name):
    year, told = audited
    target = _target(name)
    table = _area(target, _counted(name, year))
    column = _GROUPS[target.get("group", "all")]
    mine = _buckets(table, column)
    assert mine == told[name]["people"]
    assert told[name]["value"] == pytest.approx(mine["covered"] / mine["total"], abs=1e-12)
    assert 0 < mine["covered"] <= mine["total"]


@pytest.mark.parametrize("name", TARGETS)
def test_slow_usual_and_fast_are_the_same(audited, name):
    year, told = audited
    target = _target(name)
    table = _area(target, _counted(name, year))
    people = table[_GROUPS[target.get("group", "all")]]
    for speed in ("slow", "usual", "fast"):
        assert told[name]["band"][speed] == pytest.approx(
            people[table[speed]].sum() / people.sum(), abs=1e-12
        )


@pytest.mark.parametrize("name", TARGETS)
def test_every_district_is_the_same(audited, name):
    year, told = audited
    target = _target(name)
    table = _area(target, _counted(name, year))
    column = _GROUPS[target.get("group", "all")]
    rows = {one["code"]: one for one in told[name]["districts"]}
    assert set(table["district"]) <= set(rows)
    for code, row in rows.items():
        assert row["buckets"] == _buckets(table[table["district"] == code], column), (code, row["name"])


@pytest.mark.parametrize("name", TARGETS)
def test_every_group_is_the_same(audited, name):
    year, told = audited
    target = _target(name)
    table = _area(target, _counted(name, year))
    rows = {one["group"]: one for one in told[name]["groups"]}
    own = _GROUPS[target.get("group", "all")]
    for group, row in rows.items():
        if group in {"urban", "rural"}:
            part, column = table[table["urban"] == (group == "urban")], own
        else:
            part, column = table, _GROUPS[group]
        assert row["buckets"] == _buckets(part, column), group


def test_villages_whose_straight_circle_holds_the_rule(audited):
    year, told = audited
    target, villages = (
        _target("culture"),
        pd.read_csv(COUNTY / "villages.csv", encoding="utf-8-sig", dtype=str),
    )
    x, y = METRES.transform(
        villages["lon"].astype(float).to_numpy(), villages["lat"].astype(float).to_numpy()
    )
    radius = np.where(
        villages["urban"] == "true", target["straight"]["urban_m"], target["straight"]["rural_m"]
    )
    holds = np.ones(len(villages), dtype=bool)
    for kind, least in target["require"].items():
        venues = _open_in(year)
        venues = venues[venues["service"].isin(_services(kind))]
        metres = np.hypot(x[:, None] - venues["x"].to_numpy(), y[:, None] - venues["y"].to_numpy())
        holds &= (metres <= radius[:, None]).sum(axis=1) >= least
    straight = told["culture"]["accountings"]["straight"]
    assert straight["villages"] == holds.sum()
    assert straight["value"] == pytest.approx(holds.mean(), abs=1e-12)


def test_the_shift_of_coordinates_goes_both_ways():
    lon, lat = np.array([120.93, 121.01]), np.array([30.50, 30.62])
    east, north = _plain_offset(lon, lat)
    back = _from_gcj02(lon + east, lat + north)
    assert np.abs(np.concatenate([back[0] - lon, back[1] - lat])).max() < 1e-10
