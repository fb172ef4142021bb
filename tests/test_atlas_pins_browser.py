"""What-if pins and the search box of the map page, over a stand-in for the road search."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import atlas_town
import browser
from atlas_page import MAP, cell_of, choose, colour_at, is_quiet, point_at, rows_of, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.page_data import CELL_COLOURS, percent_text
from lifecircle.page_data._answers import STEP_S, steps_of

pytestmark = pytest.mark.browser

ROUTE = (Path(__file__).parent / "atlas_route.js").read_text("utf-8")


@pytest.fixture(scope="module")
def town():
    return atlas_town.town(residents=900)


@pytest.fixture(scope="module")
def pages(tmp_path_factory, town):
    folder = tmp_path_factory.mktemp("pages")
    plain = draw_atlas([town], folder / "plain.html")
    routed = folder / "routed.html"
    text = plain.read_text("utf-8")
    routed.write_text(text.replace("<head>", f"<head><script>{ROUTE}</script>", 1), encoding="utf-8")
    public = draw_atlas([town], folder / "public.html", edition="public")
    text = public.read_text("utf-8")  # even where roads are held, the edition decides
    public.write_text(text.replace("<head>", f"<head><script>{ROUTE}</script>", 1), encoding="utf-8")
    return {"plain": plain, "routed": routed, "public": public}


def ready(driver, path):
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    return page


@pytest.fixture
def page(driver, pages):
    return ready(driver, pages["routed"])


def newly(town, pins, limit_min=15.0, factor=1.0):
    """Find whom pins would cover, straight from the findings."""
    places, people = town.demand.geometry, town.people["culture"].to_numpy()
    status = town.status["culture"].to_numpy()
    seconds = steps_of(town.seconds["culture"].to_numpy(), 900.0) * STEP_S
    if limit_min != 15.0 or factor != 1.0:
        timed = np.isin(status, ["covered", "beyond"])
        within = seconds / factor <= limit_min * 60 + 1e-6
        status = np.where(timed, np.where(within, "covered", "beyond"), status)
    x, y = places.x.fillna(0).to_numpy(), places.y.fillna(0).to_numpy()
    least = np.full(len(x), np.inf)
    for lon, lat in pins:
        least = np.minimum(least, np.hypot((x - lon) * 95_700, (y - lat) * 111_320) / 5 * 3.6)
    reached = (least / factor <= limit_min * 60) & ~np.isin(status, ["covered", "unsnapped"])
    mine = reached & places.notna().to_numpy() & (people > 0)
    return people[mine].sum(), np.flatnonzero(mine)


def pin_place(page, number=0):
    return page.run(
        "return JSON.parse(document.getElementById('lc-pins-geojson').value)"
        ".features[arguments[0]].geometry.coordinates",
        number,
    )


def settle(driver):
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def move_map(page, place):
    page.run(MAP + "map.setView([arguments[0], arguments[1]], 12, {animate: false})", place.y, place.x)


def check_result(page, town, pins, **options):
    people, cells = newly(town, pins, **options)
    shown = text_of(page, "#lc-pins-people")
    assert shown.startswith(f"新覆盖 {people:,.0f} 人" if people else "没有人新覆盖")
    district = town.demand["district"].iloc[cells]
    sums = town.people["culture"].iloc[cells].groupby(district.to_numpy()).sum()
    expected = {town.districts["name"].get(code, "县外"): f"{value:,.0f}" for code, value in sums.items()}
    found = {row[0]: row[1] for row in rows_of(page, "#lc-pins-districts tbody tr")}
    assert {name: found[name] for name in expected if name in found} == found
    assert sum(int(text.replace(",", "")) for text in found.values()) == round(people)
    return people, cells


def test_a_page_without_roads_has_no_pins(driver, pages):
    page = ready(driver, pages["plain"])
    assert page.run("return document.getElementById('lc-pins-part').hidden")
    told = driver.execute_async_script(
        "lifecircle.whatIf({target: 'culture', year: 2025, lon: 120.9, lat: 30.5})"
        ".then(() => arguments[0]('answered'), (error) => arguments[0](error.message))"
    )
    assert "no roads" in told


def test_the_public_edition_refuses_what_if(driver, pages):
    page = ready(driver, pages["public"])
    assert page.run("return document.getElementById('lc-pins-part')") is None
    told = driver.execute_async_script(
        "lifecircle.whatIf({target: 'culture', year: 2025, lon: 120.9, lat: 30.5})"
        ".then(() => arguments[0]('answered'), (error) => arguments[0](error.message))"
    )
    assert "public edition" in told
    is_quiet(page)


def test_scripts_may_ask_what_if(driver, pages, town):
    ready(driver, pages["routed"])
    place = town.demand.geometry.iloc[cell_of(town, "beyond")]
    got = driver.execute_async_script(
        "lifecircle.whatIf({target: 'culture', year: 2025, lon: arguments[0], lat: arguments[1]})"
        ".then(arguments[2], (error) => arguments[2](error.message))",
        place.x,
        place.y,
    )
    people, _ = newly(town, [(place.x, place.y)])
    assert got["people"] == pytest.approx(people)
    assert people > 0
    assert len(got["cells"]) > 0


def test_a_pin_is_put_moved_by_key_and_taken_away(driver, page, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    place = town.demand.geometry.iloc[cell_of(town, "beyond")]
    move_map(page, place)
    assert colour_at(page, place.y, place.x, "lc-newly") == ""
    driver.find_element("id", "lc-pin-add").send_keys(keys.ENTER)
    assert page.run("return document.activeElement.className").startswith("leaflet-marker-icon lc-pin")
    people, cells = check_result(page, town, [pin_place(page)])
    assert people > 0
    marked = town.demand.geometry.iloc[int(cells[len(cells) // 2])]
    assert colour_at(page, marked.y, marked.x, "lc-newly") == CELL_COLOURS["newly"]
    total = town.targets[0].count
    after = percent_text((total.covered + float(people)) / total.people)
    assert f"→ {after}" in text_of(page, "#lc-pins-people")
    before = pin_place(page)
    centre = page.run(MAP + "const c = map.getCenter(); return [c.lng, c.lat]")
    pin = driver.find_element("css selector", ".lc-pin")
    pin.send_keys(keys.ARROW_RIGHT * 3 + keys.ARROW_UP)
    settle(driver)
    moved = pin_place(page)
    assert moved[0] > before[0]
    assert moved[1] > before[1]
    assert page.run(MAP + "const c = map.getCenter(); return [c.lng, c.lat]") == centre
    check_result(page, town, [moved])
    assert "离路 42 米" in text_of(page, "#lc-pins small")
    pin.send_keys(keys.DELETE)
    assert driver.find_elements("css selector", ".lc-pin") == []
    assert page.run("return document.getElementById('lc-pins-result').hidden")
    assert colour_at(page, marked.y, marked.x, "lc-newly") == ""
    is_quiet(page)


def test_pins_are_dragged_and_add_up(driver, page, town):
    actions = pytest.importorskip("selenium.webdriver.common.action_chains").ActionChains
    beyond = np.flatnonzero((town.status["culture"] == "beyond") & town.demand.geometry.notna())
    first = town.demand.geometry.iloc[beyond[len(beyond) // 2]]
    page.run("document.getElementById('lc-pin-place').click()")
    container = driver.find_element("css selector", ".folium-map")
    assert "lc-placing" in container.get_attribute("class")
    move_map(page, first)
    page.run(MAP + "map.fire('click', {latlng: L.latLng(arguments[0], arguments[1])})", first.y, first.x)
    assert "lc-placing" not in container.get_attribute("class")
    page.run("document.getElementById('lc-pin-add').click()")
    assert len(driver.find_elements("css selector", "#lc-pins li")) == 2
    pin = driver.find_elements("css selector", ".lc-pin")[1]
    actions(driver).click_and_hold(pin).move_by_offset(60, 20).move_by_offset(60, 20).release().perform()
    settle(driver)
    places = [pin_place(page, 0), pin_place(page, 1)]
    assert places[1][0] > places[0][0] + 0.01
    check_result(page, town, places)
    both = text_of(page, "#lc-pins-people")
    driver.find_elements("css selector", "#lc-pins button")[0].click()
    check_result(page, town, places[1:])
    assert text_of(page, "#lc-pins-people") != both or newly(town, places)[0] == newly(town, places[1:])[0]
    page.run("document.getElementById('lc-pin-clear').click()")
    assert driver.find_elements("css selector", "#lc-pins li") == []


def test_pins_follow_limit_and_target(driver, page, town):
    place = town.demand.geometry.iloc[cell_of(town, "beyond")]
    move_map(page, place)
    page.run("document.getElementById('lc-pin-add').click()")
    for limit in (8, 25):
        page.run(
            "const s = document.getElementById('lc-limit'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input'))",
            limit,
        )
        check_result(page, town, [pin_place(page)], limit_min=limit)
    page.run("document.getElementById('lc-reset').click()")
    check_result(page, town, [pin_place(page)])
    choose(page, "lc-target", "clinic")
    options = page.run(
        "return [...document.querySelector('#lc-pins select').options].map((one) => one.value)"
    )
    assert options == ["culture_hall", "clinic", "hospital"]
    assert "没有人新覆盖" in text_of(page, "#lc-pins-people")
    page.run(
        "const s = document.querySelector('#lc-pins select'); s.value = 'clinic'; s.onchange?.();"
        "s.dispatchEvent(new Event('change'))"
    )
    settle(driver)
    assert "没有人新覆盖" not in text_of(page, "#lc-pins-people")


def test_pins_are_copied_as_a_scenario(driver, page, town):
    move_map(page, town.demand.geometry.iloc[cell_of(town, "beyond")])
    page.run("document.getElementById('lc-pin-add').click()")
    page.run("document.getElementById('lc-pin-add').click()")
    driver.find_element("id", "lc-pins-copy").click()
    settle(driver)
    assert text_of(page, "#lc-pins-copied") == "已复制"
    written = json.loads(page.run("return document.getElementById('lc-pins-geojson').value"))
    assert written["type"] == "FeatureCollection"
    assert [one["properties"] for one in written["features"]] == [
        {"action": "open", "service": "culture_hall", "name": f"模拟 {number}"} for number in (1, 2)
    ]
    assert all(120 < one["geometry"]["coordinates"][0] < 122 for one in written["features"])


def test_what_a_rule_still_lacks_is_shown_as_text(page, town):
    place = town.demand.geometry.iloc[cell_of(town, "beyond")]
    point_at(page, place.y, place.x)
    assert "尚缺<b>图书馆</b> 1 处" in text_of(page, ".lc-tip")


# ---------------------------------------------------------------------------------------------------------
# Search


def options_of(page):
    return page.run("return [...document.querySelectorAll('#lc-found li bdi')].map((one) => one.textContent)")


def test_a_venue_is_found_by_its_name(driver, page, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    venue = town.facilities.iloc[12]
    box = driver.find_element("id", "lc-search")
    box.send_keys(venue["name"])
    assert options_of(page)[0] == venue["name"]
    assert box.get_attribute("aria-expanded") == "true"
    box.send_keys(keys.ENTER)
    centre = page.run(MAP + "const c = map.getCenter(); return [c.lng, c.lat]")
    assert centre == pytest.approx([venue.geometry.x, venue.geometry.y], abs=2e-4)
    assert venue["name"] in text_of(page, ".lc-tip")
    assert box.get_attribute("aria-expanded") == "false"
    is_quiet(page)


def test_the_list_is_walked_by_key(driver, page, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    box = driver.find_element("id", "lc-search")
    box.send_keys("第")
    names = options_of(page)
    assert len(names) == 12
    active = (
        "const place = arguments[0].getAttribute('aria-activedescendant');"
        "return document.querySelector(`#${place} bdi`).textContent"
    )
    assert page.run(active, box) == names[0]
    box.send_keys(keys.ARROW_DOWN)
    assert page.run(active, box) == names[1]
    box.send_keys(keys.ARROW_UP + keys.ARROW_UP)
    assert page.run(active, box) == names[-1]
    box.send_keys(keys.ESCAPE)
    assert page.run("return document.getElementById('lc-found').hidden")
    box.send_keys(keys.ARROW_DOWN + keys.ARROW_DOWN + keys.ENTER)
    village = town.villages[town.villages["name"] == names[1]].geometry.iloc[0]
    centre = page.run(MAP + "const c = map.getCenter(); return [c.lng, c.lat]")
    assert centre == pytest.approx([village.x, village.y], abs=2e-4)


def test_gaps_and_districts_are_found(driver, page, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    box = driver.find_element("id", "lc-search")
    box.send_keys("缺口 3", keys.ENTER)
    assert page.run("return document.querySelector('#lc-gaps .lc-chosen').dataset.number") == "2"
    box.clear()
    box.send_keys("百步镇", keys.ENTER)
    chosen = page.run("return document.querySelector('#lc-districts .lc-chosen').dataset.code")
    assert chosen == town.districts.index[5]
    box.clear()
    box.send_keys("没有这个名字")
    assert "没有找到" in text_of(page, "#lc-found")
    box.send_keys(keys.ENTER)
    is_quiet(page)
