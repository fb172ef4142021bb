"""Locating lists by addresses: taking addresses apart, matching, and an audit that reads the answer."""

import dataclasses
import functools
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import run as lifecircle
from conftest import edit
from lifecircle.audit import prepare, run_audit
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.facilities import read_facilities
from lifecircle.locate import (
    ANSWER,
    Gazetteer,
    KnownPlace,
    LocateOrder,
    Row,
    gather_places,
    locate_list,
    locate_rows,
    located_lines,
    match_row,
    plain_address,
    read_list,
    take_apart,
)
from lifecircle.locate._address import town_names
from lifecircle.locate._known_places import (
    STREET_M,
    address_places,
    names_within,
    street_places,
    village_forms,
    village_places,
)
from lifecircle.locate._street_names import read_street_names
from lifecircle.study import copy_example, read_study
from locate_addresses import COUNTY, made_up
from test_ledger import everything

TOWNS = town_names({"1": "武原街道", "2": "澉浦镇", "3": "沈荡镇"})
NAMES = {"1": "武原街道", "2": "澉浦镇", "3": "沈荡镇"}
CRS = "EPSG:4549"


# ---------------------------------------------------------------------------------------------------------
# Addresses taken apart


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("海盐县　武原街道枣园西路１２号", "海盐县武原街道枣园西路12号"),
        ("枣园西路 12—3 号（二楼）", "枣园西路12-3号"),
        ("朝阳路一百二十三号", "朝阳路123号"),
        ("中钱村十一组", "中钱村11组"),
        ("福华三路二○号", "福华3路20号"),
        ("", ""),
    ],
)
def test_plain_addresses(text, plain):
    assert plain_address(text) == plain


@pytest.mark.parametrize(
    ("text", "county", "town", "before", "number"),
    [
        ("浙江省嘉兴市海盐县武原街道枣园西路12弄3号5幢201室", "海盐县", "1", "枣园西路", "12弄3号"),
        ("嘉兴海盐武原镇朝阳东路一百二十号", "", "1", "朝阳东路", "120号"),
        ("澉浦镇镇中村3组12号", "", "2", "镇中村3组", "12号"),
        ("海盐县县前街18号", "海盐县", "", "县前街", "18号"),
        ("县前街18号", "", "", "县前街", "18号"),
        ("海盐经济开发区新桥北路189号3号楼", "", "", "海盐经济开发区新桥北路", "189号"),
        ("新镇路12号", "", "", "新镇路", "12号"),
        ("武原街道勤俭路123", "", "1", "勤俭路", "123号"),
        ("1号路8号", "", "", "1号路", "8号"),
        ("枣园社区枣园路12-3号", "", "", "枣园社区枣园路", "12-3号"),
    ],
)
def test_an_address_is_taken_apart(text, county, town, before, number):
    found = take_apart(text, TOWNS)
    assert (found.county, found.town, found.before, found.number) == (county, town, before, number)


def test_a_town_that_the_study_has_not_is_kept_as_stated():
    found = take_apart("平湖市新埭镇平黎路1号", TOWNS)
    assert (found.county, found.town, found.town_text) == ("平湖市", "", "新埭镇")


def test_a_building_is_left_out_and_a_village_called_after_one_is_not():
    assert take_apart("武原街道钟楼社区3幢201室", TOWNS).rest == "钟楼社区"
    assert take_apart("武原街道钟楼社区", TOWNS).rest == "钟楼社区"


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_text_is_taken_apart_without_an_error(text):
    found = take_apart(text, TOWNS)
    assert found.core in found.text or found.number
    assert match_row(Row(text, name=text, town=text, village=text), usual()).outcome


# ---------------------------------------------------------------------------------------------------------
# Matching


def place(east, north):
    """Return degrees of a place metres from 120.9 E, 30.5 N, near enough."""
    return 120.9 + east / 95_900, 30.5 + north / 110_850


