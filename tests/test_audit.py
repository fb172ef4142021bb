"""The audit on the toy town, whose every answer is counted by hand.

All roads are walked at 5 km/h, so 15 minutes are 1,250 m. Places in metres, x then y:
L1 library (1000, 0); G1 gym (500, 0), opened 2023; G2 gym (1500, 0); P1 park (2000, 500);
C1 clinic (0, 0), closed 1 July 2025; C2 clinic (2000, 500), opened that day.
Main Street runs from (0, 0) to (1500, 0), a bridge on to (2000, 0), North Lane from (1000, 0) to
(1000, 1250), East Road from (2000, 0) to (2000, 1000); Island Path at x = 4000 joins nothing.

====  ============  ======  ===  ===  =================  ==============================
id    place         people   <3  60+  metres to library  metres to 2nd gym or park
====  ============  ======  ===  ===  =================  ==============================
r1    (0, 0)           100    4   20  1000               1500 (G2)
r2    (500, 0)          50    2   10  500                1000 (G2)
r3    (1000, 1250)      40    1   12  1250, exact limit  1750
r4    (2000, 1000)      30    0   15  2000               1500 (G2)
r5    (1250, 30)        25    3    5  280, leg of 30     780 (G1)
r6    (4000, 200)       20    0    8  no path            no path
r7    (3000, 0)         10    0    4  no road in 500 m   no road in 500 m
====  ============  ======  ===  ===  =================  ==============================
"""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from conftest import edit, seeds
from lifecircle.audit import (
    Searches,
    YearFacts,
    assess,
    prepare,
    prepare_other,
    run,
    run_audit,
    write_run,
)
from lifecircle.audit._questions import ask
from lifecircle.errors import UnusableInputError
from lifecircle.findings import class_seconds, load_findings
from lifecircle.reach import nearest_seconds
from lifecircle.study import read_study

METRES_TO_LIBRARY = {"r1": 1000, "r2": 500, "r3": 1250, "r4": 2000, "r5": 280}
RULE_METRES = {"r1": 1500, "r2": 1000, "r3": 1750, "r4": 2000, "r5": 780}
PER_SECOND = 5 / 3.6


def assert_people_add_up(findings, totals):
    """Every table of every circle adds up to the population its target counts."""
    for result in findings.targets:
        count = result.count
        assert count.people == totals[result.target.id]
        assert count.covered + count.beyond + count.disconnected + count.unsnapped == count.people
        assert sum(one.count.people for one in result.districts) == count.people
        assert sum(one.count.covered for one in result.districts) == count.covered
        gaps = findings.gaps[findings.gaps["target"] == result.target.id]
        assert gaps["people"].sum() == count.uncovered


@pytest.fixture
def findings(toytown):
    return run_audit(toytown)


def test_seconds_are_those_of_the_table(findings):
    for target, metres in (("reading", METRES_TO_LIBRARY), ("culture", RULE_METRES)):
        seconds = findings.seconds[target]
        for resident, length in metres.items():
            assert seconds[resident] == pytest.approx(length / PER_SECOND, abs=1e-6)
        assert np.isnan(seconds[["r6", "r7"]]).all()


def test_statuses(findings):
    assert findings.status["reading"].to_dict() == {
        "r1": "covered",
        "r2": "covered",
        "r3": "covered",  # at the limit, exactly
        "r4": "beyond",
        "r5": "covered",
        "r6": "disconnected",
        "r7": "unsnapped",
    }
    assert findings.status["culture"].to_dict() == {
        "r1": "beyond",
        "r2": "covered",
        "r3": "beyond",
        "r4": "beyond",
        "r5": "covered",
        "r6": "disconnected",
        "r7": "unsnapped",
    }


def test_people_and_verdicts(findings):
    assert_people_add_up(findings, {"reading": 275, "culture": 275, "health": 74})
    reading, culture, health = findings.targets
    assert reading.value == 215 / 275
    assert (reading.status, reading.shortfall_people) == ("missed", 33)  # 0.9 x 275 = 247.5
    assert culture.value == 75 / 275
    assert culture.status == "on_track"
    assert health.value == 15 / 74
    assert health.status == "reported"


