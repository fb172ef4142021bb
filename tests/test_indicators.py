"""Registered figures: units turned or refused, places known by code or name, doubles, all faults reported."""

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conftest import ROOT
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.indicators import INDICATOR_TABLE, Indicators, join_indicators, read_indicators
from lifecircle.standards import Standard
from lifecircle.tables import read_table
from lifecircle.wording import explain

STANDARD = Standard.model_validate(
    {
        "id": "s",
        "name": "s",
        "service": [{"id": "library"}, {"id": "ward"}],
        "target": [
            {
                "id": "visits",
                "kind": "indicator",
                "unit": "share",
                "name": {"zh": "县域就诊率", "en": "visits"},
            },
            {"id": "literacy", "kind": "indicator", "unit": "percent"},
            {"id": "schools", "kind": "indicator", "unit": "schools", "unit_names": ["所"]},
            {
                "id": "income",
                "kind": "indicator",
                "unit": "share",
                "each": {"all": 200, "own": 80},
                "each_unit": "万元",
            },
            {"id": "circle", "kind": "circle", "require": {"library": 1}, "minutes": 15},
            {"id": "beds", "kind": "capacity", "require": {"ward": 1}},
        ],
    }
)
DISTRICTS = pd.DataFrame({"name": ["东镇", "西镇"]}, index=pd.Index(["T1", "T2"], name="code"))
VILLAGES = pd.DataFrame(
    {"name": ["一村", "二村", "一村"], "district": ["T1", "T1", "T2"]},
    index=pd.Index(["V1", "V2", "V3"], name="code"),
)
COLUMNS = ["target", "year", "district", "village", "item", "value", "unit", "source"]


def table(*rows):
    return pd.DataFrame([{**dict.fromkeys(COLUMNS, ""), **row} for row in rows], columns=COLUMNS)


def read(*rows, **more):
    more = {"districts": DISTRICTS, "villages": VILLAGES, "max_rejected": 1.0, **more}
    return read_indicators(table(*rows), standard=STANDARD, **more)


def row(target="visits", year=2025, value=0.9, **more):
    return {"target": target, "year": year, "value": value, **more}


def figures(found):
    keys = ["target", "year", "district", "village", "item", "value"]
    return [tuple(one) for one in found.table[keys].itertuples(index=False)]


def reasons(found):
    return [(one.row, one.column, one.value, one.reason) for one in found.rejects.itertuples()]


def test_figures_of_the_study_a_district_and_a_village():
    found = read(
        row(unit="share", source="卫健局"),
        row(district="T1"),
        row(district="西镇"),
        row(village="V2"),
        row(district="全县", year=2024),
    )
    assert list(found.table.columns) == list(INDICATOR_TABLE)
    assert figures(found) == [
        ("visits", 2025, "", "", "", 0.9),
        ("visits", 2025, "T1", "", "", 0.9),
        ("visits", 2025, "T2", "", "", 0.9),
        ("visits", 2025, "T1", "V2", "", 0.9),
        ("visits", 2024, "", "", "", 0.9),
    ]
    assert found.table["source"].tolist()[0] == "卫健局"
    assert found.notes == ("indicator_unit_assumed:4",)
    assert found.rejects.empty


def test_a_target_may_be_called_by_its_name_and_be_of_another_kind():
    found = read(row("县域就诊率"), row("circle", value=0.986), row("beds", value=3, unit="per 1000"))
    assert [one[0] for one in figures(found)] == ["visits", "circle", "beds"]


