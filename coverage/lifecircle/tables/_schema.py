"""Own schemas: which columns a table has, in which type and unit, and the one check against them."""

from __future__ import annotations

import difflib
import logging
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lifecircle.errors import Fault, UnusableInputError
from lifecircle.tables._rejects import join_rejects, reject_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lifecircle.tables._read import Table

_log = logging.getLogger(__name__)

Kind = Literal["text", "number", "date", "flag"]
DATE_DTYPE = "datetime64[us]"

_EXCEL_DAY_ZERO = date(1899, 12, 30)
_EXCEL_DAYS = range(18264, 109575)
_YEARS = range(1000, 3000)
_YES = {"true", "t", "yes", "y", "1", "是", "城镇", "urban"}
_NO = {"false", "f", "no", "n", "0", "否", "乡村", "rural"}
_DAY = re.compile(
    r"(?P<year>\d{4})(?:[-/.年](?P<month>\d{1,2})(?:[-/.月](?P<day>\d{1,2})日?|月)?|年)?"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_COMPACT_DAY = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a schema.

    ``kind`` gives the dtype after the check: text is str, number float64, date datetime64, flag boolean.
    ``required`` means the table must have the column; ``filled`` means every row must have a value in it.
    ``aliases`` are other names it is known by; ``low`` is the least number allowed (inclusive).
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    filled: bool = False
    low: float | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of one kind of table."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, eq=False)
class Checked:
    """A table after its check.

    ``frame`` : every row, the schema's columns that were found, converted; index as in the table.
    ``found`` : canonical name -> name of the column in the file.
    ``rejects`` : one row for each fault; what is at fault is missing in ``frame``.
    """

    frame: pd.DataFrame
    found: dict[str, str] = field(default_factory=dict)
    rejects: pd.DataFrame = field(default_factory=pd.DataFrame)


def check_table(table: Table, schema: Schema, *, columns: Mapping[str, str] | None = None) -> Checked:
    """Check a table against its schema: find and convert its columns, and collect the faults of its rows.

    Parameters
    ----------
    columns : mapping, optional
        Canonical name -> name of the column in the file, where they differ.

    Raises
    ------
    UnusableInputError
        With a fault for every column that is missing.
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
    """Find the known name most like another, if any is like it.

    >>> nearest_name("popluation", ["id", "population"])
    'population'
    """
    plain = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), list(plain), n=1, cutoff=0.5)
    return plain[near[0]] if near else None


def row_labels(table: Table, column: str | None) -> pd.Index[Any]:
    """Label the rows by an id column of the file if it is filled and unique, else by row number.

    Whole numbers stay whole numbers, everything else is text.

    Returns
    -------
    Index
        Named ``id``, in the order of the table's rows.
    """
    if column is not None:
        raw = table.frame[column]
        whole = pd.api.types.is_integer_dtype(raw)
        texts = plain_texts(raw)
        if texts.ne("").all() and texts.is_unique:
            return pd.Index(raw.to_numpy(dtype=np.int64) if whole else texts, name="id")
        why = "holds a value twice" if texts.ne("").all() else "is blank in some rows"
        _log.warning("%s: column '%s' %s, so rows are called by their number", table.name, column, why)
    return pd.Index(table.frame.index.to_numpy(dtype=np.int64), name="id")


def plain_text(value: Any) -> str:
    """Put a cell into text as a person would write it: codes that became numbers are codes again.

    >>> plain_text(330424001.0), plain_text(" a "), plain_text(None)
    ('330424001', 'a', '')
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or bool(pd.isna(value)):
        return ""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def plain_texts(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Put every cell of a column into text as :func:`plain_text` does, a text that recurs only once."""
    if isinstance(cells.dtype, pd.StringDtype):
        code, texts = pd.factorize(cells)
        stripped = [text.strip() for text in texts.to_numpy(dtype=object)]
        plain = pd.array([*stripped, ""], dtype="str")  # the last for what is missing
        return pd.Series(plain.take(code), index=cells.index, name=cells.name)
    return cells.map(plain_text).astype("str")


def parse_date(value: Any) -> date | None:
    """Read a day: a date, ISO text, ``2021年3月1日``, a year alone (1 January) or a day number of Excel.

    Raises
    ------
    ValueError
        When it is none of these.

    >>> parse_date("2021"), parse_date("2021-03-05 08:00"), parse_date(" ")
    (datetime.date(2021, 1, 1), datetime.date(2021, 3, 5), None)
    """
    text = plain_text(value)
    if not text:
        return None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if text.isascii() and text.isdigit() and len(text) <= 6:
        number = int(text)
        if number in _YEARS:
            return date(number, 1, 1)
        if number in _EXCEL_DAYS:
            return _EXCEL_DAY_ZERO + timedelta(days=number)
    if isinstance(value, float):
        raise ValueError(f"not a date: {text}")  # noqa: TRY004 - the kind of number is at fault, not the type
    match = _DAY.fullmatch(text) or _COMPACT_DAY.fullmatch(text)
    if match is None:
        raise ValueError(f"not a date: {text}")
    return date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))


def parse_flag(value: object) -> bool | None:
    """Read a yes or no: true/false, 1/0, yes/no, 是/否, 城镇/乡村; None where nothing stands.

    Raises
    ------
    ValueError
        When it is none of these.

    >>> parse_flag("是"), parse_flag(0), parse_flag("")
    (True, False, None)
    """
    text = plain_text(value).lower()
    if not text:
        return None
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError(f"not a yes or no: {text}")


def _found_columns(table: Table, schema: Schema, mapped: Mapping[str, str]) -> dict[str, str]:
    present = _present(table)
    shown = ", ".join(str(name) for name in table.frame.columns)
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for column in schema.columns:
        asked = mapped.get(column.name)
        names = (asked,) if asked is not None else (column.name, *column.aliases)
        here = [present[name.strip().lower()] for name in names if name.strip().lower() in present]
        if here:
            found[column.name] = here[0]
        elif column.required or asked is not None:
            wanted = column.name if asked is None else asked
            near = nearest_name(wanted, present.values())
            remedy = f"did you mean '{near}'?" if near else f"add the column ({column.meaning})"
            reason = f"missing column; columns present: {shown}"
            faults.append(Fault(table.name, f"column '{wanted}'", "", reason, remedy))
    if faults:
        raise UnusableInputError(faults)
    return found


def _present(table: Table) -> dict[str, str]:
    """Map the names of the columns to themselves, whatever their case; of equals the first counts."""
    geometry = getattr(table.frame, "active_geometry_name", None)
    names = [name for name in table.frame.columns if name != geometry]
    exact = {name: name for name in names if name == name.lower()}
    return {name.lower(): name for name in reversed(names)} | exact


def _converted(raw: pd.Series[Any], column: Column) -> tuple[pd.Series[Any], np.ndarray[Any, Any]]:
    """Convert one column; what cannot be is missing, with the reason in the second answer (else empty)."""
    wrong = np.full(len(raw), "", dtype=object)
    texts = plain_texts(raw) if column.kind == "text" or not pd.api.types.is_numeric_dtype(raw) else None
    blank = (raw.isna() if texts is None else texts.eq("")).to_numpy(dtype=bool)
    values: pd.Series[Any]
    if column.kind == "text":
        assert texts is not None
        values = texts
    elif column.kind == "number":
        values = pd.to_numeric(raw, errors="coerce").astype("float64")
        values = values.where(np.isfinite(values))
        wrong[values.isna().to_numpy() & ~blank] = "not a number"
        if column.low is not None:
            wrong[(values < column.low).to_numpy()] = (
                "negative" if column.low == 0 else f"less than {column.low:g}"
            )
    else:
        parse, reason = _PARSERS[column.kind]
        values, unread = _parsed(raw, parse)
        dtype: Any = DATE_DTYPE if column.kind == "date" else "boolean"
        values = values.astype(dtype)
        wrong[unread] = reason
    if column.filled:
        wrong[blank] = "blank"
    return values.where(wrong == "") if column.kind != "text" else values, wrong


_PARSERS: dict[str, tuple[Callable[[object], object], str]] = {
    "date": (parse_date, "not a date"),
    "flag": (parse_flag, "not a yes or no"),
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
    if reason == "blank":
        return f"fill it in ({column.meaning})"
    if column.kind == "date":
        return "write 2021-03-01, or a year alone for its 1 January; leave it blank when unknown"
    if column.kind == "flag":
        return "write true or false, 1 or 0, 是 or 否"
    least = "" if column.low is None else f" of at least {column.low:g}"
    return f"write a number{least} in digits without separators{f' ({column.unit})' if column.unit else ''}"