def test_districts(findings):
    west, east, outside = findings.result("reading").districts
    assert (west.name, west.count.people, west.count.covered) == ("West Bank", 215, 215)
    assert west.status == "met"
    assert (east.name, east.count.people, east.count.beyond, east.count.unsnapped) == (
        "East Bank",
        40,
        30,
        10,
    )
    assert (outside.code, outside.count.disconnected) == ("(outside)", 20)


def test_groups(findings):
    groups = {one.group: one.count for one in findings.result("reading").groups}
    assert (groups["under3"].people, groups["under3"].covered) == (10, 10)
    assert (groups["over60"].people, groups["over60"].covered) == (74, 47)
    assert (groups["urban"].people, groups["rural"].people) == (215, 40)


def test_every_grid_cell(findings):
    grid = findings.grid
    assert len(grid) == 7  # every home stands in a cell of its own
    assert grid["population"].sum() == 275
    home = grid.loc["1000_6754"]  # r1 at (500000, 3377000), the south-west corner of its cell
    assert (home["population"], home["people_reading"], home["covered_reading"]) == (100, 100, 100)
    assert (home["people_health"], home["covered_health"]) == (20, 0)
    assert grid["covered_reading"].sum() == 215


def test_margin(findings):
    reading = findings.result("reading")
    # at 4 km/h 1,000 m are within 15 minutes, 1,250 m are not; at 6 km/h 1,500 m are
    assert reading.band == {"slow": 175 / 275, "usual": 215 / 275, "fast": 215 / 275}
    assert reading.flip_kmh is None  # 0.9 of all is never reached: the island and the far house are 30
    culture = findings.result("culture")
    # 0.25 of 275 is 69 people: r5 and r2 make 75 at 1,000 m, so 4 km/h is where the verdict turns
    assert culture.flip_kmh == pytest.approx(4.0)
    assert culture.flip_minutes == pytest.approx(12.0)
    assert dict(culture.curve)[4.0] == 75 / 275
    assert dict(culture.curve)[6.0] == 175 / 275
    assert reading.borderline_people == 40  # r3, at the limit
    assert reading.leg_over_100_m == 0
    assert reading.only_outside_people == 0


def test_the_aged_at_their_own_speed(findings):
    # 15 minutes at 3.24 km/h are 810 m: r2 (10 of 60+) and r5 (5) reach the library
    reading = findings.result("reading")
    assert reading.variants["aged_over60"] == 15 / 74
    # the others at their own: 215 - 47 aged, and 15 aged
    assert reading.variants["by_group_speed"] == pytest.approx((215 - 47 + 15) / 275)


def test_step_free(toytown):
    edit(toytown / "roads.geojson", '"highway": "footway"', '"highway": "steps"')
    reading = run_audit(toytown).result("reading")
    # at 2.88 km/h 15 minutes are 720 m, and North Lane cannot be used
    assert reading.variants["step_free"] == 75 / 275
    assert reading.value == 215 / 275


def test_gaps_say_who_where_and_why(findings):
    of_reading = findings.gaps[findings.gaps["target"] == "reading"]
    gaps = {row.reason: row for row in of_reading.itertuples()}
    assert len(gaps) == len(of_reading)
    row = gaps["beyond"]
    assert (row.people, row.district, row.nearest) == (30, "East Bank", "Toy library")
    assert row.minutes == pytest.approx(24.0)
    assert gaps["disconnected"].people == 20
    assert gaps["unsnapped"].nearest == ""


def test_a_gap_ends_at_the_border_of_its_district_where_there_are_no_villages(toytown):
    with (toytown / "residents.csv").open("a", encoding="utf-8") as file:
        file.write("r8,501600,3378950,7,0,0\nr9,501800,3378950,9,0,0\n")  # 200 m apart, on either bank
    gaps = run_audit(toytown).gaps
    mine = gaps[(gaps["target"] == "reading") & gaps["people"].isin([7, 9, 16])]
    assert set(zip(mine["district"], mine["people"], strict=True)) == {("West Bank", 7), ("East Bank", 9)}


def test_the_state_of_a_year_is_its_last_day(toytown):
    health_2024 = run_audit(toytown, 2024).result("health")
    assert health_2024.value == 30 / 74  # the western clinic: r1 and r2
    health_2025 = run_audit(toytown, 2025).result("health")
    assert health_2025.previous == 30 / 74
    assert run_audit(toytown, 2022).result("culture").value == 0  # one gym, one park: too far apart


