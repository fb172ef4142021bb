"""Bound coverage by Lagrange multipliers, with the descent that finds all multipliers.

Every row r needs ``need[r]`` sites and belongs to a resident i; the resident counts when all rows do. With a
multiplier for each row, no allowed set covers more than

    L = sum_i max(0, people_i - sum_r need_r lambda_r) + most an allowed set can score,

where a site scores the multipliers of the rows it covers. L is an upper bound for any multipliers >= 0. It is
evaluated here in float64, so it is valid however they were found. See Galvao and ReVelle, "A Lagrangean
heuristic for the maximal covering location problem" (1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.siting._totals import totals

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lifecircle.siting._allowed_sets import Choice
    from lifecircle.siting._cover import Cover
    from lifecircle.siting._deadline import Deadline

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_SHORTER, _SHORTEST, _INERTIA = 0.7, 1e-3, 0.75

ROUNDING = 1e-12
"""Share of a sum by which float64 may be wrong; it is added to every bound."""


@dataclass(frozen=True, eq=False)
class Dual:
    """A bound and where it comes from.

    Attributes
    ----------
    bound : no allowed set covers more
    multipliers : (row,)
    scores : (site,) what each site scores with them
    """

    bound: float
    multipliers: Floats
    scores: Floats


@dataclass(frozen=True, eq=False)
class Effort:
    """Limits of a descent: at most so many steps, until the deadline, or below ``enough``.

    ``pace`` is the length of the first step as a share of what would close the gap on a straight slope, and
    ``patience`` the steps without progress after which it is shortened.
    """

    steps: int
    deadline: Deadline
    enough: float
    pace: float = 1.0
    patience: int = 25


def descend(
    evaluate: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    greatest: Floats,
    *,
    value: float,
    effort: Effort,
) -> tuple[float, Floats]:
    """Lower a bound by steps against its slope, with inertia.

    The step length is that of Polyak (1969, "Minimization of unsmooth functionals"); the target is the value
    of a known plan.

    Parameters
    ----------
    evaluate : multipliers -> bound and slope, for multipliers from 0 to ``greatest``
    value : value of a known plan; no bound is under it

    Returns
    -------
    bound, multipliers : the least bound that was found, and where
    """
    multipliers = start
    best, best_multipliers = np.inf, start
    pace, stalled = effort.pace, 0
    drift = np.zeros(len(start))
    for step in range(max(1, effort.steps)):
        bound, slope = evaluate(multipliers)
        if bound < best:
            stalled = 0 if best - bound > 1e-4 * (best - value) else stalled + 1
            best, best_multipliers = bound, multipliers
        else:
            stalled += 1
        if best < effort.enough or (step % 8 == 0 and effort.deadline.passed()):
            break
        # Begin again at the best multipliers with a shorter step: long steps jump over the lowest place.
        if stalled >= effort.patience:
            pace, stalled, multipliers = pace * _SHORTER, 0, best_multipliers
            drift = np.zeros(len(start))
            if pace < _SHORTEST:
                break
            continue
        # A mean over past slopes: the plain slope can change direction at every step, which leads nowhere.
        drift = _INERTIA * drift + (1 - _INERTIA) * slope if drift.any() else slope
        # A multiplier at its end cannot move further; counting it would make every other step too short.
        stuck = ((multipliers <= 0) & (drift > 0)) | ((multipliers >= greatest) & (drift < 0))
        downhill = np.where(stuck, 0.0, drift)
        length = float(np.square(downhill).sum())  # BLAS would wake threads for it
        if length == 0:
            break
        multipliers = np.clip(multipliers - pace * (bound - value) / length * downhill, 0.0, greatest)
    return best, best_multipliers


def cover_bound(
    cover: Cover, choice: Choice, value: float, *, effort: Effort, start: Floats | None = None
) -> Dual:
    """Return an upper bound of coverage where each row is a resident and needs one site.

    Parameters
    ----------
    value : weight of a known plan
    start : multipliers to begin with
    """
    weights = cover.weights
    rounding = ROUNDING * cover.total

    def evaluate(multipliers: Floats) -> tuple[float, Floats]:
        """Return bound and slope at these multipliers."""
        total, chosen = choice.most(cover.by_site @ multipliers)
        bound = float(np.maximum(weights - multipliers, 0.0).sum()) + total + rounding
        return bound, cover.by_row @ chosen.astype(np.float64) - (weights > multipliers)

    if start is None:
        start = weights / np.maximum(np.diff(cover.by_row.indptr), 1)
    bound, multipliers = descend(evaluate, start, weights, value=value, effort=effort)
    return Dual(bound, multipliers, cover.by_site @ multipliers)


def rule_bound(  # noqa: PLR0913 - the rows, what they ask for and how long to go on
    cover: Cover, need: Ints, resident: Ints, people: Floats, choice: Choice, *, value: float, effort: Effort
) -> float:
    """Return an upper bound of coverage where residents have several rows or rows need several sites.

    Parameters
    ----------
    cover : its weights are not used
    need, resident : (row,)
    people : (resident,)
    """
    needs = need.astype(np.float64)
    heads = people[resident]

    def evaluate(multipliers: Floats) -> tuple[float, Floats]:
        """Return bound and slope at these multipliers."""
        total, chosen = choice.most(cover.by_site @ multipliers)
        left = people - totals(resident, needs * multipliers, len(people))
        bound = float(np.maximum(left, 0.0).sum()) + total
        bound += ROUNDING * (float(people.sum()) + total)
        return bound, cover.by_row @ chosen.astype(np.float64) - needs * (left[resident] > 0)

    start = heads / (needs * np.maximum(totals(resident, np.ones(len(resident)), len(people)), 1)[resident])
    start = start / np.maximum(np.diff(cover.by_row.indptr), 1)
    return descend(evaluate, start, heads / needs, value=value, effort=effort)[0]
