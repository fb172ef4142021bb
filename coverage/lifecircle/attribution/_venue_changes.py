"""Find the same venue in two registers, and say what of it differs: opened, closed, moved, or only corrected.

A venue is the same in both years by its id where the lists have ids, else by service and name nearby, else by
service and place. Whether a difference is a change in the world or a correction of the record is decided by
what the later register itself says; the rules are listed in ``docs/changes.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from lifecircle.cells import parse_date
from lifecircle.datum import bd09_from_wgs84, gcj02_from_wgs84, wgs84_from_bd09, wgs84_from_gcj02
from lifecircle.facilities import SAME_PLACE_M, YearRegister, open_in, plain_letters, same_facilities
from lifecircle.headings import plain_heading

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit import Inputs

    Positions = npt.NDArray[np.intp]
    Floats = npt.NDArray[np.float64]

VENUE_MEMBERS = ("opened", "closed", "moved", "hours", "resized")
"""Changes of venues in the world."""

DATA_MEMBERS = ("late", "pins", "datum", "filled")
"""Corrections of the record, which restate the earlier year: late entries, pins, datum, cells filled in."""

MOVED_M = 200.0
"""Coordinates that differ by more than this with another address are a move; else the pin was corrected."""

_DATUM_M = 5.0  # what conversions and rounding of coordinates may leave
_DATUM_SHARE = 0.8  # of the pins of a list that differ
_DATUM_LEAST = 3  # fewer pins show nothing of a list
_MOVED_COLUMNS = ("moved", "迁址日期", "迁移日期", "搬迁日期")
_ADDRESS_COLUMNS = ("address", "地址", "详细地址", "所在地址")


@dataclass(frozen=True)
class VenueChange:
    """One venue that differs between the two years: the member of the account it counts for, and why.

    ``why`` is a code of the rule; ``metres`` how far its place differs, None where it does not.
    """

    member: str
    why: str
    id: str
    name: str
    service: str
    district: str
    metres: float | None = None


@dataclass(frozen=True, eq=False)
class VenueChanges:
    """The venues of two registers beside each other.

    ``before``, ``after`` : the venues open in each year, with a unique index; ``kept`` : (pair, 2) positions
    of one venue in both; ``gone``, ``come`` : positions of those in one alone, and their members; ``place`` :
    (pair,) member that the place differs by, empty where it does not; ``cells`` : column -> (pair,) the same
    for a cell; ``listed`` : every difference, to be read; ``renamed`` : old and new name of
    venues that only changed it; ``undated`` : a count.
    """

    before: gpd.GeoDataFrame
    after: gpd.GeoDataFrame
    kept: Positions
    gone: Positions
    gone_as: npt.NDArray[np.object_]
    come: Positions
    come_as: npt.NDArray[np.object_]
    place: npt.NDArray[np.object_]
    cells: dict[str, npt.NDArray[np.object_]]
    listed: tuple[VenueChange, ...]
    renamed: tuple[str, ...] = ()
    undated: int = 0

    @property
    def services(self) -> dict[str, frozenset[str]]:
        """Member -> the services of the venues that differ by it."""
        found: dict[str, set[str]] = {}
        for one in self.listed:
            found.setdefault(one.member, set()).add(one.service)
        return {member: frozenset(names) for member, names in found.items()}


def venue_changes(before: Inputs, after: Inputs, *, same_units: bool = True) -> VenueChanges:
    """Compare the venues open in two years.

    Parameters
    ----------
    before, after : inputs as an audit prepares them, of an earlier and a later year
    same_units : whether both years have the same districts and villages, so that a venue that stands in
        another one was put right
    """
    first, second = (YearRegister(part.register, before.crs) for part in (before, after))
    opened, later = first.open_rows(before.year), second.open_rows(after.year)
    pairs = same_facilities(first, second, opened, later).pairs
    gone = np.setdiff1d(opened, pairs[:, 0])
    come = np.setdiff1d(later, pairs[:, 1])
    unpaired = np.setdiff1d(np.arange(len(second.table)), pairs[:, 1])
    gone_as, gone_why = _gone(first, second, (gone, unpaired), before.year)
    come_as, come_why, undated = _come(second, come, before.year)
    place, place_why, metres = _places(first, second, pairs, (before.year, after.year), same_units=same_units)
    cells = _cells(first, second, pairs, before)
    listed = [
        *_listed(second, come, come_as, come_why),
        *_listed(first, gone, gone_as, gone_why),
        *_listed(second, pairs[:, 1], place, place_why, metres),
    ]
    for column, member in cells.items():
        listed += _listed(second, pairs[:, 1], member, np.full(len(pairs), f"cell:{column}", dtype=object))
    names = first.name[pairs[:, 0]] != second.name[pairs[:, 1]]
    rows_before, rows_after = np.union1d(pairs[:, 0], gone), np.union1d(pairs[:, 1], come)
    return VenueChanges(
        before=first.table.iloc[rows_before],
        after=second.table.iloc[rows_after],
        kept=np.column_stack(
            [np.searchsorted(rows_before, pairs[:, 0]), np.searchsorted(rows_after, pairs[:, 1])]
        ).astype(np.intp),
        gone=np.searchsorted(rows_before, gone).astype(np.intp),
        gone_as=gone_as,
        come=np.searchsorted(rows_after, come).astype(np.intp),
        come_as=come_as,
        place=place,
        cells=cells,
        listed=tuple(sorted(listed, key=lambda one: (_ORDER.index(one.member), one.service, one.id))),
        renamed=tuple(
            f"{first.called[a]} → {second.called[b]}" for a, b in pairs[names.astype(bool)].tolist()
        ),
        undated=undated,
    )


_ORDER = (*VENUE_MEMBERS, *DATA_MEMBERS)


# --- what of it differs -----------------------------------------------------------------------------------


def _gone(
    first: YearRegister, second: YearRegister, rows: tuple[Positions, Positions], year: int
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Decide of venues open in the earlier year alone: closed since, or never open then by the later list.

    ``rows`` : those venues, and the rows of the later register that are no venue of both years.
    """
    gone, unpaired = rows
    member, why = np.full(len(gone), "closed", dtype=object), np.full(len(gone), "unlisted", dtype=object)
    twins = dict(same_facilities(first, second, gone, unpaired).pairs.tolist())
    then = open_in(second.table, year).to_numpy(dtype=bool)
    for at, row in enumerate(gone.tolist()):
        if row in twins:
            late = not then[twins[row]]
            member[at], why[at] = ("late", "not_open_then") if late else ("closed", "closing_date")
        elif first.table["closed"].notna().iloc[row]:
            why[at] = "closing_date"
    return member, why