def test_a_promise_due_later_is_behind_not_missed(toytown):
    edit(toytown / "standard.toml", "goal = 0.25", "goal = 0.75\nbaseline = { 2024 = 0.3 }")
    by_year = {year: run_audit(toytown, year).result("culture").status for year in (2026, 2027, 2028)}
    assert by_year == {2026: "behind", 2027: "missed", 2028: "missed"}


def test_without_baseline_nobody_is_behind(toytown):
    """Nothing says how far 0.75 in 2027 should be in 2026: 75 of 275 are reported and not judged."""
    edit(toytown / "standard.toml", "goal = 0.25", "goal = 0.75")
    result = run_audit(toytown, 2026).result("culture")
    assert (result.status, result.reason, result.milestone) == ("reported", "no_baseline", None)
    assert result.shortfall_people == 132  # 206.25 of 275 are the goal
    assert {one.status for one in result.districts} == {"reported"}
    assert run_audit(toytown, 2027).result("culture").status == "missed"


def test_no_facility_no_coverage(toytown):
    edit(toytown / "facilities.csv", ",2010,", ",2010,2011")
    findings = run_audit(toytown)
    reading = findings.result("reading")
    assert reading.value == 0
    assert set(findings.status["reading"]) == {"disconnected", "unsnapped"}
    assert any("library" in warning for warning in findings.warnings)


def test_a_group_the_residents_lack_is_not_assessable(toytown):
    edit(toytown / "standard.toml", 'group = "over60"', 'group = "disabled"')
    health = run_audit(toytown).result("health")
    assert (health.status, health.value, health.reason) == ("not_assessable", None, "group_missing:disabled")


