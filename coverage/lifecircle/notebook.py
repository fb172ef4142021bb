"""The plain folium layers of one run, for notebooks; the planners' page is drawn elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
import numpy as np
import shapely

from lifecircle.atlas import OfflineFigure, attribute
from lifecircle.findings import CircleDistrict, value_text
from lifecircle.legend import VENUE_COLOUR
from lifecircle.page_data import (
    CELL_COLOURS,
    HOLDS,
    LACKS,
    NO_RATE_COLOUR,
    RATE_BREAKS,
    RATE_COLOURS,
    UNIT_COLOURS,
    area_classes,
    bounds,
    by_rate,
    lonlat,
    minutes_text,
    one_figure,
    people_text,
    resident_classes,
    unit_marks,
)
from lifecircle.wording import Words, village_text, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.findings import Findings, TargetResult
    from lifecircle.page_data import UnitMarks

MAX_ZOOM = 18
_DECIMALS = 5


def folium_map(findings: Findings, *, target: str | None = None) -> folium.Map:
    """Draw one target of a run as plain folium layers, to look at or to add to in a notebook.

    ``target`` is the first target with travel times unless it is named. The map stands in a figure that
    needs no network, also when it is saved.

    Raises
    ------
    KeyError
        When the run has no such target.
    """
    result = findings.result(target) if target is not None else _first_circle(findings)
    words = Words(findings.language)
    page = words.section("page")
    title = page["title"].format(name=findings.name, year=findings.year)
    figure = OfflineFigure(
        title,
        language="zh-CN" if findings.language == "zh" else "en",
        seed=f"{findings.study} {findings.year} {result.target.id}",
        height="560px",
    )
    made = folium.Map(tiles=None, max_zoom=MAX_ZOOM, prefer_canvas=True, control_scale=True)
    made.options["maxZoom"] = MAX_ZOOM
    figure.add_child(made)
    if len(findings.districts):
        made.add_child(_districts(findings, result, page))
    if result.target.id in findings.seconds:
        made.add_child(_residents(findings, result, page))
    units = unit_marks(findings, result, words)
    made.add_child(_gaps(findings, result, page) if units is None else _units(units, page))
    made.add_child(_facilities(findings, result, page))
    made.add_child(folium.LayerControl(collapsed=False))
    made.fit_bounds(bounds([findings]))
    return made


def _first_circle(findings: Findings) -> TargetResult:
    circles = [result for result in findings.targets if result.target.id in findings.seconds]
    return (circles or list(findings.targets))[0]


def _districts(findings: Findings, result: TargetResult, page: Mapping[str, str]) -> folium.GeoJson:
    """Return the districts by class; where a target has one figure for all, each of them shows that."""
    results = {one.code: one for one in result.districts}
    classes = area_classes(findings, result, Words(findings.language))
    whole = (
        f"{page['legend_whole']} {value_text(result, result.value, findings.language)}"
        if one_figure(result)
        else "—"
    )
    peopled = any(isinstance(one, CircleDistrict) for one in result.districts)
    features = []
    for code, name, shape in zip(
        findings.districts.index, findings.districts["name"], findings.districts.geometry, strict=True
    ):
        one = results.get(str(code))
        value = one.value if one is not None and by_rate(result) else None
        colour = NO_RATE_COLOUR if value is None else RATE_COLOURS[sum(value >= mark for mark in RATE_BREAKS)]
        colour = colour if classes is None else classes.colour(str(code))
        rate = whole if one is None else value_text(result, one.value, findings.language)
        people = people_text(one.count.people) if isinstance(one, CircleDistrict) else "—"
        features.append(
            {
                "type": "Feature",
                # Five decimals are a metre; the full numbers would double the size of the map.
                "geometry": shapely.geometry.mapping(shapely.set_precision(shape, 10**-_DECIMALS)),
                "properties": {
                    "name": attribute(str(name)),
                    "rate": attribute(rate),
                    "people": people,
                    "style": {"fillColor": colour, "fillOpacity": 0.8, "color": "#5d6470", "weight": 1.3},
                },
            }
        )
    aliases = {"name": page["column_name"], "rate": page["column_rate" if peopled else "column_value"]}
    if peopled:
        aliases["people"] = page["column_people"]
    tooltip = folium.GeoJsonTooltip(fields=list(aliases), aliases=list(aliases.values()))
    collection = {"type": "FeatureCollection", "features": features}
    return folium.GeoJson(
        collection, name=page["layer_districts"], style_function=_own_style, tooltip=tooltip
    )


def _own_style(feature: dict[str, Any]) -> dict[str, Any]:
    style: dict[str, Any] = feature["properties"]["style"]
    return style


def _residents(findings: Findings, result: TargetResult, page: Mapping[str, str]) -> folium.GeoJson:
    """Draw the residents as one feature per class, so that tens of thousands stay light."""
    places = np.round(lonlat(findings.demand), _DECIMALS)
    placed = np.isfinite(places).all(axis=1)
    classes = resident_classes(findings, result)
    features = [
        {
            "type": "Feature",
            # Folium writes a JavaScript object for every feature: one for each class keeps the page quick.
            "geometry": {"type": "MultiPoint", "coordinates": places[placed & (classes == name)].tolist()},
            "properties": {
                "style": {
                    "fill": True,
                    "fillColor": colour,
                    "fillOpacity": 1.0,
                    "stroke": name == "unsnapped",
                    "color": "#1b2430",
                    "weight": 1,
                }
            },
        }
        for name, colour in CELL_COLOURS.items()
        if (placed & (classes == name)).any()
    ]
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        name=page["layer_residents"],
        style_function=_own_style,
        marker=folium.CircleMarker(radius=3),
    )


def _gaps(findings: Findings, result: TargetResult, page: Mapping[str, str]) -> folium.FeatureGroup:
    group = folium.FeatureGroup(name=page["layer_gaps"])
    for gap in findings.gaps.to_dict("records"):
        if gap["target"] != result.target.id or not np.isfinite([gap["lon"], gap["lat"]]).all():
            continue
        place = " · ".join(village_text(str(gap[unit])) for unit in ("district", "village") if gap[unit])
        lines = [
            place,
            page["gap_people"].format(people=people_text(gap["people"])),
            word("bucket", str(gap["reason"]), findings.language),
        ]
        if np.isfinite(gap["minutes"]):
            lines.append(page["cell_within"].format(minutes=minutes_text(gap["minutes"])))
        folium.CircleMarker(
            [float(gap["lat"]), float(gap["lon"])],
            radius=6,
            color="#1b2430",
            weight=2,
            fill=False,
            tooltip="<br>".join(attribute(line) for line in lines),
        ).add_to(group)
    return group


def _units(units: UnitMarks, page: Mapping[str, str]) -> folium.FeatureGroup:
    """Mark units: filled where they hold what is asked of each, hollow where they lack it."""
    group = folium.FeatureGroup(name=page["layer_units"])
    names = {HOLDS: "holds", LACKS: "lacks"}
    for mark in sorted(units.marks, key=lambda mark: mark.state != HOLDS):  # hollow ones are drawn last
        if not mark.placed:
            continue
        lines = [mark.name, mark.district, page[f"unit_state_{mark.state}"]]
        lines += [page["unit_lacking"].format(lacks=mark.lacks)] if mark.lacks else []
        lines += [page["gap_people"].format(people=mark.people)] if mark.people else []
        colour = UNIT_COLOURS[names.get(mark.state, "unknown")]
        group.add_child(
            folium.CircleMarker(
                [mark.lat, mark.lon],
                radius=6,
                color="#ffffff" if mark.state == HOLDS else colour,
                weight=1 if mark.state == HOLDS else 3,
                fill_color=colour if mark.state == HOLDS else "#ffffff",
                fill_opacity=1.0,
                tooltip="<br>".join(attribute(line) for line in dict.fromkeys(lines) if line),
            )
        )
    return group


def _facilities(findings: Findings, result: TargetResult, page: Mapping[str, str]) -> folium.FeatureGroup:
    group = folium.FeatureGroup(name=page["layer_facilities"])
    places = lonlat(findings.facilities)
    names = findings.facilities[["name", "service"]].astype(str).itertuples(index=False)
    for (lon, lat), (name, service) in zip(places.tolist(), names, strict=True):
        if service in result.venues and np.isfinite(lon):
            folium.CircleMarker(
                [lat, lon],
                radius=4,
                color="#ffffff",
                weight=1,
                fill_color=VENUE_COLOUR,
                fill_opacity=1.0,
                tooltip=f"{attribute(name)}<br>{attribute(_service(findings, service))}",
            ).add_to(group)
    return group


def _service(findings: Findings, service: str) -> str:
    return str(findings.services.get(service, {}).get(findings.language, service))
