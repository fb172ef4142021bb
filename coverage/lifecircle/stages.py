"""Time the stages of a command: how long each took, and how much went through it.

Owns the clock of stages and how one is written down; who prints the log, and in which form, is the command
line's business. A stage holds a name and whole numbers, never a path, a cell or an address.
"""

from __future__ import annotations

import ctypes
import logging
import re
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """One stage that has ended; ``counts`` : what went through it, name -> whole number."""

    name: str
    seconds: float
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def plain(self) -> dict[str, Any]:
        """The stage as plain JSON; seconds to the millisecond."""
        return {"stage": self.name, "seconds": round(self.seconds, 3), "counts": dict(self.counts)}


class Stages:
    """A progress callback that times the stages it is called with: a stage lasts until the next one begins.

    Every stage that ends is put in the log (level INFO) as one record, whose ``facts`` hold it as plain JSON.

    >>> names = []
    >>> stages = Stages(names.append, clock=iter([0.0, 1.5, 2.0]).__next__)
    >>> stages("reading"); stages.count(residents=7); stages("writing")
    >>> [(one.name, one.seconds, dict(one.counts)) for one in stages.end()], names
    ([('reading', 1.5, {'residents': 7}), ('writing', 0.5, {})], ['reading', 'writing'])
    """

    def __init__(
        self, report: Callable[[str], None] | None = None, *, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._report = report or _silent
        self._clock = clock
        self._ended: list[Stage] = []
        self._name = ""
        self._begun = 0.0
        self._counts: dict[str, int] = {}

    @classmethod
    def of(cls, progress: Callable[[str], None] | None) -> Stages:
        """Return the stages that a callback is, else new ones that hand every name on to it."""
        return progress if isinstance(progress, Stages) else cls(progress or _log.info)

    def __call__(self, name: str) -> None:
        """End the stage before and begin one.

        Parameters
        ----------
        name : of the stage, as progress shows it
        """
        now = self._clock()
        self._close(now)
        self._name, self._begun = name, now
        self._report(name)

    def count(self, **counts: int) -> None:
        """Note how much went through the stage that is running.

        Parameters
        ----------
        counts : name -> whole number
        """
        self._counts.update(counts)

    def end(self) -> tuple[Stage, ...]:
        """End the last stage.

        Returns
        -------
        stages : that have ended, in order
        """
        self._close(self._clock())
        return tuple(self._ended)

    def so_far(self, since: int = 0) -> tuple[Stage, ...]:
        """Return the stages until now, the running one as long as it has taken; nothing is ended.

        Parameters
        ----------
        since : leave out as many of the first stages
        """
        running = [Stage(self._name, self._clock() - self._begun, dict(self._counts))] if self._name else []
        return tuple([*self._ended, *running][since:])

    def _close(self, now: float) -> None:
        if self._name:
            stage = Stage(self._name, now - self._begun, dict(self._counts))
            self._ended.append(stage)
            self._name, self._counts = "", {}
            _log.info("%s: %.3f s", stage.name, stage.seconds, extra={"event": "stage", "facts": stage.plain})


def _silent(_: str) -> None:
    """Show nothing."""


@contextmanager
def listening(room: str, handler: logging.Handler) -> Iterator[None]:
    """Hand what a room logs, at INFO and above, to a handler for as long as the block runs."""
    logger = logging.getLogger(room)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def give_back_memory() -> None:
    """Give memory that was freed back to the system, where its allocator can.

    For after a large table was read: what lies free between what stays is of no use for larger things.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def peak_mb() -> float | None:
    """Return the most memory this process has held, in megabytes; None where the system does not say."""
    if sys.platform == "linux":
        # Not getrusage: what it returns starts at the peak of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        held = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
        return int(held[1]) * 1024 / 1e6 if held else None
    if sys.platform != "darwin":
        return None
    import resource  # noqa: PLC0415 - not every system has it

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
