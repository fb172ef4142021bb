"""Find which service a row gives by its class in OpenStreetMap or AMap; classes are data (``classes/``).

A map holds mostly what no standard asks for. Rows of such classes are left out and named with their number,
and so are classes that only sound like a service: a pet clinic is no clinic, a driving school no school.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd

from lifecircle.cells import parse_date, plain_numbers, plain_text
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.tables import headings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lifecircle.tables import Table

Catalogue = Literal["osm", "amap"]
CATALOGUES: Final[tuple[Catalogue, ...]] = ("osm", "amap")

_OSM_ID = re.compile(r"(?:node|way|relation)/\d+")
_CODE = re.compile(r"\d{6}")
_AMAP_COLUMNS: Final = frozenset({"typecode", "adcode", "pcode", "citycode", "adname", "cityname", "pname"})
_NAMED = 20
"""Classes that are named one by one, most rows first."""


@dataclass(frozen=True)
class Classified:
    """A table with a column ``service``, without the rows of no service.

    ``left_out`` : class, with the reason where the catalogue gives one -> rows that give no service of the
    standard, most rows first; ``notes`` : codes for the reading report.
    """

    table: Table
    left_out: Mapping[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Class:
    """One class of a catalogue."""

    services: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]]
    codes: frozenset[str]
    paths: frozenset[str]
    name: re.Pattern[str] | None
    not_name: re.Pattern[str] | None
    because: str

    def holds(self, row: Mapping[str, str], name: str) -> bool:
        """Return whether a row is of this class."""
        if self.name is not None and not self.name.search(name):
            return False
        if self.not_name is not None and self.not_name.search(name):
            return False
        if self.tags and not all(_among(row.get(key, ""), values) for key, values in self.tags.items()):
            return False
        if not (self.codes or self.paths):
            return True
        levels = {level.strip() for level in re.split(r"[;|；]", row.get("type", ""))}
        return bool(self.codes & set(row.get("typecode", "").split("|")) or self.paths & levels)


def _among(cell: str, values: tuple[str, ...]) -> bool:
    """Return whether a tag has one of the values; several values of one tag stand between semicolons."""
    return bool({"*", *(part.strip() for part in cell.split(";"))} & set(values)) if cell else False


@functools.cache
def _classes(catalogue: Catalogue) -> tuple[_Class, ...]:
    return tuple(
        _Class(
            tuple(one["services"]),
            {key: tuple(values) for key, values in one.get("tags", {}).items()},
            frozenset(one.get("codes", ())),
            frozenset(one.get("paths", ())),
            re.compile(one["name"], re.IGNORECASE) if "name" in one else None,
            re.compile(one["not_name"], re.IGNORECASE) if "not_name" in one else None,
            one.get("because", ""),
        )
        for one in _document(catalogue)["class"]
    )


@functools.cache
def _document(catalogue: Catalogue) -> dict[str, Any]:
    file = resources.files("lifecircle").joinpath("facilities", "classes", f"{catalogue}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def looks_like(table: Table) -> Catalogue | None:
    """Return which map a table comes from, None where it is no map's.

    AMap's has a column ``typecode`` of six digits; OpenStreetMap's has ids such as ``way/123`` (``id`` or
    ``@id``) and one of its main keys.

    Parameters
    ----------
    table : as read

    Returns
    -------
    catalogue : ``osm``, ``amap`` or None

    >>> from lifecircle.tables import read_table
    >>> looks_like(read_table(pd.DataFrame({"typecode": ["140500"]})))
    'amap'
    """
    columns = set(headings_of(table))
    if "typecode" in columns:
        codes = [plain_text(cell) for cell in table.frame["typecode"]]
        if codes and sum(bool(_CODE.match(_six(code))) for code in codes) > len(codes) / 2:
            return "amap"
    for column in ("id", "@id", "osm_id"):
        if column in columns and columns & set(_document("osm")["columns"]):
            ids = [plain_text(cell) for cell in table.frame[column]]
            if sum(bool(_OSM_ID.fullmatch(one)) for one in ids) > len(ids) / 2:
                return "osm"
    return None


def is_from_amap(table: Table) -> bool:
    """Return whether a table has AMap's column ``location`` beside other columns of AMap's answers.

    Parameters
    ----------
    table : as read

    Returns
    -------
    amap : such coordinates are GCJ-02, unless somebody has converted them

    >>> from lifecircle.tables import read_table
    >>> is_from_amap(read_table(pd.DataFrame({"location": ["120.9,30.5"], "adname": ["海盐县"]})))
    True
    """
    columns = set(headings_of(table))
    return "location" in columns and bool(columns & _AMAP_COLUMNS)


def classified(table: Table, catalogue: Catalogue, known: Iterable[str] | None = None) -> Classified:
    """Return a map's table with the services of every row, without the rows of none.

    Parameters
    ----------
    table : as read
    catalogue : ``osm`` or ``amap``
    known : ids of the standard's services; left out, the first id of each class is taken

    Returns
    -------
    classified : the table with a column ``service``, several ids between ``;``, and what was left out

    Raises
    ------
    UnusableInputError
        The table has none of the catalogue's columns.

    >>> from lifecircle.tables import read_table
    >>> rows = {"typecode": ["140500", "090701"], "name": ["县图书馆", "爱宠诊所"]}
    >>> found = classified(read_table(pd.DataFrame(rows)), "amap")
    >>> found.table.frame["service"].tolist(), dict(found.left_out)
    (['library'], {'090701 (动物医疗, for animals)': 1})
    """
    columns = _document(catalogue)["columns"]
    present = [name for name in headings_of(table) if name in columns]
    if not present:
        reason = say(
            "none of the columns {names}, by which {map} is classed", names=", ".join(columns), map=catalogue
        )
        remedy = say("leave services out, or map the file's own words")
        raise UnusableInputError([Fault(table.name, "services", catalogue, reason, remedy)])
    wanted = None if known is None else set(known)
    names = _texts(table, "name")
    cells = {name: _texts(table, name) for name in {*present, "name", *_tag_keys(catalogue)}}
    services, labels = [], []
    for at in range(len(table.frame)):
        row = {name: texts[at] for name, texts in cells.items()}
        if catalogue == "amap":
            row["typecode"] = "|".join(_six(code) for code in row.get("typecode", "").split("|"))
        found, why = _services(catalogue, row, names[at], wanted)
        services.append(";".join(found))
        # A class may hold both what is meant and what only sounds so, such as clinics and pet clinics.
        labels.append(f"{_label(row, present)} ({why})" if why else _label(row, present))
    kept = [bool(one) for one in services]
    missed = Counter(label for label, keep in zip(labels, kept, strict=True) if not keep)
    left_out = dict(sorted(missed.items(), key=lambda one: (-one[1], one[0])))
    frame = table.frame.assign(service=pd.Series(services, index=table.frame.index, dtype="str"))
    return Classified(
        replace(table, frame=_without_foreign_cells(frame[kept], catalogue)),
        left_out,
        (f"classes_applied:{catalogue}", *_notes(left_out)),
    )


def _services(
    catalogue: Catalogue, row: Mapping[str, str], name: str, wanted: set[str] | None
) -> tuple[tuple[str, ...], str]:
    """Return the services of a row by the first class that holds, and why it has none where that is said."""
    for one in _classes(catalogue):
        if one.holds(row, name):
            fits = [service for service in one.services if wanted is None or service in wanted]
            return tuple(fits[:1]), "" if fits else one.because
    return (), ""


def _tag_keys(catalogue: Catalogue) -> Iterator[str]:
    yield from {key for one in _classes(catalogue) for key in one.tags}


def _texts(table: Table, name: str) -> list[str]:
    if name not in table.frame.columns:
        return [""] * len(table.frame)
    return [plain_text(cell) for cell in table.frame[name]]


def _six(code: str) -> str:
    """Return a code with the zero in front that a spreadsheet takes away."""
    return code.strip().zfill(6) if code.strip().isdigit() else code.strip()


def _label(row: Mapping[str, str], present: list[str]) -> str:
    """Return what the map calls a row: ``amenity=cafe``, or the class of AMap with its code."""
    if "typecode" in row or "type" in present:
        return " ".join(text for text in (row.get("typecode", ""), row.get("type", "")) if text) or "(blank)"
    return next((f"{key}={row[key]}" for key in present if row.get(key)), "(other)")


def _notes(left_out: Mapping[str, int]) -> Iterator[str]:
    """Yield the note on the classes without a service."""
    if left_out:
        shown = ", ".join(f"{_safe(label)} {rows}" for label, rows in list(left_out.items())[:_NAMED])
        more = " …" if len(left_out) > _NAMED else ""
        yield f"classes_left_out:{sum(left_out.values())}|{len(left_out)}|{shown}{more}"


def _safe(label: str) -> str:
    return label.replace("|", "/")[:60]


def _without_foreign_cells(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Blank the cells of OpenStreetMap that mean no day or number of ours: a mapper may write ``C19``.

    A whole library would be rejected otherwise for the day it was built.
    """
    if catalogue != "osm":
        return frame
    changed: dict[str, Any] = {}
    for column in ("start_date", "end_date", "opening_date"):
        if column in frame:
            changed[column] = [cell if _is_day(cell) else None for cell in frame[column]]
    if "capacity" in frame:
        numbers = plain_numbers(frame["capacity"])
        changed["capacity"] = [None if number != number else number for number in numbers.tolist()]  # noqa: PLR0124 - NaN
    # Geometry types of relations and ways of travel stand in columns that mean services of ours.
    return frame.assign(**changed).drop(columns=["type", "category", "kind"], errors="ignore")


def _is_day(cell: object) -> bool:
    try:
        return parse_date(cell) is not None
    except ValueError:
        return False
