"""Own coordinates: which datum they are in, where they lie in WGS84, and the metre CRS of an area.

Chinese sources come in WGS84, CGCS2000 (equal to WGS84 within a metre), GCJ-02 (the shifted coordinates of
Amap and Tencent), BD-09 (Baidu's second shift on top) or projected metres. Everything inside the package is
WGS84, lon before lat; this room is the one door. It does not read files and knows no residents or services.

The two shifts are published only through their reverse-engineered formulas, which every open implementation
shares: a polynomial and sine offset in metres on the Krasovsky 1940 ellipsoid (GCJ-02), and a small rotation
and stretch about the origin of degrees (BD-09). They have no closed inverse; it is found by iteration.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray

from lifecircle.cells import plain_numbers, plain_text
from lifecircle.errors import Fault, ProjectionError, UnusableInputError, say
from lifecircle.headings import named, synonyms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_Shift = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

SHIFTED_AREA = (72.004, 0.8293, 137.8347, 55.8271)
"""west, south, east, north of the rectangle in which GCJ-02 and BD-09 differ from WGS84 (border included)."""

CHINA_AREA = (73.62, 16.70, 134.77, 53.56)
"""west, south, east, north of the area of use of CGCS2000 (EPSG:4490)."""

SCALE_TOLERANCE = 1e-3
"""Largest share by which a metre CRS may lengthen or shorten a distance (inclusive)."""

LON_NAMES = ("lon", *synonyms("", "lon"), "x")
LAT_NAMES = ("lat", *synonyms("", "lat"), "y")
EAST_NAMES = ("x", "easting", *synonyms("", "easting"))
NORTH_NAMES = ("y", "northing", *synonyms("", "northing"))
PLACE_KEYS = ("lon", "lat", "x", "y", "easting", "northing", "location")
"""What ``columns`` may map to the columns of a table that hold its coordinates."""

_KRASOVSKY_M = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_BAIDU_TURN = np.pi * 3000.0 / 180.0
_WGS84 = pyproj.CRS.from_epsg(4326)
_SETTLED_DEG = 1e-12
_MOST_ROUNDS = 40
_BEYOND_DEGREES = 1000.0
_WEB_MERCATOR = "Popular Visualisation Pseudo Mercator"
_DATUMS = say("wgs84, gcj02, bd09 or EPSG:n (CGCS2000 degrees are EPSG:4490)")


_SHIFTED_TILES = {
    "GCJ-02": ("amap", "gaode", "autonavi", "高德", "tencent", "qq", "腾讯", "google", "谷歌", "petal"),
    "BD-09": ("baidu", "bmap", "百度"),
}


def shifted_tiles(name: str) -> str:
    """Name the shifted datum that a provider of map tiles draws China in; empty for one not known to.

    Anything in WGS84 or CGCS2000 stands 300 to 800 m off its place on such tiles.

    >>> shifted_tiles("AutoNavi"), shifted_tiles("baidu_vec"), shifted_tiles("osm")
    ('GCJ-02', 'BD-09', '')
    """
    words = re.split(r"[^a-z\u4e00-\u9fff]+", name.casefold())
    for datum, providers in _SHIFTED_TILES.items():
        if any(word == one or (len(one) > 2 and one in word) for word in words for one in providers):
            return datum
    return ""


# --- the two Chinese shifts -------------------------------------------------------------------------


def gcj02_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Shift WGS84 degrees to GCJ-02.

    Parameters
    ----------
    lon, lat : (point,) or scalar
        Degrees. Outside :data:`SHIFTED_AREA` and where not a number they come back unchanged.

    Returns
    -------
    lon, lat : (point,) float64, or 0-d for scalars

    >>> lon, lat = gcj02_from_wgs84(121.5272106, 31.1774276)
    >>> print(f"{lon:.6f} {lat:.6f}")
    121.531542 31.175304
    """
    return _inside_only(lon, lat, _to_gcj02)


def wgs84_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Shift GCJ-02 degrees back to WGS84, to a billionth of a degree.

    Parameters and returns as for :func:`gcj02_from_wgs84`; the rectangle is tested on the GCJ-02 degrees,
    so within a shift (under 0.02 degrees) of its border a round trip need not close.
    """
    return _inside_only(lon, lat, lambda x, y: _undone(_to_gcj02, x, y))


def bd09_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Shift WGS84 degrees to BD-09; parameters and returns as for :func:`gcj02_from_wgs84`."""
    return _inside_only(lon, lat, _to_bd09)


