"""What one run says, counted by hand on the toy town, and kept as it was said.

The town is that of ``test_audit.py``, with the four villages of ``test_accountings.py``. Every accounting
has a row of its own; all figures of a row are by that accounting.
"""

import copy
import dataclasses
import json

import jsonschema
import pandas as pd
import pytest

from conftest import edit
from lifecircle.audit import Searches, basis_of, prepare, run_audit
from lifecircle.findings import (
    PresenceResult,
    VenueLine,
    class_seconds,
    class_venues,
    load_findings,
    summary,
    summary_schema,
    venue_lines,
)
from lifecircle.standards import CircleTarget
from lifecircle.study import read_study
from test_accountings import extended

EVERYONE = 275
LIMIT_S = 900.0


@pytest.fixture
def town(toytown):
    """Give the folder of the toy town with villages, a hall and opening hours."""
    return extended(toytown)


def judged_by(town, accounting, *, goal="goal = 0.25"):
    """Audit the town with the culture circle judged by an accounting."""
    edit(town / "standard.toml", "goal = 0.25", f'{goal}\naccounting = "{accounting}"')
    return run_audit(town)


def assert_one_accounting(findings, name):
    """Value, districts, groups, villages and gaps of a circle are by its own accounting."""
    result = findings.result(name)
    rung = result.accountings[result.target.accounting]
    assert result.value == rung.value
    assert sum(one.count.covered for one in result.districts) == result.count.covered == rung.people
    assert result.groups[0].count == result.count
    assert findings.villages[f"covered_{name}"].sum() == rung.people
    assert findings.grid[f"people_{name}"].sum() == result.count.people
    gaps = findings.gaps[findings.gaps["target"] == name]
    assert gaps["people"].sum() == result.count.people - result.count.covered


# --- one accounting a row -----------------------------------------------------------------------------


def test_a_row_by_open_venues(town):
    """On Saturday at 10 r2 and r5 find the rule, 75 of 275, and r1 no more: its second venue is G2.

    r1 then walks 1,500 m, 18 minutes; r2 1,000 m, so that 4 km/h is where the goal of 69 people turns.
    """
    findings = judged_by(town, "open", goal="goal = 0.9\nbaseline = { 2020 = 0.2 }")
    result = findings.result("culture")
    assert_one_accounting(findings, "culture")
    assert (result.value, result.status) == (75 / EVERYONE, "behind")
    assert result.band == {"slow": 75 / EVERYONE, "usual": 75 / EVERYONE, "fast": 175 / EVERYONE}
    assert result.milestone == pytest.approx(0.7)
    assert result.shortfall_people == 118  # 192.5 of 275 are the milestone
    assert dict(result.curve)[6.0] == 175 / EVERYONE
    assert result.borderline_people == 0  # nobody is within 83 m of 1,250
    west = result.districts[0]
    assert (west.value, west.count.covered, west.status) == (75 / 215, 75, "behind")
    assert findings.villages["reached_culture"].tolist()[:3] == [False, True, False]
    gaps = findings.gaps[(findings.gaps["target"] == "culture") & (findings.gaps["people"] == 100)]
    assert (gaps["minutes"].iloc[0], gaps["nearest"].iloc[0]) == (pytest.approx(18.0), "Toy gym middle")
    assert result.notes[0] == "verdict_by:open"


