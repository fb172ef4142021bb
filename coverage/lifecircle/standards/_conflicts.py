"""Check several keys of a profile against each other; the type of a key checks the key itself.

Every check reads the plain document (the result of reading TOML) and skips a value of the wrong type, which
is a fault of its own that the type reports. It yields conflicts instead of raising: so one faulty key never
hides another.
"""

from __future__ import annotations

import difflib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import InitErrorDetails, PydanticCustomError

from lifecircle.errors import say

CONFLICT = "conflict"

_GRADES_WITH_SOURCE = ("primary", "secondary")
_DIGITS = 4
"""Of a year; a longer key is a fault of its own."""

_UNIT_CEILINGS = {"share": 1.0, "percent": 100.0, "%": 100.0}


@dataclass(frozen=True)
class Conflict:
    """One fault: where in the document, the value, the reason and the remedy."""

    loc: tuple[str | int, ...]
    value: object
    reason: str
    remedy: str

    def details(self) -> InitErrorDetails:
        """Return the conflict in the form that pydantic merges with its own faults."""
        kind = PydanticCustomError(
            CONFLICT, "{reason}; {remedy}", {"reason": self.reason, "remedy": self.remedy}
        )
        return InitErrorDetails(type=kind, loc=self.loc, input=self.value)


def nearest(value: object, known: Iterable[str], *, classes: Iterable[str] | None = None) -> str:
    """Return a hint with the known word nearest to a value, or with all known words.

    Where class names are given, the list holds those only.

    >>> nearest("minuts", ["minutes", "profile"])
    "did you mean 'minutes'?"
    >>> nearest("zzz", ["minutes", "profile"])
    'use one of minutes, profile'
    """
    known = list(known)
    close = difflib.get_close_matches(str(value), known, n=1, cutoff=0.6)
    if close:
        return say("did you mean '{name}'?", name=close[0])
    if classes is not None:
        return say("use one of {names}, or the id of a service", names=", ".join(classes))
    return say("use one of {names}", names=", ".join(known))


