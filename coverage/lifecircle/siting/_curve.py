"""Compute the curve: the best value and its bound for each number of sites, and the least number for a goal.

All numbers share their work. A plan for one more site begins with the plan before; the multipliers that bound
one number bound every other number too, by the sums of the best site scores.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.siting._branch import relaxed_bound
from lifecircle.siting._certificate import Found, rounded_down, step_beyond, unit_of
from lifecircle.siting._cover import ones
from lifecircle.siting._deadline import Deadline
from lifecircle.siting._greedy import filled, lazy_greedy
from lifecircle.siting._highs import is_installed
from lifecircle.siting._lagrange import ROUNDING, Effort, cover_bound
from lifecircle.siting._max_cover import plain_choice, reduce
from lifecircle.siting._plan import SitingPlan, status_of
from lifecircle.siting._problem import FEWER_IS_BETTER
from lifecircle.siting._solver import TIME_LIMIT_S, certified, check_time, solve
from lifecircle.siting._swaps import improve, improve_among

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._cover import Cover
    from lifecircle.siting._lagrange import Dual
    from lifecircle.siting._problem import SitingProblem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_STEPS, _KICKS = 250, 10
_MORE_KICKS, _PATIENCE = 1000, 300
_WIDE, _BESIDE = 9e-3, 2
"""Gap above which a number is worth more work, and numbers on each side that share a relaxation."""


@dataclass(frozen=True)
class SitingCurve:
    """Plans for an increasing number of new sites.

    Attributes
    ----------
    least : number of new sites of the first plan: those that are required
    plans : each with one site more than the one before
    goal : value to be met; None without a goal
    """

    least: int
    plans: tuple[SitingPlan, ...]
    goal: float | None = None

    @property
    def fewest(self) -> int | None:
        """Return the number of sites of the first plan that meets the goal; None where none does."""
        return self._first([plan.value for plan in self.plans])

    @property
    def fewest_possible(self) -> int | None:
        """Return the number of sites below which no plan meets the goal; it proves ``fewest`` if equal."""
        return self._first([plan.bound for plan in self.plans])

    def _first(self, values: list[float]) -> int | None:
        if self.goal is None:
            return None
        met = (place for place, value in enumerate(values) if _meets(value, self.goal))
        place = next(met, None)
        return None if place is None else self.least + place


def siting_curve(
    problem: SitingProblem,
    *,
    most: int | None = None,
    goal: float | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> SitingCurve:
    """Compute the best value and its bound for each number of new sites.

    Parameters
    ----------
    problem : a covering problem; its own number of sites is not used
    most : the largest number of sites; left out, the curve ends where the goal is met, or where more sites
        add nothing
    goal : value to be met, in the terms of the objective. Where plan and bound leave its fewest sites open,
        the numbers in doubt are solved in the remaining time

    Returns
    -------
    curve : plans from the number of required sites on

    Raises
    ------
    UnusableInputError
        When less is better by the objective, or ``most`` is above the candidates.

    >>> from lifecircle.siting import siting_problem
    >>> minutes = [[5.0, 20.0, 30.0], [18.0, 9.0, 30.0], [30.0, 12.0, 4.0]]
    >>> question = siting_problem(minutes, [100, 80, 60], objective="max_cover", limit=15, sites=1)
    >>> [(plan.sites, plan.value) for plan in siting_curve(question, goal=240).plans]
    [((), 0.0), ((1,), 140.0), ((0, 1), 240.0)]
    """
    check_time(time_limit_s)
    deadline = Deadline.after(time_limit_s)
    choice = problem.choice
    able, least = len(choice.free) + len(choice.required), len(choice.required)
    _check(problem, most, able)
    if problem.objective == "max_cover" and choice.is_plain:
        plans = _shared(problem, least, most, goal, deadline)
    else:
        until = goal if most is None else None
        plans = _one_by_one(problem, least, able if most is None else most, until, deadline)
    curve = SitingCurve(least, tuple(plans), goal)
    return curve if goal is None else _settled(problem, curve, deadline)


def _meets(value: float, goal: float) -> bool:
    """Return whether a value meets a goal; a share of all people differs from the goal by float noise."""
    return value >= goal - 1e-12 * abs(goal)


def _check(problem: SitingProblem, most: int | None, able: int) -> None:
    faults = []
    if problem.objective in FEWER_IS_BETTER:
        reason = say("a curve is for objectives of which more is better")
        faults.append(Fault("objective", "", problem.objective, reason, say("ask for max_cover")))
    if most is not None and not len(problem.choice.required) <= most <= able:
        reason = say(
            "{able} {able:candidate|candidates} may be chosen and {many} must be",
            able=able,
            many=len(problem.choice.required),
        )
        faults.append(Fault("most", "", str(most), reason, say("ask for a number between the two")))
    if faults:
        raise UnusableInputError(faults)


def _with_number(problem: SitingProblem, number: int) -> SitingProblem:
    return replace(problem, choice=replace(problem.choice, count=number))


def _one_by_one(
    problem: SitingProblem, least: int, last: int, goal: float | None, deadline: Deadline
) -> list[SitingPlan]:
    """Solve each number separately, with an even share of the time; end where ``goal`` is met."""
    plans: list[SitingPlan] = []
    for number in range(least, last + 1):
        share = deadline.left() / (last + 1 - number)
        plans.append(solve(_with_number(problem, number), time_limit_s=share))
        if goal is not None and _meets(plans[-1].value, goal):
            break
    return plans


def _shared(
    problem: SitingProblem, least: int, most: int | None, goal: float | None, deadline: Deadline
) -> list[SitingPlan]:
    """Solve for all numbers together; without ``most`` up to where the greedy choice meets the goal."""
    choice = replace(problem.choice, count=least)
    reach = ones(problem.costs.indptr, problem.costs.indices, problem.costs.shape)
    # Reduced once for all numbers: the required sites are the same for each.
    reduced = reduce(reach, problem.weights, choice)
    cover, unit = reduced.cover, unit_of(problem.weights)
    worth = np.asarray(cover.by_site @ cover.weights)
    greedy, gains = lazy_greedy(cover, len(worth) if most is None else most - least, best=worth)
    last = most - least if most is not None else _enough(gains, reduced.settled, goal)
    # The simplest bound: no k sites cover more than the k best ones would without any overlap.
    sums = np.concatenate([[0.0], np.cumsum(-np.sort(-worth)[:last])])
    bounds = np.minimum(sums, cover.total) + ROUNDING * cover.total
    chosen, values = [greedy[:0]], [0.0]
    multipliers = None
    for number in range(1, last + 1):
        if number > len(greedy):  # everybody that can be is covered
            sites, value = filled(greedy, number, worth), float(gains.sum())
        else:
            sites, value = _next(cover, chosen[-1], greedy[:number], last, deadline)
            multipliers = _lowered(cover, bounds, number, value, multipliers, unit, deadline)
        chosen.append(sites)
        values.append(value)
    _narrow(cover, bounds, chosen, values, deadline)
    # what more sites cannot beat fewer cannot either
    bounds = np.minimum.accumulate(bounds[::-1])[::-1]
    plans = []
    for number, (sites, bound) in enumerate(zip(chosen, bounds.tolist(), strict=True), start=least):
        is_open = choice.base()
        is_open[reduced.sites[sites]] = True
        whole = Found(is_open, rounded_down(reduced.settled + bound, unit))
        plans.append(certified(_with_number(problem, number), whole))
    return plans


def _enough(gains: Floats, settled: float, goal: float | None) -> int:
    """Return the number of greedily chosen sites that meets the goal, or after which nothing is gained."""
    if goal is None:
        return len(gains)
    reached = settled + np.concatenate([[0.0], np.cumsum(gains)])
    met = np.flatnonzero([_meets(value, goal) for value in reached.tolist()])
    return int(met[0]) if len(met) else len(gains)


def _next(cover: Cover, before: Ints, greedy: Ints, calls: int, deadline: Deadline) -> tuple[Ints, float]:
    """Choose one site more than before, or as many greedily, whichever can be improved further."""
    covered = np.zeros(len(cover.weights), dtype=np.bool_)
    covered[cover.by_site[before].indices] = True
    gains = np.asarray(cover.by_site @ np.where(covered, 0.0, cover.weights))
    gains[before] = -1.0
    starts = [np.append(before, int(np.argmax(gains))), greedy]
    tries = [improve(cover, start, kicks=0, deadline=deadline, calls=calls) for start in starts]
    best = max(tries, key=lambda improved: improved[1])
    kicks = 0 if deadline.passed() else _KICKS
    return improve(cover, best[0], kicks=kicks, deadline=deadline, calls=calls)


def _lowered(  # noqa: PLR0913, PLR0917 - a step of the sweep, and what it knows
    cover: Cover,
    bounds: Floats,
    number: int,
    value: float,
    multipliers: Floats | None,
    unit: float,
    deadline: Deadline,
) -> Floats | None:
    """Return the bounds of all numbers, lowered by the multipliers that are best for one of them."""
    step = step_beyond(value, unit)
    if deadline.passed() or bounds[number] < value + step:
        return multipliers
    effort = Effort(_STEPS, deadline.share(2.0 / (len(bounds) - number + 2)), value + step)
    choice = plain_choice(cover.by_site.shape[0], number)
    dual = cover_bound(cover, choice, value, effort=effort, start=multipliers)
    _lower_all(cover, bounds, dual)
    return dual.multipliers


def _lower_all(cover: Cover, bounds: Floats, dual: Dual) -> None:
    """Lower the bounds of all numbers, in place, by the multipliers that were found for one of them."""
    slack = float(np.maximum(cover.weights - dual.multipliers, 0.0).sum()) + ROUNDING * cover.total
    sums = np.concatenate([[0.0], np.cumsum(-np.sort(-dual.scores)[: len(bounds) - 1])])
    np.minimum(bounds, slack + sums * (1 + ROUNDING), out=bounds)


def _narrow(
    cover: Cover, bounds: Floats, chosen: list[Ints], values: list[float], deadline: Deadline
) -> None:
    """Narrow what stands widest open, in place: by the relaxation of a number, then by a longer search."""
    relaxed = np.full(len(bounds), not is_installed())
    searched = np.zeros(len(bounds), dtype=np.bool_)
    while not deadline.passed():
        gaps = bounds / np.maximum(values, 1e-300) - 1.0
        gaps[0], gaps[searched] = 0.0, 0.0
        number = int(np.argmax(gaps))
        if gaps[number] <= _WIDE:
            return
        if not relaxed[number]:
            # Its prices are nearly the best for the numbers beside it too.
            relaxed[max(0, number - _BESIDE) : number + _BESIDE + 1] = True
            dual = relaxed_bound(cover, number, deadline=deadline)
            if dual is not None:
                _lower_all(cover, bounds, dual)
            continue
        searched[number] = True
        many = int((gaps > _WIDE).sum())
        share = deadline.share(1.0 / max(1, many))
        words = {"deadline": share, "enough": bounds[number], "calls": many}
        # Plans of other numbers hold good sites, and a problem of these alone is small.
        pool = np.unique(np.concatenate(chosen))
        sites, value = improve_among(cover, pool, chosen[number], **words)
        tries = [(sites, value), improve(cover, sites, kicks=_MORE_KICKS, patience=_PATIENCE, **words)]
        sites, value = max(tries, key=lambda one: one[1])
        if value > values[number]:
            chosen[number], values[number] = sites, value
            _pass_on(cover, chosen, values, number, deadline)


def _pass_on(cover: Cover, chosen: list[Ints], values: list[float], number: int, deadline: Deadline) -> None:
    """Try the plan of a number, in place, with one site more and one less where those numbers are worse."""
    sites = chosen[number]
    times = np.asarray(cover.by_row[:, sites].sum(axis=1)).ravel()
    gains = np.asarray(cover.by_site @ np.where(times == 0, cover.weights, 0.0))
    losses = np.asarray(cover.by_site[sites] @ np.where(times == 1, cover.weights, 0.0))
    gains[sites] = -1.0
    starts = {number + 1: np.append(sites, np.argmax(gains)), number - 1: np.delete(sites, np.argmin(losses))}
    for other, start in starts.items():
        if 0 < other < len(chosen) and not deadline.passed():
            found, value = improve(cover, start, kicks=0, deadline=deadline)
            if value > values[other]:
                chosen[other], values[other] = found, value


def _settled(problem: SitingProblem, curve: SitingCurve, deadline: Deadline) -> SitingCurve:
    """Solve the numbers for which it is not known whether they meet the goal, from the largest down."""
    plans = list(curve.plans)
    assert curve.goal is not None
    for place in range(len(plans) - 1, -1, -1):
        plan = plans[place]
        in_doubt = _meets(plan.bound, curve.goal) and not _meets(plan.value, curve.goal)
        if not in_doubt or deadline.passed():
            continue
        numbered = _with_number(problem, curve.least + place)
        again = solve(numbered, time_limit_s=0.5 * deadline.left())
        better = again if again.value > plan.value else plan
        bound = max(better.value, min(again.bound, plan.bound))
        plans[place] = replace(better, bound=bound, status=status_of(better.value, bound))
    return replace(curve, plans=tuple(plans))
