"""Find the runs of the years of a plan and write its yearbook: a document and a workbook, in one folder."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecircle.audit import find_runs, prepare, yearly_files
from lifecircle.closing_impact import closing_impact, closing_table
from lifecircle.files import Results, check_folder, complete_folder, scratch_folder
from lifecircle.maps import check_static, map_setting
from lifecircle.paper import static_maps
from lifecircle.publication import edition_findings
from lifecircle.rectification import find_list
from lifecircle.report import Heading, definition_sheet, run_sheets, write_workbook
from lifecircle.study import check_year, read_study
from lifecircle.tables import write_csv
from lifecircle.wording import word
from lifecircle.yearbook._document import DOCUMENT, write_document
from lifecircle.yearbook._list_sheets import BOOK, inside, list_remarks, list_sheets, list_widths
from lifecircle.yearbook._plan_table import plan_columns, plan_rows, year_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lifecircle.findings import Findings, Language
    from lifecircle.publication import Edition
    from lifecircle.study import Study
    from lifecircle.yearbook._list_sheets import Inside

_log = logging.getLogger(__name__)

CLOSING = "closing.csv"
YEARBOOK = Results("yearbook.json", ("yearbook.json", DOCUMENT, BOOK, CLOSING))
"""The folder of a yearbook: the file it is known by, and all that it may hold."""

SCHEMA = 1
PICTURE_DPI = 200
"""Dots an inch of A4 of the maps in the document, where they are 16.5 cm wide: 360 of its own."""
PLAN_YEARS = 5
MOST_YEARS = 10


@dataclass(frozen=True)
class YearbookOrder:
    """The order for a yearbook; what is left out follows from the study.

    ``years`` : left out, those of :func:`plan_years`; ``results`` : folder of runs; ``out`` : the folder to
    write; ``maps`` : whether the document holds a map of every circle.
    """

    years: tuple[int, ...] = ()
    results: Path | None = None
    out: Path | None = None
    edition: Edition = "internal"
    language: Language | None = None
    maps: bool = True


def plan_years(study: Study) -> tuple[int, ...]:
    """Return the years of a plan that a study has files for, up to its own year, ten at most.

    They begin after the latest baseline of a target, or where there is none so that they are five, and never
    before the first year of which every dated file has a version.
    """
    baselines = [year for target in study.standard.targets for year in target.baseline]
    begins = max((year for year in baselines if year < study.year), default=study.year - PLAN_YEARS) + 1
    dated = [min(file) for file in yearly_files(study) if not isinstance(file, str)]
    first = max([begins, study.year - MOST_YEARS + 1, *(year for year in dated if year <= study.year)])
    return tuple(range(first, study.year + 1))


def write_yearbook(
    study: str | Path,
    order: YearbookOrder = YearbookOrder(),
    *,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write the yearbook of a study; a year without a run is computed in memory.

    Returns
    -------
    folder : with ``report.docx``, ``yearbook.xlsx`` and, in the internal edition, ``closing.csv``, complete
        or not at all

    Raises
    ------
    UnusableInputError
        With the faults of the study and its files; before anything is computed, when something else stands
        where the folder goes.
    MissingExtraError
        When python-docx or matplotlib is not installed.
    """
    report = progress or _log.info
    declared = read_study(study)
    years = tuple(check_year(year) for year in order.years) or plan_years(declared)
    home = declared.folder / "results"
    folder = order.out or home / f"yearbook-{years[0]}-{years[-1]}{_ENDINGS[order.edition]}"
    # Everything that can be refused is refused before years are audited, which takes minutes.
    check_folder(folder, YEARBOOK)
    setting = map_setting(declared)
    runs = find_runs(study, years, results=order.results, progress=report)
    language = order.language or declared.language
    shown = edition_findings(runs, edition=order.edition, setting=setting)
    found = None
    if order.edition == "internal":
        found = _found_inside(declared, order, latest=runs[-1], shown=shown[-1], report=report)
    report("writing")
    with scratch_folder() as scratch, complete_folder(folder, YEARBOOK) as fresh:
        pictures: list[Path] = []
        if order.maps:
            check_static(scratch, declared.standard, years[-1])
            # Circles alone: forty maps would be drawn in a minute and read by nobody.
            pictures = static_maps(
                runs,
                scratch,
                language=language,
                edition=order.edition,
                setting=setting,
                kinds={"circle"},
                dpi=PICTURE_DPI,
            )
        write_document(
            shown,
            fresh / DOCUMENT,
            language=language,
            edition=order.edition,
            pictures=pictures,
            inside=found,
        )
        _write_book(shown, fresh / BOOK, language, found)
        if found is not None:
            write_csv(closing_table(found.impact, runs[-1], language), fresh / CLOSING)
        facts = {"schema": SCHEMA, "study": declared.id, "years": list(years), "edition": order.edition}
        (fresh / YEARBOOK.mark).write_text(json.dumps(facts) + "\n", encoding="utf-8", newline="\n")
    return folder


def _found_inside(
    study: Study,
    order: YearbookOrder,
    *,
    latest: Findings,
    shown: Findings,
    report: Callable[[str], None],
) -> Inside:
    """Find the rectification list and the closing impact of the latest year."""
    report("gaps")
    inputs = prepare(study, latest.year)
    listing = find_list(latest, order.results or study.folder / "results", inputs=inputs)
    report("closing")
    return inside(listing, closing_impact(inputs), shown=shown, mask=map_setting(study).mask)


_ENDINGS = {"internal": "", "public": "-public"}
"""Edition -> ending of the folder's name, so that one never replaces the other."""


def _write_book(runs: Sequence[Findings], path: Path, language: Language, found: Inside | None) -> None:
    """Write the workbook: the plan over its years, the latest year's sheets, and the definitions."""
    latest, years = runs[-1], [findings.year for findings in runs]
    names = {year_column(year): word("yearbook", "value_of", language).format(year=year) for year in years}
    lists, headings = ({}, {}) if found is None else list_sheets(found, language)
    sheets = {
        "plan_years": (plan_columns(years), plan_rows(runs, language)),
        **run_sheets(latest, language),
        **lists,
        "definitions": definition_sheet(latest, language, list_remarks(found, latest.year, language)),
    }
    title = f"{latest.name} {years[0]}–{years[-1]}"
    heading = Heading(title, language, latest.synthetic, "board_column", names | headings, list_widths())
    write_workbook(path, sheets, heading)
