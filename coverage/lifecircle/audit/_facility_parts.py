"""Read one list of facilities as a study declares it: its datum, its classes, its entrances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.cells import plain_numbers
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.facilities import (
    FACILITY_COLUMNS,
    classified,
    is_from_amap,
    looks_like,
    read_facilities,
    similar_rows,
    with_entrances,
)
from lifecircle.headings import named, synonyms
from lifecircle.tables import headings_of, reject_rows, unit_notes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from lifecircle.audit._auto_datum import TableDatum
    from lifecircle.reading import InputReading
    from lifecircle.standards import Standard
    from lifecircle.study import FacilitiesPart
    from lifecircle.tables import Table

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class FacilityPart:
    """One list as it was read: rows, rejects, remarks; ``classed`` : rows of other classes were left out."""

    frame: gpd.GeoDataFrame
    rejects: pd.DataFrame
    notes: tuple[str, ...]
    classed: bool

    @property
    def rows(self) -> int:
        """Return the rows of the file that are used: a row of several services is one."""
        return int(self.frame["row"].nunique())


def ask_for_datum(table: Table, part: FacilitiesPart) -> None:
    """Raise UnusableInputError for an answer of AMap whose datum nobody has declared.

    Its coordinates are GCJ-02, 500 m off, unless somebody converted them; which of the two only they know.

    Raises
    ------
    UnusableInputError
        The table is such an answer, and the study gives no datum.
    """
    if is_from_amap(table) and "datum" not in part.model_fields_set:
        reason = say("the columns are those of AMap, whose coordinates are GCJ-02 unless they were converted")
        remedy = say("write datum = 'gcj02', or datum = 'wgs84' if they were converted")
        raise UnusableInputError([Fault(table.name, "datum", "", reason, remedy)])


def read_part(  # noqa: PLR0913 - what a study says of one list
    table: Table,
    part: FacilitiesPart,
    placed: TableDatum,
    *,
    known: Mapping[str, str] | None,
    max_rejected: float,
    gates: Table | None = None,
) -> FacilityPart:
    """Read one list of facilities, classed first where it comes from a map.

    Parameters
    ----------
    gates : table of entrances, if the study gives one

    Raises
    ------
    UnusableInputError
        As for :func:`lifecircle.facilities.read_facilities`.
    """
    services, notes = part.services, list(placed.notes)
    # A map's own table is known by its columns; what the study says of its services comes before that.
    catalogue = services if isinstance(services, str) else None
    if catalogue is None and not services and part.service is None and not _has_services(table, part):
        catalogue = looks_like(table)
        notes += [f"classes_detected:{catalogue}"] if catalogue is not None else []
    columns = dict(placed.columns)
    if catalogue is not None:
        found = classified(table, catalogue, known)
        table, notes = found.table, [*notes, *found.notes]
        columns.pop("service", None)
    frame, rejects = read_facilities(
        table,
        service=part.service if catalogue is None else None,
        datum=placed.datum,
        columns=columns,
        services=services if isinstance(services, dict) else None,
        max_rejected=max_rejected,
        known_services=known,
    )
    if gates is not None:
        frame, lost = with_entrances(frame, gates, datum=placed.datum)
        rejects = pd.concat([rejects, lost], ignore_index=True)
    notes += unit_notes(table, FACILITY_COLUMNS, columns=part.columns)
    several = int(frame["row"].duplicated().sum())
    notes += [f"services_split:{several}"] if several else []
    if not bool(frame["name"].ne("").any()) and not frame.empty:
        notes.append("names_not_found")
    return FacilityPart(frame, rejects, tuple(notes), catalogue is not None)


def _has_services(table: Table, part: FacilitiesPart) -> bool:
    """Return whether a table has a column of services that is no class of a map."""
    if "service" in part.columns:
        return True
    others = [word for word in synonyms("facilities", "service") if word not in {"type", "category", "kind"}]
    return bool(named(headings_of(table), "service", others))


def with_similar(readings: Sequence[InputReading], register: gpd.GeoDataFrame) -> list[InputReading]:
    """Note, on the list of the later row, rows that may be one facility with another."""
    pairs = similar_rows(register).tolist()
    if not pairs:
        return list(readings)
    sources, names = register["source"].to_numpy(dtype=object), register["name"].to_numpy(dtype=object)
    labels = register.index.astype("str")
    noted = []
    for one in readings:
        mine = [
            f"{labels[early]} {names[early]} / {labels[late]} {names[late]}".replace("|", " ")
            for early, late in pairs
            if one.role == "facilities" and sources[late] == one.path
        ]
        if mine:
            shown = "; ".join(mine[:_SHOWN]) + (" …" if len(mine) > _SHOWN else "")
            noted.append(replace(one, notes=(*one.notes, f"similar_facilities:{len(mine)}|{shown}")))
        else:
            noted.append(one)
    return noted


def with_amounts(
    facilities: gpd.GeoDataFrame, standard: Standard
) -> tuple[gpd.GeoDataFrame, list[pd.DataFrame]]:
    """Read the columns that capacity targets add up as numbers; what is none is unknown, and rejected."""
    wanted = {target.of for target in standard.targets if target.kind == "capacity"}
    rejects = []
    for name in sorted((wanted - {"capacity"}) & {str(column) for column in facilities.columns}):
        cells = facilities[name]
        blank = cells.isna() | (cells.astype("str").str.strip() == "")
        amounts = pd.Series(plain_numbers(cells.where(~blank)), index=cells.index)
        wrong = (~blank & ~np.isfinite(amounts)) | (amounts < 0)
        rejects += [
            reject_rows(
                str(file),
                part["row"].to_numpy(),
                column=name,
                value=part[name].to_numpy(dtype=object),
                reason=say("not a number of at least 0"),
                remedy=say("write a number of at least 0, or leave it blank when unknown"),
            )
            for file, part in facilities[wrong].groupby("source", sort=False)
        ]
        facilities = facilities.assign(**{name: amounts.mask(wrong)})
    return facilities, rejects
