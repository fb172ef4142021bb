"""Barriers as the ground of a map: what kind each is, and its name; decides nothing about who may cross.

What an access leg may not cross is read in ``_road_files``, from the same files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.roads._osm import osm_barrier_kinds
from lifecircle.roads._road_files import barrier_layer, is_osm, read_barriers

if TYPE_CHECKING:
    from pathlib import Path

BARRIER_KINDS = ("water", "railway", "expressway", "wall")
"""Kinds of barriers that a map draws each in its way; any other is the empty text."""

# Parts of the words that offices and OpenStreetMap write, in lower case; the first kind that has one is it.
_WORDS = {
    "railway": ("rail", "铁路", "轨道", "高铁"),
    "expressway": ("motorway", "expressway", "freeway", "高速", "快速路"),
    "wall": ("wall", "fence", "墙", "围栏"),
    "water": (
        *("water", "river", "canal", "stream", "lake", "bay", "sea", "pond", "reservoir", "basin", "dock"),
        *("水", "河", "江", "湖", "海", "湾", "港", "渠", "塘", "库", "溪", "浜", "荡"),
    ),
}  # fmt: skip
_COLUMNS = (
    *("kind", "type", "class", "fclass", "category", "类型", "类别", "种类", "名目"),
    *("railway", "highway", "barrier", "natural", "waterway", "landuse"),
)
_NAMES = ("name", "名称", "name_zh")


def barrier_kind(text: str) -> str:
    """Return the kind of a barrier by the word of its table, empty where it is none of :data:`BARRIER_KINDS`.

    >>> barrier_kind("canal"), barrier_kind("高速公路"), barrier_kind("hedge")
    ('water', 'expressway', '')
    """
    plain = text.strip().lower()
    return next((kind for kind, parts in _WORDS.items() if any(part in plain for part in parts)), "")


def read_barrier_kinds(
    source: str | Path | gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    layer: str | None = None,
    datum: str | None = None,
) -> gpd.GeoDataFrame:
    """Read barriers with what is known of each, to draw them as ground.

    Parameters
    ----------
    source : as for :func:`read_barriers`
    layer : layer of a GeoPackage
    datum : ``gcj02``, ``bd09`` or ``EPSG:n``, where the layer's own CRS does not say it

    Returns
    -------
    ground : ``kind`` (one of :data:`BARRIER_KINDS`, or empty), ``name`` (empty where none); in EPSG:4326

    Raises
    ------
    MissingFileError, UnusableInputError
        As for :func:`read_barriers`.
    """
    wgs84 = pyproj.CRS.from_epsg(4326)
    if is_osm(source):
        barriers = osm_barrier_kinds(str(source))
        shapes = shapely.from_wkb(np.array([shape for shape, *_ in barriers], dtype=object))
        kinds, names = [barrier_kind(word) for _, word, _ in barriers], [name for *_, name in barriers]
    else:
        shapes = read_barriers(source, crs=wgs84, layer=layer, datum=datum)
        table = barrier_layer(source, layer)
        given = table.geometry.to_numpy()
        mine = table[~(shapely.is_missing(given) | shapely.is_empty(given))]
        kinds, names = _kinds(mine), _texts(mine, _NAMES)
    return gpd.GeoDataFrame({"kind": kinds, "name": names}, geometry=shapes, crs=wgs84)


def _kinds(table: pd.DataFrame) -> list[str]:
    """Find the kind of each row in the first column that names one."""
    columns = {str(name).strip().lower(): name for name in table.columns}
    kinds = np.full(len(table), "", dtype=object)
    for column in (columns[name] for name in _COLUMNS if name in columns):
        found: Any = [barrier_kind(str(value)) if pd.notna(value) else "" for value in table[column]]
        kinds = np.where(kinds == "", found, kinds)
    return [str(kind) for kind in kinds]


def _texts(table: pd.DataFrame, wanted: tuple[str, ...]) -> list[str]:
    columns = {str(name).strip().lower(): name for name in table.columns}
    found = next((columns[name] for name in wanted if name in columns), None)
    if found is None:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value).strip() for value in table[found]]
