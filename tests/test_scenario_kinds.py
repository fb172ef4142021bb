"""Scenarios and targets that are no circles, on the toy town with one target of each kind (``test_kinds``).

Its only gym stands in West Bank, its clinic with 12 nurses in East Bank; of 255 people in the districts 215
live in West Bank, all of whom reach the library, and 40 in East Bank, none of whom does.
"""

import json

import openpyxl
import pyproj
import pytest
import shapely

from lifecircle.scenario import (
    Change,
    GapMove,
    NamedUnit,
    read_changes,
    run_scenario,
    summary_lines,
    write_scenario,
)
from test_kinds import town

__all__ = ["town"]  # a fixture

DEGREES = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)
R4 = shapely.Point(DEGREES.transform(502000, 3378000))
EAST, WEST = NamedUnit("02", "East Bank"), NamedUnit("01", "West Bank")


def opened(service, **more):
    return Change("open", services=(service,), name="New", shape=R4, **more)


def test_a_facility_that_opens_wins_its_unit(town):
    gym = run_scenario(town, [opened("gym")]).target("gym_in_town")
    assert (gym.value_before, gym.value_after) == (0.5, 1.0)
    assert (gym.status_before, gym.status_after) == ("missed", "met")
    assert (gym.units.unit, gym.units.total) == ("district", 2)
    assert (gym.units.holding_before, gym.units.holding_after) == (1, 2)
    assert (gym.units.gained, gym.units.lost) == ((EAST,), ())
    assert [(one.code, one.value_before, one.value_after) for one in gym.towns] == [
        ("01", 1, 1),
        ("02", 0, 1),
    ]
    assert gym.won is None


def test_units_may_change_places_while_the_share_stays(town):
    gym = run_scenario(town, [Change("move", id="G1", shape=R4)]).target("gym_in_town")
    assert gym.value_before == gym.value_after == 0.5
    assert (gym.units.gained, gym.units.lost) == ((EAST,), (WEST,))
    assert gym.changed


def test_places_missing_after_a_closure(town):
    nurses = run_scenario(town, [Change("close", id="C2")]).target("nurses")
    assert (nurses.value_before, nurses.value_after) == (12 * 1000 / 255, 0)
    assert (nurses.missing_before, nurses.missing_after) == (0, 4)  # 12 of 1,000 of 255 people are 3.06
    assert (nurses.status_before, nurses.status_after) == ("met", "missed")


def test_the_gap_between_the_districts_follows_its_circle(town):
    done = run_scenario(town, [opened("library")])
    gap = done.target("gap")
    assert gap.gaps == (GapMove("reading", 1.0, 0.25),)  # 30 of the 40 of East Bank, all of West Bank
    assert (gap.value_before, gap.value_after) == (1.0, 0.25)
    assert not gap.registered
    # Nothing else differs since the year before: the gap was the same then, and is smaller with the library.
    was, now = (findings.result("gap").gaps["reading"] for findings in (done.before, done.after))
    assert (was.previous, was.not_smaller, now.previous, now.not_smaller) == (1.0, True, 1.0, False)
    assert (gap.status_before, gap.status_after) == ("missed", "met")


def test_registered_figures_stay_and_are_named(town):
    done = run_scenario(town, [opened("gym")])
    visits = done.target("visits")
    assert (visits.value_before, visits.value_after, visits.registered) == (0.88, 0.88, True)
    assert not visits.changed
    assert "Registered figures, which the changes do not move: visit rate." in summary_lines(done, "en")


@pytest.mark.parametrize(("serves", "value"), [("", 0.5), ("02", 1.0), ("01", 0.5)])
def test_a_list_of_units_counts_where_the_list_alone_decides(town, serves, value):
    standard, venues = town / "standard.toml", town / "facilities.csv"
    standard.write_text(
        standard.read_text("utf-8").replace('unit = "district"', 'unit = "district"\nassign = "serves"'),
        "utf-8",
    )
    rows = venues.read_text("utf-8").splitlines()
    venues.write_text(
        "\n".join(
            row + (",serves" if not at else ",01" if row[:2] == "G1" else ",") for at, row in enumerate(rows)
        ),
        "utf-8",
    )
    assert run_scenario(town, [opened("gym", serves=serves)]).target("gym_in_town").value_after == value


def test_a_file_says_which_units_a_facility_serves(tmp_path):
    path = tmp_path / "changes.csv"
    path.write_text(f"action,service,name,serves,lon,lat\nopen,gym,New,01 02,{R4.x},{R4.y}\n", "utf-8")
    (change,) = read_changes(path)
    assert change.serves == "01 02"


def test_what_is_said_and_written(town, tmp_path):
    done = run_scenario(town, [opened("gym"), opened("library"), Change("close", id="C2")])
    text = "\n".join(summary_lines(done, "en"))
    assert "a gym in every district: from 50.0 % to 100.0 % (+50.00 points)." in text
    assert "1 unit holds before and 2 after, of 2." in text
    assert "Units that hold now and did not (1): East Bank." in text
    assert "nurses per 1,000: from 47.05 per 1000 to 0 per 1000." in text
    assert "Missing to the goal of the year: 0 before, 4 after." in text
    assert "The gaps: 15-minute reading circle 100.00 points to 25.00 points." in text
    chinese = "\n".join(summary_lines(done, "zh"))
    assert "新达到 1 个：East Bank。" in chinese
    assert "登记数据不随上述变化变动：就诊率。" in chinese
    folder = write_scenario(done, tmp_path / "out")
    facts = json.loads((folder / "comparison.json").read_text("utf-8"))
    gym = next(one for one in facts["targets"] if one["target"] == "gym_in_town")
    assert gym["units"]["gained"] == [{"code": "02", "name": "East Bank"}]
    book = openpyxl.load_workbook(folder / "comparison.xlsx")
    rows = list(book["targets"].iter_rows(values_only=True))
    heads = next(row for row in rows if "units that hold now" in row)
    names = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    assert names["a gym in every district"]["units that hold now"] == "East Bank"
    assert names["nurses per 1,000"]["missing after"] == 4
    assert "visit rate" in names
    towns = {row[:2]: row for row in book["districts"].iter_rows(values_only=True)}
    assert ("a gym in every district", "East Bank") in towns
