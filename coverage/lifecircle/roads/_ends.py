"""Count the dead ends of a network: where one road alone arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lifecircle.roads._network import Roads


def dead_ends(roads: Roads) -> tuple[int, float]:
    """Count the junctions at which one edge alone ends, and measure the edges that end so.

    Cul-de-sacs are dead ends too. Many of them in a network of lines mean that lines were not joined.

    Parameters
    ----------
    roads : the network

    Returns
    -------
    count, length_m : an edge with two dead ends is measured once

    >>> import geopandas as gpd
    >>> from lifecircle.roads import read_roads
    >>> wkt = ["LINESTRING (0 0, 90 0)", "LINESTRING (90 0, 90 50)", "LINESTRING (0 80, 70 80)"]
    >>> lines = gpd.GeoSeries.from_wkt(wkt, crs="EPSG:4549").translate(5e5, 3.38e6)
    >>> dead_ends(read_roads(gpd.GeoDataFrame(geometry=lines), crs="EPSG:4549"))
    (4, 210.0)
    """
    arriving = np.bincount(np.concatenate([roads.u, roads.v]), minlength=len(roads.xy))
    dead = arriving == 1
    ending = dead[roads.u] | dead[roads.v]
    return int(dead.sum()), float(roads.length_m[ending].sum())
