"""The rectification list: hand-counted on the toy town, and filled in over three years of the example."""

import shutil
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from conftest import ROOT, edit, in_whole_campaign
from lifecircle.audit import run_audit
from lifecircle.cli import cli
from lifecircle.errors import UnusableInputError
from lifecircle.findings import load_findings
from lifecircle.rectification import (
    COLUMNS,
    FOLDER,
    HAND,
    problem_row,
    read_filled,
    read_record,
    rectify,
    rectify_study,
    write_list,
)
from lifecircle.wording import fault_line, word

EXAMPLE = ROOT / "data/geo/haiyan"


def heading(column, language="zh"):
    return word("rectify_column", column, language)


def fill(path, texts, language="zh"):
    """Write texts into a list as people do: id -> column -> text."""
    todo = dict(texts)
    book = None
    for loaded, sheet, heads, rows in _open(path):
        book = loaded
        for label in [label for label in todo if label in rows]:
            for column, text in todo.pop(label).items():
                cell = sheet.cell(rows[label], heads[heading(column, language)], text)
                cell.data_type = "s"  # as in a cell that is formatted as text
    assert not todo, f"not in the list: {todo}"
    book.save(path)


def _open(path):
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        heads = {cell.value: cell.column for cell in sheet[3]}
        at = heads.get(heading("id")) or heads.get(heading("id", "en"))
        if at is not None:
            yield book, sheet, heads, {sheet.cell(n, at).value: n for n in range(4, sheet.max_row + 1)}


# ---------------------------------------------------------------------------------------------------------
# The toy town


@pytest.fixture
def toy(toytown):
    return run_audit(toytown)


def problems(listing, target):
    return [one for one in listing.record.problems if one.target == target]


def test_a_problem_says_what_the_toy_town_shows(toy):
    listing = rectify(toy)
    assert len(listing.record.problems) >= len(toy.gaps)
    for target in ("reading", "culture", "health"):
        mine = problems(listing, target)
        gaps = toy.gaps[toy.gaps["target"] == target]
        assert sorted(one.computed["people"] for one in mine) == sorted(gaps["people"])
        result = toy.result(target)
        assert sum(one.computed["people"] for one in mine) == pytest.approx(result.count.uncovered)
        members = [label for one in mine for label in one.members]
        assert len(members) == len(set(members))
        aged = toy.demand["over60"]
        for one in mine:
            assert one.computed["over60"] == aged[list(one.members)].sum()
            assert one.id.startswith(f"{target}-2025-")
    assert all(set(problem_row(one, "en")) == set(COLUMNS) for one in listing.record.problems)


def test_a_sentence_agrees_with_its_own_figures(toy):
    reading = problems(rectify(toy), "reading")
    far = next(one for one in reading if one.computed["minutes"] is not None)
    text = far.computed["description"]
    over = round(far.computed["minutes"]) - 15
    assert f"about {far.computed['people']:.0f} people" in text
    assert f"{round(far.computed['minutes'])} minutes" in text
    assert f"{over} minutes over the limit" in text
    assert far.computed["nearest"] == "Toy library"
    assert far.hand["deadline"] == "2026-12-31"  # the due year 2025 has come
    assert problems(rectify(toy), "culture")[0].hand["deadline"] == "2027-12-31"


def test_the_same_run_again_changes_nothing(toy, tmp_path):
    first = rectify(toy)
    again = rectify(toy, first.record)
    assert again.record == first.record
    write_list(first, tmp_path / "one")
    write_list(again, tmp_path / "two")
    for name in FOLDER.files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    assert read_record(tmp_path / "one") == first.record


def after(toytown, year=2026):
    return run_audit(toytown, year)


def status_of(listing, label):
    one = listing.record.by_id[label]
    return one.status, one.gone


def gone_of(before, listing):
    """Return the problem of reading that the list before had and the run finds no more."""
    (label,) = [
        one.id for one in listing.record.problems if one.gone and one.target == "reading" and one.members
    ]
    return before.record.by_id[label]


def test_a_new_library_closes_a_gap_only_with_evidence(toytown, toy):
    first = rectify(toy)
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L9,New library,library,502000,3377800,2026-03-01,\n")
    run = after(toytown)
    second = rectify(run, first.record)
    label = gone_of(first, second).id
    assert status_of(second, label) == ("done", "venues")
    claim = {label: {"status": "closed", "evidence": "photo 12"}}
    assert status_of(rectify(run, first.record, claim), label) == ("closed", "venues")
    assert status_of(rectify(run, first.record, {label: {"status": "closed"}}), label) == ("done", "venues")
    # It stays closed, whatever the next list says, and its number is not given again.
    third = rectify(run, rectify(run, first.record, claim).record, {label: {"status": "open"}})
    assert status_of(third, label)[0] == "closed"


