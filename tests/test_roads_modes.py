"""One map read for every mode: who may use which way, in which direction, and how far one gets."""

import random

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pandas as pd
import pyproj
import pytest
import shapely

import lifecircle as lc
from lifecircle.roads import profile, read_roads, roads_from_graph

LON, LAT, STEP = 120.95, 30.53, 0.001
CRS = "EPSG:4549"

TAGS = [
    ({"highway": "residential"}, "both"),
    ({"highway": "cycleway"}, "both"),
    ({"highway": "cycleway", "oneway": "yes"}, "ahead"),
    ({"highway": "residential", "oneway": "yes"}, "ahead"),
    ({"highway": "residential", "oneway": "-1"}, "back"),
    ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}, "both"),
    ({"highway": "residential", "oneway": "yes", "cycleway": "opposite"}, "both"),
    ({"highway": "secondary", "oneway": "yes", "cycleway:left:oneway": "-1"}, "both"),
    ({"highway": "footway"}, "none"),
    ({"highway": "footway", "bicycle": "designated"}, "both"),
    ({"highway": "pedestrian"}, "none"),
    ({"highway": "residential", "bicycle": "dismount"}, "none"),
    ({"highway": "steps"}, "none"),
    ({"highway": "motorway"}, "none"),
    ({"highway": "trunk", "motorroad": "yes"}, "none"),
]
"""Tags of a way, and how a bicycle may use it as it is drawn; written down by hand."""


def place(east, north):
    return LON + east * STEP, LAT + north * STEP


def town(path, ways):
    """Write ways [(nodes [(east, north)], tags)] as an OSM file; a node is named by its place."""
    number = {spot: 1 + i for i, spot in enumerate(sorted({spot for spots, _ in ways for spot in spots}))}
    nodes = [
        "<node id='{}' version='1' lon='{}' lat='{}'/>".format(name, *place(*spot))
        for spot, name in number.items()
    ]
    lines = []
    for at, (spots, tags) in enumerate(ways, start=1):
        inside = "".join(f"<nd ref='{number[spot]}'/>" for spot in spots)
        inside += "".join(f"<tag k='{key}' v='{value}'/>" for key, value in tags.items())
        lines.append(f"<way id='{at}' version='1'>{inside}</way>")
    text = "".join(["<osm version='0.6'>", *nodes, *lines, "</osm>"])
    path.write_text(f"<?xml version='1.0' encoding='UTF-8'?>{text}", "utf-8")
    return path


def points(*spots):
    places = [shapely.Point(place(*spot)) for spot in spots]
    frame = gpd.GeoDataFrame({"population": [1] * len(spots)}, geometry=places, crs="EPSG:4326")
    return frame.to_crs(CRS)


def seconds(roads, start, end, limit_min=60):
    """Seconds from one place to another over the roads, NaN where there is no way."""
    near = lc.nearest(roads, points(start), points(end), limit_min=limit_min)
    return float(near["seconds"].iloc[0])


def test_one_file_holds_another_network_for_every_mode(tmp_path):
    streets = ["residential", "footway", "steps", "cycleway", "motorway", "pedestrian", "service"]
    ways = [([(0, at), (1, at)], {"highway": name}) for at, name in enumerate(streets)]
    ways.append(([(0, 0), (0, 6)], {"highway": "residential", "bicycle": "dismount"}))
    path = town(tmp_path / "town.osm", ways)
    read = {mode: read_roads(path, mode=mode, crs=CRS) for mode in ("walk", "cycle", "ebike", "drive")}
    named = {mode: sorted(roads.highway.tolist()) for mode, roads in read.items()}
    assert named["walk"] == sorted(["residential", *set(streets) - {"motorway"}])
    assert named["cycle"] == named["ebike"] == ["cycleway", "residential", "service"]
    assert named["drive"] == ["motorway", "residential", "residential", "service"]
    assert dict(read["cycle"].reading.left_out) == {"not_for_mode": 5}


