"""Compute the verdict: the milestone of a year, and how a value compares with it; not the value.

Figures are written in decimals, so they are added and divided as decimals: the milestone half-way from
0.6 to 1.0 is exactly 0.8, not its neighbour in the last bit, and a value of 0.8 meets it.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifecircle.standards._model import Target

_SHARES = frozenset({"share", "percent", "%"})
"""Units of indicators that are a part of a whole."""

Verdict = Literal["met", "missed", "on_track", "behind", "reported", "not_assessable"]


def milestone(target: Target, year: int) -> float | None:
    """Return the figure a target should have reached in a year, before tolerance; None without a goal.

    In and after the due year, and without one, it is the goal. Before, it lies on the straight lines
    between baseline, milestones and goal; before the first of them it is that first figure. With neither
    baseline nor milestones it is unknown how far a target should be before its due year: None.

    Parameters
    ----------
    target : any kind
    year : the audited year

    Returns
    -------
    figure : in the unit of the goal

    >>> from lifecircle.standards import read_target
    >>> plan = {"id": "t", "kind": "indicator", "name": "t", "unit": "share", "goal": 1.0, "due": 2025}
    >>> milestone(read_target({**plan, "baseline": {"2021": 0.6}}), 2023)
    0.8
    """
    if without_baseline(target, year) and not (target.baseline or target.milestones):
        return None
    exact = _expected(target, year)
    return None if exact is None else float(exact)


def without_baseline(target: Target, year: int) -> bool:
    """Return whether a year lies before the due year of a goal and before every baseline and milestone.

    In such a year a target can be seen to be early, but not to be late.

    Parameters
    ----------
    target, year : as for :func:`milestone`

    Returns
    -------
    without : bool

    >>> from lifecircle.standards import load_standard
    >>> without_baseline(load_standard("haiyan-2025").target("culture"), 2025)
    False
    """
    if target.goal is None or target.due is None or year >= target.due:
        return False
    return all(year < given for given in (*target.baseline, *target.milestones))


def threshold(target: Target, year: int) -> float | None:
    """Return the figure at which the verdict of a year changes: the milestone with the tolerance applied.

    A value equal to it is good enough. Where there is no milestone it is the goal. None without a goal.

    Parameters
    ----------
    target, year : as for :func:`milestone`

    Returns
    -------
    figure : in the unit of the goal

    >>> from lifecircle.standards import load_standard
    >>> culture = load_standard("haiyan-2025").target("culture")
    >>> threshold(culture.model_copy(update={"tolerance": 0.1}), 2025)
    0.9
    """
    exact = _expected(target, year)
    if exact is None:
        return None
    return float(exact + _decimal(target.tolerance) if _falls(target) else exact - _decimal(target.tolerance))


def verdict(target: Target, year: int, value: float | None) -> Verdict:
    """Return the verdict of an unrounded value in a year.

    ``met`` or ``missed`` in and after the due year (and where there is none), ``on_track`` or ``behind``
    before it, ``reported`` without a goal, ``not_assessable`` without a value. No baseline, no ``behind``:
    in a year before every baseline and milestone a value that is already good enough is ``on_track``, any
    other is ``reported``, because it is unknown how far it should be.

    Parameters
    ----------
    target, year : as for :func:`milestone`
    value : in the unit of the goal, not rounded; None where unknown

    Returns
    -------
    verdict : one of the words above

    References
    ----------
    The plan's 每年有新突破、5年有新飞跃: before the due year a target is on track or behind, not missed.

    >>> from lifecircle.standards import load_standard
    >>> culture = load_standard("haiyan-2025").target("culture")
    >>> verdict(culture, 2025, 0.99996), verdict(culture, 2025, 1.0)
    ('missed', 'met')
    """
    if value is None or math.isnan(value):
        return "not_assessable"
    turn = threshold(target, year)
    if turn is None:
        return "reported"
    good = value <= turn if _falls(target) else value >= turn
    if target.due is None or year >= target.due:
        return "met" if good else "missed"
    if good:
        return "on_track"
    return "reported" if without_baseline(target, year) else "behind"


def judges_districts(target: Target) -> bool:
    """Return whether the goal of a target is one of every district too.

    A share, a ratio and a rule for every unit hold in a part as in the whole. The goal of any other figure,
    such as 24 schools or a computed gap, is the whole's: of a district its figure is reported.

    Parameters
    ----------
    target : any kind

    Returns
    -------
    judges : bool

    >>> from lifecircle.standards import load_standard
    >>> plan = load_standard("haiyan-2025")
    >>> [judges_districts(plan.target(name)) for name in ("culture", "modern_schools", "clinic_visit_rate")]
    [True, False, True]
    """
    if target.kind != "indicator" or target.each:
        return True
    return target.computed is None and target.unit in _SHARES


def trend_verdict(target: Target, year: int, wrong: Iterable[bool | None]) -> Verdict:
    """Return the verdict of figures that have to move in one direction from year to year.

    Parameters
    ----------
    target : a target with a trend
    year : the audited year
    wrong : for each figure (a gap of one circle, say) whether it moved the wrong way, or not at all, since
        the year before; None where that is unknown

    Returns
    -------
    verdict : one wrong is enough for ``missed`` (``behind`` before the due year); else one unknown, or no
        figure at all, is ``not_assessable``; else ``met`` (``on_track``)

    >>> from lifecircle.standards import read_target
    >>> gap = {"id": "t", "kind": "indicator", "name": "t", "unit": "share", "direction": "down"}
    >>> target = read_target({**gap, "trend": "shrinking", "due": 2025})
    >>> [trend_verdict(target, 2025, [wrong]) for wrong in (False, True, None)]
    ['met', 'missed', 'not_assessable']
    """
    moves = list(wrong)
    early = target.due is not None and year < target.due
    if any(moves):
        return "behind" if early else "missed"
    if not moves or None in moves:
        return "not_assessable"
    return "on_track" if early else "met"


def _expected(target: Target, year: int) -> Fraction | None:
    if target.goal is None:
        return None
    given = {**target.baseline, **target.milestones}
    if target.due is None or year >= target.due or not given:
        return _decimal(target.goal)
    points = sorted({**given, target.due: target.goal}.items())
    if year <= points[0][0]:
        return _decimal(points[0][1])
    after = next(position for position, (known, _) in enumerate(points) if known >= year)
    (start, low), (end, high) = points[after - 1], points[after]
    return _decimal(low) + (_decimal(high) - _decimal(low)) * Fraction(year - start, end - start)


def _falls(target: Target) -> bool:
    return target.kind == "indicator" and target.direction == "down"


def _decimal(figure: float) -> Fraction:
    return Fraction(repr(figure))
