"""Run the local search for p_median in compiled loops; what is searched is described in ``_median``.

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
    Table = npt.NDArray[np.float64]


class Lists(NamedTuple):
    """The sites of each row, the cheapest first.

    Those of row i are ``site[ptr[i]:ptr[i + 1]]``, ``cost`` beside them; ``fixed`` (row,) is charged where
    none of them is open.
    """

    ptr: Longs
    site: Labels
    cost: Floats
    fixed: Floats


class Reach(NamedTuple):
    """The rows of each site: those of site j are ``row[ptr[j]:ptr[j + 1]]``, ``cost`` beside them."""

    ptr: Longs
    row: Labels
    cost: Floats


class State(NamedTuple):
    """A choice while it is searched.

    ``chosen`` (place,); ``place`` (site,) where a site stands in it, -1 closed, -2 not to be chosen.
    ``gain`` (site,), ``loss`` (place,) and ``extra`` (place, site) are what :func:`count` adds up;
    ``least`` and ``second`` (row,) the costs of the two nearest open sites. ``changed`` (row,) is free.
    """

    chosen: Longs
    place: Longs
    gain: Floats
    loss: Floats
    extra: Table
    least: Floats
    second: Floats
    changed: Longs


@part
def count(lists: Lists, state: State, row: np.integer[Any] | int, sign: float) -> None:
    """Add (1) or take away (-1) what a row says of each site: what it would save, or is needed for.

    An exchange saves ``gain - loss + extra``: the last is what the first two count twice (Resende and
    Werneck 2007, "A fast swap-based local search procedure for location problems").
    """
    first = -1
    least = lists.fixed[row]
    second = least
    # Beyond the second open site of a row no exchange changes anything for it.
    stop = lists.ptr[row + 1]
    for k in range(lists.ptr[row], lists.ptr[row + 1]):
        at = state.place[lists.site[k]]
        if at >= 0:
            if first >= 0:
                second = lists.cost[k]
                stop = k
                break
            first = at
            least = lists.cost[k]
    state.least[row], state.second[row] = least, second
    if first >= 0:
        state.loss[first] += sign * (second - least)
    for k in range(lists.ptr[row], stop):
        site = lists.site[k]
        cost = lists.cost[k]
        if cost < least:
            state.gain[site] += sign * (least - cost)
            cost = least
        if first >= 0:
            state.extra[first, site] += sign * (second - cost)


@part
def begin(lists: Lists, state: State) -> None:
    """Count every row again."""
    state.gain[:] = 0.0
    state.loss[:] = 0.0
    state.extra[:, :] = 0.0
    for row in range(len(lists.fixed)):
        count(lists, state, row, 1.0)


@kernel
def earn(lists: Lists, prices: Floats, scores: Floats) -> None:
    """Add up in ``scores`` (site,) what each site earns from rows that pay more than it costs them."""
    for row in range(len(prices)):
        for k in range(lists.ptr[row], lists.ptr[row + 1]):
            if lists.cost[k] >= prices[row]:
                break
            scores[lists.site[k]] += prices[row] - lists.cost[k]


@kernel
def serve(lists: Lists, prices: Floats, chosen: Bools, served: Longs) -> None:
    """Count in ``served`` (row,) the chosen sites that cost a row less than it pays."""
    for row in range(len(prices)):
        for k in range(lists.ptr[row], lists.ptr[row + 1]):
            if lists.cost[k] >= prices[row]:
                break
            if chosen[lists.site[k]]:
                served[row] += 1


@part
def move(lists: Lists, reach: Reach, state: State, at: int, site: np.integer[Any] | int) -> None:
    """Close the site at a position of the choice and open another there."""
    gone, many = state.chosen[at], 0
    for side in (gone, site):
        for k in range(reach.ptr[side], reach.ptr[side + 1]):
            row = reach.row[k]
            # Only a row of whose two nearest sites one goes or comes counts otherwise than before; one that
            # is taken away already has a second cost below every cost.
            if reach.cost[k] <= state.second[row]:
                count(lists, state, row, -1.0)
                state.second[row] = -1.0
                state.changed[many] = row
                many += 1
    state.place[gone] = -1
    state.place[site] = at
    state.chosen[at] = site
    for i in range(many):
        count(lists, state, state.changed[i], 1.0)


@part
def climb(lists: Lists, reach: Reach, state: State, least: float) -> float:
    """Make the best exchange until none saves more than ``least``; return the sum."""
    while True:
        out, into, best = -1, -1, least
        for at in range(len(state.chosen)):
            loss = state.loss[at]
            for site in range(len(state.place)):
                saved = state.gain[site] - loss + state.extra[at, site]
                if saved > best and state.place[site] == -1:
                    out, into, best = at, site, saved
        if out < 0:
            return float(state.least.sum())
        move(lists, reach, state, out, into)


@part
def kick(lists: Lists, reach: Reach, state: State, draw: Floats) -> None:
    """Move up to four sites, each to where a row of its neighbourhood or any row finds one."""
    for turn in range(min(2 + int(draw[0] * 3), len(state.chosen))):
        at = int(draw[1 + 3 * turn] * len(state.chosen))
        row = int(draw[2 + 3 * turn] * len(lists.fixed))
        first, many = lists.ptr[row], lists.ptr[row + 1] - lists.ptr[row]
        if many > 0:
            # To the third power: nearer sites are tried more often.
            share = draw[3 + 3 * turn]
            site = np.int64(lists.site[first + int(share * share * share * many)])
            if state.place[site] == -1:
                move(lists, reach, state, at, site)


@kernel
def search(  # noqa: PLR0913, PLR0917 - bare arrays of a compiled loop
    lists: Lists,
    reach: Reach,
    free: Longs,
    current: Longs,
    best: Longs,
    values: Floats,
    draws: Floats,
    least: float,
    temperature: float,
    sites: int,
) -> None:
    """Continue a search for as many kicks as there are draws.

    ``current``, ``best`` and ``values`` (their sums; negative: climb once before the first kick) are read
    and written. ``free`` are the sites that may be chosen, of ``sites``.
    """
    place = np.full(sites, -2, dtype=np.int64)
    for site in free:
        place[site] = -1
    for at in range(len(current)):
        place[current[at]] = at
    size = len(current)
    rows = len(lists.fixed)
    state = State(
        current.copy(),
        place,
        np.zeros(sites),
        np.zeros(size),
        np.zeros((size, sites)),
        np.zeros(rows),
        np.zeros(rows),
        np.zeros(rows, dtype=np.int64),
    )
    begin(lists, state)
    if values[0] < 0:
        values[:] = climb(lists, reach, state, least)
        current[:] = state.chosen
        best[:] = state.chosen
    place, gain, loss = state.place.copy(), state.gain.copy(), state.loss.copy()
    extra, nearest, second = state.extra.copy(), state.least.copy(), state.second.copy()
    for turn in range(len(draws)):
        kick(lists, reach, state, draws[turn])
        value = climb(lists, reach, state, least)
        if value < values[1] - least:
            values[1] = value
            best[:] = state.chosen
        # A little worse is accepted at times, as in the search for covering.
        worse = (values[0] - value) / (temperature * max(values[1], 1e-300))
        if value <= values[0] or draws[turn, -1] < np.exp(worse):
            values[0] = value
            current[:] = state.chosen
            place[:], gain[:], loss[:], extra[:, :] = state.place, state.gain, state.loss, state.extra
            nearest[:], second[:] = state.least, state.second
        else:
            state.chosen[:] = current
            state.place[:], state.gain[:], state.loss[:], state.extra[:, :] = place, gain, loss, extra
            state.least[:], state.second[:] = nearest, second
