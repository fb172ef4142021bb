"""The steps of a siting study: question, candidates, solve, curve, proof by the audit, explanation."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.audit import Searches, basis_of, counted_people, open_study, prepare, run
from lifecircle.candidates import service_list
from lifecircle.errors import Fault, ProofError, UnusableInputError, say
from lifecircle.scenario import Change, Scenario, apply_changes, compare_inputs
from lifecircle.siting_study._candidate_sites import Candidates, gather
from lifecircle.siting_study._explanation import Explanation, explain
from lifecircle.siting_study._question import (
    Question,
    basis_for,
    circle_question,
    not_assessable,
    useful,
)
from lifecircle.siting_study._remedies import Remedy, find_remedies, hours_of
from lifecircle.siting_study._solver_call import OBJECTIVES, Conditions, best, curve, too_near
from lifecircle.standards import PROFILES, threshold, whole_rule
from lifecircle.tables import nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings
    from lifecircle.siting import SitingPlan
    from lifecircle.standards import CircleTarget, PresenceTarget
    from lifecircle.study import Study

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CurvePoint:
    """Coverage with some number of new sites: people and share, what no plan exceeds, and how it was got."""

    sites: int
    people: float
    value: float
    bound: float
    added: float
    status: str


@dataclass(frozen=True, eq=False)
class SiteStudy:
    """A plan for a target, proved against the audit, with all that explains it.

    ``target`` : as it was counted, with the profile and accounting that were asked for; ``own`` : as the
    standard has it; ``people``, ``covered`` : people the target counts, and those covered today; ``plan`` :
    the solver's, its value counting what stands today; ``curve`` : from none to at least the sites asked for;
    ``enough`` :
    fewest sites known to reach the goal, None where there is no goal or it is not reached;
    ``enough_possible`` : fewest that are not ruled out, which proves ``enough`` where equal; ``attainable`` :
    people covered with every candidate built, ``goal_attainable`` whether that is the goal; ``scenario`` :
    the plan audited.
    """

    id: str
    inputs: Inputs
    target: CircleTarget
    own: CircleTarget
    new: int | None
    objective: str
    candidates: Candidates
    question: Question
    conditions: Conditions
    people: float
    covered: float
    plan: SitingPlan
    curve: tuple[CurvePoint, ...]
    enough: int | None
    enough_possible: int | None
    attainable: float
    goal_attainable: bool
    scenario: Scenario
    explanation: Explanation
    remedies: tuple[Remedy, ...]
    notes: tuple[str, ...]


def site_study(  # noqa: PLR0913 - the question and its conditions, all named
    study: str | Path | Study,
    target: str,
    *,
    new: int | None,
    candidates: str | Path | None = None,
    objective: str = "max_cover",
    services: Sequence[str] | None = None,
    budget: float | None = None,
    year: int | None = None,
    profile: str | None = None,
    accounting: str | None = None,
    remedies: bool = True,
    time_limit_s: float = 60.0,
    progress: Callable[[str], None] | None = None,
) -> SiteStudy:
    """Find where new sites help a circle target most, prove it by the audit and explain it.

    Parameters
    ----------
    study : folder of a study, or a study read before
    target : id of a circle target
    new : how many new sites; None for ``full_cover``
    candidates : list of candidates instead of the study's own; without either, places near the gaps
    objective : ``max_cover`` most people, ``full_cover`` fewest sites for everybody who can be reached,
        ``p_median`` least walking of all who have a path today, ``p_center`` the farthest of them nearest,
        ``max_min_cover`` the worst district best; among plans as good by one of the last two the one that
        covers most people is taken
    services : what a new site holds, where its row does not say; left out, what the study says in
        ``[siting.services]``, else as many venues of each class as the rule asks for
    budget : what the sites may cost together, 10,000 yuan
    profile : travel profile to count the target with instead of its own, such as ``walk_aged`` for a target
        of the aged; everything follows it, the audit of the plan too
    accounting : ``reach``, ``open`` or ``network_distance`` instead of the target's own
    remedies : look for cheaper remedies too
    time_limit_s : seconds for the solve, and as many again for the curve

    Raises
    ------
    UnusableInputError
        With every fault of the study, the candidates and the question.
    ProofError
        When the audit of the plan gives another figure than the plan.
    """
    report_progress = progress or _log.info
    if isinstance(study, str | Path):
        study = open_study(study, year)
    own = _circle(study, target)
    _check(objective, new, profile, accounting)
    goal = own.model_copy(
        update={"profile": profile or own.profile, "accounting": accounting or own.accounting}
    )
    study = _counting(study, goal)
    report_progress("reading")
    inputs = prepare(study, year)
    searches = Searches(inputs)
    reason, people = counted_people(goal, inputs)
    if reason:
        raise UnusableInputError([not_assessable(target, reason, study.language)])
    # Residents are counted by the accounting of the target's own verdict: a plan for another one would be
    # proved against the wrong figure.
    basis = basis_for(goal, inputs, searches)
    report_progress("before")
    before = run(inputs, progress=report_progress)
    report_progress("candidates")
    uncovered = ~basis.covered
    found = gather(inputs, goal, uncovered, people, file=candidates)
    found = _with_services(found, goal, study, services)
    # Sums and longest times concern everybody, also those far beyond the limit.
    far = objective in {"p_median", "p_center"}
    question = circle_question(goal, inputs, basis, found.table, far=far)
    found = _without_parts(_without_roads(found, question), question)
    question = replace(question, free=found.free)
    conditions = _conditions(found, inputs, budget, time_limit_s)
    report_progress("solving")
    plan = best(question, conditions, objective=objective, sites=new)
    if plan.status == "infeasible":
        remedy = say("give candidates near the gaps, or fewer conditions")
        if question.people_covered >= question.people.sum():
            remedy = say("choose another target: everybody it counts is covered already")
        why = say("no plan: {why}", why=plan.reason)
        raise UnusableInputError([Fault("", "plan", "", why, remedy)])
    report_progress("curve")
    points = _points(question, conditions, plan, objective)
    report_progress("proof")
    # The plan is applied like any change of the study and audited as a whole, by code that knows no solver.
    scenario = _audited(inputs, goal, found.table, plan, before, report_progress)
    _prove(question, plan, scenario, conditions)
    report_progress("explaining")
    explanation = explain(question, conditions, found, plan, scenario)
    offers: tuple[Remedy, ...] = ()
    if remedies:
        report_progress("remedies")
        offers = find_remedies(question, conditions, found, explanation, inputs, searches)
    total, turn = float(question.people.sum()), final_turn(goal)
    attainable = question.people_covered + question.gain(np.flatnonzero(conditions.free))
    return SiteStudy(
        id=_plan_id(own, goal, plan),
        inputs=inputs,
        target=goal,
        own=own,
        new=new,
        objective=objective,
        candidates=found,
        question=question,
        conditions=conditions,
        people=total,
        covered=question.people_covered,
        plan=plan,
        curve=points,
        enough=_first(points, [point.value for point in points], goal),
        enough_possible=_first(points, [point.bound / total for point in points], goal),
        attainable=attainable,
        goal_attainable=turn is None or attainable / total >= turn,
        scenario=scenario,
        explanation=explanation,
        remedies=offers,
        notes=_notes(found, question, plan, points, explanation),
    )


def _counting(study: Study, target: CircleTarget) -> Study:
    """Let a study count one target as it is asked for, so that its audit does too."""
    targets = tuple(target if one.id == target.id else one for one in study.standard.targets)
    return replace(study, standard=study.standard.model_copy(update={"targets": targets}))


def _plan_id(own: CircleTarget, used: CircleTarget, plan: SitingPlan) -> str:
    """Name a plan by its target, number of sites, and whatever is not as usual."""
    parts = [own.id, str(len(plan.sites))]
    parts += [] if plan.objective == "max_cover" else [plan.objective]
    parts += [] if used.profile == own.profile else [used.profile]
    parts += [] if used.accounting == own.accounting else [used.accounting]
    return "-".join(parts)


def _circle(study: Study, target: str) -> CircleTarget:
    known = [one.id for one in study.standard.targets if one.kind == "circle"]
    for one in study.standard.targets:
        if one.id == target and one.kind == "circle":
            return one
    raise UnusableInputError(
        [Fault("", "target", target, say("no such circle target"), _meant(target, known))]
    )


def _meant(name: str, known: Sequence[str]) -> str:
    """Return which name was meant, or which there are."""
    near = nearest_name(name, known)
    return (
        say("did you mean '{name}'?", name=near)
        if near
        else say("use one of {names}", names=", ".join(known))
    )


_COUNTED_BY_RESIDENT = ("reach", "open", "network_distance")


def _check(objective: str, new: int | None, profile: str | None, accounting: str | None) -> None:
    faults = []
    if objective not in OBJECTIVES:
        reason = say("unknown objective")
        faults.append(Fault("", "objective", objective, reason, _meant(objective, OBJECTIVES)))
    if profile is not None and profile not in PROFILES:
        reason = say("unknown travel profile")
        faults.append(Fault("", "profile", profile, reason, _meant(profile, PROFILES)))
    if accounting is not None and accounting not in _COUNTED_BY_RESIDENT:
        reason = say("no accounting that a plan can be made by: it must count residents")
        names = say("use one of {names}", names=", ".join(_COUNTED_BY_RESIDENT))
        faults.append(Fault("", "accounting", accounting, reason, names))
    if objective == "full_cover":
        if new is not None:
            reason, remedy = say("full_cover finds the number of sites itself"), say("leave the number out")
            faults.append(Fault("", "new", str(new), reason, remedy))
    elif new is None or new < 1:
        shown = "" if new is None else str(new)
        reason, remedy = say("how many new sites is not said"), say("give a number from 1")
        faults.append(Fault("", "new", shown, reason, remedy))
    if faults:
        raise UnusableInputError(faults)


def _with_services(
    found: Candidates, target: CircleTarget, study: Study, services: Sequence[str] | None
) -> Candidates:
    """Say of every candidate what it would hold."""
    standard = study.standard
    given = tuple(services or study.siting.services.get(target.id, ()))
    known = [one.id for one in standard.services]
    faults = []
    for one in given:
        if one not in known:
            reason = say("unknown service id")
            faults.append(Fault("", "services", one, reason, _meant(one, sorted(known))))
    table = found.table
    if not faults:
        holds = given or whole_rule(target, standard)
        own = table["services"].where(table["services"] != "", ";".join(holds))
        own = own.map(lambda text: ";".join(service_list(text)))
        where = {str(label): text for label, text in own.items()}
        # A list kept for several services may hold candidates for others: those are left out.
        idle = [fault.place for fault in useful(target, standard, where)]
        left_out = table["left_out"].mask((table["left_out"] == "") & table.index.isin(idle), "other_service")
        table = table.assign(services=own, left_out=left_out)
        if len(idle) == len(table) and len(table):
            faults = useful(target, standard, where)[:1]
    if faults:
        raise UnusableInputError(faults)
    return replace(found, table=table)


def _without_roads(found: Candidates, question: Question) -> Candidates:
    """Leave out the candidates at which the audit would count no venue: no road near enough."""
    table = found.table
    lost = ~question.usable & (table["left_out"] == "").to_numpy(dtype=bool)
    wrong = table[lost & table["required"].to_numpy(dtype=bool)]
    if len(wrong):
        reason, remedy = say("required, yet no road is near enough"), say("move it")
        raise UnusableInputError(
            Fault("candidates", say("candidate {id}", id=label), name, reason, remedy)
            for label, name in wrong["name"].items()
        )
    return replace(found, table=table.assign(left_out=table["left_out"].mask(lost, "no_road")))


def _without_parts(found: Candidates, question: Question) -> Candidates:
    """Leave out candidates that fill the rule only in part, where others fill it alone."""
    need = np.array(list(question.target.require.values()))
    free = found.free
    whole = (question.brings >= need).all(axis=1)
    brings = question.brings[free]
    mixed = len(brings) > 0 and bool((brings != brings[0]).any())
    if not mixed or not (whole & free).any() or (brings.sum(axis=1) <= 1).all():
        return found
    table = found.table
    part = free & ~whole
    wrong = table[part & table["required"].to_numpy(dtype=bool)]
    if len(wrong):
        reason = say("required, yet it fills the rule only in part, and others fill it alone")
        remedy = say("give it the same services as the others")
        raise UnusableInputError(
            Fault("candidates", say("candidate {id}", id=label), name, reason, remedy)
            for label, name in wrong["name"].items()
        )
    return replace(found, table=table.assign(left_out=table["left_out"].mask(part, "partial")))


def _conditions(found: Candidates, inputs: Inputs, budget: float | None, time_limit_s: float) -> Conditions:
    table, part = found.table, inputs.study.siting
    metres = table.geometry.to_crs(next(iter(inputs.networks.values())).crs)
    prices = known_costs(table, inputs.study)
    free = found.free
    if budget is not None and np.isnan(prices[free]).any():
        label = table.index[free][np.isnan(prices[free])][0]
        reason = say("a budget needs the cost of every candidate")
        remedy = say("fill the column cost, or give unit costs in [siting.costs]")
        raise UnusableInputError([Fault("candidates", say("candidate {id}", id=label), "", reason, remedy)])
    return Conditions(
        labels=pd.Index(table.index.astype(str)),
        free=free,
        required=tuple(str(label) for label in table.index[table["required"].to_numpy(dtype=bool)]),
        prices=prices,
        budget=budget,
        apart=too_near(np.column_stack([metres.x, metres.y]), table.index, part.separation_m),
        groups=inputs.demand["district"].to_numpy(dtype=object),
        time_limit_s=time_limit_s,
    )


def known_costs(table: gpd.GeoDataFrame, study: Study) -> np.ndarray[Any, Any]:
    """Return what each candidate costs, 10,000 yuan: its own, else the unit cost of its works, else NaN."""
    unit = {name: one.cost for name, one in study.siting.costs.items()}
    by_works = table["works"].map(unit).astype("float64")
    costs: np.ndarray[Any, Any] = table["cost"].fillna(by_works).to_numpy(dtype=float)
    return costs


def _points(
    question: Question, conditions: Conditions, plan: SitingPlan, objective: str
) -> tuple[CurvePoint, ...]:
    """Return the most people covered for none, the fewest sites that may be, one more ... to the goal."""
    total = float(question.people.sum())
    turn = final_turn(question.target)
    goal = None if turn is None else people_for(turn, total)
    today = question.people_covered
    points = [CurvePoint(0, today, today / total, today, 0.0, "optimal")]
    least, plans = curve(question, conditions, least_sites=len(plan.sites), goal=goal)
    for sites, one in enumerate(plans, least):
        same = objective == "max_cover" and sites == len(plan.sites) and conditions.budget is None
        best_one = plan if same else one
        if sites and best_one.status != "infeasible":
            added = best_one.value - points[-1].people
            value = best_one.value / total
            points.append(CurvePoint(sites, best_one.value, value, best_one.bound, added, best_one.status))
    return tuple(points)


def final_turn(target: CircleTarget | PresenceTarget) -> float | None:
    """Return the share that reaches the goal, as the verdict of the due year has it; None without a goal."""
    return threshold(target, LAST_YEAR if target.due is None else target.due)


LAST_YEAR = 9999
"""A year after every milestone: what is expected then is the goal itself."""


def people_for(turn: float, total: float) -> float:
    """Return the fewest people whose share, divided as the audit divides, is at least ``turn``.

    ``turn * total`` may be off by a rounding in either direction: 0.07 of 100 comes out above 7.

    >>> people_for(0.07, 100.0), people_for(0.9, 275.0)
    (7.0, 247.5)
    """
    people = turn * total
    while people / total < turn:
        people = float(np.nextafter(people, np.inf))
    while people > 0 and np.nextafter(people, -np.inf) / total >= turn:
        people = float(np.nextafter(people, -np.inf))
    return people


def _first(curve: Sequence[CurvePoint], shares: Sequence[float], target: CircleTarget) -> int | None:
    """Return the first number of sites whose share reaches the goal."""
    turn = final_turn(target)
    if turn is None:
        return None
    reached = (point.sites for point, share in zip(curve, shares, strict=True) if share >= turn)
    return next(reached, None)


def plan_changes(table: gpd.GeoDataFrame, sites: Sequence[str], target: CircleTarget) -> tuple[Change, ...]:
    """Put the sites of a plan as changes of a scenario; open at the target's hour where that counts."""
    return tuple(
        Change(
            "open",
            id=f"plan-{label}",
            services=service_list(table.loc[label, "services"]),
            name=table.loc[label, "name"] or str(label),
            shape=table.geometry[label],
            hours=hours_of(target),
            file="(plan)",
            row=number,
        )
        for number, label in enumerate(sites, 1)
    )


