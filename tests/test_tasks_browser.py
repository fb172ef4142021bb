"""Tasks of a planner on the map page by clicks and keys, each held against the files of a run.

The whole campaign tries them in Firefox too, and on the bundled county.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

import pdf_text
import task_town
import two_browsers
from conftest import ROOT, WHOLE_CAMPAIGN
from lifecircle.audit import run_audit
from lifecircle.cli import cli
from lifecircle.page_data import percent_text
from lifecircle.scenario import run_scenario
from lifecircle.wording import village_text

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser

TARGET, FIRST, SECOND = "culture", 2024, 2025


@dataclass(frozen=True)
class Case:
    """A study, its runs of two years under ``out``, the page drawn of them, and the target's name on it."""

    study: Path
    out: Path
    page: Path
    name: str

    def summary(self, year: int = SECOND) -> dict:
        """Give what the run says of the target."""
        told = json.loads((self.out / str(year) / "summary.json").read_text("utf-8"))
        return next(one for one in told["targets"] if one["id"] == TARGET)

    def homes(self, year: int = SECOND) -> pd.DataFrame:
        """Read the residents of a run: people, uncovered, their aged, minutes, names as on the page."""
        path = self.out / str(year) / "results.gpkg"
        read = gpd.read_file(path, layer="demand")
        villages = gpd.read_file(path, layer="villages").set_index("code")["name"]
        districts = gpd.read_file(path, layer="districts").set_index("code")["name"]
        people = read[f"people_{TARGET}"]
        covered = read[f"status_{TARGET}"] == "covered"
        return pd.DataFrame(
            {
                "id": read["id"],
                "people": people,
                "covered": covered,
                "left": people.where(~covered, 0.0),
                "aged": read["over60"].where(~covered, 0.0),
                "minutes": read[f"seconds_{TARGET}"] / 60,
                "town": read["district"].map(districts),
                "village": read["village"].map(villages.map(village_text)),
            }
        )

    @cached_property
    def town(self) -> str:
        """Name the town with most people not covered."""
        return str(self.homes().groupby("town")["left"].sum().idxmax())

    @cached_property
    def villages(self) -> pd.DataFrame:
        """Count the villages of that town, most people not covered first."""
        homes = self.homes()
        sums = homes[homes["town"] == self.town].groupby("village")[["people", "left", "aged"]].sum()
        return sums[sums["people"] > 0].sort_values("left", ascending=False, kind="stable")