@pytest.mark.parametrize(("tags", "use"), TAGS)
def test_a_way_is_open_as_written_down_by_hand(tmp_path, tags, use):
    path = town(tmp_path / "town.osm", [([(0, 0), (3, 0)], tags), ([(0, 0), (0, 1)], {"highway": "path"})])
    roads = read_roads(path, mode="cycle", crs=CRS)
    (edge,) = np.flatnonzero(roads.highway == tags["highway"]).tolist() or [-1]
    if use == "none":
        assert edge == -1
        return
    east = roads.xy[roads.v[edge], 0] > roads.xy[roads.u[edge], 0]
    ahead, back = roads.forward_s[edge], roads.backward_s[edge]
    ahead, back = (ahead, back) if east else (back, ahead)
    assert [np.isfinite(ahead), np.isfinite(back)] == [use != "back", use != "ahead"]
    ride = roads.length_m[edge] / (12 / 3.6)
    assert min(ahead, back) == pytest.approx(ride, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_times_of_riders_are_those_of_networkx(tmp_path, seed):
    rng = random.Random(seed)
    size = 6
    ways, graph = [], nx.DiGraph()
    move = pyproj.Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    spots = [(east, north) for east in range(size) for north in range(size)]
    for east, north in spots:
        for end in ((east + 1, north), (east, north + 1)):
            if max(end) >= size:
                continue
            tags, use = rng.choice(TAGS)
            ways.append(([(east, north), end], tags))
            line = shapely.LineString([move.transform(*place(*spot)) for spot in ((east, north), end)])
            if use in {"both", "ahead"}:
                graph.add_edge((east, north), end, weight=line.length)
            if use in {"both", "back"}:
                graph.add_edge(end, (east, north), weight=line.length)
    path = town(tmp_path / "town.osm", ways)
    kept = [spot for spot in spots if spot in graph]
    homes, venue = kept, max(kept, key=lambda spot: len(nx.ancestors(graph, spot)))
    metres = nx.single_source_dijkstra_path_length(graph.reverse(), venue)
    expected = np.array([metres.get(home, np.nan) for home in homes])
    assert np.isfinite(expected).sum() > 6
    for mode, kmh in (("cycle", 12), ("ebike", 18)):
        roads = read_roads(path, mode=mode, crs=CRS)
        near = lc.nearest(roads, points(*homes), points(venue), limit_min=60)
        np.testing.assert_allclose(near["seconds"].to_numpy(), expected / (kmh / 3.6), rtol=1e-9, atol=1e-6)


def test_a_one_way_street_is_ridden_back_only_where_a_word_allows_it(tmp_path):
    around = [([(0, 0), (0, 1), (4, 1), (4, 0)], {"highway": "residential"})]
    straight = {"highway": "residential", "oneway": "yes"}
    bound = town(tmp_path / "bound.osm", [([(0, 0), (4, 0)], straight), *around])
    free = town(tmp_path / "free.osm", [([(0, 0), (4, 0)], {**straight, "oneway:bicycle": "no"}), *around])
    for mode in ("cycle", "ebike"):
        there = seconds(read_roads(bound, mode=mode, crs=CRS), (0, 0), (4, 0))
        assert seconds(read_roads(bound, mode=mode, crs=CRS), (4, 0), (0, 0)) > 1.4 * there
        assert seconds(read_roads(free, mode=mode, crs=CRS), (4, 0), (0, 0)) == pytest.approx(there, rel=1e-9)
    assert seconds(read_roads(free, mode="drive", crs=CRS), (4, 0), (0, 0)) > 1.4 * seconds(
        read_roads(free, mode="drive", crs=CRS), (0, 0), (4, 0)
    )


@pytest.mark.parametrize(("mode", "slow", "usual", "fast"), [("cycle", 10, 12, 15), ("ebike", 15, 18, 20)])
def test_the_band_is_three_speeds_of_the_whole_trip(tmp_path, mode, slow, usual, fast):
    path = town(tmp_path / "town.osm", [([(0, 0), (20, 0)], {"highway": "residential"})])
    roads = read_roads(path, mode=mode, crs=CRS)
    metres = float(roads.length_m.sum()) + 50.0
    home = points((0, 0))
    home["geometry"] = home.translate(0, 50)
    for kmh, factor in zip((slow, usual, fast), profile(mode).band, strict=True):
        near = lc.nearest(roads, home, points((20, 0)), limit_min=30)
        found = float(near["seconds"].iloc[0]) / factor
        assert found == pytest.approx(metres / (kmh / 3.6), rel=1e-3)
        again = lc.nearest(roads.at_speed(kmh), home, points((20, 0)), limit_min=30)
        assert float(again["seconds"].iloc[0]) == pytest.approx(found, rel=1e-12)
        limit = found / 60
        at = lc.nearest(roads.at_speed(kmh), home, points((20, 0)), limit_min=limit)
        below = lc.nearest(roads.at_speed(kmh), home, points((20, 0)), limit_min=limit * (1 - 1e-6))
        assert [at["status"].iloc[0], below["status"].iloc[0]] == ["covered", "beyond"]


def test_an_ebike_rides_the_network_of_a_bicycle_faster(tmp_path):
    path = town(tmp_path / "town.osm", [([(0, 0), (5, 0)], {"highway": "residential"})])
    cycle = read_roads(path, mode="cycle", crs=CRS)
    ebike = cycle.with_profile("ebike")
    assert ebike.key == read_roads(path, mode="ebike", crs=CRS).key != cycle.key
    np.testing.assert_allclose(ebike.forward_s * 18, cycle.forward_s * 12, rtol=1e-12)


def test_a_directed_graph_opens_an_edge_against_itself_only_by_a_word_of_riders():
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for east in range(4):
        graph.add_node(east, x=place(east, 0)[0], y=LAT)
    graph.add_edge(0, 1, highway="residential", oneway=True)
    graph.add_edge(1, 2, **{"highway": "residential", "oneway": True, "oneway:bicycle": "no"})
    graph.add_edge(2, 3, highway="residential", oneway=False)
    graph.add_edge(3, 2, highway="residential", oneway=False)
    for mode, open_both in (("cycle", 2), ("drive", 1), ("walk", 3)):
        roads = roads_from_graph(graph, mode=mode, crs=CRS)
        both = np.isfinite(roads.forward_s) & np.isfinite(roads.backward_s)
        assert [len(roads.u), int(both.sum())] == [3, open_both]


def test_a_table_of_lines_is_read_with_the_words_of_riders():
    lines = gpd.GeoDataFrame(
        {
            "highway": ["residential", "footway", "residential"],
            "oneway": ["yes", "", "yes"],
            "oneway:bicycle": ["no", "", ""],
        },
        geometry=[shapely.LineString([place(at, 0), place(at + 1, 0)]) for at in range(3)],
        crs="EPSG:4326",
    )
    roads = read_roads(lines, mode="cycle", crs=CRS)
    assert len(roads.u) == 2
    assert sorted((np.isfinite(roads.forward_s) & np.isfinite(roads.backward_s)).tolist()) == [False, True]


@pytest.mark.parametrize(("mode", "slow", "fast"), [("cycle", 10, 15), ("ebike", 15, 20)])
def test_a_circle_of_riders_is_audited_with_its_own_band(toytown, mode, slow, fast):
    text = (toytown / "standard.toml").read_text("utf-8")
    (toytown / "standard.toml").write_text(
        text.replace('minutes = 15\nprofile = "walk"', f'minutes = 4\nprofile = "{mode}"', 1), "utf-8"
    )
    findings = lc.run_audit(toytown)
    result = findings.result("reading")
    roads = read_roads(toytown / "roads.geojson", mode=mode)
    people = findings.people["reading"].to_numpy()
    library = findings.facilities[findings.facilities["service"] == "library"].to_crs(roads.crs)
    for name, kmh in (("slow", slow), ("usual", None), ("fast", fast)):
        used = roads if kmh is None else roads.at_speed(kmh)
        near = lc.nearest(used, findings.demand.to_crs(roads.crs), library, limit_min=4)
        covered = (near["status"] == "covered").to_numpy()
        assert result.band[name] == pytest.approx(people[covered].sum() / people.sum(), abs=1e-12)
    assert 0 < result.band["usual"] < 1


def one_street(kind, folder):
    """Write a two-way street of 1 km, a one-way street and a motorway in one kind of road source."""
    places = {1: (120.95, 30.53), 2: (120.96, 30.53), 3: (120.96, 30.54), 4: (120.95, 30.54)}
    ways = [((1, 2), "residential", "no"), ((2, 3), "residential", "yes"), ((3, 4), "motorway", "yes")]
    path = folder / f"roads{kind}"
    if kind == ".osm":
        nodes = [f"<node id='{n}' version='1' lon='{x}' lat='{y}'/>" for n, (x, y) in places.items()]
        parts = [
            f"<way id='{at}' version='1'><nd ref='{u}'/><nd ref='{v}'/>"
            f"<tag k='highway' v='{highway}'/><tag k='oneway' v='{word}'/></way>"
            for at, ((u, v), highway, word) in enumerate(ways, 1)
        ]
        path.write_text("".join(["<osm version='0.6'>", *nodes, *parts, "</osm>"]), "utf-8")
    elif kind == ".graphml":
        graph = nx.MultiDiGraph(crs="EPSG:4326")
        for node, (x, y) in places.items():
            graph.add_node(node, x=x, y=y)
        for (u, v), highway, word in ways:
            graph.add_edge(u, v, highway=highway, oneway=word == "yes", osmid=u)
            if word == "no":
                graph.add_edge(v, u, highway=highway, oneway=False, osmid=u)
        osmnx.save_graphml(graph, path)
    elif kind == "edges.csv":
        rows = [(*ends, *places[ends[0]], *places[ends[1]], highway, word) for ends, highway, word in ways]
        names = ["from", "to", "from_lon", "from_lat", "to_lon", "to_lat", "highway", "oneway"]
        pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    else:
        lines = [shapely.LineString([places[u], places[v]]) for (u, v), _, _ in ways]
        words = {"highway": [one[1] for one in ways], "oneway": [one[2] for one in ways]}
        frame = gpd.GeoDataFrame(words, geometry=lines, crs="EPSG:4326")
        if kind == ".parquet":
            frame.to_parquet(path)
        elif kind == ".csv":
            pd.DataFrame(words).assign(geometry=frame.geometry.to_wkt()).to_csv(path, index=False)
        else:
            frame.to_file(path)
    return path


@pytest.mark.parametrize(
    "kind", [".osm", ".graphml", ".gpkg", ".shp", ".geojson", ".parquet", ".csv", "edges.csv", ".gdb"]
)
@pytest.mark.parametrize(("mode", "kmh"), [("walk", 5), ("cycle", 12), ("ebike", 18), ("drive", 25)])
def test_every_reader_applies_every_profile(tmp_path, kind, mode, kmh):
    """The motorway is left out but by car; the one-way street binds all but those on foot."""
    roads = read_roads(one_street(kind, tmp_path), mode=mode)
    street = roads.highway == "residential"
    assert len(roads.u) == (3 if mode == "drive" else 2)
    assert street.sum() == 2
    closed = np.isinf(np.r_[roads.forward_s[street], roads.backward_s[street]]).sum()
    assert closed == (0 if mode == "walk" else 1)
    fastest = np.minimum(roads.forward_s, roads.backward_s)[street]
    assert fastest == pytest.approx(roads.length_m[street] / kmh * 3.6, rel=1e-12)
