"""The words of road tables: class columns, class words, one-way words, tags in one column."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point

from lifecircle.errors import UnusableInputError
from lifecircle.roads import PROFILES, read_roads
from lifecircle.roads._column_words import class_names, class_word, names_of, plain
from lifecircle.wording import explain

X, Y = 500_000.0, 3_380_000.0


def table(*words, column="highway", **columns):
    lines = [LineString([(X + 100 * i, Y), (X + 100 * i + 100, Y)]) for i in range(len(words))]
    frame = gpd.GeoDataFrame(columns, index=range(len(words)), geometry=lines, crs="EPSG:4549")
    return frame.assign(**{column: pd.Series(list(words), dtype=object)})


@pytest.mark.parametrize(
    ("word", "highway"),
    [
        ("高速公路", "motorway"),
        ("国道", "trunk"),
        ("省道", "primary"),
        ("县道", "secondary"),
        ("乡道", "tertiary"),
        ("村道", "unclassified"),
        ("快速路", "trunk"),
        ("主干路", "primary"),
        ("次干路", "secondary"),
        ("支路", "tertiary"),
        ("步行街", "pedestrian"),
        (" Residential ", "residential"),
        ("Living Street", "living_street"),
        ("track_grade3", "track"),
        ("围墙", None),
        ("coastline", None),
        ("", None),
    ],
)
def test_class_words(word, highway):
    assert class_word(word) == highway


def test_every_class_word_means_a_class_of_openstreetmap():
    speeds = {name for used in PROFILES.values() for name, _ in used.class_kmh}
    assert speeds <= class_names()
    assert all(class_word(name) == name for name in class_names())
    assert plain("Road_Class") in names_of("class")


@pytest.mark.parametrize(
    "column",
    ["highway", "fclass", "type", "Class", "ROAD_CLASS", "道路等级", "等级", "road-type", "公路等级"],
)
def test_class_columns_go_by_their_usual_names(column):
    roads = read_roads(table("主干路", None, "高速公路", "seawall", "footway", column=column))
    assert sorted(roads.highway) == ["footway", "primary"]
    assert roads.reading.left_out == {"no_class": 1, "not_for_mode": 1, "unknown_class:seawall": 1}
    assert (roads.reading.rows, roads.reading.used) == (5, 2)
    named = [note for note in roads.reading.notes if note.startswith("class_column")]
    assert named == ([] if column == "highway" else [f"class_column:{column.lower()}"])
    for code in (*roads.reading.left_out, *roads.reading.notes):
        for language in ("zh", "en"):
            assert explain(code, language) != code


def test_walls_between_streets_are_not_walked_on():
    """Case 15: a wall without a class, in one layer with streets."""
    roads = read_roads(table("residential", None, "residential", barrier=[None, "wall", None]))
    assert roads.components.max() == 1
    assert roads.reading.left_out == {"no_class": 1}


def test_a_column_whose_words_nobody_knows_is_no_licence_to_walk():
    with pytest.raises(UnusableInputError) as error:
        read_roads(table("A", "B", "A", column="type"))
    text = str(error.value)
    assert "column 'type': no word in it is a road class that is known (found: A 2, B 1)" in text
    assert "classes = { 'A' = 'residential' }" in text
    own = read_roads(table("A", "B", "A", column="type"), classes={"A": "residential", "B": "no"})
    assert own.highway.tolist() == ["residential", "residential"]
    assert own.reading.left_out == {"not_for_mode": 1}
    free = read_roads(table("A", "B", "A", column="type"), columns={"highway": ""})
    assert free.reading.length_without_class_m == free.reading.length_m == pytest.approx(300)
    with pytest.raises(UnusableInputError, match=r"column 'highway': no row has a road class"):
        read_roads(table(None, None))


def test_the_class_column_is_the_one_whose_words_are_known():
    frame = table("1", "2", column="class", road_type=["x", "y"], 等级=["县道", "乡道"])
    assert sorted(read_roads(frame).highway) == ["secondary", "tertiary"]
    assert read_roads(table("县道", column="DLDJ"), columns={"highway": "dldj"}).highway.tolist() == [
        "secondary"
    ]


def test_a_table_without_a_class_column_is_of_unknown_class():
    roads = read_roads(table("a", "b", column="name"))
    assert roads.highway.tolist() == ["", ""]
    assert roads.reading.notes == ("no_class_column",)
    assert roads.reading.length_without_class_m == 200


def test_settings_that_name_nothing_are_refused_together():
    with pytest.raises(UnusableInputError) as error:
        read_roads(table("path"), columns={"higway": "x", "oneway": "einbahn"}, classes={"A": "streets"})
    text = str(error.value)
    assert "columns.higway: roads have no such column. Remedy: did you mean 'highway'?" in text
    assert "columns.oneway: the road table has no column of this name (found: einbahn)" in text
    assert "classes.A: this is no road class (found: streets)" in text


@pytest.mark.parametrize(
    ("word", "ahead", "back"),
    [
        ("Y", True, False),
        ("1.0", True, False),
        ("单行", True, False),
        ("单向", True, False),
        ("是", True, False),
        ("TRUE", True, False),
        ("FT", True, False),
        ("TF", False, True),
        ("-1.0", False, True),
        ("reverse", False, True),
        ("逆向", False, True),
        ("双行", True, True),
        ("双向", True, True),
        ("否", True, True),
        ("N", True, True),
        (np.nan, True, True),
    ],
)
@pytest.mark.parametrize("column", ["oneway", "ONEWAY", "单行线", "方向", "one_way"])
def test_one_way_words_and_columns(word, ahead, back, column):
    roads = read_roads(table("primary", **{column: [word]}), mode="drive")
    east = roads.xy[roads.v[0], 0] > roads.xy[roads.u[0], 0]
    along, against = (roads.forward_s, roads.backward_s) if east else (roads.backward_s, roads.forward_s)
    assert (np.isfinite(along[0]), np.isfinite(against[0])) == (ahead, back)
    assert not any(note.startswith("oneway_unknown") for note in roads.reading.notes)


def test_one_way_words_that_nobody_knows_are_named():
    roads = read_roads(table("primary", "primary", oneway=["sometimes", "yes"]), mode="drive")
    assert roads.reading.notes == ("oneway_unknown:sometimes|1",)
    letters = read_roads(table("primary", "primary", oneway=["F", "T"]), mode="drive")
    assert letters.reading.notes == ("oneway_letters:1|1",)


def test_tags_in_one_column_are_read():
    tags = ['"access"=>"private"', '{"oneway": "yes"}', {"junction": "roundabout"}, None]
    frame = table("primary", "primary", "primary", "primary")
    roads = read_roads(frame.assign(other_tags=pd.Series(tags, dtype=object)), mode="drive")
    assert (len(roads.u), np.isinf(roads.backward_s).sum() + np.isinf(roads.forward_s).sum()) == (3, 2)
    assert read_roads(frame.assign(other_tags=tags)).reading.left_out == {"not_for_mode": 1}


@pytest.mark.parametrize("cell", [[], (), "[]", np.array([])])
def test_an_empty_list_is_no_class(cell):
    """Hostile case 07b."""
    assert read_roads(table("path", cell)).reading.left_out == {"no_class": 1}


@pytest.mark.parametrize("column", ["highway", "oneway", "access"])
def test_a_record_in_a_cell_is_named(column):
    """Hostile case 18."""
    frame = table("path", "path").assign(**{column: pd.Series(["yes", {"a": 1}], dtype=object)})
    with pytest.raises(UnusableInputError, match=rf"row 2, column '{column}': a cell .* holds a record"):
        read_roads(frame)


@pytest.mark.parametrize("cell", ["a\nb", "['a', {}", "{" * 5000, "[" * 5000, "x" * 9999, "a|b:{0}"])
def test_strange_words_stay_on_one_line(cell):
    roads = read_roads(table("path", cell))
    (code,) = roads.reading.left_out
    assert "\n" not in code
    assert len(code) < 60
    assert explain(code, "zh")


def test_official_columns_are_read_together():
    """行政等级 says who a road belongs to, 技术等级 how it is built: an expressway is one by either."""
    lines = [LineString([(X, Y + 50 * row), (X + 100, Y + 50 * row)]) for row in range(6)]
    frame = gpd.GeoDataFrame(
        {
            "行政等级": ["国道", "国道", "县道", None, "专线", "乡道"],
            "技术等级": ["高速", "一级", "四级", "三级", "等外", "暂定"],
        },
        geometry=lines,
        crs="EPSG:4549",
    )
    walk, drive = read_roads(frame), read_roads(frame, mode="drive")
    assert sorted(walk.highway) == ["secondary", "tertiary", "tertiary", "trunk", "unclassified"]
    assert min(drive.highway) == "motorway"
    assert dict(walk.reading.left_out) == {"not_for_mode": 1}
    assert "classes_from:技术等级|2" in walk.reading.notes
    assert "expressways_by:技术等级|1" in walk.reading.notes
    alone = read_roads(frame.drop(columns="技术等级")).reading
    assert dict(alone.left_out) == {"no_class": 1, "unknown_class:专线": 1}


def test_a_file_geodatabase_is_read_as_a_folder(tmp_path):
    lines = [LineString([(X, Y), (X + 100, Y)]), LineString([(X + 100, Y), (X + 100, Y + 80)])]
    frame = gpd.GeoDataFrame(
        {"技术等级": ["二级", "四级"], "通行方向": ["双向", "单行"]},
        geometry=lines,
        crs="EPSG:4549",
    )
    points = gpd.GeoDataFrame({"name": ["a"]}, geometry=[Point(X, Y)], crs="EPSG:4549")
    path = tmp_path / "交通.gdb"
    frame.to_file(path, driver="OpenFileGDB", layer="公路")
    points.to_file(path, driver="OpenFileGDB", layer="站点", mode="a")
    roads = read_roads(path, mode="drive", keep=True)
    assert roads.key == read_roads(frame, mode="drive").key == read_roads(path, mode="drive", keep=True).key
    assert sorted(roads.highway) == ["secondary", "unclassified"]
    assert np.isinf(roads.backward_s).sum() + np.isinf(roads.forward_s).sum() == 1
    with pytest.raises(UnusableInputError, match="no such layer"):
        read_roads(path, layer="道路")
    (tmp_path / "空.gdb").mkdir()
    with pytest.raises(UnusableInputError):
        read_roads(tmp_path / "空.gdb")
