"""Convert NetworkX graphs of OSMnx, in memory and as GraphML, into :class:`Roads`.

Graphs are used in this module only; the rest of the package works on arrays. The graph passed in is never
changed.
"""

from __future__ import annotations

import ast
import logging
import re
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pyproj
import shapely

from lifecircle.datum import way_between
from lifecircle.errors import Fault, UnusableInputError, machine_fault, say
from lifecircle.roads._network import RoadsReading
from lifecircle.roads._osm import no_way
from lifecircle.roads._profiles import Profile, Speed, allowed_way, oneway, open_against, profile, way_kmh
from lifecircle.roads._topology import (
    FIT_M,
    Pieces,
    assemble,
    collapse,
    fit_lines,
    metre_frame,
    shift_between,
    straight_lines,
    taking_pieces,
)

_logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    import networkx as nx

    from lifecircle.roads._network import FloatArray, ObjectArray, Roads

    Graph = nx.Graph[Any]

_NO_GRAPHML = (ParseError, LookupError, ValueError, TypeError, AttributeError, OSError, RecursionError)
"""Errors that the reader of GraphML raises at a broken file or another format."""

_Edge = tuple[Hashable, Hashable, Mapping[str, Any]]

_INIT = re.compile(r"\+init=(epsg:\d+)", re.IGNORECASE)

STRAIGHT_SHARE = 0.01
"""A stated length within 1 % of the straight line between its nodes is that line, measured on a sphere."""


def roads_from_graph(
    G: Graph,  # noqa: N803 - the name graphs go by everywhere
    *,
    mode: str | Profile = "walk",
    speed_kmh: Speed | None = None,
    crs: Any = None,
) -> Roads:
    """Build roads from a graph of OSMnx (1.x or 2.x, projected or not), or from any graph of the same form.

    Nodes carry ``x`` and ``y``, the graph ``crs``. Edges carry ``highway`` and what else the rules read
    (``access``, ``foot``, ...), and ``geometry`` where they are not straight. The two edges of a two-way
    street become one. Walkers may use both directions of every edge.

    Parameters
    ----------
    G : graph, directed or not, with parallel edges or not. It is not changed.
    mode : mode or profile id.
    speed_kmh : speed in km/h instead of the profile's own.
    crs : metre CRS to measure in; left out, the one of the area.

    Returns
    -------
    Roads

    Raises
    ------
    UnusableInputError
        Missing coordinates or CRS, lines that miss their nodes, no way for the mode.
    ProjectionError
        The CRS cannot measure metres over the area.

    >>> import networkx as nx
    >>> G = nx.MultiDiGraph(crs="EPSG:4549")
    >>> G.add_nodes_from([(0, {"x": 500000, "y": 3380000}), (1, {"x": 501000, "y": 3380000})])
    >>> G.add_edge(0, 1, highway="residential")
    0
    >>> roads_from_graph(G, crs="EPSG:4549").forward_s.round(6).tolist()
    [720.0]
    """
    return graph_roads(G, "(graph)", profile(mode, speed_kmh=speed_kmh), crs)


def read_graphml(path: str, used: Profile, *, crs: Any) -> Roads:
    """Read a GraphML file as OSMnx writes it; see :func:`roads_from_graph`.

    Raises
    ------
    UnusableInputError
        The file is not GraphML, or what :func:`roads_from_graph` raises.
    """
    import networkx as nx  # noqa: PLC0415 - only GraphML files need it

    try:
        graph = nx.read_graphml(path, force_multigraph=True)
    except (*_NO_GRAPHML, nx.NetworkXError) as error:
        found = " ".join(str(error).split())[:200]
        reason, remedy = (
            say("this is not a readable GraphML file"),
            say("write it again with osmnx.save_graphml"),
        )
        fault = machine_fault(error, path) or Fault(path, "", found, reason, remedy)
        raise UnusableInputError([fault]) from error
    return graph_roads(graph, path, used, crs)


