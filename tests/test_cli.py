"""The command line: what it prints, where it writes, and how it ends."""

import re
import subprocess
import sys
import time

import pytest

from conftest import ROOT, edit
from lifecircle.cli import cli


def lifecircle(*words, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "lifecircle", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_audit_writes_beside_the_study_and_prints_the_scoreboard(toytown):
    done = lifecircle("audit", toytown)
    assert done.returncode == 0, done.stderr
    assert "Synthetic example" in done.stdout
    assert re.search(r"reading\s.*78\.1 %\s.*90\.0 %\s.*60\s.*missed", done.stdout)
    names = sorted(path.name for path in (toytown / "results" / "2025").iterdir())
    assert names == [
        "checksums.txt",
        "gaps.csv",
        "ranks.parquet",
        "rejects.csv",
        "results.gpkg",
        "scoreboard.csv",
        "scoreboard.xlsx",
        "summary.json",
    ]
    assert done.stderr == ""


def test_audit_of_a_year_into_another_folder(toytown, tmp_path):
    done = lifecircle("audit", toytown, "--year", 2024, "--out", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["2024"]
    assert not (toytown / "results").exists()


def test_strict_ends_with_one_when_a_target_is_missed(toytown):
    assert lifecircle("audit", toytown, "--strict").returncode == 1
    edit(toytown / "standard.toml", "goal = 0.9", "goal = 0.7")
    assert lifecircle("audit", toytown, "--strict").returncode == 0


def test_unusable_input_ends_with_two_and_all_faults(toytown):
    edit(toytown / "study.toml", 'file = "roads.geojson"', 'file = "streets.geojson"')
    (toytown / "residents.csv").unlink()
    done = lifecircle("audit", toytown)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: ") and "Remedy: " in line for line in lines)
    assert not (toytown / "results").exists()
    assert "Traceback" not in done.stderr


def test_wrong_usage_ends_with_two(toytown):
    done = lifecircle("audit", toytown, "--yaer", 2024)
    assert done.returncode == 2
    assert "--year" in done.stderr


def test_atlas_draws_the_run_or_computes_it(toytown):
    done = lifecircle("atlas", toytown)
    assert done.returncode == 0, done.stderr
    page = (toytown / "maps" / "toytown.html").read_text("utf-8")
    assert "Toy Town" in page
    lifecircle("audit", toytown)
    done = lifecircle("atlas", toytown, "--out", toytown / "other.html")
    assert done.returncode == 0, done.stderr
    assert (toytown / "other.html").read_text("utf-8") == page


def test_scenario_tells_who_wins_and_where_it_is_written(toytown, tmp_path):
    (tmp_path / "close.csv").write_text("action,id\nclose,L1\n")
    done = lifecircle("scenario", toytown, tmp_path / "close.csv")
    assert done.returncode == 0, done.stderr
    assert "215 people are no longer covered" in done.stdout
    assert (toytown / "results" / "2025-scenario-close" / "comparison.json").is_file()
    (tmp_path / "close.csv").write_text("action,id\nclose,L9\n")
    done = lifecircle("scenario", toytown, tmp_path / "close.csv", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "did you mean 'L1'?" in done.stderr
    assert not (tmp_path / "out").exists()


def test_demo_leaves_a_whole_study(tmp_path):
    done = lifecircle("demo", tmp_path / "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("study.toml", "results/2025/summary.json", "maps/haiyan.html"):
        assert (tmp_path / "demo" / name).is_file()
    again = lifecircle("demo", tmp_path / "demo", cwd=tmp_path)
    assert again.returncode == 2
    assert "Remedy" in again.stderr


def test_help_is_quick():
    best = min(_seconds("--help") for _ in range(3))
    assert best < 3  # a guard against an eager import, not a measurement: that is in docs/performance.md


def _seconds(*words):
    start = time.perf_counter()
    assert lifecircle(*words).returncode == 0
    return time.perf_counter() - start


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_has_help_and_stands_in_the_readme(command):
    assert cli.commands[command].help
    for name in ("README.md", "README.zh.md"):
        assert f"lifecircle {command}" in (ROOT / name).read_text("utf-8"), name
