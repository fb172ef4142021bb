"""Pieces of road within a limit, and areas round them: streets counted by hand, and every place asked for.

The second way of counting puts a resident on the road at many places of every edge and asks `nearest` and
`within` about each: a place lies on a reach line if and only if its own time is within the limit.
"""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from scipy.spatial import Delaunay

from lifecircle.errors import GraphError
from lifecircle.reach import Snap, isochrones, nearest, reach_lines, snap, within
from lifecircle.roads import Roads, profile

METRES = pyproj.CRS("EPSG:4549")
ORIGIN = np.array([520_000.0, 3_380_000.0])
WALK = profile("walk")  # 5 km/h: 15 minutes are 1,250 m
COLUMNS = ["geometry", "edge", "seconds_from", "seconds_to", "facility"]
CUT_M = 2e-6  # a place is within the limit up to 1e-6 s beyond it, 1.4e-6 m on foot


def roads_of(courses, *, one_way=(), travel=WALK) -> Roads:
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
    )


def halls_of(places, index=None) -> gpd.GeoDataFrame:
    xy = np.asarray(places, dtype=float).reshape(-1, 2) + ORIGIN
    return gpd.GeoDataFrame(geometry=shapely.points(xy), crs=METRES, index=index)


def spans(lines) -> list[tuple[int, float, float]]:
    """Return (edge, x of the first place, x of the last) of pieces of streets along the x axis."""
    return [
        (edge, *(round(x, 9) for x in (line.coords[0][0] - ORIGIN[0], line.coords[-1][0] - ORIGIN[0])))
        for edge, line in zip(lines.edge, lines.geometry, strict=True)
    ]


LONG = [[(0, 0), (5000, 0)]]


# ---------------------------------------------------------------------------------------------------------
# Streets counted by hand


def test_fifteen_minutes_on_foot_are_1250_metres_either_way() -> None:
    lines = reach_lines(roads_of(LONG), halls_of([(2000, 0)], index=["hall"]), limit_min=15)
    assert lines.columns.tolist() == COLUMNS
    assert lines.crs == METRES
    assert spans(lines) == [(0, 750.0, 3250.0)]
    assert lines.length.sum() == pytest.approx(2500, abs=1e-8)
    assert lines.facility.tolist() == ["hall"]
    np.testing.assert_allclose(lines[["seconds_from", "seconds_to"]], [[900, 900]], atol=1e-6)


def test_the_access_leg_of_the_facility_is_charged() -> None:
    lines = reach_lines(roads_of(LONG), halls_of([(2000, 250)]), limit_min=15)
    assert spans(lines) == [(0, 1000.0, 3000.0)]


def test_a_leg_of_more_than_a_quarter_of_the_limit_draws_nothing() -> None:
    halls = halls_of([(2000, 250)])
    assert len(reach_lines(roads_of(LONG), halls, limit_min=12)) == 1
    assert reach_lines(roads_of(LONG), halls, limit_min=11.9).empty


def test_a_one_way_street_is_reached_from_the_side_allowed() -> None:
    lines = reach_lines(roads_of(LONG, one_way=[0]), halls_of([(2000, 0)]), limit_min=15)
    assert spans(lines) == [(0, 750.0, 2000.0)]
    np.testing.assert_allclose(lines[["seconds_from", "seconds_to"]], [[900, 0]], atol=1e-6)


def test_a_one_way_street_is_not_named_after_who_is_reached_from_its_closed_end_alone() -> None:
    roads = roads_of([[(0, 0), (1000, 0)]], one_way=[0])
    lines = reach_lines(roads, halls_of([(0, 0), (1000, 50)], index=["behind", "ahead"]), limit_min=15)
    assert spans(lines) == [(0, 0.0, 1000.0)]
    assert lines.facility.tolist() == ["ahead"]
    np.testing.assert_allclose(lines[["seconds_from", "seconds_to"]], [[0, 36]], atol=1e-6)


def test_an_edge_reached_from_both_ends_is_whole_where_the_stretches_meet() -> None:
    halls = halls_of([(0, 0), (2500, 0)], index=["west", "east"])
    whole = reach_lines(roads_of([[(0, 0), (2500, 0)]]), halls, limit_min=15)
    assert spans(whole) == [(0, 0.0, 2500.0)]
    assert whole.facility.tolist() == ["west"]
    np.testing.assert_allclose(whole[["seconds_from", "seconds_to"]], [[0, 0]], atol=1e-6)
    halls = halls_of([(0, 0), (2600, 0)], index=["west", "east"])
    parts = reach_lines(roads_of([[(0, 0), (2600, 0)]]), halls, limit_min=15)
    assert spans(parts) == [(0, 0.0, 1250.0), (0, 1350.0, 2600.0)]
    assert parts.facility.tolist() == ["west", "east"]


