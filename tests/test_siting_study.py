"""Siting studies on the toy town, counted by hand, and on the county, held against the audit.

Places and metres are in ``test_audit``. Within 1,250 m of the library are r1, r2, r3, r5; r4 (30 people)
and r6 (20) lack one, r7 (10) has no road. For culture r1 (100) lacks one public-benefit venue, r3 (40)
two, r4 (30) the library and one, r6 everything.
"""

import itertools
import json
import sys

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from conftest import ROOT, TOYTOWN, edit, in_whole_campaign
from lifecircle.audit import prepare, run, run_audit
from lifecircle.errors import ProofError, UnusableInputError
from lifecircle.scenario import Change, apply_changes, compare_inputs, read_changes, run_scenario
from lifecircle.siting_study import _siting_steps as pipeline
from lifecircle.siting_study import (
    goal_lines,
    head_lines,
    plan_facts,
    plan_layer,
    reason_lines,
    short_notes,
    site_study,
    site_table,
    study_lines,
    why_line,
    write_study,
)
from lifecircle.study import read_study

DEGREES = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)
EXAMPLE = ROOT / "data" / "geo" / "haiyan"


def degrees(x, y):
    return DEGREES.transform(500000 + x, 3377000 + y)


def candidates(folder, places, **columns):
    """Write a list of candidates: id -> (x, y) in metres from the toy town's corner."""
    table = pd.DataFrame({"id": list(places), "name": [f"Site {name}" for name in places], **columns})
    table[["lon", "lat"]] = [degrees(*place) for place in places.values()]
    path = folder / "candidates.csv"
    table.to_csv(path, index=False)
    return path


CURVE = [[0, 215.0], [1, 245.0], [2, 265.0]]
PLACES = {"A": (2000, 1000), "B": (4000, 300), "C": (0, 0), "D": (2000, 900), "E": (3000, 0)}


@pytest.fixture
def listed(tmp_path):
    return candidates(tmp_path, PLACES)


def study(*args, **options):
    return site_study(*args, **{"remedies": False, **options})


# --- most people ----------------------------------------------------------------------------------------


def test_one_new_library_counted_by_hand(listed):
    done = study(TOYTOWN, "reading", new=1, candidates=listed)
    assert done.plan.sites == ("A",)  # r4; D does it as well and comes later
    assert (done.plan.value, done.plan.bound, done.plan.status) == (245, 245, "optimal")
    assert done.scenario.target("reading").covered_after == 245
    assert [(point.sites, point.people) for point in done.curve] == [(0, 215), (1, 245), (2, 265)]
    assert done.enough == 2  # 0.9 of 275 are 247.5
    assert done.attainable == 265
    (facts,) = done.explanation.sites
    assert (facts.people, facts.sole, facts.shared) == (30, 30, 0)
    assert facts.groups == {"under3": 0, "over60": 15, "rural": 30}
    assert facts.districts == {"02": 30}
    assert facts.saved_min == pytest.approx(30 * 2000 / (5 / 3.6) / 60)
    assert (facts.swap, facts.swap_loss) == ("D", 0)
    assert [(tie.site, tie.instead, tie.loss) for tie in done.explanation.ties] == [("A", "D", 0)]


def test_the_printed_table_has_a_row_a_site(listed):
    done = study(TOYTOWN, "reading", new=2, candidates=listed)
    table = site_table(done, "en")
    assert table.headings == ("no.", "site", "town", "newly covered", "next best")  # no cost is known
    assert [table.headings[at] for at in sorted(table.figures)] == ["no.", "newly covered"]
    assert table.rows == (
        ("1", "Site A", "East Bank", "30", "Site D: as many people are covered"),
        ("2", "Site B", "(outside)", "20", "Site C: 20 fewer people are covered"),
    )
    head = head_lines(done, "en")[0]
    assert "from 78.1 % to 96.3 %" in head
    assert head.endswith("Audited again with the sites built: 265 people covered, the plan's own figure.")
    assert [*head_lines(done, "en"), *goal_lines(done, "en"), *reason_lines(done, "en")] == study_lines(
        done, "en"
    )[: -len(done.notes)]
    assert short_notes(done, "en") == []


def test_a_cost_has_a_column_where_one_is_known(tmp_path):
    done = study(TOYTOWN, "reading", new=1, candidates=candidates(tmp_path, PLACES, cost=[12.5] * 5))
    assert site_table(done, "en").rows[0][4] == "12.5"


