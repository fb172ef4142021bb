"""Tables as offices have them: titles, covers, several sheets, other delimiters, text of other encodings."""

import itertools
import json
import zipfile

import geopandas as gpd
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from lifecircle.errors import UnusableInputError
from lifecircle.tables import decoded, read_table, reject_rows
from lifecircle.tables._csv import plausible_chinese

HEAD = ["名称", "经度", "纬度"]


def workbook(path, sheets, *, hidden=()):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if title in hidden:
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


def test_sheets_of_one_kind_are_one_table(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "说明": [["填报说明"], ["请逐行填写"]],
            "东镇": [HEAD, ["甲", 1, 2], ["乙", 3, 4]],
            "西镇": [HEAD, ["丙", 5, 6]],
        },
    )
    table = read_table(path)
    assert table.frame["名称"].tolist() == ["甲", "乙", "丙"]
    assert table.notes == ("sheets_joined:2|东镇, 西镇", "sheet_left_out:说明|cover")
    rejects = reject_rows(
        "a.xlsx", table.frame.index.to_numpy(), column="名称", value="", reason="r", remedy="m"
    )
    seen = table.as_seen(rejects)
    assert seen["file"].tolist() == ["a.xlsx [东镇]", "a.xlsx [东镇]", "a.xlsx [西镇]"]
    assert seen["row"].tolist() == [2, 3, 2]


def test_sheets_of_several_kinds_are_refused_and_one_can_be_named(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {"设施": [HEAD, ["甲", 1, 2]], "人口": [["村", "人口"], ["一村", 5]]},
    )
    with pytest.raises(UnusableInputError, match=r'other column names: 设施 and 人口.*sheet = "设施"'):
        read_table(path)
    assert read_table(path, sheet="人口").frame["人口"].tolist() == [5]
    with pytest.raises(UnusableInputError, match="no such sheet"):
        read_table(path, sheet="无")


def test_hidden_blank_and_empty_sheets_are_left_out_and_noted(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {"一": [HEAD, ["甲", 1, 2]], "旧": [HEAD, ["乙", 1, 2]], "空": [], "表头": [HEAD]},
        hidden={"旧"},
    )
    table = read_table(path)
    assert table.frame["名称"].tolist() == ["甲"]
    assert table.notes == (
        "sheet_left_out:旧|hidden",
        "sheet_left_out:空|blank",
        "sheet_left_out:表头|no_rows",
    )


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_titles_above_the_header_are_found(tmp_path, kind):
    rows = [
        ["文化设施一览表", None, None],
        [None, "单位：处", None],
        HEAD,
        ["甲", "1", "2"],
        ["乙", "3", "4"],
    ]
    path = tmp_path / f"a.{kind}"
    if kind == "xlsx":
        workbook(path, {"表": rows})
    else:
        path.write_text("\n".join(",".join(cell or "" for cell in row) for row in rows), "utf-8")
    table = read_table(path)
    assert list(table.frame.columns) == HEAD
    assert table.frame.index.tolist() == [4, 5]
    assert table.notes == ("header_found:3|2",)
    assert read_table(path, header_row=3).frame.equals(table.frame)
    with pytest.raises(UnusableInputError, match="row 9: no column names stand in this row"):
        read_table(path, header_row=9)


