"""Capacity-limited service: venues take the residents who reach them until they are full.

Who is served depends on who comes first. The order-free optimum, the most people and then the least time, is
the bound that no order beats.
"""

from __future__ import annotations

import heapq
import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from lifecircle.costs import read_costs, read_weights
from lifecircle.errors import Fault, LifecircleError, MissingExtraError, UnusableInputError, say
from lifecircle.limits import within_limit
from lifecircle.measures._floating import read_supply

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.costs import Costs

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

_PARTS = 1000
"""Whole parts that a person and a unit of cost are divided into where they are no integers."""

_NOISE = 1e-6
"""People less than this are float noise of what was taken away."""


@dataclass(frozen=True, eq=False)
class Served:
    """Who is served where.

    Attributes
    ----------
    flows : csr (demand, facility), people served; as labelled by ``residents`` and ``venues``
    residents : demand -> ``people``, ``served``, ``full`` (they reach venues, and all are full),
        ``unreachable`` (no venue within the limit) and ``cost`` (mean of those who are served, NaN without)
    venues : facility -> ``places``, ``load``, ``unused`` and ``utilisation`` (NaN without places)
    status : ``optimal`` for the optimum, ``order`` for one of many orders
    """

    flows: csr_array
    residents: pd.DataFrame
    venues: pd.DataFrame
    status: Literal["optimal", "order"]

    @property
    def people(self) -> float:
        """How many people are served."""
        return float(self.residents["served"].sum())

    @property
    def cost(self) -> float:
        """The sum of costs over everyone who is served."""
        return float((self.residents["cost"].fillna(0.0) * self.residents["served"]).sum())


def serve_in_order(
    costs: Any, people: Any, places: Any, *, limit: float, order: npt.ArrayLike | None = None
) -> Served:
    """Fill venues in an order: whoever is nearest to a place that is left takes it, or residents one by one.

    Parameters
    ----------
    costs : as for :func:`floating_catchment`
    people : (demand,) 0 or more
    places : (facility,) 0 or more; NaN is unknown, and such a venue takes nobody
    limit : beyond which nobody goes, inclusive
    order : (demand,) rank of each resident, lowest first: each takes the nearest places that are left. Left
        out, the nearest pair of resident and venue comes first, wherever it is

    Returns
    -------
    served : see :class:`Served`; ties go to the resident and then to the venue that stands first

    Raises
    ------
    UnusableInputError
        Costs, people or places cannot be used, or there is not one rank for each resident.

    References
    ----------
    The order is this package's statement of a rule; none is a law. See :func:`serve_best` for the bound.

    >>> costs = np.array([[60.0, 300.0], [120.0, np.inf]])
    >>> serve_in_order(costs, [10, 10], [10, 10], limit=600).residents["served"].tolist()
    [10.0, 0.0]
    """
    asked = _read(costs, people, places, limit)
    lists, left = _Lists.of(asked), asked.places.copy()
    if order is None:
        return _served(asked, _nearest_first(lists, asked.people.copy(), left), "order")
    ranks = np.asarray(order)
    if ranks.shape != asked.people.shape:
        reason = say("there are {many} rows", many=len(asked.people))
        raise UnusableInputError(
            [Fault("order", "", f"shape {ranks.shape}", reason, say("give one rank for each resident"))]
        )
    return _served(asked, _one_by_one(lists, asked.people, left, np.argsort(ranks, kind="stable")), "order")


def serve_best(costs: Any, people: Any, places: Any, *, limit: float) -> Served:
    """Fill venues so that the most people are served, and of all such ways with the least cost.

    A flow of least cost among those of the most people, solved exactly in whole numbers: people and places
    that are no integers are counted in thousandths, costs in thousandths of their unit.

    Parameters
    ----------
    costs, people, places, limit : as for :func:`serve_in_order`

    Returns
    -------
    served : see :class:`Served`; no order serves more people, or as many for less

    Raises
    ------
    UnusableInputError
        Costs, people or places cannot be used.
    MissingExtraError
        OR-Tools is not installed.

    References
    ----------
    Goldberg (1997), An efficient implementation of a scaling minimum-cost flow algorithm, Journal of
    Algorithms 22; as OR-Tools solves it.

    >>> costs = np.array([[60.0, 300.0], [120.0, np.inf]])
    >>> serve_best(costs, [10, 10], [10, 10], limit=600).residents["served"].tolist()
    [10.0, 10.0]
    """
    asked = _read(costs, people, places, limit)
    lists = _Lists.of(asked)
    row = np.repeat(np.arange(len(asked.people)), np.diff(lists.start))
    whole = all((one == np.floor(one)).all() for one in (asked.people, asked.places))
    parts = 1 if whole else _PARTS
    many, room = (np.floor(one * parts + _NOISE).astype(np.int64) for one in (asked.people, asked.places))
    cost = np.round(lists.cost * _PARTS).astype(np.int64)
    used = _flows((row, lists.venue), cost, many, room) / parts
    some = used > 0
    taken = zip(row[some].tolist(), lists.venue[some].tolist(), used[some].tolist(), strict=True)
    return _served(asked, list(taken), "optimal")


