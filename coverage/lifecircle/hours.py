"""Read opening hours as offices write them, and find whether hours are open at a time.

Offices write ``8:30-11:30;13:30-17:00``, ``周二至周日 9:00-17:00（周一闭馆）`` or ``Mon-Fri 9am-5pm``. Each
is converted to OpenStreetMap's notation (``opening_hours``), which a library evaluates. Hours that cannot be
read are None, never "closed".
This module knows no facilities.

How a text is read where the notation and an office differ: in the notation a later rule replaces an earlier
one, so that ``8:30-11:30;13:30-17:00`` would mean the afternoon alone. Here times that follow times without
days of their own, or with the same days, and that lie later in the day, are added.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from opening_hours import OpeningHours, ParserError  # type: ignore[attr-defined]  # its stub leaves it out

_DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_HOLIDAY: Final = "PH"
_NOON: Final = 12 * 60
_DAY: Final = 24 * 60
_LONGEST: Final = 500  # characters; nobody writes hours longer than this

_CHINESE = {
    sign: at for at, signs in enumerate(("一1", "二2", "三3", "四4", "五5", "六6", "日天7")) for sign in signs
}
_WEEK = r"(?:周|星期|礼拜)"
_NUMBER = r"(?:[一二三四五六日天]|[1-7](?![\d:.点时月]))"
_ENGLISH = (
    r"(?:mondays?|mon|mo|tuesdays?|tues|tue|tu|wednesdays?|wed|we|thursdays?|thurs|thur|thu|th"
    r"|fridays?|fri|fr|saturdays?|sat|sa|sundays?|sun|su)\.?(?![a-z])"
)
_EVENING = ("下午", "傍晚", "晚上", "晚间", "晚", "夜间")
_PERIOD = rf"(?:凌晨|早上|早晨|早|上午|中午|{'|'.join(_EVENING)})"
_POINT = r"[:.点时]\s*(?:半|[0-5]\d)?分?"
_LAST = rf"\d{{1,2}}{_POINT}\s*(?:以?后|起)?\s*(?:停止|谢绝)[入进检售取换][馆场园票]?"
_SHUT = "闭馆|闭园|休馆|休息|休业|不开放|不营业|停止开放|停业|关闭|关门|停开放|停营业|停服务"
_OPEN = "开放|服务|营业|开馆|开门|办公|上班|借阅"


def _clock(name: str) -> str:
    """Return the pattern of a time of the day, its parts named by a letter and ``p``, ``h``, ``m``, ``x``."""
    hour = rf"(?P<{name}h>\d{{1,2}})(?P<{name}m>[:.点时]\s*(?:半|[0-5]\d)?分?)?"
    return rf"(?P<{name}p>{_PERIOD})?\s*:?\s*{hour}\s*(?P<{name}x>[ap]\.?m\.?(?![a-z]))?"


_WORDS: Final = {
    "last": _LAST,  # the last admission, which is not when it closes
    "keep": "照常开放|正常开放|照常|不休息|不休|全年无休|无休",
    "off": rf"(?:全天|例行|全馆|暂时|暂)?(?:{_SHUT})(?:日|时间)?|closed|off",
    "without": "除外|excluded",
    "except": "除了?|except",
    "end": r"外|[;,。)]",
    "all": r"全天候?(?:24小时)?|24小时|二十四小时|24\s*h(?:ours?)?(?![a-z])|24/7",
    "every": r"每周七天|一周七天|每天|每日|天天|全周|daily|every\s*day",
    "work": "工作日|weekdays?",
    "weekend": "周末|双休日|weekends?",
    "holiday": r"(?:国家)?(?:法定)?(?:节假日|假日|节日)|(?:public\s+)?holidays?|ph(?![a-z])",
    "week": rf"{_WEEK}\s*{_NUMBER}(?:\s*(?:[-、,/和及与])?\s*{_WEEK}?\s*{_NUMBER})*",
    "english": rf"{_ENGLISH}(?:\s*[-,/&]\s*{_ENGLISH})*",
    "span": rf"{_clock('a')}\s*-\s*(?P<next>次日|第二天|翌日)?\s*{_clock('b')}",
    "rest": "其余(?:时间|日期|各日)?|其[他它](?:时间|日期|各日)?",
    "noise": (
        rf"(?:对外|免费)?(?:{_OPEN})(?:时间|时段)?|时间|为|是|均|含|包括|每|和|及|与|并"
        r"|[\s:、/|.(&]|opening\s+hours|open|from|hours|and|on"
    ),
}
"""Kinds of words in a text and their patterns, in the order in which they are tried."""

_TOKENS: Final = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _WORDS.items()))
_NAMED_DAYS: Final = {"every": _DAYS, "work": _DAYS[:5], "weekend": _DAYS[5:], "holiday": (_HOLIDAY,)}


@functools.lru_cache(maxsize=4096)
def osm_hours(text: str) -> str | None:
    """Return opening hours in the notation of OpenStreetMap.

    Parameters
    ----------
    text : as an office writes it, or already in the notation

    Returns
    -------
    str or None
        Text already in the notation as it stands, but for times that would replace others though an office
        means both; None where it cannot be read.

    >>> osm_hours("8:30-11:30;13:30-17:00"), osm_hours("周二至周日 9:00-17:00，周一闭馆")
    ('08:30-11:30,13:30-17:00', 'Tu-Su 09:00-17:00')
    >>> osm_hours("Mo-Fr 09:00-17:00; PH off"), osm_hours("half past eight")
    ('Mo-Fr 09:00-17:00; PH off', None)
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    if _parsed(text) is not None and not _replaces(text):
        return text
    found = _read(_plain(text))
    return found if found is not None and _parsed(found) is not None else None


