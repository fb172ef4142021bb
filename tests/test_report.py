"""The tables of a run, counted by hand on the toy town of ``test_audit.py`` and read back with openpyxl."""

import re
import tomllib

import openpyxl
import pandas as pd
import pytest

from conftest import ROOT, edit
from lifecircle.audit import run_audit
from lifecircle.errors import say
from lifecircle.findings import load_findings
from lifecircle.report import (
    FIGURE,
    POINTS,
    RATE,
    TEXT,
    Change,
    Heading,
    Rate,
    scoreboard,
    warning_lines,
    write_tables,
    write_workbook,
)
from lifecircle.tables import reject_rows
from lifecircle.wording import explain

EVERYONE = 275


def sheet(book, name):
    """Give a sheet as its rows, by their headings."""
    heads, *rows = [[cell.value for cell in row] for row in book[name].iter_rows(min_row=3)]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def written(folder, tmp_path, year=2025):
    """Audit a study into a folder, and open the workbook of the run."""
    run_audit(folder, year, out=tmp_path / "out")
    run = tmp_path / "out" / str(year)
    return run, openpyxl.load_workbook(run / "scoreboard.xlsx")


@pytest.fixture
def town(toytown):
    """Give the toy town, some of whose venues are new in 2025: a library at the end of North Lane."""
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L2,North library,library,501000,3378250,2025,\n")
    edit(toytown / "standard.toml", "goal = 0.9", "goal = 0.9\nbaseline = { 2020 = 0.1 }")
    return toytown


# --- the board ----------------------------------------------------------------------------------------


def test_the_board_in_numbers(town, tmp_path):
    """In 2024 r1, r2, r3 and r5 reach a library, 215 of 275; in 2025 r4 does not, 1,750 m from the new one.

    The clinic moves: of those of 60 and over r1 and r2 (30) reached the old one, r4 (15) the new one.
    """
    _, book = written(town, tmp_path)
    reading, culture, health = sheet(book, "scoreboard")
    assert (reading["row"], reading["due"], reading["target"]) == (1, 2025, "15-minute reading circle")
    assert (reading["this year"], reading["year before"]) == (215 / EVERYONE, 215 / EVERYONE)
    assert reading["change (points)"] == 0
    assert (reading["goal"], reading["milestone"], reading["verdict"]) == (0.9, 0.9, "missed")
    assert reading["still to be covered (people)"] == 33  # 247.5 people are the goal
    assert reading["borderline people"] == 0  # r3, at the limit before, has a library now
    assert culture["this year"] == 75 / EVERYONE
    assert culture["flip point (km/h)"] == pytest.approx(4.0)
    assert (culture["milestone"], culture["verdict"]) == (None, "on track")
    assert (health["year before"], health["this year"]) == pytest.approx((30 / 74, 15 / 74))
    assert health["change (points)"] == pytest.approx(-100 * 15 / 74)  # fewer: the change falls
    assert health["goal"] is None
    assert health["judged by"] == "reach · share of people"
    formats = {cell.value: cell.number_format for cell in book["scoreboard"][4]}
    assert formats[215 / EVERYONE] == "0.0%"


def test_the_csv_prints_what_people_read(town):
    rows = scoreboard(run_audit(town)).set_index(["row", "area"])
    health = rows.loc[("3", "Toy Town (example)")]
    assert (health["year before"], health["this year"]) == ("40.5 %", "20.2 %")
    assert health["change (points)"] == "-20.3"  # what is printed; unrounded it is -20.27
    culture = rows.loc[("2", "Toy Town (example)")]
    assert (culture["flip point"], culture["people"]) == ("4.00 km/h", "275")
    assert (culture["slow-usual-fast"], culture["due"]) == ("27.2 % / 27.2 % / 63.6 %", "2027")


def test_a_change_is_the_difference_of_what_is_printed():
    assert Change(0.8601, 0.8709).printed == 1.0  # 86.0 and 87.0
    assert Change(0.8601, 0.8709).points == pytest.approx(1.08)
    assert Change(0.5, 0.25).printed == -25.0


def test_districts_are_ranked_from_the_highest(town, tmp_path):
    _, book = written(town, tmp_path)
    rows = {(row["row"], row["district"]): row for row in sheet(book, "districts")}
    west, east, outside = (rows[1, name] for name in ("West Bank", "East Bank", "(outside)"))
    assert (west["this year"], west["rank"]) == (1.0, 1)
    assert (east["this year"], east["rank"], east["people"], east["too far"]) == (0.0, 2, 40, 30)
    assert (outside["rank"], outside["disconnected"]) == (2, 20)  # equal values share a rank
    assert [rows[1, name]["urban or rural"] for name in ("West Bank", "East Bank")] == ["urban", "rural"]