def _flows(arcs: tuple[Whole, Whole], cost: Whole, people: Whole, room: Whole) -> Whole:
    """Solve a flow in a process of its own, see ``_flow_process``: (arc,) the flow of each.

    Raises
    ------
    MissingExtraError
        OR-Tools is not installed.
    LifecircleError
        It does not solve the flow.
    """
    if importlib.util.find_spec("ortools") is None:
        raise MissingExtraError("ortools", "flow")
    with TemporaryDirectory(prefix="lifecircle-flow-") as folder:
        given = {"row": arcs[0], "venue": arcs[1], "cost": cost, "people": people, "room": room}
        np.savez(Path(folder) / "arcs.npz", allow_pickle=False, **given)
        # -P: the folder of the script is not searched, so that no file there takes the name of a library.
        script = str(Path(__file__).with_name("_flow_process.py"))
        done = subprocess.run(  # noqa: S603 - this very package, by the interpreter that runs it
            [sys.executable, "-P", script, folder], capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
            raise LifecircleError(f"the flow was not solved: {last[0]}")
        flows: Whole = np.load(Path(folder) / "flows.npy")
    return flows


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is to be served: costs as read, people (demand,), places (facility,), and the limit."""

    costs: Costs
    people: Floats
    places: Floats
    limit: float


def _read(costs: Any, people: Any, places: Any, limit: float) -> _Asked:
    """Read costs, people and places; an unknown number of places is none that can be promised.

    Raises
    ------
    UnusableInputError
        With every fault of each.
    """
    read, faults = read_costs(costs)
    if read is None:
        raise UnusableInputError(faults)
    heads, more = read_weights(people, read.demand, named=read.named, name="people")
    amounts, others = read_supply(places, read)
    if more or others:
        raise UnusableInputError([*more, *others])
    return _Asked(read, heads, np.nan_to_num(amounts), limit)


@dataclass(frozen=True, eq=False)
class _Lists:
    """The venues within the limit of each resident, nearest first: rows of ``venue`` and ``cost``."""

    start: npt.NDArray[np.int64]
    venue: npt.NDArray[np.int64]
    cost: Floats

    @classmethod
    def of(cls, asked: _Asked) -> _Lists:
        """List the venues within the limit of each resident, nearest first."""
        table = asked.costs.table
        row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
        inside = within_limit(table.data, asked.limit)
        row, venue, cost = row[inside], table.indices[inside].astype(np.int64), table.data[inside]
        start = np.zeros(table.shape[0] + 1, dtype=np.int64)
        np.cumsum(np.bincount(row, minlength=table.shape[0]), out=start[1:])
        # Row by row: sorting millions of pairs at once takes ten times as long. Ties keep the venues' order.
        by = np.empty(len(row), dtype=np.int64)
        for first, last in pairwise(start.tolist()):
            by[first:last] = first + np.argsort(cost[first:last], kind="stable")
        return cls(start, venue[by], cost[by])


def _nearest_first(lists: _Lists, needs: Floats, left: Floats) -> list[tuple[int, int, float]]:
    """Serve the nearest pair with people and places left, until there is none."""
    taken = []
    at = lists.start[:-1].copy()
    some = np.flatnonzero((needs > 0) & (at < lists.start[1:])).tolist()
    queue = [(lists.cost[at[one]], one) for one in some]
    heapq.heapify(queue)
    while queue:
        _, one = heapq.heappop(queue)
        venue = lists.venue[at[one]]
        if left[venue] > 0:
            people = min(needs[one], left[venue])
            needs[one] -= people
            left[venue] -= people
            taken.append((one, int(venue), float(people)))
        if needs[one] > 0:
            # The next venue of this resident that has places; those in between are full, and stay so.
            rest = left[lists.venue[at[one] : lists.start[one + 1]]] > 0
            if rest.any():
                at[one] += int(rest.argmax())
                heapq.heappush(queue, (lists.cost[at[one]], one))
    return taken


def _one_by_one(
    lists: _Lists, needs: Floats, left: Floats, order: npt.NDArray[np.intp]
) -> list[tuple[int, int, float]]:
    """Let residents in their order take the nearest places that are left."""
    taken = []
    for one in order.tolist():
        if needs[one] <= 0:
            continue
        venues = lists.venue[lists.start[one] : lists.start[one + 1]]
        before = np.cumsum(left[venues]) - left[venues]
        people = np.clip(needs[one] - before, 0.0, left[venues])
        for position in np.flatnonzero(people > 0).tolist():
            venue = int(venues[position])
            left[venue] -= people[position]
            taken.append((one, venue, float(people[position])))
    return taken


def _served(
    asked: _Asked, taken: list[tuple[int, int, float]], status: Literal["optimal", "order"]
) -> Served:
    """Put the result together: people by resident and by venue."""
    read, heads, amounts = asked.costs, asked.people, asked.places
    rows, venues, people = zip(*taken, strict=True) if taken else ((), (), ())
    where = (np.array(rows, dtype=np.int64), np.array(venues, dtype=np.int64))
    flows = csr_array((np.array(people, dtype=np.float64), where), shape=read.table.shape)
    served = np.asarray(flows.sum(axis=1)).ravel()
    load = np.asarray(flows.sum(axis=0)).ravel()
    inside = csr_array(
        (within_limit(read.table.data, asked.limit).astype(np.int64), read.table.indices, read.table.indptr),
        shape=read.table.shape,
    )
    reach = np.asarray(inside.sum(axis=1)).ravel() > 0
    rest = np.where(heads - served > _NOISE, heads - served, 0.0)
    spent = np.asarray(flows.multiply(read.table).sum(axis=1)).ravel()
    residents = pd.DataFrame(
        {
            "people": heads,
            "served": served,
            "full": np.where(reach, rest, 0.0),
            "unreachable": np.where(reach, 0.0, rest),
            "cost": np.divide(spent, served, out=np.full(len(served), np.nan), where=served > 0),
        },
        index=read.demand,
    )
    share = np.divide(load, amounts, out=np.full(len(load), np.nan), where=amounts > 0)
    table = pd.DataFrame(
        {"places": amounts, "load": load, "unused": np.maximum(amounts - load, 0.0), "utilisation": share},
        index=read.sites,
    )
    return Served(flows, residents, table, status)


@dataclass(frozen=True)
class OrderSpread:
    """How much the order matters: people served in the worst and the best order tried, and at best at all."""

    least: float
    most: float
    nearest: float
    best: float


def spread_of_orders(  # noqa: PLR0913 - a question and how it is tried, all named
    costs: Any, people: Any, places: Any, *, limit: float, orders: int = 20, seed: int = 1
) -> OrderSpread:
    """Return how far the number of people served depends on who comes first.

    Parameters
    ----------
    costs, people, places, limit : as for :func:`serve_in_order`
    orders : how many random orders of residents are tried
    seed : of the random numbers

    Returns
    -------
    spread : of the orders tried, of the nearest first, and the optimum

    Raises
    ------
    UnusableInputError, MissingExtraError
        As for :func:`serve_best`.

    References
    ----------
    See :func:`serve_best`; which orders are tried is this package's choice.

    >>> costs = np.array([[60.0, 300.0], [120.0, np.inf]])
    >>> spread_of_orders(costs, [10, 10], [10, 10], limit=600, orders=5)
    OrderSpread(least=10.0, most=20.0, nearest=10.0, best=20.0)
    """
    random = np.random.default_rng(seed)
    many = len(np.asarray(people))
    found = [
        serve_in_order(costs, people, places, limit=limit, order=random.permutation(many)).people
        for _ in range(orders)
    ]
    nearest = serve_in_order(costs, people, places, limit=limit).people
    best = serve_best(costs, people, places, limit=limit).people
    return OrderSpread(min([*found, nearest]), max([*found, nearest]), nearest, best)
