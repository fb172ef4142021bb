"""Opening hours: as offices write them, read into one notation, and never closed because they are unread."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.facilities import open_at, read_facilities
from lifecircle.hours import open_then, osm_hours

MONDAY = datetime(2024, 6, 3)  # noqa: DTZ001 - a clock on a wall has no zone
OFFICE = "08:30-11:30,13:30-17:00"


@pytest.mark.parametrize(
    ("text", "notation"),
    [
        ("8:30-11:30;13:30-17:00", OFFICE),
        ("8:30-11:30；13:30-17:00", OFFICE),
        ("8:30-11:30、13:30-17:00", OFFICE),
        ("8:30-11:30 13:30-17:00", OFFICE),
        ("08:30～11:30 / 13:30～17:00", OFFICE),
        ("8.30-11.30，13.30-17.00", OFFICE),
        ("上午8:30-11:30 下午13:30-17:00", OFFICE),
        ("上午：8点半至11点半，下午：1点半至5点", OFFICE),
        ("8:30am-11:30am, 1:30-5pm", OFFICE),
        ("Mo-Fr 8:30-11:30; 13:30-17:00", f"Mo-Fr {OFFICE}"),
        ("Mo-Fr 08:30-11:30; Mo-Fr 13:30-17:00", f"Mo-Fr {OFFICE}"),
        ("周一至周五 08:30-11:30, 13:30-17:00; 周六 09:00-11:00", f"Mo-Fr {OFFICE}; Sa 09:00-11:00"),
        ("周一至周日 8:30-17:00", "08:30-17:00"),
        ("每天 8:00-20:00", "08:00-20:00"),
        ("9:00-17:00 daily", "09:00-17:00"),
        ("周二至周日9:00-17:00（周一闭馆）", "Tu-Su 09:00-17:00"),
        ("周一闭馆（节假日除外），其余时间9:00-17:00", "Tu-Su 09:00-17:00"),
        ("闭馆日：周一；周二至周日 9:00-17:00", "Tu-Su 09:00-17:00"),
        ("除周一闭馆外，每天9:00-17:00", "Tu-Su 09:00-17:00"),
        ("closed on Mondays, 9:00-17:00", "Tu-Su 09:00-17:00"),
        ("9:00-17:00\n周一休息", "Tu-Su 09:00-17:00"),
        ("周一、三、五 9:00-11:00", "Mo,We,Fr 09:00-11:00"),
        ("周六日 9:00-17:00", "Sa-Su 09:00-17:00"),
        ("工作日 8:30-17:00", "Mo-Fr 08:30-17:00"),
        ("8:30-17:00，法定节假日除外", "08:30-17:00; PH off"),
        ("周末及节假日 9:00-17:00", "Sa-Su 09:00-17:00; PH 09:00-17:00"),
        ("全年无休 8:00-22:00", "08:00-22:00"),
        ("节假日照常开放 9:00-17:00", "09:00-17:00"),
        ("每天9:00-21:00，周末9:00-22:00", "Mo-Fr 09:00-21:00; Sa-Su 09:00-22:00"),
        ("全天", "00:00-24:00"),
        ("24小时开放", "00:00-24:00"),
        ("全天开放，周一闭馆", "Tu-Su 00:00-24:00"),
        ("9:00-17:00（16:30停止入馆）", "09:00-17:00"),
        ("晚上10:00-次日2:00", "22:00-02:00"),
        ("暂停开放", "off"),
        ("monday to friday 9am to 5pm, sat 9:00am-1:00pm", "Mo-Fr 09:00-17:00; Sa 09:00-13:00"),
    ],
)
def test_office_hours_become_the_notation(text, notation):
    assert osm_hours(text) == notation


@pytest.mark.parametrize(
    "text",
    ["24/7", "Tu-Su 09:00-17:00; Mo off", "Mo-Fr 08:00-18:00; We 08:00-12:00", "Mo-Fr 09:00-17:00; PH off",
     "sunrise-sunset", "Apr-Oct: 08:00-18:00; Nov-Mar: 08:00-17:00",
     '"by appointment"', "09:00-12:00,14:00-17:00"],
)  # fmt: skip
def test_the_notation_itself_stands_as_it_is(text):
    assert osm_hours(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "无", "详见公告", "9-17", "周一闭馆", "夏季8:00-18:00，冬季8:30-17:00", "5月1日至9月30日 8:30-17:30",
     "开馆：9:00 闭馆：17:00", "25:00-26:00", "8:30-11:99", "周八 9:00-17:00", "9" * 600],
)  # fmt: skip
def test_what_is_not_sure_is_not_read(text):
    assert osm_hours(text) is None
    assert open_then(text, MONDAY) is None


@given(st.text(alphabet="周一二至日、每天上下午:：;；-—0123456789 点半闭馆除外MoTuFr", max_size=25))
def test_no_text_ends_in_an_error_and_reading_twice_is_reading_once(text):
    once = osm_hours(text)
    assert once is None or osm_hours(once) == once


@given(
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 23),
    st.integers(1, 59),
    st.integers(0, 7 * 24 * 4 - 1),
)
def test_days_and_times_hold_when_they_say(days, hour, minutes, quarter):
    named = "、".join(f"周{'一二三四五六日'[day]}" for day in sorted(days))
    text = f"{named} {hour}:00-{hour}:{minutes:02d}"
    when = MONDAY + timedelta(minutes=15 * quarter)
    inside = when.weekday() in days and when.hour == hour and when.minute < minutes
    assert open_then(text, when) is inside


def test_a_register_holds_the_notation_and_notes_what_is_unread():
    frame = pd.DataFrame(
        {
            "name": ["A", "B", "C", "D"],
            "service": "hall",
            "lon": 120.9,
            "lat": 30.5,
            "hours": ["8:30-11:30;13:30-17:00", "周一至周日 8:30-17:00", "见门口", None],
        }
    )
    register, rejects = read_facilities(frame, max_rejected=0.0)
    assert register["hours"].tolist() == [OFFICE, "08:30-17:00", "见门口", ""]
    assert rejects[["row", "column", "value"]].to_numpy().tolist() == [[3, "hours", "见门口"]]
    known, opened = open_at(register, "Sat 10:00")
    assert known.tolist() == [True, True, False, False]
    assert opened.tolist() == [True, True, False, False]
