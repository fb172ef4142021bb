"""Whole people among rows: to the person, nobody above the cap, and no neighbourhood emptied."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecircle.demand import apportion
from lifecircle.demand._apportion import NEIGHBOURS, along_curve, capped_quotas, largest_remainders


def by_hand(quotas, total):
    """Give each its floor, then one more to whoever has the largest remainder."""
    counts = [math.floor(quota) for quota in quotas]
    order = sorted(range(len(quotas)), key=lambda at: -(quotas[at] - counts[at]))
    for at in order[: total - sum(counts)]:
        counts[at] += 1
    return counts


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8, unique=True), st.integers(0, 500))
def test_largest_remainders_are_those_counted_by_hand(weights, total):
    quotas = np.array(weights, dtype=float) / sum(weights) * total
    remainders = np.round(quotas - np.floor(quotas), 6)
    if len(set(remainders)) < len(remainders) or (remainders > 1 - 1e-6).any():
        return  # of equal remainders any may have it
    found = largest_remainders(quotas, np.zeros(len(weights), dtype=int), np.array([total]))
    assert found.tolist() == by_hand(quotas.tolist(), total)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 50)), min_size=1, max_size=60),
    st.lists(st.integers(0, 300), min_size=4, max_size=4),
)
def test_every_part_has_exactly_its_people(rows, totals):
    parts = np.unique([part for part, _ in rows], return_inverse=True)[1]
    totals = np.array(totals[: parts.max() + 1])
    people = apportion([weight for _, weight in rows], parts, totals)
    assert np.bincount(parts, weights=people, minlength=len(totals)).tolist() == totals.tolist()
    assert (people >= 0).all()


@settings(max_examples=200)
@example([(5e-324, 1)], 1.0, Random(1))
@example([(2e-309, 3), (1.0, 1)], 1.0, Random(1))
@given(
    st.lists(st.tuples(st.floats(0, 50), st.integers(0, 9)), min_size=1, max_size=60),
    st.floats(0, 1),
    st.randoms(),
)
def test_nobody_is_put_above_the_cap(rows, share, random):
    weights, caps = np.array(rows, dtype=float).T
    total = int(caps.sum() * share)
    xy = np.array([[random.random(), random.random()] for _ in rows])
    one = np.zeros(len(rows), dtype=int)
    people = apportion(weights, one, np.array([total]), xy=xy, caps=caps)
    assert people.sum() == total
    assert (people <= caps).all()


def test_a_full_row_gives_what_it_cannot_take_to_the_others_by_weight():
    quotas = capped_quotas(np.array([6.0, 3.0, 1.0]), np.array([3.0, 9, 9]), np.zeros(3, int), np.array([11]))
    # 3 to the first; 8 by 3 to 1 among the others.
    assert quotas.tolist() == pytest.approx([3.0, 6.0, 2.0])


def test_many_places_with_a_fraction_of_a_person_do_not_lose_them_to_the_dense_ones():
    # A village of 400 cells with 0.2 people each beside a town of 40 cells with 23.4 each.
    weights = np.array([0.2] * 400 + [23.4] * 40)
    xy = np.array(
        [[x, y] for x in range(20) for y in range(20)] + [[100 + x, y] for x in range(5) for y in range(8)]
    )
    people = apportion(weights, np.zeros(440, dtype=int), np.array([1016]), xy=xy.astype(float))
    assert people[:400].sum() == pytest.approx(80, abs=1)
    for quarter in (people[:100], people[100:200], people[200:300], people[300:400]):
        assert quarter.sum() == pytest.approx(20, abs=NEIGHBOURS / 2)
    # By the plain method the village would have none of its people, as its remainders are the smallest.
    plain = largest_remainders(weights, np.zeros(440, dtype=int), np.array([1016]))
    assert plain[:400].sum() != people[:400].sum()


def test_equal_remainders_are_taken_along_the_whole_order():
    people = largest_remainders(np.full(100, 0.25), np.zeros(100, dtype=int), np.array([25]))
    assert all(people[at : at + 20].sum() in range(3, 8) for at in range(0, 100, 20))


def test_neighbours_stay_near_along_the_curve():
    xy = np.array([[x, y] for x in range(32) for y in range(32)], dtype=float)
    order = np.argsort(along_curve(xy))
    steps = np.hypot(*np.diff(xy[order], axis=0).T)
    assert np.median(steps) == 1.0
    assert along_curve(np.array([[np.nan, np.nan]])).tolist() == [0]


def test_where_nobody_has_weight_all_are_equal():
    assert apportion([0.0, 0.0], np.zeros(2, dtype=int), np.array([4])).tolist() == [2, 2]
