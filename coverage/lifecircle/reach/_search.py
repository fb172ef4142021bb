"""Compute travel time between residents and facilities, both access legs included.

Who counts as covered in a rate is decided elsewhere (:mod:`lifecircle.measures`). The search runs outward
from the facilities over reversed edges. Each facility starts it twice: at the
first junction of its edge, for those who arrive along the edge, and at the last, for those who arrive
against it. Residents join at the two ends of their own edge; pairs on one edge are also joined along it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.limits import STATUSES, within_limit
from lifecircle.reach._checks import check_count
from lifecircle.reach._ranges import least_of
from lifecircle.reach._trips import Home, Venue, graph_to_facilities, same_edge, snapped_on, usable

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.reach._snap import Snap
    from lifecircle.roads import Roads

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


def nearest(
    roads: Roads,
    demand: gpd.GeoDataFrame | Snap,
    facilities: gpd.GeoDataFrame | Snap,
    *,
    limit_min: float,
    k: int = 1,
) -> pd.DataFrame:
    """Find the nearest facilities of every resident by travel time.

    The search has no limit: seconds are returned whenever there is a path, and the limit sets the status.
    Residents whose access leg takes more than a quarter of the limit are unsnapped (reason ``far``) and
    such facilities are left out; see :func:`usable`.

    Parameters
    ----------
    roads : the network
    demand, facilities : tables, or their snaps on these roads
    limit_min : minutes >= 0, inclusive
    k : how many distinct facilities to find, >= 1

    Returns
    -------
    near : on the index of ``demand`` for k = 1, else on (demand, rank) with rank 1 to k, with columns
        ``facility`` (label, missing where none), ``seconds`` and ``minutes`` (float64, NaN where none),
        ``status`` (one of :data:`STATUSES`), ``leg_m`` (float64, metres) and ``reason`` (str, empty unless
        unsnapped). Of facilities in equal seconds the first in the table comes first. With k > 1 a status
        is that of the rank: disconnected where fewer facilities can be reached at all.

    Raises
    ------
    GraphError
        When the limit is negative or not finite, k is below 1, or a snap belongs to other roads.

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> from lifecircle.roads import read_roads
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> ends = GeoDataFrame(geometry=line.boundary.explode(ignore_index=True))
    >>> nearest(roads, ends[:1], ends[1:], limit_min=15)["minutes"].tolist()
    [12.0]
    """
    here, there = snapped_on(roads, demand), snapped_on(roads, facilities)
    seconds, position = nearest_seconds(roads, here, there, k=k, limit_min=limit_min)
    ranks = seconds.shape[1]
    on = usable(roads, here, limit_min=limit_min)
    # A snapped resident whose leg takes more than a quarter of the limit is unsnapped for this limit only.
    reason = np.where(on, "", np.where(here.snapped, "far", here.reason))
    # Unreachable is NaN, never a large number, which would enter sums unnoticed.
    flat = seconds.ravel()
    known = np.where(np.isfinite(flat), flat, np.nan)
    columns = {
        "facility": _labels(there.index, position.ravel()),
        "seconds": known,
        "minutes": known / 60.0,
        "status": pd.array(statuses(flat, np.repeat(on, ranks), limit_min=limit_min), dtype="str"),
        "leg_m": np.repeat(here.leg_m, ranks),
        "reason": pd.array(np.repeat(reason, ranks), dtype="str"),
    }
    if ranks == 1:
        return pd.DataFrame(columns, index=here.index)
    index = pd.MultiIndex.from_arrays(
        [here.index.repeat(ranks), np.tile(np.arange(1, ranks + 1), len(here))], names=["demand", "rank"]
    )
    return pd.DataFrame(columns, index=index)


def nearest_seconds(  # noqa: PLR0913 - a question, and which rows are one venue
    roads: Roads,
    demand: Snap,
    facilities: Snap,
    *,
    limit_min: float,
    k: int = 1,
    group: Ints | None = None,
) -> tuple[Floats, Ints]:
    """Find the seconds to the k nearest facilities, as arrays.

    Parameters
    ----------
    roads, demand, facilities, limit_min, k : as for :func:`nearest`; the limit only bounds access legs
    group : (facility,) number >= 0 of the venue each row is an entrance of; left out, each row is one

    Returns
    -------
    seconds : (demand, k) float64, never falling along a row, inf where there is none
    position : (demand, k) int64, row in ``facilities``, or number of the venue where rows are entrances;
        -1 where there is none

    Raises
    ------
    GraphError
        As for :func:`nearest`.

    >>> from geopandas import GeoDataFrame, GeoSeries
    >>> import lifecircle as lc
    >>> line = GeoSeries.from_wkt(["LINESTRING (500000 3380000, 501000 3380000)"], crs="EPSG:4549")
    >>> roads = lc.read_roads(GeoDataFrame({"highway": ["path"]}, geometry=line), crs="EPSG:4549")
    >>> ends = lc.snap(roads, GeoDataFrame(geometry=line.boundary.explode(ignore_index=True)))
    >>> nearest_seconds(roads, ends, ends.take([1]), limit_min=15)[0].tolist()
    [[720.0], [0.0]]
    """
    ranks = check_count("k", k)
    seconds, position = (
        np.full((len(demand), ranks), np.inf),
        np.full((len(demand), ranks), -1, dtype=np.int64),
    )
    homes = np.flatnonzero(usable(roads, demand, limit_min=limit_min))
    venues = np.flatnonzero(usable(roads, facilities, limit_min=limit_min))
    if len(homes) == 0 or len(venues) == 0:
        return seconds, position
    home, venue = Home.of(roads, demand, homes), Venue.of(roads, facilities, venues)
    # Entrances of one venue share a number here, so that the k nearest are k venues and not k doors.
    numbers, of = np.unique(venues if group is None else group[venues], return_inverse=True)
    entered = _Entered(venue, of, len(numbers))
    if ranks == 1:
        best, who = _first(roads, home, entered)
        best, who = best[:, None], who[:, None]
    else:
        best, who = _first_k(roads, home, entered, k=min(ranks, len(numbers)))
    found = best.shape[1]
    seconds[homes, :found] = best
    position[homes, :found] = np.where(who >= 0, numbers[np.maximum(who, 0)], -1)
    return seconds, position


def statuses(seconds: npt.ArrayLike, on_roads: npt.ArrayLike, *, limit_min: float) -> npt.NDArray[np.str_]:
    """Return the bucket of each resident.

    Parameters
    ----------
    seconds : (demand,) inf or NaN where there is no path
    on_roads : (demand,) bool, see :func:`usable`
    limit_min : minutes, inclusive

    Returns
    -------
    status : (demand,) str, one of :data:`STATUSES`

    >>> statuses([900.0, 901.0, np.inf, np.inf], [True, True, True, False], limit_min=15).tolist()
    ['covered', 'beyond', 'disconnected', 'unsnapped']
    """
    times = np.asarray(seconds, dtype=np.float64)
    covered, beyond, disconnected, unsnapped = STATUSES
    reached = np.where(within_limit(times, 60.0 * limit_min), covered, beyond)
    return np.where(
        np.asarray(on_roads, dtype=bool), np.where(np.isfinite(times), reached, disconnected), unsnapped
    )


@dataclass(frozen=True, eq=False)
class _Entered:
    """Venues by their entrances: ``of`` : (entrance,) number of its venue, from 0; ``many`` : venues."""

    entrance: Venue
    of: Ints
    many: int

    @property
    def group(self) -> Ints:
        """Return the venue from which each seed of a search starts: (seed,)."""
        return self.of[self.entrance.seeds.group]

    def along(self, roads: Roads, home: Home) -> tuple[Ints, Ints, Floats]:
        """List homes and venues with an entrance on one edge, as :func:`same_edge`."""
        row, place, seconds = same_edge(roads, home, self.entrance)
        return row, self.of[place], seconds


def _first(roads: Roads, home: Home, venue: _Entered) -> tuple[Floats, Ints]:
    """Find the nearest venue of each home: seconds and venue, inf and -1 where none."""
    seeds = venue.entrance.seeds
    seconds, label = graph_to_facilities(roads).nearest(seeds.node, start_s=seeds.start_s, group=venue.group)
    return first_at(home, seconds, label, along=venue.along(roads, home))


def first_at(
    home: Home, seconds: Floats, label: npt.NDArray[np.integer[Any]], *, along: tuple[Ints, Ints, Floats]
) -> tuple[Floats, Ints]:
    """Find the nearest venue of each home, from the nearest at the two junctions and the venues on its edge.

    Parameters
    ----------
    home : residents
    seconds, label : (junction,) to the nearest venue and its number, inf and -1 where none
    along : home, number of the venue and seconds, for each venue on the edge of a home

    Returns
    -------
    seconds : (home,) float64, inf where there is none
    number : (home,) the venue, the lowest of equals, -1 where there is none
    """
    best, who = home.to_u_s + seconds[home.u], label[home.u]
    other, name = home.to_v_s + seconds[home.v], label[home.v]
    # On a tie the lower number wins at every step, so the answer is the first in the table of facilities and
    # does not depend on the direction of the edge.
    better = (other < best) | ((other == best) & (name < who))
    best, who = np.where(better, other, best), np.where(better, name, who)
    # A venue on the same edge is nearer along the edge than through either junction, unless one-way.
    row, place, direct = along
    order = np.lexsort((place, direct, row))
    row, first = np.unique(row[order], return_index=True)
    place, direct = place[order][first], direct[order][first]
    better = (direct < best[row]) | ((direct == best[row]) & (place < who[row]))
    best[row[better]], who[row[better]] = direct[better], place[better]
    return best, np.where(np.isfinite(best), who, -1)


def _first_k(roads: Roads, home: Home, venue: _Entered, *, k: int) -> tuple[Floats, Ints]:
    """Find the k nearest distinct venues of each home: (home, k), inf and -1 where there are fewer."""
    graph = graph_to_facilities(roads)
    seeds = venue.entrance.seeds
    seconds, label = graph.nearest_k(seeds.node, k, start_s=seeds.start_s, group=venue.group)
    # The k nearest of a home are among the k nearest of its two junctions and the venues on its edge: a venue
    # that is in none of these lists has k others before it at either end.
    each = np.repeat(np.arange(len(home)), k)
    same = venue.along(roads, home)
    row = np.concatenate([each, each, same[0]])
    place = np.concatenate([label[home.u].ravel(), label[home.v].ravel(), same[1]])
    time = np.concatenate(
        [
            (home.to_u_s[:, None] + seconds[home.u]).ravel(),
            (home.to_v_s[:, None] + seconds[home.v]).ravel(),
            same[2],
        ]
    )
    there = np.isfinite(time)
    # One venue can come three times: through each end and along the edge. Only its least time may take a
    # rank.
    row, place, time = least_of(row[there], place[there], time[there], width=venue.many)
    order = np.lexsort((place, time, row))
    row, place, time = row[order], place[order], time[order]
    counts = np.bincount(row, minlength=len(home))
    rank = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = rank < k
    best, who = np.full((len(home), k), np.inf), np.full((len(home), k), -1, dtype=np.int64)
    best[row[kept], rank[kept]] = time[kept]
    who[row[kept], rank[kept]] = place[kept]
    return best, who


def _labels(index: pd.Index, position: Ints) -> Any:
    """Return labels at positions, missing at -1; whole numbers stay whole numbers."""
    labels = (
        index.to_series().astype("Int64").array if pd.api.types.is_integer_dtype(index.dtype) else index.array
    )
    return pd.api.extensions.take(labels, position, allow_fill=True)
