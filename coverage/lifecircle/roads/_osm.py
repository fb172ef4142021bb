"""Read OpenStreetMap files with osmium: ways with their nodes, and barriers.

Which ways may be used is decided in ``_profiles``; ways are cut in ``_topology``.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.datum import way_between
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.roads._network import RoadsReading
from lifecircle.roads._profiles import Profile, allowed_way, oneway, way_kmh
from lifecircle.roads._tidy import unreadable_osm, usable_osm
from lifecircle.roads._topology import Vertices, assemble, cut_ways

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyproj

    from lifecircle.roads._network import ObjectArray, Roads

OSM_SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")

_BURIED = {"tunnel", "bridge", "covered"}
_BARRIER_LINES: Mapping[str, frozenset[str]] = {
    "waterway": frozenset({"river", "canal"}),
    "railway": frozenset({"rail"}),
    "highway": frozenset({"motorway", "motorway_link"}),
    "barrier": frozenset({"wall", "city_wall"}),
}
_BARRIER_AREAS: Mapping[str, frozenset[str]] = {
    "natural": frozenset({"water"}),
    "waterway": frozenset({"riverbank", "dock"}),
    "landuse": frozenset({"reservoir", "basin"}),
}


def _whole_numbers() -> array[int]:
    return array("q")


def _numbers() -> array[float]:
    return array("d")


@dataclass
class WayList:
    """Ways in flat lists, one after the other; ``add`` keeps those the profile may use.

    Numbers of a file of many vertices stand in arrays of 8 bytes each, where a list holds 32 and more.
    """

    profile: Profile
    node: array[int] = field(default_factory=_whole_numbers)
    way: array[int] = field(default_factory=_whole_numbers)
    lon: array[float] = field(default_factory=_numbers)
    lat: array[float] = field(default_factory=_numbers)
    forward_kmh: array[float] = field(default_factory=_numbers)
    backward_kmh: array[float] = field(default_factory=_numbers)
    highway: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    deleted: int = 0
    _known: dict[tuple[Any, ...], tuple[float, float] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note the keys that the rules of the profile read."""
        self._keys = tuple(sorted(self.profile.ways.key_set))

    def add(self, tag: Callable[[str], Any], nodes: Iterable[tuple[int, float, float]]) -> None:
        """Add a way if the profile may use it.

        Parameters
        ----------
        tag : returns the value of a key, None where the way has none
        nodes : name, lon, lat of each; NaN where missing
        """
        # Many ways have the same words. Only those that a rule reads are looked up, because reading every tag
        # takes longer than reading the nodes.
        words = tuple(map(tag, self._keys))
        if words not in self._known:
            self._known[words] = self._decided(words)
        speeds, highway = self._known[words], str(tag("highway") or "")
        # Refused before its nodes are read: most ways of an extract are of no use to one mode.
        if speeds is None:
            self.refused[highway] += 1
            return
        number = len(self.highway)
        for node, lon, lat in nodes:
            self.node.append(node)
            self.way.append(number)
            self.lon.append(lon)
            self.lat.append(lat)
        # Speed and direction are those of the way, because its pieces all have the same tags.
        self.forward_kmh.append(speeds[0])
        self.backward_kmh.append(speeds[1])
        self.highway.append(sys.intern(highway))

    def _decided(self, words: tuple[Any, ...]) -> tuple[float, float] | None:
        """Return the speeds along and against a way (0: closed), None where it may not be used."""
        tags = {key: word for key, word in zip(self._keys, words, strict=True) if word is not None}
        if not allowed_way(tags, self.profile):
            return None
        kmh, direction = way_kmh(tags, self.profile), oneway(tags, self.profile)
        return (kmh if direction >= 0 else 0.0, kmh if direction <= 0 else 0.0)

    def roads(self, name: str, crs: Any) -> Roads:
        """Cut the ways at their junctions and assemble the network.

        Raises
        ------
        UnusableInputError
            No way may be used.
        ProjectionError
            The CRS cannot measure metres over the area.
        """
        if not any(map(math.isfinite, self.lon)):
            raise UnusableInputError([no_way(name, self.profile, self.refused)])
        vertices = Vertices(*map(np.asarray, (self.node, self.way, self.lon, self.lat)))
        # Cut first, then take speeds and classes by the way each piece comes from.
        frame, way, pieces = cut_ways(vertices, crs)
        pieces = replace(
            pieces,
            forward_kmh=np.array(self.forward_kmh)[way],
            backward_kmh=np.array(self.backward_kmh)[way],
            highway=np.array(self.highway, dtype=object)[way],
        )
        roads = assemble(pieces, crs=frame, profile=self.profile, name=name)
        return roads.with_reading(self._reading())

    def _reading(self) -> RoadsReading:
        """Return the reading report: ways, those that may not be used, and ways that lack nodes."""
        refused = sum(self.refused.values())
        used = len(self.highway)
        lacking = np.unique(np.array(self.way)[~np.isfinite(self.lon)])
        facts = {"nodes_missing": len(lacking), "osm_deleted": self.deleted}
        notes = tuple(f"{code}:{count}" for code, count in facts.items() if count)
        left_out = {"not_for_mode": refused} if refused else {}
        return RoadsReading(used + refused, used, left_out, notes=notes)


