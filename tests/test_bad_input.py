"""Inputs that no program should believe: each ends in reject rows or one fault, never in a traceback."""

import zipfile

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from commands import run as lifecircle
from conftest import edit
from lifecircle.audit import prepare
from lifecircle.demand import read_demand, read_districts
from lifecircle.errors import UnusableInputError
from lifecircle.facilities import read_facilities
from lifecircle.study import read_study
from lifecircle.tables import read_table

HEAD = ["id", "name", "service", "lon", "lat", "capacity"]
ROW = ["L1", "馆", "library", 120.9, 30.5, 10]


def book(path, *rows):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(path)
    return path


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_one_fault(tmp_path, share):
    path = book(tmp_path / "a.xlsx", HEAD, *([ROW] * 200))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UnusableInputError) as caught:
        read_table(path)
    assert len(caught.value.faults) == 1
    assert "cannot be read" in str(caught.value)


def test_mixed_encodings_name_the_row(tmp_path):
    """Rows pasted from another program: neither reading gives text for all of them."""
    path = tmp_path / "a.csv"
    path.write_bytes(
        ",".join(HEAD).encode()
        + "\nL1,海盐县图书馆,library,120.9,30.5,1\n".encode()
        + "L2,武原街道文化站,library,120.9,30.5,1\n".encode("gb18030")
        + "L3,Conceição,library,120.9,30.5,1\n".encode("latin-1")
    )
    with pytest.raises(UnusableInputError, match=r"row 3: two encodings in one file: row 2 is UTF-8"):
        read_table(path)


def test_cells_of_megabytes_are_rejects_of_one_line(toytown):
    text = (toytown / "facilities.csv").read_text("utf-8").splitlines()
    rows = [text[0] + ",capacity", *(line + "," for line in text[1:])]
    rows[1] = text[1].replace("Toy library", "馆" * 3_000_000) + ","
    rows[2] += "9" * 9_000_000
    (toytown / "facilities.csv").write_text("\n".join(rows) + "\n", "utf-8")
    edit(toytown / "study.toml", "year = 2025", "year = 2025\nmax_rejected = 0.5")
    rejects = prepare(read_study(toytown)).rejects
    assert [(row, column) for row, column in zip(rejects["row"], rejects["column"], strict=True)] == [
        (2, "name"), (3, "capacity")
    ]  # fmt: skip
    assert rejects.astype("str").map(len).to_numpy().max() < 300
    done = lifecircle("audit", toytown)
    assert done.returncode == 0, done.stderr[:500]
    assert sum(path.stat().st_size for path in (toytown / "results" / "2025").iterdir()) < 2_000_000


def test_a_cell_no_reader_takes_is_a_fault(tmp_path):
    (tmp_path / "a.csv").write_text("id,name\n1," + "x" * 11_000_000 + "\n", "utf-8")
    with pytest.raises(UnusableInputError, match="line 2"):
        read_table(tmp_path / "a.csv")


def test_formulas_read_as_their_results_or_blank(tmp_path):
    path = book(tmp_path / "a.xlsx", HEAD, ROW, ["L2", "=1+1", "library", 120.9, 30.5, '=HYPERLINK("x")'])
    table = read_table(path)
    assert table.frame["name"].isna().tolist() == [False, True]
    assert any(note.startswith("formula_without_value") for note in table.notes)


def test_merged_headings_of_a_workbook(tmp_path):
    """基本信息 over two columns, 位置 over two: the lower row names them."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.append(["基本信息", None, None, "位置", None])
    sheet.append(["编号", "名称", "类别", "经度", "纬度"])
    sheet.append(["L1", "馆", "library", 120.9, 30.5])
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("D1:E1")
    made.save(tmp_path / "a.xlsx")
    facilities, rejects = read_facilities(tmp_path / "a.xlsx")
    assert facilities["name"].tolist() == ["馆"]
    assert rejects.empty


@pytest.mark.parametrize(
    "value", ["nan", "NaN", "inf", "-inf", "1e999", "Infinity", float("nan"), float("inf")]
)
@pytest.mark.parametrize("column", ["lon", "capacity"])
def test_what_is_no_number_is_a_reject(value, column):
    table = pd.DataFrame([ROW, ROW], columns=HEAD).astype({column: object})
    table.loc[1, column] = value
    table.loc[1, "id"] = "L2"
    facilities, rejects = read_facilities(table, max_rejected=1)
    if column == "capacity" and pd.isna(value):
        assert facilities["capacity"].isna().tolist() == [False, True]  # missing, as a frame writes it
        return
    assert facilities.index.tolist() == ["L1"]
    assert rejects["column"].tolist() == [column]


@pytest.mark.parametrize(
    ("people", "kept"), [(1e8, 2), (1e9, 1), ("1e9", 1), (-1, 1), ("10亿", 1), ("1.2万", 2)]
)
def test_people_beyond_belief_are_rejects(people, kept):
    table = pd.DataFrame({"population": [5, people], "lon": 120.9, "lat": 30.5})
    demand, rejects = read_demand(table, max_rejected=1)
    assert (len(demand), len(rejects)) == (kept, 2 - kept)


def test_a_self_crossing_ground_is_entered_at_its_edge():
    bow = shapely.Polygon([(120, 30), (120.01, 30.01), (120.01, 30), (120, 30.01)])
    assert not bow.is_valid
    layer = gpd.GeoDataFrame({"service": ["park"]}, geometry=[bow], crs="EPSG:4326")
    facilities, rejects = read_facilities(layer)
    assert rejects.empty
    assert facilities["polygon"].iloc[0].is_valid
    assert facilities.geometry.iloc[0].distance(shapely.Point(120.005, 30.005)) < 0.005


def test_a_self_crossing_district_counts_who_lives_in_it():
    bow = shapely.Polygon([(120, 30), (121, 31), (121, 30), (120, 31)])
    layer = gpd.GeoDataFrame({"name": ["Bow"]}, geometry=[bow], crs="EPSG:4326")
    assert read_districts(layer).geometry.is_valid.all()


def test_a_workbook_that_unpacks_without_end_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("lifecircle.tables._guard.WORKBOOK_MB", 1)
    path = book(tmp_path / "a.xlsx", HEAD, ROW)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * 5_000_000)
    with pytest.raises(UnusableInputError, match="unpacks to 5 MB"):
        read_table(path)
