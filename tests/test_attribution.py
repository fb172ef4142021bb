"""Why a figure changed, on a toy town of two years in which every event is counted by hand.

The toy town of ``test_audit`` with a second library L2 at (2000, 1000), a third L3 on the Island Path and a
resident r8 at (2000, 200); reading is a library within 1,250 m. Between 2024 and 2025:

* L2 closes (r4 has no other library in reach, r8 has none without the bridge);
* the bridge opens, dated (r8 walks 1,200 m to L1 over it);
* the village at r3 grows from 40 to 80 people, all of them in reach of L1;
* the pin of L3 is corrected from a place off every road to one 200 m from r6;
* L1 gets another id and another name, which is nothing.

So with S the events that have happened, covered are 175 (r1, r2, r5) + r3 + 30 while L2 is open + 60 for r8
while L2 is open or the bridge is + 20 once the pin is right, of 335 people or, grown, 375.
"""

import itertools
import json
from dataclasses import replace
from fractions import Fraction

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from conftest import edit
from lifecircle.attribution import (
    Stored,
    account,
    change_lines,
    compare_years,
    difference,
    same_surface,
    venue_changes,
)
from lifecircle.audit import prepare, run, run_audit
from lifecircle.datum import gcj02_from_wgs84
from lifecircle.errors import UnusableInputError
from lifecircle.findings import load_findings
from lifecircle.study import read_study

EVENTS = ("closed", "built", "residents", "pins")

FACILITIES = """id,name,service,x,y,opened,closed
{l1},library,501000,3377000,2010,
L2,East library,library,502000,3378000,2012,{l2_closed}
L3,Island library,library,504000,{l3_y},2013,
G1,Toy gym west,gym,500500,3377000,2021-06-01,
G2,Toy gym middle,gym,501500,3377000,2021-01-01,
P1,Toy park,sports_park,502000,3377500,2019,
C1,Toy clinic,clinic,500000,3377000,2015,
"""
BEFORE = {"l1": "L1,Toy library", "l2_closed": "", "l3_y": 3382000}
AFTER = {"l1": "LX,Library of the town", "l2_closed": "2025-03-01", "l3_y": 3377400}
BRIDGE_DAY = '"name": "Bridge", "opened": "{day}"'


def covered(happened):
    """Count the people covered and all, by hand."""
    closed, built, grown, pin = (event in happened for event in EVENTS)
    people = 175 + (80 if grown else 40) + (not closed) * 30 + (built or not closed) * 60 + pin * 20
    return Fraction(people, 375 if grown else 335)


def by_hand(events=EVENTS):
    """Walk through all orders of the events: event -> (mean, smallest, largest) contribution."""
    added = {event: [] for event in events}
    for order in itertools.permutations(events):
        for at, event in enumerate(order):
            added[event].append(covered(order[: at + 1]) - covered(order[:at]))
    return {event: (sum(rows) / len(rows), min(rows), max(rows)) for event, rows in added.items()}


def write_roads(folder, year, *, bridge, day=""):
    roads = json.loads((folder / "roads.geojson").read_text("utf-8"))
    kept = []
    for feature in roads["features"]:
        if feature["properties"]["name"] == "Bridge":
            if not bridge:
                continue
            if day:
                feature["properties"]["opened"] = day
        kept.append(feature)
    (folder / f"roads-{year}.geojson").write_text(json.dumps(roads | {"features": kept}), "utf-8")


def write_year(folder, year, facilities, *, r3, bridge, day=""):
    (folder / f"facilities-{year}.csv").write_text(FACILITIES.format(**facilities), "utf-8")
    residents = (
        (folder / "residents.csv")
        .read_text("utf-8")
        .replace("r3,501000,3378250,40", f"r3,501000,3378250,{r3}")
    )
    (folder / f"residents-{year}.csv").write_text(residents + "r8,502000,3377200,60,0,10\n", "utf-8")
    write_roads(folder, year, bridge=bridge, day=day)


