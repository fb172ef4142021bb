"""Measure how firm a verdict is: the curve over speed, the flip point, people near the limit.

The walk, cycle and e-bike profiles scale as a whole: at speed v a trip of t usual seconds takes
t x usual / v. So one run's distribution of times answers every speed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.limits import within_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def coverage_at(
    seconds: npt.NDArray[np.float64], people: npt.NDArray[np.float64], limit_s: float, *, factor: float = 1.0
) -> float | None:
    """Return the share of people whose time, at ``factor`` times the usual speed, is within the limit.

    Parameters
    ----------
    seconds : (demand,) at the usual speed, inf where there is no path
    people : (demand,)
    limit_s : seconds, inclusive
    factor : speed as a share of the usual speed, > 0

    Returns
    -------
    share : 0 to 1; None without people

    References
    ----------
    As :func:`coverage`; the band of slow and fast walkers is a setting of the travel profiles.

    >>> coverage_at(np.array([600.0, 1000.0]), np.array([3.0, 1.0]), 900.0)
    0.75
    """
    total = people.sum()
    if total <= 0:
        return None
    return float(people[within_limit(seconds / factor, limit_s)].sum() / total)


def curve_over_speed(
    seconds: npt.NDArray[np.float64],
    people: npt.NDArray[np.float64],
    limit_s: float,
    *,
    usual_kmh: float,
    speeds_kmh: Sequence[float],
) -> tuple[tuple[float, float], ...]:
    """Return every speed with the share of people covered at it.

    Parameters
    ----------
    seconds, people, limit_s : as for :func:`coverage_at`
    usual_kmh : km/h that ``seconds`` are for
    speeds_kmh : km/h, in any order

    Returns
    -------
    curve : (km/h, share) pairs, in the order given; empty without people

    >>> seconds, people = np.array([600.0, 1000.0]), np.array([3.0, 1.0])
    >>> curve_over_speed(seconds, people, 900.0, usual_kmh=5, speeds_kmh=[4, 6])
    ((4, 0.75), (6, 1.0))
    """
    pairs = ((speed, coverage_at(seconds, people, limit_s, factor=speed / usual_kmh)) for speed in speeds_kmh)
    return tuple((speed, value) for speed, value in pairs if value is not None)


def flip_seconds(
    seconds: npt.NDArray[np.float64], people: npt.NDArray[np.float64], threshold: float
) -> float | None:
    """Return the time limit at which coverage first reaches the threshold, None where it never does.

    At the usual speed this is the limit that changes the verdict; at the target's own limit the speed
    that changes it is usual speed x flip seconds / limit.

    Parameters
    ----------
    seconds : (demand,) inf where there is no path
    people : (demand,)
    threshold : share from 0 to 1, inclusive

    Returns
    -------
    seconds : one of ``seconds``

    References
    ----------
    The weighted quantile of travel times; as a statement about a verdict it is a break-even value, as in
    one-way sensitivity analysis.

    >>> flip_seconds(np.array([300.0, 600.0, np.inf]), np.array([5.0, 4.0, 1.0]), 0.9)
    600.0
    """
    total = people.sum()
    reachable = np.isfinite(seconds)
    if total <= 0 or threshold <= 0:
        return None
    order = np.argsort(seconds[reachable], kind="stable")
    reached = np.cumsum(people[reachable][order])
    enough = np.flatnonzero(reached >= threshold * total * (1 - 1e-12))
    return float(seconds[reachable][order][enough[0]]) if len(enough) else None


def borderline(
    seconds: npt.NDArray[np.float64],
    people: npt.NDArray[np.float64],
    limit_s: float,
    *,
    margin_s: float = 60.0,
) -> float:
    """Return the people whose time is within the margin of the limit, on either side, inclusive.

    Parameters
    ----------
    seconds, people, limit_s : as for :func:`coverage_at`
    margin_s : seconds; the minute is a setting of this package

    Returns
    -------
    people : their number

    >>> borderline(np.array([850.0, 950.0, 990.0]), np.array([3.0, 2.0, 1.0]), 900.0)
    5.0
    """
    return float(people[np.abs(seconds - limit_s) <= margin_s + 1e-6].sum())


def shortfall(covered: float, people: float, threshold: float) -> float:
    """Return the further people that must be covered for the share to reach the threshold.

    Parameters
    ----------
    covered, people : people covered, and all people
    threshold : share from 0 to 1

    Returns
    -------
    people : 0 or more

    >>> shortfall(80.0, 100.0, 0.9)
    10.0
    """
    return float(max(0, math.ceil(threshold * people - covered - 1e-6)))
