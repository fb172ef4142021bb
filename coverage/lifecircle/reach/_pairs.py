"""Find every pair of resident and facility within a limit; not the nearest ones.

The search runs outward from each facility and finds the junctions it reaches. A resident is then paired with
the facilities that reach the two ends of their own edge, and with those that lie on the edge itself.
Only pairs within the limit are stored, but they can be very many: their memory is estimated before
the search, and an error is raised when it would not fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array

from lifecircle.compiled import call, compiled
from lifecircle.errors import GraphError, say
from lifecircle.limits import search_bound, within_limit
from lifecircle.reach._ranges import least_of, spread
from lifecircle.reach._trips import Home, Venue, graph_to_facilities, same_edge, snapped_on, usable

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt
    import pandas as pd

    from lifecircle.reach._graph import TravelGraph
    from lifecircle.reach._snap import Snap
    from lifecircle.roads import Roads

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Places = npt.NDArray[np.integer[Any]]

MEMORY_MB = 4096.0
"""Megabytes that the pairs of one question may take, unless the caller says otherwise."""

_CHUNK_FACILITIES = 512
"""Facilities whose pairs are joined at a time without compiled code."""

_SAMPLED = 32
"""Facilities, evenly spread over the table, from which the number of pairs is estimated."""


class _Bytes(NamedTuple):
    """Bytes of a facility at a junction while the pairs are joined, and of a pair until it is returned."""

    at_junction: int
    pair: int


_COMPILED_BYTES = _Bytes(36, 12)
_PLAIN_BYTES = _Bytes(40, 100)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Seconds between residents and facilities within a limit.

    Attributes
    ----------
    seconds : sparse csr (demand, facility) float64; a stored zero is a pair, what is absent is not within
        the limit
    demand, facilities : labels of rows and columns
    """

    seconds: Any
    demand: pd.Index
    facilities: pd.Index


def within(
    roads: Roads,
    demand: gpd.GeoDataFrame | Snap,
    facilities: gpd.GeoDataFrame | Snap,
    *,
    limit_min: float,
    memory_mb: float = MEMORY_MB,
) -> Pairs:
    """Find every pair of resident and facility within a limit.

    Parameters
    ----------
    roads, demand, facilities, limit_min : as for :func:`nearest`, and the same access legs count
    memory_mb : megabytes the pairs may take while they are joined; the size is estimated first,
        and the search does not begin where it would be more

    Returns
    -------
    pairs : seconds of each pair within the limit (inclusive), the least over all ways

    Raises
    ------
    GraphError
        As for :func:`nearest`, and when the pairs would take more memory than allowed.

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> from lifecircle.roads import read_roads
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> ends = GeoDataFrame(geometry=line.boundary.explode(ignore_index=True))
    >>> within(roads, ends, ends[1:], limit_min=15).seconds.toarray().tolist()
    [[720.0], [0.0]]
    """
    here, there = snapped_on(roads, demand), snapped_on(roads, facilities)
    homes = np.flatnonzero(usable(roads, here, limit_min=limit_min))
    venues = np.flatnonzero(usable(roads, there, limit_min=limit_min))
    home, venue = Home.of(roads, here, homes), Venue.of(roads, there, venues)
    graph = graph_to_facilities(roads)
    limit_s = 60.0 * limit_min
    ring = graph.engine_within(len(venues), limit_s) == "ring"
    size = _COMPILED_BYTES if ring else _PLAIN_BYTES
    # Refused before the search, because a process that runs out of memory is killed without a message.
    _check_memory(graph, home, venue, limit_s=limit_s, size=size, memory_mb=memory_mb)
    join = _joined if ring else _joined_plainly
    row_ptr, place, seconds = join(roads, home, venue, limit_s=limit_s)
    counts = np.zeros(len(here), dtype=np.int64)
    counts[homes] = np.diff(row_ptr)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    # scipy copies a matrix whose two index arrays differ in type: both get the narrower one that fits.
    narrow = np.int32 if len(place) < 2**31 and len(there) < 2**31 else np.int64
    columns = venues.astype(narrow)[place]
    shape = (len(here), len(there))
    table = csr_array((seconds, columns, indptr.astype(narrow)), shape=shape)
    return Pairs(table, here.index, there.index)


def _check_memory(  # noqa: PLR0913 - the whole question, and what it may cost
    graph: TravelGraph, home: Home, venue: Venue, *, limit_s: float, size: _Bytes, memory_mb: float
) -> None:
    """Raise GraphError when the pairs would take more than ``memory_mb``."""
    if np.isnan(memory_mb):
        raise GraphError(say("memory_mb is {value}: give a number of megabytes", value=repr(memory_mb)))
    homes, venues = len(home), len(venue)
    # Even if every facility reached everything it would fit: no estimate is needed.
    if venues * (graph.size * size.at_junction + homes * size.pair) <= memory_mb * 1e6:
        return
    met, pairs = _estimate(graph, home, venue, limit_s=limit_s)
    needed_mb = (met * size.at_junction + pairs * size.pair) / 1e6
    if needed_mb > memory_mb:
        raise GraphError(
            say(
                "{homes} {homes:resident has|residents have} about {pairs} {pairs:pair|pairs} "
                "with {venues} {venues:facility|facilities} within {minutes} {minutes:minute|minutes}, "
                "which take about {needed} MB to find, more than the {allowed} MB allowed: ask for fewer "
                "facilities at a time or a shorter limit, or allow more with memory_mb",
                homes=homes,
                pairs=f"{pairs:.2g}",
                venues=venues,
                minutes=f"{limit_s / 60:g}",
                needed=f"{needed_mb:,.2f}",
                allowed=f"{memory_mb:,g}",
            )
        )


