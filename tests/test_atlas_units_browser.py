"""The map page of targets without travel times: units with and without, districts by class, one figure."""

from __future__ import annotations

import dataclasses
import re

import pytest

import atlas_town
import browser
from atlas_page import MAP, choose, colour_at, is_quiet, point_at, rows_of, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.audit import run_audit
from lifecircle.page_data import AREA_COLOURS, NO_RATE_COLOUR, RATE_COLOURS, UNIT_COLOURS
from test_within_reach import CLINICS, REGISTER

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def town():
    return atlas_town.with_kinds(atlas_town.town(residents=900))


@pytest.fixture(scope="module")
def file(tmp_path_factory, town):
    return draw_atlas([town], tmp_path_factory.mktemp("kinds") / "zh.html")


@pytest.fixture
def page(driver, file) -> browser.Page:
    opened = browser.opened(driver, file.as_uri())
    opened.wait_ready()
    return opened


def fills(page) -> list[str]:
    """List the colours of the districts on the map, in their order."""
    return page.run(
        "return [...document.querySelectorAll('.leaflet-lc-areas-pane path')]"
        ".map((one) => one.getAttribute('fill'))"
    )


def legend(page) -> str:
    return text_of(page, "#lc-legend")


def near(found: str, wanted: str) -> bool:
    pairs = zip(*(bytes.fromhex(one[1:]) for one in (found, wanted)), strict=True)
    return max(abs(one - other) for one, other in pairs) < 12


def test_units_are_filled_where_they_hold_and_hollow_where_they_lack(page, town):
    choose(page, "lc-target", "clinics")
    holds, lacks = town.villages.geometry.iloc[0], town.villages.geometry.iloc[2]
    assert near(colour_at(page, holds.y, holds.x, "lc-units"), UNIT_COLOURS["holds"])
    assert colour_at(page, lacks.y, lacks.x, "lc-units-over") == "#ffffff"
    assert colour_at(page, lacks.y, lacks.x, "lc-units") == ""
    assert "具备（10 个）" in legend(page)
    assert "缺少（2 个）" in legend(page)
    assert "具备者占比" in legend(page)
    assert set(fills(page)) <= {*RATE_COLOURS, NO_RATE_COLOUR}
    point_at(page, lacks.y, lacks.x)
    told = text_of(page, ".lc-tip")
    assert town.villages["name"].iloc[2] in told
    assert "卫生室" in told
    assert "420" in told
    is_quiet(page)


def test_the_list_of_units_without_brings_the_map_there(driver, page, town):
    choose(page, "lc-target", "clinics")
    items = page.run("return [...document.querySelectorAll('#lc-units li')].map((one) => one.textContent)")
    assert len(items) == 2
    assert "缺 卫生室，420 人" in items[0]
    driver.find_elements("css selector", "#lc-units button")[1].click()
    place = town.villages.geometry.iloc[7]
    driver.execute_async_script("setTimeout(arguments[0], 300)")
    apart = page.run(
        MAP + "return map.distance(map.getCenter(), [arguments[0], arguments[1]])", place.y, place.x
    )
    assert apart < 30
    assert town.villages["name"].iloc[7] in text_of(page, ".lc-tip")
    assert page.run("return document.querySelector('#lc-units .lc-chosen').dataset.unit") == "7"
    choose(page, "lc-target", "culture")
    assert page.run("return document.getElementById('lc-units-part').hidden")
    assert colour_at(page, place.y, place.x, "lc-units-over") == ""
    is_quiet(page)


def test_units_without_stand_in_the_order_one_asks_for(page):
    choose(page, "lc-target", "clinics")
    listed = "return [...document.querySelectorAll('#lc-units li')].map((one) => one.dataset.unit)"
    people = "return [...document.querySelectorAll('#lc-units li .lc-small')].map((one) => one.textContent)"
    was = page.run(listed)
    offered = page.run("return [...document.getElementById('lc-units-sort').options].map((one) => one.value)")
    assert offered == ["listed", "people", "place"]  # all lack the same
    choose(page, "lc-units-sort", "people")
    heads = [int(re.search(r"([\d,]+) 人", one)[1].replace(",", "")) for one in page.run(people)]
    assert heads == sorted(heads, reverse=True)
    assert sorted(page.run(listed)) == sorted(was)
    choose(page, "lc-units-sort", "listed")
    assert page.run(listed) == was
    is_quiet(page)


def test_districts_of_a_capacity_have_the_colours_of_their_verdicts(page, town):
    choose(page, "lc-target", "beds")
    assert fills(page) == [AREA_COLOURS["below"]] * 3 + [AREA_COLOURS["reached"]] * 6
    assert "未达到目标值（< 4.5 / 1000人）" in legend(page)
    labels = page.run(
        "return [...document.querySelectorAll('.lc-label small')].map((one) => one.textContent)"
    )
    assert labels[0] == "3.9 / 1000人"
    assert rows_of(page, "#lc-districts tbody tr")[0] == ["武原街道", "3.9 / 1000人", "未达标"]
    middle = town.districts.geometry.iloc[4].representative_point()
    point_at(page, middle.y + 0.01, middle.x + 0.01)
    told = text_of(page, ".lc-tip")
    assert "沈荡镇" in told
    assert "/ 1000人" in told
    choose(page, "lc-target", "culture")
    assert page.run("return document.querySelectorAll('.lc-label small').length") == 0
    is_quiet(page)


