"""Define the travel profiles: which ways a mode may use, in which direction, how fast (``profiles.toml``).

This module reads no road file and knows no geometry. The rules are pure functions of a way's tags, so a
test can count a network again with the same rules and no other shared code.
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

from lifecircle.errors import Fault, UnusableInputError, say

MODES: Final = ("walk", "cycle", "ebike", "drive")
"""Every mode; each is also the id of its usual profile in ``profiles.toml``."""

Speed = float | Mapping[str, float]
"""A flat speed in km/h, or speeds by road class for a profile that has them."""

_DIRECTION: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(("yes", "true", "1"), 1)
    | dict.fromkeys(("-1", "reverse"), -1)
    | dict.fromkeys(("no", "false", "0", "alternating"), 0)
)
"""Words of one-way keys: 1 as drawn, -1 against it, 0 both; other words are ignored."""

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
    against : (key, words) that open a one-way way in the other direction too (lanes of cyclists).
    lane_keys : keys with the direction of one lane, as the way is drawn; a lane that does not follow the
        direction of the way opens the other direction.
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
    against: _Words = ()
    lane_keys: tuple[str, ...] = ()

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Return every key the rule reads, ``highway`` first."""
        tests = (*self.barred, *self.closed_by, *self.oneway_implied, *self.against)
        named = (*self.access_keys, *self.oneway_keys, *self.lane_keys, *(key for key, _ in tests))
        return ("highway", *sorted(set(named) - {"highway"}))

    @cached_property
    def key_set(self) -> frozenset[str]:
        """Return the same keys as a set, for fast look-ups."""
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
        """Return the speed of the access legs in m/s."""
        return self.access_kmh / 3.6

    @property
    def speed_ms(self) -> float | None:
        """Return the flat speed in m/s; None where the class of the road decides."""
        return None if self.speed_kmh is None else self.speed_kmh / 3.6

    @property
    def uniform(self) -> bool:
        """Return whether the whole trip, access legs included, scales with the speed."""
        return self.mode != "drive"

    def class_speed(self, highway: str) -> float:
        """Return the usual speed in km/h on a road class, NaN where the profile has none.

        >>> profile("drive").class_speed("primary")
        65.0
        """
        if self.speed_kmh is not None:
            return self.speed_kmh
        return self._class_speeds.get(highway, math.nan)

    def factor_to(self, other: Profile) -> float | None:
        """Return by what the speeds of all classes differ; None where they do not differ by one factor.

        >>> drive = profile("drive")
        >>> slow = drive.at_speed({name: kmh * 0.8 for name, kmh in drive.class_kmh})
        >>> drive.factor_to(slow), drive.factor_to(drive.at_speed({"primary": 50.0}))
        (0.8, None)
        """
        mine, others = self._class_speeds, other._class_speeds
        if (
            self.speed_kmh is not None
            or other.speed_kmh is not None
            or not mine
            or mine.keys() != others.keys()
        ):
            return None
        factors = [others[name] / mine[name] for name in mine]
        return factors[0] if max(factors) - min(factors) <= 1e-9 * max(factors) else None

    def at_speed(self, speed_kmh: Speed) -> Profile:
        """Return the same profile at another speed.

        Parameters
        ----------
        speed_kmh : km/h on every way, and on the access legs too where the whole trip scales; or a mapping
            road class -> km/h, which replaces the speeds of the classes it names.

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
                    say("profile '{profile}' has no such road class", profile=self.id),
                    _known(self),
                )
                for name in unknown
            )
        new = {name: _positive(speed, f"speed_kmh[{name!r}]") for name, speed in speeds.items()}
        return replace(self, speed_kmh=None, class_kmh=tuple({**self._class_speeds, **new}.items()))


def _known(used: Profile) -> str:
    names = ", ".join(name for name, _ in used.class_kmh)
    return say("name one of {names}", names=names) if names else say("give one number in km/h")


def _positive(value: object, place: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    fault = Fault(
        "", place, repr(value), say("a speed is a positive number"), say("give km/h, for example 5.0")
    )
    raise UnusableInputError([fault])


def _words(table: Mapping[str, Iterable[str]]) -> _Words:
    return tuple((key, frozenset(words)) for key, words in sorted(table.items()))


def _rule(name: str, data: Mapping[str, Mapping[str, Any]]) -> Rule:
    own = data[name]
    # A rule that extends another can only close more ways: a wheelchair never gets a way that walkers have
    # not.
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
        against=_words(own.get("against", {})),
        lane_keys=tuple(own.get("lane_keys", ())),
    )


def _load() -> Mapping[str, Profile]:
    data = tomllib.loads(files(__package__).joinpath("profiles.toml").read_text(encoding="utf-8"))
    found = {}
    for name, own in data["profiles"].items():
        found[name] = Profile(
            id=name,
            mode=own["mode"],
            ways=_rule(own["rule"], data["rules"]),
            speed_kmh=own.get("speed_kmh"),
            class_kmh=tuple(own.get("class_kmh", {}).items()),
            access_kmh=own["access_kmh"] if "access_kmh" in own else own["speed_kmh"],
            band=_band(own),
            version=data["version"],
            source=own["source"],
        )
    return MappingProxyType(found)


def _band(own: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return the factors slow, usual, fast; a band in km/h is divided here, since 10 / 12 is no decimal."""
    slow, usual, fast = own.get("band") or (kmh / own["speed_kmh"] for kmh in own["band_kmh"])
    return slow, usual, fast


