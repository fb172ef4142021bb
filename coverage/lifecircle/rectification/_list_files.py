"""Write the tables of a rectification list: csv, a workbook by town, one by department; decides nothing."""

from __future__ import annotations

import math
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import xlsxwriter

from lifecircle.files import complete_folder
from lifecircle.rectification._problem_record import COLUMNS, FIGURES, FOLDER, HAND, STATUSES, write_record
from lifecircle.tables import write_csv
from lifecircle.wording import explain, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lifecircle.findings import Language
    from lifecircle.rectification._problem_record import Problem
    from lifecircle.rectification._rounds import RectificationList

_WIDTHS = {
    "id": 18, "description": 36, "district": 9, "village": 12, "people": 7, "over60": 7, "under3": 7,
    "minutes": 7, "nearest": 17, "cause": 8, "measure": 22, "expected": 8, "department": 12, "helpers": 11,
    "deadline": 11, "progress": 18, "criterion": 19, "evidence": 16, "verifier": 8, "status": 10, "check": 17,
}  # fmt: skip
"""Characters of the columns: together what an A3 page holds in type of some 7 points."""
_NO_CLOCK = datetime(2000, 1, 1)  # noqa: DTZ001 -- a file without a clock is the same file tomorrow
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_LINE = "#C8CDD3"
_LINE_POINTS = 13.5
_HIGHEST = 400.0
_A3 = 8
_BAD_SIGNS = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_LONGEST_NAME = 31


def write_list(listing: RectificationList, folder: Path) -> Path:
    """Write a list into a folder, all files or none; those of an earlier list there are replaced.

    Raises
    ------
    UnusableInputError
        When the folder holds something else, or the system refuses to write.
    """
    with complete_folder(folder, FOLDER) as fresh:
        write_record(listing.record, fresh)
        write_csv(_table(listing), fresh / "rectification.csv")
        _write_workbook(listing, fresh / "rectification-towns.xlsx", "district")
        _write_workbook(listing, fresh / "rectification-departments.xlsx", "department")
    return folder


def problem_row(problem: Problem, language: Language) -> dict[str, str | float | None]:
    """Return what is printed of a problem, by column: what people wrote stands before what was proposed."""
    row = {column: problem.computed.get(column) for column in COLUMNS}
    row |= {column: problem.hand[column] for column in HAND if problem.hand.get(column)}
    row["id"] = problem.id
    row["status"] = word("problem_status", problem.status, language)
    row["check"] = explain(problem.check, language)
    return row


def _table(listing: RectificationList) -> pd.DataFrame:
    language = listing.findings.language
    rows = [problem_row(one, language) for one in listing.record.problems]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for column in COLUMNS:
        kind = float if column in FIGURES else object
        table[column] = table[column].astype(kind)
    return table.set_axis([word("rectify_column", column, language) for column in COLUMNS], axis=1)


# ---------------------------------------------------------------------------------------------------------
# The workbooks


def _write_workbook(listing: RectificationList, path: Path, by: str) -> None:
    """Write a workbook with a sheet for each town or department; every problem stands in one of them."""
    language = listing.findings.language
    groups: dict[str, list[Problem]] = {}
    for one in listing.current:
        groups.setdefault(str(one.computed.get(by) or ""), []).append(one)
    with xlsxwriter.Workbook(path, _AS_TEXT) as book:
        book.set_properties({"created": _NO_CLOCK})
        look = _Look(book, language)
        names: set[str] = set()
        _write_summary(book.add_worksheet(word("sheet", "problem_summary", language)), listing, groups, look)
        for group, problems in groups.items():
            name = group or word("rectify", "whole" if by == "district" else "nobody", language)
            sheet = book.add_worksheet(_sheet_name(name, names))
            _write_sheet(sheet, f"{_title(listing)} · {name}", problems, listing, look)
        if listing.ended:
            sheet = book.add_worksheet(word("sheet", "ended", language))
            title = f"{_title(listing)} · {word('sheet', 'ended', language)}"
            _write_sheet(sheet, title, listing.ended, listing, look)


def _title(listing: RectificationList) -> str:
    findings = listing.findings
    return f"{findings.name} {findings.year} · {word('rectify', 'title', findings.language)}"


def _sheet_name(name: str, taken: set[str]) -> str:
    """Name a sheet as spreadsheets allow, each once."""
    plain = name.translate(_BAD_SIGNS).strip()[:_LONGEST_NAME] or "-"
    made, number = plain, 2
    while made.lower() in taken:
        made = f"{plain[: _LONGEST_NAME - 4]} {number}"
        number += 1
    taken.add(made.lower())
    return made


