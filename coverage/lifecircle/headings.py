"""Look up synonyms of headings: the names that offices give the columns of their tables.

One catalogue for every table (``headings.toml``), in Chinese and English. This module reads no table; others
ask it for the names of a column
and for the column of a heading.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY: Final = "any"

_UNITS: Final = (
    "人|个|张|户|座|位|处|床|岁|年|平方米|㎡|m2|度|°|万元|persons?|people|places|beds|seats|degrees?|deg"
)
_UNIT: Final = re.compile(rf"(.+)\((?:单位:)?(?:{_UNITS})\)")


@functools.cache
def _catalogue() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files("lifecircle").joinpath("headings.toml").read_text("utf-8"))


@functools.lru_cache(maxsize=4096)
def plain_heading(heading: str) -> str:
    """Return a heading in the form for comparison: plain small letters, no blanks, no unit.

    Parameters
    ----------
    heading : as written in a file

    Returns
    -------
    heading : equal for headings that differ only in writing

    >>> plain_heading(" 容纳人数（人）"), plain_heading("Opening_Hours")
    ('容纳人数', 'openinghours')
    """
    plain = re.sub(r"[\s_\-*]+", "", unicodedata.normalize("NFKC", heading)).casefold()
    match = _UNIT.fullmatch(plain)
    return match[1] if match else plain


@functools.cache
def synonyms(table: str, column: str) -> tuple[str, ...]:
    """Return the other names of a column in one kind of table.

    Parameters
    ----------
    table : kind of table, such as ``demand``; empty for names that every table has
    column : canonical name

    Returns
    -------
    names : in the order of the catalogue; empty where it has none

    >>> "经度" in synonyms("demand", "lon"), synonyms("demand", "strange")
    (True, ())
    """
    return tuple(
        dict.fromkeys(word for part in (table, ANY) for word in _catalogue().get(part, {}).get(column, ()))
    )


def named(present: Iterable[str], name: str, others: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the headings that mean a column: its own name, else all that are another of its names.

    Parameters
    ----------
    present : headings of a table
    name : the column's own name; one written in small letters stands before those in other cases
    others : its synonyms

    Returns
    -------
    tuple of str
        None where the table has no such column; several where it cannot be known which is meant.

    >>> named(["Name", "名称"], "name", ["名称"]), named(["名称", "名字"], "name", ["名称", "名字"])
    (('Name',), ('名称', '名字'))
    """
    headings = list(present)
    if name in headings:
        return (name,)
    own = tuple(one for one in headings if one.strip().casefold() == name.strip().casefold())
    if own:
        return own
    plain = {plain_heading(word) for word in (name, *others)}
    return tuple(one for one in headings if plain_heading(one) in plain)


@functools.cache
def _known() -> frozenset[str]:
    words = {"x", "y"}
    for columns in _catalogue().values():
        for name, others in columns.items():
            words |= {name, *others}
    return frozenset(plain_heading(word) for word in words)


def known_headings(cells: Iterable[object]) -> int:
    """Return the number of cells of a row that are headings of the catalogue, whatever the table.

    Parameters
    ----------
    cells : of one row

    Returns
    -------
    many : their number

    >>> known_headings(["名称", "经度（°）", 3, None])
    2
    """
    return sum(isinstance(cell, str) and plain_heading(cell) in _known() for cell in cells)


def means(heading: str, columns: Iterable[str]) -> bool:
    """Return whether a heading is one of these columns in some table.

    Parameters
    ----------
    heading : as written in a file
    columns : canonical names

    Returns
    -------
    means : bool

    >>> means("经度", ["lon", "lat"]), means("名称", ["lon", "lat"])
    (True, False)
    """
    plain = plain_heading(heading)
    return any(
        plain in {plain_heading(word) for word in (name, *synonyms(table, name))}
        for table in _catalogue()
        for name in columns
    )
