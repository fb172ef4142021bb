"""Snapping, nearest and within, against streets counted by hand and against a second way of counting.

The second way tries every point against every segment, puts every place found in the network as a
junction of its own, and lets networkx search from each facility in turn.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from scipy.spatial import Delaunay

from conftest import seeds
from lifecircle.errors import GraphError, ProjectionError
from lifecircle.limits import STATUSES, within_limit
from lifecircle.reach import (
    TravelGraph,
    _pairs,
    _trips,
    nearest,
    nearest_seconds,
    snap,
    solve_nearest,
    usable,
    within,
)
from lifecircle.roads import Roads, profile

METRES = pyproj.CRS("EPSG:4549")
ORIGIN = np.array([520_000.0, 3_380_000.0])
WALK = profile("walk").at_speed(4.5)  # 1.25 m/s: 100 m in 80 s, exactly


@pytest.fixture(params=["scipy", "ring"], scope="module", autouse=True)
def engine(request):
    """Ask every question of this file of both engines."""
    if request.param == "ring" and os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") != "1":
        pytest.importorskip("numba", reason="the extra `fast` is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIFECIRCLE_ENGINE", request.param)
        yield request.param


# ---------------------------------------------------------------------------------------------------------
# Towns


def roads_of(courses, *, one_way=(), barriers=(), travel=WALK) -> Roads:
    """Build roads from courses [(x, y), ...] in metres from the origin; junctions are the courses' ends."""
    lines = np.array([shapely.LineString(np.asarray(course) + ORIGIN) for course in courses], dtype=object)
    ends = np.array([[line.coords[0], line.coords[-1]] for line in lines]).reshape(-1, 2)
    xy, number = np.unique(ends, axis=0, return_inverse=True)
    u, v = number.reshape(-1, 2).astype(np.int32).T
    length = shapely.length(lines)
    seconds = length / travel.speed_ms
    return Roads(
        crs=METRES,
        profile=travel,
        xy=xy,
        u=u,
        v=v,
        length_m=length,
        forward_s=seconds,
        backward_s=np.where(np.isin(np.arange(len(lines)), list(one_way)), np.inf, seconds),
        lines=lines,
        highway=np.full(len(lines), "residential", dtype=object),
        barriers=np.array(
            [shapely.transform(shape, lambda xy: xy + ORIGIN) for shape in barriers], dtype=object
        ),
    )


def table_of(places, *, people=None, index=None) -> gpd.GeoDataFrame:
    """Put places (metres from the origin, shapes, or None) in a table; with people, it is a demand table."""
    shapes = [
        place if place is None else shapely.transform(_shape(place), lambda xy: xy + ORIGIN)
        for place in places
    ]
    columns = {} if people is None else {"population": np.broadcast_to(float(people), len(shapes))}
    return gpd.GeoDataFrame(columns, geometry=np.array(shapes, dtype=object), crs=METRES, index=index)


def _shape(place):
    return place if isinstance(place, shapely.Geometry) else shapely.Point(*place)


def homes_of(places, **more) -> gpd.GeoDataFrame:
    return table_of(places, people=1, **more)


STREET = [[(0, 0), (1000, 0)]]


# ---------------------------------------------------------------------------------------------------------
# Snapping


def test_a_point_joins_the_nearest_place_along_an_edge() -> None:
    roads = roads_of([[(0, 0), (100, 0), (100, 300)], [(0, 500), (100, 500)]])
    found = snap(roads, homes_of([(90, 200), (40, -3), (50, 480)], index=["a", "b", "c"]))
    assert found.index.tolist() == ["a", "b", "c"]
    assert found.edge.tolist() == [0, 0, 1]
    np.testing.assert_allclose(found.share, [300 / 400, 40 / 400, 0.5], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.leg_m, [10, 3, 20], rtol=0, atol=1e-9)
    assert found.reason.tolist() == ["", "", ""]
    assert len(found) == 3


def test_equal_distances_go_to_the_lowest_edge() -> None:
    roads = roads_of([[(0, 10), (100, 10)], [(0, -10), (100, -10)], [(0, 10), (100, 10)]])
    assert snap(roads, homes_of([(50, 0), (50, 20)])).edge.tolist() == [0, 0]
    turned = roads_of([[(0, -10), (100, -10)], [(0, 10), (100, 10)], [(100, 10), (0, 10)]])
    assert snap(turned, homes_of([(50, 0), (50, 20)])).edge.tolist() == [0, 1]


def test_a_snap_prefers_the_main_network_to_a_short_fragment_only_when_asked() -> None:
    """A path of 20 m joins nothing; the street is 1,000 m long. Metres of each home to path and street."""
    path = [(200, 45), (220, 45)]
    roads = roads_of([[(0, 0), (1000, 0)], path])
    homes = homes_of(
        [(210, 48), (210, 50), (210, 47.5), (210, 20)]
    )  # 3 and 48, 5 and 50, 2.5 and 47.5, 25, 20
    assert snap(roads, homes).edge.tolist() == [1, 1, 1, 0]
    assert snap(roads, homes).moved.tolist() == [False] * 4
    found = snap(roads, homes, prefer_main_m=45)  # farther by 45 exactly, 45, 45, and not at all
    assert found.edge.tolist() == [0] * 4
    assert found.moved.tolist() == [True, True, True, False]
    np.testing.assert_allclose(found.leg_m, [48, 50, 47.5, 20], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.share, 0.21, rtol=0, atol=1e-12)
    assert snap(roads, homes, prefer_main_m=44.999).edge.tolist() == [1, 1, 1, 0]
    assert found.take([3, 0]).moved.tolist() == [False, True]


def test_a_fragment_is_short_by_all_its_roads_and_the_longest_never_is() -> None:
    street, spur = [(0, 0), (1000, 0)], [[(200, 45), (500, 45)], [(500, 45), (500, 245)]]  # 300 + 200 m
    home = homes_of([(350, 40)])
    roads = roads_of([street, *spur])
    assert snap(roads, home, prefer_main_m=50).edge.tolist() == [1]  # 500 m is not under 500 m
    assert snap(roads, home, prefer_main_m=50, fragment_m=500.001).edge.tolist() == [0]
    small = roads_of([[(0, 0), (90, 0)], [(0, 45), (80, 45)]])  # both short; the longer one is the network
    assert snap(small, homes_of([(40, 5), (40, 40)]), prefer_main_m=50).edge.tolist() == [0, 0]
    assert snap(small, homes_of([(40, 40)]), prefer_main_m=50).moved.tolist() == [True]


