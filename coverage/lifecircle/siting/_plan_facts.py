"""Compute facts about a plan from costs: whom sites serve, near ties, why a candidate was not chosen.

Districts, groups and money are added in ``siting_study``, which knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.siting._capacity import Capacities
from lifecircle.siting._cover import ones
from lifecircle.siting._median import Sums
from lifecircle.siting._problem import WITHIN_LIMIT
from lifecircle.siting._rules import rules_of
from lifecircle.siting._score import covered, score

if TYPE_CHECKING:
    from typing import Any

    import numpy.typing as npt

    from lifecircle.siting._local_search import Worth
    from lifecircle.siting._plan import SitingPlan
    from lifecircle.siting._problem import SitingProblem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_ESTIMATES = frozenset({"capacitated_max_cover", "max_min_cover"})
"""Objectives whose gains of an exchange are not exact, but at most ``_ESTIMATED`` too small."""

_ESTIMATED = 1e-3
NEAR = 0.01
"""Share of a plan's value by which another plan may be worse and still count as nearly as good."""


def open_sites(problem: SitingProblem, plan: SitingPlan) -> Bools:
    """Return which sites are open under a plan.

    Parameters
    ----------
    problem, plan : a problem and a plan for it

    Returns
    -------
    is_open : (site,) bool, in the order of ``problem.sites``

    >>> from lifecircle.siting import siting_problem, solve
    >>> minutes = [[5.0, 20.0], [18.0, 9.0]]
    >>> problem = siting_problem(minutes, [100, 80], objective="max_cover", limit=15, sites=1)
    >>> open_sites(problem, solve(problem)).tolist()
    [True, False]
    """
    is_open = np.zeros(len(problem.sites), dtype=np.bool_)
    is_open[problem.existing] = True
    if plan.closed:
        is_open[problem.sites.get_indexer(pd.Index(plan.closed))] = False
    if plan.sites:
        is_open[problem.sites.get_indexer(pd.Index(plan.sites))] = True
    return is_open


def catchments(problem: SitingProblem, plan: SitingPlan) -> pd.DataFrame:
    """Return the people each open site reaches within the limit, and those that only it reaches.

    Parameters
    ----------
    problem, plan : a problem and a plan for it

    Returns
    -------
    table : one row for each open site: ``new``; ``reach`` people within the limit; ``sole`` those no other
        open site reaches; ``shared`` the others; ``order`` and ``adds``: the order in which the new sites
        add most people, one after the other, and what each adds (missing for sites that stand)

    Raises
    ------
    UnusableInputError
        The objective has no limit.

    >>> from lifecircle.siting import siting_problem, solve
    >>> minutes = [[5.0, 20.0], [18.0, 9.0]]
    >>> problem = siting_problem(minutes, [100, 80], objective="max_cover", limit=15, sites=1)
    >>> catchments(problem, solve(problem))[["reach", "sole"]].values.tolist()
    [[100.0, 100.0]]
    """
    _needs_limit(problem)
    is_open = open_sites(problem, plan)
    places = np.flatnonzero(is_open)
    reach = _reach(problem)
    times = np.asarray(reach[:, places].sum(axis=1)).ravel()
    heads = problem.people[problem.resident]
    by_site = reach.T.tocsr()[places]
    table = pd.DataFrame(
        {
            "new": ~np.isin(places, problem.existing),
            "reach": by_site @ heads,
            "sole": by_site @ np.where(times == 1, heads, 0.0),
        },
        index=problem.sites[places],
    )
    table["shared"] = table["reach"] - table["sole"]
    order, adds = _in_order(problem, is_open)
    added = pd.DataFrame({"order": range(1, len(order) + 1), "adds": adds}, index=problem.sites[order])
    return table.join(added)


