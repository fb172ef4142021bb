"""Tables: every format read alike, bad files reported, rows checked, files written whole or not at all."""

import datetime as dt
import errno
import math
import os
import sqlite3
from contextlib import closing

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from lifecircle import tables
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.files import written
from lifecircle.tables import (
    REJECT_COLUMNS,
    SUFFIXES,
    Column,
    Schema,
    check_table,
    join_rejects,
    no_rejects,
    parse_date,
    parse_flag,
    plain_text,
    plain_texts,
    read_table,
    reject_rows,
    rejected_rows,
    row_labels,
    too_many_rejects,
    write_csv,
    write_layers,
)

PLAIN = pd.DataFrame(
    {"code": ["330424001", "330424002"], "名称": ["武原街道", "西塘桥街道"], "people": [3.0, 4.5]}
)
LAYER = gpd.GeoDataFrame(PLAIN, geometry=[Point(120.9, 30.5), Point(121.0, 30.6)], crs=4326)


def assert_rejects(rejects, expected=None):
    """Hold the contract of a table of rejects."""
    assert list(rejects.columns) == REJECT_COLUMNS
    assert rejects["row"].dtype == np.int64
    for column in REJECT_COLUMNS:
        if column != "row":
            assert all(isinstance(value, str) for value in rejects[column])
    if expected is not None:
        assert list(zip(rejects["row"], rejects["column"], rejects["value"], strict=True)) == expected


def save(frame, path):
    if path.suffix == ".csv":
        frame.to_csv(path, index=False, encoding="utf-8")
    elif path.suffix == ".xlsx":
        frame.to_excel(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".shp":
        frame.to_file(path, encoding="utf-8")
    else:
        frame.to_file(path)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.parquet"])
def test_plain_formats_hold_the_same_table(tmp_path, name):
    path = save(PLAIN, tmp_path / name)
    table = read_table(path)
    assert table.name == str(path)
    assert list(table.frame.columns) == ["code", "名称", "people"]
    assert table.frame["code"].map(plain_text).tolist() == ["330424001", "330424002"]
    assert table.frame["名称"].tolist() == ["武原街道", "西塘桥街道"]
    assert pd.to_numeric(table.frame["people"]).tolist() == [3.0, 4.5]
    first = 1 if name == "a.parquet" else 2
    assert table.first_row == first
    assert table.frame.index.tolist() == [first, first + 1]


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.shp", "a.parquet", "a.GPKG"])
def test_layers_hold_the_same_table(tmp_path, name):
    path = save(LAYER, tmp_path / name.lower())
    path = path.rename(tmp_path / name)
    table = read_table(str(path))
    assert isinstance(table.frame, gpd.GeoDataFrame)
    assert table.frame.geometry.tolist() == LAYER.geometry.tolist()
    assert table.frame["名称"].tolist() == ["武原街道", "西塘桥街道"]
    assert table.frame["code"].tolist() == ["330424001", "330424002"]
    assert (table.first_row, table.frame.index.tolist()) == (1, [1, 2])


def test_frames_are_copied_and_their_named_index_is_a_column():
    frame = pd.DataFrame({"people": [1, 2]}, index=pd.Index(["a", "b"], name="id"))
    table = read_table(frame)
    assert table.frame.to_dict("list") == {"id": ["a", "b"], "people": [1, 2]}
    assert (table.name, table.frame.index.tolist()) == ("(table)", [1, 2])
    table.frame["people"] = 0
    assert frame["people"].tolist() == [1, 2]
    assert isinstance(read_table(LAYER).frame, gpd.GeoDataFrame)


def test_parquet_keeps_its_named_index(tmp_path):
    PLAIN.set_index("code").to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").frame["code"].tolist() == ["330424001", "330424002"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_the_encodings_of_spreadsheets(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("编号,名称\n001,镇 \n".encode(encoding))
    assert read_table(tmp_path / "a.csv").frame.to_dict("list") == {"编号": ["001"], "名称": ["镇"]}


def test_csv_rows_keep_the_numbers_a_person_sees(tmp_path):
    (tmp_path / "a.csv").write_text('a,b\n1,"two\nlines"\n\n,\n3\n4,x,,\n', "utf-8")
    frame = read_table(tmp_path / "a.csv").frame
    assert frame.index.tolist() == [2, 5, 6]
    assert frame["a"].tolist() == ["1", "3", "4"]
    assert frame["b"].isna().tolist() == [False, True, False]


def test_csv_takes_nothing_for_missing_but_nothing(tmp_path):
    (tmp_path / "a.csv").write_text("a\nNA\nnull\nNone\n", "utf-8")
    assert read_table(tmp_path / "a.csv").frame["a"].tolist() == ["NA", "null", "None"]


def test_xlsx_rows_and_sheets(tmp_path):
    with pd.ExcelWriter(tmp_path / "a.xlsx") as book:
        pd.DataFrame({"code": [330424001, None, 5]}).to_excel(book, sheet_name="one", index=False)
        pd.DataFrame({"b": ["x"]}).to_excel(book, sheet_name="two", index=False)
    table = read_table(tmp_path / "a.xlsx")
    assert table.frame.index.tolist() == [2, 4]
    assert table.frame["code"].map(plain_text).tolist() == ["330424001", "5"]
    assert read_table(tmp_path / "a.xlsx", layer="two").frame["b"].tolist() == ["x"]
    with pytest.raises(UnusableInputError, match=r"no such sheet.*the file has one, two"):
        read_table(tmp_path / "a.xlsx", layer="three")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_shapefile_that_hides_its_encoding_is_read(tmp_path, encoding):
    LAYER.to_file(tmp_path / "a.shp", encoding=encoding)
    (tmp_path / "a.cpg").unlink()
    assert read_table(tmp_path / "a.shp").frame["名称"].tolist() == ["武原街道", "西塘桥街道"]


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([" a ", None, "a", "", "\u3000b", "330424001", " a "], index=list("tuvwxyz"), name="code"),
        pd.Series([1, 1.0, True, "1", None, np.nan, 1.5, pd.NA, dt.date(2021, 3, 1)], dtype=object),
        pd.Series([330424001.0, np.nan, 0.5]),
        pd.Series([3, -4]),
        pd.Series([], dtype="str"),
    ],
)
def test_a_column_of_texts_is_that_of_its_cells(cells):
    texts = plain_texts(cells)
    assert texts.tolist() == [plain_text(cell) for cell in cells]
    assert texts.index.equals(cells.index)
    assert texts.name == cells.name
    assert isinstance(texts.dtype, pd.StringDtype)


