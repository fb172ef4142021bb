"""Kills: a command that dies at any moment loses nothing, and the next one ends right.

A child of this test writes one run over another and dies, as by SIGKILL, at a point that its seed chooses: at
the n-th thing it asks of the system (open, rename, remove, ...; an audit hook of Python sees them all), or
after a part of the time it takes. No product code knows of it.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import TOYTOWN, WHOLE_CAMPAIGN, edit, seeds
from lifecircle.files import Results, complete_folder, recover
from lifecircle.findings import CHECKSUMS, RUN, load_findings
from lifecircle.ledger import SUPERSEDED, drop_copy, keep_superseded, open_register, read_evidence

STEP, LAST = 20, 130
KIND = Results("mark.json", ("mark.json", "a.txt", "b.txt"))

CHILD = """
import os, random, signal, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from lifecircle.files import _folders as files
from lifecircle.audit import run_audit, write_run
from lifecircle.study import read_study

study, out, one_step = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "1"
SEEN = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir", "os.scandir", "shutil.rmtree"}
SEEN |= {"shutil.copyfile", "sqlite3.connect", "sqlite3.connect/handle"}
if not one_step:
    files._exchange = lambda one, other: False
declared = read_study(study)
new = run_audit(study, 2025)
where = {"count": 0, "die": None, "on": False}

def hook(event, args):
    if where["on"] and event in SEEN:
        where["count"] += 1
        if where["count"] == where["die"]:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
rename = files._rename
def renamed(old, new_name):
    hook("open", ())
    rename(old, new_name)
    hook("open", ())
files._rename = renamed
fsync = os.fsync
def flushed(descriptor):
    hook("open", ())
    fsync(descriptor)
    hook("open", ())
os.fsync = flushed
for line in sys.stdin:
    die, fraction = line.split()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        where["die"] = int(die) or None
        if float(fraction):
            signal.setitimer(signal.ITIMER_REAL, float(fraction))  # its signal ends a process as a kill does
        where["on"] = True
        write_run(new, out, declared)
        where["on"] = False
        os.write(writer, str(where["count"]).encode())
        os._exit(0)
    os.close(writer)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    # one line for each writing, also of a child that was killed after it had said how much it did
    print(status or os.read(reader, 100).decode(), flush=True)
    os.close(reader)
"""


class Writer:
    """A process that has computed a run and writes it as often as it is asked, dying where it is asked to."""

    def __init__(self, study, out, *, one_step):
        words = [sys.executable, "-c", CHILD, str(study), str(out), str(int(one_step))]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(self, die=0, seconds=0.0):
        """Write once; gives how much was asked of the system, or a negative number for a death."""
        print(die, seconds, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module", params=["one-step", *(["two-renames"] if WHOLE_CAMPAIGN else [])])
def runs(request, tmp_path_factory):
    """Give a writer of a new run, its folder, and the earlier and the new run as they are when whole."""
    if not hasattr(os, "fork"):
        pytest.skip("this system starts no process by fork")
    folder = tmp_path_factory.mktemp("kills")
    study = Path(shutil.copytree(TOYTOWN, folder / "study"))
    out = folder / "out"
    from lifecircle.audit import run_audit  # noqa: PLC0415 - after the module's own imports

    run_audit(study, 2025, out=folder / "was")
    edit(study / "standard.toml", "minutes = 15", "minutes = 14")
    writer = Writer(study, out, one_step=request.param == "one-step")
    writer.write()
    shutil.copytree(out / "2025", folder / "new")
    put_back(out, folder / "was" / "2025")
    writer.events = writer.write()
    yield writer, out, folder / "was" / "2025", folder / "new"
    writer.close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(folder):
    """Give what is the same in every writing: a workbook holds a clock."""
    same = set(RUN.files) - {"scoreboard.xlsx", CHECKSUMS, "evidence.json"}
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name in same}


def put_back(out, was):
    """Put the earlier run back, with a note beside it and no register."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(was, out / "2025")
    (out / "2025" / "notes.txt").write_text("mine")
    (out / "2024").mkdir()


def whole(folder):
    sums = dict(line.split("  ")[::-1] for line in (folder / CHECKSUMS).read_text().splitlines())
    return set(sums) | {CHECKSUMS} == set(RUN.files) and load_findings(folder) is not None


