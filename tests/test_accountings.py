"""The ladder of accountings on the toy town, every rung counted by hand.

To the town of ``test_audit.py`` four villages, a hall and opening hours are added. Places in metres:

===  ==============  ======================  ==============  =====================
     centre          class                   residents       people
===  ==============  ======================  ==============  =====================
A    (10, 0)         111, urban              r1              100
B    (800, 250)      220, rural              r2, r3, r5      50 + 40 + 25 = 115
C    (2000, 800)     its district's: rural   r4, r7          30 + 10 = 40
D    (4000, 250)     unknown, no district    r6              20
===  ==============  ======================  ==============  =====================

The culture rule asks for the library L1 (1000, 0) and two of G1 (500, 0), S1 (1250, 0), G2 (1500, 0) and
P1 (2000, 500). Radii: 1,000 m urban, 1,750 m rural. On Saturday at 10 P1 is shut, and of S1 nothing is known.

====  ==============  ====================  =======================  ======================  =============
home  metres to L1    to the 2nd of others  rule along the roads     of those open           nearest venue
====  ==============  ====================  =======================  ======================  =============
r1    1000            1250 (S1)             1250, exactly 15 min     1500 (G2)               500
r2    500             750 (S1)              750                      1000 (G2)               0
r3    1250            1750 (G1 or G2)       1750, exactly rural      1750                    1250
r4    2000            1500 (G2)             2000                     2500 (G1)               500 (P1)
r5    280             280 (G2)              280                      780 (G1)                30
r6    no path         no path               -                        -                       -
r7    no road         no road               -                        -                       -
====  ==============  ====================  =======================  ======================  =============
"""

import itertools
import shutil
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from conftest import TOYTOWN, edit
from lifecircle.audit import Searches, counted_people, prepare, run_audit
from lifecircle.audit._ladder import accountings, ladder_notes, straight_villages
from lifecircle.errors import UnusableInputError
from lifecircle.findings import Accounting
from lifecircle.study import read_study

EVERYONE = 275
CULTURE = "require = { mandatory = 1, public_benefit = 2 }"
STRAIGHT = "straight = { urban_m = 1000, rural_m = 1750 }"
VILLAGES = """code,name,district,class,urban,x,y,accepted_culture
330001,Alpha,01,111,,500010,3377000,yes
330002,Beta,West Bank,220,,500800,3377250,
330003,Cove,02,,,502000,3377800,1
330004,Delta,,,,504000,3377250,true
"""
HOURS = {
    "L1": "Tu-Su 09:00-17:00",
    "G1": "24/7",
    "S1": "",
    "G2": "Mo-Su 06:00-22:00",
    "P1": "Mo-Fr 08:00-20:00",
}


def extended(folder):
    """Add to a copy of the toy town villages, a hall, opening hours and the radii of the culture circle."""
    (folder / "villages.csv").write_text(VILLAGES, "utf-8")
    villages = '[villages]\nfile = "villages.csv"\ndatum = "EPSG:4549"'
    edit(folder / "study.toml", "[districts]", f"{villages}\n\n[districts]")
    edit(folder / "standard.toml", CULTURE, f'{CULTURE}\n{STRAIGHT}\nopen_at = "Sat 10:00"')
    facilities = pd.read_csv(folder / "facilities.csv", dtype=str, keep_default_na=False)
    hall = ["S1", "Toy hall", "sports_park", "501250", "3377000", "2019", ""]
    facilities = pd.concat([facilities, pd.DataFrame([hall], columns=facilities.columns)])
    hours = facilities["id"].map(HOURS).fillna("")
    facilities.assign(hours=hours).to_csv(folder / "facilities.csv", index=False)
    return folder


