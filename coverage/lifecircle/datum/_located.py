"""Find the places of a table's rows in WGS84, from the datum that is declared for it.

Chinese sources come in WGS84, CGCS2000 (equal to WGS84 within a metre), GCJ-02, BD-09 or projected metres.
Everything inside the package is WGS84, lon before lat; only this module converts tables.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.cells import plain_degrees, plain_numbers, plain_text
from lifecircle.datum._metre_crs import CHINA_AREA, way_between
from lifecircle.datum._shifts import BoolArray, FloatArray, in_box, wgs84_from_bd09, wgs84_from_gcj02
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.headings import named, synonyms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

LON_NAMES = ("lon", *synonyms("", "lon"), "x")
LAT_NAMES = ("lat", *synonyms("", "lat"), "y")
EAST_NAMES = ("x", "easting", *synonyms("", "easting"))
NORTH_NAMES = ("y", "northing", *synonyms("", "northing"))
PLACE_KEYS = ("lon", "lat", "x", "y", "easting", "northing", "location")
"""Names in ``columns`` that may be mapped to the columns of coordinates."""

_WGS84 = pyproj.CRS.from_epsg(4326)
_BEYOND_DEGREES = 1000.0
_DATUMS = say("wgs84, gcj02, bd09 or EPSG:n (CGCS2000 degrees are EPSG:4490)")

# --- declared datums --------------------------------------------------------------------------------


def is_projected(datum: str) -> bool:
    """Return whether a declared datum is projected metres (columns x, y) rather than degrees (lon, lat).

    Parameters
    ----------
    datum : ``wgs84``, ``gcj02``, ``bd09`` or ``EPSG:n``

    Returns
    -------
    projected : bool

    Raises
    ------
    UnusableInputError
        When the datum is unknown.

    >>> is_projected("gcj02"), is_projected("EPSG:4549")
    (False, True)
    """
    return _declared(datum, "(table)").projected


@dataclass(frozen=True, slots=True)
class _Datum:
    """A declared datum: the names of its coordinates, and their conversion to WGS84 degrees."""

    text: str
    crs: pyproj.CRS
    unshift: Callable[[ArrayLike, ArrayLike], tuple[FloatArray, FloatArray]] | None = None

    @property
    def projected(self) -> bool:
        """Whether its coordinates are metres on a plane."""
        return bool(self.crs.is_projected)

    def wgs84(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return coordinates (x before y) in WGS84 degrees; NaN where that has no answer."""
        if self.unshift is not None:
            return self.unshift(x, y)
        if self.crs == _WGS84:
            return x, y
        lon, lat = way_between(self.crs, _WGS84).transform(x, y)
        lost = ~(np.isfinite(lon) & np.isfinite(lat))
        return np.where(lost, np.nan, lon), np.where(lost, np.nan, lat)


def _declared(datum: str, file: str) -> _Datum:
    text = str(datum).strip()
    plain = text.lower().replace("-", "").replace(" ", "")
    if plain == "wgs84":
        return _Datum("wgs84", _WGS84)
    if plain == "gcj02":
        return _Datum("gcj02", _WGS84, wgs84_from_gcj02)
    if plain == "bd09":
        return _Datum("bd09", _WGS84, wgs84_from_bd09)
    if plain == "auto":
        remedy = say("declare it: {datums}", datums=_DATUMS)
        fault = Fault(
            file, "datum", text, say("a datum is detected only beside roads, by an audit or check"), remedy
        )
        raise UnusableInputError([fault])
    if not plain.startswith("epsg:"):
        remedy = say("declare {datums}", datums=_DATUMS)
        raise UnusableInputError([Fault(file, "datum", text, say("unknown datum"), remedy)])
    try:
        crs = pyproj.CRS.from_user_input(plain)
    except pyproj.exceptions.CRSError:
        remedy = say("look the code up, for example EPSG:4549")
        fault = Fault(file, "datum", text, say("no such EPSG code"), remedy)
        raise UnusableInputError([fault]) from None
    if not (crs.is_projected or crs.is_geographic):
        reason = say("{name} has no horizontal coordinates", name=crs.name)
        fault = Fault(file, "datum", text, reason, say("declare {datums}", datums=_DATUMS))
        raise UnusableInputError([fault])
    return _Datum(text, crs)


