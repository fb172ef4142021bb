"""Sites for units without a facility: counted by hand on the toy town, outlets by brute force, the county.

On the toy town with a target of each kind (``test_kinds``) the only gym stands in West Bank; in East Bank
live r4 (30 people) and r7 (10).
"""

import itertools
import json

import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pyproj
import pytest

from commands import run as lifecircle
from conftest import ROOT, edit
from lifecircle.errors import UnusableInputError
from lifecircle.maps import read_plans
from lifecircle.scenario import read_changes, run_scenario
from lifecircle.siting_study import (
    PlacesMissing,
    count_proof,
    most_people,
    places_missing,
    printed,
    share_sites,
    site_study,
    study_of,
    unit_facts,
    unit_lines,
    unit_study,
    unit_table,
    units_for,
    units_needed,
    write_units,
)
from test_kinds import town

__all__ = ["town"]  # a fixture

DEGREES = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)
COUNTY = ROOT / "data" / "geo" / "haiyan"

VILLAGES = """code,name,district,lon,lat
V1,Ash,01,{0}
V2,Birch,01,{1}
V3,Cedar,02,{2}
"""


@pytest.fixture
def villages(town):
    """Give the toy town three villages, and a gym in every one as a target: only Ash has it."""
    # r1 and r2 are nearest to Ash (150 people), r3 and r5 to Birch (65), r4 and r7 live in East Bank (40).
    places = [DEGREES.transform(500000 + x, 3377000 + y) for x, y in ((250, 0), (1100, 700), (2000, 1000))]
    rows = VILLAGES.format(*(f"{lon},{lat}" for lon, lat in places))
    (town / "villages.csv").write_text(rows, "utf-8")
    edit(town / "study.toml", "[standard]", '[villages]\nfile = "villages.csv"\n\n[standard]')
    edit(town / "standard.toml", 'unit = "district"', 'unit = "village"')
    return town


# --- units with an area ---------------------------------------------------------------------------------


def test_the_unit_without_gets_the_site(town):
    done = unit_study(town, "gym_in_town")
    (site,) = done.sites
    assert (site.units, site.people, site.rank, site.next_best) == (("02",), 40.0, 1, ())
    assert (done.holding, done.holding_after, done.total, done.needed) == (1, 2, 2, 1)
    assert (done.certificate.fewest, done.certificate.fewest_possible, done.status) == (1, 1, "optimal")
    assert site.services == ("gym",)
    # The middle of 30 people at (2000, 1000) and 10 at (3000, 0) is (2250, 750): r4 is nearest.
    assert (site.lon, site.lat) == pytest.approx((120.020838, 30.522173), abs=1e-5)
    moved = done.scenario.target("gym_in_town")
    assert (moved.value_before, moved.value_after) == (0.5, 1.0)
    assert done.notes == ("existing_by:walk", "among_homes:1")
    # From r4 down East Road (1,000 m) and along Main Street to the gym (1,500 m), at 5 km/h.
    (today,) = site.existing
    assert (today.lacks, today.id, today.name) == ("gym", "G1", "Toy gym west")
    assert today.minutes == pytest.approx(30.0)
    assert site.existing_min == today.minutes


def test_units_with_most_people_come_first(villages):
    done = unit_study(villages, "gym_in_town", new=1)
    assert done.without["people"].to_dict() == {"V2": 65.0, "V3": 40.0}
    (site,) = done.sites
    assert (site.units, site.people, site.rank) == (("V2",), 65.0, 1)
    assert (site.next_best, site.next_rank, site.next_loss) == (("V3",), 2, 25.0)
    assert (done.holding_after, done.needed, done.certificate.fewest) == (2, 2, 2)
    both = unit_study(villages, "gym_in_town")
    assert [site.units for site in both.sites] == [("V2",), ("V3",)]
    assert [site.held_after for site in both.sites] == [2, 3]


