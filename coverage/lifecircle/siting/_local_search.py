"""Search locally for any objective and any condition; not compute the value of a set of sites.

The fast search for plain covering is in ``_swaps``. Here the gain of additions and exchanges comes from an
objective (:class:`Worth`), and which of them are allowed from a :class:`Choice`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_BEST_S, _OVERTIME_S = 1.0, 60.0
_INFEASIBLE = 2
"""Status of scipy's milp."""

_SEED = 20_250_102
_NOISE = 1e-10
_TRIED = 3
"""Exchanges that are tried, the best first, before a set counts as a local optimum."""


class Start(NamedTuple):
    """A first set: None where none was found, and whether it is proved that there is none."""

    is_open: Bools | None
    impossible: bool


class Worth(Protocol):
    """The value of a set of sites; more is better."""

    def value(self, is_open: Bools) -> float:
        """Return the value of a set (site,)."""

    def gains(self, is_open: Bools) -> Floats:
        """Return what each site would add: (site,); not defined for open sites."""

    def swap_gains(self, is_open: Bools, outs: Ints, ins: Ints) -> Floats:
        """Return what each exchange would add: (out, in)."""


def first_set(worth: Worth, choice: Choice, *, likes: Callable[[Bools], Floats], deadline: Deadline) -> Start:
    """Choose an allowed set greedily.

    ``likes`` returns, for a set, the score of each further site: (site,).
    """
    is_open = choice.start()
    # Closures are exact in number and cost worth; those that cost least come first, before sites are added.
    for _ in range(choice.closures):
        staying = choice.closable[is_open[choice.closable]]
        values = []
        for site in staying:
            is_open[site] = False
            values.append(worth.value(is_open))
            is_open[site] = True
        is_open[staying[int(np.argmax(values))]] = False
    many = len(choice.free) if choice.count is None else choice.wanted
    for _ in range(many):
        able = choice.additions(is_open)
        if not len(able):
            break
        scores = likes(is_open)[able]
        # Without a fixed number a site that adds nothing is not built.
        if choice.count is None and scores.max() <= 0:
            break
        is_open[able[int(np.argmax(scores))]] = True
    if choice.allows(is_open):
        return Start(is_open, impossible=False)
    return any_set(choice, likes(choice.base()), deadline=deadline)


