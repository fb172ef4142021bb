"""Say what differs between two prepared years, in groups of factors: what can be switched one at a time.

Groups are switched whole in all orders, their members within them. Breaks of the population surface stand
outside: they change what is counted, not what there is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from lifecircle.attribution._figures import gap_circles
from lifecircle.attribution._road_changes import ROAD_MEMBERS, RoadChanges, road_changes
from lifecircle.attribution._venue_changes import DATA_MEMBERS, VENUE_MEMBERS, VenueChanges, venue_changes
from lifecircle.audit import another_surface
from lifecircle.demand import assign_districts, assign_villages
from lifecircle.facilities import open_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import geopandas as gpd

    from lifecircle.audit import Inputs
    from lifecircle.standards import Target

GROUPS: Mapping[str, tuple[str, ...]] = {
    "venues": VENUE_MEMBERS,
    "residents": ("residents",),
    "roads": ROAD_MEMBERS,
    "units": ("lists", "boundaries", "outlets"),
    "data": DATA_MEMBERS,
}
"""Group -> its members, in the order of the list. ``data`` restates the earlier year and is no progress."""

CHAINED = ("method", "restated", "method_restated", "roads_gone", "surface")
"""Breaks that stand outside the account, each as a line of its own before it."""

_SAME_DEGREES = 1e-9


@dataclass(frozen=True, eq=False)
class Difference:
    """Two prepared years and what differs between them.

    ``before``, ``after`` : inputs under one standard; ``surface`` : whether the residents come from another
    surface, so that they are chained outside and ``before`` has the later residents already; ``boundaries`` :
    whether districts or villages differ, but for the accepted lists.
    """

    before: Inputs
    after: Inputs
    venues: VenueChanges
    roads: RoadChanges
    surface: bool = False
    boundaries: bool = False

    @cached_property
    def residents(self) -> bool:
        """Whether the residents differ; the units they are said to live in aside where those differ too."""
        aside = ("district", "village") if self.boundaries else ()
        return not _same_table(self.before.demand, self.after.demand, aside=aside)

    @cached_property
    def same_places(self) -> bool:
        """Whether both years have the same residents' places in the same order, whoever lives there."""
        one, other = self.before.demand, self.after.demand
        return one is other or (one.index.equals(other.index) and _same_shapes(one, other))

    @cached_property
    def lists(self) -> frozenset[str]:
        """Ids of the targets whose accepted lists differ."""
        one, other = self.before.villages, self.after.villages
        if one is None or other is None:
            return frozenset()
        columns = {str(name) for table in (one, other) for name in table if str(name).startswith("accepted_")}
        return frozenset(
            name.removeprefix("accepted_")
            for name in columns
            if (name in one) != (name in other) or not one[name].reindex(other.index).equals(other[name])
        )

    @cached_property
    def outlets(self) -> bool:
        """Whether the outlets that are open differ."""
        one, other = (open_outlets(inputs) for inputs in (self.before, self.after))
        if one is None or other is None:
            return one is not other
        return not _same_table(one, other)

    def groups(self, target: Target) -> dict[str, tuple[str, ...]]:
        """Return the groups and members that a target's value may rest on and that differ."""
        wanted = self._members(target)
        found = {name: tuple(one for one in members if one in wanted) for name, members in GROUPS.items()}
        return {name: members for name, members in found.items() if members}

    def _members(self, target: Target) -> set[str]:
        if target.kind == "indicator":
            if target.computed is None:
                return set()
            circles = gap_circles(target, self.after)
            return set().union(*(self._members(one) for one in circles)) | self._boundaries()
        accounting = target.accounting if target.kind == "circle" else ""
        if accounting == "accepted":
            return self._boundaries() | ({"lists"} if target.id in self.lists else set())
        services = set().union(*self.after.study.standard.venues(target).values())
        found = {member for member, of in self.venues.services.items() if of & services} | self._boundaries()
        if accounting != "open":  # nobody asks when venues are open
            found.discard("hours")
        if target.kind == "circle" and accounting != "straight":
            found |= set(self.roads.members)
        if target.kind != "presence" and self.residents and not self.surface:
            found.add("residents")
        if target.kind == "presence" and target.unit == "outlet" and self.outlets:
            found.add("outlets")
        return found

    def _boundaries(self) -> set[str]:
        return {"boundaries"} if self.boundaries else set()


def difference(before: Inputs, after: Inputs) -> Difference:
    """Compare two prepared years under the later one's standard.

    Parameters
    ----------
    before, after : as an audit prepares them; they stay as they are
    """
    surface = another_surface(before, after)
    boundaries = not (
        _same_table(before.districts, after.districts)
        and _same_table(_without_lists(before.villages), _without_lists(after.villages))
    )
    first = before
    if surface:
        residents = placed_in(after.demand, before) if boundaries else after.demand
        first = replace(before, demand=residents)
    return Difference(
        before=first,
        after=after,
        venues=venue_changes(before, after, same_units=not boundaries),
        roads=road_changes(before, after),
        surface=surface,
        boundaries=boundaries,
    )


def placed_in(table: gpd.GeoDataFrame, inputs: Inputs) -> gpd.GeoDataFrame:
    """Return residents or venues with district and village found again, in the units of these inputs."""
    rows = table.drop(columns=["district", "village"], errors="ignore")
    return assign_villages(assign_districts(rows, inputs.districts), inputs.villages)


def open_outlets(inputs: Inputs) -> gpd.GeoDataFrame | None:
    """Return the outlets open in the year, without their days, so that they are open in any."""
    if inputs.outlets is None:
        return None
    mine = inputs.outlets[open_in(inputs.outlets, inputs.year).to_numpy(dtype=bool)]
    return mine.assign(opened=pd.NaT, closed=pd.NaT)


def _without_lists(villages: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    if villages is None:
        return None
    return villages.drop(columns=[name for name in villages if str(name).startswith("accepted_")])


def _same_table(
    one: gpd.GeoDataFrame | None, other: gpd.GeoDataFrame | None, *, aside: Collection[str] = ()
) -> bool:
    """Return whether two tables hold the same, their files, rows and the columns ``aside`` left out."""
    if one is None or other is None or one is other:
        return one is other
    if not one.index.equals(other.index) or set(one.columns) != set(other.columns):
        return False
    geometry = one.geometry.name
    plain = [name for name in one.columns if name not in {geometry, "source", "row", "polygon", *aside}]
    same = one.geometry.geom_equals_exact(other.geometry, 1e-9) | (
        one.geometry.isna() & other.geometry.isna()
    )
    return bool(same.all()) and all(
        one[name].astype(object).where(one[name].notna(), None).tolist()
        == other[name].astype(object).where(other[name].notna(), None).tolist()
        for name in plain
    )


def _same_shapes(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> bool:
    """Return whether two tables lie at the same places row by row, those without a place aside."""
    same = one.geometry.geom_equals_exact(other.geometry, _SAME_DEGREES)
    return bool((same | (one.geometry.isna() & other.geometry.isna())).all())
