"""Travel times counted a second time, by code that shares nothing with the package.

Owns its own reading of OpenStreetMap files (the bytes of a .osm.pbf, the elements of an .osm) and of
GraphML, its own metre coordinates, a brute-force snap of every point against every segment, and two
shortest-path libraries (networkx for the nearest facility, scipy for every facility in turn).

It imports nothing of the package. What is a matter of policy and not of computing - which ways may be
used, in which direction, at which speed - is handed in as a function of a way's tags. Ways are cut at
every one of their nodes, so that no simplification stands between the file and the answer.
"""

from __future__ import annotations

import ast
import functools
import itertools
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import networkx as nx
import numpy as np
import pyproj
import scipy.sparse
from scipy.sparse.csgraph import dijkstra

if TYPE_CHECKING:
    from pathlib import Path

Tags = Mapping[str, Any]
Place = tuple[float, float]
Seconds = Callable[[Tags, float], tuple[float, float]]
"""Seconds along and against a piece of a way: (tags, length_m) -> (forward, backward), inf where barred."""

SAME_PLACE_M = 1e-6
"""Two positions closer than this are one place: far above float noise, far below any road."""


# ---------------------------------------------------------------------------------------------------------
# OpenStreetMap files


@dataclass(frozen=True)
class OsmFile:
    """Nodes and ways of a file, as they stand in it.

    Attributes
    ----------
    places : node id -> (lon, lat) in degrees.
    node_tags : node id -> tags, for nodes that have any.
    ways : (way id, node ids, tags), in the order of the file.
    """

    places: dict[int, Place]
    node_tags: dict[int, dict[str, str]]
    ways: list[tuple[int, list[int], dict[str, str]]]

    def tagged(self, key: str, value: str) -> list[tuple[str, float, float]]:
        """Find nodes and closed ways with a tag.

        Returns
        -------
        (id, lon, lat) for each; a closed way stands at the centroid of its outline.
        """
        nodes = (node for node, tags in self.node_tags.items() if tags.get(key) == value)
        found = [(f"n{node}", *self.places[node]) for node in nodes]
        for way, refs, tags in self.ways:
            if tags.get(key) == value and refs[0] == refs[-1] and all(ref in self.places for ref in refs):
                found.append((f"w{way}", *_centroid(np.array([self.places[ref] for ref in refs]))))
        return found


def _centroid(ring: np.ndarray) -> tuple[float, float]:
    """Find the centroid of a closed ring (vertex, 2) by the shoelace formula."""
    origin = ring[0]
    x, y = (ring - origin).T
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    area = cross.sum() / 2
    lon = ((x[:-1] + x[1:]) * cross).sum() / (6 * area)
    lat = ((y[:-1] + y[1:]) * cross).sum() / (6 * area)
    return float(origin[0] + lon), float(origin[1] + lat)


def read_osm_xml(path: Path) -> OsmFile:
    """Read an .osm file element by element."""
    places: dict[int, Place] = {}
    node_tags: dict[int, dict[str, str]] = {}
    ways: list[tuple[int, list[int], dict[str, str]]] = []
    for element in ET.parse(path).getroot():
        tags = {tag.attrib["k"]: tag.attrib["v"] for tag in element.findall("tag")}
        if element.tag == "node":
            node = int(element.attrib["id"])
            places[node] = (float(element.attrib["lon"]), float(element.attrib["lat"]))
            if tags:
                node_tags[node] = tags
        elif element.tag == "way":
            refs = [int(ref.attrib["ref"]) for ref in element.findall("nd")]
            ways.append((int(element.attrib["id"]), refs, tags))
    return OsmFile(places, node_tags, ways)


def read_osm_pbf(path: Path) -> OsmFile:
    """Read an .osm.pbf file from its bytes, following the published wire format.

    Raises
    ------
    ValueError
        A block is compressed by something other than zlib.
    """
    file = OsmFile({}, {}, [])
    data = path.read_bytes()
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        header = _message(data[at + 4 : at + 4 + size])
        at += 4 + size
        blob = _message(data[at : at + header[3][0]])
        at += header[3][0]
        if header[1][0] != b"OSMData":
            continue
        if 1 in blob:
            block = blob[1][0]
        elif 3 in blob:
            block = zlib.decompress(blob[3][0])
        else:
            raise ValueError(f"{path}: a block is neither raw nor zlib: fields {sorted(blob)}")
        _read_block(_message(block), file)
    return file


