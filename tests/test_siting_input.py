"""Siting: questions that cannot be answered as put, solves cut short, and the same answer everywhere."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csr_array

import lifecircle as lc
from lifecircle.reach import Pairs
from lifecircle.siting import OBJECTIVES, _highs, _swaps, siting_problem, solve
from lifecircle.siting._cover import Cover, merge_rows
from lifecircle.siting._deadline import Deadline
from lifecircle.siting._greedy import lazy_greedy

COSTS = np.array([[1.0, 9.0, 4.0], [7.0, 2.0, 4.0], [np.inf, 8.0, 3.0]])
PEOPLE = [10, 20, 30]
COVER = {"objective": "max_cover", "limit": 5, "sites": 1}


def town(rows=200, columns=30, seed=5):
    """Draw residents and candidates on a square of 10 km, costs in metres as pairs within 4 km."""
    rng = np.random.default_rng(seed)
    homes, sites = rng.random((rows, 2)) * 10_000, rng.random((columns, 2)) * 10_000
    metres = np.hypot(*(homes[:, np.newaxis] - sites[np.newaxis]).transpose(2, 0, 1))
    row, column = np.nonzero(metres <= 4000)
    pairs = csr_array(coo_array((metres[row, column], (row, column)), shape=metres.shape))
    return pairs, rng.integers(1, 500, rows).astype(float), sites, rng


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({**COVER, "sites": 4}, "only 3 candidates may be chosen.*ask for at most 3"),
        ({**COVER, "sites": 3, "existing": [0]}, "only 2 candidates"),
        ({**COVER, "sites": -1}, "sites: not a whole number >= 0 .found: -1."),
        ({**COVER, "sites": 1.5}, "not a whole number"),
        ({**COVER, "sites": True}, "not a whole number"),
        ({**COVER, "sites": None}, "max_cover needs a number of new sites"),
        ({**COVER, "limit": None}, "max_cover counts who is within a limit"),
        ({**COVER, "limit": -1}, "limit: not a number >= 0"),
        ({**COVER, "limit": math.nan}, "limit: not a number >= 0"),
        ({**COVER, "objective": "max_covr"}, "did you mean 'max_cover'"),
        ({**COVER, "time_limit_s": -1}, "time_limit_s: not a time"),
        ({**COVER, "time_limit_s": math.nan}, "time_limit_s: not a time"),
        ({**COVER, "time_limit_s": "60"}, "time_limit_s: not a time"),
        ({**COVER, "existing": [3]}, "existing: 1 of them are no sites"),
        ({**COVER, "existing": [True, False, False]}, "existing: a mask, not sites"),
        ({**COVER, "existing": [0, 0]}, "existing: a site is named more than once .found: 0."),
        ({**COVER, "required": [1], "forbidden": [1]}, "required and forbidden"),
        ({**COVER, "required": [1], "existing": [1]}, "required and existing"),
        ({**COVER, "required": [0, 1]}, "2 sites are required"),
        ({**COVER, "closable": [1]}, "closable but not existing"),
        ({**COVER, "existing": [1], "closable": [1], "closures": 2}, "closures: there are only 1"),
        ({**COVER, "budget": 5}, "a budget needs prices"),
        ({**COVER, "budget": 5, "prices": [6, 7, 8]}, "the cheapest 1 site costs 6.*raise the budget"),
        ({**COVER, "sites": None, "budget": 5, "prices": [6, 7, 8]}, "the cheapest site costs 6"),
        ({**COVER, "budget": 9, "prices": [6, math.nan, 8]}, "prices: 1 price is missing"),
        ({**COVER, "budget": -9, "prices": [6, 7, 8]}, "budget: not a number >= 0"),
        ({**COVER, "apart": [(0, 0)]}, "not pairs of two different sites"),
        ({**COVER, "apart": [(0, 7)]}, "apart: no sites of the costs"),
        ({**COVER, "sites": 2, "required": [0, 1], "apart": [(0, 1)]}, "required but exclude each other"),
        ({**COVER, "existing": [0], "required": [1], "apart": [(0, 1)]}, "required but too near an existing"),
        ({**COVER, "separation_m": 100}, "one without the other"),
        ({**COVER, "separation_m": 100, "positions": [[0, 0]]}, "not x, y of each site"),
        ({"objective": "full_cover", "limit": 5, "sites": 1}, "full_cover finds the number of sites itself"),
        ({**COVER, "objective": "backup_cover", "times": 0}, "times: not a whole number >= 1"),
        ({**COVER, "objective": "rule_cover"}, "rule_cover needs both"),
        ({**COVER, "objective": "rule_cover", "offers": ["a"], "lacking": {}}, "offers: there are 3 sites"),
        (
            {**COVER, "objective": "rule_cover", "offers": ["a"] * 3, "lacking": {"a": [1, -1, 0]}},
            "lacking, a: not one whole number",
        ),
        (
            {**COVER, "objective": "capacitated_max_cover", "capacities": [1, -2, 3]},
            "capacities, site 1",
        ),
        ({**COVER, "objective": "max_min_cover"}, "max_min_cover compares groups"),
        ({**COVER, "objective": "max_min_cover", "groups": ["a"]}, "there are 3 residents"),
        ({**COVER, "objective": "max_min_cover", "groups": [None] * 3}, "no resident is in a group"),
        ({**COVER, "objective": "capacitated_max_cover"}, "capacitated_max_cover needs them"),
        ({**COVER, "capacities": [1, 2, 3]}, "max_cover knows none"),
        ({**COVER, "groups": [1, 2, 3]}, "max_cover knows no groups"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(question, told):
    with pytest.raises(lc.UnusableInputError, match=f"(?s){told}"):
        lc.solve_siting(COSTS, PEOPLE, **question)


@pytest.mark.parametrize(
    ("costs", "people", "told"),
    [
        (COSTS, [1, math.nan, 2], "weights, row 1: a weight is missing, negative or infinite"),
        (COSTS, [1, -1, 2], "weights, row 1.*found: -1.0"),
        (COSTS, [1, 2], "weights: there are 3 rows"),
        (COSTS, ["a", "b", "c"], "weights: not numbers"),
        (np.array([[1.0, math.nan]]), [1], "costs, row 0, column 1: a cost is missing or negative"),
        (np.array([[1.0, -2.0]]), [1], "costs, row 0, column 1"),
        (np.zeros((0, 3)), [], "there is no resident or no site"),
        (np.zeros(3), [1, 1, 1], "costs: not a table of numbers"),
        (pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]), [1], "costs, sites: a site stands more than once"),
        (pd.DataFrame([[1.0], [2.0]], index=["x", "y"]), pd.Series({"x": 1.0}), "1 resident.*no weight.*y"),
        ({}, {}, "there is no service"),
        ({"a": COSTS, "b": COSTS[:, :2]}, PEOPLE, "do not have the same sites"),
    ],
)
def test_costs_and_people_that_cannot_be_used_are_refused(costs, people, told):
    with pytest.raises(lc.UnusableInputError, match=f"(?s){told}"):
        lc.solve_siting(costs, people, objective="max_cover", limit=5, sites=1)


def test_all_faults_are_reported_at_once():
    with pytest.raises(lc.UnusableInputError) as caught:
        lc.solve_siting(COSTS, PEOPLE, objective="max_cover", limit=5, sites=9, existing=[7], forbidden=[8])
    assert len(caught.value.faults) == 3


def test_nothing_in_reach_is_explained():
    plan = lc.solve_siting(COSTS * 60, PEOPLE, objective="max_cover", limit=15, sites=1)
    assert (plan.status, plan.sites, plan.value, plan.bound) == ("infeasible", (), 0, 0)
    assert "the same units" in plan.reason
    for objective in ("full_cover", "p_median", "p_center"):
        sites = None if objective == "full_cover" else 1
        plan = lc.solve_siting(COSTS * 60, PEOPLE, objective=objective, limit=15, sites=sites)
        assert (plan.status, plan.unreachable) == ("infeasible", (0, 1, 2))


def test_a_forbidden_site_reaches_nobody():
    plan = lc.solve_siting(COSTS, PEOPLE, objective="full_cover", limit=5, forbidden=[2])
    assert plan.unreachable == (2,)
    assert plan.reason == "no site that may be open reaches some residents within the limit: 1 of them, 2"


def test_conditions_that_contradict_each_other_are_infeasible():
    every = [(0, 1), (0, 2), (1, 2)]
    for objective in ("max_cover", "backup_cover", "p_median", "p_center"):
        plan = lc.solve_siting(COSTS, PEOPLE, objective=objective, limit=9, sites=2, apart=every)
        assert (plan.status, plan.sites) == ("infeasible", ())
        assert plan.reason in {
            "no set of sites meets the conditions",
            "no allowed set of sites reaches everyone",
        }
    plan = lc.solve_siting(COSTS, PEOPLE, objective="full_cover", limit=2.5, apart=every, forbidden=[2])
    assert plan.status == "infeasible"


def test_residents_without_people_constrain_nothing():
    plan = lc.solve_siting(COSTS, [10, 20, 0], objective="full_cover", limit=5, forbidden=[2])
    assert plan.sites == (0, 1)
    assert lc.solve_siting(COSTS, [10, 0, 0], objective="p_center", sites=1).value == 1


def test_zero_and_absent_in_dense_and_sparse():
    dense = np.array([[0.0, np.inf], [3.0, 0.0]])
    assert lc.solve_siting(dense, [1, 1], objective="p_median", sites=1).sites == (0,)
    stored = csr_array((np.array([0.0, 3.0, 0.0]), np.array([0, 0, 1]), np.array([0, 1, 3])), shape=(2, 2))
    plan = lc.solve_siting(stored, [1, 1], objective="p_median", sites=1)
    assert (plan.sites, plan.value) == ((0,), 3)
    plan = lc.solve_siting(stored, [1, 1], objective="max_cover", limit=0, sites=2)
    assert plan.value == 2


def test_parallel_pairs_count_by_the_least():
    twice = coo_array((np.array([4.0, 3.0, 1.0]), (np.array([0, 0, 1]), np.array([0, 0, 0]))), shape=(2, 1))
    assert lc.solve_siting(twice, [1, 1], objective="p_median", sites=1).value == 4


def test_pairs_of_within_carry_their_labels():
    pairs = Pairs(csr_array(np.array([[5.0, 2.0], [1.0, 0.0]])), pd.Index(["a", "b"]), pd.Index(["x", "y"]))
    plan = lc.solve_siting(pairs, pd.Series({"b": 5, "a": 1}), objective="max_cover", limit=1, sites=1)
    assert (plan.sites, plan.value) == (("x",), 5)


def test_exactly_so_many_sites_are_chosen_even_where_fewer_would_do():
    plan = lc.solve_siting(COSTS, PEOPLE, objective="max_cover", limit=9, sites=3)
    assert plan.sites == (0, 1, 2)
    plan = lc.solve_siting(COSTS, PEOPLE, objective="p_center", sites=3)
    assert plan.sites == (0, 1, 2)


def test_a_separation_is_far_enough_when_it_is_met_exactly():
    xy = np.array([[0.0, 0.0], [0.0, 100.0], [0.0, 150.0]])
    question = {"objective": "max_cover", "limit": 9, "positions": xy, "separation_m": 100}
    assert lc.solve_siting(COSTS, PEOPLE, sites=2, **question).sites in {(0, 1), (0, 2)}
    assert lc.solve_siting(COSTS, PEOPLE, sites=1, existing=[1], **question).sites == (0,)
    with pytest.raises(lc.UnusableInputError, match="only 1 candidate"):
        lc.solve_siting(COSTS, PEOPLE, sites=2, existing=[1], **question)


EVERY = {
    "max_cover": {},
    "backup_cover": {"times": 2},
    "rule_cover": {},
    "max_min_cover": {},
    "capacitated_max_cover": {},
    "p_median": {},
    "p_center": {},
    "full_cover": {},
}


def question_of(objective):
    """Put a question of any objective about the drawn town."""
    pairs, people, _, rng = town()
    question = {"objective": objective, "limit": 2500.0, "sites": 4}
    if objective in {"p_median", "p_center"}:
        question["limit"] = None
    if objective == "full_cover":
        question["sites"] = None
    if objective == "rule_cover":
        question["offers"] = rng.choice(["library", "hall"], pairs.shape[1])
        question["lacking"] = {
            "library": rng.integers(0, 2, len(people)),
            "hall": rng.integers(0, 3, len(people)),
        }
    if objective == "max_min_cover":
        question["groups"] = rng.integers(0, 4, len(people))
    if objective == "capacitated_max_cover":
        question["capacities"] = rng.integers(500, 9000, pairs.shape[1]).astype(float)
    return siting_problem(pairs, people, **question)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_no_time_at_all_still_gives_a_plan_and_a_bound(objective):
    problem = question_of(objective)
    hasty, thorough = solve(problem, time_limit_s=0), solve(problem, time_limit_s=6)
    assert hasty.status in {"feasible", "optimal"}
    assert len(hasty.sites) == 4 or objective == "full_cover"
    slack = 1e-9 * abs(thorough.value)
    if problem.is_minimised:
        assert hasty.bound - slack <= thorough.bound + slack <= thorough.value + 2 * slack
        assert thorough.value <= hasty.value + slack
    else:
        assert hasty.bound + slack >= thorough.bound - slack >= thorough.value - 2 * slack
        assert thorough.value >= hasty.value - slack


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_without_highs_there_is_a_plan_and_an_honest_bound(objective, monkeypatch):
    problem = question_of(objective)
    proved = solve(problem, time_limit_s=6)
    for module in [name for name in sys.modules if name.startswith("lifecircle.siting.")]:
        if hasattr(sys.modules[module], "is_installed"):
            monkeypatch.setattr(sys.modules[module], "is_installed", lambda: False)
    plan = solve(problem, time_limit_s=6)
    assert plan.status in {"feasible", "optimal"}
    assert plan.gap < (0.6 if objective in {"backup_cover", "rule_cover", "full_cover"} else 0.15)
    slack = 1e-6 * abs(proved.value)
    if problem.is_minimised:
        assert plan.bound <= proved.value + slack <= plan.value + 2 * slack
    else:
        assert plan.bound >= proved.value - slack >= plan.value - 2 * slack


def test_the_same_question_has_the_same_answer():
    problem = question_of("max_cover")
    assert solve(problem, time_limit_s=6) == solve(problem, time_limit_s=6)


def test_compiled_loops_and_arrays_search_alike(monkeypatch):
    pytest.importorskip("numba", reason="compares with compiled loops")
    pairs, people, _, _ = town()
    within = csr_array(pairs)
    within.data[:] = within.data <= 1500
    within.eliminate_zeros()
    rows, weights, _ = merge_rows(within, people)
    cover = Cover.of(rows, weights)
    start, _ = lazy_greedy(cover, 8)
    found = []
    for engine in ("scipy", "ring"):
        monkeypatch.setenv("LIFECIRCLE_ENGINE", engine)
        found.append(_swaps.improve(cover, start, kicks=60, deadline=Deadline.after(600)))
    assert found[0][0].tolist() == found[1][0].tolist()
    assert found[0][1] == found[1][1]
    assert found[0][1] == _swaps.value_of(cover, found[0][0])


@pytest.mark.parametrize("seed", range(5))
def test_a_long_search_ends_at_the_best_of_all_sets(seed, monkeypatch):
    pytest.importorskip("numba", reason="thousands of kicks take long in arrays")
    monkeypatch.setenv("LIFECIRCLE_ENGINE", "ring")
    rng = np.random.default_rng(seed)
    rows, weights, _ = merge_rows(
        csr_array((rng.random((60, 14)) < 0.2).astype(float)), rng.integers(1, 99, 60) * 1.0
    )
    cover = Cover.of(rows, weights)
    deadline = Deadline.after(600)
    found, value = _swaps.improve_long(cover, np.arange(4), rounds=5, deadline=deadline)
    sets = itertools.combinations(range(14), 4)
    assert value == max(_swaps.value_of(cover, np.array(chosen)) for chosen in sets)
    assert value == _swaps.value_of(cover, found)
    assert len(np.unique(found)) == 4
    # no time, no search: what was given comes back
    same, value = _swaps.improve_long(cover, np.arange(4), rounds=5, deadline=Deadline.after(0))
    assert same.tolist() == [0, 1, 2, 3]
    assert value == _swaps.value_of(cover, same)


def test_rows_are_merged_only_where_the_very_same_sites_cover_them():
    rng = np.random.default_rng(3)
    table = csr_array((rng.random((300, 6)) < 0.3).astype(float))
    people = rng.integers(1, 9, 300).astype(float)
    merged, weights, first = merge_rows(table, people)
    expected = {}
    for line, heads in zip(table.toarray().tolist(), people, strict=True):
        if any(line):
            expected[tuple(line)] = expected.get(tuple(line), 0) + heads
    assert dict(zip(map(tuple, merged.toarray().tolist()), weights, strict=True)) == expected
    assert (table.toarray()[first] == merged.toarray()).all()


def test_nothing_of_the_solver_is_written_to_standard_output():
    pytest.importorskip("highspy", reason="listens to the solver")
    code = (
        "import numpy as np, lifecircle as lc\n"
        "rng = np.random.default_rng(1)\n"
        "costs = rng.random((80, 20))\n"
        "for p in (3, 4, 5):\n"
        "    plan = lc.solve_siting(costs, np.ones(80), objective='max_cover', limit=0.08, sites=p)\n"
        "    assert plan.status == 'optimal'\n"
        "lc.solve_siting(costs, np.ones(80), objective='p_median', sites=5)\n"
        "import sys; assert 'highspy' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_solver_is_loaded_only_when_it_is_needed():
    code = (
        "import numpy as np, lifecircle as lc, sys\n"
        "lc.solve_siting(np.array([[1.0, 2.0]]), [1], objective='max_cover', limit=1, sites=1)\n"
        "print([name for name in ('highspy', 'numba') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert _highs.is_installed() in {True, False}
