"""Known totals: every unit has exactly its people, and a table at fault says where."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.demand import Totals, constrain, read_crosswalk, read_totals
from lifecircle.errors import UnusableInputError

TOWNS = gpd.GeoDataFrame({"name": ["East", "West", "North"]}, index=pd.Index(["1", "2", "3"], name="code"))


def homes(people, units, **groups):
    spots = gpd.points_from_xy(np.arange(len(people)) / 1000 + 120, np.full(len(people), 30.0))
    index = pd.Index([f"h{n}" for n in range(len(people))], name="id")
    columns = {"population": np.array(people, dtype=float), "district": units, **groups}
    return gpd.GeoDataFrame(columns, geometry=spots, crs=4326, index=index)


def totals(**people):
    return Totals(pd.DataFrame(people).set_index("code"), 0)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 40), st.sampled_from("123")), min_size=1, max_size=50),
    st.lists(st.integers(0, 400), min_size=3, max_size=3),
    st.floats(0, 1),
)
def test_units_have_exactly_their_people_and_their_groups(rows, people, share):
    aged = [int(one * share) for one in people]
    demand = homes(
        [n for n, _ in rows], [unit for _, unit in rows], over60=np.array([n / 3 for n, _ in rows])
    )
    known = totals(code=["1", "2", "3"], population=people, over60=aged)
    held = constrain(demand, known, unit="district").demand
    found = held.groupby("district")[["population", "over60"]].sum().reindex(["1", "2", "3"]).fillna(0)
    assert found["population"].tolist() == people
    assert found["over60"].tolist() == aged
    assert (held["over60"] <= held["population"]).all()
    assert (held["population"] % 1 == 0).all()


def test_people_of_a_unit_without_places_stay_without_one_and_others_as_they_are():
    demand = homes([4.5, 2.0], ["1", "(outside)"], over60=[1.5, 1.0])
    held = constrain(demand, totals(code=["1", "2"], population=[9, 7], over60=[3, 2]), unit="district")
    assert held.unplaced == {"2": 7}
    assert held.before == 4.5
    rows = held.demand.set_index("district")
    assert rows["population"].to_dict() == {"1": 9, "(outside)": 2, "2": 7}
    assert rows["over60"].to_dict() == {"1": 3, "(outside)": 1, "2": 2}
    assert rows.geometry.isna().to_dict() == {"1": False, "(outside)": False, "2": True}
    assert demand["population"].tolist() == [4.5, 2.0]


def test_a_group_without_totals_keeps_its_share_of_every_row():
    demand = homes([10, 30], ["1", "1"], under3=[1.0, 6.0])
    held = constrain(demand, totals(code=["1"], population=[80]), unit="district").demand
    assert held["population"].tolist() == [20, 60]
    assert held["under3"].tolist() == [2.0, 12.0]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"population": [30, 12.5]}, "row 2, column 'population': no whole number of people .found: 12.5"),
        ({"population": [30, -1]}, "row 2, column 'population': negative"),
        ({"population": [30, np.nan]}, "row 2, column 'population': blank"),
        ({"population": [30, np.inf]}, "row 2, column 'population': not a number"),
        ({"population": [30, 1e11]}, "row 2, column 'population': more than"),
        ({"code": ["1", "Wset"]}, "row 2, column 'code': unknown unit .found: Wset.*did you mean 'West'"),
        ({"code": ["1", "East"]}, "row 2, column 'code': the same unit as in row 1"),
        ({"aged": [31, 1]}, "row 1, column 'aged': larger than the population .30"),
    ],
)
def test_a_table_at_fault_says_where(change, match):
    table = pd.DataFrame({"code": ["1", "2"], "population": [30, 12], "aged": [3, 1]} | change)
    with pytest.raises(UnusableInputError, match=match):
        read_totals(table, TOWNS, groups={"over60": "aged"})


def test_all_faults_come_at_once_and_missing_units_are_named():
    table = pd.DataFrame({"code": ["9", "2"], "population": [-3, 0.5]})
    with pytest.raises(UnusableInputError) as caught:
        read_totals(table, TOWNS)
    assert len(caught.value.faults) == 3
    found = read_totals(pd.DataFrame({"code": ["2"], "population": [5]}), TOWNS)
    assert found.notes == ("totals_missing:2|1, 3",)


def test_totals_of_old_units_come_to_those_of_today_to_the_person():
    rows = {
        "from": ["8", "8", "9"],
        "to": ["1", "2", "2"],
        "share": [0.3, 0.7, 1.0],
        "date": ["2020-06-01"] * 3,
    }
    crosswalk = read_crosswalk(pd.DataFrame(rows), [TOWNS])
    table = pd.DataFrame({"code": ["8", "9", "3"], "population": [101, 50, 7], "aged": [11, 5, 7]})
    found = read_totals(table, TOWNS, groups={"over60": "aged"}, crosswalk=crosswalk, year=2019)
    # 30.3 and 70.7 of 101 are 30 and 71; 3.3 and 7.7 of 11 are 3 and 8.
    assert found.people["population"].to_dict() == {"1": 30, "2": 121, "3": 7}
    assert found.people["over60"].to_dict() == {"1": 3, "2": 13, "3": 7}
    assert found.notes == ("totals_moved:2",)
    assert found.olds == {"8", "9"}
