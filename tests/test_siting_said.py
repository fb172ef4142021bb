"""What is said of a plan: each aim by its own quantity, by trying every exchange; accounting and profile.

Places and metres are in ``test_audit`` and ``test_siting_study``.
"""

import itertools
import json
import re

import numpy as np
import openpyxl
import pandas as pd
import pytest

from conftest import ROOT, TOYTOWN, edit, in_whole_campaign
from lifecircle.audit import prepare, run, run_audit
from lifecircle.cli import cli
from lifecircle.errors import UnusableInputError
from lifecircle.scenario import apply_changes, run_scenario, saved_seconds
from lifecircle.siting_study import OBJECTIVES, plan_facts, site_study, study_lines, why_line, write_study
from lifecircle.siting_study import _rivals as rivals
from lifecircle.siting_study._siting_steps import final_turn, people_for, plan_changes
from lifecircle.standards import verdict
from lifecircle.study import UnitCost, read_study
from test_siting_study import PLACES, candidates, study

EXAMPLE = ROOT / "data" / "geo" / "haiyan"
MORE = {"A": (2000, 1000), "B": (4000, 300), "C": (0, 0), "D": (2000, 900), "F": (1000, 500), "H": (500, 0)}
AIMS = ("max_cover", "p_center", "p_median", "max_min_cover", "full_cover")


def built(done, sites):
    """Audit a study with other sites than its plan's."""
    changes = plan_changes(done.candidates.table, sites, done.target)
    return run(apply_changes(done.inputs, changes), previous={})


def own_figure(done, sites):
    """Count a plan's own quantity, and the people covered, by an audit of other sites."""
    after = built(done, sites)
    target = done.target.id
    people, seconds = (getattr(after, name)[target].to_numpy(dtype=float) for name in ("people", "seconds"))
    covered = (after.status[target] == "covered").to_numpy(dtype=bool)
    today = np.isfinite(done.scenario.before.seconds[target].to_numpy(dtype=float)) & (people > 0)
    figures = {
        "max_cover": -people[covered].sum(),
        "p_center": seconds[today].max(),
        "p_median": people[today] @ seconds[today],
        "max_min_cover": -min(one.count.covered / one.count.people for one in after.result(target).districts),
    }
    if done.objective == "full_cover":
        every = [str(label) for label in done.conditions.labels[done.conditions.free]]
        could = (built(done, every).status[target] == "covered").to_numpy(dtype=bool)
        figures["full_cover"] = people[could & ~covered].sum()
    return figures[done.objective], people[covered].sum()


@pytest.mark.parametrize(
    ("number", "aim"),
    [(number, aim) for number in (1, 2) for aim in AIMS if (number, aim) != (2, "full_cover")],
)
def test_every_exchange_is_what_an_audit_of_it_says(tmp_path, aim, number):
    new = None if aim == "full_cover" else number
    done = study(TOYTOWN, "reading", new=new, objective=aim, candidates=candidates(tmp_path, MORE))
    value, covered = own_figure(done, done.plan.sites)
    table = done.explanation.candidates
    others = [str(label) for label in table.index[~table["chosen"] & (table["left_out"] == "")]]
    assert others
    for other in others:
        tried = {}
        for site in done.plan.sites:
            sites = [one for one in done.plan.sites if one != site] + [other]
            figure, people = own_figure(done, sites)
            tried[site] = (round(figure - value, 6), round(covered - people, 6))
        row = table.loc[other]
        assert (row["swap_loss"], row["swap_people"]) == pytest.approx(min(tried.values()), abs=1e-6)
        assert tried[row["swap_for"]] == pytest.approx(min(tried.values()), abs=1e-6)
    for facts in done.explanation.sites:
        rest = [one for one in done.plan.sites if one != facts.id]
        losses = {}
        for other in others:
            figure, people = own_figure(done, [*rest, other])
            losses[other] = (round(figure - value, 6), round(covered - people, 6))
        assert losses[facts.swap] == pytest.approx(min(losses.values()), abs=1e-6)
        assert (facts.swap_loss, facts.swap_people) == pytest.approx(min(losses.values()), abs=1e-6)
        assert min(losses.values())[0] >= -1e-6  # the plan is proved


