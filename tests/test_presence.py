"""Presence: units with enough venues, list before place, contradictions named; by hand and by brute force."""

import random

import numpy as np
import pandas as pd
import pytest

from conftest import seeds
from lifecircle.measures import UnitCodes, presence, units_near

UNITS = pd.Index(["A", "B", "C", "D"])
HALL = {"needed": {"hall": 1}, "services": {"hall": ["hall"]}}


def venues(*rows):
    """Give venues as (service, serves, stands in)."""
    table = pd.DataFrame(rows, columns=["service", "serves", "place"])
    return table.set_axis([f"v{number}" for number in range(len(table))])


def found(table, *, rule=HALL, units=UNITS, **more):
    about = {name: more.pop(name) for name in ("counted", "aliases", "known") if name in more}
    return presence(table, UnitCodes(units, **about), place=table["place"], **rule, **more)


def rows_of(result):
    return [(row.venue, row.listed, row.stands_in, row.kind) for row in result.disagreements.itertuples()]


def test_a_venue_counts_where_it_stands_when_it_lists_nothing():
    result = found(venues(("hall", "", "A"), ("hall", "", "A"), ("shop", "", "B")))
    assert result.units["hall"].tolist() == [2, 0, 0, 0]
    assert (result.value, result.without) == (0.25, ["B", "C", "D"])
    assert result.units["lacks"].tolist() == ["", "hall", "hall", "hall"]
    assert result.by_position == ("hall",)
    assert rows_of(result) == []


def test_what_a_venue_lists_goes_before_where_it_stands():
    result = found(venues(("hall", "B", "A"), ("hall", "", "C"), ("hall", "D", "D")))
    assert result.units["hall"].tolist() == [0, 1, 1, 1]
    assert result.by_position == ()
    assert rows_of(result) == [("v0", "B", "A", "elsewhere")]


@pytest.mark.parametrize("text", ["A,B", "A B", "A、B", "A；B", "A，B ", " A;B;A", "A|B", "A/B"])
def test_several_units_may_be_listed(text):
    result = found(venues(("hall", text, "C")))
    assert result.units["hall"].tolist() == [1, 1, 0, 0]
    assert rows_of(result) == [("v0", "A B", "C", "elsewhere")]


def test_the_list_alone_decides_where_the_target_says_so():
    table = venues(("hall", "B", "B"), ("hall", "", "C"), ("hall", "", ""))
    result = found(table, assign="serves")
    assert result.units["hall"].tolist() == [0, 1, 0, 0]
    assert rows_of(result) == [("v1", "", "C", "unlisted")]


def test_a_list_that_nobody_keeps_decides_nothing():
    result = found(venues(("hall", "", "C"), ("shop", "A", "A")), assign="serves")
    assert (result.units["hall"].tolist(), result.by_position) == ([0, 0, 1, 0], ("hall",))
    assert rows_of(result) == []


def test_place_alone():
    result = found(venues(("hall", "B", "A")), assign="position")
    assert result.units["hall"].tolist() == [1, 0, 0, 0]
    assert rows_of(result) == [("v0", "B", "A", "elsewhere")]


def test_a_closed_venue_serves_nobody_and_its_unit_is_named():
    table = venues(("hall", "B", "B"), ("hall", "C", "C"), ("hall", "C", "C"))
    result = found(table, opened=np.array([False, True, False]))
    assert result.units["hall"].tolist() == [0, 0, 1, 0]
    assert result.units["closed"].tolist() == [0, 1, 0, 0]
    assert rows_of(result) == [("v0", "B", "B", "not_open")]


def test_a_code_of_another_kind_says_nothing_and_a_code_of_none_is_named():
    table = venues(("hall", "town-7", "A"), ("hall", "zzz", "B"))
    result = found(table, known=["town-7"])
    assert result.units["hall"].tolist() == [1, 1, 0, 0]
    assert rows_of(result) == [("v1", "zzz", "B", "unknown_unit")]


def test_an_alias_is_the_unit_it_means():
    result = found(venues(("hall", "village-1", ""), ("hall", "village-1 village-2", "")), aliases={
        "village-1": "A", "village-2": "A",
    })  # fmt: skip
    assert result.units["hall"].tolist() == [2, 0, 0, 0]


