"""Define schemas: the columns of a table, their types and units, and the check against them."""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lifecircle.cells import is_one_value, mended_number, parse_date, parse_flag, plain_numbers, plain_texts
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.headings import named, synonyms
from lifecircle.tables._rejects import join_rejects, reject_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lifecircle.tables._read import Table

_log = logging.getLogger(__name__)

Kind = Literal["text", "number", "date", "flag"]
DATE_DTYPE = "datetime64[us]"

_HIGHEST = 1e15

LONGEST_TEXT = 32_767
"""Signs that a text of a table may have (inclusive): as many as a cell of a spreadsheet."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a schema.

    ``kind`` gives the dtype after the check: text is str, number float64, date datetime64, flag boolean.
    ``required`` means the table must have the column; ``filled`` means every row must have a value in it.
    ``aliases`` are further names beside those in ``headings.toml``; ``low`` and ``high`` are
    the least and the greatest number allowed (inclusive). ``common`` means that a study may state one value
    for all rows under the name of the column.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    filled: bool = False
    low: float | None = None
    aliases: tuple[str, ...] = ()
    high: float = _HIGHEST
    common: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of one kind of table; ``part`` : where a study declares it, as in ``[demand]``."""

    name: str
    columns: tuple[Column, ...]
    part: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the canonical names, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, eq=False)
class Checked:
    """A table after its check.

    ``frame`` : every row, the schema's columns that were found, converted; index as in the table.
    ``found`` : canonical name -> name of the column in the file.
    ``rejects`` : one row for each fault; the faulty cell is missing in ``frame``.
    """

    frame: pd.DataFrame
    found: dict[str, str] = field(default_factory=dict)
    rejects: pd.DataFrame = field(default_factory=pd.DataFrame)