def gazetteer(addresses=(), streets=(), villages=None):
    """Return known places of three towns; a street is a name and its course in metres."""
    rows = villages or [
        ("1", "百可社区居委会", 0, 0),
        ("1", "城北村委会", 800, 0),
        ("2", "澉浦社区", 0, -9000),
        ("2", "澉浦村委会", 900, -9000),
        ("2", "镇中村委会", 0, -9500),
        ("3", "永兴村委会", -9000, 3000),
        ("1", "永兴村委会", 700, 700),
    ]
    table = pd.DataFrame(rows, columns=["district", "name", "x", "y"])
    lon, lat = place(table["x"], table["y"])
    layer = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    box = [
        shapely.box(*place(-3000, -3000), *place(3000, 3000)),
        shapely.box(*place(-3000, -12000), *place(3000, -6000)),
    ]
    towns = gpd.GeoDataFrame(
        {"name": ["武原街道", "澉浦镇"]}, geometry=box, crs="EPSG:4326", index=["1", "2"]
    )
    lines = [shapely.LineString([place(*point) for point in course]) for _, course in streets]
    roads = gpd.GeoDataFrame({"name": [name for name, _ in streets]}, geometry=lines, crs="EPSG:4326")
    known = village_places(layer, town_of=NAMES, crs=CRS)
    table = pd.DataFrame(
        [(text, *place(*xy), grade) for text, xy, grade in addresses],
        columns=["address", "lon", "lat", "grade"],
    )
    return Gazetteer(
        TOWNS,
        NAMES,
        known,
        street_places(roads, districts=towns, crs=CRS),
        address_places(table, towns=TOWNS, villages=known),
        "海盐县",
    )


@functools.cache
def usual():
    return gazetteer()


def metres(match, east, north):
    _, _, apart = pyproj.Geod(ellps="WGS84").inv(match.place.lon, match.place.lat, *place(east, north))
    return apart


def test_a_house_number_comes_before_a_street_and_a_street_before_a_village():
    street = ("枣园路", [(0, 300), (400, 300)])
    known = gazetteer([("武原街道枣园路12号", (100, 310), "")], [street])
    text = "海盐县武原街道百可社区枣园路{}号"
    found = match_row(Row(text.format(12)), known)
    assert (found.outcome, found.grade, found.score) == ("address", "C", 100.0)
    assert metres(found, 100, 310) < 1
    found = match_row(Row(text.format(14)), known)
    assert (found.outcome, found.grade) == ("street", "C")
    assert metres(found, 200, 300) < 2
    assert "14号 is not in the address file" in str(found.reason)
    found = match_row(Row(text.format(14)), gazetteer())
    assert (found.outcome, found.grade) == ("village", "D")
    assert metres(found, 0, 0) < 1


def test_the_grade_of_the_address_file_is_that_of_the_position():
    known = gazetteer([("枣园路12号", (100, 310), "A"), ("枣园路14号", (100, 310), "B")])
    assert [match_row(Row(f"枣园路{number}号"), known).grade for number in (12, 14)] == ["A", "B"]


def test_equal_places_are_never_chosen_between():
    known = gazetteer([("枣园路12号", (0, 0), ""), ("枣园路12号", (500, 0), "")])
    found = match_row(Row("枣园路12号"), known)
    assert (found.outcome, found.place, len(found.candidates)) == ("ambiguous", None, 2)
    assert "2 places fit equally" in str(found.reason)
    # Two rows of one house, 20 m apart, are one place.
    known = gazetteer([("枣园路12号", (0, 0), ""), ("枣园路12号", (20, 0), "")])
    assert match_row(Row("枣园路12号"), known).outcome == "address"


def test_a_town_decides_between_villages_of_one_name():
    known = gazetteer()
    assert match_row(Row("海盐县永兴村"), known).outcome == "ambiguous"
    found = match_row(Row("沈荡镇永兴村"), known)
    assert (found.outcome, found.place.town) == ("village", "3")
    assert match_row(Row("永兴村", town="武原街道"), known).place.town == "1"
    assert match_row(Row("", village="永兴村委会", town="沈荡镇"), known).place.town == "3"


def test_a_community_is_no_village_of_the_same_name():
    known = gazetteer()
    assert match_row(Row("澉浦镇澉浦社区"), known).place.name == "澉浦社区"
    assert match_row(Row("澉浦镇澉浦村"), known).place.name == "澉浦村委会"
    found = match_row(Row("澉浦镇澉浦12号"), known)
    assert (found.outcome, {one.name for one, _ in found.candidates}) == (
        "ambiguous",
        {"澉浦社区", "澉浦村委会"},
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("平湖市城北村", "平湖市 is not the county of the study"),
        ("海盐县富亭镇城北村", "富亭镇 is no town of the study"),
        ("海盐县澉浦镇城北村", "城北村委会 does not lie in 澉浦镇"),
    ],
)
def test_an_address_of_elsewhere_is_not_placed(text, reason):
    found = match_row(Row(text), gazetteer())
    assert (found.outcome, found.place, str(found.reason)) == ("elsewhere", None, reason)
    assert str(found.remedy)


