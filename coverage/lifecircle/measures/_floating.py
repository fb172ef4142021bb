"""Floating catchments: how much supply each resident has, when venues are shared by all who reach them.

Scores rank places and explain; they are never a verdict. Their size depends on the size of the catchment more
than on the method, so that several sizes are counted at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast, overload

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from lifecircle.costs import read_costs, read_weights
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.limits import within_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lifecircle.costs import Costs
    from lifecircle.measures._decay import Decay

    Floats = npt.NDArray[np.float64]

Catchment: TypeAlias = Literal["2sfca", "3sfca", "modified", "balanced"]
CATCHMENTS: Final[tuple[Catchment, ...]] = ("2sfca", "3sfca", "modified", "balanced")


@overload
def floating_catchment(  # noqa: D418 - says which of the two it is; the rest stands below
    costs: Any,
    people: Any,
    supply: Any,
    *,
    limit: float,
    decay: Decay | None = ...,
    method: Catchment = ...,
    demand_costs: Any = ...,
    choice_limit: float | None = ...,
) -> pd.Series[float]:
    """Return the scores of one limit."""


@overload
def floating_catchment(  # noqa: D418 - says which of the two it is; the rest stands below
    costs: Any,
    people: Any,
    supply: Any,
    *,
    limit: Sequence[float],
    decay: Decay | None = ...,
    method: Catchment = ...,
    demand_costs: Any = ...,
    choice_limit: float | None = ...,
) -> pd.DataFrame:
    """Return the scores of several limits, a column each."""


def floating_catchment(  # noqa: PLR0913 - what a catchment is made of, all named
    costs: Any,
    people: Any,
    supply: Any,
    *,
    limit: float | Sequence[float],
    decay: Decay | None = None,
    method: Catchment = "2sfca",
    demand_costs: Any = None,
    choice_limit: float | None = None,
) -> pd.Series[float] | pd.DataFrame:
    """Return the supply per person that each resident has, of venues shared by all who reach them.

    With weights w_ij = decay(cost_ij) for pairs within the limit, people P_i and supply S_j:

    * ``2sfca``: R_j = S_j / sum_i P_i w_ij, A_i = sum_j w_ij R_j. Without a decay the plain two steps; with
      steps the enhanced method, with a Gaussian or a kernel the methods of these names.
    * ``3sfca``: the same with w_ij g_ij for w_ij, where g_ij = w_ij / sum_k w_ik is how likely the choice is.
    * ``modified``: A_i = sum_j w_ij^2 S_j / sum_k P_k w_kj: supply that is far is worth less even to those
      who have it alone.
    * ``balanced``: R_j = S_j / sum_i P_i w_ij / sum_k w_ik, A_i = sum_j R_j w_ij / sum_k w_kj: nobody and no
      supply is counted twice.

    With ``2sfca`` and ``3sfca`` the scores times people add up to the supply that anybody reaches.

    Parameters
    ----------
    costs : (demand, facility) array with inf for unreachable, sparse with a stored zero as a pair, a table
        with labels, or the pairs of ``within``
    people : (demand,) 0 or more; residents outside the border belong here too, as they share the venues
    supply : (facility,) places, beds, doctors; NaN is unknown: such a venue is left out, and the scores are
        lower bounds
    limit : size of the catchment in the units of the costs, inclusive; several give a column each
    decay : function of costs; left out, 1 within the limit
    method : one of ``CATCHMENTS``
    demand_costs : costs by which a venue's people are counted, where these differ from those by which
        residents reach it, as of a service that comes home; the same venues and residents
    choice_limit : of ``3sfca``, up to which cost venues compete for a choice; the limit where left out

    Returns
    -------
    score : (demand,) supply per person, float64; 0 where no venue is reached. A column for each limit where
        several are given

    Raises
    ------
    UnusableInputError
        A cost, people or supply is negative, infinite or no number, the labels do not fit, or a limit or the
        method is none.

    References
    ----------
    Radke and Mu (2000), Spatial decompositions, modeling and mapping service regions, Geographic Information
    Sciences 6; Luo and Wang (2003), Measures of spatial accessibility to health care in a GIS environment,
    Environment and Planning B 30; Luo and Qi (2009), Health & Place 15 (steps); Wan, Zou and Sternberg
    (2012), A three-step floating catchment area method, International Journal of GIS 26; Delamater (2013),
    Spatial accessibility in suboptimally configured health care systems, Health & Place 24 (modified); Paez,
    Higgins and Vivona (2019), Demand and level of service inflation in floating catchment area methods, PLOS
    ONE 14 (balanced).

    >>> costs = np.array([[300.0, np.inf], [600.0, 600.0]])
    >>> floating_catchment(costs, [100, 100], [10, 4], limit=900).round(3).tolist()
    [0.05, 0.09]
    """
    read = read_shared(costs, people, supply, demand_costs)
    limits = [limit] if isinstance(limit, int | float) else list(limit)
    faults = [
        Fault("limit", "", str(one), say("not a number of at least 0"), say("give the size of a catchment"))
        for one in limits
        if not one >= 0
    ]
    if method not in CATCHMENTS:
        remedy = say("use one of {names}", names=", ".join(CATCHMENTS))
        faults.append(Fault("method", "", str(method), say("no such method"), remedy))
    if faults:
        raise UnusableInputError(faults)
    columns = {one: _score(read, one, decay, method, choice_limit) for one in limits}
    if isinstance(limit, int | float):
        return pd.Series(columns[limits[0]], index=read.costs.demand, name="supply_per_person")
    return pd.DataFrame(columns, index=read.costs.demand)


@dataclass(frozen=True, eq=False)
class Shared:
    """What a catchment is counted from: ``back`` are the costs by which people are counted at venues."""

    costs: Costs
    back: Costs
    people: Floats
    supply: Floats


def read_shared(costs: Any, people: Any, supply: Any, demand_costs: Any = None) -> Shared:
    """Read costs, people and supply.

    Raises
    ------
    UnusableInputError
        With every fault of each.
    """
    read, faults = read_costs(costs)
    back = read
    if demand_costs is not None:
        back, more = read_costs(demand_costs, name="demand_costs")
        faults += more
    if read is None or back is None:
        raise UnusableInputError(faults)
    if not (read.demand.equals(back.demand) and read.sites.equals(back.sites)):
        reason = say("other residents or venues than the costs have")
        faults.append(Fault("demand_costs", "", "", reason, say("give the same rows and columns")))
    heads, more = read_weights(people, read.demand, named=read.named, name="people")
    faults += more
    amounts, more = read_supply(supply, read)
    faults += more
    if faults:
        raise UnusableInputError(faults)
    return Shared(read, back, heads, amounts)


def read_supply(supply: Any, costs: Costs) -> tuple[Floats, list[Fault]]:
    """Read an amount for each venue: 0 or more, NaN where it is unknown.

    Returns
    -------
    amounts, faults : (facility,) float64
    """
    if isinstance(supply, pd.Series) and costs.named:
        supply = supply.reindex(costs.sites)
    try:
        amounts = np.array(supply, dtype=np.float64)
    except (TypeError, ValueError) as error:
        remedy = say("give an amount for each venue, NaN where it is unknown")
        return np.zeros(0), [Fault("supply", "", "", say("not numbers: {error}", error=error), remedy)]
    if amounts.shape != (len(costs.sites),):
        reason = say("there {many:is|are} {many} {many:venue|venues}", many=len(costs.sites))
        remedy = say("give an amount for each venue, NaN where it is unknown")
        return np.zeros(0), [Fault("supply", "", f"shape {amounts.shape}", reason, remedy)]
    remedy = say("write a number of at least 0, or leave it blank when unknown")
    return amounts, [
        Fault(
            "supply", f"venue {costs.sites[at]}", f"{amounts[at]}", say("not a number of at least 0"), remedy
        )
        for at in np.flatnonzero((amounts < 0) | np.isinf(amounts))
    ]


def _score(
    read: Shared, limit: float, decay: Decay | None, method: Catchment, choice_limit: float | None
) -> Floats:
    """Count the scores of one catchment: (demand,)."""
    weights = _weights(read.costs.table, limit, decay)
    back = weights if read.back is read.costs else _weights(read.back.table, limit, decay)
    if method == "3sfca":
        wider = limit if choice_limit is None else choice_limit
        weights = _chosen(weights, read.costs.table, wider, decay, limit)
        back = weights if read.back is read.costs else _chosen(back, read.back.table, wider, decay, limit)
    elif method == "balanced":
        back = _divided(back, np.asarray(back.sum(axis=1)).ravel(), rows=True)
    ratio = _ratio(read.supply, back.T @ read.people)
    if method == "modified":
        weights = _with(weights, weights.data**2)
    elif method == "balanced":
        weights = _divided(weights, np.asarray(weights.sum(axis=0)).ravel(), rows=False)
    return cast("Floats", weights @ ratio)


def _weights(table: csr_array, limit: float, decay: Decay | None) -> csr_array:
    """Return the weights of all pairs: those beyond the limit weigh nothing."""
    inside = within_limit(table.data, limit)
    if decay is None:
        return _with(table, inside.astype(np.float64))
    return _with(table, np.where(inside, decay(table.data), 0.0))


def _with(table: csr_array, data: Floats) -> csr_array:
    """Return a table of the same pairs with other numbers; no pair is dropped, and no index copied."""
    made = csr_array(table.shape, dtype=np.float64)
    made.data, made.indices, made.indptr = data, table.indices, table.indptr
    return made


def _chosen(
    weights: csr_array, costs: csr_array, wider: float, decay: Decay | None, limit: float
) -> csr_array:
    """Return weights times how likely each choice is."""
    all_of_them = weights if wider == limit else _weights(costs, wider, decay)
    chance = _divided(weights, np.asarray(all_of_them.sum(axis=1)).ravel(), rows=True)
    return _with(weights, weights.data * chance.data)


def _divided(weights: csr_array, sums: Floats, *, rows: bool) -> csr_array:
    """Divide weights by the sum of their row or column; where that is 0 they stay 0."""
    safe = np.where(sums > 0, sums, 1.0)
    by = np.repeat(safe, np.diff(weights.indptr)) if rows else safe[weights.indices]
    return _with(weights, weights.data / by)


def _ratio(supply: Floats, demand: Floats) -> Floats:
    """Return supply per person at each venue; one that nobody reaches or whose supply is unknown gives 0."""
    usable = (demand > 0) & np.isfinite(supply)
    return np.divide(supply, demand, out=np.zeros(len(supply)), where=usable)
