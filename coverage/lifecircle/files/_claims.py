"""Who works beside a target: folders of a process of its own, locked and cleared; and one writer at a time.

A command writes beside the target (``.2025-new-1a2b3c4d``), in a folder that is locked for as long as the
process lives. What no process holds was left by a killed one.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from lifecircle.errors import Fault, UnusableInputError, say, system_errors

try:
    import fcntl
except ImportError:  # Windows: left-overs are then never cleared, because nothing says whose they are
    fcntl = None  # type: ignore[assignment]  # a module or None

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lifecircle.errors import Message


LOCK = ".lifecircle.lock"
_LEFT: Final = re.compile(r"-(new|old)-([0-9a-f]{8})")
_LONGEST: Final = 200  # bytes of a name: file systems end at 255, and the role and token take some


def beside(target: Path, role: str, token: str) -> Path:
    """Return the name of a folder beside the target: the new one, or the former one (old)."""
    return target.with_name(f".{_stem(target)}-{role}-{token}")


def _stem(target: Path) -> str:
    name = target.name
    while len(os.fsencode(name)) > _LONGEST:
        name = name[:-1]
    return name


@contextmanager
def claimed(target: Path) -> Iterator[Path]:
    """Yield an empty folder of this process beside a target, locked while the block runs and then removed."""
    clear_beside(target)
    room, lock = _claim(target)
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _claim(target: Path) -> tuple[Path, int | None]:
    while True:
        room = beside(target, "new", secrets.token_hex(4))
        room.mkdir()
        with suppress(FileNotFoundError, BlockingIOError):
            lock = _lock(room)
            if lock is None or room.is_dir():
                return room, lock
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Lock a folder for as long as the process lives; None where the system or the disk has no locks.

    Raises
    ------
    BlockingIOError
        When another process holds it.
    FileNotFoundError
        When it is not there.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(folder: Path) -> bool:
    """Return whether a process works on a folder, as far as the disk has locks."""
    try:
        lock = _lock(folder)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    if lock is not None:
        os.close(lock)
    return False


def left_overs(target: Path) -> list[tuple[str, str]]:
    """List folders and files beside a target under names of this module: role and token."""
    start, found = f".{_stem(target)}", []
    with suppress(OSError):
        for name in os.listdir(target.parent):  # noqa: PTH208 - names alone, of a folder that may be large
            if name.startswith(start) and (match := _LEFT.fullmatch(name, len(start))):
                found.append((match[1], match[2]))  # noqa: PERF401 - what was found stays when one fails
    return sorted(found)


def clear_beside(target: Path) -> None:
    """Remove what killed writers of a file left beside it, such as a copy that was never moved."""
    for role, token in left_overs(target):
        if role == "new" and ("old", token) not in left_overs(target):
            clear(beside(target, role, token))


def clear(folder: Path, mark: str | None = None) -> None:
    """Remove a folder that no process works on; its mark goes first, so that half of it is never restored."""
    with suppress(OSError):
        # Only who holds the lock removes: a folder of a process still running is left alone.
        lock = _lock(folder)
        if lock is None:
            return  # without locks it is unknown whether a process works on it
        with suppress(OSError):
            if mark is not None:
                (folder / mark).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold a folder of results for one writer at a time; the lock of a process that died holds nobody up.

    Parameters
    ----------
    folder : folder of results; made where it is missing

    Raises
    ------
    UnusableInputError
        When another process writes there, or the system refuses to write.
    """
    with system_errors(folder):
        made = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            holder = _holder(folder / LOCK)
            reason = say("another audit is writing here: {holder}", holder=holder)
            remedy = say("wait until it ends, or name another folder with --out")
            raise UnusableInputError([Fault(str(folder), "", "", reason, remedy)]) from None
        with suppress(OSError):
            # The lock is the system's and ends with the process; the text only says whose it is.
            (folder / LOCK).write_text(f"{os.getpid()} {platform.node()}\n", encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK).write_bytes(b"")
        lock.release()
        # Of a command that failed nothing is left, not even the folder it would have written to.
        with suppress(OSError):
            if made and {entry.name for entry in folder.iterdir()} <= {LOCK}:
                (folder / LOCK).unlink(missing_ok=True)
                for one in made:
                    one.rmdir()


def _holder(path: Path) -> Message:
    """Name the process that holds a lock, as far as it has said who it is."""
    with suppress(OSError):
        process, _, host = path.read_text("utf-8", "replace").strip().partition(" ")
        if process.isdigit():
            return say("process {process} on {host}", process=process, host=host[:80] or "?")
    return say("a process that is just beginning")
