"""The state of the map page in its link: kept, opened, refused, gone back to."""

from __future__ import annotations

import dataclasses

import pytest

import atlas_town
import browser
from atlas_page import MAP, choose, is_quiet, text_of
from lifecircle.atlas import draw_atlas

pytestmark = pytest.mark.browser

WROTE = "setTimeout(() => arguments[0](location.hash), 400)"
CHOSEN = """
const value = (id) => document.getElementById(id).value;
return [value('lc-target'), document.querySelector('#lc-year option:checked').textContent, value('lc-limit'),
  document.querySelector('#lc-band-row input:checked').value, document.getElementById('lc-only-gaps').checked,
  document.getElementById('lc-area').textContent, value('lc-compare')];
"""
CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', "
VIEW = (
    MAP
    + "const c = map.getCenter(); return [c.lat, c.lng, map.getZoom()].map((one) => Number(one.toFixed(4)));"
)


@pytest.fixture(scope="module")
def towns():
    return [atlas_town.town(residents=300, year=year) for year in (2024, 2025)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory, towns):
    folder = tmp_path_factory.mktemp("pages")
    other = [dataclasses.replace(one, study="futian") for one in towns]
    return {
        "page": draw_atlas(towns, folder / "page.html"),
        "english": draw_atlas(towns, folder / "english.html", language="en"),
        "other": draw_atlas(other, folder / "other.html"),
        "public": draw_atlas(towns, folder / "public.html", edition="public"),
    }


def ready(driver, address):
    driver.get("about:blank")  # another fragment alone would not open the page again
    page = browser.opened(driver, address)
    page.wait_ready()
    return page


def written(driver):
    return driver.execute_async_script(WROTE)


def choose_all(page):
    """Choose something else than the page starts with, of everything that a page without roads has."""
    choose(page, "lc-year", "0")
    choose(page, "lc-compare", "1")
    page.run(
        "const s = document.getElementById('lc-limit'); s.value = 22; s.dispatchEvent(new Event('input'));"
        "document.querySelector('#lc-band-row input[value=slow]').click();"
        "document.getElementById('lc-only-gaps').click();"
        "document.querySelector('#lc-districts [data-code] button').click();"
        + MAP
        + "map.setView([30.5, 120.9], 12.5, {animate: false})"
    )


def test_a_page_starts_without_a_link(driver, pages):
    page = ready(driver, pages["page"].as_uri())
    assert written(driver) == ""
    assert text_of(page, "#lc-link-said") == ""
    is_quiet(page)


@pytest.mark.parametrize("way", ["file", "http"])
def test_a_link_opens_the_page_as_it_stands(driver, pages, way):
    with browser.served(pages["page"].parent) as root:
        address = pages["page"].as_uri() if way == "file" else f"{root}/page.html"
        page = ready(driver, address)
        choose_all(page)
        fragment = written(driver)
        state, view = page.run(CHOSEN), page.run(VIEW)
        assert state == ["culture", "2024", "22", "slow", True, "武原街道×", "1"]
        again = ready(driver, address + fragment)
        assert again.run(CHOSEN) == state
        assert again.run(VIEW) == view == [30.5, 120.9, 12.5]
        assert text_of(again, "#lc-link-said") == ""
        assert again.complaints() == []
        english = ready(driver, address.replace("page.html", "english.html") + fragment)
        assert english.run(CHOSEN) == [*state[:5], "武原街道×", "1"]


def test_back_and_forward_walk_the_steps(driver, pages):
    page = ready(driver, pages["page"].as_uri())
    choose(page, "lc-target", "clinic")
    assert "target=clinic" in written(driver)
    page.run(
        "const s = document.getElementById('lc-limit'); s.value = 22; s.dispatchEvent(new Event('input'))"
    )
    written(driver)
    choose(page, "lc-year", "0")
    written(driver)
    for step, expected in (
        ("back", ["clinic", "2025", "22"]),
        ("back", ["culture", "2025", "15"]),
        ("forward", ["clinic", "2025", "22"]),
        ("forward", ["clinic", "2024", "10"]),
    ):
        getattr(driver, step)()
        written(driver)
        assert page.run(CHOSEN)[:3] == expected, step


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda link: link[:-5], "链接不完整或已被改动"),
        (lambda link: link.replace("clinic", "culture"), "链接不完整或已被改动"),
        (lambda _: "#nothing", "链接不完整或已被改动"),
        (lambda _: "#lc=%E0%A4%A&<img src=x onerror=alert(1)>", "链接不完整或已被改动"),
    ],
)
def test_a_damaged_link_is_refused_and_the_page_opens(driver, pages, damage, said):
    page = ready(driver, pages["page"].as_uri())
    choose(page, "lc-target", "clinic")
    link = written(driver)
    again = ready(driver, pages["page"].as_uri() + damage(link))
    assert said in text_of(again, "#lc-link-said")
    assert again.run(CHOSEN)[:2] == ["culture", "2025"]
    assert again.complaints() == []


def test_a_link_of_another_page_is_refused(driver, pages):
    page = ready(driver, pages["page"].as_uri())
    choose(page, "lc-target", "clinic")
    link = written(driver)
    for other in ("other", "public"):
        again = ready(driver, pages[other].as_uri() + link)
        assert "属于另一研究或另一版本的页面（haiyan）" in text_of(again, "#lc-link-said")
        assert again.run("return document.getElementById('lc-target').value") == "culture"


def test_what_a_page_does_not_have_is_named(driver, pages, tmp_path, towns):
    page = ready(driver, pages["page"].as_uri())
    choose(page, "lc-year", "0")
    link = written(driver)
    alone = draw_atlas(towns[1:], tmp_path / "alone.html")
    again = ready(driver, alone.as_uri() + link)
    assert "“year=2024”" in text_of(again, "#lc-link-said")


def test_the_link_is_copied_or_shown(driver, pages):
    page = ready(driver, pages["page"].as_uri())
    page.run(CLIPBOARD + "{value: {writeText: async (text) => (window.had = text)}})")
    driver.find_element("id", "lc-link-copy").click()
    written(driver)
    assert text_of(page, "#lc-link-copied") == "链接已复制"
    had = page.run("return window.had")
    assert had == page.run("return location.href")
    assert "year=2025" in had
    page = ready(driver, pages["page"].as_uri())
    page.run(
        CLIPBOARD + "{value: {writeText: async () => { throw new Error('no') }}});"
        "document.execCommand = () => false"
    )
    driver.find_element("id", "lc-link-copy").click()
    written(driver)
    assert "请自行复制" in text_of(page, "#lc-link-copied")
    shown = (
        "const box = document.getElementById('lc-link-text');"
        "return [box.hidden, box.value.slice(box.selectionStart, box.selectionEnd)]"
    )
    assert page.run(shown) == [False, page.run("return location.href")]
