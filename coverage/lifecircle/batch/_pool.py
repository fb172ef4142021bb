"""Run tasks on this machine, a process for each worker; a task whose process dies is tried again.

A process that is killed, by the system for want of memory or by hand, takes only its own task with it: that
task is begun again in a fresh process, and reported as failed when it was killed as often as is allowed.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final

from lifecircle.batch._task_order import FAILED, Order, Outcome
from lifecircle.errors import say
from lifecircle.wording import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_log = logging.getLogger(__name__)

_END_S: Final = 30.0


def run_local(
    orders: Iterable[Order],
    *,
    workers: int,
    attempts: int,
    log: Path,
    report: Callable[[Order, Outcome | None], None],
) -> dict[str, Outcome]:
    """Run tasks in processes of this machine.

    Parameters
    ----------
    orders : of different ids
    workers : how many processes, at least 1
    attempts : how often a task is begun whose process is killed
    log : file for what the processes themselves print
    report : called with an order as it begins (and None), and as it ends with its outcome; by one thread
        at a time

    Returns
    -------
    outcomes : by id

    Raises
    ------
    Exception
        What ``report`` raised.
    """
    pool = _Pool(orders, attempts, report)
    with log.open("ab") as lines:
        threads = [threading.Thread(target=pool.work, args=(lines,), daemon=True) for _ in range(workers)]
        for one in threads:
            one.start()
        try:
            for one in threads:
                one.join()
        finally:
            pool.end()
    if pool.broken is not None:
        raise pool.broken
    return pool.outcomes


class _Pool:
    """The tasks that wait, and the processes that run; every change is made under one lock."""

    def __init__(
        self, orders: Iterable[Order], attempts: int, report: Callable[[Order, Outcome | None], None]
    ) -> None:
        self.waiting = deque((order, 1) for order in orders)
        self.attempts = attempts
        self.report = report
        self.outcomes: dict[str, Outcome] = {}
        self.broken: BaseException | None = None
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._ended = False

    def work(self, lines: IO[bytes]) -> None:
        """Run tasks in one process after another until none waits."""
        process = None
        try:
            while (taken := self._next()) is not None:
                if process is None or process.poll() is not None:
                    process = self._start(lines)
                order, attempt = taken
                answer = _asked(process, order)
                if answer:
                    self._keep(order, replace(Outcome.of(json.loads(answer)), attempts=attempt))
                else:
                    self._died(process, order, attempt)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self.broken = error
        finally:
            if process is not None:
                _close(process)

    def _next(self) -> tuple[Order, int] | None:
        with self._lock:
            if self._ended or not self.waiting:
                return None
            taken = self.waiting.popleft()
            self.report(taken[0], None)
            return taken

    def _start(self, lines: IO[bytes]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "lifecircle.batch._pool_worker"]
        process = subprocess.Popen(  # noqa: S603 - our own module, by the interpreter that runs this one
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
            encoding="utf-8",
        )
        with self._lock:
            self._running.add(process)
        return process

    def _keep(self, order: Order, outcome: Outcome) -> None:
        with self._lock:
            self.outcomes[order.id] = outcome
            self.report(order, outcome)

    def _died(self, process: subprocess.Popen[str], order: Order, attempt: int) -> None:
        """Put a task back whose process is gone, unless it has been begun too often."""
        status = process.wait()
        _close(process)
        with self._lock:
            self._running.discard(process)
            if self._ended:
                return
            _log.warning("%s: its process ended with %s (attempt %d)", order.id, status, attempt)
            if attempt < self.attempts:
                self.waiting.append((order, attempt + 1))
                return
        self._keep(order, killed(order, attempt, status))

    def end(self) -> None:
        """End every process that still runs, as when the command is interrupted."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        for process in running:
            with suppress(OSError):
                process.kill()


def killed(order: Order, attempts: int, status: int | None = None) -> Outcome:
    """Return the outcome of a task whose worker was killed as often as is allowed."""
    reason = say(
        "its worker was killed {attempts} {attempts:time|times} ({status}); it may "
        "need more memory than there is",
        attempts=attempts,
        status="?" if status is None else status,
    )
    return Outcome(
        order.id,
        order.year,
        FAILED,
        language=order.language,
        faults=(translate(reason, order.language),),
        attempts=attempts,
    )


def _asked(process: subprocess.Popen[str], order: Order) -> str:
    """Hand an order to a process and wait for its answer; empty where the process is gone."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(order.plain()) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    except OSError:
        return ""
    return answer if answer.endswith("\n") else ""  # half a line is the last of a process that was killed


def _close(process: subprocess.Popen[str]) -> None:
    """Let a process end by itself, and end it where it does not."""
    with suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(timeout=_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
