"""How one target's figures stand in the panel, as printed text; counts nobody and judges nothing.

The ladder of accountings, the margin of the verdict, groups, variants, the year before and the rule with
its source: each comes ready from the findings.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lifecircle.findings import (
    ACCOUNTINGS,
    BY_VILLAGE,
    CircleDistrict,
    as_circle,
    grounds_text,
    mark_text,
    value_text,
)
from lifecircle.page_data._figure_text import (
    goal_text,
    minutes_text,
    people_text,
    percent_text,
    venues_text,
)
from lifecircle.roads import profile
from lifecircle.standards import threshold
from lifecircle.wording import printed_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.findings import (
        Accounting,
        CircleResult,
        Count,
        DistrictResult,
        Findings,
        TargetResult,
    )
    from lifecircle.standards import CircleTarget, Straight
    from lifecircle.wording import Words

OUTSIDE = "(outside)"
_ASIDE = "any_one"
_SIDES = ("urban", "rural")
_VARIANTS = ("without_school_grounds", "step_free", "aged_over60", "by_group_speed")


def figures(findings: Findings, result: TargetResult, words: Words) -> dict[str, Any]:
    """Print all that the panel says of one target, the residents' own answers apart."""
    target = result.target
    circle = as_circle(result)
    return {
        "id": target.id,
        "name": target.name.get(words.language),
        "kind": target.kind,
        "computed": result.value is not None,
        "mode": _mode(target, words) if target.kind == "circle" else "",
        "minutes": float(target.minutes) if target.kind == "circle" else None,
        "rule": _rule(findings, result, words),
        "ruleFor": _rule(findings, result, words, minutes="{minutes}"),
        "group": str(getattr(target, "group", "all")),
        "counts": _counts_whom(result, words),
        "value": value_text(result, result.value, words.language),
        "goal": target.goal,
        "goalText": "" if target.goal is None else _goal(result, words),
        "beforeText": "" if result.previous is None else _before(result, words),
        "department": target.department,
        "status": result.status,
        "statusText": words.get("status", result.status),
        "reason": words.explain(result.reason),
        "notes": [
            *filter(None, [grounds_text(result, words.language)]),
            *(words.explain(note) for note in (*result.notes, *result.previous_notes)),
        ],
        "facts": _facts(findings, result, words),
        "people": None if circle.count is None else _people(circle.count),
        "shares": result.is_share,
        "districts": [_district(result, one, words) for one in result.districts],
        "ladder": _ladder(circle, words),
        "margin": _margin(findings, circle, words),
        "groups": _groups(circle, words),
        "groupIds": [one.group for one in circle.groups],
        "variants": _variants(circle, words),
        "basis": _basis(findings, result, words),
    }


# ---------------------------------------------------------------------------------------------------------
# The rule and the headline


def _mode(target: CircleTarget, words: Words) -> str:
    mode = str(target.profile).partition("_")[0]
    return words.section("page").get(f"by_{mode}", mode)


def _venues(findings: Findings, result: TargetResult, words: Words) -> str:
    """Name what a rule asks for, and how many of each."""
    return venues_text(getattr(result.target, "require", {}), findings.services, words)


def _rule(findings: Findings, result: TargetResult, words: Words, *, minutes: str = "") -> str:
    """Print the rule, at its own limit or at ``minutes``, where the page puts in those tried out."""
    target = result.target
    if target.kind != "circle":
        return words.get("kind", target.kind)
    return words.get("page", "rule_circle").format(
        mode=_mode(target, words),
        minutes=minutes or f"{target.minutes:g}",
        venues=_venues(findings, result, words),
    )


def _counts_whom(result: TargetResult, words: Words) -> str:
    target = result.target
    if target.kind != "circle":
        return ""
    who = words.get("group", target.group)
    if target.area != "all":
        who += f" · {words.get('area', target.area)}"
    return words.get("page", "of_group").format(group=who)