def test_why_each_candidate_is_not_in_the_plan(listed):
    done = study(TOYTOWN, "reading", new=1, candidates=listed)
    table = done.explanation.candidates
    assert table["reason"].to_dict() == {
        "A": "chosen",
        "B": "adds_less",
        "C": "reaches_nobody",
        "D": "plan_has_all",
        "E": "left_out",
    }
    assert table.loc["E", "left_out"] == "no_road"
    assert table.loc["B", ["reach_people", "rank", "plan_has", "adds", "swap_loss"]].tolist() == [
        20,
        3,
        0,
        20,
        10,
    ]
    assert table.loc["D", ["reach_people", "plan_has", "adds"]].tolist() == [30, 30, 0]
    assert "by itself 20 people, rank 3" in why_line(done, "B", "en")
    assert "附近没有道路" in why_line(done, "E", "zh")
    assert "is in the plan" in why_line(done, "A", "en")
    with pytest.raises(UnusableInputError, match="no such candidate"):
        why_line(done, "Z", "en")


def test_people_are_counted_once_and_shared_catchments_are_named(listed):
    done = study(
        TOYTOWN, "reading", new=2, candidates=candidates(listed.parent, {"A": PLACES["A"], "D": PLACES["D"]})
    )
    one, other = done.explanation.sites
    assert one.people + other.people == 30
    assert (one.sole, other.sole) == (0, 0)
    assert (one.shared, other.shared) == (30, 30)


@pytest.mark.parametrize(
    ("services", "new", "sites", "people"),
    [
        (None, 1, {"C"}, 100),  # a building that fills the rule: r1; r4 and r3 have fewer people
        (None, 2, {"C", "Y"}, 140),
        (("gym",), 1, {"C"}, 100),
        (("gym",), 2, {"C"}, 100),  # the second alone brings nobody: r3 needs two
        (("gym",), 3, {"C", "Y", "Z"}, 140),
        (("library",), 1, set(), 0),  # nobody lacks a library alone
    ],
)
def test_a_rule_of_several_venues(tmp_path, services, new, sites, people):
    listed = candidates(tmp_path, {"C": (0, 0), "Y": (1000, 1000), "Z": (1000, 1200), "A": (2000, 1000)})
    if not people:
        with pytest.raises(UnusableInputError, match="no candidate covers anybody"):
            study(TOYTOWN, "culture", new=new, candidates=listed, services=services)
        return
    done = study(TOYTOWN, "culture", new=new, candidates=listed, services=services)
    assert sites <= set(done.plan.sites)
    assert done.plan.value == 75 + people
    assert done.scenario.target("culture").covered_after == 75 + people


def test_candidates_of_one_venue_each(tmp_path):
    places = {"L": (2000, 1000), "G": (2000, 900), "H": (0, 0)}
    listed = candidates(tmp_path, places, services=["library", "gym", "gym"])
    done = study(TOYTOWN, "culture", new=2, candidates=listed)
    assert done.plan.value == 75 + 100  # r1 by H; r4 would take both L and G
    three = study(TOYTOWN, "culture", new=3, candidates=listed)
    assert three.plan.value == 75 + 100 + 30


def test_a_candidate_that_fills_the_rule_in_part_is_left_out_beside_whole_ones(tmp_path):
    listed = candidates(tmp_path, {"A": (2000, 1000), "H": (0, 0)}, services=["", "gym"])
    done = study(TOYTOWN, "culture", new=1, candidates=listed)
    assert done.plan.sites == ("A",)
    assert done.explanation.candidates.loc["H", ["left_out", "reach_people"]].tolist() == ["partial", 100]
    assert "left_out:1|partial" in done.notes


@pytest.mark.parametrize("services", [("gym",), ("library", "gym", "sports_park")])
def test_the_best_of_all_sets_by_the_audit_itself(tmp_path, services):
    """Brute force: every pair of candidates as a scenario, audited in full."""
    places = {"C": (0, 0), "Y": (1000, 1000), "Z": (1000, 1200), "A": (2000, 1000), "B": (4000, 300)}
    listed = candidates(tmp_path, places)
    inputs = prepare(read_study(TOYTOWN))
    best = 0.0
    for pair in itertools.combinations(places, 2):
        changes = [
            Change("open", id=name, services=services, name=name, shape=shapely.Point(degrees(*places[name])))
            for name in pair
        ]
        audited = run(apply_changes(inputs, changes), previous={})
        best = max(best, audited.result("culture").count.covered)
    assert study(TOYTOWN, "culture", new=2, candidates=listed, services=services).plan.value == best


