"""People counted in cells and polygons: where the limit runs through one it is unknown who is in time."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lifecircle.audit._coarse import (
    CoarsePlaces,
    Quarters,
    check_coarse,
    coarse_places,
    extent_m,
    spacing_m,
)
from lifecircle.audit._doubts import _too_coarse
from lifecircle.reading import CoarseReading, Reading, reading_lines

# Two cells of 400 m, three parts of one polygon, a house.
PEOPLE = np.array([40.0, 60.0, 10.0, 20.0, 30.0, 5.0])
EXTENT = np.array([400.0, 400.0, 500.0, 500.0, 500.0, np.nan])
COUNTED = ["a", "b", "p", "p", "p", "h"]
DISTRICTS = ["01", "01", "02", "02", "02", "02"]
SETTING = SimpleNamespace(coarse_change=0.02, unsure_max=0.01, coarse_share=0.125, coarse_people=0.5)
PLACES = np.array([[0, 0], [400, 0], [800, 0], [850, 0], [900, 0], [1000, 0]], dtype=float)


class Given(SimpleNamespace):
    """Inputs as the check reads them; each object has a hash of its own, as its cache asks."""

    __hash__ = object.__hash__


def inputs(villages=None, **columns):
    demand = pd.DataFrame({"population": PEOPLE, "district": DISTRICTS, **columns})
    walk = SimpleNamespace(profile=SimpleNamespace(access_ms=5 / 3.6))
    return Given(
        demand=demand,
        metres=PLACES,
        villages=villages,
        crs="EPSG:4549",
        networks={"walk": walk},
        study=SimpleNamespace(reading=SETTING),
        year=2025,
    )


def checked(given, coarse, in_time, covered, rows=None):
    """Check the rows that are split (left out: the coarse ones), each with its quarters in time."""
    rows = np.flatnonzero(coarse) if rows is None else np.array(rows)
    places = CoarsePlaces(np.array(coarse), 1.0, 156.0, rows)
    quarters = Quarters(places, np.ones((len(rows), 4), dtype=bool), np.array(in_time)[rows])
    return check_coarse(SimpleNamespace(id="t"), given, quarters, PEOPLE, np.array(covered))


def test_a_place_is_as_coarse_as_the_unit_its_people_were_counted_in():
    assert spacing_m(inputs(extent_m=EXTENT, counted_in=COUNTED)).tolist() == [400, 400, 500, 500, 500, 100]
    assert spacing_m(inputs()).tolist() == [400, 400, 50, 50, 50, 100]


def test_a_place_of_a_known_extent_is_not_coarser_because_the_next_one_is_far():
    fine = np.array([25.0, 25.0, 25.0, 25.0, 25.0, np.nan])
    assert spacing_m(inputs(extent_m=fine)).tolist() == [25, 25, 25, 25, 25, 100]


def test_what_a_rate_may_be_off_by_counted_by_hand():
    coarse = [True] * 5 + [False]
    in_time = np.zeros((6, 4), dtype=bool)
    in_time[0, :3], in_time[1], in_time[4] = True, True, True
    covered = [True, True, True, False, True, False]
    found = checked(inputs(extent_m=EXTENT, counted_in=COUNTED), coarse, in_time, covered).reading
    # Cell a: 30 of 40 in time; cell b: all 60; of the polygon's 60 people 40, whatever its quarters say.
    error = np.sqrt(40**2 * 0.75 * 0.25 + 0 + 60**2 * (2 / 3) * (1 / 3))
    assert found.unsure == pytest.approx((10 + 3 * error) / 165)
    assert found.partly == pytest.approx((40 + 60) / 165)
    assert found.value == pytest.approx((40 + 60 + 10 + 30) / 165)
    assert found.spread == pytest.approx((30 + 60 + 10 + 30) / 165)


def test_what_the_rate_of_a_district_may_be_off_by_is_of_its_own_people():
    in_time = np.zeros((6, 4), dtype=bool)
    in_time[0, :3], in_time[1] = True, True
    covered = [True, True, True, False, True, False]
    found = checked(inputs(extent_m=EXTENT, counted_in=COUNTED), [True] * 5 + [False], in_time, covered)
    assert found.by_district["01"] == pytest.approx((10 + 3 * np.sqrt(40**2 * 0.75 * 0.25)) / 100)
    assert found.by_district["02"] == 1.0  # three errors of 28 people are more than the 65 who live there


def test_a_fine_cell_is_split_where_the_limit_may_run_through_it():
    given = inputs(extent_m=np.array([25.0, 25.0, 25.0, 25.0, np.nan, np.nan]))
    target = SimpleNamespace(profile="walk", minutes=15)
    # Twice the walk across 25 m takes 36 s: at equality it is split, a second farther it is not.
    seconds = np.array([900.0 - 36.0, 900.0 + 37.0, 10.0, np.inf, 900.0, 900.0])
    answer = SimpleNamespace(seconds=seconds, snapped=np.array([True, True, False, True, True, True]))
    places = coarse_places(target, given, PEOPLE, answer)
    assert places.rows.tolist() == [0, 2, 3]
    assert not places.coarse.any()
    found = checked(given, [False] * 6, np.eye(6, 4, dtype=bool), [True] * 6, rows=[0])
    # One quarter of 40 people is in time, so that 30 may be beyond, and the square root of 40 x 40 x 3/16.
    assert found.reading.unsure == pytest.approx((30 + 3 * np.sqrt(300)) / 165)
    assert found.reading.spacing_m == 25


def test_a_fine_cell_that_is_wholly_in_time_says_nothing():
    given = inputs(extent_m=np.full(6, 25.0))
    assert checked(given, [False] * 6, np.ones((6, 4), dtype=bool), [True] * 6, rows=[0]) is None


def test_a_village_that_is_one_row_is_as_wide_as_its_polygon():
    shapes = [shapely.box(0, 0, 300, 300), shapely.box(0, 0, 500, 500), shapely.Point(1, 1)]
    villages = gpd.GeoDataFrame({"name": list("ABC")}, geometry=shapes, crs="EPSG:4549", index=list("ABC"))
    given = inputs(villages=villages, village=["A", "B", "B", "C", "", ""])
    assert extent_m(given)[0] == pytest.approx(300)
    assert np.isnan(extent_m(given)[1:]).all()


def test_places_of_a_plain_table_are_never_unsure():
    found = checked(inputs(), [True] * 6, np.eye(6, 4, dtype=bool), [True] * 6)
    assert found.reading.unsure == 0.0


@pytest.mark.parametrize(
    ("value", "unsure", "goal", "doubt"),
    [
        (0.70, 0.01, 0.9, ""),
        (0.70, 0.011, 0.9, "coarse_extent:400|70.0%|1.1"),
        (0.895, 0.01, 0.9, "coarse_extent:400|89.5%|1.0"),
        (0.91, 0.0, 0.9, ""),
    ],
)
def test_unsure_people_over_the_setting_or_who_turn_the_verdict_are_a_doubt(
    monkeypatch, value, unsure, goal, doubt
):
    monkeypatch.setattr("lifecircle.audit._doubts.verdict", lambda _target, _year, one: one >= goal)
    check = CoarseReading("t", 1.0, 156.0, 400.0, value, value, unsure)
    assert _too_coarse(SimpleNamespace(), inputs(), check) == doubt


def test_the_report_says_what_the_unsure_may_move():
    check = CoarseReading("t", 1.0, 156.0, 400.0, 0.7, 0.7, 0.021)
    line = reading_lines(Reading(coarse=(check,)), "en")[0]
    assert "about 400 m" in line
    assert "by 2.1 points" in line
    check = CoarseReading("t", 0.0, 156.0, 100.0, 0.7, 0.7, 0.021, 0.04)
    english, chinese = (reading_lines(Reading(coarse=(check,)), language)[0] for language in ("en", "zh"))
    assert "about 100 m wide" in english
    assert "may be off by 2.1 points" in english
    assert "误差可达 2.1 个百分点" in chinese
