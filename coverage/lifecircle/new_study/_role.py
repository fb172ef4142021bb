"""Decide what a table is for: roads, residents, districts, villages, facilities, figures, or nothing known.

Pure functions of what a table holds: its geometries, headings, values, and last its name. The rules are tried
in the order of ``_RULES``; the first that holds decides, and says by what.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from lifecircle.errors import say
from lifecircle.facilities import looks_like
from lifecircle.headings import named, plain_heading, synonyms
from lifecircle.new_study._service_match import match_words, service_in_name
from lifecircle.scenario import ACTIONS
from lifecircle.tables import plain_numbers, plain_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifecircle.new_study._shown_table import ShownTable
    from lifecircle.standards import Standard

RoleName = Literal[
    "roads", "demand", "districts", "villages", "facilities", "outlets", "indicators", "barriers",
    "candidates", "exclude", "labels", "accepted", "profile", "study", "changes", "addresses",
    "unplaced_villages", "unplaced_districts", "unknown",
]  # fmt: skip

USED: Final = frozenset(
    {
        "roads", "demand", "districts", "villages", "facilities", "outlets", "indicators", "barriers",
        "candidates", "exclude", "labels", "profile",
    }
)  # fmt: skip
"""Roles that have a part in a study; tables of the others are named and left out."""

OUTLET_KINDS: Final[Mapping[str, str]] = {"窗口行业": "service_window", "景区": "scenic_spot", "商店": "shop"}
"""What offices call the kinds of outlets -> their ids."""

_WATER = re.compile(
    r"barrier|water|river|canal|lake|rail|wall|屏障|水系|水面|河|湖|渠|铁路|高速|围墙", re.IGNORECASE
)
_LAND = re.compile(
    r"farmland|redline|red_line|protect|development|basic.?farm|农田|耕地|红线|保护区|开发边界|禁建|exclu",
    re.IGNORECASE,
)
_TOWNS = re.compile(r"district|town|county|boundar|admin|乡镇|镇街|街道|区划|政区|xzq", re.IGNORECASE)
_VENUES = re.compile(
    r"park|ground|square|school|green|facilit|公园|广场|绿地|校|场馆|设施|场地", re.IGNORECASE
)
_ACCEPTED = re.compile(r"accept|验收|达标名单|通过名单", re.IGNORECASE)
_OUTLETS = re.compile(r"outlet|网点|窗口", re.IGNORECASE)
_TOWN_NAMES = re.compile(r".*(镇|乡|街道|区|县|市|开发区|town|district|county)", re.IGNORECASE)
_WKT_LINE = re.compile(r"\s*(MULTI)?LINESTRING", re.IGNORECASE)
_PEOPLE = re.compile(
    r"(tot(al)?)?pop(ulation)?(\d{4})?|population\d{4}|(\d{4}年?)?(末|底)?(常住|总|居住)?人口(数|数量)?(\d{4}年?)?|people\d{4}"
)
"""Headings of people with a year in them, in the form for comparison; 户籍人口 is none of these."""
_VILLAGE_CODE, _TOWN_CODE = re.compile(r"\d{12}"), re.compile(r"\d{6}|\d{9}")
_SITE_COLUMNS = ("works", "tenure", "land_use", "cost", "suitability", "required", "forbidden")
_CHINA: Final = {"lon": (73.0, 135.5), "lat": (3.0, 54.0)}
_WIDEST_DEG = 6.0
_FEW_KINDS = 20
_LONGEST_LIST = 50_000
"""Rows of a list of facilities; of a longer table not every column is compared with the services."""
_SOME, _MOST = 0.3, 0.8


@dataclass(frozen=True)
class Role:
    """What a table is for, and by what that is seen; ``sure`` is False where it is a guess by little."""

    name: RoleName
    evidence: str
    sure: bool = True


class Look:
    """A table with what rules ask of it: its columns by meaning, their texts, whether it has places."""

    def __init__(self, shown: ShownTable, standard: Standard) -> None:
        self.shown, self.standard = shown, standard
        self.headings = shown.headings
        self.stem = " ".join(part for part in (shown.path.stem, shown.layer or "", shown.sheet or "") if part)

    def column(self, name: str, table: str = "") -> str | None:
        """Return the heading that means a column, the first where there are several; None without one."""
        return next(iter(named(self.headings, name, synonyms(table, name))), None)

    def texts(self, heading: str | None) -> pd.Series[Any]:
        """Return the filled texts of a column."""
        if heading is None:
            return pd.Series([], dtype="str")
        texts = plain_texts(self.shown.frame[heading])
        return texts[texts != ""]

    def share(self, heading: str | None, pattern: re.Pattern[str]) -> float:
        """Return the share of filled cells that a pattern matches whole."""
        texts = self.texts(heading)
        return float(texts.map(lambda text: bool(pattern.fullmatch(text))).mean()) if len(texts) else 0.0

    @property
    def places(self) -> bool:
        """Whether the rows have places: a geometry, or columns of coordinates."""
        if self.shown.shape:
            return True
        pairs = (("lon", "lat"), ("easting", "northing"))
        here = any(all(self.column(one) for one in pair) for pair in pairs) or bool(self.column("location"))
        plain = {plain_heading(one) for one in self.headings}
        return here or {"x", "y"} <= plain or self.degrees is not None

    @cached_property
    def degrees(self) -> tuple[str, str] | None:
        """The two columns that hold longitude and latitude in China under headings that no one knows."""
        found: dict[str, list[str]] = {"lon": [], "lat": []}
        for one in self.headings:
            numbers = plain_numbers(self.shown.frame[one])
            known = numbers[np.isfinite(numbers)]
            # Decimals, and a county's extent: areas, counts and codes are not like that.
            if (
                len(known) < _MOST * len(numbers)
                or not len(known)
                or (known == known.round(2)).mean() > _SOME
            ):
                continue
            for axis, (low, high) in _CHINA.items():
                if low <= known.min() and known.max() <= high and np.ptp(known) <= _WIDEST_DEG:
                    found[axis].append(one)
        if all(len(columns) == 1 for columns in found.values()):
            return found["lon"][0], found["lat"][0]
        return None

    @cached_property
    def catalogue(self) -> Literal["osm", "amap"] | None:
        """The map by whose classes the services are known; a column of the profile's services goes before."""
        table = self.shown.table
        if table is None or self.shown.shape == "lines":
            return None
        match = match_words(self.texts(self.column("service", "facilities")), self.standard)
        return None if match.share == 1 and not match.like else looks_like(table)

    @cached_property
    def service(self) -> str | None:
        """The heading of what kind a facility is: a known one, else the column whose words are services."""
        heading = self.column("service", "facilities")
        if heading is not None or len(self.shown.frame) > _LONGEST_LIST:
            return heading
        names = {*named(self.headings, "name", synonyms("facilities", "name"))}
        for one in (heading for heading in self.headings if heading not in names):
            texts = self.texts(one)
            few = texts.nunique() <= max(_FEW_KINDS, len(texts) // 4)
            match = match_words(texts, self.standard) if few and len(texts) else None
            # Names of services as they are, and none that is only like one: the heading says nothing.
            if match is not None and not match.like and match.share >= 0.5:
                return one
        return None

    @cached_property
    def named_service(self) -> str | None:
        """The one service that the table's file, layer or sheet is called after."""
        return service_in_name(self.stem, self.standard)

    @property
    def codes(self) -> pd.Series[Any]:
        """The texts of the column of official codes."""
        return self.texts(self.column("code", "villages") or self.column("code", "districts"))

    def coded(self, pattern: re.Pattern[str]) -> bool:
        """Return whether most codes have a form, each once."""
        codes = self.codes
        if not len(codes) or not codes.is_unique:
            return False
        return float(codes.map(lambda text: bool(pattern.fullmatch(text))).mean()) >= _MOST

    @property
    def unit_name(self) -> str | None:
        """The heading of the names of districts or villages."""
        return self.column("name", "villages") or self.column("name", "districts")

    @property
    def population(self) -> str | None:
        """The heading of a count of people, if its cells are numbers."""
        others = (one for one in self.headings if _PEOPLE.fullmatch(plain_heading(one)))
        heading = self.column("population", "demand") or next(others, None)
        if heading is None:
            return None
        numbers = plain_numbers(self.shown.frame[heading])
        return heading if (numbers >= 0).mean() >= 0.5 else None


def role_of(shown: ShownTable, standard: Standard) -> Role:
    r"""Return what a table is for.

    Parameters
    ----------
    shown : as looked at
    standard : its services and targets are what words are compared with

    Returns
    -------
    role : ``unknown`` with what was missing, where no rule holds

    >>> import tempfile
    >>> from pathlib import Path
    >>> from lifecircle.new_study import look_at
    >>> from lifecircle.standards import load_standard
    >>> path = Path(tempfile.mkdtemp()) / "homes.csv"
    >>> _ = path.write_text("lon,lat,people\n120.9,30.5,12\n")
    >>> role_of(look_at(path)[0], load_standard("haiyan-2025")).name
    'demand'
    """
    whole: Mapping[str, Role] = {
        "osm": Role("roads", say("a file of OpenStreetMap")),
        "graphml": Role("roads", say("a graph of roads as OSMnx writes it")),
        "raster": Role("demand", say("a raster")),
        "profile": Role("profile", say("a profile of services and targets")),
        "study": Role("study", shown.why),
        "unread": Role("unknown", shown.why, sure=False),
    }
    if shown.kind in whole:
        return whole[shown.kind]
    look = Look(shown, standard)
    for rule in _RULES:
        role = rule(look)
        if role is not None:
            return role
    return Role("unknown", say("columns {names}", names=", ".join(look.headings[:8]) or "-"), sure=False)


def _lines(look: Look) -> Role | None:
    """Lines are roads, unless they or their file are called after water, railways or walls."""
    plain = {plain_heading(one) for one in look.headings}
    wkt = next((one for one in look.headings if plain_heading(one) in {"wkt", "geom", "geometry"}), None)
    drawn = wkt is not None and look.texts(wkt).head(20).map(lambda text: bool(_WKT_LINE.match(text))).any()
    if look.shown.shape != "lines" and not drawn and not {"u", "v"} <= plain:
        return None
    count = len(look.shown.frame)
    if _WATER.search(look.stem) or "waterway" in plain or "railway" in plain:
        return Role("barriers", say("{count} lines called after water, railways or walls", count=count))
    return Role("roads", say("{count} lines", count=count))


def _figures(look: Look) -> Role | None:
    """Targets, years and values; or years, villages and a column for each item of a rule."""
    target, year = look.column("target", "indicators"), look.column("year", "indicators")
    if target and year and look.column("value", "indicators"):
        known = {plain_heading(one) for t in look.standard.targets for one in (t.id, t.name.zh, t.name.en)}
        share = look.texts(target).map(lambda text: plain_heading(text) in known).mean()
        if share >= _SOME:
            return Role("indicators", say("'{column}' holds targets of the profile", column=target))
        return Role("unknown", say("figures of other targets than the profile's"), sure=False)
    found = item_columns(look)
    if year and found is not None:
        columns = ", ".join(found[1].values())
        return Role(
            "indicators",
            say("a column for each item of '{target}': {columns}", target=found[0], columns=columns),
        )
    return None


def item_columns(look: Look) -> tuple[str, dict[str, str]] | None:
    """Return the target of a rule with items and the column of each: the name of the rule says its figures.

    Of "经常性收入200万元以上", 200 is the figure of the item that a column 经常性收入（万元） holds.
    """
    for target in look.standard.targets:
        each = getattr(target, "each", {})
        found = {}
        for item, least in each.items():
            for heading in look.headings:
                core = plain_heading(heading)
                match = re.search(re.escape(core) + r"(\d+(?:\.\d+)?)", plain_heading(target.name.zh))
                if item in {heading, core} or (match and float(match[1]) == least):
                    found[item] = heading
        if each and len(found) == len(each):
            return target.id, found
    return None


def _changes(look: Look) -> Role | None:
    heading = next((one for one in look.headings if plain_heading(one) in {"action", "动作", "操作"}), None)
    if heading is not None and look.texts(heading).isin(ACTIONS).mean() >= 0.5:
        return Role("changes", say("'{column}' holds changes for lifecircle scenario", column=heading))
    return None


def _sites(look: Look) -> Role | None:
    found = [name for name in _SITE_COLUMNS if look.column(name, "candidates")]
    if len(found) >= 2 and look.places:
        return Role("candidates", say("columns of candidate sites: {names}", names=", ".join(found)))
    return None


def _villages(look: Look) -> Role | None:
    if not (look.coded(_VILLAGE_CODE) and look.unit_name):
        return None
    count = len(look.codes)
    if look.places:
        return Role("villages", say("{count} codes of 12 digits, each once, with names", count=count))
    return Role("unplaced_villages", say("{count} codes of 12 digits, but no coordinates", count=count))


def _map_classes(look: Look) -> Role | None:
    """Return facilities where rows bear the classes of OpenStreetMap or of AMap."""
    if look.catalogue is None or not look.places:
        return None
    return Role("facilities", say("rows with the classes of a map: {map}", map=look.catalogue))


def _services(look: Look) -> Role | None:
    """Return facilities where the words of a column are services; the polygons of towns have none."""
    heading = look.service
    match = match_words(look.texts(heading), look.standard)
    if heading is None or match.share < _SOME:
        return None
    if look.places:
        matched = match.rows - sum(match.unmatched.values())
        text = say(
            "'{column}': {matched} of {rows} words are services of the profile",
            column=heading,
            matched=matched,
            rows=match.rows,
        )
        return Role("facilities", text, sure=match.share >= _MOST)
    return _addressed(look) or Role(
        "unknown", say("services, but neither coordinates nor addresses"), sure=False
    )


def _addressed(look: Look) -> Role | None:
    if look.column("address") and look.column("name", "facilities") and not look.places:
        return Role("addresses", say("addresses without coordinates"))
    return None


def _polygons(look: Look) -> Role | None:  # noqa: PLR0911 - a return for each thing they can be
    """Return what polygons are: districts, land, water, grounds; by names and codes, then by the file."""
    if look.shown.shape != "polygons":
        return None
    count = len(look.shown.frame)
    name = look.column("name", "districts")
    values = " ".join(look.texts(name or look.column("service")).unique()[:50])
    if look.population and not (look.coded(_TOWN_CODE) or _TOWNS.search(look.stem)):
        return Role(
            "demand", say("{count} polygons with people in '{column}'", count=count, column=look.population)
        )
    if look.coded(_TOWN_CODE) or (
        name and look.share(name, _TOWN_NAMES) >= _MOST and look.texts(name).is_unique
    ):
        return Role("districts", say("{count} polygons with names or codes of towns", count=count))
    if _LAND.search(look.stem) or _LAND.search(values):
        return Role("exclude", say("polygons called after land that is kept free"))
    if _WATER.search(look.stem) or _WATER.search(values):
        return Role("barriers", say("polygons called after water, railways or walls"))
    grounds = _VENUES.search(look.stem) and not _TOWNS.search(look.stem)
    if grounds or look.named_service is not None:
        return Role("facilities", say("polygons called after parks, grounds or a service"), sure=False)
    if name or _TOWNS.search(look.stem):
        return Role(
            "districts", say("{count} polygons with names", count=count), sure=bool(_TOWNS.search(look.stem))
        )
    return None


def _points(look: Look) -> Role | None:
    """Return what points are that no rule above knew: residents, labels, outlets, other facilities."""
    if not look.places:
        return None
    if look.population:
        return Role("demand", say("places with people in '{column}'", column=look.population))
    kind = look.texts(look.column("service", "facilities"))
    if len(kind) and set(kind) <= {"neighbour", "water"}:
        return Role("labels", say("names of neighbours and waters around"))
    if len(kind) and (
        kind.isin([*OUTLET_KINDS, *OUTLET_KINDS.values()]).mean() >= 0.5 or _OUTLETS.search(look.stem)
    ):
        return Role("outlets", say("places called after outlets"))
    if look.column("name", "facilities") or len(kind):
        return Role("facilities", say("places with names"), sure=False)
    called = say("places in a file called after a service")
    return None if look.named_service is None else Role("facilities", called, sure=False)


def _units(look: Look) -> Role | None:
    if look.coded(_TOWN_CODE) and look.unit_name:
        return Role(
            "unplaced_districts", say("{count} codes of districts, but no polygons", count=len(look.codes))
        )
    if look.unit_name and _ACCEPTED.search(look.stem):
        return Role("accepted", say("a list of villages called accepted"))
    return None


def _people(look: Look) -> Role | None:
    """Return residents where a number is the only thing beside coordinates, whatever it is called."""
    if look.shown.shape not in {"", "points"} or not look.places:
        return None
    numbers = number_columns(look)
    if len(numbers) == 1:
        text = say("places with one number, in '{column}'", column=numbers[0])
        return Role("demand", text, sure=False)
    return None


def number_columns(look: Look) -> list[str]:
    """List the columns of numbers that are neither coordinates nor codes."""
    beside = {
        one
        for name in ("lon", "lat", "easting", "northing", "location", "id", "code")
        for one in named(look.headings, name, synonyms("", name))
    } | {one for one in look.headings if plain_heading(one) in {"x", "y", "fid", "objectid", "gid"}}
    return [
        one
        for one in look.headings
        if one not in beside and (plain_numbers(look.shown.frame[one]) >= 0).mean() >= _MOST
    ]


_RULES: Final[tuple[Callable[[Look], Role | None], ...]] = (
    _lines, _figures, _changes, _sites, _villages, _map_classes, _services, _polygons, _points, _addressed,
    _units, _people,
)  # fmt: skip
