"""Collect the places that addresses are matched to: villages, streets and the rows of an address file.

A street is where its middle is, of the whole and of its part in every town; one that is long is known by
name and gives no position. Streets of one name that lie apart are several streets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from lifecircle.datum import way_between
from lifecircle.demand import OUTSIDE, village_centres
from lifecircle.locate._address import plain_address, take_apart, town_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import geopandas as gpd
    import pandas as pd
    import pyproj

    from lifecircle.locate._address import Address

Kind = Literal["address", "street", "village"]

STREET_M = 2000.0
"""A street longer than this, from end to end, gives no position without a number (inclusive)."""

APART_M = 300.0
"""Parts of a street farther from each other are two streets of one name."""

_ENDINGS = (
    "社区居民委员会",
    "社区居委会",
    "村民委员会",
    "居民委员会",
    "村委会",
    "居委会",
    "社区",
    "村",
    "居",
)
_VILLAGE = ("村民委员会", "村委会", "村")
_COMMUNITY = ("社区居民委员会", "社区居委会", "居民委员会", "居委会", "社区", "居")
_ENDS = frozenset("\n村区组镇乡县市号弄与路街道")
_NUMBERED = re.compile(r"(?:\d+弄)?(?:\d+(?:-\d+)?号)?$(?<=[号弄])")
_STREET_ENDING = re.compile(r"(?:大道|公路|大街|路|街|巷|里|坊|线|桥|弄|道)$")


@dataclass(frozen=True)
class KnownPlace:
    """A place with a name.

    ``name`` : as people know it; ``lon``, ``lat`` : degrees in WGS84, NaN where the name gives no position;
    ``grade`` : of the position; ``town`` : code of its town, empty where unknown; ``metres`` : of a street,
    from end to end; ``compared`` : the part of its name that no other place shares;
    ``code`` : of a village.
    """

    kind: Kind
    name: str
    lon: float
    lat: float
    grade: str
    town: str = ""
    metres: float = 0.0
    compared: str = ""
    code: str = ""


@dataclass(frozen=True)
class Gazetteer:
    """All known places by the forms in which addresses name them, and the towns.

    ``towns`` : form -> code; ``town_of`` : code -> name; ``villages``, ``streets``, ``addresses`` : plain
    form -> places. A street of several towns is there whole (no town) and in parts.
    """

    towns: Mapping[str, str]
    town_of: Mapping[str, str]
    villages: Mapping[str, tuple[KnownPlace, ...]] = field(default_factory=dict)
    streets: Mapping[str, tuple[KnownPlace, ...]] = field(default_factory=dict)
    addresses: Mapping[str, tuple[KnownPlace, ...]] = field(default_factory=dict)
    county: str = ""

    @cached_property
    def every_village(self) -> tuple[KnownPlace, ...]:
        """Every village once."""
        return tuple(dict.fromkeys(place for places in self.villages.values() for place in places))

    @cached_property
    def numbered(self) -> Mapping[str, tuple[tuple[str, KnownPlace], ...]]:
        """The addresses by their number, empty for those without: number -> (form before it, place)."""
        found: dict[str, list[tuple[str, KnownPlace]]] = {}
        for form, places in self.addresses.items():
            number = _NUMBERED.search(form)
            key = number[0] if number else ""
            found.setdefault(key, []).extend((form.removesuffix(key), place) for place in places)
        return {number: tuple(pairs) for number, pairs in found.items()}

    @property
    def counts(self) -> dict[str, int]:
        """Number of villages, names of streets and addresses."""
        places = {"villages": self.villages, "addresses": self.addresses}
        found = {
            name: len({id(one) for group in table.values() for one in group})
            for name, table in places.items()
        }
        return {**found, "streets": len(self.streets)}


def town_table(districts: gpd.GeoDataFrame | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return the towns of a study: (form of a name -> code, code -> name)."""
    names = {} if districts is None else {str(code): str(name) for code, name in districts["name"].items()}
    return town_names(names), names


