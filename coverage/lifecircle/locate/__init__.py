"""Locate a list of venues that has addresses and no coordinates, offline, and grade every position.

Addresses are matched to villages, streets and the rows of an address file. What is not surely matched is
placed by hand on a page that opens without a network. See docs/locate.md.
"""

from lifecircle.locate._address import Address, plain_address, take_apart
from lifecircle.locate._address_match import Match, Row, match_row
from lifecircle.locate._known_places import Gazetteer, KnownPlace
from lifecircle.locate._locate_files import FOLDER, Located
from lifecircle.locate._locate_steps import LocateOrder, gather_places, locate_list, located_lines
from lifecircle.locate._located_list import ANSWER, ListRows, LocatedList, locate_rows, read_list
from lifecircle.locate._placing_page import placing_page

__all__ = [
    "ANSWER",
    "FOLDER",
    "Address",
    "Gazetteer",
    "KnownPlace",
    "ListRows",
    "LocateOrder",
    "Located",
    "LocatedList",
    "Match",
    "Row",
    "gather_places",
    "locate_list",
    "locate_rows",
    "located_lines",
    "match_row",
    "placing_page",
    "plain_address",
    "read_list",
    "take_apart",
]
