"""What of the findings goes into the page, and in what words; computes no rate and counts nobody.

The page holds one entry per year: the residents as packed columns, the facilities, the districts'
outlines and, per target, the printed figures, the rows of the tables and each resident's answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.counting import RURAL, URBAN, urban_class
from lifecircle.findings import as_circle, venue_lines
from lifecircle.legend import (
    CELL_COLOURS,
    NO_RATE_COLOUR,
    OVER_BREAKS_MIN,
    RATE_BREAKS,
    RATE_COLOURS,
    UNIT_COLOURS,
    rate_texts,
)
from lifecircle.page_data._answers import (
    STATUS_CODES,
    PageYear,
    counted,
    keep_answers,
    keep_places,
    people_parts,
    status_codes,
)
from lifecircle.page_data._figure_text import minutes_text, people_text, service_text
from lifecircle.page_data._packed_columns import SectionWriter
from lifecircle.page_data._page_ground import keep_ground
from lifecircle.page_data._page_roads import keep_network, network_of
from lifecircle.page_data._plan_rows import plan_data
from lifecircle.page_data._supply_data import supply_data
from lifecircle.page_data._target_map import LACKS, area_classes, one_figure, unit_marks
from lifecircle.page_data._target_text import OUTSIDE, figures
from lifecircle.page_data._village_rows import district_names, village_rows
from lifecircle.page_data._what_if_rows import WhatIf, building_of, scenario_data
from lifecircle.page_data._year_pairs import venue_keys
from lifecircle.wording import village_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lifecircle.findings import Findings, TargetResult, VenueLine
    from lifecircle.page_data._plan_rows import Plan
    from lifecircle.roads import Roads
    from lifecircle.wording import Words

__all__ = [
    "CELL_COLOURS",
    "STATUS_CODES",
    "bounds",
    "counted",
    "lonlat",
    "page_data",
    "page_payload",
    "status_codes",
]

_SIDES = frozenset({"urban", "rural"})
_NOTHING = WhatIf()
_PLACES = 1e5  # positions are kept to 1e-5 degrees, about a metre
_CELL_M = (30.0, 600.0)
_MAX_VERTICES = 20_000
_SIMPLIFIED_DEG = 1e-4


def page_payload(  # noqa: PLR0913 - each is one thing that a page may hold, all but three named
    years: Sequence[Findings],
    words: Words,
    roads: Roads | None = None,
    *,
    about: Mapping[str, Any] | None = None,
    plans: Sequence[Plan] = (),
    ground: gpd.GeoDataFrame | None = None,
    what_if: WhatIf = _NOTHING,
) -> bytes:
    """Return everything the page's script needs, as the uncompressed container of :mod:`._packed_columns`.

    ``about`` : what the page says of itself, in plain values: edition, title, stamp, margin, labels;
    ``ground`` : water, railways and other barriers in EPSG:4326, with ``kind`` and ``name``.
    """
    writer = SectionWriter()
    return writer.packed(
        page_data(
            years, words, roads, writer=writer, about=about, plans=plans, ground=ground, what_if=what_if
        )
    )


def page_data(  # noqa: PLR0913 - each is one thing that a page may hold, all but three named
    years: Sequence[Findings],
    words: Words,
    roads: Roads | None = None,
    *,
    writer: SectionWriter | None = None,
    about: Mapping[str, Any] | None = None,
    plans: Sequence[Plan] = (),
    ground: gpd.GeoDataFrame | None = None,
    what_if: WhatIf = _NOTHING,
) -> dict[str, Any]:
    """Return the header of the page's data, its columns on the writer."""
    writer = writer or SectionWriter()
    network = None if roads is None else network_of(roads)
    road_data = None if roads is None or network is None else keep_network(network, roads.profile, writer)
    entries: list[dict[str, Any]] = []
    for findings, keys in zip(years, venue_keys(years), strict=True):
        page_year = PageYear.of(findings, roads, network)
        before = entries[-1] if entries else None
        entries.append(_year(page_year, words, writer, before=before, what_if=what_if))
        own = entries[-1]["facilities"]
        own["key"] = writer.keep(f"{findings.year}/facilities/key", keys) if len(years) > 1 else None
    return {
        "language": words.language,
        "words": dict(words.section("page")),
        "statuses": [words.get("bucket", code) if code else "" for code in STATUS_CODES],
        "cellColours": CELL_COLOURS,
        "unitColours": UNIT_COLOURS,
        "overBreaks": list(OVER_BREAKS_MIN),
        "rateBreaks": list(RATE_BREAKS),
        "rateTexts": rate_texts(words),
        "rateColours": list(RATE_COLOURS),
        "noRateColour": NO_RATE_COLOUR,
        "bounds": bounds(years),
        "places": _PLACES,
        "years": entries,
        "serviceNames": _service_names(years, words),
        "roads": road_data,
        "ground": keep_ground(ground, bounds(years), writer),
        "plans": plan_data(plans, words, years[-1].services if years else {}),
        "scenarios": scenario_data(what_if, years, words),
        "about": dict(about or {}),
        "lists": writer.lists,
    }


