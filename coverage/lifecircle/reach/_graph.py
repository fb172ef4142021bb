"""Compute shortest times over a directed graph given as arrays; without roads, points or access legs.

:class:`TravelGraph` answers on any graph in the caller's own numbering. Two engines do the searching,
scipy (``_scipy``) and compiled loops (``_ring``); their seconds are the same to the last bit, and
``_choice`` estimates which one is faster.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lifecircle.errors import GraphError
from lifecircle.limits import search_bound
from lifecircle.reach._checks import (
    MOST_INT32,
    check_count,
    check_groups,
    check_junctions,
    check_lengths,
    check_pointers,
    durations,
    narrowed,
    whole_numbers,
)
from lifecircle.reach._choice import Engine, Work, check_engine, choose
from lifecircle.reach._repair import NearestSolve
from lifecircle.reach._ring import bucket_width, ring_nearest, ring_nearest_k, ring_within
from lifecircle.reach._scipy import Matrix, matrix_of, scipy_nearest, scipy_nearest_k, scipy_within
from lifecircle.reach._seeds import Seeds

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Whole = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class TravelGraph:
    """A directed graph with seconds on its edges, in compressed sparse rows.

    Edge ``e`` in ``indptr[i]:indptr[i + 1]`` leads from junction ``i`` to ``indices[e]`` in
    ``seconds[e]``. Parallel edges and loops are allowed; an edge of zero seconds is an edge. Whole
    numbers of any type are accepted and converted as below; an array that has the type already is not
    copied but shared. The arrays belong to the graph and are not to be changed.

    Attributes
    ----------
    indptr : (junction + 1,) int32 (int64 from 2^31 edges on), from 0, never falling; read-only
    indices : (edge,) int32, junctions; read-only
    seconds : (edge,) float64, finite and >= 0; read-only
    engine : ``scipy`` or ``ring`` (compiled, needs the extra ``fast``) to insist on one; ``auto`` takes
        the faster one, or the one that the environment variable LIFECIRCLE_ENGINE names.
        Seconds do not depend on it, nor does who wins a tie.

    Raises
    ------
    GraphError
        When an array has another shape or holds another value than that; position and value are named.
        When ``engine`` or, on a question, LIFECIRCLE_ENGINE names no engine.
    MissingExtraError
        On a question, when the ring is insisted on and numba is not installed.

    >>> graph = TravelGraph([0, 2, 3, 3], [1, 2, 2], [10.0, 30.0, 5.0])
    >>> seconds, source = graph.nearest([0])
    >>> seconds.tolist(), source.tolist()
    ([0.0, 10.0, 15.0], [0, 0, 0])
    """

    indptr: Whole
    indices: Whole
    seconds: Floats
    _: KW_ONLY
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        """Check the arrays and hold them in their stated types."""
        check_engine(self.engine)
        indptr = whole_numbers("indptr", self.indptr)
        indices = whole_numbers("indices", self.indices)
        seconds = durations("seconds", self.seconds)
        check_pointers("indptr", indptr, len(indices))
        check_lengths(len(indices), "edges", seconds=seconds)
        check_junctions("indices", indices, len(indptr) - 1)
        # Views that cannot be written to: the compiled loops do not check bounds, so an array changed after
        # these checks could make them read outside their memory. The caller's own array stays writeable.
        for name, array in (
            ("indptr", narrowed(indptr, len(indices))),
            ("indices", narrowed(indices, len(indptr) - 1)),
            ("seconds", seconds),
        ):
            held = array.view()
            held.flags.writeable = False
            object.__setattr__(self, name, held)

    @property
    def size(self) -> int:
        """Return the number of junctions."""
        return len(self.indptr) - 1

    def nearest(
        self,
        sources: npt.ArrayLike,
        limit_s: float | None = None,
        *,
        start_s: npt.ArrayLike | None = None,
        group: npt.ArrayLike | None = None,
    ) -> tuple[Floats, Whole]:
        """Find the source that reaches each junction first, outward along the edges.

        Parameters
        ----------
        sources : (source,) junctions; repeats are allowed, none gives no reach
        limit_s : seconds, inclusive (see :func:`~lifecircle.reach.within_limit`); None is no limit
        start_s : (source,) seconds already spent at each source, >= 0; None is 0
        group : (source,) number >= 0 to answer with instead of the position in ``sources``

        Returns
        -------
        seconds : (junction,) float64, inf where none reaches within the limit
        source : (junction,) int32 (int64 where a group is 2^31 or more), position in ``sources`` (or
            group), -1 where none. Of several sources that arrive in equal seconds, the lowest.

        Raises
        ------
        GraphError
            When a source is no junction, a start or group is unusable, or the limit is negative or NaN.

        >>> graph = TravelGraph([0, 1, 2, 2], [1, 2], [60.0, 30.0])
        >>> seconds, source = graph.nearest([0, 1], limit_s=60)
        >>> seconds.tolist(), source.tolist()
        ([0.0, 0.0, 30.0], [0, 1, 1])
        """
        seeds = self._seeds(sources, start_s, group)
        bound = _bound(limit_s)
        if choose(self.engine, Work.nearest(self.size)) == "scipy":
            first_s, source = scipy_nearest(self.matrix, seeds, bound)
            return first_s, narrowed(source, seeds.highest)
        # The ring holds groups in 32 bits; larger numbers of a caller are replaced by ranks and put back.
        numbered, names = _numbered(seeds)
        seconds, number = ring_nearest(
            *self.arrays, numbered.node, numbered.start_s, numbered.group, bound, width_s=self.bucket_s
        )
        return seconds, _named(number, names)

    def within(
        self,
        sources: npt.ArrayLike,
        limit_s: float,
        *,
        start_s: npt.ArrayLike | None = None,
        group: npt.ArrayLike | None = None,
    ) -> tuple[Ints, Ints, Floats]:
        """Find the junctions that each source reaches within a limit, itself included.

        Parameters
        ----------
        sources, start_s : as for :meth:`nearest`
        limit_s : seconds, inclusive; inf is no limit
        group : (source,) row of each source, >= 0; sources of one group answer together. There are as
            many rows as the highest group asks for; a row without sources is empty.

        Returns
        -------
        indptr : (row + 1,) int64
        nodes : (pair,) int64, ascending within a row
        seconds : (pair,) float64

        Raises
        ------
        GraphError
            As for :meth:`nearest`.

        >>> graph = TravelGraph([0, 1, 2, 2], [1, 2], [60.0, 30.0])
        >>> indptr, nodes, seconds = graph.within([0, 1], 60)
        >>> indptr.tolist(), nodes.tolist(), seconds.tolist()
        ([0, 2, 4], [0, 1, 1, 2], [0.0, 60.0, 0.0, 30.0])
        """
        seeds = self._seeds(sources, start_s, group)
        bound = _bound(limit_s)
        rows = int(seeds.group.max()) + 1 if len(seeds) else 0
        if self.engine_within(rows, limit_s) == "scipy":
            return scipy_within(self.matrix, seeds, rows, bound)
        row_ptr, nodes, seconds = self.ring_rows(seeds, rows, bound)
        return row_ptr, nodes.astype(np.int64), seconds

    def nearest_k(
        self,
        sources: npt.ArrayLike,
        k: int,
        limit_s: float | None = None,
        *,
        start_s: npt.ArrayLike | None = None,
        group: npt.ArrayLike | None = None,
    ) -> tuple[Floats, Whole]:
        """Find the k distinct sources (or groups) that reach each junction first.

        Parameters
        ----------
        sources, limit_s, start_s, group : as for :meth:`nearest`
        k : >= 1

        Returns
        -------
        seconds : (junction, k) float64, never falling along a row, inf where there are fewer
        source : (junction, k) int32 or int64 as for :meth:`nearest`, position in ``sources`` (or group),
            -1 where there are fewer. Equal seconds stand in the order of the positions.

        Raises
        ------
        GraphError
            As for :meth:`nearest`, and when ``k`` is below 1.

        >>> graph = TravelGraph([0, 1, 2, 2], [1, 2], [60.0, 30.0])
        >>> seconds, source = graph.nearest_k([0, 1], 2)
        >>> seconds.tolist()
        [[0.0, inf], [0.0, 60.0], [30.0, 90.0]]
        """
        wanted = check_count("k", k)
        seeds = self._seeds(sources, start_s, group)
        bound = _bound(limit_s)
        groups = len(np.unique(seeds.group))
        if choose(self.engine, Work.nearest_k(self.size, groups, wanted)) == "scipy":
            ranked_s, ranked = scipy_nearest_k(self.matrix, seeds, wanted, bound)
            return ranked_s, narrowed(ranked, seeds.highest)
        ranks = max(1, min(wanted, groups))
        numbered, names = _numbered(seeds)
        seconds, number = ring_nearest_k(
            *self.arrays,
            numbered.node,
            numbered.start_s,
            numbered.group,
            ranks,
            bound,
            width_s=self.bucket_s,
        )
        source = _named(number, names)
        if ranks == wanted:
            return seconds, source
        # Fewer groups than ranks asked for: the ring searches only the ranks there can be, which costs less.
        missing = ((0, 0), (0, wanted - ranks))
        return (
            np.pad(seconds, missing, constant_values=np.inf),
            np.pad(source, missing, constant_values=-1),
        )

    def solve(
        self,
        sources: npt.ArrayLike,
        limit_s: float | None = None,
        *,
        start_s: npt.ArrayLike | None = None,
        group: npt.ArrayLike | None = None,
    ) -> NearestSolve:
        """Find the source that reaches each junction first, and keep the answer for repair.

        Parameters
        ----------
        sources, limit_s, start_s, group : as for :meth:`nearest`, groups below 2^31 - 1

        Returns
        -------
        solve : ``seconds`` and ``source`` as :meth:`nearest` returns them, and the methods to add and remove
            a source. Compiled loops touch only what changes; scipy searches again.

        Raises
        ------
        GraphError
            As for :meth:`nearest`.
        """
        seeds = self._seeds(sources, start_s, group)
        bound = _bound(limit_s)
        compiled = choose(self.engine, Work.repairs(self.size)) == "ring"
        return NearestSolve.of(self, seeds, bound, compiled=compiled)

    @property
    def arrays(self) -> tuple[Whole, Whole, Floats]:
        """Return the graph as the engines take it: ``indptr``, ``indices``, ``seconds``."""
        return self.indptr, self.indices, self.seconds

    @cached_property
    def reversed_arrays(self) -> tuple[Whole, Whole, Floats]:
        """Return the reversed edges in the same form: one row for each head, listing its tails."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - only a source that is removed asks for it

        size = self.size
        turned = csr_array((self.seconds, self.indices, self.indptr), shape=(size, size)).tocsc()
        return turned.indptr, turned.indices, turned.data

    @cached_property
    def bucket_s(self) -> float:
        """Return the width of a bucket of the ring, in seconds."""
        return bucket_width(self.seconds)

    def engine_within(self, rows: int, limit_s: float) -> Literal["scipy", "ring"]:
        """Choose the engine that finds what ``rows`` groups reach within a limit."""
        return choose(self.engine, Work.within(self.size, rows, bounded=bool(np.isfinite(limit_s))))

    def ring_rows(
        self, seeds: Seeds, rows: int, bound_s: float
    ) -> tuple[Ints, npt.NDArray[np.int32], Floats]:
        """Find the junctions that each of the groups 0 to ``rows`` - 1 reaches, with the compiled loops.

        Parameters
        ----------
        seeds : where the searches start, checked
        rows : number of groups
        bound_s : seconds, inclusive

        Returns
        -------
        row_ptr : (row + 1,) int64
        nodes : (pair,) int32, ascending within a row
        seconds : (pair,) float64

        Raises
        ------
        MissingExtraError
            When numba is not installed.
        """
        # The ring takes seeds row by row, so that a row is a slice and nothing is searched for in it.
        order = np.argsort(seeds.group, kind="stable")
        group_ptr = np.concatenate([[0], np.cumsum(np.bincount(seeds.group, minlength=rows))])
        return ring_within(
            *self.arrays,
            seeds.node[order],
            seeds.start_s[order],
            group_ptr,
            bound_s,
            width_s=self.bucket_s,
        )

    @cached_property
    def matrix(self) -> Matrix:
        """Return the graph as scipy takes it."""
        return matrix_of(self.indptr, self.indices, self.seconds)

    def _seeds(
        self, sources: npt.ArrayLike, start_s: npt.ArrayLike | None, group: npt.ArrayLike | None
    ) -> Seeds:
        node = whole_numbers("sources", sources)
        check_junctions("sources", node, self.size)
        many = len(node)
        start = np.zeros(many) if start_s is None else durations("start_s", start_s)
        label = np.arange(many) if group is None else whole_numbers("group", group).astype(np.int64)
        check_lengths(many, "sources", start_s=start, group=label)
        check_groups("group", label)
        return Seeds(node.astype(np.int64), start, label)


def _numbered(seeds: Seeds) -> tuple[Seeds, Ints | None]:
    """Return groups as numbers the ring accepts; if too high, their ranks, and the group of each rank."""
    return (seeds, None) if seeds.highest <= MOST_INT32 else seeds.ranked()


def _named(number: npt.NDArray[np.int32], names: Ints | None) -> Whole:
    """Replace each number by its group, -1 where there is none."""
    if names is None:
        return number
    named: Ints = np.append(names, -1)[number]
    return named


def _bound(limit_s: float | None) -> float:
    if limit_s is None:
        return np.inf
    if not limit_s >= 0:
        raise GraphError(f"limit_s is {limit_s!r}: give seconds >= 0, or None for no limit")
    return search_bound(limit_s)
