"""Render the files of a yearly report of the example, and keep small pictures of some pages for the docs.

Run by hand where the looks of a table or of the document change: ``python tools/report_pictures.py``. It
audits the five years of the example, makes the list and the report, prints them through LibreOffice (soffice)
and poppler (pdftoppm, pdftotext), and writes ``docs/pictures/yearly-*.png``. With ``--all DIR`` every page
goes to a folder too, to be looked at.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lifecircle.audit import run_audit
from lifecircle.rectification import rectify_study
from lifecircle.study import copy_example
from lifecircle.yearbook import BOOK, DOCUMENT, YearbookOrder, write_yearbook

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
YEARS = (2021, 2022, 2023, 2024, 2025)
MOST_BYTES = 150 * 1024
BOARD = "scoreboard.xlsx"


@dataclass(frozen=True)
class Page:
    """A page that is kept: of ``file`` the first page that holds ``text``, ``wide`` pixels across.

    ``part`` : share of its width and of its height that is shown, from the upper left.
    """

    name: str
    file: str
    text: str
    wide: int = 1000
    part: tuple[float, float] = (1.0, 1.0)


PAGES = (
    Page("report-first", DOCUMENT, "从验收口径到实际可达", 700),
    Page("report-problems", DOCUMENT, "最依赖的一处是", 700),
    Page("plan", BOOK, "终期评估"),
    Page("list", BOOK, "· 整改台账", part=(0.6, 0.4)),
    Page("closing", BOOK, "· 关闭影响", part=(1.0, 0.5)),
    Page("definitions", BOOK, "签发："),
    Page("scoreboard", BOARD, "指标总表"),
)


def make_report(folder: Path) -> list[Path]:
    """Audit the example and write list and report; the files that are printed."""
    study = copy_example(folder / "study")
    results = study / "results"
    for year in YEARS:
        run_audit(study, year, out=results)
    rectify_study(study, YEARS[-1])
    report = write_yearbook(study, YearbookOrder(years=YEARS))
    return [report / DOCUMENT, report / BOOK, results / str(YEARS[-1]) / BOARD]


def run(*words: object) -> str:
    """Run a program and return what it prints."""
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout  # noqa: S603 - programs named below


def print_files(files: list[Path], folder: Path) -> dict[str, Path]:
    """Print files to PDF: name of the file -> its PDF."""
    run("soffice", "--headless", "--convert-to", "pdf", "--outdir", folder, *files)
    return {path.name: folder / f"{path.stem}.pdf" for path in files}


def page_with(pdf: Path, text: str) -> int:
    """Return the number of the first page that holds a text.

    Raises
    ------
    ValueError
        When no page does.
    """
    pages = run("pdftotext", "-layout", pdf, "-").split("\f")
    for number, page in enumerate(pages, 1):
        if text in page:
            return number
    raise ValueError(f"{pdf.name}: no page with {text!r}")


def keep_page(pdf: Path, page: Page, folder: Path) -> Path:
    """Draw a page small enough for the docs, with fewer colours where it takes that."""
    number = page_with(pdf, page.text)
    run("pdftoppm", "-png", "-r", 200, "-f", number, "-l", number, "-singlefile", pdf, folder / page.name)
    picture = Image.open(folder / f"{page.name}.png").convert("RGB")
    across, down = page.part
    picture = picture.crop((0, 0, round(picture.width * across), round(picture.height * down)))
    high = round(picture.height * page.wide / picture.width)
    picture = picture.resize((page.wide, high), Image.Resampling.LANCZOS)
    target = PICTURES / f"yearly-{page.name}.png"
    for colours in (64, 32, 16, 8):
        picture.quantize(colours).save(target, optimize=True)
        if target.stat().st_size <= MOST_BYTES:
            break
    return target


def main() -> None:
    """Make the report and its pictures."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--all", type=Path, metavar="DIR", help="also every page, at 50 dots an inch")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        printed = print_files(make_report(folder), folder)
        for page in PAGES:
            print(keep_page(printed[page.file], page, folder))  # noqa: T201 - what the script is run for
        if asked.all is not None:
            asked.all.mkdir(parents=True, exist_ok=True)
            for pdf in printed.values():
                run("pdftoppm", "-png", "-r", 50, pdf, asked.all / pdf.stem)
                shutil.copy2(pdf, asked.all)


if __name__ == "__main__":
    main()
