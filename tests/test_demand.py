"""Residents: nobody is lost on the way in, and everybody gets a district."""

import logging
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from lifecircle.datum import bd09_from_wgs84
from lifecircle.demand import OUTSIDE, assign_districts, read_demand, read_districts
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.tables import REJECT_COLUMNS

RESIDENTS = pd.DataFrame(
    {
        "id": ["r1", "r2", "r3"],
        "lon": [120.90, 120.95, 121.00],
        "lat": [30.50, 30.51, 30.52],
        "population": [100, 0, 30.5],
        "age_0_2": [4, 0, 1],
        "village": ["330424001001", "", "330424001003"],
    }
)
TOWNS = gpd.GeoDataFrame(
    {"code": ["02", "01", "03"], "name": ["East", "West", "North"], "urban": ["否", "是", ""]},
    geometry=[box(121, 30, 122, 31), box(120, 30, 121, 31), box(120, 31, 122, 32)],
    crs=4326,
)


def assert_demand(demand, rejects, *, groups=(), units=()):
    """Hold the contract of a demand table and its rejects."""
    sides = ["extent_m"] if "extent_m" in demand else []  # of polygons
    assert list(demand.columns) == ["population", *groups, *units, "geometry", *sides]
    assert demand.crs.to_epsg() == 4326
    assert demand.index.name == "id"
    assert demand.index.is_unique
    for column in ("population", *groups):
        assert demand[column].dtype == np.float64
        assert (demand[column] >= 0).all()
    for column in units:
        assert all(type(value) is str for value in demand[column])
    assert demand.geometry.dropna().geom_type.eq("Point").all()
    assert list(rejects.columns) == REJECT_COLUMNS


def rows(*changes, good=40):
    base = {"population": "10", "young": "1", "lon": "120.9", "lat": "30.5"}
    return pd.DataFrame([base] * good + [{**base, **change} for change in changes])


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.parquet", "a.gpkg", "a.geojson", "a.shp"])
def test_every_format_gives_the_same_residents(tmp_path, name):
    path = tmp_path / name
    if name.endswith("csv"):
        RESIDENTS.to_csv(path, index=False)
    elif name.endswith("xlsx"):
        RESIDENTS.to_excel(path, index=False)
    elif name.endswith("parquet"):
        RESIDENTS.to_parquet(path)
    else:
        places = gpd.points_from_xy(RESIDENTS["lon"], RESIDENTS["lat"])
        layer = gpd.GeoDataFrame(RESIDENTS.drop(columns=["lon", "lat"]), geometry=places, crs=4326)
        layer.to_file(path, encoding="utf-8")
    demand, rejects = read_demand(path, groups={"under3": "age_0_2"})
    assert_demand(demand, rejects, groups=["under3"], units=["village"])
    assert rejects.empty
    assert demand.index.tolist() == ["r1", "r2", "r3"]
    assert demand["population"].tolist() == [100.0, 0.0, 30.5]
    assert demand["under3"].tolist() == [4.0, 0.0, 1.0]
    assert demand["village"].tolist() == ["330424001001", "", "330424001003"]
    assert demand.geometry.y.tolist() == [30.50, 30.51, 30.52]


def test_columns_are_named_and_sources_left_alone():
    frame = RESIDENTS.rename(columns={"population": "常住人口"})
    before = frame.copy()
    demand, rejects = read_demand(frame, population="常住人口")
    assert_demand(demand, rejects, units=["village"])
    pd.testing.assert_frame_equal(frame, before)
    again, _ = read_demand(demand)
    pd.testing.assert_frame_equal(again, demand)


def test_declared_datum_is_undone():
    lon, lat = bd09_from_wgs84(RESIDENTS["lon"], RESIDENTS["lat"])
    demand, _ = read_demand(RESIDENTS.assign(lon=lon, lat=lat), datum="bd09")
    assert demand.geometry.x.to_numpy() == pytest.approx(RESIDENTS["lon"].to_numpy(), abs=1e-9)


