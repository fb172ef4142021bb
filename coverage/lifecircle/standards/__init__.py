"""Read services, targets and norms as data: profiles in TOML, each figure with source, date and grade.

A profile states which services there are and which targets are set for them. This room reads and checks it
and returns a verdict for a value. It computes no value: travel times, counts and rates are computed
elsewhere.

>>> standard = load_standard("haiyan-2025")
>>> culture = standard.target("culture")
>>> verdict(culture, 2025, 0.99996)
'missed'
"""

from __future__ import annotations

from lifecircle.standards._building import whole_rule
from lifecircle.standards._faults import meant_key
from lifecircle.standards._load import (
    checked_document,
    is_too_deep,
    load_standard,
    read_document,
    read_target,
    read_toml,
    shipped_standards,
)
from lifecircle.standards._model import (
    PROFILES,
    CapacityTarget,
    CircleTarget,
    Equity,
    Grade,
    IndicatorTarget,
    Language,
    PresenceTarget,
    Provenance,
    ReachRule,
    Service,
    Standard,
    Straight,
    Target,
    Text,
    profile_schema,
    reach_of,
)
from lifecircle.standards._verdict import (
    Verdict,
    judges_districts,
    milestone,
    threshold,
    trend_verdict,
    verdict,
    without_baseline,
)

__all__ = [
    "PROFILES",
    "CapacityTarget",
    "CircleTarget",
    "Equity",
    "Grade",
    "IndicatorTarget",
    "Language",
    "PresenceTarget",
    "Provenance",
    "ReachRule",
    "Service",
    "Standard",
    "Straight",
    "Target",
    "Text",
    "Verdict",
    "checked_document",
    "is_too_deep",
    "judges_districts",
    "load_standard",
    "meant_key",
    "milestone",
    "profile_schema",
    "reach_of",
    "read_document",
    "read_target",
    "read_toml",
    "shipped_standards",
    "threshold",
    "trend_verdict",
    "verdict",
    "whole_rule",
    "without_baseline",
]
