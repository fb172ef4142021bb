"""The steps of a siting study of a presence target: units without, choice, places, proof by the audit."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.audit import open_study, prepare, run
from lifecircle.errors import Fault, ProofError, UnusableInputError, say
from lifecircle.findings import PresenceResult
from lifecircle.scenario import Scenario, apply_changes, compare_inputs
from lifecircle.siting_study._existing_venues import profile_of
from lifecircle.siting_study._question import not_assessable
from lifecircle.siting_study._siting_steps import final_turn
from lifecircle.siting_study._unit_choice import Certificate, count_proof, most_people, units_needed
from lifecircle.siting_study._unit_positions import unit_candidates
from lifecircle.siting_study._unit_services import Offer, offer_of
from lifecircle.siting_study._unit_sites import (
    UnitSite,
    lacking,
    shared_sites,
    sites_of_outlets,
    sites_of_units,
    unit_changes,
    with_existing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings, UnitCount
    from lifecircle.siting_study._candidate_sites import Candidates
    from lifecircle.standards import PresenceTarget
    from lifecircle.study import Study

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class UnitStudy:
    """A plan for a presence target, proved against the audit.

    ``without`` : index code: ``name``, ``district``, ``people``, ``lacks``, ``short`` (venues lacking of
    each), ``rank``, ``takes`` (sites), ``chosen``, ``lon``, ``lat`` of every unit without, most people first;
    ``total``, ``holding`` : units, and those that hold today; ``needed`` : units still needed for the goal,
    None without a goal; ``placeable`` : units without that a site can be given to; ``certificate`` : see
    :class:`Certificate`; ``profile`` : the travel profile of the minutes to existing venues; ``scenario`` :
    the plan audited.
    """

    id: str
    inputs: Inputs
    target: PresenceTarget
    new: int | None
    without: pd.DataFrame
    total: int
    holding: int
    needed: int | None
    placeable: int
    sites: tuple[UnitSite, ...]
    certificate: Certificate
    candidates: Candidates | None
    profile: str
    scenario: Scenario
    notes: tuple[str, ...]

    @property
    def holding_after(self) -> int:
        """Units that hold with the plan, as the audit counts them."""
        return self.holding + self.certificate.held

    @property
    def status(self) -> str:
        """Whether the plan is proved best: with its number given, or with the fewest sites for the goal."""
        found = self.certificate
        proved = found.proved if self.new is not None else found.fewest == found.fewest_possible
        return "optimal" if proved else "feasible"


def unit_study(  # noqa: PLR0913 - the question and its conditions, all named
    study: str | Path | Study,
    target: str,
    *,
    new: int | None = None,
    candidates: str | Path | None = None,
    services: Sequence[str] | None = None,
    year: int | None = None,
    time_limit_s: float = 60.0,
    progress: Callable[[str], None] | None = None,
) -> UnitStudy:
    """Find which units of a presence target get a facility first, and prove it by the audit.

    Without a number, the fewest sites that reach the goal. A unit with an area takes a site of its own, or
    several where it lacks several venues; the units filled are as many as can be, and of these choices the
    one with most people, ties by code. One site may hold several outlets that lie within the distance of the
    target.

    Parameters
    ----------
    study : folder of a study, or a study read before
    target : id of a presence target
    new : how many new sites; None for the fewest that reach the goal
    candidates : list of candidates instead of the study's own; a unit in which none lies gets its sites at
        the homes nearest to the middle of its people
    services : what a new site holds; left out, what the study says in ``[siting.services]``, else of each
        class that a unit lacks the service of the unit's own tier
    time_limit_s : seconds for the solver, where sites serve several outlets

    Raises
    ------
    UnusableInputError
        With every fault of the study, the candidates and the question; also where the goal is reached.
    ProofError
        When the audit of the plan gives another figure than the plan.
    """
    report_progress = progress or _log.info
    if isinstance(study, str | Path):
        study = open_study(study, year)
    goal = _presence(study, target)
    if new is not None and new < 1:
        reason = say("how many new sites is not said")
        raise UnusableInputError([Fault("", "new", str(new), reason, say("give a number from 1"))])
    report_progress("reading")
    inputs = prepare(study, year)
    report_progress("before")
    before = run(inputs, progress=report_progress)
    report_progress("candidates")
    ask = _asked(inputs, goal, before, new=new, services=services)
    report_progress("solving")
    found = None if goal.unit == "outlet" else unit_candidates(inputs, goal, candidates)
    chosen, certificate = _by_sharing(ask, time_limit_s) if goal.unit == "outlet" else _by_count(ask, found)
    sites = with_existing(inputs, goal, chosen, ask.without["lacks"].to_dict())
    report_progress("proof")
    changes = unit_changes(sites)
    scenario = compare_inputs(
        inputs, apply_changes(inputs, changes), changes, before=before, progress=report_progress
    )
    filled = {code for site in sites for code in site.units}
    _prove(scenario, target, filled)
    return UnitStudy(
        id=f"{target}-{len(sites)}",
        inputs=inputs,
        target=goal,
        new=new,
        without=ask.without.assign(chosen=ask.without.index.isin(filled)),
        total=ask.units.total,
        holding=ask.units.holding,
        needed=ask.needed,
        placeable=len(ask.placed),
        sites=sites,
        certificate=certificate,
        candidates=found,
        profile=profile_of(inputs),
        scenario=scenario,
        notes=_notes(ask, sites, found, certificate),
    )


@dataclass(frozen=True, eq=False)
class _Ask:
    """What is asked; ``without`` : units without, most people first, ``placed`` : those a site can be for."""

    inputs: Inputs
    target: PresenceTarget
    units: UnitCount
    without: pd.DataFrame
    placed: pd.DataFrame
    offer: Offer
    new: int | None
    needed: int | None


def _asked(
    inputs: Inputs,
    target: PresenceTarget,
    before: Findings,
    *,
    new: int | None,
    services: Sequence[str] | None,
) -> _Ask:
    """Find the units without, how many of them the goal takes, and how many sites each takes.

    Raises
    ------
    UnusableInputError
        The target cannot be assessed, or the question has no answer.
    """
    result = before.result(target.id)
    assert isinstance(result, PresenceResult)
    units = result.units
    if units is None:
        raise UnusableInputError([not_assessable(target.id, result.reason, inputs.study.language)])
    without = _without(before, units, target.id)
    turn = final_turn(target)
    needed = None if turn is None else units_needed(units.total, units.holding, turn)
    able = without["lon"].notna() if target.unit == "outlet" else np.ones(len(without), dtype=bool)
    _check(target, units, new=new, needed=needed, placeable=int(able.sum()))
    classes = list(dict.fromkeys(name for row in without["lacks"] for name in row))
    offer = offer_of(inputs.study, target, classes, services)
    without = without.assign(takes=[len(offer.sites(lacking(row))) for _, row in without.iterrows()])
    placed = without[able]
    _check_number(new=new, takes=placed["takes"].tolist())
    return _Ask(inputs, target, units, without, placed, offer, new, needed)


def _by_count(ask: _Ask, found: Candidates | None) -> tuple[list[UnitSite], Certificate]:
    """Choose units that share no site, and prove the number by counting."""
    takes = ask.placed["takes"].tolist()
    many = sum(sorted(takes)[: ask.needed]) if ask.new is None else ask.new
    holding = ask.units.holding
    sites = sites_of_units(
        ask.inputs, ask.target, ask.placed, new=many, holding=holding, offer=ask.offer, found=found
    )
    return sites, count_proof(takes, len({site.units for site in sites}), ask.needed)


def _by_sharing(ask: _Ask, time_limit_s: float) -> tuple[list[UnitSite], Certificate]:
    """Choose sites that may serve several outlets, with the solver's certificate."""
    shared = shared_sites(
        ask.inputs, ask.target, ask.placed, new=ask.new, needed=ask.needed, time_limit_s=time_limit_s
    )
    holding = ask.units.holding
    sites = sites_of_outlets(ask.inputs, ask.target, ask.placed, shared, holding=holding, offer=ask.offer)
    return sites, shared.certificate