@pytest.mark.parametrize(
    ("change", "column", "value", "reason"),
    [
        ({"population": "-1"}, "population", "-1", "negative"),
        ({"population": "ten"}, "population", "ten", "not a number"),
        ({"population": "1,000"}, "population", "1,000", "not a number"),
        ({"population": "inf"}, "population", "inf", "not a number"),
        ({"population": ""}, "population", "", "blank"),
        ({"young": "-1"}, "young", "-1", "negative"),
        ({"young": "x"}, "young", "x", "not a number"),
        ({"young": ""}, "young", "", "blank"),
        ({"young": "11"}, "young", "11", "larger than the population (10)"),
    ],
)
def test_row_whose_count_is_at_fault_is_rejected(tmp_path, change, column, value, reason):
    path = tmp_path / "residents.csv"
    rows(change).to_csv(path, index=False)
    demand, rejects = read_demand(path, groups={"under3": "young"})
    assert_demand(demand, rejects, groups=["under3"])
    assert len(demand) == 40
    assert len(rejects) == 1
    told = rejects.iloc[0]
    assert (told["file"], told["row"], told["column"], told["value"], told["reason"]) == (
        str(path),
        42,
        column,
        value,
        reason,
    )
    assert told["remedy"]


def test_nobody_is_a_valid_count_and_a_group_may_be_everybody():
    demand, rejects = read_demand(
        rows({"population": "0", "young": "0"}, {"young": "10"}, good=0), groups={"y": "young"}
    )
    assert demand["population"].tolist() == [0.0, 10.0]
    assert rejects.empty
    third = pd.DataFrame({"population": [0.1 + 0.2], "y": [0.3000000000000001], "lon": [1], "lat": [1]})
    assert len(read_demand(third, groups={"y": "y"})[0]) == 1


@pytest.mark.parametrize("place", [{"lon": ""}, {"lat": " "}, {"lon": "", "lat": ""}])
def test_residents_without_a_place_are_kept_and_not_rejected(place):
    demand, rejects = read_demand(rows(place))
    assert_demand(demand, rejects)
    assert demand["population"].sum() == 410
    assert demand.geometry.isna().tolist() == [False] * 40 + [True]
    assert rejects.empty


@pytest.mark.parametrize(
    ("place", "column", "value", "reason"),
    [
        ({"lon": "by the pond"}, "lon", "by the pond", "coordinate is not a number"),
        ({"lat": "91"}, "lat", "91", "coordinate is out of range"),
    ],
)
def test_residents_with_an_unreadable_place_are_kept_and_noted(place, column, value, reason):
    demand, rejects = read_demand(rows(place))
    assert demand["population"].sum() == 410
    assert demand.geometry.isna().sum() == 1
    assert rejects[["row", "column", "value"]].to_numpy().tolist() == [[41, column, value]]
    assert rejects["reason"][0] == f"{reason}; the residents are kept as unsnapped"
    # A row that is rejected for its count is not also said to be kept.
    _, rejects = read_demand(rows({**place, "population": "x"}))
    assert rejects["reason"].tolist() == ["not a number"]


def test_polygons_count_at_their_centroid_and_lines_are_noted():
    shapes = [box(120, 30, 121, 31)] * 40 + [
        MultiPolygon([box(0, 0, 1, 1), box(2, 0, 3, 1)]),
        LineString([(0, 0), (1, 1)]),
        None,
    ]
    layer = gpd.GeoDataFrame({"population": 1.0}, index=range(43), geometry=shapes, crs=4326)
    demand, rejects = read_demand(layer)
    assert_demand(demand, rejects)
    assert demand.geometry.iloc[0] == Point(120.5, 30.5)
    assert demand.geometry.iloc[40] == Point(1.5, 0.5)
    assert demand.geometry.isna().sum() == 2
    assert demand["extent_m"].isna().tolist() == [False] * 41 + [True] * 2
    assert rejects[["row", "value"]].to_numpy().tolist() == [[42, "LineString"]]
    with pytest.raises(UnusableInputError, match="not a point or polygon"):
        read_demand(layer.iloc[[41]])


