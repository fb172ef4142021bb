"""Join rows to runs of rows and find the least of each pair; without knowing what the rows mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


def spread(
    starts: npt.NDArray[np.integer], counts: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """List the members of many runs, one after the other.

    Parameters
    ----------
    starts, counts : (run,) first member and number of members of each run

    Returns
    -------
    run, member : (sum of counts,) the run of each member, and the member

    >>> run, member = spread(np.array([5, 0, 9]), np.array([2, 0, 3]))
    >>> run.tolist(), member.tolist()
    ([0, 0, 2, 2, 2], [5, 6, 9, 10, 11])
    """
    many = counts.astype(np.int64)
    run = np.repeat(np.arange(len(many), dtype=np.int64), many)
    before = np.cumsum(many) - many
    member = np.arange(len(run), dtype=np.int64) + np.repeat(starts.astype(np.int64) - before, many)
    return run, member


def least_of(row: Ints, place: Ints, time: Floats, *, width: int) -> tuple[Ints, Ints, Floats]:
    """Return each (row, place) once, with its least time: ascending; ``place`` is below ``width``."""
    key = row * width + place
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
    least = np.minimum.reduceat(time[order], first) if len(key) else np.zeros(0)
    return key[first] // width, key[first] % width, least
