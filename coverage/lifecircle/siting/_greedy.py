"""Choose greedily for coverage: open the site that adds most, until all sites are chosen."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._cover import Cover

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


def lazy_greedy(cover: Cover, number: int, *, best: Floats | None = None) -> tuple[Ints, Floats]:
    """Choose the site that adds most weight, repeatedly; of equal ones the lowest.

    A gain never grows, so an earlier count is an upper bound: only the site that seems best is counted
    again, and chosen if it still is the best (Minoux 1978, "Accelerated greedy algorithms").

    Parameters
    ----------
    number : of sites; fewer are chosen when nothing more can be gained
    best : (site,) the gain of each site alone, where it is known

    Returns
    -------
    sites, gains : in the order chosen
    """
    indptr, indices = cover.by_site.indptr, cover.by_site.indices
    gains = cover.by_site @ cover.weights if best is None else best
    waiting = [(-gain, site) for site, gain in enumerate(gains.tolist()) if gain > 0]
    heapq.heapify(waiting)
    counted = np.zeros(len(gains), dtype=np.int64)
    open_weights = cover.weights.copy()
    chosen: list[int] = []
    added: list[float] = []
    while waiting and len(chosen) < number:
        gain, site = waiting[0]
        rows = indices[indptr[site] : indptr[site + 1]]
        # Its gain was counted after the last choice, so no other site can add more.
        if counted[site] == len(chosen):
            heapq.heappop(waiting)
            chosen.append(site)
            added.append(-gain)
            open_weights[rows] = 0.0
            continue
        counted[site] = len(chosen)
        now = float(open_weights[rows].sum())
        if now > 0:
            heapq.heapreplace(waiting, (-now, site))
        else:
            heapq.heappop(waiting)
    return np.array(chosen, dtype=np.int64), np.array(added)


def filled(chosen: Ints, number: int, worth: Floats) -> Ints:
    """Return a choice filled up to its number with the best of the other sites, lowest first among equals."""
    missing = number - len(chosen)
    if missing <= 0:
        return chosen
    rest = np.setdiff1d(np.arange(len(worth)), chosen)
    order: Any = rest[np.argsort(-worth[rest], kind="stable")]
    return np.concatenate([chosen, order[:missing]])
