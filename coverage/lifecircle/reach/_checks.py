"""Check the arrays that are passed to the engine, and write the message of a fault; not what arrays mean.

A graph is most of the memory of a search, so a check of a sound array makes no other array of its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.errors import GraphError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.integer[Any]]
    Flags = npt.NDArray[np.bool_]

MOST_INT32 = 2**31 - 1


def check_count(name: str, value: int) -> int:
    """Return a whole number of at least 1.

    Raises
    ------
    GraphError
        It is no whole number, or below 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise GraphError(f"{name} is {value!r}: give a whole number of at least 1")
    return int(value)


def whole_numbers(name: str, values: npt.ArrayLike) -> Whole:
    """Return a flat array of whole numbers in the type they come in.

    Raises
    ------
    GraphError
        The values are not flat, or not whole.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise GraphError(f"{name} has {array.ndim} dimensions: give a flat sequence of whole numbers")
    if len(array) == 0:
        return np.zeros(0, dtype=np.int32)
    if array.dtype.kind not in "iu":
        raise GraphError(f"{name}[0] is {array[0]!r} of type {array.dtype}: give whole numbers")
    return array


def durations(name: str, values: npt.ArrayLike) -> Floats:
    """Return a flat array of finite seconds >= 0, not copied where that is possible.

    Raises
    ------
    GraphError
        The values are not flat, not numbers, negative or not finite.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GraphError(f"{name} holds something that is no number: {error}") from error
    if array.ndim != 1:
        raise GraphError(f"{name} has {array.ndim} dimensions: give a flat sequence of seconds")
    if not _lies_between(array, 0.0, np.finfo(np.float64).max):
        refuse(name, array, ~(np.isfinite(array) & (array >= 0)), "seconds are finite and >= 0")
    return np.ascontiguousarray(array)


def check_junctions(name: str, array: Whole, size: int) -> None:
    """Raise GraphError when a number is no junction of a graph of this size."""
    if not _lies_between(array, 0, size - 1):
        rule = f"junctions are numbered 0 to {size - 1}" if size else "the graph has no junctions"
        refuse(name, array, (array < 0) | (array >= size), rule)


def check_groups(name: str, array: Whole, *, below: int | None = None) -> None:
    """Raise GraphError when a group is negative, or not below a number."""
    if below is None:
        refuse(name, array, array < 0, "groups are numbers >= 0")
    else:
        refuse(name, array, (array < 0) | (array >= below), f"groups are numbers from 0 to {below - 1}")


def check_pointers(name: str, array: Whole, edges: int) -> None:
    """Check that row pointers divide so many edges.

    Raises
    ------
    GraphError
        They do not begin with 0, fall, or do not end with the number of edges.
    """
    if len(array) == 0 or array[0] != 0:
        found = "nothing" if len(array) == 0 else str(array[0])
        raise GraphError(f"{name}[0] is {found}: row pointers begin with 0")
    falling = array[1:] < array[:-1]
    if falling.any():
        refuse(name, array, np.r_[False, falling], "row pointers never fall")
    if array[-1] != edges:
        raise GraphError(
            f"{name}[{len(array) - 1}] is {array[-1]}: the last row pointer is the number of edges, {edges}"
        )


def check_lengths(many: int, what: str, **arrays: npt.NDArray[Any]) -> None:
    """Check that each array has one value for each edge or source.

    Parameters
    ----------
    many : number of edges or sources
    what : ``edges`` or ``sources``
    arrays : the arrays by name

    Raises
    ------
    GraphError
        An array is longer or shorter than ``many``.
    """
    for name, array in arrays.items():
        if len(array) != many:
            one = "edge" if what == "edges" else "source"
            raise GraphError(f"{name} has {len(array)} values for {many} {what}: give one for each {one}")


def narrowed(array: Whole, most: int) -> Whole:
    """Return whole numbers up to ``most`` as int32, or int64 where they need it; copied only to convert."""
    return np.ascontiguousarray(array, dtype=np.int32 if most <= MOST_INT32 else np.int64)


def refuse(name: str, array: npt.NDArray[Any], bad: Flags, rule: str) -> None:
    """Raise GraphError where ``bad`` (value,) is true anywhere; the message names the first position.

    Parameters
    ----------
    name : what the caller calls the array
    array : (value,) the values
    bad : (value,) bool, the values that are not usable
    rule : what the values should be, for the message

    Raises
    ------
    GraphError
        ``bad`` is true at least once.
    """
    if bad.any():
        position = int(bad.argmax())
        others = int(bad.sum()) - 1
        more = f", and {others} more like it" if others else ""
        raise GraphError(f"{name}[{position}] is {array[position]}: {rule}{more}")


def _lies_between(array: npt.NDArray[Any], low: float, high: float) -> bool:
    """Return whether all values are from low to high; NaN is not."""
    return len(array) == 0 or bool(array.min() >= low and array.max() <= high)
