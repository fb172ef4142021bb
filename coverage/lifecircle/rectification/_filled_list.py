"""Read a list that people have filled in, and refuse one that would lose what they wrote."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from lifecircle.errors import Fault, FaultLog, say
from lifecircle.findings import LANGUAGES
from lifecircle.rectification._problem_record import COLUMNS, ENDED, HAND, STATUSES
from lifecircle.tables import UNREADABLE, check_file, nearest_name, plain_text, read_table, rearmed
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lifecircle.errors import Message
    from lifecircle.rectification._problem_record import Record
    from lifecircle.tables import Table

LONGEST = 32_767
"""Characters that a cell of a workbook holds."""


@dataclass(frozen=True)
class _Cell:
    """What somebody wrote, and where."""

    file: str
    row: int
    value: str


def read_filled(paths: Iterable[str | Path], record: Record) -> dict[str, dict[str, str]]:
    """Read what people wrote into one or several files of a list.

    A row is known by its id alone; columns and rows may stand in any order, and rows may be missing. Columns
    that the computation fills are not read. An empty cell leaves what was written before; a dash (``-`` or
    ``—``) takes it away. A measure is kept when it differs from the one proposed. Files in which different
    people filled in different rows or cells are put together; where two say different things of one cell it
    is a fault.

    Parameters
    ----------
    paths : workbooks or csv, as the package wrote them
    record : of the list that was filled in

    Returns
    -------
    filled : id -> column -> text; ``status`` as a code of the catalogue

    Raises
    ------
    UnusableInputError
        With every fault of every file: a heading that is missing, renamed or not known; an id that is not
        known, is there twice or is missing beside a text; a status that is none; a problem closed without
        evidence, or withdrawn without evidence and verifier; two files that differ.
    """
    log = FaultLog()
    cells: dict[tuple[str, str], _Cell] = {}
    for path in paths:
        seen: dict[str, tuple[str, int]] = {}
        for sheet in _sheets(Path(path), log):
            with log.catching():
                table = read_table(path, sheet=sheet)
                name = Path(path).name if sheet is None else f"{Path(path).name} [{sheet}]"
                _read_sheet(table, name, record, (seen, cells), log)
    filled = _by_id(cells, record)
    _check_ends(filled, cells, record, log)
    log.raise_any()
    return filled


def _sheets(path: Path, log: FaultLog) -> list[str | None]:
    """List the sheets that hold rows of the list; None for a file that is one table."""
    if path.suffix.lower() not in {".xlsx", ".xlsm"}:
        return [None]
    own = {word("sheet", kind, language) for kind in ("problem_summary", "ended") for language in LANGUAGES}
    if not path.is_file():
        return [None]  # the reader says so
    with log.catching():
        check_file(path, path.name)
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # drop-down lists are not needed for reading
            try:
                book = openpyxl.load_workbook(file, read_only=True)
                titles = [one.title for one in book.worksheets if one.title not in own]
                book.close()
            except (*UNREADABLE, InvalidFileException) as error:
                reason = say("cannot be read as a workbook: {what}", what=str(error)[:200])
                log.add(Fault(path.name, "", "", reason, say("open it in a spreadsheet and save it again")))
                return []
        return titles
    return []


def _read_sheet(
    table: Table,
    name: str,
    record: Record,
    found: tuple[dict[str, tuple[str, int]], dict[tuple[str, str], _Cell]],
    log: FaultLog,
) -> None:
    """Take the filled cells of one table, with a fault for each that cannot be taken."""
    seen, cells = found
    headings = _headings(table, name, log)
    if headings is None:
        return
    if any(note.startswith("formula_without_value:") for note in table.notes):
        reason = say("formulas whose result is not stored: what they show would be lost")
        log.add(
            Fault(name, "", "", reason, say("write the text itself, or open and save the file once more"))
        )
        return
    known, frame = record.by_id, table.frame
    for row, values in zip(frame.index, frame.to_dict("records"), strict=True):
        texts = {column: _text(values[heading]) for column, heading in headings.items()}
        label = texts.pop("id")
        written = {column: text for column, text in texts.items() if text}
        place = say("row {row}, column '{column}'", row=int(row), column=headings["id"])
        if not label:
            if written:
                remedy = say(
                    "put the number of the problem back, as it stands in the list that was handed out"
                )
                log.add(Fault(name, place, "", say("a row without a number"), remedy))
            continue
        if label not in known:
            log.add(Fault(name, place, label, say("no problem of this number"), _nearest(label, known)))
            continue
        if label in seen:
            file, first = seen[label]
            reason = say("listed twice, as in {file}, row {row}", file=file, row=first)
            log.add(Fault(name, place, label, reason, say("put both rows into one and delete the other")))
            continue
        seen[label] = (name, int(row))
        for column, text in written.items():
            at = say("row {row}, column '{column}'", row=int(row), column=headings[column])
            _take(_Cell(name, int(row), text), (label, column), at, (record, cells), log)


def _headings(table: Table, name: str, log: FaultLog) -> dict[str, str] | None:
    """Find the columns by their headings in either language; None with faults where one is not there."""
    known = {word("rectify_column", one, language): one for one in COLUMNS for language in LANGUAGES}
    columns = [str(one) for one in table.frame.columns]
    found = {known[one.strip()]: one for one in columns if one.strip() in known}
    strange = [one for one in columns if one.strip() not in known]
    missing = [one for one in ("id", *HAND) if one not in found]
    wanted = [(one, [word("rectify_column", one, language) for language in LANGUAGES]) for one in missing]
    faults = len(log.faults)
    for _, headings in wanted:
        near = next((one for one in strange if nearest_name(one, headings)), None)
        reason = say("no column '{name}'", name=headings[0])
        remedy = (
            say("give the column back its heading of the list that was handed out")
            if near is None
            else say("rename the column '{near}' to '{name}'", near=near, name=headings[0])
        )
        log.add(Fault(name, "", "" if near is None else near, reason, remedy))
    for one in strange:
        if not missing:
            place = say("column '{column}'", column=one)
            reason = say("no column of the list; what stands in it would be lost")
            remedy = say(
                "move it to '{name}', or delete the column", name=word("rectify_column", "progress", "zh")
            )
            log.add(Fault(name, place, "", reason, remedy))
    if len(log.faults) > faults:
        return None
    return {one: found[one] for one in ("id", *HAND)}


def _text(value: Any) -> str:
    """Put a cell into text; a day as a day, without the hour a spreadsheet adds.

    >>> _text(datetime(2026, 12, 31)), _text(3.0), _text(None)
    ('2026-12-31', '3', '')
    """
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    return str(rearmed(plain_text(value)))


def _nearest(label: str, known: Mapping[str, object]) -> Message:
    near = nearest_name(label, known)
    if near is None:
        return say("use the list that was handed out last; ids are never changed")
    return say("did you mean '{name}'?", name=near)


_NOTHING = frozenset({"-", "—", "——", "－"})


def _take(
    cell: _Cell,
    key: tuple[str, str],
    place: Message,
    found: tuple[Record, dict[tuple[str, str], _Cell]],
    log: FaultLog,
) -> None:
    """Keep one cell, unless it says nothing new, says what cannot be, or contradicts another file."""
    record, cells = found
    label, column = key
    old, text = record.by_id[label], cell.value
    if column == "status":
        code = _status(text)
        if code is None:
            words = [word("problem_status", one, "zh") for one in STATUSES]
            near = nearest_name(text, words)
            remedy = (
                say("give one of {names}", names=", ".join(words))
                if near is None
                else say("did you mean '{name}'?", name=near)
            )
            log.add(Fault(cell.file, place, text, say("no status of the list"), remedy))
            return
        text = code
    elif len(text) > LONGEST:
        reason = say("longer than a cell of a workbook holds")
        log.add(Fault(cell.file, place, text, reason, say("shorten the text to {most} signs", most=LONGEST)))
        return
    before = old.hand.get(column, "")
    if column == "measure" and not before and text == old.computed.get("measure"):
        return  # the proposal, as it was handed out
    if text in _NOTHING:
        text = ""
    if text == before:
        return
    other = cells.get(key)
    if other is not None and other.value != text:
        reason = say(
            "{file}, row {row} says something else of the same problem: {other}",
            file=other.file,
            row=other.row,
            other=other.value,
        )
        log.add(
            Fault(cell.file, place, cell.value, reason, say("agree on one text, and put it in both files"))
        )
        return
    cells[key] = _Cell(cell.file, cell.row, text)


def _status(text: str) -> str | None:
    plain = text.replace(",", "，").replace(" ", "")
    for code in STATUSES:
        words = {word("problem_status", code, language) for language in LANGUAGES}
        if text in words or plain in {one.replace(",", "，").replace(" ", "") for one in words}:
            return code
    return None


def _by_id(cells: Mapping[tuple[str, str], _Cell], record: Record) -> dict[str, dict[str, str]]:
    filled: dict[str, dict[str, str]] = {}
    for (label, column), cell in cells.items():
        if not record.by_id[label].ended:
            filled.setdefault(label, {})[column] = cell.value
    return filled


def _check_ends(
    filled: Mapping[str, Mapping[str, str]],
    cells: Mapping[tuple[str, str], _Cell],
    record: Record,
    log: FaultLog,
) -> None:
    """Refuse an end without what it needs: a gap closes only with evidence."""
    for label, texts in filled.items():
        if texts.get("status") not in ENDED:
            continue
        whole = {**record.by_id[label].hand, **texts}
        needed = ("evidence",) if whole["status"] == "closed" else ("evidence", "verifier")
        cell = cells[label, "status"]
        for column in needed:
            if not whole.get(column):
                heading = word("rectify_column", column, "zh")
                reason = say(
                    "'{status}' without '{column}'",
                    status=word("problem_status", whole["status"], "zh"),
                    column=heading,
                )
                place = say("row {row}, column '{column}'", row=cell.row, column=heading)
                remedy = say("fill in '{column}', or choose another status", column=heading)
                log.add(Fault(cell.file, place, label, reason, remedy))
