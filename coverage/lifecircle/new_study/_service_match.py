"""Match the words of a list of facilities with the services of a profile; pure functions of words."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lifecircle.headings import plain_heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lifecircle.standards import Standard

_SIMILAR: Final = 0.7
_MOSTLY: Final = 0.8
_SHORTEST: Final = 3
_PLURAL: Final = re.compile(r"ies(?![a-z])")
_TIER: Final = re.compile("^(省级|县级|镇级|村级|县|农村|新)")
_CALLED: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(group.split())
    for group in (
        "卫生室 村卫生室 卫生所 villageclinic clinic",
        "卫生院 乡镇卫生院 镇卫生院 townhealthcentre townhealthcenter",
        "社区卫生服务中心 communityhealthcentre communityhealthcenter",
        "社区卫生服务站 卫生服务站 communityhealthstation",
        "文化礼堂 农村文化礼堂 culturehall culturalhall",
        "文化站 综合文化站 乡镇文化站 culturestation",
        "文化活动站 文化活动室 cultureactivitystation",
        "农家书屋 ruralreadingroom farmreadingroom",
        "图书馆 公共图书馆 library libraries publiclibrary",
        "健身点 健身苑点 健身苑 健身路径 fitnesssite fitnesspoint",
        "健身步道 健身绿道 fitnesstrail",
        "健身房 百姓健身房 smallgym smallpublicgym",
        "托育园 托育机构 托育中心 托育点 托儿所 托育 nursery nurseries",
        "照料中心 养老照料中心 居家养老服务照料中心 日间照料中心 老年人日间照料中心 daycarecentre",
        "居家养老服务中心 居家养老中心",
        "养老院 敬老院 养老机构 nursinghome carehome",
        "公交站 公交车站 公交站点 公交站台 busstop busstops",
        "幼儿园 kindergarten kindergartens preschool",
        "小学 primaryschool elementaryschool",
        "初中 初级中学 middleschool juniorhighschool",
        "高中 高级中学 普通高中 highschool seniorhighschool",
        "中小学 中学 学校 schools",
        "菜市场 农贸市场 生鲜超市 菜市场或生鲜超市 foodmarket wetmarket",
        "老年活动中心 老年活动室 elderlyactivitycentre elderlyactivitycenter",
    )
)
"""What offices call one kind of place, in the form for comparison; it is the service with such a name or id.

