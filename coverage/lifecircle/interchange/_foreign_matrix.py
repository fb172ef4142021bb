"""Read a matrix of travel times that another engine computed into pairs, its faulty rows named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array

from lifecircle.cells import plain_numbers, plain_texts
from lifecircle.costs import read_costs
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.headings import named
from lifecircle.interchange._pair_tables import SECONDS_OF, Unit
from lifecircle.reach import Pairs
from lifecircle.tables import (
    Column,
    Schema,
    Table,
    check_table,
    headings_of,
    join_rejects,
    names_of,
    read_table,
    reject_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.tables import Source

    Ints = npt.NDArray[np.int64]

LONG = Schema(
    "travel times",
    (
        Column(
            "from_id",
            "text",
            say("id of the resident"),
            required=True,
            filled=True,
            aliases=(
                "from",
                "fromid",
                "origin",
                "origin_id",
                "o_id",
                "demand",
                "起点",
                "起点编号",
                "居民编号",
            ),
        ),
        Column(
            "to_id",
            "text",
            say("id of the facility"),
            required=True,
            filled=True,
            aliases=(
                "to",
                "toid",
                "dest",
                "destination",
                "destination_id",
                "d_id",
                "facility",
                "终点",
                "终点编号",
            ),
        ),
        Column(
            "travel_time",
            "number",
            say("travel time from resident to facility"),
            required=True,
            filled=True,
            low=0.0,
            aliases=(
                "travel_time_p50",
                "total_time",
                "time",
                "cost",
                "minutes",
                "seconds",
                "时间",
                "出行时间",
            ),
        ),
    ),
)
"""The columns of a long table, by the names of r5r, r5py and PySAL's access."""

_NAMED = 20
"""Residents and facilities without any time that are named one by one; the rest is counted."""


def read_travel_times(  # noqa: PLR0913 - what the ids are of, and how the table is to be understood
    source: Source | npt.ArrayLike,
    demand: Any = None,
    facilities: Any = None,
    *,
    unit: Unit,
    columns: Mapping[str, str] | None = None,
    complete: bool = False,
) -> tuple[Pairs, pd.DataFrame]:
    """Read travel times that another engine computed, such as r5r, r5py, Valhalla or OSRM.

    The result is taken wherever pairs of :func:`lifecircle.within` are: floating catchments, service by
    order, opportunities and siting; :func:`lifecircle.nearest_of` gives it the form that ``coverage`` counts.

    Parameters
    ----------
    source : path or table, long (a row for each pair: ``from_id``, ``to_id``, ``travel_time``) or wide (a
        row for each resident, its id in the first column or in a named index, then a column for each
        facility); or an array (demand, facility) in the order of the tables
    demand, facilities : tables whose index has the ids, or the ids; left out, those of the source in the
        order in which they stand first
    unit : of the times, ``minutes`` (r5r, r5py) or ``seconds``
    columns : canonical name -> name of the column of a long table, as ``{"travel_time": "travel_time_p75"}``
    complete : whether a pair that is not there is a fault; else it is one that is not reached

    Returns
    -------
    pairs : seconds (demand, facility); of a pair that stands twice the least
    rejects : one row for each fault: an id that is not known, a time that is blank, negative or no number,
        a pair that stands twice, a resident or facility without any time, and with ``complete`` each missing
        pair. A blank time of r5py means that there is no way: such pairs are not in ``pairs`` either

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        The table cannot be read, a column is missing, an array does not fit the tables, ids are not unique,
        or no row can be used.

    References
    ----------
    Pereira, Saraiva, Herszenhut, Braga and Conway (2021), r5r, Findings; Fink, Klumpenhouwer, Saraiva,
    Pereira and Tenkanen (2022), r5py: the columns of their travel time matrices.

    >>> times = pd.DataFrame({"from_id": ["a", "a", "x"], "to_id": [1, 2, 1], "travel_time": [4, 7, 3]})
    >>> pairs, rejects = read_travel_times(times, ["a"], [1, 2], unit="minutes")
    >>> pairs.seconds.toarray().tolist(), rejects["value"].tolist()
    ([[240.0, 420.0]], ['x'])
    """
    if unit not in SECONDS_OF:
        remedy = say("use one of {names}", names=", ".join(SECONDS_OF))
        raise UnusableInputError([Fault("unit", "", str(unit), say("no unit of time"), remedy)])
    if _is_array(source):
        read = _of_array(source, _ids(demand, "demand"), _ids(facilities, "facilities"))
    else:
        table = read_table(source)
        long = _is_long(table, columns or {})
        found = _of_long(table, columns or {}) if long else _of_wide(table)
        read = _matched(found, _ids(demand, "demand"), _ids(facilities, "facilities"))
    if not len(read.seconds):
        reason, remedy = say("no row can be used"), say("check the ids and the times; see the rejects")
        first = [
            _as_fault(read.name, row) for row in read.rejects.drop_duplicates("reason").to_dict("records")
        ]
        raise UnusableInputError([Fault(read.name, "", "", reason, remedy), *first])
    return _pairs(read, SECONDS_OF[unit], complete=complete)


