"""Own the race of joining points to roads: ``lc.snap`` beside a plain STRtree of shapely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

import lifecircle as lc
from benchmarks.networks import Network, in_hilbert_order, road_like
from benchmarks.timing import EXACT, WRONG, Agreement, Contestant, Race, clocked, run_race
from lifecircle.roads import profile

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

CRS = "EPSG:4549"
ORIGIN_M = np.array([470_000.0, 3_350_000.0])
JUNCTIONS_PER_EDGE = 1 / 1.36
SAME_M = 1e-6


def race_snapping(*, points: int, edges: int, rounds: int) -> Race:
    """Race for the nearest edge of every point of a synthetic network of about so many edges."""
    network, _ = in_hilbert_order(road_like(round(edges * JUNCTIONS_PER_EDGE), seed=5))
    roads = roads_of(network)
    table = scattered(network, points)
    geometry = table.geometry.to_numpy()
    _, indexed_s, _ = clocked(lambda: roads.tree)
    expected = _nearest_m(roads.tree, geometry)
    order = np.argsort(gpd.GeoSeries(geometry).hilbert_distance().to_numpy(), kind="stable")

    def agree(found: Array) -> Agreement:
        worst = float(np.abs(found - expected).max())
        return Agreement(EXACT if worst <= SAME_M else WRONG, f"distances off by up to {worst:.1g} m")

    def sorted_tree() -> Array:
        metres = np.empty(len(geometry))
        metres[order] = _nearest_m(roads.tree, geometry[order])
        return metres

    contestants = [
        Contestant(
            "lifecircle",
            "snap(roads, table, cap_m=None): edge, share, leg, lowest edge of a tie",
            lambda: lc.snap(roads, table, cap_m=None).leg_m,
            agree,
        ),
        Contestant(
            "shapely STRtree",
            "query_nearest(all_matches=False): edge and distance, points as they come",
            lambda: _nearest_m(roads.tree, geometry),
            agree,
            indexed_s,
        ),
        Contestant(
            "shapely STRtree, points sorted",
            "the same with the points along a Hilbert curve, sorting not counted",
            sorted_tree,
            agree,
            indexed_s,
        ),
    ]
    title = f"nearest of {len(roads.lines):,} edges for {points:,} points"
    return run_race("snap", f"{_short(points)} to {_short(edges)}", title, contestants, rounds=rounds)


def roads_of(network: Network) -> lc.Roads:
    """Make ``Roads`` of a synthetic walking network: each edge a line of three points."""
    graph = network.modes["walk"]
    tail, head = graph.tails, graph.indices
    once = tail < head
    tail, head, seconds = tail[once], head[once], graph.seconds[once]
    xy = network.xy + ORIGIN_M
    chord = xy[head] - xy[tail]
    aside = np.column_stack([-chord[:, 1], chord[:, 0]]) * 0.2
    course = np.stack([xy[tail], (xy[tail] + xy[head]) / 2 + aside, xy[head]], axis=1)
    lines = shapely.linestrings(course)
    return lc.Roads(
        crs=pyproj.CRS(CRS),
        profile=profile("walk"),
        xy=xy,
        u=tail.astype(np.int32),
        v=head.astype(np.int32),
        length_m=shapely.length(lines),
        forward_s=seconds,
        backward_s=seconds,
        lines=lines,
        highway=np.full(len(lines), "residential", dtype=object),
    )


def scattered(network: Network, points: int) -> gpd.GeoDataFrame:
    """Scatter residents about the junctions, in no order."""
    rng = np.random.default_rng(6)
    at = network.xy[rng.integers(0, network.size, points)] + rng.normal(0, 40, (points, 2)) + ORIGIN_M
    return gpd.GeoDataFrame({"population": np.ones(points)}, geometry=shapely.points(at), crs=CRS)


def _nearest_m(tree: shapely.STRtree, points: Array) -> Array:
    _, metres = tree.query_nearest(points, return_distance=True, all_matches=False)
    return metres


def _short(many: int) -> str:
    return f"{many / 1e6:g} M" if many >= 1_000_000 else f"{many / 1e3:g} k"
