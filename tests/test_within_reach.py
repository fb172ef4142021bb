"""What is within reach by a capacity target: counted by hand, from the measure to sheets and report."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT, edit
from lifecircle.audit import prepare, run_audit
from lifecircle.errors import UnusableInputError
from lifecircle.findings import equity_lines, load_findings, reach_lines
from lifecircle.measures import Sides, equity, most_served, supply_nearby, theil_parts
from lifecircle.page_data import page_payload, read_payload
from lifecircle.publication import edition_findings
from lifecircle.rectification._gap_facts import read_gaps
from lifecircle.report import run_sheets, scoreboard
from lifecircle.standards import CapacityTarget, Service, Standard, load_standard, reach_of
from lifecircle.study import read_study
from lifecircle.wording import Words
from test_example_kinds import files, there

__all__ = ["files"]  # a fixture that reads the county's registers with pandas alone

COUNTY = ROOT / "data" / "geo" / "haiyan"


# The measures


def test_places_over_the_people_who_reach_them():
    costs = np.array([[60.0, np.inf, np.inf], [60.0, 600.0, np.inf], [np.inf, 601.0, np.inf]])
    found = supply_nearby(costs, [30, 20, 50], [10, 5, 7], limit=600, per=1000)
    assert found.venues["people"].tolist() == [50, 20, 0]  # the limit is inclusive
    assert found.venues["rate"].tolist()[:2] == [200, 250]
    assert np.isnan(found.venues["rate"].iloc[2])  # nobody reaches it: there is no rate, and none is 0
    assert found.score.tolist() == [200, 450, 0]


def test_unknown_places_are_left_out_and_zero_is_zero():
    costs = np.array([[60.0, 60.0, 60.0]])
    found = supply_nearby(costs, [100], [np.nan, 0, 4], limit=60)
    assert np.isnan(found.venues["rate"].iloc[0])
    assert found.venues["rate"].tolist()[1:] == [0, 40]
    assert found.score.tolist() == [40]
    with pytest.raises(UnusableInputError, match="supply"):
        supply_nearby(costs, [100], [-1, 0, 4], limit=60)
    with pytest.raises(UnusableInputError, match="numbers"):
        supply_nearby(costs, [100], ["many", 0, 4], limit=60)


@given(st.integers(0, 10**6))
def test_scores_times_people_are_the_places_that_anybody_reaches(seed):
    random = np.random.default_rng(seed)
    costs = np.where(random.random((7, 4)) < 0.5, random.random((7, 4)) * 900, np.inf)
    people, places = random.integers(0, 40, 7), random.integers(0, 30, 4)
    found = supply_nearby(costs, people, places, limit=600)
    reached = (people[:, None] * (costs <= 600)).sum(axis=0) > 0
    assert found.score @ people / 1000 == pytest.approx(places[reached].sum())


def test_the_most_that_can_be_served_of_very_many_people():
    # Three thousand million people: more than 32 bits hold, so the parts are larger.
    assert most_served([[1.0]], [3e9], [2.5e9], limit=1) == pytest.approx(2.5e9, rel=1e-8)
    assert most_served([[1.0, 1.0], [np.inf, 1.0]], [3, 3], [2, 3], limit=1) == 5
    assert most_served([[2.0]], [3], [3], limit=1) == 0


def test_equity_by_hand():
    values, people = np.array([4.0, 2.0, 0.0, 9.0]), np.array([10.0, 10.0, 20.0, 0.0])
    sides = Sides(
        np.array([0, 0, 1, 2]),
        ["A", "B", "nobody lives here"],
        np.array([1, 0, 0, 1], dtype=np.int8),
        {"old": np.array([0.0, 5.0, 5.0, 7.0])},
    )
    found = equity(values, people, sides, enough=2.0)
    assert (found.mean, found.urban, found.rural) == (1.5, 4.0, pytest.approx(20 / 30))
    assert (found.highest, found.lowest, found.towns.high, found.towns.low) == (3.0, 0.0, "A", "B")
    assert found.groups == {"old": 1.0}  # whom the target does not count is in no group
    assert found.below == 0.5  # 2.0 is enough
    pairs = np.abs(values[:, None] - values) * people[:, None] * people
    assert found.gini == pytest.approx(pairs.sum() / (2 * 40 * 40 * 1.5), abs=1e-15)
    parts = theil_parts(values, np.array(["A", "A", "B", "C"], dtype=object), people)
    assert (found.theil_between, found.theil_within) == pytest.approx(parts, abs=1e-15)
    assert equity(values, np.zeros(4), sides) is None


# The limit


def test_the_limit_is_that_of_the_circle_of_the_same_services_unless_the_target_says_it():
    standard = load_standard("haiyan-2025")
    nursery = standard.target("nursery_places")
    rule = reach_of(standard, nursery)
    circle = standard.target("nursery")
    assert (rule.minutes, rule.profile, rule.circle) == (circle.minutes, circle.profile, "nursery")
    own = reach_of(standard, nursery.model_copy(update={"minutes": 30.0, "profile": "cycle"}))
    assert (own.minutes, own.profile, own.circle) == (30, "cycle", "")


# The toy town: clinics, nurses and who reaches them in 12 minutes along one straight road

CLINICS = """
[[target]]
id = "nurses"
kind = "capacity"
name = { zh = "每千人护士", en = "nurses per 1,000" }
require = { clinic = 1 }
of = "nurses"
goal = 20
due = 2025
minutes = 12
"""
REGISTER = """id,name,service,x,y,nurses
L1,Library,library,501000,3377000,
C1,West clinic,clinic,500000,3377000,{west}
C2,East clinic,clinic,502000,3378000,{east}
"""


@pytest.fixture
def town(toytown):
    """Give the toy town with two nurses in the west and one in the east, each for 50 people by the norm."""
    standard = toytown / "standard.toml"
    standard.write_text(standard.read_text("utf-8") + CLINICS, "utf-8")
    (toytown / "facilities.csv").write_text(REGISTER.format(west=2, east=1), "utf-8")
    return toytown


def nurses(findings):
    return findings.result("nurses")


def test_who_is_served_by_hand(town):
    findings = run_audit(town)
    reach = nurses(findings).reach
    # In the west r1 (100) stands at the clinic and r2 (50) is 6 minutes away; in the east r4 (30) is there.
    # Two nurses are for 100 people: r1 comes first, and r2 finds the clinic full. r3 (40) and r5 (25) reach
    # none in 12 minutes, and r7 (10) has no road near.
    assert (reach.each, reach.minutes, reach.profile, reach.circle) == (50, 12, "walk", "health")
    count = reach.count
    assert (count.served, count.full, count.unreachable, count.unsnapped) == (130, 50, 65, 10)
    assert count.people == 255  # r6 lives in no district and is not counted
    assert (count.missing_full, count.missing_unreachable) == (1.0, 1.3)
    assert (reach.venues, reach.filled, reach.unreached) == (2, 1, 0)
    supply = findings.venue_supply
    assert supply["near_people_nurses"].dropna().tolist() == [150, 30]
    assert supply["near_rate_nurses"].dropna().tolist() == pytest.approx([2000 / 150, 1000 / 30])
    score = findings.home_supply["near_score_nurses"]
    assert score["r2"] == pytest.approx(2000 / 150)
    assert score["r3"] == 0
    assert count.score == pytest.approx(3 * 1000 / 255)
    # Whoever comes first, three nurses serve no more than 130 here.
    assert reach.orders.best == 130


def test_the_verdict_is_that_of_the_plain_ratio(town):
    result = nurses(run_audit(town))
    assert (result.value, result.status) == (pytest.approx(3000 / 255), "missed")
    assert result.missing == 3  # 20 per 1,000 of 255 people are 5.1
    assert [one.count.missing for one in result.reach.districts] == pytest.approx(
        [max(0.0, 0.02 * people - places) for people, places in ((215, 2), (40, 1))]
    )


def test_a_place_for_each_of_a_group_that_the_target_names(town):
    edit(town / "standard.toml", "minutes = 12", 'minutes = 12\nusers = "over60"')
    count = nurses(run_audit(town)).reach
    assert (count.each, count.users, count.count.people) == (1, "over60", 66)
    # 20 of r1 and 10 of r2 ask for two places, 15 of r4 for one.
    assert (count.count.served, count.count.full) == (3, 42)


@pytest.mark.parametrize(
    ("east", "venues", "full", "remark"),
    [("", 1, 50, "places unknown, not counted"), ("0", 2, 80, "no places")],
)
def test_unknown_and_no_places(town, east, venues, full, remark):  # unknown is not zero
    (town / "facilities.csv").write_text(REGISTER.format(west=2, east=east), "utf-8")
    findings = run_audit(town)
    reach = nurses(findings).reach
    assert reach.venues == venues
    assert (reach.count.served, reach.count.full, reach.count.unknown) == (100, full, 80 - full)
    rows = run_sheets(findings, "en")["venue_use"][1]
    assert {row["venue_name"]: row["remarks"] for row in rows} == {
        "West clinic": "full",
        "East clinic": remark,
    }


def test_more_places_than_people_and_a_venue_that_nobody_reaches(town):
    (town / "facilities.csv").write_text(
        REGISTER.format(west=200, east=1).replace("502000,3378000", "503000,3377000"), "utf-8"
    )
    findings = run_audit(town)
    reach = nurses(findings).reach
    assert (reach.count.served, reach.count.full, reach.load) == (150, 0, pytest.approx(3))
    east = next(row for row in run_sheets(findings, "en")["venue_use"][1] if row["venue_id"] == "C2")
    # A kilometre from any road; the plain ratio counts it.
    assert nurses(findings).amount == 201
    assert reach.unreached == 1
    assert east["remarks"] == "nobody reaches it within the limit"


def test_without_a_norm_nobody_is_served_and_without_a_limit_nothing_is_counted(town):
    edit(town / "standard.toml", "goal = 20\ndue = 2025\n", "")
    reach = nurses(run_audit(town)).reach
    assert reach.each is None
    assert reach.orders is None
    assert reach.count.score == pytest.approx(3000 / 255)
    assert nurses(run_audit(town, out=town / "out")) == nurses(load_findings(town / "out" / "2025"))
    lone = CapacityTarget(id="beds", name="beds", require={"ward": 1})
    assert reach_of(Standard(id="s", name="s", service=[Service(id="ward")], target=[lone]), lone) is None


def test_a_run_is_read_back_whole_and_says_it_in_both_languages(town, tmp_path):
    findings = run_audit(town, out=tmp_path)
    again = load_findings(tmp_path / "2025")
    assert nurses(again) == nurses(findings)
    pd.testing.assert_frame_equal(again.home_supply, findings.home_supply, check_names=False)
    pd.testing.assert_frame_equal(again.venue_supply, findings.venue_supply, check_names=False)
    assert set(again.demand.columns) == set(findings.demand.columns)
    summary = json.loads((tmp_path / "2025" / "summary.json").read_text("utf-8"))
    told = next(one for one in summary["targets"] if one["id"] == "nurses")
    assert told["reach"]["count"]["full"] == 50
    assert "130 people (50.9%)" in "; ".join(reach_lines(nurses(again), "en", {}))
    assert "能到但名额已满" in "；".join(reach_lines(nurses(again), "zh", {}))
    assert equity_lines(nurses(again), "zh")[-1].endswith("。") is False
    board = scoreboard(findings)
    mine = board[board["target"] == "nurses per 1,000"].iloc[0]
    assert mine["reach only full venues (people)"] == "50"


def test_a_full_venue_is_a_gap_with_its_cause(town):
    findings = run_audit(town)
    full = findings.gaps[findings.gaps["reason"] == "full"]
    assert full[["id", "people", "nearest"]].to_numpy().tolist() == [["nurses-001", 50.0, "West clinic"]]
    row = next(row for row in run_sheets(findings, "zh")["gaps"][1] if row["id"] == "nurses-001")
    assert (row["gap_reason"], row["district"]) == ("容量满", findings.districts["name"].iloc[0])
    gaps = [gap for gap in read_gaps(findings) if gap.result.target.id == "nurses"]
    assert [gap.cause for gap in gaps] == ["capacity"] * len(gaps)
    assert [gap.people for gap in gaps if gap.reason == "full"] == [50]
    assert any(gap.reason == "" for gap in gaps)  # a district that is short stays on the list


def test_the_public_edition_says_nothing_of_it(town):
    findings = run_audit(town)
    (public,) = edition_findings([findings], edition="public")
    assert nurses(public).reach is None
    assert not any(getattr(one, "equity", None) for one in public.targets)
    assert not len(public.home_supply.columns)
    assert not (public.gaps["target"] == "nurses").any()


# The county


def test_norms_of_one_district_by_hand(files, county_run):
    """Count places and carers of one town from the files alone, and who reaches them within reach at all."""
    findings = load_findings(county_run(2025))
    people = pd.read_parquet(COUNTY / "residents.parquet")
    towns = findings.demand["district"].astype(str)
    assert len(people) == len(towns)
    mine = (towns == "330424103").to_numpy()
    town = gpd.read_file(COUNTY / "towns.geojson").set_index("code").geometry["330424103"]
    inside = findings.facilities.index[findings.facilities.within(town)]
    for name, services, column, group, per in (
        ("nursery_places", {"nursery", "kindergarten_nursery"}, "capacity", "population", 1_000),
        (
            "elder_carers",
            {"elder_care_centre", "elder_care_station", "nursing_home"},
            "carers",
            "age_60",
            10_000,
        ),
    ):
        open_now = there(files, 2025)
        open_now = open_now[open_now["service"].isin(services)]
        here = open_now[open_now.index.isin(inside)]
        amount, heads = here[column].astype(float).sum(), people.loc[mine, group].sum()
        result = findings.result(name)
        value = next(one.value for one in result.districts if one.code == "330424103")
        assert value == pytest.approx(amount / heads * per, rel=1e-12)
        count = next(one.count for one in result.reach.districts if one.code == "330424103")
        assert count.people == heads
        assert count.missing == pytest.approx(max(0.0, result.milestone * heads / per - amount))
        whole = result.reach.count
        parts = whole.served + whole.full + whole.unreachable + whole.unsnapped
        assert parts == pytest.approx(whole.people)
        # Every place is reached by somebody, so that the mean within reach is the plain ratio again.
        assert whole.score == pytest.approx(result.value, rel=1e-12)
        assert result.reach.orders.least <= result.reach.orders.nearest <= result.reach.orders.best


def test_a_profile_of_its_own_is_read(town):
    edit(town / "standard.toml", "minutes = 12", 'minutes = 12\nprofile = "cycle"')
    assert "cycle" in prepare(read_study(town), 2025).networks
    assert nurses(run_audit(town)).reach.profile == "cycle"


# The map page


def test_the_page_says_who_finds_a_place_and_how_full_venues_are(town):
    findings = run_audit(town)
    payload = read_payload(page_payload([findings], Words("en")))
    (told,) = (one["supply"] for one in payload.page["years"][0]["targets"] if one["id"] == "nurses")
    served, score = (payload.columns[told[name]].tolist() for name in ("served", "score"))
    # r1 and r4 find a place, r2 only a full venue, r3 and r5 none; r6 is not counted, r7 has no road near.
    assert served == [10, 3, 4, 10, 4, 6, 5]
    # 13.3 per 1,000 are below the norm of 20, 33.3 are not.
    assert score == [2, 2, 4, 10, 4, 6, 5]
    venues = payload.page["lists"][told["venues"]]
    assert [row[2:] for row in venues] == [["West clinic", 2.0, 2.0], ["East clinic", 1.0, 0.6]]
    assert "Gini" in "; ".join(told["lines"])
    (public,) = edition_findings([findings], edition="public")
    shown = read_payload(page_payload([public], Words("en"))).page["years"][0]["targets"]
    assert {one["supply"] for one in shown} == {None}
