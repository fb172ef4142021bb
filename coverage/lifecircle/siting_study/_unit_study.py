"""The steps of a siting study of a presence target: units without, choice, places, proof by the audit."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.audit import open_study, prepare, run
from lifecircle.candidates import service_list
from lifecircle.demand import OUTSIDE, assign_districts, assign_villages
from lifecircle.errors import Fault, ProofError, UnusableInputError, say
from lifecircle.findings import PresenceResult
from lifecircle.scenario import Change, Scenario, apply_changes, compare_inputs
from lifecircle.siting_study._candidate_sites import Candidates, gather
from lifecircle.siting_study._question import not_assessable
from lifecircle.siting_study._siting_steps import final_turn, known_costs
from lifecircle.siting_study._unit_choice import (
    Certificate,
    SharedSites,
    count_proof,
    most_people,
    share_sites,
    units_needed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings, UnitCount
    from lifecircle.standards import PresenceTarget
    from lifecircle.study import Study

    Floats = npt.NDArray[np.float64]

_log = logging.getLogger(__name__)

_TIER = {"county": "county", "district": "town", "village": "village"}
"""The tier of the services that a unit gets first, where a class has several."""


@dataclass(frozen=True)
class UnitSite:
    """One site of a plan for units.

    ``units`` : codes of the units that hold because of it; ``candidate`` : id of the candidate it stands on,
    empty where none lies in the unit and it is put among the residents; ``people`` : who live in the units,
    None where that is not known; ``rank`` : of the first unit among all without, by people; ``next_best`` :
    codes of the units that another choice would hold instead, empty where all are chosen; ``next_rank`` : the
    rank of the first of them; ``next_loss`` : people (of outlets: outlets) fewer then; ``held_after`` : units
    that hold with this site and all before it.
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


@dataclass(frozen=True, eq=False)
class UnitStudy:
    """A plan for a presence target, proved against the audit.

    ``without`` : index code: ``name``, ``district``, ``people``, ``lacks``, ``rank``, ``chosen``, ``lon``,
    ``lat`` of every unit without, most people first; ``total``, ``holding`` : units, and those that hold
    today; ``needed`` : units still needed for the goal, None without a goal; ``placeable`` : units without
    that a site can be given to; ``certificate`` : see :class:`Certificate`; ``scenario`` : the plan audited.
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
        least = self.new is not None or found.fewest == found.fewest_possible
        return "optimal" if found.proved and least else "feasible"


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

    Without a number, the fewest sites that reach the goal. A unit with an area takes a site of its own, and
    those with most people without come first, ties by code; one site may hold several outlets that lie
    within the distance of the target.

    Parameters
    ----------
    study : folder of a study, or a study read before
    target : id of a presence target
    new : how many new sites; None for the fewest that reach the goal
    candidates : list of candidates instead of the study's own; a unit in which none lies gets its site at
        the home nearest to the middle of its people
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
    report_progress("solving")
    found = None
    if goal.unit == "outlet":
        shared = _shared(inputs, goal, placed, new=new, needed=needed, time_limit_s=time_limit_s)
        certificate = shared.certificate
        sites = _outlet_sites(inputs, goal, placed, shared, units, services)
    else:
        many = needed if new is None else new
        assert many is not None
        certificate = count_proof(len(placed), many, needed)
        found = _candidates(inputs, goal, candidates)
        sites = _unit_sites(inputs, goal, placed, many, units, services, found)
    report_progress("proof")
    changes = unit_changes(sites)
    scenario = compare_inputs(
        inputs, apply_changes(inputs, changes), changes, before=before, progress=report_progress
    )
    chosen = {code for site in sites for code in site.units}
    _prove(scenario, target, chosen)
    return UnitStudy(
        id=f"{target}-{len(sites)}",
        inputs=inputs,
        target=goal,
        new=new,
        without=without.assign(chosen=without.index.isin(chosen)),
        total=units.total,
        holding=units.holding,
        needed=needed,
        placeable=len(placed),
        sites=tuple(sites),
        certificate=certificate,
        candidates=found,
        scenario=scenario,
        notes=_notes(goal, sites, found, lost=len(without) - len(placed), certificate=certificate, new=new),
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
        There is none of this id, or it asks for more than one venue of a kind in a unit.
    """
    for one in study.standard.targets:
        if one.id == target and one.kind == "presence":
            many = [name for name, count in one.needed.items() if count > 1]
            if many:
                reason = say("a unit needs more than one venue of: {names}", names=", ".join(many))
                remedy = say("open them in a scenario: which of them a unit has already is not known here")
                raise UnusableInputError([Fault("", "target", target, reason, remedy)])
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
        Nothing is lacking, there is no goal and no number, or more sites are asked for than units lack one.
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
    elif new is not None and new > placeable:
        reason = say("only {many} units lack one", many=placeable)
        fault = Fault("", "new", str(new), reason, say("give a number up to {many}", many=placeable))
    if fault is not None:
        raise UnusableInputError([fault])


