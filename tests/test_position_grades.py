"""What a verdict may rest on: grades of positions, counted by hand in a town of two streets.

The six homes of 100 people lie along the streets of test_reading's town; every one of them is within the
limit of a hall at the crossing.
"""

import json

import openpyxl
import pandas as pd
import pytest
import shapely

from lifecircle.audit import run_audit
from lifecircle.facilities import read_facilities
from lifecircle.findings import load_findings
from lifecircle.reading import reading_lines
from lifecircle.wording import explain
from test_reading import HALLS, Town

FAR = (1000, 0)
NEAR, EAST = (500, 10), (900, -10)


@pytest.fixture
def town(tmp_path):
    """Give the town; half of its venues may be rough, because it has two of them."""
    town = Town(tmp_path / "town")
    town.add("[reading]\nrough_max = 0.5\n")
    return town


def halls(town, *rows, **columns):
    """Write halls as (place, grade)."""
    names = [f"Hall {number}" for number in range(len(rows))]
    places, grades = zip(*rows, strict=True)
    town.table("halls.csv", places, service="hall", name=names, grade=grades, **columns)


def limit(town, minutes):
    text = (town.folder / "mine.toml").read_text("utf-8")
    town.write("mine.toml", text.replace("minutes = 15", f"minutes = {minutes}"))


def only(findings):
    (result,) = findings.targets
    return result


def test_grades_are_read_whatever_their_width_and_a_wrong_one_is_a_reject():
    table = pd.DataFrame({"name": list("abcdef"), "service": "hall", "lon": 120.9, "lat": 30.5})
    table["定位等级"] = ["A", " b", "Ｃ", None, "d", "E"]
    facilities, rejects = read_facilities(table, max_rejected=0.5)
    assert facilities["grade"].tolist() == ["A", "B", "C", "", "D"]
    assert rejects[["row", "column", "value"]].to_numpy().tolist() == [[6, "grade", "E"]]
    assert "A, B, C or D" in str(rejects["remedy"].iloc[0])


def test_without_grades_nothing_changes(town):
    before = run_audit(town.folder)
    town.table("halls.csv", HALLS, service="hall", name=["Hall 0", "Hall 1"], grade=["", ""])
    after = run_audit(town.folder)
    assert (only(before), before.reading.positions) == (only(after), ())
    assert (only(after), after.reading.positions) == (only(before), ())


def test_a_goal_met_without_the_village_centre_stays_met(town):
    halls(town, (NEAR, "A"), (EAST, "D"))
    findings = run_audit(town.folder)
    result = only(findings)
    assert (result.value, result.status, result.reason) == (1.0, "met", "")
    assert "rough_positions:2|0|1" in result.notes
    assert [one.status for one in result.districts] == ["met"]


def test_a_goal_met_by_a_village_centre_alone_is_not_met(town):
    """In 12 minutes, 1,000 m, the hall in the east reaches 4 of the 6 homes; that at the crossing all."""
    limit(town, 12)
    halls(town, (NEAR, "D"), (EAST, "A"))
    findings = run_audit(town.folder, out=town.folder / "out")
    result = only(findings)
    assert (result.value, result.status) == (1.0, "data_insufficient")
    assert result.reason == "rests_on_village_centres:1"
    assert [one.status for one in result.districts] == ["data_insufficient"]
    assert "1 venue placed at a village's centre" in explain(result.reason, "en")
    kept = load_findings(town.folder / "out" / "2025")
    assert only(kept) == result
    assert kept.reading == findings.reading
    register, own = findings.reading.positions
    assert (register.grades, register.unknown) == ({"A": 1, "B": 0, "C": 0, "D": 1}, 0)
    assert (register.village_centres, own.target, own.withheld) == (("Hall 0",), "hall", result.reason)
    lines = reading_lines(findings.reading, "en")
    assert any("Hall 0" in line and "D, village centre 1" not in line for line in lines)
    assert any("does not hold without it" in line for line in lines)
    assert not any("Hall 0" in line for line in reading_lines(findings.reading, "en", public=True))


