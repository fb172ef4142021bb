"""Own the way from a question about a circle to the solver's and back; no plan is found here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack
from scipy.spatial import cKDTree

from lifecircle.errors import Fault, UnusableInputError
from lifecircle.reach import Pairs
from lifecircle.siting import SitingPlan, siting_curve, siting_problem, solve, solve_siting
from lifecircle.siting_study._question import IMPOSSIBLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.siting import SitingProblem
    from lifecircle.siting_study._question import Question

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

OBJECTIVES = ("max_cover", "full_cover", "p_median", "p_center", "max_min_cover")
"""What a siting study may ask for."""

MOST_ON_CURVE = 30
"""Sites up to which a curve goes where the goal is not to be reached, beyond those asked for."""

_TODAY = "(today)"  # the column of what residents have now, which stands open


@dataclass(frozen=True, eq=False)
class Conditions:
    """What a plan must heed.

    ``labels`` : (candidate,); ``free`` : (candidate,) may be chosen; ``required`` : labels; ``prices`` :
    (candidate,) 10,000 yuan, NaN where unknown; ``apart`` : pairs of labels that exclude each other;
    ``groups`` : (demand,) district of each resident.
    """

    labels: pd.Index
    free: Flags
    required: tuple[str, ...]
    prices: Floats
    budget: float | None
    apart: tuple[tuple[str, str], ...]
    groups: npt.NDArray[np.object_]
    time_limit_s: float


def too_near(metres: Floats, labels: pd.Index, separation_m: float) -> tuple[tuple[str, str], ...]:
    """List the pairs of candidates nearer to each other than a distance (so far is far enough)."""
    if separation_m <= 0:
        return ()
    pairs = cKDTree(metres).query_pairs(separation_m * (1 - 1e-9), output_type="ndarray")
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return tuple((str(labels[one]), str(labels[other])) for one, other in pairs)


def best(
    question: Question, conditions: Conditions, *, objective: str, sites: int | None, factor: float = 1.0
) -> SitingPlan:
    """Choose sites for a question; the value counts what residents have today too.

    Parameters
    ----------
    sites : how many; None for ``full_cover``
    factor : share of the usual speed; other than 1 for ``max_cover`` alone

    Raises
    ------
    UnusableInputError
        The question cannot be asked of these candidates, or the solver finds fault with it.
    """
    if objective == "max_cover":
        return _covering(question, conditions, sites, factor)
    if not question.one_is_enough():
        reason = f"{objective} needs candidates each of which fills the rule alone"
        raise UnusableInputError([Fault("", "objective", objective, reason, "ask for max_cover")])
    rows, table = _with_today(question, conditions, objective)
    extra: dict[str, Any] = {}
    if objective == "max_min_cover":
        extra["groups"] = pd.Series(conditions.groups[rows], index=table.demand)
    if objective != "full_cover":
        extra |= {"sites": sites}
    if objective not in {"p_median", "p_center"}:
        extra |= {"limit": question.limit_s}
    plan = solve_siting(
        table,
        question.people[rows],
        objective=objective,  # type: ignore[arg-type]  # checked against OBJECTIVES by the caller
        existing=[_TODAY],
        time_limit_s=conditions.time_limit_s,
        **_common(conditions, extra),
    )
    if objective == "full_cover" and plan.sites:
        # what residents have today is no site of theirs
        return replace(plan, value=plan.value - 1, bound=plan.bound - 1)
    return plan


def _common(conditions: Conditions, extra: Mapping[str, Any]) -> dict[str, Any]:
    labels = set(conditions.labels[conditions.free])
    apart = [pair for pair in conditions.apart if set(pair) <= labels]
    return {"required": conditions.required, **({"apart": apart} if apart else {}), **extra}


def _covering(question: Question, conditions: Conditions, sites: int | None, factor: float) -> SitingPlan:
    problem = covering_problem(question, conditions, sites, factor)
    covered = question.people_covered if factor == 1.0 else _covered_at(question, factor)
    if problem is None:
        return SitingPlan(
            "max_cover", "infeasible", (), math.nan, math.nan, (), "no candidate covers anybody"
        )
    return _with_covered(solve(problem, time_limit_s=conditions.time_limit_s), covered)


def _with_covered(plan: SitingPlan, covered: float) -> SitingPlan:
    """Count those who are covered today as well."""
    return replace(plan, objective="max_cover", value=plan.value + covered, bound=plan.bound + covered)


def curve(
    question: Question, conditions: Conditions, *, least_sites: int, goal: float | None
) -> tuple[int, tuple[SitingPlan, ...]]:
    """Find the plans for one number of sites after the other: the first number, and the plans.

    It goes on to the goal where all candidates together reach it, else to :data:`MOST_ON_CURVE`, and in
    either case to ``least_sites``.

    Parameters
    ----------
    goal : people, those covered today included
    """
    problem = covering_problem(question, conditions, None, 1.0)
    if problem is None:
        return 0, ()
    free = np.flatnonzero(conditions.free)
    covered = question.people_covered
    able = covered + question.gain(free) >= (goal or 0.0)
    limit, first = conditions.time_limit_s, len(conditions.required)
    if goal is None or not able:
        most = min(max(least_sites, MOST_ON_CURVE), len(free))
        found = siting_curve(problem, most=max(most, first), time_limit_s=limit)
    else:
        found = siting_curve(problem, goal=goal - covered, time_limit_s=limit)
        if found.least + len(found.plans) <= least_sites:
            found = siting_curve(problem, most=least_sites, time_limit_s=limit)
    return found.least, tuple(_with_covered(plan, covered) for plan in found.plans)


def covering_problem(
    question: Question, conditions: Conditions, sites: int | None, factor: float
) -> SitingProblem | None:
    """Put the question of most people covered, of those alone whom the free candidates can cover at all.

    None where there is nobody.
    """
    free = np.flatnonzero(conditions.free)
    reach = question.reach(factor)[:, free]
    met = np.diff(reach.indptr) > 0
    needs = question.needs(factor)
    rows = np.flatnonzero(question.waiting(factor) & (question.people > 0) & met)
    if needs is not None:
        rows = rows[needs[rows] < IMPOSSIBLE]
    if not len(rows):
        return None
    labels = conditions.labels[free]
    extra: dict[str, Any] = {"limit": 1.0, "sites": sites}
    if conditions.budget is not None:
        extra |= {"budget": conditions.budget, "prices": pd.Series(conditions.prices[free], index=labels)}
    if sites is None and conditions.budget is None:
        extra["sites"] = max(len(conditions.required), 1)  # a curve asks for every number
    if needs is None:
        offers, lacking = _by_class(question, free, rows, factor)
        extra |= {"offers": offers, "lacking": lacking}
    elif (needs[rows] > 1).any():
        # All candidates bring the same, so what counts is how many of them a resident needs.
        extra |= {"offers": ["site"] * len(free), "lacking": {"site": needs[rows]}}
    return siting_problem(
        Pairs(csr_array(reach[rows]), pd.RangeIndex(len(rows)), labels),
        question.people[rows],
        objective="rule_cover" if "lacking" in extra else "max_cover",
        **_common(conditions, extra),
    )


def _covered_at(question: Question, factor: float) -> float:
    lacks = (question.lacks(factor) > 0).any(axis=1)
    return float(question.people[question.answer.snapped & ~lacks].sum())


def _by_class(question: Question, free: Ints, rows: Ints, factor: float) -> tuple[list[str], dict[str, Ints]]:
    """Put candidates that differ as one venue of one class each.

    Raises
    ------
    UnusableInputError
        A candidate brings more than one venue, or venues of several classes.
    """
    brings = question.brings[free]
    classes = list(question.answer.ranks)
    if (brings.sum(axis=1) > 1).any():
        reason = "candidates hold different services, and some more than one venue of the rule"
        remedy = "give all candidates the same services (--service), or each one venue"
        raise UnusableInputError([Fault("candidates", "column 'services'", "", reason, remedy)])
    lacks = question.lacks(factor)[rows]
    offers = [classes[int(one.argmax())] if one.any() else "" for one in brings]
    return offers, {name: lacks[:, at] for at, name in enumerate(classes)}


def _with_today(question: Question, conditions: Conditions, objective: str) -> tuple[Ints, Pairs]:
    """Put what residents have today beside the free candidates, as a site that stands open.

    Residents whom nothing reaches are left out; where walking is measured, all who have no path today.
    """
    free = np.flatnonzero(conditions.free)
    table = question.seconds[:, free]
    today = question.answer.seconds
    has = question.answer.snapped & np.isfinite(today)
    if objective in {"full_cover", "max_min_cover"}:
        has = question.covered
    counted = question.people > 0
    if objective == "max_min_cover":
        rows = np.flatnonzero(counted)
    elif objective == "full_cover":
        met = np.diff(question.reach()[:, free].indptr) > 0
        rows = np.flatnonzero(counted & (has | met) & question.answer.snapped)
    else:
        rows = np.flatnonzero(counted & has)
    own = csr_array(
        (np.where(has, np.where(np.isfinite(today), today, 0.0), 0.0)[rows][has[rows]],
         np.zeros(int(has[rows].sum()), dtype=np.int64),
         np.concatenate([[0], np.cumsum(has[rows])])),
        shape=(len(rows), 1),
    )  # fmt: skip
    whole = csr_array(hstack([own, table[rows]], format="csr"))
    return rows, Pairs(whole, pd.RangeIndex(len(rows)), pd.Index([_TODAY, *conditions.labels[free]]))
