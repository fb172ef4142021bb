"""Prepare trips: which rows take part, the seconds from a point to the ends of its edge, and the graph.

This module does not search, and does not decide who counts as covered.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.errors import GraphError, say
from lifecircle.limits import within_limit
from lifecircle.reach._graph import TravelGraph
from lifecircle.reach._ranges import spread
from lifecircle.reach._seeds import Seeds
from lifecircle.reach._snap import Snap, check_snap, snap

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.roads import Roads

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

LEG_SHARE = 0.25
"""Share of a limit that one access leg may take, inclusive."""

_ONE_PLACE_M = 1e-6
"""Metres along an edge within which two points are one."""

_graphs: weakref.WeakKeyDictionary[Roads, TravelGraph] = weakref.WeakKeyDictionary()


def usable(roads: Roads, snapped: Snap, *, limit_min: float) -> Flags:
    """Return which rows take part in a query: on the roads, with a leg of at most a quarter of the limit.

    Parameters
    ----------
    roads : the network the rows are snapped to
    snapped : residents or facilities
    limit_min : minutes >= 0; the leg is timed at the profile's access speed, inclusive

    Returns
    -------
    usable : (row,) bool

    Raises
    ------
    GraphError
        When the limit is negative or not finite, or the snap belongs to other roads.

    >>> from geopandas import GeoDataFrame, GeoSeries, points_from_xy
    >>> import lifecircle as lc
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = lc.read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> homes = GeoDataFrame(geometry=points_from_xy([500250] * 2, [3380040, 3380299], crs="EPSG:4549"))
    >>> usable(roads, lc.snap(roads, homes), limit_min=10).tolist()
    [True, False]
    """
    check_snap(roads, snapped)
    if not (np.isfinite(limit_min) and limit_min >= 0):
        raise GraphError(
            say("limit_min is {value}: give a finite number of minutes >= 0", value=repr(limit_min))
        )
    return snapped.snapped & within_limit(
        snapped.leg_m / roads.profile.access_ms, LEG_SHARE * 60.0 * limit_min
    )


def graph_to_facilities(roads: Roads) -> TravelGraph:
    """Return the graph of reversed edges, outward from facilities; made once for each roads object.

    Parameters
    ----------
    roads : the network

    Returns
    -------
    graph : the junctions of ``roads`` in their order; an edge closed in one direction is left out in that one

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> from lifecircle.roads import read_roads
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> graph_to_facilities(roads).seconds.tolist()
    [720.0, 720.0]
    """
    graph = _graphs.get(roads)
    if graph is None:
        graph = _graphs[roads] = TravelGraph(*roads.reversed_csr)
    return graph


def snapped_on(roads: Roads, table: gpd.GeoDataFrame | Snap) -> Snap:
    """Snap a table that is not a snap already."""
    return table if isinstance(table, Snap) else snap(roads, table)


@dataclass(frozen=True, eq=False)
class Home:
    """Residents who take part: edge, share, seconds of the leg and to either end of the edge; (home,)."""

    edge: Ints
    share: Floats
    leg_s: Floats
    u: npt.NDArray[np.integer]
    v: npt.NDArray[np.integer]
    to_u_s: Floats
    to_v_s: Floats

    def __len__(self) -> int:
        """Count the residents."""
        return len(self.edge)

    def take(self, at: Ints) -> Home:
        """Return the residents at these positions."""
        return Home(*(getattr(self, column.name)[at] for column in fields(self)))

    @classmethod
    def of(cls, roads: Roads, snapped: Snap, rows: Ints) -> Home:
        """Return these rows of a snap as residents."""
        edge, share = snapped.edge[rows], snapped.share[rows]
        leg_s = snapped.leg_m[rows] / roads.profile.access_ms
        return cls(
            edge,
            share,
            leg_s,
            roads.u[edge],
            roads.v[edge],
            leg_s + _part(share, roads.backward_s[edge]),
            leg_s + _part(1.0 - share, roads.forward_s[edge]),
        )


@dataclass(frozen=True, eq=False)
class Venue:
    """Facilities that take part, (venue,), and where the search starts from them."""

    edge: Ints
    share: Floats
    leg_s: Floats
    seeds: Seeds

    def __len__(self) -> int:
        """Count the facilities."""
        return len(self.edge)

    @classmethod
    def of(cls, roads: Roads, snapped: Snap, rows: Ints) -> Venue:
        """Return these rows of a snap as facilities."""
        edge, share = snapped.edge[rows], snapped.share[rows]
        leg_s = snapped.leg_m[rows] / roads.profile.access_ms
        along = leg_s + _part(share, roads.forward_s[edge])
        against = leg_s + _part(1.0 - share, roads.backward_s[edge])
        node = np.stack([roads.u[edge], roads.v[edge]], axis=1).ravel().astype(np.int64)
        start = np.stack([along, against], axis=1).ravel()
        group = np.repeat(np.arange(len(rows)), 2)
        return cls(edge, share, leg_s, Seeds(node, start, group).where(np.isfinite(start)))

    def where(self, mask: Flags) -> Venue:
        """Return the facilities where ``mask`` (venue,) is true, numbered again from 0."""
        rank = np.cumsum(mask) - 1
        seeds = self.seeds.where(mask[self.seeds.group])
        return Venue(
            self.edge[mask],
            self.share[mask],
            self.leg_s[mask],
            Seeds(seeds.node, seeds.start_s, rank[seeds.group]),
        )

    def joined(self, other: Venue) -> Venue:
        """Return these facilities followed by the others."""
        later = Seeds(other.seeds.node, other.seeds.start_s, other.seeds.group + len(self))
        return Venue(
            np.concatenate([self.edge, other.edge]),
            np.concatenate([self.share, other.share]),
            np.concatenate([self.leg_s, other.leg_s]),
            self.seeds.joined(later),
        )

    def between(self, first: int, last: int) -> Venue:
        """Return the facilities from ``first`` to ``last`` (excluded), numbered from 0."""
        mine = (self.seeds.group >= first) & (self.seeds.group < last)
        seeds = self.seeds.where(mine)
        part = slice(first, last)
        return Venue(
            self.edge[part],
            self.share[part],
            self.leg_s[part],
            Seeds(seeds.node, seeds.start_s, seeds.group - first),
        )


def _part(share: Floats, seconds: Floats) -> Floats:
    """Return the seconds of a share of an edge; a share of 0 takes 0, even where the direction is closed."""
    return np.multiply(share, seconds, out=np.zeros(len(share)), where=share != 0.0)


def same_edge(roads: Roads, home: Home, venue: Venue) -> tuple[Ints, Ints, Floats]:
    """Return the homes and venues on one edge, and the seconds along it where that direction is open.

    Points within a thousandth of a millimetre are one point: a resident opposite a venue on a one-way street
    does not go around the block because of float noise.
    """
    # Stable, so that venues on one edge stay in the order of the table, which decides ties.
    order = np.argsort(venue.edge, kind="stable")
    lowest = np.searchsorted(venue.edge[order], home.edge, side="left")
    highest = np.searchsorted(venue.edge[order], home.edge, side="right")
    row, member = spread(lowest, highest - lowest)
    place = order[member]
    gap, edge = venue.share[place] - home.share[row], home.edge[row]
    gap = np.where(np.abs(gap) * roads.length_m[edge] <= _ONE_PLACE_M, 0.0, gap)
    along = np.where(gap >= 0, roads.forward_s[edge], roads.backward_s[edge])
    seconds = home.leg_s[row] + _part(np.abs(gap), along) + venue.leg_s[place]
    reached = np.isfinite(seconds)
    return row[reached], place[reached], seconds[reached]
