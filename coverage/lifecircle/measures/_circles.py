"""Own the rule of a circle and its straight-line reading; not the searches that give travel times.

A rule asks for so many venues of each class: one mandatory and two public-benefit venues, say. The
rule time of a resident is the largest, over the classes, of the time to the k-th nearest venue of the
class, so one number per resident carries the whole rule. The straight reading asks whether a circle of
given radius holds the rule's venues (Changshan 2022, Huzhou 2024: see the standards document).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

_TOUCH = 1e-6  # metres: a venue on the circle counts, whatever the last bit says


def rule_seconds(per_class: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Combine the times to the k-th nearest venue of each class into the rule time.

    Parameters
    ----------
    per_class : one array (demand,) per class, seconds, inf where the class has too few venues in reach

    Returns
    -------
    seconds : (demand,), inf where any class is out of reach

    >>> rule_seconds([np.array([60.0, 120.0]), np.array([90.0, np.inf])]).tolist()
    [90.0, inf]
    """
    slowest: npt.NDArray[np.float64] = np.max(np.stack(list(per_class)), axis=0)
    return slowest


def holds_rule(  # noqa: PLR0913 -- each is one fact of the rule, all named
    centres: npt.NDArray[np.float64],
    radius_m: npt.NDArray[np.float64],
    *,
    venues: npt.NDArray[np.float64],
    classes: Mapping[str, npt.NDArray[np.bool_]],
    require: Mapping[str, int],
    distinct_site_m: float = 0.0,
    free: bool = False,
) -> npt.NDArray[np.bool_]:
    """Tell which circles hold the venues a rule asks for, straight-line.

    Parameters
    ----------
    centres : (circle, 2) metres
    radius_m : (circle,) metres, inclusive
    venues : (venue, 2) metres
    classes : class -> (venue,) membership
    require : class -> number of venues asked for
    distinct_site_m : venues nearer to each other than this are one site and counted once
    free : any circle of the radius that holds the centre will do, not only the one around it

    Returns
    -------
    holds : (circle,) bool
    """
    holds = np.zeros(len(centres), dtype=bool)
    if not len(venues):
        return holds
    tree = cKDTree(venues)
    for i, (centre, radius) in enumerate(zip(centres, radius_m, strict=True)):
        if not np.isfinite(centre).all():
            continue
        span = 2 * radius if free else radius
        near = np.array(sorted(tree.query_ball_point(centre, span + _TOUCH)), dtype=np.intp)
        if not len(near):
            continue
        local = {name: classes[name][near] for name in require}
        if any(local[name].sum() < count for name, count in require.items()):
            continue
        sets = _enclosed(centre, radius, venues[near]) if free else np.ones((1, len(near)), dtype=bool)
        holds[i] = any(
            _selectable(
                venues[near][inside], {n: m[inside] for n, m in local.items()}, require, distinct_site_m
            )
            for inside in sets
        )
    return holds


def _enclosed(
    centre: npt.NDArray[np.float64], radius: float, points: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Find the sets of points that one circle of the radius can hold with the centre: (set, point).

    A circle that holds a set can be moved until two of the set (the centre included) lie on it, or one
    of them is its middle; so the middles to try are the points, and for every pair the two circles
    through both.
    """
    every = np.vstack([centre, points])
    first, second = np.triu_indices(len(every), 1)
    middle = (every[first] + every[second]) / 2
    half = (every[second] - every[first]) / 2
    length = np.hypot(*half.T)
    possible = (length > 0) & (length <= radius + _TOUCH)
    middle, half, length = middle[possible], half[possible], length[possible]
    rise = np.sqrt(np.maximum(radius**2 - length**2, 0.0))
    across = np.column_stack([-half[:, 1], half[:, 0]]) / length[:, None] * rise[:, None]
    middles = np.vstack([every, middle + across, middle - across])
    middles = middles[np.hypot(*(middles - centre).T) <= radius + _TOUCH]
    inside = np.hypot(*(points[None, :, :] - middles[:, None, :]).transpose(2, 0, 1)) <= radius + _TOUCH
    return np.unique(inside, axis=0)


def _selectable(
    points: npt.NDArray[np.float64],
    members: Mapping[str, npt.NDArray[np.bool_]],
    require: Mapping[str, int],
    spacing_m: float,
) -> bool:
    """Tell whether each class can fill its number with venues all at least the spacing apart."""
    if any(members[name].sum() < count for name, count in require.items()):
        return False
    if spacing_m <= 0:
        return True
    apart = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1)) >= spacing_m
    wanted = [name for name, count in sorted(require.items()) for _ in range(count)]

    def fill(place: int, free: npt.NDArray[np.bool_], last: int) -> bool:
        if place == len(wanted):
            return True
        name = wanted[place]
        start = last + 1 if place and wanted[place - 1] == name else 0
        choices = np.flatnonzero(members[name] & free)
        return any(fill(place + 1, free & apart[choice], int(choice)) for choice in choices[choices >= start])

    return fill(0, np.ones(len(points), dtype=bool), -1)


def largest_distinct(points: npt.NDArray[np.float64], spacing_m: float) -> int:
    """Count the largest number of places pairwise at least the spacing apart.

    >>> largest_distinct(np.array([[0.0, 0.0], [30.0, 0.0], [60.0, 0.0]]), 50.0)
    2
    """
    for count in range(len(points), 0, -1):
        if _selectable(points, {"any": np.ones(len(points), dtype=bool)}, {"any": count}, spacing_m):
            return count
    return 0


def settlement_centres(
    places: npt.NDArray[np.float64],
    people: npt.NDArray[np.float64],
    village: npt.NDArray[np.intp],
    villages: int,
) -> npt.NDArray[np.float64]:
    """Find where each village's people live: the resident place nearest to their weighted mean.

    Parameters
    ----------
    places : (demand, 2) metres, NaN where unknown
    people : (demand,)
    village : (demand,) position of the village, -1 for none

    Returns
    -------
    centres : (village, 2) metres, NaN for a village without people
    """
    centres = np.full((villages, 2), np.nan)
    usable = (village >= 0) & np.isfinite(places).all(axis=1) & (people > 0)
    for one in np.unique(village[usable]):
        mine = np.flatnonzero(usable & (village == one))
        mean = np.average(places[mine], axis=0, weights=people[mine])
        centres[one] = places[mine[np.argmin(np.hypot(*(places[mine] - mean).T))]]
    return centres
