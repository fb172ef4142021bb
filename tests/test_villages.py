"""Villages: read with every fault reported, given their district, and every resident given a village."""

import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from lifecircle.datum import gcj02_from_wgs84
from lifecircle.demand import (
    OUTSIDE,
    accepted_targets,
    assign_districts,
    assign_villages,
    read_accepted,
    read_demand,
    read_villages,
    village_centres,
    with_districts,
)
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.tables import REJECT_COLUMNS

HEAD = "code,name,district,class,urban,lon,lat,accepted_culture,accepted_civic"
ROWS = [
    "330424001001,东村,01,111,,120.90,30.50,1,",
    "330424001002,西村,01,220,,120.92,30.50,否,是",
    "330424001003,南村,01,220,是,120.94,30.50,,",
    "330424002001,东村,02,111,false,120.96,30.50,true,0",
    "330424002002,北村,02,,,120.98,30.50,false,yes",
]


def write(path, rows, head=HEAD):
    path.write_text("\n".join([head, *rows, ""]), "utf-8")
    return path


@pytest.fixture
def villages(tmp_path):
    found, rejects = read_villages(write(tmp_path / "villages.csv", ROWS))
    assert rejects.empty
    return found


def square(west, south, east, north):
    return shapely.box(west, south, east, north)


@pytest.fixture
def districts():
    return gpd.GeoDataFrame(
        {"name": ["一镇", "二镇"], "urban": pd.array([True, pd.NA], dtype="boolean")},
        geometry=[square(120.89, 30.4, 120.95, 30.6), square(120.95, 30.4, 121.0, 30.6)],
        crs="EPSG:4326",
        index=pd.Index(["01", "02"], name="code"),
    )


def residents(places, **columns):
    frame = {"population": np.arange(1.0, len(places) + 1), **columns}
    points = [None if place is None else shapely.Point(place) for place in places]
    return gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326")


# --- reading ----------------------------------------------------------------------------------------


def test_every_column_is_read(villages):
    assert villages.index.tolist() == [row.split(",")[0] for row in ROWS]
    assert villages.index.name == "code"
    assert villages["name"].tolist() == ["东村", "西村", "南村", "东村", "北村"]
    assert villages["district"].tolist() == ["01", "01", "01", "02", "02"]
    assert villages["class"].tolist() == ["111", "220", "220", "111", ""]
    assert villages["accepted_culture"].tolist() == [True, False, False, True, False]
    assert villages["accepted_civic"].tolist() == [False, True, False, False, True]
    assert villages["accepted_culture"].dtype == bool
    assert accepted_targets(villages) == ["culture", "civic"]
    assert villages.crs == "EPSG:4326"
    assert shapely.get_coordinates(villages.geometry)[:, 0].tolist() == [
        120.9,
        120.92,
        120.94,
        120.96,
        120.98,
    ]


def test_the_flag_decides_before_the_class_and_neither_is_unknown(villages):
    assert villages["urban"].astype(object).tolist() == [True, False, True, False, pd.NA]


@pytest.mark.parametrize("code", ["111", "112", "121", "122", "123"])
def test_classes_that_begin_with_1_are_urban(tmp_path, code):
    found, _ = read_villages(
        write(tmp_path / "v.csv", [f"1,a,,{code},120.9,30.5"], "code,name,district,class,lon,lat")
    )
    assert found["urban"].tolist() == [True]


def test_classes_survive_a_spreadsheet(tmp_path):
    frame = pd.DataFrame(
        {
            "code": [330424001001, 330424001002, 330424001003],
            "name": ["a", "b", "c"],
            "class": [111.0, 220.0, np.nan],
            "lon": [120.9, 120.91, 120.92],
            "lat": 30.5,
        }
    )
    frame.to_excel(tmp_path / "v.xlsx", index=False)
    found, rejects = read_villages(tmp_path / "v.xlsx")
    assert rejects.empty
    assert found.index.tolist() == ["330424001001", "330424001002", "330424001003"]
    assert found["class"].tolist() == ["111", "220", ""]
    assert found["urban"].astype(object).tolist() == [True, False, pd.NA]


def test_a_class_of_neither_kind_is_reported_and_unknown(tmp_path, caplog):
    head = "code,name,class,lon,lat"
    found, _ = read_villages(write(tmp_path / "v.csv", ["1,a,city,120.9,30.5", "2,b,220,120.9,30.5"], head))
    assert found["urban"].astype(object).tolist() == [pd.NA, False]
    assert "city" in caplog.text
    assert "v.csv" in caplog.text


