"""Siting under conditions: every further objective and every condition against brute force over all sets."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import lifecircle as lc
from conftest import WHOLE_CAMPAIGN
from test_siting import assert_certificate, drawn, largest_of, people_within, sum_of

LAW = settings(max_examples=300 if WHOLE_CAMPAIGN else 40, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
PRICE_SLACK = 1e-9


def conditions_of(rng, columns, existing):
    """Draw conditions, and the sets of open sites they allow."""
    candidates = [site for site in range(columns) if site not in existing]
    given = {"existing": existing, "required": (), "forbidden": ()}
    if candidates and rng.random() < 0.3:
        given["required"] = (int(rng.choice(candidates)),)
    others = [site for site in candidates if site not in given["required"]]
    if others and rng.random() < 0.3:
        given["forbidden"] = (int(rng.choice(others)),)
    stands = rng.permutation(existing).tolist()
    if stands and rng.random() < 0.5:
        given["closable"] = tuple(stands[:2])
        given["closures"] = int(rng.integers(0, len(given["closable"]) + 1))
        stands = stands[2:]
    if stands and rng.random() < 0.5:
        given["movable"] = tuple(stands)
        given["moves"] = int(rng.integers(0, len(stands) + 1))
    if rng.random() < 0.4:
        given["apart"] = [pair for pair in itertools.combinations(range(columns), 2) if rng.random() < 0.15]
    if rng.random() < 0.4:
        given["prices"] = rng.integers(1, 10, columns).astype(float)
        given["budget"] = float(rng.integers(8, 30))
    return given


def allowed_sets(columns, given, number):
    """List the sets of open sites that conditions allow, by trying all."""
    existing, required = set(given["existing"]), set(given["required"])
    closable, movable = set(given.get("closable", ())), set(given.get("movable", ()))
    for bits in itertools.product((0, 1), repeat=columns):
        chosen = {site for site in range(columns) if bits[site]}
        new = chosen - existing
        moved = len(movable - chosen)
        clashes = [
            pair
            for pair in given.get("apart", ())
            if chosen.issuperset(pair) and not existing.issuperset(pair)
        ]
        if (
            existing - closable - movable <= chosen
            and required <= chosen
            and not new & set(given["forbidden"])
            and (number is None or len(new) == number + moved)
            and moved <= given.get("moves", 0)
            and len(closable - chosen) == given.get("closures", 0)
            and not clashes
            and ("budget" not in given or sum(given["prices"][list(new)]) <= given["budget"] + PRICE_SLACK)
        ):
            yield tuple(sorted(chosen))


def open_sites(plan, given):
    return tuple(sorted((set(given["existing"]) - set(plan.closed)) | set(plan.sites)))


def solved(costs, people, number, given, **question):
    """Solve, or give None where the question is refused (checked by hand elsewhere)."""
    try:
        return lc.solve_siting(costs, people, sites=number, **question, **given)
    except lc.UnusableInputError:
        return None


def assert_best(plan, given, sets, worth, *, minimised=False):
    values = {chosen: worth(chosen) for chosen in sets}
    able = {chosen: value for chosen, value in values.items() if math.isfinite(value)}
    if not able:
        assert (plan.status, plan.sites) == ("infeasible", ())
        assert plan.reason
        return
    best = min(able.values()) if minimised else max(able.values())
    if plan.status == "infeasible":
        assert (best, plan.value) == (0, 0)
        assert "reaches any resident" in plan.reason
        return
    assert_certificate(plan, best, minimised=minimised)
    assert able[open_sites(plan, given)] == pytest.approx(plan.value, rel=1e-6, abs=1e-9)


@LAW
@given(SEEDS, st.booleans())
def test_most_covered_under_any_conditions(seed, freely):
    rng, costs, people, limit, existing, number = drawn(seed)
    conditions = conditions_of(rng, costs.shape[1], existing)
    if freely and "budget" in conditions and not conditions.get("moves"):
        number = None
    plan = solved(costs, people, number, conditions, objective="max_cover", limit=limit)
    if plan is not None:
        sets = allowed_sets(costs.shape[1], conditions, number)
        assert_best(plan, conditions, sets, lambda chosen: people_within(costs, people, limit, chosen))


@LAW
@given(SEEDS, st.sampled_from(["p_median", "p_center"]))
def test_least_costs_under_any_conditions(seed, objective):
    rng, costs, people, _, existing, number = drawn(seed)
    conditions = conditions_of(rng, costs.shape[1], existing)
    worth = sum_of if objective == "p_median" else largest_of
    plan = solved(costs, people, number, conditions, objective=objective)
    if plan is not None:
        sets = allowed_sets(costs.shape[1], conditions, number)
        assert_best(plan, conditions, sets, lambda chosen: worth(costs, people, chosen), minimised=True)


@LAW
@given(SEEDS)
def test_fewest_under_conditions(seed):
    rng, costs, people, limit, existing, _ = drawn(seed)
    conditions = conditions_of(rng, costs.shape[1], existing)
    for name in ("closable", "closures", "movable", "moves"):
        conditions.pop(name, None)
    plan = solved(costs, people, None, conditions, objective="full_cover", limit=limit)
    if plan is None:
        return

    def worth(chosen):
        covers = people_within(costs, people, limit, chosen) >= people.sum() - 1e-9
        return len(chosen) if covers else math.inf

    sets = allowed_sets(costs.shape[1], conditions, None)
    assert_best(plan, conditions, sets, worth, minimised=True)


@LAW
@given(SEEDS, st.integers(1, 3))
def test_backup_under_any_conditions(seed, times):
    rng, costs, people, limit, existing, number = drawn(seed)
    conditions = conditions_of(rng, costs.shape[1], existing)

    def worth(chosen):
        return people[(costs[:, list(chosen)] <= limit).sum(axis=1) >= times].sum()

    plan = solved(costs, people, number, conditions, objective="backup_cover", limit=limit, times=times)
    if plan is not None:
        assert_best(plan, conditions, allowed_sets(costs.shape[1], conditions, number), worth)


@LAW
@given(SEEDS)
def test_composite_rules_under_any_conditions(seed):
    rng, costs, people, limit, existing, number = drawn(seed)
    conditions = conditions_of(rng, costs.shape[1], existing)
    offers = rng.choice(["library", "hall"], costs.shape[1])
    lacking = {name: rng.integers(0, 3, len(people)) for name in ("library", "hall")}

    def worth(chosen):
        near = costs[:, list(chosen)] <= limit
        satisfied = np.ones(len(people), dtype=bool)
        for name, lacks in lacking.items():
            satisfied &= near[:, offers[list(chosen)] == name].sum(axis=1) >= lacks
        return people[satisfied].sum()

    question = {"objective": "rule_cover", "limit": limit, "offers": offers, "lacking": lacking}
    plan = solved(costs, people, number, conditions, **question)
    if plan is not None:
        assert_best(plan, conditions, allowed_sets(costs.shape[1], conditions, number), worth)


@LAW
@given(SEEDS)
def test_least_share_under_any_conditions(seed):
    rng, costs, people, limit, existing, number = drawn(seed)
    conditions = conditions_of(rng, costs.shape[1], existing)
    groups = rng.choice(["a", "b", "c", None], len(people))

    def worth(chosen):
        near = (costs[:, list(chosen)] <= limit).any(axis=1)
        shares = [
            people[near & (groups == name)].sum() / people[groups == name].sum()
            for name in ("a", "b", "c")
            if people[groups == name].sum() > 0
        ]
        return min(shares, default=1.0)

    plan = solved(costs, people, number, conditions, objective="max_min_cover", limit=limit, groups=groups)
    if plan is not None:
        assert_best(plan, conditions, allowed_sets(costs.shape[1], conditions, number), worth)


def most_served(costs, people, limit, capacities, chosen):
    """Solve the transport of people to open sites as a linear program over all pairs."""
    pairs = [(i, j) for i in range(len(people)) for j in chosen if costs[i, j] <= limit]
    if not pairs:
        return 0.0
    table = np.zeros((len(people) + len(capacities), len(pairs)))
    for place, (i, j) in enumerate(pairs):
        table[i, place] = table[len(people) + j, place] = 1
    return -linprog(-np.ones(len(pairs)), A_ub=table, b_ub=np.r_[people, capacities]).fun


@LAW
@given(SEEDS)
def test_capacities_under_any_conditions(seed):
    rng, costs, people, limit, existing, number = drawn(seed)
    conditions = conditions_of(rng, costs.shape[1], existing)
    capacities = rng.integers(0, 15, costs.shape[1]).astype(float)
    question = {"objective": "capacitated_max_cover", "limit": limit, "capacities": capacities}
    plan = solved(costs, people, number, conditions, **question)
    if plan is not None:
        sets = allowed_sets(costs.shape[1], conditions, number)
        assert_best(
            plan, conditions, sets, lambda chosen: most_served(costs, people, limit, capacities, chosen)
        )


@LAW
@given(SEEDS)
def test_one_building_for_several_services(seed):
    rng, costs, people, limit, existing, number = drawn(seed)
    other = rng.permuted(costs, axis=0)
    heads = {"culture": people, "fitness": rng.integers(0, 9, len(people)).astype(float)}
    limits = {"culture": limit, "fitness": limit + 2}
    tables = {"culture": costs, "fitness": other}
    conditions = {"existing": existing, "required": (), "forbidden": ()}

    def worth(chosen):
        return sum(people_within(tables[one], heads[one], limits[one], chosen) for one in tables)

    plan = lc.solve_siting(
        tables, heads, objective="max_cover", limit=limits, sites=number, existing=existing
    )
    assert_best(plan, conditions, allowed_sets(costs.shape[1], conditions, number), worth)