# --- places ---------------------------------------------------------------------------------------------


def _candidates(inputs: Inputs, target: PresenceTarget, file: str | Path | None) -> Candidates | None:
    """Read the list of candidates, the one given or the study's own; None where there is none."""
    if file is None and inputs.study.siting.candidates is None:
        return None
    nobody = np.zeros(len(inputs.demand))
    return gather(inputs, target, nobody > 0, nobody, file=file)


def _unit_sites(  # noqa: PLR0913, PLR0917 - the question, the units and what they get
    inputs: Inputs,
    target: PresenceTarget,
    without: pd.DataFrame,
    many: int,
    units: UnitCount,
    services: Sequence[str] | None,
    found: Candidates | None,
) -> list[UnitSite]:
    """Give each of the first units a site, with what it holds, its place and the next unit in its place."""
    chosen = without.iloc[:many]
    other = without.iloc[many] if many < len(without) else None
    holds = {lacks: _services(inputs.study, target, lacks, services) for lacks in set(chosen["lacks"])}
    homes = _homes(inputs, target, list(chosen.index))
    sites = []
    for number, (code, row) in enumerate(chosen.iterrows(), 1):
        mine = holds[row["lacks"]]
        people = None if np.isnan(row["people"]) else float(row["people"])
        middle, at_home = _middle(inputs, homes.get(str(code)), (row["lon"], row["lat"]))
        spot = _candidate_in(inputs, target, found, str(code), mine, middle)
        loss = None if other is None else float(row["people"] - other["people"])
        sites.append(
            UnitSite(
                id=str(code),
                name=f"{row['name']}·{_service_names(inputs.study, mine)}",
                services=mine,
                lon=at_home[0] if spot is None else spot["lon"],
                lat=at_home[1] if spot is None else spot["lat"],
                units=(str(code),),
                district=str(code) if target.unit == "district" else str(row["district"]),
                village=str(code) if target.unit == "village" else "",
                candidate="" if spot is None else spot["id"],
                works="" if spot is None else spot["works"],
                cost=None if spot is None else spot["cost"],
                people=people,
                rank=int(row["rank"]),
                next_best=() if other is None else (str(other.name),),
                next_rank=None if other is None else int(other["rank"]),
                next_loss=None if loss is None or np.isnan(loss) else loss,
                held_after=units.holding + number,
                serves=str(code) if _by_list(inputs, target) else "",
            )
        )
    return sites


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


def _homes(
    inputs: Inputs, target: PresenceTarget, codes: Sequence[str]
) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Return the homes of each unit at which a venue would stand in it: metres, people, degrees."""
    demand = inputs.demand
    placed = (demand.geometry.notna() & ~demand.geometry.is_empty).to_numpy(dtype=bool)
    if target.unit == "county":
        mine = np.flatnonzero(placed & (demand["district"].astype("str") != OUTSIDE).to_numpy(dtype=bool))
        unit = np.full(len(mine), codes[0], dtype=object)
    else:
        wanted = demand[target.unit].astype("str").isin(list(codes)).to_numpy(dtype=bool)
        mine = np.flatnonzero(placed & wanted)
        # A venue's unit is found from its place alone, and a resident's may be what a column says.
        bare = gpd.GeoDataFrame(geometry=demand.geometry.to_numpy()[mine], crs="EPSG:4326")
        bare = assign_villages(assign_districts(bare, inputs.districts), inputs.villages)
        unit = bare[target.unit].astype("str").to_numpy(dtype=object)
    people = demand["population"].to_numpy(dtype=float)
    metres = inputs.metres
    return {
        code: (metres[rows], people[rows], inputs.lonlat[rows])
        for code in codes
        if len(rows := mine[unit == code])
    }


def _middle(
    inputs: Inputs, homes: tuple[Floats, Floats, Floats] | None, inside: tuple[float, float]
) -> tuple[Floats, tuple[float, float]]:
    """Find the middle of a unit's people in metres, and the home nearest to it; else a point inside it."""
    if homes is None:
        point = gpd.GeoSeries([shapely.Point(*inside)], crs="EPSG:4326").to_crs(inputs.crs).iloc[0]
        return np.array([point.x, point.y]), inside
    metres, people, lonlat = homes
    middle = np.average(metres, axis=0, weights=people if people.sum() > 0 else None)
    nearest = int(np.hypot(*(metres - middle).T).argmin())
    return middle, (float(lonlat[nearest, 0]), float(lonlat[nearest, 1]))


