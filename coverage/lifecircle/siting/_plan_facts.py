"""Own what is said about a plan from costs alone: whom sites serve, what was nearly as good, why not there.

Districts, groups and money are added above, where they are known.
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
    """Tell which sites stand open under a plan: (site,)."""
    is_open = np.zeros(len(problem.sites), dtype=np.bool_)
    is_open[problem.existing] = True
    if plan.closed:
        is_open[problem.sites.get_indexer(pd.Index(plan.closed))] = False
    if plan.sites:
        is_open[problem.sites.get_indexer(pd.Index(plan.sites))] = True
    return is_open


def catchments(problem: SitingProblem, plan: SitingPlan) -> pd.DataFrame:
    """Tell whom each open site reaches within the limit, and whom it alone reaches.

    Returns
    -------
    table : one row for each open site: ``new``; ``reach`` people within the limit; ``sole`` those no other
        open site reaches; ``shared`` the others; ``order`` and ``adds``: the order in which the new sites
        add most people, one after the other, and what each adds (missing for sites that stand)
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
    """Tell how many people two open sites both reach: (open site, open site), own reach on the diagonal."""
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
    within : share of the value that may be lost, inclusive

    Returns
    -------
    table : ``out``, ``into``, ``value`` after the exchange, and ``change`` of the value; the best first. Only
        exchanges that keep every condition
    """
    is_open = open_sites(problem, plan)
    outs, ins, allowed = problem.choice.exchanges(is_open)
    gains = np.where(allowed, _worth(problem).swap_gains(is_open, outs, ins), -np.inf)
    lowest = -within * abs(plan.value) * (1 + 1e-12)
    near = np.argwhere(gains >= lowest - (_ESTIMATED if problem.objective in _ESTIMATES else 0.0))
    out, into = outs[near[:, 0]], ins[near[:, 1]]
    change = _changes(problem, plan, is_open, out, into, gains[near[:, 0], near[:, 1]])
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
    """Tell of every candidate how it ranks, and why the plan leaves it out.

    Returns
    -------
    table : one row for each site that is not existing: ``chosen``; ``rank`` by what the plan would be worth
        with it (1 the best, chosen ones first); ``instead_of`` the site it would best replace and ``value``
        the plan's worth then (missing for chosen ones and where no condition lets it in); ``adds`` what it
        would add as one site more; for objectives with a limit also ``reach``, people within the limit, and
        ``reached`` those of them that the plan covers already
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
    """Tell how exchanges change the plan's value: (exchange,), counted anew where gains are estimates."""
    if problem.objective not in _ESTIMATES:
        return _sign(problem) * gains
    changes = np.empty(len(outs))
    for place, (out, into) in enumerate(zip(outs.tolist(), ins.tolist(), strict=True)):
        other = is_open.copy()
        other[out], other[into] = False, True
        changes[place] = score(problem, other) - plan.value
    return changes


def _sign(problem: SitingProblem) -> float:
    """Worth is more the better; a value may be less the better."""
    return -1.0 if problem.is_minimised else 1.0


def _needs_limit(problem: SitingProblem) -> None:
    if problem.objective not in WITHIN_LIMIT:
        reason = say("catchments are who is within a limit")
        raise UnusableInputError([Fault("objective", "", problem.objective, reason, say("ask with a limit"))])


def _worth(problem: SitingProblem) -> Worth:
    """Give what sets of sites are worth by the objective, as exchanges change it."""
    if problem.objective == "p_median":
        return Sums.of(problem.costs, problem.weights, problem.choice)
    if problem.objective == "capacitated_max_cover":
        return Capacities.of(problem)
    if problem.objective in {"p_center", "full_cover"}:
        reason = say("one site more or less does not tell of this objective what a site is worth")
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
    """Order the new sites by what each adds after those before it, and tell what it adds."""
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