@pytest.mark.parametrize(
    ("opened", "gone"), [("2019-01-01", "register"), ("2026-03-01", "venues"), ("", "register")]
)
def test_a_venue_registered_late_is_a_change_of_data(toytown, toy, opened, gone):
    first = rectify(toy)
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write(f"L9,Late library,library,502000,3377800,{opened},\n")
    label = gone_of(first, rectify(after(toytown), first.record)).id
    claim = {label: {"status": "closed", "evidence": "photo 12", "verifier": "Li"}}
    listing = rectify(after(toytown), first.record, claim)
    assert status_of(listing, label) == ("closed" if gone == "venues" else "data_changed", gone)
    assert listing.record.by_id[label].hand["evidence"] == "photo 12"
    if gone == "register":
        claim[label]["status"] = "withdrawn"
        assert status_of(rectify(after(toytown), listing.record, claim), label) == ("withdrawn", "register")


def test_residents_who_are_gone_are_a_change_of_data(toytown, toy):
    first = rectify(toy)
    edit(toytown / "residents.csv", "r6,504000,3377200,20,0,8\n", "")
    edit(toytown / "residents.csv", "r7,503000,3377000,10,0,4\n", "")
    listing = rectify(after(toytown), first.record)
    lost = [one for one in problems(listing, "reading") if one.gone]
    assert lost
    assert {(one.status, one.gone) for one in lost} == {("data_changed", "surface")}


def test_another_limit_is_a_change_of_the_rule(toytown, toy):
    first = rectify(toy)
    text = (toytown / "standard.toml").read_text("utf-8").replace("minutes = 15", "minutes = 90")
    (toytown / "standard.toml").write_text(text, "utf-8")
    lost = [one for one in rectify(after(toytown), first.record).record.problems if one.gone]
    assert lost
    assert {one.gone for one in lost} == {"rule"}


def test_another_method_is_no_progress(toy, toytown):
    first = rectify(toy)
    old = replace(first.record, run=replace(first.record.run, method="2020.1"))
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L9,New library,library,502000,3377800,2026-03-01,\n")
    lost = [one for one in rectify(after(toytown), old).record.problems if one.gone]
    assert {one.gone for one in lost} == {"method"}


def test_a_gap_that_is_still_there_is_not_closed(toytown, toy):
    first = rectify(toy)
    label = problems(first, "culture")[0].id
    claim = {label: {"status": "closed", "evidence": "a letter", "progress": "built"}}
    one = rectify(after(toytown), first.record, claim).record.by_id[label]
    assert (one.status, one.hand["evidence"], one.hand["progress"]) == ("working", "a letter", "built")
    assert one.check == "problem_not_closed:2026"


# ---------------------------------------------------------------------------------------------------------
# A filled list and what may be wrong with it


@pytest.fixture
def handed_out(toy, tmp_path):
    listing = rectify(toy)
    return listing, write_list(listing, tmp_path / "list") / "rectification-towns.xlsx"


def test_what_people_fill_in_is_read_by_id(handed_out):
    listing, path = handed_out
    label = listing.record.problems[0].id
    assert read_filled([path], listing.record) == {}
    fill(path, {label: {"progress": "=land bought", "status": "in hand", "helpers": "Town"}}, "en")
    expected = {label: {"progress": "=land bought", "status": "working", "helpers": "Town"}}
    assert read_filled([path], listing.record) == expected


def test_a_dash_takes_a_text_away_and_an_empty_cell_does_not(handed_out):
    listing, path = handed_out
    label = listing.record.problems[0].id
    first = rectify(listing.findings, listing.record, {label: {"progress": "begun", "helpers": "Town"}})
    fill(path, {label: {"progress": "—"}}, "en")
    assert read_filled([path], first.record) == {label: {"progress": ""}}


def test_the_csv_is_read_too(handed_out):
    listing, path = handed_out
    csv = path.with_name("rectification.csv")
    label = listing.record.problems[1].id
    table = pd.read_csv(csv, dtype=str, keep_default_na=False)
    table.loc[table[heading("id", "en")] == label, heading("progress", "en")] = "begun"
    table.to_csv(csv, index=False)
    assert read_filled([csv], listing.record) == {label: {"progress": "begun"}}


