"""Read csv files: encoding, delimiter, decimal commas; not what the columns mean."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.headings import known_headings, means
from lifecircle.tables._header import Grid, table_in

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_DELIMITERS: Final = (",", ";", "\t", "|", "，", "；")
_LOOKED_AT, _LINES = 100_000, 50
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_COMMON_SHARE = 0.5
_LONGEST_CELL = 10_000_000  # characters; the csv module refuses more than 131,072 unless its limit is raised


def read_csv_file(
    path: Path, name: str, *, header_row: int | None = None
) -> tuple[pd.DataFrame, int, tuple[str, ...]]:
    """Read a csv file with all cells as text, so that codes keep their zeros and rows their numbers.

    Returns
    -------
    frame : text cells, None where a cell is empty; index the row numbers as people see them
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
    # The delimiter is found before any cell is read: with decimal commas a wrong one doubles the columns.
    delimiter = delimiter_of(text)
    rows = _rows(text, name, delimiter)
    found = table_in(Grid(rows), name=name, header_row=header_row)
    notes = [] if delimiter == "," else [f"delimiter:{_SHOWN_AS.get(delimiter, delimiter)}"]
    notes += found.notes
    frame = found.frame
    if delimiter != "," and frame.columns.is_unique:
        frame, with_commas = _with_points(frame, name)
        notes += [f"decimal_comma:{', '.join(with_commas)}"] if with_commas else []
    return frame, found.header, tuple(notes)


