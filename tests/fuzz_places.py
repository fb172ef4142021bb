"""Write drafts in the formats of map programs, of databases and of rasters, for the fuzzer to mutate.

KML, KMZ, GPX, answers of Overpass and file geodatabases hold the same drafts as the tables of ``fuzzing``;
a raster and the text of a query of PostGIS are made here. Nothing of the package is imported.
"""

from __future__ import annotations

import json
import math
import warnings
import zipfile
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import rasterio
import shapely

from fuzzing import mutate_document, mutate_xml

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from fuzzing import Draft

PLACE_FORMATS = ("kml", "kmz", "gpx", "json")
"""Formats beside those of ``fuzzing.TABLE_FORMATS`` that the same drafts are written in."""


def _text(value: Any) -> str:
    if value is None:
        return ""
    return "".join(char for char in str(value) if _written(char))


def _written(char: str) -> bool:
    """Return whether XML can hold a character at all."""
    return char in "\t\n\r" or "\x20" <= char < "\ud800" or "\ue000" <= char < "\ufffe" or char > "\uffff"


def _facts(draft: Draft) -> list[tuple[dict[str, Any], Any]]:
    """Pair the cells of every row with its place: its shape, or the point of its lon and lat."""
    shapes = [*(draft.shapes or []), *[None] * len(draft.rows)]
    found = []
    for row, shape in zip(draft.rows, shapes, strict=False):
        facts = dict(zip(draft.names, row, strict=False))
        place = shape
        if draft.shapes is None:
            pair = facts.pop("lon", None), facts.pop("lat", None)
            place = pair if pair != (None, None) else None
        found.append((facts, place))
    return found


def kml_text(draft: Draft, rng: random.Random) -> str:
    """Give a draft as the placemarks of a KML, some in folders, fields as Data or as SimpleData."""
    marks = []
    for facts, place in _facts(draft):
        name = _text(facts.pop("name", None))
        if rng.random() < 0.5:
            fields = "".join(
                f"<Data name={quoteattr(_text(key))}><value>{escape(_text(cell))}</value></Data>"
                for key, cell in facts.items()
            )
        else:
            cells = "".join(
                f"<SimpleData name={quoteattr(_text(key))}>{escape(_text(cell))}</SimpleData>"
                for key, cell in facts.items()
            )
            fields = f'<SchemaData schemaUrl="#s">{cells}</SchemaData>'
        marks.append(
            f"<Placemark><name>{escape(name)}</name><ExtendedData>{fields}</ExtendedData>"
            f"{_kml_shape(place)}</Placemark>"
        )
    if rng.random() < 0.3:
        half = len(marks) // 2
        marks = ["<Folder><name>甲</name>", *marks[:half], "</Folder>", *marks[half:]]
    body = "\n".join(marks)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n'
        f"<Document>\n{body}\n</Document>\n</kml>"
    )


def _kml_shape(place: Any) -> str:
    if place is None:
        return ""
    if isinstance(place, tuple):
        return (
            f"<Point><coordinates>{escape(_text(place[0]))},{escape(_text(place[1]))}</coordinates></Point>"
        )
    parts = "".join(_kml_part(part) for part in shapely.get_parts(place))
    return f"<MultiGeometry>{parts}</MultiGeometry>" if len(shapely.get_parts(place)) > 1 else parts


def _kml_part(part: shapely.Geometry) -> str:
    kind = part.geom_type
    if kind == "Polygon":
        inner = "".join(
            f"<innerBoundaryIs><LinearRing>{_corners(ring)}</LinearRing></innerBoundaryIs>"
            for ring in part.interiors
        )
        outer = f"<outerBoundaryIs><LinearRing>{_corners(part.exterior)}</LinearRing></outerBoundaryIs>"
        return f"<Polygon>{outer}{inner}</Polygon>"
    if kind in {"Point", "LineString"}:
        return f"<{kind}>{_corners(part)}</{kind}>"
    return "".join(_kml_part(one) for one in getattr(part, "geoms", ()) if one is not part)


def _corners(shape: shapely.Geometry) -> str:
    places = " ".join(",".join(map(str, xy)) for xy in shapely.get_coordinates(shape).tolist())
    return f"<coordinates>{places}</coordinates>"


