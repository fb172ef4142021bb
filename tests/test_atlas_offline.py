"""The page asks for nothing but itself: no request, no file, no wait for a host that never answers."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading

import geopandas as gpd
import pytest
import shapely

import atlas_town
import browser
from atlas_page import point_at
from lifecircle.atlas import draw_atlas
from lifecircle.notebook import folium_map
from lifecircle.publication import MapSetting, public_findings

pytestmark = pytest.mark.browser

GENEROUS_MS = 8_000  # far above what is measured; only a wait for a network takes longer


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Give each kind of page the package writes, by name."""
    folder = tmp_path_factory.mktemp("pages")
    town = atlas_town.town(residents=600)
    earlier = dataclasses.replace(atlas_town.town(residents=600, venues=20), year=2024)
    roads = atlas_town.crossroads()
    labels = gpd.GeoDataFrame(
        {"name": ["杭州湾", "<b>平湖</b>"], "kind": ["water", "neighbour"]},
        geometry=[shapely.Point(120.98, 30.42), shapely.Point(120.9, 30.65)],
        crs="EPSG:4326",
    )
    notebook = folder / "notebook.html"
    folium_map(town).save(str(notebook))
    return {
        "internal": draw_atlas([earlier, town], folder / "internal.html", roads=roads),
        "public": draw_atlas([earlier, town], folder / "public.html", edition="public", roads=roads),
        "labelled": draw_atlas([town], folder / "labelled.html", setting=MapSetting(labels=labels)),
        "base": draw_atlas(
            [town],
            folder / "base.html",
            setting=MapSetting(base=("osm", "tianditu_vec"), tianditu_key="none"),
        ),
        "notebook": notebook,
    }


@contextlib.contextmanager
def silent_host():
    """Listen on the loopback, take every connection and never answer; gives the port, who came and a switch.

    Before the switch (an event) is set, connections are closed at once: a browser that starts would wait half
    a minute for requests of its own.
    """
    came, held, silent = [], [], threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def listen():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            if not silent.is_set():
                connection.close()
                continue
            came.append(connection.getpeername())
            held.append(connection)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1], came, silent
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for connection in held:
            connection.close()
        thread.join()


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """Start a browser for which every host in the world is one that never answers."""
    with silent_host() as (port, came, silent):
        rules = f"--host-resolver-rules=MAP * 127.0.0.1:{port}"
        with browser.chromium(tmp_path_factory.mktemp("held"), flags=(rules,)) as driver:
            silent.set()
            yield driver, came


@pytest.fixture(scope="module")
def driver(held):
    return held[0]


def opened(driver, path) -> browser.Page:
    page = browser.opened(driver, path.as_uri())
    if path.name != "notebook.html":
        page.wait_ready()
    driver.execute_async_script("setTimeout(arguments[0], 300)")  # what is late would still count
    return page


@pytest.mark.parametrize("name", ["internal", "public", "labelled", "base", "notebook"])
def test_the_document_is_all_a_page_asks_for(driver, pages, name):
    page = opened(driver, pages[name])
    assert page.requests() == [page.address]
    assert page.complaints() == []


@pytest.mark.parametrize("name", ["internal", "public", "base"])
def test_every_host_held_open_for_ever_keeps_no_content_back(driver, pages, name, record_property):
    page = browser.opened(driver, pages[name].as_uri())
    ready_ms = page.wait_ready()
    record_property(f"{name}_ready_ms", round(ready_ms))
    print(f"{name}: ready after {ready_ms:.0f} ms")  # noqa: T201 - the figure is what one reads this test for
    assert ready_ms < GENEROUS_MS
    assert page.run("return document.body.innerText.length") > 500


@pytest.mark.parametrize("name", ["internal", "public", "base", "notebook"])
def test_every_image_has_a_width(driver, pages, name):
    page = opened(driver, pages[name])
    page.run(
        "document.body.append(Object.assign(new Image(), {src: L.Icon.Default.prototype.options.iconUrl}))"
    )
    driver.execute_async_script(
        "Promise.all([...document.images].map((one) => one.decode())).then(arguments[0])"
    )
    widths = page.run("return [...document.images].map((one) => one.naturalWidth)")
    assert widths
    assert min(widths) > 0
    assert page.requests() == [page.address]


