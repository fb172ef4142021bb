"""Forms: what is written on them, and that what people fill in comes back as they wrote it."""

import tomllib
import zipfile

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from conftest import ROOT
from lifecircle.errors import UnusableInputError
from lifecircle.facilities import read_facilities
from lifecircle.forms import LINES_FILE, FormOrder, Unit, Units, department_forms, form_datum, write_forms
from lifecircle.headings import named, synonyms
from lifecircle.indicators import read_indicators
from lifecircle.standards import Standard, load_standard
from lifecircle.study import read_study
from lifecircle.tables import read_table
from lifecircle.wording import word

FACILITIES, FIGURES = word("form_sheet", "facilities", "zh"), word("form_sheet", "figures", "zh")

PROFILE = {
    "id": "small",
    "service": [
        {"id": "library", "name": {"zh": "图书馆", "en": "library"}, "department": "文化局"},
        {"id": "post", "name": {"zh": "文化驿站", "en": "post"}, "department": "文化局"},
        {"id": "home", "name": {"zh": "养老院", "en": "home"}, "department": "民政局（老龄办）/二科"},
    ],
    "target": [
        {"id": "carers", "kind": "capacity", "require": {"home": 1}, "of": "carers"},
        {"id": "readers", "kind": "indicator", "unit": "share", "by": "district", "department": "文化局"},
        {
            "id": "income",
            "kind": "indicator",
            "unit": "share",
            "department": "农业局",
            "committee": "village",
            "each": {"recurrent": 200, "operating": 80},
            "each_unit": "万元",
        },
        {
            "id": "gap",
            "kind": "indicator",
            "unit": "share",
            "department": "发改局",
            "trend": "shrinking",
            "computed": {"gap": "districts"},
        },
    ],
}
UNITS = Units(
    (Unit("330424001", "甲街道"), Unit("330424101", "乙镇")),
    (
        Unit("330424001001", "东社区居委会", "330424001"),
        Unit("330424101200", "=HYPERLINK(0)村委会", "330424101"),
    ),
)


@pytest.fixture
def standard():
    return Standard.model_validate(PROFILE)


@pytest.fixture
def study(tmp_path):
    """Write a study whose units are two districts and two villages, one with a name like a formula."""
    folder = tmp_path / "study"
    folder.mkdir()
    towns = gpd.GeoDataFrame(
        {"code": [one.code for one in UNITS.districts], "name": [one.name for one in UNITS.districts]},
        geometry=[shapely.box(120, 30, 120.5, 31), shapely.box(120.5, 30, 121, 31)],
        crs="EPSG:4326",
    )
    towns.to_file(folder / "towns.geojson")
    pd.DataFrame([(one.code, one.name, one.district) for one in UNITS.villages]).set_axis(
        ["code", "name", "district"], axis=1
    ).to_csv(folder / "villages.csv", index=False)
    (folder / "profile.toml").write_text(as_toml(PROFILE), "utf-8")
    (folder / "study.toml").write_text(
        'id = "s"\nname = "某县"\nyear = 2024\nroads = { file = "r.parquet" }\ndemand = { file = "d.csv" }\n'
        'districts = { file = "towns.geojson" }\nvillages = { file = "villages.csv" }\n'
        'facilities = [{ file = "f.csv", service = "library" }]\nstandard = { use = "profile.toml" }\n',
        "utf-8",
    )
    return folder


def as_toml(plain):
    return "\n".join(f"{key} = {inline(value)}" for key, value in plain.items())