# --- the question ---------------------------------------------------------------------------------------


def _presence(study: Study, target: str) -> PresenceTarget:
    """Find a presence target that a site can meet.

    Raises
    ------
    UnusableInputError
        There is none of this id.
    """
    for one in study.standard.targets:
        if one.id == target and one.kind == "presence":
            return one
    reason, remedy = say("no such presence target"), say("choose another target")
    raise UnusableInputError([Fault("", "target", target, reason, remedy)])


def _without(before: Findings, units: UnitCount, target: str) -> pd.DataFrame:
    """List the units without, most people first: the audit's own list of gaps, by unit."""
    gaps = before.gaps[before.gaps["target"] == target]
    # The audit writes the gaps of a presence target in the order of its units without.
    codes = [one.code for one in units.without]
    table = pd.DataFrame(
        {
            "name": [one.name for one in units.without],
            "district": gaps["district"].to_numpy(),
            "people": gaps["people"].to_numpy(dtype=float),
            "lacks": [one.lacks for one in units.without],
            "short": [one.short for one in units.without],
            "lon": gaps["lon"].to_numpy(dtype=float),
            "lat": gaps["lat"].to_numpy(dtype=float),
        },
        index=pd.Index(codes, name="code", dtype="str"),
    )
    table = table.iloc[most_people(table["people"].tolist(), codes)]
    return table.assign(rank=np.arange(1, len(table) + 1))