@pytest.mark.parametrize(
    ("target", "value", "unit", "read_as", "turned"),
    [
        ("visits", 0.9, "share", 0.9, False),
        ("visits", "90%", "", 0.9, True),
        ("visits", "90 ％", "share", 0.9, True),
        ("visits", 90, "percent", 0.9, True),
        ("visits", "90", "百分比", 0.9, True),
        ("visits", "90", " % ", 0.9, True),
        ("visits", "0.9", "占比", 0.9, False),
        ("visits", 1, "share", 1.0, False),
        ("literacy", 41.3, "percent", 41.3, False),
        ("literacy", "41.3%", "", 41.3, False),
        ("literacy", 0.413, "share", 41.3, True),
        ("schools", 24, "schools", 24.0, False),
        ("schools", "24", "所", 24.0, False),
        ("schools", 0, "", 0.0, False),
    ],
)
def test_a_figure_is_in_its_targets_unit(target, value, unit, read_as, turned):
    found = read(row(target, value=value, unit=unit))
    assert found.rejects.empty
    assert found.table["value"].tolist() == [pytest.approx(read_as, rel=1e-15)]
    assert ("indicator_percent:1" in found.notes) is turned


@pytest.mark.parametrize(
    ("target", "value", "unit", "column", "reason", "remedy"),
    [
        (
            "visits",
            90,
            "share",
            "value",
            "more than a share can be",
            "write 0.9, or write percent as its unit",
        ),
        ("visits", 90, "", "value", "more than a share can be", "write 0.9"),
        ("visits", 1.2, "share", "value", "more than a share can be", "write 0.012"),
        ("visits", 900, "share", "value", "more than a share can be", "from 0 to 1"),
        ("visits", "120%", "", "value", "more than a share can be", "from 0 to 1"),
        ("literacy", 101, "percent", "value", "more than a share can be", "from 0 to 100"),
        ("visits", -0.1, "share", "value", "less than 0", "0 or more"),
        ("visits", "约九成", "share", "value", "not a number", "digits"),
        ("visits", "1,234", "share", "value", "not a number", "digits"),
        ("visits", "inf", "share", "value", "not a number", "digits"),
        ("visits", 0.9, "所", "unit", "another unit than the target's", "'share'"),
        ("schools", 24, "share", "unit", "another unit than the target's", "'schools'"),
        ("schools", "24%", "", "unit", "another unit than the target's", "'schools'"),
    ],
)
def test_a_figure_that_may_mean_two_things_is_refused(  # noqa: PLR0917
    target, value, unit, column, reason, remedy
):
    found = read(row(target, value=value, unit=unit))
    assert found.table.empty
    shown = str(value) if column == "value" else unit
    assert reasons(found) == [(1, column, shown, reason)]
    assert remedy in found.rejects["remedy"].iloc[0]


def test_a_figure_below_one_per_cent_is_noted():
    found = read(row(value=0.9, unit="percent"))
    assert found.table["value"].tolist() == [pytest.approx(0.009)]
    assert "indicator_small_percent:visits|0.009" in found.notes
    assert all(explain(note, "zh") != note for note in found.notes)


@pytest.mark.parametrize("year", ["2025", 2025, 2025.0, "2025年", "2025 年度", "2025-12-31"])
def test_a_year_as_offices_write_it(year):
    assert read(row(year=year)).table["year"].tolist() == [2025]


@pytest.mark.parametrize("year", ["last year", "25", 1066, "20255"])
def test_what_is_no_year(year):
    (fault,) = reasons(read(row(year=year)))
    assert fault[1:] == ("year", str(year), "not a year")


def test_a_year_twice():
    equal = read(row(value=0.9), row(value="90%"))
    assert figures(equal) == [("visits", 2025, "", "", "", 0.9)]
    assert reasons(equal) == [(2, "value", "0.9", "listed twice, as in (table), row 1")]
    differing = read(row(value=0.9), row(value=0.8), row(year=2024))
    assert figures(differing) == [("visits", 2024, "", "", "", 0.9)]
    assert [one[0] for one in reasons(differing)] == [1, 2]
    assert "differ: 0.9, 0.8" in reasons(differing)[0][3]


def test_a_year_in_two_files():
    both = join_indicators([read(row(value=0.9), row(year=2024)), read(row(value=0.7)), read(row(year=2023))])
    assert sorted(both.table["year"]) == [2023, 2024]
    assert both.rejects["reason"].str.contains("differ").sum() == 2
    assert both.rows == 4
    assert join_indicators([]).rejects.empty
    assert list(Indicators(both.table, both.rejects).table.columns) == list(INDICATOR_TABLE)