def test_least_columns_are_enough(tmp_path):
    found, rejects = read_villages(write(tmp_path / "v.csv", ["1,a,120.9,30.5"], "code,name,lon,lat"))
    assert rejects.empty
    assert found["district"].tolist() == [""]
    assert found["class"].tolist() == [""]
    assert found["urban"].isna().all()
    assert accepted_targets(found) == []


def test_declared_datum_is_undone(tmp_path):
    lon, lat = gcj02_from_wgs84(120.9, 30.5)
    path = write(tmp_path / "v.csv", [f"1,a,{float(lon)!r},{float(lat)!r}"], "code,name,lon,lat")
    found, _ = read_villages(path, datum="gcj02")
    assert found.geometry.iloc[0].x == pytest.approx(120.9, abs=1e-8)
    x, y = pyproj.Transformer.from_crs(4326, 4549, always_xy=True).transform(120.9, 30.5)
    path = write(tmp_path / "w.csv", [f"1,a,{x!r},{y!r}"], "code,name,x,y")
    found, _ = read_villages(path, datum="EPSG:4549")
    assert found.geometry.iloc[0].y == pytest.approx(30.5, abs=1e-8)


def test_polygons_stay_polygons_and_their_middle_is_the_centre(tmp_path):
    layer = gpd.GeoDataFrame(
        {"code": ["1", "2"], "name": ["a", "b"]},
        geometry=[square(120.9, 30.5, 120.92, 30.52), square(120.92, 30.5, 120.94, 30.52)],
        crs="EPSG:4326",
    )
    layer.to_crs(4549).to_file(tmp_path / "v.gpkg")
    found, rejects = read_villages(tmp_path / "v.gpkg")
    assert rejects.empty
    assert found.geometry.iloc[0].equals_exact(layer.geometry.iloc[0], 1e-8, normalize=True)
    centres = village_centres(found, "EPSG:4549")
    expected = shapely.get_coordinates(layer.to_crs(4549).centroid)
    assert centres == pytest.approx(expected, abs=1e-3)


def test_polygons_in_a_shifted_datum_are_moved_back():
    """The village lies where its people do, not half a kilometre beside."""
    true = square(120.9, 30.5, 120.92, 30.52)
    shifted = shapely.transform(true, lambda xy: np.column_stack(gcj02_from_wgs84(xy[:, 0], xy[:, 1])))
    layer = gpd.GeoDataFrame({"code": ["1"], "name": ["a"]}, geometry=[shifted])
    found, _ = read_villages(layer, datum="gcj02")
    assert found.geometry.iloc[0].equals_exact(true, 1e-7, normalize=True)
    assert not shifted.equals_exact(true, 1e-3, normalize=True)
    metres = gpd.GeoDataFrame({"code": ["1"], "name": ["a"]}, geometry=[true], crs=4326).to_crs(4549)
    found, _ = read_villages(metres.set_crs(None, allow_override=True), datum="EPSG:4549")
    assert found.geometry.iloc[0].equals_exact(true, 1e-7, normalize=True)


def test_a_polygon_that_crosses_itself_is_mended():
    bow = shapely.Polygon([(120.9, 30.5), (120.92, 30.52), (120.92, 30.5), (120.9, 30.53)])
    found, rejects = read_villages(gpd.GeoDataFrame({"code": ["1"], "name": ["a"]}, geometry=[bow], crs=4326))
    assert rejects.empty
    assert found.geometry.is_valid.all()


# --- faults -----------------------------------------------------------------------------------------


def test_faults_of_rows_are_rejects_with_all_that_mends_them(tmp_path):
    rows = [
        *ROWS,
        ",无码村,01,220,,120.9,30.5,,",
        "330424001009,,01,220,,120.9,30.5,,",
        "330424001010,无心村,01,220,,,,,",
        "330424001011,远村,01,220,,520.9,30.5,,",
        "330424001001,又东村,01,220,,120.9,30.5,,",
        "330424001013,疑村,01,220,maybe,120.9,30.5,,",
        "330424001014,许村,01,220,,120.9,30.5,perhaps,",
    ]
    found, rejects = read_villages(write(tmp_path / "v.csv", rows), max_rejected=1.0)
    assert found.index.tolist() == [row.split(",")[0] for row in ROWS]
    assert found.loc["330424001001", "name"] == "东村"  # the first of a double stands
    assert rejects.columns.tolist() == REJECT_COLUMNS
    assert rejects[["row", "column", "value"]].to_numpy().tolist() == [
        [7, "code", ""],
        [8, "name", ""],
        [9, "lon", ""],
        [10, "lon", "520.9"],
        [11, "code", "330424001001"],
        [12, "urban", "maybe"],
        [13, "accepted_culture", "perhaps"],
    ]
    assert (rejects["file"] == str(tmp_path / "v.csv")).all()
    assert (rejects["remedy"] != "").all()
    reasons = rejects.set_index("row")["reason"]
    assert reasons[7] == "blank"
    assert reasons[9].startswith("village without a centre")
    assert reasons[10].startswith("village without a centre")
    assert "same code" in reasons[11]


