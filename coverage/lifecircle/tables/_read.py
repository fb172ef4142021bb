"""Read a table of any format, with the row numbers a person sees."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from lifecircle.errors import Fault, Message, MissingFileError, UnusableInputError, machine_fault, say
from lifecircle.tables._csv import plausible_chinese, read_csv_file
from lifecircle.tables._guard import UNREADABLE, broken_geometries, check_file
from lifecircle.tables._overpass import is_overpass, read_overpass
from lifecircle.tables._postgres import is_database, read_database, shown_address, snapshot_of
from lifecircle.tables._workbook import read_workbook
from lifecircle.tables._xml_places import read_gpx, read_kml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Source: TypeAlias = "str | Path | pd.DataFrame | Table"
"""Source of a table: a path, a database URL, a frame (a GeoDataFrame is one), a table read before."""

IN_MEMORY = "(table)"


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was found.

    ``name`` : the file name as people know it, or ``(table)`` for a frame in memory.
    ``frame`` : the rows that are not blank. Its index, named ``row``, is the row number as a person sees it;
    csv cells are all text, missing where they are empty.
    ``first_row`` : number of the first row under the header (2 in most csv and xlsx, otherwise 1).
    ``notes`` : codes of what had to be recognised, joined or left out (see ``reason`` in wording).
    ``places`` : where several sheets are one table, row number -> sheet and row number there.
    """

    name: str
    frame: pd.DataFrame
    first_row: int
    notes: tuple[str, ...] = ()
    places: Mapping[int, tuple[str, int]] = field(default_factory=dict)

    def as_seen(self, rejects: pd.DataFrame) -> pd.DataFrame:
        """Return reject rows of this table with the sheet and the row number that people see."""
        if not self.places or rejects.empty:
            return rejects
        seen = [self.places.get(int(row), ("", int(row))) for row in rejects["row"]]
        names = [f"{file} [{sheet}]" for file, (sheet, _) in zip(rejects["file"], seen, strict=True)]
        return rejects.assign(file=names, row=[row for _, row in seen])


