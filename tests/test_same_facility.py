"""The same facility in the files of two years: a renamed library is no closure and no opening."""

import geopandas as gpd
import numpy as np
import pytest

from conftest import edit
from lifecircle.audit import prepare
from lifecircle.doctor import check_study
from lifecircle.doctor._year_checks import years_matched
from lifecircle.facilities import (
    DUPLICATE_M,
    LIKE_NAME_M,
    SAME_ID_M,
    SAME_NAME_M,
    YearRegister,
    same_facilities,
)
from lifecircle.study import read_study

METRES = "EPSG:4549"
HEAD = "id,name,service,x,y,opened,closed"


def year(*rows, ids=True):
    """Give a register of rows (id, name, service, metres to the east)."""
    places = gpd.points_from_xy([500_000.0 + row[3] for row in rows], [3_377_000.0] * len(rows), crs=METRES)
    columns = {"name": [row[1] for row in rows], "service": [row[2] for row in rows], "source": "a.csv"}
    columns["row"] = [str(at) if not ids else "" for at in range(2, 2 + len(rows))]
    labels = [row[0] if ids else str(at) for at, row in enumerate(rows, start=2)]
    return YearRegister(gpd.GeoDataFrame(columns, geometry=places, index=labels).to_crs("EPSG:4326"), METRES)


def matched(first, second):
    same = same_facilities(first, second, np.arange(len(first.table)), np.arange(len(second.table)))
    return [(a, b, rule) for (a, b), rule in zip(same.pairs.tolist(), same.rule, strict=True)]


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        (("L1", "老馆", "library", 0), ("L1", "新馆", "library", SAME_ID_M - 1), "id"),
        (("L1", "老馆", "library", 0), ("L1", "新馆", "library", SAME_ID_M + 1), None),  # a reused id
        (("L1", "老馆", "library", 0), ("L1", "老馆", "library", 9_000), "id"),
        (("L1", "县图书馆", "library", 0), ("B7", "县图书馆", "library", SAME_NAME_M - 1), "name"),
        (("L1", "县图书馆", "library", 0), ("B7", "县图书馆", "library", SAME_NAME_M + 1), None),
        (
            ("L1", "海盐县武原街道公共图书馆", "library", 0),
            ("B7", "海盐县武原街道公共图书室", "library", 199),
            "like_name",
        ),
        (
            ("L1", "海盐县武原街道公共图书馆", "library", 0),
            ("B7", "海盐县武原街道公共图书室", "library", LIKE_NAME_M + 1),
            None,
        ),
        (("L1", "第一幼儿园武原园区", "k", 0), ("B7", "第二幼儿园武原园区", "k", 150), None),
        (("L1", "老馆", "library", 0), ("B7", "文化家园", "library", DUPLICATE_M - 1), "place"),
        (("L1", "老馆", "library", 0), ("B7", "文化家园", "library", DUPLICATE_M + 1), None),
        (("L1", "老馆", "library", 0), ("L1", "老馆", "hall", 0), None),  # another service is another venue
    ],
)
def test_what_makes_two_rows_one_facility(one, other, rule):
    found = matched(year(one), year(other))
    assert found == ([] if rule is None else [(0, 0, rule)])


def test_row_numbers_are_no_ids():
    first = year(("", "甲馆", "library", 0), ("", "乙馆", "library", 5_000), ids=False)
    second = year(("", "乙馆", "library", 5_000), ("", "甲馆", "library", 0), ids=False)
    assert matched(first, second) == [(0, 1, "name"), (1, 0, "name")]


def test_nearly_one_name_goes_before_another_at_the_same_place():
    first = year(("A", "海盐县武原街道公共图书馆", "library", 0))
    second = year(("X", "书吧", "library", 5), ("Y", "海盐县武原街道公共图书室", "library", 100))
    assert matched(first, second) == [(0, 1, "like_name")]


@pytest.fixture
def two_years(toytown):
    """Give the toy town with a list of its own for each year."""
    rows = (toytown / "facilities.csv").read_text("utf-8")
    (toytown / "f2024.csv").write_text(rows, "utf-8")
    later = rows.replace("L1,Toy library,", "B1,Town library,").replace(
        "G1,Toy gym west,gym,500500,3377000,2023-06-01,\n", "N1,Gym north,gym,501000,3378000,,\n"
    )
    (toytown / "f2025.csv").write_text(later, "utf-8")
    edit(toytown / "study.toml", '"facilities.csv"', '{ 2024 = "f2024.csv", 2025 = "f2025.csv" }')
    return toytown


def test_check_reports_how_the_years_were_matched(two_years):
    found = {one.kind: one for one in years_matched(prepare(read_study(two_years), 2025))}
    assert set(found) == {"matched", "not_listed", "listed_late"}
    assert found["matched"].rows == ("L1 → B1: Toy library → Town library (place)",)
    assert found["not_listed"].rows == ("G1 Toy gym west",)
    assert found["listed_late"].rows == ("N1 Gym north",)
    assert all(one.severity == "note" and str(one.effect) for one in found.values())
    assert {"matched", "not_listed"} <= {one.kind for one in check_study(two_years).problems}


def test_one_file_for_both_years_has_nothing_to_match(toytown):
    assert list(years_matched(prepare(read_study(toytown), 2025))) == []


def test_files_of_the_year_before_that_cannot_be_read_are_said(two_years):
    (two_years / "f2024.csv").write_text("id,name\n", "utf-8")
    (only,) = years_matched(prepare(read_study(two_years), 2025))
    assert (only.kind, only.severity) == ("year_before", "note")
    assert any("f2024.csv" in row for row in only.rows)
