"""The yearly report: which years, what the table over the years holds, and the same in the document."""

import json
import shutil
from dataclasses import replace

import docx
import openpyxl
import pandas as pd
import pytest

from conftest import ROOT, edit
from lifecircle.audit import find_runs, prepare, run_audit
from lifecircle.closing_impact import closing_impact
from lifecircle.errors import UnusableInputError
from lifecircle.rectification import rectify_study
from lifecircle.study import read_study
from lifecircle.wording import word
from lifecircle.yearbook import BOOK, DOCUMENT, YearbookOrder, plan_rows, plan_years, write_yearbook

EVERYONE = 275
KINDS = ("circle", "presence", "capacity", "indicator")


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


def test_what_stands_for_a_milestone_is_said(town):
    """From 10 % in 2022 to 25 % in 2027 in a straight line are 13 % in 2023 and 19 % in 2025."""
    rows = {row["target"]: row for row in plan_rows(find_runs(town, (2023, 2025)), "en")}
    culture, reading, health = (rows[f"15-minute {name} circle"] for name in ("culture", "reading", "health"))
    assert culture["plan_milestones"].endswith("straight from the baseline: 2023：13.0%；2025：19.0%")
    assert (reading["plan_baseline"], reading["plan_milestones"]) == (
        "not given",
        "none given: no verdict before it is due",
    )
    assert health["plan_milestones"] == "not given"  # it has no goal
    edit(town / "standard.toml", "baseline = { 2022 = 0.1 }", "milestones = { 2025 = 0.2 }")
    (row,) = [row for row in plan_rows(find_runs(town, (2025,)), "en") if "culture" in row["target"]]
    assert row["plan_milestones"] == "2025：20.0%"


def test_a_year_without_a_value_has_its_reason(town):
    runs = find_runs(town, (2024, 2025))
    lost = replace(runs[0].targets[0], value=None, status="not_assessable", reason="nobody")
    former = replace(runs[0], targets=(lost, *runs[0].targets[1:-1]))  # and it had no target of health
    rows = plan_rows([former, runs[1]], "en")
    assert "no value in 2024: " in rows[0]["remarks"]
    assert "no value in 2024: the run of that year has no such target" in rows[-1]["remarks"]
    assert rows[0]["value_2024"] is None
    assert rows[0]["value_2025"].share == runs[1].targets[0].value


def test_every_target_of_the_plan_has_a_value_or_a_reason_in_every_year(county_run):
    """The example over 2021 to 2025: all four kinds, none without department, source and denominator."""
    for year in (2022, 2023, 2024, 2025):
        kept = county_run(year).parent
    runs = find_runs(ROOT / "data/geo/haiyan", (2021, 2022, 2023, 2024, 2025), results=kept)
    rows = plan_rows(runs, "zh")
    assert {row["kind"] for row in rows} == {word("kind", kind, "zh") for kind in KINDS}
    for row, result in zip(rows, runs[-1].targets, strict=True):
        target = result.target
        for name in ("department", "source", "denominator", "plan_baseline", "plan_milestones", "status"):
            assert row[name], (target.id, name)
        assert (row["goal"] is None, row["due"]) == (target.goal is None, target.due)
        assert row["status"] == word("status", result.status, "zh")
        for findings in runs:
            shown = row[f"value_{findings.year}"]
            value = findings.result(target.id).value
            assert getattr(shown, "share", shown) == value
            assert value is not None or f"{findings.year}年无数值" in row["remarks"]


def test_the_files_say_what_the_runs_say(town, tmp_path):
    out = write_yearbook(town, YearbookOrder(years=(2024, 2025), out=tmp_path / "book", language="en"))
    assert {path.name for path in out.iterdir()} == {DOCUMENT, BOOK, "yearbook.json", "closing.csv"}
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


# ---------------------------------------------------------------------------------------------------------
# The rectification list and the closing impact


def sheet_rows(folder, name):
    """Give the rows of a sheet by their headings, which stand in the third row."""
    heads, *rows = [[cell.value for cell in row] for row in book_of(folder)[name].iter_rows(min_row=3)]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def book_of(folder):
    return openpyxl.load_workbook(folder / BOOK)


def remark_on(folder, sheet):
    (found,) = [row["notes"] for row in sheet_rows(folder, "definitions") if row["target"] == sheet]
    return found


def paragraphs(folder):
    return "\n".join(one.text for one in docx.Document(folder / DOCUMENT).paragraphs)


def report(town, **order):
    order = {"years": (2025,), "language": "en", "maps": False, **order}
    return write_yearbook(town, YearbookOrder(**order))