@pytest.fixture
def town(toytown):
    """Give the toy town of two years."""
    write_year(toytown, 2024, BEFORE, r3=40, bridge=False)
    write_year(toytown, 2025, AFTER, r3=80, bridge=True, day="2025-05-01")
    for name, suffix in (("roads", "geojson"), ("residents", "csv"), ("facilities", "csv")):
        years = ", ".join(f'{year} = "{name}-{year}.{suffix}"' for year in (2024, 2025))
        edit(toytown / "study.toml", f'file = "{name}.{suffix}"', f"file = {{ {years} }}")
    return toytown


def assert_adds_up(comparison):
    """Every row's parts add up to its change, and lie between their smallest and largest contribution."""
    told = 0
    for row in comparison.rows:
        if row.change is None or row.reason:
            assert not row.parts
            continue
        told += 1
        assert sum(part.value for part in (*row.breaks, *row.parts)) == pytest.approx(row.change, abs=1e-9)
        assert sum(part.value for part in (*row.breaks, *row.groups)) == pytest.approx(row.change, abs=1e-9)
        for part in row.parts:
            assert part.low - 1e-12 <= part.value <= part.high + 1e-12
            assert part.turns == (part.low < -1e-12 and part.high > 1e-12)
    assert told


def parts_of(row):
    return {part.name: part.value for part in row.parts}


# --- the scripted case ------------------------------------------------------------------------------------


def test_each_event_is_attributed_to_its_own_cause(town):
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    row = found.row("reading")
    assert (row.before, row.after) == (float(covered(())), float(covered(EVENTS)))
    assert (row.before, row.after) == pytest.approx((305 / 335, 335 / 375))
    told = {part.name: (part.value, part.low, part.high) for part in row.parts}
    assert set(told) == set(EVENTS)
    for event, hand in by_hand().items():
        assert told[event] == pytest.approx([float(value) for value in hand], abs=1e-12)
    groups = {part.group: part.value for part in row.groups}
    assert groups["venues"] == pytest.approx(told["closed"][0])
    assert groups["data"] == pytest.approx(told["pins"][0])
    # A corrected pin restates last year: it is in the change, and no progress.
    assert row.comparable == pytest.approx(row.change - told["pins"][0])
    assert not row.breaks
    assert found.notes == ("venues_renamed:1|Toy library → Library of the town",)
    assert [(one.member, one.id, one.why) for one in found.venues] == [
        ("closed", "L2", "closing_date"),
        ("pins", "L3", "pin_differs"),
    ]
    assert found.lines == {"built": 1}


def test_districts_are_divided_as_the_whole_is(town):
    found = compare_years(town, 2024, 2025)
    west, east = found.row("reading", "01"), found.row("reading", "02")
    # In the west all are in reach of L1 in both years: 215 of 215, then 255 of 255.
    assert (west.before, west.after, sum(map(abs, parts_of(west).values()))) == (1.0, 1.0, 0.0)
    # East: r4 30, r8 60, r7 10 (no road). With L2 90 of 100 are covered; without it not
    # r4, and r8 by the bridge alone.
    assert (east.before, east.after) == (0.9, 0.6)
    parts = {part.name: part for part in east.parts}
    assert parts["closed"].value == pytest.approx(-0.3 - 0.6 / 2)
    assert (parts["closed"].low, parts["closed"].high) == pytest.approx((-0.9, -0.3))
    assert parts["built"].value == pytest.approx(0.6 / 2)
    assert (parts["built"].low, parts["built"].high) == pytest.approx((0.0, 0.6))
    assert parts["residents"].value == parts["pins"].value == 0.0


@pytest.mark.parametrize("event", [None, *EVENTS])
def test_one_event_alone_is_the_whole_change(town, event):
    changed = {
        "closed": {"l2_closed": AFTER["l2_closed"]},
        "pins": {"l3_y": AFTER["l3_y"]},
    }
    write_year(
        town,
        2025,
        BEFORE | changed.get(event, {}),
        r3=80 if event == "residents" else 40,
        bridge=event == "built",
        day="2025-05-01",
    )
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    row = found.row("reading")
    change = float(covered({event} if event else ()) - covered(()))
    assert row.change == pytest.approx(change, abs=1e-12)
    assert parts_of(row) == ({} if event is None else {event: pytest.approx(change, abs=1e-12)})
    if event is None:
        assert all(not row.parts and not row.change for row in found.rows)


