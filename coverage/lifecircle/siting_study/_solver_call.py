"""Own the way from a question about a circle to the solver's and back; no plan is found here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack
from scipy.spatial import cKDTree

from lifecircle.errors import Fault, UnusableInputError, say
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
    check_alone(question, objective)
    rows, table = _with_today(question, conditions, objective)
    people = question.people[rows]
    extra: dict[str, Any] = {}
    if objective == "max_min_cover":
        extra["groups"] = pd.Series(conditions.groups[rows], index=table.demand)
    if objective != "full_cover":
        extra |= {"sites": sites}
    if objective in {"max_min_cover", "full_cover"}:
        extra |= {"limit": 1.0}
    if objective == "p_center":
        # Those without a path today have no time that could be made less, but they may be covered.
        extra |= {"second_limit": question.limit_s[rows], "second_weights": people}
        people = np.where(question.timed[rows], people, 0.0)
    if conditions.budget is not None:
        prices = pd.Series(conditions.prices, index=conditions.labels)[table.facilities[1:]]
        extra |= {"budget": conditions.budget, "prices": pd.concat([pd.Series({_TODAY: 0.0}), prices])}
    plan = solve_siting(
        table,
        people,
        objective=objective,  # type: ignore[arg-type]  # checked against OBJECTIVES by the caller
        existing=[_TODAY],
        time_limit_s=conditions.time_limit_s,
        **_common(conditions, extra),
    )
    if objective == "full_cover" and plan.sites:
        # what residents have today is no site of theirs
        return replace(plan, value=plan.value - 1, bound=plan.bound - 1)
    return plan


def check_alone(question: Question, objective: str) -> None:
    """Refuse an aim that the candidates cannot be asked for.

    Raises
    ------
    UnusableInputError
        Candidates count together; or, where times count, they hold but a part of the rule.
    """
    if objective == "max_cover":
        return
    timed = objective in {"p_median", "p_center"}
    if not question.one_is_enough() or (timed and not question.fills_the_rule()):
        reason = say("'{name}' needs candidates each of which fills the rule alone", name=objective)
        remedy = say("ask for max_cover, or let a site hold all that the rule asks for (--service)")
        raise UnusableInputError([Fault("", "objective", objective, reason, remedy)])


def _common(conditions: Conditions, extra: Mapping[str, Any]) -> dict[str, Any]:
    labels = set(conditions.labels[conditions.free])
    apart = [pair for pair in conditions.apart if set(pair) <= labels]
    return {"required": conditions.required, **({"apart": apart} if apart else {}), **extra}


def _covering(question: Question, conditions: Conditions, sites: int | None, factor: float) -> SitingPlan:
    problem = covering_problem(question, conditions, sites, factor)
    covered = question.people_covered if factor == 1.0 else _covered_at(question, factor)
    if problem is None:
        reason = say("no candidate covers anybody")
        return SitingPlan("max_cover", "infeasible", (), math.nan, math.nan, (), reason)
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
        reason = say("candidates hold different services, and some more than one venue of the rule")
        remedy = say("give all candidates the same services (--service), or each one venue")
        raise UnusableInputError([Fault("candidates", "column 'services'", "", reason, remedy)])
    lacks = question.lacks(factor)[rows]
    offers = [classes[int(one.argmax())] if one.any() else "" for one in brings]
    return offers, {name: lacks[:, at] for at, name in enumerate(classes)}


def _with_today(question: Question, conditions: Conditions, objective: str) -> tuple[Ints, Pairs]:
    """Put what residents have today beside the free candidates, as a site that stands open.

    Where times count, the pairs are seconds and those who have a path today are asked about (for p_center
    also those whom a candidate would cover); else a pair says that somebody is covered. Residents whom
    nothing reaches are left out, but of a district they are a part.
    """
    free = np.flatnonzero(conditions.free)
    counted = question.people > 0
    has = question.covered
    today = np.zeros(len(has))
    table = covering(question)[:, free]
    met = np.diff(table.indptr) > 0
    if objective == "max_min_cover":
        rows = np.flatnonzero(counted)
    elif objective == "full_cover":
        rows = np.flatnonzero(counted & (has | met))
    else:
        has, today = question.timed, question.answer.seconds
        rows = np.flatnonzero(counted & (has | met) if objective == "p_center" else counted & has)
        table = question.seconds[:, free]
    own = csr_array(
        (today[rows][has[rows]], np.zeros(int(has[rows].sum()), dtype=np.int64),
         np.concatenate([[0], np.cumsum(has[rows])])),
        shape=(len(rows), 1),
    )  # fmt: skip
    whole = csr_array(hstack([own, table[rows]], format="csr"))
    return rows, Pairs(whole, pd.RangeIndex(len(rows)), pd.Index([_TODAY, *conditions.labels[free]]))


def covering(question: Question) -> Any:
    """Give whom one candidate in reach covers that are not covered today: csr (demand, candidate) of ones.

    For candidates each of which is enough alone.
    """
    needs = question.needs()
    assert needs is not None
    able = question.waiting() & (needs == 1)
    table = question.reach()
    row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    kept = able[row]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=table.shape[0]))])
    return csr_array((np.ones(int(kept.sum())), table.indices[kept], indptr), shape=table.shape)
