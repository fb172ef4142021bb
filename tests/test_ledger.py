"""The yearly record: what is remembered of a run, and what is kept when another replaces it."""

import json
import shutil
import sqlite3
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DatabaseError

from conftest import edit
from lifecircle.audit import run_audit
from lifecircle.errors import MissingExtraError, UnusableInputError
from lifecircle.files import one_writer
from lifecircle.findings import CHECKSUMS, RUN, load_findings
from lifecircle.ledger import (
    REGISTER,
    SUPERSEDED,
    note_run,
    open_register,
    read_evidence,
    rebuild_register,
    run_folders,
    same_run,
    without_secrets,
)
from lifecircle.standards import load_standard
from lifecircle.verification import check_runs, verify_run


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
    assert {one["what"]: one["name"] for one in reasons} == {"study": "max_rejected", "standard": "culture"}


def test_killed_before_the_swap_nothing_is_kept_twice(toytown, results, monkeypatch):
    """The copy stands, the new run does not: the next audit uses that copy."""
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    with monkeypatch.context() as broken:
        broken.setattr("lifecircle.files._folders._swap", failing)
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
        differs = json.loads(runs["differs"].iloc[1])
        assert [(one["what"], one["name"]) for one in differs] == [("input", "residents.csv")]
        assert json.loads(runs["inputs"].iloc[1]).keys() >= {"residents.csv", "roads.geojson"}
        assert json.loads(runs["results"].iloc[1]).keys() == set(RUN.files) - {CHECKSUMS}
        assert set(runs["profile"]) == {load_standard("standard.toml", folder=toytown).id}
        assert (runs["seconds"] > 0).all()
        assert register.changed_rows() == []
        history = register.history("toytown", "culture")
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


def harmed(path, how):
    """Damage a register, and give what it holds then."""
    raw = bytearray(path.read_bytes())
    if how == "other":
        raw = bytearray(b"not a database at all, but long enough to be one " * 40)
    elif how == "cut":
        raw = raw[: len(raw) // 2]
    elif how == "page":
        raw[4096:8192] = b"\xff" * 4096
    path.write_bytes(raw)
    return bytes(raw)


@pytest.mark.parametrize("how", ["other", "cut", "page"])
def test_a_damaged_register_is_built_again_and_kept(toytown, results, how, caplog):
    audit(toytown, results, 2024)
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    audit(toytown, results, 2024)
    damage = harmed(results / REGISTER, how)
    audit(toytown, results)  # of 2025, whose inputs are others now too
    assert load_findings(results / "2025")
    assert (results / f"{REGISTER}.damaged-1").read_bytes() == damage
    assert "is damaged" in caplog.text
    with open_register(results) as register:
        runs = register.runs()
        assert register.changed_rows(results=True) == []
    assert runs["folder"].tolist() == ["2024.1", "2024", "2025.1", "2025"]
    assert runs["reason"].tolist() == [
        "rebuilt",
        "rebuilt|superseded:2024.1",
        "rebuilt",
        "superseded:2025.1",
    ]


def test_a_register_that_is_gone_or_empty_is_built_from_the_folders(toytown, results):
    for harm in (lambda path: path.unlink(), lambda path: path.write_bytes(b"")):
        harm(results / REGISTER)
        audit(toytown, results, 2024)
        with open_register(results) as register:
            assert set(register.runs()["year"]) == {2024, 2025}


def test_a_locked_register_is_not_taken_for_damaged(results):
    before = (results / REGISTER).read_bytes()
    database = sqlite3.connect(results / REGISTER, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        fault = note_run(results, load_findings(results / "2025"), read_evidence(results / "2025"))
    finally:
        database.execute("ROLLBACK")
        database.close()
    assert "locked" in fault.reason
    assert (results / REGISTER).read_bytes() == before
    assert not list(results.glob("*.damaged-*"))


def test_a_changed_value_shows(results):
    """The hash of a run is also of its results, which are rows of another table."""
    with sqlite3.connect(results / REGISTER) as database:
        database.execute("DROP TRIGGER no_update_of_results")
        database.execute("UPDATE results SET value = 1.0 WHERE target = 'culture' AND district = ''")
    with open_register(results) as register:
        assert register.changed_rows() == []
        assert register.changed_rows(results=True) == [1]
    assert check_runs(results) == ["register_row_changed:1"]


def test_a_run_left_out_of_the_end_shows(toytown, results):
    audit(toytown, results, 2024)
    with sqlite3.connect(results / REGISTER) as database:
        for name in ("runs", "results"):
            database.execute(f"DROP TRIGGER no_delete_of_{name}")
        database.execute("DELETE FROM results WHERE run = 2")
        database.execute("DELETE FROM runs WHERE number = 2")
    assert check_runs(results) == ["run_unknown:2024"]
    kept, runs = rebuild_register(results)
    assert (kept.name, runs) == (f"{REGISTER}.damaged-1", 2)
    assert check_runs(results) == []


def test_what_a_killed_command_did_not_note_is_noted_by_the_next(toytown, results, monkeypatch):
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    with monkeypatch.context() as killed:
        killed.setattr("lifecircle.ledger.note_run", lambda *_, **__: None)
        audit(toytown, results)
    before = everything(results / "2025")
    audit(toytown, results)
    assert everything(results / "2025") == before
    with open_register(results) as register:
        runs = register.runs()
    assert runs["reason"].tolist() == ["", "superseded:2025.1"]
    assert json.loads(runs["differs"].iloc[1])[0]["name"] == "residents.csv"


def test_two_writers_never_follow_the_same_row(results):
    """Each waits for the other: sixteen runs from two threads are one chain."""
    findings, evidence = load_findings(results / "2025"), read_evidence(results / "2025")

    def add(number):
        other = evidence.model_copy(update={"fingerprint": f"f{number}", "study": f"s{number % 2}"})
        with open_register(results) as register:
            register.add(findings, other, results / "2025")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, range(16)))
    with open_register(results) as register:
        assert len(register.runs()) == 17
        assert register.changed_rows(results=True) == []


