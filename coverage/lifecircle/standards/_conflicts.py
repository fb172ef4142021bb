"""Own the checks that look at several keys at once; not those of a single key, which its type makes.

Every check reads the plain document (what TOML gives), skips what is not of the type it needs (that is a
fault of its own, told by the type), and hands back conflicts instead of raising: so one faulty key never
hides another.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import InitErrorDetails, PydanticCustomError

CONFLICT = "conflict"

_GRADES_WITH_SOURCE = ("primary", "secondary")
_DIGITS = 4
"""Of a year; a longer key is a fault of its own."""

_UNIT_CEILINGS = {"share": 1.0, "percent": 100.0, "%": 100.0}


@dataclass(frozen=True)
class Conflict:
    """One thing wrong: where in the document, what stands there, why it cannot be, how to mend it."""

    loc: tuple[str | int, ...]
    value: object
    reason: str
    remedy: str

    def details(self) -> InitErrorDetails:
        """Give the conflict in the form pydantic merges with the faults it finds itself."""
        kind = PydanticCustomError(
            CONFLICT, "{reason}; {remedy}", {"reason": self.reason, "remedy": self.remedy}
        )
        return InitErrorDetails(type=kind, loc=self.loc, input=self.value)


def nearest(value: object, known: Iterable[str], *, listed: Iterable[str] | None = None) -> str:
    """Name the known word nearest to a value, or list the known ones.

    >>> nearest("minuts", ["minutes", "profile"])
    "did you mean 'minutes'?"
    >>> nearest("zzz", ["minutes", "profile"])
    'use one of minutes, profile'
    """
    known = list(known)
    close = difflib.get_close_matches(str(value), known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"use one of {', '.join(known if listed is None else listed)}"


def provenance_conflicts(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Find a grade that claims a source where none is named."""
    if plain.get("grade") in _GRADES_WITH_SOURCE and not plain.get("source"):
        yield Conflict(
            ("source",),
            plain.get("source", ""),
            f"grade {plain['grade']!r} without a source",
            'name the source, or write grade = "setting" for a figure of your own',
        )


def ceiling_of(plain: Mapping[str, Any]) -> float | None:
    """Give the largest figure a target's unit allows, None where it allows any."""
    if plain.get("kind") in {"circle", "presence"}:
        return 1.0
    if plain.get("kind") == "indicator":
        return _UNIT_CEILINGS.get(str(plain.get("unit")))
    return None


def target_conflicts(plain: Mapping[str, Any], *, keys: Iterable[str]) -> Iterator[Conflict]:
    """Find what is wrong between the keys of one target; ``keys`` are those its kind has."""
    yield from provenance_conflicts(plain)
    yield from _outside_unit(plain)
    yield from _out_of_time(plain)
    yield from _off_course(plain)
    yield from _unknown_fields(plain, sorted(keys))


