"""Choose which engine answers a question, scipy or the compiled ring, and on how many threads.

This module does not search. Both engines give the same answers, so the choice is one of time alone.
Compiled code is faster, but it has a fixed cost: numba has to be imported and the compiled code loaded from
disk, once in a process. So a process begins with scipy. It changes to the ring as soon as the seconds spent
in scipy would have paid for loading; a single question that would pay for it alone uses the ring at once.
At worst this takes twice as long as the better of the two would have.

The figures below were measured on a county of 37,223 junctions and 110,890 directed edges. They count
work, not the clock, so that the choice is the same in every run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, get_args

from lifecircle.compiled import is_loaded, loads
from lifecircle.errors import GraphError, say

Engine = Literal["auto", "scipy", "ring"]

ENGINES: tuple[str, ...] = get_args(Engine)

ENVIRONMENT = "LIFECIRCLE_ENGINE"
"""Name of the environment variable that chooses where a graph leaves the choice to it."""

THREADS = "LIFECIRCLE_THREADS"
"""Name of the environment variable that bounds the threads of one question."""

KERNELS = "lifecircle.reach._kernels"
_LOAD_S = 0.7
"""Seconds to import numba and load compiled code kept on disk."""


@dataclass(frozen=True)
class Work:
    """Seconds that either engine would take for a question, as estimated before the search."""

    scipy_s: float
    ring_s: float

    @classmethod
    def nearest(cls, junctions: int) -> Work:
        """Return the work of one search from all sources together."""
        return cls(4e-7 * junctions, 1e-7 * junctions)

    @classmethod
    def repairs(cls, junctions: int) -> Work:
        """Return the work of a hundred repairs of one search; scipy searches again for each."""
        return cls(100 * 4e-7 * junctions, 1e-7 * junctions + 100 * 3e-4)

    @classmethod
    def nearest_k(cls, junctions: int, groups: int, k: int) -> Work:
        """Return the work of ``k`` nearest: scipy searches from every group, the ring keeps ``k`` labels."""
        ranks = min(k, groups)
        return cls(3e-7 * junctions * groups, junctions * (1e-7 + 1.2e-8 * ranks * ranks))

    @classmethod
    def within(cls, junctions: int, rows: int, *, bounded: bool) -> Work:
        """Return the work of all junctions within a limit.

        scipy fills the full table (row, junction); the ring touches only what is reached, at most as much.
        """
        cells = junctions * rows
        return cls(2e-8 * cells, 2e-9 * cells) if bounded else cls(3e-7 * cells, 5e-8 * cells)

    @classmethod
    def snapping(cls, points: int, edges: int) -> Work:
        """Return the work of snapping: with a tree of the lines, or on a grid of their segments."""
        return cls(7e-6 * points + 6e-7 * edges, 2e-6 * points + 6e-7 * edges)


class _Spent:
    """Seconds of work that this process has given to scipy while the ring was not loaded."""

    seconds = 0.0


def choose(engine: Engine, work: Work) -> Literal["scipy", "ring"]:
    """Choose the engine for a question.

    Parameters
    ----------
    engine : what the graph asks for; ``auto`` leaves it to the environment variable, which may do so too
    work : what the question takes

    Returns
    -------
    engine : ``scipy`` or ``ring``; ``ring`` though numba is not there only where it was asked for

    Raises
    ------
    GraphError
        When the environment variable names no engine.
    """
    wanted = engine if engine != "auto" else _from_environment()
    if wanted != "auto":
        return wanted
    # Once loaded, the ring has no fixed cost any more, so the estimates are compared as they are.
    if is_loaded(KERNELS):
        return "ring" if work.ring_s < work.scipy_s else "scipy"
    # Load when scipy has cost as much as loading would have (the ski rental rule): this never costs more than
    # twice the best choice, whatever questions follow.
    if _Spent.seconds + work.scipy_s > _LOAD_S + work.ring_s and loads(KERNELS):
        return "ring"
    _Spent.seconds += work.scipy_s
    return "scipy"


def check_engine(engine: str) -> None:
    """Raise GraphError when a name is not that of an engine."""
    if engine not in ENGINES:
        raise GraphError(
            say("engine is {value}: give one of {names}", value=repr(engine), names=", ".join(ENGINES))
        )


def thread_count() -> int:
    """Return the number of threads for one question: LIFECIRCLE_THREADS, else the number of cores.

    Raises
    ------
    GraphError
        When the variable is no whole number of at least 1.
    """
    value = os.environ.get(THREADS)
    if not value:
        cores = getattr(os, "sched_getaffinity", None)
        return len(cores(0)) if cores else os.cpu_count() or 1
    if not value.isdecimal() or int(value) < 1:
        raise GraphError(
            say(
                "{variable} is {value}: give a whole number of at least 1, or unset it",
                variable=THREADS,
                value=repr(value),
            )
        )
    return int(value)


def _from_environment() -> Engine:
    value = os.environ.get(ENVIRONMENT) or "auto"
    for name in get_args(Engine):
        if value == name:
            engine: Engine = name
            return engine
    raise GraphError(
        say(
            "{variable} is {value}: give one of {names}, or unset it",
            variable=ENVIRONMENT,
            value=repr(value),
            names=", ".join(ENGINES),
        )
    )
