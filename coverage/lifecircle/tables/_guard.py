"""Check a file before any library opens it, and find rows with a broken geometry.

GDAL follows references in a file to other files and servers, and a workbook can unpack to any size. So a
file is opened only when it begins as its name says, names no server, and unpacks to a size that can be read.
"""

from __future__ import annotations

import json
import re
import zipfile
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
    if suffix == ".xlsx":
        _check_size(path, name)


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
    """Raise UnusableInputError for a workbook that unpacks to more than :data:`WORKBOOK_MB`.

    Sizes are read from the directory of the file, so nothing is unpacked.

    Raises
    ------
    UnusableInputError
        It does.
    """
    try:
        with zipfile.ZipFile(path) as book:
            size_mb = sum(part.file_size for part in book.infolist()) / 1e6
    except zipfile.BadZipFile:
        return  # the reader says what is wrong with it
    if size_mb > WORKBOOK_MB:
        reason = say(
            "the workbook unpacks to {size} MB, more than {most} MB", size=f"{size_mb:,.0f}", most=WORKBOOK_MB
        )
        remedy = say("save the sheet that is meant as csv, or delete the empty rows and columns around it")
        raise UnusableInputError([Fault(name, "", "", reason, remedy)])


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