def shared_catchments(problem: SitingProblem, plan: SitingPlan) -> pd.DataFrame:
    """Return the number of people that two open sites both reach.

    Parameters
    ----------
    problem, plan : a problem and a plan for it

    Returns
    -------
    table : (open site, open site) people; on the diagonal the people that a site reaches

    Raises
    ------
    UnusableInputError
        The objective has no limit.

    >>> from lifecircle.siting import siting_problem, solve
    >>> minutes = [[5.0, 20.0], [18.0, 9.0]]
    >>> problem = siting_problem(minutes, [100, 80], objective="max_cover", limit=15, sites=1)
    >>> shared_catchments(problem, solve(problem)).values.tolist()
    [[100.0]]
    """
    _needs_limit(problem)
    places = np.flatnonzero(open_sites(problem, plan))
    reach = _reach(problem)[:, places]
    both = reach.T @ (reach * problem.people[problem.resident][:, np.newaxis])
    labels = problem.sites[places]
    return pd.DataFrame(both.toarray(), index=labels, columns=labels)


def near_ties(problem: SitingProblem, plan: SitingPlan, *, within: float = NEAR) -> pd.DataFrame:
    """List exchanges of one site for another that leave the plan nearly as good.

    Parameters
    ----------
    problem, plan : a problem and a plan for it
    within : share of the value that may be lost, inclusive

    Returns
    -------
    table : ``out``, ``into``, ``value`` after the exchange, and ``change`` of the value; the best first. Only
        exchanges that keep every condition

    >>> from lifecircle.siting import siting_problem, solve
    >>> minutes = [[5.0, 20.0], [18.0, 9.0]]
    >>> problem = siting_problem(minutes, [100, 80], objective="max_cover", limit=15, sites=1)
    >>> near_ties(problem, solve(problem), within=0.2).values.tolist()
    [[0.0, 1.0, 80.0, -20.0]]
    """
    is_open = open_sites(problem, plan)
    outs, ins, allowed = problem.choice.exchanges(is_open)
    gains = np.where(allowed, _worth(problem).swap_gains(is_open, outs, ins), -np.inf)
    lowest = -within * abs(plan.value) * (1 + 1e-12)
    near = np.argwhere(gains >= lowest - (_ESTIMATED if problem.objective in _ESTIMATES else 0.0))
    out, into = outs[near[:, 0]], ins[near[:, 1]]
    change = _changes(problem, plan, is_open, out, into, gains[near[:, 0], near[:, 1]])
    # From here on in the direction of the objective: a smaller sum is a gain.
    gain = _sign(problem) * change
    order = np.lexsort((into, out, -gain))
    order = order[gain[order] >= lowest]
    return pd.DataFrame(
        {
            "out": problem.sites[out[order]],
            "into": problem.sites[into[order]],
            "value": plan.value + change[order],
            "change": change[order],
        }
    )


def candidates(problem: SitingProblem, plan: SitingPlan) -> pd.DataFrame:
    """Return the rank of every candidate, and the exchange that would bring it into the plan.

    Parameters
    ----------
    problem, plan : a problem and a plan for it

    Returns
    -------
    table : one row for each site that is not existing: ``chosen``; ``rank`` by what the plan would be worth
        with it (1 the best, chosen ones first); ``instead_of`` the site it would best replace and ``value``
        the plan's worth then (missing for chosen ones and where no condition lets it in); ``adds`` what it
        would add as one site more; for objectives with a limit also ``reach``, people within the limit, and
        ``reached`` those of them that the plan covers already

    >>> from lifecircle.siting import siting_problem, solve
    >>> minutes = [[5.0, 20.0], [18.0, 9.0]]
    >>> problem = siting_problem(minutes, [100, 80], objective="max_cover", limit=15, sites=1)
    >>> candidates(problem, solve(problem))[["chosen", "rank", "adds"]].values.tolist()
    [[True, 1, nan], [False, 2, 80.0]]
    """
    worth, sign = _worth(problem), _sign(problem)
    is_open = open_sites(problem, plan)
    places = np.setdiff1d(np.arange(len(problem.sites)), problem.existing)
    outs, ins, allowed = problem.choice.exchanges(is_open)
    gains = np.where(allowed, worth.swap_gains(is_open, outs, ins), -np.inf)
    table = pd.DataFrame({"chosen": is_open[places]}, index=problem.sites[places])
    table["adds"] = np.where(is_open[places], np.nan, sign * worth.gains(is_open)[places])
    best = gains.argmax(axis=0) if len(outs) else np.zeros(len(ins), dtype=np.int64)
    gain = gains.max(axis=0, initial=-np.inf)
    into = np.flatnonzero(np.isfinite(gain))
    out = outs[best[into]]
    change = _changes(problem, plan, is_open, out, ins[into], gain[into])
    swap = {"instead_of": problem.sites[out], "value": plan.value + change}
    table = table.join(pd.DataFrame(swap, index=problem.sites[ins[into]]))
    # Chosen sites come first, whatever an exchange would be worth.
    keys = table["value"].where(~table["chosen"], sign * np.inf)
    ranks = keys.rank(ascending=problem.is_minimised, method="min", na_option="bottom")
    table.insert(1, "rank", ranks.astype(np.int64))
    if problem.objective in WITHIN_LIMIT:
        reach = _reach(problem).T.tocsr()[places]
        heads = problem.people[problem.resident]
        table["reach"] = reach @ heads
        table["reached"] = reach @ (heads * covered(problem, is_open)[problem.resident])
    return table


