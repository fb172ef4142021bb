"""Stages: timed, counted, in the evidence, the log and a profile; never in what must be the same bytes."""

import json
import logging
import pstats
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lifecircle.audit import run_audit
from lifecircle.cli._command_log import JsonLine, LogLine, places_of
from lifecircle.ledger import read_evidence
from lifecircle.stages import Stages, peak_mb


def lifecircle(*words, cwd=None):
    command = [sys.executable, "-m", "lifecircle", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def ticking(*times):
    return iter(times).__next__


def test_a_stage_lasts_until_the_next_begins(caplog):
    told = []
    stages = Stages(told.append, clock=ticking(10.0, 12.5, 13.0, 14.0))
    stages("reading")
    stages.count(residents=7)
    stages.count(edges=9)
    stages("writing")
    running = stages.so_far()
    assert [one.plain for one in running] == [
        {"stage": "reading", "seconds": 2.5, "counts": {"residents": 7, "edges": 9}},
        {"stage": "writing", "seconds": 0.5, "counts": {}},
    ]
    with caplog.at_level(logging.INFO, "lifecircle.stages"):
        ended = stages.end()
    assert [one.seconds for one in ended] == [2.5, 1.5]
    assert told == ["reading", "writing"]
    assert caplog.records[-1].facts == {"stage": "writing", "seconds": 1.5, "counts": {}}
    assert Stages.of(stages) is stages


def test_so_far_leaves_out_what_was_before():
    stages = Stages(clock=ticking(0.0, 1.0, 2.0))
    stages("a")
    stages("b")
    assert [one.name for one in stages.so_far(1)] == ["b"]


def test_the_evidence_holds_seconds_and_counts_and_an_identical_audit_changes_no_file(toytown):
    out = toytown / "results"
    run_audit(toytown, 2025, out=out)
    before = {path.name: path.read_bytes() for path in (out / "2025").iterdir()}
    stages = read_evidence(out / "2025").stages
    assert [one["stage"] for one in stages][:2] == ["hashing", "reading"]
    assert stages[-1]["stage"] == "writing"
    assert stages[1]["counts"] == {"residents": 7, "facilities": 5, "edges": 7, "rejects": 0, "people": 275}
    assert all(one["seconds"] >= 0 for one in stages)
    run_audit(toytown, 2025, out=out)
    assert {path.name: path.read_bytes() for path in (out / "2025").iterdir()} == before
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["2025"]
    assert b"seconds" not in before["summary.json"]


def test_two_machines_differ_in_stages_alone(toytown, tmp_path):
    for name in ("one", "two"):
        run_audit(Path(shutil.copytree(toytown, tmp_path / name)), 2025, out=tmp_path / name / "results")
    one, two = (tmp_path / name / "results" / "2025" for name in ("one", "two"))
    differ = {path.name for path in one.iterdir() if path.read_bytes() != (two / path.name).read_bytes()}
    assert differ <= {"evidence.json", "checksums.txt", "scoreboard.xlsx"}
    first, second = (read_evidence(folder).model_copy(update={"stages": ()}) for folder in (one, two))
    assert first == second


@pytest.mark.usefixtures("toytown")
def test_a_log_in_json_is_a_line_an_event(tmp_path):
    done = lifecircle("--log-format", "json", "audit", "toytown", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {one["event"] for one in lines} == {"stage", "end"}
    assert [one["stage"] for one in lines if one["event"] == "stage"][:2] == ["hashing", "reading"]
    assert all(list(one)[:3] == ["time", "level", "event"] for one in lines)
    assert lines[1]["counts"]["residents"] == 7
    end = lines[-1]
    assert (end["command"], end["status"]) == ("audit", 0)
    assert end["seconds"] >= sum(one["seconds"] for one in lines[:-1]) * 0.9
    assert 50 < end["peak_mb"] < 1000
    assert str(tmp_path) not in done.stderr


def test_errors_stand_in_the_log_with_their_parts(toytown):
    (toytown / "residents.csv").unlink()
    done = lifecircle("--log-format", "json", "audit", toytown)
    assert (done.returncode, done.stdout) == (2, "")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    fault = next(one for one in lines if one["event"] == "fault")
    assert fault["reason"] == "no such file"
    assert fault["file"].endswith("residents.csv")
    assert str(toytown) not in done.stderr
    assert lines[-1]["event"] == "end"
    assert lines[-1]["status"] == 2


def test_a_profile_names_the_slowest_stages_and_no_folder(toytown, tmp_path):
    path = tmp_path / "where.prof"
    done = lifecircle("--profile", path, "audit", toytown, "--quiet")
    assert done.returncode == 0, done.stderr
    shown = done.stderr.splitlines()
    assert shown[-1] == "profile: where.prof (python -m pstats)"
    seconds = [float(line.split()[0]) for line in shown[:-1]]
    assert seconds == sorted(seconds, reverse=True)
    names = {name for name, _, _ in pstats.Stats(str(path)).stats}
    assert "lifecircle/audit/_run.py" in names
    assert not [name for name in names if name.startswith("/")]
    again = lifecircle("--profile", path, "audit", toytown, "--quiet")
    assert again.returncode == 0
    (tmp_path / "mine.txt").write_text("mine")
    refused = lifecircle("--profile", tmp_path / "mine.txt", "audit", toytown)
    assert refused.returncode == 2
    assert "was not written by lifecircle" in refused.stderr
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_no_line_holds_a_password_or_the_users_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    text = f"{tmp_path}/a.csv and /home/me/b.csv: postgresql://me:secret@host/db password=secret"
    record = logging.LogRecord("x", logging.WARNING, "", 1, "%s", (text,), None)
    told = json.loads(JsonLine(places_of(None)).format(record))["message"]
    assert told == "./a.csv and ~/b.csv: postgresql://***@host/db password=***"
    error = ValueError("postgresql://me:secret@host/db")
    raised = LogLine("%(message)s").formatException((ValueError, error, None))
    assert "secret" not in raised
    assert "ValueError" in raised


@pytest.mark.skipif(sys.platform != "linux", reason="other systems say it in other units, or not at all")
def test_the_peak_is_in_megabytes():
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    assert peak_mb() == pytest.approx(int(line.split()[1]) / 1e3, rel=0.1)
