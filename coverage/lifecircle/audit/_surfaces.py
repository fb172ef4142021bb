"""Read the residents of a study from whatever surface it declares, and hold them to known totals.

A surface is a table of points, polygons that are spread, or a raster. A study may declare others beside its
own: each circle is valued on them too, and no verdict follows from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lifecircle.audit._inputs import SurfacePeople
from lifecircle.demand import (
    DEMAND_COLUMNS,
    OUTSIDE,
    Surface,
    apportion,
    assign_districts,
    assign_villages,
    constrain,
    move_names,
    read_demand,
    read_ground,
    read_raster,
    read_spread,
    read_totals,
    same_surface,
)
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.files import files_of
from lifecircle.reading import ResidentsReading
from lifecircle.tables import is_raster, read_table, unit_notes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from lifecircle.audit._auto_datum import TableDatum
    from lifecircle.audit._inputs import Inputs
    from lifecircle.demand import Crosswalk, Ground, Totals
    from lifecircle.reach import Snap
    from lifecircle.study import Study, SurfacePart
    from lifecircle.tables import Table

_FAR_FACTOR = 2.0
"""How many times the totals a surface may have, or they it (inclusive), before its unit or year is
doubted."""

_NAMED = 5


class Reader(Protocol):
    """What reads the files of a study, and notes them."""

    study: Study
    year: int
    rejects: list[pd.DataFrame]
    homes: Homes
    units: dict[str, gpd.GeoDataFrame]
    crosswalk: Crosswalk | None
    olds: set[str]

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
        """Note a file."""

    def relative(self, rejects: pd.DataFrame, column: str) -> pd.DataFrame:
        """Name the files of a column from the study's folder."""

    def datum_of(self, table: Table, part: Any) -> TableDatum:
        """Return the datum of a table."""


