"""Keep a solved nearest while sources are added and removed; the search itself is in ``_ring``.

A new source changes the labels of the junctions where it is first, and no others. So the search goes on from
it as if it had been the last to start, and ends where it improves nothing. A removed source leaves junctions
without a label. These get the best label that their neighbours outside can pass
on, over the reversed edges, and the search goes on from there.

That nothing else changes holds because a label is the lowest group of those that arrive in equal seconds:
along the fastest way by which a group came to its label, every junction bears that group, so no way of one
group leads through the labels of another. Where rounding makes an exception (see ``_ring``), all labels
are computed again from the seconds; the answer is that of a full search in every case, to the last bit.

Without compiled loops everything is searched again and compared: the same answer, but slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from lifecircle.errors import GraphError
from lifecircle.reach._checks import (
    MOST_INT32,
    check_groups,
    check_junctions,
    check_lengths,
    durations,
    whole_numbers,
)
from lifecircle.reach._ranges import spread
from lifecircle.reach._ring import (
    bare_graph,
    empty_queue,
    lowest_labels,
    ring_nearest,
    run,
    search_loops,
    with_wider_rows,
)
from lifecircle.reach._scipy import scipy_nearest
from lifecircle.reach._seeds import Seeds

if TYPE_CHECKING:
    from types import ModuleType

    import numpy.typing as npt

    from lifecircle.reach._kernels import Graph, Queue, Touched
    from lifecircle.reach._scipy import Matrix

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Labels = npt.NDArray[np.int32]
    Whole = npt.NDArray[np.integer[Any]]


class Change(NamedTuple):
    """What adding or removing a source did.

    ``group`` is the number the source answers with; ``junctions`` (changed,) int64, ascending, are those
    whose seconds or source are not what they were.
    """

    group: int
    junctions: Ints


class _Graph(Protocol):
    """What a repair needs of a graph: see :class:`~lifecircle.reach.TravelGraph`."""

    @property
    def size(self) -> int:
        """Return the number of junctions."""

    @property
    def arrays(self) -> tuple[Whole, Whole, Floats]:
        """Return row pointers, heads and seconds of the edges."""

    @property
    def reversed_arrays(self) -> tuple[Whole, Whole, Floats]:
        """Return the same of the reversed edges."""

    @property
    def bucket_s(self) -> float:
        """Return the width of a bucket of the ring, in seconds."""

    @property
    def matrix(self) -> Matrix:
        """Return the graph as scipy takes it."""


class _Answer(Protocol):
    """A solved nearest: its labels, changed in place, and how they are changed."""

    seconds: Floats
    source: Labels

    def add(self, new: Seeds, every: Seeds) -> Ints:
        """Add new seeds; ``every`` holds all seeds, the new ones too. Return the junctions that changed."""

    def remove(self, group: int, left: Seeds) -> Ints:
        """Remove the labels of a group but for seeds in ``left``; return the junctions that changed."""


@dataclass(eq=False)
class NearestSolve:
    """The nearest source at every junction, kept so that sources can be added and removed.

    Made by :meth:`TravelGraph.solve`. ``seconds`` and ``source`` are always equal to what
    :meth:`TravelGraph.nearest` returns for the present sources, to the last bit. They are changed in place:
    copy what you want to keep. One thread at a time may use a solve.

    Attributes
    ----------
    seconds : (junction,) float64, inf where no source reaches within the limit; read-only, in place
    source : (junction,) int32, the group, -1 where none; read-only, in place

    >>> from lifecircle import TravelGraph
    >>> solve = TravelGraph([0, 1, 3, 4], [1, 0, 2, 1], [10.0, 10.0, 4.0, 4.0]).solve([0])
    >>> solve.add_source(2)
    Change(group=1, junctions=array([1, 2]))
    >>> solve.seconds.tolist(), solve.source.tolist()
    ([0.0, 4.0, 0.0], [0, 1, 1])
    >>> solve.remove_source(0).junctions.tolist(), solve.seconds.tolist()
    ([0], [14.0, 4.0, 0.0])
    """

    seconds: Floats
    source: Labels
    _size: int
    _seeds: Seeds
    _free: int
    _answer: _Answer

    @classmethod
    def of(cls, graph: _Graph, seeds: Seeds, bound_s: float, *, compiled: bool) -> NearestSolve:
        """Solve a graph for checked seeds up to an inclusive bound, by compiled loops or by scipy."""
        check_groups("group", seeds.group, below=MOST_INT32)
        answer: _Answer = (_Repaired if compiled else _SearchedAgain).of(graph, seeds, bound_s)
        shown = answer.seconds.view(), answer.source.view()
        for labels in shown:
            labels.flags.writeable = False
        return cls(*shown, graph.size, seeds, seeds.highest + 1, answer)

    @property
    def groups(self) -> Ints:
        """Return the groups that have a source, ascending: (group,) int64."""
        return np.unique(self._seeds.group)

    def add_source(
        self, node: npt.ArrayLike, start_s: npt.ArrayLike = 0.0, *, group: int | None = None
    ) -> Change:
        """Add a source.

        Parameters
        ----------
        node : junction it starts from, or several that start together, as a facility on an edge does
        start_s : seconds already spent there, >= 0, one for all or one for each junction
        group : number >= 0 to answer with; it may exist already. None is one more than the highest number
            ever used, so that a number never changes its meaning

        Returns
        -------
        change : its group, and the junctions whose answer changed

        Raises
        ------
        GraphError
            When a junction, a start or the group is unusable; nothing is changed then.
        """
        nodes = whole_numbers("node", np.atleast_1d(np.asarray(node)))
        check_junctions("node", nodes, self._size)
        starts = durations("start_s", np.atleast_1d(np.asarray(start_s)))
        if len(starts) == 1:
            starts = np.repeat(starts, len(nodes))
        check_lengths(len(nodes), "sources", start_s=starts)
        number = whole_numbers("group", np.atleast_1d(np.asarray(self._free if group is None else group)))
        check_groups("group", number, below=MOST_INT32)
        new = Seeds(nodes.astype(np.int64), starts, np.full(len(nodes), number[0], dtype=np.int64))
        self._seeds = self._seeds.joined(new)
        self._free = max(self._free, int(number[0]) + 1)
        return Change(int(number[0]), self._answer.add(new, self._seeds))

    def remove_source(self, group: int, *, node: int | None = None) -> Change:
        """Remove a source; the others keep their numbers.

        Parameters
        ----------
        group : number it answers with: its position where no groups were given
        node : junction, to remove only the starts of the group from there

        Returns
        -------
        change : the group, and the junctions whose answer changed

        Raises
        ------
        GraphError
            When no source answers with this number, or none of them starts there; nothing is changed then.
        """
        gone = self._seeds.group == group
        if node is not None:
            gone &= self._seeds.node == node
        if not gone.any():
            where = "" if node is None else f" from junction {node!r}"
            raise GraphError(f"group is {group!r}: no source answers with it{where}, see the property groups")
        self._seeds = self._seeds.where(~gone)
        return Change(int(group), self._answer.remove(int(group), self._seeds))


@dataclass(eq=False)
class _SearchedAgain:
    """Labels that are searched again by scipy at every change."""

    matrix: Matrix
    bound_s: float
    seconds: Floats
    source: Labels

    @classmethod
    def of(cls, graph: _Graph, seeds: Seeds, bound_s: float) -> _SearchedAgain:
        """Search from all seeds."""
        seconds, source = scipy_nearest(graph.matrix, seeds, bound_s)
        return cls(graph.matrix, bound_s, seconds, source.astype(np.int32))

    def add(self, _new: Seeds, every: Seeds) -> Ints:
        """Search from all seeds; return the junctions that changed."""
        seconds, source = scipy_nearest(self.matrix, every, self.bound_s)
        changed = np.flatnonzero((seconds != self.seconds) | (source != self.source))
        self.seconds[changed], self.source[changed] = seconds[changed], source[changed]
        return changed

    def remove(self, _group: int, left: Seeds) -> Ints:
        """Search from the seeds that are left; return the junctions that changed."""
        return self.add(left, left)


@dataclass(eq=False)
class _Repaired:
    """Labels that compiled loops repair where they change."""

    loops: ModuleType
    graph: _Graph
    arrays: Graph
    bound_s: float
    inverse: float
    seconds: Floats
    source: Labels
    queue: Queue
    touched: Touched

    @classmethod
    def of(cls, graph: _Graph, seeds: Seeds, bound_s: float) -> _Repaired:
        """Search from all seeds, and make the queue and the list of changes, which all repairs use."""
        loops = search_loops()
        return cls(
            loops,
            graph,
            bare_graph(loops, *graph.arrays),
            bound_s,
            1.0 / graph.bucket_s,
            *ring_nearest(
                *graph.arrays, seeds.node, seeds.start_s, seeds.group, bound_s, width_s=graph.bucket_s
            ),
            empty_queue(loops, graph.size, 0),
            loops.Touched(
                flag=np.zeros(graph.size, dtype=np.uint8),
                junction=np.empty(graph.size, dtype=np.int32),
                seconds=np.empty(graph.size),
                source=np.empty(graph.size, dtype=np.int32),
                found=np.zeros(1, dtype=np.int64),
            ),
        )

    def add(self, new: Seeds, every: Seeds) -> Ints:
        """Spread the new seeds as far as they are nearer; return the junctions that changed."""
        self.queue.state[:] = 0
        self._plant(new)
        return self._settled(every)

    def remove(self, group: int, left: Seeds) -> Ints:
        """Clear the labels of a group and fill the hole from its border; return what changed."""
        self.queue.state[:] = 0
        lost = np.flatnonzero(self.source == group)
        self._note(lost)
        self.seconds[lost], self.source[lost] = np.inf, -1
        inside = left.where(self.touched.flag[left.node] != 0)
        self._plant(inside.joined(self._border(lost)))
        return self._settled(left)

    def _border(self, lost: Ints) -> Seeds:
        """List the labels that neighbours can pass on to junctions without a label."""
        ptr, tail, weight = self.graph.reversed_arrays
        start = ptr[lost].astype(np.int64)
        row, edge = spread(start, ptr[lost + 1] - start)
        with np.errstate(over="ignore"):
            arrives_s = self.seconds[tail[edge]] + weight[edge]
        offered = np.isfinite(arrives_s)
        node, edge = lost[row[offered]], edge[offered]
        return Seeds(node, arrives_s[offered], self.source[tail[edge]].astype(np.int64))

    def _plant(self, seeds: Seeds) -> None:
        """Lower the labels of junctions to those of seeds, where lower, and add them to the queue."""
        order = np.lexsort((seeds.group, seeds.start_s, seeds.node))
        node, start_s, group = seeds.node[order], seeds.start_s[order], seeds.group[order]
        best = np.ones(len(node), dtype=bool)
        best[1:] = node[1:] != node[:-1]
        known = self.seconds[node]
        best &= (start_s < known) | ((start_s == known) & (group < self.source[node]))
        # The bound is inclusive, as in a full search; a seed beyond it must not leave a label.
        best &= start_s <= self.bound_s
        node, start_s, group, known = node[best], start_s[best], group[best], known[best]
        self._note(node)
        if self._hides(node, known, start_s):
            self.queue.state[self.loops.ROUNDED] = 1
        self.seconds[node], self.source[node] = start_s, group
        rows = self.loops.ROWS
        # All of them wait in the far row at first, whatever their times are: the loop moves them from there.
        while len(self.queue.rows) // (rows + 1) < len(node):
            self.queue = with_wider_rows(self.loops, self.queue)
        far = rows * (len(self.queue.rows) // (rows + 1))
        with np.errstate(over="ignore"):
            bucket = np.minimum(start_s * self.inverse, self.loops.LAST).astype(np.int32)
        self.queue.stamp[node] = bucket
        self.queue.rows[far : far + len(node)] = node
        self.queue.fill[rows] = len(node)

    def _hides(self, node: Ints, before_s: Floats, now_s: Floats) -> bool:
        """Return whether an edge makes the same sum of two times, so that a label beyond it may be stale."""
        lower = (now_s < before_s) & np.isfinite(before_s)
        node, before_s, now_s = node[lower], before_s[lower], now_s[lower]
        ptr, _, seconds = self.graph.arrays
        row, edge = spread(ptr[node], ptr[node + 1] - ptr[node])
        weight = seconds[edge]
        with np.errstate(over="ignore"):
            return bool((before_s[row] + weight == now_s[row] + weight).any())

    def _note(self, junctions: Ints) -> None:
        """List junctions as touched, with their present labels; a second call keeps the first labels."""
        touched = self.touched
        fresh = junctions[touched.flag[junctions] == 0]
        first = int(touched.found[0])
        place = slice(first, first + len(fresh))
        touched.flag[fresh] = 1
        touched.junction[place] = fresh
        touched.seconds[place], touched.source[place] = self.seconds[fresh], self.source[fresh]
        touched.found[0] = place.stop

    def _settled(self, every: Seeds) -> Ints:
        """Continue the search from the junctions that wait; return those whose labels changed."""
        self.queue = run(
            self.loops,
            self.loops.nearest_kernel,
            self.arrays,
            self.queue,
            self.bound_s,
            self.inverse,
            self.seconds,
            self.source,
            None,
            self.touched,
        )
        # A name may be wrong though every time is right (see ``_ring``). It is rare, so all names are
        # computed again instead of searching for those that are wrong.
        if self.queue.state[self.loops.ROUNDED]:
            lowest = lowest_labels(self.arrays, every, self.seconds)
            stale = np.flatnonzero(lowest != self.source)
            self._note(stale)
            self.source[stale] = lowest[stale]
        touched = self.touched
        listed = slice(int(touched.found[0]))
        junction = touched.junction[listed].astype(np.int64)
        # A junction may be cleared and then get the same label back: touched is not yet changed.
        differs = touched.seconds[listed] != self.seconds[junction]
        differs |= touched.source[listed] != self.source[junction]
        touched.flag[junction] = 0
        touched.found[0] = 0
        return np.sort(junction[differs])
