"""What a comparison prints and writes, on the toy town of two years of ``test_attribution``."""

import json

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from conftest import edit
from lifecircle.attribution import board_rows, change_lines, compare_years, plain_comparison, write_comparison
from lifecircle.audit import run_audit
from lifecircle.cli import cli
from lifecircle.errors import UnusableInputError
from test_attribution import town  # noqa: F401 - a fixture


@pytest.fixture
def found(town):  # noqa: F811 - the fixture
    return compare_years(town, 2024, 2025)


def test_the_files_hold_the_same_parts(found, tmp_path):
    folder = write_comparison(found, tmp_path / "change")
    assert sorted(path.name for path in folder.iterdir()) == ["change.csv", "change.json", "change.xlsx"]
    kept = json.loads((folder / "change.json").read_text("utf-8"))
    assert kept == json.loads(json.dumps(plain_comparison(found)))
    table = pd.read_csv(folder / "change.csv")
    mine = table[(table["target id"] == "reading") & (table["area"] == "all")]
    row = found.row("reading")
    assert mine["in the account"].sum() == pytest.approx(row.change * 100, abs=1e-9)
    assert mine["change"].iloc[0] == pytest.approx(row.change * 100, abs=1e-9)
    assert mine["part"].tolist() == ["venues closed", "residents", "new roads", "pins put right"]
    assert (mine["smallest over orders"] <= mine["largest over orders"]).all()
    book = openpyxl.load_workbook(folder / "change.xlsx")
    assert book.sheetnames == ["in words", "change by group", "parts", "venues"]
    cells = [[cell.value for cell in line] for line in book["venues"].iter_rows()]
    assert ["East library", "L2"] in [line[3:5] for line in cells]
    assert "its row says nothing of a move" in str(cells)


def test_every_file_says_that_it_is_not_to_be_published(found, tmp_path):
    folder, stamp = write_comparison(found, tmp_path / "change"), "not to be published"
    book = openpyxl.load_workbook(folder / "change.xlsx")
    assert all(stamp in sheet["A1"].value for sheet in book)
    assert pd.read_csv(folder / "change.csv")["use"].str.contains(stamp).all()
    kept = json.loads((folder / "change.json").read_text("utf-8"))
    assert (kept["edition"], stamp in kept["stamp"]["en"]) == ("internal", True)


def test_the_same_comparison_is_the_same_bytes(found, tmp_path):
    for name in ("one", "two"):
        write_comparison(found, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_folder_that_holds_something_else_stays(found, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me", "utf-8")
    with pytest.raises(UnusableInputError):
        write_comparison(found, tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt").read_text("utf-8") == "keep me"


def test_a_change_is_written_as_an_account(found):
    lines = change_lines(found, "en")
    reading = next(line for line in lines if line.startswith("15-minute reading circle"))
    assert reading.startswith("15-minute reading circle: 91.0% -> 89.3% (-1.71 points). In the account: ")
    for part in ("venues closed -", "residents +", "new roads +", "pins put right +"):
        assert part in reading
    assert "over all orders" in reading
    assert "1 venue with another name alone, which is no change: Toy library → Library of the town" in lines
    assert lines[-1].endswith("It names no causes.")
    assert "Corrections of the data restate the earlier year and are no progress." in lines
    chinese = change_lines(found, "zh")
    assert any("核算上：关闭设施 -" in line for line in chinese)
    assert chinese[-1].endswith("不表示因果。")
    assert not any(
        "because" in line.lower() or "因为" in line or "由于" in line for line in [*lines, *chinese]
    )


def test_a_break_stands_first(town):  # noqa: F811 - the fixture
    edit(town / "standard.toml", "minutes = 15", "minutes = 10")
    run_audit(town, 2024, out=town / "results")
    edit(town / "standard.toml", "minutes = 10", "minutes = 15")
    found = compare_years(town, 2024, 2025)
    line = next(line for line in change_lines(found, "zh") if "先行单列：方法或标准变化 +" in line)
    assert line.index("先行单列") < line.index("核算上")
    heads, rows = board_rows(found, "zh")
    assert heads[5:] == ["方法或标准变化", "设施", "居民", "道路", "数据订正"]
    assert {len(row) for row in rows} == {len(heads)}


def test_the_command_prints_and_writes(town):  # noqa: F811 - the fixture
    done = CliRunner().invoke(cli, ["compare", str(town), "2024", "2025"])
    assert done.exit_code == 0, done.output
    assert "15-minute reading circle" in done.output
    assert "In the account: venues closed" in done.output
    assert (town / "results" / "2024-2025-change" / "change.csv").is_file()


def test_the_command_prints_json_and_writes_nothing(town):  # noqa: F811 - the fixture
    done = CliRunner().invoke(cli, ["compare", str(town), "2024", "2025", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["years"] == [2024, 2025]
    assert not (town / "results").exists()


def test_years_in_the_wrong_order_end_with_two(town):  # noqa: F811 - the fixture
    done = CliRunner().invoke(cli, ["compare", str(town), "2025", "2024"])
    assert done.exit_code == 2
    assert "the earlier year comes first" in done.output
