"""Own services, targets and norms as data: profiles in TOML, each figure with source, date and grade.

A profile says which services there are and what is promised of them; this room reads and checks it and
tells a verdict from a value. It computes no value: travel times, counts and rates are made elsewhere.

>>> standard = load_standard("haiyan-2025")
>>> culture = standard.target("culture")
>>> verdict(culture, 2025, 0.99996)
'missed'
"""

from __future__ import annotations

from lifecircle.standards._faults import meant_key
from lifecircle.standards._load import (
    checked_document,
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
    Service,
    Standard,
    Straight,
    Target,
    Text,
)
from lifecircle.standards._verdict import (
    Verdict,
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
    "Service",
    "Standard",
    "Straight",
    "Target",
    "Text",
    "Verdict",
    "checked_document",
    "load_standard",
    "meant_key",
    "milestone",
    "read_document",
    "read_target",
    "read_toml",
    "shipped_standards",
    "threshold",
    "trend_verdict",
    "verdict",
    "without_baseline",
]
