"""What planners try out on the map page: limit, speed, only gaps, ways of counting, two years at once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import atlas_town
import browser
from atlas_page import MAP, cell_of, choose, colour_at, is_quiet, legend_colours, point_at, rows_of, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.page_data import CELL_COLOURS, percent_text
from lifecircle.page_data._answers import STEP_S, steps_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def town():
    return atlas_town.town(residents=900)


@pytest.fixture(scope="module")
def earlier():
    return dataclasses.replace(atlas_town.town(residents=900, venues=12), year=2023)


@pytest.fixture(scope="module")
def pages(tmp_path_factory, town, earlier):
    folder = tmp_path_factory.mktemp("pages")
    return {
        "one": draw_atlas([town], folder / "one.html"),
        "years": draw_atlas([earlier, town], folder / "years.html"),
    }


@pytest.fixture
def page(driver, pages) -> browser.Page:
    opened = browser.opened(driver, pages["one"].as_uri())
    opened.wait_ready()
    return opened


@pytest.fixture
def years(driver, pages) -> browser.Page:
    opened = browser.opened(driver, pages["years"].as_uri())
    opened.wait_ready()
    return opened


def move_limit(page: browser.Page, minutes: float) -> None:
    page.run(
        "const slider = document.getElementById('lc-limit'); slider.value = arguments[0];"
        "slider.dispatchEvent(new Event('input'))",
        minutes,
    )


def pick(page: browser.Page, name: str, value: str) -> None:
    page.run(
        "document.querySelector(`input[name='${arguments[0]}'][value='${arguments[1]}']`).click()",
        name,
        value,
    )


def counted(town, limit_min, factor=1.0):
    """Count again from the findings: people by bucket, and covered people by district."""
    people = town.people["culture"].to_numpy()
    status = town.status["culture"].to_numpy()
    seconds = steps_of(town.seconds["culture"].to_numpy(), 900.0) * STEP_S / factor
    timed = np.isin(status, ["covered", "beyond"])
    covered = timed & (seconds <= limit_min * 60 + 1e-6)
    buckets = [people.sum(), people[covered].sum(), people[timed & ~covered].sum()]
    buckets += [people[status == name].sum() for name in ("disconnected", "unsnapped")]
    rows = {}
    for code in town.districts.index:
        mine = (town.demand["district"] == code).to_numpy()
        rows[code] = (people[mine].sum(), people[mine & covered].sum())
    return buckets, rows


def shown_people(page):
    return page.run("return [...document.querySelectorAll('#lc-people dd')].map((one) => one.textContent)")


def check_trial(page, town, limit, factor=1.0):
    buckets, rows = counted(town, limit, factor)
    assert shown_people(page) == [f"{people:,.0f}" for people in buckets]
    assert text_of(page, "#lc-value") == percent_text(float(buckets[1] / buckets[0]))
    table = {row[0]: row[1:4] for row in rows_of(page, "#lc-districts tbody tr")}
    for code, (total, covered) in rows.items():
        rate = percent_text(float(covered / total))
        assert table[town.districts["name"][code]] == [f"{total:,.0f}", rate, f"{total - covered:,.0f}"]


def test_a_limit_tried_out_is_counted_from_times_and_people(page, town):
    own = (text_of(page, "#lc-value"), text_of(page, "#lc-verdict"), shown_people(page))
    assert page.run("const s = document.getElementById('lc-limit'); return [s.min, s.max, s.value]") == [
        "1", "30", "15",
    ]  # fmt: skip
    for limit in (1, 9, 16, 30):
        move_limit(page, limit)
        check_trial(page, town, limit)
        assert f"试算 {limit} 分钟" in text_of(page, "#lc-verdict")
        assert "不作评价" in text_of(page, "#lc-reason")
        assert f"{limit} 分钟以内" in text_of(page, "#lc-legend")
    minutes = town.seconds["culture"] / 60
    between = np.flatnonzero((minutes > 16) & (minutes < 29) & (town.status["culture"] == "beyond"))[0]
    place = town.demand.geometry.iloc[between]
    assert colour_at(page, place.y, place.x) == CELL_COLOURS["covered"]
    page.run("document.getElementById('lc-reset').click()")
    assert (text_of(page, "#lc-value"), text_of(page, "#lc-verdict"), shown_people(page)) == own
    assert colour_at(page, place.y, place.x) != CELL_COLOURS["covered"]
    assert page.run("return document.activeElement.id") == "lc-limit"
    is_quiet(page)


def test_another_target_starts_at_its_own_limit(page, town):
    move_limit(page, 25)
    choose(page, "lc-target", "clinic")
    assert text_of(page, "#lc-value") == percent_text(town.targets[1].value)
    assert page.run("return document.getElementById('lc-limit').value") == "10"
    choose(page, "lc-target", "literacy")
    assert page.run("return document.getElementById('lc-views').hidden")


@pytest.mark.parametrize(("band", "factor"), [("slow", 0.8), ("fast", 1.2)])
def test_speed_divides_the_times(page, town, band, factor):
    pick(page, "lc-band", band)
    check_trial(page, town, 15, factor)
    cell = cell_of(town, "beyond")
    place = town.demand.geometry.iloc[cell]
    point_at(page, place.y, place.x)
    shown = (
        np.ceil(steps_of(town.seconds["culture"].to_numpy(), 900.0)[cell] * STEP_S / 60 / factor * 10 - 1e-6)
        / 10
    )
    assert f"{shown:.1f} 分钟" in text_of(page, ".lc-tip")
    assert "试算" in text_of(page, ".lc-tip")
    pick(page, "lc-band", "usual")
    assert text_of(page, "#lc-value") == percent_text(town.targets[0].value)


def test_only_gaps_hides_the_covered(page, town):
    covered, beyond = (town.demand.geometry.iloc[cell_of(town, name)] for name in ("covered", "beyond"))
    assert colour_at(page, covered.y, covered.x) == CELL_COLOURS["covered"]
    page.run("document.getElementById('lc-only-gaps').click()")
    assert colour_at(page, covered.y, covered.x) == ""
    assert colour_at(page, beyond.y, beyond.x) != ""
    assert CELL_COLOURS["covered"] not in legend_colours(page)
    point_at(page, covered.y, covered.x)
    assert page.run("return document.querySelector('.lc-tip')") is None
    page.run("document.getElementById('lc-only-gaps').click()")
    assert colour_at(page, covered.y, covered.x) == CELL_COLOURS["covered"]


def test_near_and_far_paint_the_same_colours(page, town):
    places = town.demand.geometry
    chosen = [cell_of(town, "covered"), cell_of(town, "beyond"), cell_of(town, "disconnected")]
    far = [colour_at(page, places.iloc[cell].y, places.iloc[cell].x) for cell in chosen]
    for cell, colour in zip(chosen, far, strict=True):
        place = places.iloc[cell]
        page.run(MAP + "map.setView([arguments[0], arguments[1]], 15, {animate: false})", place.y, place.x)
        assert colour_at(page, place.y, place.x) == colour


@pytest.fixture(scope="module")
def settled(town, tmp_path_factory):
    """Give every resident a village in turn; returns the findings and their page."""
    demand = town.demand.copy()
    demand["village"] = [town.villages.index[i % len(town.villages)] for i in range(len(demand))]
    findings = dataclasses.replace(town, demand=demand)
    return findings, draw_atlas([findings], tmp_path_factory.mktemp("villages") / "villages.html")


def test_residents_show_what_their_village_counts_as(driver, settled):
    town, path = settled
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    covered = (town.status["culture"] == "covered").to_numpy() & (town.people["culture"] > 0).to_numpy()
    village = np.arange(len(town.demand)) % len(town.villages)
    straight = town.villages["straight_culture"].astype(bool).to_numpy()[village]
    yes, no, over = (
        town.demand.geometry.iloc[np.flatnonzero(covered & wanted)[0]]
        for wanted in (straight, ~straight, village == 0)
    )
    pick(page, "lc-counting", "straight")
    assert colour_at(page, yes.y, yes.x) == CELL_COLOURS["covered"]
    assert colour_at(page, no.y, no.x) == CELL_COLOURS["beyond_1"]
    assert percent_text(atlas_town.LADDER["straight"].value) in text_of(page, "#lc-counting-note")
    assert "直线圆" in text_of(page, "#lc-legend")
    pick(page, "lc-counting", "differ")
    assert colour_at(page, over.y, over.x) == CELL_COLOURS["over"]
    assert colour_at(page, no.y, no.x) == CELL_COLOURS["under"]
    pick(page, "lc-counting", "reach")
    assert colour_at(page, no.y, no.x) == CELL_COLOURS["covered"]
    is_quiet(page)


@pytest.mark.parametrize("limit", [3, 20, 30])
def test_villages_follow_a_limit_tried_out(driver, settled, limit):
    town, path = settled
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    page.run("document.getElementById('lc-villages-all').open = true")
    driver.execute_async_script("setTimeout(arguments[0], 50)")
    move_limit(page, limit)
    people, status = town.people["culture"].to_numpy(), town.status["culture"].to_numpy()
    seconds = steps_of(town.seconds["culture"].to_numpy(), 900.0) * STEP_S
    covered = np.isin(status, ["covered", "beyond"]) & (seconds <= limit * 60)
    village = np.arange(len(people)) % len(town.villages)
    total, reached = (np.bincount(village, people * part) for part in (np.ones(len(people)), covered))
    letters = [row[3] for row in rows_of(page, "#lc-villages tbody tr")]
    assert letters == [  # a village that counts as reached has those it misses beside it
        ("✓是" if yes else "✗否") + (f"{left:,.0f} 人未覆盖" if left else "")
        for yes, left in zip(reached >= 0.5 * total, total - reached, strict=True)
    ]


def compare(page):
    choose(page, "lc-compare", "0")


def test_two_years_share_the_map(years, town, earlier):
    now, then = town.status["culture"].to_numpy(), earlier.status["culture"].to_numpy()
    changed = np.flatnonzero((now == "covered") & (then == "beyond"))
    middle = years.run(MAP + "return map.containerPointToLatLng([map.getSize().x / 2, 0]).lng")
    places = town.demand.geometry
    left = next(i for i in changed if places.iloc[i].x < middle - 0.01)
    right = next(i for i in changed if places.iloc[i].x > middle + 0.01)
    assert years.run("return document.getElementById('lc-divider').hidden")
    compare(years)
    shown = years.run(
        "return ['lc-residents', 'lc-residents-before', 'lc-facilities', 'lc-facilities-before']"
        ".map((pane) => document.querySelector(`.leaflet-${pane}-pane`).style.clipPath.startsWith('polygon'))"
    )
    assert shown == [True] * 4
    assert side(years, places.iloc[left]) == "lc-residents-before"
    assert side(years, places.iloc[right]) == "lc-residents"
    for cell, pane in ((left, "lc-residents-before"), (right, "lc-residents")):
        place = places.iloc[cell]
        covered = colour_at(years, place.y, place.x, pane) == CELL_COLOURS["covered"]
        assert covered == (pane == "lc-residents")
    captions = [text_of(years, f"#lc-year-{one}") for one in ("left", "right")]
    assert captions == [
        f"2023年 {percent_text(earlier.targets[0].value)}",
        f"2025年 {percent_text(town.targets[0].value)}",
    ]
    place = places.iloc[left]
    point_at(years, place.y, place.x)
    assert "超出时限" in text_of(years, ".lc-tip")
    move_limit(years, 24)
    for one, run in (("left", earlier), ("right", town)):
        people = counted(run, 24)[0]
        share = percent_text(float(people[1] / people[0]))
        assert text_of(years, f"#lc-year-{one}") == f"{run.year}年 {share}（试算 24 分钟）"
    is_quiet(years)


SIDE = (
    MAP
    + """