def any_set(
    choice: Choice, scores: Floats, *, deadline: Deadline, must: tuple[csr_array, Floats] | None = None
) -> Start:
    """Find an allowed set of sites with high scores by integer programming.

    This is for conditions under which a greedy choice ends in a set that is not allowed. A plan must be
    returned even when the time is up, so this may take ``_OVERTIME_S`` more.

    Parameters
    ----------
    scores : (site,) score of each site
    must : a table (row, variable site) and how many sites each row needs
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - seldom needed

    variable, rows = choice.variable, choice.rows()
    is_open = choice.base()
    needs_more = must is not None and bool(np.any(must[1] > 0))
    if not len(variable):
        allowed = choice.allows(is_open) and not needs_more
        return Start(is_open if allowed else None, impossible=not allowed)
    scale = float(np.abs(scores[variable]).max()) or 1.0
    conditions = []
    if len(rows.lower):
        conditions.append(LinearConstraint(rows.matrix.tocsr(), rows.lower, rows.upper))
    if must is not None:
        conditions.append(LinearConstraint(must[0], must[1], np.inf))
    # First the sites with the highest scores; if the time is not enough for that, any allowed set.
    for cost, time_s in (
        (-scores[variable] / scale, max(_BEST_S, 0.2 * deadline.left())),
        (np.zeros(len(variable)), _OVERTIME_S),
    ):
        answer = milp(
            cost,
            constraints=conditions,
            bounds=Bounds(0, 1),
            integrality=np.ones(len(variable)),
            options={"time_limit": time_s, "mip_rel_gap": 0.01},
        )
        if answer.x is not None:
            is_open[variable] = answer.x > 0.5
            return Start(is_open if choice.allows(is_open) else None, impossible=False)
        if answer.status == _INFEASIBLE:
            return Start(None, impossible=True)
    return Start(None, impossible=False)


def set_reaching_all(by_row: csr_array, choice: Choice, *, deadline: Deadline) -> Start:
    """Find an allowed set that has a site of each row: csr (row, site)."""
    base = choice.base()
    row = np.repeat(np.arange(by_row.shape[0]), np.diff(by_row.indptr))
    served = np.bincount(row[base[by_row.indices]], minlength=by_row.shape[0]) > 0
    left = csr_array(by_row[np.flatnonzero(~served)][:, choice.variable])
    table = csr_array((np.ones(len(left.indices)), left.indices, left.indptr), shape=left.shape)
    worth = np.bincount(by_row.indices, minlength=choice.size).astype(np.float64)
    return any_set(choice, worth, must=(table, np.ones(table.shape[0])), deadline=deadline)


def local_search(  # noqa: PLR0913 - where to begin, what is allowed and when to stop
    worth: Worth, choice: Choice, is_open: Bools, *, kicks: int, deadline: Deadline, enough: float = np.inf
) -> tuple[Bools, float]:
    """Improve an allowed set by additions and exchanges, then by kicks and again.

    Parameters
    ----------
    kicks : number of times that two or three sites are exchanged at random and the set is improved again
    enough : value at which to stop

    Returns
    -------
    is_open, value : the best set found and its value
    """
    # Even with no time left the set is improved once: the plan of a call with 0 seconds is greedy at worst.
    current = _climbed(worth, choice, is_open, deadline)
    best, best_value = current, worth.value(current)
    current_value = best_value
    # Drawn before the search with a fixed seed, so that the clock decides only how many of them are used.
    draws = np.random.default_rng(_SEED).random((kicks, 4))
    for draw in draws:
        if best_value >= enough or deadline.passed():
            break
        kicked = current.copy()
        for turn in range(2 + int(draw[0] * 2)):
            outs, ins, allowed = choice.exchanges(kicked)
            pairs = np.flatnonzero(allowed)
            if not len(pairs):
                break
            pair = pairs[int(draw[1 + turn] * len(pairs))]
            kicked[outs[pair // len(ins)]] = False
            kicked[ins[pair % len(ins)]] = True
        kicked = _climbed(worth, choice, kicked, deadline)
        value = worth.value(kicked)
        # Going on from a set of equal worth leads off flat ground, where no exchange gains.
        if value >= current_value:
            current, current_value = kicked, value
        if value > best_value + _NOISE * (1.0 + abs(best_value)):
            best, best_value = kicked, value
    return best, best_value


def _climbed(worth: Worth, choice: Choice, is_open: Bools, deadline: Deadline) -> Bools:
    """Add and exchange, the best first, until nothing gains.

    Gains may be estimates: a set replaces the present one only when its computed value is higher.
    """
    is_open, value = is_open.copy(), worth.value(is_open)
    while not deadline.passed():
        least = _NOISE * (1.0 + abs(value))
        tried = _additions(worth, choice, is_open, least) + _exchanges(worth, choice, is_open, least)
        for changed in tried:
            now = worth.value(changed)
            if now > value + least:
                is_open, value = changed, now
                break
        else:
            break
    return is_open


def _additions(worth: Worth, choice: Choice, is_open: Bools, least: float) -> list[Bools]:
    """Return the set with one site more, where the number of sites is free."""
    if choice.count is not None:
        return []
    able = choice.additions(is_open)
    gains = worth.gains(is_open)[able]
    if not len(able) or gains.max() <= least:
        return []
    more = is_open.copy()
    more[able[int(np.argmax(gains))]] = True
    return [more]


def _exchanges(worth: Worth, choice: Choice, is_open: Bools, least: float) -> list[Bools]:
    """Return the sets that the best exchanges lead to, the best first."""
    outs, ins, allowed = choice.exchanges(is_open)
    if not allowed.any():
        return []
    gains = np.where(allowed, worth.swap_gains(is_open, outs, ins), -np.inf).ravel()
    changed = []
    # Several are returned, because gains may be estimates and the best one may turn out to gain nothing.
    for pair in np.argsort(-gains, kind="stable")[:_TRIED]:
        if gains[pair] <= least:
            break
        other = is_open.copy()
        other[outs[pair // len(ins)]] = False
        other[ins[pair % len(ins)]] = True
        changed.append(other)
    return changed
