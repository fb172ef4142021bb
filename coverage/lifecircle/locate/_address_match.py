"""Match one row of a list to a known place: by rules where names agree, by likeness where they do not.

1. A house number of the address file, then a street, then a village; each within the town that is stated.
2. An address of another county, or of a town that the study does not have, is not matched.
3. Where several places fit equally, none is chosen. Places within 30 m of each other are one.
4. Only where no name agrees are names compared, by the part in which they differ (枣园 of 枣园社区), because
   a common ending would make all alike; house numbers have to be equal. One is taken that is at least 85 %
   alike and 10 points before the next; others are candidates for whoever places the row by hand.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rapidfuzz import fuzz

from lifecircle.errors import say
from lifecircle.locate._address import plain_address, take_apart
from lifecircle.locate._known_places import (
    address_forms,
    names_within,
    street_stem,
    village_stem,
    without_village,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lifecircle.errors import Message
    from lifecircle.locate._address import Address
    from lifecircle.locate._known_places import Gazetteer, KnownPlace

Outcome = Literal[
    "given", "address", "street", "village", "similar", "ambiguous", "elsewhere", "unlike", "blank"
]

ALIKE = 85.0
"""Likeness of names (0 to 100) from which the only such place is taken."""

AHEAD = 10.0
"""Points by which it has to be more alike than the next place."""

CANDIDATE = 50.0
SHOWN = 5
"""Candidates that a row names."""

ONE_PLACE_M = 30.0
"""Places nearer than this to each other are one (inclusive)."""

CONTRADICT_M = 5000.0
"""A street farther than this from the village that an address names too contradicts it."""

_VILLAGE_WORD = re.compile(
    r"^([\u4e00-\u9fff]{1,8}?(?:社区居民委员会|社区居委会|村民委员会|居民委员会|村委会|居委会|社区|村))"
)
_TOWN_WORD = re.compile(r"(?:街道|镇|乡)$")
_HOUSE = re.compile(r"^\d*(?:组|号|队|小组|$)")
_EARTH_M = 111_320.0


@dataclass(frozen=True)
class Row:
    """What a row of a list says of its place: ``town`` and ``village`` where it has such columns."""

    address: str
    name: str = ""
    town: str = ""
    village: str = ""


@dataclass(frozen=True)
class Match:
    """What was found for a row.

    ``place`` : None where none was chosen; ``score`` : likeness of the best place, 0 to 100, None where
    there is nothing alike; ``candidates`` : places with their likeness, the best first.
    """

    outcome: Outcome
    place: KnownPlace | None
    score: float | None
    reason: Message | str
    remedy: Message | str = ""
    grade: str = ""
    candidates: tuple[tuple[KnownPlace, float], ...] = ()


_BY_HAND = say("choose a candidate or click the place on the page, or complete the address")


def match_row(row: Row, known: Gazetteer) -> Match:
    """Match a row to a known place by the rules of this module.

    Parameters
    ----------
    row : what it says of its place
    known : all known places

    Returns
    -------
    match : with a place, or with why there is none

    >>> from lifecircle.locate import Gazetteer, KnownPlace
    >>> village = KnownPlace("village", "城北村委会", 120.9, 30.5, "D", compared="城北")
    >>> found = match_row(Row("海盐县城北村5组"), Gazetteer({}, {}, {"城北村": (village,)}))
    >>> found.outcome, found.grade, found.place.name
    ('village', 'D', '城北村委会')
    """
    address = take_apart(row.address, known.towns)
    stated = row.town if row.town in known.town_of else known.towns.get(plain_address(row.town), "")
    wrong = _elsewhere(row, address, stated, known)
    if wrong is not None:
        return wrong
    town = address.town or stated
    villages = _villages(row, address, known)
    for found in (
        _by_number(address, town, villages, known),
        _by_street(address, town, villages, known),
        _by_village(villages, town, say("the centre of the village"), known),
    ):
        if found is not None:
            return found
    # Signs part the words of a name, 示例·大宁村文化礼堂, and are gone from a plain text.
    words = [plain_address(part) for part in re.split(r"\W+", row.name)]
    named = _unique(
        place
        for word in words
        for form in names_within(word, known.villages)
        for place in known.villages[form]
    )
    by_name = _by_village(named, town, say("no usable address: the village is that of the name"), known)
    if by_name is not None and by_name.place is not None:
        return by_name
    if not address.rest:
        remedy = say("write the address, or click the place on the page")
        return Match("blank", None, None, say("no address"), remedy)
    return _by_likeness(address, town, known)


def _elsewhere(row: Row, address: Address, stated: str, known: Gazetteer) -> Match | None:
    """Refuse a row of another county or of a town that is none of the study's, or of two towns."""
    county = address.county
    # A city that holds the county may stand alone before a town that is known.
    if (
        known.county
        and county
        and county not in known.county
        and not (address.town and county.endswith("市"))
    ):
        reason = say("{county} is not the county of the study", county=county)
        return Match("elsewhere", None, None, reason, say("take the row out, or mend the address"))
    strange = "" if address.town else address.town_text
    if not stated and _TOWN_WORD.search(plain_address(row.town)):
        strange = strange or row.town
    if known.towns and strange:
        reason = say("{town} is no town of the study", town=strange)
        remedy = say("write the present name of the town, take the row out, or click the place on the page")
        return Match("elsewhere", None, None, reason, remedy, candidates=_alike(address, "", known))
    if address.town and stated and address.town != stated:
        reason = say(
            "the address is in {one}, the column of towns says {other}",
            one=known.town_of.get(address.town, address.town),
            other=known.town_of.get(stated, stated),
        )
        return Match("elsewhere", None, None, reason, say("mend one of the two"))
    return None


