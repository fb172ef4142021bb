"""Solve p_median: the least weighted sum of costs, everyone served by the nearest open site.

Costs are multiplied by the weights first, so that an entry is what it adds to the sum. Sites open in any
case count as one site with their least cost for each row. The problem is that of Hakimi (1964, "Optimum
locations of switching centers").
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from lifecircle.compiled import call
from lifecircle.errors import say
from lifecircle.siting._certificate import Found, is_proved, none_found
from lifecircle.siting._highs import Model, is_installed, minimise
from lifecircle.siting._lagrange import ROUNDING, Effort, descend
from lifecircle.siting._local_search import Start, first_set, local_search, set_reaching_all
from lifecircle.siting._swaps import DRAWS, TEMPERATURE
from lifecircle.siting._totals import leasts, totals

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_FINE = 4e-7
_MARGIN = 1e-9
_ROUNDS = ((300, 1.0), (500, 0.5), (700, 0.3))
"""Steps of a descent and the length of its first; between two of them sites are settled."""

_KICKS, _MANY_KICKS, _BATCH, _SEED = 40, 1000, 10, 20_250_103
_LESS = 0.99
"""Share of the gap that a round must leave at most for another to follow."""

_PAYS_OFF_S = 2.0
"""Estimated seconds in arrays from which on loading compiled loops pays, compiling once included."""

_KERNELS = "lifecircle.siting._median_kernels"
_MOST_PAIRS = 400_000
"""Pairs above which HiGHS neither keeps a deadline nor gets further than the bound of the multipliers."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted costs as pairs, and the value of a set of sites: the negative of its sum.

    Attributes
    ----------
    row, site, cost : (pair,) of sites that may vary, ascending by row, then by cost, then by site
    fixed : (row,) least weighted cost of the sites open in any case, ``nowhere`` where there is none
    nowhere : charge of a row that no open site reaches, more than all others together
    size : number of sites
    """

    row: Ints
    site: Ints
    cost: Floats
    fixed: Floats
    nowhere: float
    size: int

    @classmethod
    def of(cls, costs: csr_array, weights: Floats, choice: Choice) -> Sums:
        """Multiply the costs by the weights; rows without weight are left out."""
        used = costs[np.flatnonzero(weights > 0)]
        row = np.repeat(np.arange(used.shape[0]), np.diff(used.indptr))
        cost = used.data * weights[weights > 0][row]
        dearest = np.zeros(used.shape[0])
        np.maximum.at(dearest, row, cost)
        nowhere = 2.0 * float(dearest.sum()) + 1.0
        always = choice.base()[used.indices]
        fixed = leasts(row[always], cost[always], np.full(used.shape[0], nowhere))
        varies = np.zeros(used.shape[1], dtype=np.bool_)
        varies[choice.variable] = True
        useful = np.flatnonzero(varies[used.indices] & (cost < fixed[row]))
        useful = useful[np.lexsort((used.indices[useful], cost[useful], row[useful]))]
        return cls(
            row[useful], used.indices[useful].astype(np.int64), cost[useful], fixed, nowhere, used.shape[1]
        )

    def under(self, most: Floats) -> Sums:
        """Return the pairs that cost less than so much for their row: (row,)."""
        near = np.flatnonzero(self.cost < most[self.row])
        fixed = np.minimum(self.fixed, most)
        return replace(self, row=self.row[near], site=self.site[near], cost=self.cost[near], fixed=fixed)

    def without(self, closed: Bools) -> Sums:
        """Return the pairs of the other sites: (site,)."""
        left = np.flatnonzero(~closed[self.site])
        return replace(self, row=self.row[left], site=self.site[left], cost=self.cost[left])

    def nearest(self, is_open: Bools) -> tuple[Floats, Ints, Floats]:
        """Return each row's least cost, the site it comes from (-1: one open in any case), and the second."""
        pairs = np.flatnonzero(is_open[self.site])
        row, site, cost = self.row[pairs], self.site[pairs], self.cost[pairs]
        first = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else np.zeros(0, dtype=np.int64)
        least, second = self.fixed.copy(), self.fixed.copy()
        which = np.full(len(self.fixed), -1, dtype=np.int64)
        least[row[first]], which[row[first]] = cost[first], site[first]
        after = first + 1
        after = after[(after < len(row))]
        after = after[row[after] == row[after - 1]]
        second[row[after]] = cost[after]
        return least, which, second

    def value(self, is_open: Bools) -> float:
        """Return the negative of the sum."""
        return -float(self.nearest(is_open)[0].sum())

    def gains(self, is_open: Bools) -> Floats:
        """Return by how much each site would lower the sum: (site,)."""
        least, _, _ = self.nearest(is_open)
        pairs = np.flatnonzero(self.cost < least[self.row])
        return totals(self.site[pairs], least[self.row[pairs]] - self.cost[pairs], self.size)

    def swap_gains(self, is_open: Bools, outs: Ints, ins: Ints) -> Floats:
        """Return by how much each exchange would lower the sum: (out, in).

        See Resende and Werneck, "A fast swap-based local search procedure for location problems" (2007).
        """
        least, which, second = self.nearest(is_open)
        # Beyond the second open site of a row no exchange changes anything for it.
        pairs = np.flatnonzero(self.cost < second[self.row])
        row, site, cost = self.row[pairs], self.site[pairs], self.cost[pairs]
        gain = totals(site, np.maximum(least[row] - cost, 0.0), self.size)
        served = which >= 0
        loss = totals(which[served], (second - least)[served], self.size)
        place_out = np.full(self.size, -1, dtype=np.int64)
        place_out[outs] = np.arange(len(outs))
        place_in = np.full(self.size, -1, dtype=np.int64)
        place_in[ins] = np.arange(len(ins))
        out, into = np.where(served, place_out[which], -1)[row], place_in[site]
        # Gain and loss are counted as if they were independent; here the part that both count is added back.
        back = second[row] - np.maximum(cost, least[row])
        both = (out >= 0) & (into >= 0)
        where = out[both] * len(ins) + into[both]
        extra = totals(where, back[both], len(outs) * len(ins)).reshape(len(outs), len(ins))
        answer: Floats = gain[ins][np.newaxis, :] - loss[outs][:, np.newaxis] + extra
        return answer


