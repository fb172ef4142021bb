"""Targets of every kind on the bundled county, counted from its files with pandas alone, beside the measures.

The counts below share no code with the package: they read the files as they lie there, drop the rows that
the county plants as faults (by their ids in ``faults.csv``), and count. The figures of an independent
recount of 2025 are asserted as numbers.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import lifecircle as lc
from conftest import ROOT
from lifecircle.demand import (
    assign_districts,
    assign_villages,
    read_demand,
    read_districts,
    read_villages,
    with_districts,
)
from lifecircle.facilities import merge_duplicates, open_in
from lifecircle.indicators import Indicators, join_indicators, read_indicators
from lifecircle.measures import (
    UnitCodes,
    capacity,
    committees,
    presence,
    registered,
    share_bounds,
    units_near,
    village_figures,
    village_rule,
)
from lifecircle.standards import Standard, load_standard, verdict
from lifecircle.study import read_study

COUNTY = ROOT / "data" / "geo" / "haiyan"
YEARS = range(2021, 2026)
CODE = "330424"

# ---------------------------------------------------------------------------------------------------------
# The count by hand: pandas and the files, nothing else


def plain(frame, columns):
    """Take the columns of an office's list under our names, as text."""
    return frame.rename(columns={theirs: ours for ours, theirs in columns.items()}).astype(object)


@pytest.fixture(scope="module")
def files():
    """Give the registers as texts and numbers, without rows planted as unreadable or twice there."""
    study = tomllib.loads((COUNTY / "study.toml").read_text("utf-8"))
    planted = pd.read_csv(COUNTY / "faults.csv", dtype=str, encoding="utf-8-sig")
    away = set()
    for kind, ids in zip(planted["kind"], planted["id"].fillna(""), strict=True):
        if kind in {"duplicate", "near_duplicate"}:
            away |= set(ids.split()[1:])
        if kind == "unreadable":
            away |= set(ids.split())
    parts = []
    for part in study["facilities"]:
        path = COUNTY / part["file"]
        if path.suffix == ".xlsx":
            raw = pd.read_excel(path, dtype=str)
        elif path.suffix == ".geojson":
            raw = pd.DataFrame(gpd.read_file(path).drop(columns="geometry")).astype(object)
        else:
            coded = "gb18030" if part.get("datum") == "bd09" else "utf-8-sig"
            raw = pd.read_csv(path, dtype=str, encoding=coded)
        raw = plain(raw, part.get("columns", {}))
        raw["service"] = raw["service"].replace(part.get("services", {}))
        parts.append(raw[[*{"id", "service", "opened", "closed", "serves", "capacity", "carers"} & {*raw}]])
    register = pd.concat(parts, ignore_index=True)
    return register[~register["id"].isin(away)].set_index("id")


def there(register, year):
    """Choose the venues open at the end of a year, comparing days as text."""
    opened = register["opened"].fillna("").astype(str).str[:10]
    closed = register["closed"].fillna("").astype(str).str[:10]
    day = f"{year}-12-31"
    return register[(opened <= day) & ((closed == "") | (closed == "None") | (closed > day))]


def listed(register, year, services):
    """Name the units that open venues of some services list."""
    mine = there(register, year)
    codes = mine.loc[mine["service"].isin(services), "serves"].dropna()
    return set(codes[codes != ""])


@pytest.fixture(scope="module")
def villages():
    text = {"code": str, "district": str, "class": str}
    return pd.read_csv(COUNTY / "villages.csv", encoding="utf-8-sig", dtype=text).set_index("code")


@pytest.fixture(scope="module")
def people():
    return pd.read_parquet(COUNTY / "residents.parquet")


ELDER = {"elder_care_centre", "elder_care_station"}
BY_LIST = {
    "elder_care_presence": ELDER,
    "chinese_medicine_villages": {"tcm_village_room"},
    "good_governance_villages": {"good_governance_village"},
    "civic_index": {"civic_index_village"},
    "civic_presence": {"civic_station"},
}


