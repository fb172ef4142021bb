"""Download the roads of a named place through OSMnx, and keep them in a folder.

This is the only module that uses the network. What was downloaded once is read from the folder afterwards.
OSMnx holds its settings for the whole process and replaces ``socket.getaddrinfo``; both are restored after a
download.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import shapely

from lifecircle.errors import Fault, FetchError, UnusableInputError, say
from lifecircle.files import cache_folder
from lifecircle.roads._osm import WayList
from lifecircle.roads._profiles import PROFILES, Profile, Speed, profile
from lifecircle.roads._topology import metre_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import geopandas as gpd
    import pyproj

    from lifecircle.errors import Message
    from lifecircle.roads._network import Roads

_log = logging.getLogger(__name__)

_DOOR: Final = threading.Lock()
_STRANGE: Final = (LookupError, TypeError, AttributeError)
"""What OSMnx raises at an answer of another form than its servers give."""

_UNUSABLE_ANSWERS: Final = (OSError, ValueError, *_STRANGE)

_KEPT_KEYS: Final = frozenset({"layer", "bridge", "tunnel", "covered", "name", "ref"})
"""Tags of ways that no profile reads and that whoever opens the file wants to see."""

MARGIN_M: Final = 500.0
"""Metres requested beyond the buffer: OSMnx cuts ways at the border, and whole edges are needed."""

_REMARK_BYTES: Final = 4096
"""Bytes at the end of an answer where Overpass writes, under HTTP 200, that it stopped half-way."""

_INSTEAD: Final = say("or download an extract (.osm.pbf) and read it with read_roads")


def fetch_roads(  # noqa: PLR0913 - the signature stands in the design
    place: str,
    *,
    mode: str | Profile = "walk",
    speed_kmh: Speed | None = None,
    crs: Any = None,
    buffer_m: float = 0.0,
    cache: str | Path | None = None,
) -> Roads:
    """Download the roads of a named place from OpenStreetMap; the rules are those of every other source.

    The gazetteer and the server are those of ``osmnx.settings`` (``nominatim_url``, ``overpass_url``), with
    its pauses between requests. Every class of way is downloaded, so another mode of the same place needs
    no further download.

    Parameters
    ----------
    place : name of an area, as the gazetteer knows it.
    mode : mode or profile id.
    speed_kmh : speed in km/h instead of the profile's own.
    crs : metre CRS to measure in; left out, the one of the area.
    buffer_m : keep the roads that come within this distance of the area; take at least limit x speed.
    cache : folder for what was downloaded; left out, ``$LIFECIRCLE_CACHE`` or the user's cache folder.

    Returns
    -------
    Roads
        The whole of each edge that comes within ``buffer_m`` of the area.

    Raises
    ------
    FetchError
        The download did not succeed.
    UnusableInputError
        The place is unknown or no area, or holds no road for the mode.

    >>> roads = fetch_roads("海盐县", mode="cycle", buffer_m=3000)  # doctest: +SKIP
    """
    used = profile(mode, speed_kmh=speed_kmh)
    folder = Path(cache) if cache is not None else cache_folder("osm")
    with _door(folder, used.ways.keys) as osmnx:
        area = _area(osmnx, place)
        request, frame = _request(area, crs, buffer_m)
        graph = _graph(osmnx, place, request)
    ways = WayList(used)
    for tags, nodes in _ways(graph):
        ways.add(tags.get, nodes)
    return ways.roads(place, frame).near(area, buffer_m)


@dataclass(frozen=True)
class PlaceExtract:
    """What OpenStreetMap has of a place.

    Attributes
    ----------
    outline : one row in WGS84, with the name the gazetteer gives.
    ways : (tags, [(node, lon, lat), ...]) of every way with a class within the buffer.
    objects : objects with the wanted tags inside the outline, in WGS84; index (element, id).
    """

    outline: gpd.GeoDataFrame
    ways: list[tuple[dict[str, str], list[tuple[int, float, float]]]]
    objects: gpd.GeoDataFrame


def fetch_extract(
    place: str,
    tags: Mapping[str, Sequence[str]],
    *,
    buffer_m: float = 0.0,
    cache: str | Path | None = None,
) -> PlaceExtract:
    """Download the outline, every way and the objects with some tags of a place, as :func:`fetch_roads`.

    Ways keep all tags that any profile reads, so that one download serves every mode.

    Parameters
    ----------
    place : name of an area, as the gazetteer knows it.
    tags : key -> values of the objects.
    buffer_m : metres around the area in which ways are kept; objects are those inside the area.
    cache : as :func:`fetch_roads`.

    Returns
    -------
    PlaceExtract

    Raises
    ------
    FetchError, UnusableInputError
        As :func:`fetch_roads`.

    >>> extract = fetch_extract("海盐县", {"amenity": ["library"]}, buffer_m=3000)  # doctest: +SKIP
    """
    keys = {key for used in PROFILES.values() for key in used.ways.keys} | _KEPT_KEYS
    folder = Path(cache) if cache is not None else cache_folder("osm")
    with _door(folder, sorted(keys)) as osmnx:
        area = _area(osmnx, place)
        request, _ = _request(area, None, buffer_m)
        graph = _graph(osmnx, place, request)
        objects = _objects(osmnx, place, shapely.union_all(area.geometry.to_numpy()), tags)
    ways = [
        ({key: str(found[key]) for key in sorted(keys) if isinstance(found.get(key), str)}, list(nodes))
        for found, nodes in _ways(graph)
    ]
    return PlaceExtract(area, ways, objects)


def _request(area: gpd.GeoDataFrame, crs: Any, buffer_m: float) -> tuple[shapely.Geometry, pyproj.CRS]:
    """Return the area to ask for in degrees, and the metre CRS it was widened in."""
    outline = area.get_coordinates()
    frame = metre_frame(outline["x"].to_numpy(), outline["y"].to_numpy(), crs)
    request = area.to_crs(frame).buffer(buffer_m + MARGIN_M).to_crs("EPSG:4326")
    return shapely.union_all(request.to_numpy()), frame


def _objects(
    osmnx: Any, place: str, polygon: shapely.Geometry, tags: Mapping[str, Sequence[str]]
) -> gpd.GeoDataFrame:
    """Download the objects with some tags inside a polygon; none is an empty table.

    Raises
    ------
    FetchError
        As :func:`fetch_roads`.
    """
    import geopandas as gpd  # noqa: PLC0415 - loaded where frames are made
    from osmnx._errors import InsufficientResponseError  # noqa: PLC0415 - OSMnx has no public module for it

    try:
        found: gpd.GeoDataFrame = osmnx.features_from_polygon(
            polygon, {key: list(values) for key, values in tags.items()}
        )
    except InsufficientResponseError:
        return gpd.GeoDataFrame(geometry=[], crs="EPSG:4326")
    except _UNUSABLE_ANSWERS as error:
        raise _failed(place, error, "facilities") from error
    return found.sort_index()


@contextmanager
def _door(folder: Path, keys: Iterable[str]) -> Iterator[Any]:
    """Yield OSMnx with our settings; restore its own settings and the resolver afterwards."""
    import osmnx  # noqa: PLC0415 - takes 2 s, and only places need it

    ours = {
        "use_cache": True,
        "cache_folder": folder,
        "cache_only_mode": False,
        # Every edge as it is drawn: the words on direction of a way refer to that, and OSMnx would turn some.
        "all_oneway": True,
        "default_crs": "EPSG:4326",
        "useful_tags_node": [],
        "useful_tags_way": list(keys),
        "requests_kwargs": {**osmnx.settings.requests_kwargs, "hooks": {"response": _check_answer}},
    }
    _drop_damaged(folder)
    with _DOOR:
        theirs = {name: getattr(osmnx.settings, name) for name in ours}
        # OSMnx replaces the resolver of the whole process while it configures DNS: other downloads would
        # break.
        resolver = socket.getaddrinfo
        try:
            for name, value in ours.items():
                setattr(osmnx.settings, name, value)
            yield osmnx
        finally:
            socket.getaddrinfo = resolver
            for name, value in theirs.items():
                setattr(osmnx.settings, name, value)


def _drop_damaged(folder: Path) -> None:
    """Remove kept answers that are not whole: OSMnx would fail at them in every later run."""
    for path in sorted(folder.glob("*.json")):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            _log.warning("a kept answer of the server is not whole: downloaded again")
            with suppress(OSError):
                path.unlink()


def _check_answer(response: Any, **_: Any) -> None:
    """Raise FetchError at a busy server, an error or half an answer.

    OSMnx would ask a busy server again every 55 s without end.
    """
    server = response.url.partition("?")[0]
    if server.endswith("/status"):
        return
    reason, remedy, code = None, say("try again later"), response.status_code
    if code in {429, 504}:
        reason = say("{server} is busy (HTTP {code})", server=server, code=code)
        remedy = say("try again in a few minutes")
    elif not response.ok:
        reason = say("{server} answered HTTP {code}", server=server, code=code)
    # Overpass reports a timeout inside a valid answer: without this check half a county would be taken as
    # whole.
    elif b'"remark"' in response.content[-_REMARK_BYTES:]:
        answer = response.json()
        if isinstance(answer, dict) and "remark" in answer:
            remark = str(answer["remark"])
            reason = say("{server} stopped half-way: {remark}", server=server, remark=remark)
            remedy = say("name a smaller area")
    if reason is not None:
        response.close()
        whole = say("{remedy} (what has arrived is kept), {instead}", remedy=remedy, instead=_INSTEAD)
        raise FetchError(Fault("", "", "", reason, whole))


def _area(osmnx: Any, place: str) -> gpd.GeoDataFrame:
    """Return the outline of a place.

    Raises
    ------
    FetchError, UnusableInputError
        As :func:`fetch_roads`.
    """
    from osmnx._errors import InsufficientResponseError  # noqa: PLC0415 - OSMnx has no public module for it

    try:
        return osmnx.geocode_to_gdf(place)
    except InsufficientResponseError as error:
        reason = say("the gazetteer knows no such place")
        fault = Fault(place, "place", "", reason, say("write it with its county and province"))
        raise UnusableInputError([fault]) from error
    except TypeError as error:
        reason = say("the gazetteer knows it as a point, not as an area")
        fault = Fault(place, "place", "", reason, say("name a town or a county"))
        raise UnusableInputError([fault]) from error
    except _UNUSABLE_ANSWERS as error:
        raise _failed(place, error) from error


def _graph(osmnx: Any, place: str, polygon: shapely.Geometry) -> Any:
    """Download every way with a class in a polygon, each once, in the direction it is drawn.

    Raises
    ------
    FetchError, UnusableInputError
        As :func:`fetch_roads`.
    """
    from osmnx._errors import InsufficientResponseError  # noqa: PLC0415 - OSMnx has no public module for it

    try:
        return osmnx.graph_from_polygon(
            polygon, simplify=False, retain_all=True, truncate_by_edge=True, custom_filter='["highway"]'
        )
    except InsufficientResponseError as error:
        reason = say("there is no road in the area")
        fault = Fault(place, "ways", "", reason, say("name a larger area, or widen the buffer"))
        raise UnusableInputError([fault]) from error
    except _UNUSABLE_ANSWERS as error:
        raise _failed(place, error) from error


def _failed(place: str, error: Exception, what: str = "roads") -> FetchError:
    if isinstance(error, FetchError):
        return error
    if isinstance(error, _STRANGE):
        return _forgotten(place)
    if what == "roads":
        reason = say("the roads of '{place}' could not be fetched: {why}", place=place, why=_why(error))
    else:
        reason = say("the facilities of '{place}' could not be fetched: {why}", place=place, why=_why(error))
    remedy = say(
        "check the network, or set osmnx.settings.overpass_url and nominatim_url to servers that can be "
        "reached, {instead}",
        instead=_INSTEAD,
    )
    return FetchError(Fault("", "", "", reason, remedy))


def _forgotten(place: str) -> FetchError:
    """Remove every kept answer, as one of them has another form than the servers give."""
    import osmnx  # noqa: PLC0415 - loaded by now

    for path in Path(osmnx.settings.cache_folder).glob("*.json"):
        with suppress(OSError):
            path.unlink()
    reason = say(
        "an answer for '{place}' has a form that no server gives; what was kept is removed", place=place
    )
    return FetchError(Fault("", "", "", reason, say("try again later")))


def _why(error: Exception) -> Message | str:
    """Return what a failed request means; what a library says of a connection is not for planners."""
    asked = getattr(getattr(error, "request", None), "url", None)
    server = urlsplit(str(asked)).netloc if asked else say("the server")
    # By name: the classes are those of a library that OSMnx brings along.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "Timeout" in kinds:
        return say("{server} does not answer in time", server=server)
    if "ConnectionError" in kinds:
        return say("{server} cannot be reached, there is no network or it is blocked", server=server)
    return str(error)


def _ways(graph: Any) -> Iterator[tuple[dict[str, Any], Iterable[tuple[int, float, float]]]]:
    """Yield the ways of a graph that has one edge per piece between two nodes: tags, nodes in order."""
    pieces: dict[int, list[tuple[int, int]]] = defaultdict(list)
    tags: dict[int, dict[str, Any]] = {}
    for u, v, data in graph.edges(data=True):
        pieces[data["osmid"]].append((u, v))
        tags[data["osmid"]] = data
    for way in sorted(pieces):
        # OSMnx turns the nodes of such ways; the words on direction refer to the way as it was drawn.
        drawn_back = tags[way].get("oneway") in {"-1", "reverse", "T"}
        for chain in chains(pieces[way]):
            nodes = reversed(chain) if drawn_back else chain
            yield tags[way], [(node, graph.nodes[node]["x"], graph.nodes[node]["y"]) for node in nodes]


def chains(pieces: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Join directed pieces end to end; chains end wherever more than one piece leads in or out.

    >>> chains([(2, 3), (1, 2), (3, 1), (3, 4)])
    [[3, 1, 2, 3], [3, 4]]
    """
    follows: dict[int, list[int]] = defaultdict(list)
    arrivals: Counter[int] = Counter()
    for u, v in pieces:
        follows[u].append(v)
        arrivals[v] += 1
    through = {node for node, after in follows.items() if len(after) == 1 and arrivals[node] == 1}
    found = []
    # Chains from real junctions come first; a ring without a junction is then begun at its lowest node.
    knots = sorted(set(follows) - through)
    rings = sorted(through)
    left = set(through)
    for first in (*knots, *rings):
        if first in through and first not in left:
            continue
        for second in follows[first]:
            chain = [first, second]
            left.discard(first)
            while chain[-1] in left:
                left.discard(chain[-1])
                chain.append(follows[chain[-1]][0])
            found.append(chain)
    return found
