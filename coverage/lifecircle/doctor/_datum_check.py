"""Compare the declared datum of every list of facilities with where its places lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd

from lifecircle.datum import (
    bd09_from_wgs84,
    detect,
    gcj02_from_wgs84,
    raw_places,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)
from lifecircle.doctor._effects import placed_at
from lifecircle.doctor._input_problem import SAMPLES, Problem
from lifecircle.doctor._row_checks import shifted_rows
from lifecircle.errors import say
from lifecircle.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.audit import Inputs
    from lifecircle.datum import Detection
    from lifecircle.errors import Message
    from lifecircle.findings import Findings


def datums(inputs: Inputs, findings: Findings) -> Iterator[Problem]:
    """Compare the declared datum of every list of facilities with what its places say."""
    wrong = {number: (declared, found) for number, _, declared, found in _detected(inputs)}
    for number, part in enumerate(inputs.study.facilities):
        source = _source(inputs, number)
        if number in wrong:
            declared, found = wrong[number]
            effect = _of_datum(inputs, findings, source, (declared, found.datum))
            yield _wrong_datum(source, declared, found, effect)
        else:
            yield from shifted_rows(inputs, source, part.datum, findings)


def datum_of_lists(inputs: Inputs) -> Iterator[tuple[int, str, str, str]]:
    """Yield the lists whose places clearly fit another datum of degrees than the declared one.

    Returns
    -------
    number : of the list in the study, from 0
    source : name of its file
    declared, fits : datums
    """
    for number, source, declared, found in _detected(inputs):
        if found.datum in _UNDONE and not found.swapped and found.reason not in {"mixed", "twice"}:
            yield number, source, declared, str(found.datum)


def _detected(inputs: Inputs) -> Iterator[tuple[int, str, str, Detection]]:
    """Yield the lists whose places say something against their declared datum."""
    roads = next(iter(inputs.networks.values()))
    lines = gpd.GeoSeries(roads.lines, crs=roads.crs).to_crs("EPSG:4326").to_numpy()
    for number, part in enumerate(inputs.study.facilities):
        if part.datum in _UNDONE:
            path = inputs.study.path_in(part.file, inputs.year)
            table = read_table(path, **part.where)
            raw = raw_places(table.frame, file=table.name, columns=part.columns)
            found = detect(raw.xy, lines, inputs.districts)
            if found.reason in {"mixed", "twice"} or found.datum not in {None, part.datum}:
                yield number, _source(inputs, number), part.datum, found


def _source(inputs: Inputs, number: int) -> str:
    path = inputs.study.path_in(inputs.study.facilities[number].file, inputs.year)
    inside = path.is_relative_to(inputs.study.folder)
    return inputs.study.name_of(path) if inside else path.name


def _of_datum(
    inputs: Inputs, findings: Findings, source: str, datums: tuple[str, str | None]
) -> Message | str:
    """Return what reading a list in the datum its places fit moves."""
    declared, fits = datums
    if fits is None or fits not in _UNDONE:
        return say("what it moves is not known before the file is split or converted")
    rows = inputs.register[inputs.register["source"] == source]
    rows = rows[rows.geometry.notna() & ~rows.geometry.is_empty]
    lon, lat = rows.geometry.x.to_numpy(), rows.geometry.y.to_numpy()
    for shift in (_MADE.get(declared), _UNDONE[fits]):
        lon, lat = (lon, lat) if shift is None else shift(lon, lat)
    places = {str(label): (float(x), float(y)) for label, x, y in zip(rows.index, lon, lat, strict=True)}
    return placed_at(inputs, findings, places)


_MADE = {"gcj02": gcj02_from_wgs84, "bd09": bd09_from_wgs84}
_UNDONE = {"wgs84": None, "gcj02": wgs84_from_gcj02, "bd09": wgs84_from_bd09}


def _wrong_datum(source: str, declared: str, found: Any, effect: Message | str) -> Problem:
    remedy: Any = say("declare datum = '{datum}', and compare on the map", datum=found.datum or "")
    reason: Any = say(
        "declared {declared}, but the places fit {datum}", declared=declared, datum=found.datum or ""
    )
    rows: tuple[str, ...] = ()
    if found.reason == "mixed":
        parts = ", ".join(f"{name} {len(rows)}" for name, rows in found.parts.items())
        reason = say("two datums in one file: {parts}", parts=parts)
        remedy = say("split the file, and declare a datum for each part")
        other = min(found.parts.values(), key=len)
        rows = tuple(str(int(row) + 2) for row in other[:SAMPLES])
    elif found.reason == "twice":
        name = str(found.evidence["log_likelihood"].idxmax())
        reason = say("shifted twice, or undone although not shifted: {name}", name=name)
        remedy = say("convert the file again from the original coordinates")
    return Problem("error", "datum", source, 1, reason, remedy, rows, effect)
