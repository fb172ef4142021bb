"""Fetch what OpenStreetMap has of a place into a folder that a study reads: roads, outline, facilities.

Requests go through the one door of the roads room, with its folder of downloads. The tags that are asked for
are data (``osm_tags.toml``); how they are read afterwards is the matter of the rooms that read files.
"""

from lifecircle.fetch._facility_tags import TAGS, service_of, wanted_tags
from lifecircle.fetch._place_files import FETCHED, Fetched, fetch_place, language_of_place

__all__ = ["FETCHED", "TAGS", "Fetched", "fetch_place", "language_of_place", "service_of", "wanted_tags"]