def _come(
    second: YearRegister, come: Positions, year: int
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_], int]:
    """Decide of venues open in the later year alone: opened since, or open then already by the later list."""
    table = second.table
    then = open_in(table, year).to_numpy(dtype=bool)[come]
    dated = table["opened"].notna()
    # A blank means "always" only in a list that gives days of opening at all.
    lists = dated.groupby(second.source).transform("any").to_numpy(dtype=bool)[come]
    blank = ~dated.to_numpy(dtype=bool)[come]
    late = then & (~blank | lists)
    undated = then & blank & ~lists
    member = np.where(late, "late", "opened").astype(object)
    why = np.select([late & blank, late, undated], ["always_open", "open_then", "undated"], "opening_date")
    return member, why.astype(object), int(undated.sum())


def _places(
    first: YearRegister, second: YearRegister, pairs: Positions, years: tuple[int, int], *, same_units: bool
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_], Floats]:
    """Decide of venues whose place differs: moved, another datum, or a pin put right."""
    a, b = pairs.T
    none = np.full(len(pairs), "", dtype=object)
    if first.table is second.table or not len(pairs):
        return none, none, np.full(len(pairs), np.nan)
    here, there = first.xy[a], second.xy[b]
    away = np.hypot(*(here - there).T)
    placed = np.isfinite(here).all(axis=1), np.isfinite(there).all(axis=1)
    differs = (away > SAME_PLACE_M) | (placed[0] != placed[1]) | _redrawn(first.table, second.table, a, b)
    if same_units:
        differs |= _units(first.table, a) != _units(second.table, b)
    said = _says_moved(first.table, second.table, pairs, years)
    other_address = _differ(
        _column(first.table, _ADDRESS_COLUMNS, a), _column(second.table, _ADDRESS_COLUMNS, b)
    )
    moved = differs & (said | (other_address & (away > MOVED_M)))
    datum = differs & ~moved & _of_another_datum(first, second, pairs, differs & ~moved)
    member = np.select([~differs, moved, datum], ["", "moved", "datum"], "pins").astype(object)
    why = np.select(
        [~differs, moved & said, moved, datum, ~(away > SAME_PLACE_M)],
        ["", "says_moved", "other_address", "datum_shift", "unit_or_edge"],
        "pin_differs",
    )
    return member, why.astype(object), np.where(differs, away, np.nan)


def _units(table: gpd.GeoDataFrame, rows: Positions) -> npt.NDArray[np.object_]:
    columns = [table[name].astype("str") for name in ("district", "village") if name in table]
    joined = ["|".join(cells) for cells in zip(*(column.iloc[rows] for column in columns), strict=True)]
    return np.array(joined if columns else [""] * len(rows), dtype=object)


def _redrawn(
    one: gpd.GeoDataFrame, other: gpd.GeoDataFrame, a: Positions, b: Positions
) -> npt.NDArray[np.bool_]:
    """Return which venues are drawn with another edge."""
    drawn = [
        [shape.wkb if isinstance(shape, shapely.Geometry) else b"" for shape in table["polygon"].iloc[rows]]
        if "polygon" in table
        else [b""] * len(rows)
        for table, rows in ((one, a), (other, b))
    ]
    return np.array([x != y for x, y in zip(*drawn, strict=True)], dtype=bool)


