"""Closing impact: hand-counted on the toy town, and against an audit without each venue."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import ROOT, edit
from lifecircle.audit import prepare, run
from lifecircle.closing_impact import CLOSING, closing_impact, closing_sheet
from lifecircle.study import read_study


def losing(impact, target):
    mine = impact[impact["target"] == target]
    return dict(zip(mine["venue"], mine["people"], strict=True))


def without(inputs, venue):
    """Give the inputs as if a venue were not in the register."""
    return replace(inputs, register=inputs.register.drop(index=venue))


def oracle(inputs):
    """Count who is covered with all venues and not without one, by running the audit again for each."""
    before = run(inputs, previous={})
    counted = {}
    for venue in inputs.facilities.index:
        after = run(without(inputs, venue), previous={})
        for target in before.status.columns:
            lost = (before.status[target] == "covered") & (after.status[target] != "covered")
            counted[target, venue] = float(before.people[target][lost].sum())
    return counted


def test_the_toy_town_agrees_with_an_audit_without_each_venue(toytown):
    inputs = prepare(read_study(toytown))
    impact = closing_impact(inputs)
    expected = oracle(inputs)
    found = {(one.target, one.venue): one.people for one in impact.itertuples()}
    assert found
    assert any(expected.values())
    for key, people in expected.items():
        assert found.get(key, 0.0) == pytest.approx(people), key


def test_who_reads_in_one_library_depends_on_it(toytown):
    inputs = prepare(read_study(toytown))
    covered = run(inputs, previous={}).result("reading").count.covered
    assert losing(closing_impact(inputs), "reading") == {"L1": covered}


def test_a_second_library_beside_it_takes_all_dependence_away(toytown):
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L2,Second library,library,501000,3377000,2010,\n")
    impact = closing_impact(prepare(read_study(toytown)))
    assert losing(impact, "reading") == {"L1": 0.0, "L2": 0.0}


def test_along_the_roads_as_by_minutes(toytown):
    edit(
        toytown / "standard.toml",
        'group = "over60"\n',
        'group = "over60"\naccounting = "network_distance"\nstraight = { urban_m = 1000, rural_m = 1500 }\n',
    )
    inputs = prepare(read_study(toytown))
    expected = oracle(inputs)
    found = losing(closing_impact(inputs), "health")
    assert found == {venue: expected["health", venue] for venue in found}


def test_the_largest_losses_of_the_example_are_what_an_audit_finds():
    inputs = prepare(read_study(ROOT / "data/geo/haiyan"))
    impact = closing_impact(inputs)
    assert (impact.groupby("target")["people"].apply(lambda one: np.diff(one).max(initial=0.0)) <= 0).all()
    before = run(inputs, previous={})
    venue = impact[impact["target"] == "culture"]["venue"].iloc[0]
    after = run(without(inputs, venue), previous={})
    for target in before.status.columns:
        lost = (before.status[target] == "covered") & (after.status[target] != "covered")
        assert losing(impact, target).get(venue, 0.0) == pytest.approx(before.people[target][lost].sum())
    columns, rows = closing_sheet(impact, before, most=3)
    assert columns == CLOSING
    assert len([row for row in rows if row["target"] == rows[0]["target"]]) == 3
