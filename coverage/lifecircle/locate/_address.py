"""Take a Chinese address apart: county, town, what follows, and the number of the house.

Rules, in this order:

1. letters and digits of full width become plain, blanks and signs of punctuation go, as does what stands in
   brackets; Chinese numerals before 号, 弄, 幢, 组 and 路 become digits;
2. province, city and county are taken off the front, with or without 省 or 市 after a province; the last one
   that may be a county is kept, because an address of another county is no address of the study;
3. then the town: one of the study's by its name, else whatever ends with 镇, 乡 or 街道 there;
4. the number is the last 号 after a street or a lane (12弄3号); buildings, units, floors and rooms (幢, 栋,
   座, 单元, 层, 室) after it say nothing of the place.

This module knows no places: what an address means is looked up in the gazetteer.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PROVINCES = (
    *("北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽"),
    *("福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西"),
    *("甘肃", "青海", "台湾", "内蒙古", "广西", "西藏", "宁夏", "新疆", "香港", "澳门"),
)

_BRACKETS = re.compile(r"[(\[{【〔〈《][^()\[\]{}【】〔〕〈〉《》]*[)\]}】〕〉》]")
_SIGNS = re.compile(r"[\s,.;:!?'\"`、。，．；：！？“”‘’·•*#/\\|_()\[\]{}【】〔〕〈〉《》]+")
_DASHES = re.compile(r"[‐‑‒–—―－~～至]+(?=\d)")
_NUMERAL = re.compile(
    r"[一二三四五六七八九十百〇○零两]+(?=(?:号|弄|幢|栋|组|座|单元|楼|层|室|路|街|巷|大道|支路|马路))"
)
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_PROVINCE = re.compile(
    rf"(?:中国)?(?:{'|'.join(PROVINCES)})(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)?"
)
# A county or city at the front; 社区, 小区, 园区, 开发区 and the like are none, nor is 市 in 市场.
_COUNTY = re.compile(
    r"[\u4e00-\u9fff]{1,7}?(?:县|旗|市(?![场民政中南北东西区])|(?<![社小园景校厂矿库湖街发新])区)"
)
_TOWN = re.compile(r"[\u4e00-\u9fff]{1,6}?(?:街道|镇|乡)(?!路|街|大道|巷|弄|村|社区|居|里|号|政府|上|中)")
_NO_COUNTY = re.compile(r"镇|乡|街道|路|村|号|弄|社区")
_LANE = re.compile(r"(\d+)弄(?:\d+支弄)?")
_NUMBER = re.compile(r"(?:^|(?<=\D))(\d+(?:-\d+)?)号(?!楼|院|线|路|街|大道|公路|泵|闸|桥)(?:之\d+)?")
_BARE_NUMBER = re.compile(r"(?<=[路街道巷])(\d+(?:-\d+)?)(?=$|[^\d号弄米])")
_BUILDING = re.compile(r"(?:[A-Z]|\d+)(?:-\d+)?(?:幢|栋|座|单元|号楼|楼|层|室)(?!村|社区).*$")


@dataclass(frozen=True)
class Address:
    """An address taken apart; every part may be empty.

    ``text`` : all of it, plain; ``county`` : as stated, such as 海盐县; ``town`` : code of the study's town,
    ``town_text`` : the town as stated; ``rest`` : what follows without building and room; ``before`` : the
    part of it before the number; ``number`` : such as ``12号`` or ``12弄3号``.
    """

    text: str
    county: str = ""
    town: str = ""
    town_text: str = ""
    rest: str = ""
    before: str = ""
    number: str = ""

    @property
    def core(self) -> str:
        """The part by which addresses are compared: what stands before the number, and the number."""
        return f"{self.before}{self.number}" if self.number else self.rest


def plain_address(text: str) -> str:
    """Return an address in the form for comparison: plain letters and digits, no blanks, no signs.

    Parameters
    ----------
    text : as written

    Returns
    -------
    text : equal for addresses that differ only in writing

    >>> plain_address("海盐县 枣园西路１２－３号（二楼）"), plain_address("枣园西路十二号")
    ('海盐县枣园西路12-3号', '枣园西路12号')
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    plain = _DASHES.sub("-", _BRACKETS.sub("", plain))
    return _NUMERAL.sub(lambda found: _digits(found[0]), _SIGNS.sub("", plain))