@pytest.mark.parametrize(
    ("place", "column", "reason", "remedy"),
    [
        ({"district": "东针"}, "district", "unknown district", "东镇"),
        ({"district": "Z"}, "district", "unknown district", "code"),
        ({"village": "三村"}, "village", "unknown village", "did you mean"),
        ({"village": "一村"}, "village", "several units have this name", "give the code"),
        ({"village": "V3", "district": "T1"}, "village", "not a village of district 'T1'", "correct one"),
    ],
)
def test_a_place_nobody_knows(place, column, reason, remedy):
    found = read(row(**place))
    assert reasons(found) == [(1, column, place[column], reason)]
    assert remedy in found.rejects["remedy"].iloc[0]


def test_a_name_that_two_villages_have_is_known_by_its_district():
    found = read(row(village="一村", district="西镇"))
    assert figures(found) == [("visits", 2025, "T2", "V3", "", 0.9)]


def test_a_study_without_units_knows_the_whole_alone():
    found = read(row(), row(district="T1"), districts=None, villages=None)
    assert figures(found) == [("visits", 2025, "", "", "", 0.9)]
    assert len(found.rejects) == 1


def test_items_of_a_rule_in_rows():
    found = read(
        row("income", village="V1", item="all", value=210, unit="万元"),
        row("income", village="V1", item="own", value=90),
        row("income", value=0.61),
        row("income", village="V1", item="debt", value=1),
        row("income", district="T1", item="own", value=1),
        row("income", village="V2", item="own", value=900000, unit="元"),
    )
    assert [one[3:] for one in figures(found)] == [("V1", "all", 210), ("V1", "own", 90), ("", "", 0.61)]
    assert [one[3] for one in reasons(found)] == [
        "the target has no such item",
        "a figure of one village without its village",
        "another unit than the target's",
    ]
    assert "all, own" in found.rejects["remedy"].iloc[0]


def test_items_of_a_rule_in_columns_as_an_office_keeps_them():
    sheet = pd.DataFrame(
        {
            "年份": [2025, 2025, 2025],
            "村": ["V1", "V2", "没有"],
            "经常性收入": [210, "", 5],
            "经营性收入": [80, "x", 6],
        }
    )
    found = read_indicators(
        sheet,
        standard=STANDARD,
        districts=DISTRICTS,
        villages=VILLAGES,
        target="income",
        columns={"year": "年份", "village": "村"},
        items={"all": "经常性收入", "own": "经营性收入"},
        max_rejected=1.0,
    )
    assert figures(found) == [
        ("income", 2025, "T1", "V1", "all", 210),
        ("income", 2025, "T1", "V1", "own", 80),
    ]
    assert found.notes == ("indicator_unit_assumed:2", "indicator_blank:1")
    assert found.rows == 6
    assert reasons(found) == [
        (2, "经营性收入", "x", "not a number"),
        (3, "村", "没有", "unknown village"),
    ]


def test_a_year_for_a_whole_file():
    found = read_indicators(
        table(row()).drop(columns=["year"]), standard=STANDARD, year=2023, districts=DISTRICTS
    )
    assert found.table["year"].tolist() == [2023]


def test_a_blank_figure_is_no_figure_and_is_counted():
    found = read(row(value=""), row(year=2024))
    assert len(found.table) == 1
    assert "indicator_blank:1" in found.notes
    assert found.rejects.empty


def test_every_fault_of_a_row_is_reported():
    found = read(row("visit", year="x", district="Z"))
    assert [one[1] for one in reasons(found)] == ["year", "district", "target"]
    assert found.rejects["remedy"].iloc[2] == "did you mean 'visits'?"


