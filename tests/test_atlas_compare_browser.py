"""Two years of the map page compared: who is newly covered and lost, where, and which venues."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import atlas_town
import browser
from atlas_page import choose, colour_at, is_quiet, legend_colours, point_at, rows_of, text_of
from lifecircle.atlas import draw_atlas
from lifecircle.page_data import CELL_COLOURS

pytestmark = pytest.mark.browser

GONE = 3  # venues of the earlier year that the later has not


@pytest.fixture(scope="module")
def years():
    """Two years of one town: the later has more venues, and not the first three."""
    later = atlas_town.town(residents=900)
    earlier = dataclasses.replace(atlas_town.town(residents=900, venues=12), year=2023)
    kept = later.facilities.iloc[GONE:]
    answers = {
        name: atlas_town._answer(later.demand, kept, atlas_town.SERVICES[name], minutes)
        for name, minutes in (("culture", 15.0), ("clinic", 10.0))
    }
    for name, one in answers.items():
        for part in ("seconds", "status", "nearest"):
            getattr(later, part)[name] = one[part]
    results = tuple(
        atlas_town._result(result.target, later.demand, later.districts, answers[result.target.id])
        if result.target.id in answers
        else result
        for result in later.targets
    )
    return earlier, dataclasses.replace(
        later, facilities=kept, targets=results, ranks=later.ranks.iloc[:0, :0], rank_venues=later.rank_venues
    )


@pytest.fixture(scope="module")
def paths(years, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    return {one: draw_atlas([*years], folder / f"{one}.html", edition=one) for one in ("internal", "public")}


@pytest.fixture
def page(driver, paths) -> browser.Page:
    opened = browser.opened(driver, paths["internal"].as_uri())
    opened.wait_ready()
    choose(opened, "lc-compare", "0")
    return opened


def pick(page: browser.Page, value: str) -> None:
    page.run("document.querySelector(`input[name='lc-comparing'][value='${arguments[0]}']`).click()", value)


def changed(years) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return who is newly covered and who no longer, and everybody's people."""
    was, now = ((one.status["culture"] == "covered").to_numpy() for one in years)
    return now & ~was, was & ~now, years[1].people["culture"].to_numpy()


@pytest.mark.parametrize("chosen", ["1", "0"])
def test_newly_covered_and_lost_are_those_of_both_years(page, years, chosen):
    """Whichever of the two is chosen, changes run from the earlier to the later."""
    choose(page, "lc-year", chosen)
    choose(page, "lc-compare", str(1 - int(chosen)))
    gained, lost, people = changed(years)
    assert people[gained].sum() > 0
    assert people[lost].sum() > 0
    answer = text_of(page, "#lc-answer")
    assert f"2023年至2025年新覆盖 {people[gained].sum():,.0f} 人" in answer
    assert f"不再覆盖 {people[lost].sum():,.0f} 人" in answer
    district = years[1].demand["district"].to_numpy()
    rows = {row[0]: row for row in rows_of(page, "#lc-changes tbody tr")}
    for code, name in years[1].districts["name"].items():
        mine = district == code
        assert rows[name][1] == f"{people[gained & mine].sum():,.0f}"
        assert rows[name][2] == f"{people[lost & mine].sum():,.0f}"
    facts = text_of(page, "#lc-changes-sums")
    covered = [people[(one.status["culture"] == "covered").to_numpy()].sum() for one in years]
    assert facts.startswith(f"2023年已覆盖{covered[0]:,.0f}")
    assert facts.endswith(f"2025年已覆盖{covered[1]:,.0f}")


def test_venues_opened_and_closed_are_listed_and_lead_to_the_map(page, years):
    services = set(atlas_town.SERVICES["culture"])
    was, now = (set(one.facilities.index[one.facilities["service"].isin(services)]) for one in years)
    assert f"新增设施（{len(now - was)}）" in text_of(page, "#lc-changes-opened h3")
    assert f"关停设施（{len(was - now)}）" in text_of(page, "#lc-changes-closed h3")
    assert len(was - now) == sum(service in services for service in years[0].facilities["service"][:GONE])
    closed = years[0].facilities.loc[sorted(was - now)]
    name = text_of(page, "#lc-changes-closed button")
    assert name in set(closed["name"])
    page.run("document.querySelector('#lc-changes-closed button').click()")
    assert name in text_of(page, ".lc-tip")
    place = closed.geometry[closed["name"] == name].iloc[0]
    assert colour_at(page, place.y, place.x, "lc-changes") in {CELL_COLOURS["lost"], "#ffffff"}


