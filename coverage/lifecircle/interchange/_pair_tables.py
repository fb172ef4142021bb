"""Write pairs as the tables and matrices that other packages take, and find the nearest among pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lifecircle.costs import read_costs
from lifecircle.errors import Fault, GraphError, UnusableInputError, say
from lifecircle.reach import statuses

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.costs import Costs

    Floats = npt.NDArray[np.float64]

Unit = Literal["seconds", "minutes"]
SECONDS_OF: dict[str, float] = {"seconds": 1.0, "minutes": 60.0}
"""Seconds of one of each unit."""


def pairs_table(
    pairs: Any, *, columns: tuple[str, str, str] = ("origin", "dest", "cost"), unit: Unit = "seconds"
) -> pd.DataFrame:
    """Write pairs as a table with a row for each, as PySAL's ``access`` takes and r5r and r5py give it.

    Parameters
    ----------
    pairs : pairs of :func:`lifecircle.within`, or costs of any other form
    columns : names of resident, facility and time; ``("from_id", "to_id", "travel_time")`` for r5r and r5py
    unit : of the third column; costs that are no pairs of ``within`` are taken as seconds too

    Returns
    -------
    table : one row for each pair, by resident, then facility; labels, and float64. Pairs that are not within
        the limit are not there

    Raises
    ------
    UnusableInputError
        Costs cannot be used, or the unit is none.

    References
    ----------
    Saxon, Koschinsky, Acosta et al. (2022), An open software environment to make spatial access metrics more
    accessible, Journal of Computational Social Science 5 (the package access).

    >>> pairs_table(pd.DataFrame([[90.0, np.inf]], index=["home"], columns=["a", "b"])).to_numpy().tolist()
    [['home', 'a', 90.0]]
    """
    read = _read(pairs)
    row = np.repeat(np.arange(len(read.demand)), np.diff(read.table.indptr))
    first, second, third = columns
    return pd.DataFrame(
        {
            first: read.demand.to_numpy()[row],
            second: read.sites.to_numpy()[read.table.indices],
            third: read.table.data / _seconds_of(unit),
        }
    )


def cost_matrix(pairs: Any, *, unreached: float = np.inf, unit: Unit = "seconds") -> Floats:
    """Write pairs as a dense matrix, as spopt takes it (``LSCP.from_cost_matrix``, ``MCLP``, ``PMedian``).

    A matrix holds every pair, 8 bytes each: for thousands of residents and sites use
    :func:`lifecircle.solve_siting`, which needs none.

    Parameters
    ----------
    pairs : pairs of :func:`lifecircle.within`, or costs of any other form
    unreached : what stands where there is no pair, in ``unit``. Sums of costs, as in ``PMedian``, need a
        finite one
    unit : of the matrix

    Returns
    -------
    matrix : (demand, facility) float64, rows and columns as the pairs have them

    Raises
    ------
    UnusableInputError
        Costs cannot be used, or the unit is none.

    References
    ----------
    Feng, Gaboardi, Knaap et al. (2021), PySAL spopt.

    >>> cost_matrix([[90.0, np.inf]], unreached=999.0, unit="minutes").tolist()
    [[1.5, 999.0]]
    """
    read = _read(pairs)
    matrix = np.full(read.table.shape, float(unreached))
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(read.table.indptr))
    matrix[row, read.table.indices] = read.table.data / _seconds_of(unit)
    return matrix


def nearest_of(pairs: Any, *, limit_min: float, k: int = 1) -> pd.DataFrame:
    """Find the nearest facilities of every resident among pairs, in the form of :func:`lifecircle.nearest`.

    So that times of another engine are counted as ours are: :func:`lifecircle.coverage` takes the result.

    Parameters
    ----------
    pairs : seconds, as :func:`lifecircle.read_travel_times` or ``within`` returns them
    limit_min : minutes >= 0, inclusive
    k : how many distinct facilities to find, >= 1

    Returns
    -------
    near : columns and index as :func:`lifecircle.nearest`; equal seconds go to the facility that stands
        first. A resident without a pair is ``disconnected``: the pairs do not say why. ``leg_m`` is NaN

    Raises
    ------
    UnusableInputError
        Costs cannot be used.
    GraphError
        The limit is negative or not finite, or k is below 1.

    >>> nearest_of([[90.0, 60.0], [np.inf, np.inf]], limit_min=1)["status"].tolist()
    ['covered', 'disconnected']
    """
    read = _read(pairs)
    if not (np.isfinite(limit_min) and limit_min >= 0):
        raise GraphError(
            say("limit_min is {value}: give a finite number of minutes >= 0", value=repr(limit_min))
        )
    if k < 1:
        raise GraphError(say("k is {value}: give a whole number of at least 1", value=repr(k)))
    seconds, place = _ranked(read, k)
    flat, who = seconds.ravel(), place.ravel()
    many = len(read.demand)
    columns = {
        "facility": pd.api.extensions.take(_missable(read.sites), who, allow_fill=True),
        "seconds": np.where(np.isfinite(flat), flat, np.nan),
        "minutes": np.where(np.isfinite(flat), flat, np.nan) / 60.0,
        "status": pd.array(statuses(flat, np.ones(len(flat), dtype=bool), limit_min=limit_min), dtype="str"),
        "leg_m": np.full(len(flat), np.nan),
        "reason": pd.array([""] * len(flat), dtype="str"),
    }
    if k == 1:
        return pd.DataFrame(columns, index=read.demand)
    index = pd.MultiIndex.from_arrays(
        [read.demand.repeat(k), np.tile(np.arange(1, k + 1), many)], names=["demand", "rank"]
    )
    return pd.DataFrame(columns, index=index)


def _missable(labels: pd.Index[Any]) -> Any:
    """Return labels as an array that can hold a missing one; whole numbers stay whole numbers."""
    whole = pd.api.types.is_integer_dtype(labels.dtype)
    return labels.to_series().astype("Int64").array if whole else labels.array


def _ranked(read: Costs, k: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the k least costs of every row and their columns, inf and -1 where there are fewer."""
    table, many = read.table, len(read.demand)
    row = np.repeat(np.arange(many), np.diff(table.indptr))
    order = np.lexsort((table.indices, table.data, row))
    rank = np.arange(len(row)) - table.indptr[row]
    kept = rank < k
    seconds, place = np.full((many, k), np.inf), np.full((many, k), -1, dtype=np.int64)
    seconds[row[kept], rank[kept]] = table.data[order][kept]
    place[row[kept], rank[kept]] = table.indices[order][kept]
    return seconds, place


def _read(pairs: Any) -> Costs:
    read, faults = read_costs(pairs, name="pairs")
    if read is None:
        raise UnusableInputError(faults)
    return read


def _seconds_of(unit: str) -> float:
    """Return the seconds of a unit.

    Raises
    ------
    UnusableInputError
        It is none.
    """
    if unit not in SECONDS_OF:
        remedy = say("use one of {names}", names=", ".join(SECONDS_OF))
        raise UnusableInputError([Fault("unit", "", str(unit), say("no unit of time"), remedy)])
    return SECONDS_OF[unit]
