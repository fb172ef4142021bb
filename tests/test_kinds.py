"""Targets that are no circles: counted by hand on the toy town, and on the county beside its own count."""

import json

import pytest

from conftest import ROOT, edit
from lifecircle.audit import run_audit
from lifecircle.errors import UnusableInputError
from lifecircle.findings import load_findings
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


def test_a_figure_twice_or_of_an_unknown_place_is_told(town):
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
def test_every_target_of_the_county_has_a_value(year, files, villages, people):
    findings = run_audit(COUNTY, year)
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
