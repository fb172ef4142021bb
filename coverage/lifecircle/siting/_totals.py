"""Compute sums and least values by position, as float64 arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


def totals(places: npt.NDArray[np.integer[Any]], values: npt.NDArray[Any], size: int) -> Floats:
    """Return the sum of the values at each position.

    >>> totals(np.array([0, 2, 0]), np.array([1.0, 5.0, 2.0]), 3)
    array([3., 0., 5.])
    """
    return np.asarray(np.bincount(places, weights=values, minlength=size), dtype=np.float64)


def leasts(places: npt.NDArray[np.integer[Any]], values: Floats, start: Floats) -> Floats:
    """Return the least value at each position, or ``start`` (position,) where that is less.

    >>> leasts(np.array([0, 2, 0]), np.array([1.0, 5.0, 2.0]), np.array([9.0, 9.0, 4.0]))
    array([1., 9., 4.])
    """
    least = start.copy()
    np.minimum.at(least, places, values)
    return least
