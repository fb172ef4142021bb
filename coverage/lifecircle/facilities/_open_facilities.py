"""Find which facilities are open in a year, and at a time of the week."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from lifecircle.hours import open_then, osm_hours

_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PLAIN_MONDAY = date(2024, 6, 3)  # a week without public holidays


def open_in(facilities: pd.DataFrame, year: int) -> pd.Series[bool]:
    """Return which facilities are open on 31 December of a year: opened <= that day < closed.

    A missing ``opened`` means always, a missing ``closed`` means still open.

    Parameters
    ----------
    facilities : as from :func:`read_facilities`
    year : the audited year

    Returns
    -------
    open : Series of bool, named ``open``, on the index of ``facilities``

    >>> days = pd.to_datetime(["2024-05-01", None])
    >>> open_in(pd.DataFrame({"opened": days, "closed": [pd.NaT, pd.NaT]}), 2023).tolist()
    [False, True]
    """
    day = pd.Timestamp(year=year, month=12, day=31)
    opened = facilities["opened"].isna() | (facilities["opened"] <= day)
    closed = facilities["closed"].notna() & (facilities["closed"] <= day)
    return (opened & ~closed).rename("open")


def readable_hours(text: str) -> bool:
    """Return whether opening hours can be read: OpenStreetMap's notation, or as offices write them.

    Parameters
    ----------
    text : content of a cell

    Returns
    -------
    readable : bool

    >>> [readable_hours(text) for text in ("Tu-Su 08:30-17:00", "周二至周日 9:00-17:00", "9-17")]
    [True, True, False]
    """
    return osm_hours(text) is not None


def open_at(facilities: pd.DataFrame, moment: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return which facilities are open at a time of an ordinary week.

    The week is the first full one of June 2024, without public holidays; a facility open only in other
    months or years is closed in it. The minute of opening is open, that of closing is closed.

    Parameters
    ----------
    facilities : with a column ``hours``, as :func:`lifecircle.hours.osm_hours` reads them
    moment : weekday and time, as in ``Sat 10:00``

    Returns
    -------
    known : (facility,) bool, hours are given, can be read and state whether it is open then
    opened : (facility,) bool, False where unknown

    >>> known, opened = open_at(pd.DataFrame({"hours": ["Mo-Fr 09:00-17:00", "24/7", ""]}), "Sat 10:00")
    >>> opened.tolist(), known.tolist()
    ([False, True, False], [True, True, False])
    """
    weekday, _, clock = moment.partition(" ")
    day = _PLAIN_MONDAY + timedelta(days=_WEEK.index(weekday))
    when = datetime.combine(day, time.fromisoformat(clock))
    texts = facilities["hours"].fillna("").astype(str).str.strip()
    said = {text: open_then(text, when) for text in texts.unique()}
    answers = [said[text] for text in texts]
    known = np.array([one is not None for one in answers], dtype=bool)
    return known, np.array([bool(one) for one in answers], dtype=bool)
