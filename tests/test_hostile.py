"""Hostile files: refused with a message or read as they are, in a second and in less than a gigabyte.

A reader runs in a fork, whose most memory is measured; ``hostile_files`` makes what it is given.
"""

import ast
import csv
import json
import os
import re
import shutil
import signal
import sys
import traceback
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

import hostile_files as made
from commands import run as lifecircle
from conftest import ROOT, TOYTOWN, WHOLE_CAMPAIGN, edit
from lifecircle.cli import cli
from lifecircle.errors import LifecircleError, UnusableInputError
from lifecircle.facilities import read_facilities
from lifecircle.roads import read_roads
from lifecircle.scenario import read_changes
from lifecircle.study import read_study
from lifecircle.tables import unarmed

MOST_MB = 1000
SHARED = "xl/sharedStrings.xml"
SHEET = "xl/worksheets/sheet1.xml"
PASSWD = Path("/etc/passwd")


def _study(folder, text):
    study = Path(shutil.copytree(TOYTOWN, folder / "study"))
    (study / "study.toml").write_text(text, "utf-8")
    return study


def _written(path, text):
    path.write_text(text, "utf-8")
    return path


CASES = {
    "entities in .osm": (lambda at: made.osm(at / "a.osm", made.LAUGHS), "defines XML entities"),
    "a file as entity in .osm": (lambda at: made.osm(at / "a.osm", made.OUTSIDE), "defines XML entities"),
    "entities in .graphml": (
        lambda at: made.graphml(at / "a.graphml", made.LAUGHS),
        "not a readable GraphML",
    ),
    "a file as entity in .graphml": (
        lambda at: made.graphml(at / "a.graphml", made.OUTSIDE),
        "not a readable",
    ),
    "brackets in .graphml": (lambda at: made.graphml(at / "a.graphml", "", "[" * 200_000), ""),
    "entities in .kml": (lambda at: made.kml(at / "a.kml", made.LAUGHS), "document type"),
    "entities far down in .kml": (
        lambda at: made.kml(at / "a.kml", f"<!--{'x' * 70_000}-->{made.OUTSIDE}"),
        "document type",
    ),
    "entities in .gpx": (lambda at: made.gpx(at / "a.gpx", made.LAUGHS), "document type"),
    "deep .kml": (
        lambda at: _written(at / "a.kml", "<kml>" + "<a>" * 100_000 + "</a>" * 100_000 + "</kml>"),
        "empty table",
    ),
    "entities in the texts of .xlsx": (
        lambda at: made.workbook(
            at / "a.xlsx", SHARED, lambda old: made.after_head(made.LAUGHS)(old).replace(b"Library", b"&a9;")
        ),
        "document type",
    ),
    "entities in the sheet of .xlsx": (
        lambda at: made.workbook(at / "a.xlsx", SHEET, made.after_head(made.OUTSIDE)),
        "document type",
    ),
    "texts of .xlsx": (
        lambda at: made.workbook(at / "a.xlsx", SHARED, made.many_shared(1_000_000, 110)),
        "more than 100 MB",
    ),
    "styles of .xlsx": (
        lambda at: made.workbook(
            at / "a.xlsx", "xl/styles.xml", lambda old: old.replace(b"</cellXfs>", b"<xf/>" * 21_000_000)
        ),
        "more than 100 MB",
    ),
    "a part that lies about its size in .xlsx": (
        lambda at: made.lying_zip(at / "a.xlsx", "xl/workbook.xml", 100_000_000),
        "cannot be read",
    ),
    "a part that lies about its size in .kmz": (
        lambda at: made.lying_zip(at / "a.kmz", "doc.kml", 100_000_000),
        "cannot be read",
    ),
    "a layer without end in .gpkg": (
        lambda at: made.geopackage(at / "a.gpkg", made.ENDLESS_VIEW),
        "may never",
    ),
    "rows in .parquet": (lambda at: made.parquet(at / "a.parquet", rows=30_000_000), "30,000,000 rows"),
    "deep .geojson": (lambda at: made.deep_geojson(at / "a.geojson"), "nested"),
    "deep .geojson with a CRS": (
        lambda at: made.deep_geojson(at / "a.geojson", crs=True),
        "nested too deeply",
    ),
    "a cell of 10 MB in .geojson": (
        lambda at: made.huge_cell_geojson(at / "a.geojson"),
        "Too many characters",
    ),
    "a cell of 10 MB in .csv": (
        lambda at: _written(at / "a.csv", f"name,service,lon,lat\n{'x' * 9_999_000},library,120,30\n"),
        "longer than 32,767",
    ),
    "columns of .csv": (
        lambda at: _written(at / "a.csv", ",".join(map(str, range(200_000))) + "\n" + "1," * 199_999 + "1\n"),
        "more than 16,384 columns",
    ),
    "an open quote in .csv": (
        lambda at: _written(at / "a.csv", 'name,service,lon,lat\n"' + "a\n" * 1_000_000),
        "unexpected end",
    ),
    "a gigabyte in .osm.gz": (lambda at: made.packed_osm(at / "a.osm.gz", 300), ""),
    "a block that unpacks to much in .pbf": (
        lambda at: made.lying_pbf(at / "a.osm.pbf", 50_000_000),
        "OSM file",
    ),
    "a block that lies in .pbf": (lambda at: made.lying_pbf(at / "a.osm.pbf", 2**32 - 1), "OSM file"),
    "a head that lies in .pbf": (lambda at: made.lying_pbf(at / "a.osm.pbf", 10, header=2**31), "OSM file"),
    "keys in study.toml": (
        lambda at: _study(at, "".join(f"k{number} = 1\n" for number in range(20_000))),
        "unknown key",
    ),
    "deep study.toml": (lambda at: _study(at, "a = " + "[" * 100_000), "nested too deeply|cannot be read"),
    "long keys in study.toml": (
        lambda at: _study(at, ".".join("a" * 2_000) + " = 1\n"),
        "unknown key|nested",
    ),
    "deep changes": (
        lambda at: _written(at / "changes.toml", "a = " + "[" * 100_000),
        "nested|cannot be read",
    ),
    "long keys in changes": (
        lambda at: _written(at / "changes.toml", ".".join("a" * 2_000) + " = 1\n"),
        "nested too deeply",
    ),
}
"""What is made -> the file, and what is said of it; nothing where it may be read."""


