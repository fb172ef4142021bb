"""The map page for those who use no mouse, see no colours or hear it read: keys, axe, names as text."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

import atlas_town
import browser
from atlas_page import MAP, choose, is_quiet, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.page_data import percent_text

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent.parent / ".axe" / "node_modules" / "axe-core" / "axe.min.js"
ROUTE = (Path(__file__).parent / "atlas_route.js").read_text("utf-8")
HOSTILE = [
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\"'><svg/onload=window.hacked=1>&amp;`${window.hacked=1}",
    "长" * 500,
    "مكتبة\u200f (abc) \u202eevil",
]


@pytest.fixture(scope="module")
def town():
    return atlas_town.town(residents=900)


def routed(path: Path) -> Path:
    """Give a page the stand-in for the road search, so that its pins show."""
    text = path.read_text("utf-8")
    path.write_text(text.replace("<head>", f"<head><script>{ROUTE}</script>", 1), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def pages(tmp_path_factory, town):
    folder = tmp_path_factory.mktemp("pages")
    runs = [dataclasses.replace(atlas_town.town(residents=900, venues=12), year=2023), town]
    hostile = [atlas_town.with_names(run, HOSTILE) for run in runs]
    return {
        "zh": routed(draw_atlas(runs, folder / "zh.html")),
        "en": routed(draw_atlas(runs, folder / "en.html", language="en")),
        "kinds": draw_atlas([atlas_town.with_kinds(town)], folder / "kinds.html"),
        "hostile": routed(draw_atlas(hostile, folder / "hostile.html")),
    }


def ready(driver, path):
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    return page


# ---------------------------------------------------------------------------------------------------------
# Keys alone


class Keyboard:
    """Presses keys as a person does, without ever naming an element to press them on."""

    def __init__(self, driver, page):
        self.keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
        self.actions = pytest.importorskip("selenium.webdriver.common.action_chains").ActionChains
        self.driver, self.page = driver, page

    def press(self, *keys):
        """Press keys one after another."""
        chain = self.actions(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def walk_to(self, selector, most=80):
        """Press Tab until what a selector names has the focus, with a ring to be seen."""
        for _ in range(most):
            self.press(self.keys.TAB)
            if self.page.run("return document.activeElement.matches(arguments[0])", selector):
                assert self.page.run(
                    "const one = document.activeElement, ring = one.matches('.lc-segments input')"
                    " ? one.nextElementSibling : one;"
                    "const style = getComputedStyle(ring), mark = getComputedStyle(one, '::before');"
                    "return style.outlineStyle !== 'none' || style.boxShadow !== 'none'"
                    " || mark.boxShadow !== 'none'"
                ), selector
                return
        raise AssertionError(f"no way to {selector} by Tab")


def test_choices_are_made_by_keys_alone(driver, pages, town):
    page = ready(driver, pages["zh"])
    board = Keyboard(driver, page)
    keys = board.keys
    board.walk_to("#lc-target")
    board.press(keys.ARROW_DOWN)
    assert text_of(page, "#lc-value") == percent_text(town.targets[1].value)
    board.press(keys.ARROW_UP)
    assert text_of(page, "#lc-value") == percent_text(town.targets[0].value)
    board.walk_to("#lc-search")
    board.press("百步镇", keys.ENTER)
    assert text_of(page, "#lc-districts .lc-chosen button") == "百步镇"
    board.walk_to("#lc-limit")
    board.press(*[keys.ARROW_RIGHT] * 3)
    assert "试算 18 分钟" in text_of(page, "#lc-verdict")
    board.walk_to("input[name='lc-band']")
    board.press(keys.ARROW_RIGHT)
    assert "快速" in text_of(page, "#lc-verdict")
    board.press(keys.ARROW_LEFT)
    board.walk_to("input[name='lc-counting']")
    board.press(keys.ARROW_RIGHT)
    assert not page.run("return document.getElementById('lc-counting-note').hidden")
    board.press(keys.ARROW_LEFT)
    board.walk_to("#lc-only-gaps")
    board.press(keys.SPACE)
    assert page.run("return document.getElementById('lc-only-gaps').checked")
    board.press(keys.SPACE)
    board.walk_to("#lc-reset")
    board.press(keys.ENTER)
    assert text_of(page, "#lc-verdict") == "未达标"
    is_quiet(page)


def test_a_journey_over_the_map_by_keys_alone(driver, pages, town):
    page = ready(driver, pages["zh"])
    board = Keyboard(driver, page)
    keys = board.keys
    board.walk_to("#lc-pin-add")
    board.press(keys.ENTER)
    before = text_of(page, "#lc-pins small")
    board.press(*[keys.ARROW_LEFT] * 5)
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert text_of(page, "#lc-pins small") != before
    board.press(keys.DELETE)
    assert page.run("return document.activeElement.id") == "lc-pin-add"
    board.walk_to("#lc-gaps button")
    board.press(keys.ENTER)
    assert page.run("return document.querySelector('#lc-gaps .lc-chosen').dataset.number") == "0"
    board.walk_to("#lc-districts tbody button")
    board.press(keys.ENTER)
    assert text_of(page, "#lc-districts .lc-chosen button") == town.districts["name"].iloc[0]
    board.walk_to(".folium-map")
    middle = page.run(MAP + "return map.getCenter().lng")
    board.press(keys.ARROW_RIGHT)
    driver.execute_async_script("setTimeout(arguments[0], 400)")
    assert page.run(MAP + "return map.getCenter().lng") > middle
    zoom = page.run(MAP + "return map.getZoom()")
    board.press("+")
    driver.execute_async_script("setTimeout(arguments[0], 400)")
    assert page.run(MAP + "return map.getZoom()") > zoom
    board.press(keys.ENTER)
    assert page.run("return getComputedStyle(document.getElementById('lc-cross')).display") == "block"
    assert text_of(page, "#lc-said") != ""
    is_quiet(page)


def test_the_middle_of_the_map_is_said(driver, pages, town):
    page = ready(driver, pages["zh"])
    board = Keyboard(driver, page)
    cell = np.flatnonzero(town.status["culture"] == "disconnected")[0]
    place = town.demand.geometry.iloc[int(cell)]
    page.run("document.querySelector('.folium-map').focus()")
    page.run(MAP + "map.setView([arguments[0], arguments[1]], 14, {animate: false})", place.y, place.x)
    board.press(board.keys.ENTER)
    told = text_of(page, "#lc-said")
    assert "道路不连通" in told
    assert f"人口 {town.demand['population'].iloc[int(cell)]:.0f}" in told
    board.press(board.keys.ESCAPE)
    driver.execute_async_script("setTimeout(arguments[0], 400)")
    assert page.run("return document.querySelector('.lc-tip')") is None


# ---------------------------------------------------------------------------------------------------------
# axe


def axe() -> str:
    if AXE.exists():
        return AXE.read_text("utf-8")
    reason = "axe-core is not installed: .ci/setup puts it in .axe"
    if os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


STATES = {
    "plain": "",
    "overview": "document.getElementById('lc-overview-open').click()",
    "area": "document.querySelector('#lc-districts tbody button').click()",
    "open": (
        "document.querySelectorAll('details').forEach((one) => (one.open = true));"
        "document.getElementById('lc-pin-add').click()"
    ),
    "tried": (
        "const slider = document.getElementById('lc-limit'); slider.value = 20;"
        "slider.dispatchEvent(new Event('input'));"
        "document.querySelector(\"input[value='differ']\").click();"
        "const box = document.getElementById('lc-search'); box.focus(); box.value = '1';"
        "box.dispatchEvent(new Event('input'))"
    ),
    "compared": (
        "const list = document.getElementById('lc-compare'); list.value = '0';"
        "list.dispatchEvent(new Event('change'))"
    ),
    **{
        kind: (
            f"const list = document.getElementById('lc-target'); list.value = '{kind}';"
            "list.dispatchEvent(new Event('change'))"
        )
        for kind in ("clinics", "beds", "bus_share")
    },
}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("zh", "plain"),
        ("zh", "overview"),
        ("kinds", "overview"),
        ("zh", "area"),
        ("en", "open"),
        ("zh", "tried"),
        ("en", "compared"),
        ("kinds", "clinics"),
        ("kinds", "beds"),
        ("kinds", "bus_share"),
    ],
)
def test_axe_finds_nothing(driver, pages, name, state):
    script = axe()
    page = ready(driver, pages[name])
    page.run(STATES[state])
    page.run(script)
    driver.execute_async_script("setTimeout(arguments[0], 300)")
    passed, violations = driver.execute_async_script(
        "axe.run(document).then((found) => arguments[0]([found.passes.length, found.violations"
        ".map((one) => [one.impact, one.id, one.nodes.map((node) => node.html.slice(0, 200))])]))"
    )
    assert violations == []
    assert passed > 15


# ---------------------------------------------------------------------------------------------------------
# Names are text everywhere


def test_hostile_names_stay_text_in_everything_that_is_new(driver, pages):
    page = ready(driver, pages["hostile"])
    for name in HOSTILE:
        page.run(
            "const box = document.getElementById('lc-search'); box.focus(); box.value = arguments[0];"
            "box.dispatchEvent(new Event('input'))",
            name[:40],
        )
        assert name in page.run(
            "return [...document.querySelectorAll('#lc-found bdi')].map((one) => one.textContent)"
        )
        page.run("document.querySelector('#lc-found li').click()")
    page.run("document.getElementById('lc-pin-add').click(); document.getElementById('lc-pin-add').click()")
    choose(page, "lc-compare", "0")
    choose(page, "lc-compare", "")
    choose(page, "lc-gaps-sort", "cause")
    page.run("document.querySelector(\"input[value='differ']\").click()")
    page.run("document.querySelector('#lc-area button').click()")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert page.run("return document.querySelectorAll('#lc-print table tbody tr').length") > 30
    printed = page.run("return document.getElementById('lc-print').textContent")
    assert all(name in printed for name in HOSTILE)
    assert page.run("return window.hacked") is None
    assert page.run("return document.querySelectorAll('img, svg[onload], details[ontoggle]').length") == 0
    wide = page.run("const p = document.getElementById('lc-panel'); return p.scrollWidth - p.clientWidth")
    assert wide <= 0
    is_quiet(page)


@pytest.fixture(scope="module")
def phone(tmp_path_factory):
    with browser.chromium(tmp_path_factory.mktemp("phone"), size=(390, 844)) as started:
        yield started


@pytest.mark.parametrize("name", ["zh", "en", "hostile"])
def test_everything_fits_a_phone(phone, pages, name):
    page = ready(phone, pages[name])
    page.run(STATES["open"])
    choose(page, "lc-compare", "0")
    page.run(STATES["tried"])
    page.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    small = page.run(
        "return [...document.querySelectorAll('#lc-panel button, #lc-panel select, #lc-panel input')]"
        ".filter((one) => one.offsetParent && one.getBoundingClientRect().height < 24)"
        ".map((one) => one.outerHTML.slice(0, 90))"
    )
    assert small == []
    is_quiet(page)
