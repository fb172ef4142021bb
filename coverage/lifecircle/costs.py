"""Read costs between residents and venues or sites, and a number for each: dense, sparse or labelled.

Whatever the form, costs become one table of compressed sparse rows, (demand, site), in which a stored zero
is a pair and what is absent is unreachable. This module does not use the costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array, issparse

from lifecircle.errors import Fault, say

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@runtime_checkable
class LabelledPairs(Protocol):
    """Sparse costs with the labels of their rows and columns, such as the pairs of ``lifecircle.within``."""

    seconds: Any
    demand: pd.Index
    facilities: pd.Index


_SHOWN = 5
"""Faulty cells reported one by one; the rest is counted."""


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs as read.

    Attributes
    ----------
    table : csr (demand, site) float64, indices ascending; finite and >= 0
    demand, sites : labels of rows and columns
    named : whether the caller gave the labels, or they are positions
    """

    table: Any
    demand: pd.Index
    sites: pd.Index
    named: bool


def read_costs(source: Any, *, name: str = "costs") -> tuple[Costs | None, list[Fault]]:
    """Read costs in any of their forms.

    Parameters
    ----------
    source : array (demand, site), zeros real and inf unreachable; scipy sparse, a stored zero a pair and
        what is absent unreachable; DataFrame (dense, with labels); or the pairs of ``within``
    name : what faults call it

    Returns
    -------
    costs, faults : costs is None where there is a fault
    """
    demand, sites, named = None, None, False
    if isinstance(source, LabelledPairs):
        source, demand, sites, named = source.seconds, source.demand, source.facilities, True
    elif isinstance(source, pd.DataFrame):
        if faults := _long_faults(name, source):
            return None, faults
        demand, sites, named = source.index, source.columns, True
        source = source.to_numpy()
    if _is_ready(source) and not (faults := _label_faults(name, sites, "site")):
        faults += _label_faults(name, demand, "resident")
        ready = csr_array(source)
        demand = pd.RangeIndex(ready.shape[0]) if demand is None else demand
        sites = pd.RangeIndex(ready.shape[1]) if sites is None else sites
        return (None, faults) if faults else (Costs(ready, demand, sites, named), [])
    try:
        row, column, cost, shape = _sparse(source) if issparse(source) else _dense(source)
    except (TypeError, ValueError) as error:
        remedy = say("give numbers of shape (demand, site), dense or scipy sparse")
        return None, [Fault(name, "", "", say("not a table of numbers: {error}", error=error), remedy)]
    faults = _cost_faults(name, row, column, cost)
    # An empty table has no faulty cell, so it would pass every check below and give a plan without meaning.
    if 0 in shape:
        faults.append(
            Fault(name, "", f"shape {shape}", say("there is no resident or no site"), say("give both"))
        )
    faults += _label_faults(name, sites, "site") + _label_faults(name, demand, "resident")
    if faults:
        return None, faults
    # scipy sums repeated pairs and can drop stored zeros: a home at the site itself would become unreachable.
    table = _canonical(row, column, cost, shape)
    demand = pd.RangeIndex(shape[0]) if demand is None else demand
    sites = pd.RangeIndex(shape[1]) if sites is None else sites
    return Costs(table, demand, sites, named), []


_LONG = ({"from_id", "to_id"}, {"origin", "dest"}, {"origin", "destination"})


def _long_faults(name: str, source: pd.DataFrame) -> list[Fault]:
    """Return the fault of a table with a row for each pair, which as a matrix would count ids as costs."""
    if not any(ends <= set(source.columns) for ends in _LONG):
        return []
    reason = say("a table with a row for each pair, not a matrix of costs")
    remedy = say("read it with lifecircle.read_travel_times, and give the pairs")
    return [Fault(name, "", ", ".join(map(str, source.columns)), reason, remedy)]


def _is_ready(source: Any) -> bool:
    """Return whether a table is just as it is wanted, so that millions of pairs need not be copied."""
    return (
        issparse(source)
        and source.format == "csr"
        and source.dtype == np.float64
        and 0 not in source.shape
        and bool(source.has_canonical_format)
        and bool(((source.data >= 0) & (source.data < np.inf)).all())
    )