def test_the_parts_follow_an_audit_of_either_year(town):
    found = compare_years(town, 2024, 2025)
    for year, side in ((2024, "before"), (2025, "after")):
        findings = run_audit(town, year)
        for result in findings.targets:
            assert getattr(found.row(result.target.id), side) == pytest.approx(result.value, abs=1e-12)
            for one in result.districts:
                if one.value is not None:
                    row = found.row(result.target.id, one.code)
                    assert getattr(row, side) == pytest.approx(one.value, abs=1e-12)


# --- breaks -----------------------------------------------------------------------------------------------


def test_another_speed_in_the_profile_is_a_break_and_no_progress(town):
    # Written in 2024, when the promise was for those who walk 3.24 km/h, 810 m in the same minutes: r2, r5
    # reach L1; r4 and r8 reach L2.
    edit(
        town / "standard.toml",
        'require = { library = 1 }\nminutes = 15\nprofile = "walk"',
        'require = { library = 1 }\nminutes = 15\nprofile = "walk_aged"',
    )
    run_audit(town, 2024, out=town / "results")
    edit(town / "standard.toml", 'profile = "walk_aged"', 'profile = "walk"')
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    row = found.row("reading")
    assert row.before == pytest.approx(165 / 335)
    assert [(one.name, one.value) for one in row.breaks] == [("method", pytest.approx((305 - 165) / 335))]
    for event, (mean, _, _) in by_hand().items():
        assert parts_of(row)[event] == pytest.approx(float(mean), abs=1e-12)
    assert row.comparable == pytest.approx(float(covered(EVENTS) - covered(())) - parts_of(row)["pins"])
    assert not found.row("health").breaks


def test_two_standards_are_a_break_too(town):
    before, after = prepare(read_study(town), 2024), prepare(read_study(town), 2025)
    edit(town / "standard.toml", "minutes = 15", "minutes = 12")
    shorter = prepare(read_study(town), 2024)
    found = account(shorter, after)
    assert_adds_up(found)
    row = found.row("reading")
    # 1,000 m: r3 at 1,250 m is out, and so is none else: r8 is 800 m from L2.
    assert row.before == pytest.approx(265 / 335)
    assert [(one.name, one.value) for one in row.breaks] == [("method", pytest.approx(40 / 335))]
    assert parts_of(row) == pytest.approx(parts_of(account(before, after).row("reading")), abs=1e-12)


def test_a_run_of_other_files_is_a_restatement(town):
    run_audit(town, 2024, out=town / "results")
    write_year(town, 2024, BEFORE | {"l2_closed": "2024-02-01"}, r3=40, bridge=False)
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    row = found.row("reading")
    assert row.before == pytest.approx(305 / 335)
    assert [(one.name, one.value) for one in row.breaks] == [("restated", pytest.approx(-90 / 335))]
    assert "closed" not in parts_of(row)


def breaks_of(row):
    return [(one.name, one.value) for one in row.breaks]


def test_a_change_of_the_standard_stands_apart_from_one_of_files(town):
    """Then r2, r5, r4, r8 for those who walk 3.24 km/h: 165. Without L2 r4 and r8 go: 75; at 5 km/h 215."""
    usual, aged = ('minutes = 15\nprofile = "walk"', 'minutes = 15\nprofile = "walk_aged"')
    edit(
        town / "standard.toml",
        f"require = {{ library = 1 }}\n{usual}",
        f"require = {{ library = 1 }}\n{aged}",
    )
    run_audit(town, 2024, out=town / "results")
    edit(town / "standard.toml", aged, usual)
    write_year(town, 2024, BEFORE | {"l2_closed": "2024-02-01"}, r3=40, bridge=False)
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    row = found.row("reading")
    assert row.before == pytest.approx(165 / 335)
    assert breaks_of(row) == [
        ("restated", pytest.approx(-90 / 335)),
        ("method", pytest.approx((215 - 75) / 335)),
    ]
    assert not [note for note in found.notes if note.startswith("joint_")]


