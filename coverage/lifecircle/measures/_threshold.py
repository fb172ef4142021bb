"""Count the villages that are reached, for several shares of their people (the village threshold)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

VILLAGE_SHARES = (0.5, 0.8, 0.9, 1.0)
"""Shares of a village's people at which it may be called reached. No source names one: all are shown."""


def holds_share(
    covered: npt.NDArray[np.float64], people: npt.NDArray[np.float64], share: float
) -> npt.NDArray[np.bool_]:
    """Return where at least a share of the people is covered; never where nobody lives.

    Parameters
    ----------
    covered, people : (unit,) people covered, and people
    share : inclusive; float noise of the sums does not decide it

    Returns
    -------
    holds : (unit,)

    References
    ----------
    As :func:`villages_reached`.

    >>> holds_share(np.array([5.0, 4.9, 0.0]), np.array([10.0, 10.0, 0.0]), 0.5).tolist()
    [True, False, False]
    """
    # A multiplication: a division would need its own care for units without people.
    flags: npt.NDArray[np.bool_] = (people > 0) & (covered >= share * people * (1 - 1e-12))
    return flags


def villages_reached(
    covered: npt.NDArray[np.float64],
    people: npt.NDArray[np.float64],
    *,
    shares: Sequence[float] = VILLAGE_SHARES,
) -> pd.DataFrame:
    """Count the villages that have at least a share of their people covered, for several shares.

    A village without people is in no count. A share is inclusive; float noise of sums does not decide it.

    Parameters
    ----------
    covered, people : (village,) people covered and counted
    shares : 0 to 1 each

    Returns
    -------
    curve : on ``share``, ``villages`` (int64), ``people`` (all people of those villages) and ``value`` (the
        share of the villages that have people, NaN where none has)

    References
    ----------
    A setting: the plan counts villages as covered and does not say at which share of their residents.

    >>> villages_reached(np.array([5.0, 9.0]), np.array([10.0, 10.0]))["villages"].tolist()
    [2, 1, 1, 0]
    """
    lived_in = people > 0
    number = int(lived_in.sum())
    rows = []
    for share in shares:
        holds = holds_share(covered, people, share)
        reached = int(holds.sum())
        rows.append((reached, float(people[holds].sum()), reached / number if number else np.nan))
    index = pd.Index([float(share) for share in shares], name="share")
    return pd.DataFrame(rows, columns=["villages", "people", "value"], index=index).astype(
        {"villages": "int64"}
    )
