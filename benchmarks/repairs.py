"""Own the race of repairing a solved nearest: one facility added or removed, beside searching again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse.csgraph import dijkstra

from benchmarks.timing import Agreement, Race, Timing, clocked, compare_seconds, say

if TYPE_CHECKING:
    from benchmarks.searches import Field
    from lifecircle.reach import NearestSolve

    Array = np.ndarray[Any, Any]

ADDED = 25
"""Facilities that are added one after the other in a round, each removed again before the next."""

OWN, REMOVED, AGAIN, SCIPY = (
    "lifecircle, add_source",
    "lifecircle, remove_source",
    "lifecircle, searched again",
    "scipy, searched again",
)
SETTINGS = {
    OWN: f"NearestSolve.add_source, mean of {ADDED} facilities at random",
    REMOVED: "NearestSolve.remove_source of the same",
    AGAIN: "TravelGraph.nearest of all facilities",
    SCIPY: "csgraph.dijkstra(min_only=True, return_predecessors=True); times and facilities",
}


def race_repairs(field: Field) -> Race:
    """Race for the nearest facility of every junction, no limit, once another facility has come or gone."""
    graph, _ = field.own()
    matrix, _ = field.matrix()
    sources = field.sources
    extra = np.random.default_rng(4).choice(graph.size, ADDED, replace=False)
    title = f"one facility more or less than {len(sources)}, no limit, every junction kept right"
    say(f"{title} ({field.label})")
    solve, built_s, _ = clocked(lambda: graph.solve(sources))

    def again() -> Any:
        return graph.nearest(sources)

    def by_scipy() -> Any:
        return dijkstra(matrix, indices=sources, min_only=True, return_predecessors=True)

    agreements, cold = _agreements(solve, matrix, sources, extra)
    (found, cold[AGAIN], _), (expected, cold[SCIPY], _) = clocked(again), clocked(by_scipy)
    agreements[AGAIN] = agreements[SCIPY] = compare_seconds(found[0], expected[0])
    builds = {OWN: built_s, REMOVED: built_s}
    timings = {
        name: Timing(name, what, agreements[name], builds.get(name), 1.0, cold[name])
        for name, what in SETTINGS.items()
    }
    for turn in range(field.rounds):
        for name, answer in ((AGAIN, again), (SCIPY, by_scipy)):
            _, timings[name].rounds_s[turn], timings[name].used_s[turn] = clocked(answer)
        for name, (took, used) in _moves(solve, extra).items():
            timings[name].rounds_s[turn], timings[name].used_s[turn] = took, used
    for timing in timings.values():
        say(f"    {timing.name:44s} {timing.median_s * 1e3:12.3f} ms   {timing.agreement.text}")
    return Race("repair", field.label, title, tuple(timings.values()))


def _agreements(
    solve: NearestSolve, matrix: Any, sources: Array, extra: Array
) -> tuple[dict[str, Agreement], dict[str, float]]:
    """Add all, then remove all: compare with full searches by scipy; what the first of each took."""

    def compared(every: Array) -> Agreement:
        seconds = dijkstra(matrix, indices=every, min_only=True)
        return compare_seconds(solve.seconds, seconds)

    cold: dict[str, float] = {}
    groups = []
    for node in extra:
        change, took, _ = clocked(partial(solve.add_source, node))
        cold.setdefault(OWN, took)
        groups.append(change.group)
    agreements = {OWN: compared(np.r_[sources, extra])}
    for group in groups:
        _, took, _ = clocked(partial(solve.remove_source, group))
        cold.setdefault(REMOVED, took)
    agreements[REMOVED] = compared(sources)
    return agreements, cold


def _moves(solve: NearestSolve, extra: Array) -> dict[str, tuple[float, float]]:
    """Add and remove each: mean wall and processor seconds of either."""
    took = {OWN: np.zeros(2), REMOVED: np.zeros(2)}
    for node in extra:
        change, *added = clocked(partial(solve.add_source, node))
        _, *removed = clocked(partial(solve.remove_source, change.group))
        took[OWN] += added
        took[REMOVED] += removed
    return {name: (float(both[0]) / len(extra), float(both[1]) / len(extra)) for name, both in took.items()}
