"""The page's what-if, against a search in plain Python over the payload's weights and against the engine."""

from __future__ import annotations

import dataclasses
import heapq
import json
import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

import atlas_roads
from atlas_asking import ask
from lifecircle.audit import read_networks, run_audit
from lifecircle.page_data import WhatIf, page_payload, read_payload
from lifecircle.page_data._page_roads import line_vertices, projected
from lifecircle.reach import REASONS, nearest_seconds, snap
from lifecircle.scenario import run_scenario
from lifecircle.standards import load_standard, whole_rule
from lifecircle.study import read_study
from lifecircle.wording import Words

if TYPE_CHECKING:
    from lifecircle.page_data import Payload

CASES = [(seed, "") for seed in range(5)] + [(5, "empty"), (6, "all"), (7, "one")]
YEAR = 2025


class Oracle:
    """A what-if in plain Python: shapely for the legs, a heap for the ways, one resident after the other."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.header = payload.page["roads"]
        network = payload.network
        x, y, sizes = line_vertices(network)
        at = np.cumsum(sizes)[:-1]
        self.lines = [shapely.LineString(part) for part in np.split(np.column_stack([x, y]), at)]
        self.network = network
        self.walls = self._barriers()
        self.into: dict[int, list[tuple[int, int]]] = {}
        ends = zip(network.u, network.v, network.forward, network.backward, strict=True)
        for u, v, forward, backward in ends:
            if forward >= 0:
                self.into.setdefault(int(v), []).append((int(u), int(forward)))
            if backward >= 0:
                self.into.setdefault(int(u), []).append((int(v), int(backward)))

    def _barriers(self) -> list[Any]:
        network, walls, at = self.network, [], 0
        for size, area in zip(network.barrier_sizes, network.barrier_areas, strict=True):
            part = np.column_stack([network.bx, network.by])[at : at + size]
            walls.append(shapely.Polygon(part) if area else shapely.LineString(part))
            at += size
        return walls

    def snap(self, lon: float, lat: float) -> tuple[int, int, int] | None:
        """Join a place to the roads: edge, along, leg in hundredths of a second."""
        unit = self.header["unitMetres"]
        place = shapely.Point(projected(self.header["toMetres"], [[lon, lat]])[0] / unit)
        apart = np.array([line.distance(place) for line in self.lines])
        slack = (self.header["toleranceMetres"] + unit) / unit
        for edge in np.lexsort((np.arange(len(apart)), apart))[: self.header["triedEdges"]]:
            if apart[edge] * unit > self.header["capMetres"]:
                return None
            line = self.lines[edge]
            foot = line.interpolate(line.project(place))
            leg = shapely.LineString([place, foot])
            if leg.length > 2 * slack:
                inner = shapely.ops.substring(leg, slack, leg.length - slack)
                if any(inner.intersects(wall) for wall in self.walls):
                    continue
            ahead, back = int(self.network.forward[edge]), int(self.network.backward[edge])
            whole = ahead if ahead >= 0 else back
            share = line.project(place) / line.length
            along = int(np.floor(share * whole + 0.5))
            if min(ahead, back) < 0 and 0 < share < 1 and whole >= 2:
                along = min(max(along, 1), whole - 1)
            return int(edge), along, int(np.floor(apart[edge] * unit * self.header["rate"] + 0.5))
        return None

    def times(self, pin: tuple[int, int, int]) -> list[float]:
        """Time everyone's way to a pin in hundredths of a second, inf where there is none."""
        network, (edge, along, leg) = self.network, pin
        u, v = int(network.u[edge]), int(network.v[edge])
        ahead, back = int(network.forward[edge]), int(network.backward[edge])
        best: dict[int, float] = {}
        heap = []
        if ahead >= 0 or along == 0:
            heap.append((leg + along, u))
        if back >= 0:
            heap.append((leg + back - along, v))
        elif along == ahead:
            heap.append((leg, v))
        heapq.heapify(heap)
        while heap:
            time, node = heapq.heappop(heap)
            if node in best:
                continue
            best[node] = time
            for other, more in self.into.get(node, []):
                heapq.heappush(heap, (time + more, other))
        homes = self.payload.ground(YEAR).homes
        return [self._home(best, home, pin) for home in zip(homes.edge, homes.along, homes.leg, strict=True)]

    def _home(self, best: dict[int, float], home: tuple[int, int, int], pin: tuple[int, int, int]) -> float:
        network, (edge, along, leg) = self.network, home
        if edge < 0:
            return np.inf
        ahead, back = int(network.forward[edge]), int(network.backward[edge])
        ways = []
        if back >= 0 or along == 0:
            ways.append(best.get(int(network.u[edge]), np.inf) + along)
        if ahead >= 0:
            ways.append(best.get(int(network.v[edge]), np.inf) + ahead - along)
        elif along == back:
            ways.append(best.get(int(network.v[edge]), np.inf))
        if edge == pin[0]:
            gap = pin[1] - along
            gap = 0 if abs(gap) <= math.ceil(self.header["rate"] * self.header["unitMetres"]) else gap
            if gap == 0 or (gap > 0 and ahead >= 0) or (gap < 0 and back >= 0):
                ways.append(abs(gap) + pin[2])
        return leg + min(ways, default=np.inf)

    def rule(self, target: str, pins: list[dict[str, Any]]) -> np.ndarray:
        """Time everyone's rule with the pins in place, in seconds, NaN where it cannot hold."""
        told = self.payload.target(YEAR, target)
        answers = self.payload.answers(YEAR, target)
        services = [self.payload.year(YEAR)["serviceIds"][one] for one in told["services"]] or [None]
        per_class: dict[str, list[list[float]]] = {one["name"]: [] for one in told["answers"]["classes"]}
        for pin in pins:
            place = self.snap(pin["lon"], pin["lat"])
            if place is None or place[2] > 0.25 * 60 * told["minutes"] * 100:
                continue
            held = set((pin.get("service") or services[0] or "").split(";"))
            for one in told["answers"]["classes"]:
                for _ in held & set(one["services"]):
                    per_class[one["name"]].append(self.times(place))
        rule = np.zeros(len(answers.steps))
        for name, more in per_class.items():
            steps = answers.classes[name]
            for cell in range(len(rule)):
                own = [step / 20 for step in steps[cell] if step >= 0]
                if answers.bucket[cell] != 4:
                    own += [times[cell] / 100 for times in more]
                own = sorted([*own, np.inf])
                need = steps.shape[1]
                rule[cell] = max(rule[cell], own[need - 1] if len(own) >= need else np.inf)
        return np.where(np.isfinite(rule) & (answers.bucket != 4), rule, np.nan)

    def newly(self, target: str, pins: list[dict[str, Any]]) -> np.ndarray:
        """List the residents newly covered."""
        answers = self.payload.answers(YEAR, target)
        limit = 60 * self.payload.target(YEAR, target)["minutes"] + 1e-6
        return np.flatnonzero((self.rule(target, pins) <= limit) & np.isin(answers.status, [2, 3]))


