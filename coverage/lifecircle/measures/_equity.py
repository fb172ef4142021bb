"""Measure equity: how far apart the shares of districts, or of town and country, are.

Shares are rates from 0 to 1. Every measure takes people as weights, so that a small town weighs little;
with equal weights they are those of PySAL's ``inequality``.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the types of the fields
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


def gini(values: Floats, people: Floats | None = None) -> float | None:
    """Return the Gini coefficient of values, weighted by people: 0 all equal, towards 1 all in one place.

    Half the mean absolute difference over the mean: sum_ij p_i p_j |y_i - y_j| / (2 mean), where p are the
    shares of people.

    Parameters
    ----------
    values : (unit,) 0 or more
    people : (unit,) 0 or more; left out, equal

    Returns
    -------
    coefficient : 0 to 1; None without people, 0 where every value is 0

    References
    ----------
    Gini (1912), Variabilita e mutabilita; as ``inequality.gini.Gini`` with equal weights.

    >>> gini(np.array([0.0, 1.0]))
    0.5
    """
    kept = _kept(values, people)
    if kept is None:
        return None
    y, share = kept
    mean = float(share @ y)
    if mean == 0:
        return 0.0
    # The same sum from the Lorenz curve: a table of all pairs of a county's residents would take gigabytes.
    order = np.argsort(y, kind="stable")
    y, share = y[order], share[order]
    below = np.cumsum(share * y)
    return max(0.0, 1.0 - _sum(share, 2.0 * below - share * y) / mean)


def theil(values: Floats, people: Floats | None = None) -> float | None:
    """Return Theil's T of values, weighted by people: sum_i p_i (y_i / mean) ln(y_i / mean), 0 ln 0 = 0.

    Parameters
    ----------
    values : (unit,) 0 or more
    people : (unit,) 0 or more; left out, equal

    Returns
    -------
    index : 0 where all are equal, at most ln(unit) with equal weights; None without people

    References
    ----------
    Theil (1967), Economics and Information Theory; as ``inequality.theil.Theil`` with equal weights.

    >>> round(theil(np.array([0.0, 1.0])), 6)  # ln 2
    0.693147
    """
    kept = _kept(values, people)
    if kept is None:
        return None
    y, share = kept
    mean = float(share @ y)
    return 0.0 if mean == 0 else float(share @ _xlogx(y / mean))


def theil_parts(
    values: Floats, groups: npt.NDArray[np.object_], people: Floats | None = None
) -> tuple[float, float] | None:
    """Divide Theil's T into a part between groups and a part within them; the two add up to it.

    between = sum_g P_g (m_g / m) ln(m_g / m), within = sum_g P_g (m_g / m) T_g, where P_g is the share of
    people and m_g the mean of a group.

    Parameters
    ----------
    values : (unit,) 0 or more
    groups : (unit,) label of each unit's group, as urban or rural
    people : (unit,) 0 or more; left out, equal

    Returns
    -------
    between, within : 0 or more; None without people

    References
    ----------
    Shorrocks (1980), The class of additively decomposable inequality measures, Econometrica 48; as
    ``inequality.theil.TheilD`` with equal weights.

    >>> theil_parts(np.array([0.5, 0.5, 1.0, 1.0]), np.array(["r", "r", "u", "u"], dtype=object))[1]
    0.0
    """
    kept = _kept(values, people)
    if kept is None:
        return None
    y, share = kept
    # The same rows are left out here as in the values, else groups and values would be shifted.
    label = np.asarray(groups, dtype=object)[_usable(values, people)]
    codes, names = pd.factorize(label)
    return _parts(y, share, codes, len(names))


def _parts(y: Floats, share: Floats, codes: npt.NDArray[np.intp], many: int) -> tuple[float, float]:
    """Return both parts of Theil's T; ``codes`` : (unit,) number of each unit's group, of so many."""
    mean = _sum(share, y)
    if mean == 0:
        return 0.0, 0.0
    part, total = (
        np.bincount(codes, weights=one, minlength=many).astype(np.float64) for one in (share, share * y)
    )
    # The parts add up to Theil's T only when groups are weighted by people and by their own mean.
    own = np.divide(total, part, out=np.zeros(many), where=part > 0)
    some = y > 0
    inside = np.log(y[some] / own[codes[some]])
    return _sum(part, _xlogx(own / mean)), _sum(share[some] * y[some] / mean, inside)


@dataclass(frozen=True)
class Gap:
    """How far apart shares are: between the two sides named first, or over all units.

    ``difference`` : high less low, in shares (0.08 is 8 points); ``ratio`` : high over low, None where low
    is 0; ``high``, ``low`` : labels. Over districts also ``gini``, ``theil`` and its two parts.
    """

    difference: float
    ratio: float | None
    high: str
    low: str
    gini: float | None = None
    theil: float | None = None
    theil_between: float | None = None
    theil_within: float | None = None


def gap_between(first: float | None, second: float | None, *, names: tuple[str, str]) -> Gap | None:
    """Return the gap of two shares, whichever is the higher; None where one is unknown.

    Parameters
    ----------
    first, second : shares from 0 to 1, or None
    names : what the two sides are called

    Returns
    -------
    gap : difference, ratio and the names of the higher and the lower side

    References
    ----------
    The plan's 区域、城乡差距进一步缩小: the gap is read as difference and ratio of two shares.

    >>> gap_between(0.9, 0.6, names=("urban", "rural")).ratio
    1.5
    """
    if first is None or second is None or np.isnan(first) or np.isnan(second):
        return None
    (low, below), (high, above) = sorted(zip((first, second), names, strict=True), key=lambda side: side[0])
    return Gap(high - low, high / low if low > 0 else None, above, below)


def gap_over(
    values: pd.Series[float], people: pd.Series[float], groups: pd.Series[str] | None = None
) -> Gap | None:
    """Return the gap over districts: range, ratio of the highest to the lowest, Gini, Theil and its parts.

    Districts without people or without a value are left out; fewer than two leave no gap.

    Parameters
    ----------
    values : district -> share
    people : on the same index, people counted
    groups : on the same index, urban or rural; left out, Theil is not split

    Returns
    -------
    gap : None where fewer than two districts are left

    References
    ----------
    Range and ratio: the plan's 区域差距. Gini (1912) and Theil (1967): see :func:`gini` and :func:`theil`.

    >>> import pandas as pd
    >>> gap = gap_over(pd.Series({"A": 0.9, "B": 0.6}), pd.Series({"A": 100.0, "B": 300.0}))
    >>> round(gap.difference, 6), gap.ratio, gap.high, gap.low
    (0.3, 1.5, 'A', 'B')
    """
    y, weight = values.to_numpy(dtype=np.float64), people.to_numpy(dtype=np.float64)
    # A district without people has no share; with 0 as its share it would be the lowest of all.
    usable = _usable(y, weight)
    if usable.sum() < 2:
        return None
    names = values.index[usable]
    y, weight = y[usable], weight[usable]
    high, low = int(y.argmax()), int(y.argmin())
    parts = None
    if groups is not None:
        parts = theil_parts(y, groups.to_numpy(dtype=object)[usable], weight)
    return Gap(
        float(y[high] - y[low]),
        float(y[high] / y[low]) if y[low] > 0 else None,
        str(names[high]),
        str(names[low]),
        gini(y, weight),
        theil(y, weight),
        None if parts is None else parts[0],
        None if parts is None else parts[1],
    )


@dataclass(frozen=True)
class Equity:
    """How evenly a figure of residents is shared out; ``None`` where it means nothing.

    Attributes
    ----------
    mean : over the people
    urban, rural, highest, lowest : means of town and country, and of the highest and the lowest district
    urban_rural, towns : their gaps: difference and ratio, over districts the range, with names
    groups : group of residents -> its mean
    gini : over residents, or over districts where the figure of a resident is yes or no
    theil_between, theil_within : Theil's T between districts and within them
    below : share of the people who have less than is enough
    """

    mean: float
    urban: float | None = None
    rural: float | None = None
    highest: float | None = None
    lowest: float | None = None
    urban_rural: Gap | None = None
    towns: Gap | None = None
    groups: Mapping[str, float] = field(default_factory=dict)
    gini: float | None = None
    theil_between: float | None = None
    theil_within: float | None = None
    below: float | None = None


@dataclass(frozen=True, eq=False)
class Sides:
    """Whom a figure is compared between, (demand,) each.

    ``district`` : position of the district, -1 for none; ``names`` : of the districts; ``urban`` : 1, 0 or
    -1 where unknown; ``groups`` : group -> its people.
    """

    district: npt.NDArray[np.intp]
    names: Sequence[str]
    urban: npt.NDArray[np.int8]
    groups: Mapping[str, Floats] = field(default_factory=dict)


def equity(
    values: Floats, people: Floats, sides: Sides, *, enough: float | None = None, yes_or_no: bool = False
) -> Equity | None:
    """Measure how evenly a figure of residents is shared out.

    Parameters
    ----------
    values : (demand,) 0 or more; NaN is left out
    people : (demand,) of the target
    sides : whom it is compared between; a group counts where the target counts people
    enough : what a resident should have at least; ``below`` is the share of people who have less
    yes_or_no : values are 0 or 1, whose Gini over residents says no more than their mean: districts are taken

    Returns
    -------
    equity : None without people

    References
    ----------
    See :func:`gini`, :func:`theil_parts` and :func:`gap_over`. Share below sufficiency: Frankfurt (1987),
    Equality as a moral ideal, Ethics 98: what matters is that everybody has enough. There are no confidence
    intervals: venues and residents are a census and no sample.

    >>> one = Sides(np.array([0, 1]), ["A", "B"], np.array([1, 0], dtype=np.int8))
    >>> found = equity(np.array([3.0, 1.0]), np.array([10.0, 10.0]), one, enough=2.0)
    >>> found.urban_rural.difference, found.towns.high, found.below, found.gini
    (2.0, 'A', 0.5, 0.25)
    """
    usable = _usable(values, people)
    if not usable.any():
        return None
    whole = usable.all()
    y, weight = (one if whole else one[usable] for one in (values, people))
    home, urban = sides.district[usable], sides.urban[usable].astype(np.intp)
    total = float(weight.sum())
    sums = weight * y
    means, heads = _means(sums, weight, home, len(sides.names))
    sorts, _ = _means(sums, weight, urban, 2)
    names = list(sides.names)
    towns = gap_over(pd.Series(means, index=names), pd.Series(heads, index=names))
    # Who lives in no district is a part of its own.
    parts = None if towns is None else _parts(y, weight / total, home + 1, len(names) + 1)
    own = {name: of if whole else of[usable] for name, of in sides.groups.items()}
    lowest = None if enough is None else enough * (1 - _NOISE)
    rural, urban_mean = (None if np.isnan(one) else float(one) for one in sorts)
    return Equity(
        float(sums.sum()) / total,
        urban_mean,
        rural,
        None if towns is None else float(np.nanmax(means)),
        None if towns is None else float(np.nanmin(means)),
        gap_between(urban_mean, rural, names=("urban", "rural")),
        towns,
        {name: _sum(of, y) / float(of.sum()) for name, of in own.items() if of.sum() > 0},
        gini(means, heads) if yes_or_no else gini(y, weight),
        None if parts is None else parts[0],
        None if parts is None else parts[1],
        None if lowest is None else float(weight[y < lowest].sum()) / total,
    )


def _means(sums: Floats, weight: Floats, home: npt.NDArray[np.intp], many: int) -> tuple[Floats, Floats]:
    """Return the mean and the people of each unit; NaN for a unit without people, -1 is in none."""
    found, heads = (
        np.bincount(home + 1, weights=one, minlength=many + 1)[1 : many + 1].astype(np.float64)
        for one in (sums, weight)
    )
    return np.divide(found, heads, out=np.full(many, np.nan), where=heads > 0), heads


def not_smaller(by_year: Mapping[int, float | None], *, tolerance: float = 0.0) -> dict[int, bool | None]:
    """Return for every year whether the gap did not shrink since the year before.

    A gap shrinks when it is less than the year before's, by more than float noise. A gap of 0 that stays 0
    cannot shrink: that is good.

    Parameters
    ----------
    by_year : year -> gap, 0 or more; None where unknown
    tolerance : growth that still counts as smaller, in the unit of the gap

    Returns
    -------
    not_smaller : year -> True, False, or None where this or the year before is unknown

    References
    ----------
    The plan's 每年有新突破 and 差距进一步缩小: smaller every year. What counts as equal is this package's.

    >>> not_smaller({2023: 0.3, 2024: 0.2, 2025: 0.2})
    {2023: None, 2024: False, 2025: True}
    """
    out: dict[int, bool | None] = {}
    for year, now in sorted(by_year.items()):
        before = by_year.get(year - 1)
        if now is None or before is None:
            out[year] = None
        elif tolerance > 0:
            out[year] = now - before > tolerance + _NOISE
        else:
            out[year] = now > _NOISE and now - before > -_NOISE
    return out


_NOISE = 1e-12


def _usable(values: Floats, people: Floats | None) -> npt.NDArray[np.bool_]:
    known = np.isfinite(values)
    return known if people is None else known & (np.asarray(people) > 0)


def _kept(values: Floats, people: Floats | None) -> tuple[Floats, Floats] | None:
    """Return the values that count and their shares of people; None without people."""
    y = np.asarray(values, dtype=np.float64)
    if (y < 0).any():
        at = int(np.flatnonzero(y < 0)[0])
        raise UnusableInputError(
            [
                Fault(
                    "(values)",
                    say("position {at}", at=at),
                    str(y[at]),
                    say("negative"),
                    say("give values of at least 0"),
                )
            ]
        )
    usable = _usable(y, people)
    if not usable.any():
        return None
    weight = np.ones(int(usable.sum())) if people is None else np.asarray(people, np.float64)[usable]
    return y[usable], weight / weight.sum()


def _sum(x: Floats, y: Floats) -> float:
    """Return the sum of products; the threads of BLAS take longer to start than this takes."""
    return float((x * y).sum())


def _xlogx(x: Floats) -> Floats:
    out: Floats = np.zeros(len(x))
    some = x > 0
    out[some] = x[some] * np.log(x[some])
    return out
