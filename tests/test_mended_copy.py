"""A mended copy: only what is certain is changed, every change is logged, and the study stays as it is."""

import csv
import json

import openpyxl
import pandas as pd
import pytest

from commands import run as lifecircle
from conftest import ROOT, edit, in_whole_campaign
from lifecircle.audit import prepare, run_audit
from lifecircle.doctor import check_study, mend_study
from lifecircle.doctor._mends import TableColumns, table_mends
from lifecircle.errors import UnusableInputError
from lifecircle.study import copy_example, read_study
from lifecircle.tables import read_table
from test_ledger import everything

COLUMNS = TableColumns("facilities", {}, ("capacity",), ("opened", "closed"))


def mends(cells, file="a.csv", columns=COLUMNS):
    """Give (column, after) of every mend of a table of one row or more."""
    found = table_mends(read_table(pd.DataFrame(cells)), columns, file)
    return [(mend.row, mend.column, mend.after) for mend in found]


@pytest.mark.parametrize(
    ("column", "before", "after"),
    [
        ("名称", "示例· 大刘村文化礼堂", "示例·大刘村文化礼堂"),
        ("名称", "大刘村　文化礼堂", "大刘村文化礼堂"),
        ("名称", "Town  hall", "Town hall"),
        ("名称", "图书馆\u200b", "图书馆"),
        ("名称", "Toy library", None),
        ("名称", "3 号楼", None),  # a blank beside a digit may be meant
        ("容量", "１２０", "120"),
        ("容量", "120人", "120"),
        ("容量", "1.2万", "12000"),
        ("容量", "约40", None),
        ("容量", "30-40", None),
        ("容量", "120", None),
        ("开放日期", "２０２１年３月５日", "2021年3月5日"),
        ("开放日期", "2021年3月5日", None),  # read as it stands
        ("开放日期", "不详", None),
        ("经度", "120°30′36″", "120.51"),
        ("经度", "１２０．５", "120.5"),
        ("经度", "120.5", None),
        ("电话", "=1+1", "'=1+1"),
        ("电话", "-12", None),
    ],
)
def test_cells_with_one_reading(column, before, after):
    row = {
        "名称": "馆",
        "类别": "library",
        "经度": "120.9",
        "纬度": "30.5",
        "容量": "1",
        "开放日期": "",
        "电话": "",
    }
    found = mends({name: [before if name == column else cell] for name, cell in row.items()})
    assert found == ([] if after is None else [(1, column, after)])


def test_only_pairs_that_can_be_nothing_else_are_exchanged():
    found = mends({"lon": ["30.5", "120.9", "30.5", "30.5"], "lat": ["120.9", "30.5", "95.0", "30.6"]})
    # 95 E is in China too; 30.6 may be a wrong figure as well
    assert found == [
        (1, "lon", "120.9"), (1, "lat", "30.5"), (3, "lon", "95"), (3, "lat", "30.5")
    ]  # fmt: skip
    projected = TableColumns("facilities", {}, datum="EPSG:4549")
    assert mends({"x": ["30.5"], "y": ["120.9"]}, columns=projected) == []


@in_whole_campaign
def test_the_county_is_mended_and_can_be_audited(tmp_path):
    county = ROOT / "data" / "geo" / "haiyan"
    copy = mend_study(county, tmp_path / "fixed")
    assert [(mend.file, mend.row, mend.column) for mend in copy.mends] == [
        ("culture.xlsx", 172, "名称"),
        ("health.csv", 274, "name"),
        ("culture.xlsx", 172, ""),
        ("culture.xlsx", 173, ""),
        ("culture.xlsx", 174, ""),
        ("health.csv", 274, ""),
        ("health.csv", 275, ""),
    ]
    assert copy.unwritten == ()
    before, after = (check_study(folder) for folder in (county, copy.folder))
    assert len(after.problems) == len(before.problems) - 2  # rows listed twice, of two files
    left = {str(one.reason) for one in after.problems}
    assert left < {str(one.reason) for one in before.problems}
    one, other = (prepare(read_study(folder)).register for folder in (county, copy.folder))
    assert one.index.equals(other.index)


@pytest.fixture
def faulty(toytown):
    """Give the toy town with a list as an office hands it over, in GB18030 and with semicolons."""
    facilities = prepare(read_study(toytown)).register
    lon, lat = facilities.geometry.x.to_dict(), facilities.geometry.y.to_dict()
    rows = [
        "设施名册;;;;;;",
        "编号;名称;类别;容纳人数;开放日期;经度;纬度",
        f"L1;玩具 图书馆;library;１２０人;2010;{lon['L1']:.8f};{lat['L1']:.8f}",
        f"G1;健身房西;gym;35;２０２３-06-01;{lat['G1']:.8f};{lon['G1']:.8f}",
        f"G2;健身房中;gym;约40;2021;{lon['G2']:.8f};{lat['G2']:.8f}",
        f"L2;玩具图书馆;library;;2010;{lon['L1']:.8f};{lat['L1']:.8f}",
        f"P1;公园;sports_park;1.2万;2019;{lon['P1']:.8f};{lat['P1']:.8f}",
        f"C1;=HYPERLINK(1);clinic;;2015;{lon['C1']:.8f};{lat['C1']:.8f}",
    ]
    (toytown / "facilities.csv").write_bytes("\r\n".join(rows).encode("gb18030"))
    edit(
        toytown / "study.toml",
        'file = "facilities.csv"\ndatum = "EPSG:4549"',
        'file = "facilities.csv" # 名册',
    )
    edit(toytown / "study.toml", "year = 2025", "year = 2025\nmax_rejected = 0.5")
    return toytown


