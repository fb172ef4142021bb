"""What the page offers to try: the services of one building that fills a rule, scenarios; tries nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.findings import Findings
    from lifecircle.standards import Target


@dataclass(frozen=True)
class WhatIf:
    """What the page offers to try beside the findings.

    ``buildings`` : target -> services of one building that fills its rule alone; of a target that is not
    named the page takes of each class the services that come first.
    """

    buildings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def building_of(
    findings: Findings, target: Target, answers: Mapping[str, Any] | None, offered: WhatIf
) -> list[str]:
    """Return the services of one building that fills a circle's rule; none where its classes have too few.

    ``answers`` : what the page keeps of the target's travel times, with the classes of its rule.
    """
    if target.kind != "circle" or not answers:
        return []
    if target.id in offered.buildings:
        return list(offered.buildings[target.id])
    chosen: list[str] = []
    for one in answers["classes"]:
        members = set(one["services"])
        wanted = target.require[one["name"]] - len(members.intersection(chosen))
        rest = [service for service in findings.services if service in members and service not in chosen]
        if wanted > len(rest):
            return []
        chosen += rest[: max(wanted, 0)]
    return chosen
