"""Every figure on every view of the page is that of its year, limit, speed, area and way of counting.

Counted again from what the runs' own files hold.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest

import browser
from atlas_page import choose, rows_of, text_of
from conftest import ROOT, WHOLE_CAMPAIGN
from lifecircle.atlas import draw_atlas
from lifecircle.findings import load_findings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser

COUNTY = ROOT / "data" / "geo" / "haiyan"
YEARS = (2024, 2025)
BUCKETS = ("covered", "beyond", "disconnected", "unsnapped")
SPEED = {"slow": 4.0, "usual": 5.0, "fast": 6.0}  # km/h on foot, as docs/reach.md has them
STEP_S = 0.05  # that times are rounded to in the page
VILLAGE = 17  # place among the villages
LEAST = 6  # views in a usual run


@dataclass(frozen=True)
class View:
    """One view of the page: what is chosen on it."""

    target: str
    year: int
    limit: float | None
    band: str
    area: str  # "", a town's or a village's code
    counting: str
    compared: bool
    group: str = "all"

    @property
    def trial(self) -> bool:
        """Whether anything is tried out."""
        return self.limit is not None or self.band != "usual"


@dataclass(frozen=True, eq=False)
class Run:
    """What the files of one run hold."""

    summary: dict[str, Any]
    demand: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame

    def target(self, name: str) -> dict[str, Any]:
        """Return what the summary says of a target."""
        return next(one for one in self.summary["targets"] if one["id"] == name)

    def status(self, view: View, shift_s: float = 0.0) -> np.ndarray:
        """Bucket of everyone at the view's limit and speed, the limit moved by some seconds."""
        status = self.demand[f"status_{view.target}"].to_numpy(dtype=object).copy()
        if view.trial:
            own = float(self.target(view.target)["definition"]["minutes"])
            limit_s = 60 * (own if view.limit is None else view.limit)
            seconds = self.demand[f"seconds_{view.target}"].to_numpy() * SPEED["usual"] / SPEED[view.band]
            timed = np.isin(status, ("covered", "beyond"))
            status[timed] = np.where(seconds[timed] <= limit_s + 1e-6 + shift_s, "covered", "beyond")
        return status

    def mask(self, view: View) -> np.ndarray:
        """Return who lives in the area of a view."""
        demand = self.demand
        if not view.area:
            return np.ones(len(demand), dtype=bool)
        column = "village" if view.area in set(self.villages["code"].astype(str)) else "district"
        return (demand[column].astype(str) == view.area).to_numpy()

    def weight(self, view: View, group: str = "") -> np.ndarray:
        """Return the people of a group, the view's own where none is named, of those the target counts."""
        group = group or view.group
        base = self.demand[f"people_{view.target}"].to_numpy(dtype=float)
        if group in {"urban", "rural"}:
            urban = self.villages.set_index(self.villages["code"].astype(str))["urban"].astype(bool)
            return np.where(self.demand["village"].astype(str).map(urban) == (group == "urban"), base, 0.0)
        whole = base if group == "all" else self.demand[group].to_numpy(dtype=float)
        return np.where(base > 0, whole, 0.0)

    def people(
        self, view: View, group: str = "", *, mask: np.ndarray | None = None
    ) -> dict[str, tuple[float, float]]:
        """Count people by bucket, each as a range: the page's times are rounded."""
        mine = self.mask(view) if mask is None else mask
        weight = np.where(mine, self.weight(view, group), 0.0)
        ends = [
            {name: float(weight[status == name].sum()) for name in BUCKETS}
            for status in (self.status(view, -2 * STEP_S), self.status(view, 2 * STEP_S))
        ]
        found = {name: (min(a[name], b[name]), max(a[name], b[name])) for name in BUCKETS for a, b in [ends]}
        return {**found, "total": (float(weight.sum()),) * 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory, county_run) -> tuple[dict[int, Run], dict[str, Path]]:
    """Read the files of two years of the example, and draw both editions."""
    folder = tmp_path_factory.mktemp("runs")
    findings = [load_findings(county_run(year)) for year in YEARS]
    found = {}
    for year in YEARS:
        layers = {
            name: gpd.read_file(county_run(year) / "results.gpkg", layer=name)
            for name in ("demand", "districts", "villages", "facilities")
        }
        found[year] = Run(json.loads((county_run(year) / "summary.json").read_text("utf-8")), **layers)
    pages = {
        name: draw_atlas(findings, folder / f"{name}.html", edition=name) for name in ("internal", "public")
    }
    return found, pages


