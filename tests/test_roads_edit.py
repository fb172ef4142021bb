"""Roads added and closed: where they join, who may use them, and that nothing else changes."""

from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from conftest import TOYTOWN, seeds
from lifecircle.reach import graph_to_facilities
from lifecircle.roads import add_road, close_road, read_roads

TOY = TOYTOWN / "roads.geojson"


def at(x, y):
    return 500000 + x, 3377000 + y


def line(*points):
    return shapely.LineString([at(x, y) for x, y in points])


@pytest.fixture(scope="module")
def walk():
    return read_roads(TOY, mode="walk", crs="EPSG:4549")


def total_m(roads):
    return roads.length_m.sum()


def junction(roads, x, y):
    apart = np.hypot(*(roads.xy - at(x, y)).T)
    assert apart.min() < 1e-6
    return int(apart.argmin())


def seconds(roads, start, end):
    found, _ = graph_to_facilities(roads).nearest([junction(roads, *end)])
    return found[junction(roads, *start)]


def metres(roads, start, end):
    return seconds(roads, start, end) * roads.profile.access_ms


def test_a_road_joins_a_junction_and_the_middle_of_an_edge(walk):
    (after,) = add_road([walk], line((1000, 1250), (2000, 500)))
    assert len(after.u) == len(walk.u) + 2  # the road, and East Road in two
    assert total_m(after) == pytest.approx(total_m(walk) + 1250)  # 3-4-5
    assert metres(after, (1000, 1250), (2000, 500)) == pytest.approx(1250)
    assert metres(after, (2000, 1000), (2000, 0)) == pytest.approx(1000)  # a split changes nothing


def test_an_end_is_drawn_on_to_the_road_it_joins(walk):
    (after,) = add_road([walk], line((990, 1260), (1990, 500)))
    assert total_m(after) - total_m(walk) == pytest.approx(
        np.hypot(10, 10) + np.hypot(1000, 760) + 10, abs=1e-6
    )
    assert len(after.xy) == len(walk.xy) + 1


def test_an_end_without_a_road_is_a_dead_end_and_none_at_all_is_refused(walk):
    (after,) = add_road([walk], line((0, 0), (-300, 0)))
    assert metres(after, (-300, 0), (500, 0)) == pytest.approx(800)
    assert add_road([walk], line((0, 500), (300, 500))) is None
    assert add_road([walk], line((0, 25), (0, 500))) is not None  # at the tolerance
    assert add_road([walk], line((0, 25.01), (0, 500))) is None


def test_a_road_joins_those_it_crosses_only_when_asked_to(walk):
    (over,) = add_road([walk], line((0, 0), (1200, 400), (2000, 400)))
    (joined,) = add_road([walk], line((0, 0), (1200, 400), (2000, 400)), crossings=True)
    assert len(joined.xy) == len(over.xy) + 1
    y = 1000 / 3
    there = np.hypot(1000, 1000 / 3)
    assert metres(joined, (0, 0), (1000, 1250)) == pytest.approx(there + 1250 - y)
    assert metres(over, (0, 0), (1000, 1250)) == pytest.approx(2250)


def test_who_may_use_it_and_which_way(walk):
    drive = read_roads(TOY, mode="drive", crs="EPSG:4549")
    short = line((0, 0), (0, 100), (500, 100), (500, 0))
    assert add_road([drive], short, highway="footway") == [drive]
    (after,) = add_road([drive], short, highway="trunk", oneway_word="yes")
    assert seconds(after, (0, 0), (500, 0)) == pytest.approx(700 / (85 / 3.6))
    assert seconds(after, (500, 0), (0, 0)) == pytest.approx(500 / (25 / 3.6))
    (on_foot,) = add_road([walk], short, highway="trunk", oneway_word="yes")
    assert len(on_foot.u) == len(walk.u) + 1


