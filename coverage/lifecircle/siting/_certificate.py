"""Define when a plan is proved: the least difference between two values, and when a bound meets a value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.errors import say

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

PROOF = 1e-6
"""Share of the value by which the bound of an optimal plan may differ from it."""

_FINE = 4e-7
"""Share of the value that is given up when values are no multiples of a unit; less than ``PROOF``."""

_ROUNDING = 1e-7
"""Share of a unit within which a bound counts as a multiple of it."""

_LARGEST = 2.0**50
"""Sums up to here are exact in float64."""


@dataclass(frozen=True, eq=False)
class Found:
    """Result of a solving method.

    Attributes
    ----------
    is_open : (site,) the best allowed set, existing sites included; None where none was found
    bound : the whole value that no allowed set goes beyond
    reason : what the reader should know, empty where nothing is unusual
    unreachable : rows that no site reaches
    """

    is_open: npt.NDArray[np.bool_] | None
    bound: float
    reason: str = ""
    unreachable: npt.NDArray[Any] | None = None


def none_found(what: str, *, proved: bool) -> Found:
    """Return the result without a set: either it is proved that there is none, or none was found in the time.

    >>> none_found("no set of so many sites reaches everyone", proved=False).reason
    'no set of so many sites reaches everyone, as far as was searched in the time; none is ruled out'
    """
    if proved:
        return Found(None, math.inf, reason=what)
    reason = say("{what}, as far as was searched in the time; none is ruled out", what=what)
    return Found(None, math.inf, reason=reason)


def unit_of(weights: Floats) -> float:
    """Return the greatest number of which all sums of weights are multiples; 0 where they are not whole.

    >>> unit_of(np.array([6.0, 0.0, 9.0])), unit_of(np.array([0.5, 1.0]))
    (3.0, 0.0)
    """
    if not len(weights) or float(weights.sum()) > _LARGEST or not np.array_equal(weights, np.rint(weights)):
        return 0.0
    divisor = int(np.gcd.reduce(weights.astype(np.int64)))
    return float(divisor or 1)


def step_beyond(value: float, unit: float) -> float:
    """Return the least amount by which a better plan must be better."""
    return unit * (1 - _ROUNDING) if unit else _FINE * abs(value)


def rounded_down(bound: float, unit: float) -> float:
    """Return the multiple of the unit at or under an upper bound."""
    if not unit or not math.isfinite(bound):
        return bound
    return unit * math.floor(bound / unit + _ROUNDING)


def rounded_up(bound: float, unit: float) -> float:
    """Return the multiple of the unit at or above a lower bound."""
    return -rounded_down(-bound, unit)


def is_proved(value: float, bound: float) -> bool:
    """Return whether a bound proves a value: they differ by at most a millionth of the value."""
    return abs(bound - value) <= PROOF * abs(value)
