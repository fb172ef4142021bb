"""Read road networks: OpenStreetMap files, graphs and road lines into one frozen :class:`Roads` per profile.

This room also holds the travel profiles, the list of ways each may use, and barriers. It knows no residents,
no facilities and no search. The rules are explained in docs/roads.md.
"""

from lifecircle.roads._barrier_kinds import BARRIER_KINDS, barrier_kind, read_barrier_kinds
from lifecircle.roads._edit import ALONG_M, JOIN_WITHIN_M, add_road, close_road
from lifecircle.roads._ends import dead_ends, one_way_pieces
from lifecircle.roads._fetch import PlaceExtract, fetch_extract, fetch_roads
from lifecircle.roads._joining import MISS_M
from lifecircle.roads._merging import MERGE_WITHIN_M
from lifecircle.roads._network import Roads, RoadsReading
from lifecircle.roads._osmnx_graph import roads_from_graph
from lifecircle.roads._profiles import (
    MODES,
    PROFILES,
    Profile,
    Rule,
    allowed_way,
    oneway,
    open_against,
    profile,
    way_kmh,
)
from lifecircle.roads._road_files import read_barriers, read_roads
from lifecircle.roads._road_store import ROAD_PART, edges_near, write_road_part, write_road_store

__all__ = [
    "ALONG_M",
    "BARRIER_KINDS",
    "JOIN_WITHIN_M",
    "MERGE_WITHIN_M",
    "MISS_M",
    "MODES",
    "PROFILES",
    "ROAD_PART",
    "PlaceExtract",
    "Profile",
    "Roads",
    "RoadsReading",
    "Rule",
    "add_road",
    "allowed_way",
    "barrier_kind",
    "close_road",
    "dead_ends",
    "edges_near",
    "fetch_extract",
    "fetch_roads",
    "one_way_pieces",
    "oneway",
    "open_against",
    "profile",
    "read_barrier_kinds",
    "read_barriers",
    "read_roads",
    "roads_from_graph",
    "way_kmh",
    "write_road_part",
    "write_road_store",
]
