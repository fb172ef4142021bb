"""Check a file before any library opens it, and find rows with a broken geometry.

GDAL follows references in a file to other files and servers, and a workbook can unpack to any size. So a
file is opened only when it begins as its name says, names no server, and unpacks to a size that can be read.
"""

from __future__ import annotations

import json
import re
import sqlite3
import struct
import zipfile
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Final

import numpy as np
import pyogrio
import pyproj
import shapely

from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    import numpy.typing as npt

    from lifecircle.errors import Message

UNREADABLE: Final = (
    OSError,
    ValueError,
    KeyError,
    RuntimeError,
    SyntaxError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
"""Errors that readers raise at broken files: those of zipfile, pyarrow, pandas, GDAL and XML are there."""

_BEGINNINGS: Final = {
    ".gpkg": (b"SQLite format 3\x00",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".parquet": (b"PAR1",),
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".xlsx": (b"PK\x03\x04", b"PK\x05\x06"),
    ".kmz": (b"PK\x03\x04", b"PK\x05\x06"),
    # of UTF-16 the mark alone is known here
    ".kml": (b"<", b"\xff\xfe<", b"\xfe\xff\x00<"),
    ".gpx": (b"<", b"\xff\xfe<", b"\xfe\xff\x00<"),
}
_TEXT: Final = frozenset({".geojson", ".json", ".kml", ".gpx"})
_JSON: Final = frozenset({".geojson", ".json"})

WORKBOOK_MB: Final = 600
"""Megabytes that a workbook may unpack to; a million filled rows of ten columns take about 400."""

PART_MB: Final = 100
"""Megabytes of a part of a workbook that is read whole, such as its texts or its styles."""

COLUMNS: Final = 16_384
"""Columns that a table may have: as many as a spreadsheet."""

_BOMB_MB: Final = 400
"""Megabytes that any parquet may unpack to, however small it is."""

_BOMB_TIMES: Final = 200
"""How many times its size parquet may unpack to beyond that; good tables take up to about forty times."""

_SHOWN = 10


def check_file(path: Path, name: str) -> None:
    """Raise UnusableInputError for a file that is of another kind, names a server, or unpacks too large.

    Parameters
    ----------
    path : the file
    name : its name in the fault

    Raises
    ------
    UnusableInputError
        The file does not begin as its ending says, holds a link to a coordinate system, or is too large.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        _check_columns(path, name)
    begins = _BEGINNINGS.get(suffix)
    if begins is None:
        return
    with path.open("rb") as file:
        # The first bytes decide and not the ending: a library given the wrong kind may run what it holds.
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf")
    if suffix in _TEXT:
        head = head.lstrip()
    # An empty file is left to its reader, whose message says so.
    if head and (not head.startswith(begins) or b"gdal_streamed_alg" in head):
        reason = say("cannot be read as {suffix}: it is a file of another kind", suffix=suffix)
        remedy = say("export the layer again as {suffix}, or give the file its true ending", suffix=suffix)
        raise UnusableInputError([Fault(name, "", "", reason, remedy)])
    if suffix in _JSON:
        _check_crs(path, name)
    further = {".xlsx": _check_size, ".gpkg": _check_views, ".parquet": _check_pages}.get(suffix)
    if head and further is not None:
        further(path, name)


def _check_columns(path: Path, name: str) -> None:
    """Raise UnusableInputError for a csv of more columns than a table has: each costs as much as a table.

    Raises
    ------
    UnusableInputError
        Its first line has.
    """
    with path.open("rb") as file:
        first = file.readline(64 * COLUMNS)
    if max(first.count(sign) for sign in (b",", b";", b"\t", b"|")) >= COLUMNS:
        reason = say("the table has more than {most} columns", most=f"{COLUMNS:,}")
        raise UnusableInputError([Fault(name, say("line {line}", line=1), "", reason, _LESS)])


_LESS: Final = say("save the rows and columns that are meant in a file of their own")


def _check_views(path: Path, name: str) -> None:
    """Raise UnusableInputError for a GeoPackage with a view that counts on for ever.

    Raises
    ------
    UnusableInputError
        It holds one.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            views = base.execute(
                "SELECT name FROM sqlite_master WHERE type = 'view' AND sql LIKE '%recursive%'"
            )
            found = [str(one) for (one,) in views]
    except sqlite3.Error:
        return  # the reader says what is wrong with it
    if found:
        place, reason = (
            say("layer '{layer}'", layer=found[0]),
            say("a layer that is computed, and may never end"),
        )
        remedy = say("export the layer again, as a table")
        raise UnusableInputError([Fault(name, place, "", reason, remedy)])


def _check_pages(path: Path, name: str) -> None:
    """Raise UnusableInputError for parquet that unpacks to very much more than it is.

    Raises
    ------
    UnusableInputError
        It does.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - only this format needs it, and it is slow to load

    try:
        facts = pq.read_metadata(path)
    except (OSError, ValueError):
        return  # the reader says what is wrong with it
    # A cell takes eight bytes at least once it is read, however often it repeats in the file.
    size = facts.num_rows * facts.num_columns * 8
    stated = sum(facts.row_group(at).total_byte_size for at in range(facts.num_row_groups))
    if max(size, stated) / 1e6 > max(_BOMB_MB, _BOMB_TIMES * path.stat().st_size / 1e6):
        reason = say(
            "holds {rows} rows, which unpack to {size} MB, in a file of {packed} MB",
            rows=f"{facts.num_rows:,}",
            size=f"{max(size, stated) / 1e6:,.0f}",
            packed=f"{path.stat().st_size / 1e6:,.1f}",
        )
        raise UnusableInputError([Fault(name, "", "", reason, _LESS)])


def _check_crs(path: Path, name: str) -> None:
    """Raise UnusableInputError for GeoJSON with a CRS that is not a name: a link would ask a server.

    Raises
    ------
    UnusableInputError
        There is such a CRS.
    """
    content = path.read_bytes()
    # A quick test: most files state no CRS. Escaped letters are parsed too, because a key may be written so.
    if not re.search(rb"crs|\\u00", content):
        return
    stated: list[dict[str, Any]] = []

    def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Keep every CRS while the text is parsed."""
        # Every one counts, also of two in one place: which of them a library follows is its own affair.
        stated.extend(value for key, value in pairs if key == "crs" and isinstance(value, dict))
        return dict(pairs)

    try:
        json.loads(content, object_pairs_hook=noted)
    except RecursionError:
        reason, remedy = say("nested too deeply to be read"), say("export the layer again")
        raise UnusableInputError([Fault(name, "", "", reason, remedy)]) from None
    except ValueError:
        pass  # the reader says what is wrong with it, unless it would follow a link before
    for crs in stated:
        wrong = _unnamed(crs)
        if wrong is not None:
            found, reason = wrong
            remedy = say("export the layer again in longitude and latitude (EPSG:4326)")
            raise UnusableInputError([Fault(name, "crs", found[:_SHOWN_SIGNS], reason, remedy)])


def _unnamed(crs: dict[str, Any]) -> tuple[str, Message] | None:
    """Return what a CRS of GeoJSON is and the reason it is refused; None where it is a name.

    A link is not repeated: an address may hold a password.
    """
    kind, properties = str(crs.get("type")), crs.get("properties")
    if kind.casefold() in {"link", "url"}:
        return kind, say("the coordinate system is a link, and links are not followed")
    inside = properties if isinstance(properties, dict) else {}
    if kind == "EPSG" and isinstance(inside.get("code"), int):
        return None
    given = inside.get("name") if kind == "name" else None
    if isinstance(given, str) and _CRS_NAME.fullmatch(given.strip()):
        try:
            pyproj.CRS.from_user_input(given.strip())
        except pyproj.exceptions.CRSError:
            return given, say("no coordinate system of this name")
        return None
    shown = "" if given is None else re.sub(r"//[^/@]*@", "//***@", str(given))
    return shown or kind, say("no coordinate system of this name")


_CRS_NAME = re.compile(
    r"urn:(?:x-)?ogc:def:crs:[\w.:,-]+|[A-Za-z]+:\w+|https?://www\.opengis\.net/(?:def/crs|gml/srs)/[\w./#-]+"
)
_SHOWN_SIGNS = 80


def _check_size(path: Path, name: str) -> None:
    """Raise UnusableInputError for a workbook that unpacks too large, or whose XML has entities.

    Sizes are read from the directory of the file: of each part only the beginning is unpacked.

    Raises
    ------
    UnusableInputError
        It unpacks to more than :data:`WORKBOOK_MB`, a part that is read whole to more than :data:`PART_MB`,
        or it holds a document type.
    """
    try:
        with zipfile.ZipFile(path) as book:
            parts = book.infolist()
            size_mb = sum(part.file_size for part in parts) / 1e6
            for part in parts:
                _check_part(book, part, name)
    except UnusableInputError:
        raise  # a ValueError too
    except UNREADABLE:
        return  # the reader says what is wrong with it
    if size_mb > WORKBOOK_MB:
        reason = say(
            "the workbook unpacks to {size} MB, more than {most} MB", size=f"{size_mb:,.0f}", most=WORKBOOK_MB
        )
        remedy = say("save the sheet that is meant as csv, or delete the empty rows and columns around it")
        raise UnusableInputError([Fault(name, "", "", reason, remedy)])


def _check_part(book: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    """Raise UnusableInputError for a part of a workbook that harms whoever reads it.

    Raises
    ------
    UnusableInputError
        It does.
    """
    if not part.filename.lower().endswith((".xml", ".rels")):
        return
    place = say("part '{part}'", part=part.filename)
    if not part.filename.startswith("xl/worksheets/") and part.file_size / 1e6 > PART_MB:
        size = f"{part.file_size / 1e6:,.0f}"
        reason = say("holds {size} MB, more than {most} MB", size=size, most=f"{PART_MB:g}")
        remedy = say("save the sheet that is meant as csv, or delete the empty rows and columns around it")
        raise UnusableInputError([Fault(name, place, "", reason, remedy)])
    with book.open(part) as file:
        head = file.read(_PROLOG).replace(b"\x00", b"")
    # Entities are declared in a document type, which stands before the first element.
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        reason = say("holds a document type, which no file of this kind has")
        remedy = say("open the file in the program it came from and save it again")
        raise UnusableInputError([Fault(name, place, "", reason, remedy)])


_PROLOG: Final = 65_536


def check_unpacked(size_mb: float, most_mb: float, name: str) -> None:
    """Raise UnusableInputError for a file of a map program that is larger, unpacked, than can be read.

    Raises
    ------
    UnusableInputError
        It is.
    """
    if size_mb > most_mb:
        reason = say("holds {size} MB, more than {most} MB", size=f"{size_mb:,.0f}", most=f"{most_mb:g}")
        remedy = say("export the places that are meant alone")
        raise UnusableInputError([Fault(name, "", "", reason, remedy)])


def broken_geometries(path: Path, name: str, layer: str | None, error: Exception) -> list[Fault]:
    """Return faults with the rows whose geometry cannot be read; the file alone where none is found."""
    rows = _unread_rows(path, layer)
    if rows:
        reason = say("the geometry of this row cannot be read")
        remedy = say("draw the shape of this row again, or delete the row")
        places = [say("row {row}, column '{column}'", row=row, column="geometry") for row in rows[:_SHOWN]]
        return [Fault(name, place, "", reason, remedy) for place in places]
    why = " ".join(str(error).split())[:200] or type(error).__name__
    reason = say("the layer cannot be read: {why}", why=why)
    remedy = say("open the layer in the program it came from and save it again")
    return [Fault(name, "", "", reason, remedy)]


def _unread_rows(path: Path, layer: str | None) -> Sequence[int]:
    """Return the rows (from 1) whose geometry is not well-known binary; none where that is unreadable too."""
    try:
        raw = _raw_geometries(path, layer)
        shapes = shapely.from_wkb(raw, on_invalid="ignore")
    except (OSError, ValueError, LookupError, RuntimeError, TypeError, shapely.errors.ShapelyError):
        return []
    there = np.array([item is not None for item in raw], dtype=bool)
    broken: list[int] = (np.flatnonzero(there & shapely.is_missing(shapes)) + 1).tolist()
    return broken


def _raw_geometries(path: Path, layer: str | None) -> npt.NDArray[Any]:
    """Read the geometries of a file as bytes, without interpreting them."""
    if path.suffix.lower() != ".parquet":
        raw: npt.NDArray[Any] = pyogrio.raw.read(path, layer=layer, columns=[])[2]
        return raw
    import pyarrow.parquet as pq  # noqa: PLC0415 - only this format needs it, and it is slow to load

    geo = json.loads((pq.read_schema(path).metadata or {})[b"geo"])
    column = pq.read_table(path, columns=[geo["primary_column"]]).column(0)
    return np.array(column.to_pylist(), dtype=object)
