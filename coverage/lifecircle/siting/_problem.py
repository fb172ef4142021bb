"""Read the input of a solve: sites, people, costs and conditions, checked together; not solve it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

from lifecircle.costs import Costs, read_costs, read_weights
from lifecircle.errors import Fault, FaultLog, say
from lifecircle.limits import within_limit
from lifecircle.siting._conditions import Conditions, read_choice
from lifecircle.siting._needs import read_capacities, read_groups, read_needs

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

Objective = Literal[
    "max_cover",
    "full_cover",
    "p_median",
    "p_center",
    "backup_cover",
    "rule_cover",
    "max_min_cover",
    "capacitated_max_cover",
]
OBJECTIVES: tuple[str, ...] = get_args(Objective)
WITHIN_LIMIT = frozenset(OBJECTIVES) - {"p_median", "p_center"}
"""Objectives that count who is within a limit."""

FEWER_IS_BETTER = frozenset({"full_cover", "p_median", "p_center"})


@dataclass(frozen=True, eq=False)
class SitingProblem:
    """The input of a solve, after every check.

    Attributes
    ----------
    objective : one of ``OBJECTIVES``
    costs : csr (row, site) float64, a stored zero a pair, what is absent unreachable; where a limit counts,
        only pairs within it. Rows of several services follow one another
    weights : (row,) people
    demand : labels of rows; (service, label) pairs where there are several services
    sites : labels of columns
    choice : the sets of sites that may be chosen
    existing : positions of the existing sites, ascending
    need : (row,) how many open sites a row needs
    resident : (row,) which resident a row belongs to; the resident counts when all its rows are satisfied
    people : (resident,) their number
    group : (resident,) position in ``groups``, -1 for those in none
    groups : labels of the groups whose least share counts
    capacities : (site,) people each site serves at most, inf where it is not limited
    second_reach, second_people : csr (row, site) of ones and (row,) people: whom each site covers by the
        second aim of ``p_center``; None where it is the least weighted sum
    """

    objective: str
    costs: csr_array
    weights: Floats
    demand: pd.Index
    sites: pd.Index
    choice: Choice
    existing: Ints
    need: Ints
    resident: Ints
    people: Floats
    group: Ints
    groups: pd.Index
    capacities: Floats
    second_reach: csr_array | None = None
    second_people: Floats | None = None

    @property
    def is_minimised(self) -> bool:
        """Return whether less is better."""
        return self.objective in FEWER_IS_BETTER

    def labels(self, positions: npt.ArrayLike) -> tuple[Any, ...]:
        """Return the labels of sites."""
        return tuple(self.sites[np.asarray(positions, dtype=np.int64)].tolist())


def siting_problem(  # noqa: PLR0913 - a question has many sides, all but the first optional
    costs: Any,
    weights: Any,
    *,
    objective: str,
    limit: float | Mapping[str, float] | None = None,
    sites: int | None = None,
    existing: Iterable[Any] = (),
    required: Iterable[Any] = (),
    forbidden: Iterable[Any] = (),
    closable: Iterable[Any] = (),
    closures: int = 0,
    movable: Iterable[Any] = (),
    moves: int | None = None,
    prices: Any = None,
    budget: float | None = None,
    apart: Any = None,
    positions: Any = None,
    separation_m: float | None = None,
    times: int = 2,
    offers: Any = None,
    lacking: Mapping[Any, Any] | None = None,
    groups: Any = None,
    capacities: Any = None,
    second_limit: Any = None,
    second_weights: Any = None,
) -> SitingProblem:
    """Check the input of a solve; all faults are reported together.

    Parameters
    ----------
    costs, weights, ... : as for :func:`solve_siting`

    Returns
    -------
    problem : input of :func:`solve`; rows of several services follow one another

    Raises
    ------
    UnusableInputError
        With every fault of the input.

    >>> minutes = [[5.0, 20.0], [18.0, 9.0]]
    >>> problem = siting_problem(minutes, [100, 80], objective="max_cover", limit=15, sites=1)
    >>> problem.costs.toarray().tolist()
    [[5.0, 0.0], [0.0, 9.0]]
    """
    log = FaultLog()
    _check_objective(log, objective, sites, limit)
    table, people = _stacked(
        log, costs, weights, limit if objective in WITHIN_LIMIT or limit is not None else None
    )
    # Twice: conditions name sites of the costs, so they cannot be checked while the costs are not known.
    log.raise_any()
    assert table is not None
    conditions = Conditions(
        existing,
        required,
        forbidden,
        closable,
        closures,
        movable,
        moves,
        prices,
        budget,
        apart,
        positions,
        separation_m,
    )
    choice, stands = read_choice(
        log, table.sites, conditions, objective=objective, sites=sites, named=table.named
    )
    rule = {"times": times, "offers": offers, "lacking": lacking}
    need, resident, by_rule = read_needs(log, table, objective=objective, **rule)
    group, names = read_groups(log, table.demand, objective, groups)
    holds = read_capacities(log, table.sites, objective, capacities)
    second = _read_second(log, table, people, objective, second_limit, second_weights)
    log.raise_any()
    assert choice is not None
    return SitingProblem(
        objective=objective,
        costs=by_rule,
        weights=people[resident],
        demand=table.demand,
        sites=table.sites,
        choice=choice,
        existing=stands,
        need=need,
        resident=resident,
        people=people,
        group=group,
        groups=names,
        capacities=holds,
        second_reach=second[0],
        second_people=second[1],
    )


def _check_objective(log: FaultLog, objective: str, sites: Any, limit: Any) -> None:
    if objective not in OBJECTIVES:
        near = difflib.get_close_matches(str(objective), OBJECTIVES, 1)
        remedy = (
            say("did you mean '{name}'?", name=near[0])
            if near
            else say("one of {names}", names=", ".join(OBJECTIVES))
        )
        log.add(Fault("objective", "", str(objective), say("unknown objective"), remedy))
        return
    if objective in WITHIN_LIMIT and limit is None:
        log.add(
            Fault(
                "limit",
                "",
                "",
                say("{objective} counts who is within a limit", objective=objective),
                say("give limit"),
            )
        )
    if objective == "full_cover" and sites is not None:
        reason = say("full_cover finds the number of sites itself")
        log.add(Fault("sites", "", str(sites), reason, say("leave sites out, or ask for max_cover")))


def _stacked(log: FaultLog, costs: Any, weights: Any, limit: Any) -> tuple[Costs | None, Floats]:
    """Read costs and weights, with the rows of all services in one table, and keep pairs within the limit."""
    if not isinstance(costs, Mapping):
        return _within(log, costs, weights, limit, "")
    weights = weights if isinstance(weights, Mapping) else dict.fromkeys(costs, weights)
    limits = limit if isinstance(limit, Mapping) else dict.fromkeys(costs, limit)
    tables, people = [], []
    for service in costs:
        if service not in weights or service not in limits:
            missing = "weights" if service not in weights else "limit"
            log.add(
                Fault(
                    missing, str(service), "", say("there is none for this service"), say("give one for each")
                )
            )
            continue
        table, heads = _within(log, costs[service], weights[service], limits[service], f" of {service}")
        if table is not None:
            tables.append((service, table))
            people.append(heads)
    if not tables:
        if not costs:
            log.add(Fault("costs", "", "", say("there is no service"), say("give the costs of at least one")))
        return None, np.zeros(0)
    first = tables[0][1]
    for service, table in tables[1:]:
        if not table.sites.equals(first.sites):
            reason = say("the services do not have the same sites in the same order")
            log.add(
                Fault("costs", str(service), "", reason, say("give every service one column for each site"))
            )
            return None, np.zeros(0)
    demand = pd.Index(
        [(service, label) for service, table in tables for label in table.demand], tupleize_cols=False
    )
    rows = csr_array(vstack([table.table for _, table in tables], format="csr"))
    return Costs(rows, demand, first.sites, first.named), np.concatenate(people)


def _within(log: FaultLog, costs: Any, weights: Any, limit: Any, of: str) -> tuple[Costs | None, Floats]:
    table, faults = read_costs(costs, name=f"costs{of}")
    for fault in faults:
        log.add(fault)
    if limit is not None and not _is_number(limit, least=0.0):
        log.add(
            Fault(
                f"limit{of}",
                "",
                str(limit),
                say("not a number >= 0"),
                say("give it in the units of the costs"),
            )
        )
        return None, np.zeros(0)
    if table is None:
        return None, np.zeros(0)
    people, faults = read_weights(weights, table.demand, named=table.named, name=f"weights{of}")
    for fault in faults:
        log.add(fault)
    if limit is not None:
        entries = table.table.tocoo()
        # With the same tolerance as every count of coverage: a pair at exactly the limit must not be covered
        # in the audit and out of reach in the plan.
        near = within_limit(entries.data, float(limit))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(entries.row[near], minlength=len(table.demand)))])
        narrow = csr_array((entries.data[near], entries.col[near], indptr), shape=entries.shape)
        table = Costs(narrow, table.demand, table.sites, table.named)
    return table, people


def _read_second(  # noqa: PLR0913, PLR0917 - the two sides of the second aim, and what they belong to
    log: FaultLog, table: Costs, people: Floats, objective: str, limit: Any, weights: Any
) -> tuple[csr_array | None, Floats | None]:
    """Read who counts as covered by the second aim of p_center, and the people."""
    if limit is None and weights is None:
        return None, None
    if objective != "p_center" or limit is None:
        reason = say("only p_center has a second aim within a limit, and it needs second_limit")
        log.add(
            Fault("second_limit, second_weights", "", "", reason, say("leave them out, or give the limit"))
        )
        return None, None
    limits = np.asarray(limit, dtype=np.float64)
    many = len(table.demand)
    if limits.shape not in {(), (many,)} or not np.all(limits >= 0):
        remedy = say("give one number >= 0, or one for each row of costs")
        log.add(Fault("second_limit", "", "", say("not a limit"), remedy))
        return None, None
    # Other people may count for the second objective: the first may serve children, the second everybody.
    heads = people
    if weights is not None:
        heads, faults = read_weights(weights, table.demand, named=table.named, name="second_weights")
        for fault in faults:
            log.add(fault)
    row = np.repeat(np.arange(many), np.diff(table.table.indptr))
    near = within_limit(table.table.data, np.broadcast_to(limits, many)[row])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[near], minlength=many))])
    reach = csr_array((np.ones(int(near.sum())), table.table.indices[near], indptr), shape=table.table.shape)
    return reach, heads


def _is_number(value: Any, *, least: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return False
    return math.isfinite(value) and float(value) >= least
