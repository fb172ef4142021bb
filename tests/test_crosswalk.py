"""Old units on those of today: nobody is lost on the way, and what cannot be known is not guessed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.demand import accepted_today, move_counts, move_figures, move_names, read_crosswalk
from lifecircle.errors import UnusableInputError

TODAY = pd.DataFrame({"name": ["East", "West", "North"]}, index=["1", "2", "3"])
COLUMNS = ["target", "year", "district", "village", "item", "value", "unit", "source", "file", "row"]


def crosswalk(*rows, units=TODAY, **more):
    frame = pd.DataFrame(rows, columns=["from", "to", "share", "date"]).assign(**more)
    return read_crosswalk(frame, [units])


MERGED = [("8", "1", 1.0, "2020-06-01"), ("9", "1", 1.0, "2020-06-01")]
SPLIT = [("8", "1", 0.25, "2020-06-01"), ("8", "2", 0.75, "2020-06-01")]


def test_changes_after_the_year_apply_and_those_before_do_not():
    gave = crosswalk(("1", "1", 0.9, "2020-06-01"), ("1", "2", 0.1, "2020-06-01"))
    assert gave.shares("1", 2019) == {"1": 0.9, "2": 0.1}
    assert gave.shares("1", 2020) == {"1": 1.0}
    assert gave.shares("2", 2019) == {"2": 1.0}
    assert gave.origins("2", 2019) == {"1"}
    assert gave.origins("2", 2020) == set()


def test_a_code_that_is_gone_is_moved_whatever_the_year():
    old = crosswalk(*SPLIT)
    assert old.shares("8", 2019) == old.shares("8", 2024) == old.shares("8", None) == {"1": 0.25, "2": 0.75}


def test_changes_follow_one_another():
    twice = crosswalk(("7", "8", 1.0, "2015-01-01"), *SPLIT)
    assert twice.shares("7", 2012) == {"1": 0.25, "2": 0.75}
    assert twice.origins("1", 2012) == {"7"}
    assert twice.origins("1", 2016) == {"8"}


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (
            [("8", "1", 0.5, "2020"), ("8", "2", 0.4, "2020")],
            "rows 1, 2, column 'share': the shares of unit 8 add up to 0.9",
        ),
        ([("8", "Nroth", 1.0, "2020")], "row 1, column 'to': unknown unit.*did you mean 'North'"),
        ([("8", "7", 1.0, "2020"), ("7", "1", 1.0, "2019")], "row 1, column 'to': unknown unit"),
        ([("8", "1", 1.5, "2020")], "row 1, column 'share': more than 1"),
        ([("8", "1", -1, "2020")], "row 1, column 'share': negative"),
        ([("8", "1", 1.0, "")], "row 1, column 'date': blank"),
        ([("8", "1", 0.5, "2020"), ("8", "1", 0.5, "2020")], "row 2, column 'to': the same change twice"),
    ],
)
def test_rows_at_fault_are_named(rows, match):
    with pytest.raises(UnusableInputError, match=match):
        crosswalk(*rows)


def test_all_faults_come_at_once():
    with pytest.raises(UnusableInputError) as caught:
        crosswalk(("8", "none", 0.5, "2020"), ("9", "2", 0.5, "x"))
    assert len(caught.value.faults) == 3


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 5000), st.integers(1, 9), st.floats(0, 1))
def test_people_are_kept_to_the_person(people, tenths, share):
    rows = [("8", "1", tenths / 10, "2020"), ("8", "2", 1 - tenths / 10, "2020"), ("9", "2", 1.0, "2020")]
    aged = int(people * share)
    counts = pd.DataFrame({"population": [people, 7], "over60": [aged, 1]}, index=["8", "9"])
    moved = move_counts(counts, crosswalk(*rows), year=2018).table
    assert moved.sum().tolist() == [people + 7, aged + 1]
    assert (moved["over60"] <= moved["population"]).all()


def figures(*rows, unit="share", level="district"):
    table = pd.DataFrame(rows, columns=["unit_code", "year", "value"])
    table = table.assign(target="t", district="", village="", item="", unit=unit, source="", file="f.csv")
    table[level] = table.pop("unit_code")
    return table.assign(row=np.arange(2, 2 + len(table)))[COLUMNS]


def moved(table, cross, *, adds=False):
    found = move_figures(table, cross, adds_up=lambda _target, _unit: adds, district_of={})
    return found.table.set_index(["district", "year"])["value"].to_dict(), found


def test_a_new_code_alone_keeps_the_figure():
    values, found = moved(
        figures(("8", 2019, 0.4), ("2", 2019, 0.7)), crosswalk(("8", "1", 1.0, "2020-06-01"))
    )
    assert values == {("1", 2019): 0.4, ("2", 2019): 0.7}
    assert found.olds == {"8"}
    assert found.rejects.empty


def test_amounts_of_parts_add_up_and_rates_are_means_by_people():
    table = figures(("8", 2019, 0.4), ("9", 2019, 0.8))
    assert moved(table, crosswalk(*MERGED), adds=True)[0] == {("1", 2019): pytest.approx(1.2)}
    people = crosswalk(*MERGED, people=[300, 100])
    assert moved(table, people)[0] == {("1", 2019): pytest.approx((0.4 * 300 + 0.8 * 100) / 400)}
    assert moved(figures(("8", 2019, 0.5), ("9", 2019, 0.5)), crosswalk(*MERGED))[0] == {("1", 2019): 0.5}


def test_a_split_amount_is_divided_and_a_rate_holds_for_every_part():
    table = figures(("8", 2019, 0.4))
    assert moved(table, crosswalk(*SPLIT), adds=True)[0] == {
        ("1", 2019): 0.1,
        ("2", 2019): pytest.approx(0.3),
    }
    assert moved(table, crosswalk(*SPLIT))[0] == {("1", 2019): 0.4, ("2", 2019): 0.4}


def test_what_cannot_be_known_is_rejected_and_named():
    values, found = moved(figures(("8", 2019, 0.4), ("9", 2019, 0.8)), crosswalk(*MERGED))
    assert values == {}
    assert found.rejects["row"].tolist() == [2, 3]
    assert found.rejects["remedy"].unique().tolist() == ["add the column people to the crosswalk"]
    values, found = moved(figures(("8", 2019, 0.4)), crosswalk(*MERGED), adds=True)
    assert values == {}
    assert found.rejects["reason"].tolist() == ["unit 1 of today has a part without a figure that year: 9"]


def test_a_unit_that_took_in_another_is_not_what_it_was():
    took = crosswalk(("8", "1", 1.0, "2020-06-01"))
    values, found = moved(figures(("1", 2019, 3.0), ("1", 2021, 9.0)), took, adds=True)
    assert values == {("1", 2021): 9.0}
    assert found.rejects["reason"].tolist() == ["unit 1 of today has a part without a figure that year: 8"]
    assert moved(figures(("1", 2019, 3.0), ("8", 2019, 4.0)), took, adds=True)[0] == {("1", 2019): 7.0}


def test_villages_take_the_district_of_today():
    found = move_figures(
        figures(("8", 2019, 5.0), level="village"),
        crosswalk(("8", "1", 1.0, "2020-06-01")),
        adds_up=lambda _target, _unit: True,
        district_of={"1": "d"},
    )
    assert found.table[["district", "village", "value"]].to_numpy().tolist() == [["d", "1", 5.0]]


def test_a_village_is_accepted_where_all_its_old_villages_are():
    cross = crosswalk(*MERGED, ("7", "2", 1.0, "2020-06-01"))
    assert accepted_today({"8", "9", "7"}, cross, year=2024)[:2] == ({"1", "2"}, set())
    accepted, partly, olds = accepted_today({"8", "7"}, cross, year=2019)
    assert (accepted, partly, olds) == ({"2"}, {"1"}, {"8", "7"})


def test_names_of_units_that_were_not_divided_are_brought_to_today():
    cross = crosswalk(*SPLIT, ("9", "3", 1.0, "2020-06-01"), from_name=["Old", "Old", "Elder"])
    found = move_names(pd.Series(["9", "Elder", "8", "1", ""], name="district"), cross, year=2024)
    assert found.table["district"].tolist() == ["3", "3", "8", "1", ""]
    assert found.olds == {"9"}
