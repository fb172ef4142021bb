"""Own travel time to facilities: snapping, nearest, within; not services, rules or rates.

The engine knows junctions, edges and seconds. What a facility is for, who the residents are and which
share of them is enough is decided above it.
"""

from __future__ import annotations

from lifecircle.reach._display import isochrones, reach_lines
from lifecircle.reach._graph import TravelGraph
from lifecircle.reach._limits import STATUSES, within_limit
from lifecircle.reach._pairs import Pairs, within
from lifecircle.reach._search import nearest, nearest_seconds, statuses
from lifecircle.reach._snap import _FACILITY_CAP_M as FACILITY_CAP_M
from lifecircle.reach._snap import _TRIED_EDGES as TRIED_EDGES
from lifecircle.reach._snap import REASONS, Snap, snap
from lifecircle.reach._trips import _LEG_SHARE as LEG_SHARE
from lifecircle.reach._trips import graph_to_facilities, usable

__all__ = [
    "FACILITY_CAP_M",
    "LEG_SHARE",
    "REASONS",
    "STATUSES",
    "TRIED_EDGES",
    "Pairs",
    "Snap",
    "TravelGraph",
    "graph_to_facilities",
    "isochrones",
    "nearest",
    "nearest_seconds",
    "reach_lines",
    "snap",
    "statuses",
    "usable",
    "within",
    "within_limit",
]