# --- places of a table ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Located:
    """The point of each row of a table, and the reason where a row has none.

    ``points`` : (row,) object, shapely points in WGS84, None where the row has no usable coordinates.
    ``reason`` : (row,) str, why there is none; empty where there is one.
    ``blank`` : (row,) bool, the cells of the coordinates are empty.
    ``column``, ``value`` : (row,) str, the column at fault and its value.
    """

    points: NDArray[np.object_]
    reason: NDArray[np.object_]
    blank: BoolArray
    column: NDArray[np.object_]
    value: NDArray[np.object_]
    used: tuple[str, ...]

    @property
    def remedy(self) -> NDArray[np.object_]:
        """Return how to repair each row without a point: (row,) str."""
        return np.array([_REMEDIES.get(reason, "") for reason in self.reason], dtype=object)


_NONE = say("no coordinate")
_NO_NUMBER = say("coordinate is not a number")
_OUT = say("coordinate is out of range")
_LOST = say("coordinate has no place in WGS84")
_EMPTY = say("empty geometry")
_SHAPE = say("not a point or polygon")
_REMEDIES = {
    _NONE: say("write the coordinates, or look the address up"),
    _NO_NUMBER: say("write decimal degrees or metres with a point, for example 120.947"),
    _OUT: say("lon is -180 to 180, lat is -90 to 90, in that order"),
    _LOST: say("check the coordinate and the declared datum"),
    _EMPTY: say("draw the place, or delete the row"),
    _SHAPE: say("give points, or polygons (their centroid counts)"),
}


def locate(
    frame: pd.DataFrame,
    *,
    datum: str = "wgs84",
    file: str = "(table)",
    columns: Mapping[str, str] | None = None,
) -> Located:
    """Find the WGS84 point of every row: from its geometry, else from its coordinate columns.

    A layer's own CRS decides unless ``datum`` is ``gcj02``, ``bd09`` or ``EPSG:n``. Polygons and multipoints
    are at their centroid, computed in the coordinates they are given in.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        Not changed.
    columns : mapping, optional
        ``lon``, ``lat`` (or ``x``, ``y``) to the column that holds it, where it has another name; or
        ``location`` to one that holds both, as in ``120.947,30.518``.

    Returns
    -------
    located : a point or a reason for each row

    Raises
    ------
    UnusableInputError
        No coordinates, two columns that may both be one of them, swapped coordinates, metres declared as
        degrees, or a datum that is unknown.

    >>> located = locate(pd.DataFrame({"lon": [120.9, None], "lat": [30.5, 30.5]}))
    >>> located.points[0].x, located.points[1] is None
    (120.9, True)
    """
    declared = _declared(datum, file)
    if _geometry_name(frame):
        return _locate_shapes(_with_crs(frame, declared, file), declared, file)
    names = _coordinate_columns([str(name) for name in frame.columns], declared, file, columns or {})
    pair = _halves(frame[names[0]]) if len(names) == 1 else (frame[names[0]], frame[names[1]])
    return _locate_numbers(*pair, declared, file)


@dataclass(frozen=True, eq=False)
class RawPlaces:
    """Coordinates as written in a table: (row, 2), NaN where there are none; ``names`` : their columns."""

    xy: FloatArray
    names: tuple[str, ...]


