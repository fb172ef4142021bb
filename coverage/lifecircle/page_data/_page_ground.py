"""The ground of the page's map: water, railways, expressways and other barriers, simplified and packed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.roads import BARRIER_KINDS

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.page_data._packed_columns import SectionWriter

    Shapes = npt.NDArray[np.object_]

GROUND_COLOURS = {
    "water": "#dfeaee",
    "shore": "#7fa6b8",
    "way": "#8a8f98",
    "": "#a39c8f",
}
"""Colours of the ground: waters and their shores, railways and expressways, other barriers."""

_PLACES = 1e5  # as the page keeps every position
_TOLERANCES_DEG = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3)  # the first with few enough vertices is taken
_MOST_VERTICES = 12_000
_AROUND = 0.15  # of the study's extent, so that waters do not end at its border
_KINDS = ("", *BARRIER_KINDS)


def keep_ground(
    ground: gpd.GeoDataFrame | None, bounds: list[list[float]], writer: SectionWriter
) -> dict[str, Any] | None:
    """Put the ground in the container, None without any.

    Parameters
    ----------
    ground : shapes in EPSG:4326 with ``kind`` and ``name``
    bounds : south-west and north-east corner (lat, lon) of the study

    Returns
    -------
    ground : ``columns``: ``lon``, ``lat`` of all vertices, one ring or line after the other, ``sizes`` of
        each, ``kind`` of each (its place in ``kinds``), ``area``: 0 a line, 1 the outline of an area, 2 a
        hole in the area before; ``names`` : name and place (lat, lon) of each named water, once
    """
    if ground is None or not len(ground):
        return None
    kind, parts = _parts(ground, bounds)
    rings, area, owner = _rings(_simplified(parts))
    if not len(rings):
        return None
    whole = np.round(shapely.get_coordinates(rings) * _PLACES).astype(np.int64)
    columns = {
        "lon": whole[:, 0],
        "lat": whole[:, 1],
        "sizes": shapely.get_num_coordinates(rings).astype(np.int64),
        "kind": kind[owner],
        "area": area,
    }
    return {
        "kinds": list(_KINDS),
        "colours": GROUND_COLOURS,
        "columns": {name: writer.keep(f"ground/{name}", column) for name, column in columns.items()},
        "names": _names(ground, bounds),
    }


def _parts(ground: gpd.GeoDataFrame, bounds: list[list[float]]) -> tuple[npt.NDArray[np.int64], Shapes]:
    """Cut the shapes to the study and a margin around it: kind (part,) and single shapes (part,)."""
    place = {name: number for number, name in enumerate(_KINDS)}
    kinds = np.array([place.get(str(name), 0) for name in ground["kind"]], dtype=np.int64)
    parts, of = shapely.get_parts(_within(ground, bounds), return_index=True)
    flat, inner = shapely.get_parts(parts, return_index=True)  # a collection may hold multipolygons
    there = ~shapely.is_empty(flat) & (shapely.get_dimensions(flat) > 0)
    return kinds[of][inner][there], flat[there]


def _within(ground: gpd.GeoDataFrame, bounds: list[list[float]]) -> Shapes:
    (south, west), (north, east) = bounds
    dx, dy = (east - west) * _AROUND, (north - south) * _AROUND
    shapes = ground.geometry.make_valid().to_numpy()
    cut: Shapes = shapely.clip_by_rect(shapes, west - dx, south - dy, east + dx, north + dy)
    return cut


def _simplified(parts: Shapes) -> Shapes:
    for tolerance in _TOLERANCES_DEG:
        fewer = shapely.simplify(parts, tolerance, preserve_topology=True)
        if shapely.get_num_coordinates(fewer).sum() <= _MOST_VERTICES:
            break
    return np.asarray(fewer, dtype=object)


def _rings(
    parts: Shapes,
) -> tuple[Shapes, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return lines and rings in the order of the parts, outlines before their holes, and what each is."""
    rings, area, owner = [], [], []
    for number, part in enumerate(parts):
        mine = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        kind = [1, *[2] * (len(mine) - 1)] if part.geom_type == "Polygon" else [0]
        rings += mine
        area += kind
        owner += [number] * len(mine)
    return np.array(rings, dtype=object), np.array(area, dtype=np.int64), np.array(owner, dtype=np.int64)


def _names(ground: gpd.GeoDataFrame, bounds: list[list[float]]) -> list[list[Any]]:
    """Place the name of each water at its largest part within the study."""
    named = ground[(ground["kind"] == "water") & (ground["name"] != "")]
    shapes = _within(named, bounds)
    size = np.where(shapely.get_dimensions(shapes) == 2, 1.0, 0.0) + shapely.length(shapes)
    places: dict[str, list[Any]] = {}
    for place in np.argsort(-size, kind="stable"):
        name, shape = str(named["name"].iloc[place]), shapes[place]
        if name in places or shape.is_empty:
            continue
        at = shape.representative_point()
        places[name] = [name, round(float(at.y), 5), round(float(at.x), 5)]
    return list(places.values())
