"""What files hold: the files that are read as one, their hash, and one key for many parts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


FORMAT = 2
"""Version of cache entries; entries of another version are not found."""

_COMPANIONS: Final = {
    ".shp": (".dbf", ".shx", ".prj", ".cpg"),
    ".gpkg": (".gpkg-wal",),
    ".tif": (".tfw", ".prj"),
}
"""Files beside a file of a format that its readers read with it."""


def files_of(path: Path) -> list[Path]:
    """Return the files that are read as one: a shapefile is several, in any capitals.

    Parameters
    ----------
    path : the file that is named

    Returns
    -------
    files : existing ones, in a fixed order
    """
    wanted = {ending: number for number, ending in enumerate(_COMPANIONS.get(path.suffix.lower(), ()))}
    if not wanted:
        return [path]
    beside = [
        (wanted[other.suffix.lower()], other.name, other)
        for other in path.parent.glob("*")
        if other != path and other.stem == path.stem and other.suffix.lower() in wanted
    ]
    return [path, *(other for _, _, other in sorted(beside))]


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
        for piece in _pieces(part):
            digest.update(len(piece).to_bytes(8, "little"))
            digest.update(piece)
    return digest.hexdigest()


def _pieces(part: str | bytes | Path) -> Iterator[bytes]:
    if isinstance(part, Path):
        for path in files_of(part):
            yield path.suffix.lower().encode()
            yield path.read_bytes()
    else:
        yield part.encode() if isinstance(part, str) else part
