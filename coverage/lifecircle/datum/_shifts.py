"""Shift coordinates between WGS84, GCJ-02 (Amap, Tencent) and BD-09 (Baidu).

The two shifts are published only through their reverse-engineered formulas, which every open implementation
shares: a polynomial and sine offset in metres on the Krasovsky 1940 ellipsoid (GCJ-02), and a small rotation
and stretch about the origin of degrees (BD-09). They have no closed inverse; it is found by iteration.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_Shift = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

SHIFTED_AREA = (72.004, 0.8293, 137.8347, 55.8271)
"""west, south, east, north of the rectangle in which GCJ-02 and BD-09 differ from WGS84 (border included)."""

_KRASOVSKY_M = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_BAIDU_TURN = np.pi * 3000.0 / 180.0
_SETTLED_DEG = 1e-9
"""What a round may miss that is the last: it gains more than a digit, so that 0.00001 m are left."""
_MOST_ROUNDS = 40

_SHIFTED_TILES = {
    "GCJ-02": ("amap", "gaode", "autonavi", "高德", "tencent", "qq", "腾讯", "google", "谷歌", "petal"),
    "BD-09": ("baidu", "bmap", "百度"),
}


def shifted_tiles(name: str) -> str:
    """Return the shifted datum in which a provider of map tiles draws China; empty for an unknown one.

    Anything in WGS84 or CGCS2000 is drawn 300 to 800 m off its true place on such tiles.

    Parameters
    ----------
    name : name of the provider, as in a tile address

    Returns
    -------
    datum : ``GCJ-02``, ``BD-09`` or empty

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

    Parameters
    ----------
    lon, lat : (point,) or scalar
        Degrees in GCJ-02. The rectangle is tested on these, so within a shift (under 0.02 degrees) of its
        border a round trip need not close.

    Returns
    -------
    lon, lat : (point,) float64, or 0-d for scalars

    >>> lon, lat = wgs84_from_gcj02(121.531542, 31.175304)
    >>> print(f"{lon:.5f} {lat:.5f}")
    121.52721 31.17743
    """
    return _inside_only(lon, lat, lambda x, y: _undone(_to_gcj02, x, y))


def bd09_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Shift WGS84 degrees to BD-09.

    Parameters
    ----------
    lon, lat : (point,) or scalar
        Degrees. Outside :data:`SHIFTED_AREA` and where not a number they are returned unchanged.

    Returns
    -------
    lon, lat : (point,) float64, or 0-d for scalars

    >>> lon, lat = bd09_from_wgs84(121.5272106, 31.1774276)
    >>> print(f"{lon:.4f} {lat:.4f}")
    121.5380 31.1813
    """
    return _inside_only(lon, lat, _to_bd09)


def wgs84_from_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Shift BD-09 degrees back to WGS84, to a billionth of a degree.

    Parameters
    ----------
    lon, lat : (point,) or scalar
        Degrees in BD-09, as for :func:`wgs84_from_gcj02`.

    Returns
    -------
    lon, lat : (point,) float64, or 0-d for scalars

    >>> lon, lat = wgs84_from_bd09(*bd09_from_wgs84(121.5272106, 31.1774276))
    >>> print(f"{lon:.6f} {lat:.6f}")
    121.527211 31.177428
    """
    return _inside_only(lon, lat, _from_bd09)


def _inside_only(lon: ArrayLike, lat: ArrayLike, shift: _Shift) -> tuple[FloatArray, FloatArray]:
    """Apply a shift to the points inside the rectangle, on copies."""
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    x, y = x.copy(), y.copy()
    inside = in_box(x, y, SHIFTED_AREA)
    x[inside], y[inside] = shift(x[inside], y[inside])
    return x, y


def in_box(x: FloatArray, y: FloatArray, box: tuple[float, float, float, float]) -> BoolArray:
    """Return which points lie in a box of degrees, its border included."""
    west, south, east, north = box
    inside: BoolArray = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    return inside


def _to_gcj02(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add the GCJ-02 offset, whose polynomials count from 105 E, 35 N and give metres."""
    x, y = lon - 105.0, lat - 35.0
    # Sines are most of the time: that of a threefold angle follows from that of the angle.
    twice, third_x, third_y = _sines(x, 2.0), _sines(x, 1.0 / 3.0), _sines(y, 1.0 / 3.0)
    shared = 20.0 * _threefold(twice) + 20.0 * twice
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north_m += (2.0 / 3.0) * (shared + 20.0 * _threefold(third_y) + 40.0 * third_y)
    north_m += (2.0 / 3.0) * (160.0 * _sines(y, 1.0 / 12.0) + 320.0 * _sines(y, 1.0 / 30.0))
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east_m += (2.0 / 3.0) * (shared + 20.0 * _threefold(third_x) + 40.0 * third_x)
    east_m += (2.0 / 3.0) * (150.0 * _sines(x, 1.0 / 12.0) + 300.0 * _sines(x, 1.0 / 30.0))
    angle = np.radians(lat)
    squeeze = 1.0 - _KRASOVSKY_E2 * np.sin(angle) ** 2
    root = np.sqrt(squeeze)
    meridian_m = _KRASOVSKY_M * (1.0 - _KRASOVSKY_E2) / (squeeze * root)
    parallel_m = _KRASOVSKY_M / root * np.cos(angle)
    return lon + np.degrees(east_m / parallel_m), lat + np.degrees(north_m / meridian_m)


def _sines(degrees: FloatArray, half_turns: float) -> FloatArray:
    wave: FloatArray = np.sin(degrees * (half_turns * np.pi))
    return wave


def _threefold(sine: FloatArray) -> FloatArray:
    """Return the sine of three times an angle from the sine of the angle."""
    return sine * (3.0 - 4.0 * sine * sine)


def _to_bd09(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rotate and stretch the GCJ-02 degrees about their origin, then move them by a constant."""
    return _turned(*_to_gcj02(lon, lat))


def _turned(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02 degrees in BD-09."""
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BAIDU_TURN)
    turn = np.arctan2(y, x) + 0.000003 * np.cos(x * _BAIDU_TURN)
    return radius * np.cos(turn) + 0.0065, radius * np.sin(turn) + 0.006


def _from_bd09(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Undo the turn, which is cheap to repeat, and then the offset."""
    return _undone(_to_gcj02, *_undone(_turned, lon, lat))


def _undone(shift: _Shift, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Invert a shift by subtracting repeatedly what its image still misses.

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
