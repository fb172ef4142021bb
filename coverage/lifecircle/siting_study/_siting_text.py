"""The plain words of a siting study, in Chinese and English; computes no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lifecircle.demand import OUTSIDE
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.roads import profile
from lifecircle.tables import nearest_name
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.findings import Language
    from lifecircle.siting_study._explanation import SiteFacts
    from lifecircle.siting_study._remedies import Remedy
    from lifecircle.siting_study._siting_steps import SiteStudy

_PRINTED = 5  # ties, remedies and losers that are printed; the sheets hold more
_GROUPS = ("over60", "under3", "rural", "class_unknown")
_LEAST = 0.5  # fewer people than this print as nobody


def study_lines(study: SiteStudy, language: Language) -> list[str]:
    """Return a siting study in sentences: the plan, its proof, the goal, each site, what else there is."""
    lines = [*head_lines(study, language), *goal_lines(study, language), *reason_lines(study, language)]
    return [*lines, *note_lines(study, language)]


def head_lines(study: SiteStudy, language: Language) -> list[str]:
    """Return what a plan brings, before and after, with its proof; how it was counted where not as usual."""
    between = "" if language == "zh" else " "
    first = _headline(study, language) + between + _proof(study, language)
    return [first, *_aims(study, language), *_counted(study, language)]


def goal_lines(study: SiteStudy, language: Language) -> list[str]:
    """Return how many sites the goal takes; nothing where there is no goal."""
    return [line for line in (_goal(study, language),) if line]


def reason_lines(study: SiteStudy, language: Language) -> list[str]:
    """Return why a plan is as it is: each site, what is nearly as good, why others lost, cheaper remedies."""
    return [
        *(_site(facts, study, language) for facts in study.explanation.sites),
        *_ties(study, language),
        *_band(study, language),
        *_losers(study, language),
        *_remedies(study, language),
    ]


_TO_KNOW = frozenset({"generated", "not_proved", "supposed_open"})
"""Notes without which a plan would be misread; the others are for who asks for reasons."""


def note_lines(study: SiteStudy, language: Language) -> list[str]:
    """Return all notes of a study."""
    return [note_line(note, language) for note in study.notes]


def short_notes(study: SiteStudy, language: Language) -> list[str]:
    """Return the notes that a reader of the table alone must know."""
    return [note_line(note, language) for note in study.notes if note.partition(":")[0] in _TO_KNOW]


def why_line(study: SiteStudy, candidate: str, language: Language) -> str:
    """Return why one candidate is not in the plan, by the quantity of the plan's objective.

    Raises
    ------
    UnusableInputError
        There is no such candidate.
    """
    table = study.explanation.candidates
    if candidate not in table.index:
        near = nearest_name(candidate, map(str, table.index))
        remedy = say("use an id of the candidates")
        if near:
            remedy = say("did you mean '{name}'?", name=near)
        raise UnusableInputError([Fault("", "candidate", candidate, say("no such candidate"), remedy)])
    row = table.loc[candidate]
    name = site_name(study, candidate)
    alone, rank = _people(row["reach_people"]), _whole(row["rank"])
    if row["left_out"]:
        return _say("why_left_out", language, name, land_word(str(row["left_out"]), language))
    if row["chosen"]:
        return _say("why_chosen", language, name, alone, rank)
    if study.objective == "max_cover":
        key = "why" if row["plan_has"] >= _LEAST else "why_less"
        text = _say(key, language, name, alone, rank, _people(row["plan_has"]), _people(row["adds"]))
    else:
        text = _say("why_not", language, name)
    if not pd.isna(row["swap_loss"]):
        change = effect(study, row["swap_loss"], row["swap_people"], row["swap_least"], language)
        text += _say("why_swap", language, site_name(study, str(row["swap_for"])), change)
    elif row["reason"] == "barred":
        text += _say("why_barred", language)
    if study.objective != "max_cover":
        text += _say("why_alone", language, alone, rank)
    return text


def effect(study: SiteStudy, loss: float, people: float, least: str, language: Language) -> str:
    """Return what an exchange of one site would change, in the quantity of the plan's objective.

    Parameters
    ----------
    loss, people, least : of the exchange, as in :class:`Explanation`
    """
    objective, after = study.objective, study.explanation.aim.after
    loss, people = float(loss), float(people)
    counts = objective in {"max_cover", "full_cover"}
    if loss < 0 and not (counts and loss > -_LEAST):
        return _say("effect_better", language)
    same = loss < _LEAST if counts else loss == 0
    ending = "_same" if same else ""
    if counts:
        return _say(f"effect_{objective}{ending}", language, _people(abs(loss)))
    if objective == "p_center":
        text = _say(
            f"effect_p_center{ending}",
            language,
            amount(study, loss, language),
            amount(study, after + loss, language),
        )
        return text + _people_change(people, language)
    if objective == "p_median":
        together = amount(study, loss, language, each=False)
        return _say(
            f"effect_p_median{ending}", language, together, amount(study, loss / timed(study), language)
        )
    where = unit_name(study, least)
    text = _say(f"effect_max_min_cover{ending}", language, _fine(loss * 100), percent(after - loss), where)
    return text + _people_change(people, language)


def _people_change(people: float, language: Language) -> str:
    """Return what a change that leaves a worst case as it is, or makes it worse, means for people covered."""
    key = "fewer" if people >= _LEAST else "more" if people <= -_LEAST else "as_many"
    return _say(f"effect_{key}", language, _people(abs(people)))


def timed(study: SiteStudy) -> float:
    """Count the people who have a path today."""
    question = study.question
    return float(question.people[question.timed].sum())


def amount(study: SiteStudy, seconds: float, language: Language, *, each: bool = True) -> str:
    """Print a time, or the metres along the roads where a radius decides; of one person or added up.

    A difference too small for a tenth is printed to two figures, so that it never looks like none.
    """
    speed_ms = study.question.speed_ms
    value, unit = (seconds / 60, "minutes") if speed_ms is None else (seconds * speed_ms, "metres")
    return _say(unit if each else f"person_{unit}", language, _fine(value, whole=not each))


def _fine(value: float, *, whole: bool = False) -> str:
    if whole and abs(value) >= 1:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value == 0 or abs(value) >= 0.1 else f"{value:.2g}"


def unit_name(study: SiteStudy, code: str) -> str:
    """Name a district by its code."""
    districts = study.inputs.districts
    if districts is None or code not in districts.index:
        return word("area", "outside", study.scenario.before.language) if code == OUTSIDE else code
    return str(districts["name"][code])


def note_line(note: str, language: Language) -> str:
    """Put a note's code in words."""
    name, _, rest = note.partition(":")
    words = {"left_out": "left_out", "existing_by": "traveller"}
    parts = [word(words[name], part, language) if name in words else part for part in rest.split("|")]
    return word("siting_note", name, language).format(*parts)


