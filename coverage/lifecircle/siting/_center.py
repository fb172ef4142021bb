"""Solve p_center: the least largest cost, everyone served by the nearest open site.

The largest cost is one of the costs. For each of them the question is: can so many sites cover everyone
within it? The search halves the range between yes and no until one cost is left. A question is asked for few
rows only, those that earlier answers left out: where no set covers even these, none covers everyone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from lifecircle.errors import say
from lifecircle.siting._certificate import Found, none_found
from lifecircle.siting._cover import Cover, keep_rows, ones
from lifecircle.siting._dominance import reduce_full_cover
from lifecircle.siting._full_cover import fewest
from lifecircle.siting._local_search import set_reaching_all
from lifecircle.siting._rule_solver import solve_rules
from lifecircle.siting._rules import rules_of
from lifecircle.siting._swaps import improve

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_NOWHERE = np.iinfo(np.int64).max
"""Rank of a row that no open site reaches."""

_FIRST_SHARE, _LONGER = 0.03, 3.0
"""Share of the time for a question at most in the first round, and by how much the next round is longer."""

_MENDING, _TURNS, _PATIENCE = 0.5, 3000, 300
"""Share of the time of a question for mending an earlier set, and how often it is tried: at most, and
without fewer rows left out."""

_PARTS = 64
"""Parts of the levels in doubt of which none is looked into alone in one round."""

_TOGETHER = 40
"""Rows that are added at a time."""

_AT_FIRST = 400
"""Rows of the first question, evenly spread in their order."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """Costs replaced by their rank among all costs, read from both sides.

    Attributes
    ----------
    by_row, by_site : csr (row, site) and (site, row) int64
    levels : the costs in ascending order
    choice : the sets that may be chosen
    """

    by_row: csr_array
    by_site: csr_array
    levels: Floats
    choice: Choice

    @classmethod
    def of(cls, costs: csr_array, choice: Choice) -> Ranked:
        """Rank the costs of rows that all count."""
        levels = np.unique(costs.data)
        rank = np.searchsorted(levels, costs.data).astype(np.int64)
        by_row = csr_array((rank, costs.indices, costs.indptr), shape=costs.shape)
        return cls(by_row, csr_array(by_row.T.tocsr()), levels, choice)

    def ranks(self, is_open: Bools) -> Ints:
        """Return the rank of each row's least cost to an open site: (row,)."""
        part = self.by_site[np.flatnonzero(is_open)]
        least = np.full(self.by_row.shape[0], _NOWHERE)
        np.minimum.at(least, part.indices, part.data)
        return least

    def level_of(self, is_open: Bools) -> int:
        """Return the rank of the largest cost that a set leaves."""
        return int(self.ranks(is_open).max(initial=0))

    def within(self, rows: Ints, level: int) -> csr_array:
        """Return the pairs of some rows within a level, as ones."""
        part = self.by_row[rows] if len(rows) else csr_array((0, self.by_row.shape[1]), dtype=np.int64)
        near = part.data <= level
        row = np.repeat(np.arange(len(rows)), np.diff(part.indptr))[near]
        indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rows)))])
        return ones(indptr, part.indices[near], part.shape)

    def left_within(self, rows: Ints, level: int) -> csr_array:
        """Return the rows that no always open site reaches within a level, and the free sites that do."""
        within = self.within(rows, level)
        rest = np.flatnonzero(np.asarray(within @ self.choice.base().astype(np.float64)) == 0)
        left = csr_array(keep_rows(within, rest)[:, self.choice.free])
        left.sort_indices()
        return left


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
    Chen, D. and Chen, R. (2009). New relaxation-based algorithms for the optimal solution of the continuous
    and discrete p-center problems. Computers & Operations Research 36(5): few rows at first.
    """
    used = csr_array(costs[np.flatnonzero(weights > 0)])
    ranked = Ranked.of(used, choice)
    questions = _Questions(ranked)
    is_open, impossible = questions.ask(len(ranked.levels) - 1, deadline=deadline)
    if is_open is None and not impossible:
        is_open, impossible = set_reaching_all(used, choice, deadline=deadline)
    if is_open is None:
        return none_found(say("no allowed set of sites reaches everyone"), proved=impossible)
    is_open, below = _halved(questions, is_open, deadline)
    return Found(is_open, float(ranked.levels[below]) if len(ranked.levels) else 0.0)


def _halved(questions: _Questions, is_open: Bools, deadline: Deadline) -> tuple[Bools, int]:
    """Ask for one level after the other, first all of them shortly, then those left open for longer.

    Returns
    -------
    is_open, below : the best set, and the level below which none covers everyone
    """
    ranked = questions.ranked
    # all levels under `below` are proved too small, `above` is known to do; open questions stay between
    below, above = _least_level(ranked), ranked.level_of(is_open)
    most_s = _FIRST_SHARE * deadline.left()
    while below < above and not deadline.passed():
        left_open: list[int] = []
        fine, last = max(1, (above - below) // _PARTS), most_s >= deadline.left()
        while below < above and not deadline.passed():
            level = _next(below, above, left_open, fine)
            if level is None:
                break
            found, impossible = questions.ask(level, deadline=deadline.share(1.0, most=most_s))
            if found is not None:
                is_open, above = found, min(above, ranked.level_of(found))
            # Nothing covers everyone within this level, so neither within any smaller one.
            elif impossible:
                below = level + 1
            else:
                left_open.append(level)
            left_open = [level for level in left_open if below <= level < above]
        if last:
            break
        most_s *= _LONGER
    return is_open, below


def _next(below: int, above: int, left_open: list[int], fine: int) -> int | None:
    """Return the level to ask for: in the middle, or in the wider part under or over those left open.

    A level whose question stays open says nothing, and those beside it are as hard: parts narrower than
    ``fine`` are not looked into.
    """
    if not left_open:
        return (below + above) // 2
    low, high = min(left_open), max(left_open)
    if max(low - below, above - high - 1) < fine:
        return None
    return (below + low) // 2 if low - below >= above - high - 1 else (high + 1 + above) // 2


def _least_level(ranked: Ranked) -> int:
    """Return the level below which some row reaches no site at all."""
    allowed = ranked.choice.base()
    allowed[ranked.choice.variable] = True
    return ranked.level_of(allowed)


class _Questions:
    """Asks whether an allowed set covers everyone within a level, and holds the rows that make it hard."""

    def __init__(self, ranked: Ranked) -> None:
        self.ranked = ranked
        many = ranked.by_row.shape[0]
        self.last: Ints | None = None
        self.rows: Ints = np.unique(np.linspace(0, max(0, many - 1), min(many, _AT_FIRST)).astype(np.int64))

    def ask(self, level: int, *, deadline: Deadline) -> tuple[Bools | None, bool]:
        """Look for a set that covers everyone within a level.

        Returns
        -------
        is_open, impossible : the set or None, and whether it is proved that there is none
        """
        ranked, choice = self.ranked, self.ranked.choice
        everyone = np.arange(ranked.by_row.shape[0])
        if not choice.is_plain:
            return _allowed_within(ranked.within(everyone, level), choice, deadline=deadline)
        while True:
            left = ranked.left_within(self.rows, level)
            # A row without any site within the level: no set can do, and no solver is needed.
            if left.shape[0] and int(np.diff(left.indptr).min()) == 0:
                return None, True
            chosen, impossible = self._few(left, deadline)
            if chosen is None:
                return None, impossible
            is_open = self._filled(choice.free[chosen], level)
            self.last = np.flatnonzero(is_open[choice.free])
            ranks = ranked.ranks(is_open)
            if ranks.max(initial=level) <= level:
                return is_open, False
            # The first plan is owed, so the question about the largest cost of all is answered in any case.
            if deadline.passed() and level < len(ranked.levels) - 1:
                return None, False
            known = len(self.rows)
            self.rows = np.union1d(self.rows, self._left_out(ranks, level))
            if len(self.rows) == known:
                # A set that leaves out rows it was asked for answers nothing; asking again would not either.
                return None, False

    def _few(self, left: csr_array, deadline: Deadline) -> tuple[Ints | None, bool]:
        """Look for so many sites that cover some rows: first around the last ones, then by the fewest."""
        many, size = left.shape[0], self.ranked.choice.wanted
        if many and self.last is not None and len(self.last) == size:
            # An earlier set leaves few rows out, which exchanges often mend.
            chosen = _mended(left, self.last, deadline=deadline.share(_MENDING))
            if chosen is not None:
                return chosen, False
        rows, sites = reduce_full_cover(left)
        found, bound = fewest(rows, deadline=deadline, most=size)
        if len(found) > size:
            return None, bound > size
        return sites[found], False

    def _filled(self, sites: Ints, level: int) -> Bools:
        """Return a set with the sites that are missing in its number, each the one that reaches most rows."""
        ranked, choice = self.ranked, self.ranked.choice
        is_open = choice.base()
        is_open[sites] = True
        for _ in range(choice.wanted - len(sites)):
            left = ranked.within(np.flatnonzero(ranked.ranks(is_open) > level), level)
            counts = np.bincount(left.indices, minlength=choice.size)[choice.free]
            counts[is_open[choice.free]] = -1
            is_open[choice.free[int(np.argmax(counts))]] = True
        return is_open

    def _left_out(self, ranks: Ints, level: int) -> Ints:
        """Return rows beyond a level, the worst first, no two of which a site reaches within half."""
        ranked = self.ranked
        beyond = np.flatnonzero(ranks > level)
        reached = np.zeros(len(ranks), dtype=np.bool_)
        added: list[int] = []
        for row in beyond[np.argsort(-ranks[beyond], kind="stable")].tolist():
            if reached[row]:
                continue
            added.append(row)
            if len(added) == _TOGETHER:
                break
            part = ranked.by_site[ranked.within(np.array([row]), level // 2).indices]
            reached[part.indices[part.data <= level // 2]] = True
        return np.array(added, dtype=np.int64)


def _mended(by_row: csr_array, chosen: Ints, *, deadline: Deadline) -> Ints | None:
    """Exchange sites until all rows are covered; each turn a row that is left out weighs one more.

    So the search does not stay where the same hard rows are always left out (Morris 1993, "The breakout
    method for escaping from local minima"); None where rows are still left out at the end.
    """
    cover = Cover.of(by_row, np.ones(by_row.shape[0]))
    fewest_left, last = by_row.shape[0], 0
    for turn in range(_TURNS):
        chosen, _ = improve(cover, chosen, kicks=0, deadline=deadline, calls=_TURNS)
        left = np.ones(by_row.shape[0], dtype=np.bool_)
        left[cover.by_site[chosen].indices] = False
        if not left.any():
            return chosen
        if left.sum() < fewest_left:
            fewest_left, last = left.sum(), turn
        if deadline.passed() or turn - last >= _PATIENCE:
            break
        cover = replace(cover, weights=cover.weights + left)
    return None


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