def solve_median(
    costs: csr_array,
    weights: Floats,
    choice: Choice,
    *,
    deadline: Deadline,
    known: Bools | None = None,
) -> Found:
    """Find the set with the least weighted sum of costs.

    Parameters
    ----------
    costs : csr (row, site), a stored zero a pair, what is absent unreachable
    known : (site,) an allowed set that reaches everyone, where one is known
    """
    sums = Sums.of(costs, weights, choice)
    start = first_set(sums, choice, likes=sums.gains, deadline=deadline)
    if start.is_open is None:
        return none_found(say("no set of sites meets the conditions"), proved=start.impossible)
    is_open, worth = _searched(sums, choice, start.is_open, kicks=0, deadline=deadline.share(0.3))
    # The sum still holds the penalty of a resident without any site: look for a set that reaches everyone.
    if -worth >= sums.nowhere:
        start = Start(known, impossible=False)
        if known is None:
            used = csr_array(costs[np.flatnonzero(weights > 0)])
            start = set_reaching_all(used, choice, deadline=deadline)
        if start.is_open is None:
            return none_found(say("no allowed set of sites reaches everyone"), proved=start.impossible)
        is_open, worth = _searched(sums, choice, start.is_open, kicks=0, deadline=deadline.share(0.3))
    dual, chosen = _dual(sums, choice, is_open, deadline=deadline.share(0.4))
    turn, kicks, gained = 0, _most_kicks(sums), True
    # Search and bound take turns as long as one of them gains: a better plan also sharpens the bound.
    while gained and not is_proved(-worth, dual.bound) and not deadline.passed():
        gap = -worth - dual.bound
        share, enough = deadline.share(0.4), -dual.bound * (1 + _FINE)
        # The set that the prices choose is often a better place to begin than the plan.
        if choice.allows(chosen):
            other, value = _searched(sums, choice, chosen, kicks=0, deadline=share, enough=enough)
            is_open, worth = (other, value) if value > worth else (is_open, worth)
        words: dict[str, Any] = {"kicks": kicks, "deadline": share, "enough": enough, "turn": turn}
        is_open, worth = _searched(sums, choice, is_open, **words)
        if kicks == _KICKS:
            break  # few pairs: HiGHS proves more than further rounds
        dual, chosen = _dual(sums, choice, is_open, deadline=deadline.share(0.4), known=dual)
        turn, gained = turn + 1, -worth - dual.bound < _LESS * gap
    bound = dual.bound
    if not is_proved(-worth, bound) and not deadline.passed() and is_installed():
        is_open, worth, bound = _core(sums, choice, is_open, worth, dual, deadline=deadline)
    return Found(is_open, min(bound, -worth))


