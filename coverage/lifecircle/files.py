"""Write files whole or not at all, hash them, swap folders, and store arrays between runs in a cache.

A command may be killed at any moment. Until then it writes beside the target under a name of its own
(``.2025-new-1a2b3c4d``), locked for as long as the process lives; the next command that comes to the place
finishes or restores it and removes what no process works on.

The cache may vanish at any moment and may be shared by several processes: an entry is one file that takes
its place whole, holds its own checksum, and is computed again when anything about it is wrong.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import logging
import mmap
import os
import platform
import re
import secrets
import shutil
import struct
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from filelock import FileLock, Timeout

from lifecircle.errors import Fault, UnusableInputError, say, system_errors

try:
    import fcntl
except ImportError:  # Windows: left-overs are then never cleared, because nothing says whose they are
    fcntl = None  # type: ignore[assignment]  # a module or None

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lifecircle.errors import Message

_log = logging.getLogger(__name__)

FORMAT = 2
"""Version of cache entries; entries of another version are not found."""


# ---------------------------------------------------------------------------------------------------------
# One file


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
    with _claimed(final) as room:
        fresh = room / final.name
        yield fresh
        _flush(fresh)
        fresh.replace(final)
    _flush_folder(final.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """Write the new name itself to disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---------------------------------------------------------------------------------------------------------
# Folders of results


LOCK = ".lifecircle.lock"


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
            with _claimed(target) as fresh:
                yield fresh
                # At the end, so that a note written while the command ran is copied too.
                _keep_strangers(target, fresh, kind)
                flush_files(fresh)
                _swap(fresh, target, kind)
            _flush_folder(target.parent)
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
    with _claimed(target) as fresh:
        yield fresh
        _rename(fresh, target)


def flush_files(folder: Path) -> None:
    """Flush the files of a folder to disk, so that a power cut after its move leaves none of them empty."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink():
            _flush(path)
    _flush_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder: gone at once, or still there whole when the command is killed."""
    with _claimed(folder) as room:
        _rename(folder, room / folder.name)


def recover(target: Path, kind: Results) -> None:
    """Finish or undo what a killed command left unfinished at a place, and remove what no process works on.

    Only names that this module gives are looked at, and never those of a process that is still running.

    Parameters
    ----------
    target : folder of results
    kind : which results it holds
    """
    left = _left_overs(target)
    with suppress(OSError):
        if left and not target.exists():
            # Killed between two renames. What was to come is complete: the first comes after that.
            for token in sorted(token for role, token in left if role == "old"):
                old, new = _beside(target, "old", token), _beside(target, "new", token)
                whole = next((one for one in (new, old) if (one / kind.mark).is_file()), None)
                if whole is not None and not _is_held(new):
                    whole.replace(target)
                    _log.warning("%s was left between two renames by a killed command: put right", target)
                    break
        if target.exists() or all(role == "new" for role, _ in left):
            for role, token in _left_overs(target):
                _clear(_beside(target, role, token), kind.mark)


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
        _check_room(folder)


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
        _check_room(path)


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
        _check_room(Path(path))


def _check_room(path: Path) -> None:
    above = path.parent
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(above))
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))


def _is_own(folder: Path, kind: Results) -> bool:
    """Return whether a folder holds earlier results, whole or damaged."""
    mark = folder / kind.mark
    if mark.is_file():
        start = mark.read_bytes()[:4096].decode("utf-8", "replace")
        if re.match(r'\s*\{\s*"schema":\s*\d+,\s', start) and '"study":' in start:
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
        old = _beside(target, "old", fresh.name.rsplit("-", 1)[1])
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


# ---------------------------------------------------------------------------------------------------------
# What is being written, and what was left by a killed process

_LEFT: Final = re.compile(r"-(new|old)-([0-9a-f]{8})")
_LONGEST: Final = 200  # bytes of a name: file systems end at 255, and the role and token take some


def _beside(target: Path, role: str, token: str) -> Path:
    """Return the name of a folder beside the target: the new one, or the former one (old)."""
    return target.with_name(f".{_stem(target)}-{role}-{token}")


def _stem(target: Path) -> str:
    name = target.name
    while len(os.fsencode(name)) > _LONGEST:
        name = name[:-1]
    return name


