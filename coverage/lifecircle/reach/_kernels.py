"""Run the ring-bucket search in compiled loops; its idea, its checks and its memory are in ``_ring``.

Importing this module imports numba. A kernel allocates nothing: it works in the arrays it receives and
returns :data:`DONE`, or which array is too small, and continues where it stopped when it is called again
with a larger one. Junctions and places are unsigned wherever they index, which spares the compiled code
the check for negative ones (1.3 times faster).

Two things here differ from the other modules. A kernel takes many positional arguments: it receives every
array it works in, and numba knows no keyword-only ones. And its loop is not divided into functions: a call in
the loop that passes arrays counts their references each time, which made the search half as fast.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaError
from numba.extending import intrinsic

from lifecircle.compiled import kernel, part, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Junctions = npt.NDArray[np.uint32]
    Words = npt.NDArray[np.uint64]
    Longs = npt.NDArray[np.int64]
    Labels = npt.NDArray[np.int32]

_log = logging.getLogger(__name__)

ROWS = 64
"""Rows of the ring, a power of two. One more row, the far row, stands behind them."""

LAST = 2**31 - 1
"""Highest bucket; all later times share it, so that a stamp fits 32 bits whatever the weights are."""

IDLE = -1
"""Stamp of a junction that waits in no bucket."""

FINISHED = -1
"""Bucket of a search in which nothing waits."""

DONE, ROWS_FULL, OUTPUT_FULL = 0, 1, 2
"""What a kernel returns: finished, or which arrays must grow before it is called again."""

BUCKET, ENTRY, OUTPUT, PHASE, ROUNDED = 0, 1, 2, 3, 4
"""Places of ``Queue.state``: the bucket being emptied and the entry of its row to look at next; for
:func:`within_kernel` the output row being made and what is being done for it; for :func:`nearest_kernel`
whether a group was replaced at a junction that it may have left its name beyond."""

STATES = 5
"""Length of ``Queue.state``; a new search begins with zeros."""

_SEEDING, _SEARCHING = 0, 1
_MASK = ROWS - 1
_LAST_FLOAT = float(LAST)
_NEXT, _ONE = np.uint32(1), np.uint64(1)
_SOON = 2
"""Entries of a row by which the labels behind its edges are called for: with ``k`` of them it pays."""
_BIT, _SIX, _TWELVE, _LOW_SIX = np.uint64(1), np.uint64(6), np.uint64(12), np.uint64(63)

_DE_BRUIJN = 0x03F79D71B4CB0A89
"""Its product with each power of two has another number in the top six bits: this finds the lowest set
bit of a word without an instruction of the processor's own."""

_SPREAD = np.uint64(_DE_BRUIJN)
_PLACE_OF = np.zeros(64, dtype=np.uint64)
_PLACE_OF[[((_DE_BRUIJN << place) % 2**64) >> 58 for place in range(64)]] = np.arange(64)


class Graph(NamedTuple):
    """Edges in compressed sparse rows.

    ``indptr`` (junction + 1,) uint32 or uint64, ``indices`` (edge,) uint32, ``seconds`` (edge,) float64.
    """

    indptr: npt.NDArray[Any]
    indices: Junctions
    seconds: Floats


class Queue(NamedTuple):
    """Junctions that wait, and how far the search has come.

    ``stamp`` (junction,) is the bucket each one waits in, or :data:`IDLE`; an entry whose junction bears
    another stamp is stale. ``rows`` is (ROWS + 1, capacity) laid flat: row ``bucket % ROWS`` for the
    buckets that are near, the last row for the others. ``fill`` (ROWS + 1,) counts the entries.
    ``state`` is (STATES,).
    """

    stamp: Labels
    rows: Junctions
    fill: Longs
    state: Longs


class Seeds(NamedTuple):
    """Where searches start: ``node`` and ``start_s`` (seed,); those of row i in ``ptr[i]:ptr[i + 1]``."""

    node: Junctions
    start_s: Floats
    ptr: Longs


class Marks(NamedTuple):
    """The set of junctions reached, read in ascending order without sorting.

    ``word`` has a bit for each junction, ``block`` a bit for each word, ``found`` (1,) the number of bits.
    """

    word: Words
    block: Words
    found: Longs


