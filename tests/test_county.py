"""The bundled county, audited: people add up in every table, and villages differ as designed."""

import importlib.metadata
import json
import re

import jsonschema
import numpy as np
import pandas as pd
import pytest

from atlas_asking import ask
from conftest import ROOT
from lifecircle.audit import run_audit
from lifecircle.findings import summary_schema
from lifecircle.maps import MapOrder, draw_study
from lifecircle.page_data import page_payload
from lifecircle.report import scoreboard
from lifecircle.wording import Words, village_text

COUNTY = ROOT / "data" / "geo" / "haiyan"
CENSUS = 456_775
URBAN = 297_920
CIRCLES = ("culture", "civic", "fitness", "fitness_rural", "nursery", "elder_care", "clinic", "bus")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("county")


@pytest.fixture(scope="module")
def county(results):
    return run_audit(COUNTY, out=results)


@pytest.fixture(scope="module")
def totals():
    residents = pd.read_parquet(COUNTY / "residents.parquet")
    villages = pd.read_csv(COUNTY / "villages.csv", dtype={"code": str}).set_index("code")
    urban = residents["village"].map(villages["urban"]).astype(bool)
    return {
        "culture": CENSUS,
        "civic": CENSUS,
        "fitness": URBAN,
        "fitness_rural": CENSUS - URBAN,
        "nursery": residents.loc[urban, "age_0_2"].sum(),
        "elder_care": residents["age_60"].sum(),
        "clinic": CENSUS,
        "bus": CENSUS,
    }


def test_its_run_obeys_the_published_schema(county, results):
    assert county.year == 2025
    jsonschema.validate(json.loads((results / "2025" / "summary.json").read_text("utf-8")), summary_schema())


@pytest.mark.parametrize("name", CIRCLES)
def test_people_add_up_in_every_table(county, totals, name):
    result = county.result(name)
    count = result.count
    assert 0 < result.value <= 1
    assert count.people == totals[name]
    assert count.covered + count.beyond + count.disconnected + count.unsnapped == count.people
    for bucket in ("people", "covered", "beyond", "disconnected", "unsnapped"):
        assert sum(getattr(one.count, bucket) for one in result.districts) == getattr(count, bucket)
    group = next(one for one in result.groups if one.group == result.target.group)
    assert group.count == count
    areas = [one.count for one in result.groups if one.group in {"urban", "rural"}]
    assert sum(one.people for one in areas) in {0, count.people}
    assert county.people[name].sum() == count.people
    for places in (county.villages, county.grid):
        assert places[f"people_{name}"].sum() == pytest.approx(
            count.people, abs=100
        )  # but those without a place
        assert (places[f"covered_{name}"].sum()) == count.covered
        assert (places[f"covered_{name}"] <= places[f"people_{name}"]).all()
    assert county.gaps.loc[county.gaps["target"] == name, "people"].sum() == count.uncovered


@pytest.mark.parametrize("name", CIRCLES)
def test_accountings_and_band_keep_their_order(county, name):
    result = county.result(name)
    rungs = result.accountings
    assert rungs["reach"].value == result.value <= rungs["any_one"].value
    if rungs["open"] is not None:
        assert rungs["open"].value <= rungs["reach"].value
    assert result.band["slow"] <= result.band["usual"] <= result.band["fast"]
    assert result.variants["step_free"] <= result.value
    assert result.variants["aged_over60"] <= 1
    values = [value for _, value in result.curve]
    assert values == sorted(values)
    assert dict(result.curve)[5.0] == result.value


def test_one_is_met_one_missed_and_one_turns_within_the_band(county):
    statuses = {result.target.id: result.status for result in county.targets}
    assert statuses["nursery"] == "met"
    assert statuses["culture"] == "missed"
    nursery = county.result("nursery")
    assert nursery.band["slow"] < nursery.target.goal <= nursery.band["usual"]
    assert 4.0 < nursery.flip_kmh < 5.0


