"""Own the compiled yardsticks: a textbook binary-heap search, and one pass over memory as a lower bound."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]


@njit(nogil=True)
def stream(indptr: Array, indices: Array, seconds: Array, first_s: Array, source: Array) -> float:
    """Read every edge once and write every answer once, in order: no search can do with less."""
    total = 0.0
    for junction in range(len(indptr) - 1):
        row = 0.0
        name = 0
        for edge in range(indptr[junction], indptr[junction + 1]):
            row += seconds[edge]
            name ^= indices[edge]
        first_s[junction] = row
        source[junction] = name
        total += row
    return total


@njit(nogil=True)
def _push(keys: Array, values: Array, many: int, key: float, value: int) -> int:
    hole = many
    while hole > 0:
        parent = (hole - 1) >> 1
        if keys[parent] <= key:
            break
        keys[hole], values[hole] = keys[parent], values[parent]
        hole = parent
    keys[hole], values[hole] = key, value
    return many + 1


@njit(nogil=True)
def _pop(keys: Array, values: Array, many: int) -> int:
    """Take the first entry away; the caller has read it."""
    many -= 1
    key, value = keys[many], values[many]
    hole = 0
    while 2 * hole + 1 < many:
        child = 2 * hole + 1
        if child + 1 < many and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[hole], values[hole] = keys[child], values[child]
        hole = child
    keys[hole], values[hole] = key, value
    return many


@njit(nogil=True)
def heap_nearest(  # noqa: PLR0913, PLR0917 - bare arrays of a compiled loop
    indptr: Array,
    indices: Array,
    seconds: Array,
    sources: Array,
    limit_s: float,
    first_s: Array,
    source: Array,
    keys: Array,
    values: Array,
) -> None:
    """Find the first source at every junction with a binary heap and lazy deletion."""
    first_s[:] = np.inf
    source[:] = -1
    many = 0
    for i in range(len(sources)):
        if source[sources[i]] < 0:
            first_s[sources[i]], source[sources[i]] = 0.0, i
            many = _push(keys, values, many, 0.0, sources[i])
    while many > 0:
        now, junction = keys[0], values[0]
        many = _pop(keys, values, many)
        if now > first_s[junction]:
            continue
        for edge in range(indptr[junction], indptr[junction + 1]):
            head, time_s = indices[edge], now + seconds[edge]
            if time_s <= limit_s and time_s < first_s[head]:
                first_s[head], source[head] = time_s, source[junction]
                many = _push(keys, values, many, time_s, head)


@njit(nogil=True)
def heap_nearest_k(  # noqa: PLR0913, PLR0917 - a whole heap search, compiled as one
    indptr: Array,
    indices: Array,
    seconds: Array,
    sources: Array,
    k: int,
    limit_s: float,
    first_s: Array,
    source: Array,
    settled: Array,
    keys: Array,
    values: Array,
) -> None:
    """Find the first k sources at every junction with a binary heap; what is settled is never revised.

    ``values`` hold a junction and the position of a source in one int64.
    """
    first_s[:, :] = np.inf
    source[:, :] = -1
    settled[:] = 0
    many = 0
    for i in range(len(sources)):
        many = _push(keys, values, many, 0.0, (np.int64(sources[i]) << 32) | i)
    while many > 0:
        now, junction, group = keys[0], values[0] >> 32, values[0] & 0xFFFFFFFF
        many = _pop(keys, values, many)
        rank = settled[junction]
        known = rank == k
        for j in range(rank):
            known = known or source[junction, j] == group
        if known:
            continue
        first_s[junction, rank], source[junction, rank] = now, group
        settled[junction] = rank + 1
        for edge in range(indptr[junction], indptr[junction + 1]):
            head, time_s = indices[edge], now + seconds[edge]
            known = time_s > limit_s or settled[head] == k
            for j in range(settled[head]):
                known = known or source[head, j] == group
            if not known:
                many = _push(keys, values, many, time_s, (np.int64(head) << 32) | group)