def _read_block(block: dict[int, list[Any]], file: OsmFile) -> None:
    """Add the nodes and ways of one primitive block to the file."""
    words = [word.decode() for word in _message(block[1][0])[1]]
    granularity = block.get(17, [100])[0]
    lat_offset, lon_offset = block.get(19, [0])[0], block.get(20, [0])[0]

    def degrees(lons: np.ndarray, lats: np.ndarray) -> Iterator[Place]:
        lon, lat = (lon_offset + granularity * lons) / 1e9, (lat_offset + granularity * lats) / 1e9
        return zip(lon.tolist(), lat.tolist(), strict=True)

    for group in map(_message, block[2]):
        for node in map(_message, group.get(1, [])):
            ids, lats, lons = (_signed(np.array(node[field])) for field in (1, 8, 9))
            file.places[int(ids[0])] = next(degrees(lons, lats))
            if 2 in node:
                file.node_tags[int(ids[0])] = _tags(words, node)
        for dense in map(_message, group.get(2, [])):
            ids, lats, lons = (np.cumsum(_signed(_varints(dense[field][0]))) for field in (1, 8, 9))
            nodes = ids.tolist()
            file.places.update(zip(nodes, degrees(lons, lats), strict=True))
            if 10 in dense:
                _dense_tags(words, nodes, _varints(dense[10][0]).tolist(), file.node_tags)
        for way in map(_message, group.get(3, [])):
            refs = np.cumsum(_signed(_varints(way[8][0]))).tolist() if 8 in way else []
            file.ways.append((way[1][0], refs, _tags(words, way)))


def _tags(words: list[str], thing: dict[int, list[Any]]) -> dict[str, str]:
    """Read keys (field 2) and values (field 3) of a node or way."""
    if 2 not in thing:
        return {}
    keys, values = (_varints(thing[field][0]).tolist() for field in (2, 3))
    return {words[key]: words[value] for key, value in zip(keys, values, strict=True)}


def _dense_tags(words: list[str], nodes: list[int], flat: list[int], tags: dict[int, dict[str, str]]) -> None:
    """Read the flat list `key value key value 0 ...`, where a zero closes a node."""
    node = at = 0
    while at < len(flat):
        if flat[at] == 0:
            node += 1
            at += 1
        else:
            tags.setdefault(nodes[node], {})[words[flat[at]]] = words[flat[at + 1]]
            at += 2


def _message(data: bytes) -> dict[int, list[Any]]:
    """Split a protocol-buffer message into its fields: number -> values in order.

    >>> _message(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69]))
    {1: [150], 2: [b'hi']}
    """
    fields: dict[int, list[Any]] = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value: int | bytes
        if key & 7 == 0:
            value, at = _varint(data, at)
        elif key & 7 == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            size = {1: 8, 5: 4}[key & 7]
            value, at = data[at : at + size], at + size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read one base-128 number; returns it and the place after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _varints(data: bytes) -> np.ndarray:
    """Read a packed field of base-128 numbers at once.

    >>> _varints(bytes([0x96, 0x01, 0x03])).tolist()
    [150, 3]
    """
    octets = np.frombuffer(data, dtype=np.uint8)
    last = np.flatnonzero(octets < 128)
    first = np.concatenate([[0], last[:-1] + 1])
    digit = np.arange(len(octets)) - np.repeat(first, last - first + 1)
    shifted = (octets & 127).astype(np.uint64) << (7 * digit).astype(np.uint64)
    return np.add.reduceat(shifted, first)


def _signed(values: np.ndarray) -> np.ndarray:
    """Undo the zigzag of signed numbers.

    >>> _signed(np.array([0, 1, 2, 3, 4], dtype=np.uint64)).tolist()
    [0, -1, 1, -2, 2]
    """
    unsigned = values.astype(np.uint64)
    return (unsigned >> np.uint64(1)).astype(np.int64) ^ -(unsigned & np.uint64(1)).astype(np.int64)


