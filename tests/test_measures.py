"""Coverage tables counted by hand, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifecircle.errors import UnusableInputError
from lifecircle.limits import STATUSES
from lifecircle.measures import bounds, coverage

IDS = list("abcdefgh")


@pytest.fixture
def near() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "seconds": [0.0, 900.0, 900.0 + 9e-13, 900.5, 1200.0, np.nan, np.nan, 60.0],
            "status": ["covered"] * 3 + ["beyond"] * 2 + ["disconnected", "unsnapped", "covered"],
            "leg_m": [100.0, 100.5, 250.0, 300.0, 0.0, 5.0, np.nan, 200.0],
        },
        index=IDS,
    )


@pytest.fixture
def demand() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "population": [1, 2, 4, 8, 16, 32, 64, 128],
            "over60": [0.5, 0.0, 0, 1, 0, 0, 0, 2],
            "district": ["west", "west", "east", "east", None, None, "east", "north"],
            "zone": [2, 1, 2, 1, 2, 1, 2, 1],
        },
        index=IDS,
    )


def test_one_row_for_everyone(near, demand) -> None:
    table = coverage(near, demand, limit_min=15)
    assert table.index.tolist() == ["all"]
    assert table.columns.tolist() == ["people", *STATUSES, "rate", "leg_over_100_m", "leg_over_200_m"]
    assert table.loc["all"].tolist() == [255, 135, 24, 32, 64, 135 / 255, 2 + 4 + 128, 4]
    assert (table.dtypes == np.float64).all()


def test_seconds_decide_between_covered_and_beyond_and_the_limit_is_inclusive(near, demand) -> None:
    def buckets(minutes):
        return coverage(near, demand, limit_min=minutes).loc["all", list(STATUSES)].tolist()

    assert buckets(20) == [159, 0, 32, 64]
    assert buckets(1) == [129, 30, 32, 64]
    assert buckets(0.999) == [1, 158, 32, 64]
    assert buckets(0) == [1, 158, 32, 64]


def test_rows_by_district_keep_those_without_one(near, demand) -> None:
    table = coverage(near, demand, limit_min=15, by="district")
    assert table.index.tolist() == ["east", "north", "west", "(none)"]
    assert table.index.name == "district"
    assert table.people.tolist() == [76, 128, 3, 48]
    assert table.covered.tolist() == [4, 128, 3, 0]
    assert table.unsnapped.tolist() == [64, 0, 0, 0]
    assert table.rate.tolist() == [4 / 76, 1, 1, 0]


def test_rows_by_several_columns(near, demand) -> None:
    table = coverage(near, demand, limit_min=15, by=["district", "zone"])
    assert table.index.names == ["district", "zone"]
    assert table.people.to_dict() == {
        ("east", 1): 8,
        ("east", 2): 68,
        ("north", 1): 128,
        ("west", 1): 2,
        ("west", 2): 1,
        ("(none)", 1): 32,
        ("(none)", 2): 16,
    }


@pytest.mark.parametrize("kind", ["object", "category", "str"])
def test_rows_by_a_series_of_any_kind(near, demand, kind) -> None:
    by = demand.district.astype(kind).rename("town")
    table = coverage(near, demand, limit_min=15, by=by)
    assert table.people.to_dict() == {"east": 76, "north": 128, "west": 3, "(none)": 48}
    assert table.index.name == "town"


def test_numbered_districts_keep_their_numbers(near, demand) -> None:
    table = coverage(near, demand, limit_min=15, by="zone")
    assert table.people.to_dict() == {1: 170, 2: 85}


def test_a_group_is_counted_by_its_own_column(near, demand) -> None:
    assert coverage(near, demand, limit_min=15, people="over60").loc["all", "rate"] == 2.5 / 3.5


def test_a_rate_without_people_is_unknown(near, demand) -> None:
    table = coverage(near, demand.assign(population=0), limit_min=15)
    assert table.people.tolist() == [0]
    assert np.isnan(table.rate["all"])
    assert bounds(table).isna().all(axis=None)


def test_no_residents(near, demand) -> None:
    nobody, none = near[:0], demand[:0]
    assert coverage(nobody, none, limit_min=15).people.tolist() == [0]
    assert len(coverage(nobody, none, limit_min=15, by="district")) == 0
    assert coverage(nobody, none, limit_min=15, by=["district", "zone"]).index.names == ["district", "zone"]


def test_without_legs_there_are_no_leg_columns(near, demand) -> None:
    table = coverage(near[["seconds", "status"]], demand, limit_min=15)
    assert table.columns.tolist() == ["people", *STATUSES, "rate"]


def test_bounds_take_the_unsnapped_for_beyond_and_for_covered(near, demand) -> None:
    table = bounds(coverage(near, demand, limit_min=15, by="district"))
    assert table.columns.tolist() == ["lower", "upper"]
    assert table.loc["east"].tolist() == [4 / 76, 68 / 76]
    assert table.loc["west"].tolist() == [1, 1]


def test_the_four_buckets_add_up_to_the_people_exactly(near, demand) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        table = coverage(near, demand.assign(population=rng.random(8) * 1e5), limit_min=15, by="district")
        assert (table.covered + table.beyond + table.disconnected + table.unsnapped == table.people).all()


def test_arguments_are_left_alone(near, demand) -> None:
    copies = near.copy(), demand.copy()
    coverage(near, demand, limit_min=15, by=["district", "zone"])
    pd.testing.assert_frame_equal(near, copies[0])
    pd.testing.assert_frame_equal(demand, copies[1])


def test_tables_on_different_indexes_are_refused(near, demand) -> None:
    with pytest.raises(UnusableInputError, match=r"differ at position 2 .*'c', 'd'"):
        coverage(near, demand.iloc[[0, 1, 3, 2, 4, 5, 6, 7]], limit_min=15)
    with pytest.raises(UnusableInputError, match=r"differ in length .found: 8, 7"):
        coverage(near, demand[:7], limit_min=15)
    ranked = near.set_axis(pd.MultiIndex.from_product([IDS[:4], [1, 2]]))
    with pytest.raises(UnusableInputError, match=r"pick one with near.xs\(1, level='rank'\)"):
        coverage(ranked, demand, limit_min=15)


def test_a_series_on_another_index_is_refused(near, demand) -> None:
    with pytest.raises(UnusableInputError, match="by and demand differ at position 0"):
        coverage(near, demand, limit_min=15, by=demand.district[::-1])


def test_all_faults_are_reported_at_once(near, demand) -> None:
    broken = demand.assign(population=[1, 2, -3, 4, 5, 6, 7, 8])
    with pytest.raises(UnusableInputError) as caught:
        coverage(near.assign(status=["covered"] * 7 + ["reached"]), broken, limit_min=15)
    assert [fault.value for fault in caught.value.faults] == ["-3", "reached"]
    assert "row 'c', column 'population'" in str(caught.value)
    assert "row 'h', column 'status'" in str(caught.value)
    with pytest.raises(UnusableInputError) as caught:
        coverage(near[["status"]], demand, limit_min=np.nan, by="town", people="women")
    assert [fault.place for fault in caught.value.faults] == [
        "limit_min",
        "near, column 'seconds'",
        "demand, column 'women'",
        "demand, column 'town'",
    ]


@pytest.mark.parametrize("people", [None, np.nan, np.inf, "many"])
def test_people_that_are_no_number_are_refused(near, demand, people) -> None:
    population = demand.population.astype(object)
    population["b"] = people
    with pytest.raises(UnusableInputError, match="row 'b', column 'population': not a number of people"):
        coverage(near, demand.assign(population=population), limit_min=15)


@pytest.mark.parametrize("limit_min", [-1, np.inf])
def test_a_limit_that_is_none_is_refused(near, demand, limit_min) -> None:
    with pytest.raises(UnusableInputError, match="give a finite number of minutes >= 0"):
        coverage(near, demand, limit_min=limit_min)