def test_ties_go_by_code_and_unknown_people_last():
    assert most_people([40.0, 40.0, float("nan"), 50.0], ["b", "a", "c", "d"]).tolist() == [3, 1, 0, 2]


@pytest.mark.parametrize(
    ("total", "holding", "turn", "needed"),
    [(122, 119, 1.0, 3), (10, 6, 0.7, 1), (3, 1, 0.0, 0), (3, 0, 1.1, 4)],
)
def test_how_many_units_a_goal_takes(total, holding, turn, needed):
    assert units_needed(total, holding, turn) == needed


def test_a_candidate_in_the_unit_is_where_the_site_stands(town, tmp_path):
    rows = ["id,name,works,cost,lon,lat", "K1,Far,new_building,9,120.020838,30.517663"]
    rows += ["K2,Near,idle_building,5,120.020838,30.521", "K3,Elsewhere,new_building,1,120.0052,30.5131"]
    path = tmp_path / "sites.csv"
    path.write_text("\n".join(rows), "utf-8")
    (site,) = unit_study(town, "gym_in_town", candidates=path).sites
    assert (site.candidate, site.works, site.cost) == ("K2", "idle_building", 5.0)


@pytest.mark.parametrize(
    ("change", "words", "match"),
    [
        ("", {"new": 3}, "only 1 unit lacks one"),
        ("", {"new": 0}, "how many new sites"),
        ("", {"services": ["library"]}, "no service of the new sites counts for 'gym'"),
        ("", {"services": ["gim"]}, "unknown service id"),
        ("goal = 0.5", {}, "the goal is reached today: 1 of 2 units"),
        ("minimum = 3\ngoal = 1.0", {"new": 1}, "the unit that lacks least takes 2 sites"),
        ("minimum = 3\ngoal = 1.0", {"new": 6}, "the units without take 5 sites in all"),
    ],
)
def test_what_cannot_be_answered_is_refused(town, change, words, match):
    if change:
        edit(town / "standard.toml", "goal = 1.0", change)
    with pytest.raises(UnusableInputError, match=match):
        unit_study(town, "gym_in_town", **words)


# --- units that lack several venues ---------------------------------------------------------------------


def test_a_unit_that_lacks_two_takes_two_sites(villages):
    edit(villages / "standard.toml", 'unit = "village"', 'unit = "village"\nminimum = 2')
    done = unit_study(villages, "gym_in_town")
    # The one gym stands in Ash: it lacks one, the others two each.
    assert done.without["short"].to_dict() == {"V1": (1,), "V2": (2,), "V3": (2,)}
    assert done.without["takes"].to_dict() == {"V1": 1, "V2": 2, "V3": 2}
    assert (done.certificate.fewest, done.certificate.fewest_possible, done.holding_after) == (5, 5, 3)
    assert [site.id for site in done.sites] == ["V1", "V2-1", "V2-2", "V3-1", "V3-2"]
    assert [site.held_after for site in done.sites] == [1, 1, 2, 2, 3]
    # Birch's people are r3 (40) and r5 (25): a site at each home. Of Cedar's homes only r4 is on the roads.
    places = {(round(site.lon, 5), round(site.lat, 5)) for site in done.sites}
    assert len(places) == 4
    two = unit_study(villages, "gym_in_town", new=2)
    assert ([site.id for site in two.sites], two.certificate.held, two.status) == (["V1"], 1, "optimal")
    assert "too_few_left:1|2" in two.notes
    three = unit_study(villages, "gym_in_town", new=3)
    assert {site.units for site in three.sites} == {("V1",), ("V2",)}
    assert [site.next_best for site in three.sites] == [(), ("V3",), ("V3",)]
    text = "\n".join(unit_lines(done, "en"))
    assert "takes 5 sites (proved: 3 villages are missing, and these are the sites of those that lack" in text
    assert "Birch (1/2) (West Bank): 65 people, lacks gym ×2, rank 2 of the 3 units that lack some" in text
    assert unit_table(done, "en").headings[3] == "people"


