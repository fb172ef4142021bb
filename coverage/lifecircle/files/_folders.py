"""Folders of results: written beside their place, swapped in whole, and put right after a kill."""

from __future__ import annotations

import ctypes
import logging
import os
import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files._claims import beside, claimed, clear, is_held, left_overs
from lifecircle.files._one_file import flush, flush_folder, require_room

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.errors import Message

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Results:
    """A kind of folder this package writes: ``mark`` is the file it is known by, ``files`` are all its files.

    The mark is JSON with the keys ``schema`` and ``study``. What else people keep in such a folder is
    theirs, and stays when the folder is written again.
    """

    mark: str
    files: tuple[str, ...]


@contextmanager
def complete_folder(target: Path, kind: Results) -> Iterator[Path]:
    """Yield a fresh folder beside the target that takes its place when the block ends well.

    A reader sees the earlier results or the new ones, whole. Killed at any moment, the earlier ones, the new
    ones, or both are there, and :func:`recover` puts them right.

    Parameters
    ----------
    target : the final folder
    kind : which results it holds

    Returns
    -------
    fresh : an empty folder to write to

    Raises
    ------
    UnusableInputError
        When something else stands at the target, or the system refuses to write there.
    """
    check_folder(target, kind)
    with system_errors(target):
        # Checked before the results are computed: an audit of minutes must not end in a refusal to write.
        target = Path(os.path.realpath(target))  # a link goes on leading to the folder
        made = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with claimed(target) as fresh:
                yield fresh
                # At the end, so that a note written while the command ran is copied too.
                _keep_strangers(target, fresh, kind)
                flush_files(fresh)
                _swap(fresh, target, kind)
            flush_folder(target.parent)
        except BaseException:
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()
            raise
        recover(target, kind)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield a fresh folder for a target that is missing or empty; it becomes the target when the block ends.

    Parameters
    ----------
    target : the final folder

    Returns
    -------
    fresh : an empty folder to write to

    Raises
    ------
    OSError
        When something stands at the target by then.
    """
    with claimed(target) as fresh:
        yield fresh
        for folder in (fresh, *(one for one in fresh.rglob("*") if one.is_dir() and not one.is_symlink())):
            flush_files(folder)
        _rename(fresh, target)
    flush_folder(target.parent)


def flush_files(folder: Path) -> None:
    """Flush the files of a folder to disk, so that a power cut after its move leaves none of them empty."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink():
            flush(path)
    flush_folder(folder)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a new folder for files that nobody keeps, and remove it as far as the system permits.

    Not ``tempfile.TemporaryDirectory``: where rights were lost it calls itself without end (Python 3.11).
    """
    folder = Path(tempfile.mkdtemp(prefix="lifecircle-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder: gone at once, or still there whole when the command is killed."""
    with claimed(folder) as room:
        _rename(folder, room / folder.name)


def recover(target: Path, kind: Results) -> None:
    """Finish or undo what a killed command left unfinished at a place, and remove what no process works on.

    Only names that this module gives are looked at, and never those of a process that is still running.

    Parameters
    ----------
    target : folder of results
    kind : which results it holds
    """
    left = left_overs(target)
    with suppress(OSError):
        if left and not target.exists():
            # Killed between two renames. What was to come is complete: the first comes after that.
            for token in sorted(token for role, token in left if role == "old"):
                old, new = beside(target, "old", token), beside(target, "new", token)
                whole = next((one for one in (new, old) if (one / kind.mark).is_file()), None)
                if whole is not None and not is_held(new):
                    whole.replace(target)
                    _log.warning("%s was left between two renames by a killed command: put right", target)
                    break
        if target.exists() or all(role == "new" for role, _ in left):
            for role, token in left_overs(target):
                clear(beside(target, role, token), kind.mark)


def check_folder(folder: str | Path, kind: Results) -> None:
    """Raise UnusableInputError where results could not replace what is there, before any is computed.

    Parameters
    ----------
    folder : where results are to be written
    kind : which results

    Raises
    ------
    UnusableInputError
        When it is a file, or a folder that holds something but no earlier results of this kind, or cannot
        be written.
    """
    named, folder = str(folder), Path(os.path.realpath(folder))
    with system_errors(named):
        recover(folder, kind)
        reason: Message | None = None
        if folder.exists() and not folder.is_dir():
            reason = say("a file stands here, where a folder of results is to be written")
        elif folder.exists() and any(folder.iterdir()) and not _is_own(folder, kind):
            reason = say("the folder holds things that are no earlier results, and is not replaced")
        if reason is not None:
            remedy = say("name another folder with --out, or move away what stands there")
            raise UnusableInputError([Fault(named, "", "", reason, remedy)])
        require_room(folder)


def _is_own(folder: Path, kind: Results) -> bool:
    """Return whether a folder holds earlier results, whole or damaged."""
    mark = folder / kind.mark
    if mark.is_file():
        start = mark.read_bytes()[:4096].decode("utf-8", "replace")
        if re.match(r'\s*\{\s*"schema":\s*\d+\s*,', start) and '"study":' in start:
            return True
    # Damaged beyond its mark: it holds nothing that results would not hold.
    names = {entry.name for entry in folder.iterdir()}
    return len(names) >= min(3, len(kind.files)) and names <= set(kind.files)


def _keep_strangers(target: Path, fresh: Path, kind: Results) -> None:
    """Copy the other files of people, such as notes, from the earlier results to the new ones."""
    for entry in sorted(target.iterdir()) if target.is_dir() else ():
        goal = fresh / entry.name
        if entry.name in kind.files or goal.exists():
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, goal, symlinks=True)
        else:
            shutil.copy2(entry, goal, follow_symlinks=False)


def _swap(fresh: Path, target: Path, kind: Results) -> None:
    """Move a complete folder into place: in one step where the system can, else by two renames."""
    if target.exists():
        if _exchange(fresh, target):
            return  # what stood there is in the fresh folder's place now, and goes with it
        # Two renames: between them there is no folder at the place. The names show a later command which of
        # the two is complete.
        old = beside(target, "old", fresh.name.rsplit("-", 1)[1])
        _rename(target, old)
        try:
            _rename(fresh, target)
        except BaseException:
            if not target.exists():
                _rename(old, target)
            raise
        # Without its mark a folder half removed is never taken for results.
        (old / kind.mark).unlink(missing_ok=True)
        shutil.rmtree(old, ignore_errors=True)
    else:
        _rename(fresh, target)


def _rename(old: Path, new: Path) -> None:
    old.replace(new)


_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or the disk has no such step."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    done = swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return bool(done == 0)
