"""Run one fuzz case and judge it: the town, one thing wrong with it, one reader or command, what came out.

A reader ends with a result or with a :class:`LifecircleError`. A command ends with 0, 1 or 2, prints no
traceback, prints each fault in one line of bounded length, leaves nothing half-written, and ends in time.
Run as
a program, it repeats a case and keeps its files::

    python tests/fuzz_oracle.py reader 1234 --keep /tmp/case
"""

from __future__ import annotations

import gc
import hashlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import fuzz_town
from fuzz_places import PLACE_FORMATS, query_text, write_places, write_raster
from fuzzing import (
    TABLE_FORMATS,
    mutate_bytes,
    mutate_document,
    mutate_table,
    mutate_xml,
    toml_text,
    write_table,
)
from lifecircle import cli
from lifecircle.candidates import read_candidates, read_land
from lifecircle.demand import read_accepted, read_demand, read_districts, read_raster, read_villages
from lifecircle.errors import LifecircleError
from lifecircle.facilities import read_facilities
from lifecircle.files import LOCK, load_arrays
from lifecircle.findings import load_findings
from lifecircle.maps import read_labels, read_plans
from lifecircle.roads import read_barriers, read_roads
from lifecircle.scenario import read_changes
from lifecircle.standards import load_standard
from lifecircle.study import read_study
from lifecircle.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fuzzing import Draft

FORMATS = (*TABLE_FORMATS, *PLACE_FORMATS)
LONGEST_LINE = 2000
"""Characters a line of an error may have: it names a file, a place, a value, a reason and a remedy."""

MOST_LINES = 300
SECONDS = 60


@dataclass
class Outcome:
    """What came of a case.

    ``problems`` : what is wrong with it, empty where nothing is; ``frame`` : last place of the package in a
    traceback; ``steps`` : what was done to the input; ``noise`` : warnings Python printed.
    """

    name: str
    steps: list[str]
    problems: list[str] = field(default_factory=list)
    frame: str = ""
    noise: list[str] = field(default_factory=list)
    code: int | None = None
    printed: str = ""

    def __str__(self) -> str:
        """Say how to repeat the case and what went wrong."""
        kind, seed = self.name.split()[:2]
        return "\n".join(
            [
                f"repeat: python tests/fuzz_oracle.py {kind} {seed} --keep DIR",
                self.name,
                *self.steps,
                *self.problems,
            ]
        )


@dataclass(frozen=True)
class Town:
    """Valid things made once: the folder of the study, of it after an audit, a plan, a pbf, a cache.

    ``figures`` : value of every target of the audited town.
    """

    folder: Path
    audited: Path
    plan: Path
    pbf: Path
    cache: Path
    figures: dict[str, Any]


def make_town(folder: Path) -> Town:
    """Write the town, audit it, ask for a plan."""
    plain = fuzz_town.write_town(folder / "plain")
    audited = fuzz_town.fresh(plain, folder / "audited")
    cache = folder / "cache"
    with _environment(cache):
        for words in (["audit", str(audited)], ["site", str(audited), "--target", "reading", "--new", "1"]):
            outcome = Outcome("town 0", [])
            run_command(words, outcome)
            assert outcome.code == 0, (outcome.printed, outcome.problems)
    plan = folder / "plan"
    shutil.move(audited / "results" / "2025-site-reading-1", plan)
    summary = json.loads((audited / "results" / "2025" / "summary.json").read_text("utf-8"))
    figures = {one["id"]: one["value"] for one in summary["targets"]}
    return Town(plain, audited, plan, fuzz_town.write_pbf(folder), cache, figures)


@contextmanager
def _environment(cache: Path) -> Iterator[None]:
    before = os.environ.get("LIFECIRCLE_CACHE")
    os.environ["LIFECIRCLE_CACHE"] = str(cache)
    try:
        yield
    finally:
        if before is None:
            del os.environ["LIFECIRCLE_CACHE"]
        else:
            os.environ["LIFECIRCLE_CACHE"] = before


# ---------------------------------------------------------------------------------------------------------
# Judging


