"""What the map page holds: findings in printed words and packed columns, and the same read back.

Computes no rate and counts nobody; :mod:`lifecircle.atlas` draws what stands here.
"""

from lifecircle.legend import (
    AREA_COLOURS,
    CELL_COLOURS,
    NO_RATE_COLOUR,
    OVER_BREAKS_MIN,
    RATE_BREAKS,
    RATE_COLOURS,
    UNIT_COLOURS,
    rate_texts,
)
from lifecircle.page_data._area_figures import (
    VillageFigures,
    area_count,
    area_groups,
    village_figures,
)
from lifecircle.page_data._figure_text import minutes_text, people_text, percent_text, service_text
from lifecircle.page_data._map_margin import margin, place_names, stamp, what_was_read
from lifecircle.page_data._packed_columns import ELEMENT, PayloadError, encoded
from lifecircle.page_data._page_content import (
    STATUS_CODES,
    bounds,
    cell_size_m,
    gap_rows,
    lonlat,
    page_payload,
    resident_classes,
    status_codes,
)
from lifecircle.page_data._payload_reader import Payload, read_payload
from lifecircle.page_data._plan_rows import Plan, Site, plan_data, without_people
from lifecircle.page_data._target_map import (
    HOLDS,
    LACKS,
    AreaClasses,
    UnitMark,
    UnitMarks,
    area_classes,
    by_rate,
    one_figure,
    unit_marks,
)
from lifecircle.page_data._target_text import figures
from lifecircle.page_data._what_if_rows import Pin, ScenarioView, WhatIf

__all__ = [
    "AREA_COLOURS",
    "CELL_COLOURS",
    "ELEMENT",
    "HOLDS",
    "LACKS",
    "NO_RATE_COLOUR",
    "OVER_BREAKS_MIN",
    "RATE_BREAKS",
    "RATE_COLOURS",
    "STATUS_CODES",
    "UNIT_COLOURS",
    "AreaClasses",
    "Payload",
    "PayloadError",
    "Pin",
    "Plan",
    "ScenarioView",
    "Site",
    "UnitMark",
    "UnitMarks",
    "VillageFigures",
    "WhatIf",
    "area_classes",
    "area_count",
    "area_groups",
    "bounds",
    "by_rate",
    "cell_size_m",
    "encoded",
    "figures",
    "gap_rows",
    "lonlat",
    "margin",
    "minutes_text",
    "one_figure",
    "page_payload",
    "people_text",
    "percent_text",
    "place_names",
    "plan_data",
    "rate_texts",
    "read_payload",
    "resident_classes",
    "service_text",
    "stamp",
    "status_codes",
    "unit_marks",
    "village_figures",
    "what_was_read",
    "without_people",
]
