"""Define when seconds are within a limit, and the four buckets of residents; not find seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Limit = TypeVar("Limit", float, "npt.NDArray[np.float64]")

STATUSES = ("covered", "beyond", "disconnected", "unsnapped")
"""The four buckets; every resident is in exactly one."""

SLACK_S = 1e-6
"""Seconds by which float noise may exceed a limit: a walk of exactly 1,250 m at 5 km/h, cut into
whole-metre edges, comes out above 900 s by up to 9e-13 in half of all cuts."""


def search_bound(limit_s: Limit) -> Limit:
    """Return the seconds up to which a search must look for a limit to be inclusive.

    Parameters
    ----------
    limit_s : seconds, one number or an array

    Returns
    -------
    bound_s : ``limit_s`` with the tolerance added, in the same form

    >>> search_bound(900.0) > 900.0
    True
    """
    return limit_s + SLACK_S


def within_limit(seconds: npt.ArrayLike, limit_s: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which seconds are within a limit: ``seconds <= limit_s + 1e-6``.

    Parameters
    ----------
    seconds : any shape; inf and NaN are within no finite limit
    limit_s : seconds, one or as many as there are ``seconds``

    Returns
    -------
    within : bool, the shape of ``seconds``

    >>> within_limit([899.0, 900.0, 900.0 + 9e-13, 900.1, float("inf")], 900.0).tolist()
    [True, True, True, False, False]
    """
    return np.less_equal(
        np.asarray(seconds, dtype=np.float64), search_bound(np.asarray(limit_s, dtype=np.float64))
    )