def _read(path):
    if path.is_dir():
        return read_study(path)
    if path.name == "changes.toml":
        return read_changes(path)
    return (
        read_roads(path) if path.name.endswith((".osm", ".gz", ".pbf", ".graphml")) else read_facilities(path)
    )


def _in_a_fork(path):
    """Read a file in a fork; gives what came of it and the most memory the fork held, in MB."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(100)
        try:
            _read(path)
            told = "read"
        except LifecircleError as error:
            told = f"refused: {error}"
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is not the package's own
            told = f"raised {error!r}"[:500] + traceback.format_exc()[-1500:]
        os.write(writer, told.encode("utf-8", "replace")[:60_000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        told = file.read().decode("utf-8", "replace")
    _, status, used = os.wait4(child, 0)
    assert status == 0, f"killed by {status} after {told}"
    return told, used.ru_maxrss / 1e3


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform != "linux", reason="memory is measured on Linux")
@pytest.mark.parametrize("what", CASES if WHOLE_CAMPAIGN else list(CASES)[::3])
def test_a_hostile_file_costs_little_and_is_reported(tmp_path, what):
    make, said = CASES[what]
    # A process of its own makes it: what that takes is not counted.
    maker = os.fork()
    if maker == 0:
        make(tmp_path)
        os._exit(0)
    assert os.waitpid(maker, 0)[1] == 0
    path = max(tmp_path.iterdir(), key=lambda one: one.stat().st_mtime_ns)
    # A fork begins with what this process holds, which other tests have left here.
    held_mb = int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1e3
    told, most_mb = _in_a_fork(path)
    assert not told.startswith("raised"), told
    if said:
        assert told.startswith("refused"), told
        assert re.search(said, told), told[:500]
    assert len(max(told.splitlines(), key=len)) < 5000
    assert "root:" not in told
    assert most_mb - held_mb < MOST_MB


def test_pickles_are_never_loaded(tmp_path):
    mark = tmp_path / "mark"
    for path in (
        made.pickled_type(tmp_path / "a.parquet", mark),
        made.pickled_arrays(tmp_path / "a.npy", mark),
    ):
        with pytest.raises(UnusableInputError):
            read_facilities(path)
    assert not mark.exists()


FORBIDDEN = re.compile(r"(pickle|joblib|marshal|shelve|dill|yaml|eval|exec|os\.system|os\.popen)")


def test_nothing_in_the_package_runs_what_stands_in_a_file():
    """No pickle, no eval, no shell; numpy loads arrays only without objects.

    One file reads a pickle, from a pipe that only the copy of its own process writes to.
    """
    found = []
    for path in sorted((ROOT / "coverage" / "lifecircle").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Import | ast.ImportFrom):
                name = getattr(node, "module", None) or node.names[0].name
            keys = {key.arg: key.value for key in getattr(node, "keywords", []) if isinstance(node, ast.Call)}
            unsafe = [
                key for key in ("shell", "allow_pickle") if key in keys and ast.unparse(keys[key]) != "False"
            ]
            name = name.removesuffix(".load").removesuffix(".loads")
            own_pipe = path.name == "beside.py" and name == "pickle"
            if (FORBIDDEN.fullmatch(name) and not own_pipe) or unsafe:
                found.append(f"{path.name}:{node.lineno} {name} {unsafe}")
    assert not found


# ---------------------------------------------------------------------------------------------------------
# What leads out of a study


@pytest.mark.skipif(not PASSWD.is_file(), reason="there is no such file here")
@pytest.mark.parametrize(
    "name", ["../../../../etc/passwd", "/etc/passwd", "a/../../../etc/passwd", "linked.csv"]
)
def test_a_study_reads_nothing_outside_its_folder(toytown, name):
    (toytown / "linked.csv").symlink_to(PASSWD)
    edit(toytown / "study.toml", '"residents.csv"', f'"{name}"')
    done = lifecircle("audit", toytown)
    assert done.returncode == 2
    assert "outside the study's folder" in done.stderr
    assert "root:" not in done.stdout + done.stderr


def test_a_link_within_the_study_is_followed(toytown):
    shutil.move(toytown / "residents.csv", toytown / "homes.csv")
    (toytown / "residents.csv").symlink_to("homes.csv")
    assert read_study(toytown).path_in("residents.csv", 2025).is_file()


# ---------------------------------------------------------------------------------------------------------
# What is written: every name in the study is an attack, and every file is looked at

SCRIPT = "<script>EVIL</script><img src=x onerror=EVIL>\"'`"
FORMULA = "=EVIL(1)"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """Run every command that writes on a study whose names are attacks; gives the folder."""
    folder = tmp_path_factory.mktemp("attacked")
    town = Path(shutil.copytree(TOYTOWN, folder / "town"))
    for path, old in (("facilities.csv", "Toy library"), ("facilities.csv", "Toy gym west")):
        name = SCRIPT if "library" in old else FORMULA
        edit(town / path, old, '"' + name.replace('"', '""') + '"')
    districts = json.loads((town / "districts.geojson").read_text("utf-8"))
    districts["features"][0]["properties"]["name"] = SCRIPT
    districts["features"][1]["properties"]["name"] = FORMULA
    (town / "districts.geojson").write_text(json.dumps(districts), "utf-8")
    edit(town / "study.toml", '"Toy Town (example)"', f"'''{SCRIPT}'''")
    (town / "list.csv").write_text(f'name,address\n"{FORMULA}",Nowhere 7\n"{FORMULA}","=1+1"\n', "utf-8")
    (town / "changes.toml").write_text('[[change]]\naction = "close"\nid = "L1"\n', "utf-8")
    for words in (
        ["audit", town, "--quiet"],
        ["atlas", town, "--out", folder / "page.html"],
        ["atlas", town, "--edition", "public", "--out", folder / "public.html"],
        ["rectify", town],
        ["compare", town, "2024", "2025"],
        ["spot-check", town, "--target", "reading", "--size", "6"],
        ["report", town, "--years", "2025", "--no-maps"],
        ["scenario", town, town / "changes.toml"],
        ["site", town, "--target", "reading", "--new", "1"],
        ["locate", town / "list.csv", "--study", town],
        ["new", folder / "forms", "--forms", "--study", town],
    ):
        assert not cli.main(list(map(str, words)), standalone_mode=False), words
    with pytest.raises(SystemExit):
        cli.main(["check", str(town), "--html", str(folder / "check.html")], standalone_mode=False)
    return folder


class _Tags(HTMLParser):
    """Notes tags and attributes that would run what stands in a name."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.script = False

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, name) for name, value in attrs if name.startswith("on") or value == "x"]
        self.script = tag == "script" and "type" not in dict(attrs)

    def handle_endtag(self, tag):
        self.script = False if tag == "script" else self.script

    def handle_data(self, data):
        if self.script and data.strip().startswith("EVIL"):
            self.found.append(("script", data[:40]))


