"""Choose the layer of a file that holds the roads or barriers; ``tables`` does the reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.tables import Table, check_file, read_table

_FIRST_CHOICES = ("edges", "lines")
"""Names of the layers of roads in files of OSMnx, and in those that GDAL makes of OpenStreetMap."""


def open_layer(source: Any, layer: str | None) -> tuple[Table, tuple[str, ...]]:
    """Read a layer of lines from a file, or take a table in memory.

    Parameters
    ----------
    source : path, frame or table
    layer : its name; left out, the only layer, or the only one with lines.

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
    if path.exists():
        if path.is_file():
            check_file(path, str(path))
        if layer is None and path.suffix.lower() in {".gpkg", ".gdb"}:
            layer, notes = _chosen_layer(path)
    table = read_table(source, layer=layer)
    return table, (*notes, *table.notes)


def _chosen_layer(path: Path) -> tuple[str | None, tuple[str, ...]]:
    """Choose the layer of lines of a GeoPackage or geodatabase; None where there is one layer only.

    Raises
    ------
    UnusableInputError
        There are several layers of lines, and none has a name that says which is meant.
    """
    try:
        layers = [(str(name), str(kind)) for name, kind in pyogrio.list_layers(path)]
    except (RuntimeError, pyogrio.errors.DataSourceError):
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
    """Return a word of an input as the argument of a code: one line, short, without the code's own signs."""
    return " ".join(word.split()).replace("|", "/")[:40]