def test_semicolons_and_decimal_commas(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id;lon;people\n007;120,5;1,250\n008;121;2,000\n", "utf-8")
    table = read_table(path)
    assert table.frame["lon"].tolist() == ["120.5", "121"]
    assert table.frame["id"].tolist() == ["007", "008"]
    # 1,250 may be a thousand and more: it is left as it stands, and no number
    assert table.frame["people"].tolist() == ["1,250", "2,000"]
    assert table.notes == ("delimiter:;", "decimal_comma:lon")


def test_tabs_and_quoted_commas(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id\tname\n1\t"a, b"\n', "utf-8")
    assert read_table(path).frame["name"].tolist() == ["a, b"]
    path.write_text('"id; no",name\n1,"x;y"\n', "utf-8")
    assert read_table(path).frame.columns.tolist() == ["id; no", "name"]


def test_latin_text_is_never_read_as_chinese(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("lon,lat,district\n1,2,Centro\n1,2,Peñaflor\n".encode("latin-1"))
    with pytest.raises(UnusableInputError, match=r"row 3: neither UTF-8 nor GB18030 text.*Peñaflor"):
        read_table(path)
    path.write_bytes("名称,地址\n甲,武原街道勤俭路\n".encode("gb18030"))
    assert read_table(path).frame["名称"].tolist() == ["甲"]
    path.write_bytes("名称,地址\n镕,㙍\n".encode("gb18030"))  # names in rare characters
    assert read_table(path).frame["地址"].tolist() == ["㙍"]
    path.write_bytes("名称,地址\n甲,乙\n".encode("utf-16"))
    assert read_table(path).frame["地址"].tolist() == ["乙"]


@given(st.text(st.sampled_from("abcdeéèñüöçãõ ,\n"), min_size=1).filter(lambda text: not text.isascii()))
def test_accented_text_is_refused_or_read_as_it_is(text):
    raw = text.encode("latin-1")
    try:
        read = decoded(raw, "a.csv")
    except UnusableInputError:
        return
    # only where accented letters stand two and two can they be common Chinese characters
    assert plausible_chinese(read)
    assert any(one > 127 and two > 160 for one, two in itertools.pairwise(raw))


def test_a_shapefile_of_latin_text_is_refused(tmp_path):
    path = tmp_path / "a.shp"
    gpd.GeoDataFrame({"name": ["Pe~aflor"]}, geometry=[Point(1, 2)], crs=4326).to_file(path)
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"Pe~aflor", "Peñaflor".encode("latin-1")))
    path.with_suffix(".cpg").unlink()
    with pytest.raises(UnusableInputError, match="texts are neither UTF-8 nor GB18030"):
        read_table(path)


def test_one_stray_cell_far_away_costs_nothing(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(HEAD)
    book.active.append(["甲", 1, 2])
    book.active.cell(1_048_576, 3, "x")
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert table.frame.index.tolist() == [2, 1_048_576]
    book.active.cell(1_048_576, 16_384, "x")
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert table.frame.index.tolist() == [2, 1_048_576]
    assert table.notes == ("cells_beyond:Sheet|XFD1048576|1",)
    book.active.cell(1_048_576, 3).value = None
    book.save(tmp_path / "a.xlsx")
    assert read_table(tmp_path / "a.xlsx").frame.index.tolist() == [2]


def test_a_row_no_spreadsheet_has_does_not_take_for_ever(tmp_path):
    workbook(tmp_path / "a.xlsx", {"表": [HEAD, ["甲", 1, 2]]})
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        parts = {part: book.read(part) for part in book.namelist()}
    far = b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row></sheetData>'
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as book:
        for part, content in parts.items():
            book.writestr(part, content.replace(b"</sheetData>", far))
    assert read_table(tmp_path / "a.xlsx").frame.index.tolist() == [2]


def test_a_workbook_that_unpacks_beyond_all_use_is_refused(tmp_path, monkeypatch):
    workbook(tmp_path / "a.xlsx", {"表": [HEAD, ["甲", 1, 2]]})
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/bomb.xml", b"0" * 3_000_000)
    monkeypatch.setattr("lifecircle.tables._guard.WORKBOOK_MB", 2)
    with pytest.raises(UnusableInputError, match="unpacks to 3 MB, more than 2 MB"):
        read_table(tmp_path / "a.xlsx")


def test_a_formula_without_a_stored_result_is_noted(tmp_path):
    workbook(tmp_path / "a.xlsx", {"表": [HEAD, ["甲", 1, "=B2+1"], ["乙", 3, 4]]})
    table = read_table(tmp_path / "a.xlsx")
    assert table.frame["纬度"].tolist() == [None, 4]
    assert table.notes == ("formula_without_value:表|1",)


@pytest.mark.parametrize(
    ("part", "content"),
    [("xl/workbook.xml", b"<"), ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row><c"), (None, b"")],
)
def test_a_broken_workbook_is_one_line(tmp_path, part, content):
    source = workbook(tmp_path / "whole.xlsx", {"表": [HEAD, ["甲", 1, 2]]})
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as broken:
        for name in whole.namelist():
            if part is not None:
                broken.writestr(name, content if name == part else whole.read(name))
    with pytest.raises(UnusableInputError) as error:
        read_table(tmp_path / "a.xlsx")
    assert "\n" not in str(error.value)


def test_files_that_lead_elsewhere_are_refused(tmp_path):
    (tmp_path / "a.gpkg").write_text('<OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource>')
    (tmp_path / "b.geojson").write_text(
        '{"type": "FeatureCollection", "crs": {"type": "link", "properties": {"href": "http://127.0.0.1/"}},'
        ' "features": [{"type": "Feature", "properties": {}, "geometry": null}]}'
    )
    with pytest.raises(UnusableInputError, match="a file of another kind"):
        read_table(tmp_path / "a.gpkg")
    with pytest.raises(UnusableInputError, match="the coordinate system is a link"):
        read_table(tmp_path / "b.geojson")


def test_geojson_by_its_other_ending(tmp_path):
    layer = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[Point(1, 2)], crs=4326)
    layer.to_file(tmp_path / "a.geojson")
    (tmp_path / "a.geojson").rename(tmp_path / "a.json")
    assert read_table(tmp_path / "a.json").frame["name"].tolist() == ["甲"]


def test_keys_that_do_not_fit_a_file_are_refused_together(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(UnusableInputError) as error:
        read_table(tmp_path / "a.csv", layer="x", sheet="y")
    assert [fault.place for fault in error.value.faults] == ["layer", "sheet"]


def test_a_layer_of_several_can_be_named(tmp_path):
    layer = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[Point(1, 2)], crs=4326)
    layer.to_file(tmp_path / "a.gpkg", layer="one")
    layer.to_file(tmp_path / "a.gpkg", layer="two")
    with pytest.raises(UnusableInputError, match=r'holds 2 layers: one, two.*layer = "one"'):
        read_table(tmp_path / "a.gpkg")
    assert len(read_table(tmp_path / "a.gpkg", layer="two").frame) == 1


def test_a_broken_geometry_names_its_row(tmp_path):
    frame = pd.DataFrame({"geometry": [Point(1, 2).wkb, Point(1, 2).wkb[:9]]})
    layer = gpd.GeoDataFrame({"a": [1, 2]}, geometry=[Point(1, 2)] * 2, crs=4326)
    layer.to_parquet(tmp_path / "a.parquet")
    whole = pq.read_table(tmp_path / "a.parquet")
    place = whole.schema.get_field_index("geometry")
    cut = whole.set_column(place, whole.schema.field(place), pa.array(frame["geometry"], pa.binary()))
    pq.write_table(cut, tmp_path / "a.parquet")
    with pytest.raises(UnusableInputError, match="row 2, column 'geometry': the geometry of this row"):
        read_table(tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_row_of_totals_is_nobody(tmp_path, kind):
    rows = [
        ["村", "人口", *HEAD[1:]],
        ["甲", 100, 120.9, 30.5],
        ["小计", 100, None, None],
        ["乙", 50, 120.9, 30.5],
        ["合 计", 150, None, None],
    ]
    table = read_table(saved(tmp_path, kind, rows))
    assert table.frame["村"].tolist() == ["甲", "乙"]
    assert table.frame.index.tolist() == [2, 4]
    assert table.notes == ("totals_left_out:2|3, 5",)


def saved(folder, kind, rows):
    if kind == "xlsx":
        return workbook(folder / "a.xlsx", {"表": rows})
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    (folder / "a.csv").write_text("\n".join(lines), "utf-8")
    return folder / "a.csv"


def test_total_is_a_name_too(tmp_path):
    (tmp_path / "a.csv").write_text("name,lon,lat\nTotal,120.9,30.5\nShell,120.8,30.4\nTotal,,\n", "utf-8")
    assert read_table(tmp_path / "a.csv").frame["lon"].tolist() == ["120.9", "120.8"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_titles_of_two_cells_are_no_header(tmp_path, kind):
    rows = [["一览表", None, None], ["填报单位：文化局", None, "日期：2025"], HEAD, ["甲", 1, 2]]
    table = read_table(saved(tmp_path, kind, rows))
    assert (table.frame.to_dict("list"), table.first_row) == (
        {"名称": ["甲"], "经度": [cell(kind, 1)], "纬度": [cell(kind, 2)]}, 4
    )  # fmt: skip
    assert table.notes == ("header_found:3|2",)


def cell(kind, number):
    return str(number) if kind == "csv" else number


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_header_of_two_rows(tmp_path, kind):
    rows = [["名称", "坐标", None, "人口"], [None, "经度", "纬度", None], ["甲", 1, 2, 3]]
    table = read_table(saved(tmp_path, kind, rows))
    assert list(table.frame.columns) == ["名称", "经度", "纬度", "人口"]
    assert table.frame.index.tolist() == [3]
    assert "header_of_two_rows:2" in table.notes


def test_a_first_row_of_names_alone_is_no_second_header(tmp_path):
    (tmp_path / "a.csv").write_text("name,kind,note\n甲,社区,\n乙,村,\n", "utf-8")
    assert read_table(tmp_path / "a.csv").frame["name"].tolist() == ["甲", "乙"]


def test_a_cover_of_two_columns_and_a_list_of_what_columns_mean_are_no_tables(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "封面": [["填报单位", "文化局"], ["日期", "2025"]],
            "数据": [HEAD, ["甲", 1, 2]],
            "说明": [["字段", "含义"], ["名称", "设施的名称"]],
        },
    )
    table = read_table(path)
    assert table.frame["名称"].tolist() == ["甲"]
    assert table.notes == ("sheet_left_out:封面|no_headings", "sheet_left_out:说明|no_headings")


def test_the_sheet_with_most_known_names_is_proposed(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"B": [["村", "人口"], ["a", 1]], "A": [HEAD, ["甲", 1, 2]]})
    with pytest.raises(UnusableInputError, match='Remedy: name the sheet that is meant: sheet = "A"'):
        read_table(path)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("Halls of Haiyan, 2025\nname;lon;lat\nA;120,9;30,5\n", ";"),
        ("sep=;\nname;lon;lat\nA;120,9;30,5\n", ";"),
        ("名称，经度，纬度\nA，120.9，30.5\n", "，"),
        ('name,lon,lat,hours\nA,120.9,30.5,"8:30-11:30;13:30-17:00"\nB,120.9,30.5,a;b\n', ","),
        ("name|lon|lat\nA|120.9|30.5\n", "|"),
    ],
)
def test_the_sign_most_lines_agree_on_parts_the_columns(tmp_path, text, delimiter):
    (tmp_path / "a.csv").write_text(text, "utf-8")
    table = read_table(tmp_path / "a.csv")
    assert table.frame.iloc[0, :3].tolist() == ["A", "120.9", "30.5"]
    shown = "/" if delimiter == "|" else delimiter
    assert [note for note in table.notes if note.startswith("delimiter")] == (
        [] if delimiter == "," else [f"delimiter:{shown}"]
    )


