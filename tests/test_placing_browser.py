"""The page for placing rows by hand: clicks, keys, the csv it saves, axe, names as text."""

from __future__ import annotations

import time

import pandas as pd
import pyproj
import pytest

import browser
from conftest import edit
from lifecircle.audit import run_audit
from lifecircle.facilities import read_facilities
from lifecircle.locate import (
    Gazetteer,
    KnownPlace,
    LocateOrder,
    locate_list,
    locate_rows,
    placing_page,
    read_list,
)
from lifecircle.locate._placing_page import PageMap
from lifecircle.study import copy_example
from locate_addresses import COUNTY
from test_atlas_access_browser import HOSTILE, axe

pytestmark = pytest.mark.browser

ActionChains = pytest.importorskip("selenium.webdriver.common.action_chains").ActionChains
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

LIST = """\
名称,service,地址,备注
大宁礼堂,culture_hall,武原街道大宁村委会,=1+1
百可礼堂,culture_hall,海盐县武原街道百可社区,"a ""b"", c"
未知,culture_hall,,
天宁司礼堂,culture_hall,武原街道天宁司社区居委会,
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Locate a list of four rows in both languages."""
    home = tmp_path_factory.mktemp("placing")
    (home / "halls.csv").write_text(LIST, "utf-8")
    for language in ("zh", "en"):
        locate_list(LocateOrder(home / "halls.csv", COUNTY, out=home / language, language=language))
    return home


def ready(driver, path):
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    page.run("window.onbeforeunload = null")
    return page


def settle(page):
    """Wait until the map is drawn."""
    page.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def left(driver):
    """Leave a page that would ask whether to leave."""
    driver.execute_script("document.getElementById('save').click()")


def saved(driver, page, folder, name="halls-located.csv"):
    """Save the csv by its button and give the file."""
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    driver.find_element("id", "save").click()
    for _ in range(100):
        if (folder / name).exists():
            return folder / name
        time.sleep(0.1)
    raise AssertionError(f"nothing saved; the page says {page.run('return document.body.innerText')}")


def row(driver, text):
    """Choose a row of the list by its name."""
    for button in driver.find_elements("css selector", "#rows button"):
        if text in button.text:
            button.click()
            return
    raise AssertionError(text)


def click_at(driver, page, lon, lat):
    """Click the map at a place."""
    x, y = page.run("return window.lifecircle.pixel(arguments[0], arguments[1])", lon, lat)
    canvas = driver.find_element("id", "map")
    size = canvas.size
    ActionChains(driver).move_to_element_with_offset(
        canvas, round(x - size["width"] / 2), round(y - size["height"] / 2)
    ).click().perform()
    settle(page)


def quiet(page):
    assert page.complaints() == []
    assert page.requests() == [page.address]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_opens_without_a_network_and_saves_what_was_written(driver, folders, tmp_path, language):
    page = ready(driver, folders / language / "place.html")
    assert page.run("return document.documentElement.lang") == language
    assert "合成示例" in page.run("return document.body.innerText") or language == "en"
    quiet(page)
    file = saved(driver, page, tmp_path)
    assert file.read_bytes() == (folders / language / "located.csv").read_bytes()
    quiet(page)


def test_only_rows_without_a_position_are_shown_first(driver, folders):
    page = ready(driver, folders / "zh" / "place.html")
    names = [one.text.split("\n")[1] for one in driver.find_elements("css selector", "#rows button")]
    assert names == ["大宁礼堂", "未知", "天宁司礼堂"]
    assert (
        page.run("return document.getElementById('progress').textContent")
        == "共 4 行，未定位 3 行，已改 0 行"
    )
    driver.find_element("css selector", "#show option[value='rough']").click()
    assert len(driver.find_elements("css selector", "#rows button")) == 4
    driver.find_element("id", "search").send_keys("天宁")
    assert len(driver.find_elements("css selector", "#rows button")) == 1


def test_a_row_is_placed_by_a_click_and_an_audit_reads_it(driver, folders, tmp_path):
    """The click is within two pixels; at this scale of 40,000 pixels a degree that is 6 m."""
    page = ready(driver, folders / "zh" / "place.html")
    row(driver, "天宁司")
    settle(page)
    fact = page.run("return JSON.parse(document.getElementById('data').textContent).facts[3].candidates[0]")
    lon, lat = fact[3] + 0.002, fact[4] + 0.001
    click_at(driver, page, lon, lat)
    file = saved(driver, page, tmp_path)
    before, after = (
        pd.read_csv(one, dtype=str, keep_default_na=False) for one in (folders / "zh" / "located.csv", file)
    )
    assert list(after.columns) == list(before.columns)
    assert after.iloc[:3].equals(before.iloc[:3])
    mine = after.iloc[3]
    assert mine[["grade", "matched", "score", "note"]].tolist() == ["B", "地图点选", "", "人工在地图上定位"]
    _, _, metres = pyproj.Geod(ellps="WGS84").inv(float(mine["lon"]), float(mine["lat"]), lon, lat)
    assert metres < 6
    facilities, rejects = read_facilities(file, max_rejected=0.6)
    assert facilities["grade"].tolist() == ["D", "B"]
    assert facilities["name"].tolist() == ["百可礼堂", "天宁司礼堂"]
    assert rejects["row"].tolist() == [2, 4]
    study = copy_example(tmp_path / "haiyan")
    (study / "halls.csv").write_bytes(file.read_bytes())
    edit(study / "study.toml", "synthetic = true\n", "synthetic = true\nmax_rejected = 0.6\n")
    edit(study / "study.toml", "[indicators]\n", '[[facilities]]\nfile = "halls.csv"\n\n[indicators]\n')
    findings = run_audit(study)
    register, *_ = findings.reading.positions
    assert (register.grades["B"], register.grades["D"]) == (1, 1)
    assert register.village_centres == ("百可礼堂",)


