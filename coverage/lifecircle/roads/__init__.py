"""Own road networks: OpenStreetMap files, graphs, road lines -> one frozen :class:`Roads` per travel profile.

Also own the travel profiles and the list of ways each may use, and barriers. Knows no residents, no
facilities and no search. The rules are explained in docs/roads.md.
"""

from lifecircle.roads._fetch import fetch_roads
from lifecircle.roads._graph import roads_from_graph
from lifecircle.roads._network import Roads
from lifecircle.roads._profiles import (
    MODES,
    PROFILES,
    Profile,
    Rule,
    allowed_way,
    oneway,
    profile,
    way_kmh,
)
from lifecircle.roads._read import read_barriers, read_roads

__all__ = [
    "MODES",
    "PROFILES",
    "Profile",
    "Roads",
    "Rule",
    "allowed_way",
    "fetch_roads",
    "oneway",
    "profile",
    "read_barriers",
    "read_roads",
    "roads_from_graph",
    "way_kmh",
]
