"""Roads of a named place, from a small server on this machine that answers as the real ones do."""

import json
import socket
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import osmium
import osmnx
import pyproj
import pytest
import shapely

from lifecircle.audit import run_audit
from lifecircle.errors import FetchError, UnusableInputError
from lifecircle.roads import fetch_roads, read_roads
from lifecircle.roads._fetch import chains

LON, LAT = 120.95, 30.53
STEP = 0.001  # degrees: about 96 m east, 111 m north

TOWN = {
    "nodes": {
        1: (0, 0),
        2: (1, 0),
        3: (2, 0),
        4: (1, 1),
        5: (1, -1),
        6: (30, 0),
        7: (2, 1),
        8: (0, 40),
        9: (0, 41),
    },
    "ways": [
        ([1, 2, 3], {"highway": "primary", "oneway": "yes", "name": "中山路"}),
        ([4, 2, 5], {"highway": "footway"}),
        ([4, 7, 3], {"highway": "service", "oneway": "-1"}),
        ([2, 7], {"highway": "residential", "access": "private", "foot": "yes"}),
        ([3, 7, 4, 2, 3], {"highway": "service", "access": "private"}),
        ([3, 6], {"highway": "residential"}),
        ([8, 9], {"highway": "residential"}),
    ],
}


def elements_of_town():
    nodes = [
        {"type": "node", "id": name, "lon": round(LON + east * STEP, 7), "lat": round(LAT + north * STEP, 7)}
        for name, (east, north) in TOWN["nodes"].items()
    ]
    ways = [
        {"type": "way", "id": i, "nodes": refs, "tags": tags}
        for i, (refs, tags) in enumerate(TOWN["ways"], 1)
    ]
    return nodes + ways


def osm_of_town():
    parts = ["<?xml version='1.0'?><osm version='0.6'>"]
    for name, (east, north) in TOWN["nodes"].items():
        parts.append(f"<node id='{name}' version='1' lon='{LON + east * STEP}' lat='{LAT + north * STEP}'/>")
    for i, (refs, tags) in enumerate(TOWN["ways"], 1):
        inside = [f"<nd ref='{ref}'/>" for ref in refs] + [
            f"<tag k='{key}' v='{tags[key]}'/>" for key in tags
        ]
        parts.append(f"<way id='{i}' version='1'>{''.join(inside)}</way>")
    return "".join([*parts, "</osm>"])


def elements_of_file(path):
    """Give the ways with a class and their nodes, as the server would."""
    nodes, ways = {}, []
    for thing in osmium.FileProcessor(str(path)):
        if thing.is_node():
            nodes[thing.id] = {"type": "node", "id": thing.id, "lon": thing.lon, "lat": thing.lat}
        elif thing.is_way() and "highway" in thing.tags:
            refs = [node.ref for node in thing.nodes]
            ways.append({"type": "way", "id": thing.id, "nodes": refs, "tags": dict(thing.tags)})
    used = {ref for way in ways for ref in way["nodes"]}
    return [node for name, node in nodes.items() if name in used] + ways


class Server:
    """Answers like the gazetteer and like Overpass; what it answers can be changed, and it counts."""

    def __init__(self):
        self.outline = shapely.box(LON - STEP / 2, LAT - STEP / 2, LON + 1.5 * STEP, LAT + STEP / 2)
        self.elements = elements_of_town()
        self.status = 200
        self.known = True
        self.remark = {}
        self.asked = []

    def answer(self, path, body):
        """Give the text the real server would give."""
        self.asked.append(path.split("?")[0])
        if path.startswith("/status"):
            return "1\n2\n3\n4\n2 slots available now.\n"
        if path.startswith("/search"):
            place = {
                "importance": 0.9,
                "boundingbox": ["0", "1", "2", "3"],
                "lat": "0",
                "lon": "0",
                "display_name": "town",
                "geojson": json.loads(shapely.to_geojson(self.outline)),
            }
            return json.dumps([place] if self.known else [])
        query = urllib.parse.parse_qs(body)["data"][0]
        assert '["highway"]' in query
        return json.dumps({"elements": self.elements, **self.remark})


@pytest.fixture
def server(monkeypatch, tmp_path):
    """Run the server on a free port of this machine and point OSMnx at it."""
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
        address = f"http://127.0.0.1:{http.server_port}"
        monkeypatch.setattr(osmnx.settings, "nominatim_url", address)
        monkeypatch.setattr(osmnx.settings, "overpass_url", address)
        monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("time.sleep", lambda _: None)
        yield served
        http.shutdown()
        thread.join()


@pytest.fixture
def town(tmp_path):
    path = tmp_path / "town.osm"
    path.write_text(osm_of_town(), "utf-8")
    return path


@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_a_fetched_place_equals_its_file(server, town, mode):
    fetched = fetch_roads("town", mode=mode, buffer_m=100)
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", fetched.crs, always_xy=True).transform
    area = shapely.transform(server.outline, to_metres, interleaved=False)
    expected = read_roads(town, mode=mode, crs=fetched.crs).near(area, 100)
    assert fetched.key == expected.key
    assert len(fetched.u) == {"walk": 8, "drive": 3}[mode]
    assert fetched.length_m.max() > 2000  # the whole of a long road that leaves the area