PROFILES: Final = _load()
"""Profile id -> profile, as shipped."""


def profile(mode: str | Profile, *, speed_kmh: Speed | None = None) -> Profile:
    """Return a profile by mode or profile id, at another speed if one is given.

    Parameters
    ----------
    mode : a mode (``walk``, ``cycle``, ``ebike``, ``drive``), a profile id (``walk_aged``), or a profile,
        which is returned.
    speed_kmh : flat speed in km/h, or speeds by road class.

    Returns
    -------
    profile : its ways, speeds and band.

    Raises
    ------
    UnusableInputError
        An unknown name, or a speed that is not a positive number.

    >>> profile("walk").band
    (0.8, 1.0, 1.2)
    >>> [round(factor * profile("ebike").speed_kmh, 6) for factor in profile("ebike").band]
    [15.0, 18.0, 20.0]
    """
    used = mode if isinstance(mode, Profile) else _find(mode)
    return used if speed_kmh is None else used.at_speed(speed_kmh)


def _find(name: str) -> Profile:
    if name in PROFILES:
        return PROFILES[name]
    near = difflib.get_close_matches(str(name), PROFILES, n=1)
    known = ", ".join(PROFILES)
    remedy = say("known: {known}", known=known)
    if near:
        remedy = say("did you mean '{name}'? known: {known}", name=near[0], known=known)
    raise UnusableInputError([Fault("", "mode", str(name), say("unknown mode or profile"), remedy)])


def _readings(tags: Mapping[str, Any], rule: Rule) -> Iterator[dict[str, str]]:
    """Yield the words a rule reads; a list (of ways merged into one edge) yields one reading for each."""
    words: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for key, value in tags.items():
        if key not in rule.key_set:
            continue
        if isinstance(value, str):
            words[key] = value.strip().lower()
        elif isinstance(value, (list, tuple, set, frozenset)):
            if value:  # an empty one says nothing, as if the key were not there
                lists[key] = [str(part).strip().lower() for part in value]
        elif isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
            words[key] = str(int(value))
    if not lists:
        yield words
        return
    # Every combination, because it is not known which words of merged ways belonged together.
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
    """Return whether the access words of a way close it.

    The mode's own keys come first, the most specific one first. The first with a known word decides;
    only where there is none, ``closed_by`` is read (general access, classes for others).
    """
    for key in rule.access_keys:
        if words.get(key) in rule.closed:
            return True
        if words.get(key) in rule.open:
            return False
    return _matches(words, rule.closed_by)