def inline(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {inline(one)}' for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


@pytest.fixture
def forms(study, tmp_path):
    write_forms(tmp_path / "forms", FormOrder(study=study))
    return tmp_path / "forms"


def lines(forms):
    """Return the parts of study.toml that the forms come with, by file."""
    plain = tomllib.loads((forms / LINES_FILE).read_text("utf-8"))
    part = plain["indicators"]
    return (
        {one["file"]: one for one in plain["facilities"]},
        {one["file"]: one for one in ({k: v for k, v in part.items() if k != "more"}, *part["more"])},
    )


def fill(path, sheet, rows):
    """Fill in a form as a person does, each row by heading, under the example row."""
    book = openpyxl.load_workbook(path)
    place = {cell.value: cell.column for cell in book[sheet][3]}
    for number, row in enumerate(rows, 5):
        for heading, value in row.items():
            book[sheet].cell(number, place[heading], value)
    book.save(path)


# --- what is asked of whom ----------------------------------------------------------------------------


def test_departments_are_asked_for_their_services_and_figures(standard):
    forms = {form.department: form for form in department_forms(standard, units=UNITS, year=2024)}
    assert list(forms) == ["文化局", "民政局（老龄办）/二科", "农业局"]  # the gap is counted by the audit
    assert forms["文化局"].services == {"图书馆": "library", "文化驿站": "post"}
    assert [form.amounts for form in forms.values()] == [(), ("carers",), ()]
    readers = forms["文化局"].figures
    assert [(row.district, row.unit_name) for row in readers] == [
        ("", ""),
        ("330424001", "甲街道"),
        ("330424101", "乙镇"),
    ]
    assert {row.units for row in readers} == {("%", "share")}
    # Both items of the one village; the community has no villagers' committee.
    assert [(row.village, row.item, row.units) for row in forms["农业局"].figures] == [
        ("330424101200", "recurrent", ("万元",)),
        ("330424101200", "operating", ("万元",)),
    ]


def test_every_department_of_the_shipped_profile_has_a_form():
    standard = load_standard("haiyan-2025")
    forms = department_forms(standard)
    assert sorted(one for form in forms for one in form.services.values()) == sorted(
        one.id for one in standard.services
    )
    asked = {row.target for form in forms for row in form.figures}
    assert asked == {t.id for t in standard.targets if t.kind == "indicator" and t.computed is None}


def test_two_services_of_one_name_bear_their_ids():
    twice = {"id": "x", "service": [{"id": "a", "name": "馆"}, {"id": "b", "name": "馆"}]}
    (form,) = department_forms(Standard.model_validate(twice))
    assert form.services == {"馆 a": "a", "馆 b": "b"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("facilities", ["id", "name", "service", "district", "village", "address", "lon", "lat"]),
        ("facilities", ["capacity", "hours", "opened", "closed", "serves"]),
        ("indicators", ["target", "year", "district", "village", "item", "value", "unit", "source"]),
    ],
)
def test_headings_are_known_to_the_readers(table, columns, language):
    """A heading means its column and no other, so that a form is read without a mapping of it."""
    headings = [word("form_column", column, language) for column in columns]
    others = [word("form_column", name, language) for name in ("meaning", "unit_name", "remarks", "fee")]
    for column, heading in zip(columns, headings, strict=True):
        assert named([*headings, *others], column, synonyms(table, column)) == (heading,)


# --- the workbooks ------------------------------------------------------------------------------------


def test_a_workbook_for_each_department_and_the_lines_that_read_them(forms):
    assert sorted(path.name for path in forms.iterdir()) == sorted(
        ["文化局.xlsx", "民政局（老龄办）_二科.xlsx", "农业局.xlsx", LINES_FILE]
    )
    facilities, figures = lines(forms)
    assert list(facilities) == ["文化局.xlsx", "民政局（老龄办）_二科.xlsx"]
    assert list(figures) == ["文化局.xlsx", "农业局.xlsx"]
    assert facilities["文化局.xlsx"]["services"] == {"图书馆": "library", "文化驿站": "post"}
    book = openpyxl.load_workbook(forms / "文化局.xlsx")
    assert book.sheetnames == ["填表说明", "设施", "登记数据", "单位代码", "选项"]
    assert book["选项"].sheet_state == "hidden"
    assert book["设施"].freeze_panes == "C4"
    assert [cell.value for cell in book["单位代码"]["A"]][3:] == [
        *(one.code for one in UNITS.districts),
        *(one.code for one in UNITS.villages),
    ]


