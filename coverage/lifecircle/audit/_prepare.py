"""Read a study's files for one year, and report every fault at once."""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pandas as pd

from lifecircle.audit._auto_datum import AUTO, TableDatum, table_datum
from lifecircle.audit._crosswalk_use import accepted_of_old, figures_of_old, with_old_units
from lifecircle.audit._facility_parts import ask_for_datum, read_part, with_amounts, with_similar
from lifecircle.audit._inputs import Inputs, coordinates
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
from lifecircle.audit._surfaces import Homes, read_others
from lifecircle.audit._unused_rows import left_out, merged_rows, roads_read, with_classes
from lifecircle.beside import beside
from lifecircle.demand import (
    accepted_targets,
    assign_districts,
    assign_villages,
    read_accepted,
    read_crosswalk,
    read_districts,
    read_villages,
    village_centres,
    with_districts,
)
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.facilities import merge_duplicates, merge_similar, read_facilities
from lifecircle.files import content_key, file_hash
from lifecircle.findings import InputRecord
from lifecircle.indicators import join_indicators, read_indicators
from lifecircle.reach import load_loops
from lifecircle.reading import InputReading
from lifecircle.roads import fetch_roads, profile, read_barriers, read_roads
from lifecircle.stages import give_back_memory
from lifecircle.standards import CapacityTarget, reach_of
from lifecircle.study import FaultyStudyError, check_year, read_study
from lifecircle.tables import join_rejects, nearest_name, read_table, rejected_rows, snapshot_of
from lifecircle.wording import load_words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import geopandas as gpd

    from lifecircle.demand import Crosswalk
    from lifecircle.indicators import Indicators
    from lifecircle.roads import Roads
    from lifecircle.standards import CircleTarget, ReachRule, Standard
    from lifecircle.study import Study, YearlyFile
    from lifecircle.tables import Table

_Table = TypeVar("_Table", bound=pd.DataFrame)

_log = logging.getLogger(__name__)

AGED = "walk_aged"
STEP_FREE = "wheelchair"