def test_two_villages_without_a_code_are_not_doubles_of_each_other(tmp_path):
    rows = [*ROWS, ",a,01,,,120.9,30.5,,", ",b,01,,,120.9,30.5,,"]
    _, rejects = read_villages(write(tmp_path / "v.csv", rows), max_rejected=1.0)
    assert rejects["reason"].tolist() == ["blank", "blank"]


def test_too_many_rejects_are_unusable(tmp_path):
    path = write(tmp_path / "v.csv", [*ROWS, ",无码村,01,220,,120.9,30.5,,"])
    with pytest.raises(UnusableInputError, match=r"v\.csv, 1 of 6 rows: 16\.7% of the rows rejected"):
        read_villages(path)
    assert len(read_villages(path, max_rejected=1 / 6)[0]) == 5


def test_what_is_wrong_with_the_file_is_reported_at_once(tmp_path):
    with pytest.raises(UnusableInputError) as caught:
        read_villages(write(tmp_path / "v.csv", ["1,a"], "nmae,where"))
    places = [fault.place for fault in caught.value.faults]
    assert places == ["column 'code'", "column 'name'", "column 'lon'", "column 'lat'"]
    with pytest.raises(MissingFileError):
        read_villages(tmp_path / "none.csv")


# --- districts of villages --------------------------------------------------------------------------


def test_a_village_is_of_the_district_it_names_else_of_the_one_it_lies_in(villages, districts, caplog):
    stated = villages.assign(district=["一镇", "", "02", "三镇", "02"])
    before = stated.copy()
    labelled = with_districts(stated, districts)
    assert labelled["district"].tolist() == ["01", "01", "02", "02", "02"]
    pd.testing.assert_frame_equal(stated, before)
    assert "三镇" in caplog.text  # unknown: where it lies decides
    assert "1 villages name another district" in caplog.text  # the third says 02 and lies in 01


def test_a_village_of_no_district_is_outside(villages, districts):
    far = villages.set_geometry(shapely.points([[120.0, 30.0]] * 5), crs="EPSG:4326").assign(district="")
    assert with_districts(far, districts)["district"].tolist() == [OUTSIDE] * 5


def test_without_a_layer_districts_are_those_of_the_table(villages):
    some = villages.assign(district=["A", "", "A", "", "B"])
    for none in (None, gpd.GeoDataFrame({"name": []}, geometry=[], crs="EPSG:4326")):
        assert with_districts(some, none)["district"].tolist() == ["A", OUTSIDE, "A", OUTSIDE, "B"]


# --- villages of residents --------------------------------------------------------------------------


def test_code_then_name_within_the_district_then_nearest_centre(villages, districts):
    villages = with_districts(villages, districts)
    homes = residents(
        [
            (120.90, 30.5),
            (120.90, 30.5),
            (120.97, 30.5),
            (120.929, 30.5),
            (120.951, 30.5),
            None,
            None,
            (119, 30.5),
        ],
        village=["330424001003", "西村", "东村", "", None, "330424002002", "", ""],
        district=["", "", "", "", "", "02", "02", ""],
    )
    found = assign_villages(assign_districts(homes, districts), villages)
    assert found["village"].tolist() == [
        "330424001003",  # by code, though another centre is nearer
        "330424001002",  # by name
        "330424002001",  # by a name that both districts have: the one of its own
        "330424001002",  # nearest centre
        "330424002001",  # nearest of its own district, 120.96, though 120.94 in the other is as near
        "330424002002",  # by code, without a place
        "",  # neither place nor word
        "",  # outside every district
    ]
    assert found["population"].sum() == homes["population"].sum()
    assert found["village"].notna().all()


