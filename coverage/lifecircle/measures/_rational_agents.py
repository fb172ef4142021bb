"""The rational agent access model: people choose between travelling further and waiting longer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.measures._floating import Shared, read_shared

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Positions = npt.NDArray[np.int64]

_CROWDED_ROUNDS = 20
"""Rounds in which so many move to an attractive venue at once that the moves have to be scaled down."""


@dataclass(frozen=True)
class Rounds:
    """How people move until nobody gains: rounds, and how large a share moves in one at most."""

    rounds: int = 150
    first_share: float = 0.2
    least_share: float = 0.005
    half_life: float = 50.0


def rational_agent_access(  # noqa: PLR0913 - what the model is made of, all named
    costs: Any,
    people: Any,
    supply: Any,
    *,
    tau: float,
    rho: float | None = None,
    rounds: Rounds | None = None,
) -> pd.Series[float]:
    """Return what access costs each resident: travel over ``tau``, plus how crowded the venues are.

    cost_ij = t_ij / tau + (sum_k d_kj / S_j) / rho; people d_ij move from their dearest venue to their
    cheapest until nobody gains. A lower cost is better access. People move whole.

    Parameters
    ----------
    costs : as for :func:`floating_catchment`, by the resident; all pairs are choices
    people : (demand,) whole numbers of people
    supply : (facility,) > 0; a venue of 0 or unknown supply is no choice
    tau : travel cost that people accept to avoid a venue as crowded as the average, in the units of the costs
    rho : people per unit of supply that count as 1; left out, of the whole area
    rounds : how people move; left out, as published

    Returns
    -------
    cost : (demand,) float64; NaN for residents without people or without a venue

    Raises
    ------
    UnusableInputError
        Costs, people or supply cannot be used, people are no whole numbers, or tau or rho is not above 0.

    References
    ----------
    Saxon and Snow (2020), A rational agent model for the spatial accessibility of primary health care, Annals
    of the American Association of Geographers 110; equal to ``access.raam`` of PySAL.

    >>> costs = np.array([[0.0, 30.0], [30.0, 0.0]])
    >>> rational_agent_access(costs, [100, 100], [1, 1], tau=60).tolist()
    [1.0, 1.0]
    """
    read = read_shared(costs, people, supply)
    faults = [
        Fault(name, "", str(value), say("not a number above 0"), say("give another number"))
        for name, value in (("tau", tau), ("rho", rho))
        if value is not None and not value > 0
    ]
    parts = np.flatnonzero(read.people != np.floor(read.people))
    if len(parts):
        reason = say("not a whole number of people: they move whole")
        where = say("row {row}", row=read.costs.demand[parts[0]])
        faults.append(Fault("people", where, str(read.people[parts[0]]), reason, say("round it")))
    if faults:
        raise UnusableInputError(faults)
    cost = np.full(len(read.people), np.nan)
    area = _area(read, tau, rho)
    if area is not None:
        cost[area.rows] = _settled(area, rounds or Rounds())
    return pd.Series(cost, index=read.costs.demand, name="access_cost")


@dataclass(frozen=True, eq=False)
class _Area:
    """Pairs of residents with people and venues with supply, row by row.

    ``rows`` : (resident,) where they stand in the table; ``start`` : (resident,) first pair of each;
    ``venue``, ``travel`` : (pair,); ``supply`` : (facility,) in people.
    """

    rows: Positions
    start: Positions
    venue: npt.NDArray[np.integer[Any]]
    travel: Floats
    people: Floats
    supply: Floats


def _area(read: Shared, tau: float, rho: float | None) -> _Area | None:
    table = read.costs.table
    open_to_all = np.nan_to_num(read.supply) > 0
    count = np.diff(table.indptr)
    used = open_to_all[table.indices] & np.repeat(read.people > 0, count)
    owner = np.repeat(np.arange(len(count)), count)[used]
    if not len(owner):
        return None
    rows, start = np.unique(owner, return_index=True)
    if rho is None:
        rho = read.people.sum() / read.supply[open_to_all].sum()
    return _Area(
        rows,
        start,
        table.indices[used],
        table.data[used] / tau,
        read.people[rows],
        np.where(open_to_all, np.nan_to_num(read.supply), 1.0) * rho,
    )


def _settled(area: _Area, how: Rounds) -> Floats:
    """Move people round by round and return the mean cost of each resident: (resident,)."""
    owner = np.repeat(np.arange(len(area.rows)), np.diff([*area.start, len(area.venue)]))
    assigned = np.zeros(len(area.venue))
    assigned[_first(np.minimum.reduceat(area.travel, area.start)[owner] == area.travel, area.start)] = (
        area.people
    )
    for number in range(how.rounds):
        load = _by_venue(area, area.venue, assigned)
        total = (load / area.supply)[area.venue] + area.travel
        # A resident's cheapest venue of all, and the dearest of those that people of theirs go to.
        low = _first(np.minimum.reduceat(total, area.start)[owner] == total, area.start)
        taken = np.where(assigned == 0, -np.inf, total)
        high = _first(np.maximum.reduceat(taken, area.start)[owner] == taken, area.start)
        moved = _moves(area, assigned, load, low, high)
        share = max(how.first_share * 0.5 ** (number / how.half_life), how.least_share)
        moved = np.trunc(np.minimum(moved, share * area.people))
        if number < _CROWDED_ROUNDS:
            rush = _by_venue(area, area.venue[low], moved) / area.supply
            moved = np.round(moved / np.maximum(rush, 1.0)[area.venue[low]])
        np.add.at(assigned, low, moved)
        np.add.at(assigned, high, -moved)
    costs = np.add.reduceat(total * assigned, area.start)
    return np.asarray(costs / np.add.reduceat(assigned, area.start), dtype=np.float64)


def _by_venue(area: _Area, venue: npt.NDArray[np.integer[Any]], people: Floats) -> Floats:
    sums = np.bincount(venue, weights=people, minlength=len(area.supply))
    return np.asarray(sums, dtype=np.float64)


def _first(flags: npt.NDArray[np.bool_], start: Positions) -> Positions:
    """Return the position of the first flag that is set in each row; every row has one."""
    at = np.flatnonzero(flags)
    return at[np.searchsorted(at, start)]


def _moves(area: _Area, assigned: Floats, load: Floats, low: Positions, high: Positions) -> Floats:
    """Return how many people of each resident should move so that both their venues cost the same."""
    near, far = area.supply[area.venue[low]], area.supply[area.venue[high]]
    own = assigned[low] + assigned[high]
    others_near = load[area.venue[low]] - assigned[low]
    others_far = load[area.venue[high]] - assigned[high]
    balance = (area.travel[high] - area.travel[low]) + (own + others_far) / far - others_near / near
    wanted = (near * far) / (near + far) * balance - assigned[low]
    return np.where(low == high, 0.0, np.minimum(wanted, assigned[high]))