def test_a_polygon_is_as_wide_as_a_square_of_its_area():
    shapes = [box(500000, 3380000, 500400, 3380400), box(500000, 3381000, 500100, 3381900)]
    layer = gpd.GeoDataFrame({"population": [1.0, 2.0]}, geometry=shapes, crs="EPSG:4549")
    demand, _ = read_demand(layer)
    assert demand["extent_m"].to_numpy() == pytest.approx([400, 300], rel=1e-3)
    assert "extent_m" not in read_demand(layer.set_geometry(layer.centroid))[0]


def test_faults_of_the_file_are_reported_at_once(tmp_path):
    (tmp_path / "a.csv").write_text("popluation,long,breadth\n1,2,3\n", "utf-8")
    with pytest.raises(UnusableInputError) as caught:
        read_demand(tmp_path / "a.csv", groups={"under3": "age_0_2"})
    assert [fault.place for fault in caught.value.faults] == [
        "column 'population'",
        "column 'age_0_2'",
        "column 'lat'",
    ]
    assert "did you mean 'popluation'?" in str(caught.value)
    assert "columns present: popluation, long, breadth" in str(caught.value)
    with pytest.raises(MissingFileError, match="no such file"):
        read_demand(tmp_path / "b.csv")
    with pytest.raises(UnusableInputError, match="lon and lat look swapped"):
        read_demand(RESIDENTS.rename(columns={"lon": "lat", "lat": "lon"}))
    with pytest.raises(UnusableInputError, match="groups, village: a column has this name"):
        read_demand(RESIDENTS, groups={"village": "age_0_2"})
    with pytest.raises(UnusableInputError, match=r"2 of 3 rows: 66\.7% of the rows rejected"):
        read_demand(RESIDENTS.assign(population=[-1, -1, 1]))
    assert len(read_demand(RESIDENTS.assign(population=[-1, -1, 1]), max_rejected=0.67)[0]) == 1


counts = st.sampled_from(["0", "3", "7.25", "-1", "", "x", "nan", "1e400"])
places = st.sampled_from(["120.9", "30", "", "x", "200"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(counts, counts, places, places), min_size=1, max_size=8))
def test_people_are_conserved(values):
    frame = pd.DataFrame(values, columns=["population", "young", "lon", "lat"])
    number = pd.to_numeric(frame["population"], errors="coerce")
    valid = number.where(np.isfinite(number) & (number >= 0), 0.0)
    frame["lat"] = frame["lat"].replace("120.9", "30.5")
    demand, rejects = read_demand(frame, groups={"young": "young"}, max_rejected=1)
    assert_demand(demand, rejects, groups=["young"])
    dropped = set(rejects.loc[~rejects["reason"].str.contains("kept as unsnapped"), "row"])
    lost = valid[[row - 1 for row in sorted(dropped)]].sum()
    assert demand["population"].sum() + lost == valid.sum()
    assert len(demand) + len(dropped) == len(frame)
    assert (demand["young"] <= demand["population"]).all()


def assert_districts(districts):
    assert list(districts.columns) == ["name", "urban", "geometry"]
    assert districts.index.name == "code"
    assert districts.index.is_unique
    assert districts["urban"].dtype == "boolean"
    assert districts.crs.to_epsg() == 4326
    assert districts.geom_type.isin(["Polygon", "MultiPolygon"]).all()
    assert districts.is_valid.all()


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.shp", "a.parquet"])
def test_districts_are_read(tmp_path, name):
    path = tmp_path / name
    if name == "a.parquet":
        TOWNS.to_parquet(path)
    else:
        TOWNS.to_file(path, encoding="utf-8")
    districts = read_districts(path)
    assert_districts(districts)
    assert districts.index.tolist() == ["02", "01", "03"]
    assert districts["name"].tolist() == ["East", "West", "North"]
    assert districts["urban"].fillna(value=False).tolist() == [False, True, False]
    assert districts["urban"].isna().tolist() == [False, False, True]


