"""Read places drawn in a map program: KML, KMZ and the waypoints of GPX; not what the columns mean.

GDAL reads these formats too, but writes underscores for Chinese names of fields (LIBKML of GDAL 3.12), so
that 容纳人数 is lost. The XML is plain: it is read with Python's own parser, without document types, and a
KMZ is unpacked only up to a size that can be read.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import geopandas as gpd
import shapely

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.tables._guard import check_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KML_MB: Final = 200
"""Megabytes that a KML may have, unpacked; a hundred thousand points with ten fields take about 100."""

_CHINESE_DECLARED = re.compile(
    rb'^<\?xml[^>]*encoding\s*=\s*["\'](gb2312|gbk|gb18030)["\'][^>]*\?>', re.IGNORECASE
)
_BLANK = re.compile(r"\s+")


def read_kml(path: Path, name: str) -> gpd.GeoDataFrame:
    """Read the placemarks of a KML or KMZ file.

    Returns
    -------
    frame : a row a placemark: ``name``, ``description``, ``folder`` (the names of the folders it lies in) and
        its fields of ExtendedData; geometry in EPSG:4326, None where it has none

    Raises
    ------
    UnusableInputError
        It is no XML, holds a document type, is too large, or a KMZ without a KML.
    """
    raw = _unpacked(path, name) if path.suffix.lower() == ".kmz" else path.read_bytes()
    root = _parsed(raw, name)
    rows, shapes = [], []
    for mark, folders in _placemarks(root, ()):
        row: dict[str, Any] = {
            "name": _text(mark, "name"),
            "description": _text(mark, "description"),
            "folder": " / ".join(folders) or None,
        }
        rows.append({**row, **{key: cell for key, cell in _fields(mark) if key not in row or not row[key]}})
        shapes.append(_shape(mark))
    return gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326")


def read_gpx(path: Path, name: str) -> tuple[gpd.GeoDataFrame, int]:
    """Read the waypoints of a GPX file.

    Returns
    -------
    frame : a row a waypoint: its name, type, comment and the like; points in EPSG:4326
    lines : tracks and routes of the file, which are no places

    Raises
    ------
    UnusableInputError
        It is no XML, holds a document type or is too large.
    """
    root = _parsed(path.read_bytes(), name)
    rows, shapes = [], []
    for mark in root:
        if _tag(mark) == "wpt":
            rows.append({_tag(child): _clean(child.text) for child in mark if not len(child)})
            shapes.append(_point([mark.get("lon", ""), mark.get("lat", "")]))
    lines = sum(_tag(child) in {"trk", "rte"} for child in root)
    return gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326"), lines


def _unpacked(path: Path, name: str) -> bytes:
    """Return the KML in a KMZ: the first in its directory, as the format says.

    Raises
    ------
    UnusableInputError
        It holds none, or more than :data:`KML_MB`.
    """
    with zipfile.ZipFile(path) as book:
        inside = [part for part in book.infolist() if part.filename.lower().endswith(".kml")]
        if not inside:
            reason, remedy = say("holds no .kml"), say("export the places again as KML")
            raise UnusableInputError([Fault(name, "", "", reason, remedy)])
        check_unpacked(inside[0].file_size / 1e6, KML_MB, name)
        # No more than the directory of the file says is unpacked, whatever the stream holds.
        with book.open(inside[0]) as file:
            return file.read(inside[0].file_size + 1)


def _parsed(raw: bytes, name: str) -> ET.Element:
    """Return the root of an XML text, without entities of its own.

    Raises
    ------
    UnusableInputError
        It is too large, holds a document type or is no XML.
    """
    check_unpacked(len(raw) / 1e6, KML_MB, name)
    declared = _CHINESE_DECLARED.match(raw.removeprefix(b"\xef\xbb\xbf").lstrip())
    content: str | bytes = raw
    if declared is not None:  # the parser knows no encoding of several bytes but Unicode
        content = raw.lstrip()[declared.end() :].decode("gb18030", errors="replace")
    # Entities are declared in a document type; none of these formats has one.
    head = content if isinstance(content, str) else raw.replace(b"\x00", b"").decode("latin-1")
    if "<!DOCTYPE" in head or "<!ENTITY" in head:
        reason = say("holds a document type, which no file of this kind has")
        raise UnusableInputError([Fault(name, "", "", reason, say("export the places again as KML"))])
    try:
        return ET.fromstring(content)  # noqa: S314 - without a document type there is no entity to expand
    except ET.ParseError as error:
        line, _ = error.position
        reason = say("cannot be read as {suffix}: {why}", suffix="XML", why=str(error))
        remedy = say("open the file in the program it came from and save it again")
        raise UnusableInputError([Fault(name, say("line {line}", line=line), "", reason, remedy)]) from None


def _placemarks(node: ET.Element, folders: tuple[str, ...]) -> Iterator[tuple[ET.Element, tuple[str, ...]]]:
    """Yield every placemark with the folders it lies in, without recursion into deep files."""
    waiting = [(node, folders)]
    while waiting:
        one, inside = waiting.pop()
        if _tag(one) == "Placemark":
            yield one, inside
            continue
        name = _text(one, "name") if _tag(one) == "Folder" else None
        deeper = (*inside, name) if name else inside
        waiting += [(child, deeper) for child in reversed(one)]


def _fields(mark: ET.Element) -> Iterator[tuple[str, str | None]]:
    """Yield the fields of a placemark: ``Data`` with its value, and ``SimpleData`` of a schema."""
    for node in mark.iter():
        key = (node.get("name") or "").strip()
        if key and _tag(node) == "Data":
            yield key, _text(node, "value")
        elif key and _tag(node) == "SimpleData":
            yield key, _clean(node.text)


def _shape(mark: ET.Element) -> Any:
    """Return the geometry of a placemark: a point, line or polygon, or several of one kind together."""
    parts = []
    for node in mark.iter():
        kind = _tag(node)
        if kind == "Point":
            parts.append(_point(next(iter(_coordinates(node)), [])))
        elif kind == "LineString":
            parts.append(_line(_coordinates(node)))
        elif kind == "Polygon":
            parts.append(_polygon(node))
    parts = [part for part in parts if part is not None]
    if len(parts) < 2:
        return parts[0] if parts else None
    kinds = {part.geom_type for part in parts}
    if kinds == {"Polygon"}:
        return shapely.MultiPolygon(parts)
    # A label beside an area is often a point of its own: the area is what is meant.
    areas = [part for part in parts if part.geom_type == "Polygon"]
    if areas:
        return areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)
    return shapely.MultiPoint(parts) if kinds == {"Point"} else shapely.GeometryCollection(parts)


def _polygon(node: ET.Element) -> Any:
    rings: dict[str, list[list[list[float]]]] = {"outerBoundaryIs": [], "innerBoundaryIs": []}
    for side in node:
        if _tag(side) in rings:
            rings[_tag(side)] += [corners for corners in [_numbers(_coordinates(side))] if len(corners) > 3]
    outer = rings["outerBoundaryIs"]
    return shapely.Polygon(outer[0], rings["innerBoundaryIs"]) if outer else None


def _line(places: list[list[str]]) -> Any:
    corners = _numbers(places)
    return shapely.LineString(corners) if len(corners) > 1 else None


def _point(place: list[str]) -> Any:
    corners = _numbers([place])
    return shapely.Point(corners[0]) if corners else None


def _coordinates(node: ET.Element) -> list[list[str]]:
    """Return the coordinates below a node: ``lon,lat[,height]``, blanks between places."""
    texts = [one.text or "" for one in node.iter() if _tag(one) == "coordinates"]
    # Some programs write a blank behind each comma, which the format does not allow.
    return [place.split(",") for text in texts for place in re.sub(r",\s+", ",", text).split()]


def _numbers(places: list[list[str]]) -> list[list[float]]:
    """Return lon and lat of places as numbers, without those that are none."""
    found = []
    for place in places:
        try:
            found.append([float(place[0]), float(place[1])])
        except (ValueError, IndexError):
            continue
    return found


def _tag(node: ET.Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _text(node: ET.Element, name: str) -> str | None:
    """Return the text of a child of this name, None where there is none."""
    return next((_clean(child.text) for child in node if _tag(child) == name), None)


def _clean(text: str | None) -> str | None:
    return _BLANK.sub(" ", text or "").strip() or None
