"""What a scenario refuses, in one line that names file, row, column and remedy; and what its sheets hold."""

import json
import re

import openpyxl
import pytest

from conftest import TOYTOWN
from lifecircle.errors import UnusableInputError
from lifecircle.scenario import Change, read_changes, run_scenario, write_scenario
from lifecircle.study import read_study
from lifecircle.wording import translate
from test_scenario import line, point


@pytest.fixture(scope="module")
def study():
    return read_study(TOYTOWN)


def refused(path, content):
    path.write_text(content, "utf-8")
    with pytest.raises(UnusableInputError) as caught:
        read_changes(path)
    lines = [str(fault) for fault in caught.value.faults]
    assert all(fault.remedy for fault in caught.value.faults)
    return lines


# --- broken files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["[]", "[[120.9, 30.5]]", '"x"', "[[120.9, 30.5], [nan, 1]]", "[[1, 2], [3]]", "7"]
)
def test_a_line_that_is_none_is_named_with_its_row(tmp_path, value):
    fine = '[[change]]\naction = "close_road"\nedge = 0\n'
    said = refused(tmp_path / "c.toml", f'{fine}[[change]]\naction = "add_road"\nline = {value}\n')
    assert len(said) == 1
    assert "row 2, column 'line': not a line" in said[0]
    assert "write line = [[lon, lat], [lon, lat]]" in said[0]


def test_json_nested_a_hundred_thousand_deep(tmp_path):
    (said,) = refused(tmp_path / "c.json", "[" * 100_000 + "]" * 100_000)
    assert "nested too deeply" in said


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ({"type": "FeatureCollection"}, ["a FeatureCollection without features"]),
        ({"type": "FeatureCollection", "features": 5}, ["a FeatureCollection without features"]),
        ({"type": "FeatureCollection", "features": []}, ["no change in it"]),
        (
            {
                "type": "FeatureCollection",
                "features": [
                    5,
                    {"type": "Feature", "geometry": None, "properties": {"action": "close", "id": "L1"}},
                    {"type": "Feature", "geometry": {"type": "Point"}, "properties": {}},
                    {"type": "Feature", "geometry": {"type": "Nothing"}, "properties": {}},
                    {"type": "Feature", "geometry": None, "properties": [1]},
                ],
            },
            [f"row {row}: not a feature" for row in (1, 3, 4, 5)],
        ),
        ({"sites": [5]}, ["neither GeoJSON nor a plan with sites"]),
        ({"sites": [{"id": "A"}]}, ["a plan's sites without service, lon, lat"]),
        ([1, 2], ["neither GeoJSON nor a plan with sites"]),
    ],
)
def test_json_that_holds_no_changes(tmp_path, content, rows):
    said = refused(tmp_path / "c.json", json.dumps(content))
    assert len(said) == len(rows)
    for one, row in zip(said, rows, strict=True):
        assert row in one


