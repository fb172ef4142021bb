"""The collected cases: inputs of real offices that gave a wrong figure, and inputs made to do harm.

They lie in the folder of real inputs beside the repository (``cases/field`` and ``cases/hostile``);
without it
these tests are skipped. A case ends with the right figure, or with a statement that something is wrong
with the
input; never with a traceback, a figure said in silence, half a result, or a request to a network.
"""

import csv
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
import shapely

import lifecircle as lc
from conftest import ROOT
from fuzz_oracle import Outcome, run_command, stands

TOY = {"reading": 215 / 275, "culture": 75 / 275, "health": 15 / 74}
"""Figures of the toy town for 2025, counted by hand in its notes."""

FOUR_GIGABYTES = 4 * 1024**3


@pytest.fixture(scope="session")
def cases():
    """Give the folder of collected cases beside the repository, or skip with the reason."""
    shared = Path(os.environ.get("LIFECIRCLE_SHARED", ROOT.parent / "shared"))
    if not (shared / "cases").is_dir():
        pytest.skip("the collected cases are not beside the repository (set LIFECIRCLE_SHARED)")
    return shared / "cases"


class Watch:
    """Counts every request: of libraries in C, which are sent to a proxy here, and of Python's sockets."""

    def __init__(self):
        self.requests = []
        watch = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                watch.requests.append(self.path)
                self.send_error(404)

            do_CONNECT = do_HEAD = do_POST = do_GET  # noqa: N815 - names of the library

            def log_message(self, *_):
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """End the watch."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def network(monkeypatch):
    """Watch for requests: none may be made, not even to this machine."""
    watch = Watch()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{watch.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    def refuse(_, address):
        watch.requests.append(str(address))
        raise OSError("no network in a test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield watch
    watch.close()
    assert not watch.requests


class Case:
    """A case in a folder of its own, and what came of it."""

    def __init__(self, folder, tmp_path, monkeypatch):
        self.folder = tmp_path / folder.name
        shutil.copytree(folder, self.folder)
        for path in (self.folder, *self.folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path / "cache"))
        monkeypatch.chdir(tmp_path)
        self.outcome = Outcome("case 0", [])

    def run(self, *words):
        """Run a command, check how it ends whatever the case, and give its exit code."""
        before = stands(self.folder)
        run_command([str(word) for word in words], self.outcome)
        assert not self.outcome.problems, (self.outcome.frame, self.outcome.problems)
        if self.outcome.code == 2:
            assert stands(self.folder) == before, "half a result"
        return self.outcome.code

    def audit(self):
        """Audit the case's study."""
        return self.run("audit", self.folder)

    @property
    def printed(self):
        """All that was printed."""
        return self.outcome.printed

    def read(self, name, year=2025):
        """Read a file of the run."""
        return (self.folder / "results" / str(year) / name).read_text("utf-8-sig")

    @property
    def summary(self):
        """The run's summary."""
        return json.loads(self.read("summary.json"))

    @property
    def target(self):
        """What the summary says of the only target."""
        (target,) = self.summary["targets"]
        return target

    @property
    def rejects(self):
        """Rows rejected."""
        return list(csv.DictReader(self.read("rejects.csv").splitlines()))

    def says(self, *words):
        """Return whether something that is printed or written of the reading names any of the words."""
        summary = self.summary
        warned = json.dumps([summary["warnings"], summary.get("reading")], ensure_ascii=False)
        text = " ".join([self.printed, warned, self.read("rejects.csv")])
        return any(word in text for word in words)


@pytest.fixture
def field(cases, tmp_path, monkeypatch, network):  # noqa: ARG001 - no case of an office asks a network
    return lambda name: Case(cases / "field" / name, tmp_path, monkeypatch)


@pytest.fixture
def hostile(cases, tmp_path, monkeypatch, network):  # noqa: ARG001 - nor does a hostile one
    return lambda name: Case(cases / "hostile" / name, tmp_path, monkeypatch)


# ---------------------------------------------------------------------------------------------------------
# Field: the right figure, or a report


@pytest.mark.parametrize("name", ["01-roads-not-split/study", "01-roads-not-split/study-gap-5mm"])
def test_roads_that_meet_are_joined(field, name):
    case = field(name)
    assert case.audit() == 0
    assert case.target["value"] == 1.0
    assert case.target["people"]["covered"] == 200


def test_a_home_beside_a_stub_goes_to_the_street(field):
    case = field("03-home-on-stub/study")
    assert case.audit() == 0
    people = case.target["people"]
    # 45 m to the street and 190 m along it; to be a defect of the data would do, a gap in service would not
    assert (people["covered"], people["unsnapped"]) in {(300, 0), (200, 100)}


