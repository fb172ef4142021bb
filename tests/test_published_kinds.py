"""Capacities and computed gaps in the public edition: no figure is of too few people."""

from __future__ import annotations

import dataclasses

import pytest

import atlas_town
from lifecircle.findings import CapacityResult, CircleGap, DistrictResult, IndicatorResult, PresenceResult
from lifecircle.measures import gap_between
from lifecircle.publication import public_findings
from lifecircle.standards import CapacityTarget, Equity, IndicatorTarget, PresenceTarget

BEDS = 3  # in every district
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


@pytest.fixture(scope="module")
def demand():
    return atlas_town.town(residents=300).demand


def with_beds(demand):
    """Give the town a capacity of three beds a district, per 1,000 of the residents of a table."""
    town = dataclasses.replace(atlas_town.town(residents=300), demand=demand)
    people = demand["population"].groupby(demand["district"]).sum()
    rows = tuple(
        DistrictResult(str(code), str(name), None, BEDS * 1000 / float(people[code]), "missed")
        for code, name in town.districts["name"].items()
    )
    total = float(people[[row.code for row in rows]].sum())
    beds = CapacityResult(
        CapacityTarget(id="beds", name="beds", require={"clinic": 1}, goal=1.0, due=2025),
        BEDS * len(rows) * 1000 / total,
        "missed",
        "",
        notes=(f"amount_per:{BEDS * len(rows)}|9|{total:,.0f}",),
        districts=rows,
        amount=BEDS * len(rows),
        people=total,
        per=1000.0,
    )
    return dataclasses.replace(town, targets=(beds,)), people


def published(findings, *targets):
    (public,) = public_findings([dataclasses.replace(findings, targets=targets)], min_people=20)
    return public.targets[0]


def test_a_figure_beside_its_amount_leaves_enough_people_open(demand):
    findings, people = with_beds(demand)
    beds = findings.result("beds")
    for before, after in zip(beds.districts, published(findings, beds).districts, strict=True):
        # a reader takes the beds and the figure, and finds the people to within twenty at best
        step = next(one for one in STEPS if one * people[after.code] >= 20 * before.value)
        assert after.value == pytest.approx(step * (before.value // step), abs=1e-9)


def test_a_district_of_few_people_is_kept_back_and_another_with_it(demand):
    changed = demand.copy()
    few = changed.index[changed["district"] == "330424106"]
    changed.loc[few, "population"] = 0.0
    changed.loc[few[0], "population"] = 12.0
    findings, _ = with_beds(changed)
    rows = {one.code: one for one in published(findings, findings.result("beds")).districts}
    assert (rows["330424106"].value, rows["330424106"].status) == (None, "suppressed")
    assert [one.status for one in rows.values()].count("suppressed") == 2  # one alone follows from the total


def test_a_group_whose_people_nobody_can_count_keeps_every_district_back(demand):
    findings, _ = with_beds(demand)
    beds = findings.result("beds")
    beds = dataclasses.replace(beds, target=beds.target.model_copy(update={"group": "over60"}))
    assert {one.value for one in published(findings, beds).districts} == {None}


def test_a_capacity_of_a_few_people_is_kept_back_whole(demand):
    findings, _ = with_beds(demand)
    kept = published(findings, dataclasses.replace(findings.result("beds"), people=15.0))
    assert (kept.value, kept.status, kept.people, kept.notes) == (None, "suppressed", None, ())
    assert {one.value for one in kept.districts} == {None}


def test_a_computed_gap_shows_its_mean_and_no_single_circle(demand):
    target = IndicatorTarget(
        id="gap", name="gap", unit="share", trend="shrinking", computed=Equity(gap="urban_rural")
    )
    gaps = {"culture": CircleGap(gap_between(0.9, 0.7, names=("urban", "rural")), 0.25)}
    findings, _ = with_beds(demand)
    rows = findings.result("beds").districts
    notes = ("gap_not_smaller:culture", "gap_by_district", "districts_one_side:2")
    result = IndicatorResult(
        target, 0.20549, "missed", "", previous=0.2999, gaps=gaps, districts=rows, notes=notes
    )
    kept = published(findings, result)
    assert (kept.value, kept.previous, kept.gaps) == (0.205, 0.299, {})
    # Of one circle a district's figure is its rate, so none is shown, and a note says so.
    assert (kept.districts, kept.notes) == ((), ("gap_not_smaller:culture", "districts_internal"))


def test_what_no_resident_stands_behind_is_kept_as_it_is(demand):
    findings, _ = with_beds(demand)
    target = PresenceTarget(id="halls", name="halls", require={"library": 1}, unit="village")
    rows = findings.result("beds").districts
    kept = published(findings, PresenceResult(target, 0.83333, "missed", "", districts=rows))
    assert (kept.value, kept.districts) == (0.83333, rows)
