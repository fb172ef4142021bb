"""A place fetched into files, from a small server on this machine that answers as the real ones do."""

import json
import socket
import subprocess
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import geopandas as gpd
import osmnx
import pytest
import shapely
from click.testing import CliRunner

from lifecircle.audit import run_audit
from lifecircle.cli import cli
from lifecircle.errors import FetchError, UnusableInputError
from lifecircle.facilities import read_facilities
from lifecircle.fetch import fetch_place, service_of, wanted_tags
from lifecircle.roads import fetch_roads, read_roads

LON, LAT, STEP = 120.95, 30.53, 0.001
PLACES = {1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (1, 1), 5: (1, -1), 6: (0.5, 0.2), 7: (1.4, 0.1), 8: (0.2, 0.3)}
CORNERS = {11: (0.6, 0.6), 12: (0.9, 0.6), 13: (0.9, 0.9), 14: (0.6, 0.9)}
WAYS = {
    101: ([1, 2, 3], {"highway": "primary", "oneway": "yes", "name": "中山路", "bridge": "yes"}),
    102: ([4, 2, 5], {"highway": "footway"}),
    103: ([4, 3], {"highway": "service", "oneway": "-1", "bicycle": "no"}),
}
OBJECTS = [
    (6, {"amenity": "library", "name": "图书馆", "opening_hours": "Mo-Su 09:00-17:00"}),
    (7, {"amenity": "clinic", "name": "爱宠动物诊所"}),
    (8, {"highway": "bus_stop", "name": "北站"}),
]
PARK = (201, [11, 12, 13, 14, 11], {"leisure": "park", "name": "公园"})


def nodes(places, tags=None):
    return [
        {
            "type": "node",
            "id": name,
            "lon": round(LON + x * STEP, 7),
            "lat": round(LAT + y * STEP, 7),
            **({"tags": tags[name]} if tags and name in tags else {}),
        }
        for name, (x, y) in places.items()
    ]


def ways(parts):
    return [
        {"type": "way", "id": name, "nodes": refs, "tags": tags}
        for name, (refs, tags) in sorted(parts.items())
    ]


class Server:
    """Answers as the gazetteer and as Overpass; it counts what it is asked."""

    def __init__(self):
        self.outline = shapely.box(LON - STEP, LAT - 2 * STEP, LON + 3 * STEP, LAT + 2 * STEP)
        self.status = 200
        self.objects = nodes(PLACES | CORNERS, dict(OBJECTS)) + ways({PARK[0]: PARK[1:]})
        self.asked = []

    def answer(self, path, body):
        """Return the text the real server would give."""
        self.asked.append(path.split("?")[0])
        if path.startswith("/status"):
            return "1\n2\n3\n4\n2 slots available now.\n"
        if path.startswith("/search"):
            place = {"importance": 0.9, "boundingbox": ["0", "1", "2", "3"], "lat": "0", "lon": "0"}
            place |= {"display_name": "武原", "geojson": json.loads(shapely.to_geojson(self.outline))}
            return json.dumps([place])
        query = urllib.parse.parse_qs(body)["data"][0]
        if "'amenity'" in query:
            return json.dumps({"elements": self.objects})
        return json.dumps({"elements": nodes(PLACES) + ways(WAYS)})


