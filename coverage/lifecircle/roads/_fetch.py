"""Download the roads of a named place through OSMnx, and keep them in a folder.

This is the only module that uses the network. What was downloaded once is read from the folder afterwards.
OSMnx holds its settings for the whole process and replaces ``socket.getaddrinfo``; both are restored after a
download.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter, defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import shapely

from lifecircle.errors import Fault, FetchError, UnusableInputError
from lifecircle.files import cache_folder
from lifecircle.roads._osm import WayList
from lifecircle.roads._profiles import Profile, Speed, profile
from lifecircle.roads._topology import metre_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import geopandas as gpd

    from lifecircle.roads._network import Roads

_DOOR: Final = threading.Lock()

MARGIN_M: Final = 500.0
"""Metres requested beyond the buffer: OSMnx cuts ways at the border, and whole edges are needed."""

_REMARK_BYTES: Final = 4096
"""Bytes at the end of an answer where Overpass writes, under HTTP 200, that it stopped half-way."""

_INSTEAD: Final = "or download an extract (.osm.pbf) and read it with read_roads"


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
    with _door(folder, used) as osmnx:
        area = _area(osmnx, place)
        outline = area.get_coordinates()
        frame = metre_frame(outline["x"].to_numpy(), outline["y"].to_numpy(), crs)
        request = area.to_crs(frame).buffer(buffer_m + MARGIN_M).to_crs("EPSG:4326")
        graph = _graph(osmnx, place, shapely.union_all(request.to_numpy()))
    ways = WayList(used)
    for tags, nodes in _ways(graph):
        ways.add(tags, nodes)
    return ways.roads(place, frame).near(area, buffer_m)


@contextmanager
def _door(folder: Path, used: Profile) -> Iterator[Any]:
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
        "useful_tags_way": list(used.ways.keys),
        "requests_kwargs": {**osmnx.settings.requests_kwargs, "hooks": {"response": _check_answer}},
    }
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


def _check_answer(response: Any, **_: Any) -> None:
    """Raise FetchError at a busy server, an error or half an answer.

    OSMnx would ask a busy server again every 55 s without end.
    """
    server = response.url.partition("?")[0]
    if server.endswith("/status"):
        return
    reason = ""
    if response.status_code in {429, 504}:
        reason = f"is busy (HTTP {response.status_code}). Remedy: try again in a few minutes"
    elif not response.ok:
        reason = f"answered HTTP {response.status_code}. Remedy: try again later"
    # Overpass reports a timeout inside a valid answer: without this check half a county would be taken as
    # whole.
    elif b'"remark"' in response.content[-_REMARK_BYTES:]:
        answer = response.json()
        if isinstance(answer, dict) and "remark" in answer:
            reason = f"stopped half-way: {answer['remark']}. Remedy: name a smaller area"
    if reason:
        response.close()
        raise FetchError(f"{server} {reason} (what has arrived is kept), {_INSTEAD}")


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
        fault = Fault(
            place, "place", "", "the gazetteer knows no such place", "write it with its county and province"
        )
        raise UnusableInputError([fault]) from error
    except TypeError as error:
        fault = Fault(
            place, "place", "", "the gazetteer knows it as a point, not as an area", "name a town or a county"
        )
        raise UnusableInputError([fault]) from error
    except (OSError, ValueError) as error:
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
        fault = Fault(
            place, "ways", "", "there is no road in the area", "name a larger area, or widen the buffer"
        )
        raise UnusableInputError([fault]) from error
    except (OSError, ValueError) as error:
        raise _failed(place, error) from error


def _failed(place: str, error: Exception) -> FetchError:
    if isinstance(error, FetchError):
        return error
    return FetchError(
        f"the roads of {place!r} could not be fetched: {error}. Remedy: check the network, or set "
        f"osmnx.settings.overpass_url and nominatim_url to servers that can be reached, {_INSTEAD}"
    )


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
