"""Choose the reader of a road file, and add barriers after reading.

This module reads no format itself.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from lifecircle.datum import to_wgs84
from lifecircle.errors import Fault, MissingFileError, UnusableInputError, say
from lifecircle.files import content_key
from lifecircle.roads._cache import cached
from lifecircle.roads._joining import MISS_M
from lifecircle.roads._lines import TABLE_SUFFIXES, read_lines
from lifecircle.roads._merging import MERGE_WITHIN_M, MOST_MERGE_M, merge_roads
from lifecircle.roads._network import shapes_in
from lifecircle.roads._osm import OSM_SUFFIXES, read_osm, read_osm_barriers
from lifecircle.roads._osmnx_graph import read_graphml
from lifecircle.roads._profiles import Profile, Speed, profile
from lifecircle.roads._road_store import ROAD_PART, read_road_part
from lifecircle.roads._rows import LineSettings
from lifecircle.roads._source import open_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.roads._network import ObjectArray, Roads


def read_roads(  # noqa: PLR0913 - each is a setting of its own, named
    path: str | Path | gpd.GeoDataFrame,
    *,
    mode: str | Profile = "walk",
    speed_kmh: Speed | None = None,
    crs: Any = None,
    barriers: bool | str | Path | gpd.GeoDataFrame | gpd.GeoSeries = False,
    keep: bool = False,
    join_m: float = 0.1,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    classes: Mapping[str, str] | None = None,
    datum: str | None = None,
    split_crossings: bool | None = None,
    merge: str | Path | gpd.GeoDataFrame | None = None,
    merge_within_m: float = MERGE_WITHIN_M,
) -> Roads:
    """Read a road network for one travel profile.

    Parameters
    ----------
    path : OpenStreetMap file (.osm.pbf, .osm), GraphML of OSMnx, or road lines (.gpkg, .shp, .geojson,
        .parquet, .csv with WKT or with u, v, length; a GeoDataFrame).
    mode : ``walk``, ``cycle``, ``ebike``, ``drive``, or a profile id such as ``walk_aged``.
    speed_kmh : speed in km/h instead of the profile's own; for ``drive`` also km/h by road class.
    crs : metre CRS to measure in; left out, the one of the area.
    barriers : what access legs may not cross: a layer of geometries, or True for what an OSM file itself
        holds (water, railways, expressways, walls). False: none.
    keep : also store the roads in the cache folder, and read them from there the next time.
    join_m : tables of lines: metres by which an end may miss another line and still be joined to it,
        inclusive, 0 to 5. Wider misses up to 5 m are counted in ``reading.misses``.
    layer : layer of a GeoPackage; left out, the only one that holds lines, or ``edges``, or ``lines``.
    columns : our name of a column -> its name in the table (``{"highway": "DLDJ"}``); an empty name says that
        the table has no such column.
    classes : word of the class column -> road class of OpenStreetMap, or ``no`` for a row that is not a road.
    datum : ``wgs84``, ``gcj02``, ``bd09`` or ``EPSG:n``, where the file does not say or says it wrongly.
    split_crossings : also join lines that cross without a shared vertex, those of one level; left out, where
        the table grades some lines apart (bridge, tunnel, layer). Those that stay apart are counted in
        ``reading.crossings``.
    merge : second source, such as an OpenStreetMap file, whose roads are added where no road of ``path`` runs
        along them (see docs/roads.md); its own columns go by their usual names.
    merge_within_m : metres, inclusive, within which roads of one direction are one road, 1 to 100.

    Returns
    -------
    Roads
        The network; ``reading`` holds what was read and what was left out.

    Raises
    ------
    MissingFileError
        There is no such file.
    UnusableInputError
        The file cannot be read, or holds no road for the mode; or a setting that this kind of file does not
        know.
    ProjectionError
        The CRS cannot measure metres over the area.

    >>> lines = gpd.GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> table = gpd.GeoDataFrame({"highway": ["path"]}, geometry=lines)
    >>> roads = read_roads(table, mode="cycle", crs="EPSG:4549")
    >>> roads.length_m.tolist(), roads.forward_s.round(6).tolist()
    ([1000.0], [300.0])
    """
    used = profile(mode, speed_kmh=speed_kmh)
    settings = LineSettings(join_m, layer, dict(columns or {}), dict(classes or {}), datum, split_crossings)
    _check_settings(path, settings)
    _check_merge(merge_within_m)
    read = partial(_merged, path, merge, used, crs, settings, merge_within_m)
    named = [one for one in (path, merge) if one is not None]
    # A part of a store is mapped, so that a copy of it in the cache would only take room.
    keep = keep and not str(path).endswith(ROAD_PART)
    if keep and all(isinstance(one, (str, Path)) and _is_there(Path(one)) for one in named):
        key = settings.key()
        if merge is not None:
            key += (
                f" merge {merge_within_m} {Path(str(merge)).suffix.lower()} {content_key(Path(str(merge)))}"
            )
        roads = cached(Path(str(path)), used, crs, settings=key, read=read)
    else:
        roads = read()
    # Barriers are not part of the cached roads: they are added after, so that one cached network serves
    # studies with and without them.
    if barriers is False:
        return roads
    if barriers is True and not is_osm(path):
        remedy = say("give the barriers as a layer of their own (barriers='water.gpkg')")
        raise UnusableInputError(
            [Fault(str(path), "barriers", "True", say("only OSM files hold barriers"), remedy)]
        )
    return roads.with_barriers(read_barriers(path if barriers is True else barriers, crs=roads.crs))


def read_barriers(
    source: str | Path | gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    crs: Any,
    layer: str | None = None,
    datum: str | None = None,
) -> ObjectArray:
    """Read what access legs may not cross, in a metre CRS.

    Parameters
    ----------
    source : layer of lines or polygons, or an OSM file, of which water, railways, expressways and walls are
        taken, but not what runs in a tunnel, on a bridge or below ground.
    crs : CRS of the roads.
    layer : layer of a GeoPackage.
    datum : ``gcj02``, ``bd09`` or ``EPSG:n``, where the layer's own CRS does not say it.

    Returns
    -------
    barriers : (barrier,) shapely geometries; missing and empty ones are left out.

    Raises
    ------
    MissingFileError
        There is no such file.
    UnusableInputError
        The file cannot be read, or holds no geometries, no CRS, or places that are not on the earth.

    >>> canal = gpd.GeoSeries.from_wkt(["LINESTRING (120 30.5, 120.01 30.5)"], crs="EPSG:4326")
    >>> read_barriers(canal, crs="EPSG:4549").shape
    (1,)
    """
    frame = pyproj.CRS.from_user_input(crs)
    declared = None if datum is None or datum.lower() == "wgs84" else datum
    if is_osm(source):
        _check_there(str(source))
        if declared is not None:
            reason, remedy = say("an OSM file is always in WGS84"), say("leave the datum out")
            raise UnusableInputError([Fault(str(source), "datum", declared, reason, remedy)])
        return read_osm_barriers(str(source), frame)
    name = str(source) if isinstance(source, (str, Path)) else "barriers"
    shapes = barrier_layer(source, layer)
    if declared is not None or (datum is not None and shapes.crs is None):
        shapes = to_wgs84(shapes, datum=datum or "wgs84", file=name)
    found = shapes_in(shapes, frame, name)
    _check_places(shapes, found, name)
    return found


def _check_places(shapes: Any, found: ObjectArray, name: str) -> None:
    """Raise UnusableInputError for shapes that have no coordinates in the CRS of the roads.

    Raises
    ------
    UnusableInputError
        With the first of them.
    """
    inside = np.isfinite(shapely.bounds(found)).all(axis=1)
    if inside.all():
        return
    given = shapes.geometry.to_numpy()
    there = np.flatnonzero(~(shapely.is_missing(given) | shapely.is_empty(given)))
    reason = say("the shape has no place on the earth")
    remedy = say("longitude comes before latitude; draw the shape again, or delete the row")
    lost = there[~inside][:10]
    raise UnusableInputError(
        Fault(name, f"row {shapes.index[at]}, column 'geometry'", _corner(given[at]), reason, remedy)
        for at in lost
    )


def _corner(shape: shapely.Geometry) -> str:
    """Return the vertex farthest from the origin: the one most likely to be wrong."""
    places = shapely.get_coordinates(shape)
    x, y = places[int(np.argmax(np.abs(places).max(axis=1)))]
    return f"{x:g} {y:g}"


def is_osm(path: Any) -> bool:
    """Return whether a source is a file of OpenStreetMap, by its name."""
    return isinstance(path, (str, Path)) and str(path).lower().endswith(OSM_SUFFIXES)


def _check_settings(path: Any, settings: LineSettings) -> None:
    """Raise UnusableInputError for unknown settings, and for table settings where there is no table.

    Raises
    ------
    UnusableInputError
        With every such setting.
    """
    faults = []
    if not 0 <= settings.join_m <= MISS_M:  # also what is not a number
        reason = say("a distance for joining lines is 0 to {most} metres", most=f"{MISS_M:g}")
        remedy = say("give metres, for example 0.1; wider misses are mended in the file")
        faults.append(Fault("", "join_m", f"{settings.join_m}", reason, remedy))
    name = str(path) if isinstance(path, (str, Path)) else ""
    if is_osm(name) or name.lower().endswith(".graphml"):
        reason = say("only tables of lines have this setting")
        remedy = say("leave it out, or give the roads as a table of lines")
        faults += [Fault(name, f"roads.{key}", "", reason, remedy) for key in settings.beyond_joining()]
    if faults:
        raise UnusableInputError(faults)


def _check_merge(within_m: float) -> None:
    """Raise UnusableInputError for a distance of a merge that is none.

    Raises
    ------
    UnusableInputError
        It is not within 1 to 100.
    """
    if not 1 <= within_m <= MOST_MERGE_M:  # also what is not a number
        reason = say("a distance within which roads are one is 1 to {most} metres", most=f"{MOST_MERGE_M:g}")
        remedy = say("give metres, for example 15")
        raise UnusableInputError([Fault("", "merge_within_m", f"{within_m}", reason, remedy)])


def _merged(  # noqa: PLR0913, PLR0917 - bound with partial, all of them always given
    path: Any, merge: Any, used: Profile, crs: Any, settings: LineSettings, within_m: float
) -> Roads:
    """Read a source, and add what a second one has besides."""
    roads = _read(path, used, crs, settings)
    if merge is None:
        return roads
    return merge_roads(roads, _read(merge, used, roads.crs, LineSettings()), within_m=within_m)[0]


def _read(path: Any, used: Profile, crs: Any, settings: LineSettings) -> Roads:
    if not isinstance(path, (str, Path)):
        return read_lines(path, used, crs=crs, settings=settings)
    name = str(path)
    if "://" in name:
        return read_lines(name, used, crs=crs, settings=settings)
    _check_there(name)
    if is_osm(path):
        return read_osm(name, used, crs=crs)
    suffix = Path(path).suffix.lower()
    if suffix == ROAD_PART:
        return read_road_part(path, used, crs=crs)
    if suffix == ".graphml":
        return read_graphml(name, used, crs=crs)
    if suffix in TABLE_SUFFIXES:
        return read_lines(path, used, crs=crs, settings=settings)
    known = ", ".join((*OSM_SUFFIXES, ".graphml", *TABLE_SUFFIXES))
    raise UnusableInputError(
        [
            Fault(
                name,
                "",
                suffix,
                say("roads are not read from this kind of file"),
                say("give one of {formats}", formats=known),
            )
        ]
    )


def _check_there(name: str) -> None:
    if not _is_there(Path(name)):
        remedy = say("check the path, relative to the current folder")
        fault = Fault(name, "", "", say("there is no such file"), remedy)
        raise MissingFileError([fault])


def _is_there(path: Path) -> bool:
    """Return whether a path is a file, or the folder of a file geodatabase."""
    return path.is_file() or (path.suffix.lower() == ".gdb" and path.is_dir())


def barrier_layer(barriers: Any, layer: str | None) -> gpd.GeoDataFrame:
    """Return a layer of barriers as a table.

    Raises
    ------
    MissingFileError, UnusableInputError
        There is no such file, or no geometries in it.
    """
    if isinstance(barriers, gpd.GeoSeries):
        return gpd.GeoDataFrame(geometry=barriers)
    if isinstance(barriers, gpd.GeoDataFrame):
        return barriers
    table, _ = open_layer(barriers, layer)
    if not isinstance(table.frame, gpd.GeoDataFrame):
        fault = Fault(
            table.name,
            "geometry",
            "",
            say("there are no geometries in it"),
            say("give a layer of lines or polygons"),
        )
        raise UnusableInputError([fault])
    return table.frame