def open_study(folder: str | Path, year: int | None = None) -> Study:
    """Read ``study.toml``; where it or its profile is at fault, check its tables too, to report all at once.

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
        study.crosswalk,
        study.outlets,
        *study.facilities,
    )
    files = [part.file for part in parts if part is not None and part.file is not None]
    files += [study.roads.merge] if study.roads.merge is not None else []
    files += study.side_files
    files += [part.entrances for part in study.facilities if part.entrances is not None]
    return files if study.villages is None else [*files, *study.villages.accepted.values()]


class _Noted(NamedTuple):
    """A part that was read apart: what was found, and what is noted of its files."""

    found: Any
    rejects: list[pd.DataFrame]
    records: list[InputRecord]
    read: list[InputReading]


class _Reader:
    """Reads a study's files one after another, noting faults, rejects and records as it goes."""

    def __init__(self, study: Study, year: int, unknown: Collection[str] = ()) -> None:
        """Begin with nothing read; ``unknown`` : parts of the study that say nothing, as the standard may."""
        self.study = study
        self.known = None if "standard" in unknown else study.whole_standard
        self.year = year
        self.faults = FaultLog()
        self.rejects: list[pd.DataFrame] = []
        self.records: list[InputRecord] = []
        self.read: list[InputReading] = []
        self.beside: tuple[Roads | None, gpd.GeoDataFrame | None] = (None, None)
        self.units: dict[str, gpd.GeoDataFrame] = {}
        self.crosswalk: Crosswalk | None = None
        self.olds: set[str] = set()
        self.homes = Homes(self, study.demand)

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
            self.crosswalk = self._crosswalk()
        if villages is not None:
            villages = with_districts(villages, districts)
        surfaces: dict[str, tuple[Homes, gpd.GeoDataFrame]] = {}
        with beside(lambda: self._lists(districts, villages)) as lists:
            with self.faults.catching():
                demand = self.demand()
            with self.faults.catching():
                surfaces = read_others(self)
            ways = self._noted(_Reader.networks) if lists.begun and not self._detects() else None
            if ways is not None:
                # The copy has more to read: what every run loads later is loaded while it does.
                load_loops(next(iter(ways.found.values())))
                load_words()
            register, figures = lists.received() or (None, None)
        # In the order in which files and faults are reported, whatever was read first.
        with self.faults.catching():
            facilities = self.facilities() if register is None else self._taken(register)
        if not self._detects():
            with self.faults.catching():
                networks = self.networks() if ways is None else self._taken(ways)
        self.faults.raise_any()
        assert demand is not None
        assert facilities is not None
        if villages is not None:
            with self.faults.catching():
                villages = self._with_accepted(villages, districts)
            self.faults.raise_any()
            self.units["villages"] = villages
        stated = facilities["district"].astype("str") if "district" in facilities else None
        demand = self.homes.settled(demand)
        others = {name: homes.settled(read) for name, (homes, read) in surfaces.items()}
        self.homes.doubts += [code for homes, _ in surfaces.values() for code in homes.doubts]
        facilities = assign_villages(assign_districts(facilities, districts), villages)
        outlets, indicators = self.figures(districts, villages) if figures is None else self._taken(figures)
        self._note_crosswalk()
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
            surfaces=others,
            people=self.homes.people,
            stated=stated,
        )
        return self._placed(inputs)

    def _lists(
        self, districts: gpd.GeoDataFrame | None, villages: gpd.GeoDataFrame | None
    ) -> tuple[_Noted | None, _Noted | None]:
        """Read the register, and outlets with registered figures, apart: None of what has a fault."""
        register = self._noted(_Reader.facilities)
        if self.crosswalk is not None:  # it needs to know which of its units the figures are of
            return register, None
        return register, self._noted(lambda one: one.figures(districts, villages))

    def _noted(self, read: Callable[[_Reader], Any]) -> _Noted | None:
        """Read a part with notes of its own; None where it has a fault, which is found again in its place."""
        apart = copy(self)
        apart.rejects, apart.records, apart.read, apart.faults = [], [], [], FaultLog()
        try:
            found = read(apart)
        except UnusableInputError:
            return None
        return None if apart.faults.faults else _Noted(found, apart.rejects, apart.records, apart.read)

    def _taken(self, noted: _Noted) -> Any:
        """Take over what was read apart, and its notes."""
        self.rejects += noted.rejects
        self.records += noted.records
        self.read += noted.read
        return noted.found

    def _detects(self) -> bool:
        """Return whether the study asks for a datum to be detected."""
        study = self.study
        surfaces = study.demand.surfaces.values()
        parts = (study.demand, *surfaces, study.villages, study.outlets, *study.facilities)
        return any(part is not None and part.datum == AUTO for part in parts)

    def datum_of(self, table: Table, part: Any) -> TableDatum:
        """Return the datum of a table: as declared, or detected beside roads and districts."""
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
        doubts = [*self.homes.doubts, *placement_warnings(ground, layers, read, self.study)]
        if inside is not None and 1 - inside > self.study.reading.far_warn:
            doubts.append(f"outside_districts:{1 - inside:.1%}")
        lost = inputs.entered_at_centre
        if lost:
            doubts.append(f"entered_at_centre:{len(lost)}|{'; '.join(lost[:5])}")
        return replace(inputs, read=read, in_districts=inside, doubts=tuple(doubts))

    def note(  # noqa: PLR0913 - what is known of a file
        self,
        role: str,
        path: Path,
        rows: int,
        rejects: pd.DataFrame | None = None,
        *,
        table: Table | None = None,
        notes: tuple[str, ...] = (),
        left: Mapping[str, int] | None = None,
    ) -> None:
        """Note a file: its digest, the rows used of it, and those left out with the reason.

        ``table`` : the file's rows as they were found, where it is a table; ``left`` : reason -> cells of a
        raster, or rows, that are not used.
        """
        digest = _digest(path)
        rejected = 0 if rejects is None else rejected_rows(rejects)
        self.records.append(InputRecord(role, self._name(path), digest, rows, rejected))
        found = rows + sum((left or {}).values()) if table is None else len(table.frame)
        left = (left or {}) if rejects is None else left_out(rejects, found - rows)
        said = (*notes, *getattr(table, "notes", ()))
        self.read.append(InputReading(role, self._name(path), found, rows, left, notes=said))

    def _name(self, path: str | Path) -> str:
        """Name a file from the study's folder, so that a run says the same wherever the study lies."""
        return self.study.name_of(path)

    def relative(self, table: _Table, column: str) -> _Table:
        """Name the files of a column from the study's folder."""
        names = {name: self._name(name) for name in table[column].unique()}
        renamed: _Table = table.assign(**{column: table[column].map(names).astype("str")})
        return renamed

    def demand(self) -> gpd.GeoDataFrame:
        """Read the residents."""
        homes = self.homes.read()
        give_back_memory()
        return homes

    def districts(self) -> gpd.GeoDataFrame | None:
        """Read the districts, None where the study has none."""
        part = self.study.districts
        if part is None:
            return None
        path = self.study.path_in(part.file, self.year)
        table = read_table(path, **part.where)
        districts = read_districts(table, datum=part.datum, columns=part.columns)
        self.note("districts", path, len(districts), table=table)
        self.units["districts"] = districts
        return districts

    def villages(self) -> gpd.GeoDataFrame | None:
        """Read the villages, None where the study has none."""
        part = self.study.villages
        if part is None:
            return None
        path = self.study.path_in(part.file, self.year)
        table = read_table(path, **part.where)
        placed = self.datum_of(table, part)
        villages, rejects = read_villages(
            table, datum=placed.datum, columns=placed.columns, max_rejected=self.study.max_rejected
        )
        self.rejects.append(self.relative(rejects, "file"))
        self.note("villages", path, len(villages), rejects, table=table, notes=placed.notes)
        for name in accepted_targets(villages):
            self._check_target(path.name, f"column 'accepted_{name}'", name, prefix="accepted_")
        for name in part.accepted:
            self._check_target("study.toml", f"villages.accepted.{name}", name)
        self.units["villages"] = villages
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
            table, notes = read_table(path), tuple[str, ...]()
            if self.crosswalk is not None:
                table, notes, olds = accepted_of_old(table, self.crosswalk, villages, year=self.year)
                self.olds |= olds
            listed, rejects = read_accepted(
                table, villages, districts=districts, max_rejected=self.study.max_rejected
            )
            self.rejects.append(self.relative(rejects, "file"))
            self.note("accepted", path, int(listed.sum()), rejects, notes=notes)
            villages = villages.assign(**{f"accepted_{name}": listed})
        return villages

    def _crosswalk(self) -> Crosswalk | None:
        """Read which units of today the old ones became, None where the study does not say."""
        part = self.study.crosswalk
        if part is None:
            return None
        path = self.study.path_in(part.file, self.year)
        units = [self.units.get("districts"), self.units.get("villages")]
        return read_crosswalk(read_table(path, **part.where), units, columns=part.columns)

    def _note_crosswalk(self) -> None:
        """Note the crosswalk once all that it was used for is read, with the units that nothing spoke of."""
        part = self.study.crosswalk
        if part is None or self.crosswalk is None:
            return
        met = self.crosswalk.changes["from"].isin(self.olds)
        idle = int((~met).sum())
        path = self.study.path_in(part.file, self.year)
        self.note("crosswalk", path, int(met.sum()), left={"crosswalk_idle": idle} if idle else {})

    def facilities(self) -> gpd.GeoDataFrame:
        """Read all lists of facilities as one register."""
        known = None if self.known is None else {one.id: one.name.both() for one in self.known.services}
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
                    self.datum_of(table, part),
                    known=known,
                    max_rejected=self.study.max_rejected,
                    gates=None if gates is None else read_table(gates),
                )
                self.rejects.append(self.relative(read.rejects, "file"))
                own = read.rejects[read.rejects["file"] != str(gates)]
                self.note("facilities", path, read.rows, own, table=table, notes=read.notes)
                if read.classed:
                    self.read[-1] = with_classes(self.read[-1])
                if gates is not None:
                    self.note("entrances", gates, len(read_table(gates).frame))
                parts.append(read.frame.set_axis(read.frame.index.astype(str)))
        faults.raise_any()
        facilities = pd.concat(parts)
        if "grade" in facilities:  # of one list and not of another
            facilities = facilities.assign(grade=facilities["grade"].fillna("").astype("str"))
        if not facilities.index.is_unique:
            stem = facilities["source"].map(lambda name: Path(name).stem)
            facilities = facilities.set_axis(stem + ":" + facilities.index)
        facilities = self.relative(facilities.rename_axis("id"), "source")
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
        placed = self.datum_of(table, part)
        outlets, rejects = read_facilities(
            table,
            service=part.service,
            datum=placed.datum,
            columns=placed.columns,
            services=part.services,
            max_rejected=self.study.max_rejected,
        )
        self.rejects.append(self.relative(rejects, "file"))
        self.note("outlets", path, len(outlets), rejects, table=table)
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
                    standard=self.study.whole_standard,
                    districts=with_old_units(districts, self.crosswalk),
                    villages=with_old_units(villages, self.crosswalk),
                    columns=part.columns,
                    target=part.target,
                    year=part.year,
                    items=part.items,
                    max_rejected=self.study.max_rejected,
                )
                if self.crosswalk is not None:
                    found, olds = figures_of_old(found, self.crosswalk, self.study, villages)
                    self.olds |= olds
                self.rejects.append(self.relative(found.rejects, "file"))
                self.note(
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

    def figures(
        self, districts: gpd.GeoDataFrame | None, villages: gpd.GeoDataFrame | None
    ) -> tuple[gpd.GeoDataFrame | None, Indicators | None]:
        """Read the outlets and the registered figures, each None where the study has none."""
        outlets = indicators = None
        with self.faults.catching():
            outlets = self._outlets(districts)
        with self.faults.catching():
            indicators = self._indicators(districts, villages)
        return outlets, indicators

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
        """Read the roads for every travel profile that the study's circles and capacity targets need."""
        networks: dict[str, Roads] = {}
        # The modes that a circle lists are reported beside its verdict, so their roads are read too.
        used = {
            str(name) for target in circles(self.study.standard) for name in (target.profile, *target.modes)
        }
        used |= {str(rule.profile) for rule in capacity_rules(self.study.standard)}
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
            second = None if part.merge is None else self.study.path_in(part.merge, self.year)
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
                merge=second,
                merge_within_m=part.merge_within_m,
            )
            if not read:
                self.note("roads", path, len(roads.u))
                self.read[-1] = roads_read(self.read[-1], roads)
                if second is not None:
                    self.note("merge", second, merged_rows(roads))
        for other in read.values():
            if roads.lines is not other.lines:
                roads = roads.sharing(other)
        give_back_memory()
        return self._with_barriers(roads, first=not read)

    def _with_barriers(self, roads: Roads, *, first: bool) -> Roads:
        part = self.study.barriers
        if part is None:
            return roads
        path = self.study.path_in(part.file, self.year)
        barriers = read_barriers(path, crs=roads.crs, layer=part.layer, datum=part.datum)
        if first:
            self.note("barriers", path, len(barriers))
        return roads.with_barriers(barriers)