def test_districts_without_code_are_called_by_name():
    districts = read_districts(TOWNS[["name", "geometry"]].to_crs(4549))
    assert_districts(districts)
    assert districts.index.tolist() == ["East", "West", "North"]
    assert districts["urban"].isna().all()
    assert districts.geometry.iloc[0].bounds == pytest.approx((121, 30, 122, 31), abs=1e-9)
    assert read_districts(districts).index.tolist() == ["East", "West", "North"]


def test_codes_of_districts_that_became_numbers_are_codes():
    assert read_districts(TOWNS.assign(code=[330424001.0, 330424002.0, 330424003.0])).index[0] == "330424001"


def test_crossing_polygon_is_mended_with_a_warning(caplog):
    bow = Polygon([(120, 30), (121, 31), (121, 30), (120, 31)])
    districts = read_districts(gpd.GeoDataFrame({"name": ["a"]}, geometry=[bow], crs=4326))
    assert_districts(districts)
    assert "polygons that cross themselves were mended (rows 1)" in caplog.text


def test_a_polygon_off_the_globe_is_named_beside_one_to_be_mended():
    far = Polygon([(119.99, 30.5), (120.02, 30.5), (120.02e86, 30.53), (119.99, math.inf)])
    bow = Polygon([(120, 30), (121, 31), (121, 30), (120, 31)])
    with pytest.raises(UnusableInputError, match="row 1: no polygon on the globe"):
        read_districts(gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=[far, bow], crs=4326))


def test_faults_of_districts_are_reported_at_once():
    shapes = [Point(0, 0), None, *TOWNS.geometry]
    codes, names, urban = ["1", "1", "", "2", "3"], ["a", "b", "c", "", "e"], ["1", "maybe", "0", "1", ""]
    layer = gpd.GeoDataFrame({"code": codes, "name": names, "urban": urban}, geometry=shapes, crs=4326)
    with pytest.raises(UnusableInputError) as caught:
        read_districts(layer)
    assert [(fault.place, fault.reason) for fault in caught.value.faults] == [
        ("row 2, column 'urban'", "not a yes or no"),
        ("row 3, column 'code'", "blank"),
        ("row 4, column 'name'", "blank"),
        ("rows 1, 2, column 'code'", "the same code twice"),
        ("row 1", "no polygon on the globe"),
        ("row 2", "no polygon on the globe"),
    ]
    with pytest.raises(UnusableInputError, match="districts have no polygons"):
        read_districts(pd.DataFrame({"name": ["a"]}))
    with pytest.raises(UnusableInputError, match="column 'name': missing column"):
        read_districts(TOWNS[["code", "geometry"]])
    with pytest.raises(UnusableInputError, match="the same name twice"):
        read_districts(TOWNS[["name", "geometry"]].assign(name=["a", "a", "b"]))
    with pytest.raises(UnusableInputError, match="look like metres"):
        read_districts(gpd.GeoDataFrame({"name": ["a"]}, geometry=[box(5e5, 3e6, 6e5, 4e6)]))


def people(*places, **columns):
    frame = gpd.GeoDataFrame({"population": 1.0}, index=range(len(places)), geometry=list(places), crs=4326)
    return frame.assign(**columns).rename_axis("id")


def test_residents_get_the_district_they_live_in():
    demand = people(Point(120.5, 30.5), Point(121.5, 30.5), Point(121.0, 31.5), Point(10, 10), None)
    before = demand.copy()
    given_districts = assign_districts(demand, read_districts(TOWNS))
    assert given_districts["district"].tolist() == ["01", "02", "03", OUTSIDE, OUTSIDE]
    pd.testing.assert_frame_equal(demand, before)
    assert given_districts.drop(columns="district").equals(demand)


