"""Look at the files that a new study is made from: their tables, sheets and layers as they are found.

What a table is for is decided in ``_role``; nothing here fails because a file is damaged, only
because the disk or the system is at fault.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import openpyxl
import pandas as pd
import pyogrio

from lifecircle.errors import Fault, LifecircleError, MissingFileError, UnusableInputError, machine_fault, say
from lifecircle.forms import LINES_FILE, form_datum
from lifecircle.standards import load_standard
from lifecircle.study import STUDY_FILE
from lifecircle.tables import SUFFIXES, check_file, headings_of, read_table
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lifecircle.tables import Table

FileKind = Literal["table", "osm", "graphml", "raster", "profile", "study", "unread"]
Shape = Literal["", "points", "lines", "polygons"]

_OSM = (".osm.pbf", ".pbf", ".osm", ".osm.xml")
_RASTER = (".tif", ".tiff")
_BESIDE = {".dbf", ".shx", ".prj", ".cpg", ".qix", ".sbn", ".sbx"}
"""Parts of a shapefile, which are read with it."""

_FIRST_BYTES = 1_000_000


@dataclass(frozen=True, eq=False)
class ShownTable:
    """One thing that was shown: a file, or a layer or sheet of one.

    ``kind`` : what kind of file it is; ``table`` : its rows, for a table; ``layer``, ``sheet`` : where in the
    file; ``shape`` : of its geometries, empty without any; ``encoding`` : of a csv file; ``datum`` : that a
    filled-in form states; ``why`` : why it could not be read.
    """

    path: Path
    kind: FileKind
    table: Table | None = None
    layer: str | None = None
    sheet: str | None = None
    shape: Shape = ""
    encoding: str = ""
    datum: str | None = None
    why: str = ""

    @property
    def name(self) -> str:
        """Return the name people know it by: the file's, with its layer or sheet."""
        part = self.layer or self.sheet
        return f"{self.path.name} [{part}]" if part else self.path.name

    @property
    def headings(self) -> list[str]:
        """Return the headings of the table, without that of its geometry."""
        return [] if self.table is None else headings_of(self.table)

    @property
    def frame(self) -> pd.DataFrame:
        """Return the rows; none for what is no table."""
        return pd.DataFrame() if self.table is None else self.table.frame


def files_shown(given: Sequence[Path]) -> list[Path]:
    """Return the files that were named, and those in folders that were named, each once, in order.

    Raises
    ------
    MissingFileError
        With every path that is not there.
    """
    faults = [
        Fault(str(path), "", "", say("no such file"), say("check the path"))
        for path in given
        if not path.exists()
    ]
    if faults:
        raise MissingFileError(faults)
    found: dict[Path, Path] = {}
    for path in given:
        inside = [path] if _is_one(path) else sorted(one for one in path.iterdir() if _is_one(one))
        for one in inside:
            if not one.name.startswith((".", "~$")) and not _belongs_to_shapefile(one):
                found.setdefault(one.resolve(), one)
    return list(found.values())


def _is_one(path: Path) -> bool:
    """Return whether a path is one thing to look at: a file, or the folder that a file geodatabase is."""
    return path.is_file() or path.suffix.lower() == ".gdb"


def _belongs_to_shapefile(path: Path) -> bool:
    return path.suffix.lower() in _BESIDE and path.with_suffix(".shp").exists()


def look_at(path: Path) -> list[ShownTable]:  # noqa: PLR0911 - one return for each kind of file
    r"""Return what a file holds: one entry for a table, one for each layer or sheet where it has several.

    Parameters
    ----------
    path : a file that is there

    Returns
    -------
    shown : at least one; what cannot be read says why

    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "homes.csv"
    >>> _ = path.write_text("lon,lat,people\n120.9,30.5,12\n")
    >>> [(shown.name, shown.kind, shown.headings) for shown in look_at(path)]
    [('homes.csv', 'table', ['lon', 'lat', 'people'])]
    """
    name = path.name.lower()
    if name.endswith(_OSM):
        return [ShownTable(path, "osm")]
    if name.endswith(".graphml"):
        return [ShownTable(path, "graphml")]
    if name.endswith(_RASTER):
        return [ShownTable(path, "raster")]
    if name.endswith(".toml"):
        return [_toml(path)]
    if path.suffix.lower() not in SUFFIXES:
        return [ShownTable(path, "unread", why=say("no format that holds tables or roads"))]
    if path.suffix.lower() in {".gpkg", ".gdb"}:
        return list(_layers(path))
    if path.suffix.lower() == ".xlsx":
        return list(_sheets(path))
    return [_read(path)]