def bounds(years: Sequence[Findings]) -> list[list[float]]:
    """Return the south-west and north-east corners (lat, lon) of the districts and the residents."""
    boxes = [
        frame.total_bounds
        for findings in years
        for frame in (findings.districts, findings.demand)
        if len(frame) and np.isfinite(frame.total_bounds).all()
    ]
    if not boxes:
        return [[18.0, 73.0], [54.0, 135.0]]
    low, high = np.min(boxes, axis=0)[:2], np.max(boxes, axis=0)[2:]
    return [[float(low[1]), float(low[0])], [float(high[1]), float(high[0])]]


def _year(
    page_year: PageYear,
    words: Words,
    writer: SectionWriter,
    *,
    before: dict[str, Any] | None,
    what_if: WhatIf,
) -> dict[str, Any]:
    findings = page_year.findings
    services = _service_ids(findings)
    return {
        "year": findings.year,
        "cells": _cells(page_year, words, writer),
        "facilities": _facilities(page_year, services, writer),
        "services": [findings.services.get(one, {}).get(words.language, one) for one in services],
        "serviceIds": services,
        "districts": writer.listed(_outlines(findings, writer)),
        "villages": _villages(findings, writer),
        "targets": [
            _with_building(
                _target(page_year, result, words, writer=writer, before=_answers_before(before, result)),
                findings,
                result,
                what_if,
            )
            for result in findings.targets
        ],
    }


def _service_names(years: Sequence[Findings], words: Words) -> dict[str, str]:
    """Return the words for all services, those without a venue too: a pin may be the first."""
    known: dict[str, Mapping[str, str]] = {}
    for findings in years:
        known |= findings.services
    return {service: names.get(words.language, service) for service, names in known.items()}


def _service_ids(findings: Findings) -> list[str]:
    return sorted({str(service) for service in findings.facilities["service"]})


def _answers_before(before: dict[str, Any] | None, result: TargetResult) -> dict[str, Any] | None:
    """Find what the year before keeps of a target."""
    if before is None:
        return None
    return next((one["answers"] for one in before["targets"] if one["id"] == result.target.id), None)


# ---------------------------------------------------------------------------------------------------------
# Residents, facilities, districts, roads


def _placed(frame: gpd.GeoDataFrame) -> npt.NDArray[np.bool_]:
    geometry = frame.geometry
    placed: npt.NDArray[np.bool_] = (geometry.notna() & ~geometry.is_empty).to_numpy(dtype=bool)
    return placed


def lonlat(frame: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    """Return the places of a table of points: (row, 2), NaN where a row has none."""
    out = np.full((len(frame), 2), np.nan)
    placed = _placed(frame)
    out[placed] = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy()[placed]))
    return out


def _points(name: str, frame: gpd.GeoDataFrame, writer: SectionWriter) -> dict[str, Any]:
    """Keep places; a row without one repeats the place before it and is marked as not placed."""
    places = pd.DataFrame(lonlat(frame) * _PLACES).round().ffill().fillna(0).to_numpy().astype(np.int64)
    return {
        "count": len(frame),
        "lon": writer.keep(f"{name}/lon", places[:, 0]),
        "lat": writer.keep(f"{name}/lat", places[:, 1]),
        "placed": writer.keep(f"{name}/placed", _placed(frame)),
    }


