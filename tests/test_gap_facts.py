"""Causes of gaps, each in a town where it can be counted by hand: every home, way and door stands here.

Homes on the toy town's roads, in metres along them::

    r1 --500-- r2 --500-- L1 --(250, 30 aside) r5-- --500-- bridge --500-- (502000) --1000 north-- r4
                          |
                          1250 north
                          |
                          r3                  r6 on an island, r7 away from every road

15 minutes are 1,250 m on foot.
"""

import json

import pandas as pd
import pytest

from conftest import edit
from lifecircle.audit import prepare, run_audit
from lifecircle.rectification import CAUSES, covered_if_open, rectify, rectify_study
from lifecircle.study import read_study
from lifecircle.wording import word

SATURDAY = (
    'minutes = 15\nprofile = "walk"\naccounting = "open"\nopen_at = "Sat 10:00"\ngoal = 0.9\ndue = 2025'
)


def found(town):
    """List the problems of reading by the residents they are made of."""
    listing, _ = rectify_study(town)
    return {
        one.members: one.computed | {"cause": code(one)}
        for one in listing.record.problems
        if one.target == "reading"
    }


def code(problem):
    """Give the cause of a problem as a code of the catalogue."""
    return next(one for one in CAUSES if word("gap_cause", one, "en") == problem.computed["cause"])


def causes(town):
    return {members: one["cause"] for members, one in found(town).items()}


@pytest.fixture
def weekdays(toytown):
    """Give the town with a library closed on Saturdays, and one beyond the bridge that is open."""
    edit(toytown / "standard.toml", 'minutes = 15\nprofile = "walk"\ngoal = 0.9\ndue = 2025', SATURDAY)
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L3,Night library,library,502000,3377000,2010,\n")
    return with_hours(toytown, {"L1": "Mo-Fr 08:00-17:00", "L3": "24/7"})


def with_hours(town, hours):
    table = pd.read_csv(town / "facilities.csv", dtype=str, keep_default_na=False)
    table.assign(hours=table["id"].map(hours).fillna("")).to_csv(town / "facilities.csv", index=False)
    return town


def test_who_is_covered_in_reach_and_not_in_open_has_closed_hours(weekdays):
    """r1, r2 and r3 have L1 in 1000, 500 and 1250 m; the one that is open on Saturdays in 2000 and more."""
    assert causes(weekdays) == {
        ("r1",): "hours",
        ("r2",): "hours",
        ("r3",): "hours",
        ("r6",): "road",  # no way leaves the island
        ("r7",): "data",  # no road near
    }
    one = found(weekdays)[("r1",)]
    assert (one["people"], one["expected"]) == (100, 100)  # all of them, if L1 opened
    assert one["nearest"] == "Night library"  # the time is to the one that is open
    assert one["measure"] == "open Toy library at the hour asked for"


def test_the_open_door_of_another_day_closes_the_gap(weekdays):
    edit(weekdays / "standard.toml", 'open_at = "Sat 10:00"', 'open_at = "Fri 10:00"')
    assert causes(weekdays) == {("r6",): "road", ("r7",): "data"}


def test_the_only_library_closed_is_no_missing_library(weekdays):
    edit(weekdays / "facilities.csv", "L3,Night library,library,502000,3377000,2010,,24/7\n", "")
    assert causes(weekdays)[("r1",)] == "hours"
    assert causes(weekdays)[("r4",)] == "venue"  # 2,000 m from L1, whenever it is open


def test_hours_that_nobody_knows_are_doubtful_data(weekdays):
    """L2 stands where L1 is in the other tests, and nobody wrote down when it is open."""
    with_hours(weekdays, {"L3": "24/7"})
    assert causes(weekdays)[("r1",)] == "data"
    assert found(weekdays)[("r1",)]["expected"] is None


def test_the_exact_answer_and_the_straight_one(weekdays):
    """By straight distance r2 alone is near L1: 1,000 m x 1.3 are over 1,250. r4 and r5 have L3 anyway."""
    findings = run_audit(weekdays)
    shut = covered_if_open(findings, prepare(read_study(weekdays)))
    states = dict(zip(findings.demand.index, shut["reading"], strict=True))
    assert [label for label, state in states.items() if state == "closed"] == ["r1", "r2", "r3", "r4", "r5"]
    exact, straight = (
        {one.members: code(one) for one in listing.record.problems if one.target == "reading"}
        for listing in (rectify(findings, shut=shut), rectify(findings))
    )
    assert (exact[("r1",)], straight[("r1",)]) == ("hours", "venue")
    assert (exact[("r2",)], straight[("r2",)]) == ("hours", "hours")


def test_no_library_within_the_limit_is_a_missing_library(toytown):
    """r4 walks 2,000 m to L1, 1,414 m as the crow flies: no road would make that 1,250."""
    one = found(toytown)[("r4",)]
    assert one["cause"] == "venue"
    assert one["measure"] == "build, convert or open 1 × library at the gap"
    assert one["expected"] == 30


def test_a_library_across_the_water_is_a_missing_way(toytown):
    """A path leads 700 m from r3 to L4, 391 m from r4 as the crow flies and 3,950 m by road."""
    roads = json.loads((toytown / "roads.geojson").read_text("utf-8"))
    path = {"type": "LineString", "coordinates": [[501000, 3378250], [501700, 3378250]]}
    feature = {"type": "Feature", "properties": {"name": "Dead end", "highway": "footway"}, "geometry": path}
    roads["features"].append(feature)
    (toytown / "roads.geojson").write_text(json.dumps(roads), "utf-8")
    edit(
        toytown / "facilities.csv",
        "L1,Toy library,library,501000,3377000",
        "L4,New library,library,501700,3378250",
    )
    # So many at r1 that a few metres more or less for the others do not make the verdict doubtful.
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,1000")
    one = found(toytown)[("r4",)]
    assert (one["cause"], one["nearest"]) == ("road", "New library")
    assert one["minutes"] == pytest.approx(3950 / 5000 * 60)
    assert one["measure"] == "open a way to New library"
    assert one["expected"] == 30


FIGURES = """
[[target]]
id = "places"
kind = "capacity"
name = "places in gyms for 100 people"
require = { gym = 1 }
per = 100
goal = 20
due = 2025
source = "made up"
date = "2021"
grade = "setting"

[[target]]
id = "books"
kind = "indicator"
name = "books a year"
unit = "ratio"
direction = "up"
goal = 10
due = 2025
source = "made up"
date = "2021"
grade = "setting"
"""


def test_capacity_and_registered_figures_have_causes_of_their_own(toytown):
    """30 places for 215 people in the West are 14 for 100, none for 40 in the East; 4 books are no 10."""
    table = pd.read_csv(toytown / "facilities.csv", dtype=str, keep_default_na=False)
    places = table["id"].map({"G1": "10", "G2": "20"}).fillna("")
    table.assign(capacity=places).to_csv(toytown / "facilities.csv", index=False)
    with (toytown / "standard.toml").open("a", encoding="utf-8") as file:
        file.write(FIGURES)
    (toytown / "figures.csv").write_text(
        "target,year,value,unit,source\nbooks,2025,4,ratio,register\n", "utf-8"
    )
    edit(toytown / "study.toml", "[standard]", '[indicators]\nfile = "figures.csv"\n\n[standard]')
    listing, _ = rectify_study(toytown)
    mine = {(one.target, one.computed["district"]): code(one) for one in listing.record.problems}
    assert {town: cause for (target, town), cause in mine.items() if target == "places"} == {
        "West Bank": "capacity",
        "East Bank": "capacity",
    }
    assert mine["books", ""] == "figure"
