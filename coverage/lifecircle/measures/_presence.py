"""Count presence: which units have the venues a target asks for, and where the register contradicts itself.

A unit is a county, a district, a village or an outlet (a service window, a shop, a scenic spot). A venue
counts for the units its register row lists in ``serves``; where it lists none of this kind, for the unit
it is in. Both are known for most venues, so that a contradiction between them can be reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence

    import numpy.typing as npt

Assign = Literal["serves_first", "serves", "position"]
"""How venues are assigned to units; see :func:`presence`."""

ELSEWHERE, UNLISTED, UNKNOWN_UNIT, NOT_OPEN = "elsewhere", "unlisted", "unknown_unit", "not_open"
"""Kinds of disagreement, as :func:`presence` explains them."""

_BETWEEN_CODES = re.compile(r"[,，;；、|/]+")
_DISAGREEMENT = ("venue", "key", "listed", "stands_in", "kind")


@dataclass(frozen=True, eq=False)
class Presence:
    """Which units satisfy a rule.

    ``units`` : on the units counted: one column for each key of the rule with its open venues (int64),
    ``holds`` (bool), ``lacks`` (the keys short of venues, joined by ``|``) and ``closed`` (int64: venues of
    those keys that the unit would have, were they open).
    ``disagreements`` : ``venue`` (label), ``key``, ``listed``, ``stands_in`` (codes or empty), ``kind``.
    ``by_position`` : keys whose venues list no unit of this kind at all.
    """

    units: pd.DataFrame
    disagreements: pd.DataFrame
    by_position: tuple[str, ...]

    @property
    def value(self) -> float | None:
        """Return the share of the units that satisfy the rule, 0 to 1; None where no unit is counted."""
        return float(self.units["holds"].mean()) if len(self.units) else None

    @property
    def without(self) -> list[str]:
        """Return the codes of the units that do not satisfy the rule, in the order of the units."""
        return [str(code) for code in self.units.index[~self.units["holds"]]]


@dataclass(frozen=True, eq=False)
class UnitCodes:
    """The units that a rule is about, by their codes.

    ``codes`` : every unit of this kind, unique; ``counted`` : (unit,) those the target is about, all where
    left out; ``aliases`` : another code or a name -> the unit meant, such as a village's code for its
    district; ``known`` : further codes that exist but are units of another kind.
    """

    codes: pd.Index[str]
    counted: npt.NDArray[np.bool_] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    known: Collection[str] = ()


def presence(  # noqa: PLR0913 - the parts of one question
    venues: pd.DataFrame,
    units: UnitCodes,
    *,
    needed: Mapping[str, int],
    services: Mapping[str, Collection[str]],
    place: pd.Series[Any],
    opened: npt.NDArray[np.bool_] | None = None,
    assign: Assign = "serves_first",
) -> Presence:
    """Return which units have at least so many open venues of every key of a rule.

    1. A venue's ``serves`` is split into codes by commas, semicolons, 、, bars and blanks (a code that has a
       blank itself stays whole); each that is a unit, or an alias of one, is a unit served.
    2. ``serves_first``: the units served, or where there are none, those it stands in (``place``).
       ``serves``: the units served alone, unless no venue of the key serves any (then ``place``).
       ``position``: those it stands in alone.
    3. A unit satisfies the rule when it has at least as many open venues of every key as needed (inclusive).

    Kinds of disagreement: ``elsewhere``, it serves units of this kind and is in none of them;
    ``unlisted``, it is in a unit but lists none, and the list decides, so it counts for no unit;
    ``unknown_unit``, it lists an unknown code; ``not_open``, it is closed or not yet open, and a
    unit that does not satisfy the rule would have it.

    Parameters
    ----------
    venues : (venue,) with ``service`` and, if there is one, ``serves``; open or not
    units : every unit of this kind, and which of them are counted
    needed : key of the rule -> least number of open venues, >= 1
    services : key of the rule -> ids of the services that count for it
    place : on the index of ``venues``, the unit it is in, empty for none; or a tuple of several
    opened : (venue,) whether it is open; left out, all are
    assign : how venues come to their units, see 2.

    Returns
    -------
    Presence

    References
    ----------
    The count of the plan's 村村有, 镇（街道）全覆盖: a share of units, each holding or not.

    >>> venues = pd.DataFrame({"service": ["hall", "hall"], "serves": ["A", ""]})
    >>> units = UnitCodes(pd.Index(["A", "B", "C"]))
    >>> found = presence(venues, units, needed={"hall": 1}, services={"hall": ["hall"]},
    ...     place=pd.Series(["A", "B"]))
    >>> found.value, found.without
    (0.6666666666666666, ['C'])
    """
    open_now = np.ones(len(venues), dtype=bool) if opened is None else np.asarray(opened, dtype=bool)
    # A register holds every service: only the venues of this rule are looked at.
    asked = venues["service"].isin(set().union(*services.values())).to_numpy(dtype=bool)
    # Two of its many columns are read; a table of geometries is slow to take rows of.
    columns = [name for name in ("service", "serves") if name in venues]
    venues = pd.DataFrame(venues, copy=False)[columns][asked]
    place, open_now = place[asked], open_now[asked]
    codes, counted = units.codes, units.counted
    chosen = np.ones(len(codes), dtype=bool) if counted is None else np.asarray(counted, dtype=bool)
    names = [str(code) for code in codes]  # one access to a column of texts is slow, a list is not
    served, strange = _served(venues, names, units.aliases, units.known)
    # Both readings, list and position, are made for every venue, so that their contradictions can be listed.
    register = _Register(venues, names, open_now, served, strange, _standing(place, names))
    keys = [_key(register, name, services[name], least, assign) for name, least in needed.items()]
    # All units are counted, also those the target is not about: a venue may serve one of those, and that is
    # no disagreement.
    lacks = ["|".join(key.name for key in keys if key.short[at]) for at in range(len(codes))]
    table = pd.DataFrame(
        {
            **{key.name: key.number for key in keys},
            "holds": [not text for text in lacks],
            "lacks": pd.Series(lacks, dtype="str").to_numpy(),
            "closed": sum((key.closed for key in keys), start=np.zeros(len(codes), dtype=np.int64)),
        },
        index=codes,
    )
    rows = [row for key in keys for row in _disagreements(register, key, decides=assign == "serves")]
    return Presence(
        table[chosen],
        pd.DataFrame(rows, columns=list(_DISAGREEMENT)),
        tuple(key.name for key in keys if not key.listed),
    )


def units_near(
    venues_m: npt.NDArray[np.float64],
    units_m: npt.NDArray[np.float64],
    codes: pd.Index[str],
    *,
    within_m: float,
) -> list[tuple[str, ...]]:
    """List the codes of the units within a distance of each venue, nearest first.

    For outlets, which are points without an area.

    Parameters
    ----------
    venues_m, units_m : (venue, 2) and (unit, 2) metres, NaN where unknown
    codes : (unit,)
    within_m : inclusive, to a tenth of a millimetre

    Returns
    -------
    codes : (venue,) tuples of codes; empty where the venue or every unit is too far or unknown

    >>> units_near(np.array([[0.0, 0.0]]), np.array([[0.0, 50.0], [9.0, 0.0]]), pd.Index(["a", "b"]),
    ...     within_m=50.0)
    [('b', 'a')]
    """
    out: list[tuple[str, ...]] = [()] * len(venues_m)
    placed, there = (np.flatnonzero(np.isfinite(xy).all(axis=1)) for xy in (venues_m, units_m))
    if not len(placed) or not len(there):
        return out
    tree = cKDTree(units_m[there])
    names = [str(code) for code in codes[there]]
    for venue, near in zip(
        placed, tree.query_ball_point(venues_m[placed], within_m + 1e-4, return_sorted=True), strict=True
    ):
        if near:
            # The tree sorts by position in its list, not by distance.
            metres = np.hypot(*(units_m[there[near]] - venues_m[venue]).T)
            out[venue] = tuple(names[near[at]] for at in np.argsort(metres, kind="stable"))
    return out


class _Pairs(NamedTuple):
    """Positions of venues and of units they may count for: (pair,) each."""

    venue: npt.NDArray[np.int64]
    unit: npt.NDArray[np.int64]

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]]) -> _Pairs:
        """Return pairs as two columns."""
        venue, unit = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return cls(venue, unit)

    def where(self, kept: npt.NDArray[np.bool_]) -> _Pairs:
        """Return some of the pairs."""
        return _Pairs(self.venue[kept], self.unit[kept])


@dataclass(frozen=True, eq=False)
class _Register:
    """The venues beside the units they may count for.

    ``served`` : as ``serves`` lists them. ``strange`` : venue -> unknown codes. ``standing`` : by place.
    """

    venues: pd.DataFrame
    units: list[str]
    opened: npt.NDArray[np.bool_]
    served: _Pairs
    strange: dict[int, str]
    standing: _Pairs

    @cached_property
    def listed(self) -> dict[int, tuple[str, ...]]:
        """Codes of the units that each venue lists."""
        return self._codes(self.served)

    @cached_property
    def here(self) -> dict[int, tuple[str, ...]]:
        """Codes of the units that each venue stands in."""
        return self._codes(self.standing)

    def _codes(self, pairs: _Pairs) -> dict[int, tuple[str, ...]]:
        found: dict[int, tuple[str, ...]] = {}
        for venue, unit in zip(pairs.venue.tolist(), pairs.unit.tolist(), strict=True):
            found[venue] = (*found.get(venue, ()), self.units[unit])
        return found


@dataclass(frozen=True, eq=False)
class _Key:
    """One key of a rule: its venues, whether any of them lists units, what each counts for, (unit,) counts.

    ``number`` : open venues; ``short`` : too few of them; ``closed`` : others, where there are too few.
    """

    name: str
    member: npt.NDArray[np.bool_]
    listed: bool
    claims: _Pairs
    number: npt.NDArray[np.int64]
    short: npt.NDArray[np.bool_]
    closed: npt.NDArray[np.int64]


def _codes_in(text: str, known: Collection[str]) -> list[str]:
    """Split a cell into codes; a cell that is a known code is not split."""
    found: list[str] = []
    for part in [text] if text in known else _BETWEEN_CODES.split(text):
        found += [part.strip()] if part.strip() in known else part.split()
    return [code for code in found if code]


def _served(
    venues: pd.DataFrame, units: list[str], aliases: Mapping[str, str], known: Collection[str]
) -> tuple[_Pairs, dict[int, str]]:
    """Read ``serves``: the units each venue lists, each once, and the unknown codes by venue."""
    texts = venues["serves"].fillna("").astype("str").tolist() if "serves" in venues else []
    at = {code: number for number, code in enumerate(units)}
    exists = {*known, *units}
    whole = {*exists, *aliases}
    pairs: dict[tuple[int, int], None] = {}
    strange: dict[int, list[str]] = {}
    for venue, text in enumerate(texts):
        for code in dict.fromkeys(_codes_in(text, whole)):
            unit = at.get(code if code in at else aliases.get(code, ""))
            if unit is not None:
                pairs[venue, unit] = None
            elif code not in exists:
                strange.setdefault(venue, []).append(code)
    return _Pairs.of(list(pairs)), {venue: " ".join(codes) for venue, codes in strange.items()}


def _standing(place: pd.Series[Any], units: list[str]) -> _Pairs:
    at = {code: number for number, code in enumerate(units)}
    lists = [one if isinstance(one, tuple) else (str(one),) for one in place.fillna("").tolist()]
    return _Pairs.of(
        [
            (venue, at[code])
            for venue, codes in enumerate(lists)
            for code in dict.fromkeys(codes)
            if code in at
        ]
    )


def _key(register: _Register, name: str, services: Collection[str], least: int, assign: Assign) -> _Key:
    """Count the venues of one key in every unit."""
    member = register.venues["service"].isin(list(services)).to_numpy(dtype=bool)
    served, standing = (pairs.where(member[pairs.venue]) for pairs in (register.served, register.standing))
    listed = len(served.venue) > 0
    # A register in which no venue of the key lists a unit does not keep such lists: places are all there is.
    if assign == "position" or not listed:
        claims = standing
    elif assign == "serves":
        claims = served
    else:
        silent = standing.where(~np.isin(standing.venue, served.venue))
        claims = _Pairs(*map(np.concatenate, zip(served, silent, strict=True)))
    now = register.opened[claims.venue]
    number = np.bincount(claims.unit[now], minlength=len(register.units)).astype(np.int64)
    other = np.bincount(claims.unit[~now], minlength=len(register.units)).astype(np.int64)
    # Closed venues matter only where a unit lacks one: they say why, and what reopening would do.
    short = number < least
    return _Key(name, member, listed, claims, number, short, np.where(short, other, 0))


def _disagreements(
    register: _Register, key: _Key, *, decides: bool
) -> Iterator[tuple[Hashable, str, str, str, str]]:
    """List where list and place contradict each other; ``decides``: only the list counts."""
    listed, here, unknown = register.listed, register.here, register.strange
    wanted = key.claims.venue[key.short[key.claims.unit]]
    missed = set(wanted[~register.opened[wanted]].tolist())
    labels = register.venues.index.tolist()
    for venue in np.flatnonzero(key.member).tolist():
        says, stays = listed.get(venue, ()), here.get(venue, ())
        kinds = {
            UNKNOWN_UNIT: (venue in unknown, unknown.get(venue, "")),
            ELSEWHERE: (bool(says and stays) and not set(says) & set(stays), " ".join(says)),
            UNLISTED: (decides and key.listed and not says and bool(stays) and register.opened[venue], ""),
            NOT_OPEN: (venue in missed, " ".join(says)),
        }
        for kind, (found, text) in kinds.items():
            if found:
                yield labels[venue], key.name, text, " ".join(stays), kind
