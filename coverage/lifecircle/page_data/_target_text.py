"""How one target's figures stand in the panel, as printed text; counts nobody and judges nothing.

The ladder of accountings, the margin of the verdict, groups, variants, the year before and the rule with
its source: each comes ready from the findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecircle.findings import ACCOUNTINGS, CircleDistrict, as_circle, grounds_text, mark_text, value_text
from lifecircle.page_data._words import (
    class_text,
    goal_text,
    minutes_text,
    page_words,
    people_text,
    percent_text,
)
from lifecircle.roads import profile
from lifecircle.standards import threshold
from lifecircle.wording import explain, printed_points, word

if TYPE_CHECKING:
    from lifecircle.findings import (
        Accounting,
        CircleResult,
        Count,
        DistrictResult,
        Findings,
        Language,
        TargetResult,
    )
    from lifecircle.standards import CircleTarget, Straight

OUTSIDE = "(outside)"
_BY_VILLAGE = frozenset({"accepted", "straight"})
_ASIDE = "any_one"
_VARIANTS = ("without_school_grounds", "step_free", "aged_over60", "by_group_speed")


def figures(findings: Findings, result: TargetResult, language: Language) -> dict[str, Any]:
    """Print all that the panel says of one target, the residents' own answers apart."""
    target = result.target
    circle = as_circle(result)
    return {
        "id": target.id,
        "name": target.name.get(language),
        "kind": target.kind,
        "computed": result.value is not None,
        "minutes": float(target.minutes) if target.kind == "circle" else None,
        "rule": _rule(findings, result, language),
        "counts": _counts_whom(result, language),
        "value": value_text(result, result.value, language),
        "goal": target.goal,
        "status": result.status,
        "statusText": word("status", result.status, language),
        "reason": explain(result.reason, language),
        "notes": [
            *filter(None, [grounds_text(result, language)]),
            *(explain(note, language) for note in (*result.notes, *result.previous_notes)),
        ],
        "facts": _facts(findings, result, language),
        "people": None if circle.count is None else _people(circle.count),
        "shares": result.is_share,
        "districts": [_district(result, one, language) for one in result.districts],
        "ladder": _ladder(circle, language),
        "margin": _margin(findings, circle, language),
        "groups": _groups(circle, language),
        "variants": _variants(circle, language),
        "basis": _basis(findings, result, language),
    }


# ---------------------------------------------------------------------------------------------------------
# The rule and the headline


def _mode(target: CircleTarget, language: Language) -> str:
    mode = str(target.profile).partition("_")[0]
    return page_words(language).get(f"by_{mode}", mode)


def _venues(findings: Findings, result: TargetResult, language: Language) -> str:
    """Name what a rule asks for, and how many of each."""
    words = page_words(language)
    require: dict[str, int] = getattr(result.target, "require", {})
    parts = [
        words["rule_part"].format(
            name=findings.services.get(name, {}).get(language) or class_text(name, language), count=count
        )
        for name, count in require.items()
    ]
    return words["rule_and"].join(parts)


def _rule(findings: Findings, result: TargetResult, language: Language) -> str:
    target = result.target
    if target.kind != "circle":
        return word("kind", target.kind, language)
    return page_words(language)["rule_circle"].format(
        mode=_mode(target, language),
        minutes=f"{target.minutes:g}",
        venues=_venues(findings, result, language),
    )


def _counts_whom(result: TargetResult, language: Language) -> str:
    target = result.target
    if target.kind != "circle":
        return ""
    who = word("group", target.group, language)
    if target.area != "all":
        who += f" · {word('area', target.area, language)}"
    return page_words(language)["of_group"].format(group=who)


def _facts(findings: Findings, result: TargetResult, language: Language) -> list[list[str]]:
    """List goal, milestone before the due year, quality, year before with its change, and what is short."""
    target, words = result.target, page_words(language)
    circle = as_circle(result)
    rows = [[words["goal"], _goal(result, language)]]
    before_due = target.due is not None and findings.year < target.due
    if before_due and result.milestone is not None:
        rows.append([words["milestone"], mark_text(result, result.milestone, language)])
    if circle.quality is not None:
        name = word("column", getattr(target, "quality", ""), language)
        rows.append([words["quality"].format(name=name), percent_text(circle.quality.value)])
    if result.previous is not None:
        rows.append([words["before"], _before(result, language)])
    if circle.shortfall_people:
        people = people_text(circle.shortfall_people)
        rows.append([words["shortfall"], words["shortfall_people"].format(people=people)])
    if circle.shortfall_villages:
        villages = f"{circle.shortfall_villages:,.0f}"
        rows.append([words["shortfall"], words["shortfall_villages"].format(villages=villages)])
    return rows


