"""What a map shows of a target that has no travel times: classes of districts, and units with and without.

A circle colours its residents. Presence, capacity and indicators have none, so a map draws what they are
about: districts by class, and the units (villages, districts, outlets) that hold what is asked of each or
lack it. The page, the maps on paper and the notebook draw the same; nothing is judged here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.counting import village_urban
from lifecircle.findings import CircleResult, PresenceResult, UnitCount, mark_text, value_text
from lifecircle.legend import AREA_COLOURS, STEP_COLOURS
from lifecircle.measures import committees
from lifecircle.page_data._figure_text import people_text, service_text
from lifecircle.standards import threshold
from lifecircle.wording import village_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.findings import Findings, TargetResult, UnitWithout
    from lifecircle.wording import Words

HOLDS, LACKS, UNKNOWN = "1", "0", "-"
"""States of a unit, a letter each."""


_REACHED = frozenset({"met", "on_track"})
_BELOW = frozenset({"missed", "behind"})


@dataclass(frozen=True)
class AreaClasses:
    """Classes of a target's districts: ``rows`` are (colour, text), ``of`` is code of district -> row.

    ``parts`` : the districts add up to the whole, and no goal judges any of them.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    of: Mapping[str, int]
    parts: bool = False
    note: str = ""

    def colour(self, code: str) -> str:
        """Return the colour of a district; one without a value has the last."""
        return self.rows[self.of[code]][0] if code in self.of else AREA_COLOURS["unknown"]


@dataclass(frozen=True)
class UnitMark:
    """One unit on the map, or in the list only where it has no place: ``lon`` and ``lat`` are NaN then.

    ``state`` : :data:`HOLDS`, :data:`LACKS` or :data:`UNKNOWN`; ``lacks`` and ``people`` are printed texts.
    """

    code: str
    name: str
    district: str
    state: str
    lacks: str = ""
    people: str = ""
    lon: float = math.nan
    lat: float = math.nan

    @property
    def placed(self) -> bool:
        """Whether the unit can be drawn."""
        return math.isfinite(self.lon) and math.isfinite(self.lat)


@dataclass(frozen=True)
class UnitMarks:
    """The units of a target: those that can be drawn, and the texts of the legend by state."""

    unit: str
    title: str
    marks: tuple[UnitMark, ...]
    legend: tuple[tuple[str, str], ...]
    note: str = ""

    @property
    def without(self) -> tuple[UnitMark, ...]:
        """The units that lack what is asked, in the order of the list."""
        return tuple(mark for mark in self.marks if mark.state == LACKS)


def by_rate(result: TargetResult) -> bool:
    """Return whether a target's districts have shares of people or units, which the rate's classes colour."""
    return isinstance(result, CircleResult | PresenceResult) or _units(result) is not None


def one_figure(result: TargetResult) -> bool:
    """Return whether a target has a figure for the whole study and none for any district."""
    return result.value is not None and all(one.value is None for one in result.districts)


def area_classes(findings: Findings, result: TargetResult, words: Words) -> AreaClasses | None:
    """Class a target's districts by their verdicts, or by their values where no goal judges them.

    Returns
    -------
    classes : None where the rate's classes colour the districts, or none has a value
    """
    values = {one.code: one.value for one in result.districts if one.value is not None}
    if by_rate(result) or not values:
        return None
    page = words.section("page")
    turn = threshold(result.target, findings.year)
    parts = _add_up(result, list(values.values()))
    judged = any(one.status != "reported" for one in result.districts if one.value is not None)
    if turn is None or parts or not judged:
        return _stepped(result, values, words, parts=parts and turn is not None)
    before_due = result.target.due is not None and findings.year < result.target.due
    goal = page["milestone" if before_due and result.milestone is not None else "goal"]
    facts = {"goal": goal, "mark": mark_text(result, turn, words.language)}
    signs = ("≤", ">") if result.falls else ("≥", "<")
    rows = (
        (AREA_COLOURS["reached"], page["area_reached"].format(sign=signs[0], **facts)),
        (AREA_COLOURS["below"], page["area_below"].format(sign=signs[1], **facts)),
        (AREA_COLOURS["unknown"], page["area_unknown"]),
    )
    of = {
        one.code: 0 if one.status in _REACHED else 1 if one.status in _BELOW else 2
        for one in result.districts
    }
    return AreaClasses(page["legend_values"], rows, of)