def test_no_page_runs_a_name(attacked):
    pages = sorted(attacked.rglob("*.html"))
    assert len(pages) >= 4
    for page in pages:
        tags = _Tags()
        tags.feed(page.read_text("utf-8"))
        assert not tags.found, page


def test_no_markdown_or_text_holds_a_tag(attacked):
    for path in attacked.rglob("*.md"):
        assert "<script" not in path.read_text("utf-8").replace("\\<", ""), path


def test_no_spreadsheet_runs_a_name(attacked):
    books = sorted(attacked.rglob("*.xlsx"))
    assert len(books) >= 8
    for path in books:
        with zipfile.ZipFile(path) as book:
            for part in book.namelist():
                formulas = re.findall(r"<f[ >][^<]*", book.read(part).decode("utf-8", "replace"))
                assert not [one for one in formulas if "EVIL" in one], (path, part)
    for path in attacked.rglob("*.csv"):
        if path.parent.name == "town":
            continue
        with path.open(encoding="utf-8-sig", newline="") as file:
            armed = [cell for row in csv.reader(file) for cell in row if unarmed(cell) != cell]
        assert not [cell for cell in armed if not cell.startswith("'")], (path, armed)


def test_documents_hold_names_as_text(attacked):
    for path in attacked.rglob("*.docx"):
        with zipfile.ZipFile(path) as book:
            for part in book.namelist():
                assert b"<script" not in book.read(part), (path, part)