def _audited(  # noqa: PLR0913, PLR0917 - what is built, and what it is held against
    inputs: Inputs,
    target: CircleTarget,
    table: gpd.GeoDataFrame,
    plan: SitingPlan,
    before: Findings,
    report_progress: Callable[[str], None],
) -> Scenario:
    changes = plan_changes(table, plan.sites, target)
    return compare_inputs(
        inputs, apply_changes(inputs, changes), changes, before=before, progress=report_progress
    )


_SAME = 1e-9


_BY_PEOPLE = frozenset({"full_cover", "backup_cover", "rule_cover", "capacitated_max_cover"})
"""Objectives whose plans are held against the audit by the people they cover alone."""


def _prove(question: Question, plan: SitingPlan, scenario: Scenario, conditions: Conditions) -> None:
    """Hold the people a plan covers, and its own quantity, against the audit of the study with its sites.

    Raises
    ------
    ProofError
        They differ.
    """
    target, inputs = question.target, scenario.inputs
    result = scenario.after.circle(target.id)
    assert result.count is not None
    chosen = conditions.labels.get_indexer(list(plan.sites))
    figures = {"people": (question.people_covered + question.gain(chosen), result.count.covered)}
    if plan.objective == "max_cover":
        figures["value"] = plan.value, result.count.covered
    elif plan.objective == "max_min_cover":
        parts = [one.count for one in result.districts] or [result.count]
        least = min(one.covered / one.people for one in parts if one.people > 0)
        figures["value"] = plan.value, least
    elif plan.objective in {"p_median", "p_center"}:
        basis = basis_of(target, inputs, Searches(inputs))
        assert basis is not None
        assert basis.answer is not None
        timed = np.flatnonzero(question.timed & (question.people > 0))
        seconds, people = basis.answer.seconds[timed], question.people[timed]
        found = people @ seconds if plan.objective == "p_median" else seconds.max(initial=0.0)
        figures["value"] = plan.value, float(found)
    elif plan.objective not in _BY_PEOPLE:
        raise ProofError(f"no audit can hold the value of {plan.objective} against its sites")
    if plan.second is not None:
        figures["second"] = plan.second.value, result.count.covered
    for name, (said, audited) in figures.items():
        if abs(audited - said) > _SAME * max(abs(said), 1.0):
            raise ProofError(
                f"the plan for {target.id!r} says {said!r}, the audit of its sites {audited!r} ({name}): "
                "please report this with the study"
            )