def test_the_main_network_within_the_cap_the_lowest_edge_of_equals_and_past_no_barrier() -> None:
    path, streets = (
        [(200, 45), (220, 45)],
        [[(0, 0), (1000, 0)], [(0, 90), (1000, 90)], [(1000, 0), (1000, 90)]],
    )
    roads = roads_of([path, *streets])
    homes = homes_of([(210, 45), (210, 44), (210, 46)])  # in the middle, nearer the first, nearer the second
    assert snap(roads, homes, prefer_main_m=50).edge.tolist() == [1, 1, 2]
    assert snap(roads, homes, prefer_main_m=50, cap_m=44).edge.tolist() == [0, 1, 2]
    wall = shapely.LineString([(150, 20), (300, 20)])
    walled = roads_of([path, *streets], barriers=[wall])
    assert snap(walled, homes, prefer_main_m=50).edge.tolist() == [2, 2, 2]
    closed = roads_of([path, *streets], barriers=[wall, shapely.LineString([(150, 70), (300, 70)])])
    found = snap(closed, homes, prefer_main_m=50)
    assert found.edge.tolist() == [0, 0, 0]
    assert not found.moved.any()


@pytest.mark.parametrize("metres", [-1.0, float("nan")])
@pytest.mark.parametrize("name", ["prefer_main_m", "fragment_m"])
def test_a_preference_is_in_metres(name, metres) -> None:
    with pytest.raises(GraphError, match=name):
        snap(roads_of(STREET), homes_of([(0, 0)]), **{name: metres})


def test_kept_snaps_are_kept_apart_by_preference(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path))
    roads = roads_of([[(0, 0), (1000, 0)], [(200, 45), (220, 45)]])
    home = homes_of([(210, 48)])
    for _ in range(2):  # fresh, then kept
        assert snap(roads, home, keep=True).edge.tolist() == [1]
        found = snap(roads, home, keep=True, prefer_main_m=50)
        assert (found.edge.tolist(), found.moved.tolist()) == ([0], [True])
        assert snap(roads, home, keep=True, prefer_main_m=50, fragment_m=10).edge.tolist() == [1]


def test_a_point_at_a_junction_has_a_share_of_exactly_nought_or_one() -> None:
    fan = [[(0, 0), (100 * np.cos(t), 100 * np.sin(t))] for t in np.linspace(-1, 1, 7)]
    away, back = roads_of(fan), roads_of([course[::-1] for course in fan])
    homes = homes_of([(0, 0), (-7.3, 0.11), (1e-9, 0), (5e-8, 0)])
    assert snap(away, homes).share.tolist() == [0.0] * 4
    assert snap(back, homes).share.tolist() == [1.0] * 4
    assert 0 < snap(away, homes_of([(1, 0)])).share[0] < 0.011


@pytest.mark.parametrize(("people", "cap"), [(1, 500), (None, 300)])
def test_the_default_cap_goes_by_the_kind_of_table_and_is_inclusive(people, cap) -> None:
    roads = roads_of(STREET)
    found = snap(roads, table_of([(500, cap), (500, cap + 0.5)], people=people))
    assert found.edge.tolist() == [0, -1]
    assert found.reason.tolist() == ["", "far"]
    np.testing.assert_allclose(found.leg_m, [cap, cap + 0.5])


def test_a_cap_of_ones_own() -> None:
    roads, homes = roads_of(STREET), homes_of([(500, 20), (500, 5000)])
    assert snap(roads, homes, cap_m=19).reason.tolist() == ["far", "far"]
    assert snap(roads, homes, cap_m=None).reason.tolist() == ["", ""]
    assert snap(roads, homes_of([(500, 0), (500, 1)]), cap_m=0).reason.tolist() == ["", "far"]
    for cap in (-1, float("nan"), "none"):
        with pytest.raises(GraphError, match="cap_m is"):
            snap(roads, homes, cap_m=cap)


def test_rows_without_a_usable_place_are_kept() -> None:
    homes = homes_of([None, shapely.Point(), (500, 1), shapely.Polygon()])
    found = snap(roads_of(STREET), homes)
    assert found.reason.tolist() == ["no_place", "no_place", "", "no_place"]
    assert np.isnan(found.leg_m).tolist() == [True, True, False, True]
    nowhere = gpd.GeoDataFrame({"population": [1.0]}, geometry=[shapely.Point(np.inf, np.nan)], crs=METRES)
    assert snap(roads_of(STREET), nowhere).reason.tolist() == ["no_place"]


def test_what_is_not_a_point_stands_at_its_centroid() -> None:
    found = snap(
        roads_of(STREET), homes_of([shapely.box(200, 10, 300, 30), shapely.MultiPoint([(0, 5), (100, 5)])])
    )
    np.testing.assert_allclose(found.share, [0.25, 0.05])
    np.testing.assert_allclose(found.leg_m, [20, 5])


def test_a_table_comes_in_its_own_crs() -> None:
    roads, homes = roads_of(STREET), homes_of([(250, 12), (700, -30)])
    found, same = snap(roads, homes.to_crs(4326)), snap(roads, homes)
    np.testing.assert_allclose(found.share, same.share, atol=1e-8)
    np.testing.assert_allclose(found.leg_m, same.leg_m, atol=1e-5)


def test_a_table_without_crs_or_geometry_is_refused_with_a_remedy() -> None:
    homes = homes_of([(1, 1)])
    with pytest.raises(ProjectionError, match=r"no coordinate system: state it with table.set_crs"):
        snap(roads_of(STREET), homes.set_crs(None, allow_override=True))
    for table in (pd.DataFrame({"population": [1]}), gpd.GeoDataFrame({"population": [1]})):
        with pytest.raises(GraphError, match="no geometry: make it with"):
            snap(roads_of(STREET), table)


def test_no_roads_and_no_rows() -> None:
    empty = roads_of(STREET)
    empty = replace(empty, **{name: getattr(empty, name)[:0] for name in ("u", "v", "length_m", "forward_s")})
    empty = replace(empty, **{name: getattr(empty, name)[:0] for name in ("backward_s", "lines", "highway")})
    homes, halls = homes_of([(1, 1), None]), table_of([(2, 2)])
    assert snap(empty, homes, cap_m=None).reason.tolist() == ["far", "no_place"]
    assert nearest(empty, homes, halls, limit_min=15).status.tolist() == ["unsnapped", "unsnapped"]
    assert within(empty, homes, halls, limit_min=15).seconds.nnz == 0
    assert len(snap(roads_of(STREET), homes[:0])) == 0
    assert len(nearest(roads_of(STREET), homes[:0], halls, limit_min=15)) == 0


