"""Choose which units get a facility first: pure functions of who lacks one, with the proof of the number.

A unit with an area (county, district, village) takes a site of its own, so the number is counted. Outlets
that stand close together may share a site: fewest sites are a set cover, most outlets a maximal cover, both
solved with a certificate by :mod:`lifecircle.siting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from lifecircle.measures import units_near
from lifecircle.reach import Pairs
from lifecircle.siting import siting_curve, siting_problem, solve, solve_siting

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Certificate:
    """How good a choice is known to be.

    ``fewest`` : sites known to reach the goal, None where none do or there is no goal; ``fewest_possible`` :
    fewer are ruled out; ``held`` : units newly held by the choice; ``bound`` : no choice of as many sites
    newly holds more.
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


def count_proof(without: int, chosen: int, needed: int | None) -> Certificate:
    """Prove a choice of units of which each takes a site of its own: by counting.

    Parameters
    ----------
    without : units that can get a site
    needed : units still needed for the goal, None without a goal
    """
    fewest = None if needed is None or needed > without else needed
    return Certificate(fewest, needed, chosen, chosen)


def shared_places(metres: Floats, within_m: float) -> Floats:
    """Find the places at which sites can serve outlets in every combination there is.

    A site that serves several outlets may be moved until it is at one of them, halfway between two, or where
    the circles around two of them cross, and serves them still; so no other place has to be tried.

    Parameters
    ----------
    metres : (outlet, 2)

    Returns
    -------
    places : (place, 2); the outlets first, in their order
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

    ``lonlat`` : (site, 2) degrees; ``serves`` : (site,) positions of the outlets newly held by it, each
    outlet told once; ``reach`` : (site,) positions of all outlets in its reach; ``instead`` : (site,) place
    that would replace it best, and how many outlets fewer are held then, None where there is no other.
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
) -> SharedSites:
    """Choose sites for outlets: the fewest that hold as many as are needed, or so many that hold most.

    Parameters
    ----------
    metres : (outlet, 2) the outlets without, all with a place, in the order of their codes
    crs : the CRS of ``metres``
    within_m : how near a venue is to every outlet that it holds (inclusive)
    sites : how many; None for the fewest
    needed : outlets needed for the goal; None without a goal

    Returns
    -------
    SharedSites
        Without those for which no outlet is left.
    """
    lonlat = np.column_stack(
        pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(
            *shared_places(metres, within_m).T
        )
    )
    reach = _in_reach(lonlat, metres, crs=crs, within_m=within_m)
    table = csr_array(reach.T.astype(np.float64))
    pairs = Pairs(table, pd.RangeIndex(len(metres)), pd.RangeIndex(len(lonlat)))
    fewest, possible, chosen = _fewest(pairs, needed, time_limit_s)
    held = bound = int(reach[chosen].any(axis=0).sum()) if len(chosen) else 0
    if sites is not None:
        problem = siting_problem(pairs, np.ones(len(metres)), objective="max_cover", limit=1.0, sites=sites)
        plan = solve(problem, time_limit_s=time_limit_s)
        chosen = np.array(plan.sites, dtype=np.int64)
        held, bound = round(plan.value), int(np.floor(plan.bound + 1e-6))
    chosen = np.unique(_at_outlets(reach, chosen))
    return _told(lonlat, reach, chosen, Certificate(fewest, possible, held, bound))


def _in_reach(lonlat: Floats, metres: Floats, *, crs: Any, within_m: float) -> npt.NDArray[np.bool_]:
    """Return which outlets each place holds, by the audit's own rule and places: (place, outlet)."""
    back = np.column_stack(pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*lonlat.T))
    codes = pd.Index([str(at) for at in range(len(metres))])
    reach = np.zeros((len(lonlat), len(metres)), dtype=bool)
    for place, near in enumerate(units_near(back, metres, codes, within_m=within_m)):
        reach[place, [int(code) for code in near]] = True
    return reach


def _fewest(pairs: Pairs, needed: int | None, time_limit_s: float) -> tuple[int | None, int | None, Ints]:
    """Find the fewest sites that hold as many outlets as are needed: known, possible, and which."""
    nobody = np.zeros(0, dtype=np.int64)
    many = len(pairs.demand)
    if needed is None or needed > many:
        return None, needed, nobody
    if needed == 0:
        return 0, 0, nobody
    if needed == many:
        plan = solve_siting(
            pairs, np.ones(many), objective="full_cover", limit=1.0, time_limit_s=time_limit_s
        )
        return len(plan.sites), int(np.ceil(plan.bound - 1e-6)), np.array(plan.sites, dtype=np.int64)
    problem = siting_problem(pairs, np.ones(many), objective="max_cover", limit=1.0, sites=1)
    found = siting_curve(problem, goal=float(needed), time_limit_s=time_limit_s)
    if found.fewest is None:
        return None, found.fewest_possible, nobody
    sites = found.plans[found.fewest - found.least].sites
    return found.fewest, found.fewest_possible, np.array(sites, dtype=np.int64)


def _at_outlets(reach: npt.NDArray[np.bool_], chosen: Ints) -> Ints:
    """Put every site at the first place that serves as many outlets, which is an outlet where one does."""
    return np.array(
        [int(np.flatnonzero((reach[:, reach[at]]).all(axis=1))[0]) for at in chosen], dtype=np.int64
    )


def _told(
    lonlat: Floats, reach: npt.NDArray[np.bool_], chosen: Ints, certificate: Certificate
) -> SharedSites:
    """Share the outlets out among the sites, those with most first, and find what would replace each best."""
    order = chosen[np.lexsort((chosen, -reach[chosen].sum(axis=1)))] if len(chosen) else chosen
    free = np.ones(reach.shape[1], dtype=bool)
    kept: list[int] = []
    serves: list[tuple[int, ...]] = []
    instead: list[tuple[str, int] | None] = []
    for at in order:
        mine = reach[at] & free
        if not mine.any():
            continue  # more sites than there is use for
        free &= ~mine
        kept.append(int(at))
        serves.append(tuple(np.flatnonzero(mine).tolist()))
        rest = reach[order[order != at]].any(axis=0) if len(order) > 1 else np.zeros_like(free)
        # Places that serve the very same outlets are no other choice.
        others = np.flatnonzero(~np.isin(np.arange(len(reach)), order) & (reach != reach[at]).any(axis=1))
        if not len(others):
            instead.append(None)
            continue
        held = (reach[others] | rest).sum(axis=1)
        best = int(others[int(held.argmax())])
        lost = int((reach[order].any(axis=0)).sum() - held.max())
        names = " ".join(str(outlet) for outlet in np.flatnonzero(reach[best]))
        instead.append((names, lost))
    return SharedSites(
        lonlat[kept],
        tuple(serves),
        tuple(tuple(np.flatnonzero(reach[at]).tolist()) for at in kept),
        tuple(instead),
        certificate,
    )
