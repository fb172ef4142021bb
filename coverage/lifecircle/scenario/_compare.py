"""Compare a study before and after changes: who gains and who loses a circle, target by target.

Every figure is a difference of two audits of the same residents. A resident who is covered after and was
not before is won, one who was and is no more is lost; where a village grows, those who come to covered
places are kept apart, so that ``covered after = covered before + won - lost + come``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.audit import gap_clusters, in_area, urban_class
from lifecircle.findings import CircleResult
from lifecircle.scenario._unit_moves import GapMove, Town, UnitMoves, moves_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.findings import CircleDistrict, Findings, GroupResult, TargetResult

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

_NOISE_S = 1e-3  # times that differ by less than this are the same time


@dataclass(frozen=True)
class Part:
    """One target in one district or for one group, before and after; values are shares, all else people."""

    code: str
    name: str
    people_before: float
    people_after: float
    covered_before: float
    covered_after: float
    value_before: float | None
    value_after: float | None
    status_before: str
    status_after: str
    won: float
    lost: float


@dataclass(frozen=True)
class TargetComparison:
    """One target before and after.

    ``won``, ``lost``, ``come`` : people, see the module; ``connected``, ``cut_off`` : people who had no
    path to the rule and have one, and the other way round; ``nearer``, ``farther`` : people whose time to
    the rule is shorter, longer; ``saved_min`` : minutes saved, people times minutes, see
    :func:`saved_seconds`;
    ``gaps_closed``, ``gaps_opened`` : ids of gaps nobody of whom is uncovered after, or was before.
    Figures of residents are None for targets that are not circles; those have ``towns``, their value by
    district, and by kind ``units`` (presence), ``missing_before`` and ``missing_after`` (capacity: what is
    still needed to the goal of the year) or ``gaps`` (how unequal each circle is). ``registered`` : whether
    the value is a figure that an office registers, which no change of facilities or roads moves.
    """

    target: str
    kind: str
    unit: str
    value_before: float | None
    value_after: float | None
    status_before: str
    status_after: str
    goal: float | None
    people_before: float | None = None
    people_after: float | None = None
    covered_before: float | None = None
    covered_after: float | None = None
    won: float | None = None
    lost: float | None = None
    come: float | None = None
    connected: float | None = None
    cut_off: float | None = None
    nearer: float | None = None
    farther: float | None = None
    saved_min: float | None = None
    gaps_closed: tuple[str, ...] = ()
    gaps_opened: tuple[str, ...] = ()
    districts: tuple[Part, ...] = ()
    groups: tuple[Part, ...] = ()
    units: UnitMoves | None = None
    missing_before: float | None = None
    missing_after: float | None = None
    gaps: tuple[GapMove, ...] = ()
    towns: tuple[Town, ...] = ()
    registered: bool = False

    @property
    def changed(self) -> bool:
        """Return whether anything about the target is different."""
        moved = (self.won, self.lost, self.come, self.nearer, self.farther, self.connected, self.cut_off)
        units = self.units is not None and bool(self.units.gained or self.units.lost)
        return (
            self.value_before != self.value_after
            or self.status_before != self.status_after
            or self.missing_before != self.missing_after
            or any(moved)
            or units
            or any(gap.before != gap.after for gap in self.gaps)
        )


def compare_targets(
    before: Findings, after: Findings, *, was: Inputs, now: Inputs
) -> tuple[TargetComparison, ...]:
    """Compare two audits target by target.

    Parameters
    ----------
    before, after : findings of the same residents
    was, now : the inputs they were computed from
    """
    return tuple(
        _compared(one, after.result(one.target.id), _Both(before, after, was, now)) for one in before.targets
    )


@dataclass(frozen=True, eq=False)
class _Both:
    before: Findings
    after: Findings
    was: Inputs
    now: Inputs


@dataclass(frozen=True, eq=False)
class _Moves:
    """What became of every resident for one circle: (demand,) each."""

    people_before: Floats
    people_after: Floats
    seconds_before: Floats
    seconds_after: Floats
    covered_before: Flags
    covered_after: Flags

    @classmethod
    def of(cls, target: str, before: Findings, after: Findings) -> _Moves:
        """Take one circle's answers from two findings."""
        return cls(
            before.people[target].to_numpy(dtype=float),
            after.people[target].to_numpy(dtype=float),
            before.seconds[target].to_numpy(dtype=float),
            after.seconds[target].to_numpy(dtype=float),
            (before.status[target] == "covered").to_numpy(dtype=bool),
            (after.status[target] == "covered").to_numpy(dtype=bool),
        )

    @property
    def won(self) -> Flags:
        """Return who is covered now and was not."""
        return self.covered_after & ~self.covered_before

    @property
    def lost(self) -> Flags:
        """Return who was covered and is no more."""
        return self.covered_before & ~self.covered_after

    @property
    def connected(self) -> Flags:
        """Return who had no path and has one."""
        return np.isnan(self.seconds_before) & np.isfinite(self.seconds_after)

    @property
    def cut_off(self) -> Flags:
        """Return who had a path and has none."""
        return np.isfinite(self.seconds_before) & np.isnan(self.seconds_after)

    @property
    def saved_s(self) -> Floats:
        """Return the seconds each resident saves, see :func:`saved_seconds`."""
        return saved_seconds(self.seconds_before, self.seconds_after)


