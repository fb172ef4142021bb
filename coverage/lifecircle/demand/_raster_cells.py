"""Know where the cells of a raster lie on the globe, how large they are and which district has them.

Corners are projected once per block and shared by neighbours, so that cells leave no gap between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.datum import way_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import numpy.typing as npt
    import pyproj

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

_SLIVER = 1e-9
"""Share of a cell (inclusive) that is projection noise and not a part of it."""

_EDGE_POINTS = 21


def applied(transform: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Return where an affine transform moves places, without the sign for it that the library changes."""
    return (
        transform.a * x + transform.b * y + transform.c,
        transform.d * x + transform.e * y + transform.f,
    )


def window_of(source: Any, crs: pyproj.CRS, bounds: Floats | None) -> tuple[int, int, int, int]:
    """Return the rows and columns of a raster around bounds in degrees: (first row, end, first column, end).

    Parameters
    ----------
    source : an open raster
    crs : of the raster
    bounds : west, south, east, north; None for the whole raster

    Returns
    -------
    window : empty (end <= first) where the bounds lie elsewhere
    """
    if bounds is None:
        return 0, int(source.height), 0, int(source.width)
    west, south, east, north = bounds
    x, y = np.linspace(west, east, _EDGE_POINTS), np.linspace(south, north, _EDGE_POINTS)
    lon = np.concatenate([x, x, np.full_like(y, west), np.full_like(y, east)])
    lat = np.concatenate([np.full_like(x, south), np.full_like(x, north), y, y])
    east_m, north_m = way_between("EPSG:4326", crs).transform(lon, lat)
    known = np.isfinite(east_m) & np.isfinite(north_m)
    if not known.any():
        return 0, 0, 0, 0
    column, row = applied(~source.transform, np.asarray(east_m)[known], np.asarray(north_m)[known])
    # A cell more on every side: the edge of the bounds is bent between the points it was projected at.
    top, left = max(int(np.floor(row.min())) - 1, 0), max(int(np.floor(column.min())) - 1, 0)
    bottom = min(int(np.ceil(row.max())) + 1, int(source.height))
    right = min(int(np.ceil(column.max())) + 1, int(source.width))
    return top, bottom, left, right


@dataclass(frozen=True, eq=False)
class Corners:
    """Corners of the cells of a block in WGS84: (row + 1, column + 1) each."""

    lon: Floats
    lat: Floats

    def quads(self, rows: Ints, columns: Ints) -> Any:
        """Return the cells at these rows and columns of the block as polygons: (cell,)."""
        ring = [(0, 0), (0, 1), (1, 1), (1, 0)]
        points = np.stack(
            [
                np.column_stack([axis[rows + down, columns + right] for axis in (self.lon, self.lat)])
                for down, right in ring
            ],
            axis=1,
        )
        return shapely.polygons(points)


def corners_of(
    source: Any, to_degrees: pyproj.Transformer, block: tuple[int, int, int, int], cells: tuple[Ints, Ints]
) -> Corners:
    """Return the corners of cells of a block in degrees, NaN for those that no cell needs.

    Parameters
    ----------
    source : an open raster
    to_degrees : from the raster's CRS to WGS84
    block : first row, end, first column, end
    cells : rows and columns of the cells, in the block
    """
    top, bottom, left, right = block
    needed = np.zeros((bottom - top + 1, right - left + 1), dtype=bool)
    for down in (0, 1):
        for beside in (0, 1):
            needed[cells[0] + down, cells[1] + beside] = True
    row, column = np.nonzero(needed)
    lon, lat = np.full(needed.shape, np.nan), np.full(needed.shape, np.nan)
    x, y = applied(source.transform, column + float(left), row + float(top))
    lon[needed], lat[needed] = to_degrees.transform(x, y)
    lat[np.abs(lat) > 90.0] = np.nan  # of a raster in degrees the numbers are taken as they are
    return Corners(lon, lat)