def land_word(reason: str, language: Language) -> str:
    """Name why a candidate may not be chosen: by a code, or by the study's own name of the land."""
    return word("left_out", reason, language)


def site_name(study: SiteStudy, label: str) -> str:
    """Name a candidate, with its id."""
    name = str(study.candidates.table["name"].get(label, ""))
    return f"{name}（{label}）" if name and label not in name else name or label


def remedy_line(remedy: Remedy, language: Language) -> str:
    """Return one remedy: what, where, whom it alone would cover, and at what cost."""
    yearly = "_year" if remedy.paid == "year" else ""
    cost = _say("unknown", language)
    if remedy.cost is not None:
        cost = _say(f"cost{yearly}", language, f"{remedy.cost:,.1f}")
    each = (
        ""
        if remedy.people_per_cost is None
        else _say(f"per_cost{yearly}", language, f"{remedy.people_per_cost:,.1f}")
    )
    length = "" if remedy.length_m is None else _say("length", language, f"{remedy.length_m:,.0f}")
    kind = word("works", remedy.kind, language)
    return _say("remedy", language, kind, remedy.name, length, _people(remedy.people), cost, each)


def _headline(study: SiteStudy, language: Language) -> str:
    plan, after = study.plan, study.scenario.after.circle(study.target.id)
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
    if plan.status == "optimal":
        return head
    share = f"{plan.gap * 100:.2f} %"
    if plan.objective == "max_cover":
        return head + _say("gap", language, share, _people(abs(plan.bound - plan.value)))
    return head + _say("gap_other", language, share, own_value(study, plan.bound, language))


def own_value(study: SiteStudy, value: float, language: Language) -> str:
    """Print a value of the plan's own quantity: people, sites, a time, times added up, or a share."""
    if study.objective == "p_center":
        return amount(study, value, language)
    if study.objective == "p_median":
        return amount(study, value, language, each=False)
    if study.objective == "max_min_cover":
        return percent(value)
    return _people(value)


def _aims(study: SiteStudy, language: Language) -> Iterator[str]:
    """Yield the quantity of the plan's objective, today and with it, where that is not people covered."""
    aim, objective, plan = study.explanation.aim, study.objective, study.plan
    if objective == "max_cover":
        return
    before, after = (own_value(study, value, language) for value in (aim.before, aim.after))
    if objective == "full_cover":
        text = _say("aim_full_cover", language, before, len(plan.sites))
    elif objective == "max_min_cover":
        places = (unit_name(study, code) for code in (aim.least_before, aim.least_after))
        text = _say("aim_max_min_cover", language, *places, before, after)
    else:
        each = (amount(study, value / timed(study), language) for value in (aim.before, aim.after))
        text = _say(f"aim_{objective}", language, before, after, *each)
    if plan.second is not None:
        second = plan.second
        key = "second" if second.status == "optimal" else "second_gap"
        text += _say(
            key, language, _people(second.value - study.covered), _people(second.bound - second.value)
        )
    yield text


def _counted(study: SiteStudy, language: Language) -> Iterator[str]:
    """Say by which speed and accounting was counted, where that is not the usual."""
    target, own = study.target, study.own
    if target.profile != own.profile:
        yield _say(
            "by_profile", language, *(_traveller(name, language) for name in (target.profile, own.profile))
        )
    if target.accounting != "reach" or own.accounting != "reach":
        yield _say("by_accounting", language, word("column", target.accounting, language))


