"""The cache of arrays between runs.

It may vanish at any moment and may be shared by several processes: an entry is one file that takes its place
whole, holds its own checksum, and is computed again when anything about it is wrong.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lifecircle.files._one_file import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_log = logging.getLogger(__name__)


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
        _log.warning("an entry of the cache (%s %s) is not whole (%s): made again", kind, key, error)
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
