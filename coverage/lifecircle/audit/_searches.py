"""The searches of one audit: every point snapped once per roads, every question asked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy.sparse import csr_array

from lifecircle.audit._doors import entered
from lifecircle.demand import OUTSIDE
from lifecircle.measures import rule_seconds
from lifecircle.reach import nearest_seconds, usable, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.reach import Snap
    from lifecircle.roads import Roads
    from lifecircle.standards import CircleTarget, ReachRule, Standard


@dataclass(frozen=True, eq=False)
class Answer:
    """What one network says of one rule, for every resident.

    ``seconds``, ``any_seconds`` : (demand,) rule time and time to the nearest single venue, inf where
    there is no path; ``venue`` : (demand,) position of the venue whose time is the rule time, the first
    class of the rule first, -1 where there is no rule time; ``snapped`` : (demand,); ``ranks`` : class ->
    (demand, k) times to the k nearest venues the rule asks of the class; ``venues`` : class -> (demand, k)
    their positions, -1 for none; ``lacking`` : codes of the classes that have fewer
    venues anywhere than the rule asks for, so that nobody's rule time is finite, whatever the roads.
    """

    seconds: npt.NDArray[np.float64]
    any_seconds: npt.NDArray[np.float64]
    venue: npt.NDArray[np.intp]
    snapped: npt.NDArray[np.bool_]
    leg_m: npt.NDArray[np.float64]
    ranks: Mapping[str, npt.NDArray[np.float64]]
    venues: Mapping[str, npt.NDArray[np.intp]]
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ServicePairs:
    """Who reaches which venue of some services within a limit.

    ``seconds`` : sparse (demand, venue); ``venue`` : (venue,) position among the facilities; ``snapped`` :
    (demand,) who has a road.
    """

    seconds: csr_array
    venue: npt.NDArray[np.intp]
    snapped: npt.NDArray[np.bool_]


class Answering(Protocol):
    """Whatever has the answer to a rule: :class:`Searches` look for it, :class:`Answers` hold it already."""

    def answer(
        self, target: CircleTarget, *, profile: str | None = None, only: npt.NDArray[np.bool_] | None = None
    ) -> Answer:
        """Return the answer to a target's rule over its own profile or another, with all venues or some."""
        ...  # pragma: no cover - a protocol has no body


@dataclass(frozen=True, eq=False)
class _Known:
    """Snaps and class searches by the ids of what they are of, which is held here so that ids stay true."""

    of: list[Inputs] = field(default_factory=list)
    tables: list[gpd.GeoDataFrame] = field(default_factory=list)
    snaps: dict[object, Snap] = field(default_factory=dict)
    classes: dict[object, tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]] = field(default_factory=dict)