@dataclass(frozen=True, eq=False)
class _Entries:
    """Times as they stand: ids as text, or positions once they are matched; ``row`` as a person sees it.

    ``column`` : (entry,) column of the file that the time stands in; ``origins``, ``places`` : what the file
    calls the two ids.
    """

    name: str
    row: Ints
    column: Any
    origin: Any
    place: Any
    seconds: npt.NDArray[np.float64]
    rejects: pd.DataFrame
    headings: tuple[str, str]


@dataclass(frozen=True, eq=False)
class _Matched(_Entries):
    """Times whose ``origin`` and ``place`` are positions in ``demand`` and ``facilities``."""

    demand: pd.Index[Any]
    facilities: pd.Index[Any]


def _is_array(source: Any) -> bool:
    """Return whether a source is a matrix without ids: an array, a list of rows or scipy sparse."""
    return not isinstance(source, (str, pd.DataFrame, Table)) and (
        hasattr(source, "shape") or isinstance(source, list)
    )


def _ids(source: Any, name: str) -> pd.Index[Any] | None:
    """Return the ids of a table or a list; None where there is none.

    Raises
    ------
    UnusableInputError
        An id stands twice.
    """
    if source is None:
        return None
    ids = source.index if hasattr(source, "index") and not isinstance(source, list) else pd.Index(source)
    # As text, because a file has nothing else: the number 1 and the text "1" would be one resident.
    again = ids[plain_texts(pd.Series(ids.to_numpy(), dtype=object)).duplicated().to_numpy()]
    if len(again):
        reason = say("an id stands more than once")
        raise UnusableInputError(
            [Fault(name, "", str(again[0]), reason, say("give each row an id of its own"))]
        )
    return ids


def _is_long(table: Table, columns: Mapping[str, str]) -> bool:
    """Return whether a table has a row for each pair: its headings name a resident and a facility."""
    headings = headings_of(table)
    ends = LONG.columns[:2]
    found = [name.name in columns or bool(named(headings, name.name, names_of(LONG, name))) for name in ends]
    return all(found) or bool(columns)


def _of_long(table: Table, columns: Mapping[str, str]) -> _Entries:
    """List the times of a long table."""
    checked = check_table(table, LONG, columns=columns)
    frame, good = checked.frame, checked.frame["travel_time"].notna() & (checked.frame["from_id"] != "")
    good &= frame["to_id"] != ""
    kept = frame[good]
    return _Entries(
        table.name,
        kept.index.to_numpy(dtype=np.int64),
        np.full(len(kept), checked.found["travel_time"], dtype=object),
        kept["from_id"].to_numpy(dtype=object),
        kept["to_id"].to_numpy(dtype=object),
        kept["travel_time"].to_numpy(dtype=np.float64),
        _without_endless(checked.rejects, checked.found["travel_time"]),
        (checked.found["from_id"], checked.found["to_id"]),
    )


def _without_endless(rejects: pd.DataFrame, heading: str) -> pd.DataFrame:
    """Leave out the rejects of times that are ``inf``: no way is no fault."""
    endless = (rejects["column"] == heading) & rejects["value"].str.casefold().isin(_ENDLESS)
    return rejects[~endless].reset_index(drop=True)


_ENDLESS = ("inf", "infinity")


