"""A town or a village as a filter of the page: headline, gaps, villages, groups and print, as in the run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import atlas_town
import browser
from atlas_page import MAP, choose, is_quiet, rows_of, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.page_data import percent_text

if TYPE_CHECKING:
    from lifecircle.findings import Findings

pytestmark = pytest.mark.browser

STATUSES = ("covered", "beyond", "disconnected", "unsnapped")


def with_villages(findings: Findings) -> Findings:
    """Put every resident in a village of its town, and give each its people of 60 and over."""
    rng = np.random.default_rng(5)
    demand, villages = findings.demand.copy(), findings.villages
    homes = pd.Series("", index=demand.index, dtype="str")
    for district, mine in villages.groupby("district"):
        here = (demand["district"] == district).to_numpy()
        homes[here] = rng.choice(mine.index.to_numpy(dtype=str), here.sum())
    demand["village"] = homes
    demand["over60"] = np.floor(demand["population"] * rng.uniform(0.1, 0.4, len(demand)))
    return dataclasses.replace(findings, demand=demand)


@pytest.fixture(scope="module")
def town():
    return with_villages(atlas_town.town(residents=900))


@pytest.fixture(scope="module")
def address(tmp_path_factory, town):
    return draw_atlas([atlas_town.with_kinds(town)], tmp_path_factory.mktemp("area") / "page.html").as_uri()


@pytest.fixture
def page(driver, address) -> browser.Page:
    opened = browser.opened(driver, address)
    opened.wait_ready()
    return opened


def oracle(town: Findings, mask: np.ndarray) -> dict[str, float]:
    """Add up the people of a part of the residents by bucket, as a table of the run would."""
    people, status = town.people["culture"].to_numpy(), town.status["culture"].to_numpy()
    sums = {name: float(people[mask & (status == name)].sum()) for name in STATUSES}
    return sums | {"total": sum(sums.values())}


def shown_people(page: browser.Page) -> dict[str, str]:
    return {
        name: text_of(page, f"#lc-people .lc-count-{name} dd")
        for name in ("total", "covered", "beyond", "disconnected", "unsnapped")
    }


def go_to_town(driver, town: Findings, number: int) -> str:
    driver.find_elements("css selector", "#lc-districts tbody button")[number].click()
    return str(town.districts.index[number])


def test_a_town_is_a_filter_for_everything(driver, page, town):
    code = go_to_town(driver, town, 2)
    name, (row,) = (
        town.districts.loc[code, "name"],
        [one for one in town.result("culture").districts if one.code == code],
    )
    assert text_of(page, "#lc-area bdi") == name
    assert text_of(page, "#lc-value") == percent_text(row.value)
    assert text_of(page, "#lc-verdict") == "未达标"
    expected = oracle(town, (town.demand["district"] == code).to_numpy())
    assert shown_people(page) == {key: f"{people:,.0f}" for key, people in expected.items()}
    gaps = town.gaps[(town.gaps["target"] == "culture") & (town.gaps["district"] == name)]
    listed = page.run("return [...document.querySelectorAll('#lc-gaps li b')].map((one) => one.textContent)")
    assert sorted(listed) == sorted(f"{people:,.0f} 人" for people in gaps["people"])
    marks = "return [...document.querySelectorAll('.lc-gap.leaflet-marker-icon')].length"
    assert page.run(marks) == gaps["lon"].notna().sum()
    villages = town.villages[town.villages["district"] == code]
    assert len(rows_of(page, "#lc-village-figures tbody tr")) == len(villages)
    assert all(name in one for one in page.run("return [document.querySelector('#lc-answer p').textContent]"))
    for hidden in ("#lc-ladder-part", "#lc-margin-part"):  # of the whole county: not beside a town's figures
        assert not driver.find_element("css selector", hidden).is_displayed()
    driver.find_element("css selector", "#lc-area button").click()
    assert text_of(page, "#lc-value") == percent_text(town.result("culture").value)
    assert driver.find_element("css selector", "#lc-ladder-part").is_displayed()
    assert not driver.find_element("css selector", "#lc-area").is_displayed()
    is_quiet(page)


def test_a_village_is_a_filter_too_and_is_not_judged(driver, page, town):
    first = rows_of(page, "#lc-village-figures tbody tr")[0][0]
    driver.find_element("css selector", "#lc-village-figures tbody button").click()
    code = town.villages.index[town.villages["name"] == first][0]
    expected = oracle(town, (town.demand["village"] == code).to_numpy())
    assert first in text_of(page, "#lc-area")
    assert text_of(page, "#lc-value") == percent_text(expected["covered"] / expected["total"])
    assert text_of(page, "#lc-verdict") == "不单独评价"
    assert shown_people(page) == {key: f"{people:,.0f}" for key, people in expected.items()}
    centre = page.run(MAP + "const c = map.getCenter(); return [c.lng, c.lat]")
    place = town.villages.geometry.loc[code]
    assert centre == pytest.approx([place.x, place.y], abs=2e-4)
    choose(page, "lc-target", "clinic")  # the filter stays
    assert first in text_of(page, "#lc-area")


def test_villages_stand_in_figures_and_are_sorted_by_what_one_chooses(driver, page, town):
    if driver.find_element("id", "lc-village-figures-more").is_displayed():
        driver.find_element("id", "lc-village-figures-more").click()
    people, covered = town.people["culture"], (town.status["culture"] == "covered").to_numpy()
    counted = (people > 0).to_numpy()
    frame = pd.DataFrame(
        {
            "village": town.demand["village"],
            "people": people,
            "left": np.where(covered, 0.0, people),
            "aged": np.where(covered | ~counted, 0.0, town.demand["over60"]),
        }
    )
    sums = frame.groupby("village").sum()
    sums = sums[(sums["people"] > 0) & (sums.index != "")]
    names = town.villages["name"].to_dict()
    expected = {
        names[code]: [
            f"{row.people:,.0f}",
            f"{row.left:,.0f}",
            f"{row.aged:,.0f}",
            percent_text((row.people - row.left) / row.people),
        ]
        for code, row in zip(sums.index, sums.itertuples(), strict=True)
    }
    shown = rows_of(page, "#lc-village-figures tbody tr")
    assert {row[0]: row[1:] for row in shown} == expected
    assert [row[2] for row in shown] == [f"{left:,.0f}" for left in sorted(sums["left"], reverse=True)]
    heads = driver.find_elements("css selector", "#lc-village-figures thead button")
    assert [one.text.split(" ")[0] for one in heads] == [
        "村（社区）",
        "人口",
        "未覆盖",
        "60岁以上未覆盖",
        "覆盖率",
    ]
    heads[3].click()
    shown = rows_of(page, "#lc-village-figures tbody tr")
    assert [row[3] for row in shown] == [f"{aged:,.0f}" for aged in sorted(sums["aged"], reverse=True)]
    order = (
        "return [...document.querySelectorAll('#lc-village-figures th[aria-sort]')]"
        ".map((one) => one.ariaSort)"
    )
    assert page.run(order) == ["none", "none", "none", "descending", "none"]
    driver.switch_to.active_element.click()  # the heading keeps the focus
    assert page.run(order)[3] == "ascending"


def test_a_limit_tried_out_holds_in_a_town(driver, page, town):
    code = go_to_town(driver, town, 2)
    page.run(
        "const slider = document.getElementById('lc-limit'); slider.value = 25;"
        "slider.dispatchEvent(new Event('input'))"
    )
    mine = (town.demand["district"] == code).to_numpy()
    people = town.people["culture"].to_numpy()[mine]
    within = (town.seconds["culture"].to_numpy()[mine] <= 25 * 60 + 1e-6) & (
        town.status["culture"].isin(["covered", "beyond"]).to_numpy()[mine]
    )
    counted = town.status["culture"].isin(STATUSES).to_numpy()[mine] & (people > 0)
    assert text_of(page, "#lc-value") == percent_text(float(people[within].sum() / people[counted].sum()))
    assert text_of(page, "#lc-verdict") == "试算 25 分钟"


def test_groups_of_a_town_are_counted(driver, page, town):
    code = go_to_town(driver, town, 2)
    groups = {row[0]: row[1:] for row in rows_of(page, "#lc-groups tbody tr")}
    mine = (town.demand["district"] == code).to_numpy()
    expected = oracle(town, mine)
    assert groups["常住人口"][0] == f"{expected['total']:,.0f}"
    assert groups["常住人口"][1] == percent_text(expected["covered"] / expected["total"])


def test_units_without_are_those_of_the_town(driver, page, town):
    choose(page, "lc-target", "clinics")
    lacking = town.villages.iloc[[2, 7]]
    code = lacking["district"].iloc[0]
    row = list(town.districts.index).index(code)
    go_to_town(driver, town, row)
    listed = page.run("return [...document.querySelectorAll('#lc-units li')].map((one) => one.textContent)")
    assert len(listed) == (lacking["district"] == code).sum()
    assert lacking["name"].iloc[0] in listed[0]


def test_paper_holds_the_town_alone(driver, page, town):
    code = go_to_town(driver, town, 2)
    name = town.districts.loc[code, "name"]
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert name in text_of(page, "#lc-print h1")
    gaps = town.gaps[(town.gaps["target"] == "culture") & (town.gaps["district"] == name)]
    assert len(rows_of(page, "#lc-print .lc-printed-gaps tbody tr")) == len(gaps)
    captions = page.run(
        "return [...document.querySelectorAll('#lc-print caption')].map((one) => one.textContent)"
    )
    assert captions == ["各村（社区）数据", "缺口清单"]


def test_the_public_edition_counts_no_villages(driver, town, tmp_path):
    page = browser.opened(driver, draw_atlas([town], tmp_path / "p.html", edition="public").as_uri())
    page.wait_ready()
    assert not driver.find_element("id", "lc-village-figures-part").is_displayed()
    row = driver.find_elements("css selector", "#lc-districts tbody tr")[2]
    rate = row.find_elements("css selector", "td")[1].text
    row.find_element("css selector", "button").click()
    assert text_of(page, "#lc-value") == rate
    assert not driver.find_element("id", "lc-people").is_displayed()
    assert page.run("return Object.keys(lifecirclePage.years[0].cells().groups)") == []
    is_quiet(page)


def test_a_village_found_by_its_name_is_chosen(driver, page, town):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    box = driver.find_element("id", "lc-search")
    box.send_keys(town.villages["name"].iloc[4], keys.ENTER)
    assert town.villages["name"].iloc[4] in text_of(page, "#lc-area")


def test_nothing_of_the_county_stands_beside_a_towns_figures(driver, page, town):
    choose(page, "lc-target", "clinics")
    whole = text_of(page, "#lc-reason") + text_of(page, "#lc-answer")
    go_to_town(driver, town, 2)
    assert text_of(page, "#lc-reason") == ""
    assert text_of(page, "#lc-answer") != whole
    assert page.run("return document.querySelectorAll('#lc-facts dt').length") == 1  # the goal is everybody's


def test_the_list_of_targets_never_bears_another_figure_than_the_headline(driver, page, town):
    chosen = "return document.getElementById('lc-target').selectedOptions[0].textContent"
    assert page.run(chosen).endswith(text_of(page, "#lc-value"))
    go_to_town(driver, town, 2)
    assert page.run(chosen) == "品质文化生活圈"
    driver.find_element("css selector", "#lc-area button").click()
    assert page.run(chosen).endswith(text_of(page, "#lc-value"))


def test_a_card_on_a_phone_is_whole_and_on_the_map(driver, page, town):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        driver.refresh()
        page.wait_ready()
        box = driver.find_element("id", "lc-search")
        for venue in town.facilities["name"].iloc[[0, 12, 25]]:
            box.clear()
            box.send_keys(venue, "\ue007")
            card, map_ = page.run(
                "return ['.lc-tip', '.folium-map'].map((one) => {"
                "const {left, right, top, bottom} = document.querySelector(one).getBoundingClientRect();"
                "return {left, right, top, bottom}; })"
            )
            assert card["left"] >= map_["left"]
            assert card["right"] <= map_["right"]
            assert card["top"] >= map_["top"]
            assert card["bottom"] <= map_["bottom"]
    finally:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size | {"width": 1366, "height": 768})
