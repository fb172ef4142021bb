"""Decide whether two tables of residents describe one surface, on which people come, go and grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd

SAME_SURFACE = 0.5
"""Least share of the people who live at places that both years have; with less it is another surface."""

_DEGREES = 5  # decimals of a degree: about a metre


def same_surface(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> bool:
    """Return whether two tables of residents describe one surface: most people live at places of both.

    Villages that grow and places that are added are changes of one surface; another grid, or points in the
    place of villages, is another surface, on which nobody is found again.

    Parameters
    ----------
    one, other : residents with ``population``, in EPSG:4326
    """
    if one is other:
        return True
    places = [_places(table) for table in (one, other)]
    both = places[0].intersection(places[1])
    for table, own in zip((one, other), places, strict=True):
        people = table["population"].to_numpy(dtype=float)
        if people.sum() > 0 and people[own.isin(both)].sum() < SAME_SURFACE * people.sum():
            return False
    return True


def _places(table: gpd.GeoDataFrame) -> pd.Index[str]:
    """Name the place of every resident to about a metre, by id where there is none."""
    x, y = (np.round(axis.to_numpy(), _DEGREES) for axis in (table.geometry.x, table.geometry.y))
    return pd.Index(
        [
            f"{lon:.5f} {lat:.5f}" if np.isfinite(lon) else str(label)
            for lon, lat, label in zip(x, y, table.index, strict=True)
        ]
    )
