"""What the public edition keeps back, against readers who add, subtract and solve."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

import atlas_town
from conftest import WHOLE_CAMPAIGN, seeds
from lifecircle.findings import CircleDistrict, CircleResult, Count, GroupResult
from lifecircle.publication import _withheld, public_findings
from lifecircle.publication._solved_counts import Equations
from lifecircle.standards import CircleTarget
from test_atlas_public import by_age, parts_of, printed, random_years

if TYPE_CHECKING:
    from lifecircle.findings import Findings

N = 20
HALL = CircleTarget(id="hall", name={"zh": "hall", "en": "hall"}, require={"library": 1}, minutes=15)


def count_of(people: pd.Series[float], status: pd.Series[str]) -> Count:
    sums = people.groupby(status).sum()
    return Count(float(people.sum()), *(float(sums.get(name, 0.0)) for name in atlas_town.STATUSES))


def made(
    rows: list[tuple[str, str, float]], *, year: int = 2025, groups: dict[str, list[float]] | None = None
) -> Findings:
    """Put one circle together by hand: a row for each home, with district, status, people and its groups."""
    base = atlas_town.town(residents=len(rows))
    district, status, people = (
        pd.Series(column, dtype=kind)
        for column, kind in zip(zip(*rows, strict=True), (str, str, float), strict=True)
    )
    demand = base.demand.assign(population=people, district=district, **(groups or {}))
    districts = tuple(
        CircleDistrict(code, code, None, one.value, "missed", one)
        for code in sorted(set(district))
        for one in [count_of(people.where(district == code, 0.0), status)]
    )
    named = {"all": people, **{name: pd.Series(own, dtype=float) for name, own in (groups or {}).items()}}
    counts = {name: count_of(own, status) for name, own in named.items()}
    result = CircleResult(
        HALL,
        counts["all"].value,
        "missed",
        "",
        count=counts["all"],
        districts=districts,
        groups=tuple(GroupResult(name, one, one.value) for name, one in counts.items()) if groups else (),
    )
    frame = gpd.GeoDataFrame(
        {"name": sorted(set(district)), "urban": False},
        geometry=list(base.districts.geometry[: len(districts)]),
        crs="EPSG:4326",
        index=sorted(set(district)),
    )
    one = {"hall": status}
    return dataclasses.replace(
        base,
        year=year,
        targets=(result,),
        demand=demand,
        districts=frame,
        villages=base.villages.iloc[:0],
        gaps=base.gaps.iloc[:0],
        people=pd.DataFrame({"hall": people}),
        status=pd.DataFrame(one),
        seconds=pd.DataFrame({"hall": np.where(status == "covered", 300.0, 2000.0)}),
        nearest=pd.DataFrame({"hall": [base.facilities.index[0]] * len(rows)}),
        ranks=base.ranks.iloc[:0, :0],
    )


def sum_of(result: CircleResult, part: str) -> float:
    """Give a total as a reader has it: as it is printed, or as the sum of rows all printed; NaN else."""
    assert result.count is not None
    own = getattr(result.count, part)
    return own if np.isfinite(own) else float(sum(getattr(one.count, part) for one in result.districts))


@pytest.mark.parametrize("few", [5, 19])
def test_a_total_kept_back_does_not_follow_from_the_rows(few):
    """Towns redrawn between two years: no row is part of another, so the totals alone show the few.

    Five people are newly covered. They would follow if both totals were printed, so the earlier one is kept
    back; its towns, each of hundreds, would still add up to it.
    """
    covered, left = [300.0, 250.0, 280.0, 220.0], [160.0, 170.0, 180.0, 190.0]
    homes = (
        [("covered", one) for one in covered] + [("beyond", one) for one in left] + [("beyond", float(few))]
    )
    old, new = "AABBAABBA", "CDCDCDCDD"
    first = made([(town, *home) for town, home in zip(old, homes, strict=True)], year=2024)
    later = [("covered", people) if people == few else (status, people) for status, people in homes]
    second = made([(town, *home) for town, home in zip(new, later, strict=True)], year=2025)
    early, late = public_findings([first, second], min_people=N)
    assert sum_of(second.targets[0], "covered") - sum_of(first.targets[0], "covered") == few
    for part in ("covered", "uncovered"):
        told = sum_of(late.targets[0], part) - sum_of(early.targets[0], part)
        assert np.isnan(told), part
    hidden = [one.code for one in early.targets[0].districts if np.isnan(one.count.covered)]
    assert hidden, "the rows would add up to the total"
    assert np.isfinite(late.targets[0].count.covered)


@pytest.mark.parametrize("many", [3, 4, 5])
def test_who_is_in_none_of_many_groups_is_no_few(many):
    """Part everyone but seven of unknown age: all ages, taken from everyone together, leave the seven."""
    of_age = [[100.0 * (1 + (row == group)) for row in range(many)] + [0.0] for group in range(many)]
    people = [*(sum(column) for column in zip(*of_age, strict=True)), 7.0]
    del people[many]  # the sum of those of no age
    rows = [("AB"[row % 2], "covered" if row % 2 else "beyond", one) for row, one in enumerate(people[:-1])]
    rows += [("A", "covered", 7.0)]
    groups = {f"age{group}": column for group, column in enumerate(of_age)}
    findings = made(rows, groups=groups)
    (public,) = public_findings([findings], min_people=N)
    told = printed(public.targets[0])
    assert told["group all", "people"] == sum(people)
    shown = [name for name in groups if (f"group {name}", "people") in told]
    assert len(shown) < many, "everyone less all groups is seven people"
    for size in range(1, len(shown) + 1):
        for names in itertools.combinations(shown, size):
            rest = told["group all", "people"] - sum(told[f"group {name}", "people"] for name in names)
            assert not 0 < rest < N, names


# ---------------------------------------------------------------------------------------------------------
# Readers who solve: every published count is an equation over the people of each kind, who are none or more


@dataclass(frozen=True, eq=False)
class Published:
    """Hold all that a reader has.

    ``printed`` : (count, kind) which kinds of people a count is of, ``value`` its number; ``secret`` :
    (count, kind) what must not be found, ``truth`` its number, ``names`` what it is.
    """

    printed: np.ndarray
    value: np.ndarray
    secret: np.ndarray
    truth: np.ndarray
    names: list[str]


def small_ones(vectors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """List counts of too few, and differences by too few of two counts of which one holds the other."""
    found = {name: vector for name, vector in vectors.items() if 0.5 < vector.sum() < N}
    order = sorted(vectors.items(), key=lambda one: one[1].sum())
    sums = np.array([vector.sum() for _, vector in order])
    for place, (name, vector) in enumerate(order):
        if sums[place] < 0.5:
            continue
        for at in range(place + 1, int(np.searchsorted(sums, sums[place] + N))):
            apart = order[at][1] - vector
            if 0.5 < apart.sum() < N and (apart >= 0).all():
                found[f"{order[at][0]} less {name}"] = apart
    return found


def published(years: list[Findings]) -> Published:
    """Put what is printed of several years, and what must not be found, over the kinds of people."""
    told: dict[str, np.ndarray] = {}
    every: dict[str, np.ndarray] = {}
    for findings, public in zip(years, public_findings(years, min_people=N), strict=True):
        aged = by_age(findings)
        for result, shown in zip(findings.targets, public.targets, strict=True):
            if not isinstance(result, CircleResult) or result.count is None:
                continue
            parts, printed_here = parts_of(aged, result), printed(shown)
            for key, vector in parts.items():
                name = f"{findings.year} {result.target.id} {key[0]} {key[1]}"
                every[name] = vector
                if key in printed_here:
                    assert printed_here[key] == pytest.approx(vector.sum()), name
                    told[name] = vector
    secret = small_ones(every)
    people = np.max([*every.values()], axis=0)
    rows = np.array([*told.values(), *secret.values()])[:, people > 0] > 0
    kinds = np.unique(rows, axis=1).astype(float)
    values = [vector.sum() for vector in told.values()]
    return Published(
        kinds[: len(told)],
        np.array(values),
        kinds[len(told) :],
        np.array([vector.sum() for vector in secret.values()]),
        list(secret),
    )


def found_by_adding(known: Published) -> list[str]:
    """Return what follows from the equations alone, by whatever multiples of them."""
    if not known.names:
        return []
    _, singular, rows = np.linalg.svd(known.printed, full_matrices=False)
    basis = rows[singular > 1e-9 * singular[0]]
    rest = known.secret - (known.secret @ basis.T) @ basis
    return [name for name, far in zip(known.names, np.abs(rest).max(axis=1), strict=True) if far < 1e-7]


def found_by_bounds(known: Published, *, most: int, seed: int = 0) -> list[str]:
    """Return what is known to the person, as no count is below zero: least and most, of a sample."""
    out = []
    order = np.random.default_rng(seed).permutation(len(known.names))[:most]
    for at in order.tolist():
        ends = []
        for sign in (1, -1):
            solved = linprog(sign * known.secret[at], A_eq=known.printed, b_eq=known.value, method="highs")
            if solved.status == 3:  # without a bound
                break
            assert solved.status == 0, solved.message
            ends.append(sign * solved.fun)
        if len(ends) == 2 and ends[1] - ends[0] < 1:
            out.append(f"{known.names[at]}: {ends[0]:g} to {ends[1]:g}, is {known.truth[at]:g}")
    return out


LARGER = [(600, seed) for seed in range(12)] + [(1500, seed) for seed in range(4)]
"""Towns in which solving finds what pairs of counts do not show: residents, seed."""


@pytest.mark.parametrize("seed", seeds(8, whole=200))
def test_no_count_of_too_few_follows_from_all_that_is_published(seed):
    known = published(random_years(seed, residents=120))
    assert known.names
    assert found_by_adding(known) == []
    assert found_by_bounds(known, most=4, seed=seed) == []


@pytest.mark.parametrize(("residents", "seed"), LARGER if WHOLE_CAMPAIGN else LARGER[:1])
def test_nor_in_a_larger_town(residents, seed):
    known = published(random_years(seed, residents=residents))
    assert known.names
    assert found_by_adding(known) == []
    assert found_by_bounds(known, most=4, seed=seed) == []


def test_without_solving_the_attack_finds_counts_in_that_town(monkeypatch):
    """What is kept back by pairs of counts alone is found by adding several, so the attack is one."""
    monkeypatch.setattr(_withheld._Every, "next_withheld", lambda _: None)
    residents, seed = LARGER[0]
    assert found_by_adding(published(random_years(seed, residents=residents)))


@pytest.mark.parametrize("seed", seeds(20, whole=300))
def test_a_count_without_a_substitute_is_the_one_that_a_secret_needs(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 2, (12, 8)).astype(float)
    told = np.sort(rng.choice(12, 7, replace=False))
    equations = Equations(rows @ rows.T, told)
    rank = np.linalg.matrix_rank
    alone = [at for at in told.tolist() if rank(rows[told[told != at]]) < rank(rows[told])]
    assert equations.without_substitute().tolist() == alone
    for secret in np.eye(12)[equations.following(np.eye(12))]:
        needed = [
            at
            for at in told.tolist()
            if not len(Equations(rows @ rows.T, told[told != at]).following(secret[None, :]))
        ]
        assert sorted({*equations.used(secret).tolist()} & {*alone}) == needed