@contextmanager
def judged(outcome: Outcome) -> Iterator[None]:
    """Note what a block raises that is not an error of the package's own, and that it ends in time."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(record=True) as noted:
            warnings.simplefilter("always")
            yield
    except LifecircleError as error:
        outcome.printed = f"{type(error).__name__}: {error}"  # the command line prints it in its own way
    except (Exception, RecursionError) as error:  # noqa: BLE001 - what is not the package's own is the finding
        outcome.problems.append(f"{type(error).__name__}: {ascii(str(error))[:300]}")
        outcome.frame = _frame(error)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    outcome.noise += [f"{one.category.__name__}: {str(one.message)[:150]}" for one in noted]


def _frame(error: BaseException) -> str:
    mine = [one for one in traceback.extract_tb(error.__traceback__) if "/lifecircle/" in one.filename]
    last = traceback.extract_tb(error.__traceback__)[-1]
    if not mine:
        return f"{last.filename}:{last.lineno}"
    place = mine[-1].filename.rsplit("/lifecircle/", 1)[1]
    return f"{place}:{mine[-1].lineno} {mine[-1].name} ({Path(last.filename).name})"


def line_problems(text: str) -> list[str]:
    """Find lines that are too long, too many, or that a terminal would not show as one line."""
    lines = text.split("\n")
    found = []
    if len(lines) > MOST_LINES:
        found.append(f"{len(lines)} lines")
    for line in lines:
        if len(line) > LONGEST_LINE:
            found.append(f"a line of {len(line)} characters: {ascii(line)[:200]}")
        if len(line.splitlines()) > 1 or any(ord(char) < 32 for char in line):
            found.append(f"a line with control characters: {ascii(line)[:300]}")
    return found[:3]


def run_command(words: list[str], outcome: Outcome, *, encoding: str = "utf-8") -> None:
    """Run ``lifecircle`` with words as the shell would, and judge how it ends and what it prints."""
    streams = [
        io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=how)
        for how in ("strict", "backslashreplace")
    ]
    argv, limits = sys.argv, gc.get_threshold()
    sys.argv = ["lifecircle", *words]
    try:
        with redirect_stdout(streams[0]), redirect_stderr(streams[1]), judged(outcome):
            try:
                cli.main()
            except SystemExit as end:
                outcome.code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        sys.argv = argv
        gc.set_threshold(*limits)
        gc.unfreeze()
    for stream in streams:
        stream.flush()
    told, errors = (stream.buffer.getvalue().decode(encoding, "replace") for stream in streams)
    outcome.printed = told + errors
    if "Traceback" in outcome.printed:
        outcome.problems.append("a traceback is printed")
    if outcome.code not in {0, 1, 2} and not outcome.frame:
        outcome.problems.append(f"ends with {outcome.code}")
    if outcome.code == 2:
        outcome.problems += _usage_problems(errors)


def _usage_problems(errors: str) -> list[str]:
    lines = errors.rstrip("\n").split("\n")
    if not errors.strip():
        return ["ends with 2 and says nothing"]
    if lines[0].startswith("Usage:"):
        return []
    starts = ("error: ", "WARNING ", "错误", "警告")
    # a stream that cannot hold Chinese prints the numbers of the characters
    known = (*starts, *(word.encode("ascii", "backslashreplace").decode() for word in starts))
    odd = [line for line in lines if not line.startswith(known)]
    return [f"not a line of an error: {ascii(line)[:200]}" for line in odd[:2]] + line_problems(
        "\n".join(lines)
    )


def stands(folder: Path) -> dict[str, str]:
    """List what stands in a folder: each file with its hash, each folder with nothing."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.is_dir()
    }


def _left_behind(before: dict[str, str], after: dict[str, str], code: int | None) -> list[str]:
    """Find half-written things: temporary names at any time, anything at all after unusable input."""
    # The lock of a folder of results stays there, empty: a file that comes and goes would lock two writers.
    before, after = (
        {name: held for name, held in side.items() if Path(name).name != LOCK} for side in (before, after)
    )
    found = [f"left behind: {name}" for name in after if name not in before and "/." in f"/{name}"]
    if code != 0 and before != after:
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        found.append(f"ends with {code} and changes {sorted(changed)[:5]}")
    return found[:2]


# ---------------------------------------------------------------------------------------------------------
# Readers


def _whole(frame: Any, *, people: bool = False) -> None:
    """Assert that what is read may be counted with: people are numbers, not negative, labels are unique."""
    if people:
        counts = frame["population"].to_numpy(dtype=float)
        assert np.isfinite(counts).all(), "people that are no number"
        assert (counts >= 0).all(), "fewer people than none"
    assert frame.index.is_unique, "labels that are not unique"