def test_an_address_and_a_column_that_contradict_each_other():
    found = match_row(Row("武原街道城北村", town="澉浦镇"), gazetteer())
    assert (found.outcome, found.place) == ("elsewhere", None)
    assert "the column of towns says 澉浦镇" in str(found.reason)


def test_a_column_of_towns_or_villages_that_says_otherwise_is_no_small_matter():
    found = match_row(Row("城北村", town="富亭镇"), gazetteer())
    assert (found.outcome, str(found.reason)) == ("elsewhere", "富亭镇 is no town of the study")
    assert match_row(Row("城北村", town="县直"), gazetteer()).outcome == "village"
    found = match_row(Row("武原街道城北村", village="百可社区"), gazetteer())
    assert (found.outcome, len(found.candidates)) == ("ambiguous", 2)
    assert match_row(Row("武原街道城北村", village="城北村委会"), gazetteer()).outcome == "village"


def test_a_house_number_far_from_the_village_that_is_named_is_not_taken():
    known = gazetteer([("澉浦镇枣园路12号", (0, -9000), "")])
    found = match_row(Row("海盐县百可社区枣园路12号"), known)
    assert (found.outcome, found.place, len(found.candidates)) == ("ambiguous", None, 2)
    known = gazetteer([("澉浦镇枣园路12号", (0, -9000), ""), ("枣园路12号", (100, 300), "")])
    assert metres(match_row(Row("海盐县百可社区枣园路12号"), known), 100, 300) < 1


def test_the_county_s_city_may_stand_before_a_known_town():
    assert match_row(Row("嘉兴市武原街道城北村"), gazetteer()).outcome == "village"


def test_a_typing_error_gives_candidates_and_no_position():
    found = match_row(Row("武原街道城比村委会"), gazetteer())
    assert (found.outcome, found.place, found.score) == ("unlike", None, 50.0)
    assert found.candidates[0][0].name == "城北村委会"
    assert "most alike: 城北村委会 (50 %)" in str(found.reason)


def test_a_long_name_that_is_nearly_one_is_taken_and_graded_no_better_than_an_address():
    """Of 20 signs one differs: 2 x 19 / 40 are 95 %."""
    text = "海盐经济开发区国际生命科技创业园东门广场路"
    known = gazetteer([(f"{text}8号", (0, 0), "A")])
    found = match_row(Row(f"{text.replace('科技', '科枝')}8号"), known)
    assert (found.outcome, found.grade) == ("similar", "C")
    assert found.score == pytest.approx(100 * 19 / 20)
    assert match_row(Row(f"{text.replace('科技', '科枝')}9号"), known).place is None


def test_two_that_are_equally_alike_are_not_chosen_between():
    text = "海盐经济开发区国际生命科技创业园东门广场路"
    known = gazetteer(
        [(f"{text.replace('东', one)}8号", (place_m, 0), "") for one, place_m in (("南", 0), ("北", 900))]
    )
    found = match_row(Row(f"{text}8号"), known)
    assert (found.outcome, found.place) == ("ambiguous", None)


def test_a_long_street_gives_no_position_but_its_village_does():
    known = gazetteer(streets=[("海港大道", [(-1000, 0), (STREET_M - 990, 0)])])
    found = match_row(Row("海港大道1号"), known)
    assert (found.outcome, found.place) == ("unlike", None)
    assert "2012 m long" in str(found.reason)
    assert match_row(Row("城北村海港大道1号"), known).grade == "D"
    known = gazetteer(streets=[("海港大道", [(-1000, 0), (STREET_M - 1010, 0)])])
    assert match_row(Row("海港大道1号"), known).outcome == "street"


def test_streets_of_one_name_in_two_towns():
    known = gazetteer(streets=[("文昌路", [(0, 0), (500, 0)]), ("文昌路", [(0, -9000), (500, -9000)])])
    assert match_row(Row("文昌路"), known).outcome == "ambiguous"
    assert metres(match_row(Row("武原街道文昌路"), known), 250, 0) < 2
    assert metres(match_row(Row("澉浦镇文昌路3号"), known), 250, -9000) < 2
    assert metres(match_row(Row("百可社区文昌路"), known), 250, 0) < 2
    assert match_row(Row("沈荡镇文昌路"), known).outcome == "elsewhere"


def test_a_crossing_of_two_streets_is_for_a_person():
    known = gazetteer(streets=[("文昌路", [(0, 0), (500, 0)]), ("海兴路", [(0, 0), (0, 500)])])
    assert match_row(Row("文昌路与海兴路交叉口"), known).outcome == "ambiguous"