@pytest.fixture
def town(toytown):
    """Give the folder of the extended town, to be changed by the test."""
    return extended(toytown)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Give the inputs of the extended town, read once."""
    return inputs_of(extended(shutil.copytree(TOYTOWN, tmp_path_factory.mktemp("town") / "toytown")))


def inputs_of(folder):
    return prepare(read_study(folder))


def target_of(inputs, name="culture"):
    return next(target for target in inputs.study.standard.targets if target.id == name)


def ladder(inputs, **changes):
    """Give the rungs of the culture target, its declaration changed as asked."""
    target = target_of(inputs).model_copy(update=changes)
    searches = Searches(inputs)
    reason, people = counted_people(target, inputs)
    assert reason == ""
    return accountings(target, inputs, searches, people, searches.answer(target))


def straight(inputs, **changes):
    """Name the villages whose straight circle holds the culture rule, its radii and centre as asked."""
    target = target_of(inputs)
    circle = target.straight.model_copy(update=changes)
    found = straight_villages(target.model_copy(update={"straight": circle}), inputs)
    return inputs.villages["name"][found].str[0].tolist()


def test_every_rung_by_hand(town):
    """Villages, people and share of each, the culture circle.

    accepted          A, C, D are on the list: 100 + 40 + 20 people, 3 of 4 villages
    straight          A: L1 at 990, G1 at 490, S1 at 1240: one of two. B and C hold theirs. D: L1 at 3010
    network_distance  r2, r3 (exactly) and r5, in B; r1's 1250 are more than the 1000 of its urban village
    reach             r1 (exactly), r2, r5: all of A, 75 of B's 115
    open              r2, r5: without S1 the second venue of r1 is G2
    any_one           r1 to r5: all of A and B, 30 of C's 40
    """
    result = run_audit(town).result("culture")
    assert result.accountings == {
        "accepted": Accounting(3, 160, 3 / 4),
        "straight": Accounting(2, 155, 2 / 4),
        "network_distance": Accounting(1, 115, 115 / EVERYONE),
        "reach": Accounting(2, 175, 175 / EVERYONE),
        "open": Accounting(1, 75, 75 / EVERYONE),
        "any_one": Accounting(3, 245, 245 / EVERYONE),
    }
    assert result.value == result.accountings["reach"].value
    assert result.notes == ("rural_radius_used:1", "hours_unknown:1")


def test_villages_their_people_and_their_circles(inputs):
    assert straight(inputs) == ["B", "C"]
    assert ladder_notes(target_of(inputs), inputs) == ["rural_radius_used:1", "hours_unknown:1"]
    names = inputs.demand["village"].map(inputs.villages["name"])
    by_village = inputs.demand["population"].groupby(names).sum()
    assert by_village.to_dict() == {"Alpha": 100, "Beta": 115, "Cove": 40, "Delta": 20}
    assert inputs.villages["district"].tolist() == ["01", "01", "02", "(outside)"]


def test_targets_without_radii_hours_or_list_report_what_needs_none(town):
    rungs = run_audit(town).result("reading").accountings
    assert [name for name, rung in rungs.items() if rung is None] == [
        "accepted",
        "straight",
        "network_distance",
        "open",
    ]
    # r1, r2, r3, r5 reach the library: all of A and of B
    assert rungs["reach"] == rungs["any_one"] == Accounting(2, 215, 215 / EVERYONE)


def test_without_villages_only_residents_are_counted(toytown):
    edit(toytown / "standard.toml", CULTURE, f"{CULTURE}\n{STRAIGHT}")
    rungs = run_audit(toytown).result("culture").accountings
    assert rungs["accepted"] is rungs["straight"] is rungs["network_distance"] is None
    assert rungs["reach"] == Accounting(0, 75, 75 / EVERYONE)


# --- radii ------------------------------------------------------------------------------------------


def test_the_radius_is_that_of_the_village_itself(town):
    """As a rural village A holds G2 at 1490, and r1's 1250 along the roads are within its 1750."""
    edit(town / "villages.csv", "01,111,", "01,220,")
    rungs = ladder(inputs_of(town))
    assert rungs["straight"] == Accounting(3, 255, 3 / 4)
    assert rungs["network_distance"] == Accounting(2, 215, 215 / EVERYONE)