def offered(book, sheet, cell):
    """Return what a cell lets choose from."""
    checks = [one for one in book[sheet].data_validations.dataValidation if cell in one.sqref]
    (check,) = [one for one in checks if one.type == "list"]
    name, _, cells = check.formula1.rpartition("!")
    return [row[0].value for row in book[name.strip("'")][cells.replace("$", "")]]


def test_cells_let_choose_services_units_and_yes_or_no(forms):
    book = openpyxl.load_workbook(forms / "文化局.xlsx")
    at = {cell.value: cell.column_letter for cell in book["设施"][3]}
    choices = {name: offered(book, "设施", f"{letter}5") for name, letter in at.items() if name in CHOICES}
    assert choices == CHOICES
    assert offered(book, "登记数据", "I5") == ["%", "share"]


CHOICES = {
    "服务类别": ["图书馆", "文化驿站"],
    "乡镇（街道）": ["甲街道", "乙镇"],
    "村（社区）": ["东社区居委会", "=HYPERLINK(0)村委会"],
    "权属": ["公办", "普惠", "民办"],
    "是否收费": ["是", "否"],
}


def test_nothing_in_a_form_is_a_formula(forms):
    for path in forms.glob("*.xlsx"):
        with zipfile.ZipFile(path) as book:
            parts = [name for name in book.namelist() if "worksheets/" in name]
            assert not [name for name in parts if b"<f>" in book.read(name) or b"<f " in book.read(name)]


def test_the_same_order_is_the_same_bytes(study, forms, tmp_path):
    write_forms(tmp_path / "again", FormOrder(study=study))
    for path in forms.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_forms_that_people_filled_in_are_never_replaced(study, forms):
    before = {path.name: path.read_bytes() for path in forms.iterdir()}
    with pytest.raises(UnusableInputError, match="already there and not empty"):
        write_forms(forms, FormOrder(study=study))
    assert {path.name: path.read_bytes() for path in forms.iterdir()} == before


def test_forms_of_a_profile_name_no_units(tmp_path):
    paths = write_forms(tmp_path / "forms", FormOrder(profile="haiyan-2025", language="en"))
    assert len(paths) == 11
    book = openpyxl.load_workbook(tmp_path / "forms" / "民政局.xlsx")
    assert book.sheetnames == ["how to fill in", "facilities", "lists"]


# --- read back ----------------------------------------------------------------------------------------

ROWS = [
    {
        "编号": "W1",
        "设施名称": "甲养老院",
        "服务类别": "养老院",
        "乡镇（街道）": "甲街道",
        "村（社区）": "东社区居委会",
        "地址": "河滨路 1 号",
        "经度": 120.125,
        "纬度": 30.25,
        "容纳人数": 40,
        "持证护理人员": 6,
        "开放时间": "周二至周日 9:00-17:00",
        "启用日期": "2021-03-01",
        "停用日期": "2024-09-01",
        "权属": "公办",
        "是否收费": "是",
        "服务单位": "330424001001 330424101200",
    },
    {"设施名称": "乙养老院", "服务类别": "养老院", "经度": 120.5, "纬度": 30.5, "启用日期": 2019},
]


def test_facilities_are_read_back_as_they_were_filled_in(forms):
    name = "民政局（老龄办）_二科.xlsx"
    fill(forms / name, FACILITIES, ROWS[:1])
    part = lines(forms)[0][name]
    table = read_table(forms / name, sheet=part["sheet"], header_row=part["header_row"])
    assert table.notes == ("header_found:3|2", "examples_left_out:1|4")
    read, rejects = read_facilities(
        table, datum=part["datum"], columns=part["columns"], services=part["services"]
    )
    assert rejects.empty
    (one,) = read.reset_index().to_dict("records")
    kept = ("id", "name", "service", "capacity", "carers", "hours", "serves", "ownership", "fee")
    assert [one[key] for key in kept] == [
        "W1", "甲养老院", "home", 40, 6, "Tu-Su 09:00-17:00", "330424001001 330424101200", "公办", "是",
    ]  # fmt: skip
    assert (one["district"], one["village"], one["地址"]) == ("甲街道", "东社区居委会", "河滨路 1 号")
    assert (one["geometry"].x, one["geometry"].y) == (120.125, 30.25)
    assert (one["opened"], one["closed"]) == (pd.Timestamp("2021-03-01"), pd.Timestamp("2024-09-01"))