class Touched(NamedTuple):
    """The junctions whose labels a repair changes, and what they were before.

    ``flag`` (junction,) is 1 for those that are listed; ``junction``, ``seconds`` and ``source`` have room
    for all junctions and are written as far as ``found`` (1,) says.
    """

    flag: npt.NDArray[np.uint8]
    junction: Labels
    seconds: Floats
    source: Labels
    found: Longs


class Pairs(NamedTuple):
    """Output of :func:`within_kernel`: ``row_ptr`` (row + 1,), ``nodes`` and ``seconds`` (pair,)."""

    row_ptr: Longs
    nodes: Labels
    seconds: Floats


def _type_prefetch(_typing: Any, array: Any, index: Any) -> Any:
    """Type LLVM's hint to load ``array[index]`` into every cache; arrays are one-dimensional."""
    if not isinstance(array, types.Array) or not isinstance(index, types.Integer):
        return None

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        """Write the call of LLVM's prefetch for the address of the value."""
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        place = context.cast(builder, values[1], signature.args[1], types.intp)
        address = builder.bitcast(builder.gep(data, [place]), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        toolkit: Any = cgutils  # typed in part
        hint = toolkit.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        reading, every_cache, data_cache = number(0), number(3), number(1)
        builder.call(hint, [address, reading, every_cache, data_cache])
        return context.get_dummy_value()

    return types.void(array, index), emit


_prefetch = cast("Callable[[Any, Any], None]", intrinsic(_type_prefetch))


@kernel
def _prefetch_probe(values: Floats) -> float:
    """Hint and read: compiles only where the hint does."""
    _prefetch(values, 0)
    return float(values[0])


def prefetch_compiles() -> bool:
    """Return whether numba and LLVM, as installed here, compile the hint; it is kept like a kernel."""
    wait_for(_prefetch_probe)
    try:
        _prefetch_probe(np.zeros(1))
    except OSError as error:
        _log.info("compiled code is not kept: %s", error)  # it was compiled all the same
    # Versions of numba and llvmlite fail here in different ways; the search works without the hint.
    except (NumbaError, RuntimeError, AttributeError, TypeError, NotImplementedError) as error:
        _log.info("searching without prefetch: %s", error)
        return False
    return True


@part
def _bucket(seconds: float, inverse_width: float) -> int:
    """Return the number of the bucket of a time; it never falls as the time rises."""
    return int(min(seconds * inverse_width, _LAST_FLOAT))


@part
def _sweep(queue: Queue) -> int:
    """Move what the ring has come near from the far row into its rows.

    With an empty ring the search first goes straight to the first bucket of the far row; with that
    empty too, it is finished. Stale entries are dropped, entries that do not fit stay.
    """
    stamp, rows, fill, state = queue
    capacity = len(rows) // (ROWS + 1)
    far = ROWS * capacity
    now, many, near = state[BUCKET], fill[ROWS], 0
    for row in range(ROWS):
        near += fill[row]
    if near == 0:
        now = LAST + 1
        for entry in range(many):
            bucket = stamp[rows[np.uint64(far + entry)]]
            if bucket >= state[BUCKET]:
                now = min(now, bucket)
        if now > LAST:
            fill[ROWS] = 0
            state[BUCKET] = FINISHED
            return DONE
        state[BUCKET] = now
    kept, answer = 0, DONE
    for entry in range(many):
        junction = rows[np.uint64(far + entry)]
        bucket = stamp[junction]
        if bucket < now:
            continue
        row = bucket & _MASK
        if bucket - now < ROWS and fill[row] < capacity:
            rows[np.uint64(row * capacity + fill[row])] = junction
            fill[row] += 1
            continue
        if bucket - now < ROWS:
            answer = ROWS_FULL
        rows[np.uint64(far + kept)] = junction
        kept += 1
    fill[ROWS] = kept
    return answer


@kernel
def nearest_kernel(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one loop: see the module
    graph: Graph,
    queue: Queue,
    limit_s: float,
    inverse_width: float,
    seconds: Floats,
    source: Labels | None,
    marks: Marks | None,
    touched: Touched | None,
    ahead: int | None,
) -> int:
    """Find the first source at every junction, or what can be reached: run the ring until nothing waits.

    ``seconds`` and ``source`` (junction,) hold the starts, else inf and -1, and become least; the junctions
    that hold a start wait in the far row of ``queue``, stamped with their buckets. Or they are those of a
    finished search but for the junctions that wait, whose labels are lower, and for junctions without a
    label; then ``touched`` lists what changes. ``marks`` names what is reached for the first time.

    ``source``, ``marks``, ``touched`` and ``ahead`` may be None: numba leaves out, while it compiles, what
    concerns them; ``touched`` goes with ``source``. A junction that does not fit is not changed, and the
    one being relaxed waits again: with more room it is relaxed again, which does nothing along the edges
    that were relaxed before.

    Where a source takes a junction over from a slower one, and both times are rounded to the same sum
    along an edge that leaves it, the slower one's name may stand behind that edge though it is on no
    fastest way. This is rare; ``state[ROUNDED]`` is then 1.
    """
    indptr, indices, weight = graph
    stamp, rows, fill, state = queue
    if marks is not None:
        word, block, found = marks
    if touched is not None:
        flag, changed, seconds_before, source_before, listed = touched
    capacity = len(rows) // (ROWS + 1)
    sweeping = True
    while True:
        if sweeping or state[BUCKET] & _MASK == 0:
            code = _sweep(queue)
            if code != DONE or state[BUCKET] == FINISHED:
                return code
            sweeping = False
        now = state[BUCKET]
        base = (now & _MASK) * capacity
        filled = fill[now & _MASK]
        entry = state[ENTRY]
        while entry < filled:
            if ahead is not None:
                if entry + 2 * ahead < filled:
                    # Memory is fetched in two steps, because the second address is stored behind the first:
                    # labels and row pointers of a later junction, then the edges of a nearer one whose row
                    # pointers are there by now.
                    later = rows[np.uint64(base + entry + 2 * ahead)]
                    _prefetch(stamp, later)
                    _prefetch(seconds, later)
                    _prefetch(indptr, later)
                    if source is not None:
                        _prefetch(source, later)
                if entry + ahead < filled:
                    edge = indptr[rows[np.uint64(base + entry + ahead)]]
                    _prefetch(indices, edge)
                    _prefetch(weight, edge)
            tail = rows[np.uint64(base + entry)]
            entry += 1
            # A junction whose time fell after it was queued waits in an earlier bucket too: this entry is
            # stale.
            if stamp[tail] != now:
                continue
            stamp[tail] = IDLE
            here = seconds[tail]
            if source is not None:
                owner = source[tail]
            for edge in range(indptr[tail], indptr[tail + _NEXT]):
                time = here + weight[edge]
                if time > limit_s:
                    continue
                head = indices[edge]
                known = seconds[head]
                # Of equal times the lowest source wins, so that the answer does not depend on the order of
                # edges.
                if time > known or (time == known and (source is None or owner >= source[head])):
                    continue
                bucket = _bucket(time, inverse_width)
                if stamp[head] != bucket:
                    row = bucket & _MASK if bucket - now < ROWS else ROWS
                    place = fill[row]
                    # Nothing of the head is changed yet: the tail is relaxed again when the caller has made
                    # more room.
                    if place >= capacity:
                        stamp[tail] = now
                        state[ENTRY] = entry - 1
                        return ROWS_FULL
                    rows[np.uint64(row * capacity + place)] = head
                    fill[row] = place + 1
                    # An edge shorter than a bucket leads into the bucket that is being read: read on to the
                    # new end.
                    if bucket == now:
                        filled = place + 1
                    stamp[head] = bucket
                if marks is not None and known == np.inf:
                    found[0] += 1
                    word[head >> _SIX] |= _BIT << np.uint64(head & _LOW_SIX)
                    block[head >> _TWELVE] |= _BIT << np.uint64((head >> _SIX) & _LOW_SIX)
                if touched is not None and source is not None and flag[head] == 0:
                    flag[head] = 1
                    changed[listed[0]], seconds_before[listed[0]] = head, known
                    source_before[listed[0]] = source[head]
                    listed[0] += 1
                if source is not None:
                    # The slower label may have named junctions behind that this one does not improve by a
                    # single bit.
                    if known < np.inf and time < known and owner != source[head]:
                        for onward in range(indptr[head], indptr[head + _NEXT]):
                            if known + weight[onward] == time + weight[onward]:
                                state[ROUNDED] = 1
                    source[head] = owner
                seconds[head] = time
        # The row is free for the bucket that is one turn of the ring later.
        fill[now & _MASK] = 0
        state[ENTRY] = 0
        state[BUCKET] = now + 1


_settle: Callable[..., int] = part(getattr(nearest_kernel, "py_func", nearest_kernel))
"""The same loop as a part of another kernel."""


@kernel
def nearest_k_kernel(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one loop: see the module
    graph: Graph,
    queue: Queue,
    k: int,
    limit_s: float,
    inverse_width: float,
    seconds: Floats,
    source: Labels,
    ahead: int | None,
) -> int:
    """Find the first ``k`` distinct groups at every junction.

    ``seconds`` and ``source`` are (junction, k) laid flat, each row in order of (seconds, source), with
    inf and -1 behind; the rest is as for :func:`nearest_kernel`. A junction waits in the bucket of its
    first label that was not relaxed yet. Labels of earlier buckets have been, labels of later ones
    have not, so that the bucket alone shows which ones to relax.
    """
    indptr, indices, weight = graph
    stamp, rows, fill, state = queue
    width = np.uint64(k)
    capacity = len(rows) // (ROWS + 1)
    sweeping = True
    while True:
        if sweeping or state[BUCKET] & _MASK == 0:
            code = _sweep(queue)
            if code != DONE or state[BUCKET] == FINISHED:
                return code
            sweeping = False
        now = state[BUCKET]
        base = (now & _MASK) * capacity
        filled = fill[now & _MASK]
        entry = state[ENTRY]
        while entry < filled:
            if ahead is not None:
                if entry + 2 * ahead < filled:
                    later = rows[np.uint64(base + entry + 2 * ahead)]
                    _prefetch(stamp, later)
                    _prefetch(indptr, later)
                    _prefetch(seconds, later * width)
                    _prefetch(source, later * width)
                if entry + ahead < filled:
                    edge = indptr[rows[np.uint64(base + entry + ahead)]]
                    _prefetch(indices, edge)
                    _prefetch(weight, edge)
                if entry + _SOON < filled:
                    soon = rows[np.uint64(base + entry + _SOON)]
                    for edge in range(indptr[soon], indptr[soon + _NEXT]):
                        _prefetch(seconds, indices[edge] * width)
                        _prefetch(source, indices[edge] * width)
            tail = rows[np.uint64(base + entry)]
            entry += 1
            if stamp[tail] != now:
                continue
            stamp[tail] = IDLE
            first = tail * width
            end = first + width
            # Labels are sorted by time: those of earlier buckets come first and have been relaxed already.
            # Numbers are unsigned here: ``first`` and ``end`` never fall below zero.
            while first < end and source[first] >= 0 and _bucket(seconds[first], inverse_width) < now:
                first += _ONE
            last = first
            while last < end and source[last] >= 0 and _bucket(seconds[last], inverse_width) == now:
                last += _ONE
            for edge in range(indptr[tail], indptr[tail + _NEXT]):
                head = indices[edge]
                top = head * width
                worst = top + width - _ONE
                for label in range(first, last):
                    time = seconds[label] + weight[edge]
                    bound = seconds[worst]
                    # Labels come in order of time, so the later ones of this junction do not fit either.
                    if time > limit_s or time > bound:
                        break
                    owner = source[label]
                    if time == bound and owner >= source[worst]:
                        continue
                    rank = top
                    # A group stands in a row once: its older label, if it is slower, is the one that gives
                    # way.
                    while rank < worst and source[rank] != owner:
                        rank += _ONE
                    if source[rank] == owner and seconds[rank] <= time:
                        continue
                    bucket = _bucket(time, inverse_width)
                    if stamp[head] == IDLE or bucket < stamp[head]:
                        row = bucket & _MASK if bucket - now < ROWS else ROWS
                        place = fill[row]
                        if place >= capacity:
                            stamp[tail] = now
                            state[ENTRY] = entry - 1
                            return ROWS_FULL
                        rows[np.uint64(row * capacity + place)] = head
                        fill[row] = place + 1
                        if bucket == now:
                            filled = place + 1
                        stamp[head] = bucket
                    # Insert in place: slower labels move one down until the new one is in order.
                    while rank > top and (
                        time < seconds[rank - _ONE]
                        or (time == seconds[rank - _ONE] and owner < source[rank - _ONE])
                    ):
                        seconds[rank] = seconds[rank - _ONE]
                        source[rank] = source[rank - _ONE]
                        rank -= _ONE
                    seconds[rank] = time
                    source[rank] = owner
            # Labels of later buckets are still to be relaxed, so the junction waits again.
            if last < end and source[last] >= 0:
                bucket = _bucket(seconds[last], inverse_width)
                row = bucket & _MASK if bucket - now < ROWS else ROWS
                place = fill[row]
                if place >= capacity:
                    stamp[tail] = now
                    state[ENTRY] = entry - 1
                    return ROWS_FULL
                rows[np.uint64(row * capacity + place)] = tail
                fill[row] = place + 1
                stamp[tail] = bucket
        fill[now & _MASK] = 0
        state[ENTRY] = 0
        state[BUCKET] = now + 1


@part
def _seed(  # noqa: PLR0913, PLR0917 - see the module
    seeds: Seeds, row: int, queue: Queue, marks: Marks, limit_s: float, inverse_width: float, seconds: Floats
) -> None:
    """Begin the search of an output row: its seeds wait in the far row, which has room for them."""
    word, block, found = marks
    far = len(queue.rows) // (ROWS + 1) * ROWS
    queue.state[BUCKET] = 0
    for i in range(seeds.ptr[row], seeds.ptr[row + 1]):
        node, start = seeds.node[i], seeds.start_s[i]
        if start > limit_s or start >= seconds[node]:
            continue
        if seconds[node] == np.inf:
            found[0] += 1
            word[node >> _SIX] |= _BIT << np.uint64(node & _LOW_SIX)
            block[node >> _TWELVE] |= _BIT << np.uint64((node >> _SIX) & _LOW_SIX)
            queue.rows[np.uint64(far + queue.fill[ROWS])] = node
            queue.fill[ROWS] += 1
        seconds[node] = start
        queue.stamp[node] = _bucket(start, inverse_width)


@part
def _write(marks: Marks, row: int, pairs: Pairs, seconds: Floats) -> None:
    """Write what was reached, in ascending order, and make ``seconds`` inf and ``marks`` empty again."""
    word, block, found = marks
    at = pairs.row_ptr[row]
    for b in range(len(block)):
        words = block[b]
        block[b] = 0
        while words:
            w = (np.uint64(b) << _SIX) | _PLACE_OF[((words & (~words + _BIT)) * _SPREAD) >> np.uint64(58)]
            # Clears the lowest bit that is set, so the loop takes one step for each junction reached.
            words &= words - _BIT
            bits = word[w]
            word[w] = 0
            while bits:
                node = (w << _SIX) | _PLACE_OF[((bits & (~bits + _BIT)) * _SPREAD) >> np.uint64(58)]
                bits &= bits - _BIT
                pairs.nodes[at] = node
                pairs.seconds[at] = seconds[node]
                seconds[node] = np.inf
                at += 1
    found[0] = 0
    pairs.row_ptr[row + 1] = at


@kernel
def within_kernel(  # noqa: PLR0913, PLR0917 - see the module
    graph: Graph,
    queue: Queue,
    seeds: Seeds,
    limit_s: float,
    inverse_width: float,
    seconds: Floats,
    marks: Marks,
    pairs: Pairs,
    ahead: int | None,
) -> int:
    """Find the junctions that the seeds of each row reach, one row after the other.

    ``seconds`` (junction,) is inf and ``marks`` empty on entry and again on exit: only what a row
    reached is reset for the next. The far row has room for the seeds of any row.
    """
    state = queue.state
    while state[OUTPUT] < len(seeds.ptr) - 1:
        row = state[OUTPUT]
        if state[PHASE] == _SEEDING:
            _seed(seeds, row, queue, marks, limit_s, inverse_width, seconds)
            state[PHASE] = _SEARCHING
        code = _settle(graph, queue, limit_s, inverse_width, seconds, None, marks, None, ahead)
        if code != DONE:
            return code
        # Asked before writing: a row is written as a whole, and ``seconds`` and ``marks`` stay for the next
        # call.
        if pairs.row_ptr[row] + marks.found[0] > len(pairs.nodes):
            return OUTPUT_FULL
        _write(marks, row, pairs, seconds)
        state[PHASE] = _SEEDING
        state[OUTPUT] = row + 1
    return DONE
