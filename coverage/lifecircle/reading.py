"""Hold and print the reading report of a run: what was read of every input, and what was not used.

The audit counts; this module stores the figures and writes them as text. The same lines are
in the terminal and on the page; the workbook has a row for each fact (:func:`reading_rows`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the types of the fields
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifecircle.wording import explain, percent, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.wording import Language

NAMED_LINES = 5
"""Places without a road that the terminal and the page name; the workbook and summary.json name more."""


@dataclass(frozen=True)
class InputReading:
    """Reading of one file.

    ``rows`` : rows found; ``used`` : rows the run counts with; ``left_out`` : why a row is not used -> rows,
    the reason as a code of ``[reason]`` or as the sentence of the reject; ``placed`` : rows with a place;
    ``near`` : share of those within the roads' extent and the usual reach around it, None where the input
    has no places; ``notes`` : codes of remarks on how the file was understood.
    """

    role: str
    path: str
    rows: int
    used: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    placed: int | None = None
    near: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class OffRoads:
    """A venue or a home without a road, or on a short fragment.

    ``reason`` : ``far``, ``barrier`` or ``no_place`` (see lifecircle.reach), or ``fragment``; ``metres`` :
    to the nearest road, for a fragment to the rest of the network; None where there is no place.
    ``fragment_m`` : metres of road of the fragment, else None.
    """

    id: str
    name: str
    reason: str
    metres: float | None
    people: float | None = None
    fragment_m: float | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True)
class PlacesReading:
    """How homes or venues joined one network, in rows and, of homes, in people.

    ``off`` : why not on the roads -> rows; ``off_people``, ``fragment_people``, ``moved_people`` are None of
    venues. ``moved`` : rows that went to the main network rather than to a nearer short fragment.
    ``named`` : those off the roads or on a short fragment, most people first, then farthest; not always all.
    """

    rows: int
    people: float | None
    off: Mapping[str, int]
    off_people: float | None
    on_fragment: int
    fragment_people: float | None
    moved: int
    moved_people: float | None
    named: tuple[OffRoads, ...] = ()

    @property
    def off_rows(self) -> int:
        """Return the rows that are not on the roads, whatever the reason."""
        return sum(self.off.values())


@dataclass(frozen=True)
class IslandReading:
    """A fragment that no road joins to the longest one: where it is, its roads, and who lives on it."""

    lon: float
    lat: float
    length_m: float
    people: float


@dataclass(frozen=True)
class NetworkReading:
    """One network as the run travels it: ``profiles`` share its ways.

    ``largest`` : share of the length that the longest fragment has; ``short`` : fragments under
    ``fragment_m`` of the report; ``without_class_m``, ``joined``, ``misses`` (lon, lat, metres; of very many
    only some), ``missed`` (how many), ``suggested_join_m`` and ``crossings`` are what the roads' own reading
    says. ``dead_ends`` : ends at which one road alone arrives, ``dead_end_m``, ``dead_end_people`` : the
    roads that end so and the people on them; ``one_way_pieces`` ... : parts of the longest fragment that
    one-way streets allow no way from, or none to;
    ``island_m``, ``island_people`` : roads and people on all fragments but the longest, ``islands`` : those
    with the longest roads.
    """

    profiles: tuple[str, ...]
    edges: int
    length_m: float
    fragments: int
    short: int
    largest: float
    homes: PlacesReading
    venues: PlacesReading
    without_class_m: float = 0.0
    joined: int = 0
    misses: tuple[tuple[float, float, float], ...] = ()
    missed: int = 0
    suggested_join_m: float | None = None
    crossings: int = 0
    dead_ends: int = 0
    dead_end_m: float = 0.0
    dead_end_people: float = 0.0
    one_way_pieces: int = 0
    one_way_m: float = 0.0
    one_way_people: float = 0.0
    island_m: float = 0.0
    island_people: float = 0.0
    islands: tuple[IslandReading, ...] = ()


@dataclass(frozen=True)
class CoarseReading:
    """The check of one target whose residents may live elsewhere than they stand.

    ``people`` : share of the people who live at places farther than ``limit_m`` from the next one, or counted
    in cells or polygons wider than that; ``spacing_m`` : the usual distance or width, of those or else of
    the units partly in time; ``value`` and ``spread`` : the rate as counted, and with everybody
    there spread over four places; ``unsure`` : what the rate may be off by, because it is unknown where
    people live in a cell, polygon or village that is partly in time; ``partly`` : share of people in those.
    """

    target: str
    people: float
    limit_m: float
    spacing_m: float
    value: float
    spread: float
    unsure: float = 0.0
    partly: float = 0.0


@dataclass(frozen=True)
class ResidentsReading:
    """The balance of the people, to the person: ``found`` = ``assigned`` + ``outside`` + ``unsnapped``.

    ``assigned`` : in a district and on the roads; ``outside`` : in no district; ``unsnapped`` : without a
    place, or without a road near. ``surface`` : people that the surface had where totals are known, to which
    the residents were held; None where they were not.
    """

    found: int
    assigned: int
    outside: int
    unsnapped: int
    surface: int | None = None


@dataclass(frozen=True)
class PositionReading:
    """How good the positions of venues are, of the whole register (no ``target``) or of a target's services.

    ``grades`` : grade -> venues, A surveyed, B map provider, C address, D village centre; ``unknown`` :
    venues of no known grade; ``village_centres`` : names of those of grade D, not always all, of the register
    alone; ``withheld`` : code of the reason for which a target has no verdict, empty where it has one.
    """

    target: str
    venues: int
    grades: Mapping[str, int]
    unknown: int
    village_centres: tuple[str, ...] = ()
    withheld: str = ""


@dataclass(frozen=True)
class Reading:
    """The reading report of one run.

    ``in_districts``, ``in_villages`` : share of the people who live in one, None where the study has none.
    ``reach_m`` : the usual reach around the roads' extent; ``prefer_main_m``, ``fragment_m`` : how snaps
    were made. ``residents`` : the balance of the people, where they come from a raster, are spread, or held
    to totals. ``positions`` : the register's grades of positions first, then those of targets that count
    venues of grade C or D; nothing where the register has no grades.
    """

    inputs: tuple[InputReading, ...] = ()
    networks: tuple[NetworkReading, ...] = ()
    in_districts: float | None = None
    in_villages: float | None = None
    coarse: tuple[CoarseReading, ...] = ()
    reach_m: float = 0.0
    prefer_main_m: float = 0.0
    fragment_m: float = 0.0
    residents: ResidentsReading | None = None
    positions: tuple[PositionReading, ...] = ()


# ---------------------------------------------------------------------------------------------------------
# In words


def reading_lines(reading: Reading, language: Language, *, public: bool = False) -> list[str]:
    """Return a reading report as lines of text; the public edition names no home and no venue.

    Parameters
    ----------
    reading : the report
    language : ``zh`` or ``en``
    public : whether the lines are for the public edition

    Returns
    -------
    lines : in the order of the inputs
    """
    lines = [_input_line(one, language) for one in reading.inputs]
    if reading.residents is not None:
        lines += _balance_lines(reading.residents, language)
    for share, name in ((reading.in_districts, "in_districts"), (reading.in_villages, "in_villages")):
        if share is not None:
            lines.append(_fill(name, language, share=percent(share)))
    said: set[str] = set()  # networks that differ in their ways have much the same homes off the roads
    for network in reading.networks:
        own = [_network_line(network, reading, language, public=public)]
        if not public:
            own += _places_lines("homes", network.homes, reading, language)
            own += _places_lines("venues", network.venues, reading, language)
        # Walkers and cyclists often share nearly all roads: a repeated line adds nothing.
        lines += [line for line in own if line not in said]
        said |= set(own)
    lines += [_coarse_line(one, language) for one in reading.coarse]
    lines += [
        _position_line(one, language, named=0 if public else NAMED_LINES)
        for one in reading.positions
        if not one.target or one.withheld  # what a target counts is in its notes
    ]
    return lines


def reading_rows(reading: Reading, language: Language) -> Iterator[dict[str, Any]]:
    """Yield the rows of the workbook's sheet: input, what, rows, metres, people, lon, lat, remarks.

    Parameters
    ----------
    reading : the report
    language : ``zh`` or ``en``

    Returns
    -------
    rows : one dict for each fact
    """
    for one in reading.inputs:
        yield from _input_rows(one, language)
    yield from _residents_rows(reading, language)
    for network in reading.networks:
        yield from _network_rows(network, reading, language)
    for check in reading.coarse:
        yield _row("coarse", _coarse_line(check, language), language)
    for graded in reading.positions:
        text = _position_line(graded, language, named=0)
        yield _row("positions", text, language, reading_rows=graded.venues)
        for name in graded.village_centres:
            yield _row("positions", name, language, remarks=_word("village_centre", language))


def _residents_rows(reading: Reading, language: Language) -> Iterator[dict[str, Any]]:
    """Yield the balance of the people, and how many live in districts and villages."""
    if reading.residents is not None:
        for text in _balance_lines(reading.residents, language):
            yield _row("demand", text, language, people=reading.residents.found)
    for name in ("in_districts", "in_villages"):
        share = getattr(reading, name)
        if share is not None:
            yield _row("demand", _fill(name, language, share=percent(share)), language)


def _network_rows(network: NetworkReading, reading: Reading, language: Language) -> Iterator[dict[str, Any]]:
    """Yield what a network is made of, its near misses and islands, and what did not join it."""
    yield _row("roads", _network_line(network, reading, language), language, reading_rows=network.edges)
    for lon, lat, metres in network.misses:
        yield _row("roads", _word("miss", language), language, metres=metres, lon=lon, lat=lat)
    for part in network.islands:
        where = {"metres": part.length_m, "people": part.people, "lon": part.lon, "lat": part.lat}
        yield _row("roads", _word("island", language), language, **where)
    yield from _places_rows("homes", network.homes, reading, language)
    yield from _places_rows("venues", network.venues, reading, language)


def _row(part: str, what: str, language: Language, **others: Any) -> dict[str, Any]:
    return {"reading_part": _word(part, language), "reading_what": what, **others}


def _input_rows(one: InputReading, language: Language) -> Iterator[dict[str, Any]]:
    def row(what: str, rows: int | None = None, remarks: str = "") -> dict[str, Any]:
        """Return one row about this input."""
        part = word("input_role", one.role, language)
        return {"reading_part": part, "reading_what": what, "reading_rows": rows, "remarks": remarks}

    yield row(one.path, one.rows, _notes(one, language))
    yield row(_word("used", language), one.used)
    for reason, rows in one.left_out.items():
        yield row(_reason(reason, language), rows)
    if one.near is not None:
        yield row(_word("near", language), remarks=percent(one.near))


def _places_rows(
    role: str, places: PlacesReading, reading: Reading, language: Language
) -> Iterator[dict[str, Any]]:
    for text in _places_lines(role, places, reading, language, named=0):
        yield _row(role, text, language)
    for one in places.named:
        yield _row(
            role,
            one.name or one.id,
            language,
            metres=one.metres,
            people=one.people,
            lon=one.lon,
            lat=one.lat,
            remarks=_place_reason(one, language),
        )


def _word(name: str, language: Language) -> str:
    return word("reading", name, language)


def _fill(name: str, language: Language, **values: object) -> str:
    return _word(name, language).format(**values)


def _input_line(one: InputReading, language: Language) -> str:
    role = word("input_role", one.role, language)
    line = _fill("input", language, role=role, path=one.path, rows=f"{one.rows:,}", used=f"{one.used:,}")
    left = [
        _fill("left_out", language, rows=f"{rows:,}", reason=_reason(reason, language))
        for reason, rows in one.left_out.items()
    ]
    near = (
        [] if one.near is None or one.near == 1 else [_fill("near_line", language, share=percent(one.near))]
    )
    notes = _notes(one, language)
    return _list([line, *left, *near, *([notes] if notes else [])], language)


def _balance_lines(residents: ResidentsReading, language: Language) -> list[str]:
    """Return the balance of the people, and what the surface had where they are held to totals."""
    parts = {name: f"{getattr(residents, name):,}" for name in ("found", "assigned", "outside", "unsnapped")}
    lines = [_fill("balance", language, **parts)]
    if residents.surface is not None:
        lines.append(_fill("held", language, surface=f"{residents.surface:,}"))
    return lines


def _notes(one: InputReading, language: Language) -> str:
    return _list([explain(code, language) for code in one.notes], language)


def _list(parts: list[str], language: Language) -> str:
    return ("；" if language == "zh" else "; ").join(parts)


def _reason(reason: str, language: Language) -> str:
    """Return why a row is not used, as words: a code, or the sentence of a reject with its fields open."""
    name = reason.partition(":")[0]
    if word("reason", name, language) != name:
        return explain(reason, language)
    sentence = reason if language == "en" else word("message", reason, language)
    return re.sub(r"\{[^{}]*\}", "…", sentence)


def _network_line(
    network: NetworkReading, reading: Reading, language: Language, *, public: bool = False
) -> str:
    parts = [
        _fill(
            "network",
            language,
            profiles=", ".join(network.profiles),
            km=f"{network.length_m / 1000:,.1f}",
            fragments=f"{network.fragments:,}",
            short=f"{network.short:,}",
            fragment_m=f"{reading.fragment_m:g}",
            share=percent(network.largest),
        )
    ]
    if network.without_class_m > 0:
        parts.append(_fill("without_class", language, km=f"{network.without_class_m / 1000:,.1f}"))
    if network.joined:
        parts.append(_fill("joined", language, places=f"{network.joined:,}"))
    missed = max(network.missed, len(network.misses))
    if missed:
        parts.append(_fill("misses", language, places=f"{missed:,}"))
    if network.suggested_join_m is not None:
        parts.append(_fill("suggested_join", language, metres=f"{network.suggested_join_m:g}"))
    if network.crossings:
        parts.append(_fill("crossings", language, places=f"{network.crossings:,}"))
    if network.dead_ends:
        parts.append(
            _fill(
                "dead_ends",
                language,
                places=f"{network.dead_ends:,}",
                km=f"{network.dead_end_m / 1000:,.1f}",
            )
        )
    if network.one_way_pieces:
        parts.append(
            _fill(
                "one_way",
                language,
                pieces=f"{network.one_way_pieces:,}",
                km=f"{network.one_way_m / 1000:,.1f}",
            )
        )
    if network.island_m > 0 and not public:  # so few people may live there that they could be named
        largest = network.islands[0].length_m if network.islands else 0.0
        parts.append(
            _fill(
                "islands",
                language,
                islands=f"{network.fragments - 1:,}",
                km=f"{network.island_m / 1000:,.1f}",
                people=f"{network.island_people:,.0f}",
                largest=f"{largest / 1000:,.1f}",
            )
        )
    return _list(parts, language)


def _places_lines(
    role: str, places: PlacesReading, reading: Reading, language: Language, *, named: int = NAMED_LINES
) -> list[str]:
    """Return lines about homes or venues off the roads, on short fragments and moved, where there are any."""
    lines = []
    for what, rows, people in (
        ("off", places.off_rows, places.off_people),
        ("on_fragment", places.on_fragment, places.fragment_people),
        ("moved", places.moved, places.moved_people),
    ):
        if rows:
            lines.append(
                _fill(
                    f"{role}_{what}",
                    language,
                    rows=f"{rows:,}",
                    all=f"{places.rows:,}",
                    people=f"{people or 0:,.0f}",
                    fragment_m=f"{reading.fragment_m:g}",
                    prefer_m=f"{reading.prefer_main_m:g}",
                )
            )
    if named and places.named:
        shown = [f"{one.name or one.id}（{_place_reason(one, language)}）" for one in places.named[:named]]
        if language == "en":
            shown = [f"{one.name or one.id} ({_place_reason(one, language)})" for one in places.named[:named]]
        more = max(places.off_rows + places.on_fragment - len(shown), 0)
        rest = [_fill("more", language, rows=f"{more:,}")] if more else []
        lines.append(_fill(f"{role}_named", language, names=_list([*shown, *rest], language)))
    return lines


def _place_reason(place: OffRoads, language: Language) -> str:
    return _fill(
        f"place_{place.reason}",
        language,
        metres="" if place.metres is None else f"{place.metres:,.0f}",
        fragment_m="" if place.fragment_m is None else f"{place.fragment_m:,.0f}",
    )


def _coarse_line(check: CoarseReading, language: Language) -> str:
    if check.partly:
        return _fill(
            "coarse_partly",
            language,
            target=check.target,
            people=percent(check.partly),
            extent=f"{check.spacing_m:,.0f}",
            value=percent(check.value),
            points=f"{check.unsure * 100:.1f}",
        )
    if check.unsure:  # of a run made before those partly in time were counted
        return _fill(
            "coarse_unsure",
            language,
            target=check.target,
            people=percent(check.people),
            extent=f"{check.spacing_m:,.0f}",
            limit=f"{check.limit_m:,.0f}",
            value=percent(check.value),
            points=f"{check.unsure * 100:.1f}",
        )
    return _fill(
        "coarse_check",
        language,
        target=check.target,
        people=percent(check.people),
        spacing=f"{check.spacing_m:,.0f}",
        limit=f"{check.limit_m:,.0f}",
        value=percent(check.value),
        spread=percent(check.spread),
        points=f"{(check.spread - check.value) * 100:+.1f}",
    )


def _position_line(one: PositionReading, language: Language, *, named: int) -> str:
    """Return how many positions have which grade, which are village centres, and what followed."""
    counts = {name: f"{rows:,}" for name, rows in one.grades.items()}
    subject = (
        _fill("of_target", language, target=one.target) if one.target else _word("of_register", language)
    )
    parts = [
        _fill("position", language, of=subject, rows=f"{one.venues:,}", unknown=f"{one.unknown:,}", **counts)
    ]
    if named and one.village_centres:
        more = one.grades.get("D", 0) - min(named, len(one.village_centres))
        rest = [_fill("more", language, rows=f"{more:,}")] if more else []
        names = ("、" if language == "zh" else ", ").join([*one.village_centres[:named], *rest])
        parts.append(_fill("village_centres", language, names=names))
    if one.withheld:
        parts.append(explain(one.withheld, language))
    return _list(parts, language)
