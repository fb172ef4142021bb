"""Keep the nearest facility of every resident while facilities are added and removed; not choose sites.

The answer of :func:`~lifecircle.reach.nearest_seconds` for all facilities is updated for one more or
one less. The junctions whose answer changed are known (see ``_repair``), and only residents on an edge at
one of them, or on the facility's own edge, are computed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifecircle.errors import GraphError
from lifecircle.reach._ranges import spread
from lifecircle.reach._search import first_at
from lifecircle.reach._snap import check_snap
from lifecircle.reach._trips import Home, Venue, graph_to_facilities, same_edge, usable

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.reach._repair import NearestSolve
    from lifecircle.reach._snap import Snap
    from lifecircle.roads import Roads

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Register:
    """Residents sorted by location: ``end`` by the junctions of ``ptr``, ``row`` by ``edge``."""

    end: Ints
    ptr: Ints
    row: Ints
    edge: Ints

    @classmethod
    def of(cls, home: Home, junctions: int) -> _Register:
        """Register residents at both ends of their edge, and on it."""
        ends = np.concatenate([home.u, home.v])
        row = np.argsort(home.edge, kind="stable")
        return cls(
            np.argsort(ends, kind="stable") % max(len(home), 1),
            np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=junctions))]),
            row,
            home.edge[row],
        )

    def found(self, junctions: Ints, edge: int) -> Ints:
        """Find the residents on edges at any of these junctions, and on this edge, ascending."""
        start = self.ptr[junctions]
        _, member = spread(start, self.ptr[junctions + 1] - start)
        on = self.row[np.searchsorted(self.edge, edge) : np.searchsorted(self.edge, edge, side="right")]
        return np.unique(np.concatenate([self.end[member], on]))


@dataclass(eq=False)
class SolvedNearest:
    """The nearest facility of every resident, kept so that facilities can be added and removed.

    Made by :func:`solve_nearest`. ``seconds`` and ``position`` are always those that
    :func:`~lifecircle.reach.nearest_seconds` returns for the present facilities, to the last bit. They are
    changed in place: copy what you want to keep.

    Attributes
    ----------
    seconds : (demand,) float64, inf where there is none
    position : (demand,) int64, row of the facility in the table; those added have the numbers behind it, in
        the order they came; -1 where there is none
    """

    seconds: Floats
    position: Ints
    _roads: Roads
    _limit_min: float
    _solve: NearestSolve
    _rows: Ints
    _home: Home
    _register: _Register
    _venue: Venue
    _number: Ints
    _free: int

    def add(self, facility: Snap) -> Ints:
        """Add a facility; its number is one above the highest number used before.

        Parameters
        ----------
        facility : its snap, of one row. One that is not on the roads, or whose leg is over a quarter of the
            limit, takes a number and reaches nobody.

        Returns
        -------
        residents : (changed,) int64, ascending, whose seconds or facility are not what they were

        Raises
        ------
        GraphError
            When the snap has not one row, or belongs to other roads.
        """
        check_snap(self._roads, facility)
        if len(facility) != 1:
            raise GraphError(f"the snap has {len(facility)} rows: add one facility at a time")
        number = self._free
        # Counted up also where the facility is not usable: a number is never given twice, so a caller's list
        # of sites and the numbers here stay in step.
        self._free += 1
        if not usable(self._roads, facility, limit_min=self._limit_min)[0]:
            return np.zeros(0, dtype=np.int64)
        new = Venue.of(self._roads, facility, np.zeros(1, dtype=np.int64))
        self._venue = self._venue.joined(new)
        self._number = np.append(self._number, number)
        change = self._solve.add_source(new.seeds.node, new.seeds.start_s, group=number)
        return self._answered(change.junctions, int(new.edge[0]))

    def remove(self, position: int) -> Ints:
        """Remove a facility; the others keep their numbers.

        Parameters
        ----------
        position : its number

        Returns
        -------
        residents : (changed,) int64, ascending, whose seconds or facility are not what they were

        Raises
        ------
        GraphError
            When no facility in use has this number.
        """
        gone = self._number == position
        if not gone.any():
            raise GraphError(
                f"position is {position!r}: no facility with this number is in use, they are numbered from 0 "
                f"to {self._free - 1} and used where they are on the roads and not removed"
            )
        edge = int(self._venue.edge[gone][0])
        self._venue, self._number = self._venue.where(~gone), self._number[~gone]
        nobody = np.zeros(0, dtype=np.int64)
        # A facility on an edge closed in both directions has no seeds, but serves those on the edge itself.
        starts = position in self._solve.groups
        junctions = self._solve.remove_source(position).junctions if starts else nobody
        return self._answered(junctions, edge)

    def _answered(self, junctions: Ints, edge: int) -> Ints:
        """Compute the residents at these junctions and on this edge again; return the rows that changed."""
        at = self._register.found(junctions, edge)
        some = self._home.take(at)
        row, place, direct_s = same_edge(self._roads, some, self._venue)
        seconds, number = first_at(
            some, self._solve.seconds, self._solve.source, along=(row, self._number[place], direct_s)
        )
        rows: Ints = self._rows[at]
        differs = (seconds != self.seconds[rows]) | (number != self.position[rows])
        rows = rows[differs]
        self.seconds[rows], self.position[rows] = seconds[differs], number[differs]
        return rows


def solve_nearest(roads: Roads, demand: Snap, facilities: Snap, *, limit_min: float) -> SolvedNearest:
    """Find the nearest facility of every resident, and keep the answer for later changes.

    Parameters
    ----------
    roads, demand, facilities, limit_min : as for :func:`~lifecircle.reach.nearest_seconds`; the limit only
        bounds access legs

    Returns
    -------
    solved : ``seconds`` and ``position``, and methods to add and remove a facility. With compiled loops
        either takes about what it changes; without them the search is done again.

    Raises
    ------
    GraphError
        As for :func:`~lifecircle.reach.nearest`.

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> import lifecircle as lc
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = lc.read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> ends = lc.snap(roads, GeoDataFrame(geometry=line.boundary.explode(ignore_index=True)))
    >>> solved = solve_nearest(roads, ends, ends.take([1]), limit_min=15)
    >>> solved.add(ends.take([0])).tolist(), solved.seconds.tolist()
    ([0], [0.0, 0.0])
    """
    rows = np.flatnonzero(usable(roads, demand, limit_min=limit_min))
    number = np.flatnonzero(usable(roads, facilities, limit_min=limit_min))
    home, venue = Home.of(roads, demand, rows), Venue.of(roads, facilities, number)
    seeds, graph = venue.seeds, graph_to_facilities(roads)
    solve = graph.solve(seeds.node, start_s=seeds.start_s, group=number[seeds.group])
    row, place, direct_s = same_edge(roads, home, venue)
    seconds, position = np.full(len(demand), np.inf), np.full(len(demand), -1, dtype=np.int64)
    seconds[rows], position[rows] = first_at(
        home, solve.seconds, solve.source, along=(row, number[place], direct_s)
    )
    register = _Register.of(home, graph.size)
    return SolvedNearest(
        seconds, position, roads, limit_min, solve, rows, home, register, venue, number, len(facilities)
    )
