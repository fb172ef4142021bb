"""Own the compact form in which columns of numbers stand in the page; not what the columns mean.

Numbers are whole, written seven bits a byte, as base64. They are not compressed: compressors of different
machines give different bytes for the same input, and the page must not differ. ``reading.js`` reads them.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.integer]


class Shelf:
    """Holds each packed column or list once, however many years and targets use it.

    >>> shelf = Shelf()
    >>> shelf.plain(np.array([1, 300])), shelf.plain(np.array([1, 300])), shelf.listed(["a"])
    (0, 0, 0)
    """

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.lists: list[object] = []
        self._places: dict[str, int] = {}

    def plain(self, numbers: Numbers) -> int:
        """Keep numbers from 0 upwards; returns where."""
        return self._column(_varints(np.asarray(numbers).astype(np.uint64)))

    def running(self, numbers: Numbers) -> int:
        """Keep numbers as differences from one to the next: for values that change little; returns where."""
        whole = np.asarray(numbers, dtype=np.int64)
        signed = whole - np.concatenate([[0], whole])[:-1].astype(np.int64)
        return self._column(_varints(((signed << 1) ^ (signed >> 63)).astype(np.uint64)))

    def runs(self, numbers: Numbers) -> int:
        """Keep numbers from 0 upwards as pairs of value and repetitions; returns where."""
        values = np.asarray(numbers, dtype=np.int64)
        starts = np.flatnonzero(np.diff(values, prepend=-1))
        lengths = np.diff(starts, append=len(values))
        return self.plain(np.column_stack([values[starts], lengths]).ravel())

    def nibbles(self, numbers: Numbers) -> int:
        """Keep numbers from 0 to 15, two a byte; returns where."""
        values = np.asarray(numbers, dtype=np.uint8)
        padded = np.append(values, np.zeros(len(values) % 2, dtype=np.uint8))
        return self._column((padded[0::2] | (padded[1::2] << 4)).tobytes())

    def listed(self, values: object) -> int:
        """Keep a JSON value; returns where."""
        key = "list " + json.dumps(values, ensure_ascii=False)
        return self._place(key, self.lists, values)

    def _column(self, packed: bytes) -> int:
        text = base64.b64encode(packed).decode()
        return self._place("column " + text, self.columns, text)

    def _place(self, key: str, shelf: list[object] | list[str], value: object) -> int:
        if key not in self._places:
            self._places[key] = len(shelf)
            shelf.append(value)  # type: ignore[arg-type]  # each list gets values of its own kind
        return self._places[key]


def _varints(numbers: npt.NDArray[np.uint64]) -> bytes:
    """Write numbers with seven bits a byte, low bits first; the high bit tells that more follow."""
    size = np.ones(len(numbers), dtype=np.int64)
    rest = numbers >> np.uint64(7)
    while rest.any():
        size += rest > 0
        rest >>= np.uint64(7)
    start = np.concatenate([[0], np.cumsum(size)])
    out = np.zeros(start[-1], dtype=np.uint8)
    for byte in range(int(size.max(initial=0))):
        mine = size > byte
        bits = (numbers[mine] >> np.uint64(7 * byte)) & np.uint64(127)
        more = np.where(size[mine] > byte + 1, np.uint64(128), np.uint64(0))
        out[start[:-1][mine] + byte] = (bits | more).astype(np.uint8)
    return out.tobytes()
