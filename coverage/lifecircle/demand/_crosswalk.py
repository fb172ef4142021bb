"""Bring what is known of old units to the units of today, after units were merged or split.

A row of the crosswalk gives a share of an old unit to a unit of a later day. Shares of one unit and day add
up to 1. A figure of a year is moved by every change after that year; a code that no unit has any more is
moved whatever the year it is used in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.demand._apportion import apportion
from lifecircle.errors import Fault, FaultLog, say
from lifecircle.tables import Column, Schema, check_table, nearest_name, read_table, strange_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lifecircle.tables import Checked, Source, Table

CROSSWALK_COLUMNS = Schema(
    "crosswalk",
    (
        Column("from", "text", say("code of the old unit"), required=True, filled=True),
        Column("to", "text", say("code or name of the later unit"), required=True, filled=True),
        Column(
            "share",
            "number",
            say("share of the old unit, 0 to 1"),
            required=True,
            filled=True,
            low=0.0,
            high=1.0,
        ),
        Column("date", "date", say("day of the change"), required=True, filled=True),
        Column("from_name", "text", say("name of the old unit")),
        Column("people", "number", say("residents of the old unit on that day"), low=0.0),
    ),
    part="[crosswalk]",
)
"""Columns of a crosswalk of units."""

SHARE_TOLERANCE = 1e-6
"""By how much the shares of a unit may miss 1 (inclusive)."""


@dataclass(frozen=True, eq=False)
class Crosswalk:
    """Changes of units.

    ``changes`` : columns ``from``, ``to``, ``share``, ``date``, ``people`` (NaN where unknown), in the order
    of the dates. ``today`` : codes of the units of today; ``names`` : name of an old unit -> its code.
    """

    changes: pd.DataFrame
    today: frozenset[str]
    names: Mapping[str, str] = field(default_factory=dict)

    def code_of(self, text: str) -> str:
        """Return the code of an old unit by its code or name; empty where the crosswalk has none."""
        return text if text in self._olds else self.names.get(text, "")

    def knows(self, text: str) -> bool:
        """Return whether the crosswalk has an old unit of this code or name."""
        return bool(self.code_of(text))

    @cached_property
    def _olds(self) -> frozenset[str]:
        return frozenset(self.changes["from"])

    @cached_property
    def _days(self) -> list[tuple[pd.Timestamp, dict[str, list[tuple[str, float]]]]]:
        """Changes by day, in order: old unit -> (later unit, share)."""
        days = []
        for day, rows in self.changes.groupby("date", sort=True):
            moves: dict[str, list[tuple[str, float]]] = {}
            for old, to, share in zip(rows["from"], rows["to"], rows["share"], strict=True):
                moves.setdefault(old, []).append((to, float(share)))
            days.append((pd.Timestamp(day), moves))
        return days

    @cached_property
    def _found(self) -> dict[tuple[str, int | None], dict[str, float]]:
        """Shares that were asked for, as a table of figures asks for the same units again and again."""
        return {}

    @cached_property
    def _origins(self) -> dict[int, dict[str, set[str]]]:
        return {}

    def shares(self, unit: str, year: int | None) -> dict[str, float]:
        """Return the units of today that a unit of a year went to, with the share of each; they add up to 1.

        Parameters
        ----------
        unit : code
        year : the figure is of 31 December of it; None where that is unknown

        Returns
        -------
        shares : the unit alone where nothing changed
        """
        if (unit, year) not in self._found:
            parts = {unit: 1.0}
            for day, moves in self._days:
                later = year is not None and day > pd.Timestamp(year, 12, 31)
                moved: dict[str, float] = {}
                for code, share in parts.items():
                    # A unit that still exists and gave a part away is whole already in a later year.
                    stays = code not in moves or not (later or code not in self.today)
                    for to, part in [(code, 1.0)] if stays else moves[code]:
                        moved[to] = moved.get(to, 0.0) + share * part
                parts = moved
            self._found[unit, year] = parts
        return dict(self._found[unit, year])

    def origins(self, unit: str, year: int) -> set[str]:
        """Return the old units that a unit of today has a part of, by changes after a year."""
        if year not in self._origins:
            later = self.changes[self.changes["date"] > pd.Timestamp(year, 12, 31)]
            earliest = set(later["from"]) - (set(later["to"]) - set(self.today))
            parts: dict[str, set[str]] = {}
            for old in earliest:
                for to, share in self.shares(old, year).items():
                    if to != old and share > 0:
                        parts.setdefault(to, set()).add(old)
            self._origins[year] = parts
        return set(self._origins[year].get(unit, ()))

    def first_change(self, unit: str) -> int:
        """Return the year in which an old unit changed first."""
        return int(self.changes.loc[self.changes["from"] == unit, "date"].min().year)

    def people_of(self, unit: str) -> float:
        """Return the residents of an old unit on the day it changed; NaN where unknown."""
        known = self.changes.loc[self.changes["from"] == unit, "people"].dropna()
        return float(known.iloc[0]) if len(known) else float("nan")


def read_crosswalk(
    source: Source,
    units: Iterable[pd.DataFrame | None],
    *,
    columns: Mapping[str, str] | None = None,
) -> Crosswalk:
    """Read a crosswalk of units.

    Parameters
    ----------
    source : table with ``from``, ``to``, ``share`` and ``date``
    units : districts and villages of today: index code, ``name``
    columns : canonical name -> name of the column in the file

    Returns
    -------
    crosswalk : with the units of today

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A share is none, shares of one unit and day do not add up to 1, or a unit it leads to is not known
        today and is not changed later; all faults together.

    >>> towns = pd.DataFrame({"name": ["New"]}, index=["9"])
    >>> rows = {"from": ["1", "2"], "to": ["9", "9"], "share": [1, 1], "date": ["2020-05-01"] * 2}
    >>> crosswalk = read_crosswalk(pd.DataFrame(rows), [towns])
    >>> crosswalk.shares("2", 2019), sorted(crosswalk.origins("9", 2019))
    ({'9': 1.0}, ['1', '2'])
    """
    table, faults = read_table(source), FaultLog()
    mapped = dict(columns or {})
    for fault in strange_names(mapped, CROSSWALK_COLUMNS.names, file=table.name):
        faults.add(fault)
    checked = check_table(table, CROSSWALK_COLUMNS, columns=mapped)
    for row, column, value, reason, remedy in checked.rejects.drop(columns="file").itertuples(index=False):
        faults.add(_fault(table, row, column, (str(value), reason, remedy)))
    named: dict[str, set[str]] = {}
    today: set[str] = set()
    for layer in units:
        if layer is not None:
            today |= {str(code) for code in layer.index}
            for code, name in zip(layer.index, layer["name"].astype("str"), strict=True):
                named.setdefault(name, set()).add(str(code))
    frame = checked.frame
    frame = frame.assign(
        people=frame.get("people", pd.Series(np.nan, index=frame.index)),
        to=[
            text if text in today or len(named.get(text, ())) != 1 else min(named[text])
            for text in frame["to"]
        ],
    )
    for fault in _faults(table, checked, frame, (today, named)):
        faults.add(fault)
    faults.raise_any()
    names: dict[str, str] = {}
    if "from_name" in frame:
        labels = frame[["from_name", "from"]].drop_duplicates()
        labels = labels[(labels["from_name"] != "") & ~labels["from_name"].duplicated(keep=False)]
        names = dict(zip(labels["from_name"], labels["from"], strict=True))
    kept = frame[["from", "to", "share", "date", "people"]].sort_values("date", kind="stable")
    return Crosswalk(kept.reset_index(drop=True), frozenset(today), names)


def _fault(table: Table, row: Any, column: str, texts: tuple[str, str, str]) -> Fault:
    return Fault(table.name, say("row {row}, column '{column}'", row=row, column=column), *texts)


def _faults(
    table: Table, checked: Checked, frame: pd.DataFrame, known: tuple[set[str], Mapping[str, set[str]]]
) -> Iterator[Fault]:
    """Yield the faults of shares that do not add up, of units unknown, and of rows there twice."""
    today, named = known
    for (_, _), rows in frame.groupby(["from", "date"], sort=False):
        total = float(rows["share"].sum())
        if rows["share"].notna().all() and abs(total - 1.0) > SHARE_TOLERANCE:
            numbers = ", ".join(str(row) for row in rows.index)
            place = say("rows {rows}, column '{column}'", rows=numbers, column=checked.found["share"])
            unit = str(rows["from"].iloc[0])
            reason = say("the shares of unit {unit} add up to {total}", unit=unit, total=f"{total:.10g}")
            remedy = say("give the shares of all units it went to: together they are 1")
            yield Fault(table.name, place, f"{total:.10g}", reason, remedy)
    for row in frame.index[frame.duplicated(["from", "to", "date"], keep="first")]:
        texts = (str(frame["to"][row]), say("the same change twice"), say("delete one of the rows"))
        yield _fault(table, row, checked.found["to"], texts)
    last = frame.groupby("from")["date"].max()
    for row, text, day in zip(frame.index, frame["to"], frame["date"], strict=True):
        changed_later = text in last.index and not pd.isna(day) and last[text] > day
        if text and text not in today and not changed_later:
            near = nearest_name(text, [*sorted(today), *sorted(named)])
            reason = say("unknown unit: neither of today, nor changed on a later day")
            remedy = (
                say("did you mean '{name}'?", name=near) if near else say("use a code of the study's units")
            )
            yield _fault(table, row, checked.found["to"], (text, reason, remedy))


@dataclass(frozen=True, eq=False)
class Moved:
    """What was brought to the units of today: ``table``, and the old units that were met."""

    table: pd.DataFrame
    olds: frozenset[str] = frozenset()


def move_counts(counts: pd.DataFrame, crosswalk: Crosswalk, *, year: int | None) -> Moved:
    """Bring whole people of old units to those of today, each unit's to the person.

    Parameters
    ----------
    counts : index code of a unit of any day; ``population`` and groups, whole people
    crosswalk : as from :func:`read_crosswalk`
    year : of the counts

    Returns
    -------
    moved : people by unit of today, which add up to what they were

    >>> towns = pd.DataFrame({"name": ["A", "B"]}, index=["a", "b"])
    >>> rows = {"from": ["x", "x"], "to": ["a", "b"], "share": [0.4, 0.6], "date": ["2020", "2020"]}
    >>> crosswalk = read_crosswalk(pd.DataFrame(rows), [towns])
    >>> people = pd.DataFrame({"population": [7]}, index=["x"])
    >>> move_counts(people, crosswalk, year=2019).table["population"].to_dict()
    {'a': 3, 'b': 4}
    """
    found: dict[str, pd.Series[Any]] = {}
    olds = set()
    for code, row in counts.iterrows():
        parts = crosswalk.shares(str(code), year)
        if parts == {str(code): 1.0}:
            found[str(code)] = found[str(code)] + row if str(code) in found else row
            continue
        olds.add(str(code))
        for to, part in _divided(row, parts).items():
            found[to] = found[to] + part if to in found else part
    table = pd.DataFrame(found).T.astype(np.int64)
    table.index = pd.Index(table.index.astype("str"), name="code")
    return Moved(table[list(counts.columns)], frozenset(olds))


def _divided(row: pd.Series[Any], parts: Mapping[str, float]) -> dict[str, pd.Series[Any]]:
    """Divide the people of one unit, and of its groups, by the largest remainder."""
    weights, one = np.array(list(parts.values())), np.zeros(len(parts), dtype=np.intp)
    people = apportion(weights, one, np.array([row["population"]], dtype=np.int64))
    columns = {"population": people} | {
        str(name): apportion(weights, one, np.array([row[name]], dtype=np.int64), caps=people)
        for name in row.index
        if name != "population"
    }
    table = pd.DataFrame(columns, index=list(parts))
    return {str(code): table.loc[code] for code in table.index}


def move_names(names: pd.Series[Any], crosswalk: Crosswalk, *, year: int | None) -> Moved:
    """Bring codes or names of old units in a column to the one unit of today that has all of them.

    What was divided stays as it is: the column says not which part is meant.

    Parameters
    ----------
    names : (row,) codes or names of units
    crosswalk : as from :func:`read_crosswalk`
    year : of the rows

    Returns
    -------
    moved : ``table`` has the column, named as it was
    """
    texts = names.astype("str")
    new: dict[str, str] = {}
    for text in texts.unique():
        code = crosswalk.code_of(text)
        if text not in crosswalk.today and code:
            parts = crosswalk.shares(code, year)
            if len(parts) == 1:
                new[text] = next(iter(parts))
    moved = texts.map(lambda text: new.get(text, text)).astype("str").rename(names.name)
    return Moved(moved.to_frame(), frozenset(crosswalk.code_of(text) for text in new))
