"""Own the synonyms of headings: what offices call the columns of their tables, in Chinese and English.

One catalogue for every table (``headings.toml``). It reads no table; the rooms above ask it what a column may
be called and which heading means it.
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
    """Write a heading as two clerks may have typed it: plain small letters, no blanks, no unit.

    >>> plain_heading(" 容纳人数（人）"), plain_heading("Opening_Hours")
    ('容纳人数', 'openinghours')
    """
    plain = re.sub(r"[\s_\-*]+", "", unicodedata.normalize("NFKC", heading)).casefold()
    match = _UNIT.fullmatch(plain)
    return match[1] if match else plain


@functools.cache
def synonyms(table: str, column: str) -> tuple[str, ...]:
    """List what a column of a kind of table is called beside its own name.

    >>> "经度" in synonyms("demand", "lon"), synonyms("demand", "strange")
    (True, ())
    """
    return tuple(
        dict.fromkeys(word for part in (table, ANY) for word in _catalogue().get(part, {}).get(column, ()))
    )


def named(present: Iterable[str], name: str, others: Iterable[str] = ()) -> tuple[str, ...]:
    """Find the headings that mean a column: the one that is its own name, else all that are another of its.

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
