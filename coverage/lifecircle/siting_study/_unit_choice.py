"""Choose which units get a facility first: pure functions of who lacks one, with the proof of the number.

A unit with an area (county, district, village) takes sites of its own, one or, where it lacks several venues,
more, so the number is counted. Outlets that stand close together may share a site: fewest sites are a set
cover, most outlets a maximal cover, both solved with a certificate by :mod:`lifecircle.siting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from lifecircle.datum import way_between
from lifecircle.measures import units_near
from lifecircle.reach import Pairs
from lifecircle.siting import siting_curve, siting_problem, solve, solve_siting

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lifecircle.siting import SitingPlan

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Certificate:
    """How good a choice is known to be.

    ``fewest`` : sites known to reach the goal, ``fewest_possible`` : fewer are ruled out, both None where
    none do or there is no goal; ``held`` : units newly held by the choice; ``bound`` : no choice of as many
    sites newly holds more.
    """

    fewest: int | None
    fewest_possible: int | None
    held: int
    bound: int

    @property
    def proved(self) -> bool:
        """Whether no choice of as many sites is better."""
        return self.held >= self.bound


def units_needed(total: int, holding: int, turn: float) -> int:
    """Count the units still needed so that their share reaches a goal, divided as the audit divides.

    >>> units_needed(122, 119, 1.0), units_needed(10, 7, 0.7), units_needed(3, 0, 2 / 3)
    (3, 0, 2)
    """
    reached = (many for many in range(holding, total + 1) if many / total >= turn)
    return next(reached, total + 1) - holding


def most_people(people: Sequence[float], codes: Sequence[str]) -> Ints:
    """Order units by people, most first; equal ones by code, those of unknown people last.

    >>> most_people([5.0, 9.0, float("nan"), 9.0], ["a", "c", "d", "b"]).tolist()
    [3, 1, 0, 2]
    """
    order = sorted(range(len(codes)), key=lambda at: (-np.nan_to_num(people[at], nan=-1.0), codes[at]))
    return np.array(order, dtype=np.int64)


def units_for(takes: Sequence[int], people: Sequence[float], sites: int) -> Ints:
    """Choose the units that so many sites can fill: most units, of these most people, then the first ones.

    Parameters
    ----------
    takes : (unit,) sites each unit takes, >= 1
    people : (unit,) NaN where unknown
    sites : how many there are

    Returns
    -------
    chosen : positions, ascending; they may take fewer sites than there are

    >>> units_for([1, 2, 1], [90.0, 80.0, 70.0], 3).tolist()
    [0, 1]
    >>> units_for([1, 1, 2], [90.0, 80.0, 99.0], 2).tolist()
    [0, 1]
    """
    many, worth = len(takes), np.nan_to_num(np.asarray(people, dtype=float), nan=0.0)
    # A knapsack, from the last unit to the first: units filled, and their people, for every number of sites.
    count = np.zeros((many + 1, sites + 1), dtype=np.int64)
    lived = np.zeros((many + 1, sites + 1))
    for at in range(many - 1, -1, -1):
        count[at], lived[at] = count[at + 1], lived[at + 1]
        take = takes[at]
        if take > sites:
            continue
        rest = slice(0, sites + 1 - take)
        filled, people_then = count[at + 1, rest] + 1, lived[at + 1, rest] + worth[at]
        same = filled == count[at, take:]
        # Of equal choices the one with the earlier unit.
        better = (filled > count[at, take:]) | (same & (people_then >= lived[at, take:]))
        count[at, take:][better], lived[at, take:][better] = filled[better], people_then[better]
    chosen, left = [], sites
    for at, take in enumerate(takes):
        if take > left or count[at, left] != count[at + 1, left - take] + 1:
            continue
        if lived[at, left] == lived[at + 1, left - take] + worth[at]:
            chosen.append(at)
            left -= take
    return np.array(chosen, dtype=np.int64)


def count_proof(takes: Sequence[int], held: int, needed: int | None) -> Certificate:
    """Prove a choice of units that share no site: by counting.

    Parameters
    ----------
    takes : (unit,) sites that each unit takes that can get some
    held : units filled by the choice, which is that of :func:`units_for`
    needed : units still needed for the goal, None without a goal

    >>> count_proof([2, 1, 1], held=2, needed=2)
    Certificate(fewest=2, fewest_possible=2, held=2, bound=2)
    """
    # No other units take fewer sites together than those that take the fewest each.
    fewest = None if needed is None or needed > len(takes) else sum(sorted(takes)[:needed])
    return Certificate(fewest, fewest, held, held)


def shared_positions(metres: Floats, within_m: float) -> Floats:
    """Find the positions at which sites can serve outlets in every combination there is.

    A site that serves several outlets may be moved until it is at one of them, halfway between two, or where
    the circles around two of them cross, and serves them still; so no other position has to be tried.

    Parameters
    ----------
    metres : (outlet, 2)

    Returns
    -------
    positions : (position, 2); the outlets first, in their order
    """
    if len(metres) < 2 or within_m <= 0:
        return metres.copy()
    pairs = cKDTree(metres).query_pairs(2 * within_m, output_type="ndarray")
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    one, other = metres[pairs[:, 0]], metres[pairs[:, 1]]
    middle, apart = (one + other) / 2, np.hypot(*(other - one).T)
    far = apart > 0
    middle, apart, along = middle[far], apart[far, None], (other - one)[far]
    height = np.sqrt(np.maximum(within_m**2 - (apart / 2) ** 2, 0.0))
    aside = np.column_stack([-along[:, 1], along[:, 0]]) / apart * height
    return np.vstack([metres, middle, middle + aside, middle - aside])


@dataclass(frozen=True, eq=False)
class SharedSites:
    """Sites for outlets.

    ``lonlat`` : (site, 2) degrees; ``serves`` : (site,) positions of the outlets newly held for which the
    site is one of the venues they lack, each outlet as often as it takes sites; ``reach`` : (site,) positions
    of all outlets in its reach; ``instead`` : (site,) position that would replace it best, and how many
    outlets fewer are held then, None where there is no other.
    """

    lonlat: Floats
    serves: tuple[tuple[int, ...], ...]
    reach: tuple[tuple[int, ...], ...]
    instead: tuple[tuple[str, int] | None, ...]
    certificate: Certificate


def share_sites(  # noqa: PLR0913 - one question, all named
    metres: Floats,
    *,
    crs: Any,
    within_m: float,
    sites: int | None,
    needed: int | None,
    time_limit_s: float,
    takes: Sequence[int] | None = None,
) -> SharedSites:
    """Choose sites for outlets: the fewest that hold as many as are needed, or so many that hold most.

    Parameters
    ----------
    metres : (outlet, 2) the outlets without, all with a position, in the order of their codes
    crs : the CRS of ``metres``
    within_m : how near a venue is to every outlet that it holds (inclusive)
    sites : how many; None for the fewest
    needed : outlets needed for the goal; None without a goal
    takes : (outlet,) sites that have to be near an outlet until it holds; left out, one each

    Returns
    -------
    SharedSites
        Without those for which no outlet is left.
    """
    lonlat = np.column_stack(way_between(crs, "EPSG:4326").transform(*shared_positions(metres, within_m).T))
    reach = _in_reach(lonlat, metres, crs=crs, within_m=within_m)
    need = np.ones(len(metres), dtype=np.int64) if takes is None else np.asarray(takes, dtype=np.int64)
    choose = _Shared(reach, need, time_limit_s)
    fewest, possible, chosen, bound = choose.fewest(needed)
    if sites is not None:
        chosen, bound = choose.most(sites)
    chosen = np.sort(_at_outlets(reach, chosen))
    if (need == 1).all():
        chosen = np.unique(chosen)
    held = int((reach[chosen].sum(axis=0) >= need).sum())
    certificate = Certificate(fewest, possible, held, max(held, bound))
    return _shared_out(lonlat, reach, need, chosen, certificate)


def _in_reach(lonlat: Floats, metres: Floats, *, crs: Any, within_m: float) -> npt.NDArray[np.bool_]:
    """Return which outlets each position holds, by the audit's own rule: (position, outlet)."""
    back = np.column_stack(way_between("EPSG:4326", crs).transform(*lonlat.T))
    codes = pd.Index([str(at) for at in range(len(metres))])
    reach = np.zeros((len(lonlat), len(metres)), dtype=bool)
    for position, near in enumerate(units_near(back, metres, codes, within_m=within_m)):
        reach[position, [int(code) for code in near]] = True
    return reach