def test_the_flag_decides_before_the_class(town):
    edit(town / "villages.csv", "01,111,,", "01,111,no,")
    assert straight(inputs_of(town)) == ["A", "B", "C"]


def test_the_class_of_the_district_where_the_village_has_none(town):
    """C is rural by its district; as an urban one its 1000 m do not hold L1 at 1281."""
    edit(town / "districts.geojson", '"urban": false', '"urban": true')
    inputs = inputs_of(town)
    assert straight(inputs) == ["B"]
    assert ladder_notes(target_of(inputs), inputs)[0] == "rural_radius_used:1"
    edit(town / "districts.geojson", '"name": "East Bank", "urban": true', '"name": "East Bank"')
    inputs = inputs_of(town)
    assert straight(inputs) == ["B", "C"]  # unknown: the rural radius, and a note
    assert ladder_notes(target_of(inputs), inputs)[0] == "rural_radius_used:2"


def test_one_radius_for_all_needs_no_class_and_no_note(inputs):
    assert straight(inputs, urban_m=1750.0) == ["A", "B", "C"]
    target = target_of(inputs)
    circle = target.straight.model_copy(update={"urban_m": 1750.0})
    assert ladder_notes(target.model_copy(update={"straight": circle}), inputs) == ["hours_unknown:1"]


def test_a_resident_of_no_village_takes_the_class_of_the_district(town):
    """Without A, B and C the west is urban: r2 (750) and r5 (280) are within 1000, r3's 1750 are not."""
    head, *_, delta = VILLAGES.splitlines()
    (town / "villages.csv").write_text(f"{head}\n{delta}\n", "utf-8")
    inputs = inputs_of(town)
    assert (inputs.demand["village"] == "").sum() == 6
    assert ladder(inputs)["network_distance"] == Accounting(0, 75, 75 / EVERYONE)


def test_by_road_class_metres_have_no_reading(town):
    edit(town / "standard.toml", 'profile = "walk"', 'profile = "drive"')
    rungs = ladder(inputs_of(town))
    assert rungs["network_distance"] is None
    assert rungs["straight"] == Accounting(2, 155, 2 / 4)


# --- centres and sites ------------------------------------------------------------------------------


def test_any_circle_that_holds_the_centre(inputs):
    """A's circle may shift east; one of 1750 m holds D and L1, 3010 m apart, and the venues between."""
    assert straight(inputs, centre="free") == ["A", "B", "C", "D"]
    assert straight(inputs, centre="free", rural_m=1500.0) == ["A", "B", "C"]


def test_the_settlement_is_where_people_live(town):
    """C's is r4's home, the nearest to (2250, 750), 1414 m from L1; its own centre is 1281 m from it.

    An empty village at (1000, -450) is judged from its own centre, 450 m from L1.
    """
    with (town / "villages.csv").open("a", encoding="utf-8") as file:
        file.write("330005,Empty,01,220,,501000,3376550,\n")
    inputs = inputs_of(town)
    assert "330005" not in inputs.demand["village"].tolist()
    assert straight(inputs, rural_m=1300.0) == ["B", "C", "E"]
    assert straight(inputs, rural_m=1300.0, centre="settlement") == ["B", "E"]
    assert straight(inputs, rural_m=1415.0, centre="settlement") == ["B", "C", "E"]


def test_the_settlement_is_that_of_all_residents_whatever_the_group(inputs):
    old = target_of(inputs).model_copy(update={"group": "over60"})
    circle = old.straight.model_copy(update={"centre": "settlement"})
    nobody_old = replace(inputs, demand=inputs.demand.assign(over60=0.0))
    for given in (inputs, nobody_old):
        found = straight_villages(old.model_copy(update={"straight": circle}), given)
        assert found.tolist() == [False, True, True, False]


