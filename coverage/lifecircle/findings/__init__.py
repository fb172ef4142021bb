"""Hold the result of one run, a class for each kind of target; write it into a folder and read it back.

Nothing here computes a figure: that is the audit's.
"""

from lifecircle.findings._findings import (
    Findings,
    VenueLine,
    class_seconds,
    class_venues,
    rank_table,
    venue_lines,
)
from lifecircle.findings._folder import (
    CHECKSUMS,
    METHOD_VERSION,
    RUN,
    load_findings,
    read_fingerprint,
    save_findings,
    seal,
    summary,
)
from lifecircle.findings._printed import grounds_text, mark_text, unit_text, value_text
from lifecircle.findings._results import (
    ACCOUNTINGS,
    BUCKETS,
    BY_VILLAGE,
    Accounting,
    CapacityResult,
    CircleDistrict,
    CircleGap,
    CircleResult,
    Count,
    DistrictResult,
    GroupResult,
    IndicatorResult,
    PresenceResult,
    TargetResult,
    UnitCount,
    UnitWithout,
    as_circle,
)
from lifecircle.findings._run_parts import LANGUAGES, InputRecord, Language, Publication
from lifecircle.findings._summary import SCHEMA, summary_schema

__all__ = [
    "ACCOUNTINGS",
    "BUCKETS",
    "BY_VILLAGE",
    "CHECKSUMS",
    "LANGUAGES",
    "METHOD_VERSION",
    "RUN",
    "SCHEMA",
    "Accounting",
    "CapacityResult",
    "CircleDistrict",
    "CircleGap",
    "CircleResult",
    "Count",
    "DistrictResult",
    "Findings",
    "GroupResult",
    "IndicatorResult",
    "InputRecord",
    "Language",
    "PresenceResult",
    "Publication",
    "TargetResult",
    "UnitCount",
    "UnitWithout",
    "VenueLine",
    "as_circle",
    "class_seconds",
    "class_venues",
    "grounds_text",
    "load_findings",
    "mark_text",
    "rank_table",
    "read_fingerprint",
    "save_findings",
    "seal",
    "summary",
    "summary_schema",
    "unit_text",
    "value_text",
    "venue_lines",
]
