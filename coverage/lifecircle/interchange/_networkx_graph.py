"""Convert roads, or a bare graph of seconds, into a graph of networkx that OSMnx accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pyproj
import shapely

from lifecircle.datum import way_between
from lifecircle.errors import GraphError, ProjectionError, say
from lifecircle.roads import Roads

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.reach import TravelGraph

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


def to_networkx(
    source: Roads | TravelGraph,
    *,
    xy: npt.ArrayLike | None = None,
    crs: Any = None,
    length_m: npt.ArrayLike | None = None,
) -> nx.MultiDiGraph[int]:
    """Convert a network into a graph of networkx, with what OSMnx expects of nodes and edges.

    Nodes are the junctions, by their number. An edge is one direction that may be travelled, so a two-way
    street is two. Parallel edges and loops stay.

    Parameters
    ----------
    source : roads, or a graph of seconds alone
    xy : (junction, 2) places of a bare graph, in ``crs``; roads have their own
    crs : coordinate system of ``xy``; of roads, another one to convert to, such as ``EPSG:4326``
    length_m : (edge,) metres of the edges of a bare graph, in their order

    Returns
    -------
    graph : nodes with ``x``, ``y`` and ``street_count``; edges with ``travel_time`` (seconds, float),
        ``length`` (metres) and ``osmid``, which is the number of the edge here, not one of OpenStreetMap. Of
        roads also ``highway``, ``oneway``, ``reversed`` and ``geometry``, drawn from the first node to the
        second. What is not known of a bare graph is left out

    Raises
    ------
    GraphError
        Places or lengths do not fit the graph, a place is not finite, or roads are handed either.
    ProjectionError
        ``crs`` is no coordinate system.

    References
    ----------
    Boeing (2025), Modeling and analyzing urban networks and amenities with OSMnx, Geographical Analysis 57:
    which attributes nodes and edges have.

    >>> from lifecircle.reach import TravelGraph
    >>> graph = to_networkx(TravelGraph([0, 2, 3, 3], [1, 2, 2], [10.0, 30.0, 5.0]))
    >>> nx.shortest_path(graph, 0, 2, weight="travel_time")
    [0, 1, 2]
    """
    if isinstance(source, Roads):
        if xy is not None or length_m is not None:
            raise GraphError(say("roads have places and lengths of their own: leave out xy and length_m"))
        return _of_roads(source, source.crs if crs is None else _crs(crs))
    return _of_graph(source, xy, crs, length_m)


def _of_roads(roads: Roads, crs: pyproj.CRS) -> nx.MultiDiGraph[int]:
    """Convert roads; lengths stay those of the metre CRS, wherever the places are shown."""
    lines, xy = roads.lines, roads.xy
    if crs != roads.crs:
        shift = way_between(roads.crs, crs).transform
        xy = np.column_stack(shift(*xy.T))
        lines = shapely.transform(lines, shift, interleaved=False)
    ahead, back = np.isfinite(roads.forward_s), np.isfinite(roads.backward_s)
    graph = _nodes(len(xy), xy, np.concatenate([roads.u, roads.v]))
    graph.graph["crs"] = _shown(crs)
    turned = shapely.reverse(lines)
    for edge, (u, v) in enumerate(zip(roads.u.tolist(), roads.v.tolist(), strict=True)):
        known = {
            "osmid": edge,
            "highway": roads.highway[edge],
            "oneway": not (ahead[edge] and back[edge]),
            "length": float(roads.length_m[edge]),
        }
        if ahead[edge]:
            seconds = float(roads.forward_s[edge])
            graph.add_edge(u, v, **known, reversed=False, travel_time=seconds, geometry=lines[edge])
        if back[edge]:
            seconds = float(roads.backward_s[edge])
            graph.add_edge(v, u, **known, reversed=True, travel_time=seconds, geometry=turned[edge])
    return graph


def _of_graph(source: TravelGraph, xy: Any, crs: Any, length_m: Any) -> nx.MultiDiGraph[int]:
    """Convert a graph of seconds, with what is known of it beside."""
    places = _fitting("xy", xy, (source.size, 2))
    lengths = _fitting("length_m", length_m, (len(source.seconds),))
    tails = np.repeat(np.arange(source.size), np.diff(source.indptr))
    graph = _nodes(source.size, places, np.concatenate([tails, source.indices]))
    if crs is not None:
        graph.graph["crs"] = _shown(_crs(crs))
    ends = zip(tails.tolist(), source.indices.tolist(), source.seconds.tolist(), strict=True)
    for edge, (u, v, seconds) in enumerate(ends):
        known = {} if lengths is None else {"length": float(lengths[edge])}
        graph.add_edge(u, v, osmid=edge, travel_time=seconds, **known)
    return graph


def _nodes(many: int, xy: Floats | None, ends: Any) -> nx.MultiDiGraph[int]:
    """Return a graph of nodes alone; ``street_count`` is how many ends of edges meet there."""
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    count = np.bincount(ends, minlength=many).tolist()
    places = [{}] * many if xy is None else [{"x": x, "y": y} for x, y in xy.tolist()]
    for node in range(many):
        graph.add_node(node, **places[node], street_count=count[node])
    return graph


def _fitting(name: str, values: Any, shape: tuple[int, ...]) -> Floats | None:
    """Return values as an array of a shape, None where there are none.

    Raises
    ------
    GraphError
        They have another shape, or one is not finite.
    """
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise GraphError(
            say("{name} has shape {found}, not {wanted}", name=name, found=array.shape, wanted=shape)
        )
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        at = tuple(bad[0].tolist())
        raise GraphError(
            say("{name} is {value} at {at}: give finite numbers", name=name, value=array[at], at=at)
        )
    return array


def _crs(stated: Any) -> pyproj.CRS:
    """Return a coordinate system.

    Raises
    ------
    ProjectionError
        There is none of this name.
    """
    try:
        return pyproj.CRS.from_user_input(stated)
    except pyproj.exceptions.CRSError as error:
        raise ProjectionError(say("{crs} is no coordinate system", crs=repr(stated))) from error


def _shown(crs: pyproj.CRS) -> str:
    """Return a coordinate system as text, which a graph can be saved with."""
    name = crs.to_authority()
    return ":".join(name) if name else crs.to_wkt()
