"""Checking a study: the bundled county's planted faults, all of them and no others; nothing is changed."""

import json

import pytest

from commands import run as lifecircle
from conftest import ROOT, edit
from lifecircle.audit import prepare, run
from lifecircle.doctor import check_study, checkup_page
from lifecircle.doctor._effects import at_most_near, placed_at, without
from lifecircle.doctor._row_checks import hours_disagree, similar_names
from lifecircle.study import read_study
from test_ledger import everything

COUNTY = ROOT / "data" / "geo" / "haiyan"


@pytest.fixture(scope="module")
def county():
    """Give the check of the bundled county."""
    return check_study(COUNTY)


def of(checkup, kind):
    return [one for one in checkup.problems if one.kind == kind]


def test_the_county_s_planted_faults(county):
    """As its faults.csv lists them; of the four rows in WGS84 one stands where either datum is plausible."""
    rejected = {(one.input, one.count) for one in of(county, "rejected")}
    assert rejected == {("culture.xlsx", 3), ("health.csv", 2), ("health.csv", 1), ("welfare.csv", 1)}
    assert len(of(county, "rejected")) == 5
    (shifted,) = of(county, "shifted_rows")
    assert {row.split()[0] for row in shifted.rows} <= {"C0030", "C0056", "C0060", "C0086"}
    assert (shifted.severity, shifted.count) == ("error", 3)
    (renamed,) = of(county, "renamed")
    assert (renamed.count, renamed.severity) == (1, "note")
    assert renamed.rows[0].startswith("C0145")
    assert "C0177" in renamed.rows[0]
    (far,) = of(county, "homes_far")
    assert far.count == 4
    assert "46" in str(far.effect)
    (placeless,) = of(county, "homes_no_place")
    assert placeless.count == 2
    assert "40" in str(placeless.effect)
    (cut,) = of(county, "disconnected")
    assert "243" in str(cut.effect)


def test_and_no_others(county):
    """Beside the planted ones there is what its README says such data is like: canals and short lanes."""
    kinds = {one.kind for one in county.problems}
    assert kinds == {
        "rejected", "shifted_rows", "renamed", "homes_far", "homes_no_place", "disconnected",
        "homes_barrier", "venues_barrier", "homes_fragment", "venues_fragment",
    }  # fmt: skip


def test_the_gravest_first_and_every_problem_has_a_remedy(county):
    order = [one.severity for one in county.problems]
    assert order == sorted(order, key=["error", "warning", "note"].index)
    assert all(str(one.remedy) for one in county.problems)


def test_the_page_asks_for_nothing_and_holds_all(county):
    page = checkup_page(county)
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert page.count("<tr>") == len(county.problems) + 1
    assert "合成示例" in page
    assert "<svg" in page


def test_a_wrong_datum_is_an_error(tmp_path):
    from lifecircle.study import copy_example  # noqa: PLC0415 - a copy is made here alone

    folder = copy_example(tmp_path / "haiyan")
    edit(folder / "study.toml", 'datum = "bd09"', 'datum = "gcj02"')
    found = [one for one in check_study(folder).problems if one.kind == "datum"]
    assert [(one.input, one.severity) for one in found] == [("welfare.csv", "error")]
    assert str(found[0].reason) == "declared gcj02, but the places fit bd09"


def test_names_that_are_nearly_one(toytown):
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L9,Toy librarry,library,501020,3377000,2011,\n")
        file.write("G8,Gym number 1,gym,500100,3377000,2011,\nG9,Gym number 2,gym,500110,3377000,2011,\n")
    (found,) = similar_names(prepare(read_study(toytown), 2025))
    assert found.rows == ("L1 Toy library / L9 Toy librarry",)


def test_a_study_that_cannot_be_read_is_all_errors(toytown):
    (toytown / "residents.csv").write_text("id,x,y\n", "utf-8")
    (toytown / "facilities.csv").unlink()
    checkup = check_study(toytown)
    assert {one.severity for one in checkup.problems} == {"error"}
    assert {one.input for one in checkup.problems} == {"residents.csv", "facilities.csv"}
    assert checkup_page(checkup).startswith("<!DOCTYPE html>")


