"""Choose and check the metre CRS of an area: CGCS2000 three-degree zones in China, UTM elsewhere."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pyproj

from lifecircle.datum._shifts import FloatArray, in_box
from lifecircle.errors import ProjectionError, say

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

CHINA_AREA = (73.62, 16.70, 134.77, 53.56)
"""west, south, east, north of the area of use of CGCS2000 (EPSG:4490)."""

SCALE_TOLERANCE = 1e-3
"""Largest share by which a metre CRS may lengthen or shorten a distance (inclusive)."""


@functools.lru_cache(maxsize=64)
def way_between(source: Any, target: Any) -> pyproj.Transformer:
    """Return the transformer from one CRS to another, x before y.

    Cached, as making one takes longer than most uses of it.

    Parameters
    ----------
    source, target : anything pyproj takes for a CRS that can be a key: ``EPSG:n``, a number, a CRS

    Returns
    -------
    way : use its ``transform(x, y)``

    >>> way_between("EPSG:4326", "EPSG:4549").transform(120.0, 30.0)[0]
    500000.0
    """
    from geopandas.array import TransformerFromCRS  # noqa: PLC0415 - tables are loaded where ways are used

    # By the cache of geopandas, which makes the same ways for its tables.
    made: pyproj.Transformer = TransformerFromCRS(
        pyproj.CRS.from_user_input(source), pyproj.CRS.from_user_input(target), always_xy=True
    )
    return made


_WEB_MERCATOR = "Popular Visualisation Pseudo Mercator"

# --- metres -----------------------------------------------------------------------------------------


def metre_crs(lon: ArrayLike, lat: ArrayLike) -> pyproj.CRS:
    """Choose the metre CRS of an area by its middle (the median lon and lat of its points).

    In China's area (:data:`CHINA_AREA`: a rectangle, so parts of its neighbours follow the same rule, whose
    zones measure as well there) it is the CGCS2000 3-degree Gauss-Kruger zone named by its central meridian:
    75 E is EPSG:4534, 120 E is EPSG:4549, 135 E is EPSG:4554. Elsewhere it is the UTM zone on WGS84.

    Parameters
    ----------
    lon, lat : (point,) degrees in WGS84; NaN is ignored

    Returns
    -------
    crs : projected, in metres

    Raises
    ------
    ProjectionError
        When no point has a place.

    >>> metre_crs([120.9, 121.0], [30.5, 30.6]).to_epsg()
    4549
    """
    x, y = _finite(lon, lat)
    middle_x, middle_y = float(np.median(x)), float(np.median(y))
    if in_box(np.array(middle_x), np.array(middle_y), CHINA_AREA):
        meridian = min(max(3 * int(np.floor((middle_x + 1.5) / 3)), 75), 135)
        return pyproj.CRS.from_epsg(4534 + (meridian - 75) // 3)
    zone = min(int(np.floor((middle_x + 180.0) / 6.0)) + 1, 60)
    return pyproj.CRS.from_epsg((32600 if middle_y >= 0 else 32700) + zone)


def check_metre_crs(crs: pyproj.CRS, lon: ArrayLike, lat: ArrayLike) -> None:
    """Raise ProjectionError for a CRS that cannot measure metres over the area of the points.

    Parameters
    ----------
    crs : the CRS to check
    lon, lat : (point,) degrees in WGS84

    Raises
    ------
    ProjectionError
        The CRS is not projected, not in metres, is web Mercator, or somewhere in the rectangle around the
        points its scale is off by more than :data:`SCALE_TOLERANCE`.

    >>> check_metre_crs(pyproj.CRS("EPSG:4549"), [120.9, 121.0], [30.5, 30.6])
    """
    _finite(lon, lat)
    reason = _unmeasured(crs)
    if not reason:
        # Of the area and not of the zone: a CRS may be good in its middle and wrong at this county.
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
    """Return whether points lie in China's area (:data:`CHINA_AREA`) by their middle.

    Parameters
    ----------
    lonlat : (point, 2) degrees, NaN for none

    Returns
    -------
    inside : bool

    >>> in_china_area(np.array([[120.9, 30.5]])), in_china_area(np.array([[-15.4, 28.1]]))
    (True, False)
    """
    known = lonlat[np.isfinite(lonlat).all(axis=1)]
    lon, lat = np.median(known, axis=0, keepdims=True).T if len(known) else np.full((2, 1), np.nan)
    return bool(in_box(lon, lat, CHINA_AREA)[0])


def scale_error(crs: pyproj.CRS, lon: ArrayLike, lat: ArrayLike) -> float:
    """Return the largest scale error of a projected CRS over the rectangle around the points.

    Parameters
    ----------
    crs : projected CRS
    lon, lat : (point,) degrees in WGS84

    Returns
    -------
    error : largest difference of the scale from 1, in any direction, on a 5 by 5 grid over the rectangle;
        inf outside the projection's domain

    >>> round(scale_error(pyproj.CRS("EPSG:4549"), [120.9, 121.0], [30.5, 30.6]), 5)
    0.00011
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
