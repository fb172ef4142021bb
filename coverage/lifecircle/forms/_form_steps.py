"""Write the forms of a study or a profile into a folder: one workbook for each department, and what to add.

The units of a study are read by code and name alone, so that a table without coordinates gives them too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecircle.demand import DISTRICT_COLUMNS, VILLAGE_COLUMNS
from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files import whole_folder
from lifecircle.forms._department_form import COLUMNS, Unit, Units, department_forms
from lifecircle.forms._form_book import HEADER_ROW, FormHead, column_heading, sheet_name, write_book
from lifecircle.headings import named, synonyms
from lifecircle.standards import load_standard
from lifecircle.study import read_study
from lifecircle.tables import check_table, read_table
from lifecircle.wording import word

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.forms._department_form import DepartmentForm
    from lifecircle.standards import Standard
    from lifecircle.study import DistrictsPart, Study
    from lifecircle.tables import Schema
    from lifecircle.wording import Language

LINES_FILE = "study-lines.toml"
"""File with the parts of ``study.toml`` that read the forms."""

USUAL_PROFILE = "haiyan-2025"
"""Profile of forms where none is named."""

_BAD_SIGNS = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')


@dataclass(frozen=True)
class FormOrder:
    """What forms are asked for: of a study, else of a profile; ``year`` : of the figures."""

    study: Path | None = None
    profile: str | None = None
    year: int | None = None
    language: Language | None = None


def write_forms(folder: Path, order: FormOrder = FormOrder()) -> tuple[Path, ...]:
    """Write the collection workbooks of every department into a new or empty folder, all or none.

    Parameters
    ----------
    folder : where they go; filled-in forms that stand there are never replaced
    order : of which study or profile

    Returns
    -------
    paths : the workbooks, and :data:`LINES_FILE` last

    Raises
    ------
    MissingFileError
        There is no such study or profile.
    UnusableInputError
        The folder is not empty, or the study or its units cannot be read.

    >>> import tempfile
    >>> from pathlib import Path
    >>> paths = write_forms(Path(tempfile.mkdtemp()) / "forms", FormOrder(profile="haiyan-2025"))
    >>> paths[0].name, paths[-1].name
    ('文化广电旅游体育局.xlsx', 'study-lines.toml')
    """
    study = None if order.study is None else read_study(order.study)
    standard = load_standard(order.profile or USUAL_PROFILE) if study is None else study.standard
    language = order.language or (study.language if study else "zh")
    units = Units() if study is None else _units(study)
    year = order.year or (study.year if study else _last_due(standard))
    name = (study.name or study.id) if study else standard.name.get(language)
    head = FormHead(name, study is not None and study.synthetic, language)
    forms = department_forms(standard, units=units, year=year, language=language)
    files = _file_names(forms, language)
    with system_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            remedy = say("name a new folder for the forms")
            raise UnusableInputError([Fault(str(folder), "", "", say("already there and not empty"), remedy)])
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder) as fresh:
            for form, file in zip(forms, files, strict=True):
                write_book(form, units, head, fresh / file)
            text = study_lines(forms, files, language)
            (fresh / LINES_FILE).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / file for file in (*files, LINES_FILE))


def _last_due(standard: Standard) -> int | None:
    """Return the year in which the last target of a profile is due."""
    return max((one.due for one in standard.targets if one.due is not None), default=None)


def _units(study: Study) -> Units:
    """Return the districts and villages of a study by code and name."""
    districts = _rows(study, study.districts, DISTRICT_COLUMNS)
    villages = _rows(study, study.villages, VILLAGE_COLUMNS)
    return Units(tuple(districts), tuple(villages))


def _rows(study: Study, part: DistrictsPart | None, schema: Schema) -> list[Unit]:
    if part is None:
        return []
    table = read_table(study.path_in(part.file, study.year), **part.where)
    known = {name: file for name, file in part.columns.items() if name in schema.names}
    frame = check_table(table, schema, columns=known).frame
    code = frame["code"] if "code" in frame else frame["name"]
    district = frame["district"] if "district" in frame else [""] * len(frame)
    return [
        Unit(str(one), str(name), str(of))
        for one, name, of in zip(code, frame["name"], district, strict=True)
        if str(name)
    ]


def _file_names(forms: tuple[DepartmentForm, ...], language: Language) -> list[str]:
    """Return a file name for each department, without signs that a file system refuses."""
    names: list[str] = []
    for form in forms:
        plain = _BAD_SIGNS.sub("_", form.department).strip(" .") or word("form", "no_department", language)
        taken = {one.casefold() for one in names}
        number, name = 1, f"{plain[:60]}.xlsx"
        while name.casefold() in taken:
            number += 1
            name = f"{plain[:60]}-{number}.xlsx"
        names.append(name)
    return names


def study_lines(forms: tuple[DepartmentForm, ...], files: list[str], language: Language) -> str:
    """Return the parts of ``study.toml`` that read the filled-in forms."""
    lines = [f"# {word('form', 'lines', language)}", ""]
    for form, file in zip(forms, files, strict=True):
        if not form.services:
            continue
        # A file per department, the datum as the form states it: the office may have chosen another.
        lines += [
            "[[facilities]]",
            f"file = {_quoted(file)}",
            f"sheet = {_quoted(sheet_name('facilities', language))}",
            f"header_row = {HEADER_ROW}",
            f'datum = "wgs84"  # {word("form", "datum_line", language)}',
            f"columns = {_table(_mapped(form, language))}",
            f"services = {_table(dict(form.services))}",
            "",
        ]
    part = "[indicators]"
    for form, file in zip(forms, files, strict=True):
        if form.figures:
            lines += [
                part,
                f"file = {_quoted(file)}",
                f"sheet = {_quoted(sheet_name('figures', language))}",
                f"header_row = {HEADER_ROW}",
                "",
            ]
            part = "[[indicators.more]]"
    return "\n".join(lines)


def _mapped(form: DepartmentForm, language: Language) -> dict[str, str]:
    """Return the columns whose headings are not known by themselves."""
    columns = (*COLUMNS, *form.amounts)
    headings = {column: column_heading(column, language) for column in columns}
    return {
        column: heading
        for column, heading in headings.items()
        if heading != column and not named([heading], column, synonyms("facilities", column))
    }


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _table(entries: dict[str, Any]) -> str:
    inside = ", ".join(f"{_quoted(key)} = {_quoted(value)}" for key, value in entries.items())
    return f"{{ {inside} }}" if inside else "{}"
