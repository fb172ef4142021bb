"""Targets that are no circles: counted by hand on the toy town, and on the county beside its own count."""

import json

import pyproj
import pytest

from conftest import ROOT, edit
from lifecircle.audit import run_audit
from lifecircle.errors import UnusableInputError
from lifecircle.findings import load_findings
from lifecircle.report import run_sheets, scoreboard
from lifecircle.wording import explain, percent, word
from test_example_kinds import (
    BY_LIST,
    ELDER,
    carers,
    counted_by_list,
    files,
    income_share,
    listed,
    nursery_places,
    outlets_with_a_point,
    people,
    villages,
)

__all__ = ["files", "people", "villages"]  # fixtures that count the county's files with pandas alone

COUNTY = ROOT / "data" / "geo" / "haiyan"
DEGREES = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)

TARGETS = """
[[target]]
id = "gym_in_town"
kind = "presence"
name = { zh = "镇镇有健身房", en = "a gym in every district" }
require = { gym = 1 }
unit = "district"
goal = 1.0
due = 2025
source = "made up"
date = "2021"
grade = "setting"

[[target]]
id = "nurses"
kind = "capacity"
name = { zh = "每千人护士", en = "nurses per 1,000" }
require = { clinic = 1 }
of = "nurses"
goal = 12
due = 2025
source = "made up"
date = "2021"
grade = "setting"

[[target]]
id = "visits"
kind = "indicator"
name = { zh = "就诊率", en = "visit rate" }
unit = "share"
goal = 0.9
due = 2025
source = "made up"
date = "2021"
grade = "setting"

[[target]]
id = "gap"
kind = "indicator"
name = { zh = "区域差距", en = "gap of the districts" }
unit = "share"
trend = "shrinking"
computed = { gap = "districts", circles = ["reading"] }
source = "made up"
date = "2021"
grade = "setting"
"""

REGISTER = """id,name,service,x,y,opened,closed,nurses
L1,Toy library,library,501000,3377000,2010,,
G1,Toy gym west,gym,500500,3377000,2023-06-01,,
C1,Toy clinic,clinic,500000,3377000,2015,2025-07-01,50
C2,Toy clinic east,clinic,502000,3377500,2025-07-01,,{beds}
"""


@pytest.fixture
def town(toytown):
    """Give the toy town with a target of every kind; its clinic of 2025 has 12 nurses."""
    standard = toytown / "standard.toml"
    standard.write_text(standard.read_text("utf-8") + TARGETS, "utf-8")
    (toytown / "facilities.csv").write_text(REGISTER.format(beds=12), "utf-8")
    (toytown / "figures.csv").write_text(
        "target,year,value,unit,source\nvisits,2024,91,percent,office\nvisits,2025,0.88,share,office\n",
        "utf-8",
    )
    edit(toytown / "study.toml", "[standard]", '[indicators]\nfile = "figures.csv"\n\n[standard]')
    return toytown


def by_id(findings):
    return {one.target.id: one for one in findings.targets}


def test_every_kind_counted_by_hand(town):
    found = by_id(run_audit(town))
    gym = found["gym_in_town"]
    districts = run_audit(town).districts
    # the only gym of the list stands in the western district
    assert (gym.value, gym.status) == (0.5, "missed")
    assert [one.lacks for one in gym.units.without] == [("gym",)]
    assert len(gym.districts) == len(districts) == 2
    beds = found["nurses"]
    assert beds.people == 100 + 50 + 40 + 30 + 25 + 10  # r6 lives outside the districts
    assert (beds.amount, beds.venue_count, beds.unknown) == (12.0, 1, 0)
    assert (beds.value, beds.status) == (12 * 1000 / 255, "met")
    visits = found["visits"]
    assert (visits.value, visits.previous, visits.status) == (0.88, 0.91, "missed")
    assert visits.by_year == {"2024": 0.91, "2025": 0.88}
    reading = found["reading"]
    shares = [one.value for one in reading.districts if one.value is not None]
    assert found["gap"].value == pytest.approx(max(shares) - min(shares), abs=1e-12)


SCHOOLS = """
[[target]]
id = "schools"
kind = "indicator"
name = { zh = "学校数", en = "schools" }
unit = "schools"
by = "district"
goal = 24
due = 2025
source = "made up"
date = "2021"
grade = "setting"

"""


def test_a_number_is_judged_as_a_whole_and_a_share_in_every_district(town):
    edit(town / "standard.toml", '[[target]]\nid = "visits"', f'{SCHOOLS}[[target]]\nid = "visits"')
    rows = ["visits,2025,,0.88,share", "visits,2025,01,0.92,share", "visits,2025,02,0.8,share"]
    rows += ["schools,2025,01,14,schools", "schools,2025,02,3,schools", "schools,2025,,17,schools"]
    lines = "\n".join(["target,year,district,value,unit", *rows, ""])
    (town / "figures.csv").write_text(lines, "utf-8")
    findings = run_audit(town)
    found = by_id(findings)
    schools, visits = found["schools"], found["visits"]
    assert (schools.value, schools.status) == (17, "missed")
    # Neither district was to have 24.
    assert [(one.value, one.status) for one in schools.districts] == [(14, "reported"), (3, "reported")]
    assert [(one.value, one.status) for one in visits.districts] == [(0.92, "met"), (0.8, "missed")]
    board = scoreboard(findings)
    mine = board[(board["target"] == "schools") & (board["judged by"] == board["judged by"])]
    assert mine["goal"].tolist() == ["24", "", ""]
    assert mine["verdict"].tolist() == ["missed", *2 * [word("status", "reported", "en")]]