def graph_roads(graph: Graph, name: str, used: Profile, crs: Any) -> Roads:
    """Build roads from a graph; ``name`` is the graph's name in faults.

    Raises
    ------
    UnusableInputError, ProjectionError
        As :func:`roads_from_graph`.
    """
    edges, refused = _usable_edges(graph, used)
    if not edges:
        raise UnusableInputError([no_way(name, used, refused)])
    source = _crs_of(graph, name)
    # Only nodes of usable edges, in the order of the graph, so that the numbers do not depend on a set.
    nodes = list(dict.fromkeys(node for u, v, _ in edges for node in (u, v)))
    places = _places(graph, nodes, name)
    # The graph's own lengths are not used where there is a line: OSMnx measures on a sphere, 0.2 % too short
    # east to west and 0.3 % too long north to south.
    lon, lat = way_between(source, "EPSG:4326").transform(*places.T)
    frame = metre_frame(lon, lat, crs)
    shift = shift_between(source, frame)
    xy = np.column_stack(shift(*places.T))
    number = {node: i for i, node in enumerate(nodes)}
    start = np.array([number[u] for u, _, _ in edges], np.int64)
    end = np.array([number[v] for _, v, _ in edges], np.int64)
    drawn = np.array([_drawn(data.get("geometry")) for _, _, data in edges], dtype=object)
    given = ~shapely.is_missing(drawn)
    lines = straight_lines(xy[start], xy[end])
    if given.any():
        inside = shapely.transform(drawn[given], shift, interleaved=False)
        lines[given], miss, _ = fit_lines(inside, xy[start[given]], xy[end[given]])
        _check_fit(miss, [edge for edge, kept in zip(edges, given, strict=True) if kept], name)
    length = _lengths(lines, given, [data.get("length") for _, _, data in edges])
    pieces = Pieces(lines, start, end, xy, length, *_speeds(graph, edges, used), _classes(edges, used))
    placed = _placed(pieces, edges, name)
    roads = assemble(collapse(placed), crs=frame, profile=used, name=name)
    left_out = {"not_for_mode": sum(refused.values())} if refused else {}
    return roads.with_reading(RoadsReading(len(edges) + sum(refused.values()), len(edges), left_out))


def _usable_edges(graph: Graph, used: Profile) -> tuple[list[_Edge], Counter[str]]:
    """List (u, v, data) of the edges the profile may use, and count the classes of the others.

    An undirected graph may name an edge's nodes either way round; OSMnx keeps the drawn order in ``from``.
    """
    kept: list[_Edge] = []
    refused: Counter[str] = Counter()
    for u, v, data in graph.edges(data=True):
        tags = _tags(data)
        if allowed_way(tags, used):
            against = not graph.is_directed() and tags.get("from", u) == v and u != v
            kept.append((v, u, tags) if against else (u, v, tags))
        else:
            refused[str(data.get("highway", ""))] += 1
    return kept, refused


