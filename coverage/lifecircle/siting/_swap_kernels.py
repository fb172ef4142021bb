"""Run the local search for covering in compiled loops; the search itself is described in ``_swaps``.

Importing this module imports numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lifecircle.compiled import kernel, part

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]
    Labels = npt.NDArray[np.int32]
    Bools = npt.NDArray[np.bool_]


class Sides(NamedTuple):
    """Which site covers which row, indexed from both sides, and the weight of each row.

    The rows of site j are ``rows[site_ptr[j]:site_ptr[j + 1]]``, the sites of row i
    ``sites[row_ptr[i]:row_ptr[i + 1]]``.
    """

    site_ptr: Longs
    rows: Labels
    row_ptr: Longs
    sites: Labels
    weights: Floats


class State(NamedTuple):
    """A choice while it is searched.

    ``chosen`` (place,), ``is_open`` and ``add`` (site,), ``times`` (row,); ``extra`` (site,) is zero and
    ``touched`` (site,) free between two calls.
    """

    chosen: Longs
    is_open: Bools
    times: Longs
    add: Floats
    extra: Floats
    touched: Longs


@part
def fill(sides: Sides, state: State) -> None:
    """Count how often each row is covered and what each site would add."""
    state.is_open[:] = False
    state.times[:] = 0
    state.add[:] = 0.0
    for site in state.chosen:
        state.is_open[site] = True
        for k in range(sides.site_ptr[site], sides.site_ptr[site + 1]):
            state.times[sides.rows[k]] += 1
    for row in range(len(state.times)):
        if state.times[row] == 0:
            for q in range(sides.row_ptr[row], sides.row_ptr[row + 1]):
                state.add[sides.sites[q]] += sides.weights[row]


@part
def value_of(sides: Sides, state: State) -> float:
    """Return the weight of the rows that are covered."""
    total = 0.0
    for row in range(len(state.times)):
        if state.times[row] > 0:
            total += sides.weights[row]
    return total


@part
def move(sides: Sides, state: State, place: int, site: np.integer[Any] | int) -> None:
    """Close the site at a position of the choice and open another there."""
    gone = state.chosen[place]
    for k in range(sides.site_ptr[gone], sides.site_ptr[gone + 1]):
        row = sides.rows[k]
        state.times[row] -= 1
        if state.times[row] == 0:
            for q in range(sides.row_ptr[row], sides.row_ptr[row + 1]):
                state.add[sides.sites[q]] += sides.weights[row]
    for k in range(sides.site_ptr[site], sides.site_ptr[site + 1]):
        row = sides.rows[k]
        state.times[row] += 1
        if state.times[row] == 1:
            for q in range(sides.row_ptr[row], sides.row_ptr[row + 1]):
                state.add[sides.sites[q]] -= sides.weights[row]
    state.is_open[gone] = False
    state.is_open[site] = True
    state.chosen[place] = site


@part
def adds_most(state: State) -> np.int64:
    """Return the closed site that adds most, the lowest of equal ones."""
    best, most = np.int64(0), -np.inf
    for site in range(len(state.add)):
        if not state.is_open[site] and state.add[site] > most:
            best, most = np.int64(site), state.add[site]
    return best


@part
def exchange(sides: Sides, state: State, least: float) -> None:  # noqa: C901 - one search in one piece
    """Exchange one site after another for the one that gains most, until none gains more than ``least``."""
    since, place, top = 0, 0, adds_most(state)
    # Ends after one full round without a gain: then no exchange of one site improves the choice.
    while since < len(state.chosen):
        gone = state.chosen[place]
        loss, many = 0.0, 0
        for k in range(sides.site_ptr[gone], sides.site_ptr[gone + 1]):
            row = sides.rows[k]
            # Only rows that no other open site covers are lost, and only the sites near them can win them
            # back.
            if state.times[row] == 1:
                weight = sides.weights[row]
                loss += weight
                for q in range(sides.row_ptr[row], sides.row_ptr[row + 1]):
                    site = sides.sites[q]
                    if state.extra[site] == 0.0:
                        state.touched[many] = site
                        many += 1
                    state.extra[site] += weight
        # Of the sites that win nothing back the one that adds most is the best for every place; of equal ones
        # the lowest.
        best, best_gain = top, state.add[top] + state.extra[top] - loss
        for k in range(many):
            site = state.touched[k]
            if not state.is_open[site]:
                gain = state.add[site] + state.extra[site] - loss
                if gain > best_gain or (gain == best_gain and site < best):
                    best, best_gain = site, gain
        for k in range(many):
            state.extra[state.touched[k]] = 0.0
        since += 1
        if best_gain > least:
            move(sides, state, place, best)
            since, top = 0, adds_most(state)
        place = (place + 1) % len(state.chosen)


@part
def kick(sides: Sides, state: State, draw: Floats) -> None:
    """Move up to four sites, each to a neighbour or anywhere, as the random numbers decide."""
    for turn in range(min(2 + int(draw[0] * 3), len(state.chosen))):
        where, near, which = draw[1 + 3 * turn], draw[2 + 3 * turn], draw[3 + 3 * turn]
        place = int(where * len(state.chosen))
        site = state.chosen[place]
        first, many = sides.site_ptr[site], sides.site_ptr[site + 1] - sides.site_ptr[site]
        if near < 0.5 and many > 0:
            row = np.int64(sides.rows[first + int(2 * near * many)])
        else:
            row = np.int64((2 * near) % 1.0 * len(state.times))
        first, many = sides.row_ptr[row], sides.row_ptr[row + 1] - sides.row_ptr[row]
        other = np.int64(sides.sites[first + int(which * many)])
        if not state.is_open[other]:
            move(sides, state, place, other)


@kernel
def search(  # noqa: PLR0913, PLR0917 - bare arrays of a compiled loop
    sides: Sides,
    current: Longs,
    best: Longs,
    values: Floats,
    draws: Floats,
    least: float,
    temperature: float,
) -> None:
    """Continue a search for as many kicks as there are draws.

    ``current``, ``best`` and ``values`` (the two values; negative: exchange once before the first kick) are
    read and written.
    """
    sites, rows = len(sides.site_ptr) - 1, len(sides.row_ptr) - 1
    state = State(
        current.copy(),
        np.zeros(sites, dtype=np.bool_),
        np.zeros(rows, dtype=np.int64),
        np.zeros(sites),
        np.zeros(sites),
        np.zeros(sites, dtype=np.int64),
    )
    fill(sides, state)
    if values[0] < 0:
        exchange(sides, state, least)
        values[:] = value_of(sides, state)
        best[:] = state.chosen
    chosen, is_open = state.chosen.copy(), state.is_open.copy()
    times, add = state.times.copy(), state.add.copy()
    for turn in range(len(draws)):
        kick(sides, state, draws[turn])
        exchange(sides, state, least)
        value = value_of(sides, state)
        if value > values[1] + least:
            values[1] = value
            best[:] = state.chosen
        # A little worse is accepted at times, as in simulated annealing; otherwise the search would stay
        # where it is.
        worse = (value - values[0]) / (temperature * max(values[1], 1e-300))
        if value >= values[0] or draws[turn, -1] < np.exp(worse):
            values[0] = value
            chosen[:], is_open[:], times[:], add[:] = state.chosen, state.is_open, state.times, state.add
        else:
            state.chosen[:], state.is_open[:], state.times[:], state.add[:] = chosen, is_open, times, add
    current[:] = state.chosen
