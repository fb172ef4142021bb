"""Siting: every objective against brute force and published optima, and what a certificate promises."""

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_array

import lifecircle as lc
from conftest import WHOLE_CAMPAIGN

LAW = settings(max_examples=400 if WHOLE_CAMPAIGN else 60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)

SF_MCLP = {
    2000: (122304, 200356, 266985, 333273, 389172, 432591, 502345),
    3000: (239817, 377803, 481826, 557571, 620348, 666206, 747498),
    4000: (353367, 529616, 652946, 740223, 809613, 870020, 936293),
    5000: (448255, 671938, 791499, 875247, 927402, 941462, 955113),
    6000: (564173, 775784, 876468, 932758, 955113, 955113, 955113),
    8000: (805302, 934831, 955113, 955113, 955113, 955113, 955113),
}
SF_LSCP = {2000: None, 3000: None, 4000: None, 5000: 8, 6000: 5, 8000: 3}
SF_MEDIAN = (
    5731159103.675338,
    4009098972.1349115,
    3385565397.531518,
    2848268129.714512,
    2554123350.18753,
    2347055166.677383,
    2176547158.2823763,
    2054687610.6381972,
)
SF_CENTER = (
    11577.278995668365,
    9130.758740990761,
    7529.985950284766,
    7403.063810849859,
    5985.500070772799,
    5903.667154450694,
    5150.252650242137,
    4644.845691362354,
)


