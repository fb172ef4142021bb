"""Choose a solver for a problem, keep its deadline, and verify its result.

The value of a set of sites is computed again from the costs, whichever method found it. A plan is called
optimal only when the bound proves that value.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.siting._capacity import solve_capacitated
from lifecircle.siting._center import solve_center
from lifecircle.siting._certificate import Found
from lifecircle.siting._cover import ones
from lifecircle.siting._deadline import Deadline
from lifecircle.siting._full_cover import solve_full_cover
from lifecircle.siting._max_cover import solve_max_cover
from lifecircle.siting._median import solve_median
from lifecircle.siting._plan import SitingPlan, status_of
from lifecircle.siting._problem import FEWER_IS_BETTER, SitingProblem, siting_problem
from lifecircle.siting._rule_solver import solve_fewest, solve_rules
from lifecircle.siting._rules import rules_of
from lifecircle.siting._score import score
from lifecircle.siting._second import TWO_AIMS, with_second

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt
    from scipy.sparse import csr_array

    from lifecircle.siting._problem import Objective

    Bools = npt.NDArray[np.bool_]

TIME_LIMIT_S = 60.0
_FIRST_SHARE = 0.75
"""Share of the time for the first of two aims at most; the second has what is left."""


def solve_siting(  # noqa: PLR0913 - a question has many sides, all but the first optional
    costs: Any,
    weights: Any,
    *,
    objective: Objective,
    limit: float | Mapping[str, float] | None = None,
    sites: int | None = None,
    existing: Iterable[Any] = (),
    time_limit_s: float = TIME_LIMIT_S,
    required: Iterable[Any] = (),
    forbidden: Iterable[Any] = (),
    closable: Iterable[Any] = (),
    closures: int = 0,
    movable: Iterable[Any] = (),
    moves: int | None = None,
    prices: Any = None,
    budget: float | None = None,
    apart: Iterable[tuple[Any, Any]] | None = None,
    positions: Any = None,
    separation_m: float | None = None,
    times: int = 2,
    offers: Any = None,
    lacking: Mapping[Any, Any] | None = None,
    groups: Any = None,
    capacities: Any = None,
    second_limit: Any = None,
    second_weights: Any = None,
) -> SitingPlan:
    """Choose sites and prove how good the choice is.

    Parameters
    ----------
    costs : (demand, site) array, where zeros are real costs and inf is unreachable; scipy sparse, where a
        stored zero is a pair and what is absent is unreachable; a DataFrame; or the pairs of
        :func:`~lifecircle.within`. A DataFrame and pairs have labels, and sites then go by those, else by
        position. A mapping of several services, each with its own costs over the same sites, lets one
        building serve them all
    weights : (demand,) people, >= 0; a mapping where services have different ones
    objective :

        ``max_cover`` most people within the limit of an open site;
        ``full_cover`` fewest sites that leave nobody beyond the limit;
        ``p_median`` least sum of people times cost to the nearest open site;
        ``p_center`` least cost of whoever has the largest;
        ``backup_cover`` most people within the limit of ``times`` open sites;
        ``rule_cover`` most people whose lacks are all made up for, see ``lacking``;
        ``max_min_cover`` largest share of people covered in the group where it is smallest;
        ``capacitated_max_cover`` most people served within the limit, no site beyond its capacity

    limit : inclusive, in the units of costs; a mapping where services have different ones. Required by all
        but ``p_median`` and ``p_center``, where costs above it count as unreachable
    sites : how many new ones to choose, exactly; not for ``full_cover``
    existing : sites that stand open already and stay so, unless they are closable or movable
    time_limit_s : seconds; with 0 the plan is greedy and its bound is rough
    required, forbidden : candidates that must be chosen, and those that must not
    closable, closures : existing sites of which exactly ``closures`` are closed
    movable, moves : existing sites of which at most ``moves`` (all unless given) are given up, each for one
        more new site
    prices, budget : price of each site (those of existing sites do not count), and what the new ones may
        cost together; without ``sites`` as many are chosen as are useful
    apart : pairs of sites that exclude each other
    positions, separation_m : (site, 2) metres, and how far apart new sites are to be from each other and
        from existing ones; exactly so far is far enough
    times : for ``backup_cover``
    offers : (site,) class of the venue that each site would be, for ``rule_cover``
    lacking : class -> (demand,) venues that each resident still lacks within the limit, beyond what stands
        outside ``costs``, for ``rule_cover``
    groups : (demand,) label of each resident's group, for ``max_min_cover``; None is in no group
    capacities : (site,) people each site serves at most, for ``capacitated_max_cover``; residents of one row
        may go to different sites
    second_limit, second_weights : for ``p_center``: among the sets of the least largest cost the one that
        covers most people within this limit (one, or (demand,)) is taken; ``second_weights`` (demand,) where
        other people count for that. Without a limit it is the one of the least sum of people times cost. For
        ``max_min_cover`` it is always the one that covers most people

    Returns
    -------
    plan : sites, value, bound, gap, status; ``second`` holds what decided among sets of the same value for
        ``p_center`` and ``max_min_cover``. Rows without people constrain nothing

    Raises
    ------
    UnusableInputError
        With every fault of the input.

    References
    ----------
    ``max_cover``: Church and ReVelle (1974). ``full_cover``: Toregas, Swain, ReVelle and Bergman (1971).
    ``p_median`` and ``p_center``: Hakimi (1964). ``backup_cover``: Hogan and ReVelle (1986).
    ``capacitated_max_cover``: Current and Storbeck (1988).

    >>> minutes = np.array([[5.0, 20.0, 30.0], [18.0, 9.0, 30.0], [30.0, 12.0, 4.0]])
    >>> plan = solve_siting(minutes, [100, 80, 60], objective="max_cover", limit=15, sites=1)
    >>> plan.sites, plan.value, plan.bound, plan.status
    ((1,), 140.0, 140.0, 'optimal')
    """
    problem = siting_problem(
        costs,
        weights,
        objective=objective,
        limit=limit,
        sites=sites,
        existing=existing,
        required=required,
        forbidden=forbidden,
        closable=closable,
        closures=closures,
        movable=movable,
        moves=moves,
        prices=prices,
        budget=budget,
        apart=apart,
        positions=positions,
        separation_m=separation_m,
        times=times,
        offers=offers,
        lacking=lacking,
        groups=groups,
        capacities=capacities,
        second_limit=second_limit,
        second_weights=second_weights,
    )
    return solve(problem, time_limit_s=time_limit_s)


def solve(problem: SitingProblem, *, time_limit_s: float = TIME_LIMIT_S) -> SitingPlan:
    """Choose sites for a problem that has been checked, and compute how good they are at least.

    Parameters
    ----------
    problem : as :func:`siting_problem` returns it
    time_limit_s : seconds; with 0 the plan is greedy and its bound is rough

    Returns
    -------
    plan : see :func:`solve_siting`

    >>> minutes = [[5.0, 20.0], [18.0, 9.0]]
    >>> problem = siting_problem(minutes, [100, 80], objective="max_cover", limit=15, sites=1)
    >>> solve(problem).sites
    (0,)
    """
    check_time(time_limit_s)
    deadline = Deadline.after(float(time_limit_s))
    if not len(problem.costs.data) and problem.objective in {
        "max_cover",
        "backup_cover",
        "capacitated_max_cover",
    }:
        return _nothing_in_reach(problem)
    # Many sets share the worst cost or the least share, so these objectives are solved a second time
    # among the sets that hold the first value.
    if problem.objective not in TWO_AIMS:
        return certified(problem, _found(problem, deadline))
    # Not the whole time: a first value proved late would leave nothing for the second objective.
    found = _found(problem, deadline.share(_FIRST_SHARE))
    plan = certified(problem, found)
    if found.is_open is None:
        return plan
    is_open, second = with_second(problem, found.is_open, plan, deadline=deadline)
    return replace(certified(problem, replace(found, is_open=is_open)), second=second)


def check_time(time_limit_s: float) -> None:
    """Raise UnusableInputError for a value that is not a number of seconds; 0 is one.

    Raises
    ------
    UnusableInputError
        For a negative time, and for what is no number.
    """
    number = isinstance(time_limit_s, (int, float, np.integer, np.floating))
    if not number or isinstance(time_limit_s, bool) or not time_limit_s >= 0:
        remedy = say("give seconds >= 0")
        raise UnusableInputError([Fault("time_limit_s", "", str(time_limit_s), say("not a time"), remedy)])


def _found(problem: SitingProblem, deadline: Deadline) -> Found:
    """Choose the method and solve."""
    choice, costs, weights = problem.choice, problem.costs, problem.weights
    reach = ones(costs.indptr, costs.indices, costs.shape)
    # Where everyone must be served, one unreachable resident makes every set infeasible: found first, by
    # name.
    lost = _lost(problem, reach) if problem.objective in FEWER_IS_BETTER else None
    if lost is not None:
        return lost
    if problem.objective == "p_median":
        return solve_median(costs, weights, choice, deadline=deadline)
    if problem.objective == "p_center":
        return solve_center(costs, weights, choice, deadline=deadline)
    if problem.objective == "capacitated_max_cover":
        return solve_capacitated(problem, deadline=deadline)
    return _covering(problem, reach, deadline)


def _covering(problem: SitingProblem, reach: csr_array, deadline: Deadline) -> Found:
    choice = problem.choice
    # Without further conditions the sums over sites are simpler and the special methods prove more.
    if problem.objective == "max_cover" and choice.is_plain:
        return solve_max_cover(reach, problem.weights, choice, deadline=deadline)
    if problem.objective == "full_cover" and choice.is_plain:
        return solve_full_cover(reach, problem.weights > 0, choice, deadline=deadline)
    rules = rules_of(
        reach,
        problem.need,
        problem.resident,
        problem.people,
        choice,
        group=problem.group,
        groups=len(problem.groups),
    )
    method = solve_fewest if problem.objective == "full_cover" else solve_rules
    return method(rules, choice, deadline=deadline)


def _lost(problem: SitingProblem, reach: csr_array) -> Found | None:
    """Return the result where residents cannot be reached by any site that may be open."""
    may_open = problem.choice.base()
    may_open[problem.choice.variable] = True
    reached = np.asarray(reach @ may_open.astype(np.float64)) > 0
    lost = np.flatnonzero((problem.weights > 0) & ~reached)
    if not len(lost):
        return None
    reason = say("no site that may be open reaches some residents")
    if problem.objective == "full_cover":
        reason = say("no site that may be open reaches some residents within the limit")
    return Found(None, math.inf, reason=reason, unreachable=lost)


def certified(problem: SitingProblem, found: Found) -> SitingPlan:
    """Return the plan of a set of sites: its value from the costs, and whether the bound proves it."""
    lost = () if found.unreachable is None else tuple(problem.demand[found.unreachable].tolist())
    if found.is_open is None:
        reason = found.reason
        if lost:
            shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
            reason = say("{reason}: {many} of them, {shown}", reason=reason, many=len(lost), shown=shown)
        return SitingPlan(problem.objective, "infeasible", (), math.nan, math.nan, (), reason, lost)
    assert problem.choice.allows(found.is_open), "a method found a set that is not allowed"
    # Counted from the costs and not taken from the method: a fault of a method then shows as a wrong bound,
    # and never as a wrong number of people.
    value = score(problem, found.is_open)
    # Float noise may put a bound a hair on the wrong side of the value it proves.
    bound = min(value, found.bound) if problem.is_minimised else max(value, found.bound)
    stands = np.zeros(len(problem.sites), dtype=np.bool_)
    stands[problem.existing] = True
    return SitingPlan(
        objective=problem.objective,
        status=status_of(value, bound),
        sites=problem.labels(np.flatnonzero(found.is_open & ~stands)),
        value=value,
        bound=float(bound),
        closed=problem.labels(np.flatnonzero(~found.is_open & stands)),
        reason=found.reason,
    )


def _nothing_in_reach(problem: SitingProblem) -> SitingPlan:
    reason = say(
        "no site reaches any resident within the limit: are limit and costs in the same units, "
        "and is the limit long enough?"
    )
    return SitingPlan(problem.objective, "infeasible", (), 0.0, 0.0, (), reason)
