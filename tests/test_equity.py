"""Equity: gaps, Gini and Theil by hand and beside PySAL; whether a gap shrinks from year to year."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.errors import UnusableInputError
from lifecircle.measures import gap_between, gap_over, gini, not_smaller, theil, theil_parts

RATES = np.array([0.2, 0.4, 0.6])
GROUPS = np.array(["rural", "rural", "urban"], dtype=object)


def test_by_hand():
    # Pairs differ by .2, .2, .4, each twice of nine: mean 1.6/9; over 2 x .4.
    assert gini(RATES) == pytest.approx(1.6 / 9 / 0.8, rel=1e-14)
    by_hand = (0.5 * math.log(0.5) + 0 + 1.5 * math.log(1.5)) / 3
    assert theil(RATES) == pytest.approx(by_hand, rel=1e-14)
    between, within = theil_parts(RATES, GROUPS)
    # Two of three with mean .3, one with .6; the mean of all is .4.
    assert between == pytest.approx(2 / 3 * 0.75 * math.log(0.75) + 1 / 3 * 1.5 * math.log(1.5), rel=1e-14)
    own = (2 / 3 * math.log(2 / 3) + 4 / 3 * math.log(4 / 3)) / 2
    assert within == pytest.approx(2 / 3 * 0.75 * own, rel=1e-14)
    assert between + within == pytest.approx(by_hand, rel=1e-13)


def test_people_weigh_as_copies_of_their_unit_would():
    people = np.array([3.0, 1.0, 2.0])
    copies, labels = np.repeat(RATES, people.astype(int)), np.repeat(GROUPS, people.astype(int))
    assert gini(RATES, people) == pytest.approx(gini(copies), rel=1e-13)
    assert theil(RATES, people) == pytest.approx(theil(copies), rel=1e-13)
    assert theil_parts(RATES, GROUPS, people) == pytest.approx(theil_parts(copies, labels), rel=1e-13)


def test_edges():
    same, nothing = np.full(4, 0.7), np.zeros(3)
    assert (gini(same), theil(same)) == (pytest.approx(0, abs=1e-15), pytest.approx(0, abs=1e-15))
    assert (gini(nothing), theil(nothing), theil_parts(nothing, GROUPS)) == (0, 0, (0, 0))
    assert (gini(RATES, np.zeros(3)), theil(np.array([])), theil_parts(RATES[:0], GROUPS[:0])) == (None,) * 3
    assert theil(np.array([0.0, 0.0, 1.0])) == pytest.approx(math.log(3), rel=1e-14)
    assert gini(np.array([0.2, np.nan, 0.2]), np.ones(3)) == pytest.approx(0, abs=1e-15)
    with pytest.raises(UnusableInputError, match="position 1: negative"):
        gini(np.array([0.1, -0.1]))


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=12), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_theil_splits_and_bounds_hold(rates, rng):
    values = np.array(rates)
    groups = np.array([rng.choice("ur") for _ in rates], dtype=object)
    people = np.array([rng.uniform(0.1, 9) for _ in rates])
    between, within = theil_parts(values, groups, people)
    assert between + within == pytest.approx(theil(values, people), abs=1e-12)
    assert between >= -1e-12
    assert within >= -1e-12
    assert 0 <= gini(values, people) + 1e-12 < 1 + 1e-12


def test_as_pysal_has_them():
    inequality = pytest.importorskip("inequality", reason="PySAL's inequality is the oracle")
    rng = np.random.default_rng(11)
    for size in (2, 5, 9, 40):
        values = rng.uniform(0.05, 1, size)
        groups = np.where(np.arange(size) % 3, "rural", "urban").astype(object)
        assert gini(values) == pytest.approx(inequality.gini.Gini(values).g, rel=1e-10)
        assert theil(values) == pytest.approx(inequality.theil.Theil(values).T, rel=1e-10)
        split = inequality.theil.TheilD(values, groups)
        between, within = theil_parts(values, groups)
        assert between == pytest.approx(np.ravel(split.bg)[0], rel=1e-9)
        assert within == pytest.approx(np.ravel(split.wg)[0], rel=1e-9)


def test_the_gap_of_two_sides():
    gap = gap_between(0.6, 0.9, names=("urban", "rural"))
    assert (gap.difference, gap.ratio) == (pytest.approx(0.3), pytest.approx(1.5))
    assert (gap.high, gap.low, gap.gini) == ("rural", "urban", None)
    assert gap_between(0.5, 0.0, names=("urban", "rural")).ratio is None
    assert gap_between(0.5, None, names=("urban", "rural")) is None
    assert gap_between(math.nan, 0.5, names=("urban", "rural")) is None


def test_the_gap_over_districts():
    values = pd.Series({"A": 0.2, "B": 0.4, "C": 0.6, "D": np.nan, "E": 0.0})
    people = pd.Series({"A": 1.0, "B": 1.0, "C": 1.0, "D": 5.0, "E": 0.0})
    kinds = pd.Series({"A": "rural", "B": "rural", "C": "urban", "D": "rural", "E": "urban"})
    gap = gap_over(values, people, kinds)
    assert (gap.difference, gap.ratio) == (pytest.approx(0.4), pytest.approx(3.0))
    assert (gap.high, gap.low) == ("C", "A")
    assert gap.gini == pytest.approx(gini(RATES))
    assert gap.theil == pytest.approx(gap.theil_between + gap.theil_within)
    assert gap_over(values, people).theil_between is None
    assert gap_over(values[:1], people[:1]) is None
    nothing = gap_over(pd.Series({"A": 0.0, "B": 0.5}), pd.Series({"A": 1.0, "B": 1.0}))
    assert (nothing.difference, nothing.ratio, nothing.low) == (0.5, None, "A")


def test_a_gap_that_stays_has_not_shrunk_unless_there_is_none():
    assert not_smaller({2021: 0.4, 2022: 0.3, 2023: 0.3, 2025: 0.1}) == {
        2021: None, 2022: False, 2023: True, 2025: None,
    }  # fmt: skip
    assert not_smaller({2021: 0.0, 2022: 0.0})[2022] is False
    assert not_smaller({2021: 0.3, 2022: 0.3 - 1e-14})[2022] is True
    assert not_smaller({2021: 0.3, 2022: None, 2023: 0.1}) == {2021: None, 2022: None, 2023: None}
    assert not_smaller({2021: 0.3, 2022: 0.309}, tolerance=0.01)[2022] is False
    assert not_smaller({2021: 0.3, 2022: 0.311}, tolerance=0.01)[2022] is True
