"""Own the opening of layers of lines and barriers: which layer is meant, and what a file may not be.

A file is opened only when it begins as its name says: GDAL would else follow what stands in it to other
files and servers. The reading itself is that of ``tables``.
"""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyogrio
import shapely

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.tables import Table, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecircle.roads._network import ObjectArray

_BEGINNINGS: Final = {
    ".gpkg": b"SQLite format 3\x00",
    ".shp": b"\x00\x00\x27\x0a",
    ".parquet": b"PAR1",
    ".geojson": b"{",
}

_FIRST_CHOICES = ("edges", "lines")
"""Names of the layers of roads in files of OSMnx, and in those that GDAL makes of OpenStreetMap."""

_SHOWN = 10


def open_layer(source: Any, layer: str | None) -> tuple[Table, tuple[str, ...]]:
    """Read a layer of lines from a file, or take a table in memory.

    Parameters
    ----------
    source : path, frame or table
    layer : its name; left out, the only one, or the one that holds lines.

    Returns
    -------
    table, notes : codes of what was chosen.

    Raises
    ------
    MissingFileError, UnusableInputError
        The file is not there, is not what its name says, cannot be read, or holds several layers of lines.
    """
    if isinstance(source, Table):
        return source, ()
    if isinstance(source, pd.DataFrame) or "://" in str(source):
        return read_table(source, layer=layer), ()
    path = Path(source)
    notes: tuple[str, ...] = ()
    if path.is_file():
        _check_beginning(path)
        if layer is None and path.suffix.lower() == ".gpkg":
            layer, notes = _chosen_layer(path)
    try:
        with warnings.catch_warnings():
            # a cell that looks like JSON and is none stays the text it is
            warnings.filterwarnings("ignore", "Could not parse column", UserWarning)
            table = read_table(source, layer=layer)
    except _UNREAD as error:
        raise UnusableInputError(_broken_geometries(path, layer, error)) from error
    return table, (*notes, *getattr(table, "notes", ()))


_UNREAD = (shapely.errors.ShapelyError, TypeError, AttributeError, IndexError, ArithmeticError)
"""What geometries and headers that are cut or bent let the readers raise."""


def _check_beginning(path: Path) -> None:
    """Refuse a file that does not begin as its name says, and GeoJSON that names its CRS by a link.

    Raises
    ------
    UnusableInputError
        It is such a file.
    """
    suffix = path.suffix.lower()
    begins = _BEGINNINGS.get(suffix)
    if begins is None:
        return
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf")
    if suffix == ".geojson":
        head = head.lstrip()
    if not head.startswith(begins) or b"gdal_streamed_alg" in head:
        reason = say("this is not a {suffix} file, whatever its name says", suffix=suffix)
        remedy = say("export the layer again as {suffix}, or give the file its true ending", suffix=suffix)
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)])
    if suffix == ".geojson":
        _check_no_link(path)


def _check_no_link(path: Path) -> None:
    """Refuse GeoJSON whose CRS is a link: reading it would ask a server.

    Raises
    ------
    UnusableInputError
        There is such a link.
    """
    content = path.read_bytes()
    if not re.search(rb'"link"|\\u00', content, re.IGNORECASE):
        return
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return  # the reader says what is wrong with it
    crs = document.get("crs") if isinstance(document, dict) else None
    if isinstance(crs, dict) and str(crs.get("type", "")).lower() == "link":
        reason = say("the coordinate system is a link, and links are not followed")
        remedy = say("export the layer again in longitude and latitude (EPSG:4326)")
        raise UnusableInputError([Fault(str(path), "crs", "link", reason, remedy)])


def _chosen_layer(path: Path) -> tuple[str | None, tuple[str, ...]]:
    """Choose the layer of lines of a GeoPackage; None where there is one layer only.

    Raises
    ------
    UnusableInputError
        There are several layers of lines, and none has a name that says which is meant.
    """
    try:
        layers = [(str(name), str(kind)) for name, kind in pyogrio.list_layers(path)]
    except RuntimeError:
        return None, ()  # the reader says what is wrong with it
    if len(layers) < 2:
        return None, ()
    lines = [name for name, kind in layers if "LineString" in kind]
    chosen = next((name for name in _FIRST_CHOICES if name in lines), lines[0] if len(lines) == 1 else None)
    if chosen is None:
        names = ", ".join(name for name, _ in layers)
        reason = say("the file holds several layers: {names}", names=names)
        remedy = say("name the one that is meant: layer = '{layer}'", layer=(lines or [layers[0][0]])[0])
        raise UnusableInputError([Fault(str(path), "", "", reason, remedy)])
    return chosen, (f"layer_used:{code_text(chosen)}|{len(layers)}",)


def code_text(word: str) -> str:
    """Put a word of an input into the argument of a code: one line, short, none of the code's own signs."""
    return " ".join(word.split()).replace("|", "/")[:40]


def _broken_geometries(path: Path, layer: str | None, error: Exception) -> list[Fault]:
    """Name the rows whose geometry cannot be read; the file alone where none is found."""
    rows = _unread_rows(path, layer)
    remedy = say("draw the shape of this row again, or delete the row")
    reason = say("the geometry of this row cannot be read")
    if len(rows):
        return [
            Fault(str(path), f"row {row}, column 'geometry'", "", reason, remedy) for row in rows[:_SHOWN]
        ]
    why = " ".join(str(error).split())[:200] or type(error).__name__
    reason = say("the layer cannot be read: {why}", why=why)
    return [
        Fault(str(path), "", "", reason, say("open the layer in the program it came from and save it again"))
    ]


def _unread_rows(path: Path, layer: str | None) -> Sequence[int]:
    try:
        raw = _raw_geometries(path, layer)
        shapes = shapely.from_wkb(raw, on_invalid="ignore")
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, shapely.errors.ShapelyError):
        return []
    there = np.array([item is not None for item in raw], dtype=bool)
    broken: list[int] = (np.flatnonzero(there & shapely.is_missing(shapes)) + 1).tolist()
    return broken


def _raw_geometries(path: Path, layer: str | None) -> ObjectArray:
    """Read the geometries of a file as bytes, none of them understood."""
    if path.suffix.lower() != ".parquet":
        raw: ObjectArray = pyogrio.raw.read(path, layer=layer, columns=[])[2]
        return raw
    import pyarrow.parquet as pq  # noqa: PLC0415 - only this format needs it, and it is slow to load

    geo = json.loads((pq.read_schema(path).metadata or {})[b"geo"])
    column = pq.read_table(path, columns=[geo["primary_column"]]).column(0)
    return np.array(column.to_pylist(), dtype=object)
