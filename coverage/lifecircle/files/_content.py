"""What files hold: the files that are read as one, their hash, and one key for many parts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


FORMAT = 2
"""Version of cache entries; entries of another version are not found."""

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
