"""Own how our settings are turned to those of another tool, one at a time.

Every function gives minutes from each resident to the nearest venue, (resident,), inf where there is no way.
They use the public package alone: a setting that the package has is used, and what it has not is said by
moving the points before they are handed over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.spatial import cKDTree

import lifecircle as lc
from lifecircle.roads import PROFILES

if TYPE_CHECKING:
    from pathlib import Path

    import networkx as nx

    from lifecircle.roads import Roads

    Array = np.ndarray[Any, Any]

_EARTH_M = 6_378_160.0

LIMIT_MIN = 60.0
"""A limit that shortens nothing here: legs may take a quarter of it."""

_WALK = PROFILES["walk"]
EVERY_WAY = replace(
    _WALK,
    ways=replace(
        _WALK.ways,
        id="every way",
        never=frozenset(),
        barred=(),
        closed=frozenset(),
        closed_by=(),
        access_keys=(),
    ),
)
"""A walker who uses every way of a graph: what may be used is then decided by who made the graph."""


ONE_WAY = replace(EVERY_WAY, ways=replace(EVERY_WAY.ways, id="every way, directed", directed=True))
"""The same walker, bound to the direction of a graph's edges."""


@dataclass(frozen=True, eq=False)
class City:
    """The same people and venues for everyone: points in the metre CRS of ``roads``."""

    name: str
    file: Path
    roads: Roads
    homes: gpd.GeoDataFrame
    venues: gpd.GeoDataFrame

    @property
    def people(self) -> Array:
        """Give the residents of each point."""
        return self.homes["population"].to_numpy(dtype=np.float64)


def read_city(folder: Path) -> City:
    """Read central São Paulo: walking roads, people of the cells, and the cells with a health unit."""
    roads = lc.read_roads(folder / "spo_osm.pbf", mode="walk")
    cells = pd.read_csv(folder / "spo_hexgrid.csv")
    homes, _ = lc.read_demand(cells)
    venues, _ = lc.read_facilities(cells[cells["healthcare"] > 0].drop(columns="id"), service="health")
    return City("São Paulo", folder / "spo_osm.pbf", roads, homes.to_crs(roads.crs), venues.to_crs(roads.crs))


def minutes(roads: Roads, homes: gpd.GeoDataFrame, venues: gpd.GeoDataFrame) -> Array:
    """Ask lifecircle as it is."""
    near = lc.nearest(roads, homes, venues, limit_min=LIMIT_MIN)
    return near["minutes"].fillna(np.inf).to_numpy()


def on_roads(roads: Roads, points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Move points to where they join the roads, so that nobody walks an access leg."""
    here = lc.snap(roads, points)
    place = shapely.line_interpolate_point(roads.lines[here.edge], here.share, normalized=True)
    return points.set_geometry(
        gpd.GeoSeries(np.where(here.snapped, place, points.geometry), points.index, roads.crs)
    )


def at_junctions(roads: Roads, points: gpd.GeoDataFrame, *, in_degrees: bool = False) -> gpd.GeoDataFrame:
    """Move points to the nearest junction; in degrees a degree east counts as one north."""
    here, there = roads.xy, shapely.get_coordinates(points.geometry)
    if in_degrees:
        shift = pyproj.Transformer.from_crs(roads.crs, "EPSG:4326", always_xy=True).transform
        here, there = (np.column_stack(shift(*places.T)) for places in (here, there))
    _, nearest = cKDTree(here).query(there)
    return points.set_geometry(gpd.points_from_xy(*roads.xy[nearest].T, crs=roads.crs))


def main_part(roads: Roads) -> Roads:
    """Leave out every fragment but the longest."""
    return roads.only(roads.components[roads.u] == 0)


def on_a_sphere(roads: Roads) -> Roads:
    """Measure every edge along great circles, as tools do that keep longitude and latitude."""
    back = pyproj.Transformer.from_crs(roads.crs, "EPSG:4326", always_xy=True).transform
    earth = pyproj.Geod(a=_EARTH_M, b=_EARTH_M)
    lines = shapely.transform(roads.lines, back, interleaved=False)
    length_m = np.array([earth.line_length(*line.coords.xy) for line in lines])
    return replace(roads, length_m=length_m).at_speed(float(roads.profile.speed_kmh or 0))


def ways_of(graph: nx.MultiDiGraph[Any], city: City, *, one_way: bool = False) -> Roads:
    """Read another tool's graph as it is: all its ways, in both directions unless a street binds walkers."""
    return lc.roads_from_graph(graph, mode=ONE_WAY if one_way else EVERY_WAY, crs=city.roads.crs)


def read_lines(lines: gpd.GeoDataFrame, city: City) -> Roads:
    """Read the edges of another tool as lines that join at their ends."""
    return lc.read_roads(lines, mode=EVERY_WAY, crs=city.roads.crs)


def graph_minutes(
    graph: nx.MultiDiGraph[Any], start: Array, end: Array, *, kmh: float, key: str = "length"
) -> Array:
    """Ask our engine on the very edges, lengths and nodes of another tool.

    ``start`` : (resident,) and ``end`` : (venue,) names of nodes.
    """
    number = {node: at for at, node in enumerate(graph.nodes)}
    # Outward from the venues over reversed edges: the direction is from resident to venue.
    edges = np.array([(number[v], number[u], data[key]) for u, v, data in graph.edges(data=True)])
    edges = edges[np.argsort(edges[:, 0], kind="stable")]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(edges[:, 0].astype(int), minlength=len(number)))])
    engine = lc.TravelGraph(indptr, edges[:, 1].astype(int), edges[:, 2] / (kmh / 3.6))
    seconds, _ = engine.nearest([number[node] for node in end])
    return seconds[[number[node] for node in start]] / 60.0
