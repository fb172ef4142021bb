"""Suggest ``join_m`` from the dead ends that nearly meet another line.

Where ends were digitised with an error, their distances to the line they were meant for lie together, from
zero up to the size of the error, and hardly any lie beyond. Ends that are near another road by chance lie
everywhere. So a distance is suggested only where the first kind is plain to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from lifecircle.roads._network import FloatArray

_STEP_M: Final = 0.5
_BINS: Final = 10  # half metres, up to the 5 m within which misses are counted
_OUTER: Final = 4  # the bins from 3 m on: what lies there is near by chance
_LEAST: Final = 20
"""Near misses from which a pattern can be seen."""

_CHANCE = 2.0  # so many times as many as far out are no chance
_RARE = 0.001  # nor is a share of all that is larger
_MOST_IN = 0.8  # a suggestion joins at least this share of them


def suggest_join_m(metres: FloatArray) -> float | None:
    """Return the distance that would join nearly all ends that were meant to meet a line.

    The distances are counted in bins of half a metre. The suggestion is the end of the first run of bins that
    hold clearly more than chance: over twice the mean of the bins from 3 m on, over 0.1 % of all, and over
    one. It is None with fewer than 20 near misses, where it would not join 80 % of them, or where the run
    goes on to 3 m and beyond.

    Parameters
    ----------
    metres : (miss,) distance of each dead end to the line it misses, up to 5 m

    Returns
    -------
    join_m : metres, or None where no value stands out

    >>> suggest_join_m(np.linspace(0.1, 1.4, 200)), suggest_join_m(np.linspace(0.1, 5.0, 200))
    (1.5, None)
    """
    if len(metres) < _LEAST:
        return None
    counts, _ = np.histogram(metres, bins=_BINS, range=(0.0, _BINS * _STEP_M))
    chance = max(_CHANCE * float(counts[-_OUTER:].mean()), _RARE * len(metres), 1.0)
    dense = counts > chance
    if not dense.any():
        return None
    first = int(np.argmax(dense))
    # the first bin after the run that holds no more than chance
    last = first + int(np.argmin(np.r_[dense[first:], False]))
    if last > _BINS - _OUTER or counts[:last].sum() < _MOST_IN * len(metres):
        return None
    return last * _STEP_M