def no_way(name: str, profile: Profile, refused: Mapping[str, int]) -> Fault:
    """Return the fault of a source in which the profile may use nothing."""
    if not refused:
        reason = say("there is no road in it: no way carries the key 'highway'")
        return Fault(name, "ways", "", reason, say("export the area again with its roads"))
    common = sorted(refused.items(), key=lambda item: (-item[1], item[0]))[:8]
    found = ", ".join(f"{' '.join(name.split())[:40] or '(no class)'} {count}" for name, count in common)
    others = "walk" if profile.mode == "drive" else "drive"
    remedy = say(
        "read it with another mode (mode='{mode}'), or give a file that holds the ways of this mode",
        mode=others,
    )
    reason = say("no way in it may be used by profile '{profile}'", profile=profile.id)
    return Fault(name, "ways", found, reason, remedy)


def read_osm(path: str, profile: Profile, *, crs: Any) -> Roads:
    """Read the ways a profile may use from an OSM file, in one pass.

    Raises
    ------
    UnusableInputError
        The file cannot be read, or holds no way for the profile.
    ProjectionError
        The CRS cannot measure metres over the area.
    """
    # The nodes that osmium holds are freed with the reading, before the network is built.
    return _usable_ways(path, profile).roads(path, crs)


def _usable_ways(path: str, profile: Profile) -> WayList:
    import osmium  # noqa: PLC0415 - only needed for OSM files

    ways = WayList(profile)
    with usable_osm(path) as usable:
        ways.deleted = usable.deleted
        try:
            # One pass with all locations takes 0.4 s where two passes with a filter of node numbers took 1.1
            # to 2.7 s.
            found = osmium.FileProcessor(usable.path, osmium.osm.NODE | osmium.osm.WAY).with_locations()
            found = found.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
            for way in found.with_filter(osmium.filter.KeyFilter("highway")):
                if isinstance(way, osmium.osm.Way) and way.visible:
                    ways.add(way.tags.get, map(_node, way.nodes))
        except (RuntimeError, ValueError, OSError) as error:
            raise UnusableInputError([unreadable_osm(path, error)]) from error
    return ways


def _node(node: Any) -> tuple[int, float, float]:
    """Return a copy of a node of a way: osmium frees its objects after each step of the loop."""
    place = node.location
    return (node.ref, place.lon, place.lat) if place.valid() else (node.ref, math.nan, math.nan)


def read_osm_barriers(path: str, crs: pyproj.CRS) -> ObjectArray:
    """Read what an access leg may not cross: water, railways, expressways, walls; in a metre CRS.

    Water areas (lakes, river banks, multipolygons too) come as polygons; rivers, canals, railways,
    expressways and walls as lines. What runs in a tunnel or culvert, on a bridge, covered or below ground is
    no barrier.

    Raises
    ------
    UnusableInputError
        The file cannot be read.
    """
    found = [shape for shape, _ in _barriers_of(path)]
    to_metres = way_between("EPSG:4326", crs)
    shapes = shapely.from_wkb(np.array(found, dtype=object))
    barriers: ObjectArray = shapely.transform(shapes, to_metres.transform, interleaved=False)
    # what lies where the CRS of the area has no answer is half a world away from it
    there: ObjectArray = barriers[np.isfinite(shapely.bounds(barriers)).all(axis=1)]
    return there


def osm_barrier_kinds(path: str) -> list[tuple[bytes, str, str]]:
    """Return every barrier as WKB in EPSG:4326, with the word for it and its name.

    Raises
    ------
    UnusableInputError
        The file cannot be read.
    """
    found = []
    for shape, tags in _barriers_of(path):
        key = next(
            key for words in (_BARRIER_AREAS, _BARRIER_LINES) for key in words if tags.get(key) in words[key]
        )
        found.append((shape, key if key in {"railway", "waterway"} else tags[key], tags.get("name", "")))
    return found


def _barriers_of(path: str) -> list[tuple[bytes, dict[str, str]]]:
    """Read the barriers of a file: shapes as WKB in EPSG:4326, with their tags.

    Raises
    ------
    UnusableInputError
        The file cannot be read.
    """
    import osmium  # noqa: PLC0415 - only needed for OSM files

    keys = osmium.filter.KeyFilter(*{*_BARRIER_LINES, *_BARRIER_AREAS})
    factory = osmium.geom.WKBFactory()
    found: list[tuple[bytes, dict[str, str]]] = []
    with usable_osm(path) as usable:
        try:
            # Areas are assembled by osmium, because a lake is often a relation of many ways with islands.
            for thing in osmium.FileProcessor(usable.path).with_areas(keys).with_filter(keys):
                tags = dict(thing.tags)
                if _out_of_the_way(tags):
                    continue
                if isinstance(thing, osmium.osm.Area) and _named(tags, _BARRIER_AREAS):
                    found.append((bytes.fromhex(factory.create_multipolygon(thing)), tags))
                elif isinstance(thing, osmium.osm.Way) and _named(tags, _BARRIER_LINES):
                    found.extend((shape, tags) for shape in _line(thing))
        except (RuntimeError, ValueError, OSError) as error:
            raise UnusableInputError([unreadable_osm(path, error)]) from error
    return found


def _line(way: Any) -> list[bytes]:
    places = [(node.location.lon, node.location.lat) for node in way.nodes if node.location.valid()]
    return [shapely.to_wkb(shapely.LineString(places))] if len(places) > 1 else []


def _named(tags: Mapping[str, str], wanted: Mapping[str, frozenset[str]]) -> bool:
    return any(tags.get(key) in words for key, words in wanted.items())


def _out_of_the_way(tags: Mapping[str, str]) -> bool:
    """Return whether an object runs above or below the ground."""
    if any(tags.get(key, "no") != "no" for key in _BURIED) or tags.get("location") == "underground":
        return True
    try:
        return float(tags.get("layer", "0")) < 0
    except ValueError:
        return False
