"""Read a study's files for one year, and report every fault at once."""

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

from lifecircle.audit._auto_datum import AUTO, TableDatum, table_datum
from lifecircle.audit._doors import Doors, at_best_door, at_own_place, find_doors
from lifecircle.audit._facility_parts import ask_for_datum, read_part, with_amounts, with_similar
from lifecircle.audit._placement import (
    Ground,
    Layer,
    check_barriers,
    check_districts,
    check_near,
    districts_near,
    placement_warnings,
    usual_reach_m,
    with_near,
)
from lifecircle.audit._unused_rows import left_out, with_classes
from lifecircle.demand import (
    DEMAND_COLUMNS,
    accepted_targets,
    assign_districts,
    assign_villages,
    read_accepted,
    read_demand,
    read_districts,
    read_villages,
    village_centres,
    with_districts,
)
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.facilities import merge_duplicates, merge_similar, open_in, read_facilities
from lifecircle.findings import InputRecord
from lifecircle.indicators import join_indicators, read_indicators
from lifecircle.reach import snap
from lifecircle.reading import InputReading
from lifecircle.roads import fetch_roads, profile, read_barriers, read_roads
from lifecircle.study import FaultyStudyError, check_year, read_study
from lifecircle.tables import join_rejects, nearest_name, read_table, rejected_rows, unit_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.indicators import Indicators
    from lifecircle.reach import Snap
    from lifecircle.roads import Roads
    from lifecircle.standards import CircleTarget, Standard
    from lifecircle.study import Study, YearlyFile
    from lifecircle.tables import Table

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
    ``read`` : what was read of every file; ``in_districts`` : share of the people who live in one;
    ``doubts`` : codes of warnings about where the inputs lie. ``outlets`` : service windows, shops and other
    units that hold venues, with ``district``; ``indicators`` : registered figures of all years. ``stated`` :
    the district that each row of the register names, None where no list does.
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
    outlets: gpd.GeoDataFrame | None = None
    indicators: Indicators | None = None
    read: tuple[InputReading, ...] = ()
    in_districts: float | None = None
    doubts: tuple[str, ...] = ()
    stated: pd.Series[str] | None = None

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
        """Return the residents or the register in the metre CRS, projected once; others as they are."""
        return self.homes if table is self.demand else self.sites if table is self.register else table

    @cached_property
    def doors(self) -> Doors:
        """Where the facilities that are drawn as polygons are entered."""
        return find_doors(self.sites)

    @property
    def entered_at_centre(self) -> list[str]:
        """Name the venues whose edge or gates join no road, so that their own place stands for them."""
        if not len(self.doors):
            return []
        roads = next(iter(self.networks.values()))
        mine = at_own_place(
            self._joined(roads, self.sites), self._joined(roads, self.doors.table), self.doors.row
        )
        names = self.register["name"]
        return [
            f"{self.register.index[at]} {names.iloc[at]}".replace("|", " ").strip() for at in mine.tolist()
        ]

    def _joined(self, roads: Roads, table: gpd.GeoDataFrame, *, keep: bool = True) -> Snap:
        """Join places to roads with the study's preference for the main network."""
        part = self.study.roads
        return snap(roads, table, keep=keep, prefer_main_m=part.prefer_main_m, fragment_m=part.fragment_m)

    def snapped(self, roads: Roads, table: gpd.GeoDataFrame, *, keep: bool = True) -> Snap:
        """Join a table in the metre CRS to roads, with the study's preference for the main network.

        A facility of the register that is drawn as a polygon joins them at the best place of its edge.
        """
        own = self._joined(roads, table, keep=keep)
        if table is not self.sites or not len(self.doors):
            return own
        doors = self._joined(roads, self.doors.table, keep=keep)
        return at_best_door(own, doors, self.doors.row, self.doors.gated)

    @property
    def reach_m(self) -> float:
        """The usual reach: how far anybody gets within the largest limit of a circle."""
        return usual_reach_m(self.study.standard)

    @property
    def crs(self) -> Any:
        """The metre CRS, of all networks."""
        return next(iter(self.networks.values())).crs


def _coordinates(table: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    shapes = table.geometry.to_numpy()
    return np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])