def test_all_is_done_by_keys_alone(driver, folders, tmp_path):
    page = ready(driver, folders / "en" / "place.html")
    page.run("document.querySelector('#rows button').focus()")
    keys = ActionChains(driver)
    keys.send_keys(Keys.ENTER).perform()
    assert page.run("return document.activeElement.dataset.row") == "0"
    for _ in range(40):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        here = page.run("return [document.activeElement.name, document.activeElement.id]")
        if here[0] == "grade":
            ActionChains(driver).send_keys(Keys.ARROW_RIGHT).perform()
        if here[1] == "map":
            break
    assert page.run("return document.activeElement.id") == "map"
    at = page.run("return window.lifecircle.pixel(120.9, 30.5)")
    ActionChains(driver).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.ENTER).perform()
    moved = page.run("return window.lifecircle.pixel(120.9, 30.5)")
    assert [round(moved[0] - at[0]), round(moved[1] - at[1])] == [-40, 40]
    ActionChains(driver).send_keys("+", "n").perform()
    assert page.run("return document.querySelector('#rows [aria-current]').dataset.row") == "2"
    after = pd.read_csv(saved(driver, page, tmp_path), dtype=str, keep_default_na=False)
    assert after.loc[0, ["grade", "matched"]].tolist() == ["A", "on the map"]


def test_a_candidate_keeps_its_grade_and_undo_takes_it_back(driver, folders, tmp_path):
    page = ready(driver, folders / "en" / "place.html")
    row(driver, "大宁礼堂")
    driver.find_element("css selector", "#candidates button").click()
    file = saved(driver, page, tmp_path)
    after = pd.read_csv(file, dtype=str, keep_default_na=False)
    wanted = ["D", "大宁村委会", "100", "chosen by hand from the candidates"]
    assert after.loc[0, ["grade", "matched", "score", "note"]].tolist() == wanted
    file.unlink()
    driver.find_element("id", "undo").click()
    assert saved(driver, page, tmp_path).read_bytes() == (folders / "en" / "located.csv").read_bytes()


def test_coordinates_are_typed_and_checked(driver, folders):
    page = ready(driver, folders / "en" / "place.html")
    row(driver, "未知")

    def typed(lon, lat):
        for name, text in (("lon", lon), ("lat", lat)):
            box = driver.find_element("id", name)
            box.clear()
            box.send_keys(text)
        driver.find_element("id", "put").click()
        return page.run("return document.getElementById('message').textContent")

    assert typed("x", "30.5") == "Write decimal degrees, such as 120.947 and 30.518"
    assert typed("30.5", "80.9") == "That lies far from the study; check whether lon and lat are exchanged"
    assert typed("１２０.95", "30.5") == ""
    assert (
        page.run("return window.lifecircle.csv()")
        .split("\n")[3]
        .startswith("未知,culture_hall,,,120.950000,30.500000,B,")
    )
    left(driver)


def test_dragging_moves_the_map_and_places_nothing(driver, folders):
    page = ready(driver, folders / "en" / "place.html")
    row(driver, "未知")
    canvas = driver.find_element("id", "map")
    at = page.run("return window.lifecircle.pixel(120.9, 30.5)")
    ActionChains(driver).move_to_element(canvas).click_and_hold().move_by_offset(60, 30).release().perform()
    moved = page.run("return window.lifecircle.pixel(120.9, 30.5)")
    assert [round(moved[0] - at[0]), round(moved[1] - at[1])] == [60, 30]
    assert "0 changed" in page.run("return document.getElementById('progress').textContent")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing(driver, folders, language):
    script = axe()
    page = ready(driver, folders / language / "place.html")
    row(driver, "天宁司")
    page.run(script)
    passed, violations = driver.execute_async_script(
        "axe.run(document).then((found) => arguments[0]([found.passes.length, found.violations"
        ".map((one) => [one.impact, one.id, one.nodes.map((node) => node.html.slice(0, 200))])]))"
    )
    assert violations == []
    assert passed > 15


def test_hostile_names_stay_text(driver, tmp_path):
    table = pd.DataFrame({"name": HOSTILE, "address": HOSTILE, HOSTILE[1]: HOSTILE})
    places = tuple(KnownPlace("village", name, 120.9, 30.5, "D", compared=name) for name in HOSTILE)
    known = Gazetteer(
        {}, {}, {name: (place,) for name, place in zip(HOSTILE, places, strict=True)}, county=""
    )
    answer = locate_rows(read_list(table), known, language="en")
    text = placing_page(answer, known, ground=PageMap(), title=HOSTILE[0], synthetic=False, language="en")
    (tmp_path / "hostile.html").write_text(text, "utf-8")
    page = ready(driver, tmp_path / "hostile.html")
    driver.find_element("css selector", "#show option[value='all']").click()
    shown = page.run("return [...document.querySelectorAll('#rows bdi')].map((one) => one.textContent)")
    assert set(HOSTILE) <= set(shown)
    for number in range(len(HOSTILE)):
        page.run(f"document.querySelector('[data-row=\"{number}\"]').click()")
    assert page.run("return window.hacked") is None
    assert page.run("return document.querySelectorAll('img, svg').length") == 0
    assert page.run("return document.getElementById('title').textContent").startswith(HOSTILE[0])
    wide = page.run("const p = document.getElementById('panel'); return p.scrollWidth - p.clientWidth")
    assert wide <= 0
    quiet(page)
