"""Own the reading of a study's files for one year, with every fault told at once."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import shapely

from lifecircle.demand import (
    accepted_targets,
    assign_districts,
    assign_villages,
    read_accepted,
    read_demand,
    read_districts,
    read_villages,
    with_districts,
)
from lifecircle.errors import Fault, FaultLog
from lifecircle.facilities import merge_duplicates, open_in, read_facilities
from lifecircle.findings import InputRecord
from lifecircle.roads import fetch_roads, profile, read_barriers, read_roads
from lifecircle.tables import join_rejects, nearest_name, rejected_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.roads import Roads
    from lifecircle.standards import CircleTarget, Standard
    from lifecircle.study import Study

_Table = TypeVar("_Table", bound=pd.DataFrame)
_Fact = TypeVar("_Fact")

_log = logging.getLogger(__name__)

AGED = "walk_aged"
STEP_FREE = "wheelchair"


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that one year's audit is computed from.

    ``networks`` : travel profile -> roads; profiles that differ only in speed share their lines.
    ``register`` : every facility, with ``district`` and ``village``, open in the year or not.
    """

    study: Study
    year: int
    networks: Mapping[str, Roads]
    demand: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame | None
    villages: gpd.GeoDataFrame | None
    register: gpd.GeoDataFrame
    rejects: pd.DataFrame
    records: tuple[InputRecord, ...]

    @cached_property
    def opened(self) -> npt.NDArray[np.intp]:
        """Positions in the register of the facilities open on 31 December of the year."""
        return np.flatnonzero(open_in(self.register, self.year).to_numpy())

    @cached_property
    def facilities(self) -> gpd.GeoDataFrame:
        """The facilities open on 31 December of the year."""
        return self.register.iloc[self.opened]

    @cached_property
    def lonlat(self) -> npt.NDArray[np.float64]:
        """Places of the residents in degrees: (demand, 2), NaN where they have none."""
        return _coordinates(self.demand)

    @cached_property
    def homes(self) -> gpd.GeoDataFrame:
        """The residents in the metre CRS."""
        return self.demand.to_crs(self.crs)

    @cached_property
    def sites(self) -> gpd.GeoDataFrame:
        """The register in the metre CRS."""
        return self.register.to_crs(self.crs)

    @cached_property
    def metres(self) -> npt.NDArray[np.float64]:
        """Places of the residents in the metre CRS: (demand, 2), NaN where they have none."""
        return _coordinates(self.homes)

    @cached_property
    def venue_metres(self) -> npt.NDArray[np.float64]:
        """Places of the facilities in the metre CRS: (facility, 2), NaN where they have none."""
        return _coordinates(self.sites)[self.opened]

    def in_metres(self, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Give the residents or the register in the metre CRS, projected once for all roads."""
        return self.homes if table is self.demand else self.sites

    @property
    def crs(self) -> Any:
        """The metre CRS, of all networks."""
        return next(iter(self.networks.values())).crs


def _coordinates(table: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    shapes = table.geometry.to_numpy()
    return np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])


def worked_out_once(of: Callable[[Inputs], _Fact]) -> Callable[[Inputs], _Fact]:
    """Keep what a function says of inputs for as long as they are there; every target asks again."""
    kept: WeakKeyDictionary[Inputs, _Fact] = WeakKeyDictionary()

    @wraps(of)
    def fact(inputs: Inputs) -> _Fact:
        if inputs not in kept:
            kept[inputs] = of(inputs)
        return kept[inputs]

    return fact


def prepare(study: Study, year: int | None = None) -> Inputs:
    """Read every file of a study for a year (its own where none is given).

    Raises
    ------
    UnusableInputError
        With the faults of all files together.
    """
    return _Reader(study, study.year if year is None else year).inputs()


def read_networks(study: Study, year: int) -> dict[str, Roads]:
    """Read the roads of a year alone, as an audit has them: travel profile -> roads, barriers with them.

    Raises
    ------
    UnusableInputError
        As for :func:`prepare`, of the roads and the barriers.
    """
    return _Reader(study, year).networks()


def prepare_other(inputs: Inputs, year: int) -> Inputs:
    """Prepare another year of a study, reading again only where the year has files of its own.

    Raises
    ------
    UnusableInputError
        As for :func:`prepare`.
    """
    study = inputs.study
    parts = (study.roads, study.demand, study.districts, study.villages, study.barriers, *study.facilities)
    files = [part.file for part in parts if part is not None and part.file is not None]
    if all(study.path_in(file, year) == study.path_in(file, inputs.year) for file in files):
        return replace(inputs, year=year)
    return prepare(study, year)


class _Reader:
    """Reads a study's files one after another, noting faults, rejects and records as it goes."""

    def __init__(self, study: Study, year: int) -> None:
        self.study = study
        self.year = year
        self.faults = FaultLog()
        self.rejects: list[pd.DataFrame] = []
        self.records: list[InputRecord] = []

    def inputs(self) -> Inputs:
        """Read everything, and only then raise what was wrong anywhere."""
        networks: dict[str, Roads] = {}
        demand = districts = villages = facilities = None
        with self.faults.catching():
            districts = self._districts()
        with self.faults.catching():
            villages = self._villages()
        with self.faults.catching():
            demand = self._demand()
        with self.faults.catching():
            facilities = self._facilities()
        with self.faults.catching():
            networks = self.networks()
        self.faults.raise_any()
        assert demand is not None
        assert facilities is not None
        if villages is not None:
            villages = with_districts(villages, districts)
            with self.faults.catching():
                villages = self._with_accepted(villages, districts)
            self.faults.raise_any()
        demand = assign_villages(assign_districts(demand, districts), villages)
        facilities = assign_villages(assign_districts(facilities, districts), villages)
        return Inputs(
            study=self.study,
            year=self.year,
            networks=networks,
            demand=demand,
            districts=districts,
            villages=villages,
            register=facilities,
            rejects=join_rejects(self.rejects).sort_values(["file", "row"], kind="stable", ignore_index=True),
            records=tuple(self.records),
        )

    def _record(self, role: str, path: Path, rows: int, rejects: pd.DataFrame | None = None) -> None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rejected = 0 if rejects is None else rejected_rows(rejects)
        self.records.append(InputRecord(role, self._name(path), digest, rows, rejected))

    def _name(self, path: str | Path) -> str:
        """Name a file from the study's folder, so that a run tells the same wherever the study lies."""
        inside = Path(path).is_relative_to(self.study.folder)
        return Path(path).relative_to(self.study.folder).as_posix() if inside else Path(path).name

    def _named(self, table: _Table, column: str) -> _Table:
        """Name the files of a column from the study's folder."""
        names = {name: self._name(name) for name in table[column].unique()}
        renamed: _Table = table.assign(**{column: table[column].map(names).astype("str")})
        return renamed

    def _demand(self) -> gpd.GeoDataFrame:
        part = self.study.demand
        path = self.study.path_in(part.file, self.year)
        demand, rejects = read_demand(
            path,
            population=part.population,
            groups=part.groups,
            datum=part.datum,
            max_rejected=self.study.max_rejected,
        )
        self.rejects.append(self._named(rejects, "file"))
        self._record("demand", path, len(demand), rejects)
        return demand.set_axis(demand.index.astype(str).rename("id"))

    def _districts(self) -> gpd.GeoDataFrame | None:
        part = self.study.districts
        if part is None:
            return None
        path = self.study.path_in(part.file, self.year)
        districts = read_districts(path, datum=part.datum)
        self._record("districts", path, len(districts))
        return districts

    def _villages(self) -> gpd.GeoDataFrame | None:
        part = self.study.villages
        if part is None:
            return None
        path = self.study.path_in(part.file, self.year)
        villages, rejects = read_villages(path, datum=part.datum, max_rejected=self.study.max_rejected)
        self.rejects.append(self._named(rejects, "file"))
        self._record("villages", path, len(villages), rejects)
        for name in accepted_targets(villages):
            self._check_target(path.name, f"column 'accepted_{name}'", name, prefix="accepted_")
        for name in part.accepted:
            self._check_target("study.toml", f"villages.accepted.{name}", name)
        return villages

    def _check_target(self, file: str, place: str, name: str, *, prefix: str = "") -> None:
        known = [target.id for target in self.study.standard.targets]
        if name not in known:
            near = nearest_name(name, known)
            remedy = f"did you mean '{prefix}{near}'?" if near else f"use one of {', '.join(known)}"
            reason = "an accepted list for a target the standard does not have"
            self.faults.add(Fault(file, place, name, reason, remedy))

    def _with_accepted(
        self, villages: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None
    ) -> gpd.GeoDataFrame:
        """Join the accepted lists that stand in files of their own."""
        assert self.study.villages is not None
        for name, file in self.study.villages.accepted.items():
            path = self.study.path_in(file, self.year)
            listed, rejects = read_accepted(
                path, villages, districts=districts, max_rejected=self.study.max_rejected
            )
            self.rejects.append(self._named(rejects, "file"))
            self._record("accepted", path, int(listed.sum()), rejects)
            villages = villages.assign(**{f"accepted_{name}": listed})
        return villages

    def _facilities(self) -> gpd.GeoDataFrame:
        known = [service.id for service in self.study.standard.services]
        parts, faults = [], FaultLog()
        for part in self.study.facilities:
            with faults.catching():
                path = self.study.path_in(part.file, self.year)
                frame, rejects = read_facilities(
                    path,
                    service=part.service,
                    datum=part.datum,
                    columns=part.columns,
                    services=part.services,
                    max_rejected=self.study.max_rejected,
                    known_services=known,
                )
                self.rejects.append(self._named(rejects, "file"))
                self._record("facilities", path, len(frame), rejects)
                parts.append(frame.set_axis(frame.index.astype(str)))
        faults.raise_any()
        facilities = pd.concat(parts)
        if not facilities.index.is_unique:
            stem = facilities["source"].map(lambda name: Path(name).stem)
            facilities = facilities.set_axis(stem + ":" + facilities.index)
        facilities = self._named(facilities.rename_axis("id"), "source")
        facilities, doubles = merge_duplicates(facilities)
        self.rejects.append(doubles)
        return facilities

    def networks(self) -> dict[str, Roads]:
        """Read the roads for every travel profile that the study's circles need."""
        networks: dict[str, Roads] = {}
        used = {str(target.profile) for target in circles(self.study.standard)}
        wanted = sorted(used) or ["walk"]
        for name in wanted:
            networks[name] = self._network(name, networks)
            if not profile(name).uniform:
                networks |= {
                    at_factor(name, factor): networks[name].at_speed(speeds) for factor, speeds in _band(name)
                }
        if any(profile(name).mode == "walk" for name in wanted):
            for name in (AGED, STEP_FREE):
                if name not in networks:
                    networks[name] = self._network(name, networks)
        return networks

    def _network(self, name: str, read: Mapping[str, Roads]) -> Roads:
        for other in read.values():
            if other.profile.ways == profile(name).ways:
                return other.with_profile(name)
        part = self.study.roads
        crs = self.study.crs or (str(next(iter(read.values())).crs) if read else None)
        if part.place is not None:
            roads = fetch_roads(part.place, mode=name, crs=crs, buffer_m=part.buffer_m)
        else:
            assert part.file is not None
            path = self.study.path_in(part.file, self.year)
            roads = read_roads(
                path,
                mode=name,
                crs=crs,
                keep=True,
                join_m=part.join_m,
                layer=part.layer,
                columns=part.columns,
                classes=part.classes,
                datum=part.datum,
                split_crossings=part.split_crossings,
            )
            if not read:
                self._record("roads", path, len(roads.u))
        return self._with_barriers(roads, first=not read)

    def _with_barriers(self, roads: Roads, *, first: bool) -> Roads:
        part = self.study.barriers
        if part is None:
            return roads
        path = self.study.path_in(part.file, self.year)
        barriers = read_barriers(path, crs=roads.crs, datum=part.datum)
        if first:
            self._record("barriers", path, len(barriers))
        return roads.with_barriers(barriers)


def circles(standard: Standard) -> list[CircleTarget]:
    """List the circle targets of a standard, in its order."""
    return [target for target in standard.targets if target.kind == "circle"]


def at_factor(name: str, factor: float) -> str:
    """Name the network of a profile whose class speeds are changed by a factor."""
    return f"{name}@{factor:g}"


def _band(name: str) -> Iterator[tuple[float, dict[str, float]]]:
    """Give the class speeds of a profile at the slow and fast ends of its band."""
    used = profile(name)
    for factor in {used.band[0], used.band[2]}:
        yield factor, {highway: kmh * factor for highway, kmh in used.class_kmh}