def _goal(result: TargetResult, language: Language) -> str:
    target, words = result.target, page_words(language)
    if target.goal is None:
        return words["no_goal"]
    return mark_text(result, target.goal, language) + (
        "" if target.due is None else words["due"].format(year=target.due)
    )


def _before(result: TargetResult, language: Language) -> str:
    value = value_text(result, result.previous, language)
    if result.value is None or result.previous is None or not result.is_share:
        return value
    points = f"{printed_points(result.previous, result.value):+.1f}".replace("-", "−")
    return page_words(language)["before_change"].format(value=value, points=points)


def _people(count: Count) -> dict[str, str]:
    return {
        "total": people_text(count.people),
        "covered": people_text(count.covered),
        "beyond": people_text(count.beyond),
        "disconnected": people_text(count.disconnected),
        "unsnapped": people_text(count.unsnapped),
    }


def _district(result: TargetResult, one: DistrictResult, language: Language) -> dict[str, Any]:
    count = one.count if isinstance(one, CircleDistrict) else None
    return {
        "code": one.code,
        "name": word("area", "outside", language) if one.code == OUTSIDE else one.name,
        "people": "" if count is None else people_text(count.people),
        "rate": value_text(result, one.value, language),
        "value": one.value,
        "left": "" if count is None else people_text(count.uncovered),
        "statusText": word("status", one.status, language),
    }


# ---------------------------------------------------------------------------------------------------------
# The ladder of accountings


def _ladder(result: CircleResult, language: Language) -> dict[str, Any] | None:
    """Print each rung with what changed from the one before; a rung the run lacks says why."""
    target, words = result.target, page_words(language)
    if target.kind != "circle" or not result.accountings:
        return None
    rungs = [_rung(name, result.accountings.get(name), target, language) for name in ACCOUNTINGS]
    accepted, verdict = (result.accountings.get(name) for name in ("accepted", target.accounting))
    why = words["ladder_plain"]
    figure = "" if verdict is None else percent_text(verdict.value)
    if accepted is not None and verdict is not None and target.accounting != "accepted":
        first = percent_text(accepted.value)
        name = word("column", target.accounting, language)
        why = words["ladder_why"].format(accepted=first, rung=name, value=figure)
        figure = words["ladder_figure"].format(first=first, last=figure)
    return {"why": why, "figure": figure, "rungs": rungs}


def _rung(
    name: str, accounting: Accounting | None, target: CircleTarget, language: Language
) -> dict[str, Any]:
    words = page_words(language)
    known: dict[str, Any] = {
        "villages": "—",
        "people": "—",
        "share": "—",
        "value": None,
        "text": words[f"missing_{name}"],
    }
    if accounting is not None:
        known = {
            "villages": f"{accounting.villages:,}",
            "people": people_text(accounting.people),
            "share": percent_text(accounting.value),
            "value": accounting.value,
            "text": _changed(name, target, language),
        }
    return {
        "id": name,
        "name": word("column", name, language),
        "aside": name == _ASIDE,
        "verdict": name == target.accounting,
        "by": words["by_villages" if name in _BY_VILLAGE else "by_people"],
        "byVillage": name in _BY_VILLAGE,
        **known,
    }


def _changed(name: str, target: CircleTarget, language: Language) -> str:
    words = page_words(language)
    facts = {"mode": _mode(target, language), "minutes": f"{target.minutes:g}"}
    if target.straight is not None:
        facts |= {"centre": words[f"centre_{target.straight.centre}"]}
        facts |= {"radius": _radius(target.straight, language)}
    if target.open_at is not None:
        day, _, hour = str(target.open_at).partition(" ")
        facts["when"] = f"{words[f'day_{day}']} {hour}"
    return words[f"changed_{name}"].format_map(facts)


def _radius(straight: Straight, language: Language) -> str:
    words = page_words(language)
    urban, rural = f"{straight.urban_m:,.0f}", f"{straight.rural_m:,.0f}"
    if urban == rural:
        return words["radius_one"].format(radius=urban)
    return words["radius_two"].format(urban=urban, rural=rural)


# ---------------------------------------------------------------------------------------------------------
# The margin, groups and variants