class _Look:
    """The formats of a workbook."""

    def __init__(self, book: Any, language: Language) -> None:
        face = "Microsoft YaHei" if language == "zh" else "Calibri"
        plain = {"font_name": face, "font_size": 9, "valign": "vcenter"}
        cell = {**plain, "border": 1, "border_color": _LINE}
        number = {"num_format": "#,##0", "align": "right"}
        text = {"num_format": "@", "text_wrap": True, "align": "left"}
        filled = {"bg_color": "#FFF9DB", "locked": False}
        self.title = book.add_format({**plain, "bold": True, "font_size": 14})
        self.stamp = book.add_format({**plain, "font_color": "#B00020"})
        self.note = book.add_format(plain)
        head = {**cell, "bold": True, "align": "center", "text_wrap": True}
        self.head = book.add_format({**head, "bg_color": "#E8EEF5"})
        self.hand_head = book.add_format({**head, "bg_color": "#FFE99A"})
        self.text = book.add_format({**cell, **text})
        self.number = book.add_format({**cell, **number})
        self.minutes = book.add_format({**cell, **number, "num_format": "#,##0.0"})
        self.hand = book.add_format({**cell, **text, **filled})
        self.total = book.add_format({**cell, **number, "bold": True})

    def of(self, column: str) -> Any:
        """Return the format of a column's cells."""
        if column in HAND:
            return self.hand
        if column == "minutes":
            return self.minutes
        return self.number if column in FIGURES else self.text


def _write_sheet(
    sheet: Any, title: str, problems: Sequence[Problem], listing: RectificationList, look: _Look
) -> None:
    """Write the rows of one town or department, ready to be printed and filled in."""
    language = listing.findings.language
    stamp = word("stamp", "synthetic" if listing.findings.synthetic else "internal", language)
    sheet.write_string(0, 0, title, look.title)
    sheet.write_string(1, 0, f"{stamp}  {word('rectify', 'how', language)}", look.stamp)
    for at, column in enumerate(COLUMNS):
        sheet.set_column(at, at, _WIDTHS[column])
        heading = word("rectify_column", column, language)
        sheet.write_string(2, at, heading, look.hand_head if column in HAND else look.head)
    sheet.set_row(2, 2 * _LINE_POINTS + 4)
    for number, one in enumerate(problems, 3):
        row = problem_row(one, language)
        for at, column in enumerate(COLUMNS):
            _put(sheet, (number, at), row[column], look.of(column))
        lines = max(_lines(row[column], _WIDTHS[column]) for column in COLUMNS)
        sheet.set_row(number, min(lines * _LINE_POINTS + 4, _HIGHEST))
    last = len(problems) + 2
    status = COLUMNS.index("status")
    words = [word("problem_status", one, language) for one in STATUSES]
    sheet.data_validation(
        3,
        status,
        last,
        status,
        {
            "validate": "list",
            "source": words,
            "error_title": word("rectify", "title", language),
            "error_message": word("rectify", "choose", language),
        },
    )
    sheet.autofilter(2, 0, last, len(COLUMNS) - 1)
    sheet.freeze_panes(3, 1)
    _print_ready(sheet)
    sheet.repeat_rows(2)


def _print_ready(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(_A3)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&F&C&A&R&P / &N")


def _write_summary(
    sheet: Any, listing: RectificationList, groups: Mapping[str, Sequence[Problem]], look: _Look
) -> None:
    """Count the problems of every sheet by status; people are not added up, as targets share them."""
    language = listing.findings.language
    stamp = word("stamp", "synthetic" if listing.findings.synthetic else "internal", language)
    sheet.write_string(0, 0, _title(listing), look.title)
    sheet.write_string(1, 0, stamp, look.stamp)
    statuses = [one for one in STATUSES if any(problem.status == one for problem in listing.record.problems)]
    heads = [word("rectify", "unit", language)]
    heads += [word("problem_status", one, language) for one in statuses]
    heads += [word("rectify", "total", language)]
    for at, head in enumerate(heads):
        sheet.write_string(2, at, head, look.head)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, len(heads) - 1, 14)
    ended = {word("sheet", "ended", language): listing.ended} if listing.ended else {}
    rows = {**groups, **ended}
    for number, (name, problems) in enumerate(rows.items(), 3):
        sheet.write_string(number, 0, name or word("rectify", "whole", language), look.text)
        counts = [sum(one.status == status for one in problems) for status in statuses]
        for at, count in enumerate([*counts, len(problems)], 1):
            sheet.write_number(number, at, count, look.number)
    whole = [one for problems in rows.values() for one in problems]
    sheet.write_string(len(rows) + 3, 0, word("rectify", "total", language), look.head)
    sums = [sum(one.status == status for one in whole) for status in statuses]
    for at, count in enumerate([*sums, len(whole)], 1):
        sheet.write_number(len(rows) + 3, at, count, look.total)
    for number, line in enumerate(word("rectify", "notes", language).split("\n"), len(rows) + 5):
        sheet.write_string(number, 0, line, look.note)
    sheet.freeze_panes(3, 1)
    _print_ready(sheet)


def _put(sheet: Any, place: tuple[int, int], value: str | float | None, look: Any) -> None:
    """Write a cell as what it is: a text is never looked into."""
    if value is None or value == "":
        sheet.write_blank(*place, None, look)
    elif isinstance(value, str):
        sheet.write_string(*place, value, look)
    else:
        sheet.write_number(*place, value, look)


def _lines(value: object, width: float) -> int:
    """Count the lines a text takes in a column; a Chinese sign is two wide."""
    if not isinstance(value, str):
        return 1
    return sum(max(1, math.ceil(_wide(part) / (width - 1))) for part in value.split("\n"))


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