def _with_points(frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Return the frame with decimal commas written as points, and the columns that had them.

    Longitude and latitude are below a thousand, so there a comma before three digits is a decimal comma too.

    Raises
    ------
    UnusableInputError
        Where a comma is the decimal sign, 1.234 is more likely 1234 than a little more than one.
    """
    kinds = {str(column): _commas(frame[column]) for column in frame.columns}
    with_commas = [
        column
        for column, kind in kinds.items()
        if kind == "decimal" or (kind == "thousands" and means(column, ("lon", "lat")))
    ]
    if not with_commas:
        return frame, []
    faults = [
        Fault(
            name,
            say("column '{column}'", column=column),
            next(cell for cell in frame[column] if cell is not None and "." in cell),
            say("decimals are written with commas here, so that this may be thousands or a fraction"),
            say("write the numbers without signs between thousands"),
        )
        for column in map(str, frame.columns)
        if column not in with_commas and not means(column, _TEXTS) and _dotted_thousands(frame[column])
    ]
    if faults:
        raise UnusableInputError(faults)
    points = {
        column: frame[column].map(lambda cell: cell if cell is None else cell.replace(",", "."))
        for column in with_commas
    }
    return frame.assign(**points), with_commas


_TEXTS: Final = ("id", "code", "name", "district", "village", "address", "hours", "class", "location")


def _dotted_thousands(cells: pd.Series[Any]) -> bool:
    """Return whether every cell with a point has it between thousands."""
    texts = [cell for cell in cells if cell is not None]
    dotted = [text for text in texts if "." in text]
    return (
        bool(dotted)
        and all(_DOTTED.fullmatch(text) for text in dotted)
        and all(text in dotted or _PLAIN_NUMBER.fullmatch(text) for text in texts)
    )


_SHOWN_AS: Final = {"\t": "TAB", "|": "/"}  # a code keeps its own sign for itself


def _rows(text: str, name: str, delimiter: str) -> list[tuple[int, list[Any]]]:
    """Return the rows of a text that are not blank, numbered as people see them.

    Raises
    ------
    UnusableInputError
        A quote is not closed, or a cell is longer than any cell should be.
    """
    # A setting of the whole process: it is put back below.
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


def delimiter_of(text: str) -> str:
    """Return the delimiter: the sign that occurs equally often in most of the first lines.

    So neither a comma in a title, nor decimal commas, nor semicolons in some cells decide. Of equals the
    comma is chosen.
    """
    lines = [line for line in re.sub(r'"[^"]*"', "", text[:_LOOKED_AT]).splitlines() if line.strip()]
    agreeing = {}
    for sign in _DELIMITERS:
        counts = Counter(line.count(sign) for line in lines[:_LINES])
        agreeing[sign] = max((many for times, many in counts.items() if times), default=0)
    return max(_DELIMITERS, key=lambda sign: agreeing[sign])


def _commas(cells: pd.Series[Any]) -> str:
    """Return what commas separate in a column of numbers: ``decimal``, perhaps ``thousands``, or nothing."""
    texts = [cell for cell in cells if cell is not None]
    commas = [text for text in texts if _DECIMAL_COMMA.fullmatch(text)]
    if not commas or any(not (_DECIMAL_COMMA.fullmatch(t) or _PLAIN_NUMBER.fullmatch(t)) for t in texts):
        return ""
    return "thousands" if all(_THOUSANDS.fullmatch(text) for text in commas) else "decimal"


def decoded(raw: bytes, name: str) -> str:
    """Return bytes as text: UTF-8, UTF-16 with its mark, or GB18030 where that gives Chinese.

    Nearly any bytes are GB18030: text of another encoding comes out as rare characters, because an accented
    letter and the plain letter after it are read as one. It is accepted only where at least half of what
    is not ASCII is among the common characters (GB 2312), in which that cannot happen.

    Raises
    ------
    UnusableInputError
        It is none of these; the fault names the first row that cannot be read.
    """
    if raw.startswith(_UTF_16):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError:
            pass
    try:
        # First, because text in another encoding is almost never valid UTF-8 by chance; nearly any bytes are
        # GB18030.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        first = raw.count(b"\n", 0, error.start) + 1
        line = raw.splitlines()[first - 1] if raw.splitlines() else b""
    other = _line_of_utf_8(raw)
    if other:
        # Read as one of the two, half of the names would be nonsense, and nobody would notice.
        reason = say("two encodings in one file: row {row} is UTF-8, this one is not", row=other)
        remedy = say("open the parts in the program they came from and save them together as 'CSV UTF-8'")
        found = line.decode("gb18030", "replace")
        raise UnusableInputError([Fault(name, say("row {row}", row=first), found[:80], reason, remedy)])
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


def _line_of_utf_8(raw: bytes) -> int:
    """Return the first line of a text of another encoding that is Chinese in UTF-8; 0 where none is.

    Some pairs of signs of GB18030 are valid UTF-8 by chance, so that three Chinese signs are asked for.
    """
    for number, line in enumerate(raw.splitlines(), start=1):
        if line.isascii():
            continue
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if len(_CHINESE_SIGNS.findall(text)) >= _BY_NO_CHANCE:
            return number
    return 0


_CHINESE_SIGNS = re.compile("[\u4e00-\u9fff]")
_BY_NO_CHANCE: Final = 3


def plausible_chinese(text: str) -> bool:
    """Return whether text that came out of GB18030 was Chinese before.

    A known heading settles it. Else, of what is not ASCII:

    * at least half must be common Chinese characters (GB 2312): of an accented letter and the plain one after
      it come others;
    * not half of the words may be one or two signs within small Latin letters: ``ção`` comes out as 玢o;
    * not most may be of the second, rarer half of GB 2312, into which small Cyrillic letters fall; nor may
      all be Korean if taken for it, with none of the signs that lists of places are full of.

    >>> plausible_chinese("武原街道"), plausible_chinese("Pe馻flor"), plausible_chinese("Concei玢o")
    (True, False, False)
    """
    cells = re.split(r"[,;\t|\r\n\"]", text[:_LOOKED_AT])
    if known_headings(cell for cell in cells if not cell.isascii()):
        return True
    foreign = [sign for sign in text if ord(sign) > 127]
    common = [sign for sign in foreign if _is_common(sign)]
    if len(common) < _COMMON_SHARE * len(foreign):
        return False
    words = _FOREIGN_WORD.findall(text)
    # Accented letters of European languages come out as single characters between small letters.
    inside = len(_WITHIN_LETTERS.findall(text))
    if words and inside >= _COMMON_SHARE * len(words):
        return False
    if len(common) < _ENOUGH:
        return True
    # Text in Cyrillic or Korean encodings falls into the rarer half of the table.
    rare = sum(sign.encode("gb2312")[0] >= _SECOND_HALF for sign in common)
    return rare <= _RARE_SHARE * len(common) and not _korean(common)


_FOREIGN_WORD = re.compile(r"[^\x00-\x7f]+")
_WITHIN_LETTERS = re.compile(
    r"(?:(?<=[a-z])[^\x00-\x7f]{1,2}(?![^\x00-\x7f]))|(?:(?<![^\x00-\x7f])[^\x00-\x7f]{1,2}(?=[a-z]))"
)
_SECOND_HALF: Final = 0xD8
_RARE_SHARE = 0.6
_ENOUGH = 5
_FREQUENT: Final = frozenset(
    "村镇街道路社区县市乡号馆园院校店站中心大小东西南北新城公民文化卫生服务幼儿老年图书体育湖江河山水桥门里家学室"
)


def _korean(signs: list[str]) -> bool:
    """Return whether signs are Korean syllables if read as EUC-KR, none of them frequent in Chinese lists."""
    if any(sign in _FREQUENT for sign in signs):
        return False
    try:
        other = "".join(signs).encode("gb2312").decode("euc-kr")
    except UnicodeDecodeError:
        return False
    return all("\uac00" <= sign <= "\ud7a3" for sign in other)


def _is_common(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