def _add_up(result: TargetResult, values: list[float]) -> bool:
    """Return whether districts are parts of a sum, as numbers of schools are: its goal judges none."""
    if result.is_share or result.value is None or len(values) < 2:
        return False
    return math.isclose(sum(values), result.value, rel_tol=1e-9)


def _stepped(result: TargetResult, values: Mapping[str, float], words: Words, *, parts: bool) -> AreaClasses:
    """Class districts by their values: each value a class where they are few, else five equal steps."""
    page = words.section("page")
    distinct = sorted(set(values.values()))
    most = len(STEP_COLOURS)
    if len(distinct) <= most:
        texts = [value_text(result, value, words.language) for value in distinct]
        of = {code: distinct.index(value) for code, value in values.items()}
    else:
        edges = np.linspace(distinct[0], distinct[-1], most + 1)
        printed = [value_text(result, float(edge), words.language) for edge in edges]
        texts = [f"{low}–{high}" for low, high in pairwise(printed)]
        of = {code: int(np.searchsorted(edges[1:-1], value, "right")) for code, value in values.items()}
    # Two classes are no extremes: the colours of the middle of the scale differ enough.
    ends = {1: (2, 2), 2: (1, 3)}.get(len(texts), (0, most - 1))
    places = np.linspace(*ends, len(texts)).round().astype(int)
    rows = [(STEP_COLOURS[place], text) for place, text in zip(places, texts, strict=True)]
    if len(values) < len(result.districts):
        rows.append((AREA_COLOURS["unknown"], page["area_unknown"]))
    note = page["area_parts"] if parts else ""
    return AreaClasses(page["legend_values"], tuple(rows), of, parts, note)


# ---------------------------------------------------------------------------------------------------------
# Units with and without


def _units(result: TargetResult) -> UnitCount | None:
    units = getattr(result, "units", None)
    return units if isinstance(units, UnitCount) else None


def unit_marks(findings: Findings, result: TargetResult, words: Words) -> UnitMarks | None:
    """Return the units of a target as they stand on the map; None where it asks nothing of any unit.

    Where a target's findings do not name every unit, as with outlets, only those without are drawn. Units
    that a mask took off the map are left out.
    """
    units = _units(result)
    if units is None:
        return None
    page = words.section("page")
    layer = _layer(findings, units.unit)
    lacking = {one.code: one for one in units.without}
    if layer is None:
        gaps = _gap_rows(findings, result)
        marks = [_lone(findings, one, gaps[one.code], words) for one in units.without if one.code in gaps]
    else:
        marks = _of_layer(findings, result, layer, _drawn(result, units, layer, findings), words)
    every = layer is not None and len(marks) > len(lacking) + len(units.unknown_codes)
    note = "" if every or not units.holding or units.unit == "county" else page["unit_only_without"]
    counts = {HOLDS: units.holding, LACKS: len(lacking), UNKNOWN: units.unknown}
    texts = {HOLDS: "unit_holds", LACKS: "unit_lacks", UNKNOWN: "unit_unknown"}
    legend = tuple(
        (state, page[texts[state]].format(count=f"{count:,}"))
        for state, count in counts.items()
        if count and units.unit != "county" and (every or state != HOLDS)
    )
    return UnitMarks(units.unit, page[f"unit_{units.unit}"], tuple(marks), legend, note)


def _layer(findings: Findings, unit: str) -> gpd.GeoDataFrame | None:
    layer = {"village": findings.villages, "district": findings.districts}.get(unit)
    return layer if layer is not None and len(layer) else None