def test_border_points_go_to_the_lowest_label():
    border = [Point(121, 30.5), Point(121.5, 31), Point(121, 31), Point(120, 30), Point(122, 30.5)]
    districts = read_districts(TOWNS)
    assert assign_districts(people(*border), districts)["district"].tolist() == ["01", "02", "01", "01", "02"]
    numbered = districts.set_axis(pd.Index(["10", "9", "100"], name="code"))
    assert assign_districts(people(*border), numbered)["district"].tolist() == ["9", "10", "9", "9", "10"]
    named = districts.set_axis(pd.Index(["b", "a", "7"], name="code"))
    assert assign_districts(people(*border), named)["district"].tolist() == ["a", "7", "7", "a", "b"]


def test_border_point_stays_on_the_border_when_both_were_projected():
    place = gpd.GeoSeries([Point(121, 30.123456)], crs=4326).to_crs(4549).to_crs(4326)
    districts = read_districts(TOWNS.to_crs(4549))
    assert assign_districts(people(*place), districts)["district"].tolist() == ["01"]


def test_own_column_serves_where_there_is_no_place(caplog):
    caplog.set_level(logging.WARNING)
    inside = Point(120.5, 30.5)
    demand = people(None, None, None, None, inside, inside, inside, Point(10, 10))
    demand["district"] = ["02", "East", "", "Atlantis", "01", "West", "02", "02"]
    answer = assign_districts(demand, read_districts(TOWNS))["district"]
    assert answer.tolist() == ["02", "02", OUTSIDE, OUTSIDE, "01", "01", "01", OUTSIDE]
    assert "1 rows name another district than the one they lie in" in caplog.text
    assert "1 rows name a district that is not in the layer: Atlantis" in caplog.text


def test_name_of_two_districts_names_none():
    districts = read_districts(TOWNS.assign(name=["a", "a", "b"]))
    assert assign_districts(people(None, None, district=["a", "b"]), districts)["district"].tolist() == [
        OUTSIDE,
        "03",
    ]


def test_without_districts_the_column_stands():
    demand = people(Point(0, 0), None, district=["x", ""])
    for none in (None, read_districts(TOWNS).iloc[:0]):
        assert assign_districts(demand, none)["district"].tolist() == ["x", OUTSIDE]
    assert assign_districts(people(Point(0, 0)), None)["district"].tolist() == [OUTSIDE]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(1195, 1225), st.integers(295, 325)), max_size=30))
def test_districts_lose_nobody_and_agree_with_plain_tests(grid):
    demand = people(*(Point(x / 10, y / 10) for x, y in grid))
    districts = read_districts(TOWNS).sort_index()
    answer = assign_districts(demand, districts)["district"]
    expected = [
        next((code for code, shape in districts.geometry.items() if shape.intersects(point)), OUTSIDE)
        for point in demand.geometry
    ]
    assert answer.tolist() == expected
    totals = demand["population"].groupby(answer).sum()
    assert totals.sum() == demand["population"].sum()


def test_toy_town_is_read(toytown):
    groups = {"under3": "age_0_2", "over60": "age_60"}
    demand, rejects = read_demand(toytown / "residents.csv", groups=groups, datum="EPSG:4549")
    assert_demand(demand, rejects, groups=groups)
    districts = read_districts(toytown / "districts.geojson")
    assert_districts(districts)
    x, y = pyproj.Transformer.from_crs(4326, 4549, always_xy=True).transform(
        demand.geometry.x, demand.geometry.y
    )
    raw = pd.read_csv(toytown / "residents.csv")
    assert np.hypot(x - raw["x"], y - raw["y"]).max() < 1e-6
    assert set(assign_districts(demand, districts)["district"]) <= {*districts.index, OUTSIDE}


def test_real_hexagons_are_read_whole(shared_data):
    path = shared_data / "sao_paulo" / "spo_hexgrid.csv"
    if not path.is_file():
        pytest.skip("the hexagons of São Paulo are not among the real inputs")
    demand, rejects = read_demand(path)
    assert rejects.empty
    raw = pd.read_csv(path)
    assert demand["population"].sum() == raw["population"].sum()
    assert demand.index.tolist() == raw["id"].tolist()
