"""Look up the words that people read, in Chinese and English, and print figures.

A rate is printed truncated to a tenth of a point, so that one below its goal never looks like the goal.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Self

from lifecircle.errors import Bilingual, Message, Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.errors import Fault

Language = Literal["zh", "en"]


@functools.cache
def _catalogue() -> dict[str, dict[str, dict[str, str]]]:
    read = tomllib.loads(resources.files("lifecircle").joinpath("wording.toml").read_text("utf-8"))
    return {
        kind: {name: {one: Phrase(text) for one, text in entry.items()} for name, entry in entries.items()}
        for kind, entries in read.items()
    }


def load_words() -> None:
    """Read the catalogue now, for who has to wait anyway; else it is read with the first word.

    >>> load_words()
    """
    _catalogue()


def word(kind: str, name: str, language: Language) -> str:
    """Return the word for a name of a kind, or the name itself where the catalogue has none.

    Parameters
    ----------
    kind : section of the catalogue, such as ``status``
    name : its key
    language : ``zh`` or ``en``

    Returns
    -------
    word : in the language

    >>> word("status", "behind", "zh")
    '进度滞后'
    """
    entry = _catalogue().get(kind, {}).get(name)
    return entry[language] if entry else name


def explain(code: str, language: Language, names: Mapping[str, str] | None = None) -> str:
    """Return a reason code such as ``urban_unknown:12`` as a sentence; empty stays empty.

    A field of the sentence may name the kind of its word, ``{0:column}``: no code is printed
    then. ``names`` : words for codes that are a study's own, such as the ids of its targets.

    Parameters
    ----------
    code : reason code, with arguments after a colon
    language : ``zh`` or ``en``
    names : words for codes of the study

    Returns
    -------
    sentence : in the language

    >>> explain("urban_unknown:12", "en")
    'urban or rural unknown for 12 people'
    >>> explain("verdict_by:open", "en")
    'judged by open hours, as are all figures of the row'
    """
    if not code:
        return ""
    name, _, rest = code.partition(":")
    entry = _catalogue().get("reason", {}).get(name)
    if entry is None:
        return code
    return entry[language].format(*(_Word(text, language, names or {}) for text in rest.split("|")))


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


@dataclass(frozen=True)
class Words:
    """The words of the catalogue in one language, as they are handed to a room that prints.

    Attributes
    ----------
    language : ``zh`` or ``en``

    >>> Words("en").get("status", "behind"), Words("en").format("page", "gap_people", people="12")
    ('behind', '12 people')
    """

    language: Language

    def get(self, section: str, key: str) -> str:
        """Return a word of a section, or the key itself where the catalogue has none.

        >>> Words("zh").get("class", "public_benefit"), Words("zh").get("class", "bus_stop")
        ('公益类设施', 'bus_stop')
        """
        return word(section, key, self.language)

    def format(self, section: str, key: str, **facts: object) -> str:
        """Return a sentence of a section with its facts filled in.

        Raises
        ------
        KeyError
            When a fact of the sentence is not given.

        >>> Words("zh").format("page", "gap_people", people="12")
        '12 人'
        """
        return self.get(section, key).format(**facts)

    def section(self, name: str) -> Mapping[str, str]:
        """Return every word of a section by its key, in the order of the catalogue.

        Raises
        ------
        KeyError
            When the catalogue has no such section.

        >>> Words("en").section("kind")["circle"]
        'circle'
        """
        return _section(name, self.language)

    def explain(self, code: str, names: Mapping[str, str] | None = None) -> str:
        """Return a reason code as a sentence, as :func:`explain` does.

        >>> Words("en").explain("urban_unknown:12")
        'urban or rural unknown for 12 people'
        """
        return explain(code, self.language, names)


@functools.cache
def _section(name: str, language: Language) -> Mapping[str, str]:
    return MappingProxyType({key: entry[language] for key, entry in _catalogue()[name].items()})


def translate(text: str, language: Language) -> str:
    """Return a message of a fault in a language; a text that is no message, or has no entry, is unchanged.

    Messages among the values are translated too.

    Parameters
    ----------
    text : a message made by :func:`lifecircle.errors.say`, or any text
    language : ``zh`` or ``en``

    Returns
    -------
    text : in the language

    >>> from lifecircle.errors import say
    >>> translate(say("did you mean '{name}'?", name="year"), "zh")
    '是否应为“year”？'
    """
    if isinstance(text, Bilingual):
        return text.zh if language == "zh" else str(text)
    if language == "en" or not isinstance(text, Message):
        return str(text)
    entry = _catalogue().get("message", {}).get(text.template)
    template = entry[language] if entry else text.template
    values = {
        name: translate(value, language) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return template.format(**values)


LINE: Final = 500
"""Characters of a line about a fault: the content of a file may be of any length."""

# A scheme has two letters or more: C:/ is a disk. A path made of an address has lost one of its slashes.
_SCHEME: Final = r"(?<![\w+.-])([A-Za-z][\w+.-]+:/{1,3})"
_USERS: Final = (re.compile(_SCHEME + r"[^\s/@:]+:[^@\n]*@"), re.compile(_SCHEME + r"\S*@"))
_SECRETS: Final = re.compile(
    r"""(?i)\b((?:\w*(?:password|passwd|pwd|secret|token|api_?key|_key))|tk|key)"""
    r"""(["']?\s*=\s*)("[^"]*"|'[^']*'|[^\s&;,]+)"""
)


def fault_line(fault: Fault, language: Language) -> str:
    """Return a fault as one line in a language, of limited length whatever the file holds.

    Parameters
    ----------
    fault : the fault
    language : ``zh`` or ``en``

    Returns
    -------
    line : without a line break

    >>> from lifecircle.errors import Fault, say
    >>> fault = Fault("a.csv", "row 3, column 'lon'", "x", say("did you mean '{name}'?", name="y"), "mend it")
    >>> fault_line(fault, "zh")
    'a.csv，第 3 行，列“lon”：是否应为“y”？（现为：x）。处理办法：mend it'
    """
    zh = language == "zh"
    remedy = one_line(translate(fault.remedy, language), LINE // 2)
    reason = one_line(translate(fault.reason, language), LINE)
    value = one_line(fault.value, 80)
    # A path is known by its end, so the middle of a long one is left out.
    names = (
        one_line(place_text(fault.file, language), 160),
        one_line(place_text(fault.place, language), 160),
    )
    where = ("，" if zh else ", ").join(name for name in names if name)
    found = "" if not value else f"（现为：{value}）" if zh else f" (found: {value})"
    after = "" if not remedy else f"。处理办法：{remedy}" if zh else f". Remedy: {remedy}"
    before = (where + ("：" if zh else ": ") if where else "") + reason.rstrip("。" if zh else "")
    return one_line(before, LINE - len(found) - len(after)) + found + after


def one_line(text: str, longest: int = LINE) -> str:
    r"""Return a text in one line that shows as it is: no control characters, no passwords, limited length.

    Parameters
    ----------
    text : any text
    longest : most characters

    Returns
    -------
    line : cut in the middle where it is longer

    >>> one_line("a\nb\x1b[31m"), one_line("postgresql://me:secret@host/db"), one_line("abcdefghij", 7)
    ('a b\\x1b[31m', 'postgresql://***@host/db', 'abc…hij')
    """
    if len(text) > 4 * longest:  # what would be left out anyway; a cell may hold megabytes
        text = text[: 2 * longest] + "…" + text[-2 * longest :]
    for user in _USERS:
        text = user.sub(r"\1***@", text)
    text = _SECRETS.sub(r"\1\2***", text)
    text = "".join(map(_shown, " ".join(text.split())))
    if len(text) <= longest:
        return text
    end = (longest - 1) // 2
    return f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"


def _shown(sign: str) -> str:
    """Return a character in a form that does not change its line, such as one that turns the direction."""
    if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return sign
    return sign.encode("unicode_escape", "backslashreplace").decode("ascii")


_PLACES: Final = (
    (re.compile(r"rows? ([\d, –-]+)"), "第 {0} 行"),
    (re.compile(r"line (\d+)"), "第 {0} 行"),
    (re.compile(r"column '(.*)'"), "列“{0}”"),
    (re.compile(r"key ['\"](.*)['\"]"), "键“{0}”"),
    (re.compile(r"layer '(.*)'"), "图层“{0}”"),
    (re.compile(r"sheet '(.*)'"), "工作表“{0}”"),
    (re.compile(r"(\d+) of (\d+) rows"), "{1} 行中的 {0} 行"),
    (re.compile(r"\(map\)"), "（地图）"),
    (re.compile(r"\(years\)|years?"), "年份"),
    (re.compile(r"\(findings\)"), "（核算结果）"),
    (re.compile(r"\(table\)"), "（内存中的表）"),
    (re.compile(r"\(target\)|target"), "指标"),
)


def place_text(place: str, language: Language) -> str:
    """Return the place of a fault in a language: a message, or the plain forms that places have.

    Parameters
    ----------
    place : row, column or key of a fault
    language : ``zh`` or ``en``

    Returns
    -------
    text : in the language

    >>> place_text("row 3, column 'lon'", "zh"), place_text("facilities[2]", "zh")
    ('第 3 行，列“lon”', 'facilities[2]')
    """
    if language == "en" or isinstance(place, Message):
        return translate(place, language)
    parts = re.split(r", (?=column |key |line |row )", place, maxsplit=1)
    return "，".join(_place_part(part) for part in parts)


def _place_part(part: str) -> str:
    for pattern, text in _PLACES:
        if match := pattern.fullmatch(part):
            return text.format(*match.groups())
    return part


_COMMITTEE: Final = re.compile(r"(.+?(?:村|社区))(?:村民委员会|居民委员会|民委员会|委员会|居委会|委会)")


def village_text(name: str) -> str:
    """Return a village's name as officials say it: without the committee that governs it.

    Parameters
    ----------
    name : as listed

    Returns
    -------
    name : unchanged where it is no name of a committee, or nothing would be left to name a village by

    >>> village_text("新联村委会"), village_text("新联村村民委员会"), village_text("百可社区居委会")
    ('新联村', '新联村', '百可社区')
    >>> village_text("城东居委会"), village_text("Oak Hill")
    ('城东居委会', 'Oak Hill')
    """
    found = _COMMITTEE.fullmatch(name)
    return found[1] if found else name


def percent(value: float | None, *, empty: str = "—") -> str:
    """Return a share in per cent as text, truncated to a tenth of a point.

    Parameters
    ----------
    value : share from 0 to 1, None where unknown
    empty : text for an unknown share

    Returns
    -------
    text : a rate below its goal never shows as the goal

    >>> percent(0.9996), percent(1.0), percent(0.29), percent(None)
    ('99.9 %', '100.0 %', '29.0 %', '—')
    """
    if value is None:
        return empty
    return f"{truncated_percent(value):.1f} %"


def truncated_percent(value: float) -> float:
    """Return a share in per cent, truncated (towards minus infinity) to a tenth of a point.

    Parameters
    ----------
    value : share

    Returns
    -------
    percent : one decimal

    >>> truncated_percent(0.29), truncated_percent(2 / 3)
    (29.0, 66.6)
    """
    points = Decimal(repr(value)) * 1000
    return float(points.to_integral_value(rounding=ROUND_FLOOR) / 10)


def printed_points(before: float, after: float) -> float:
    """Return the points between two shares as printed, which can differ from the unrounded difference.

    Parameters
    ----------
    before, after : shares

    Returns
    -------
    points : difference of the printed per cent values

    >>> printed_points(0.8601, 0.8709), round((0.8709 - 0.8601) * 100, 1)
    (1.0, 1.1)
    """
    return round(truncated_percent(after) - truncated_percent(before), 1)