def check_table(table: Table, schema: Schema, *, columns: Mapping[str, str] | None = None) -> Checked:
    """Check a table against its schema: find and convert its columns, and collect the faults of its rows.

    Parameters
    ----------
    table : the table as read
    schema : the columns it should have
    columns : mapping, optional
        Canonical name -> name of the column in the file, where they differ.

    Returns
    -------
    checked : columns converted, names found, rejects

    Raises
    ------
    UnusableInputError
        With a fault for every column that is missing, or that two headings of the table may be.
    """
    found = _found_columns(table, schema, columns or {})
    converted: dict[str, pd.Series[Any]] = {}
    rejects = []
    for column in schema.columns:
        if column.name in found:
            raw = table.frame[found[column.name]]
            converted[column.name], wrong = _converted(raw, column)
            bad = wrong != ""
            rejects.append(
                reject_rows(
                    table.name,
                    table.frame.index.to_numpy()[bad],
                    column=found[column.name],
                    value=raw[bad].to_numpy(dtype=object),
                    reason=wrong[bad],
                    remedy=[_remedy(column, reason) for reason in wrong[bad]],
                )
            )
    return Checked(pd.DataFrame(converted, index=table.frame.index), found, join_rejects(rejects))


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like another, None where none is like it.

    Parameters
    ----------
    name : perhaps mistyped
    known : names to choose from

    Returns
    -------
    name : one of ``known``, or None

    >>> nearest_name("popluation", ["id", "population"])
    'population'
    """
    plain = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), list(plain), n=1, cutoff=0.5)
    return plain[near[0]] if near else None


def row_labels(table: Table, column: str | None) -> pd.Index[Any]:
    """Return the labels of the rows: an id column of the file if it is filled and unique, else row numbers.

    Whole numbers stay whole numbers, everything else is text.

    Parameters
    ----------
    table : the table as read
    column : name of the id column in the file, None where there is none

    Returns
    -------
    labels : Index named ``id``, in the order of the table's rows

    >>> from lifecircle.tables import read_table
    >>> row_labels(read_table(pd.DataFrame({"id": [7, 9]})), "id").tolist()
    [7, 9]
    """
    if column is not None:
        raw = table.frame[column]
        texts = plain_texts(raw)
        whole = pd.api.types.is_integer_dtype(raw) and not pd.api.types.is_unsigned_integer_dtype(raw)
        if texts.ne("").all() and texts.is_unique:
            return pd.Index(raw.to_numpy(dtype=np.int64) if whole else texts, name="id")
        why = "holds a value twice" if texts.ne("").all() else "is blank in some rows"
        _log.warning("%s: column '%s' %s, so rows are called by their number", table.name, column, why)
    return pd.Index(table.frame.index.to_numpy(dtype=np.int64), name="id")


def names_of(schema: Schema, column: Column) -> tuple[str, ...]:
    """Return the other names of a column: its aliases and the synonyms of the catalogue.

    Parameters
    ----------
    schema : the kind of table
    column : one of its columns

    Returns
    -------
    names : as they are written in files

    >>> names_of(Schema("demand", ()), Column("lon", "number", "longitude"))[:1]
    ('lng',)
    """
    return (*column.aliases, *synonyms(schema.name, column.name))


def strange_names(
    mapped: Iterable[str], known: Iterable[str], *, file: str, key: str = "columns"
) -> list[Fault]:
    """Return a fault for every name that ``columns`` of a study maps and that a table does not have.

    Parameters
    ----------
    mapped : names on the left side of ``columns``
    known : names that the table has
    file : name of the file
    key : the key of the study

    Returns
    -------
    faults : one for each unknown name

    >>> [str(fault.remedy) for fault in strange_names(["nmae"], ["name", "lon"], file="a.csv")]
    ["did you mean 'name'?"]
    """
    names = list(known)
    faults = []
    for name in mapped:
        if name not in names:
            near = nearest_name(name, names)
            remedy = (
                say("did you mean '{name}'?", name=near)
                if near
                else say("use one of {names}", names=", ".join(names))
            )
            faults.append(Fault(file, f"{key}.{name}", name, say("no column of ours has this name"), remedy))
    return faults


def headings_of(table: Table) -> list[str]:
    """Return the headings of a table, without that of its geometry.

    Parameters
    ----------
    table : the table as read

    Returns
    -------
    headings : in the order of the columns

    >>> from lifecircle.tables import read_table
    >>> headings_of(read_table(pd.DataFrame({"name": ["a"], "lon": [1.0]})))
    ['name', 'lon']
    """
    geometry = getattr(table.frame, "active_geometry_name", None)
    return [str(name) for name in table.frame.columns if name != geometry]


def missing_column(table: Table, wanted: str, headings: Iterable[str], remedy: str) -> Fault:
    """Return the fault of a column that a table does not have.

    Parameters
    ----------
    table : the table as read
    wanted : name of the column
    headings : names that the table has
    remedy : how to repair it

    Returns
    -------
    fault : with the headings as the value found

    >>> from lifecircle.tables import read_table
    >>> print(missing_column(read_table(pd.DataFrame({"a": [1]})), "b", ["a"], "add it"))
    (table), column 'b': missing column; columns present: a. Remedy: add it
    """
    reason = say("missing column; columns present: {names}", names=", ".join(headings))
    return Fault(table.name, f"column '{wanted}'", "", reason, remedy)


def unit_notes(table: Table, schema: Schema, *, columns: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return a note for every column of numbers some of which had wide digits, a unit or 万 to be read.

    Parameters
    ----------
    table, schema, columns : as for :func:`check_table`

    Returns
    -------
    notes : codes with the heading and the number of such cells

    >>> from lifecircle.tables import read_table
    >>> table = read_table(pd.DataFrame({"population": ["120人", "35"]}))
    >>> unit_notes(table, Schema("demand", (Column("population", "number", "residents"),)))
    ('numbers_with_units:population|1',)
    """
    numbers = tuple(column for column in schema.columns if column.kind == "number")
    asked = {column.name: columns[column.name] for column in numbers if columns and column.name in columns}
    try:
        found = _found_columns(table, Schema(schema.name, numbers, schema.part), asked)
    except UnusableInputError:
        return ()  # the reader says what is wrong
    notes = []
    for heading in found.values():
        cells = table.frame[heading]
        if pd.api.types.is_numeric_dtype(cells):
            continue
        strange = cells[pd.to_numeric(cells, errors="coerce").isna() & cells.notna()]
        many = sum(isinstance(cell, str) and mended_number(cell) is not None for cell in strange)
        notes += [f"numbers_with_units:{heading}|{many}"] if many else []
    return tuple(notes)


def _found_columns(table: Table, schema: Schema, mapped: Mapping[str, str]) -> dict[str, str]:
    present = headings_of(table)
    shown = [str(name) for name in table.frame.columns]
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for column in schema.columns:
        asked = mapped.get(column.name)
        others = names_of(schema, column) if asked is None else ()
        here = named(present, column.name if asked is None else asked, others)
        # Exactly one: with two headings of the same meaning a guess could read last year's column.
        if len(here) == 1:
            found[column.name] = here[0]
        elif here:
            faults.append(_ambiguous(table, schema, column, here))
        elif column.required or asked is not None:
            wanted = column.name if asked is None else asked
            faults.append(missing_column(table, wanted, shown, _absent(schema, column, asked, present)))
    if faults:
        raise UnusableInputError(faults)
    return found


def _ambiguous(table: Table, schema: Schema, column: Column, here: tuple[str, ...]) -> Fault:
    """Return the fault of a table with several headings that mean one column."""
    headings = ", ".join(f"'{name}'" for name in here)
    reason = say("several columns may be the {column}: {headings}", column=column.name, headings=headings)
    remedy = (
        say(
            'write which under {part} in study.toml: columns = {{ {column} = "{heading}" }}',
            part=schema.part,
            column=column.name,
            heading=here[0],
        )
        if schema.part
        else say("rename or delete all but one")
    )
    return Fault(table.name, f"column '{here[0]}'", "", reason, remedy)


