"""Supply: amounts per people by unit, what is unknown, and when it leaves a verdict open."""

import math

import numpy as np
import pandas as pd
import pytest

from lifecircle.errors import UnusableInputError
from lifecircle.measures import capacity, undecided

PEOPLE = pd.Series({"A": 2000.0, "B": 3000.0, "C": 0.0})


def venues(*rows):
    return pd.DataFrame(rows, columns=["district", "capacity"])


def test_places_per_thousand_by_district_and_in_all():
    table = capacity(venues(("A", 10.0), ("A", 4.0), ("B", 3.0)), PEOPLE)
    assert table.index.tolist() == ["A", "B", "C", "all"]
    assert table["amount"].tolist() == [14.0, 3.0, 0.0, 17.0]
    assert table["value"].tolist()[:2] == [7.0, 1.0]
    assert math.isnan(table.loc["C", "value"])
    assert table.loc["all", "value"] == pytest.approx(3.4, abs=1e-12)
    assert table["venues"].tolist() == [2, 1, 0, 3]


def test_an_unknown_amount_is_counted_and_is_not_zero():
    table = capacity(venues(("A", 10.0), ("A", None), ("B", np.nan), ("B", "")), PEOPLE)
    assert table["unknown"].tolist() == [1, 2, 0, 3]
    assert table.loc["all", ["amount", "value"]].tolist() == [10.0, 2.0]
    assert (table["venues"].dtype, table["unknown"].dtype) == (np.int64, np.int64)


def test_another_column_per_other_people():
    table = capacity(
        pd.DataFrame({"town": ["A", "B"], "carers": ["3", 2]}),
        PEOPLE,
        column="carers",
        per=10_000,
        unit="town",
    )
    assert table.loc["all", "value"] == 10.0


def test_a_venue_outside_all_units_stays_in_the_total():
    table = capacity(venues(("(outside)", 5.0)), PEOPLE)
    assert table.index.tolist() == ["A", "B", "C", "(outside)", "all"]
    assert table.loc["all", "amount"] == 5.0
    assert math.isnan(table.loc["(outside)", "value"])


def test_no_venue_is_nothing_for_everybody():
    table = capacity(venues(), PEOPLE)
    assert table["value"].tolist()[:2] == [0.0, 0.0]
    assert table.loc["all", ["venues", "unknown", "value"]].tolist() == [0, 0, 0.0]


@pytest.mark.parametrize("wrong", ["about 40", -1, "-3", "inf"])
def test_text_and_negative_amounts_are_reported_with_their_venue(wrong):
    table = venues(("A", 10.0), ("B", wrong)).set_axis(["v1", "v2"])
    with pytest.raises(UnusableInputError, match=r"venue v2, column 'capacity'.*at least 0"):
        capacity(table, PEOPLE)


def test_missing_columns_are_reported_together():
    with pytest.raises(UnusableInputError) as caught:
        capacity(pd.DataFrame({"x": [1]}), PEOPLE)
    assert [fault.place for fault in caught.value.faults] == ["column 'capacity'", "column 'district'"]


@pytest.mark.parametrize(
    ("lower", "upper", "turn", "falls", "open_question"),
    [
        (4.5, math.inf, 4.5, False, False),  # the known part alone meets it
        (4.4, math.inf, 4.5, False, True),
        (4.4, 4.4, 4.5, False, False),  # nothing is unknown
        (0.2, 0.49, 0.5, False, False),  # not even everything would meet it
        (0.2, 0.5, 0.5, False, True),
        (3.0, 5.0, 4.0, True, True),
        (4.0, 5.0, 4.0, True, True),  # good enough itself, and more would not be
        (4.1, 5.0, 4.0, True, False),
        (3.0, 4.0, 4.0, True, False),
        (0.1, math.inf, None, False, False),
        (math.nan, math.nan, 1.0, False, False),
    ],
)
def test_what_is_unknown_leaves_a_verdict_open_only_where_it_could_turn_it(
    lower, upper, turn, falls, open_question
):
    assert undecided(lower, upper, turn, falls=falls) is open_question
