"""Own what of the findings goes into the page, and in what words; computes no rate and counts nobody.

The page holds one entry per year: the residents as packed columns, the facilities, the districts'
outlines and, per target, the printed figures, the rows of the tables and each resident's answer.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.atlas._figures import OUTSIDE, figures
from lifecircle.atlas._packing import Shelf
from lifecircle.atlas._text import goal_text, minutes_text, page_words, people_text
from lifecircle.atlas._villages import district_names, village_rows
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lifecircle.findings import Findings, Language, TargetResult
    from lifecircle.roads import Roads

STATUS_CODES = ("", "covered", "beyond", "disconnected", "unsnapped")
GAPS_SHOWN = 30
RATE_BREAKS = (0.5, 0.7, 0.85, 0.95)
OVER_BREAKS_MIN = (5, 15)
# Told apart without colour by lightness, and in red-green blindness: pale blue, oranges to brown, violet.
CELL_COLOURS = {
    "covered": "#a9cfe3",
    "beyond_0": "#fdae61",
    "beyond_1": "#e0601f",
    "beyond_2": "#8c2d04",
    "disconnected": "#54278f",
    "unsnapped": "#4d4d4d",
    "uncounted": "#dcdcd6",
    "over": "#c2185b",
    "under": "#00695c",
    "newly": "#1b7837",
}
RATE_COLOURS = ("#7d8aa0", "#a2acbc", "#c2c9d4", "#dfe3e9", "#f7f8fa")
NO_RATE_COLOUR = "#ffffff"

_PLACES = 1e5  # positions are kept to 1e-5 degrees, about a metre
_CELL_M = (30.0, 600.0)
_MAX_VERTICES = 20_000
_SIMPLIFIED_DEG = 1e-4
_ROAD_SIMPLIFIED_M = 5.0


def page_data(years: Sequence[Findings], language: Language, roads: Roads | None = None) -> dict[str, Any]:
    """Lay out everything the page's script needs, as one JSON value."""
    shelf = Shelf()
    entries = [_year(findings, language, shelf) for findings in years]
    return {
        "language": language,
        "words": page_words(language),
        "statuses": [word("bucket", code, language) if code else "" for code in STATUS_CODES],
        "cellColours": CELL_COLOURS,
        "overBreaks": list(OVER_BREAKS_MIN),
        "rateBreaks": list(RATE_BREAKS),
        "rateTexts": rate_texts(language),
        "rateColours": list(RATE_COLOURS),
        "noRateColour": NO_RATE_COLOUR,
        "bounds": bounds(years),
        "places": _PLACES,
        "years": entries,
        "roads": None if roads is None else _roads(roads, shelf),
        "columns": shelf.columns,
        "lists": shelf.lists,
    }


def bounds(years: Sequence[Findings]) -> list[list[float]]:
    """Give the south-west and north-east corners (lat, lon) of the districts and the residents."""
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


def rate_texts(language: Language) -> list[str]:
    """Print the classes of the districts' rates, from the lowest."""
    words = page_words(language)
    marks = [goal_text(value) for value in RATE_BREAKS]
    between = [words["rate_between"].format(low=low, high=high) for low, high in itertools.pairwise(marks)]
    return [words["rate_first"].format(high=marks[0]), *between, words["rate_last"].format(low=marks[-1])]


def _year(findings: Findings, language: Language, shelf: Shelf) -> dict[str, Any]:
    services = sorted({str(service) for service in findings.facilities["service"]})
    return {
        "year": findings.year,
        "cells": _cells(findings, language, shelf),
        "facilities": _facilities(findings.facilities, services, shelf),
        "services": [findings.services.get(one, {}).get(language, one) for one in services],
        "serviceIds": services,
        "districts": shelf.listed(_outlines(findings.districts, shelf)),
        "villages": _villages(findings, shelf),
        "targets": [_target(findings, result, language, services, shelf) for result in findings.targets],
    }


# ---------------------------------------------------------------------------------------------------------
# Residents, facilities, districts, roads


def _placed(frame: gpd.GeoDataFrame) -> npt.NDArray[np.bool_]:
    geometry = frame.geometry
    placed: npt.NDArray[np.bool_] = (geometry.notna() & ~geometry.is_empty).to_numpy(dtype=bool)
    return placed


