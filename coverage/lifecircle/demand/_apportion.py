"""Divide whole people among rows by the method of the largest remainder, to the person.

Rows are taken together in neighbourhoods first, so that many places with a fraction of a person each lose
nobody to a few places with more: whole people go to neighbourhoods by their largest remainders, and then
within each to its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.errors import ProofError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

NEIGHBOURS = 20.0
"""People of a neighbourhood, as near as its rows allow."""

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_SAME = 1e-9
_ROUNDS = 60
_NOTHING = 1e-200
"""Share of the largest weight of a part below which a weight is none."""


def largest_remainders(quotas: Floats, parts: npt.NDArray[np.intp], totals: Ints) -> Ints:
    """Return whole numbers that add up to the total of each part: the floor of a quota, or one more.

    Whoever has the largest remainder gets one more. Of equal remainders the rows are taken evenly along their
    order, and not from its beginning, which would empty the end of a town.

    Parameters
    ----------
    quotas : (row,) that add up to the total of their part
    parts : (row,) position of the part
    totals : (part,) whole numbers

    Returns
    -------
    counts : (row,)

    >>> largest_remainders(np.array([1.5, 0.9, 0.6]), np.zeros(3, dtype=int), np.array([3])).tolist()
    [1, 1, 1]
    """
    floors = np.floor(quotas + _SAME)
    counts = floors.astype(np.int64)
    remainder = np.round(np.maximum(quotas - floors, 0.0), 9)
    left = totals - np.bincount(parts, weights=counts, minlength=len(totals)).astype(np.int64)
    even = (np.arange(len(quotas)) * _GOLDEN) % 1.0
    order = np.lexsort((even, -remainder, parts))
    first = np.searchsorted(parts[order], np.arange(len(totals)))
    rank = np.arange(len(order)) - first[parts[order]]
    counts[order[rank < left[parts[order]]]] += 1
    return counts


def capped_quotas(weights: Floats, caps: Floats, parts: npt.NDArray[np.intp], totals: Ints) -> Floats:
    """Return shares of the totals by weight, none above its cap; the others take what a full row cannot.

    Parameters
    ----------
    weights, caps : (row,) not negative
    parts : (row,) position of the part
    totals : (part,) each at most the caps of its rows together

    Returns
    -------
    quotas : (row,) that add up to the totals; rows without weight take only what the others cannot

    >>> part = np.zeros(3, dtype=int)
    >>> capped_quotas(np.array([8.0, 1.0, 1.0]), np.array([2.0, 9.0, 9.0]), part, np.array([6])).tolist()
    [2.0, 2.0, 2.0]
    """
    quotas = np.zeros(len(weights))
    # Rows without weight stand back until the others are full, then take by their caps.
    for wish in (weights, np.where(weights > 0, 0.0, caps), np.ones(len(weights))):
        for _ in range(_ROUNDS):
            open_rows = np.where(quotas < caps - _SAME, wish, 0.0)
            missing = totals - np.bincount(parts, weights=quotas, minlength=len(totals))
            sums = np.bincount(parts, weights=open_rows, minlength=len(totals))
            step = np.divide(missing, sums, out=np.zeros(len(totals)), where=(sums > 0) & (missing > _SAME))
            if not step.any():
                break
            quotas = np.minimum(quotas + open_rows * step[parts], caps)
    return quotas


def apportion(
    weights: Any, parts: npt.NDArray[np.intp], totals: Ints, *, xy: Floats | None = None, caps: Any = None
) -> Ints:
    """Divide whole people of every part among its rows, by weight and to the person.

    Parameters
    ----------
    weights : (row,) not negative; where all of a part are 0, its rows are equal
    parts : (row,) position of the part, all of them with at least one row
    totals : (part,) whole people
    xy : (row, 2) places, by which rows are neighbours; left out, by their order
    caps : (row,) most people of a row, whole; left out, no limit

    Returns
    -------
    people : (row,) whole

    Raises
    ------
    ProofError
        The rows do not add up to the totals, which no input may cause.

    >>> apportion([1.0, 1.0, 2.0], np.array([0, 0, 0]), np.array([5])).tolist()
    [1, 1, 3]
    """
    weights = np.asarray(weights, dtype=float)
    empty = np.bincount(parts, weights=weights, minlength=len(totals)) <= 0
    weights = np.where(empty[parts], 1.0, weights)
    # In shares of the largest of its part: a sum of numbers near the smallest there is cannot be divided by.
    largest = np.zeros(len(totals))
    np.maximum.at(largest, parts, weights)
    weights = weights / np.where(largest > 0, largest, 1.0)[parts]
    weights = np.where(weights < _NOTHING, 0.0, weights)
    sums = np.bincount(parts, weights=weights, minlength=len(totals))
    if caps is None:
        quotas, most = weights / sums[parts] * totals[parts], None
    else:
        most = np.asarray(caps, dtype=float)
        quotas = capped_quotas(weights, most, parts, totals)
    order = np.lexsort((np.arange(len(parts)) if xy is None else along_curve(xy), parts))
    near, sorted_parts = quotas[order], parts[order]
    block, of_part = _neighbourhoods(near, sorted_parts)
    together: Floats = np.bincount(block, weights=near).astype(np.float64)
    whole = largest_remainders(together, of_part, totals)
    inner = _fitted(near, block, whole, None if most is None else most[order])
    people = np.empty(len(parts), dtype=np.int64)
    people[order] = largest_remainders(inner, block, whole)
    if not np.array_equal(np.bincount(parts, weights=people, minlength=len(totals)), totals):
        raise ProofError("people divided among rows do not add up to their total")
    return people


def _neighbourhoods(
    quotas: Floats, parts: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Cut rows in order into runs of about :data:`NEIGHBOURS` people: (row,) run, (run,) its part."""
    before = np.cumsum(quotas) - quotas
    starts = np.searchsorted(parts, np.arange(parts.max() + 1)) if len(parts) else np.zeros(0, dtype=int)
    own = before - before[starts][parts]
    key = np.floor((own + _SAME) / NEIGHBOURS)
    new = np.ones(len(parts), dtype=bool)
    new[1:] = (parts[1:] != parts[:-1]) | (key[1:] != key[:-1])
    return np.cumsum(new) - 1, parts[new]


def _fitted(quotas: Floats, block: npt.NDArray[np.intp], whole: Ints, caps: Floats | None) -> Floats:
    """Return the quotas of rows so that they add up to the whole people of their neighbourhood."""
    if caps is not None:
        return capped_quotas(quotas, caps, block, whole)
    sums = np.bincount(block, weights=quotas, minlength=len(whole))
    size = np.bincount(block, minlength=len(whole))
    equal = whole / np.maximum(size, 1)
    scale = np.divide(whole, sums, out=np.zeros(len(whole)), where=sums > 0)
    return np.where(sums[block] > 0, quotas * scale[block], equal[block])


def along_curve(xy: Floats) -> npt.NDArray[np.int64]:
    """Return the position of each place along a curve that keeps neighbours together: (row,), 0 for none."""
    known = np.isfinite(xy).all(axis=1)
    code = np.zeros(len(xy), dtype=np.int64)
    if not known.any():
        return code
    low, high = xy[known].min(axis=0), xy[known].max(axis=0)
    span = float((high - low).max()) or 1.0
    cells = ((xy[known] - low) / span * 65535).astype(np.int64)
    # The two numbers interlaced bit by bit (the order of Morton).
    found = np.zeros(len(cells), dtype=np.int64)
    for bit in range(16):
        for axis in (0, 1):
            found |= ((cells[:, axis] >> bit) & 1) << (2 * bit + axis)
    code[known] = found
    return code
