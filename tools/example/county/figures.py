"""Make up registered figures of towns and villages, and the outlets of the service-window trades.

Every figure is synthetic and says so in its source. Streams of random numbers are this module's own, so
that nothing made elsewhere depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from county.files import INDICATORS, degrees, write_csv
from county.venues import short_name

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from county.plan import Plan
    from county.venues import County, Register

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

YEARS = range(2021, 2026)
SOURCE = "合成示例"
COUNTY_FIGURES = {target: values for target, _, values in INDICATORS}
LEAST_INCOME = {"recurrent": 200.0, "operating": 80.0}  # 10,000 yuan, as the plan has it
TRADES = ("银行网点", "办税服务厅", "供电营业厅", "通信营业厅", "邮政所", "医院窗口", "加油站", "政务窗口")
POINT_NEAR_M, POINT_APART_M = 20.0, 90.0  # an outlet with a civic point, and any other point


def write_town_figures(plan: Plan, folder: Path, seed: int) -> None:
    """Write indicators-towns.csv: the figures that indicators.csv has for the county alone, by town."""
    rng = np.random.default_rng([seed, 80])
    rows: list[tuple[Any, ...]] = []
    shares = (
        ("kindergarten_grade_two", "share", 0.04),
        ("health_literacy", "share", 0.03),
        ("equity_gap_income", "ratio", 0.05),
    )
    for target, unit, spread in shares:
        apart = rng.uniform(-spread, spread, len(plan.town_codes))
        for year, value in zip(YEARS, COUNTY_FIGURES[target], strict=True):
            drift = apart + rng.uniform(-0.004, 0.004, len(apart))
            rows += [
                (target, year, code, round(value + float(step), 3), unit, SOURCE)
                for code, step in zip(plan.town_codes, drift, strict=True)
            ]
    schools = np.zeros(len(plan.town_codes), dtype=int)
    turn = rng.permutation(len(schools))
    for year, total in zip(YEARS, COUNTY_FIGURES["modern_schools"], strict=True):
        for step in range(int(schools.sum()), int(total)):
            schools[turn[step % len(turn)]] += 1
        rows += [
            ("modern_schools", year, code, int(number), "schools", SOURCE)
            for code, number in zip(plan.town_codes, schools, strict=True)
        ]
    columns = ["target", "year", "district", "value", "unit", "source"]
    write_csv(pd.DataFrame(rows, columns=columns, dtype=object), folder / "indicators-towns.csv")


def write_village_figures(plan: Plan, folder: Path, seed: int) -> None:
    """Write indicators-villages.csv: family doctors and check-ups by village."""
    rng = np.random.default_rng([seed, 81])
    rows = []
    for target in ("family_doctors", "check_ups"):
        apart = rng.uniform(-0.08, 0.08, len(plan.units.codes))
        for year, value in zip(YEARS, COUNTY_FIGURES[target], strict=True):
            figures = np.round(np.clip(value + apart + rng.uniform(-0.01, 0.01, len(apart)), 0.0, 1.0), 3)
            rows += [
                (target, year, code, float(figure), "share", SOURCE)
                for code, figure in zip(plan.units.codes, figures, strict=True)
            ]
    columns = ["target", "year", "village", "value", "unit", "source"]
    write_csv(pd.DataFrame(rows, columns=columns), folder / "indicators-villages.csv")


def write_village_income(plan: Plan, folder: Path, seed: int) -> None:
    """Write village-income.csv as an office keeps it: two incomes of every administrative village.

    Each year as many villages reach both figures as the registered share says; one reaches them exactly.
    The operating income of one village that is not there yet is blank in 2022, so that it is unknown.
    """
    rng = np.random.default_rng([seed, 82])
    own = np.flatnonzero(~plan.units.community)
    rank = rng.permutation(len(own))
    counts = [round(share * len(own)) for share in COUNTY_FIGURES["village_income"]]
    reached = np.array([next((at for at, many in enumerate(counts) if turn < many), 5) for turn in rank])
    lacking = rng.integers(0, 3, len(own))  # before a village is there: both, the first, the second
    lacking[rank == len(own) - 1] = 2
    rows = []
    for at, year in enumerate(YEARS):
        since = at - reached
        there = since >= 0
        recurrent = np.where(
            there | (lacking == 2),
            200 + 14 * np.maximum(since, 0) + rng.uniform(1, 70, len(own)),
            200 + 19 * since - rng.uniform(2, 16, len(own)),
        )
        operating = np.where(
            there | (lacking == 1),
            80 + 6 * np.maximum(since, 0) + rng.uniform(1, 30, len(own)),
            80 + 8 * since - rng.uniform(1, 7, len(own)),
        )
        exact = there & (since == 0) & (rank == counts[at] - 1)
        recurrent[exact], operating[exact] = LEAST_INCOME["recurrent"], LEAST_INCOME["operating"]
        for unit, first, second, turn in zip(own, recurrent, operating, rank, strict=True):
            code, name = plan.units.codes[unit], plan.units.names[unit]
            blank = year == 2022 and turn == len(own) - 1
            rows.append(
                (year, code, name, round(float(first), 1), "" if blank else round(float(second), 1), SOURCE)
            )
    columns = ["年份", "村代码", "村名", "经常性收入（万元）", "经营性收入（万元）", "来源"]
    write_csv(pd.DataFrame(rows, columns=columns, dtype=object), folder / "village-income.csv")


def write_outlets(county: County, register: Register, folder: Path, seed: int) -> None:
    """Write outlets.csv: service windows, scenic spots and shops, units of their own.

    As many service windows have a civic-practice point within :data:`POINT_NEAR_M` at the end of a year as
    the registered share says; points with another near them are left alone, so that none has two.
    """
    rng = np.random.default_rng([seed, 83])
    points = [row for row in register.rows if row["service"] == "civic_point" and not row["closed"]]
    places = np.array([(row["x"], row["y"]) for row in points]).reshape(-1, 2)
    year = np.array([int(row["opened"][:4]) for row in points])
    apart = cKDTree(places).query(places, k=2)[0][:, 1] > POINT_APART_M + 2 * POINT_NEAR_M
    many = round(100 * len(county.plan.towns) / 9)
    chosen: list[int] = []
    for end, share in zip(YEARS, COUNTY_FIGURES["civic_points"], strict=True):
        left = np.flatnonzero(apart & (year <= end) & ((year == end) | (end == YEARS[0])))
        chosen += rng.permutation(left)[: max(0, round(share * many) - len(chosen))].tolist()
    spots = [_beside(rng, places[at]) for at in chosen]
    kinds = ["窗口行业"] * len(spots)
    free = np.setdiff1d(np.flatnonzero(apart), chosen)[: 14 * len(county.plan.towns) // 9]
    spots += [_beside(rng, places[at]) for at in free]
    kinds += ["商店" if number % 3 else "景区" for number in range(len(free))]
    empty = county.sites[cKDTree(places).query(county.sites)[0] > 400]
    for site in empty[rng.permutation(len(empty))[: 12 * len(county.plan.towns) // 9]]:
        spots.append(_beside(rng, site))
        kinds.append("商店")
    write_csv(_outlet_table(county, np.array(spots), kinds), folder / "outlets.csv")


def _beside(rng: np.random.Generator, place: Floats) -> Floats:
    """Choose a place a few metres from another."""
    angle = rng.uniform(0, 2 * np.pi)
    return place + rng.uniform(4, POINT_NEAR_M) * np.array([np.cos(angle), np.sin(angle)])


def _outlet_table(county: County, spots: Floats, kinds: list[str]) -> pd.DataFrame:
    """Name every outlet after its village and trade, and give its units."""
    units = county.plan.units
    unit = county.site_unit[cKDTree(county.sites).query(spots)[1]]
    lonlat = degrees(spots)
    seen: dict[str, int] = {}
    names = []
    for number, (own, kind) in enumerate(zip(unit, kinds, strict=True)):
        trade = TRADES[number % len(TRADES)] if kind == "窗口行业" else kind
        stem = f"示例·{short_name(units.names[own])}{trade}"
        seen[stem] = seen.get(stem, 0) + 1
        names.append(stem if seen[stem] == 1 else f"{stem} {seen[stem]:02d}")
    return pd.DataFrame(
        {
            "编号": [f"K{number:04d}" for number in range(1, len(kinds) + 1)],
            "名称": names,
            "类别": kinds,
            "镇（街道）": np.array(county.plan.town_codes)[units.town[unit]],
            "村（社区）": np.array(units.codes)[unit],
            "经度": lonlat[:, 0],
            "纬度": lonlat[:, 1],
        }
    )
