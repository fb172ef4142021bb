"""Match every row of a list, and put the answer in columns beside what the list says.

The list comes back with the same rows in the same order. Its own columns are kept, except those of its
coordinates, which are lon and lat in WGS84 afterwards.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from lifecircle.datum import locate
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.facilities import GRADES
from lifecircle.headings import named, synonyms
from lifecircle.locate._address_match import Match, Row, match_row
from lifecircle.locate._known_places import Gazetteer, KnownPlace, address_places
from lifecircle.tables import (
    Column,
    Schema,
    check_table,
    join_rejects,
    plain_text,
    plain_texts,
    read_table,
    rearmed,
    reject_rows,
    too_many_rejects,
)
from lifecircle.wording import translate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.datum import Located
    from lifecircle.errors import Message
    from lifecircle.tables import Source, Table
    from lifecircle.wording import Language

ANSWER = ("lon", "lat", "grade", "matched", "score", "note")
"""Columns of the answer; the first three are read by an audit."""

_ADDRESSES = Schema(
    "addresses",
    (
        Column("address", "text", say("the address"), required=True, filled=True),
        Column("grade", "text", say("quality of the position: A, B, C or D; missing means unknown")),
    ),
)


@dataclass(frozen=True, eq=False)
class ListRows:
    """A list as read: its texts, what each row says of its place, and where it has one already.

    ``frame`` : texts of all columns but those of its coordinates and of an earlier answer; ``rows`` : what
    is matched; ``given`` : (row,) lon, lat, grade, or why the coordinates cannot be used, or None.
    """

    name: str
    frame: pd.DataFrame
    rows: tuple[Row, ...]
    given: tuple[tuple[float, float, str] | str | None, ...]


@dataclass(frozen=True, eq=False)
class LocatedList:
    """A list and its answer.

    ``table`` : texts, the list's columns and then :data:`ANSWER`; ``matches`` : (row,).
    """

    name: str
    table: pd.DataFrame
    matches: tuple[Match, ...]

    @property
    def placed(self) -> dict[str, int]:
        """Rows with a position by its grade: grade -> rows."""
        counts = Counter(self.table["grade"])
        return {grade: counts.get(grade, 0) for grade in GRADES}

    @property
    def outcomes(self) -> dict[str, int]:
        """Rows without a position by the reason: outcome -> rows."""
        return dict(Counter(one.outcome for one in self.matches if one.place is None))


def read_list(source: Source, *, given: str = "A", datum: str = "wgs84") -> ListRows:
    """Read a list with addresses.

    Parameters
    ----------
    source : path or frame, with a column of addresses (地址) or of villages, and perhaps of coordinates
    given : grade of the positions that the list has already, where it has no column of grades
    datum : of its coordinates

    Returns
    -------
    rows : in the order of the list

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        There is no column of addresses nor of villages, or a column has a name that the answer needs.

    >>> read_list(pd.DataFrame({"名称": ["文化礼堂"], "地址": ["城北村"]})).rows
    (Row(address='城北村', name='文化礼堂', town='', village=''),)
    """
    table = read_table(source)
    heads = [str(name) for name in table.frame.columns if name != _geometry(table)]
    own = set(ANSWER) <= set(heads)  # written by this package: the answer is replaced
    columns = {name: _one(table, heads, name) for name in ("address", "name", "district", "village", "grade")}
    faults = []
    if columns["address"] is None and columns["village"] is None:
        reason = say("missing column; columns present: {names}", names=", ".join(heads))
        faults.append(
            Fault(table.name, "column 'address'", "", reason, say("call the column 地址 or address"))
        )
    for head in heads:
        if not own and head in {"matched", "score", "note"}:
            reason = say("the answer has a column of this name")
            faults.append(
                Fault(table.name, f"column '{head}'", "", reason, say("give the column another name"))
            )
    if faults:
        raise UnusableInputError(faults)
    places, used = _given_places(table, heads, datum)
    grades = _texts(table, columns["grade"])
    known = [_graded(place, grade or given) for place, grade in zip(places, grades, strict=True)]
    dropped = {*used, *(ANSWER if own else ()), columns["grade"], _geometry(table)}
    kept = [head for head in heads if head not in dropped]
    frame = pd.DataFrame({head: _texts(table, head) for head in kept}, index=table.frame.index)
    parts = (columns[name] for name in ("address", "name", "district", "village"))
    rows = tuple(Row(*texts) for texts in zip(*(_texts(table, part) for part in parts), strict=True))
    return ListRows(table.name, frame, rows, tuple(known))


def read_addresses(
    source: Source, known: Gazetteer, *, datum: str = "wgs84", max_rejected: float = 0.05
) -> tuple[dict[str, tuple[KnownPlace, ...]], pd.DataFrame]:
    """Read an address file: address, lon, lat and, where it has them, grades of its positions.

    Parameters
    ----------
    source : path or frame
    known : the towns and villages that addresses name
    datum : of its coordinates
    max_rejected : largest share of rows that may be rejected (inclusive)

    Returns
    -------
    places : form of an address -> places
    rejects : one row for each fault

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A column is missing, or more than ``max_rejected`` of the rows are rejected.

    >>> table = pd.DataFrame({"address": ["枣园路１２号"], "lon": [120.9], "lat": [30.5]})
    >>> places, rejects = read_addresses(table, Gazetteer({}, {}))
    >>> list(places), len(rejects)
    (['枣园路12号'], 0)
    """
    table = read_table(source)
    faults = FaultLog()
    # Each part is checked on its own, so that all that is missing is reported together.
    with faults.catching():
        checked = check_table(table, _ADDRESSES)
    with faults.catching():
        located = locate(table.frame, datum=datum, file=table.name)
    faults.raise_any()
    grade = checked.frame.get("grade", pd.Series("", index=table.frame.index)).fillna("").str.upper()
    rejects = join_rejects([checked.rejects, *_unusable(table, located, grade)])
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    good = ~table.frame.index.isin(rejects["row"])
    points = located.points[good]
    frame = pd.DataFrame(
        {
            "address": checked.frame["address"][good].to_numpy(),
            "lon": shapely.get_x(points),
            "lat": shapely.get_y(points),
            "grade": grade[good].to_numpy(),
        }
    )
    return address_places(frame, towns=known.towns, villages=known.villages), table.as_seen(rejects)


def _unusable(table: Table, located: Located, grade: pd.Series[Any]) -> Iterator[pd.DataFrame]:
    """Yield rejects of rows of an address file: without a place, and with a grade that there is not."""
    rows, wrong = table.frame.index.to_numpy(), located.reason != ""
    yield reject_rows(
        table.name,
        rows[wrong],
        column=located.column[wrong],
        value=located.value[wrong],
        reason=located.reason[wrong],
        remedy=located.remedy[wrong],
    )
    wrong = ~grade.isin(["", *GRADES]).to_numpy()
    yield reject_rows(
        table.name,
        rows[wrong],
        column="grade",
        value=grade[wrong].to_numpy(dtype=object),
        reason=say("no grade of a position"),
        remedy=say("write A, B, C or D, or leave it blank; a grade of something else needs another heading"),
    )


def locate_rows(listed: ListRows, known: Gazetteer, *, language: Language) -> LocatedList:
    """Match every row of a list to a known place.

    Parameters
    ----------
    listed : the rows
    known : villages, streets and addresses
    language : of the notes

    Returns
    -------
    located : the list with its answer

    >>> rows = read_list(pd.DataFrame({"address": ["枣园路12号"]}))
    >>> place = KnownPlace("address", "枣园路12号", 120.9, 30.5, "C")
    >>> found = locate_rows(rows, Gazetteer({}, {}, addresses={"枣园路12号": (place,)}), language="en")
    >>> found.table.loc[0, ["lon", "lat", "grade", "score"]].tolist()
    ['120.900000', '30.500000', 'C', '100']
    """
    matches = [_matched(row, given, known) for row, given in zip(listed.rows, listed.given, strict=True)]
    answer = pd.DataFrame(
        [_answer(one, language) for one in matches],
        columns=list(ANSWER),
        index=listed.frame.index,
        dtype="str",
    )
    table = pd.concat([listed.frame, answer], axis=1).reset_index(drop=True)
    return LocatedList(listed.name, table, tuple(matches))


def _matched(row: Row, given: tuple[float, float, str] | str | None, known: Gazetteer) -> Match:
    if isinstance(given, tuple):
        lon, lat, grade = given
        reason: Message | str = say("position as given in the list")
        if grade not in ("", *GRADES):
            reason, grade = say("position as given in the list; '{grade}' is no grade", grade=grade), ""
        return Match("given", KnownPlace("address", "", lon, lat, grade), None, reason, grade=grade)
    found = match_row(row, known)
    if isinstance(given, str):  # coordinates that cannot be used are said, not dropped
        reason = say("the coordinates given cannot be used ({why}); {reason}", why=given, reason=found.reason)
        return Match(
            found.outcome, found.place, found.score, reason, found.remedy, found.grade, found.candidates
        )
    return found


def _answer(match: Match, language: Language) -> tuple[str, ...]:
    """Return the columns of the answer, as texts."""
    note = said(match, language)
    score = "" if match.score is None else f"{match.score:.0f}"
    place = match.place
    if place is None:
        return "", "", "", "", score, note
    return f"{place.lon:.6f}", f"{place.lat:.6f}", match.grade, place.name, score, note


def said(match: Match, language: Language) -> str:
    """Return what a match says of itself: the reason and, where nothing was chosen, what to do.

    Parameters
    ----------
    match : of a row
    language : ``zh`` or ``en``

    Returns
    -------
    text : in the language
    """
    reason, remedy = (translate(one, language) for one in (match.reason, match.remedy))
    if not remedy:
        return reason
    return f"{reason}。处理办法：{remedy}" if language == "zh" else f"{reason}. Remedy: {remedy}"


def _one(table: Table, heads: list[str], name: str) -> str | None:
    """Find a column by its name or a synonym.

    Raises
    ------
    UnusableInputError
        Several columns may be it, and it decides where a row lies.
    """
    found = named(heads, name, synonyms("locate", name))
    if len(found) > 1 and name == "address":
        headings = ", ".join(f"'{one}'" for one in found)
        reason = say("several columns may be the {column}: {headings}", column=name, headings=headings)
        raise UnusableInputError(
            [Fault(table.name, f"column '{found[0]}'", "", reason, say("rename or delete all but one"))]
        )
    return found[0] if len(found) == 1 else None


def _texts(table: Table, column: str | None) -> list[str]:
    if column is None:
        return [""] * len(table.frame)
    return [str(rearmed(text)) for text in plain_texts(table.frame[column])]


def _geometry(table: Table) -> str | None:
    return getattr(table.frame, "active_geometry_name", None)


def _given_places(
    table: Table, heads: list[str], datum: str
) -> tuple[list[tuple[float, float] | str | None], tuple[str, ...]]:
    """Return the coordinates that a list has already, and their columns; None where a row has none."""
    nothing: list[tuple[float, float] | str | None] = [None] * len(table.frame)
    has = [named(heads, name, synonyms("", name)) for name in ("lon", "lat", "location", "x", "y")]
    if _geometry(table) is None and not any(has):
        return nothing, ()
    located = locate(table.frame, datum=datum, file=table.name)
    places: list[tuple[float, float] | str | None] = []
    for point, blank, reason in zip(located.points, located.blank, located.reason, strict=True):
        if point is not None:
            places.append((float(point.x), float(point.y)))
        else:
            places.append(None if blank else reason)
    return places, located.used


def _graded(place: tuple[float, float] | str | None, grade: str) -> tuple[float, float, str] | str | None:
    if not isinstance(place, tuple):
        return place
    return (*place, plain_text(grade).upper())