def _digest(path: Path) -> str:
    """Hash an input: the cells of a table in a database, all files of a file geodatabase, else the file."""
    if (kept := snapshot_of(path)) is not None:
        return kept.digest
    return content_key(path) if path.is_dir() else file_hash(path)


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
    places = coordinates(inputs.register)
    sources = inputs.register["source"].to_numpy(dtype=object)
    layers += [
        Layer("facilities", str(path), places[sources == path])
        for path in pd.unique(inputs.register["source"])
    ]
    return layers


def circles(standard: Standard) -> list[CircleTarget]:
    """List the circle targets of a standard, in its order."""
    return [target for target in standard.targets if target.kind == "circle"]


def capacity_rules(standard: Standard) -> list[ReachRule]:
    """List how far people go for the venues of capacity targets, of those of which it is known."""
    mine = [one for one in standard.targets if isinstance(one, CapacityTarget)]
    return [rule for one in mine if (rule := reach_of(standard, one)) is not None]


def at_factor(name: str, factor: float) -> str:
    """Name the network of a profile whose class speeds are changed by a factor."""
    return f"{name}@{factor:g}"


def _band(name: str) -> Iterator[tuple[float, dict[str, float]]]:
    """Return the class speeds of a profile at the slow and fast ends of its band."""
    used = profile(name)
    for factor in {used.band[0], used.band[2]}:
        yield factor, {highway: kmh * factor for highway, kmh in used.class_kmh}
