"""Entrances: a facility whose gates are listed is entered there and nowhere else, counted by hand."""

import pandas as pd
import pytest
import shapely

from conftest import edit
from lifecircle.audit import fingerprint, prepare, run_audit, used_files
from lifecircle.facilities import read_facilities, with_entrances
from lifecircle.report import warning_lines
from lifecircle.study import read_study
from lifecircle.tables import read_table
from test_doors import drawn, seconds

PLACE = {"lon": 120.9, "lat": 30.5}


def test_a_ground_is_entered_at_its_gates_alone(toytown):
    """One gate on the east side, 100 m from North Lane: nobody walks in from Main Street, 50 m away."""
    drawn(toytown, shapely.box(600, 50, 900, 350), entrances="500900,3377200")
    findings = run_audit(toytown)
    assert seconds(
        findings,
        {
            "r1": 1000 + 200 + 100,
            "r2": 500 + 200 + 100,
            "r3": 1050 + 100,
            "r5": 30 + 250 + 200 + 100,
        },
    )


def test_a_table_of_gates(toytown):
    """Two gates: residents take the nearer one, and the middle of the ground is no way in."""
    drawn(toytown, shapely.box(600, 50, 900, 350))
    rows = "facility,x,y\nL1,500900,3377200\nL1,500600,3377050\nL9,500600,3377050\nL1,,\n"
    (toytown / "gates.csv").write_text(rows, "utf-8")
    edit(
        toytown / "study.toml",
        'file = "library.geojson"',
        'file = "library.geojson"\nentrances = "gates.csv"',
    )
    findings = run_audit(toytown)
    assert seconds(findings, {"r1": 600 + 50, "r3": 1050 + 100})
    rejects = findings.rejects[findings.rejects["file"] == "gates.csv"]
    assert rejects["row"].tolist() == [4, 5]
    assert "does not have" in str(rejects["reason"].iloc[0])
    assert any(one.role == "entrances" and one.path == "gates.csv" for one in findings.inputs)
    # a run follows from its gates too
    (toytown / "gates.csv").write_text(rows.replace("500600", "500610"), "utf-8")
    study = read_study(toytown)
    assert fingerprint(study, 2025) != findings.fingerprint
    assert "gates.csv" in used_files(study, 2025)


def test_gates_of_a_point_and_cells_that_are_no_place():
    table = pd.DataFrame(
        {
            "id": ["A", "B", "C"],
            "service": "s",
            "出入口": ["120.9,30.5；120.91°,30.51", "", "north gate;120.9,30.5"],
            **{name: [value] * 3 for name, value in PLACE.items()},
        }
    )
    facilities, rejects = read_facilities(table)
    gates = facilities["polygon"]
    assert [None if one is None else len(one.geoms) for one in gates] == [2, None, 1]
    assert rejects["row"].tolist() == [3]
    assert str(rejects["reason"].iloc[0]) == "an entrance is no place; the facility is kept"


def test_entrances_are_in_the_datum_of_the_list():
    gcj = pd.DataFrame(
        {"id": ["A"], "service": "s", "lon": [120.9], "lat": [30.5], "entrances": ["120.9,30.5"]}
    )
    facilities, _ = read_facilities(gcj, datum="gcj02")
    assert facilities["polygon"].iloc[0].geoms[0].equals(facilities.geometry.iloc[0])
    assert facilities.geometry.iloc[0].x != 120.9
    plain, rejects = with_entrances(
        read_facilities(gcj.drop(columns="entrances"))[0],
        read_table(pd.DataFrame({"设施编号": ["A"], "经度": [120.95], "纬度": [30.5]})),
        datum="wgs84",
    )
    assert plain["polygon"].iloc[0].geoms[0].x == 120.95
    assert rejects.empty


def test_what_is_not_open_to_the_public_serves_nobody():
    table = pd.DataFrame(
        {
            "id": list("ABCD"),
            "service": "s",
            "是否对外开放": ["是", "否", "", "部分"],
            "学校场地": ["是", "是", "否", ""],
            "hours_per_week": [40, 40, 200, "三天"],
            **{name: [value] * 4 for name, value in PLACE.items()},
        }
    )
    facilities, rejects = read_facilities(table, max_rejected=0)
    assert facilities.index.tolist() == ["A", "C", "D"]
    assert facilities["open_to_public"].isna().tolist() == [False, True, True]
    assert facilities["school_ground"].fillna(value=False).tolist() == [True, False, False]
    assert facilities["hours_per_week"].fillna(-1).tolist() == [40, -1, -1]
    said = {(row, str(reason)) for row, reason in zip(rejects["row"], rejects["reason"], strict=True)}
    assert said == {
        (2, "not open to the public, so it serves nobody here"),
        (3, "more than 168; the facility is kept"),
        (4, "not a yes or no; the facility is kept"),
        (4, "not a number; the facility is kept"),
    }


def test_they_are_counted_apart_in_what_was_read(toytown):
    text = (toytown / "facilities.csv").read_text("utf-8").splitlines()
    rows = [text[0] + ",open_to_public", text[1] + ",no", *(line + ",yes" for line in text[2:])]
    (toytown / "facilities.csv").write_text("\n".join(rows) + "\n", "utf-8")
    inputs = prepare(read_study(toytown))
    (reading,) = [one for one in inputs.read if one.role == "facilities"]
    assert dict(reading.left_out) == {"not open to the public, so it serves nobody here": 1}
    assert "L1" not in inputs.register.index


@pytest.mark.parametrize("column", ["对外开放", "向社会开放"])
def test_headings_of_offices(column):
    table = pd.DataFrame(
        {"service": ["s"], column: ["否"], **{name: [value] for name, value in PLACE.items()}}
    )
    assert read_facilities(table)[0].empty


def test_a_venue_whose_gates_join_no_road_is_flagged(toytown):
    """Its only gate is a kilometre from every road; its middle, 50 m from Main Street, stands for it."""
    drawn(toytown, shapely.box(700, 0, 800, 100), entrances="500750,3375800")
    findings = run_audit(toytown)
    assert seconds(findings, {"r1": 750 + 50})
    assert "entered_at_centre:1|L1 Toy library" in findings.warnings
    assert any("L1 Toy library" in line for line in warning_lines(findings))


def test_a_venue_with_a_gate_on_the_road_is_not(toytown):
    drawn(toytown, shapely.box(700, 0, 800, 100), entrances="500750,3377000")
    assert not any(code.startswith("entered_at") for code in run_audit(toytown).warnings)