def _cells(page_year: PageYear, words: Words, writer: SectionWriter) -> dict[str, Any]:
    findings = page_year.findings
    demand, name = findings.demand, f"{findings.year}/residents"
    district_names = _unit_names(findings.districts) | {OUTSIDE: words.get("area", "outside")}
    village_names = {code: village_text(one) for code, one in _unit_names(findings.villages).items()}
    return {
        **_points(name, demand, writer),
        "size_m": cell_size_m(lonlat(demand)) if "side_m" not in demand else float(demand["side_m"].min()),
        "district": _labels(name, demand, "district", names=district_names, writer=writer),
        "village": _labels(name, demand, "village", names=village_names, writer=writer),
        "groups": _group_columns(findings, name, words, writer),
        "urban": _urban_column(findings, name, writer),
        "sides": _side_column(demand, name, writer),
        "roads": None if page_year.ground is None else keep_places(name, page_year.ground.homes, writer),
    }


def _group_columns(
    findings: Findings, name: str, words: Words, writer: SectionWriter
) -> dict[str, dict[str, Any]]:
    """Keep how many people of each group of the circles live at every place; not in the public edition."""
    groups = dict.fromkeys(one.group for result in findings.targets for one in as_circle(result).groups)
    return {
        one: {
            "name": words.get("group", one),
            **_people_column(f"{name}/{one}", findings.demand[one], writer),
        }
        for one in groups
        if one in findings.demand
    }


def _urban_column(findings: Findings, name: str, writer: SectionWriter) -> str | None:
    """Keep whether each resident is urban (1), rural (2) or unknown (0), where a circle counts them apart."""
    groups = {one.group for result in findings.targets for one in as_circle(result).groups}
    if not groups >= _SIDES or "side_m" in findings.demand:  # a merged cell has residents of both
        return None
    code = urban_class(
        findings.demand,
        findings.districts if len(findings.districts) else None,
        findings.villages if len(findings.villages) else None,
    )
    return writer.keep(f"{name}/urban", np.select([code == URBAN, code == RURAL], [1, 2], 0))


def _side_column(demand: gpd.GeoDataFrame, name: str, writer: SectionWriter) -> dict[str, Any] | None:
    """Keep how many metres of ground each merged cell stands for: the sides there are, and which it has."""
    if "side_m" not in demand:
        return None
    sides, which = np.unique(demand["side_m"].to_numpy(dtype=float), return_inverse=True)
    return {"metres": sides.tolist(), "values": writer.keep(f"{name}/side", which.astype(np.int64))}


def _people_column(name: str, people: pd.Series[float], writer: SectionWriter) -> dict[str, Any]:
    """Keep a number of people of every resident, in parts of a person."""
    per, parts = people_parts(people.fillna(0.0).to_numpy(dtype=np.float64))
    return {"per": per, "people": writer.keep(name, parts)}


def cell_size_m(places: npt.NDArray[np.float64]) -> float:
    """Choose how large a resident is drawn: as far as residents usually stand from each other."""
    known = np.unique(places[np.isfinite(places).all(axis=1)], axis=0)
    if len(known) < 2:
        return _CELL_M[1] / 4
    metres = known * 111_320.0
    metres[:, 0] *= np.cos(np.radians(known[:, 1]))
    apart = np.asarray(cKDTree(metres).query(metres, k=2)[0])[:, 1]
    return round(float(np.clip(np.median(apart), *_CELL_M)), 1)


def _unit_names(units: gpd.GeoDataFrame) -> dict[str, str]:
    if not len(units) or "name" not in units:
        return {}
    return {str(code): str(name) for code, name in units["name"].items()}


def _labels(
    place: str, demand: gpd.GeoDataFrame, column: str, *, names: Mapping[str, str], writer: SectionWriter
) -> dict[str, Any] | None:
    """Keep a column of unit labels: 0 for none, else one more than the place in names and codes."""
    if column not in demand:
        return None
    codes, labels = pd.factorize(demand[column])
    return {
        "values": writer.keep(f"{place}/{column}", codes.astype(np.int64) + 1),
        "names": writer.listed([names.get(str(label), str(label)) for label in labels]),
        "codes": writer.listed([str(label) for label in labels]),
    }


def _facilities(page_year: PageYear, services: list[str], writer: SectionWriter) -> dict[str, Any]:
    facilities, name = page_year.findings.facilities, f"{page_year.findings.year}/facilities"
    place = {service: number for number, service in enumerate(services)}
    opened = (
        pd.to_datetime(facilities["opened"]).dt.year.fillna(0).to_numpy().astype(np.int64)
        if "opened" in facilities
        else np.zeros(len(facilities), dtype=np.int64)
    )
    return {
        **_points(name, facilities, writer),
        "service": writer.keep(
            f"{name}/service", np.array([place[str(one)] for one in facilities["service"]], dtype=np.int64)
        ),
        "opened": writer.keep(f"{name}/opened", opened),
        "names": writer.listed([str(one) for one in facilities["name"]]),
        "roads": None if page_year.ground is None else keep_places(name, page_year.ground.venues, writer),
    }


