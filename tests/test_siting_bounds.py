"""Siting: every bound against brute force and against HiGHS on the plain model, also when time runs out."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import lifecircle as lc
from conftest import WHOLE_CAMPAIGN
from lifecircle.siting import OBJECTIVES, _branch, siting_curve, siting_problem
from lifecircle.siting._branch import branch_and_bound, cover_model, dual_at, relaxed_bound, settled_sites
from lifecircle.siting._cover import Cover, merge_rows
from lifecircle.siting._deadline import Deadline
from lifecircle.siting._highs import is_installed, minimise
from lifecircle.siting._lagrange import Dual

LAW = settings(max_examples=2000 if WHOLE_CAMPAIGN else 100, deadline=None, derandomize=True)
FEW = settings(max_examples=400 if WHOLE_CAMPAIGN else 25, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
FEWER = {"full_cover", "p_median", "p_center"}

pytestmark = pytest.mark.skipif(not is_installed(), reason="HiGHS is an extra")


def drawn(seed, objective):
    """Draw a small question: costs, people and what the objective asks for; and how many sites at most."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(2, 16)), int(rng.integers(2, 9))
    costs = rng.integers(0, 12, (rows, columns)).astype(float)
    if objective in {"p_median", "p_center"}:
        costs[:, 0] = np.minimum(costs[:, 0], 11)
    else:
        costs[rng.random(costs.shape) < rng.choice([0.0, 0.3])] = np.inf
    people = rng.integers(0, 9, rows).astype(float) * rng.choice([1.0, 0.37])
    words = {"sites": int(rng.integers(1, columns + 1))}
    if objective not in {"p_median", "p_center"}:
        words["limit"] = float(rng.integers(1, 10))
    if objective == "full_cover":
        del words["sites"]
    if objective == "backup_cover":
        words["times"] = int(rng.integers(2, 4))
    if objective == "rule_cover":
        words["offers"] = rng.choice(["a", "b"], columns)
        words["lacking"] = {"a": rng.integers(0, 3, rows), "b": rng.integers(0, 2, rows)}
    if objective == "max_min_cover":
        words["groups"] = rng.choice(["x", "y"], rows)
    if objective == "capacitated_max_cover":
        words["capacities"] = rng.integers(1, 20, columns).astype(float)
    return costs, people, words


def worth(objective, costs, people, words, chosen):
    """Count the value of a set of sites in the plainest way; None where it is not allowed."""
    chosen = list(chosen)
    if objective in {"p_median", "p_center"}:
        least = costs[people > 0][:, chosen].min(axis=1, initial=np.inf)
        value = (least * people[people > 0]).sum() if objective == "p_median" else least.max(initial=0.0)
        return value if math.isfinite(value) else None
    return people_worth(objective, costs[:, chosen] <= words["limit"], people, words, chosen)


def people_worth(objective, near, people, words, chosen):
    """Count the people, or the share of them, by who is near which chosen site."""
    if objective == "full_cover":
        return len(chosen) if near[people > 0].any(axis=1).all() else None
    if objective in {"max_cover", "backup_cover"}:
        return people[near.sum(axis=1) >= words.get("times", 1)].sum()
    if objective == "rule_cover":
        offers = words["offers"][chosen]
        counts = [near[:, offers == kind].sum(axis=1) >= words["lacking"][kind] for kind in ("a", "b")]
        return people[counts[0] & counts[1]].sum()
    if objective == "max_min_cover":
        shares = [
            people[near.any(axis=1) & (words["groups"] == name)].sum() / people[words["groups"] == name].sum()
            for name in np.unique(words["groups"])
            if people[words["groups"] == name].sum() > 0
        ]
        return min(shares, default=1.0)
    return served(near, people, words["capacities"][chosen])


def served(near, people, capacities):
    """Return the people served, as the least cut: any sites left out, and the residents only they reach."""
    many = range(len(capacities))
    cuts = []
    for size in range(len(capacities) + 1):
        for inside in itertools.combinations(many, size):
            outside = [site for site in many if site not in inside]
            cuts.append(capacities[list(inside)].sum() + people[near[:, outside].any(axis=1)].sum())
    return min(cuts)