def lonlat(frame: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    """Give the places of a table of points: (row, 2), NaN where a row has none."""
    out = np.full((len(frame), 2), np.nan)
    placed = _placed(frame)
    out[placed] = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy()[placed]))
    return out


def _points(frame: gpd.GeoDataFrame, shelf: Shelf) -> dict[str, int]:
    """Pack places; a row without one repeats the place before it and is marked as not placed."""
    places = pd.DataFrame(lonlat(frame) * _PLACES).round().ffill().fillna(0).to_numpy().astype(np.int64)
    return {
        "count": len(frame),
        "lon": shelf.running(places[:, 0]),
        "lat": shelf.running(places[:, 1]),
        "placed": shelf.runs(_placed(frame).astype(np.int64)),
    }


def _cells(findings: Findings, language: Language, shelf: Shelf) -> dict[str, Any]:
    demand = findings.demand
    district_names = _unit_names(findings.districts) | {OUTSIDE: word("area", "outside", language)}
    village_names = _unit_names(findings.villages)
    return {
        **_points(demand, shelf),
        "size_m": cell_size_m(lonlat(demand)),
        "district": _labels(demand, "district", district_names, shelf),
        "village": _labels(demand, "village", village_names, shelf),
    }


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
    demand: gpd.GeoDataFrame, column: str, names: Mapping[str, str], shelf: Shelf
) -> dict[str, int] | None:
    """Pack a column of unit labels: 0 for none, else one more than the place in the list of names."""
    if column not in demand:
        return None
    codes, labels = pd.factorize(demand[column])
    return {
        "values": shelf.runs(codes.astype(np.int64) + 1),
        "names": shelf.listed([names.get(str(label), str(label)) for label in labels]),
        "codes": shelf.listed([str(label) for label in labels]),
    }


def _facilities(facilities: gpd.GeoDataFrame, services: list[str], shelf: Shelf) -> dict[str, Any]:
    place = {service: number for number, service in enumerate(services)}
    return {
        **_points(facilities, shelf),
        "service": shelf.plain(np.array([place[str(one)] for one in facilities["service"]], dtype=np.int64)),
        "names": shelf.listed([str(name) for name in facilities["name"]]),
    }


def _villages(findings: Findings, shelf: Shelf) -> dict[str, Any]:
    """Pack the villages' centres, with their names and codes and their districts' names."""
    villages = findings.villages
    return {
        **_points(villages, shelf),
        "names": shelf.listed([str(name) for name in villages["name"]] if len(villages) else []),
        "codes": shelf.listed([str(code) for code in villages.index]),
        "districts": shelf.listed(district_names(findings)),
    }


def _outlines(districts: gpd.GeoDataFrame, shelf: Shelf) -> list[dict[str, Any]]:
    """Pack the districts' outlines, simplified together where they are very detailed."""
    shapes = districts.geometry.to_numpy()
    if shapely.get_num_coordinates(shapes).sum() > _MAX_VERTICES:
        shapes = shapely.coverage_simplify(shapes, _SIMPLIFIED_DEG)
    names = districts["name"] if len(districts) else ()
    return [
        {"code": str(code), "name": str(name), **_outline(shape, shelf)}
        for code, name, shape in zip(districts.index, names, shapes, strict=True)
        if shape is not None and not shape.is_empty
    ]


def _outline(shape: shapely.Geometry, shelf: Shelf) -> dict[str, Any]:
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = [[polygon.exterior, *polygon.interiors] for polygon in polygons]
    label = shape.representative_point()
    return {
        "label": [round(label.y, 5), round(label.x, 5)],
        "rings": [[_line(shapely.get_coordinates(ring)[:-1], shelf) for ring in part] for part in rings],
    }


def _line(places: npt.NDArray[np.float64], shelf: Shelf) -> list[int]:
    whole = np.round(places * _PLACES).astype(np.int64)
    return [shelf.running(whole[:, 0]), shelf.running(whole[:, 1])]


def _roads(roads: Roads, shelf: Shelf) -> dict[str, int]:
    """Pack the road lines, simplified for display: places of all lines in one row, and how many each has."""
    lines = shapely.simplify(np.asarray(roads.lines, dtype=object), _ROAD_SIMPLIFIED_M)
    places = gpd.GeoSeries(lines, crs=roads.crs).to_crs("EPSG:4326").to_numpy()
    whole = np.round(shapely.get_coordinates(places) * _PLACES).astype(np.int64)
    return {
        "lon": shelf.running(whole[:, 0]),
        "lat": shelf.running(whole[:, 1]),
        "sizes": shelf.plain(shapely.get_num_coordinates(places)),
    }


