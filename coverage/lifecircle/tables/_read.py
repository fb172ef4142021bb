"""Own reading a table, whatever its format, with the row numbers a person sees."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from zipfile import BadZipFile

import geopandas as gpd
import pandas as pd
import pyogrio

from lifecircle.errors import Fault, MissingExtraError, MissingFileError, UnusableInputError

if TYPE_CHECKING:
    from collections.abc import Callable

Source: TypeAlias = "str | Path | pd.DataFrame | Table"
"""Where a table comes from: a path, a database URL, a frame (a GeoDataFrame is one), a table read before."""

IN_MEMORY = "(table)"


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was found.

    ``name`` : the file name as people know it, or ``(table)`` for a frame in memory.
    ``frame`` : the rows that are not blank. Its index, named ``row``, is the row number as a person sees it;
    csv cells are all text, with missing where nothing stands.
    ``first_row`` : number of the first data row (2 under a header in csv and xlsx, otherwise 1).
    """

    name: str
    frame: pd.DataFrame
    first_row: int


def read_table(source: Source, *, layer: str | None = None) -> Table:
    """Read a table from a file or a frame; a frame in memory is copied, its named index becomes columns.

    Parameters
    ----------
    source : path, str or DataFrame
        csv (UTF-8 with or without BOM, else GB18030), xlsx, gpkg, shp, geojson, parquet, or a frame.
    layer : str, optional
        Layer of a GeoPackage or sheet of a workbook; needed where a GeoPackage holds several.

    Raises
    ------
    MissingFileError
        The file is not there.
    MissingExtraError
        A database URL without the packages that read databases.
    UnusableInputError
        The format is not supported, the file cannot be read, or the table has no row.

    >>> read_table(pd.DataFrame({"population": [3]})).frame.index.tolist()
    [1]
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, pd.DataFrame):
        named = [name for name in source.index.names if name is not None and name not in source.columns]
        frame = source.reset_index(level=named) if named else source.copy()
        return _table(IN_MEMORY, frame, 1)
    if "://" in str(source):
        return _refuse_url(str(source))
    return _read_file(Path(source), str(source), layer)


def _read_file(path: Path, name: str, layer: str | None) -> Table:
    suffix = path.suffix.lower()
    if not path.exists():
        raise MissingFileError([Fault(name, "", "", "no such file", _nearest_file(path))])
    reader = SUFFIXES.get(suffix)
    if reader is None or path.is_dir():
        reason = "is a folder, not a table" if path.is_dir() else "unsupported format"
        raise UnusableInputError([Fault(name, "", suffix, reason, f"give one of {' '.join(SUFFIXES)}")])
    try:
        frame = reader(path, name, layer)
    except UnusableInputError:
        raise
    except _UNREADABLE as error:
        reason = f"cannot be read as {suffix}: {_one_line(error)}"
        remedy = "open the file in the program it came from and save it again"
        raise UnusableInputError([Fault(name, "", "", reason, remedy)]) from error
    return _table(name, frame, 2 if suffix in {".csv", ".xlsx"} else 1)


_UNREADABLE = (OSError, ValueError, KeyError, BadZipFile, RuntimeError)
"""What the readers of broken files raise: pyarrow, pandas and GDAL errors are all among these."""


def _table(name: str, frame: pd.DataFrame, first_row: int) -> Table:
    """Make a table of a frame that nobody else holds: rows numbered, names cleaned, blank rows left out."""
    frame.index = pd.RangeIndex(first_row, first_row + len(frame), name="row")
    frame = frame.rename(columns=lambda column: str(column).strip().removeprefix("\ufeff"))
    doubled = frame.columns[frame.columns.duplicated()].unique()
    if len(doubled):
        faults = [
            Fault(name, f"column '{column}'", "", "two columns of the same name", "rename one of them")
            for column in doubled
        ]
        raise UnusableInputError(faults)
    if first_row == 2:
        frame = frame.dropna(how="all")
    if frame.empty:
        raise UnusableInputError(
            [Fault(name, "", "", "empty table: no row under the column names", "add rows")]
        )
    return Table(name, frame, first_row)


def _read_csv(path: Path, name: str, _layer: str | None) -> pd.DataFrame:
    """Read a csv as text throughout, so that codes keep their zeros and rows their numbers."""
    text = _decoded(path.read_bytes(), name)
    if not text.strip():
        raise UnusableInputError([Fault(name, "", "", "empty file", "write the column names and rows")])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        remedy = "write a quote inside a quoted cell twice, or save it from a spreadsheet program"
        raise UnusableInputError([Fault(name, f"line {reader.line_num}", "", str(error), remedy)]) from error
    header = rows[0]
    ragged = [
        Fault(
            name,
            f"row {number}",
            "",
            f"{len(row)} cells under {len(header)} columns",
            'quote cells that hold commas, as in "a, b"',
        )
        for number, row in enumerate(rows[1:], start=2)
        if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :])
    ]
    if ragged:
        raise UnusableInputError(ragged[:20])
    width = len(header)
    cells = [(row + [""] * width)[:width] for row in rows[1:]]
    names = [column or f"column {number}" for number, column in enumerate(header, start=1)]
    if not cells:
        return pd.DataFrame(columns=names)
    columns = [[cell.strip() or None for cell in column] for column in zip(*cells, strict=True)]
    return pd.DataFrame({number: pd.Series(column) for number, column in enumerate(columns)}).set_axis(
        names, axis=1
    )


def _decoded(raw: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    fault = Fault(name, "", "", "neither UTF-8 nor GB18030 text", "save it as 'CSV UTF-8'")
    raise UnusableInputError([fault])


def _read_xlsx(path: Path, name: str, layer: str | None) -> pd.DataFrame:
    with warnings.catch_warnings():
        # openpyxl warns about drop-down lists and styles it does not keep: nothing is lost by reading.
        warnings.simplefilter("ignore", UserWarning)
        sheets = pd.read_excel(
            path, sheet_name=None, dtype=object, keep_default_na=False, na_values=[""], engine="openpyxl"
        )
    if layer is not None and layer not in sheets:
        raise UnusableInputError([_no_layer(name, layer, list(sheets), "sheet")])
    return sheets[layer] if layer is not None else next(iter(sheets.values()))


def _read_vector(path: Path, name: str, layer: str | None) -> Any:
    layers = [str(each) for each in pyogrio.list_layers(path)[:, 0]]
    if layer is not None and layer not in layers:
        raise UnusableInputError([_no_layer(name, layer, layers, "layer")])
    if layer is None and len(layers) > 1:
        reason = f"holds {len(layers)} layers: {', '.join(layers)}"
        raise UnusableInputError(
            [Fault(name, "", "", reason, "save the one that is meant in a file of its own")]
        )
    for encoding in _encodings(path):
        try:
            return pyogrio.read_dataframe(path, layer=layer or layers[0], encoding=encoding)
        except UnicodeDecodeError:
            continue
    raise UnusableInputError(
        [
            Fault(
                name, "", "", "texts are neither UTF-8 nor GB18030", "add a .cpg file that names the encoding"
            )
        ]
    )


def _read_geojson(path: Path, name: str, layer: str | None) -> Any:
    """Read GeoJSON; one without a feature has no layer for the reader below, so it is asked about first."""
    if path.stat().st_size < 10_000:
        content = json.loads(path.read_bytes())
        if isinstance(content, dict) and content.get("features") == []:
            return pd.DataFrame()
    return _read_vector(path, name, layer)


def _encodings(path: Path) -> tuple[str | None, ...]:
    """Name the encodings to try: a shapefile that does not say holds UTF-8 or Chinese Windows text."""
    if path.suffix.lower() != ".shp" or any(path.with_suffix(end).exists() for end in (".cpg", ".CPG")):
        return (None,)
    return ("utf-8", "gb18030")


def _read_parquet(path: Path, _name: str, _layer: str | None) -> Any:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only this format needs it, and it is slow to load

    if b"geo" in (pq.read_schema(path).metadata or {}):
        frame = gpd.read_parquet(path)
    else:
        frame = pd.read_parquet(path)
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    return frame.reset_index(level=named) if named else frame


SUFFIXES: dict[str, Callable[[Path, str, str | None], Any]] = {
    ".csv": _read_csv,
    ".xlsx": _read_xlsx,
    ".gpkg": _read_vector,
    ".shp": _read_vector,
    ".geojson": _read_geojson,
    ".parquet": _read_parquet,
}
"""Formats that are read, by the suffix of their files."""


def _no_layer(name: str, layer: str, present: list[str], kind: str) -> Fault:
    return Fault(name, f"{kind} '{layer}'", "", f"no such {kind}", f"the file has {', '.join(present)}")


def _nearest_file(path: Path) -> str:
    import difflib  # noqa: PLC0415 - on the way to an error only

    if not path.parent.is_dir():
        return "check the path: its folder is not there either"
    near = difflib.get_close_matches(path.name, sorted(each.name for each in path.parent.iterdir()), n=1)
    return f"did you mean '{near[0]}'?" if near else "check the path"


def _refuse_url(url: str) -> Table:
    """Refuse what is no local file, without repeating a password."""
    name = re.sub(r"//[^/@]*@", "//***@", url)
    scheme = re.split(r"[+:]", url, maxsplit=1)[0].lower()
    if scheme in {"postgresql", "postgres", "postgis"}:
        if importlib.util.find_spec("sqlalchemy") is None:
            raise MissingExtraError("sqlalchemy", "postgis")
        fault = Fault(
            name, "", "", "tables in a database cannot be read yet", "export the table to a GeoPackage"
        )
        raise UnusableInputError([fault])
    raise UnusableInputError([Fault(name, "", scheme, "not a local file", "give the path of a file")])


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