def test_the_scoreboard_and_the_workbook_name_them(town):
    limit(town, 12)
    halls(town, (NEAR, "D"), (EAST, "A"))
    run_audit(town.folder, out=town.folder / "out")
    board = (town.folder / "out" / "2025" / "scoreboard.csv").read_text("utf-8-sig")
    assert "of 2 venues 0 are placed by their address (C) and 1 at a village's centre (D)" in board
    assert "does not hold without it" in board
    book = openpyxl.load_workbook(town.folder / "out" / "2025" / "scoreboard.xlsx")
    cells = [str(cell.value) for sheet in book for line in sheet.iter_rows() for cell in line]
    assert any("Hall 0" in cell for cell in cells)


def test_a_missed_goal_stays_missed(town):
    limit(town, 12)
    halls(town, (EAST, "D"), (FAR, "A"))
    result = only(run_audit(town.folder))
    assert (result.status, result.reason) == ("missed", "")


@pytest.mark.parametrize(("rough", "status"), [(1, "met"), (2, "data_insufficient")])
def test_half_of_the_venues_may_be_rough_and_no_more(town, rough, status):
    """One of two is the half, which is allowed; two of three are not."""
    halls(town, (NEAR, "A"), *[(EAST, "C")] * rough)
    result = only(run_audit(town.folder))
    assert (result.value, result.status) == (1.0, status)
    if status != "met":
        assert result.reason == "positions_too_rough:3|2|66.7%"
        assert {one.status for one in result.districts} == {status}


def test_the_share_is_a_setting(town):
    halls(town, (NEAR, "A"), (EAST, "C"), (FAR, "C"))
    text = (town.folder / "study.toml").read_text("utf-8")
    town.write("study.toml", text.replace("rough_max = 0.5", "rough_max = 0.7"))
    assert only(run_audit(town.folder)).status == "met"


@pytest.mark.parametrize(("good", "status"), [(3, "met"), (2, "data_insufficient")])
def test_a_quarter_is_allowed_where_nothing_is_set(town, good, status):
    text = (town.folder / "study.toml").read_text("utf-8")
    town.write("study.toml", text.replace("rough_max = 0.5", ""))
    halls(town, (NEAR, "C"), *[((500, 10 * number), "B") for number in range(good)])
    assert only(run_audit(town.folder)).status == status


def test_a_straight_circle_rests_on_positions_too(town):
    """The village's centre is 100 m from one hall, which is of grade D, and over 400 m from the other."""
    text = (town.folder / "mine.toml").read_text("utf-8")
    rule = 'accounting = "straight"\nstraight = { urban_m = 200, rural_m = 200, centre = "committee" }\n'
    town.write("mine.toml", text + rule)
    town.table("villages.csv", [(400, 10)], code="1", name="V", district="T")
    town.add('[villages]\nfile = "villages.csv"\n')
    halls(town, (NEAR, "D"), (EAST, "A"))
    result = only(run_audit(town.folder))
    assert (result.value, result.status) == (1.0, "data_insufficient")
    assert result.reason == "rests_on_village_centres:1"
    halls(town, (NEAR, "A"), (EAST, "D"))
    assert only(run_audit(town.folder)).status == "met"


PRESENCE = """
id = "mine"
[[service]]
id = "hall"
[[target]]
id = "hall"
kind = "presence"
unit = "village"
minimum = 1
require = { hall = 1 }
goal = 1.0
"""


@pytest.mark.parametrize(
    ("serves", "status"),
    [(["", ""], "data_insufficient"), (["1", ""], "met"), (["T", ""], "data_insufficient")],
)
def test_presence_rests_on_positions_only_where_no_unit_is_listed(town, serves, status):
    town.write("mine.toml", PRESENCE)
    town.table("villages.csv", [(100, 10), (900, 10)], code=["1", "2"], name=["V", "W"], district="T")
    town.add('[villages]\nfile = "villages.csv"\n')
    halls(town, ((110, 10), "D"), (EAST, "A"), serves=serves)
    result = only(run_audit(town.folder))
    assert (result.value, result.status) == (1.0, status)
    assert result.reason == ("rests_on_village_centres:1" if status != "met" else "")
    assert {one.status for one in result.districts} == {status}


CAPACITY = """
id = "mine"
[[service]]
id = "hall"
[[target]]
id = "hall"
kind = "capacity"
of = "capacity"
per = 1000
require = { hall = 1 }
goal = 20
"""