def take_apart(text: str, towns: Mapping[str, str]) -> Address:
    """Take an address apart by the rules of this module.

    Parameters
    ----------
    text : as written
    towns : name of a town -> its code, in every form that is to be known

    Returns
    -------
    address : its parts, empty where it has none

    >>> found = take_apart("浙江省嘉兴市海盐县武原街道枣园西路12弄3号5幢201室", {"武原街道": "330424001"})
    >>> found.county, found.town, found.before, found.number
    ('海盐县', '330424001', '枣园西路', '12弄3号')
    """
    plain = plain_address(text)
    county, rest = _off_the_front(plain, towns)
    name = next(_starts(rest, towns), "")
    stated = name or _stated_town(rest)
    rest = rest.removeprefix(stated)
    before, number = _number(rest)
    return Address(
        text=plain,
        county=county,
        town=towns.get(name, ""),
        town_text=stated,
        rest=_BUILDING.sub("", rest) or rest,
        before=before,
        number=number,
    )


def town_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names that a study's towns may go by: name -> code.

    A town that became a street office, or the other way round, is known by its former ending too, unless
    another town has that name.

    Parameters
    ----------
    names : code -> name

    Returns
    -------
    towns : plain name -> code

    >>> town_names({"1": "武原街道"})
    {'武原街道': '1', '武原镇': '1', '武原乡': '1'}
    """
    known = {plain_address(name): code for code, name in names.items() if name}
    for name, code in list(known.items()):
        stem = re.sub(r"(?:街道|镇|乡)$", "", name)
        if len(stem) > 1:
            for ending in ("街道", "镇", "乡"):
                known.setdefault(stem + ending, code)
    return known


def _off_the_front(plain: str, towns: Mapping[str, str]) -> tuple[str, str]:
    """Return the county of an address, and the address without province, city and county."""
    match = _PROVINCE.match(plain)
    rest = plain[match.end() :] if match and len(plain) > match.end() else plain
    county = ""
    for _ in range(3):
        if any(_starts(rest, towns)):
            return county, rest
        match = _COUNTY.match(rest)
        if match is None or _NO_COUNTY.search(match[0]) or match.end() == len(rest):
            break
        county, rest = match[0], rest[match.end() :]
    # Without 市 and 县 as people write it, 嘉兴海盐武原街道: what stands before a known town is no street.
    for name in sorted(towns, key=len, reverse=True):
        at = rest.find(name)
        if 0 < at <= 8 and not _NO_COUNTY.search(rest[:at]):
            return county, rest[at:]
    return county, rest


def _starts(rest: str, towns: Iterable[str]) -> Iterator[str]:
    """Yield the names of towns that an address begins with, the longest first."""
    yield from sorted((name for name in towns if rest.startswith(name)), key=len, reverse=True)


def _stated_town(rest: str) -> str:
    """Return a town that is none of the study's, as the address states it."""
    match = _TOWN.match(rest)
    return match[0] if match and match.end() < len(rest) and not re.search(r"\d|路|村", match[0]) else ""


def _number(rest: str) -> tuple[str, str]:
    """Return what stands before the number of the house, and the number."""
    lane = _LANE.search(rest)
    start = lane.end() if lane else 0
    found = list(_NUMBER.finditer(rest, start))
    if lane:
        number = f"{lane[1]}弄" + (f"{found[0][1]}号" if found else "")
        return rest[: lane.start()], number
    if found:
        return rest[: found[0].start()], f"{found[0][1]}号"
    bare = _BARE_NUMBER.search(rest)
    return (rest[: bare.start()], f"{bare[1]}号") if bare else ("", "")


def _digits(numeral: str) -> str:
    """Return a Chinese numeral in digits; signs in a row, such as 一二, are digits themselves."""
    if not set(numeral) & set("十百"):
        return "".join(str(_DIGITS[sign]) for sign in numeral)
    hundreds, found, rest = numeral.rpartition("百")
    total = (_DIGITS.get(hundreds[-1:], 1) if found else 0) * 100
    tens, found, ones = rest.rpartition("十")
    total += (_DIGITS.get(tens[-1:], 1) if found else 0) * 10
    return str(total + _DIGITS.get(ones[-1:], 0))
