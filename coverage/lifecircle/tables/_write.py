"""Write a table so that a reader never finds half of one."""

from __future__ import annotations

import io
import re
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype
from pyogrio.errors import DataLayerError, DataSourceError

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.files import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table as csv that spreadsheets and scripts read alike, the same bytes for the same table.

    UTF-8 with a byte order mark, line feeds alone, floats in the shortest form that reads back equal,
    nothing where a value is missing. A named index is written first, an unnamed one is left out. A text that
    a spreadsheet would run as a formula is written as :func:`unarmed` returns it.

    Parameters
    ----------
    frame : any columns
    path : the file; its folder must exist

    Raises
    ------
    FileNotFoundError
        When the folder does not exist.
    """
    named = [level for level in frame.index.names if level is not None]
    plain = frame.reset_index(level=named) if named else frame
    safe = plain.set_axis([unarmed(name) for name in plain.columns], axis=1)
    for place, column in enumerate(plain.columns):
        if not (is_numeric_dtype(plain[column]) or is_datetime64_any_dtype(plain[column])):
            safe.isetitem(place, plain[column].map(unarmed))
    text = safe.to_csv(index=False, lineterminator="\n")
    with written(path) as fresh:
        fresh.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))


def unarmed(cell: Any) -> Any:
    """Return a text with an apostrophe before it where a spreadsheet would run it as a formula.

    Such a text begins with ``=``, ``+``, ``-``, ``@``, a tab or a return and is not a number. Anything else
    is returned unchanged.
    :func:`rearmed` returns the original text.

    Parameters
    ----------
    cell : value of a cell

    Returns
    -------
    cell : text with an apostrophe, or the value as it is

    References
    ----------
    OWASP, CSV injection.

    >>> [unarmed(text) for text in ("=1+1", "-12.5 %", "+86 573", "school", "'=a")]
    ["'=1+1", '-12.5 %', "'+86 573", 'school', "''=a"]
    """
    if not isinstance(cell, str) or not _ARMED.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def rearmed(cell: Any) -> Any:
    """Return a text of a csv of this package as it was before :func:`unarmed`.

    Parameters
    ----------
    cell : value of a cell as read

    Returns
    -------
    cell : text without the apostrophe, or the value as it is

    >>> [rearmed(text) for text in ("'=1+1", "-12.5 %", "'s-Hertogenbosch", "''=a")]
    ['=1+1', '-12.5 %', "'s-Hertogenbosch", "'=a"]
    """
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and _ARMED.match(cell) else cell


_ARMED = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d[\d,]*)?\.?\d+([eE][+-]?\d+)?( ?%)?")


def write_layers(path: str | Path, layers: Mapping[str, pd.DataFrame]) -> None:
    """Write one GeoPackage with a layer for each frame, in the order given; equal frames give equal bytes.

    A frame without geometry becomes a table; a named index becomes its first columns.

    Parameters
    ----------
    path : the file
    layers : name of the layer -> frame

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
        _check_whole(fresh, Path(path), layers)


def write_features(path: str | Path, layer: gpd.GeoDataFrame) -> None:
    """Write one layer as GeoJSON or GeoParquet, by the ending of the name; equal layers give equal bytes.

    GeoJSON is that of RFC 7946: longitude and latitude of WGS84, seven decimals. A named index becomes the
    first columns.

    Parameters
    ----------
    path : a ``.geojson`` or ``.parquet``; its folder must exist
    layer : in any CRS

    Raises
    ------
    ValueError
        When the name has another ending, or a geometry is in no CRS.
    UnusableInputError
        When it cannot be written.
    """
    path = Path(path)
    if path.suffix not in {".geojson", ".parquet"}:
        raise ValueError(f"{path.name}: write .geojson or .parquet")
    if layer.crs is None:
        raise ValueError(f"layer {path.stem} has no coordinate system")
    named = [level for level in layer.index.names if level is not None]
    plain = _storable(layer.reset_index(level=named) if named else layer)
    with _writing(path), written(path) as fresh:
        if path.suffix == ".parquet":
            plain.to_parquet(fresh, index=False)
        else:
            # Written by the name of the layer, not of the file: GDAL puts it into the file.
            degrees, content = plain.to_crs("EPSG:4326"), io.BytesIO()
            pyogrio.write_dataframe(degrees, content, layer=path.stem, driver="GeoJSON", RFC7946="YES")
            fresh.write_bytes(content.getvalue())  # not by GDAL, which goes on after an error of the disk


