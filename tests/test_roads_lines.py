"""Road networks from an office's own lines and from edge tables."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from shapely import LineString, MultiLineString, Point

from lifecircle.errors import UnusableInputError
from lifecircle.roads import _lines, _network, read_roads

X, Y = 500_000.0, 3_380_000.0
FRAME = "EPSG:4549"


def line(*places):
    """Draw a line through places given in metres from the corner of the town."""
    return LineString([(X + east, Y + north) for east, north in places])


def table(*lines, crs=FRAME, **columns):
    return gpd.GeoDataFrame(columns, index=range(len(lines)), geometry=list(lines), crs=crs)


def times(roads):
    """Give the least seconds between all pairs of places, places in metres from the corner, rounded to mm."""
    graph = nx.MultiDiGraph()
    name = [tuple(np.round(xy - (X, Y), 3).tolist()) for xy in roads.xy]
    for u, v, ahead, back in zip(roads.u, roads.v, roads.forward_s, roads.backward_s, strict=True):
        for a, b, seconds in ((u, v, ahead), (v, u, back)):
            if np.isfinite(seconds):
                graph.add_edge(name[a], name[b], s=float(seconds))
    return dict(nx.all_pairs_dijkstra_path_length(graph, weight="s"))


STREETS = (line((0, 0), (100, 0)), line((100, 0), (100, 50), (200, 50)), line((100, 0), (100, -80)))


def test_shared_ends_are_junctions_and_crossings_are_not():
    crossing = line((50, -10), (50, 10))
    roads = read_roads(table(*STREETS, crossing))
    assert (len(roads.xy), len(roads.u)) == (6, 4)
    assert roads.components.max() == 1
    assert sorted(roads.length_m) == [20, 80, 100, 150]
    assert (roads.highway == "").all()
    assert times(roads)[(0, 0)][(200, 50)] == pytest.approx(250 / (5 / 3.6))


@pytest.mark.parametrize(("gap_mm", "junctions"), [(0.0, 3), (0.4, 3), (0.99, 3), (1.5, 4)])
def test_ends_within_a_millimetre_are_one_junction(gap_mm, junctions):
    lines = table(line((0, 0), (100.0005, 0)), line((100.0005 + gap_mm / 1000, 0), (200, 0)))
    roads = read_roads(lines, join_m=0)
    assert len(roads.xy) == junctions
    ends = shapely.get_coordinates(shapely.get_point(roads.lines, 0))
    assert (ends == roads.xy[roads.u]).all()


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "parquet", "csv"])
def test_every_format_gives_the_same_network(tmp_path, suffix):
    frame = table(*STREETS, line((0, 0), (0, 60)), highway=["primary", "footway", "县道", None])
    path = tmp_path / f"streets.{suffix}"
    degrees = frame.to_crs(4326)
    if suffix == "csv":
        plain = pd.DataFrame(
            {"Highway": frame["highway"], "WKT": degrees.geometry.to_wkt(rounding_precision=-1)}
        )
        plain.to_csv(path, index=False)
    elif suffix == "parquet":
        frame.to_parquet(path)
    else:
        (degrees if suffix == "geojson" else frame).to_file(path)
    roads, same = read_roads(path, crs=FRAME), read_roads(frame)
    assert roads.u.tolist() == same.u.tolist()
    assert roads.v.tolist() == same.v.tolist()
    assert roads.xy == pytest.approx(same.xy, abs=1e-5)
    assert roads.length_m == pytest.approx(same.length_m, abs=1e-5)
    assert roads.highway.tolist() == same.highway.tolist()
    assert sorted(roads.highway) == ["footway", "primary", "secondary"]
    assert roads.reading.left_out == same.reading.left_out == {"no_class": 1}


def test_lines_in_their_own_metre_crs_are_not_moved():
    roads = read_roads(table(*STREETS), crs=FRAME)
    assert roads.crs == pyproj.CRS(FRAME)
    assert {tuple(xy) for xy in roads.xy.tolist()} == {
        (X + e, Y + n) for e, n in [(0, 0), (100, 0), (200, 50), (100, -80)]
    }
    elsewhere = read_roads(table(*STREETS).to_crs(4490), crs="EPSG:32651")
    assert elsewhere.crs.to_epsg() == 32651
    assert elsewhere.length_m.sum() == pytest.approx(330, rel=1e-3)


def test_rules_are_read_from_columns():
    frame = table(
        *STREETS,
        line((200, 50), (300, 50)),
        highway=["primary", "residential", "motorway", "residential"],
        access=[None, None, None, "private"],
    )
    assert sorted(read_roads(frame).highway) == ["primary", "residential"]
    driven = read_roads(frame, mode="drive")
    assert sorted(driven.highway) == ["motorway", "primary", "residential"]
    assert sorted((driven.length_m / driven.forward_s * 3.6).round(6)) == [25, 65, 90]
    assert np.isinf(driven.backward_s).sum() == 1  # the motorway


@pytest.mark.parametrize(
    ("word", "ahead", "back"),
    [
        ("yes", True, False),
        (True, True, False),
        (1, True, False),
        (1.0, True, False),
        ("F", True, False),
        ("FT", True, False),
        ("-1", False, True),
        (-1, False, True),
        ("T", False, True),
        ("no", True, True),
        (False, True, True),
        ("B", True, True),
        (None, True, True),
        ("", True, True),
    ],
)
def test_one_way_words(word, ahead, back):
    frame = table(line((0, 0), (100, 0)), line((100, 0), (300, 0)), highway="primary", oneway=[word, None])
    found = times(read_roads(frame, mode="drive"))
    assert ((100.0, 0.0) in found[(0, 0)]) is ahead
    assert ((0.0, 0.0) in found[(100, 0)]) is back
    assert np.isfinite(read_roads(frame).backward_s).all()


def test_a_speed_of_its_own_drives_a_road_of_any_class():
    frame = table(*STREETS, highway=["primary", "九号路", "footway"], speed_kmh=[np.nan, 36.0, 36.0])
    roads = read_roads(frame, mode="drive")
    assert dict(zip(roads.highway, (roads.length_m / roads.forward_s * 3.6).round(9), strict=True)) == {
        "primary": 65.0,
        "九号路": 36.0,
    }
    assert read_roads(frame).length_m.sum() == 180
    assert read_roads(frame).reading.left_out == {"unknown_class:九号路": 1}
    flat = read_roads(frame, mode="drive", speed_kmh=18)
    assert flat.highway.tolist() == ["primary"]
    assert flat.forward_s == pytest.approx([100 / 5])
    with pytest.raises(UnusableInputError, match=r"no speed for class '九号路'"):
        roads.at_speed({"primary": 40})


def test_roads_without_class_need_a_speed_to_drive():
    with pytest.raises(UnusableInputError, match=r"row 1: the speed of this road is not known.*\n.*row 2"):
        read_roads(table(*STREETS), mode="drive")
    assert len(read_roads(table(*STREETS), mode="drive", speed_kmh=30).u) == 3
    assert read_roads(table(*STREETS, speed_kmh=36), mode="drive").forward_s.sum() == pytest.approx(33)
    for wrong in (0, -3):
        with pytest.raises(UnusableInputError, match=r"row 2, column 'speed_kmh'.*positive number"):
            read_roads(table(*STREETS, speed_kmh=[36, wrong, 36]), mode="drive")
    with pytest.raises(
        UnusableInputError, match=r"row 3, column 'speed_kmh'.*positive number \(found: fast\)"
    ):
        read_roads(table(*STREETS, speed_kmh=["36", "36", "fast"]), mode="drive")


def test_multi_lines_rings_heights_and_rows_without_a_line():
    several = MultiLineString([[(X, Y), (X + 10, Y)], [(X + 10, Y), (X + 20, Y)], [(X + 90, Y), (X + 99, Y)]])
    ring = shapely.LinearRing([(X, Y), (X, Y + 30), (X + 40, Y + 30)])
    high = LineString([(X + 20, Y, 5), (X + 20, Y + 60, 9)])
    classes = ["path", "steps", "track", "footway"]
    roads = read_roads(table(several, ring, high, None, highway=classes))
    assert dict(zip(roads.highway, roads.length_m, strict=True)).keys() == {"path", "steps", "track"}
    assert (roads.reading.rows, roads.reading.used, roads.reading.left_out) == (4, 3, {"no_line": 1})
    assert sorted(roads.length_m) == [9, 20, 60, 120]
    assert (roads.u == roads.v).sum() == 1
    assert not shapely.has_z(roads.lines).any()


def test_the_same_line_twice_is_one_edge():
    back = STREETS[1].reverse()
    roads = read_roads(
        table(*STREETS, back, highway="primary", oneway=["no", "yes", "no", "yes"]), mode="drive"
    )
    assert len(roads.u) == 3
    assert np.isfinite(roads.backward_s).all()


def test_lines_of_no_length_join_their_ends():
    roads = read_roads(
        table(line((0, 0), (9, 0)), LineString([(X + 9, Y), (X + 9, Y)]), line((9, 0), (9, 9)))
    )
    assert (len(roads.u), len(roads.xy)) == (2, 3)


# --------------------------------------------------------------------------------------------------------
# Named junctions and edge tables


def test_named_junctions_join_lines_whose_ends_miss_by_less_than_a_metre():
    frame = table(
        line((0, 0), (99.7, 0)),
        line((100, 0), (200, 0)),
        line((100, 0), (100, 50)),
        u=["a", "b", "b"],
        v=["b", "c", "d"],
    )
    roads = read_roads(frame)
    assert len(roads.xy) == 4
    assert sorted(roads.length_m) == [50, 100, 100]
    assert (shapely.get_coordinates(shapely.get_point(roads.lines, -1)) == roads.xy[roads.v]).all()
    frame.geometry = [line((0, 0), (97, 0)), *frame.geometry[1:]]
    with pytest.raises(
        UnusableInputError, match=r"row 1: the line does not run between its junctions \(found: 3.0 m\)"
    ):
        read_roads(frame)


def test_named_junctions_keep_a_flyover_apart_from_the_street_below():
    """Two lines end at the same place, but at junctions of other names."""
    roads = read_roads(table(line((0, 0), (100, 0)), line((100, 0), (200, 0)), u=[1, 3], v=[2, 4]))
    assert roads.components.max() == 1


@pytest.mark.parametrize("turned", [(0,), (1,), (2,), (3,), (0, 1), (0, 1, 2, 3)])
def test_a_line_drawn_from_v_to_u_is_turned_and_one_way_as_drawn(turned):
    right = [
        line((0, 0), (100, 0)),
        line((100, 0), (200, 0)),
        line((100, 0), (100, 50)),
        line((200, 0), (200, 90)),
    ]
    names = {"u": list("abbc"), "v": list("bcde"), "highway": "primary"}
    drawn = [each.reverse() if i in turned else each for i, each in enumerate(right)]
    assert times(read_roads(table(*drawn, **names))) == times(read_roads(table(*right, **names)))
    one_way = read_roads(table(*drawn, **names, oneway="yes"), mode="drive")
    assert times(one_way) == times(read_roads(table(*drawn, highway="primary", oneway="yes"), mode="drive"))


def test_a_chain_drawn_backwards_is_read():
    """Case 17: both lines run from v to u, as in the edges that OSMnx saves."""
    frame = table(line((100, 0), (0, 0)), line((100, 100), (100, 0)), u=[1, 2], v=[2, 3], highway="path")
    roads = read_roads(frame)
    assert roads.components.max() == 0
    assert len(roads.xy) == 3


def test_a_street_beside_another_between_the_same_junctions_is_turned_with_it():
    frame = table(
        line((0, 0), (100, 0)),
        line((100, 0), (50, 40), (0, 0)),
        line((200, 0), (100, 0)),
        line((300, 0), (200, 0)),
        u=[1, 1, 2, 3],
        v=[2, 2, 3, 4],
    )
    assert len(read_roads(frame).xy) == 4


def test_directed_tables_hold_every_street_once():
    frame = table(
        STREETS[0], STREETS[0].reverse(), STREETS[1], u=[1, 2, 2], v=[2, 1, 3], oneway=[False, False, True]
    )
    frame["highway"] = "primary"
    roads = read_roads(frame, mode="drive")
    assert roads.length_m.sum() == 250
    assert np.isinf(np.concatenate([roads.forward_s, roads.backward_s])).sum() == 1


def edge_table(**columns):
    lon = 120.95 + np.array([0, 1, 2, 0]) * 0.001
    lat = 30.53 + np.array([0, 0, 0, 1]) * 0.001
    u, v = np.array([0, 1, 0]), np.array([1, 2, 3])
    places = {"u_lon": lon[u], "u_lat": lat[u], "v_lon": lon[v], "v_lat": lat[v]}
    return pd.DataFrame({"u": u, "v": v, **places, **columns})


def test_edge_tables_without_lines(tmp_path):
    path = tmp_path / "edges.csv"
    edge_table(length=[120.0, 96.5, None]).to_csv(path, index=False)
    roads = read_roads(path)
    assert (len(roads.u), len(roads.xy)) == (3, 4)
    assert sorted(roads.length_m)[:2] == [96.5, pytest.approx(110.9, abs=0.1)]
    assert roads.length_m.max() == 120
    assert shapely.length(roads.lines).max() < 111
    assert (shapely.get_coordinates(shapely.get_point(roads.lines, -1)) == roads.xy[roads.v]).all()
    edge_table().to_csv(path, index=False)
    assert read_roads(path).length_m == pytest.approx(shapely.length(read_roads(path).lines), abs=0)


def test_a_row_without_a_line_is_placed_by_the_others():
    frame = table(*STREETS[:2], None, u=["a", "b", "a"], v=["b", "c", "c"], length=[1.0, 1.0, 500.0])
    roads = read_roads(frame)
    assert sorted(roads.length_m) == [100, 150, 500]


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"length": [120, 0, 90]}, r"row 3, column 'length': a length is a positive number of metres"),
        (
            {"length": [120, "far", 90]},
            r"row 3, column 'length': a length is a positive number of metres \(found: far\)",
        ),
        ({"v": [1, None, 3]}, r"row 3, column 'u, v': a junction has no name"),
        ({"v": [1, 1, 3], "v_lon": 120.95, "v_lat": 30.53, "length": 5}, r"its junctions stand at one place"),
        ({"v_lat": [30.53, 95.0, 30.53]}, r"edges.csv, geometry: coordinates are not on the earth"),
        ({"u_lon": None, "v_lon": None}, r"no line has any coordinates"),
    ],
)
def test_edge_tables_that_say_too_little(tmp_path, columns, match):
    path = tmp_path / "edges.csv"
    edge_table(**columns).to_csv(path, index=False)
    with pytest.raises(UnusableInputError, match=match):
        read_roads(path)


def test_tables_that_are_no_roads(tmp_path):
    with pytest.raises(
        UnusableInputError,
        match=r"row 1, column 'geometry': roads are lines, this is none \(found: Point\).*give the layer",
    ):
        read_roads(table(Point(X, Y), STREETS[0]))
    with pytest.raises(UnusableInputError, match=r"lines have no CRS.*EPSG:4549"):
        read_roads(table(*STREETS, crs=None))
    with pytest.raises(
        UnusableInputError,
        match=r"not on the earth when read as WGS 84.*longitude comes before latitude",
    ):
        read_roads(table(*STREETS, crs=4326))
    with pytest.raises(UnusableInputError, match=r"no line has any coordinates"):
        read_roads(table(None, None))
    with pytest.raises(UnusableInputError, match=r"row 1, column 'geometry': coordinates are not numbers"):
        read_roads(table(shapely.transform(STREETS[1], lambda xy: xy * [1, np.nan]), STREETS[0]))
    with pytest.raises(
        UnusableInputError, match=r"may be used by profile 'walk' \(found: construction 1, motorway 1\)"
    ):
        read_roads(table(*STREETS[:2], highway=["motorway", "construction"]))
    (tmp_path / "a.csv").write_text("name\nMain Street\n")
    with pytest.raises(
        UnusableInputError, match=r"a.csv, columns: there are no lines in it \(found: name\).*WKT.*u_lon"
    ):
        read_roads(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text('wkt\n"LINESTRING (120 30, 120.1 30"\n')
    with pytest.raises(UnusableInputError, match=r"b.csv, row 2, column 'wkt': this is not a line"):
        read_roads(tmp_path / "b.csv")
    parts = MultiLineString([[(X, Y), (X + 1, Y)], [(X + 5, Y), (X + 9, Y)]])
    with pytest.raises(UnusableInputError, match=r"row 1: the line is in several parts"):
        read_roads(table(parts, u=[1], v=[2]))


def test_a_table_in_memory_is_left_as_it_was():
    frame = table(*STREETS, highway="primary")
    before = frame.copy(deep=True)
    read_roads(frame, mode="drive", crs="EPSG:32651")
    assert frame.equals(before)


@pytest.mark.shared_data
def test_a_table_of_osm_edges_gives_the_network_of_the_file(shared_data):
    first = read_roads(shared_data / "sao_paulo" / "spo_osm.pbf")
    again = read_roads(
        gpd.GeoDataFrame({"highway": first.highway}, geometry=list(first.lines), crs=first.crs),
        join_m=0,
        classes={"bus_stop": "footway"},
    )
    assert (len(again.xy), len(again.u)) == (len(first.xy), len(first.u))
    assert again.length_m.sum() == pytest.approx(first.length_m.sum(), abs=1e-6)
    assert sorted(np.bincount(again.components)) == sorted(np.bincount(first.components))


@pytest.mark.parametrize("words", [["primary", "service"], ("primary", "service"), "['primary', 'service']"])
def test_rows_of_merged_ways_hold_several_classes(words):
    frame = table(*STREETS[:2])
    frame["highway"] = pd.Series([words, "motorway_link"], dtype=object)
    assert read_roads(frame).highway.tolist() == ["primary"]
    driven = read_roads(frame, mode="drive")
    assert dict(zip(driven.highway, (driven.length_m / driven.forward_s * 3.6).round(9), strict=True)) == {
        "service": 15.0,
        "motorway_link": 90.0,
    }
    frame["highway"] = pd.Series([words, words], dtype=object)
    assert read_roads(frame, mode="drive").highway.tolist() == ["service", "service"]


def named_edges(**columns):
    """Return the edge table under the names that other programs use."""
    names = {
        "u": "from",
        "v": "to",
        "u_lon": "from_lon",
        "u_lat": "from_lat",
        "v_lon": "to_lon",
        "v_lat": "to_lat",
    }
    return edge_table().rename(columns=names).assign(**columns)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("mode", "seconds", "against"),
    [
        ("walk", [60, 90, 120], 3),
        ("walk_aged", [60 * 5 / 3.24, 90 * 5 / 3.24, 120 * 5 / 3.24], 3),
        ("cycle", [60, 90, 120], 2),
        ("ebike", [40, 60, 80], 2),  # shares the network of bicycles: 12 to 18 km/h
        ("drive", [60, 90, 120], 2),
    ],
)
def test_edge_tables_of_stated_seconds(tmp_path, suffix, mode, seconds, against):
    path = tmp_path / f"edges{suffix}"
    frame = named_edges(seconds=[60, 90, 120], oneway=["no", "双向", "单行"])
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    roads = read_roads(path, mode=mode)
    assert (len(roads.xy), len(roads.u)) == (4, 3)
    fastest = np.minimum(roads.forward_s, roads.backward_s)
    assert sorted(fastest) == pytest.approx(seconds, rel=1e-12)
    assert np.isfinite(np.concatenate([roads.forward_s, roads.backward_s])).sum() == 3 + against
    assert ("seconds_as_length" in roads.reading.notes) == (mode != "drive")


def test_a_stated_length_goes_before_stated_seconds_on_foot_and_not_by_car(tmp_path):
    path = tmp_path / "edges.csv"
    named_edges(length_m=[100, 200, 300], seconds=[10, 20, 60]).to_csv(path, index=False)
    walk, drive = read_roads(path), read_roads(path, mode="drive")
    assert sorted(walk.forward_s) == pytest.approx([72, 144, 216])
    assert sorted(drive.forward_s) == pytest.approx([10, 20, 60])
    assert ("seconds_unused" in walk.reading.notes, "seconds_unused" in drive.reading.notes) == (True, False)
    assert sorted(drive.length_m) == [100, 200, 300]
    slow = drive.at_speed({name: kmh * 0.8 for name, kmh in drive.profile.class_kmh})
    assert sorted(slow.forward_s) == pytest.approx([12.5, 25, 75])
    with pytest.raises(UnusableInputError, match="no speed for class"):
        drive.at_speed({"primary": 50.0})


def test_edges_without_names_meet_at_equal_coordinates(tmp_path):
    path = tmp_path / "edges.csv"
    named_edges(length_m=[100, 200, 300]).drop(columns=["from", "to"]).to_csv(path, index=False)
    roads = read_roads(path)
    assert (len(roads.xy), sorted(roads.length_m)) == (4, [100, 200, 300])


def test_names_of_villages_in_lines_are_no_junctions():
    frame = table(*STREETS[:2])
    frame["from"], frame["to"] = ["武原", "百步"], ["百步", "沈荡"]
    assert len(read_roads(frame).xy) == 3


def test_stated_seconds_are_positive(tmp_path):
    path = tmp_path / "edges.csv"
    named_edges(seconds=["60", "0", "soon"]).to_csv(path, index=False)
    with pytest.raises(UnusableInputError, match=r"row 3, column 'seconds': a time is a positive") as caught:
        read_roads(path, mode="drive")
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("seed", range(6))
def test_ends_are_counted_as_a_comparison_of_all_pairs_does(seed, monkeypatch):
    """Junctions of few ends and of many, by pairs and by a tree: who lies within a metre, itself included."""
    monkeypatch.setattr(_lines, "_COMPARED", (3, 64)[seed % 2])
    random = np.random.default_rng(seed)
    size = random.integers(1, 12, 40)
    ends = np.array([X, Y]) + random.uniform(0, 3, (int(size.sum()), 2))
    begin = np.cumsum(size) - size
    expected = np.concatenate(
        [
            (np.hypot(*(mine[:, None] - mine[None]).transpose(2, 0, 1)) <= 1.0).sum(axis=1)
            for mine in np.split(ends, begin[1:])
        ]
    )
    assert _lines._support(begin, ends).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", range(6))
def test_the_place_with_most_votes_wins_and_of_equals_the_first(seed):
    random = np.random.default_rng(seed)
    node = random.integers(0, 8, 60)
    place = random.integers(0, 2, (60, 2)) * 0.5 + random.uniform(-4e-4, 4e-4, (60, 2))
    won, where = _lines._most_voted(node, place)
    expected = {}
    for name in np.unique(node):
        mine = [tuple(xy) for xy in place[node == name].tolist()]
        rounded = [tuple(round(value * 1000) for value in xy) for xy in mine]
        best = max(range(len(mine)), key=lambda at: (rounded.count(rounded[at]), -at))
        expected[int(name)] = mine[best]
    assert dict(zip(won.tolist(), map(tuple, where.tolist()), strict=True)) == expected


def test_profiles_with_the_same_ways_hold_their_lines_once():
    streets = table(*STREETS, highway=["residential", "primary", "path"])
    walk, chair = (read_roads(streets, mode=mode, crs=FRAME) for mode in ("walk", "wheelchair"))
    shared = chair.sharing(walk)
    assert shared.lines is walk.lines
    assert shared.xy is walk.xy
    assert (shared.profile, shared.key) == (chair.profile, chair.key)
    assert shared.forward_s.tolist() == chair.forward_s.tolist() != walk.forward_s.tolist()
    stairs = table(*STREETS, highway=["residential", "primary", "steps"])
    fewer = read_roads(stairs, mode="wheelchair", crs=FRAME)
    assert fewer.sharing(walk) is fewer


def test_the_key_of_a_network_is_taken_from_the_bytes_of_its_lines():
    lines = np.array([*STREETS, STREETS[1]], dtype=object)
    assert _network._line_wkb(lines) == b"".join(shapely.to_wkb(lines, byte_order=1, output_dimension=2))
    several = np.array([MultiLineString([STREETS[0], STREETS[2]])], dtype=object)
    assert _network._line_wkb(several) == shapely.to_wkb(several, byte_order=1)[0]
