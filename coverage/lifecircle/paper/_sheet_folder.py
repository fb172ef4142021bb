"""A folder of sheets: a PDF of the whole study with an index, one of every town, and one of its villages.

The public edition is built of the published findings alone, and a folder is written whole or not at all.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.files import Results, complete_folder
from lifecircle.findings import value_text
from lifecircle.paper._paper_legend import draw_whole, head, write_margin
from lifecircle.paper._paper_map import Drawing, Ground
from lifecircle.paper._paper_sheet import EDGE, PAPERS, Column, save_book
from lifecircle.paper._paper_tables import Room, Table, draw_piece, flowed
from lifecircle.paper._town_sheets import AreaSheet, area_pages
from lifecircle.publication import MapSetting, edition_findings
from lifecircle.wording import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lifecircle.findings import Findings, Language, TargetResult
    from lifecircle.paper._paper_sheet import Paper, Sheet, Size
    from lifecircle.paper._paper_tables import Piece
    from lifecircle.paper._town_sheets import Draw
    from lifecircle.publication import Edition

MARK = "sheets.json"
_PLAIN = MapSetting()
SCHEMA = 1
_LONGEST_NAME = 40
_VALUES = 8  # targets beside each other in the index


@dataclass(frozen=True)
class SheetOrder:
    """The order for sheets.

    ``target`` : the only target to draw, every circle with a figure where left out; ``size`` : of the paper;
    ``villages`` : whether every village has sheets too; the others as :func:`lifecircle.paper.static_map`.
    """

    target: str | None = None
    size: Size = "A4"
    villages: bool = False
    language: Language | None = None
    edition: Edition = "internal"
    setting: MapSetting = _PLAIN


@dataclass(frozen=True)
class _Book:
    """One PDF: of which area it is, its file and its pages."""

    code: str
    name: str
    file: str
    pages: tuple[Draw, ...]


def sheet_folder(folder: Path) -> Results:
    """Return what a folder of sheets is known by, and the files of it that are ours to replace."""
    return Results(MARK, (MARK, *_files_before(folder)))


def _files_before(folder: Path) -> list[str]:
    """List the sheets that an earlier run wrote there; a name that is no PDF in the folder itself is none."""
    try:
        listed = json.loads((folder / MARK).read_text("utf-8"))["files"]
        names = [str(one["file"]) for one in listed]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if re.fullmatch(r"\d\d-[^/\\]+\.pdf", name)]


def write_sheets(
    findings_list: Sequence[Findings],
    folder: Path,
    order: SheetOrder,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write the sheets of the latest year: the whole study with an index first, then every town.

    Parameters
    ----------
    findings_list : findings of one study; the year before the latest is compared with
    folder : missing, empty, or of earlier sheets, whose other files stay

    Returns
    -------
    paths : the files, that of the whole study first; the same findings and fonts give the same bytes

    Raises
    ------
    UnusableInputError
        When something else stands at the folder, the target is unknown or has no figure, or the public
        edition, which shows no figures of villages, is asked for their sheets.
    FontError
        When no font on this machine has every character.
    MissingExtraError
        When matplotlib is not installed.
    """
    years = edition_findings(findings_list, edition=order.edition, setting=order.setting)
    latest, before = years[-1], years[-2] if len(years) > 1 else None
    words, ground, paper = Words(order.language or latest.language), Ground(latest), PAPERS[order.size]
    drawings = [
        Drawing(latest, result, words, order.edition, order.setting, ground)
        for result in _chosen(latest, order)
    ]
    towns = list(_town_books(drawings, before, order, paper))
    books = [_whole_book(drawings, towns, paper), *towns]
    kind = sheet_folder(folder)
    kind = Results(MARK, tuple(dict.fromkeys([*kind.files, *(book.file for book in books)])))
    with complete_folder(folder, kind) as fresh:
        for book in books:
            progress(book.name)
            save_book(_counted(book, words), fresh / book.file, size=order.size)
        facts = {
            "schema": SCHEMA,
            "study": latest.study,
            "year": latest.year,
            "edition": order.edition,
            "paper": order.size,
            "files": [
                {"file": book.file, "code": book.code, "name": book.name, "pages": len(book.pages)}
                for book in books
            ],
        }
        text = json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
        (fresh / MARK).write_text(text, encoding="utf-8", newline="\n")
    return [folder / book.file for book in books]


def sheet_faults(
    target: str | None, known: Sequence[str], *, villages: bool, edition: Edition
) -> Iterator[Fault]:
    """Yield what is wrong with an order for sheets, as far as the targets of a study show it."""
    if target is not None and target not in known:
        remedy = say("use one of {known}", known=", ".join(known))
        yield Fault("(sheets)", "target", target, say("no such target"), remedy)
    if villages and edition == "public":
        reason, remedy = say("the public edition shows no figures of villages"), say("leave out --villages")
        yield Fault("(sheets)", "villages", "public", reason, remedy)


def _chosen(findings: Findings, order: SheetOrder) -> list[TargetResult]:
    """Choose the targets to draw.

    Raises
    ------
    UnusableInputError
        With all faults of :func:`sheet_faults`, or when none of the targets has a figure.
    """
    known = [one.target.id for one in findings.targets]
    faults = list(sheet_faults(order.target, known, villages=order.villages, edition=order.edition))
    wanted = [one for one in findings.targets if one.target.id == order.target] if order.target else [
        one for one in findings.targets if one.target.kind == "circle"
    ]  # fmt: skip
    chosen = [one for one in wanted if one.value is not None]
    if not chosen and not faults:
        remedy = say("name a target with a figure with --target")
        faults.append(
            Fault("(sheets)", "target", order.target or "circle", say("it has no figure in this run"), remedy)
        )
    if faults:
        raise UnusableInputError(faults)
    return chosen


