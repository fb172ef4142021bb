"""The public edition under attack: nothing a reader adds, subtracts or tries counts too few people."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import atlas_town
from atlas_town import data_of
from conftest import seeds
from lifecircle.atlas import draw_atlas
from lifecircle.errors import UnusableInputError
from lifecircle.findings import CircleDistrict, CircleResult, Count, Findings, GroupResult
from lifecircle.page_data import figures, people_text
from lifecircle.publication import MapSetting, public_findings
from lifecircle.publication._published_cells import _cells, share_step
from lifecircle.standards import CircleTarget
from lifecircle.wording import Words

N = 20
LIMITS = {"near": 9.0, "far": 15.0, "children": 15.0, "towns": 15.0}


# ---------------------------------------------------------------------------------------------------------
# Random towns of two years, counted from their residents


def random_years(seed: int, *, residents: int = 160) -> list[Findings]:
    """Make a town of two years in which some venues open in between; every table is counted, none made up."""
    rng = np.random.default_rng(seed)
    base = atlas_town.town(residents=residents, venues=14, seed=seed)
    people = rng.choice([0, 1, 2, 3, 5, 8, 21, 60], residents, p=[0.1, 0.2, 0.2, 0.15, 0.15, 0.1, 0.06, 0.04])
    under3 = rng.binomial(people, 0.15)
    demand = base.demand.assign(
        population=people.astype(float),
        under3=under3.astype(float),
        over60=rng.binomial(people - under3, 0.3).astype(float),
        village=[f"V{number:02d}" for number in rng.integers(0, 12, residents)],
    )
    return [_year(base, demand, year, opened) for year, opened in ((2024, 9), (2025, 14))]


def _year(base: Findings, demand: gpd.GeoDataFrame, year: int, opened: int) -> Findings:
    facilities = base.facilities.iloc[:opened]
    urban = demand["district"].map(base.districts["urban"]).fillna(value=False).to_numpy(dtype=bool)
    targets, answers, people = [], {}, {}
    for name, minutes in LIMITS.items():
        target = CircleTarget(
            id=name,
            name={"zh": name, "en": name},
            require={"library": 1},
            minutes=minutes,
            goal=1.0,
            due=2025,
            group="under3" if name == "children" else "all",
            area="urban" if name == "towns" else "all",
        )
        column = "under3" if name == "children" else "population"
        counted = demand[column].where(urban if name == "towns" else np.ones(len(demand), bool), 0.0)
        answers[name] = atlas_town._answer(demand, facilities, ("library", "culture_hall"), minutes)
        people[name] = counted
        targets.append(_result(target, demand, base, counted.to_numpy(), answers[name]["status"], urban))
    frames = {
        part: pd.DataFrame({name: one[part] for name, one in answers.items()}, index=demand.index)
        for part in ("seconds", "status", "nearest")
    }
    villages = gpd.GeoDataFrame(
        {
            "name": [f"V{number:02d}" for number in range(12)],
            **{f"reached_{name}": pd.array([True] * 12, dtype="boolean") for name in LIMITS},
        },
        geometry=[None] * 12,
        crs="EPSG:4326",
        index=[f"V{number:02d}" for number in range(12)],
    )
    return dataclasses.replace(
        base,
        year=year,
        targets=tuple(targets),
        demand=demand,
        facilities=facilities,
        villages=villages,
        people=pd.DataFrame(people, index=demand.index),
        gaps=_gaps(demand, answers),
        **frames,
    )


def _result(  # noqa: PLR0917 - the columns of one target, in their order
    target: CircleTarget,
    demand: gpd.GeoDataFrame,
    base: Findings,
    people: np.ndarray,
    status: np.ndarray,
    urban: np.ndarray,
) -> CircleResult:
    def count(weights: np.ndarray, mine: np.ndarray | bool = True) -> Count:  # noqa: FBT001, FBT002 - a mask
        return atlas_town._count(np.where(mine, weights, 0.0), status)

    total = count(people)
    inside = urban if target.area == "urban" else True
    groups = {"all": demand["population"], "under3": demand["under3"], "over60": demand["over60"]}
    rows = [
        GroupResult(name, one := count(own.to_numpy(), inside), one.value) for name, own in groups.items()
    ]
    if target.area == "all":
        rows += [GroupResult("urban", one := count(people, urban), one.value)]
        rows += [GroupResult("rural", one := count(people, ~urban), one.value)]
    districts = []
    for code in [*base.districts.index, "(outside)"]:
        own = count(people, (demand["district"] == code).to_numpy())
        if code in base.districts.index or own.people:
            urban_class = bool(base.districts["urban"].get(code, False))
            districts.append(CircleDistrict(code, code, urban_class, own.value, "missed", own))
    return CircleResult(
        target,
        total.value,
        "missed",
        "",
        count=total,
        previous=total.value,
        band={"slow": 0.123456, "usual": total.value, "fast": 0.987654},
        flip_kmh=3.21,
        flip_minutes=17.3,
        borderline_people=3.0,
        curve=((4.0, 0.4),),
        variants={"step_free": 0.1},
        only_outside_people=1.0,
        leg_over_100_m=2.0,
        leg_over_200_m=1.0,
        shortfall_people=total.uncovered,
        districts=tuple(districts),
        groups=tuple(rows),
        venues=("library",),
        notes=("urban_unknown:7",),
    )


def _gaps(demand: gpd.GeoDataFrame, answers: dict[str, Any]) -> pd.DataFrame:
    rows = []
    for name, answer in answers.items():
        left = np.flatnonzero((answer["status"] != "covered") & demand.geometry.notna().to_numpy())
        for number, mine in enumerate(np.array_split(left, max(1, len(left) // 4)), 1):
            if not len(mine):
                continue
            place = demand.geometry.iloc[mine[0]]
            rows.append(
                {
                    "id": f"{name}-{number:03d}",
                    "target": name,
                    "district": "d",
                    "village": "v",
                    "lon": place.x,
                    "lat": place.y,
                    "people": float(demand["population"].iloc[mine].sum()),
                    "minutes": 17.3,
                    "nearest": "x",
                    "reason": str(answer["status"][mine[0]]),
                }
            )
    return pd.DataFrame(rows)


# ---------------------------------------------------------------------------------------------------------
# What a reader has, as people counted resident by resident


def parts_of(findings: Findings, result: CircleResult) -> dict[tuple[str, str], np.ndarray]:
    """Give the residents behind every count a target may print: (row, part) -> people (demand,)."""
    demand, name = findings.demand, result.target.id
    status = findings.status[name].to_numpy()
    urban = demand["district"].map(findings.districts["urban"]).fillna(value=False).to_numpy(dtype=bool)
    people = findings.people[name].to_numpy()
    inside = urban if result.target.area == "urban" else np.ones(len(demand), dtype=bool)
    rows = {"total": people}
    for code in (one.code for one in result.districts):
        rows[f"district {code}"] = np.where(demand["district"] == code, people, 0.0)
    for group in (one.group for one in result.groups):
        own = {"urban": np.where(urban, people, 0.0), "rural": np.where(urban, 0.0, people)}.get(group)
        column = "population" if group == "all" else group
        rows[f"group {group}"] = np.where(inside, demand[column], 0.0) if own is None else own
    out = {}
    for row, own in rows.items():
        out[row, "people"] = own
        out[row, "covered"] = np.where(status == "covered", own, 0.0)
        out[row, "uncovered"] = np.where(status == "covered", 0.0, own)
        for bucket in ("beyond", "disconnected", "unsnapped"):
            out[row, bucket] = np.where(status == bucket, own, 0.0)
    return out


def printed(result: CircleResult) -> dict[tuple[str, str], float]:
    """Give every count of a reduced target that is not kept back."""
    rows = {"total": result.count}
    rows |= {f"district {one.code}": one.count for one in result.districts}
    rows |= {f"group {one.group}": one.count for one in result.groups}
    found = {
        (row, part): getattr(count, part)
        for row, count in rows.items()
        for part in ("people", "covered", "uncovered", "beyond", "disconnected", "unsnapped")
    }
    return {key: value for key, value in found.items() if np.isfinite(value)}


def known(years: list[Findings], reduced: list[Findings]) -> dict[tuple[int, str, str, str], np.ndarray]:
    """List all that is printed, with the residents behind it; what is printed must be true."""
    out = {}
    for findings, public in zip(years, reduced, strict=True):
        for result, shown in zip(findings.targets, public.targets, strict=True):
            parts = parts_of(findings, result)
            for key, value in printed(shown).items():
                assert value == pytest.approx(parts[key].sum()), key
                out[findings.year, result.target.id, *key] = parts[key]
    return out


def too_few(people: float) -> bool:
    return 1e-6 < people < N - 1e-6


def attack(vectors: dict[tuple[int, str, str, str], np.ndarray]) -> list[str]:
    """Add and subtract what is printed; return every count of too few people that comes out."""
    found = [f"{key} is {vector.sum():g}" for key, vector in vectors.items() if too_few(vector.sum())]
    for (one, a), (other, b) in itertools.combinations(vectors.items(), 2):
        apart = abs(a.sum() - b.sum())
        if too_few(apart) and ((a - b >= 0).all() or (b - a >= 0).all()):
            found.append(f"{one} and {other} differ by {apart:g}")
    return found


def spanned(rows: np.ndarray, vector: np.ndarray) -> bool:
    """Return whether a count follows from others by adding and subtracting any multiples of them."""
    if not len(rows):
        return False
    weights = np.linalg.lstsq(rows.T, vector, rcond=None)[0]
    return bool(np.allclose(rows.T @ weights, vector, atol=1e-6))


@pytest.mark.parametrize("seed", seeds(6, whole=150))
def test_no_count_and_no_difference_is_of_too_few(seed):
    years = random_years(seed)
    assert attack(known(years, public_findings(years, min_people=N))) == []


def test_the_attack_finds_what_is_printed_without_care():
    years = random_years(0)
    unguarded = {
        (findings.year, result.target.id, *key): vector
        for findings in years
        for result in findings.targets
        for key, vector in parts_of(findings, result).items()
    }
    assert len(attack(unguarded)) > 20


def by_age(findings: Findings) -> Findings:
    """Part residents by age, so that no count is a multiple of another but by what a reader knows."""
    demand = findings.demand
    under3, over60 = demand["under3"], demand["over60"]
    ages = {"under3": under3, "over60": over60, "between": demand["population"] - under3 - over60}
    nobody = pd.Series(0.0, index=demand.index)
    own = [
        demand.assign(
            population=people,
            under3=people if age == "under3" else nobody,
            over60=people if age == "over60" else nobody,
        )
        for age, people in ages.items()
    ]
    counted = findings.people > 0
    people = [
        pd.DataFrame({name: one["population"].where(counted[name], 0.0) for name in LIMITS}).assign(
            children=one["under3"].where(counted["children"], 0.0)
        )
        for one in own
    ]
    return dataclasses.replace(
        findings,
        demand=pd.concat(own, ignore_index=True),
        people=pd.concat(people, ignore_index=True),
        status=pd.concat([findings.status] * 3, ignore_index=True),
    )


@pytest.mark.parametrize("seed", seeds(4, whole=100))
def test_what_is_kept_back_does_not_follow_from_what_is_printed(seed):
    years = random_years(seed)
    reduced = public_findings(years, min_people=N)
    hidden = 0
    for findings, public in zip(years, reduced, strict=True):
        for result, shown in zip(findings.targets, public.targets, strict=True):
            told = printed(shown)
            parts = parts_of(by_age(findings), result)
            rows = np.array([parts[key] > 0 for key in told], dtype=float)
            for key, vector in parts.items():
                if key not in told and too_few(vector.sum()):
                    hidden += 1
                    assert not spanned(rows, (vector > 0).astype(float)), (result.target.id, key)
    assert hidden


@pytest.mark.parametrize("seed", seeds(4, whole=100))
def test_what_remains_of_everyone_when_groups_are_taken_away_is_no_few(seed):
    years = random_years(seed)
    for findings, public in zip(years, public_findings(years, min_people=N), strict=True):
        for result, shown in zip(findings.targets, public.targets, strict=True):
            parts, told = parts_of(findings, result), printed(shown)
            groups = sorted({row for row, _ in told if row.startswith("group ") and row != "group all"})
            for part in ("people", "covered", "uncovered"):
                if ("group all", part) not in told:
                    continue
                for names in itertools.chain.from_iterable(
                    itertools.combinations(groups, size) for size in (1, 2, 3)
                ):
                    rest = parts["group all", part] - sum(parts[name, part] for name in names)
                    assert not ((rest >= -1e-9).all() and too_few(rest.sum())), (names, part)


# ---------------------------------------------------------------------------------------------------------
# Cells


@pytest.mark.parametrize("seed", seeds(4, whole=60))
def test_every_cell_holds_enough_people_in_every_year(seed):
    years = random_years(seed)
    cells = _cells(years, N)
    for findings, member in zip(years, cells.member, strict=True):
        population = findings.demand["population"].to_numpy()
        sums = np.bincount(member[member >= 0], weights=population[member >= 0], minlength=len(cells.labels))
        assert ((sums == 0) | (sums >= N)).all()
        placed = findings.demand.geometry.notna().to_numpy() & (population > 0)
        assert (member[placed] >= 0).all()
        assert (member[~placed] < 0).all()


@pytest.mark.parametrize("seed", seeds(4, whole=60))
def test_no_limit_a_reader_tries_parts_fewer_people(seed):
    first, second = public_findings(random_years(seed), min_people=N)
    for public in (first, second):
        people = public.people.to_numpy()
        assert ((people == 0) | ((people >= N) & (people % N == 0))).all()
        for name, limit in LIMITS.items():
            minutes = public.seconds[name].to_numpy() / 60
            known_times = minutes[np.isfinite(minutes)]
            assert np.allclose((known_times - limit) % 5, 0)
            for tried in range(60):
                moved = (minutes > tried) & (minutes <= tried + 1)
                assert not too_few(public.people[name].to_numpy()[moved].sum())
            covered = (public.status[name] == "covered").to_numpy()
            assert (minutes[covered] <= limit).all()
            beyond = (public.status[name] == "beyond").to_numpy()
            assert (minutes[beyond] > limit).all()
    both = first.demand.index.intersection(second.demand.index)
    apart = (first.demand["population"][both] - second.demand["population"][both]).abs()
    assert not apart.map(too_few).any()


def test_a_cell_has_what_most_of_its_people_have():
    years = random_years(3)
    (public,) = public_findings(years[1:], min_people=N)
    findings, (member,) = years[1], _cells(years[1:], N).member
    labels = _cells(years[1:], N).labels
    for name in ("near", "far"):
        for label, bucket in public.status[name].items():
            mine = member == labels.index(label)
            weight = findings.demand["population"][mine].groupby(findings.status[name][mine]).sum()
            assert weight[bucket] == weight.max()


def moved_inside(years: list[Findings], seed: int) -> list[Findings]:
    """Move residents about inside their squares of 250 m, change their ages and their times within a step."""
    rng = np.random.default_rng(seed)
    out = []
    for findings in years:
        demand = findings.demand.copy()
        metres = demand.to_crs(findings.crs).geometry
        placed = metres.notna().to_numpy()
        x, y = metres[placed].x.to_numpy(), metres[placed].y.to_numpy()
        shift = rng.uniform(0.3, 0.7, (2, placed.sum()))
        moved = shapely.points((np.floor(x / 250) + shift[0]) * 250, (np.floor(y / 250) + shift[1]) * 250)
        shapes = demand.geometry.to_numpy().copy()
        shapes[placed] = gpd.GeoSeries(moved, crs=findings.crs).to_crs("EPSG:4326").to_numpy()
        demand.geometry = shapes
        out.append(
            dataclasses.replace(
                findings,
                demand=demand,
                gaps=findings.gaps.iloc[:0],
                seconds=findings.seconds.map(lambda s: s if np.isnan(s) else np.ceil(s / 300) * 300 - 1.0),
            )
        )
    return out


def test_two_towns_that_differ_in_private_things_alone_give_the_same_page(tmp_path):
    years = [
        dataclasses.replace(one, demand=one.demand[one.demand.geometry.notna()]) for one in random_years(5)
    ]
    years = [
        dataclasses.replace(
            one,
            **{
                part: getattr(one, part).loc[one.demand.index]
                for part in ("seconds", "status", "nearest", "people")
            },
            targets=(),
        )
        for one in years
    ]
    pages = []
    for seed in (1, 2):
        first, second = moved_inside(years, seed)
        pages.append(draw_atlas_bytes([first, second], tmp_path / f"{seed}.html"))
    assert pages[0] == pages[1]


def draw_atlas_bytes(years: list[Findings], path: Any) -> bytes:
    return draw_atlas(years, path, edition="public", setting=MapSetting(min_people=N)).read_bytes()


# ---------------------------------------------------------------------------------------------------------
# What is left out


def test_margins_that_need_every_resident_are_left_out():
    (public,) = public_findings(random_years(1)[1:], min_people=N)
    for result in public.targets:
        assert (result.flip_kmh, result.flip_minutes, result.borderline_people) == (None, None, None)
        assert (result.curve, result.variants) == ((), {})
        assert result.only_outside_people is result.leg_over_100_m is result.leg_over_200_m is None
        assert result.notes == ("urban_unknown:<20",)
        assert "达标临界步速" not in dict(figures(public, result, Words("zh"))["margin"]["facts"])
    assert not len(public.ranks.columns)
    assert not len(public.grid)
    assert public.inputs == ()
    assert not {"under3", "over60"} & set(public.demand.columns)
    assert not [name for name in public.villages if name.startswith(("people_", "covered_"))]


def test_shares_beside_withheld_counts_stand_for_enough_people():
    for seed in range(4):
        years = random_years(seed)
        for findings, public in zip(years, public_findings(years, min_people=N), strict=True):
            for result, shown in zip(findings.targets, public.targets, strict=True):
                step = share_step(result.count.people, N)
                assert step == 1.0 or step * result.count.people >= N
                for value in (shown.band["slow"], shown.previous):
                    assert value is None or round(value / step, 6) == round(value / step)
                if np.isnan(shown.count.covered):
                    assert shown.shortfall_people is None
                    assert shown.value is None or round(shown.value / step, 6) == round(shown.value / step)


def test_gaps_are_shown_of_enough_people_at_their_cells():
    years = random_years(2)
    public = public_findings(years, min_people=N)[-1]
    assert len(public.gaps)
    assert (public.gaps["people"] % N == 0).all()
    assert (public.gaps["people"] >= N).all()
    assert public.gaps["minutes"].isna().all()
    middles = {
        (round(point.x, 9), round(point.y, 9))
        for one in public_findings(years)
        for point in one.demand.geometry
    }
    places = public.gaps[["lon", "lat"]].dropna().round(9)
    assert {tuple(place) for place in places.to_numpy()} <= middles


def test_a_village_of_few_people_does_not_show_whether_it_is_reached():
    findings = random_years(4)[1]
    few = findings.demand["village"] == "V00"
    demand = findings.demand.assign(population=findings.demand["population"].where(~few, 0.5))
    people = findings.people.assign(far=demand["population"])
    (public,) = public_findings([dataclasses.replace(findings, demand=demand, people=people)], min_people=N)
    assert public.villages["reached_far"].isna()["V00"]
    assert public.villages["reached_far"].notna().any()


def test_a_town_of_too_few_shows_no_figure_and_a_large_one_shows_its_own():
    findings = random_years(1)[1]
    three = findings.demand.iloc[:3].assign(population=2.0, under3=0.0, over60=0.0)
    base = dataclasses.replace(findings, districts=findings.districts)
    small = _year(base, three, 2025, 14)
    (public,) = public_findings([small], min_people=N)
    far = public.result("far")
    assert not len(public.demand)
    assert (far.value, far.previous, far.status, far.groups) == (None, None, "suppressed", ())
    assert not [key for key in printed(far) if key[0] == "total"]
    untold = dataclasses.replace(
        findings.result("far"), count=dataclasses.replace(findings.result("far").count, people=5000.0)
    )
    (public,) = public_findings([dataclasses.replace(findings, targets=(untold,))], min_people=N)
    assert np.isnan(public.result("far").count.people)
    assert 0 <= untold.value - public.result("far").value < share_step(5000.0, N)


def test_a_district_without_enough_people_hides_another_with_it():
    findings = random_years(6)[1]
    demand = findings.demand.copy()
    mine = demand["district"] == demand["district"].iloc[0]
    demand["population"] = np.where(mine, 0.0, demand["population"])
    demand.loc[mine.idxmax(), "population"] = 7.0
    town = _year(findings, demand, 2025, 14)
    (public,) = public_findings([town], min_people=N)
    far = public.result("far")
    hidden = [one.code for one in far.districts if np.isnan(one.count.people)]
    assert demand["district"].iloc[0] in hidden
    assert len(hidden) >= 2
    assert {one.status for one in far.districts if one.code in hidden} == {"suppressed"}
    rows = {row["code"]: row for row in figures(public, far, Words("zh"))["districts"]}
    assert [rows[hidden[0]][name] for name in ("people", "rate", "left", "statusText")] == [
        people_text(np.nan),
        "—",
        "*",
        "人数过少，不予公布",
    ]


# ---------------------------------------------------------------------------------------------------------
# The page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("public") / "page.html"
    years = [dataclasses.replace(one, synthetic=False) for one in random_years(1)]
    return draw_atlas(
        years, path, edition="public", roads=atlas_town.crossroads(), setting=MapSetting(min_people=N)
    ).read_text("utf-8")


def numbers_in(value: Any) -> list[float]:
    """Give every number of people printed in a row: whole persons, commas taken out."""
    return [float(text.replace(",", "")) for text in value if re.fullmatch(r"[\d,]+", str(text))]


@pytest.mark.parametrize("seed", seeds(3, whole=30))
def test_no_table_of_the_page_prints_too_few(seed, tmp_path):
    years = random_years(seed)
    path = draw_atlas(
        years, tmp_path / "a.html", language="en", edition="public", setting=MapSetting(min_people=N)
    )
    data = data_of(path.read_text("utf-8"))
    stars = 0
    for year in data["years"]:
        for target in year["targets"]:
            rows = [list(target["people"].values())]
            rows += [[row["people"], row["left"]] for row in target["districts"]]
            rows += [[people, left] for _, people, _, left in target["groups"]]
            rows += [[rung["people"]] for rung in target["ladder"]["rungs"]] if target["ladder"] else []
            rows += [[gap["people"].split(" ")[0]] for gap in target["gaps"]]
            stars += sum(cell == "*" for row in rows for cell in row)
            assert not [number for row in rows for number in numbers_in(row) if too_few(number)]
            assert all(row["value"] is None for row in target["districts"] if row["left"] == "*")
            assert target["margin"] is None or target["margin"]["curve"] == []
    assert stars


def test_public_page_says_what_it_is_and_holds_no_roads(page):
    data = data_of(page)
    assert data["about"]["edition"] == "public"
    assert data["about"]["stamp"] == "公开版，未送审"
    assert "每格至少 20 人" in data["about"]["margin"]["cells"]
    assert not data.get("roads")
    assert "工作底图" not in data["about"]["stamp"]
    assert "lifecirclePage.layer(&#34;roads" not in page
    assert 'lifecirclePage.layer("roads")' not in page


def test_public_page_is_the_same_every_time(page, tmp_path):
    years = [dataclasses.replace(one, synthetic=False) for one in random_years(1)]
    again = draw_atlas(years, tmp_path / "a.html", edition="public", setting=MapSetting(min_people=N))
    assert again.read_text("utf-8") == page


def test_an_unknown_edition_is_refused(tmp_path):
    with pytest.raises(UnusableInputError, match=r"no such edition.*internal, public"):
        draw_atlas(random_years(1), tmp_path / "a.html", edition="secret")