def test_an_urban_target_counts_urban_residents(toytown):
    edit(toytown / "standard.toml", 'group = "over60"', 'group = "over60"\narea = "rural"')
    edit(toytown / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 0.2")
    health = run_audit(toytown).result("health")
    assert health.count.people == 19  # r4 and r7; the class of the island's 8 is not known
    assert health.notes == ("urban_unknown:20",)


def test_twice_gives_the_same_bytes_and_files_read_back(toytown, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    findings = run_audit(toytown, out=first)
    run_audit(toytown, out=second)
    for name in ("summary.json", "scoreboard.csv", "gaps.csv", "rejects.csv"):
        one, other = (folder / "2025" / name for folder in (first, second))
        assert one.read_bytes() == other.read_bytes(), name
    again = load_findings(first / "2025")
    assert again.targets == findings.targets
    for table in ("seconds", "status", "nearest"):
        ours, theirs = getattr(findings, table), getattr(again, table)
        pd.testing.assert_frame_equal(ours.astype(object), theirs.astype(object), check_index_type=False)
    pd.testing.assert_frame_equal(
        again.demand[["population"]], findings.demand[["population"]], check_dtype=False
    )


def registered(folder, seed):
    """Write a register of venues that open and close in the two years, some in neither."""
    rng = np.random.default_rng(seed)
    lines = ["id,name,service,x,y,opened,closed"]
    for number in range(int(rng.integers(4, 14))):
        service = rng.choice(["library", "gym", "sports_park", "clinic"])
        x, y = 501000 + rng.integers(-1000, 1100), 3377000 + rng.integers(0, 200)
        life = rng.choice(["2019,", "2019,2024-07-01", "2019,2025-07-01", "2024-06-01,", "2025-03-01,"])
        lines.append(f"V{number},venue {number},{service},{x},{y},{life}")
    (folder / "facilities.csv").write_text("\n".join(lines) + "\n", "utf-8")


@pytest.mark.parametrize("seed", seeds(6, whole=200))
def test_what_the_year_before_takes_over_is_what_it_would_find(toytown, seed):
    registered(toytown, seed)
    study = read_study(toytown)
    inputs = prepare(study)
    this_year, anew = Searches(inputs), prepare(study, 2024)
    circles = [target for target in study.standard.targets if target.kind == "circle"]
    for target in circles:
        this_year.answer(target)
    before, alone = Searches(prepare_other(inputs, 2024), like=this_year), Searches(anew)
    for target in circles:
        taken, found = before.answer(target), alone.answer(target)
        for name in ("seconds", "any_seconds", "venue", "snapped", "leg_m"):
            np.testing.assert_array_equal(getattr(taken, name), getattr(found, name))
        for name, times in found.ranks.items():
            np.testing.assert_array_equal(taken.ranks[name], times)
    values = {result.target.id: result.value for result in run(anew).targets}
    assert {result.target.id: result.previous for result in run(inputs).targets} == values


def test_a_class_with_the_same_venues_is_searched_once_for_both_years(toytown, monkeypatch):
    asked = []

    def counted(*arguments, **named):
        asked.append(len(arguments[2]))
        return nearest_seconds(*arguments, **named)

    monkeypatch.setattr("lifecircle.audit._searches.nearest_seconds", counted)
    inputs = prepare(read_study(toytown))
    this_year = Searches(inputs)
    before = Searches(prepare_other(inputs, 2024), like=this_year)
    reading, culture, health = inputs.study.standard.targets
    for target, venues in ((reading, [1]), (culture, [3]), (health, [1, 1])):
        asked.clear()  # of culture only the second class is new: the library is known of reading
        this_year.answer(target)
        before.answer(target)
        assert asked == venues


def test_what_is_said_of_villages_reads_back_unknown_where_it_was(toytown, tmp_path):
    findings = run_audit(toytown)
    flags = pd.array([True, None, False, True], dtype="boolean")[: len(findings.districts)]
    villages = findings.districts[["name", "geometry"]].assign(
        reached_culture=flags, urban=flags.fillna(value=False)
    )
    write_run(replace(findings, villages=villages.rename_axis("code")), tmp_path)
    again = load_findings(tmp_path / "2025").villages
    assert again["reached_culture"].tolist() == flags.tolist()
    assert again["urban"].tolist() == flags.fillna(value=False).tolist()
    assert "boolean" in str(again["reached_culture"].dtype)


def test_what_a_rule_of_several_venues_rests_on_is_kept(toytown, tmp_path):
    findings = run_audit(toytown, out=tmp_path)
    assert list(findings.ranks.columns) == [
        ("culture", "mandatory", 1),
        ("culture", "public_benefit", 1),
        ("culture", "public_benefit", 2),
    ]
    times = class_seconds(findings, "culture")
    assert {name: of.shape for name, of in times.items()} == {"mandatory": (7, 1), "public_benefit": (7, 2)}
    slowest = np.maximum(times["mandatory"][:, 0], times["public_benefit"][:, 1])
    np.testing.assert_array_equal(slowest, findings.seconds["culture"])
    again = load_findings(tmp_path / "2025")
    pd.testing.assert_frame_equal(again.ranks, findings.ranks, check_index_type=False)
    single = class_seconds(again, "health")
    np.testing.assert_array_equal(single["clinic"][:, 0], again.seconds["health"])


def test_summary_holds_no_clock_and_no_absolute_path(toytown, tmp_path):
    run_audit(toytown, out=tmp_path / "out")
    text = (tmp_path / "out" / "2025" / "summary.json").read_text("utf-8")
    assert str(tmp_path) not in text
    top = json.loads(text)
    assert {record["path"] for record in top["inputs"]} == {
        "residents.csv",
        "districts.geojson",
        "facilities.csv",
        "roads.geojson",
    }
    assert [target["value"] for target in top["targets"]] == [215 / 275, 75 / 275, 15 / 74]


def test_faults_of_every_file_at_once_and_nothing_written(toytown, tmp_path):
    (toytown / "residents.csv").write_text("id,x,y,heads\nr1,1,2,3\n")
    (toytown / "districts.geojson").unlink()
    edit(toytown / "facilities.csv", ",clinic,", ",clnic,")
    with pytest.raises(UnusableInputError) as caught:
        run_audit(toytown, out=tmp_path / "out")
    text = str(caught.value)
    assert "residents.csv" in text
    assert "population" in text
    assert "districts.geojson" in text
    assert "clnic" in text
    assert "clinic" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("synthetic = true", "synthetik = true", "did you mean 'synthetic'"),
        ("year = 2025", "yaer = 2025", "did you mean 'year'"),
        ('population = "population"', 'popluation = "population"', "did you mean 'population'"),
        ('crs = "EPSG:4549"', 'crs = "EPSG:1"', "no coordinate system of this name"),
        ('file = "districts.geojson"', 'file = ["a"]', "districts.file"),
    ],
)
def test_faults_of_study_profile_and_tables_are_reported_at_once(toytown, old, new, told):
    edit(toytown / "study.toml", old, new)
    edit(toytown / "standard.toml", "due = 2027", 'due = "soon"')
    edit(toytown / "residents.csv", "population", "heads")
    edit(toytown / "facilities.csv", ",service,", ",sort,")
    with pytest.raises(UnusableInputError) as caught:
        run_audit(toytown)
    text = str(caught.value)
    assert told in text
    assert "standard.toml, target[2] 'culture'.due" in text
    assert "residents.csv, column 'population': missing column" in text
    assert "facilities.csv, column 'service': missing column" in text
    assert len(caught.value.faults) == (5 if "yaer" in new else 4)  # a required key is missing as well


