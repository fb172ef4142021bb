"""Own the reading of road tables: lines from an office's own files, and edge tables.

Junctions are shared ends (within 1 mm), or the columns ``u`` and ``v``. Lines that merely cross are not
joined: a bridge and the street below cross too. Does not know OSM files or graphs.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.errors import Fault, UnusableInputError
from lifecircle.roads._graph import class_shown, read_list
from lifecircle.roads._osm import no_way
from lifecircle.roads._profiles import Profile, allowed_row, allowed_way, oneway, way_kmh
from lifecircle.roads._topology import (
    FIT_M,
    BoolArray,
    Pieces,
    assemble,
    collapse,
    fit_lines,
    join_ends,
    metre_frame,
    shift_between,
    straight_lines,
    to_metres,
)
from lifecircle.tables import SUFFIXES, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lifecircle.roads._network import FloatArray, LongArray, ObjectArray, Roads

_logger = logging.getLogger(__name__)

TABLE_SUFFIXES = tuple(SUFFIXES)

_GEOMETRY_COLUMNS = ("geometry", "wkt", "geom")
_PLACE_COLUMNS = ("u_lon", "u_lat", "v_lon", "v_lat")
_SHOWN = 10
"""As many rows are named in one message."""

_OFFICE_ONEWAY = {"f": "yes", "ft": "yes", "t": "-1", "tf": "-1", "b": "no"}
"""One-way words of Geofabrik's shapefiles and of older road databases."""


@dataclass(frozen=True)
class _Rows:
    """The rows of a road table in use, column names in lower case.

    ``number`` is each row's number as a person sees it; ``line`` its LineString in the CRS of the file or
    None.
    """

    name: str
    frame: pd.DataFrame
    number: LongArray
    line: ObjectArray
    crs: pyproj.CRS

    def taking(self, kept: BoolArray | LongArray) -> _Rows:
        """Keep some rows."""
        return replace(self, frame=self.frame.iloc[kept], number=self.number[kept], line=self.line[kept])

    def column(self, name: str) -> FloatArray | None:
        """Give a column of numbers, NaN where there is none; None without the column."""
        if name not in self.frame.columns:
            return None
        numbers: FloatArray = pd.to_numeric(self.frame[name], errors="coerce").to_numpy(
            np.float64, na_value=np.nan
        )
        return numbers

    def faults(
        self, wrong: Any, reason: str, remedy: str, *, column: str = "", values: Any = None
    ) -> list[Fault]:
        """Name the first few wrong rows, with what stands there."""
        where = f", column {column!r}" if column else ""
        return [
            Fault(
                self.name,
                f"row {self.number[i]}{where}",
                "" if values is None else str(values[i])[:60],
                reason,
                remedy,
            )
            for i in np.flatnonzero(wrong)[:_SHOWN]
        ]


def read_lines(source: Any, used: Profile, *, crs: Any) -> Roads:
    """Read a table of road lines or edges.

    Columns read, in any case of letters: the geometry (or ``geometry``, ``wkt``, ``geom`` as text); ``u`` and
    ``v`` (junctions), ``u_lon, u_lat, v_lon, v_lat`` where there is no line; ``highway``; ``oneway``;
    ``speed_kmh`` (not on foot); ``length`` in metres where there is no line; and the other keys the rules
    read.

    Raises
    ------
    UnusableInputError
        Anything that leaves the network unknown: no lines, no CRS, points, lines that miss their junctions,
        no row for the mode.
    ProjectionError
        The CRS cannot measure metres over the area.
    """
    rows = _usable_rows(_with_words(_rows(source), used), used)
    lon, lat = _degrees(rows)
    frame = metre_frame(lon, lat, crs)
    lines = _projected(rows, frame)
    if {"u", "v"} <= set(rows.frame.columns):
        pieces = _by_name(rows, lines, frame)
    else:
        rows, lines = _single_lines(rows, lines)
        lines, start, end, xy = join_ends(lines)
        pieces = _pieces(lines, start, end, xy)
    forward, backward = _speeds(rows, used)
    shown = _classes(rows, used)
    pieces = replace(pieces, forward_kmh=forward, backward_kmh=backward, highway=shown)
    return assemble(collapse(pieces), crs=frame, profile=used, name=rows.name)