def views(runs: dict[int, Run]) -> list[View]:
    """List every view there is, or a seeded sample of them that has each value of each choice."""
    last = runs[YEARS[-1]]
    circles = [one["id"] for one in last.summary["targets"] if one["kind"] == "circle" and one["people"]]
    village = str(last.villages["code"].iloc[VILLAGE])
    areas = ["", str(last.districts["code"].iloc[3]), str(last.districts["code"].iloc[-1]), village]
    trials = [(None, "usual"), (20.0, "usual"), (9.0, "usual"), (None, "slow"), (12.0, "fast")]
    ways = [
        *((one, "all") for one in ("reach", "straight", "accepted")),
        ("reach", "over60"),
        ("reach", "rural"),
    ]
    every = [
        View(target, year, limit, band, area, counting, compared, group)
        for target, year, (limit, band), area, (counting, group), compared in itertools.product(
            circles, YEARS, trials, areas, ways, (False, True)
        )
        if not (compared and area)
    ]
    if WHOLE_CAMPAIGN:
        return every
    return sampled(every)


def sampled(every: list[View]) -> list[View]:
    """Draw views until each value of each choice is on one: at every step the first with most new ones."""
    drawn: list[View] = []
    shuffled = [every[at] for at in np.random.default_rng(14).permutation(len(every)).tolist()]
    missing = {choice for view in every for choice in dataclasses.asdict(view).items()}
    while missing:
        drawn.append(max(shuffled, key=lambda view: len(missing & {*dataclasses.asdict(view).items()})))
        missing -= {*dataclasses.asdict(drawn[-1]).items()}
    return drawn


def show(page: browser.Page, view: View) -> tuple[View, str]:
    """Choose a view by the page's own controls; returns what there is of it, and the way of counting."""
    for chip in ("lc-area", "lc-trial"):
        page.run("document.querySelector('#' + arguments[0] + ' button')?.click()", chip)
    choose(page, "lc-year", str(YEARS.index(view.year)))
    choose(page, "lc-target", view.target)
    had = page.run("return [...document.getElementById('lc-group').options].map((one) => one.value)")
    group = view.group if view.group in had else "all"
    if group in had:  # the public edition has no groups to choose from
        choose(page, "lc-group", group)
    choose(page, "lc-compare", str(1 - YEARS.index(view.year)) if view.compared else "")
    if view.limit is not None:
        page.run(
            "const s = document.getElementById('lc-limit'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input'))",
            view.limit,
        )
    pick = (
        "const one = document.querySelector(`input[name='${arguments[0]}'][value='${arguments[1]}']`);"
        "one?.click(); return one !== null"
    )
    if view.band != "usual":
        assert page.run(pick, "lc-band", view.band)
    page.run(pick, "lc-counting", "reach")
    counting = view.counting if page.run(pick, "lc-counting", view.counting) else "reach"
    chosen = not view.area or page.run(
        "const more = document.getElementById('lc-village-figures-more');"
        "if (!more.hidden && more.getAttribute('aria-expanded') === 'false') more.click();"
        "const button = document.querySelector(`#lc-districts tr[data-code='${arguments[0]}'] button`)"
        " ?? document.querySelector(`#lc-village-figures tr[data-village='${arguments[1]}'] button`);"
        "button?.click(); return button !== null",
        view.area,
        VILLAGE,
    )
    return dataclasses.replace(view, area=view.area if chosen else "", group=group), counting


def number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text.replace("<1", "0.5")))


def within(text: str, ends: tuple[float, float]) -> bool:
    """Return whether a printed number of people lies in a range, up to its rounding."""
    return ends[0] - 0.5 <= number(text) <= ends[1] + 0.5


def rate_within(text: str, people: dict[str, tuple[float, float]]) -> bool:
    """Return whether a printed share is that of the people, cut to a tenth of a point."""
    if not people["total"][0]:
        return text == "—"
    low, high = (100 * one / people["total"][0] for one in people["covered"])
    return low - 0.1 - 1e-6 <= number(text) <= high + 1e-6


def uncovered(people: dict[str, tuple[float, float]]) -> tuple[float, float]:
    low, high = people["covered"]
    return people["total"][0] - high, people["total"][0] - low


def check_headline(page: browser.Page, run: Run, view: View) -> None:
    people, target = run.people(view), run.target(view.target)
    shown = page.run("return [...document.querySelectorAll('#lc-people dd')].map((one) => one.textContent)")
    for text, name in zip(shown, ("total", *BUCKETS), strict=True):
        assert within(text, people[name]), (view, name, text, people[name])
    assert rate_within(text_of(page, "#lc-value"), people), (view, text_of(page, "#lc-value"))
    minutes = target["definition"]["minutes"] if view.limit is None else view.limit
    assert f" {minutes:g} 分钟" in text_of(page, "#lc-rule"), view
    option = page.run("return document.getElementById('lc-target').selectedOptions[0].textContent")
    # In the list of targets the value is everyone's: it stands there only where the headline has the same.
    another = view.trial or view.area or view.group != "all"
    assert "%" not in option if another else f"{100 * target['value']:.5f}"[:3] in option, (view, option)
    chip = text_of(page, "#lc-trial")
    assert (f"{minutes:g} 分钟" in chip) if view.trial else not chip, (view, chip)
    answer = text_of(page, "#lc-answer")
    left = re.search(r"([\d,]+) 人未覆盖", answer)
    assert (left is None) == (uncovered(people)[1] < 0.5 or not people["total"][0]), (view, answer)
    assert left is None or within(left[1], uncovered(people)), (view, answer)
    assert not (view.trial and "先补" in answer), (view, answer)