def _dense(source: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Floats, tuple[int, int]]:
    values = np.asarray(source, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"it has {values.ndim} dimensions")
    row, column = np.nonzero(values != np.inf)
    shape = (values.shape[0], values.shape[1])
    return row, column, values[row, column], shape


def _sparse(source: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Floats, tuple[int, int]]:
    # tocoo keeps stored zeros and parallel entries; converting to csr would sum the latter
    entries = source.tocoo()
    cost = np.asarray(entries.data, dtype=np.float64)
    pairs = cost != np.inf
    return entries.row[pairs], entries.col[pairs], cost[pairs], entries.shape


def _canonical(
    row: npt.NDArray[Any], column: npt.NDArray[Any], cost: Floats, shape: tuple[int, int]
) -> csr_array:
    """Return the pairs sorted by row and site; of parallel pairs the least is kept."""
    key = row.astype(np.int64) * shape[1] + column
    if np.any(key[1:] <= key[:-1]):
        order = np.lexsort((cost, key))
        first = np.r_[True, key[order][1:] != key[order][:-1]]
        order = order[first]
        row, column, cost = row[order], column[order], cost[order]
    return coo_array((cost, (row, column)), shape=shape).tocsr()


def _cost_faults(name: str, row: npt.NDArray[Any], column: npt.NDArray[Any], cost: Floats) -> list[Fault]:
    bad = np.flatnonzero(~(cost >= 0))
    faults = [
        Fault(
            name,
            f"row {row[i]}, column {column[i]}",
            f"{cost[i]}",
            say("a cost is missing or negative"),
            say("give costs >= 0; inf (dense) or no entry (sparse) is unreachable"),
        )
        for i in bad[:_SHOWN]
    ]
    return faults + _more(name, len(bad), say("costs are missing or negative"))


def _more(name: str, many: int, reason: str) -> list[Fault]:
    if many <= _SHOWN:
        return []
    return [Fault(name, "", str(many), say("so many {reason}", reason=reason), say("see the ones above"))]


def _label_faults(name: str, labels: pd.Index | None, kind: str) -> list[Fault]:
    if labels is None or labels.is_unique:
        return []
    again = labels[labels.duplicated()].unique()
    shown = ", ".join(map(str, again[:_SHOWN]))
    return [
        Fault(
            name,
            f"{kind}s",
            shown,
            say("a {kind} stands more than once", kind=kind),
            say("give each one row or column"),
        )
    ]


def read_weights(
    source: Any, demand: pd.Index, *, named: bool, name: str = "weights"
) -> tuple[Floats, list[Fault]]:
    """Read one weight (people) for each row of costs.

    Parameters
    ----------
    source : (demand,) numbers; a Series is matched by label where the costs have labels
    demand, named : as in :class:`Costs`

    Returns
    -------
    weights, faults : (demand,) float64, finite and >= 0 where there is no fault
    """
    if isinstance(source, pd.Series) and named:
        lost = demand.difference(source.index, sort=False)
        if len(lost):
            shown = ", ".join(map(str, lost[:_SHOWN]))
            reason = say("{many} residents of the costs have no weight", many=len(lost))
            return np.zeros(0), [Fault(name, "", shown, reason, say("give every row of costs a weight"))]
        # By label, because a Series may be in another order than the rows of the costs.
        source = source.reindex(demand)
    try:
        weights = np.asarray(source, dtype=np.float64)
    except (TypeError, ValueError) as error:
        return np.zeros(0), [
            Fault(name, "", "", say("not numbers: {error}", error=error), say("give people as numbers"))
        ]
    if weights.shape != (len(demand),):
        remedy = say("give one number for each row of costs")
        return np.zeros(0), [
            Fault(name, "", f"shape {weights.shape}", say("there are {many} rows", many=len(demand)), remedy)
        ]
    bad = np.flatnonzero(~((weights >= 0) & np.isfinite(weights)))
    faults = [
        Fault(
            name,
            f"row {demand[i]}",
            f"{weights[i]}",
            say("a weight is missing, negative or infinite"),
            say("give people >= 0"),
        )
        for i in bad[:_SHOWN]
    ]
    return weights, faults + _more(name, len(bad), say("weights are missing, negative or infinite"))