def _reach(problem: SitingProblem) -> Any:
    costs = problem.costs
    return ones(costs.indptr, costs.indices, costs.shape)


def _changes(  # noqa: PLR0913, PLR0917 - exchanges and where they begin
    problem: SitingProblem, plan: SitingPlan, is_open: Bools, outs: Ints, ins: Ints, gains: Floats
) -> Floats:
    """Return the change of the plan's value by each exchange: (exchange,), computed again for estimates."""
    if problem.objective not in _ESTIMATES:
        return _sign(problem) * gains
    changes = np.empty(len(outs))
    for place, (out, into) in enumerate(zip(outs.tolist(), ins.tolist(), strict=True)):
        other = is_open.copy()
        other[out], other[into] = False, True
        changes[place] = score(problem, other) - plan.value
    return changes


def _sign(problem: SitingProblem) -> float:
    """Return 1 where more is better by the objective, -1 where less is better."""
    return -1.0 if problem.is_minimised else 1.0


def _needs_limit(problem: SitingProblem) -> None:
    if problem.objective not in WITHIN_LIMIT:
        reason = say("catchments are who is within a limit")
        raise UnusableInputError([Fault("objective", "", problem.objective, reason, say("ask with a limit"))])


def _worth(problem: SitingProblem) -> Worth:
    """Return the value of sets of sites by the objective, in the form that exchanges need."""
    if problem.objective == "p_median":
        return Sums.of(problem.costs, problem.weights, problem.choice)
    if problem.objective == "capacitated_max_cover":
        return Capacities.of(problem)
    if problem.objective in {"p_center", "full_cover"}:
        reason = say("with this objective, one site more or less does not show what a site is worth")
        remedy = say("ask for max_cover with the plan's number of sites")
        raise UnusableInputError([Fault("objective", "", problem.objective, reason, remedy)])
    return rules_of(
        _reach(problem),
        problem.need,
        problem.resident,
        problem.people,
        problem.choice,
        group=problem.group,
        groups=len(problem.groups),
    )


def _in_order(problem: SitingProblem, is_open: Bools) -> tuple[Ints, list[float]]:
    """Return the new sites in the order of what each adds after those before it, and what it adds."""
    so_far = is_open.copy()
    new = np.setdiff1d(np.flatnonzero(is_open), problem.existing)
    so_far[new] = False
    order: list[int] = []
    adds: list[float] = []
    value = _people(problem, so_far)
    while len(order) < len(new):
        best, most = -1, -np.inf
        for site in np.setdiff1d(new, order).tolist():
            so_far[site] = True
            now = _people(problem, so_far)
            so_far[site] = False
            if now > most:
                best, most = site, now
        so_far[best] = True
        order.append(best)
        adds.append(most - value)
        value = most
    return np.array(order, dtype=np.int64), adds


def _people(problem: SitingProblem, is_open: Bools) -> float:
    return float(problem.people[covered(problem, is_open)].sum())
