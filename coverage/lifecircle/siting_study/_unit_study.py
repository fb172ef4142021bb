"""The steps of a siting study of a presence target: units without, choice, places, proof by the audit."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from lifecircle.audit import open_study, prepare, run
from lifecircle.errors import Fault, ProofError, UnusableInputError, say
from lifecircle.findings import PresenceResult
from lifecircle.scenario import Change, Scenario, apply_changes, compare_inputs
from lifecircle.siting_study._existing_venues import ExistingVenue, existing_venues, profile_of
from lifecircle.siting_study._question import not_assessable
from lifecircle.siting_study._siting_steps import final_turn
from lifecircle.siting_study._unit_choice import (
    Certificate,
    SharedSites,
    count_proof,
    most_people,
    share_sites,
    units_for,
    units_needed,
)
from lifecircle.siting_study._unit_positions import homes_of, positions_in, unit_candidates
from lifecircle.siting_study._unit_services import Offer, offer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings, UnitCount
    from lifecircle.siting_study._candidate_sites import Candidates
    from lifecircle.standards import PresenceTarget
    from lifecircle.study import Study

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UnitSite:
    """One site of a plan for units.

    ``units`` : codes of the units that hold because of it, alone or with others; ``candidate`` : id of the
    candidate it stands on, empty where none lies in the unit and it is put among the residents; ``people`` :
    who live in the units, None where that is not known; ``rank`` : of the first unit among all without, by
    people; ``next_best`` : codes of the units that another choice would hold instead, empty where there is
    none; ``next_rank`` : the rank of the first of them; ``next_loss`` : people (of outlets: outlets) fewer
    then; ``held_after`` : units that hold with this site and all before it; ``part``, ``parts`` : which of
    how many sites of its unit it is; ``existing`` : the nearest venue today of each class that its units
    lack, from where it stands.
    """

    id: str
    name: str
    services: tuple[str, ...]
    lon: float
    lat: float
    units: tuple[str, ...]
    district: str
    village: str
    candidate: str
    works: str
    cost: float | None
    people: float | None
    rank: int | None
    next_best: tuple[str, ...]
    next_rank: int | None
    next_loss: float | None
    held_after: int
    serves: str = ""
    part: int = 1
    parts: int = 1
    existing: tuple[ExistingVenue, ...] = ()

    @property
    def existing_min(self) -> float | None:
        """Minutes to the nearest venue today; of several classes the longest; None where one has none."""
        minutes = [one.minutes for one in self.existing]
        known = [one for one in minutes if one is not None]
        return max(known) if known and len(known) == len(minutes) else None


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
    result = before.result(target)
    assert isinstance(result, PresenceResult)
    units = result.units
    if units is None:
        raise UnusableInputError([not_assessable(target, result.reason, study.language)])
    report_progress("candidates")
    without = _without(before, units, target)
    turn = final_turn(goal)
    needed = None if turn is None else units_needed(units.total, units.holding, turn)
    placed = without[without["lon"].notna()] if goal.unit == "outlet" else without
    _check(goal, units, new=new, needed=needed, placeable=len(placed))
    offer = offer_of(
        study, goal, list(dict.fromkeys(name for row in without["lacks"] for name in row)), services
    )
    without["takes"] = [len(offer.sites(_lacking(row))) for _, row in without.iterrows()]
    placed = without.loc[placed.index]
    _check_number(goal, new=new, takes=placed["takes"].tolist())
    report_progress("solving")
    found = None
    if goal.unit == "outlet":
        shared = _shared(inputs, goal, placed, new=new, needed=needed, time_limit_s=time_limit_s)
        certificate = shared.certificate
        chosen = _outlet_sites(inputs, goal, placed, shared, holding=units.holding, offer=offer)
    else:
        found = unit_candidates(inputs, goal, candidates)
        takes = placed["takes"].tolist()
        many = sum(sorted(takes)[:needed]) if new is None else new
        chosen = _unit_sites(inputs, goal, placed, many, holding=units.holding, offer=offer, found=found)
        certificate = count_proof(takes, len({site.units for site in chosen}), needed)
    sites = _with_existing(inputs, goal, chosen, without["lacks"].to_dict())
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
        without=without.assign(chosen=without.index.isin(filled)),
        total=units.total,
        holding=units.holding,
        needed=needed,
        placeable=len(placed),
        sites=sites,
        certificate=certificate,
        candidates=found,
        profile=profile_of(inputs),
        scenario=scenario,
        notes=_notes(
            goal,
            sites,
            found,
            lost=len(without) - len(placed),
            certificate=certificate,
            new=new,
            profile=profile_of(inputs),
        ),
    )


def unit_changes(sites: Sequence[UnitSite]) -> tuple[Change, ...]:
    """Put the sites of a plan as changes of a scenario."""
    return tuple(
        Change(
            "open",
            id=f"plan-{site.id}",
            services=site.services,
            name=site.name,
            shape=shapely.Point(site.lon, site.lat),
            serves=site.serves,
            file="(plan)",
            row=number,
        )
        for number, site in enumerate(sites, 1)
    )


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
            "the goal is reached today: {holding} of {total} units", holding=units.holding, total=units.total
        )
        fault = Fault("", "new", "", reason, say("give a number to go beyond it"))
    elif new is None and needed is not None and needed > placeable:
        reason = say(
            "the goal takes {needed} more units, and only {many} can be given a site",
            needed=needed,
            many=placeable,
        )
        fault = Fault("", "target", target.id, reason, say("give the outlets without a place their place"))
    if fault is not None:
        raise UnusableInputError([fault])


def _check_number(target: PresenceTarget, *, new: int | None, takes: Sequence[int]) -> None:
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
        reason = say("only {many} units lack one", many=len(takes))
        if most > len(takes):
            reason = say("the units without take {most} sites in all", most=most)
        raise UnusableInputError(
            [Fault("", "new", str(new), reason, say("give a number up to {many}", many=most))]
        )
    if new < least and target.unit != "outlet":
        reason = say("the unit that lacks least takes {least} sites", least=least)
        raise UnusableInputError(
            [Fault("", "new", str(new), reason, say("give a number from {least}", least=least))]
        )


# --- sites ----------------------------------------------------------------------------------------------


def _unit_sites(  # noqa: PLR0913 - the question, the units and what they get
    inputs: Inputs,
    target: PresenceTarget,
    without: pd.DataFrame,
    new: int,
    *,
    holding: int,
    offer: Offer,
    found: Candidates | None,
) -> list[UnitSite]:
    """Give each of the units that are chosen its sites: what they hold, where, and the unit in its stead."""
    takes = without["takes"].tolist()
    mine = units_for(takes, without["people"].tolist(), new)
    spare = new - sum(takes[at] for at in mine)
    rest = without.drop(without.index[mine])
    chosen = without.iloc[mine]
    homes = homes_of(inputs, target, list(chosen.index))
    listed = _by_list(inputs, target)
    sites = []
    for number, (code, row) in enumerate(chosen.iterrows(), 1):
        holds = offer.sites(_lacking(row))
        inside = (row["lon"], row["lat"])
        positions = positions_in(
            inputs, target, found, code=str(code), inside=inside, homes=homes, holds=holds
        )
        other = next((one for _, one in rest.iterrows() if one["takes"] <= row["takes"] + spare), None)
        loss = None if other is None else float(row["people"] - other["people"])
        parts = len(holds)
        for part, (services, position) in enumerate(zip(holds, positions, strict=True), 1):
            name = f"{row['name']}·{_service_names(inputs.study, services)}"
            sites.append(
                UnitSite(
                    id=str(code) if parts == 1 else f"{code}-{part}",
                    name=name if parts == 1 else f"{name} {part}",
                    services=services,
                    **asdict(position),
                    units=(str(code),),
                    district=str(code) if target.unit == "district" else str(row["district"]),
                    village=str(code) if target.unit == "village" else "",
                    people=None if np.isnan(row["people"]) else float(row["people"]),
                    rank=int(row["rank"]),
                    next_best=() if other is None else (str(other.name),),
                    next_rank=None if other is None else int(other["rank"]),
                    next_loss=None if loss is None or np.isnan(loss) else loss,
                    held_after=holding + number - (part < parts),
                    serves=str(code) if listed else "",
                    part=part,
                    parts=parts,
                )
            )
    return sites


def _lacking(row: Any) -> dict[str, int]:
    """Return how many venues a unit without lacks of each class."""
    return dict(zip(row["lacks"], row["short"], strict=True))


def _by_list(inputs: Inputs, target: PresenceTarget) -> bool:
    """Return whether a new venue has to list its unit, or may: not where places alone count.

    Where the list alone counts but no venue keeps one, places count for all; a first list would end that.
    """
    if target.assign != "serves":
        return target.assign == "serves_first" and target.unit != "outlet"
    members = set().union(*inputs.study.standard.venues(target).values())
    mine = inputs.register[inputs.register["service"].isin(members)]
    # A list of units of another kind, such as the county, is none for this target.
    known = _codes_of_kind(inputs, target)
    listed = mine["serves"].fillna("").astype("str").str.split(_BETWEEN).explode().str.strip()
    return bool(listed.isin(known).any())


_BETWEEN = r"[,，;；、|/\s]+"


def _codes_of_kind(inputs: Inputs, target: PresenceTarget) -> set[str]:
    """Return the codes that mean a unit of the target: its own, and those of villages for their district."""
    layers = {"village": (inputs.villages,), "district": (inputs.districts, inputs.villages)}
    if target.unit == "outlet":
        return set() if inputs.outlets is None else set(inputs.outlets.index.astype("str"))
    if target.unit == "county":
        layers["county"] = (inputs.districts, inputs.villages)
    return {str(code) for layer in layers[target.unit] if layer is not None for code in layer.index}


def _shared(  # noqa: PLR0913 - the question, all named
    inputs: Inputs,
    target: PresenceTarget,
    placed: pd.DataFrame,
    *,
    new: int | None,
    needed: int | None,
    time_limit_s: float,
) -> SharedSites:
    """Solve for sites that hold several outlets."""
    outlets = inputs.outlets
    assert outlets is not None
    points = outlets.set_axis(outlets.index.astype("str")).loc[placed.index].to_crs(inputs.crs).geometry
    return share_sites(
        np.column_stack([points.x, points.y]),
        crs=inputs.crs,
        within_m=target.within_m,
        sites=new,
        needed=needed,
        time_limit_s=time_limit_s,
        takes=placed["takes"].tolist(),
    )


def _outlet_sites(  # noqa: PLR0913 - the question, the outlets and what they get
    inputs: Inputs,
    target: PresenceTarget,
    placed: pd.DataFrame,
    shared: SharedSites,
    *,
    holding: int,
    offer: Offer,
) -> list[UnitSite]:
    codes = [str(code) for code in placed.index]
    listed = _by_list(inputs, target)
    sites: list[UnitSite] = []
    left = dict(zip(range(len(placed)), placed["takes"].tolist(), strict=True))
    held = holding
    for number, (position, mine) in enumerate(zip(shared.lonlat, shared.serves, strict=True)):
        for at in mine:
            left[at] -= 1
            held += left[at] == 0
        # As many venues of each class as the outlet lacks that lacks most of it.
        lacks: dict[str, int] = {}
        for at in mine:
            for name, short in _lacking(placed.iloc[at]).items():
                lacks[name] = max(short, lacks.get(name, 0))
        services = offer.sites(lacks)[0]
        first = placed.iloc[mine[0]]
        instead = shared.instead[number]
        other = () if instead is None else tuple(codes[int(at)] for at in instead[0].split())
        name = f"{first['name']}·{_service_names(inputs.study, services)}"
        again = sum(one.name == name or one.name.startswith(f"{name} ") for one in sites)
        sites.append(
            UnitSite(
                id=f"S{number + 1:03d}",
                name=name if not again else f"{name} {again + 1}",
                services=services,
                lon=float(position[0]),
                lat=float(position[1]),
                units=tuple(codes[at] for at in mine),
                district=str(first["district"]),
                village="",
                candidate="",
                works="",
                cost=None,
                people=None,
                rank=number + 1,
                next_best=other,
                next_rank=None,
                next_loss=None if instead is None else float(instead[1]),
                held_after=held,
                serves=" ".join(codes[at] for at in shared.reach[number]) if listed else "",
            )
        )
    return sites


def _service_names(study: Study, services: Sequence[str]) -> str:
    names = {one.id: one.name.get(study.language) for one in study.standard.services}
    return " + ".join(names.get(one, one) for one in services)


def _with_existing(
    inputs: Inputs, target: PresenceTarget, sites: Sequence[UnitSite], lacks: Mapping[str, Sequence[str]]
) -> tuple[UnitSite, ...]:
    """Add to every site how far the nearest venues are today, of each class that its units lack."""
    classes = [list(dict.fromkeys(name for code in site.units for name in lacks[code])) for site in sites]
    found = existing_venues(inputs, target, [(site.lon, site.lat) for site in sites], classes)
    return tuple(replace(site, existing=mine) for site, mine in zip(sites, found, strict=True))


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


def _notes(  # noqa: PLR0913 - all that a note may be about
    target: PresenceTarget,
    sites: Sequence[UnitSite],
    found: Candidates | None,
    *,
    lost: int,
    certificate: Certificate,
    new: int | None,
    profile: str,
) -> tuple[str, ...]:
    """Name what a reader must know, as codes of the catalogue."""
    notes = [f"existing_by:{profile}"]
    among = sum(not site.candidate for site in sites)
    if among and target.unit != "outlet":
        notes.append(f"among_homes:{among}")
    if found is not None and len(found.rejects):
        notes.append(f"candidates_rejected:{len(found.rejects)}")
    if lost:
        notes.append(f"outlets_unplaced:{lost}")
    if new is not None and len(sites) < new:
        # Outlets left over are none; units left over take more sites than are left.
        notes.append(f"{'fewer_do' if target.unit == 'outlet' else 'too_few_left'}:{len(sites)}|{new}")
    open_question = certificate.fewest != certificate.fewest_possible
    if open_question or (new is not None and not certificate.proved):
        notes.append("not_proved")
    return tuple(notes)
