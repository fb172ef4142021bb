"""Write the computed columns of a problem in a language: description, measure, criterion; counts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.findings import value_text
from lifecircle.wording import explain, word

if TYPE_CHECKING:
    from lifecircle.findings import Findings, Language
    from lifecircle.rectification._gap_facts import Gap

TERM_YEARS = 1
"""Setting: years until the deadline of a target that has no due year, or one that has passed."""


def computed_columns(gap: Gap, findings: Findings) -> dict[str, str | float | None]:
    """Write every computed column of a gap but the id and the check."""
    language = findings.language
    return {
        "description": description(gap, findings),
        "district": gap.district,
        "village": gap.village,
        "people": gap.people,
        "over60": gap.over60,
        "under3": gap.under3,
        "minutes": gap.minutes,
        "nearest": gap.nearest,
        "cause": word("gap_cause", gap.cause, language),
        "measure": _measure(gap, findings),
        "expected": gap.expected,
        "department": gap.result.target.department,
        "criterion": _criterion(gap, language),
    }


def deadline(gap: Gap, year: int) -> str:
    """Return the last day of the target's due year; of the next one where there is none or it has passed."""
    due = gap.result.target.due
    return f"{due if due is not None and due > year else year + TERM_YEARS}-12-31"


def description(gap: Gap, findings: Findings) -> str:
    """Describe a gap in one sentence."""
    language = findings.language
    fields = {
        "place": _place(gap, findings),
        "people": _people(gap, language),
        "target": gap.result.target.name.get(language),
        "mode": word("gap_mode", str(getattr(gap.result.target, "profile", "")), language),
        "nearest": gap.nearest,
    }
    if gap.reason == "full":
        return word("gap_sentence", "full", language).format(**fields)
    if gap.result.target.kind in {"capacity", "indicator"}:
        key = "figure" if gap.result.target.goal is not None else "figure_alone"
        value, goal = (
            value_text(gap.result, figure, language) for figure in (gap.value, gap.result.target.goal)
        )
        return word("gap_sentence", key, language).format(**fields, value=value, goal=goal)
    if gap.result.target.kind == "presence":
        lacks = _venues(gap, findings) or explain(gap.reason, language)
        key = "presence" if gap.people else "presence_alone"
        return word("gap_sentence", key, language).format(**fields, lacks=lacks)
    if gap.minutes is None or not _timed(gap):
        key = gap.reason.partition(":")[0]
        key = key if key in _OWN_SENTENCE else "other"
        why = word("bucket", gap.reason.partition(":")[0], language)
        return word("gap_sentence", key, language).format(**fields, why=why)
    minutes, over = _over(gap.minutes, gap.result.target.minutes)  # type: ignore[union-attr, arg-type]  # a circle
    several = sum(getattr(gap.result.target, "require", {}).values()) > 1
    key = "several" if several else "one"
    return word("gap_sentence", key, language).format(**fields, minutes=minutes, over=over)


_OWN_SENTENCE = frozenset({"disconnected", "unsnapped"})


def _timed(gap: Gap) -> bool:
    return getattr(gap.result.target, "accounting", "reach") in {"reach", "open"}


def _over(minutes: float, limit: float) -> tuple[str, str]:
    """Print minutes and what they are over the limit, so that the two agree; a tenth where it would be none.

    >>> _over(23.4, 15), _over(15.3, 15), _over(15.01, 15)
    (('23', '8'), ('15.3', '0.3'), ('15.1', '0.1'))
    """
    if round(minutes) > limit:
        return f"{round(minutes)}", f"{round(minutes) - limit:g}"
    shown = max(round(minutes, 1), round(limit + 0.1, 1))
    return f"{shown:.1f}", f"{shown - limit:.1f}"


def _people(gap: Gap, language: Language) -> str:
    """Print the people of a gap, with the aged among them where they are known and not all of them."""
    if gap.people is None:
        return ""
    group = getattr(gap.result.target, "group", "all")
    who = word("group", group, language)
    key = "group" if group != "all" else "people" if gap.over60 is None else "people_aged"
    return word("gap_people", key, language).format(
        people=f"{gap.people:,.0f}", aged=f"{gap.over60 or 0:,.0f}", who=who
    )


def _place(gap: Gap, findings: Findings) -> str:
    """Name the place of a gap: town, village, side."""
    language = findings.language
    if not gap.district and not gap.village:
        return findings.name
    if language == "zh":
        side = word("gap_side", gap.part, language) if gap.part else ""
        return f"{gap.district}{_short(gap.village)}{side}"
    where = ", ".join(part for part in (gap.village, gap.district) if part)
    return f"{word('gap_side', gap.part, language)} {where}" if gap.part else where


def _short(village: str) -> str:
    """Shorten the name of a committee to that of its village.

    >>> _short("新联村委会"), _short("百可社区居委会"), _short("南门居委会")
    ('新联村', '百可社区', '南门居委会')
    """
    if village.endswith("村委会"):
        return village.removesuffix("委会")
    return village.removesuffix("居委会") if village.endswith("社区居委会") else village


def _venues(gap: Gap, findings: Findings) -> str:
    """Name the venues a measure needs, and how many of each."""
    language = findings.language
    names = [
        word("gap_measure", "count", language).format(
            name=_venue_kind(name, gap, findings),
            count=count,
        )
        for name, count in gap.wanted
    ]
    return ("、" if language == "zh" else ", ").join(names)


def _venue_kind(name: str, gap: Gap, findings: Findings) -> str:
    """Name a class or service; a class that has no name of its own by its services."""
    language = findings.language
    if name in findings.services:
        return findings.services[name].get(language, name)
    named = word("class", name, language)
    services = getattr(gap.result, "classes", {}).get(name, ())
    if named != name or not services:
        return named
    either = word("gap_measure", "either", language)
    return either.join(findings.services.get(one, {}).get(language, one) for one in services)


def _measure(gap: Gap, findings: Findings) -> str:
    language = findings.language
    venues = _venues(gap, findings) or word("gap_measure", "venues", language)
    nearest = gap.closed or gap.nearest or word("gap_measure", "any", language)
    key = "project" if gap.reason.partition(":")[0] == "venue_not_open" else gap.cause
    return word("gap_measure", key, language).format(venues=venues, nearest=nearest)


def _criterion(gap: Gap, language: Language) -> str:
    """State what must hold before the problem may be closed."""
    target = gap.result.target
    if gap.reason == "full":
        return word("gap_criterion", "full", language)
    if target.kind in {"capacity", "indicator"} and target.goal is not None:
        goal = value_text(gap.result, target.goal, language)
        return word("gap_criterion", "figure", language).format(goal=goal)
    if target.kind == "presence":
        return word("gap_criterion", "presence", language)
    if not _timed(gap) or target.kind != "circle":
        return word("gap_criterion", "other", language)
    mode = word("gap_mode", str(getattr(target, "profile", "")), language)
    limit = f"{getattr(target, 'minutes', 0):g}"
    return word("gap_criterion", "circle", language).format(mode=mode, limit=limit)