def saved_seconds(before: Floats, after: Floats) -> Floats:
    """Return the seconds each resident saves on the way to the rule: the one meaning of saved time.

    Whoever had a path before and has one after is counted, covered or not; those who are farther count
    against it. Without a path before, or after, no time can be stated, and none is counted.

    Parameters
    ----------
    before, after : (demand,) seconds, NaN where there is no path

    Returns
    -------
    saved : (demand,) seconds, negative for those who are farther; 0 where times differ by float noise alone

    >>> saved_seconds(np.array([900.0, 60.0, np.nan]), np.array([300.0, 90.0, 60.0])).tolist()
    [600.0, -30.0, 0.0]
    """
    saved = np.nan_to_num(before - after, nan=0.0)
    return np.where(np.abs(saved) > _NOISE_S, saved, 0.0)


def _compared(one: TargetResult, other: TargetResult, both: _Both) -> TargetComparison:
    """Compare one target; residents come in only where it is a circle that was assessed."""
    target = one.target
    plain: dict[str, Any] = {
        "target": target.id,
        "kind": target.kind,
        "unit": "people" if target.kind == "circle" else str(target.unit),
        "value_before": one.value,
        "value_after": other.value,
        "status_before": one.status,
        "status_after": other.status,
        "goal": target.goal,
    }
    # Only circles have an answer for every resident.
    if not isinstance(one, CircleResult) or not isinstance(other, CircleResult):
        return TargetComparison(**plain, **moves_of(one, other))
    if one.count is None or other.count is None:
        return TargetComparison(**plain)
    moves = _Moves.of(target.id, both.before, both.after)
    saved = moves.saved_s
    people = moves.people_after
    # People who come to places that were covered before and are now are neither won nor lost.
    stayed = moves.covered_before & moves.covered_after
    return TargetComparison(
        **plain,
        people_before=one.count.people,
        people_after=other.count.people,
        covered_before=one.count.covered,
        covered_after=other.count.covered,
        won=float(people[moves.won].sum()),
        lost=float(moves.people_before[moves.lost].sum()),
        come=float((people - moves.people_before)[stayed].sum()),
        connected=float(people[moves.connected].sum()),
        cut_off=float(people[moves.cut_off].sum()),
        nearer=float(people[saved > 0].sum()),
        farther=float(people[saved < 0].sum()),
        saved_min=float(people @ saved) / 60,
        gaps_closed=_vanished(both.before, both.after, target.id, both.was),
        gaps_opened=_vanished(both.after, both.before, target.id, both.now),
        districts=tuple(_district_parts(one, other, moves, both)),
        groups=tuple(_group_parts(one, other, moves, both)),
    )


def _vanished(here: Findings, there: Findings, target: str, inputs: Inputs) -> tuple[str, ...]:
    """Name the gaps of one run of which nobody is uncovered in the other."""
    status = here.status[target].to_numpy(dtype=str)
    people = here.people[target].to_numpy(dtype=float)
    left = np.flatnonzero((status != "covered") & (people > 0))
    if not len(left):
        return ()
    cluster = gap_clusters(left, status, inputs)
    number = cluster.max() + 1
    weight = np.bincount(cluster, weights=people[left], minlength=number)
    first = np.full(number, len(people))
    np.minimum.at(first, cluster, left)
    order = np.lexsort((first, -weight))
    uncovered = (there.status[target] != "covered").to_numpy(dtype=bool) & (
        there.people[target].to_numpy(dtype=float) > 0
    )
    still = np.bincount(cluster, weights=uncovered[left], minlength=number) > 0
    # gaps are numbered with most people first, those of equal people by their first resident
    return tuple(f"{target}-{rank:03d}" for rank, gap in enumerate(order, 1) if not still[gap])