CELLS = {
    "target": ["visits", "income", "schools", "beds", "visit", "县域就诊率", "", None],
    "year": [2025, "2024年", "x", "", None, 2025.0, "2025-13-40", -1],
    "value": [0.5, "50%", 7, "", None, "x", "1e400", "-0", "½", float("nan"), True],
    "district": ["", "T1", "东镇", "全县", None, "zz", 7],
    "village": ["", "V1", "一村", None, "zz"],
    "item": ["", "own", "all", "debt", None],
    "unit": ["", "share", "%", "万元", "所", "per 1000", None],
    "source": ["", "office", None],
}


@given(st.data())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_whatever_stands_in_a_table_is_a_figure_a_reject_or_a_blank(data):
    rows = data.draw(st.integers(1, 5))
    drawn = {name: [data.draw(st.sampled_from(cells)) for _ in range(rows)] for name, cells in CELLS.items()}
    frame = pd.DataFrame(drawn, dtype=object)
    assume(frame.notna().any(axis=None))
    found = read_indicators(
        frame, standard=STANDARD, districts=DISTRICTS, villages=VILLAGES, max_rejected=1.0
    )
    table, rejects = found.table, found.rejects
    blank = [cell is None or cell != cell or not str(cell).strip() for cell in drawn["value"]]  # noqa: PLR0124
    for number in range(rows):
        row = number + 1
        told, kept = (rejects["row"] == row).any(), (table["row"] == row).any()
        assert told or kept or blank[number]
        assert not (told and kept)
    assert not table.duplicated(["target", "year", "district", "village", "item"]).any()
    assert (table["value"] >= 0).all()
    assert (table["value"][table["unit"] == "share"] <= 1).all()
    assert (rejects["remedy"] != "").all()
    assert found.rows == rows


def test_too_many_rejects_are_unusable():
    with pytest.raises(UnusableInputError, match="2 of 3 rows"):
        read(row(), row(value="x", year=2024), row(value=-1, year=2023), max_rejected=0.5)


@pytest.mark.parametrize(
    ("declared", "match"),
    [
        ({"target": "incomes"}, "did you mean 'income'"),
        ({"target": "income", "items": {"debt": "x"}}, "the target has no such item"),
        ({"items": {"all": "x"}}, "the target has no such item"),
        ({"target": "income", "items": {"all": "nowhere"}}, "missing column"),
        ({"columns": {"value": "nowhere"}}, "missing column"),
    ],
)
def test_what_is_declared_for_a_file_is_checked(declared, match):
    with pytest.raises(UnusableInputError, match=match):
        read(row(), **declared)


def test_file_faults(tmp_path):
    with pytest.raises(MissingFileError):
        read_indicators(tmp_path / "none.csv", standard=STANDARD)
    (tmp_path / "bad.csv").write_text("target,year\nvisits,2025\n", "utf-8")
    with pytest.raises(UnusableInputError, match="column 'value': missing column"):
        read_indicators(tmp_path / "bad.csv", standard=STANDARD)


def test_a_table_read_before_is_a_source(tmp_path):
    path = tmp_path / "figures.csv"
    table(row(), row(value=7, year=2024)).to_csv(path, index=False, encoding="utf-8-sig")
    direct = read_indicators(path, standard=STANDARD, max_rejected=1.0)
    found = read_indicators(read_table(path), standard=STANDARD, max_rejected=1.0)
    pd.testing.assert_frame_equal(found.table, direct.table)
    assert found.rejects["row"].tolist() == [3]


def test_the_county_s_own_table_reads_whole():
    from lifecircle.standards import load_standard  # noqa: PLC0415 - of one test

    folder = ROOT / "data" / "geo" / "haiyan"
    raw = pd.read_csv(folder / "indicators.csv", dtype=str, encoding="utf-8-sig")
    found = read_indicators(
        folder / "indicators.csv",
        standard=load_standard("haiyan-2025"),
        districts=pd.DataFrame({"name": sorted(set(raw["district"].dropna()))}).set_index("name", drop=False),
    )
    assert found.rejects.empty
    assert found.table["value"].tolist() == raw["value"].astype(float).tolist()
    assert found.table["district"].tolist() == raw["district"].fillna("").tolist()
