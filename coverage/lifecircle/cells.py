"""Read single cells as a text, a number, a day or a yes or no, whatever type the file holds.

A cell of a csv is a text, of a workbook a number, a date or a truth value, of a GeoJSON or parquet file a
list or a table too, and a frame in memory holds anything. Nothing here raises except where documented.
"""

from __future__ import annotations

import numbers
import re
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

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
_ONE = (str, bool, numbers.Number, np.bool_, Decimal, date, time, timedelta, np.datetime64, np.timedelta64)
_NUMBERS = (int, float, np.integer, np.floating, Decimal)
_NO_NUMBERS = (bool, np.timedelta64)  # though Python and NumPy count them among the whole numbers
_LONGEST = 10**400  # no number people write, and Python puts no longer ones in digits than it is told to
_HALF = re.compile("[\ud800-\udfff]")


def is_one_value(value: object) -> bool:
    """Return whether a cell holds one value: no list, table, bytes or number without end.

    >>> is_one_value("a"), is_one_value(None), is_one_value(["a"]), is_one_value(b"a"), is_one_value(10**500)
    (True, True, False, False, False)
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, int) and not -_LONGEST < value < _LONGEST:
        return False
    return isinstance(value, _ONE)


def plain_text(value: Any) -> str:
    """Return a cell as text as a person would write it: codes that became numbers are codes again.

    Halves of characters, which no file can hold, are replaced by the sign for an unreadable character.

    Parameters
    ----------
    value : content of a cell

    Returns
    -------
    text : without blanks around it; empty for a missing value

    >>> plain_text(330424001.0), plain_text(" a "), plain_text(None), plain_text([1, None])
    ('330424001', 'a', '', '[1, None]')
    """
    if isinstance(value, str):
        text = value.strip()
    elif not is_one_value(value):
        try:
            text = str(value)
        except ValueError:  # a number of more digits than Python writes
            text = "…"
    elif value is None or bool(pd.isna(value)):
        return ""
    # A spreadsheet turns a code of twelve digits into a number; its text must be the code again.
    elif isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    else:
        text = str(value)
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def plain_texts(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return every cell of a column as text, as :func:`plain_text` does; equal texts are converted once.

    Parameters
    ----------
    cells : (row,)

    Returns
    -------
    texts : (row,) str, on the same index

    >>> plain_texts(pd.Series([330424001.0, " a ", None])).tolist()
    ['330424001', 'a', '']
    """
    if isinstance(cells.dtype, pd.StringDtype):
        code, texts = pd.factorize(cells)
        stripped = [plain_text(text) for text in texts.to_numpy(dtype=object)]
        plain = pd.array([*stripped, ""], dtype="str")  # the last for what is missing
        return pd.Series(plain.take(code), index=cells.index, name=cells.name)
    texts = [plain_text(cell) for cell in cells.astype(object)]
    return pd.Series(texts, index=cells.index, name=cells.name, dtype="str")


def plain_numbers(cells: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Return a column as numbers, NaN where a cell is not one: a truth value, a day or inf is not.

    Parameters
    ----------
    cells : (row,)

    Returns
    -------
    numbers : (row,) float64

    >>> plain_numbers(pd.Series(["1.5", " 2", 3, True, [4], "inf", "1e400", 10**400, None])).tolist()
    [1.5, 2.0, 3.0, nan, nan, nan, nan, nan, nan]
    """
    kind = cells.dtype
    if isinstance(kind, pd.StringDtype):
        found = _from_texts(cells)
    elif pd.api.types.is_bool_dtype(kind) or pd.api.types.is_complex_dtype(kind):
        found = np.full(len(cells), np.nan)
    elif pd.api.types.is_numeric_dtype(kind):
        found = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        found = np.full(len(cells), np.nan)
        # Texts of a mixed column are converted together, in one call of pandas.
        written: list[int] = []
        texts: list[str] = []
        for at, cell in enumerate(cells.astype(object)):
            if isinstance(cell, str):
                written.append(at)
                texts.append(plain_text(cell))
            elif isinstance(cell, _NUMBERS) and not isinstance(cell, _NO_NUMBERS):
                found[at] = _number(cell)
        found[written] = _from_texts(pd.Series(texts, dtype="str"))
    return np.where(np.isfinite(found), found, np.nan)


def _from_texts(cells: pd.Series[Any]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = pd.to_numeric(cells, errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    return found


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (OverflowError, ValueError):
        return np.nan


def parse_date(value: Any) -> date | None:
    """Return the day in a cell: a date, ISO text, ``2021年3月1日``, a year (1 January) or Excel's day number.

    Parameters
    ----------
    value : content of a cell

    Returns
    -------
    day : None for an empty cell

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
    # Before other forms: 2021 is a year and 44197 a day number of Excel; the two ranges do not meet.
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
    """Return the yes or no in a cell: true/false, 1/0, yes/no, 是/否, 城镇/乡村; None where it is empty.

    Parameters
    ----------
    value : content of a cell

    Returns
    -------
    flag : True, False or None

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