def village_forms(name: str, town: str = "") -> tuple[str, ...]:
    """Return the forms in which an address may name a village, the whole name first.

    Parameters
    ----------
    name : as in the table of villages
    town : name of its town, which some villages begin with

    Returns
    -------
    forms : plain

    >>> village_forms("城北村委会")
    ('城北村委会', '城北村民委员会', '城北村')
    """
    plain = plain_address(name)
    stems = [plain]
    if town and plain.startswith(plain_address(town)) and len(plain) > len(town) + 1:
        stems.append(plain.removeprefix(plain_address(town)))
    forms = []
    for one in stems:
        ending = next((end for end in _ENDINGS if one.endswith(end) and len(one) > len(end)), "")
        stem = one.removesuffix(ending)
        same = _VILLAGE if ending in _VILLAGE else _COMMUNITY if ending else ()
        # A bare 居 is no form of its own in an address: 安居路.
        forms += [one, *(f"{stem}{end}" for end in same if end != "居")]
    return tuple(dict.fromkeys(forms))


def village_stem(name: str) -> str:
    """Return the part of a village's name by which it differs: the name without 村, 社区 and the like.

    Parameters
    ----------
    name : in any form

    Returns
    -------
    stem : plain; the name itself where nothing would be left

    >>> village_stem("百可社区居委会"), village_stem("镇中村")
    ('百可', '镇中')
    """
    plain = plain_address(name)
    ending = next((end for end in _ENDINGS if plain.endswith(end) and len(plain) > len(end)), "")
    return plain.removesuffix(ending)


def street_stem(name: str) -> str:
    """Return the part of a street's name by which it differs: the name without 路, 街 and the like.

    Parameters
    ----------
    name : in any form

    Returns
    -------
    stem : plain; the name itself where nothing would be left

    >>> street_stem("枣园西路")
    '枣园西'
    """
    plain = plain_address(name)
    return _STREET_ENDING.sub("", plain) or plain


def village_places(
    villages: gpd.GeoDataFrame | None, *, town_of: Mapping[str, str], crs: Any
) -> dict[str, tuple[KnownPlace, ...]]:
    """Return the villages by every form of their names: form -> villages, each at its centre, grade D."""
    if villages is None or not len(villages):
        return {}
    metres = village_centres(villages, crs)
    lon, lat = way_between(crs, "EPSG:4326").transform(*metres.T)
    found: dict[str, list[KnownPlace]] = {}
    columns = (villages.index.astype("str"), villages["name"], villages["district"], lon, lat)
    for code, name, district, x, y in zip(*columns, strict=True):
        town = "" if district == OUTSIDE else str(district)
        place = KnownPlace(
            "village",
            str(name),
            float(x),
            float(y),
            "D",
            town,
            compared=village_stem(str(name)),
            code=str(code),
        )
        for form in village_forms(str(name), town_of.get(town, "")):
            found.setdefault(form, []).append(place)
    return {form: tuple(places) for form, places in found.items()}


def street_places(
    streets: gpd.GeoDataFrame, *, districts: gpd.GeoDataFrame | None, crs: Any
) -> dict[str, tuple[KnownPlace, ...]]:
    """Return the streets by name: each whole, and its part in every town, grade C.

    Parameters
    ----------
    streets : lines with ``name``, in any CRS
    districts : towns in EPSG:4326, None where there are none
    crs : metre CRS of the area
    """
    if not len(streets):
        return {}
    lines = streets.to_crs(crs)
    towns = None if districts is None else districts.to_crs(crs)
    back = way_between(crs, "EPSG:4326")
    found: dict[str, tuple[KnownPlace, ...]] = {}
    for name, group in lines.geometry.groupby(lines["name"].to_numpy(), sort=True):
        form = plain_address(str(name))
        if not form:
            continue
        places = found.get(form, ())
        for part in _apart(group.to_numpy()):
            places += tuple(_street(str(name), part, towns, back))
        found[form] = places
    return found


def _apart(lines: Any) -> Iterator[shapely.Geometry]:
    """Yield the lines of one name, those that lie together as one geometry."""
    whole = shapely.unary_union(lines)
    hulls = shapely.get_parts(shapely.unary_union(shapely.buffer(lines, APART_M / 2)))
    if len(hulls) == 1:
        yield whole
        return
    for hull in hulls:
        part = shapely.unary_union(lines[shapely.intersects(lines, hull)])
        yield part