def _district_parts(one: CircleResult, other: CircleResult, moves: _Moves, both: _Both) -> Iterator[Part]:
    later = {part.code: part for part in other.districts}
    unit = both.before.demand["district"].astype(str).to_numpy()
    for part in one.districts:
        if part.code in later:
            mine = unit == part.code
            yield _part(part.code, part.name, part, later[part.code], moves, mine.astype(float))


def _group_parts(one: CircleResult, other: CircleResult, moves: _Moves, both: _Both) -> Iterator[Part]:
    """Compare the groups: by their column of the residents, urban and rural by class."""
    later = {part.group: part for part in other.groups}
    for part in one.groups:
        if part.group not in later:
            continue
        before, after = (_group_people(part.group, one, inputs) for inputs in (both.was, both.now))
        moved = _Moves(
            before,
            after,
            moves.seconds_before,
            moves.seconds_after,
            moves.covered_before,
            moves.covered_after,
        )
        yield _part(part.group, part.group, part, later[part.group], moved, np.ones(len(before)))


def _group_people(group: str, result: TargetResult, inputs: Inputs) -> Floats:
    """Count the people of a group that a target's tables count: (demand,)."""
    target = result.target
    assert target.kind == "circle"
    if group in {"urban", "rural"}:
        mine = urban_class(inputs) == (1 if group == "urban" else 0)
        column = "population" if target.group == "all" else target.group
        return np.where(mine, inputs.demand[column].to_numpy(dtype=float), 0.0)
    column = "population" if group == "all" else group
    return np.where(in_area(target, inputs), inputs.demand[column].to_numpy(dtype=float), 0.0)


def _part(  # noqa: PLR0913, PLR0917 - two sides of one part, and what is added up for it
    code: str,
    name: str,
    one: CircleDistrict | GroupResult,
    other: CircleDistrict | GroupResult,
    moves: _Moves,
    share: Floats,
) -> Part:
    return Part(
        code=code,
        name=name,
        people_before=one.count.people,
        people_after=other.count.people,
        covered_before=one.count.covered,
        covered_after=other.count.covered,
        value_before=one.value,
        value_after=other.value,
        status_before=getattr(one, "status", ""),
        status_after=getattr(other, "status", ""),
        won=float((moves.people_after * share)[moves.won].sum()),
        lost=float((moves.people_before * share)[moves.lost].sum()),
    )


def moved_residents(before: Findings, after: Findings) -> gpd.GeoDataFrame:
    """List the residents whose bucket or time is different, for every circle.

    Returns
    -------
    table : ``target``, ``resident``, ``change`` (won, lost, connected, cut_off, nearer, farther), ``people``,
        ``minutes_before``, ``minutes_after`` (NaN without a path), ``district``, ``village``; points (or
        None) in EPSG:4326; circles in their order, residents in theirs
    """
    parts: list[Mapping[str, Any]] = []
    rows = []
    for target in before.seconds.columns:
        moves = _Moves.of(target, before, after)
        change = np.select(
            [moves.won, moves.lost, moves.connected, moves.cut_off, moves.saved_s > 0, moves.saved_s < 0],
            ["won", "lost", "connected", "cut_off", "nearer", "farther"],
            "",
        )
        people = np.where(moves.lost, moves.people_before, moves.people_after)
        at = np.flatnonzero((change != "") & (people > 0))
        rows.append(at)
        parts.append(
            {
                "target": np.full(len(at), target, dtype=object),
                "resident": before.demand.index[at].astype(str),
                "change": change[at],
                "people": people[at],
                "minutes_before": moves.seconds_before[at] / 60,
                "minutes_after": moves.seconds_after[at] / 60,
            }
        )
    at = np.concatenate(rows) if rows else np.zeros(0, dtype=np.intp)
    demand = after.demand.iloc[at]
    names = ("target", "resident", "change", "people", "minutes_before", "minutes_after")
    columns: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) if parts else [] for name in names
    }
    table = pd.DataFrame(columns).astype({"target": "str", "resident": "str", "change": "str"})
    for name in ("district", "village"):
        table[name] = demand[name].to_numpy() if name in demand else ""
    return gpd.GeoDataFrame(table, geometry=demand.geometry.to_numpy(), crs="EPSG:4326")
