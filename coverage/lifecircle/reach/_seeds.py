"""Hold where a search starts, and find which group wins a tie; without searching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.reach._ranges import spread

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Seeds:
    """Where a search starts: ``node``, ``start_s`` (seconds, >= 0) and ``group`` (>= 0), each (seed,)."""

    node: Ints
    start_s: Floats
    group: Ints

    def __len__(self) -> int:
        """Count the seeds."""
        return len(self.node)

    @property
    def highest(self) -> int:
        """Return the highest group, -1 where there are no seeds."""
        return int(self.group.max(initial=-1))

    def where(self, mask: npt.NDArray[np.bool_]) -> Seeds:
        """Return the seeds where ``mask`` (seed,) is true."""
        return Seeds(self.node[mask], self.start_s[mask], self.group[mask])

    def joined(self, other: Seeds) -> Seeds:
        """Return these seeds followed by the others."""
        return Seeds(
            np.concatenate([self.node, other.node]),
            np.concatenate([self.start_s, other.start_s]),
            np.concatenate([self.group, other.group]),
        )

    def ranked(self) -> tuple[Seeds, Ints]:
        """Return the seeds with groups numbered from 0 in ascending order, and (number,) the groups."""
        present = np.unique(self.group)
        return Seeds(self.node, self.start_s, np.searchsorted(present, self.group)), present


def lowest_groups(  # noqa: PLR0913 - a graph as bare arrays, and what a search found on it
    tail: npt.NDArray[np.integer[Any]],
    head: npt.NDArray[np.integer[Any]],
    weight: Floats,
    *,
    seconds: Floats,
    seeds: Seeds,
    group: npt.NDArray[Any] | None = None,
) -> Ints:
    """Return the lowest of the groups that arrive at each junction in equal seconds.

    A group begins at the junctions where one of its seeds starts with the final seconds. It goes on along
    tight edges: those on a fastest way, where the seconds add up exactly. Of all groups that come to a
    junction in this manner, the lowest is returned. A heap search gives the same answer when it takes the
    waiting junctions in the order of (seconds, group).

    Parameters
    ----------
    tail, head, weight : (edge,) the graph, ``tail`` never falling
    seconds : (junction,) from the nearest seed, inf where none
    seeds : where the search started
    group : (junction,) groups that do come to each junction in this manner, not yet the lowest; None
        where none is known

    Returns
    -------
    lowest : (junction,) int64, -1 where ``seconds`` is inf
    """
    reached = np.isfinite(seconds)
    highest = np.iinfo(np.int64).max
    lowest = np.full(len(seconds), highest) if group is None else group.astype(np.int64)
    at_start = seeds.start_s == seconds[seeds.node]
    np.minimum.at(lowest, seeds.node[at_start], seeds.group[at_start])
    tight = (seconds[tail] + weight == seconds[head]) & reached[head]
    tail, head = tail[tight], head[tight]
    counts = np.bincount(tail, minlength=len(seconds))
    starts = np.cumsum(counts) - counts
    edge = np.arange(len(tail))
    # Repeated until no label falls: a chain of tight edges passes the lowest group on by one edge in each
    # step.
    while len(edge):
        edge = edge[lowest[tail[edge]] < lowest[head[edge]]]
        np.minimum.at(lowest, head[edge], lowest[tail[edge]])
        changed = np.unique(head[edge])
        _, edge = spread(starts[changed], counts[changed])
    return np.where(reached, lowest, -1)
