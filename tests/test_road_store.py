"""The roads of a region as mapped arrays, and the parts of districts read from them."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lifecircle.errors import UnusableInputError
from lifecircle.reach import snap
from lifecircle.roads import edges_near, read_roads, write_road_part, write_road_store

ARRAYS = ("xy", "u", "v", "length_m", "forward_s", "backward_s", "highway")


@pytest.fixture(scope="module")
def roads():
    """Give a lattice of 12 x 9 streets, every fourth a residential road."""
    lines, classes = [], []
    for x in range(12):
        for y in range(9):
            for dx, dy in ((1, 0), (0, 1)):
                if x + dx < 12 and y + dy < 9:
                    ends = [(500000 + 100 * x, 3380000 + 100 * y)]
                    ends.append((500000 + 100 * (x + dx), 3380000 + 100 * (y + dy)))
                    lines.append(shapely.LineString(ends))
                    classes.append("residential" if (x + y) % 4 == 0 else "path")
    table = gpd.GeoDataFrame({"highway": classes}, geometry=lines, crs="EPSG:4549")
    return read_roads(table, mode="walk", crs="EPSG:4549")


@pytest.fixture
def part(roads, tmp_path):
    """Give the edges within 150 m of a square, and the file that names them."""
    area = shapely.box(500250, 3380250, 500450, 3380350)
    edges = edges_near(roads, area, 150.0)
    store = write_road_store(roads, tmp_path / "roads" / "walk")
    write_road_part(tmp_path / "a.roadpart", [(roads, edges, store)])
    return area, edges, tmp_path / "a.roadpart"


def test_the_edges_are_those_within_the_distance(roads, part):
    area, edges, _ = part
    apart = shapely.distance(area, roads.lines)
    assert set(edges.tolist()) == set(np.flatnonzero(apart <= 150.0).tolist())
    assert (apart == 150.0).any()  # inclusive


def test_a_part_is_the_same_edges_in_the_same_order(roads, part):
    _, edges, path = part
    got = read_roads(path, mode="walk", crs="EPSG:4549", keep=True)
    assert len(got.u) == len(edges) == got.reading.rows
    assert shapely.equals_exact(got.lines, roads.lines[edges]).all()
    for name in ("length_m", "forward_s", "backward_s", "highway"):
        assert (getattr(got, name) == getattr(roads, name)[edges]).all()
    assert (got.xy[got.u] == roads.xy[roads.u[edges]]).all()
    assert (got.xy[got.v] == roads.xy[roads.v[edges]]).all()
    # The reading of the same lines as a table finds the same network, whatever its numbers.
    again = roads.only(np.isin(np.arange(len(roads.u)), edges))
    assert sorted(got.length_m) == sorted(again.length_m)


def test_another_speed_of_the_same_ways(roads, part):
    _, edges, path = part
    aged = read_roads(path, mode="walk_aged")
    expected = roads.with_profile("walk_aged").forward_s[edges]
    assert (aged.forward_s == expected).all()


def test_a_point_between_two_equal_edges_joins_the_same_one(roads, part):
    """Equal distances go to the lowest edge of the region, in the part as well."""
    _, edges, path = part
    got = read_roads(path, mode="walk")
    middles = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(
            [500250 + 100 * i for i in range(3)], [3380250] * 3, crs="EPSG:4549"
        ).tolist(),
        crs="EPSG:4549",
    )
    there, here = snap(roads, middles), snap(got, middles)
    assert (there.leg_m == 50.0).all()
    assert (edges[here.edge] == there.edge).all()
    assert (here.share == there.share).all()


def test_a_store_that_is_there_is_not_written_again(roads, part):
    _, _, path = part
    folder = path.parent / "roads" / "walk"
    before = {one.name: one.stat().st_mtime_ns for one in folder.iterdir()}
    write_road_store(roads, folder)
    assert {one.name: one.stat().st_mtime_ns for one in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"edges": [[5, 3]]}, "no part of a road store"),
        ({"edges": [[0, 3], [2, 5]]}, "no part of a road store"),
        ({"edges": "abc"}, "no part of a road store"),
        ({"edges": [[0, 10**9]]}, "cannot be used"),
        ({"edges": [[0, 1]]}, "have changed"),
        ({"store": "elsewhere"}, "are not there"),
    ],
)
def test_a_damaged_part_is_refused(part, damage, words):
    _, _, path = part
    plain = json.loads(path.read_text())
    plain["parts"][0] |= damage
    path.write_text(json.dumps(plain))
    with pytest.raises(UnusableInputError, match=words):
        read_roads(path, mode="walk")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 99, "parts": []}', '{"schema": 1}', "[" * 5000])
def test_a_file_that_is_no_part_is_refused(tmp_path, text):
    (tmp_path / "a.roadpart").write_text(text)
    with pytest.raises(UnusableInputError, match="no part of a road store"):
        read_roads(tmp_path / "a.roadpart", mode="walk")


def test_a_profile_of_other_ways_is_refused(part):
    with pytest.raises(UnusableInputError, match="not for drive"):
        read_roads(part[2], mode="drive")


def test_another_crs_is_refused(part):
    with pytest.raises(UnusableInputError, match="another coordinate system"):
        read_roads(part[2], mode="walk", crs="EPSG:4548")


def test_a_store_cut_short_is_refused(part):
    place = part[2].parent / "roads" / "walk" / "places.npy"
    place.write_bytes(place.read_bytes()[:200])
    with pytest.raises(UnusableInputError, match="split the region again"):
        read_roads(part[2], mode="walk")


def test_no_array_holds_objects(part):
    """Arrays are numbers alone: nothing is ever unpickled."""
    for path in (part[2].parent / "roads" / "walk").glob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype.kind in "fi"
    assert pd.Series(ARRAYS).is_unique