# --- other aims and conditions --------------------------------------------------------------------------


def test_other_objectives_are_proved_too(listed):
    fewest = study(TOYTOWN, "reading", new=None, objective="full_cover", candidates=listed)
    assert set(fewest.plan.sites) in ({"A", "B"}, {"B", "D"})
    assert fewest.plan.value == 2
    assert {one.swap for one in fewest.explanation.sites} <= {"A", "D", "C"}  # counted in people left out
    assert {"never:10", "unsnapped:10"} <= set(fewest.notes)
    median = study(TOYTOWN, "reading", new=1, objective="p_median", candidates=listed)
    metres = {"r1": 1000, "r2": 500, "r3": 1250, "r5": 280}
    people = {"r1": 100, "r2": 50, "r3": 40, "r5": 25}
    alone = {
        "A": sum(people[name] * metres[name] for name in people),  # r4 at the door; r6 has no path today
        "C": 50 * 500 + 40 * 1250 + 25 * 280 + 30 * 2000,  # r1 at the door
    }
    assert median.plan.sites == ("C",)
    assert median.plan.value == pytest.approx(alone["C"] / (5 / 3.6))
    assert alone["C"] < alone["A"]
    fair = study(TOYTOWN, "reading", new=1, objective="max_min_cover", candidates=listed)
    assert fair.plan.value == 0.0  # (outside) stays at nothing unless B is built, East at nothing without A
    far = study(
        TOYTOWN,
        "reading",
        new=1,
        objective="p_center",
        candidates=candidates(listed.parent, {"A": PLACES["A"]}),
    )
    assert far.plan.value == pytest.approx(1250 / (5 / 3.6))


def test_a_budget_and_required_and_forbidden_sites(tmp_path):
    costs = {"cost": [300, 50, 10, 80, 10]}
    listed = candidates(tmp_path, PLACES, **costs)
    cheap = study(TOYTOWN, "reading", new=1, candidates=listed, budget=100.0)
    assert cheap.plan.sites == ("D",)
    listed = candidates(tmp_path, PLACES, **costs, required=[0, 1, 0, 0, 0], forbidden=[1, 0, 0, 0, 0])
    done = study(TOYTOWN, "reading", new=2, candidates=listed)
    assert set(done.plan.sites) == {"B", "D"}
    assert done.explanation.candidates.loc["A", "left_out"] == "forbidden"
    row = next(one for one in plan_facts(done)["sites"] if one["id"] == "D")
    assert row["yuan_per_person"] == pytest.approx(80 * 10_000 / 30)
    with pytest.raises(UnusableInputError, match="budget"):
        study(TOYTOWN, "reading", new=1, candidates=listed, budget=5.0)


def test_excluded_land(toytown, tmp_path):
    box = shapely.box(*degrees(1900, 950), *degrees(2100, 1050))
    gpd.GeoDataFrame(geometry=[box], crs="EPSG:4326").to_file(toytown / "farm.geojson", driver="GeoJSON")
    inside = shapely.box(*degrees(1900, 850), *degrees(2100, 950))
    gpd.GeoDataFrame(geometry=[inside], crs="EPSG:4326").to_file(toytown / "town.geojson", driver="GeoJSON")
    with (toytown / "study.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[siting.exclude]\n"永久基本农田" = "farm.geojson"\n'
            '"城镇开发边界外" = { file = "town.geojson", outside = true, effect = "tell" }\n'
        )
    listed = candidates(tmp_path, PLACES)
    done = study(toytown, "reading", new=1, candidates=listed)
    assert done.plan.sites == ("D",)
    assert done.explanation.candidates.loc["A", "left_out"] == "永久基本农田"
    assert done.candidates.land.loc["D"].tolist() == [False, False]
    assert done.candidates.land.loc["C"].tolist() == [False, True]
    assert [record.role for record in done.candidates.records] == [
        "candidates",
        "land 永久基本农田",
        "land 城镇开发边界外",
    ]
    listed = candidates(tmp_path, PLACES, required=[1, 0, 0, 0, 0])
    with pytest.raises(UnusableInputError, match="required, yet it lies on excluded land: 永久基本农田"):
        study(toytown, "reading", new=1, candidates=listed)


