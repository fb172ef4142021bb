"""Solve full_cover: the fewest sites that cover everyone, where nothing else limits the choice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, vstack

from lifecircle.siting._certificate import Found
from lifecircle.siting._cover import Cover, keep_rows
from lifecircle.siting._dominance import reduce_full_cover
from lifecircle.siting._greedy import lazy_greedy
from lifecircle.siting._highs import Model, is_installed, minimise
from lifecircle.siting._lagrange import Effort, descend

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline
    from lifecircle.siting._highs import Answer

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_STEPS = 400
_ROUNDING = 1e-9


def solve_full_cover(
    by_row: csr_array,
    needed: npt.NDArray[np.bool_],
    choice: Choice,
    *,
    deadline: Deadline,
    most: int | None = None,
) -> Found:
    """Find the fewest sites that cover every row that needs it.

    Parameters
    ----------
    by_row : csr (row, site) of ones
    needed : (row,) rows that must be covered, and can be
    choice : plain, without a number
    most : stop as soon as a cover with so many free sites is found, or it is proved that there is none

    Returns
    -------
    found : ``bound`` is the least number of sites, existing and required ones included
    """
    base = choice.base()
    rest = np.flatnonzero(needed & ~(np.asarray(by_row @ base.astype(np.float64)) > 0))
    left = csr_array(keep_rows(by_row, rest)[:, choice.free])
    always = len(choice.always)
    rows, sites = reduce_full_cover(left)
    chosen, bound = fewest(rows, deadline=deadline, most=most)
    is_open = base
    is_open[choice.free[sites[chosen]]] = True
    return Found(is_open, always + bound)


def fewest(by_row: csr_array, *, deadline: Deadline, most: int | None = None) -> tuple[Ints, float]:
    """Find the fewest sites that cover all rows.

    Returns
    -------
    sites, bound : ascending; no cover has fewer than ``bound``, a whole number
    """
    if not by_row.shape[0]:
        return np.zeros(0, dtype=np.int64), 0.0
    cover = Cover.of(by_row, np.ones(by_row.shape[0]))
    chosen = without_idle(cover, lazy_greedy(cover, by_row.shape[1])[0])
    stop = -1 if most is None else most

    def is_enough(bound: float) -> bool:
        """Return whether no further search can help: proved, few enough, or more than allowed."""
        return bound >= len(chosen) or len(chosen) <= stop or (most is not None and bound > most)

    # One site more than allowed is all that has to be proved.
    goal = len(chosen) if most is None else min(len(chosen), most + 1)
    bound, prices = _dual(cover, float(goal), deadline=deadline.share(0.4))
    # The prices of the bound show which rows are hard; choosing by them is often one or two sites better.
    better = _from_prices(cover, prices)
    if len(better) < len(chosen):
        chosen = better
    if is_enough(bound) or deadline.passed() or not is_installed():
        return chosen, bound
    answer = _by_highs(by_row, chosen, stop, deadline)
    # A cover with few enough sites was asked for, and HiGHS proves that there is none.
    if answer.infeasible:
        return chosen, max(bound, float(stop + 1))
    if answer.x is not None:
        found = np.flatnonzero(answer.x > 0.5)
        if len(found) < len(chosen) and _covers(cover, found):
            chosen = found
    if math.isfinite(answer.bound):
        # A number of sites is whole, so the bound may be raised to the next one.
        bound = max(bound, float(math.ceil(answer.bound - 1e-6)))
    return chosen, min(bound, float(len(chosen)))


def _by_highs(by_row: csr_array, chosen: Ints, most: int, deadline: Deadline) -> Answer:
    """Pass the problem to HiGHS: the fewest sites, or any cover with ``most`` if not negative."""
    rows, sites = by_row.shape
    asked = most >= 0
    count = csr_array(np.ones((1, sites)))
    start = np.zeros(sites)
    start[chosen] = 1.0
    model = Model(
        cost=np.ones(sites),
        matrix=csr_array(vstack([by_row, count], format="csr")) if asked else by_row,
        lower=np.concatenate([np.ones(rows), np.zeros(int(asked))]),
        upper=np.concatenate([np.full(rows, np.inf), np.full(int(asked), float(most))]),
        least=np.zeros(sites),
        greatest=np.ones(sites),
        whole=np.ones(sites, dtype=np.bool_),
    )
    enough = float(most) if asked else -np.inf
    return minimise(model, deadline=deadline, unit=1.0, start=None if asked else start, enough=enough)


def without_idle(cover: Cover, chosen: Ints) -> Ints:
    """Return the sites without those that the others replace, the ones covering least first; ascending."""
    times = np.asarray(cover.by_site[np.sort(chosen)].sum(axis=0)).ravel()
    counts = np.diff(cover.by_site.indptr)
    kept = []
    for site in chosen[np.lexsort((-chosen, counts[chosen]))].tolist():
        rows = cover.by_site.indices[cover.by_site.indptr[site] : cover.by_site.indptr[site + 1]]
        if times[rows].min() > 1:
            times[rows] -= 1
        else:
            kept.append(site)
    return np.sort(np.array(kept, dtype=np.int64))


def _covers(cover: Cover, chosen: Ints) -> bool:
    return len(np.unique(cover.by_site[chosen].indices)) == len(cover.weights)


def _dual(cover: Cover, value: float, *, deadline: Deadline) -> tuple[float, Floats]:
    """Return a lower bound of the number of sites, by a price that each row pays for being covered.

    With prices u >= 0 for the rows no cover has fewer sites than ``sum(u) + sum_j min(0, 1 - u(rows of j))``.
    """

    def evaluate(prices: Floats) -> tuple[float, Floats]:
        """Return bound and slope at these prices, with the sign reversed."""
        surplus = cover.by_site @ prices - 1.0
        taken = surplus > 0
        # descend lowers bounds, so every sign is reversed here
        return float(surplus[taken].sum() - prices.sum()), cover.by_row @ taken.astype(np.float64) - 1.0

    shares = (1.0 / np.diff(cover.by_site.indptr))[cover.by_row.indices]
    start = np.minimum.reduceat(shares, cover.by_row.indptr[:-1])
    effort = Effort(_STEPS, deadline, -(value - 1.0) - _ROUNDING * (1.0 + value))
    bound, prices = descend(evaluate, start, np.ones(len(start)), value=-value, effort=effort)
    return float(max(1, math.ceil(-bound - _ROUNDING * (1.0 + value)))), prices


def _from_prices(cover: Cover, prices: Floats) -> Ints:
    """Choose greedily among the sites that earn most by the prices of the rows."""
    weighted = Cover(cover.by_row, cover.by_site, prices + 1e-6)
    return without_idle(cover, lazy_greedy(weighted, cover.by_row.shape[1])[0])
