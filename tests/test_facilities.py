"""The facility register: what is read, what is rejected, what is refused, and what is open in a year."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon

from lifecircle.datum import gcj02_from_wgs84
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.facilities import FACILITY_COLUMNS, open_in, read_facilities
from lifecircle.tables import DATE_DTYPE, REJECT_COLUMNS

REGISTER = pd.DataFrame(
    {
        "id": ["L1", "G1", "G2"],
        "name": ["图书馆", "Gym west", "Gym east"],
        "service": ["library", "gym", "gym"],
        "lon": [120.90, 120.95, 121.00],
        "lat": [30.50, 30.51, 30.52],
        "opened": ["2010", "2023-06-01", None],
        "closed": [None, "2025-01-01", None],
        "capacity": [120, None, 40],
        "hours": ["09:00-17:00", "", "06:00-22:00"],
    }
)


def assert_facilities(facilities, rejects, *, extra=()):
    """Hold the contract of a register and its rejects."""
    shown = facilities.columns.drop("polygon", errors="ignore")  # where any row is drawn as one
    assert list(shown) == [*FACILITY_COLUMNS.names, *extra, "source", "row", "geometry"]
    assert facilities.crs.to_epsg() == 4326
    assert facilities.index.name == "id"
    assert facilities.index.is_unique
    assert facilities["opened"].dtype == facilities["closed"].dtype == DATE_DTYPE
    assert facilities["capacity"].dtype == np.float64
    assert all(type(value) is str for column in ("name", "service") for value in facilities[column])
    assert (facilities["service"] != "").all()
    assert (facilities.geom_type == "Point").all()
    assert list(rejects.columns) == REJECT_COLUMNS


def days(column):
    return column.dt.strftime("%Y-%m-%d").fillna("").tolist()


def row(**changes):
    base = {"id": "a", "name": "Clinic", "service": "clinic", "lon": "120.9", "lat": "30.5"}
    return {**base, **changes}


def rows(*changes, good=40):
    """Make a table of good rows followed by the given ones."""
    table = [row(id=f"g{number}") for number in range(good)]
    return pd.DataFrame(table + [row(id=f"b{number}", **change) for number, change in enumerate(changes)])


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.parquet", "a.gpkg", "a.geojson", "a.shp"])
def test_every_format_gives_the_same_register(tmp_path, name):
    path = tmp_path / name
    if name.endswith("csv"):
        REGISTER.to_csv(path, index=False)
    elif name.endswith("xlsx"):
        REGISTER.to_excel(path, index=False)
    elif name.endswith("parquet"):
        REGISTER.to_parquet(path)
    else:
        places = gpd.points_from_xy(REGISTER["lon"], REGISTER["lat"])
        gpd.GeoDataFrame(REGISTER.drop(columns=["lon", "lat"]), geometry=places, crs=4326).to_file(
            path, encoding="utf-8"
        )
    facilities, rejects = read_facilities(path)
    assert_facilities(facilities, rejects)
    assert rejects.empty
    assert facilities.index.tolist() == ["L1", "G1", "G2"]
    assert facilities["name"].tolist() == ["图书馆", "Gym west", "Gym east"]
    assert days(facilities["opened"]) == ["2010-01-01", "2023-06-01", ""]
    assert facilities["capacity"].fillna(-1).tolist() == [120, -1, 40]
    assert facilities.geometry.x.tolist() == [120.90, 120.95, 121.00]
    assert facilities["hours"].fillna("").tolist() == ["09:00-17:00", "", "06:00-22:00"]


def test_columns_and_services_are_named_by_the_file(tmp_path):
    path = tmp_path / "文化.csv"
    path.write_text(
        "编号,名称,类别,开放日期,经度,纬度,时间\n1,甲,文化礼堂,2021年,120.9,30.5,09:00-17:00\n2,乙,library,,120.9,30.5,\n",
        "gb18030",
    )
    facilities, rejects = read_facilities(
        path,
        columns={"id": "编号", "name": "名称", "service": "类别", "opened": "开放日期", "hours": "时间"},
        services={"文化礼堂": "culture_hall"},
        known_services=["culture_hall", "library"],
    )
    assert_facilities(facilities, rejects)
    assert facilities.index.tolist() == ["1", "2"]
    assert facilities["service"].tolist() == ["culture_hall", "library"]
    assert facilities["name"].tolist() == ["甲", "乙"]
    assert days(facilities["opened"]) == ["2021-01-01", ""]


def test_one_service_may_be_declared_for_all():
    frame = REGISTER[["lon", "lat", "service"]]
    facilities, rejects = read_facilities(frame, service="clinic", known_services={"clinic"})
    assert_facilities(facilities, rejects)
    assert facilities["service"].tolist() == ["clinic"] * 3
    assert facilities["name"].tolist() == [""] * 3
    assert facilities.index.tolist() == [1, 2, 3]
    with pytest.raises(
        UnusableInputError, match=r"unknown service id \(found: clinik\).*did you mean 'clinic'"
    ):
        read_facilities(frame, service="clinik", known_services=["clinic"])


def test_sources_are_not_changed():
    frame, layer = (
        REGISTER.copy(),
        gpd.GeoDataFrame({"service": ["a"]}, geometry=[Point(120.9, 30.5)], crs=4326),
    )
    before = layer.copy()
    read_facilities(frame)
    read_facilities(layer)
    pd.testing.assert_frame_equal(frame, REGISTER)
    pd.testing.assert_frame_equal(layer, before)


def test_register_reads_its_own_answer():
    facilities, _ = read_facilities(REGISTER)
    again, rejects = read_facilities(facilities)
    pd.testing.assert_frame_equal(again, facilities)
    assert rejects.empty


def test_codes_stay_codes(tmp_path):
    frame = pd.DataFrame([row(id=330424001.0, serves="007"), row(id=330424002.0, serves="008")])
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    facilities, _ = read_facilities(tmp_path / "a.xlsx")
    assert facilities.index.tolist() == ["330424001", "330424002"]
    assert facilities["serves"].tolist() == ["007", "008"]


@pytest.mark.parametrize(
    ("change", "column", "value", "reason"),
    [
        ({"lon": ""}, "lon", "", "no coordinate"),
        ({"lat": "north"}, "lat", "north", "coordinate is not a number"),
        ({"lon": "181"}, "lon", "181", "coordinate is out of range"),
        ({"lat": "-90.1"}, "lat", "-90.1", "coordinate is out of range"),
        ({"service": " "}, "service", "", "blank"),
        ({"opened": "不详"}, "opened", "不详", "not a date"),
        ({"closed": "2021-02-30"}, "closed", "2021-02-30", "not a date"),
        (
            {"opened": "2021", "closed": "2020-12-31"},
            "closed",
            "2020-12-31",
            "closed before it opened on 2021-01-01",
        ),
        ({"capacity": "-1"}, "capacity", "-1", "negative"),
        ({"capacity": "many"}, "capacity", "many", "not a number"),
    ],
)
def test_row_at_fault_is_rejected_and_the_rest_goes_on(tmp_path, change, column, value, reason):
    path = tmp_path / "clinics.csv"
    rows(change).to_csv(path, index=False)
    facilities, rejects = read_facilities(path)
    assert_facilities(facilities, rejects)
    assert len(facilities) == 40
    assert len(rejects) == 1
    assert rejects.iloc[0].to_dict() | {"remedy": ""} == {
        "file": str(path),
        "row": 42,
        "column": column,
        "value": value,
        "reason": reason,
        "remedy": "",
    }
    assert rejects["remedy"][0]


def test_facility_may_close_on_the_day_it_opens():
    facilities, rejects = read_facilities(pd.DataFrame([row(opened="2021-05-01", closed="2021-05-01")]))
    assert (len(facilities), len(rejects)) == (1, 0)


def test_every_fault_of_a_row_is_reported_but_the_row_counts_once():
    facilities, rejects = read_facilities(rows({"lon": "x", "service": "", "opened": "y"}, good=19))
    assert rejects["column"].tolist() == ["service", "opened", "lon"]
    assert rejects["row"].tolist() == [20, 20, 20]
    assert len(facilities) == 19


def test_share_of_rejects_is_limited_inclusively():
    bad = rows({"lon": "x"}, {"lon": "y"}, good=38)
    assert len(read_facilities(bad)[1]) == 2
    with pytest.raises(UnusableInputError) as caught:
        read_facilities(rows({"lon": "x"}, {"lon": "y"}, {"lat": "z"}, good=38))
    message = str(caught.value)
    assert message.startswith(
        "(table), 3 of 41 rows: 7.3% of the rows rejected, more than 5.0%: row 39, column 'lon'"
    )
    assert "coordinate is not a number (x); row 40" in message
    assert "Remedy: mend these rows, or raise max_rejected" in message
    facilities, rejects = read_facilities(rows({"lon": "x"}, good=0), max_rejected=1)
    assert (len(facilities), len(rejects)) == (0, 1)
    assert_facilities(facilities, rejects)


def test_layers_have_row_faults_too():
    square = Polygon([(120, 30), (121, 30), (121, 31), (120, 31)])
    shapes = [Point(120.9, 30.5)] * 40 + [square, None, LineString([(0, 0), (1, 1)])]
    layer = gpd.GeoDataFrame({"service": "park"}, index=range(43), geometry=shapes, crs=4326)
    facilities, rejects = read_facilities(layer)
    assert_facilities(facilities, rejects)
    assert facilities.geometry.iloc[-1] == Point(120.5, 30.5)
    assert list(zip(rejects["row"], rejects["column"], rejects["value"], rejects["reason"], strict=True)) == [
        (42, "geometry", "", "empty geometry"),
        (43, "geometry", "LineString", "not a point or polygon"),
    ]


def test_unknown_services_are_refused_with_the_nearest():
    names = ["clinic", "clinc", "clinc", "药店", "x"]
    frame = pd.DataFrame([row(id=str(number), service=name) for number, name in enumerate(names)])
    with pytest.raises(UnusableInputError) as caught:
        read_facilities(frame, services={"药店": "pharmacie"}, known_services=["clinic", "pharmacy"])
    first, second, third = caught.value.faults
    assert str(first) == (
        "(table), row 2 and 1 more, column 'service': unknown service id (found: clinc). "
        "Remedy: did you mean 'clinic'? (or map it in services)"
    )
    assert (second.value, second.reason) == ("药店", "unknown service id 'pharmacie'")
    assert second.remedy.startswith("did you mean 'pharmacy'?")
    assert third.remedy.startswith("use one of clinic, pharmacy")
    assert read_facilities(frame)[0]["service"].tolist() == names


def test_faults_of_the_file_are_reported_at_once(tmp_path):
    (tmp_path / "a.csv").write_text("Titel,sevice,long,breadth\na,b,1,2\n", "utf-8")
    with pytest.raises(UnusableInputError) as caught:
        read_facilities(tmp_path / "a.csv", columns={"name": "Title", "opend": "x", "note": "hrs"})
    told = [(fault.place, fault.remedy.split("?")[0]) for fault in caught.value.faults]
    assert told == [
        ("column 'Title'", "did you mean 'Titel'"),
        ("column 'service'", "did you mean 'sevice'"),
        ("columns.opend", "did you mean 'opened'"),
        ("column 'hrs'", "leave note out of columns"),
        ("column 'lat'", "add it (coordinates are wgs84)"),
    ]
    assert "columns present: Titel, sevice, long, breadth" in str(caught.value)


def test_missing_file_and_swapped_coordinates_are_refused(tmp_path):
    with pytest.raises(MissingFileError, match="no such file"):
        read_facilities(tmp_path / "a.csv")
    with pytest.raises(UnusableInputError, match="lon and lat look swapped"):
        read_facilities(REGISTER.rename(columns={"lon": "lat", "lat": "lon"}))
    with pytest.raises(UnusableInputError, match="a datum is detected only beside roads"):
        read_facilities(REGISTER, datum="auto")


def test_declared_datum_is_undone():
    lon, lat = gcj02_from_wgs84(REGISTER["lon"], REGISTER["lat"])
    facilities, _ = read_facilities(REGISTER.assign(lon=lon, lat=lat), datum="gcj02")
    assert facilities.geometry.x.to_numpy() == pytest.approx(REGISTER["lon"].to_numpy(), abs=1e-9)
    metric = gpd.GeoDataFrame(
        REGISTER, geometry=gpd.points_from_xy(REGISTER["lon"], REGISTER["lat"]), crs=4326
    ).to_crs(4549)
    columns = REGISTER.drop(columns=["lon", "lat"]).assign(x=metric.geometry.x, y=metric.geometry.y)
    facilities, rejects = read_facilities(columns, datum="EPSG:4549")
    assert_facilities(facilities, rejects)
    assert facilities.geometry.y.to_numpy() == pytest.approx(REGISTER["lat"].to_numpy(), abs=1e-9)


def test_doubled_ids_fall_back_to_row_numbers(caplog):
    facilities, _ = read_facilities(pd.DataFrame([row(), row()]))
    assert facilities.index.tolist() == [1, 2]
    assert "holds a value twice" in caplog.text


@pytest.mark.parametrize(
    ("opened", "closed", "year", "state"),
    [
        (None, None, 1990, True),
        ("2021-12-31", None, 2021, True),
        ("2022-01-01", None, 2021, False),
        ("2022", None, 2022, True),
        (None, "2021-12-31", 2021, False),
        (None, "2022-01-01", 2021, True),
        (None, "2022", 2021, True),
        (None, "2022", 2022, False),
        ("2021", "2021", 2021, False),
    ],
)
def test_state_of_a_year_is_its_last_day(opened, closed, year, state):
    facilities, _ = read_facilities(pd.DataFrame([row(opened=opened, closed=closed)]))
    there = open_in(facilities, year)
    assert (there.name, there.dtype, there.tolist()) == ("open", bool, [state])
    assert there.index.equals(facilities.index)


cells = st.sampled_from(["120.9", "", "x", "200", "1e999", "-0"])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(cells, st.sampled_from(["clinic", ""]), st.sampled_from(["2020", "", "??"])),
        min_size=1,
        max_size=8,
    )
)
def test_each_row_is_kept_or_rejected(values):
    frame = pd.DataFrame(
        [row(id=str(n), lon=lon, service=s, opened=o) for n, (lon, s, o) in enumerate(values)]
    )
    facilities, rejects = read_facilities(frame, max_rejected=1)
    assert_facilities(facilities, rejects)
    kept = {int(name) + 1 for name in facilities.index}
    assert kept | set(rejects["row"]) == set(range(1, len(frame) + 1))
    assert not kept & set(rejects["row"])
