"""Solve coverage by sites that each serve a limited number of people, who are assigned in the best way.

People of one row may go to different sites. So for given sites the people served are a flow, and rows that
the same sites cover are merged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from lifecircle.errors import say
from lifecircle.siting._certificate import Found, is_proved, none_found, rounded_down, unit_of
from lifecircle.siting._cover import Cover, merge_rows, ones
from lifecircle.siting._highs import Model, is_installed, minimise
from lifecircle.siting._lagrange import ROUNDING, Effort, descend
from lifecircle.siting._local_search import first_set, local_search
from lifecircle.siting._totals import totals

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._deadline import Deadline
    from lifecircle.siting._problem import SitingProblem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_STEPS, _KICKS = 300, 10


@dataclass(frozen=True, eq=False)
class Capacities:
    """Which sites each row can use, and the value of a set of sites: the people it serves.

    Attributes
    ----------
    cover : rows and sites, merged
    capacities : (site,) finite
    """

    cover: Cover
    capacities: Floats

    @classmethod
    def of(cls, problem: SitingProblem) -> Capacities:
        """Merge the rows of a problem; a capacity above all people in reach is replaced by their number."""
        costs = problem.costs
        reach = ones(costs.indptr, costs.indices, costs.shape)
        used = np.flatnonzero(problem.weights > 0)
        rows, people, _ = merge_rows(csr_array(reach[used]), problem.weights[used])
        cover = Cover.of(rows, people)
        return cls(cover, np.minimum(problem.capacities, cover.by_site @ people))

    def flow(self, is_open: Bools) -> tuple[float, Floats, Floats]:
        """Find the flow that serves the most people.

        Returns
        -------
        served, left, spare : people in all, those of each row that are not served, and the places that each
            site has left
        """
        from scipy.optimize import linprog  # noqa: PLC0415 - seldom needed

        row = np.repeat(np.arange(len(self.cover.weights)), np.diff(self.cover.by_row.indptr))
        site = self.cover.by_row.indices
        pairs = np.flatnonzero(is_open[site])
        row, site = row[pairs], site[pairs]
        left, spare = self.cover.weights.copy(), np.where(is_open, self.capacities, 0.0)
        if not len(pairs):
            return 0.0, left, spare
        many = np.arange(len(pairs))
        people = csr_array((np.ones(len(pairs)), (row, many)), shape=(len(left), len(pairs)))
        places = csr_array((np.ones(len(pairs)), (site, many)), shape=(len(spare), len(pairs)))
        table, most = vstack([people, places]), np.concatenate([left, spare])
        answer = linprog(-np.ones(len(pairs)), A_ub=table, b_ub=most, method="highs")
        assert answer.status == 0, answer.message
        left -= totals(row, answer.x, len(left))
        return float(-answer.fun), left, spare - totals(site, answer.x, len(spare))

    def value(self, is_open: Bools) -> float:
        """Return the people served."""
        return self.flow(is_open)[0]

    def gains(self, is_open: Bools) -> Floats:
        """Return what each site would add if nobody changed to another site: (site,)."""
        _, left, _ = self.flow(is_open)
        return np.asarray(np.minimum(self.capacities, self.cover.by_site @ np.maximum(left, 0.0)))

    def swap_gains(self, is_open: Bools, outs: Ints, ins: Ints) -> Floats:
        """Return the most that each exchange can add: (out, in)."""
        _, left, spare = self.flow(is_open)
        used = np.where(is_open, self.capacities, 0.0) - spare
        gains = np.empty((len(outs), len(ins)))
        by_site = self.cover.by_site
        part = by_site[ins]
        for place, out in enumerate(outs.tolist()):
            rows = by_site.indices[by_site.indptr[out] : by_site.indptr[out + 1]]
            free = np.maximum(left, 0.0)
            free[rows] = self.cover.weights[rows]
            gains[place] = np.minimum(self.capacities[ins], part @ free) - used[out]
        return gains


def served(problem: SitingProblem, is_open: Bools) -> float:
    """Return the number of people that open sites (site,) serve, each up to its capacity."""
    value = Capacities.of(problem).value(is_open)
    unit = _unit(problem)
    return unit * round(value / unit) if unit else value


def _unit(problem: SitingProblem) -> float:
    """Return the least difference of two values: a flow of whole people into whole places is whole."""
    holds = problem.capacities[np.isfinite(problem.capacities)]
    return unit_of(np.concatenate([problem.weights, holds]))


def solve_capacitated(problem: SitingProblem, *, deadline: Deadline) -> Found:
    """Find the set that serves the most people."""
    choice, unit = problem.choice, _unit(problem)
    worth = Capacities.of(problem)
    start = first_set(worth, choice, likes=worth.gains, deadline=deadline)
    if start.is_open is None:
        return none_found(say("no set of sites meets the conditions"), proved=start.impossible)
    # In the order of price: a quick plan, then a bound, then a longer search, and the whole model at the end.
    # Each step is skipped when the bound already proves the plan, and gets a share of the time that is left.
    is_open, value = local_search(worth, choice, start.is_open, kicks=0, deadline=deadline.share(0.3))
    bound = rounded_down(_bound(worth, choice, value, deadline=deadline.share(0.4)), unit)

    def is_done() -> bool:
        """Return whether the bound proves the value so far."""
        return bound < value + 0.5 * unit if unit else is_proved(value, bound)

    if not is_done() and not deadline.passed():
        share = deadline.share(0.2)
        is_open, value = local_search(worth, choice, is_open, kicks=_KICKS, deadline=share, enough=bound)
    # The bound of the charges leaves a gap in general; only the whole model can close it.
    if not is_done() and not deadline.passed() and is_installed():
        model = _model(worth, choice)
        answer = minimise(model, deadline=deadline, unit=unit, start=None)
        if answer.x is not None:
            found = choice.base()
            found[choice.variable] = answer.x[: len(choice.variable)] > 0.5
            if choice.allows(found) and worth.value(found) > value:
                is_open, value = found, worth.value(found)
        if math.isfinite(answer.bound):
            bound = min(bound, rounded_down(-answer.bound, unit))
    return Found(is_open, bound)


def _bound(worth: Capacities, choice: Choice, value: float, *, deadline: Deadline) -> float:
    """Return an upper bound of the people served, by a charge of 0 to 1 that each person of a row pays.

    No allowed set serves more than the sum of all charges and what its sites earn: each site takes those who
    keep most, up to its capacity.
    """
    cover = worth.cover
    lengths = np.diff(cover.by_site.indptr)
    site = np.repeat(np.arange(len(worth.capacities)), lengths)
    first = np.repeat(cover.by_site.indptr[:-1], lengths)
    row = cover.by_site.indices
    people = cover.weights[row]

    def evaluate(charges: Floats) -> tuple[float, Floats]:
        """Return bound and slope at these charges: each site takes whoever keeps most until it is full."""
        keeps = 1.0 - charges[row]
        # Each site on its own: those who keep most come first, and the last group is taken in part. That is
        # the best use of one capacity, so the sum over sites is a bound.
        order = np.lexsort((row, -keeps, site))
        heads = people[order]
        before = np.cumsum(heads) - heads
        room = worth.capacities[site] - (before - before[first])
        taken = np.clip(room, 0.0, heads) * (keeps[order] > 0)
        total, chosen = choice.most(totals(site, taken * keeps[order], len(lengths)))
        paid = float((charges * cover.weights).sum())
        slope = cover.weights - totals(row[order], taken * chosen[site], len(cover.weights))
        return paid + total + ROUNDING * (paid + total), slope

    if not len(site):
        return 0.0
    most = np.ones(len(cover.weights))
    return descend(evaluate, 0.5 * most, most, value=value, effort=Effort(_STEPS, deadline, value))[0]


def _model(worth: Capacities, choice: Choice) -> Model:
    """Return the mixed-integer model: x for each site that varies, z for the people of each pair."""
    cover, variable, rows = worth.cover, choice.variable, choice.rows()
    may_open = choice.base()
    may_open[variable] = True
    row = np.repeat(np.arange(len(cover.weights)), np.diff(cover.by_row.indptr))
    site = cover.by_row.indices.astype(np.int64)
    pairs = np.flatnonzero(may_open[site])
    row, site = row[pairs], site[pairs]
    x, many = len(variable), len(pairs)
    place = np.full(choice.size, -1, dtype=np.int64)
    place[variable] = np.arange(x)
    z = x + np.arange(many)
    varies = np.flatnonzero(place[site] >= 0)
    width = x + many
    people = coo_array((np.ones(many), (row, z)), shape=(len(cover.weights), width))
    places = coo_array(
        (
            np.concatenate([np.ones(many), -worth.capacities[variable]]),
            (np.concatenate([site, variable]), np.concatenate([z, np.arange(x)])),
        ),
        shape=(choice.size, width),
    )
    # Without these rows the model is still right, but its relaxation is weak: a site half open would serve
    # everybody near it.
    linked = coo_array(
        (
            np.concatenate([np.ones(len(varies)), -cover.weights[row[varies]]]),
            (np.tile(np.arange(len(varies)), 2), np.concatenate([z[varies], place[site[varies]]])),
        ),
        shape=(len(varies), width),
    )
    conditions = rows.padded(width)
    fixed = np.where(choice.base(), worth.capacities, 0.0)
    matrix: Any = vstack([people, places, linked, conditions], format="csr")
    return Model(
        cost=np.concatenate([np.zeros(x), -np.ones(many)]),
        matrix=csr_array(matrix),
        lower=np.concatenate([np.full(len(cover.weights) + choice.size + len(varies), -np.inf), rows.lower]),
        upper=np.concatenate([cover.weights, fixed, np.zeros(len(varies)), rows.upper]),
        least=np.zeros(width),
        greatest=np.concatenate([np.ones(x), cover.weights[row]]),
        whole=np.arange(width) < x,
    )
