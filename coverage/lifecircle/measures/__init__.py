"""Compute the measures: coverage, circles, presence, capacity, registered figures, equity, catchments.

Every function is pure: arrays and tables in, values on the caller's rows out. Travel times are found
elsewhere, and no study is read here.
"""

from lifecircle.measures._circle_counts import (
    holds_rule,
    largest_distinct,
    rule_seconds,
    settlement_centres,
)
from lifecircle.measures._committee import committees
from lifecircle.measures._coverage import (
    NO_DISTRICT,
    bounds,
    bucket_numbers,
    bucket_people,
    coverage,
    district_codes,
)
from lifecircle.measures._decay import (
    Decay,
    exponential_decay,
    gaussian_decay,
    gaussian_to_zero,
    kernel_decay,
    linear_decay,
    logistic_decay,
    power_decay,
    step_decay,
)
from lifecircle.measures._equity import (
    Equity,
    Gap,
    Sides,
    equity,
    gap_between,
    gap_over,
    gini,
    not_smaller,
    theil,
    theil_parts,
)
from lifecircle.measures._floating import CATCHMENTS, Catchment, floating_catchment
from lifecircle.measures._margin import borderline, coverage_at, curve_over_speed, flip_seconds, shortfall
from lifecircle.measures._nearby_supply import NearbySupply, supply_nearby
from lifecircle.measures._opportunities import cost_to_nth, cumulative_opportunities, gravity
from lifecircle.measures._presence import Assign, Presence, UnitCodes, presence, units_near
from lifecircle.measures._rational_agents import Rounds, rational_agent_access
from lifecircle.measures._registered import (
    Registered,
    registered,
    share_bounds,
    village_figures,
    village_rule,
)
from lifecircle.measures._service import (
    OrderSpread,
    Served,
    most_served,
    serve_best,
    serve_in_order,
    spread_of_orders,
)
from lifecircle.measures._supply import ALL, capacity, undecided
from lifecircle.measures._threshold import VILLAGE_SHARES, holds_share, villages_reached

__all__ = [
    "ALL",
    "CATCHMENTS",
    "NO_DISTRICT",
    "VILLAGE_SHARES",
    "Assign",
    "Catchment",
    "Decay",
    "Equity",
    "Gap",
    "NearbySupply",
    "OrderSpread",
    "Presence",
    "Registered",
    "Rounds",
    "Served",
    "Sides",
    "UnitCodes",
    "borderline",
    "bounds",
    "bucket_numbers",
    "bucket_people",
    "capacity",
    "committees",
    "cost_to_nth",
    "coverage",
    "coverage_at",
    "cumulative_opportunities",
    "curve_over_speed",
    "district_codes",
    "equity",
    "exponential_decay",
    "flip_seconds",
    "floating_catchment",
    "gap_between",
    "gap_over",
    "gaussian_decay",
    "gaussian_to_zero",
    "gini",
    "gravity",
    "holds_rule",
    "holds_share",
    "kernel_decay",
    "largest_distinct",
    "linear_decay",
    "logistic_decay",
    "most_served",
    "not_smaller",
    "power_decay",
    "presence",
    "rational_agent_access",
    "registered",
    "rule_seconds",
    "serve_best",
    "serve_in_order",
    "settlement_centres",
    "share_bounds",
    "shortfall",
    "spread_of_orders",
    "step_decay",
    "supply_nearby",
    "theil",
    "theil_parts",
    "undecided",
    "units_near",
    "village_figures",
    "village_rule",
    "villages_reached",
]