def test_the_second_time_needs_no_network(server, tmp_path):
    first = fetch_roads("town")
    asked = len(server.asked)
    assert asked == 3  # the place, the server's state, the roads
    server.status, server.known, server.elements = 500, False, []
    assert fetch_roads("town").key == first.key
    assert fetch_roads("town", mode="drive").profile.id == "drive"
    assert len(server.asked) == asked
    assert len(list((tmp_path / "cache" / "osm").iterdir())) == 2
    with pytest.raises(FetchError):
        fetch_roads("town", cache=tmp_path / "other")


def test_settings_and_resolver_are_as_before(server, monkeypatch, tmp_path):
    monkeypatch.setattr(osmnx.settings, "useful_tags_way", ["mine"])
    monkeypatch.setattr(osmnx.settings, "cache_folder", tmp_path / "mine")
    before = {name: value for name, value in vars(osmnx.settings).items() if not name.startswith("_")}
    resolver = socket.getaddrinfo
    fetch_roads("town")
    server.known = False
    with pytest.raises(UnusableInputError):
        fetch_roads("elsewhere")
    assert {name: value for name, value in vars(osmnx.settings).items() if not name.startswith("_")} == before
    assert socket.getaddrinfo is resolver
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("status", [429, 504])
def test_a_busy_server_is_reported_at_once(server, status):
    server.status = status
    with pytest.raises(
        FetchError, match=rf"is busy \(HTTP {status}\).*try again in a few minutes.*read_roads"
    ):
        fetch_roads("town")
    assert len(server.asked) == 1


def test_downloads_that_fail(server):
    server.status = 500
    with pytest.raises(FetchError, match=r"/search answered HTTP 500\. Remedy: try again later"):
        fetch_roads("town")
    server.status = 200
    server.remark = {"remark": "runtime error: Query timed out"}
    with pytest.raises(FetchError, match=r"stopped half-way: runtime error.*name a smaller area"):
        fetch_roads("town")
    server.remark = {}
    server.elements[-1]["tags"]["remark"] = "a way may carry this word too"
    assert len(fetch_roads("town").u)


def test_a_server_that_is_not_there(server, monkeypatch):
    monkeypatch.setattr(osmnx.settings, "overpass_rate_limit", False)
    monkeypatch.setattr(osmnx.settings, "overpass_url", "http://127.0.0.1:1")
    with pytest.raises(
        FetchError, match=r"the roads of 'town' could not be fetched.*Remedy: check the network"
    ):
        fetch_roads("town")
    assert server.asked == ["/search"]


def test_places_without_an_area_or_roads(server):
    server.known = False
    with pytest.raises(UnusableInputError, match=r"nowhere, place: the gazetteer knows no such place"):
        fetch_roads("nowhere")
    server.known, server.outline = True, shapely.Point(LON, LAT)
    with pytest.raises(UnusableInputError, match=r"knows it as a point, not as an area"):
        fetch_roads("a point")
    server.outline, server.elements = shapely.box(LON, LAT, LON + STEP, LAT + STEP), []
    with pytest.raises(UnusableInputError, match=r"an empty one, ways: there is no road in the area"):
        fetch_roads("an empty one")


@pytest.mark.shared_data
@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_a_real_town_fetched_equals_its_file(server, shared_data, mode):
    path = shared_data / "ninghua" / "ninghua.osm"
    server.elements = elements_of_file(path)
    server.outline = shapely.box(116.6494, 26.2625, 116.6592, 26.2718)
    fetched = fetch_roads("Ninghua", mode=mode, buffer_m=5000)
    expected = read_roads(path, mode=mode, crs=fetched.crs)
    assert fetched.key == expected.key


def test_chains_of_pieces():
    assert chains([]) == []
    assert chains([(2, 3), (1, 2)]) == [[1, 2, 3]]
    assert chains([(1, 2), (3, 4)]) == [[1, 2], [3, 4]]
    assert chains([(2, 3), (3, 1), (1, 2)]) == [[1, 2, 3, 1]]
    assert sorted(chains([(1, 2), (2, 3), (3, 4), (4, 2)])) == [[1, 2], [2, 3, 4, 2]]


def test_a_study_may_name_a_place(server, tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (study / "study.toml").write_text(
        'id = "town"\nyear = 2025\n[roads]\nplace = "town"\nbuffer_m = 500\n[demand]\nfile = "homes.csv"\n'
        '[[facilities]]\nfile = "shops.csv"\nservice = "shop"\n[standard]\nuse = "standard.toml"\n'
    )
    (study / "standard.toml").write_text(
        '[[service]]\nid = "shop"\n'
        '[[target]]\nid = "shops"\nkind = "circle"\nrequire = { shop = 1 }\nminutes = 15\n'
    )
    (study / "homes.csv").write_text(f"lon,lat,population\n{LON},{LAT},7\n{LON + STEP},{LAT - STEP},5\n")
    (study / "shops.csv").write_text(f"lon,lat,name\n{LON + STEP},{LAT + STEP},Corner\n")
    result = run_audit(study).result("shops")
    assert (result.count.people, result.count.covered) == (12, 12)
    asked = len(server.asked)
    assert run_audit(study).result("shops").value == 1.0
    assert len(server.asked) == asked  # the second audit asks nobody