@dataclass(frozen=True, eq=False)
class _Shared:
    """The question of sites that serve several outlets.

    ``reach`` : (position, outlet); ``need`` : (outlet,) sites that have to be near it.
    """

    reach: npt.NDArray[np.bool_]
    need: Ints
    time_limit_s: float

    def fewest(self, needed: int | None) -> tuple[int | None, int | None, Ints, int]:
        """Find the fewest sites for as many outlets as needed: known, possible, which, and their bound."""
        nobody, many = np.zeros(0, dtype=np.int64), len(self.need)
        if needed is None or needed > many:
            return None, None, nobody, 0
        if needed == 0:
            return 0, 0, nobody, 0
        if (self.need > 1).any():
            return self._fewest_of_several(needed)
        if needed == many:
            plan = solve_siting(
                self._pairs(),
                np.ones(many),
                objective="full_cover",
                limit=1.0,
                time_limit_s=self.time_limit_s,
            )
            possible = int(np.ceil(plan.bound - 1e-6))
            return len(plan.sites), possible, np.array(plan.sites, dtype=np.int64), many
        problem = siting_problem(self._pairs(), np.ones(many), objective="max_cover", limit=1.0, sites=1)
        found = siting_curve(problem, goal=float(needed), time_limit_s=self.time_limit_s)
        if found.fewest is None:
            return None, found.fewest_possible, nobody, 0
        plan = found.plans[found.fewest - found.least]
        chosen = np.array(plan.sites, dtype=np.int64)
        return found.fewest, found.fewest_possible, chosen, _whole(plan.bound)

    def most(self, sites: int) -> tuple[Ints, int]:
        """Find so many sites that hold most outlets: which, and a number that no choice exceeds."""
        several = bool((self.need > 1).any())
        plan = self._several(sites, self.time_limit_s) if several else self._once(sites)
        chosen = np.array(plan.sites, dtype=np.int64)
        return self._positions(chosen) if several else chosen, _whole(plan.bound)

    def _pairs(self) -> Pairs:
        table = csr_array(self.reach.T.astype(np.float64))
        return Pairs(table, pd.RangeIndex(len(self.need)), pd.RangeIndex(len(self.reach)))

    def _once(self, sites: int) -> SitingPlan:
        """Solve for outlets that take one site each."""
        people = np.ones(len(self.need))
        problem = siting_problem(self._pairs(), people, objective="max_cover", limit=1.0, sites=sites)
        return solve(problem, time_limit_s=self.time_limit_s)

    @cached_property
    def _distinct(self) -> Ints:
        """Return the first position of each set of outlets that no other position's set contains."""
        rows = np.unique(self.reach, axis=0, return_index=True)[1]
        first = np.sort(rows)
        sets = self.reach[first]
        contained = [bool(((sets & one).sum(axis=1) == one.sum()).sum() > 1) or not one.any() for one in sets]
        return np.array(first[~np.array(contained, dtype=bool)], dtype=np.int64)

    def _positions(self, columns: Ints) -> Ints:
        """Return the positions of the columns of :meth:`_several`."""
        return self._distinct[columns % len(self._distinct)]

    def _several(self, sites: int, time_limit_s: float) -> SitingPlan:
        """Solve for outlets of which some take several sites; a position may have as many as one takes."""
        times = int(self.need.max())
        table = csr_array(np.tile(self.reach[self._distinct].T.astype(np.float64), (1, times)))
        many = table.shape[1]
        problem = siting_problem(
            Pairs(table, pd.RangeIndex(len(self.need)), pd.RangeIndex(many)),
            np.ones(len(self.need)),
            objective="rule_cover",
            limit=1.0,
            sites=min(sites, many),
            offers=["site"] * many,
            lacking={"site": self.need},
        )
        return solve(problem, time_limit_s=time_limit_s)

    def _fewest_of_several(self, needed: int) -> tuple[int, int, Ints, int]:
        """Find the fewest sites where outlets take several: one number after the other is solved."""
        cheapest = np.argsort(self.need, kind="stable")[:needed]
        # Fewer than the dearest of the cheapest outlets takes cannot do; a site of its own for each does.
        least, most = int(self.need[cheapest].max()), int(self.need[cheapest].sum())
        possible = None
        for number in range(least, most):
            plan = self._several(number, self.time_limit_s / (most - least))
            bound = _whole(plan.bound)
            if possible is None and bound >= needed:
                possible = number
            if round(plan.value) >= needed:
                chosen = self._positions(np.array(plan.sites, dtype=np.int64))
                return number, possible or number, chosen, bound
        # The outlets are the first positions.
        return most, possible or most, np.repeat(cheapest, self.need[cheapest]), len(self.need)


