"""Own the page of validation: how far two answers are apart, and the tables that say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from benchmarks.beside_settings import City

    Array = np.ndarray[Any, Any]

LIMIT_MIN = 15.0
SHARES = (10.0, 15.0, 20.0)


@dataclass(frozen=True, eq=False)
class Step:
    """One more setting turned: its cause, what is done, and both answers after it, in minutes."""

    cause: str
    what: str
    ours: Array
    theirs: Array


@dataclass(frozen=True, eq=False)
class Tool:
    """A tool and the steps that lead from our answer to its own; none where it is not installed."""

    name: str
    version: str
    asked: str
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """How far two answers are apart, in minutes, over the points that both reach."""

    median: float
    p95: float
    largest: float
    only_ours: int
    only_theirs: int


def difference(step: Step) -> Difference:
    """Compare both answers after a step: theirs less ours, and the size of it."""
    mine, other = np.isfinite(step.ours), np.isfinite(step.theirs)
    apart = step.theirs[mine & other] - step.ours[mine & other]
    return Difference(
        float(np.median(apart)),
        float(np.quantile(np.abs(apart), 0.95)),
        float(np.abs(apart).max()),
        int((mine & ~other).sum()),
        int((other & ~mine).sum()),
    )


def share(minutes: Array, people: Array, limit: float) -> float:
    """Give the share of people within a limit, inclusive, of all people."""
    return float(people[minutes <= limit].sum() / people.sum())


def write_page(city: City, tools: list[Tool]) -> str:
    """Write the page."""
    size = {"people": f"{city.people.sum():,.0f}", "points": len(city.homes), "venues": len(city.venues)}
    lines = [HEAD.format(name=city.name, **size)]
    limits = [f"within {limit:g} min" for limit in SHARES]
    apart = ["median", "p95", "largest", "after all steps: median", "p95", "largest"]
    lines += _table(["tool", "version", *limits, *apart], _overview(city, tools))
    for tool in tools:
        lines += ["", f"## {tool.name}", "", f"Version {tool.version}. Asked: {tool.asked}.", ""]
        if tool.steps:
            heads = ["turned, each on top of the last", "cause", f"within {LIMIT_MIN:g} min, ours", "theirs"]
            heads += ["median", "p95", "largest", "only ours", "only theirs"]
            lines += _table(heads, [_step_row(step, city) for step in tool.steps])
        else:
            lines.append("It is not installed in this environment, so nothing is said of it.")
    lines += ["", "## What the causes are", ""]
    lines += _table(["cause", "ours", "theirs"], [list(row) for row in CAUSES])
    return "\n".join([*lines, "", TAIL])


def _overview(city: City, tools: list[Tool]) -> list[list[str]]:
    rows = [_summary(tool, city) for tool in tools]
    asked = [tool.steps[0].ours for tool in tools if tool.steps]
    if asked:
        rows.insert(0, ["lifecircle", version("lifecircle"), *_shares(asked[0], city), *[""] * 6])
    return rows


def _summary(tool: Tool, city: City) -> list[str]:
    if not tool.steps:
        return [tool.name, tool.version, *[""] * (len(SHARES) + 6)]
    first, last = (difference(step) for step in (tool.steps[0], tool.steps[-1]))
    shares = _shares(tool.steps[0].theirs, city)
    before = [f"{first.median:+.2f}", f"{first.p95:.2f}", f"{first.largest:.2f}"]
    return [tool.name, tool.version, *shares, *before, *_apart(last)]


def _shares(minutes: Array, city: City) -> list[str]:
    return [f"{share(minutes, city.people, limit):.2%}" for limit in SHARES]


def _apart(found: Difference) -> list[str]:
    # Adding 0.0 turns a minus zero into zero.
    return [f"{round(found.median, 3) + 0.0:+.3f}", f"{found.p95:.3f}", f"{found.largest:.3f}"]


def _step_row(step: Step, city: City) -> list[str]:
    found = difference(step)
    rates = [f"{share(one, city.people, LIMIT_MIN):.2%}" for one in (step.ours, step.theirs)]
    return [step.what, step.cause, *rates, *_apart(found), str(found.only_ours), str(found.only_theirs)]


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *rows)]


HEAD = """# Validation beside other tools

`python -m benchmarks.beside` writes this page: {name} (central part), {people} people at {points} points,
{venues} places with a health unit, on foot, the same for every tool. Roads (c) OpenStreetMap contributors,
ODbL; people and health units: Ipea, Projeto Acesso a Oportunidades.

Every tool is asked as its own documentation does it. Then our settings are turned to those of the tool, one
on top of the other, until the difference is gone: what a step takes away, its cause explains. Sizes need not
fall with every step, as two causes may have cancelled each other.

A difference is the tool's minutes less ours, over the points that both reach: median, 95th percentile of its
size, the largest. A share is people within so many minutes, inclusive, of all people; who is not reached
stays in it. `only ours`, `only theirs`: points that one of the two reaches.
"""

CAUSES = (
    (
        "access legs",
        "from the door to the road and from the road to the venue, at the walking speed",
        "OSMnx, pandana, Valhalla: none; cityseer: of the venue",
    ),
    (
        "snapping",
        "to the nearest place on an edge",
        "OSMnx, pandana (by degrees), cityseer (residents): nearest junction; Valhalla: by rules of its own",
    ),
    ("speeds", "5.0 km/h", "Valhalla 5.1, cityseer 4.8; the others have none"),
    (
        "fragments",
        "kept; who lives on one is counted as disconnected",
        "OSMnx: left out, so people there walk from elsewhere; Valhalla: not joined where they are small",
    ),
    ("one-way", "streets bind vehicles only", "OSMnx, where a file is read with its defaults: walkers too"),
    (
        "list of ways",
        "see [roads](roads.md)",
        "OSMnx leaves out cycleways and streets with separate sidewalks; Valhalla has rules of its own",
    ),
    (
        "lengths",
        "planar, in a metre CRS whose scale is checked",
        "OSMnx, Valhalla: great circles on a sphere",
    ),
    (
        "choice of way",
        "the shortest",
        "Valhalla: least cost, with turns, crossings, stairs and a liking of quiet ways",
    ),
)

TAIL = """What is left after the last step of a table is not explained, and is shown.

How travel times of these tools are handed to us, and ours to them, is in
[beside other tools](interchange.md); their speed is in [performance](performance.md).
"""
