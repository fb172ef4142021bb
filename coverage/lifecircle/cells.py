"""Read single cells as a text, a number, a day or a yes or no, whatever type the file holds.

A cell of a csv is a text, of a workbook a number, a date or a truth value, of a GeoJSON or parquet file a
list or a table too, and a frame in memory holds anything. Nothing here raises except where documented.
"""

from __future__ import annotations

import numbers
import re
import unicodedata
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

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
_LONGEST = 10**400  # larger than any number people write; Python refuses to print very long ones
_HALF = re.compile("[\ud800-\udfff]")
_COUNTED: Final = (
    "人次|人|位|名|个|张|户|座|处|床|岁|家|间|所|套|台|辆|册|平方米|㎡|m2|米"
    "|persons?|people|places|beds|seats|households"
)
_NUMBER_WITH_UNIT = re.compile(
    rf"(?P<figure>[+-]?(?:[1-9]\d{{0,2}}(?:,\d{{3}})+|\d+)(?:\.\d+)?)\s*"
    rf"(?P<times>[百千万亿]?)\s*(?P<unit>{_COUNTED})?",
    re.IGNORECASE,
)
_TIMES: Final = {"": 1, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_ANGLE = re.compile(
    r"(?P<before>[NSEW]|北纬|南纬|东经|西经)?\s*(?P<sign>[+-]?)\s*"
    r"(?P<degrees>\d{1,3}(?:\.\d+)?)\s*[°度]\s*"
    r"(?:(?P<minutes>\d{1,2}(?:\.\d+)?)\s*['′’分]\s*)?"
    r"(?:(?P<seconds>\d{1,2}(?:\.\d+)?)\s*(?:[\"″”秒]|''|′′|’’)\s*)?"
    r"(?P<behind>[NSEW])?",
    re.IGNORECASE,
)
_NEGATIVE: Final = {"S", "W", "南纬", "西经"}


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
    """Return every cell of a column as text, as :func:`plain_text` does; equal cells are converted once.

    Parameters
    ----------
    cells : (row,)

    Returns
    -------
    texts : (row,) str, on the same index

    >>> plain_texts(pd.Series([330424001.0, " a ", None])).tolist()
    ['330424001', 'a', '']
    >>> plain_texts(pd.Series([7, None, 7], dtype="Int64")).tolist()
    ['7', '', '7']
    """
    if isinstance(cells.dtype, pd.StringDtype) or pd.api.types.is_integer_dtype(cells.dtype):
        code, texts = pd.factorize(cells)
        stripped = [plain_text(text) for text in np.asarray(texts, dtype=object)]
        plain = pd.array([*stripped, ""], dtype="str")  # the last for what is missing
        return pd.Series(plain.take(code), index=cells.index, name=cells.name)
    texts = [plain_text(cell) for cell in cells.astype(object)]
    return pd.Series(texts, index=cells.index, name=cells.name, dtype="str")


def plain_numbers(cells: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Return a column as numbers, NaN where a cell is not one: a truth value, a day or inf is not.

    Full-width digits, a unit that is counted behind the number and 万, 千, 百, 亿 are read: see
    :func:`mended_number`.

    Parameters
    ----------
    cells : (row,)

    Returns
    -------
    numbers : (row,) float64

    >>> plain_numbers(pd.Series(["1.5", " 2", 3, True, [4], "inf", "1e400", 10**400, None])).tolist()
    [1.5, 2.0, 3.0, nan, nan, nan, nan, nan, nan]
    >>> plain_numbers(pd.Series(["１２０", "35张", "1.2万", "30-40人"])).tolist()
    [120.0, 35.0, 12000.0, nan]
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
    found: npt.NDArray[np.float64] = np.array(
        pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    )
    # Only what is no number yet is looked at one by one: nearly every cell of a column is one.
    for at in np.flatnonzero(np.isnan(found) & cells.notna().to_numpy(dtype=bool)):
        mended = mended_number(str(cells.iloc[at]))
        found[at] = np.nan if mended is None else float(mended)
    return found


def mended_number(text: str) -> str | None:
    """Return a number in plain digits from one written with wide digits, a unit, or 万, 千, 百, 亿.

    Only what has one meaning is read: no range, no "about", no unit that would change the figure (亩), and
    commas between thousands only beside a unit, because a comma alone may be a decimal sign.

    Parameters
    ----------
    text : content of a cell that is no number as it stands

    Returns
    -------
    digits : the number, None where it is none

    >>> [mended_number(text) for text in ("１２０", "1,200人", "1.2万", "35 张", "1,200", "约30人", "3亩")]
    ['120', '1200', '12000', '35', None, None, None]
    """
    if len(text) > _LONGEST_NUMBER:
        return None
    plain = unicodedata.normalize("NFKC", text).strip()
    match = _NUMBER_WITH_UNIT.fullmatch(plain)
    if match is None or ("," in match["figure"] and not (match["unit"] or match["times"])):
        return None
    figure = Decimal(match["figure"].replace(",", "")) * _TIMES[match["times"]]
    return f"{figure.normalize():f}"


_LONGEST_NUMBER: Final = 60  # signs; NFKC of a cell of megabytes would take its time


def plain_degrees(cells: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Return a column of longitudes or latitudes as numbers: decimal, or degrees, minutes and seconds.

    Parameters
    ----------
    cells : (row,)

    Returns
    -------
    degrees : (row,) float64, NaN where a cell is none; south and west are negative

    >>> plain_degrees(pd.Series(["120.5", "120°30′", "30度31分12秒", "W 30°30′36″", "30°75′"])).tolist()
    [120.5, 120.5, 30.52, -30.51, nan]
    """
    found = plain_numbers(cells)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return found
    for at in np.flatnonzero(np.isnan(found)):
        cell = cells.iloc[at]
        if isinstance(cell, str):
            found[at] = _angle(cell)
    return found


def _angle(text: str) -> float:
    """Return degrees, minutes and seconds as degrees; NaN for another text, or minutes from 60 on."""
    match = None if len(text) > _LONGEST_NUMBER else _ANGLE.fullmatch(_narrow(text))
    if match is None or (match["before"] and match["behind"]):
        return np.nan
    parts = [Decimal(match[part] or 0) for part in ("degrees", "minutes", "seconds")]
    # A fraction is allowed in the last part alone: 30.5°10′ has two readings.
    broken = any(parts[at] % 1 and any(parts[at + 1 :]) for at in range(2))
    if broken or parts[1] >= 60 or parts[2] >= 60:
        return np.nan
    side = (match["before"] or match["behind"] or "").upper()
    negative = (side in _NEGATIVE) != (match["sign"] == "-")
    size = float(parts[0] + parts[1] / 60 + parts[2] / 3600)
    return -size if negative else size


def _narrow(text: str) -> str:
    """Return a text with narrow digits and letters; the signs of minutes and seconds stay themselves."""
    return "".join(unicodedata.normalize("NFKC", sign) if sign not in "′″" else sign for sign in text).strip()


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
    if not text.isascii() and len(text) <= _LONGEST_NUMBER:
        text = unicodedata.normalize("NFKC", text)
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
