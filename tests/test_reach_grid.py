"""The grid of segments against every line tried in turn, and snapping on it against the tree."""

from __future__ import annotations

import gc
import os

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from lifecircle.reach import _grid, snap
from lifecircle.reach._grid import Grid, grid_of
from lifecircle.roads import Roads, profile

if os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") != "1":
    pytest.importorskip("numba", reason="the extra `fast` is not installed")

METRES = pyproj.CRS("EPSG:4549")
ORIGIN = np.array([520_000.0, 3_380_000.0])
TIE_M = 1e-6


def roads_of(lines) -> Roads:
    lines = np.asarray(lines, dtype=object)
    ends = np.array([[line.coords[0], line.coords[-1]] for line in lines]).reshape(-1, 2)
    xy, number = np.unique(ends, axis=0, return_inverse=True)
    u, v = number.reshape(-1, 2).astype(np.int32).T
    walk = profile("walk")
    seconds = shapely.length(lines) / walk.speed_ms
    return Roads(
        crs=METRES,
        profile=walk,
        xy=xy,
        u=u,
        v=v,
        length_m=shapely.length(lines),
        forward_s=seconds,
        backward_s=seconds,
        lines=lines,
        highway=np.full(len(lines), "residential", dtype=object),
    )


def streets(rng, many: int, size: float) -> np.ndarray:
    """Draw bent lines of all lengths, some along the axes, some twice."""
    lines = []
    for _ in range(many):
        start = rng.random(2) * size
        steps = rng.normal(0, size * rng.choice([0.002, 0.02, 0.3]), (int(rng.integers(1, 6)), 2))
        if rng.random() < 0.3:
            steps[:, int(rng.integers(0, 2))] = 0.0
        lines.append(
            shapely.LineString(np.round(np.vstack([start, start + steps.cumsum(axis=0)]), 2) + ORIGIN)
        )
    return np.array(lines + lines[:5], dtype=object)