def _searched(  # noqa: PLR0913 - where to begin, what is allowed and when to stop
    sums: Sums,
    choice: Choice,
    is_open: Bools,
    *,
    kicks: int,
    deadline: Deadline,
    enough: float = np.inf,
    turn: int = 0,
) -> tuple[Bools, float]:
    """Search around a set, in compiled loops where any exchange is allowed and there is much to look at."""
    if not choice.is_plain or not _is_worth_compiling(sums, choice):
        return local_search(sums, choice, is_open, kicks=kicks, deadline=deadline, enough=enough)
    kernels = importlib.import_module(_KERNELS)
    lists, reach = _lists(sums), _reach(sums)
    current = choice.free[is_open[choice.free]]
    best, values = current.copy(), np.array([-1.0, -1.0])
    # Drawn before the search with a fixed seed, so that the clock decides only how many of them are used.
    draws = np.random.default_rng(_SEED + turn).random((kicks, DRAWS))
    least = 1e-11 * (1.0 + abs(sums.value(is_open)))
    for begin in range(-_BATCH, kicks, _BATCH):
        if begin >= 0 and (deadline.passed() or -values[1] >= enough):
            break
        some = draws[max(0, begin) : max(0, begin + _BATCH)]
        call(
            kernels.search,
            lists,
            reach,
            choice.free,
            current,
            best,
            values,
            some,
            least,
            TEMPERATURE,
            sums.size,
        )
    found = choice.base()
    found[best] = True
    return found, sums.value(found)


def _most_kicks(sums: Sums) -> int:
    """Return the number of kicks: more where there are too many pairs for HiGHS to prove a plan."""
    return _KICKS if len(sums.cost) <= _MOST_PAIRS else _MANY_KICKS


def _lists(sums: Sums) -> Any:
    """Return the pairs as the compiled loops take them; None where these are not loaded."""
    kernels = sys.modules.get(_KERNELS)
    if kernels is None:
        return None
    ptr = np.searchsorted(sums.row, np.arange(len(sums.fixed) + 1)).astype(np.int64)
    return kernels.Lists(ptr, sums.site.astype(np.int32), sums.cost, sums.fixed)


def _reach(sums: Sums) -> Any:
    """Return the pairs by site."""
    order = np.argsort(sums.site, kind="stable")
    ptr = np.r_[0, np.cumsum(np.bincount(sums.site, minlength=sums.size))].astype(np.int64)
    return sys.modules[_KERNELS].Reach(ptr, sums.row[order].astype(np.int32), sums.cost[order])


def _is_worth_compiling(sums: Sums, choice: Choice) -> bool:
    engine = os.environ.get("LIFECIRCLE_ENGINE")
    if engine == "scipy" or not choice.wanted or importlib.util.find_spec("numba") is None:
        return False
    if engine == "ring" or _KERNELS in sys.modules:
        return True
    # the searches of a solve and the descent of its bound together
    estimate_s = (
        (_most_kicks(sums) + 1) * 5 * (1e-3 + 3e-8 * len(sums.cost) + 1e-8 * choice.wanted * sums.size)
    )
    return bool(estimate_s > _PAYS_OFF_S)


