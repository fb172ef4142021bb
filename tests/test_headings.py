"""Headings: one table of synonyms for every table, and no guess where two headings mean one column."""

import tomllib

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box

from conftest import ROOT, edit
from lifecircle.audit import run_audit
from lifecircle.candidates import CANDIDATE_COLUMNS, read_candidates
from lifecircle.datum import locate
from lifecircle.demand import (
    DEMAND_COLUMNS,
    DISTRICT_COLUMNS,
    VILLAGE_COLUMNS,
    read_accepted,
    read_demand,
    read_districts,
    read_villages,
)
from lifecircle.errors import UnusableInputError
from lifecircle.facilities import (
    DETAIL_COLUMNS,
    ENTRANCE_COLUMNS,
    FACILITY_COLUMNS,
    read_facilities,
)
from lifecircle.headings import named, plain_heading, synonyms
from lifecircle.indicators import INDICATOR_COLUMNS
from lifecircle.tables import read_table
from lifecircle.wording import explain, fault_line

SCHEMAS = (
    CANDIDATE_COLUMNS,
    DEMAND_COLUMNS,
    DETAIL_COLUMNS,
    DISTRICT_COLUMNS,
    ENTRANCE_COLUMNS,
    FACILITY_COLUMNS,
    INDICATOR_COLUMNS,
    VILLAGE_COLUMNS,
)
PLACE = {"经度": ["120.9", "121.0"], "纬度": ["30.5", "30.6"]}


def catalogue():
    return tomllib.loads((ROOT / "coverage/lifecircle/headings.toml").read_text("utf-8"))


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_no_heading_means_two_columns_of_a_table(schema):
    meant = {}
    ids = () if schema is ENTRANCE_COLUMNS else ("id",)  # of an entrance no id is read
    for name in (*schema.names, *ids, "lon", "lat", "location"):
        for word in {plain_heading(one) for one in (name, *synonyms(schema.name, name))}:
            assert meant.setdefault(word, name) == name, word


def test_every_part_of_the_catalogue_is_a_table_and_its_columns():
    known = {schema.name: {*schema.names} for schema in SCHEMAS}
    for part, columns in catalogue().items():
        if part not in {"any", "accepted"}:
            assert set(columns) <= known[part], part


@pytest.mark.parametrize(
    ("heading", "plain"),
    [
        ("名 称", "名称"),
        ("Opening_Hours", "openinghours"),
        ("容纳人数（人）", "容纳人数"),
        ("床位数(单位：张)", "床位数"),
        ("村（社区）", "村(社区)"),
        ("人口（万人）", "人口(万人)"),
        ("ＬＯＮ", "lon"),
        ("*name", "name"),
    ],
)
def test_headings_are_compared_as_clerks_may_type_them(heading, plain):
    assert plain_heading(heading) == plain


def test_the_own_name_stands_before_its_synonyms():
    assert named(["NAME", "名称", "name"], "name", ["名称"]) == ("name",)
    assert named(["NAME", "名称"], "name", ["名称"]) == ("NAME",)
    assert named(["NAME", "Name"], "name") == ("NAME", "Name")
    assert named(["x"], "name", ["名称"]) == ()


@pytest.mark.parametrize(
    "heading", ["名称", "设施名称", "场馆名称", "单位名称", "名字", "Facility Name", "名 称"]
)
def test_a_register_in_chinese_needs_no_mapping(heading):
    table = pd.DataFrame(
        {
            "设施编号": ["a", "b"],
            heading: ["甲", "乙"],
            "设施类型": ["gym", "library"],
            "建成时间": ["2019", "2020年3月"],
            "容纳人数（人）": ["50", ""],
            "开放时间": ["Mo-Su 08:00-20:00", ""],
            "所属镇": ["武原", "澉浦"],
            "备注": ["x", ""],
            **PLACE,
        }
    )
    found, rejects = read_facilities(table)
    assert rejects.empty
    assert found.index.tolist() == ["a", "b"]
    assert found["name"].tolist() == ["甲", "乙"]
    assert found["service"].tolist() == ["gym", "library"]
    assert found["opened"].dt.year.tolist() == [2019, 2020]
    assert found["capacity"].tolist()[0] == 50
    assert found["district"].tolist() == ["武原", "澉浦"]
    assert found["备注"].tolist()[0] == "x"
    assert not {heading, "设施编号", "所属镇", "经度"} & set(found.columns)


def test_residents_villages_districts_candidates_in_chinese():
    people, _ = read_demand(
        pd.DataFrame({"常住人口": [3, 4], "镇街": ["a", "b"], "村(社区)": ["c", ""], **PLACE})
    )
    assert people[["population", "district", "village"]].to_numpy().tolist() == [[3, "a", "c"], [4, "b", ""]]
    villages, _ = read_villages(
        pd.DataFrame(
            {
                "行政区划代码": ["1", "2"],
                "村名": ["a", "b"],
                "所属镇": "z",
                "城乡类型": ["城镇", "乡村"],
                **PLACE,
            }
        )
    )
    assert villages["name"].tolist() == ["a", "b"]
    assert villages["urban"].tolist() == [True, False]
    assert read_accepted(pd.DataFrame({"村社区": ["b"]}), villages)[0].tolist() == [False, True]
    towns = gpd.GeoDataFrame({"镇街": ["a"], "区划代码": ["1"]}, geometry=[box(120, 30, 121, 31)], crs=4326)
    assert read_districts(towns)["name"].to_dict() == {"1": "a"}
    places, _ = read_candidates(pd.DataFrame({"地块名称": ["p", "q"], "投资": [5, 6], **PLACE}))
    assert places[["name", "cost"]].to_numpy().tolist() == [["p", 5], ["q", 6]]


