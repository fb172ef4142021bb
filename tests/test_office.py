"""Workbooks and documents open in LibreOffice as they are: every cell and every paragraph is there."""

import os
import shutil
import subprocess

import openpyxl
import pytest
from click.testing import CliRunner

from conftest import in_whole_campaign
from lifecircle.cli import cli

BLANK = (None, "")


@pytest.fixture(scope="module")
def office():
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("LibreOffice is not installed")
    return found


def converted(office, files, to, folder):
    """Let LibreOffice open files and write them again."""
    folder.mkdir()
    command = [office, "--headless", "--convert-to", to, "--outdir", folder, *files]
    own = {**os.environ, "HOME": str(folder)}
    subprocess.run(command, check=True, capture_output=True, timeout=300, env=own)
    return folder


def same(one, other):
    """Whether LibreOffice has the same in a cell; numbers to the digits it keeps."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return other == pytest.approx(one, rel=1e-12)
    return one == other or (one in BLANK and other in BLANK)


def run(*words):
    done = CliRunner().invoke(cli, list(map(str, words)))
    assert done.exit_code == 0, done.output


@in_whole_campaign
def test_what_is_written_for_office_programs_opens_in_libreoffice(office, toytown, tmp_path):
    docx = pytest.importorskip("docx", reason="reads the document")
    run("audit", toytown, "--quiet")
    run("report", toytown, "--out", tmp_path / "report")
    run("rectify", toytown, "--out", tmp_path / "list")
    run("new", "--forms", tmp_path / "forms")
    books = sorted([*toytown.glob("results/*/*.xlsx"), *tmp_path.glob("*/*.xlsx")])
    assert len(books) > 10
    again = converted(office, books, "xlsx:Calc MS Excel 2007 XML", tmp_path / "again")
    for path in books:
        mine, theirs = (openpyxl.load_workbook(one, data_only=True) for one in (path, again / path.name))
        assert mine.sheetnames == theirs.sheetnames, path.name
        for sheet in mine:
            cells = [cell for row in sheet.iter_rows() for cell in row]
            differ = [
                cell.coordinate
                for cell in cells
                if not same(cell.value, theirs[sheet.title][cell.coordinate].value)
            ]
            assert not differ, (path.name, sheet.title)
    (document,) = tmp_path.glob("report/*.docx")
    text = (
        converted(office, [document], "txt:Text (encoded):UTF8", tmp_path / "text") / "report.txt"
    ).read_text("utf-8-sig")
    paragraphs = [one.text.strip() for one in docx.Document(document).paragraphs if one.text.strip()]
    assert len(paragraphs) > 10
    assert [one for one in paragraphs if one not in text] == []