def test_geopackage_of_several_layers_needs_its_name(tmp_path):
    write_layers(tmp_path / "a.gpkg", {"towns": LAYER, "plain": PLAIN})
    assert read_table(tmp_path / "a.gpkg", layer="plain").frame["people"].tolist() == [3.0, 4.5]
    with pytest.raises(UnusableInputError, match="holds 2 layers: towns, plain"):
        read_table(tmp_path / "a.gpkg")
    with pytest.raises(UnusableInputError, match=r"layer 'town': no such layer.*the file has towns, plain"):
        read_table(tmp_path / "a.gpkg", layer="town")


def test_missing_file_names_the_nearest(tmp_path):
    save(PLAIN, tmp_path / "residents.csv")
    with pytest.raises(
        MissingFileError, match=r"resident\.csv: no such file\. Remedy: did you mean 'residents\.csv'"
    ):
        read_table(tmp_path / "resident.csv")
    with pytest.raises(MissingFileError, match="its folder is not there either"):
        read_table(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "zzz.parquet")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.txt",
            b"a",
            r"unsupported format \(found: \.txt\)\. Remedy: give one of \.csv \.xlsx \.gpkg \.shp \.gdb",
        ),
        ("a", b"a", "unsupported format"),
        ("a.csv", b"", "empty file"),
        ("a.csv", b" \n\n", "empty file"),
        ("a.csv", b"a,b\n", "empty table"),
        ("a.csv", b"a,b\n,\n \n", "empty table"),
        ("a.csv", b"a\n\xff\xff\xff\n", "neither UTF-8 nor GB18030"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n1,2,3,4\n", r"row 3: 3 cells under 2 columns.*\n.*row 4: 4 cells"),
        ("a.csv", b'a,b\n"x"y,2\n', "line 2:"),
        ("a.csv", b"a,b,a\n1,2,3\n", "column 'a': two columns of the same name"),
        ("a.xlsx", b"not a workbook", r"cannot be read as \.xlsx"),
        ("a.gpkg", b"not a database", r"cannot be read as \.gpkg"),
        ("a.shp", b"no shapes", r"cannot be read as \.shp"),
        ("a.geojson", b"{", r"cannot be read as \.geojson"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": []}', "empty table"),
        ("a.parquet", b"no columns", r"cannot be read as \.parquet"),
    ],
)
def test_unusable_file_is_reported(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableInputError, match=message):
        read_table(tmp_path / name)


@pytest.mark.parametrize("at", [10, 97, 700])
def test_a_workbook_that_lost_a_byte_is_reported(tmp_path, at):
    """Places in its directory are then before the beginning of the file."""
    path = tmp_path / "book.xlsx"
    pd.DataFrame({"id": ["a"]}).to_excel(path, index=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + whole[at + 1 :])
    with pytest.raises(UnusableInputError, match=r"book\.xlsx"):
        read_table(path)