def open_then(text: str, when: datetime) -> bool | None:
    """Return whether hours are open at a time; None where they do not state it.

    Parameters
    ----------
    text : in the notation of OpenStreetMap
    when : local time

    Returns
    -------
    opened : True, False or None

    >>> from datetime import datetime
    >>> open_then("Mo-Fr 09:00-17:00", datetime(2024, 6, 3, 9)), open_then("", datetime(2024, 6, 3, 9))
    (True, None)
    """
    hours = _parsed(osm_hours(text) or "")
    if hours is None or hours.is_unknown(when):
        return None
    return bool(hours.is_open(when))


@dataclass(frozen=True)
class OpenWeek:
    """What hours say of an ordinary week.

    ``hours`` : hours open in the week; ``weekday`` : open on each of Monday to Friday; ``evening`` : open at
    some time from 18:30 to 21:00 on a weekday; ``weekend`` : open on Saturday or Sunday.
    """

    hours: float
    weekday: bool
    evening: bool
    weekend: bool


_PLAIN_WEEK: Final = date(2024, 6, 3)  # a Monday; no public holiday in its week
_QUARTER: Final = timedelta(minutes=15)
_EVENING_FROM, _EVENING_TO = time(18, 30), time(21)


@functools.lru_cache(maxsize=4096)
def open_week(text: str) -> OpenWeek | None:
    """Return what hours say of an ordinary week, by quarters of an hour; None where they do not state it.

    Parameters
    ----------
    text : in the notation of OpenStreetMap, or as an office writes it

    Returns
    -------
    week : OpenWeek or None

    >>> open_week("Tu-Su 09:00-17:00"), open_week("")
    (OpenWeek(hours=48.0, weekday=False, evening=False, weekend=True), None)
    """
    hours = _parsed(osm_hours(text) or "")
    if hours is None:
        return None
    start = datetime.combine(_PLAIN_WEEK, time())
    moments = [start + step * _QUARTER for step in range(7 * 96)]
    if any(hours.is_unknown(moment) for moment in moments):
        return None
    opened = [moment for moment in moments if hours.is_open(moment)]
    days = {moment.weekday() for moment in opened}
    evenings = [one for one in opened if one.weekday() < 5 and _EVENING_FROM <= one.time() < _EVENING_TO]
    return OpenWeek(len(opened) / 4, set(range(5)) <= days, bool(evenings), bool(days & {5, 6}))


_COMMENT_ALONE = re.compile(r'(^|;|\|\|)\s*("[^"]*")\s*(?=$|;|\|\|)')


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> OpeningHours | None:
    if not text:
        return None
    try:
        # By the notation a rule that is a comment alone ("by appointment") makes the state unknown.
        return OpeningHours(_COMMENT_ALONE.sub(r"\1 unknown \2", text))
    except ParserError:
        return None