def raw_places(
    frame: pd.DataFrame, *, file: str = "(table)", columns: Mapping[str, str] | None = None
) -> RawPlaces:
    """Return the coordinates of a table as written, whatever datum they are in.

    Parameters
    ----------
    columns : as for :func:`locate`

    Returns
    -------
    places : (row, 2) numbers and the names of their columns

    Raises
    ------
    UnusableInputError
        No coordinates, or two columns that may both be one of them.
    """
    if _geometry_name(frame):
        shapes = shapely.centroid(gpd.GeoDataFrame(frame).geometry.to_numpy())
        return RawPlaces(np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)]), ())
    present = [str(name) for name in frame.columns]
    try:
        names = _coordinate_columns(present, _declared("wgs84", file), file, columns or {})
    except UnusableInputError as degrees:
        try:
            names = _coordinate_columns(present, _declared("EPSG:4549", file), file, columns or {})
        except UnusableInputError:
            raise degrees from None
    pair = _halves(frame[names[0]]) if len(names) == 1 else (frame[names[0]], frame[names[1]])
    return RawPlaces(np.column_stack([plain_degrees(series) for series in pair]), names)


def to_wgs84(frame: gpd.GeoDataFrame, *, datum: str = "wgs84", file: str = "(table)") -> gpd.GeoDataFrame:
    """Return a layer with its geometry in WGS84 (EPSG:4326), as a copy.

    The layer's own CRS decides unless ``datum`` is ``gcj02``, ``bd09`` or ``EPSG:n``; a layer without one
    is read in the declared datum. Shifted datums are reversed after the layer's own projection.

    Parameters
    ----------
    frame : layer; not changed
    datum : ``wgs84``, ``gcj02``, ``bd09`` or ``EPSG:n``
    file : its name in faults

    Returns
    -------
    frame : the same rows and columns, geometry in EPSG:4326

    Raises
    ------
    UnusableInputError
        The datum is unknown, the CRS cannot be related to WGS84, or the coordinates look swapped or like
        metres although they are declared as degrees.

    >>> layer = gpd.GeoDataFrame(geometry=gpd.points_from_xy([500000], [3380000], crs="EPSG:4549"))
    >>> to_wgs84(layer).geometry.x.round(6).tolist()
    [120.0]
    """
    declared = _declared(datum, file)
    source = _with_crs(frame, declared, file)
    shapes = source.geometry.to_numpy()
    corners = shapely.bounds(shapes)
    if source.crs.is_geographic:
        _refuse_strange(corners[:, 0], corners[:, 1], file)
    chain = _Datum(declared.text, source.crs)
    moved = shapely.transform(shapes, lambda xy: np.column_stack(_both(chain, declared, xy[:, 0], xy[:, 1])))
    copy = source.copy()
    # The coordinates are replaced first and labelled afterwards: nothing here may transform them twice.
    return copy.set_geometry(gpd.GeoSeries(moved, index=copy.index, name=copy.geometry.name)).set_crs(
        _WGS84, allow_override=True
    )


def areas(frame: pd.DataFrame, *, datum: str = "wgs84", file: str = "(table)") -> NDArray[np.object_]:
    """Return the polygon of each row in WGS84, valid; None where the row has another geometry or none.

    Parameters
    ----------
    frame, datum, file : as for :func:`to_wgs84`; a table without a geometry column has no polygon

    Returns
    -------
    polygons : (row,) object

    Raises
    ------
    UnusableInputError
        As for :func:`to_wgs84`.

    >>> areas(pd.DataFrame({"lon": [120.9], "lat": [30.5]})).tolist()
    [None]
    """
    found: NDArray[np.object_] = np.full(len(frame), None, dtype=object)
    if not _geometry_name(frame):
        return found
    shapes = to_wgs84(frame, datum=datum, file=file).geometry.to_numpy()
    # a polygon with coordinates that are no numbers is no area; its row is rejected for having no place
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    drawn = np.isin(shapely.get_type_id(shapes), (3, 6)) & finite
    found[drawn] = shapely.make_valid(shapes[drawn])
    return found


