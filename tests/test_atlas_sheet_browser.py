"""What the map page hands out: the PNG picture and the printed sheets."""

from __future__ import annotations

import base64
import dataclasses
import re
import struct
import time
import zlib

import geopandas as gpd
import numpy as np
import pytest

import atlas_town
import browser
import pdf_text
from atlas_page import MAP, choose, is_quiet, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.findings import InputRecord, Publication
from lifecircle.page_data import CELL_COLOURS, percent_text
from lifecircle.publication import MapSetting

pytestmark = pytest.mark.browser

LINES = {
    "zh": [
        "界线仅供参考，不作划界依据",
        "编制单位：海盐县<b>",
        "编制日期：2026-03-01",
        "数据截止日期：2025-12-31",
        "坐标系：计算用2000国家大地坐标系，3度带高斯-克吕格投影，中央经线120°（EPSG:4549），显示用WGS84/网络墨卡托",
        "底图来源：道路roads.parquet、界线towns.gpkg",
        "审图号：未送审",
    ],
    "en": [
        "Boundariesareforreferenceonlyandsettlenoborder",
        "Preparedby:海盐县<b>",
        "Date:2026-03-01",
        "Dataasof:2025-12-31",
        "Basemap:roadsroads.parquet,boundariestowns.gpkg",
        "Mapreviewnumber:notsubmitted",
    ],
}


@pytest.fixture(scope="module")
def town():
    records = (("roads", "in/roads.parquet"), ("districts", "towns.gpkg"))
    return dataclasses.replace(
        atlas_town.town(residents=900),
        publication=Publication(organisation="海盐县<b>", date="2026-03-01"),
        inputs=tuple(InputRecord(role, path, "0" * 64, 1, 0) for role, path in records),
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory, town):
    folder = tmp_path_factory.mktemp("pages")
    earlier = dataclasses.replace(atlas_town.town(residents=900, venues=12), year=2023)
    return {
        "zh": draw_atlas([earlier, town], folder / "zh.html"),
        "en": draw_atlas([earlier, town], folder / "en.html", language="en"),
    }


def ready(driver, path):
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    return page


def printed(driver) -> bytes:
    made = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    return base64.b64decode(made["data"])


SHARES = """
window.dispatchEvent(new Event('beforeprint'));
const canvas = document.querySelector('#lc-print canvas');
const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
const counts = {};
for (let i = 0; i < data.length; i += 4) {
  const key = '#' + ((1 << 24) + (data[i] << 16) + (data[i + 1] << 8) + data[i + 2]).toString(16).slice(1);
  counts[key] = (counts[key] || 0) + 1;
}
return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 50));
"""


def test_the_picture_is_saved_and_not_blank(driver, pages, tmp_path):
    driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    page = ready(driver, pages["zh"])
    driver.find_element("id", "lc-save").click()
    for _ in range(100):
        files = [path for path in tmp_path.iterdir() if path.suffix == ".png"]
        if files:
            break
        time.sleep(0.1)
    (saved,) = files
    assert saved.name == "海盐县（示例）-culture-2025.png"
    content = saved.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) == (3508, 2477)  # 300 to the inch of A4
    packed = b"".join(
        content[at + 8 : at + 8 + struct.unpack(">I", content[at : at + 4])[0]]
        for at in _chunks(content)
        if content[at + 4 : at + 8] == b"IDAT"
    )
    assert len(set(zlib.decompress(packed))) > 100
    is_quiet(page)


def _chunks(content: bytes):
    at = 8
    while at < len(content):
        yield at
        at += 12 + struct.unpack(">I", content[at : at + 4])[0]


