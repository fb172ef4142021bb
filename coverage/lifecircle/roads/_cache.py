"""Store roads on disk: the same file, profile and CRS are read once, then loaded from the cache.

The key holds the content of the file, the profile with its rules, the CRS, the settings of the reading and
the version of the reading rules. So a file or rule that changed never returns old roads.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.files import content_key, load_arrays, save_arrays
from lifecircle.roads._network import Roads, RoadsReading, frozen, plain_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lifecircle.roads._profiles import Profile

_log = logging.getLogger(__name__)

READING: Final = 3
"""Version of how files become roads; raise it with any change of the readers that changes a network."""

_KIND: Final = "roads"


def cached(path: Path, used: Profile, crs: Any, *, settings: str, read: Callable[[], Roads]) -> Roads:
    """Return the roads of a file from the cache, or read and store them.

    Parameters
    ----------
    path : the file; the key holds its content, and of its name only the suffix, which selects the reader.
    settings : every other setting that the reading depends on, in one text.
    """
    wanted_crs = "" if crs is None else pyproj.CRS.from_user_input(crs).to_wkt()
    rules = json.dumps(plain_facts(used), sort_keys=True, ensure_ascii=False)
    # The suffix decides on the reader, so two files of equal content may be read differently.
    key = content_key(str(READING), rules, wanted_crs, settings, path.suffix.lower(), path)
    kept = load_arrays(_KIND, key)
    if kept is not None:
        try:
            return _restored(*kept, used)
        except (LookupError, TypeError, ValueError) as error:
            # Whole, but laid out otherwise: of another version of the package in the same cache.
            _log.warning("roads in the cache cannot be used (%s): read again", error)
    roads = read()
    # The key of the network is stored too, so that a load does not hash all arrays again.
    facts = {"crs": roads.crs.to_wkt(), "key": roads.network_key, "reading": asdict(roads.reading)}
    save_arrays(_KIND, key, _arrays(roads), facts)
    return roads


def _arrays(roads: Roads) -> dict[str, np.ndarray[Any, Any]]:
    # By way of a dictionary: texts of one width for every edge would take more room than the lines.
    found, named = pd.factorize(roads.highway)
    names = np.sort(named.astype(str))
    code = np.searchsorted(names, named.astype(str))[found]
    return {
        "xy": roads.xy,
        "u": roads.u,
        "v": roads.v,
        "length_m": roads.length_m,
        "forward_s": roads.forward_s,
        "backward_s": roads.backward_s,
        "places": shapely.get_coordinates(roads.lines),
        "sizes": shapely.get_num_coordinates(roads.lines).astype(np.int32),
        "highway": code.astype(np.int32),
        "names": np.frombuffer("\0".join(names).encode(), dtype=np.uint8),
    }


def _restored(arrays: dict[str, np.ndarray[Any, Any]], facts: dict[str, Any], used: Profile) -> Roads:
    names = np.array(bytes(arrays["names"]).decode().split("\0"), dtype=object)
    edge = np.repeat(np.arange(len(arrays["sizes"])), arrays["sizes"])
    roads = Roads(
        crs=pyproj.CRS.from_wkt(facts["crs"]),
        profile=used,
        xy=frozen(arrays["xy"]),
        u=frozen(arrays["u"]),
        v=frozen(arrays["v"]),
        length_m=frozen(arrays["length_m"]),
        forward_s=frozen(arrays["forward_s"]),
        backward_s=frozen(arrays["backward_s"]),
        lines=frozen(shapely.linestrings(arrays["places"], indices=edge)),
        highway=frozen(names[arrays["highway"]]),
        reading=_restored_reading(facts["reading"]),
    )
    roads.__dict__["network_key"] = facts["key"]  # worked out when they were kept, of the same content
    return roads


def _restored_reading(facts: dict[str, Any]) -> RoadsReading:
    misses = tuple((lon, lat, metres) for lon, lat, metres in facts["misses"])
    return RoadsReading(**{**facts, "misses": misses, "notes": tuple(facts["notes"])})
