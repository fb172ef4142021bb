"""Guess the settings of one part of a study: columns, groups, services, datum, header row; with evidence.

A guess is written only where the reader would not find it by itself. Nothing here reads a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lifecircle.datum import LEAST_POINTS, detect, in_china_area, raw_places
from lifecircle.errors import LifecircleError, say
from lifecircle.facilities import classified, is_from_amap
from lifecircle.headings import named, plain_heading, synonyms
from lifecircle.new_study._role import OUTLET_KINDS, Look, item_columns, number_columns
from lifecircle.new_study._service_match import match_words, service_of_names
from lifecircle.tables import plain_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from lifecircle.new_study._shown_table import ShownTable
    from lifecircle.standards import Standard

_GROUPS: Final[Mapping[str, re.Pattern[str]]] = {
    "under3": re.compile(
        r"(age)?0[至到~]?[23]岁?|under3|(人口)?[03]岁以下|婴幼儿(人数|数)?|3岁以下(人口|婴幼儿)?"
    ),
    "over60": re.compile(r"(age)?60(岁)?(plus|及?以上|以上)?(人口|老年人)?|over60|老年人(口|数)?|老人数?"),
    "nonregistered": re.compile(r"nonregistered|新居民|外来人口|流动人口|非户籍(人口)?"),
    "low_income": re.compile(r"lowincome|低收入(农户|人口)?|低保(人数|对象)?"),
    "disabled": re.compile(r"disabled|残疾人(数|口)?"),
}
"""Headings of counts of groups, in the form for comparison."""

_NUMBERS: Final = 0.5
"""Share of filled cells that are numbers, from which on a column is one of numbers."""

_HEADING: Final = 4
"""Letters of a heading from which on it is found in the name of a target."""

_TABLES: Final[Mapping[str, str]] = {"outlets": "facilities", "addresses": "facilities", "exclude": ""}
_WANTED: Final[Mapping[str, tuple[str, ...]]] = {
    "facilities": (
        "name", "service", "id", "opened", "closed", "capacity", "hours", "serves", "district", "village",
    ),
    "outlets": ("name", "service", "id", "opened", "closed", "district", "village"),
    "demand": ("population", "id", "district", "village"),
    "districts": ("name", "code", "urban"),
    "villages": ("code", "name", "district", "class", "urban"),
    "indicators": ("target", "year", "value", "district", "village", "item", "unit", "source"),
    "candidates": ("name", "id", "works", "tenure", "land_use", "cost", "suitability", "services"),
}  # fmt: skip
_GIS_NAMES: Final = {
    "name": ("xzqmc", "mc", "xzmc", "zmc", "dlmc", "namech", "namezh"),
    "code": ("xzqdm", "dm", "xzdm", "zdm"),
}
"""Names of columns in map layers of surveys, in the form for comparison."""


@dataclass(frozen=True)
class Guess:
    """One guess: what was taken and by what evidence, and what to check."""

    text: str
    check: str


@dataclass
class PartSettings:
    """The keys of one part of a study, and the guesses among them; filled step by step while it is made."""

    keys: dict[str, Any] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)
    doubtful: dict[str, str] = field(default_factory=dict)
    """Word of ``services`` -> remark beside it."""
    missing: dict[str, int] = field(default_factory=dict)
    """Word without a service -> rows."""
    unserved: bool = False
    """Whether nothing says which service the rows give."""

    def add(self, text: str, check: str) -> None:
        """Note a guess."""
        self.guesses.append(Guess(text, check))


@dataclass(frozen=True, eq=False)
class Ground:
    """What places are compared with: road lines and districts in WGS84, where they could be read."""

    lines: Any = None
    districts: gpd.GeoDataFrame | None = None


def settings_of(role: str, shown: ShownTable, standard: Standard, ground: Ground) -> PartSettings:
    """Return the keys of the part that a table becomes, without its file.

    Parameters
    ----------
    role : what it is for
    shown : the table
    standard : services, targets and groups to look for
    ground : what its places are compared with

    Returns
    -------
    settings : keys as ``study.toml`` has them, and every guess
    """
    found = PartSettings()
    if shown.kind == "raster":
        found.add(say("its cells hold people"), say("people per cell or per km2, of which year"))
    if shown.kind != "table":
        return found
    look = Look(shown, standard)
    _place_in_file(look, found)
    if role == "roads":
        return found
    columns: dict[str, str] = {}
    _columns(role, look, found, columns)
    _degrees(look, found, columns)
    if role in {"facilities", "outlets"}:
        _services(role, look, found, columns)
        _amounts(look, found, columns)
    if role == "demand":
        _people(look, found, columns)
    if role == "indicators":
        _items(look, found, columns)
    if role not in {"indicators", "labels", "exclude", "barriers", "districts"}:
        _datum(look, found, columns, ground)
    if columns:
        found.keys["columns"] = columns
    return found


def _place_in_file(look: Look, found: PartSettings) -> None:
    """Note where in its file a table is: layer, sheet, header row; and how its text is encoded."""
    shown = look.shown
    notes = shown.table.notes if shown.table is not None else ()
    if shown.layer is not None:
        found.keys["layer"] = shown.layer
        found.add(say("layer '{name}' of several", name=shown.layer), say("that this layer is meant"))
    if shown.sheet is not None:
        found.keys["sheet"] = shown.sheet
        found.add(say("sheet '{name}' of several", name=shown.sheet), say("that this sheet is meant"))
    joined = next((note for note in notes if note.startswith("sheets_joined:")), None)
    if joined:
        sheets = joined.partition("|")[2]
        found.add(say("the sheets {names} are one table", names=sheets), say("that all of them belong to it"))
    header = next(
        (
            re.match(r"header_(?:found|of_two_rows):(\d+)", note)
            for note in reversed(notes)
            if note.startswith("header_")
        ),
        None,
    )
    if header is not None and not joined:
        found.keys["header_row"] = int(header[1])
        found.add(say("the column names stand in row {row}", row=header[1]), say("that no row above is data"))
    if shown.encoding not in {"", "UTF-8"}:
        found.add(
            say("the text is {encoding}, which is found without a key", encoding=shown.encoding),
            say("that names are legible"),
        )


def _columns(role: str, look: Look, found: PartSettings, columns: dict[str, str]) -> None:
    """Find the columns that the reader would not: of two with one meaning the fuller, and unknown names."""
    kind = _TABLES.get(role, role)
    for name in _WANTED.get(role, ()):
        here = named(look.headings, name, synonyms(kind, name))
        if len(here) > 1:
            counts = {one: len(look.texts(one)) for one in here}
            columns[name] = max(here, key=lambda one: (counts[one], -here.index(one)))
            names = ", ".join(f"'{one}'" for one in here)
            found.add(
                say(
                    "of {names} the {column} is taken from '{one}'",
                    names=names,
                    column=name,
                    one=columns[name],
                ),
                say("which of them is meant"),
            )
        elif not here and (guess := _unnamed(name, role, look, set(columns.values()))) is not None:
            columns[name] = guess
            found.add(
                say("'{one}' is taken for the {column}, by what it holds", one=guess, column=name),
                say("that it is"),
            )
    for axis in ("lon", "lat") if not look.shown.shape else ():
        here = named(look.headings, axis, synonyms("", axis))
        if len(here) > 1:
            columns[axis] = here[0]
            names = ", ".join(f"'{one}'" for one in here)
            found.add(
                say("of {names} the {column} is taken from '{one}'", names=names, column=axis, one=here[0]),
                say("which of them is meant"),
            )


def _degrees(look: Look, found: PartSettings, columns: dict[str, str]) -> None:
    """Name the columns of longitude and latitude that are known by their numbers alone."""
    known = any(look.column(one) for one in ("lon", "lat", "location", "easting", "northing"))
    if look.shown.shape or known or look.degrees is None or {"x", "y"} <= set(look.headings):
        return
    columns |= dict(zip(("lon", "lat"), look.degrees, strict=True))
    found.add(
        say(
            "'{lon}' and '{lat}' are taken for lon and lat, by their numbers",
            lon=look.degrees[0],
            lat=look.degrees[1],
        ),
        say("which of them is the longitude"),
    )


def _unnamed(name: str, role: str, look: Look, taken: set[str]) -> str | None:
    """Return the column that a required name may be, by survey names and by what the cells hold."""
    plain = {plain_heading(one): one for one in look.headings if one not in taken}
    if role in {"districts", "villages"}:
        for word in _GIS_NAMES.get(name, ()):
            if word in plain:
                return plain[word]
    if name == "service" and role == "facilities":
        return look.service
    if name == "population" and role == "demand":
        numbers = number_columns(look)
        return look.population or (numbers[0] if len(numbers) == 1 else None)
    if name == "name" and role in {"facilities", "districts", "outlets"}:
        texts = [
            one
            for one in plain.values()
            if look.share(one, re.compile(r"[\d.\-:/ ]*")) < 0.2
            and len(look.texts(one)) >= 0.8 * len(look.shown.frame)
            and look.texts(one).nunique() >= 0.8 * len(look.texts(one))
            and one != look.column("id")
        ]
        return texts[0] if len(texts) == 1 else None
    return None


# --- services -------------------------------------------------------------------------------------------


def _services(role: str, look: Look, found: PartSettings, columns: dict[str, str]) -> None:
    """Map the words of the column of services, or find the one service of every row."""
    if role == "facilities" and _classes(look, found):
        return
    heading = columns.get("service") or look.service
    words = look.texts(heading)
    if role == "outlets":
        found.keys["services"] = {word: OUTLET_KINDS[word] for word in words.unique() if word in OUTLET_KINDS}
        if not found.keys["services"]:
            del found.keys["services"]
        return
    match = match_words(words, look.standard)
    if heading is not None and match.share > 0:
        if match.services:
            found.keys["services"] = match.services
        found.doubtful = {word: say("only like its name: check") for word in match.like}
        found.missing = dict(match.unmatched)
        _say_services(heading, match.services, len(match.like), found)
        return
    service, by = _one_service(look, columns)
    if service is not None:
        found.keys["service"] = service
        found.add(say("all rows are '{service}', by {by}", service=service, by=by), say("that they are"))
    elif heading is not None:
        found.missing = dict(match.unmatched)
    else:
        found.missing = {look.shown.name: len(look.shown.frame)}
        found.unserved = True


def _classes(look: Look, found: PartSettings) -> bool:
    """Take the services from the classes of a map, and say how many rows give none; whether it is a map's."""
    table, catalogue = look.shown.table, look.catalogue
    if table is None or catalogue is None:
        return False
    classes = classified(table, catalogue, [one.id for one in look.standard.services])
    found.keys["services"] = catalogue
    found.add(
        say(
            "services by the classes of {map}: {rows} {rows:row gives|rows give} one of "
            "the profile's, {others} give none",
            map=catalogue, rows=len(classes.table.frame), others=sum(classes.left_out.values())),
        say("the classes left out, which the reading report names"),
    )  # fmt: skip
    return True


