"""Own reading csv: its encoding, its delimiter, decimal commas; not what its columns mean."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import TYPE_CHECKING, Any, Final

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.tables._header import Grid, table_in

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_DELIMITERS: Final = (",", ";", "\t", "|")
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_COMMON_SHARE = 0.5
_LONGEST_CELL = 10_000_000  # characters; the csv module refuses more than 131,072 unless told


def read_csv_file(
    path: Path, name: str, *, header_row: int | None = None
) -> tuple[pd.DataFrame, int, tuple[str, ...]]:
    """Read a csv file as text throughout, so that codes keep their zeros and rows their numbers.

    Returns
    -------
    frame : text cells, None where nothing stands; index the row numbers as people see them
    header : number of the header's row
    notes : codes of what had to be recognised: ``delimiter``, ``decimal_comma``, ``header_found``

    Raises
    ------
    UnusableInputError
        The file is empty, neither UTF-8 nor Chinese text, or its quotes or rows do not fit.
    """
    text = decoded(path.read_bytes(), name)
    if not text.strip():
        raise UnusableInputError(
            [Fault(name, "", "", say("empty file"), say("write the column names and rows"))]
        )
    delimiter = _delimiter(text)
    rows = _rows(text, name, delimiter)
    found = table_in(Grid(rows), name=name, header_row=header_row)
    notes = [] if delimiter == "," else [f"delimiter:{_SHOWN_AS.get(delimiter, delimiter)}"]
    if found.above:
        notes.append(f"header_found:{found.header}|{found.above}")
    frame = found.frame
    if delimiter != ",":
        with_commas = [column for column in frame.columns if _decimal_commas(frame[column])]
        if with_commas and frame.columns.is_unique:
            frame = frame.assign(
                **{
                    str(column): frame[column].map(
                        lambda cell: cell if cell is None else cell.replace(",", ".")
                    )
                    for column in with_commas
                }
            )
            notes.append(f"decimal_comma:{', '.join(map(str, with_commas))}")
    return frame, found.header, tuple(notes)


_SHOWN_AS: Final = {"\t": "TAB", "|": "/"}  # a code keeps its own sign for itself


def _rows(text: str, name: str, delimiter: str) -> list[tuple[int, list[Any]]]:
    """Take the text apart into rows that are not blank, numbered as people see them.

    Raises
    ------
    UnusableInputError
        A quote is not closed, or a cell is longer than any cell should be.
    """
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows: list[tuple[int, list[Any]]] = []
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                rows.append((number, [cell.strip() or None for cell in cells]))
    except csv.Error as error:
        line = say("line {line}", line=reader.line_num)
        remedy = say("write a quote inside a quoted cell twice, or save it from a spreadsheet program")
        raise UnusableInputError([Fault(name, line, "", str(error), remedy)]) from error
    finally:
        csv.field_size_limit(before)
    return rows


def _delimiter(text: str) -> str:
    """Choose the sign that parts the columns: the comma, unless the first lines have none and another often.

    The lines are those with the most of any such sign, so that a title above the header does not decide.
    """
    lines = text.splitlines()[:20]
    unquoted = [re.sub(r'"[^"]*"', "", line) for line in lines]
    counts = {sign: max((line.count(sign) for line in unquoted), default=0) for sign in _DELIMITERS}
    header = next((line for line in unquoted if line.count(";") or line.count("\t") or line.count(",")), "")
    if header.count(","):
        return ","
    best = max(_DELIMITERS[1:], key=lambda sign: (header.count(sign), counts[sign]))
    return best if header.count(best) else ","


def _decimal_commas(cells: pd.Series[Any]) -> bool:
    """Return whether a column has decimal commas; commas that may part thousands are left alone."""
    texts = [cell for cell in cells if cell is not None]
    commas = [text for text in texts if _DECIMAL_COMMA.fullmatch(text)]
    if not commas or any(not (_DECIMAL_COMMA.fullmatch(t) or _PLAIN_NUMBER.fullmatch(t)) for t in texts):
        return False
    return not all(_THOUSANDS.fullmatch(text) for text in commas)


def decoded(raw: bytes, name: str) -> str:
    """Read bytes as text: UTF-8, UTF-16 with its mark, or GB18030 where that makes Chinese.

    Nearly any bytes are GB18030: text of another encoding comes out as rare characters, because an accented
    letter and the plain letter after it are taken for one. It is believed only where at least half of what
    is not ASCII is among the common characters (GB 2312), in which that cannot happen.

    Raises
    ------
    UnusableInputError
        It is none of these; the fault names the first row that says so.
    """
    if raw.startswith(_UTF_16):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError:
            pass
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        first = raw.count(b"\n", 0, error.start) + 1
        line = raw.splitlines()[first - 1] if raw.splitlines() else b""
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    if text and plausible_chinese(text):
        return text
    found = line.decode("latin-1")
    reason = say("neither UTF-8 nor GB18030 text")
    remedy = say("save it as 'CSV UTF-8'")
    raise UnusableInputError([Fault(name, say("row {row}", row=first), found[:80], reason, remedy)])


def plausible_chinese(text: str) -> bool:
    """Return whether at least half of what is not ASCII in a text is among the common Chinese characters.

    >>> plausible_chinese("武原街道"), plausible_chinese("Pe馻flor")
    (True, False)
    """
    foreign = [sign for sign in text if ord(sign) > 127]
    common = sum(_is_common(sign) for sign in foreign)
    return common >= _COMMON_SHARE * len(foreign)


def _is_common(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
