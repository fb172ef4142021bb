"""People counted in coarse cells and polygons: those on the smaller side of the limit are unsure."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lifecircle.audit._coarse import CoarsePlaces, Quarters, check_coarse, spacing_m
from lifecircle.audit._doubts import _too_coarse
from lifecircle.reading import CoarseReading, Reading, reading_lines

# Two cells of 400 m, three parts of one polygon, a house.
PEOPLE = np.array([40.0, 60.0, 10.0, 20.0, 30.0, 5.0])
EXTENT = np.array([400.0, 400.0, 500.0, 500.0, 500.0, np.nan])
COUNTED = ["a", "b", "p", "p", "p", "h"]
PLACES = np.array([[0, 0], [400, 0], [800, 0], [850, 0], [900, 0], [1000, 0]], dtype=float)


class Given(SimpleNamespace):
    """Inputs as the check reads them; told apart by what they are, as its cache asks."""

    __hash__ = object.__hash__


def inputs(**columns):
    demand = pd.DataFrame({"population": PEOPLE, **columns})
    return Given(
        demand=demand,
        metres=PLACES,
        study=SimpleNamespace(reading=SimpleNamespace(coarse_change=0.02)),
        year=2025,
    )


def checked(given, coarse, in_time, covered):
    on_roads = np.ones((6, 4), dtype=bool)
    quarters = Quarters(CoarsePlaces(np.array(coarse), 1.0, 156.0), on_roads, np.array(in_time))
    return check_coarse(SimpleNamespace(id="t"), given, quarters, PEOPLE, np.array(covered))


def test_a_place_is_as_coarse_as_the_unit_its_people_were_counted_in():
    assert spacing_m(inputs(extent_m=EXTENT, counted_in=COUNTED)).tolist() == [400, 400, 500, 500, 500, 100]
    assert spacing_m(inputs()).tolist() == [400, 400, 50, 50, 50, 100]


def test_the_smaller_side_of_every_coarse_unit_is_unsure():
    coarse = [True] * 5 + [False]
    in_time = np.zeros((6, 4), dtype=bool)
    in_time[0, :3], in_time[1], in_time[4] = True, True, True
    covered = [True, True, True, False, True, False]
    found = checked(inputs(extent_m=EXTENT, counted_in=COUNTED), coarse, in_time, covered)
    # Cell a: a quarter of 40; cell b: nobody; of the polygon's 60 people 20, whatever its quarters say.
    assert found.unsure == pytest.approx((10 + 0 + 20) / 165)
    assert found.value == pytest.approx((40 + 60 + 10 + 30) / 165)
    assert found.spread == pytest.approx((30 + 60 + 10 + 30) / 165)


def test_places_of_a_plain_table_are_never_unsure():
    found = checked(inputs(), [True] * 6, np.eye(6, 4, dtype=bool), [True] * 6)
    assert found.unsure == 0.0


@pytest.mark.parametrize(
    ("value", "unsure", "goal", "doubt"),
    [
        (0.70, 0.02, 0.9, ""),
        (0.70, 0.021, 0.9, "coarse_extent:400|70.0%|2.1"),
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