def _of_wide(table: Table) -> _Entries:
    """List the times of a wide table: ids in its first column, then a column for each facility.

    Raises
    ------
    UnusableInputError
        It has no column beside its first.
    """
    first, *others = headings_of(table)
    if not others:
        remedy = say("give columns from_id, to_id and travel_time, or a column for each facility")
        raise UnusableInputError(
            [Fault(table.name, f"column '{first}'", "", say("there is no time"), remedy)]
        )
    origin = plain_texts(table.frame[first]).to_numpy(dtype=object)
    rows = table.frame.index.to_numpy(dtype=np.int64)
    rejects, parts = [], []
    for heading in others:
        cells = table.frame[heading]
        seconds = plain_numbers(cells)
        endless = np.isin(plain_texts(cells).str.casefold().to_numpy(dtype=object), _ENDLESS)
        bad = ~(seconds >= 0) & ~endless
        rejects.append(
            _bad_times(table.name, rows[bad], heading, cells[bad].to_numpy(dtype=object), seconds[bad])
        )
        parts.append(np.flatnonzero(~bad & ~endless))
    kept = np.concatenate(parts)
    of_time = np.repeat(np.array(others, dtype=object), [len(part) for part in parts])
    values = [plain_numbers(table.frame[name])[part] for name, part in zip(others, parts, strict=True)]
    return _Entries(
        table.name,
        rows[kept],
        of_time,
        origin[kept],
        plain_texts(pd.Series(of_time, dtype=object)).to_numpy(dtype=object),
        np.concatenate(values),
        join_rejects(rejects),
        (first, ""),
    )


def _bad_times(name: str, rows: Ints, heading: Any, cells: Any, numbers: Any) -> pd.DataFrame:
    """Return the reject rows of times that are blank, negative or no number."""
    blank = pd.isna(cells) | (plain_texts(pd.Series(cells, dtype=object)).to_numpy(dtype=object) == "")
    reasons = np.where(blank, _BLANK, np.where(numbers < 0, _NEGATIVE, _NO_NUMBER)).astype(object)
    return reject_rows(name, rows, column=heading, value=cells, reason=_messages(reasons), remedy=_WRITE_TIME)


_BLANK, _NEGATIVE, _NO_NUMBER = say("blank"), say("negative"), say("not a number")
_WRITE_TIME = say("write a time of at least 0; leave out the pair, or write inf, where there is no way")


def _messages(reasons: Any) -> list[Any]:
    """Return the messages themselves: an array of texts forgets how they were made."""
    known = {str(one): one for one in (_BLANK, _NEGATIVE, _NO_NUMBER)}
    return [known[str(one)] for one in reasons]


def _of_array(source: Any, demand: pd.Index[Any] | None, facilities: pd.Index[Any] | None) -> _Matched:
    """List the times of a matrix without ids, in the order of the tables.

    Raises
    ------
    UnusableInputError
        It is no matrix, or its shape is not that of the tables.
    """
    name = "travel_times"
    values = np.asarray(source, dtype=np.float64) if not hasattr(source, "tocoo") else None
    shape = source.shape if values is None else values.shape
    wanted = tuple(
        len(ids) if ids is not None else many for ids, many in zip((demand, facilities), shape, strict=False)
    )
    if len(shape) != 2 or shape != wanted:
        reason = say("the matrix has shape {found}, the tables {wanted}", found=shape, wanted=wanted)
        remedy = say(
            "give one row for each resident and one column for each facility, in the order of the tables"
        )
        raise UnusableInputError([Fault(name, "", "", reason, remedy)])
    if values is None:
        entries = source.tocoo()
        row, column, seconds = entries.row, entries.col, np.asarray(entries.data, dtype=np.float64)
    else:
        row, column = np.nonzero(values != np.inf)
        seconds = values[row, column]
    bad = ~(seconds >= 0)
    rejects = [
        _bad_times(
            name,
            row[bad][column[bad] == at],
            str(at),
            seconds[bad][column[bad] == at],
            seconds[bad][column[bad] == at],
        )
        for at in np.unique(column[bad])
    ]
    good = ~bad & (seconds < np.inf)
    return _Matched(
        name,
        row[good].astype(np.int64),
        column[good].astype(str).astype(object),
        row[good].astype(np.int64),
        column[good].astype(np.int64),
        seconds[good],
        join_rejects(rejects),
        ("", ""),
        pd.RangeIndex(shape[0]) if demand is None else demand,
        pd.RangeIndex(shape[1]) if facilities is None else facilities,
    )