@pytest.mark.parametrize("aim", AIMS)
def test_no_sentence_speaks_of_another_aim(tmp_path, aim):
    """People newly covered decide nothing under other aims; the sentence says the aim's own quantity."""
    new = None if aim == "full_cover" else 1
    done = study(TOYTOWN, "reading", new=new, objective=aim, candidates=candidates(tmp_path, MORE))
    own = {
        "max_cover": "people are covered",
        "p_center": "the farthest resident travels",
        "p_median": "all residents together travel",
        "max_min_cover": "the district covered worst is",
        "full_cover": "whom the candidates can reach",
    }
    table = done.explanation.candidates
    for label in table.index[~table["chosen"] & (table["left_out"] == "")]:
        said = why_line(done, str(label), "en")
        assert own[aim] in said, said
        assert not [text for name, text in own.items() if name not in {aim, "max_cover"} and text in said]
        assert "fewer than those chosen bring" not in said
        assert re.search("[一-鿿]", why_line(done, str(label), "zh"))
    for language in ("zh", "en"):
        lines = study_lines(done, language)
        assert not [line for line in lines if re.search(r"\{\d|effect_|aim_|nan", line)]


def test_why_not_by_hand(tmp_path):
    """Everybody with a path walks 1000, 500, 1250, 2000 and 280 m; r4 walks 0 with A, r1 with C."""
    places = {name: PLACES[name] for name in ("A", "C")}
    done = study(TOYTOWN, "reading", new=1, objective="p_median", candidates=candidates(tmp_path, places))
    # C saves 100 people 1000 m, A 30 people 2000 m: 40 000 person-metres, 480 person-minutes, 245 people
    assert done.plan.sites == ("C",)
    assert "travel 480 person-minutes longer (2.0 minutes each)" in why_line(done, "A", "en")
    assert "合计多走 480 人·分钟" in why_line(done, "A", "zh")
    done = study(TOYTOWN, "reading", new=1, objective="p_center", candidates=candidates(tmp_path, places))
    # 2000 m are 24 minutes; with A the farthest is r3 with 1250 m, 15 minutes
    assert done.plan.sites == ("A",)
    assert "the farthest resident travels 9.0 minutes longer (24.0 minutes)" in why_line(done, "C", "en")
    assert (done.explanation.aim.before, done.explanation.aim.after) == pytest.approx((1440, 900))
    lines = study_lines(done, "en")
    assert "the farthest resident travels 24.0 minutes today and 15.0 minutes with the plan" in lines[1]
    assert "newly covers the most people, 30 (proved)" in lines[1]


def test_a_worst_case_that_nothing_mends_still_takes_the_plan_that_covers_most(tmp_path):
    """The worst district stays at nothing (r6 is beyond the border); the plan is not any one for that."""
    places = {"C": PLACES["C"], "A": PLACES["A"]}
    done = study(
        TOYTOWN, "reading", new=1, objective="max_min_cover", candidates=candidates(tmp_path, places)
    )
    assert (done.plan.value, done.plan.sites) == (0.0, ("A",))
    assert (done.plan.second.objective, done.plan.second.value, done.plan.second.status) == (
        "max_cover", 245.0, "optimal",
    )  # fmt: skip
    facts = plan_facts(done)
    assert facts["second"] == {"objective": "max_cover", "status": "optimal", "value": 245.0, "bound": 245.0}
    assert facts["aim"]["unit"] == "share"


def test_conditions_that_bar_an_exchange_are_named(toytown, tmp_path):
    listed = candidates(tmp_path, MORE, cost=[10, 10, 90, 10, 10, 10], required=[1, 0, 0, 0, 0, 0])
    done = study(toytown, "reading", new=1, candidates=listed)
    assert done.explanation.candidates.loc["B", "reason"] == "barred"
    assert "can take no chosen site's place" in why_line(done, "B", "en")
    listed = candidates(tmp_path, PLACES, cost=[10, 10, 90, 10, 10])
    done = study(toytown, "reading", new=1, objective="p_median", candidates=listed, budget=50.0)
    assert "C" not in done.plan.sites  # it is best, and too dear
    assert study(toytown, "reading", new=1, objective="p_median", candidates=listed).plan.sites == ("C",)
    assert done.explanation.candidates.loc["C", "reason"] == "barred"


