"""The page's data in a browser: as Python reads them, unpacked by the page itself, and in old browsers."""

from __future__ import annotations

import numpy as np
import pytest

import atlas_roads
import browser
from atlas_page import is_quiet
from lifecircle.atlas import draw_atlas
from lifecircle.page_data import read_payload

pytestmark = pytest.mark.browser

ANSWERS = """
const year = lifecirclePage.years.find((one) => one.entry.year === arguments[0]);
const answers = year.answers(year.entry.targets.find((one) => one.id === arguments[1]));
const plain = (numbers) => Array.from(numbers, (value) => (Number.isNaN(value) ? null : value));
return ["minutes", "status", "nearest", "people"].map((name) => plain(answers[name]));
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    findings, network = atlas_roads.study(2, homes=400)
    return draw_atlas([findings], tmp_path_factory.mktemp("page") / "roads.html", roads=network)


def opened_with(driver, path, script):
    """Open a page in a browser that lacks something."""
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        return browser.opened(driver, path.as_uri())
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def equals_payload(page, path):
    payload = read_payload(path)
    for target in atlas_roads.TARGETS:
        answers = payload.answers(2025, target)
        minutes, status, nearest, people = page.run(ANSWERS, 2025, target)
        steps = np.where(answers.steps >= 0, answers.steps / 1200, np.nan)
        assert np.array_equal(np.array(minutes, dtype=float), steps, equal_nan=True)
        assert status == answers.status.tolist()
        assert nearest == (answers.nearest + 1).tolist()
        assert people == (10 * answers.people).tolist()


def test_page_holds_what_python_reads(driver, path):
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    equals_payload(page, path)
    is_quiet(page)


def test_pins_are_asked_in_the_page_as_by_scripts(driver, path):
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    assert not page.run("return document.getElementById('lc-pins-part').hidden")
    lon, lat = atlas_roads.degrees(np.array([[900.0, 900.0]]))[0].tolist()
    told = driver.execute_async_script(
        "const [lon, lat, tell] = arguments, target = 'clinic';"
        "lifecircle.whatIf({target, year: 2025, lon, lat}).then(tell, (error) => tell(String(error)))",
        lon,
        lat,
    )
    again = page.run(
        "const [lon, lat] = arguments;"
        "return lifecirclePage.route.whatIf({target: 'clinic', year: 2025, pins: [{lon, lat}]})",
        lon,
        lat,
    )
    assert told["people"] == again["people"] > 0
    assert told["cells"] == again["cells"]
    assert sum(row["people"] for row in again["districts"]) == told["people"]


@pytest.mark.parametrize(
    "lacks", ["delete Element.prototype.replaceChildren", "CSS.supports = () => false", None]
)
def test_an_old_browser_gets_a_plain_word(driver, path, tmp_path, lacks):
    if lacks:
        page = opened_with(driver, path, lacks)
    else:  # one that cannot even read the script
        old = tmp_path / "old.html"
        text = path.read_text("utf-8")
        old.write_text(text.replace("const page_module =", "const page_module = ?", 1), encoding="utf-8")
        page = browser.opened(driver, old.as_uri())
    shown = page.run(
        "const told = document.getElementById('lc-old'); return [told.offsetHeight > 0, told.innerText]"
    )
    assert shown[0]
    assert "浏览器版本过旧" in shown[1]
    assert "88" in shown[1]


def test_a_new_browser_shows_no_notice(driver, path):
    page = browser.opened(driver, path.as_uri())
    page.wait_ready()
    assert page.run("return document.getElementById('lc-old').offsetHeight") == 0
