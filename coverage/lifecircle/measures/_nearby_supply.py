"""Supply within reach: how many places per so many people who reach a venue, and per resident.

It stands beside the plain ratio of a district, which counts all places over all people wherever they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from lifecircle.limits import within_limit
from lifecircle.measures._floating import read_shared

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NearbySupply:
    """Supply within reach.

    Attributes
    ----------
    venues : facility -> ``amount`` (NaN where unknown), ``people`` who reach it within the limit, and
        ``rate``, amount per so many of them (NaN where nobody reaches it or the amount is unknown)
    score : (demand,) sum of the rates of the venues within the limit of each resident, see
        :func:`floating_catchment`; 0 where none is
    """

    venues: pd.DataFrame
    score: pd.Series[float]


def supply_nearby(costs: Any, people: Any, supply: Any, *, limit: float, per: float = 1000.0) -> NearbySupply:
    """Count the supply within reach: at each venue per people who reach it, and of each resident.

    Every venue is shared by all who reach it, so that the scores times people add up to the supply that
    anybody reaches, times ``per``.

    Parameters
    ----------
    costs, people, supply : as for :func:`floating_catchment`
    limit : in the units of the costs, inclusive
    per : people a rate is given for

    Returns
    -------
    nearby : of each venue and each resident

    Raises
    ------
    UnusableInputError
        Costs, people or supply cannot be used.

    References
    ----------
    Radke and Mu (2000) and Luo and Wang (2003), see :func:`floating_catchment`: both steps of ``2sfca``.

    >>> found = supply_nearby([[300.0, np.inf], [600.0, 600.0]], [100, 100], [10, 4], limit=900)
    >>> found.venues["rate"].tolist(), found.score.tolist()
    ([50.0, 40.0], [50.0, 90.0])
    """
    read = read_shared(costs, people, supply)
    table = read.costs.table
    inside = csr_array(
        (within_limit(table.data, limit).astype(np.float64), table.indices, table.indptr), shape=table.shape
    )
    reached = np.asarray(inside.T @ read.people, dtype=np.float64)
    usable = (reached > 0) & np.isfinite(read.supply)
    rate = np.divide(read.supply * per, reached, out=np.full(len(reached), np.nan), where=usable)
    venues = pd.DataFrame({"amount": read.supply, "people": reached, "rate": rate}, index=read.costs.sites)
    score = np.asarray(inside @ np.where(usable, rate, 0.0), dtype=np.float64)
    return NearbySupply(venues, pd.Series(score, index=read.costs.demand, name="score"))
