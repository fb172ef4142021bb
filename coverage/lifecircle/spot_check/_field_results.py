"""Read back what was found in the field: one row for each resident, columns filled in by whoever walked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecircle.errors import Fault, FaultLog, say
from lifecircle.findings import LANGUAGES
from lifecircle.limits import within_limit
from lifecircle.tables import nearest_name, parse_flag, plain_numbers, plain_text, read_table
from lifecircle.wording import word

if TYPE_CHECKING:
    from lifecircle.errors import Message
    from lifecircle.spot_check._sample_draw import Sample

FILLED = ("actual_minutes", "reached", "remarks")
COLUMNS = (
    "id", "stratum", "probability", "district", "village", "people", "lon", "lat", "venue", "minutes",
    *FILLED,
)  # fmt: skip
"""Columns of the sheet that is filled in; headings under ``spot_column``."""


def read_results(path: str | Path, sample: Sample) -> pd.Series:
    """Read the field results of a sample.

    A resident is found covered when the venue can be reached and takes no longer than the limit (inclusive).
    A row without an answer was not checked.

    Returns
    -------
    found : label of a resident -> bool, in the order of the file

    Raises
    ------
    UnusableInputError
        With every fault: a heading that is missing; an id that is not of the sample or there twice; minutes
        that are none or negative; an answer that is neither yes nor no; a venue that can be reached without
        minutes; a stratum of which fewer than two were checked.
    """
    log = FaultLog()
    name, sheet = Path(path).name, None
    if Path(path).suffix.lower() in {".xlsx", ".xlsm"}:
        sheet = _sheet(Path(path))
    table = read_table(path, sheet=sheet)
    headings = _headings([str(one) for one in table.frame.columns], name, log)
    log.raise_any()
    found: dict[str, bool] = {}
    seen: dict[str, int] = {}
    for row, cells in zip(table.frame.index, table.frame.to_dict("records"), strict=True):
        label = plain_text(cells[headings["id"]])
        place = say("row {row}, column '{column}'", row=int(row), column=headings["id"])
        minutes, reached = cells[headings["actual_minutes"]], cells[headings["reached"]]
        if label not in sample.points.index:
            if label or plain_text(minutes) or plain_text(reached):
                remedy = say("use the sheet that was written for this sample")
                log.add(Fault(name, place, label, say("no resident of this sample"), remedy))
            continue
        if label in seen:
            reason = say("listed twice, as in {file}, row {row}", file=name, row=seen[label])
            log.add(Fault(name, place, label, reason, say("keep one of the two rows")))
            continue
        seen[label] = int(row)
        answer = _answer((minutes, reached), int(row), headings, (name, sample.limit_min), log)
        if answer is not None:
            found[label] = answer
    log.raise_any()
    _check_strata(found, sample, name, log)
    log.raise_any()
    return pd.Series(found, dtype=bool)


def _sheet(path: Path) -> str | None:
    """Name the sheet that is filled in, in the language the workbook has; None leaves it to the reader."""
    import openpyxl  # noqa: PLC0415 - a csv needs no workbook library

    try:
        book = openpyxl.load_workbook(path, read_only=True)
    except Exception:  # noqa: BLE001 - the reader says what is wrong with the file
        return None
    titles = list(book.sheetnames)
    book.close()
    own = [word("sheet", "spot_list", language) for language in LANGUAGES]
    return next((title for title in titles if title in own), None)


def _headings(columns: list[str], name: str, log: FaultLog) -> dict[str, str]:
    known = {word("spot_column", one, language): one for one in COLUMNS for language in LANGUAGES}
    found = {known[one.strip()]: one for one in columns if one.strip() in known}
    for one in ("id", "actual_minutes", "reached"):
        if one not in found:
            heading = word("spot_column", one, "zh")
            near = nearest_name(heading, [each for each in columns if each.strip() not in known])
            reason = say("no column '{name}'", name=heading)
            remedy = (
                say("use the sheet that was written for this sample")
                if near is None
                else say("rename the column '{near}' to '{name}'", near=near, name=heading)
            )
            log.add(Fault(name, "", "" if near is None else near, reason, remedy))
    return found


def _answer(
    cells: tuple[Any, Any], row: int, headings: dict[str, str], of: tuple[str, float], log: FaultLog
) -> bool | None:
    """Read one resident's answer; None where there is none, or a fault."""
    (minutes, reached), (name, limit_min) = cells, of
    text, said = plain_text(minutes), plain_text(reached)
    if not text and not said:
        return None
    number = float(plain_numbers(pd.Series([minutes], dtype=object))[0]) if text else math.nan
    at_minutes = say("row {row}, column '{column}'", row=row, column=headings["actual_minutes"])
    if text and (not math.isfinite(number) or number < 0):
        log.add(Fault(name, at_minutes, text, say("no minutes"), say("give a number of minutes, 0 or more")))
        return None
    try:
        flag = parse_flag(said) if said else True
    except ValueError:
        place: Message = say("row {row}, column '{column}'", row=row, column=headings["reached"])
        log.add(Fault(name, place, said, say("neither yes nor no"), say("write 是 or 否, yes or no")))
        return None
    if flag and not text:
        remedy = say("fill in the minutes, or say that the venue cannot be reached")
        log.add(Fault(name, at_minutes, "", say("reached, but without minutes"), remedy))
        return None
    return bool(flag and within_limit(number * 60, limit_min * 60))


def _check_strata(found: dict[str, bool], sample: Sample, name: str, log: FaultLog) -> None:
    for stratum, mine in sample.points.groupby("stratum"):
        checked = sum(label in found for label in mine.index)
        needed = min(2, sample.sizes[str(stratum)])
        if checked < needed:
            shown = word("spot_stratum", str(stratum), "zh")
            reason = say(
                "{count} {count:resident|residents} of '{stratum}' {count:was|were} checked",
                count=checked,
                stratum=shown,
            )
            remedy = say("check at least {needed} of them: nothing can be said of the others", needed=needed)
            log.add(Fault(name, "", "", reason, remedy))
