"""The yearly report: which years, what the table over the years holds, and the same in the document."""

import shutil

import docx
import openpyxl
import pytest

from conftest import edit
from lifecircle.audit import run_audit
from lifecircle.errors import UnusableInputError
from lifecircle.study import read_study
from lifecircle.yearbook import BOOK, DOCUMENT, YearbookOrder, plan_rows, plan_years, write_yearbook

EVERYONE = 275


@pytest.fixture
def town(toytown):
    """Give the toy town, whose clinic moves in 2025 and whose western gym is new in 2023."""
    edit(toytown / "standard.toml", "goal = 0.25", "goal = 0.25\nbaseline = { 2022 = 0.1 }")
    return toytown


def test_the_years_follow_baseline_plan_and_files(toytown):
    study = read_study(toytown)
    assert plan_years(study) == (2021, 2022, 2023, 2024, 2025)  # five, as a plan has
    edit(toytown / "standard.toml", "goal = 0.25", "goal = 0.25\nbaseline = { 2022 = 0.1 }")
    assert plan_years(read_study(toytown)) == (2023, 2024, 2025)
    edit(toytown / "study.toml", 'file = "residents.csv"', 'file = { 2024 = "residents.csv" }')
    assert plan_years(read_study(toytown)) == (2024, 2025)


def test_a_row_holds_every_year_and_the_final_verdict(town):
    """G1 opens in 2023: r1, r2 and r5 find two gyms from then on, within 1,250 m r2 and r5 alone."""
    runs = [run_audit(town, year) for year in (2022, 2023, 2025)]
    rows = {row["target"]: row for row in plan_rows(runs, "en")}
    culture = rows["15-minute culture circle"]
    for findings in runs:
        shown = culture[f"value_{findings.year}"]
        assert shown.share == findings.result("culture").value
    assert culture["value_2025"].share == 75 / EVERYONE
    assert (culture["goal"].share, culture["due"], culture["plan_baseline"]) == (0.25, 2027, "2022：10.0%")
    assert culture["status"] == "on track"
    health = rows["15-minute health circle"]
    assert health["plan_change"].startswith("2022-2025: ")


def test_the_files_say_what_the_runs_say(town, tmp_path):
    out = write_yearbook(town, YearbookOrder(years=(2024, 2025), out=tmp_path / "book", language="en"))
    assert {path.name for path in out.iterdir()} == {DOCUMENT, BOOK, "yearbook.json"}
    board = {one.target.name.get("en"): one for one in run_audit(town, 2025).targets}
    document = docx.Document(out / DOCUMENT)
    scores = next(table for table in document.tables if table.rows[0].cells[1].text == "2024")
    shown = {row.cells[0].text: row.cells[2].text for row in scores.rows[1:]}
    assert set(shown) == set(board)
    assert shown["15-minute culture circle"] == "27.2%"  # 75 of 275, truncated
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert f"{EVERYONE} residents" in text  # everyone, also who is without a road
    sheet = openpyxl.load_workbook(out / BOOK)["plan over the years"]
    heads, *rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
    first = dict(zip(heads, next(row for row in rows if row[1] == "15-minute culture circle"), strict=True))
    assert first["2025"] == 75 / EVERYONE


def test_the_same_inputs_give_the_same_bytes(town, tmp_path):
    order = {"years": (2024, 2025), "maps": False}
    one = write_yearbook(town, YearbookOrder(**order, out=tmp_path / "one"))
    other = write_yearbook(town, YearbookOrder(**order, out=tmp_path / "other"))
    for name in (DOCUMENT, BOOK):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_a_folder_of_somebody_else_stays(town, tmp_path):
    shutil.copytree(town, tmp_path / "mine")
    with pytest.raises(UnusableInputError):
        write_yearbook(town, YearbookOrder(years=(2025,), out=tmp_path / "mine"))
    assert (tmp_path / "mine" / "study.toml").is_file()