def test_venues_that_all_lie_elsewhere_are_refused(field):
    case = field("04-venues-elsewhere/study")
    assert case.audit() == 2
    assert "fac.csv" in case.printed


def test_a_large_park_is_reached_at_its_edge_or_reported(field):
    case = field("06-large-park-polygon/study")
    if case.audit() == 2:
        assert "parks.geojson" in case.printed
    else:
        assert case.target["value"] == 1.0 or case.says("Park", "parks.geojson")
        assert case.target["value"] == 1.0 or case.summary["warnings"]


def test_every_sheet_is_read_or_the_workbook_refused(field):
    case = field("08-two-sheets/study")
    if case.audit() == 2:
        assert "fac.xlsx" in case.printed
        assert "sheet" in case.printed
    else:
        assert case.target["value"] == 1.0
        assert case.target["people"]["covered"] == 200


@pytest.mark.parametrize("name", ["09-office-hours/study", "12-hours-semicolon/study"])
def test_hours_as_offices_write_them(field, name):
    case = field(name)
    assert case.audit() == 0
    assert case.target["value"] == 1.0 or case.says("8:30-11:30;13:30-17:00", "hours")


def test_every_figure_of_a_row_follows_its_accounting(field):
    case = field("10-accounting-not-reach/study-open")
    assert case.audit() == 0
    target = case.target
    assert target["value"] == 0.0
    assert target["status"] == "missed"
    assert target["shortfall_people"] == 180
    assert target["previous"] in {0.0, None}
    (district,) = target["districts"]
    assert (district["value"], district["status"]) == (0.0, "missed")
    assert {target["band"][name] for name in ("slow", "usual", "fast")} == {0.0}
    first = next(csv.DictReader(case.read("scoreboard.csv").splitlines()))
    assert first["still to be covered (people)"] == "180"
    assert "-100" not in first["change (points)"]
    gaps = list(csv.DictReader(case.read("gaps.csv").splitlines()))
    assert sum(float(row["people"]) for row in gaps) == 200


def test_network_distance_is_one_row_or_has_a_reason(field):
    case = field("10-accounting-not-reach/study-network_distance")
    assert case.audit() == 0
    target = case.target
    if target["status"] == "not_assessable":
        assert target["reason"]
    else:  # one home 900 m away, one 1,100 m, and a radius of 1,000 m
        assert (target["value"], target["shortfall_people"]) == (0.5, 80)
        assert target["districts"][0]["value"] == 0.5


@pytest.mark.parametrize(
    "name", ["11-names-not-recognised/study-mapped", "11-names-not-recognised/study-unmapped"]
)
def test_a_hall_listed_twice_is_one(field, name):
    case = field(name)
    assert case.audit() == 0
    assert case.target["value"] == 0.0 or case.says("名称", "names_not_found", "no names")
    if case.target["value"] == 0.0:
        assert len(case.rejects) == 1


def test_text_of_another_encoding_is_read_or_refused(field):
    case = field("13-latin1-text/study")
    if case.audit() == 2:
        assert "homes.csv" in case.printed
    else:
        (district,) = case.target["districts"]
        assert (district["name"], district["people"]) == ("Peñaflor", 150)
        assert case.target["people"] == {
            "total": 150, "covered": 100, "beyond": 0, "disconnected": 0, "unsnapped": 50
        }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("all-ways-first", 1.0), ("deleted-way", 0.0), ("new-way-negative-id", 1.0), ("node-after-way", 1.0)],
)
def test_osm_files_edited_by_hand(field, name, value):
    case = field(f"14-osm-xml/study-{name}")
    if case.audit() == 2:
        # the way that is left does not come near the home: to refuse the file as it stands is as right
        assert name == "deleted-way"
        assert "homes.csv" in case.printed
    else:
        assert case.target["value"] == value


def test_a_wall_is_not_walked_on(field):
    case = field("15-rows-without-class/study")
    if case.audit() == 2:
        assert "roads.geojson" in case.printed
    else:
        assert case.target["value"] == 0.0


def test_lines_drawn_backwards_between_named_junctions(cases):
    folder = cases / "field" / "17-uv-lines-drawn-backwards"
    roads = lc.read_roads(folder / "refused.geojson")
    assert sorted(round(float(length)) for length in roads.length_m) == [100, 100]
    # 1 - 2 is drawn from 2 to 1 and one-way as drawn: from 3, behind 2, one comes to 4, behind 1, not back
    roads = lc.read_roads(folder / "one-way-turned.geojson", mode="drive")
    three, four = ((117.00111093691534, 36.131194129627936), (117.0, 36.13119413477961))
    assert _drives(roads, three, four)
    assert not _drives(roads, four, three)


