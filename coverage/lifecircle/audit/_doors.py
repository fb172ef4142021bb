"""Where venues are entered: at their gates where these are listed, else anywhere along their edge.

A park of 680 m has its centroid 340 m from the roads around it, and people walk to its edge. Points are taken
along the edge, corners among them, at most :data:`SPACING_M` apart unless those would be more than some
:data:`MOST` of one venue; each that joins the roads is an entrance, and a resident takes the best of them.
Where the gates are is not known then, so this is the most favourable reading of a drawn area; a list of its
gates says more, and where there is one nobody enters anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.reach import Snap

    Ints = npt.NDArray[np.int64]

SPACING_M = 10.0
MOST = 400
_SLIGHT = 0.2
"""Share of the spacing by which an edge may be straightened, so that not every bend is a corner."""


@dataclass(frozen=True, eq=False)
class Doors:
    """Entrances: ``table`` : points in the metre CRS; ``row`` : (door,) row of the register, ascending.

    ``gated`` : rows whose entrances are listed, so that their own place is none.
    """

    table: gpd.GeoDataFrame
    row: Ints
    gated: frozenset[int] = frozenset()

    def __len__(self) -> int:
        """Count the entrances."""
        return len(self.row)


def find_doors(sites: gpd.GeoDataFrame) -> Doors:
    """Take the gates of every venue, else points along its edge; none without a column ``polygon``.

    Parameters
    ----------
    sites : the register in a metre CRS; ``polygon`` in EPSG:4326, a polygon or the gates as a MultiPoint,
        None or missing where a venue is a point
    """
    points: list[Any] = []
    rows: list[int] = []
    gated: set[int] = set()
    if "polygon" in sites.columns:
        shapes = sites["polygon"].to_numpy(dtype=object)
        drawn = np.flatnonzero([isinstance(shape, shapely.Geometry) for shape in shapes])
        for row, shape in zip(drawn, _in_metres(shapes[drawn], sites.crs), strict=True):
            gates = shape.geom_type == "MultiPoint"
            gated |= {int(row)} if gates else set()
            mine = list(shape.geoms) if gates else _along(shape.boundary)
            points += mine
            rows += [int(row)] * len(mine)
    table = gpd.GeoDataFrame(geometry=points, crs=sites.crs, index=pd.RangeIndex(len(points), name="door"))
    return Doors(table, np.array(rows, dtype=np.int64), frozenset(gated))


def _in_metres(shapes: Any, crs: Any) -> gpd.GeoSeries:
    return gpd.GeoSeries(list(shapes), crs="EPSG:4326").to_crs(crs)


def _along(edge: Any) -> list[Any]:
    """Take points along the lines of an edge: its corners, and evenly between them."""
    spacing_m = max(SPACING_M, float(shapely.length(edge)) / MOST)
    drawn = shapely.segmentize(shapely.simplify(edge, spacing_m * _SLIGHT), spacing_m)
    return list(shapely.points(np.unique(shapely.get_coordinates(drawn), axis=0)))


def at_best_door(register: Snap, doors: Snap, row: Ints, gated: frozenset[int] = frozenset()) -> Snap:
    """Let every venue with entrances join the roads where its shortest access leg is, its own place included.

    The own place of a venue whose gates are listed does not count, unless no gate joins the roads.

    Parameters
    ----------
    register : (facility,) snaps of the venues' own places
    doors : (door,) snaps of the entrances
    row : (door,) venue of each
    gated : venues whose gates are listed
    """
    on = np.flatnonzero(doors.snapped)
    order = on[np.lexsort((on, doors.leg_m[on], row[on]))]
    venue, first = np.unique(row[order], return_index=True)
    best = order[first]
    better = ~register.snapped[venue] | (doors.leg_m[best] < register.leg_m[venue])
    better |= np.isin(venue, list(gated))
    venue, best = venue[better], best[better]
    if not len(venue):
        return register
    columns = {}
    for name in ("edge", "share", "leg_m", "reason", "moved"):
        column = getattr(register, name).copy()
        if len(column):  # nobody may have been moved
            column[venue] = getattr(doors, name)[best]
        columns[name] = column
    return replace(register, **columns)


def at_own_place(register: Snap, doors: Snap, row: Ints) -> Ints:
    """Return the venues with entrances none of which joins the roads, though their own place does.

    Parameters
    ----------
    register, doors, row : as for :func:`at_best_door`
    """
    alone: Ints = np.setdiff1d(row, row[doors.snapped])
    return alone[register.snapped[alone]]


def entered(venues: Snap, doors: Snap, number: Ints) -> tuple[Snap, Ints]:
    """Put venues and their entrances together: their snaps and the number of the venue of each.

    Parameters
    ----------
    venues : (venue,) numbered from 0
    doors, number : (door,) entrances and the number of the venue of each
    """
    columns = {
        name: np.concatenate([getattr(venues, name), getattr(doors, name)])
        for name in ("edge", "share", "leg_m", "reason", "moved")
    }
    index = venues.index.append(pd.Index([""] * len(doors)))
    return replace(venues, index=index, **columns), np.concatenate([np.arange(len(venues)), number])