def test_a_row_by_distance_along_the_roads(town):
    """r2, r3 and r5 stand within the rural 1,750 m, r1 not within the urban 1,000; no minute decides."""
    findings = judged_by(town, "network_distance", goal="goal = 0.5\nbaseline = { 2020 = 0.5 }")
    result = findings.result("culture")
    assert_one_accounting(findings, "culture")
    assert (result.value, result.status, result.count.covered) == (115 / EVERYONE, "behind", 115)
    assert (result.count.beyond, result.count.disconnected, result.count.unsnapped) == (130, 20, 10)
    assert result.shortfall_people == 23  # 137.5
    assert (result.band, result.flip_kmh, result.borderline_people, result.curve) == ({}, None, None, ())
    assert "no_margin:network_distance" in result.notes
    assert result.districts[0].value == 115 / 215
    assert findings.seconds["culture"].isna().all()
    gap = findings.gaps[(findings.gaps["target"] == "culture") & (findings.gaps["people"] == 100)].iloc[0]
    assert pd.isna(gap["minutes"])
    assert (gap["reason"], gap["nearest"]) == ("beyond_radius", "Toy hall")
    assert [(one.count, one.venue, one.metres) for one in venue_lines(gap["venues"])] == [
        (1, "Toy library", pytest.approx(1000)),
        (2, "Toy hall", pytest.approx(1250)),
    ]


@pytest.mark.parametrize(
    ("accounting", "figures", "reason"),
    [("accepted", (3 / 4, 160, 1), "not_accepted"), ("straight", (2 / 4, 155, 2), "not_held")],
)
def test_a_row_by_village(town, accounting, figures, reason):
    """A, C and D are on the list, of 100, 40 and 20 people; B and C hold their circle, 115 and 40."""
    value, covered, missing = figures
    findings = judged_by(town, accounting, goal="goal = 1.0\nbaseline = { 2020 = 1.0 }")
    result = findings.result("culture")
    assert_one_accounting(findings, "culture")
    assert (result.value, result.status) == (value, "behind")
    assert (result.count.covered, result.count.beyond) == (covered, EVERYONE - covered)
    assert (result.shortfall_people, result.shortfall_villages) == (None, missing)
    assert (result.band, result.flip_kmh, result.leg_over_100_m) == ({}, None, None)
    assert findings.seconds["culture"].isna().all()
    assert findings.nearest["culture"].isna().all()
    west, east, *_ = result.districts
    wanted = {"accepted": (1 / 2, 1.0), "straight": (1 / 2, 1.0)}[accounting]  # A and B; C
    assert (west.value, east.value) == wanted
    gaps = findings.gaps[findings.gaps["target"] == "culture"]
    assert set(gaps["reason"]) == {reason}
    assert gaps["minutes"].isna().all()


def test_an_accounting_the_study_cannot_ask_is_no_other_one(town):
    """Without hours nobody knows what is open: no figure by reach takes its place."""
    table = pd.read_csv(town / "facilities.csv", dtype=str).drop(columns="hours")
    table.to_csv(town / "facilities.csv", index=False)
    findings = judged_by(town, "open")
    result = findings.result("culture")
    assert (result.value, result.status, result.reason) == (None, "not_assessable", "accounting_missing:open")
    assert (result.count, result.shortfall_people, result.previous) == (None, None, None)
    assert (result.districts, result.groups, dict(result.band)) == ((), (), {})
    assert not (findings.gaps["target"] == "culture").any()
    assert result.accountings["reach"].people == 175


def test_a_radius_for_all_needs_no_villages(toytown):
    straight = "straight = { urban_m = 1000 }"
    edit(
        toytown / "standard.toml", "goal = 0.25", f'goal = 0.25\n{straight}\naccounting = "network_distance"'
    )
    result = run_audit(toytown).result("culture")
    assert (result.value, result.count.covered) == (75 / EVERYONE, 75)  # r2 at 1,000 m and r5


def test_what_siting_asks_is_the_accounting_too(town):
    inputs = prepare(read_study(town))
    culture = next(one for one in inputs.study.standard.targets if one.id == "culture")
    for accounting, people, timed in (
        ("reach", 175, True),
        ("open", 75, True),
        ("network_distance", 115, False),
        ("accepted", 160, False),
    ):
        target = culture.model_copy(update={"accounting": accounting})
        basis = basis_of(target, inputs, Searches(inputs))
        assert inputs.demand["population"].to_numpy()[basis.covered].sum() == people
        assert basis.timed is timed