def _says_moved(
    one: gpd.GeoDataFrame, other: gpd.GeoDataFrame, pairs: Positions, years: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return which rows say that the venue moved between the years: a day of moving, or of opening again."""
    first_day, last_day = (date(year, 12, 31) for year in years)
    moved = [_day(cell) for cell in _column(other, _MOVED_COLUMNS, pairs[:, 1])]
    said = np.array([day is not None and first_day < day <= last_day for day in moved], dtype=bool)
    opened = other["opened"].iloc[pairs[:, 1]].to_numpy(dtype="datetime64[D]")
    earlier = one["opened"].iloc[pairs[:, 0]].to_numpy(dtype="datetime64[D]")
    within = (opened > np.datetime64(first_day)) & (opened <= np.datetime64(last_day))
    reopened: npt.NDArray[np.bool_] = within & (opened != earlier)
    return said | reopened


def _day(cell: object) -> date | None:
    try:
        return parse_date(cell)
    except ValueError:
        return None  # a note, no day: nothing is said


def _column(table: pd.DataFrame, names: Iterable[str], rows: Positions) -> list[str]:
    """Return the cells of the first column of these headings as text, empty where there is none."""
    wanted = {plain_heading(name) for name in names}
    for column in table.columns:
        if plain_heading(str(column)) in wanted:
            return [str(cell) if _is_said(cell) else "" for cell in table[column].iloc[rows]]
    return [""] * len(rows)


def _is_said(cell: Any) -> bool:
    return bool(pd.notna(cell)) and str(cell).strip() != ""


def _differ(one: list[str], other: list[str]) -> npt.NDArray[np.bool_]:
    """Return where two texts are both there and not the same."""
    return np.array(
        [bool(x and y) and plain_letters(x) != plain_letters(y) for x, y in zip(one, other, strict=True)]
    )


def _of_another_datum(
    first: YearRegister, second: YearRegister, pairs: Positions, differs: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Return which pins differ as another datum makes them differ, list by list.

    A list was read in a wrong datum when most of its pins that differ agree within a few metres after one and
    the same conversion.
    """
    found = np.zeros(len(pairs), dtype=bool)
    old, new = (
        np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])
        for shapes in (
            first.table.geometry.to_numpy()[pairs[:, 0]],
            second.table.geometry.to_numpy()[pairs[:, 1]],
        )
    )
    shifts = (gcj02_from_wgs84, wgs84_from_gcj02, bd09_from_wgs84, wgs84_from_bd09)
    for source in pd.unique(second.source[pairs[:, 1]]):
        placed = np.isfinite(old).all(axis=1) & np.isfinite(new).all(axis=1)
        mine = np.flatnonzero(differs & placed & (second.source[pairs[:, 1]] == source))
        if len(mine) < _DATUM_LEAST:
            continue
        for shift in shifts:
            shifted = np.column_stack(shift(*old[mine].T))
            agrees = _metres(shifted, new[mine]) <= _DATUM_M
            if agrees.mean() >= _DATUM_SHARE:
                found[mine[agrees]] = True
    return found


def _metres(one: Floats, other: Floats) -> Floats:
    """Return how far places in degrees are apart, near enough for a few metres."""
    east = (one[:, 0] - other[:, 0]) * 111_320.0 * np.cos(np.radians(other[:, 1]))
    return np.hypot(east, (one[:, 1] - other[:, 1]) * 111_320.0)


def _cells(
    first: YearRegister, second: YearRegister, pairs: Positions, inputs: Inputs
) -> dict[str, npt.NDArray[np.object_]]:
    """Decide of cells that differ: hours and size changed, or filled in where nothing stood."""
    found: dict[str, npt.NDArray[np.object_]] = {}
    if first.table is second.table:
        return found
    counted = {target.of for target in inputs.study.standard.targets if target.kind == "capacity"}
    for column in ("hours", *sorted({"capacity", "serves"} | counted)):
        one, other = (
            [cell if _is_said(cell) else "" for cell in part.table[column].iloc[rows]]
            if column in part.table
            else [""] * len(rows)
            for part, rows in ((first, pairs[:, 0]), (second, pairs[:, 1]))
        )
        differs = np.array([x != y for x, y in zip(one, other, strict=True)], dtype=bool)
        blank = np.array([x == "" or y == "" for x, y in zip(one, other, strict=True)], dtype=bool)
        member = np.select(
            [~differs, blank], ["", "filled"], "hours" if column == "hours" else "resized"
        ).astype(object)
        if differs.any():
            found[column] = member
    return found


def _listed(
    part: YearRegister,
    rows: Positions,
    member: npt.NDArray[np.object_],
    why: npt.NDArray[np.object_],
    metres: Floats | None = None,
) -> list[VenueChange]:
    """List the rows that differ."""
    table = part.table
    return [
        VenueChange(
            member=member[at],
            why=why[at],
            id=str(table.index[row]),
            name=str(table["name"].iloc[row]),
            service=part.service[row],
            district=str(table["district"].iloc[row]) if "district" in table else "",
            metres=None if metres is None or not np.isfinite(metres[at]) else round(float(metres[at]), 1),
        )
        for at, row in enumerate(rows.tolist())
        if member[at]
    ]
