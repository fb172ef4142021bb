"""The fault campaign: every command that writes, stopped, starved or misled at what it asks of the disk.

Run as a program it tries all and writes the table of ``docs/reliability.md``; ``test_fault_campaign.py``
tries a sample by seed. A case is one command on one folder with one fault. Before it stand finished results
of earlier inputs; the inputs were changed since. After it, the earlier results or the new ones must stand,
whole; what the command says must be a line that helps; and the same command again must end right.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conftest import ROOT, TOYTOWN, edit
from lifecircle import (
    attribution,
    findings,
    interchange,
    locate,
    rectification,
    scenario,
    siting_study,
    spot_check,
    yearbook,
)
from lifecircle.files import LOCK, Results, recover
from lifecircle.verification import check_runs

SEED = 20261127
NOBODY = 65534

COUNT, KILL, TEAR, FAIL_ONCE, FAIL_ON, CLOCK = 1, 2, 3, 4, 5, 6
MAKE, WRITE, SYNC, RENAME, REMOVE, OPEN, READ = 1, 2, 4, 8, 16, 32, 64
CHANGES = MAKE | WRITE | SYNC | RENAME | REMOVE


# ---------------------------------------------------------------------------------------------------------
# The commands


@dataclass(frozen=True)
class Deed:
    """A command that writes.

    ``words`` : of the command, TOWN and HERE standing for folders; ``places`` : what it finishes, below HERE,
    each with its kind of folder, None for a file; ``before`` : commands whose results it needs; ``once`` :
    refuses to write a second time; ``warm`` : is run once in the warm process; ``reads`` : results it reads.
    """

    name: str
    words: tuple[str, ...]
    places: dict[str, Results | None]
    before: tuple[tuple[str, ...], ...] = ()
    once: bool = False
    warm: bool = True
    status: tuple[int, ...] = (0,)
    reads: tuple[str, ...] = ()


def _deeds():
    audit = ("audit", "TOWN", "--quiet")
    town = "town/results"
    made = [
        Deed("audit", audit, {f"{town}/2025": findings.RUN, f"{town}/2025.1": None}),
        Deed("atlas", ("atlas", "TOWN"), {"town/maps/toytown.html": None}, (audit,)),
        Deed(
            "atlas --static",
            ("atlas", "TOWN", "--out", "HERE/page.html", "--static", "HERE/pictures"),
            {
                "page.html": None,
                **{f"pictures/{name}-2025.png": None for name in ("reading", "culture", "health")},
            },
        ),
        Deed(
            "site",
            ("site", "TOWN", "--target", "reading", "--new", "1"),
            {f"{town}/2025-site-reading-1": siting_study.FOLDER},
            warm=False,
        ),
        Deed(
            "scenario",
            ("scenario", "TOWN", "TOWN/changes.toml"),
            {f"{town}/2025-scenario-changes": scenario.FOLDER},
        ),
        Deed(
            "compare",
            ("compare", "TOWN", "2024", "2025"),
            {f"{town}/2024-2025-change": attribution.FOLDER},
            (audit,),
        ),
        Deed("rectify", ("rectify", "TOWN"), {f"{town}/2025-rectification": rectification.FOLDER}, (audit,)),
        Deed(
            "spot-check",
            ("spot-check", "TOWN", "--target", "reading", "--size", "6"),
            {f"{town}/2025-spot-check-reading": spot_check.FOLDER},
        ),
        Deed(
            "report",
            ("report", "TOWN", "--years", "2025", "--no-maps"),
            {f"{town}/yearbook-2025-2025": yearbook.YEARBOOK},
        ),
        Deed(
            "locate",
            ("locate", "TOWN/list.csv", "--study", "TOWN", "--addresses", "TOWN/addresses.csv"),
            {f"{town}/locate-list": locate.FOLDER},
        ),
        Deed(
            "new",
            ("new", "HERE/made", "TOWN/residents.csv", "TOWN/roads.geojson"),
            {"made/study.toml": None},
            once=True,
        ),
        Deed("new --forms", ("new", "HERE/forms", "--forms", "--study", "TOWN"), {"forms": None}, once=True),
        Deed(
            "check --fix",
            ("check", "TOWN", "--fix", "--out", "HERE/fixed"),
            {"fixed": None},
            once=True,
            status=(0, 1),
        ),
        Deed(
            "check --html",
            ("check", "TOWN", "--html", "HERE/check.html"),
            {"check.html": None},
            status=(0, 1),
        ),
        Deed("ledger rebuild", ("ledger", "rebuild", "TOWN"), {}, (audit,)),
        Deed(
            "export",
            ("export", "TOWN/results/2025"),
            {f"{town}/2025-geojson": interchange.EXPORT},
            (audit,),
            reads=(f"{town}/2025/",),
        ),
        Deed("fetch", ("fetch", "武原", "--out", "HERE/fetched", "--buffer-m", "100"), {"fetched": None}),
    ]
    return {deed.name: deed for deed in made}


DEEDS = _deeds()


def make_town(here):
    """Write the toy town, and beside it what single commands ask for."""
    town = Path(shutil.copytree(TOYTOWN, here / "town"))
    (town / "changes.toml").write_text('[[change]]\naction = "close"\nid = "L1"\n', "utf-8")
    (town / "addresses.csv").write_text("address,lon,lat\nMain Street 1,120.0,30.51\n", "utf-8")
    (town / "list.csv").write_text("name,address\nA,Main Street 1\nB,Nowhere 7\n", "utf-8")
    return town


def amend(town):
    """Change what every one of the commands writes."""
    edit(town / "residents.csv", "r1,500000,3377000,100", "r1,500000,3377000,90")
    edit(town / "study.toml", "Toy Town (example)", "Toy Town (other)")
    (town / "changes.toml").write_text('[[change]]\naction = "close"\nid = "G1"\n', "utf-8")
    (town / "addresses.csv").write_text("address,lon,lat\nMain Street 1,120.0,30.52\n", "utf-8")


# ---------------------------------------------------------------------------------------------------------
# What stands in a folder


def _zip_content(content):
    """Hash the parts of a workbook or document but for the one that holds a clock."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = [(one.filename, one.CRC) for one in book.infolist() if one.filename != "docProps/core.xml"]
        return (
            hashlib.sha256(repr(sorted(parts)).encode()).hexdigest() if book.testzip() is None else "broken"
        )