def faults(paths, record):
    with pytest.raises(UnusableInputError) as caught:
        read_filled(paths, record)
    return caught.value.faults


def test_every_fault_of_a_list_comes_at_once_with_file_row_and_column(handed_out):
    listing, path = handed_out
    one, two, three = (problem.id for problem in listing.record.problems[:3])
    (_, sheet, heads, rows), *_ = _open(path)
    at = heads[heading("id", "en")]
    book = openpyxl.load_workbook(path)
    page = book[sheet.title]
    page.cell(rows[one], at, one[:-1] + "x")
    page.cell(rows[two], heads[heading("status", "en")], "finished")
    page.cell(rows[three], heads[heading("status", "en")], "closed")
    last = page.max_row + 1
    page.cell(last, at, three)
    page.cell(last + 1, heads[heading("progress", "en")], "whose?")
    book.save(path)
    found = faults([path], listing.record)
    lines = "\n".join(str(fault) for fault in found)
    assert len(found) == 5
    assert f"row {rows[one]}, column 'problem id': no problem of this number (found: {one[:-1]}x)" in lines
    assert f"row {rows[two]}, column 'state': no status of the list (found: finished)" in lines
    assert f"listed twice, as in rectification-towns.xlsx [{sheet.title}], row {rows[three]}" in lines
    assert f"row {last + 1}, column 'problem id': a row without a number" in lines
    assert "'销号' without '销号依据'" in lines
    assert all(fault.file and fault.remedy for fault in found)
    assert all("没有" in fault_line(fault, "zh") or "：" in fault_line(fault, "zh") for fault in found)


def test_renamed_and_added_columns_are_faults(handed_out):
    listing, path = handed_out
    (book, sheet, heads, _), *_ = _open(path)
    sheet.cell(3, heads[heading("evidence", "en")], "evidences")
    book.save(path)
    (fault,) = faults([path], listing.record)
    assert "no column '销号依据'" in str(fault)
    assert "rename the column 'evidences'" in str(fault)
    sheet.cell(3, heads[heading("evidence", "en")], "evidence")
    sheet.cell(3, len(heads) + 1, "my notes")
    sheet.cell(4, len(heads) + 1, "a note")
    book.save(path)
    (fault,) = faults([path], listing.record)
    assert "column 'my notes'" in str(fault)
    assert "would be lost" in str(fault)


def test_two_files_that_differ_are_a_fault_and_two_that_agree_are_put_together(handed_out):
    listing, path = handed_out
    one, two = (problem.id for problem in listing.record.problems[:2])
    other = path.with_name("rectification-departments.xlsx")
    fill(path, {one: {"progress": "begun"}, two: {"helpers": "Town"}}, "en")
    fill(other, {one: {"progress": "begun", "verifier": "Li"}}, "en")
    expected = {one: {"progress": "begun", "verifier": "Li"}, two: {"helpers": "Town"}}
    assert read_filled([path, other], listing.record) == expected
    fill(other, {one: {"progress": "not begun"}}, "en")
    (fault,) = faults([path, other], listing.record)
    assert "says something else of the same problem: begun" in str(fault)


def test_a_formula_without_a_value_would_be_lost(handed_out):
    listing, path = handed_out
    (book, sheet, heads, _), *_ = _open(path)
    sheet.cell(4, heads[heading("progress", "en")], "=A4")
    book.save(path)
    (fault,) = faults([path], listing.record)
    assert sheet.title in fault.file
    assert "formulas whose result is not stored" in str(fault)


def test_a_file_that_is_no_workbook_and_one_that_is_not_there(handed_out, tmp_path):
    listing, _ = handed_out
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"no workbook")
    found = faults([broken, tmp_path / "none.xlsx"], listing.record)
    assert len(found) == 2
    assert {fault.file.rsplit("/")[-1] for fault in found} == {"broken.xlsx", "none.xlsx"}


def test_a_damaged_record_stops_the_list(handed_out):
    _, path = handed_out
    mark = path.with_name(FOLDER.mark)
    mark.write_text(mark.read_text("utf-8")[:-20], "utf-8")
    with pytest.raises(UnusableInputError, match="damaged rectification record"):
        read_record(path.parent)