def _estimate(graph: TravelGraph, home: Home, venue: Venue, *, limit_s: float) -> tuple[float, float]:
    """Estimate how often a facility reaches a junction, and a resident: from a sample of facilities.

    Pairs that meet along one edge alone are left out; hardly any do.
    """
    sampled = np.unique(np.linspace(0, len(venue) - 1, _SAMPLED).astype(np.int64))
    rank = np.full(len(venue), -1, dtype=np.int64)
    rank[sampled] = np.arange(len(sampled))
    seeds = venue.seeds.where(rank[venue.seeds.group] >= 0)
    row_ptr, nodes, seconds = graph.within(
        seeds.node, limit_s, start_s=seeds.start_s, group=rank[seeds.group]
    )
    pairs = 0
    for first, last in pairwise(row_ptr):
        at = np.full(graph.size, np.inf)
        at[nodes[first:last]] = seconds[first:last]
        soonest = np.minimum(home.to_u_s + at[home.u], home.to_v_s + at[home.v])
        pairs += int(np.count_nonzero(within_limit(soonest, limit_s)))
    scale = len(venue) / len(sampled)
    return len(nodes) * scale, pairs * scale


def _joined(roads: Roads, home: Home, venue: Venue, *, limit_s: float) -> tuple[Ints, Places, Floats]:
    """Find the pairs within a limit by compiled loops.

    Returns
    -------
    row_ptr : (home + 1,) int64
    place : (pair,) int32, position in ``venue``, ascending within a row
    seconds : (pair,) float64, the least
    """
    kernels = compiled("lifecircle.reach._pair_kernels")
    graph, bound = graph_to_facilities(roads), search_bound(limit_s)
    found = graph.ring_rows(venue.seeds, len(venue), bound)
    at_junction = kernels.Meetings(
        ptr=np.zeros(graph.size + 1, dtype=np.int64),
        venue=np.empty(len(found[1]), dtype=np.int32),
        seconds=np.empty(len(found[1])),
    )
    call(kernels.turn_round, *found, at_junction)
    # The largest array of the search; it is not needed below, where memory is at its highest.
    del found
    row, place, direct_s = same_edge(roads, home, venue)
    along = kernels.Meetings(
        ptr=np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(home)))]).astype(np.int64),
        venue=place.astype(np.int32),
        seconds=direct_s,
    )
    homes = kernels.Homes(
        u=home.u.astype(np.int64), v=home.v.astype(np.int64), to_u_s=home.to_u_s, to_v_s=home.to_v_s
    )
    row_ptr = np.zeros(len(home) + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int32), np.empty(0)
    # The first call counts the pairs of each resident, the second writes them: their number is not known
    # before.
    call(kernels.join, homes, at_junction, along, bound, row_ptr, *nothing)
    place, seconds = np.empty(row_ptr[-1], dtype=np.int32), np.empty(row_ptr[-1])
    call(kernels.join, homes, at_junction, along, bound, row_ptr, place, seconds)
    return row_ptr, place, seconds


def _joined_plainly(roads: Roads, home: Home, venue: Venue, *, limit_s: float) -> tuple[Ints, Places, Floats]:
    """Find the pairs within a limit without compiled loops; returns what :func:`_joined` does."""
    rows, places, values = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for first in range(0, len(venue), _CHUNK_FACILITIES):
        row, place, seconds = _chunk_of_pairs(
            roads, home, venue.between(first, first + _CHUNK_FACILITIES), limit_s=limit_s
        )
        rows.append(row)
        places.append(place + first)
        values.append(seconds)
    # each pair comes once, so nothing is summed; csr keeps stored zeros
    table = coo_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(places))),
        shape=(len(home), len(venue)),
    ).tocsr()
    table.sort_indices()
    return table.indptr.astype(np.int64), table.indices, table.data


def _chunk_of_pairs(roads: Roads, home: Home, venue: Venue, *, limit_s: float) -> tuple[Ints, Ints, Floats]:
    """Find the pairs within a limit: home, venue and least seconds, each pair once."""
    indptr, nodes, seconds = graph_to_facilities(roads).within(
        venue.seeds.node, limit_s, start_s=venue.seeds.start_s, group=venue.seeds.group
    )
    shape = (len(indptr) - 1, len(roads.xy))
    at_node = csr_array((seconds, nodes, indptr), shape=shape).T.tocsr()  # junction -> venues
    parts = [same_edge(roads, home, venue)]
    for end, cost in ((home.u, home.to_u_s), (home.v, home.to_v_s)):
        start = at_node.indptr[end]
        row, entry = spread(start, at_node.indptr[end.astype(np.int64) + 1] - start)
        time = np.asarray(cost[row] + at_node.data[entry], dtype=np.float64)
        parts.append((row, at_node.indices[entry].astype(np.int64), time))
    row, place, seconds = (np.concatenate(column) for column in zip(*parts, strict=True))
    # The search bounded the way to the junction; only now is the resident's own leg in the sum.
    inside = within_limit(seconds, limit_s)
    return least_of(row[inside], place[inside], seconds[inside], width=len(venue))
