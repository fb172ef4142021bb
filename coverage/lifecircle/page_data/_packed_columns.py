"""The container in which the page's data stand: header, named sections, compression; not what they mean.

The bytes, before compression, are::

    b"LCAT"   version   0      header length   header (JSON, UTF-8)   sections, one after the other
    4 bytes   uint16    uint16 uint32          as many bytes           as the header says

all little-endian. The header is an object with ``page`` (any JSON) and ``sections``: name -> ``dtype``
(``u1 u2 u4 i1 i2 i4``), ``shape``, ``encoding``, ``width``, ``at`` (bytes after the header) and, where the
encoding needs it, ``since``. A section is a column of whole numbers, as ``width`` planes of bytes: all lowest
bytes first. What the planes hold depends on the encoding:

* ``plain``: the numbers themselves, 0 and above;
* ``zigzag``: signed numbers, ``2n`` for n >= 0 and ``-2n - 1`` below;
* ``delta``: zigzag of the difference from the number before, the first from 0;
* ``since``: zigzag of the difference from the section of that name, which is as long.

Of the encodings that can hold a column the one that compresses best is taken. The whole is compressed by
libdeflate as gzip without a clock, so that the same data give the same bytes on every machine.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.errors import LifecircleError

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.integer[Any]]
    Ints = npt.NDArray[np.int64]

MAGIC = b"LCAT"
VERSION = 1
ELEMENT = "lifecircle-data"
"""Id of the page's element that holds the data, as base64."""

_HEAD = struct.Struct("<4sHHI")
_LEVEL, _LARGE_LEVEL = 11, 9  # the lower takes a quarter of the time and leaves a twentieth more
_LARGE = 6_000_000
_TRIAL_LEVEL = 1
_SMALL = 32  # numbers up to which a column is not worth a trial
_MOST = 2**30  # above it a zigzag number would leave the 32 bits that the page counts in
_DTYPES = ("u1", "i1", "u2", "i2", "u4", "i4")
_BASE64 = re.compile(rf'<script[^>]*\bid="{ELEMENT}"[^>]*>([^<]*)</script>')


class PayloadError(LifecircleError, ValueError):
    """Bytes that are no data of a map page, or of a page that this version cannot read."""