def counted_by_list(files, villages, target, year):
    return len(listed(files, year, BY_LIST[target]) & set(villages.index))


def nursery_places(files, people, year):
    mine = there(files, year)
    places = mine.loc[mine["service"].isin({"nursery", "kindergarten_nursery"}), "capacity"].astype(float)
    assert places.notna().all()
    return places.sum() / people["population"].sum() * 1_000


def carers(files, people, year):
    mine = there(files, year)
    staff = mine.loc[mine["service"].isin({*ELDER, "nursing_home"}), "carers"].astype(float)
    assert staff.notna().all()
    return staff.sum() / people["age_60"].sum() * 10_000


def income_share(year):
    """Share of the villages with a villagers' committee that have both incomes, and how many are unknown."""
    sheet = pd.read_csv(COUNTY / "village-income.csv", encoding="utf-8-sig", dtype={"村代码": str})
    now = sheet[sheet["年份"] == year]
    first, second = now["经常性收入（万元）"], now["经营性收入（万元）"]
    unknown = ((first.isna() & ~(second < 80)) | (second.isna() & ~(first < 200))).sum()
    return int(((first >= 200) & (second >= 80)).sum()), len(now), int(unknown)


def outlets_with_a_point(files, year):
    """Count the service windows within 50 m of an open civic-practice point, on a local plane."""
    outlets = pd.read_csv(COUNTY / "outlets.csv", encoding="utf-8-sig")
    windows = outlets[outlets["类别"] == "窗口行业"]
    raw = pd.read_csv(COUNTY / "governance.csv", encoding="utf-8-sig").set_index("id")
    open_now = there(files, year)
    points = raw.loc[open_now.index[open_now["service"] == "civic_point"]]
    north, east = 110_862.0, 111_320.0 * math.cos(math.radians(30.5))
    apart = np.hypot(
        (windows["经度"].to_numpy()[:, None] - points["lon"].to_numpy()) * east,
        (windows["纬度"].to_numpy()[:, None] - points["lat"].to_numpy()) * north,
    )
    nearest = apart.min(axis=1)
    assert ((nearest < 45) | (nearest > 55)).all()  # so that the plane is good enough
    return int((nearest < 50).sum()), len(windows)


# ---------------------------------------------------------------------------------------------------------
# The figures of the recount


def test_the_recount_of_2025(files, villages, people):
    assert round(nursery_places(files, people, 2025), 3) == 4.549
    assert round(carers(files, people, 2025), 2) == 25.78
    found = {target: counted_by_list(files, villages, target, 2025) for target in BY_LIST}
    assert len(villages) == 122
    assert found == {
        "elder_care_presence": 119,
        "chinese_medicine_villages": 108,
        "good_governance_villages": 64,
        "civic_index": 121,
        "civic_presence": 122,
    }