@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(LAW, max_examples=LAW.max_examples // (1 if WHOLE_CAMPAIGN else 4))
@given(SEEDS)
def test_every_objective_against_all_sets(objective, seed):
    costs, people, words = drawn(seed, objective)
    columns = costs.shape[1]
    sizes = range(columns + 1) if objective == "full_cover" else [words["sites"]]
    sets = itertools.chain.from_iterable(itertools.combinations(range(columns), size) for size in sizes)
    values = [worth(objective, costs, people, words, chosen) for chosen in sets]
    values = [value for value in values if value is not None]
    for time_s in (60.0, 0.0):
        plan = lc.solve_siting(costs, people, objective=objective, time_limit_s=time_s, **words)
        if plan.status == "infeasible":
            assert not values or max(values) == 0
            continue
        best = min(values) if objective in FEWER else max(values)
        slack = 1e-6 * abs(best) + 1e-9
        if objective in FEWER:
            assert plan.bound <= best + slack
            assert plan.value >= best - slack
        else:
            assert plan.bound >= best - slack
            assert plan.value <= best + slack
        if time_s:
            assert plan.status == "optimal"
        if plan.status == "optimal":
            assert plan.value == pytest.approx(best, rel=1e-6)


def covering(seed, *, rows=40, sites=14):
    """Draw sites and residents in a square, merged, and a number of sites."""
    rng = np.random.default_rng(seed)
    away = np.hypot(*(rng.random((rows, 1, 2)) - rng.random((1, sites, 2))).transpose(2, 0, 1))
    people = rng.integers(1, 100, rows).astype(float)
    table, people, _ = merge_rows(csr_array((away <= rng.uniform(0.15, 0.4)).astype(float)), people)
    return rng, Cover.of(table, people), int(rng.integers(1, sites))


def by_highs(cover, number):
    """Solve the plain model by HiGHS alone."""
    model = cover_model(cover.by_row, cover.weights, number)
    return -minimise(model, deadline=Deadline.after(60.0), unit=1.0).x[: cover.by_site.shape[0]], model


@LAW
@given(SEEDS)
def test_branching_finds_what_highs_finds(seed):
    _, cover, number = covering(seed)
    if not len(cover.weights):
        return
    x, _ = by_highs(cover, number)
    chosen = np.flatnonzero(x < -0.5)
    best = cover.weights[np.unique(cover.by_site[chosen].indices)].sum()
    sites, bound = branch_and_bound(cover, number, 0.0, 1.0 - 1e-7, deadline=Deadline.after(60.0))
    assert len(sites) == number
    assert cover.weights[np.unique(cover.by_site[sites].indices)].sum() == best == bound
    # Told the best value, it finds nothing better and proves it.
    assert branch_and_bound(cover, number, best, 1.0 - 1e-7, deadline=Deadline.after(60.0)) == (None, best)


@LAW
@given(SEEDS)
def test_the_bound_of_a_node_holds_for_any_prices(seed):
    rng, cover, number = covering(seed, sites=9)
    sites = cover.by_site.shape[0]
    number = min(number, sites)
    marks = rng.choice([-1, 0, 0, 0, 1], sites).astype(np.int8)
    prices = rng.random(len(cover.weights)) * 150 - 25
    fixed = set(np.flatnonzero(marks > 0).tolist())
    sets = [
        one
        for one in itertools.combinations(np.flatnonzero(marks >= 0).tolist(), number)
        if fixed <= set(one)
    ]
    values = {one: cover.weights[np.unique(cover.by_site[list(one)].indices)].sum() for one in sets}
    if not sets:
        return
    dual = dual_at(cover, marks, number, prices)
    assert max(values.values()) <= dual.bound
    # Sites are settled only where every set worth what is wanted agrees.
    free = np.flatnonzero(marks == 0)
    wanted = rng.uniform(0.5, 1.0) * dual.bound
    here = Dual(dual.bound, dual.multipliers, dual.scores[free])
    closed, opened = settled_sites(here, number - len(fixed), wanted)
    for one, value in values.items():
        if value >= wanted:
            assert not set(free[closed].tolist()) & set(one)
            assert set(free[opened].tolist()) <= set(one)


@FEW
@given(SEEDS)
def test_a_search_cut_short_keeps_an_honest_bound(seed):
    _, cover, number = covering(seed)
    if not len(cover.weights):
        return
    whole, best = branch_and_bound(cover, number, 0.0, 1.0 - 1e-7, deadline=Deadline.after(60.0))
    assert whole is not None
    relaxed = relaxed_bound(cover, number, deadline=Deadline.after(60.0))
    assert best <= relaxed.bound
    for nodes in (0, 1, 2, 4):
        _, bound = branch_and_bound(cover, number, 0.0, 1.0 - 1e-7, deadline=AfterCalls(nodes))
        assert bound >= best


class AfterCalls(Deadline):
    """A deadline that passes after it has been asked so many times."""

    def __init__(self, calls):
        object.__setattr__(self, "end", math.inf)
        object.__setattr__(self, "calls", [calls])

    def left(self):
        """Return much time: only the number of questions counts."""
        return 60.0

    def share(self, *_, **__):
        """Return a deadline that never passes."""
        return Deadline.after(60.0)

    def passed(self):
        """Return whether it has been asked often enough."""
        self.calls[0] -= 1
        return self.calls[0] < 0


def test_a_solver_without_an_answer_leaves_the_question_open(monkeypatch):
    _, cover, number = covering(5)
    monkeypatch.setattr(_branch.Relaxation, "solve", lambda *_, **__: None)
    assert branch_and_bound(cover, number, 3.0, 1.0, deadline=Deadline.after(60.0)) == (None, math.inf)
    assert relaxed_bound(cover, number, deadline=Deadline.after(60.0)) is None


@FEW
@given(SEEDS)
def test_every_number_of_a_curve_keeps_its_bound(seed):
    _, cover, _ = covering(seed)
    if not len(cover.weights):
        return
    problem = siting_problem(cover.by_row, cover.weights, objective="max_cover", limit=1, sites=1)
    most = min(6, cover.by_site.shape[0])
    for number, plan in enumerate(siting_curve(problem, most=most, time_limit_s=5.0).plans):
        if number:
            _, best = branch_and_bound(cover, number, 0.0, 1.0 - 1e-7, deadline=Deadline.after(60.0))
            assert plan.value <= best <= plan.bound
