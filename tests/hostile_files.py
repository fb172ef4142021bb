"""Files made to harm whoever opens them: bombs, references to other files, code, endless tables.

Each is small on disk. What a reader must do with it is beside it: refuse it with a message, or read it with
nothing more than what stands in it. Made here and not kept: no hostile file lies in the repository.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import pickle
import sqlite3
import struct
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import xlsxwriter

LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]>"
)
"""Ten times ten times ... : a billion words in a kilobyte."""

OUTSIDE = "<!DOCTYPE x [<!ENTITY a9 SYSTEM 'file:///etc/passwd'>]>"

OSM = '<osm version="0.6"><node id="1" lat="30" lon="120"/><node id="2" lat="30" lon="120.01"/>'
OSM += (
    '<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="footway"/><tag k="name" v="{}"/></way></osm>'
)


def osm(path, head, value="&a9;"):
    """Write roads whose street is called what an entity says."""
    path.write_text(f'<?xml version="1.0"?>{head}{OSM.format(value)}', "utf-8")
    return path


def graphml(path, head="", value="&a9;"):
    """Write a graph of OSMnx whose street is called what an entity says."""
    keys = "".join(
        f'<key id="{name}" for="{of}" attr.name="{name}" attr.type="string"/>'
        for name, of in (
            ("x", "node"),
            ("y", "node"),
            ("highway", "edge"),
            ("name", "edge"),
            ("crs", "graph"),
        )
    )
    nodes = "".join(
        f'<node id="{n}"><data key="x">{120 + n / 100}</data><data key="y">30</data></node>' for n in (1, 2)
    )
    path.write_text(
        f'<?xml version="1.0"?>{head}<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{keys}'
        f'<graph edgedefault="directed"><data key="crs">epsg:4326</data>{nodes}<edge source="1" target="2">'
        f'<data key="highway">footway</data><data key="name">{value}</data></edge></graph></graphml>',
        "utf-8",
    )
    return path


def kml(path, head, value="&a9;"):
    """Write a placemark that is called what an entity says."""
    mark = f"<Placemark><name>{value}</name><Point><coordinates>120,30</coordinates></Point></Placemark>"
    path.write_text(f'<?xml version="1.0"?>{head}<kml><Document>{mark}</Document></kml>', "utf-8")
    return path


def gpx(path, head, value="&a9;"):
    """Write a waypoint that is called what an entity says."""
    mark = f'<wpt lat="30" lon="120"><name>{value}</name></wpt>'
    path.write_text(f'<?xml version="1.0"?>{head}<gpx version="1.1">{mark}</gpx>', "utf-8")
    return path


def workbook(path, part, change):
    """Write a good workbook, one of whose parts is changed."""
    whole = io.BytesIO()
    book = xlsxwriter.Workbook(whole, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, row in enumerate((["name", "service", "lon", "lat"], ["Library", "library", 120.0, 30.0])):
        sheet.write_row(at, 0, row)
    book.close()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            content = old.read(one)
            new.writestr(one, change(content) if one == part else content)
    return path


def after_head(text):
    """Give a change that puts a text behind the XML declaration, or at the beginning."""

    def change(content):
        end = content.find(b"?>") + 2 if content.startswith(b"<?xml") else 0
        return content[:end] + text.encode() + content[end:]

    return change


def many_shared(count, length):
    """Give a change of the shared texts of a workbook: many long ones."""

    def change(_):
        text = "<si><t>" + "x" * length + "</t></si>"
        start = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        return (start + text * count + "</sst>").encode()

    return change


def long_cell(length):
    """Give a change of a sheet: its first cell holds a text of many signs."""

    def change(content):
        cell = f'<c r="A1" t="inlineStr"><is><t>{"x" * length}</t></is></c>'.encode()
        start = content.index(b'<c r="A1"')
        end = content.index(b"</c>", start) + 4
        return content[:start] + cell + content[end:]

    return change


def lying_zip(path, inside, size):
    """Write an archive whose directory says that a part is small, and whose stream is not."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(inside, b" " * size)
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = raw.index(mark) + at
        raw[place : place + 4] = struct.pack("<I", 100)
    path.write_bytes(bytes(raw))
    return path