def test_taking_rows_of_a_snap() -> None:
    found = snap(roads_of(STREET), homes_of([(100, 0), (200, 9), None, (400, 900)], index=list("abcd")))
    taken = found.take([3, 1])
    assert taken.index.tolist() == ["d", "b"]
    assert taken.edge.tolist() == [-1, 0]
    assert taken.reason.tolist() == ["far", ""]
    assert taken.leg_m.tolist() == [900.0, 9.0]
    assert found.where(found.snapped).index.tolist() == ["a", "b"]
    assert found.where([False] * 4).index.tolist() == []
    with pytest.raises(GraphError, match="the mask has shape"):
        found.where([True])


def test_a_snap_serves_every_speed_and_no_other_roads() -> None:
    roads, homes, halls = roads_of(STREET), homes_of([(100, 0)]), table_of([(600, 0)])
    here, there = snap(roads, homes), snap(roads, halls)
    assert nearest(roads, here, there, limit_min=15).seconds.tolist() == [400.0]
    assert nearest(roads.at_speed(9.0), here, there, limit_min=15).seconds.tolist() == [200.0]
    other = roads_of(STREET)
    for ask in (
        lambda: nearest(other, here, halls, limit_min=15),
        lambda: within(other, homes, there, limit_min=15),
    ):
        with pytest.raises(GraphError, match=r"belongs to other roads .*snap the table again"):
            ask()
    with pytest.raises(GraphError, match="belongs to other roads"):
        usable(other, here, limit_min=15)


def test_snapping_in_any_order_gives_the_same_places() -> None:
    rng = np.random.default_rng(5)
    town = random_town(rng)
    homes = homes_of(rng.random((300, 2)) * 2000)
    order = rng.permutation(300)
    found, mixed = snap(town, homes), snap(town, homes.iloc[order])
    np.testing.assert_array_equal(found.take(order).edge, mixed.edge)
    np.testing.assert_array_equal(found.take(order).share, mixed.share)
    np.testing.assert_array_equal(found.take(order).leg_m, mixed.leg_m)


# ---------------------------------------------------------------------------------------------------------
# Barriers

RIVER = shapely.LineString([(-100, 20), (1100, 20)])
TWO_BANKS = [[(0, 0), (1000, 0)], [(0, 100), (1000, 100)]]


def test_a_leg_does_not_cross_a_barrier() -> None:
    homes = homes_of([(500, 30), (500, 10), (500, 60)])
    assert snap(roads_of(TWO_BANKS), homes).edge.tolist() == [0, 0, 1]
    found = snap(roads_of(TWO_BANKS, barriers=[RIVER]), homes)
    assert found.edge.tolist() == [1, 0, 1]
    np.testing.assert_allclose(found.leg_m, [70, 10, 40])
    assert found.reason.tolist() == ["", "", ""]


def test_a_leg_does_not_run_through_a_polygon_but_may_follow_its_bank() -> None:
    lake = shapely.box(400, 5, 600, 25)
    homes = homes_of([(500, 30), (400, 30), (399, 30), (500, 15)])
    found = snap(roads_of(TWO_BANKS, barriers=[lake]), homes)
    assert found.edge.tolist() == [1, 0, 0, -1]
    assert found.reason.tolist() == ["", "", "", "barrier"]


def test_without_a_clear_edge_within_the_cap_there_is_no_leg() -> None:
    walls = [shapely.box(490, 20, 510, 40).exterior]
    homes = homes_of([(500, 30), (500, 601)])
    found = snap(roads_of(TWO_BANKS, barriers=walls), homes)
    assert found.reason.tolist() == ["barrier", "far"]
    assert found.edge.tolist() == [-1, -1]
    np.testing.assert_allclose(found.leg_m, [30, 501])
    assert snap(roads_of(TWO_BANKS, barriers=walls), homes, cap_m=None).reason.tolist() == ["barrier", ""]
    assert snap(roads_of(TWO_BANKS, barriers=[RIVER]), homes_of([(500, 30)]), cap_m=69).reason.tolist() == [
        "barrier"
    ]


def test_only_the_eight_nearest_edges_are_tried() -> None:
    near_side = [[(10 * i, 0), (10 * i + 5, 0)] for i in range(46, 54)]
    far_side = [[(0, 200), (1000, 200)]]
    home = homes_of([(500, 30)])
    assert snap(roads_of(near_side[1:] + far_side, barriers=[RIVER]), home).edge.tolist() == [7]
    assert snap(roads_of(near_side + far_side, barriers=[RIVER]), home).reason.tolist() == ["barrier"]
    for cap in (500, None):
        assert snap(roads_of(near_side[1:] + far_side, barriers=[RIVER]), home, cap_m=cap).edge.tolist() == [
            7
        ]


def test_a_road_on_the_barrier_itself_can_be_joined() -> None:
    crossing = [[(500, -200), (500, 300)]]
    railway = shapely.LineString([(0, 0), (500, 0), (1000, 0)])
    found = snap(
        roads_of(crossing, barriers=[railway]), homes_of([(450, 0.0), (450, 1), (450, -1), (500, 0)])
    )
    assert found.reason.tolist() == ["barrier", "", "", ""]  # the first leg would run along the rails
    oblique = [[(0, -300), (1000, 200)]]
    home = np.array([600, 0]) + 40 * np.array([-1, 2]) / np.sqrt(5)
    assert snap(roads_of(oblique, barriers=[railway]), homes_of([home])).reason.tolist() == [""]


def test_a_leg_through_the_joint_of_two_walls_crosses() -> None:
    walls = [shapely.LineString([(0, 20), (500, 20)]), shapely.LineString([(500, 20), (1000, 20)])]
    assert snap(roads_of(STREET, barriers=walls), homes_of([(500, 30)])).reason.tolist() == ["barrier"]