class Searches:
    """Answers the rules of one year's targets, keeping snaps and class searches for the next question.

    Both may be taken over from the searches of another year: where roads, residents and register are the
    very same, a class with the same venues open has the same answer. ``keep`` keeps snaps between runs too,
    which what is tried once and thrown away does not need.
    """

    def __init__(self, inputs: Inputs, *, like: Searches | None = None, keep: bool = True) -> None:
        self._inputs = inputs
        self._keep = keep
        self.known: _Known = _Known() if like is None else like.known
        self.known.of.append(inputs)
        # By the id of the target, which is held beside it so that ids stay true.
        self._venues: dict[int, tuple[CircleTarget, dict[str, npt.NDArray[np.bool_]]]] = {}

    def answer(
        self, target: CircleTarget, *, profile: str | None = None, only: npt.NDArray[np.bool_] | None = None
    ) -> Answer:
        """Answer a target's rule over its own profile or another, with all venues or only some."""
        roads = self._inputs.networks[profile or target.profile]
        homes = self.snapped(roads, self._inputs.demand)
        members = self._members(target)
        found = {
            name: self._class(
                roads, member if only is None else member & only, target.require[name], target.minutes
            )
            for name, member in members.items()
        }
        ranks = {name: seconds for name, (seconds, _) in found.items()}
        venues = {name: venue for name, (_, venue) in found.items()}
        rest: dict[str, Any] = {
            "snapped": usable(roads, homes, limit_min=target.minutes),
            "leg_m": homes.leg_m,
            "ranks": ranks,
            "venues": venues,
            "lacking": self.lacking(target, profile=profile, only=only),
        }
        if list(target.require.values()) == [1]:
            # One venue of one class: its time and its venue are the rule's, and are held once.
            ((only_s, only_venue),) = found.values()
            nearest_s, nearest = only_s[:, 0], only_venue[:, 0]
            return Answer(seconds=nearest_s, any_seconds=nearest_s, venue=nearest, **rest)
        lasts = np.column_stack([seconds[:, -1] for seconds in ranks.values()])
        asked = np.column_stack([venue[:, -1] for venue in venues.values()])
        slowest = lasts.argmax(axis=1)[:, None]  # the first of equals
        deciding = np.take_along_axis(asked, slowest, axis=1)[:, 0]
        seconds = rule_seconds([seconds[:, -1] for seconds in ranks.values()])
        return Answer(
            seconds=seconds,
            any_seconds=np.column_stack([seconds[:, 0] for seconds in ranks.values()]).min(axis=1),
            venue=np.where(np.isfinite(seconds), deciding, -1),
            **rest,
        )

    def _members(self, target: CircleTarget) -> dict[str, npt.NDArray[np.bool_]]:
        """Return which facilities are venues of each class of a rule, worked out once for a target."""
        if id(target) not in self._venues:
            members = venue_classes(target, self._inputs.study.standard, self._inputs.facilities)
            self._venues[id(target)] = target, members
        return self._venues[id(target)][1]

    def lacking(
        self, target: CircleTarget, *, profile: str | None = None, only: npt.NDArray[np.bool_] | None = None
    ) -> tuple[str, ...]:
        """Name the classes of a rule that have too few venues anywhere, each with a code of its own.

        ``too_few_venues:class|venues|asked`` where the register has too few in this year;
        ``venues_off_roads:class|venues|on the roads|asked`` where it has enough, but not on the roads.
        """
        roads = self._inputs.networks[profile or target.profile]
        register = self.snapped(roads, self._inputs.register)
        on_roads = usable(roads, register, limit_min=target.minutes)[self._inputs.opened]
        members = self._members(target)
        codes = []
        for name, member in members.items():
            asked, mine = target.require[name], member if only is None else member & only
            here, there = int(mine.sum()), int((mine & on_roads).sum())
            if here < asked:
                codes.append(f"too_few_venues:{name}|{here}|{asked}")
            elif there < asked:
                codes.append(f"venues_off_roads:{name}|{here}|{there}|{asked}")
        return tuple(codes)

    def rule_seconds_of(self, target: CircleTarget, homes: Snap) -> npt.NDArray[np.float64]:
        """Answer a target's rule for other places than the residents' own: (home,) seconds."""
        inputs = self._inputs
        roads = inputs.networks[target.profile]
        members = venue_classes(target, inputs.study.standard, inputs.facilities)
        slowest = [
            self.nearest_of(roads, homes, member, minutes=target.minutes, k=target.require[name])[0][:, -1]
            for name, member in members.items()
        ]
        return rule_seconds(slowest)

    def nearest_of(
        self, roads: Roads, homes: Snap, member: npt.NDArray[np.bool_], *, minutes: float, k: int = 1
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Find the nearest of some facilities from any snapped points.

        Parameters
        ----------
        roads : the network
        homes : points snapped to it
        member : (facility,) the venues that are looked for
        minutes : bounds the access legs alone, as for :func:`lifecircle.reach.nearest`

        Returns
        -------
        seconds, facility : (home, k) inf and -1 where there is none
        """
        places = np.flatnonzero(member)
        venues, group = self._entered(roads, self._inputs.opened[places])
        seconds, venue = nearest_seconds(roads, homes, venues, k=k, limit_min=minutes, group=group)
        return seconds, np.append(places, -1)[venue]

    def pairs(self, rule: ReachRule, services: Iterable[str]) -> ServicePairs:
        """Find every pair of a resident and an open venue of some services within a limit.

        Venues beyond the districts are left out, as the plain ratio leaves them out.
        """
        inputs = self._inputs
        roads, here = inputs.networks[rule.profile], inputs.facilities
        member = here["service"].isin(list(services)) & (here["district"].astype("str") != OUTSIDE)
        places = np.flatnonzero(member.to_numpy(dtype=bool))
        homes = self.snapped(roads, inputs.demand)
        venues, group = self._entered(roads, inputs.opened[places])
        seconds = within(roads, homes, venues, limit_min=rule.minutes).seconds
        if group is not None:
            # A venue with several entrances is entered at the nearest: the first of each pair in this order.
            found = seconds.tocoo()
            owner = group[found.col]
            order = np.lexsort((found.data, owner, found.row))
            row, owner, cost = found.row[order], owner[order], found.data[order]
            first = np.diff(row, prepend=-1).astype(bool) | np.diff(owner, prepend=-1).astype(bool)
            seconds = csr_array((cost[first], (row[first], owner[first])), shape=(len(homes), len(places)))
        return ServicePairs(seconds, places, usable(roads, homes, limit_min=rule.minutes))

    def _entered(
        self, roads: Roads, entries: npt.NDArray[np.intp]
    ) -> tuple[Snap, npt.NDArray[np.int64] | None]:
        """Return where venues may be entered, and whose entrance each place is; None where each is one venue.

        ``entries`` : (venue,) rows of the register, ascending.
        """
        venues, doors = self.snapped(roads, self._inputs.register).take(entries), self._inputs.doors
        mine = np.flatnonzero(np.isin(doors.row, entries))
        if not len(mine):
            return venues, None
        number = np.searchsorted(entries, doors.row[mine])
        return entered(venues, self.snapped(roads, doors.table).take(mine), number)

    def snapped(self, roads: Roads, table: gpd.GeoDataFrame) -> Snap:
        """Return where a table of the inputs joins the roads, found once for every question."""
        snaps, key = self.known.snaps, (id(roads.lines), id(table))
        if key not in snaps:
            self.known.tables.append(table)
            snaps[key] = self._inputs.snapped(roads, self._inputs.in_metres(table), keep=self._keep)
        return snaps[key]

    def _class(
        self, roads: Roads, member: npt.NDArray[np.bool_], count: int, minutes: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Find the nearest venues of a class: seconds and position among the facilities, (demand, k)."""
        inputs, classes = self._inputs, self.known.classes
        places = np.flatnonzero(member)
        entries = inputs.opened[places]  # rows of the register, which years share
        key = (id(roads), id(inputs.demand), id(inputs.register), entries.tobytes(), count, minutes)
        if key not in classes:
            homes, (venues, group) = self.snapped(roads, inputs.demand), self._entered(roads, entries)
            classes[key] = nearest_seconds(roads, homes, venues, k=count, limit_min=minutes, group=group)
        seconds, venue = classes[key]  # positions among these venues: years share them, not the facilities
        return seconds, np.append(places, -1)[venue]


def venue_classes(
    target: CircleTarget, standard: Standard, facilities: gpd.GeoDataFrame
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return which facilities are venues of each class of a rule: class -> (facility,).

    A target that does not count across the border leaves out those beyond the districts.
    """
    service = facilities["service"]
    near = np.ones(len(facilities), dtype=bool)
    if not target.across_border:
        near = (facilities["district"] != OUTSIDE).to_numpy(dtype=bool)
    return {
        name: service.isin(services).to_numpy(dtype=bool) & near
        for name, services in standard.venues(target).items()
    }