def _margin(findings: Findings, result: CircleResult, language: Language) -> dict[str, Any] | None:
    target, words, band = result.target, page_words(language), result.band
    if target.kind != "circle" or not band:
        return None
    slow, usual, fast = (percent_text(band.get(name)) for name in ("slow", "usual", "fast"))
    rows = []
    if result.borderline_people is not None:  # the public edition keeps both back
        rows.append([words["flip"], _flip(result, language)])
        people = people_text(result.borderline_people)
        rows.append([words["borderline"], words["borderline_people"].format(people=people)])
    if result.count is not None and result.count.unsnapped > 0 and result.count.bounds is not None:
        low, high = (percent_text(bound) for bound in result.count.bounds)
        if low != high:
            rows.append([words["bounds"], words["bounds_text"].format(low=low, high=high)])
    turn = threshold(target, findings.year)
    return {
        "figure": words["margin_figure"].format(slow=slow, fast=fast),
        "band": [
            [words[f"band_{name}"], speed, value]
            for name, speed, value in zip(
                ("slow", "usual", "fast"), _band_speeds(target), (slow, usual, fast), strict=True
            )
        ],
        "facts": rows,
        "factors": _band_factors(target),
        "curve": _curve(result, language),
        "usual": percent_text(band.get("usual")),
        "turn": turn,
        "turnText": "" if turn is None else words["curve_goal"].format(goal=goal_text(turn)),
        "flip": result.flip_kmh,
    }


def _curve(result: CircleResult, language: Language) -> list[list[Any]]:
    """Return speed, share, and both in words, for every point of the curve."""
    text = page_words(language)["curve_point"]
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


def _flip(result: CircleResult, language: Language) -> str:
    words = page_words(language)
    if result.target.goal is None:
        return words["flip_no_goal"]
    minutes = None if result.flip_minutes is None else minutes_text(result.flip_minutes)
    if result.flip_kmh is not None:
        way = "flip_down" if result.status in {"met", "on_track"} else "flip_up"
        return words[way].format(kmh=f"{result.flip_kmh:.2f}", minutes=minutes or "—")
    return words["flip_never"] if minutes is None else words["flip_minutes"].format(minutes=minutes)


def _groups(result: CircleResult, language: Language) -> list[list[str]]:
    """Return name, people, share and people left of every group."""
    return [
        [
            word("group", one.group, language),
            people_text(one.count.people),
            percent_text(one.value),
            people_text(one.count.uncovered),
        ]
        for one in result.groups
    ]


def _variants(result: CircleResult, language: Language) -> list[list[str]]:
    words = page_words(language)
    rows = [
        [words[f"variant_{name}"], percent_text(result.variants[name])]
        for name in _VARIANTS
        if name in result.variants
    ]
    rows += [[word("traveller", name, language), percent_text(share)] for name, share in result.modes.items()]
    rows += [
        [word("variant", "surface", language).format(name=name), percent_text(share)]
        for name, share in result.surfaces.items()
    ]
    rows += [
        [
            word("village_threshold", "at_least", language).format(share=f"{share:.0%}"),
            words["villages_number"].format(number=f"{villages:,}"),
        ]
        for share, villages in result.village_curve
    ]
    counts = {
        "only_outside": result.only_outside_people,
        "leg_100": result.leg_over_100_m,
        "leg_200": result.leg_over_200_m,
    }
    people = words["gap_people"]
    rows += [
        [words[name], people.format(people=people_text(number))]
        for name, number in counts.items()
        if number is not None
    ]
    return rows


# ---------------------------------------------------------------------------------------------------------
# The rule and where it is from


def _basis(findings: Findings, result: TargetResult, language: Language) -> list[list[str]]:
    target, words = result.target, page_words(language)
    rule, straight, accounting = _venues(findings, result, language), "", ""
    if target.kind == "circle":
        rule = _rule(findings, result, language)
        accounting = word("column", target.accounting, language)
        if target.straight is not None:
            centre = words[f"centre_{target.straight.centre}"]
            radius = _radius(target.straight, language)
            straight = words["basis_straight_text"].format(centre=centre, radius=radius)
    rows = {
        "rule": rule,
        "straight": straight,
        "accounting": accounting,
        "denominator": target.denominator or _counts_whom(result, language),
        "department": target.department,
        "source": " · ".join(part for part in (target.source, target.date) if part),
        "grade": word("grade", target.grade, language),
        "notes": "" if target.notes is None else target.notes.get(language),
    }
    return [[words[f"basis_{name}"], text] for name, text in rows.items() if text]