def test_a_table_whose_part_is_at_fault_is_not_read_otherwise_than_declared(toytown):
    edit(toytown / "study.toml", 'datum = "EPSG:4549"\n\n[districts]', 'datum = "EPGS:4549"\n\n[districts]')
    with pytest.raises(UnusableInputError) as caught:
        run_audit(toytown)
    assert [fault.place for fault in caught.value.faults] == ["demand.datum"]


def test_a_circle_by_car_searches_its_band_again(toytown):
    edit(
        toytown / "standard.toml",
        'minutes = 15\nprofile = "walk"\ngoal = 0.9',
        'minutes = 3\nprofile = "drive"\ngoal = 0.9',
    )
    reading = run_audit(toytown).result("reading")
    # 25 km/h on residential streets, and no footway: r1 144 s, r2 72 s, r4 288 s, r5 36 s and 21.6 s on foot.
    # r3 and r6 live on ways no car may use. At 0.8 of the speed r1 takes 180 s, exactly the limit.
    assert reading.value == 175 / 275
    assert reading.band == {"slow": 175 / 275, "usual": 175 / 275, "fast": 175 / 275}
    assert (reading.count.beyond, reading.count.unsnapped) == (30, 70)
    assert (reading.flip_kmh, reading.curve, reading.variants) == (None, (), {})


def test_further_modes_are_reported_beside_the_verdict(toytown):
    """In 15 minutes at 12 km/h, 3 km: r1, r2, r4 and r5; r3 lives on a footway, where nobody may ride."""
    plain = run_audit(toytown).circle("culture")
    edit(toytown / "standard.toml", "goal = 0.25", 'goal = 0.25\nmodes = ["cycle", "wheelchair"]')
    found = run_audit(toytown).circle("culture")
    assert found.modes == {"cycle": (100 + 50 + 30 + 25) / 275, "wheelchair": found.variants["step_free"]}
    assert plain.modes == {}
    assert (found.value, found.status, found.band) == (plain.value, plain.status, plain.band)


def test_a_question_that_nobody_asked_is_an_error(toytown):
    inputs = prepare(read_study(toytown), 2025)
    target = inputs.study.standard.targets[0]
    answers = ask(inputs, Searches(inputs), values_only=True)
    assert answers.answer(target).seconds.shape == (len(inputs.demand),)
    with pytest.raises(KeyError):
        answers.answer(target, profile="wheelchair")


def test_assessing_searches_no_more(toytown, monkeypatch):
    """Once every question is asked, the roads are left alone."""
    inputs = prepare(read_study(toytown), 2025)
    answers = ask(inputs, Searches(inputs))

    def never(*_, **__):
        raise AssertionError("a search while assessing")

    monkeypatch.setattr("lifecircle.audit._searches.nearest_seconds", never)
    facts = YearFacts(inputs, answers)
    results = [assess(target, facts).result for target in inputs.study.standard.targets]
    assert [one.value for one in results] == [one.value for one in run_audit_values(toytown, monkeypatch)]


def run_audit_values(folder, monkeypatch):
    """Audit a study with its searches."""
    monkeypatch.undo()
    return run_audit(folder).targets
