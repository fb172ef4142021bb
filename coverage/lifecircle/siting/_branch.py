"""Prove a maximal cover by branch and bound over its linear relaxation; not bring the first plan.

HiGHS solves the relaxation of a node and hands over prices of the rows. The bound of the node is evaluated
here from those prices, as in ``_lagrange``, so a fault of the solver can cost time but no proof; the same
prices settle further sites in every node. A node branches on the site whose two sides lowered the bound most
when they were tried before: pseudo-costs (Benichou et al. 1971, "Experiments in mixed-integer linear
programming"). The deepest node goes first, because it differs least from the basis of the last solve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack, vstack

from lifecircle.siting._allowed_sets import largest
from lifecircle.siting._cover import Cover, keep_rows, merge_rows
from lifecircle.siting._highs import Model, Relaxation
from lifecircle.siting._lagrange import ROUNDING, Dual
from lifecircle.siting._swaps import improve, noise, value_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._deadline import Deadline
    from lifecircle.siting._highs import Relaxed

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]
    Marks = npt.NDArray[np.int8]

_WHOLE = 1e-6
"""Share of a site within which the relaxation counts as having decided about it."""

_IMPROVED, _EVERY, _KICKS = 30, 20, 2000
"""The rounded solutions of the first nodes are improved by exchanges, later only those of some."""

_STANDING = 1e-3
"""Share of a site's score taken for the loss of a bound while no branching has shown any."""


@dataclass(frozen=True, eq=False)
class Core:
    """What is left to decide when some sites are settled.

    Attributes
    ----------
    cover : its columns are ``sites``
    number : how many of them are to be chosen
    sites, opened : positions among the sites before: undecided, and chosen in every better plan
    settled : weight that the opened sites cover
    """

    cover: Cover
    number: int
    sites: Ints
    opened: Ints
    settled: float


@dataclass(frozen=True, eq=False)
class Node:
    """Sites fixed so far: ``marks`` (site,) 1 chosen, -1 refused, 0 open; no plan below is over ``bound``.

    ``site``, ``way`` and ``share`` are those of the last branching: the site, 0 refused or 1 chosen, and by
    how much of a site that moved the relaxation.
    """

    marks: Marks
    bound: float
    site: int = -1
    way: int = 0
    share: float = 1.0


def core_of(cover: Cover, number: int, dual: Dual, wanted: float) -> Core:
    """Settle the sites about which every plan worth ``wanted`` agrees, and merge the rows that are left."""
    closed, opened = settled_sites(dual, number, wanted)
    covered = np.asarray(cover.by_row @ opened.astype(np.float64)) > 0
    sites = np.flatnonzero(~closed & ~opened)
    left = csr_array(keep_rows(cover.by_row, np.flatnonzero(~covered))[:, sites])
    rows, weights, _ = merge_rows(left, cover.weights[~covered])
    settled = float(cover.weights[covered].sum())
    return Core(
        Cover.of(rows, weights),
        number - int(opened.sum()),
        sites,
        np.flatnonzero(opened).astype(int),
        settled,
    )


def settled_sites(dual: Dual, number: int, wanted: float) -> tuple[Bools, Bools]:
    """Return which sites no plan worth ``wanted`` opens, and which it must.

    Forcing a site in costs the bound what the last chosen site scores above it; forcing one out costs what
    it scores above the first that is not chosen.
    """
    chosen = np.zeros(len(dual.scores), dtype=np.bool_)
    if not 0 < number < len(chosen):
        return chosen, chosen.copy()
    order = np.argsort(-dual.scores, kind="stable")
    last, first_out = dual.scores[order[number - 1]], dual.scores[order[number]]
    chosen[order[:number]] = True
    closed = ~chosen & (dual.bound - last + dual.scores < wanted)
    opened = chosen & (dual.bound - dual.scores + first_out < wanted)
    return closed, opened