def test_places_that_are_nowhere_on_earth(tmp_path):
    feature = {
        "type": "Feature",
        "properties": {"action": "add_road"},
        "geometry": {"type": "LineString", "coordinates": [[1e308, 2], [3, 4]]},
    }
    (said,) = refused(tmp_path / "c.json", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert "row 1, column 'geometry': a place that is nowhere on earth" in said
    (said,) = refused(tmp_path / "c.csv", 'action,wkt\nadd_road,"LINESTRING (1 2, 3 91)"\n')
    assert "a place that is nowhere on earth" in said
    (said,) = refused(tmp_path / "c.csv", "action,wkt\nadd_road,LINESTRING EMPTY\n")
    assert "row 2, column 'wkt': not a shape" in said


def test_unknown_ids_of_all_files_are_reported_together(tmp_path, study):
    one, other = tmp_path / "one.csv", tmp_path / "other.toml"
    one.write_text("action,id,service,name\nclose,L9,,\nclose,,,Nowhere hall\n", "utf-8")
    other.write_text(
        '[[change]]\naction = "opne"\n[[change]]\naction = "resize"\nid = "X"\nfactor = 2\n', "utf-8"
    )
    with pytest.raises(UnusableInputError) as caught:
        run_scenario(study, [one, other])
    said = "\n".join(map(str, caught.value.faults))
    assert len(caught.value.faults) == 4
    for part in ("row 2, column 'id': no such facility", "Nowhere hall", "did you mean 'open'", "(found: X)"):
        assert part in said
    for fault in caught.value.faults:
        assert re.search("[一-鿿]", translate(fault.reason, "zh"))
        assert re.search("[一-鿿]", translate(fault.remedy, "zh"))


# --- within_m ---------------------------------------------------------------------------------------------


def test_within_m_says_how_far_a_new_road_may_begin_from_the_others(study):
    """East Road ends at r4 (2000, 1000); the new one begins 40 m beside it, at (2040, 1000)."""
    drawn = line((2040, 1000), (2040, 1600))
    place = Change("open", services=("library",), name="New", shape=point(2040, 1600))
    with pytest.raises(UnusableInputError, match="neither end is within 25 m"):
        run_scenario(study, [Change("add_road", shape=drawn, highway="footway"), place])
    wide = Change("add_road", shape=drawn, highway="footway", within_m=45.0)
    assert run_scenario(study, [wide, place]).target("reading").won == 30
    for narrow in (5.0, 0.0):
        near = Change("add_road", shape=line((2010, 1000), (2010, 1600)), highway="footway", within_m=narrow)
        with pytest.raises(UnusableInputError, match=f"neither end is within {narrow:g} m"):
            run_scenario(study, [near])


def test_within_m_says_how_far_a_closed_road_may_be_from_the_line(study):
    beside = line((1500, 20), (2000, 20))  # 20 m beside the bridge
    with pytest.raises(UnusableInputError, match="no road runs along the line within 12 m"):
        run_scenario(study, [Change("close_road", shape=beside)])
    wide = run_scenario(study, [Change("close_road", shape=beside, within_m=25.0)])
    exact = run_scenario(study, [Change("close_road", shape=line((1500, 0), (2000, 0)))])
    assert wide.target("reading").cut_off == exact.target("reading").cut_off
    with pytest.raises(UnusableInputError, match="within 5 m"):
        run_scenario(study, [Change("close_road", shape=line((1500, 8), (2000, 8)), within_m=5.0)])


# --- the workbook -----------------------------------------------------------------------------------------


def test_sheets_hold_numbers_places_and_text(tmp_path, study):
    changes = [
        Change("open", services=("library",), name="=1+1", shape=point(2000, 1000), file="https://x/a.csv"),
        Change("close", id="G1"),
        Change("add_road", shape=line((2000, 1000), (2000, 1600)), highway="footway"),
        Change("grow", district="01", factor=2.0),
    ]
    done = run_scenario(study, changes)
    write_scenario(done, tmp_path / "out")
    book = openpyxl.load_workbook(tmp_path / "out" / "comparison.xlsx")
    for page in book.worksheets:
        for row in page.iter_rows(min_row=4):
            for cell in row:
                assert cell.data_type != "f"
                assert cell.hyperlink is None
                if isinstance(cell.value, str):
                    assert not re.fullmatch(r"[-+]?[\d,]+(\.\d+)?( %)?", cell.value), cell.value
    rows = list(book["changes"].iter_rows(min_row=3, values_only=True))
    listed = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["no."] for row in listed] == [1, 2, 3, 4]
    place = done.inputs.register.geometry["G1"]
    assert (listed[1]["longitude"], listed[1]["latitude"]) == pytest.approx((place.x, place.y))
    assert all(row["longitude"] == pytest.approx(120, abs=0.2) for row in listed)
    assert "=1+1" in listed[0]["what is changed"]
