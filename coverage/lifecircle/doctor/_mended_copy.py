"""Write a mended copy of a study beside it, with a log of every change; the study itself is never touched.

1. The folder is copied without its results and maps.
2. Cells that can be mended for certain are mended in the copy's csv, xlsx and GeoJSON files.
3. The copy is read as an audit reads it: rows that are surely listed twice are deleted, and where the places
   of a list clearly fit another datum than the declared one, that is written in the copy's study.toml.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pandas as pd

from lifecircle.audit import open_study, prepare
from lifecircle.doctor._datum_check import datum_of_lists
from lifecircle.doctor._mends import Mend, TableColumns, iter_files, table_mends
from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files import whole_folder
from lifecircle.study import STUDY_FILE
from lifecircle.tables import decoded, delimiter_of, read_table, write_csv
from lifecircle.wording import translate, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lifecircle.study import Study, TablePart
    from lifecircle.wording import Language

LOG_FILE = "mended.csv"
_Row = tuple[str, int, str]
"""Sheet (empty where it is not known), row as people see it, and name of what stands there."""

_SHOWN = 5
_WRITTEN = (".csv", ".xlsx", ".geojson")
_DETAILS = ("capacity", "hours_per_week")


@dataclass(frozen=True)
class MendedCopy:
    """What was written: the folder, every change, and changes that could not be written into their format."""

    folder: Path
    mends: tuple[Mend, ...]
    unwritten: tuple[Mend, ...]

    def lines(self, language: Language) -> list[str]:
        """Return where the copy is, how much was mended, and what its format kept from being mended."""
        said = word("checkup", "mended", language)
        lines = [said.format(count=len(self.mends), place=self.folder, log=self.folder / LOG_FILE)]
        left = word("checkup", "unwritten", language)
        for file in dict.fromkeys(mend.file for mend in self.unwritten):
            mine = [mend for mend in self.unwritten if mend.file == file]
            shown = "; ".join(
                f"{mend.row} {mend.column}: {mend.before} → {mend.after}" for mend in mine[:_SHOWN]
            )
            lines.append(left.format(count=len(mine), file=file, shown=shown))
        return lines


def mend_study(
    study: str | Path, out: str | Path | None = None, *, progress: Callable[[str], None] | None = None
) -> MendedCopy:
    """Write a mended copy of a study into a new folder, whole or not at all.

    Parameters
    ----------
    study : folder of the study
    out : a new or empty folder; left out, the study's with ``-fixed`` behind its name

    Returns
    -------
    copy : the folder and the changes, which are in its ``mended.csv`` too

    Raises
    ------
    UnusableInputError
        The study cannot be read at all, or something stands where the copy is to go.
    """
    report = progress or (lambda _: None)
    declared = open_study(study)
    folder = declared.folder
    target = Path(out) if out is not None else folder.with_name(f"{folder.resolve().name}-fixed")
    _check_target(target, folder)
    report("reading")
    mends = [
        mend for file, part, columns in _tables(declared) for mend in _of_file(folder, file, part, columns)
    ]
    written = [mend for mend in mends if mend.file.lower().endswith(_WRITTEN)]
    with system_errors(target), whole_folder(target) as fresh:
        ignore = shutil.ignore_patterns("__pycache__", "results", "maps")
        shutil.copytree(folder, fresh, dirs_exist_ok=True, ignore=ignore)
        _write(fresh, written)
        report("comparing")
        written += _after_reading(fresh)
        _write_log(fresh / LOG_FILE, written, declared.language)
    return MendedCopy(target, tuple(written), tuple(mend for mend in mends if mend not in written))


def _check_target(target: Path, folder: Path) -> None:
    """Raise UnusableInputError where the copy would overwrite something, or lie in the study itself.

    Raises
    ------
    UnusableInputError
        It would.
    """
    inside = target.resolve().is_relative_to(folder.resolve())
    taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    if inside or taken:
        reason = say("lies in the study itself") if inside else say("already there and not empty")
        remedy = say("name a new folder with --out")
        raise UnusableInputError([Fault(str(target), "", "", reason, remedy)])


def _tables(study: Study) -> Iterator[tuple[str, TablePart, TableColumns]]:
    """Yield every file of a table with its part and what its columns hold."""
    amounts = tuple(target.of for target in study.standard.targets if target.kind == "capacity")
    numbers = tuple(dict.fromkeys((*_DETAILS, *amounts)))
    lists = [*study.facilities, *([study.outlets] if study.outlets is not None else [])]
    for part in lists:
        columns = TableColumns("facilities", part.columns, numbers, ("opened", "closed"), datum=part.datum)
        for file in iter_files(part.file):
            yield file, part, columns
    demand = study.demand
    # A group may be a raster of its own, which has no columns to mend.
    groups = {name: column for name, column in demand.groups.items() if isinstance(column, str)}
    mapped = {**demand.columns, **groups}
    if demand.population != "population":
        mapped["population"] = demand.population
    people = TableColumns("demand", mapped, ("population", *groups), names=(), datum=demand.datum)
    for file in iter_files(demand.file):
        yield file, demand, people
    if study.villages is not None:
        villages = study.villages
        for file in iter_files(villages.file):
            yield file, villages, TableColumns("villages", villages.columns, datum=villages.datum)


def _of_file(folder: Path, file: str, part: TablePart, columns: TableColumns) -> list[Mend]:
    try:
        return table_mends(read_table(folder / file, **part.where), columns, file)
    except (UnusableInputError, OSError):
        return []  # check lists its faults


def _write(folder: Path, mends: Sequence[Mend]) -> None:
    """Change the cells of files in the copy."""
    for file in dict.fromkeys(mend.file for mend in mends):
        mine = [mend for mend in mends if mend.file == file]
        _writer(file)(folder / file, mine, frozenset())


def _writer(file: str) -> Callable[[Path, Sequence[Mend], frozenset[_Row]], None]:
    """Return how a file's cells are changed and its rows deleted."""
    suffix = file.lower().rpartition(".")[2]
    return {"csv": _into_csv, "xlsx": _into_xlsx}.get(suffix, _into_geojson)