def test_names_of_departments_make_no_path(toytown, tmp_path):
    text = (toytown / "standard.toml").read_text("utf-8")
    (toytown / "standard.toml").write_text(re.sub(r'department = "[^"]*"', 'department = "../../evil"', text))
    if "department" not in text:
        edit(toytown / "standard.toml", "[[service]]\n", '[[service]]\ndepartment = "../../evil"\n')
    cli.main(
        ["new", str(tmp_path / "a" / "forms"), "--forms", "--study", str(toytown)], standalone_mode=False
    )
    made_files = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.xlsx")}
    assert made_files
    assert all(path.parts[:2] == ("a", "forms") for path in made_files)


# ---------------------------------------------------------------------------------------------------------
# Secrets

SECRET = "hunter2hunter2"


def test_no_secret_stands_in_what_is_said_or_kept(toytown, tmp_path, monkeypatch):
    """A password in an address and in the environment, errors with -v and logs as JSON included."""
    address = f"postgresql://me:{SECRET}@127.0.0.1:1/db"
    edit(toytown / "study.toml", "[demand]", f"# {address}\n[demand]")
    for name in ("LIFECIRCLE_DATABASE", "LIFECIRCLE_LEDGER"):
        monkeypatch.setenv(name, address)
    monkeypatch.setenv("PGPASSWORD", SECRET)
    said = ""
    for options in ([], ["-v"], ["--log-format", "json"], ["--profile", str(tmp_path / "p.prof")]):
        done = lifecircle(*options, "audit", toytown, "--out", tmp_path / "out")
        assert done.returncode == 2  # the run is written, the database refuses
        said += done.stdout + done.stderr
    assert SECRET not in said
    assert (tmp_path / "out" / "2025" / "summary.json").is_file()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and toytown not in path.parents]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