def _traveller(name: str, language: Language) -> str:
    """Name a travel profile, with its speed where it has but one."""
    known = profile(name)
    speed = f"{known.access_ms * 3.6:g} km/h" if known.uniform else ""
    return " ".join(part for part in (word("traveller", name, language), speed) if part)


def _proof(study: SiteStudy, language: Language) -> str:
    count = study.scenario.after.circle(study.target.id).count
    assert count is not None
    return _say("proof", language, _people(count.covered))


def _goal(study: SiteStudy, language: Language) -> str:
    """Return how many sites the goal takes, by sites that cover most people, whatever the objective."""
    goal = study.target.goal
    if goal is None:
        return ""
    most = "" if study.objective == "max_cover" else _say("goal_most", language)
    if study.enough == 0:
        return _say("goal_today", language, percent(goal))
    if study.enough is not None:
        if study.enough_possible == study.enough:
            return _say("goal_reached", language, percent(goal), study.enough) + most
        return _say("goal_between", language, percent(goal), study.enough, study.enough_possible) + most
    last = study.curve[-1]
    text = _say("goal_open", language, percent(goal), last.sites, percent(last.value)) + most
    if not study.goal_attainable:
        free = int(study.conditions.free.sum())
        text += _say("goal_never", language, free, percent(study.attainable / study.people))
    return text


def _site(facts: SiteFacts, study: SiteStudy, language: Language) -> str:
    comma = word("scenario", "comma", language)
    names = _GROUPS if study.target.group == "all" else _GROUPS[-2:]
    groups = comma.join(
        f"{word('group', name, language)} {_known(facts.groups[name], language)}"
        for name in names
        if name in facts.groups and not (name == "class_unknown" and (facts.groups[name] or 0.0) < _LEAST)
    )
    towns = comma.join(
        f"{unit_name(study, code)} {_people(people)}" for code, people in facts.districts.items()
    )
    inside = word("siting", "semicolon", language).join(part for part in (groups, towns) if part)
    text = _say("site", language, site_name(study, facts.id), _people(facts.people), inside)
    if facts.shared >= _LEAST:
        text += _say("shared", language, _people(facts.sole), _people(facts.shared))
    if None not in facts.band:
        text += _say("site_band", language, " / ".join(_people(people or 0.0) for people in facts.band))
    if facts.swap is not None and facts.swap_loss is not None and facts.swap_people is not None:
        change = effect(study, facts.swap_loss, facts.swap_people, facts.swap_least, language)
        text += _say("next_best", language, site_name(study, facts.swap), change)
    return text


def _known(people: float | None, language: Language) -> str:
    """Print people; what is not known is said to be so."""
    return _say("unknown", language) if people is None else _people(people)


def _ties(study: SiteStudy, language: Language) -> Iterator[str]:
    ties = study.explanation.ties
    if ties:
        text = word("siting", "semicolon", language).join(
            _say(
                "tie",
                language,
                site_name(study, tie.site),
                site_name(study, tie.instead),
                effect(study, tie.loss, tie.people, tie.least, language),
            )
            for tie in ties[:_PRINTED]
        )
        yield _say("ties", language, len(ties), text)


def _band(study: SiteStudy, language: Language) -> Iterator[str]:
    """Yield the plan at slow and fast speed, beside the best sites for that speed if people are the aim."""
    for one in study.explanation.sensitivity:
        if one.speed == "usual":
            continue
        speed = word("speed", one.speed, language)
        if study.objective != "max_cover":
            yield _say("sensitivity_plain", language, speed, _people(one.people))
        elif one.best:
            share = percent(one.people / one.best)
            yield _say("sensitivity", language, speed, _people(one.people), _people(one.best), share)


def _losers(study: SiteStudy, language: Language) -> Iterator[str]:
    """Yield why the five best candidates outside the plan are not in it.

    Of a plan for most people those with most reach of their own; by another quantity that says little, and
    those are reported that would change it least.
    """
    table = study.explanation.candidates
    lost = table[~table["chosen"] & (table["left_out"] == "")]
    order = ["swap_loss", "swap_people", "rank"]
    if study.objective == "max_cover":
        lost, order = lost[lost["reach_people"] > 0], ["rank"]
    for label in lost.sort_values(order, kind="stable").index[:_PRINTED]:
        yield why_line(study, str(label), language)


def _remedies(study: SiteStudy, language: Language) -> Iterator[str]:
    """Yield the best of each kind, each ranking by itself."""
    for ranking in dict.fromkeys(one.ranking for one in study.remedies):
        accounting, paid = ranking
        yield _say("remedies", language, word("column", accounting, language), word("paid", paid, language))
        kinds = set()
        for remedy in study.remedies:
            if remedy.ranking == ranking and remedy.kind not in kinds:
                kinds.add(remedy.kind)
                yield f"- {remedy_line(remedy, language)}"


def _people(people: float) -> str:
    return f"{people:,.0f}"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _say(name: str, language: Language, *parts: object) -> str:
    return word("siting", name, language).format(*parts)
