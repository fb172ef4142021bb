"""The second aim of p_center and max_min_cover: the first optimum held, the second proved."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lifecircle as lc
from conftest import WHOLE_CAMPAIGN
from lifecircle.errors import UnusableInputError
from lifecircle.siting import _second, near_ties, open_sites, siting_problem, solve
from lifecircle.siting._certificate import Found
from lifecircle.siting._plan import status_of
from lifecircle.siting._solver import certified
from test_siting import drawn, people_within, sets_of, sum_of
from test_siting_conditions import allowed_sets, conditions_of

LAW = settings(max_examples=400 if WHOLE_CAMPAIGN else 60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


def farthest(costs, people, chosen):
    return costs[people > 0][:, list(chosen)].min(axis=1).max(initial=0.0) if (people > 0).any() else 0.0


def least_share(costs, people, limit, groups, chosen):
    masks = [groups == one for one in np.unique(groups)]
    shares = [
        people_within(costs[mine], people[mine], limit, chosen) / people[mine].sum()
        for mine in masks
        if people[mine].sum() > 0
    ]
    return min(shares, default=1.0)


def assert_second(plan, name, best):
    """Hold the second aim against the best of the sets that hold the first."""
    assert plan.second.objective == name
    assert plan.second.value == pytest.approx(best, rel=1e-6)
    assert (plan.status, plan.second.status) == ("optimal", "optimal")
    assert abs(plan.second.bound - plan.second.value) <= 1e-6 * abs(plan.second.value)


@LAW
@given(SEEDS)
def test_the_farthest_first_then_the_sum_or_the_most_people(seed):
    rng, costs, people, limit, existing, number = drawn(seed, full=True)
    sets = [one for one in sets_of(costs.shape[1], existing, number) if len(one)]
    if not sets:
        return
    others = rng.integers(0, 9, len(people)).astype(float)
    first = min(farthest(costs, people, chosen) for chosen in sets)
    held = [chosen for chosen in sets if farthest(costs, people, chosen) <= first]
    question = {"objective": "p_center", "sites": number, "existing": existing}
    plan = lc.solve_siting(costs, people, **question)
    assert plan.value == first
    assert_second(plan, "p_median", min(sum_of(costs, people, chosen) for chosen in held))
    plan = lc.solve_siting(costs, people, **question, second_limit=limit, second_weights=others)
    assert plan.value == first
    assert_second(plan, "max_cover", max(people_within(costs, others, limit, chosen) for chosen in held))
    by_row = np.full(len(people), float(limit))
    same = lc.solve_siting(costs, people, **question, second_limit=by_row, second_weights=others)
    assert same == plan


@LAW
@given(SEEDS)
def test_the_worst_group_first_then_the_most_people(seed):
    rng, costs, people, limit, existing, number = drawn(seed)
    groups = rng.integers(0, 3, len(people)).astype(object)
    groups[rng.random(len(people)) < 0.2] = None
    if all(one is None for one in groups):
        return
    inside = np.array([one is not None for one in groups])
    sets = sets_of(costs.shape[1], existing, number)

    def share(chosen):
        return least_share(costs[inside], people[inside], limit, groups[inside].astype(int), chosen)

    first = max(share(chosen) for chosen in sets)
    held = [chosen for chosen in sets if share(chosen) >= first * (1 - 1e-9)]
    plan = lc.solve_siting(
        costs,
        people,
        objective="max_min_cover",
        limit=limit,
        sites=number,
        existing=existing,
        groups=groups,
    )
    assert plan.value == pytest.approx(first, rel=1e-9)
    assert_second(plan, "max_cover", max(people_within(costs, people, limit, chosen) for chosen in held))


@LAW
@given(SEEDS)
def test_under_any_conditions(seed):
    rng, costs, people, limit, existing, number = drawn(seed, full=True)
    conditions = conditions_of(rng, costs.shape[1], existing)
    sets = [chosen for chosen in allowed_sets(costs.shape[1], conditions, number) if len(chosen)]
    if not sets:
        return
    first = min(farthest(costs, people, chosen) for chosen in sets)
    held = [chosen for chosen in sets if farthest(costs, people, chosen) <= first]
    plan = lc.solve_siting(
        costs, people, objective="p_center", sites=number, second_limit=limit, **conditions
    )
    assert plan.value == first
    assert_second(plan, "max_cover", max(people_within(costs, people, limit, chosen) for chosen in held))


def test_without_highs_the_search_still_holds_the_first(monkeypatch):
    monkeypatch.setattr(_second, "is_installed", lambda: False)
    minutes = pd.DataFrame(
        {"a": [9.0, 20.0, 30.0, 30.0], "b": [9.0, 30.0, 4.0, 30.0], "c": [9.0, 30.0, 4.0, 4.0]},
        index=["far", "mill", "ford", "lower"],
    )
    people = [5, 40, 60, 30]
    plan = lc.solve_siting(
        minutes, people, objective="p_center", sites=2, second_limit=15.0, second_weights=[0, 1, 1, 1]
    )
    assert plan.value == 20.0  # mill is 20 from a, and a is in
    assert (plan.sites, plan.second.value) == (("a", "c"), 2.0)


def test_a_second_aim_is_asked_of_p_center_alone():
    minutes = np.array([[5.0, 6.0], [7.0, 1.0]])
    for question in (
        {"objective": "max_cover", "limit": 6, "second_limit": 6},
        {"objective": "p_center", "second_weights": [1, 1]},
        {"objective": "p_center", "second_limit": [6, 6, 6]},
        {"objective": "p_center", "second_limit": -1},
    ):
        with pytest.raises(UnusableInputError, match="second_limit"):
            lc.solve_siting(minutes, [1, 1], sites=1, **question)
    plan = lc.solve_siting(minutes, [1, 1], objective="max_cover", limit=6, sites=1)
    assert plan.second is None


def test_the_first_is_not_proved_so_the_second_is_not():
    rng = np.random.default_rng(7)
    xy, places = rng.random((300, 2)), rng.random((40, 2))
    metres = np.hypot(xy[:, None, 0] - places[None, :, 0], xy[:, None, 1] - places[None, :, 1])
    problem = siting_problem(metres, np.ones(300), objective="p_center", sites=5, second_limit=0.1)
    plan = solve(problem, time_limit_s=0)
    assert plan.second.status == "feasible" or plan.status == "optimal"
    whole = solve(problem)
    assert whole.second.value <= plan.second.bound or whole.value < plan.value
    assert len(near_ties(siting_problem(metres, np.ones(300), objective="p_median", sites=5), whole)) >= 0
    assert open_sites(problem, whole).sum() == 5


@pytest.mark.parametrize(
    ("value", "bound"), [(1e6, 1e6 + 1.0), (1e6, 1e6 - 1.0), (-1e6, -1e6 - 1.0), (0.0, 0.0)]
)
def test_a_millionth_is_proved(value, bound):
    assert status_of(value, bound) == "optimal"


@pytest.mark.parametrize(
    ("value", "bound"), [(1e6, 1e6 + 1.01), (1e6, 1e6 - 1.01), (1.0, 1.0 + 5e-5), (0.0, 1e-9)]
)
def test_more_than_a_millionth_is_not(value, bound):
    assert status_of(value, bound) == "feasible"


def test_a_plan_whose_bound_is_off_by_a_twenty_thousandth_is_not_called_optimal():
    problem = siting_problem(np.array([[1.0], [1.0]]), [100_000, 0], objective="max_cover", limit=1, sites=1)
    plan = certified(problem, Found(np.array([True]), 100_005.0))
    assert (plan.value, plan.bound, plan.status) == (100_000.0, 100_005.0, "feasible")
    assert plan.gap == pytest.approx(5e-5)
