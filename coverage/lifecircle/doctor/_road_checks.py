"""Report where coverage would mostly measure missing roads, pieces of road, and lines that were not joined.

The rule for a district, on the figures of ``_road_supply``. Its coverage mostly measures missing roads when

1. the share of its people who have a road within 500 m is more than 20 points below the median of the other
   districts (of one district alone: below 80 %), or
2. at least 5 % of the people whom a circle counts there are unsnapped or disconnected, and they are more than
   those who are beyond: more people lack a road in the data than live too far along one.

The first finds thin data, the second broken data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from lifecircle.doctor._input_problem import SAMPLES, Problem
from lifecircle.doctor._road_supply import reached_by_some
from lifecircle.errors import say
from lifecircle.findings import as_circle
from lifecircle.wording import percent, word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lifecircle.doctor._road_supply import DistrictRoads
    from lifecircle.errors import Message
    from lifecircle.findings import Findings
    from lifecircle.wording import Language

FAR_BELOW: Final = 0.20
ALONE_LEAST: Final = 0.80
LOST_LEAST: Final = 0.05
_DEAD: Final = 0.3
"""Share of the roads' length that ends nowhere from which an extract was cut, or lines were not joined."""

_BROKEN: Final = 0.02
"""Share of the roads' length, or of the people, on islands from which a network counts as broken."""


def missing_roads(supply: Sequence[DistrictRoads], one: DistrictRoads) -> bool:
    """Return whether the coverage of a district mostly measures missing roads, by the rule above."""
    if one.people <= 0 or one.near_500 is None:
        return False
    others = [other.near_500 for other in supply if other is not one and other.near_500 is not None]
    least = float(np.median(others)) - FAR_BELOW if others else ALONE_LEAST
    if one.near_500 < least:
        return True
    return one.counted > 0 and one.lost >= LOST_LEAST * one.counted and one.lost > one.beyond


def road_problems(findings: Findings, supply: Sequence[DistrictRoads]) -> Iterator[Problem]:
    """Report districts without their roads, islands of roads, and lines that were not joined."""
    yield from _districts(findings, supply)
    yield from _islands(findings)
    yield from _one_way(findings)
    yield from _dead_ends(findings)
    yield from _unjoined(findings)


def _one_way(findings: Findings) -> Iterator[Problem]:
    """Report what one-way streets cut off, where it holds a notable share of roads or people."""
    for network in findings.reading.networks:
        people = network.homes.people or 0.0
        if network.one_way_m <= _BROKEN * network.length_m and network.one_way_people <= _BROKEN * people:
            continue
        yield Problem(
            "warning",
            "one_way_pieces",
            "roads",
            network.one_way_pieces,
            say(
                "{profiles}: pieces that one-way streets allow no way from, or none to: {km} "
                "km, {people} {people:person|people}",
                profiles=", ".join(network.profiles),
                km=f"{network.one_way_m / 1000:,.1f}",
                people=f"{network.one_way_people:,.0f}",
            ),
            say("correct the one-way words, or take a wider extract, so that the way back is in it"),
            effect=_most_cut_off(findings),
        )


def _dead_ends(findings: Findings) -> Iterator[Problem]:
    """Report a network of which a large share ends nowhere."""
    for network in findings.reading.networks:
        if network.dead_end_m > _DEAD * network.length_m:
            yield Problem(
                "warning",
                "dead_ends",
                "roads",
                network.dead_ends,
                say(
                    "roads that end nowhere: {km} of {all} km, with {people} {people:person|people}",
                    km=f"{network.dead_end_m / 1000:,.1f}",
                    all=f"{network.length_m / 1000:,.1f}",
                    people=f"{network.dead_end_people:,.0f}",
                ),
                say("take a wider extract, which is not cut at its border, or join the lines"),
            )
            return


def _districts(findings: Findings, supply: Sequence[DistrictRoads]) -> Iterator[Problem]:
    poor = [one for one in supply if missing_roads(supply, one)]
    if not poor:
        return
    poor.sort(key=lambda one: -one.lost)
    yield Problem(
        "warning",
        "missing_roads",
        "roads",
        len(poor),
        say("districts where coverage would mostly measure missing roads"),
        say("add their roads ([roads] merge = ... takes them from a second file), or report no rate there"),
        tuple(_poor_line(one, findings.language) for one in poor[:SAMPLES]),
        _effect(findings, {one.target for one in poor}, poor),
    )


def _effect(findings: Findings, targets: set[str], poor: Sequence[DistrictRoads]) -> Message | str:
    """Return how far the rate of the circle that loses most people there may move."""
    best: tuple[float, float, str] = (0.0, 0.0, "")
    for name in sorted(targets - {""}):
        result = findings.result(name)
        total = float(findings.people[name].sum())
        lost = sum(one.lost for one in poor if one.target == name)
        if total > 0 and lost / total > best[0]:
            best = (lost / total, lost, result.target.name.get(findings.language))
    share, lost, shown = best
    return _moves(lost, shown, share) if shown else ""