def test_networks_on_the_same_lines_share_the_new_ones(walk):
    aged = walk.with_profile("walk_aged")
    one, other = add_road([walk, aged], line((1000, 1250), (2000, 500)))
    assert one.lines is other.lines
    assert one.profile is walk.profile
    assert other.profile is aged.profile
    np.testing.assert_allclose(other.forward_s, one.forward_s * 5.0 / 3.24)
    with pytest.raises(ValueError, match="share their lines"):
        add_road([walk, read_roads(TOY, mode="walk")], line((0, 0), (0, 9)))


def test_a_stretch_is_closed_and_its_side_street_stays(walk):
    (after,) = close_road([walk], line((1100, 0), (1400, 0)))
    assert total_m(after) == pytest.approx(total_m(walk) - 300)
    assert np.isinf(metres(after, (1000, 0), (1500, 0)))
    (after,) = close_road([walk], line((500, 3), (1500, -3)))  # drawn along two edges, past North Lane
    assert total_m(after) == pytest.approx(total_m(walk) - 1000, abs=0.1)
    assert metres(after, (1000, 1250), (1000, 0)) == pytest.approx(1250)


def test_what_is_left_within_the_tolerance_of_an_end_goes_too(walk):
    (after,) = close_road([walk], line((1510, 0), (1992, 0)))
    assert total_m(after) == pytest.approx(total_m(walk) - 500)
    (after,) = close_road([walk], line((1513, 0), (1992, 0)))
    assert total_m(after) == pytest.approx(total_m(walk) - 487)


def test_a_line_across_a_road_closes_nothing(walk):
    assert close_road([walk], line((1250, -200), (1250, 200))) is None
    assert close_road([walk], line((0, 13), (500, 13))) is None
    assert close_road([walk], line((0, 12), (500, 12))) is not None


@pytest.mark.parametrize("seed", seeds(6, whole=60))
def test_a_road_over_a_random_grid_as_networkx_has_it(seed):
    """The oracle cuts the streets itself, at the places where the road's ends stand on them."""
    rng = np.random.default_rng(seed)
    size = 6
    xs, ys = (np.cumsum(rng.uniform(60, 140, size)) + 500000 for _ in range(2))
    ends = [((xs[i], y), (xs[i + 1], y)) for y in ys for i in range(size - 1)]
    ends += [((x, ys[i]), (x, ys[i + 1])) for x in xs for i in range(size - 1)]
    streets = [shapely.LineString(pair) for pair in ends]
    table = gpd.GeoDataFrame({"highway": ["residential"] * len(streets)}, geometry=streets, crs="EPSG:4549")
    roads = read_roads(table, mode="walk", crs="EPSG:4549")
    first, second = rng.choice(len(streets), 2, replace=False)
    cut = {number: tuple(_inside(streets[number], rng)) for number in (first, second)}
    drawn = shapely.LineString(list(cut.values()))
    (after,) = add_road([roads], drawn, within_m=5)
    graph = nx.Graph()
    for number, (start, end) in enumerate(ends):
        course = [start, cut[number], end] if number in cut else [start, end]
        for one, other in pairwise(course):
            graph.add_edge(one, other, weight=np.hypot(*np.subtract(one, other)))
    graph.add_edge(*cut.values(), weight=drawn.length)
    source = (xs[rng.integers(size)], ys[rng.integers(size)])
    lengths = nx.single_source_dijkstra_path_length(graph, source)
    assert len(lengths) == len(after.xy)
    apart = np.hypot(*(after.xy - source).T)
    found, _ = graph_to_facilities(after).nearest([int(apart.argmin())])
    for place, length in lengths.items():
        here = int(np.hypot(*(after.xy - place).T).argmin())
        assert found[here] * after.profile.access_ms == pytest.approx(length, abs=1e-6)


def _inside(street, rng):
    """Give a place on a street that is no junction."""
    place = street.interpolate(rng.uniform(2, street.length - 2))
    return place.x, place.y