def _demand(path: Path, rng: random.Random) -> None:
    groups = rng.choice([None, {"under3": "age_0_2", "over60": "age_60"}])
    frame, _ = read_demand(path, groups=groups, datum=_datum(rng), max_rejected=rng.choice([0.05, 1.0]))
    _whole(frame, people=True)


def _facilities(path: Path, rng: random.Random) -> None:
    more: dict[str, Any] = rng.choice([{}, {"service": "library"}, {"services": {"library": "gym"}},
                                       {"columns": {"name": "名称"}}, {"known_services": ["library",
                                       "gym"]}])  # fmt: skip
    frame, _ = read_facilities(path, datum=_datum(rng), max_rejected=rng.choice([0.05, 1.0]), **more)
    _whole(frame)


def _datum(rng: random.Random) -> str:
    return rng.choice(["wgs84", "wgs84", "wgs84", "gcj02", "bd09", "EPSG:4549", "auto"])


def _villages(path: Path, rng: random.Random) -> None:
    frame, _ = read_villages(path, max_rejected=rng.choice([0.05, 1.0]))
    _whole(frame)


def _accepted(path: Path, rng: random.Random) -> None:
    villages, _ = _good_villages()
    read_accepted(path, villages, max_rejected=rng.choice([0.05, 1.0]))


def _good_villages() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "villages.csv"
        write_table(fuzz_town.draft("villages"), path, random.Random(0))
        return read_villages(path)


def _roads(path: Path, rng: random.Random) -> None:
    mode = rng.choice(["walk", "walk", "drive", "cycle"])
    read_roads(path, mode=mode, crs=rng.choice([None, "EPSG:4549"]), keep=rng.random() < 0.2)


def _barriers(path: Path, _: random.Random) -> None:
    read_barriers(path, crs="EPSG:4549")


def _changes(path: Path, _: random.Random) -> None:
    read_changes(path)


def _candidates(path: Path, rng: random.Random) -> None:
    frame, _ = read_candidates(path, datum=_datum(rng), max_rejected=rng.choice([0.05, 1.0]))
    _whole(frame)


TABLES: dict[str, Callable[[Path, random.Random], None]] = {
    "demand": _demand, "demand_shapes": _demand, "facilities": _facilities, "facilities_shapes": _facilities,
    "districts": lambda path, _: _whole(read_districts(path)), "villages": _villages,
    "villages_shapes": _villages,
    "accepted": _accepted, "barriers": _barriers, "land": lambda path, rng: (read_land(path,
    datum=_datum(rng)), None)[1],
    "candidates": _candidates, "labels": lambda path, _: (read_labels(path), None)[1], "roads": _roads,
    "edges": _roads,
    "changes": _changes, "changes_shapes": _changes, "indicators": lambda path, _: (read_table(path),
    None)[1],
}  # fmt: skip


def run_reader(seed: int, folder: Path, town: Town) -> Outcome:
    """Make the reader case of a seed in an empty folder, run it and judge it."""
    rng = random.Random(f"reader {seed}")
    kind = rng.choices(["table", "osm", "graphml", "toml", "changes", "plan", "cache", "results", "raster",
                        "address"], [62, 9, 5, 9, 5, 4, 2, 4, 7, 3])[0]  # fmt: skip
    steps: list[str] = []
    with _environment(folder / "cache"):
        name, read = _READERS[kind](rng, folder, town, steps)
        outcome = Outcome(f"reader {seed} {name}", steps)
        with judged(outcome):
            read()
    return outcome


