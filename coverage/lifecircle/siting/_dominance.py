"""Leave out rows and sites that are not needed when everyone must be covered.

A row whose sites include all sites of another row is covered whenever that row is. A site whose rows are all
covered by another site is never needed. Both steps are repeated until nothing more can be left out
(Toregas and ReVelle 1973, "Binary logic solutions to a class of location problem").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from lifecircle.siting._cover import merge_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_CHUNK = 4_000_000
"""Words compared at a time."""

_WORD = 64


def reduce_full_cover(by_row: csr_array) -> tuple[csr_array, Ints]:
    """Leave out rows and sites that do not change the fewest sites that cover all rows.

    Returns
    -------
    by_row : csr (row, site), what is left
    sites : (site,) their columns in the input; every least cover of what is left is one of the whole
    """
    sites = np.arange(by_row.shape[1])
    while True:
        before = by_row.shape
        by_row = merge_rows(by_row, np.ones(by_row.shape[0]))[0]
        by_row = csr_array(by_row[~_includes_another(by_row)])
        by_site = by_row.T.tocsr()
        by_site.sort_indices()
        alive = ~_is_included(by_site)
        by_row, sites = csr_array(by_row[:, np.flatnonzero(alive)]), sites[alive]
        by_row.sort_indices()
        if by_row.shape == before:
            return by_row, sites


def _includes_another(lists: csr_array) -> Bools:
    """Return which lists hold all of another list; no two are equal."""
    found = np.zeros(lists.shape[0], dtype=np.bool_)
    for small, large in _inclusions(lists):
        found[large] = True
        del small
    return found


def _is_included(lists: csr_array) -> Bools:
    """Return which lists another list includes; of equal ones all but the lowest, and all empty ones."""
    counts = np.diff(lists.indptr)
    found: Bools = counts == 0
    for small, large in _inclusions(lists):
        found[small[(counts[small] < counts[large]) | (small > large)]] = True
    return found


def _inclusions(lists: csr_array) -> Any:
    """Yield pairs of lists where the second includes the first.

    A list that includes another has its rarest member, so only the lists with that member are compared, as
    sets of bits.
    """
    counts = np.diff(lists.indptr)
    holders = lists.T.tocsr()
    holders.sort_indices()
    common = np.diff(holders.indptr)
    some = np.flatnonzero(counts)
    if not len(some):
        return
    order = np.lexsort((common[lists.indices], np.repeat(np.arange(len(counts)), counts)))
    rarest = lists.indices[order[lists.indptr[some]]]
    # Sets as bits: a test whether one list includes another is then one operation on whole words.
    bits = _bits(lists)
    many = common[rarest].astype(np.int64)
    step = max(1, _CHUNK // (bits.shape[1] * max(1, int(many.max()))))
    for begin in range(0, len(some), step):
        small = some[begin : begin + step]
        number = many[begin : begin + step]
        first = holders.indptr[rarest[begin : begin + step]].astype(np.int64)
        offset = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        large = holders.indices[np.repeat(first, number) + offset]
        small = np.repeat(small, number)
        likely = (small != large) & (counts[small] <= counts[large])
        small, large = small[likely], large[likely]
        inside = ~np.any(bits[small] & ~bits[large], axis=1)
        yield small[inside], large[inside]


def _bits(lists: csr_array) -> npt.NDArray[np.uint64]:
    """Return each list as a set of bits: (list, word)."""
    words = -(-lists.shape[1] // _WORD)
    bits = np.zeros((lists.shape[0], words), dtype=np.uint64)
    row = np.repeat(np.arange(lists.shape[0]), np.diff(lists.indptr))
    column = lists.indices.astype(np.int64)
    np.bitwise_or.at(bits, (row, column // _WORD), np.uint64(1) << (column % _WORD).astype(np.uint64))
    return bits