def _rows(source: Any) -> _Rows:
    """Read the table and find its lines.

    Raises
    ------
    UnusableInputError
        No geometry, no CRS, or rows that are not lines.
    """
    table = read_table(source)
    given = table.frame
    crs = pyproj.CRS("EPSG:4326")
    if isinstance(given, gpd.GeoDataFrame):
        line = given.geometry.to_numpy()
        if given.crs is None:
            remedy = "store the file with its CRS (a .prj beside a .shp), for example EPSG:4549"
            raise UnusableInputError([Fault(table.name, "geometry", "", "the lines have no CRS", remedy)])
        crs = pyproj.CRS(given.crs)
        given = pd.DataFrame(given.drop(columns=given.geometry.name))
    else:
        given = pd.DataFrame(given)
        line = np.full(len(given), None, dtype=object)
    frame = given.rename(columns={name: str(name).strip().lower() for name in given.columns})
    frame = frame.loc[:, ~frame.columns.duplicated()]
    number = frame.index.to_numpy(np.int64)
    rows = _Rows(table.name, frame.reset_index(drop=True), number, line, crs)
    if not isinstance(table.frame, gpd.GeoDataFrame):
        rows = _with_text_lines(rows)
    return _of_lines(rows)


def _with_text_lines(rows: _Rows) -> _Rows:
    """Read lines written as text (WKT, longitude and latitude), or see that an edge table can do without."""
    column = next((name for name in _GEOMETRY_COLUMNS if name in rows.frame.columns), None)
    if column is None:
        if {"u", "v", *_PLACE_COLUMNS} <= set(rows.frame.columns):
            return rows
        reason = "there are no lines in it"
        remedy = (
            "give a column 'geometry' with lines as WKT in longitude and latitude, or the columns "
            f"u, v, {', '.join(_PLACE_COLUMNS)} and length"
        )
        raise UnusableInputError([Fault(rows.name, "columns", ", ".join(rows.frame.columns), reason, remedy)])
    text = rows.frame[column].to_numpy(dtype=object)
    stated = np.array([isinstance(item, (str, bytes)) and bool(item.strip()) for item in text], dtype=bool)
    line = np.full(len(text), None, dtype=object)
    for i in np.flatnonzero(stated):
        read = shapely.from_wkb if isinstance(text[i], bytes) else shapely.from_wkt
        line[i] = read(text[i], on_invalid="ignore")
    wrong = stated & shapely.is_missing(line)
    if wrong.any():
        remedy = "write lines as WKT: LINESTRING (lon lat, lon lat)"
        raise UnusableInputError(rows.faults(wrong, "this is not a line", remedy, column=column, values=text))
    return replace(rows, line=line)


def _of_lines(rows: _Rows) -> _Rows:
    """Check that geometries are lines, join the parts of multi-lines that follow on one another.

    Raises
    ------
    UnusableInputError
        Points, polygons, coordinates that are not numbers.
    """
    line = rows.line.copy()
    line[shapely.is_empty(line)] = None
    kind = shapely.get_type_id(line)
    wrong = ~np.isin(kind, [-1, 1, 2, 5])
    faults = rows.faults(
        wrong,
        "roads are lines, this is none",
        "give the layer with the road lines",
        column="geometry",
        values=[shape.geom_type if shape is not None else "" for shape in line],
    )
    coordinates, row = shapely.get_coordinates(line, return_index=True)
    broken = np.bincount(row, weights=~np.isfinite(coordinates).all(axis=1), minlength=len(line)) > 0
    faults += rows.faults(broken, "coordinates are not numbers", "draw the line again", column="geometry")
    if faults:
        raise UnusableInputError(faults)
    line = shapely.force_2d(line)
    several = kind == 5
    line[several] = shapely.line_merge(line[several])
    ring = kind == 2
    line[ring] = [shapely.LineString(shape.coords) for shape in line[ring]]
    return replace(rows, line=line)


