"""Say what of the roads differs between two years, and make the networks that lie between them.

Changes of road lines are divided where their table dates them: a line that only the later file has is new
when it opened since, better mapped when it was open before; one that only the earlier file has is closed when
it says so. All other changes, and those of files that cannot be compared line by line, are not divided.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.cells import parse_date
from lifecircle.errors import LifecircleError
from lifecircle.headings import plain_heading, synonyms
from lifecircle.roads import read_roads
from lifecircle.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from lifecircle.audit import Inputs
    from lifecircle.roads import Roads

    Networks = Mapping[str, Roads]

ROAD_MEMBERS = ("built", "shut", "mapped", "undivided")
"""Changes of roads: new, closed, better mapped, and what cannot be divided (未区分)."""

_LINE_TABLES = frozenset({".geojson", ".json", ".gpkg", ".shp", ".parquet"})
_OPENED = ("opened", *synonyms("facilities", "opened"), "通车日期", "通车时间")
_CLOSED = ("closed", *synonyms("facilities", "closed"), "封闭日期", "拆除日期")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RoadChanges:
    """Road lines of two years beside each other.

    ``members`` : those that differ, in the order of :data:`ROAD_MEMBERS`; ``lines`` : the rows of both files,
    each once, None where only whole networks are known; ``earlier``, ``later`` : (row,) whether the file of
    the year has it; ``member`` : (row,) what it differs by, empty where it does not.
    """

    before: Inputs
    after: Inputs
    members: tuple[str, ...]
    lines: gpd.GeoDataFrame | None = None
    earlier: Any = None
    later: Any = None
    member: Any = None

    @property
    def counts(self) -> dict[str, int]:
        """Member -> lines that differ by it; empty where lines are not known."""
        if self.member is None:
            return {}
        return {name: int((self.member == name).sum()) for name in self.members}

    def networks(self, switched: Collection[str]) -> Networks:
        """Return the networks with some members as in the later year, travel profile -> roads."""
        mine = [name for name in self.members if name in switched]
        if not mine:
            return self.before.networks
        if len(mine) == len(self.members):
            return self.after.networks
        assert self.lines is not None
        rows = np.where(np.isin(self.member, mine), self.later, self.earlier)
        barriers_of = self.after if "undivided" in mine else self.before
        return _read(self.lines[rows], self.after, barriers_of, _asked(self.after))


def road_changes(before: Inputs, after: Inputs) -> RoadChanges:
    """Compare the roads of two years; no member where they are the same network."""
    if before.networks is after.networks or _same(before.networks, after.networks):
        return RoadChanges(before, after, ())
    tables = _tables(before, after)
    found = None if tables is None else _compared(before, after, tables)
    whole = RoadChanges(before, after, ("undivided",))
    return whole if found is None else _checked(found, whole)


def _checked(found: RoadChanges, whole: RoadChanges) -> RoadChanges:
    """Return a comparison by lines where these say the same as the files do, else that of whole networks."""
    before, after = found.before, found.after
    if found.members in {(), ("undivided",)} or found.lines is None:
        return whole
    # The rows must say the same as the later file does, else what lies between would mean nothing. One year
    # and one profile are enough: all are read from the same rows by the same reader, which takes its time.
    name = _asked(after)[0]
    try:
        made = _read(found.lines[found.later], after, after, (name,))
    except LifecircleError as error:
        _log.info("roads are compared as a whole: %s", error)
        return whole
    if not _same_roads(made[name], after.networks[name]):
        return whole
    other_barriers = not _same_shapes(_first(before.networks).barriers, _first(after.networks).barriers)
    if other_barriers and "undivided" not in found.members:
        return RoadChanges(
            before,
            after,
            (*found.members, "undivided"),
            found.lines,
            found.earlier,
            found.later,
            found.member,
        )
    return found


def _first(networks: Networks) -> Roads:
    return next(iter(networks.values()))


def _same(one: Networks, other: Networks) -> bool:
    """Return whether networks are equal to the last bit, barriers too."""
    return one.keys() == other.keys() and all(_same_roads(one[name], other[name]) for name in one)


def _same_roads(one: Roads, other: Roads) -> bool:
    if one is other:
        return True
    names = ("xy", "u", "v", "forward_s", "backward_s", "length_m")
    return (
        one.crs == other.crs
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)
        and _same_shapes(one.lines, other.lines)
        and _same_shapes(one.barriers, other.barriers)
    )


def _same_shapes(one: Any, other: Any) -> bool:
    return one is other or (len(one) == len(other) and bool(shapely.equals_exact(one, other).all()))


# --- line by line -----------------------------------------------------------------------------------------


def _tables(before: Inputs, after: Inputs) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame] | None:
    """Read the lines of both years as tables; None where they are none, or there is no day in them."""
    part = after.study.roads
    if part.file is None or part.merge is not None:
        return None
    paths = [
        one.study.path_in(one.study.roads.file, one.year) for one in (before, after) if one.study.roads.file
    ]
    if len(paths) < 2 or any(path.suffix.lower() not in _LINE_TABLES for path in paths):
        return None
    try:
        frames = [read_table(path, layer=part.layer).frame for path in paths]
    except LifecircleError as error:
        _log.info("roads are compared as a whole: %s", error)
        return None
    first, second = frames
    if not (isinstance(first, gpd.GeoDataFrame) and isinstance(second, gpd.GeoDataFrame)):
        return None
    days = {*_days_column(first, _CLOSED), *_days_column(second, _OPENED)}
    return (first, second) if days and first.crs == second.crs else None


def _days_column(table: pd.DataFrame, names: Collection[str]) -> list[str]:
    wanted = {plain_heading(name) for name in names}
    return [str(column) for column in table.columns if plain_heading(str(column)) in wanted][:1]


def _compared(
    before: Inputs, after: Inputs, tables: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]
) -> RoadChanges:
    """Find the rows that only one file has, and what each of them differs by."""
    first, second = tables
    keys = [_row_keys(table) for table in tables]
    common = Counter(keys[0]) & Counter(keys[1])
    gone, come = (_beyond(own, common) for own in keys)
    years = date(before.year, 12, 31), date(after.year, 12, 31)
    opened, closed = _days(second, _OPENED), _days(first, _CLOSED)
    come_as = np.array(
        [
            "undivided" if day is None or day > years[1] else "built" if day > years[0] else "mapped"
            for day in opened
        ],
        dtype=object,
    )
    gone_as = np.array(
        ["shut" if day is not None and years[0] < day <= years[1] else "undivided" for day in closed],
        dtype=object,
    )
    member = np.concatenate([np.where(gone, gone_as, ""), come_as[come]])
    lines = gpd.GeoDataFrame(
        _stacked(first, second[come]), geometry=[*first.geometry, *second.geometry[come]], crs=first.crs
    )
    earlier = np.concatenate([np.ones(len(first), dtype=bool), np.zeros(int(come.sum()), dtype=bool)])
    later = np.concatenate([~gone, np.ones(int(come.sum()), dtype=bool)])
    members = tuple(name for name in ROAD_MEMBERS if (member == name).any())
    return RoadChanges(before, after, members, lines, earlier, later, member)


def _stacked(first: gpd.GeoDataFrame, second: gpd.GeoDataFrame) -> dict[str, list[Any]]:
    """Put the columns of two tables one below the other, whatever their types."""
    names = dict.fromkeys(
        str(column)
        for table in (first, second)
        for column in table.columns
        if column != table.active_geometry_name
    )
    return {
        name: [
            cell
            for table in (first, second)
            for cell in (table[name] if name in table else [None] * len(table))
        ]
        for name in names
    }


def _row_keys(table: gpd.GeoDataFrame) -> list[tuple[bytes, str]]:
    """Name every row by its line and its cells; the days of opening and closing change no line."""
    days = {*_days_column(table, _OPENED), *_days_column(table, _CLOSED), table.active_geometry_name}
    names = sorted(str(column) for column in table.columns if column not in days)
    texts = [
        "|".join(f"{name}={cell}" for name, cell in zip(names, cells, strict=True) if _is_said(cell))
        for cells in zip(*(table[name] for name in names), strict=True)
    ] or [""] * len(table)
    return list(zip(shapely.to_wkb(table.geometry.to_numpy()), texts, strict=True))


def _is_said(cell: Any) -> bool:
    return cell is not None and str(cell).strip() not in {"", "nan", "None", "NaT", "<NA>"}


def _beyond(keys: list[tuple[bytes, str]], common: Counter[tuple[bytes, str]]) -> Any:
    """Return which rows have no equal in the other file; equal rows are paired one to one."""
    left = Counter(common)
    flags = []
    for key in keys:
        left[key] -= 1
        flags.append(left[key] < 0)
    return np.array(flags, dtype=bool)


def _days(table: gpd.GeoDataFrame, names: Collection[str]) -> list[date | None]:
    column = _days_column(table, names)
    return [_day(cell) for cell in table[column[0]]] if column else [None] * len(table)


def _day(cell: object) -> date | None:
    try:
        return parse_date(cell) if _is_said(cell) else None
    except ValueError:
        return None  # a note, no day: nothing is said


def _asked(inputs: Inputs) -> tuple[str, ...]:
    """Name the profiles that values are computed with; bands and variants are not computed."""
    used = {str(one.profile) for one in inputs.study.standard.targets if one.kind == "circle"}
    return tuple(name for name in inputs.networks if name in used) or tuple(inputs.networks)[:1]


def _read(
    lines: gpd.GeoDataFrame, inputs: Inputs, barriers_of: Inputs, profiles: Collection[str]
) -> dict[str, Roads]:
    """Read road lines as the study does, for some profiles."""
    part = inputs.study.roads
    barriers = _first(barriers_of.networks).barriers
    made: dict[str, Roads] = {}
    for name in profiles:
        own = inputs.networks[name]
        like = next((one for one in made.values() if one.profile.ways == own.profile.ways), None)
        if like is None:
            like = read_roads(
                lines.reset_index(drop=True),
                mode=own.profile,
                crs=own.crs,
                join_m=part.join_m,
                columns=part.columns,
                classes=part.classes,
                datum=part.datum,
                split_crossings=part.split_crossings,
            ).with_barriers(barriers)
        made[name] = like.with_profile(own.profile)
    return made