def read_table(
    source: Source, *, layer: str | None = None, sheet: str | None = None, header_row: int | None = None
) -> Table:
    """Read a table from a file or a frame; a frame in memory is copied, its named index becomes columns.

    Parameters
    ----------
    source : path, str or DataFrame
        csv (UTF-8 with or without BOM, UTF-16, else GB18030), xlsx, gpkg, shp, geojson (also as .json), an
        answer of Overpass (.json), kml, kmz, gpx (its waypoints), parquet, the address of a table in a
        database, or a frame. A table read before is returned as it is.
    layer : str, optional
        Layer of a GeoPackage; needed where it holds several.
    sheet : str, optional
        Sheet of a workbook; left out, sheets with the same column names are one table.
    header_row : int, optional
        Row of the column names in csv and xlsx, as a spreadsheet counts; left out, it is found.

    Returns
    -------
    table : the rows that are not blank, with the numbers that people see

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
        return _table(IN_MEMORY, _numbered(frame, 1), 1)
    if "://" in str(source):
        return _read_address(str(source))
    kept = snapshot_of(source)
    name = str(source) if kept is None else kept.address
    return _read_file(Path(source), name, _Choice(layer, sheet, header_row))


@dataclass(frozen=True)
class _Choice:
    """Layer, sheet and header row that a study gives for its table."""

    layer: str | None = None
    sheet: str | None = None
    header_row: int | None = None


def _read_file(path: Path, name: str, choice: _Choice) -> Table:
    suffix = path.suffix.lower()
    if not path.exists():
        raise MissingFileError([Fault(name, "", "", say("no such file"), _nearest_file(path))])
    reader = SUFFIXES.get(suffix)
    if reader is None or path.is_dir() != (suffix == ".gdb"):
        reason = say("is a folder, not a table") if path.is_dir() else say("unsupported format")
        remedy = say("give one of {formats}", formats=" ".join(SUFFIXES))
        raise UnusableInputError([Fault(name, "", suffix, reason, remedy)])
    _check_choice(name, suffix, choice)
    # Before any library opens the file: see ``_guard``.
    check_file(path, name)
    try:
        return reader(path, name, choice)
    except UnusableInputError:
        raise
    # The library only reports the first broken row, or none; the rows are searched for the office to repair.
    except UNREAD_GEOMETRY as error:
        if suffix in {".csv", ".xlsx"}:
            raise UnusableInputError([_unreadable(name, suffix, error)]) from error
        raise UnusableInputError(broken_geometries(path, name, choice.layer, error)) from error
    except UNREADABLE as error:
        # What the machine lacks for a moment says nothing of the file.
        fault = machine_fault(error, path) or _unreadable(name, suffix, error)
        raise UnusableInputError([fault]) from error


def _unreadable(name: str, suffix: str, error: Exception) -> Fault:
    reason = say("cannot be read as {suffix}: {why}", suffix=suffix, why=_one_line(error))
    return Fault(name, "", "", reason, say("open the file in the program it came from and save it again"))


UNREAD_GEOMETRY = (shapely.errors.ShapelyError, TypeError, AttributeError, LookupError, ArithmeticError)
"""Errors that readers raise at broken geometries and headers."""


def _check_choice(name: str, suffix: str, choice: _Choice) -> None:
    """Raise UnusableInputError for a layer, sheet or header row that this kind of file does not have.

    Raises
    ------
    UnusableInputError
        With every key that does not fit.
    """
    known = {"layer": {".gpkg", ".gdb", ".xlsx"}, "sheet": {".xlsx"}, "header_row": {".csv", ".xlsx"}}
    faults = [
        Fault(
            name,
            key,
            str(getattr(choice, key)),
            say("a {suffix} file has no {key}", suffix=suffix, key=key),
            say("leave {key} out", key=key),
        )
        for key, suffixes in known.items()
        if getattr(choice, key) is not None and suffix not in suffixes
    ]
    if faults:
        raise UnusableInputError(faults)


def _numbered(frame: pd.DataFrame, first_row: int) -> pd.DataFrame:
    frame.index = pd.RangeIndex(first_row, first_row + len(frame))
    return frame


def _table(
    name: str,
    frame: pd.DataFrame,
    first_row: int,
    notes: tuple[str, ...] = (),
    places: Mapping[int, tuple[str, int]] | None = None,
) -> Table:
    """Return a table made of a frame; raise UnusableInputError for doubled names and for no rows."""
    frame = frame.rename_axis("row").rename(columns=lambda column: str(column).strip().removeprefix("\ufeff"))
    # A frame with doubled names gives a frame and not a column when it is asked for one.
    doubled = frame.columns[frame.columns.duplicated()].unique()
    if len(doubled):
        faults = [
            Fault(
                name,
                say("column '{column}'", column=column),
                "",
                say("two columns of the same name"),
                say("rename one of them"),
            )
            for column in doubled
        ]
        raise UnusableInputError(faults)
    if frame.empty:
        raise UnusableInputError(
            [Fault(name, "", "", say("empty table: no row under the column names"), say("add rows"))]
        )
    return Table(name, frame, first_row, notes, places or {})


def _read_csv(path: Path, name: str, choice: _Choice) -> Table:
    frame, header, notes = read_csv_file(path, name, header_row=choice.header_row)
    return _table(name, _texts(frame), header + 1, notes)


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with text dtype in columns of text; a doubled name is refused later."""
    return frame.infer_objects() if frame.columns.is_unique else frame


def _read_xlsx(path: Path, name: str, choice: _Choice) -> Table:
    # Before sheets had a key of their own, a sheet was named as a layer is.
    found = read_workbook(path, name, sheet=choice.sheet or choice.layer, header_row=choice.header_row)
    return _table(name, found.frame, found.header + 1, found.notes, found.places)


def _read_vector(path: Path, name: str, choice: _Choice) -> Table:
    layers = [str(each) for each in pyogrio.list_layers(path)[:, 0]]
    layer = choice.layer
    if layer is not None and layer not in layers:
        place = say("layer '{layer}'", layer=layer)
        remedy = say("the file has {names}", names=", ".join(layers))
        raise UnusableInputError([Fault(name, place, "", say("no such layer"), remedy)])
    if layer is None and len(layers) > 1:
        reason = say(
            "holds {count} {count:layer|layers}: {names}", count=len(layers), names=", ".join(layers)
        )
        remedy = say('name the one that is meant: layer = "{layer}"', layer=layers[0])
        raise UnusableInputError([Fault(name, "", "", reason, remedy)])
    frame = _vector_frame(path, name, layer or layers[0])
    return _table(name, _numbered(frame, 1), 1)