def test_a_history_marks_where_the_method_changed(results):
    findings, evidence = load_findings(results / "2025"), read_evidence(results / "2025")
    with open_register(results) as register:
        for year, method in ((2026, "2026.1"), (2027, "2027.1"), (2028, "2027.1")):
            other = evidence.model_copy(update={"year": year, "method_version": method})
            register.add(replace(findings, year=year), other, results / "2025")
        rows = register.history("toytown", "reading", districts=["01"])
    assert rows["year"].tolist() == [2025, 2026, 2027, 2028]
    assert rows["method_changed"].tolist() == [False, False, True, False]
    assert (rows["value"] == 1.0).all()


def test_a_database_that_cannot_be_used(results):
    with (
        pytest.raises(UnusableInputError, match="cannot be used"),
        open_register(results, url="sqlite:////nowhere/at/all/ledger.sqlite"),
    ):
        pass


def test_a_password_is_never_shown(results, monkeypatch):
    def refused(*_, **__):
        raise DatabaseError("no", None, ValueError("no such user"))

    monkeypatch.setattr("lifecircle.ledger._register._connected", refused)
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


def test_a_register_that_fails_costs_no_results(toytown, tmp_path, monkeypatch, caplog):
    def broken(*_, **__):
        raise DatabaseError("no", None, ValueError("locked"))

    monkeypatch.setattr("lifecircle.ledger._register.Register.add", broken)
    run_audit(toytown, 2025, out=tmp_path / "results")
    assert load_findings(tmp_path / "results" / "2025").year == 2025
    assert "the register cannot be used: locked" in caplog.text


def test_a_database_out_of_reach_costs_no_results(toytown, tmp_path, monkeypatch, caplog):
    pytest.importorskip("psycopg", reason="PostgreSQL is an extra")
    monkeypatch.setenv("LIFECIRCLE_LEDGER", "postgresql+psycopg://me:secret@127.0.0.1:1/lifecircle")
    run_audit(toytown, 2025, out=tmp_path / "results")
    assert load_findings(tmp_path / "results" / "2025").year == 2025
    assert "***" in caplog.text
    assert "secret" not in caplog.text
    assert not (tmp_path / "results" / REGISTER).exists()


# --- what alters a run and what does not --------------------------------------------------------------