def of_another_method(town, value=0.5):
    """Give a run of 2024 as a former version of the method might have written it."""
    run_audit(town, 2024, out=town / "results")
    findings = load_findings(town / "results" / "2024")
    targets = tuple(
        replace(one, value=value) if one.target.id == "reading" else one for one in findings.targets
    )
    return Stored(replace(findings, targets=targets), "2020.1")


def test_a_change_of_the_method_stands_apart_from_one_of_venues_and_residents(town):
    """The method of now says 305 of 335 for what the run kept; without L2, and r3 at 50, 225 of 345."""
    stored = of_another_method(town)
    write_year(town, 2024, BEFORE | {"l2_closed": "2024-02-01"}, r3=50, bridge=False)
    study = read_study(town)
    found = account(prepare(study, 2024), prepare(study, 2025), stored=stored)
    assert_adds_up(found)
    row = found.row("reading")
    assert row.before == 0.5
    assert breaks_of(row) == [
        ("method", pytest.approx(305 / 335 - 0.5)),
        ("restated", pytest.approx(225 / 345 - 305 / 335)),
    ]
    east = found.row("reading", "02")  # of r4, r7, r8 two had L2, by either method
    assert breaks_of(east) == [("restated", pytest.approx(-90 / 100))]
    assert not [note for note in found.notes if note.startswith("joint_")]


def test_where_the_former_roads_are_gone_the_two_stand_in_one_line_with_the_reason(town):
    stored = of_another_method(town)
    write_year(town, 2024, BEFORE | {"l2_closed": "2024-02-01"}, r3=40, bridge=True)
    study = read_study(town)
    found = account(prepare(study, 2024), prepare(study, 2025), stored=stored)
    assert_adds_up(found)
    row = found.row("reading")
    # Over the bridge, which the file of 2024 has now, r8 reaches L1: 275.
    assert breaks_of(row) == [("method_restated", pytest.approx(275 / 335 - 0.5))]
    assert [note for note in found.notes if note.startswith("joint_")] == ["joint_roads"]
    assert any("道路文件也改了" in line for line in change_lines(found, "zh"))


def test_services_that_changed_with_the_standard_are_the_reason(town):
    """The class of then had another service: with files of now nobody can say what it would have been."""
    run_audit(town, 2024, out=town / "results")
    edit(
        town / "standard.toml",
        "require = { mandatory = 1, public_benefit = 2 }",
        "require = { mandatory = 1, public_benefit = 1 }",
    )
    edit(
        town / "standard.toml",
        'name = { zh = "体育公园", en = "sports park" }\nclass = "public_benefit"',
        'name = { zh = "体育公园", en = "sports park" }\nclass = "mandatory"',
    )
    write_year(town, 2024, BEFORE | {"l2_closed": "2024-02-01"}, r3=40, bridge=False)
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    assert [name for name, _ in breaks_of(found.row("culture"))] in (["method_restated"], [])
    assert "joint_services" in found.notes


def test_a_run_that_says_the_same_adds_no_break(town):
    run_audit(town, 2024, out=town / "elsewhere")
    found = compare_years(town, 2024, 2025, results=town / "elsewhere")
    assert not any(row.breaks for row in found.rows)
    assert found == compare_years(town, 2024, 2025)


def test_another_population_surface_is_a_break(town):
    (town / "residents-2025.csv").write_text(
        "id,x,y,population,age_0_2,age_60\ns1,501000,3377100,200,0,20\ns2,502000,3377900,100,0,30\n", "utf-8"
    )
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    row = found.row("reading")
    # In 2024 all 300 of the new surface reach a library: s1 is 100 m from L1, s2 100 m from L2.
    assert [(one.name, one.value) for one in row.breaks] == [("surface", pytest.approx(1 - 305 / 335))]
    assert "residents" not in parts_of(row)
    assert "surface_break" in found.notes


def test_a_surface_is_the_same_where_most_people_live_at_places_of_both():
    places = gpd.GeoDataFrame(
        {"population": [60.0, 40.0]},
        geometry=[shapely.Point(120, 30), shapely.Point(120.1, 30)],
        crs="EPSG:4326",
    )
    grown = places.assign(population=[600.0, 40.0])
    other = places.set_geometry([shapely.Point(120, 30), shapely.Point(120.2, 30)], crs="EPSG:4326")
    assert same_surface(places, grown)
    assert same_surface(places, other)  # 60 of 100 live at a place of both
    assert not same_surface(places.assign(population=[49.0, 51.0]), other)
    assert same_surface(places.assign(population=[50.0, 50.0]), other.assign(population=[50.0, 50.0]))