def test_a_stretch_round_a_facility_stands_between_those_of_the_ends() -> None:
    halls = halls_of([(5000, 0), (2400, 0), (0, 0)])
    lines = reach_lines(roads_of(LONG), halls, limit_min=12)  # 1,000 m
    assert spans(lines) == [(0, 0.0, 1000.0), (0, 1400.0, 3400.0), (0, 4000.0, 5000.0)]
    assert lines.facility.tolist() == [2, 1, 0]


def test_a_stretch_inside_another_one_does_not_end_it() -> None:
    halls = halls_of([(2000, 0), (1800, 300), (4100, 0)])  # 750-3250, 850-2750 for its leg, 2850-5000
    assert spans(reach_lines(roads_of(LONG), halls, limit_min=15)) == [(0, 750.0, 5000.0)]


def test_stretches_that_meet_up_to_float_noise_are_one_piece() -> None:
    noise = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        cuts = np.sort(rng.choice(np.arange(1, 1240), 300, replace=False))
        cuts = np.r_[0, cuts, 1245, 1255, 2500 - cuts[::-1], 2500]
        roads = roads_of([[(a, 0), (b, 0)] for a, b in itertools.pairwise(cuts)])
        halls = halls_of([(0, 0), (2500, 0)])
        middle = nearest(roads, halls_of([(1250, 0)]), halls, limit_min=15).seconds
        noise += int((middle > 900).sum())
        lines = reach_lines(roads, halls, limit_min=15)
        assert lines.edge.tolist() == list(range(len(cuts) - 1))
    assert noise > 2


@pytest.mark.parametrize("seed", range(8))
def test_the_limit_is_inclusive_however_the_street_is_cut(seed) -> None:
    rng = np.random.default_rng(seed)
    cuts = np.r_[0, np.sort(rng.choice(np.arange(1, 1250), 400, replace=False)), 1250, 1251]
    roads = roads_of([[(a, 0), (b, 0)] for a, b in itertools.pairwise(cuts)])
    lines = reach_lines(roads, halls_of([(0, 0)]), limit_min=15)
    assert lines.edge.tolist() == list(range(len(cuts) - 2))  # all but the last metre, and no crumb of it
    assert lines.length.sum() == pytest.approx(1250, abs=1e-6)
    assert lines.geometry.tolist() == roads.lines[:-1].tolist()


def test_an_island_is_reached_from_its_own_facility_alone() -> None:
    island = [*LONG, [(0, 900), (600, 900)]]
    assert reach_lines(roads_of(island), halls_of([(0, 0)]), limit_min=15).edge.tolist() == [0]
    assert reach_lines(roads_of(island), halls_of([(0, 0), (300, 900)]), limit_min=15).edge.tolist() == [0, 1]


def test_pieces_keep_the_bends_between_their_ends() -> None:
    roads = roads_of([[(0, 0), (600, 0), (600, 600), (600, 1200), (1800, 1200)]])
    lines = reach_lines(roads, halls_of([(0, 0)]), limit_min=15)
    expected = np.array([(0, 0), (600, 0), (600, 600), (600, 650)]) + ORIGIN
    np.testing.assert_allclose(lines.geometry[0].coords, expected, atol=1e-8)
    at_a_bend = reach_lines(roads, halls_of([(0, 0)]), limit_min=14.4)  # 1,200 m: a vertex is the cut
    np.testing.assert_allclose(at_a_bend.geometry[0].coords, expected[:3], atol=1e-8)


def test_every_facility_is_drawn_for_itself() -> None:
    halls = halls_of([(4000, 0), (2000, 0)], index=pd.Index(["b", "a"], name="id"))
    lines = reach_lines(roads_of(LONG), halls, limit_min=15, by="facility")
    assert lines.facility.tolist() == ["b", "a"]
    assert spans(lines) == [(0, 2750.0, 5000.0), (0, 750.0, 3250.0)]
    np.testing.assert_allclose(lines.seconds_to, [720, 900], atol=1e-6)
    together = reach_lines(roads_of(LONG), halls, limit_min=15)
    assert spans(together) == [(0, 750.0, 5000.0)]


@pytest.mark.parametrize("by", ["all", "facility"])
def test_without_facilities_there_are_no_lines_but_their_columns(by) -> None:
    for halls in (halls_of([]), halls_of([(0, 9000)])):  # none at all, and none on the roads
        lines = reach_lines(roads_of(LONG), halls, limit_min=15, by=by)
        assert lines.empty
        assert lines.columns.tolist() == COLUMNS
        assert lines.crs == METRES
        assert lines.edge.dtype == np.int64
        assert lines.facility.dtype == halls.index.dtype
    nowhere = roads_of(np.empty((0, 2, 2)))
    assert reach_lines(nowhere, halls_of([(0, 0)]), limit_min=15, by=by).empty