def test_what_an_exchange_costs_where_candidates_count_together(tmp_path, monkeypatch):
    listed = candidates(tmp_path, {"C": (0, 0), "Y": (1000, 1000), "Z": (1000, 1200), "A": (2000, 1000)})
    done = study(TOYTOWN, "culture", new=2, candidates=listed, services=("gym",))
    assert done.explanation.candidates["swap_loss"].notna().any()
    monkeypatch.setattr(rivals, "_MOST_SWAPS", 0)
    done = study(TOYTOWN, "culture", new=2, candidates=listed, services=("gym",))
    assert done.explanation.candidates["swap_loss"].isna().all()  # too many to try: not given
    assert "barred" not in set(done.explanation.candidates["reason"])


# --- saved time -----------------------------------------------------------------------------------------


def test_saved_time_by_hand():
    before = np.array([600.0, 600.0, np.nan, 600.0, np.nan, 60.0])
    after = np.array([300.0, 900.0, 300.0, np.nan, np.nan, 60.0 - 1e-6])
    assert saved_seconds(before, after).tolist() == [300.0, -300.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("aim", ["max_cover", "p_median"])
def test_a_plan_and_its_scenario_save_the_same_minutes(tmp_path, aim):
    listed = candidates(tmp_path, MORE)
    done = study(TOYTOWN, "reading", new=2, objective=aim, candidates=listed)
    write_study(done, tmp_path / "plan")
    scenario = run_scenario(TOYTOWN, tmp_path / "plan" / "plan.json").target("reading")
    saved = sum(one.saved_min for one in done.explanation.sites)
    assert saved == pytest.approx(scenario.saved_min)
    assert saved == pytest.approx(done.scenario.target("reading").saved_min)
    assert saved > 0


# --- the accounting of the target -------------------------------------------------------------------------


def with_hours(town):
    """Close the library on Saturday evening, and open another beyond r6 round the clock."""
    edit(town / "standard.toml", "goal = 0.9", 'goal = 0.9\nopen_at = "Sat 19:00"\naccounting = "open"')
    rows = (town / "facilities.csv").read_text("utf-8").splitlines()
    rows = [row + (",hours" if at == 0 else ",Mo-Fr 09:00-17:00") for at, row in enumerate(rows)]
    rows.append("L2,Late library,library,504000,3377400,2010,,24/7")
    (town / "facilities.csv").write_text("\n".join(rows) + "\n", "utf-8")


def test_by_open_hours_only_open_venues_count(toytown, tmp_path):
    with_hours(toytown)
    listed = candidates(tmp_path, MORE)
    done = site_study(toytown, "reading", new=1, candidates=listed)
    open_now = run_audit(toytown).result("reading").accountings["open"].people
    assert done.covered == open_now == 20  # r6 alone is near the late library
    best = 0.0
    for name in MORE:
        best = max(best, built(done, [name]).result("reading").accountings["open"].people)
    assert done.plan.value == best > open_now
    assert any("supposed to be open at Sat 19:00" in line for line in study_lines(done, "en"))
    assert {one.ranking for one in done.remedies} == {("open", "once"), ("open", "year")}
    write_study(done, tmp_path / "plan")
    again = run_scenario(toytown, tmp_path / "plan" / "plan.json").target("reading")
    assert again.covered_after == done.plan.value
    # asked by reach, the closed library counts again
    assert study(toytown, "reading", new=1, candidates=listed, accounting="reach").covered == 235


@in_whole_campaign
def test_by_metres_along_the_roads(toytown, tmp_path):
    target = 'straight = { urban_m = 1500, rural_m = 1500 }\naccounting = "network_distance"'
    edit(toytown / "standard.toml", "goal = 0.9", f"goal = 0.9\n{target}")
    listed = candidates(tmp_path, MORE)
    for aim, new in (("max_cover", 1), ("max_cover", 2), ("max_min_cover", 1), ("p_center", 1)):
        done = study(toytown, "reading", new=new, objective=aim, candidates=listed)
        audited = run_audit(toytown).result("reading").accountings["network_distance"].people
        assert done.covered == audited
        best = max(
            built(done, sites).result("reading").count.covered for sites in itertools.combinations(MORE, new)
        )
        if aim == "max_cover":
            assert done.plan.value == best
    assert done.explanation.sites[0].band == (None, 30.0, None)  # no speed decides
    text = "\n".join(study_lines(done, "en"))
    assert "2,000.0 m today and 1,250.0 m with the plan" in text
    assert "At slow speed" not in text


@pytest.mark.parametrize("accounting", ["accepted", "straight"])
def test_an_accounting_of_villages_is_refused(toytown, tmp_path, accounting):
    target = f'straight = {{ urban_m = 1000, rural_m = 1500 }}\naccounting = "{accounting}"'
    edit(toytown / "standard.toml", "goal = 0.9", f"goal = 0.9\n{target}")
    listed = candidates(tmp_path, MORE)
    with pytest.raises(UnusableInputError, match=f"'{accounting}' counts villages.*--accounting reach"):
        study(toytown, "reading", new=1, candidates=listed)
    assert study(toytown, "reading", new=1, candidates=listed, accounting="reach").plan.value == 245


def test_hours_that_nobody_knows_are_said_to_be_missing(tmp_path):
    with pytest.raises(UnusableInputError, match="opening hours"):
        study(TOYTOWN, "reading", new=1, accounting="open", candidates=candidates(tmp_path, MORE))


def test_the_help_names_every_objective():
    option = next(one for one in cli.commands["site"].params if one.name == "objective")
    assert re.findall(r"\b(?:max|full|p|min)_\w+", option.help) == list(OBJECTIVES)


def test_wrong_options_are_reported_together():
    with pytest.raises(UnusableInputError) as caught:
        study(TOYTOWN, "reading", new=0, objective="max_cove", profile="walk_agd", accounting="straight")
    said = str(caught.value)
    assert len(caught.value.faults) == 4
    assert "did you mean 'walk_aged'" in said
    assert "did you mean 'max_cover'" in said


# --- another profile --------------------------------------------------------------------------------------


def test_at_the_speed_of_the_aged_by_hand(tmp_path):
    """At 3.24 km/h 15 minutes are 810 m: r2 and r5 are covered today, r1 by C and r4 by A."""
    listed = candidates(tmp_path, PLACES)
    done = study(TOYTOWN, "reading", new=1, profile="walk_aged", candidates=listed)
    assert (done.covered, done.plan.value, done.plan.sites) == (75, 175, ("C",))
    assert done.id == "reading-1-walk_aged"
    assert done.scenario.after.result("reading").count.covered == 175
    assert "walking of the aged 3.24 km/h" in "\n".join(study_lines(done, "en"))
    facts = plan_facts(done)
    assert (facts["profile"], facts["own"]) == ("walk_aged", {"profile": "walk", "accounting": "reach"})


@in_whole_campaign
def test_elder_care_at_the_speed_of_the_aged():
    done = study(EXAMPLE, "elder_care", new=2, profile="walk_aged")
    usual = study(EXAMPLE, "elder_care", new=2)
    at = done.conditions.labels.get_indexer(list(usual.plan.sites))
    assert (round(done.plan.value - done.covered), round(done.question.gain(at))) == (706, 329)
    aged = read_study(EXAMPLE)
    plain = run(prepare(aged)).result("elder_care").variants["aged_over60"]
    assert done.covered / done.people == pytest.approx(plain)


# --- the goal ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("goal", [0.07, 0.29, 0.57, 0.58, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("total", [10.0, 100.0, 275.0, 1000.0, 110_007.0])
def test_the_goal_is_reached_where_the_verdict_says_so(goal, total):
    target = read_study(TOYTOWN).standard.target("reading")
    target = target.model_copy(update={"goal": goal, "due": None})
    turn = final_turn(target)
    least = people_for(turn, total)
    assert verdict(target, 2025, least / total) == "met"
    assert verdict(target, 2025, np.nextafter(least, -np.inf) / total) == "missed"
    assert abs(least - goal * total) <= 1e-9 * total


def test_a_goal_that_is_met_exactly_is_met(toytown, tmp_path):
    """245 of 275 people are 0.8909090909090909: written as a goal, one site reaches it."""
    edit(toytown / "standard.toml", "goal = 0.9", f"goal = {245 / 275!r}")
    done = study(toytown, "reading", new=1, candidates=candidates(tmp_path, PLACES))
    assert (done.enough, done.enough_possible) == (1, 1)
    assert done.scenario.after.result("reading").status in {"met", "on_track"}


# --- what is not known ------------------------------------------------------------------------------------


def test_an_unknown_class_is_unknown_and_not_nobody(toytown, tmp_path):
    for flag in ("true", "false"):
        edit(toytown / "districts.geojson", f'"urban": {flag}', '"urban": null')
    done = study(toytown, "reading", new=1, candidates=candidates(tmp_path, PLACES))
    (facts,) = done.explanation.sites
    assert (facts.groups["rural"], facts.groups["class_unknown"]) == (None, 30)
    assert plan_facts(done)["sites"][0]["groups"]["rural"] is None
    assert "rural residents unknown" in "\n".join(study_lines(done, "en"))
    write_study(done, tmp_path / "plan")
    rows = sheet(tmp_path / "plan" / "plan.xlsx", 0)
    assert rows[0]["of them rural"] is None
    assert rows[-1]["of them rural"] is None
    assert rows[0]["of them urban or rural unknown"] == 30


# --- the workbook -----------------------------------------------------------------------------------------


def sheet(path, number):
    """Read a sheet below its headings as dicts."""
    rows = list(openpyxl.load_workbook(path).worksheets[number].iter_rows(min_row=3, values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.parametrize("aim", AIMS)
def test_every_sheet_has_numbers_as_numbers_and_places_with_degrees(tmp_path, aim):
    new = None if aim == "full_cover" else 2
    done = study(TOYTOWN, "reading", new=new, objective=aim, candidates=candidates(tmp_path, MORE))
    write_study(done, tmp_path / "plan")
    plan, _, curve, _, listed = (sheet(tmp_path / "plan" / "plan.xlsx", at) for at in range(5))
    for row in (*plan[:-1], *listed):
        assert (row["longitude"], row["latitude"]) == pytest.approx((120.0, 30.5), abs=0.1)
    for row in (*plan, *listed, *curve):
        for head, cell in row.items():
            assert not (isinstance(cell, str) and re.fullmatch(r"[-+]?[\d,]+(\.\d+)?", cell)), (head, cell)
    assert plan[0]["no."] == 1
    assert [row["new sites"] for row in curve] == list(range(len(curve)))
    json.dumps(plan_facts(done), allow_nan=False)


def test_text_stays_text(tmp_path):
    names = ["=1+1", "https://example.org/", "+49", "0012", "{=A1}", "@x"]
    listed = candidates(tmp_path, MORE)
    frame = pd.read_csv(listed).assign(name=names, tenure="=HYPERLINK(1)", land_use="-5")
    frame.to_csv(listed, index=False)
    done = study(TOYTOWN, "reading", new=2, candidates=listed)
    write_study(done, tmp_path / "plan")
    book = openpyxl.load_workbook(tmp_path / "plan" / "plan.xlsx")
    for page in book.worksheets:
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (page.title, cell.coordinate, cell.value)
                assert cell.hyperlink is None
    assert {row["name"] for row in sheet(tmp_path / "plan" / "plan.xlsx", 4)} == set(names)


# --- remedies ---------------------------------------------------------------------------------------------


def test_how_a_cost_is_paid_is_said_and_can_be_given(toytown):
    assert UnitCost(cost=1).paid is None
    with (toytown / "study.toml").open("a", encoding="utf-8") as file:
        file.write('[siting.costs]\nnew_building = { cost = 7, paid = "year", source = "rent" }\n')
    done = site_study(toytown, "reading", new=1)
    assert {one.ranking for one in done.remedies} == {("reach", "year")}
    text = "\n".join(study_lines(done, "en"))
    assert "paid every year" in text
    assert "7.0 a year (10,000 yuan)" in text
    assert "people per 10,000 yuan a year" in text
