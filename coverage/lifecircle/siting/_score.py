"""Compute the value of a set of open sites from the costs, independently of how the set was found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.siting._capacity import served
from lifecircle.siting._totals import leasts, totals

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._problem import SitingProblem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]


def score(problem: SitingProblem, is_open: Bools) -> float:
    """Return the value of a set of open sites (site,), in the units of the objective."""
    objective = problem.objective
    if objective == "full_cover":
        return float(is_open.sum()) if covered(problem, is_open)[problem.people > 0].all() else math.nan
    if objective in {"p_median", "p_center"}:
        least = least_costs(problem, is_open)[problem.weights > 0]
        weights = problem.weights[problem.weights > 0]
        if objective == "p_center":
            return float(least.max(initial=0.0))
        return float((least * weights).sum())
    people = problem.people * covered(problem, is_open)
    if objective == "max_min_cover":
        return float(shares(problem, people).min(initial=1.0))
    if objective == "capacitated_max_cover":
        return served(problem, is_open)
    return float(people.sum())


def covered(problem: SitingProblem, is_open: Bools) -> Bools:
    """Return which residents (resident,) a set of open sites satisfies."""
    lacking = _times(problem, is_open) < problem.need
    unsatisfied = np.bincount(problem.resident[lacking], minlength=len(problem.people))
    return np.asarray(unsatisfied == 0)


def _times(problem: SitingProblem, is_open: Bools) -> Ints:
    """Return the number of open sites of each row: (row,)."""
    row = np.repeat(np.arange(problem.costs.shape[0]), np.diff(problem.costs.indptr))
    return np.bincount(row[is_open[problem.costs.indices]], minlength=problem.costs.shape[0])


def least_costs(problem: SitingProblem, is_open: Bools) -> Floats:
    """Return the cost to the nearest open site: (row,), inf where there is none."""
    costs = problem.costs
    row = np.repeat(np.arange(costs.shape[0]), np.diff(costs.indptr))
    able = is_open[costs.indices]
    return leasts(row[able], costs.data[able], np.full(costs.shape[0], np.inf))


def shares(problem: SitingProblem, people: Floats) -> Floats:
    """Return the share of each group that some people (resident,) make up: (group,), 1 for an empty group."""
    inside = problem.group >= 0
    group = problem.group[inside]
    total = totals(group, problem.people[inside], len(problem.groups))
    reached = totals(group, people[inside], len(problem.groups))
    return np.where(total > 0, reached / np.where(total > 0, total, 1.0), 1.0)