def _both(chain: _Datum, declared: _Datum, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Reverse the layer's projection, then the declared shift; what is no place is infinite."""
    lon, lat = chain.wgs84(x, y)
    if declared.unshift is not None:
        lon, lat = declared.wgs84(lon, lat)
    # A ring is closed where its ends are equal, and what is not a number equals nothing.
    return np.where(np.isnan(lon), np.inf, lon), np.where(np.isnan(lat), np.inf, lat)


def _geometry_name(frame: pd.DataFrame) -> str | None:
    """Return the active geometry column of a layer; None for a plain table."""
    return getattr(frame, "active_geometry_name", None)


def _with_crs(frame: Any, declared: _Datum, file: str) -> Any:
    """Return the layer with the CRS its coordinates are in."""
    if declared.text.lower().startswith("epsg:"):
        return frame.set_crs(declared.crs, allow_override=True)
    own = frame.crs
    if own is None:
        return frame.set_crs(_WGS84)
    if not (own.is_projected or own.is_geographic):
        remedy = say("declare datum = 'EPSG:n'")
        fault = Fault(file, say("coordinate system"), own.name, say("not related to WGS84"), remedy)
        raise UnusableInputError([fault])
    return frame


def _locate_shapes(frame: Any, declared: _Datum, file: str) -> Located:
    shapes = frame.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)
    blank = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    unusable = ~blank & ~np.isin(kinds, (0, 3, 4, 6))
    # Lines are refused: the middle of a line is no place that anybody could enter.
    usable = ~blank & ~unusable
    with np.errstate(invalid="ignore"):
        centres = shapely.centroid(np.where(usable, shapes, None))
    # a shape with coordinates that are no numbers has an empty centroid: it lies nowhere
    centres = np.where(shapely.is_empty(centres), None, centres)
    x, y = shapely.get_x(centres), shapely.get_y(centres)
    reason = np.full(len(shapes), "", dtype=object)
    reason[blank] = _EMPTY
    reason[unusable] = _SHAPE
    value = np.array(
        [shape.geom_type if bad else "" for shape, bad in zip(shapes, unusable, strict=True)], object
    )
    column = np.full(len(shapes), str(frame.geometry.name), dtype=object)
    chain = _Datum(declared.text, frame.crs)
    degrees = not chain.projected
    if degrees:
        _refuse_strange(x, y, file)
    wild = usable & ~_plausible(x, y, degrees=degrees)
    reason[wild], value[wild] = _OUT, _pairs(x[wild], y[wild])
    lon, lat = _both(chain, declared, np.where(wild, np.nan, x), np.where(wild, np.nan, y))
    lost = usable & ~wild & ~_plausible(lon, lat, degrees=True)
    reason[lost], value[lost] = _LOST, _pairs(x[lost], y[lost])
    return Located(_points(lon, lat, reason == ""), reason, blank, column, value, ())


def _locate_numbers(x_text: pd.Series[Any], y_text: pd.Series[Any], declared: _Datum, file: str) -> Located:
    names = (str(x_text.name), str(y_text.name))
    pair = [x_text, y_text]
    empty = [_is_blank(series) for series in pair]
    x, y = ((plain_numbers if declared.projected else plain_degrees)(series) for series in pair)
    if declared.projected:
        _refuse_swapped_metres(x, y, declared, file)
    else:
        _refuse_strange(x, y, file)
    degrees = not declared.projected
    inside = [np.isfinite(x), np.isfinite(y)]
    if degrees:
        inside = [np.abs(x) <= 180.0, np.abs(y) <= 90.0]
    lon, lat = declared.wgs84(np.where(inside[0], x, np.nan), np.where(inside[1], y, np.nan))
    # Checked after the conversion too: metres of a wrong zone give degrees that are not on the globe.
    lost = inside[0] & inside[1] & ~_plausible(lon, lat, degrees=True)
    reason = np.full(len(x), "", dtype=object)
    column = np.full(len(x), names[0], dtype=object)
    value = np.full(len(x), "", dtype=object)
    # Later entries overwrite earlier ones: the graver fault and, of equals, the first column is reported.
    for word, masks in (
        (_LOST, [lost, np.zeros(len(x), dtype=bool)]),
        (_NONE, empty),
        (_OUT, [np.isfinite(x) & ~inside[0], np.isfinite(y) & ~inside[1]]),
        (_NO_NUMBER, [~empty[0] & ~np.isfinite(x), ~empty[1] & ~np.isfinite(y)]),
    ):
        for which in (1, 0):
            reason[masks[which]] = word
            column[masks[which]] = names[which]
            value[masks[which]] = [
                "" if word == _NONE else plain_text(cell) for cell in pair[which][masks[which]]
            ]
    return Located(_points(lon, lat, reason == ""), reason, reason == _NONE, column, value, names)


