"""Targets that a study leaves out: listed without a verdict, and the others as they were."""

import json

import pytest

from commands import run as lifecircle
from conftest import edit
from lifecircle.audit import prepare, run, run_audit
from lifecircle.doctor import check_study, road_supply
from lifecircle.errors import UnusableInputError
from lifecircle.findings import load_findings
from lifecircle.new_study import write_study
from lifecircle.study import read_study

USE = 'use = "standard.toml"'


def leave_out(study, *names):
    edit(study / "study.toml", USE, f"{USE}\nleave_out = {json.dumps(names)}")
    return study


def without_venues(study, service):
    """Delete the venues of a service, of every year, from the toy town's list."""
    path = study / "facilities.csv"
    rows = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(row for row in rows if f",{service}," not in row), "utf-8")
    return study


def test_a_target_left_out_is_listed_and_changes_no_other(toytown, tmp_path):
    whole = run_audit(toytown)
    part = run_audit(leave_out(toytown, "health"), out=tmp_path / "results")
    assert sorted(one.target.id for one in part.targets) == sorted(one.target.id for one in whole.targets)
    for one in part.targets:
        if one.target.id == "health":
            assert (one.value, one.status, one.reason) == (None, "not_assessable", "left_out")
        else:
            assert one.value == whole.result(one.target.id).value
    assert "health" not in part.status
    assert load_findings(tmp_path / "results" / "2025").result("health").reason == "left_out"
    assert set(part.gaps["target"]) == set(whole.gaps["target"]) - {"health"}


def test_every_command_reads_such_a_study(toytown):
    study = leave_out(toytown, "health")
    for command in (["audit"], ["atlas"], ["report"], ["compare", "2024", "2025"], ["rectify"]):
        ended = lifecircle(command[0], str(study), *command[1:])
        assert ended.returncode == 0, (command, ended.stderr)
    assert "leave_out" in lifecircle("audit", str(study)).stdout
    asked = lifecircle("site", str(study), "--target", "health", "--new", "1")
    assert asked.returncode == 2


def test_a_name_that_is_no_target_is_a_fault(toytown):
    with pytest.raises(UnusableInputError, match="no such target") as error:
        run_audit(leave_out(toytown, "healthy", "reading"))
    assert [(one.place, one.value) for one in error.value.faults] == [("standard.leave_out", "healthy")]


def test_a_list_for_a_target_left_out_is_no_fault(toytown):
    """Registered figures may speak of what is left out: the file needs no change."""
    (toytown / "figures.csv").write_text("target,year,value\nhealth,2025,0.5\n", "utf-8")
    edit(toytown / "study.toml", "[standard]", '[indicators]\nfile = "figures.csv"\n\n[standard]')
    whole = run_audit(toytown)
    assert run_audit(leave_out(toytown, "health")).rejects.to_dict() == whole.rejects.to_dict()


def test_a_new_study_leaves_out_what_no_table_has_a_venue_of(toytown, tmp_path):
    without_venues(toytown, "clinic")
    shown = [path for path in toytown.iterdir() if path.name != "study.toml"]
    made = write_study(tmp_path / "new", shown)
    text = made.path.read_text("utf-8")
    assert 'leave_out = ["health"]' in text
    assert "15-minute health circle" in text
    assert run_audit(made.path.parent).result("health").reason == "left_out"


def test_roads_are_not_blamed_for_venues_that_are_not_there(toytown):
    """Without a clinic nobody reaches one: every district would seem to be without its roads."""
    inputs = prepare(read_study(without_venues(toytown, "clinic")))
    other = prepare(read_study(leave_out(toytown, "health")))
    assert road_supply(inputs, run(inputs)) == road_supply(other, run(other))
    for problem in check_study(toytown).problems:
        assert "health" not in str(problem.effect)