@dataclass(frozen=True, eq=False)
class Priced:
    """A lower bound of the sum and the prices it comes from.

    Attributes
    ----------
    bound : no better set than the plan has a smaller sum
    prices, scores : (row,) what each row pays for being served, and (site,) what each site earns
    closed : (site,) no better set than the plan has this site open
    """

    bound: float
    prices: Floats
    scores: Floats
    closed: Bools


def _dual(
    sums: Sums, choice: Choice, is_open: Bools, *, deadline: Deadline, known: Priced | None = None
) -> tuple[Priced, Bools]:
    """Return a lower bound of the sum, by a price that each row pays for being served.

    With prices u no allowed set has a sum under ``sum(min(u, fixed)) - most it can score``, where a site
    scores ``sum_i max(0, u_i - cost_i)``. Only pairs that cost less than the price count. Where a plan and
    the bound meet, no price is over the second least cost in the plan; so prices stop at the third, and the
    many pairs beyond are left out.

    Parameters
    ----------
    known : the bound with an earlier plan, to be raised

    Returns
    -------
    priced, chosen : the best bound met, and the set it comes from
    """
    least, _, second = sums.nearest(is_open)
    value = float(least.sum())
    target = value * (1 - _FINE) + _MARGIN
    near = sums.under(_third(sums, is_open))
    prices, closed = np.minimum(0.5 * (least + second), 2.0 * least), np.zeros(sums.size, dtype=np.bool_)
    if known is not None:
        # What no better set than the earlier plan opens, none better than this plan does.
        prices, closed, near = np.minimum(known.prices, near.fixed), known.closed, near.without(known.closed)
    for steps, pace in _ROUNDS if known is None else _ROUNDS[-1:]:
        effort = Effort(steps, deadline, -value * (1 - _FINE), pace=pace)
        bound, prices = descend(
            partial(_bound_at, near, choice, _lists(near)), prices, near.fixed, value=-value, effort=effort
        )
        scores = _scores(near, prices)
        closed = closed | _closed(choice, -bound, scores, target)
        near = near.without(closed)
    chosen = choice.most(scores)[1]
    if known is not None and known.bound >= -bound:
        return replace(known, closed=closed), chosen
    return Priced(min(-bound, target), prices, scores, closed), chosen


def _third(sums: Sums, is_open: Bools) -> Floats:
    """Return each row's third least cost to an open site, ``fixed`` where it has fewer: (row,)."""
    pairs = np.flatnonzero(is_open[sums.site])
    row = sums.row[pairs]
    # ascending by row and cost: two places before it stand the first two of the row
    after = np.flatnonzero(row[2:] == row[:-2]) + 2
    return leasts(row[after], sums.cost[pairs[after]], sums.fixed)


def _scores(sums: Sums, prices: Floats, lists: Any = None) -> Floats:
    """Return what each site earns from rows that pay more than it costs them: (site,)."""
    if lists is None:
        return totals(sums.site, np.maximum(prices[sums.row] - sums.cost, 0.0), sums.size)
    scores = np.zeros(sums.size)
    call(sys.modules[_KERNELS].earn, lists, prices, scores)
    return scores


def _served(sums: Sums, prices: Floats, chosen: Bools, lists: Any) -> Ints:
    """Return how many chosen sites cost a row less than it pays: (row,)."""
    if lists is None:
        pays = np.flatnonzero((sums.cost < prices[sums.row]) & chosen[sums.site])
        return np.bincount(sums.row[pays], minlength=len(prices))
    served = np.zeros(len(prices), dtype=np.int64)
    call(sys.modules[_KERNELS].serve, lists, prices, chosen, served)
    return served


def _bound_at(sums: Sums, choice: Choice, lists: Any, prices: Floats) -> tuple[float, Floats]:
    """Return bound and slope at some prices, with the sign reversed, for ``descend`` lowers bounds."""
    total, chosen = choice.most(_scores(sums, prices, lists))
    paid = float(np.minimum(prices, sums.fixed).sum())
    slope = np.subtract(_served(sums, prices, chosen, lists), prices < sums.fixed, dtype=np.float64)
    return total - paid + ROUNDING * (paid + total), slope


