"""Own how each of the other tools is asked, as its own documentation does it.

Every function gives minutes on foot from each resident to the nearest venue, (resident,), inf where there is
none.
"""
# ruff: noqa: PLC0415 - each is optional, and importing it costs seconds

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import warnings
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from benchmarks.peers import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import networkx as nx

    from benchmarks.beside_settings import City

    Array = np.ndarray[Any, Any]

FAR_M = 20_000.0
CITYSEER_MS = 1.33333
"""The walking speed of cityseer where none is given: 4.8 km/h."""

VALHALLA_KMH = 5.1
"""The walking speed of Valhalla where none is given."""


def lonlat(points: gpd.GeoDataFrame) -> Array:
    """Give points as (point, 2) longitude and latitude."""
    return shapely.get_coordinates(points.to_crs("EPSG:4326").geometry)


def osmnx_filter() -> list[tuple[str, str, bool]]:
    """Give OSMnx's own list of ways on foot: key, words, and whether the words leave a way out."""
    from osmnx import _overpass

    asked = _overpass._get_network_filter("walk")  # noqa: SLF001 - it is no public name, and copied would grow old
    return [(key, words or "", sign == "!~") for key, sign, words in _TEST.findall(asked)]


_TEST = re.compile(r'\["([\w:]+)"(?:(!?~)"([^"]*)")?\]')


def osmnx_graph(city: City, folder: Path) -> nx.MultiDiGraph[int]:
    """Let OSMnx make its graph for walkers: its list of ways, both directions, the largest part."""
    import osmium
    import osmnx

    tests = osmnx_filter()
    path = folder / "walk.osm"
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for thing in osmium.FileProcessor(str(city.file)):
            if thing.is_node() or (thing.is_way() and walked(dict(thing.tags), tests)):
                writer.add(thing)
    return osmnx.graph_from_xml(path, bidirectional=True)


def osmnx_plain_graph(city: City, folder: Path) -> nx.MultiDiGraph[int]:
    """Let OSMnx read the file with its defaults: every way, the direction of a street binds walkers."""
    import osmium
    import osmnx

    path = folder / "all.osm"
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for thing in osmium.FileProcessor(str(city.file)):
            if thing.is_node() or (thing.is_way() and "highway" in thing.tags):
                writer.add(thing)
    return osmnx.graph_from_xml(path)


def walked(tags: dict[str, str], tests: list[tuple[str, str, bool]]) -> bool:
    """Return whether a way passes every test, as Overpass reads them: words are searched for in the value."""
    for key, words, leaves_out in tests:
        if not words:
            if key not in tags:
                return False
        elif leaves_out and key in tags and re.search(words, tags[key]):
            return False
    return True


def osmnx_nodes(graph: nx.MultiDiGraph[int], points: gpd.GeoDataFrame) -> Array:
    """Let OSMnx find the nearest node of each point."""
    import osmnx

    return np.asarray(osmnx.nearest_nodes(graph, *lonlat(points).T))


def networkx_minutes(graph: nx.MultiDiGraph[int], start: Array, end: Array, *, kmh: float) -> Array:
    """Ask networkx for the way to the nearest venue by length."""
    import networkx as nx

    metres = nx.multi_source_dijkstra_path_length(
        graph.reverse(copy=False), set(end.tolist()), weight="length"
    )
    return np.array([metres.get(node, np.inf) for node in start.tolist()]) / (kmh / 3.6) / 60.0


def pandana_minutes(graph: nx.MultiDiGraph[int], city: City, *, kmh: float) -> tuple[Array, Array, Array]:
    """Ask pandana on OSMnx's nodes and edges, in degrees as its own loader has them.

    Returns
    -------
    minutes, start, end : and the nodes that it takes residents and venues to be at
    """
    import osmnx
    import pandana

    nodes, edges = osmnx.graph_to_gdfs(graph)
    ends = edges.index.to_frame(index=False)
    with quiet():
        made = pandana.Network(
            nodes["x"], nodes["y"], ends["u"], ends["v"], edges[["length"]].reset_index(drop=True)
        )
        made.precompute(FAR_M)
        start = made.get_node_ids(*_columns(city.homes)).to_numpy()
        place = made.get_node_ids(*_columns(city.venues)).to_numpy()
        made.set_pois("venue", FAR_M, 1, *_columns(city.venues))
        metres = made.nearest_pois(FAR_M, "venue", num_pois=1)[1]
    found = metres.reindex(start).to_numpy()
    return np.where(found < FAR_M, found, np.inf) / (kmh / 3.6) / 60.0, start, place