@pytest.fixture
def server(monkeypatch, tmp_path):
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply("")

        def do_POST(self):
            self.reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def reply(self, body):
            text = served.answer(self.path, body).encode()
            self.send_response(served.status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        for name in ("nominatim_url", "overpass_url"):
            monkeypatch.setattr(osmnx.settings, name, f"http://127.0.0.1:{http.server_port}")
        monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("time.sleep", lambda _: None)
        yield served
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("mode", ["walk", "cycle", "ebike", "drive"])
def test_fetched_roads_are_those_of_fetch_roads(server, tmp_path, mode):
    fetched = fetch_place("武原", out=tmp_path / "out", buffer_m=100)
    direct = fetch_roads("武原", mode=mode, buffer_m=100)
    read = read_roads(fetched.folder / "roads.osm.pbf", mode=mode, crs=direct.crs)
    outline = gpd.read_file(fetched.folder / "outline.geojson")
    assert read.near(outline, 100).key == direct.key
    assert outline["name"].tolist() == ["武原"]
    assert shapely.equals_exact(outline.geometry[0].normalize(), server.outline.normalize(), 1e-6)
    assert fetched.ways == 3


@pytest.mark.usefixtures("server")
def test_facilities_keep_their_tags_and_pets_are_no_patients(tmp_path):
    fetched = fetch_place("武原", out=tmp_path / "out")
    assert fetched.facilities == {"bus_stop": 1, "library": 1, "park": 1}
    assert fetched.no_service == 1
    found = gpd.read_file(fetched.folder / "facilities.geojson").set_index("id")
    assert sorted(found.index) == ["node/6", "node/8", "way/201"]
    assert gpd.read_file(fetched.folder / "others.geojson")["name"].tolist() == ["爱宠动物诊所"]
    assert found.loc["node/6", ["name", "amenity", "opening_hours"]].tolist() == [
        "图书馆",
        "library",
        "Mo-Su 09:00-17:00",
    ]
    assert found.geometry["way/201"].geom_type == "Polygon"
    assert found.geometry["node/6"].equals_exact(shapely.Point(LON + 0.5 * STEP, LAT + 0.2 * STEP), 1e-9)
    venues, _ = read_facilities(fetched.folder / "facilities.geojson")
    assert set(venues["service"]) == {"library", "bus_stop", "park"}


def test_a_second_fetch_asks_nothing_and_writes_the_same_bytes(server, tmp_path):
    one = fetch_place("武原", out=tmp_path / "one")
    asked = len(server.asked)
    before = {path.name: path.read_bytes() for path in one.folder.iterdir()}
    server.status = 500
    again = fetch_place("武原", out=tmp_path / "one")
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == before
    assert len(server.asked) == asked


def test_a_kept_answer_that_is_damaged_is_asked_for_again(server, tmp_path):
    first = fetch_place("武原", out=tmp_path / "out")
    wanted = (first.folder / "roads.osm.pbf").read_bytes()
    for path in (tmp_path / "cache").rglob("*.json"):
        path.write_bytes(path.read_bytes()[:-5] + b"\xef")
    server.asked.clear()
    again = fetch_place("武原", out=tmp_path / "other")
    assert (again.folder / "roads.osm.pbf").read_bytes() == wanted
    assert server.asked


@pytest.mark.usefixtures("server")
def test_a_kept_answer_of_another_form_is_forgotten(tmp_path):
    fetch_place("武原", out=tmp_path / "out")
    for path in (tmp_path / "cache").rglob("*.json"):
        path.write_text(path.read_text("utf-8").replace('"type"', '"tyqe"'), "utf-8")
    with pytest.raises(FetchError, match="form that no server gives"):
        fetch_place("武原", out=tmp_path / "other")
    assert fetch_place("武原", out=tmp_path / "other").ways == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.usefixtures("server")
def test_a_disk_that_is_full_is_said_and_ends_nothing_else(tmp_path):
    """In a process of its own: osmium would end this one with its writer."""
    code = (
        "import sys\n"
        "from lifecircle.errors import UnusableInputError\n"
        "from lifecircle.fetch._place_files import _write_roads\n"
        "from types import SimpleNamespace\n"
        "from pathlib import Path\n"
        "way = ({'highway': 'path'}, [(1, 120.0, 30.0), (2, 120.1, 30.0)])\n"
        "try:\n"
        "    _write_roads(SimpleNamespace(ways=[way]), Path(sys.argv[1]))\n"
        "except UnusableInputError as error:\n"
        "    print(error.of_system, error)\n"
    )
    path = tmp_path / "roads.osm.pbf"
    path.symlink_to("/dev/full")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True")
    assert "cannot be written" in done.stdout


@pytest.mark.usefixtures("server")
def test_settings_and_resolver_are_as_before(monkeypatch, tmp_path):
    monkeypatch.setattr(osmnx.settings, "useful_tags_way", ["mine"])
    before = {name: value for name, value in vars(osmnx.settings).items() if not name.startswith("_")}
    resolver = socket.getaddrinfo
    fetch_place("武原", out=tmp_path / "out")
    assert {name: value for name, value in vars(osmnx.settings).items() if not name.startswith("_")} == before
    assert socket.getaddrinfo is resolver


def test_a_place_without_facilities(server, tmp_path):
    server.objects = []
    fetched = fetch_place("武原", out=tmp_path / "out")
    assert (fetched.facilities, fetched.no_service) == ({}, 0)
    assert json.loads((fetched.folder / "facilities.geojson").read_text("utf-8"))["features"] == []


def test_without_a_network_nothing_is_written_and_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(osmnx.settings, "nominatim_url", "http://127.0.0.1:1")
    match = r"fetched: 127\.0\.0\.1:1 cannot be reached.*Remedy: check the network.*\.osm\.pbf"
    with pytest.raises(FetchError, match=match):
        fetch_place("武原", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    result = CliRunner().invoke(cli, ["fetch", "武原", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.stderr.startswith("错误：“武原”的道路未能下载：127.0.0.1:1 无法连通")
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_errors_are_in_the_language_asked_for_or_in_that_of_the_study_nearby(monkeypatch, tmp_path):
    monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(osmnx.settings, "nominatim_url", "http://127.0.0.1:1")
    (tmp_path / "study.toml").write_text('language = "en"\n', "utf-8")
    words = ["fetch", "武原", "--out", str(tmp_path / "osm")]
    for more, start in (([], "error: the roads of"), (["--language", "zh"], "错误：")):
        result = CliRunner().invoke(cli, [*words, *more])
        assert result.exit_code == 2
        assert result.stderr.startswith(start)


def test_a_folder_of_something_else_is_not_replaced(server, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("mine")
    with pytest.raises(UnusableInputError, match="not replaced"):
        fetch_place("武原", out=tmp_path / "out")
    assert server.asked == []
    with pytest.raises(UnusableInputError, match="no name of a place"):
        fetch_place("  ", out=tmp_path / "other")


@pytest.mark.usefixtures("server")
def test_the_command_says_what_to_write(tmp_path):
    result = CliRunner().invoke(cli, ["fetch", "武原", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "library 1" in result.stdout
    assert 'file = "roads.osm.pbf"' in result.stdout
    study = tmp_path / "out"
    (study / "residents.csv").write_text(f"lon,lat,population\n{LON + STEP},{LAT},10\n", "utf-8")
    (study / "standard.toml").write_text(
        'id = "s"\nname = "s"\n[[service]]\nid = "library"\nname = { zh = "图书馆", en = "library" }\n'
        'class = "c"\n[[service]]\nid = "bus_stop"\nname = { zh = "站", en = "stop" }\nclass = "c"\n'
        '[[service]]\nid = "park"\nname = { zh = "园", en = "park" }\nclass = "c"\n'
        '[[target]]\nid = "t"\nkind = "circle"\nrequire = { library = 1 }\nminutes = 15\n'
        "goal = 1.0\ndue = 2025\n"
        'name = { zh = "t", en = "t" }\n',
        "utf-8",
    )
    (study / "study.toml").write_text(
        'id = "w"\nname = "武原"\nyear = 2025\nmax_rejected = 1.0\n[roads]\nfile = "roads.osm.pbf"\n'
        '[demand]\nfile = "residents.csv"\n[districts]\nfile = "outline.geojson"\n'
        '[[facilities]]\nfile = "facilities.geojson"\n[standard]\nuse = "standard.toml"\n',
        "utf-8",
    )
    findings = run_audit(study)
    assert findings.targets[0].value == 1.0


def test_tags_give_services():
    assert service_of({"amenity": "social_facility", "social_facility": "nursing_home"}) == "nursing_home"
    assert service_of({"amenity": "social_facility", "social_facility": "food_bank"}) == ""
    assert service_of({"amenity": "school", "name": "海盐驾校"}) == ""
    assert service_of({"amenity": "driving_school"}) == ""
    assert service_of({"leisure": "park;pitch"}) == "sports_court"
    assert "veterinary" not in wanted_tags()["amenity"]
    assert all(len(values) == len(set(values)) for values in wanted_tags().values())
