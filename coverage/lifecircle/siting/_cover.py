"""Hold which site covers whom, in as few rows as possible; not which sites to choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from lifecircle.siting._totals import totals

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_HASH_SEED = 0


@dataclass(frozen=True, eq=False)
class Cover:
    """Sites and the residents each one covers, with both ways to read it.

    Attributes
    ----------
    by_row : csr (row, site) float64 ones, indices ascending
    by_site : csr (site, row), the same transposed
    weights : (row,) float64
    """

    by_row: Any
    by_site: Any
    weights: Floats

    @classmethod
    def of(cls, by_row: csr_array, weights: Floats) -> Cover:
        """Build the cover from its rows."""
        by_site = by_row.T.tocsr()
        by_site.sort_indices()
        return cls(by_row, by_site, weights)

    @property
    def total(self) -> float:
        """Return the weight of all rows."""
        return float(self.weights.sum())


def ones(indptr: npt.NDArray[Any], indices: npt.NDArray[Any], shape: tuple[int, int]) -> csr_array:
    """Return a table of ones."""
    return csr_array((np.ones(len(indices)), indices, indptr), shape=shape)


def keep_rows(by_row: csr_array, rows: npt.NDArray[Any]) -> csr_array:
    """Return some rows of a table, by a mask or by ascending positions."""
    return by_row[rows] if len(rows) else csr_array((0, by_row.shape[1]))


def merge_rows(by_row: csr_array, weights: Floats) -> tuple[csr_array, Floats, Ints]:
    """Drop rows that no site covers, and merge all rows that the same sites cover.

    Returns
    -------
    by_row, weights : what is left, weights added up
    first : (row,) first input row of each merged row
    """
    counts = np.diff(by_row.indptr)
    some: Ints = np.flatnonzero(counts)
    if not len(some):
        return csr_array((0, by_row.shape[1])), np.zeros(0), some
    # Rows are compared by two random sums, because sorting lists of sites is slow; the sets are compared
    # after.
    left, right = _hashes(by_row)
    order = some[np.lexsort((right[some], left[some], counts[some]))]
    # the stable sort leaves the lowest row first among equals
    differs = (
        (left[order][1:] != left[order][:-1])
        | (right[order][1:] != right[order][:-1])
        | (counts[order][1:] != counts[order][:-1])
    )
    group = np.concatenate([[0], np.cumsum(differs)])
    # The lowest row stands for each group, so that the merged table does not depend on the hashes.
    heads = order[np.concatenate([[True], differs])]
    if not _same_sites(by_row, order, heads[group]):
        return by_row[some], weights[some], some  # two sets with one hash: nothing is merged
    summed = totals(group, weights[order], len(heads))
    into = np.argsort(heads)
    first = heads[into]
    return by_row[first], summed[into], first


def _hashes(by_row: csr_array) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return for each row two sums of random numbers, one number for each site in it."""
    rng = np.random.default_rng(_HASH_SEED)
    sums = []
    for _ in range(2):
        numbers = rng.integers(0, 2**64, by_row.shape[1], dtype=np.uint64)
        running = np.concatenate([[np.uint64(0)], np.cumsum(numbers[by_row.indices], dtype=np.uint64)])
        sums.append(running[by_row.indptr[1:]] - running[by_row.indptr[:-1]])
    return sums[0], sums[1]


def _same_sites(by_row: csr_array, rows: Ints, others: Ints) -> bool:
    """Return whether each row has exactly the sites of the other row; their lengths are equal."""
    counts = np.diff(by_row.indptr)[rows].astype(np.int64)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    one = by_row.indices[np.repeat(by_row.indptr[rows].astype(np.int64), counts) + step]
    other = by_row.indices[np.repeat(by_row.indptr[others].astype(np.int64), counts) + step]
    return bool(np.array_equal(one, other))
