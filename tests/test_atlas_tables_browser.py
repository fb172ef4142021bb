"""Tables saved as CSV as they show; scenarios on the page: who wins, who loses, venues as pins."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

import browser
from atlas_page import choose, colour_at, is_quiet, rows_of, text_of
from lifecircle.errors import UnusableInputError
from lifecircle.maps import MapOrder, draw_study, read_scenarios
from lifecircle.page_data import CELL_COLOURS, people_text
from lifecircle.scenario import run_scenario, write_scenario

pytestmark = pytest.mark.browser

TOYTOWN = Path(__file__).parent / "toytown"
HOSTILE = "=cmd|<img src=x onerror=alert(1)>"
SAVED = """
const done = arguments[arguments.length - 1];
const own = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  blob.arrayBuffer().then((bytes) => done([...new Uint8Array(bytes)]));
  return own.call(URL, blob);
};
HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; };
const list = document.getElementById('lc-csv');
list.dispatchEvent(new Event('focus'));
const wanted = [...list.options].find((one) => one.textContent === arguments[0]);
if (!wanted) done([...list.options].map((one) => one.textContent));
list.value = wanted.value;
list.dispatchEvent(new Event('change'));
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = Path(shutil.copytree(TOYTOWN, tmp_path_factory.mktemp("study") / "toytown"))
    changes = folder / "changes.csv"
    rows = [
        f'open,,library;gym;sports_park,"{HOSTILE}",120.0208,30.5222',
        "close,F1,,,,",
    ]
    changes.write_text("action,id,service,name,lon,lat\n" + "\n".join(rows) + "\n", encoding="utf-8")
    facilities = (folder / "facilities.csv").read_text("utf-8").splitlines()
    first = facilities[1].split(",")[facilities[0].split(",").index("id")] if "id" in facilities[0] else "1"
    changes.write_text(changes.read_text("utf-8").replace("F1", first), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def scenario(study):
    done = run_scenario(study, [study / "changes.csv"])
    write_scenario(done, study / "scenario")
    return done


@pytest.fixture(scope="module")
def drawn(study, scenario):
    del scenario
    order = MapOrder(out=study / "map.html", scenarios=(study / "scenario", study / "changes.csv"))
    return draw_study(study, order)[0]


@pytest.fixture
def page(driver, drawn):
    driver.get("about:blank")
    page = browser.opened(driver, drawn.as_uri())
    page.wait_ready()
    choose(page, "lc-target", "culture")
    return page


def saved(driver, title):
    found = driver.execute_async_script(SAVED, title)
    assert found
    assert isinstance(found[0], int), found
    raw = bytes(found)
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))


def test_a_table_is_saved_as_it_shows(driver, page):
    rows = saved(driver, text_of(page, "#lc-districts-part h2"))
    shown = rows_of(page, "#lc-districts tbody tr")
    assert [row[0] for row in rows[1:]][: len(shown)] == [row[0] for row in shown]
    assert [row[1] for row in rows[1:]][: len(shown)] == [row[1].replace(",", "") for row in shown]
    name = page.run("return window.savedAs")
    assert name.endswith(".csv")
    assert "culture-2025" in name


def test_a_scenario_shows_who_wins_and_who_loses(driver, page, scenario):
    choose(page, "lc-scenario", "0")
    audited = next(one for one in scenario.targets if one.target == "culture")
    told = text_of(page, "#lc-scenarios")
    assert f"{people_text(audited.won)} people newly covered" in told
    assert f"{people_text(audited.lost)} no longer covered" in told
    assert audited.won > 0
    towns = {row[0]: row[3:] for row in rows_of(page, "#lc-scenario-towns tbody tr")}
    moved = {
        one.name: [people_text(one.won), people_text(one.lost)]
        for one in audited.districts
        if one.won or one.lost
    }
    assert {name: towns[name] for name in moved} == moved
    rows = scenario.residents[(scenario.residents["target"] == "culture")]
    winner = rows[rows["change"] == "won"].geometry.iloc[0]
    assert colour_at(page, winner.y, winner.x, "lc-moved") == CELL_COLOURS["under"]
    page.run("document.getElementById('lc-scenario-map').click()")
    assert colour_at(page, winner.y, winner.x, "lc-moved") == ""
    link = driver.execute_async_script("setTimeout(() => arguments[0](location.hash), 400)")
    assert "scenario=1" in link


def test_venues_of_a_scenario_open_as_pins(driver, page, scenario):
    choose(page, "lc-scenario", "1")
    assert "run lifecircle scenario" in text_of(page, "#lc-scenarios")
    assert "Also 1 × close" in text_of(page, "#lc-scenarios")
    page.run("document.querySelector('#lc-scenarios button').click()")
    audited = next(one for one in scenario.targets if one.target == "culture")
    assert text_of(page, "#lc-pins-people").startswith(f"{audited.won:,.0f} people newly covered")
    assert text_of(page, ".lc-pin-own") == HOSTILE
    assert page.run("return document.querySelector('#lc-panel img')") is None
    del driver
    is_quiet(page)


def test_other_scenarios_are_refused_together(study, scenario, tmp_path):
    del scenario
    other = tmp_path / "other"
    shutil.copytree(study / "scenario", other)
    (other / "comparison.json").write_text(
        (other / "comparison.json").read_text("utf-8").replace('"toytown"', '"elsewhere"'), encoding="utf-8"
    )
    (tmp_path / "strange.csv").write_text(
        "action,service,lon,lat\nopen,nothing,120.02,30.52\n", encoding="utf-8"
    )
    paths = [other, tmp_path / "nowhere", tmp_path / "strange.csv", study / "scenario"]
    with pytest.raises(UnusableInputError, match=r"(?s)another study.*nowhere.*unknown service"):
        read_scenarios(paths, study="toytown", services={"library", "gym", "sports_park", "clinic"})
    order = MapOrder(out=tmp_path / "map.html", scenarios=(study / "scenario",), edition="public")
    with pytest.raises(UnusableInputError, match="holds no scenarios"):
        draw_study(study, order)
