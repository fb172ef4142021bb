"""The command line: what it prints, where it writes, and how it ends."""

import json
import logging
import os
import re
import subprocess
import sys
import time

import pytest
from rich.cells import cell_len

from commands import run as lifecircle
from conftest import ROOT, WHOLE_CAMPAIGN, edit
from lifecircle.cli import cli
from lifecircle.cli._root import LogLine

R4 = (120.020838, 30.522173)


def test_audit_writes_beside_the_study_and_prints_the_scoreboard(toytown):
    done = lifecircle("audit", toytown)
    assert done.returncode == 0, done.stderr
    assert "Synthetic example" in done.stdout
    assert re.search(r"reading\s.*78\.1%\s.*90\.0%\s.*60\s.*missed", done.stdout)
    names = sorted(path.name for path in (toytown / "results" / "2025").iterdir())
    assert names == [
        "checksums.txt",
        "evidence.json",
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
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == [".lifecircle.lock", "2024", "ledger.sqlite"]
    assert not (toytown / "results").exists()


def test_strict_ends_with_one_when_a_target_is_missed(toytown):
    assert lifecircle("audit", toytown, "--strict").returncode == 1
    edit(toytown / "standard.toml", "goal = 0.9", "goal = 0.7")
    assert lifecircle("audit", toytown, "--strict").returncode == 0


def test_quiet_prints_nothing_and_json_the_summary(toytown):
    assert lifecircle("audit", toytown, "--quiet").stdout == ""
    printed = lifecircle("audit", toytown, "--json").stdout
    assert json.loads(printed) == json.loads((toytown / "results/2025/summary.json").read_text("utf-8"))


def test_verify_ends_with_one_when_something_is_found(toytown):
    lifecircle("audit", toytown, "--quiet")
    run = toytown / "results" / "2025"
    assert lifecircle("verify", run).returncode == 0
    edit(run / "gaps.csv", "culture", "cultura")
    done = lifecircle("verify", run)
    assert (done.returncode, done.stdout) == (1, "a result file was changed: gaps.csv\n" + done.stdout[36:])
    assert lifecircle("verify", toytown).returncode == 2


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


def test_scenario_prints_who_wins_and_where_it_is_written(toytown, tmp_path):
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


def test_a_plan_is_a_table_and_its_reasons_are_asked_for(toytown, tmp_path):
    # At r4, see test_audit: 30 people of 275 are newly covered.
    (tmp_path / "sites.csv").write_text(f"id,name,lon,lat\nA,新址,{R4[0]},{R4[1]}\n", "utf-8")
    words = ("site", toytown, "--target", "reading", "--new", 1, "--candidates", tmp_path / "sites.csv")
    done = lifecircle(*words)
    assert done.returncode == 0, done.stderr
    assert "from 78.1 % to 89.0 %, 30 people newly covered" in done.stdout
    assert "245 people covered" in done.stdout
    frame = [line for line in done.stdout.splitlines() if line[0] in "┏┃┡│└+|"]
    assert len(frame) == 5  # headings and the one site
    assert [cell.strip() for cell in re.split("[│|]", frame[3])][1:5] == ["1", "新址（A）", "East Bank", "30"]
    # A Chinese sign is two columns wide, and the frame is straight.
    assert len({cell_len(line) for line in frame}) == 1
    assert "Slow / usual / fast" not in done.stdout
    assert "Slow / usual / fast" in lifecircle(*words, "--explain").stdout


def test_demo_leaves_a_whole_study(tmp_path):
    done = lifecircle("demo", tmp_path / "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("study.toml", "results/2025/summary.json", "maps/haiyan.html"):
        assert (tmp_path / "demo" / name).is_file()
    again = lifecircle("demo", tmp_path / "demo", cwd=tmp_path)
    assert again.returncode == 2
    assert "Remedy" in again.stderr


def test_errors_are_printed_in_the_language_of_the_study(toytown):
    edit(toytown / "study.toml", 'language = "en"', 'language = "zh"')
    done = lifecircle("audit", toytown, "--year", 0)
    assert done.returncode == 2
    assert done.stderr == "错误：年份：不是可核算的年份（现为：0）。处理办法：请用 1950 至 2200 之间的年份\n"
    edit(toytown / "study.toml", "[roads]", "[roads")  # a study that cannot be read still says its language
    assert lifecircle("audit", toytown).stderr.startswith("错误：")
    assert "Remedy: " in lifecircle("audit", toytown / "nowhere").stderr


HOSTILE = {
    "a line break": "a\\nb",
    "an escape": "\\u001b]0;owned\\u0007",
    "a turned direction": "\\u202egpj.exe",
    "a long name": "a" * 5000,
    "a long path": "a/" * 3000,
    "a zero": "a\\u0000b",
    "a password": "postgresql://me:hunter2@host/db",
    "a password with an at": "postgresql://me:hun@ter2@host/db",
    "a password with a space": "postgresql://me:hunter2 x@host/db",
    "a key": "https://host/db?password=hunter2&token=hunter2",
    "a folder": ".",
    "a template": "{{ 1 }} {name} %s",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_error_is_one_short_line_whatever_stands_in_the_study(toytown, name, language):
    edit(toytown / "study.toml", 'language = "en"', f'language = "{language}"')
    edit(toytown / "study.toml", 'file = "residents.csv"', f'file = "{name}"')
    done = lifecircle("audit", toytown)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert len(line) <= 520
    assert line.isprintable()
    assert ("Remedy: " if language == "en" else "处理办法：") in line
    assert "hunter2" not in line
    assert "ter2" not in line


def test_the_log_is_one_line_without_passwords():
    record = logging.LogRecord("a", logging.INFO, "", 0, "read %s\nand\x1b[1m", ("ftp://me:pw@host",), None)
    assert LogLine("%(levelname)s %(message)s").format(record) == "INFO read ftp://***@host and\\x1b[1m"


def printed_by(code, *words):
    """Run the command line after some code has broken a part of it."""
    start = f"import sys\nfrom lifecircle import audit, cli\nfrom lifecircle.audit import _record\n{code}\n"
    end = "sys.argv = ['lifecircle', *sys.argv[1:]]\ncli.main()\n"
    command = [sys.executable, "-c", start + end, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_fault_of_the_program_says_so(toytown):
    code = "def broken(*_, **__): raise KeyError('x')\naudit.run_audit = broken"
    done = [printed_by(code, *words, "audit", toytown) for words in ([], ["-v"])]
    assert [one.returncode for one in done] == [70, 70]
    assert len(done[0].stderr.splitlines()) == 1
    assert "a fault of lifecircle itself, not of your data: KeyError" in done[0].stderr
    assert "Traceback" in done[1].stderr


@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "MemoryError", "PermissionError(13, 'no', 'a.csv')"])
def test_interrupts_and_errors_of_the_system(toytown, kind):
    done = printed_by(f"def broken(*_): raise {kind}\n_record.write_tables = broken", "audit", toytown)
    assert done.returncode == (130 if kind == "KeyboardInterrupt" else 2)
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (toytown / "results").exists()


@pytest.mark.parametrize(
    "encoding", ["ascii", "latin-1", "gbk", "utf-8"] if WHOLE_CAMPAIGN else ["ascii", "gbk"]
)
def test_output_that_has_no_characters_for_a_name(toytown, encoding):
    edit(toytown / "study.toml", "Toy Town", "海盐 [/red] [b]")
    for words in (("audit", toytown), ("audit", toytown, "--year", "0"), ("atlas", toytown)):
        done = subprocess.run(
            [sys.executable, "-m", "lifecircle", *map(str, words)],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": encoding, "LANG": "C", "LC_ALL": "C"},
        )
        assert b"Traceback" not in done.stderr
        assert done.returncode == (2 if "0" in words else 0)
        if words == ("audit", toytown):
            shown = "\\u6d77\\u76d0" if encoding in {"ascii", "latin-1"} else "海盐"
            assert f"{shown} [/red] [b]" in done.stdout.decode(encoding)


def test_a_reader_who_leaves_ends_nothing(toytown):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "lifecircle", "audit", str(toytown), "--strict"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 1  # a target is missed, whoever reads it
    assert done.stderr == ""
    assert (toytown / "results" / "2025" / "summary.json").is_file()


@pytest.mark.parametrize("words", [("scenario", "c.csv"), ("site", "--target", "reading", "--new", "1")])
def test_results_never_go_where_something_else_stands(toytown, tmp_path, words):
    (toytown / "c.csv").write_text("action,id\nclose,L1\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.docx").write_text("mine")
    command, *rest = words
    given = [toytown / word if word == "c.csv" else word for word in rest]
    done = lifecircle(command, toytown, *given, "--out", tmp_path / "own")
    assert done.returncode == 2
    assert "no earlier results" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["thesis.docx"]


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