# ---------------------------------------------------------------------------------------------------------
# Names that agree


def _by_number(address: Address, town: str, villages: Sequence[KnownPlace], known: Gazetteer) -> Match | None:
    """Find the house number in the address file, near the village that is named too."""
    forms = address_forms(address, known.villages)
    for form in forms if address.core else ():
        places = [
            one for one in known.addresses.get(form, ()) if not (town and one.town and one.town != town)
        ]
        if len(villages) == 1:
            near = [one for one in places if _metres(one, villages[0]) <= CONTRADICT_M]
            # A street of this name in another town is no answer for an address in this village.
            places = near or [*places, *(villages if places else ())]
        if places:
            chosen = _chosen(places)
            if chosen is None:
                return _ambiguous(places)
            reason = say("as in the address file")
            return Match("address", chosen, 100.0, reason, grade=chosen.grade)
    return None


def _by_street(address: Address, town: str, villages: Sequence[KnownPlace], known: Gazetteer) -> Match | None:
    """Find the street: its middle within the town, or near the village that is named too."""
    names = names_within(without_village(address.before or address.rest, known.villages), known.streets)
    every = [one for name in names for one in known.streets[name]]
    here = [one for one in every if one.town == town]
    if not here:
        return _not_there(every[0], town, known) if every else None
    if len(villages) == 1 and len(here) > 1:
        here = [one for one in here if _metres(one, villages[0]) <= CONTRADICT_M] or here
    street = here[0]
    if len(here) > 1 and _chosen(here) is None:
        return _ambiguous(here)
    if not math.isfinite(street.lon):
        return _too_long(street, villages, town, known)
    if len(villages) == 1 and _metres(street, villages[0]) > CONTRADICT_M:
        return _ambiguous([street, villages[0]])
    return Match("street", street, 100.0, _middle_of(street, address.number), grade=street.grade)


def _middle_of(street: KnownPlace, number: str) -> Message:
    """Return what a position in the middle of a street is, with the number that it does not know."""
    metres = f"{street.metres:.0f}"
    if not number:
        return say("no number: the middle of the street, {metres} m from end to end", metres=metres)
    return say(
        "{number} is not in the address file: the middle of the street, {metres} m from end to end",
        number=number,
        metres=metres,
    )


def _too_long(street: KnownPlace, villages: Sequence[KnownPlace], town: str, known: Gazetteer) -> Match:
    """Fall back on the village of an address whose street is too long for a position."""
    reason = say(
        "{name} is {metres} m long, too long for a position without a known number",
        name=street.name,
        metres=f"{street.metres:.0f}",
    )
    found = _by_village(villages, town, reason, known)
    if found is not None:
        return found
    return Match("unlike", None, 100.0, reason, _BY_HAND)


def _villages(row: Row, address: Address, known: Gazetteer) -> list[KnownPlace]:
    """List the villages that a row names, in its column and in its address."""
    own = known.villages.get(plain_address(row.village), ())
    own = own or tuple(one for one in known.every_village if row.village and one.code == row.village)
    forms = names_within(address.rest, known.villages)
    named = _unique([*own, *(place for form in forms for place in known.villages[form])])
    if named or not address.rest:
        return named
    # Without 村 or 社区 a name counts only where nothing but a group or a number follows it.
    return [
        one
        for one in known.every_village
        if address.rest.startswith(one.compared) and _HOUSE.match(address.rest.removeprefix(one.compared))
    ]