def test_barriers_against_every_edge_tried_in_turn() -> None:
    turned_away = moved_on = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        shapes = [shapely.LineString(line) for line in rng.random((12, 2, 2)) * 2000]
        shapes += [shapely.Point(place).buffer(90) for place in rng.random((6, 2)) * 2000]
        barriers = np.array(
            [shapely.transform(shape, lambda xy: xy + ORIGIN) for shape in shapes], dtype=object
        )
        open_town = random_town(rng)
        town, homes = replace(open_town, barriers=barriers), homes_of(rng.random((120, 2)) * 2000)
        cap = None if seed % 2 else 250
        found = snap(town, homes, cap_m=cap)
        expected = [joined_by_hand(town, home, np.inf if cap is None else cap) for home in homes.geometry]
        assert list(zip(found.edge.tolist(), found.reason.tolist(), strict=True)) == expected
        turned_away += (found.reason == "barrier").sum()
        moved_on += ((found.edge != snap(open_town, homes, cap_m=cap).edge) & found.snapped).sum()
    assert turned_away > 20
    assert moved_on > 20


def joined_by_hand(town: Roads, home, cap: float) -> tuple[int, str]:
    """Try the eight nearest edges in turn."""
    metres = shapely.distance(town.lines, home)
    ranked = np.lexsort((np.arange(len(metres)), metres))[:8]
    allowed = [int(edge) for edge in ranked if metres[edge] <= cap]
    for edge in allowed:
        if not _blocked(town.lines[edge], home, town.barriers):
            return edge, ""
    return -1, "barrier" if allowed else "far"


def _blocked(line, home, barriers) -> bool:
    leg = shapely.LineString([home, line.interpolate(line.project(home))])
    return any(leg.crosses(shape) or leg.within(shape) for shape in barriers)


# ---------------------------------------------------------------------------------------------------------
# Nearest, by hand


def test_both_legs_and_the_road_are_charged() -> None:
    near = nearest(
        roads_of(STREET), homes_of([(100, 50)], index=["h"]), table_of([(600, -25)], index=[77]), limit_min=15
    )
    assert near.columns.tolist() == ["facility", "seconds", "minutes", "status", "leg_m", "reason"]
    assert near.index.tolist() == ["h"]
    row = near.loc["h"]
    assert row["facility"] == 77
    assert row["seconds"] == pytest.approx((50 + 500 + 25) / 1.25, abs=1e-9)
    assert row["minutes"] == row["seconds"] / 60
    assert (row["status"], row["leg_m"], row["reason"]) == ("covered", pytest.approx(50), "")


def test_a_resident_at_the_facilitys_own_place_is_charged_both_legs() -> None:
    near = nearest(roads_of(STREET), homes_of([(100, 50)]), table_of([(100, 50)]), limit_min=15)
    assert near.seconds.tolist() == pytest.approx([100 / 1.25])


def test_one_way_edges_bind_on_the_edge_itself() -> None:
    ring = [[(0, 0), (1000, 0)], [(1000, 0), (1000, 400), (0, 400), (0, 0)]]
    homes, halls = homes_of([(200, 0), (600, 0)]), table_of([(400, 0)])
    assert nearest(roads_of(ring), homes, halls, limit_min=60).seconds.tolist() == pytest.approx([160, 160])
    around = 400 + 1800 + 400
    seconds = nearest(roads_of(ring, one_way=[0]), homes, halls, limit_min=60).seconds
    assert seconds.tolist() == pytest.approx([160, around / 1.25])
    alone = nearest(roads_of(ring[:1], one_way=[0]), homes, halls, limit_min=60)
    assert alone.status.tolist() == ["covered", "disconnected"]
    assert np.isnan(alone.seconds[1])
    assert pd.isna(alone.facility[1])


def test_two_who_face_each_other_across_a_one_way_street_are_at_one_place() -> None:
    """Their places along it differ by float noise, which must not send one of them round the block."""
    a, b, c = np.array([0, 0]), np.array([700, 400]), np.array([0, 900])
    roads = roads_of([[a, b], [b, c], [c, a]], one_way=[0, 1, 2])
    ahead = (b - a) / np.hypot(*(b - a))
    aside = np.array([-ahead[1], ahead[0]])
    metres = 200 + 400 * np.random.default_rng(0).random((40, 1))
    homes, halls = homes_of(metres * ahead + 9 * aside), table_of(metres * ahead - 6 * aside)
    here, there = snap(roads, homes), snap(roads, halls)
    assert (here.share > there.share).any()
    for row in range(len(homes)):
        one, other = here.take([row]), there.take([row])
        near = nearest(roads, one, other, limit_min=15)
        assert near.seconds.tolist() == pytest.approx([15 / 1.25], abs=1e-6)
        assert within(roads, one, other, limit_min=15).seconds.nnz == 1
        assert nearest(roads, one, other, limit_min=15, k=2).seconds.iloc[0] == near.seconds.iloc[0]
    behind = table_of(metres * ahead - 6 * aside - 1e-4 * ahead)
    farther = nearest_seconds(roads, here.take([0]), snap(roads, behind).take([0]), limit_min=60)[0]
    assert farther[0, 0] > 1000


def test_a_place_at_a_junction_costs_nothing_even_where_a_direction_is_closed() -> None:
    cross = [[(0, 0), (500, 0)], [(500, 0), (500, 500)]]
    for one_way in ((), (0,), (1,), (0, 1)):
        roads = roads_of(cross, one_way=one_way)
        near = nearest(roads, homes_of([(0, 0), (500, 0), (500, 0)]), table_of([(500, 0)]), limit_min=60)
        assert near.seconds.tolist() == [400.0, 0.0, 0.0]
        on = nearest(roads, homes_of([(500, 0)]), table_of([(500, 500)]), limit_min=60)
        assert on.seconds.tolist() == [400.0]


def test_the_two_ends_of_a_loop_are_one_place() -> None:
    loop = [[(0, 0), (200, 0), (200, 200), (0, 200), (0, 0)], [(-300, 0), (0, 0)]]
    near = nearest(
        roads_of(loop), homes_of([(-100, 0), (0, 10), (0, 190)]), table_of([(10, 0)]), limit_min=60
    )
    assert near.seconds.tolist() == pytest.approx([110 / 1.25, 20 / 1.25, 200 / 1.25])