def _street(
    name: str, part: shapely.Geometry, towns: gpd.GeoDataFrame | None, back: pyproj.Transformer
) -> Iterator[KnownPlace]:
    """Yield a street whole, and its part in every town that it runs through."""
    yield _middle(name, part, "", back)
    if towns is None:
        return
    for code, shape in towns.geometry.items():
        inside = shapely.intersection(part, shape)
        if not shapely.is_empty(inside) and shapely.length(inside) > 0:
            yield _middle(name, inside, str(code), back)


def _middle(name: str, line: shapely.Geometry, town: str, back: pyproj.Transformer) -> KnownPlace:
    """Return a street at the place of it that is nearest to its centroid; no place where it is too long."""
    west, south, east, north = shapely.bounds(line)
    metres = float(np.hypot(east - west, north - south))
    point = shapely.get_point(shapely.shortest_line(line, shapely.centroid(line)), 0)
    lon, lat = back.transform(shapely.get_x(point), shapely.get_y(point))
    if metres > STREET_M:
        lon = lat = float("nan")
    return KnownPlace("street", name, float(lon), float(lat), "C", town, metres, street_stem(name))


def address_places(
    rows: pd.DataFrame, *, towns: Mapping[str, str], villages: Iterable[str] = ()
) -> dict[str, tuple[KnownPlace, ...]]:
    """Return the rows of an address file by what stands before their number, and the number.

    Parameters
    ----------
    rows : ``address``, ``lon``, ``lat`` and ``grade``, empty where the file has none
    towns : form of a name -> code
    villages : forms of their names; an address is known without the village before its street too
    """
    found: dict[str, list[KnownPlace]] = {}
    known = list(villages)
    for text, lon, lat, grade in rows[["address", "lon", "lat", "grade"]].itertuples(index=False):
        address = take_apart(str(text), towns)
        if not address.core:
            continue
        place = KnownPlace(
            "address", str(text), float(lon), float(lat), grade or "C", address.town, compared=address.core
        )
        for form in address_forms(address, known):
            found.setdefault(form, []).append(place)
    return {form: tuple(places) for form, places in found.items()}


def address_forms(address: Address, villages: Iterable[str]) -> tuple[str, ...]:
    """Return the forms by which two addresses are the same: whole, and without a village before the street.

    Parameters
    ----------
    address : taken apart
    villages : forms of the names of villages

    Returns
    -------
    forms : plain

    >>> address_forms(take_apart("枣园社区枣园路12号", {}), ["枣园社区"])
    ('枣园社区枣园路12号', '枣园路12号')
    """
    street = without_village(address.before, villages)
    # A number alone is no address: 大宁村12号 is house 12 of the village and of no street.
    shorter = (f"{street}{address.number}",) if street and address.number else ()
    return tuple(dict.fromkeys((address.core, *shorter)))


def without_village(text: str, villages: Iterable[str]) -> str:
    """Return a text without the name of a village that it begins with.

    Parameters
    ----------
    text : plain
    villages : forms of their names

    Returns
    -------
    rest : plain
    """
    longest = max((name for name in villages if text.startswith(name)), key=len, default="")
    return text.removeprefix(longest)


def names_within(text: str, names: Iterable[str]) -> list[str]:
    """Return the names that stand in a text as words of their own, the longest first.

    Chinese has no blanks between words: a name counts at the beginning, after another name, and after a sign
    that ends a place (村, 区, 镇, 号). 新路 is no word of 创新路.

    Parameters
    ----------
    text : plain
    names : plain

    Returns
    -------
    found : names in the text; one inside a longer one is left out

    >>> names_within("城北村朝阳东路", ["朝阳东路", "东路", "城北村", "文昌路"])
    ['朝阳东路', '城北村']
    >>> names_within("创新路12号", ["新路"])
    []
    """
    found: list[str] = []
    left = text
    for name in sorted({name for name in names if name and name in text}, key=lambda one: (-len(one), one)):
        before, here, after = left.partition(name)
        if here and (before in {"", "城"} or before[-1] in _ENDS):  # 海盐县城文昌路
            found.append(name)
            left = f"{before}\n{after}"
    return found