def _into_csv(path: Path, mends: Sequence[Mend], gone: frozenset[_Row]) -> None:
    """Change cells of a csv in its own delimiter; it is UTF-8 afterwards."""
    text = decoded(path.read_bytes(), path.name)
    sign = delimiter_of(text)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
    for mend in mends:
        at = _column_in(rows[: mend.row - 1], mend.column)
        cells = rows[mend.row - 1]
        cells += [""] * (at + 1 - len(cells))
        cells[at] = mend.after
    rows_gone = {row for _, row, _ in gone}
    kept = [cells for number, cells in enumerate(rows, start=1) if number not in rows_gone]
    lines = io.StringIO(newline="")
    csv.writer(lines, delimiter=sign, lineterminator="\n").writerows(kept)
    path.write_bytes(b"\xef\xbb\xbf" + lines.getvalue().encode("utf-8"))


def _column_in(above: Sequence[Sequence[Any]], heading: str) -> int:
    """Return the position of a column: that of its heading in the last row above that has it.

    Raises
    ------
    LookupError
        No row has it.
    """
    for cells in reversed(above):
        for at, cell in enumerate(cells):
            if str("" if cell is None else cell).strip().removeprefix("\ufeff") == heading:
                return at
    raise LookupError(heading)


def _into_xlsx(path: Path, mends: Sequence[Mend], gone: frozenset[_Row]) -> None:
    """Change cells of a workbook; formulas become the values they had, so that none is carried on."""
    book = openpyxl.load_workbook(path, data_only=True)
    for mend in mends:
        sheet = book[mend.sheet] if mend.sheet else _sheet_with(book, mend)
        above = list(sheet.iter_rows(max_row=mend.row - 1, values_only=True))
        cell = sheet.cell(mend.row, _column_in(above, mend.column) + 1)
        number = pd.to_numeric(mend.after, errors="coerce")
        cell.value = mend.after if pd.isna(number) or mend.column.lower() == "name" else float(number)
    for sheet_name, row, name in sorted(gone, key=lambda one: -one[1]):
        for sheet in [book[sheet_name]] if sheet_name else book.worksheets:
            if name in [str(cell.value).strip() for cell in sheet[row]]:
                sheet.delete_rows(row)
                break
    book.save(path)