def content_of(path):
    """Hash what a file holds, clocks left out; ``broken`` where it cannot be opened."""
    content = path.read_bytes()
    if path.suffix in {".xlsx", ".docx"}:
        try:
            return _zip_content(content)
        except (zipfile.BadZipFile, OSError):
            return "broken"
    if path.suffix == ".gpkg":
        return _rows_of(path)
    return hashlib.sha256(content).hexdigest()


def _rows_of(path):
    """Hash the rows of a GeoPackage: the order of its pages may differ, what it says may not."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            if base.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                return "broken"
            names = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            plain = sorted(name for name in names if not name.startswith(("rtree_", "sqlite_")))
            rows = [base.execute(f'SELECT * FROM "{name}"').fetchall() for name in plain]
    except sqlite3.Error:
        return "broken"
    return hashlib.sha256(repr((plain, rows)).encode()).hexdigest()


def opens(path):
    """Return whether a file that differs from writing to writing is whole by its own lights."""
    try:
        if path.suffix in {".gpkg", ".sqlite"}:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
                return base.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        if path.suffix == ".json":
            json.loads(path.read_bytes())
        return path.stat().st_size > 0
    except (OSError, ValueError, sqlite3.Error):
        return False


_ASIDE = {LOCK, "ledger.sqlite", "ledger.sqlite-journal"}


def state_of(here, unstable=frozenset()):
    """Return what stands below a folder: path -> hash, but for caches, locks and the register."""
    found = {}
    for path in sorted(here.rglob("*")):
        name = path.relative_to(here).as_posix()
        first = name.partition("/")[0]
        if (
            first in {"cache", "tmp"}
            or path.name in _ASIDE
            or ".sqlite.damaged" in path.name
            or left_over(name)
        ):
            continue
        if path.is_file():
            if name in unstable:
                found[name] = "opens" if opens(path) else "broken"
            else:
                found[name] = content_of(path)
    return found


def left_over(name):
    """Return whether a name is one of those that a command works under."""
    return any(part.startswith(".") and ("-new-" in part or "-old-" in part) for part in name.split("/"))


def part_of(state, place):
    """Return what of a state belongs to a place."""
    return {name: held for name, held in state.items() if name == place or name.startswith(f"{place}/")}


# ---------------------------------------------------------------------------------------------------------
# A fault, and what came of it


@dataclass(frozen=True)
class Fault:
    """One fault of one case: ``kind`` names the column of the table.

    ``spec`` : the order for the shim; ``damage`` : path below HERE and seed, changed before; ``user`` : the
    command is run as nobody, after ``closed`` (paths below HERE) can only be read.
    """

    kind: str
    spec: dict = field(default_factory=dict)
    damage: tuple[str, int] | None = None
    user: bool = False
    closed: tuple[str, ...] = ()
    together: float | None = None

    def __str__(self):
        """Say what it is in one line."""
        return " ".join(
            str(one) for one in (self.kind, self.spec, self.damage, self.closed, self.together) if one
        )


def damaged(content, seed):
    """Cut a file short, flip bits of it, or empty it."""
    rng = random.Random(seed)
    how = seed % 3
    if how == 0 or not content:
        return content[: rng.randrange(len(content) + 1) if content else 0]
    changed = bytearray(content)
    for _ in range(1 if how == 1 else 20):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


class Place:
    """Answers ``fetch`` as the gazetteer and Overpass do, on the loopback."""

    def __init__(self):
        from test_fetch import Server  # noqa: PLC0415 - the same answers as there

        served = Server()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.reply("")

            def do_POST(self):
                self.reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def reply(self, body):
                text = served.answer(self.path, body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *words):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self):
        """End it."""
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def built_shim(folder):
    """Compile the shim; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return None
    path = folder / "fault_shim.so"
    words = [
        compiler,
        "-shared",
        "-fPIC",
        "-O1",
        "-o",
        str(path),
        str(Path(__file__).with_name("fault_shim.c")),
        "-ldl",
    ]
    return path if subprocess.run(words, capture_output=True, check=False).returncode == 0 else None


