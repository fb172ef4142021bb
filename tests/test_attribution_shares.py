"""Shares of a change, against a brute-force walk through every order."""

import itertools

import numpy as np
import pytest

from lifecircle.attribution import coalitions, group_shares, owen_shares, shapley_shares

GROUPS = {"venues": ("opened", "closed", "hours"), "people": ("people",), "data": ("pins", "late")}


def orders(groups):
    """Walk through every order of the members that keeps each group together."""
    for outer in itertools.permutations(groups):
        for inner in itertools.product(*(itertools.permutations(groups[name]) for name in outer)):
            yield [member for part in inner for member in part]


def walked(groups, values):
    """Collect what each member adds in every order."""
    added = {member: [] for members in groups.values() for member in members}
    for order in orders(groups):
        before = frozenset()
        for member in order:
            added[member].append(values[before | {member}] - values[before])
            before |= {member}
    return {member: np.array(rows) for member, rows in added.items()}


def random_table(groups, seed, figures=3):
    random = np.random.default_rng(seed)
    return {one: random.normal(size=figures) for one in coalitions(groups)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "groups",
    [
        GROUPS,
        {"a": ("a",)},
        {"a": ("a1", "a2", "a3", "a4")},
        {name: (name,) for name in "abcd"},
        {"a": ("a1", "a2"), "b": ("b1", "b2"), "c": ("c",)},
    ],
)
def test_nested_shares_are_the_mean_over_all_orders(groups, seed):
    values = random_table(groups, seed)
    shares = owen_shares(groups, values)
    for member, rows in walked(groups, values).items():
        assert shares[member].mean == pytest.approx(rows.mean(axis=0), abs=1e-12)
        assert shares[member].low == pytest.approx(rows.min(axis=0), abs=1e-12)
        assert shares[member].high == pytest.approx(rows.max(axis=0), abs=1e-12)
        assert (shares[member].turns == ((rows.min(axis=0) < 0) & (rows.max(axis=0) > 0))).all()
    everyone = frozenset(itertools.chain.from_iterable(groups.values()))
    whole = values[everyone] - values[frozenset()]
    assert sum(share.mean for share in shares.values()) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_group_gets_what_its_members_get_together(seed):
    values = random_table(GROUPS, seed)
    shares, whole = owen_shares(GROUPS, values), group_shares(GROUPS, values)
    for name, members in GROUPS.items():
        assert sum(shares[member].mean for member in members) == pytest.approx(whole[name].mean, abs=1e-12)


def test_a_factor_that_adds_nothing_gets_nothing():
    random = np.random.default_rng(0)
    base = {one: random.normal(size=2) for one in coalitions({name: (name,) for name in "ab"})}
    values = {one: base[one - {"idle"}] for one in coalitions({name: (name,) for name in ("a", "b", "idle")})}
    shares = shapley_shares(["a", "b", "idle"], values)
    assert (
        shares["idle"].mean.tolist() == shares["idle"].low.tolist() == shares["idle"].high.tolist() == [0, 0]
    )
    alone = shapley_shares(["a", "b"], base)
    assert shares["a"].mean == pytest.approx(alone["a"].mean, abs=1e-12)


def test_only_the_coalitions_that_are_needed_are_listed():
    listed = list(coalitions(GROUPS))
    assert len(listed) == len(set(listed))
    # 8 unions of whole groups; 6 parts of the venues and 2 of the data, each beside 4 unions of the others
    assert len(listed) == 8 + 6 * 4 + 2 * 4
    assert listed[0] == frozenset()


def test_nothing_to_divide():
    assert shapley_shares([], {frozenset(): np.zeros(1)}) == {}
    assert [sorted(one) for one in coalitions({})] == [[]]
