"""Cells: whatever stands in one, in any column of any table, is read, rejected or refused, and said."""

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from lifecircle.candidates import CANDIDATE_COLUMNS, read_candidates
from lifecircle.cells import (
    is_one_value,
    mended_number,
    parse_date,
    parse_flag,
    plain_degrees,
    plain_numbers,
    plain_text,
    plain_texts,
)
from lifecircle.demand import (
    DEMAND_COLUMNS,
    DISTRICT_COLUMNS,
    VILLAGE_COLUMNS,
    read_accepted,
    read_demand,
    read_districts,
    read_villages,
)
from lifecircle.errors import Message, UnusableInputError
from lifecircle.facilities import FACILITY_COLUMNS, read_facilities
from lifecircle.indicators import INDICATOR_COLUMNS, read_indicators
from lifecircle.standards import Standard

HALF = "a\ud800b"
ODD = [
    "", " ", "x", "1e400", "-1", "0x10", "１２", "1,5", "inf", "nan", "0000-00-00", "9999-12-31", HALF,
    "\x00", b"bytes", bytearray(b"x"),
    [1], [], ["a", None], (1, 2), {"a": 1}, {1}, np.array([1, 2]), np.array(3.0),
    True, False, np.array([True])[0], 0, -1, 10**400, -(10**5000), 2**64, 1e308, -1e308, math.inf, -math.inf,
    math.nan, None, pd.NA, pd.NaT, complex(1, 2), Decimal("1e999"), Decimal("NaN"), Fraction(1, 3),
    dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.datetime(2021, 1, 1, tzinfo=dt.UTC), dt.time(1, 2),
    dt.timedelta(days=9), np.datetime64("2021-01-01"), np.datetime64("NaT"), np.datetime64("20000-01-01"),
    np.timedelta64(5, "D"), np.int8(3), np.float32(1.5), np.uint64(2**63), pd.Timestamp("2021-01-01"),
    pd.Timedelta("1D"), pd.Interval(0, 1), pd.Period("2021"), Point(1, 2), object(),
]  # fmt: skip
odd = st.sampled_from(ODD)


@pytest.mark.parametrize("cell", ODD, ids=lambda cell: type(cell).__name__)
def test_any_cell_is_a_text_a_number_or_not(cell):
    text = plain_text(cell)
    assert type(text) is str
    text.encode("utf-8")
    column = pd.Series([cell, "a"], dtype=object)
    assert plain_texts(column).tolist() == [text, "a"]
    number = plain_numbers(column)
    assert number.dtype == np.float64
    assert not np.isinf(number).any()
    for parse in (parse_date, parse_flag):
        try:
            parse(cell)
        except ValueError as error:
            assert "not a" in str(error) or "year" in str(error) or "month" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.5", " 2 ", "", None, "1e3"], [1.5, 2, None, None, 1000]),
        ([1, 2.5, np.int64(3), Decimal("4.5")], [1, 2.5, 3, 4.5]),
        ([True, "True", b"1", [1], "1_000", "1 000"], [None] * 6),
        (pd.Series([10**400, "1e400", math.inf, Decimal("1e999"), complex(1)], dtype=object), [None] * 5),
        (pd.Series([True, False]), [None, None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series(["1", "x"], dtype="category"), [1, None]),
        (pd.to_datetime(pd.Series(["2021-01-01"])), [None]),
        (pd.Series([2**64 - 1], dtype="uint64"), [float(2**64 - 1)]),
    ],
)
def test_numbers(cells, numbers):
    found = plain_numbers(pd.Series(cells))
    assert [None if np.isnan(one) else one for one in found] == numbers


@pytest.mark.parametrize(
    ("cell", "digits"),
    [
        ("１２０", "120"), ("１２．５", "12.5"), ("120人", "120"), ("35 张", "35"), ("1.2万", "12000"),
        ("1.2万人", "12000"), ("3千", "3000"), ("0.5亿", "50000000"), ("1,200人", "1200"),
        ("1,200万", "12000000"),
        ("-3个", "-3"), ("35 beds", "35"), ("80㎡", "80"), ("12345678901234567人", "12345678901234567"),
        # more than one reading, or a unit that would change the figure
        ("1,200", None), ("1,20人", None), ("约120人", None), ("120余人", None), ("30-40人", None),
        ("3亩", None),
        ("2公顷", None), ("12%", None), ("", None), ("人", None), ("1.2.3人", None), ("9" * 61, None),
        ("\ufdfa" * 61, None), ("1人2人", None),
    ],
)  # fmt: skip
def test_numbers_as_offices_write_them(cell, digits):
    assert mended_number(cell) == digits
    found = plain_numbers(pd.Series(["7", cell]))
    if digits is not None:
        assert found.tolist() == [7.0, float(digits)]


