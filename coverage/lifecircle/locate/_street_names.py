"""Read the names of streets from the roads of a study, whatever format they have; a study may have none."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from lifecircle.datum import to_wgs84
from lifecircle.errors import Fault, MissingFileError, UnusableInputError, say
from lifecircle.headings import named
from lifecircle.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifecircle.study import Study

_WORDS = (
    "道路名称",
    "路名",
    "街道名称",
    "街路名称",
    "名称",
    "road name",
    "street name",
    "street",
    "fullname",
)
_OSM = (".osm", ".pbf")


def read_street_names(study: Study, year: int) -> gpd.GeoDataFrame:
    """Return the streets of a study that have a name: column ``name`` and lines in EPSG:4326.

    Roads that are fetched by the name of a place, and tables without a column of names, give none.

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        It cannot be read.
    """
    part = study.roads
    if part.file is None:
        return _streets([], [])
    path = study.path_in(part.file, year)
    if not path.exists():
        raise MissingFileError([Fault(path.name, "", "", say("no such file"), say("check the path"))])
    suffix = path.suffix.lower()
    if suffix in _OSM:
        return _of_osm(path)
    if suffix == ".graphml":
        return _of_graph(path)
    return _of_table(path, part)


def _streets(names: list[str], lines: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": names}, geometry=lines, crs="EPSG:4326")


def _of_osm(path: Path) -> gpd.GeoDataFrame:
    """Read the names of ways from an OSM file."""
    import osmium  # noqa: PLC0415 - only needed for OSM files

    names: list[str] = []
    lines: list[Any] = []
    try:
        ways = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
        ways = ways.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        for way in ways.with_filter(osmium.filter.KeyFilter("highway")):
            name = way.tags.get("name", "")
            if not isinstance(way, osmium.osm.Way):
                continue
            # osmium frees its objects after each step: the coordinates are copied at once.
            places = [(node.location.lon, node.location.lat) for node in way.nodes if node.location.valid()]
            if name and len(places) > 1:
                names.append(name)
                lines.append(shapely.LineString(places))
    except (RuntimeError, ValueError, OSError) as error:
        raise _unreadable(path, error) from error
    return _streets(names, lines)


def _of_graph(path: Path) -> gpd.GeoDataFrame:
    """Read the names of the edges of a GraphML file, as OSMnx writes it; an edge may have several."""
    import networkx as nx  # noqa: PLC0415 - only needed for graphs

    try:
        graph = nx.read_graphml(path)
        at = {node: (float(facts["x"]), float(facts["y"])) for node, facts in graph.nodes(data=True)}
        names: list[str] = []
        lines: list[Any] = []
        for one, other, facts in graph.edges(data=True):
            if facts.get("name"):
                line = facts.get("geometry")
                shape = shapely.from_wkt(line) if line else shapely.LineString([at[one], at[other]])
                own = list(_listed(str(facts["name"])))
                names += own
                lines += [shape] * len(own)
        streets = gpd.GeoDataFrame({"name": names}, geometry=lines, crs=graph.graph.get("crs", "EPSG:4326"))
    except (
        ValueError,
        KeyError,
        OSError,
        SyntaxError,
        nx.NetworkXError,
        shapely.errors.ShapelyError,
    ) as error:
        raise _unreadable(path, error) from error
    return streets.to_crs("EPSG:4326")


def _listed(text: str) -> Iterator[str]:
    """Yield the names of an edge: a list of several is written as Python writes it."""
    if not text.startswith("["):
        yield text
        return
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        found = [text]
    yield from (str(one) for one in found)


def _of_table(path: Path, part: Any) -> gpd.GeoDataFrame:
    """Read the names of a table of lines, where it has a column of names."""
    table = read_table(path, layer=part.layer)
    frame = table.frame
    geometry = getattr(frame, "active_geometry_name", None)
    column = next(iter(named([str(one) for one in frame.columns], "name", _WORDS)), None)
    if column is None or geometry is None:
        return _streets([], [])
    shapes = frame.geometry.to_numpy()
    texts = [str(one).strip() if isinstance(one, str) else "" for one in frame[column].astype(object)]
    good = shapely.is_valid_input(shapes) & (shapely.get_dimensions(shapes) == 1)
    chosen = [text != "" and bool(fine) for text, fine in zip(texts, good, strict=True)]
    lines = to_wgs84(frame[chosen], datum=part.datum or "wgs84", file=table.name)
    return _streets(list(itertools.compress(texts, chosen)), list(lines.geometry))


def _unreadable(path: Path, error: Exception) -> UnusableInputError:
    why = " ".join(str(error).split())
    reason = say("cannot be read as {suffix}: {why}", suffix=path.suffix, why=why)
    remedy = say("open the file in the program it came from and save it again")
    return UnusableInputError([Fault(path.name, "", "", reason, remedy)])
