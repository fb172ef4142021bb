"""Define which sets of sites may be chosen; not the value of a set.

Sites are columns of the costs. Existing sites are open, some of them may be closed or moved; the others are
candidates, some required, some forbidden. A set is allowed when it has the right number of new sites, stays
within the budget and holds no two sites that exclude each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_MONEY_SLACK = 1e-9
"""Share of the budget by which a sum of prices may exceed it, which is float noise."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Linear conditions on the sites that may vary: ``lower <= matrix @ x <= upper``."""

    matrix: coo_array
    lower: Floats
    upper: Floats

    def padded(self, width: int) -> coo_array:
        """Return the matrix with further columns of zeros."""
        matrix = self.matrix
        return coo_array((matrix.data, (matrix.row, matrix.col)), shape=(matrix.shape[0], width))


@dataclass(frozen=True, eq=False)
class Choice:
    """The sets of sites that may be chosen.

    Attributes
    ----------
    size : number of columns of the costs
    kept : existing sites that stay open
    required : candidates that must be chosen
    free : candidates that may be chosen
    count : how many new sites exactly, moved ones apart; None: as many as are useful
    closable, closures : existing sites of which exactly so many are closed
    movable, moves : existing sites of which at most so many are given up for one new site each
    prices, budget : price of each column and what the new sites may cost together
    apart : (pair, 2) columns that exclude each other
    """

    size: int
    kept: Ints
    required: Ints
    free: Ints
    count: int | None
    closable: Ints
    closures: int
    movable: Ints
    moves: int
    prices: Floats | None
    budget: float | None
    apart: Ints

    @property
    def is_plain(self) -> bool:
        """Return whether only the number of new sites is limited: any free sites may be exchanged."""
        return not (len(self.closable) or len(self.movable) or len(self.apart) or self.budget is not None)

    @property
    def wanted(self) -> int:
        """Return the number of free sites that are chosen when nothing is moved."""
        assert self.count is not None
        return self.count - len(self.required)

    @property
    def always(self) -> Ints:
        """Return the sites that are open in every allowed set."""
        return np.concatenate([self.kept, self.required])

    @property
    def variable(self) -> Ints:
        """Return the sites that are open in some allowed sets and closed in others, ascending."""
        return np.sort(np.concatenate([self.free, self.closable, self.movable]))

    def base(self) -> Bools:
        """Return the sites open before any free site is chosen: (site,)."""
        is_open = np.zeros(self.size, dtype=np.bool_)
        is_open[self.always] = True
        return is_open

    def start(self) -> Bools:
        """Return the sites open before any site is chosen, closed or moved: (site,)."""
        is_open = self.base()
        is_open[self.closable] = True
        is_open[self.movable] = True
        return is_open

    def spent(self, is_open: Bools) -> float:
        """Return the sum of the prices of the new sites of a set."""
        if self.prices is None:
            return 0.0
        new = np.concatenate([self.required, self.free])
        return float(self.prices[new[is_open[new]]].sum())

    def allows(self, is_open: Bools) -> bool:
        """Return whether a set (site,) is allowed."""
        new = np.concatenate([self.required, self.free])
        moved = len(self.movable) - int(is_open[self.movable].sum())
        outside = np.ones(self.size, dtype=np.bool_)
        outside[np.concatenate([self.always, self.variable])] = False
        return (
            bool(is_open[self.always].all())
            and not bool(is_open[outside].any())
            and (self.count is None or int(is_open[new].sum()) == self.count + moved)
            and moved <= self.moves
            and len(self.closable) - int(is_open[self.closable].sum()) == self.closures
            and (self.budget is None or self.spent(is_open) <= self.budget + self.money_slack)
            and not bool(is_open[self.apart].all(axis=1).any())
        )

    @property
    def money_slack(self) -> float:
        """Return the amount by which a sum of prices may exceed the budget, which is float noise."""
        return _MONEY_SLACK * (1.0 + abs(self.budget or 0.0))

    def rows(self) -> Rows:
        """Return the conditions as linear rows over the sites in ``variable``, in that order."""
        variable = self.variable
        place = np.full(self.size, -1, dtype=np.int64)
        place[variable] = np.arange(len(variable))
        parts: list[tuple[Ints, Floats, float, float]] = []

        def add(columns: Ints, factor: float | Floats, lower: float, upper: float) -> None:
            """Add one condition: ``lower <= factor * chosen columns <= upper``."""
            parts.append((place[columns], np.broadcast_to(factor, len(columns)).astype(float), lower, upper))

        # A moved site is given up for one new site, so free and movable sites share one number.
        if self.count is not None:
            total = float(self.wanted + len(self.movable))
            add(np.concatenate([self.free, self.movable]), 1.0, total, total)
        if len(self.movable):
            add(self.movable, 1.0, float(len(self.movable) - self.moves), np.inf)
        if len(self.closable):
            stay = float(len(self.closable) - self.closures)
            add(self.closable, 1.0, stay, stay)
        if self.budget is not None and self.prices is not None:
            left = self.budget - float(self.prices[self.required].sum())
            add(self.free, self.prices[self.free], -np.inf, left + self.money_slack)
        for pair in self.apart:
            varies = pair[place[pair] >= 0]
            add(varies, 1.0, -np.inf, float(len(varies) - 1))
        lengths = [len(columns) for columns, *_ in parts]
        row = np.repeat(np.arange(len(parts)), lengths)
        column = np.concatenate([columns for columns, *_ in parts] or [np.zeros(0, dtype=np.int64)])
        factor = np.concatenate([factor for _, factor, *_ in parts] or [np.zeros(0)])
        matrix = coo_array((factor, (row, column)), shape=(len(parts), len(variable)))
        bounds = np.array([part[2:] for part in parts], dtype=np.float64).reshape(-1, 2)
        return Rows(matrix, bounds[:, 0], bounds[:, 1])

    def additions(self, is_open: Bools) -> Ints:
        """Return the free sites that may be opened in addition to a set, whatever their number should be."""
        closed = self.free[~is_open[self.free]]
        able = self._conflicts(is_open)[closed] == 0
        if self.budget is not None and self.prices is not None:
            able &= self.spent(is_open) + self.prices[closed] <= self.budget + self.money_slack
        fitting: Ints = closed[able]
        return fitting

    def exchanges(self, is_open: Bools) -> tuple[Ints, Ints, Bools]:
        """Return the sites that may be closed, those that may be opened, and which pairs keep a set allowed.

        Returns
        -------
        outs, ins, allowed : sites, ascending, and (out, in)
        """
        variable = self.variable
        outs, ins = variable[is_open[variable]], variable[~is_open[variable]]
        kind = np.zeros(self.size, dtype=np.int8)
        kind[self.closable] = 1
        # A closable site may only be exchanged with another closable one, else the number of closures would
        # change.
        allowed = kind[outs][:, np.newaxis] == kind[ins][np.newaxis, :]
        if len(self.movable) - int(is_open[self.movable].sum()) >= self.moves:
            allowed[np.isin(outs, self.movable)] = False
            # one moved site may come back while another goes
            both = np.isin(outs, self.movable)[:, np.newaxis] & np.isin(ins, self.movable)[np.newaxis, :]
            allowed |= both
        if self.budget is not None and self.prices is not None:
            price = np.where(np.isin(np.arange(self.size), self.free), self.prices, 0.0)
            spent = self.spent(is_open) - price[outs][:, np.newaxis] + price[ins][np.newaxis, :]
            allowed &= spent <= self.budget + self.money_slack
        if len(self.apart):
            between = np.zeros((len(outs), len(ins)), dtype=np.int64)
            place_out = {int(site): i for i, site in enumerate(outs)}
            place_in = {int(site): i for i, site in enumerate(ins)}
            for one, other in np.concatenate([self.apart, self.apart[:, ::-1]]).tolist():
                if one in place_out and other in place_in:
                    between[place_out[one], place_in[other]] += 1
            # A site may come in when the only sites that exclude it are the one that goes out.
            allowed &= self._conflicts(is_open)[ins][np.newaxis, :] == between
        return outs, ins, allowed

    def _conflicts(self, is_open: Bools) -> Ints:
        """Return the number of open sites that exclude each site: (site,)."""
        first, second = self.apart[:, 0], self.apart[:, 1]
        return np.bincount(first, weights=is_open[second], minlength=self.size).astype(
            np.int64
        ) + np.bincount(second, weights=is_open[first], minlength=self.size).astype(np.int64)

    def most(self, scores: Floats) -> tuple[float, Bools]:
        """Return an upper bound of the sum of scores of any allowed set.

        Conditions that would make this hard are left out: pairs that exclude each other, and a budget
        beside a number of sites. So the set found need not be allowed, but none that is has more.

        Parameters
        ----------
        scores : (site,) >= 0

        Returns
        -------
        total, chosen : the bound and the set it comes from, (site,)
        """
        chosen = self.base()
        total = float(scores[self.always].sum())
        parts = [(self.closable, len(self.closable) - self.closures)]
        if self.count is not None:
            parts.append((np.concatenate([self.free, self.movable]), self.wanted + len(self.movable)))
        else:
            parts.append((self.movable, len(self.movable)))
            if self.budget is not None:
                total += self._knapsack(scores, chosen)
            else:
                parts.append((self.free, len(self.free)))
        for columns, number in parts:
            best = largest(scores[columns], number)
            chosen[columns[best]] = True
            total += float(scores[columns[best]].sum())
        return total, chosen

    def _knapsack(self, scores: Floats, chosen: Bools) -> float:
        """Fill the budget by score per price, the last site in part: the fractional knapsack bound."""
        assert self.prices is not None
        assert self.budget is not None
        price, score = self.prices[self.free], scores[self.free]
        with np.errstate(divide="ignore", invalid="ignore"):
            worth = np.where(price > 0, score / price, np.inf)
        order = np.argsort(-worth, kind="stable")
        left = self.budget + self.money_slack - float(self.prices[self.required].sum())
        spent = np.cumsum(price[order])
        whole = int(np.searchsorted(spent, left, side="right"))
        chosen[self.free[order[:whole]]] = True
        total = float(score[order[:whole]].sum())
        if whole < len(order):
            rest = left - (spent[whole - 1] if whole else 0.0)
            total += float(score[order[whole]] * rest / price[order[whole]])
        return total


def largest(values: Floats, number: int) -> Ints:
    """Return the positions of the largest values, the lowest position first among equal ones; ascending."""
    if number <= 0:
        return np.zeros(0, dtype=np.int64)
    if number >= len(values):
        return np.arange(len(values))
    least = np.partition(values, len(values) - number)[len(values) - number]
    above = np.flatnonzero(values > least)
    equal = np.flatnonzero(values == least)[: number - len(above)]
    return np.sort(np.concatenate([above, equal]))