def test_three_digits_behind_the_comma_of_a_longitude_are_decimals(tmp_path):
    (tmp_path / "a.csv").write_text("名称;经度;纬度;人口\n甲;120,904;30,512;1,234\n", "utf-8")
    frame = read_table(tmp_path / "a.csv").frame
    assert frame.iloc[0].tolist() == ["甲", "120.904", "30.512", "1,234"]


def test_points_between_thousands_are_never_a_fraction(tmp_path):
    (tmp_path / "a.csv").write_text("code;lon;lat;people\n330.424;120,9;30,5;1.234\n", "utf-8")
    with pytest.raises(UnusableInputError, match="column 'people': decimals are written with commas"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("code;lon;lat;people\n330.424;120,9;30,5;1234\n", "utf-8")
    assert read_table(tmp_path / "a.csv").frame["code"].tolist() == ["330.424"]


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        (["Conceição", "Consolação"], "latin-1"),
        (["Peñaflor"], "latin-1"),
        (["Łódź", "Kraków"], "cp1250"),
        (["Московская", "Центральная", "Минск"], "cp1251"),
        (["서울도서관", "부산도서관"], "euc-kr"),
        (["臺北圖書館"], "big5"),
        (["図書館"], "shift-jis"),
    ],
)
def test_text_of_other_encodings_is_refused(tmp_path, words, encoding):
    (tmp_path / "a.csv").write_bytes("\n".join(["name", *words]).encode(encoding))
    with pytest.raises(UnusableInputError, match=r"row 2: neither UTF-8 nor GB18030 text.*Remedy"):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "words",
    [["A座"], ["澉浦镇"], ["海盐县图书馆", "KTV店"], ["武原街道e站", "于城镇"], ["甲"], ["名称", "堃喆"]],
)
def test_chinese_text_is_read(tmp_path, words):
    (tmp_path / "a.csv").write_bytes("\n".join(["name,lon", *words]).encode("gb18030"))
    assert read_table(tmp_path / "a.csv").frame["name"].tolist() == words


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "link", "properties": {"href": "http://user:secret@127.0.0.1:1/a"}},
        {"type": "url", "properties": {"url": "http://user:secret@127.0.0.1:1/a"}},
        {"type": "name", "properties": {"name": "http://user:secret@127.0.0.1:1/a"}},
        {"type": "name", "properties": {"name": "/vsicurl/http://127.0.0.1:1/a"}},
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549999"}},
    ],
)
@pytest.mark.parametrize("where", ["collection", "feature", "geometry"])
def test_a_crs_that_is_no_name_of_one_is_refused_wherever_it_stands(tmp_path, crs, where):
    point = {"type": "Point", "coordinates": [120.0, 30.0]}
    feature = {"type": "Feature", "properties": {"crs": "any"}, "geometry": point}
    document = {"type": "FeatureCollection", "features": [feature]}
    {"collection": document, "feature": feature, "geometry": point}[where]["crs"] = crs
    (tmp_path / "a.geojson").write_text(json.dumps(document), "utf-8")
    with pytest.raises(UnusableInputError, match=r"a\.geojson, crs: .*Remedy") as caught:
        read_table(tmp_path / "a.geojson")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4549", "EPSG:4326"])
def test_a_named_crs_is_read(tmp_path, name):
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1.0, 2.0]}}
    crs = {"type": "name", "properties": {"name": name}}
    document = {"type": "FeatureCollection", "crs": crs, "features": [feature]}
    (tmp_path / "a.geojson").write_text(json.dumps(document), "utf-8")
    assert read_table(tmp_path / "a.geojson").frame.geometry.tolist() == [Point(1, 2)]
