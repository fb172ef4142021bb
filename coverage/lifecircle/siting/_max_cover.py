"""Solve max_cover: the most people within the limit of a number of sites, where only the number is limited.

A greedy choice and exchanges give a plan, multipliers a bound. Where the two differ, sites are settled whose
forced choice or refusal would push the bound below the plan, and branch and bound decides about the others.
The problem is that of Church and ReVelle (1974, "The maximal covering location problem").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from lifecircle.siting._allowed_sets import Choice
from lifecircle.siting._branch import branch_and_bound, core_of, relaxed_bound
from lifecircle.siting._certificate import Found, rounded_down, step_beyond, unit_of
from lifecircle.siting._cover import Cover, keep_rows, merge_rows
from lifecircle.siting._greedy import filled, lazy_greedy
from lifecircle.siting._highs import is_installed
from lifecircle.siting._lagrange import Dual, Effort, cover_bound
from lifecircle.siting._swaps import improve, improve_long, value_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.siting._deadline import Deadline

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_FIRST_STEPS, _MORE_STEPS = 300, 3000
_KICKS, _ROUNDS = 50, 60
_SEARCH = 0.5
"""Share of the time that is left for a search at most."""

_SMALL = 3000
"""Pairs of a problem that branching solves at once."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """The part of a problem that is still to be decided.

    Attributes
    ----------
    cover : rows not covered yet, merged; columns are ``sites``
    sites : (column,) position among all sites
    choice : choose exactly so many of the columns
    settled : weight that is covered whatever is chosen
    """

    cover: Cover
    sites: Ints
    choice: Choice
    settled: float


def plain_choice(size: int, count: int | None) -> Choice:
    """Return the choice that allows any so many of all sites."""
    none = np.zeros(0, dtype=np.int64)
    return Choice(
        size=size,
        kept=none,
        required=none,
        free=np.arange(size),
        count=count,
        closable=none,
        closures=0,
        movable=none,
        moves=0,
        prices=None,
        budget=None,
        apart=np.zeros((0, 2), dtype=np.int64),
    )


def reduce(by_row: csr_array, weights: Floats, choice: Choice) -> Reduced:
    """Leave out who is covered in any case and who cannot be covered, and merge rows covered alike."""
    base = choice.base()
    covered = np.asarray(by_row @ base.astype(np.float64)) > 0
    rest = keep_rows(by_row, np.flatnonzero(~covered & (weights > 0)))[:, choice.free]
    merged, summed, _ = merge_rows(csr_array(rest), weights[~covered & (weights > 0)])
    return Reduced(
        Cover.of(merged, summed),
        choice.free,
        plain_choice(len(choice.free), choice.wanted),
        float(weights[covered].sum()),
    )


def solve_max_cover(by_row: csr_array, weights: Floats, choice: Choice, *, deadline: Deadline) -> Found:
    """Find the sites that cover the most weight.

    Parameters
    ----------
    by_row : csr (row, site) of ones
    weights : (row,)
    choice : plain
    """
    # Residents with the same sites in reach become one row: far fewer.
    problem = reduce(by_row, weights, choice)
    unit = unit_of(weights)
    chosen, bound = _solve(problem, unit, deadline)
    is_open = choice.base()
    is_open[problem.sites[chosen]] = True
    return Found(is_open, rounded_down(problem.settled + bound, unit) if unit else problem.settled + bound)


def _solve(problem: Reduced, unit: float, deadline: Deadline) -> tuple[Ints, float]:
    cover, choice = problem.cover, problem.choice
    number = choice.wanted
    # Each step below returns as soon as the bound proves the plan; only what stays open goes on.
    worth = np.asarray(cover.by_site @ cover.weights)
    greedy, gains = lazy_greedy(cover, number, best=worth)
    chosen, value = filled(greedy, number, worth), float(gains.sum())
    # once nothing more can be gained everyone left is covered, for each row has a site
    if len(greedy) < number or number == choice.size or not len(cover.weights):
        return chosen, value_of(cover, chosen)
    chosen, value = improve(cover, chosen, kicks=0, deadline=deadline)
    dual: Dual | None = None
    for steps in (_FIRST_STEPS, _MORE_STEPS):
        if dual is not None and is_installed() and cover.by_row.nnz <= _SMALL:
            break  # branching has done with it before a longer search is worth its while
        # People are whole, so a better plan is better by a whole step: a bound below that step proves the
        # plan.
        step = step_beyond(problem.settled + value, unit)
        dual = cover_bound(
            cover,
            choice,
            value,
            effort=Effort(steps, deadline.share(0.4), value + step),
            start=None if dual is None else dual.multipliers,
        )
        if dual.bound < value + step or deadline.passed():
            break
        share, enough = deadline.share(_SEARCH), dual.bound - step
        if steps == _FIRST_STEPS:
            chosen, value = improve(cover, chosen, kicks=_KICKS, deadline=share, enough=enough)
        else:
            chosen, value = improve_long(cover, chosen, rounds=_ROUNDS, deadline=share, enough=enough)
        step = step_beyond(problem.settled + value, unit)
        if dual.bound < value + step:
            break
    assert dual is not None
    step = step_beyond(problem.settled + value, unit)
    bound = max(value, dual.bound)
    if dual.bound < value + step:
        return chosen, value if unit else bound
    if deadline.passed() or not is_installed():
        return chosen, bound
    return _core(problem, chosen, value, dual, unit=unit, step=step, deadline=deadline)


def _core(  # noqa: PLR0913 - everything known so far about the problem
    problem: Reduced, chosen: Ints, value: float, dual: Dual, *, unit: float, step: float, deadline: Deadline
) -> tuple[Ints, float]:
    """Settle the sites that the bound decides, first that of the multipliers, then that of the relaxation."""
    first = core_of(problem.cover, problem.choice.wanted, dual, value + step)
    relaxed = relaxed_bound(first.cover, first.number, deadline=deadline)
    if relaxed is None or deadline.passed():
        return chosen, max(value, dual.bound)
    core = core_of(first.cover, first.number, relaxed, value + step - first.settled)
    settled = first.settled + core.settled
    found, bound = branch_and_bound(core.cover, core.number, value - settled, step, deadline=deadline)
    if found is not None:
        opened = np.concatenate([first.opened, first.sites[np.concatenate([core.opened, core.sites[found]])]])
        chosen, value = np.sort(opened), value_of(problem.cover, opened)
    # Sets without a site that was settled are at most `step` better than the plan.
    proved = value if unit else value + step
    return chosen, max(proved, min(dual.bound, first.settled + relaxed.bound, bound + settled))
