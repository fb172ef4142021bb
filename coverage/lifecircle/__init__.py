"""lifecircle: who reaches which public service in N minutes, over real road networks.

The names below are the whole public interface. They load on first use, so that importing the package
costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "LifecircleError": "errors",
    "UnusableInputError": "errors",
    "bd09_from_wgs84": "datum",
    "gcj02_from_wgs84": "datum",
    "wgs84_from_bd09": "datum",
    "wgs84_from_gcj02": "datum",
    "Roads": "roads",
    "fetch_roads": "roads",
    "read_roads": "roads",
    "roads_from_graph": "roads",
    "read_facilities": "facilities",
    "assign_districts": "demand",
    "read_demand": "demand",
    "read_districts": "demand",
    "TravelGraph": "reach",
    "isochrones": "reach",
    "reach_lines": "reach",
    "nearest": "reach",
    "snap": "reach",
    "solve_nearest": "reach",
    "within": "reach",
    "Findings": "findings",
    "load_findings": "findings",
    "coverage": "measures",
    "cost_to_nth": "measures",
    "cumulative_opportunities": "measures",
    "exponential_decay": "measures",
    "floating_catchment": "measures",
    "gaussian_decay": "measures",
    "gaussian_to_zero": "measures",
    "gravity": "measures",
    "kernel_decay": "measures",
    "linear_decay": "measures",
    "logistic_decay": "measures",
    "power_decay": "measures",
    "rational_agent_access": "measures",
    "serve_best": "measures",
    "serve_in_order": "measures",
    "step_decay": "measures",
    "draw_atlas": "atlas",
    "folium_map": "notebook",
    "SitingPlan": "siting",
    "SitingProblem": "siting",
    "siting_problem": "siting",
    "solve_siting": "siting",
    "static_map": "paper",
    "cost_matrix": "interchange",
    "export_layers": "interchange",
    "nearest_of": "interchange",
    "pairs_table": "interchange",
    "read_travel_times": "interchange",
    "to_networkx": "interchange",
    "run_audit": "audit",
    "run_scenario": "scenario",
    "write_database": "database",
    "site_study": "siting_study",
}

__all__ = [
    "Findings",
    "LifecircleError",
    "Roads",
    "SitingPlan",
    "SitingProblem",
    "TravelGraph",
    "UnusableInputError",
    "__version__",
    "assign_districts",
    "bd09_from_wgs84",
    "cost_matrix",
    "cost_to_nth",
    "coverage",
    "cumulative_opportunities",
    "draw_atlas",
    "exponential_decay",
    "export_layers",
    "fetch_roads",
    "floating_catchment",
    "folium_map",
    "gaussian_decay",
    "gaussian_to_zero",
    "gcj02_from_wgs84",
    "gravity",
    "isochrones",
    "kernel_decay",
    "linear_decay",
    "load_findings",
    "logistic_decay",
    "nearest",
    "nearest_of",
    "pairs_table",
    "power_decay",
    "rational_agent_access",
    "reach_lines",
    "read_demand",
    "read_districts",
    "read_facilities",
    "read_roads",
    "read_travel_times",
    "roads_from_graph",
    "run_audit",
    "run_scenario",
    "serve_best",
    "serve_in_order",
    "site_study",
    "siting_problem",
    "snap",
    "solve_nearest",
    "solve_siting",
    "static_map",
    "step_decay",
    "to_networkx",
    "wgs84_from_bd09",
    "wgs84_from_gcj02",
    "within",
    "write_database",
]

if TYPE_CHECKING:
    from lifecircle.atlas import draw_atlas
    from lifecircle.audit import run_audit
    from lifecircle.database import write_database
    from lifecircle.datum import bd09_from_wgs84, gcj02_from_wgs84, wgs84_from_bd09, wgs84_from_gcj02
    from lifecircle.demand import assign_districts, read_demand, read_districts
    from lifecircle.errors import LifecircleError, UnusableInputError
    from lifecircle.facilities import read_facilities
    from lifecircle.findings import Findings, load_findings
    from lifecircle.interchange import (
        cost_matrix,
        export_layers,
        nearest_of,
        pairs_table,
        read_travel_times,
        to_networkx,
    )
    from lifecircle.measures import (
        cost_to_nth,
        coverage,
        cumulative_opportunities,
        exponential_decay,
        floating_catchment,
        gaussian_decay,
        gaussian_to_zero,
        gravity,
        kernel_decay,
        linear_decay,
        logistic_decay,
        power_decay,
        rational_agent_access,
        serve_best,
        serve_in_order,
        step_decay,
    )
    from lifecircle.notebook import folium_map
    from lifecircle.paper import static_map
    from lifecircle.reach import TravelGraph, isochrones, nearest, reach_lines, snap, solve_nearest, within
    from lifecircle.roads import Roads, fetch_roads, read_roads, roads_from_graph
    from lifecircle.scenario import run_scenario
    from lifecircle.siting import SitingPlan, SitingProblem, siting_problem, solve_siting
    from lifecircle.siting_study import site_study

    __version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("lifecircle")
    if name not in _HOME:
        raise AttributeError(f"module 'lifecircle' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"lifecircle.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