def _drives(roads, start, end):
    home, venue = (
        gpd.GeoDataFrame(geometry=[shapely.Point(place)], crs="EPSG:4326") for place in (start, end)
    )
    near = lc.nearest(roads, home.assign(population=1), venue.assign(service="hall"), limit_min=15)
    return bool(near["seconds"].notna().all())


def test_graphml_of_an_older_osmnx(cases):
    roads = lc.read_roads(cases / "field" / "18-graphml-old-crs" / "old.graphml")
    assert [round(float(length)) for length in roads.length_m] == [500]


_DISTRICTS = '[districts]\nfile = "towns.geojson"\n'


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        ("towns.json", 'file = "towns.geojson"', 'file = "towns.json"'),
        ("towns-own-column.geojson", _DISTRICTS,
        '[districts]\nfile = "towns-own-column.geojson"\ncolumns = { name = "XZQMC" }\n'),
        ("two-layers.gpkg", 'file = "fac.csv"',
        'file = "two-layers.gpkg"\nlayer = "halls"\nservice = "hall"'),
        ("location.csv", 'file = "fac.csv"', 'file = "location.csv"\nservice = "hall"'),
    ],
)  # fmt: skip
def test_layers_as_offices_have_them(cases, field, given, old, new):
    case = field("20-too-few-venues-called-disconnected/study")
    shutil.copy(cases / "field" / "19-layers-as-offices-have-them" / given, case.folder)
    if given == "location.csv":
        (case.folder / given).write_text('name,location\nA,"117.0,36.13029292"\n', "utf-8")
    study = (case.folder / "study.toml").read_text("utf-8")
    assert old in study
    (case.folder / "study.toml").write_text(study.replace(old, new), "utf-8")
    profile = (case.folder / "mine.toml").read_text("utf-8")
    (case.folder / "mine.toml").write_text(profile.replace("hall_class = 2", "hall_class = 1"), "utf-8")
    if given.startswith("towns"):  # its one town is 20 m wide, so the home goes into it
        home = (case.folder / "homes.csv").read_text("utf-8")
        (case.folder / "homes.csv").write_text(home.replace("117.00333277264139", "117.0001"), "utf-8")
    assert case.audit() == 0, case.printed
    assert case.target["value"] == 1.0


def test_one_venue_too_few_has_its_own_reason(field):
    case = field("20-too-few-venues-called-disconnected/study")
    assert case.audit() == 0
    assert case.target["value"] == 0.0
    (gap,) = csv.DictReader(case.read("gaps.csv").splitlines())
    assert gap["reason"] != "disconnected"
    assert "no path" not in gap["reason"]


# ---------------------------------------------------------------------------------------------------------
# Hostile: the toy town's figures, a row less, or refused in lines


def _figures(case):
    return {one["id"]: one["value"] for one in case.summary["targets"] if one["id"] in TOY}


def _is_toy(case):
    return _figures(case) == pytest.approx(TOY, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("01-osm-version", "roads.osm"),
        ("03-osm-lat-nan", "roads.osm"),
        ("04-parquet-wkb-cut", "residents.parquet"),
        ("04b-parquet-wkb-empty", "residents.parquet"),
        ("06-geojson-line-of-one-point", "roads.geojson"),
        ("07-geojson-cell-is-list", "residents.geojson"),
        ("07b-roads-highway-empty-list", "roads.geojson"),
        ("09-barrier-lat-181", "b.geojson"),
        ("10-xlsx-xml-broken", "residents.xlsx"),
        ("11-xlsx-1e400", "residents.xlsx"),
        ("18-roads-highway-struct", "roads.parquet"),
        ("28-geojson-crs-link", "r.geojson"),
    ],
)
def test_a_broken_file_is_refused_by_name_or_its_row_is_reported(hostile, name, file):
    case = hostile(name)
    if case.audit() == 2:
        assert file in case.printed
    else:
        assert _is_toy(case) or case.says(file)