def _toml(path: Path) -> ShownTable:
    """Return a TOML file as a profile, a study, or neither."""
    if path.name == STUDY_FILE:
        return ShownTable(path, "study", why=say("a study.toml, which is not looked into"))
    if path.name == LINES_FILE:
        return ShownTable(
            path, "study", why=say("the lines that forms come with; forms are recognised themselves")
        )
    try:
        standard = load_standard(path.resolve())
    except LifecircleError as error:
        if error.of_system:  # says nothing of the file
            raise
        return ShownTable(path, "unread", why=_first_reason(error))
    return (
        ShownTable(path, "profile") if standard.targets else ShownTable(path, "unread", why=say("no targets"))
    )


def _layers(path: Path) -> Iterator[ShownTable]:
    try:
        layers = [str(layer) for layer in pyogrio.list_layers(path)[:, 0]]
    except (RuntimeError, OSError, ValueError) as error:
        if (fault := machine_fault(error, path)) is not None:  # else the layers would pass unseen
            raise UnusableInputError([fault]) from error
        layers = []
    if len(layers) < 2:
        yield _read(path)
        return
    for layer in layers:
        yield _read(path, layer=layer)


def _sheets(path: Path) -> Iterator[ShownTable]:
    """Yield the table of a workbook, one for each sheet where they differ; of a form, what is filled in."""
    titles, datum = _titles(path)
    if datum is not None:
        wanted = {word("form_sheet", one, to) for one in ("facilities", "figures") for to in ("zh", "en")}
        for title in (title for title in titles if title in wanted):
            yield _read(path, sheet=title, datum=datum)
        return
    whole = _read(path)
    if whole.kind == "table" or len(titles) < 2:
        yield whole
        return
    for title in titles:
        yield _read(path, sheet=title)


def _titles(path: Path) -> tuple[list[str], str | None]:
    """Return the visible sheets of a workbook and the datum that a form states; none of a broken one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            check_file(path, path.name)  # before any library opens it: it may unpack without end
            book = openpyxl.load_workbook(path, read_only=True)
            titles = [one.title for one in book.worksheets if one.sheet_state == "visible"]
            book.close()
            return titles, form_datum(path)
    except Exception as error:  # a broken workbook raises errors of many kinds; the reader names them
        if (fault := machine_fault(error, path)) is not None:  # a form read later would have lost its datum
            raise UnusableInputError([fault]) from error
        return [], None


def _read(
    path: Path, *, layer: str | None = None, sheet: str | None = None, datum: str | None = None
) -> ShownTable:
    try:
        table = read_table(path, layer=layer, sheet=sheet)
    except LifecircleError as error:
        if error.of_system:  # says nothing of the file
            raise
        return ShownTable(path, "unread", layer=layer, sheet=sheet, why=_first_reason(error))
    encoding = _encoding(path) if path.suffix.lower() == ".csv" else ""
    return ShownTable(path, "table", table, layer, sheet, _shape(table.frame), encoding, datum)


def _first_reason(error: LifecircleError) -> str:
    """Return the reason of the first fault; a message can still be translated."""
    if isinstance(error, UnusableInputError) and error.faults:
        return error.faults[0].reason
    return str(error)


def _encoding(path: Path) -> str:
    """Return the encoding that the reader finds in a csv file, for people to check."""
    with path.open("rb") as file:
        raw = file.read(_FIRST_BYTES)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    if raw.isascii():
        return ""
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A character may be cut in two at the end of what was read.
        return "UTF-8" if error.start > _FIRST_BYTES - 4 else "GB18030"
    return "UTF-8"


def _shape(frame: pd.DataFrame) -> Shape:
    """Return what most geometries of a layer are; points and polygons mixed count as points."""
    if getattr(frame, "active_geometry_name", None) is None:
        return ""
    kinds = frame.geometry.geom_type.dropna()
    if kinds.empty:
        return ""
    lines = kinds.isin(["LineString", "MultiLineString"]).mean()
    polygons = kinds.isin(["Polygon", "MultiPolygon"]).mean()
    return "lines" if lines >= 0.5 else "polygons" if polygons == 1 else "points"
