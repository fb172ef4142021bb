"""Judge the values of a population raster: which of them are no data although the file does not say so.

Counts of people are never negative, infinite or larger than mankind, and seldom the largest number that the
file's type can hold. Such a value is taken as no data where it is one and the same value, and named; where
there are several, nobody knows what they are, and the raster is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.errors import Fault, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MANKIND = 1e10
"""Largest value (inclusive) that may be people at all: a larger one is a mark for no data.

More than live in any cell is another fault, as a count in the wrong unit is not to be taken for no data.
"""

MOST_PER_KM2 = 2e6
"""People per square kilometre (inclusive) above which no count is believed: nobody ever lived closer."""

LEAST_PER_KM2 = 20.0
DENSE_PER_KM2 = 1e5
"""Usual density of the residents from which on counts look like a density, and under which a density looks
like counts."""

_TOPS = frozenset({32767.0, 65535.0, 2147483647.0, 4294967295.0})
_KEPT = 6


@dataclass(eq=False)
class ValueCount:
    """What stands in the cells of one band, counted block by block; it holds no cell.

    ``missing`` : cells that the file declares as no data, or that are no number; ``strange`` : negative,
    infinite or impossibly large value -> cells; ``top``, ``second`` : the two largest values otherwise, and
    ``at_top`` cells with the largest.
    """

    missing: int = 0
    strange: dict[float, int] = field(default_factory=dict)
    top: float = -np.inf
    second: float = -np.inf
    at_top: int = 0

    def add(self, values: Floats) -> None:
        """Count the cells of a block: (cell,) values, NaN for none."""
        there = values[~np.isnan(values)]
        self.missing += int(len(values) - len(there))
        odd = (there < 0) | (there > MANKIND)
        for value, cells in zip(*np.unique(there[odd], return_counts=True), strict=True):
            # A broken raster may hold a million of them: a few are enough to refuse it.
            if float(value) in self.strange or len(self.strange) < _KEPT:
                self.strange[float(value)] = self.strange.get(float(value), 0) + int(cells)
        rest = there[~odd]
        if not len(rest):
            return
        highest = float(rest.max())
        lower = rest[rest < highest]
        next_one = float(lower.max()) if len(lower) else -np.inf
        if highest > self.top:
            self.second = max(self.top, next_one)
            self.top, self.at_top = highest, 0
        else:
            self.second = max(self.second, highest if highest < self.top else next_one)
        self.at_top += int((rest == self.top).sum())


def undeclared_nodata(count: ValueCount, dtype: str) -> dict[float, int]:
    """Return the values that are no data although the file does not say so: value -> cells.

    1. One negative value, or one larger than mankind; infinity of either sign.
    2. The largest number of the file's integer type, or 65535 and the like in a file of any type, where no
       other value is over half of it: people do not jump so.

    Parameters
    ----------
    count : of all cells
    dtype : of the file, such as ``uint16``

    Returns
    -------
    values : empty where all are plausible, or where several negative values leave it open

    >>> cells = ValueCount()
    >>> cells.add(np.array([3.0, 12.0, 65535.0, np.nan]))
    >>> undeclared_nodata(cells, "uint16")
    {65535.0: 1}
    """
    found: dict[float, int] = {}
    for sign in (-1, 1):
        side = {value: cells for value, cells in count.strange.items() if np.sign(value) == sign}
        finite = [value for value in side if np.isfinite(value)]
        if len(finite) <= 1:
            found |= side
    tops = _TOPS
    if np.issubdtype(np.dtype(dtype), np.integer):
        tops |= {float(np.iinfo(dtype).max)}
    if count.top in tops and count.second < count.top / 2:
        found[count.top] = count.at_top
    return found


def value_faults(count: ValueCount, nodata: Iterable[float], place: tuple[str, str]) -> list[Fault]:
    """Return the faults of values that are neither people nor one clear value for no data.

    Parameters
    ----------
    count : of all cells
    nodata : values taken as no data
    place : file, and band

    Returns
    -------
    faults : one for negative values, one for impossible ones
    """
    left = {value: cells for value, cells in count.strange.items() if value not in set(nodata)}
    faults = []
    for side, reason in (
        ([value for value in left if value < 0], say("values below zero are no counts of people")),
        ([value for value in left if value > 0], say("values larger than mankind are no counts of people")),
    ):
        if side:
            shown = ", ".join(f"{value:g} ({left[value]})" for value in sorted(side)[:_KEPT])
            remedy = say(
                "name those that mean no data: nodata = [{value:g}], or mend the file", value=side[0]
            )
            faults.append(Fault(*place, shown, reason, remedy))
    return faults


def density_doubt(density: Floats, people: Floats, *, per: str, named: bool) -> str:
    """Return a code where counts look like a density or a density like counts; empty where neither.

    Parameters
    ----------
    density : (cell,) people per square kilometre as the values are read
    people : (cell,) people as the values are read
    per : ``cell`` or ``km2``, as the study says
    named : whether the file calls itself a density

    Returns
    -------
    code : ``raster_looks_density:d`` or ``raster_looks_counts:d``, d the usual density of the people

    >>> density_doubt(np.array([4e5]), np.array([4e3]), per="cell", named=False)
    'raster_looks_density:400,000'
    """
    total = people.sum()
    usual = float((density * people).sum() / total) if total > 0 else 0.0
    if per == "cell" and (named or usual > DENSE_PER_KM2):
        return f"raster_looks_density:{usual:,.0f}"
    if per == "km2" and 0 < usual < LEAST_PER_KM2:
        return f"raster_looks_counts:{usual:,.1f}"
    return ""


def too_dense(density: Floats, cells: Any, values: Floats, place: tuple[str, str]) -> list[Fault]:
    """Return a fault for the first cells with more people than can live on their ground.

    Parameters
    ----------
    density : (cell,) people per square kilometre
    cells : (cell, 2) row and column, from 1
    values : (cell,) as they stand in the file
    place : file, and band
    """
    wrong = np.flatnonzero(density > MOST_PER_KM2)
    file, band = place
    return [
        Fault(
            file,
            say("{band}, row {row}, column {column}", band=band, row=cells[at][0], column=cells[at][1]),
            f"{values[at]:g}",
            say("more people than can live on the ground of a cell: {count:,.0f} per km2", count=density[at]),
            say('check the unit (per = "cell" or "km2"), and name values that mean no data: nodata = [...]'),
        )
        for at in wrong[:_KEPT]
    ]
