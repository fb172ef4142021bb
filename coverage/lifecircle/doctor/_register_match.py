"""Compare the register with another list of facilities, such as OpenStreetMap's: what each lacks.

Two rows are one facility, by the first rule that holds:

1. one service, names at least 60 % alike or one of them empty, and no more than 50 m apart;
2. one service, names at least 85 % alike, and no more than 500 m apart.

A service of the other list that the standard does not know is no service to compare: there rule 2 alone
decides, whatever the service of the register's row. Numbers in names must agree (school 1
is not school 2). Each row is matched once: the most alike first, then the nearest, then in
the order of the rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from lifecircle.doctor._input_problem import SAMPLES, Problem
from lifecircle.errors import say
from lifecircle.facilities import read_facilities
from lifecircle.tables import rejected_rows, write_csv
from lifecircle.wording import word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import geopandas as gpd

    from lifecircle.audit import Inputs
    from lifecircle.errors import Message
    from lifecircle.wording import Language

NEAR_M: Final = 50.0
FAR_M: Final = 500.0
ALIKE: Final = 60.0
VERY_ALIKE: Final = 85.0
"""Similarity of names, 0 to 100 (rapidfuzz)."""


@dataclass(frozen=True)
class RegisterMatch:
    """The register against another list.

    ``file`` : its name; ``table`` : one row for each match and each facility that is in one list alone, with
    ``found`` (``both``, ``register`` or ``file``), service, ids, names, metres, similarity and where it is;
    ``unread`` : rows of the other list that could not be read, with the reason of each.
    """

    file: str
    table: pd.DataFrame
    unread: pd.DataFrame = field(default_factory=pd.DataFrame)

    def plain(self) -> dict[str, Any]:
        """Return the comparison as plain values for JSON."""
        table = self.table.astype(object).where(self.table.notna(), None)
        return {
            "file": Path(self.file).name,
            "rows": table.to_dict("records"),
            "unread": rejected_rows(self.unread),
        }

    def alone(self, side: str) -> pd.DataFrame:
        """Return the rows that are in one list alone: ``register`` or ``file``."""
        return self.table[self.table["found"] == side]


def match_register(inputs: Inputs, file: str | Path, *, datum: str = "wgs84") -> RegisterMatch:
    """Match the open facilities of a study with another list.

    Parameters
    ----------
    inputs : a study prepared for a year
    file : list of facilities with a service, a name and a place, such as ``facilities.geojson`` of a fetch
    datum : of the list

    Returns
    -------
    match

    Raises
    ------
    UnusableInputError
        The list cannot be read.
    """
    other, unread = read_facilities(file, datum=datum, max_rejected=1.0)
    known = {service.id for service in inputs.study.standard.services}
    table = matched(inputs.facilities, other, crs=inputs.crs, known=known)
    return RegisterMatch(str(file), table, unread)


def write_matches(match: RegisterMatch, path: str | Path, language: Language) -> None:
    """Write every row of both lists as csv: what is in both, then what is in one of them alone.

    Parameters
    ----------
    match : the register against another list
    path : csv, replaced where it is one
    language : of the column names and of ``found``

    Raises
    ------
    UnusableInputError
        The system refuses to write.
    """
    side = {name: word("match", name, language) for name in ("both", "register", "file")}
    heads = {name: word("match_column", name, language) for name in match.table.columns}
    table = match.table.assign(found=match.table["found"].map(side))
    write_csv(table.rename(columns=heads), path)


def matched(
    register: gpd.GeoDataFrame, other: gpd.GeoDataFrame, *, crs: Any, known: Collection[str]
) -> pd.DataFrame:
    """Return the matches of two lists and what is in one alone, as :class:`RegisterMatch` holds them.

    Parameters
    ----------
    register, other : ``service``, ``name`` and places, each with its own CRS
    crs : metre CRS
    known : services of the standard
    """
    pairs = _pairs(register, other, crs, known)
    pairs = pairs.sort_values(["score", "metres", "one", "other"], ascending=[False, True, True, True])
    taken_one: set[int] = set()
    taken_other: set[int] = set()
    kept = []
    for row in pairs.itertuples(index=False):
        if row.one not in taken_one and row.other not in taken_other:
            taken_one.add(row.one)
            taken_other.add(row.other)
            kept.append(row)
    mine, theirs = ([row for _, row in table.to_crs("EPSG:4326").iterrows()] for table in (register, other))
    rows = [
        *(_row("both", mine[row.one], theirs[row.other], row.metres, row.alike) for row in kept),
        *(_row("register", one, None, None, None) for at, one in enumerate(mine) if at not in taken_one),
        *(_row("file", None, one, None, None) for at, one in enumerate(theirs) if at not in taken_other),
    ]
    columns = ("found", "service", "id", "name", "file_id", "file_name", "metres", "alike", "lon", "lat")
    order = {"both": 0, "register": 1, "file": 2}
    table = pd.DataFrame(rows, columns=list(columns))
    by = [table["found"].map(order), table["service"]]
    return table.iloc[np.lexsort((np.arange(len(table)), by[1].astype(str), by[0]))].reset_index(drop=True)


def _pairs(
    register: gpd.GeoDataFrame, other: gpd.GeoDataFrame, crs: Any, known: Collection[str]
) -> pd.DataFrame:
    """List pairs of rows that may be one facility: one, other (positions), metres, alike, score."""
    from rapidfuzz import fuzz  # noqa: PLC0415 - loaded by who compares

    shapes = [table.to_crs(crs).geometry.to_numpy() for table in (register, other)]
    right, left = shapely.STRtree(shapes[0]).query(shapes[1], predicate="dwithin", distance=FAR_M)
    metres = shapely.distance(shapes[0][left], shapes[1][right])
    names = [table["name"].fillna("").astype(str).to_list() for table in (register, other)]
    services = [table["service"].astype(str).to_list() for table in (register, other)]
    found = []
    for one, two, apart in zip(left.tolist(), right.tolist(), metres.tolist(), strict=True):
        mine, theirs = names[0][one], names[1][two]
        same = services[0][one] == services[1][two]
        if not same and services[1][two] in known:
            continue
        if mine and theirs and re.findall(r"\d+", mine) != re.findall(r"\d+", theirs):
            continue
        alike = float(fuzz.ratio(mine, theirs)) if mine and theirs else None
        near = same and apart <= NEAR_M and (alike is None or alike >= ALIKE)
        if near or (alike is not None and alike >= VERY_ALIKE):
            found.append((one, two, apart, alike, ALIKE if alike is None else alike))
    return pd.DataFrame(found, columns=["one", "other", "metres", "alike", "score"])


def _row(found: str, mine: Any, theirs: Any, metres: float | None, alike: float | None) -> tuple[Any, ...]:
    """Return one row of the table of matches; ``mine`` or ``theirs`` is None where a list lacks it."""
    shown = theirs if mine is None else mine
    place = shown.geometry
    point = None if place is None or place.is_empty else place.representative_point()
    return (
        found,
        str(shown["service"]),
        *(("", "") if mine is None else (str(mine.name), _name(mine))),
        *(("", "") if theirs is None else (str(theirs.name), _name(theirs))),
        None if metres is None else round(metres, 1),
        None if alike is None or pd.isna(alike) else round(alike, 1),
        None if point is None else round(float(point.x), 6),
        None if point is None else round(float(point.y), 6),
    )


def _name(row: Any) -> str:
    return "" if pd.isna(row["name"]) else str(row["name"])


def match_problems(match: RegisterMatch) -> Iterator[Problem]:
    """Report by service what the register lacks of the other list, and the other way round."""
    file = Path(match.file).name
    if rows := rejected_rows(match.unread):
        shown = match.unread.drop_duplicates("row").head(SAMPLES)
        yield Problem(
            "note",
            "unread_in_file",
            "facilities",
            rows,
            say("rows of '{file}' that cannot be compared", file=file),
            say("mend these rows in the other list, or leave them out"),
            tuple(f"{row}: {reason}" for row, reason in zip(shown["row"], shown["reason"], strict=True)),
        )
    for service, rows in match.alone("file").groupby("service", sort=True):
        yield _problem(
            "not_in_register",
            rows,
            rows["file_id"] + " " + rows["file_name"],
            say("'{file}' has them, the register does not: {service}", file=file, service=str(service)),
            say("look whether they exist and are open; then add them, or correct the other list"),
        )
    for service, rows in match.alone("register").groupby("service", sort=True):
        yield _problem(
            "not_in_file",
            rows,
            rows["id"] + " " + rows["name"],
            say("the register has them, '{file}' does not: {service}", file=file, service=str(service)),
            say("no fault where the other list is incomplete; else look on the ground"),
        )


def _problem(
    kind: str, rows: pd.DataFrame, named: pd.Series[str], reason: Message, remedy: Message
) -> Problem:
    placed = rows.dropna(subset=["lon", "lat"]).head(SAMPLES)
    return Problem(
        "note",
        kind,
        "facilities",
        len(rows),
        reason,
        remedy,
        tuple(named.head(SAMPLES)),
        places=tuple(zip(placed["lon"].tolist(), placed["lat"].tolist(), strict=True)),
    )