def test_a_list_of_the_future_is_no_list_before(toytown):
    run_audit(toytown, 2026, out=toytown / "results")
    rectify_study(toytown, 2026)
    listing, _ = rectify_study(toytown, 2025)
    assert {one.first_year for one in listing.record.problems} == {2025}


def test_filled_files_need_a_list_that_was_handed_out(toytown, tmp_path):
    with pytest.raises(UnusableInputError, match="no list before it"):
        rectify_study(toytown, filled=[tmp_path / "list.xlsx"])


# ---------------------------------------------------------------------------------------------------------
# Three years of the example


@pytest.fixture(scope="module")
def years(tmp_path_factory, county_run):
    folder = tmp_path_factory.mktemp("county") / "results"
    for year in (2023, 2024, 2025):
        shutil.copytree(county_run(year), folder / str(year))
    return folder


@in_whole_campaign
def test_a_filled_list_survives_three_yearly_rounds(years, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(years, results)
    runs = {year: load_findings(results / str(year)) for year in (2023, 2024, 2025)}
    ahead = rectify(runs[2024], rectify(runs[2023]).record).record
    built = [one.id for one in ahead.problems if one.gone == "venues"]
    stays = [one.id for one in ahead.problems if not one.gone and one.first_year == 2023]
    assert len(built) > 50
    assert len(stays) > 1000

    first, folder = rectify_study(EXAMPLE, 2023, results=results)
    towns, departments = (folder / name for name in FOLDER.files[2:])
    mine = {
        column: f"{column} of 2023" for column in HAND if column not in {"status", "deadline", "evidence"}
    }
    fill(towns, {stays[0]: {**mine, "deadline": "2024年6月", "status": "整改中"}})
    fill(towns, {built[0]: {"status": "销号", "evidence": "竣工验收单"}})
    fill(departments, {stays[1]: {"status": "销号", "evidence": "照片"}, stays[2]: {"progress": "=1+1"}})

    second, folder = rectify_study(EXAMPLE, 2024, results=results, filled=[towns, departments])
    kept = second.record.by_id
    assert kept[stays[0]].hand == {**mine, "deadline": "2024年6月", "status": "working"}
    assert problem_row(kept[stays[0]], "zh")["measure"] == "measure of 2023"
    assert kept[built[0]].status == "closed"
    assert kept[built[1]].status == "done"
    assert (kept[stays[1]].status, kept[stays[1]].hand["evidence"]) == ("working", "照片")
    fill(folder / FOLDER.files[2], {stays[0]: {"progress": "progress of 2024"}})
    fill(folder / FOLDER.files[2], {built[1]: {"status": "销号", "evidence": "运营记录"}})

    third, _ = rectify_study(EXAMPLE, 2025, results=results, filled=[folder / FOLDER.files[2]])
    last = third.record.by_id
    assert last[stays[0]].hand == {**kept[stays[0]].hand, "progress": "progress of 2024"}
    assert last[stays[2]].hand["progress"] == "=1+1"
    assert {last[built[0]].status, last[built[1]].status} == {"closed"}
    # Nothing is lost, no id is given twice, and every gap of a year has one.
    assert set(first.record.by_id) < set(second.record.by_id) < set(last)
    for listing, year in ((first, 2023), (second, 2024), (third, 2025)):
        found = [one for one in listing.record.problems if one.last_year == year and not one.gone]
        assert len(found) >= len(runs[year].gaps)
        assert len({one.id for one in listing.record.problems}) == len(listing.record.problems)
    # A problem is at the same place from year to year.
    for label in stays:
        if not last[label].gone:
            assert set(last[label].members) & set(first.record.by_id[label].members) or (
                last[label].unit == first.record.by_id[label].unit
            )


def test_the_command_writes_the_list_and_says_what_is_in_it(years, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(years, results)
    done = CliRunner().invoke(cli, ["rectify", str(EXAMPLE), "--year", "2024", "--results", str(results)])
    assert done.exit_code == 0, done.output
    assert "在册问题" in done.output
    folder = results / "2024-rectification"
    assert {path.name for path in folder.iterdir()} == set(FOLDER.files)
    book = openpyxl.load_workbook(folder / "rectification-towns.xlsx")
    assert book.sheetnames[0] == "整改台账汇总"
    sheet = book["武原街道"]
    assert [cell.value for cell in sheet[3]] == [heading(column) for column in COLUMNS]
    assert sheet.data_validations.dataValidation[0].formula1.startswith('"未整改,整改中,待核验,销号')
    assert sheet.print_title_rows == "$3:$3"