def test_the_picture_shows_what_the_map_shows(driver, pages):
    page = ready(driver, pages["zh"])
    counts = page.run(SHARES)
    for name in ("covered", "beyond_0", "beyond_1", "beyond_2", "disconnected"):
        assert counts.get(CELL_COLOURS[name], 0) > 400, name
    page.run("document.getElementById('lc-only-gaps').click()")
    hidden = page.run(SHARES)
    assert hidden.get(CELL_COLOURS["covered"], 0) == 0
    assert hidden[CELL_COLOURS["beyond_2"]] == pytest.approx(counts[CELL_COLOURS["beyond_2"]], rel=0.2)
    page.run("document.getElementById('lc-only-gaps').click()")
    choose(page, "lc-compare", "0")
    both = page.run(SHARES)
    assert both[CELL_COLOURS["covered"]] < 0.95 * counts[CELL_COLOURS["covered"]]  # fewer venues in 2023
    is_quiet(page)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_paper_holds_the_whole_table_and_all_a_map_must_say(driver, pages, town, language):
    page = ready(driver, pages[language])
    made = printed(driver)
    first, *rest = pdf_text.pages_of(made)
    text = "".join(rest)
    stamp = {"zh": "合成示例，非真实数据", "en": "Syntheticexample,notrealdata"}[language]
    title = {"zh": "品质文化生活圈（2025年）", "en": "Culturecircle,2025"}[language]
    for sheet in (first, text):
        for line in [*LINES[language], stamp, title, percent_text(town.targets[0].value)]:
            assert line in sheet, line
    for one in town.targets[0].districts:
        count = one.count
        rate = percent_text(one.value)
        name = one.name if one.code in town.districts.index else {"zh": "县外", "en": "outside"}[language]
        if one.code in town.districts.index:
            assert f"{name}{count.people:,.0f}{rate}{count.uncovered:,.0f}" in text
    assert {"zh": "图例", "en": "Legend"}[language] in first
    assert re.search(r"\d+k?m", first)
    assert {"zh": "北", "en": "N"}[language] in first
    assert page.run("return document.getElementById('lc-print').childElementCount") == 0
    is_quiet(page)


def test_a_chosen_town_and_a_chosen_village_have_sheets_of_their_own(driver, pages, town):
    page = ready(driver, pages["zh"])
    one = town.targets[0].districts[2]
    page.run(
        "[...document.querySelectorAll('#lc-districts button')]"
        ".find((button) => button.textContent === arguments[0]).click()",
        one.name,
    )
    first, *rest = sheets = pdf_text.pages_of(printed(driver))
    assert f"海盐县（示例）{one.name}品质文化生活圈（2025年）" in first
    assert percent_text(one.value) in first
    assert f"统计人口{one.count.people:,.0f}人" in first
    assert f"未覆盖人口{one.count.uncovered:,.0f}人" in first
    for number, text in enumerate(sheets, 1):
        assert f"{number}/{len(sheets)}" in text
    assert rest
    is_quiet(page)


@pytest.mark.parametrize(("paper", "size"), [("A4", (297, 210)), ("A3", (420, 297))])
def test_paper_is_chosen(driver, pages, paper, size):
    page = ready(driver, pages["zh"])
    choose(page, "lc-paper", paper)
    for width, height in pdf_text.sizes_of(printed(driver)):
        assert (width, height) == pytest.approx(size, abs=1)


def test_a_county_of_many_districts_prints_every_row(driver, tmp_path):
    town = atlas_town.town(residents=300)
    result = town.targets[0]
    many = tuple(
        dataclasses.replace(result.districts[i % 9], code=f"X{i:03d}", name=f"第{i:03d}镇")
        for i in range(120)
    )
    targets = (dataclasses.replace(result, districts=many), *town.targets[1:])
    page = ready(driver, draw_atlas([dataclasses.replace(town, targets=targets)], tmp_path / "many.html"))
    sheets = pdf_text.pages_of(printed(driver))
    text = "".join(sheets[1:])
    assert all(f"第{i:03d}镇" in text for i in range(120))
    assert sum("覆盖率" in sheet for sheet in sheets[1:]) >= 3  # the head of the table again on every page
    is_quiet(page)


def test_the_picture_takes_the_view_that_one_looks_at(driver, pages, town):
    page = ready(driver, pages["zh"])
    wide = page.run(SHARES)
    cell = int(np.flatnonzero(town.status["culture"] == "disconnected")[0])
    place = town.demand.geometry.iloc[cell]
    page.run(MAP + "map.setView([arguments[0], arguments[1]], 14, {animate: false})", place.y, place.x)
    near = page.run(SHARES)
    assert near[CELL_COLOURS["disconnected"]] > 3 * wide[CELL_COLOURS["disconnected"]]


def test_names_around_the_county_are_in_the_picture(driver, town, tmp_path):
    middle = town.districts.geometry.iloc[4].representative_point()
    labels = gpd.GeoDataFrame(
        {"name": ["杭州湾", "<b>平湖"], "kind": ["water", "neighbour"]},
        geometry=[middle, middle],
        crs="EPSG:4326",
    )
    page = ready(driver, draw_atlas([town], tmp_path / "around.html", setting=MapSetting(labels=labels)))
    first = pdf_text.pages_of(printed(driver))[0]
    assert "杭州湾" in first
    assert "<b>平湖" in first
    is_quiet(page)


def test_what_is_not_computed_prints_too(driver, pages):
    page = ready(driver, pages["zh"])
    choose(page, "lc-target", "places")
    first = "".join(pdf_text.pages_of(printed(driver)))
    assert "每千人托位数" in first
    assert text_of(page, "#lc-verdict") in first
    is_quiet(page)