def test_roads_of_the_earlier_year_that_are_gone(town):
    run_audit(town, 2024, out=town / "results")
    (town / "roads-2024.geojson").unlink()
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    row = found.row("reading")
    # With the bridge there already nothing changes for r8, who had L2: the run then says the same.
    assert (row.before, row.breaks) == (pytest.approx(305 / 335), ())
    assert set(parts_of(row)) == {"closed", "residents", "pins"}
    assert found.notes[0] == "roads_gone:2024"
    west = found.row("culture")
    assert [one.name for one in west.breaks] in ([], ["roads_gone"])


def test_the_years_must_be_in_order(town):
    with pytest.raises(UnusableInputError, match="earlier year comes first"):
        compare_years(town, 2025, 2024)


# --- roads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "member"),
    [
        ("2025-05-01", "built"),
        ("2019", "mapped"),
        ("2024-12-31", "mapped"),
        ("", "undivided"),
        ("soon", "undivided"),
    ],
)
def test_a_line_is_divided_by_its_day(town, day, member):
    write_year(town, 2025, BEFORE | {"l2_closed": "2025-03-01"}, r3=40, bridge=True, day=day)
    row = compare_years(town, 2024, 2025).row("reading")
    assert set(parts_of(row)) == {"closed", member}
    assert parts_of(row)[member] == pytest.approx(60 / 335 / 2)


def test_a_road_that_closes(town):
    write_year(town, 2024, BEFORE | {"l2_closed": "2020"}, r3=40, bridge=True)
    edit(town / "roads-2024.geojson", '"name": "Bridge"', '"name": "Bridge", "closed": "2025-08-01"')
    write_year(town, 2025, BEFORE | {"l2_closed": "2020"}, r3=40, bridge=False)
    found = compare_years(town, 2024, 2025)
    assert parts_of(found.row("reading")) == {"shut": pytest.approx(-60 / 335)}


def test_new_and_better_mapped_roads_together(town):
    write_year(town, 2024, BEFORE | {"l2_closed": "2020"}, r3=40, bridge=False)
    write_year(town, 2025, BEFORE | {"l2_closed": "2020"}, r3=40, bridge=True, day="2025-05-01")
    roads = json.loads((town / "roads-2025.geojson").read_text("utf-8"))
    path = {"name": "Path", "highway": "path", "opened": "2011"}
    line = {"type": "LineString", "coordinates": [[501500, 3377000], [502000, 3377500]]}
    roads["features"].append({"type": "Feature", "properties": path, "geometry": line})
    (town / "roads-2025.geojson").write_text(json.dumps(roads), "utf-8")
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    parts = {part.name: part for part in found.row("reading").parts}
    # r8 reaches L1 by the bridge in 1,200 m; by the path in 500 + 707 + 300 m, too far:
    # mapping it adds nothing.
    assert parts["built"].value == pytest.approx(60 / 335)
    assert parts["mapped"].value == 0.0
    assert found.lines == {"built": 1, "mapped": 1}


# --- venues -----------------------------------------------------------------------------------------------