def test_the_map_shows_what_changed(page, years):
    assert page.run("return document.getElementById('lc-divider').hidden") is False
    pick(page, "changes")
    assert page.run("return document.getElementById('lc-divider').hidden")
    gained, lost, people = changed(years)
    places = years[1].demand.geometry
    for which, name, text in ((gained, "gained", "2023年后新覆盖"), (lost, "lost", "2025年不再覆盖")):
        cell = np.flatnonzero(which & (people > 0) & places.notna().to_numpy())[0]
        place = places.iloc[cell]
        assert colour_at(page, place.y, place.x) == CELL_COLOURS[name]
        assert CELL_COLOURS[name] in legend_colours(page)
        assert text in text_of(page, "#lc-legend")
        point_at(page, place.y, place.x)
        shown = page.run("return document.querySelector('.lc-tip')?.textContent ?? ''")
        assert text in shown or "开放" in shown or not shown  # a venue may stand before it
    pick(page, "divider")
    assert page.run("return document.getElementById('lc-divider').hidden") is False
    is_quiet(page)


def test_headings_sort_by_key(page):
    def order() -> list[float]:
        return [float(row[2].replace(",", "")) for row in rows_of(page, "#lc-changes tbody tr")]

    def heading() -> str:
        return page.run(
            "return document.querySelector('#lc-changes th[data-key=lost]').getAttribute('aria-sort')"
        )

    page.run("document.querySelector('#lc-changes th[data-key=lost] button').focus()")
    page.driver.switch_to.active_element.send_keys("\n")
    assert heading() == "descending"
    assert order() == sorted(order(), reverse=True)
    page.driver.switch_to.active_element.send_keys(" ")
    assert heading() == "ascending"
    assert order() == sorted(order())
    page.run("document.querySelector('#lc-districts th[data-key=left] button').click()")
    left = [float(row[3].replace(",", "")) for row in rows_of(page, "#lc-districts tbody tr")]
    assert left == sorted(left, reverse=True)


def test_paper_has_both_years_side_by_side(page, years):
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    titles = page.run(
        "return [...document.querySelectorAll('#lc-print canvas')]"
        ".map((one) => one.getAttribute('aria-label'))"
    )
    assert ["2023" in titles[0], "2025" in titles[1]] == [True, True]
    assert len(titles) == len(years)
    assert "2023年至2025年的变化" in text_of(page, "#lc-print")
    cutoffs = page.run("return document.getElementById('lc-cutoff').textContent")
    assert "2025-12-31" in cutoffs
    page.run("window.dispatchEvent(new Event('afterprint'))")
    assert text_of(page, "#lc-year-right").startswith("2025")


SAVED = """
const tell = arguments[0];
const click = HTMLAnchorElement.prototype.click;
HTMLAnchorElement.prototype.click = function () {
  HTMLAnchorElement.prototype.click = click;
  tell(this.download);
};
document.getElementById("lc-save").click();
"""


def test_a_trial_is_shown_left_and_in_the_name_of_the_file(page, driver):
    page.run(
        "const s = document.getElementById('lc-limit'); s.value = 20; s.dispatchEvent(new Event('input'));"
        "document.querySelector(`input[name='lc-band'][value='slow']`).click()"
    )
    assert "20 分钟以内" in text_of(page, "#lc-rule")
    assert "20 分钟 慢速" in text_of(page, "#lc-trial")
    for name in ("ladder", "gaps", "margin"):
        assert "不随试算变化" in text_of(page, f"#lc-{name}-part .lc-stays-note")
    assert driver.execute_async_script(SAVED).endswith("culture-2023-2025-20min-slow.png")
    page.run("const chip = document.querySelector('#lc-trial button'); chip.focus(); chip.click()")
    assert page.run("return document.getElementById('lc-trial').hidden")
    assert "15 分钟以内" in text_of(page, "#lc-rule")
    assert page.run("return document.querySelectorAll('.lc-stays').length") == 0
    assert page.run("return document.activeElement.id") == "lc-limit"


def test_the_public_edition_counts_nobody_home_by_home(driver, paths):
    page = browser.opened(driver, paths["public"].as_uri())
    page.wait_ready()
    choose(page, "lc-compare", "0")
    assert text_of(page, "#lc-changes-sums") == ""
    assert "不逐点计人" in text_of(page, "#lc-changes-note")
    assert [row[0] for row in rows_of(page, "#lc-changes thead tr")] == ["名称"]
    assert "新覆盖" not in text_of(page, "#lc-answer")
    is_quiet(page)


def test_the_legend_has_the_marks_that_the_map_has(page):
    """Side by side the map hides gaps and other marks; in the view of changes they stay."""
    for view, shown in (("divider", False), ("changes", True)):
        pick(page, view)
        seen = "return getComputedStyle(document.querySelector('.leaflet-marker-pane .lc-gap')).visibility"
        assert (page.run(seen) == "visible") is shown
        assert page.run("return Boolean(document.querySelector('#lc-legend .lc-gap-key'))") is shown