def test_a_name_inside_another_word_is_no_name():
    known = gazetteer(streets=[("新路", [(0, 0), (500, 0)])])
    assert match_row(Row("创新路12号"), known).place is None
    assert names_within("创新路", ["新路"]) == []


def test_the_name_of_a_venue_helps_where_there_is_no_address():
    found = match_row(Row("", name="示例·城北村文化礼堂"), gazetteer())
    assert (found.outcome, found.grade) == ("village", "D")
    assert "the village is that of the name" in str(found.reason)
    assert match_row(Row("", name="图书馆"), gazetteer()).outcome == "blank"


def test_forms_of_a_village_keep_to_its_kind():
    assert set(village_forms("城北村委会")) == {"城北村委会", "城北村民委员会", "城北村"}
    assert "百可社区" in village_forms("百可社区居委会")
    assert "核电社区" in village_forms("秦山街道核电社区", "秦山街道")


# ---------------------------------------------------------------------------------------------------------
# Lists


def listed(**columns):
    return read_list(pd.DataFrame(columns))


def test_a_list_comes_back_with_the_same_rows_and_the_answer_behind():
    rows = listed(名称=["甲", "乙"], 地址=["武原街道城北村", ""], 备注=["=1+1", "x"])
    found = locate_rows(rows, gazetteer(), language="zh").table
    assert list(found.columns) == ["名称", "地址", "备注", *ANSWER]
    assert found["名称"].tolist() == ["甲", "乙"]
    assert found.loc[0, ["grade", "matched", "score", "note"]].tolist() == [
        "D",
        "城北村委会",
        "100",
        "村（社区）中心",
    ]
    assert found.loc[1, ["lon", "lat", "grade", "matched", "score"]].tolist() == [""] * 5
    assert found.loc[1, "note"] == "没有地址。处理办法：请填写地址，或在页面上点选位置"


def test_positions_that_are_there_are_kept_as_surveyed():
    columns = {
        "address": ["城北村", "城北村", "x"],
        "经度": ["120.91", "", "130.2.1"],
        "纬度": ["30.51", "", "30.5"],
    }
    found = locate_rows(listed(**columns), gazetteer(), language="en")
    assert list(found.table.columns) == ["address", *ANSWER]
    assert found.table.loc[0, ["lon", "lat", "grade"]].tolist() == ["120.910000", "30.510000", "A"]
    assert found.table.loc[1, "grade"] == "D"
    assert "the coordinates given cannot be used" in found.table.loc[2, "note"]
    rows = read_list(pd.DataFrame({"address": ["x"], "lon": [120.91], "lat": [30.51]}), given="B")
    assert locate_rows(rows, gazetteer(), language="en").table["grade"].tolist() == ["B"]


def test_a_grade_of_the_list_is_kept_and_a_wrong_one_is_said():
    columns = {"address": ["a", "b"], "lon": [120.91] * 2, "lat": [30.51] * 2, "定位等级": ["C", "good"]}
    found = locate_rows(listed(**columns), gazetteer(), language="en").table
    assert found["grade"].tolist() == ["C", ""]
    assert found["note"].tolist()[1] == "position as given in the list; 'GOOD' is no grade"


def test_an_answer_is_read_again():
    first = locate_rows(listed(name=["a", "b"], address=["城北村", "?"]), gazetteer(), language="en").table
    again = locate_rows(read_list(first), gazetteer(), language="en").table
    assert list(again.columns) == list(first.columns)
    assert again[["lon", "lat", "grade"]].equals(first[["lon", "lat", "grade"]])


def test_a_column_of_villages_may_hold_codes_and_needs_no_addresses():
    known, _ = gather_places(read_study(COUNTY), 2025)
    rows = listed(
        名称=["a", "b", "c"],
        镇街=["330424102", "", "武原街道"],
        村社区=["330424102001", "百可社区居委会", "330424102001"],
    )
    found = locate_rows(rows, known, language="en").table
    assert found["matched"].tolist() == ["百步社区居民委员会", "百可社区居委会", ""]
    assert found["note"].iloc[2].startswith("百步社区居民委员会 does not lie in 武原街道")


def test_a_list_without_addresses_or_with_our_columns_is_refused():
    with pytest.raises(UnusableInputError, match="call the column 地址 or address"):
        listed(name=["a"])
    with pytest.raises(UnusableInputError, match=r"column 'note'.*give the column another name"):
        listed(address=["a"], note=["b"])
    with pytest.raises(UnusableInputError, match="several columns may be the address"):
        listed(地址=["a"], 详细地址=["b"])