def relaxed_bound(cover: Cover, number: int, *, deadline: Deadline) -> Dual | None:
    """Return the bound of the linear relaxation; None where there was no time for it."""
    if not len(cover.weights):
        return Dual(0.0, cover.weights, np.zeros(cover.by_site.shape[0]))
    sites = cover.by_site.shape[0]
    relaxation = Relaxation(cover_model(cover.by_row, cover.weights, number))
    relaxed = relaxation.solve(np.zeros(sites), np.ones(sites), deadline=deadline)
    return None if relaxed is None else dual_at(cover, np.zeros(sites, dtype=np.int8), number, relaxed.prices)


def dual_at(cover: Cover, marks: Marks, number: int, prices: Floats) -> Dual:
    """Evaluate the bound of a node from the prices of its rows; it holds for any prices.

    Parameters
    ----------
    number : of all sites to be chosen, those included that are already
    prices : of the rows first; their sign does not matter
    """
    taken = marks > 0
    multipliers = np.clip(np.abs(prices[: len(cover.weights)]), 0.0, cover.weights)
    # A row that a chosen site covers pays nothing and counts in full.
    multipliers[np.asarray(cover.by_row @ taken.astype(np.float64)) > 0] = 0.0
    scores = np.asarray(cover.by_site @ multipliers)
    free = scores[marks == 0]
    best = free[largest(free, number - int(taken.sum()))]
    bound = float((cover.weights - multipliers).sum() + best.sum()) + ROUNDING * cover.total
    return Dual(bound, multipliers, scores)


def branch_and_bound(
    cover: Cover, number: int, value: float, step: float, *, deadline: Deadline
) -> tuple[Ints | None, float]:
    """Look for a set of sites that is better than a known plan by ``step``, until there is none or no time.

    Parameters
    ----------
    value : of the known plan, in terms of this cover; it may be negative

    Returns
    -------
    sites, bound : the best set found, None where none is better; no set is worth more than ``bound``, but
        for less than ``step``
    """
    tree = _Tree(cover, number, value, step)
    waiting = [Node(np.zeros(cover.by_site.shape[0], dtype=np.int8), np.inf)]
    while waiting and not deadline.passed():
        node = waiting.pop()
        if node.bound < tree.value + step:
            continue
        below = tree.below(node, deadline)
        if below is None:  # no answer: the node stays open, and so does the question
            waiting.append(node)
            break
        waiting.extend(below)
    bound = max((node.bound for node in waiting), default=tree.value)
    return tree.sites, bound