def test_candidates_are_found_near_the_gaps(toytown):
    done = study(toytown, "reading", new=1)
    places = done.candidates.table.geometry.to_crs("EPSG:4549")
    found = {(round(place.x - 500000), round(place.y - 3377000)) for place in places}
    # within 500 m of r4 (2000, 1000), r6 (4000, 200) or r7 (3000, 0): four junctions, none nearer than 250 m
    assert found == {(2000, 1000), (4000, 0), (4000, 500)}
    assert done.candidates.generated
    edit(toytown / "study.toml", "[standard]", "[siting]\nspacing_m = 501\n\n[standard]")
    assert len(study(toytown, "reading", new=1).candidates.table) == 2


def test_sites_keep_apart(toytown, tmp_path):
    edit(toytown / "study.toml", "[standard]", "[siting]\nseparation_m = 200\n\n[standard]")
    listed = candidates(tmp_path, {"Y": (1000, 1000), "Z": (1000, 1100), "X": (1000, 800)})
    done = study(toytown, "culture", new=2, candidates=listed, services=("gym",))
    assert set(done.plan.sites) == {"X", "Y"} or set(done.plan.sites) == {"X", "Z"}


def test_questions_that_cannot_be_asked(listed):
    for options, told in (
        ({"target": "readin", "new": 1}, "did you mean 'reading'?"),
        ({"target": "reading", "new": 0}, "how many new sites is not said"),
        ({"target": "reading", "new": None}, "how many new sites is not said"),
        ({"target": "reading", "new": 1, "objective": "max_covr"}, "did you mean 'max_cover'?"),
        ({"target": "reading", "new": 1, "objective": "full_cover"}, "full_cover finds the number"),
        ({"target": "reading", "new": 9}, "4"),
        ({"target": "reading", "new": 1, "services": ("libary",)}, "did you mean 'library'?"),
        ({"target": "reading", "new": 1, "services": ("gym",)}, "none of its services counts"),
        ({"target": "reading", "new": 1, "budget": 5.0}, "a budget needs the cost of every candidate"),
        (
            {"target": "culture", "new": 1, "services": ("gym",), "objective": "p_median"},
            "each of which fills",
        ),
    ):
        with pytest.raises(UnusableInputError) as caught:
            study(TOYTOWN, options.pop("target"), candidates=listed, **options)
        assert told in str(caught.value), told


def test_a_target_that_is_met_needs_no_site(toytown, listed):
    edit(
        toytown / "standard.toml",
        'minutes = 15\nprofile = "walk"\ngoal = 0.9',
        'minutes = 60\nprofile = "walk"\ngoal = 0.9',
    )
    edit(toytown / "residents.csv", "r6,504000,3377200,20,0,8\nr7,503000,3377000,10,0,4\n", "")
    with pytest.raises(UnusableInputError, match="everybody it counts is covered already"):
        study(toytown, "reading", new=1, candidates=listed)


def test_a_solve_cut_short_says_so(listed):
    done = study(TOYTOWN, "reading", new=1, candidates=listed, time_limit_s=0.0)
    assert done.plan.sites
    assert plan_facts(done)["reproducible"] == ("not_proved" not in done.notes)


def test_a_plan_the_audit_does_not_confirm_is_an_error(listed, monkeypatch):
    real = pipeline.best

    def boast(*args, **options):
        plan = real(*args, **options)
        return type(plan)(plan.objective, plan.status, plan.sites, plan.value + 1, plan.bound + 1)

    monkeypatch.setattr(pipeline, "best", boast)
    with pytest.raises(ProofError, match=r"says 246\.0, the audit of its sites 245\.0"):
        study(TOYTOWN, "reading", new=1, candidates=listed)


# --- remedies -------------------------------------------------------------------------------------------

COSTS = """
[siting.costs]
link_m = { cost = 0.1, source = "made up" }
footbridge_m = { cost = 2, source = "made up" }
evening_hours = { cost = 3, source = "made up" }
new_building = { cost = 100, source = "made up" }
"""


def with_stub(town):
    """Add ten people over 60 on a lane that ends 100 m from East Road, 600 m from the clinic."""
    edit(town / "residents.csv", "r7,", "r8,501900,3378000,40,0,10\nr7,")
    path = '{"type": "Feature", "properties": {"name": "%s", "highway": "path"}'
    course = ', "geometry": {"type": "LineString", "coordinates": [[501900, 3378000], [501900, 3378100]]}},\n'
    edit(town / "roads.geojson", path % "Island Path", path % "Stub" + course + path % "Island Path")
    with (town / "study.toml").open("a", encoding="utf-8") as file:
        file.write(COSTS)


