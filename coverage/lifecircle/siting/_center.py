"""Solve p_center: the least largest cost, everyone served by the nearest open site.

The largest cost is one of the costs. For each of them the question is: can so many sites cover everyone
within it? The search halves the range between yes and no until one cost is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from lifecircle.errors import say
from lifecircle.siting._certificate import Found, none_found
from lifecircle.siting._cover import Cover, keep_rows
from lifecircle.siting._dominance import reduce_full_cover
from lifecircle.siting._full_cover import fewest
from lifecircle.siting._greedy import filled, lazy_greedy
from lifecircle.siting._local_search import set_reaching_all
from lifecircle.siting._rules import rules_of, solve_rules

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]


def solve_center(costs: csr_array, weights: Floats, choice: Choice, *, deadline: Deadline) -> Found:
    """Find the set whose largest cost of any row with weight is least.

    Parameters
    ----------
    costs : csr (row, site), a stored zero a pair, what is absent unreachable
    choice : any

    Returns
    -------
    found : the set, and the largest cost that no allowed set goes below

    References
    ----------
    Minieka, E. (1970). The m-center problem. SIAM Review 12(1): the largest cost by a sequence of coverings.
    """
    used = csr_array(costs[np.flatnonzero(weights > 0)])
    levels = np.unique(used.data)
    # Costs become their rank: the answer is one of them, so the search is over whole numbers.
    place = np.searchsorted(levels, used.data)
    is_open, impossible = _cover_within(used, place, len(levels) - 1, choice, deadline=deadline)
    if is_open is None and not impossible:
        is_open, impossible = set_reaching_all(used, choice, deadline=deadline)
    if is_open is None:
        return none_found(say("no allowed set of sites reaches everyone"), proved=impossible)
    # A good set first: every level above what it leaves needs no proof, which is most of the range.
    is_open = _greedily(used, place, choice, is_open, deadline=deadline.share(0.3))
    # all levels under `below` are proved too small, `above` is known to do; open questions stay between
    below, above = _least_level(used, place, choice), _level_of(used, place, is_open)
    left_open: set[int] = set()
    while below < above:
        middle = (below + above) // 2
        # A level whose question ran out of time says nothing: another level may still move one of the bounds.
        untried = [level for level in _spiral(middle, below, above) if level not in left_open]
        if not untried or deadline.passed():
            break
        found, impossible = _cover_within(used, place, untried[0], choice, deadline=deadline.share(0.5))
        if found is not None:
            is_open = found
            above = min(above, _level_of(used, place, is_open))
        # Nothing covers everyone within this level, so neither within any smaller one.
        elif impossible:
            below = untried[0] + 1
        else:
            left_open.add(untried[0])
    return Found(is_open, float(levels[below]) if len(levels) else 0.0)


def _greedily(used: csr_array, place: Ints, choice: Choice, is_open: Bools, *, deadline: Deadline) -> Bools:
    """Lower the largest cost as far as greedy covers do, which is fast and proves nothing."""
    if not choice.is_plain:
        return is_open
    below, above = _least_level(used, place, choice), _level_of(used, place, is_open)
    while below < above and not deadline.passed():
        middle = (below + above) // 2
        left = _left_within(used, place, middle, choice)
        cover = Cover.of(left, np.ones(left.shape[0]))
        chosen, gains = lazy_greedy(cover, choice.wanted)
        if gains.sum() < left.shape[0]:
            below = middle + 1
            continue
        is_open = choice.base()
        worth = np.asarray(left.sum(axis=0)).ravel()
        is_open[choice.free[filled(chosen, choice.wanted, worth)]] = True
        above = min(middle, _level_of(used, place, is_open))
    return is_open


def _spiral(middle: int, below: int, above: int) -> list[int]:
    """Return the level in the middle, then others near it to try where its question stays open."""
    span = above - below
    others = (middle, below + span // 4, below + 3 * span // 4, below, above - 1)
    return [level for level in dict.fromkeys(others) if below <= level < above]


def _least_level(used: csr_array, place: Ints, choice: Choice) -> int:
    """Return the level below which some row reaches no site at all."""
    allowed = choice.base()
    allowed[choice.variable] = True
    row = np.repeat(np.arange(used.shape[0]), np.diff(used.indptr))
    able = allowed[used.indices]
    least = np.full(used.shape[0], 0, dtype=np.int64)
    least[:] = np.iinfo(np.int64).max
    np.minimum.at(least, row[able], place[able])
    return int(least.max(initial=0))


def _level_of(used: csr_array, place: Ints, is_open: Bools) -> int:
    """Return the level of the largest cost that a set leaves."""
    row = np.repeat(np.arange(used.shape[0]), np.diff(used.indptr))
    able = is_open[used.indices]
    least = np.full(used.shape[0], np.iinfo(np.int64).max)
    np.minimum.at(least, row[able], place[able])
    return int(least.max(initial=0))


def _cover_within(
    used: csr_array, place: Ints, level: int, choice: Choice, *, deadline: Deadline
) -> tuple[Bools | None, bool]:
    """Look for a set that covers everyone within a level.

    Returns
    -------
    is_open, impossible : the set or None, and whether it is proved that there is none
    """
    if not choice.is_plain:
        return _allowed_within(_within(used, place, level), choice, deadline=deadline)
    left = _left_within(used, place, level, choice)
    # A row without any site within the level: no set can do, and no solver is needed.
    if left.shape[0] and int(np.diff(left.indptr).min()) == 0:
        return None, True
    rows, sites = reduce_full_cover(left)
    chosen, bound = fewest(rows, deadline=deadline, most=choice.wanted)
    if len(chosen) > choice.wanted:
        return None, bound > choice.wanted
    is_open = choice.base()
    worth = np.asarray(left.sum(axis=0)).ravel()
    is_open[choice.free[filled(sites[chosen], choice.wanted, worth)]] = True
    return is_open, False


def _within(used: csr_array, place: Ints, level: int) -> csr_array:
    """Return the pairs within a level, as ones."""
    row = np.repeat(np.arange(used.shape[0]), np.diff(used.indptr))
    near = place <= level
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[near], minlength=used.shape[0]))])
    return csr_array((np.ones(int(near.sum())), used.indices[near], indptr), shape=used.shape)


def _left_within(used: csr_array, place: Ints, level: int, choice: Choice) -> csr_array:
    """Return the rows that no always open site reaches within a level, and the free sites that do."""
    within = _within(used, place, level)
    rest = np.flatnonzero(np.asarray(within @ choice.base().astype(np.float64)) == 0)
    left = csr_array(keep_rows(within, rest)[:, choice.free])
    left.sort_indices()
    return left


def _allowed_within(within: csr_array, choice: Choice, *, deadline: Deadline) -> tuple[Bools | None, bool]:
    """Find a set that meets all conditions and covers every row, as the set that covers the most rows."""
    rows = within.shape[0]
    everyone = np.arange(rows)
    rules = rules_of(
        within,
        np.ones(rows, dtype=np.int64),
        everyone,
        np.ones(rows),
        choice,
        group=np.full(rows, -1, dtype=np.int64),
        groups=0,
    )
    found = solve_rules(rules, choice, deadline=deadline)
    if found.is_open is None:
        return None, False  # another check finds whether any set is allowed
    covered = np.asarray(within @ found.is_open.astype(np.float64)) > 0
    return (found.is_open, False) if covered.all() else (None, found.bound < rows - 0.5)