def wgs84_from_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Shift BD-09 degrees back to WGS84; parameters and returns as for :func:`wgs84_from_gcj02`."""
    return _inside_only(lon, lat, lambda x, y: _undone(_to_bd09, x, y))


def _inside_only(lon: ArrayLike, lat: ArrayLike, shift: _Shift) -> tuple[FloatArray, FloatArray]:
    """Apply a shift to the points inside the rectangle, on copies."""
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    x, y = x.copy(), y.copy()
    inside = _in_box(x, y, SHIFTED_AREA)
    x[inside], y[inside] = shift(x[inside], y[inside])
    return x, y


def _in_box(x: FloatArray, y: FloatArray, box: tuple[float, float, float, float]) -> BoolArray:
    west, south, east, north = box
    inside: BoolArray = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    return inside


def _to_gcj02(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add the GCJ-02 offset, whose polynomials count from 105 E, 35 N and give metres."""
    x, y = lon - 105.0, lat - 35.0
    shared = 20.0 * _sines(x, 6.0) + 20.0 * _sines(x, 2.0)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north_m += (2.0 / 3.0) * (shared + 20.0 * _sines(y, 1.0) + 40.0 * _sines(y, 1.0 / 3.0))
    north_m += (2.0 / 3.0) * (160.0 * _sines(y, 1.0 / 12.0) + 320.0 * _sines(y, 1.0 / 30.0))
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east_m += (2.0 / 3.0) * (shared + 20.0 * _sines(x, 1.0) + 40.0 * _sines(x, 1.0 / 3.0))
    east_m += (2.0 / 3.0) * (150.0 * _sines(x, 1.0 / 12.0) + 300.0 * _sines(x, 1.0 / 30.0))
    angle = np.radians(lat)
    squeeze = 1.0 - _KRASOVSKY_E2 * np.sin(angle) ** 2
    meridian_m = _KRASOVSKY_M * (1.0 - _KRASOVSKY_E2) / squeeze**1.5
    parallel_m = _KRASOVSKY_M / np.sqrt(squeeze) * np.cos(angle)
    return lon + np.degrees(east_m / parallel_m), lat + np.degrees(north_m / meridian_m)


def _sines(degrees: FloatArray, half_turns: float) -> FloatArray:
    wave: FloatArray = np.sin(degrees * (half_turns * np.pi))
    return wave