def provenance_conflicts(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield conflicts of a grade that claims a source where no source is given."""
    if plain.get("grade") in _GRADES_WITH_SOURCE and not plain.get("source"):
        yield Conflict(
            ("source",),
            plain.get("source", ""),
            say("grade '{grade}' without a source", grade=plain["grade"]),
            say('name the source, or write grade = "setting" for a figure of your own'),
        )


def ceiling_of(plain: Mapping[str, Any]) -> float | None:
    """Return the largest figure that a target's unit allows, None where it allows any."""
    if plain.get("kind") in {"circle", "presence"}:
        return 1.0
    if plain.get("kind") == "indicator":
        return _UNIT_CEILINGS.get(str(plain.get("unit")))
    return None


def target_conflicts(plain: Mapping[str, Any], *, keys: Iterable[str]) -> Iterator[Conflict]:
    """Yield conflicts between the keys of one target; ``keys`` are those its kind has."""
    yield from provenance_conflicts(plain)
    yield from _outside_unit(plain)
    yield from _out_of_time(plain)
    yield from _off_course(plain)
    yield from _unknown_fields(plain, sorted(keys))
    if plain.get("kind") == "presence":
        yield from _presence_conflicts(plain)
    if plain.get("kind") == "indicator":
        yield from _indicator_conflicts(plain)


def _presence_conflicts(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield conflicts of keys that have no meaning for the unit of a presence target."""
    unit = plain.get("unit")
    for key, only in (("outlets", "outlet"), ("within_m", "outlet"), ("committee", "village")):
        if key in plain and isinstance(unit, str) and unit != only and not _is_default(key, plain[key]):
            yield Conflict(
                (key,),
                plain[key],
                say("means nothing for unit '{unit}'", unit=unit),
                say('leave it out, or write unit = "{only}"', only=only),
            )


def _is_default(key: str, value: object) -> bool:
    """Return whether a key holds its default, as in a target that was written out in full."""
    return value in {"outlets": ([], ()), "within_m": (50,), "committee": ("all",)}[key]


def _indicator_conflicts(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield conflicts between sources of a figure that exclude each other."""
    each, computed, trend = (plain.get(key) for key in ("each", "computed", "trend"))
    if each and computed:
        yield Conflict(
            ("computed",), "", say("both computed and a rule for every village"), say("keep one of the two")
        )
    if each and str(plain.get("unit")) not in _UNIT_CEILINGS:
        yield Conflict(
            ("unit",),
            plain.get("unit", ""),
            say("a rule for every village gives a share of villages"),
            say('write unit = "share"'),
        )
    if plain.get("each_unit") and not each:
        yield Conflict(
            ("each_unit",), plain["each_unit"], say("a unit of no rule"), say("add each, or leave it out")
        )
    if trend and plain.get("goal") is not None:
        yield Conflict(
            ("trend",),
            trend,
            say("both a goal and a trend"),
            say("make two targets of it, or keep one of the two"),
        )
    if trend == "shrinking" and plain.get("direction") == "up":
        yield Conflict(
            ("direction",), "up", say("a figure that has to shrink"), say('write direction = "down"')
        )


def equity_conflicts(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield the conflict of a measure that two sides do not have."""
    if plain.get("gap") == "urban_rural" and plain.get("measure") in ("gini", "theil"):
        yield Conflict(
            ("measure",),
            plain["measure"],
            say("a measure of many districts, not of town and country"),
            say('write measure = "difference" or "ratio", or gap = "districts"'),
        )


def _outside_unit(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    ceiling = ceiling_of(plain)
    # All figures of a target have one unit, so one ceiling serves goal, tolerance, baseline and milestones.
    figures: list[tuple[tuple[str, ...], float]] = [
        ((key,), value) for key in ("goal", "tolerance") if (value := _number(plain.get(key))) is not None
    ]
    for key in ("baseline", "milestones"):
        figures += [((key, year), value) for year, _, value in _points(plain.get(key))]
    for loc, value in figures:
        if value < 0:
            yield Conflict(loc, value, say("less than 0"), say("give a figure of 0 or more"))
        elif ceiling is not None and value > ceiling:
            remedy = say("give a figure from 0 to {ceiling}", ceiling=f"{ceiling:g}")
            if ceiling == 1 and 2 <= value <= 100:
                remedy = say(
                    "give a figure from 0 to 1; {percent} % is {share}",
                    percent=f"{value:g}",
                    share=f"{value / 100:g}",
                )
            reason = (
                say("more than a share can be")
                if ceiling == 1
                else say("more than {ceiling} {unit}", ceiling=f"{ceiling:g}", unit=plain["unit"])
            )
            yield Conflict(loc, value, reason, remedy)


def _out_of_time(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield conflicts of baseline and milestone years that are not before the due year."""
    due = _number(plain.get("due"))
    baseline, milestones = _points(plain.get("baseline")), _points(plain.get("milestones"))
    # Of several baselines the latest counts: milestones lead on from there.
    last = max((year for _, year, _ in baseline), default=None)
    for key, points in (("baseline", baseline), ("milestones", milestones)):
        for written, year, value in points:
            if due is not None and year >= due:
                yield Conflict(
                    (key, written),
                    value,
                    say("{year} is not before the due year {due}", year=year, due=f"{due:.0f}"),
                    say("give years before the due year; the goal itself is the figure of the due year"),
                )
    for written, year, value in milestones:
        if last is not None and year <= last:
            yield Conflict(
                ("milestones", written),
                value,
                say("{year} is not after the baseline of {last}", year=year, last=last),
                say("give milestones of later years than the baseline"),
            )
    for needed in ("goal", "due"):
        if milestones and plain.get(needed) is None:
            yield Conflict(
                ("milestones",),
                "",
                say("milestones without a {needed}", needed=needed),
                say("add {needed} = ..., or leave the milestones out", needed=needed),
            )


def _off_course(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield conflicts of milestones that move away from the goal, or go further than it."""
    goal = _number(plain.get("goal"))
    points = sorted(_points(plain.get("milestones")), key=lambda point: point[1])
    # A figure that should fall is compared with the sign turned, so that each check is written once.
    sign = -1.0 if plain.get("direction") == "down" else 1.0
    for (_, year, value), (written, later, next_value) in itertools.pairwise(points):
        if sign * next_value < sign * value:
            yield Conflict(
                ("milestones", written),
                next_value,
                say("the milestone of {later} is below that of {year}", later=later, year=year)
                if sign > 0
                else say("the milestone of {later} is above that of {year}", later=later, year=year),
                say("give milestones that come nearer to the goal from year to year"),
            )
    for written, year, value in points:
        if goal is not None and sign * value > sign * goal:
            yield Conflict(
                ("milestones", written),
                value,
                say("the milestone of {year} goes further than the goal {goal}", year=year, goal=f"{goal:g}"),
                say("give a milestone between the baseline and the goal"),
            )


def _unknown_fields(plain: Mapping[str, Any], keys: list[str]) -> Iterator[Conflict]:
    """Yield conflicts of ``settings`` and ``sources`` that name keys the target does not have."""
    # A typing error here would give a figure the wrong grade without a sign, since both keys are optional.
    settings = plain.get("settings")
    if isinstance(settings, (list, tuple)):
        for number, field in enumerate(settings):
            if isinstance(field, str) and field not in keys:
                yield Conflict(
                    ("settings", number), field, say("no such key in this kind"), nearest(field, keys)
                )
    sources = plain.get("sources")
    if isinstance(sources, Mapping):
        for field in sources:
            if field not in keys:
                yield Conflict(("sources", field), "", say("no such key in this kind"), nearest(field, keys))
            elif isinstance(settings, (list, tuple)) and field in settings:
                yield Conflict(
                    ("sources", field),
                    "",
                    say("both a setting and sourced"),
                    say("keep the key in settings or in sources, not in both"),
                )


def standard_conflicts(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield conflicts between the services and targets of a standard."""
    services, targets = _tables(plain.get("service")), _tables(plain.get("target"))
    yield from provenance_conflicts(plain)
    yield from _repeated("service", services)
    yield from _repeated("target", targets)
    # Classes and services share the names that a rule uses, so a name must have one meaning.
    ids = {service["id"] for _, service in services if isinstance(service.get("id"), str)}
    classes: set[str] = set()
    for number, service in services:
        for loc, name in _classes(number, service):
            classes.add(name)
            if name in ids and name != service.get("id"):
                yield Conflict(
                    loc,
                    name,
                    say("a class named as a service is"),
                    say("give the class or the service another name"),
                )
    known = sorted({*classes, *ids})
    yield from _empty_tiers(services, targets)
    yield from _unknown_circles(targets)
    for number, target in targets:
        require = target.get("require")
        for name, count in require.items() if isinstance(require, Mapping) else ():
            if name not in known:
                yield Conflict(
                    ("target", number, "require", name),
                    count,
                    say("no class or service of this name"),
                    nearest(name, known, classes=sorted(classes)),
                )


def _empty_tiers(
    services: list[tuple[int, Mapping[str, Any]]], targets: list[tuple[int, Mapping[str, Any]]]
) -> Iterator[Conflict]:
    """Yield conflicts of keys of a rule for which no service has the target's tier."""
    # A tier that no service has would make every unit fail, in a report that looks complete.
    tiers: dict[str, set[object]] = defaultdict(set)
    for number, service in services:
        for name in (service.get("id"), *(name for _, name in _classes(number, service))):
            if isinstance(name, str):
                tiers[name].add(service.get("tier"))
    for number, target in targets:
        tier, require = target.get("tier"), target.get("require")
        for name, count in require.items() if isinstance(tier, str) and isinstance(require, Mapping) else ():
            if name in tiers and tier not in tiers[name]:
                there = ", ".join(sorted(str(one) for one in tiers[name] if one)) or "-"
                yield Conflict(
                    ("target", number, "require", name),
                    count,
                    say("no service of tier '{tier}'", tier=tier),
                    say("use one of the tiers it has ({there}), or leave tier out", there=there),
                )


def _unknown_circles(targets: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Conflict]:
    """Yield conflicts of gaps that are to be counted from a target that is not a circle."""
    circles = [target["id"] for _, target in targets if target.get("kind") == "circle" and "id" in target]
    for number, target in targets:
        computed = target.get("computed")
        asked = computed.get("circles", ()) if isinstance(computed, Mapping) else ()
        for place, name in enumerate(asked if isinstance(asked, (list, tuple)) else ()):
            if name not in circles:
                loc = ("target", number, "computed", "circles", place)
                yield Conflict(loc, name, say("no circle of this id"), nearest(name, circles))


def _repeated(key: str, tables: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Conflict]:
    first: dict[str, int] = {}
    for number, table in tables:
        name = table.get("id")
        if not isinstance(name, str):
            continue
        if name in first:
            yield Conflict(
                (key, number, "id"),
                name,
                say("the id of {key}[{number}] again", key=key, number=first[name] + 1),
                say("give every {key} its own id", key=key),
            )
        first.setdefault(name, number)


def _classes(number: int, service: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(service.get("class"), str) and service["class"]:
        yield ("service", number, "class"), service["class"]
    also = service.get("also")
    for place, name in enumerate(also if isinstance(also, (list, tuple)) else ()):
        if isinstance(name, str):
            yield ("service", number, "also", place), name


def _tables(value: object) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the numbered tables of a list; models among them as they would be written."""
    found = []
    for number, entry in enumerate(value if isinstance(value, (list, tuple)) else ()):
        plain = entry.model_dump(by_alias=True) if isinstance(entry, BaseModel) else entry
        if isinstance(plain, Mapping):
            found.append((number, plain))
    return found


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:  # whole numbers in TOML have no end; what no float holds the types refuse
        return None


def _points(value: object) -> list[tuple[str, int, float]]:
    """Return the (year as written, year, figure) of a table by year, leaving out what is neither."""
    if not isinstance(value, Mapping):
        return []
    return [
        (year, int(year), number)
        for year, figure in value.items()
        if str(year).isdecimal() and len(str(year)) <= _DIGITS and (number := _number(figure)) is not None
    ]