def _notes(
    found: Candidates,
    question: Question,
    plan: SitingPlan,
    curve: Sequence[CurvePoint],
    explanation: Explanation,
) -> tuple[str, ...]:
    """Name what a reader must know, as codes of the catalogue."""
    notes = []
    band = explanation.sensitivity
    if found.generated:
        notes.append(f"generated:{len(found.table)}")
    if len(found.rejects):
        notes.append(f"candidates_rejected:{len(found.rejects)}")
    out = found.table["left_out"]
    for reason, count in out[out != ""].value_counts().sort_index().items():
        notes.append(f"left_out:{count}|{reason}")
    never = question.people.sum() - question.people_covered - question.gain(np.flatnonzero(found.free))
    if never >= 0.5:
        notes.append(f"never:{never:,.0f}")
    target = question.target
    if target.accounting == "open":
        notes.append(f"supposed_open:{target.open_at}")
    lost = ~question.answer.snapped & (question.people > 0)
    if lost.any():
        notes.append(f"unsnapped:{question.people[lost].sum():.0f}")
    second = () if plan.second is None else (plan.second.status,)
    certificates = (plan.status, *second, *(point.status for point in curve), *(one.status for one in band))
    if "feasible" in certificates:
        notes.append("not_proved")
    return tuple(notes)