def test_the_quality_beside_the_headline(town):
    edit(town / "standard.toml", "goal = 0.25", 'goal = 0.25\nquality = "open"')
    result = run_audit(town).result("culture")
    assert (result.value, result.quality.value) == (175 / EVERYONE, 75 / EVERYONE)


# --- people covered from outside ----------------------------------------------------------------------


def test_people_covered_only_from_beyond_the_border(toytown):
    """A library west of the border serves r1 (100) and r2 (50) alone once the town's own is closed.

    It stands at (0, 10), outside all districts drawn smaller; r3 (1,250 m and 1,000 m on) stays uncovered.
    """
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L3,Far library,library,500000,3377010,,\n")
    edit(toytown / "facilities.csv", ",2010,", ",2010,2011")
    districts = json.loads((toytown / "districts.geojson").read_text("utf-8"))
    inside = run_audit(toytown).result("reading")
    assert (inside.count.covered, inside.only_outside_people) == (150, 0)
    for one in districts["features"]:
        rings = one["geometry"]["coordinates"]
        rings[0] = [[x, min(y, SOUTH_OF_L3)] for x, y in rings[0]]
    (toytown / "districts.geojson").write_text(json.dumps(districts), "utf-8")
    outside = run_audit(toytown).result("reading")
    assert (outside.count.covered, outside.only_outside_people) == (150, 150)


SOUTH_OF_L3 = 3377005.0


# --- the year before ----------------------------------------------------------------------------------


def test_the_year_before_by_the_same_accounting(town):
    """In 2024 the same venues are open on Saturday: 75 of 275 both years, whatever reach says."""
    result = judged_by(town, "open").result("culture")
    assert (result.value, result.previous) == (75 / EVERYONE, 75 / EVERYONE)
    assert result.previous_notes == ("year_before_roads:2024", "year_before_residents:2024")


def test_without_anything_dated_there_is_no_year_before(toytown):
    table = pd.read_csv(toytown / "facilities.csv", dtype=str).drop(columns=["opened", "closed"])
    table.to_csv(toytown / "facilities.csv", index=False)
    for result in run_audit(toytown).targets:
        assert result.previous is None
        assert result.previous_notes == ("year_before_same:2024",)


def test_the_year_before_has_its_own_residents(toytown):
    table = pd.read_csv(toytown / "residents.csv", dtype=str)
    table["population"] = table["population"].where(table["id"] != "r4", "85")
    table.to_csv(toytown / "before.csv", index=False)
    files = 'file = { 2024 = "before.csv", 2025 = "residents.csv" }'
    edit(toytown / "study.toml", 'file = "residents.csv"', files)
    reading = run_audit(toytown).result("reading")
    assert (reading.value, reading.previous) == (215 / EVERYONE, 215 / (EVERYONE + 55))
    assert reading.previous_notes == ("year_before_roads:2024",)
    none = run_audit(toytown, 2024).result("reading")
    assert (none.previous, none.previous_notes) == (None, ("year_before_no_file:2023",))


def test_the_year_before_has_its_own_accepted_list(town):
    (town / "old.csv").write_text("name,district\nBeta,West Bank\n", "utf-8")
    (town / "new.csv").write_text("name,district\nBeta,West Bank\nCove,East Bank\n", "utf-8")
    files = 'file = "villages.csv"'
    lists = 'accepted = { culture = { 2024 = "old.csv", 2025 = "new.csv" } }'
    edit(town / "study.toml", files, f"{files}\n{lists}")
    result = judged_by(town, "accepted").result("culture")
    assert (result.value, result.previous, result.previous_notes) == (2 / 4, 1 / 4, ())
    edit(town / "study.toml", lists, 'accepted = { culture = "new.csv" }')
    alone = run_audit(town).result("culture")
    assert (alone.previous, alone.previous_notes) == (None, ("year_before_same:2024",))


def test_a_file_of_the_year_before_that_cannot_be_used_is_reported(toytown):
    (toytown / "before.csv").write_text("nothing\n1\n", "utf-8")
    files = 'file = { 2024 = "before.csv", 2025 = "residents.csv" }'
    edit(toytown / "study.toml", 'file = "residents.csv"', files)
    (note,) = run_audit(toytown).result("reading").previous_notes
    assert note.startswith("year_before_unusable:")
    assert note.endswith("before.csv")