def _villages(findings: Findings, writer: SectionWriter) -> dict[str, Any]:
    """Keep the villages' centres, with their names and codes and their districts' names."""
    villages = findings.villages
    return {
        **_points(f"{findings.year}/villages", villages, writer),
        "names": writer.listed(
            [village_text(str(name)) for name in villages["name"]] if len(villages) else []
        ),
        "codes": writer.listed([str(code) for code in villages.index]),
        "districts": writer.listed(district_names(findings)),
    }


def _outlines(findings: Findings, writer: SectionWriter) -> list[dict[str, Any]]:
    """Keep the districts' outlines, simplified together where they are very detailed."""
    districts = findings.districts
    shapes = districts.geometry.to_numpy()
    if shapely.get_num_coordinates(shapes).sum() > _MAX_VERTICES:
        shapes = shapely.coverage_simplify(shapes, _SIMPLIFIED_DEG)
    names = districts["name"] if len(districts) else ()
    return [
        {"code": str(code), "name": str(name), **_outline(f"{findings.year}/districts/{code}", shape, writer)}
        for code, name, shape in zip(districts.index, names, shapes, strict=True)
        if shape is not None and not shape.is_empty
    ]


def _outline(name: str, shape: shapely.Geometry, writer: SectionWriter) -> dict[str, Any]:
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = [[polygon.exterior, *polygon.interiors] for polygon in polygons]
    label = shape.representative_point()
    return {
        "label": [round(label.y, 5), round(label.x, 5)],
        "rings": [
            [
                _line(f"{name}/{i}/{j}", shapely.get_coordinates(ring)[:-1], writer)
                for j, ring in enumerate(part)
            ]
            for i, part in enumerate(rings)
        ],
    }


def _line(name: str, places: npt.NDArray[np.float64], writer: SectionWriter) -> list[str]:
    whole = np.round(places * _PLACES).astype(np.int64)
    return [writer.keep(f"{name}/{axis}", whole[:, at]) for at, axis in enumerate(("lon", "lat"))]


# ---------------------------------------------------------------------------------------------------------
# Targets


def _target(
    page_year: PageYear,
    result: TargetResult,
    words: Words,
    *,
    writer: SectionWriter,
    before: dict[str, Any] | None,
) -> dict[str, Any]:
    findings, target = page_year.findings, result.target
    gaps = gap_rows(findings, result, words)
    villages = village_rows(findings, result, _largest(gaps), words)
    if villages is not None:
        villages["states"] = writer.listed(villages["states"])
    return {
        **figures(findings, result, words),
        "gaps": None if target.kind != "circle" else gaps,
        "gapCount": len(gaps),
        "villages": villages,
        "whole": one_figure(result),
        "areas": _areas(findings, result, words),
        "units": _units(findings, result, words, writer),
        "supply": supply_data(findings, result, words, writer),
        "services": _services(result, _service_ids(findings)),
        "answers": _named(keep_answers(page_year, result, writer, before), findings, words),
    }


def _with_building(
    target: dict[str, Any], findings: Findings, result: TargetResult, what_if: WhatIf
) -> dict[str, Any]:
    """Add the services of one building that fills the target's rule, where a pin may stand for it."""
    return {**target, "building": building_of(findings, result.target, target["answers"], what_if)}


def _areas(findings: Findings, result: TargetResult, words: Words) -> dict[str, Any] | None:
    """Keep the classes of a target's districts, None where the rate's classes colour them."""
    classes = area_classes(findings, result, words)
    if classes is None:
        return None
    return {
        "title": classes.title,
        "rows": [list(row) for row in classes.rows],
        "of": dict(classes.of),
        "note": classes.note,
        "parts": classes.parts,
    }


