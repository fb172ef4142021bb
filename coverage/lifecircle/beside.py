"""Work something out in a copy of this process, on a second processor, while this one goes on.

A copy (``fork``) has all that this process holds and sends back one answer. It writes nothing, and what it
cannot answer this process works out itself: answers, errors and files are those of one process.
"""

from __future__ import annotations

import ctypes
import logging
import os
import pickle
import select
import signal
import sys
import warnings
from contextlib import contextmanager
from logging.handlers import QueueHandler
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)

_PIECE = 1 << 20
_SILENT_S = 5.0
"""Seconds after which a copy that neither answers nor uses its processor is given up."""
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


class _Allowed:
    """Whether this process may copy itself: only a command knows that no thread of others runs in it."""

    copies = False


def allow_copies(processors: int) -> None:
    """Let this process copy itself from now on, where there is a processor for a copy.

    For commands. A program that uses the package may have threads, which a copy lacks while it has their
    locks; nor does every system copy a process.

    Parameters
    ----------
    processors : how many may be used
    """
    _Allowed.copies = processors > 1 and sys.platform == "linux"


class Beside(Generic[_Answer]):
    """A piece of work that may have begun elsewhere; :func:`beside` begins one."""

    def __init__(self, work: Callable[[], _Answer]) -> None:
        self._work = work
        self._copy = _copied(work) if _Allowed.copies else None

    @property
    def begun(self) -> bool:
        """Return whether a copy is at work."""
        return self._copy is not None

    def answer(self) -> _Answer:
        """Wait for the answer, or work it out here where no copy gives one; errors are raised here.

        Returns
        -------
        answer : of the work
        """
        answer = self.received()
        return self._work() if answer is None else answer

    def received(self) -> _Answer | None:
        """Wait for the answer of a copy.

        Returns
        -------
        answer : of the work; None where no copy gives one, for whatever reason
        """
        raw = None if self._copy is None else _received(*self._copy)
        if not self._end(now=raw is None) or raw is None:
            return None
        answer, records = pickle.loads(raw)  # noqa: S301 - from our own copy, by a pipe nobody else has
        for record in records:
            logging.getLogger(record.name).handle(record)
        found: _Answer = answer
        return found

    def _end(self, *, now: bool) -> bool:
        """Wait for the end of the copy, if there still is one, or end it now; gives whether it ended well."""
        if self._copy is None:
            return False
        (process, pipe), self._copy = self._copy, None
        os.close(pipe)
        if now:
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        return status == 0


@contextmanager
def beside(work: Callable[[], _Answer]) -> Iterator[Beside[_Answer]]:
    """Begin a piece of work in a copy of this process; the copy ends with the block at the latest.

    Parameters
    ----------
    work : gives an answer that can be pickled and is not None; writes no file. What it logs is logged here
        when it has answered

    Returns
    -------
    begun : ask for its ``answer()`` within the block

    >>> with beside(lambda: 6 * 7) as begun:
    ...     begun.answer()
    42
    """
    begun = Beside(work)
    try:
        yield begun
    finally:
        begun._end(now=True)  # noqa: SLF001 - of this module; a caller has nothing to end


def _copied(work: Callable[[], object]) -> tuple[int, int] | None:
    """Copy this process, and let the copy work; gives its number and where it answers, None without one."""
    reader, writer = os.pipe()
    try:
        with warnings.catch_warnings():
            # Newer Pythons warn of threads: those of libraries, which start again in a copy.
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
    except OSError as error:
        _log.info("no process beside this one: %s", error)
        os.close(reader)
        os.close(writer)
        return None
    if process == 0:
        _work_and_end(work, writer)
    os.close(writer)
    return process, reader


def _work_and_end(work: Callable[[], object], writer: int) -> NoReturn:
    """Be the copy: work, answer, and end without what a process does at its end."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that was copied says what ends
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        records = _collected_log()
        raw = pickle.dumps((work(), records), protocol=pickle.HIGHEST_PROTOCOL)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(raw)
        status = 0
    finally:
        os._exit(status)


def _collected_log() -> list[logging.LogRecord]:
    """Collect what is logged from now on; nothing is shown, as a thread may hold what it is shown on."""
    records: list[logging.LogRecord] = []
    collector = QueueHandler(Queue())
    collector.enqueue = records.append  # type: ignore[assignment, method-assign]  # it makes records fit to be sent
    for name in (None, *logging.root.manager.loggerDict):
        logging.getLogger(name).handlers.clear()
    logging.getLogger().addHandler(collector)
    return records


def _received(process: int, pipe: int) -> bytes | None:
    """Read what a copy answers until it ends; None where it does nothing any more."""
    pieces: list[bytes] = []
    used = -1
    while True:
        ready, _, _ = select.select([pipe], [], [], _SILENT_S)
        if not ready:
            before, used = used, _used(process)
            if used == before:
                _log.info("a process beside this one does nothing: worked out here")
                return None
            continue
        piece = os.read(pipe, _PIECE)
        if not piece:  # it has answered or died: its exit status says which
            return b"".join(pieces)
        pieces.append(piece)


def _used(process: int) -> int:
    """Return the processor time of a process, in the system's own unit."""
    try:
        facts = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        return int(facts[11]) + int(facts[12])
    except (OSError, IndexError, ValueError):
        return -1