def members(town, old, new, header="id,name,service,x,y,opened,closed"):
    """Compare two registers alone: (member, name, why) of every venue that differs."""
    for year, rows in ((2024, old), (2025, new)):
        (town / f"facilities-{year}.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    study = read_study(town)
    return [
        (one.member, one.name, one.why)
        for one in venue_changes(prepare(study, 2024), prepare(study, 2025)).listed
    ]


HALL = "A,Hall,library,501000,3377000,2011,"
REST = ("G1,Gym,gym,500500,3377000,2011,", "C1,Clinic,clinic,500000,3377000,2011,")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # opened and closed, by their days or for want of any
        ([], ["A,Hall,library,501000,3377000,2025-02-01,"], [("opened", "Hall", "opening_date")]),
        ([HALL], [], [("closed", "Hall", "unlisted")]),
        (
            [HALL],
            ["A,Hall,library,501000,3377000,2011,2025-07-01"],
            [("closed", "Hall", "closing_date")],
        ),
        # late entries: the later register says what the earlier one did not know
        ([], ["A,Hall,library,501000,3377000,2020,"], [("late", "Hall", "open_then")]),
        ([], ["A,Hall,library,501000,3377000,,"], [("late", "Hall", "always_open")]),
        (
            [HALL],
            ["A,Hall,library,501000,3377000,2011,2023-07-01"],
            [("late", "Hall", "not_open_then")],
        ),
        # another id and another name at the place: nothing
        ([HALL], ["B,House,library,501010,3377000,2011,"], [("pins", "House", "pin_differs")]),
        ([HALL], ["B,House,library,501000,3377000,2011,"], []),
        ([HALL], ["B,House,library,501000,3377000,2025-01-05,"], []),
        # the same place taken over by another service is no venue of both years
        (
            [HALL],
            ["A,Hall,sports_park,501000,3377000,2025,"],
            [("opened", "Hall", "opening_date"), ("closed", "Hall", "unlisted")],
        ),
        # an id that now belongs to another venue far away
        (
            [HALL],
            ["A,House,library,503000,3377000,2025-01-05,"],
            [("opened", "House", "opening_date"), ("closed", "Hall", "unlisted")],
        ),
        # other coordinates
        ([HALL], ["A,Hall,library,501400,3377000,2011,"], [("pins", "Hall", "pin_differs")]),
        ([HALL], ["A,Hall,library,501400,3377000,2025-06-01,"], [("moved", "Hall", "says_moved")]),
        ([HALL], ["A,Hall,library,501000.5,3377000,2011,"], []),
    ],
)
def test_what_a_register_says_of_a_venue(town, old, new, expected):
    assert members(town, [*old, *REST], [*new, *REST]) == expected


def test_a_list_without_days_says_nothing_of_last_year(town):
    rows = [row.replace("2011", "") for row in REST]
    assert members(town, rows, ["A,Hall,library,501000,3377000,,", *rows]) == [("opened", "Hall", "undated")]


def test_a_venue_is_found_by_name_where_lists_have_no_ids(town):
    header = "name,service,x,y,opened,closed"
    rest = [row.split(",", 1)[1] for row in REST]
    old = ["Hall,library,501000,3377000,2011,", "Old,library,502000,3378000,2011,", *rest]
    new = [*rest, "Old,library,502900,3378000,2011,", "Hall,library,501000,3377000,2011,"]
    assert members(town, old, new, header) == [("pins", "Old", "pin_differs")]


@pytest.mark.parametrize(
    ("address", "x", "member"),
    [
        ("2 High St", 501500, "moved"),
        ("2 High St", 501150, "pins"),
        ("1 High St", 501500, "pins"),
        ("", 501500, "pins"),
    ],
)
def test_a_new_address_far_enough_away_is_a_move(town, address, x, member):
    header = "id,name,service,x,y,opened,closed,address"
    rest = [row + "," for row in REST]
    old, new = "A,Hall,library,501000,3377000,2011,,1 High St", f"A,Hall,library,{x},3377000,2011,,{address}"
    assert [one[0] for one in members(town, [old, *rest], [new, *rest], header)] == [member]


def test_hours_change_and_cells_are_filled_in(town):
    header = "id,name,service,x,y,opened,closed,hours,capacity"
    old = ["A,Hall,library,501000,3377000,2011,,Mo-Fr 09:00-17:00,10", "B,Gym,gym,500500,3377000,2011,,,"]
    new = [
        "A,Hall,library,501000,3377000,2011,,Mo-Su 09:00-21:00,20",
        "B,Gym,gym,500500,3377000,2011,,24/7,5",
    ]
    clinic = "C1,Clinic,clinic,500000,3377000,2011,,,"
    assert members(town, [*old, clinic], [*new, clinic], header) == [
        ("hours", "Hall", "cell:hours"),
        ("resized", "Hall", "cell:capacity"),
        ("filled", "Gym", "cell:hours"),
        ("filled", "Gym", "cell:capacity"),
    ]