@dataclass(frozen=True)
class Section:
    """Where a column stands and how it is written; see the module."""

    dtype: str
    shape: tuple[int, ...]
    encoding: str
    width: int
    at: int
    since: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the section as the header holds it."""
        one = {
            "dtype": self.dtype,
            "shape": list(self.shape),
            "encoding": self.encoding,
            "width": self.width,
            "at": self.at,
        }
        return one | ({"since": self.since} if self.since else {})

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return int(np.prod(self.shape, dtype=np.int64))


class SectionWriter:
    """Holds each column or list once, however many years and targets use it.

    >>> writer = SectionWriter()
    >>> writer.keep("a", np.array([1, 300])), writer.keep("b", np.array([1, 300])), writer.listed(["a"])
    ('a', 'a', 0)
    >>> header, columns = unpack(writer.packed({"name": "x"}))
    >>> header["name"], columns["a"].tolist()
    ('x', [1, 300])
    """

    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}
        self.lists: list[object] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._columns: dict[str, Ints] = {}
        self._names: dict[bytes, str] = {}
        self._places: dict[str, int] = {}

    def keep(self, name: str, numbers: npt.ArrayLike, *, since: str | None = None) -> str:
        """Keep a column of whole numbers; returns the name to find it under.

        Parameters
        ----------
        name : a name of its own; a column with the same numbers as one before keeps the other's name
        numbers : (row,) each above -2**30 and below 2**30
        since : name of a section with numbers much like these

        Raises
        ------
        ValueError
            When the name is taken, or a number is too large.
        """
        whole = np.ascontiguousarray(numbers, dtype=np.int64)
        known = self._names.setdefault(whole.tobytes(), name)
        if known != name:
            return known
        if name in self.sections:
            raise ValueError(f"two sections are named {name!r}: give each column a name of its own")
        if whole.size and max(-int(whole.min()), int(whole.max())) >= _MOST:
            raise ValueError(f"section {name!r} holds a number of {_MOST} or more")
        base = self._columns.get(since or "")
        encoding, packed, width = _best(whole, base if base is not None and len(base) == len(whole) else None)
        self.sections[name] = Section(
            _dtype(whole),
            whole.shape,
            encoding,
            width,
            self._size,
            since=since if since and encoding == "since" else "",
        )
        self._columns[name] = whole
        self._parts.append(packed)
        self._size += len(packed)
        return name

    def listed(self, values: object) -> int:
        """Keep a JSON value; returns its place in ``lists``."""
        key = json.dumps(values, ensure_ascii=False)
        if key not in self._places:
            self._places[key] = len(self.lists)
            self.lists.append(values)
        return self._places[key]

    def packed(self, page: Mapping[str, Any]) -> bytes:
        """Write the container, uncompressed, with this as the ``page`` of its header."""
        sections = {name: section.plain() for name, section in self.sections.items()}
        header = json.dumps(
            {"page": page, "sections": sections}, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode("utf-8", "replace")
        return b"".join([_HEAD.pack(MAGIC, VERSION, 0, len(header)), header, *self._parts])


class Columns(Mapping[str, "Numbers"]):
    """The columns of a container by name, each decoded when it is first asked for, read-only."""

    def __init__(self, sections: Mapping[str, Section], body: bytes) -> None:
        self._sections = sections
        self._body = np.frombuffer(body, dtype=np.uint8)
        self._known: dict[str, Numbers] = {}

    def __getitem__(self, name: str) -> Numbers:
        """Decode a column."""
        if name not in self._known:
            section = self._sections[name]
            base = self[section.since] if section.since else None
            column = _decoded(section, self._body, base)
            column.setflags(write=False)
            self._known[name] = column
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        """List the names in the order of the header."""
        return iter(self._sections)

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._sections)


def compressed(raw: bytes) -> bytes:
    """Compress as gzip: no clock, no name, the same bytes on every machine."""
    import deflate  # noqa: PLC0415 - only pages need it

    return bytes(deflate.gzip_compress(raw, _LEVEL if len(raw) < _LARGE else _LARGE_LEVEL))


def encoded(raw: bytes) -> str:
    """Write a container as it stands in the page: compressed, base64."""
    return base64.b64encode(compressed(raw)).decode("ascii")


def raw_bytes(page_or_bytes: str | bytes | Path) -> bytes:
    """Find the container in a page (its text, or the file's path), in gzip bytes or in plain ones.

    Raises
    ------
    PayloadError
        When there is none, or its base64 or gzip is damaged.
    """
    import deflate  # noqa: PLC0415 - only pages need it

    if isinstance(page_or_bytes, Path):
        page_or_bytes = page_or_bytes.read_bytes()
    if isinstance(page_or_bytes, bytes) and page_or_bytes[:4] == MAGIC:
        return page_or_bytes
    packed = page_or_bytes
    if not isinstance(packed, bytes) or packed[:2] != b"\x1f\x8b":
        text = packed.decode("utf-8", "replace") if isinstance(packed, bytes) else packed
        found = _BASE64.search(text)
        if found is None:
            raise PayloadError(f"there is no data in it: no script element with the id {ELEMENT!r}")
        try:
            packed = base64.b64decode(found[1], validate=True)
        except binascii.Error as error:
            raise PayloadError(f"the data of the page are damaged: {error}") from error
    try:
        size = int.from_bytes(packed[-4:], "little")
        return bytes(deflate.gzip_decompress(packed, size))
    except (deflate.DeflateError, ValueError) as error:
        raise PayloadError(f"the data of the page are damaged: {error}") from error


def unpack(raw: bytes) -> tuple[dict[str, Any], Columns]:
    """Read a container: its ``page`` and its columns.

    Raises
    ------
    PayloadError
        When the bytes are no container, of a newer version, or cut off.
    """
    if len(raw) < _HEAD.size or raw[:4] != MAGIC:
        raise PayloadError("these bytes are no data of a map page: they do not begin with LCAT")
    _, version, _, length = _HEAD.unpack_from(raw)
    if version > VERSION:
        raise PayloadError(
            f"the page's data are of version {version}, this version reads {VERSION}: upgrade lifecircle"
        )
    start = _HEAD.size + length
    if len(raw) < start:
        raise PayloadError("the page's data are cut off in the header: write the page again")
    header = json.loads(raw[_HEAD.size : start])
    sections = {
        name: Section(**{**one, "shape": tuple(one["shape"])}) for name, one in header["sections"].items()
    }
    ends = [section.at + section.count * section.width for section in sections.values()]
    if len(raw) - start < max(ends, default=0):
        raise PayloadError("the page's data are cut off in a section: write the page again")
    return header["page"], Columns(sections, raw[start:])


# ---------------------------------------------------------------------------------------------------------
# Encodings


def _best(flat: Ints, base: Ints | None) -> tuple[str, bytes, int]:
    """Choose the encoding that compresses best: its name, the planes and their number."""
    import deflate  # noqa: PLC0415 - only pages need it

    tried = {"plain": flat} if not len(flat) or flat.min() >= 0 else {"zigzag": _zigzag(flat)}
    tried["delta"] = _zigzag(np.diff(flat, prepend=0))
    if base is not None:
        tried["since"] = _zigzag(flat - base)
    packed = {name: _planes(values) for name, values in tried.items()}
    sizes = {
        name: len(planes) if len(flat) <= _SMALL else len(deflate.deflate_compress(planes, _TRIAL_LEVEL))
        for name, (planes, _) in packed.items()
    }
    name = min(sizes, key=sizes.__getitem__)
    return name, *packed[name]


def _zigzag(numbers: Ints) -> Ints:
    return (numbers << 1) ^ (numbers >> 63)


def _planes(numbers: Ints) -> tuple[bytes, int]:
    """Lay numbers from 0 upwards out as planes of bytes, as few as hold the largest."""
    width = max(1, (int(numbers.max(initial=0)).bit_length() + 7) // 8)
    table = np.ascontiguousarray(numbers.astype("<u8")).view(np.uint8).reshape(-1, 8)
    return np.ascontiguousarray(table[:, :width].T).tobytes(), width


def _dtype(flat: Ints) -> str:
    """Name the narrowest type that holds every number."""
    low, high = int(flat.min(initial=0)), int(flat.max(initial=0))
    return next(name for name in _DTYPES if np.iinfo(name).min <= low and high <= np.iinfo(name).max)


def _decoded(section: Section, body: npt.NDArray[np.uint8], base: Numbers | None) -> Numbers:
    count, width = section.count, section.width
    planes = body[section.at : section.at + count * width].reshape(width, count)
    numbers = np.zeros(count, dtype=np.int64)
    for plane in range(width):
        numbers |= planes[plane].astype(np.int64) << (8 * plane)
    if section.encoding != "plain":
        numbers = (numbers >> 1) ^ -(numbers & 1)
    if section.encoding == "delta":
        numbers = np.cumsum(numbers)
    elif section.encoding == "since" and base is not None:
        numbers += base
    column: Numbers = numbers.astype(f"<{section.dtype}")
    return column