def _units(
    findings: Findings, result: TargetResult, words: Words, writer: SectionWriter
) -> dict[str, Any] | None:
    """Keep the units of a target: places, names, a letter of state each; of those without what they lack."""
    units = unit_marks(findings, result, words)
    if units is None:
        return None
    marks = units.marks
    frame = gpd.GeoDataFrame(
        geometry=[shapely.Point(mark.lon, mark.lat) if mark.placed else None for mark in marks],
        crs="EPSG:4326",
    )
    return {
        "unit": units.unit,
        "title": units.title,
        "points": _points(f"{findings.year}/units/{result.target.id}", frame, writer),
        "names": writer.listed([mark.name for mark in marks]),
        "districts": writer.listed([mark.district for mark in marks]),
        "states": "".join(mark.state for mark in marks),
        "without": [
            [number, mark.lacks, mark.people] for number, mark in enumerate(marks) if mark.state == LACKS
        ],
        "legend": [list(row) for row in units.legend],
        "note": units.note,
    }


def _named(answers: dict[str, Any] | None, findings: Findings, words: Words) -> dict[str, Any] | None:
    """Put the classes of a rule in words."""
    for one in answers["classes"] if answers else ():
        name = one["name"]
        one["text"] = service_text(findings.services, name, words)
    return answers


def _largest(gaps: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Keep of each village (district, village) its gap with most people, in the order of the list."""
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for gap in gaps:
        if len(gap["place"]) == 2:
            kept.setdefault((gap["place"][0], gap["place"][1]), gap)
    return kept


def gap_rows(findings: Findings, result: TargetResult, words: Words) -> list[dict[str, Any]]:
    """Print a circle's gaps, those with most people first."""
    target, page = result.target, words.section("page")
    if target.kind != "circle" or not len(findings.gaps):
        return []
    gaps = findings.gaps[findings.gaps["target"] == target.id]
    rows = []
    for gap in gaps.sort_values("people", ascending=False, kind="stable").to_dict("records"):
        place = [text for unit in ("district", "village") if (text := village_text(_plain(gap[unit])))]
        minutes = pd.to_numeric(gap["minutes"])
        reason = _plain(gap["reason"])
        facts = [] if reason == "beyond" else [words.get("bucket", reason)]
        if np.isfinite(minutes):
            over = minutes_text(max(minutes - target.minutes, 0.0))
            facts.append(page["gap_minutes"].format(minutes=minutes_text(minutes), over=over))
        located = bool(np.isfinite(gap["lon"]) and np.isfinite(gap["lat"]))
        rows.append(
            {
                "place": place or [page["no_place"]],
                "people": page["gap_people"].format(people=people_text(gap["people"])),
                "heads": people_text(gap["people"]),
                "facts": facts,
                "far": minutes_text(minutes) if np.isfinite(minutes) else "",
                "reason": reason,
                "nearest": _plain(gap["nearest"]),
                "venues": [_venue_line(line, findings, words) for line in venue_lines(gap.get("venues"))],
                "at": [float(gap["lat"]), float(gap["lon"])] if located else None,
            }
        )
    return rows


def _venue_line(line: VenueLine, findings: Findings, words: Words) -> dict[str, str]:
    """Print one class of a rule at a gap; its venue's name goes where the text has {name}."""
    page = words.section("page")
    name = service_text(findings.services, line.name, words)
    kind, far = "venue_none", ""
    if line.venue and line.minutes is not None:
        kind, far = "venue_minutes", minutes_text(line.minutes)
    elif line.venue and line.metres is not None:
        kind, far = "venue_metres", f"{line.metres:.0f}"
    text = page[kind].format(kind=name.replace("{name}", ""), count=line.count, far=far, name="{name}")
    return {"text": text, "venue": line.venue}


def _plain(value: object) -> str:
    return "" if value is None or bool(pd.isna(value)) else str(value)


def _services(result: TargetResult, services: list[str]) -> list[int]:
    return [number for number, service in enumerate(services) if service in result.venues]


def resident_classes(findings: Findings, result: TargetResult) -> npt.NDArray[np.str_]:
    """Return each resident's class on the map: (demand,) keys of :data:`CELL_COLOURS`."""
    status = np.array(STATUS_CODES)[status_codes(findings, result)]
    limit_min = float(getattr(result.target, "minutes", np.nan))
    over = findings.seconds[result.target.id].to_numpy(dtype=float) / 60 - limit_min
    low, high = OVER_BREAKS_MIN
    beyond = np.select([over <= low, over <= high], ["beyond_0", "beyond_1"], "beyond_2")
    return np.where(status == "beyond", beyond, np.where(status == "", "uncounted", status))
