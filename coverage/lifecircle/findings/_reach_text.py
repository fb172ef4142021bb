"""Say what is within reach by a capacity target, who is served, and how evenly: lines for report and page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.findings._printed import value_text
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifecircle.findings._results import CapacityReach, CapacityResult, TargetResult
    from lifecircle.findings._run_parts import Language

_NO_PLACES = 0.05
_MANY = 100.0
"""Places from which on a tenth of one says nothing; fewer than the former are none."""


def reach_lines(result: CapacityResult, language: Language, circles: Mapping[str, str]) -> list[str]:
    """Say what is within reach by a capacity target and who is served; nothing where no limit is known.

    Parameters
    ----------
    result : of one run
    circles : id -> name of the circles of the run
    """
    reach = result.reach
    if reach is None:
        return []
    count = reach.count

    def said(key: str, **values: object) -> str:
        """Fill in a sentence."""
        return word("supply", key, language).format(**values)

    rule = {"profile": word("traveller", reach.profile, language), "minutes": f"{reach.minutes:g}"}
    circle = circles.get(reach.circle, reach.circle)
    lines = [said("rule_of", **rule, circle=circle) if circle else said("rule", **rule)]
    if count.score is not None:
        lines.append(said("score", value=value_text(result, count.score, language)))
    if reach.each is None:
        return lines
    who = word("group", reach.users, language)
    lines.append(
        said(
            "each_own" if getattr(result.target, "users", None) else "each",
            each=f"{reach.each:,.0f}",
            who=who,
        )
    )
    people = {name: _people(getattr(count, name)) for name in ("served", "full", "unreachable")}
    share = percent((count.served or 0.0) / count.people).replace(" ", "") if count.people > 0 else "—"
    lines.append(said("served", **people, share=share))
    if count.unsnapped:
        lines.append(said("unsnapped", people=_people(count.unsnapped)))
    if count.unknown:
        lines.append(said("unsure", people=_people(count.unknown)))
    lines.append(
        said(
            "venues",
            venues=reach.venues,
            filled=reach.filled,
            unreached=reach.unreached,
            unused=_people(reach.unused or 0.0),
        )
    )
    if reach.orders is not None:
        tried = {name: _people(getattr(reach.orders, name)) for name in ("least", "most", "best")}
        lines.append(said("orders", **tried))
    return [*lines, *_missing_lines(reach, said)]


def _missing_lines(reach: CapacityReach, said: Callable[..., str]) -> list[str]:
    """Say how many places are missing within reach, and in which district most."""
    count = reach.count
    if count.missing_full is None or count.missing_unreachable is None:
        return []
    lines = [
        said("missing", full=_places(count.missing_full), unreachable=_places(count.missing_unreachable))
    ]
    worst = max(reach.districts, key=lambda one: one.count.missing_full or 0.0, default=None)
    if worst is not None and (worst.count.missing_full or 0.0) > _NO_PLACES:
        lines.append(said("worst", town=worst.name, full=_places(worst.count.missing_full or 0.0)))
    return lines


def equity_lines(result: TargetResult, language: Language) -> list[str]:
    """Say how evenly a target's figure is shared out; nothing where that was not counted."""
    equity = getattr(result, "equity", None)
    if equity is None:
        return []

    def said(key: str, **values: object) -> str:
        """Fill in a sentence."""
        return word("supply", key, language).format(**values)

    def shown(value: float) -> str:
        """Print a figure of the target."""
        return value_text(result, value, language)

    lines = []
    if equity.urban is not None and equity.rural is not None:
        lines.append(said("equity_sides", urban=shown(equity.urban), rural=shown(equity.rural)))
    if equity.towns is not None and equity.highest is not None and equity.lowest is not None:
        highest, lowest = shown(equity.highest), shown(equity.lowest)
        sides = {"high": equity.towns.high, "low": equity.towns.low}
        lines.append(said("equity_towns", **sides, highest=highest, lowest=lowest))
    if equity.groups:
        group = min(equity.groups, key=lambda name: equity.groups[name])
        lines.append(
            said("equity_groups", group=word("group", group, language), value=shown(equity.groups[group]))
        )
    if equity.gini is not None:
        lines.append(said("equity_gini", gini=f"{equity.gini:.2f}"))
    if equity.theil_between is not None and equity.theil_within is not None:
        between, within = f"{equity.theil_between:.3f}", f"{equity.theil_within:.3f}"
        lines.append(said("equity_theil", between=between, within=within))
    if equity.below is not None and result.target.kind == "capacity":
        lines.append(said("equity_below", below=percent(equity.below).replace(" ", "")))
    return lines


def _people(value: float) -> str:
    """Print people, whole."""
    return f"{value:,.0f}"


def _places(value: float) -> str:
    """Print places that are missing: to a tenth where they are few, as of carers."""
    return f"{value:,.0f}" if value >= _MANY else f"{value:.1f}"