def test_a_missing_link_is_found_and_audited(toytown):
    with_stub(toytown)
    done = site_study(toytown, "health", new=1)
    links = [one for one in done.remedies if one.kind == "link"]
    assert [(one.people, round(one.length_m)) for one in links] == [(10, 100)]
    assert links[0].cost == pytest.approx(10.0, abs=1e-3)
    assert links[0].people_per_cost == pytest.approx(1.0, abs=1e-3)
    assert done.remedies[0] is links[0]  # new buildings take 100 for at most 20 people
    again = run_scenario(toytown, links[0].changes)
    assert again.target("health").won == 10


def test_over_water_it_is_a_footbridge(toytown):
    with_stub(toytown)
    water = shapely.box(501940, 3377900, 501960, 3378200)
    gpd.GeoDataFrame(geometry=[water], crs="EPSG:4549").to_file(toytown / "water.gpkg")
    with (toytown / "study.toml").open("a", encoding="utf-8") as file:
        file.write('\n[barriers]\nfile = "water.gpkg"\n')
    done = site_study(toytown, "health", new=1)
    assert [(one.kind, round(one.cost)) for one in done.remedies if one.length_m] == [("footbridge", 200)]


def test_longer_hours_count_in_the_open_accounting(toytown):
    edit(toytown / "standard.toml", "goal = 0.9", 'goal = 0.9\nopen_at = "Sat 19:00"')
    rows = (toytown / "facilities.csv").read_text("utf-8").splitlines()
    rows = [row + (",hours" if at == 0 else ",Mo-Fr 09:00-17:00") for at, row in enumerate(rows)]
    rows.append("L2,Late library,library,504000,3377400,2010,,24/7")
    (toytown / "facilities.csv").write_text("\n".join(rows) + "\n", "utf-8")
    done = site_study(toytown, "reading", new=1)
    hours = [one for one in done.remedies if one.kind == "evening_hours"]
    assert [(one.name, one.people, one.accounting) for one in hours] == [("Toy library", 215, "open")]
    assert hours[0].changes[0].hours == "Mo-Fr 09:00-17:00; Sa 19:00-21:00"
    before = run_audit(toytown).result("reading").accountings["open"].people
    after = run_scenario(toytown, hours[0].changes).after.result("reading").accountings["open"].people
    assert after - before == 215


# --- what is written ------------------------------------------------------------------------------------