@pytest.mark.parametrize(
    ("number", "said", "of_system"),
    [(errno.EMFILE, "too many files are open", True), (errno.EINVAL, r"cannot be read as \.csv", False)],
)
def test_what_the_machine_lacks_is_no_fault_of_the_file(tmp_path, monkeypatch, number, said, of_system):
    def reader(*_):
        raise OSError(number, os.strerror(number))

    path = tmp_path / "a.csv"
    path.write_text("id\na\n")
    monkeypatch.setitem(SUFFIXES, ".csv", reader)
    with pytest.raises(UnusableInputError, match=said) as caught:
        read_table(path)
    assert caught.value.of_system is of_system


def test_a_layer_without_its_spatial_index_is_not_whole(tmp_path, monkeypatch):
    """GDAL leaves the index out where it has no room for it, and says nothing."""
    write = pyogrio.write_dataframe
    monkeypatch.setattr(
        pyogrio, "write_dataframe", lambda *one, **more: write(*one, SPATIAL_INDEX="NO", **more)
    )
    layer = gpd.GeoDataFrame({"id": ["a"]}, geometry=gpd.points_from_xy([120.0], [30.0]), crs=4326)
    with pytest.raises(UnusableInputError, match="not whole"):
        write_layers(tmp_path / "a.gpkg", {"places": layer})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "lost", ["UPDATE gpkg_ogr_contents SET feature_count = 0", "UPDATE gpkg_contents SET min_x = NULL"]
)
def test_a_layer_of_which_gdal_lost_a_note_is_not_whole(tmp_path, monkeypatch, lost):
    """An error of the disk at the end of a layer: its rows are there, and readers are given none."""
    write = pyogrio.write_dataframe

    def losing(frame, path, **more):
        write(frame, path, **more)
        with closing(sqlite3.connect(path)) as base, base:
            base.execute(lost)

    layer = gpd.GeoDataFrame({"id": ["a"]}, geometry=gpd.points_from_xy([120.0], [30.0]), crs=4326)
    write_layers(tmp_path / "a.gpkg", {"places": layer, "none": layer.iloc[:0]})
    nowhere = gpd.GeoDataFrame({"id": ["a"]}, geometry=gpd.points_from_xy([math.nan], [math.nan]), crs=4326)
    write_layers(tmp_path / "b.gpkg", {"places": nowhere, "none": nowhere.assign(geometry=None)})
    monkeypatch.setattr(pyogrio, "write_dataframe", losing)
    with pytest.raises(UnusableInputError, match="not whole"):
        write_layers(tmp_path / "c.gpkg", {"places": layer})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gpkg", "b.gpkg"]


