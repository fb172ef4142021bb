"""Detecting a datum: places beside roads, moved by every mistake that offices make."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
from shapely.geometry import LineString, box

from conftest import ROOT, edit
from lifecircle.audit import prepare, run_audit
from lifecircle.datum import (
    bd09_from_wgs84,
    detect,
    gcj02_from_wgs84,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)
from lifecircle.errors import UnusableInputError
from lifecircle.study import copy_example, read_study

CRS = 4549
METRES = pyproj.Transformer.from_crs(4326, CRS, always_xy=True)
MISTAKES = {
    "wgs84": lambda x, y: (x, y),
    "gcj02": gcj02_from_wgs84,
    "bd09": bd09_from_wgs84,
    "gcj02_twice": lambda x, y: gcj02_from_wgs84(*gcj02_from_wgs84(x, y)),
    "gcj02_undone": wgs84_from_gcj02,
    "bd09_undone": wgs84_from_bd09,
}
DATUMS = ("wgs84", "gcj02", "bd09")


@pytest.fixture(scope="module")
def town():
    """Give the lines of an uneven town of 6 km, and 200 places some metres beside them, in WGS84."""
    rng = np.random.default_rng(5)
    xs = 500_000 + np.cumsum(rng.uniform(150, 420, 22))
    ys = 3_377_000 + np.cumsum(rng.uniform(150, 420, 22))
    lines = [LineString([(x, ys[0]), (x, ys[-1])]) for x in xs]
    lines += [LineString([(xs[0], y), (xs[-1], y)]) for y in ys]
    picked = rng.integers(0, len(lines), 200)
    spots = [lines[at].interpolate(rng.uniform(), normalized=True) for at in picked]
    metres = np.array([[spot.x, spot.y] for spot in spots]) + rng.normal(0, 10, (200, 2))
    places = gpd.GeoSeries(gpd.points_from_xy(*metres.T), crs=CRS).to_crs(4326)
    return gpd.GeoSeries(lines, crs=CRS).to_crs(4326).to_numpy(), np.column_stack([places.x, places.y])


@pytest.mark.parametrize("count", [30, 200])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_in_a_whole_file(town, mistake, count):
    lines, places = town
    found = detect(np.column_stack(MISTAKES[mistake](*places[:count].T)), lines)
    assert found.evidence["log_likelihood"].idxmax() == mistake
    assert (found.datum, found.reason) == ((mistake, "") if mistake in DATUMS else (None, "twice"))


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("code", [4549, 4528])
def test_metres_in_a_zone_in_both_orders(town, code, swapped):
    lines, places = town
    metres = np.column_stack(pyproj.Transformer.from_crs(4326, code, always_xy=True).transform(*places.T))
    found = detect(metres[:, ::-1] if swapped else metres, lines)
    assert (found.datum, found.swapped) == (f"EPSG:{code}", swapped)


def test_two_datums_in_one_file(town):
    lines, places = town
    mixed = places.copy()
    mixed[120:] = np.column_stack(gcj02_from_wgs84(*places[120:].T))
    found = detect(mixed, lines)
    assert (found.datum, found.reason) == (None, "mixed")
    assert set(found.parts) == {"wgs84", "gcj02"}
    assert (found.parts["gcj02"] >= 120).mean() > 0.8


def test_what_is_not_clear_is_not_guessed(town):
    lines, places = town
    assert detect(places[:29], lines).reason == "few_points"
    far = detect(places + np.array([3.0, 0.0]), lines)
    assert far.datum is None
    rng = np.random.default_rng(2)
    anywhere = rng.uniform(places.min(axis=0), places.max(axis=0), (200, 2))
    assert detect(anywhere, lines).datum is None
    assert detect(np.full((40, 2), np.nan), lines).reason == "few_points"
    with pytest.raises(ValueError, match="no road lines"):
        detect(places, [])


def test_districts_that_are_stated_speak_too(town):
    lines, places = town
    west, south, east, north = *places.min(axis=0), *places.max(axis=0)
    middle = (west + east) / 2
    districts = gpd.GeoDataFrame(
        geometry=[box(west, south, middle, north), box(middle, south, east, north)],
        index=["W", "E"],
        crs="EPSG:4326",
    )
    stated = np.where(places[:, 0] < middle, "W", "E")
    found = detect(np.column_stack(gcj02_from_wgs84(*places.T)), lines, districts, stated=stated)
    assert found.datum == "gcj02"
    assert found.evidence.loc["gcj02", "inside"] > found.evidence.loc["bd09", "inside"]


def test_a_real_chinese_network(shared_data):
    import osmnx as ox  # noqa: PLC0415 - two seconds, and only where the data are

    graph = ox.load_graphml(shared_data / "futian" / "futian.graphml")
    lines = ox.graph_to_gdfs(graph, nodes=False).to_crs(4326).geometry.to_numpy()
    rng = np.random.default_rng(1)
    metres = gpd.GeoSeries(lines, crs=4326).to_crs(4547)
    spots = [
        metres.iloc[at].interpolate(rng.uniform(), normalized=True) for at in rng.integers(0, len(lines), 40)
    ]
    xy = np.array([[spot.x, spot.y] for spot in spots]) + rng.normal(0, 12, (40, 2))
    places = gpd.GeoSeries(gpd.points_from_xy(*xy.T), crs=4547).to_crs(4326)
    for mistake, shift in MISTAKES.items():
        found = detect(np.column_stack(shift(places.x.to_numpy(), places.y.to_numpy())), lines)
        assert found.evidence["log_likelihood"].idxmax() == mistake


@pytest.mark.parametrize("second", [slice(1, None, 2), slice(0, None, 3)], ids=["half", "a third"])
def test_a_list_of_two_datums_among_dense_roads_is_never_taken_for_one(second):
    """Where every place is near some road a mixture shows little, but too much to move all rows."""
    folder = ROOT / "data" / "geo" / "haiyan"
    lines = gpd.read_parquet(folder / "roads.parquet").to_crs(4326).geometry.to_numpy()
    towns = gpd.read_file(folder / "towns.geojson").to_crs(4326).set_index("code")
    table = pd.read_csv(folder / "education.csv", encoding="utf-8-sig").dropna(subset=["lon", "lat"])
    places = table[["lon", "lat"]].to_numpy()
    assert detect(places, lines, towns).datum == "wgs84"
    mixed = places.copy()
    mixed[second] = np.column_stack(gcj02_from_wgs84(*places[second].T))
    found = detect(mixed, lines, towns)
    assert (found.datum, found.reason in {"mixed", "unclear"}) == (None, True)


# --- in a study ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """Give a copy of the bundled study whose shifted lists say auto."""
    folder = copy_example(tmp_path_factory.mktemp("auto") / "haiyan")
    for datum in ("gcj02", "bd09"):
        edit(folder / "study.toml", f'datum = "{datum}"', 'datum = "auto"')
    return folder


def test_auto_finds_what_was_declared(county):
    declared = run_audit(ROOT / "data" / "geo" / "haiyan", 2025)
    detected = run_audit(county, 2025)
    notes = {one.path: one.notes for one in detected.reading.inputs if "datum" in " ".join(one.notes)}
    assert notes["culture.xlsx"][0].startswith("datum_detected:gcj02|")
    assert notes["welfare.csv"][0].startswith("datum_detected:bd09|")
    assert [one.value for one in detected.targets] == [one.value for one in declared.targets]


def test_metres_of_a_few_rows_are_evidence_enough(toytown):
    """Zones are a hundred kilometres apart: seven homes in metres can be in no other."""
    plain = run_audit(toytown, 2025)
    edit(toytown / "study.toml", 'datum = "EPSG:4549"', 'datum = "auto"')
    found = run_audit(toytown, 2025)
    assert [one.value for one in found.targets] == [one.value for one in plain.targets]
    notes = [note for one in found.reading.inputs for note in one.notes]
    assert "datum_detected:EPSG:4549|100%" in notes


def test_a_list_that_is_not_clear_is_refused_with_what_to_do(toytown):
    (toytown / "facilities.csv").write_text(
        "id,name,service,lon,lat\nL1,Library,library,120.01,30.51\nG1,Gym,gym,120.02,30.51\n", "utf-8"
    )
    text = (toytown / "study.toml").read_text("utf-8")
    head, _, tail = text.partition("[[facilities]]")
    (toytown / "study.toml").write_text(
        head + "[[facilities]]" + tail.replace('datum = "EPSG:4549"', 'datum = "auto"'), "utf-8"
    )
    with pytest.raises(UnusableInputError, match="too few places to detect a datum: 2 of 30") as caught:
        prepare(read_study(toytown), 2025)
    assert "declare it" in str(caught.value)