def test_designed_villages_differ_as_designed(county):
    designed = pd.read_csv(COUNTY / "designed.csv", dtype={"code": str}).set_index("code")
    says = county.villages.loc[designed.index, ["straight_culture", "reached_culture"]].astype(bool)
    for purpose, (straight, reached), least in (
        ("straight_yes_reach_no", (True, False), 5),
        ("straight_no_reach_yes", (False, True), 2),
    ):
        mine = says[designed["purpose"] == purpose]
        assert len(mine) >= least
        assert (mine["straight_culture"] == straight).all()
        assert (mine["reached_culture"] == reached).all()


def test_planted_faults_come_out(county):
    rejects = county.rejects
    assert rejects["reason"].str.startswith("listed twice").sum() == 5
    assert len(rejects) == 8
    assert not rejects["file"].str.contains("/").any()
    culture = county.result("culture")
    assert culture.count.disconnected > 200
    assert culture.count.unsnapped > 0


def test_the_scoreboard_is_in_plan_order_county_first(county):
    board = scoreboard(county)
    assert list(board.columns[:4]) == ["序号", "指标", "范围", "责任部门"]
    wanted = [
        "目标值", "目标年", "序时目标", "上年", "本年", "增减（百分点）", "未覆盖人口（人）",
        "其中数据问题（人）", "达标还需覆盖（人）", "评价结论", "达标临界步速",
        "临界人口", "验收口径", "直线复算", "路网距离", "实际可达",
    ]  # fmt: skip
    columns = [name for name in board.columns if name in wanted]
    assert columns == wanted
    first = board[board["序号"] == "1"]
    assert first["范围"].iloc[0] == county.name
    assert (
        first["范围"].iloc[1:].tolist()
        == county.districts["name"].loc[sorted(county.districts.index)].tolist()
    )
    assert re.fullmatch(r"\d+\.\d %", first["本年"].iloc[0])


def test_every_target_has_a_value_or_a_reason_about_the_data(county):
    assert len(county.targets) == 42
    assert all(result.value is not None or result.reason for result in county.targets)
    assert not any("comput" in result.reason for result in county.targets)


@pytest.mark.usefixtures("county")
def test_the_committed_map_is_what_the_example_draws(results, tmp_path):
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    )
    for package in ("numpy", "pandas", "shapely", "pyproj", "folium", "branca", "geopandas", "deflate"):
        if importlib.metadata.version(package) != pinned[package]:
            pytest.skip(f"{package} is not the version of constraints.txt, which the bytes are promised for")
    (page,) = draw_study(COUNTY, MapOrder(results=results, out=tmp_path / "haiyan.html"))
    assert page.read_bytes() == (ROOT / "maps" / "haiyan.html").read_bytes(), "run make demo and commit maps/"


@pytest.mark.parametrize("name", ["culture", "elder_care", "clinic"])
def test_the_page_shows_who_lives_in_every_gap(county, tmp_path, name):
    """The page finds the residents of each gap again, and so how many of a group live there."""
    gaps = county.gaps[county.gaps["target"] == name].sort_values("people", ascending=False, kind="stable")
    questions = [{"kind": "gaps", "year": county.year, "target": name}]
    questions += [{**questions[0], "group": group} for group in ("over60", "low_income")]
    everybody, aged, poor = ask(tmp_path, page_payload([county], Words("zh")), questions)
    assert np.allclose(everybody, gaps["people"], atol=0.01)
    left = (county.status[name] != "covered") & (county.people[name] > 0)
    assert sum(aged) == pytest.approx(county.demand.loc[left, "over60"].sum())
    assert sum(poor) == pytest.approx(county.demand.loc[left, "low_income"].sum())
    codes = county.villages.index[
        county.villages["name"].map(village_text) == gaps["village"].map(village_text).iloc[0]
    ]
    mine = left & county.demand["village"].isin(codes) & (county.status[name] == gaps["reason"].iloc[0])
    assert 0 < aged[0] <= county.demand.loc[mine, "over60"].sum() + 0.01