def _matched(found: _Entries, demand: pd.Index[Any] | None, facilities: pd.Index[Any] | None) -> _Matched:
    """Find the ids of a file among those of the tables, as text; an id that is not there is a reject."""
    here = pd.Index(pd.unique(found.origin), name="id") if demand is None else demand
    there = pd.Index(pd.unique(found.place), name="id") if facilities is None else facilities
    origin, place = _positions(here, found.origin), _positions(there, found.place)
    lost = [
        reject_rows(
            found.name,
            found.row[at < 0],
            column=heading or found.column[at < 0],
            value=ids[at < 0],
            reason=reason,
            remedy=say("correct the id, or leave the row out"),
        )
        for at, ids, heading, reason in (
            (origin, found.origin, found.headings[0], say("no resident has this id")),
            (place, found.place, found.headings[1], say("no facility has this id")),
        )
    ]
    if found.headings[1] == "":
        # A wide table names a facility once for a whole column, and a resident once for a whole row.
        lost = [lost[0].drop_duplicates(["row"]), lost[1].drop_duplicates(["column"])]
    good = (origin >= 0) & (place >= 0)
    return _Matched(
        found.name,
        found.row[good],
        found.column[good],
        origin[good],
        place[good],
        found.seconds[good],
        join_rejects([found.rejects, *lost]),
        found.headings,
        here,
        there,
    )


def _positions(ids: pd.Index[Any], asked: Any) -> Ints:
    """Return the position of each text among ids, -1 where it is none of them."""
    texts = pd.Index(plain_texts(pd.Series(ids.to_numpy(), dtype=object)).to_numpy(dtype=object))
    codes, known = pd.factorize(asked)
    at = texts.get_indexer(pd.Index(known, dtype=object))
    found: Ints = np.asarray(at, dtype=np.int64)[codes]
    return found


def _pairs(read: _Matched, seconds_of: float, *, complete: bool) -> tuple[Pairs, pd.DataFrame]:
    """Put times into a sparse table, the least of each pair, and name what is twice or not there."""
    shape = (len(read.demand), len(read.facilities))
    key = read.origin * shape[1] + read.place
    order = np.lexsort((read.seconds, key))
    again = order[1:][key[order][1:] == key[order][:-1]]
    twice = reject_rows(
        read.name,
        read.row[again],
        column=read.column[again],
        value=read.seconds[again],
        reason=say("this pair stands more than once"),
        remedy=say("keep one time for each pair; the least is used"),
    )
    table = coo_array((read.seconds * seconds_of, (read.origin, read.place)), shape=shape)
    costs, faults = read_costs(table)
    if costs is None:
        raise UnusableInputError(faults)
    missing = _missing(read, key, complete=complete)
    return Pairs(costs.table, read.demand, read.facilities), join_rejects([missing, read.rejects, twice])


def _missing(read: _Matched, key: Ints, *, complete: bool) -> pd.DataFrame:
    """Name residents and facilities without any time, and with ``complete`` every pair that is not there."""
    sides = (
        (read.demand, read.origin, read.headings[0], say("no time of this resident")),
        (read.facilities, read.place, read.headings[1], say("no time of this facility")),
    )
    parts = []
    for ids, used, heading, reason in sides:
        lost = ids[np.bincount(used, minlength=len(ids)) == 0]
        parts.append(_named(read.name, [str(one) for one in lost], heading, reason))
    if complete:
        pairs = np.setdiff1d(np.arange(len(read.demand) * len(read.facilities)), key)
        at, place = np.divmod(pairs, len(read.facilities))
        names = [
            f"{read.demand[i]} -> {read.facilities[j]}"
            for i, j in zip(at[:_NAMED], place[:_NAMED], strict=True)
        ]
        names += [""] * (len(pairs) - len(names))
        parts.append(_named(read.name, names, "", say("this pair is missing")))
    return join_rejects(parts)


def _named(name: str, names: list[str], heading: str, reason: Any) -> pd.DataFrame:
    """Return reject rows (row 0: of the whole file) that name what is missing, the first ones one by one."""
    remedy = say("add it, or leave it: what is not there counts as not reached")
    parts = [
        reject_rows(
            name,
            [0] * len(names[:_NAMED]),
            column=heading,
            value=names[:_NAMED],
            reason=reason,
            remedy=remedy,
        )
    ]
    if len(names) > _NAMED:
        more = say("{reason}: so many more", reason=reason)
        parts.append(
            reject_rows(name, [0], column=heading, value=str(len(names) - _NAMED), reason=more, remedy=remedy)
        )
    return join_rejects(parts)


def _as_fault(name: str, row: Mapping[Any, Any]) -> Fault:
    place = say("row {row}, column '{column}'", row=row["row"], column=row["column"])
    return Fault(name, place, str(row["value"]), row["reason"], row["remedy"])
