"""Service within capacity: nobody twice, no place twice, and no order beats the optimum."""

import importlib.util
import itertools
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.errors import LifecircleError, MissingExtraError, UnusableInputError
from lifecircle.measures import serve_best, serve_in_order, spread_of_orders

if importlib.util.find_spec("ortools") is None:
    pytest.skip("the optimum is an extra", allow_module_level=True)


def town(seed, residents=6, venues=4):
    random = np.random.default_rng(seed)
    costs = np.round(random.random((residents, venues)) * 900, 3)
    costs[random.random((residents, venues)) > 0.6] = np.inf
    return (
        costs,
        random.integers(0, 12, residents).astype(float),
        random.integers(0, 15, venues).astype(float),
    )


def check(served, costs, people, places, limit):
    """Assert what holds of every way to serve."""
    flows = served.flows.toarray()
    assert (flows >= 0).all()
    assert (flows[~(costs <= limit)] == 0).all()
    assert flows.sum(axis=1) == pytest.approx(served.residents["served"].to_numpy())
    assert flows.sum(axis=0) == pytest.approx(served.venues["load"].to_numpy())
    assert (served.venues["load"] <= places + 1e-9).all()
    table = served.residents
    assert (table["served"] + table["full"] + table["unreachable"]).to_numpy() == pytest.approx(people)
    assert ((table["unreachable"] > 0) <= ~(costs <= limit).any(axis=1)).all()
    assert (served.venues["load"] + served.venues["unused"]).to_numpy() == pytest.approx(places)
    assert served.cost == pytest.approx((flows * np.where(costs < np.inf, costs, 0)).sum())


def linear_optimum(costs, people, places, limit):
    """Find the most people, and then the least cost, as two linear programmes."""
    pairs = np.argwhere(costs <= limit)
    if not len(pairs):
        return 0.0, 0.0
    rows = np.zeros((costs.shape[0] + costs.shape[1], len(pairs)))
    for at, (resident, venue) in enumerate(pairs):
        rows[resident, at] = rows[costs.shape[0] + venue, at] = 1
    room = np.concatenate([people, places])
    most = -scipy.optimize.linprog(-np.ones(len(pairs)), A_ub=rows, b_ub=room).fun
    spent = scipy.optimize.linprog(
        costs[costs <= limit], A_ub=rows, b_ub=room, A_eq=np.ones((1, len(pairs))), b_eq=[most]
    ).fun
    return most, spent


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_optimum_is_that_of_the_linear_programme_and_no_order_beats_it(seed):
    costs, people, places = town(seed)
    best = serve_best(costs, people, places, limit=600)
    check(best, costs, people, places, 600)
    most, spent = linear_optimum(costs, people, places, 600)
    assert best.people == pytest.approx(most)
    assert best.cost == pytest.approx(spent, abs=1e-3 * max(1.0, most))
    random = np.random.default_rng(seed)
    for order in (None, np.arange(6), random.permutation(6)):
        one = serve_in_order(costs, people, places, limit=600, order=order)
        check(one, costs, people, places, 600)
        assert one.people <= best.people + 1e-9
        if one.people == pytest.approx(best.people):
            assert one.cost >= best.cost - 1e-3 * max(1.0, most)


@given(st.integers(0, 10**6), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_a_place_added_never_lowers_the_optimum(seed, at):
    costs, people, places = town(seed)
    more = places.copy()
    more[at] += 1
    before, after = (serve_best(costs, people, one, limit=600).people for one in (places, more))
    assert before <= after <= before + 1


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_nearest_first_is_the_plain_rule(seed):
    costs, people, places = town(seed)
    needs, left = people.copy(), places.copy()
    flows = np.zeros(costs.shape)
    pairs = [pair for pair in np.ndindex(costs.shape) if costs[pair] <= 600]
    for resident, venue in sorted(pairs, key=lambda pair: (costs[pair], pair)):
        flows[resident, venue] = min(needs[resident], left[venue])
        needs[resident] -= flows[resident, venue]
        left[venue] -= flows[resident, venue]
    assert serve_in_order(costs, people, places, limit=600).flows.toarray() == pytest.approx(flows)


def test_every_order_of_a_small_town():
    costs, people, places = town(3, residents=4, venues=3)
    best = serve_best(costs, people, places, limit=900)
    orders = [
        serve_in_order(costs, people, places, limit=900, order=np.argsort(order)).people
        for order in itertools.permutations(range(4))
    ]
    assert max(orders) <= best.people
    spread = spread_of_orders(costs, people, places, limit=900, orders=10)
    assert min(orders) <= spread.least <= spread.nearest <= spread.most <= spread.best == best.people


def test_parts_of_people_and_unknown_places():
    costs = np.array([[60.0, 120.0], [60.0, np.inf]])
    best = serve_best(costs, [1.5, 2.25], [2.5, np.nan], limit=600)
    assert best.people == pytest.approx(2.5)
    assert best.venues["places"].tolist() == [2.5, 0.0]
    assert best.residents["full"].sum() == pytest.approx(1.25)
    assert best.status == "optimal"


def test_labels_and_nobody():
    costs = pd.DataFrame([[60.0]], index=["a"], columns=["x"])
    one = serve_in_order(costs, pd.Series({"a": 3.0}), pd.Series({"x": 2.0}), limit=60)
    assert one.residents.loc["a", "served"] == 2  # the limit is inclusive
    assert one.venues.loc["x", "utilisation"] == 1
    none = serve_in_order(costs, pd.Series({"a": 3.0}), pd.Series({"x": 2.0}), limit=59)
    assert none.residents.loc["a", "unreachable"] == 3
    assert np.isnan(none.residents.loc["a", "cost"])


def test_faults():
    with pytest.raises(UnusableInputError, match="one rank"):
        serve_in_order([[1.0]], [1], [1], limit=1, order=[1, 2])
    with pytest.raises(UnusableInputError) as caught:
        serve_best([[1.0]], [-1], [-1], limit=1)
    assert len(caught.value.faults) == 2


def test_the_optimum_leaves_the_solver_of_sites_usable():
    pytest.importorskip("highspy", reason="the solver is an extra")
    serve_best([[1.0]], [1], [1], limit=1)
    assert not [name for name in sys.modules if name.startswith("ortools")]


def test_a_missing_extra_and_a_failure_are_named(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("lifecircle.measures._service.importlib.util.find_spec", lambda _name: None)
        with pytest.raises(MissingExtraError, match=r"lifecircle\[flow\]"):
            serve_best([[1.0]], [1], [1], limit=1)
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(LifecircleError, match="the flow was not solved: status 1"):
        serve_best([[1.0]], [1], [1], limit=1)