# ---------------------------------------------------------------------------------------------------------
# Networks


@dataclass(frozen=True)
class Network:
    """Straight segments between nodes, in metres.

    Attributes
    ----------
    crs : metre CRS of the coordinates, which are counted from `origin`.
    xy : (node, 2).
    a, b : ends of each segment (segment,).
    seconds : a->b and b->a (segment, 2), inf where barred.
    """

    crs: pyproj.CRS
    origin: np.ndarray
    xy: np.ndarray
    a: np.ndarray
    b: np.ndarray
    seconds: np.ndarray

    @property
    def length_m(self) -> np.ndarray:
        """Planar length of every segment."""
        return np.hypot(*(self.xy[self.b] - self.xy[self.a]).T)

    def metres(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Turn degrees into the coordinates of `xy`."""
        return _metres(self.crs, lon, lat) - self.origin

    def degrees(self, xy: np.ndarray) -> np.ndarray:
        """Turn coordinates of `xy` into (lon, lat)."""
        xy = xy + self.origin
        return np.column_stack(_projection(self.crs).transform(*xy.T, direction="INVERSE"))

    def midpoints(self) -> np.ndarray:
        """Find the middle of every segment, in degrees (segment, 2)."""
        return self.degrees((self.xy[self.a] + self.xy[self.b]) / 2)

    def grid(self, step_m: float) -> np.ndarray:
        """Lay a regular grid over the box of the network, in degrees (point, 2)."""
        low, high = self.xy.min(axis=0), self.xy.max(axis=0)
        east, north = (np.arange(low[axis], high[axis] + step_m, step_m) for axis in (0, 1))
        return self.degrees(np.stack(np.meshgrid(east, north), axis=-1).reshape(-1, 2))


@functools.cache
def _projection(crs: pyproj.CRS) -> pyproj.Transformer:
    """Give the way from degrees to metres, easting first."""
    return pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def _metres(crs: pyproj.CRS, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Project degrees: (point, 2)."""
    return np.column_stack(_projection(crs).transform(lon, lat))


def travelling(speed_kmh: Callable[[Tags], float], direction: Callable[[Tags], int]) -> Seconds:
    """Make the seconds of a traveller from the speed on a way and its direction (1, -1, or 0 for both).

    >>> travelling(lambda tags: 36.0, lambda tags: 1)({}, 100.0)
    (10.0, inf)
    """

    def seconds(tags: Tags, length_m: float) -> tuple[float, float]:
        usual, way = length_m * 3.6 / speed_kmh(tags), direction(tags)
        return (np.inf if way < 0 else usual, np.inf if way > 0 else usual)

    return seconds


def network_from_osm(
    file: OsmFile, *, crs: pyproj.CRS, allowed: Callable[[Tags], bool], seconds: Seconds
) -> Network:
    """Cut every allowed way at every node into segments.

    Where a way names a node the file does not hold, the way is broken there. A pair of nodes joined by
    several ways is one segment, each direction at its least time.
    """
    ways = ((refs, tags) for _, refs, tags in file.ways if allowed(tags))
    return _network(
        ((((node, file.places.get(node)) for node in refs), tags) for refs, tags in ways),
        crs=crs,
        seconds=seconds,
    )


def network_from_graphml(
    path: Path, *, crs: pyproj.CRS, allowed: Callable[[Tags], bool], seconds: Seconds
) -> Network:
    """Cut every allowed edge of a GraphML file of OSMnx at every vertex of its line.

    Edges without a line are straight. Edges that follow one line, in either direction, are one: each
    direction at its least time.
    """
    places, edges = _read_graphml(path)

    def chains() -> Iterator[tuple[Iterable[tuple[Any, Place | None]], Tags]]:
        for u, v, tags in edges:
            if not allowed(tags):
                continue
            inner = _line(tags.get("geometry", ""))[1:-1]
            forward, backward = (u, *inner, v), (v, *inner[::-1], u)
            name = min(forward, backward, key=str)
            inside = [(name, place) for place in inner]
            yield zip([u, *inside, v], [places[u], *inner, places[v]], strict=True), tags

    return _network(chains(), crs=crs, seconds=seconds)


def _read_graphml(path: Path) -> tuple[dict[str, Place], list[tuple[str, str, dict[str, Any]]]]:
    """Read nodes (id -> lon, lat) and edges (source, target, attributes); lists come as lists."""
    space = "{http://graphml.graphdrawing.org/xmlns}"
    root = ET.parse(path).getroot()
    names = {key.attrib["id"]: key.attrib["attr.name"] for key in root.findall(f"{space}key")}

    def attributes(element: ET.Element) -> dict[str, Any]:
        raw = {names[item.attrib["key"]]: item.text or "" for item in element.findall(f"{space}data")}
        return {name: ast.literal_eval(text) if text[:1] == "[" else text for name, text in raw.items()}

    graph = root.find(f"{space}graph")
    assert graph is not None
    places = {}
    for node in graph.findall(f"{space}node"):
        known = attributes(node)
        places[node.attrib["id"]] = (float(known["x"]), float(known["y"]))
    edges = graph.findall(f"{space}edge")
    return places, [(edge.attrib["source"], edge.attrib["target"], attributes(edge)) for edge in edges]


def _line(wkt: str) -> list[Place]:
    """Read the vertices of a LINESTRING.

    >>> _line("LINESTRING (1 2, 3.5 4)")
    [(1.0, 2.0), (3.5, 4.0)]
    """
    inside = wkt.partition("(")[2].rpartition(")")[0]
    pairs = (pair.split() for pair in inside.split(",") if pair.strip())
    return [(float(lon), float(lat)) for lon, lat in pairs]


def _network(
    chains: Iterable[tuple[Iterable[tuple[Any, Place | None]], Tags]], *, crs: pyproj.CRS, seconds: Seconds
) -> Network:
    """Join chains of (node, place or None) with their tags into a network."""
    number: dict[Any, int] = {}
    places: list[Place] = []
    pieces: list[tuple[int, int, Tags]] = []
    for chain, tags in chains:
        last: int | None = None
        for node, place in chain:
            if place is None:
                last = None
                continue
            here = number.setdefault(node, len(places))
            if here == len(places):
                places.append(place)
            if last is not None and last != here:
                pieces.append((last, here, tags))
            last = here
    lon, lat = np.array(places).T
    xy = _metres(crs, lon, lat)
    origin = np.round(xy.mean(axis=0))
    xy = xy - origin
    segments: dict[tuple[int, int], list[float]] = {}
    for start, end, tags in pieces:
        forward, backward = seconds(tags, float(np.hypot(*(xy[end] - xy[start]))))
        if start > end:
            start, end, forward, backward = end, start, backward, forward  # noqa: PLW2901 - one way round
        known = segments.setdefault((start, end), [np.inf, np.inf])
        segments[start, end] = [min(known[0], forward), min(known[1], backward)]
    ends = np.array(list(segments))
    return Network(crs, origin, xy, ends[:, 0], ends[:, 1], np.array(list(segments.values())))


# ---------------------------------------------------------------------------------------------------------
# Snapping


@dataclass(frozen=True)
class Snapped:
    """Where points meet the network.

    Attributes
    ----------
    segment : nearest segment (point,).
    share : position from a to b, 0 to 1 (point,); exactly 0 or 1 at a node.
    leg_m : distance to it (point,).
    ambiguous : another place is as near (point,): the nearest place is then not a fact.
    """

    segment: np.ndarray
    share: np.ndarray
    leg_m: np.ndarray
    ambiguous: np.ndarray


def snap(network: Network, xy: np.ndarray, *, chunk: int = 50_000) -> Snapped:
    """Snap every point to the nearest of all segments, each tried in turn.

    >>> cross = Network(pyproj.CRS(32650), np.zeros(2), np.array([[0.0, 0], [10, 0], [10, 10]]),
    ...                 np.array([0, 1]), np.array([1, 2]), np.ones((2, 2)))
    >>> here = snap(cross, np.array([[4.0, 3], [12, -1], [7, 3]]))
    >>> here.segment.tolist(), here.share.tolist(), here.ambiguous.tolist()
    ([0, 0, 0], [0.4, 1.0, 0.7], [False, False, True])
    """
    count = len(xy)
    segment, share, leg = np.empty(count, dtype=np.int64), np.empty(count), np.empty(count)
    ambiguous = np.zeros(count, dtype=bool)
    start = network.xy[network.a]
    along = network.xy[network.b] - start
    squared = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    length = np.sqrt(squared)
    step = max(1, chunk // len(start))
    for low in range(0, count, step):
        some = slice(low, min(low + step, count))
        dx = xy[some, None, 0] - start[:, 0]
        dy = xy[some, None, 1] - start[:, 1]
        position = np.clip((dx * along[:, 0] + dy * along[:, 1]) / squared, 0.0, 1.0)
        dx -= position * along[:, 0]
        dy -= position * along[:, 1]
        distance = np.sqrt(dx * dx + dy * dy)
        best = distance.argmin(axis=1)
        rows = np.arange(len(best))
        segment[some], share[some], leg[some] = best, position[rows, best], distance[rows, best]
        near = distance <= distance[rows, best][:, None] + SAME_PLACE_M
        for row in np.flatnonzero(near.sum(axis=1) > 1):
            others = np.flatnonzero(near[row])
            ambiguous[low + row] = len({_place(network, length, s, position[row, s]) for s in others}) > 1
    at_start, at_end = share * length[segment] < SAME_PLACE_M, (1 - share) * length[segment] < SAME_PLACE_M
    share = np.where(at_start, 0.0, np.where(at_end, 1.0, share))
    return Snapped(segment, share, leg, ambiguous)


def _place(network: Network, length: np.ndarray, segment: int, share: float) -> tuple[str, int]:
    """Name the place of a position: a node, or the inside of a segment."""
    if share * length[segment] < SAME_PLACE_M:
        return "node", int(network.a[segment])
    if (1 - share) * length[segment] < SAME_PLACE_M:
        return "node", int(network.b[segment])
    return "segment", int(segment)


# ---------------------------------------------------------------------------------------------------------
# Answers


@dataclass(frozen=True)
class Answer:
    """What every resident's nearest facility is, and how far.

    Attributes
    ----------
    status : covered | beyond | disconnected | unsnapped (demand,).
    seconds : to the nearest facility (demand,), NaN where there is none.
    to_facility : to each facility (demand, facility), inf where there is no way; by another library.
    leg_m : access legs of the residents (demand,), whatever the cap.
    ambiguous : the resident's nearest place is not a fact (demand,).
    facility_ambiguous : the same for facilities (facility,).
    """

    status: np.ndarray
    seconds: np.ndarray
    to_facility: np.ndarray
    leg_m: np.ndarray
    ambiguous: np.ndarray
    facility_ambiguous: np.ndarray


def answer(
    network: Network,
    demand_lonlat: np.ndarray,
    facility_lonlat: np.ndarray,
    *,
    limit_min: float,
    access_kmh: float,
) -> Answer:
    """Count the time from every resident to the nearest facility.

    Caps of the access legs: 500 m for residents and 300 m for facilities, and for both a quarter of the
    limit at the access speed; all inclusive. The limit itself is inclusive up to 1e-6 s.

    >>> street = Network(pyproj.CRS(32650), np.zeros(2), np.array([[0.0, 0], [1000, 0]]),
    ...                  np.array([0]), np.array([1]), np.array([[720.0, 720]]))
    >>> there = street.degrees(np.array([[100.0, 0], [600, 50], [0, 600]]))
    >>> found = answer(street, there, street.degrees(np.array([[500.0, 0]])), limit_min=4, access_kmh=5)
    >>> found.status.tolist(), found.seconds.round(3).tolist()
    (['beyond', 'covered', 'unsnapped'], [288.0, 108.0, nan])
    """
    limit_s, access_ms = limit_min * 60, access_kmh / 3.6
    residents = snap(network, network.metres(*demand_lonlat.T))
    venues = snap(network, network.metres(*facility_lonlat.T))
    resident_on = residents.leg_m <= min(500.0, 0.25 * limit_s * access_ms)
    venue_on = venues.leg_m <= min(300.0, 0.25 * limit_s * access_ms)

    arcs, resident_node, venue_node = _insert(network, residents, resident_on, venues, venue_on)
    resident_leg = residents.leg_m / access_ms
    venue_leg = venues.leg_m / access_ms
    seconds = np.full(len(demand_lonlat), np.inf)
    outward = _nearest(arcs, {int(n): float(s) for n, s in _least(venue_node[venue_on], venue_leg[venue_on])})
    for row in np.flatnonzero(resident_on):
        seconds[row] = outward.get(int(resident_node[row]), np.inf) + resident_leg[row]

    to_facility = np.full((len(demand_lonlat), len(facility_lonlat)), np.inf)
    if venue_on.any() and resident_on.any():
        times = _each(arcs, venue_node[venue_on])[:, resident_node[resident_on]].T
        total = resident_leg[resident_on][:, None] + times + venue_leg[venue_on][None, :]
        to_facility[np.ix_(resident_on, venue_on)] = total

    status = np.full(len(seconds), "beyond", dtype="<U12")
    status[seconds <= limit_s + 1e-6] = "covered"
    status[~np.isfinite(seconds)] = "disconnected"
    status[~resident_on] = "unsnapped"
    seconds[~np.isfinite(seconds)] = np.nan
    return Answer(status, seconds, to_facility, residents.leg_m, residents.ambiguous, venues.ambiguous)


def _insert(
    network: Network, residents: Snapped, resident_on: np.ndarray, venues: Snapped, venue_on: np.ndarray
) -> tuple[dict[tuple[int, int], float], np.ndarray, np.ndarray]:
    """Make every snapped position a node, cutting the segments there; one position is one node.

    Returns
    -------
    arcs : (from, to) -> seconds, the least of parallel ones.
    resident_node, venue_node : node of each point, -1 for those not snapped.
    """
    nodes = [np.full(len(each.segment), -1, dtype=np.int64) for each in (residents, venues)]
    cuts: dict[int, dict[float, int]] = defaultdict(dict)
    fresh = itertools.count(len(network.xy))
    for each, on, node in zip((residents, venues), (resident_on, venue_on), nodes, strict=True):
        for row in np.flatnonzero(on):
            segment, share = int(each.segment[row]), float(each.share[row])
            if share in {0.0, 1.0}:
                node[row] = (network.b if share else network.a)[segment]
                continue
            if share not in cuts[segment]:
                cuts[segment][share] = next(fresh)
            node[row] = cuts[segment][share]
    arcs: dict[tuple[int, int], float] = {}

    def join(start: int, end: int, seconds: float) -> None:
        if np.isfinite(seconds):
            arcs[start, end] = min(seconds, arcs.get((start, end), np.inf))

    for segment, (a, b) in enumerate(zip(network.a.tolist(), network.b.tolist(), strict=True)):
        forward, backward = network.seconds[segment].tolist()
        stops = [(0.0, a), *sorted(cuts.get(segment, {}).items()), (1.0, b)]
        for (low, start), (high, end) in itertools.pairwise(stops):
            join(start, end, (high - low) * forward)
            join(end, start, (high - low) * backward)
    return arcs, nodes[0], nodes[1]


def _least(nodes: np.ndarray, seconds: np.ndarray) -> list[tuple[int, float]]:
    """Keep the least seconds of each node."""
    order = np.lexsort((-seconds, nodes))
    return list(zip(nodes[order].tolist(), seconds[order].tolist(), strict=True))


def _nearest(arcs: dict[tuple[int, int], float], sources: dict[int, float]) -> dict[int, float]:
    """Search back from all sources at once with networkx: node -> seconds to the nearest source."""
    graph = nx.DiGraph()
    graph.add_weighted_edges_from((end, start, seconds) for (start, end), seconds in arcs.items())
    graph.add_weighted_edges_from((-1, node, seconds) for node, seconds in sources.items())
    graph.add_node(-1)
    return dict(nx.single_source_dijkstra_path_length(graph, -1))


def _each(arcs: dict[tuple[int, int], float], targets: np.ndarray) -> np.ndarray:
    """Search back from each target alone with scipy: seconds (target, node)."""
    start, end = np.array(list(arcs)).T
    size = int(max(start.max(), end.max(), targets.max())) + 1
    back = scipy.sparse.csr_array((np.array(list(arcs.values())), (end, start)), shape=(size, size))
    return dijkstra(back, indices=targets)