def cached_per_inputs(of: Callable[[Inputs], _Fact]) -> Callable[[Inputs], _Fact]:
    """Cache a function's result per :class:`Inputs` object, for as long as that object lives."""
    kept: WeakKeyDictionary[Inputs, _Fact] = WeakKeyDictionary()

    @wraps(of)
    def fact(inputs: Inputs) -> _Fact:
        if inputs not in kept:
            kept[inputs] = of(inputs)
        return kept[inputs]

    return fact


def open_study(folder: str | Path, year: int | None = None) -> Study:
    """Read ``study.toml``; where it or its profile is at fault, check its tables too, to tell all at once.

    Raises
    ------
    MissingFileError
        When there is no ``study.toml``.
    UnusableInputError
        With every fault of the study, its profile and, as far as they can be read, its tables.
    """
    try:
        return read_study(folder)
    except FaultyStudyError as error:
        faults = [*error.faults, *_faults_of_tables(error, year)]
        raise UnusableInputError(dict.fromkeys(faults)) from None


def _faults_of_tables(error: FaultyStudyError, year: int | None) -> list[Fault]:
    """Read the tables of a study that cannot be used, for their faults alone."""
    rest = error.rest
    reader = _Reader(rest, rest.year if year is None else year, unknown=error.stand_ins)
    tables: dict[str, Callable[[], object]] = {
        "districts": reader.districts,
        "villages": reader.villages,
        "demand": reader.demand,
        "facilities": reader.facilities,
    }
    if rest.roads.place is None:  # nothing is fetched for a study that cannot be used
        tables["roads"] = reader.networks
    for part, read in tables.items():
        if part not in error.stand_ins:
            with reader.faults.catching():
                read()
    return reader.faults.faults


def prepare(study: Study, year: int | None = None) -> Inputs:
    """Read every file of a study for a year (its own where none is given).

    Raises
    ------
    UnusableInputError
        With the faults of all files together.
    """
    return _Reader(study, study.year if year is None else check_year(year)).inputs()


def read_networks(study: Study, year: int) -> dict[str, Roads]:
    """Read the roads of a year alone, as an audit has them: travel profile -> roads, barriers with them.

    Raises
    ------
    UnusableInputError
        As for :func:`prepare`, of the roads and the barriers.
    """
    return _Reader(study, check_year(year)).networks()


def prepare_other(inputs: Inputs, year: int) -> Inputs:
    """Prepare another year of a study, reading again only where the year has files of its own.

    Raises
    ------
    UnusableInputError
        As for :func:`prepare`.
    """
    study = inputs.study
    if all(study.path_in(file, year) == study.path_in(file, inputs.year) for file in yearly_files(study)):
        return replace(inputs, year=year)
    return prepare(study, year)


def yearly_files(study: Study) -> list[YearlyFile]:
    """List the files an audit is computed from that may be given by year, accepted lists among them."""
    parts = (
        study.roads,
        study.demand,
        study.districts,
        study.villages,
        study.barriers,
        study.outlets,
        *study.facilities,
    )
    files = [part.file for part in parts if part is not None and part.file is not None]
    files += [part.entrances for part in study.facilities if part.entrances is not None]
    return files if study.villages is None else [*files, *study.villages.accepted.values()]