# ---------------------------------------------------------------------------------------------------------
# Streets of road files


def test_streets_of_a_table_and_of_osm(toytown):
    lines = [shapely.LineString([(120.9, 30.5), (120.901, 30.5)])] * 2
    roads = gpd.GeoDataFrame(
        {"路名": ["文昌路", None], "highway": ["residential"] * 2}, geometry=lines, crs="EPSG:4326"
    )
    roads.to_file(toytown / "lines.geojson", driver="GeoJSON")
    osm = """<osm version="0.6"><node id="1" version="1" lat="30.5" lon="120.9"/>
    <node id="2" version="1" lat="30.5" lon="120.901"/><way id="1" version="1"><nd ref="1"/><nd ref="2"/>
    <tag k="highway" v="residential"/><tag k="name" v="海兴路"/></way></osm>"""
    (toytown / "lines.osm").write_text(osm, "utf-8")
    study = read_study(toytown)

    def names(file):
        part = study.roads.model_copy(update={"file": file, "layer": None, "columns": {}})
        other = dataclasses.replace(study, roads=part)
        return read_street_names(other, 2025)

    assert names("lines.geojson")["name"].tolist() == ["文昌路"]
    found = names("lines.osm")
    assert (found["name"].tolist(), found.crs.to_epsg()) == (["海兴路"], 4326)
    with pytest.raises(MissingFileError):
        names("nothing.gpkg")
    (toytown / "broken.osm").write_text("<osm", "utf-8")
    with pytest.raises(UnusableInputError, match="cannot be read"):
        names("broken.osm")


@pytest.mark.shared_data
def test_streets_of_a_real_graph(shared_data):
    part = read_study(COUNTY).roads.model_copy(update={"file": "futian.graphml"})
    study = dataclasses.replace(read_study(COUNTY), folder=shared_data / "futian", roads=part)
    found = read_street_names(study, 2025)
    places = street_places(found, districts=None, crs="EPSG:4547")
    assert 100 < len(places) < 300
    (street,) = places["福强路"]
    assert 1000 < street.metres < STREET_M
    (long,) = places["深南大道"]
    assert math.isnan(long.lon)


# ---------------------------------------------------------------------------------------------------------
# The bundled county


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """Locate 200 made-up addresses of the county; gives (made up, located, folder)."""
    folder = tmp_path_factory.mktemp("locate")
    rows, file = made_up()
    names = [f"示例设施{number}" for number in range(len(rows))]
    table = pd.DataFrame({"名称": names, "service": "culture_hall", "地址": [one.address for one in rows]})
    table.to_csv(folder / "halls.csv", index=False)
    file.to_csv(folder / "addresses.csv", index=False)
    order = LocateOrder(folder / "halls.csv", COUNTY, folder / "addresses.csv", folder / "out")
    located, place = locate_list(order)
    return rows, located, place


def test_of_200_made_up_addresses_every_one_is_right_or_left_to_a_person(county):
    rows, located, _ = county
    table = located.answer.table
    assert len(table) == len(rows) == 200
    assert table["grade"].tolist() == [one.grade for one in rows]
    lon, lat = (pd.to_numeric(table[name]).to_numpy() for name in ("lon", "lat"))
    placed = np.array([one.grade != "" for one in rows])
    true = np.array([(one.lon, one.lat) for one in rows])[placed]
    _, _, apart = pyproj.Geod(ellps="WGS84").inv(lon[placed], lat[placed], *true.T)
    assert apart.max() < 0.2
    assert located.answer.placed == {"A": 0, "B": 0, "C": 25, "D": 140}
    assert located.answer.outcomes == {"unlike": 15, "elsewhere": 15, "blank": 5}
    assert (table["note"][~placed].str.contains("处理办法")).all()


def test_the_lines_say_what_was_matched_to_what(county):
    text = "\n".join(located_lines(county[1]))
    assert "村（社区）122 个" in text
    assert "路网文件没有道路名称" in text
    assert "C 地址 25、D 村中心 140" in text
    assert "5 行未定位：没有地址" in text


def test_facilities_read_the_answer_unchanged(county):
    _, _, folder = county
    facilities, rejects = read_facilities(folder / "located.csv", max_rejected=0.2)
    assert facilities["grade"].value_counts().to_dict() == {"D": 140, "C": 25}
    assert len(rejects) == 35


