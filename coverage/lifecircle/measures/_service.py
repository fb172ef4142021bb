"""Capacity-limited service: venues take the residents who reach them until they are full.

Who is served depends on who comes first. The order-free optimum, the most people and then the least time, is
the bound that no order beats.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from lifecircle.costs import read_costs, read_weights
from lifecircle.errors import Fault, LifecircleError, MissingExtraError, UnusableInputError, say
from lifecircle.files import scratch_folder
from lifecircle.limits import within_limit
from lifecircle.measures._floating import read_supply

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.costs import Costs

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]
    _Taken = tuple[Whole, Whole, Floats]  # resident, venue and people of each pair that is served

_PARTS = 1000
"""Whole parts that a person and a unit of cost are divided into where they are no integers."""

_WIDE = 1e9
"""The most that may be counted in 32 bits, with room to spare."""

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
    lists = _Lists.of(asked)
    if order is None:
        return _served(asked, _settled(lists, asked.people, asked.places, lists.cost), "order")
    ranks = np.asarray(order)
    if ranks.shape != asked.people.shape:
        reason = say("there {many:is|are} {many} {many:row|rows}", many=len(asked.people))
        raise UnusableInputError(
            [Fault("order", "", f"shape {ranks.shape}", reason, say("give one rank for each resident"))]
        )
    rank = np.repeat(_turns(ranks), np.diff(lists.start))
    return _served(asked, _settled(lists, asked.people, asked.places, rank), "order")


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
    return _served(asked, (row[some], lists.venue[some], used[some]), "optimal")


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
    with scratch_folder() as folder:
        given = {"row": arcs[0], "venue": arcs[1], "cost": cost, "people": people, "room": room}
        np.savez(folder / "arcs.npz", allow_pickle=False, **given)
        # -P: the folder of the script is not searched, so that no file there takes the name of a library.
        script = str(Path(__file__).with_name("_flow_process.py"))
        done = subprocess.run(  # noqa: S603 - this very package, by the interpreter that runs it
            [sys.executable, "-P", script, folder], capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
            raise LifecircleError(f"the flow was not solved: {last[0]}")
        flows: Whole = np.load(folder / "flows.npy")
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
        by = np.arange(len(row), dtype=np.int64)
        many = np.diff(start)
        # Rows of one length are a table that is sorted at once; all pairs at once take ten times as long.
        for length in np.unique(many[many > 1]).tolist():
            pairs = start[:-1][many == length, None] + np.arange(length)
            by[pairs] = np.take_along_axis(pairs, np.argsort(cost[pairs], axis=1, kind="stable"), axis=1)
        return cls(start, venue[by], cost[by])


def _settled(lists: _Lists, people: Floats, places: Floats, rank: Floats) -> _Taken:
    """Serve pairs in the order of their ranks, all venues at once.

    Everybody asks the nearest venue that they have not been turned away from; a venue keeps whoever has the
    lowest ranks until it is full and turns the others away. The rounds end where serving one pair after the
    other ends, as residents prefer near venues in every such order (Gale and Shapley 1962).

    Parameters
    ----------
    lists : venues of each resident, nearest first
    rank : (pair,) whose turn it is at a venue, lowest first; of equals the resident that stands first
    """
    owner = np.repeat(np.arange(len(people)), np.diff(lists.start))
    held = np.zeros(len(owner))
    at, end, rest = lists.start[:-1].copy(), lists.start[1:], people.copy()
    last = np.where(places > 0, np.inf, -1.0)  # the highest rank that a venue may still take
    kept: Whole = np.zeros(0, dtype=np.int64)
    while len(asking := _next_pairs(lists, at, np.flatnonzero((rest > _NOISE) & (at < end)), last, rank)):
        who = owner[asking]
        held[asking] += rest[who]
        rest[who] = 0.0
        busy = np.zeros(len(places), dtype=bool)
        busy[lists.venue[asking]] = True
        mine = busy[lists.venue[kept]]
        pool = np.unique(np.concatenate([kept[mine], asking]))  # ascending: equals by their resident
        pool = pool[np.lexsort((rank[pool], lists.venue[pool]))]
        venue, wanted = lists.venue[pool], held[pool]
        running = np.cumsum(wanted)
        begins = np.flatnonzero(np.diff(venue, prepend=-1))
        before = np.repeat(running[begins] - wanted[begins], np.diff(begins, append=len(pool)))
        taken = np.clip(places[venue] - (running - wanted - before), 0.0, wanted)
        over = taken < wanted
        held[pool] = taken
        np.add.at(rest, owner[pool[over]], (wanted - taken)[over])
        np.maximum.at(at, owner[pool[over]], pool[over] + 1)
        # Who stands behind the first that was turned away has no chance there any more.
        np.minimum.at(last, venue[over], rank[pool[over]])
        kept = np.concatenate([kept[~mine], pool[taken > 0]])
    kept.sort()
    return owner[kept], lists.venue[kept], held[kept]


def _turns(ranks: npt.NDArray[Any]) -> Floats:
    """Return the turn of each resident, 0 first; of equal ranks whoever stands first."""
    turns = np.empty(len(ranks))
    turns[np.argsort(ranks, kind="stable")] = np.arange(len(ranks))
    return turns


def _next_pairs(lists: _Lists, at: Whole, asking: Whole, last: Floats, rank: Floats) -> Whole:
    """Move residents on to the next venue that may take them: (asking,) pairs; ``at`` is changed."""
    end = lists.start[1:]
    moving = asking
    while len(moving):
        pair = at[moving]
        moving = moving[rank[pair] > last[lists.venue[pair]]]
        at[moving] += 1
        moving = moving[at[moving] < end[moving]]
    return at[asking[at[asking] < end[asking]]]


def _served(asked: _Asked, taken: _Taken, status: Literal["optimal", "order"]) -> Served:
    """Put the result together: people by resident and by venue."""
    read, heads, amounts = asked.costs, asked.people, asked.places
    row, venue, people = taken
    flows = csr_array((people, (row, venue)), shape=read.table.shape)
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


def most_served(costs: Any, people: Any, places: Any, *, limit: float) -> float:
    """Return the most people that any way to fill the venues serves, without saying who goes where.

    A largest flow, found in milliseconds for a county and without any extra; :func:`serve_best` also finds
    who goes where, with the least cost.

    Parameters
    ----------
    costs, people, places, limit : as for :func:`serve_in_order`

    Returns
    -------
    people : exact where people and places are whole; else counted in parts of a person, at most 1,000, and
        too low by less than a part for each resident and venue

    Raises
    ------
    UnusableInputError
        Costs, people or places cannot be used.

    References
    ----------
    Dinic (1970), Algorithm for solution of a problem of maximum flow in networks with power estimation,
    Soviet Mathematics Doklady 11; as SciPy solves it.

    >>> most_served(np.array([[60.0, 300.0], [120.0, np.inf]]), [10, 10], [10, 10], limit=600)
    20.0
    """
    return _most(_read(costs, people, places, limit))


def _most(asked: _Asked) -> float:
    """Return the most people that can be served."""
    lists = _Lists.of(asked)
    homes, venues = len(asked.people), len(asked.places)
    row = np.repeat(np.arange(homes), np.diff(lists.start))
    # A place that nobody reaches, or that all who reach it do not fill, needs no large number.
    room = np.minimum(asked.places, np.bincount(lists.venue, weights=asked.people[row], minlength=venues))
    whole = all((one == np.floor(one)).all() for one in (asked.people, room))
    largest = max(float(asked.people.sum()), float(room.sum()), 1.0)
    # SciPy counts in 32 bits: of very many people the parts are larger.
    parts = 1.0 if whole and largest < _WIDE else min(float(_PARTS), _WIDE / largest)
    many, free = (np.floor(one * parts + _NOISE).astype(np.int32) for one in (asked.people, room))
    start, end = homes + venues, homes + venues + 1
    tail = np.concatenate([row, np.full(homes, start), homes + np.arange(venues)])
    head = np.concatenate([homes + lists.venue, np.arange(homes), np.full(venues, end)])
    flow = csr_array((np.concatenate([many[row], many, free]), (tail, head)), shape=(end + 1, end + 1))
    return float(maximum_flow(flow, start, end).flow_value / parts)


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

    Three orders are always tried: the nearest first, who has the fewest venues within the limit first, and
    who has the most first. The last two are near the best and the worst that an order can do.

    Parameters
    ----------
    costs, people, places, limit : as for :func:`serve_in_order`
    orders : how many random orders of residents are tried beside them; 0 for none
    seed : of the random numbers

    Returns
    -------
    spread : of the orders tried, of the nearest first, and the most that can be served at all

    Raises
    ------
    UnusableInputError
        As for :func:`serve_in_order`.

    References
    ----------
    See :func:`most_served`; which orders are tried is this package's choice.

    >>> costs = np.array([[60.0, 300.0], [120.0, np.inf]])
    >>> spread_of_orders(costs, [10, 10], [10, 10], limit=600, orders=5)
    OrderSpread(least=10.0, most=20.0, nearest=10.0, best=20.0)
    """
    asked = _read(costs, people, places, limit)
    lists = _Lists.of(asked)
    choices, random = np.diff(lists.start), np.random.default_rng(seed)
    tried = [choices, -choices, *(random.permutation(len(choices)) for _ in range(orders))]
    ranks = [lists.cost, *(np.repeat(_turns(one), choices) for one in tried)]
    nearest, *found = (float(_settled(lists, asked.people, asked.places, one)[2].sum()) for one in ranks)
    most = max([*found, nearest])
    # Parts of people are rounded down in the flow; no order is better than the best.
    return OrderSpread(min([*found, nearest]), most, nearest, max(_most(asked), most))