def drawn(study: Path, folder: Path) -> Case:
    """Audit both years and draw the page, as a user does."""
    runs = [run_audit(study, year, out=folder / "results") for year in (FIRST, SECOND)]
    target = next(one.target for one in runs[-1].targets if one.target.id == TARGET)
    page = folder / "page.html"
    words = ["atlas", str(study), "--results", str(folder / "results"), "--out", str(page)]
    done = CliRunner().invoke(cli, [*words, "--years", f"{FIRST},{SECOND}"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return Case(study, folder / "results", page, target.name.zh)


@pytest.fixture(scope="module")
def cases():
    """Keep what was drawn: every study is audited once, whatever the order of the browsers."""
    return {}


@pytest.fixture(scope="module", params=["town", *(["county"] if WHOLE_CAMPAIGN else [])])
def case(request, cases, tmp_path_factory):
    name = request.param
    if name not in cases:
        folder = tmp_path_factory.mktemp(name)
        study = task_town.make_town(folder) if name == "town" else ROOT / "data" / "geo" / "haiyan"
        cases[name] = drawn(study, folder)
    return cases[name]


@pytest.fixture(scope="module", params=["chromium", *(["firefox"] if WHOLE_CAMPAIGN else [])])
def hands(request, tmp_path_factory):
    with two_browsers.reader(request.param, tmp_path_factory.mktemp(request.param)) as started:
        yield started


@pytest.fixture
def page(hands, case):
    """Open the page and take the card of the target, as one does who comes to it."""
    hands.open(case.page)
    hands.click_name("#lc-cards .lc-card", case.name)
    assert hands.value("#lc-target") == TARGET
    return hands


def number(text: str) -> float:
    """Read a printed number of people."""
    found = re.sub(r"[^\d.−-]", "", text).replace("−", "-")
    return float(found) if found else 0.0


def share(left: float, people: float) -> str:
    """Print the share of those who are not left out, as the page prints shares."""
    return percent_text(float(1 - left / people))


def people(value: float) -> object:
    """Give what a printed number of people may be: whole, and no more than half a person off."""
    return pytest.approx(value, abs=0.5001)


def test_villages_of_a_town_that_miss_the_circle_with_their_aged(page, case):
    page.click_name("#lc-districts tbody button", case.town)
    assert case.town in page.text("#lc-area")
    if page.shows("#lc-village-figures-more"):
        page.click("#lc-village-figures-more")
    page.click("#lc-village-figures [data-key=name] button")
    page.click("#lc-village-figures [data-key=left] button")
    rows = page.table("#lc-village-figures")
    assert len(rows) == len(case.villages)
    assert [number(row["left"]) for row in rows] == [people(left) for left in case.villages["left"]]
    for row in rows:
        run = case.villages.loc[row["name"]]
        assert number(row["people"]) == people(run["people"])
        assert number(row["left"]) == people(run["left"])
        assert number(row["aged"]) == people(run["aged"])
        assert row["rate"] == share(run["left"], run["people"])
    assert case.villages["left"].iloc[0] > 0
    assert case.villages["aged"].iloc[0] > 0
    town = next(one for one in case.summary()["districts"] if one["name"] == case.town)
    assert page.text("#lc-value") == percent_text(town["value"])


def test_two_years_are_compared_by_town(page, case):
    page.click_name("#lc-compare option", f"{FIRST}年")
    rows = {row["name"]: row for row in page.table("#lc-changes")}
    was, now = (
        {one["name"]: one["value"] for one in case.summary(year)["districts"]} for year in (FIRST, SECOND)
    )
    assert [name for name in now if now[name] is not None] == [name for name in now if name in rows]
    for name, row in rows.items():
        shares = re.findall(r"\d+\.\d%", row["is"])
        assert shares == [percent_text(now[name]), percent_text(was[name])]
        points = float(shares[0][:-1]) - float(shares[1][:-1])
        assert number(row["points"]) == pytest.approx(points, abs=1e-6)
    then, homes = (case.homes(year).set_index("id") for year in (FIRST, SECOND))
    then = then.reindex(homes.index)
    gained = homes["people"].where(homes["covered"] & (then["covered"] == False), 0.0)  # noqa: E712 - not where unknown
    lost = then["people"].where((then["covered"] == True) & ~homes["covered"], 0.0)  # noqa: E712 - not where unknown
    assert gained.sum() > 0
    for key, sums in (("gained", gained), ("lost", lost)):
        by_town = sums.groupby(homes["town"]).sum()
        for name, row in rows.items():
            assert number(row.get(key, "0")) == people(by_town.get(name, 0.0)), (key, name)


def test_a_pin_that_covers_is_moved_exported_and_loaded_back(page, case, tmp_path):
    page.click("#lc-gaps button")
    page.click("#lc-pin-add")
    first = number(page.text("#lc-pins-people").split("人")[0])
    assert first > 0
    before = page.value("#lc-pins-geojson")
    page.drag(".lc-pin", 90, -45)
    moved, said = page.value("#lc-pins-geojson"), page.text("#lc-pins-people")
    assert moved != before
    page.click("#lc-pins-copy")
    file = tmp_path / "pins.geojson"
    file.write_text(moved, "utf-8")
    outcome = run_scenario(case.study, file, SECOND).target(TARGET)
    assert number(said.split("人")[0]) == people(outcome.won)
    assert outcome.won > 0
    page.click("#lc-pin-clear")
    assert page.find_all(".lc-pin") == []
    page.keys("#lc-pins-file", str(file))
    page.settle()
    assert len(page.find_all(".lc-pin")) == 1
    assert page.value("#lc-pins-geojson") == moved
    assert page.text("#lc-pins-people") == said


def test_twenty_minutes_are_tried_for_fifteen(page, case):
    own = page.text("#lc-value")
    assert own == percent_text(case.summary()["value"])
    page.keys("#lc-limit", *[two_browsers.RIGHT] * 5)
    assert "20" in page.text("#lc-limit-value")
    homes = case.homes()
    within = homes["people"].where(homes["minutes"] <= 20, 0.0)
    assert page.text("#lc-value") == percent_text(float(within.sum() / homes["people"].sum()))
    assert page.text("#lc-value") != own
    by_town = within.groupby(homes["town"]).sum() / homes["people"].groupby(homes["town"]).sum()
    rows = {row["name"]: row for row in page.table("#lc-districts")}
    assert {name: rows[name]["value"] for name in by_town.index} == {
        name: percent_text(float(value)) for name, value in by_town.items()
    }
    page.click("#lc-trial button")
    assert page.text("#lc-value") == own


def test_a_village_is_found_and_its_sheet_printed(page, case):
    name, run = case.villages.index[0], case.villages.iloc[0]
    page.keys("#lc-search", name, two_browsers.ENTER)
    assert page.text("#lc-headline-title") != ""
    assert name in page.text("#lc-area")
    rate = share(run["left"], run["people"])
    assert page.text("#lc-value") == rate
    made, told = page.printed()
    assert made.startswith(b"%PDF")
    figures = [name, rate, f"{run['people']:,.0f}", f"{run['left']:,.0f}", f"{run['aged']:,.0f}"]
    for figure in figures:
        assert figure in told
    if page.name == "chromium":  # whose letters in a PDF can be read
        sheets = pdf_text.pages_of(made)
        assert name in sheets[0]
        assert rate.replace(" ", "") in sheets[0]
        assert all(figure.replace(" ", "") in "".join(sheets[1:]) for figure in figures)
