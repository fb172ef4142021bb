"""How far the nearest venue is that stands today, from where a new site would be; along the roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from lifecircle.audit import Searches

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lifecircle.audit import Inputs
    from lifecircle.standards import PresenceTarget

_LEG_LIMIT_MIN = 60.0
"""Minutes have no limit; a site or venue off the roads by more than a quarter of this has no way."""


@dataclass(frozen=True)
class ExistingVenue:
    """The nearest open venue that counts for a class a unit lacks.

    ``lacks`` : the class; ``minutes`` : None where there is no venue, or no way to it; ``id``, ``name`` : of
    the venue, empty where there is none.
    """

    lacks: str
    minutes: float | None
    id: str = ""
    name: str = ""


def profile_of(inputs: Inputs) -> str:
    """Return the travel profile that minutes of units are counted by: walking, else the study's first."""
    return "walk" if "walk" in inputs.networks else min(inputs.networks)


def existing_venues(
    inputs: Inputs,
    target: PresenceTarget,
    sites: Sequence[tuple[float, float]],
    lacks: Sequence[Collection[str]],
) -> list[tuple[ExistingVenue, ...]]:
    """Find the nearest open venue of every class that is lacking, from every site.

    Venues of all units count, and those beyond the border too: this is where people go today.

    Parameters
    ----------
    sites : (site,) longitude and latitude
    lacks : (site,) classes

    Returns
    -------
    venues : (site,) one for each class
    """
    if not sites:
        return []
    venues = inputs.study.standard.venues(target)
    roads, searches = inputs.networks[profile_of(inputs)], Searches(inputs, keep=False)
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*zip(*sites, strict=True)), crs="EPSG:4326")
    here = inputs.snapped(roads, points.to_crs(inputs.crs), keep=False)
    found = {}
    for name in dict.fromkeys(one for classes in lacks for one in classes):
        member = inputs.facilities["service"].isin(list(venues[name])).to_numpy(dtype=bool)
        found[name] = searches.nearest_of(roads, here, member, minutes=_LEG_LIMIT_MIN)
    labels, names = inputs.facilities.index.astype("str"), inputs.facilities["name"].astype("str")
    rows = []
    for number, classes in enumerate(lacks):
        mine = []
        for name in classes:
            seconds, at = (part[number, 0] for part in found[name])
            if np.isfinite(seconds):
                mine.append(ExistingVenue(name, float(seconds) / 60, str(labels[at]), str(names.iloc[at])))
            else:
                mine.append(ExistingVenue(name, None))
        rows.append(tuple(mine))
    return rows
