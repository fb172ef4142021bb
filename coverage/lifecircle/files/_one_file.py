"""One file: written whole or not at all, flushed to disk, and checked before it is computed."""

from __future__ import annotations

import errno
import mmap
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lifecircle.errors import Fault, UnusableInputError, say, system_errors
from lifecircle.files._claims import claimed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecircle.errors import Message


@contextmanager
def written(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path`` that takes its place when the block ends well.

    The file is flushed to disk before it is moved, and removed when the block raises: nobody sees half a
    file, and what stood there before stays until the new one is whole. The temporary name ends like the
    final one, because writers choose the format by it.

    Parameters
    ----------
    path : the final file

    Returns
    -------
    fresh : a path to write to, with the ending of the final one

    Raises
    ------
    FileNotFoundError
        When the folder is not there, or the block wrote nothing.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with written(place) as fresh:
    ...     _ = fresh.write_text("whole")
    >>> place.read_text()
    'whole'
    """
    final = Path(path)
    with claimed(final) as room:
        fresh = room / final.name
        yield fresh
        flush(fresh)
        fresh.replace(final)
    flush_folder(final.parent)


def flush(path: Path) -> None:
    """Write what the system holds back of a file to disk."""
    descriptor = os.open(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Write the new name itself to disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_file(path: str | Path, mark: bytes) -> None:
    """Raise UnusableInputError where a file could not replace what is there, before it is computed.

    Parameters
    ----------
    path : where the file is to be written
    mark : bytes that every earlier file of this kind holds

    Raises
    ------
    UnusableInputError
        When it is a folder, or a file without the mark that is not empty, or cannot be written.
    """
    path = Path(path)
    with system_errors(path):
        reason: Message | None = None
        if path.is_dir():
            reason = say("a folder stands here, where a file is to be written")
        elif path.exists() and not path.is_file():
            reason = say("what stands here is no plain file, and is not replaced")
        elif path.exists() and not _holds(path, mark):
            reason = say("the file was not written by lifecircle, and is not replaced")
        if reason is not None:
            remedy = say("name another file, or move away what stands there")
            raise UnusableInputError([Fault(str(path), "", "", reason, remedy)])
        require_room(path)


def _holds(path: Path, mark: bytes) -> bool:
    """Return whether a file holds some bytes; an empty one has nothing to lose."""
    if not path.stat().st_size:
        return True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(mark) >= 0


def check_room(path: str | Path) -> None:
    """Check that a name can be made at a place: its nearest existing folder can be written.

    Parameters
    ----------
    path : where a file or folder is to be written

    Raises
    ------
    UnusableInputError
        When it cannot.
    """
    with system_errors(path):
        require_room(Path(path))


def require_room(path: Path) -> None:
    """Raise the system's own error where no name can be made at a place.

    Raises
    ------
    NotADirectoryError
        A file stands where a folder is needed.
    PermissionError
        The nearest folder that is there cannot be written.
    """
    above = path.parent
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(above))
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))