def test_what_was_added_agrees_with_what_was_registered(files, villages):
    told = pd.read_csv(COUNTY / "indicators.csv", encoding="utf-8-sig", dtype={"district": str})
    county = told[told["district"].isna()].set_index(["target", "year"])["value"]
    own = villages.index[villages.index.str[-3:].astype(int).isin(range(200, 400))]
    for year in YEARS:
        holding, windows = outlets_with_a_point(files, year)
        assert holding / windows == county["civic_points", year]
        meeting, all_villages, _ = income_share(year)
        assert all_villages == len(own)
        assert meeting == round(county["village_income", year] * all_villages)
    assert [income_share(year)[2] for year in YEARS] == [0, 1, 0, 0, 0]
    sheet = pd.read_csv(COUNTY / "village-income.csv", encoding="utf-8-sig", dtype={"村代码": str})
    assert set(sheet["村代码"]) == set(own)
    assert sheet["经营性收入（万元）"].isna().sum() == 1
    exact = (sheet["经常性收入（万元）"] == 200) & (sheet["经营性收入（万元）"] == 80)
    assert exact.sum() == len(YEARS)
    towns = pd.read_csv(COUNTY / "indicators-towns.csv", encoding="utf-8-sig", dtype={"district": str})
    schools = towns[towns["target"] == "modern_schools"].pivot_table(
        index="district", columns="year", values="value"
    )
    assert schools.sum().tolist() == county["modern_schools"].tolist()
    assert (schools.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_what_was_added_says_that_it_is_made_up():
    for name, column in (
        ("indicators-towns", "source"),
        ("indicators-villages", "source"),
        ("village-income", "来源"),
    ):
        table = pd.read_csv(COUNTY / f"{name}.csv", encoding="utf-8-sig")
        assert set(table[column]) == {"合成示例"}
    outlets = pd.read_csv(COUNTY / "outlets.csv", encoding="utf-8-sig")
    assert outlets["名称"].str.startswith("示例·").all()
    assert outlets["编号"].is_unique


# ---------------------------------------------------------------------------------------------------------
# The same by the package's readers and measures


@dataclass(frozen=True)
class Read:
    """The county as the package reads it."""

    standard: Standard
    districts: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    register: gpd.GeoDataFrame
    outlets: gpd.GeoDataFrame
    demand: gpd.GeoDataFrame
    indicators: Indicators

    def presence(self, name, year):
        """Count a presence target with the measures, as an audit would."""
        target = self.standard.target(name)
        index, place, counted = getattr(self, f"_{target.unit}")(target)
        return presence(
            self.register,
            UnitCodes(index, counted, known={CODE, *self.districts.index, *self.villages.index}),
            needed=target.needed,
            services=self.standard.venues(target),
            place=pd.Series(place, index=self.register.index),
            opened=open_in(self.register, year).to_numpy(),
            assign=target.assign,
        )

    def _county(self, _target):
        inside = self.register["district"] != "(outside)"
        return pd.Index([CODE]), np.where(inside, CODE, ""), None

    def _district(self, target):
        return self.districts.index, self.register["district"], self._area(self.districts, target)

    def _village(self, target):
        return self.villages.index, self.register["village"], self._area(self.villages, target)

    def _outlet(self, target):
        index = pd.Index(self.outlets.index.astype(str))
        venues, places = (
            np.column_stack([points.x, points.y])
            for points in (self.register.to_crs(4549).geometry, self.outlets.to_crs(4549).geometry)
        )
        near = units_near(venues, places, index, within_m=target.within_m)
        return index, near, self.outlets["service"].isin(target.outlets).to_numpy()

    @staticmethod
    def _area(units, target):
        urban = units["urban"].to_numpy(dtype=bool)
        return None if target.area == "all" else urban == (target.area == "urban")


def venues_of(part):
    """Read a list of facilities, or of outlets, as the study declares it."""
    path = COUNTY / part.file
    return lc.read_facilities(path, datum=part.datum, columns=part.columns, services=part.services)[0]


@pytest.fixture(scope="module")
def county():
    study, standard = read_study(COUNTY), load_standard("haiyan-2025")
    districts = read_districts(COUNTY / study.districts.file)
    villages = with_districts(read_villages(COUNTY / study.villages.file)[0], districts)
    whole = pd.concat([venues_of(part) for part in study.facilities])
    register, _ = merge_duplicates(gpd.GeoDataFrame(whole, crs="EPSG:4326"))
    part = study.demand
    demand, _ = read_demand(COUNTY / part.file, population=part.population, groups=part.groups)
    figures = [
        read_indicators(
            COUNTY / one.file,
            standard=standard,
            districts=districts,
            villages=villages,
            columns=one.columns,
            target=one.target,
            items=one.items,
        )
        for one in study.indicators.files
    ]
    return Read(
        standard,
        districts,
        villages,
        assign_villages(assign_districts(register, districts), villages),
        venues_of(study.outlets),
        assign_districts(demand, districts),
        join_indicators(figures),
    )


@pytest.mark.parametrize("year", YEARS)
def test_presence_by_list(year, files, villages, county):
    for name in BY_LIST:
        found = county.presence(name, year)
        assert found.units["holds"].sum() == counted_by_list(files, villages, name, year)
        assert len(found.units) == 122


def test_the_villages_without_elder_care_and_the_station_that_lists_nobody(files, villages, county):
    found = county.presence("elder_care_presence", 2025)
    assert set(found.without) == set(villages.index) - listed(files, 2025, ELDER)
    told = found.disagreements
    assert ((told["kind"] == "unlisted") & told["stands_in"].isin(found.without)).sum() >= 1
    assert not (told["kind"] == "unknown_unit").any()


@pytest.mark.parametrize("year", YEARS)
def test_outlets(year, files, county):
    found = county.presence("civic_points", year)
    holding, windows = outlets_with_a_point(files, year)
    assert (int(found.units["holds"].sum()), len(found.units)) == (holding, windows)


def test_every_presence_target_has_a_value_in_every_year(county):
    verdicts = {}
    for target in county.standard.targets:
        if target.kind != "presence":
            continue
        values = [county.presence(target.id, year).value for year in YEARS]
        assert all(value is not None for value in values), target.id
        assert values == sorted(values), target.id  # venues open over the years
        verdicts[target.id] = verdict(target, 2025, values[-1])
    assert len(verdicts) == 21
    assert {name for name, status in verdicts.items() if status == "missed"} == {
        "elder_care_presence",
        "chinese_medicine_villages",
        "civic_index",
        "welfare_projects",
    }
    assert verdicts["good_governance_villages"] == "met"
    projects = county.presence("welfare_projects", 2025)
    assert projects.units["lacks"].tolist() == ["special_school"]
    assert projects.units["closed"].tolist() == [1]


@pytest.mark.parametrize("year", YEARS)
def test_capacity(year, files, people, county):
    now = county.register[open_in(county.register, year).to_numpy()]
    for name, group, by_hand in (
        ("nursery_places", "population", nursery_places(files, people, year)),
        ("elder_carers", "over60", carers(files, people, year)),
    ):
        target = county.standard.target(name)
        mine = now[now["service"].isin(set().union(*county.standard.venues(target).values()))]
        heads = county.demand.groupby("district")[group].sum().astype(float)
        table = capacity(mine, heads, column=target.of, per=target.per)
        assert table.loc["all", "value"] == pytest.approx(by_hand, rel=1e-13)
        assert table.loc["all", "unknown"] == 0
        assert table["amount"].iloc[:-1].sum() == table.loc["all", "amount"]
        assert len(table) == 10


@pytest.mark.parametrize("year", YEARS)
def test_village_income(year, county):
    target, units = county.standard.target("village_income"), county.villages
    own = units.index[(committees(units.index, units["name"]) == target.committee).to_numpy()]
    figures = village_figures(county.indicators.table, target.id, year, own)
    rule = village_rule(figures, target.each)
    meeting, many, unknown = income_share(year)
    assert (rule["meets"].sum(), len(rule), rule["meets"].isna().sum()) == (meeting, many, unknown)
    assert share_bounds(rule["meets"]) == (meeting / many, (meeting + unknown) / many, unknown)


def test_every_indicator_has_the_figures_its_target_asks_for(county):
    assert county.indicators.rejects.empty
    assert county.indicators.notes[-1] == "indicator_blank:1"
    for target in county.standard.targets:
        if target.kind != "indicator":
            continue
        for year in YEARS:
            found = registered(
                county.indicators.table,
                target.id,
                year,
                districts=county.districts.index,
                villages=county.villages.index,
            )
            assert found.value is not None
            assert found.sources == ("合成示例",)
            if target.by == "district":
                assert found.missing_districts == [], target.id
            if target.by == "village" and not target.each:
                assert found.missing_villages == [], target.id


def test_42_targets_of_four_kinds(county):
    kinds = pd.Series([target.kind for target in county.standard.targets]).value_counts().to_dict()
    assert kinds == {"circle": 8, "presence": 21, "capacity": 2, "indicator": 11}
