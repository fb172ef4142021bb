"""The plain words of a scenario: what was changed, what it brings and whom, in Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.findings import Findings, Language
    from lifecircle.scenario._changes import Change
    from lifecircle.scenario._compare import Part, TargetComparison
    from lifecircle.scenario._scenario_steps import Scenario

_NAMED_PARTS = 3
_LEAST = 0.5  # fewer people than this print as nobody


def summary_lines(scenario: Scenario, language: Language) -> list[str]:
    """Return a scenario in sentences: the changes, each target that is different, and those that are not."""
    lines = [_say("changes", language, len(scenario.changes))]
    lines += [f"- {change_line(change, scenario.before, language)}" for change in scenario.changes]
    same = []
    for one in scenario.targets:
        result = scenario.before.result(one.target)
        if result.value is None and one.value_after is None:
            continue
        name = result.target.name.get(language)
        if one.changed:
            lines.append("".join(_target_sentences(one, name, language)))
        else:
            same.append(name)
    if same:
        lines.append(_say("same", language, word("scenario", "comma", language).join(same)))
    return lines


def change_line(change: Change, findings: Findings, language: Language) -> str:
    """Return one change in a line: what is done, to what, and how."""
    services = [findings.services.get(one, {}).get(language, one) for one in change.services]
    what = change.name or change.id or change.village or change.district
    parts = [
        " + ".join(services),
        what,
        _place(change),
        "" if change.capacity is None else f"{change.capacity:,.0f}",
        change.hours,
        "" if change.factor is None else f"× {change.factor:g}",
        "" if change.people is None else f"{change.people:+,.0f}",
    ]
    action = word("change_action", change.action, language)
    texts = word("scenario", "comma", language).join(part for part in parts if part)
    return f"{action}{word('scenario', 'colon', language)}{texts}" if texts else action


def _place(change: Change) -> str:
    if change.shape is None:
        return "" if change.edge is None else f"#{change.edge}"
    if change.shape.geom_type == "Point":
        return f"{change.shape.x:.5f}, {change.shape.y:.5f}"
    middle = change.shape.interpolate(0.5, normalized=True)
    return f"{middle.x:.5f}, {middle.y:.5f}"


def _target_sentences(one: TargetComparison, name: str, language: Language) -> Iterator[str]:
    if one.kind != "circle":
        yield _say("figure", language, name, _figure(one.value_before), _figure(one.value_after))
    else:
        yield _value_sentence(one, name, language)
    if one.status_before != one.status_after:
        statuses = (word("status", status, language) for status in (one.status_before, one.status_after))
        yield _say("verdict", language, *statuses)
    if one.won is None:
        return
    if _many(one.won):
        yield _say(
            "won", language, _people(one.won), _groups(one, "won", language), _towns(one, "won", language)
        )
    if _many(one.lost):
        yield _say(
            "lost", language, _people(one.lost), _groups(one, "lost", language), _towns(one, "lost", language)
        )
    for key in ("come", "connected", "cut_off"):
        if _many(abs(getattr(one, key))):
            yield _say(key, language, _people(getattr(one, key)))
    moved = (one.nearer or 0.0) + (one.farther or 0.0)
    if _many(moved):
        key = "saved" if (one.saved_min or 0.0) >= 0 else "spent"
        yield _say(
            key,
            language,
            _people(one.nearer),
            _people(one.farther),
            f"{abs(one.saved_min or 0.0) / moved:.1f}",
        )
    if one.gaps_closed or one.gaps_opened:
        yield _say("gaps", language, len(one.gaps_closed), len(one.gaps_opened))


def _value_sentence(one: TargetComparison, name: str, language: Language) -> str:
    before, after = one.value_before, one.value_after
    if before is None or after is None:
        return _say("figure", language, name, percent(before), percent(after))
    points = f"{(after - before) * 100:+.2f}"
    key = "same_rate" if before == after else "rate"
    return _say(key, language, name, percent(before), percent(after), points)


def _groups(one: TargetComparison, which: str, language: Language) -> str:
    """Name the groups among those who win or lose, in brackets; the whole and the two areas stay out."""
    texts = [
        f"{word('group', part.code, language)} {_people(getattr(part, which))}"
        for part in one.groups
        if part.code in {"under3", "over60", "rural"} and _many(getattr(part, which))
    ]
    if not texts:
        return ""
    return _say("among", language, word("scenario", "comma", language).join(texts))


def _towns(one: TargetComparison, which: str, language: Language) -> str:
    """Name the districts with most of those who win or lose."""

    def many(part: Part) -> float:
        """Count those of one district."""
        return float(getattr(part, which))

    mine = [part for part in one.districts if _many(many(part))]
    order = sorted(mine, key=lambda part: (-many(part), part.code))
    outside = word("area", "outside", language)
    texts = [
        f"{outside if part.code == '(outside)' else part.name} {_people(many(part))}"
        for part in order[:_NAMED_PARTS]
    ]
    return _say("where", language, word("scenario", "comma", language).join(texts)) if texts else ""


def _many(people: float | None) -> bool:
    return people is not None and people >= _LEAST


def _people(people: float | None) -> str:
    return f"{0.0 if people is None else people:,.0f}"


def _figure(value: float | None) -> str:
    return "—" if value is None or np.isnan(value) else f"{value:g}"


def _say(name: str, language: Language, *parts: object) -> str:
    return word("scenario", name, language).format(*parts)
