"""Own the measures: people covered, the rule of a circle, and how firmly a verdict stands.

Every function is pure: arrays and tables in, values on the caller's rows out. Travel times are found
elsewhere, and no study is read here.
"""

from lifecircle.measures._circles import (
    holds_rule,
    largest_distinct,
    rule_seconds,
    settlement_centres,
)
from lifecircle.measures._coverage import NO_DISTRICT, bounds, coverage
from lifecircle.measures._margin import borderline, coverage_at, curve_over_speed, flip_seconds, shortfall

__all__ = [
    "NO_DISTRICT",
    "borderline",
    "bounds",
    "coverage",
    "coverage_at",
    "curve_over_speed",
    "flip_seconds",
    "holds_rule",
    "largest_distinct",
    "rule_seconds",
    "settlement_centres",
    "shortfall",
]
