"""A made-up county for the tests of the map page: findings put together by hand, no roads searched."""

from __future__ import annotations

import dataclasses
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.findings import (
    Accounting,
    CapacityResult,
    CircleDistrict,
    CircleResult,
    Count,
    DistrictResult,
    Findings,
    GroupResult,
    IndicatorResult,
    PresenceResult,
    UnitCount,
    UnitWithout,
    rank_table,
)
from lifecircle.page_data import read_payload
from lifecircle.roads import Roads, profile
from lifecircle.standards import CapacityTarget, CircleTarget, IndicatorTarget, PresenceTarget, Straight

STATUSES = ("covered", "beyond", "disconnected", "unsnapped")
TOWNS = ("武原街道", "西塘桥街道", "元通街道", "秦山街道", "沈荡镇", "百步镇", "于城镇", "澉浦镇", "通元镇")
TOWNS_EN = (
    "Wuyuan",
    "Xitangqiao",
    "Yuantong",
    "Qinshan",
    "Shendang",
    "Baibu",
    "Yucheng",
    "Ganpu",
    "Tongyuan",
)
WEST, SOUTH, EAST, NORTH = 120.70, 30.40, 121.02, 30.66
SERVICES = {"culture": ("library", "culture_hall"), "clinic": ("clinic", "hospital")}
SERVICE_NAMES = {
    "library": {"zh": "图书馆", "en": "library"},
    "culture_hall": {"zh": "文化礼堂", "en": "culture hall"},
    "clinic": {"zh": "卫生室", "en": "clinic"},
    "hospital": {"zh": "医院", "en": "hospital"},
}
LADDER = {
    "accepted": Accounting(12, 17_000.0, 0.9861),
    "straight": Accounting(11, 16_000.0, 0.9166),
    "network_distance": Accounting(9, 12_345.0, 0.7239),
    "reach": Accounting(8, 11_111.0, 0.6516),
    "open": None,
    "any_one": Accounting(10, 15_000.0, 0.8797),
}


def town(
    *,
    residents: int = 900,
    venues: int = 40,
    language: str = "zh",
    year: int = 2025,
    synthetic: bool = True,
    seed: int = 7,
) -> Findings:
    """Make the findings of a county of nine towns with two circles and an indicator."""
    rng = np.random.default_rng(seed)
    names = TOWNS if language == "zh" else TOWNS_EN
    districts = _districts(names, rng)
    demand = _residents(residents, districts, rng)
    facilities = _venues(venues, rng, language)
    targets, answers, gaps = [], {}, []
    for number, (target_id, minutes) in enumerate((("culture", 15.0), ("clinic", 10.0))):
        target = CircleTarget(
            id=target_id,
            name={"zh": ("品质文化生活圈", "优质医疗")[number], "en": ("Culture circle", "Clinics")[number]},
            require=dict.fromkeys(SERVICES[target_id], 1),
            minutes=minutes,
            goal=1.0,
            due=2025,
            straight=Straight(urban_m=1000.0, rural_m=1500.0) if target_id == "culture" else None,
        )
        answer = _answer(demand, facilities, SERVICES[target_id], minutes)
        answers[target_id] = answer
        targets.append(_result(target, demand, districts, answer))
        gaps += _gaps(target, demand, districts, facilities, answer)
    targets += [_indicator(districts), _pending()]
    columns = [
        "id", "target", "district", "village", "lon", "lat", "people", "minutes", "nearest", "reason",
    ]  # fmt: skip
    frames = {
        part: pd.DataFrame({name: answer[part] for name, answer in answers.items()}, index=demand.index)
        for part in ("seconds", "status", "nearest")
    }
    return Findings(
        study="haiyan",
        name="海盐县（示例）" if language == "zh" else "Haiyan County (example)",
        year=year,
        language=language,
        synthetic=synthetic,
        crs="EPSG:4549",
        roads_key="0" * 64,
        software="0.1.0",
        targets=tuple(targets),
        demand=demand,
        facilities=facilities,
        districts=districts,
        villages=_villages(gaps, districts),
        grid=gpd.GeoDataFrame({"population": []}, geometry=[], crs="EPSG:4326"),
        gaps=pd.DataFrame(gaps, columns=columns),
        rejects=pd.DataFrame(),
        people=pd.DataFrame(dict.fromkeys(answers, demand["population"]), index=demand.index),
        ranks=rank_table(
            {
                (name, service, 1): answer["seconds"]
                for name, answer in answers.items()
                for service in SERVICES[name]
                if len(SERVICES[name]) > 1
            },
            demand.index,
        ),
        services=SERVICE_NAMES,
        **frames,
    )