def _candidate_in(  # noqa: PLR0913, PLR0917 - where, what for, and how near
    inputs: Inputs,
    target: PresenceTarget,
    found: Candidates | None,
    code: str,
    services: tuple[str, ...],
    middle: Floats,
) -> dict[str, Any] | None:
    """Return the candidate in a unit that is nearest to the middle of its people; None without any."""
    if found is None:
        return None
    table = found.table
    inside = np.ones(len(table), dtype=bool)
    if target.unit != "county":
        inside = (table[target.unit].astype("str") == code).to_numpy(dtype=bool)
    able = np.array(
        [not text or set(services) <= set(service_list(text)) for text in table["services"].fillna("")],
        dtype=bool,
    )
    at = np.flatnonzero(inside & able & found.free)
    if not len(at):
        return None
    points = table.geometry.iloc[at].to_crs(inputs.crs)
    away = np.hypot(points.x.to_numpy() - middle[0], points.y.to_numpy() - middle[1])
    best = int(at[int(away.argmin())])
    price = float(known_costs(table, inputs.study)[best])
    return {
        "id": str(table.index[best]),
        "lon": float(table.geometry.iloc[best].x),
        "lat": float(table.geometry.iloc[best].y),
        "works": str(table["works"].iloc[best]),
        "cost": None if np.isnan(price) else price,
    }


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
    places = outlets.set_axis(outlets.index.astype("str")).loc[placed.index].to_crs(inputs.crs).geometry
    metres = np.column_stack([places.x, places.y])
    return share_sites(
        metres,
        crs=inputs.crs,
        within_m=target.within_m,
        sites=new,
        needed=needed,
        time_limit_s=time_limit_s,
    )


def _outlet_sites(  # noqa: PLR0913, PLR0917 - the question, the outlets and what they get
    inputs: Inputs,
    target: PresenceTarget,
    placed: pd.DataFrame,
    shared: SharedSites,
    units: UnitCount,
    services: Sequence[str] | None,
) -> list[UnitSite]:
    codes, held = [str(code) for code in placed.index], units.holding
    listed = _by_list(inputs, target)
    sites = []
    for number, (place, mine) in enumerate(zip(shared.lonlat, shared.serves, strict=True)):
        held += len(mine)
        first = placed.iloc[mine[0]]
        lacks = tuple(dict.fromkeys(name for at in mine for name in placed.iloc[at]["lacks"]))
        holds = _services(inputs.study, target, lacks, services)
        instead = shared.instead[number]
        other = () if instead is None else tuple(codes[int(at)] for at in instead[0].split())
        sites.append(
            UnitSite(
                id=f"S{number + 1:03d}",
                name=f"{first['name']}·{_service_names(inputs.study, holds)}",
                services=holds,
                lon=float(place[0]),
                lat=float(place[1]),
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


def _services(
    study: Study, target: PresenceTarget, lacks: tuple[str, ...], given: Sequence[str] | None
) -> tuple[str, ...]:
    """Choose what a site holds: a service of every class that is lacking.

    Raises
    ------
    UnusableInputError
        Of what is given nothing counts for a class that is lacking, or a service is unknown.
    """
    own = tuple(given or study.siting.services.get(target.id, ()))
    known = [one.id for one in study.standard.services]
    unknown = [one for one in own if one not in known]
    if unknown:
        reason, remedy = say("unknown service id"), say("use one of {names}", names=", ".join(sorted(known)))
        raise UnusableInputError([Fault("", "services", unknown[0], reason, remedy)])
    venues, tier = study.standard.venues(target), _TIER.get(target.unit)
    chosen: list[str] = []
    for name in lacks:
        able = [one for one in study.standard.services if one.id in venues[name]]
        if own:
            able = [one for one in able if one.id in own]
        if not able:
            reason = say("no service of the new sites counts for '{name}'", name=name)
            remedy = say("use one of {names}", names=", ".join(sorted(venues[name])))
            raise UnusableInputError([Fault("", "services", ", ".join(own), reason, remedy)])
        if not {one.id for one in able} & set(chosen):
            chosen.append(min(able, key=lambda one: one.tier != tier).id)
    return tuple(chosen)


def _service_names(study: Study, services: Sequence[str]) -> str:
    names = {one.id: one.name.get(study.language) for one in study.standard.services}
    return " + ".join(names.get(one, one) for one in services)


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
) -> tuple[str, ...]:
    """Name what a reader must know, as codes of the catalogue."""
    notes = []
    among = sum(not site.candidate for site in sites)
    if among and target.unit != "outlet":
        notes.append(f"among_homes:{among}")
    if found is not None and len(found.rejects):
        notes.append(f"candidates_rejected:{len(found.rejects)}")
    if lost:
        notes.append(f"outlets_unplaced:{lost}")
    if new is not None and len(sites) < new:
        notes.append(f"fewer_do:{len(sites)}|{new}")
    if not certificate.proved or certificate.fewest != certificate.fewest_possible:
        notes.append("not_proved")
    return tuple(notes)