def test_equal_seconds_go_to_the_first_facility() -> None:
    roads = roads_of([[(0, 0), (1000, 0)], [(0, 0), (0, 1000)], [(1000, 0), (2000, 0)]])
    homes = homes_of([(500, 0), (0, 0), (750, 0), (1000, 0)])
    halls = table_of([(1250, 0), (250, 0), (0, 250), (750, 0), (750, 0)], index=list("ZYXWV"))
    near = nearest(roads, homes, halls, limit_min=60, k=2)
    assert near.facility.xs(1, level="rank").tolist() == ["Y", "Y", "W", "Z"]
    assert near.facility.xs(2, level="rank").tolist() == ["W", "X", "V", "W"]
    assert nearest(roads, homes, halls, limit_min=60).facility.tolist() == ["Y", "Y", "W", "Z"]


def test_the_four_statuses() -> None:
    roads = roads_of([[(0, 0), (3000, 0)], [(0, 5000), (500, 5000)]])
    homes = homes_of([(100, 0), (2900, 0), (250, 5000), (0, 9000), None])
    near = nearest(roads, homes, table_of([(0, 0)]), limit_min=15)
    assert near.status.tolist() == ["covered", "beyond", "disconnected", "unsnapped", "unsnapped"]
    assert near.reason.tolist() == ["", "", "", "far", "no_place"]
    assert near.seconds.notna().tolist() == [True, True, False, False, False]
    assert set(near.status) == set(STATUSES)


def test_without_facilities_everyone_on_the_roads_is_disconnected() -> None:
    roads, homes = roads_of(STREET), homes_of([(100, 0), None])
    for halls in (table_of([]), table_of([None]), table_of([(0, 4000)])):
        near = nearest(roads, homes, halls, limit_min=15)
        assert near.status.tolist() == ["disconnected", "unsnapped"]
        assert near.facility.isna().all()
        ranked = nearest(roads, homes, halls, limit_min=15, k=2)
        assert ranked.status.tolist() == ["disconnected"] * 2 + ["unsnapped"] * 2
        pairs = within(roads, homes, halls, limit_min=15)
        assert pairs.seconds.shape == (2, len(halls))
        assert pairs.seconds.nnz == 0


def test_access_legs_take_at_most_a_quarter_of_the_limit() -> None:
    roads = roads_of(STREET)  # 4 minutes at 1.25 m/s: a quarter is 75 m
    homes = homes_of([(100, 75), (100, 75.01), (100, 0), (100, 600)])
    near = nearest(roads, homes, table_of([(100, 0)]), limit_min=4)
    assert near.status.tolist() == ["covered", "unsnapped", "covered", "unsnapped"]
    assert near.reason.tolist() == ["", "far", "", "far"]
    assert near.leg_m.tolist() == pytest.approx([75, 75.01, 0, 600])
    assert np.isnan(near.seconds[1])
    out = nearest(roads, homes, table_of([(100, 75.01)]), limit_min=4)
    assert out.status.tolist() == ["disconnected", "unsnapped", "disconnected", "unsnapped"]
    assert nearest(roads, homes, table_of([(100, 75)]), limit_min=4).status[2] == "covered"
    assert usable(roads, snap(roads, homes), limit_min=4).tolist() == [True, False, True, False]
    assert usable(roads, snap(roads, homes), limit_min=0).tolist() == [False, False, True, False]