def _closed(choice: Choice, bound: float, scores: Floats, target: float) -> Bools:
    """Return the sites whose choice would push the bound to the target: (site,)."""
    closed = np.zeros(choice.size, dtype=np.bool_)
    if choice.is_plain and 0 < choice.wanted < len(choice.free):
        free = scores[choice.free]
        last = np.sort(free)[len(free) - choice.wanted]
        closed[choice.free] = (free < last) & (bound + last - free >= target)
    return closed


def _core(  # noqa: PLR0913 - everything known so far about the problem
    sums: Sums,
    choice: Choice,
    is_open: Bools,
    worth: float,
    dual: Priced,
    *,
    deadline: Deadline,
) -> tuple[Bools, float, float]:
    """Leave out pairs and sites that no better set can use, and pass the others to HiGHS.

    Returns
    -------
    is_open, worth, bound : the best set, its value, and a bound valid for every allowed set
    """
    bound = dual.bound
    # a set that is left out is not better than this
    target = -worth * (1 - _FINE) + _MARGIN
    usable = bound + np.maximum(sums.cost - dual.prices[sums.row], 0.0) < target
    closed = dual.closed | _closed(choice, bound, dual.scores, target)
    pairs = np.flatnonzero(usable & ~closed[sums.site])
    if len(pairs) > _MOST_PAIRS:
        return is_open, worth, bound
    model = _model(sums, choice, pairs, closed)
    answer = minimise(model, deadline=deadline, start=_start(sums, choice, pairs, is_open))
    lower = max(bound, target if answer.infeasible else min(answer.bound, target))
    if answer.x is not None:
        found = choice.base()
        found[choice.variable] = answer.x[: len(choice.variable)] > 0.5
        if choice.allows(found) and sums.value(found) > worth:
            is_open, worth = found, sums.value(found)
    return is_open, worth, lower


def _model(sums: Sums, choice: Choice, pairs: Ints, closed: Bools) -> Model:
    """Return the model: x for each site that varies, z for each pair, z for each row's fixed site."""
    variable, rows = choice.variable, choice.rows()
    x, many, people = len(variable), len(pairs), len(sums.fixed)
    place = np.zeros(sums.size, dtype=np.int64)
    place[variable] = np.arange(x)
    fixed = np.flatnonzero(sums.fixed < sums.nowhere)
    width = x + many + len(fixed)
    z = x + np.arange(many)
    served = coo_array(
        (
            np.ones(many + len(fixed)),
            (np.r_[sums.row[pairs], fixed], np.r_[z, x + many + np.arange(len(fixed))]),
        ),
        shape=(people, width),
    )
    linked = coo_array(
        (
            np.r_[np.ones(many), -np.ones(many)],
            (np.r_[np.arange(many), np.arange(many)], np.r_[z, place[sums.site[pairs]]]),
        ),
        shape=(many, width),
    )
    conditions = rows.padded(width)
    greatest = np.ones(width)
    greatest[:x][closed[variable]] = 0.0
    matrix: Any = vstack([served, linked, conditions], format="csr")
    return Model(
        cost=np.r_[np.zeros(x), sums.cost[pairs], sums.fixed[fixed]],
        matrix=csr_array(matrix),
        lower=np.r_[np.ones(people), np.full(many, -np.inf), rows.lower],
        upper=np.r_[np.ones(people), np.zeros(many), rows.upper],
        least=np.zeros(width),
        greatest=greatest,
        whole=np.arange(width) < x,
    )


def _start(sums: Sums, choice: Choice, pairs: Ints, is_open: Bools) -> Floats | None:
    """Return a known set as variables of the model; None where a pair it uses was left out."""
    _, which, _ = sums.nearest(is_open)
    uses = which[sums.row[pairs]] == sums.site[pairs]
    fixed = np.flatnonzero(sums.fixed < sums.nowhere)
    if int(uses.sum()) != int((which >= 0).sum()):
        return None
    return np.concatenate([is_open[choice.variable], uses, which[fixed] < 0]).astype(np.float64)
