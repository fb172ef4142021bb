"""No table that a command writes holds a formula from an input, whichever command writes it."""

import csv
import json
import re
import zipfile

import openpyxl
import pytest

from commands import run as lifecircle
from conftest import edit
from lifecircle.errors import UnusableInputError
from lifecircle.study import read_study
from lifecircle.tables import unarmed

ARMED = '=HYPERLINK("http://x.invalid")'
CELLS = ("+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "=1+1")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Give a folder with what every command wrote of a town whose every name is a formula."""
    import shutil  # noqa: PLC0415 - used here alone

    from conftest import TOYTOWN  # noqa: PLC0415 - used here alone

    folder = tmp_path_factory.mktemp("armed") / "town"
    shutil.copytree(TOYTOWN, folder)
    edit(folder / "study.toml", '"Toy Town (example)"', f"'{ARMED}'")
    for name in ("West Bank", "East Bank"):
        edit(folder / "districts.geojson", f'"{name}"', json.dumps(f"={name}"))
    lines = (folder / "facilities.csv").read_text("utf-8").splitlines()
    armed = [ARMED, *CELLS, "=2+2"]
    rows = [lines[0]]
    for line, name in zip(lines[1:], armed, strict=True):
        cells = line.split(",")
        rows.append(
            ",".join(
                [f'"{name.replace(chr(34), chr(34) * 2)}"' if at == 1 else c for at, c in enumerate(cells)]
            )
        )
    rows += ['=9,"=Rejected()",library,,,2010,', '=8,"=Late()",library,501000,3377000,=3+3,']
    (folder / "facilities.csv").write_text("\n".join(rows) + "\n", "utf-8")
    residents = (folder / "residents.csv").read_text("utf-8").replace("r4,", "=r4,").replace("r6,", "+r6,")
    (folder / "residents.csv").write_text(residents, "utf-8")
    edit(folder / "study.toml", "year = 2025", "year = 2025\nmax_rejected = 1")
    (folder / "change.csv").write_text(
        "action,name,service,lon,lat\nopen,=Opened(),library,120.020838,30.522173\n", "utf-8"
    )
    (folder / "sites.csv").write_text("id,name,lon,lat\n=S1,=Site(),120.020838,30.522173\n", "utf-8")
    for words in (
        ("audit", folder),
        ("check", folder, "--fix", "--html", folder / "check.html"),
        ("rectify", folder),
        ("spot-check", folder, "--target", "reading", "--size", 3),
        ("site", folder, "--target", "reading", "--new", 1, "--candidates", folder / "sites.csv"),
        ("scenario", folder, folder / "change.csv"),
        ("compare", folder, 2024, 2025),
        ("report", folder, "--years", "2024-2025"),
    ):
        done = lifecircle(*words)
        assert done.returncode in {0, 1}, (words, done.stderr)
        assert "Traceback" not in done.stderr
    return folder


def tables(folder, suffix):
    own = {folder / name for name in ("facilities.csv", "residents.csv", "change.csv", "sites.csv")}
    beside = folder.with_name("town-fixed")
    untouched = {beside / name for name in ("residents.csv", "change.csv", "sites.csv")}
    found = {*folder.rglob(f"*{suffix}"), *beside.rglob(f"*{suffix}")} - own - untouched
    return sorted(found)


def test_commands_wrote_tables(written):
    names = {path.name for path in (*tables(written, ".csv"), *tables(written, ".xlsx"))}
    assert {
        "gaps.csv",
        "rejects.csv",
        "scoreboard.csv",
        "scoreboard.xlsx",
        "mended.csv",
        "change.csv",
    } <= names
    assert len(names) > 12


def test_no_cell_of_a_csv_is_run(written):
    live = []
    for path in tables(written, ".csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        live += [
            (path.name, cell) for row in rows for cell in row if unarmed(cell) != cell and cell[0] != "'"
        ]
    assert live == []


def test_no_cell_of_a_workbook_is_a_formula(written):
    live = []
    for path in tables(written, ".xlsx"):
        with zipfile.ZipFile(path) as book:
            sheets = [part for part in book.namelist() if part.startswith("xl/worksheets/sheet")]
            live += [(path.name, part) for part in sheets if re.search(rb"<f[ >/]", book.read(part))]
        opened = openpyxl.load_workbook(path)
        live += [
            (path.name, sheet.title, cell.coordinate)
            for sheet in opened.worksheets
            for row in sheet.iter_rows()
            for cell in row
            if cell.data_type == "f" or cell.hyperlink is not None
        ]
    assert live == []


def test_the_names_are_there_as_texts(written):
    """They are not left out, which would pass the tests above."""
    text = (written / "results" / "2025" / "rejects.csv").read_text("utf-8-sig")
    assert "'=3+3" in text
    sheet = openpyxl.load_workbook(written / "results" / "2025" / "scoreboard.xlsx")
    values = [cell for page in sheet.worksheets for row in page.iter_rows(values_only=True) for cell in row]
    assert any(isinstance(cell, str) and cell.startswith("=") for cell in values)


@pytest.mark.parametrize(
    "file", ["../facilities.csv", "sub/../../facilities.csv", "/etc/passwd.csv", "C:/a.csv"]
)
def test_a_file_outside_the_study_is_refused(toytown, file):
    """A study is a folder: what it is made of is kept, hashed and verified with it."""
    (toytown.parent / "facilities.csv").write_bytes((toytown / "facilities.csv").read_bytes())
    edit(toytown / "study.toml", 'file = "facilities.csv"', f'file = "{file}"')
    with pytest.raises(UnusableInputError, match="outside the study's folder"):
        read_study(toytown).path_in(file, 2025)
    done = lifecircle("audit", toytown)
    assert done.returncode == 2
    assert "outside the study's folder" in done.stderr
    assert "Traceback" not in done.stderr
