"""Count the venues of a circle's rule, along roads and by straight line; not search travel times.

A rule asks for a number of venues of each class: one mandatory and two public-benefit venues, say. The
rule time of a resident is the largest, over the classes, of the time to the k-th nearest venue of the
class, so one number per resident holds the whole rule. The straight-line count asks whether a circle of a
given radius holds the rule's venues (Changshan 2022, Huzhou 2024: see docs/standards.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.intp]

_TOUCH = 1e-6  # metres: a venue on the circle counts, whatever the last bit says
_AT_ONCE = 1 << 21  # distances of trial circles to venues that are computed at a time


def rule_seconds(per_class: Sequence[Floats]) -> Floats:
    """Combine the times to the k-th nearest venue of each class into the rule time.

    Parameters
    ----------
    per_class : one array (demand,) per class, seconds, inf where the class has too few venues in reach

    Returns
    -------
    seconds : (demand,), inf where any class is out of reach

    References
    ----------
    The rule of a circle with classes of venues: Changshan County (2022-12-28), one mandatory and two
    public-benefit venues; its reading along roads is this package's.

    >>> rule_seconds([np.array([60.0, 120.0]), np.array([90.0, np.inf])]).tolist()
    [90.0, inf]
    """
    slowest: Floats = np.max(np.stack(list(per_class)), axis=0)
    return slowest


def holds_rule(  # noqa: PLR0913 -- each is one fact of the rule, all named
    centres: Floats,
    radius_m: Floats,
    *,
    venues: Floats,
    classes: Mapping[str, Flags],
    require: Mapping[str, int],
    distinct_site_m: float = 0.0,
    free: bool = False,
) -> Flags:
    """Return which circles hold the venues a rule asks for, by straight line.

    A venue that belongs to two classes counts for both, as it does along the roads. Where sites must be
    distinct it counts for one class only, because it is one site.

    Parameters
    ----------
    centres : (circle, 2) metres, NaN where unknown (such a circle holds nothing)
    radius_m : (circle,) metres, inclusive
    venues : (venue, 2) metres
    classes : class -> (venue,) membership
    require : class -> number of venues asked for
    distinct_site_m : venues nearer to each other than this are one site and counted once; 0 counts all
    free : any circle of the radius that holds the centre will do, not only the one around it

    Returns
    -------
    holds : (circle,) bool

    References
    ----------
    Changshan County (2022-12-28): venues within one circle, any that encloses the village (``free``). Huzhou
    (2024-12-28) and Yiwu (2023-01-28): a circle of 1 to 1.5 km around the village.

    >>> hall = {"hall": np.array([True])}
    >>> circle = {"venues": np.array([[0.0, 900.0]]), "classes": hall, "require": {"hall": 1}}
    >>> holds_rule(np.array([[0.0, 0.0], [0.0, -200.0]]), np.array([1000.0, 1000.0]), **circle).tolist()
    [True, False]
    """
    holds = np.zeros(len(centres), dtype=bool)
    wanted = np.array(list(require.values()), dtype=np.intp)
    members = np.column_stack([classes[name] for name in require])
    if (members.sum(axis=0) < wanted).any():
        return holds
    # From cheap to dear: counts of venues near the centre exclude most circles before any set is tried.
    known = np.flatnonzero(np.isfinite(centres).all(axis=1))
    # A free circle that holds the centre reaches at most two radii from it.
    span_m = radius_m * (2.0 if free else 1.0) + _TOUCH
    for member, count in zip(members.T, wanted, strict=True):
        near = cKDTree(venues[member]).query_ball_point(centres[known], span_m[known], return_length=True)
        known = known[near >= count]
    if not free and distinct_site_m <= 0:
        holds[known] = True
        return holds
    # A register holds every service: venues of other classes would fill the tree and the sets.
    useful = members.any(axis=1)
    venues, members = venues[useful], members[useful]
    tree = cKDTree(venues)
    for i in known:
        near = tree.query_ball_point(centres[i], span_m[i], return_sorted=True)
        rule = _Rule(venues[near], members[near], wanted, distinct_site_m)
        holds[i] = rule.fits_around(centres[i], float(radius_m[i])) if free else rule.fits(slice(None))
    return holds


class _Rule:
    """A rule over the venues near one centre: which sets of them satisfy it."""

    def __init__(self, points: Floats, members: Flags, wanted: Ints, spacing_m: float) -> None:
        self.points = points
        self.members = members
        self.wanted = wanted
        self.spacing_m = spacing_m

    def fits(self, chosen: Flags | slice) -> bool:
        """Return whether some of the venues satisfy the rule."""
        if self.spacing_m <= 0:
            return bool((self.members[chosen].sum(axis=0) >= self.wanted).all())
        return _selectable(self.points[chosen], self.members[chosen], self.wanted, self.spacing_m)

    def fits_around(self, centre: Floats, radius: float) -> bool:
        """Return whether any circle of the radius that holds the centre satisfies the rule."""
        if self.spacing_m > 0 and not self.fits(slice(None)):
            return False
        weight = self.members.astype(np.float32)
        # Many circles hold the same venues; each set is checked once.
        tried: set[bytes] = set()
        for middles in _middles(centre, radius, self.points):
            inside = _distances(middles, self.points) <= radius + 2 * _TOUCH
            full = inside[(inside.astype(np.float32) @ weight >= self.wanted).all(axis=1)]
            if self.spacing_m <= 0 and len(full):
                return True
            for chosen in full:
                key = np.packbits(chosen).tobytes()
                if key not in tried and self.fits(chosen):
                    return True
                tried.add(key)
        return False


def _middles(centre: Floats, radius: float, points: Floats) -> Iterator[Floats]:
    """Yield the centres of circles to try that hold the village centre, in parts: (middle, 2) each.

    The middles of all circles that hold a set of points make up the overlap of the discs around them. An
    overlap that is not empty has a corner, where two of those discs' edges cross, or it is a whole disc
    around a single point. So it is enough to try the points, and for every pair the two circles through
    both; the centre is a point like the others. The circles tried are wider by a touch, so that three
    points on one circle of exactly the radius are not lost to rounding.
    """
    reach = radius + _TOUCH
    every = np.unique(np.vstack([centre, points]), axis=0)
    step = max(1, _AT_ONCE // (2 * len(every)))
    yield every[_distances(every, centre[None])[:, 0] <= reach]
    # In parts, because the pairs of a town's centre would fill the memory at once.
    firsts, seconds = np.triu_indices(len(every), 1)
    for start in range(0, len(firsts), step):
        one, other = every[firsts[start : start + step]], every[seconds[start : start + step]]
        half = (other - one) / 2
        length = np.hypot(*half.T)
        # Two points farther apart than a diameter lie in no circle together.
        possible = length <= reach
        half, length, middle = half[possible], length[possible], (one + half)[possible]
        rise = np.sqrt(np.maximum(reach**2 - length**2, 0.0)) / length
        across = np.column_stack([-half[:, 1], half[:, 0]]) * rise[:, None]
        both = np.vstack([middle + across, middle - across])
        yield both[_distances(both, centre[None])[:, 0] <= reach + _TOUCH]


def _distances(some: Floats, others: Floats) -> Floats:
    """Return the distance of every point to every other: (some, others)."""
    metres: Floats = np.hypot(some[:, None, 0] - others[None, :, 0], some[:, None, 1] - others[None, :, 1])
    return metres


def _selectable(points: Floats, members: Flags, wanted: Ints, spacing_m: float) -> bool:
    """Return whether every class can fill its number with venues that are all at least the spacing apart.

    ``members`` : (venue, class); ``wanted`` : (class,). Exact: where taking the first that is free fails,
    a search goes through what else could be taken.
    """
    if _first_free(points, members, wanted, spacing_m):
        return True
    near = _distances(points, points) < spacing_m - _TOUCH
    np.fill_diagonal(near, val=True)
    kept = _undominated(near, members)
    near, members = near[np.ix_(kept, kept)], members[kept]

    def fill(free: Flags, left: Ints) -> bool:
        """Return whether the free venues can fill what is left of every class."""
        if not left.any():
            return True
        there = members[free].sum(axis=0)
        if (there < left).any():
            return False
        # Some solution contains a given venue or one of its neighbours: a solution without any of them can
        # exchange another venue of its class for this one. So only these are tried, and the venue with the
        # fewest neighbours of the scarcest class gives the fewest cases.
        scarce = int(np.argmin(np.where(left > 0, there - left, len(free))))
        neighbours = np.where(members[:, scarce] & free, near[:, free].sum(axis=1), len(free) + 1)
        fewest = int(neighbours.argmin())
        for one in [fewest, *np.flatnonzero(near[fewest] & free)]:
            rest = free & ~near[one]
            for role in np.flatnonzero(members[one] & (left > 0)):
                if free[one] and fill(rest, left - (np.arange(len(left)) == role)):
                    return True
            free = free & (np.arange(len(free)) != one)
        return False

    return fill(np.ones(len(kept), dtype=bool), wanted)


def _first_free(points: Floats, members: Flags, wanted: Ints, spacing_m: float) -> bool:
    """Return whether taking the first free venue of each class in turn works, scarcest class first."""
    free = np.ones(len(points), dtype=bool)
    for role in np.argsort(members.sum(axis=0) - wanted, kind="stable"):
        for _ in range(wanted[role]):
            choices = members[:, role] & free
            if not choices.any():
                return False
            one = int(choices.argmax())
            free &= np.hypot(*(points - points[one]).T) >= spacing_m - _TOUCH
            free[one] = False
    return True


def _undominated(near: Flags, members: Flags) -> Ints:
    """Return the positions of the venues that no other venue replaces: (kept,).

    A venue replaces one near it when everything near it is also near the other, and it belongs to
    every class the other does.
    """
    kept = np.arange(len(near))
    while True:
        close, own = near[np.ix_(kept, kept)].astype(np.float32), members[kept].astype(np.float32)
        stands = (close > 0) & (close @ (1 - close).T == 0) & ((1 - own) @ own.T == 0)
        lower = np.tri(len(kept), k=-1, dtype=bool).T
        needless = (stands & (~stands.T | lower)).any(axis=0)
        if not needless.any():
            return kept
        kept = kept[~needless]


def largest_distinct(points: Floats, spacing_m: float) -> int:
    """Return the largest number of points that are pairwise at least the spacing apart.

    Parameters
    ----------
    points : (point, 2) metres
    spacing_m : metres, inclusive

    Returns
    -------
    many : size of the largest such set, found exactly

    References
    ----------
    The largest independent set of a unit disk graph: Clark, Colbourn and Johnson (1990), Discrete
    Mathematics 86.

    >>> largest_distinct(np.array([[0.0, 0.0], [30.0, 0.0], [60.0, 0.0]]), 50.0)
    2
    """
    if spacing_m <= 0:
        return len(points)
    one_class = np.ones((len(points), 1), dtype=bool)
    count = 0
    while count < len(points) and _selectable(points, one_class, np.array([count + 1]), spacing_m):
        count += 1
    return count


def settlement_centres(places: Floats, people: Floats, village: Ints, villages: int) -> Floats:
    """Return where each village's people live: the resident point nearest to their weighted mean.

    Of points equally near, the first row is used.

    Parameters
    ----------
    places : (demand, 2) metres, NaN where unknown
    people : (demand,)
    village : (demand,) position of the village, -1 for none
    villages : number of villages

    Returns
    -------
    centres : (village, 2) metres, NaN for a village without people

    References
    ----------
    The residents' settlement (居民集聚区) as the centre of a circle: Hangzhou's DB3301/T 0429-2023. That its
    centre is a resident point, and not the mean itself, is this package's: a mean can lie in a lake.

    >>> places = np.array([[0.0, 0.0], [10.0, 0.0], [90.0, 0.0]])
    >>> settlement_centres(places, np.array([5.0, 5.0, 1.0]), np.array([0, 0, 0]), 1).tolist()
    [[10.0, 0.0]]
    """
    centres = np.full((villages, 2), np.nan)
    usable = np.flatnonzero((village >= 0) & np.isfinite(places).all(axis=1) & (people > 0))
    of, place = village[usable], places[usable]
    total = np.bincount(of, weights=people[usable], minlength=villages)
    moments = [np.bincount(of, weights=people[usable] * along, minlength=villages) for along in place.T]
    mean = np.divide(moments, total, out=np.full((2, villages), np.nan), where=total > 0).T
    order = np.lexsort((np.hypot(*(place - mean[of]).T), of))
    who, first = np.unique(of[order], return_index=True)
    centres[who] = place[order[first]]
    return centres
