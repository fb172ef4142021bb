"""Value every circle on the other surfaces of the residents, and say where surface and service may be mixed.

Where people live is known from several sources that differ. The verdict follows from the study's own surface;
how far the others would move the value stands beside it, and where another verdict would follow is said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lifecircle.audit._circles import circle_value
from lifecircle.audit._prepare import circles
from lifecircle.audit._questions import ask
from lifecircle.audit._searches import Searches
from lifecircle.audit._surfaces import another_surface, declared_break
from lifecircle.standards import verdict
from lifecircle.wording import truncated_percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.audit._inputs import Inputs
    from lifecircle.findings import CircleResult


def values_on_surfaces(inputs: Inputs) -> dict[str, dict[str, float | None]]:
    """Value every circle on the other surfaces: target -> surface -> share, None where it has none."""
    found: dict[str, dict[str, float | None]] = {}
    for name, demand in inputs.surfaces.items():
        other = replace(inputs, demand=demand, surfaces={}, people=None)
        answers = ask(other, Searches(other), values_only=True)
        for target in circles(inputs.study.standard):
            found.setdefault(target.id, {})[name] = circle_value(target, other, answers)
    return found


def surface_notes(result: CircleResult, others: Mapping[str, float | None], year: int) -> tuple[str, ...]:
    """Return codes for the spread of a value over all surfaces, and for verdicts that differ.

    Parameters
    ----------
    result : on the study's own surface
    others : surface -> value
    year : the audited year
    """
    known = {name: value for name, value in others.items() if value is not None}
    notes = []
    if result.value is not None and known:
        low, high = (pick(result.value, *known.values()) for pick in (min, max))
        notes.append(f"surfaces:{len(known) + 1}|{truncated_percent(low)}|{truncated_percent(high)}")
        own = verdict(result.target, year, result.value)
        crossed = [name for name, value in known.items() if verdict(result.target, year, value) != own]
        if crossed:
            notes.append(f"surfaces_verdict:{', '.join(crossed)}")
    lacking = sorted(others.keys() - known.keys())
    if lacking:
        notes.append(f"surfaces_without:{', '.join(lacking)}")
    return tuple(notes)


def surface_doubts(before: Inputs, inputs: Inputs) -> list[str]:
    """Warn of residents that come from another surface than those of the year before, undeclared."""
    if declared_break(inputs.study, before.year, inputs.year) or not another_surface(before, inputs):
        return []
    return [f"surface_changed:{before.year}|{inputs.year}"]
