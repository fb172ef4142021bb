"""Registered figures: the year's, who has none, and rules that every village must meet."""

import math

import pandas as pd
import pytest

from lifecircle.measures import registered, share_bounds, village_figures, village_rule

COLUMNS = ["target", "year", "district", "village", "item", "value", "source"]
TABLE = pd.DataFrame(
    [
        ("visits", 2024, "", "", "", 0.88, "office"),
        ("visits", 2025, "", "", "", 0.91, "office"),
        ("visits", 2025, "T1", "", "", 0.95, "office"),
        ("visits", 2025, "T1", "V1", "", 0.99, "station"),
        ("income", 2025, "", "V1", "all", 210.0, "bureau"),
        ("income", 2025, "", "V1", "own", 80.0, "bureau"),
        ("income", 2025, "", "V2", "all", 199.9, "bureau"),
        ("income", 2025, "", "V2", "own", 300.0, "bureau"),
        ("income", 2025, "", "V3", "all", 500.0, "bureau"),
        ("income", 2025, "", "V4", "own", 10.0, "bureau"),
        ("income", 2024, "", "V1", "all", 1.0, "bureau"),
    ],
    columns=COLUMNS,
)
VILLAGES = pd.Index(["V1", "V2", "V3", "V4", "V5"], name="code")


def test_the_figure_of_a_year_and_those_of_districts_and_villages():
    found = registered(
        TABLE, "visits", 2025, districts=pd.Index(["T1", "T2"]), villages=pd.Index(["V1", "V2"])
    )
    assert (found.value, dict(found.by_year)) == (0.91, {2024: 0.88, 2025: 0.91})
    assert found.districts["T1"] == 0.95
    assert found.missing_districts == ["T2"]
    assert (found.villages["V1"], found.missing_villages) == (0.99, ["V2"])
    assert found.sources == ("office", "station")


def test_no_figure_of_a_year_is_no_figure():
    found = registered(TABLE, "visits", 2023, districts=pd.Index(["T1"]))
    assert (found.value, dict(found.by_year)) == (None, {2024: 0.88, 2025: 0.91})
    assert found.missing_districts == ["T1"]
    assert registered(TABLE, "visits", 2024).districts.empty
    assert registered(TABLE, "nothing", 2025).by_year == {}


def test_items_are_no_figures_of_the_target_itself():
    assert registered(TABLE, "income", 2025).value is None
    assert registered(TABLE, "income", 2025).villages.empty


def test_every_item_must_be_met_and_the_figure_itself_is_enough():
    figures = village_figures(TABLE, "income", 2025, VILLAGES)
    assert figures.loc["V1"].tolist() == [210.0, 80.0]
    assert math.isnan(figures.loc["V3", "own"])
    rule = village_rule(figures, {"all": 200, "own": 80})
    assert rule["meets"].tolist() == [True, False, pd.NA, False, pd.NA]
    assert rule["fails"].tolist() == ["", "all", "", "own", ""]
    assert rule["unknown"].tolist() == ["", "", "own", "all", "all|own"]
    assert share_bounds(rule["meets"]) == (0.2, 0.6, 2)


def test_a_rule_may_ask_for_at_most():
    figures = pd.DataFrame({"cases": [3.0, 4.0, None]})
    assert village_rule(figures, {"cases": 3}, direction="down")["meets"].tolist() == [True, False, pd.NA]


def test_an_item_that_nobody_registered_is_unknown_everywhere():
    rule = village_rule(village_figures(TABLE, "income", 2025, VILLAGES), {"debt": 1})
    assert rule["meets"].isna().all()
    assert share_bounds(rule["meets"]) == (0.0, 1.0, 5)
    assert share_bounds(rule["meets"][:0]) is None


@pytest.mark.parametrize("year", [2019, 2026])
def test_a_year_without_rows(year):
    figures = village_figures(TABLE, "income", year, VILLAGES)
    assert figures.index.tolist() == list(VILLAGES)
    assert village_rule(figures, {"all": 200})["meets"].isna().all()
