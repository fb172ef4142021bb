"""Count what is within reach by a capacity target, who is served there, and how evenly it is shared out.

The plain ratio of the target is judged; this stands beside it and explains. Everyone of the group shares the
venues, also residents whom the target does not count; what is reported is of those it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle import measures
from lifecircle.audit._counted import in_area, urban_class
from lifecircle.audit._inputs import cached_per_inputs
from lifecircle.audit._judged import gap_table
from lifecircle.demand import OUTSIDE
from lifecircle.findings import CapacityReach, ServedCount, ServedDistrict
from lifecircle.measures import Equity, Sides

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._searches import ServicePairs
    from lifecircle.measures import NearbySupply, Served
    from lifecircle.standards import CapacityTarget, ReachRule

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

LEAST_PEOPLE = 1.0
"""Fewer people of one village than this who find every place taken make no gap: a setting."""
_NOISE = 1e-9


@dataclass(frozen=True, eq=False)
class Reached:
    """What is within reach by one capacity target.

    ``homes`` : (demand, ...) ``score``, ``served``, ``full``; ``venues`` : (facility, ...) ``people``,
    ``rate``, ``load``, ``use``, NaN for other venues; ``gaps`` : rows of the list of gaps.
    """

    reach: CapacityReach
    equity: Equity | None
    homes: pd.DataFrame
    venues: pd.DataFrame
    gaps: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Asked:
    """One target and who has to do with it: ``counts`` : (demand,) whom the target counts, by place.

    ``people`` : (demand,) of the group; ``users`` : (demand,) who take places; ``amounts`` : (venue,).
    """

    target: CapacityTarget
    rule: ReachRule
    inputs: Inputs
    pairs: ServicePairs
    counts: Flags
    people: Floats
    users: Floats
    amounts: Floats
    each: float | None
    norm: float | None

    @property
    def limit_s(self) -> float:
        """The limit in seconds."""
        return self.rule.minutes * 60


def reach_of_capacity(  # noqa: PLR0913 - a question and what is known of it, all named
    target: CapacityTarget,
    inputs: Inputs,
    pairs: ServicePairs,
    *,
    rule: ReachRule,
    norm: float | None,
    plain: pd.DataFrame,
) -> Reached | None:
    """Count what is within reach by a capacity target.

    Parameters
    ----------
    pairs : who reaches which of its venues
    norm : amount per so many people that is asked for in the year, None where nothing is
    plain : the plain ratios by district and for ``all``

    Returns
    -------
    reached : None where no venue of the target is there, or the residents do not say who takes places
    """
    column, users = ("population" if name == "all" else name for name in (target.group, _users(target)))
    if not len(pairs.venue) or column not in inputs.demand or users not in inputs.demand:
        return None
    inside = (inputs.demand["district"].astype("str") != OUTSIDE).to_numpy(dtype=bool)
    cells = inputs.facilities[target.of].iloc[pairs.venue]
    asked = _Asked(
        target,
        rule,
        inputs,
        pairs,
        counts=in_area(target, inputs) & inside,
        people=inputs.demand[column].to_numpy(dtype=float),
        users=inputs.demand[users].to_numpy(dtype=float),
        amounts=pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float),
        each=1.0 if target.users is not None else target.per / norm if norm else None,
        norm=norm,
    )
    nearby = measures.supply_nearby(
        pairs.seconds, asked.people, asked.amounts, limit=asked.limit_s, per=target.per
    )
    served, orders = None, None
    if asked.each is not None:
        question = (pairs.seconds, asked.users, asked.amounts * asked.each)
        served = measures.serve_in_order(*question, limit=asked.limit_s)
        orders = measures.spread_of_orders(*question, limit=asked.limit_s, orders=0)
    homes = _homes(asked, nearby, served)
    reach = _totals(asked, served, homes, nearby, orders=orders, plain=plain)
    return Reached(
        reach,
        _equity(asked, homes["score"].to_numpy(dtype=float)),
        homes,
        _venues(asked, nearby, served),
        _full_gaps(asked, homes),
    )


def _users(target: CapacityTarget) -> str:
    """Return the group that takes places."""
    return target.group if target.users is None else target.users


def _homes(asked: _Asked, nearby: NearbySupply, served: Served | None) -> pd.DataFrame:
    """Put the residents together: (demand,) score, and people served, before full venues and without any."""
    columns: dict[str, Floats] = {"score": nearby.score.to_numpy(dtype=float)}
    if served is not None:
        table = served.residents
        columns |= {name: table[name].to_numpy(dtype=float) for name in ("served", "full", "unreachable")}
        # Whoever reaches a venue of unknown places may find one: that is not full.
        pairs = asked.pairs.seconds
        may = np.zeros(len(asked.users), dtype=bool)
        may[np.repeat(np.arange(len(may)), np.diff(pairs.indptr))[np.isnan(asked.amounts)[pairs.indices]]] = (
            True
        )
        columns["unknown"] = np.where(may, columns["full"], 0.0)
        columns["full"] = np.where(may, 0.0, columns["full"])
    return pd.DataFrame(columns, index=asked.inputs.demand.index)


def _venues(asked: _Asked, nearby: NearbySupply, served: Served | None) -> pd.DataFrame:
    """Put the venues together, on all facilities: who reaches each, its rate, and the places taken."""
    found = pd.DataFrame(index=asked.inputs.facilities.index[asked.pairs.venue])
    known = np.isfinite(asked.amounts)
    found["people"] = nearby.venues["people"].to_numpy()
    found["rate"] = nearby.venues["rate"].to_numpy()
    if served is not None and asked.each is not None:
        found["load"] = np.where(known, served.venues["load"].to_numpy() / asked.each, np.nan)
        found["use"] = np.where(known, served.venues["utilisation"].to_numpy(), np.nan)
    return found.reindex(asked.inputs.facilities.index)


def _totals(  # noqa: PLR0913 - what was found, all named
    asked: _Asked,
    served: Served | None,
    homes: pd.DataFrame,
    nearby: NearbySupply,
    *,
    orders: measures.OrderSpread | None,
    plain: pd.DataFrame,
) -> CapacityReach:
    """Add up residents by district and venues in all."""
    known = np.isfinite(asked.amounts)
    load = unused = None
    filled = 0
    if served is not None and asked.each is not None:
        load, unused = (float(served.venues[name].sum()) / asked.each for name in ("load", "unused"))
        some = known & (asked.amounts > 0)
        filled = int((some & (served.venues["utilisation"].to_numpy() >= 1 - _NOISE)).sum())
    layer = asked.inputs.districts
    counts = _counts(asked, homes, plain)
    rows = []
    for number, (code, row) in enumerate([] if layer is None else layer.iterrows()):
        urban = row.get("urban")
        known_urban = None if urban is None or pd.isna(urban) else bool(urban)
        rows.append(ServedDistrict(str(code), str(row["name"]), known_urban, counts[number]))
    return CapacityReach(
        asked.rule.minutes,
        str(asked.rule.profile),
        asked.rule.circle,
        _users(asked.target),
        asked.each,
        counts[-1],
        tuple(rows),
        venues=int(known.sum()),
        unreached=int((known & (nearby.venues["people"].to_numpy() <= 0)).sum()),
        filled=filled,
        load=load,
        unused=unused,
        orders=orders,
    )


def _counts(asked: _Asked, homes: pd.DataFrame, plain: pd.DataFrame) -> list[ServedCount]:
    """Count the people of every district, and of all of them last, and what is missing for them."""
    layer = asked.inputs.districts
    codes = [] if layer is None else [str(code) for code in layer.index]
    # Residents in no district are in the last sum alone.
    place = np.where(_sides(asked.inputs).district >= 0, _sides(asked.inputs).district, len(codes))

    def sums(people: Floats) -> list[float]:
        """Add people up by district, and in all."""
        mine = np.where(asked.counts, people, 0.0)
        parts = np.bincount(place, weights=mine, minlength=len(codes))[: len(codes)]
        return [*parts.tolist(), float(mine.sum())]

    columns = {name: homes[name].to_numpy(dtype=float) for name in homes.columns}
    heads, users = sums(asked.people), sums(asked.users)
    scores = sums(asked.people * columns["score"])
    nothing: list[Any] = [None] * len(heads)
    served, full, unreachable, unsnapped, unsure = (nothing,) * 5
    if asked.each is not None:
        snapped = asked.pairs.snapped
        served, full, unsure = (sums(columns[name]) for name in ("served", "full", "unknown"))
        unreachable, unsnapped = (
            sums(np.where(flags, columns["unreachable"], 0.0)) for flags in (snapped, ~snapped)
        )
    return [
        ServedCount(
            users[at],
            served[at],
            full[at],
            unreachable[at],
            unsnapped[at],
            scores[at] / heads[at] if heads[at] > 0 else None,
            _missing(asked, plain, code),
            None if asked.each is None else full[at] / asked.each,
            None if asked.each is None else unreachable[at] / asked.each,
            unsure[at],
        )
        for at, code in enumerate([*codes, measures.ALL])
    ]


def _missing(asked: _Asked, plain: pd.DataFrame, code: str) -> float | None:
    """Return what a district lacks to the norm by the plain ratio; None without a norm."""
    if asked.norm is None or code not in plain.index:
        return None
    people, amount = (float(plain.loc[code, name]) for name in ("people", "amount"))
    return max(0.0, asked.norm * people / asked.target.per - amount)


@cached_per_inputs
def _sides(inputs: Inputs) -> Sides:
    """Return between whom figures of residents are compared."""
    layer = inputs.districts
    codes = pd.Index([] if layer is None else layer.index.astype("str"))
    names = [] if layer is None else [str(name) for name in layer["name"]]
    groups = {name: inputs.demand[name].to_numpy(dtype=float) for name in inputs.study.demand.groups}
    home = codes.get_indexer(inputs.demand["district"].astype("str"))
    return Sides(home, names, urban_class(inputs), groups)


def _equity(asked: _Asked, score: Floats) -> Equity | None:
    """Measure how evenly the amount within reach is shared out; without a road it is not known."""
    values = np.where(asked.pairs.snapped, score, np.nan)
    people = np.where(asked.counts, asked.people, 0.0)
    return measures.equity(values, people, _sides(asked.inputs), enough=asked.norm)


def circle_equity(inputs: Inputs, people: Floats, status: npt.NDArray[np.str_]) -> Equity | None:
    """Measure how evenly a circle covers: 1 for who is covered, 0 for who is not; without a road unknown.

    Parameters
    ----------
    people : (demand,) whom the circle counts
    status : (demand,) bucket of each resident
    """
    values = np.where(status == "unsnapped", np.nan, (status == "covered").astype(float))
    return measures.equity(values, people, _sides(inputs), enough=1.0, yes_or_no=True)


def _full_gaps(asked: _Asked, homes: pd.DataFrame) -> pd.DataFrame:
    """List the villages whose people reach venues and find all of them full, most people first.

    Districts where there are no villages. A row stands at the resident nearest to the mean place of these
    people and names the venue that is nearest from there.
    """
    if asked.each is None:
        return gap_table([])
    inputs = asked.inputs
    full = np.where(asked.counts, homes["full"].to_numpy(dtype=float), 0.0)
    left = np.flatnonzero(full > 0)
    by_village = inputs.villages is not None and "village" in inputs.demand
    unit = inputs.demand["village" if by_village else "district"].iloc[left].astype("str")
    codes, names = pd.factorize(unit, sort=True)
    sums = np.bincount(codes, weights=full[left], minlength=len(names))
    found = [(at, left[codes == at]) for at in np.flatnonzero(sums >= LEAST_PEOPLE).tolist()]
    heads = np.array([_head(inputs, mine, full[mine]) for _, mine in found], dtype=np.intp)
    nearest = np.array([_nearest(asked, head) for head in heads.tolist()], dtype=np.intp)
    districts = inputs.demand["district"].iloc[heads].astype("str").tolist()
    venues = inputs.facilities["name"].iloc[nearest].tolist()
    rows: list[dict[str, Any]] = [
        {
            "target": asked.target.id,
            "district": districts[number],
            "village": str(names[at]) if by_village else "",
            "lon": round(float(inputs.lonlat[heads[number], 0]), 6),
            "lat": round(float(inputs.lonlat[heads[number], 1]), 6),
            "people": float(sums[at]),
            "minutes": np.nan,
            "nearest": str(venues[number]),
            "reason": "full",
            "mean_minutes": np.nan,
            "venues": "",
        }
        for number, (at, _) in enumerate(found)
    ]
    rows.sort(key=lambda row: -row["people"])
    for number, row in enumerate(rows, 1):
        row["id"] = f"{asked.target.id}-{number:03d}"
    return gap_table(rows)


def _head(inputs: Inputs, mine: npt.NDArray[np.intp], weight: Floats) -> int:
    """Return the resident who is nearest to the mean place of some."""
    lonlat = inputs.lonlat[mine]
    apart = lonlat - (weight[:, None] * lonlat).sum(axis=0) / weight.sum()
    apart[:, 0] *= np.cos(np.radians(lonlat[0, 1]))
    return int(mine[np.argmin((apart**2).sum(axis=1))])


def _nearest(asked: _Asked, home: int) -> int:
    """Return the position among the facilities of the venue that is nearest to a resident who reaches one."""
    table = asked.pairs.seconds
    pairs = slice(table.indptr[home], table.indptr[home + 1])
    return int(asked.pairs.venue[table.indices[pairs][np.argmin(table.data[pairs])]])