@pytest.mark.parametrize("target", ["bus_share", "places"])
def test_no_map_is_empty(page, target):
    choose(page, "lc-target", target)
    assert set(fills(page)) == {NO_RATE_COLOUR}
    wanted = {"bus_share": "全县一个数31.0%", "places": "没有数值，地图只画界线"}[target]
    assert wanted in legend(page)
    assert page.run("return document.getElementById('lc-whole').hidden") == (target == "places")
    assert page.run("return document.querySelectorAll('.leaflet-lc-lines-pane path').length") == 9
    is_quiet(page)


@pytest.mark.parametrize("target", ["clinics", "beds", "bus_share", "places"])
def test_picture_and_print_carry_them(page, target):
    choose(page, "lc-target", target)
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    printed = text_of(page, "#lc-print")
    assert ("缺 卫生室 420 人" in printed) == (target == "clinics")
    assert page.run("return document.querySelector('#lc-print canvas').width") > 1000
    is_quiet(page)


LAYERS = {
    "zh": ("名额供需", "可达范围内人均", "场所名额与使用"),
    "en": ("Places: who is served", "Places within reach", "Places of venues"),
}


def switch(page, name: str) -> bool:
    """Click a layer of the switch; return whether it is on then."""
    return page.run(
        "const box = [...document.querySelectorAll('.leaflet-control-layers-overlays label')]"
        ".find((one) => one.textContent.trim() === arguments[0]).querySelector('input');"
        "box.click(); return box.checked",
        name,
    )


def headings(page) -> list[str]:
    return page.run("return [...document.querySelectorAll('#lc-legend h3')].map((one) => one.textContent)")


@pytest.mark.parametrize("language", LAYERS)
def test_layers_of_places_are_drawn_and_explained(driver, toytown, tmp_path, language):
    """West has two places and two taken; East one, of which 0.6 are: as counted by hand in the toy town."""
    standard = toytown / "standard.toml"
    standard.write_text(standard.read_text("utf-8") + CLINICS, "utf-8")
    (toytown / "facilities.csv").write_text(REGISTER.format(west=2, east=1), "utf-8")
    path = draw_atlas([run_audit(toytown)], tmp_path / "map.html", language=language)
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    choose(page, "lc-target", "nurses")
    served, score, loads = LAYERS[language]
    assert {served, loads} <= set(headings(page))
    assert score not in headings(page)
    rows = page.run(
        "return [...document.querySelectorAll('#lc-supply-venues li')].map((one) => one.textContent)"
    )
    assert [re.findall(r"[\d.]+", row) for row in rows] == [["2", "2"], ["0.6", "1"]]
    assert not switch(page, served)
    assert not switch(page, loads)
    assert switch(page, score)
    assert {served, score, loads} & set(headings(page)) == {score}
    high, needs = page.run(
        "const list = document.querySelector('.leaflet-control-layers-list');"
        "return [list.clientHeight, list.scrollHeight]"
    )
    assert high >= needs - 1  # the list is not squeezed
    is_quiet(page)


def test_the_public_edition_keeps_the_people_of_small_units_back(driver, town, tmp_path):
    file = draw_atlas([town], tmp_path / "public.html", edition="public")
    page = browser.opened(driver, file.as_uri())
    page.wait_ready()
    choose(page, "lc-target", "clinics")
    items = page.run("return [...document.querySelectorAll('#lc-units li')].map((one) => one.textContent)")
    assert "420 人" in items[0]
    assert "* 人" in items[1]
    assert text_of(page, "#lc-districts tbody td") != "*"
    is_quiet(page)


def test_hostile_names_of_units_stay_text(driver, town, tmp_path):
    bad = "<img src=x onerror=window.hacked=1>"
    findings = atlas_town.with_names(town, [bad])
    result = findings.result("clinics")
    units = dataclasses.replace(
        result.units, without=tuple(dataclasses.replace(one, name=bad) for one in result.units.without)
    )
    targets = tuple(
        dataclasses.replace(one, units=units) if one is result else one for one in findings.targets
    )
    page = browser.opened(
        driver, draw_atlas([dataclasses.replace(findings, targets=targets)], tmp_path / "h.html").as_uri()
    )
    page.wait_ready()
    choose(page, "lc-target", "clinics")
    page.run("document.querySelector('#lc-units button').click()")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert bad in text_of(page, "#lc-units")
    assert page.run("return window.hacked") is None
    assert page.run("return document.querySelectorAll('img').length") == 0
    is_quiet(page)