_TIMES = r"\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}"
_SIMPLE = re.compile(rf"\s*(?P<days>[A-Za-z ,-]*?)\s*{_TIMES}(?:\s*,\s*{_TIMES})*\s*")


def _replaces(text: str) -> bool:
    """Return whether text in the notation has times that would replace others, which an office would add."""
    seen: set[str] = set()
    for number, part in enumerate(text.split(";")):
        match = _SIMPLE.fullmatch(part)
        if match is None:
            continue
        days = match["days"].replace(" ", "").casefold()
        if days in seen or (number and not days):
            return True
        seen.add(days)
    return False


def _plain(text: str) -> str:
    """Return a text in plain signs and small letters: narrow ones, and a hyphen for every word for "to"."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"\b(?:to|until|till)\b", "-", plain)
    return re.sub(r"[~—–―−‐‑至到]+", "-", plain)


@dataclass
class _Hours:
    """The week as it is being read: spans of each day, in minutes, and what a reader is in the middle of.

    ``days`` : the days named since the last times; ``closing`` : the days that follow are closed ones;
    ``last`` : the days of the last times; ``closed`` : whether the last thing said was of closed days.
    """

    rules: list[tuple[tuple[str, ...], list[tuple[int, int]]]] = field(default_factory=list)
    off: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    closing: bool = False
    closed: bool = False

    def add_days(self, days: list[str]) -> None:
        """Add days: closed ones where the text has said so, else those of the times to come."""
        if self.closing:
            self.off += days
        else:
            self.days += days

    def add_span(self, span: tuple[int, int]) -> None:
        """Add times for the days just named, else for those before."""
        if self.days or not self.rules:
            self.rules.append((tuple(dict.fromkeys(self.days)), []))
            self.days = []
        self.rules[-1][1].append(span)
        self.closing = self.closed = False

    def shut(self) -> None:
        """Mark the days just named as closed, or those that follow."""
        if self.days:
            self.off += self.days
            self.days = []
        else:
            self.closing = not self.closing  # "except Mondays closed" ends here, "closed on Mondays" begins
        self.closed = True


def _read(text: str) -> str | None:
    """Return the notation of a text; None as soon as something in it is not understood."""
    hours, at = _Hours(), 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        # One sign that is not understood makes the whole text unreadable: half a text could mean the
        # opposite.
        if match is None or match.end() == at or not _take(hours, match):
            return None
        at = match.end()
    if hours.days:  # days behind their times: 9:00-17:00 daily
        if not hours.rules or hours.rules[-1][0]:
            return None
        if set(hours.days) != {_HOLIDAY}:
            hours.rules[-1] = (tuple(hours.days), hours.rules[-1][1])
    if not hours.rules:
        return "off" if hours.closing and not hours.off else None
    return _written(hours)


def _take(hours: _Hours, match: re.Match[str]) -> bool:
    """Add one word; return False where its days or times make no sense."""
    kind = match.lastgroup or ""
    if kind in {"week", "english"} or kind in _NAMED_DAYS:
        days = list(_NAMED_DAYS[kind]) if kind in _NAMED_DAYS else _listed(match[0], kind)
        hours.add_days(days)
        return bool(days)
    if kind in {"span", "all"}:
        span = _span(match) if kind == "span" else (0, _DAY)
        if span is not None:
            hours.add_span(span)
        return span is not None
    _turn(hours, kind)
    return True


def _turn(hours: _Hours, kind: str) -> None:
    """Apply a word that describes the days before or behind it."""
    if kind == "off":
        hours.shut()
    elif kind == "without" and hours.closed:
        hours.days = []  # "closed on Mondays, holidays excepted" says nothing of an ordinary week
    elif kind == "without":
        hours.shut()
        hours.closed = False
    elif kind == "except":
        hours.closing = True
    elif kind == "end":
        hours.closing = hours.closing and not hours.off
    elif kind == "keep":
        hours.days = [day for day in hours.days if day != _HOLIDAY]
    elif kind == "rest":
        hours.days, hours.closing = [], False
        hours.rules.append(((), []))


def _listed(text: str, kind: str) -> list[str]:
    """List the days of "周一、三至五" or "mon-wed, fri"."""
    if kind == "week":
        signs = re.findall(r"[一二三四五六日天1-7]|-", text)
        parts: list[int | None] = [None if sign == "-" else _CHINESE[sign] for sign in signs]
    else:
        words = re.findall(r"[a-z]+|-", text)
        short = [name.lower() for name in _DAYS]
        parts = [None if word == "-" else short.index(word[:2]) for word in words]
    found: list[int] = []
    for at, part in enumerate(parts):
        if part is None:
            continue
        if at and parts[at - 1] is None and found:
            first = found[-1]
            found += [(first + step) % 7 for step in range(1, (part - first) % 7 + 1)]
        else:
            found.append(part)
    return [_DAYS[day] for day in dict.fromkeys(found)]


def _span(match: re.Match[str]) -> tuple[int, int] | None:
    """Return times from and to, in minutes of the day; an end after midnight is beyond 24 hours."""
    if not (match["am"] or match["bm"] or match["ax"] or match["bx"]):
        return None  # 9-17 may be days or months
    # "2-5 pm" and "下午2:00-5:00" say once what holds for both
    half = match["ax"] or (match["bx"] if int(match["ah"]) < int(match["bh"]) else None)
    period = match["bp"] or (None if match["next"] else match["ap"])
    start = _minutes(match["ah"], match["am"], match["ap"], half)
    end = _minutes(match["bh"], match["bm"], period, match["bx"])
    if start is None or end is None:
        return None
    if match["next"] or (end <= start and start >= _NOON):
        end += _DAY
    return (start, end) if start < end <= 2 * _DAY else None


def _minutes(hour: str, rest: str | None, period: str | None, half: str | None) -> int | None:
    """Return minutes since midnight; None for no time of the day."""
    digits = re.search(r"\d+", rest or "")
    h, m = int(hour), 30 if "半" in (rest or "") else int(digits[0]) if digits else 0
    if half is not None:
        if not 1 <= h <= 12:
            return None
        h = h % 12 + (12 if half.startswith("p") else 0)
    elif (period in _EVENING and h < 12) or (period == "中午" and h < 10):
        h += 12
    return h * 60 + m if h * 60 + m <= _DAY else None


def _written(hours: _Hours) -> str | None:
    """Return a week in the notation."""
    named = [rule for rule in hours.rules if rule[1]]
    if not named:
        return None
    holiday: list[tuple[int, int]] | None = None
    week: dict[str, list[tuple[int, int]]] = {day: [] for day in _DAYS}
    # General rules first: "daily 9-17, Saturday 10-12" means Saturday's own times, in whatever order it is
    # written.
    general = [rule for rule in named if not rule[0] or set(_DAYS) <= set(rule[0])]
    for days, spans in (*general, *(rule for rule in named if rule not in general)):
        for day in days or _DAYS:
            if day == _HOLIDAY:
                holiday = spans
                continue
            # Times later in the day are added (morning and afternoon); others replace, as a correction does.
            later = week[day] and spans[0][0] >= week[day][-1][1]
            week[day] = [*week[day], *spans] if later else list(spans)
    # Closed days last: they hold whatever times were written for the week.
    for day in hours.off:
        if day != _HOLIDAY:
            week[day] = []
    parts = [f"{selector} {_times(spans)}".strip() for selector, spans in _grouped(week) if spans]
    if not parts:
        return None
    if holiday is not None:
        parts.append(f"PH {_times(holiday)}")
    elif _HOLIDAY in hours.off:
        parts.append("PH off")
    return "; ".join(parts)


def _grouped(week: dict[str, list[tuple[int, int]]]) -> list[tuple[str, list[tuple[int, int]]]]:
    """Return groups of days with the same times: no selector where all seven have them."""
    kinds: dict[str, list[int]] = {}
    for at, day in enumerate(_DAYS):
        kinds.setdefault(_times(week[day]), []).append(at)
    if len(kinds) == 1:
        return [("", week["Mo"])]
    return [(_selector(days), week[_DAYS[days[0]]]) for days in kinds.values()]


def _selector(days: list[int]) -> str:
    """Return days as text, consecutive ones as a range: Mo-We,Fr."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(_DAYS[run[0]] + (f"-{_DAYS[run[-1]]}" if len(run) > 1 else "") for run in runs)


def _times(spans: list[tuple[int, int]]) -> str:
    return ",".join(f"{_time(start)}-{_time(end)}" for start, end in spans)


def _time(minutes: int) -> str:
    minutes -= _DAY if minutes > _DAY else 0
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