class Homes:
    """The residents of one surface: read first, and settled once districts and villages are there.

    ``doubts`` : codes to warn of; ``people`` : as in :class:`Inputs`, None for a plain table.
    """

    def __init__(self, reader: Reader, part: SurfacePart, *, role: str = "demand") -> None:
        self.reader, self.part, self.role = reader, part, role
        self.doubts: list[str] = []
        self.people: SurfacePeople | None = None
        self.totals: tuple[Totals, str] | None = None

    def _path(self, file: Any) -> Path:
        return self.reader.study.path_in(file, self.reader.year)

    def read(self) -> gpd.GeoDataFrame:
        """Read the surface's own file, those of groups, buildings or land beside it, and known totals.

        Raises
        ------
        UnusableInputError
            With the faults of all of them.
        """
        faults, demand = FaultLog(), None
        with faults.catching():
            demand = self._surface()
        with faults.catching():
            self.totals = self._read_totals() or self.totals
        faults.raise_any()
        assert demand is not None
        return demand

    def _surface(self) -> gpd.GeoDataFrame:
        path = self._path(self.part.file)
        if is_raster(path):
            surface = self._raster(path)
        elif self.part.spread is not None:
            surface = self._spread(path)
        else:
            return self._table(path)
        self.people = SurfacePeople(outside=surface.outside)
        self.doubts += surface.doubts
        return surface.demand

    def _table(self, path: Path) -> gpd.GeoDataFrame:
        reader, part = self.reader, self.part
        table = read_table(path, **part.where)
        placed = reader.datum_of(table, part)
        demand, rejects = read_demand(
            table,
            population=part.population,
            groups=self._columns(path),
            datum=placed.datum,
            columns=placed.columns,
            max_rejected=reader.study.max_rejected,
        )
        reader.rejects.append(reader.relative(rejects, "file"))
        counted = dict(part.columns)
        if part.population != "population":
            counted["population"] = part.population
        notes = (*placed.notes, *unit_notes(table, DEMAND_COLUMNS, columns=counted))
        reader.note(self.role, path, len(demand), rejects, table=table, notes=notes)
        return demand.set_axis(demand.index.astype(str).rename("id"))

    def _columns(self, path: Path) -> dict[str, str]:
        """Return the columns of groups in a table.

        Raises
        ------
        UnusableInputError
            Where a group is given as rasters by year, and the file of the year is a table.
        """
        wrong = [name for name, given in self.part.groups.items() if not isinstance(given, str)]
        if wrong:
            reason, remedy = (
                say("only rasters of groups are given by year"),
                say("name the column of the group"),
            )
            raise UnusableInputError(
                [Fault(path.name, f"groups.{name}", "", reason, remedy) for name in wrong]
            )
        return {name: given for name, given in self.part.groups.items() if isinstance(given, str)}

    def _raster(self, path: Path) -> Surface:
        reader, part = self.reader, self.part
        groups: dict[str, str | Path] = {}
        for name, given in part.groups.items():
            one = given if isinstance(given, str) and not is_raster(given) else self._path(given)
            groups[name] = one
        surface = read_raster(
            path,
            population=part.population,
            groups=groups,
            per=part.per or "cell",
            nodata=part.nodata,
            districts=reader.units.get("districts"),
        )
        notes = surface.notes
        if surface.outside >= 0.5:
            notes = (*notes, f"raster_outside:{surface.outside:,.0f}")
        lost = surface.rows - surface.used
        left = {"cells_outside": lost} if lost else {}
        reader.note(self.role, path, surface.used, notes=notes, left=left)
        for one in (path, *(given for given in groups.values() if not isinstance(given, str))):
            self._note_companions(one)
            if one != path:
                reader.note("demand_group", one, surface.used, left=left)
        return surface

    def _note_companions(self, path: Path) -> None:
        for one in files_of(path)[1:]:
            self.reader.note("demand_part", one, 0)

    def _spread(self, path: Path) -> Surface:
        reader, part = self.reader, self.part
        assert part.spread is not None
        table = read_table(path, **part.where)
        placed = reader.datum_of(table, part)
        surface = read_spread(
            table,
            population=part.population,
            groups=self._columns(path),
            datum=placed.datum,
            columns=placed.columns,
            ground=self._ground(),
            to=part.spread.to,
            grid_m=part.spread.grid_m,
            crs=reader.study.crs,
            max_rejected=reader.study.max_rejected,
        )
        reader.rejects.append(reader.relative(surface.rejects, "file"))
        notes = (*placed.notes, *surface.notes)
        reader.note(self.role, path, surface.used, surface.rejects, table=table, notes=notes)
        return surface

    def _ground(self) -> Ground | None:
        reader, part = self.reader, self.part.spread
        if part is None or part.over is None:
            return None
        path = self._path(part.over)
        table = read_table(path, layer=part.layer)
        ground = read_ground(
            table,
            weight=part.weight,
            floors=part.floors,
            only=part.only,
            datum=part.datum,
            max_rejected=reader.study.max_rejected,
        )
        reader.rejects.append(reader.relative(ground.rejects, "file"))
        reader.note("demand_ground", path, ground.used, ground.rejects, table=table, notes=ground.notes)
        return ground

    def settled(self, demand: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return the residents with district and village, held to the totals of their units."""
        reader = self.reader
        districts, villages = reader.units.get("districts"), reader.units.get("villages")
        demand = assign_villages(assign_districts(self._renamed(demand), districts), villages)
        if self.totals is not None:
            demand = self._held(demand, *self.totals)
        if self.people is not None and districts is not None:
            living = demand.groupby("district")["population"].sum()
            empty = [str(code) for code in districts.index if not living.get(str(code), 0.0) > 0]
            if empty:
                self.doubts.append(f"districts_empty:{len(empty)}|{', '.join(empty[:_NAMED])}")
        return demand

    def _renamed(self, demand: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Bring old codes of units in the residents' own columns to those of today."""
        reader = self.reader
        if reader.crosswalk is None:
            return demand
        for name in ("district", "village"):
            if name in demand:
                moved = move_names(demand[name], reader.crosswalk, year=reader.year)
                demand = demand.assign(**{name: moved.table[name]})
                reader.olds |= moved.olds
        return demand

    def _read_totals(self) -> tuple[Totals, str] | None:
        """Read known totals and their unit, None where there are none or the units could not be read.

        Raises
        ------
        UnusableInputError
            Where the study has no such units, or the totals are at fault.
        """
        reader, part = self.reader, self.part.totals
        if part is None:
            return None
        units = reader.units.get(f"{part.unit}s")
        if units is None:
            if getattr(reader.study, f"{part.unit}s") is not None:  # its own faults are reported already
                return None
            reason = say("totals of units that the study has none of: {unit}", unit=part.unit)
            remedy = say("add [{unit}s], or leave the totals out", unit=part.unit)
            raise UnusableInputError([Fault("study.toml", "demand.totals.unit", part.unit, reason, remedy)])
        path = self._path(part.file)
        table = read_table(path, **part.where)
        totals = read_totals(
            table,
            units,
            groups=part.groups,
            columns=part.columns,
            crosswalk=reader.crosswalk,
            year=reader.year if part.year is None else part.year,
        )
        reader.olds |= totals.olds
        reader.note("demand_totals", path, totals.rows, table=table, notes=totals.notes)
        return totals, part.unit

    def _held(self, demand: gpd.GeoDataFrame, totals: Totals, unit: str) -> gpd.GeoDataFrame:
        """Hold residents to known totals."""
        held = constrain(demand, totals, unit=unit)
        before = self.people or SurfacePeople()
        # Those outside are no part of the totals, so they are no part of the balance either.
        self.people = replace(before, outside=0.0, surface=held.before)
        known = float(totals.people["population"].sum())
        if held.unplaced:
            named = [f"{code} ({people:,})" for code, people in list(held.unplaced.items())[:_NAMED]]
            self.doubts.append(f"people_unplaced:{sum(held.unplaced.values()):,}|{', '.join(named)}")
        if known > 0 and not 1 / _FAR_FACTOR <= held.before / known <= _FAR_FACTOR:
            self.doubts.append(f"totals_far:{held.before:,.0f}|{known:,.0f}")
        return held.demand


def residents_reading(inputs: Inputs, snapped: Snap) -> ResidentsReading | None:
    """Return the balance of the people to the person; None for plain tables of residents.

    Parameters
    ----------
    snapped : how the residents joined the first network
    """
    if inputs.people is None:
        return None
    people = inputs.demand["population"].to_numpy(dtype=float)
    off = ~snapped.snapped
    outside = (inputs.demand["district"] == OUTSIDE).to_numpy(dtype=bool) & ~off
    if inputs.districts is None:
        outside = np.zeros(len(people), dtype=bool)
    parts = [
        people[~off & ~outside].sum(),
        people[outside].sum() + inputs.people.outside,
        people[off].sum(),
    ]
    found = round(sum(parts))
    assigned, beyond, unsnapped = apportion(parts, np.zeros(3, dtype=np.intp), np.array([found])).tolist()
    surface = inputs.people.surface
    return ResidentsReading(
        found, assigned, beyond, unsnapped, surface=None if surface is None else round(surface)
    )


def read_others(reader: Reader) -> dict[str, tuple[Homes, gpd.GeoDataFrame]]:
    """Read the other surfaces of a study: name -> its residents as read, to be settled.

    Totals are facts of the units and not of a surface, so that those of ``[demand]`` hold for a surface
    without its own.

    Raises
    ------
    UnusableInputError
        With the faults of all of them.
    """
    found, faults = {}, FaultLog()
    for name, part in reader.study.demand.surfaces.items():
        homes = Homes(reader, part, role="demand_surface")
        homes.totals = reader.homes.totals
        with faults.catching():
            found[name] = homes, homes.read()
    faults.raise_any()
    return found


def another_surface(before: Inputs, after: Inputs) -> bool:
    """Return whether the residents of two years come from different surfaces.

    They do where a break is declared between the years, where a raster, the buildings or the polygons that
    people are spread over are another file, and where most people are not found again at the same places.
    """
    if before.demand is after.demand:
        return False
    return (
        declared_break(after.study, before.year, after.year)
        or _modelled_again(after.study, before.year, after.year)
        or not same_surface(before.demand, after.demand)
    )


def declared_break(study: Study, before: int, after: int) -> bool:
    """Return whether a study declares that its residents come from another surface between two years."""
    return any(before < year <= after for year in study.demand.breaks)


def _modelled_again(study: Study, before: int, after: int) -> bool:
    """Return whether a raster or what polygons are spread over is another file; known totals aside."""
    part = study.demand
    modelled = part.spread is not None or is_raster(study.path_in(part.file, after))
    totals = None if part.totals is None else part.totals.file
    files = [part.file, *(file for file in part.side_files if file != totals)]
    return modelled and any(study.path_in(file, before) != study.path_in(file, after) for file in files)
