"""Look up the words of road tables: what a column holds, and what a cell means (``words.toml``).

Pure functions of names and words; this module reads no file and knows no geometry.
"""

from __future__ import annotations

import functools
import json
import math
import re
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lifecircle.roads._osmnx_graph import read_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WHOLE: Final = re.compile(r"[-+]?\d+\.0*")
_PAIR: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=>\s*(?:"((?:[^"\\]|\\.)*)"|NULL)')

LEFT_OUT_CLASS: Final = "no"
"""What a study writes for a word of its own whose rows are no roads."""

LETTERS: Final = frozenset({"t", "f"})
"""One-way letters that other tables use for true and false."""


@functools.cache
def _data() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


def plain(word: str) -> str:
    """Return a name or word in the form in which it is compared.

    >>> plain(" Road_Class ")
    'roadclass'
    """
    return re.sub(r"[\s_\-]+", "", word.lower()) if re.search(r"\w", word) else ""


def names_of(kind: str) -> tuple[str, ...]:
    """Return the usual names of a kind of column, the surest first, in the form for comparison."""
    return tuple(plain(name) for name in _data()["columns"].get(kind, [kind]))


@functools.cache
def _class_words() -> dict[str, str]:
    data = _data()
    known = {plain(word): word for word in data["osm"]["words"]}
    return known | {plain(word): name for name, words in data["classes"].items() for word in words}


def class_names() -> frozenset[str]:
    """Return the road classes that a study may translate its own words to."""
    return frozenset(_data()["osm"]["words"])


def class_word(word: str, own: Mapping[str, str] | None = None) -> str | None:
    """Return the road class of a word, a study's own words first; None where the word is unknown.

    >>> class_word("县道"), class_word("Motorway Link"), class_word("seawall")
    ('secondary', 'motorway_link', None)
    """
    key = plain(word)
    if own and key in own:
        return own[key]
    return _class_words().get(key)


@functools.cache
def _oneway_words() -> dict[str, str]:
    table = _data()["oneway"]
    signed = {"-1": "-1"}  # the minus sign would be lost in the form for comparing
    return {plain(word): said for said, words in table.items() for word in words if word != "-1"} | signed


def oneway_word(word: str) -> str | None:
    """Return OpenStreetMap's word for a one-way word of a table; None where the word is unknown.

    >>> oneway_word("单行"), oneway_word("TF"), oneway_word("-1"), oneway_word("perhaps")
    ('yes', '-1', '-1', None)
    """
    return "-1" if word == "-1" else _oneway_words().get(plain(word))


@functools.cache
def _nothing() -> frozenset[str]:
    return frozenset(_data()["nothing"]["words"])


def is_said(word: str) -> bool:
    """Return whether a cell of a column such as ``bridge`` means yes.

    >>> is_said("viaduct"), is_said("F"), is_said("否")
    (True, False, False)
    """
    return word.strip().lower() not in _nothing()


def cell_words(value: Any) -> str | tuple[str, ...] | None:
    """Return a cell as a word, as several words where ways were merged, empty where the cell is empty.

    None is returned for a cell that holds neither: a record in a record.

    >>> cell_words(1.0), cell_words("-1.0"), cell_words(["primary", "service"]), cell_words({"a": 1})
    ('1', '-1', ('primary', 'service'), None)
    """
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, float, np.number)):
        return _number_word(float(value))
    if isinstance(value, (list, tuple, np.ndarray)):
        return _several_words([cell_words(part) for part in value])
    if not isinstance(value, str):
        return None if isinstance(value, (dict, bytes)) else ""
    word = value.strip()
    several = read_list(word)
    if isinstance(several, list):
        return _several_words([cell_words(part) for part in several])
    return word.partition(".")[0] if _WHOLE.fullmatch(word) else word


def _several_words(parts: list[Any]) -> str | tuple[str, ...] | None:
    if not all(isinstance(part, str) for part in parts):
        return None
    words = tuple(dict.fromkeys(part for part in parts if part))
    return words if len(words) > 1 else "".join(words)


def _number_word(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() else f"{value:g}"


def read_tags(cell: Any, keys: Iterable[str]) -> dict[str, str]:
    """Return the wanted keys of a cell that holds many tags: hstore text of GDAL, JSON, or a mapping.

    >>> read_tags('"bridge"=>"yes","name"=>"A, B"', {"bridge"})
    {'bridge': 'yes'}
    """
    if isinstance(cell, str) and cell.lstrip().startswith("{"):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return {}
    if isinstance(cell, (list, np.ndarray)):
        cell = {str(pair[0]): pair[1] for pair in cell if isinstance(pair, (list, tuple)) and len(pair) == 2}
    if isinstance(cell, dict):
        found = {str(key): value for key, value in cell.items() if isinstance(value, str)}
    elif isinstance(cell, str):
        found = dict(_PAIR.findall(cell))
    else:
        return {}
    return {key: found[key] for key in keys if found.get(key)}