@pytest.mark.parametrize("limit_min", [0, -1, np.nan, np.inf])
def test_a_limit_that_is_not_positive_is_refused(limit_min) -> None:
    with pytest.raises(GraphError, match=r"limit_min is .*: give a finite number of minutes > 0"):
        reach_lines(roads_of(LONG), halls_of([(0, 0)]), limit_min=limit_min)
    with pytest.raises(GraphError, match=r"limits_min\[1\] is .*: give a finite number of minutes > 0"):
        isochrones(roads_of(LONG), halls_of([(0, 0)]), limits_min=(5, limit_min))


def test_what_cannot_be_drawn_is_refused() -> None:
    roads, halls = roads_of(LONG), halls_of([(0, 0)])
    with pytest.raises(GraphError, match="by is 'hall': give 'all'"):
        reach_lines(roads, halls, limit_min=15, by="hall")
    with pytest.raises(GraphError, match="limits_min is empty"):
        isochrones(roads, halls, limits_min=())
    with pytest.raises(GraphError, match="width_m is 0: give a finite number of metres > 0"):
        isochrones(roads, halls, width_m=0)
    with pytest.raises(GraphError, match="other roads"):
        reach_lines(roads_of(LONG), snap(roads, halls), limit_min=15)


# ---------------------------------------------------------------------------------------------------------
# Towns, asked about at every place


def random_town(rng) -> Roads:
    """Draw a planar town with one-ways, bent streets, parallel streets, loops and islands."""
    xy = rng.random((int(rng.integers(6, 22)), 2)) * 2500
    corners = Delaunay(xy).simplices
    pairs = np.unique(
        np.sort(np.r_[corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]], axis=1), axis=0
    )
    courses = [[xy[a], xy[b]] for a, b in pairs[rng.random(len(pairs)) < rng.uniform(0.3, 0.8)]]
    courses += [[a, (a + b) / 2 + rng.normal(0, 60, 2), b] for a, b in courses[:4]]
    courses += [
        [*(place + np.array([(0, 0), (200, 40), (150, 300), (-90, 200), (0, 0)]))]
        for place in xy[rng.choice(len(xy), 2, replace=False)]
    ]
    courses = [course[:: int(rng.choice([-1, 1]))] for course in courses]
    return roads_of(courses, one_way=np.flatnonzero(rng.random(len(courses)) < 0.35))


def residents_at(roads: Roads, edge, share) -> Snap:
    """Put residents on the road itself."""
    return Snap(
        index=pd.RangeIndex(len(edge)),
        edge=np.asarray(edge, dtype=np.int64),
        share=np.asarray(share, dtype=np.float64),
        leg_m=np.zeros(len(edge)),
        reason=np.full(len(edge), ""),
        lines=roads.lines,
    )


def every_place(roads: Roads, rng, lines) -> tuple[np.ndarray, np.ndarray]:
    """Draw places (edge, share) along every edge, and hard by both sides of every cut."""
    many = len(roads.lines)
    edge, share = np.repeat(np.arange(many), 25), rng.random(many * 25)
    own = roads.lines[lines.edge]
    for end in (0, -1):
        tip = shapely.get_point(lines.geometry.to_numpy(), end)
        at = shapely.line_locate_point(own, tip, normalized=True)
        for metres in (-1e-4, 1e-4):
            beside = at + metres / roads.length_m[lines.edge]
            edge, share = np.append(edge, lines.edge), np.append(share, beside)
    inside = (share > 0.0) & (share < 1.0)  # an end is a junction, a place of every road that meets there
    return edge[inside], share[inside]


def lies_on(roads: Roads, lines, edge, share) -> tuple[np.ndarray, np.ndarray]:
    """Return which places lie on a line of their own edge, and which are too near a cut to decide."""
    points = shapely.line_interpolate_point(roads.lines[edge], share, normalized=True)
    on, near_cut = np.zeros(len(edge), dtype=bool), np.zeros(len(edge), dtype=bool)
    for number in np.unique(edge):
        mine = edge == number
        pieces = lines.geometry[lines.edge == number].to_numpy()
        on[mine] = shapely.distance(points[mine], shapely.union_all(pieces)) < 1e-7 if len(pieces) else False
        tips = shapely.union_all(shapely.boundary(pieces))
        near_cut[mine] = shapely.distance(points[mine], tips) < CUT_M if len(pieces) else False
    return on, near_cut