def check(writer, out, was, new):
    """After a kill: the earlier run or the new one is there, whole, and writing again ends right."""
    recover(out / "2025", RUN)
    assert whole(out / "2025")
    mark = (out / "2025" / "summary.json").read_bytes()
    assert mark in {(was / "summary.json").read_bytes(), (new / "summary.json").read_bytes()}
    assert (out / "2025" / "notes.txt").read_text() == "mine"
    assert writer.write() > 0
    assert names(out) == ["2024", "2025", "2025.1", "ledger.sqlite"]
    assert contents(out / "2025.1") == contents(was)
    assert json.loads((out / "2025.1" / SUPERSEDED).read_bytes())["reasons"]
    with open_register(out) as register:
        noted = register.runs()
        assert register.changed_rows(results=True) == []
    assert noted["folder"].tolist()[-1] == "2025"
    assert noted["reason"].tolist()[-1].endswith("superseded:2025.1")
    assert contents(out / "2025") == contents(new)
    assert whole(out / "2025")
    assert (out / "2025" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("seed", seeds(12, whole=100))
def test_a_kill_at_any_moment_loses_nothing(runs, seed):
    writer, out, was, _ = runs
    put_back(out, was)
    chance = random.Random(seed)
    if seed % 4 == 3:
        writer.write(seconds=chance.uniform(0.001, 0.25))
    else:
        assert writer.write(die=chance.randint(1, writer.events)) == -signal.SIGKILL
    check(*runs)


@pytest.mark.parametrize("start", range(STEP) if WHOLE_CAMPAIGN else [0])
def test_a_kill_about_each_rename_loses_nothing(runs, start):
    """The last things asked of the system: flushing, the copy, the swap, removal, the register."""
    writer, out, was, _ = runs
    for die in range(writer.events - LAST + start, writer.events + 1, STEP):
        put_back(out, was)
        writer.write(die=die)
        check(*runs)


def test_killed_before_the_swap_and_then_the_old_inputs_again(runs, tmp_path):
    """The copy that was made of the run in force goes: nothing was replaced."""
    _, _, was, new = runs
    current = tmp_path / "2025"
    shutil.copytree(was, current)
    half = tmp_path / ".2025.1-new-0123abcd"
    half.mkdir()
    drop_copy(current)
    assert names(tmp_path) == ["2025"]
    kept = keep_superseded(current, read_evidence(new))
    assert (kept.name, names(tmp_path)) == ("2025.1", ["2025", "2025.1"])
    assert keep_superseded(current, read_evidence(new)) == kept
    drop_copy(current)
    assert names(tmp_path) == ["2025"]
    assert contents(current) == contents(was)


RENAMES = """
import os, signal, sys
from pathlib import Path
from lifecircle.files import _folders as files
kind = files.Results("mark.json", ("mark.json", "a.txt", "b.txt"))
files._exchange = lambda one, other: False
rename, left = files._rename, [int(sys.argv[2])]
def renamed(old, new):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(old, new)
files._rename = renamed
with files.complete_folder(Path(sys.argv[1]), kind) as fresh:
    (fresh / "mark.json").write_text('{"schema": 1, "study": "new"}')
"""


def study_in(folder):
    return json.loads((folder / "mark.json").read_text())["study"]


@pytest.mark.parametrize("renames", [0, 1])
def test_killed_before_and_between_the_two_renames(tmp_path, renames):
    target = tmp_path / "2025"
    with complete_folder(target, KIND) as fresh:
        (fresh / "mark.json").write_text('{"schema": 1, "study": "old"}')
    done = subprocess.run([sys.executable, "-c", RENAMES, str(target), str(renames)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.exists() == (renames == 0)  # between the two there is nothing at its place
    recover(target, KIND)
    assert study_in(target) == ("old" if renames == 0 else "new")
    assert names(tmp_path) == ["2025"]


def test_an_earlier_run_is_restored_where_the_new_one_is_gone(tmp_path):
    old = tmp_path / ".2025-old-0123abcd"
    old.mkdir()
    (old / "mark.json").write_text('{"schema": 1, "study": "old"}')
    recover(tmp_path / "2025", KIND)
    assert study_in(tmp_path / "2025") == "old"
    half = tmp_path / ".2024-old-0123abcd"  # its mark is gone: it was being removed
    half.mkdir()
    (half / "a.txt").write_text("a")
    recover(tmp_path / "2024", KIND)
    assert not (tmp_path / "2024").exists()


def test_what_a_running_process_writes_is_left_alone(tmp_path):
    target = tmp_path / "2025"
    with complete_folder(target, KIND) as fresh:
        (fresh / "mark.json").write_text('{"schema": 1, "study": "slow"}')
        with complete_folder(target, KIND) as other:
            (other / "mark.json").write_text('{"schema": 1, "study": "quick"}')
        assert study_in(target) == "quick"
        assert fresh.is_dir()
    assert study_in(target) == "slow"
    assert names(tmp_path) == ["2025"]


def test_names_of_others_beside_it_are_left_alone(tmp_path):
    for name in (".2025-new-mine", "2025-new-0123abcd", ".2025-backup", ".20250-new-0123abcd"):
        (tmp_path / name).mkdir()
    with complete_folder(tmp_path / "2025", KIND) as fresh:
        (fresh / "mark.json").write_text("{}")
    assert len(names(tmp_path)) == 5


def test_a_page_killed_while_it_is_written_leaves_the_earlier_one(tmp_path):
    code = """
import os, signal, sys
from pathlib import Path
from lifecircle import files
with files.written(sys.argv[1]) as fresh:
    fresh.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    page = tmp_path / "map.html"
    page.write_text("earlier")
    assert subprocess.run([sys.executable, "-c", code, str(page)], check=False).returncode == -signal.SIGKILL
    assert page.read_text() == "earlier"
    from lifecircle.files import written  # noqa: PLC0415 - beside its use

    with written(page) as fresh:
        fresh.write_text("new")
    assert page.read_text() == "new"
    assert names(tmp_path) == ["map.html"]
