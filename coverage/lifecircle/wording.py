"""Own the words that people read, in Chinese and English: one catalogue, and how figures are printed.

A rate is printed truncated to a tenth of a point, so that one below its goal never looks like the goal.
"""

from __future__ import annotations

import functools
import tomllib
from decimal import ROUND_FLOOR, Decimal
from importlib import resources
from typing import TYPE_CHECKING, Literal, Self

from lifecircle.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["zh", "en"]


@functools.cache
def _catalogue() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(resources.files("lifecircle").joinpath("wording.toml").read_text("utf-8"))


def word(kind: str, name: str, language: Language) -> str:
    """Give the word for a name of a kind, or the name itself where the catalogue has none.

    >>> word("status", "behind", "zh")
    '进度滞后'
    """
    entry = _catalogue().get(kind, {}).get(name)
    return entry[language] if entry else name


def explain(code: str, language: Language, names: Mapping[str, str] | None = None) -> str:
    """Put a reason code such as ``urban_unknown:12`` in words; empty stays empty.

    A field of the sentence may name the kind of word that stands in it, ``{0:column}``: no code is printed
    then. ``names`` : words for codes that are a study's own, such as the ids of its targets.

    >>> explain("urban_unknown:12", "en")
    'urban or rural unknown for 12 people'
    >>> explain("verdict_by:open", "en")
    'judged by open hours, as are all figures of the row'
    """
    if not code:
        return ""
    name, _, rest = code.partition(":")
    values = [_Word(text, language, names or {}) for text in rest.split("|")]
    return word("reason", name, language).format(*values)


class _Word(str):
    """A code that prints as the word of a kind where the format names the kind."""

    __slots__ = ("_language", "_names")

    _language: Language
    _names: Mapping[str, str]

    def __new__(cls, text: str, language: Language, names: Mapping[str, str]) -> Self:
        made = super().__new__(cls, text)
        made._language = language
        made._names = names
        return made

    def __format__(self, kind: str) -> str:
        if not kind:
            return str(self)
        return self._names.get(str(self)) or word(kind, str(self), self._language)


def translate(text: str, language: Language) -> str:
    """Put a message of a fault in a language; a text that is no message, or has no entry, stays as it is.

    Messages among the values are put in the language too.

    >>> from lifecircle.errors import say
    >>> translate(say("did you mean '{name}'?", name="year"), "zh")
    '是否应为“year”？'
    """
    if language == "en" or not isinstance(text, Message):
        return str(text)
    entry = _catalogue().get("message", {}).get(text.template)
    template = entry[language] if entry else text.template
    values = {
        name: translate(value, language) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return template.format(**values)


def percent(value: float | None, *, empty: str = "—") -> str:
    """Print a share in per cent, truncated to a tenth of a point.

    >>> percent(0.9996), percent(1.0), percent(0.29), percent(None)
    ('99.9 %', '100.0 %', '29.0 %', '—')
    """
    if value is None:
        return empty
    return f"{truncated_percent(value):.1f} %"


def truncated_percent(value: float) -> float:
    """Give a share in per cent, truncated (towards minus infinity) to a tenth of a point.

    >>> truncated_percent(0.29), truncated_percent(2 / 3)
    (29.0, 66.6)
    """
    points = Decimal(repr(value)) * 1000
    return float(points.to_integral_value(rounding=ROUND_FLOOR) / 10)


def printed_points(before: float, after: float) -> float:
    """Give the points between two shares as they are printed, which need not be those of the unrounded ones.

    >>> printed_points(0.8601, 0.8709), round((0.8709 - 0.8601) * 100, 1)
    (1.0, 1.1)
    """
    return round(truncated_percent(after) - truncated_percent(before), 1)
