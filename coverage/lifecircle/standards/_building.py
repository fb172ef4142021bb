"""What one building has to hold so that it fills a circle's rule alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from lifecircle.standards._model import CircleTarget, Standard

_TIERS = ("village", "town", "county", None)


def whole_rule(target: CircleTarget, standard: Standard) -> tuple[str, ...]:
    """Choose the services of one building that fills a rule alone: of each class as many as it asks for.

    Services of villages come first, then of towns and of the county, each in the standard's order.

    Raises
    ------
    UnusableInputError
        A class has fewer services than the rule asks venues of.
    """
    chosen: list[str] = []
    classes = standard.venues(target)
    for name, members in classes.items():
        have = len(set(chosen) & members)
        ordered = sorted(
            (one for one in standard.services if one.id in members and one.id not in chosen),
            key=lambda one: _TIERS.index(one.tier),
        )
        wanted = target.require[name] - have
        if len(ordered) < wanted:
            reason = say(
                "class '{name}' has only {many} {many:service|services} for {wanted} {wanted:venue|venues}",
                name=name,
                many=len(ordered) + have,
                wanted=target.require[name],
            )
            remedy = say("say which services a new site holds, with --service or [siting.services]")
            raise UnusableInputError([Fault(standard.id, f"target {target.id!r}", name, reason, remedy)])
        chosen += [one.id for one in ordered[: max(wanted, 0)]]
    return tuple(chosen)
