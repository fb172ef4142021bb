"""Read the facility register as offices keep it, and find which facilities are open and which are one.

A register is read a list at a time (``read_facilities``); lists of a map are classed before
(``classified``). Rows of one facility are found within a year
(``merge_duplicates``, ``similar_rows``) and between two (``same_facilities``). This room knows no
roads or targets: the caller passes the ids of the services that a standard knows.
"""

from __future__ import annotations

from lifecircle.facilities._double_rows import (
    DUPLICATE_M,
    SIMILAR_M,
    merge_duplicates,
    merge_similar,
    one_name,
    similar_rows,
)
from lifecircle.facilities._entrances import ENTRANCE_COLUMNS, with_entrances
from lifecircle.facilities._facility_list import DETAIL_COLUMNS, FACILITY_COLUMNS, GRADES, read_facilities
from lifecircle.facilities._open_facilities import open_at, open_in, readable_hours
from lifecircle.facilities._same_facility import (
    LIKE_NAME_M,
    RULES,
    SAME_ID_M,
    SAME_NAME_M,
    SAME_PLACE_M,
    SameFacilities,
    YearRegister,
    plain_letters,
    same_facilities,
)
from lifecircle.facilities._service_classes import CATALOGUES, classified, is_from_amap, looks_like

__all__ = [
    "CATALOGUES",
    "DETAIL_COLUMNS",
    "DUPLICATE_M",
    "ENTRANCE_COLUMNS",
    "FACILITY_COLUMNS",
    "GRADES",
    "LIKE_NAME_M",
    "RULES",
    "SAME_ID_M",
    "SAME_NAME_M",
    "SAME_PLACE_M",
    "SIMILAR_M",
    "SameFacilities",
    "YearRegister",
    "classified",
    "is_from_amap",
    "looks_like",
    "merge_duplicates",
    "merge_similar",
    "one_name",
    "open_at",
    "open_in",
    "plain_letters",
    "read_facilities",
    "readable_hours",
    "same_facilities",
    "similar_rows",
    "with_entrances",
]
