"""Own writing a table so that a reader never meets half of one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.files import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table as csv that spreadsheets and scripts read alike, the same bytes for the same table.

    UTF-8 with a byte order mark, line feeds alone, floats in their shortest form that reads back equal,
    nothing where a value is missing. A named index goes first, an unnamed one is left out.
    """
    text = frame.to_csv(index=any(name is not None for name in frame.index.names), lineterminator="\n")
    with written(path) as fresh:
        fresh.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))


def write_layers(path: str | Path, layers: Mapping[str, pd.DataFrame]) -> None:
    """Write one GeoPackage with a layer for each frame, in the order given: same frames, same bytes.

    A frame without geometry becomes a table; a named index becomes its first columns.

    Raises
    ------
    ValueError
        When there is no layer, or a geometry is in no CRS.
    UnusableInputError
        When it cannot be written.
    """
    if not layers:
        raise ValueError("a GeoPackage needs at least one layer")
    for name, layer in layers.items():
        if _has_geometry(layer) and layer.crs is None:
            raise ValueError(f"layer {name} has no coordinate system")
    with _writing(path), written(path) as fresh, _gdal_options(_PLAIN):
        for name, layer in layers.items():
            named = [level for level in layer.index.names if level is not None]
            plain = _storable(layer.reset_index(level=named) if named else layer)
            pyogrio.write_dataframe(
                plain,
                fresh,
                layer=name,
                driver="GPKG",
                append=fresh.exists(),
                geometry_type=_geometry_type(plain),
                use_arrow=True,
            )


@contextmanager
def _writing(path: str | Path) -> Iterator[None]:
    """Raise what GDAL reports of a disk that is full or gone as a fault: it has no error number to go by."""
    try:
        yield
    except (DataSourceError, DataLayerError) as error:
        reason = say("cannot be written: {text}", text=" ".join(str(error).split()))
        remedy = say("make room on the disk, or name a place on another")
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)]) from error


@contextmanager
def _gdal_options(options: Mapping[str, str]) -> Iterator[None]:
    """Set options of GDAL for the block, and back to what they were."""
    before = {name: pyogrio.get_gdal_config_option(name) for name in options}
    pyogrio.set_gdal_config_options(dict(options))
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


_PLAIN = {
    # the same day in every GeoPackage, not today's, so that equal layers are equal files
    "OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z",
    # no flush to disk after every layer: the whole file is flushed before it takes its place
    "OGR_SQLITE_SYNCHRONOUS": "OFF",
}


def _has_geometry(frame: pd.DataFrame) -> bool:
    return getattr(frame, "active_geometry_name", None) is not None


def _geometry_type(frame: Any) -> str | None:
    """Name the type of a layer none of whose geometries would say it; None leaves it to the writer."""
    if not _has_geometry(frame) or frame.geometry.notna().any():
        return None
    return "Point" if len(frame) else "Unknown"


def _storable(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of mixed objects into text: a layer has one type in a column."""
    mixed = {
        column: frame[column].map(lambda cell: None if pd.isna(cell) else str(cell))
        for column in frame.columns
        if frame[column].dtype == np.dtype(object) and not isinstance(frame[column], gpd.GeoSeries)
    }
    return frame.assign(**mixed) if mixed else frame