def test_two_services_of_a_class_make_up_for_two_in_one_site(villages):
    # A sports park counts for the class too, so one building with both is two venues.
    edit(villages / "standard.toml", "require = { gym = 1 }", "require = { public_benefit = 2 }")
    done = unit_study(villages, "gym_in_town")
    assert done.without["short"].to_dict() == {"V1": (1,), "V2": (2,), "V3": (2,)}
    assert [(site.units, site.services) for site in done.sites] == [
        (("V1",), ("gym",)),
        (("V2",), ("gym", "sports_park")),
        (("V3",), ("gym", "sports_park")),
    ]
    alone = unit_study(villages, "gym_in_town", services=["gym"])
    assert (alone.certificate.fewest, alone.holding_after) == (5, 3)


def test_several_classes_of_a_rule(villages):
    edit(villages / "standard.toml", "require = { gym = 1 }", "require = { gym = 2, library = 1 }")
    done = unit_study(villages, "gym_in_town")
    # The library at (1000, 0) stands in Ash or in Birch; each village lacks what it has not.
    lacks = {
        code: dict(zip(*row, strict=True))
        for code, *row in zip(done.without.index, done.without["lacks"], done.without["short"], strict=True)
    }
    assert lacks["V3"] == {"gym": 2, "library": 1}
    held = [site.services for site in done.sites if site.units == ("V3",)]
    assert held == [("gym", "library"), ("gym",)]
    assert done.holding_after == 3
    far = {one.lacks: one.minutes for site in done.sites if site.id == "V3-1" for one in site.existing}
    # The library is 1,000 m down East Road and 1,000 m along Main Street from r4.
    assert far == pytest.approx({"gym": 30.0, "library": 24.0})


@pytest.mark.parametrize("seed", range(8))
def test_units_filled_by_so_many_sites_are_most_and_of_most_people(seed):
    random = np.random.default_rng(seed)
    takes = random.integers(1, 4, 8).tolist()
    people = sorted(random.integers(0, 30, 8).astype(float).tolist(), reverse=True)
    for sites in range(1, sum(takes) + 1):
        best = max(
            (len(chosen), sum(people[at] for at in chosen))
            for size in range(9)
            for chosen in itertools.combinations(range(8), size)
            if sum(takes[at] for at in chosen) <= sites
        )
        found = units_for(takes, people, sites).tolist()
        assert sum(takes[at] for at in found) <= sites
        assert (len(found), sum(people[at] for at in found)) == best
    for needed in range(1, 9):
        fewest = min(sum(chosen) for chosen in itertools.combinations(takes, needed))
        assert count_proof(takes, held=needed, needed=needed).fewest == fewest


def test_a_target_without_a_goal_needs_a_number(town):
    edit(town / "standard.toml", "goal = 1.0\ndue = 2025\n", "")
    with pytest.raises(UnusableInputError, match="no goal"):
        unit_study(town, "gym_in_town")
    assert unit_study(town, "gym_in_town", new=1).holding_after == 2


