"""The register: a facility listed twice is one, and a locked door at the promised hour counts as shut."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest

from conftest import edit
from lifecircle.audit import prepare
from lifecircle.facilities import (
    DUPLICATE_M,
    SIMILAR_M,
    merge_duplicates,
    merge_similar,
    one_name,
    open_at,
    read_facilities,
    similar_rows,
)
from lifecircle.study import read_study
from lifecircle.tables import REJECT_COLUMNS

LON, LAT = 120.95, 30.5
GLOBE = pyproj.Geod(ellps="WGS84")


def register(*rows):
    """Read facilities from (name, service[, metres away, bearing, opened, closed]); ids are their numbers."""
    table = []
    for row in rows:
        name, service, metres, bearing, opened, closed = [*row, *(0, 90, "", "")[len(row) - 2 :]]
        lon, lat, _ = GLOBE.fwd(LON, LAT, bearing, metres)
        table.append([name, service, lon, lat, opened, closed])
    columns = ["name", "service", "lon", "lat", "opened", "closed"]
    facilities, rejects = read_facilities(pd.DataFrame(table, columns=columns))
    assert rejects.empty
    return facilities


def kept(facilities):
    return merge_duplicates(facilities)[0].index.tolist()


# --- listed twice -----------------------------------------------------------------------------------


def test_the_first_row_stands_and_the_later_is_a_reject():
    facilities = register(("文化礼堂", "hall"), ("图书馆", "library"), ("文化礼堂", "hall", 10))
    found, rejects = merge_duplicates(facilities)
    assert found.index.tolist() == [1, 2]
    assert isinstance(found, gpd.GeoDataFrame)
    assert found.columns.tolist() == facilities.columns.tolist()
    assert rejects.columns.tolist() == REJECT_COLUMNS
    (reject,) = rejects.to_dict("records")
    assert (reject["file"], reject["row"], reject["column"]) == ("(table)", 3, "name")
    assert reject["value"] == "文化礼堂"
    assert reject["reason"] == "listed twice: the same service, name and place as 1 ((table), row 1)"
    assert reject["remedy"] == "delete one of the two rows"
    assert len(facilities) == 3  # the caller's table is as it was


@pytest.mark.parametrize("bearing", [0, 45, 90, 180, 270])
def test_thirty_metres_are_inclusive_in_every_direction(bearing):
    assert DUPLICATE_M == 30
    assert kept(register(("a", "hall"), ("a", "hall", 30.0, bearing))) == [1]
    assert kept(register(("a", "hall"), ("a", "hall", 30.01, bearing))) == [1, 2]


@pytest.mark.parametrize("latitude", [-60.0, 0.0, 48.0, 80.0])
def test_metres_are_metres_at_every_latitude(latitude):
    for bearing in (0, 90):
        for metres, left in ((29.99, 1), (30.01, 2)):
            lon, lat, _ = GLOBE.fwd(179.9999, latitude, bearing, metres)
            table = pd.DataFrame(
                {"name": "a", "service": "hall", "lon": [179.9999, lon], "lat": [latitude, lat]}
            )
            facilities, _ = read_facilities(table)
            assert len(merge_duplicates(facilities)[0]) == left


def test_other_name_or_other_service_is_another_facility():
    rows = [("a", "hall"), ("b", "hall"), ("a", "library"), ("A", "hall")]
    assert kept(register(*rows)) == [1, 2, 3, 4]
    assert kept(register(("a", "hall"), (" a ", "hall"))) == [1]  # a space is no name


def test_unnamed_rows_are_never_one():
    assert kept(register(("", "stop"), ("", "stop"), (" ", "stop"))) == [1, 2, 3]


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (("", ""), ("", ""), [1]),
        (("2010", "2020"), ("2020", ""), [1, 2]),  # one closed on the day the other opened
        (("2010", "2020-01-02"), ("2020", ""), [1]),  # one day together
        (("2020", ""), ("2010", "2020"), [1, 2]),
        (("", "2020"), ("2020", ""), [1, 2]),
        (("", "2020"), ("", "2015"), [1]),
        (("2010", ""), ("2015", "2018"), [1]),
        (("2010", ""), ("2015", "2015"), [1, 2]),  # never open, so not at the same time
    ],
)
def test_periods_that_do_not_overlap_are_kept(first, second, left):
    assert kept(register(("a", "hall", 0, 90, *first), ("a", "hall", 5, 90, *second))) == left


def test_of_a_chain_only_rows_near_one_that_stands_go():
    """Each 25 m on: the second goes, the third is 50 m from the first and stands, the fourth goes with it."""
    found, rejects = merge_duplicates(register(*[("a", "hall", 25 * step) for step in range(5)]))
    assert found.index.tolist() == [1, 3, 5]
    assert [reason.split(" as ")[1].split(" ")[0] for reason in rejects["reason"]] == ["1", "3"]


def test_three_in_one_place_leave_one_and_name_it():
    found, rejects = merge_duplicates(register(("a", "hall"), ("a", "hall"), ("a", "hall")))
    assert found.index.tolist() == [1]
    assert rejects["row"].tolist() == [2, 3]
    assert rejects["reason"].str.contains("place as 1 ", regex=False).all()


@pytest.mark.parametrize("ids", [["L1", "L2", "L3"], [30, 20, 10], ["1", "2", "3"]])
def test_ids_may_be_text_or_numbers(ids):
    table = pd.DataFrame({"id": ids, "name": ["a", "b", "a"], "service": "hall", "lon": LON, "lat": LAT})
    facilities, _ = read_facilities(table)
    found, rejects = merge_duplicates(facilities)
    assert found.index.tolist() == ids[:2]
    assert f"place as {ids[0]} " in rejects["reason"].iloc[0]
    assert rejects["row"].tolist() == [3]


def test_rejects_name_the_file_and_row_the_double_stands_in(tmp_path):
    for name, rows in (("a.csv", ["x,hall", "y,hall"]), ("b.csv", ["z,hall", "y,hall", "x,hall"])):
        lines = [f"{row},{LON},{LAT}" for row in rows]
        (tmp_path / name).write_text("\n".join(["name,service,lon,lat", *lines, ""]), "utf-8")
    parts = [read_facilities(tmp_path / name)[0] for name in ("a.csv", "b.csv")]
    both = pd.concat(parts)
    assert not both.index.is_unique  # rows are called by their number in both files
    found, rejects = merge_duplicates(both)
    assert found["name"].tolist() == ["x", "y", "z"]
    assert rejects["file"].tolist() == [str(tmp_path / "b.csv")] * 2
    assert rejects["row"].tolist() == [3, 4]
    assert "a.csv, row 3" in rejects["reason"].iloc[0]
    assert "a.csv, row 2" in rejects["reason"].iloc[1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("武原街道图书馆", "武原街道 图书馆", True),
        ("示例·沈荡镇公共图书馆", "示例·沈荡镇公共图书室", True),
        ("Toy library", "Toy librarry", True),
        ("武原第一社区卫生服务站", "武原第二社区卫生服务站", False),
        ("沈荡镇中心幼儿园东园", "沈荡镇中心幼儿园西园", False),
        ("健身苑点12号", "健身苑点13号", False),
        ("Gym of the sports club A", "Gym of the sports club B", False),
        ("图书馆", "文化馆", False),
    ],
)
def test_nearly_one_name(one, other, same):
    assert one_name(one, other) is same
    assert one_name(other, one) is same


def test_similar_rows_are_near_of_one_service_and_open_together():
    facilities = register(
        ("武原街道图书馆", "library"),
        ("武原街道图书馆（新）", "library", SIMILAR_M),
        ("武原街道 图书馆", "library", SIMILAR_M),
        ("武原街道图书馆", "hall"),
        ("武原街道图书馆", "library", SIMILAR_M + 1, 0),
        ("武原街道图书馆", "library", 0, 0, "", "2001"),
    )
    pairs = similar_rows(facilities).tolist()
    assert [0, 2] in pairs
    assert [0, 1] not in pairs  # they differ in 新
    assert not any(3 in pair for pair in pairs)
    assert [0, 4] not in pairs


def test_merging_keeps_the_first_row_and_fills_in_what_it_lacks():
    facilities = register(
        ("县图书馆总馆", "library"), ("县 图书馆总馆", "library", 50), ("县图书馆", "library")
    )
    facilities["capacity"] = [np.nan, 80.0, 5.0]
    facilities["hours"] = ["24/7", "Mo 08:00-09:00", ""]
    merged, log = merge_similar(facilities, {"(table)"})
    assert merged.index.tolist() == [1, 3]
    assert merged.loc[1, ["capacity", "hours"]].tolist() == [80.0, "24/7"]
    (entry,) = log.to_dict("records")
    assert (entry["row"], entry["value"]) == (2, "县 图书馆总馆")
    assert entry["reason"] == "merged into '县图书馆总馆', 1 ((table), row 1), where capacity were filled in"
    assert merge_similar(facilities, set())[0] is facilities  # no list asked for it


def test_a_study_asks_for_merging_list_by_list(toytown):
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L9,Toy librarry,library,501020,3377000,2011,\n")
    inputs = prepare(read_study(toytown))
    assert {"L1", "L9"} <= set(inputs.register.index)
    (reading,) = [one for one in inputs.read if one.role == "facilities"]
    assert reading.notes == ("similar_facilities:1|L1 Toy library / L9 Toy librarry",)
    edit(
        toytown / "study.toml", 'file = "facilities.csv"', 'file = "facilities.csv"\nmerge_duplicates = true'
    )
    inputs = prepare(read_study(toytown))
    assert "L9" not in inputs.register.index
    (reading,) = [one for one in inputs.read if one.role == "facilities"]
    assert (dict(reading.left_out), reading.notes) == ({"duplicate": 1}, ())
    assert "merged into 'Toy library', L1" in str(inputs.rejects["reason"].iloc[0])


def test_without_doubles_or_without_rows_nothing_goes():
    facilities = register(("a", "hall"), ("b", "hall"))
    for table in (facilities, facilities.iloc[:0]):
        found, rejects = merge_duplicates(table)
        assert found.index.tolist() == table.index.tolist()
        assert rejects.empty
        assert rejects.columns.tolist() == REJECT_COLUMNS
    nowhere = facilities.assign(name="a").set_geometry(
        gpd.GeoSeries([None, None], index=facilities.index), crs=4326
    )
    assert merge_duplicates(nowhere)[0].index.tolist() == [1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_doubles_are_those_of_going_through_the_rows(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (str(rng.choice(["a", "b", ""])), str(rng.choice(["hall", "library"])), float(rng.uniform(0, 90)))
        for _ in range(40)
    ]
    standing = []
    for position, (name, service, metres) in enumerate(rows):
        twin = any(
            name and (name, service) == rows[other][:2] and abs(metres - rows[other][2]) <= 30
            for other in standing
        )
        if not twin:
            standing.append(position)
    assert kept(register(*rows)) == [position + 1 for position in standing]


# --- open at an hour --------------------------------------------------------------------------------


def ask(hours, moment="Sat 10:00"):
    known, opened = open_at(pd.DataFrame({"hours": [hours]}), moment)
    assert known.dtype == bool
    assert opened.dtype == bool
    return {(True, True): "open", (True, False): "shut", (False, False): "unknown"}[
        (bool(known[0]), bool(opened[0]))
    ]


@pytest.mark.parametrize(
    ("hours", "moment", "state"),
    [
        ("Mo-Fr 09:00-17:00", "Sat 10:00", "shut"),
        ("Mo-Fr 09:00-17:00", "Fri 10:00", "open"),
        ("Mo-Su 09:00-17:00", "Sat 10:00", "open"),
        ("09:00-17:00", "Sun 16:59", "open"),
        ("9:00-11:30,13:30-17:00", "Tue 12:00", "shut"),
        ("Tu-Su 09:00-17:00; Mo off", "Mon 10:00", "shut"),
        ("Tu-Su 09:00-17:00; Mo off", "Sun 10:00", "open"),
        ("24/7", "Mon 00:00", "open"),
        ("24/7", "Sun 23:59", "open"),
        ("off", "Sat 10:00", "shut"),
        ("Mo-Fr 09:00-17:00; PH off", "Wed 10:00", "open"),
        ("Sa-Su,PH 09:00-17:00", "Sat 10:00", "open"),
    ],
)
def test_hours_in_the_notation(hours, moment, state):
    assert ask(hours, moment) == state


@pytest.mark.parametrize(
    ("moment", "state"),
    [("Sat 08:59", "shut"), ("Sat 09:00", "open"), ("Sat 16:59", "open"), ("Sat 17:00", "shut")],
)
def test_the_minute_of_opening_is_open_and_that_of_closing_is_not(moment, state):
    assert ask("Sa 09:00-17:00", moment) == state


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("Fri 21:59", "shut"),
        ("Fri 23:59", "open"),
        ("Sat 00:00", "open"),
        ("Sat 01:59", "open"),
        ("Sat 02:00", "shut"),
    ],
)
def test_a_night_runs_past_midnight(moment, state):
    assert ask("Fr 22:00-02:00", moment) == state
    assert ask("Fr 22:00-26:00", moment) == state


def test_a_night_runs_into_the_first_day_of_the_week():
    assert ask("Su 22:00-02:00", "Mon 01:00") == "open"
    assert ask("Mo-Su 20:00-24:00", "Mon 00:00") == "shut"


@pytest.mark.parametrize(
    "hours",
    [
        "",
        "  ",
        None,
        "周一至周五",
        "9-17",
        "by appointment",
        "unknown",
        "Sa 09:00-17:00 unknown",
        '"by appointment"',
        'Mo-Fr 09:00-17:00 || "by appointment"',
    ],
)
def test_what_cannot_be_read_or_says_nothing_is_unknown(hours):
    assert ask(hours) == "unknown"


def test_a_comment_beside_hours_leaves_them_readable():
    assert ask('Mo-Su 09:00-17:00 "ring the bell; side door"') == "open"
    assert ask('Mo-Fr 09:00-17:00 || "by appointment"', "Fri 10:00") == "open"


def test_one_answer_for_each_row_in_order():
    table = pd.DataFrame({"hours": ["24/7", "", "Mo 09:00-10:00", "24/7"]}, index=list("dcba"))
    known, opened = open_at(table, "Sat 10:00")
    assert known.tolist() == [True, False, True, True]
    assert opened.tolist() == [True, False, False, True]
    nothing = open_at(table.iloc[:0], "Sat 10:00")
    assert [part.tolist() for part in nothing] == [[], []]


def test_hours_reach_the_register_from_a_file(tmp_path):
    (tmp_path / "a.csv").write_text(
        f"name,service,lon,lat,开放时间\na,hall,{LON},{LAT},Sa 09:00-12:00\nb,hall,{LON},{LAT},\n", "utf-8"
    )
    facilities, _ = read_facilities(tmp_path / "a.csv", columns={"hours": "开放时间"})
    known, opened = open_at(facilities, "Sat 10:00")
    assert known.tolist() == [True, False]
    assert opened.tolist() == [True, False]
    bare = register(("a", "hall"))
    assert not open_at(bare, "Sat 10:00")[0].any()