def _facts(findings: Findings, result: TargetResult, words: Words) -> list[list[str]]:
    """List goal, milestone before the due year, quality, year before with its change, and what is short."""
    target, page = result.target, words.section("page")
    circle = as_circle(result)
    rows = [[page["goal"], _goal(result, words)]]
    before_due = target.due is not None and findings.year < target.due
    if before_due and result.milestone is not None:
        rows.append([page["milestone"], mark_text(result, result.milestone, words.language)])
    if circle.quality is not None:
        name = words.get("column", getattr(target, "quality", ""))
        rows.append([page["quality"].format(name=name), percent_text(circle.quality.value)])
    if result.previous is not None:
        rows.append([page["before"], _before(result, words)])
    sides = {one.group: one for one in circle.groups if one.group in _SIDES}
    if len(sides) == len(_SIDES):  # town and country stand in sight of every headline that has both
        shares = {name: percent_text(sides[name].value) for name in _SIDES}
        rows.append([page["sides"], page["sides_text"].format(**shares)])
    if circle.count is not None and circle.count.uncovered != 0:
        rows.append([page["uncovered"], _uncovered(circle.count, page)])
    # A goal below everyone leaves fewer to be covered than there are uncovered.
    if circle.shortfall_people and not (
        circle.count is not None and math.isclose(circle.shortfall_people, circle.count.uncovered)
    ):
        people = people_text(circle.shortfall_people)
        rows.append([page["shortfall"], page["shortfall_people"].format(people=people)])
    if circle.shortfall_villages:
        villages = f"{circle.shortfall_villages:,.0f}"
        rows.append([page["shortfall"], page["shortfall_villages"].format(villages=villages)])
    return rows


def _uncovered(count: Count, page: Mapping[str, str]) -> str:
    """Print who is not covered, and how many of them for want of data; a number kept back (NaN) is a star."""
    text = page["uncovered_people" if count.unsnapped == 0 else "uncovered_data"]
    return text.format(people=people_text(count.uncovered), data=people_text(count.unsnapped))


def _goal(result: TargetResult, words: Words) -> str:
    target, page = result.target, words.section("page")
    if target.goal is None:
        return page["no_goal"]
    return mark_text(result, target.goal, words.language) + (
        "" if target.due is None else page["due"].format(year=target.due)
    )


def _before(result: TargetResult, words: Words) -> str:
    value = value_text(result, result.previous, words.language)
    if result.value is None or result.previous is None or not result.is_share:
        return value
    points = f"{printed_points(result.previous, result.value):+.1f}".replace("-", "−")
    return words.get("page", "before_change").format(value=value, points=points)


def _people(count: Count) -> dict[str, str]:
    return {
        "total": people_text(count.people),
        "covered": people_text(count.covered),
        "beyond": people_text(count.beyond),
        "disconnected": people_text(count.disconnected),
        "unsnapped": people_text(count.unsnapped),
        "uncovered": people_text(count.uncovered),
    }


def _district(result: TargetResult, one: DistrictResult, words: Words) -> dict[str, Any]:
    count = one.count if isinstance(one, CircleDistrict) else None
    return {
        "code": one.code,
        "name": words.get("area", "outside") if one.code == OUTSIDE else one.name,
        "people": "" if count is None else people_text(count.people),
        "rate": value_text(result, one.value, words.language),
        "value": one.value,
        "left": "" if count is None else people_text(count.uncovered),
        "leftPeople": None if count is None or math.isnan(count.uncovered) else count.uncovered,
        "status": one.status,
        "statusText": words.get("status", one.status),
    }


# ---------------------------------------------------------------------------------------------------------
# The ladder of accountings