def _points(lon: FloatArray, lat: FloatArray, good: BoolArray) -> NDArray[np.object_]:
    points = np.full(len(lon), None, dtype=object)
    points[good] = shapely.points(lon[good], lat[good])
    return points


def _pairs(x: FloatArray, y: FloatArray) -> list[str]:
    return [f"{a:.10g}, {b:.10g}" for a, b in zip(x, y, strict=True)]


def _plausible(x: FloatArray, y: FloatArray, *, degrees: bool) -> BoolArray:
    known: BoolArray = np.isfinite(x) & np.isfinite(y)
    if not degrees:
        return known
    return known & (np.abs(x) <= 180.0) & (np.abs(y) <= 90.0)


def _is_blank(series: pd.Series[Any]) -> BoolArray:
    blank: BoolArray = series.isna().to_numpy(dtype=bool)
    if not pd.api.types.is_numeric_dtype(series):
        text = series.astype(object).map(lambda cell: isinstance(cell, str) and not cell.strip())
        blank = blank | text.to_numpy(dtype=bool)
    return blank


_PAIR = re.compile(r"[(\[\s]*([^,，;；\s()\[\]]+)(?:\s*[,，;；]\s*|\s+)([^,，;；\s()\[\]]+)[)\]\s]*")


def _halves(cells: pd.Series[Any]) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return the two halves of a column such as ``120.947,30.518``; what is not a pair has no number."""
    texts = [plain_text(cell) for cell in cells.astype(object)]
    found = [_PAIR.fullmatch(text) for text in texts]
    halves = [
        [match[half] if match else text and f"{text}," for text, match in zip(texts, found, strict=True)]
        for half in (1, 2)
    ]
    first, second = (pd.Series(half, index=cells.index, name=cells.name, dtype="str") for half in halves)
    return first, second


def _coordinate_columns(
    present: list[str], declared: _Datum, file: str, mapped: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the two columns of a table that hold its coordinates, or the one that holds both.

    Raises
    ------
    UnusableInputError
        With a fault for each of the two that is missing, or that several columns may be.
    """
    axes = (("x", "easting"), ("y", "northing")) if declared.projected else (("lon", "x"), ("lat", "y"))
    asked = [[mapped[name] for name in names if name in mapped] for names in axes]
    both = named(present, mapped.get("location", "location"), synonyms("", "location"))
    found = [
        next((here for here in _axis(present, names, wanted) if here), ())
        for names, wanted in zip(axes, asked, strict=True)
    ]
    if len(both) == 1 and not any(asked) and ("location" in mapped or not all(found)):
        return both
    faults = []
    for names, wanted, here in zip(axes, asked, found, strict=True):
        if len(here) > 1:
            faults.append(_several(names[0], here, file))
        elif not here:
            faults.append(_no_column((*wanted, names[0])[0], present, declared, file))
    if faults:
        raise UnusableInputError(faults)
    return found[0][0], found[1][0]