def test_files_are_whole_and_the_same_twice(listed, tmp_path):
    for name in ("one", "other"):
        write_study(site_study(TOYTOWN, "reading", new=2, candidates=listed), tmp_path / name)
    names = ["curve.png", "plan.csv", "plan.gpkg", "plan.json", "plan.md", "plan.xlsx"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes(), name
    assert str(tmp_path) not in (tmp_path / "one" / "plan.json").read_text("utf-8")
    assert set(pyogrio.list_layers(tmp_path / "one" / "plan.gpkg")[:, 0]) == {
        "sites", "served", "candidates", "remedies",
    }  # fmt: skip
    served = gpd.read_file(tmp_path / "one" / "plan.gpkg", layer="served")
    assert served["people"].sum() == 50
    for name in ("plan.json", "plan.gpkg"):
        again = run_scenario(TOYTOWN, tmp_path / "one" / name)
        assert again.target("reading").covered_after == 265


def test_without_matplotlib_all_but_the_picture_is_written(listed, tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    write_study(study(TOYTOWN, "reading", new=1, candidates=listed), tmp_path / "out")
    assert not (tmp_path / "out" / "curve.png").exists()
    assert (tmp_path / "out" / "plan.json").is_file()
    assert "lifecircle[print]" in caplog.text


def test_the_map_gets_a_plain_plan(listed):
    done = study(TOYTOWN, "reading", new=1, candidates=listed)
    layer = json.loads(json.dumps(plan_layer(done)))
    shown = ("id", "name", "lon", "lat", "service", "people")
    assert [{name: site[name] for name in shown} for site in layer["sites"]] == [
        {"id": "A", "name": "Site A", "lon": pytest.approx(degrees(2000, 1000)[0]),
         "lat": pytest.approx(degrees(2000, 1000)[1]), "service": "library", "people": 30.0}
    ]  # fmt: skip
    assert (layer["status"], layer["gap"], layer["curve"]) == (
        "optimal",
        0.0,
        [[0, 215.0], [1, 245.0], [2, 265.0]],
    )
    (town,) = [one for one in layer["own_target"]["districts"] if one["won"]]
    assert (town["won"], layer["free"], layer["covered_after"]) == (
        30.0,
        len(PLACES) - 1,
        245.0,
    )  # E has no road


# --- the county -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "new", "services"),
    [pytest.param("culture", 4, ("culture_hall",), marks=in_whole_campaign), ("elder_care", 2, ())],
)
def test_the_plan_is_worth_what_the_audit_says(target, new, services):
    done = study(EXAMPLE, target, new=new, services=services)
    assert done.plan.status == "optimal"
    assert done.scenario.after.result(target).count.covered == pytest.approx(done.plan.value, abs=1e-6)
    assert sum(one.people for one in done.explanation.sites) == pytest.approx(done.plan.value - done.covered)
    values = np.array([point.people for point in done.curve])
    assert (np.diff(values) >= 0).all()
    assert all(point.people <= point.bound + 1e-6 for point in done.curve)


def test_what_an_office_gets(tmp_path):
    done = site_study(EXAMPLE, "culture", new=3)
    write_study(done, tmp_path / "plan")

    def covered_with(changes):
        changed = apply_changes(done.inputs, changes)
        again = compare_inputs(done.inputs, changed, changes, before=done.scenario.before)
        return again.target("culture").covered_after

    assert done.plan.status == "optimal"
    built = covered_with(read_changes(tmp_path / "plan" / "plan.json"))
    assert built == pytest.approx(done.plan.value, abs=1e-6)
    saved = sum(one.saved_min for one in done.explanation.sites)
    assert saved == pytest.approx(done.scenario.target("culture").saved_min)
    book = openpyxl.load_workbook(tmp_path / "plan" / "plan.xlsx")
    assert book.sheetnames == ["选址方案", "方案说明", "点数与覆盖率", "更省的办法", "候选点"]
    # as wide as it is, the plan is printed on two pages that name the site both times
    assert book["选址方案"].page_setup.fitToWidth == 2
    assert book["选址方案"].print_title_cols == "$A:$B"
    assert {book[name].page_setup.fitToWidth for name in book.sheetnames[1:]} == {None}  # one page, as usual
    rows = [[cell.value for cell in row] for row in book["选址方案"].iter_rows(min_row=3)]
    for head in (
        "候选点", "建设方式", "权属", "规划用途", "永久基本农田", "生态保护红线", "城镇开发边界外",
        "新增人数", "新增达标村", "覆盖率变化(百分点)", "与上界差", "次优方案差", "估算投资(万元)", "元/人",
        "步速敏感性(慢/常/快)",
    ):  # fmt: skip
        assert head in rows[0]
    people = rows[0].index("新增人数")
    assert sum(row[people] for row in rows[1:-1]) == rows[-1][people] == done.plan.value - done.covered
    # among them the remedies that the county was designed to need: bridges over canals
    assert {"link", "footbridge", "school_ground", "idle_building", "new_building", "evening_hours"} == {
        one.kind for one in done.remedies
    }
    # hours are paid every year and counted by open hours: they are not held against buildings
    assert list(dict.fromkeys(one.ranking for one in done.remedies)) == [("reach", "once"), ("open", "year")]
    for ranking in {one.ranking for one in done.remedies}:
        mine = [one for one in done.remedies if one.ranking == ranking]
        worth = [one.people_per_cost for one in mine]
        assert worth == sorted(worth, reverse=True)
        assert [one.rank for one in mine] == list(range(1, len(mine) + 1))
    bridge = next(one for one in done.remedies if one.kind == "footbridge")
    assert (
        run_scenario(EXAMPLE, bridge.changes).target("culture").covered_after - done.covered == bridge.people
    )
    assert len(study_lines(done, "zh")) == len(study_lines(done, "en"))


def test_what_the_named_projects_bring():
    done = run_scenario(EXAMPLE, EXAMPLE / "named-projects.csv")
    assert len(done.changes) == 6
    circles = [one for one in done.targets if one.kind == "circle"]
    assert all(one.won == 0 for one in circles)  # closing wins nobody anything
    assert any(one.farther for one in circles)
    without = set(done.before.facilities.index) - set(done.after.facilities.index)
    assert without == {change.id for change in done.changes}
