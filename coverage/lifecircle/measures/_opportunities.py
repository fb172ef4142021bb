"""Opportunities: how much is within so many minutes, weighted by distance, and how far the k-th venue is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.costs import read_costs
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.limits import within_limit
from lifecircle.measures._floating import read_supply

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from scipy.sparse import csr_array

    from lifecircle.costs import Costs
    from lifecircle.measures._decay import Decay

    Floats = npt.NDArray[np.float64]


def cumulative_opportunities(costs: Any, supply: Any = None, *, limits: Sequence[float]) -> pd.DataFrame:
    """Return how much each resident reaches within each limit, inclusive.

    Parameters
    ----------
    costs : as for :func:`floating_catchment`
    supply : (facility,) amounts, NaN unknown and left out; left out, venues are counted
    limits : in the units of the costs

    Returns
    -------
    amounts : (demand, limit) float64

    Raises
    ------
    UnusableInputError
        Costs or amounts cannot be used.

    References
    ----------
    Wachs and Kumagai (1973), Physical accessibility as a social indicator, Socio-Economic Planning Sciences
    7; as ``access.weighted_catchment`` of PySAL. r5r counts less than the limit, in whole minutes.

    >>> cumulative_opportunities(np.array([[300.0, 900.0]]), [10, 4], limits=[600, 900]).iloc[0].tolist()
    [10.0, 14.0]
    """
    read, amounts = _read(costs, supply)
    return pd.DataFrame(
        {
            limit: _sum(read.table, within_limit(read.table.data, limit).astype(np.float64), amounts)
            for limit in limits
        },
        index=read.demand,
    )


def gravity(costs: Any, supply: Any = None, *, decay: Decay, limit: float = np.inf) -> pd.Series[float]:
    """Return the sum of amounts over all venues, each weighted by a decay of its cost.

    Parameters
    ----------
    costs, supply : as for :func:`cumulative_opportunities`
    decay : function of costs
    limit : beyond which nothing counts, inclusive

    Returns
    -------
    potential : (demand,) float64

    Raises
    ------
    UnusableInputError
        Costs or amounts cannot be used.

    References
    ----------
    Hansen (1959), How accessibility shapes land use, Journal of the American Institute of Planners 25.

    >>> from lifecircle.measures import exponential_decay
    >>> gravity(np.array([[0.0, 600.0]]), [10, 4], decay=exponential_decay(600)).tolist()
    [12.0]
    """
    read, amounts = _read(costs, supply)
    weights = np.where(within_limit(read.table.data, limit), decay(read.table.data), 0.0)
    return pd.Series(_sum(read.table, weights, amounts), index=read.demand, name="potential")


def cost_to_nth(costs: Any, n: int) -> pd.Series[float]:
    """Return the cost to the n-th nearest venue of each resident; NaN where fewer are reached.

    Parameters
    ----------
    costs : as for :func:`floating_catchment`
    n : 1 or more

    Returns
    -------
    cost : (demand,) float64

    Raises
    ------
    UnusableInputError
        Costs cannot be used, or ``n`` is less than 1.

    References
    ----------
    As ``cost_to_closest`` of the R package accessibility, and ``n`` of it.

    >>> cost_to_nth(np.array([[300.0, 900.0], [np.inf, 60.0]]), 2).tolist()
    [900.0, nan]
    """
    read, _ = _read(costs, None)
    if n < 1:
        raise UnusableInputError([Fault("n", "", str(n), say("not a number above 0"), say("give 1 or more"))])
    table = read.table
    row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    ordered = table.data[np.lexsort((table.data, row))]
    found = np.full(table.shape[0], np.nan)
    enough = np.diff(table.indptr) >= n
    found[enough] = ordered[table.indptr[:-1][enough] + n - 1]
    return pd.Series(found, index=read.demand, name="cost")


def _read(costs: Any, supply: Any) -> tuple[Costs, Floats]:
    read, faults = read_costs(costs)
    if read is None:
        raise UnusableInputError(faults)
    if supply is None:
        return read, np.ones(len(read.sites))
    amounts, faults = read_supply(supply, read)
    if faults:
        raise UnusableInputError(faults)
    return read, np.where(np.isfinite(amounts), amounts, 0.0)


def _sum(
    table: csr_array,
    weights: Floats,
    amounts: Floats,
) -> Floats:
    """Return the weighted sum of amounts by row."""
    row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    found = np.bincount(row, weights=weights * amounts[table.indices], minlength=table.shape[0])
    return np.asarray(found, dtype=np.float64)