def _tags(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an edge's data, where lists that GraphML wrote as text are lists again."""
    return {key: read_list(value) if isinstance(value, str) else value for key, value in data.items()}


def read_list(text: str) -> Any:
    """Return a list that a file keeps as text ("['primary', 'service']"); other text stays text."""
    if not (text.startswith("[") and text.endswith("]")):
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _crs_of(graph: Graph, name: str) -> pyproj.CRS:
    stated = graph.graph.get("crs")
    remedy = say(
        "write EPSG:4326 there for longitude and latitude, or save the graph again with a newer OSMnx"
    )
    if stated is None:
        raise UnusableInputError(
            [Fault(name, "graph attribute 'crs'", "", say("the graph has no CRS"), remedy)]
        )
    try:
        return pyproj.CRS.from_user_input(_plain_crs(stated))
    except (pyproj.exceptions.CRSError, TypeError, ValueError) as error:
        reason = say("this is not a coordinate system")
        found = " ".join(str(stated).split())[:100]
        raise UnusableInputError([Fault(name, "graph attribute 'crs'", found, reason, remedy)]) from error


def _plain_crs(stated: Any) -> Any:
    """Return a CRS that older versions of OSMnx wrote as the text of a mapping, or as ``+init=epsg:n``.

    >>> _plain_crs("{'init': 'epsg:4326'}"), _plain_crs("+init=epsg:32650 +type=crs")
    ('epsg:4326', 'epsg:32650')
    """
    if isinstance(stated, str) and stated.strip().startswith("{"):
        try:
            stated = ast.literal_eval(stated.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return stated
    if isinstance(stated, Mapping):
        return stated.get("init") or dict(stated)
    found = _INIT.search(stated) if isinstance(stated, str) else None
    return found[1] if found else stated


def _places(graph: Graph, nodes: list[Hashable], name: str) -> FloatArray:
    places = np.full((len(nodes), 2), np.nan)
    for i, node in enumerate(nodes):
        data = graph.nodes[node]
        try:
            places[i] = float(data["x"]), float(data["y"])
        except (KeyError, TypeError, ValueError):
            continue
    lost = [nodes[i] for i in np.flatnonzero(~np.isfinite(places).all(axis=1))]
    if lost:
        reason = say("{count} nodes have no place", count=len(lost))
        remedy = say("give every node numbers x and y (longitude and latitude, or metres)")
        raise UnusableInputError([Fault(name, f"node {node}", "", reason, remedy) for node in lost[:10]])
    return places


def _drawn(geometry: Any) -> Any:
    """Return an edge's line, None where it is straight."""
    if isinstance(geometry, str):
        geometry = shapely.from_wkt(geometry, on_invalid="ignore")
    if isinstance(geometry, shapely.LineString) and not geometry.is_empty:
        return shapely.force_2d(geometry)
    return None


def _check_fit(miss_m: FloatArray, edges: list[_Edge], name: str) -> None:
    bad = np.flatnonzero(~(miss_m <= FIT_M))
    if len(bad):
        remedy = say("use the graph as OSMnx made it, or move the nodes to the ends of the lines")
        raise UnusableInputError(
            Fault(
                name,
                f"edge {edges[i][0]} -> {edges[i][1]}",
                f"{miss_m[i]:.1f} m",
                say("the line misses its nodes"),
                remedy,
            )
            for i in bad[:10]
        )


def _lengths(lines: ObjectArray, given: Any, stated: list[Any]) -> FloatArray:
    """Measure lines; where there is none, use a stated length that is not the straight line's."""
    length: FloatArray = shapely.length(lines)
    for i in np.flatnonzero(~given):
        try:
            metres = float(stated[i])
        except (TypeError, ValueError):
            continue
        if np.isfinite(metres) and metres > 0 and abs(metres - length[i]) > STRAIGHT_SHARE * length[i]:
            length[i] = metres
    return length


def _placed(pieces: Pieces, edges: list[_Edge], name: str) -> Pieces:
    """Leave out loops without a line, which lead nowhere; refuse other edges whose ends are one point.

    Raises
    ------
    UnusableInputError
        An edge with a length whose two nodes stand at one place: no position along it could be stated.
    """
    point = (shapely.length(pieces.lines) == 0) & (pieces.length_m > 0)
    bad = np.flatnonzero(point & (pieces.start != pieces.end))
    if len(bad):
        reason = say("the edge has a length, but no line, and its two nodes stand at one place")
        remedy = say("draw the edge's line, or move one of the nodes")
        raise UnusableInputError(
            Fault(name, f"edge {edges[i][0]} -> {edges[i][1]}", f"{pieces.length_m[i]:g} m", reason, remedy)
            for i in bad[:10]
        )
    if point.any():
        _logger.info("%s: %d loops without a line are left out: they lead nowhere", name, int(point.sum()))
    return pieces if not point.any() else taking_pieces(pieces, np.flatnonzero(~point))


def _speeds(graph: Graph, edges: list[_Edge], used: Profile) -> tuple[FloatArray, FloatArray]:
    """Return speeds along and against each edge, in km/h, 0 where closed.

    A directed edge is open along itself, and against itself only by a key of the mode itself. Walkers are not
    bound to the direction of an edge.
    """
    kmh = np.array([way_kmh(tags, used) for _, _, tags in edges])
    if used.ways.directed and graph.is_directed():
        against = np.array([open_against(tags, used) for _, _, tags in edges], dtype=bool)
        return kmh, np.where(against, kmh, 0.0)
    direction = np.array([oneway(tags, used) * (-1 if _is_reversed(tags) else 1) for _, _, tags in edges])
    return np.where(direction >= 0, kmh, 0.0), np.where(direction <= 0, kmh, 0.0)


def _is_reversed(tags: Mapping[str, Any]) -> bool:
    """Return whether OSMnx drew this edge against its way; the words on direction refer to the way."""
    return str(tags.get("reversed")) == "True"


def _classes(edges: list[_Edge], used: Profile) -> ObjectArray:
    return np.array([class_shown(tags["highway"], used) for _, _, tags in edges], dtype=object)


def class_shown(highway: Any, used: Profile) -> str:
    """Return the class to display: of several the slowest, which the speed is taken from."""
    if isinstance(highway, (list, tuple)):
        return min((str(name) for name in highway), key=used.class_speed, default="")
    return "" if highway is None else str(highway)