@pytest.fixture(scope="module")
def san_francisco():
    """Give distances and people of spopt's packaged instance: 205 tracts, 16 stores."""
    spopt = pytest.importorskip("spopt", reason="the instance is in spopt's package")
    folder = Path(spopt.__file__).parent / "tests" / "test_locate" / "data"
    network = pd.read_csv(folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    metres = network.pivot_table(values="distance", index="DestinationName", columns="name")
    tracts = pd.read_csv(folder / "SF_demand_205_centroid_uniform_weight.csv").set_index("NAME")
    return metres, tracts["POP2000"].reindex(metres.index)


@pytest.mark.parametrize("radius", SF_MCLP)
def test_san_francisco_most_covered(san_francisco, radius):
    metres, people = san_francisco
    for sites, best in zip((1, 2, 3, 4, 5, 6, 8), SF_MCLP[radius], strict=True):
        plan = lc.solve_siting(metres.to_numpy(), people, objective="max_cover", limit=radius, sites=sites)
        assert (plan.value, plan.bound, plan.status) == (best, best, "optimal")
        assert len(plan.sites) == sites


@pytest.mark.parametrize("radius", SF_LSCP)
def test_san_francisco_fewest(san_francisco, radius):
    metres, people = san_francisco
    plan = lc.solve_siting(metres, people, objective="full_cover", limit=radius)
    if SF_LSCP[radius] is None:
        beyond = metres.index[(metres > radius).all(axis=1)]
        assert (plan.status, plan.sites) == ("infeasible", ())
        assert plan.unreachable == tuple(beyond)
        assert str(len(beyond)) in plan.reason
        assert math.isnan(plan.value)
    else:
        assert (plan.value, plan.bound, plan.status) == (SF_LSCP[radius], SF_LSCP[radius], "optimal")
        assert (metres[list(plan.sites)].min(axis=1) <= radius).all()


@pytest.mark.parametrize("sites", range(1, 9))
def test_san_francisco_median_and_center(san_francisco, sites):
    metres, people = san_francisco
    median = lc.solve_siting(metres, people, objective="p_median", sites=sites)
    # The last bit of a sum hangs on the version of numpy.
    assert median.value == pytest.approx(SF_MEDIAN[sites - 1], rel=1e-12)
    assert median.status == "optimal"
    center = lc.solve_siting(metres, people, objective="p_center", sites=sites)
    assert (center.value, center.bound) == pytest.approx([SF_CENTER[sites - 1]] * 2, rel=1e-12)
    assert center.status == "optimal"


def drawn(seed, *, full=False):
    """Draw a small instance: costs with inf and zeros, people, a limit, existing sites and a number."""
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(1, 14), rng.integers(1, 8)
    costs = rng.integers(0, 12, (rows, columns)).astype(float)
    if not full:
        costs[rng.random(costs.shape) < rng.choice([0.0, 0.2, 0.6])] = np.inf
    people = rng.integers(0, 9, rows).astype(float)
    if rng.random() < 0.3:
        people *= 0.37
    existing = np.flatnonzero(rng.random(columns) < 0.2)
    free = columns - len(existing)
    return rng, costs, people, int(rng.integers(0, 10)), tuple(existing), int(rng.integers(0, free + 1))


def sets_of(columns, existing, number):
    candidates = [site for site in range(columns) if site not in existing]
    return [(*chosen, *existing) for chosen in itertools.combinations(candidates, number)]


def in_sparse(costs):
    row, column = np.nonzero(np.isfinite(costs))
    return csr_array(coo_array((costs[row, column], (row, column)), shape=costs.shape))


def people_within(costs, people, limit, chosen):
    return people[(costs[:, list(chosen)] <= limit).any(axis=1)].sum() if len(chosen) else 0.0


def assert_certificate(plan, best, *, minimised):
    """Hold a plan against the best value of all: proved, on the right side, and its own bound valid."""
    assert plan.value == pytest.approx(best, rel=1e-6)
    assert plan.status == "optimal"
    assert abs(plan.bound - plan.value) <= 1e-6 * abs(plan.value)
    slack = 1e-9 * (1 + abs(best))
    if minimised:
        assert plan.bound <= best + slack <= plan.value + 2 * slack
    else:
        assert plan.value - 2 * slack <= best - slack <= plan.bound


@LAW
@given(SEEDS)
def test_most_covered_is_the_best_of_all_sets(seed):
    _, costs, people, limit, existing, number = drawn(seed)
    best = max(
        people_within(costs, people, limit, chosen) for chosen in sets_of(costs.shape[1], existing, number)
    )
    for form in (costs, in_sparse(costs)):
        plan = lc.solve_siting(
            form, people, objective="max_cover", limit=limit, sites=number, existing=existing
        )
        if not (costs <= limit).any():
            assert (plan.status, plan.value, best) == ("infeasible", 0, 0)
            continue
        assert_certificate(plan, best, minimised=False)
        assert len(plan.sites) == number
        assert not set(plan.sites) & set(existing)
        assert people_within(costs, people, limit, (*plan.sites, *existing)) == pytest.approx(plan.value)


@LAW
@given(SEEDS)
def test_fewest_is_the_least_of_all_covers(seed):
    _, costs, people, limit, existing, _ = drawn(seed)
    columns = costs.shape[1]
    plan = lc.solve_siting(costs, people, objective="full_cover", limit=limit, existing=existing)
    lost = np.flatnonzero((people > 0) & ~(costs <= limit).any(axis=1))
    if len(lost):
        assert plan.status == "infeasible"
        assert plan.unreachable == tuple(lost)
        return
    sizes = (
        len(chosen)
        for number in range(columns + 1)
        for chosen in (sets_of(columns, existing, number) if number <= columns - len(existing) else ())
        if people_within(costs, people, limit, chosen) >= people.sum() - 1e-9
    )
    assert_certificate(plan, next(sizes), minimised=True)
    assert people_within(costs, people, limit, (*plan.sites, *existing)) == pytest.approx(people.sum())


def sum_of(costs, people, chosen):
    served = people > 0
    if not served.any():
        return 0.0
    return (costs[served][:, list(chosen)].min(axis=1, initial=np.inf) * people[served]).sum()


def largest_of(costs, people, chosen):
    return costs[people > 0][:, list(chosen)].min(axis=1, initial=np.inf).max(initial=0.0)


@LAW
@given(SEEDS, st.sampled_from(["p_median", "p_center"]), st.booleans())
def test_least_sum_and_least_largest(seed, objective, full):
    _, costs, people, _, existing, number = drawn(seed, full=full)
    worth = sum_of if objective == "p_median" else largest_of
    best = min(worth(costs, people, chosen) for chosen in sets_of(costs.shape[1], existing, number))
    for form in (costs, in_sparse(costs)):
        plan = lc.solve_siting(form, people, objective=objective, sites=number, existing=existing)
        if math.isinf(best):
            assert (plan.status, plan.sites) == ("infeasible", ())
            assert plan.reason
            continue
        assert_certificate(plan, best, minimised=True)
        assert len(plan.sites) == number
        assert worth(costs, people, (*plan.sites, *existing)) == pytest.approx(plan.value)


@LAW
@given(SEEDS)
def test_greedy_is_at_most_the_optimum_and_that_at_most_the_bound(seed):
    _, costs, people, limit, existing, number = drawn(seed)
    if not (costs <= limit).any():
        return
    best = max(
        people_within(costs, people, limit, chosen) for chosen in sets_of(costs.shape[1], existing, number)
    )
    hasty = lc.solve_siting(
        costs, people, objective="max_cover", limit=limit, sites=number, existing=existing, time_limit_s=0
    )
    assert hasty.status in {"optimal", "feasible"}
    assert len(hasty.sites) == number
    assert hasty.value <= best * (1 + 1e-9) <= hasty.bound * (1 + 2e-9) + 1e-9