def _amounts(look: Look, found: PartSettings, columns: dict[str, str]) -> None:
    """Find the columns that capacity targets add up: headings that stand in the names of targets."""
    for target in look.standard.targets:
        column = getattr(target, "of", "capacity")
        if column == "capacity" or look.column(column) is not None:
            continue
        names = plain_heading(target.name.zh), plain_heading(target.name.en)
        here = [
            one
            for one in look.headings
            if len(plain_heading(one)) >= _HEADING
            and any(plain_heading(one) in name for name in names)
            and look.share(one, re.compile(r"\d+(\.\d+)?")) >= _NUMBERS
        ]
        if len(here) == 1:
            columns[column] = here[0]
            text = say(
                "'{one}' is taken for the {column}, by the name of '{target}'",
                one=here[0],
                column=column,
                target=target.id,
            )
            found.add(text, say("that it is"))


def _say_services(heading: str, services: Mapping[str, str], like: int, found: PartSettings) -> None:
    if services:
        found.add(
            say(
            "{count} {count:word|words} of '{column}' {count:is a service|are services}, "
            "{like} of them only like their names",
                count=len(services), column=heading, like=like),
            say("each line under services"),
        )  # fmt: skip
    if found.missing:
        words = ", ".join(f"{word} ({rows})" for word, rows in found.missing.items())
        found.add(
            say("no service of the profile is like: {words}", words=words),
            say("write each under services with its id, or delete its rows"),
        )


