"""Make the inputs of years that never were: some factors as in the later year, all others as in the earlier.

What two of them share is the very same object, so that searches made for one answer for the other: the roads,
the residents, and the register of every set of venues that differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.attribution._factors import open_outlets, placed_in
from lifecircle.attribution._figures import figures, gap_circles
from lifecircle.attribution._venue_changes import DATA_MEMBERS, VENUE_MEMBERS
from lifecircle.audit import Searches, circle_parts
from lifecircle.demand import assign_districts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import TypeVar

    import numpy.typing as npt

    from lifecircle.attribution._factors import Difference
    from lifecircle.attribution._figures import Figures
    from lifecircle.attribution._road_changes import Networks
    from lifecircle.attribution._venue_changes import VenueChanges
    from lifecircle.audit import Answer, Answering, CircleParts, Inputs
    from lifecircle.standards import CircleTarget, Target

    Part = TypeVar("Part")

_OF_THE_REGISTER = frozenset({*VENUE_MEMBERS, *DATA_MEMBERS})


class Counterfactuals:
    """Makes counterfactual inputs of two years and the answers over them, each once."""

    def __init__(self, found: Difference) -> None:
        """Begin with the two years themselves."""
        self._found = found
        self._known: dict[Hashable, Any] = {}
        self._first = Searches(found.before, keep=False)

    def before(self) -> tuple[Inputs, Answering]:
        """Return the earlier year itself."""
        return self._found.before, self._first

    def after(self) -> tuple[Inputs, Answering]:
        """Return the later year itself."""
        return self._once("after", lambda: (self._found.after, self.searches(self._found.after)))

    def searches(self, inputs: Inputs) -> Searches:
        """Return searches over inputs that share what they can with those made before."""
        return Searches(inputs, like=self._first, keep=False)

    def mixed(self, switched: frozenset[str]) -> tuple[Inputs, Answering]:
        """Return inputs with some members as in the later year, and the answers over them."""
        inputs, _ = self._searched(switched)
        return inputs, _Answers(self, switched)

    def answer(self, target: CircleTarget, profile: str, switched: frozenset[str]) -> Answer:
        """Answer a circle's rule with some members switched; those it does not rest on are left as they were.

        Who lives at a place has no bearing on how far it is from a venue, so that people who come and go
        where places stay the same cost no search.
        """
        rests_on = self._once(("rests on", target.id), lambda: self._searched_for(target))
        mine = switched & rests_on

        def search() -> Answer:
            """Ask the roads."""
            return self._searched(mine)[1].answer(target, profile=profile)

        return self._once(("answer", target.id, profile, mine), search)

    def figures(self, target: Target, switched: frozenset[str], codes: Sequence[str]) -> Figures:
        """Compute a target's figures with some of the members that it rests on switched."""
        circles = gap_circles(target, self._found.after)
        parts = {one.id: self._parts(one, switched) for one in circles} if circles else None
        known = None if parts is None else {name: one for name, one in parts.items() if one is not None}
        return figures(target, *self.year(switched, target), codes, parts=known)

    def _parts(self, circle: CircleTarget, switched: frozenset[str]) -> CircleParts | None:
        """Count a circle's shares by area and district; members it does not rest on make no difference."""
        mine = switched & _all_members(self._found.groups(circle))
        return self._once(("parts", circle.id, mine), lambda: circle_parts(circle, *self.year(mine, circle)))

    def year(self, switched: frozenset[str], target: Target) -> tuple[Inputs, Answering]:
        """Return a year with members of a target switched; with none or all of them a year that there was."""
        if not switched:
            return self.before()
        if switched >= _all_members(self._found.groups(target)):
            return self.after()
        return self.mixed(switched)

    def _searched_for(self, target: CircleTarget) -> frozenset[str]:
        """Return the members that the answer to a circle's rule may rest on."""
        found = self._found
        members = _all_members(found.groups(target))
        # Hours choose venues by the mask that comes with a question; lists and outlets choose none.
        aside = {"lists", "outlets"} | ({"residents"} if found.same_places else set())
        return (members | frozenset(found.roads.members)) - aside

    def _searched(self, switched: frozenset[str]) -> tuple[Inputs, Searches]:
        return self._once(("inputs", switched), lambda: self._mixed(switched))

    def _mixed(self, switched: frozenset[str]) -> tuple[Inputs, Searches]:
        found = self._found
        moved = "boundaries" in switched
        units = found.after if moved else found.before
        inputs = replace(
            found.after,
            networks=self._networks(switched & frozenset(found.roads.members)),
            districts=units.districts,
            villages=self._villages(moved=moved, lists="lists" in switched),
            demand=self._demand(later="residents" in switched, moved=moved),
            register=self._register(switched & _OF_THE_REGISTER, moved=moved),
            outlets=self._outlets(later="outlets" in switched, moved=moved),
        )
        return inputs, self.searches(inputs)

    def _once(self, key: Hashable, make: Callable[[], Part]) -> Part:
        if key not in self._known:
            self._known[key] = make()
        made: Part = self._known[key]
        return made

    def _networks(self, switched: frozenset[str]) -> Networks:
        return self._once(("roads", switched), lambda: self._found.roads.networks(switched))

    def _villages(self, *, moved: bool, lists: bool) -> gpd.GeoDataFrame | None:
        """Return the villages of a year, with the accepted lists of the same year or the other."""
        own, other = self._found.before.villages, self._found.after.villages
        if moved:
            own, other = other, own
        if own is None or other is None or moved == lists:
            return own

        def with_lists() -> gpd.GeoDataFrame:
            """Take the accepted lists over from the other year, by village."""
            names = [name for name in other if str(name).startswith("accepted_")]
            listed = other[names].reindex(own.index, fill_value=False)
            plain = own.drop(columns=[name for name in own if str(name).startswith("accepted_")])
            return plain.assign(**{str(name): listed[name] for name in names})

        return self._once(("villages", moved, lists), with_lists)

    def _demand(self, *, later: bool, moved: bool) -> gpd.GeoDataFrame:
        found = self._found
        if found.surface:  # both years have the later residents, each in its own units
            return (found.after if moved else found.before).demand
        table = (found.after if later else found.before).demand
        if later == moved or not found.boundaries:
            return table
        return self._once(("demand", later, moved), lambda: self._placed(table, moved=moved))

    def _outlets(self, *, later: bool, moved: bool) -> gpd.GeoDataFrame | None:
        table = self._once(
            ("outlets", later), lambda: open_outlets(self._found.after if later else self._found.before)
        )
        if table is None or later == moved or not self._found.boundaries:
            return table
        units = (self._found.after if moved else self._found.before).districts
        return self._once(
            ("outlets", later, moved), lambda: assign_districts(table.drop(columns="district"), units)
        )

    def _register(self, switched: frozenset[str], *, moved: bool) -> gpd.GeoDataFrame:
        def make() -> gpd.GeoDataFrame:
            """Put the register together, and find its units again where these are another year's."""
            table = mixed_register(self._found.venues, switched)
            return self._placed(table, moved=moved) if self._found.boundaries else table

        return self._once(("register", switched, moved), make)

    def _placed(self, table: gpd.GeoDataFrame, *, moved: bool) -> gpd.GeoDataFrame:
        """Find district and village of every row again, in the units of a year."""
        return placed_in(table, self._found.after if moved else self._found.before)