@pytest.mark.parametrize(
    ("read", "columns", "part"),
    [
        (read_facilities, {"service": "gym", "名称": "a", "场馆名称": "b"}, "[[facilities]]"),
        (read_demand, {"人口": 1, "常住人口": 2}, "[demand]"),
        (read_villages, {"code": ["1", "2"], "村": "a", "社区": "b"}, "[villages]"),
        (read_candidates, {"名称": "a", "地块": "b"}, "[siting]"),
    ],
)
def test_two_headings_for_one_column_are_reported_with_the_key(read, columns, part):
    first, second = list(columns)[-2:]
    with pytest.raises(UnusableInputError) as caught:
        read(pd.DataFrame({**PLACE, **columns}))
    (fault,) = caught.value.faults
    assert f"'{first}', '{second}'" in fault.reason
    assert f"{part} in study.toml: columns = {{ " in fault.remedy
    assert f'= "{first}" }}' in fault.remedy
    assert "有多列可能是" in fault_line(fault, "zh")
    name = dict(fault.reason.values)["column"]
    table, _ = read(pd.DataFrame({**PLACE, **columns}), columns={name: second})
    assert len(table) == 2


@pytest.mark.parametrize("read", [read_demand, read_villages, read_candidates])
def test_a_name_in_columns_that_no_table_has_is_refused(read):
    with pytest.raises(
        UnusableInputError, match=r"columns\.nmae.*did you mean 'name'|columns\.nmae.*use one of"
    ):
        read(
            pd.DataFrame({"population": [1], "code": "1", "name": "a", "lon": 1, "lat": 1}),
            columns={"nmae": "a"},
        )


@pytest.mark.parametrize(
    ("cell", "point"),
    [
        ("120.947,30.518", (120.947, 30.518)),
        ("120.947 30.518", (120.947, 30.518)),
        ("（120.947；30.518）".replace("（", "(").replace("）", ")"), (120.947, 30.518)),
        ("[120.947, 30.518]", (120.947, 30.518)),
        ([120.947, 30.518], (120.947, 30.518)),
        ("120.947", "coordinate is not a number"),
        ("a,b", "coordinate is not a number"),
        ("200,30", "coordinate is out of range"),
        ("", "no coordinate"),
    ],
)
@pytest.mark.parametrize("heading", ["location", "经纬度"])
def test_one_column_may_hold_both_coordinates(heading, cell, point):
    cells = pd.Series(["120.9,30.5", "120.8,30.4", cell], dtype=object)
    found = locate(pd.DataFrame({heading: cells}))
    assert found.used == (heading, heading)
    if isinstance(point, tuple):
        assert (found.points[2].x, found.points[2].y) == point
        return
    assert found.reason[2] == point
    assert found.points[2] is None


def test_coordinates_in_two_columns_go_before_one_and_may_be_mapped():
    frame = pd.DataFrame({"lon": [120.9], "lat": [30.5], "location": ["1,2"], "gps": ["3,4"]})
    assert locate(frame).points[0].x == 120.9
    assert locate(frame, columns={"location": "gps"}).points[0].y == 4
    with pytest.raises(UnusableInputError, match=r"several columns may be the lon: 'lng', '经度'"):
        locate(pd.DataFrame({"lng": [1.0], "经度": [1.0], "lat": [1.0]}))


def test_a_district_name_in_another_column(toytown):
    towns = gpd.read_file(toytown / "districts.geojson").rename(columns={"name": "label"})
    towns.to_file(toytown / "districts.geojson", driver="GeoJSON")
    with pytest.raises(UnusableInputError, match=r"column 'name'.*under \[districts\] in study\.toml"):
        run_audit(toytown)
    edit(toytown / "study.toml", "[districts]\n", '[districts]\ncolumns = { name = "label" }\n')
    assert len(run_audit(toytown).targets) == 3


def test_sheet_header_row_and_layer_are_keys_of_a_study(toytown):
    people = pd.read_csv(toytown / "residents.csv")
    with pd.ExcelWriter(toytown / "residents.xlsx") as book:
        pd.DataFrame({"a": ["cover"]}).to_excel(book, sheet_name="cover", index=False)
        people.to_excel(book, sheet_name="people", index=False, startrow=2)
    towns = gpd.read_file(toytown / "districts.geojson")
    towns.to_file(toytown / "towns.gpkg", layer="towns")
    towns.iloc[:1].to_file(toytown / "towns.gpkg", layer="other")
    before = [result.value for result in run_audit(toytown).targets]
    edit(
        toytown / "study.toml",
        'file = "residents.csv"',
        'file = "residents.xlsx"\nsheet = "people"\nheader_row = 3',
    )
    edit(toytown / "study.toml", 'file = "districts.geojson"', 'file = "towns.gpkg"\nlayer = "towns"')
    assert [result.value for result in run_audit(toytown).targets] == before


def test_a_register_without_names_is_reported(toytown):
    edit(toytown / "facilities.csv", "id,name,", "id,whatever,")
    (read,) = [one for one in run_audit(toytown).reading.inputs if one.role == "facilities"]
    assert "names_not_found" in read.notes
    for language in ("zh", "en"):
        assert "[[facilities]]" in explain("names_not_found", language)
    assert "名称" in explain("names_not_found", "zh")


def test_a_table_read_before_is_accepted_by_every_reader():
    table = read_table(pd.DataFrame({"人口": [1, 2], **PLACE}))
    assert read_demand(table)[0]["population"].tolist() == [1, 2]
