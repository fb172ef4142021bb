"""Write one department's workbook: how to fill in, facilities, figures, codes of units, lists to choose from.

Nothing of a profile or a study becomes a formula: every text is written as a text, and what a cell offers to
choose from stands in cells of a hidden sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from lifecircle.forms._department_form import COLUMNS, FIGURE_COLUMNS, NEEDED
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lifecircle.forms._department_form import DepartmentForm, FigureRow, Units
    from lifecircle.wording import Language

HEADER_ROW: Final = 3
"""Row of the column names on both sheets, as a spreadsheet counts."""

DATUMS: Final = ("wgs84", "gcj02", "bd09", "EPSG:4490")

_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_NO_CLOCK = datetime(2000, 1, 1)  # noqa: DTZ001 -- a file without a clock is the same file tomorrow
_LINE = "#C8CDD3"
_ROWS, _MOST_ROWS = 200, 5000
_WIDTHS = {
    "id": 10, "name": 26, "service": 20, "district": 14, "village": 18, "address": 30, "lon": 12, "lat": 12,
    "hours": 26, "opened": 12, "closed": 12, "serves": 16, "remarks": 20, "target": 24, "meaning": 44,
    "unit_name": 22, "value": 11, "source": 22,
}  # fmt: skip
_A3: Final = 8
_A4: Final = 9


@dataclass(frozen=True)
class FormHead:
    """What stands at the head of every sheet: the name of the study, its stamp, the language."""

    name: str
    synthetic: bool
    language: Language


def write_book(form: DepartmentForm, units: Units, head: FormHead, path: Path) -> None:
    """Write the workbook of one department."""
    with xlsxwriter.Workbook(path, _AS_TEXT) as book:
        book.set_properties({"created": _NO_CLOCK})
        sheets = _Sheets(book, form, units, head)
        sheets.write_guide()
        if form.services:
            sheets.write_facilities()
        if form.figures:
            sheets.write_figures()
        if units.districts or units.villages:
            sheets.write_units()
        sheets.write_lists()


def sheet_name(name: str, language: Language) -> str:
    """Return the name of a sheet of the forms: guide, facilities, figures, units or lists."""
    return word("form_sheet", name, language)


def column_heading(column: str, language: Language) -> str:
    """Return the heading of a column; an amount that the catalogue does not know has its own name."""
    return word("form_column", column, language)


class _Sheets:
    """The sheets of one workbook: its formats, and the lists that cells choose from."""

    def __init__(self, book: xlsxwriter.Workbook, form: DepartmentForm, units: Units, head: FormHead) -> None:
        self.book, self.form, self.units, self.head = book, form, units, head
        self.lists: list[tuple[str, Sequence[str]]] = []
        face = "Microsoft YaHei" if head.language == "zh" else "Calibri"
        plain = {"font_name": face, "font_size": 10, "valign": "vcenter"}
        cell = {**plain, "border": 1, "border_color": _LINE}
        shown = {**cell, "bg_color": "#F2F4F7", "text_wrap": True, "num_format": "@"}
        example = {**cell, "italic": True, "font_color": "#7A828C", "bg_color": "#F2F4F7"}
        header = {**cell, "bold": True, "align": "center", "text_wrap": True}
        self.look = {
            "title": book.add_format({**plain, "bold": True, "font_size": 14}),
            "stamp": book.add_format({**plain, "font_color": "#B00020"}),
            "line": book.add_format({**plain, "text_wrap": True}),
            "head": book.add_format({**header, "bg_color": "#E8EEF5"}),
            "needed": book.add_format({**header, "bg_color": "#FFE3A3"}),
            "shown": book.add_format(shown),
            "text": book.add_format({**cell, "num_format": "@"}),
            "fill": book.add_format({**cell, "bg_color": "#FFF9DB", "num_format": "@"}),
            "degrees": book.add_format({**cell, "num_format": "0.000000"}),
            "count": book.add_format({**cell, "num_format": "0"}),
            "figure": book.add_format({**cell, "bg_color": "#FFF9DB", "num_format": "General"}),
            "percent": book.add_format({**cell, "bg_color": "#FFF9DB", "num_format": "0.0##"}),
            "example": book.add_format(example),
            "example_degrees": book.add_format({**example, "num_format": "0.000000"}),
        }

    def word(self, name: str, kind: str = "form") -> str:
        """Return a word of the catalogue in the language of the form."""
        return word(kind, name, self.head.language)

    def sheet(self, name: str) -> Any:
        """Add a sheet with a title, set to print on pages as wide as it is."""
        sheet = self.book.add_worksheet(sheet_name(name, self.head.language))
        parts = (self.head.name, self.form.department, sheet_name(name, self.head.language))
        sheet.write_string(0, 0, " · ".join(part for part in parts if part), self.look["title"])
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&C&P / &N")
        return sheet

    def note(self, sheet: Any, name: str) -> None:
        """Write the line under the title: the stamp of a synthetic study, and what to do."""
        stamp = f"{word('stamp', 'synthetic', self.head.language)}  " if self.head.synthetic else ""
        sheet.write_string(1, 0, stamp + self.word(name), self.look["stamp" if stamp else "line"])

    # --- how to fill in -------------------------------------------------------------------------------

    def write_guide(self) -> None:
        """Write how to fill in: steps, what is stated once for all rows, and what each column means."""
        sheet, look = self.sheet("guide"), self.look
        self.note(sheet, "purpose")
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 88)
        row = 3
        for number, step in enumerate(
            ("step_example", "step_needed", "step_choose", "step_paste", "step_save"), 1
        ):
            sheet.merge_range(row, 0, row, 1, f"{number}. {self.word(step)}", look["line"])
            sheet.set_row(row, 18)
            row += 1
        row += 1
        for name in ("office", "filled_by", "filled_on", "datum"):
            sheet.write_string(row, 0, self.word(name), look["needed" if name == "datum" else "head"])
            given = {"office": self.form.department, "datum": self.word("wgs84", "form_datum")}.get(name, "")
            sheet.write_string(row, 1, given, look["fill"])
            if name == "datum":
                self.choose(sheet, (row, row, 1), [self.word(one, "form_datum") for one in DATUMS])
            row += 1
        row += 1
        columns = [*self.facility_columns(), *FIGURE_COLUMNS] if self.form.services else FIGURE_COLUMNS
        heads = (self.word("column"), self.word("how"))
        for at, text in enumerate(heads):
            sheet.write_string(row, at, text, look["head"])
        for column in dict.fromkeys(
            one for one in columns if self.form.figures or one in self.facility_columns()
        ):
            row += 1
            needed = column in NEEDED | {"target", "year", "value"}
            heading = column_heading(column, self.head.language)
            sheet.write_string(row, 0, heading, look["needed" if needed else "head"])
            sheet.write_string(row, 1, self.help(column), look["shown"])

    def help(self, column: str) -> str:
        """Return how a column is filled in."""
        found = self.word(column, "form_help")
        return self.word("amount", "form_help") if found == column else found

    # --- facilities -----------------------------------------------------------------------------------

    def facility_columns(self) -> list[str]:
        """List the columns of the sheet of facilities: the amounts stand after the capacity."""
        names = list(COLUMNS)
        at = names.index("capacity") + 1
        return [*names[:at], *self.form.amounts, *names[at:]]

    def write_facilities(self) -> None:
        """Write the list of facilities: headings, the example row, empty rows with what each cell offers."""
        sheet, look = self.sheet("facilities"), self.look
        self.note(sheet, "facilities_note")
        sheet.set_paper(_A3)
        columns = self.facility_columns()
        for at, column in enumerate(columns):
            kind = COLUMNS.get(column, "count")
            self.heading(sheet, at, column, needed=column in NEEDED)
            self.example(sheet, at, column)
            for row in range(HEADER_ROW + 1, HEADER_ROW + 1 + _ROWS):
                sheet.write_blank(row, at, None, look[kind if kind in {"degrees", "count"} else "text"])
            self.validate(sheet, at, column, kind)
        sheet.freeze_panes(HEADER_ROW, 2)
        sheet.repeat_rows(HEADER_ROW - 1)

    def heading(self, sheet: Any, at: int, column: str, *, needed: bool) -> None:
        """Write the heading of a column, and set its width."""
        text = column_heading(column, self.head.language)
        sheet.write_string(HEADER_ROW - 1, at, text, self.look["needed" if needed else "head"])
        sheet.set_column(at, at, _WIDTHS.get(column, 11))

    def example(self, sheet: Any, at: int, column: str) -> None:
        """Write a cell of the example row, which the reader leaves out: its first cell says what it is."""
        given = self.word(column, "form_example")
        if column == "service":
            given = next(iter(self.form.services))
        elif column in {"district", "village"}:
            names = self.units.districts if column == "district" else self.units.villages
            given = names[0].name if names else given
        if column in {"lon", "lat"}:
            sheet.write_number(HEADER_ROW, at, float(given), self.look["example_degrees"])
        else:
            sheet.write_string(HEADER_ROW, at, "" if given == column else given, self.look["example"])

    def validate(self, sheet: Any, at: int, column: str, kind: str) -> None:
        """Offer the values of a column, or check what is typed; every cell says how it is filled in."""
        rows = (HEADER_ROW + 1, _MOST_ROWS)
        offered = {
            "services": list(self.form.services),
            "districts": [one.name for one in self.units.districts],
            "villages": [one.name for one in self.units.villages],
            "ownership": [self.word(one, "form_choice") for one in ("public", "inclusive", "private")],
            "yes_no": [self.word(one, "form_choice") for one in ("yes", "no")],
        }.get(kind)
        if offered:
            # Units may be new since the list was made; services may not be others than the profile's.
            self.choose(sheet, (*rows, at), offered, strict=kind in {"services", "yes_no"}, column=column)
            return
        check: dict[str, Any] = {"validate": "any"}
        if kind == "degrees":
            most = 180 if column == "lon" else 90
            check = {"validate": "decimal", "criteria": "between", "minimum": -most, "maximum": most}
        elif kind == "count":
            check = {"validate": "decimal", "criteria": ">=", "value": 0}
        sheet.data_validation(rows[0], at, rows[1], at, {**check, **self.message(column)})

    def message(self, column: str) -> dict[str, str]:
        """Return what a cell says when it is chosen; a spreadsheet shows 255 characters."""
        return {
            "input_title": column_heading(column, self.head.language)[:32],
            "input_message": self.help(column)[:255],
            "error_title": column_heading(column, self.head.language)[:32],
            "error_message": self.help(column)[:255],
        }

    def choose(
        self, sheet: Any, cells: tuple[int, int, int], offered: Sequence[str], *, strict: bool = True,
        column: str = "",
    ) -> None:  # fmt: skip
        """Let cells (first row, last row, column) choose from a list that stands on the hidden sheet."""
        values = list(dict.fromkeys(offered))
        place = next((number for number, (_, one) in enumerate(self.lists) if list(one) == values), None)
        if place is None:
            place = len(self.lists)
            self.lists.append((column, values))
        letter = xl_col_to_name(place)
        name = sheet_name("lists", self.head.language)
        source = f"='{name}'!${letter}$1:${letter}${len(values)}"
        check = {"validate": "list", "source": source, "error_type": "stop" if strict else "warning"}
        words = self.message(column) if column else {}
        first, last, at = cells
        sheet.data_validation(first, at, last, at, {**check, **words})

    # --- figures, codes, lists ------------------------------------------------------------------------

    def write_figures(self) -> None:
        """Write the registered figures to be filled in: a row for each target and unit, values blank."""
        sheet, look = self.sheet("figures"), self.look
        self.note(sheet, "figures_note")
        for at, column in enumerate(FIGURE_COLUMNS):
            self.heading(sheet, at, column, needed=column in {"target", "year", "value"})
            given = self.word(f"figure_{column}", "form_example")
            sheet.write_string(HEADER_ROW, at, "" if given.startswith("figure_") else given, look["example"])
        for number, figure in enumerate(self.form.figures, HEADER_ROW + 1):
            self.figure(sheet, number, figure)
        sheet.freeze_panes(HEADER_ROW, 2)
        sheet.repeat_rows(HEADER_ROW - 1)

    def figure(self, sheet: Any, row: int, figure: FigureRow) -> None:
        """Write the row of one figure."""
        look, at = self.look, {column: place for place, column in enumerate(FIGURE_COLUMNS)}
        unit = figure.units[0] if figure.units else ""
        shown = {
            "target": figure.target, "meaning": figure.meaning, "district": figure.district,
            "village": figure.village, "item": figure.item,
            "unit_name": figure.unit_name or self.word("whole"),
        }  # fmt: skip
        for column, text in shown.items():
            sheet.write_string(row, at[column], text, look["shown"])
        if figure.year is None:
            sheet.write_blank(row, at["year"], None, look["figure"])
        else:
            sheet.write_number(row, at["year"], figure.year, look["figure"])
        sheet.write_blank(row, at["value"], None, look["percent" if unit == "%" else "figure"])
        sheet.write_string(row, at["unit"], unit, look["fill"])
        sheet.write_string(row, at["source"], self.form.department, look["fill"])
        sheet.write_blank(row, at["remarks"], None, look["text"])
        years = {"validate": "integer", "criteria": "between", "minimum": 1990, "maximum": 2100}
        sheet.data_validation(row, at["year"], row, at["year"], {**years, **self.message("year")})
        least: dict[str, Any] = {"validate": "decimal", "criteria": ">=", "value": 0}
        if unit == "%":
            least = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 100}
        # A warning and no stop: the unit can be changed to a share beside it.
        sheet.data_validation(
            row, at["value"], row, at["value"], {**least, "error_type": "warning", **self.message("value")}
        )
        if figure.units:
            self.choose(sheet, (row, row, at["unit"]), figure.units, column="unit")

    def write_units(self) -> None:
        """Write the codes and names of districts and villages, to look up."""
        sheet, look = self.sheet("units"), self.look
        self.note(sheet, "units_note")
        sheet.set_portrait()
        for at, column in enumerate(("unit_code", "unit_label", "unit_district")):
            sheet.write_string(HEADER_ROW - 1, at, column_heading(column, self.head.language), look["head"])
            sheet.set_column(at, at, 22)
        names = {one.code: one.name for one in self.units.districts}
        for row, one in enumerate((*self.units.districts, *self.units.villages), HEADER_ROW):
            shown = (one.code, one.name, names.get(one.district, one.district))
            for at, text in enumerate(shown):
                sheet.write_string(row, at, text, look["text"])
        sheet.freeze_panes(HEADER_ROW, 0)
        sheet.repeat_rows(HEADER_ROW - 1)

    def write_lists(self) -> None:
        """Write the lists that cells choose from on a hidden sheet."""
        sheet = self.book.add_worksheet(sheet_name("lists", self.head.language))
        for at, (_, values) in enumerate(self.lists):
            for row, value in enumerate(values):
                sheet.write_string(row, at, value, self.look["text"])
        sheet.hide()


def form_datum(path: str | Path) -> str | None:
    """Return the datum that a filled-in form states on its first sheet, None where it is no such form.

    Parameters
    ----------
    path : a workbook

    Returns
    -------
    datum : as ``study.toml`` has it

    >>> from lifecircle.study import example_folder
    >>> form_datum(example_folder() / "culture.xlsx") is None
    True
    """
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        said: dict[str, str] = {}
        labels = set()
        for language in ("zh", "en"):
            labels.add(word("form", "datum", language))
            said |= {word("form_datum", one, language): one for one in DATUMS}
        guide = {sheet_name("guide", language) for language in ("zh", "en")}
        for title in guide & set(book.sheetnames):
            for cells in book[title].iter_rows(max_row=40, max_col=2, values_only=True):
                if len(cells) == 2 and cells[0] in labels:
                    return said.get(str(cells[1]))
    finally:
        book.close()
    return None
