"""Own files: written whole or not at all, hashed, and arrays kept between runs in a cache folder.

The cache may vanish at any moment and may be shared by several processes: an entry is one file that takes
its place whole, is checked when it is read, and is made anew when anything about it is wrong.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_log = logging.getLogger(__name__)

FORMAT = 1
"""Version of what cache entries hold; entries of another version are not found."""


@contextmanager
def written(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the folder of ``path`` that takes its place when the block ends well.

    The file is flushed to disk before it is moved, and removed when the block raises: nobody sees half a
    file, and what stood there before stays until the new one is whole. The temporary name ends like the
    final one, because writers choose the format by it.

    Raises
    ------
    FileNotFoundError
        When the folder is not there, or the block wrote nothing.
    """
    final = Path(path)
    fresh = final.with_name(f".{final.stem}.{secrets.token_hex(4)}{final.suffix}")
    try:
        yield fresh
        _flush(fresh)
        fresh.replace(final)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _flush_folder(final.parent)


def cache_folder(kind: str) -> Path:
    """Name the folder that entries of a kind are kept in: ``LIFECIRCLE_CACHE``, else the user's own."""
    own = os.environ.get("LIFECIRCLE_CACHE")
    if own:
        return Path(own) / kind
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "lifecircle" / kind


def content_key(*parts: str | bytes | Path) -> str:
    """Hash texts, bytes and the contents of files into one key, each told apart from the next.

    A path stands for its content, and for that of the files beside it that differ by suffix alone (a
    shapefile is several files).

    >>> content_key("ab", "c") == content_key("a", "bc")
    False
    """
    digest = hashlib.sha256(str(FORMAT).encode())
    for part in parts:
        for piece in _pieces(part):
            digest.update(len(piece).to_bytes(8, "little"))
            digest.update(piece)
    return digest.hexdigest()


def _pieces(part: str | bytes | Path) -> Iterator[bytes]:
    if isinstance(part, Path):
        together = [part] if part.suffix.lower() != ".shp" else sorted(part.parent.glob(f"{part.stem}.*"))
        for path in together:
            yield path.read_bytes()
    else:
        yield part.encode() if isinstance(part, str) else part


def load_arrays(kind: str, key: str) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]] | None:
    """Read an entry of the cache: its arrays and its facts, None where there is none that is whole."""
    path = _entry(kind, key)
    try:
        # a zip: the checksum of every member is tested as it is read
        with path.open("rb") as file, np.load(file, allow_pickle=False) as entry:
            arrays = {name: entry[name] for name in entry.files}
        facts = json.loads(bytes(arrays.pop("facts")).decode())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _log.warning("%s is not whole (%s): made anew", path, error)
        return None
    return arrays, facts


def save_arrays(
    kind: str, key: str, arrays: Mapping[str, np.ndarray[Any, Any]], facts: Mapping[str, Any]
) -> None:
    """Keep arrays and facts (plain JSON) in the cache; where that cannot be, go on without."""
    path = _entry(kind, key)
    entries: dict[str, Any] = dict(arrays)
    plain = np.frombuffer(json.dumps(facts, ensure_ascii=False).encode(), dtype=np.uint8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as fresh, fresh.open("wb") as file:
            np.savez(file, allow_pickle=False, facts=plain, **entries)
    except OSError as error:
        _log.info("nothing kept in %s: %s", path.parent, error)


def _entry(kind: str, key: str) -> Path:
    return cache_folder(kind) / f"{key}.npz"


def _flush(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the new name itself durable, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