# ---------------------------------------------------------------------------------------------------------
# Targets


def _target(
    findings: Findings, result: TargetResult, language: Language, services: list[str], shelf: Shelf
) -> dict[str, Any]:
    target = result.target
    gaps = _gaps(findings, result, language)
    villages = village_rows(findings, result, _largest(gaps), language)
    if villages is not None:
        villages["states"] = shelf.listed(villages["states"])
    return {
        **figures(findings, result, language),
        "gaps": None if target.kind != "circle" else gaps[:GAPS_SHOWN],
        "gapCount": len(gaps),
        "villages": villages,
        "services": _services(result, services),
        "answers": _answers(findings, result, shelf),
    }


def _largest(gaps: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Keep of each village (district, village) its gap with most people, in the order of the list."""
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for gap in gaps:
        if len(gap["place"]) == 2:
            kept.setdefault((gap["place"][0], gap["place"][1]), gap)
    return kept


def _gaps(findings: Findings, result: TargetResult, language: Language) -> list[dict[str, Any]]:
    """Print a circle's gaps, those with most people first."""
    target, words = result.target, page_words(language)
    if target.kind != "circle" or not len(findings.gaps):
        return []
    gaps = findings.gaps[findings.gaps["target"] == target.id]
    rows = []
    for gap in gaps.sort_values("people", ascending=False, kind="stable").to_dict("records"):
        place = [text for unit in ("district", "village") if (text := _plain(gap[unit]))]
        minutes = pd.to_numeric(gap["minutes"])
        reason = _plain(gap["reason"])
        facts = [] if reason == "beyond" else [word("bucket", reason, language)]
        if np.isfinite(minutes):
            over = minutes_text(max(minutes - target.minutes, 0.0))
            facts.append(words["gap_minutes"].format(minutes=minutes_text(minutes), over=over))
        located = bool(np.isfinite(gap["lon"]) and np.isfinite(gap["lat"]))
        rows.append(
            {
                "place": place or [words["no_place"]],
                "people": words["gap_people"].format(people=people_text(gap["people"])),
                "facts": facts,
                "nearest": _plain(gap["nearest"]),
                "reason": reason,
                "at": [float(gap["lat"]), float(gap["lon"])] if located else None,
            }
        )
    return rows


def _plain(value: object) -> str:
    return "" if value is None or bool(pd.isna(value)) else str(value)


def _services(result: TargetResult, services: list[str]) -> list[int]:
    return [number for number, service in enumerate(services) if service in result.venues]


def counted(findings: Findings, result: TargetResult) -> npt.NDArray[np.bool_]:
    """Tell which residents a target is about: (demand,)."""
    mine: npt.NDArray[np.bool_] = (findings.people[result.target.id] > 0).to_numpy(dtype=bool)
    return mine


def status_codes(findings: Findings, result: TargetResult) -> npt.NDArray[np.int64]:
    """Give each resident's place in :data:`STATUS_CODES` for a target, 0 for those it does not count."""
    place = {code: number for number, code in enumerate(STATUS_CODES)}
    column = findings.status[result.target.id]
    codes = column.map(place).fillna(0).to_numpy().astype(np.int64)
    return np.where(counted(findings, result), codes, 0)


def _answers(findings: Findings, result: TargetResult, shelf: Shelf) -> dict[str, int] | None:
    """Pack each resident's people, time, bucket and nearest venue for a target, None without travel times."""
    target = result.target
    if target.id not in findings.seconds:
        return None
    seconds = findings.seconds[target.id].to_numpy(dtype=np.float64)
    tenths = np.ceil((np.nan_to_num(seconds, posinf=0.0) - 1e-6) * 10)
    known = np.isfinite(seconds)
    venue = findings.facilities.index.get_indexer(findings.nearest[target.id])
    people = findings.people[target.id].to_numpy(dtype=np.float64)
    return {
        "people": shelf.plain(np.round(people * 10).astype(np.int64)),
        "tenths": shelf.plain(np.where(known, np.maximum(tenths, 0) + 1, 0).astype(np.int64)),
        "status": shelf.nibbles(status_codes(findings, result)),
        "nearest": shelf.running(venue.astype(np.int64) + 1),
    }