def _ladder(result: CircleResult, words: Words) -> dict[str, Any] | None:
    """Print each rung with what changed from the one before; a rung the run lacks says why."""
    target, page = result.target, words.section("page")
    if target.kind != "circle" or not result.accountings:
        return None
    rungs = [_rung(name, result.accountings.get(name), target, words) for name in ACCOUNTINGS]
    accepted, verdict = (result.accountings.get(name) for name in ("accepted", target.accounting))
    why = page["ladder_plain"]
    figure = "" if verdict is None else percent_text(verdict.value)
    if accepted is not None and verdict is not None and target.accounting != "accepted":
        first = percent_text(accepted.value)
        name = words.get("column", target.accounting)
        why = page["ladder_why"].format(accepted=first, rung=name, value=figure)
        figure = page["ladder_figure"].format(first=first, last=figure)
    return {"why": why, "figure": figure, "rungs": rungs}


def _rung(name: str, accounting: Accounting | None, target: CircleTarget, words: Words) -> dict[str, Any]:
    page = words.section("page")
    known: dict[str, Any] = {
        "villages": "—",
        "people": "—",
        "share": "—",
        "value": None,
        "text": page[f"missing_{name}"],
    }
    if accounting is not None:
        known = {
            "villages": f"{accounting.villages:,}",
            "people": people_text(accounting.people),
            "share": percent_text(accounting.value),
            "value": accounting.value,
            "text": _changed(name, target, words),
        }
    return {
        "id": name,
        "name": words.get("column", name),
        "aside": name == _ASIDE,
        "verdict": name == target.accounting,
        "by": page["by_villages" if name in BY_VILLAGE else "by_people"],
        "byVillage": name in BY_VILLAGE,
        **known,
    }


def _changed(name: str, target: CircleTarget, words: Words) -> str:
    page = words.section("page")
    facts = {"mode": _mode(target, words), "minutes": f"{target.minutes:g}"}
    if target.straight is not None:
        facts |= {"centre": page[f"centre_{target.straight.centre}"]}
        facts |= {"radius": _radius(target.straight, words)}
    if target.open_at is not None:
        day, _, hour = str(target.open_at).partition(" ")
        facts["when"] = f"{page[f'day_{day}']} {hour}"
    return page[f"changed_{name}"].format_map(facts)


def _radius(straight: Straight, words: Words) -> str:
    page = words.section("page")
    urban, rural = f"{straight.urban_m:,.0f}", f"{straight.rural_m:,.0f}"
    if urban == rural:
        return page["radius_one"].format(radius=urban)
    return page["radius_two"].format(urban=urban, rural=rural)


# ---------------------------------------------------------------------------------------------------------
# The margin, groups and variants


def _margin(findings: Findings, result: CircleResult, words: Words) -> dict[str, Any] | None:
    target, page, band = result.target, words.section("page"), result.band
    if target.kind != "circle" or not band:
        return None
    slow, usual, fast = (percent_text(band.get(name)) for name in ("slow", "usual", "fast"))
    rows = []
    if result.borderline_people is not None:  # the public edition keeps both back
        walked = str(target.profile).startswith("walk")
        rows.append([page["flip" if walked else "flip_speed"], _flip(result, words)])
        people = people_text(result.borderline_people)
        rows.append([page["borderline"], page["borderline_people"].format(people=people)])
    if result.count is not None and result.count.unsnapped > 0 and result.count.bounds is not None:
        low, high = (percent_text(bound) for bound in result.count.bounds)
        if low != high:
            rows.append([page["bounds"], page["bounds_text"].format(low=low, high=high)])
    turn = threshold(target, findings.year)
    return {
        "figure": page["margin_figure"].format(slow=slow, fast=fast),
        "band": [
            [page[f"band_{name}"], speed, value]
            for name, speed, value in zip(
                ("slow", "usual", "fast"), _band_speeds(target), (slow, usual, fast), strict=True
            )
        ],
        "facts": rows,
        "factors": _band_factors(target),
        "curve": _curve(result, words),
        "usual": percent_text(band.get("usual")),
        "turn": turn,
        "turnText": "" if turn is None else page["curve_goal"].format(goal=goal_text(turn)),
        "flip": result.flip_kmh,
    }


