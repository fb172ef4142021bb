"""Compute the supply of places, beds or carers per so many people; travel time plays no part.

A venue without a figure is unknown, not empty: the sum is then a lower bound, and the table counts these
venues.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Hashable

ALL = "all"
"""Name of the row of the whole study."""


def capacity(
    venues: pd.DataFrame,
    people: pd.Series[float],
    *,
    column: str = "capacity",
    per: float = 1000.0,
    unit: str = "district",
) -> pd.DataFrame:
    """Return the sum of a column of venues divided by people, by unit and in all.

    value = known amount / people x per. With ``unknown`` venues it is a lower bound.

    Parameters
    ----------
    venues : the venues that count, each once, with ``column`` (0 or more, missing where unknown) and the
        column ``unit`` (the unit it is in)
    people : unit -> people of the target's group, >= 0
    per : people a rate is given for, > 0

    Returns
    -------
    table : one row for each unit of ``people``, in its order, then units that only venues name, then
        ``all``; ``people``, ``venues``, ``unknown`` (venues without a figure, int64), ``amount`` (sum of the
        known ones) and ``value`` (NaN where there are no people)

    Raises
    ------
    UnusableInputError
        When a column is missing or an amount is text or negative: each such venue with its value.

    References
    ----------
    The ratio of the Zhejiang plan's 每千人口托位数: places over the total resident population.

    >>> venues = pd.DataFrame({"district": ["A", "A"], "capacity": [40.0, None]})
    >>> capacity(venues, pd.Series({"A": 8000.0})).loc["all", ["amount", "unknown", "value"]].tolist()
    [40.0, 1.0, 5.0]
    """
    amounts = _amounts(venues, column, unit)
    where = venues[unit].astype("str")
    # A venue in an unlisted unit keeps its row: without it, its places would be lost without a message.
    rows: list[Hashable] = [*people.index, *sorted(set(where) - set(people.index))]
    at = pd.Index(rows).get_indexer(where)
    # Unknown is not 0: such venues are counted apart, so that a reader sees that the sum is a lower bound.
    known = np.isfinite(amounts)

    def _by_unit(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
        sums = np.bincount(at, weights=weights, minlength=len(rows)) if len(rows) else np.zeros(0)
        return [*sums.tolist(), float(weights.sum())]

    heads = people.reindex(rows).fillna(0.0).to_numpy(dtype=np.float64)
    table = pd.DataFrame(
        {
            "people": [*heads.tolist(), float(heads.sum())],
            "venues": _by_unit(np.ones(len(venues))),
            "unknown": _by_unit((~known).astype(np.float64)),
            "amount": _by_unit(np.where(known, amounts, 0.0)),
        },
        index=pd.Index([*rows, ALL], name=unit),
    ).astype({"venues": "int64", "unknown": "int64"})
    # No people: no ratio, which is NaN and neither 0 nor infinite.
    some = table["people"] > 0
    return table.assign(value=(table["amount"] * per / table["people"].where(some)).astype(np.float64))


def undecided(lower: float, upper: float, turn: float | None, *, falls: bool = False) -> bool:
    """Return whether what is unknown could change a verdict: the bounds lie on both sides of the turn.

    Where the known part alone meets the goal it is met, and where even the most that the unknown may bring
    does not reach it, it is missed; between the two the verdict is unknown.

    Parameters
    ----------
    lower, upper : the value with nothing and with everything that is unknown; ``upper`` may be inf
    turn : the figure at which the verdict turns (good enough itself); None without a goal
    falls : whether the value has to be at or below the turn

    Returns
    -------
    undecided : bool

    References
    ----------
    As :func:`bounds`: Manski (1990).

    >>> undecided(4.2, float("inf"), 4.5), undecided(4.6, float("inf"), 4.5), undecided(0.2, 0.4, 0.5)
    (True, False, False)
    """
    if turn is None or math.isnan(lower) or math.isnan(upper):
        return False
    return (lower <= turn) != (upper <= turn) if falls else (lower >= turn) != (upper >= turn)


def _amounts(venues: pd.DataFrame, column: str, unit: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the amounts as numbers, NaN where unknown."""
    faults = [
        Fault("(venues)", say("column '{name}'", name=name), "", say("missing column"), say("add the column"))
        for name in (column, unit)
        if name not in venues
    ]
    if faults:
        raise UnusableInputError(faults)
    cells = venues[column]
    blank = cells.isna() | (cells.astype("str").str.strip() == "")
    numbers = pd.to_numeric(cells.where(~blank), errors="coerce").astype("float64")
    wrong = (~blank & ~np.isfinite(numbers)) | (numbers < 0)
    if wrong.any():
        raise UnusableInputError(
            Fault(
                "(venues)",
                say("venue {venue}, column '{name}'", venue=label, name=column),
                str(cells[label]),
                say("not a number of at least 0"),
                say("write a number of at least 0, or leave it blank when unknown"),
            )
            for label in venues.index[wrong]
        )
    amounts: np.ndarray[tuple[int], np.dtype[np.float64]] = numbers.to_numpy(dtype=np.float64)
    return amounts