def test_what_is_written_is_a_plan_like_any_other(villages, tmp_path):
    done = unit_study(villages, "gym_in_town", new=1)
    folder = write_units(done, tmp_path / "plan")
    files = ["plan.csv", "plan.gpkg", "plan.json", "plan.md", "plan.xlsx"]
    assert sorted(path.name for path in folder.iterdir()) == files
    facts = json.loads((folder / "plan.json").read_text("utf-8"))
    assert facts == json.loads(json.dumps(unit_facts(done)))
    assert (facts["value"], facts["bound"], facts["enough"], facts["units"]) == (2, 2, 2, 3)
    assert [row["code"] for row in facts["without"] if row["chosen"]] == ["V2"]
    # The plan is a file of changes, and the map page takes it.
    changes = read_changes(folder / "plan.json")
    again = run_scenario(villages, changes).target("gym_in_town")
    assert again.units == done.scenario.target("gym_in_town").units
    (shown,) = read_plans([folder], study="toytown")
    assert [site["name"] for site in shown["sites"]] == ["Birch·gym"]
    layers = {str(name) for name in pyogrio.list_layers(folder / "plan.gpkg")[:, 0]}
    assert layers == {"sites", "units_without"}
    book = openpyxl.load_workbook(folder / "plan.xlsx")
    assert len(book.sheetnames) == 3
    # From r3 down North Lane (1,250 m) and along Main Street (500 m).
    (site,) = facts["sites"]
    today = {"lacks": "gym", "minutes": pytest.approx(21.0), "id": "G1", "name": "Toy gym west"}
    assert (site["existing"], site["existing_min"], facts["existing_by"]) == (
        [today],
        today["minutes"],
        "walk",
    )
    (row,) = pd.read_csv(folder / "plan.csv", encoding="utf-8-sig").to_dict("records")
    assert (row["units"], row["minutes to the nearest today"], row["value after"]) == (
        "Birch",
        21.0,
        "66.6 %",
    )
    page = (folder / "plan.md").read_text("utf-8")
    assert page.startswith("# Toy Town (example) 2025 · a gym in every district\n\n**Synthetic example")
    assert "| 1 | Birch | West Bank | 65 |" in page
    assert all(line in page for line in unit_lines(done, "en"))
    again = write_units(unit_study(villages, "gym_in_town", new=1), tmp_path / "again")
    for name in ("plan.json", "plan.csv", "plan.md"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_what_is_printed(villages):
    done = unit_study(villages, "gym_in_town", new=1)
    table = unit_table(done, "en")
    heads = ("no.", "unit", "town", "people without", "place", "nearest today", "next best", "value after")
    assert table.headings == heads
    ((number, unit, district, people, _, today, other, after),) = table.rows
    assert today == "21.0 minutes (Toy gym west)"
    assert (number, unit, district, people) == ("1", "Birch", "West Bank", "65")
    assert (other, after) == ("Cedar (rank 2, 25 people fewer)", "66.6 % (2/3)")
    text = "\n".join(unit_lines(done, "en"))
    assert "1 new site, villages that hold from 1 to 2 of 3, from 33.3 % to 66.6 %" in text
    assert "The goal of 100.0 % takes 2 sites (proved: 2 villages are missing" in text
    assert "With this plan 1 villages are still missing." in text
    assert "Still without: 1: 2. Cedar 40 people." in text
    assert len(unit_lines(done, "zh")) == len(unit_lines(done, "en"))
    assert "{" not in text + "".join(unit_lines(done, "zh"))


# --- outlets --------------------------------------------------------------------------------------------


def held_by_hand(metres, within_m, most):
    """Count the outlets that 1, 2, ... sites hold at most, by every set of outlets that one site can hold."""

    def fits(rows):
        here = metres[list(rows)]
        centres = list(here)
        centres += [(one + other) / 2 for one, other in itertools.combinations(here, 2)]
        for one, two, three in itertools.combinations(here, 3):
            sides = 2 * np.array([two - one, three - one])
            if abs(np.linalg.det(sides)) > 1e-9:
                centres.append(np.linalg.solve(sides, [two @ two - one @ one, three @ three - one @ one]))
        return min(np.hypot(*(here - centre).T).max() for centre in centres) <= within_m

    many = range(len(metres))
    sets = [
        set(rows)
        for size in (*many, len(metres))
        for rows in itertools.combinations(many, size)
        if rows and fits(rows)
    ]
    largest = [one for one in sets if not any(one < other for other in sets)]
    return [
        max(len(set().union(*chosen)) for chosen in itertools.combinations_with_replacement(largest, sites))
        for sites in range(1, most + 1)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_outlets_share_sites_as_well_as_can_be(seed):
    metres = np.array([500000.0, 3377000.0]) + np.random.default_rng(seed).uniform(0, 160, (7, 2))
    best = held_by_hand(metres, 50.0, 4)
    question = {"crs": "EPSG:4549", "within_m": 50.0, "time_limit_s": 20.0}
    for needed in (4, 7):
        found = share_sites(metres, sites=None, needed=needed, **question)
        fewest = 1 + next(at for at, held in enumerate(best) if held >= needed)
        assert (found.certificate.fewest, found.certificate.fewest_possible) == (fewest, fewest)
        assert len(found.serves) == fewest
        assert sum(map(len, found.serves)) >= needed
    for sites, held in enumerate(best, 1):
        found = share_sites(metres, sites=sites, needed=7, **question)
        assert (found.certificate.held, found.certificate.bound) == (held, held)
        told = [outlet for mine in found.serves for outlet in mine]
        assert len(told) == len(set(told)) == held


def held_by_multisets(reach, takes, most):
    """Count the outlets that 1, 2, ... sites hold at most, by every multiset of positions."""
    sets = [one for one in {tuple(row) for row in reach.tolist()} if any(one)]
    counts = []
    for sites in range(1, most + 1):
        tried = itertools.combinations_with_replacement(sets, sites)
        counts.append(max(int((np.sum(chosen, axis=0) >= takes).sum()) for chosen in tried))
    return counts


@pytest.mark.parametrize("seed", range(4))
def test_outlets_that_take_several_sites_share_them_as_well_as_can_be(seed):
    random = np.random.default_rng(seed)
    metres = np.array([500000.0, 3377000.0]) + random.uniform(0, 130, (4, 2))
    takes = random.integers(1, 3, 4)
    takes[0] = 2
    positions = [*metres, *((one + other) / 2 for one, other in itertools.combinations(metres, 2))]
    for one, other in itertools.combinations(metres, 2):
        apart = np.hypot(*(other - one))
        if apart <= 100:
            aside = np.array([one[1] - other[1], other[0] - one[0]]) / apart * np.sqrt(2500 - apart**2 / 4)
            positions += [(one + other) / 2 + aside, (one + other) / 2 - aside]
    reach = np.hypot(*(np.array(positions)[:, None] - metres[None]).T).T <= 50.0 + 1e-4
    best = held_by_multisets(reach, takes, 5)
    question = {"crs": "EPSG:4549", "within_m": 50.0, "time_limit_s": 20.0, "takes": takes.tolist()}
    for sites, held in enumerate(best, 1):
        found = share_sites(metres, sites=sites, needed=None, **question)
        assert (found.certificate.held, found.certificate.bound) == (held, held)
    for needed in (2, 4):
        fewest = next((at for at, held in enumerate(best, 1) if held >= needed), None)
        found = share_sites(metres, sites=None, needed=needed, **question)
        if fewest is not None:
            assert (found.certificate.fewest, found.certificate.fewest_possible) == (fewest, fewest)
            assert len(found.serves) == fewest


def test_two_outlets_at_twice_the_distance_share_a_site_halfway():
    metres = np.array([[500000.0, 3377000.0], [500100.0, 3377000.0], [500300.0, 3377000.0]])
    found = share_sites(metres, crs="EPSG:4549", within_m=50.0, sites=None, needed=3, time_limit_s=5.0)
    assert found.serves == ((0, 1), (2,))
    alone = share_sites(metres, crs="EPSG:4549", within_m=49.9, sites=None, needed=3, time_limit_s=5.0)
    assert alone.certificate.fewest == 3


def test_outlets_of_the_toy_town(town):
    rows = ["id,name,service,x,y", "B1,Bank one,window,500000,3377000", "B2,Bank two,window,500080,3377000"]
    rows += ["B3,Bank three,window,502000,3378000", "B4,Bank four,window,500500,3377000"]
    (town / "outlets.csv").write_text("\n".join(rows), "utf-8")
    edit(
        town / "study.toml",
        "[standard]",
        '[outlets]\nfile = "outlets.csv"\ndatum = "EPSG:4549"\n\n[standard]',
    )
    edit(town / "standard.toml", 'unit = "district"', 'unit = "outlet"\nwithin_m = 50')
    done = unit_study(town, "gym_in_town")  # the gym is at B4
    assert (done.holding, done.total, done.certificate.fewest) == (1, 4, 2)
    assert [site.units for site in done.sites] == [("B1", "B2"), ("B3",)]
    assert done.holding_after == 4
    edit(town / "standard.toml", "require = { gym = 1 }", "require = { gym = 2 }")
    two = unit_study(town, "gym_in_town")
    # B4 lacks one, the others two: two sites between B1 and B2, two at B3, one at B4.
    assert (two.holding, two.certificate.fewest, two.certificate.fewest_possible) == (0, 5, 5)
    assert (two.holding_after, sorted(two.sites[0].units)) == (4, ["B1", "B2"])
    edit(town / "standard.toml", "require = { gym = 2 }", "require = { gym = 1 }")
    one = unit_study(town, "gym_in_town", new=1)
    assert (one.sites[0].units, one.certificate.held, one.status) == (("B1", "B2"), 2, "optimal")
    assert "2 sites (proved: fewer than 2 do not serve 3 outlets)" in "\n".join(unit_lines(one, "en"))


# --- other kinds, the command, the county ---------------------------------------------------------------


def test_places_missing_by_district(town):
    found = places_missing(town, "nurses")
    assert found.result.missing == 0
    # 12 of 1,000: 215 people of West Bank need 2.58 and have none, 40 of East Bank 0.48 and have 12.
    assert [(one.name, one.people, one.missing) for one in found.towns] == [
        ("West Bank", 215.0, 3.0),
        ("East Bank", 40.0, 0.0),
    ]
    above, table, below = printed(found, "en", explain=False)
    assert "0 missing in all; for every district to have it by itself, 3" in above[0]
    assert table.rows[0][0] == "West Bank"
    assert below == []


def test_each_kind_has_its_answer(town):
    assert isinstance(study_of(town, "nurses"), PlacesMissing)
    with pytest.raises(UnusableInputError, match="no site can be chosen"):
        study_of(town, "visits")
    with pytest.raises(UnusableInputError, match="only a circle target has this option"):
        study_of(town, "gym_in_town", new=1, objective="p_median")
    with pytest.raises(UnusableInputError, match="lacks places"):
        study_of(town, "nurses", new=2)
    with pytest.raises(UnusableInputError, match="no such circle target"):
        study_of(town, "nothing", new=1)
    with pytest.raises(UnusableInputError, match="no such circle target"):
        site_study(town, "gym_in_town", new=1)


def test_the_command(town):
    done = lifecircle("site", town, "--target", "gym_in_town")
    assert done.returncode == 0, done.stderr
    assert "from 50.0 % to 100.0 %" in done.stdout
    assert (town / "results" / "2025-site-gym_in_town-1" / "plan.json").is_file()
    done = lifecircle("site", town, "--target", "visits", "--new", 1)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
    done = lifecircle("site", town, "--target", "nurses")
    assert done.returncode == 0
    assert "West Bank" in done.stdout


def test_three_villages_of_the_county_lack_care_of_the_aged():
    done = unit_study(COUNTY, "elder_care_presence")
    assert (done.total, done.holding, done.holding_after) == (122, 119, 122)
    assert (done.certificate.fewest, done.certificate.fewest_possible) == (3, 3)
    assert [site.units for site in done.sites] == [("330424101203",), ("330424106212",), ("330424105210",)]
    assert [site.people for site in done.sites] == [2651.0, 2294.0, 1981.0]
    villages = pd.read_csv(COUNTY / "villages.csv", dtype={"code": str}, encoding="utf-8-sig")
    names = villages.set_index("code")["name"]
    assert [names[site.units[0]] for site in done.sites] == ["尤甪村委会", "张桥村委会", "紫金山村委会"]
    assert done.scenario.target("elder_care_presence").value_after == 1.0