def _absent(schema: Schema, column: Column, asked: str | None, present: list[str]) -> str:
    """Return the remedy for a table that lacks a column."""
    near = nearest_name(column.name if asked is None else asked, present)
    if near and asked is None and schema.part:
        return say(
            "did you mean '{name}'? Then write under {part} in study.toml: "
            'columns = {{ {column} = "{name}" }}',
            name=near,
            part=schema.part,
            column=column.name,
        )
    if near:
        return say("did you mean '{name}'?", name=near)
    if schema.part and column.common:
        return say(
            "add the column ({meaning}), or write under {part} in study.toml which one it is: "
            'columns = {{ {column} = "..." }}; where all rows have the same: {column} = "..."',
            meaning=column.meaning,
            part=schema.part,
            column=column.name,
        )
    if schema.part:
        return say(
            "add the column ({meaning}), or write under {part} in study.toml which one it is: "
            'columns = {{ {column} = "..." }}',
            meaning=column.meaning,
            part=schema.part,
            column=column.name,
        )
    return say("add the column ({meaning})", meaning=column.meaning)


def _converted(raw: pd.Series[Any], column: Column) -> tuple[pd.Series[Any], np.ndarray[Any, Any]]:
    """Return one column converted, and the reason for each cell that cannot be (else empty)."""
    if isinstance(raw.dtype, pd.CategoricalDtype):
        raw = raw.astype(object)
    wrong = np.full(len(raw), "", dtype=object)
    texts = plain_texts(raw) if column.kind == "text" or not pd.api.types.is_numeric_dtype(raw) else None
    # A blank cell is missing and not faulty, unless the column must be filled.
    blank = (raw.isna() if texts is None else texts.eq("")).to_numpy(dtype=bool)
    values: pd.Series[Any]
    if column.kind == "text":
        assert texts is not None
        values = texts
        long = (texts.str.len() > LONGEST_TEXT).to_numpy(dtype=bool)
        # A cell of megabytes is a paste gone wrong; it would stand in every table and page.
        wrong[long] = say("longer than {most} signs", most=f"{LONGEST_TEXT:,}")
        values = texts.where(~long, "")
    elif column.kind == "number":
        values = pd.Series(plain_numbers(raw), index=raw.index)
        wrong[values.isna().to_numpy() & ~blank] = _NO_NUMBER
        if column.low is not None:
            low = say("negative") if column.low == 0 else say("less than {low}", low=f"{column.low:g}")
            wrong[(values < column.low).to_numpy()] = low
        wrong[(values > column.high).to_numpy()] = say("more than {high}", high=f"{column.high:,.0f}")
    else:
        parse, reason = _PARSERS[column.kind]
        values, unread = _parsed(raw, parse)
        dtype: Any = DATE_DTYPE if column.kind == "date" else "boolean"
        values = values.astype(dtype)
        wrong[unread] = reason
    if pd.api.types.is_object_dtype(raw):
        wrong[[not is_one_value(cell) for cell in raw]] = _NOT_ONE
    # Last, because a blank cell of a required column is that fault, whatever a parser made of it.
    if column.filled:
        wrong[blank] = _BLANK
    return values.where(wrong == "") if column.kind != "text" else values, wrong


_BLANK = say("blank")
_NO_NUMBER = say("not a number")
_NOT_ONE = say("a list or a table where one value belongs")
_PARSERS: dict[str, tuple[Callable[[object], object], str]] = {
    "date": (parse_date, say("not a date")),
    "flag": (parse_flag, say("not a yes or no")),
}


def _parsed(
    raw: pd.Series[Any], parse: Callable[[object], object]
) -> tuple[pd.Series[Any], np.ndarray[Any, Any]]:
    values: list[object] = []
    unread = np.zeros(len(raw), dtype=bool)
    for position, cell in enumerate(raw.astype(object)):
        try:
            values.append(parse(cell))
        except ValueError:
            values.append(None)
            unread[position] = True
    return pd.Series(values, index=raw.index, dtype=object), unread


def _remedy(column: Column, reason: str) -> str:
    if reason == _BLANK:
        return say("fill it in ({meaning})", meaning=column.meaning)
    if reason == _NOT_ONE or column.kind == "text":
        few = say("write it in a few words ({meaning})", meaning=column.meaning)
        return say("write one value ({meaning})", meaning=column.meaning) if reason == _NOT_ONE else few
    if column.kind == "date":
        return say("write 2021-03-01, or a year alone for its 1 January; leave it blank when unknown")
    if column.kind == "flag":
        return say("write true or false, 1 or 0, 是 or 否")
    unit = say(" ({unit})", unit=column.unit) if column.unit else ""
    if column.low is None:
        return say("write a number in digits without separators{unit}", unit=unit)
    return say(
        "write a number of at least {low} in digits without separators{unit}",
        low=f"{column.low:g}",
        unit=unit,
    )