def _all_members(groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    return frozenset(chain.from_iterable(groups.values()))


@dataclass(frozen=True, eq=False)
class _Answers:
    """Answers rules of a counterfactual year by the searches of another where these say the same."""

    years: Counterfactuals
    switched: frozenset[str]

    def answer(
        self, target: CircleTarget, *, profile: str | None = None, only: npt.NDArray[np.bool_] | None = None
    ) -> Answer:
        """Return the answer to a target's rule, with all venues or some of this year's register."""
        name = profile or target.profile
        if only is None:
            return self.years.answer(target, name, self.switched)
        _, searches = self.years._searched(self.switched)  # noqa: SLF001 - the two are one thing
        return searches.answer(target, profile=name, only=only)


def mixed_register(venues: VenueChanges, switched: frozenset[str]) -> gpd.GeoDataFrame:
    """Return the venues that are open with some members as in the later year.

    Parameters
    ----------
    venues : the venues of both years beside each other
    switched : members of venues and of data; those that do not differ change nothing

    Returns
    -------
    register : as an audit has it; days of opening and closing are left out, all of it is open in any year
    """
    both = pd.concat([pd.DataFrame(venues.before), pd.DataFrame(venues.after)], ignore_index=True)
    shift = len(venues.before)
    on = np.array(sorted(switched), dtype=object)
    stays = venues.gone[~np.isin(venues.gone_as, on)]
    joins = venues.come[np.isin(venues.come_as, on)] + shift
    # One row for each venue of both years: a cell comes from the row of the year that it stands as in.
    early = np.concatenate([venues.kept[:, 0], stays, joins])
    late = np.concatenate([venues.kept[:, 1] + shift, stays, joins])
    pairs = len(venues.kept)

    def chosen(member: Any) -> Any:
        """Return the row of every venue for a cell that differs by a member of each pair."""
        as_later = np.zeros(len(early), dtype=bool)
        as_later[:pairs] = np.isin(member, on)
        return np.where(as_later, late, early)

    place = chosen(venues.place)
    columns: dict[str, Any] = {}
    for name in both.columns:
        if name in {"geometry", "polygon", "district", "village"}:
            rows = place
        elif name in venues.cells:
            rows = chosen(venues.cells[name])
        else:
            rows = late
        columns[str(name)] = both[name].array.take(rows)
    order = np.argsort(early, kind="stable")
    labels = [*venues.before.index.astype(str), *venues.after.index.astype(str)]
    table = pd.DataFrame(columns).assign(opened=pd.NaT, closed=pd.NaT)
    if "polygon" in table:
        table["polygon"] = table["polygon"].astype(object).where(table["polygon"].notna(), None)
    register = gpd.GeoDataFrame(table, geometry="geometry", crs=venues.before.crs)
    return register.set_axis(_unique([labels[row] for row in early])).rename_axis("id").iloc[order]


def _unique(labels: list[str]) -> pd.Index[str]:
    """Change labels that two venues of different years have in common, so that each label is used once."""
    taken: set[str] = set()
    out = []
    for label in labels:
        name = label
        while name in taken:
            name += "'"
        taken.add(name)
        out.append(name)
    return pd.Index(out, dtype="str")