def test_the_command_changes_nothing_and_says_what_it_found(toytown):
    before = everything(toytown)
    done = lifecircle("check", toytown)
    assert done.returncode in {0, 1}, done.stderr
    plain = json.loads(lifecircle("check", toytown, "--json").stdout)
    assert plain["study"] == "toytown"
    assert done.returncode == int(any(one["severity"] != "note" for one in plain["problems"]))
    assert everything(toytown) == before


def test_a_page_is_written_where_it_is_named(toytown, tmp_path):
    lifecircle("check", toytown, "--html", tmp_path / "check.html")
    assert (tmp_path / "check.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    (tmp_path / "mine.txt").write_text("mine")
    assert lifecircle("check", toytown, "--html", tmp_path / "mine.txt").returncode == 2


def test_a_warning_of_the_whole_run_names_the_study(toytown):
    """Its homes stand far apart, which is said of the run and of no single file."""
    lines = [line for line in check_study(toytown).lines() if "far apart" in line or "m apart" in line]
    assert lines
    assert all(line.startswith("warning · study: ") for line in lines)


def test_hours_that_disagree_with_what_stands_beside_them(toytown):
    rows = (toytown / "facilities.csv").read_text("utf-8").splitlines()
    beside = [",hours,hours_per_week,evening,周末开放", ",Tu-Su 09:00-17:00,48,否,是",
              ",Mo-Fr 09:00-17:00,40,是,否",
              ",Mo-Fr 09:00-17:00,56,,", ",24/7,,是,是", ",,40,是,是",
              ",Mo-Fr 09:00-21:00,60,是,是"]  # fmt: skip
    mended = "\n".join(row + more for row, more in zip(rows, beside, strict=True))
    (toytown / "facilities.csv").write_text(mended + "\n", "utf-8")
    (found,) = hours_disagree(prepare(read_study(toytown)))
    assert [row.split()[0] for row in found.rows] == ["G1", "G2", "C2"]
    assert "evening True / False" in found.rows[0]
    assert "hours_per_week 56.0 / 40.0" in found.rows[1]
    assert "weekend True / False" in found.rows[2]


def test_a_venue_that_stands_in_another_district_than_its_row_says(toytown):
    rows = (toytown / "facilities.csv").read_text("utf-8").splitlines()
    towns = ["乡镇", "West Bank", "02", "West Bank", "East Bank", "Nowhere", ""]
    mended = "\n".join(f"{row},{town}" for row, town in zip(rows, towns, strict=True))
    (toytown / "facilities.csv").write_text(mended + "\n", "utf-8")
    checkup = check_study(toytown)
    (found,) = of(checkup, "elsewhere")
    assert found.rows == ("G1 Toy gym west",)
    assert str(found.effect) == "moves no rate"  # circles know no district


def test_what_each_problem_moves_is_said(toytown, county):
    """By an audit with the rows as they may be meant: without the second library r4 is not covered."""
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L8,Library of the lane,library,502000,3378000,2011,\n")
        file.write("L9,Library of the lanne,library,502000,3378010,2011,\n")
    inputs = prepare(read_study(toytown))
    findings = run(inputs)
    (found,) = similar_names(inputs, findings)
    assert str(found.effect) == "moves no rate"  # the other of the two is enough for a rule of one
    people = findings.people["reading"].sum()
    gone = without(inputs, findings, ["L8", "L9"])
    assert str(gone) == f"moves '15-minute reading circle' by up to {30 / people * 100:.1f} points"
    moved = placed_at(inputs, findings, dict.fromkeys(["L8", "L9"], (120.0, 30.0)))
    assert str(moved) == str(gone)
    silent = [one.kind for one in county.problems if not str(one.effect) and one.kind != "warning"]
    assert silent == []


def test_venues_without_a_road_may_cover_at_most_who_lives_near(toytown):
    """A library 400 m from every road: uncovered people within 1,250 m straight are all it could cover."""
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L9,Library of the field,library,502600,3378100,2011,\n")
    inputs = prepare(read_study(toytown))
    findings = run(inputs)
    people = findings.people["reading"].sum()
    # r4 (502000, 3378000) is 608 m away and not covered; r7 (503000, 3377000) 1,170 m; r6 farther.
    status = findings.status["reading"]
    near = sum(n for home, n in (("r4", 30), ("r7", 10)) if status[home] != "covered")
    most = at_most_near(inputs, findings, ["L9"])
    assert str(most) == f"moves '15-minute reading circle' by up to {near / people * 100:.1f} points"
    assert len(of(check_study(toytown), "venues_far")) == 1