def check_districts(page: browser.Page, run: Run, view: View) -> None:
    """Check all districts, which stand whatever area is chosen."""
    codes = run.demand["district"].astype(str)
    for row in page.run(
        "return [...document.querySelectorAll('#lc-districts tbody tr')]"
        ".map((one) => [one.dataset.code, ...[...one.cells].map((cell) => cell.textContent)])"
    ):
        code, _, total, rate, left = row[:5]
        people = run.people(view, mask=(codes == code).to_numpy())
        assert within(total, people["total"]), (view, row)
        assert rate_within(rate, people), (view, row)
        assert within(left, uncovered(people)), (view, row)


def check_villages(page: browser.Page, run: Run, view: View) -> None:
    names = run.demand["village"].astype(str)
    by_code = {
        str(code): str(name) for code, name in zip(run.villages["code"], run.villages["name"], strict=True)
    }
    for row in page.run(
        "return [...document.querySelectorAll('#lc-village-figures tbody tr')]"
        ".map((one) => [...one.cells].map((cell) => cell.textContent))"
    )[:20]:
        mine = [code for code, name in by_code.items() if name.startswith(row[0]) or row[0].startswith(name)]
        found = [run.people(view, mask=(names == code).to_numpy()) for code in mine]
        assert any(
            within(row[1], one["total"]) and within(row[2], uncovered(one)) and rate_within(row[-1], one)
            for one in found
        ), (view, row)


GROUPS = {  # of those that the page counts
    "60岁": "over60", "3岁": "under3", "新居民": "nonregistered", "低收入": "low_income", "残疾": "disabled",
    "城镇居民": "urban", "农村居民": "rural",
}  # fmt: skip


def check_groups(page: browser.Page, run: Run, view: View) -> None:
    """Check groups: the page's own count in an area and on trial, else those of the run."""
    target = run.target(view.target)
    own = {round(one["people"]): one for one in target["groups"]}
    follows = view.trial or bool(view.area)
    for name, total, rate, left in rows_of(page, "#lc-groups tbody tr"):
        if not follows:
            one = own[round(number(total))]
            assert rate == "—" or abs(number(rate) - 100 * one["value"]) <= 0.1 + 1e-6, (view, name)
            continue
        people = run.people(view, next((group for text, group in GROUPS.items() if text in name), "all"))
        assert within(total, people["total"]), (view, name, total, people)
        assert within(left, uncovered(people)), (view, name, left)
        assert rate_within(rate, people), (view, name, rate)


def check_stays(page: browser.Page, run: Run, view: View) -> None:
    """Check that what does not follow a trial says so, and holds the run's own figures."""
    shown = page.run(
        "return ['ladder', 'gaps', 'margin']"
        ".filter((one) => !document.getElementById(`lc-${one}-part`).hidden)"
        ".map((one) => [one, document.getElementById(`lc-${one}-part`).classList.contains('lc-stays'),"
        " document.querySelector(`#lc-${one}-part .lc-stays-note`)?.textContent ?? ''])"
    )
    minutes = run.target(view.target)["definition"]["minutes"]
    for name, stays, note in shown:
        assert stays == view.trial, (view, name)
        assert (f"{minutes:g} 分钟" in note) == view.trial, (view, name, note)
    rungs = run.target(view.target)["accountings"]
    for row in rows_of(page, "#lc-ladder-part:not([hidden]) .lc-rung tr:first-child"):
        if "%" not in row[-1]:
            continue
        share = number(re.search(r"[\d.]+%", row[-1])[0])
        same = [one for one in rungs.values() if one and abs(100 * one["value"] - share) <= 0.1 + 1e-6]
        assert any(round(one["people"]) == number(row[2]) for one in same), (view, row)


def check_counting(page: browser.Page, run: Run, view: View, counting: str) -> None:
    note = text_of(page, "#lc-counting-note")
    if counting == "reach":
        assert page.run("return document.getElementById('lc-counting-note').hidden"), view
    else:
        rung = run.target(view.target)["accountings"][counting]
        assert str(rung["villages"]) in note, (view, note)
        assert f"{np.floor(1000 * rung['value'] + 1e-9) / 10:.1f}%" in note, (view, note)


