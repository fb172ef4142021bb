"""The sites of a plan for units: what each holds, where it stands, for which units; not which are best."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.scenario import Change
from lifecircle.siting_study._existing_venues import ExistingVenue, existing_venues
from lifecircle.siting_study._unit_choice import SharedSites, share_sites, units_for
from lifecircle.siting_study._unit_positions import homes_of, positions_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from lifecircle.audit import Inputs
    from lifecircle.siting_study._candidate_sites import Candidates
    from lifecircle.siting_study._unit_services import Offer
    from lifecircle.standards import PresenceTarget
    from lifecircle.study import Study


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


def lacking(row: Any) -> dict[str, int]:
    """Return how many venues a unit without lacks of each class."""
    return dict(zip(row["lacks"], row["short"], strict=True))


def sites_of_units(  # noqa: PLR0913 - the question, the units and what they get
    inputs: Inputs,
    target: PresenceTarget,
    without: pd.DataFrame,
    *,
    new: int,
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
        holds = offer.sites(lacking(row))
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


def shared_sites(  # noqa: PLR0913 - the question, all named
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


def sites_of_outlets(  # noqa: PLR0913 - the question, the outlets and what they get
    inputs: Inputs,
    target: PresenceTarget,
    placed: pd.DataFrame,
    shared: SharedSites,
    *,
    holding: int,
    offer: Offer,
) -> list[UnitSite]:
    """Give each chosen site of outlets what it holds, a name and the outlets that count it.

    Parameters
    ----------
    placed : the outlets without that have a position, in the order of ``shared``
    shared : the sites that were chosen
    holding : outlets that hold today
    offer : what new sites may hold

    Returns
    -------
    sites : those with most outlets first
    """
    codes = [str(code) for code in placed.index]
    listed = _by_list(inputs, target)
    sites: list[UnitSite] = []
    left = dict(zip(range(len(placed)), placed["takes"].tolist(), strict=True))
    held = holding
    for number, (position, mine) in enumerate(zip(shared.lonlat, shared.serves, strict=True)):
        for at in mine:
            left[at] -= 1
            held += left[at] == 0
        services = offer.sites(_most_lacking(placed.iloc[list(mine)]))[0]
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


def _most_lacking(outlets: pd.DataFrame) -> dict[str, int]:
    """Return of each class as many venues as the outlet lacks that lacks most of it."""
    most: dict[str, int] = {}
    for _, row in outlets.iterrows():
        for name, short in lacking(row).items():
            most[name] = max(short, most.get(name, 0))
    return most


def _service_names(study: Study, services: Sequence[str]) -> str:
    names = {one.id: one.name.get(study.language) for one in study.standard.services}
    return " + ".join(names.get(one, one) for one in services)


def with_existing(
    inputs: Inputs, target: PresenceTarget, sites: Sequence[UnitSite], lacks: Mapping[str, Sequence[str]]
) -> tuple[UnitSite, ...]:
    """Add to every site how far the nearest venues are today, of each class that its units lack."""
    classes = [list(dict.fromkeys(name for code in site.units for name in lacks[code])) for site in sites]
    found = existing_venues(inputs, target, [(site.lon, site.lat) for site in sites], classes)
    return tuple(replace(site, existing=mine) for site, mine in zip(sites, found, strict=True))
