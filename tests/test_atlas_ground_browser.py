"""The map's ground, the column beside it, the way that is walked, groups, search and the first links."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import atlas_roads
import atlas_town
import browser
from atlas_page import MAP, choose, colour_at, is_quiet, point_at, rows_of, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.findings import Count, GroupResult
from lifecircle.page_data import percent_text
from lifecircle.page_data._page_ground import GROUND_COLOURS
from lifecircle.publication import MapSetting

if TYPE_CHECKING:
    from lifecircle.findings import Findings

pytestmark = pytest.mark.browser

STATUSES = ("covered", "beyond", "disconnected", "unsnapped")
LAKE = shapely.box(120.705, 30.405, 120.735, 30.43)


def with_groups(findings: Findings) -> Findings:
    """Put residents in villages, give some of them people of 60 and over, and the run a figure of its own."""
    rng = np.random.default_rng(11)
    demand, villages = findings.demand.copy(), findings.villages.copy()
    villages["urban"] = pd.array(np.arange(len(villages)) % 2 == 0, dtype="boolean")
    homes = pd.Series("", index=demand.index, dtype="str")
    for district, mine in villages.groupby("district"):
        here = (demand["district"] == district).to_numpy()
        homes[here] = rng.choice(mine.index.to_numpy(dtype=str), here.sum())
    demand["village"] = homes
    demand["over60"] = np.where(rng.random(len(demand)) < 0.5, np.floor(demand["population"] * 0.4), 0.0)
    targets = tuple(
        dataclasses.replace(
            one,
            groups=(
                *one.groups[:1],
                GroupResult("over60", Count(4321.0, 3000.0, 1000.0, 300.0, 21.0), 3000 / 4321),
                GroupResult("urban", Count(9000.0, 8000.0, 900.0, 100.0, 0.0), 8 / 9),
                GroupResult("rural", Count(8000.0, 3000.0, 4900.0, 100.0, 0.0), 3 / 8),
            ),
        )
        if one.target.id == "culture"
        else one
        for one in findings.targets
    )
    return dataclasses.replace(findings, demand=demand, villages=villages, targets=targets)


@pytest.fixture(scope="module")
def town() -> Findings:
    return with_groups(atlas_town.town(residents=900))


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, town):
    folder = tmp_path_factory.mktemp("ground")
    ground = gpd.GeoDataFrame(
        {"kind": ["water", "railway"], "name": ["南北湖", ""]},
        geometry=[LAKE, shapely.LineString([(120.7, 30.5), (121.0, 30.5)])],
        crs="EPSG:4326",
    )
    setting = MapSetting(ground=ground)
    public = draw_atlas([town], folder / "public.html", edition="public", setting=setting)
    return {
        "page": draw_atlas([town], folder / "page.html", setting=setting).as_uri(),
        "public": public.as_uri(),
    }


@pytest.fixture
def page(driver, addresses) -> browser.Page:
    opened = browser.opened(driver, addresses["page"])
    opened.wait_ready()
    return opened


def box_of(page: browser.Page, selector: str) -> dict[str, float]:
    return page.run("return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector)


def headings(page: browser.Page) -> list[str]:
    return page.run("return [...document.querySelectorAll('#lc-legend h3')].map((one) => one.textContent)")


# ---------------------------------------------------------------------------------------------------------
# The column, and sizes


def test_legend_and_layers_stand_in_a_column_that_covers_nothing(driver, page):
    key, map_box = box_of(page, "#lc-key"), box_of(page, ".folium-map")
    assert key["right"] <= map_box["left"]
    for inside in ("#lc-legend", "#lc-layers"):
        assert box_of(page, inside)["right"] <= key["right"]
    wide = map_box["width"]
    driver.find_element("css selector", "#lc-legend-part > summary").click()
    driver.execute_async_script("setTimeout(arguments[0], 400)")  # the map gets its new size after the fold
    assert box_of(page, ".folium-map")["width"] > wide + 150
    assert page.run(MAP + "return map.getSize().x") == pytest.approx(
        box_of(page, ".folium-map")["width"], abs=1
    )
    is_quiet(page)


@pytest.mark.parametrize("size", [(844, 390), (683, 384), (1024, 560)])
def test_the_answer_needs_no_scrolling_on_a_low_screen(tmp_path_factory, addresses, size):
    with browser.chromium(tmp_path_factory.mktemp("low"), size=size) as driver:
        page = browser.opened(driver, addresses["page"])
        page.wait_ready()
        assert box_of(page, "#lc-answer")["bottom"] <= size[1]
        map_box = box_of(page, ".folium-map")
        assert map_box["top"] == 0
        assert map_box["width"] > size[0] * 0.45
        assert page.run(
            "document.querySelectorAll('details').forEach((one) => (one.open = true));"
            "const panel = document.getElementById('lc-panel'); return panel.scrollWidth <= panel.clientWidth"
        )
        is_quiet(page)


def test_the_headline_stands_first_on_a_phone(tmp_path_factory, addresses):
    with browser.chromium(tmp_path_factory.mktemp("phone"), size=(390, 844)) as driver:
        page = browser.opened(driver, addresses["page"])
        page.wait_ready(overview=True)
        tops = [box_of(page, one)["top"] for one in ("#lc-value", "#lc-answer", "#lc-overview", "#lc-target")]
        assert tops == sorted(tops)
        assert tops[2] < 844 / 2  # the cards begin on the first screen
        is_quiet(page)


# ---------------------------------------------------------------------------------------------------------
# The ground


def test_waters_stand_under_the_residents_and_in_the_legend(driver, page):
    assert colour_at(page, 30.408, 120.708, "lc-ground") == GROUND_COLOURS["water"]
    assert colour_at(page, 30.45, 120.72, "lc-ground") == ""
    legend = text_of(page, "#lc-legend")
    assert "水域" in legend
    assert "铁路" in legend
    assert "高速公路" not in legend  # the study has none
    (box,) = [one for one in driver.find_elements("css selector", "#lc-layers label") if "水域" in one.text]
    box.click()
    assert "水域" not in text_of(page, "#lc-legend")
    is_quiet(page)


def test_districts_are_shaded_when_one_asks_for_it(driver, page):
    shade = (
        "return [...document.querySelectorAll('.leaflet-lc-areas-pane path')]"
        ".map((one) => one.getAttribute('fill'))"
    )
    assert set(page.run(shade)) == {"#ffffff"}
    assert "乡镇（街道）覆盖率" not in headings(page)
    (box,) = [one for one in driver.find_elements("css selector", "#lc-layers label") if "底色" in one.text]
    box.click()
    assert set(page.run(shade)) != {"#ffffff"}
    assert "乡镇（街道）覆盖率" in headings(page)
    is_quiet(page)


def test_the_public_legend_names_the_merged_cells(driver, addresses):
    page = browser.opened(driver, addresses["public"])
    page.wait_ready()
    legend = text_of(page, "#lc-legend")
    sides = page.run("return lifecirclePage.years[0].entry.cells.sides.metres")
    texts = [f"{side / 1000:g} km" if side >= 1000 else f"{side:g} m" for side in sides]
    assert f"边长 {texts[0]} 的格" in legend
    assert ("更大的格" in legend) == (len(sides) > 1)
    assert len(sides) == 1 or f"边长 {texts[1]} 至 {texts[-1]}" in legend
    assert colour_at(page, 30.408, 120.708, "lc-ground") == GROUND_COLOURS["water"]
    assert page.run("return document.getElementById('lc-group-row').hidden")  # no ages in the public edition
    is_quiet(page)


# ---------------------------------------------------------------------------------------------------------
# The way


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    found, roads = atlas_roads.study(1)
    return found, draw_atlas([found], tmp_path_factory.mktemp("way") / "way.html", roads=roads).as_uri()


def test_the_way_is_drawn_under_the_pointer_and_goes_with_it(driver, walked):
    found, address = walked
    page = browser.opened(driver, address)
    page.wait_ready()
    choose(page, "lc-target", "clinic")
    page.run(MAP + "map.removeLayer(lifecirclePage.layer('facilities'))")
    known = [
        cell
        for cell, place in enumerate(found.demand.geometry)
        if place is not None
        and found.status["clinic"].iloc[cell] == "beyond"
        and found.people["clinic"].iloc[cell] > 0
    ]
    place = found.demand.geometry.iloc[known[0]]
    point_at(page, place.y, place.x)
    assert page.run("return document.querySelectorAll('path.lc-way').length") >= 4  # casing, way, two legs
    tip = box_of(page, ".lc-tip")
    at = page.run(
        MAP + "const at = map.latLngToContainerPoint([arguments[0], arguments[1]]);"
        "const frame = map.getContainer().getBoundingClientRect();"
        "return [frame.left + at.x, frame.top + at.y]",
        place.y,
        place.x,
    )
    assert not tip["left"] <= at[0] <= tip["right"]  # the card stands beside it
    assert tip["top"] >= 0
    assert tip["bottom"] <= 768
    page.run(MAP + "map.fire('mouseout')")
    assert page.run("return document.querySelectorAll('path.lc-way').length") == 0
    is_quiet(page)


# ---------------------------------------------------------------------------------------------------------
# Groups


def people_by_bucket(town: Findings, people: np.ndarray) -> dict[str, float]:
    status = town.status["culture"].to_numpy()
    sums = {name: float(people[status == name].sum()) for name in STATUSES}
    return sums | {"total": sum(sums.values())}


def test_a_group_is_counted_everywhere(driver, page, town):
    choose(page, "lc-group", "over60")
    assert text_of(page, "#lc-value") == percent_text(3000 / 4321)  # the run's own figure
    assert text_of(page, "#lc-people .lc-count-total dd") == "4,321"
    assert text_of(page, "#lc-verdict") == "分人群，不作评价"
    assert "由本页按居民点计算" in text_of(page, "#lc-reason")
    aged = town.demand["over60"].to_numpy()
    expected = people_by_bucket(town, aged)
    assert text_of(page, "#lc-people .lc-count-beyond dd") == f"{expected['beyond']:,.0f}"
    status = town.status["culture"].to_numpy()
    for row, code in zip(rows_of(page, "#lc-districts tbody tr"), town.districts.index, strict=False):
        mine = (town.demand["district"] == code).to_numpy()
        total, covered = aged[mine & (status != "")].sum(), aged[mine & (status == "covered")].sum()
        assert row[1:4] == [f"{total:,.0f}", percent_text(float(covered / total)), f"{total - covered:,.0f}"]
    left = sum(float(row[2].replace(",", "")) for row in rows_of(page, "#lc-village-figures tbody tr"))
    assert 0 < left <= expected["total"] - expected["covered"]
    assert "60岁及以上" in text_of(page, "#lc-answer p")
    driver.find_element("css selector", "#lc-area button").click()
    assert text_of(page, "#lc-value") == percent_text(town.result("culture").value)
    is_quiet(page)


def test_squares_show_where_the_group_lives(page, town):
    places, x, y = town.demand.geometry, town.demand.geometry.x.to_numpy(), town.demand.geometry.y.to_numpy()
    apart = np.array([np.sort(np.hypot(x - a, y - b))[1] for a, b in zip(x, y, strict=True)])
    beyond, aged = (town.status["culture"] == "beyond").to_numpy(), town.demand["over60"].to_numpy()
    counted = (town.people["culture"] > 0).to_numpy()
    choose(page, "lc-group", "over60")
    for wanted in (False, True):
        mine = np.flatnonzero(beyond & np.isfinite(x) & counted & ((aged > 0) == wanted))
        at = places.iloc[int(mine[apart[mine].argmax()])]  # no square of another covers this one
        page.run(MAP + "map.setView([arguments[0], arguments[1]], 17, {animate: false})", at.y, at.x)
        assert (colour_at(page, at.y, at.x) != "") == wanted


def test_town_and_country_stand_under_the_districts_and_in_a_town(driver, page, town):
    rows = {row[0]: row[1:4] for row in rows_of(page, "#lc-districts tfoot tr")}
    assert rows == {"城镇居民": ["9,000", "88.8%", "1,000"], "农村居民": ["8,000", "37.5%", "5,000"]}
    driver.find_elements("css selector", "#lc-districts tbody button")[1].click()
    code = town.districts.index[1]
    mine = (town.demand["district"] == code).to_numpy()
    urban = town.demand["village"].map(town.villages["urban"]).fillna(value=False).to_numpy(dtype=bool)
    status, people = town.status["culture"].to_numpy(), town.people["culture"].to_numpy()
    for name, side in (("城镇居民", mine & urban), ("农村居民", mine & ~urban)):
        total, covered = people[side].sum(), people[side & (status == "covered")].sum()
        shown = {row[0]: row[1:] for row in rows_of(page, "#lc-groups tbody tr")}
        if total:
            assert shown[name] == [
                f"{total:,.0f}",
                percent_text(float(covered / total)),
                f"{total - covered:,.0f}",
            ]
    assert (
        rows_of(page, "#lc-districts tfoot tr") == []
    )  # figures of the whole county stand beside none of a town
    is_quiet(page)


def test_a_target_without_the_group_counts_everybody(page):
    choose(page, "lc-group", "rural")
    choose(page, "lc-target", "clinic")
    assert page.run("return document.querySelector('#lc-area').hidden")
    assert page.run("return document.getElementById('lc-group').value") in ("", "all")


# ---------------------------------------------------------------------------------------------------------
# Search, links, forced colours


@pytest.mark.parametrize("tail", ["", "委会", "村民委员会", "民委员会"])
def test_a_committee_is_found_by_each_of_its_names(driver, addresses, town, tail):
    page = browser.opened(driver, addresses["page"])
    page.wait_ready()
    name = str(town.villages["name"].iloc[3]).removesuffix("委会")
    search = driver.find_element("css selector", "#lc-search")
    search.send_keys(name + tail)
    search.send_keys("\ue007")
    assert name in text_of(page, "#lc-area")
    is_quiet(page)


def test_links_ahead_of_everything_lead_to_the_map_and_the_table(driver, page):
    first = driver.find_element("css selector", "#lc-skip a")
    driver.execute_script("document.activeElement.blur()")
    assert first.get_attribute("data-to") == "table"
    for which, wanted in (("table", "#lc-districts-part > summary"), ("map", ".folium-map")):
        page.run(f"document.querySelector('#lc-skip a[data-to={which}]').focus()")
        assert box_of(page, f"#lc-skip a[data-to={which}]")["top"] >= 0  # seen while it has the focus
        page.run("document.activeElement.click()")
        assert page.run("return document.activeElement.matches(arguments[0])", wanted)
    assert page.run("return location.hash.includes('lc-')") is False
    is_quiet(page)


def test_forced_colours_leave_the_map_and_its_keys_theirs(driver, page):
    def colours() -> list[Any]:
        return page.run(
            "return ['#lc-legend .lc-swatch', '.folium-map', '#lc-verdict'].map((one) =>"
            " getComputedStyle(document.querySelector(one)).backgroundColor)"
        )

    usual = colours()
    forced = {"features": [{"name": "forced-colors", "value": "active"}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", forced)
    try:
        shown = colours()
        assert shown[:2] == usual[:2]
        assert shown[2] != usual[2]  # what is text takes the reader's colours, and has a frame
        assert (
            page.run("return getComputedStyle(document.getElementById('lc-verdict')).borderTopWidth") == "1px"
        )
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