def _axis(present: list[str], names: tuple[str, ...], asked: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield the headings that may be one of the two coordinates, by each name it has, the surest first."""
    for name in asked[:1] or names:
        yield named(present, name, () if asked else synonyms("", name))


def _several(name: str, here: tuple[str, ...], file: str) -> Fault:
    headings = ", ".join(f"'{one}'" for one in here)
    reason = say("several columns may be the {column}: {headings}", column=name, headings=headings)
    remedy = say(
        'write which in study.toml: columns = {{ {column} = "{heading}" }}', column=name, heading=here[0]
    )
    return Fault(file, f"column '{here[0]}'", "", reason, remedy)


def _no_column(name: str, present: list[str], declared: _Datum, file: str) -> Fault:
    near = difflib.get_close_matches(name, present, n=1, cutoff=0.5)
    return Fault(
        file,
        f"column '{name}'",
        "",
        say("missing column; columns present: {names}", names=", ".join(present)),
        say("did you mean '{name}'? (coordinates are {datum})", name=near[0], datum=declared.text)
        if near
        else say("add it (coordinates are {datum})", datum=declared.text),
    )


def _refuse_strange(x: FloatArray, y: FloatArray, file: str) -> None:
    """Raise UnusableInputError for degrees most of which only make sense as lat, lon or as metres.

    A pair reads as swapped when its lat is no latitude but would be a longitude, or when it lies in China's
    area only after swapping (before, it would be in the Arctic Ocean).
    """
    known = np.isfinite(x) & np.isfinite(y)
    # Most rows decide: a single wrong point is a reject row, a swapped file would be nothing but rejects.
    half = known.sum() / 2.0
    swapped = known & (np.abs(x) <= 90.0) & (np.abs(y) > 90.0) & (np.abs(y) <= 180.0)
    swapped |= known & in_box(y, x, CHINA_AREA)
    if swapped.sum() > half:
        raise UnusableInputError([_swapped_fault(x, y, swapped, file, say("lon and lat"))])
    metres = known & (np.abs(x) > _BEYOND_DEGREES) & (np.abs(y) > _BEYOND_DEGREES)
    if metres.sum() > half:
        first = int(np.flatnonzero(metres)[0])
        fault = Fault(
            file,
            say("coordinates"),
            f"{x[first]:.10g}, {y[first]:.10g}",
            say(
                "{rows} of {known} look like metres, not degrees",
                rows=int(metres.sum()),
                known=int(known.sum()),
            ),
            say("declare datum = 'EPSG:n' with the code of the projection, for example EPSG:4549"),
        )
        raise UnusableInputError([fault])


def _refuse_swapped_metres(x: FloatArray, y: FloatArray, declared: _Datum, file: str) -> None:
    """Raise UnusableInputError for metres most of which fit the projection's area only after swapping.

    Chinese surveys call the northing x, so the two columns are often swapped.
    """
    area = declared.crs.area_of_use
    if area is None:
        return
    box = (area.west, area.south, area.east, area.north)
    known = np.isfinite(x) & np.isfinite(y)
    straight = in_box(*declared.wgs84(x, y), box)
    turned = in_box(*declared.wgs84(y, x), box)
    swapped = known & turned & ~straight
    if swapped.sum() > known.sum() / 2.0:
        raise UnusableInputError([_swapped_fault(x, y, swapped, file, say("easting (x) and northing (y)"))])


def _swapped_fault(x: FloatArray, y: FloatArray, swapped: BoolArray, file: str, pair: str) -> Fault:
    first = int(np.flatnonzero(swapped)[0])
    known = int((np.isfinite(x) & np.isfinite(y)).sum())
    return Fault(
        file,
        say("coordinates"),
        f"{x[first]:.10g}, {y[first]:.10g}",
        say(
            "{pair} look swapped in {rows} of {known} {known:row|rows}",
            pair=pair,
            rows=int(swapped.sum()),
            known=known,
        ),
        say("exchange the two columns, so that {pair} stand in that order", pair=pair),
    )