def pins_of(seed: int, count: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(1000 + seed)
    places = atlas_roads.degrees(rng.uniform((-250, -250), (2900, 2000), (count, 2)))
    services = [None, "library", "library;hall", "clinic;clinic", "reading_room", "nothing"]
    return [
        {"lon": lon, "lat": lat} | ({"service": service} if (service := services[number % 6]) else {})
        for number, (lon, lat) in enumerate(places.tolist())
    ]


@pytest.mark.parametrize(("seed", "case"), CASES)
def test_page_answers_as_the_oracle_does(tmp_path, seed, case):
    findings, network = atlas_roads.study(seed, case=case)
    raw = page_payload([findings], Words("en"), network)
    payload = read_payload(raw)
    oracle = Oracle(payload)
    single = [[pin] for pin in pins_of(seed, 10)]
    sets = [*single, pins_of(seed + 50, 3), pins_of(seed + 60, 6), []]
    asked = [
        {"year": YEAR, "target": target, "pins": pins} for target in atlas_roads.TARGETS for pins in sets
    ]
    told = ask(tmp_path, raw, [{"kind": kind, **one} for one in asked for kind in ("whatIf", "times")])
    gained = 0
    for number, one in enumerate(asked):
        what_if, times = told[2 * number], told[2 * number + 1]
        expected = oracle.rule(one["target"], one["pins"])
        assert np.allclose(np.array(times, dtype=float), expected, rtol=0, atol=1e-9, equal_nan=True)
        cells = oracle.newly(one["target"], one["pins"])
        assert what_if["cells"] == cells.tolist()
        people = findings.people[one["target"]].to_numpy()[cells]
        assert what_if["people"] == people.sum()
        district = findings.demand["district"].to_numpy()[cells]
        assert {row["code"]: row["people"] for row in what_if["districts"]} == {
            code: people[district == code].sum() for code in set(district)
        }
        gained += len(cells)
    assert gained or case in {"empty", "all"}


def test_pins_snap_as_the_oracle_and_the_engine_do(tmp_path):
    findings, network = atlas_roads.study(11)
    raw = page_payload([findings], Words("en"), network)
    oracle = Oracle(read_payload(raw))
    rng = np.random.default_rng(3)
    places = atlas_roads.degrees(rng.uniform((-400, -400), (3000, 2200), (300, 2)))
    told = ask(tmp_path, raw, [{"kind": "snap", "lon": lon, "lat": lat} for lon, lat in places.tolist()])
    table = gpd.GeoDataFrame(
        {"name": ""}, index=range(len(places)), geometry=gpd.points_from_xy(*places.T, crs=4326)
    )
    engine = snap(network, table)
    agree = 0
    for number, (one, place) in enumerate(zip(told, places.tolist(), strict=True)):
        expected = oracle.snap(*place)
        assert one["ok"] == (expected is not None)
        if expected is not None:
            assert (one["edge"], one["along"], one["leg"]) == expected
        if one["ok"] and one["edge"] == engine.edge[number]:
            assert one["legMetres"] == pytest.approx(engine.leg_m[number], abs=0.5)
        agree += one["ok"] == (engine.edge[number] >= 0) and one["edge"] == engine.edge[number]
    assert {"far", "barrier"} <= set(engine.reason) <= set(REASONS)
    assert agree >= 0.99 * len(places)


@pytest.mark.parametrize("seed", range(3))
def test_what_if_is_the_engines_but_for_rounding(tmp_path, seed):
    """A venue added and searched by the engine covers whom the page says, but within half a second."""
    findings, network = atlas_roads.study(seed, homes=400)
    raw = page_payload([findings], Words("en"), network)
    pins = [{"lon": pin["lon"], "lat": pin["lat"]} for pin in pins_of(seed + 90, 12)]
    told = ask(
        tmp_path, raw, [{"kind": "whatIf", "year": YEAR, "target": "clinic", "pins": [pin]} for pin in pins]
    )
    homes = snap(network, findings.demand)
    before = findings.seconds["clinic"].to_numpy()
    counted = findings.people["clinic"].to_numpy() > 0
    for pin, one in zip(pins, told, strict=True):
        place = gpd.GeoDataFrame(
            {"name": ["new"]}, geometry=gpd.points_from_xy([pin["lon"]], [pin["lat"]], crs=4326)
        )
        seconds, _ = nearest_seconds(network, homes, snap(network, place), k=1, limit_min=7.5)
        gains = (seconds[:, 0] <= 450 + 1e-6) & ~(before <= 450 + 1e-6) & counted
        differ = np.flatnonzero(gains ^ np.isin(np.arange(len(gains)), one["cells"]))
        assert (np.abs(seconds[differ, 0] - 450) <= 0.6).all()
        assert len(differ) <= 1


@pytest.mark.parametrize("seed", range(3))
def test_what_each_pin_reaches_is_counted_one_by_one(tmp_path, seed):
    """People within reach of each pin by where they stand, and what most of those left lack."""
    findings, network = atlas_roads.study(seed)
    raw = page_payload([findings], Words("en"), network)
    payload = read_payload(raw)
    oracle = Oracle(payload)
    pins = pins_of(seed + 30, 6)
    asked = {"kind": "survey", "year": YEAR, "pins": pins}
    told = ask(tmp_path, raw, [{**asked, "target": target} for target in atlas_roads.TARGETS])
    whys = set()
    for target, one in zip(atlas_roads.TARGETS, told, strict=True):
        now, answers = payload.target(YEAR, target), payload.answers(YEAR, target)
        limit = 60 * now["minutes"] + 1e-6
        people = findings.people[target].to_numpy()
        newly = np.isin(np.arange(len(people)), oracle.newly(target, pins))
        services = [payload.year(YEAR)["serviceIds"][number] for number in now["services"]]
        for pin, found in zip(pins, one["each"], strict=True):
            place = oracle.snap(pin["lon"], pin["lat"])
            held = set((pin.get("service") or services[0]).split(";"))
            counts = any(held & set(part["services"]) for part in now["answers"]["classes"])
            near = place is not None and place[2] <= 0.25 * 60 * now["minutes"] * 100
            assert (found["why"] == "") == (near and counts)
            whys.add(found["why"])
            if found["why"]:
                continue
            within = np.array(oracle.times(place)) / 100 <= limit
            within &= np.isin(answers.status, [1, 2, 3])
            before = within & (answers.status == 1)
            left = within & ~before & ~newly
            assert found["all"] == people[within].sum()
            assert found["before"] == people[before].sum()
            assert found["newly"] == people[within & newly].sum()
            assert found["left"] == people[left].sum()
            assert found["lacking"] <= found["left"]
            assert bool(found["lacks"]) == bool(left.any())
    assert {"", "service"} < whys


def test_pins_are_the_audit_with_their_venues(tmp_path, toytown):
    """Pins put in the file that the page writes and audited again cover whom the page says, to the person."""
    before = run_audit(toytown)
    building = {
        "culture": whole_rule(before.circle("culture").target, load_standard(toytown / "standard.toml"))
    }
    network = read_networks(read_study(toytown), YEAR)["walk"]
    raw = page_payload([before], Words("en"), network, what_if=WhatIf(buildings=building))
    assert read_payload(raw).target(YEAR, "culture")["building"] == ["library", "gym", "sports_park"]
    homes = before.demand.geometry[(before.status["culture"] == "beyond").to_numpy()]
    rng = np.random.default_rng(5)
    places = (
        np.column_stack([homes.x, homes.y])[:8] + rng.uniform(-4e-4, 4e-4, (len(homes), 2))[:8]
    ).tolist()
    services = ["library;gym;sports_park", "gym;sports_park", "library", "clinic"]
    pins = [
        {"lon": round(lon, 6), "lat": round(lat, 6), "service": services[number % 4], "name": f"pin {number}"}
        for number, (lon, lat) in enumerate(places)
    ]
    sets = [pins[:1], pins[1:2], pins[:2], pins[2:5], pins]
    told = ask(
        tmp_path,
        raw,
        [
            question
            for some in sets
            for question in (
                {"kind": "collection", "pins": some},
                *({"kind": "survey", "year": YEAR, "target": one, "pins": some} for one in before.seconds),
            )
        ],
    )
    gained = 0.0
    for number, _ in enumerate(sets):
        written, *found = told[number * 4 : number * 4 + 4]
        file = tmp_path / f"pins-{number}.geojson"
        file.write_text(json.dumps(written), encoding="utf-8")
        scenario = run_scenario(toytown, [file])
        for target, one in zip(before.seconds, found, strict=True):
            comparison = next(row for row in scenario.targets if row.target == target)
            assert one["people"] == comparison.won
            assert comparison.lost == 0
            gained += one["people"]
    assert gained > 0


def test_a_building_is_offered_where_its_classes_have_enough_services():
    findings, network = atlas_roads.study(3)
    payload = read_payload(page_payload([findings], Words("en"), network))
    assert payload.target(YEAR, "culture")["building"] == []  # two halls, and one service of halls
    assert payload.target(YEAR, "clinic")["building"] == ["clinic"]
    own = WhatIf(buildings={"culture": ("hall", "library", "hall")})
    told = read_payload(page_payload([findings], Words("en"), network, what_if=own))
    assert told.target(YEAR, "culture")["building"] == ["hall", "library", "hall"]


def test_what_the_rule_still_lacks(tmp_path):
    findings, network = atlas_roads.study(2)
    raw = page_payload([findings], Words("en"), network)
    answers = read_payload(raw).answers(YEAR, "culture")
    cells = range(0, len(findings.demand), 7)
    told = ask(
        tmp_path, raw, [{"kind": "lacks", "year": YEAR, "target": "culture", "cell": cell} for cell in cells]
    )
    limit = 20 * 60 * 12
    for cell, rows in zip(cells, told, strict=True):
        expected = []
        for name, steps in answers.classes.items():
            own = steps[cell]
            have = int(((own >= 0) & (own <= limit)).sum())
            if have < len(own):
                seconds = None if own[-1] < 0 else own[-1] / 20
                expected.append((name, len(own), have, seconds))
        assert [(row["class"], row["count"], row["have"], row["seconds"]) for row in rows] == expected
        assert all(row["name"] for row in rows)


def test_targets_on_other_roads_have_no_what_if(tmp_path):
    findings, network = atlas_roads.study(1)
    _, others = atlas_roads.study(8)
    asked = [{"kind": "can", "year": YEAR, "target": target} for target in (*atlas_roads.TARGETS, "none")]
    assert ask(tmp_path, page_payload([findings], Words("en"), network), asked) == [True, True, False]
    assert ask(tmp_path, page_payload([findings], Words("en"), others), asked) == [False, False, False]
    assert ask(tmp_path, page_payload([findings], Words("en")), asked) == [False, False, False]


def test_the_first_venue_of_all_covers_too(tmp_path):
    findings, network = atlas_roads.study(4)
    none = dataclasses.replace(
        findings,
        facilities=findings.facilities.iloc[:0],
        seconds=findings.seconds * np.nan,
        ranks=findings.ranks * np.nan,
        nearest=findings.nearest.astype(object).where(findings.nearest.isna(), None),
        status=findings.status.where(findings.status == "unsnapped", "disconnected"),
    )
    raw = page_payload([none], Words("en"), network)
    oracle = Oracle(read_payload(raw))
    pins = [[{"lon": pin["lon"], "lat": pin["lat"]}] for pin in pins_of(4, 8)]
    asked = [{"kind": "whatIf", "year": YEAR, "target": "clinic", "pins": one} for one in pins]
    told = ask(tmp_path, raw, asked)
    named = [[{**one[0], "service": "clinic"}] for one in pins]
    assert [one["cells"] for one in told] == [oracle.newly("clinic", one).tolist() for one in named]
    assert any(one["people"] for one in told)