def _columns(points: gpd.GeoDataFrame) -> tuple[Any, Any]:
    import pandas as pd

    return tuple(pd.Series(column) for column in lonlat(points).T)  # type: ignore[return-value]


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep progress bars, warnings and logs of another tool to itself."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), quiet(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def cityseer_minutes(graph: nx.MultiDiGraph[int], city: City) -> Array:
    """Ask cityseer on OSMnx's graph, at its own speed; a resident takes the figure of the nearest node."""
    from cityseer.metrics import layers
    from cityseer.tools import io as streets_io

    with _hushed():
        streets = streets_io.nx_wgs_to_utm(streets_io.nx_from_osm_nx(graph))
        nodes, _, network = streets_io.network_structure_from_nx(streets)
        venues = city.venues[["geometry"]].to_crs(nodes.crs).assign(kind="health")
        venues.index = venues.index.astype(str)
        reach = int(FAR_M)
        nodes = layers.compute_accessibilities(
            venues,
            "kind",
            ["health"],
            nodes,
            network,
            max_netw_assign_dist=400,
            distances=[reach],
            speed_m_s=CITYSEER_MS,
        )
        near = city.homes[["geometry"]].to_crs(nodes.crs).sjoin_nearest(nodes)
    near = near[~near.index.duplicated()]
    metres = near[f"cc_health_nearest_max_{reach}"].reindex(city.homes.index).to_numpy(dtype=np.float64)
    return np.where(np.isfinite(metres), metres, np.inf) / CITYSEER_MS / 60.0


def _tiles(city: City, folder: Path) -> dict[str, Any]:
    """Write the tiles of a file, and return the settings to ask them with."""
    import valhalla

    tiles = folder / "tiles"
    tiles.mkdir(exist_ok=True)
    settings = valhalla.get_config(tile_extract="", tile_dir=tiles, verbose=False)
    settings["service_limits"]["pedestrian"].update(max_matrix_location_pairs=10**8, max_matrix_distance=1e6)
    settings["service_limits"]["isochrone"].update(max_time_contour=_ALL_MIN, max_distance_contour=_ALL_MIN)
    (folder / "valhalla.json").write_text(json.dumps(settings), "utf-8")
    builder = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
    command = [str(builder), "-c", str(folder / "valhalla.json"), str(city.file)]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return settings


@dataclass(frozen=True, eq=False)
class Valhalla:
    """Valhalla's own engine on its tiles of a city."""

    actor: Any
    city: City

    @classmethod
    def of(cls, city: City, folder: Path) -> Valhalla:
        """Let Valhalla build its tiles; no network."""
        from valhalla import Actor

        return cls(Actor(_tiles(city, folder)), city)

    def nearest(self, **options: Any) -> tuple[Array, Array]:
        """Ask for its matrix on foot, with its own settings but for ``options``.

        Returns
        -------
        minutes, metres : to the nearest venue, each by itself
        """
        found = self.actor.matrix(
            {
                "sources": _places(self.city.homes),
                "targets": _places(self.city.venues),
                "costing": "pedestrian",
                "costing_options": {"pedestrian": options},
                "verbose": False,
            }
        )["sources_to_targets"]
        seconds, km = (np.array(found[name], dtype=np.float64) for name in ("durations", "distances"))
        least = [np.where(np.isfinite(one), one, np.inf).min(axis=1) for one in (seconds, km)]
        return least[0] / 60.0, least[1] * 1000.0

    def ways(self) -> gpd.GeoDataFrame:
        """Give every edge that it walks on: those that it reaches from one of the venues."""
        import geopandas as gpd

        reply = self.actor.expansion(
            {
                "action": "isochrone",
                "locations": _places(self.city.venues)[:1],
                "costing": "pedestrian",
                "contours": [{"time": _ALL_MIN}],
                "expansion_properties": ["edge_id"],
                "skip_opposites": True,
            }
        )
        reached = json.loads(reply) if isinstance(reply, str) else reply
        lines = [shapely.LineString(one["geometry"]["coordinates"]) for one in reached["features"]]
        return gpd.GeoDataFrame({"highway": ["path"] * len(lines)}, geometry=lines, crs="EPSG:4326")

    def joined(self, points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Move points to where it joins them to its edges."""
        import geopandas as gpd

        places = []
        for place in _places(points):
            found = self.actor.locate({"locations": [place], "costing": "pedestrian"})[0]["edges"]
            first = found[0] if found else {"correlated_lon": place["lon"], "correlated_lat": place["lat"]}
            places.append((first["correlated_lon"], first["correlated_lat"]))
        moved = gpd.GeoSeries(gpd.points_from_xy(*np.array(places).T), points.index, "EPSG:4326")
        return points.set_geometry(moved.to_crs(points.crs))


_ALL_MIN = 600


def _places(points: gpd.GeoDataFrame) -> list[dict[str, float]]:
    return [{"lon": lon, "lat": lat} for lon, lat in lonlat(points).tolist()]