def test_the_same_list_gives_the_same_files(county, tmp_path):
    _, located, folder = county
    order = LocateOrder(
        folder.parent / "halls.csv", COUNTY, folder.parent / "addresses.csv", tmp_path / "out"
    )
    locate_list(order)
    assert everything(tmp_path / "out") == everything(folder)
    assert str(COUNTY) not in (folder / "place.html").read_text("utf-8")
    assert located.plain()["list"] == "halls.csv"


def test_an_audit_of_a_located_list_gives_no_verdict_on_village_centres(tmp_path):
    """The halls of the county at their village's centre: nothing that is met by them is met."""
    study = copy_example(tmp_path / "haiyan")
    halls = prepare(read_study(study), 2025).facilities
    halls = halls[halls["service"] == "culture_hall"]
    villages = prepare(read_study(study), 2025).villages
    names = villages["name"].reindex(halls["village"]).fillna("").to_numpy()
    table = pd.DataFrame(
        {"名称": [f"示例礼堂{number}" for number in range(len(halls))], "类别": "文化礼堂", "地址": names}
    )
    table.to_csv(tmp_path / "halls.csv", index=False)
    locate_list(LocateOrder(tmp_path / "halls.csv", study, out=study / "located"))
    edit(
        study / "study.toml",
        "[indicators]\n",
        '[[facilities]]\nfile = "located/located.csv"\n'
        'services = { "文化礼堂" = "culture_hall" }\n\n[indicators]\n',
    )
    findings = run_audit(study)
    register, *_ = findings.reading.positions
    assert register.grades["D"] == int((names != "").sum())
    culture = findings.result("culture")
    assert any(note.startswith("rough_positions:") for note in culture.notes)
    assert culture.status != "met"


# ---------------------------------------------------------------------------------------------------------
# The command


def test_the_command_writes_a_folder_and_says_so(tmp_path, toytown):
    (tmp_path / "list.csv").write_text("name,address\nA,somewhere\n", "utf-8")
    done = lifecircle("locate", tmp_path / "list.csv", "--study", toytown)
    assert done.returncode == 0, done.stderr
    folder = toytown / "results" / "locate-list"
    assert sorted(path.name for path in folder.iterdir()) == ["locate.json", "located.csv", "place.html"]
    assert (folder / "located.csv").read_bytes().startswith(b"\xef\xbb\xbfname,address,lon,lat,grade,")
    assert str(folder) in done.stdout
    assert lifecircle("locate", tmp_path / "list.csv", "--study", toytown).returncode == 0


def test_every_fault_is_reported_at_once_and_nothing_is_written(tmp_path, toytown):
    (tmp_path / "list.csv").write_text("name,where\nA,somewhere\n", "utf-8")
    (tmp_path / "addresses.csv").write_text("address,lon\nA,120\n", "utf-8")
    out = tmp_path / "out"
    done = lifecircle(
        "locate",
        tmp_path / "list.csv",
        "--study",
        toytown,
        "--addresses",
        tmp_path / "addresses.csv",
        "--out",
        out,
    )
    assert done.returncode == 2
    assert "address" in done.stderr
    assert "lat" in done.stderr
    assert not out.exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine", "utf-8")
    (tmp_path / "list.csv").write_text("name,address\nA,somewhere\n", "utf-8")
    done = lifecircle("locate", tmp_path / "list.csv", "--study", toytown, "--out", tmp_path / "mine")
    assert done.returncode == 2
    assert (tmp_path / "mine" / "letter.txt").read_text("utf-8") == "mine"


def test_faults_of_the_address_file_are_counted(tmp_path):
    rows = [f"枣园路{number}号,120.9,30.5,\n" for number in range(40)]
    text = "address,lon,lat,grade\n" + "".join(rows) + "坏,x,30.5,\n"
    (tmp_path / "addresses.csv").write_text(text, "utf-8")
    (tmp_path / "list.csv").write_text("name,address\nA,枣园路3号\n", "utf-8")
    order = LocateOrder(tmp_path / "list.csv", COUNTY, tmp_path / "addresses.csv", tmp_path / "out")
    located, _ = locate_list(order)
    assert (located.rejected, located.known.counts["addresses"]) == (1, 40)
    assert located.answer.table["grade"].tolist() == ["C"]


def test_places_are_gathered_from_a_study():
    known, districts = gather_places(read_study(COUNTY), 2025)
    assert known.county == "海盐县"
    assert len(known.every_village) == 122
    assert len(districts) == 9
    assert all(isinstance(one, KnownPlace) for one in known.every_village)