def _check(
    target: PresenceTarget, units: UnitCount, *, new: int | None, needed: int | None, placeable: int
) -> None:
    """Refuse a question without an answer.

    Raises
    ------
    UnusableInputError
        Nothing is lacking, there is no goal and no number, or the goal takes more units than can have a site.
    """
    fault = None
    if not placeable:
        reason = say("no plan: {why}", why=say("every unit that a site can be given to holds already"))
        fault = Fault("", "target", target.id, reason, say("choose another target"))
    elif new is None and needed is None:
        reason = say("the target has no goal, and how many new sites is not said")
        fault = Fault("", "new", "", reason, say("give a number from 1"))
    elif new is None and needed == 0:
        reason = say(
            "the goal is reached today: {holding} of {total} {total:unit|units}",
            holding=units.holding,
            total=units.total,
        )
        fault = Fault("", "new", "", reason, say("give a number to go beyond it"))
    elif new is None and needed is not None and needed > placeable:
        reason = say(
            "the goal takes {needed} more {needed:unit|units}, and only {many} can be given a site",
            needed=needed,
            many=placeable,
        )
        fault = Fault("", "target", target.id, reason, say("give the outlets without a place their place"))
    if fault is not None:
        raise UnusableInputError([fault])


def _check_number(*, new: int | None, takes: Sequence[int]) -> None:
    """Refuse a number of sites that are more than all units take, or too few for any of them.

    Raises
    ------
    UnusableInputError
        They are.
    """
    if new is None:
        return
    most, least = sum(takes), min(takes)
    if new > most:
        reason = say("only {many} {many:unit lacks|units lack} one", many=len(takes))
        if most > len(takes):
            reason = say("the units without take {most} {most:site|sites} in all", most=most)
        raise UnusableInputError(
            [Fault("", "new", str(new), reason, say("give a number up to {many}", many=most))]
        )
    if new < least:
        reason = say("the unit that lacks least takes {least} {least:site|sites}", least=least)
        raise UnusableInputError(
            [Fault("", "new", str(new), reason, say("give a number from {least}", least=least))]
        )


# --- proof ----------------------------------------------------------------------------------------------


def _prove(scenario: Scenario, target: str, chosen: set[str]) -> None:
    """Hold the units a plan says it holds against the audit of the study with its sites.

    Raises
    ------
    ProofError
        They differ.
    """
    moved = scenario.target(target).units
    gained = set() if moved is None else {unit.code for unit in moved.gained}
    if gained != chosen or (moved is not None and moved.lost):
        said, found = " ".join(sorted(chosen)), " ".join(sorted(gained))
        raise ProofError(
            f"the plan for {target!r} gives {said!r} what they lack, the audit of its sites {found!r}: "
            "please report this with the study"
        )


def _notes(
    ask: _Ask, sites: Sequence[UnitSite], found: Candidates | None, certificate: Certificate
) -> tuple[str, ...]:
    """Name what a reader must know, as codes of the catalogue."""
    notes, new = [f"existing_by:{profile_of(ask.inputs)}"], ask.new
    outlets = ask.target.unit == "outlet"
    among = sum(not site.candidate for site in sites)
    if among and not outlets:
        notes.append(f"among_homes:{among}")
    if found is not None and len(found.rejects):
        notes.append(f"candidates_rejected:{len(found.rejects)}")
    lost = len(ask.without) - len(ask.placed)
    if lost:
        notes.append(f"outlets_unplaced:{lost}")
    if new is not None and len(sites) < new:
        # Outlets left over are none; units left over take more sites than are left.
        notes.append(f"{'fewer_do' if outlets else 'too_few_left'}:{len(sites)}|{new}")
    open_question = certificate.fewest != certificate.fewest_possible
    if open_question or (new is not None and not certificate.proved):
        notes.append("not_proved")
    return tuple(notes)