def test_groups_name_whom_they_count(town, tmp_path):
    _, book = written(town, tmp_path)
    rows = {(row["row"], row["group"]): row for row in sheet(book, "groups")}
    assert rows[1, "60 and over"]["share of people"] == 47 / 74
    assert rows[1, "60 and over"]["denominator"] == "all · 60 and over"
    assert rows[1, "urban residents"]["denominator"] == "urban · residents"
    # of a target for the aged the urban row counts the urban aged
    assert rows[3, "urban residents"]["denominator"] == "urban · 60 and over"
    assert rows[3, "urban residents"]["people"] == 47
    for row in rows.values():
        assert row["people"] == sum(
            row[name] for name in ("covered", "too far", "disconnected", "no road near")
        )


def test_every_rung_has_the_share_of_its_unit(toytown, tmp_path):
    villages = "code,name,district,urban,x,y,accepted_reading\n330001,A,01,yes,500000,3377000,yes\n"
    (toytown / "villages.csv").write_text(villages + "330002,B,02,no,502000,3378000,no\n", "utf-8")
    part = '[villages]\nfile = "villages.csv"\ndatum = "EPSG:4549"\n\n[districts]'
    edit(toytown / "study.toml", "[districts]", part)
    _, book = written(toytown, tmp_path)
    rungs = {row["accounting"]: row for row in sheet(book, "accountings") if row["row"] == 1}
    assert (rungs["accepted"]["share of villages"], rungs["accepted"]["share of people"]) == (0.5, None)
    assert (rungs["reach"]["share of villages"], rungs["reach"]["share of people"]) == (None, 215 / EVERYONE)
    shares = {row["village"]: row for row in sheet(book, "villages")}
    assert shares["A"]["15-minute reading circle"] == 1.0  # r1, r2, r3, r5
    assert (shares["B"]["15-minute reading circle"], shares["B"]["district"]) == (0.0, "East Bank")


# --- gaps ---------------------------------------------------------------------------------------------


def test_gaps_say_how_much_too_far_and_to_which_venue(toytown, tmp_path):
    """r4 stands 2,000 m from the library, 24 minutes, and 1,500 m from the second gym or park."""
    run, book = written(toytown, tmp_path)
    gaps = {
        (row["gap"].split("-")[0], row["reason"], row["not covered (people)"]): row
        for row in sheet(book, "gaps")
    }
    row = gaps["reading", "too far", 30]
    assert (row["minutes"], row["minutes too far"]) == (pytest.approx(24.0), pytest.approx(9.0))
    assert (row["venue that decides"], row["venue of each class"]) == ("Toy library", None)
    assert row["lon"] == pytest.approx(120.02, abs=0.1)
    island = gaps["reading", "disconnected", 20]
    assert (island["minutes"], island["minutes too far"], island["venue that decides"]) == (None, None, None)
    both = gaps["culture", "too far", 30]
    assert both["venue that decides"] == "Toy library"  # 24 minutes, the second of the others 18
    assert both["venue of each class"] == (
        "mandatory venue, no. 1: Toy library, 24.0 min\npublic-benefit venue, no. 2: Toy gym middle, 18.0 min"
    )
    first = gaps["culture", "too far", 100]  # r1: 1,000 m to the library, 1,500 m to the second gym
    assert (first["minutes"], first["venue that decides"]) == (pytest.approx(18.0), "Toy gym middle")
    table = pd.read_csv(run / "gaps.csv").set_index("id")
    line = table.loc[table["people"] == 100, "venues"].iloc[0]
    assert line == "mandatory 1: Toy library, 12.0 min; public_benefit 2: Toy gym middle, 18.0 min"
    assert load_findings(run).gaps["venues"].str.startswith('[{"class": "mandatory"').sum() == 4


# --- what is written as what --------------------------------------------------------------------------

STRANGE = [
    '=HYPERLINK("http://x")', "+1+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "http://example.org", "{=1}",
    "internal:Sheet1!A1", "mailto:a@b", "0012", "x" * 40_000, "http://example.org/" + "y" * 3000,
]  # fmt: skip