def with_kinds(findings: Findings) -> Findings:
    """Add a presence of villages, a capacity by district, and an indicator with one figure for the county.

    The third and the eighth of the twelve villages lack a clinic, with 420 and 3 people.
    """
    villages, districts = findings.villages, findings.districts
    lacking = [2, 7]
    presence = PresenceTarget(
        id="clinics",
        name={"zh": "村卫生室", "en": "Village clinics"},
        require={"clinic": 1},
        unit="village",
        goal=1.0,
    )
    holds = ~np.isin(np.arange(len(villages)), lacking)
    share = pd.Series(holds).groupby(villages["district"].to_numpy()).mean()
    rows = [_gap(presence.id, n, villages.iloc[at], at) for n, at in enumerate(lacking, 1)]
    capacity = CapacityTarget(
        id="beds", name={"zh": "千人床位", "en": "Beds"}, require={"hospital": 1}, goal=4.5, due=2025
    )
    figures = [3.9 + 0.2 * number for number in range(9)]
    county = IndicatorTarget(id="bus_share", name={"zh": "公交分担率", "en": "Bus share"}, unit="share")
    targets = (
        PresenceResult(
            presence,
            10 / 12,
            "missed",
            "",
            districts=tuple(
                DistrictResult(code, name, None, float(share[code]) if code in share else None, "missed")
                for code, name in districts["name"].items()
            ),
            venues=("clinic",),
            units=UnitCount(
                "village",
                12,
                10,
                tuple(
                    UnitWithout(str(villages.index[at]), villages["name"].iloc[at], ("clinic",))
                    for at in lacking
                ),
            ),
        ),
        CapacityResult(
            capacity,
            4.7,
            "met",
            "",
            districts=tuple(
                DistrictResult(code, name, None, value, "met" if value >= 4.5 else "missed")
                for (code, name), value in zip(districts["name"].items(), figures, strict=True)
            ),
            venues=("hospital",),
        ),
        IndicatorResult(county, 0.31, "reported", ""),
    )
    gaps = pd.concat([findings.gaps, pd.DataFrame(rows)], ignore_index=True)
    return dataclasses.replace(findings, targets=(*findings.targets, *targets), gaps=gaps)


def _gap(target: str, number: int, village: pd.Series[Any], at: int) -> dict[str, Any]:
    """Return the gap of a village without, as the audit lists it."""
    return {
        "id": f"{target}-{number:04d}",
        "target": target,
        "district": village["district"],
        "village": village.name,
        "lon": village.geometry.x,
        "lat": village.geometry.y,
        "people": 420.0 if at == 2 else 3.0,
        "minutes": np.nan,
        "nearest": "",
        "reason": "venue_missing",
    }


def data_of(page: str) -> dict[str, Any]:
    """Read what a page's script is handed over: the printed tables, the edition, the margin."""
    data: dict[str, Any] = read_payload(page).page
    return data


def with_names(findings: Findings, names: list[str]) -> Findings:
    """Give the first districts, venues and gaps these names, as they are."""
    districts, facilities, gaps = findings.districts.copy(), findings.facilities.copy(), findings.gaps.copy()
    demand, villages = findings.demand.copy(), findings.villages.copy()
    count = len(names)
    villages["name"] = [names[i % count] for i in range(len(villages))]
    districts["name"] = [*names, *districts["name"][count:]][: len(districts)]
    facilities["name"] = [names[i % count] for i in range(len(facilities))]
    gaps["village"] = [names[i % count] for i in range(len(gaps))]
    gaps["nearest"] = [names[-1 - i % count] for i in range(len(gaps))]
    demand["village"] = [names[i % count] for i in range(len(demand))]
    results = tuple(
        dataclasses.replace(
            result,
            districts=tuple(
                dataclasses.replace(one, name=str(districts["name"][one.code])) for one in result.districts
            ),
        )
        for result in findings.targets
    )
    return dataclasses.replace(
        findings,
        name=names[0],
        districts=districts,
        facilities=facilities,
        gaps=gaps,
        demand=demand,
        villages=villages,
        targets=results,
    )


def crossroads() -> Roads:
    """Make two straight roads that cross the county without meeting."""
    crs = pyproj.CRS("EPSG:4549")
    middle = ((WEST + EAST) / 2, (SOUTH + NORTH) / 2)
    ends = [[(WEST, middle[1]), (EAST, middle[1])], [(middle[0], SOUTH), (middle[0], NORTH)]]
    lines = gpd.GeoSeries([shapely.LineString(pair) for pair in ends], crs="EPSG:4326").to_crs(crs).to_numpy()
    length = shapely.length(lines)
    return Roads(
        crs=crs,
        profile=profile("walk"),
        xy=shapely.get_coordinates(lines),
        u=np.array([0, 2], dtype=np.int32),
        v=np.array([1, 3], dtype=np.int32),
        length_m=length,
        forward_s=length * 0.72,
        backward_s=length * 0.72,
        lines=lines,
        highway=np.array(["residential", "residential"], dtype=object),
    )