class _Reader:
    """Reads a study's files one after another, noting faults, rejects and records as it goes."""

    def __init__(self, study: Study, year: int, unknown: Collection[str] = ()) -> None:
        """Begin with nothing read; ``unknown`` : parts of the study that say nothing, as the standard may."""
        self.study = study
        self.known = None if "standard" in unknown else study.standard
        self.year = year
        self.faults = FaultLog()
        self.rejects: list[pd.DataFrame] = []
        self.records: list[InputRecord] = []
        self.read: list[InputReading] = []
        self.beside: tuple[Roads | None, gpd.GeoDataFrame | None] = (None, None)

    def inputs(self) -> Inputs:
        """Read everything, and only then raise what was wrong anywhere."""
        networks: dict[str, Roads] = {}
        demand = districts = villages = facilities = None
        with self.faults.catching():
            districts = self.districts()
        if self._detects():
            # A datum is detected beside roads: they are read first then, else with the other faults in order.
            with self.faults.catching():
                networks = self.networks()
                self.beside = next(iter(networks.values())), districts
        with self.faults.catching():
            villages = self.villages()
        with self.faults.catching():
            demand = self.demand()
        with self.faults.catching():
            facilities = self.facilities()
        if not self._detects():
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
        stated = facilities["district"].astype("str") if "district" in facilities else None
        demand = assign_villages(assign_districts(demand, districts), villages)
        facilities = assign_villages(assign_districts(facilities, districts), villages)
        outlets = indicators = None
        with self.faults.catching():
            outlets = self._outlets(districts)
        with self.faults.catching():
            indicators = self._indicators(districts, villages)
        self.faults.raise_any()
        inputs = Inputs(
            study=self.study,
            year=self.year,
            networks=networks,
            demand=demand,
            districts=districts,
            villages=villages,
            register=facilities,
            rejects=join_rejects(self.rejects).sort_values(["file", "row"], kind="stable", ignore_index=True),
            records=tuple(self.records),
            outlets=outlets,
            indicators=indicators,
            stated=stated,
        )
        return self._placed(inputs)

    def _detects(self) -> bool:
        """Return whether the study asks for a datum to be detected."""
        study = self.study
        parts = (study.demand, study.villages, study.outlets, *study.facilities)
        return any(part is not None and part.datum == AUTO for part in parts)

    def _table_datum(self, table: Table, part: Any) -> TableDatum:
        roads, districts = self.beside
        return table_datum(table, part.datum, part.columns, roads=roads, districts=districts)

    def _placed(self, inputs: Inputs) -> Inputs:
        """Check where the inputs lie to each other, and note how many of their rows lie near the roads."""
        roads = next(iter(inputs.networks.values()))
        ground, layers = Ground(roads, usual_reach_m(self.study.standard)), _layers(inputs)
        shares: dict[tuple[str, str], float] = {}
        inside = None
        paths = {record.role: record.path for record in self.records}
        with self.faults.catching():
            shares = check_near(ground, layers, paths.get("roads", "roads"), self.study)
        if not self.faults.faults:  # districts that miss lost residents are not to blame
            with self.faults.catching():
                inside = check_districts(
                    inputs.demand, inputs.districts, paths.get("districts", "districts"), self.study
                )
        if inputs.districts is not None and len(inputs.districts):
            shares["districts", paths["districts"]] = districts_near(ground, inputs.districts, inputs.crs)
        with self.faults.catching():
            share = check_barriers(ground, roads, paths.get("barriers", "barriers"))
            if share is not None:
                shares["barriers", paths["barriers"]] = share
        self.faults.raise_any()
        read = with_near(self.read, layers, shares)
        doubts = placement_warnings(ground, layers, read, self.study)
        if inside is not None and 1 - inside > self.study.reading.far_warn:
            doubts.append(f"outside_districts:{1 - inside:.1%}")
        lost = inputs.entered_at_centre
        if lost:
            doubts.append(f"entered_at_centre:{len(lost)}|{'; '.join(lost[:5])}")
        return replace(inputs, read=read, in_districts=inside, doubts=tuple(doubts))

    def _record(  # noqa: PLR0913 - what is known of a file
        self,
        role: str,
        path: Path,
        rows: int,
        rejects: pd.DataFrame | None = None,
        *,
        table: Table | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Note a file: its digest, the rows used of it, and those left out with the reason.

        ``table`` : the file's rows as they were found, where it is a table.
        """
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rejected = 0 if rejects is None else rejected_rows(rejects)
        self.records.append(InputRecord(role, self._name(path), digest, rows, rejected))
        found = rows if table is None else len(table.frame)
        left = {} if rejects is None else left_out(rejects, found - rows)
        said = (*notes, *getattr(table, "notes", ()))
        self.read.append(InputReading(role, self._name(path), found, rows, left, notes=said))

    def _name(self, path: str | Path) -> str:
        """Name a file from the study's folder, so that a run tells the same wherever the study lies."""
        inside = Path(path).is_relative_to(self.study.folder)
        return Path(path).relative_to(self.study.folder).as_posix() if inside else Path(path).name

    def _named(self, table: _Table, column: str) -> _Table:
        """Name the files of a column from the study's folder."""
        names = {name: self._name(name) for name in table[column].unique()}
        renamed: _Table = table.assign(**{column: table[column].map(names).astype("str")})
        return renamed

    def demand(self) -> gpd.GeoDataFrame:
        """Read the residents."""
        part = self.study.demand
        path = self.study.path_in(part.file, self.year)
        table = read_table(path, **part.where)
        placed = self._table_datum(table, part)
        demand, rejects = read_demand(
            table,
            population=part.population,
            groups=part.groups,
            datum=placed.datum,
            columns=placed.columns,
            max_rejected=self.study.max_rejected,
        )
        self.rejects.append(self._named(rejects, "file"))
        counted = dict(part.columns)
        if part.population != "population":
            counted["population"] = part.population
        notes = (*placed.notes, *unit_notes(table, DEMAND_COLUMNS, columns=counted))
        self._record("demand", path, len(demand), rejects, table=table, notes=notes)
        return demand.set_axis(demand.index.astype(str).rename("id"))

    def districts(self) -> gpd.GeoDataFrame | None:
        """Read the districts, None where the study has none."""
        part = self.study.districts
        if part is None:
            return None
        path = self.study.path_in(part.file, self.year)
        table = read_table(path, **part.where)
        districts = read_districts(table, datum=part.datum, columns=part.columns)
        self._record("districts", path, len(districts), table=table)
        return districts

    def villages(self) -> gpd.GeoDataFrame | None:
        """Read the villages, None where the study has none."""
        part = self.study.villages
        if part is None:
            return None
        path = self.study.path_in(part.file, self.year)
        table = read_table(path, **part.where)
        placed = self._table_datum(table, part)
        villages, rejects = read_villages(
            table, datum=placed.datum, columns=placed.columns, max_rejected=self.study.max_rejected
        )
        self.rejects.append(self._named(rejects, "file"))
        self._record("villages", path, len(villages), rejects, table=table, notes=placed.notes)
        for name in accepted_targets(villages):
            self._check_target(path.name, f"column 'accepted_{name}'", name, prefix="accepted_")
        for name in part.accepted:
            self._check_target("study.toml", f"villages.accepted.{name}", name)
        return villages

    def _check_target(self, file: str, place: str, name: str, *, prefix: str = "") -> None:
        known = [] if self.known is None else [target.id for target in self.known.targets]
        if self.known is not None and name not in known:
            near = nearest_name(name, known)
            remedy = (
                say("did you mean '{name}'?", name=prefix + near)
                if near
                else say("use one of {names}", names=", ".join(known))
            )
            reason = say("an accepted list for a target the standard does not have")
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

    def facilities(self) -> gpd.GeoDataFrame:
        """Read all lists of facilities as one register."""
        known = None if self.known is None else [service.id for service in self.known.services]
        parts, faults = [], FaultLog()
        for part in self.study.facilities:
            with faults.catching():
                path = self.study.path_in(part.file, self.year)
                table = read_table(path, **part.where)
                ask_for_datum(table, part)
                gates = None if part.entrances is None else self.study.path_in(part.entrances, self.year)
                read = read_part(
                    table,
                    part,
                    self._table_datum(table, part),
                    known=known,
                    max_rejected=self.study.max_rejected,
                    gates=None if gates is None else read_table(gates),
                )
                self.rejects.append(self._named(read.rejects, "file"))
                own = read.rejects[read.rejects["file"] != str(gates)]
                self._record("facilities", path, read.rows, own, table=table, notes=read.notes)
                if read.classed:
                    self.read[-1] = with_classes(self.read[-1])
                if gates is not None:
                    self._record("entrances", gates, len(read_table(gates).frame))
                parts.append(read.frame.set_axis(read.frame.index.astype(str)))
        faults.raise_any()
        facilities = pd.concat(parts)
        if not facilities.index.is_unique:
            stem = facilities["source"].map(lambda name: Path(name).stem)
            facilities = facilities.set_axis(stem + ":" + facilities.index)
        facilities = self._named(facilities.rename_axis("id"), "source")
        facilities, doubles = merge_duplicates(facilities)
        merging = {
            self._name(self.study.path_in(part.file, self.year))
            for part in self.study.facilities
            if part.merge_duplicates
        }
        if merging:
            facilities, similar = merge_similar(facilities, merging)
            doubles = join_rejects([doubles, similar])
        self.rejects.append(doubles)
        self._leave_out_doubles(doubles)
        self.read = with_similar(self.read, facilities)
        facilities, rejects = with_amounts(facilities, self.study.standard)
        self.rejects += rejects
        return facilities

    def _outlets(self, districts: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
        """Read the list of outlets: the kind of each stands where a facility's service does."""
        part = self.study.outlets
        if part is None:
            return None
        path = self.study.path_in(part.file, self.year)
        table = read_table(path)
        placed = self._table_datum(table, part)
        outlets, rejects = read_facilities(
            table,
            service=part.service,
            datum=placed.datum,
            columns=placed.columns,
            services=part.services,
            max_rejected=self.study.max_rejected,
        )
        self.rejects.append(self._named(rejects, "file"))
        self._record("outlets", path, len(outlets), rejects, table=table)
        return assign_districts(outlets.set_axis(outlets.index.astype(str)), districts)

    def _indicators(
        self, districts: gpd.GeoDataFrame | None, villages: gpd.GeoDataFrame | None
    ) -> Indicators | None:
        """Read every table of registered figures and join them."""
        declared = self.study.indicators
        if declared is None:
            return None
        parts, faults = [], FaultLog()
        for part in declared.files:
            with faults.catching():
                path = self.study.path_in(part.file, self.year)
                table = read_table(path)
                found = read_indicators(
                    table,
                    standard=self.study.standard,
                    districts=districts,
                    villages=villages,
                    columns=part.columns,
                    target=part.target,
                    year=part.year,
                    items=part.items,
                    max_rejected=self.study.max_rejected,
                )
                self.rejects.append(self._named(found.rejects, "file"))
                self._record(
                    "indicators",
                    path,
                    len(table.frame) - rejected_rows(found.rejects),
                    found.rejects,
                    table=table,
                    notes=found.notes,
                )
                parts.append(found)
        faults.raise_any()
        return join_indicators(parts)

    def _leave_out_doubles(self, doubles: pd.DataFrame) -> None:
        """Note rows that repeat another, which show only when all lists are put together."""
        many = doubles.drop_duplicates(["file", "row"])["file"].value_counts()
        for at, one in enumerate(self.read):
            rows = int(many.get(one.path, 0)) if one.role == "facilities" else 0
            if rows:
                many = many.drop(one.path)  # of two lists in one file the first has them
                left = {**one.left_out, "duplicate": rows}
                self.read[at] = replace(one, used=one.used - rows, left_out=left)

    def networks(self) -> dict[str, Roads]:
        """Read the roads for every travel profile that the study's circles need."""
        networks: dict[str, Roads] = {}
        # The modes that a circle lists are reported beside its verdict, so their roads are read too.
        used = {
            str(name) for target in circles(self.study.standard) for name in (target.profile, *target.modes)
        }
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
                self.read[-1] = _roads_read(self.read[-1], roads)
        return self._with_barriers(roads, first=not read)

    def _with_barriers(self, roads: Roads, *, first: bool) -> Roads:
        part = self.study.barriers
        if part is None:
            return roads
        path = self.study.path_in(part.file, self.year)
        barriers = read_barriers(path, crs=roads.crs, layer=part.layer, datum=part.datum)
        if first:
            self._record("barriers", path, len(barriers))
        return roads.with_barriers(barriers)


def _roads_read(read: InputReading, roads: Roads) -> InputReading:
    """Take over what the roads' own reading says of their rows."""
    own: Any = getattr(roads, "reading", None)
    if own is None or not own.rows:
        return read
    return replace(
        read, rows=int(own.rows), used=int(own.used), left_out=dict(own.left_out), notes=tuple(own.notes)
    )


def _layers(inputs: Inputs) -> list[Layer]:
    """List the places of every file: residents, villages' centres, and each list of facilities apart."""
    layers = [
        Layer("demand", record.path, inputs.lonlat) for record in inputs.records if record.role == "demand"
    ]
    if inputs.villages is not None:
        centres = village_centres(inputs.villages, "EPSG:4326")
        layers += [
            Layer("villages", record.path, centres) for record in inputs.records if record.role == "villages"
        ]
    places = _coordinates(inputs.register)
    sources = inputs.register["source"].to_numpy(dtype=object)
    layers += [
        Layer("facilities", str(path), places[sources == path])
        for path in pd.unique(inputs.register["source"])
    ]
    return layers


def circles(standard: Standard) -> list[CircleTarget]:
    """List the circle targets of a standard, in its order."""
    return [target for target in standard.targets if target.kind == "circle"]


def at_factor(name: str, factor: float) -> str:
    """Name the network of a profile whose class speeds are changed by a factor."""
    return f"{name}@{factor:g}"


def _band(name: str) -> Iterator[tuple[float, dict[str, float]]]:
    """Return the class speeds of a profile at the slow and fast ends of its band."""
    used = profile(name)
    for factor in {used.band[0], used.band[2]}:
        yield factor, {highway: kmh * factor for highway, kmh in used.class_kmh}