def test_the_nearest_centre_of_another_district_is_never_taken(villages, districts):
    villages = with_districts(villages, districts)
    homes = residents([(120.9501, 30.5), (120.9499, 30.5)])  # 120.94 and 120.96 are about as near
    found = assign_villages(assign_districts(homes, districts), villages)
    assert found["village"].tolist() == ["330424002001", "330424001003"]


def test_nearness_counts_metres_not_degrees(villages):
    """0.010 degrees of longitude are 958 m here, 0.009 degrees of latitude 998 m."""
    two = villages.iloc[:2].set_geometry(shapely.points([[120.91, 30.5], [120.9, 30.509]]), crs="EPSG:4326")
    found = assign_villages(residents([(120.9, 30.5)], district="01"), two)
    assert found["village"].tolist() == [two.index[0]]


def test_an_unknown_word_is_reported_and_the_place_decides(villages, districts, caplog):
    villages = with_districts(villages, districts)
    homes = residents([(120.921, 30.5), None], village=["无此村", "无此村"], district=["", "01"])
    found = assign_villages(assign_districts(homes, districts), villages)
    assert found["village"].tolist() == ["330424001002", ""]
    assert "2 rows name a village that is not in the table: 无此村" in caplog.text


def test_a_name_that_two_villages_of_a_district_have_names_neither(villages, districts):
    villages = with_districts(villages, districts).assign(name="同村")
    homes = residents([(120.921, 30.5)], village="同村")
    assert assign_villages(assign_districts(homes, districts), villages)["village"].tolist() == [
        "330424001002"
    ]


def test_codes_that_became_numbers_are_codes(villages, districts):
    homes = residents([(120.9, 30.5)] * 3, village=[330424001003.0, np.nan, 330424001002.0])
    villages = with_districts(villages, districts)
    found = assign_villages(assign_districts(homes, districts), villages)
    assert found["village"].tolist() == ["330424001003", "330424001001", "330424001002"]


def test_polygons_decide_before_centres(districts):
    """A long village and a small one: the home lies in the long one, nearer to the small one's middle."""
    layer = gpd.GeoDataFrame(
        {"code": ["10", "9"], "name": ["long", "small"], "district": "01"},
        geometry=[square(120.89, 30.5, 120.93, 30.51), square(120.93, 30.5, 120.932, 30.51)],
        crs="EPSG:4326",
    )
    villages = with_districts(read_villages(layer)[0], districts)
    homes = residents([(120.929, 30.505), (120.93, 30.505), (120.94, 30.505), None], district="01")
    found = assign_villages(assign_districts(homes, districts), villages)
    # on the border the lowest code; outside both the nearest centre
    assert found["village"].tolist() == ["10", "9", "9", ""]


def test_a_layer_of_polygons_and_points_uses_both(districts):
    layer = gpd.GeoDataFrame(
        {"code": ["1", "2"], "name": ["area", "point"], "district": "01"},
        geometry=[square(120.90, 30.5, 120.94, 30.51), shapely.Point(120.901, 30.505)],
        crs="EPSG:4326",
    )
    villages = with_districts(read_villages(layer)[0], districts)
    homes = residents([(120.902, 30.505), (120.899, 30.505)])
    found = assign_villages(assign_districts(homes, districts), villages)
    assert found["village"].tolist() == ["1", "2"]


def test_without_districts_the_nearest_of_all_centres_counts(tmp_path):
    rows = ["1,a,120.90,30.5", "2,b,120.92,30.5"]
    villages = with_districts(read_villages(write(tmp_path / "v.csv", rows, "code,name,lon,lat"))[0], None)
    homes = residents([(120.901, 30.5), (120.93, 30.5), None], village=["", "a", ""])
    found = assign_villages(assign_districts(homes, None), villages)
    assert found["village"].tolist() == ["1", "1", ""]


def test_without_villages_the_own_column_stays():
    homes = residents([(120.9, 30.5), None], village=["x", None])
    assert assign_villages(homes, None)["village"].tolist() == ["x", ""]
    assert assign_villages(residents([(120.9, 30.5)]), None)["village"].tolist() == [""]


def test_an_empty_table_of_villages_gives_nobody_one(villages):
    found = assign_villages(residents([(120.9, 30.5)], district="01", village="东村"), villages.iloc[:0])
    assert found["village"].tolist() == [""]
    assert village_centres(villages.iloc[:0], "EPSG:4549").shape == (0, 2)