def _check_whole(fresh: Path, final: Path, layers: Mapping[str, pd.DataFrame]) -> None:
    """Count the rows of a GeoPackage that was just written: GDAL goes on after some errors of the disk.

    Raises
    ------
    UnusableInputError
        The file is not what was to be written.
    """
    rows = {name: len(layer) for name, layer in layers.items()}
    try:
        with closing(sqlite3.connect(f"{fresh.absolute().as_uri()}?mode=ro", uri=True)) as base:
            whole = base.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            quoted = {name: '"' + name.replace('"', '""') + '"' for name in rows}
            found = {
                name: base.execute(f"SELECT count(*) FROM {quoted[name]}").fetchone()[0]  # noqa: S608 - quoted
                for name in rows
            }
            whole = whole and _is_noted(base, layers) and _is_indexed(base)
    except sqlite3.Error:
        whole, found = False, {}
    if not whole or found != rows:
        reason = say("what was written is not whole: the disk lost a part of it")
        remedy = say("check the disk, and run again")
        raise UnusableInputError([Fault(str(final), "", "", reason, remedy, of_system=True)])


def _is_noted(base: sqlite3.Connection, layers: Mapping[str, pd.DataFrame]) -> bool:
    """Return whether GDAL has noted how many rows every layer has and where they lie: readers go by it."""
    noted = dict(base.execute("SELECT table_name, feature_count FROM gpkg_ogr_contents").fetchall())
    lying = {name for (name,) in base.execute("SELECT table_name FROM gpkg_contents WHERE min_x IS NOT NULL")}
    placed = {
        name
        for name, layer in layers.items()
        if isinstance(layer, gpd.GeoDataFrame)
        and _has_geometry(layer)
        and np.isfinite(layer.total_bounds).all()
    }
    return noted == {name: len(layer) for name, layer in layers.items()} and placed <= lying


def _is_indexed(base: sqlite3.Connection) -> bool:
    """Return whether every layer with shapes has its spatial index; GDAL leaves it out without a word."""
    drawn = {name for (name,) in base.execute("SELECT table_name FROM gpkg_geometry_columns")}
    if not drawn:
        return True
    wanted = "SELECT table_name FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'"
    return drawn <= {name for (name,) in base.execute(wanted)}


@contextmanager
def _writing(path: str | Path) -> Iterator[None]:
    """Raise errors of GDAL about a full or missing disk as faults: GDAL gives no error number."""
    try:
        yield
    except (DataSourceError, DataLayerError) as error:
        reason = say("cannot be written: {text}", text=" ".join(str(error).split()))
        remedy = say("make room on the disk, or name a place on another")
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)]) from error


@contextmanager
def _gdal_options(options: Mapping[str, str]) -> Iterator[None]:
    """Set options of GDAL while the block runs, and restore them."""
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
    """Return the type of a layer whose geometries do not show it; None leaves it to the writer."""
    if not _has_geometry(frame) or frame.geometry.notna().any():
        return None
    return "Point" if len(frame) else "Unknown"


def _storable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with columns of mixed objects as text: a layer has one type in a column."""
    mixed = {
        column: frame[column].map(lambda cell: None if pd.isna(cell) else str(cell))
        for column in frame.columns
        if frame[column].dtype == np.dtype(object) and not isinstance(frame[column], gpd.GeoSeries)
    }
    return frame.assign(**mixed) if mixed else frame
