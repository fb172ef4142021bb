"""Small answers counted by hand, each of which one wrong character in the package would change.

The four mutants these are for survived the whole suite once: ``repeat`` and ``tile`` exchanged in what
is returned of each rank, ``within_m`` of a change ignored, a baseline that stands before a milestone, and a
proof that is content with a hundred times the gap.
"""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import lifecircle as lc
from conftest import TOYTOWN
from lifecircle.scenario import Change, run_scenario
from lifecircle.siting._certificate import PROOF, is_proved
from lifecircle.standards import milestone, read_target, threshold, verdict
from lifecircle.study import read_study

EAST, NORTH = 500_000, 3_377_000


def _points(frame, places):
    shapes = [shapely.Point(EAST + x, NORTH + y) for x, y in places]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4549").to_crs("EPSG:4326")


@pytest.mark.parametrize("engine", ["scipy", "ring"])
def test_what_holds_for_a_resident_holds_at_each_of_its_ranks(monkeypatch, engine):
    if engine == "ring":
        pytest.importorskip("numba", reason="the extra `fast` is not installed")
    monkeypatch.setenv("LIFECIRCLE_ENGINE", engine)
    street = gpd.GeoDataFrame(
        {"highway": ["residential"]},
        geometry=[shapely.LineString([(EAST, NORTH), (EAST + 1000, NORTH)])],
        crs="EPSG:4549",
    )
    roads = lc.read_roads(street, crs="EPSG:4549")
    homes = _points({"population": [1, 1, 1]}, [(100, 20), (200, 400), (300, 50)])
    venues = _points({"service": ["hall"] * 2}, [(400, 30), (600, 10)])
    near = lc.nearest(roads, homes, venues, limit_min=15, k=2)
    # legs of 20, 400 and 50 m; a quarter of 1,250 m is as far as a leg may be, so the second has no road
    assert near["leg_m"].to_numpy() == pytest.approx([20, 20, 400, 400, 50, 50], abs=0.01)
    assert near["reason"].tolist() == ["", "", "far", "far", "", ""]
    assert near["status"].tolist() == ["covered", "covered", "unsnapped", "unsnapped", "covered", "covered"]
    # home's leg, the street, the venue's leg, at 5 km/h: each venue with its own leg
    metres = near["seconds"].dropna().to_numpy() * 5 / 3.6
    assert metres == pytest.approx([20 + 300 + 30, 20 + 500 + 10, 50 + 100 + 30, 50 + 300 + 10], abs=0.01)
    assert near["facility"].dropna().tolist() == [0, 1, 0, 1]
    assert isinstance(near.index, pd.MultiIndex)
    assert near.index.tolist() == [(home, rank) for home in range(3) for rank in (1, 2)]


def _degrees(*places):
    line = gpd.GeoSeries([shapely.LineString([(EAST + x, NORTH + y) for x, y in places])], crs="EPSG:4549")
    return line.to_crs("EPSG:4326").iloc[0]


@pytest.mark.parametrize(("within_m", "closed"), [(None, False), (10.0, False), (20.0, True)])
def test_a_road_is_closed_within_the_metres_a_change_gives(within_m, closed):
    # drawn 15 m beside the Bridge: beyond the usual 12 m, within 20
    change = Change(
        "close_road", shape=_degrees((1500, 15), (2000, 15)), within_m=within_m, file="c.toml", row="1"
    )
    if not closed:
        with pytest.raises(lc.UnusableInputError, match=r"no road runs along the line within 1[02] m"):
            run_scenario(read_study(TOYTOWN), [change])
        return
    done = run_scenario(read_study(TOYTOWN), [change])
    # r4's 30 people and r7's 10 lose the library and everything else west of the Bridge
    assert done.after.result("reading").count.covered == 215
    assert done.after.result("culture").count.disconnected > done.before.result("culture").count.disconnected


@pytest.mark.parametrize(("within_m", "joined"), [(None, False), (30.0, False), (60.0, True)])
def test_a_road_joins_within_the_metres_a_change_gives(within_m, joined):
    # from 50 m beside the library's street end to beside r4: beyond the usual 25 m at both ends
    change = Change(
        "add_road", shape=_degrees((1050, 50), (1950, 1000)), within_m=within_m, file="c.toml", row="1"
    )
    if not joined:
        with pytest.raises(lc.UnusableInputError, match=r"neither end is within (25|30) m of a road"):
            run_scenario(read_study(TOYTOWN), [change])
        return
    done = run_scenario(read_study(TOYTOWN), [change])
    # r4 is now some 1,400 m from the library instead of 2,000
    assert done.after.result("reading").band["fast"] > done.before.result("reading").band["fast"]


def _target(**keys):
    return read_target(
        {
            "id": "one", "kind": "circle", "require": {"library": 1}, "minutes": 15, "goal": 0.9, "due": 2030,
            "source": "made up", "date": "2021", "grade": "setting", **keys,
        }
    )  # fmt: skip


def test_a_stated_milestone_stands_before_the_line_of_the_baseline():
    target = _target(baseline={2020: 0.1}, milestones={2025: 0.8})
    # the straight line from 0.1 in 2020 to 0.9 in 2030 would be at 0.5 in 2025
    assert milestone(target, 2025) == 0.8
    assert milestone(target, 2020) == 0.1
    assert milestone(target, 2022) == pytest.approx(0.1 + 0.7 * 2 / 5, abs=1e-15)
    assert milestone(target, 2028) == pytest.approx(0.8 + 0.1 * 3 / 5, abs=1e-15)
    assert threshold(target, 2025) == 0.8
    assert [verdict(target, 2025, value) for value in (0.5, 0.79, 0.8)] == ["behind", "behind", "on_track"]


def test_a_milestone_in_the_year_of_the_baseline_stands():
    # a profile is refused that says both; were it let through, what was promised is the milestone
    target = _target(baseline={2024: 0.1}).model_copy(update={"milestones": {2024: 0.8}})
    assert milestone(target, 2024) == 0.8
    assert verdict(target, 2024, 0.7) == "behind"


@pytest.mark.parametrize(
    ("bound", "proved"),
    [(1_000_000.0, True), (1_000_001.0, True), (999_999.0, True), (1_000_001.5, False), (1_000_050.0, False)],
)
def test_a_proof_leaves_a_millionth(bound, proved):
    assert PROOF == 1e-6
    assert is_proved(1_000_000.0, bound) is proved
    assert is_proved(-1_000_000.0, -bound) is proved
