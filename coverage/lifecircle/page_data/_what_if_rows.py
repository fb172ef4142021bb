"""What the page offers to try: the services of a building that fills a rule, and scenarios; tries nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from lifecircle.page_data._figure_text import people_text, percent_text
from lifecircle.page_data._target_text import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from lifecircle.findings import Findings
    from lifecircle.standards import Target
    from lifecircle.wording import Words


class Pin(TypedDict):
    """One venue that a scenario opens: WGS84 degrees, service ids with ``;`` between them, its name."""

    lon: float
    lat: float
    service: str
    name: str


@dataclass(frozen=True, eq=False)
class ScenarioView:
    """A scenario as the page opens it: venues to open as pins, and, where it was run, who wins and who loses.

    Attributes
    ----------
    title : what it is called
    pins : the venues that it opens
    others : action -> how many of its changes are no venue that opens, which no pin stands for
    year : of the run, None where the scenario is only a file of changes
    targets : of every target the comparison, as ``comparison.json`` has it
    moved : residents covered after and not before, or before and not after: columns ``target``, ``resident``,
        ``change`` (``won`` or ``lost``); None without a run
    """

    title: str
    pins: Sequence[Pin]
    others: Mapping[str, int] = field(default_factory=Counter)
    year: int | None = None
    targets: Sequence[Mapping[str, Any]] = ()
    moved: pd.DataFrame | None = None


@dataclass(frozen=True)
class WhatIf:
    """What the page offers to try beside the findings.

    ``buildings`` : target -> services of one building that fills its rule alone; of a target that is not
    named the page takes of each class the services that come first. ``scenarios`` : to open.
    """

    buildings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scenarios: Sequence[ScenarioView] = ()


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


def scenario_data(offered: WhatIf, years: Sequence[Findings], words: Words) -> list[dict[str, Any]]:
    """Put scenarios in the plain form of the page, with what it prints of them."""
    return [_scenario(one, years, words) for one in offered.scenarios]


def _scenario(view: ScenarioView, years: Sequence[Findings], words: Words) -> dict[str, Any]:
    page = words.section("page")
    others = [
        page["scenario_other"].format(action=words.get("change_action", action), count=count)
        for action, count in view.others.items()
    ]
    return {
        "title": view.title,
        "pins": list(view.pins),
        "others": page["scenario_others"].format(changes=page["lacks_and"].join(others)) if others else "",
        "year": view.year,
        "targets": {str(one["target"]): _target(one, words) for one in view.targets},
        "moved": _moved(view, years),
    }


def _target(one: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """Print what becomes of a target: values, people won and lost, districts and groups where any differ."""
    page = words.section("page")
    before, after = one["value_before"], one["value_after"]
    share = one["kind"] in {"circle", "presence"} or one["unit"] == "share"
    won, lost = one["won"], one["lost"]
    people = ""
    if won is not None and lost is not None:
        people = page["scenario_people"].format(won=people_text(won), lost=people_text(lost))
    parts = [(str(part["name"]), part) for part in (*one["districts"], *one["towns"])]
    names = [
        (words.get("area", "outside") if part["code"] == OUTSIDE else name, part) for name, part in parts
    ]
    groups = [
        (words.get("group", str(part["code"])), part) for part in one["groups"] if part["code"] != "all"
    ]
    return {
        "effect": page["scenario_effect"].format(
            before=_value(before, share=share), after=_value(after, share=share)
        ),
        "same": before == after and not won and not lost,
        "people": people,
        "towns": [_row(name, part, share=share) for name, part in names if _differs(part)],
        "groups": [_row(name, part, share=share) for name, part in groups if _differs(part)],
    }


def _value(value: float | None, *, share: bool) -> str:
    if value is None:
        return "—"
    return percent_text(value) if share else f"{value:,.2f}".rstrip("0").rstrip(".")


def _differs(part: Mapping[str, Any]) -> bool:
    return bool(part["value_before"] != part["value_after"] or part.get("won") or part.get("lost"))


def _row(name: str, part: Mapping[str, Any], *, share: bool) -> list[str]:
    people = ["—" if part.get(which) is None else people_text(part[which]) for which in ("won", "lost")]
    return [
        name,
        _value(part["value_before"], share=share),
        _value(part["value_after"], share=share),
        *people,
    ]


def _moved(view: ScenarioView, years: Sequence[Findings]) -> dict[str, dict[str, list[int]]]:
    """Find the places of those who win and lose among the year's residents: target -> change -> places."""
    findings = next((one for one in years if one.year == view.year), None)
    if view.moved is None or findings is None:
        return {}
    places = findings.demand.index.astype(str).get_indexer(view.moved["resident"].astype(str))
    out: dict[str, dict[str, list[int]]] = {}
    for target, change, place in zip(view.moved["target"], view.moved["change"], places, strict=True):
        if place >= 0:
            out.setdefault(str(target), {"won": [], "lost": []})[str(change)].append(int(place))
    return out
