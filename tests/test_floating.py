"""Floating catchments: as PySAL has them, as counted by hand, and no supply lost."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from lifecircle.errors import UnusableInputError
from lifecircle.measures import (
    CATCHMENTS,
    cumulative_opportunities,
    floating_catchment,
    gaussian_decay,
    gravity,
    power_decay,
    rational_agent_access,
    step_decay,
)
from lifecircle.reach import Pairs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    access = pytest.importorskip("access", reason="the peer whose figures are compared")

STEPS = {10: 1.0, 20: 0.68, 30: 0.22}


def towns(seed=0, residents=40, venues=12, share=0.6):
    """Give random pairs in a table of costs, with people and supply."""
    random = np.random.default_rng(seed)
    costs = random.random((residents, venues)) * 60
    costs[random.random((residents, venues)) > share] = np.inf
    costs[np.arange(residents), random.integers(0, venues, residents)] = random.random(residents) * 5
    return (
        costs,
        random.integers(10, 500, residents).astype(float),
        random.integers(1, 20, venues).astype(float),
    )


def peer(costs, people, supply):
    """Give PySAL's own object for the same towns."""
    rows, columns = np.nonzero(np.isfinite(costs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return access.Access(
            demand_df=pd.DataFrame({"id": range(len(people)), "pop": people}),
            demand_index="id",
            demand_value="pop",
            supply_df=pd.DataFrame({"id": range(len(supply)), "doc": supply}),
            supply_index="id",
            supply_value="doc",
            cost_df=pd.DataFrame({"o": rows, "d": columns, "t": costs[rows, columns]}),
            cost_origin="o",
            cost_dest="d",
            cost_name="t",
        )


def figures(found, many):
    return found.iloc[:, 0].reindex(range(many)).fillna(0).to_numpy()


@pytest.mark.parametrize("seed", range(5))
def test_every_method_that_pysal_has_gives_the_same(seed):
    costs, people, supply = towns(seed)
    other = peer(costs, people, supply)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = other.two_stage_fca(name="a", cost="t", max_cost=30)
        gauss = other.enhanced_two_stage_fca(
            name="b", cost="t", max_cost=30, weight_fn=access.weights.gaussian(10)
        )
        steps = other.enhanced_two_stage_fca(
            name="c", cost="t", max_cost=30, weight_fn=access.weights.step_fn(STEPS)
        )
        three = other.three_stage_fca(
            name="d", cost="t", max_cost=30, weight_fn=access.weights.step_fn(STEPS)
        )
    many = len(people)
    for theirs, decay, method in (
        (plain, None, "2sfca"),
        (gauss, gaussian_decay(10), "2sfca"),
        (steps, step_decay(STEPS), "2sfca"),
        (three, step_decay(STEPS), "3sfca"),
    ):
        ours = floating_catchment(costs, people, supply, limit=30, decay=decay, method=method)
        assert ours.to_numpy() == pytest.approx(figures(theirs, many), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_the_rational_agent_model_is_that_of_pysal(seed):
    costs, people, supply = towns(seed)
    supply[3] = 0
    people[5] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer(costs, people, supply).raam(name="r", cost="t", tau=60)
    ours = rational_agent_access(costs, people, supply, tau=60)
    wanted = theirs.iloc[:, 0].reindex(range(len(people))).to_numpy()
    assert np.isnan(ours[5])
    assert ours.drop(5).to_numpy() == pytest.approx(np.delete(wanted, 5), rel=1e-12)


HOSPITALS = {
    # Three places with people and doctors, and what it takes from each to each: the tests of PySAL's access.
    "gridlock": [[1, 80, 40], [80, 1, 40], [40, 40, 1]],
    "faster_in": [[1, 80, 20], [80, 1, 20], [40, 40, 1]],
    "faster_out": [[1, 80, 40], [80, 1, 40], [20, 20, 1]],
    "faster": [[1, 40, 20], [40, 1, 20], [20, 20, 1]],
}


@pytest.mark.parametrize("method", ["2sfca", "3sfca"])
def test_the_published_example_of_three_hospitals(method):
    people, doctors = [100, 50, 10], [15, 20, 100]
    found = {}
    for name, costs in HOSPITALS.items():
        table = np.array(costs, dtype=float)
        found[name] = floating_catchment(
            table,
            people,
            doctors,
            limit=60,
            decay=power_decay(1, least=1),
            method=method,
            choice_limit=np.inf,  # as the example has it: who chooses knows of all hospitals
        ).to_numpy()
        # The definition, written out.
        weight = 1 / table
        if method == "3sfca":
            weight = weight * weight / weight.sum(axis=1, keepdims=True)
        weight[table >= 61] = 0
        ratio = np.array(doctors) / (weight * np.array(people)[:, None]).sum(axis=0)
        assert found[name] == pytest.approx((weight * ratio).sum(axis=1))
    if method == "3sfca":
        return
    # What the example's authors say of it: who can get there faster has more, the people of the city less.
    changes = {name: np.sign(np.round(found[name] - found["gridlock"], 12)) for name in found}
    assert changes["faster_in"].tolist() == [1, 1, -1]
    assert changes["faster_out"].tolist() == [-1, -1, 1]
    assert changes["faster"].tolist() == [1, 1, -1]


@given(st.integers(0, 10**6), st.sampled_from(["2sfca", "3sfca"]))
@settings(max_examples=50, deadline=None)
def test_the_supply_that_anybody_reaches_is_kept(seed, method):
    costs, people, supply = towns(seed, 15, 6)
    for decay in (None, gaussian_decay(15), step_decay(STEPS)):
        score = floating_catchment(costs, people, supply, limit=20, decay=decay, method=method)
        weight = np.where(
            costs <= 20, 1.0 if decay is None else decay(np.where(costs < np.inf, costs, 0)), 0.0
        )
        reached = supply[(weight * people[:, None]).sum(axis=0) > 0].sum()
        assert (score * people).sum() == pytest.approx(reached)


@given(st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_balanced_catchments_keep_people_and_level_of_service(seed):
    costs, people, supply = towns(seed, 15, 6)
    score = floating_catchment(costs, people, supply, limit=30, decay=gaussian_decay(15), method="balanced")
    weight = np.where(costs <= 30, np.exp(-(np.where(costs < np.inf, costs, 0) ** 2) / 450), 0.0)
    rows = weight.sum(axis=1, keepdims=True)
    at = (np.divide(weight, rows, out=np.zeros_like(weight), where=rows > 0) * people[:, None]).sum(axis=0)
    assert at.sum() == pytest.approx(people[rows.ravel() > 0].sum())
    service = np.divide(supply, at, out=np.zeros(6), where=at > 0)
    assert score.sum() == pytest.approx(service[weight.sum(axis=0) > 0].sum())


@given(st.integers(0, 10**6), st.sampled_from(CATCHMENTS))
@settings(max_examples=30, deadline=None)
def test_more_supply_never_lowers_a_score(seed, method):
    costs, people, supply = towns(seed, 12, 5)
    before = floating_catchment(costs, people, supply, limit=30, method=method)
    after = floating_catchment(costs, people, supply + np.array([3, 0, 0, 0, 0]), limit=30, method=method)
    assert (after >= before - 1e-12).all()


def test_delamater_lowers_what_is_far_even_for_those_who_have_it_alone():
    costs = np.array([[20.0]])
    plain = floating_catchment(costs, [100], [10], limit=30, decay=step_decay(STEPS))
    assert plain.tolist() == pytest.approx([0.1])
    modified = floating_catchment(costs, [100], [10], limit=30, decay=step_decay(STEPS), method="modified")
    assert modified.tolist() == pytest.approx([0.068])


def test_several_catchments_give_a_column_each_and_limits_are_inclusive():
    costs, people, supply = towns()
    costs[0, 0] = 15.0
    table = floating_catchment(costs, people, supply, limit=[10, 15, 30])
    assert table.columns.tolist() == [10, 15, 30]
    for limit in (10, 15, 30):
        alone = floating_catchment(costs, people, supply, limit=limit)
        pd.testing.assert_series_equal(table[limit], alone, check_names=False)
    assert table.loc[0, 15] > table.loc[0, 10]


def test_costs_of_both_ways_and_people_beyond_the_border():
    costs = np.array([[10.0, 40.0], [40.0, 10.0]])
    # A visiting service: the first venue comes to both, though only one resident gets to it.
    score = floating_catchment(
        costs, [100, 100], [10, 10], limit=30, demand_costs=np.array([[1.0, 99], [1, 10]])
    )
    assert score.tolist() == pytest.approx([0.05, 0.1])
    alone = floating_catchment(np.array([[10.0]]), [100], [10], limit=30)
    beyond = floating_catchment(np.array([[10.0], [20.0]]), [100, 300], [10], limit=30)
    assert alone[0] == pytest.approx(0.1)
    assert beyond[0] == pytest.approx(0.025)


def test_unknown_supply_is_left_out_and_nobody_at_a_venue_gives_nothing():
    costs = np.array([[10.0, 10.0, np.inf]])
    assert floating_catchment(costs, [100], [10, np.nan, 5], limit=30).tolist() == pytest.approx([0.1])
    assert floating_catchment(costs, [0], [10, 5, 5], limit=30).tolist() == [0.0]
    assert floating_catchment(np.array([[np.inf]]), [5], [1], limit=30).tolist() == [0.0]


def test_labels_put_people_and_supply_where_they_belong():
    pairs = Pairs(csr_array(np.array([[60.0, 0.0], [0.0, 60.0]])), pd.Index(["a", "b"]), pd.Index(["x", "y"]))
    score = floating_catchment(
        pairs, pd.Series({"b": 10.0, "a": 20.0}), pd.Series({"y": 5.0, "x": 4.0}), limit=900
    )
    assert score.to_dict() == {"a": pytest.approx(0.2), "b": pytest.approx(0.5)}
    assert score.name == "supply_per_person"


def test_what_cannot_be_used_is_all_named_at_once():
    with pytest.raises(UnusableInputError) as caught:
        floating_catchment(np.array([[1.0]]), [-1], [-5], limit=30)
    assert {fault.file for fault in caught.value.faults} == {"people", "supply"}
    for arguments, reason in (
        ({"limit": -1}, "not a number of at least 0"),
        ({"limit": 5, "method": "4sfca"}, "no such method"),
        ({"limit": 5, "demand_costs": np.array([[1.0, 2.0]])}, "other residents or venues"),
    ):
        with pytest.raises(UnusableInputError, match=reason):
            floating_catchment(np.array([[1.0]]), [1], [5], **arguments)
    for supply in (["many"], [1, 2], [np.inf]):
        with pytest.raises(UnusableInputError):
            floating_catchment(np.array([[1.0]]), [1], supply, limit=5)
    with pytest.raises(UnusableInputError, match="whole number"):
        rational_agent_access(np.array([[1.0]]), [1.5], [1], tau=60)
    with pytest.raises(UnusableInputError, match="above 0"):
        rational_agent_access(np.array([[1.0]]), [1], [1], tau=0)
    assert rational_agent_access(np.array([[np.inf]]), [1], [1], tau=60).isna().all()


def grid(residents):
    """Give the grid of the peer's own tests: 5 x 5 venues of one each, and a person at some of the places."""
    places = np.array([(x, y) for x in range(5) for y in range(5)], dtype=float)
    return np.hypot(*(places[residents, None] - places).transpose(2, 0, 1))


@pytest.mark.parametrize("method", ["2sfca", "3sfca"])
@pytest.mark.parametrize("decay", [None, step_decay({10: 25.0})])
def test_the_grid_of_the_peers_tests(method, decay):
    costs = grid(np.array([0, 7, 12, 18, 24]))
    # 25 venues and five people who all reach them: five each. Nearer than the next point: their own alone.
    for limit, wanted in ((10, 5.0), (0.9, 1.0)):
        found = floating_catchment(costs, np.ones(5), np.ones(25), limit=limit, decay=decay, method=method)
        assert found.to_numpy() == pytest.approx(np.full(5, wanted), abs=1e-12)


def test_the_weighted_catchments_of_the_peers_tests():
    costs = grid(np.array([12]))
    assert cumulative_opportunities(costs, np.ones(25), limits=[0.5, 10]).iloc[0].tolist() == [1, 25]
    assert gravity(costs, np.ones(25), decay=step_decay({0.5: 0.5})).tolist() == [0.5]
