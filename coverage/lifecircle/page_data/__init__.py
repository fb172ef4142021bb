"""What the map page holds: findings in printed words and packed columns, and the same read back.

Computes no rate and counts nobody; :mod:`lifecircle.atlas` draws what stands here.
"""

from lifecircle.page_data._container import ELEMENT, PayloadError, encoded
from lifecircle.page_data._map_margin import margin, place_names, stamp, what_was_read
from lifecircle.page_data._payload import (
    CELL_COLOURS,
    NO_RATE_COLOUR,
    OVER_BREAKS_MIN,
    RATE_BREAKS,
    RATE_COLOURS,
    STATUS_CODES,
    bounds,
    cell_size_m,
    lonlat,
    page_payload,
    rate_texts,
    resident_classes,
    status_codes,
)
from lifecircle.page_data._payload_reader import Payload, read_payload
from lifecircle.page_data._plan_rows import Plan, Site, without_people
from lifecircle.page_data._target_text import figures
from lifecircle.page_data._words import minutes_text, page_words, people_text, percent_text

__all__ = [
    "CELL_COLOURS",
    "ELEMENT",
    "NO_RATE_COLOUR",
    "OVER_BREAKS_MIN",
    "RATE_BREAKS",
    "RATE_COLOURS",
    "STATUS_CODES",
    "Payload",
    "PayloadError",
    "Plan",
    "Site",
    "bounds",
    "cell_size_m",
    "encoded",
    "figures",
    "lonlat",
    "margin",
    "minutes_text",
    "page_payload",
    "page_words",
    "people_text",
    "percent_text",
    "place_names",
    "rate_texts",
    "read_payload",
    "resident_classes",
    "stamp",
    "status_codes",
    "what_was_read",
    "without_people",
]