def _usable_rows(rows: _Rows, used: Profile) -> _Rows:
    """Keep the rows the profile may use.

    Raises
    ------
    UnusableInputError
        There is none, or a speed is missing or none.
    """
    own = _own_speeds(rows, used)
    kept = np.zeros(len(rows.frame), dtype=bool)
    for tags, index in _groups(rows, used):
        # A row without a class is a road of unknown class.
        fits = allowed_way({"highway": "road", **tags}, used)
        kept[index] = fits | (np.isfinite(own[index]) & allowed_row(tags, used))
    if not kept.any():
        raise UnusableInputError([no_way(rows.name, used, Counter(_classes(rows, used).tolist()))])
    rows, own = rows.taking(kept), own[kept]
    faults = []
    if np.isfinite(own).any():
        remedy = "give km/h, or leave the cell empty"
        wrong = np.isfinite(own) & (own <= 0)
        faults += rows.faults(wrong, "a speed is a positive number", remedy, column="speed_kmh", values=own)
    if used.speed_kmh is None:
        lost = (_classes(rows, used) == "") & np.isnan(own)
        remedy = "fill column 'highway' or 'speed_kmh', or give one speed for all (speed_kmh=...)"
        faults += rows.faults(lost, "the speed of this road is not known", remedy)
    if faults:
        raise UnusableInputError(faults)
    return rows


def _own_speeds(rows: _Rows, used: Profile) -> FloatArray:
    """Give the speeds the table itself states, NaN where it states none or the profile has one for all.

    Raises
    ------
    UnusableInputError
        A cell that is no number.
    """
    stated = rows.column("speed_kmh") if used.speed_kmh is None else None
    if stated is None:
        return np.full(len(rows.frame), np.nan)
    wrong = rows.frame["speed_kmh"].notna().to_numpy() & ~np.isfinite(stated)
    values = rows.frame["speed_kmh"].to_numpy(dtype=object)
    remedy = "give km/h, or leave the cell empty"
    faults = rows.faults(wrong, "a speed is a positive number", remedy, column="speed_kmh", values=values)
    if faults:
        raise UnusableInputError(faults)
    return stated


def _with_words(rows: _Rows, used: Profile) -> _Rows:
    """Read the columns the rules read as words of tags, ``highway`` always."""
    frame = rows.frame if "highway" in rows.frame.columns else rows.frame.assign(highway=None)
    keys = [key for key in used.ways.keys if key in frame.columns]
    return replace(rows, frame=frame.assign(**{key: _words(key, frame[key]) for key in keys}))


def _words(key: str, column: pd.Series[Any]) -> ObjectArray:
    """Read a column as words, each different cell once; several ways merged into one row give a tuple."""
    cells = [tuple(cell) if isinstance(cell, (list, np.ndarray)) else cell for cell in column.tolist()]
    read = {cell: _word(key, cell) for cell in set(cells)}
    words = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):  # a list of equal tuples would be taken for two dimensions
        words[i] = read[cell]
    return words


