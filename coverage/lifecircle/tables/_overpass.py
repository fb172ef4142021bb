"""Read an answer of Overpass (``{"elements": [...]}``): OpenStreetMap's objects, their tags as columns."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import shapely

from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BEGINNING = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{[^\[]*"elements"\s*:\s*\[')
"""No list stands before that of the elements."""

_LOOKED_AT: Final = 4096


def is_overpass(path: Path) -> bool:
    """Return whether a JSON file begins as an answer of Overpass does."""
    with path.open("rb") as file:
        return _BEGINNING.match(file.read(_LOOKED_AT)) is not None


def read_overpass(path: Path, name: str) -> gpd.GeoDataFrame:
    """Read the objects that have tags; nodes without any only give ways their shape.

    Returns
    -------
    frame : a row an object: ``id`` as in ``way/123``, a column a tag; geometry in EPSG:4326: points of nodes
        and centres, polygons of closed ways and of relations, None where the answer holds no coordinates

    Raises
    ------
    UnusableInputError
        It is no JSON, or its elements are no list of objects.
    """
    try:
        elements = json.loads(path.read_bytes()).get("elements")
    except (ValueError, AttributeError, RecursionError) as error:
        reason = say("cannot be read as {suffix}: {why}", suffix=".json", why=str(error)[:200])
        remedy = say("download the answer again")
        raise UnusableInputError([Fault(name, "", "", reason, remedy)]) from None
    if not isinstance(elements, list) or not all(isinstance(one, dict) for one in elements):
        reason = say("its elements are no list of objects")
        raise UnusableInputError([Fault(name, "elements", "", reason, say("download the answer again"))])
    nodes = {one.get("id"): (one.get("lon"), one.get("lat")) for one in elements if one.get("type") == "node"}
    tagged = [one for one in elements if isinstance(one.get("tags"), dict) and one["tags"]]
    rows = [
        {
            **{str(key): cell for key, cell in one["tags"].items() if key != "id"},
            "id": f"{one.get('type')}/{one.get('id')}",
        }
        for one in tagged
    ]
    return gpd.GeoDataFrame(rows, geometry=[_shape(one, nodes) for one in tagged], crs="EPSG:4326")


def _shape(one: Mapping[str, Any], nodes: Mapping[Any, tuple[Any, Any]]) -> Any:
    """Return the geometry of an object: its own, else its centre, else None."""
    if one.get("type") == "node":
        return _point((one.get("lon"), one.get("lat")))
    if one.get("type") == "way":
        drawn: list[Any] = [nodes.get(ref) for ref in _list(one.get("nodes"))]
        shape = _way(_corners(one.get("geometry")) or drawn)
    else:
        shape = _relation(_list(one.get("members")))
    centre = one.get("center")
    if shape is None and isinstance(centre, dict):
        return _point((centre.get("lon"), centre.get("lat")))
    return shape


def _way(drawn: list[Any]) -> Any:
    """Return a way as a polygon where it is closed, else as a line; None where a place is missing."""
    corners = [place for place in drawn if place is not None and _number(place[0]) and _number(place[1])]
    if len(corners) < 2 or len(corners) != len(drawn):
        return None
    return (
        shapely.Polygon(corners)
        if corners[0] == corners[-1] and len(corners) > 3
        else shapely.LineString(corners)
    )


def _relation(members: list[Any]) -> Any:
    """Return the area within the outer members of a relation; None where they close no ring."""
    lines = []
    for member in members:
        if isinstance(member, dict) and member.get("type") == "way" and member.get("role") != "inner":
            corners = _corners(member.get("geometry"))
            if len(corners) > 1 and all(_number(x) and _number(y) for x, y in corners):
                lines.append(shapely.LineString(corners))
    rings = list(shapely.polygonize(lines).geoms) if lines else []
    if not rings:
        return None
    return rings[0] if len(rings) == 1 else shapely.MultiPolygon(rings)


def _corners(geometry: Any) -> list[tuple[Any, Any]]:
    return [(place.get("lon"), place.get("lat")) for place in _list(geometry) if isinstance(place, dict)]


def _point(place: tuple[Any, Any]) -> Any:
    return shapely.Point(place) if _number(place[0]) and _number(place[1]) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
