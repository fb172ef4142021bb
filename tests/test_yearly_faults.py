"""Faults of the machine while what follows an audit is written: list, field check, report, account of change.

As in ``test_kills`` a child writes one state over another and dies at a point that its seed chooses. After
that the earlier files or the new ones stand whole, and writing again ends right.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from commands import run as lifecircle
from conftest import TOYTOWN, WHOLE_CAMPAIGN, edit, seeds
from lifecircle import attribution, rectification, spot_check
from lifecircle.audit import run_audit
from lifecircle.cli import cli
from lifecircle.files import LOCK, recover
from lifecircle.yearbook import YEARBOOK
from test_faults import NOBODY, held, small_disk  # noqa: F401 - a fixture

KINDS = {
    "list": rectification.FOLDER,
    "check": spot_check.FOLDER,
    "report": YEARBOOK,
    "change": attribution.FOLDER,
}
"""Folder that is written -> the files it holds."""

CHILD = """
import os, random, signal, sys, warnings
from dataclasses import replace
from pathlib import Path
warnings.simplefilter("ignore")
from lifecircle import attribution, rectification, spot_check, yearbook
from lifecircle.audit import find_runs, prepare, run_audit
from lifecircle.files import _folders as files
from lifecircle.study import read_study
from lifecircle.yearbook import _order

study, what, place, one_step = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4] == "1"
SEEN = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir", "os.scandir", "shutil.rmtree"}
if not one_step:
    files._exchange = lambda one, other: False
if what == "list":
    first = rectification.rectify(run_audit(study, 2025))
    label = first.record.problems[0].id
    states = [first, rectification.rectify(first.findings, first.record, {label: {"progress": "begun"}})]
    def write(state):
        rectification.write_list(states[state], place)
elif what == "check":
    findings = run_audit(study, 2025)
    samples = [spot_check.draw_sample(findings, "reading", size=6, seed=seed) for seed in (1, 2)]
    roads = prepare(read_study(study), 2025).networks["walk"]
    def write(state):
        spot_check.write_sample(spot_check.Sheets(samples[state], findings, {}, roads), place)
elif what == "report":
    runs, inputs = find_runs(study, (2024, 2025)), prepare(read_study(study), 2025)
    _order.find_runs, _order.prepare = (lambda *args, **more: runs), (lambda *args: inputs)
    def write(state):
        order = yearbook.YearbookOrder((2024, 2025), out=place, maps=False, language=("zh", "en")[state])
        yearbook.write_yearbook(study, order)
else:
    found = attribution.compare_years(study, 2024, 2025)
    states = [found, replace(found, language="zh")]
    def write(state):
        attribution.write_comparison(states[state], place)

where = {"count": 0, "die": None, "on": False}

def hook(event, args):
    if where["on"] and event in SEEN:
        where["count"] += 1
        if where["count"] == where["die"]:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
rename, fsync = files._rename, os.fsync
def renamed(old, new_name):
    hook("open", ())
    rename(old, new_name)
    hook("open", ())
def flushed(descriptor):
    hook("open", ())
    fsync(descriptor)
    hook("open", ())
files._rename, os.fsync = renamed, flushed
for line in sys.stdin:
    state, die = map(int, line.split())
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        where["die"], where["on"] = die or None, True
        write(state)
        where["on"] = False
        os.write(writer, str(where["count"]).encode())
        os._exit(0)
    os.close(writer)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(status or os.read(reader, 100).decode(), flush=True)
    os.close(reader)
