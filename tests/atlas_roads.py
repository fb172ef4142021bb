"""Made-up roads with findings searched on them, for the tests of what the map page holds and answers."""

from __future__ import annotations

import dataclasses
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

import atlas_town
from lifecircle.findings import CircleDistrict, CircleResult, Count, Findings, rank_table
from lifecircle.reach import nearest_seconds, snap, statuses, usable
from lifecircle.roads import Roads, profile
from lifecircle.roads._network import hilbert_order
from lifecircle.standards import CircleTarget

CRS = pyproj.CRS("EPSG:4549")
CORNER = (486_000.0, 3_370_000.0)
CLASSES = {"read": ("library", "reading_room"), "meet": ("hall",), "heal": ("clinic",)}
TARGETS = {
    "culture": ({"read": 1, "meet": 2}, 12.0),
    "clinic": ({"heal": 1}, 7.5),
}


def roads(rng: np.random.Generator, *, side: int = 9, speed_kmh: float = 5.0, barrier: bool = True) -> Roads:
    """Make a jittered grid with gaps, bent lines, one-way streets and an island that no road leads to."""
    place = np.array([(220.0 * (i % side), 220.0 * (i // side)) for i in range(side * side)])
    place += rng.uniform(-60, 60, place.shape)
    right = [(i, i + 1) for i in range(side * side) if i % side < side - 1]
    up = [(i, i + side) for i in range(side * (side - 1))]
    pairs = [pair for pair in right + up if rng.random() < 0.85]
    island = len(place) + np.arange(3)
    place = np.concatenate([place, [[2600.0, 300.0], [2800.0, 420.0], [2700.0, 600.0]]]) + CORNER
    pairs += [(island[0], island[1]), (island[1], island[2])]
    used, ends = np.unique(np.array(pairs), return_inverse=True)
    order = hilbert_order(place[used])
    number = np.empty(len(used), dtype=np.int64)
    number[order] = np.arange(len(used))
    xy = place[used][order]
    ends = np.sort(number[ends.reshape(-1, 2)], axis=1)
    ends = ends[np.lexsort((ends[:, 1], ends[:, 0]))]
    lines = []
    for u, v in ends:
        middle = (xy[u] + xy[v]) / 2 + rng.uniform(-25, 25, 2)
        bends = [middle] if rng.random() < 0.6 else []
        lines.append(shapely.LineString([xy[u], *bends, xy[v]]))
    length = shapely.length(lines)
    seconds = length / (speed_kmh / 3.6)
    way = rng.choice(3, len(lines), p=[0.7, 0.15, 0.15])
    walls = [shapely.LineString([(700.0, -300.0), (760.0, 2300.0)])] if barrier else []
    walls += [shapely.box(1180, 1180, 1260, 1420)] if barrier else []
    return Roads(
        crs=CRS,
        profile=profile("walk").at_speed(speed_kmh),
        xy=xy,
        u=ends[:, 0].astype(np.int32),
        v=ends[:, 1].astype(np.int32),
        length_m=length,
        forward_s=np.where(way == 1, np.inf, seconds),
        backward_s=np.where(way == 2, np.inf, seconds),
        lines=np.array(lines, dtype=object),
        highway=np.full(len(lines), "residential", dtype=object),
        barriers=np.array([shapely.affinity.translate(wall, *CORNER) for wall in walls], dtype=object),
    )


def study(
    seed: int, *, homes: int = 160, venues: int = 26, case: str = "", year: int = 2025
) -> tuple[Findings, Roads]:
    """Make findings searched on made-up roads.

    ``case`` : ``empty`` leaves a class of the rule without a venue, ``all`` covers all who have a way at all,
    ``one`` has one district.
    """
    rng = np.random.default_rng(seed)
    network = roads(rng)
    demand = _homes(rng, homes, districts=1 if case == "one" else 3)
    facilities = _venues(rng, 220 if case == "all" else venues, empty=case == "empty")
    targets = {name: _target(name, 600.0 if case == "all" else None) for name in TARGETS}
    answers = {name: _answer(network, demand, facilities, one) for name, one in targets.items()}
    base = atlas_town.town(residents=4, venues=4, year=year)
    people = pd.DataFrame(
        {"culture": demand["population"], "clinic": demand["population"].where(demand["urban"], 0.0)}
    )
    results = [_result(one, answers[name], demand, people[name].to_numpy()) for name, one in targets.items()]
    frames = {
        part: pd.DataFrame({name: one[part] for name, one in answers.items()}, index=demand.index)
        for part in ("seconds", "status", "nearest")
    }
    found = dataclasses.replace(
        base,
        roads_key=network.key,
        targets=tuple(results),
        demand=demand.drop(columns="urban"),
        facilities=facilities,
        districts=base.districts.iloc[:0],
        villages=base.villages.iloc[:0],
        gaps=base.gaps.iloc[:0],
        people=people,
        ranks=rank_table(
            {
                (name, part, rank + 1): times[:, rank]
                for name, one in answers.items()
                for part, times in one["ranks"].items()
                for rank in range(times.shape[1])
                if sum(targets[name].require.values()) > 1
            },
            demand.index,
        ),
        **frames,
    )
    return found, network


def degrees(xy: np.ndarray) -> np.ndarray:
    """Put metres from the corner into degrees."""
    to = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    return np.column_stack(to.transform(*(xy + CORNER).T))


def _points(xy: np.ndarray) -> Any:
    return gpd.points_from_xy(*degrees(xy).T, crs="EPSG:4326")


def _homes(rng: np.random.Generator, count: int, *, districts: int) -> gpd.GeoDataFrame:
    xy = rng.uniform((-200, -200), (2900, 2000), (count, 2))
    points = np.array(_points(xy), dtype=object)
    points[-1] = None
    return gpd.GeoDataFrame(
        {
            "population": rng.integers(0, 90, count) / 4,
            "district": [f"D{int(x // 950) % districts}" for x in xy[:, 0] + 300],
            "urban": rng.random(count) < 0.8,
        },
        geometry=points,
        crs="EPSG:4326",
    ).rename_axis(index="id")


def _venues(rng: np.random.Generator, count: int, *, empty: bool) -> gpd.GeoDataFrame:
    services = sorted({one for group in CLASSES.values() for one in group} - ({"hall"} if empty else set()))
    xy = rng.uniform((-100, -100), (2850, 1900), (count, 2))
    xy[1] = xy[0]  # two venues at one place
    return gpd.GeoDataFrame(
        {
            "name": [f"venue {number}" for number in range(count)],
            "service": [services[number % len(services)] for number in range(count)],
            "opened": pd.to_datetime([f"{2010 + number % 15}-03-01" for number in range(count)]),
            "closed": pd.NaT,
        },
        geometry=_points(xy),
        crs="EPSG:4326",
        index=[f"f{number}" for number in range(count)],
    ).rename_axis(index="id")


def _target(name: str, minutes: float | None) -> CircleTarget:
    require, own = TARGETS[name]
    return CircleTarget(
        id=name, name={"zh": name, "en": name}, require=require, minutes=minutes or own, goal=1.0, due=2025
    )


def _answer(
    network: Roads, demand: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame, target: CircleTarget
) -> dict[str, Any]:
    """Answer a rule by the engine, as an audit does."""
    minutes = target.minutes
    homes, places = snap(network, demand), snap(network, facilities)
    on_roads = usable(network, homes, limit_min=minutes)
    ranks, firsts, venues = {}, [], []
    for name, count in target.require.items():
        member = np.flatnonzero(facilities["service"].isin(CLASSES[name]))
        seconds, venue = nearest_seconds(network, homes, places.take(member), k=count, limit_min=minutes)
        ranks[name] = np.where(on_roads[:, None] & np.isfinite(seconds), seconds, np.nan)
        firsts.append(seconds[:, 0])
        venues.append(np.where(venue[:, 0] >= 0, member[venue[:, 0]] if len(member) else -1, len(facilities)))
    soonest = np.min(firsts, axis=0)
    lowest = np.where(np.array(firsts) == soonest, venues, len(facilities)).min(axis=0)
    labels = np.append(facilities.index.to_numpy(dtype=object), None)
    rule = np.max([times[:, -1] for times in ranks.values()], axis=0)
    return {
        "ranks": ranks,
        "seconds": rule,
        "status": statuses(rule, on_roads, limit_min=minutes),
        "nearest": labels[np.where(np.isfinite(soonest), lowest, len(facilities))],
    }


def _result(
    target: CircleTarget, answer: dict[str, Any], demand: gpd.GeoDataFrame, people: np.ndarray
) -> CircleResult:
    def count(mine: np.ndarray) -> Count:
        parts = [float(people[mine & (answer["status"] == one)].sum()) for one in atlas_town.STATUSES]
        return Count(float(people[mine].sum()), *parts)

    total = count(np.ones(len(people), dtype=bool))
    rows = [
        CircleDistrict(code, code, None, None, "missed", count((demand["district"] == code).to_numpy()))
        for code in sorted(set(demand["district"]))
    ]
    return CircleResult(
        target,
        total.value,
        "missed",
        "",
        count=total,
        districts=tuple(rows),
        venues=tuple(sorted({one for part in target.require for one in CLASSES[part]})),
        classes={part: CLASSES[part] for part in target.require},
    )
