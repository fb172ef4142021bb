"""Choose by the second objective of p_center and max_min_cover, among sets that are equal by the first.

The worst cost, or the least share, is the same for many sets: it depends on a few residents only. The value
found for it is held as a condition, and then the most people are covered (for p_center without a limit, the
weighted sum of costs is minimised). The second objective is proved among sets that hold the value of the
first, so it is called proved only where the first one is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, vstack

from lifecircle.siting._certificate import is_proved, rounded_down, step_beyond, unit_of
from lifecircle.siting._cover import merge_rows, ones
from lifecircle.siting._highs import is_installed, minimise
from lifecircle.siting._lagrange import Effort, rule_bound
from lifecircle.siting._local_search import local_search
from lifecircle.siting._median import solve_median
from lifecircle.siting._plan import SecondAim, SitingPlan
from lifecircle.siting._rule_solver import model_of, start_of
from lifecircle.siting._rules import rules_of
from lifecircle.siting._score import least_costs, score

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline
    from lifecircle.siting._highs import Model
    from lifecircle.siting._problem import SitingProblem
    from lifecircle.siting._rules import Rules

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

TWO_AIMS = frozenset({"p_center", "max_min_cover"})

_STEPS = 400
_SLACK = 1e-9
"""Share of the first value by which float noise may lower it."""


def with_second(
    problem: SitingProblem, is_open: Bools, plan: SitingPlan, *, deadline: Deadline
) -> tuple[Bools, SecondAim]:
    """Choose among the sets that are as good as a plan by the first aim.

    Parameters
    ----------
    is_open : (site,) the set of the plan

    Returns
    -------
    is_open, second : a set as good by the first aim, and its value by the second
    """
    if problem.objective == "p_center" and problem.second_reach is None:
        is_open, bound = _least_sum(problem, is_open, plan.value, deadline)
        name, value = "p_median", sum_of(problem, is_open)
    else:
        is_open, bound = _most_people(problem, is_open, plan.value, deadline)
        name, value = "max_cover", people_of(problem, is_open)
    bound = min(bound, value) if name == "p_median" else max(bound, value)
    proved = plan.status == "optimal" and is_proved(value, bound)
    return is_open, SecondAim(name, "optimal" if proved else "feasible", value, bound)


def sum_of(problem: SitingProblem, is_open: Bools) -> float:
    """Return the sum of people times cost to the nearest open site."""
    used = problem.weights > 0
    return float((least_costs(problem, is_open)[used] * problem.weights[used]).sum())


def people_of(problem: SitingProblem, is_open: Bools) -> float:
    """Return the number of people whom a set covers by the second aim."""
    reach, people = _reach_of(problem)
    return float(people[np.asarray(reach @ is_open.astype(np.float64)) > 0].sum())


def _reach_of(problem: SitingProblem) -> tuple[csr_array, Floats]:
    """Return who counts as covered by which site, and the people: csr (row, site) of ones, (row,)."""
    if problem.objective == "max_min_cover":
        costs = problem.costs
        return ones(costs.indptr, costs.indices, costs.shape), problem.people[problem.resident]
    assert problem.second_reach is not None
    assert problem.second_people is not None
    return problem.second_reach, problem.second_people


def _least_sum(
    problem: SitingProblem, is_open: Bools, farthest: float, deadline: Deadline
) -> tuple[Bools, float]:
    """Find the least weighted sum among the sets that leave nobody farther: only pairs within it are used."""
    costs = problem.costs
    near = costs.data <= farthest
    row = np.repeat(np.arange(costs.shape[0]), np.diff(costs.indptr))[near]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=costs.shape[0]))])
    table = csr_array((costs.data[near], costs.indices[near], indptr), shape=costs.shape)
    found = solve_median(table, problem.weights, problem.choice, deadline=deadline, known=is_open)
    if found.is_open is None:
        return is_open, -math.inf
    better = score(problem, found.is_open) <= farthest and sum_of(problem, found.is_open) < sum_of(
        problem, is_open
    )
    return (found.is_open if better else is_open), found.bound


# --- most people ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Held:
    """What sets are worth by the people they cover, those that lose the first value being worth nothing.

    ``hard`` : csr (row, site), each row needs an open site (of p_center); ``problem`` and ``least`` : the
    least share to be kept (of max_min_cover), None otherwise.
    """

    rules: Rules
    hard: csr_array
    problem: SitingProblem | None
    least: float

    def holds(self, is_open: Bools) -> bool:
        """Return whether a set keeps the first value."""
        if (np.asarray(self.hard @ is_open.astype(np.float64)) <= 0).any():
            return False
        return self.problem is None or score(self.problem, is_open) >= self.least * (1 - _SLACK)

    def value(self, is_open: Bools) -> float:
        """Return the people covered; -1 for a set that loses the first value."""
        return self.rules.value(is_open) if self.holds(is_open) else -1.0

    def gains(self, is_open: Bools) -> Floats:
        """Return what each site would add; one more site never loses the first value: (site,)."""
        return self.rules.gains(is_open)

    def swap_gains(self, is_open: Bools, outs: Ints, ins: Ints) -> Floats:
        """Return what each exchange would add, -inf where the first value is lost: (out, in)."""
        gains = self.rules.swap_gains(is_open, outs, ins)
        times = np.asarray(self.hard @ is_open.astype(np.float64))
        by_site = csr_array(self.hard.T)
        part = by_site[ins]
        for place, out in enumerate(outs.tolist()):
            rows = by_site.indices[by_site.indptr[out] : by_site.indptr[out + 1]]
            bare = np.zeros(len(times))
            bare[rows[times[rows] <= 1]] = 1.0
            gains[place, np.asarray(part @ bare) < bare.sum()] = -np.inf
            if self.problem is not None:
                gains[place, self._too_little(is_open, out, ins)] = -np.inf
        return gains

    def _too_little(self, is_open: Bools, out: int, ins: Ints) -> Bools:
        """Return which sites, in exchange for one, leave some group under the least share: (in,)."""
        problem = self.problem
        assert problem is not None
        reach, people = _reach_of(problem)
        # For all exchanges of one site in one matrix product, instead of one count for each exchange.
        rest = is_open.copy()
        rest[out] = False
        served = np.asarray(reach @ rest.astype(np.float64)) > 0
        inside = problem.group >= 0
        left = np.flatnonzero(inside & ~served)
        spread = csr_array(
            (people[left], (left, problem.group[left])), shape=(len(people), len(problem.groups))
        )
        added = (csr_array(reach[:, ins]).T @ spread).toarray()
        whole = np.bincount(
            problem.group[inside], weights=people[inside], minlength=len(problem.groups)
        ).astype(np.float64)
        held = inside & served
        now = np.bincount(problem.group[held], weights=people[held], minlength=len(problem.groups))
        counts = whole > 0
        share = (now[counts] + added[:, counts]) / whole[counts]
        too_little: Bools = share.min(axis=1, initial=1.0) < self.least * (1 - _SLACK)
        return too_little


def _most_people(
    problem: SitingProblem, is_open: Bools, first: float, deadline: Deadline
) -> tuple[Bools, float]:
    """Find the set that covers the most people among those that keep the first value."""
    choice = problem.choice
    reach, people = _reach_of(problem)
    rules, by_group = _rules(problem, reach, people)
    hard = csr_array((0, choice.size))
    if problem.objective == "p_center":
        costs = problem.costs
        hard = _within(csr_array(costs[np.flatnonzero(problem.weights > 0)]), first)
    fair = problem if problem.objective == "max_min_cover" else None
    # The search begins at the plan of the first objective, which keeps the first value: so it never has to
    # find an allowed set.
    held = _Held(rules, hard, fair, first)
    is_open, value = local_search(held, choice, is_open, kicks=0, deadline=deadline.share(0.4))
    unit = unit_of(people)
    bound = _bound(rules, choice, value, unit, deadline.share(0.3))
    if bound >= value + step_beyond(value, unit) and not deadline.passed() and is_installed():
        model = _with_rows(model_of(rules, choice), *_hard_rows(hard, choice))
        if fair is not None:
            model = _with_rows(model, *_share_rows(by_group, choice, first))
        start = start_of(rules, choice, is_open)
        answer = minimise(model, deadline=deadline, unit=unit, start=start)
        settled = float(rules.settled.sum())
        if answer.x is not None:
            found = choice.base()
            found[choice.variable] = answer.x[: len(choice.variable)] > 0.5
            if choice.allows(found) and held.value(found) > value:
                is_open, value = found, held.value(found)
        if math.isfinite(answer.bound):
            bound = min(bound, rounded_down(settled - answer.bound, unit))
    return is_open, max(bound, value)


def _rules(problem: SitingProblem, reach: csr_array, people: Floats) -> tuple[Rules, Rules]:
    """Return who can be covered: for people alone, and the same rows with their groups.

    Residents in no group become a further group without a least share: they count as people.
    """
    many = len(people)
    group = np.zeros(many, dtype=np.int64)
    groups = 1
    if problem.objective == "max_min_cover":
        groups = len(problem.groups) + 1
        group = np.where(problem.group >= 0, problem.group, groups - 1)
    by_group = rules_of(
        reach,
        np.ones(many, dtype=np.int64),
        np.arange(many),
        people,
        problem.choice,
        group=group,
        groups=groups,
    )
    whole = replace(by_group, groups=0, settled=np.array([by_group.settled.sum()]))
    return whole, by_group


def _within(table: csr_array, most: float) -> csr_array:
    """Return the pairs of at most so much, as ones, each kind of row once."""
    near = table.data <= most
    row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))[near]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=table.shape[0]))])
    within = csr_array((np.ones(len(row)), table.indices[near], indptr), shape=table.shape)
    within.sort_indices()
    return csr_array(merge_rows(within, np.ones(within.shape[0]))[0])


def _bound(rules: Rules, choice: Choice, value: float, unit: float, deadline: Deadline) -> float:
    """Return an upper bound of the people that any allowed set covers, with the first value or without."""
    settled = float(rules.settled.sum())
    effort = Effort(_STEPS, deadline, value + step_beyond(value, unit) - settled)
    parts = rules.cover, rules.need, rules.resident, rules.people
    bound = rule_bound(*parts, choice, value=value - settled, effort=effort)
    return rounded_down(min(bound + settled, settled + float(rules.people.sum())), unit)


def _hard_rows(hard: csr_array, choice: Choice) -> tuple[csr_array, Floats]:
    """Return the condition that every row not served anyway has an open site: rows over sites that vary."""
    bare = np.flatnonzero(np.asarray(hard @ choice.base().astype(np.float64)) <= 0)
    table = csr_array(csr_array(hard[bare])[:, choice.variable])
    return table, np.ones(table.shape[0])


def _share_rows(rules: Rules, choice: Choice, least: float) -> tuple[csr_array, Floats]:
    """Return the condition that every group with people keeps the least share: rows over all variables."""
    counts = np.flatnonzero(rules.in_group[:-1] > 0)
    inside = np.flatnonzero(np.isin(rules.group, counts))
    place = np.full(rules.groups, -1, dtype=np.int64)
    place[counts] = np.arange(len(counts))
    share = rules.people[inside] / rules.in_group[rules.group[inside]]
    column = len(choice.variable) + inside
    shape = (len(counts), len(choice.variable) + len(rules.people))
    table = csr_array((share, (place[rules.group[inside]], column)), shape=shape)
    return table, least * (1 - _SLACK) - rules.settled[counts] / rules.in_group[counts]


def _with_rows(model: Model, table: csr_array, lower: Floats) -> Model:
    """Return the model with conditions ``table @ x >= lower``; columns that a table lacks count as zero."""
    if not table.shape[0]:
        return model
    entries = table.tocoo()
    width = model.matrix.shape[1]
    wide = csr_array((entries.data, (entries.row, entries.col)), shape=(table.shape[0], width))
    both: Any = vstack([model.matrix, wide], format="csr")
    return replace(
        model,
        matrix=csr_array(both),
        lower=np.concatenate([model.lower, lower]),
        upper=np.concatenate([model.upper, np.full(len(lower), np.inf)]),
    )