def _counted(book: _Book, words: Words) -> Iterator[Callable[[Sheet], None]]:
    """Add to every page its number and how many there are."""
    for number, draw in enumerate(book.pages, 1):
        text = words.format("sheets", "page_of", number=number, total=len(book.pages))
        yield partial(_with_page_text, draw, text)


def _with_page_text(draw: Draw, text: str, sheet: Sheet) -> None:
    draw(sheet, text)


def _town_books(
    drawings: Sequence[Drawing], before: Findings | None, order: SheetOrder, paper: Paper
) -> Iterator[_Book]:
    findings = drawings[0].findings
    words = drawings[0].words
    for number, (code, name) in enumerate(
        findings.districts["name"].items() if len(findings.districts) else (), 1
    ):
        sheets = [AreaSheet(drawing, str(code), before=before) for drawing in drawings]
        pages = tuple(page for sheet in sheets for page in area_pages(sheet, paper))
        yield _Book(str(code), str(name), f"{number:02d}-{_file_name(str(name))}.pdf", pages)
        if order.villages:
            villages = [findings.villages.index[row] for row in sheets[0].villages]
            pages = tuple(
                page
                for village in villages
                for drawing in drawings
                for page in area_pages(AreaSheet(drawing, str(village), village=True, before=before), paper)
            )
            if pages:
                name_of = words.format("sheets", "villages_of", name=str(name))
                yield _Book(str(code), name_of, f"{number:02d}-{_file_name(name_of)}.pdf", pages)


def _file_name(name: str) -> str:
    r"""Make a name that every system takes.

    >>> _file_name(' a/b:c*\u202e<x> '), _file_name("..")
    ('a_b_c_x', 'sheet')
    """
    plain = re.sub(r"[\\/:*?\"<>|\s\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+", "_", name)
    return plain[:_LONGEST_NAME].strip("._") or "sheet"


# ---------------------------------------------------------------------------------------------------------
# The whole study


def _whole_book(drawings: Sequence[Drawing], towns: Sequence[_Book], paper: Paper) -> _Book:
    findings = drawings[0].findings
    index = _index_pages(drawings, towns, paper)
    maps = [partial(_whole_page, drawing) for drawing in drawings]
    return _Book(findings.study, findings.name, f"00-{_file_name(findings.name)}.pdf", (*index, *maps))


def _whole_page(drawing: Drawing, sheet: Sheet, page_text: str) -> None:
    draw_whole(drawing, sheet, page_text=page_text)


def _index_pages(drawings: Sequence[Drawing], towns: Sequence[_Book], paper: Paper) -> list[Draw]:
    """List the towns with their values and where their sheets are."""
    k = paper.factor
    room = Room(paper.wide - 2 * EDGE, paper.high - 58.0 * k)
    tables = [
        _index(drawings[first : first + _VALUES], towns, files=first == 0)
        for first in range(0, len(drawings), _VALUES)
    ]
    pieces = flowed(tables, room, room, k)
    pages = range(max((piece.room for piece in pieces), default=0) + 1)
    return [partial(_index_page, drawings[0], [one for one in pieces if one.room == page]) for page in pages]


def _index(drawings: Sequence[Drawing], towns: Sequence[_Book], *, files: bool) -> Table:
    """List the whole study and every town by target; ``files`` : with the file and its pages."""
    words, findings = drawings[0].words, drawings[0].findings
    heads = [one.result.target.name.get(words.language) for one in drawings]
    values = [
        {row.code: value_text(one.result, row.value, words.language) for row in one.result.districts}
        for one in drawings
    ]
    whole = [value_text(one.result, one.result.value, words.language) for one in drawings]
    names = [(findings.name, "", ""), *((book.name, book.file, str(len(book.pages))) for book in towns)]
    rows = [whole, *([of.get(book.code, "—") for of in values] for book in towns)]
    own = 3 if files else 1
    shares = (0.16, 0.2, 0.05)[:own]
    first = (words.get("page", "column_name"), words.get("sheets", "file"), words.get("sheets", "pages"))[
        :own
    ]
    return Table(
        words.get("sheets", "index"),
        (*first, *heads),
        (*shares, *[(1 - sum(shares)) / _VALUES] * len(drawings)),
        tuple((*name[:own], *row) for name, row in zip(names, rows, strict=True)),
        left=2 if files else 1,
        bold=frozenset({0}),
    )


def _index_page(drawing: Drawing, pieces: Sequence[Piece], sheet: Sheet, page_text: str) -> None:
    words, findings, k = drawing.words, drawing.findings, sheet.factor
    year = words.format("page", "year", year=findings.year)
    head(drawing, sheet, f"{findings.name} · {words.get('sheets', 'title')} · {year}", page_text=page_text)
    wide = sheet.paper.wide - 2 * EDGE
    for piece in pieces:
        column = Column(sheet, EDGE, sheet.paper.high - 20.0 * k, wide)
        draw_piece(piece, column, column.y, words.get("sheets", "continued"))
    write_margin(drawing, Column(sheet, EDGE, 0.0, wide - 20.0 * k), bottom=8.0)