def allowed_way(tags: Mapping[str, Any], used: str | Profile) -> bool:
    """Return whether a profile may use a way.

    Parameters
    ----------
    tags : tags of the way (OSM keys). A list of values means that ways were merged into one edge: then
        every combination must be allowed, because the edge is travelled as a whole.
    used : profile or its id.

    Returns
    -------
    allowed : bool

    >>> allowed_way({"highway": "steps"}, "walk"), allowed_way({"highway": "steps"}, "wheelchair")
    (True, False)
    """
    wanted = profile(used)
    return all(_allowed(words, wanted) for words in _readings(tags, wanted.ways))


def allowed_row(tags: Mapping[str, Any], used: Profile) -> bool:
    """Return whether a profile may use a row of a road table that states its own speed.

    This is :func:`allowed_way`, except that a class without a speed (an official name, or none) is allowed.
    """
    rule = used.ways
    return all(
        words.get("highway", "") not in rule.never
        and not _matches(words, rule.barred)
        and not closed_by_access(words, rule)
        for words in _readings(tags, rule)
    )


def oneway(tags: Mapping[str, Any], used: str | Profile) -> int:
    """Return the direction in which a profile may use a way: 1 as drawn, -1 against it, 0 both.

    Parameters
    ----------
    tags : tags of the way (OSM keys); of several values the first that gives one direction decides.
    used : profile or its id.

    Returns
    -------
    direction : 1, -1 or 0

    >>> oneway({"highway": "primary", "oneway": "-1"}, "drive"), oneway({"oneway": "yes"}, "walk")
    (-1, 0)
    >>> oneway({"oneway": "yes", "cycleway": "opposite_lane"}, "cycle")
    0
    """
    wanted = profile(used)
    directions = (_direction(words, wanted.ways) for words in _readings(tags, wanted.ways))
    return next((direction for direction in directions if direction), 0)


def open_against(tags: Mapping[str, Any], used: str | Profile) -> bool:
    """Return whether a one-way way is open in the other direction by a word meant for this mode.

    An edge of a directed graph is open along itself. Only such a word opens the other direction of a single
    edge; the general key ``oneway`` does not, because a graph holds a two-way street as two edges.

    Parameters
    ----------
    tags, used : as for :func:`allowed_way`; of several values all must open it.

    Returns
    -------
    open : bool

    >>> open_against({"oneway": "yes", "oneway:bicycle": "no"}, "cycle")
    True
    >>> open_against({"oneway": "no"}, "cycle")
    False
    """
    rule = profile(used).ways
    return bool(rule.against) and all(_opened(words, rule) for words in _readings(tags, rule))


def _direction(words: Mapping[str, str], rule: Rule) -> int:
    direction = _bound(words, rule)
    return 0 if direction and _opened(words, rule) else direction


def _bound(words: Mapping[str, str], rule: Rule) -> int:
    """Return the direction that the most specific key states, or that the kind of way implies."""
    for key in rule.oneway_keys:
        found = _DIRECTION.get(words.get(key, ""))
        if found is not None:
            return found
    return 1 if _matches(words, rule.oneway_implied) else 0


def _opened(words: Mapping[str, str], rule: Rule) -> bool:
    """Return whether the mode's own key, or a lane of its own, leads against the direction of a way."""
    if not rule.against:
        return False
    own = _DIRECTION.get(words.get(rule.oneway_keys[0], ""))
    if own is not None:
        # The mode's own key is the most specific one: it settles the matter whatever lanes are mapped.
        return own == 0
    direction = _bound(words, rule)
    lanes = {_DIRECTION.get(words.get(key, ""), direction) for key in rule.lane_keys}
    return _matches(words, rule.against) or (bool(direction) and bool(lanes - {direction}))


def way_kmh(tags: Mapping[str, Any], used: str | Profile) -> float:
    """Return the usual speed on a way in km/h, NaN if none; of classes merged into one edge the slowest.

    Parameters
    ----------
    tags, used : as for :func:`allowed_way`.

    Returns
    -------
    kmh : float

    >>> way_kmh({"highway": ["primary", "residential"]}, "drive")
    25.0
    """
    wanted = profile(used)
    if wanted.speed_kmh is not None:
        return wanted.speed_kmh
    speeds = [wanted.class_speed(words.get("highway", "")) for words in _readings(tags, wanted.ways)]
    return math.nan if any(math.isnan(speed) for speed in speeds) else min(speeds)