@pytest.mark.parametrize("limit_min", [-1, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(limit_min) -> None:
    arguments = roads_of(STREET), homes_of([(100, 0)]), table_of([(0, 0)])
    for ask in (nearest, within):
        with pytest.raises(GraphError, match=r"limit_min is .*give a finite number of minutes >= 0"):
            ask(*arguments, limit_min=limit_min)


@pytest.mark.parametrize("k", [0, -2, 1.0, True])
def test_a_count_that_is_none_is_refused(k) -> None:
    with pytest.raises(GraphError, match="k is"):
        nearest(roads_of(STREET), homes_of([(100, 0)]), table_of([(0, 0)]), limit_min=15, k=k)


def test_labels_keep_their_kind() -> None:
    roads, homes = roads_of(STREET), homes_of([(100, 0), None])
    whole = nearest(roads, homes, table_of([(0, 0), (50, 0)]), limit_min=15).facility
    assert str(whole.dtype) == "Int64"
    assert whole[0] == 1
    assert pd.isna(whole[1])
    named = nearest(roads, homes, table_of([(0, 0)], index=["hall"]), limit_min=15).facility
    assert named[0] == "hall"
    assert pd.isna(named[1])


def test_ranks_stand_in_a_second_level_and_run_out() -> None:
    near = nearest(
        roads_of(STREET),
        homes_of([(0, 0), (900, 0)], index=[5, 3]),
        table_of([(100, 0), (800, 0)]),
        limit_min=3,
        k=3,
    )
    assert near.index.names == ["demand", "rank"]
    assert near.index.tolist() == [(5, 1), (5, 2), (5, 3), (3, 1), (3, 2), (3, 3)]
    assert near.facility.tolist() == [0, 1, pd.NA, 1, 0, pd.NA]
    assert near.status.tolist() == ["covered", "beyond", "disconnected"] * 2
    assert near.seconds.dropna().tolist() == pytest.approx([80, 640, 80, 640])


@pytest.mark.parametrize("seed", range(60))
def test_a_walk_of_exactly_the_limit_counts_however_it_is_cut(seed) -> None:
    """1,250 m at 5 km/h are 900 s, cut into edges at random whole metres."""
    rng = np.random.default_rng(seed)
    cuts = np.unique(np.r_[0, rng.choice(np.arange(1, 1300), rng.integers(1, 1200), replace=False), 1300])
    flip = rng.random(len(cuts) - 1) < 0.5
    courses = [
        [(a, 0), (b, 0)][:: -1 if turned else 1]
        for a, b, turned in zip(cuts[:-1], cuts[1:], flip, strict=True)
    ]
    roads = roads_of(courses, travel=profile("walk"))
    start = int(rng.integers(0, 50))
    homes, halls = homes_of([(start, 0), (start + 1250.01, 0)]), table_of([(start + 1250, 0)])
    near = nearest(roads, homes, halls, limit_min=15)
    assert abs(near.seconds[0] - 900) < 1e-6
    assert near.status.tolist() == ["covered", "covered"]
    assert within(roads, homes, halls, limit_min=15).seconds.nnz == 2
    longer = homes_of([(start - 0.01, 0)]) if start else homes_of([(0, 0.01)])
    assert nearest(roads, longer, halls, limit_min=15).status.tolist() == ["beyond"]


def test_within_limit_takes_one_limit_or_many() -> None:
    assert within_limit(900.0, 900.0)
    assert within_limit([1.0, 2.0, np.nan], [1.0, 1.0, 1.0]).tolist() == [True, False, False]


def test_pairs_carry_labels_and_stored_zeros() -> None:
    roads = roads_of(STREET)
    pairs = within(
        roads,
        homes_of([(500, 0), (0, 0)], index=["a", "b"]),
        table_of([(0, 0), (500, 0), (1000, 0)]),
        limit_min=10,
    )
    assert pairs.demand.tolist() == ["a", "b"]
    assert pairs.facilities.tolist() == [0, 1, 2]
    assert pairs.seconds.format == "csr"
    assert pairs.seconds.nnz == 5
    assert pairs.seconds.toarray().tolist() == [[400, 0, 400], [0, 400, 0]]
    assert pairs.seconds.indices.tolist() == [0, 1, 2, 0, 1]


def test_arguments_are_left_alone() -> None:
    rng = np.random.default_rng(3)
    town, homes, halls = (
        random_town(rng),
        homes_of(rng.random((30, 2)) * 2000),
        table_of(rng.random((5, 2)) * 2000),
    )
    copies = homes.copy(), halls.copy()
    nearest(town, homes, halls, limit_min=15, k=2)
    within(town, homes, halls, limit_min=15)
    pd.testing.assert_frame_equal(homes, copies[0])
    pd.testing.assert_frame_equal(halls, copies[1])


# ---------------------------------------------------------------------------------------------------------
# Nearest and within, counted a second time


def random_town(rng, *, junctions=30, keep=0.5) -> Roads:
    """Draw a planar town with one-ways, bent streets, parallel streets, loops and islands."""
    xy = rng.random((junctions, 2)) * 2000
    corners = Delaunay(xy).simplices
    pairs = np.unique(
        np.sort(np.r_[corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]], axis=1), axis=0
    )
    courses = [[xy[a], xy[b]] for a, b in pairs[rng.random(len(pairs)) < keep]]
    twins = [
        [a, (a + b) / 2 + rng.normal(0, 40, 2), b] for a, b in courses[:4]
    ]  # a bent one beside the street
    loops = [
        [place, place + rng.normal(0, 80, 2), place + rng.normal(0, 80, 2), place]
        for place in xy[rng.choice(junctions, 2, replace=False)]
    ]
    courses += twins + loops
    courses = [course[:: int(rng.choice([-1, 1]))] for course in courses]
    return roads_of(courses, one_way=np.flatnonzero(rng.random(len(courses)) < 0.35))


def lattice_town(rng) -> Roads:
    """Draw a lattice of 100 m blocks, where ties abound and every time is a whole number of seconds."""
    courses = [[(100 * i, 100 * j), (100 * i + 100, 100 * j)] for i in range(5) for j in range(6)]
    courses += [[(100 * i, 100 * j), (100 * i, 100 * j + 100)] for i in range(6) for j in range(5)]
    courses = [courses[i] for i in np.flatnonzero(rng.random(len(courses)) < 0.8)]
    return roads_of(courses, one_way=np.flatnonzero(rng.random(len(courses)) < 0.3))


@dataclass
class Place:
    """Where the second way of counting puts a point: edge, metres along it, length of the leg."""

    edge: int
    at: float
    leg: float


def place_by_hand(roads: Roads, point, cap: float) -> Place | None:
    """Try every segment of every edge."""
    best = None
    for edge, line in enumerate(roads.lines):
        vertices = np.asarray(line.coords)
        run = 0.0
        for a, b in itertools.pairwise(vertices):
            length = np.hypot(*(b - a))
            along = min(max(float((point - a) @ (b - a)) / length, 0.0), length)
            leg = np.hypot(*(a + (b - a) * along / length - point))
            if best is None or leg < best.leg - 1e-9:
                best = Place(edge, run + along, leg)
            run += length
    best.at = min(best.at, roads.length_m[best.edge])
    return best if best.leg <= cap + 1e-9 else None


def network_by_hand(roads: Roads, on_edge: dict[int, list]) -> nx.DiGraph:
    """Put every edge in a network, cut at the places (metres along, name) that stand on it."""
    network = nx.DiGraph()

    def link(a, b, seconds):
        if np.isfinite(seconds) and seconds <= network.get_edge_data(a, b, {"s": np.inf})["s"]:
            network.add_edge(a, b, s=seconds)

    for edge, length in enumerate(roads.length_m):
        stops = [(0.0, ("junction", roads.u[edge])), *sorted(on_edge.get(edge, []))]
        stops.append((length, ("junction", roads.v[edge])))
        for (at, a), (then, b) in itertools.pairwise(stops):
            gap = (then - at) / length
            link(a, b, gap * roads.forward_s[edge])
            link(b, a, 0.0 if then - at < 1e-7 else gap * roads.backward_s[edge])
    return network


def matrix_by_hand(roads: Roads, homes, halls, *, limit_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return seconds (home, hall), inf where there is no way or a leg is too long, and who has a road."""
    speed = roads.profile.access_ms
    caps = {"home": min(500.0, 0.25 * limit_s * speed), "hall": min(300.0, 0.25 * limit_s * speed)}
    places = {
        (kind, row): place_by_hand(roads, shapely.get_coordinates(shape)[0], caps[kind])
        for kind, table in (("home", homes), ("hall", halls))
        for row, shape in enumerate(table.geometry)
    }
    places = {name: place for name, place in places.items() if place is not None}
    on_edge: dict[int, list] = {}
    for name, place in places.items():
        on_edge.setdefault(place.edge, []).append((place.at, name))
    backwards = network_by_hand(roads, on_edge).reverse()
    seconds = np.full((len(homes), len(halls)), np.inf)
    for kind, column in places:
        if kind == "hall":
            found = nx.single_source_dijkstra_path_length(backwards, (kind, column), weight="s")
            for row in range(len(homes)):
                if ("home", row) in found:
                    legs = (places["home", row].leg + places[kind, column].leg) / speed
                    seconds[row, column] = legs + found["home", row]
    return seconds, np.array([("home", row) in places for row in range(len(homes))])


def crowd(rng, roads: Roads, many: int, size: float) -> np.ndarray:
    """Draw places anywhere, on junctions, and beside and on the first edges."""
    anywhere = rng.random((many, 2)) * size * 1.1 - size * 0.05
    corners = roads.xy[rng.integers(0, len(roads.xy), many // 4)] - ORIGIN
    line = shapely.line_interpolate_point(
        roads.lines[rng.integers(0, 3, many // 4)], rng.random(many // 4), normalized=True
    )
    on = shapely.get_coordinates(line) - ORIGIN
    return np.concatenate([anywhere, corners, on, on[: many // 8] + rng.normal(0, 5, (many // 8, 2))])


def assert_counted_the_same(roads: Roads, homes, halls, *, limit_min: float, tolerance: float) -> np.ndarray:
    expected, on = matrix_by_hand(roads, homes, halls, limit_s=60 * limit_min)
    order = np.argsort(expected + np.arange(len(halls)) * 1e-9, axis=1, kind="stable")
    ranked = np.take_along_axis(expected, order, axis=1)
    here, there = snap(roads, homes), snap(roads, halls)
    for k in (1, 2, len(halls), len(halls) + 2):
        seconds, position = nearest_seconds(roads, here, there, k=k, limit_min=limit_min)
        assert np.isinf(seconds[:, len(halls) :]).all()
        assert (position[:, len(halls) :] == -1).all()
        seconds, position = seconds[:, : len(halls)], position[:, : len(halls)]
        np.testing.assert_allclose(seconds, ranked[:, :k], rtol=0, atol=tolerance)
        assert (position >= 0).tolist() == np.isfinite(ranked[:, :k]).tolist()
        taken = np.take_along_axis(expected, np.maximum(position, 0), axis=1)
        np.testing.assert_allclose(taken[position >= 0], seconds[position >= 0], rtol=0, atol=tolerance)
        if tolerance == 0:
            np.testing.assert_array_equal(position, np.where(np.isfinite(ranked[:, :k]), order[:, :k], -1))
    near = nearest(roads, homes, halls, limit_min=limit_min)
    best = expected.min(axis=1)
    status = np.where(
        best <= 60 * limit_min + 1e-6, "covered", np.where(np.isfinite(best), "beyond", "disconnected")
    )
    assert near.status.tolist() == np.where(on, status, "unsnapped").tolist()
    pairs = within(roads, here, there, limit_min=limit_min).seconds
    assert pairs.nnz == (expected <= 60 * limit_min + 1e-6).sum()
    found = pairs.tocoo()
    np.testing.assert_allclose(found.data, expected[found.row, found.col], rtol=0, atol=tolerance)
    least = np.full(len(homes), np.inf)
    np.minimum.at(least, found.row, found.data)
    covered = near.status == "covered"
    np.testing.assert_array_equal(least[covered], near.seconds[covered])  # to the last bit
    return near.status.to_numpy()


def test_random_towns_are_counted_the_same() -> None:
    seen: list[str] = []
    for seed in seeds(25, whole=400):
        rng = np.random.default_rng(seed)
        roads = random_town(rng, junctions=int(rng.integers(8, 40)), keep=rng.uniform(0.3, 0.8))
        homes, halls = (
            homes_of(crowd(rng, roads, 32, 2000)),
            table_of(crowd(rng, roads, 8, 2000)[rng.permutation(13)]),
        )
        seen += assert_counted_the_same(
            roads, homes, halls, limit_min=rng.uniform(4, 25), tolerance=1e-7
        ).tolist()
    assert min(seen.count(status) for status in STATUSES) > 50


def test_a_venue_of_several_entrances_is_one_and_is_entered_at_the_best() -> None:
    for seed in seeds(10, whole=100):
        rng = np.random.default_rng(seed)
        roads = random_town(rng, junctions=int(rng.integers(8, 40)), keep=rng.uniform(0.3, 0.8))
        homes = homes_of(crowd(rng, roads, 32, 2000))
        doors = table_of(crowd(rng, roads, 8, 2000)[rng.permutation(13)])
        group = rng.integers(0, 5, len(doors)) * 3
        each, _ = matrix_by_hand(roads, homes, doors, limit_s=600)
        expected = np.full((len(homes), 13), np.inf)
        np.minimum.at(expected.T, group, each.T)
        ranked = np.sort(expected, axis=1)
        for k in (1, 2, 6):
            seconds, number = nearest_seconds(
                roads, snap(roads, homes), snap(roads, doors), k=k, limit_min=10, group=group
            )
            np.testing.assert_allclose(seconds, ranked[:, :k], rtol=0, atol=1e-7)
            taken = np.take_along_axis(expected, np.maximum(number, 0), axis=1)
            np.testing.assert_allclose(taken[number >= 0], seconds[number >= 0], rtol=0, atol=1e-7)
            assert (number >= 0).tolist() == np.isfinite(seconds).tolist()
            assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in number)


def test_lattices_are_counted_the_same_to_the_last_tie() -> None:
    ties = 0
    for seed in seeds(15, whole=150):
        rng = np.random.default_rng(seed)
        roads = lattice_town(rng)
        homes, halls = (
            homes_of(rng.integers(-1, 22, (50, 2)) * 25.0),
            table_of(rng.integers(0, 21, (9, 2)) * 25.0),
        )
        assert_counted_the_same(roads, homes, halls, limit_min=8, tolerance=0)
        expected, _ = matrix_by_hand(roads, homes, halls, limit_s=480)
        best = expected.min(axis=1)
        ties += ((expected == best[:, None]) & np.isfinite(best)[:, None]).sum(axis=1).clip(1).sum() - len(
            best
        )
    assert ties > 50


@pytest.mark.parametrize("seed", range(16))
def test_a_solved_nearest_stays_right_as_facilities_come_and_go(seed) -> None:
    rng = np.random.default_rng(seed)
    roads = lattice_town(rng) if seed % 2 == 0 else random_town(rng, keep=0.4)
    size = 600 if seed % 2 == 0 else 2000
    here = snap(roads, homes_of(crowd(rng, roads, 60, size)))
    halls = snap(roads, table_of([*crowd(rng, roads, 16, size), None, (90_000, 0)]))
    halls = halls.take(rng.permutation(len(halls)))
    used = list(range(4))  # rows of the table, which are the numbers the facilities have as well
    solved = solve_nearest(roads, here, halls.take(used), limit_min=12)
    waiting, seconds, position = 4, *expected_of(roads, here, halls, used)
    for _ in range(2 * len(halls)):
        np.testing.assert_array_equal(solved.seconds, seconds)
        np.testing.assert_array_equal(solved.position, position)
        there = [row for row in used if usable(roads, halls, limit_min=12)[row]]
        if waiting < len(halls) and (rng.random() < 0.6 or not there):
            changed = solved.add(halls.take([waiting]))
            used.append(waiting)
            waiting += 1
        elif there:
            leaving = int(rng.choice(there))
            changed = solved.remove(leaving)
            used.remove(leaving)
        else:
            break
        before = seconds, position
        seconds, position = expected_of(roads, here, halls, used)
        np.testing.assert_array_equal(
            changed, np.flatnonzero((before[0] != seconds) | (before[1] != position))
        )
    assert waiting == len(halls)


def expected_of(roads, here, halls, used):
    """Answer in full for some rows of a table, and name the rows."""
    seconds, place = nearest_seconds(roads, here, halls.take(used), limit_min=12)
    return seconds[:, 0], np.append(used, -1).astype(np.int64)[place[:, 0]]


def test_a_solved_nearest_refuses_what_is_not_there() -> None:
    roads = roads_of(STREET)
    here, there = snap(roads, homes_of([(10, 0)])), snap(roads, table_of([(30, 0), None, (60, 0)]))
    solved = solve_nearest(roads, here, there, limit_min=15)
    assert (solved.seconds.round(9).tolist(), solved.position.tolist()) == ([16.0], [0])
    with pytest.raises(GraphError, match="position is 1: no facility with this number is in use"):
        solved.remove(1)
    with pytest.raises(GraphError, match="the snap has 2 rows: add one facility at a time"):
        solved.add(there.take([0, 2]))
    with pytest.raises(GraphError, match="belongs to other roads"):
        solved.add(snap(roads_of(STREET), table_of([(20, 0)])))
    assert solved.add(there.take([1])).tolist() == []
    assert solved.add(snap(roads, table_of([(20, 0)]))).tolist() == [0]
    assert (solved.seconds.round(9).tolist(), solved.position.tolist()) == ([8.0], [4])
    assert solved.remove(4).tolist() == [0]
    assert [solved.remove(0).tolist(), solved.remove(2).tolist()] == [[0], [0]]
    assert (solved.seconds.tolist(), solved.position.tolist()) == ([np.inf], [-1])


def test_many_facilities_are_joined_in_parts(monkeypatch) -> None:
    rng = np.random.default_rng(11)
    roads = random_town(rng)
    homes, halls = homes_of(rng.random((60, 2)) * 2000), table_of(rng.random((40, 2)) * 2000)
    whole = within(roads, homes, halls, limit_min=20).seconds
    monkeypatch.setattr("lifecircle.reach._pairs._CHUNK_FACILITIES", 7)
    parts = within(roads, homes, halls, limit_min=20).seconds
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_pairs_are_the_same_to_the_last_bit_whatever_joins_them(monkeypatch) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        roads = lattice_town(rng) if seed % 3 == 0 else random_town(rng)
        homes, halls = homes_of(crowd(rng, roads, 60, 2000)), table_of(crowd(rng, roads, 40, 2000))
        halls = halls.iloc[rng.permutation(len(halls))]
        monkeypatch.setenv("LIFECIRCLE_ENGINE", "scipy")
        one = within(roads, homes, halls, limit_min=12).seconds
        monkeypatch.setenv("LIFECIRCLE_ENGINE", "ring")
        other = within(roads, homes, halls, limit_min=12).seconds
        assert one.nnz > 0
        for name in ("indptr", "indices", "data"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_more_pairs_than_there_is_memory_for_are_refused_beforehand(monkeypatch) -> None:
    rng = np.random.default_rng(4)
    roads = random_town(rng)
    homes, halls = homes_of(rng.random((300, 2)) * 2000), table_of(rng.random((100, 2)) * 2000)
    pairs = within(roads, homes, halls, limit_min=15)
    message = r"residents have about .* pairs with \d+ facilities within 15 minutes, which take about .* MB"
    searched: list[str] = []
    for name in ("_joined", "_joined_plainly"):
        plain = getattr(_pairs, name)
        monkeypatch.setattr(
            _pairs, name, lambda *some, plain=plain, **more: searched.append("join") or plain(*some, **more)
        )
    with pytest.raises(GraphError, match=message + r".*more than the 0\.02 MB allowed.*with memory_mb"):
        within(roads, homes, halls, limit_min=15, memory_mb=0.02)
    with pytest.raises(GraphError, match="memory_mb is nan"):
        within(roads, homes, halls, limit_min=15, memory_mb=float("nan"))
    assert searched == []
    again = within(roads, homes, halls, limit_min=15, memory_mb=np.inf).seconds
    assert (again != pairs.seconds).nnz == 0
    assert searched == ["join"]


def test_the_number_of_pairs_is_estimated_from_a_sample(monkeypatch) -> None:
    rng = np.random.default_rng(4)
    roads = random_town(rng)
    homes, halls = homes_of(rng.random((300, 2)) * 2000), table_of(rng.random((200, 2)) * 2000)
    here, there = snap(roads, homes), snap(roads, halls)
    home = _trips.Home.of(roads, here, np.flatnonzero(usable(roads, here, limit_min=15)))
    venue = _trips.Venue.of(roads, there, np.flatnonzero(usable(roads, there, limit_min=15)))
    graph = _trips.graph_to_facilities(roads)
    monkeypatch.setattr(_pairs, "_SAMPLED", 10**6)
    met, most = _pairs._estimate(graph, home, venue, limit_s=900.0)
    assert met == len(
        graph.within(venue.seeds.node, 900, start_s=venue.seeds.start_s, group=venue.seeds.group)[1]
    )
    true = within(roads, here, there, limit_min=15).seconds.nnz
    assert 0.95 * true < most <= true
    monkeypatch.setattr(_pairs, "_SAMPLED", 32)
    assert _pairs._estimate(graph, home, venue, limit_s=900.0) == pytest.approx((met, most), rel=0.2)


def test_the_graph_is_that_of_the_roads_reversed() -> None:
    roads = roads_of([[(0, 0), (100, 0)], [(100, 0), (200, 0)]], one_way=[1])
    graph = TravelGraph(*roads.reversed_csr)
    assert graph.nearest([2])[0].tolist() == [160.0, 80.0, 0.0]
    assert graph.nearest([0])[0].tolist() == [0.0, 80.0, np.inf]
