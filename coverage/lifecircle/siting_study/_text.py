"""Own the plain words of a siting study, in Chinese and English; computes no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lifecircle.errors import Fault, UnusableInputError
from lifecircle.tables import nearest_name
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.findings import Language
    from lifecircle.siting_study._explain import SiteFacts
    from lifecircle.siting_study._remedies import Remedy
    from lifecircle.siting_study._study import SiteStudy

_TOLD = 5  # ties, remedies and losers told in words; the sheets hold more
_GROUPS = ("over60", "under3", "rural")


def study_lines(study: SiteStudy, language: Language) -> list[str]:
    """Tell a siting study in sentences: the plan, its proof, the goal, each site, what else there is."""
    lines = [_headline(study, language), _proof(study, language)]
    lines += [line for line in (_goal(study, language),) if line]
    lines += [_site(facts, study, language) for facts in study.explanation.sites]
    lines += list(_ties(study, language))
    lines += list(_band(study, language))
    lines += list(_losers(study, language))
    lines += list(_remedies(study, language))
    lines += [note_line(note, language) for note in study.notes]
    return lines


def why_line(study: SiteStudy, candidate: str, language: Language) -> str:
    """Tell of one candidate its rank, its own reach, what the plan has of that, and why it lost.

    Raises
    ------
    UnusableInputError
        There is no such candidate.
    """
    table = study.explanation.candidates
    if candidate not in table.index:
        near = nearest_name(candidate, map(str, table.index))
        remedy = f"did you mean '{near}'?" if near else "use an id of the candidates"
        raise UnusableInputError([Fault("", "candidate", candidate, "no such candidate", remedy)])
    row = table.loc[candidate]
    name = site_name(study, candidate)
    if row["left_out"]:
        return _say("why_left_out", language, name, land_word(str(row["left_out"]), language))
    if row["chosen"]:
        return _say("why_chosen", language, name, _people(row["reach_people"]), _whole(row["rank"]))
    told = _say(
        "why" if row["plan_has"] >= 0.5 else "why_less",
        language,
        name,
        _people(row["reach_people"]),
        _whole(row["rank"]),
        _people(row["plan_has"]),
        _people(row["adds"]),
    )
    if not pd.isna(row["swap_loss"]):
        told += _say("why_swap", language, site_name(study, str(row["swap_for"])), _people(row["swap_loss"]))
    return told


def note_line(note: str, language: Language) -> str:
    """Put a note's code in words."""
    name, _, rest = note.partition(":")
    parts = [land_word(part, language) if name == "left_out" else part for part in rest.split("|")]
    return word("siting_note", name, language).format(*parts)


def land_word(reason: str, language: Language) -> str:
    """Name why a candidate may not be chosen: by a code, or by the study's own name of the land."""
    return word("left_out", reason, language)


def site_name(study: SiteStudy, label: str) -> str:
    """Name a candidate, with its id."""
    name = str(study.candidates.table["name"].get(label, ""))
    return f"{name}（{label}）" if name and label not in name else name or label


def remedy_line(remedy: Remedy, language: Language) -> str:
    """Tell one remedy: what, where, whom it alone would cover, and at what cost."""
    cost = _say("unknown", language) if remedy.cost is None else f"{remedy.cost:,.1f}"
    each = (
        "" if remedy.people_per_cost is None else _say("per_cost", language, f"{remedy.people_per_cost:,.1f}")
    )
    length = "" if remedy.length_m is None else _say("length", language, f"{remedy.length_m:,.0f}")
    hours = _say("by_hours", language) if remedy.accounting == "open" else ""
    kind = word("works", remedy.kind, language)
    return _say("remedy", language, kind, remedy.name, length, _people(remedy.people), hours, cost, each)


def _headline(study: SiteStudy, language: Language) -> str:
    plan, after = study.plan, study.scenario.after.result(study.target.id)
    count = after.count
    assert count is not None
    head = _say(
        "headline",
        language,
        study.target.name.get(language),
        len(plan.sites),
        percent(study.covered / study.people),
        percent(count.covered / study.people),
        _people(count.covered - study.covered),
        word("objective", study.objective, language),
        word("plan_status", plan.status, language),
    )
    if plan.status != "optimal":
        head += _say("gap", language, f"{plan.gap * 100:.2f} %", _people(abs(plan.bound - plan.value)))
    return head


def _proof(study: SiteStudy, language: Language) -> str:
    count = study.scenario.after.result(study.target.id).count
    assert count is not None
    return _say("proof", language, _people(count.covered))


def _goal(study: SiteStudy, language: Language) -> str:
    goal = study.target.goal
    if goal is None:
        return ""
    if study.enough is not None:
        return _say("goal_reached", language, percent(goal), study.enough)
    last = study.curve[-1]
    told = _say("goal_open", language, percent(goal), last.sites, percent(last.value))
    if study.attainable / study.people < goal - study.target.tolerance:
        free = int(study.conditions.free.sum())
        told += _say("goal_never", language, free, percent(study.attainable / study.people))
    return told


def _site(facts: SiteFacts, study: SiteStudy, language: Language) -> str:
    comma = word("scenario", "comma", language)
    groups = comma.join(
        f"{word('group', name, language)} {_people(facts.groups[name])}"
        for name in (_GROUPS if study.target.group == "all" else _GROUPS[-1:])
        if name in facts.groups
    )
    names = {} if study.inputs.districts is None else study.inputs.districts["name"].to_dict()
    towns = comma.join(
        f"{names.get(code, code)} {_people(people)}" for code, people in facts.districts.items()
    )
    told = _say("site", language, site_name(study, facts.id), _people(facts.people), groups, towns)
    if facts.shared >= 0.5:
        told += _say("shared", language, _people(facts.sole), _people(facts.shared))
    told += _say("site_band", language, " / ".join(_people(people) for people in facts.band))
    if facts.swap is not None and facts.swap_loss is not None:
        told += _say("next_best", language, site_name(study, facts.swap), _people(facts.swap_loss))
    return told


def _ties(study: SiteStudy, language: Language) -> Iterator[str]:
    ties = study.explanation.ties
    if ties:
        comma = word("scenario", "comma", language)
        told = comma.join(
            _say(
                "tie", language, site_name(study, tie.site), site_name(study, tie.instead), _people(tie.loss)
            )
            for tie in ties[:_TOLD]
        )
        yield _say("ties", language, len(ties), told)


def _band(study: SiteStudy, language: Language) -> Iterator[str]:
    for one in study.explanation.sensitivity:
        if one.speed != "usual" and one.best:
            speed = word("speed", one.speed, language)
            share = percent(one.people / one.best)
            yield _say("sensitivity", language, speed, _people(one.people), _people(one.best), share)


def _losers(study: SiteStudy, language: Language) -> Iterator[str]:
    """Tell of the candidates with most reach of their own why they are not in the plan."""
    table = study.explanation.candidates
    lost = table[~table["chosen"] & (table["left_out"] == "") & (table["reach_people"] > 0)]
    for label in lost.sort_values(["rank"], kind="stable").index[:_TOLD]:
        yield why_line(study, str(label), language)


def _remedies(study: SiteStudy, language: Language) -> Iterator[str]:
    if study.remedies:
        yield _say("remedies", language)
        told = {remedy.kind: remedy for remedy in reversed(study.remedies)}
        for remedy in study.remedies:  # the best of each kind
            if told[remedy.kind] is remedy:
                yield f"- {remedy_line(remedy, language)}"


def _people(people: float) -> str:
    return f"{people:,.0f}"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _say(name: str, language: Language, *parts: object) -> str:
    return word("siting", name, language).format(*parts)