class _Tree:
    """The search: the relaxation, the best set so far, and what branching on each site has brought."""

    def __init__(self, cover: Cover, number: int, value: float, step: float) -> None:
        self.cover, self.number, self.step = cover, number, step
        self.value = value
        self.sites: Ints | None = None
        self.gains, self.tries = np.zeros((2, cover.by_site.shape[0])), np.zeros((2, cover.by_site.shape[0]))
        self.nodes = 0
        self.relaxation: Relaxation | None = None

    def below(self, node: Node, deadline: Deadline) -> list[Node] | None:
        """Return the nodes below a node, none where nothing better is below it; None without an answer."""
        marks = node.marks
        missing, free = self.number - int((marks > 0).sum()), np.flatnonzero(marks == 0)
        if missing < 0 or missing > len(free):
            return []
        if missing in {0, len(free)} or not len(self.cover.weights):
            self._take(np.concatenate([np.flatnonzero(marks > 0), free[:missing]]))
            return []
        solved = self._solved(node, deadline)
        if solved is None:
            return None
        relaxed, dual = solved
        bound = min(node.bound, dual.bound)
        if node.site >= 0:
            self.gains[node.way, node.site] += (node.bound - bound) / node.share
            self.tries[node.way, node.site] += 1
        x = relaxed.x[: len(marks)]
        self._round(x, marks, deadline)
        if bound < self.value + self.step:
            return []
        marks = self._settled(marks, dual, missing, free)
        open_sites = np.flatnonzero((marks == 0) & (x > _WHOLE) & (x < 1 - _WHOLE))
        if not len(open_sites):
            # The relaxation has decided, yet its bound was not met: a site that is not fixed comes next.
            open_sites = np.flatnonzero(marks == 0)[:1]
            if not len(open_sites):
                return [Node(marks, bound)]
        return self._branched(marks, bound, open_sites, x, dual)

    def _solved(self, node: Node, deadline: Deadline) -> tuple[Relaxed, Dual] | None:
        marks = node.marks
        if self.relaxation is None:
            model = cover_model(self.cover.by_row, self.cover.weights, self.number)
            self.relaxation = Relaxation(model)
        bounds = (marks > 0).astype(np.float64), (marks >= 0).astype(np.float64)
        self.nodes += 1
        # Stopped once nothing better can be below; solved in full where that is not what is evaluated here.
        least = self.value + self.step
        relaxed = self.relaxation.solve(*bounds, deadline=deadline, beyond=-least)
        if relaxed is not None and relaxed.stopped and self._dual(marks, relaxed).bound >= least:
            relaxed = self.relaxation.solve(*bounds, deadline=deadline)
        return None if relaxed is None else (relaxed, self._dual(marks, relaxed))

    def _dual(self, marks: Marks, relaxed: Relaxed) -> Dual:
        return dual_at(self.cover, marks, self.number, relaxed.prices)

    def _round(self, x: Floats, marks: Marks, deadline: Deadline) -> None:
        """Try the set that the relaxation is nearest to."""
        chosen = largest(np.where(marks < 0, -1.0, x + (marks > 0)), self.number)
        if self.nodes <= _IMPROVED or self.nodes % _EVERY == 0:
            # The first one is far from the plan, so a longer search from there often ends in a better place.
            kicks = _KICKS if self.nodes == 1 else 0
            chosen, _ = improve(
                self.cover, chosen, kicks=kicks, deadline=deadline.share(0.2), calls=2 * _IMPROVED
            )
        self._take(chosen)

    def _take(self, chosen: Ints) -> None:
        """Keep a set if it is better than the best so far."""
        value = value_of(self.cover, chosen)
        if value > self.value + noise(self.cover):
            self.value, self.sites = value, np.sort(chosen)

    def _settled(self, marks: Marks, dual: Dual, missing: int, free: Ints) -> Marks:
        """Fix the sites of a node that its bound decides."""
        here = Dual(dual.bound, dual.multipliers, dual.scores[free])
        closed, opened = settled_sites(here, missing, self.value + self.step)
        marks = marks.copy()
        marks[free[closed]], marks[free[opened]] = -1, 1
        return marks

    def _branched(self, marks: Marks, bound: float, open_sites: Ints, x: Floats, dual: Dual) -> list[Node]:
        """Branch on the site whose two sides promise to lower the bound most; the chosen side goes first."""
        share = np.stack([x[open_sites], 1.0 - x[open_sites]])
        mean = (self.gains.sum(axis=1) / np.maximum(self.tries.sum(axis=1), 1.0))[:, np.newaxis]
        tries = self.tries[:, open_sites]
        unknown = mean + _STANDING * dual.scores[open_sites]
        gain = np.where(tries > 0, self.gains[:, open_sites] / np.maximum(tries, 1.0), unknown)
        # More than what closes the gap is of no use, and a side that promises nothing still counts a little.
        promise = np.clip(gain * share, _WHOLE, max(bound - self.value, _WHOLE))
        place = int(np.argmax(promise[0] * promise[1]))
        site = int(open_sites[place])
        below = []
        for way, mark in ((0, -1), (1, 1)):
            fixed = marks.copy()
            fixed[site] = mark
            below.append(Node(fixed, bound, site, way, max(float(share[way, place]), _WHOLE)))
        return below


def cover_model(by_row: csr_array, weights: Floats, number: int) -> Model:
    """Return maximal covering as a model: x for each site, then y for each row, ``y <= sum of its x``."""
    rows, sites = by_row.shape
    count = csr_array(np.concatenate([np.ones(sites), np.zeros(rows)])[np.newaxis, :])
    links = hstack([-by_row, eye_array(rows, format="csr")], format="csr")
    matrix = csr_array(vstack([links, count], format="csr"))
    return Model(
        cost=np.concatenate([np.zeros(sites), -weights]),
        matrix=matrix,
        lower=np.concatenate([np.full(rows, -np.inf), [number]]),
        upper=np.concatenate([np.zeros(rows), [number]]),
        least=np.zeros(sites + rows),
        greatest=np.ones(sites + rows),
        whole=np.concatenate([np.ones(sites, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)]),
    )