def assert_drawn_as_counted(roads: Roads, halls, rng, *, limit_min: float) -> np.ndarray:
    lines = reach_lines(roads, halls, limit_min=limit_min)
    assert (lines.length > 1e-6).all()
    assert lines.is_valid.all()
    edge, share = every_place(roads, rng, lines)
    near = nearest(roads, residents_at(roads, edge, share), halls, limit_min=limit_min)
    on, near_cut = lies_on(roads, lines, edge, share)
    covered = (near.status == "covered").to_numpy()
    np.testing.assert_array_equal(on[~near_cut], covered[~near_cut])
    for end, column in ((0, "seconds_from"), (-1, "seconds_to")):
        tip = shapely.get_point(lines.geometry.to_numpy(), end)
        at = shapely.line_locate_point(roads.lines[lines.edge], tip, normalized=True)
        there = nearest(roads, residents_at(roads, lines.edge, at), halls, limit_min=limit_min)
        np.testing.assert_allclose(lines[column], there.seconds, rtol=0, atol=1e-5)

    each = reach_lines(roads, halls, limit_min=limit_min, by="facility")
    counted = within(roads, residents_at(roads, edge, share), halls, limit_min=limit_min)
    table = np.zeros(counted.seconds.shape, dtype=bool)
    found = counted.seconds.tocoo()
    table[found.row, found.col] = True
    for column, label in enumerate(counted.facilities):
        on, near_cut = lies_on(roads, each[each.facility == label], edge, share)
        np.testing.assert_array_equal(on[~near_cut], table[~near_cut, column])
    for drawn, one in ((lines, ["edge"]), (each, ["facility", "edge"])):
        together = drawn.length.groupby([drawn[column] for column in one]).sum()
        own = roads.length_m[together.index.get_level_values("edge")]
        assert (together <= own + 1e-8).all()  # nothing is drawn twice
    assert set(zip(lines.edge, lines.facility, strict=True)) <= set(
        zip(each.edge, each.facility, strict=True)
    )
    return lines.groupby("edge").size().to_numpy()


def test_random_towns_are_drawn_as_they_are_counted() -> None:
    pieces: list[int] = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        roads = random_town(rng)
        on = shapely.line_interpolate_point(
            roads.lines[rng.integers(0, len(roads.lines), 3)], rng.random(3), normalized=True
        )
        beside = rng.random((2, 2)) * 2500
        corner = roads.xy[rng.integers(0, len(roads.xy), 1)] - ORIGIN
        halls = halls_of(np.concatenate([shapely.get_coordinates(on) - ORIGIN, beside, corner]))
        drawn = assert_drawn_as_counted(roads, halls, rng, limit_min=rng.uniform(2, 14))
        pieces += drawn.tolist()
    assert pieces.count(1) > 100
    assert sum(count > 1 for count in pieces) > 10


# ---------------------------------------------------------------------------------------------------------
# Areas


def test_areas_lie_within_each_other_and_hold_the_lines() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        roads = random_town(rng)
        halls = halls_of(rng.random((3, 2)) * 2500)
        areas = isochrones(roads, halls, limits_min=(15, 5, 10.0, 5), width_m=40)
        assert areas.columns.tolist() == ["minutes", "geometry"]
        assert areas.crs == METRES
        assert set(areas.minutes) <= {5.0, 10.0, 15.0}
        assert areas.minutes.is_monotonic_increasing
        assert areas.is_valid.all()
        for inner, outer in itertools.pairwise(areas.geometry):
            assert inner.difference(outer).area < 1e-6
        for minutes, area in zip(areas.minutes, areas.geometry, strict=True):
            lines = reach_lines(roads, halls, limit_min=minutes)
            assert shapely.contains_properly(area, lines.geometry.to_numpy()).all()
            edge_of_area = shapely.distance(shapely.boundary(area), shapely.union_all(lines.geometry))
            assert edge_of_area == pytest.approx(40, rel=0.02)  # arcs are drawn as chords


def test_the_area_of_a_street_is_the_street_and_two_round_ends() -> None:
    areas = isochrones(roads_of(LONG), halls_of([(2500, 0)]))
    assert areas.minutes.tolist() == [5.0, 10.0, 15.0]
    metres = areas.minutes * 2 * 5000 / 60
    np.testing.assert_allclose(areas.area, metres * 100 + np.pi * 50**2, rtol=1e-3)


def test_a_limit_within_which_nothing_is_reached_has_no_area() -> None:
    halls = halls_of([(2500, 250)])  # three minutes to the road, a quarter of twelve
    assert isochrones(roads_of(LONG), halls, limits_min=(5, 12)).minutes.tolist() == [12.0]
    nothing = isochrones(roads_of(LONG), halls_of([]))
    assert nothing.empty
    assert nothing.columns.tolist() == ["minutes", "geometry"]
    assert nothing.crs == METRES


def test_arguments_are_left_alone() -> None:
    roads, halls = roads_of(LONG), halls_of([(2500, 20)])
    lines, table = roads.lines.copy(), halls.copy()
    reach_lines(roads, halls, limit_min=15)
    isochrones(roads, halls)
    assert (roads.lines == lines).all()
    pd.testing.assert_frame_equal(halls, table)