def _vector_frame(path: Path, name: str, layer: str) -> Any:
    """Read a layer; a shapefile without an encoding is read as Chinese only where that gives Chinese.

    Raises
    ------
    UnusableInputError
        Its texts are neither UTF-8 nor Chinese.
    """
    for encoding in _encodings(path):
        try:
            with warnings.catch_warnings():
                # A cell that looks like JSON and is none stays the text it is.
                warnings.filterwarnings("ignore", "Could not parse column", UserWarning)
                frame = pyogrio.read_dataframe(path, layer=layer, encoding=encoding)
                if frame.empty:  # GDAL takes a read that failed for the end of the file
                    frame = pyogrio.read_dataframe(path, layer=layer, encoding=encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "gb18030" or plausible_chinese(_all_text(frame)):
            return frame
    reason = say("texts are neither UTF-8 nor GB18030")
    remedy = say("add a .cpg file that names the encoding")
    raise UnusableInputError([Fault(name, "", "", reason, remedy)])


def _all_text(frame: Any) -> str:
    """Return all texts of a frame in one, its column names too."""
    texts = pd.DataFrame(frame).select_dtypes(include=["object", "string"])
    cells = [cell for column in texts for cell in texts[column] if isinstance(cell, str)]
    return "\n".join([*map(str, frame.columns), *cells])


def _read_geojson(path: Path, name: str, choice: _Choice) -> Table:
    """Read GeoJSON; one without a feature has no layer for the reader, so this is checked first."""
    if path.stat().st_size < 10_000:
        content = json.loads(path.read_bytes())
        if isinstance(content, dict) and content.get("features") == []:
            return _table(name, pd.DataFrame(), 1)
    if is_overpass(path):
        return _table(name, _numbered(read_overpass(path, name), 1), 1)
    return _read_vector(path, name, choice)


def _read_kml(path: Path, name: str, _choice: _Choice) -> Table:
    return _table(name, _numbered(read_kml(path, name), 1), 1)


def _read_gpx(path: Path, name: str, _choice: _Choice) -> Table:
    frame, lines = read_gpx(path, name)
    return _table(name, _numbered(frame, 1), 1, (f"lines_left_out:{lines}",) if lines else ())


def _encodings(path: Path) -> tuple[str | None, ...]:
    """Return the encodings to try: a shapefile without one holds UTF-8 or Chinese Windows text."""
    if path.suffix.lower() != ".shp" or any(path.with_suffix(end).exists() for end in (".cpg", ".CPG")):
        return (None,)
    return ("utf-8", "gb18030")


def _read_parquet(path: Path, name: str, _choice: _Choice) -> Table:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only this format needs it, and it is slow to load

    if b"geo" in (pq.read_schema(path).metadata or {}):
        frame = gpd.read_parquet(path)
    else:
        frame = pd.read_parquet(path)
    named = [level for level in frame.index.names if level is not None and level not in frame.columns]
    return _table(name, _numbered(frame.reset_index(level=named) if named else frame, 1), 1)


SUFFIXES: dict[str, Callable[[Path, str, _Choice], Table]] = {
    ".csv": _read_csv,
    ".xlsx": _read_xlsx,
    ".gpkg": _read_vector,
    ".shp": _read_vector,
    ".gdb": _read_vector,
    ".geojson": _read_geojson,
    ".json": _read_geojson,
    ".parquet": _read_parquet,
    ".kml": _read_kml,
    ".kmz": _read_kml,
    ".gpx": _read_gpx,
}
"""Formats that are read, by the suffix of their files."""


RASTERS = (".tif", ".tiff")
"""Endings of files that are read as rasters, and not as tables."""


def is_raster(path: str | Path) -> bool:
    """Return whether a file is read as a raster, by its ending.

    Parameters
    ----------
    path : a file

    Returns
    -------
    raster : bool

    >>> is_raster("people.TIF"), is_raster("people.csv")
    (True, False)
    """
    return Path(path).suffix.lower() in RASTERS


def _nearest_file(path: Path) -> Message:
    import difflib  # noqa: PLC0415 - on the way to an error only

    if not path.parent.is_dir():
        return say("check the path: its folder is not there either")
    near = difflib.get_close_matches(path.name, sorted(each.name for each in path.parent.iterdir()), n=1)
    return say("did you mean '{name}'?", name=near[0]) if near else say("check the path")


def _read_address(url: str) -> Table:
    """Read a table of a database.

    Raises
    ------
    UnusableInputError
        The address is of no database that is read, shown without its password.
    """
    if is_database(url):
        return _table(shown_address(url), _numbered(read_database(url), 1), 1)
    name = shown_address(url)
    scheme = re.split(r"[+:]", url, maxsplit=1)[0].lower()
    raise UnusableInputError(
        [Fault(name, "", scheme, say("not a local file"), say("give the path of a file"))]
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