class Campaign:
    """A folder to try in, and the warm process that runs the commands."""

    def __init__(self, deeds=tuple(DEEDS)):
        # In memory where there is such a disk: a hundred flushes to a busy disk take half a minute.
        shared = Path("/dev/shm")
        within = shared if os.access(shared, os.W_OK) else None
        self.room = Path(tempfile.mkdtemp(prefix="lifecircle-faults-", dir=within))
        self.room.chmod(0o755)
        self.here = self.room / "here"
        self.shim = built_shim(self.room)
        self.place = Place() if "fetch" in deeds else None
        self.made = {}
        self.process = None
        self.deeds = deeds

    def start(self):
        """Start the warm process."""
        warm = self.room / "warm"
        warm.mkdir()
        make_town(warm)
        environment = {
            **os.environ,
            "LD_PRELOAD": str(self.shim),
            "LIFECIRCLE_CACHE": str(self.here / "cache"),
        }
        environment |= {"TMPDIR": str(self.here / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("LIFECIRCLE_DATABASE", None)
        words = [sys.executable, str(Path(__file__).with_name("fault_child.py"))]
        (self.here / "tmp").mkdir(parents=True)
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        first = [
            self.words(DEEDS[name], warm)
            for name in self.deeds
            if DEEDS[name].warm and name not in {"fetch", "ledger rebuild"}
        ]
        print(json.dumps({"warm": first}), file=self.process.stdin, flush=True)

    def close(self):
        """End the process and remove the folder."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
        if self.place is not None:
            self.place.close()
        shutil.rmtree(self.room, ignore_errors=True)

    def words(self, deed, here=None):
        """Give the words of a command in a folder."""
        return self._filled(deed.words, here or self.here)

    @staticmethod
    def _filled(words, here):
        return [one.replace("TOWN", str(here / "town")).replace("HERE", str(here)) for one in words]

    def run(self, *orders):
        """Run commands at once; gives status, calls and what was said of each."""
        runs = []
        for at, (words, more) in enumerate(orders):
            said = self.room / f"said-{at}"
            for end in (".out", ".err", ".kinds"):
                said.with_name(said.name + end).unlink(missing_ok=True)
            run = {"words": words, "root": str(self.here), "said": str(said), **more}
            if self.place is not None:
                run["overpass"] = self.place.url
            runs.append(run)
        print(json.dumps({"runs": runs}), file=self.process.stdin, flush=True)
        answers = json.loads(self.process.stdout.readline())
        return [
            (status, calls, (self.room / f"said-{at}.err").read_text("utf-8", "replace"))
            for at, (status, calls) in enumerate(answers)
        ]

    def reset(self, base=None):
        """Put the folder back to how a case begins."""
        shutil.rmtree(self.here, ignore_errors=True)
        if base is None:
            self.here.mkdir()
            make_town(self.here)
        else:
            shutil.copytree(base, self.here, symlinks=True)
        (self.here / "tmp").mkdir(exist_ok=True)

    def base(self, name):
        """Make, once for each command, how its cases begin and what they may end with."""
        if name in self.made:
            return self.made[name]
        deed = DEEDS[name]
        self.reset()
        first = [self._filled(words, self.here) for words in deed.before]
        first += [] if deed.once else [self.words(deed)]
        for words in first:
            status, _, said = self.run((words, {}))[0]
            assert status in deed.status, (words, status, said)
        amend(self.here / "town")
        base = self.room / f"base-{len(self.made)}"
        shutil.copytree(self.here, base, symlinks=True)
        states, kinds = [], b""
        for _ in range(2):
            self.reset(base)
            status, calls, said = self.run((self.words(deed), {"kinds": True}))[0]
            assert status in deed.status, (name, status, said)
            kinds = (self.room / "said-0.kinds").read_bytes()
            assert len(kinds) == calls
            states.append(state_of(self.here))
        one, other = states
        unstable = frozenset(path for path in one if one[path] != other.get(path))
        new = state_of(self.here, unstable)
        old = state_of(base, unstable)
        assert "broken" not in new.values(), new
        self.made[name] = Base(deed, base, old, new, unstable, kinds)
        return self.made[name]

    # -----------------------------------------------------------------------------------------------------

    def attempt(self, name, fault):
        """Try one fault on one command; gives a :class:`Trial`."""
        made = self.base(name)
        self.reset(made.folder)
        trial = Trial(name, fault)
        kept = self._prepare(fault)
        more = {"fault": fault.spec} if fault.spec else {}
        if fault.user:
            more["user"] = NOBODY
        orders = [(self.words(made.deed), more)]
        if fault.together is not None:
            orders.append((self.words(made.deed), {"wait": fault.together}))
        for status, _, said in self.run(*orders):
            trial.statuses.append(status)
            self._judge_said(trial, status, said, made.deed)
        self._judge_files(trial, made)
        self._restore(fault, kept)
        self._judge_again(trial, made)
        return trial

    def _prepare(self, fault):
        if fault.user:
            for path in (self.here, *self.here.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
            for name in fault.closed:
                place = self.here / name  # which a command that keeps nothing has not made
                for path in (place, *place.rglob("*")) if place.exists() else ():
                    os.chown(path, 0, 0, follow_symlinks=False)
                    path.chmod(0o555 if path.is_dir() else 0o444)
        if fault.damage is None:
            return None
        path = self.here / fault.damage[0]
        content = path.read_bytes()
        path.write_bytes(damaged(content, fault.damage[1]))
        return content

    def _restore(self, fault, kept):
        if fault.user:
            for path in (self.here, *self.here.rglob("*")):
                with suppress(FileNotFoundError):
                    os.chown(path, 0, 0, follow_symlinks=False)
                    if not path.is_symlink():
                        path.chmod(0o755 if path.is_dir() else 0o644)
        if kept is not None and fault.kind == "damaged input":
            (self.here / fault.damage[0]).write_bytes(kept)

    @staticmethod
    def _judge_said(trial, status, said, deed):
        if status == -9 and trial.fault.spec.get("mode") in {KILL, TEAR}:
            return
        if status not in {*deed.status, 1, 2}:
            trial.problems.append(f"ended with {status}: {said[-600:]}")
        if "Traceback" in said:
            trial.problems.append(f"a traceback: {said[-600:]}")
        if status == 2 and not any(line.startswith(("error: ", "错误：")) for line in said.splitlines()):
            trial.problems.append(f"ended with 2 and no error: {said[-300:]}")
        trial.said = said

    def _judge_files(self, trial, made):
        """Find results that are neither the earlier nor the new ones, and anything else that changed."""
        trial.as_left = state_of(self.here, made.unstable)
        for place, kind in made.deed.places.items():
            if kind is not None:
                recover(self.here / place, kind)
        found = state_of(self.here, made.unstable)
        strange = trial.fault.kind == "damaged input" and trial.statuses[0] in made.deed.status
        aside = trial.fault.damage[0] if trial.fault.damage else ""
        for place in made.deed.places:
            here = part_of(found, place)
            if here == part_of(made.new, place):
                trial.new += 1
            elif here != part_of(made.old, place) and not strange and not aside.startswith(f"{place}/"):
                trial.lost.append(f"{place}: neither the earlier nor the new: {_unlike(here, made, place)}")
        mine = set().union(*(part_of({**found, **made.old}, place) for place in made.deed.places))
        for name, held in made.old.items():
            if name not in mine and name != aside and found.get(name) != held:
                trial.lost.append(f"{name} was altered")
        ended_well = trial.statuses[0] in made.deed.status
        if ended_well and trial.new < len(made.deed.places) and trial.fault.kind != "damaged input":
            trial.problems.append("ended well, and its results are not the new ones")

    def _judge_again(self, trial, made):
        """Run the command once more without a fault: it ends right, and nothing is left behind."""
        done = trial.new == len(made.deed.places) and made.deed.places
        if made.deed.once and (done or trial.statuses[0] in made.deed.status):
            return
        status, _, said = self.run((self.words(made.deed), {}))[0]
        strange = trial.fault.kind == "damaged input" and trial.statuses[0] in made.deed.status
        if status not in made.deed.status:
            trial.problems.append(f"again ended with {status}: {said[-400:]}")
            return
        found = state_of(self.here, made.unstable)
        for place in made.deed.places:
            if strange:
                continue  # what was made of the damaged input is an earlier result by now, and is remembered
            if part_of(found, place) != part_of(made.new, place):
                trial.problems.append(
                    f"again: {place} is not the new one: {_unlike(part_of(found, place), made, place)}"
                )
        beside = [path.relative_to(self.here).as_posix() for path in self.here.rglob(".*")]
        left = [name for name in beside if left_over(name) and not name.startswith("cache/")]
        if left:
            trial.problems.append(f"left behind: {left[:3]}")
        results = self.here / "town" / "results"
        named = trial.fault.damage[0] if trial.fault.kind == "damaged results" else ""
        # A run that was damaged before is not of this command's making: the check of the register says so.
        wrong = (
            [code for code in check_runs(results) if not named or code == "register_damaged"]
            if (results / "ledger.sqlite").exists()
            else []
        )
        if wrong:
            trial.problems.append(f"the register: {wrong}")


def _unlike(here, made, place):
    new = part_of(made.new, place)
    return [name for name in {**new, **here} if here.get(name) != new.get(name)][:6]


@dataclass(frozen=True)
class Base:
    """How the cases of a command begin, and what they may end with; ``kinds`` : a letter for each call."""

    deed: Deed
    folder: Path
    old: dict
    new: dict
    unstable: frozenset
    kinds: bytes


@dataclass
class Trial:
    """What came of a case: ``lost`` must be empty, and ``problems`` too."""

    name: str
    fault: Fault
    statuses: list = field(default_factory=list)
    new: int = 0
    lost: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    said: str = ""
    as_left: dict = field(default_factory=dict)

    def __str__(self):
        """Say what was tried and what is wrong with it."""
        return "\n".join([f"{self.name}: {self.fault} -> {self.statuses}", *self.lost, *self.problems])


# ---------------------------------------------------------------------------------------------------------
# Which faults


def _points(made, letters, most, rng):
    """Give the numbers of calls of some kinds: all of them, or as many as asked, the first and last kept."""
    of = sum(1 << (ord(letter) - 97) for letter in letters)
    count = sum(made.kinds.count(letter.encode()) for letter in letters)
    points = list(range(1, count + 1))
    if most is not None and count > most:
        points = sorted({1, count, *rng.sample(points, most - 2)}) if most > 2 else rng.sample(points, most)
    return of, points


REFUSALS = (
    ("disk full", FAIL_ON, "ab", errno.ENOSPC),
    ("disk error", FAIL_ONCE, "bc", errno.EIO),
    ("permission lost", FAIL_ON, "ade", errno.EACCES),
    ("disk turns read-only", FAIL_ON, "abde", errno.EROFS),
    ("rename across disks", FAIL_ON, "d", errno.EXDEV),
    ("too many open files", FAIL_ONCE, "af", errno.EMFILE),
    ("input cannot be read", FAIL_ONCE, "fg", errno.EIO),
)
"""Kind, how it fails, letters of the calls (a make, b write, c sync, d rename, e remove, f open, g read)."""

JUMPS = (-315_000_000, 315_000_000, -3600)


def faults_of(made, most, seed=SEED):
    """List the faults that are tried on a command.

    Parameters
    ----------
    most : how many points of each kind, None for every one of a kill and 24 of a refusal
    """
    rng = random.Random(f"{seed} {made.deed.name}")
    found = []
    of, points = _points(made, "cde", most, rng)
    found += [Fault("killed", {"mode": how, "of": of, "at": at}) for at in points for how in (KILL, TEAR)]
    of, points = _points(made, "ab", most if most is not None else 150, rng)
    found += [Fault("killed", {"mode": (KILL, TEAR)[at % 2], "of": of, "at": at}) for at in points]
    for kind, how, letters, error in REFUSALS:
        of, points = _points(made, letters, most if most is not None else 24, rng)
        found += [Fault(kind, {"mode": how, "of": of, "at": at, "error": error}) for at in points]
    of, points = _points(made, "abcde", most if most is not None else 6, rng)
    found += [
        Fault("clock jumps", {"mode": CLOCK, "of": of, "at": at, "shift": JUMPS[at % 3]}) for at in points
    ]
    found += [Fault("two at once", together=rng.uniform(0, 0.5)) for _ in range(min(most or 12, 12))]
    found += _damages(made, most, rng)
    return found + (_rights(made) if os.geteuid() == 0 else [])


def _damages(made, most, rng):
    """List files that are damaged before a command: inputs, caches, and kept results that are not its own."""
    found = []
    names = [
        path.relative_to(made.folder).as_posix() for path in sorted(made.folder.rglob("*")) if path.is_file()
    ]
    own, reads = tuple(made.deed.places), made.deed.reads
    groups = {
        "damaged input": [
            name
            for name in names
            if name.startswith(reads)
            or (name.startswith("town/") and "/results/" not in name and "/maps/" not in name)
        ],
        "damaged cache": [name for name in names if name.startswith("cache/")],
        "damaged results": [
            name
            for name in names
            if "/results/" in name and not name.startswith((*own, *reads)) and not name.endswith(LOCK)
        ],
    }
    for kind, files in groups.items():
        drawn = files if most is None else rng.sample(files, min(most, len(files)))
        turns = 3 if most is None else 1
        found += [Fault(kind, damage=(name, rng.randrange(10**6))) for name in drawn for _ in range(turns)]
    return found


def _rights(made):
    """List what may only be read by a user who is not root."""
    first = sorted({place.partition("/")[0] for place in made.deed.places})
    found = [Fault("study can only be read", user=True, closed=("town",))]
    found.append(Fault("cache can only be read", user=True, closed=("cache",)))
    return (
        [
            *found,
            Fault(
                "another user's results",
                user=True,
                closed=tuple(one for one in first if (made.folder / one).exists()),
            ),
        ]
        if first
        else found
    )


COLUMNS = {
    "killed": "killed at a call, or in the middle of it",
    "disk full": "disk full from a call on",
    "disk error": "a write or flush fails once",
    "permission lost": "permission lost from a call on",
    "disk turns read-only": "disk read-only from a call on",
    "rename across disks": "renames fail as across devices",
    "too many open files": "an open fails, too many files",
    "input cannot be read": "a read fails once",
    "clock jumps": "clock jumps by ten years or an hour",
    "two at once": "two processes at once",
    "damaged input": "input cut short or bits flipped",
    "damaged cache": "cache cut short or bits flipped",
    "damaged results": "kept results or register damaged",
    "study can only be read": "study can only be read (as nobody)",
    "cache can only be read": "cache can only be read (as nobody)",
    "another user's results": "results of another user (as nobody)",
}
"""Kind of fault -> what it is called in the table."""

BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


def table_text(trials, words):
    """Write the tables of ``docs/reliability.md``: by kind of fault, and by command."""
    lines = [f"Made by `{words}`.", ""]
    by_kind, by_name = Counter(), Counter()
    for trial in trials:
        for counts, key in ((by_kind, trial.fault.kind), (by_name, trial.name)):
            counts[key, "tried"] += 1
            counts[key, "killed"] += any(status < 0 for status in trial.statuses)
            counts[key, "refused"] += any(status == 2 for status in trial.statuses)
            counts[key, "lost"] += bool(trial.lost)
            counts[key, "wrong"] += bool(trial.problems) and not trial.lost
    for counts, head, names in (
        (by_kind, "fault", COLUMNS),
        (by_name, "command", {name: f"`{name}`" for name in DEEDS}),
    ):
        lines += [f"| {head} | tried | killed | refused with a message | ended well | lost | other faults |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for key, shown in names.items():
            tried, killed, refused, lost, wrong = (
                counts[key, what] for what in ("tried", "killed", "refused", "lost", "wrong")
            )
            if tried:
                ended = tried - killed - refused
                lines.append(f"| {shown} | {tried} | {killed} | {refused} | {ended} | {lost} | {wrong} |")
        total = {what: sum(n for (_, one), n in counts.items() if one == what) for what in ("tried", "lost")}
        lines += ["", f"{total['tried']} tried, lost: {total['lost'] or 'nothing'}.", ""]
    return "\n".join(lines)


def write_page(trials, words):
    """Put the tables into ``docs/reliability.md``."""
    page = ROOT / "docs" / "reliability.md"
    before, rest = page.read_text("utf-8").split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{table_text(trials, words)}\n{END}{rest.split(END)[1]}", "utf-8")


def tried(name, most, seed):
    """Try the faults of one command, in a folder and a process of its own."""
    campaign = Campaign((name,))
    trials = []
    try:
        campaign.start()
        faults = faults_of(campaign.base(name), most, seed)
        print(f"{name}: {len(campaign.base(name).kinds)} calls, {len(faults)} faults", flush=True)  # noqa: T201
        for fault in faults:
            trials.append(campaign.attempt(name, fault))
            if trials[-1].lost or trials[-1].problems:
                print(f"\n{trials[-1]}", flush=True)  # noqa: T201 - a program
    finally:
        campaign.close()
    print(f"{name}: done", flush=True)  # noqa: T201 - a program
    return trials


def main():
    """Try faults and print what is wrong; with --write, put the table into docs/reliability.md."""
    import argparse  # noqa: PLC0415 - only where it is run as a program
    from concurrent.futures import ThreadPoolExecutor, as_completed  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", default=list(DEEDS))
    parser.add_argument("--most", type=int, help="points of each kind; left out, the whole campaign")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    told = [f"--most {given.most}" if given.most else "", f"--seed {given.seed}", "--write"]
    words = " ".join(["python tests/fault_campaign.py", *filter(None, told)])
    trials = []
    # The commands run in processes of their own: here is only waited for them.
    with ThreadPoolExecutor(given.jobs) as pool:
        waiting = [pool.submit(tried, name, given.most, given.seed) for name in given.names]
        for part in as_completed(waiting):
            trials += part.result()
            if given.write:  # after every command: what is known stands there if the next one is stopped
                write_page(trials, words)
    print(table_text(trials, words))  # noqa: T201 - a program


if __name__ == "__main__":
    main()