def _one_service(look: Look, columns: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the one service of all rows and by what it is known."""
    names = look.texts(columns.get("name") or look.column("name", "facilities"))
    if len(names) and (service := service_of_names(names, look.standard)):
        return service, say("the ends of their names")
    if service := look.named_service:
        return service, say("the name of the file")
    if len(look.standard.services) == 1:
        return look.standard.services[0].id, say("the profile, which has no other")
    return None, ""


# --- residents and figures --------------------------------------------------------------------------------


def _people(look: Look, found: PartSettings, columns: dict[str, str]) -> None:
    """Find the columns of groups; each must be a count of at most the population."""
    heading = columns.get("population") or look.population
    if heading is None:
        return
    people = plain_numbers(look.shown.frame[heading])
    groups: dict[str, str] = {}
    for group, pattern in _GROUPS.items():
        for one in look.headings:
            if not (pattern.fullmatch(plain_heading(one)) or one == group):
                continue
            counts = plain_numbers(look.shown.frame[one])
            with np.errstate(invalid="ignore"):
                if not (counts > people).any():
                    groups.setdefault(group, one)
    if groups:
        found.keys["groups"] = groups
        names = ", ".join(f"{group} = '{one}'" for group, one in groups.items())
        found.add(
            say("groups by their headings: {names}", names=names), say("ages and meaning of each column")
        )


def _items(look: Look, found: PartSettings, columns: dict[str, str]) -> None:
    """Set the target and the columns of a table with a column for each item of a rule."""
    if look.column("value", "indicators") and look.column("target", "indicators"):
        return
    items = item_columns(look)
    if items is None:
        return
    found.keys |= {"target": items[0], "items": items[1]}
    code = look.column("code", "villages")
    if code is not None and "village" not in columns:
        columns["village"] = code  # a code is unique, a name may be that of two villages
    found.add(
        say("the figures of '{target}', by its name and its columns", target=items[0]),
        say("items and their columns"),
    )


# --- datum ----------------------------------------------------------------------------------------------


def _datum(look: Look, found: PartSettings, columns: dict[str, str], ground: Ground) -> None:
    """Find the datum of places from the roads; clear evidence alone sets it."""
    shown = look.shown
    if shown.datum not in {None, "wgs84"}:
        found.keys["datum"] = shown.datum
        found.add(
            say("the form says that its datum is {datum}", datum=shown.datum), say("that the office chose it")
        )
        return
    crs = getattr(shown.frame, "crs", None)
    if not look.places or (crs is not None and not crs.is_geographic):
        return
    try:
        raw = raw_places(shown.frame, file=shown.name, columns=columns)
    except LifecircleError as error:
        if error.of_system:  # says nothing of the places
            raise
        return
    amap = shown.table is not None and is_from_amap(shown.table)
    known = raw.xy[np.isfinite(raw.xy).all(axis=1)]
    metres = len(known) and bool(np.median(np.abs(known).max(axis=1)) > 400)
    if ground.lines is None or not len(known):
        if amap:
            _as_amap(found)
        elif metres:
            found.keys["datum"] = "EPSG:4549"
            found.add(
                say("the coordinates are metres; without roads their zone cannot be found"),
                say("the zone: write its EPSG number"),
            )
        return
    if not metres and not in_china_area(known):
        return  # shifted degrees are met in China alone
    seen = detect(raw.xy, ground.lines, ground.districts)
    if seen.datum is None and amap:
        _as_amap(found)
        return
    _set_datum(raw.names, seen, found, columns)


def _as_amap(found: PartSettings) -> None:
    found.keys["datum"] = "gcj02"
    found.add(say("datum gcj02: AMap gives its coordinates so"), say("that no one has converted them"))


def _set_datum(names: Sequence[str], seen: Any, found: PartSettings, columns: dict[str, str]) -> None:
    """Set the datum that was detected, or note why there is none."""
    if seen.datum is None:
        reason = {
            "few_points": say("too few places to detect a datum (of {least} needed)", least=LEAST_POINTS),
            "mixed": say("the file mixes two datums"),
            "twice": say("the places were shifted twice, or back although they were not shifted"),
            "far": say("the places lie by no road in any datum"),
        }.get(seen.reason, say("the datum is not clear from the roads"))
        found.add(
            say("datum wgs84: {reason}", reason=reason),
            say("where the coordinates come from (GPS, Amap, Baidu)"),
        )
        return
    share = float(seen.evidence.loc[seen.evidence["log_likelihood"].idxmax(), "share"])
    if seen.datum == "wgs84":
        found.add(
            say("datum wgs84: {share} of the places lie by a road as they are", share=f"{share:.0%}"),
            say("nothing, if that share is high"),
        )
        return
    found.keys["datum"] = seen.datum
    if seen.datum.startswith("EPSG:") and len(names) == 2 and (seen.swapped or tuple(names) != ("x", "y")):
        columns |= {"x": names[1], "y": names[0]} if seen.swapped else {"x": names[0], "y": names[1]}
    swapped = say(", with easting and northing in each other's column") if seen.swapped else ""
    found.add(
        say("datum {datum}: so {share} of the places lie by a road{swapped}",
            datum=seen.datum, share=f"{share:.0%}", swapped=swapped),
        say("where the coordinates come from (GPS, Amap, Baidu)"),
    )  # fmt: skip