def _curve(result: CircleResult, words: Words) -> list[list[Any]]:
    """Return speed, share, and both in words, for every point of the curve."""
    text = words.get("page", "curve_point")
    return [
        [kmh, value, text.format(kmh=f"{kmh:g}", value=percent_text(value))] for kmh, value in result.curve
    ]


def _band_speeds(target: CircleTarget) -> list[str]:
    """Print the speeds of the band; nothing where the class of the road decides them."""
    used = profile(target.profile)
    if used.speed_kmh is None:
        return [""] * len(used.band)
    return [f"{used.speed_kmh * factor:.3g} km/h" for factor in used.band]


def _band_factors(target: CircleTarget) -> list[float] | None:
    """Return what the band divides times by; None where the class of the road decides the speed."""
    used = profile(target.profile)
    return list(used.band) if used.uniform else None


def _flip(result: CircleResult, words: Words) -> str:
    page = words.section("page")
    if result.target.goal is None:
        return page["flip_no_goal"]
    minutes = None if result.flip_minutes is None else minutes_text(result.flip_minutes)
    if result.flip_kmh is not None:
        way = "flip_down" if result.status in {"met", "on_track"} else "flip_up"
        return page[way].format(kmh=f"{result.flip_kmh:.2f}", minutes=minutes or "—")
    return page["flip_never"] if minutes is None else page["flip_minutes"].format(minutes=minutes)


def _groups(result: CircleResult, words: Words) -> list[list[str]]:
    """Return name, people, share and people left of every group."""
    return [
        [
            words.get("group", one.group),
            people_text(one.count.people),
            percent_text(one.value),
            people_text(one.count.uncovered),
        ]
        for one in result.groups
    ]


def _variants(result: CircleResult, words: Words) -> list[list[str]]:
    page = words.section("page")
    rows = [
        [page[f"variant_{name}"], percent_text(result.variants[name])]
        for name in _VARIANTS
        if name in result.variants
    ]
    rows += [[words.get("traveller", name), percent_text(share)] for name, share in result.modes.items()]
    rows += [
        [words.get("variant", "surface").format(name=name), percent_text(share)]
        for name, share in result.surfaces.items()
    ]
    rows += [
        [
            words.get("village_threshold", "at_least").format(share=f"{share:.0%}"),
            page["villages_number"].format(number=f"{villages:,}"),
        ]
        for share, villages in result.village_curve
    ]
    counts = {
        "only_outside": result.only_outside_people,
        "leg_100": result.leg_over_100_m,
        "leg_200": result.leg_over_200_m,
    }
    people = page["gap_people"]
    rows += [
        [page[name], people.format(people=people_text(number))]
        for name, number in counts.items()
        if number is not None
    ]
    return rows


# ---------------------------------------------------------------------------------------------------------
# The rule and where it is from


def _basis(findings: Findings, result: TargetResult, words: Words) -> list[list[str]]:
    target, page = result.target, words.section("page")
    rule, straight, accounting = _venues(findings, result, words), "", ""
    if target.kind == "circle":
        rule = _rule(findings, result, words)
        accounting = words.get("column", target.accounting)
        if target.straight is not None:
            centre = page[f"centre_{target.straight.centre}"]
            radius = _radius(target.straight, words)
            straight = page["basis_straight_text"].format(centre=centre, radius=radius)
    rows = {
        "rule": rule,
        "straight": straight,
        "accounting": accounting,
        "denominator": target.denominator or _counts_whom(result, words),
        "department": target.department,
        "source": " · ".join(part for part in (target.source, target.date) if part),
        "grade": words.get("grade", target.grade),
        "notes": "" if target.notes is None else target.notes.get(words.language),
    }
    return [[page[f"basis_{name}"], text] for name, text in rows.items() if text]