def test_a_list_of_an_office(faulty, tmp_path):
    before = everything(faulty)
    found = lifecircle("check", faulty, "--fix", "--out", tmp_path / "fixed")
    assert found.returncode == 1, found.stderr
    assert everything(faulty) == before
    assert "8 changes in the mended copy" in found.stdout
    with (tmp_path / "fixed" / "mended.csv").open(encoding="utf-8-sig") as log:
        rows = list(csv.reader(log))
    assert rows[0] == ["file", "row", "column", "before", "after", "reason"]
    lon, lat = rows[4][4], rows[5][4]
    assert [row[1:5] for row in rows[1:]] == [
        ["3", "名称", "玩具 图书馆", "玩具图书馆"],
        ["3", "容纳人数", "１２０人", "120"],
        ["4", "开放日期", "２０２３-06-01", "2023-06-01"],
        ["4", "经度", lat + "0" * (11 - len(lat)), lon],
        ["4", "纬度", lon + "0" * (12 - len(lon)), lat],
        ["7", "容纳人数", "1.2万", "12000"],
        ["8", "名称", "'=HYPERLINK(1)", "''=HYPERLINK(1)"],
        ["6", "", "玩具图书馆", ""],
    ]
    text = (tmp_path / "fixed" / "facilities.csv").read_text("utf-8-sig").splitlines()
    assert text[0] == "设施名册;;;;;;"
    assert text[2].startswith("L1;玩具图书馆;library;120;2010;")
    assert len(text) == 7
    assert "'=HYPERLINK(1)" in text[-1]
    assert "约40" in "".join(text)  # two readings: left to people, and listed
    register = run_audit(tmp_path / "fixed").facilities
    assert sorted(register.index) == ["C1", "G1", "L1", "P1"]
    assert register["capacity"]["P1"] == 12000


def test_a_workbook_keeps_its_other_sheets_and_loses_its_formulas(faulty):
    table = read_table(faulty / "facilities.csv").frame
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active["A1"] = "填报说明"
    sheet = book.create_sheet("名册")
    sheet.append(list(table.columns))
    for row in table.itertuples(index=False):
        sheet.append(list(row))
    book.save(faulty / "facilities.xlsx")
    edit(faulty / "study.toml", "facilities.csv", "facilities.xlsx")
    copy = mend_study(faulty)
    assert copy.folder == faulty.with_name("toytown-fixed")
    mended = openpyxl.load_workbook(copy.folder / "facilities.xlsx")
    assert mended["说明"]["A1"].value == "填报说明"
    values = [row[1:4] for row in mended["名册"].iter_rows(values_only=True)]
    assert ("玩具图书馆", "library", 120) in values
    assert len(values) == 6  # the row listed twice is gone
    assert not any(cell.data_type == "f" for row in mended["名册"].iter_rows() for cell in row)


def test_geojson_is_mended_in_its_properties(toytown, tmp_path):
    frame = prepare(read_study(toytown)).register
    features = [
        {
            "type": "Feature",
            "properties": {"id": str(label), "name": f"甲 {name}", "service": service, "capacity": "35张"},
            "geometry": {"type": "Point", "coordinates": [point.x, point.y]},
        }
        for label, name, service, point in zip(
            frame.index, "乙丙丁戊己庚", frame["service"], frame.geometry, strict=True
        )
    ]
    (toytown / "f.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), "utf-8"
    )
    edit(toytown / "study.toml", 'file = "facilities.csv"\ndatum = "EPSG:4549"', 'file = "f.geojson"')
    copy = mend_study(toytown, tmp_path / "fixed")
    assert len(copy.mends) == 2 * len(features)
    register = prepare(read_study(copy.folder)).register
    assert register["capacity"].eq(35).all()
    assert register["name"].iloc[0] == "甲乙"


def test_a_wrong_datum_is_declared_where_the_places_are_clear(tmp_path):
    """The study is then, but for nothing, the example again, whose check finds no wrong datum."""
    folder = copy_example(tmp_path / "haiyan")
    edit(folder / "study.toml", 'datum = "bd09"', 'datum = "gcj02"')
    copy = mend_study(folder, tmp_path / "fixed")
    (declared,) = [mend for mend in copy.mends if mend.file == "study.toml"]
    assert (declared.column, declared.before, declared.after) == ("facilities[3].datum", "gcj02", "bd09")
    text = (copy.folder / "study.toml").read_text("utf-8")
    old = (folder / "study.toml").read_text("utf-8")
    assert text == old.replace(
        'file = "welfare.csv"\ndatum = "gcj02"', 'file = "welfare.csv"\ndatum = "bd09"'
    )


def test_nothing_is_ever_written_over(toytown, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    with pytest.raises(UnusableInputError, match="already there and not empty"):
        mend_study(toytown, tmp_path / "mine")
    with pytest.raises(UnusableInputError, match="lies in the study itself"):
        mend_study(toytown, toytown / "fixed")
    assert lifecircle("check", toytown, "--out", tmp_path / "x").returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine", "toytown"] or len(
        list(tmp_path.iterdir())
    ) == 2


def test_a_study_without_faults_is_copied_as_it_is(toytown, tmp_path):
    copy = mend_study(toytown, tmp_path / "fixed")
    assert copy.mends == ()
    for path in toytown.iterdir():
        assert (copy.folder / path.name).read_bytes() == path.read_bytes()
