"""Siting explained: catchments, near ties, ranks and curves, each counted by hand or by trying all."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lifecircle as lc
from conftest import WHOLE_CAMPAIGN
from lifecircle.siting import (
    SitingPlan,
    candidates,
    catchments,
    near_ties,
    open_sites,
    shared_catchments,
    siting_curve,
    siting_problem,
    solve,
)
from test_siting import drawn, people_within, sets_of, sum_of

LAW = settings(max_examples=200 if WHOLE_CAMPAIGN else 30, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)

# minutes from four hamlets to a hall that stands and three parcels
MINUTES = pd.DataFrame(
    {"hall": [5, 30, 30, 30], "north": [10, 8, 30, 30], "middle": [30, 12, 14, 30], "south": [30, 30, 9, 11]},
    index=["upper", "mill", "ford", "lower"],
).astype(float)
PEOPLE = pd.Series({"lower": 40.0, "upper": 100.0, "mill": 80.0, "ford": 60.0})


@pytest.fixture
def question():
    return siting_problem(MINUTES, PEOPLE, objective="max_cover", limit=15, sites=1, existing=["hall"])


def test_labels_go_in_and_come_out(question):
    plan = solve(question)
    assert (plan.sites, plan.value, plan.status) == (("middle",), 240.0, "optimal")
    assert question.labels(np.flatnonzero(open_sites(question, plan))) == ("hall", "middle")


def test_catchments_are_counted_by_hand(question):
    table = catchments(question, solve(question))
    assert table.loc["hall", ["new", "reach", "sole", "shared"]].tolist() == [False, 100, 100, 0]
    assert table.loc["middle"].tolist() == [True, 140, 140, 0, 1, 140]
    two = siting_problem(MINUTES, PEOPLE, objective="max_cover", limit=15, sites=2, existing=["hall"])
    assert solve(two).value == 280
    plan = SitingPlan("max_cover", "optimal", ("north", "south"), value=280.0, bound=280.0)
    table = catchments(two, plan)
    assert table["reach"].to_dict() == {"hall": 100, "north": 180, "south": 100}
    assert table["sole"].to_dict() == {"hall": 0, "north": 80, "south": 100}
    assert table["adds"].drop("hall").to_dict() == {"north": 80, "south": 100}
    assert table["order"].drop("hall").to_dict() == {"north": 2, "south": 1}
    both = shared_catchments(two, plan)
    assert both.loc["hall", "north"] == both.loc["north", "hall"] == 100
    assert both.loc["hall", "south"] == 0
    assert np.diag(both).tolist() == [100, 180, 100]


def test_what_was_nearly_as_good_is_counted_by_hand(question):
    plan = solve(question)
    assert near_ties(question, plan).empty
    ties = near_ties(question, plan, within=0.2)
    assert ties.to_dict("records") == [{"out": "middle", "into": "south", "value": 200.0, "change": -40.0}]


def test_why_not_there_is_counted_by_hand(question):
    table = candidates(question, solve(question))
    assert table["rank"].to_dict() == {"north": 3, "middle": 1, "south": 2}
    assert table["reach"].to_dict() == {"north": 180, "middle": 140, "south": 100}
    assert table["reached"].to_dict() == {"north": 180, "middle": 140, "south": 60}
    assert table.loc["south", ["instead_of", "value", "adds"]].tolist() == ["middle", 200.0, 40.0]
    assert table.loc["middle", ["instead_of", "value", "adds"]].isna().all()


@LAW
@given(SEEDS, st.sampled_from(["max_cover", "p_median", "max_min_cover"]))
def test_near_ties_are_all_exchanges_that_lose_little(seed, objective):
    rng, costs, people, limit, existing, number = drawn(seed, full=True)
    groups = rng.choice(["a", "b"], len(people)) if objective == "max_min_cover" else None
    given_limit = None if objective == "p_median" else limit
    question = siting_problem(
        costs, people, objective=objective, limit=given_limit, sites=number, existing=existing, groups=groups
    )
    plan = solve(question)
    if plan.status == "infeasible" or not number:
        return

    def value(chosen):
        if objective == "p_median":
            return sum_of(costs, people, chosen)
        if objective == "max_cover":
            return people_within(costs, people, limit, chosen)
        near = (costs[:, list(chosen)] <= limit).any(axis=1)
        names = [name for name in ("a", "b") if people[groups == name].sum() > 0]
        return min((people[near & (groups == n)].sum() / people[groups == n].sum() for n in names), default=1)

    closed = [site for site in range(costs.shape[1]) if site not in plan.sites and site not in existing]
    expected = {}
    for out, into in itertools.product(plan.sites, closed):
        after = value([site for site in (*plan.sites, *existing, into) if site != out])
        loss = after - plan.value if objective == "p_median" else plan.value - after
        if loss <= 0.1 * abs(plan.value) + 1e-12:
            expected[out, into] = after
    ties = near_ties(question, plan, within=0.1)
    found = dict(zip(zip(ties["out"], ties["into"], strict=True), ties["value"], strict=True))
    assert found == pytest.approx(expected)


@LAW
@given(SEEDS)
def test_every_point_of_a_curve_is_bounded_and_the_goal_is_met_first_where_it_can_be(seed):
    _, costs, people, limit, existing, _ = drawn(seed)
    free = [site for site in range(costs.shape[1]) if site not in existing]
    question = siting_problem(
        costs, people, objective="max_cover", limit=limit, sites=len(free), existing=existing
    )
    best = [
        max(people_within(costs, people, limit, chosen) for chosen in sets_of(costs.shape[1], existing, n))
        for n in range(len(free) + 1)
    ]
    curve = siting_curve(question, most=len(free))
    for number, plan in enumerate(curve.plans):
        assert len(plan.sites) == number
        assert plan.value <= best[number] * (1 + 1e-9)
        assert plan.bound >= best[number] * (1 - 1e-9)
    assert all(one.value <= other.value for one, other in itertools.pairwise(curve.plans))
    goal = 0.7 * people.sum()
    met = next((number for number, value in enumerate(best) if value >= goal - 1e-9), None)
    ended = siting_curve(question, goal=goal)
    assert ended.fewest == met
    if met is not None:
        assert ended.fewest_possible == met


def test_a_curve_of_another_objective_is_solved_number_by_number():
    question = siting_problem(MINUTES, PEOPLE, objective="backup_cover", limit=15, sites=1, existing=["hall"])
    curve = siting_curve(question)
    assert [plan.value for plan in curve.plans] == [0, 100, 180, 240]
    assert all(plan.status != "feasible" for plan in curve.plans)


def test_a_curve_refuses_what_has_none(question):
    with pytest.raises(lc.UnusableInputError, match="3 candidates may be chosen"):
        siting_curve(question, most=4)
    least = siting_problem(MINUTES, PEOPLE, objective="p_center", sites=1)
    with pytest.raises(lc.UnusableInputError, match="more is better"):
        siting_curve(least)
    with pytest.raises(lc.UnusableInputError, match="within a limit"):
        catchments(least, solve(least))
    with pytest.raises(lc.UnusableInputError, match="ask for max_cover"):
        near_ties(least, solve(least))
