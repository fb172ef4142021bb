"""Faults of the machine: a full disk, rights, two audits at once, the lock of a dead process."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from conftest import TOYTOWN, edit
from lifecircle.audit import run_audit
from lifecircle.files import LOCK
from lifecircle.findings import load_findings
from lifecircle.ledger import check_register, open_register, run_folders
from lifecircle.ledger import same_run as same
from lifecircle.verification import check_runs

NOBODY = 65534


def audit(study, results, **how):
    command = [sys.executable, "-m", "lifecircle", "audit", str(study), "--out", str(results), "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, check=False, **how)


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 3 MB, where the system lets us."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone, and not in every container")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("free", [0, 40, 200, 400, 600, 800])
def test_a_full_disk_leaves_the_earlier_run_whole(toytown, small_disk, free):
    results = small_disk / "results"
    run_audit(toytown, 2025, out=results)
    was = shutil.copytree(results / "2025", toytown / "was")
    edit(toytown / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    with (small_disk / "others").open("wb", buffering=0) as file:
        file.write(bytes(max(shutil.disk_usage(small_disk).free - free * 1024, 0)))
    done = audit(toytown, results)
    assert done.returncode in {0, 2}, done.stderr
    if done.returncode:
        assert "make room on the disk" in done.stderr
        assert done.stderr.count("\n") == 1
        assert same(results / "2025", was)
    for folder in run_folders(results):
        assert load_findings(folder).year == 2025
    assert not [path for path in results.iterdir() if "-new-" in path.name]
    (small_disk / "others").unlink()
    assert audit(toytown, results).returncode == 0
    assert [folder.name for folder in run_folders(results)] == ["2025.1", "2025"]
    assert same(results / "2025.1", was)
    assert check_runs(results) == []


AS_OTHER = """
import os, sys
from lifecircle.cli import cli, main
words = sys.argv[2:]
# All is imported that the other user may not be able to read: in this process, not in a copy of it.
os.environ["LIFECIRCLE_THREADS"] = "1"
cli.main([*words[:2], "--out", sys.argv[1], *words[4:]], standalone_mode=False)
del os.environ["LIFECIRCLE_THREADS"]
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.argv = ["lifecircle", *words]
main()
"""


@pytest.fixture
def other_user():
    """Give a folder that everybody may read, and what runs a command as a user who is not root."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may run a command as another user")
    folder = Path(tempfile.mkdtemp(prefix="lifecircle-"))
    folder.chmod(0o755)
    cache = folder / "cache"
    cache.mkdir()
    os.chown(cache, NOBODY, NOBODY)
    environment = {**os.environ, "LIFECIRCLE_CACHE": str(cache), "TMPDIR": str(cache)}

    def run(study, results):
        shutil.rmtree(folder / "warm", ignore_errors=True)
        command = [sys.executable, "-c", AS_OTHER, str(folder / "warm")]
        command += ["audit", str(study), "--out", str(results), "--quiet"]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    yield folder, run
    shutil.rmtree(folder)


def test_a_folder_that_can_only_be_read(other_user):
    folder, run = other_user
    study = shutil.copytree(TOYTOWN, folder / "town")
    results = folder / "results"
    run_audit(study, 2025, out=results)
    before = {path: path.stat().st_mtime_ns for path in (results, *results.rglob("*"))}
    edit(study / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    done = run(study, results)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "the system does not permit it" in done.stderr
    assert str(results) in done.stderr
    assert {path: path.stat().st_mtime_ns for path in (results, *results.rglob("*"))} == before


def test_a_register_that_can_only_be_read_costs_no_results(other_user):
    folder, run = other_user
    study = shutil.copytree(TOYTOWN, folder / "town")
    results = folder / "results"
    run_audit(study, 2025, out=results)
    register = (results / "ledger.sqlite").read_bytes()
    for path in (results, results / "2025", *(results / "2025").iterdir(), results / LOCK):
        os.chown(path, NOBODY, NOBODY)
    (results / "ledger.sqlite").chmod(0o444)
    edit(study / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    done = run(study, results)
    assert done.returncode == 0, done.stderr
    assert "the register cannot be used: attempt to write a readonly database" in done.stderr
    assert load_findings(results / "2025").demand["population"].sum() == 265
    assert (results / "ledger.sqlite").read_bytes() == register
    os.chown(results / "ledger.sqlite", NOBODY, NOBODY)
    (results / "ledger.sqlite").chmod(0o644)
    assert run(study, results).stderr == ""  # and notes what was missing
    with open_register(results) as opened:
        assert opened.runs()["reason"].tolist() == ["", "superseded:2025.1"]


def test_two_users_share_a_folder(other_user):
    """What one writes the other may replace and note, where the group of the folder may write."""
    folder, run = other_user
    study = Path(shutil.copytree(TOYTOWN, folder / "town"))
    results = folder / "results"
    results.mkdir()
    os.chown(results, 0, NOBODY)
    results.chmod(0o2775)
    assert audit(study, results, umask=0o002).returncode == 0
    edit(study / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    done = run(study, results)
    assert (done.returncode, done.stderr) == (0, "")
    assert [one.name for one in run_folders(results)] == ["2025.1", "2025"]
    assert check_runs(results) == []


def held(results):
    """Start a process that holds a folder of results until it is killed."""
    code = (
        "import sys, time; from pathlib import Path; from lifecircle.files import one_writer\n"
        "with one_writer(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(results)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_two_audits_at_once_and_a_lock_of_a_dead_process(toytown, tmp_path):
    results = tmp_path / "results"
    other = held(results)
    try:
        done = audit(toytown, results)
        assert done.returncode == 2
        assert f"{results}: another audit is writing here: process {other.pid} on " in done.stderr
        assert not (results / "2025").exists()
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.stdout.close()
    assert audit(toytown, results).returncode == 0  # what it left says nothing any more
    assert (results / LOCK).read_bytes() == b""


def test_two_processes_that_start_together(toytown, tmp_path):
    results = tmp_path / "results"
    words = ["audit", str(toytown), "--out", str(results), "--quiet"]
    both = [
        subprocess.Popen([sys.executable, "-m", "lifecircle", *words], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 2]), said  # one after the other, or one refused
    assert codes == [0, 0] or "another audit is writing here" in "".join(said)
    assert [folder.name for folder in run_folders(results)] == ["2025"]
    assert check_register(results, "", whole=True) == []
    with open_register(results) as register:
        assert len(register.runs()) == 1