def test_texts_stay_texts(tmp_path):
    rows = [{"name": text, STRANGE[0]: text} for text in STRANGE]
    columns = {"name": TEXT, STRANGE[0]: TEXT}
    write_workbook(tmp_path / "a.xlsx", {"board": (columns, rows)}, Heading("=1+1", "en", synthetic=False))
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    page = book["scoreboard"]
    cells = [cell for row in page.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    kept = [cell.value for cell in page["A"][3:]]
    assert kept[:9] + kept[10:] == STRANGE[:9] + STRANGE[10:]
    assert len(kept[9]) == 32_767
    assert kept[9].endswith("x…")
    assert max(page.row_dimensions[number].height or 0 for number in range(4, 15)) <= 409


def test_numbers_are_unrounded_but_never_show_a_goal_that_is_missed(tmp_path):
    shares = [Rate(0.89996, (0.9,)), Rate(0.876543, (0.9,)), Rate(0.99996), Rate(1.0), Rate(0.9, (0.9,))]
    rows = [{"value": share, "open": 0.123456, "change": -0.049, "goal": 4.25} for share in shares]
    columns = {"value": FIGURE, "open": RATE, "change": POINTS, "goal": FIGURE}
    write_workbook(tmp_path / "a.xlsx", {"board": (columns, rows)}, Heading("T", "en", synthetic=True))
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")["scoreboard"]
    assert [cell.value for cell in page["A"][3:]] == [0.899, 0.876543, 0.999, 1.0, 0.9]
    assert [cell.value for cell in page[4]] == [0.899, 0.123456, -0.049, 4.25]
    assert page["C2"].value.startswith("Changes are of the unrounded figures")


def test_a_csv_runs_nothing_and_comes_back_as_it_was(toytown, tmp_path):
    edit(toytown / "facilities.csv", "Toy library", "=1+1")
    findings = run_audit(toytown)
    value = say("unknown word '{name}'", name="=x")
    rejects = reject_rows("=a.csv", [2], column="@c", value="-2+3", reason=value, remedy="'=quoted")
    object.__setattr__(findings, "rejects", rejects)
    run = tmp_path / "2025"
    run.mkdir()
    write_tables(findings, run)
    gaps = (run / "gaps.csv").read_text("utf-8-sig")
    assert ",'=1+1," in gaps
    assert not re.search(r"(^|,)[=@]", gaps, re.MULTILINE)
    text = (run / "rejects.csv").read_text("utf-8-sig")
    assert text.splitlines()[1].startswith("'=a.csv,2,'@c,'-2+3,")


# --- languages ----------------------------------------------------------------------------------------


def test_warnings_are_in_words_and_name_targets_and_classes(toytown):
    edit(toytown / "facilities.csv", ",2010,", ",2010,2011")
    assert warning_lines(run_audit(toytown))[:2] == [
        "no open venue of library at the end of 2025, which 15-minute reading circle counts",
        "no open venue of mandatory venue at the end of 2025, which 15-minute culture circle counts",
    ]
    edit(toytown / "study.toml", 'language = "en"', 'language = "zh"')
    assert "2025 年底没有开放的“图书馆”" in warning_lines(run_audit(toytown))[0]


def test_every_reason_code_of_the_package_has_its_words():
    """A code is written as ``name:{...}`` in the rooms that give reasons, notes and warnings."""
    catalogue = ROOT / "coverage" / "lifecircle" / "wording.toml"
    known = set(tomllib.loads(catalogue.read_text("utf-8"))["reason"])
    for path in sorted((ROOT / "coverage" / "lifecircle" / "audit").glob("*.py")):
        codes = re.findall(r'f"([a-z_]+):\{', path.read_text("utf-8"))
        assert set(codes) - {"year_before_"} <= known, path.name
    for code in ("no_baseline", "by_village", "year_before_roads:2024", "year_before_residents:2024"):
        for language in ("zh", "en"):
            assert explain(code, language) != code


def test_rejects_follow_the_language(toytown, tmp_path):
    edit(toytown / "study.toml", 'language = "en"', 'language = "zh"')
    findings = run_audit(toytown)
    reason = say("did you mean '{name}'?", name="year")
    row = reject_rows("a.csv", [2], column="c", value="v", reason=reason, remedy="mend").astype(
        {"reason": object}
    )
    row["reason"] = pd.Series([reason], dtype=object)
    object.__setattr__(findings, "rejects", row)
    write_tables(findings, tmp_path)
    assert "是否应为“year”？" in (tmp_path / "rejects.csv").read_text("utf-8-sig")
