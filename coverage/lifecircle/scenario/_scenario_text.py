"""The plain words of a scenario: what was changed, what it brings and whom, in Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifecircle.findings import value_text
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.findings import Findings, Language
    from lifecircle.scenario._changes import Change
    from lifecircle.scenario._compare import Part, TargetComparison
    from lifecircle.scenario._scenario_steps import Scenario

_NAMED_PARTS = 3
_NAMED_UNITS = 12  # units named in a sentence; comparison.json holds all
_LEAST = 0.5  # fewer people than this print as nobody


def summary_lines(scenario: Scenario, language: Language) -> list[str]:
    """Return a scenario in sentences: the changes, each target that is different, and those that are not."""
    lines = [_say("changes", language, len(scenario.changes))]
    lines += [f"- {change_line(change, scenario.before, language)}" for change in scenario.changes]
    rest: dict[str, list[str]] = {"same": [], "registered": [], "without": []}
    for one in scenario.targets:
        name = _target_name(scenario, one.target, language)
        if one.changed:
            lines.append("".join(_target_sentences(one, scenario, language)))
        elif one.value_before is None:
            rest["without"].append(name)
        else:
            rest["registered" if one.registered else "same"].append(name)
    between = word("scenario", "comma", language)
    lines += [_say(key, language, between.join(names)) for key, names in rest.items() if names]
    return lines


def _target_name(scenario: Scenario, target: str, language: Language) -> str:
    return scenario.before.result(target).target.name.get(language)


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


def _target_sentences(one: TargetComparison, scenario: Scenario, language: Language) -> Iterator[str]:
    name = _target_name(scenario, one.target, language)
    if one.kind == "circle":
        yield _value_sentence(one, name, language)
    else:
        yield _figure_sentence(one, scenario, language)
        yield from _other_sentences(one, scenario, language)
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


def _figure_sentence(one: TargetComparison, scenario: Scenario, language: Language) -> str:
    """Return the value of a target that is no circle, before and after, as a share or with its unit."""
    results = scenario.before.result(one.target), scenario.after.result(one.target)
    name, share = _target_name(scenario, one.target, language), results[0].is_share
    before, after = (
        percent(result.value) if share else value_text(result, result.value, language) for result in results
    )
    if one.value_before == one.value_after:
        return _say("same_figure", language, name, after)
    if share and one.value_before is not None and one.value_after is not None:
        points = f"{(one.value_after - one.value_before) * 100:+.2f}"
        return _say("figure_points", language, name, before, after, points)
    return _say("figure", language, name, before, after)


def _other_sentences(one: TargetComparison, scenario: Scenario, language: Language) -> Iterator[str]:
    """Yield what differs in a target that is no circle: units by name, places missing, gaps."""
    units = one.units
    if units is not None:
        yield _say("units", language, units.holding_before, units.holding_after, units.total)
        for key, moved in (("gained", units.gained), ("dropped", units.lost)):
            if moved:
                yield _say(key, language, len(moved), _named([unit.name for unit in moved], language))
    if one.missing_before != one.missing_after:
        yield _say("missing", language, _people(one.missing_before), _people(one.missing_after))
    measure = "" if not one.gaps else _measure(scenario, one.target)
    moved_gaps = [
        _say(
            "gap_move",
            language,
            _target_name(scenario, gap.circle, language),
            _gap_figure(gap.before, measure, language),
            _gap_figure(gap.after, measure, language),
        )
        for gap in one.gaps
        if gap.before != gap.after
    ]
    if moved_gaps:
        yield _say("gap_moves", language, _named(moved_gaps, language))


def _measure(scenario: Scenario, target: str) -> str:
    computed = getattr(scenario.before.result(target).target, "computed", None)
    return "" if computed is None else str(computed.measure)


def _gap_figure(value: float | None, measure: str, language: Language) -> str:
    """Print how unequal a circle is: a difference in points, any other measure as it is."""
    if value is None or np.isnan(value):
        return "—"
    return _say("points", language, f"{value * 100:.2f}") if measure == "difference" else f"{value:.3g}"


def _named(names: list[str], language: Language) -> str:
    """Name the first of many, and say how many more there are."""
    text = word("scenario", "comma", language).join(names[:_NAMED_UNITS])
    more = len(names) - _NAMED_UNITS
    return text if more <= 0 else text + _say("more", language, more)


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


def _say(name: str, language: Language, *parts: object) -> str:
    return word("scenario", name, language).format(*parts)