def _moves(people: float, target: str, share: float) -> Message:
    return say(
        "{people} {people:person|people}; may move '{target}' by up to {points} points",
        people=f"{people:,.0f}",
        target=target,
        points=f"{share * 100:.1f}" if share >= 0.001 else "0.1",
    )


def _islands(findings: Findings) -> Iterator[Problem]:
    """Report pieces of road apart from the longest, where they hold a notable share of roads or people."""
    for network in findings.reading.networks:
        people = network.homes.people or 0.0
        small = network.island_m <= _BROKEN * network.length_m and network.island_people <= _BROKEN * people
        if network.island_m <= 0 or small:
            continue
        rows = tuple(
            word("checkup", "island", findings.language).format(
                km=f"{part.length_m / 1000:,.2f}", people=f"{part.people:,.0f}", lon=part.lon, lat=part.lat
            )
            for part in network.islands
        )
        yield Problem(
            "warning",
            "islands",
            "roads",
            network.fragments - 1,
            say(
                "pieces of road that join no other: {km} km and {people} "
                "{people:person|people}, of {all} km and {everybody}",
                km=f"{network.island_m / 1000:,.1f}",
                people=f"{network.island_people:,.0f}",
                all=f"{network.length_m / 1000:,.1f}",
                everybody=f"{people:,.0f}",
            ),
            say("join the pieces where they are joined on the ground"),
            rows,
            _most_cut_off(findings),
            tuple((part.lon, part.lat) for part in network.islands),
        )
        return  # networks of other modes differ in few ways, and would say the same again


def _most_cut_off(findings: Findings) -> Message | str:
    """Return by how much people without a path to any venue may move the circle that has most of them."""
    best: tuple[float, float, str] = (0.0, 0.0, "")
    for result in findings.targets:
        count = as_circle(result).count
        if count is None or count.people <= 0 or not reached_by_some(result):
            continue
        if count.disconnected / count.people > best[0]:
            shown = result.target.name.get(findings.language)
            best = (count.disconnected / count.people, count.disconnected, shown)
    return _moves(best[1], best[2], best[0]) if best[2] else ""


def _unjoined(findings: Findings) -> Iterator[Problem]:
    """Report ends that miss a line by an error of drawing, and crossings that are no junctions."""
    for network in findings.reading.networks:
        if network.suggested_join_m is not None:
            # from the nearest to the farthest, so that both can be looked at
            shown = network.misses[:: max(len(network.misses) // SAMPLES, 1)][:SAMPLES]
            yield Problem(
                "warning",
                "unjoined_ends",
                "roads",
                network.missed,
                say(
                    "dead ends that miss another line, by up to {metres} m",
                    metres=f"{network.suggested_join_m:g}",
                ),
                say("set join_m = {metres} in [roads]", metres=f"{network.suggested_join_m:g}"),
                tuple(f"{lon:.6f} {lat:.6f}: {metres:.2f} m" for lon, lat, metres in shown),
                say("the longest fragment has {share} of the roads", share=percent(network.largest)),
                tuple((lon, lat) for lon, lat, _ in shown),
            )
        if network.crossings:
            yield Problem(
                "note",
                "open_crossings",
                "roads",
                network.crossings,
                say("lines that cross on one level without a junction"),
                say("where they are junctions, set split_crossings = true in [roads]; bridges need a column"),
            )
        if network.suggested_join_m is not None or network.crossings:
            return


# --- in words -----------------------------------------------------------------------------------------


def supply_cells(one: DistrictRoads, language: Language) -> tuple[str, ...]:
    """Return the figures of a district as they are printed, in the order of :func:`supply_heads`."""

    def number(value: float | None, digits: int) -> str:
        """Print a figure, a dash where it is unknown."""
        return "—" if value is None else f"{value:,.{digits}f}"

    def share(value: float | None) -> str:
        """Print a share, a dash where it is unknown."""
        return "—" if value is None else percent(value)

    return (
        one.name or word("checkup", "whole", language),
        number(one.road_km, 1),
        number(one.km_per_km2, 2),
        number(one.km_per_1000, 2),
        share(one.near_100),
        share(one.near_500),
        number(one.islands, 0),
        number(one.island_km, 1),
        number(one.island_people, 0),
    )


def supply_heads(language: Language) -> tuple[str, ...]:
    """Return the headings of the table of roads by district."""
    names = ("district", "road_km", "per_km2", "per_1000", "near_100", "near_500", "islands")
    return tuple(
        word("checkup", f"roads_{name}", language) for name in (*names, "island_km", "island_people")
    )


def _poor_line(one: DistrictRoads, language: Language) -> str:
    lost = word("checkup", "roads_lost", language).format(
        target=one.target, lost=f"{one.lost:,.0f}", beyond=f"{one.beyond:,.0f}"
    )
    return f"{supply_line(one, language)}, {lost}" if one.target else supply_line(one, language)


def supply_line(one: DistrictRoads, language: Language) -> str:
    """Return the figures of a district as one line."""
    cells = supply_cells(one, language)
    parts = [f"{head} {cell}" for head, cell in zip(supply_heads(language)[1:], cells[1:], strict=True)]
    return f"{cells[0]}: " + ", ".join(parts)