@contextmanager
def _claimed(target: Path) -> Iterator[Path]:
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
        room = _beside(target, "new", secrets.token_hex(4))
        room.mkdir()
        with suppress(FileNotFoundError, BlockingIOError):
            lock = _lock(room)
            if lock is None or room.is_dir():
                return room, lock
            os.close(lock)
        # Another process took it for a left-over between mkdir and lock, and cleared it.


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


def _is_held(folder: Path) -> bool:
    """Return whether a process works on a folder, as far as the disk has locks."""
    try:
        lock = _lock(folder)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    if lock is not None:
        os.close(lock)
    return False


def _left_overs(target: Path) -> list[tuple[str, str]]:
    """List folders and files beside a target under names of this module: role and token."""
    start, found = f".{_stem(target)}", []
    with suppress(OSError):
        for name in os.listdir(target.parent):  # noqa: PTH208 - names alone, of a folder that may be large
            if name.startswith(start) and (match := _LEFT.fullmatch(name, len(start))):
                found.append((match[1], match[2]))  # noqa: PERF401 - what was found stays when one fails
    return sorted(found)


def clear_beside(target: Path) -> None:
    """Remove what killed writers of a file left beside it, such as a copy that was never moved."""
    for role, token in _left_overs(target):
        if role == "new" and ("old", token) not in _left_overs(target):
            _clear(_beside(target, role, token))


def _clear(folder: Path, mark: str | None = None) -> None:
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


# ---------------------------------------------------------------------------------------------------------
# Hashes

_COMPANIONS: Final = {
    ".shp": (".dbf", ".shx", ".prj", ".cpg"),
    ".gpkg": (".gpkg-wal",),
    ".tif": (".tfw", ".prj"),
    ".tiff": (".tfw", ".prj"),
}
"""Files beside a file of a format that its readers read with it."""

_APPENDED: Final = dict.fromkeys((".tif", ".tiff"), (".aux.xml", ".msk"))


def files_of(path: Path) -> list[Path]:
    """Return the files that are read as one: a shapefile is several, in any capitals; a .gdb is a folder.

    Parameters
    ----------
    path : the file that is named

    Returns
    -------
    files : existing ones, in a fixed order
    """
    if path.suffix.lower() == ".gdb" and path.is_dir():
        # Locks of who has it open are not part of what it holds.
        return sorted(one for one in path.iterdir() if one.is_file() and one.suffix.lower() != ".lock")
    wanted = {ending: number for number, ending in enumerate(_COMPANIONS.get(path.suffix.lower(), ()))}
    if not wanted:
        return [path]
    # Beside a raster may also stand what its name is written whole in: its statistics and mask.
    whole = [path.with_name(path.name + ending) for ending in _APPENDED.get(path.suffix.lower(), ())]
    beside = [
        (wanted[other.suffix.lower()], other.name, other)
        for other in path.parent.glob("*")
        if other != path and other.stem == path.stem and other.suffix.lower() in wanted
    ]
    return [path, *(other for _, _, other in sorted(beside)), *(other for other in whole if other.is_file())]