def test_a_comment_alters_nothing(toytown, results):
    before = everything(results)
    edit(toytown / "study.toml", "synthetic = true", "synthetic = true  # a remark")
    audit(toytown, results)
    assert everything(results) == before


def test_a_damaged_run_is_kept_and_written_again(toytown, results):
    (results / "2025" / "gaps.csv").write_text("mine")
    audit(toytown, results)
    assert (results / "2025.1" / "gaps.csv").read_text() == "mine"
    reasons = json.loads((results / "2025.1" / SUPERSEDED).read_text("utf-8"))["reasons"]
    assert [(one["what"], one["name"]) for one in reasons] == [("file", "gaps.csv")]
    assert verify_run(results / "2025").holds


def test_a_copy_of_a_run_that_was_not_replaced_goes(toytown, results, monkeypatch):
    """Killed between copy and swap, and then the old input is put back."""
    first = everything(results / "2025")
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    with monkeypatch.context() as broken:
        broken.setattr("lifecircle.files._folders._swap", failing)
        with pytest.raises(UnusableInputError, match="disk is full"):
            audit(toytown, results)
    edit(toytown / "residents.csv", "r1,500000,3377000,90", "r1,500000,3377000,100")
    audit(toytown, results)
    assert run_folders(results) == [results / "2025"]
    assert everything(results / "2025") == first


def test_a_study_by_another_name(toytown, tmp_path):
    (toytown / "study.toml").rename(toytown / "town.toml")
    run_audit(toytown / "town.toml", 2025, out=tmp_path / "other")
    assert read_evidence(tmp_path / "other" / "2025").study_file == "town.toml"
    assert verify_run(tmp_path / "other" / "2025").holds


def test_evidence_holds_no_passwords_and_no_absolute_path(toytown, results):
    edit(
        toytown / "study.toml",
        "[standard]",
        '[atlas]\nbase = ["tianditu_vec"]\ntianditu_key = "0123456789abcdef"\n\n[standard]',
    )
    edit(toytown / "standard.toml", "goal = 0.25", "goal = 0.3")
    audit(toytown, results)
    text = (results / "2025" / "evidence.json").read_text("utf-8")
    assert "0123456789abcdef" not in text
    assert str(toytown) not in text
    assert verify_run(results / "2025").holds
    declared = without_secrets('[demand]\nfile = "postgresql://me:pw@host/db?table=t"  # x\n')
    assert declared == '[demand]\nfile = "postgresql://***@host/db?table=t" # x\n'
    assert tomllib.loads(declared)


def test_every_file_of_both_years_is_evidence(toytown, tmp_path):
    shutil.copy(toytown / "residents.csv", toytown / "before.csv")
    edit(
        toytown / "study.toml",
        'file = "residents.csv"',
        'file = { 2000 = "before.csv", 2025 = "residents.csv" }',
    )
    run_audit(toytown, 2025, out=tmp_path)
    files = read_evidence(tmp_path / "2025").files
    assert set(files) == {
        *("before.csv", "residents.csv", "facilities.csv", "districts.geojson", "roads.geojson")
    }
    (toytown / "before.csv").write_bytes((toytown / "before.csv").read_bytes() + b"\n")
    assert verify_run(tmp_path / "2025").codes == ("input_changed:before.csv",)


def test_another_version_of_the_method_computes_earlier_years_again(toytown, results, monkeypatch):
    audit(toytown, results, 2023)
    for name in ("findings._folder", "ledger._evidence", "audit._fingerprint", "audit._record"):
        monkeypatch.setattr(f"lifecircle.{name}.METHOD_VERSION", "2099.1")
    audit(toytown, results, 2026)
    assert [folder.name for folder in run_folders(results)] == ["2023.1", "2023", "2025.1", "2025", "2026"]
    for year in (2023, 2025, 2026):
        assert read_evidence(results / str(year)).method_version == "2099.1"
    reasons = json.loads((results / "2025.1" / SUPERSEDED).read_text("utf-8"))["reasons"]
    assert [(one["what"], one["before"], one["after"]) for one in reasons] == [("method", "2026.1", "2099.1")]
    with open_register(results) as register:
        rows = register.history("toytown", "reading", districts=[""])
    assert not rows["method_changed"].any()
