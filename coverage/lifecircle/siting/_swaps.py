"""Search locally for covering: exchange one site for a better one, kick and begin again.

The same search runs in compiled loops (``_swap_kernels``) and here in arrays. It draws its random numbers
first and settles ties by the lowest site, so that with whole people both give the same sites.
The exchange is that of Teitz and Bart (1968, "Heuristic methods for estimating the generalized vertex median
of a weighted graph"); the kicks are those of iterated local search. Long searches are many short ones whose
sites are then searched alone, as tours are merged by Cook and Seymour (2003, "Tour merging via
branch-decomposition").
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from lifecircle.compiled import call
from lifecircle.siting._cover import Cover, merge_rows
from lifecircle.siting._totals import totals

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._deadline import Deadline

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

DRAWS = 14
"""Random numbers of a kick: how many sites move, three for each of up to four, and whether to go on worse."""

SEED = 20_250_101
TEMPERATURE, _COLDER = 3e-4, 1e-4
"""Share of the best value by which a kicked choice may be worse and still replace the present one.

Which of the two leads further differs from problem to problem, so every second search is colder.
"""

_WAYS, _WAY_KICKS, _MERGED_KICKS, _KEPT = 4, 500, 3000, 24
"""Searches of a round and the kicks of each; kicks among the sites of the last so many searches."""

_IDLE_ROUNDS, _IDLE_PAIRS = 2, 20_000
"""Rounds without a gain that end a long search, and one more for every so many exchanges there are."""

_NOISE = 1e-11
"""Share of all weight below which a gain is float noise."""

_PAYS_OFF_S = 2.0
"""Estimated seconds in arrays from which on loading compiled loops pays, compiling once included."""

_KERNELS = "lifecircle.siting._swap_kernels"
_BATCH = 25
"""Kicks between two checks of the clock."""


@dataclass(frozen=True, eq=False)
class Search:
    """State of a local search: the present choice and the best one so far."""

    current: Ints
    current_value: float
    best: Ints
    best_value: float


def noise(cover: Cover) -> float:
    """Return the weight below which a gain is float noise."""
    return _NOISE * (1.0 + cover.total)


def improve(  # noqa: PLR0913 - where to begin, how long to go on and what is still to come
    cover: Cover,
    chosen: Ints,
    *,
    kicks: int,
    deadline: Deadline,
    enough: float = np.inf,
    calls: int = 1,
    patience: int | None = None,
    way: int = 0,
) -> tuple[Ints, float]:
    """Improve a choice by exchanges, then by kicks and exchanges.

    Parameters
    ----------
    chosen : sites, any order
    kicks : number of times that the choice is disturbed and improved again
    enough : value at which to stop
    calls : number of searches like this one that the caller will run
    patience : kicks without a better choice after which the search ends; None: it goes on
    way : each draws other random numbers, and the odd ones are colder

    Returns
    -------
    sites, value : the best choice found, ascending, and the weight it covers
    """
    if not len(chosen) or len(chosen) == cover.by_site.shape[0] or not len(cover.weights):
        return np.sort(chosen), value_of(cover, chosen)
    passes = _compiled_passes if _is_worth_compiling(cover, chosen, calls * (kicks + 1)) else _array_passes
    # All random numbers are drawn here, so that compiled and array loops take the same ones.
    draws = np.random.default_rng(SEED + way).random((kicks, DRAWS))
    temperature = _COLDER if way % 2 else TEMPERATURE
    search = passes(cover, Search(chosen.copy(), -1.0, chosen.copy(), -1.0), draws[:0], temperature)
    last = 0
    for begin in range(0, kicks, _BATCH):
        idle = patience is not None and begin - last >= patience
        if idle or deadline.passed() or search.best_value >= enough:
            break
        before = search.best_value
        search = passes(cover, search, draws[begin : begin + _BATCH], temperature)
        last = begin if search.best_value > before else last
    return np.sort(search.best), search.best_value


def improve_long(
    cover: Cover, chosen: Ints, *, rounds: int, deadline: Deadline, enough: float = np.inf
) -> tuple[Ints, float]:
    """Improve a choice by many short searches and by searches among the sites that these chose.

    One search stays in its corner for long. Several disagree about few sites, and a problem of these alone is
    so small that its kicks cost next to nothing.

    Parameters
    ----------
    rounds : number of rounds of short searches at most
    enough : value at which to stop

    Returns
    -------
    sites, value : the best choice found, ascending, and the weight it covers
    """
    best, best_value, last = np.sort(chosen), value_of(cover, chosen), 0
    patience = _IDLE_ROUNDS + len(chosen) * cover.by_site.shape[0] // _IDLE_PAIRS
    calls, met = rounds * _WAYS, [best]
    for way in range(calls):
        if way - last >= patience * _WAYS or deadline.passed() or best_value >= enough:
            break
        words: dict[str, Any] = {"deadline": deadline, "enough": enough, "calls": calls, "way": way}
        found, value = improve(cover, chosen, kicks=_WAY_KICKS, **words)
        met = [*met[-_KEPT:], found]
        before, best, best_value = best_value, *((found, value) if value > best_value else (best, best_value))
        if way % _WAYS == _WAYS - 1:
            sites = np.unique(np.concatenate([best, *met]))
            best, best_value = improve_among(cover, sites, best, **words)
        last = way + 1 if best_value > before else last
    return best, best_value


def improve_among(  # noqa: PLR0913 - as for improve, and the sites to stay among
    cover: Cover,
    sites: Ints,
    chosen: Ints,
    *,
    deadline: Deadline,
    enough: float = np.inf,
    calls: int = 1,
    way: int = 0,
) -> tuple[Ints, float]:
    """Improve a choice by kicks and exchanges among some sites alone: two searches, one of them colder.

    Parameters
    ----------
    sites : ascending, those of the choice among them
    chosen, deadline, enough, calls, way : as for :func:`improve`

    Returns
    -------
    sites, value : the best choice found, ascending, and the weight it covers
    """
    best, best_value = np.sort(chosen), value_of(cover, chosen)
    rows, weights, _ = merge_rows(csr_array(cover.by_row[:, sites]), cover.weights)
    part, start = Cover.of(rows, weights), np.searchsorted(sites, best)
    words: dict[str, Any] = {"kicks": _MERGED_KICKS, "deadline": deadline, "enough": enough, "calls": calls}
    for turn in range(2):
        found, value = improve(part, start, way=way + turn, **words)
        if value > best_value:
            best, best_value = sites[found], value
    return best, best_value


def value_of(cover: Cover, chosen: Ints) -> float:
    """Return the weight of the rows that a choice covers."""
    if not len(chosen):
        return 0.0
    covered = np.zeros(len(cover.weights), dtype=np.bool_)
    covered[cover.by_site[np.sort(chosen)].indices] = True
    return float(cover.weights[covered].sum())


def _is_worth_compiling(cover: Cover, chosen: Ints, climbs: int) -> bool:
    engine = os.environ.get("LIFECIRCLE_ENGINE")
    if engine == "scipy" or importlib.util.find_spec("numba") is None:
        return False
    if engine == "ring" or _KERNELS in sys.modules:
        return True
    sites, rows = cover.by_site.shape
    looked_at = (cover.by_row.nnz / sites) * (cover.by_row.nnz / rows)
    estimate_s = climbs * 5 * len(chosen) * (4e-5 + 1e-8 * looked_at + 2e-9 * sites)
    return bool(estimate_s > _PAYS_OFF_S)


def _compiled_passes(cover: Cover, search: Search, draws: Floats, temperature: float) -> Search:
    kernels = importlib.import_module(_KERNELS)
    sides = kernels.Sides(
        site_ptr=cover.by_site.indptr.astype(np.int64),
        rows=cover.by_site.indices.astype(np.int32),
        row_ptr=cover.by_row.indptr.astype(np.int64),
        sites=cover.by_row.indices.astype(np.int32),
        weights=cover.weights,
    )
    current, best = search.current.copy(), search.best.copy()
    values = np.array([search.current_value, search.best_value])
    call(kernels.search, sides, current, best, values, draws, noise(cover), temperature)
    return Search(current, float(values[0]), best, float(values[1]))


def _array_passes(cover: Cover, search: Search, draws: Floats, temperature: float) -> Search:
    state = _State(cover, search.current)
    current_value, best, best_value = search.current_value, search.best, search.best_value
    if current_value < 0:
        state.exchange()
        current_value = best_value = state.value()
        best = state.chosen.copy()
    for draw in draws:
        before = state.saved()
        state.kick(draw)
        state.exchange()
        value = state.value()
        if value > best_value + noise(cover):
            best, best_value = state.chosen.copy(), value
        # The same rule, numbers and order as in the compiled search, so that both give the same sites.
        worse = (value - current_value) / (temperature * max(best_value, 1e-300))
        if value >= current_value or draw[DRAWS - 1] < np.exp(worse):
            current_value = value
        else:
            state.restore(before)
    return Search(state.chosen.copy(), current_value, best, best_value)


class _State:
    """A choice while it is searched: how often each row is covered, and what each site would add."""

    def __init__(self, cover: Cover, chosen: Ints) -> None:
        self.cover = cover
        self.chosen = chosen.astype(np.int64)
        self.is_open = np.zeros(cover.by_site.shape[0], dtype=np.bool_)
        self.is_open[chosen] = True
        self.times = np.asarray(cover.by_row @ self.is_open.astype(np.float64)).astype(np.int64)
        self.add = np.asarray(cover.by_site @ np.where(self.times == 0, cover.weights, 0.0))

    def saved(self) -> tuple[Ints, npt.NDArray[np.bool_], Ints, Floats]:
        """Return copies of everything that an exchange changes."""
        return self.chosen.copy(), self.is_open.copy(), self.times.copy(), self.add.copy()

    def restore(self, before: tuple[Ints, npt.NDArray[np.bool_], Ints, Floats]) -> None:
        """Restore what :meth:`saved` returned."""
        self.chosen, self.is_open, self.times, self.add = before

    def value(self) -> float:
        """Return the weight that is covered."""
        return float(self.cover.weights[self.times > 0].sum())

    def rows_of(self, site: int) -> npt.NDArray[np.int32]:
        """Return the rows that a site covers."""
        pointers = self.cover.by_site.indptr
        rows: npt.NDArray[np.int32] = self.cover.by_site.indices[pointers[site] : pointers[site + 1]]
        return rows

    def spread(self, rows: npt.NDArray[np.int32]) -> Floats:
        """Return, for every site, the weight it covers of some rows."""
        part = self.cover.by_row[rows]
        weights = np.repeat(self.cover.weights[rows], np.diff(part.indptr))
        return totals(part.indices, weights, len(self.is_open))

    def move(self, place: int, site: int) -> None:
        """Close the site at a position of the choice and open another there."""
        gone = self.chosen[place]
        rows = self.rows_of(gone)
        self.times[rows] -= 1
        self.add += self.spread(rows[self.times[rows] == 0])
        rows = self.rows_of(site)
        self.times[rows] += 1
        self.add -= self.spread(rows[self.times[rows] == 1])
        self.is_open[gone], self.is_open[site] = False, True
        self.chosen[place] = site

    def exchange(self) -> None:
        """Exchange one site after another for the one that gains most, until none gains."""
        least, since, place = noise(self.cover), 0, 0
        while since < len(self.chosen):
            rows = self.rows_of(self.chosen[place])
            alone = rows[self.times[rows] == 1]
            loss = float(self.cover.weights[alone].sum())
            gain = self.add + self.spread(alone) - loss
            gain[self.is_open] = -np.inf
            site = int(np.argmax(gain))
            since += 1
            if gain[site] > least:
                self.move(place, site)
                since = 0
            place = (place + 1) % len(self.chosen)

    def kick(self, draw: Floats) -> None:
        """Move up to four sites, each to a neighbour or anywhere, as the random numbers decide."""
        by_row = self.cover.by_row
        for turn in range(min(2 + int(draw[0] * 3), len(self.chosen))):
            where, near, which = draw[1 + 3 * turn], draw[2 + 3 * turn], draw[3 + 3 * turn]
            place = int(where * len(self.chosen))
            rows = self.rows_of(self.chosen[place])
            if near < 0.5 and len(rows):
                row = rows[int(2 * near * len(rows))]
            else:
                row = int((2 * near) % 1.0 * len(self.times))
            sites = by_row.indices[by_row.indptr[row] : by_row.indptr[row + 1]]
            site = int(sites[int(which * len(sites))])
            if not self.is_open[site]:
                self.move(place, site)