def test_the_gap_over_districts_has_the_share_of_each_beside_the_mean(town):
    gap, reading = (by_id(run_audit(town))[name] for name in ("gap", "reading"))
    own = {one.code: one.value for one in reading.districts if one.code != "(outside)"}
    assert {one.code: one.value for one in gap.districts} == own
    assert {one.status for one in gap.districts} == {"reported"}
    inside = [one.count for one in reading.districts if one.code != "(outside)"]
    whole = sum(one.covered for one in inside) / sum(one.people for one in inside)
    assert gap.notes[1:] == (f"share_by_district:{percent(whole)}",)


def test_a_district_of_one_side_has_no_gap_of_its_own_and_this_is_said(town):
    standard = town / "standard.toml"
    edit(standard, 'computed = { gap = "districts"', 'computed = { gap = "urban_rural"')
    gap = by_id(run_audit(town))["gap"]
    assert [(one.value, one.status) for one in gap.districts] == [(None, "not_assessable")] * 2
    assert gap.notes[1:] == ("gap_by_district", "districts_one_side:2")
    assert "2 districts are all town or all country" in explain(gap.notes[-1], "en")
    # With a village of its own class West Bank has two sides: r1 and r2 (150) in town, r3 and r5 (65) not.
    places = [DEGREES.transform(500000 + x, 3377000 + y) for x, y in ((250, 0), (1100, 700))]
    rows = [
        f"V{at},V{at},01,{urban},{lon},{lat}"
        for at, (urban, (lon, lat)) in enumerate(zip(("true", "false"), places, strict=True), 1)
    ]
    (town / "villages.csv").write_text("\n".join(["code,name,district,urban,lon,lat", *rows]), "utf-8")
    edit(town / "study.toml", "[standard]", '[villages]\nfile = "villages.csv"\n\n[standard]')
    edit(standard, 'minutes = 15\nprofile = "walk"\ngoal = 0.9', 'minutes = 14\nprofile = "walk"\ngoal = 0.9')
    gap = by_id(run_audit(town))["gap"]
    # The library is at (1000, 0). Within 14 minutes are all of town, of the country r5 (25) and not r3 (40).
    assert gap.districts[0].value == pytest.approx(40 / 65)
    assert gap.districts[1].value is None
    assert gap.notes[-2:] == ("gap_by_district", "districts_one_side:1")


@pytest.mark.parametrize(
    ("computed", "measure", "edits", "why"),
    [
        ("urban_rural", "difference", ('"urban": true', '"urban": false'), "gap_one_side"),
        ("districts", "difference", None, "gap_few_districts"),
        ("districts", "ratio", ("minutes = 15", "minutes = 0.01"), "gap_undivided"),
    ],
)
def test_a_gap_that_cannot_be_counted_says_why(town, computed, measure, edits, why):
    standard = town / "standard.toml"
    wanted = f'computed = {{ gap = "{computed}", measure = "{measure}"'
    edit(standard, 'computed = { gap = "districts"', wanted)
    if edits is None:
        whole = (town / "districts.geojson").read_text("utf-8").splitlines()
        (town / "districts.geojson").write_text(
            "\n".join([whole[0], whole[1].rstrip(","), *whole[3:]]), "utf-8"
        )
        residents = (town / "residents.csv").read_text("utf-8").splitlines()
        (town / "residents.csv").write_text("\n".join(residents[:4]), "utf-8")
    else:
        path = town / "districts.geojson" if "urban" in edits[0] else standard
        path.write_text(path.read_text("utf-8").replace(*edits), "utf-8")
    gap = by_id(run_audit(town))["gap"]
    assert (gap.value, gap.status, gap.reason) == (None, "not_assessable", why)
    assert "gap" in explain(gap.reason, "en") or "ratio" in explain(gap.reason, "en")


def test_remarks_and_units_name_targets_and_numbers(town):
    edit(town / "standard.toml", "require = { gym = 1 }", "require = { gym = 2 }")
    findings = run_audit(town)
    board = scoreboard(findings)
    remarks = board["remarks"][board["target"] == "gap of the districts"].iloc[0]
    assert "the gap of 15-minute reading circle is not smaller" in remarks
    rows = run_sheets(findings, "en")["units"][1]
    assert [(row["unit_name"], row["lacks"]) for row in rows] == [
        ("West Bank", "gym"),
        ("East Bank", "gym ×2"),
    ]