def test_venues_on_one_site_count_once(inputs):
    """500 m apart are L1, G1 and G2, exactly; at 501 only P1 is far enough from L1."""
    assert straight(inputs, distinct_site_m=500.0) == ["B", "C"]
    assert straight(inputs, distinct_site_m=501.0) == []


# --- hours ------------------------------------------------------------------------------------------


def test_hours_of_other_services_do_not_make_a_rung(town):
    """With only the clinic's hours known, nobody can say which culture venues are open."""
    table = pd.read_csv(town / "facilities.csv", dtype=str, keep_default_na=False)
    table.assign(hours=np.where(table["service"] == "clinic", "24/7", "")).to_csv(
        town / "facilities.csv", index=False
    )
    inputs = inputs_of(town)
    assert ladder(inputs)["open"] is None
    assert ladder_notes(target_of(inputs), inputs) == ["rural_radius_used:1"]


@pytest.mark.parametrize(
    ("moment", "people"),
    [
        ("Mon 10:00", 0),  # the library is shut
        ("Fri 10:00", 75),
        ("Fri 09:00", 75),  # the library opens
        ("Fri 08:59", 0),
        ("Fri 16:59", 75),
        ("Fri 17:00", 0),
    ],
)
def test_the_hour_of_the_target(inputs, moment, people):
    assert ladder(inputs, open_at=moment)["open"].people == people


# --- areas and groups -------------------------------------------------------------------------------


def test_an_urban_target_counts_urban_villages(town):
    """Only A: on the list, its circle not held, its 100 people within 15 minutes but not on Saturdays."""
    edit(town / "standard.toml", CULTURE, f'{CULTURE}\narea = "urban"')
    edit(
        town / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 0.2"
    )  # D's 20 are unknown
    assert run_audit(town).result("culture").accountings == {
        "accepted": Accounting(1, 100, 1.0),
        "straight": Accounting(0, 0, 0.0),
        "network_distance": Accounting(0, 0, 0.0),
        "reach": Accounting(1, 100, 1.0),
        "open": Accounting(0, 0, 0.0),
        "any_one": Accounting(1, 100, 1.0),
    }
    inputs = inputs_of(town)
    assert ladder_notes(target_of(inputs), inputs) == ["hours_unknown:1"]  # D is not counted