def _by_village(
    villages: Sequence[KnownPlace], town: str, reason: Message | str, known: Gazetteer
) -> Match | None:
    """Take the village that a row names, within its town."""
    here = [one for one in villages if not (town and one.town and one.town != town)]
    if villages and not here:
        return _not_there(villages[0], town, known)
    if len(here) > 1:
        return _ambiguous(here)
    return Match("village", here[0], 100.0, reason, grade="D") if here else None


def _not_there(place: KnownPlace, town: str, known: Gazetteer) -> Match:
    reason = say("{place} does not lie in {town}", place=place.name, town=known.town_of.get(town, town))
    return Match("elsewhere", None, None, reason, _BY_HAND, candidates=((place, 100.0),))


def _ambiguous(places: Iterable[KnownPlace], score: float = 100.0) -> Match:
    """Choose none of several places that fit equally."""
    found = _unique(places)
    names = ", ".join(one.name for one in found[:SHOWN])
    reason = say("{count} {count:place fits|places fit} equally: {names}", count=len(found), names=names)
    candidates = tuple((one, score) for one in found[:SHOWN])
    return Match("ambiguous", None, score, reason, _BY_HAND, candidates=candidates)


def _chosen(places: Sequence[KnownPlace]) -> KnownPlace | None:
    """Return the one place that several rows mean, None where they lie apart or where one has no position."""
    first, *others = places
    unknown = bool(others) and not all(math.isfinite(one.lon) for one in places)
    if unknown or any(_metres(first, one) > ONE_PLACE_M for one in others):
        return None
    return min(places, key=lambda one: one.grade)


def _unique(places: Iterable[KnownPlace]) -> list[KnownPlace]:
    return list(dict.fromkeys(places))


def _metres(one: KnownPlace, other: KnownPlace) -> float:
    """Return how far two places lie apart, near enough for a comparison; 0 where one has no position."""
    if not (math.isfinite(one.lon) and math.isfinite(other.lon)):
        return 0.0
    east = (one.lon - other.lon) * math.cos(math.radians(one.lat))
    return _EARTH_M * math.hypot(east, one.lat - other.lat)


# ---------------------------------------------------------------------------------------------------------
# Names that are alike


def _by_likeness(address: Address, town: str, known: Gazetteer) -> Match:
    """Take the place whose name is most alike, if it is so alike and so far ahead that no other is meant."""
    found = _alike(address, town, known)
    if not found:
        return Match("unlike", None, None, say("nothing like it is known"), _BY_HAND)
    best, score = found[0]
    others = [one for one in found[1:] if _metres(best, one[0]) > ONE_PLACE_M]
    if score >= ALIKE and math.isfinite(best.lon):
        if not others or score - others[0][1] >= AHEAD:
            reason = say("read as {name}, {score} % alike", name=best.name, score=f"{score:.0f}")
            return Match("similar", best, score, reason, grade=max(best.grade, "C"), candidates=found)
        if others[0][1] == score:
            return _ambiguous([best, *(one for one, other in others if other == score)], score)
    names = ", ".join(f"{one.name} ({other:.0f} %)" for one, other in found)
    reason = say("no name agrees; most alike: {names}", names=names)
    return Match("unlike", None, score, reason, _BY_HAND, candidates=found)


def _alike(address: Address, town: str, known: Gazetteer) -> tuple[tuple[KnownPlace, float], ...]:
    """List the places whose names are most alike, the best first."""
    scored: dict[KnownPlace, float] = {}

    def compare(text: str, place: KnownPlace, other: str) -> None:
        """Note how much a name is like that of a place, unless another town is named."""
        if text and other and not (town and place.town and place.town != town):
            score = float(fuzz.ratio(text, other))
            if score >= CANDIDATE:
                scored[place] = max(score, scored.get(place, 0.0))

    street = street_stem(without_village(address.before, known.villages)) if address.before else ""
    # Houses of one street differ only in their numbers, so only those of one number are compared.
    for form, place in known.numbered.get(address.number, ()):
        compare(street or address.rest, place, street_stem(form) if address.number else form)
    for places in known.streets.values():
        for place in places:
            if place.town == town:
                compare(street or street_stem(address.rest), place, place.compared)
    word = _VILLAGE_WORD.match(address.rest)
    asked = village_stem(word[1]) if word else address.rest
    for place in known.every_village:
        compare(asked, place, place.compared)
    order = sorted(scored.items(), key=lambda one: (-one[1], one[0].name))
    return tuple((place, score) for place, score in order[:SHOWN])
