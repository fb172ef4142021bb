"""The map page in a browser without a network: it is quiet, it shows what it should, names stay text."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import TYPE_CHECKING

import folium
import numpy as np
import pytest

import atlas_town
import browser
from atlas_page import MAP, cell_of, choose, colour_at, is_quiet, legend_colours, point_at, rows_of, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.notebook import folium_map
from lifecircle.page_data import CELL_COLOURS, minutes_text, percent_text

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser

HOSTILE = [
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\"'><svg/onload=window.hacked=1>&amp;`${window.hacked=1}",
    "{{ 7 * 7 }}{% raise %}",
    "长" * 500,
    "مكتبة\u200f (abc) \u202eevil",
    "<details open ontoggle=window.hacked=1>",
]


@pytest.fixture(scope="module")
def town():
    return atlas_town.town(residents=900)


@pytest.fixture(scope="module")
def pages(tmp_path_factory, town):
    folder = tmp_path_factory.mktemp("pages")
    earlier = dataclasses.replace(atlas_town.town(residents=900, venues=20), year=2024)
    return {
        "zh": draw_atlas([town], folder / "zh.html"),
        "en": draw_atlas([town], folder / "en.html", language="en"),
        "years": draw_atlas([earlier, town], folder / "years.html"),
        "hostile": draw_atlas([atlas_town.with_names(town, HOSTILE)], folder / "hostile.html"),
    }


@pytest.fixture
def page(driver, pages) -> browser.Page:
    """Open the page in Chinese and wait until it is ready."""
    opened = browser.opened(driver, pages["zh"].as_uri())
    opened.wait_ready()
    return opened


@pytest.fixture
def measured(request):
    """Note a figure in the report of the tests, where one is asked for."""
    return lambda name, value: request.node.user_properties.append((name, value))


# ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["zh", "en", "years", "hostile"])
def test_page_is_quiet_without_a_network(driver, pages, name, measured):
    page = browser.opened(driver, pages[name].as_uri())
    measured("ready_ms", page.wait_ready())
    is_quiet(page)
    assert page.run("return document.documentElement.lang") == ("en" if name == "en" else "zh-CN")
    assert page.run("return document.compatMode") == "CSS1Compat"


def test_page_is_quiet_when_served(driver, pages):
    with browser.served(pages["zh"].parent) as address:
        page = browser.opened(driver, f"{address}/zh.html")
        page.wait_ready()
        is_quiet(page)


def test_policy_stops_what_a_script_would_fetch(driver, pages):
    with browser.served(pages["zh"].parent) as address:
        page = browser.opened(driver, f"{address}/zh.html")
        page.wait_ready()
        told = driver.execute_async_script(
            "fetch('/en.html').then(() => arguments[0]('fetched'), (error) => arguments[0](error.name))"
        )
        assert told == "TypeError"
        assert any("Content Security Policy" in line for line in page.complaints())


def test_every_image_shows(driver, page):
    page.run(
        "document.body.append(Object.assign(new Image(), {src: L.Icon.Default.prototype.options.iconUrl}))"
    )
    driver.execute_async_script(
        "Promise.all([...document.images].map((one) => one.decode())).then(arguments[0])"
    )
    widths = page.run("return [...document.images].map((one) => one.naturalWidth)")
    assert widths
    assert min(widths) > 0


@pytest.mark.parametrize("status", ["covered", "disconnected"])
def test_a_resident_has_its_colour_in_the_legend(page, town, status):
    place = town.demand.geometry.iloc[cell_of(town, status)]
    colour = colour_at(page, place.y, place.x)
    assert colour == CELL_COLOURS[status]
    assert colour in legend_colours(page)


def test_residents_too_far_are_coloured_by_how_far(page, town):
    legend = legend_colours(page)
    minutes = town.seconds["culture"] / 60
    beyond = town.status["culture"] == "beyond"
    for number, (low, high) in enumerate(((15, 20), (20, 30), (30, np.inf))):
        cell = np.flatnonzero(beyond & (minutes > low + 0.1) & (minutes < high - 0.1))[3]
        place = town.demand.geometry.iloc[cell]
        assert colour_at(page, place.y, place.x) == legend[1 + number] == CELL_COLOURS[f"beyond_{number}"]


def test_unsnapped_is_hatched_unlike_any_gap(page, town):
    cell = cell_of(town, "unsnapped")
    place = town.demand.geometry.iloc[cell]
    seen = {
        colour_at(page, place.y + dy * 1e-4, place.x + dx * 1e-4)
        for dx in range(-9, 10, 2)
        for dy in range(-9, 10, 2)
    }
    greys = {colour for colour in seen if colour[1:3] == colour[3:5] == colour[5:7]}
    assert len(greys) >= 2
    assert not seen & {CELL_COLOURS[name] for name in ("beyond_1", "beyond_2", "disconnected")}


def test_minutes_are_those_of_the_findings(page, town):
    for target in ("culture", "clinic"):
        got = page.run("return window.lifecircle.minutes(arguments[0], arguments[1])", target, 2025)
        minutes = np.array([np.nan if one is None else one for one in got])
        expected = town.seconds[target].to_numpy() / 60
        assert (np.isnan(minutes) == np.isnan(expected)).all()
        assert np.nanmax(np.abs(minutes - expected)) < 0.05 / 60
    refused = page.run("try { lifecircle.minutes('literacy', 2025) } catch (error) { return error.message }")
    assert "literacy" in refused
    assert page.run("return Object.keys(lifecircle).sort()") == ["minutes", "ready", "whatIf"]


def test_headline_is_the_targets(page, town):
    culture = town.targets[0]
    assert text_of(page, "#lc-value") == percent_text(culture.value)
    assert text_of(page, "#lc-verdict") == "未达标"
    people = page.run("return [...document.querySelectorAll('#lc-people dd')].map((one) => one.textContent)")
    count = culture.count
    parts = (count.people, count.covered, count.beyond, count.disconnected, count.unsnapped)
    assert people == [f"{part:,.0f}" for part in parts]
    assert "合成示例" in page.run("return document.body.innerText")


def test_choosing_a_target_changes_everything(page, town):
    place = town.demand.geometry.iloc[
        np.flatnonzero((town.status["culture"] == "beyond") & (town.status["clinic"] == "covered"))[0]
    ]
    assert colour_at(page, place.y, place.x) != CELL_COLOURS["covered"]
    choose(page, "lc-target", "clinic")
    assert colour_at(page, place.y, place.x) == CELL_COLOURS["covered"]
    assert text_of(page, "#lc-value") == percent_text(town.targets[1].value)
    assert "10 分钟以内" in text_of(page, "#lc-legend")
    choose(page, "lc-target", "literacy")
    assert colour_at(page, place.y, place.x) == ""
    assert text_of(page, "#lc-value") == "41.25 %"
    assert page.run("return document.querySelectorAll('#lc-gaps li').length") == 0
    is_quiet(page)


def test_choosing_a_year_changes_everything(driver, pages):
    page = browser.opened(driver, pages["years"].as_uri())
    page.wait_ready()
    now = text_of(page, "#lc-value")
    choose(page, "lc-target", "clinic")
    choose(page, "lc-year", "0")
    assert page.run("return document.getElementById('lc-target').value") == "clinic"
    choose(page, "lc-target", "culture")
    assert text_of(page, "#lc-value") != now
    assert page.run("return lifecircle.minutes('culture', 2024)") != page.run(
        "return lifecircle.minutes('culture', 2025)"
    )
    is_quiet(page)


@pytest.mark.parametrize(
    ("language", "name", "by"), [("zh", "实际可达 评价采用", "按人"), ("en", "reach verdict", "people")]
)
def test_ladder_shows_the_findings_accountings(driver, pages, language, name, by):
    page = browser.opened(driver, pages[language].as_uri())
    page.wait_ready()
    rows = rows_of(page, "#lc-ladder .lc-rung tr:first-child")
    reach = atlas_town.LADDER["reach"]
    assert rows[3] == [
        name,
        str(reach.villages),
        f"{reach.people:,.0f}",
        percent_text(reach.value) + by,
    ]
    assert len(rows) == len(atlas_town.LADDER)
    assert text_of(page, "#lc-ladder-part .lc-figure") == "98.6% → 65.1%"
    width = page.run("return document.querySelector('.lc-rung-verdict .lc-bar i').style.width")
    assert float(width.removesuffix("%")) == pytest.approx(100 * reach.value)
    is_quiet(page)


def test_targets_are_grouped_circles_first(driver, page, town):
    groups = page.run(
        "return [...document.querySelectorAll('#lc-target optgroup')]"
        ".map((one) => [one.label, [...one.children].map((option) => option.textContent)])"
    )
    circles = [f"{one.target.name.zh} · {percent_text(one.value)}" for one in town.targets[:2]]
    assert groups[0] == ["生活圈", circles]
    assert groups[1] == ["其他指标", ["居民健康素养水平 · 41.25 %"]]
    assert groups[2][1] == ["每千人托位数"]
    part = driver.find_element("css selector", "#lc-pending-part summary")
    part.click()
    driver.find_element("css selector", "#lc-pending button").click()
    assert page.run("return document.getElementById('lc-target').value") == "places"
    assert "设施表没有“beds”列" in text_of(page, "#lc-reason")
    shown = page.run(
        "return [...document.querySelectorAll('.lc-part')].filter((one) => !one.hidden).map((one) => one.id)"
    )
    assert shown == ["lc-basis-part", "lc-pending-part", "lc-legend-part"]
    assert "卫生健康局" in text_of(page, "#lc-basis")
    choose(page, "lc-target", "culture")
    assert text_of(page, "#lc-value") == percent_text(town.targets[0].value)
    is_quiet(page)


def test_legend_names_services_and_shows_different_symbols(page):
    assert "图书馆" in text_of(page, "#lc-legend")
    assert "library" not in text_of(page, "#lc-legend")
    inks = page.run(
        "return [0, 8].map((number) => {"
        "const canvas = Object.assign(document.createElement('canvas'), {width: 18, height: 18});"
        "lifecirclePage.drawSymbol(canvas.getContext('2d'), number, 9, 9, 6);"
        "return [...canvas.getContext('2d').getImageData(9, 9, 1, 1).data].join() })"
    )
    assert inks == ["18,48,74,255", "255,255,255,255"]


def test_parts_open_with_a_key_and_show_their_figures(driver, page, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    for part in ("margin", "groups", "variants", "basis"):
        summary = driver.find_element("css selector", f"#lc-{part}-part summary")
        inside = driver.find_element("css selector", f"#lc-{part}-part :is(dl, table)")
        assert not inside.is_displayed()
        summary.send_keys(keys.ENTER)
        assert inside.is_displayed()
    assert rows_of(page, "#lc-groups tbody tr")[1] == ["60岁及以上", "1,000", "70.0%", "300"]
    assert rows_of(page, "#lc-variants tr")[0] == ["无台阶出行（轮椅速度）", "25.0%"]
    picture = page.run(
        "const svg = document.querySelector('#lc-curve svg');"
        "return [svg.getAttribute('role'), svg.querySelector('title').textContent,"
        " svg.querySelector('desc').textContent,"
        " [...svg.querySelectorAll('text')].map((one) => one.textContent)]"
    )
    assert picture[:2] == ["img", "覆盖率随速度的变化"]
    assert picture[2].split(" · ")[0] == "2.5 km/h：30.0%"
    assert len(picture[2].split(" · ")) == len(town.targets[0].curve)
    assert {"100%", "40%", "3", "7", "速度（km/h）", "目标 100%", "5 km/h：60.0%"} <= set(picture[3])
    is_quiet(page)


def test_villages_that_differ_are_marked_and_found(driver, page, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    marks = driver.find_elements("css selector", ".lc-difference")
    assert len(marks) == 3
    assert len(driver.find_elements("css selector", ".lc-difference .lc-mark-over")) == 2
    driver.find_element("css selector", "#lc-villages-part summary").click()
    assert text_of(page, "#lc-villages-part .lc-figure") == "3 处不一致"
    buttons = driver.find_elements("css selector", "#lc-differences tbody button")
    villages = town.villages
    found = [
        int(one.find_element("xpath", "./ancestor::tr").get_attribute("data-village")) for one in buttons
    ]
    assert sorted(found[:2]) == [0, 1]
    assert found[2] == 2
    assert rows_of(page, "#lc-differences .lc-has-more")[2][1:] == ["✓是", "✗否", "✓是"]
    buttons[2].send_keys(keys.ENTER)
    centre = page.run(MAP + "const c = map.getCenter(); return [c.lng, c.lat]")
    place = villages.geometry.iloc[2]
    assert centre == pytest.approx([place.x, place.y], abs=2e-4)
    told = text_of(page, ".lc-tip")
    assert villages["name"].iloc[2] in told
    assert "步行已达到，名单未达标" in told
    gaps = town.gaps[(town.gaps["target"] == "culture") & (town.gaps["village"] == villages["name"].iloc[2])]
    assert f"{gaps['people'].iloc[0]:,.0f} 人" in told
    assert gaps["nearest"].iloc[0] in told
    driver.find_element("css selector", "#lc-villages-all summary").click()
    driver.execute_async_script("setTimeout(arguments[0], 50)")  # a details element reports a moment later
    mine = (villages["district"] == villages["district"].iloc[2]).sum()
    assert len(rows_of(page, "#lc-villages tbody tr")) == mine  # of the town of the chosen village
    driver.find_element("css selector", "#lc-area button").click()
    assert len(rows_of(page, "#lc-villages tbody tr")) == len(villages)
    choose(page, "lc-target", "clinic")
    assert driver.find_elements("css selector", ".lc-difference") == []
    is_quiet(page)


def test_village_names_show_from_near(page, town):
    painted = (
        "const canvas = document.querySelector('.leaflet-lc-villages-pane canvas');"
        "const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        "let n = 0; for (let i = 3; i < data.length; i += 4) if (data[i]) n++; return n"
    )
    assert page.run(painted) == 0
    place = town.villages.geometry.iloc[3]
    page.run(MAP + "map.setView([arguments[0], arguments[1]], 14, {animate: false})", place.y, place.x)
    assert page.run(painted) > 100


def test_all_gaps_are_listed_when_asked_for(driver, page):
    shown = "return [...document.querySelectorAll('#lc-gaps li')].filter((one) => !one.hidden).length"
    assert page.run(shown) == 8
    more = driver.find_element("css selector", "#lc-gaps-more")
    assert more.text == "列出全部 60 处"
    more.click()
    assert page.run(shown) == 60
    assert more.get_attribute("aria-expanded") == "true"
    more.click()
    page.run("document.querySelectorAll('.lc-gap.leaflet-marker-icon')[20].click()")
    assert page.run(shown) == 60


def test_gaps_stand_in_the_order_one_asks_for(page, town):
    gaps = town.gaps[town.gaps["target"] == "culture"].sort_values("people", ascending=False, kind="stable")
    minutes = gaps["minutes"].astype(float).to_numpy()
    listed = (
        "return [...document.querySelectorAll('#lc-gaps li[data-number]')].map((one) => +one.dataset.number)"
    )
    offered = "return [...document.getElementById('lc-gaps-sort').options].map((one) => one.value)"
    assert page.run(offered) == ["people", "far", "place", "cause"]
    assert page.run(listed) == list(range(len(gaps)))
    choose(page, "lc-gaps-sort", "far")
    found = minutes[page.run(listed)]
    timed = found[np.isfinite(found)]
    assert 1 < len(timed) < len(found)
    assert np.isnan(found[len(timed) :]).all()
    assert (np.diff(timed) <= 0.1).all()  # as they are printed
    choose(page, "lc-gaps-sort", "place")
    places = gaps["district"].iloc[page.run(listed)].tolist()
    assert len([one for one, _ in itertools.groupby(places)]) == len(set(places))
    choose(page, "lc-target", "clinic")
    assert page.run("return document.getElementById('lc-gaps-sort').value") == "place"
    is_quiet(page)


def test_villages_counted_each_way_are_sorted_by_their_headings(driver, page):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    driver.find_element("css selector", "#lc-villages-part summary").click()
    driver.find_element("css selector", "#lc-villages-all summary").click()
    driver.execute_async_script("setTimeout(arguments[0], 50)")  # a details element reports a moment later
    orders = "return [...document.querySelectorAll('#lc-villages th[aria-sort]')].map((one) => one.ariaSort)"
    before = rows_of(page, "#lc-villages tbody tr")
    assert set(page.run(orders)) == {"none"}
    driver.find_elements("css selector", "#lc-villages thead button")[2].send_keys(keys.ENTER)
    assert page.run(orders)[2] == "descending"
    marks = [row[2][0] for row in rows_of(page, "#lc-villages tbody tr")]
    assert marks == sorted(marks, key="✓✗—".index)
    assert len(set(marks)) > 1
    driver.switch_to.active_element.send_keys(keys.ENTER)  # the heading keeps the focus
    assert page.run(orders)[2] == "ascending"
    marks = [row[2][0] for row in rows_of(page, "#lc-villages tbody tr")]
    assert marks == sorted(marks, key="✗✓—".index)
    driver.find_elements("css selector", "#lc-differences thead button")[0].send_keys(keys.ENTER)
    assert page.run(orders)[0] == "ascending"
    after = rows_of(page, "#lc-villages tbody tr")
    assert sorted(after) == sorted(before)
    assert len(rows_of(page, "#lc-differences tbody tr:not(.lc-kind):not(.lc-more-row)")) == 3
    assert len(rows_of(page, "#lc-differences .lc-has-more + .lc-more-row")) == len(
        rows_of(page, "#lc-differences .lc-more-row")
    )
    is_quiet(page)


def test_a_districts_name_brings_the_map_to_it(driver, page, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    for number, key in ((0, keys.ENTER), (5, keys.SPACE)):
        button = driver.find_elements("css selector", "#lc-districts tbody button")[number]
        assert button.text == town.districts["name"].iloc[number]
        button.send_keys(key)
        centre = page.run(MAP + "const c = map.getCenter(); return [c.lng, c.lat]")
        west, south, east, north = town.districts.geometry.iloc[number].bounds
        assert west < centre[0] < east
        assert south < centre[1] < north
        chosen = page.run(
            "return [...document.querySelectorAll('#lc-districts .lc-chosen')].map((row) => row.dataset.code)"
        )
        assert chosen == [town.districts.index[number]]
        again = driver.find_elements("css selector", "#lc-districts tbody button")[number]
        assert again.get_attribute("aria-pressed") == "true"
        assert again == driver.switch_to.active_element  # the table is made again, the focus stays


def test_a_click_on_the_map_marks_the_districts_row(driver, page, town):
    paths = driver.find_elements("css selector", ".leaflet-lc-areas-pane path")
    page.run("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", paths[4])
    chosen = page.run(
        "return [...document.querySelectorAll('#lc-districts .lc-chosen')].map((row) => row.dataset.code)"
    )
    assert chosen == [town.districts.index[4]]


def test_a_gap_in_the_list_brings_the_map_to_it(driver, page, town):
    gaps = town.gaps[town.gaps["target"] == "culture"].sort_values("people", ascending=False, kind="stable")
    gap = gaps.iloc[1]
    driver.find_elements("css selector", "#lc-gaps button")[1].click()
    centre = page.run(MAP + "const c = map.getCenter(); return [c.lng, c.lat]")
    assert centre == pytest.approx([gap["lon"], gap["lat"]], abs=2e-4)
    assert page.run("return document.querySelector('#lc-gaps .lc-chosen').textContent").startswith("2")


def test_a_resident_under_the_pointer_is_described(driver, page, town):
    cell = cell_of(town, "beyond")
    place = town.demand.geometry.iloc[cell]
    point_at(page, place.y, place.x)
    told = text_of(page, ".lc-tip")
    minutes = town.seconds["culture"].iloc[cell] / 60
    assert f"{minutes_text(minutes)} 分钟" in told
    assert town.facilities["name"][town.nearest["culture"].iloc[cell]] in told
    assert town.districts["name"][town.demand["district"].iloc[cell]] in told
    assert "超出时限" in told
    assert f"人口{town.demand['population'].iloc[cell]:.0f}" in told
    point_at(page, 30.2, 120.2)
    driver.execute_async_script("setTimeout(arguments[0], 400)")  # Leaflet fades it out
    assert page.run("return document.querySelector('.lc-tip')") is None


def test_a_facility_under_the_pointer_is_described(page, town):
    service = town.facilities["service"].isin(atlas_town.SERVICES["culture"])
    place = town.facilities[service].geometry.iloc[0]
    point_at(page, place.y, place.x)
    assert town.facilities[service]["name"].iloc[0] in text_of(page, ".lc-tip")


def test_layers_are_switched_off_and_on(driver, page, town):
    place = town.demand.geometry.iloc[cell_of(town, "covered")]
    boxes = driver.find_elements("css selector", ".leaflet-control-layers-overlays input")
    labels = [
        one.text for one in driver.find_elements("css selector", ".leaflet-control-layers-overlays label")
    ]
    assert labels == [
        "乡镇（街道）",
        "覆盖率底色",
        "居民点",
        "口径不一致的村",
        "缺口",
        "服务设施",
        "村（社区）名",
    ]
    assert [box.is_selected() for box in boxes] == [True, False, *[True] * 5]  # the residents show more
    boxes[1].click()
    for box in boxes:
        box.click()
    drawn = "canvas, path, .leaflet-marker-icon"
    assert driver.find_elements("css selector", f".leaflet-map-pane :is({drawn})") == []
    for box in boxes:
        box.click()
    assert colour_at(page, place.y, place.x) == CELL_COLOURS["covered"]
    is_quiet(page)


def test_the_layer_switch_lists_what_the_target_has(driver, page, town):
    def listed():
        found = driver.find_elements("css selector", ".leaflet-control-layers-overlays label")
        return [one.text for one in found]

    choose(page, "lc-target", "literacy")
    assert listed() == ["乡镇（街道）", "村（社区）名"]
    assert page.run(MAP + "return map.hasLayer(lifecirclePage.layer('residents'))")
    choose(page, "lc-target", town.targets[0].target.id)
    assert listed() == [
        "乡镇（街道）",
        "覆盖率底色",
        "居民点",
        "口径不一致的村",
        "缺口",
        "服务设施",
        "村（社区）名",
    ]


def test_roads_are_drawn_until_switched_off(driver, town, tmp_path):
    page = browser.opened(
        driver, draw_atlas([town], tmp_path / "r.html", roads=atlas_town.crossroads()).as_uri()
    )
    page.wait_ready()
    painted = (
        "const canvas = document.querySelector('.leaflet-lc-roads-pane canvas');"
        "if (!canvas || canvas.style.display === 'none') return 0;"
        "const probe = document.createElement('canvas');"
        "[probe.width, probe.height] = [canvas.width, canvas.height];"
        "const context = probe.getContext('2d', {willReadFrequently: true}); context.drawImage(canvas, 0, 0);"
        "const data = context.getImageData(0, 0, probe.width, probe.height).data;"
        "let n = 0; for (let i = 3; i < data.length; i += 4) if (data[i]) n++; return n"
    )
    assert page.run(painted) == 0  # no road of them is a main one: from afar none shows
    page.run(MAP + "map.setView([30.53, 120.86], 13, {animate: false})")
    assert page.run(painted) > 300
    boxes = driver.find_elements("css selector", ".leaflet-control-layers-overlays label")
    (box,) = [one for one in boxes if one.text == "道路"]
    box.click()
    assert page.run(painted) == 0
    is_quiet(page)


def test_hostile_names_are_text(driver, pages):
    page = browser.opened(driver, pages["hostile"].as_uri())
    page.wait_ready()
    assert text_of(page, "h1 bdi") == HOSTILE[0]
    assert page.run("return document.title").startswith(HOSTILE[0])
    rows = page.run(
        "return [...document.querySelectorAll('#lc-districts tbody th')].map((one) => one.textContent)"
    )
    assert rows[: len(HOSTILE)] == HOSTILE
    labels = page.run("return [...document.querySelectorAll('.lc-label')].map((one) => one.textContent)")
    assert labels[: len(HOSTILE)] == HOSTILE
    town = atlas_town.with_names(atlas_town.town(residents=900), HOSTILE)
    for facility in range(0, len(town.facilities), 4):
        place = town.facilities.geometry.iloc[facility]
        point_at(page, place.y, place.x)
    for cell in range(0, 200, 7):
        place = town.demand.geometry.iloc[cell]
        point_at(page, place.y, place.x)
        wide = page.run("return document.querySelector('.lc-tip')?.getBoundingClientRect().width ?? 0")
        assert wide <= 330
    for button in driver.find_elements("css selector", "#lc-gaps button")[:7]:
        button.click()
    for gap in page.run("return [...document.querySelectorAll('.lc-gap.leaflet-marker-icon')].slice(0, 7)"):
        page.run("arguments[0].dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))", gap)
    assert page.run("return window.hacked") is None
    assert page.run("return document.querySelectorAll('img, svg[onload], details[ontoggle]').length") == 0
    panel = page.run("const p = document.getElementById('lc-panel'); return p.scrollWidth - p.clientWidth")
    assert panel <= 0
    is_quiet(page)


def test_a_broken_page_says_so(driver, pages, tmp_path):
    text = pages["zh"].read_text("utf-8")
    data = re.search(r'id="lifecircle-data">', text).end()
    broken = tmp_path / "broken.html"
    broken.write_text(text[:data] + "*" + text[data:], encoding="utf-8")
    page = browser.opened(driver, broken.as_uri())
    told = driver.execute_async_script(
        "lifecircle.ready.then(() => arguments[0]('ready'), () => arguments[0]('failed'))"
    )
    assert told == "failed"
    assert "页面数据无法读取" in page.run("return document.getElementById('lc-failed').innerText")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_page_works_on_a_phone(tmp_path_factory, pages, language):
    with browser.chromium(tmp_path_factory.mktemp("phone"), size=(390, 844)) as driver:
        page = browser.opened(driver, pages[language].as_uri())
        page.wait_ready()
        box = page.run(
            "const box = document.querySelector('.folium-map').getBoundingClientRect();"
            "return [box.left, box.top, box.width, box.height]"
        )
        answer = page.run("return document.getElementById('lc-answer').getBoundingClientRect().bottom")
        assert 250 < answer <= box[1] < 844 / 2  # the headline and its sentences, then the map
        assert box[0] == 0
        assert box[2] > 360
        assert box[3] < 844 * 0.7
        assert page.run("return document.documentElement.scrollWidth <= innerWidth")
        assert not driver.find_element("css selector", "#lc-layers").is_displayed()  # folded with the legend
        page.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        assert page.run("return document.documentElement.scrollWidth <= innerWidth")
        driver.find_elements("css selector", "#lc-gaps button")[2].click()
        assert page.run("return document.querySelector('.folium-map').getBoundingClientRect().top") == 0
        is_quiet(page)


def test_stock_layers_open_offline_with_their_icons(driver, town, tmp_path):
    made = folium_map(town)
    folium.Marker([30.5, 120.9], popup="popup text", tooltip="tip").add_to(made)
    path: Path = tmp_path / "notebook.html"
    made.save(str(path))
    page = browser.opened(driver, path.as_uri())
    page.run("document.querySelector('img.leaflet-marker-icon').click()")
    assert "popup text" in text_of(page, ".leaflet-popup")
    driver.execute_async_script(
        "Promise.all([...document.images].map((one) => one.decode())).then(arguments[0])"
    )
    assert all(page.run("return [...document.images].map((one) => one.naturalWidth > 0)"))
    assert page.run("return document.querySelector('.leaflet-attribution-flag')") is None
    is_quiet(page)


def test_many_residents_are_drawn_at_once(driver, tmp_path, measured):
    many = atlas_town.town(residents=30_000, venues=120)
    page = browser.opened(driver, draw_atlas([many], tmp_path / "many.html").as_uri())
    measured("ready_ms", page.wait_ready())
    painted = page.run(
        "const canvas = document.querySelector('.leaflet-lc-residents-pane canvas');"
        "const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        "let n = 0; for (let i = 3; i < data.length; i += 4) if (data[i]) n++; return n / (data.length / 4)"
    )
    assert painted > 0.2
    measured(
        "pan_ms",
        page.run(
            MAP + "const start = performance.now();"
            "for (let i = 0; i < 10; i++) map.panBy([7, 5], {animate: false});"
            "return (performance.now() - start) / 10"
        ),
    )
    is_quiet(page)


# ---------------------------------------------------------------------------------------------------------
# The first screen


def test_the_first_screen_has_every_target_and_a_click_leads_to_its_map(driver, pages, town):
    page = browser.opened(driver, pages["zh"].as_uri())
    page.wait_ready(overview=True)
    cards = driver.find_elements("css selector", ".lc-card")
    assert {one.get_attribute("data-target") for one in cards} == {one.target.id for one in town.targets}
    assert f"共 {len(town.targets)} 项" in text_of(page, "#lc-overview-counts")
    clinic = next(one for one in cards if one.get_attribute("data-target") == "clinic")
    assert percent_text(town.result("clinic").value) in clinic.text
    assert len(clinic.find_elements("css selector", "use")) == len(town.districts)
    clinic.click()
    assert not driver.find_element("id", "lc-overview").is_displayed()
    assert text_of(page, "#lc-value") == percent_text(town.result("clinic").value)
    assert driver.find_element("css selector", ".folium-map").is_displayed()
    driver.find_element("id", "lc-overview-open").click()
    current = driver.find_elements("css selector", ".lc-card[aria-current]")
    assert [one.get_attribute("data-target") for one in current] == ["clinic"]
    choose(page, "lc-target", "culture")  # another choice is about the map
    assert not driver.find_element("id", "lc-overview").is_displayed()
    is_quiet(page)


def test_districts_of_a_card_have_the_colours_of_their_verdicts(driver, pages, town):
    page = browser.opened(driver, pages["zh"].as_uri())
    page.wait_ready(overview=True)
    fills = page.run(
        "return [...document.querySelectorAll('.lc-card[data-target=culture] use')]"
        ".map((one) => one.getAttribute('fill'))"
    )
    expected = []
    for one in town.result("culture").districts:
        short = town.result("culture").target.goal - (one.value or 0.0)
        below = f"beyond_{(short > 0.1) + (short > 0.3)}"
        name = {"met": "covered", "missed": below}.get(one.status, "uncounted")
        expected.append(CELL_COLOURS[name])
    assert sorted(fills) == sorted(expected)


def test_three_sentences_answer_ahead_of_the_controls(driver, page, town):
    culture = town.result("culture")
    said = [one.text for one in driver.find_elements("css selector", "#lc-answer p")]
    assert len(said) == 3
    assert percent_text(culture.value) in said[0]
    assert "目标 100%" in said[0]
    assert f"{culture.count.uncovered:,.0f} 人未覆盖" in said[1]
    worst = max(culture.districts, key=lambda one: one.count.uncovered)
    assert f"最多的是{worst.name}（{worst.count.uncovered:,.0f} 人）" in said[1]
    gaps = town.gaps[town.gaps["target"] == "culture"].sort_values("people", ascending=False, kind="stable")
    assert said[2].startswith("先补最大的缺口：")
    assert f"{gaps['people'].iloc[0]:,.0f} 人" in said[2]
    tops = page.run(
        "return ['#lc-answer', '#lc-choices', '#lc-views'].map((one) =>"
        "document.querySelector(one).getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)


@pytest.mark.parametrize("size", [(390, 844), (844, 390), (683, 384)])
def test_the_headline_stands_on_a_small_screen(tmp_path, pages, size):
    with browser.chromium(tmp_path, size=size) as small:
        page = browser.opened(small, pages["zh"].as_uri())
        page.wait_ready(overview=True)
        box = page.run("return document.getElementById('lc-headline').getBoundingClientRect().toJSON()")
        assert page.run("return document.documentElement.scrollWidth <= innerWidth")
        if size != (683, 384):  # twice the size of 1366 x 768: a scroll away, below the cards
            assert box["bottom"] < size[1]
        assert box["right"] <= size[0]
