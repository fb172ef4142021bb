"""What the page prints of a siting plan: before and after, cost, tenure, groups, speeds, remedies, ceiling.

Only puts in words what the plan carries; solves and counts nothing. What a plan does not carry is left out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lifecircle.page_data._figure_text import goal_text, people_text, percent_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.wording import Words

_YUAN = 10_000
_REMEDIES = 8
"""Remedies of a list that the page shows; the plan's own files hold all."""


def plan_story(plan: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """Return what is shown of a plan beside its sites, every figure in words.

    Returns
    -------
    story : ``effect`` and ``ceiling`` are sentences, empty where the plan does not say; ``facts`` terms with
        their text; ``towns`` and ``groups`` rows of name, before, after and people newly covered; ``speeds``
        rows of speed, people newly covered and the most there could be; ``remedies`` lists, each of one
        accounting and way of paying, with rows of kind, name, people, cost, people per 10,000 yuan and
        place; ``curve`` numbers of sites with shares, with the shares ``goal`` and ``most`` (every candidate
        built), None where unknown
    """
    page = words.section("page")
    own = plan.get("own_target") or {}
    people = plan.get("people")
    return {
        "effect": _effect(plan, page),
        "ceiling": _ceiling(plan, page),
        "facts": _facts(plan, words),
        "towns": [_row(one, str(one["name"])) for one in own.get("districts", ()) if one["won"]],
        "groups": [
            _row(one, words.get("group", str(one["code"])))
            for one in own.get("groups", ())
            if one["code"] != "all" and one["won"]
        ],
        "speeds": [
            [page[f"band_{one['speed']}"], people_text(one["people"]), people_text(one["best"])]
            for one in plan.get("sensitivity", ())
        ],
        "remedies": _remedies(plan, words),
        "curve": [[sites, value / people] for sites, value in plan.get("curve", ())] if people else [],
        "goal": plan.get("goal"),
        "goalText": "" if plan.get("goal") is None else goal_text(float(plan["goal"])),
        "most": _share(plan.get("attainable"), people),
    }


def site_facts(site: Mapping[str, Any], words: Words) -> list[str]:
    """Return what the page prints under a site: how it is built, whose it is, its cost, groups and speeds."""
    page = words.section("page")
    people, cost = site.get("people"), site.get("cost")
    built = [
        words.get("works", str(site["works"])) if site.get("works") else "",
        str(site.get("tenure", "")),
        page["plan_cost"].format(cost=f"{cost:,.1f}") if cost is not None else "",
        page["plan_each"].format(yuan=f"{cost * _YUAN / people:,.0f}") if cost is not None and people else "",
    ]
    groups = [
        page["plan_group"].format(name=words.get("group", name), people=people_text(count))
        for name, count in (site.get("groups") or {}).items()
        if name in {"over60", "under3"} and count
    ]
    band = [one for one in site.get("band") or () if one is not None]
    speeds = page["plan_band"].format(people=" / ".join(people_text(one) for one in band))
    lines = [
        " · ".join(filter(None, built)),
        page["plan_of_them"].format(groups=page["lacks_and"].join(groups)),
    ]
    return [lines[0], lines[1] if groups else "", speeds if len(band) > 1 else ""]


def _effect(plan: Mapping[str, Any], page: Mapping[str, str]) -> str:
    people, before, after = (plan.get(name) for name in ("people", "covered_before", "covered_after"))
    if people and before is not None and after is not None:
        return page["plan_effect"].format(
            before=percent_text(before / people),
            after=percent_text(after / people),
            people=people_text(after - before),
        )
    if plan.get("value_before") is not None and plan.get("value_after") is not None:
        shares = (percent_text(plan["value_before"]), percent_text(plan["value_after"]))
        return page["plan_effect_share"].format(before=shares[0], after=shares[1])
    return ""


def _ceiling(plan: Mapping[str, Any], page: Mapping[str, str]) -> str:
    """Say how far sites alone can take it: the end of the curve, every candidate built, and the goal."""
    people, goal, most = plan.get("people"), plan.get("goal"), plan.get("attainable")
    curve = plan.get("curve") or ()
    if not people or goal is None or most is None or not curve:
        return ""
    sites, covered = curve[-1]
    facts = {
        "goal": goal_text(float(goal)),
        "sites": sites,
        "share": percent_text(covered / people),
        "all": plan.get("free") or 0,
        "most": percent_text(most / people),
    }
    if plan.get("goal_attainable") is False:
        sentence = "plan_ceiling" if facts["all"] else "plan_ceiling_sites"
        return page[sentence].format(**facts)
    if plan.get("enough"):
        return page["plan_enough"].format(goal=facts["goal"], sites=plan["enough"])
    return page["plan_not_yet"].format(**facts)


def _facts(plan: Mapping[str, Any], words: Words) -> list[list[str]]:
    page, sites = words.section("page"), list(plan.get("sites", ()))
    out = []
    costs = [site.get("cost") for site in sites]
    if sites and all(one is not None for one in costs):
        total = float(sum(costs))
        people = sum(site.get("people") or 0.0 for site in sites)
        text = page["plan_cost"].format(cost=f"{total:,.1f}")
        if people:
            text += " · " + page["plan_each"].format(yuan=f"{total * _YUAN / people:,.0f}")
        out.append([page["plan_cost_title"], text])
    elif any(one is not None for one in costs):
        known = sum(one for one in costs if one is not None)
        missing = sum(one is None for one in costs)
        text = page["plan_cost_part"].format(cost=f"{known:,.1f}", count=missing)
        out.append([page["plan_cost_title"], text])
    for name, section in (("works", "works"), ("tenure", "")):
        counts = Counter(str(site.get(name) or "") for site in sites)
        counts.pop("", None)
        if counts:
            parts = [
                page["plan_count"].format(name=words.get(section, one) if section else one, count=count)
                for one, count in counts.items()
            ]
            out.append([page[f"plan_{name}_title"], page["lacks_and"].join(parts)])
    return out


def _row(one: Mapping[str, Any], name: str) -> list[str]:
    return [
        name,
        percent_text(one["value_before"]),
        percent_text(one["value_after"]),
        people_text(one["won"]),
    ]


def _remedies(plan: Mapping[str, Any], words: Words) -> list[dict[str, Any]]:
    """List remedies by people for the money, each accounting and way of paying by itself.

    Those of unknown cost come last, by people.
    """

    def order(one: Mapping[str, Any]) -> tuple[bool, float, float]:
        """Return what a remedy is sorted by: unknown costs last, then people for the money, then people."""
        per = one.get("people_per_cost")
        return (per is None, -(per or 0.0), -float(one["people"]))

    lists: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in plan.get("remedies", ()):
        lists.setdefault((str(one.get("accounting", "reach")), str(one.get("paid", "once"))), []).append(one)
    return [
        {
            "title": f"{words.get('column', accounting)} · {words.get('paid', paid)}",
            "rows": [_remedy(one, words) for one in sorted(some, key=order)[:_REMEDIES]],
        }
        for (accounting, paid), some in lists.items()
    ]


def _remedy(one: Mapping[str, Any], words: Words) -> dict[str, Any]:
    page, cost, per = words.section("page"), one.get("cost"), one.get("people_per_cost")
    yearly = "_year" if one.get("paid") == "year" else ""
    return {
        "kind": words.get("works", str(one["kind"])),
        "name": str(one["name"]),
        "people": people_text(float(one["people"])),
        "cost": "—" if cost is None else page[f"plan_cost{yearly}"].format(cost=f"{cost:,.1f}"),
        "per": "—" if per is None else f"{per:,.1f}",
        "at": [float(one["lat"]), float(one["lon"])],
    }


def _share(value: float | None, people: float | None) -> float | None:
    return None if value is None or not people else value / people