def test_units_called_by_names_with_blanks_stay_whole():
    units = pd.Index(["Old Town", "New Town", "A, B"])
    table = venues(("hall", "Old Town", "New Town"), ("hall", "", "A, B"), ("hall", "Old Town, New Town", ""))
    assert found(table, units=units).units["hall"].tolist() == [2, 1, 1]


def test_a_venue_may_stand_in_several_units():
    table = venues(("hall", "", "")).assign(place=pd.Series([("A", "C")], index=["v0"]))
    assert found(table).units["hall"].tolist() == [1, 0, 1, 0]


def test_a_unit_needs_every_key_and_as_many_as_asked():
    rule = {
        "needed": {"hall": 1, "care": 2},
        "services": {"hall": {"hall"}, "care": {"gym", "centre"}},
    }
    table = venues(
        ("hall", "", "A"), ("gym", "", "A"), ("centre", "", "A"),
        ("hall", "", "B"), ("gym", "", "B"),
        ("gym", "", "C"), ("gym", "", "C"), ("gym", "", "C"),
    )  # fmt: skip
    result = found(table, rule=rule)
    assert result.units["holds"].tolist() == [True, False, False, False]
    assert result.units["lacks"].tolist() == ["", "care", "hall", "hall|care"]
    assert result.value == 0.25


def test_only_the_units_a_target_is_about_are_counted():
    table = venues(("hall", "", "A"), ("hall", "", "B"))
    result = found(table, counted=np.array([True, False, False, True]))
    assert result.units.index.tolist() == ["A", "D"]
    assert result.value == 0.5
    assert found(table, counted=np.zeros(4, dtype=bool)).value is None


def test_a_register_without_the_column_is_counted_by_place():
    table = venues(("hall", "", "A")).drop(columns="serves")
    assert found(table).units["hall"].tolist() == [1, 0, 0, 0]


def test_no_venue_at_all():
    result = found(venues())
    assert (result.value, result.without) == (0.0, list(UNITS))
    assert result.units["hall"].dtype == np.int64


@pytest.mark.parametrize("seed", seeds(40, whole=2000))
def test_as_brute_force_counts(seed):
    rng = random.Random(seed)
    codes = ["A", "B", "C", "D", "zzz", ""]
    rows = [
        (
            rng.choice(["hall", "gym"]),
            " ".join(rng.sample(codes, rng.randint(0, 2))).strip(),
            rng.choice(["A", "B", "C", "D", ""]),
        )
        for _ in range(rng.randint(0, 12))
    ]
    table = venues(*rows)
    opened = np.array([rng.random() < 0.7 for _ in rows], dtype=bool)
    assign = rng.choice(["serves_first", "serves", "position"])
    needed = {"hall": rng.randint(1, 2), "any": rng.randint(1, 3)}
    services = {"hall": ["hall"], "any": ["hall", "gym"]}
    result = found(table, rule={"needed": needed, "services": services}, opened=opened, assign=assign)
    for key, least in needed.items():
        mine = [row for row in rows if row[0] in services[key]]
        listing = any(set(row[1].split()) & set(UNITS) for row in mine)
        for unit in UNITS:
            count = 0
            for row, now in zip(rows, opened, strict=True):
                says = set(row[1].split()) & set(UNITS)
                by_list = (assign == "serves" and listing) or (assign == "serves_first" and says)
                there = unit in says if by_list else unit == row[2]
                count += bool(there and now and row[0] in services[key])
            assert result.units.loc[unit, key] == count
            assert (key in result.units.loc[unit, "lacks"].split("|")) == (count < least)


def test_outlets_near_a_venue_are_named_nearest_first_and_the_distance_is_inclusive():
    outlets = np.array([[0.0, 50.0], [30.0, 0.0], [0.0, 50.1], [np.nan, np.nan]])
    codes = pd.Index(["far", "near", "out", "lost"])
    places = np.array([[0.0, 0.0], [np.nan, np.nan], [900.0, 0.0]])
    assert units_near(places, outlets, codes, within_m=50) == [("near", "far"), (), ()]
    assert units_near(places, outlets[:0], codes[:0], within_m=50) == [(), (), ()]