def file_hash(path: Path) -> str:
    """Return the SHA-256 of the content of one file, as ``sha256sum`` prints it.

    Parameters
    ----------
    path : the file

    Returns
    -------
    hash : 64 hexadecimal digits

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "a.txt"
    >>> place.write_bytes(b"")
    0
    >>> file_hash(place)[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_key(*parts: str | bytes | Path) -> str:
    """Return one key for texts, bytes and the contents of files, each kept apart from the next.

    A path means its content, and that of the files read with it (a shapefile is several files).

    Parameters
    ----------
    parts : texts, bytes or paths

    Returns
    -------
    key : hexadecimal digits

    >>> content_key("ab", "c") == content_key("a", "bc")
    False
    """
    digest = hashlib.sha256(str(FORMAT).encode())
    for part in parts:
        for size, pieces in _pieces(part):
            digest.update(size.to_bytes(8, "little"))
            for piece in pieces:
                digest.update(piece)
    return digest.hexdigest()


def _pieces(part: str | bytes | Path) -> Iterator[tuple[int, Iterable[bytes]]]:
    """Yield what a part consists of, with its length: itself, or the ending and content of files."""
    if isinstance(part, Path):
        for path in files_of(part):
            ending = path.suffix.lower().encode()
            yield len(ending), [ending]
            yield path.stat().st_size, _content(path)
    else:
        plain = part.encode() if isinstance(part, str) else part
        yield len(plain), [plain]


def _content(path: Path) -> Iterator[bytes]:
    """Yield the content of a file in pieces: a raster may be larger than the memory."""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


# ---------------------------------------------------------------------------------------------------------
# The cache


def cache_folder(kind: str) -> Path:
    """Return the folder of cache entries of a kind: below ``LIFECIRCLE_CACHE``, else the user's own.

    Parameters
    ----------
    kind : such as ``roads``

    Returns
    -------
    folder : perhaps not there yet

    Raises
    ------
    RuntimeError
        When the user has no folder of their own.
    """
    own = os.environ.get("LIFECIRCLE_CACHE")
    if own:
        return Path(own) / kind
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "lifecircle" / kind


_MAGIC: Final = b"lifecircle arrays\n"
_HEAD: Final = struct.Struct("<32sI")  # SHA-256 of all that follows it; length of the JSON that describes it
_STEP: Final = 64  # arrays begin at multiples of it, so that they can be used where they stand


def load_arrays(
    kind: str, key: str, names: Iterable[str] | None = None
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]] | None:
    """Return an entry of the cache: its arrays and its facts, None where there is no complete one.

    Parameters
    ----------
    kind, key : folder and name of the entry
    names : the arrays it must hold, no more and no less, where that is known

    Returns
    -------
    arrays, facts : read-only views of the file's bytes, and plain JSON
    """
    try:
        path = _entry(kind, key)
        arrays, facts = _unpacked(np.fromfile(path, dtype=np.uint8), names)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        _log.warning("an entry of the cache (%s %s) is not whole (%s): made anew", kind, key, error)
        return None
    return arrays, facts


def save_arrays(
    kind: str, key: str, arrays: Mapping[str, np.ndarray[Any, Any]], facts: Mapping[str, Any]
) -> None:
    """Store arrays and facts (plain JSON) in the cache; an error of the disk is ignored.

    Parameters
    ----------
    kind, key : folder and name of the entry
    arrays : by name
    facts : plain JSON
    """
    try:
        path = _entry(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as fresh, fresh.open("wb") as file:
            for piece in _packed(arrays, facts):
                file.write(piece)
    except (OSError, RuntimeError) as error:
        _log.info("nothing kept in the cache: %s", error)


def _entry(kind: str, key: str) -> Path:
    return cache_folder(kind) / f"{key}.arrays"


def _packed(arrays: Mapping[str, np.ndarray[Any, Any]], facts: Mapping[str, Any]) -> list[bytes]:
    """Return an entry as bytes: magic, checksum, description, arrays."""
    header: dict[str, Any] = {"facts": facts, "arrays": {}}
    parts: list[bytes] = []
    at = 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        header["arrays"][name] = [array.dtype.str, list(array.shape), at]
        parts += [raw, bytes(-len(raw) % _STEP)]
        at += len(raw) + len(parts[-1])
    text = json.dumps(header, ensure_ascii=False).encode()
    start = len(_MAGIC) + _HEAD.size + len(text)
    parts = [text, bytes(-start % _STEP), *parts]
    # The checksum also covers the length, so that a cut entry is never read as a shorter one.
    digest = hashlib.sha256(len(text).to_bytes(4, "little"))
    for part in parts:
        digest.update(part)
    return [_MAGIC, _HEAD.pack(digest.digest(), len(text)), *parts]


def _unpacked(
    raw: np.ndarray[Any, np.dtype[np.uint8]], names: Iterable[str] | None
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    """Return the arrays and facts of an entry.

    Raises
    ------
    ValueError
        When it is not what was written.
    """
    head = len(_MAGIC) + _HEAD.size
    if raw[: len(_MAGIC)].tobytes() != _MAGIC or len(raw) < head:
        raise ValueError("not an entry")
    checksum, length = _HEAD.unpack(raw[len(_MAGIC) : head].tobytes())
    digest = hashlib.sha256(length.to_bytes(4, "little"))
    digest.update(raw[head:].data)
    # Checked on every load: an entry may be half copied by another tool, or damaged on the disk.
    if digest.digest() != checksum:
        raise ValueError("its checksum is another")
    header = json.loads(raw[head : head + length].tobytes())
    start = head + length + -(head + length) % _STEP
    if names is not None and set(names) != set(header["arrays"]):
        raise ValueError("it holds other arrays")
    arrays = {}
    for name, (dtype, shape, at) in header["arrays"].items():
        kind = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        arrays[name] = raw[start + at : start + at + size].view(kind).reshape(shape)
    return arrays, header["facts"]