"""


class Writer:
    """A process that writes a folder in one of two states as often as it is asked, dying where it should."""

    def __init__(self, study, what, place, *, one_step):
        words = [sys.executable, "-c", CHILD, str(study), what, str(place), str(int(one_step))]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.what, self.place = what, place
        self.events = [self.write(state) for state in (0, 1)][1]
        self.states = []
        for state in (0, 1):
            self.write(state)
            self.states.append(contents(place))

    def write(self, state, die=0):
        """Write once; gives how much was asked of the system, or a negative number for a death."""
        print(state, die, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module", params=sorted(KINDS))
def writer(request, tmp_path_factory):
    if not hasattr(os, "fork"):
        pytest.skip("this system starts no process by fork")
    folder = tmp_path_factory.mktemp(request.param)
    study = Path(shutil.copytree(TOYTOWN, folder / "study"))
    started = Writer(study, request.param, folder / "out" / "place", one_step=True)
    yield started
    started.close()


def check(writer, notes):
    """After a kill: the earlier files or the new ones are there, whole, and writing again ends right."""
    recover(writer.place, KINDS[writer.what])
    found = contents(writer.place)
    assert found.pop("notes.txt") == notes
    assert found in writer.states
    assert writer.write(1) > 0
    assert contents(writer.place) == writer.states[1] | {"notes.txt": notes}
    assert [path.name for path in writer.place.parent.iterdir()] == ["place"]


def test_the_two_states_differ_and_are_whole(writer):
    one, other = writer.states
    assert one != other
    assert set(one) == set(other) == set(KINDS[writer.what].files)


@pytest.mark.parametrize("seed", seeds(4, whole=100))
def test_a_kill_at_any_moment_loses_nothing(writer, seed):
    shutil.rmtree(writer.place)
    assert writer.write(0) > 0
    (writer.place / "notes.txt").write_bytes(b"mine")
    assert writer.write(1, random.Random(seed).randint(1, writer.events)) == -signal.SIGKILL
    check(writer, b"mine")


@pytest.mark.parametrize("back", range(40) if WHOLE_CAMPAIGN else [3, 9, 15])
def test_a_kill_about_the_swap_loses_nothing(writer, back):
    """The last things asked of the system: flushing, the swap, the removal of what it replaced."""
    shutil.rmtree(writer.place)
    assert writer.write(0) > 0
    (writer.place / "notes.txt").write_bytes(b"mine")
    assert writer.write(1, writer.events - back) in {-signal.SIGKILL, writer.events}
    check(writer, b"mine")


# ---------------------------------------------------------------------------------------------------------
# A full disk, a folder that can only be read, two at once

COMMANDS = {
    "list": ["rectify", "STUDY", "--results", "OUT"],
    "check": ["spot-check", "STUDY", "--target", "reading", "--size", "6", "--results", "OUT"],
    "report": ["report", "STUDY", "--years", "2025", "--no-maps", "--results", "OUT", "--out", "OUT/report"],
    "change": ["compare", "STUDY", "2024", "2025", "--results", "OUT"],
}
PLACES = {
    "list": "2025-rectification",
    "check": "2025-spot-check-reading",
    "report": "report",
    "change": "2024-2025-change",
}


def command_of(what, study, results):
    filled = {"STUDY": str(study), "OUT": str(results), "OUT/report": str(Path(results) / "report")}
    return [filled.get(part, part) for part in COMMANDS[what]]


def amend(study):
    """Change what every one of the commands writes."""
    edit(study / "residents.csv", "r4,502000,3378000,30", "r4,502000,3378000,31")
    edit(study / "study.toml", "Toy Town (example)", "Toy Town (other)")


@pytest.mark.parametrize("what", sorted(COMMANDS))
@pytest.mark.parametrize("free", [0, 8] if WHOLE_CAMPAIGN else [8])
def test_a_full_disk_leaves_the_earlier_files_whole(toytown, small_disk, what, free):  # noqa: F811 - the fixture
    results = small_disk / "results"
    cli.main(command_of(what, toytown, results), standalone_mode=False)
    place = results / PLACES[what]
    was = contents(place)
    amend(toytown)
    with (small_disk / "others").open("wb", buffering=0) as file:
        file.write(bytes(max(shutil.disk_usage(small_disk).free - free * 1024, 0)))
    done = lifecircle(*command_of(what, toytown, results))
    assert done.returncode == 2, done.stderr
    assert "make room on the disk" in done.stderr
    assert contents(place) == was
    assert not [path for path in results.iterdir() if "-new-" in path.name]
    (small_disk / "others").unlink()
    assert lifecircle(*command_of(what, toytown, results)).returncode == 0
    assert contents(place) != was
    assert set(contents(place)) == set(KINDS[what].files)


AS_OTHER = """
import os, sys
from lifecircle.cli import cli, main
cut = sys.argv.index("--")
# All is imported that the other user may not be able to read.
cli.main(sys.argv[1:cut], standalone_mode=False)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.argv = ["lifecircle", *sys.argv[cut + 1:]]
main()
"""


@pytest.fixture
def open_folder():
    """Give a folder that every user may enter, which those of pytest are not."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may run a command as another user")
    folder = Path(tempfile.mkdtemp(prefix="lifecircle-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("what", sorted(COMMANDS))
def test_a_folder_that_can_only_be_read(open_folder, what):
    folder = open_folder
    study = Path(shutil.copytree(TOYTOWN, folder / "town"))
    results, warm, cache = folder / "results", folder / "warm", folder / "cache"
    cli.main(command_of(what, study, results), standalone_mode=False)
    cache.mkdir()
    os.chown(cache, NOBODY, NOBODY)
    amend(study)
    before = {path: path.stat().st_mtime_ns for path in (results, *results.rglob("*"))}
    words = [*command_of(what, study, warm), "--", *command_of(what, study, results)]
    done = subprocess.run(
        [sys.executable, "-c", AS_OTHER, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LIFECIRCLE_CACHE": str(cache)},
    )
    assert done.returncode == 2, done.stderr
    assert "the system does not permit it" in done.stderr
    assert str(results) in done.stderr
    assert {path: path.stat().st_mtime_ns for path in (results, *results.rglob("*"))} == before


def test_two_lists_at_once(toytown):
    """The later would write over what the earlier has read from a filled list: it is refused instead."""
    results = toytown / "results"
    other = held(results)
    try:
        done = lifecircle("rectify", toytown)
        assert done.returncode == 2
        assert f"process {other.pid} on " in done.stderr
        assert [path.name for path in results.iterdir()] == [LOCK]
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.stdout.close()
    assert lifecircle("rectify", toytown).returncode == 0


def test_a_clock_that_was_set_back_alters_no_list(toytown):
    """Ids, first years and states follow from the years of runs: no file's time is asked for."""
    run_audit(toytown, 2024, out=toytown / "results")
    first, folder = rectification.rectify_study(toytown, 2024)
    for path in (folder, *folder.iterdir()):
        os.utime(path, (4e9, 4e9))  # written in 2096, by the clock
    second, _ = rectification.rectify_study(toytown, 2025)
    assert {one.id for one in first.record.problems} <= {one.id for one in second.record.problems}
    assert {one.first_year for one in second.record.problems} <= {2024, 2025}
    for path in (toytown / "results" / "2025-rectification").iterdir():
        os.utime(path, (0, 0))
    again, _ = rectification.rectify_study(toytown, 2025)
    assert again.record == second.record
