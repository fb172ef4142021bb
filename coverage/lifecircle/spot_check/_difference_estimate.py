"""Estimate coverage from a field check by the difference estimator, with a 95 % interval.

Coverage by the computation is known for everybody; the sample only says how often it is wrong. With ``d`` the
people of a resident times (found covered - computed covered), drawn ``n`` of ``N`` in each stratum::

    covered  =  computed total + sum over strata of  N * mean(d)
    variance =  sum over strata of  N^2 * (1 - n / N) * s^2 / n

(Särndal, Swensson and Wretman 1992, Model Assisted Survey Sampling, Springer, sections 3.7 and 6.3.)

A stratum in which nobody was found wrong has ``s = 0``, which would claim that nobody is. There the spread
is taken that a share of 1 / (n + 2) wrong verdicts has, so that an interval is never of no width but by a
complete check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifecircle.spot_check._sample_draw import Sample

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """Coverage corrected by a field check.

    ``computed`` and ``corrected`` : shares of the people counted; ``low`` and ``high`` : the 95 % interval of
    the corrected one; ``checked`` : residents checked; ``wrong`` : stratum -> (wrongly uncovered, wrongly
    covered) among those checked; ``missing`` : residents drawn who were not checked.
    """

    computed: float
    corrected: float
    low: float
    high: float
    checked: int
    wrong: Mapping[str, tuple[int, int]]
    missing: int


def estimate(sample: Sample, found: pd.Series) -> Estimate:
    """Correct a coverage by what was found in the field.

    Who was drawn and not checked is taken to be like those of the stratum who were. Those without a place
    count as computed.

    Parameters
    ----------
    found : (checked,) label of a resident -> covered as found; at least two in every stratum that has two

    Raises
    ------
    ValueError
        When a stratum was drawn from and fewer than two of it were checked, though it has two or more.
    """
    total, variance, freedom = 0.0, 0.0, 0
    wrong: dict[str, tuple[int, int]] = {}
    for name, mine in sample.points.groupby("stratum"):
        seen = mine[mine.index.isin(found.index)]
        size, n = sample.sizes[str(name)], len(seen)
        if n < min(2, size):
            raise ValueError(f"{name}: {n} checked, 2 are needed")
        people = seen["people"].to_numpy(dtype=float)
        apart = found[seen.index].to_numpy(dtype=float) - seen["covered"].to_numpy(dtype=float)
        wrong[str(name)] = (int((apart > 0).sum()), int((apart < 0).sum()))
        differences = people * apart
        total += size * float(differences.mean())
        variance += size**2 * (1 - n / size) * _spread(differences, people) / n
        freedom += n - 1
    half = float(stats.t.ppf(0.5 + LEVEL / 2, max(freedom, 1))) * float(np.sqrt(variance))
    corrected = sample.covered + total
    share = np.clip(np.array([corrected, corrected - half, corrected + half]) / sample.people, 0.0, 1.0)
    return Estimate(
        computed=sample.covered / sample.people,
        corrected=float(share[0]),
        low=float(share[1]),
        high=float(share[2]),
        checked=len(found),
        wrong=wrong,
        missing=len(sample.points) - int(sample.points.index.isin(found.index).sum()),
    )


def _spread(differences: np.ndarray, people: np.ndarray) -> float:
    """Return the variance of the differences in a stratum, never less than a few unseen errors would have."""
    n = len(differences)
    own = float(differences.var(ddof=1)) if n > 1 else 0.0
    if np.any(differences != 0):
        return own
    unseen = 1 / (n + 2)
    return max(own, float((people**2).mean()) * unseen * (1 - unseen))