def _sheet_with(book: Any, mend: Mend) -> Any:
    """Return the sheet that has a mend's heading above its row and its old content in the cell."""
    for sheet in book.worksheets:
        try:
            at = _column_in(list(sheet.iter_rows(max_row=mend.row - 1, values_only=True)), mend.column)
        except LookupError:
            continue
        if str(sheet.cell(mend.row, at + 1).value or "").strip() == mend.before:
            return sheet
    return book.worksheets[0]


def _into_geojson(path: Path, mends: Sequence[Mend], gone: frozenset[_Row]) -> None:
    """Change properties of the features of a GeoJSON file."""
    document = json.loads(path.read_text("utf-8-sig"))
    features = document["features"]
    for mend in mends:
        number = pd.to_numeric(mend.after, errors="coerce")
        named = mend.column == "name" or pd.isna(number)
        features[mend.row - 1]["properties"][mend.column] = mend.after if named else float(number)
    rows_gone = {row for _, row, _ in gone}
    document["features"] = [one for at, one in enumerate(features, start=1) if at not in rows_gone]
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def _after_reading(folder: Path) -> list[Mend]:
    """Mend what shows only when the copy is read as a whole: rows listed twice, and the datum of a list."""
    try:
        inputs = prepare(open_study(folder))
    except UnusableInputError as error:
        if error.of_system:  # else the copy would lack mends without a word
            raise
        return []  # what is left is listed by check
    found = []
    text = (folder / STUDY_FILE).read_text("utf-8")
    for number, source, declared, fits in datum_of_lists(inputs):
        text = _with_datum(text, number, fits)
        reason = say("the places of {file} fit this datum", file=source)
        found.append(Mend(STUDY_FILE, 0, f"facilities[{number + 1}].datum", declared, fits, reason))
    if found:
        (folder / STUDY_FILE).write_text(text, "utf-8")
        try:  # which rows are doubled depends on where they lie
            inputs = prepare(open_study(folder))
        except UnusableInputError as error:
            if error.of_system:
                raise
            return found
    return found + _doubles(folder, inputs.rejects)


def _doubles(folder: Path, rejects: pd.DataFrame) -> list[Mend]:
    """Delete the rows that are surely listed twice."""
    said = [str(getattr(one, "template", one)) for one in rejects["reason"]]
    twice = rejects[np.array([text.startswith("listed twice") for text in said], dtype=bool)]
    found = []
    for file, rows in twice.groupby("file", sort=False):
        name, _, sheet = str(file).removesuffix("]").partition(" [")
        if not name.lower().endswith(_WRITTEN):
            continue
        gone = frozenset(
            (sheet, int(row), str(name)) for row, name in zip(rows["row"], rows["value"], strict=True)
        )
        _writer(name)(folder / name, (), gone)
        found += [
            Mend(name, int(one.row), "", str(one.value), "", one.reason, sheet)
            for one in rows.itertuples(index=False)
        ]
    return found


_LIST = re.compile(r"^\s*\[\[\s*facilities\s*\]\]", re.MULTILINE)
_DATUM = re.compile(r"^(\s*datum\s*=\s*)([\"']).*?\2", re.MULTILINE)


def _with_datum(text: str, number: int, datum: str) -> str:
    """Return a study.toml whose list of a number (from 0) declares a datum; comments stay where they are."""
    begins = [match.end() for match in _LIST.finditer(text)]
    start = begins[number]
    after = re.compile(r"^\s*\[", re.MULTILINE).search(text, start)
    end = after.start() if after else len(text)
    part = text[start:end]
    if _DATUM.search(part):
        part = _DATUM.sub(rf"\g<1>\g<2>{datum}\g<2>", part, count=1)
    else:
        part = f'\ndatum = "{datum}"{part}'
    return text[:start] + part + text[end:]


def _write_log(path: Path, mends: Sequence[Mend], language: Any) -> None:
    """Write the log: a row for every change."""
    columns = ("file", "row", "column", "before", "after", "reason")
    rows = [
        (
            f"{mend.file} [{mend.sheet}]" if mend.sheet else mend.file,
            "" if mend.row == 0 else str(mend.row),
            mend.column,
            mend.before,
            mend.after,
            translate(mend.reason, language),
        )
        for mend in mends
    ]
    heads = [word("mend_column", name, language) for name in columns]
    write_csv(pd.DataFrame(rows, columns=heads), path)