def test_services_are_named_in_the_language_of_the_study(town):
    assert by_id(run_audit(town))["gym_in_town"].notes == ("units_held:2|1", "counted_by_place:gym")
    edit(town / "study.toml", 'language = "en"', 'language = "zh"')
    assert by_id(run_audit(town))["gym_in_town"].notes[-1] == "counted_by_place:健身房"
    edit(town / "standard.toml", "require = { gym = 1 }", "require = { mandatory = 1 }")
    assert (
        by_id(run_audit(town))["gym_in_town"].notes[-1]
        == f"counted_by_place:{word('class', 'mandatory', 'zh')}"
    )


def test_an_unknown_capacity_is_no_zero(town):
    (town / "facilities.csv").write_text(REGISTER.format(beds=""), "utf-8")
    beds = by_id(run_audit(town))["nurses"]
    assert (beds.value, beds.status, beds.reason) == (0.0, "not_assessable", "capacity_unknown:1")
    assert beds.unknown == 1  # the value is a lower bound


@pytest.mark.parametrize("cell", ["many", "-3"])
def test_a_capacity_that_is_none_is_a_reject_row_and_unknown(town, cell):
    edit(town / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 0.5")
    (town / "facilities.csv").write_text(REGISTER.format(beds=cell), "utf-8")
    findings = run_audit(town)
    row = findings.rejects[findings.rejects["column"] == "nurses"].iloc[0]
    assert (row["row"], row["value"], row["reason"]) == (5, cell, "not a number of at least 0")
    assert by_id(findings)["nurses"].reason == "capacity_unknown:1"


def test_a_missing_figure_is_named(town):
    found = by_id(run_audit(town, 2023))
    assert (found["visits"].value, found["visits"].reason) == (None, "indicator_missing:2023")


def test_a_figure_twice_or_of_an_unknown_place_is_reported(town):
    rows = ("visits,2025,,0.88,share", "visits,2025,,0.9,share", "visits,2025,Nowhere,1,share")
    lines = "\n".join(["target,year,district,value,unit", *rows, ""])
    (town / "figures.csv").write_text(lines, "utf-8")
    with pytest.raises(UnusableInputError, match=r"figures\.csv"):
        run_audit(town)
    edit(town / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 1.0")
    findings = run_audit(town)
    mine = findings.rejects[findings.rejects["file"] == "figures.csv"]
    assert sorted(mine["row"]) == [2, 3, 4]
    assert by_id(findings)["visits"].reason == "indicator_missing:2025"


def test_a_run_of_every_kind_is_read_back_whole(town, tmp_path):
    findings = run_audit(town, out=tmp_path)
    again = load_findings(tmp_path / "2025")
    for name in ("nurses", "gym_in_town", "visits", "gap"):
        one, other = by_id(again)[name], by_id(findings)[name]
        assert one == other
    told = json.loads((tmp_path / "2025" / "summary.json").read_text("utf-8"))
    beds = next(one for one in told["targets"] if one["id"] == "nurses")
    assert {one["people"] for one in beds["districts"]} == {None}
    assert beds["per"] == 1000.0


@pytest.mark.parametrize("year", [2022, 2025])
def test_every_target_of_the_county_has_a_value(year, files, villages, people, county_run):
    findings = load_findings(county_run(year))
    found = by_id(findings)
    assert len(found) == 42
    without = {name: one.reason for name, one in found.items() if one.value is None}
    assert without == {}
    assert not any("computed" in one.reason for one in found.values())
    assert found["nursery_places"].value == pytest.approx(nursery_places(files, people, year), rel=1e-12)
    assert found["elder_carers"].value == pytest.approx(carers(files, people, year), rel=1e-12)
    for name in BY_LIST:
        assert found[name].units.holding == counted_by_list(files, villages, name, year), name
        assert found[name].units.total == 122
    without = {one.code for one in found["elder_care_presence"].units.without}
    assert without == set(villages.index) - listed(files, year, ELDER)
    holding, windows = outlets_with_a_point(files, year)
    assert (found["civic_points"].units.holding, found["civic_points"].units.total) == (
        holding,
        windows,
    )
    meeting, all_villages, unknown = income_share(year)
    income = found["village_income"]
    assert income.value == meeting / all_villages
    assert income.units.unknown == unknown
    gaps = findings.gaps[findings.gaps["target"] == "elder_care_presence"]
    assert set(gaps["village"]) == without
    towns = dict(zip(findings.districts["name"], findings.districts.index, strict=True))
    assert len(towns) == len(found["nursery_places"].districts)
    gap = found["equity_gap_urban_rural"]
    sides = {one.group: one.value for one in found["culture"].groups}
    assert gap.gaps["culture"].gap.difference == pytest.approx(
        abs(sides["urban"] - sides["rural"]), abs=1e-12
    )
    schools = found["modern_schools"]
    assert {one.status for one in schools.districts} == {"reported"}
    assert sum(one.value for one in schools.districts) == schools.value
