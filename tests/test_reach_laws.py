"""Laws of reach and coverage that hold in every town, drawn at random."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from lifecircle.limits import STATUSES
from lifecircle.measures import bounds, coverage
from lifecircle.reach import nearest, snap, within
from lifecircle.roads import Roads, profile

METRES = pyproj.CRS("EPSG:4549")
ORIGIN = np.array([520_000.0, 3_380_000.0])
TOWNS = st.integers(0, 2**32 - 1)
MINUTES = st.floats(0, 40)
LAW = settings(max_examples=40, deadline=None, derandomize=True)


def roads_of(lines, ends, xy, one_way) -> Roads:
    walk = profile("walk")
    seconds = shapely.length(lines) / walk.speed_ms
    return Roads(
        crs=METRES,
        profile=walk,
        xy=xy,
        u=ends[:, 0].astype(np.int32),
        v=ends[:, 1].astype(np.int32),
        length_m=shapely.length(lines),
        forward_s=seconds,
        backward_s=np.where(one_way, np.inf, seconds),
        lines=lines,
        highway=np.full(len(lines), "residential", dtype=object),
    )


def town_of(rng) -> Roads:
    """Draw a planar town of straight streets, a third of them one-way, often in several pieces."""
    xy = rng.random((25, 2)) * 2000 + ORIGIN
    corners = Delaunay(xy).simplices
    ends = np.unique(
        np.sort(np.r_[corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]], axis=1), axis=0
    )
    ends = rng.permuted(ends[rng.random(len(ends)) < 0.55], axis=1)
    return roads_of(shapely.linestrings(xy[ends]), ends, xy, rng.random(len(ends)) < 0.33)


def table_at(rng, roads: Roads, many: int, *, people: bool) -> gpd.GeoDataFrame:
    """Draw places, one in five of them exactly on a junction, one in fifteen unknown."""
    xy = rng.random((many, 2)) * 2200 - 100 + ORIGIN
    on = rng.random(many) < 0.2
    xy[on] = roads.xy[rng.integers(0, len(roads.xy), on.sum())]
    points = shapely.points(xy)
    points[rng.random(many) < 1 / 15] = None
    columns = (
        {"population": rng.random(many) * 100, "district": rng.choice(["a", "b", None], many)}
        if people
        else {}
    )
    return gpd.GeoDataFrame(columns, geometry=points, crs=METRES, index=np.arange(many))


def drawn(seed: int) -> tuple[np.random.Generator, Roads, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    rng = np.random.default_rng(seed)
    roads = town_of(rng)
    return rng, roads, table_at(rng, roads, 40, people=True), table_at(rng, roads, 5, people=False)


@LAW
@given(TOWNS, st.floats(0, 300), st.floats(0, 4000))
def test_the_main_network_is_preferred_within_bounds(seed, prefer, fragment) -> None:
    """A leg is longer by no more than asked for, and only to get from a short fragment to one that is not."""
    _, roads, homes, _ = drawn(seed)
    plain = snap(roads, homes)
    same = snap(roads, homes, prefer_main_m=0, fragment_m=fragment)
    for name in ("edge", "share", "leg_m", "reason", "moved"):
        np.testing.assert_array_equal(getattr(same, name), getattr(plain, name))
    found = snap(roads, homes, prefer_main_m=prefer, fragment_m=fragment)
    np.testing.assert_array_equal(found.reason, plain.reason)
    length = np.bincount(roads.components[roads.u], weights=roads.length_m)
    short = (length < fragment) & (np.arange(len(length)) != length.argmax())
    on_short = short[roads.components[roads.u]]
    moved = found.moved
    assert (found.leg_m[moved] <= plain.leg_m[moved] + prefer).all()
    assert (found.leg_m[moved] >= plain.leg_m[moved]).all()
    assert on_short[plain.edge[moved]].all()
    assert not on_short[found.edge[moved]].any()
    for name in ("edge", "share", "leg_m"):
        np.testing.assert_array_equal(getattr(found, name)[~moved], getattr(plain, name)[~moved])
    for row in np.flatnonzero(plain.snapped & ~moved):  # whoever stays has no such edge near
        if on_short[plain.edge[row]] and prefer > 0:
            point = homes.geometry.iloc[row]
            metres = shapely.distance(roads.lines, point)[~on_short]
            assert (metres > min(plain.leg_m[row] + prefer, 500.0)).all()


def seconds_of(near) -> np.ndarray:
    return near.seconds.fillna(np.inf).to_numpy()


@LAW
@given(TOWNS, MINUTES, MINUTES)
def test_coverage_never_falls_with_minutes(seed, one, other) -> None:
    _, roads, homes, halls = drawn(seed)
    shorter, longer = sorted((one, other))
    less = nearest(roads, homes, halls, limit_min=shorter).status == "covered"
    more = nearest(roads, homes, halls, limit_min=longer).status == "covered"
    assert more[less].all()


@LAW
@given(TOWNS, MINUTES)
def test_coverage_never_falls_with_a_facility_added(seed, minutes) -> None:
    rng, roads, homes, halls = drawn(seed)
    few = halls.iloc[np.sort(rng.choice(len(halls), 3, replace=False))]
    for k in (1, 2):
        before = nearest(roads, homes, few, limit_min=minutes, k=k)
        after = nearest(roads, homes, halls, limit_min=minutes, k=k)
        assert (seconds_of(after) <= seconds_of(before)).all()
        assert (after.status[before.status == "covered"] == "covered").all()


@LAW
@given(TOWNS, MINUTES)
def test_no_facility_no_coverage(seed, minutes) -> None:
    _, roads, homes, halls = drawn(seed)
    table = coverage(nearest(roads, homes, halls[:0], limit_min=minutes), homes, limit_min=minutes)
    assert table.loc["all", ["covered", "beyond", "rate"]].tolist() == [0, 0, 0]


@LAW
@given(TOWNS)
def test_a_road_added_never_lengthens_a_time_while_snaps_are_held(seed) -> None:
    rng, roads, homes, halls = drawn(seed)
    a, b = rng.choice(len(roads.xy), 2, replace=False)
    more = roads_of(
        np.append(roads.lines, shapely.LineString(roads.xy[[a, b]])),
        np.r_[np.stack([roads.u, roads.v], axis=1), [[a, b]]],
        roads.xy,
        np.append(np.isinf(roads.backward_s), rng.random() < 0.5),
    )
    here, there = snap(roads, homes), snap(roads, halls)
    held = [replace(found, lines=more.lines) for found in (here, there)]
    before, after = nearest(roads, here, there, limit_min=20), nearest(more, *held, limit_min=20)
    assert (seconds_of(after) <= seconds_of(before)).all()


@LAW
@given(TOWNS, st.integers(1, 5))
def test_splitting_edges_changes_nothing(seed, pieces) -> None:
    rng, roads, homes, halls = drawn(seed)
    lines, ends, xy, one_way = (
        list(roads.lines),
        np.stack([roads.u, roads.v], axis=1),
        roads.xy,
        np.isinf(roads.backward_s),
    )
    for edge in rng.choice(len(lines), pieces):
        at = shapely.line_interpolate_point(lines[edge], rng.uniform(0.05, 0.95), normalized=True)
        middle = shapely.get_coordinates(at)
        first, last = shapely.get_coordinates(lines[edge])
        lines[edge] = shapely.LineString([first, middle[0]])
        lines.append(shapely.LineString([middle[0], last]))
        ends = np.r_[ends, [[len(xy), ends[edge, 1]]]]
        ends[edge, 1] = len(xy)
        xy, one_way = np.r_[xy, middle], np.append(one_way, one_way[edge])
    split = roads_of(np.array(lines, dtype=object), ends, xy, one_way)
    assert_the_same(roads, split, homes, halls)


@LAW
@given(TOWNS)
def test_drawing_a_street_from_its_other_end_changes_nothing(seed) -> None:
    rng, roads, homes, halls = drawn(seed)
    turned = rng.random(len(roads.lines)) < 0.5
    other = replace(
        roads,
        u=np.where(turned, roads.v, roads.u),
        v=np.where(turned, roads.u, roads.v),
        forward_s=np.where(turned, roads.backward_s, roads.forward_s),
        backward_s=np.where(turned, roads.forward_s, roads.backward_s),
        lines=np.where(turned, shapely.reverse(roads.lines), roads.lines),
    )
    assert_the_same(roads, other, homes, halls)


def assert_the_same(roads: Roads, other: Roads, homes, halls) -> None:
    before, after = (nearest(town, homes, halls, limit_min=18) for town in (roads, other))
    np.testing.assert_allclose(after.seconds, before.seconds, rtol=0, atol=1e-6)
    np.testing.assert_allclose(after.leg_m, before.leg_m, rtol=0, atol=1e-6)
    assert after.status.tolist() == before.status.tolist()
    one, two = (within(town, homes, halls, limit_min=18).seconds for town in (roads, other))
    assert (one.indptr.tolist(), one.indices.tolist()) == (two.indptr.tolist(), two.indices.tolist())
    np.testing.assert_allclose(two.data, one.data, rtol=0, atol=1e-6)


@LAW
@given(TOWNS, MINUTES)
def test_the_least_of_a_residents_pairs_is_the_nearest(seed, minutes) -> None:
    _, roads, homes, halls = drawn(seed)
    near, pairs = (
        nearest(roads, homes, halls, limit_min=minutes),
        within(roads, homes, halls, limit_min=minutes),
    )
    least = np.full(len(homes), np.inf)
    found = pairs.seconds.tocoo()
    np.minimum.at(least, found.row, found.data)
    np.testing.assert_array_equal(least, np.where(near.status == "covered", seconds_of(near), np.inf))
    ranked = nearest(roads, homes, halls, limit_min=minutes, k=len(halls))
    assert pairs.seconds.nnz == (ranked.status == "covered").sum()


@LAW
@given(TOWNS, MINUTES, st.sampled_from([None, "district", ["district", "half"]]))
def test_people_add_up_in_every_table(seed, minutes, by) -> None:
    _, roads, homes, halls = drawn(seed)
    homes = homes.assign(half=np.arange(len(homes)) % 2)
    near = nearest(roads, homes, halls, limit_min=15)
    table = coverage(near, homes, limit_min=minutes, by=by)
    assert (table[list(STATUSES)].sum(axis=1) == table.people).all()
    assert np.isclose(table.people.sum(), homes.population.sum(), rtol=1e-12)
    whole = coverage(near, homes, limit_min=minutes).loc["all"]
    np.testing.assert_allclose(table.drop(columns="rate").sum(), whole.drop("rate"), rtol=1e-12)
    between = bounds(table)
    assert (between.lower.fillna(0) <= between.upper.fillna(0)).all()
    assert between.upper.fillna(0).max() <= 1