def _whole(bound: float) -> int:
    return int(np.floor(bound + 1e-6))


def _at_outlets(reach: npt.NDArray[np.bool_], chosen: Ints) -> Ints:
    """Put every site at the first position that serves as many outlets, an outlet where one does."""
    return np.array(
        [int(np.flatnonzero((reach[:, reach[at]]).all(axis=1))[0]) for at in chosen], dtype=np.int64
    )


def _shared_out(
    lonlat: Floats, reach: npt.NDArray[np.bool_], need: Ints, chosen: Ints, certificate: Certificate
) -> SharedSites:
    """Share the outlets out among the sites, those with most first, and find what would replace each best."""
    order = chosen[np.lexsort((chosen, -reach[chosen].sum(axis=1)))] if len(chosen) else chosen
    whole = reach[order].sum(axis=0)
    left = np.where(whole >= need, need, 0)
    kept: list[int] = []
    serves: list[tuple[int, ...]] = []
    instead: list[tuple[str, int] | None] = []
    for at in order:
        mine = reach[at] & (left > 0)
        if not mine.any():
            continue  # more sites than there is use for
        left = left - mine
        kept.append(int(at))
        serves.append(tuple(np.flatnonzero(mine).tolist()))
        # Positions that serve the very same outlets are no other choice.
        others = np.flatnonzero(~np.isin(np.arange(len(reach)), order) & (reach != reach[at]).any(axis=1))
        if not len(others):
            instead.append(None)
            continue
        held = (reach[others] + (whole - reach[at]) >= need).sum(axis=1)
        best = int(others[int(held.argmax())])
        lost = int((whole >= need).sum() - held.max())
        names = " ".join(str(outlet) for outlet in np.flatnonzero(reach[best]))
        instead.append((names, lost))
    return SharedSites(
        lonlat[kept],
        tuple(serves),
        tuple(tuple(np.flatnonzero(reach[at]).tolist()) for at in kept),
        tuple(instead),
        certificate,
    )
