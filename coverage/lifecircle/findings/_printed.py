"""Print the figures of a target: a share in per cent, any other with its unit; never better than it is."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from lifecircle.findings._results import as_circle
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from lifecircle.findings._results import TargetResult
    from lifecircle.findings._run_parts import Language

_NO_HUNDREDTHS = 1e15
"""From here on a float has no hundredths, and a decimal of them has more digits than any reader."""


def value_text(result: TargetResult, value: float | None, language: Language) -> str:
    """Print a target's figure: a share in per cent, any other with its unit; never better than it is."""
    if value is None:
        return "—"
    if result.is_share:
        return percent(value).replace(" ", "")
    unit = unit_text(result, language)
    if abs(value) >= _NO_HUNDREDTHS:
        return f"{value:.6g} {unit}".strip()
    better = ROUND_CEILING if getattr(result.target, "direction", "up") == "down" else ROUND_FLOOR
    figure = Decimal(repr(float(value))).quantize(Decimal("0.01"), rounding=better)
    return f"{figure.normalize():f} {unit}".strip()


def gap_text(result: TargetResult, gap: float | None, language: Language) -> str:
    """Print the difference of two of a target's figures: of two shares in points, of others in their unit."""
    if gap is None or not result.is_share:
        return value_text(result, gap, language)
    return word("supply", "gap_points", language).format(points=f"{100 * gap:.1f}")


def mark_text(result: TargetResult, value: float, language: Language) -> str:
    """Print a goal or a milestone with all its digits, where a value would be truncated."""
    if not result.is_share:
        return value_text(result, value, language)
    return f"{(Decimal(repr(float(value))) * 100).normalize():f}%"


def unit_text(result: TargetResult, language: Language) -> str:
    """Return the unit of a target's figures as it is printed: ``%`` for shares, else its own."""
    if result.is_share:
        return "%"
    unit = str(getattr(result.target, "unit", "") or "")
    per = unit.removeprefix("per ")
    if per != unit:
        return word("unit", "per_people", language).format(per=per)
    return word("unit", unit, language)


def grounds_text(result: TargetResult, language: Language) -> str:
    """Print the rate of a target with and without the grounds of schools; empty where none is counted."""
    variants = as_circle(result).variants
    if "without_school_grounds" not in variants:
        return ""
    both = (result.value, variants["without_school_grounds"])
    value, without = (value_text(result, one, language) for one in both)
    name = result.target.name.get(language)
    return word("terminal", "school_grounds", language).format(target=name, value=value, without=without)