def gpx_text(draft: Draft, rng: random.Random) -> str:
    """Give a draft as waypoints; what a waypoint has no name for goes into its comment."""
    marks = []
    for facts, place in _facts(draft):
        lon, lat = place if isinstance(place, tuple) else _middle(place)
        inside = "".join(
            f"<{tag}>{escape(_text(facts[key]))}</{tag}>"
            for key, tag in (("name", "name"), ("service", "type"), ("id", "sym"), ("hours", "desc"))
            if key in facts
        )
        marks.append(f"<wpt lon={quoteattr(_text(lon))} lat={quoteattr(_text(lat))}>{inside}</wpt>")
    if rng.random() < 0.2:
        marks.append('<trk><trkseg><trkpt lon="120" lat="30"/></trkseg></trk>')
    body = "\n".join(marks)
    return f'<?xml version="1.0"?>\n<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">\n{body}\n</gpx>'


def _middle(place: Any) -> tuple[Any, Any]:
    found = shapely.get_coordinates(place)
    return tuple(found[0].tolist()) if len(found) else ("", "")


def overpass(draft: Draft, _: random.Random) -> dict[str, Any]:
    """Give a draft as an answer of Overpass: nodes, ways with their geometry, relations with members."""
    elements: list[dict[str, Any]] = []
    for number, (facts, place) in enumerate(_facts(draft), start=1):
        tags = {str(key): _text(cell) for key, cell in facts.items() if cell is not None}
        one: dict[str, Any] = {"id": number, "tags": tags}
        if place is None or isinstance(place, tuple):
            lon, lat = place or (None, None)
            one |= {"type": "node", "lon": lon, "lat": lat}
        elif place.geom_type == "Point":
            one |= {"type": "node", "lon": _middle(place)[0], "lat": _middle(place)[1]}
        elif place.geom_type in {"LineString", "Polygon"}:
            one |= {"type": "way", "geometry": _json_corners(place)}
        else:
            members = [
                {"type": "way", "ref": number, "role": "outer", "geometry": _json_corners(part)}
                for part in shapely.get_parts(place)
            ]
            one |= {"type": "relation", "members": members, "center": {"lon": 120.0, "lat": 30.5}}
        elements.append(one)
    return {"version": 0.6, "generator": "Overpass API", "elements": elements}


def _json_corners(shape: shapely.Geometry) -> list[dict[str, float]]:
    return [{"lon": x, "lat": y} for x, y in shapely.get_coordinates(shape).tolist()]


def write_places(draft: Draft, path: Path, rng: random.Random) -> None:
    """Write a draft as KML, KMZ, GPX or an answer of Overpass."""
    kind = path.suffix.lstrip(".")
    if kind == "json":
        answer = overpass(draft, rng)
        if rng.random() < 0.4:
            draft.steps += mutate_document(answer, rng)
        path.write_bytes(json.dumps(answer, default=str).encode("utf-8", "surrogatepass"))
        return
    text = (gpx_text if kind == "gpx" else kml_text)(draft, rng)
    if rng.random() < 0.3:
        text = mutate_xml(text, rng, draft.steps)
    data = text.encode("utf-8", "replace")
    if kind != "kmz":
        path.write_bytes(data)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(rng.choice(["doc.kml", "中文.kml", "files/a.KML"]), data)


# ---------------------------------------------------------------------------------------------------------
# Rasters

_CELLS = np.array([[0, 12, 30, 4], [7, 55, 0, 9], [0, 3, 21, 0]], dtype=float)
_ODD_CELLS = (
    math.nan, math.inf, -math.inf, -1.0, -99.0, -200.0, -99999.0, -3.4e38, 3.4e38, 255.0, 65535.0, 1e9, 1e-30,
)  # fmt: skip


def write_raster(path: Path, place: tuple[float, float], rng: random.Random) -> list[str]:
    """Write a small raster of people around a place, with one to three things wrong; give what is."""
    steps: list[str] = []
    about: dict[str, Any] = {
        "driver": "GTiff", "height": 3, "width": 4, "count": 2, "dtype": "float32", "crs": "EPSG:4326",
        "nodata": None, "transform": rasterio.Affine(0.003, 0, place[0] - 0.003, 0, -0.003, place[1] + 0.004),
    }  # fmt: skip
    bands = np.stack([_CELLS, _CELLS / 4])
    moves = rng.choices(_RASTER_MOVES, k=rng.choice([0, 1, 1, 2, 3]))
    steps += [move(about, bands, rng) for move in moves]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            with rasterio.open(path, "w", **about) as out:
                out.write(bands[: about["count"]].astype(about["dtype"]))
                if rng.random() < 0.5 and about["count"] == 2:
                    out.descriptions = ("population", rng.choice(["over60", "population", "人口"]))
        except Exception as error:  # noqa: BLE001 - what the library refuses to write is written plainly
            steps.append(f"not written so ({type(error).__name__})")
            with rasterio.open(
                path, "w", **{**about, "crs": None, "dtype": "float64", "nodata": None}
            ) as out:
                out.write(bands[: about["count"]])
    return steps