@pytest.mark.parametrize(
    ("cell", "degrees"),
    [
        ("120°30′36″", 120.51), ("120°30'36\"", 120.51), ("120°30’36”E", 120.51), ("120度30分36秒", 120.51),
        ("东经120°30′36″", 120.51), ("E120°30.6′", 120.51), ("１２０°３０′", 120.5), ("120.51°", 120.51),
        ("120° 30' 36''", 120.51), ("S30°30′", -30.5), ("30°30′W", -30.5), ("-30°30′", -30.5),
        ("120.51", 120.51),
        ("120°60′", None), ("120°30′60″", None), ("120.5°30′", None), ("N30°30′E", None), ("120-30-36", None),
        ("120°30", None), ("1200°", None),
    ],
)  # fmt: skip
def test_degrees_minutes_and_seconds(cell, degrees):
    (found,) = plain_degrees(pd.Series([cell])).tolist()
    assert math.isnan(found) if degrees is None else found == pytest.approx(degrees, abs=1e-12)


def test_days_in_wide_digits():
    assert parse_date("２０２１年３月５日") == dt.date(2021, 3, 5)
    assert parse_date("２０２１") == dt.date(2021, 1, 1)


def test_lists_and_numbers_without_end_are_no_single_value():
    assert [is_one_value(cell) for cell in ("a", 1, None, math.nan, dt.date(2021, 1, 1))] == [True] * 5
    assert [is_one_value(cell) for cell in ([1], {}, b"a", 10**401, object())] == [False] * 5


STANDARD = Standard.model_validate(
    {
        "id": "s",
        "target": [{"id": "share", "kind": "indicator", "unit": "share", "goal": 0.5, "due": 2030}],
    }
)
VILLAGES = gpd.GeoDataFrame(
    {"name": ["a", "b"], "district": ["1", "2"], "class": "", "urban": pd.array([None, None], "boolean")},
    geometry=[Point(120.9, 30.5), Point(121, 30.6)],
    crs=4326,
    index=pd.Index(["c1", "c2"], name="code"),
)


def read_all(read):
    return lambda frame: read(frame, max_rejected=1.0)


def layer(frame):
    shapes = [box(120 + n, 30, 120.5 + n, 30.5) for n in range(len(frame))]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=4326)


READERS = {
    "demand": (DEMAND_COLUMNS, ("id", "lon", "lat"), read_all(read_demand)),
    "facilities": (FACILITY_COLUMNS, ("id", "lon", "lat", "location", "district"), read_all(read_facilities)),
    "villages": (VILLAGE_COLUMNS, ("lon", "lat", "accepted_culture"), read_all(read_villages)),
    "candidates": (CANDIDATE_COLUMNS, ("id", "lon", "lat"), read_all(read_candidates)),
    "districts": (DISTRICT_COLUMNS, (), lambda frame: read_districts(layer(frame))),
    "accepted": (
        VILLAGE_COLUMNS,
        (),
        lambda frame: read_accepted(frame, VILLAGES, max_rejected=1.0),
    ),
    "indicators": (
        INDICATOR_COLUMNS,
        (),
        lambda frame: read_indicators(frame, standard=STANDARD, villages=VILLAGES, max_rejected=1.0),
    ),
}
SOUND = {
    "population": "3", "lon": "120.9", "lat": "30.5", "name": "a", "code": "c1", "service": "gym",
    "target": "share", "year": "2025", "value": "0.5", "location": "120.9,30.5",
}  # fmt: skip


def said(read, frame):
    """Read a frame: every sentence that is said of it, as faults or as reject rows."""
    try:
        answer = read(frame)
    except UnusableInputError as error:
        str(error).encode("utf-8")
        return [text for fault in error.faults for text in (fault.reason, fault.remedy)]
    rejects = getattr(answer, "rejects", answer[1] if isinstance(answer, tuple) else None)
    if rejects is None:
        return []
    "".join(rejects["value"]).encode("utf-8")
    return [text for name in ("reason", "remedy") for text in rejects[name]]


def assert_said(texts):
    assert [text for text in texts if text and not isinstance(text, Message)] == []


@pytest.mark.parametrize("reader", READERS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_cell_in_any_column_is_read_rejected_or_refused_in_words(reader, data):
    schema, more, read = READERS[reader]
    names = [*schema.names, *more]
    rows = [{name: SOUND.get(name, "") for name in names} for _ in range(3)]
    for _ in range(data.draw(st.integers(1, 4))):
        rows[data.draw(st.integers(0, 2))][data.draw(st.sampled_from(names))] = data.draw(odd)
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in names})
    assert_said(said(read, frame))


@pytest.mark.parametrize("reader", READERS)
def test_a_column_of_every_odd_cell(reader):
    schema, more, read = READERS[reader]
    names = [*schema.names, *more]
    for odd_one in names:
        cells = {name: [SOUND.get(name, "")] * len(ODD) for name in names} | {odd_one: ODD}
        frame = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in cells.items()})
        assert_said(said(read, frame))