@pytest.mark.parametrize(
    ("name", "words", "place"),
    [
        ("14-standard-target-id-table", ["audit", "{}"], "target[1].id"),
        ("15-file-name-too-long", ["audit", "{}"], "aaa"),
        ("16-crs-not-a-crs", ["audit", "{}"], "crs"),
        ("17-year-0", ["audit", "{}", "--year", "0"], "year"),
        ("17c-years-0000", ["atlas", "{}", "--years", "0000"], "year"),
        ("19-change-line-empty", ["scenario", "{}", "{}/c.toml"], "c.toml"),
        ("21-change-json-deep", ["scenario", "{}", "{}/c.json"], "c.json"),
        ("34-roads-unreadable-newline", ["audit", "{}"], "facilities.csv"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_lines(hostile, name, words, place):
    case = hostile(name)
    assert case.run(*(word.format(case.folder) for word in words)) == 2
    assert place in case.printed


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("22-results-summary-cut", "summary.json"),
        ("24-results-gpkg-gone", "results.gpkg"),
        ("25-results-ranks-cut", "ranks.parquet"),
        ("26-results-rejects-gone", "rejects.csv"),
    ],
)
def test_a_damaged_run_is_computed_again_or_reported(hostile, name, file):
    case = hostile(name)
    if case.run("atlas", case.folder) == 2:
        assert file in case.printed
    else:
        assert (case.folder / "maps" / "toytown.html").stat().st_size > 100_000


@pytest.mark.parametrize("name", ["00-label-template-runs-code", "00b-label-html"])
def test_a_label_is_never_a_template(hostile, tmp_path, name):
    case = hostile(name)
    assert case.run("atlas", case.folder) in {0, 2}
    assert not list(tmp_path.rglob("PWNED")), "code out of a table was run"
    page = case.folder / "maps" / "toytown.html"
    if page.is_file():
        assert "<img src=x" not in page.read_text("utf-8")


def test_a_geopackage_that_names_another_file_is_not_followed(hostile, tmp_path):
    case = hostile("27-gpkg-is-a-vrt")
    # what the case points at is there, and would be read
    shutil.copy(case.folder / "districts.geojson", tmp_path / "outside.geojson")
    shutil.copy(case.folder / "districts.geojson", case.folder / "outside.geojson")
    assert case.audit() == 2
    assert "r.gpkg" in case.printed


def test_a_crs_that_is_a_link_is_not_fetched(hostile, network):
    case = hostile("28-geojson-crs-link")
    path = case.folder / "r.geojson"
    text = path.read_text("utf-8")
    assert "127.0.0.1:8765" in text
    path.write_text(text.replace("127.0.0.1:8765", f"127.0.0.1:{network.port}"), "utf-8")
    case.audit()
    assert not network.requests


@pytest.mark.parametrize("name", ["29-xlsx-formula", "30-name-3000-char-url"])
def test_a_workbook_holds_text_as_text(hostile, name):
    case = hostile(name)
    assert case.audit() == 0
    assert _is_toy(case)
    path = case.folder / "results" / "2025" / "scoreboard.xlsx"
    book = openpyxl.load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert not [cell for cell in cells if cell.hyperlink]
    with zipfile.ZipFile(path) as parts:
        assert not [part for part in parts.namelist() if "hyperlink" in part or "externalLink" in part]
    if name.startswith("30"):
        district = json.loads((case.folder / "districts.geojson").read_text("utf-8"))["features"][0][
            "properties"
        ]
        assert len(district["name"]) > 2000
        assert any(cell.value == district["name"] for cell in cells)


def test_half_a_character_in_a_name(hostile):
    case = hostile("32-surrogate-name")
    if case.audit() == 2:
        assert "districts.geojson" in case.printed
    else:
        assert _is_toy(case)


def test_a_dollar_in_a_name_is_a_dollar(hostile, tmp_path):
    case = hostile("35-dollar-name")
    pictures = tmp_path / "pictures"
    assert case.run("atlas", case.folder, "--static", pictures) == 0
    page = (case.folder / "maps" / "toytown.html").read_text("utf-8")
    assert "From $5_x{ to $10" in page
    assert len(list(pictures.glob("*.png"))) == 3


@pytest.mark.parametrize("number", [0, 2, 4])
@pytest.mark.parametrize("name", ["17-year-0", "36-xlsx-far-cell"])
def test_a_damaged_cache_changes_no_figure(cases, hostile, tmp_path, number, name):
    case = hostile(name)
    study = (case.folder / "study.toml").read_text("utf-8")
    (case.folder / "study.toml").write_text(study.replace("r.xlsx", "residents.csv"), "utf-8")
    shutil.copytree(cases / "hostile" / f"cache-{number}", tmp_path / "cache")
    for path in (tmp_path / "cache").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert case.audit() == 0
    assert _is_toy(case)


_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
from lifecircle.cli import main
sys.argv = ["lifecircle", "audit", {folder!r}]
main()
"""


def test_a_stray_far_cell_takes_no_memory(hostile):
    case = hostile("36-xlsx-far-cell")
    program = _LIMITED.format(limit=FOUR_GIGABYTES, folder=str(case.folder))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert "r.xlsx" in done.stderr
    else:
        assert done.returncode == 0
        assert _is_toy(case)
