"""Turn what a run has read and left out into problems, each with what it may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecircle.doctor._effects import at_most_near
from lifecircle.doctor._input_problem import SAMPLES, Problem
from lifecircle.doctor._road_supply import reached_by_some
from lifecircle.errors import say
from lifecircle.findings import as_circle
from lifecircle.report import warning_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lifecircle.audit import Inputs
    from lifecircle.errors import Message
    from lifecircle.findings import Findings
    from lifecircle.reading import OffRoads


def rejected(inputs: Inputs) -> Iterator[Problem]:
    """Report reject rows, those of one file and one reason together."""
    rejects = inputs.rejects
    if rejects.empty:
        return
    used = {one.path: one.used for one in inputs.read}
    reasons = rejects["reason"].map(lambda text: getattr(text, "template", str(text)))
    for (file, _), rows in rejects.groupby([rejects["file"], reasons], sort=False):
        first = rows.iloc[0]
        many = len(rows.drop_duplicates("row"))
        yield Problem(
            "warning",
            "rejected",
            str(file),
            many,
            first["reason"],
            first["remedy"],
            tuple(
                f"{row.row}, {row.column}: {row.value}" for row in rows.head(SAMPLES).itertuples(index=False)
            ),
            _of_rejects(
                str(getattr(first["reason"], "template", first["reason"])), many, used.get(str(file))
            ),
        )


def _of_rejects(reason: str, many: int, used: int | None) -> Message | str:
    """Return what rows that were left out may move; it cannot be computed of a row that could not be read."""
    if reason.startswith(("listed twice", "merged into")):
        return say("moves no rate: the row that stays is counted")
    if reason.endswith("is kept") or "is kept," in reason:
        return say("moves no rate of reach: the row is counted, without what could not be read")
    if used is None:
        return ""
    return say(
        "{rows} {rows:row|rows} beside {used} that count; what they move is not known before they are mended",
        rows=f"{many:,}",
        used=f"{used:,}",
    )


def off_the_roads(inputs: Inputs, findings: Findings) -> Iterator[Problem]:
    """Report homes and venues without a road or on a short fragment, and what homes may move."""
    if not findings.reading.networks:
        return
    network = findings.reading.networks[0]  # the others differ by their ways, and say the same of most
    homes, venues = network.homes, network.venues
    for reason in ("far", "barrier", "no_place", "fragment"):
        lived = [one for one in homes.named if one.reason == reason]
        yield from _off(reason, lived, findings, None)
        stood = [one for one in venues.named if one.reason == reason]
        yield from _off(reason, stood, findings, inputs)


_OFF = {
    "far": (say("no road within reach"), say("add the missing roads, or correct the places")),
    "barrier": (
        say("no road on their side of a barrier"),
        say("add the road or the bridge that is missing, or correct the barrier"),
    ),
    "no_place": (say("people or venues without coordinates"), say("fill in the coordinates")),
    "fragment": (
        say("on a short piece of road that joins no other"),
        say("join the piece to the network where it is joined on the ground"),
    ),
}


def _off(reason: str, found: list[OffRoads], findings: Findings, inputs: Inputs | None) -> Iterator[Problem]:
    """Report homes, or venues where inputs are given, that are off the roads for one reason."""
    if not found:
        return
    homes, labels = inputs is None, {one.id for one in found}
    why, remedy = _OFF[reason]
    people = sum(one.people or 0.0 for one in found)
    placed = [one for one in found if one.lon is not None and one.lat is not None]
    yield Problem(
        "warning",
        f"{'homes' if homes else 'venues'}_{reason}",
        "demand" if homes else "facilities",
        len(found),
        why,
        remedy,
        tuple(_named(one) for one in found[:SAMPLES]),
        _most_moved(findings, labels, people) if inputs is None else at_most_near(inputs, findings, labels),
        tuple((one.lon, one.lat) for one in placed[:SAMPLES] if one.lon is not None and one.lat is not None),
    )


def _named(one: OffRoads) -> str:
    parts = [one.id, one.name if one.name != one.id else ""]
    if one.people is not None:
        parts.append(f"({one.people:,.0f})")
    if one.metres is not None:
        parts.append(f"{one.metres:,.0f} m")
    return " ".join(part for part in parts if part)


def _most_moved(findings: Findings, labels: set[str], people: float) -> Message | str:
    """Return how far the rate of the circle that counts most of these people may move."""
    most, name = 0.0, ""
    for result in findings.targets:
        count = as_circle(result).count
        if count is None or not count.people or result.target.id not in findings.people:
            continue
        own = findings.people[result.target.id]
        mine = float(own[own.index.astype("str").isin(labels)].sum())
        if mine / count.people > most:
            most, name = mine / count.people, result.target.name.get(findings.language)
    if not most:
        return ""
    return say(
        "{people} {people:person|people}; may move '{target}' by up to {points} points",
        people=f"{people:,.0f}",
        target=name,
        points=f"{most * 100:.1f}" if most >= 0.001 else "0.1",
    )


def disconnected(findings: Findings) -> Iterator[Problem]:
    """Report people whose roads reach no venue of a rule, on the circle that has most of them."""
    worst, most = None, 0.0
    for result in findings.targets:
        count = as_circle(result).count
        if count is not None and count.disconnected > most and reached_by_some(result):
            worst, most = result, count.disconnected
    if worst is None:
        return
    count = as_circle(worst).count
    assert count is not None
    status = findings.status[worst.target.id] == "disconnected"
    homes = findings.demand[status.to_numpy()].nlargest(SAMPLES, "population")
    yield Problem(
        "warning",
        "disconnected",
        "roads",
        int(status.sum()),
        say("homes whose roads lead to no venue of a rule: pieces cut off the network"),
        say("join the pieces where they are joined on the ground"),
        tuple(f"{label} ({people:,.0f})" for label, people in homes["population"].items()),
        say(
            "{people} {people:person|people}; may move '{target}' by up to {points} points",
            people=f"{most:,.0f}",
            target=worst.target.name.get(findings.language),
            points=f"{most / count.people * 100:.1f}",
        ),
        tuple((float(point.x), float(point.y)) for point in homes.geometry),
    )


def warned(findings: Findings) -> Iterator[Problem]:
    """Report the warnings of the run in the study's language, and verdicts that data could not carry."""
    for line in warning_lines(findings):
        yield Problem("warning", "warning", "", 1, line, "")
    doubted = [one for one in findings.targets if one.status == "data_insufficient"]
    for result in doubted:
        yield Problem(
            "error",
            "data_insufficient",
            result.target.id,
            1,
            say("no verdict on '{target}': the data cannot carry one", target=result.target.id),
            say("see the reasons in the scoreboard"),
            effect=say("the verdict is withheld"),
        )


def in_order(problems: Iterable[Problem], severities: tuple[str, ...]) -> list[Problem]:
    """Order problems by severity, the first found first among equals."""
    return sorted(problems, key=lambda one: severities.index(one.severity))