def _districts(names: tuple[str, ...], rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Cut the county in three by three towns whose shared corners are moved about."""
    x, y = np.meshgrid(np.linspace(WEST, EAST, 4), np.linspace(SOUTH, NORTH, 4))
    inner = np.zeros((4, 4), dtype=bool)
    inner[1:3, 1:3] = True
    x = x + np.where(inner, rng.uniform(-0.02, 0.02, (4, 4)), 0)
    y = y + np.where(inner, rng.uniform(-0.02, 0.02, (4, 4)), 0)
    shapes = [
        shapely.Polygon(
            [
                (x[i, j], y[i, j]),
                (x[i, j + 1], y[i, j + 1]),
                (x[i + 1, j + 1], y[i + 1, j + 1]),
                (x[i + 1, j], y[i + 1, j]),
            ]
        )
        for i in range(3)
        for j in range(3)
    ]
    codes = [f"3304241{number:02d}" for number in range(9)]
    frame = gpd.GeoDataFrame(
        {"name": list(names), "urban": [i < 4 for i in range(9)]},
        geometry=shapes,
        crs="EPSG:4326",
        index=codes,
    )
    return frame.rename_axis(index="code")


def _residents(count: int, districts: gpd.GeoDataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Put residents on a grid of equal cells, denser people near three centres; the last has no place."""
    columns = int(np.ceil(np.sqrt(count * 1.06)))
    rows = int(np.ceil(count / columns))
    lon, lat = np.meshgrid(
        WEST + (np.arange(columns) + 0.5) * (EAST - WEST) / columns,
        SOUTH + (np.arange(rows) + 0.5) * (NORTH - SOUTH) / rows,
    )
    lon, lat = lon.ravel()[:count], lat.ravel()[:count]
    points = shapely.points(lon, lat)
    tree = shapely.STRtree(districts.geometry.to_numpy())
    inside = tree.query(points, predicate="intersects")
    code = pd.Series("(outside)", index=range(count), dtype=object)
    code.iloc[inside[0][::-1]] = districts.index.to_numpy()[inside[1][::-1]]
    geometry = points.copy()
    geometry[-1] = None
    return gpd.GeoDataFrame(
        {"population": rng.integers(0, 40, count).astype(float), "district": code.astype(str)},
        geometry=geometry,
        crs="EPSG:4326",
    ).rename_axis(index="id")


def _venues(count: int, rng: np.random.Generator, language: str) -> gpd.GeoDataFrame:
    services = [service for pair in SERVICES.values() for service in pair]
    service = [services[i % len(services)] for i in range(count)]
    names = [
        f"{TOWNS[i % 9][:2]}第{i + 1}站" if language == "zh" else f"{TOWNS_EN[i % 9]} {service[i]} {i + 1}"
        for i in range(count)
    ]
    lon = np.clip(rng.normal((WEST + EAST) / 2, 0.09, count), WEST, EAST)
    lat = np.clip(rng.normal((SOUTH + NORTH) / 2, 0.075, count), SOUTH, NORTH)
    return gpd.GeoDataFrame(
        {"name": names, "service": service, "opened": pd.NaT, "closed": pd.NaT},
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4326",
        index=[f"f{i}" for i in range(count)],
    ).rename_axis(index="id")


def _answer(
    demand: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame, services: tuple[str, ...], minutes: float
) -> dict[str, Any]:
    """Say that everyone walks straight at 5 km/h; one corner has no way out, some no road near."""
    own = facilities[facilities["service"].isin(services)]
    placed = demand.geometry.notna().to_numpy()
    lon = np.where(placed, demand.geometry.x.fillna(0), 0)
    lat = np.where(placed, demand.geometry.y.fillna(0), 0)
    dx = (lon[:, None] - own.geometry.x.to_numpy()[None, :]) * 95_700
    dy = (lat[:, None] - own.geometry.y.to_numpy()[None, :]) * 111_320
    metres = np.hypot(dx, dy)
    seconds = metres.min(axis=1) / 5 * 3.6
    nearest = own.index.to_numpy()[metres.argmin(axis=1)].astype(object)
    cut_off = (lon > EAST - 0.03) & (lat < SOUTH + 0.03)
    lost = ~placed | (np.arange(len(demand)) % 97 == 13)
    status = np.select(
        [lost, cut_off, seconds <= minutes * 60], ["unsnapped", "disconnected", "covered"], "beyond"
    )
    gone = lost | cut_off
    return {
        "seconds": np.where(gone, np.nan, seconds),
        "status": status,
        "nearest": np.where(gone, None, nearest),
    }


def _count(people: np.ndarray, status: np.ndarray) -> Count:
    return Count(float(people.sum()), *(float(people[status == name].sum()) for name in STATUSES))


def _result(
    target: CircleTarget, demand: gpd.GeoDataFrame, districts: gpd.GeoDataFrame, answer: dict[str, Any]
) -> CircleResult:
    people, status = demand["population"].to_numpy(), answer["status"]
    total = _count(people, status)
    rows = []
    for code in [*districts.index, "(outside)"]:
        mine = (demand["district"] == code).to_numpy()
        count = _count(people[mine], status[mine])
        if code in districts.index or count.people:
            name = districts["name"].get(code, "(outside)")
            urban = bool(districts["urban"][code]) if code in districts.index else None
            rows.append(
                CircleDistrict(code, name, urban, count.value, "missed" if count.value else "nobody", count)
            )
    return CircleResult(
        target,
        total.value,
        "missed",
        "",
        milestone=1.0,
        previous=None if total.value is None else total.value - 0.0321,
        count=total,
        band={"slow": 0.4, "usual": total.value, "fast": 0.9},
        accountings=LADDER if target.id == "culture" else {"reach": LADDER["reach"]},
        flip_kmh=8.126 if target.id == "culture" else None,
        flip_minutes=24.375 if target.id == "culture" else None,
        borderline_people=321.0,
        curve=tuple((2.5 + 0.25 * i, 0.3 + 0.03 * i) for i in range(21)),
        variants={"step_free": 0.25, "aged_over60": 0.5, "by_group_speed": 0.6},
        only_outside_people=7.0,
        leg_over_100_m=65.0,
        leg_over_200_m=4.0,
        shortfall_people=total.uncovered,
        districts=tuple(rows),
        groups=_groups(total),
        venues=SERVICES[target.id],
    )


def _groups(total: Count) -> tuple[GroupResult, ...]:
    aged = Count(1000.0, 700.0, 250.0, 30.0, 20.0)
    return (GroupResult("all", total, total.value), GroupResult("over60", aged, aged.value))


def _pending() -> CapacityResult:
    target = CapacityTarget(
        id="places",
        name={"zh": "每千人托位数", "en": "Nursery places"},
        require={"nursery_care": 1},
        goal=4.5,
        due=2025,
        department="卫生健康局",
    )
    return CapacityResult(target, None, "not_assessable", "capacity_column_missing:beds")


def _villages(gaps: list[dict[str, Any]], districts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Put a village at each of the first placed gaps; three differ over the first circle, one is unknown."""
    places = {name: code for code, name in districts["name"].items()}
    own = [
        gap
        for gap in gaps
        if gap["target"] == "culture" and np.isfinite(gap["lon"]) and gap["district"] in places
    ][:12]
    count = len(own)
    return gpd.GeoDataFrame(
        {
            "name": [gap["village"] for gap in own],
            "district": [places[gap["district"]] for gap in own],
            "accepted_culture": pd.array([True] * count, dtype="boolean"),
            "straight_culture": pd.array([number != 2 for number in range(count)], dtype="boolean"),
            "reached_culture": pd.array(
                [None if number == 5 else number not in {0, 1} for number in range(count)], dtype="boolean"
            ),
        },
        geometry=gpd.points_from_xy([gap["lon"] for gap in own], [gap["lat"] for gap in own]),
        crs="EPSG:4326",
        index=[f"V{number:02d}" for number in range(count)],
    ).rename_axis(index="code")


def _indicator(districts: gpd.GeoDataFrame) -> IndicatorResult:
    target = IndicatorTarget(
        id="literacy", name={"zh": "居民健康素养水平", "en": "Health literacy"}, unit="%", goal=40.0
    )
    rows = tuple(
        DistrictResult(code, name, None, 38.0 + i / 3, "reported")
        for i, (code, name) in enumerate(districts["name"].items())
    )
    return IndicatorResult(target, 41.257, "met", "", districts=rows)


def _gaps(
    target: CircleTarget,
    demand: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    answer: dict[str, Any],
) -> list[dict[str, Any]]:
    """Call every hundredth part of the uncovered a gap, at its first resident."""
    left = np.flatnonzero(answer["status"] != "covered")
    rows = []
    for number, mine in enumerate(np.array_split(left, min(60, max(1, len(left) // 5))), 1):
        head = mine[0]
        place = demand.geometry.iloc[head]
        seconds = answer["seconds"][head]
        venue = answer["nearest"][head]
        rows.append(
            {
                "id": f"{target.id}-{number:03d}",
                "target": target.id,
                "district": districts["name"].get(demand["district"].iloc[head], "(outside)"),
                "village": f"第{number}村",
                "lon": np.nan if place is None else place.x,
                "lat": np.nan if place is None else place.y,
                "people": float(demand["population"].iloc[mine].sum()),
                "minutes": seconds / 60,
                "nearest": "" if venue is None else facilities["name"][venue],
                "reason": answer["status"][head],
            }
        )
    return rows