def test_a_list_read_in_another_datum_is_one_correction(town):
    lon, lat = np.array([120.9, 120.91, 120.92, 120.95, 120.93]), np.array([30.5, 30.52, 30.51, 30.54, 30.53])
    wrong = np.column_stack(gcj02_from_wgs84(lon, lat))
    right = np.column_stack([lon, lat])
    right[4] = wrong[4] + 0.003  # one of five is another matter
    inputs = prepare(read_study(town), 2024)
    tables = [
        gpd.GeoDataFrame(
            {
                "name": [f"v{at}" for at in range(5)],
                "service": "library",
                "opened": pd.Timestamp("2011-01-01"),
                "closed": pd.NaT,
                "hours": "",
                "serves": "",
                "capacity": np.nan,
                "source": "list.csv",
                "row": [2, 3, 4, 5, 6],
                "district": "01",
                "village": "",
            },
            geometry=gpd.points_from_xy(*places.T),
            crs="EPSG:4326",
            index=pd.Index(list("abcde"), name="id"),
        )
        for places in (wrong, right)
    ]
    found = venue_changes(replace(inputs, register=tables[0]), replace(inputs, register=tables[1], year=2025))
    assert [(one.member, one.id) for one in found.listed] == [
        ("pins", "e"),
        ("datum", "a"),
        ("datum", "b"),
        ("datum", "c"),
        ("datum", "d"),
    ]


# --- the other kinds --------------------------------------------------------------------------------------

OTHERS = """
[[target]]
id = "gyms"
kind = "presence"
name = "a gym in every district"
require = { gym = 1 }
unit = "district"
goal = 1.0
due = 2025

[[target]]
id = "places"
kind = "capacity"
name = "places in gyms"
require = { gym = 1 }
per = 100

[[target]]
id = "gap"
kind = "indicator"
name = "between districts"
unit = "share"
computed = { gap = "districts", measure = "difference", circles = ["reading"] }

[[target]]
id = "books"
kind = "indicator"
name = "books"
unit = "thousand"
"""


@pytest.fixture
def kinds(town):
    """Give the town with a target of every kind: gyms have places, an office registers books."""
    with (town / "standard.toml").open("a", encoding="utf-8") as file:
        file.write(OTHERS)
    header = "id,name,service,x,y,opened,closed,capacity\n"
    both = "L1,Library,library,501000,3377000,2010,,\nC1,Clinic,clinic,500000,3377000,2011,,\n"
    west = "G1,Gym west,gym,500500,3377000,2011,,{}\n"
    east = "G3,Gym east,gym,502000,3377500,{},,10\n"
    (town / "facilities-2024.csv").write_text(header + both + west.format(20), "utf-8")
    (town / "facilities-2025.csv").write_text(
        header + both + west.format(30) + east.format("2025-04-01"), "utf-8"
    )
    (town / "indicators.csv").write_text(
        "target,year,value,source\nbooks,2024,10,Bureau of Books\nbooks,2025,12,Bureau of Books\n", "utf-8"
    )
    with (town / "study.toml").open("a", encoding="utf-8") as file:
        file.write('\n[indicators]\nfile = "indicators.csv"\n')
    return town


def test_every_kind_is_divided(kinds):
    found = compare_years(kinds, 2024, 2025)
    assert_adds_up(found)
    gyms = found.row("gyms")
    assert (gyms.before, gyms.after, parts_of(gyms)) == (0.5, 1.0, {"opened": 0.5, "resized": 0.0})
    # 20 places for the 315 people in districts, then 40 for 355: r6 lives outside.
    places = found.row("places")
    assert (places.before, places.after) == pytest.approx((2000 / 315, 4000 / 355))

    def hand(opened, resized, grown):
        return (20 + 10 * opened + 10 * resized) * 100 / (355 if grown else 315)

    # Owen: the two members of the venues stand together, the residents before or after both.
    together = {
        "opened": np.mean([hand(1, r, g) - hand(0, r, g) for r in (0, 1) for g in (0, 1)]),
        "resized": np.mean([hand(o, 1, g) - hand(o, 0, g) for o in (0, 1) for g in (0, 1)]),
        "residents": (hand(0, 0, 1) - hand(0, 0, 0) + hand(1, 1, 1) - hand(1, 1, 0)) / 2,
    }
    assert parts_of(places) == pytest.approx(together, abs=1e-12)
    gap = found.row("gap")
    reading = {code: found.row("reading", code) for code in ("01", "02")}
    assert gap.before == pytest.approx(reading["01"].before - reading["02"].before)
    assert parts_of(gap) == pytest.approx({"residents": 0.0, "built": -0.6}, abs=1e-12)
    books = found.row("books")
    assert (books.change, parts_of(books), books.sources) == (2.0, {"registered": 2.0}, ("Bureau of Books",))


