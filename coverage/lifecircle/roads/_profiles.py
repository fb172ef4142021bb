"""Own the travel profiles: which ways a mode may use, in which direction, how fast (``profiles.toml``).

Does not read road files and knows no geometry. The rules are pure functions of a way's tags, so that
anyone may count a network a second time with the same policy and nothing else in common.
"""

from __future__ import annotations

import difflib
import itertools
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from lifecircle.errors import Fault, UnusableInputError

MODES: Final = ("walk", "cycle", "ebike", "drive")
"""Every mode of the design; those without a profile in ``profiles.toml`` are announced, not available."""

Speed = float | Mapping[str, float]
"""A flat speed in km/h, or speeds by road class for a profile that has them."""

_FORWARD = frozenset({"yes", "true", "1"})
_BACKWARD = frozenset({"-1", "reverse"})
_BOTH = frozenset({"no", "false", "0", "alternating"})

_Words = tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True)
class Rule:
    """Which ways may be used and in which direction, as words on tags.

    Attributes
    ----------
    never : classes (values of ``highway``) that are not used.
    barred : (key, words) that close a way for good.
    access_keys : the mode's own access keys, the most specific first.
    open, closed : words on those keys that settle the matter.
    closed_by : (key, words) that close a way no access key has opened.
    directed : whether the direction of a graph's edge binds this mode.
    oneway_keys : keys read for the direction, the most specific first.
    oneway_implied : (key, words) that make a way one-way where no key says otherwise.
    """

    id: str
    source: str
    never: frozenset[str]
    barred: _Words
    access_keys: tuple[str, ...]
    open: frozenset[str]
    closed: frozenset[str]
    closed_by: _Words
    directed: bool
    oneway_keys: tuple[str, ...]
    oneway_implied: _Words

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Every key the rule reads, ``highway`` first."""
        tests = (*self.barred, *self.closed_by, *self.oneway_implied)
        named = (*self.access_keys, *self.oneway_keys, *(key for key, _ in tests))
        return ("highway", *sorted(set(named) - {"highway"}))

    @cached_property
    def key_set(self) -> frozenset[str]:
        """The same keys, to ask whether one is among them."""
        return frozenset(self.keys)


@dataclass(frozen=True)
class Profile:
    """How one kind of traveller moves: the ways allowed, the speeds, and the band around them.

    Attributes
    ----------
    id, mode : name of the profile and the mode it belongs to.
    ways : which ways may be used, and in which direction; profiles with equal ways share one reading.
    speed_kmh : flat speed on every way; None where the class decides.
    class_kmh : (class, km/h) pairs; empty for a flat speed.
    access_kmh : speed of the straight legs between a point and the road.
    band : factors (slow, usual, fast) on the speed; seconds at a factor are seconds / factor.
    version : version of rules and speeds.
    source : where the speeds are from.
    """

    id: str
    mode: str
    ways: Rule
    speed_kmh: float | None
    class_kmh: tuple[tuple[str, float], ...]
    access_kmh: float
    band: tuple[float, float, float]
    version: str
    source: str

    @cached_property
    def _class_speeds(self) -> dict[str, float]:
        return dict(self.class_kmh)

    @property
    def access_ms(self) -> float:
        """Speed of the access legs in m/s."""
        return self.access_kmh / 3.6

    @property
    def speed_ms(self) -> float | None:
        """Flat speed in m/s; None where the class of the road decides."""
        return None if self.speed_kmh is None else self.speed_kmh / 3.6

    @property
    def uniform(self) -> bool:
        """Whether the whole trip, access legs included, scales with the speed."""
        return self.mode != "drive"

    def class_speed(self, highway: str) -> float:
        """Give the usual speed in km/h on a road class, NaN where the profile has none.

        >>> profile("drive").class_speed("primary")
        65.0
        """
        if self.speed_kmh is not None:
            return self.speed_kmh
        return self._class_speeds.get(highway, math.nan)

    def at_speed(self, speed_kmh: Speed) -> Profile:
        """Give the same profile at another speed.

        A number is the speed on every way; where the whole trip scales, the access legs take it too.
        A mapping replaces the speeds of the classes it names.

        Raises
        ------
        UnusableInputError
            A speed that is not a positive number, or classes for a profile that has none.
        """
        if isinstance(speed_kmh, Mapping):
            return self._with_classes(speed_kmh)
        speed = _positive(speed_kmh, "speed_kmh")
        return replace(self, speed_kmh=speed, access_kmh=speed if self.uniform else self.access_kmh)

    def _with_classes(self, speeds: Mapping[str, float]) -> Profile:
        unknown = sorted(set(speeds) - set(self._class_speeds))
        if unknown:
            raise UnusableInputError(
                Fault(
                    "",
                    f"speed_kmh[{name!r}]",
                    "",
                    f"profile {self.id!r} has no such road class",
                    _known(self),
                )
                for name in unknown
            )
        new = {name: _positive(speed, f"speed_kmh[{name!r}]") for name, speed in speeds.items()}
        return replace(self, speed_kmh=None, class_kmh=tuple({**self._class_speeds, **new}.items()))


def _known(used: Profile) -> str:
    names = ", ".join(name for name, _ in used.class_kmh)
    return f"name one of {names}" if names else "give one number in km/h"


def _positive(value: object, place: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    fault = Fault("", place, repr(value), "a speed is a positive number", "give km/h, for example 5.0")
    raise UnusableInputError([fault])


def _words(table: Mapping[str, Iterable[str]]) -> _Words:
    return tuple((key, frozenset(words)) for key, words in sorted(table.items()))


def _rule(name: str, data: Mapping[str, Mapping[str, Any]]) -> Rule:
    own = data[name]
    if "extends" in own:
        base = _rule(own["extends"], data)
        return replace(
            base,
            id=name,
            source=f"{base.source}; {own['source']}",
            never=base.never | frozenset(own.get("never", ())),
            barred=tuple(sorted((*base.barred, *_words(own.get("barred", {}))))),
        )
    return Rule(
        id=name,
        source=own["source"],
        never=frozenset(own["never"]),
        barred=_words(own["barred"]),
        access_keys=tuple(own["access_keys"]),
        open=frozenset(own["open"]),
        closed=frozenset(own["closed"]),
        closed_by=_words(own["closed_by"]),
        directed=own["directed"],
        oneway_keys=tuple(own["oneway_keys"]),
        oneway_implied=_words(own["oneway_implied"]),
    )


def _load() -> Mapping[str, Profile]:
    data = tomllib.loads(files(__package__).joinpath("profiles.toml").read_text(encoding="utf-8"))
    found = {}
    for name, own in data["profiles"].items():
        slow, usual, fast = own["band"]
        found[name] = Profile(
            id=name,
            mode=own["mode"],
            ways=_rule(own["rule"], data["rules"]),
            speed_kmh=own.get("speed_kmh"),
            class_kmh=tuple(own.get("class_kmh", {}).items()),
            access_kmh=own["access_kmh"] if "access_kmh" in own else own["speed_kmh"],
            band=(slow, usual, fast),
            version=data["version"],
            source=own["source"],
        )
    return MappingProxyType(found)


PROFILES: Final = _load()
"""Profile id -> profile, as shipped."""


def profile(mode: str | Profile, *, speed_kmh: Speed | None = None) -> Profile:
    """Look up a profile by mode or profile id, at another speed if one is given.

    Parameters
    ----------
    mode : a mode (``walk``, ``drive``), a profile id (``walk_aged``), or a profile, which is given back.
    speed_kmh : flat speed in km/h, or speeds by road class.

    Raises
    ------
    UnusableInputError
        An unknown name, a mode that is not available yet, or a speed that is none.

    >>> profile("walk").band
    (0.8, 1.0, 1.2)
    """
    used = mode if isinstance(mode, Profile) else _find(mode)
    return used if speed_kmh is None else used.at_speed(speed_kmh)


def _find(name: str) -> Profile:
    if name in PROFILES:
        return PROFILES[name]
    known = ", ".join(PROFILES)
    if name in MODES:
        fault = Fault("", "mode", name, "this mode is not available yet", f"use one of {known}")
    else:
        near = difflib.get_close_matches(str(name), PROFILES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        fault = Fault("", "mode", str(name), "unknown mode or profile", f"{hint}known: {known}")
    raise UnusableInputError([fault])


def _readings(tags: Mapping[str, Any], rule: Rule) -> Iterator[dict[str, str]]:
    """Give the words a rule reads; a list (of ways merged into one edge) gives one reading for each."""
    words: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for key, value in tags.items():
        if key not in rule.key_set:
            continue
        if isinstance(value, str):
            words[key] = value.strip().lower()
        elif isinstance(value, (list, tuple, set, frozenset)):
            lists[key] = [str(part).strip().lower() for part in value]
        elif isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
            words[key] = str(int(value))
    if not lists:
        yield words
        return
    for choice in itertools.product(*lists.values()):
        yield {**words, **dict(zip(lists, choice, strict=True))}


def _matches(words: Mapping[str, str], tests: _Words) -> bool:
    return any(words.get(key) in closed for key, closed in tests)


def _allowed(words: Mapping[str, str], used: Profile) -> bool:
    rule = used.ways
    highway = words.get("highway")
    if not highway or highway in rule.never or _matches(words, rule.barred):
        return False
    if used.class_kmh and highway not in used._class_speeds:  # noqa: SLF001 - the module's own class
        return False
    return not closed_by_access(words, rule)


def closed_by_access(words: Mapping[str, str], rule: Rule) -> bool:
    """Tell whether the access words of a way close it, whatever its class."""
    for key in rule.access_keys:
        if words.get(key) in rule.closed:
            return True
        if words.get(key) in rule.open:
            return False
    return _matches(words, rule.closed_by)


def allowed_way(tags: Mapping[str, Any], used: str | Profile) -> bool:
    """Tell whether a profile may use a way.

    Parameters
    ----------
    tags : tags of the way (OSM keys). A list of values means that ways were merged into one edge: then
        every combination must be allowed, because the edge is travelled as a whole.
    used : profile or its id.

    >>> allowed_way({"highway": "steps"}, "walk"), allowed_way({"highway": "steps"}, "wheelchair")
    (True, False)
    """
    wanted = profile(used)
    return all(_allowed(words, wanted) for words in _readings(tags, wanted.ways))


def allowed_row(tags: Mapping[str, Any], used: Profile) -> bool:
    """Tell whether a profile may use a row of a road table that brings its own speed.

    As :func:`allowed_way`, but a class without a speed (an official name, or none) is no obstacle.
    """
    rule = used.ways
    return all(
        words.get("highway", "") not in rule.never
        and not _matches(words, rule.barred)
        and not closed_by_access(words, rule)
        for words in _readings(tags, rule)
    )


def oneway(tags: Mapping[str, Any], used: str | Profile) -> int:
    """Tell in which direction a profile may use a way: 1 as drawn, -1 against it, 0 both.

    >>> oneway({"highway": "primary", "oneway": "-1"}, "drive"), oneway({"oneway": "yes"}, "walk")
    (-1, 0)
    """
    wanted = profile(used)
    directions = (_direction(words, wanted.ways) for words in _readings(tags, wanted.ways))
    return next((direction for direction in directions if direction), 0)


def _direction(words: Mapping[str, str], rule: Rule) -> int:
    for key in rule.oneway_keys:
        word = words.get(key)
        if word in _FORWARD:
            return 1
        if word in _BACKWARD:
            return -1
        if word in _BOTH:
            return 0
    return 1 if _matches(words, rule.oneway_implied) else 0


def way_kmh(tags: Mapping[str, Any], used: str | Profile) -> float:
    """Give the usual speed on a way in km/h, NaN if none; of classes merged into one edge the slowest.

    >>> way_kmh({"highway": ["primary", "residential"]}, "drive")
    25.0
    """
    wanted = profile(used)
    if wanted.speed_kmh is not None:
        return wanted.speed_kmh
    speeds = [wanted.class_speed(words.get("highway", "")) for words in _readings(tags, wanted.ways)]
    return math.nan if any(math.isnan(speed) for speed in speeds) else min(speeds)
