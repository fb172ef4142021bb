"""Own the one way in for road files: which reader a file goes to, and what is added after reading.

Reads no format itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pyproj

from lifecircle.errors import Fault, MissingFileError, UnusableInputError
from lifecircle.roads._cache import cached
from lifecircle.roads._graph import read_graphml
from lifecircle.roads._lines import TABLE_SUFFIXES, read_lines
from lifecircle.roads._network import shapes_in
from lifecircle.roads._osm import OSM_SUFFIXES, read_osm, read_osm_barriers
from lifecircle.roads._profiles import Profile, Speed, profile
from lifecircle.tables import read_table

if TYPE_CHECKING:
    from lifecircle.roads._network import ObjectArray, Roads


def read_roads(  # noqa: PLR0913 - each is a setting of its own, named
    path: str | Path | gpd.GeoDataFrame,
    *,
    mode: str | Profile = "walk",
    speed_kmh: Speed | None = None,
    crs: Any = None,
    barriers: bool | str | Path | gpd.GeoDataFrame | gpd.GeoSeries = False,
    keep: bool = False,
) -> Roads:
    """Read a road network for one travel profile.

    Parameters
    ----------
    path : OpenStreetMap file (.osm.pbf, .osm), GraphML of OSMnx, or road lines (.gpkg, .shp, .geojson,
        .parquet, .csv with WKT or with u, v, length; a GeoDataFrame).
    mode : ``walk``, ``drive``, or a profile id such as ``walk_aged``.
    speed_kmh : speed in km/h instead of the profile's own; for ``drive`` also km/h by road class.
    crs : metre CRS to measure in; left out, the one of the area.
    barriers : what access legs may not cross: a layer of geometries, or True for what an OSM file itself
        holds (water, railways, expressways, walls). False: none.
    keep : take them from the cache folder where they are kept, else read them and keep them there.

    Returns
    -------
    Roads

    Raises
    ------
    MissingFileError
        There is no such file.
    UnusableInputError
        The file cannot be read, or holds no road for the mode.
    ProjectionError
        The CRS cannot measure metres over the area.
    """
    used = profile(mode, speed_kmh=speed_kmh)
    if keep and isinstance(path, (str, Path)) and Path(path).is_file():
        roads = cached(Path(path), used, crs, read=lambda: _read(path, used, crs))
    else:
        roads = _read(path, used, crs)
    if barriers is False:
        return roads
    if barriers is True and not is_osm(path):
        remedy = "give the barriers as a layer of their own (barriers='water.gpkg')"
        raise UnusableInputError(
            [Fault(str(path), "barriers", "True", "only OSM files hold barriers", remedy)]
        )
    return roads.with_barriers(read_barriers(path if barriers is True else barriers, crs=roads.crs))


def read_barriers(source: str | Path | gpd.GeoDataFrame | gpd.GeoSeries, *, crs: Any) -> ObjectArray:
    """Read what access legs may not cross, in a metre CRS.

    Parameters
    ----------
    source : layer of lines or polygons, or an OSM file, of which water, railways, expressways and walls are
        taken, but not what runs in a tunnel, on a bridge or below ground.
    crs : CRS of the roads.

    Returns
    -------
    (barrier,) shapely geometries; missing and empty ones are left out.

    Raises
    ------
    MissingFileError
        There is no such file.
    UnusableInputError
        The file cannot be read, or holds no geometries or no CRS.
    """
    frame = pyproj.CRS.from_user_input(crs)
    if not is_osm(source):
        return shapes_in(
            _layer(source), frame, str(source) if isinstance(source, (str, Path)) else "barriers"
        )
    _check_there(str(source))
    return read_osm_barriers(str(source), frame)


def is_osm(path: Any) -> bool:
    """Tell whether a source is a file of OpenStreetMap, by its name."""
    return isinstance(path, (str, Path)) and str(path).lower().endswith(OSM_SUFFIXES)


def _read(path: Any, used: Profile, crs: Any) -> Roads:
    if not isinstance(path, (str, Path)):
        return read_lines(path, used, crs=crs)
    name = str(path)
    if "://" in name:
        return read_lines(name, used, crs=crs)
    _check_there(name)
    if is_osm(path):
        return read_osm(name, used, crs=crs)
    suffix = Path(path).suffix.lower()
    if suffix == ".graphml":
        return read_graphml(name, used, crs=crs)
    if suffix in TABLE_SUFFIXES:
        return read_lines(path, used, crs=crs)
    known = ", ".join((*OSM_SUFFIXES, ".graphml", *TABLE_SUFFIXES))
    raise UnusableInputError(
        [Fault(name, "", suffix, "roads are not read from this kind of file", f"give one of {known}")]
    )


def _check_there(name: str) -> None:
    if not Path(name).is_file():
        fault = Fault(name, "", "", "there is no such file", "check the path, relative to the current folder")
        raise MissingFileError([fault])


def _layer(barriers: Any) -> Any:
    if isinstance(barriers, (gpd.GeoDataFrame, gpd.GeoSeries)):
        return barriers
    table = read_table(barriers)
    if not isinstance(table.frame, gpd.GeoDataFrame):
        fault = Fault(
            table.name, "geometry", "", "there are no geometries in it", "give a layer of lines or polygons"
        )
        raise UnusableInputError([fault])
    return table.frame
