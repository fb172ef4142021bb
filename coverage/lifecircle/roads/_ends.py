"""Find where a network ends: dead ends, and streets that one-way streets cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from lifecircle.roads._network import Roads

Flags = npt.NDArray[np.bool_]


def dead_ends(roads: Roads) -> tuple[int, Flags]:
    """Count the junctions at which one edge alone ends, and find the edges that end so.

    Cul-de-sacs are dead ends too. Many of them mean that lines were not joined, or that an extract was cut.

    Parameters
    ----------
    roads : the network

    Returns
    -------
    count, edges : (edge,) bool

    >>> import geopandas as gpd
    >>> from lifecircle.roads import read_roads
    >>> wkt = ["LINESTRING (0 0, 90 0)", "LINESTRING (90 0, 90 50)", "LINESTRING (0 80, 70 80)"]
    >>> lines = gpd.GeoSeries.from_wkt(wkt, crs="EPSG:4549").translate(5e5, 3.38e6)
    >>> count, edges = dead_ends(read_roads(gpd.GeoDataFrame(geometry=lines), crs="EPSG:4549"))
    >>> count, edges.tolist()
    (4, [True, True, True])
    """
    arriving = np.bincount(np.concatenate([roads.u, roads.v]), minlength=len(roads.xy))
    dead = arriving == 1
    return int(dead.sum()), dead[roads.u] | dead[roads.v]


def one_way_pieces(roads: Roads) -> tuple[int, Flags]:
    """Find the pieces from which one-way streets allow no way to the main part, or none back.

    Junctions that lead to each other are one part; the main part has the longest roads. A fragment that no
    road joins at all is a piece too.

    Parameters
    ----------
    roads : the network

    Returns
    -------
    count, edges : pieces beside the main part, and (edge,) bool, the edges outside it

    >>> import geopandas as gpd
    >>> from lifecircle.roads import read_roads
    >>> wkt = ["LINESTRING (0 0, 90 0)", "LINESTRING (90 0, 90 50)"]
    >>> lines = gpd.GeoSeries.from_wkt(wkt, crs="EPSG:4549").translate(5e5, 3.38e6)
    >>> table = gpd.GeoDataFrame({"highway": "primary", "oneway": ["no", "yes"]}, geometry=lines)
    >>> count, edges = one_way_pieces(read_roads(table, crs="EPSG:4549", mode="drive"))
    >>> count, edges.tolist()
    (1, [False, True])
    """
    indptr, indices, seconds = roads.reversed_csr
    n = len(roads.xy)
    links = scipy.sparse.csr_array((np.ones(len(seconds), np.int8), indices, indptr), shape=(n, n))
    parts, label = connected_components(links, directed=True, connection="strong")
    within = label[roads.u] == label[roads.v]
    metres = np.bincount(label[roads.u[within]], weights=roads.length_m[within], minlength=parts)
    main = int(np.argmax(metres)) if parts else 0
    outside: Flags = np.asarray(label != main, dtype=np.bool_)
    return int(parts - 1), outside[roads.u] | outside[roads.v]