def test_a_target_is_asked_only_of_what_it_rests_on(kinds):
    study = read_study(kinds)
    found = difference(prepare(study, 2024), prepare(study, 2025))
    groups = {target.id: found.groups(target) for target in study.standard.targets}
    assert groups["health"] == {"residents": ("residents",), "roads": ("built",)}
    assert groups["gyms"] == {"venues": ("opened", "resized")}
    assert groups["books"] == {}


def test_a_district_without_a_value_is_said(kinds):
    (kinds / "indicators.csv").write_text(
        "target,year,value,source\nbooks,2025,12,Bureau of Books\n", "utf-8"
    )
    row = compare_years(kinds, 2024, 2025).row("books")
    assert (row.before, row.after, row.change, row.reason) == (None, 12.0, None, "no_value_before")


def test_inputs_that_are_the_same_have_nothing_to_divide(town):
    inputs = prepare(read_study(town), 2025)
    findings = run(inputs)
    found = account(inputs, inputs)
    assert all(not row.parts and not row.breaks for row in found.rows)
    assert found.row("reading").after == findings.result("reading").value


# --- units and lists --------------------------------------------------------------------------------------


def test_a_border_that_moves_is_its_own_part(town):
    write_year(town, 2025, BEFORE, r3=80, bridge=False)
    text = (town / "districts.geojson").read_text("utf-8")
    (town / "districts-2025.geojson").write_text(text.replace("501700", "502500"), "utf-8")
    years = '{ 2024 = "districts.geojson", 2025 = "districts-2025.geojson" }'
    edit(town / "study.toml", 'file = "districts.geojson"', f"file = {years}")
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    assert "boundaries_differ" in found.notes
    # r4 30 and r8 60 are in the west now, and only r7 (no road) is left in the east: 90 of 100, then 0 of 10.
    east = found.row("reading", "02")
    assert (east.before, east.after, parts_of(east)) == (0.9, 0.0, {"boundaries": -0.9, "residents": 0.0})
    whole = found.row("reading")
    assert parts_of(whole)["boundaries"] == pytest.approx(0.0, abs=1e-12)
    assert parts_of(whole)["residents"] == pytest.approx(345 / 375 - 305 / 335)


def test_another_accepted_list_is_its_own_part(town):
    write_year(town, 2025, BEFORE, r3=80, bridge=True)
    head, rows = (
        "code,name,district,lon,lat,accepted_reading\n",
        ("330424001001,A,01,120.005,30.515,{}\n", "330424001002,B,02,120.02,30.518,{}\n"),
    )
    for year, flags in ((2024, ("true", "false")), (2025, ("true", "true"))):
        text = head + "".join(row.format(flag) for row, flag in zip(rows, flags, strict=True))
        (town / f"villages-{year}.csv").write_text(text, "utf-8")
    with (town / "study.toml").open("a", encoding="utf-8") as file:
        file.write('\n[villages]\nfile = { 2024 = "villages-2024.csv", 2025 = "villages-2025.csv" }\n')
    edit(
        town / "standard.toml",
        "require = { library = 1 }\n",
        'require = { library = 1 }\naccounting = "accepted"\n',
    )
    found = compare_years(town, 2024, 2025)
    assert_adds_up(found)
    row = found.row("reading")
    assert (row.before, row.after, parts_of(row)) == (0.5, 1.0, {"lists": 0.5})
