"""Own the order of a siting study: question, candidates, solve, curve, proof by the audit, explanation."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.audit import Searches, counted_people, prepare, run
from lifecircle.candidates import service_list
from lifecircle.errors import Fault, ProofError, UnusableInputError
from lifecircle.scenario import Change, Scenario, apply_changes, compare_inputs
from lifecircle.siting_study._candidates import Candidates, gather
from lifecircle.siting_study._explain import Explanation, explain
from lifecircle.siting_study._question import Question, ask, useful, whole_rule
from lifecircle.siting_study._remedies import Remedy, find_remedies
from lifecircle.siting_study._solve import OBJECTIVES, Conditions, best, curve, too_near
from lifecircle.study import Study, read_study
from lifecircle.tables import nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings
    from lifecircle.siting import SitingPlan
    from lifecircle.standards import CircleTarget

_log = logging.getLogger(__name__)


FAR_LIMITS = 8.0
"""Times the limit up to which p_median and p_center look for candidates."""


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

    ``people``, ``covered`` : people the target counts, and those covered today; ``plan`` : the solver's, its
    value counting what stands today; ``curve`` : from none to at least the sites asked for; ``enough`` :
    fewest sites that reach the goal, None where there is no goal or it is not reached; ``attainable`` :
    people covered with every candidate built; ``scenario`` : the plan audited.
    """

    id: str
    inputs: Inputs
    target: CircleTarget
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
    attainable: float
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
        ``max_min_cover`` the worst district best
    services : what a new site holds, where its row does not say; left out, what the study says in
        ``[siting.services]``, else as many venues of each class as the rule asks for
    budget : what the sites may cost together, 10,000 yuan
    remedies : look for cheaper remedies too
    time_limit_s : seconds for the solve, and as many again for the curve

    Raises
    ------
    UnusableInputError
        With every fault of the study, the candidates and the question.
    ProofError
        When the audit of the plan gives another figure than the plan.
    """
    tell = progress or _log.info
    if isinstance(study, str | Path):
        study = read_study(study)
    goal = _circle(study, target)
    _check(objective, new)
    tell("reading")
    inputs = prepare(study, year)
    tell("before")
    before = run(inputs, progress=tell)
    searches = Searches(inputs)
    tell("candidates")
    uncovered = (before.status[target] != "covered").to_numpy(dtype=bool)
    reason, people = counted_people(goal, inputs)
    if reason:
        fault = Fault("", "target", target, f"cannot be assessed: {reason}", "choose another target")
        raise UnusableInputError([fault])
    found = gather(inputs, goal, uncovered, people, file=candidates)
    found = _with_services(found, goal, study, services)
    far = FAR_LIMITS if objective in {"p_median", "p_center"} else 1.0
    question = ask(goal, inputs, searches.answer(goal), found.table, times_limit=far)
    found = _without_parts(_without_roads(found, question), question)
    question = replace(question, free=found.free)
    conditions = _conditions(found, inputs, budget, time_limit_s)
    tell("solving")
    plan = best(question, conditions, objective=objective, sites=new)
    if plan.status == "infeasible":
        remedy = "give candidates near the gaps, or fewer conditions"
        if question.people_covered >= question.people.sum():
            remedy = "choose another target: everybody it counts is covered already"
        raise UnusableInputError([Fault("", "plan", "", f"no plan: {plan.reason}", remedy)])
    tell("curve")
    points = _points(question, conditions, plan, objective)
    tell("proof")
    scenario = _audited(inputs, found.table, plan, before, tell)
    _prove(question, plan, scenario, conditions, objective)
    tell("explaining")
    explanation = explain(question, conditions, found, plan, scenario)
    offers: tuple[Remedy, ...] = ()
    if remedies:
        tell("remedies")
        offers = find_remedies(question, conditions, found, explanation, inputs, searches)
    return SiteStudy(
        id=f"{target}-{len(plan.sites)}" + ("" if objective == "max_cover" else f"-{objective}"),
        inputs=inputs,
        target=goal,
        new=new,
        objective=objective,
        candidates=found,
        question=question,
        conditions=conditions,
        people=float(question.people.sum()),
        covered=question.people_covered,
        plan=plan,
        curve=points,
        enough=_enough(points, goal),
        attainable=question.people_covered + question.gain(np.flatnonzero(conditions.free)),
        scenario=scenario,
        explanation=explanation,
        remedies=offers,
        notes=_notes(found, question, plan, points, explanation),
    )


def _circle(study: Study, target: str) -> CircleTarget:
    known = [one.id for one in study.standard.targets if one.kind == "circle"]
    for one in study.standard.targets:
        if one.id == target and one.kind == "circle":
            return one
    near = nearest_name(target, known)
    remedy = f"did you mean '{near}'?" if near else f"use one of {', '.join(known)}"
    raise UnusableInputError([Fault("", "target", target, "no such circle target", remedy)])


def _check(objective: str, new: int | None) -> None:
    faults = []
    if objective not in OBJECTIVES:
        near = nearest_name(objective, OBJECTIVES)
        remedy = f"did you mean '{near}'?" if near else f"use one of {', '.join(OBJECTIVES)}"
        faults.append(Fault("", "objective", objective, "unknown objective", remedy))
    if objective == "full_cover":
        if new is not None:
            remedy = "leave the number out"
            faults.append(Fault("", "new", str(new), "full_cover finds the number of sites itself", remedy))
    elif new is None or new < 1:
        shown = "" if new is None else str(new)
        faults.append(Fault("", "new", shown, "how many new sites is not said", "give a number from 1"))
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
            near = nearest_name(one, known)
            remedy = f"did you mean '{near}'?" if near else f"use one of {', '.join(sorted(known))}"
            faults.append(Fault("", "services", one, "unknown service id", remedy))
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
        raise UnusableInputError(
            Fault("candidates", f"candidate {label}", name, "required, yet no road is near enough", "move it")
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
        reason = "required, yet it fills the rule only in part, and others fill it alone"
        raise UnusableInputError(
            Fault("candidates", f"candidate {label}", name, reason, "give it the same services as the others")
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
        reason = "a budget needs the cost of every candidate"
        remedy = "fill the column cost, or give unit costs in [siting.costs]"
        raise UnusableInputError([Fault("candidates", f"candidate {label}", "", reason, remedy)])
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
    """Give what each candidate costs, 10,000 yuan: its own, else the unit cost of its works, else NaN."""
    unit = {name: one.cost for name, one in study.siting.costs.items()}
    by_works = table["works"].map(unit).astype("float64")
    costs: np.ndarray[Any, Any] = table["cost"].fillna(by_works).to_numpy(dtype=float)
    return costs


def _points(
    question: Question, conditions: Conditions, plan: SitingPlan, objective: str
) -> tuple[CurvePoint, ...]:
    """Tell most people covered for none, the fewest sites that may be, one more ... to the goal."""
    total, target = float(question.people.sum()), question.target
    goal = None if target.goal is None else (target.goal - target.tolerance) * total
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


def _enough(curve: Sequence[CurvePoint], target: CircleTarget) -> int | None:
    if target.goal is None:
        return None
    reached = [point.sites for point in curve if point.value >= target.goal - target.tolerance]
    return reached[0] if reached else None


def plan_changes(table: gpd.GeoDataFrame, sites: Sequence[str]) -> tuple[Change, ...]:
    """Put the sites of a plan as changes of a scenario."""
    return tuple(
        Change(
            "open",
            id=f"plan-{label}",
            services=service_list(table.loc[label, "services"]),
            name=table.loc[label, "name"] or str(label),
            shape=table.geometry[label],
            file="(plan)",
            row=number,
        )
        for number, label in enumerate(sites, 1)
    )


def _audited(
    inputs: Inputs, table: gpd.GeoDataFrame, plan: SitingPlan, before: Findings, tell: Callable[[str], None]
) -> Scenario:
    changes = plan_changes(table, plan.sites)
    return compare_inputs(inputs, apply_changes(inputs, changes), changes, before=before, progress=tell)


_SAME = 1e-9


def _prove(
    question: Question, plan: SitingPlan, scenario: Scenario, conditions: Conditions, objective: str
) -> None:
    """Hold the plan's value against the audit of the study with its sites.

    Raises
    ------
    ProofError
        They differ.
    """
    target = question.target.id
    after = scenario.after
    count = after.result(target).count
    assert count is not None
    people = question.people
    seconds = after.seconds[target].to_numpy(dtype=float)
    today = scenario.before.seconds[target].to_numpy(dtype=float)
    timed = np.isfinite(today) & (people > 0)
    audited = {
        "max_cover": count.covered,
        "p_median": float(people[timed] @ seconds[timed]),
        "p_center": float(seconds[timed].max(initial=0.0)),
    }
    said = plan.value
    if objective == "max_min_cover":
        parts = [one.count for one in after.result(target).districts] or [count]
        audited[objective] = min(one.covered / one.people for one in parts if one.people > 0)
    elif objective == "full_cover":
        audited[objective] = count.covered
        said = question.people_covered + question.gain(conditions.labels.get_indexer(list(plan.sites)))
    if abs(audited[objective] - said) > _SAME * max(abs(said), 1.0):
        raise ProofError(
            f"the plan for {target!r} says {said!r}, the audit of its sites {audited[objective]!r}: "
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
    lost = ~question.answer.snapped & (question.people > 0)
    if lost.any():
        notes.append(f"unsnapped:{question.people[lost].sum():.0f}")
    certificates = (plan.status, *(point.status for point in curve), *(one.status for one in band))
    if "feasible" in certificates:
        notes.append("not_proved")
    return tuple(notes)
