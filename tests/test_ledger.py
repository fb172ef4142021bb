"""The yearly record: what is remembered of a run, and what is kept when another replaces it."""

import json
import shutil
import sqlite3
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DatabaseError

from conftest import edit
from lifecircle.audit import run_audit
from lifecircle.errors import MissingExtraError, UnusableInputError
from lifecircle.files import one_writer
from lifecircle.findings import RUN, load_findings
from lifecircle.ledger import (
    REGISTER,
    SUPERSEDED,
    open_register,
    read_evidence,
    run_folders,
    same_run,
)


def everything(folder):
    """Give every file under a folder and what it holds."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def results(toytown, tmp_path):
    """Give the folder of runs of the toy town, with the run of 2025."""
    run_audit(toytown, 2025, out=tmp_path / "results")
    return tmp_path / "results"


def audit(toytown, results, year=2025):
    return run_audit(toytown, year, out=results)


# --- folders of runs ----------------------------------------------------------------------------------


def test_the_same_audit_again_changes_no_file(toytown, results):
    before = everything(results)
    audit(toytown, results)
    assert everything(results) == before


def test_another_run_of_the_year_leaves_both(toytown, results):
    first = everything(results / "2025")
    edit(toytown / "residents.csv", "r1,500000,3377000,100,4,20", "r1,500000,3377000,90,4,20")
    audit(toytown, results)
    assert [folder.name for folder in run_folders(results)] == ["2025.1", "2025"]
    kept = everything(results / "2025.1")
    reason = json.loads(kept.pop(next(name for name in kept if name.name == SUPERSEDED)))
    assert kept == first
    assert [(one["what"], one["name"]) for one in reason["reasons"]] == [("input", "residents.csv")]
    assert load_findings(results / "2025").demand["population"].sum() == 265
    edit(toytown / "residents.csv", "r1,500000,3377000,90,4,20", "r1,500000,3377000,80,4,20")
    audit(toytown, results)
    assert [folder.name for folder in run_folders(results)] == ["2025.1", "2025.2", "2025"]


def test_what_differs_is_named(toytown, results):
    edit(toytown / "study.toml", "synthetic = true", "synthetic = true\nmax_rejected = 0.06")
    edit(toytown / "standard.toml", "goal = 0.25", "goal = 0.3")
    audit(toytown, results)
    reasons = json.loads((results / "2025.1" / SUPERSEDED).read_text("utf-8"))["reasons"]
    assert {one["what"] for one in reasons} == {"study", "standard"}


def test_killed_before_the_swap_nothing_is_kept_twice(toytown, results, monkeypatch):
    """The copy stands, the new run does not: the next audit uses that copy."""
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    with monkeypatch.context() as broken:
        broken.setattr("lifecircle.files._swap", failing)
        with pytest.raises(UnusableInputError, match="disk is full"):
            audit(toytown, results)
    assert same_run(results / "2025", results / "2025.1")
    audit(toytown, results)
    assert [folder.name for folder in run_folders(results)] == ["2025.1", "2025"]
    assert not same_run(results / "2025", results / "2025.1")


def failing(*_):
    raise OSError(28, "No space left on device")


def test_evidence_leads_back_to_the_study(toytown, results):
    evidence = read_evidence(results / "2025")
    assert (results / "2025" / evidence.study_path).resolve() == toytown.resolve()
    assert evidence.declared == (toytown / "study.toml").read_text("utf-8")
    assert {one.path for one in evidence.inputs} >= {"residents.csv", "facilities.csv", "roads.geojson"}
    assert "evidence.json" in RUN.files


# --- the register -------------------------------------------------------------------------------------


def test_runs_are_only_added(toytown, results):
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    audit(toytown, results)
    with open_register(results) as register:
        runs = register.runs()
        assert runs["reason"].tolist() == ["", "superseded:2025.1"]
        assert register.changed_rows() == []
        history = register.history("toytown", "culture").rows
    whole = history[history["district"] == ""]
    assert whole["value"].tolist() == [75 / 265]  # the last run of the year alone
    with sqlite3.connect(results / REGISTER) as database:
        for statement in ("UPDATE runs SET year = 2024", "DELETE FROM results"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                database.execute(statement)


def test_a_row_changed_behind_the_triggers_shows(toytown, results):
    audit(toytown, results, 2024)
    with sqlite3.connect(results / REGISTER) as database:
        database.execute("DROP TRIGGER no_update_of_runs")
        database.execute("UPDATE runs SET seconds = 1.0 WHERE number = 1")
    with open_register(results) as register:
        assert register.changed_rows() == [1]


def test_a_clock_set_back_decides_nothing(toytown, results, caplog):
    findings = audit(toytown, results, 2024)
    evidence = read_evidence(results / "2024")
    changed = evidence.model_copy(update={"fingerprint": "other"})
    with open_register(results) as register:
        register.add(findings, changed, results / "2024", now=lambda: datetime(1999, 1, 1, tzinfo=UTC))
        assert register.runs()["fingerprint"].iloc[-1] == "other"
        assert register.changed_rows() == []
    assert "the clock was set back" in caplog.text


@pytest.mark.parametrize("damage", [b"not a database at all, but long enough to be one " * 40, b""])
def test_a_damaged_register_is_built_again(toytown, results, damage, caplog):
    audit(toytown, results, 2024)
    (results / REGISTER).write_bytes(damage)
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    audit(toytown, results)
    with open_register(results) as register:
        assert set(register.runs()["year"]) >= {2025}
    assert load_findings(results / "2025")
    if damage:
        assert (results / f"{REGISTER}.damaged-1").read_bytes() == damage
        assert "is damaged" in caplog.text


def test_a_database_that_cannot_be_used(results):
    with (
        pytest.raises(UnusableInputError, match="cannot be used"),
        open_register(results, url="sqlite:////nowhere/at/all/ledger.sqlite"),
    ):
        pass


def test_a_password_is_never_shown(results, monkeypatch):
    def refused(*_, **__):
        raise DatabaseError("no", None, ValueError("no such user"))

    monkeypatch.setattr("lifecircle.ledger._register._opened", refused)
    with (
        pytest.raises(UnusableInputError) as caught,
        open_register(results, url="postgresql+psycopg://me:secret@127.0.0.1:1/lifecircle"),
    ):
        pass
    assert "secret" not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_driver_that_is_not_installed_names_its_extra(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with (
        pytest.raises(MissingExtraError, match="postgis"),
        open_register(results, url="postgresql+psycopg://me@127.0.0.1:1/lifecircle"),
    ):
        pass


def test_a_long_history_is_read_by_its_index(tmp_path):
    with open_register(tmp_path) as register:
        plan = register._engine.connect().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT year, value FROM results "
            "WHERE study='a' AND target='b' AND district='c'"
        )
        assert "USING COVERING INDEX results_by_place" in str(plan.fetchall())


# --- one writer ---------------------------------------------------------------------------------------


def test_two_audits_at_once(toytown, results):
    with one_writer(results), pytest.raises(UnusableInputError, match="another audit is writing here"):
        audit(toytown, results, 2024)
    assert not (results / "2024").exists()


def test_an_audit_that_fails_leaves_nothing(toytown, tmp_path):
    (toytown / "residents.csv").write_text("id,x,y\n", "utf-8")
    with pytest.raises(UnusableInputError):
        run_audit(toytown, out=tmp_path / "new" / "results")
    assert not (tmp_path / "new").exists()


def test_a_register_that_fails_costs_no_results(toytown, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise DatabaseError("no", None, ValueError("locked"))

    monkeypatch.setattr("lifecircle.ledger._register.Register.add", broken)
    with pytest.raises(UnusableInputError, match="register"):
        run_audit(toytown, 2025, out=tmp_path / "results")
    assert load_findings(tmp_path / "results" / "2025").year == 2025
    shutil.rmtree(tmp_path / "results")