def _odd_cells(_: dict[str, Any], bands: Any, rng: random.Random) -> str:
    value = rng.choice(_ODD_CELLS)
    many = rng.choice([1, 1, 2, 12])
    for at in rng.sample(range(12), many):
        bands[rng.randrange(2)].flat[at] = value
    return f"{many} cells = {value}"


def _other_type(about: dict[str, Any], _: Any, rng: random.Random) -> str:
    about["dtype"] = rng.choice(["uint8", "int16", "uint16", "int32", "float64", "complex64", "int8"])
    return f"cells are {about['dtype']}"


def _other_nodata(about: dict[str, Any], _: Any, rng: random.Random) -> str:
    about["nodata"] = rng.choice([0, -1, 255, 12, -99999, math.nan, math.inf])
    return f"nodata {about['nodata']}"


def _other_crs(about: dict[str, Any], _: Any, rng: random.Random) -> str:
    about["crs"] = rng.choice([None, "EPSG:4549", "EPSG:3857", "EPSG:4978", "EPSG:5773", "EPSG:4490"])
    return f"CRS {about['crs']}"


def _other_transform(about: dict[str, Any], _: Any, rng: random.Random) -> str:
    here = about["transform"]
    about["transform"] = rng.choice(
        [
            rasterio.Affine.identity(),
            rasterio.Affine(0, 0, here.c, 0, 0, here.f),
            rasterio.Affine(here.a, here.a, here.c, here.a, here.a, here.f),
            rasterio.Affine(-here.a, 0, here.c, 0, -here.e, here.f),
            rasterio.Affine(1e-12, 0, here.c, 0, -1e-12, here.f),
            rasterio.Affine(100, 0, 500000, 0, -100, 3380000),
            rasterio.Affine(1e12, 0, 1e15, 0, -1e12, -1e15),
            rasterio.Affine(math.nan, 0, here.c, 0, here.e, here.f),
            rasterio.Affine(here.a, 0, here.f, 0, here.e, here.c),
        ]
    )
    return f"transform {tuple(about['transform'])[:6]}"


def _one_band(about: dict[str, Any], _: Any, _rng: random.Random) -> str:
    about["count"] = 1
    return "one band"


_RASTER_MOVES: tuple[Callable[[dict[str, Any], Any, Any], str], ...] = (
    _odd_cells, _odd_cells, _odd_cells, _other_type, _other_nodata, _other_crs, _other_transform, _one_band,
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------
# Addresses of databases

_ADDRESSES = (
    "postgresql://{server}?table=clinics", "postgresql://{server}?table=health.clinics",
    "postgresql://{server}?query=SELECT * FROM clinics", "postgis://{server}?table=clinics",
    "postgresql+psycopg://me:secret@{server}?query=SELECT 1",
)  # fmt: skip
_ODD_PARTS = (
    "", " ", "'", '"', ";", "; DROP TABLE clinics", "--", "/*", "%00", "%", "%zz", "%E4%B8", "&", "?", "#",
    "=",
    "&table=x", "&query=SELECT 1", "&service=none", "&sslmode=odd", "&port=99999", "&host=/nowhere", ":", "@",
    "//", "..", "a" * 3000, "中文", "\u202e", "$1", ":a", "%(a)s", "{0}", "SELECT", "UPDATE t SET a=1",
)  # fmt: skip


def query_text(rng: random.Random) -> tuple[str, list[str]]:
    """Give the address of a table in a database that answers nobody, with one to three odd parts."""
    text = rng.choice(_ADDRESSES).replace(
        "{server}", rng.choice(["127.0.0.1:9/none", "127.0.0.1:9", "/none"])
    )
    steps, first = [text], text.index("?")
    for _ in range(rng.choice([1, 1, 2, 3])):
        # behind the server: another one would be looked for in the network
        at, part = rng.randrange(first, len(text) + 1), rng.choice(_ODD_PARTS)
        cut = rng.choice([0, 0, 1, 5])
        text = text[:at] + part + text[at + cut :]
        steps.append(f"{part[:30]!r} at {at}")
    return text, steps
