"""Beside other tools: settings turned as they say, differences counted by hand, every cause named."""

import warnings

import geopandas as gpd
import numpy as np
import pytest
from benchmarks import beside, beside_page, beside_peers, beside_settings
from benchmarks.beside_page import Difference, Step, Tool

import lifecircle as lc
from conftest import ROOT, in_whole_campaign
from test_interchange import CRS, points, town

PAGE = ROOT / "docs" / "validation.md"


def toy():
    """Give a small city: lattice streets in pieces, thirty homes and three venues."""
    roads = town("walk")
    return beside_settings.City("Toy", ROOT, roads, points(roads, 30, 1), points(roads, 3, 2)[["geometry"]])


def test_points_on_the_roads_walk_no_leg_and_keep_the_rest():
    city = toy()
    moved = [beside_settings.on_roads(city.roads, one) for one in (city.homes, city.venues)]
    legs = [lc.snap(city.roads, one).leg_m for one in (city.homes, city.venues, *moved)]
    assert np.abs(np.concatenate(legs[2:])).max() < 1e-6
    whole = lc.nearest(city.roads, city.homes, city.venues, limit_min=60)
    way = whole["seconds"] - (legs[0] + legs[1][whole["facility"].astype(int)]) / city.roads.profile.access_ms
    bare = beside_settings.minutes(city.roads, *moved)
    # The nearest with legs need not be the nearest without: never farther, and equal for most.
    assert (bare <= way / 60 + 1e-6).all()
    assert np.isclose(bare, way / 60).mean() > 0.8


def test_points_at_junctions_by_metres_and_by_degrees():
    city = toy()
    there = beside_settings.at_junctions(city.roads, city.homes)
    apart = city.homes.geometry.values.distance(there.geometry.values)
    xy = np.column_stack([city.homes.geometry.x, city.homes.geometry.y])
    assert apart == pytest.approx(np.linalg.norm(xy[:, None] - city.roads.xy, axis=2).min(axis=1))
    # At 30 degrees north a degree east is 0.87 of one north: 100 m east seem as far as 87 m would.
    cross = lc.read_roads(
        gpd.GeoDataFrame(
            {"highway": ["path"]},
            geometry=gpd.GeoSeries.from_wkt(["LINESTRING (500100 3380000, 500000 3380092)"]),
            crs=CRS,
        ),
        crs=CRS,
    )
    home = gpd.GeoDataFrame(geometry=gpd.points_from_xy([500000], [3380000], crs=CRS))
    assert beside_settings.at_junctions(cross, home).geometry.y.round().tolist() == [3380092]
    assert beside_settings.at_junctions(cross, home, in_degrees=True).geometry.x.round().tolist() == [500000]


def test_our_engine_on_a_graph_of_others_is_dijkstra():
    for mode in ("walk", "drive"):
        graph = lc.to_networkx(town(mode))
        start, end = np.arange(len(graph)), np.array([3, 11])
        ours = beside_settings.graph_minutes(graph, start, end, kmh=5.0)
        theirs = beside_peers.networkx_minutes(graph, start, end, kmh=5.0)
        assert ours == pytest.approx(theirs)


def test_every_way_of_a_graph_is_read_and_one_way_binds_where_it_is_asked_for():
    city = toy()
    graph = lc.to_networkx(town("drive"))
    both, bound = (beside_settings.ways_of(graph, city, one_way=one_way) for one_way in (False, True))
    assert len(both.u) == len(bound.u) == len(town("drive").u)
    assert np.isfinite(both.backward_s).all()
    assert not np.isfinite(np.concatenate([bound.forward_s, bound.backward_s])).all()


def test_lengths_on_a_sphere():
    sphere = beside_settings.on_a_sphere(town("walk"))
    share = sphere.length_m / town("walk").length_m
    assert (np.abs(share - 1) < 0.006).all()
    assert not np.allclose(share, 1, atol=1e-4)


@pytest.mark.parametrize(
    ("tags", "walked"),
    [
        ({"highway": "residential"}, True),
        ({"highway": "motorway_link"}, False),
        ({"highway": "cycleway"}, False),
        ({"highway": "footway", "access": "private"}, False),
        ({"highway": "primary", "sidewalk:left": "separate"}, False),
        ({"highway": "path", "foot": "no"}, False),
        ({"building": "yes"}, False),
    ],
)
def test_the_list_of_ways_is_that_of_osmnx(tags, walked):
    assert beside_peers.walked(tags, beside_peers.osmnx_filter()) is walked


def test_differences_by_hand():
    step = Step("", "", np.array([1.0, 2.0, np.inf, 4.0]), np.array([1.5, 2.0, 3.0, np.inf]))
    assert beside_page.difference(step) == Difference(0.25, 0.475, 0.5, 1, 1)
    assert beside_page.share(np.array([15.0, 15.1, np.inf]), np.array([1.0, 2.0, 1.0]), 15.0) == 0.25


def test_a_tool_that_is_not_installed_is_said_to_be_so():
    city = toy()
    minutes = np.linspace(5, 25, 30)
    tools = [
        Tool("One", "1.0", "so", [Step("speeds", "4 km/h", minutes, minutes - 1)]),
        Tool("Two", "not installed", ""),
    ]
    page = beside_page.write_page(city, tools)
    assert "| 4 km/h | speeds |" in page
    assert "-1.000 | 1.000 | 1.000 | 0 | 0 |" in page
    assert "nothing is said of it" in page


def test_the_page_has_every_tool_and_every_cause():
    page = PAGE.read_text("utf-8")
    assert all(f"## {name}\n" in page for name in beside.TOOLS)
    steps = [line.split(" | ") for line in page.splitlines() if line.endswith(" |") and line.count("|") == 10]
    causes = {cells[1] for cells in steps} - {"cause", "---", "as it is"}
    assert causes == {cause for cause, *_ in beside_page.CAUSES}


@in_whole_campaign
def test_the_difference_to_osmnx_vanishes(shared_data, tmp_path):
    city = beside_settings.read_city(shared_data / "sao_paulo")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of OSMnx and what it imports
        steps = beside.beside_osmnx(city, tmp_path)
    first, last = beside_page.difference(steps[0]), beside_page.difference(steps[-1])
    assert first.p95 > 1
    assert last.largest < 1e-9