def test_the_list_that_was_handed_out_stands_in_the_workbook(town):
    listing, folder = rectify_study(town, 2025)
    label = listing.record.problems[0].id
    filled = folder / "rectification.csv"
    table = pd.read_csv(filled, dtype=str, keep_default_na=False)
    table.loc[table[word("rectify_column", "id", "en")] == label, "progress"] = "land bought"
    table.to_csv(filled, index=False)
    listing, _ = rectify_study(town, 2025, filled=[filled])
    book = report(town)
    rows = {row["problem id"]: row for row in sheet_rows(book, "rectification list")}
    assert list(rows) == [one.id for one in listing.record.problems]
    assert rows[label]["progress"] == "land bought"
    for one in listing.record.problems:
        assert rows[one.id]["people"] == one.computed["people"]
        assert rows[one.id]["cause"] == one.computed["cause"]
    assert "list that was handed out (results/2025-rectification)" in remark_on(book, "rectification list")
    assert f"The rectification list has {len(listing.current)} problems" in paragraphs(book)


def test_without_a_list_the_ids_are_those_that_a_list_will_give(town):
    book = report(town)
    ids = [row["problem id"] for row in sheet_rows(book, "rectification list")]
    assert "has not been made" in remark_on(book, "rectification list")
    assert not (town / "results" / "2025-rectification").exists()
    listing, _ = rectify_study(town, 2025)
    assert ids == [one.id for one in listing.record.problems]
    # A list of the year before gives its ids on, and new ones follow them.
    rectify_study(town, 2024)
    again = [row["problem id"] for row in sheet_rows(report(town), "rectification list")]
    assert again == ids


def test_a_town_without_a_gap_has_an_empty_list(town):
    text = (town / "standard.toml").read_text("utf-8").replace("minutes = 15", "minutes = 120")
    (town / "standard.toml").write_text(text, "utf-8")
    for row in ("r6,504000,3377200,20,0,8\n", "r7,503000,3377000,10,0,4\n"):  # no way, and no road near
        edit(town / "residents.csv", row, "")
    book = report(town)
    assert "The rectification list has no problem; 0 are closed." in paragraphs(book)
    assert not any(row["problem id"] for row in sheet_rows(book, "rectification list"))


def test_a_list_that_the_data_have_left_behind_is_said_to_be_so(town):
    rectify_study(town, 2025)
    edit(town / "residents.csv", "r6,504000,3377200,20,0,8\n", "")
    assert "Data have changed since the list was handed out" in remark_on(report(town), "rectification list")


def test_the_closing_impact_stands_in_sheet_csv_and_document(town):
    book = report(town)
    impact = closing_impact(prepare(read_study(town), 2025))
    table = pd.read_csv(book / "closing.csv")
    assert table["people who lose cover"].tolist() == impact["people"].tolist()
    assert table["venue id"].tolist() == impact["venue"].tolist()
    rows = sheet_rows(book, "closing impact")
    needed = impact[impact["people"] > 0]
    assert [row["people who lose cover"] for row in rows] == needed["people"].tolist()
    assert rows[0]["share of people counted"] == pytest.approx(needed["share"].iloc[0])
    assert all(row["service"] for row in rows)
    # The library of the town is all that 225 of its people read in (see the closing impact's own test).
    first = impact[impact["target"] == "reading"].iloc[0]
    assert f"the venue most depended on is {first['name']} (" in paragraphs(book)
    assert f"{first['people']:,.0f} people" in paragraphs(book)


def test_the_public_edition_counts_nobody_at_a_place(town):
    book = report(town, edition="public")
    assert book.name == "yearbook-2025-2025-public"  # an internal report is never replaced by it
    assert {path.name for path in book.iterdir()} == {DOCUMENT, BOOK, "yearbook.json"}
    assert not {"rectification list", "closing impact"} & set(book_of(book).sheetnames)
    assert "left out of the public edition" in remark_on(book, "rectification list")
    assert "most depended on" not in paragraphs(book)
    signed = [row["target"] for row in sheet_rows(book, "definitions")][-3:]
    assert signed == ["made by:", "checked by:", "signed by:"]


def test_what_lies_in_a_mask_is_counted_and_not_printed(town):
    whole = sheet_rows(report(town), "rectification list")
    venues = run_audit(town, 2025).facilities
    west, south, east, north = venues[venues["name"] == "Toy library"].total_bounds
    ring = [[west - 1e-4, south - 1e-4], [east + 1e-4, south - 1e-4], [east, north + 1e-4]]
    area = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    (town / "mask.geojson").write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [{"type": "Feature", "geometry": area, "properties": {}}],
            }
        )
    )
    study = (town / "study.toml").read_text("utf-8")
    (town / "study.toml").write_text(f'{study}\n[publish]\nmask = "mask.geojson"\n', "utf-8")
    book = report(town)
    shown = sheet_rows(book, "rectification list")
    lost = [row for row in whole if row["nearest venue"] == "Toy library"]
    assert lost
    assert [row["problem id"] for row in shown] == [
        row["problem id"] for row in whole if row["nearest venue"] != "Toy library"
    ]
    assert f"{len(lost)} more problems lie where nothing may be drawn" in remark_on(
        book, "rectification list"
    )
    assert "Toy library" not in (book / "closing.csv").read_text("utf-8-sig")