def check_changes(page: browser.Page, runs: dict[int, Run], view: View) -> None:
    """Count who is newly covered and lost from both years' files: the example's homes are the same."""
    assert page.run("return document.getElementById('lc-changes-part').hidden") == (not view.compared), view
    if not view.compared:
        assert "新覆盖" not in text_of(page, "#lc-answer"), view
        return
    was, now = (runs[year] for year in YEARS)
    assert was.demand["id"].equals(now.demand["id"])
    then, later = (
        [run.status(view, shift) == "covered" for shift in (-2 * STEP_S, 2 * STEP_S)] for run in (was, now)
    )
    people = [run.weight(view) for run in (was, now)]
    counted = np.all([run.demand[f"people_{view.target}"] > 0 for run in (was, now)], axis=0)

    def ends(which: np.ndarray, *pairs: np.ndarray) -> tuple[float, float]:
        sums = [float(which[pair].sum()) for pair in pairs]
        return min(sums), max(sums)

    def changed(mine: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
        some = mine & counted
        gained = [some & a & ~b for a, b in itertools.product(later, then)]
        lost = [some & b & ~a for a, b in itertools.product(later, then)]
        return ends(people[1], *gained), ends(people[0], *lost)

    whole = changed(np.ones(len(counted), dtype=bool))
    gained, lost = re.search(
        r"新覆盖 ([\d,<]+) 人，不再覆盖 ([\d,<]+) 人", text_of(page, "#lc-answer")
    ).groups()
    assert within(gained, whole[0]) and within(lost, whole[1]), (view, gained, lost, whole)  # noqa: PT018 - one sentence
    heads = [row.rstrip(" ▼▲") for row in rows_of(page, "#lc-changes thead tr")[0]]
    districts = now.demand["district"].astype(str)
    for row in page.run(
        "return [...document.querySelectorAll('#lc-changes tbody tr')]"
        ".map((one) => [one.dataset.code, ...[...one.cells].map((cell) => cell.textContent)])"
    ):
        cells = dict(zip(heads, row[1:], strict=True))
        mine = (districts == row[0]).to_numpy()
        for name, range_ in zip(("新覆盖", "不再覆盖"), changed(mine), strict=True):
            assert within(cells.get(name, "0"), range_), (view, row, range_)
        is_, before = re.fullmatch(r"([\d.]+%|—)原 ([\d.]+%|—)", cells["覆盖率"]).groups()
        assert rate_within(is_, now.people(view, mask=mine)), (view, row)
        assert rate_within(before, was.people(view, mask=mine)), (view, row)
    services = set(now.target(view.target)["venues"]) | set(was.target(view.target)["venues"])
    venues = [set(run.facilities.loc[run.facilities["service"].isin(services), "id"]) for run in (was, now)]
    opened, closed = re.search(r"新增设施 (\d+) 处，关停 (\d+) 处", text_of(page, "#lc-answer")).groups()
    assert [int(opened), int(closed)] == [len(venues[1] - venues[0]), len(venues[0] - venues[1])], view


def check(page: browser.Page, runs: dict[int, Run], view: View) -> None:
    """Hold everything on one view against the files."""
    run = runs[view.year]
    view, counting = show(page, view)
    check_headline(page, run, view)
    check_districts(page, run, view)
    check_villages(page, run, view)
    check_groups(page, run, view)
    check_stays(page, run, view)
    check_counting(page, run, view, counting)
    check_changes(page, runs, view)


def test_no_figure_on_any_view_belongs_to_another(driver, runs):
    found, pages = runs
    page = browser.opened(driver, pages["internal"].as_uri())
    page.wait_ready()
    every = views(found)
    for view in every:
        check(page, found, view)
    assert len(every) >= LEAST
    assert page.complaints() == []


def test_the_public_page_has_the_published_figures_of_the_year(driver, runs):
    found, pages = runs
    page = browser.opened(driver, pages["public"].as_uri())
    page.wait_ready()
    for year, compared in itertools.product(YEARS, (False, True)):
        for name in ("culture", "bus"):
            view = View(name, year, None, "usual", "", "reach", compared)
            show(page, view)
            target = found[year].target(name)
            assert abs(number(text_of(page, "#lc-value")) - 100 * target["value"]) <= 0.1 + 1e-6, view
            rates = {one["code"]: one["value"] for one in target["districts"]}
            for code, rate in page.run(
                "return [...document.querySelectorAll('#lc-districts tbody tr')]"
                ".map((one) => [one.dataset.code, one.cells[2].textContent])"
            ):
                assert rate == "—" or abs(number(rate) - 100 * rates[code]) <= 0.1 + 1e-6, (view, code)
            assert "新覆盖" not in text_of(page, "#lc-answer"), view  # nobody is counted home by home
            if compared:
                assert "人口" not in text_of(page, "#lc-changes thead"), view
                assert "新增设施" in text_of(page, "#lc-changes-opened"), view