def _to_bd09(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn and stretch the GCJ-02 degrees about their origin, then move them by a constant."""
    x, y = _to_gcj02(lon, lat)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BAIDU_TURN)
    turn = np.arctan2(y, x) + 0.000003 * np.cos(x * _BAIDU_TURN)
    return radius * np.cos(turn) + 0.0065, radius * np.sin(turn) + 0.006


def _undone(shift: _Shift, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Invert a shift by taking off, again and again, what its image still misses.

    The offset changes by less than 3 % of a step, so each round gains one and a half digits.
    """
    x, y = lon.copy(), lat.copy()
    for _ in range(_MOST_ROUNDS):
        there_x, there_y = shift(x, y)
        miss_x, miss_y = there_x - lon, there_y - lat
        x, y = x - miss_x, y - miss_y
        if max(np.abs(miss_x).max(initial=0.0), np.abs(miss_y).max(initial=0.0)) < _SETTLED_DEG:
            break
    return x, y


# --- metres -----------------------------------------------------------------------------------------


def metre_crs(lon: ArrayLike, lat: ArrayLike) -> pyproj.CRS:
    """Choose the metre CRS of an area by its middle (the median lon and lat of its points).

    In China's area (:data:`CHINA_AREA`: a rectangle, so parts of its neighbours follow the same rule, whose
    zones measure as well there) it is the CGCS2000 3-degree Gauss-Kruger zone named by its central meridian:
    75 E is EPSG:4534, 120 E is EPSG:4549, 135 E is EPSG:4554. Elsewhere it is the UTM zone on WGS84.

    Raises
    ------
    ProjectionError
        When no point has a place.

    >>> metre_crs([120.9, 121.0], [30.5, 30.6]).to_epsg()
    4549
    """
    x, y = _finite(lon, lat)
    middle_x, middle_y = float(np.median(x)), float(np.median(y))
    if _in_box(np.array(middle_x), np.array(middle_y), CHINA_AREA):
        meridian = min(max(3 * int(np.floor((middle_x + 1.5) / 3)), 75), 135)
        return pyproj.CRS.from_epsg(4534 + (meridian - 75) // 3)
    zone = min(int(np.floor((middle_x + 180.0) / 6.0)) + 1, 60)
    return pyproj.CRS.from_epsg((32600 if middle_y >= 0 else 32700) + zone)


def check_metre_crs(crs: pyproj.CRS, lon: ArrayLike, lat: ArrayLike) -> None:
    """Refuse a CRS that cannot measure metres over the area of the points.

    Raises
    ------
    ProjectionError
        The CRS is not projected, not in metres, is web Mercator, or somewhere in the rectangle around the
        points its scale is off by more than :data:`SCALE_TOLERANCE`.
    """
    _finite(lon, lat)
    reason = _unmeasured(crs)
    if not reason:
        error = scale_error(crs, lon, lat)
        if not error <= SCALE_TOLERANCE:
            reason = say(
                "its scale is off by {size} over the area (at most {most} is accepted)",
                size=f"{error:.2%}" if np.isfinite(error) else "∞",
                most=f"{SCALE_TOLERANCE:.1%}",
            )
    if reason:
        raise ProjectionError(
            say(
                "crs {crs} ({name}) cannot measure metres here: {reason}. "
                "Remedy: leave crs out, or write {other}",
                crs=crs.to_string(),
                name=crs.name,
                reason=reason,
                other=metre_crs(lon, lat).to_string(),
            )
        )


def in_china_area(lonlat: FloatArray) -> bool:
    """Tell whether places lie in China's area (:data:`CHINA_AREA`) by their middle: (place, 2), NaN for none.

    >>> in_china_area(np.array([[120.9, 30.5]])), in_china_area(np.array([[-15.4, 28.1]]))
    (True, False)
    """
    known = lonlat[np.isfinite(lonlat).all(axis=1)]
    lon, lat = np.median(known, axis=0, keepdims=True).T if len(known) else np.full((2, 1), np.nan)
    return bool(_in_box(lon, lat, CHINA_AREA)[0])


def scale_error(crs: pyproj.CRS, lon: ArrayLike, lat: ArrayLike) -> float:
    """Find the largest scale error of a projected CRS over the rectangle around the points.

    Returns
    -------
    float
        Largest difference of the scale from 1, in any direction, on a 5 by 5 grid over the rectangle;
        inf outside the projection's domain.
    """
    x, y = _finite(lon, lat)
    grid_x, grid_y = np.meshgrid(np.linspace(x.min(), x.max(), 5), np.linspace(y.min(), y.max(), 5))
    factors = pyproj.Proj(crs).get_factors(grid_x.ravel(), grid_y.ravel())
    scales = np.concatenate(
        [np.atleast_1d(factors.tissot_semimajor), np.atleast_1d(factors.tissot_semiminor)]
    )
    return float(np.where(np.isfinite(scales), np.abs(scales - 1.0), np.inf).max())


def _unmeasured(crs: pyproj.CRS) -> str:
    if not crs.is_projected:
        return say("it is not projected")
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    if units != {"metre"}:
        return say("its unit is {unit}", unit=", ".join(sorted(units)))
    operation = crs.coordinate_operation
    if operation is not None and operation.method_name == _WEB_MERCATOR:
        return say("web Mercator stretches every distance")
    return ""


def _finite(lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        raise ProjectionError(
            say("no point has a place, so no CRS can be chosen. Remedy: give points with coordinates")
        )
    return x[known], y[known]


# --- declared datums --------------------------------------------------------------------------------


def is_projected(datum: str) -> bool:
    """Tell whether a declared datum is projected metres (columns x, y) rather than degrees (lon, lat).

    Raises
    ------
    UnusableInputError
        When the datum is none that the package knows.
    """
    return _declared(datum, "(table)").projected


@functools.lru_cache(maxsize=32)
def _to_wgs84(crs: pyproj.CRS) -> pyproj.Transformer:
    """Give the way from a CRS to WGS84; making one takes longer than using it."""
    return pyproj.Transformer.from_crs(crs, _WGS84, always_xy=True)


@dataclass(frozen=True, slots=True)
class _Datum:
    """A declared datum: how its coordinates are called, and how they become WGS84 degrees."""

    text: str
    crs: pyproj.CRS
    unshift: Callable[[ArrayLike, ArrayLike], tuple[FloatArray, FloatArray]] | None = None

    @property
    def projected(self) -> bool:
        return bool(self.crs.is_projected)

    def wgs84(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bring coordinates (x before y) to WGS84 degrees; NaN where that has no answer."""
        if self.unshift is not None:
            return self.unshift(x, y)
        if self.crs == _WGS84:
            return x, y
        lon, lat = _to_wgs84(self.crs).transform(x, y)
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
        fault = Fault(file, "datum", text, say("a datum cannot be detected yet"), remedy)
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
    """Where each row of a table lies, and what keeps the others from having a place.

    ``points`` : (row,) object, shapely points in WGS84, None where the row has no place.
    ``reason`` : (row,) str, why there is none; empty where there is one.
    ``blank`` : (row,) bool, nothing was written where the place should stand.
    ``column``, ``value`` : (row,) str, the column at fault and what stands in it.
    """

    points: NDArray[np.object_]
    reason: NDArray[np.object_]
    blank: BoolArray
    column: NDArray[np.object_]
    value: NDArray[np.object_]
    used: tuple[str, ...]

    @property
    def remedy(self) -> NDArray[np.object_]:
        """How to mend each row without a place: (row,) str."""
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

    Raises
    ------
    UnusableInputError
        No coordinates, two columns that may both be one of them, swapped coordinates, metres declared as
        degrees, or a datum that is unknown.
    """
    declared = _declared(datum, file)
    if _geometry_name(frame):
        return _locate_shapes(_with_crs(frame, declared, file), declared, file)
    names = _coordinate_columns([str(name) for name in frame.columns], declared, file, columns or {})
    pair = _halves(frame[names[0]]) if len(names) == 1 else (frame[names[0]], frame[names[1]])
    return _locate_numbers(*pair, declared, file)


def to_wgs84(frame: gpd.GeoDataFrame, *, datum: str = "wgs84", file: str = "(table)") -> gpd.GeoDataFrame:
    """Bring the geometry of a layer to WGS84 (EPSG:4326), as a copy.

    The layer's own CRS decides unless ``datum`` is ``gcj02``, ``bd09`` or ``EPSG:n``; a layer without one
    is taken to be in the declared datum. Shifted datums are undone after the layer's own projection.

    Raises
    ------
    UnusableInputError
        The datum is unknown, the CRS cannot be related to WGS84, or the coordinates look swapped or like
        metres although they are declared as degrees.
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
    """Give the polygon of each row in WGS84, valid: (row,) object, None where it is drawn as something else.

    Raises
    ------
    UnusableInputError
        As for :func:`to_wgs84`.
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
    """Undo the layer's projection, then the declared shift."""
    lon, lat = chain.wgs84(x, y)
    return declared.wgs84(lon, lat) if declared.unshift is not None else (lon, lat)


def _geometry_name(frame: pd.DataFrame) -> str | None:
    """Name the active geometry column of a layer; None for a plain table."""
    return getattr(frame, "active_geometry_name", None)


def _with_crs(frame: Any, declared: _Datum, file: str) -> Any:
    """Label a layer with the CRS its coordinates are in."""
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
    x, y = (plain_numbers(series) for series in pair)
    if declared.projected:
        _refuse_swapped_metres(x, y, declared, file)
    else:
        _refuse_strange(x, y, file)
    degrees = not declared.projected
    inside = [np.isfinite(x), np.isfinite(y)]
    if degrees:
        inside = [np.abs(x) <= 180.0, np.abs(y) <= 90.0]
    lon, lat = declared.wgs84(np.where(inside[0], x, np.nan), np.where(inside[1], y, np.nan))
    lost = inside[0] & inside[1] & ~_plausible(lon, lat, degrees=True)
    reason = np.full(len(x), "", dtype=object)
    column = np.full(len(x), names[0], dtype=object)
    value = np.full(len(x), "", dtype=object)
    # Written so that the graver fault and, of equals, the first column is the one that is told.
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
    """Take a column such as ``120.947,30.518`` apart; what is no pair has no number in either half."""
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
    """Name the two columns of a table that hold its coordinates, or the one that holds both.

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
    """List the headings that may be one of the two coordinates, by each name it has, the surest first."""
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
    """Refuse degrees most of which only make sense as lat, lon or as metres.

    A pair reads as swapped when its lat is no latitude but would be a longitude, or when it lies in China's
    area only after swapping (before, it would be in the Arctic Ocean).
    """
    known = np.isfinite(x) & np.isfinite(y)
    half = known.sum() / 2.0
    swapped = known & (np.abs(x) <= 90.0) & (np.abs(y) > 90.0) & (np.abs(y) <= 180.0)
    swapped |= known & _in_box(y, x, CHINA_AREA)
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
    """Refuse metres most of which lie in the projection's area of use only after swapping.

    Chinese surveys call the northing x, so the two are often handed over the other way round.
    """
    area = declared.crs.area_of_use
    if area is None:
        return
    box = (area.west, area.south, area.east, area.north)
    known = np.isfinite(x) & np.isfinite(y)
    straight = _in_box(*declared.wgs84(x, y), box)
    turned = _in_box(*declared.wgs84(y, x), box)
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
        say("{pair} look swapped in {rows} of {known} rows", pair=pair, rows=int(swapped.sum()), known=known),
        say("exchange the two columns, so that {pair} stand in that order", pair=pair),
    )