def _table_case(
    rng: random.Random, folder: Path, _: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    role = rng.choice(sorted(TABLES))
    draft = fuzz_town.draft(role)
    suffix = rng.choice(FORMATS)
    if draft.shapes is None and suffix in {"gpkg", "shp", "gdb"}:
        suffix = rng.choice(["csv", "xlsx"])
    path = folder / f"{role}.{suffix}"
    damaged = rng.random() < 0.15
    if not damaged:
        mutate_table(draft, rng)
    _write(draft, path, rng)
    steps += draft.steps
    if damaged or rng.random() < 0.05:
        victims = sorted(folder.glob(f"{role}.*"))
        victim = rng.choice(victims)
        if suffix == "shp" and rng.random() < 0.2:
            victim.unlink()
            steps.append(f"without {victim.name}")
        else:
            _damage(victim, rng, steps)
    return path.name, lambda: TABLES[role](path, rng)


def _write(draft: Draft, path: Path, rng: random.Random) -> None:
    # a .json is GeoJSON or an answer of Overpass
    of_places = path.suffix.lstrip(".") in PLACE_FORMATS and (path.suffix != ".json" or rng.random() < 0.7)
    (write_places if of_places else write_table)(draft, path, rng)


def _damage(path: Path, rng: random.Random, steps: list[str]) -> None:
    if path.is_dir():  # a file geodatabase
        path = rng.choice(sorted(path.iterdir()))
    data, told = mutate_bytes(path.read_bytes(), rng)
    path.write_bytes(data)
    steps.append(f"{path.name}: {told}")


def _raster_case(
    rng: random.Random, folder: Path, _: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    path = folder / "people.tif"
    steps += write_raster(path, fuzz_town.place(501000, 3377500), rng)
    if rng.random() < 0.3:
        _damage(path, rng, steps)
    districts = rng.choice([None, _good_districts()])
    more: dict[str, Any] = rng.choice([{}, {"per": "km2"}, {"nodata": [-99.0]}, {"groups": {"over60": "2"}},
                                       {"population": "2"}])  # fmt: skip
    return path.name, lambda: _whole(read_raster(path, districts=districts, **more).demand, people=True)


def _good_districts() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "districts.geojson"
        write_table(fuzz_town.draft("districts"), path, random.Random(0))
        return read_districts(path)


def _address_case(
    rng: random.Random, _folder: Path, _: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    text, told = query_text(rng)
    steps += told
    return "address", lambda: (read_table(text), None)[1]


def _osm_case(
    rng: random.Random, folder: Path, town: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    if rng.random() < 0.3:
        path = folder / "roads.osm.pbf"
        path.write_bytes(town.pbf.read_bytes())
        _damage(path, rng, steps)
    else:
        path = folder / "roads.osm"
        path.write_text(mutate_xml(fuzz_town.osm_xml(), rng, steps), "utf-8")
    read = rng.choice([_roads, _roads, _barriers])
    return path.name, lambda: read(path, rng)


def _graphml_case(
    rng: random.Random, folder: Path, _: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    path = folder / "roads.graphml"
    text = fuzz_town.graphml()
    data = rng.choice(["[]", "['a', 'b']", "{'init': 'epsg:4326'}", "nan", "1e400", "", "LINESTRING EMPTY",
                       "POINT (1 2)", "[" * 200, "__import__('os')", "-5", "0", "x" * 3000, "None",
                       "True"])  # fmt: skip
    if rng.random() < 0.5 and "</data>" in text:
        pieces = text.split("</data>")
        at = rng.randrange(len(pieces) - 1)
        head, _, _ = pieces[at].rpartition(">")
        steps.append(f"data {at} {head[-12:]} = {data[:40]}")
        pieces[at] = f"{head}>{data}"
        text = "</data>".join(pieces)
    else:
        text = mutate_xml(text, rng, steps)
    path.write_text(text, "utf-8")
    return path.name, lambda: _roads(path, rng)


def _toml_case(
    rng: random.Random, folder: Path, town: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    shutil.copytree(town.folder, folder / "study")
    path = folder / "study" / rng.choice(["study.toml", "standard.toml"])
    _mutate_toml(path, rng, steps)
    if path.name == "study.toml" or rng.random() < 0.3:
        return path.name, lambda: (read_study(folder / "study"), None)[1]
    return path.name, lambda: (load_standard(path), None)[1]


def _mutate_toml(path: Path, rng: random.Random, steps: list[str]) -> None:
    tree = {"study.toml": fuzz_town.study, "standard.toml": fuzz_town.standard}.get(
        path.name, lambda: json.loads(json.dumps(fuzz_town.CHANGES))
    )()
    if rng.random() < 0.85:
        steps += mutate_document(tree, rng)
        path.write_text(toml_text(tree), "utf-8")
    else:
        path.write_text(toml_text(tree), "utf-8")
        _damage(path, rng, steps)


def _changes_case(
    rng: random.Random, folder: Path, _: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    path = folder / f"changes.{rng.choice(['toml', 'json'])}"
    _write_changes(path, rng, steps)
    return path.name, lambda: _changes(path, rng)


def _write_changes(path: Path, rng: random.Random, steps: list[str]) -> None:
    if path.suffix == ".toml":
        _mutate_toml(path, rng, steps)
        return
    tree = json.loads(json.dumps(fuzz_town.CHANGES))
    tree = rng.choice([tree, tree["change"], {"changes": tree["change"]}])
    steps += mutate_document(tree, rng)
    path.write_bytes(json.dumps(tree, default=str).encode("utf-8", "surrogatepass"))
    if rng.random() < 0.15:
        _damage(path, rng, steps)


def _plan_case(
    rng: random.Random, folder: Path, town: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    path = folder / "plan.json"
    _write_plan(path, rng, town, steps)
    return path.name, lambda: (read_plans([path], study="toytown"), None)[1]


def _write_plan(path: Path, rng: random.Random, town: Town, steps: list[str]) -> None:
    tree = json.loads((town.plan / "plan.json").read_text("utf-8"))
    steps += mutate_document(tree, rng)
    path.write_bytes(json.dumps(tree, default=str).encode("utf-8", "surrogatepass"))
    if rng.random() < 0.15:
        _damage(path, rng, steps)


def _cache_case(
    rng: random.Random, folder: Path, town: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    shutil.copytree(town.cache, folder / "cache")
    path = rng.choice(sorted((folder / "cache").rglob("*.arrays")))
    _damage(path, rng, steps)
    return path.name, lambda: (load_arrays(path.parent.name, path.stem), None)[1]


def _results_case(
    rng: random.Random, folder: Path, town: Town, steps: list[str]
) -> tuple[str, Callable[[], None]]:
    run = folder / "2025"
    shutil.copytree(town.audited / "results" / "2025", run)
    mutate_results(run, rng, steps)
    return "results", lambda: (load_findings(run), None)[1]


def mutate_results(run: Path, rng: random.Random, steps: list[str]) -> None:
    """Damage a file of a run, take it away, or change what its summary says."""
    path = rng.choice(sorted(path for path in run.iterdir() if path.is_file()))
    kind = rng.choice(["bytes", "gone", "folder", "tree"])
    if path.name == "summary.json" and kind == "tree":
        tree = json.loads(path.read_text("utf-8"))
        steps += [f"summary.json: {step}" for step in mutate_document(tree, rng)]
        path.write_bytes(json.dumps(tree, default=str).encode("utf-8", "surrogatepass"))
    elif kind == "gone":
        path.unlink()
        steps.append(f"{path.name} taken away")
    elif kind == "folder":
        path.unlink()
        path.mkdir()
        steps.append(f"{path.name} is a folder")
    else:
        _damage(path, rng, steps)


_READERS: dict[str, Callable[..., tuple[str, Callable[[], None]]]] = {
    "table": _table_case, "osm": _osm_case, "graphml": _graphml_case, "toml": _toml_case,
    "changes": _changes_case, "plan": _plan_case, "cache": _cache_case, "results": _results_case,
    "raster": _raster_case, "address": _address_case,
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------------
# Commands

_ROLES_OF = {"demand": ("demand", "demand_shapes"), "facilities": ("facilities", "facilities_shapes"),
             "villages": ("villages", "villages_shapes"), "roads": ("roads", "edges")}  # fmt: skip
_COMMANDS = ("audit", "audit", "audit", "atlas", "scenario", "site")


def run_whole_command(seed: int, folder: Path, town: Town) -> Outcome:
    """Make the command case of a seed in an empty folder, run it and judge it."""
    rng = random.Random(f"command {seed}")
    kind = rng.choices(list(_DAMAGES), [share for share, _, _ in _DAMAGES.values()])[0]
    _, commands, damage = _DAMAGES[kind]
    command = rng.choice(commands)
    study, cache = folder / "town", folder / "cache"
    shutil.copytree(town.audited if kind == "results" else town.folder, study)
    words = [command, str(study), *_usual_words(command, study, rng)]
    steps: list[str] = []
    words += damage(Scene(study, cache, town, words), rng, steps)
    outcome = Outcome(f"command {seed} {' '.join(words).replace(str(folder), '.')[:300]}", steps)
    before = stands(study)
    with _environment(cache):
        run_command(words, outcome, encoding=rng.choice(["utf-8"] * 7 + ["ascii"]))
    outcome.problems += _left_behind(before, stands(study), outcome.code)
    if kind == "cache" and command == "audit" and not outcome.problems:
        outcome.problems += (
            _other_figures(study, town) if outcome.code == 0 else ["a damaged cache ends the audit"]
        )
    return outcome


def _usual_words(command: str, study: Path, rng: random.Random) -> list[str]:
    if command == "scenario":
        return [str(study / "changes.toml")]
    if command == "site":
        return ["--target", rng.choice(["reading", "culture"]), "--new", "1", "--time-limit", "5"]
    return ["--edition", "public"] if command == "atlas" and rng.random() < 0.3 else []


@dataclass(frozen=True)
class Scene:
    """What a command is about to run on; ``words`` : those of the command so far."""

    study: Path
    cache: Path
    town: Town
    words: list[str]


def _damage_table(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    _swap_table(scene.study, rng, steps)
    return []


def _damage_toml(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    _mutate_toml(scene.study / rng.choice(["study.toml", "study.toml", "standard.toml"]), rng, steps)
    return []


def _damage_changes(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    path = scene.study / f"changes.{rng.choice(['toml', 'json'])}"
    _write_changes(path, rng, steps)
    scene.words.remove(str(scene.study / "changes.toml"))
    return [str(path)]


def _damage_plan(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    _write_plan(scene.study / "plan.json", rng, scene.town, steps)
    return ["--plan", str(scene.study / "plan.json")]


def _damage_results(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    mutate_results(scene.study / "results" / "2025", rng, steps)
    return []


def _damage_osm(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    (scene.study / "roads.osm").write_text(mutate_xml(fuzz_town.osm_xml(), rng, steps), "utf-8")
    _say(scene.study, lambda tree: tree["roads"].update(file="roads.osm"))
    return []


def _damage_cache(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    shutil.copytree(scene.town.cache, scene.cache)
    entries = sorted(scene.cache.rglob("*.arrays"))
    for path in rng.sample(entries, rng.choice([1, 1, len(entries)])):
        _damage(path, rng, steps)
    return []


def _damage_words(scene: Scene, rng: random.Random, _: list[str]) -> list[str]:
    return _odd_words(scene.words[0], rng)


def _damage_raster(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    path = scene.study / "people-mutated.tif"
    steps += write_raster(path, fuzz_town.place(501000, 3377500), rng)
    if rng.random() < 0.15:
        _damage(path, rng, steps)
    more: dict[str, Any] = rng.choice([{}, {"per": "km2"}, {"groups": {"under3": "2", "over60": "2"}}])
    _say(scene.study, lambda tree: tree.update(demand={"file": path.name, **more}))
    return []


def _damage_address(scene: Scene, rng: random.Random, steps: list[str]) -> list[str]:
    text, told = query_text(rng)
    steps += told
    _say(scene.study, lambda tree: tree["facilities"][0].update(file=text))
    return []


_DAMAGES: dict[str, tuple[int, tuple[str, ...], Callable[[Scene, random.Random, list[str]], list[str]]]] = {
    "table": (50, _COMMANDS, _damage_table),
    "toml": (18, _COMMANDS, _damage_toml),
    "changes": (8, ("scenario",), _damage_changes),
    "results": (8, ("atlas", "audit", "scenario"), _damage_results),
    "cache": (4, ("audit", "atlas"), _damage_cache),
    "words": (4, _COMMANDS, _damage_words),
    "plan": (4, ("atlas",), _damage_plan),
    "osm": (4, _COMMANDS, _damage_osm),
    "raster": (6, _COMMANDS, _damage_raster),
    "address": (2, _COMMANDS, _damage_address),
}
"""Kind of damage -> how often, commands it is tried on, how it is done: it gives further words."""


def _say(study: Path, change: Callable[[dict[str, Any]], object]) -> None:
    tree = fuzz_town.study()
    change(tree)
    (study / "study.toml").write_text(toml_text(tree), "utf-8")


def _swap_table(study: Path, rng: random.Random, steps: list[str]) -> None:
    """Replace a table of the study by a mutated one, in any format that may hold it."""
    role = rng.choice(sorted(fuzz_town.FILES))
    draft = fuzz_town.draft(rng.choice(_ROLES_OF.get(role, (role,))))
    suffix = rng.choice(FORMATS)
    if draft.shapes is None and suffix in {"gpkg", "shp", "gdb"}:
        suffix = "csv"
    if rng.random() < 0.5:
        suffix = fuzz_town.FILES[role].rpartition(".")[2]
    path = study / f"{role}-mutated.{suffix}"
    mutate_table(draft, rng)
    _write(draft, path, rng)
    steps += [f"{path.name}: {step}" for step in draft.steps]
    if rng.random() < 0.08:
        _damage(path, rng, steps)

    def name(tree: dict[str, Any]) -> None:
        part: Any = {"accepted": tree["villages"]["accepted"], "land": tree["siting"]["exclude"],
        "mask": tree["publish"],
                     "candidates": tree["siting"], "labels": tree["atlas"],
                     "facilities": tree["facilities"][0]}.get(role) or tree[role]  # fmt: skip
        key = {
            "accepted": "culture",
            "land": "Farm",
            "mask": "mask",
            "candidates": "candidates",
            "labels": "labels",
        }
        part[key.get(role, "file")] = path.name

    _say(study, name)


def _odd_words(command: str, rng: random.Random) -> list[str]:
    odd = rng.choice(
        [
            "0",
            "0000",
            "-1",
            "99999",
            "2025-2021",
            "",
            "x",
            "2025,2025",
            "9" * 30,
            "1e9",
            "nan",
            "中文",
            "\x00"[:0],
        ]
    )
    flags = {"audit": ["--year", "--out"], "atlas": ["--years", "--results", "--out", "--static"],
             "scenario": ["--year", "--out"], "site": ["--year", "--new", "--objective", "--service",
             "--budget", "--why"]}  # fmt: skip
    flag = rng.choice(flags[command])
    return [flag, odd] if flag not in {"--out", "--static", "--results"} else [flag, f"/dev/null/{odd}"]


def _other_figures(study: Path, town: Town) -> list[str]:
    summary = json.loads((study / "results" / "2025" / "summary.json").read_text("utf-8"))
    found = {one["id"]: one["value"] for one in summary["targets"]}
    return (
        []
        if found == town.figures
        else [f"figures out of a damaged cache: {found}, without it {town.figures}"]
    )


def main() -> None:
    """Repeat one case, or run many and list what is wrong with them."""
    import argparse  # noqa: PLC0415 - only where it is run as a program

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("kind", choices=["reader", "command"])
    parser.add_argument("seed", type=int)
    parser.add_argument("--to", type=int, help="last seed of a run of many")
    parser.add_argument("--keep", type=Path, help="folder to leave the files of the case in")
    given = parser.parse_args()
    run = run_reader if given.kind == "reader" else run_whole_command
    with tempfile.TemporaryDirectory() as place:
        town = make_town(Path(place) / "made")
        seen: dict[str, int] = {}
        for seed in range(given.seed, (given.to or given.seed) + 1):
            folder = given.keep or Path(place) / f"case-{seed}"
            folder.mkdir(parents=True)
            try:
                outcome = run(seed, folder, town)
            except Exception as error:  # noqa: BLE001 - a fault of the fuzzer's own ends no campaign
                outcome = Outcome(
                    f"{given.kind} {seed}",
                    [],
                    [f"the fuzzer itself: {error!r}"[:300]],
                    f"fuzzer {_frame(error)}",
                )
            key = outcome.frame or "; ".join(problem[:60] for problem in outcome.problems)
            if outcome.problems:
                seen[key] = seen.get(key, 0) + 1
            if (outcome.problems and seen[key] <= 3) or given.to is None:
                told = outcome.printed[:1500] if given.to is None else ""
                notes = f"at {outcome.frame}\ncode {outcome.code}; {outcome.noise[:3]}"
                print(f"\n{outcome}\n{notes}\n{told}", flush=True)  # noqa: T201 - a program
            if not given.keep:
                shutil.rmtree(folder)
        print(json.dumps(seen, indent=1, ensure_ascii=False))  # noqa: T201 - a program


if __name__ == "__main__":
    main()
