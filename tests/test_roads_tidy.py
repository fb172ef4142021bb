"""OSM files edited by hand, and those that are broken."""

import gzip

import numpy as np
import osmium
import pytest
import shapely
from osmium.osm import mutable

from lifecircle.errors import UnusableInputError
from lifecircle.roads import read_barriers, read_roads

NODES = [
    '<node id="1" lat="36.1302929" lon="117.0000000"/>',
    '<node id="2" lat="36.1302928" lon="117.0055546"/>',
    '<node id="3" lat="36.1302924" lon="117.0111092"/>',
]
WAYS = [
    '<way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>',
    '<way id="11"><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way>',
]


def read(tmp_path, *things, name="roads.osm"):
    path = tmp_path / name
    text = "\n".join(['<?xml version="1.0"?>', '<osm version="0.6">', *things, "</osm>"])
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return read_roads(path)


@pytest.mark.parametrize(
    "things",
    [
        [*NODES, *WAYS],
        [*WAYS, *NODES],
        [*NODES[:2], *WAYS, NODES[2]],
        [each.replace('"3"', '"-3"') for each in [*NODES, *WAYS]],
        [each.replace('"11"', '"-11"').replace('"3"', '"-3"') for each in [*NODES[::-1], *WAYS]],
        [*NODES, *WAYS, WAYS[0]],
        [*NODES, *WAYS, '<node id="9" version="0" timestamp="never" uid="-1" lat="1" lon="1"/>'],
    ],
)
@pytest.mark.parametrize("name", ["roads.osm", "roads.osm.gz"])
def test_hand_edited_files_are_read_whole(tmp_path, things, name):
    """Case 14: ways first, nodes last, new objects with negative numbers."""
    roads = read(tmp_path, *things, name=name)
    assert (len(roads.u), roads.components.max()) == (2, 0)
    assert roads.length_m.sum() == pytest.approx(1000, rel=2e-3)
    assert (roads.reading.rows, roads.reading.used, roads.reading.notes) == (2, 2, ())


@pytest.mark.parametrize("mark", ['action="delete"', 'visible="false"'])
def test_deleted_things_are_left_out_and_counted(tmp_path, mark):
    roads = read(tmp_path, *NODES, WAYS[0], WAYS[1].replace("<way", f"<way {mark}"))
    assert (len(roads.u), roads.reading.notes) == (1, ("osm_deleted:1",))
    cut = read(tmp_path, *NODES[:2], NODES[2].replace("<node", f"<node {mark}"), *WAYS)
    assert (len(cut.u), cut.reading.notes) == (1, ("nodes_missing:1", "osm_deleted:1"))


def test_a_pbf_out_of_order_is_read_whole(tmp_path):
    path = tmp_path / "roads.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        writer.add_way(mutable.Way(id=-1, nodes=[1, -2], tags={"highway": "path"}))
        writer.add_node(mutable.Node(id=-2, location=(117.01, 36.0)))
        writer.add_node(mutable.Node(id=1, location=(117.0, 36.0)))
    roads = read_roads(path)
    assert roads.length_m == pytest.approx([901], abs=2)


def test_barriers_of_an_edited_file_are_read(tmp_path):
    ring = '<way id="-20"><nd ref="1"/><nd ref="2"/><nd ref="-4"/><nd ref="1"/>%s</way>'
    lake = '<relation id="-30"><member type="way" ref="-20" role="outer"/>%s</relation>'
    corner = '<node id="-4" lat="36.14" lon="117.0"/>'
    kind = '<tag k="type" v="multipolygon"/><tag k="natural" v="water"/>'
    gone = WAYS[0].replace('<way id="10"', '<way id="12" action="delete"').replace("highway", "railway")
    things = [ring % "", lake % kind, gone.replace("residential", "rail"), corner, *NODES, *WAYS]
    read(tmp_path, *things)
    (water,) = read_barriers(tmp_path / "roads.osm", crs="EPSG:32650")
    assert water.geom_type in {"Polygon", "MultiPolygon"}
    assert shapely.area(water) == pytest.approx(500 * 1077 / 2, rel=0.01)
    with pytest.raises(UnusableInputError, match=r"an OSM file is always in WGS84 \(found: gcj02\)"):
        read_barriers(tmp_path / "roads.osm", crs="EPSG:32650", datum="gcj02")


@pytest.mark.parametrize(
    ("node", "match"),
    [
        (
            '<node id="1" version="99999999999" lat="36" lon="117"/>',
            r"line 3, attribute 'version': .*99999999999",
        ),
        ('<node id="1" lat="nan" lon="117"/>', r"line 3, attribute 'lat': lat is a number from -90 to 90"),
        ('<node id="1" lat="36" lon="181"/>', r"line 3, attribute 'lon': lon is a number from -180 to 180"),
        ('<node id="1" lat="36"/>', r"line 3, attribute 'lon'"),
        ('<node id="1" lat="36,5" lon="117"/>', r"line 3, attribute 'lat': .*\(found: 36,5\)"),
        ('<node id="x1" lat="36" lon="117"/>', r"line 3, attribute 'id': id is a whole number \(found: x1\)"),
        ('<node lat="36" lon="117"/>', r"line 3, attribute 'id'"),
        ('<way id="9"><nd ref="1e3"/></way>', r"line 3, attribute 'ref'"),
        ("<node", "this is not a readable OSM file"),
    ],
)
def test_broken_attributes_are_named_with_their_line(tmp_path, node, match):
    """Hostile cases 01 and 03."""
    with pytest.raises(UnusableInputError, match=match) as error:
        read(tmp_path, node, *NODES[1:], *WAYS)
    assert "\n" not in str(error.value)
    with pytest.raises(UnusableInputError, match=match):
        read_barriers(tmp_path / "roads.osm", crs="EPSG:32650")


def test_all_broken_attributes_are_named_at_once(tmp_path):
    with pytest.raises(UnusableInputError) as error:
        read(tmp_path, *(f'<node id="{i}" lat="no\nway" lon="999"/>' for i in range(3)))
    assert len(error.value.faults) == 6
    assert all("\n" not in str(fault) for fault in error.value.faults)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("<osmChange><create/></osmChange>", "this is no OSM file: it begins with <osmChange>"),
        ('<!DOCTYPE osm [<!ENTITY a "aa">]><osm>&a;</osm>', "the file defines XML entities"),
        ("", "this is not a readable OSM file"),
    ],
)
def test_files_that_are_something_else(tmp_path, text, match):
    path = tmp_path / "a.osm"
    path.write_text(text)
    with pytest.raises(UnusableInputError, match=match):
        read_roads(path)
    (tmp_path / "b.osm.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    with pytest.raises(UnusableInputError, match="not a readable OSM file"):
        read_roads(tmp_path / "b.osm.gz")


def test_settings_of_tables_are_refused_for_osm_files(tmp_path):
    read(tmp_path, *NODES, *WAYS)
    with pytest.raises(UnusableInputError, match=r"roads.layer: only tables of lines.*\n.*roads.datum"):
        read_roads(tmp_path / "roads.osm", layer="edges", datum="gcj02")
    assert np.isfinite(read_roads(tmp_path / "roads.osm", datum="wgs84").length_m).all()
