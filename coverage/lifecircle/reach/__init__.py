"""Compute travel time to facilities: snapping, nearest, within a limit.

This room knows junctions, edges and seconds. It does not know services, rules or rates: what a facility is
for, who the residents are and which share of them is enough is decided by the rooms above.

Names load on first use: searching a graph needs neither tables nor geometry, which take more memory and
time to import than a county takes to search.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "FACILITY_CAP_M": "_snap",
    "FRAGMENT_M": "_snap",
    "LEG_SHARE": "_trips",
    "REASONS": "_snap",
    "TRIED_EDGES": "_snap",
    "Change": "_repair",
    "NearestSolve": "_repair",
    "Pairs": "_pairs",
    "Snap": "_snap",
    "SolvedNearest": "_solved",
    "TravelGraph": "_graph",
    "compile_beside": "_first_run",
    "compile_loops": "_first_run",
    "fragment_lengths": "_snap",
    "graph_to_facilities": "_trips",
    "isochrones": "_display",
    "load_loops": "_first_run",
    "nearest": "_search",
    "nearest_seconds": "_search",
    "reach_lines": "_display",
    "short_edges": "_snap",
    "snap": "_snap",
    "solve_nearest": "_solved",
    "statuses": "_search",
    "thread_count": "_choice",
    "usable": "_trips",
    "within": "_pairs",
}

__all__ = [
    "FACILITY_CAP_M",
    "FRAGMENT_M",
    "LEG_SHARE",
    "REASONS",
    "TRIED_EDGES",
    "Change",
    "NearestSolve",
    "Pairs",
    "Snap",
    "SolvedNearest",
    "TravelGraph",
    "compile_beside",
    "compile_loops",
    "fragment_lengths",
    "graph_to_facilities",
    "isochrones",
    "load_loops",
    "nearest",
    "nearest_seconds",
    "reach_lines",
    "short_edges",
    "snap",
    "solve_nearest",
    "statuses",
    "thread_count",
    "usable",
    "within",
]

if TYPE_CHECKING:
    from lifecircle.reach._choice import thread_count
    from lifecircle.reach._display import isochrones, reach_lines
    from lifecircle.reach._first_run import compile_beside, compile_loops, load_loops
    from lifecircle.reach._graph import TravelGraph
    from lifecircle.reach._pairs import Pairs, within
    from lifecircle.reach._repair import Change, NearestSolve
    from lifecircle.reach._search import nearest, nearest_seconds, statuses
    from lifecircle.reach._snap import (
        FACILITY_CAP_M,
        FRAGMENT_M,
        REASONS,
        TRIED_EDGES,
        Snap,
        fragment_lengths,
        short_edges,
        snap,
    )
    from lifecircle.reach._solved import SolvedNearest, solve_nearest
    from lifecircle.reach._trips import LEG_SHARE, graph_to_facilities, usable


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lifecircle.reach' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"lifecircle.reach.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