def places(rng, lines, many: int, size: float) -> np.ndarray:
    """Draw points anywhere, far away, on the lines, and exactly and all but exactly on their vertices."""
    corners = shapely.get_coordinates(lines)
    corners = corners[rng.integers(0, len(corners), many)]
    on = shapely.line_interpolate_point(
        lines[rng.integers(0, len(lines), many)], rng.random(many), normalized=True
    )
    return np.concatenate(
        [
            rng.random((many, 2)) * size + ORIGIN,
            (rng.random((many // 4, 2)) - 0.5) * size * 8 + ORIGIN,
            shapely.get_coordinates(on),
            corners,
            corners + rng.normal(0, 1e-8, corners.shape),
        ]
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("cells", [0.05, 4.0, 60.0])
def test_all_edges_that_may_be_nearest_are_listed(seed, cells, monkeypatch) -> None:
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(_grid, "_CELLS_PER_SEGMENT", cells)
    lines = streets(rng, int(rng.integers(1, 60)), 3000)
    xy = places(rng, lines, 40, 3000)
    row, edge = Grid.of(lines).near(xy)
    assert (np.diff(row * len(lines) + edge) > 0).all()
    metres = shapely.distance(shapely.points(xy)[:, None], lines[None, :])
    least = metres.min(axis=1, keepdims=True)
    listed = np.zeros(metres.shape, dtype=bool)
    listed[row, edge] = True
    answered = listed.any(axis=1)
    assert listed[(metres <= least + 0.9 * TIE_M) & answered[:, None]].all()
    assert not listed[metres > least + 1.1 * TIE_M].any()
    assert answered[:40].mean() > 0.5 or cells == 60.0


@pytest.mark.parametrize("seed", range(12))
def test_snapping_on_the_grid_and_with_the_tree_is_the_same_to_the_last_bit(seed, monkeypatch) -> None:
    rng = np.random.default_rng(seed)
    roads = roads_of(streets(rng, int(rng.integers(1, 80)), 3000))
    table = gpd.GeoDataFrame(geometry=shapely.points(places(rng, roads.lines, 60, 3000)), crs=METRES)
    assert_same_snaps(roads, table, monkeypatch)


@pytest.mark.parametrize("seed", range(12))
def test_measures_are_those_of_geos_to_the_last_bit(seed) -> None:
    rng = np.random.default_rng(seed)
    lines = streets(rng, 40, 3000)
    doubled = [shapely.LineString(np.repeat(shapely.get_coordinates(line), 2, axis=0)) for line in lines[:9]]
    lines = np.append(lines, doubled)
    points = shapely.points(places(rng, lines, 400, 3000))
    found = Grid.of(lines).nearest(shapely.get_coordinates(points))
    known = found.edge >= 0
    assert known.mean() > 0.8
    every = shapely.distance(points[known, None], lines[None, :])
    np.testing.assert_array_equal(found.edge[known], every.argmin(axis=1))
    chosen = lines[found.edge[known]]
    np.testing.assert_array_equal(found.metres[known], every.min(axis=1))
    np.testing.assert_array_equal(found.at_m[known], shapely.line_locate_point(chosen, points[known]))
    np.testing.assert_array_equal(found.length_m[known], shapely.length(chosen))
    assert np.isnan(np.stack(found[1:])[:, ~known]).all()


@pytest.mark.parametrize("name", ["metres", "at_m", "length_m"])
def test_a_geos_that_measures_otherwise_has_the_last_word(name, monkeypatch) -> None:
    rng = np.random.default_rng(5)
    roads = roads_of(streets(rng, 60, 3000))
    table = gpd.GeoDataFrame(geometry=shapely.points(places(rng, roads.lines, 60, 3000)), crs=METRES)
    asked = []
    plain = Grid.nearest

    def otherwise(grid, xy):
        found = plain(grid, xy)
        asked.append(len(xy))
        return found._replace(**{name: np.nextafter(getattr(found, name), np.inf)})

    monkeypatch.setattr(Grid, "nearest", otherwise)
    assert_same_snaps(roads, table, monkeypatch)
    assert asked == [len(table)]


def test_lattices_are_snapped_the_same_to_the_last_tie(monkeypatch) -> None:
    side = np.arange(13) * 100.0
    lines = [
        shapely.LineString(np.array(course) + ORIGIN)
        for a in side
        for b in side[:-1]
        for course in ([(a, b), (a, b + 100)], [(b + 100, a), (b, a)])
    ]
    rng = np.random.default_rng(0)
    roads = roads_of([lines[i] for i in rng.permutation(len(lines))])
    xy = rng.integers(-4, 52, (3000, 2)) * 25.0 + ORIGIN
    found = assert_same_snaps(roads, gpd.GeoDataFrame(geometry=shapely.points(xy), crs=METRES), monkeypatch)
    metres = shapely.distance(shapely.points(xy)[:, None], roads.lines[None, :])
    np.testing.assert_array_equal(found.edge, metres.argmin(axis=1))
    assert ((metres == metres.min(axis=1, keepdims=True)).sum(axis=1) > 1).mean() > 0.3


def test_more_edges_at_one_distance_than_there_is_room_for(monkeypatch) -> None:
    turns = np.linspace(0, 6, 150)
    roads = roads_of(
        [shapely.LineString([ORIGIN, ORIGIN + 80 * np.array([np.cos(t), np.sin(t)])]) for t in turns]
    )
    xy = ORIGIN + np.array([[0, 0], [40, 0.1], [1e-9, 0]])
    assert Grid.of(roads.lines).near(xy)[0].tolist() == [1]
    assert_same_snaps(roads, gpd.GeoDataFrame(geometry=shapely.points(xy), crs=METRES), monkeypatch)


def test_candidates_may_outgrow_the_room_first_made_for_them() -> None:
    lines = np.array(
        [shapely.LineString([ORIGIN, ORIGIN + np.array([100, i])]) for i in range(50)], dtype=object
    )
    row, edge = Grid.of(lines).near(np.tile(ORIGIN - 5, (40, 1)))
    assert row.tolist() == np.repeat(np.arange(40), 50).tolist()
    assert edge.tolist() == list(range(50)) * 40


@pytest.mark.parametrize(
    "course", [[(0, 0), (1000, 0)], [(0, 0), (0, 1000)], [(0, 0), (1e-4, 0)], [(0, 0), (0, 0), (900, 900)]]
)
def test_a_single_line_of_any_extent(course) -> None:
    line = np.array([shapely.LineString(np.array(course) + ORIGIN)], dtype=object)
    row, edge = Grid.of(line).near(ORIGIN + np.array([[0.0, 0.0], [0.3, 0.0]]))
    assert set(row.tolist()) <= {0, 1}
    assert 0 in row.tolist()
    assert (edge == 0).all()


def test_no_points_have_no_edges() -> None:
    lines = np.array([shapely.LineString([(0, 0), (1, 1)])], dtype=object)
    assert [len(part) for part in Grid.of(lines).near(np.zeros((0, 2)))] == [0, 0]
    assert [len(part) for part in Grid.of(lines).nearest(np.zeros((0, 2)))] == [0, 0, 0, 0]


def test_a_grid_is_made_once_and_goes_with_its_lines() -> None:
    lines = np.array([shapely.LineString([(0, 0), (1, 1)])], dtype=object)
    number = id(lines)
    assert grid_of(lines) is grid_of(lines)
    assert number in _grid._grids
    del lines
    gc.collect()
    assert number not in _grid._grids


def assert_same_snaps(roads, table, monkeypatch):
    monkeypatch.setenv("LIFECIRCLE_ENGINE", "scipy")
    tree = snap(roads, table, cap_m=None)
    monkeypatch.setenv("LIFECIRCLE_ENGINE", "ring")
    grid = snap(roads, table, cap_m=None)
    for name in ("edge", "share", "leg_m", "reason"):
        np.testing.assert_array_equal(getattr(grid, name), getattr(tree, name))
    return grid