A group whose kind no profile has, such as 中小学, keeps a longer word from being taken for a shorter one.
"""
_OTHERS: Final = re.compile("宠物|动物|兽医|驾|培训|美容|汽车|pet|veterinary|driving|beauty")
"""Words of places that are called like a service and are none: a pet clinic is no clinic."""


@dataclass(frozen=True)
class WordMatch:
    """Words of one column and the services they mean.

    ``exact`` : ids that stand in the file as they are; ``named`` : words that are a service's name;
    ``like`` : words that are like one, to be checked; ``unmatched`` : words without a service -> rows.
    """

    exact: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    like: Mapping[str, str] = field(default_factory=dict)
    unmatched: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0

    @property
    def share(self) -> float:
        """Return the share of the rows whose word means a service."""
        return 1 - sum(self.unmatched.values()) / self.rows if self.rows else 0.0

    @property
    def services(self) -> dict[str, str]:
        """Return word -> service, of all that are not ids already."""
        return {**self.named, **self.like}


def match_words(words: Iterable[str], standard: Standard) -> WordMatch:
    """Return which service each word means: its id, its name, or a name that it is like.

    Parameters
    ----------
    words : (row,) of a column of services; blank ones do not count
    standard : its services

    Returns
    -------
    match : every word once

    >>> from lifecircle.standards import load_standard
    >>> match = match_words(["文化礼堂", "library", "宠物医院"], load_standard("haiyan-2025"))
    >>> dict(match.like), match.exact, dict(match.unmatched)
    ({'文化礼堂': 'culture_hall'}, ('library',), {'宠物医院': 1})
    """
    counts = Counter(word for word in words if word)
    ids = {one.id for one in standard.services}
    names = _names(standard)
    exact, named, like, unmatched = [], {}, {}, {}
    for word, rows in counts.items():
        plain = plain_heading(word)
        if word in ids:
            exact.append(word)
        elif plain in names:
            named[word] = names[plain]
        elif found := _like(plain, names):
            like[word] = found
        else:
            unmatched[word] = rows
    return WordMatch(tuple(exact), named, like, unmatched, sum(counts.values()))


def _names(standard: Standard) -> dict[str, str]:
    """Return the services by id and name in the form for comparison; a name of two services is left out."""
    pairs = [
        (plain_heading(name), one.id)
        for one in standard.services
        for name in {one.id, one.name.zh, one.name.en}
    ]
    owners: dict[str, set[str]] = {}
    for name, service in pairs:
        owners.setdefault(name, set()).add(service)
    return {name: min(found) for name, found in owners.items() if len(found) == 1}


def _short(name: str) -> str:
    """Return a name without brackets and tier: 福利中心 of 县级（儿童）福利中心."""
    return _TIER.sub("", re.sub(r"\(.*?\)", "", name))


def _like(plain: str, names: Mapping[str, str]) -> str | None:
    """Return the one service whose name a word is like: part of it, or nearly the same letters."""
    if len(plain) < _SHORTEST or _OTHERS.search(plain):
        return None
    short = {service for name, service in names.items() if plain == _short(name)}
    if len(short) == 1:
        return next(iter(short))
    within = {
        service
        for name, service in names.items()
        if plain in name or (len(name) >= _SHORTEST and name in plain)
    }
    scored = sorted(
        (
            (difflib.SequenceMatcher(None, plain, name).ratio(), name, service)
            for name, service in names.items()
        ),
        reverse=True,
    )
    best = scored[0] if scored else (0.0, "", "")
    # Of several services whose names hold the word, the nearest; what is only similar must be very much so.
    if len(within) == 1:
        return next(iter(within))
    if best[2] in within or best[0] >= _SIMILAR:
        return best[2]
    return None


def service_of_names(names: Iterable[str], standard: Standard) -> str | None:
    """Return the service that most names end in, as 甲镇图书馆 does; None where none is clear.

    Parameters
    ----------
    names : (row,) of facilities
    standard : its services

    Returns
    -------
    service : id

    >>> from lifecircle.standards import load_standard
    >>> service_of_names(["甲镇卫生院", "乙镇卫生院"], load_standard("haiyan-2025"))
    'town_health_centre'
    """
    known = {name: service for name, service in _names(standard).items() if len(name) >= _SHORTEST - 1}
    found: Counter[str] = Counter()
    rows = 0
    for name in names:
        plain = plain_heading(name)
        rows += bool(plain)
        ends = [one for one in known if plain.endswith(one)] if not _OTHERS.search(plain) else []
        if ends:
            found[known[max(ends, key=len)]] += 1
    best = found.most_common(1)
    return best[0][0] if best and best[0][1] >= _MOSTLY * rows else None


def service_in_name(stem: str, standard: Standard) -> str | None:
    """Return the one service that the name of a file means: its id or name, or a common word for it.

    Parameters
    ----------
    stem : name of the file without its ending
    standard : its services

    Returns
    -------
    service : id; None where no word is of one, or words of several stand in the name

    >>> from lifecircle.standards import load_standard
    >>> names = "bus_stops-2024", "libraries", "卫生室", "图书馆和小学"
    >>> [service_in_name(name, load_standard("haiyan-2025")) for name in names]
    ['bus_stop', 'library', 'village_clinic', None]
    """
    # Names of files are often plural: a library is one of libraries.
    plain = plain_heading(stem)
    if _OTHERS.search(plain):
        return None
    texts = (plain, _PLURAL.sub("y", plain))
    known = _called(standard)
    words = {word for word in known if any(word in text for text in texts)}
    # "county hospital" holds "hospital", 中小学 holds 小学: what stands within a longer word is not meant.
    whole = {word for word in words if not any(word != other and word in other for other in words)}
    found = {known[word] for word in whole}
    return next(iter(found)) if len(found) == 1 else None


def _called(standard: Standard) -> dict[str, str | None]:
    """Return every word for a service -> its id: ids, names and common words; None for a word of none."""
    names = _names(standard)
    known: dict[str, str | None] = {
        name: service for name, service in names.items() if len(name) >= _SHORTEST or not name.isascii()
    }
    for group in _CALLED:
        of = {service for name, service in names.items() if name in group}
        one = next(iter(of)) if len(of) == 1 else None
        known.update({word: one for word in group if word not in names})
    return known
