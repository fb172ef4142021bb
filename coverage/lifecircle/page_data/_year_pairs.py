"""Which venue of one year is which of another, so that the page can show which opened and which closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.facilities import YearRegister, same_facilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lifecircle.findings import Findings

    Ints = npt.NDArray[np.int64]

_REGISTER = frozenset({"name", "service", "source", "row"})


def venue_keys(years: Sequence[Findings]) -> list[Ints]:
    """Give the venues of several years numbers, so that one venue has one number in all of them.

    Venues are recognised by the rules of :func:`lifecircle.facilities.same_facilities`, as ``lifecircle
    compare`` does, each year in the one before; where a register does not say which list and row a venue is
    from, by label and service.

    Returns
    -------
    keys : for each year (facility,) numbers from 0
    """
    keys: list[Ints] = []
    following = 0
    for number, findings in enumerate(years):
        own = np.full(len(findings.facilities), -1, dtype=np.int64)
        if number:
            before, after = _pairs(years[number - 1], findings)
            own[after] = keys[-1][before]
        new = np.flatnonzero(own < 0)
        own[new] = following + np.arange(len(new))
        following += len(new)
        keys.append(own)
    return keys


def _pairs(first: Findings, second: Findings) -> tuple[Ints, Ints]:
    """Pair the venues of two years: positions in each of those that are the same."""
    one, other = first.facilities, second.facilities
    if _REGISTER.issubset(one) and _REGISTER.issubset(other):
        earlier, later = YearRegister(one, first.crs), YearRegister(other, first.crs)
        pairs = same_facilities(earlier, later, np.arange(len(one)), np.arange(len(other))).pairs
        return pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)
    labels = [
        pd.MultiIndex.from_arrays([table.index, table["service"].astype(str)]) for table in (one, other)
    ]
    at = labels[0].get_indexer(labels[1]) if labels[0].is_unique else np.full(len(other), -1)
    found = np.flatnonzero(at >= 0)
    return at[found].astype(np.int64), found.astype(np.int64)