def geopackage(path, sql):
    """Write a good GeoPackage, then run statements in it."""
    layer = gpd.GeoDataFrame(
        {"name": ["Library"], "service": ["library"]}, geometry=[shapely.Point(120, 30)], crs="EPSG:4326"
    )
    layer.to_file(path, layer="places", driver="GPKG")
    with closing(sqlite3.connect(path)) as base:
        base.create_function("ST_IsEmpty", 1, lambda _: 0)
        for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            base.create_function(name, 1, lambda _: 120.0)
        base.executescript(sql)
        base.commit()
    return path


ENDLESS_VIEW = """
DROP TRIGGER IF EXISTS trigger_delete_feature_count_places;
CREATE VIEW endless AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)
  SELECT x AS fid, 'Library' AS name, 'library' AS service, (SELECT geom FROM places LIMIT 1) AS geom FROM c;
INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id)
  VALUES ('endless', 'features', 'endless', 4326);
INSERT INTO gpkg_geometry_columns VALUES ('endless', 'geom', 'POINT', 4326, 0, 0);
DELETE FROM gpkg_contents WHERE table_name = 'places';
DELETE FROM gpkg_geometry_columns WHERE table_name = 'places';
"""


def parquet(path, rows=1, metadata=None, field=None):
    """Write a table of places of so many equal rows, with what is given in its metadata."""
    fields = [pa.field("name", pa.string(), metadata=field), pa.field("service", pa.string())]
    fields += [pa.field("lon", pa.float64()), pa.field("lat", pa.float64())]
    schema = pa.schema(fields, metadata=metadata)
    step = min(rows, 1_000_000)
    arrays = [
        pa.array(["Library"] * step),
        pa.array(["library"] * step),
        pa.array(np.full(step, 120.0)),
        pa.array(np.full(step, 30.0)),
    ]
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for _ in range(rows // step):
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return path


class Harm:
    """What a pickle would do when it is loaded: make a file."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        """Say how it would be made again."""
        return (Path.touch, (Path(self.mark),))


def pickled_type(path, mark):
    """Write parquet whose column claims a type of Python that a pickle names."""
    field = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Harm(mark)),
    }
    return parquet(path, field=field, metadata={"pandas": b"{", "geo": b"[1"})


def pickled_arrays(path, mark):
    """Write an array of objects as numpy pickles it."""
    np.save(path, np.array([Harm(mark)], dtype=object), allow_pickle=True)
    return path


def deep_geojson(path, levels=200_000, *, crs=False):
    """Write GeoJSON whose coordinates lie in very many brackets."""
    stated = '"crs": {"type": "name", "properties": {"name": "EPSG:4326"}}, ' if crs else ""
    path.write_text(
        f'{{"type": "FeatureCollection", {stated}"features": [{{"type": "Feature", "properties": {{}}, '
        f'"geometry": {{"type": "Point", "coordinates": {"[" * levels}{"]" * levels}}}}}]}}'
    )
    return path


def huge_cell_geojson(path, signs=10_000_000):
    """Write GeoJSON one of whose names is very long."""
    facts = {"name": "x" * signs, "service": "library"}
    one = {"type": "Feature", "properties": facts, "geometry": {"type": "Point", "coordinates": [120, 30]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [one]}))
    return path


def packed_osm(path, megabytes):
    """Write a compressed .osm that unpacks to very much more."""
    start, end = OSM.format("x").split("</osm>")[0], "</osm>"
    compress = gzip.open if path.suffix == ".gz" else bz2.open
    with compress(path, "wb") as file:
        file.write(start.encode())
        for _ in range(megabytes):
            file.write(b" " * 1_000_000)
        file.write(end.encode())
    return path


def lying_pbf(path, raw_size, *, header=100):
    """Write a .pbf whose first block claims to unpack to very much."""

    def varint(number):
        out = b""
        while True:
            number, low = number >> 7, number & 127
            out += bytes([low | (128 if number else 0)])
            if not number:
                return out

    data = zlib.compress(b"\x00" * 50_000_000)
    blob = b"\x10" + varint(raw_size) + b"\x1a" + varint(len(data)) + data
    head = b"\x0a\x09OSMHeader\x18" + varint(len(blob))
    path.write_bytes(struct.pack(">I", len(head) if header == 100 else header) + head + blob)
    return path
