"""Write the yearly report as a Word document: overview, conclusions, problems, suggestions, definitions.

The first page holds the ladder from the accepted figure to lived reach, so that a reader who knows the
reported figure sees at once where the other one comes from.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

from lifecircle.errors import MissingExtraError
from lifecircle.files import written
from lifecircle.findings import ACCOUNTINGS, BY_VILLAGE, as_circle, mark_text, value_text
from lifecircle.page_data import figures, percent_text, stamp
from lifecircle.reading import reading_lines
from lifecircle.wording import word
from lifecircle.yearbook._list_sheets import list_lines
from lifecircle.yearbook._plan_table import values_by_year
from lifecircle.yearbook._sentences import (
    Words,
    conclusions,
    equity_rows,
    overview,
    problems,
    suggestions,
    supply_lines,
)
from lifecircle.yearbook._trend_plots import draw_trends, plotted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lifecircle.findings import Findings, Language
    from lifecircle.publication import Edition
    from lifecircle.yearbook._list_sheets import Inside

DOCUMENT = "report.docx"
PLOTS_A_PICTURE = 12
_TEXT_CM, _FIRST_CM = 16.6, 5.0
_FEW = 3
"""Columns from which on the first one, of names, is wider than the others."""
_WORD = re.compile(r"[!-~]+")
_FACE = {"zh": "Microsoft YaHei", "en": "Calibri"}
_NO_CLOCK = (2000, 1, 1, 0, 0, 0)
"""Date of every file in the document, so that the same findings give the same bytes."""


def write_document(  # noqa: PLR0913 - the runs, and what is put in beside them
    findings_list: Sequence[Findings],
    path: Path,
    *,
    language: Language | None = None,
    edition: Edition = "internal",
    pictures: Sequence[Path] = (),
    inside: Inside | None = None,
) -> Path:
    """Write the report of the latest of some years.

    Parameters
    ----------
    findings_list : one run a year, in order, of the edition that is written
    path : where the document goes
    language : ``zh`` or ``en``; left out, the language of the findings
    pictures : maps to put in, as :func:`lifecircle.paper.static_maps` draws them
    inside : rectification list and closing impact, for the internal edition alone

    Returns
    -------
    path : the file written; the same findings, pictures and fonts give the same bytes

    Raises
    ------
    MissingExtraError
        When python-docx or matplotlib is not installed.
    """
    try:
        import docx  # noqa: PLC0415 - the extra print is loaded when a report is written
    except ImportError:
        raise MissingExtraError("python-docx", "print") from None
    latest = findings_list[-1]
    words = Words(language or latest.language)
    page = _Page(docx.Document(), words)
    page.title(latest, edition)
    page.ladder(latest)
    page.chapter("chapter_overview", overview(latest, words))
    page.scoreboard(findings_list)
    page.chapter("chapter_conclusions", ())
    for department, lines in conclusions(latest, words):
        page.section(department, lines)
    page.supply(latest)
    page.chapter("chapter_problems", problems(latest, words))
    if inside is not None:
        page.paragraphs(list_lines(inside, words))
    page.chapter("chapter_suggestions", suggestions(latest, words))
    page.trends(findings_list)
    page.maps(pictures)
    page.definitions(latest, public=edition == "public")
    page.sign_off()
    with written(path) as scratch:
        page.save(scratch)
    return path


class _Page:
    """A document that is written from top to bottom."""

    def __init__(self, document: Any, words: Words) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415 - as above
        from docx.oxml.ns import qn  # noqa: PLC0415 - as above
        from docx.shared import Cm, Pt, RGBColor  # noqa: PLC0415 - as above

        self._document, self._words = document, words
        self._cm, self._pt, self._centre = Cm, Pt, WD_ALIGN_PARAGRAPH.CENTER
        self._red = RGBColor(0xB0, 0x00, 0x20)
        section = document.sections[0]
        section.page_width, section.page_height = Cm(21.0), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.2)
        section.top_margin = section.bottom_margin = Cm(2.0)
        for name in ("Normal", "Title", "Heading 1", "Heading 2", "Heading 3", "List Bullet"):
            style = document.styles[name]
            style.font.name = _FACE[words.language]
            # Word takes Chinese characters from the East Asian face, which the plain name does not set.
            style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _FACE[words.language])
        document.styles["Normal"].font.size = Pt(10.5)
        document.styles["Normal"].paragraph_format.space_after = Pt(4)

    def title(self, findings: Findings, edition: Edition) -> None:
        """Write the title and the stamp of the edition."""
        line = self._words.line
        self._document.add_heading(line("title", name=findings.name, year=findings.year), 0)
        run = self._document.add_paragraph().add_run(stamp(findings, self._words, edition))
        run.font.color.rgb, run.bold = self._red, True
        made = [findings.publication.organisation, findings.publication.date]
        self._document.add_paragraph(" · ".join(part or line("not_filled_in") for part in made))

    def ladder(self, findings: Findings) -> None:
        """Write the ladder of every circle: a row a rung, from the accepted figure to lived reach."""
        circles = [result for result in findings.targets if as_circle(result).accountings]
        if not circles:
            return
        line, language = self._words.line, self._words.language
        self._document.add_heading(line("chapter_ladder"), 1)
        self._document.add_paragraph(line("ladder_note"))
        rungs = [name for name in ACCOUNTINGS if any(as_circle(one).accountings.get(name) for one in circles)]
        heads = [line("ladder_target"), *(word("column", name, language) for name in rungs)]
        units = ["", *(line("by_village" if name in BY_VILLAGE else "by_people") for name in rungs)]
        rows = [units]
        for result in circles:
            found = as_circle(result).accountings
            shares = [None if (rung := found.get(name)) is None else rung.value for name in rungs]
            rows.append([self._words.name(result), *(percent_text(share) for share in shares)])
        self._table(heads, rows)

    def chapter(self, title: str, lines: Sequence[str]) -> None:
        """Write a chapter of plain paragraphs."""
        self._document.add_heading(self._words.line(title), 1)
        self.paragraphs(lines)

    def paragraphs(self, lines: Sequence[str]) -> None:
        """Write plain paragraphs."""
        for line in lines:
            self._document.add_paragraph(line)

    def section(self, title: str, lines: Sequence[str]) -> None:
        """Write a section whose lines are items of a list."""
        self._document.add_heading(title, 2)
        for line in lines:
            self._document.add_paragraph(line, style="List Bullet")

    def supply(self, findings: Findings) -> None:
        """Write what is within reach, who is served, and a table of how evenly; else nothing."""
        found, (heads, rows) = list(supply_lines(findings, self._words)), equity_rows(findings, self._words)
        if found or rows:
            self._document.add_heading(self._words.line("section_supply"), 2)
        if found:
            self.paragraphs([self._words.line("supply_note")])
        for name, lines in found:
            self._document.add_heading(name, 3)
            for line in lines:
                self._document.add_paragraph(line, style="List Bullet")
        if rows:
            self._table(heads, rows)

    def scoreboard(self, findings_list: Sequence[Findings]) -> None:
        """Write a table of all targets with their values by year."""
        line, language = self._words.line, self._words.language
        years = [findings.year for findings in findings_list]
        heads = [line("ladder_target"), *map(str, years), word("column", "goal", language)]
        heads.append(word("column", "status", language))
        rows = []
        for result in findings_list[-1].targets:
            values = values_by_year(result.target.id, findings_list)
            rows.append(
                [
                    self._words.name(result),
                    *(value_text(result, values[year], language) for year in years),
                    "—" if result.target.goal is None else mark_text(result, result.target.goal, language),
                    word("status", result.status, language),
                ]
            )
        self._table(heads, rows)

    def trends(self, findings_list: Sequence[Findings]) -> None:
        """Put in the plots over the years, where there is more than one year."""
        results = plotted(findings_list)
        if not results:
            return
        self._document.add_heading(self._words.line("chapter_trends"), 1)
        for first in range(0, len(results), PLOTS_A_PICTURE):
            part = results[first : first + PLOTS_A_PICTURE]
            picture = draw_trends(part, findings_list, self._words.language)
            self._document.add_picture(io.BytesIO(picture), width=self._cm(16.5))

    def maps(self, pictures: Sequence[Path]) -> None:
        """Put in the static maps."""
        if not pictures:
            return
        self._document.add_heading(self._words.line("chapter_maps"), 1)
        for picture in pictures:
            self._document.add_picture(str(picture), width=self._cm(16.5))

    def definitions(self, findings: Findings, *, public: bool) -> None:
        """Write how every target is counted, and what was read of the inputs."""
        line, language = self._words.line, self._words.language
        self._document.add_heading(line("chapter_definitions"), 1)
        for result in findings.targets:
            self._document.add_heading(self._words.name(result), 2)
            for name, text in figures(findings, result, self._words)["basis"]:
                self._document.add_paragraph(f"{name}：{text}" if language == "zh" else f"{name}: {text}")
        self._document.add_heading(line("chapter_reading"), 1)
        for text in reading_lines(findings.reading, language, public=public):
            self._document.add_paragraph(text)

    def sign_off(self) -> None:
        """Leave room for who made, checked and signed the report."""
        line = self._words.line
        heads = [line("made_by"), line("checked_by"), line("signed_by")]
        table = self._table(heads, [["", "", ""]])
        table.rows[1].height = self._cm(1.6)  # room for a name and a day, or a seal

    def _table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
        from docx.oxml import OxmlElement  # noqa: PLC0415 - as above

        table = self._document.add_table(rows=1, cols=len(heads), style="Table Grid")
        table.autofit = False  # else the names of targets are squeezed to the width of a figure
        for cell, text in zip(table.rows[0].cells, heads, strict=True):
            self._cell(cell, text, bold=True)
        # The head is printed again on every page that the table runs on to.
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001 - no public way
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                self._cell(cell, text)
        first = _FIRST_CM if len(heads) > _FEW else _TEXT_CM / len(heads)
        longest = [_longest_word(column) for column in zip(heads, *rows, strict=True)]
        for place, column in enumerate(table.columns):
            # Word goes by the cells, other programs by the grid of columns.
            other = (_TEXT_CM - first) * longest[place] / max(sum(longest[1:]), 1)
            column.width = self._cm(first if place == 0 else other)
            for cell in column.cells:
                cell.width = column.width
                if place and len(heads) > _FEW:
                    cell.paragraphs[0].alignment = self._centre
        for row in table.rows:  # no row is cut by the end of a page
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001 - as above
        self._document.add_paragraph()
        return table

    def _cell(self, cell: Any, text: str, *, bold: bool = False) -> None:
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = self._pt(1.5)
        run = paragraph.add_run(text)
        run.font.size, run.bold = self._pt(8.5), bold

    def save(self, path: Path) -> None:
        """Write the document without the clock."""
        whole = io.BytesIO()
        self._document.save(whole)
        with zipfile.ZipFile(whole) as made, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as fresh:
            for name in made.namelist():
                entry = zipfile.ZipInfo(name, _NO_CLOCK)
                entry.compress_type = zipfile.ZIP_DEFLATED
                fresh.writestr(entry, made.read(name))


def _longest_word(texts: Sequence[str]) -> int:
    """Return how long the longest word of a column is, 6 to 12; Chinese may break anywhere: none.

    >>> _longest_word(["86.4%", "low-income households"])
    10
    """
    return min(max((6, *(len(one) for text in texts for one in _WORD.findall(text)))), 12)