def test_folder_and_empty_tables_are_reported(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(UnusableInputError, match="is a folder"):
        read_table(tmp_path / "a.csv")
    with pytest.raises(UnusableInputError, match=r"\(table\): empty table"):
        read_table(pd.DataFrame({"a": []}))
    for name in ("a.gpkg", "a.parquet", "a.xlsx"):
        empty = LAYER.iloc[:0] if name == "a.gpkg" else PLAIN.iloc[:0]
        with pytest.raises(UnusableInputError, match="empty table"):
            read_table(save(empty, tmp_path / name))


def test_only_a_file_or_a_database_is_a_source():
    with pytest.raises(UnusableInputError, match="not a local file"):
        read_table("https://example.org/a.csv")


SCHEMA = Schema(
    "towns",
    (
        Column("name", "text", "what it is called", required=True, filled=True),
        Column("people", "number", "residents", unit="people", required=True, low=0.0, aliases=("人口",)),
        Column("since", "date", "first day"),
        Column("urban", "flag", "whether it is urban"),
    ),
)


def test_check_converts_and_collects_the_faults_of_rows():
    frame = pd.DataFrame(
        {
            "Name": [" a ", "", 330424001.0, "d", "e"],
            "人口": ["1", "-2", "many", "", "inf"],
            "since": ["2021", "2021-02-30", None, "1 May", dt.date(2020, 1, 2)],
            "urban": ["是", "乡村", 1, "perhaps", None],
        }
    )
    checked = check_table(read_table(frame), SCHEMA)
    assert checked.found == {"name": "Name", "people": "人口", "since": "since", "urban": "urban"}
    assert SCHEMA.names == tuple(checked.frame.columns)
    assert checked.frame["name"].tolist() == ["a", "", "330424001", "d", "e"]
    assert checked.frame["people"].fillna(-1).tolist() == [1, -1, -1, -1, -1]
    assert checked.frame["since"].dtype == tables.DATE_DTYPE
    assert checked.frame["since"].dropna().astype(str).tolist() == ["2021-01-01", "2020-01-02"]
    assert checked.frame["urban"].dtype == "boolean"
    assert checked.frame["urban"].dropna().tolist() == [True, False, True]
    assert_rejects(
        checked.rejects,
        [
            (2, "Name", ""),
            (2, "人口", "-2"),
            (2, "since", "2021-02-30"),
            (3, "人口", "many"),
            (4, "since", "1 May"),
            (4, "urban", "perhaps"),
            (5, "人口", "inf"),
        ],
    )
    assert checked.rejects["reason"].tolist() == [
        "blank",
        "negative",
        "not a date",
        "not a number",
        "not a date",
        "not a yes or no",
        "not a number",
    ]
    assert rejected_rows(checked.rejects) == 4


def test_missing_columns_are_reported_together_with_the_nearest():
    table = read_table(pd.DataFrame({"nmae": ["a"], "kind": [1]}))
    with pytest.raises(UnusableInputError) as caught:
        check_table(table, SCHEMA, columns={"since": "opened"})
    assert [fault.place for fault in caught.value.faults] == [
        "column 'name'",
        "column 'people'",
        "column 'opened'",
    ]
    assert "columns present: nmae, kind" in str(caught.value)
    assert caught.value.faults[0].remedy == "did you mean 'nmae'?"
    assert caught.value.faults[1].remedy == "add the column (residents)"


def test_a_column_that_may_be_one_value_for_all_rows_says_so():
    schema = Schema(
        "places", (Column("service", "text", "its id", required=True, common=True),), "[[places]]"
    )
    with pytest.raises(UnusableInputError, match=r'where all rows have the same: service = "\.\.\."'):
        check_table(read_table(pd.DataFrame({"name": ["a"]})), schema)


def test_mapped_columns_may_be_shared_and_win():
    table = read_table(pd.DataFrame({"name": ["x"], "title": ["y"], "people": [1]}))
    checked = check_table(table, SCHEMA, columns={"name": "title"})
    assert checked.frame["name"].tolist() == ["y"]


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (2021, "2021-01-01"),
        (2021.0, "2021-01-01"),
        ("2021", "2021-01-01"),
        ("2021-03", "2021-03-01"),
        ("2021年3月", "2021-03-01"),
        ("2021年", "2021-01-01"),
        ("2021/3/5", "2021-03-05"),
        ("2021.03.05", "2021-03-05"),
        ("2021年3月5日", "2021-03-05"),
        ("20210305", "2021-03-05"),
        (20210305, "2021-03-05"),
        ("2021-03-05T08:30:00Z", "2021-03-05"),
        ("2021-03-05 08:30", "2021-03-05"),
        (44260, "2021-03-05"),
        (dt.datetime(2021, 3, 5, 8, tzinfo=dt.UTC), "2021-03-05"),
        (dt.date(2021, 3, 5), "2021-03-05"),
        (pd.Timestamp("2021-03-05 23:59"), "2021-03-05"),
        (np.datetime64("2021-03-05T10"), "2021-03-05"),
    ],
)
def test_dates_are_read_as_people_write_them(value, day):
    assert parse_date(value) == dt.date.fromisoformat(day)
    assert type(parse_date(value)) is dt.date


@pytest.mark.parametrize("value", [None, "", " ", float("nan"), pd.NaT, pd.NA])
def test_no_date_is_none(value):
    assert parse_date(value) is None
    assert parse_flag(value) is None


@pytest.mark.parametrize(
    "value", ["不详", "2021-13-01", "2021-02-29", "03/05/2021", "21-3-5", 0, 12, 2021.5, -5, "x2021"]
)
def test_unreadable_date_is_refused(value):
    with pytest.raises(ValueError, match=r"date|month|day"):
        parse_date(value)


@pytest.mark.parametrize("yes", [True, 1, 1.0, "1", "TRUE", "是", "yes", "城镇", np.True_])
@pytest.mark.parametrize("no", [False, 0, 0.0, "0", "false", "否", "No", "乡村", np.False_])
def test_flags(yes, no):
    assert (parse_flag(yes), parse_flag(no)) == (True, False)


def test_unreadable_flag_is_refused():
    with pytest.raises(ValueError, match="not a yes or no: 2"):
        parse_flag(2)


