"""Own a second count of travel times to the point on the edge, with scipy over streets cut at every point.

It takes from the package where points join the roads and which legs count; the network is cut again at each
of these places, so that nothing of the package's search or joining is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

if TYPE_CHECKING:
    import lifecircle as lc
    from lifecircle.reach import Snap

    Array = np.ndarray[Any, Any]

LEG_SHARE = 0.25


class CutStreets:
    """A network with a junction at every place where a resident or a venue joins it, turned round.

    Seconds are from residents to venues: edges are turned, and the search starts from the venues.
    """

    def __init__(self, roads: lc.Roads, homes: Snap, venues: Snap, *, limit_s: float) -> None:
        self._leg_s = [snap.leg_m / roads.profile.access_ms for snap in (homes, venues)]
        on = [
            snap.snapped & (leg_s <= LEG_SHARE * limit_s)
            for snap, leg_s in zip((homes, venues), self._leg_s, strict=True)
        ]
        self._homes, self._venues = on
        junctions = len(roads.xy)
        at = [np.flatnonzero(flags) for flags in on]
        edge = np.r_[homes.edge[at[0]], venues.edge[at[1]]]
        share = np.r_[homes.share[at[0]], venues.share[at[1]]]
        own = junctions + np.arange(len(edge))
        self._home_node = np.full(len(homes), -1)
        self._home_node[at[0]] = own[: len(at[0])]
        self._venue_node = np.full(len(venues), -1)
        self._venue_node[at[1]] = own[len(at[0]) :]
        every = np.arange(len(roads.u))
        edges = np.r_[every, edge, every]
        shares = np.r_[np.zeros(len(every)), share, np.ones(len(every))]
        rank = np.r_[np.zeros(len(every)), np.ones(len(edge)), np.full(len(every), 2)]
        nodes = np.r_[roads.u, own, roads.v]
        order = np.lexsort((rank, shares, edges))
        edges, shares, nodes = edges[order], shares[order], nodes[order]
        piece = np.flatnonzero(edges[1:] == edges[:-1])
        part = shares[piece + 1] - shares[piece]
        self._tail, self._head = nodes[piece + 1], nodes[piece]
        with np.errstate(invalid="ignore"):
            forward = np.where(part > 0, part * roads.forward_s[edges[piece]], 0.0)
            backward = np.where(part > 0, part * roads.backward_s[edges[piece]], 0.0)
        self._along, self._against = forward, backward
        self._size = junctions + len(own)

    def nearest(self, chosen: Array) -> Array:
        """Find the seconds from each resident to the nearest of the chosen venues (venue,): (resident,)."""
        mine = np.flatnonzero(chosen & self._venues)
        begin = self._size + np.arange(len(mine))
        tail = np.r_[self._tail, self._head, begin]
        head = np.r_[self._head, self._tail, self._venue_node[mine]]
        seconds = np.r_[self._along, self._against, self._leg_s[1][mine]]
        usable = np.isfinite(seconds)
        tail, head, seconds = tail[usable], head[usable], seconds[usable]
        order = np.lexsort((seconds, head, tail))
        tail, head, seconds = tail[order], head[order], seconds[order]
        fastest = np.r_[True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])]
        size = self._size + len(mine)
        matrix = coo_array((seconds[fastest], (tail[fastest], head[fastest])), shape=(size, size)).tocsr()
        found = np.full(len(self._homes), np.inf)
        reached = dijkstra(matrix, indices=begin, min_only=True)
        found[self._homes] = reached[self._home_node[self._homes]] + self._leg_s[0][self._homes]
        return found