def test_a_rural_target_counts_rural_villages(town):
    """B and C: 155 people, of whom C's 40 are on the list."""
    edit(town / "standard.toml", CULTURE, f'{CULTURE}\narea = "rural"')
    edit(town / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 0.2")
    assert run_audit(town).result("culture").accountings == {
        "accepted": Accounting(1, 40, 1 / 2),
        "straight": Accounting(2, 155, 1.0),
        "network_distance": Accounting(1, 115, 115 / 155),
        "reach": Accounting(1, 75, 75 / 155),
        "open": Accounting(1, 75, 75 / 155),
        "any_one": Accounting(2, 145, 145 / 155),
    }


def test_no_village_of_the_area_is_no_share(town):
    edit(town / "villages.csv", "01,111,", "01,220,")
    inputs = inputs_of(town)
    target = target_of(inputs).model_copy(update={"area": "urban"})
    searches = Searches(inputs)
    nobody = np.zeros(len(inputs.demand))
    rungs = accountings(target, inputs, searches, nobody, searches.answer(target))
    assert rungs["accepted"] is rungs["straight"] is None
    assert rungs["reach"] == Accounting(0, 0, None)


def test_a_group_counts_its_own_people(inputs):
    """Of 60 and over: A 20, B 10 + 12 + 5, C 15 + 4, D 8."""
    rungs = ladder(inputs, group="over60")
    assert rungs["accepted"] == Accounting(3, 20 + 19 + 8, 3 / 4)
    assert rungs["straight"] == Accounting(2, 27 + 19, 2 / 4)
    assert rungs["reach"] == Accounting(2, 35, 35 / 74)  # r1 20, r2 10, r5 5: 15 of B's 27


@pytest.mark.parametrize(("population", "villages"), [(40, 2), (39, 1)])
def test_half_the_people_make_a_village_reached(inputs, population, villages):
    """B's r2 (50) and r5, reached, are half of it against r3's 90, and then one person fewer."""
    demand = inputs.demand.copy()
    demand.loc[["r3", "r5"], "population"] = [90.0, population]
    assert ladder(replace(inputs, demand=demand))["reach"].villages == villages


# --- laws -------------------------------------------------------------------------------------------


def scattered(inputs, seed, venues):
    """Scatter residents, villages and venues over the town; fewer venues are the first of more."""
    rng = np.random.default_rng(seed)

    def points(many):
        places = rng.uniform([500_000, 3_377_000], [502_500, 3_378_300], (many, 2))
        return gpd.GeoSeries(shapely.points(places), crs="EPSG:4549").to_crs("EPSG:4326").array

    people, units = 60, 6
    codes = [f"V{number}" for number in range(units)]
    demand = gpd.GeoDataFrame(
        {
            "population": rng.integers(0, 50, people).astype(float),
            "district": "01",
            "village": rng.choice([*codes, ""], people),
        },
        geometry=points(people),
    )
    villages = gpd.GeoDataFrame(
        {
            "name": codes,
            "district": "01",
            "urban": pd.array(rng.choice([True, False, None], units), dtype="boolean"),
            "accepted_culture": rng.random(units) < 0.5,
        },
        geometry=points(units),
        index=pd.Index(codes, name="code"),
    )
    places = points(12)
    register = gpd.GeoDataFrame(
        {
            "service": rng.choice(["library", "gym", "sports_park"], 12),
            "opened": pd.Series([pd.NaT] * 12, dtype="datetime64[us]"),
            "closed": pd.Series([pd.NaT] * 12, dtype="datetime64[us]"),
            "hours": rng.choice(["24/7", "Mo-Fr 09:00-17:00", ""], 12, p=[0.6, 0.2, 0.2]),
        },
        geometry=places,
    )
    return replace(inputs, demand=demand, villages=villages, register=register.iloc[:venues])


RUNGS = ("straight", "network_distance", "reach", "open", "any_one")


def assert_none_lower(less, more):
    for name in RUNGS:
        if less[name] is not None:
            for part in ("villages", "people", "value"):
                assert getattr(less[name], part) <= getattr(more[name], part), name


@pytest.mark.parametrize("seed", range(12))
def test_laws_of_the_ladder(inputs, seed):
    rungs = [ladder(scattered(inputs, seed, venues)) for venues in (3, 6, 9, 12)]
    for rung in rungs:
        assert rung["reach"].people <= rung["any_one"].people
        assert rung["reach"].villages <= rung["any_one"].villages
        assert rung["accepted"] == rungs[0]["accepted"]  # a list is a list
        if rung["open"] is not None:
            assert rung["open"].people <= rung["reach"].people
        for one in rung.values():
            assert one is None or 0 <= one.value <= 1
    for less, more in itertools.pairwise(rungs):
        assert_none_lower(less, more)


@pytest.mark.parametrize("seed", range(12))
def test_larger_radii_and_more_freedom_never_lower(inputs, seed):
    inputs = scattered(inputs, seed, 8)
    circle = target_of(inputs).straight

    def rungs(**changes):
        found = ladder(inputs, straight=circle.model_copy(update=changes))
        return {name: found[name] for name in ("straight", "network_distance")}

    small = {"urban_m": 400.0, "rural_m": 700.0}
    before = rungs(**small)
    for more in (
        {**small, "urban_m": 600.0},
        {**small, "rural_m": 900.0},
        {"urban_m": 900.0, "rural_m": 1400.0},
    ):
        for name, rung in rungs(**more).items():
            assert before[name].people <= rung.people
            assert before[name].villages <= rung.villages
    assert before["straight"].villages <= rungs(**small, centre="free")["straight"].villages
    assert rungs(**small, distinct_site_m=300.0)["straight"].villages <= before["straight"].villages


# --- unusable input ---------------------------------------------------------------------------------


def test_an_accepted_list_of_an_unknown_target_names_the_nearest(town):
    edit(town / "villages.csv", "accepted_culture", "accepted_cultur")
    with pytest.raises(UnusableInputError) as caught:
        run_audit(town)
    (fault,) = caught.value.faults
    assert (fault.file, fault.place, fault.value) == ("villages.csv", "column 'accepted_cultur'", "cultur")
    assert fault.remedy == "did you mean 'accepted_culture'?"


def test_villages_without_codes_are_unusable(town):
    edit(town / "villages.csv", "code,", "number,")
    edit(town / "facilities.csv", "service,", "colour,")
    with pytest.raises(UnusableInputError) as caught:
        run_audit(town)
    told = [(fault.file.rsplit("/", 1)[-1], fault.place) for fault in caught.value.faults]
    assert told == [("villages.csv", "column 'code'"), ("facilities.csv", "column 'service'")]


def test_a_village_at_fault_is_a_reject_and_the_others_count(town):
    with (town / "villages.csv").open("a", encoding="utf-8") as file:
        file.write("330001,Twice,01,111,,500010,3377000,yes\n")
    with pytest.raises(UnusableInputError, match=r"villages\.csv, 1 of 5 rows: 20\.0% of the rows rejected"):
        run_audit(town)
    edit(town / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 0.2")
    findings = run_audit(town)
    assert findings.result("culture").accountings["accepted"] == Accounting(3, 160, 3 / 4)
    (reject,) = findings.rejects.to_dict("records")
    assert (reject["file"], reject["row"], reject["column"]) == ("villages.csv", 6, "code")


def test_a_group_larger_than_its_population_is_a_reject(town):
    edit(town / "residents.csv", "3378000,30,0,15", "3378000,30,0,31")
    with pytest.raises(UnusableInputError, match=r"residents\.csv, 1 of 7 rows"):
        run_audit(town)
    edit(town / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 0.2")
    findings = run_audit(town)
    (reject,) = findings.rejects.to_dict("records")
    assert (reject["file"], reject["row"], reject["column"]) == ("residents.csv", 5, "age_60")
    assert findings.result("culture").count.people == EVERYONE - 30


def test_a_facility_listed_twice_counts_once(town):
    """A second library beside the first, by another row of another name, would fill no place of the rule."""
    with (town / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("X1,Toy gym west,gym,500520,3377000,2024,,24/7\n")
    findings = run_audit(town)
    assert "X1" not in findings.facilities.index
    (reject,) = findings.rejects.to_dict("records")
    assert (reject["file"], reject["row"]) == ("facilities.csv", 9)
    assert "G1" in reject["reason"]
    assert findings.result("culture").accountings["reach"].people == 175


def test_an_accepted_list_may_stand_in_a_file_of_its_own(town):
    (town / "listed.csv").write_text("name,district\nBeta,West Bank\nCovey,East Bank\n", "utf-8")
    files = 'file = "villages.csv"'
    edit(town / "study.toml", files, f'{files}\naccepted = {{ culture = "listed.csv" }}')
    edit(town / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 0.5")
    findings = run_audit(town)
    assert findings.result("culture").accountings["accepted"] == Accounting(1, 115, 0.25)  # Beta alone
    (reject,) = findings.rejects.query("file == 'listed.csv'").to_dict("records")
    assert (reject["row"], reject["value"]) == (3, "Covey")
    assert "Cove" in reject["remedy"]
    edit(town / "study.toml", "culture = ", "cultur = ")
    with pytest.raises(UnusableInputError, match=r"study\.toml, villages\.accepted\.cultur: .*'culture'"):
        run_audit(town)
