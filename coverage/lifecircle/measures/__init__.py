"""Compute the measures: people covered, circles, presence, capacity, registered figures, equity, margins.

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
from lifecircle.measures._coverage import NO_DISTRICT, bounds, coverage
from lifecircle.measures._equity import Gap, gap_between, gap_over, gini, not_smaller, theil, theil_parts
from lifecircle.measures._margin import borderline, coverage_at, curve_over_speed, flip_seconds, shortfall
from lifecircle.measures._presence import Assign, Presence, UnitCodes, presence, units_near
from lifecircle.measures._registered import (
    Registered,
    registered,
    share_bounds,
    village_figures,
    village_rule,
)
from lifecircle.measures._supply import ALL, capacity, undecided
from lifecircle.measures._threshold import VILLAGE_SHARES, holds_share, villages_reached

__all__ = [
    "ALL",
    "NO_DISTRICT",
    "VILLAGE_SHARES",
    "Assign",
    "Gap",
    "Presence",
    "Registered",
    "UnitCodes",
    "borderline",
    "bounds",
    "capacity",
    "committees",
    "coverage",
    "coverage_at",
    "curve_over_speed",
    "flip_seconds",
    "gap_between",
    "gap_over",
    "gini",
    "holds_rule",
    "holds_share",
    "largest_distinct",
    "not_smaller",
    "presence",
    "registered",
    "rule_seconds",
    "settlement_centres",
    "share_bounds",
    "shortfall",
    "theil",
    "theil_parts",
    "undecided",
    "units_near",
    "village_figures",
    "village_rule",
    "villages_reached",
]
