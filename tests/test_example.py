"""The bundled county: totals, codes, realism, planted faults, designed villages, made again."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

import lifecircle as lc

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "data" / "geo" / "haiyan"
GENERATOR = ROOT / "tools" / "example" / "generate.py"
SHARED = Path(os.environ.get("LIFECIRCLE_SHARED_DATA", ROOT.parent / "shared" / "data"))

CENSUS_TOTAL, CENSUS_URBAN = 456_775, 297_920
UNITS_OF_TOWN = {
    "330424001": 25,
    "330424002": 13,
    "330424004": 13,
    "330424005": 10,
    "330424101": 12,
    "330424102": 11,
    "330424103": 9,
    "330424105": 14,
    "330424106": 15,
}
LISTED_KM2 = {
    "330424002": 56.82,
    "330424004": 54.97,
    "330424101": 66.03,
    "330424102": 64.71,
    "330424103": 42.96,
    "330424105": 115.4,
    "330424106": 69.13,
}
# Measured on the real network of Futian, each street counted once; the README repeats them.
FUTIAN = {"mean_m": 88.1, "median_m": 56.7, "arms": {1: 0.100, 3: 0.659, 4: 0.191}, "oneway": 0.455}
CULTURE = {
    "mandatory": {
        "library",
        "culture_centre",
        "museum",
        "town_culture_station",
        "culture_hall",
        "city_reading_room",
        "culture_post",
    },
    "public_benefit": {"elderly_activity_centre", "sports_park", "small_gym", "elderly_university"},
}
SMALL = ("--towns", "1", "--edges", "5000", "--residents", "2000")


@pytest.fixture(scope="module")
def study() -> dict:
    return tomllib.loads((EXAMPLE / "study.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def residents() -> pd.DataFrame:
    return pd.read_parquet(EXAMPLE / "residents.parquet")


@pytest.fixture(scope="module")
def villages() -> pd.DataFrame:
    text = {"code": str, "district": str, "class": str}
    return pd.read_csv(EXAMPLE / "villages.csv", encoding="utf-8-sig", dtype=text).set_index("code")


@pytest.fixture(scope="module")
def roads() -> gpd.GeoDataFrame:
    return gpd.read_parquet(EXAMPLE / "roads.parquet")


@pytest.fixture(scope="module")
def towns() -> gpd.GeoDataFrame:
    return gpd.read_file(EXAMPLE / "towns.geojson").set_index("code")


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    return pd.read_csv(EXAMPLE / "faults.csv", encoding="utf-8-sig", dtype=str)


@pytest.fixture(scope="module")
def designed() -> pd.DataFrame:
    return pd.read_csv(EXAMPLE / "designed.csv", encoding="utf-8-sig", dtype={"code": str})


@pytest.fixture(scope="module")
def registers(study: dict) -> dict[str, tuple[gpd.GeoDataFrame, pd.DataFrame]]:
    """Every facility file as the study declares it: (facilities, rejects)."""
    return {
        part["file"]: lc.read_facilities(
            EXAMPLE / part["file"],
            datum=part.get("datum", "wgs84"),
            columns=part.get("columns"),
            services=part.get("services"),
        )
        for part in study["facilities"]
    }


@pytest.fixture(scope="module")
def facilities(registers: dict) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.concat([register for register, _ in registers.values()]), crs="EPSG:4326")


def homes(residents: pd.DataFrame) -> np.ndarray:
    """Places of the residents in metres (n, 2); those without coordinates left out."""
    known = residents.dropna(subset=["lon", "lat"])
    points = gpd.GeoSeries(gpd.points_from_xy(known.lon, known.lat), crs="EPSG:4326").to_crs("EPSG:4549")
    return np.column_stack([points.x, points.y])


def metres(frame: gpd.GeoDataFrame) -> np.ndarray:
    points = frame.geometry.to_crs("EPSG:4549")
    return np.column_stack([points.x, points.y])


def test_is_small_and_complete(study):
    parts = ["roads", "demand", "districts", "villages", "indicators", "barriers"]
    named = [study[part]["file"] for part in parts] + [part["file"] for part in study["facilities"]]
    assert not [name for name in named if not (EXAMPLE / name).is_file()]
    data = [path for path in EXAMPLE.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in data) < 6_000_000


def test_folder_holds_data_alone():
    kinds = {path.suffix for path in EXAMPLE.rglob("*") if path.is_file()}
    assert kinds <= {".csv", ".geojson", ".md", ".parquet", ".toml", ".xlsx"}
    assert not [path for path in EXAMPLE.iterdir() if path.is_dir()]


def test_says_that_it_is_synthetic(study):
    assert study["synthetic"] is True
    assert "合成" in study["name"]
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert "not a survey" in readme
    assert "合成示例" in readme


# ---------------------------------------------------------------------------------------- people and places


def test_people_add_up_to_the_census(residents, villages):
    assert residents["population"].sum() == CENSUS_TOTAL
    urban = residents["village"].map(villages["urban"]).astype(bool)
    assert residents.loc[urban, "population"].sum() == CENSUS_URBAN
    per_village = residents.groupby("village")["population"].sum()
    assert per_village.reindex(villages.index).tolist() == villages["population"].tolist()


def test_groups_are_counts_within_the_population(residents):
    for group in ("age_0_2", "age_60", "nonregistered", "low_income", "disabled"):
        assert residents[group].ge(0).all()
        assert residents[group].le(residents["population"]).all()
        assert residents[group].sum() > 0
    assert (residents["age_0_2"] + residents["age_60"]).le(residents["population"]).all()
    assert 0.015 < residents["age_0_2"].sum() / CENSUS_TOTAL < 0.03
    assert 0.2 < residents["age_60"].sum() / CENSUS_TOTAL < 0.3


def test_residents_stand_about_100_m_apart(residents):
    assert 20_000 <= len(residents) <= 30_000
    assert residents["id"].is_unique
    places = homes(residents)
    apart = cKDTree(places).query(places, k=2)[0][:, 1]
    assert 65 < np.median(apart) < 115


def test_residents_name_units_that_exist(residents, villages, towns):
    assert set(residents["village"]) == set(villages.index)
    assert residents["village"].map(villages["district"]).tolist() == residents["district"].tolist()
    assert set(residents["district"]) == set(towns.index)


def test_codes_and_classes_of_villages(villages):
    assert villages.index.is_unique
    assert villages.index.str.fullmatch(r"\d{12}").all()
    assert villages["district"].tolist() == villages.index.str[:9].tolist()
    assert villages.groupby("district").size().to_dict() == UNITS_OF_TOWN
    assert villages["class"].str.startswith("1").tolist() == villages["urban"].astype(bool).tolist()
    assert {"accepted_culture", "accepted_civic"} <= set(villages.columns)


@pytest.mark.shared_data
def test_names_and_codes_are_the_listed_ones(villages, towns):
    listed = SHARED / "haiyan" / "villages_330424.csv"
    if not listed.is_file():
        pytest.skip(f"the list of villages is not at {listed}")
    names = pd.read_csv(listed, dtype=str, encoding="utf-8-sig").set_index("code")["name"]
    assert villages["name"].to_dict() == names.to_dict()
    streets = pd.read_csv(SHARED / "haiyan" / "streets_330424.csv", dtype=str, encoding="utf-8-sig")
    assert towns["name"].to_dict() == dict(zip(streets["code"], streets["name"], strict=True))


def test_towns_tile_the_county(towns):
    tiles = towns.to_crs("EPSG:4549")
    areas = tiles.area / 1e6
    assert areas.sum() == pytest.approx(584.96, rel=0.002)
    assert tiles.union_all().area / 1e6 == pytest.approx(areas.sum(), rel=1e-4)
    for code, listed in LISTED_KM2.items():
        assert areas[code] == pytest.approx(listed, rel=0.01)
    assert towns.geometry["330424001"].contains(shapely.Point(120.942, 30.528))


def test_committees_lie_in_their_towns(villages, towns):
    places = shapely.points(villages["lon"], villages["lat"])
    assert shapely.contains(towns.geometry.loc[villages["district"]].to_numpy(), places).all()


# ---------------------------------------------------------------------------------------------------- roads


def test_roads_join_at_their_junctions(roads):
    assert roads.crs.to_epsg() == 4549
    assert 20_000 <= len(roads) <= 60_000
    start = shapely.get_coordinates(shapely.get_point(roads.geometry.to_numpy(), 0))
    end = shapely.get_coordinates(shapely.get_point(roads.geometry.to_numpy(), -1))
    uv = roads[["u", "v"]].to_numpy()
    place = np.full((uv.max() + 1, 2), np.nan)
    place[uv[:, 0]] = start
    place[uv[:, 1]] = end
    assert not np.isnan(place).any()
    np.testing.assert_array_equal(place[uv[:, 0]], start)
    np.testing.assert_array_equal(place[uv[:, 1]], end)
    assert len(np.unique(place, axis=0)) == len(place)
    every = shapely.get_coordinates(roads.geometry.to_numpy())
    np.testing.assert_array_equal(every * 64, np.round(every * 64))


def figures(uv: np.ndarray, length_m: np.ndarray, oneway: np.ndarray) -> dict:
    arms = np.bincount(uv.ravel())
    arms = arms[arms > 0]
    return {
        "mean_m": length_m.mean(),
        "median_m": np.median(length_m),
        "arms": {number: (arms == number).mean() for number in (1, 3, 4)},
        "oneway": oneway.mean(),
    }


def test_network_is_within_a_fifth_of_a_real_one(roads):
    ours = figures(roads[["u", "v"]].to_numpy(), roads.length.to_numpy(), roads["oneway"].to_numpy())
    for name in ("mean_m", "median_m", "oneway"):
        assert ours[name] == pytest.approx(FUTIAN[name], rel=0.2)
    for number, share in FUTIAN["arms"].items():
        assert ours["arms"][number] == pytest.approx(share, rel=0.2)


@pytest.mark.shared_data
def test_figures_of_the_real_network_are_as_stated():
    path = SHARED / "futian" / "futian.graphml"
    if not path.is_file():
        pytest.skip(f"the network of Futian is not at {path}")
    graph = nx.read_graphml(path, force_multigraph=True)
    number = {name: place for place, name in enumerate(graph.nodes)}
    streets = {}
    for one, two, data in graph.edges(data=True):
        ends = sorted((number[one], number[two]))
        streets[*ends, round(float(data["length"]), 1)] = str(data["oneway"]) == "True"
    keys = np.array(list(streets))
    real = figures(keys[:, :2].astype(int), keys[:, 2], np.array(list(streets.values())))
    assert real["mean_m"] == pytest.approx(FUTIAN["mean_m"], abs=0.1)
    assert real["median_m"] == pytest.approx(FUTIAN["median_m"], abs=0.1)
    assert real["oneway"] == pytest.approx(FUTIAN["oneway"], abs=0.001)
    assert real["arms"] == pytest.approx(FUTIAN["arms"], abs=0.001)


def test_only_bridges_cross_water(roads):
    barriers = gpd.read_parquet(EXAMPLE / "barriers.parquet")
    assert set(barriers["kind"]) == {"canal", "expressway", "lake"}
    water = barriers[barriers["kind"] != "expressway"].geometry.to_numpy()
    edge = np.unique(shapely.STRtree(roads.geometry.to_numpy()).query(water, predicate="crosses")[1])
    assert len(edge) > 200
    assert roads["bridge"].to_numpy()[edge].all()


def test_one_network_and_one_fragment(roads):
    uv = roads[["u", "v"]].to_numpy()
    size = uv.max() + 1
    joined = coo_matrix((np.ones(len(uv)), uv.T), shape=(size, size))
    parts = np.bincount(connected_components(joined, directed=False)[1])
    assert len(parts) == 2
    assert 5 < parts.min() < 200


def test_whoever_drives_can_return(roads):
    on_foot = ["footway", "path", "pedestrian", "steps"]
    drive = roads[~roads["highway"].isin([*on_foot, "motorway", "motorway_link"])]
    uv = drive[["u", "v"]].to_numpy()
    back = ~drive["oneway"].to_numpy()
    size = uv.max() + 1
    tail, head = np.concatenate([uv, uv[back][:, ::-1]]).T
    graph = coo_matrix((np.ones(len(tail)), (tail, head)), shape=(size, size))
    label = connected_components(graph, directed=True, connection="strong")[1]
    main = np.bincount(label).argmax()
    whole = connected_components(graph, directed=False)[1]
    largest = whole[uv[:, 0]] == np.bincount(whole[uv[:, 0]]).argmax()
    assert (label[uv[largest]] == main).all(axis=1).mean() > 0.97


# ----------------------------------------------------------------------------------------------- facilities


def test_every_service_of_the_profile_is_there(facilities):
    profile = importlib.resources.files("lifecircle") / "standards" / "profiles" / "haiyan-2025.toml"
    asked = {service["id"] for service in tomllib.loads(profile.read_text(encoding="utf-8"))["service"]}
    assert set(facilities["service"]) == asked


def test_facility_names_are_marked_and_ids_unique(facilities):
    assert facilities["name"].str.startswith("示例·").all()
    assert facilities.index.is_unique


def test_facilities_serve_units_that_exist(facilities, villages, towns):
    serves = facilities["serves"].dropna()
    assert set(serves[serves != ""]) <= {"330424", *villages.index, *towns.index}


def test_more_opens_every_year(facilities):
    open_by_year = [int(lc.facilities.open_in(facilities, year).sum()) for year in range(2020, 2026)]
    assert open_by_year == sorted(set(open_by_year))
    plan = facilities["opened"].between("2021-01-01", "2025-12-31")
    assert 0.2 < plan.mean() < 0.6


def test_facilities_lie_in_the_county(facilities, towns):
    county = towns.union_all().buffer(0.002)
    assert shapely.contains(county, facilities.geometry.to_numpy()).all()


def test_capacity_meets_one_goal_and_misses_the_other(facilities, residents):
    there = facilities[lc.facilities.open_in(facilities, 2025)]
    places = there.loc[there["service"].isin(["nursery", "kindergarten_nursery"]), "capacity"].sum()
    assert 4.5 <= places / CENSUS_TOTAL * 1_000 < 4.7
    carers = pd.to_numeric(there["carers"]).sum()
    assert 22 < carers / residents["age_60"].sum() * 10_000 < 27


def test_indicators_are_those_of_the_profile(towns):
    profile = importlib.resources.files("lifecircle") / "standards" / "profiles" / "haiyan-2025.toml"
    targets = tomllib.loads(profile.read_text(encoding="utf-8"))["target"]
    asked = {target["id"]: target["unit"] for target in targets if target["kind"] == "indicator"}
    asked["civic_points"] = "share"  # counted from the outlets; what is registered stands beside it
    table = pd.read_csv(EXAMPLE / "indicators.csv", encoding="utf-8-sig", dtype={"district": str})
    county = table[table["district"].isna()]
    for target, unit in asked.items():
        rows = county[county["target"] == target]
        assert rows["year"].tolist() == [2021, 2022, 2023, 2024, 2025]
        assert set(rows["unit"]) == {unit}
    assert set(table["target"]) == set(asked)
    assert set(table["district"].dropna()) == set(towns.index)


# ------------------------------------------------------------------------------------- planted and designed


def ids_of(planted: pd.DataFrame, kind: str) -> list[list[str]]:
    rows = planted.loc[planted["kind"] == kind, "id"]
    assert len(rows)
    return [row.split() for row in rows]


def test_duplicates_are_the_same_venue_twice(registers):
    for file, column in (("culture.xlsx", "名称"), ("health.csv", "name")):
        path = EXAMPLE / file
        raw = pd.read_excel(path) if file.endswith("xlsx") else pd.read_csv(path)
        planted = pd.read_csv(EXAMPLE / "faults.csv", encoding="utf-8-sig", dtype=str)
        own = planted[(planted["file"] == path.stem) & planted["kind"].isin(["duplicate", "near_duplicate"])]
        assert len(own) >= 2
        names = raw.set_index(raw.columns[0])[column]
        for pair in own["id"].str.split():
            first, second = (names[one].replace(" ", "") for one in pair)
            assert first == second
    assert registers


def test_renamed_venue_is_open_once(facilities, planted):
    ((old, new),) = ids_of(planted, "renamed")
    pair = facilities.loc[[old, new]]
    assert pair["name"].nunique() == 2
    assert pair.to_crs("EPSG:4549").geometry.iloc[0].distance(pair.to_crs("EPSG:4549").geometry.iloc[1]) < 1
    for year in range(2020, 2026):
        assert lc.facilities.open_in(pair, year).sum() == 1


def test_rows_in_the_wrong_datum_lie_off_their_places(registers, residents, planted):
    ((*own,),) = ids_of(planted, "wrong_datum")
    culture = registers["culture.xlsx"][0]
    raw = pd.read_excel(EXAMPLE / "culture.xlsx").set_index("编号").loc[own]
    written = gpd.GeoSeries(gpd.points_from_xy(raw["经度"], raw["纬度"]), index=own, crs="EPSG:4326")
    tree = cKDTree(homes(residents))
    assert tree.query(metres(gpd.GeoDataFrame(geometry=written)))[0].max() < 20
    off = written.to_crs("EPSG:4549").distance(culture.loc[own].to_crs("EPSG:4549").geometry)
    assert off.between(300, 800).all()
    others = culture.drop(own)
    assert np.quantile(tree.query(metres(others))[0], 0.95) < 20


def test_unreadable_rows_are_rejected(registers, planted):
    asked = planted[planted["kind"] == "unreadable"].groupby("file").size().to_dict()
    for stem, count in asked.items():
        rejects = registers[f"{stem}.csv"][1]
        reasons = rejects[~rejects["reason"].str.contains("twice")]
        assert reasons["row"].nunique() == count


def test_far_hamlet_and_people_without_place(residents, roads, planted):
    table = residents.set_index("id")
    ((*far,),) = ids_of(planted, "far_hamlet")
    places = homes(table.loc[far])
    nearest = shapely.STRtree(roads.geometry.to_numpy()).query_nearest(
        shapely.points(places), return_distance=True, all_matches=False
    )[1]
    assert len(places) == 4
    assert nearest.min() > 500
    ((*placeless,),) = ids_of(planted, "no_place")
    assert table.loc[placeless, ["lon", "lat"]].isna().all(axis=None)
    assert table[["lon", "lat"]].isna().any(axis=1).sum() == len(placeless)


def test_people_live_on_the_fragment(residents, roads, planted):
    uv = roads[["u", "v"]].to_numpy()
    size = uv.max() + 1
    label = connected_components(coo_matrix((np.ones(len(uv)), uv.T), shape=(size, size)), directed=False)[1]
    cut_off = label[uv[:, 0]] != np.bincount(label).argmax()
    edge = shapely.STRtree(roads.geometry.to_numpy()).query_nearest(
        shapely.points(homes(residents)), all_matches=False
    )[1]
    known = residents.dropna(subset=["lon"])
    people = int(known["population"].to_numpy()[cut_off[edge]].sum())
    effect = planted.loc[planted["kind"] == "fragment", "effect"].item()
    assert people > 50
    assert f" {people} people" in effect


def test_designed_villages_by_purpose(designed, villages):
    assert set(designed["code"]) <= set(villages.index)
    count = designed.groupby("purpose").size()
    assert count["straight_yes_reach_no"] >= 5
    assert count["straight_no_reach_yes"] >= 2
    assert (designed["detour"] >= 1.5).sum() >= 5
    yes = designed[designed["purpose"] == "straight_yes_reach_no"]
    no = designed[designed["purpose"] == "straight_no_reach_yes"]
    assert (yes["reach_share"] < 0.4).all()
    assert (no["reach_share"] > 0.6).all()


def test_circles_of_designed_villages_hold_or_fail_as_listed(designed, villages, facilities):
    there = facilities[lc.facilities.open_in(facilities, 2025)]
    units = villages.loc[designed["code"]]
    centres = metres(
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(units["lon"], units["lat"]), crs="EPSG:4326")
    )
    radius = np.where(units["urban"].astype(bool), 1_000, 1_500)
    one, two = (
        cKDTree(metres(there[there["service"].isin(CULTURE[name])])).query(centres, k=[rank])[0][:, 0]
        for name, rank in (("mandatory", 1), ("public_benefit", 2))
    )
    holds = (one <= radius) & (two <= radius)
    assert holds.tolist() == designed["straight_holds"].tolist()
    assert holds.tolist() == (designed["purpose"] != "straight_no_reach_yes").tolist()


# ------------------------------------------------------------------------------------------ making it again


def made(out: Path, *options: str) -> dict[str, bytes]:
    command = [sys.executable, str(GENERATOR), "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_generator_is_deterministic_and_obeys_its_seed(tmp_path):
    first = made(tmp_path / "first", *SMALL)
    again = made(tmp_path / "again", *SMALL)
    assert first == again
    expected = {
        path.name for path in EXAMPLE.iterdir() if path.suffix in {".csv", ".parquet", ".xlsx", ".geojson"}
    }
    assert set(first) == expected | {"study.toml"}
    other = made(tmp_path / "other", *SMALL, "--seed", "7")
    assert other["roads.parquet"] != first["roads.parquet"]
    assert other["residents.parquet"] != first["residents.parquet"]
    edges = len(gpd.read_parquet(tmp_path / "first" / "roads.parquet"))
    assert edges == pytest.approx(5_000, rel=0.3)
    people = pd.read_parquet(tmp_path / "first" / "residents.parquet")["population"].sum()
    assert people == round(CENSUS_URBAN / 9) + (round(CENSUS_TOTAL / 9) - round(CENSUS_URBAN / 9))


def test_readme_names_what_was_designed(designed, planted):
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    for row in designed.itertuples():
        line = next(text for text in readme.splitlines() if text.startswith(f"| `{row.purpose}`"))
        assert row.name.removesuffix("村委会") in line
    for kind in planted["kind"].unique():
        assert f"| `{kind}` |" in readme
    people = planted.loc[planted["kind"] == "fragment", "effect"].item().split(", ")[1].split(":")[0]
    assert people in readme


def test_readme_states_the_measured_figures(roads):
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    ours = figures(roads[["u", "v"]].to_numpy(), roads.length.to_numpy(), roads["oneway"].to_numpy())
    for cell in (
        f"| {ours['mean_m']:.1f} | 88.1 |",
        f"| {ours['median_m']:.1f} | 56.7 |",
        f"| {ours['oneway']:.3f} | 0.455 |",
        *(f"| {ours['arms'][number]:.3f} | {share:.3f} |" for number, share in FUTIAN["arms"].items()),
        f"{len(roads):,} street edges",
    ):
        assert cell in readme