def ground_km2(corners: Corners) -> Floats:
    """Return the ground each cell of a block covers, in square kilometres: (row, column).

    Measured in an equal-area projection around the block, so that it holds in any CRS of the raster.

    >>> edge = np.array([[120.0, 120.01], [120.0, 120.01]]), np.array([[30.01, 30.01], [30.0, 30.0]])
    >>> ground_km2(Corners(*edge)).round(3).tolist()
    [[1.07]]
    """
    finite = np.isfinite(corners.lat) & np.isfinite(corners.lon)
    if not finite.any():
        return np.full((corners.lat.shape[0] - 1, corners.lat.shape[1] - 1), np.nan)
    middle = corners.lat[finite].mean(), corners.lon[finite].mean()
    equal = f"+proj=laea +lat_0={middle[0]:.6f} +lon_0={middle[1]:.6f} +ellps=WGS84 +units=km"
    x, y = np.full(finite.shape, np.nan), np.full(finite.shape, np.nan)
    there = way_between("EPSG:4326", equal)
    x[finite], y[finite] = there.transform(corners.lon[finite], corners.lat[finite])
    across = (x[1:, 1:] - x[:-1, :-1]) * (y[:-1, 1:] - y[1:, :-1])
    along = (y[1:, 1:] - y[:-1, :-1]) * (x[:-1, 1:] - x[1:, :-1])
    area: Floats = np.abs(across - along) / 2.0
    return area


@dataclass(frozen=True, eq=False)
class Pieces:
    """Cells, or their parts in districts.

    ``cell`` : (piece,) position of the cell; ``unit`` : position of the district, -1 for none; ``share`` : of
    the cell's area; ``cut`` : whether it is a part; ``point`` : (piece, 2) a point inside it in degrees;
    ``place`` : (piece, 2) row and column from 1; ``extent_m`` : side of a square as large as the cell.
    """

    cell: Ints
    unit: Ints
    share: Floats
    cut: npt.NDArray[np.bool_]
    point: Floats
    place: Ints
    extent_m: Floats

    def at(self, cells: Ints, extent_m: Floats) -> Pieces:
        """Return the pieces with the row, column and size of their cells."""
        return replace(self, place=cells[self.cell], extent_m=extent_m[self.cell])

    @classmethod
    def joined(cls, parts: Sequence[Pieces]) -> Pieces:
        """Return the pieces of several blocks as one."""
        names = cls.__dataclass_fields__
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def whole_cells(quads: Any) -> Pieces:
    """Return cells as they are, where there are no districts."""
    here = np.arange(len(quads))
    nothing = np.zeros((len(quads), 2), dtype=np.intp)
    return Pieces(
        here,
        np.full(len(quads), -1),
        np.ones(len(quads)),
        np.zeros(len(quads), dtype=bool),
        _coordinates(shapely.centroid(quads)),
        nothing,
        np.zeros(len(quads)),
    )


def pieces_of(quads: Any, districts: gpd.GeoDataFrame) -> Pieces:
    """Divide cells among districts by area; a part in none is left out.

    Parameters
    ----------
    quads : (cell,) polygons in WGS84
    districts : polygons that do not overlap

    Returns
    -------
    pieces : in the order of the cells

    >>> import geopandas as gpd
    >>> towns = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1.5, 1), shapely.box(1.5, 0, 1.75, 1)])
    >>> pieces_of(shapely.box([0, 1], [0, 0], [1, 2], [1, 1]), towns).share.tolist()
    [1.0, 0.5, 0.25]
    """
    shapes = districts.geometry.to_numpy()
    # The tree holds the cells, as there are many, and each district is prepared once for all of them.
    tree = shapely.STRtree(quads)
    unit, cell = tree.query(shapes, predicate="intersects")
    inside = tree.query(shapes, predicate="covers")
    whole = np.isin(unit * len(quads) + cell, inside[0] * len(quads) + inside[1])
    share, points = np.ones(len(cell)), np.full(len(cell), None, dtype=object)
    points[whole] = shapely.centroid(quads[cell[whole]])
    parts = shapely.intersection(quads[cell[~whole]], shapes[unit[~whole]])
    share[~whole] = shapely.area(parts) / shapely.area(quads[cell[~whole]])
    points[~whole] = inner_points(parts)
    order = np.lexsort((unit, cell))
    order = order[share[order] > _SLIVER]
    return Pieces(
        cell[order],
        unit[order],
        share[order],
        ~whole[order],
        _coordinates(points[order]),
        np.zeros((len(order), 2), dtype=np.intp),
        np.zeros(len(order)),
    )


def inner_points(shapes: Any) -> Any:
    """Return the centroid of each shape, or a point on it where the centroid lies beside it: (shape,)."""
    centres = shapely.centroid(shapes)
    beside = ~shapely.covers(shapes, centres)
    centres[beside] = shapely.point_on_surface(shapes[beside])
    return centres


def _coordinates(points: Any) -> Floats:
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])