def test_blank_cells_are_unknown_and_a_year_is_its_first_day(forms):
    name = "民政局（老龄办）_二科.xlsx"
    fill(forms / name, FACILITIES, ROWS[1:])
    part = lines(forms)[0][name]
    table = read_table(forms / name, sheet=part["sheet"], header_row=part["header_row"])
    read, rejects = read_facilities(table, columns=part["columns"], services=part["services"])
    (one,) = read.reset_index().to_dict("records")
    assert rejects.empty
    assert one["id"] == 5  # the row, as the number is blank
    assert pd.isna(one["capacity"])
    assert pd.isna(one["closed"])
    assert one["opened"] == pd.Timestamp("2019-01-01")


def test_figures_are_read_back_as_they_were_filled_in(forms, standard):
    """Per cent become shares, blank figures are unknown and counted, figures of villages keep their item."""
    fill(forms / "文化局.xlsx", FIGURES, [{"数值": 86.2}, {"数值": 0.9, "计量单位": "share"}, {}])
    fill(forms / "农业局.xlsx", FIGURES, [{"数值": 210}, {"数值": 75.5}])
    districts = pd.DataFrame({"name": [one.name for one in UNITS.districts]}).set_axis(
        [one.code for one in UNITS.districts]
    )
    villages = pd.DataFrame(
        {"name": [one.name for one in UNITS.villages], "district": [one.district for one in UNITS.villages]}
    ).set_axis([one.code for one in UNITS.villages])
    found = {}
    for name, part in lines(forms)[1].items():
        table = read_table(forms / name, sheet=part["sheet"], header_row=part["header_row"])
        found[name] = read_indicators(table, standard=standard, districts=districts, villages=villages)
        assert found[name].rejects.empty
    columns = ["target", "year", "district", "village", "item", "value", "source"]
    assert found["文化局.xlsx"].table[columns].to_numpy().tolist() == [
        ["readers", 2024, "", "", "", 0.862, "文化局"],
        ["readers", 2024, "330424001", "", "", 0.9, "文化局"],
    ]
    assert set(found["文化局.xlsx"].notes) == {"indicator_percent:1", "indicator_blank:1"}
    assert found["农业局.xlsx"].table[["village", "item", "value", "unit"]].to_numpy().tolist() == [
        ["330424101200", "recurrent", 210, "万元"],
        ["330424101200", "operating", 75.5, "万元"],
    ]


def test_a_form_states_its_datum(forms):
    path = forms / "文化局.xlsx"
    assert form_datum(path) == "wgs84"
    book = openpyxl.load_workbook(path)
    (row,) = [cell.row for cell in book["填表说明"]["A"] if cell.value == "全表坐标系"]
    book["填表说明"].cell(row, 2, word("form_datum", "gcj02", "zh"))
    book.save(path)
    assert form_datum(path) == "gcj02"
    assert form_datum(ROOT / "data/geo/haiyan/culture.xlsx") is None


def test_the_lines_stand_in_a_study(study, forms):
    """Copied into a study with the forms beside it, they are read without a fault."""
    for path in forms.glob("*.xlsx"):
        path.rename(study / path.name)
    text = (study / "study.toml").read_text("utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("facilities")]
    (study / "study.toml").write_text(
        "\n".join(kept) + "\n" + (forms / LINES_FILE).read_text("utf-8"), "utf-8"
    )
    assert [part.sheet for part in read_study(study).facilities] == [FACILITIES, FACILITIES]


def test_rows_of_examples_are_noted_wherever_they_stand(tmp_path):
    (tmp_path / "a.csv").write_text("编号,名称\n示例,甲\nA1,乙\nA2,丙\n", "utf-8")
    table = read_table(tmp_path / "a.csv")
    assert table.frame["名称"].tolist() == ["乙", "丙"]
    assert table.notes == ("examples_left_out:1|2",)
