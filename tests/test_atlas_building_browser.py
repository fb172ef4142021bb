"""Pins on the real roads of the toy town: a building for the whole rule, reasons, link, files, the panel."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import browser
from atlas_page import MAP, choose, is_quiet, text_of
from lifecircle.audit import run_audit
from lifecircle.maps import MapOrder, draw_study
from lifecircle.scenario import run_scenario

pytestmark = pytest.mark.browser

TOYTOWN = Path(__file__).parent / "toytown"
BUILDING = "library;gym;sports_park"
SIZES = [(1366, 768), (390, 844)]
HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}${x}"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Path(shutil.copytree(TOYTOWN, tmp_path_factory.mktemp("study") / "toytown"))


@pytest.fixture(scope="module")
def drawn(study):
    return draw_study(study, MapOrder(out=study / "map.html"))[0]


@pytest.fixture
def page(driver, drawn):
    return ready(driver, drawn.as_uri())


def ready(driver, address):
    driver.get("about:blank")
    page = browser.opened(driver, address)
    page.wait_ready()
    choose(page, "lc-target", "culture")
    return page


def settle(driver):
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def home(study, status="beyond"):
    """Find a resident of the culture circle: longitude, latitude."""
    found = run_audit(study)
    return found.demand.geometry[(found.status["culture"] == status).to_numpy()].iloc[0]


def put(page, place):
    page.run(MAP + "map.setView([arguments[0], arguments[1]], 15, {animate: false})", place.y, place.x)
    page.run("document.getElementById('lc-pin-add').click()")


def choose_service(page, ids, row=0):
    page.run(
        "const list = document.querySelectorAll('#lc-pins select')[arguments[1]]; list.value = arguments[0];"
        "list.dispatchEvent(new Event('change'))",
        ids,
        row,
    )


def test_the_first_choice_fills_the_whole_rule(page, study, tmp_path):
    place = home(study)
    put(page, place)
    options = page.run("return [...document.querySelectorAll('#lc-pins option')].map((one) => one.value)")
    assert options == [BUILDING, "gym", "library", "sports_park"]
    assert text_of(page, "#lc-pins option") == "whole rule in one (library + gym + sports park)"
    written = page.run("return document.getElementById('lc-pins-geojson').value")
    file = tmp_path / "pins.geojson"
    file.write_text(written, encoding="utf-8")
    audited = next(one for one in run_scenario(study, [file]).targets if one.target == "culture")
    assert audited.won > 0
    assert text_of(page, "#lc-pins-people").startswith(f"{audited.won:,.0f} people newly covered")
    assert text_of(page, "#lc-pins-why") == ""
    is_quiet(page)


def test_where_nobody_is_covered_the_reason_stands(driver, page, study):
    put(page, home(study))
    choose_service(page, "library")
    settle(driver)
    why = text_of(page, "#lc-pins-why")
    assert text_of(page, "#lc-pins-people") == "nobody newly covered"
    assert "people not covered" in why
    assert "still lack" in why
    choose(page, "lc-target", "reading")
    assert text_of(page, "#lc-pins-why") == "all 150 people within 15 minutes are covered already"
    choose(page, "lc-target", "culture")
    choose_service(page, "gym")
    choose(page, "lc-target", "reading")
    assert text_of(page, "#lc-pins-why") == "15-minute reading circle does not count gym"
    choose(page, "lc-target", "culture")
    put(page, home(study, "covered"))
    page.run(MAP + "map.panBy([4000, 0], {animate: false})")
    page.run("document.getElementById('lc-pin-clear').click(); document.getElementById('lc-pin-add').click()")
    assert text_of(page, "#lc-pins-why") == "no road within 300 m: it counts for nobody here"


@pytest.mark.parametrize("size", SIZES)
def test_the_panel_stays_while_pins_are_put_and_the_map_is_tapped(drawn, study, tmp_path, size):
    with browser.chromium(tmp_path / "profile", size=size) as driver:
        page = ready(driver, drawn.as_uri())
        put(page, home(study))
        row = "document.getElementById('lc-pins-part').getBoundingClientRect().top"
        page.run("document.getElementById('lc-pins-part').scrollIntoView({block: 'end'})")
        page.run("document.getElementById('lc-pin-place').focus({preventScroll: true})")
        before = page.run(f"return {row}")
        page.run("document.getElementById('lc-pin-place').click()")
        click = (
            "const box = map.getContainer().getBoundingClientRect();"
            "const at = [box.left + box.width / 2 + arguments[0], box.top + box.height / 2 + arguments[1]];"
            "const under = document.elementsFromPoint(...at).find((one) => map.getContainer().contains(one));"
            "for (const kind of ['mousedown', 'mouseup', 'click'])"
            " under.dispatchEvent(new MouseEvent(kind, {bubbles: true, clientX: at[0], clientY: at[1]}))"
        )
        page.run(MAP + click, 30, 40)
        settle(driver)
        assert page.run("return document.querySelectorAll('#lc-pins li').length") == 2
        assert page.run("return document.getElementById('lc-area').hidden"), "no town was chosen by the way"
        assert page.run(f"return {row}") == pytest.approx(before, abs=1.5)
        page.run("document.querySelectorAll('#lc-pins li')[1].querySelector('button').click()")
        assert page.run(f"return {row}") == pytest.approx(before, abs=1.5)
        page.run("document.querySelector('.leaflet-container').scrollTop = 0")
        at = page.run(f"return {row}")
        page.run(MAP + click, 60, -60)  # a tap on a town filters all figures
        settle(driver)
        assert not page.run("return document.getElementById('lc-area').hidden")
        assert page.run(f"return {row}") == pytest.approx(at, abs=1.5)


def test_pins_stand_in_the_link(driver, page, drawn, study):
    put(page, home(study))
    choose_service(page, "gym")
    put(page, home(study, "covered"))
    link = driver.execute_async_script("setTimeout(() => arguments[0](location.hash), 400)")
    people = text_of(page, "#lc-pins-people")
    again = browser.opened(driver, "about:blank")
    again = browser.opened(driver, drawn.as_uri() + link)
    again.wait_ready()
    assert text_of(again, "#lc-pins-people") == people
    held = "return [...document.querySelectorAll('#lc-pins select')].map((one) => one.value)"
    assert again.run(held) == ["gym", BUILDING]
    assert "pins=" in link


def test_pins_are_loaded_from_geojson_with_names_as_text(driver, page, study, tmp_path):
    put(page, home(study))
    own = json.loads(page.run("return document.getElementById('lc-pins-geojson').value"))
    place = home(study)
    features = [
        *own["features"],
        {
            "type": "Feature",
            "properties": {"action": "open", "service": "gym", "name": HOSTILE},
            "geometry": {"type": "Point", "coordinates": [place.x, place.y]},
        },
        {"type": "Feature", "properties": {"action": "close"}, "geometry": own["features"][0]["geometry"]},
        {
            "type": "Feature",
            "properties": {"service": HOSTILE},
            "geometry": {"type": "Point", "coordinates": [place.x, place.y]},
        },
    ]
    file = tmp_path / "pins.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    page.run("document.getElementById('lc-pin-clear').click()")
    driver.find_element("id", "lc-pins-file").send_keys(str(file))
    settle(driver)
    told = text_of(page, "#lc-pins-read")
    assert told.startswith("2 loaded. 2 not used: no. 3 does not open a venue (close)")
    assert HOSTILE in told
    assert [one.text for one in driver.find_elements("css selector", "#lc-pins .lc-pin-own")] == [HOSTILE]
    assert page.run("return document.querySelector('#lc-panel img, .leaflet-marker-pane img')") is None
    file.write_text("no json", encoding="utf-8")
    driver.find_element("id", "lc-pins-file").send_keys(str(file))
    settle(driver)
    assert "no GeoJSON" in text_of(page, "#lc-pins-read")
    assert len(driver.find_elements("css selector", "#lc-pins li")) == 2
    is_quiet(page)


def test_the_picture_says_what_it_shows(driver, page, study):
    put(page, home(study))
    page.run("document.getElementById('lc-only-gaps').click()")
    said = driver.execute_async_script(
        "const said = [], own = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (text, ...at)"
        "{ said.push(text); own.call(this, text, ...at); };"
        "HTMLAnchorElement.prototype.click = () => arguments[0](said);"
        "document.getElementById('lc-save').click()"
    )
    assert any(text.startswith("Only gaps · Trial, no result of the audit: 1 new, ") for text in said), said
    assert "New 1" in said