def test_rows_are_labelled_by_id_else_by_number(caplog):
    def labels(ids):
        return row_labels(read_table(pd.DataFrame({"id": ids, "x": 1})), "id")

    assert labels(["b", " a "]).tolist() == ["b", "a"]
    assert labels([7, 3]).dtype == np.int64
    assert labels([7.0, 3.0]).tolist() == ["7", "3"]
    assert not caplog.records
    assert labels(["a", "a"]).tolist() == [1, 2]
    assert "column 'id' holds a value twice" in caplog.text
    assert labels(["a", None]).tolist() == [1, 2]
    assert "is blank in some rows" in caplog.text
    assert row_labels(read_table(PLAIN), None).tolist() == [1, 2]
    assert labels(["b"]).name == "id"


def test_rejects_are_counted_by_row_and_reported():
    assert_rejects(no_rejects(), [])
    rejects = join_rejects(
        [
            reject_rows("a.csv", [9, 3], column="people", value=[-1.0, None], reason="bad", remedy="mend"),
            no_rejects(),
            reject_rows("a.csv", [3, 4, 5], column="lon", value="x" * 200, reason="bad", remedy="mend"),
        ]
    )
    assert_rejects(rejects)
    assert rejects["row"].tolist() == [3, 3, 4, 5, 9]
    assert rejects["column"].tolist() == ["people", "lon", "lon", "lon", "people"]
    assert rejects["value"].map(len).max() == 80
    assert too_many_rejects(rejects, 80, 0.05, "a.csv") is None
    fault = too_many_rejects(rejects, 79, 0.05, "a.csv")
    assert str(fault).startswith(
        "a.csv, 4 of 79 rows: 5.1% of the rows rejected, more than 5.0%: row 3, column 'people'"
    )
    assert "and 1 more" in fault.reason
    assert "raise max_rejected" in fault.remedy


def spoil(target):
    with written(target) as fresh:
        fresh.write_text("half")
        fresh.write_text(str(1 / 0))


def test_written_moves_into_place_or_leaves_no_trace(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with written(target) as fresh:
        assert fresh.parent.parent == tmp_path  # on the same disk
        assert fresh.suffix == ".txt"
        fresh.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    with pytest.raises(UnicodeEncodeError):
        write_csv(pd.DataFrame({"a": ["\ud800"]}), target)
    with pytest.raises(ZeroDivisionError):
        spoil(target)
    assert target.read_text() == "new"
    with pytest.raises(FileNotFoundError), written(target):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_csv_is_the_same_bytes_for_the_same_table(tmp_path):
    frame = pd.DataFrame(
        {"名称": ["a,b", None], "x": [0.1, 1e-17], "n": [1, 2], "d": pd.to_datetime(["2021-03-05", None])}
    )
    write_csv(frame, tmp_path / "a.csv")
    expected = '\ufeff名称,x,n,d\n"a,b",0.1,1,2021-03-05\n,1e-17,2,\n'
    assert (tmp_path / "a.csv").read_bytes() == expected.encode()
    write_csv(frame.set_index("n"), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text("utf-8-sig").startswith("n,名称,x,d\n1,")
    write_csv(no_rejects(), tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text("utf-8-sig") == "file,row,column,value,reason,remedy\n"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_come_back_from_csv_to_the_last_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    write_csv(pd.DataFrame({"x": numbers}), path)
    assert [float(text) for text in read_table(path).frame["x"]] == numbers


def test_layers_share_one_geopackage(tmp_path):
    path = tmp_path / "results.gpkg"
    placeless = LAYER.set_index("code").set_geometry([None, None]).set_crs(4326)
    flags = LAYER.assign(
        urban=pd.array([True, None], dtype="boolean"), mixed=pd.Series(["a", 1], dtype=object)
    )
    write_layers(path, {"towns": flags, "none": placeless, "empty": LAYER.iloc[:0], "plain": PLAIN})
    assert read_table(path, layer="towns").frame["mixed"].tolist() == ["a", "1"]
    none = read_table(path, layer="none").frame
    assert none["code"].tolist() == ["330424001", "330424002"]
    assert none.geometry.isna().all()
    assert read_table(path, layer="plain").frame["名称"].tolist() == ["武原街道", "西塘桥街道"]
    assert [path.name for path in tmp_path.iterdir()] == ["results.gpkg"]
    assert pyogrio.get_gdal_config_option("OGR_SQLITE_SYNCHRONOUS") is None  # as it was
    before = path.read_bytes()
    with pytest.raises(ValueError, match="layer b has no coordinate system"):
        write_layers(path, {"a": LAYER, "b": gpd.GeoDataFrame(geometry=[Point(0, 0)])})
    with pytest.raises(ValueError, match="at least one layer"):
        write_layers(path, {})
    assert path.read_bytes() == before