def _outside_unit(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    ceiling = ceiling_of(plain)
    figures: list[tuple[tuple[str, ...], float]] = [
        ((key,), value) for key in ("goal", "tolerance") if (value := _number(plain.get(key))) is not None
    ]
    for key in ("baseline", "milestones"):
        figures += [((key, year), value) for year, _, value in _points(plain.get(key))]
    for loc, value in figures:
        if value < 0:
            yield Conflict(loc, value, "less than 0", "give a figure of 0 or more")
        elif ceiling is not None and value > ceiling:
            remedy = f"give a figure from 0 to {ceiling:g}"
            if ceiling == 1 and 2 <= value <= 100:
                remedy += f"; {value:g} % is {value / 100:g}"
            reason = "more than a share can be" if ceiling == 1 else f"more than {ceiling:g} {plain['unit']}"
            yield Conflict(loc, value, reason, remedy)


def _out_of_time(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Find years of baseline and milestones that do not lead up to the due year."""
    due = _number(plain.get("due"))
    baseline, milestones = _points(plain.get("baseline")), _points(plain.get("milestones"))
    last = max((year for _, year, _ in baseline), default=None)
    for key, points in (("baseline", baseline), ("milestones", milestones)):
        for written, year, value in points:
            if due is not None and year >= due:
                yield Conflict(
                    (key, written),
                    value,
                    f"{year} is not before the due year {due:.0f}",
                    "give years before the due year; the goal itself is the figure of the due year",
                )
    for written, year, value in milestones:
        if last is not None and year <= last:
            yield Conflict(
                ("milestones", written),
                value,
                f"{year} is not after the baseline of {last}",
                "give milestones of later years than the baseline",
            )
    for needed in ("goal", "due"):
        if milestones and plain.get(needed) is None:
            yield Conflict(
                ("milestones",),
                "",
                f"milestones without a {needed}",
                f"add {needed} = ..., or leave the milestones out",
            )


def _off_course(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Find milestones that turn back from year to year, or go further than the goal."""
    goal = _number(plain.get("goal"))
    points = sorted(_points(plain.get("milestones")), key=lambda point: point[1])
    sign = -1.0 if plain.get("direction") == "down" else 1.0
    word = "below" if sign > 0 else "above"
    for (_, year, value), (written, later, next_value) in itertools.pairwise(points):
        if sign * next_value < sign * value:
            yield Conflict(
                ("milestones", written),
                next_value,
                f"the milestone of {later} is {word} that of {year}",
                "give milestones that come nearer to the goal from year to year",
            )
    for written, year, value in points:
        if goal is not None and sign * value > sign * goal:
            yield Conflict(
                ("milestones", written),
                value,
                f"the milestone of {year} goes further than the goal {goal:g}",
                "give a milestone between the baseline and the goal",
            )


def _unknown_fields(plain: Mapping[str, Any], keys: list[str]) -> Iterator[Conflict]:
    """Find what ``settings`` and ``sources`` say of keys the target has not."""
    settings = plain.get("settings")
    if isinstance(settings, (list, tuple)):
        for number, field in enumerate(settings):
            if isinstance(field, str) and field not in keys:
                yield Conflict(("settings", number), field, "no such key in this kind", nearest(field, keys))
    sources = plain.get("sources")
    if isinstance(sources, Mapping):
        for field in sources:
            if field not in keys:
                yield Conflict(("sources", field), "", "no such key in this kind", nearest(field, keys))
            elif isinstance(settings, (list, tuple)) and field in settings:
                yield Conflict(
                    ("sources", field),
                    "",
                    "both a setting and sourced",
                    "keep the key in settings or in sources, not in both",
                )


def standard_conflicts(plain: Mapping[str, Any]) -> Iterator[Conflict]:
    """Find what is wrong between the services and targets of a standard."""
    services, targets = _tables(plain.get("service")), _tables(plain.get("target"))
    yield from provenance_conflicts(plain)
    yield from _repeated("service", services)
    yield from _repeated("target", targets)
    ids = {service["id"] for _, service in services if isinstance(service.get("id"), str)}
    classes: set[str] = set()
    for number, service in services:
        for loc, name in _classes(number, service):
            classes.add(name)
            if name in ids and name != service.get("id"):
                yield Conflict(
                    loc, name, "a class named as a service is", "give the class or the service another name"
                )
    known = sorted({*classes, *ids})
    for number, target in targets:
        require = target.get("require")
        for name, count in require.items() if isinstance(require, Mapping) else ():
            if name not in known:
                yield Conflict(
                    ("target", number, "require", name),
                    count,
                    "no class or service of this name",
                    nearest(name, known, listed=[*sorted(classes), "or the id of a service"]),
                )


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
                f"the id of {key}[{first[name] + 1}] again",
                f"give every {key} its own id",
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
    """Give the numbered tables of a list; models among them as they would be written."""
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
    """Give the (year as written, year, figure) of a table by year, leaving out what is neither."""
    if not isinstance(value, Mapping):
        return []
    return [
        (year, int(year), number)
        for year, figure in value.items()
        if str(year).isdecimal() and len(str(year)) <= _DIGITS and (number := _number(figure)) is not None
    ]