def _word(key: str, value: Any) -> Any:
    """Read a cell as the word of a tag; empty where there is none."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, float, np.number)):
        return str(int(value)) if math.isfinite(value) else ""
    if isinstance(value, tuple):
        return tuple(_word(key, part) for part in value)
    if not isinstance(value, str):
        return ""
    several = read_list(value)
    if isinstance(several, list):
        return tuple(_word(key, part) for part in several)
    word = value.strip().lower()
    return _OFFICE_ONEWAY.get(word, word) if key == "oneway" else word


def _groups(rows: _Rows, used: Profile) -> Iterable[tuple[dict[str, Any], LongArray]]:
    """Give each different set of tags with the rows that carry it, so that a rule is asked once for each."""
    keys = [key for key in used.ways.keys if key in rows.frame.columns]
    coded = pd.DataFrame({key: pd.factorize(rows.frame[key].to_numpy(dtype=object))[0] for key in keys})
    for index in coded.groupby(keys, sort=False).indices.values():
        tags = rows.frame.iloc[index[0]]
        yield {key: tags[key] for key in keys if tags[key]}, np.asarray(index, np.int64)


def _classes(rows: _Rows, used: Profile) -> ObjectArray:
    """Name one class per row, empty where there is none."""
    shown = {words: class_shown(words, used) for words in set(rows.frame["highway"])}
    return np.array([shown[words] for words in rows.frame["highway"]], dtype=object)


def _degrees(rows: _Rows) -> tuple[FloatArray, FloatArray]:
    """Give longitude and latitude of every vertex, or of the stated ends.

    Raises
    ------
    UnusableInputError
        Coordinates outside the earth: another CRS than stated, or the axes swapped.
    """
    x, y = shapely.get_coordinates(rows.line).T
    lon, lat = pyproj.Transformer.from_crs(rows.crs, "EPSG:4326", always_xy=True).transform(x, y)
    told_lon, told_lat = _told_places(rows)
    told = np.isfinite(told_lon) & np.isfinite(told_lat)
    lon, lat = np.concatenate([lon, told_lon[told]]), np.concatenate([lat, told_lat[told]])
    faults = []
    if not len(lon):
        faults.append(
            Fault(
                rows.name, "geometry", "", "no line has any coordinates", "give the layer with the road lines"
            )
        )
    elif ((np.abs(lon) > 180) | (np.abs(lat) > 90)).any():
        far = int(np.argmax((np.abs(lon) > 180) | (np.abs(lat) > 90)))
        reason = f"coordinates are not on the earth when read as {rows.crs.name}"
        remedy = "store the CRS the lines are really in; longitude comes before latitude"
        value = f"{x[far]:.6g} {y[far]:.6g}" if far < len(x) else f"{lon[far]:.6g} {lat[far]:.6g}"
        faults.append(Fault(rows.name, "geometry", value, reason, remedy))
    if faults:
        raise UnusableInputError(faults)
    return lon, lat


def _told_places(rows: _Rows) -> tuple[FloatArray, FloatArray]:
    """Give longitude and latitude of all u, then of all v, where the table has columns for them."""
    u_lon, u_lat, v_lon, v_lat = (rows.column(name) for name in _PLACE_COLUMNS)
    if u_lon is None or u_lat is None or v_lon is None or v_lat is None:
        return np.empty(0), np.empty(0)
    return np.concatenate([u_lon, v_lon]), np.concatenate([u_lat, v_lat])


def _projected(rows: _Rows, frame: pyproj.CRS) -> ObjectArray:
    lines: ObjectArray = shapely.transform(rows.line, shift_between(rows.crs, frame), interleaved=False)
    return lines


def _single_lines(rows: _Rows, lines: ObjectArray) -> tuple[_Rows, ObjectArray]:
    """Take multi-lines apart, each part with the words of its row; leave out rows without a line."""
    missing = shapely.is_missing(lines)
    if missing.any():
        _logger.warning("%s: %d rows without a line are left out", rows.name, int(missing.sum()))
    parts, row = shapely.get_parts(lines, return_index=True)
    return rows.taking(row), parts


def _pieces(lines: ObjectArray, start: LongArray, end: LongArray, xy: FloatArray) -> Pieces:
    nothing = np.zeros(len(lines))
    none = np.full(len(lines), "", dtype=object)
    return Pieces(lines, start, end, xy, shapely.length(lines), nothing, nothing, none)


def _by_name(rows: _Rows, lines: ObjectArray, frame: pyproj.CRS) -> Pieces:
    """Join rows by the names of their junctions.

    Raises
    ------
    UnusableInputError
        A name is missing, a row without a line has an end nobody places, a line misses its junctions, or a
        row without a line has no usable length.
    """
    names = rows.frame[["u", "v"]]
    empty = names.isna().any(axis=1).to_numpy()
    faults = rows.faults(
        empty, "a junction has no name", "fill both u and v, or leave out both columns", column="u, v"
    )
    faults += rows.faults(
        shapely.get_type_id(lines) == 5,
        "the line is in several parts",
        "draw it as one, or drop columns u and v",
    )
    if faults:
        raise UnusableInputError(faults)
    code, _ = pd.factorize(pd.concat([names["u"], names["v"]]).astype(str))
    start, end = code[: len(lines)].astype(np.int64), code[len(lines) :].astype(np.int64)
    given = ~shapely.is_missing(lines)
    xy = _junctions(rows, lines, start, end, frame)
    nowhere = ~given & ~np.isfinite(xy[start] + xy[end]).all(axis=1)
    remedy = f"draw the line, or give {', '.join(_PLACE_COLUMNS)}"
    faults = rows.faults(nowhere, "the row has no line and its junctions have no place", remedy)
    if faults:
        raise UnusableInputError(faults)
    whole = straight_lines(xy[start], xy[end])
    whole[given], miss = fit_lines(lines[given], xy[start[given]], xy[end[given]])
    missed = np.zeros(len(lines))
    missed[given] = miss
    remedy = "join the line to its junctions, or drop columns u and v so that shared ends are junctions"
    faults = rows.faults(
        ~(missed <= FIT_M),
        "the line does not run between its junctions",
        remedy,
        values=[f"{m:.1f} m" for m in missed],
    )
    if faults:
        raise UnusableInputError(faults)
    pieces = _pieces(whole, start, end, xy)
    return replace(pieces, length_m=_lengths(rows, pieces, given))


def _junctions(
    rows: _Rows, lines: ObjectArray, start: LongArray, end: LongArray, frame: pyproj.CRS
) -> FloatArray:
    """Place each named junction where most of its lines end (or the table says), NaN where nothing tells.

    A line drawn from v to u is recognised by what the other lines say about its junctions.
    """
    given = np.flatnonzero(~shapely.is_missing(lines))
    first = shapely.get_coordinates(shapely.get_point(lines[given], 0))
    last = shapely.get_coordinates(shapely.get_point(lines[given], -1))
    s, e = start[given], end[given]
    votes = _Votes(np.concatenate([s, e]), np.vstack([first, last]))
    drawn = (votes.count(s, first) > 1).astype(int) + (votes.count(e, last) > 1)
    turned = (votes.count(s, last) > 0).astype(int) + (votes.count(e, first) > 0)
    turn = (turned > drawn)[:, None]
    node, place = (
        np.concatenate([s, e]),
        np.vstack([np.where(turn, last, first), np.where(turn, first, last)]),
    )
    lon, lat = _told_places(rows)
    if len(lon):
        told = np.isfinite(lon) & np.isfinite(lat)
        node = np.concatenate([node, np.concatenate([start, end])[told]])
        place = np.vstack([place, to_metres(lon[told], lat[told], frame)])
    xy = np.full((int(max(start.max(), end.max())) + 1, 2), np.nan)
    best, where = _Votes(node, place).winners()
    xy[best] = where
    return xy


class _Votes:
    """How many line ends put a junction at a place, to the millimetre."""

    def __init__(self, node: LongArray, place: FloatArray) -> None:
        self._place = place
        self._all = self._frame(node, place)
        self._count = self._all.value_counts(sort=False)

    @staticmethod
    def _frame(node: LongArray, place: FloatArray) -> pd.DataFrame:
        millimetres = np.round(place * 1000).astype(np.int64)
        return pd.DataFrame({"node": node, "x": millimetres[:, 0], "y": millimetres[:, 1]})

    def count(self, node: LongArray, place: FloatArray) -> LongArray:
        """Count the votes for each junction at a place."""
        keys = pd.MultiIndex.from_frame(self._frame(node, place))
        return np.asarray(self._count.reindex(keys, fill_value=0), np.int64)

    def winners(self) -> tuple[LongArray, FloatArray]:
        """Give each junction and the place with most votes; of equals the one that comes first."""
        votes = self.count(self._all["node"].to_numpy(), self._place)
        order = np.lexsort((np.arange(len(votes)), -votes, self._all["node"].to_numpy()))
        node, first = np.unique(self._all["node"].to_numpy()[order], return_index=True)
        return node.astype(np.int64), self._place[order[first]]


def _lengths(rows: _Rows, pieces: Pieces, given: BoolArray) -> FloatArray:
    """Measure the lines; a row without one has the length it states, or else the straight one.

    Raises
    ------
    UnusableInputError
        A stated length that is not a positive number, or one between junctions at one place.
    """
    stated = rows.column("length")
    if stated is None or given.all():
        return pieces.length_m
    told = rows.frame["length"].notna().to_numpy() & ~given
    wrong = told & ~((stated > 0) & (stated < math.inf))
    faults = rows.faults(
        wrong,
        "a length is a positive number of metres",
        "mend it, or draw the line",
        column="length",
        values=rows.frame["length"].to_numpy(dtype=object),
    )
    point = told & (pieces.length_m == 0)
    remedy = "draw the line, or move one of the junctions"
    faults += rows.faults(
        point, "the row has a length but no line, and its junctions stand at one place", remedy
    )
    if faults:
        raise UnusableInputError(faults)
    return np.where(told, stated, pieces.length_m)


def _speeds(rows: _Rows, used: Profile) -> tuple[FloatArray, FloatArray]:
    """Speeds along and against each row's line, 0 where not allowed."""
    own = _own_speeds(rows, used)
    kmh, direction = np.zeros(len(rows.frame)), np.zeros(len(rows.frame), np.int8)
    for tags, index in _groups(rows, used):
        kmh[index] = way_kmh(tags, used)
        direction[index] = oneway(tags, used)
    kmh = np.where(np.isfinite(own), own, kmh)
    return np.where(direction >= 0, kmh, 0.0), np.where(direction <= 0, kmh, 0.0)