def test_capacity_without_the_village_centre(town):
    """600 people: 12 places are 20 per 1,000; without the hall of 6 at a village's centre 10."""
    town.write("mine.toml", CAPACITY)
    halls(town, (NEAR, "D"), (EAST, "A"), capacity=[6, 6])
    result = only(run_audit(town.folder))
    assert (result.value, result.status, result.reason) == (
        20.0,
        "data_insufficient",
        "rests_on_village_centres:1",
    )
    halls(town, (NEAR, "D"), (EAST, "A"), capacity=[6, 12])
    assert only(run_audit(town.folder)).status == "met"


def test_the_summary_says_what_was_counted(town):
    halls(town, (NEAR, "A"), (EAST, "D"))
    run_audit(town.folder, out=town.folder / "out")
    summary = json.loads((town.folder / "out" / "2025" / "summary.json").read_text("utf-8"))
    register = summary["reading"]["positions"][0]
    assert register["grades"] == {"A": 1, "B": 0, "C": 0, "D": 1}
    assert register["village_centres"] == ["Hall 1"]


GAP = """
[[target]]
id = "gap"
kind = "indicator"
name = "gap"
unit = "share"
trend = "shrinking"
computed = { gap = "districts", circles = ["hall"] }
"""


@pytest.mark.parametrize(("grade", "status"), [("A", "met"), ("D", "data_insufficient")])
def test_a_gap_that_closes_by_a_village_centre_alone_is_not_known_to_close(town, grade, status):
    """In 3 minutes, 250 m: the west covers 2 of its 3 homes, the east none before 2025 and then 2 of 3."""
    limit(town, 3)
    text = (town.folder / "mine.toml").read_text("utf-8")
    town.write("mine.toml", text + GAP)
    halves = [shapely.box(-3000, -3000, 500, 3000), shapely.box(500, -3000, 3000, 3000)]
    town.layer("towns.geojson", halves, name=["W", "E"], urban=[True, True])
    halls(town, ((100, 10), "A"), (EAST, grade), opened=["2010", "2025"])
    gap = run_audit(town.folder).result("gap")
    assert (gap.value, gap.status) == (0.0, status)
    assert gap.reason == ("rests_on_village_centres:1" if grade == "D" else "")


@pytest.mark.parametrize("accounting", ["network_distance", "open"])
def test_every_accounting_that_uses_positions_is_asked_without_village_centres(town, accounting):
    """Within 1,000 m along the roads, or 12 minutes, the hall in the east reaches 4 of the 6 homes."""
    limit(town, 12)
    text = (town.folder / "mine.toml").read_text("utf-8")
    rule = f'accounting = "{accounting}"\nopen_at = "Sat 10:00"\n'
    rule += 'straight = { urban_m = 1000, rural_m = 1000, centre = "committee" }\n'
    town.write("mine.toml", text + rule)
    for near, east, status in (("D", "A", "data_insufficient"), ("A", "D", "met")):
        halls(town, (NEAR, near), (EAST, east), hours=["Mo-Su 08:00-18:00"] * 2)
        result = only(run_audit(town.folder))
        assert (result.value, result.status) == (1.0, status)
        assert result.reason == ("rests_on_village_centres:1" if status != "met" else "")


def test_a_village_list_rests_on_no_position(town):
    text = (town.folder / "mine.toml").read_text("utf-8")
    town.write("mine.toml", text + 'accounting = "accepted"\n')
    town.table("villages.csv", [(400, 10)], code="1", name="V", district="T", accepted_hall=True)
    town.add('[villages]\nfile = "villages.csv"\n')
    halls(town, (NEAR, "D"), (EAST, "D"))
    result = only(run_audit(town.folder))
    assert (result.status, result.reason) == ("met", "")
    assert not any(note.startswith("rough_positions") for note in result.notes)


def test_districts_are_judged_each_by_itself(town):
    """In 3 minutes the west is half covered by its own hall; the east only by one at a village's centre."""
    limit(town, 3)
    text = (town.folder / "mine.toml").read_text("utf-8")
    town.write("mine.toml", text.replace("goal = 0.9", "goal = 0.5"))
    halves = [shapely.box(-3000, -3000, 500, 3000), shapely.box(500, -3000, 3000, 3000)]
    town.layer("towns.geojson", halves, name=["W", "E"], urban=[True, True])
    halls(town, ((100, 10), "A"), (EAST, "D"))
    result = only(run_audit(town.folder))
    assert (round(result.value, 3), result.status) == (0.667, "data_insufficient")
    assert {one.name: one.status for one in result.districts} == {"W": "met", "E": "data_insufficient"}