def test_residents_read_from_a_file_keep_every_person(tmp_path, villages, districts):
    path = tmp_path / "r.csv"
    path.write_text(
        "id,lon,lat,population,village\na,120.9,30.5,10,330424001002\nb,,,5,\nc,120.97,30.5,7,\n", "utf-8"
    )
    homes, _ = read_demand(path)
    found = assign_villages(assign_districts(homes, districts), with_districts(villages, districts))
    assert found["population"].sum() == 22
    assert found["village"].tolist() == ["330424001002", "", "330424002001"]
    assert found.groupby("village")["population"].sum().sum() == 22


# --- accepted lists in files of their own -----------------------------------------------------------


def test_an_accepted_list_by_code_or_name(tmp_path, villages):
    path = write(tmp_path / "list.csv", ["330424001001,", ",北村", "330424001003,南村"], "code,name")
    accepted, rejects = read_accepted(path, villages)
    assert rejects.empty
    assert accepted.tolist() == [True, False, True, False, True]
    assert accepted.dtype == bool
    assert accepted.index.equals(villages.index)
    names = write(tmp_path / "names.csv", ["西村"], "name")
    assert read_accepted(names, villages)[0].tolist() == [False, True, False, False, False]
    numbers = pd.DataFrame({"code": [330424001001.0]})
    assert read_accepted(numbers, villages)[0].sum() == 1


@pytest.mark.parametrize("word", ["02", "二镇"])
def test_a_name_of_two_districts_needs_the_district(tmp_path, villages, districts, word):
    path = write(tmp_path / "list.csv", [f"东村,{word}"], "name,district")
    for table in (villages, with_districts(villages, districts)):
        accepted, _ = read_accepted(path, table, districts=districts)
        assert accepted.tolist() == [False, False, False, True, False]


def test_rows_that_are_no_village_are_rejects_with_the_nearest_name(tmp_path, villages):
    rows = [
        "330424001001,,",
        ",南存,",
        "330424001022,,",
        "999,西村,",
        ",,01",
        ",东村,",
        "330424001001,北村,",
        ",西村,02",
        ",Atlantis,",
    ]
    path = write(tmp_path / "list.csv", rows, "code,name,district")
    accepted, rejects = read_accepted(path, villages, max_rejected=1.0)
    assert accepted.tolist() == [True, False, False, False, False]
    assert (rejects["file"] == str(path)).all()
    told = rejects.set_index("row")
    assert told["column"].tolist() == ["name", "code", "code", "code", "name", "name", "name", "name"]
    assert told.index.tolist() == [3, 4, 5, 6, 7, 8, 9, 10]
    assert told.loc[3, ["value", "reason", "remedy"]].tolist() == [
        "南存",
        "unknown village",
        "did you mean '南村' (330424001003)?",
    ]
    assert told.loc[4, "remedy"].startswith("did you mean '")
    assert told.loc[5, "remedy"] == "did you mean '西村' (330424001002)?"
    assert told.loc[6, "reason"] == "neither code nor name"
    assert told.loc[7, "reason"] == "2 villages have this name: 330424001001, 330424002001"
    assert "district" in told.loc[7, "remedy"]
    assert told.loc[8, "reason"] == "code and name disagree: 330424001001 is 东村, 北村 is 330424002002"
    assert told.loc[9, "reason"] == "no village of this name in district 02"
    assert told.loc[9, "remedy"] == "did you mean the one in district 01?"
    assert "Atlantis" in told.loc[10, "value"]


def test_a_village_listed_twice_has_passed_once_and_another_spelling_is_reported(tmp_path, villages, caplog):
    rows = ["330424001001,东村", "330424001001,东村村民委员会"]
    accepted, rejects = read_accepted(write(tmp_path / "list.csv", rows, "code,name"), villages)
    assert rejects.empty
    assert accepted.sum() == 1
    assert "东村村民委员会" in caplog.text


def test_an_unusable_accepted_list(tmp_path, villages):
    with pytest.raises(UnusableInputError, match=r"list\.csv, column 'code / name'.*columns present: where"):
        read_accepted(write(tmp_path / "list.csv", ["x"], "where"), villages)
    with pytest.raises(UnusableInputError, match=r"1 of 2 rows.*unknown village \(南存\)"):
        read_accepted(write(tmp_path / "list.csv", ["南村", "南存"], "name"), villages)
    with pytest.raises(MissingFileError):
        read_accepted(tmp_path / "none.csv", villages)


@pytest.fixture(autouse=True)
def _hear_warnings(caplog):
    caplog.set_level(logging.WARNING, logger="lifecircle")