def _drawn(
    result: TargetResult, units: UnitCount, layer: gpd.GeoDataFrame, findings: Findings
) -> dict[str, str]:
    """Return the state of every unit of a layer, where it is known: code -> state, in the layer's order."""
    codes = layer.index.astype(str)
    counted = np.ones(len(layer), dtype=bool)
    area, committee = (getattr(result.target, name, "all") for name in ("area", "committee"))
    if area != "all" and "urban" in layer:
        urban = (
            village_urban(layer, findings.districts if len(findings.districts) else None)
            if units.unit == "village"
            else layer["urban"].astype("boolean")
        )
        wanted = urban if area == "urban" else ~urban
        counted &= wanted.fillna(value=False).to_numpy(dtype=bool)
    if committee != "all":
        counted &= committees(codes, layer["name"].astype(str)).to_numpy(dtype=object) == committee
    states = {one.code: LACKS for one in units.without} | dict.fromkeys(units.unknown_codes, UNKNOWN)
    # A unit that is neither without nor unknown holds, but only where all the unknown are named and the
    # units are those that were counted.
    sure = units.unknown == len(units.unknown_codes) and int(counted.sum()) <= units.total
    return {
        code: states.get(code, HOLDS)
        for code, mine in zip(codes, counted, strict=True)
        if code in states or (mine and sure)
    }


def _of_layer(
    findings: Findings,
    result: TargetResult,
    layer: gpd.GeoDataFrame,
    states: Mapping[str, str],
    words: Words,
) -> list[UnitMark]:
    own = layer[layer.index.astype(str).isin(list(states))]
    places = _inner_points(own)
    home = own["district"].astype(str) if "district" in own else [""] * len(own)
    town = _names(findings.districts)
    units = _units(result)
    lacking = {} if units is None else {one.code: one for one in units.without}
    gaps = _gap_rows(findings, result)
    unit = "" if units is None else units.unit
    lived_in = set(findings.demand[unit].astype(str)) if unit in findings.demand else None
    marks = []
    for code, name, district, (lon, lat) in zip(
        own.index.astype(str), own["name"].astype(str), home, places.tolist(), strict=True
    ):
        lacks = _lacks(findings, lacking[code], words) if code in lacking else ""
        # Where the residents name their unit, a unit without any has no number; a number kept back is a star.
        counted = code in gaps and (lived_in is None or code in lived_in)
        people = people_text(gaps[code]["people"]) if counted else ""
        marks.append(
            UnitMark(
                code,
                village_text(name),
                town.get(district, ""),
                states[code],
                lacks,
                people,
                lon=lon,
                lat=lat,
            )
        )
    return marks


def _lone(findings: Findings, one: UnitWithout, gap: Mapping[str, Any], words: Words) -> UnitMark:
    """Return a unit that stands in no layer of the findings, at the place of its gap."""
    town = _names(findings.districts).get(str(gap["district"]), "")
    lon, lat = float(gap["lon"]), float(gap["lat"])
    return UnitMark(
        one.code, village_text(one.name), town, LACKS, _lacks(findings, one, words), lon=lon, lat=lat
    )


def _gap_rows(findings: Findings, result: TargetResult) -> dict[str, dict[str, Any]]:
    """Return the gaps of a presence target by the code of the unit that each is."""
    units, gaps = _units(result), findings.gaps
    if units is None or not len(gaps):
        return {}
    codes = {f"{result.target.id}-{number:04d}": one.code for number, one in enumerate(units.without, 1)}
    own = gaps[(gaps["target"] == result.target.id) & gaps["id"].isin(list(codes))]
    return {codes[str(row["id"])]: row for row in own.to_dict("records")}


def _lacks(findings: Findings, one: UnitWithout, words: Words) -> str:
    """Print what a unit lacks: services, classes or items."""
    names = [name for lacked in one.lacks for name in lacked.split("|") if name]
    texts = [service_text(findings.services, name, words) for name in names]
    return words.get("page", "rule_and").join(texts)


def _names(layer: gpd.GeoDataFrame) -> dict[str, str]:
    return {str(code): str(name) for code, name in layer["name"].items()} if len(layer) else {}


def _inner_points(layer: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    """Return a place within each unit, (unit, 2) in degrees, NaN where it has none."""
    shapes = layer.geometry.to_numpy()
    places = np.full((len(layer), 2), np.nan)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    places[there] = shapely.get_coordinates(shapely.point_on_surface(shapes[there]))
    return places
