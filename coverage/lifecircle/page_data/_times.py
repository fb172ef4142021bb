"""The times that the page finds by itself on its whole-number roads; not how they are corrected or kept.

A page with roads does not hold every resident's time: it searches its own roads, as here, and holds only by
how much the run's time differs. Everything adds up in whole numbers, so that page and writer find the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifecircle.page_data._page_roads import CLOSED, PER_SECOND, base_of
from lifecircle.reach import TravelGraph

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.page_data._page_roads import Network, Places

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]


class Ends(NamedTuple):
    """Hundredths of a second between places and the ends of their edges, the legs left out; inf where closed.

    ::

        u o-----place-----o v      to_u <-   -> to_v   (leaving the place)
                                   from_u -> <- from_v (coming to it)
    """

    to_u: Floats
    to_v: Floats
    from_u: Floats
    from_v: Floats


@dataclass(frozen=True, eq=False)
class Found:
    """The nearest venues of each home in order: hundredths of a second, inf where none; venue, -1 where none.

    ``hundredths``, ``venue`` : (home, k).
    """

    hundredths: Floats
    venue: Ints


@dataclass(frozen=True, eq=False)
class Ground:
    """The page's roads and one year's residents and venues on them; keeps what was searched.

    ``leg_share`` : share of a limit that one leg may take.
    """

    network: Network
    graph: TravelGraph
    homes: Places
    venues: Places
    leg_share: float
    _found: dict[tuple[bytes, int], Found] = field(default_factory=dict)

    def find(self, mask: npt.NDArray[np.bool_], *, minutes: float, factor: float, k: int) -> Found:
        """Find the ``k`` nearest venues of a mask (venue,) for every home.

        A venue takes part when its leg, at times multiplied by ``factor``, is at most its share of the limit.
        """
        venues = self.venues
        allowed = venues.leg * factor <= self.leg_share * 60 * minutes * PER_SECOND
        member = np.flatnonzero(mask & allowed)
        key = (member.tobytes(), k)
        if key not in self._found:
            self._found[key] = find_times(
                self.network, self.graph, homes=self.homes, venues=venues, member=member, k=k
            )
        return self._found[key]


def ends_of(network: Network, edge: Ints, along: Ints) -> Ends:
    """Time the way between places along edges and the ends of those edges."""
    ahead, back, base = network.forward[edge], network.backward[edge], base_of(network)[edge]
    from_u = np.where(ahead >= 0, along, np.where(along == 0, 0, np.inf))
    to_v = np.where(ahead >= 0, ahead - along, np.where(along == base, 0, np.inf))
    part = scaled(along, back, base)
    to_u = np.where(back >= 0, part, np.where(along == 0, 0, np.inf))
    from_v = np.where(back >= 0, back - part, np.where(along == base, 0, np.inf))
    return Ends(to_u, to_v, from_u, from_v)


def scaled(along: Ints, whole: Ints, base: Ints) -> Ints:
    """Time a part ``along / base`` of an edge in a direction that takes ``whole``: nearest, half up."""
    same = (whole == base) | (base == 0)
    other = (2 * along * whole + base) // np.where(same, 1, 2 * base)
    return np.where(same, along, other)


def graph_of(network: Network) -> TravelGraph:
    """Return the graph of reversed edges, outward from venues, in hundredths of a second."""
    ahead, back = network.forward != CLOSED, network.backward != CLOSED
    head = np.concatenate([network.v[ahead], network.u[back]])
    tail = np.concatenate([network.u[ahead], network.v[back]])
    time = np.concatenate([network.forward[ahead], network.backward[back]]).astype(float)
    order = np.lexsort((time, tail, head))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(head, minlength=len(network.x)))])
    return TravelGraph(indptr, tail[order], time[order])


def find_times(  # noqa: PLR0913 - the roads, who goes, where to, and how many places each
    network: Network, graph: TravelGraph, *, homes: Places, venues: Places, member: Ints, k: int
) -> Found:
    """Find the ``k`` nearest of some venues for every home; of equal times the lowest venue comes first.

    Parameters
    ----------
    network, graph : the roads, and what :func:`graph_of` makes of them
    homes, venues : where they join the roads
    member : (venue of the rule,) positions in ``venues``, ascending; those off the roads are left out
    """
    member = member[venues.edge[member] >= 0]
    row = np.flatnonzero(homes.edge >= 0)
    found = Found(np.full((len(homes.edge), k), np.inf), np.full((len(homes.edge), k), -1, dtype=np.int64))
    if not len(member) or not len(row):
        return found
    edge, leg = venues.edge[member], venues.leg[member]
    ends = ends_of(network, edge, venues.along[member])
    node = np.stack([network.u[edge], network.v[edge]], axis=1).ravel()
    start = np.stack([leg + ends.from_u, leg + ends.from_v], axis=1).ravel()
    group = np.repeat(member, 2)
    open_ = np.isfinite(start)
    time, source = graph.nearest_k(node[open_], k, start_s=start[open_], group=group[open_])
    label = source.astype(np.int64)
    at = homes.edge[row]
    own = ends_of(network, at, homes.along[row])
    u, v = network.u[at], network.v[at]
    same = _same_edge(network, homes, row, venues=venues, member=member)
    to_u, to_v = own.to_u[:, None] + time[u], own.to_v[:, None] + time[v]
    ranked = (
        _first(to_u[:, 0], to_v[:, 0], label[u, 0], label[v, 0], same)
        if k == 1
        else _ranked(_candidates(to_u, to_v, label[u], label[v], same), k=k)
    )
    for rank, (home, hundredths, venue) in enumerate(ranked):
        found.hundredths[row[home], rank] = hundredths + homes.leg[row[home]]
        found.venue[row[home], rank] = venue
    return found


def _first(
    to_u: Floats, to_v: Floats, by_u: Ints, by_v: Ints, same: tuple[Ints, Ints, Floats]
) -> list[tuple[Ints, Floats, Ints]]:
    """Find the nearest venue of each home, the lowest of equals: as the first rank of :func:`_ranked`."""
    later = (to_v < to_u) | ((to_v == to_u) & (by_v < by_u))
    best, who = np.where(later, to_v, to_u), np.where(later, by_v, by_u)
    rows, names, times = same
    order = np.lexsort((names, times, rows))[::-1]  # of the venues of a home the first is written last
    direct, named = np.full(len(best), np.inf), np.full(len(best), -1, dtype=np.int64)
    direct[rows[order]], named[rows[order]] = times[order], names[order]
    nearer = (direct < best) | ((direct == best) & (named < who))
    best, who = np.where(nearer, direct, best), np.where(nearer, named, who)
    there = np.flatnonzero(np.isfinite(best))
    return [(there, best[there], who[there])]


def _candidates(
    to_u: Floats, to_v: Floats, by_u: Ints, by_v: Ints, same: tuple[Ints, Ints, Floats]
) -> tuple[Ints, Floats, Ints]:
    """List every venue that a home may reach: home, hundredths of a second, venue."""
    each = np.repeat(np.arange(len(to_u)), to_u.shape[1])
    return (
        np.concatenate([each, each, same[0]]),
        np.concatenate([to_u.ravel(), to_v.ravel(), same[2]]),
        np.concatenate([by_u.ravel(), by_v.ravel(), same[1]]),
    )


def _same_edge(
    network: Network, homes: Places, row: Ints, *, venues: Places, member: Ints
) -> tuple[Ints, Ints, Floats]:
    """List homes (in ``row``) and venues on one edge and the time along it and to the venue."""
    edge = venues.edge[member]
    order = np.argsort(edge, kind="stable")
    at = homes.edge[row]
    first, last = np.searchsorted(edge[order], at, "left"), np.searchsorted(edge[order], at, "right")
    home = np.repeat(np.arange(len(row)), last - first)
    before = np.cumsum(last - first) - (last - first)
    venue = member[order[np.arange(len(home)) + np.repeat(first - before, last - first)]]
    gap = venues.along[venue] - homes.along[row[home]]
    on = at[home]
    base = base_of(network)[on]
    whole = np.where(gap >= 0, network.forward[on], network.backward[on])
    straight = scaled(np.abs(gap), whole, base).astype(float)
    straight[(whole == CLOSED) & (gap != 0)] = np.inf
    straight[gap == 0] = 0.0
    return home, venue, straight + venues.leg[venue]


def _ranked(candidates: tuple[Ints, Floats, Ints], *, k: int) -> list[tuple[Ints, Floats, Ints]]:
    """Order the venues of each home, each once: for every rank the homes that have one, time and venue."""
    rows, times, names = candidates
    there = np.isfinite(times)
    rows, times, names = rows[there], times[there], names[there]
    order = np.lexsort((times, names, rows))  # a venue may come by both ends: only its earlier time counts
    rows, times, names = rows[order], times[order], names[order]
    once = np.r_[True, (rows[1:] != rows[:-1]) | (names[1:] != names[:-1])][: len(rows)]
    rows, times, names = rows[once], times[once], names[once]
    order = np.lexsort((names, times, rows))
    rows, times, names = rows[order], times[order], names[order]
    first = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]][: len(rows)])
    counts = np.diff(first, append=len(rows))
    return [
        (rows[first[counts > rank]], times[first[counts > rank] + rank], names[first[counts > rank] + rank])
        for rank in range(k)
    ]