const x = map.latLngToContainerPoint([arguments[0], arguments[1]]);
const at = map.containerPointToLayerPoint(x);
return ['lc-residents', 'lc-residents-before'].filter((name) => {
  const [xs, ys] = [[], []];
  for (const [, left, top] of map.getPane(name).style.clipPath.matchAll(/(-?[\\d.]+)px (-?[\\d.]+)px/g)) {
    xs.push(Number(left)); ys.push(Number(top));
  }
  const within = (value, all) => value >= Math.min(...all) && value < Math.max(...all);
  return within(at.x, xs) && within(at.y, ys);
}).join();
"""
)


def side(page, place):
    """Return which year's residents show at a place."""
    return page.run(SIDE, place.y, place.x)


def test_the_divider_moves_by_key_and_by_pointer(driver, years, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    actions = pytest.importorskip("selenium.webdriver.common.action_chains").ActionChains
    compare(years)
    place = town.demand.geometry.iloc[int(np.argmin(np.abs(town.demand.geometry.x - 120.86)))]
    handle = driver.find_element("id", "lc-divider")
    handle.send_keys(keys.END)
    assert side(years, place) == "lc-residents-before"
    handle.send_keys(keys.HOME)
    assert side(years, place) == "lc-residents"
    handle.send_keys(keys.ARROW_RIGHT * 3)
    assert handle.get_attribute("aria-valuenow") == "8"
    assert "2023" in handle.get_attribute("aria-valuetext")
    actions(driver).click_and_hold(handle).move_by_offset(300, 0).release().perform()
    assert int(handle.get_attribute("aria-valuenow")) > 30
    years.run(MAP + "map.panBy([150, 0], {animate: false})")
    assert side(years, place) in {"lc-residents", "lc-residents-before"}
    choose(years, "lc-compare", "")
    assert years.run("return document.querySelector('.leaflet-lc-residents-pane').style.clipPath") == ""
    assert years.run("return document.querySelector('.leaflet-lc-residents-before-pane canvas')") is None


def test_each_side_shows_the_venues_of_its_year(years, town, earlier):
    compare(years)
    painted = (
        "const canvas = document.querySelector(`.leaflet-${arguments[0]}-pane canvas`);"
        "const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        "let n = 0; for (let i = 3; i < data.length; i += 4) if (data[i]) n++; return n"
    )
    now = years.run(painted, "lc-facilities")
    then = years.run(painted, "lc-facilities-before")
    own = [
        one["service"].isin(atlas_town.SERVICES["culture"]).sum()
        for one in (town.facilities, earlier.facilities)
    ]
    assert own[0] > own[1]
    assert now > then > 0


def test_trend_of_a_district_holds_every_year(years, town, earlier):
    told = years.run(
        "return [...document.querySelectorAll('#lc-districts .lc-spark')]"
        ".map((one) => [one.getAttribute('aria-label'), one.querySelectorAll('.lc-goal-line').length])"
    )
    then, now = (
        {one.code: percent_text(one.value) for one in run.targets[0].districts} for run in (earlier, town)
    )
    assert told == [[f"2023 {then[code]} · 2025 {now[code]}", 1] for code in town.districts.index]


def nobody(town):
    rows = ("demand", "facilities", "districts", "gaps", "seconds", "status", "nearest", "people", "villages")
    result = dataclasses.replace(
        town.targets[0], value=None, count=None, districts=(), reason="nobody_counted"
    )
    return dataclasses.replace(
        town, targets=(result,), **{name: getattr(town, name).iloc[:0] for name in rows}
    )


def no_venue(town):
    status = town.status.replace({"covered": "disconnected", "beyond": "disconnected"})
    nearest = town.nearest.astype(object).where(town.nearest.isna() & False, None)
    return dataclasses.replace(
        town,
        facilities=town.facilities.iloc[:0],
        seconds=town.seconds * np.nan,
        status=status,
        nearest=nearest,
        targets=tuple(dataclasses.replace(one, venues=()) for one in town.targets),
    )


def all_covered(town):
    status = town.status.copy()
    status.loc[:, :] = "covered"
    return dataclasses.replace(
        town, status=status, seconds=town.seconds.fillna(0) * 0 + 60, gaps=town.gaps.iloc[:0]
    )


def one_district(town):
    code = town.districts.index[4]
    results = tuple(
        dataclasses.replace(one, districts=tuple(row for row in one.districts if row.code == code))
        for one in town.targets
    )
    return dataclasses.replace(town, districts=town.districts.loc[[code]], targets=results)


@pytest.mark.parametrize("make", [nobody, no_venue, all_covered, one_district])
def test_odd_counties_can_be_tried_out_too(driver, tmp_path, town, earlier, make):
    path = draw_atlas([make(earlier), make(town)], tmp_path / "odd.html")
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    for limit in (1, 30, 15):
        move_limit(page, limit)
    page.run("document.getElementById('lc-only-gaps').click()")
    for value in ("slow", "accepted", "differ", "usual", "reach"):
        page.run("document.querySelector(`input[value='${arguments[0]}']`)?.click()", value)
    choose(page, "lc-compare", "0")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert page.run("return document.querySelector('#lc-print canvas').width") > 1000
    choose(page, "lc-compare", "")
    page.run(
        "const box = document.getElementById('lc-search'); box.value = '1';"
        "box.dispatchEvent(new Event('input'))"
    )
    if make is all_covered:
        assert text_of(page, "#lc-gaps-note") == "没有缺口"
    assert page.run("return document.getElementById('lc-failed').hidden")
    is_quiet(page)


def test_a_figure_without_residents_ends_the_comparison(years):
    compare(years)
    choose(years, "lc-target", "literacy")
    assert years.run("return document.getElementById('lc-divider').hidden")
    choose(years, "lc-target", "culture")
    assert years.run("return document.getElementById('lc-compare').value") == ""
    is_quiet(years)


def test_the_public_edition_offers_only_steps_that_differ(driver, town, tmp_path):
    path = draw_atlas([town], tmp_path / "public.html", edition="public")
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    slider = "const s = document.getElementById('lc-limit'); return [s.min, s.max, s.step, s.value]"
    assert page.run(slider) == ["5", "30", "5", "15"]
    assert page.run("return document.getElementById('lc-band-row').hidden")
    assert page.run("return document.getElementById('lc-pins-part')") is None
    own = text_of(page, "#lc-value")
    move_limit(page, 20)
    assert "试算 20 分钟" in text_of(page, "#lc-verdict")
    page.run("document.getElementById('lc-reset').click()")
    assert text_of(page, "#lc-value") == own
    is_quiet(page)
