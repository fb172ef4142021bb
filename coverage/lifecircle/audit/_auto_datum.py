"""Find the datum of a table whose study says ``auto``, from the roads and districts of the study."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from lifecircle.datum import LEAST_POINTS, detect, raw_places
from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.datum import Detection
    from lifecircle.errors import Message
    from lifecircle.roads import Roads
    from lifecircle.tables import Table

AUTO = "auto"


@dataclass(frozen=True)
class TableDatum:
    """The datum to read a table with, the columns of its coordinates, and remarks for the reading report."""

    datum: str
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def table_datum(
    table: Table,
    datum: str,
    columns: Mapping[str, str],
    *,
    roads: Roads | None,
    districts: gpd.GeoDataFrame | None,
) -> TableDatum:
    """Return the datum of a table: as it is declared, or detected where it is ``auto``.

    Only clear evidence is acted upon, and it is recorded.

    Raises
    ------
    UnusableInputError
        Where the evidence is not clear, or speaks of a mixture or of a shift made twice.
    """
    if datum != AUTO or roads is None:
        return TableDatum(datum, columns)
    raw = raw_places(table.frame, file=table.name, columns=columns)
    lines = gpd.GeoSeries(roads.lines, crs=roads.crs).to_crs("EPSG:4326").to_numpy()
    found = detect(raw.xy, lines, districts)
    if found.datum is None:
        raise UnusableInputError([_fault(table, found, len(raw.xy))])
    share = float(found.evidence.loc[found.evidence["log_likelihood"].idxmax(), "share"])
    if not found.swapped:
        named = dict(columns)
        if found.datum.startswith("EPSG:") and len(raw.names) == 2:
            named |= {"x": raw.names[0], "y": raw.names[1]}
        return TableDatum(found.datum, named, (f"datum_detected:{found.datum}|{share:.0%}",))
    if len(raw.names) != 2:
        raise UnusableInputError([_fault(table, found, len(raw.xy))])
    named = {**columns, "x": raw.names[1], "y": raw.names[0]}
    return TableDatum(found.datum, named, (f"datum_swapped:{found.datum}",))


def _fault(table: Table, found: Detection, rows: int) -> Fault:
    """Return what stands in the way of a datum, with the figures that were found."""
    known = say("wgs84, gcj02, bd09 or EPSG:n (CGCS2000 degrees are EPSG:4490)")
    remedy: Message = say("declare it: {datums}", datums=known)
    reason: Any = say("the datum is not clear from roads and districts")
    if found.reason == "few_points":
        reason = say("too few places to detect a datum: {count} of {least}", count=rows, least=LEAST_POINTS)
    elif found.reason == "mixed":
        parts = ", ".join(f"{name} {len(rows)}" for name, rows in found.parts.items())
        reason = say("two datums in one file: {parts}", parts=parts)
        remedy = say("split the file, and declare a datum for each part")
    elif found.reason == "twice":
        name = str(found.evidence["log_likelihood"].idxmax())
        reason = say("shifted twice, or undone although not shifted: {name}", name=name)
        remedy = say("convert the file again from the original coordinates")
    elif found.reason == "far":
        reason = say("the places lie by no road in any datum")
    return Fault(table.name, "datum", AUTO, reason, remedy)