FETCHES = {
    "script": "Object.assign(document.createElement('script'), {src: arguments[0]})",
    "style": "Object.assign(document.createElement('link'), {rel: 'stylesheet', href: arguments[0]})",
    "frame": "Object.assign(document.createElement('iframe'), {src: arguments[0]})",
    "image": "Object.assign(document.createElement('img'), {src: arguments[0]})",
}


@pytest.mark.parametrize("kind", FETCHES)
@pytest.mark.parametrize("address", ["https://example.org/a", "file:///etc/hostname"])
def test_the_policy_stops_what_a_page_would_fetch(driver, pages, kind, address):
    page = opened(driver, pages["internal"])
    page.run(f"document.body.append({FETCHES[kind]})", address)
    driver.execute_async_script("setTimeout(arguments[0], 200)")
    assert any("Content Security Policy" in line for line in page.complaints()), page.complaints()
    answered = [event for event in page.events if event["method"] == "Network.responseReceived"]
    assert address not in {event["params"]["response"]["url"] for event in answered}


def test_the_test_would_see_a_request(held, tmp_path):
    driver, came = held
    before = len(came)
    (tmp_path / "loud.html").write_text("<!doctype html><title>t</title><img src='http://example.org/a.png'>")
    driver.set_page_load_timeout(2)
    with contextlib.suppress(Exception):
        driver.get((tmp_path / "loud.html").as_uri())
    driver.set_page_load_timeout(60)
    assert came[before:]
    driver.get("about:blank")


# ---------------------------------------------------------------------------------------------------------
# Base layers, names around, the public edition


CHECKBOX = (
    "return [...document.querySelectorAll('.leaflet-control-layers label')]"
    ".filter((one) => one.textContent.includes(arguments[0])).map((one) => one.querySelector('input'))[0]"
)
SHADING = "return getComputedStyle(document.querySelector('.leaflet-lc-areas-pane')).opacity"


def test_a_base_layer_is_asked_for_only_once_it_is_switched_on(held, pages):
    driver, came = held
    page = opened(driver, pages["base"])
    before = len(came)
    assert page.run(SHADING) == "1"
    box = page.run(CHECKBOX, "OpenStreetMap")
    assert not box.is_selected()
    page.run("arguments[0].click()", box)
    driver.execute_async_script("setTimeout(arguments[0], 400)")
    asked = [address for address in page.requests() if address != page.address]
    assert asked
    assert all(address.startswith("https://tile.openstreetmap.org/") for address in asked)
    assert came[before:]
    assert page.run(SHADING) == "0.35"
    page.run("arguments[0].click()", box)
    assert page.run(SHADING) == "1"
    assert not any("Content Security Policy" in line for line in page.complaints())


def test_names_around_are_text(driver, pages):
    page = opened(driver, pages["labelled"])
    names = page.run("return [...document.querySelectorAll('.lc-place')].map((one) => one.textContent)")
    assert names == ["杭州湾", "<b>平湖</b>"]
    assert page.run("return document.querySelectorAll('.lc-place b').length") == 0


def test_the_public_page_refuses_a_what_if(driver, pages):
    page = opened(driver, pages["public"])
    told = driver.execute_async_script(
        "lifecircle.whatIf({target: 'culture', year: 2025, lon: 120.9, lat: 30.5})"
        ".then(() => arguments[0]('answered'), (error) => arguments[0](error.message))"
    )
    assert told == "the public edition holds no roads: what-if is not in it"
    minutes = page.run("return lifecircle.minutes('culture', 2025)")
    assert all(one is None or round(one * 60, 3) % 300 == 0 for one in minutes)
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert "每格至少 20 人" in page.run("return document.body.innerText")


def test_a_cell_of_the_public_page_shows_a_step_of_time(driver, pages):
    page = opened(driver, pages["public"])
    (reduced,) = public_findings([atlas_town.town(residents=600)])
    timed = reduced.demand[(reduced.status["culture"] == "covered").to_numpy()]
    venues = reduced.facilities.geometry.to_numpy()
    place = next(one for one in timed.geometry if min(one.distance(venue) for venue in venues) > 0.006)
    point_at(page, place.y, place.x)
    tip = page.run("return document.querySelector('.lc-tip').textContent")
    assert "分钟（分档）" in tip
    assert "不超过" in tip