# --- venues and what is kept --------------------------------------------------------------------------


def test_the_venue_beside_the_minutes_is_the_one_they_lead_to(toytown):
    """r1: the library at 1,000 m, the second gym G2 at 1,500, which decides; r4: the library at 2,000."""
    findings = run_audit(toytown)
    labels = {"r1": "G2", "r2": "G2", "r3": "G2", "r4": "L1", "r5": "G1"}
    assert findings.nearest["culture"].dropna().to_dict() == labels
    venues, seconds = class_venues(findings, "culture"), class_seconds(findings, "culture")
    assert venues["mandatory"].dropna().unique().tolist() == ["L1"]
    assert venues["public_benefit"].astype(object).dropna().to_dict() == {
        "r1": "G2", "r2": "G2", "r3": "G2", "r4": "G2", "r5": "G1",
    }  # fmt: skip
    assert seconds["public_benefit"][0, 1] == pytest.approx(1500 * 3.6 / 5)
    assert class_venues(findings, "reading")["library"].equals(findings.nearest["reading"])


def test_a_run_reads_back_as_it_was(town, tmp_path):
    edit(town / "standard.toml", "goal = 0.25", 'goal = 0.25\nquality = "open"\naccounting = "straight"')
    findings = run_audit(town, out=tmp_path)
    again = load_findings(tmp_path / "2025")
    assert again.targets == findings.targets
    assert summary(again) == summary(findings)
    for name in ("ranks", "rank_venues", "nearest", "seconds"):
        one, other = getattr(again, name), getattr(findings, name)
        pd.testing.assert_frame_equal(one.astype(object), other.astype(object), check_dtype=False)
    assert venue_lines("") == venue_lines(None) == []
    assert VenueLine("a", 1, "").minutes is None
    assert isinstance(again.result("culture").target, CircleTarget)


# --- the file ------------------------------------------------------------------------------------------


def test_a_run_obeys_the_published_schema(town):
    """Whoever reads the file may check it with the schema; unknown kinds of target do not pass."""
    plain = summary(run_audit(town))
    schema = summary_schema()
    assert set(schema["properties"]) == set(plain)
    jsonschema.validate(plain, schema)
    for broken in broken_runs(plain):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def broken_runs(plain):
    """Yield copies of a run, each with one fault that its schema must find."""
    for change in (
        lambda run: run["targets"][0].update(kind="survey"),
        lambda run: run["targets"][0].update(value="87 %"),
        lambda run: run["targets"][0].pop("status"),
        lambda run: run["targets"][0]["people"].pop("unsnapped"),
        lambda run: run.pop("targets"),
        lambda run: run.update(year="last"),
        lambda run: run.update(inputs="roads.geojson"),
    ):
        broken = copy.deepcopy(plain)
        change(broken)
        yield broken


def test_a_result_of_another_kind_is_no_circle(town):
    findings = run_audit(town)
    assert findings.circle("culture") is findings.result("culture")
    other = dataclasses.replace(
        findings, targets=(PresenceResult(*(getattr(findings.targets[0], name) for name in _BASE)),)
    )
    with pytest.raises(TypeError, match="not a circle"):
        other.circle(findings.targets[0].target.id)


_BASE = ("target", "value", "status", "reason")


def test_villages_at_every_threshold(town):
    """The curve counts the same villages as the table of villages does."""
    findings = run_audit(town)
    for result in findings.targets:
        name = result.target.id
        people, covered = (findings.villages[f"{part}_{name}"] for part in ("people", "covered"))
        lived = people > 0
        for share, villages in result.village_curve:
            assert villages == int((covered[lived] >= share * people[lived]).sum()), (name, share)
        assert [share for share, _ in result.village_curve] == [0.5, 0.8, 0.9, 1.0]
