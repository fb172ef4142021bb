"""The making of changes: prepared inputs and changes -> the inputs of the changed study.

The result is audited like any other, so a scenario says what a full audit of the edited study would say.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.demand import assign_districts, assign_villages
from lifecircle.errors import FaultLog, say
from lifecircle.facilities import merge_duplicates, open_in
from lifecircle.reach import FACILITY_CAP_M, snap
from lifecircle.roads import ALONG_M, JOIN_WITHIN_M, add_road, close_road
from lifecircle.tables import nearest_name, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lifecircle.audit import Inputs
    from lifecircle.errors import Fault
    from lifecircle.roads import Roads
    from lifecircle.scenario._changes import Change

AT_PLACE_M = 50.0
"""Metres within which a point stands for the facility of its service there (inclusive)."""

_TOUCHING_M = 1e-6  # a tolerance of 0 m: touching, but for float noise

_VENUES = frozenset({"open", "close", "move", "resize", "hours"})
_ROADS = frozenset({"add_road", "close_road"})
_GEOD = pyproj.Geod(ellps="WGS84")


def apply_changes(inputs: Inputs, changes: Sequence[Change]) -> Inputs:
    """Return the inputs of the study as it would be with the changes, made in order.

    Parameters
    ----------
    inputs : as prepared for an audit; they stay as they are
    changes : as :func:`read_changes` gives them

    Returns
    -------
    inputs : register, residents and roads changed; district, village and snaps follow as in an audit

    Raises
    ------
    UnusableInputError
        With every change the study does not allow: no such facility, village or road, closed already,
        opened where it stands already.
    """
    faults = FaultLog()
    register, demand, networks = inputs.register, inputs.demand, dict(inputs.networks)
    for number, change in enumerate(changes, 1):
        if change.action in _VENUES:
            register = _Register(inputs, register, faults).after(change, number)
        elif change.action in _ROADS:
            networks = _changed_roads(networks, change, faults)
        elif change.action == "grow":
            demand = _grown(inputs, demand, change, faults)
        else:
            raise ValueError(f"nothing is known of how to {change.action}")
    faults.raise_any()
    return replace(inputs, register=register, demand=demand, networks=networks)


def off_roads(inputs: Inputs, changes: Sequence[Change]) -> Iterator[Fault]:
    """Find the venues that open or move where no road is near: they would count for nobody.

    Parameters
    ----------
    inputs : with the changes made, so that a road that is added counts
    changes : as they were made
    """
    placed = [one for one in changes if one.action in {"open", "move"} and one.shape is not None]
    if not placed:
        return
    table = gpd.GeoDataFrame(geometry=[one.shape for one in placed], crs="EPSG:4326")
    # One network is enough: a venue on a road for cars alone is still reached by car.
    on_any = np.zeros(len(placed), dtype=bool)
    for roads in inputs.networks.values():
        on_any |= snap(roads, table).snapped
    for change in itertools.compress(placed, ~on_any):
        place = f"{change.shape.x:.6f}, {change.shape.y:.6f}"
        reason = say("no road within {cap} m: the venue would count for nobody", cap=f"{FACILITY_CAP_M:g}")
        remedy = say("check the place (longitude first), or add a road to it before")
        yield change.fault("geometry", place, reason, remedy)


# --- venues ---------------------------------------------------------------------------------------------


class _Register:
    """A facility register that one change is made to."""

    def __init__(self, inputs: Inputs, table: gpd.GeoDataFrame, faults: FaultLog) -> None:
        self.inputs = inputs
        self.table = table
        self.faults = faults

    def after(self, change: Change, number: int) -> gpd.GeoDataFrame:
        """Return the register after a change; the same one where the change is at fault, which is noted."""
        if change.action == "open":
            return self._opened(change, number)
        at = self._found(change)
        if at is None:
            return self.table
        if change.action == "close":
            # The state of a year is that of 31 December, and a facility is open before its closing day.
            day = pd.Timestamp(year=self.inputs.year, month=12, day=31)
            return self._set(at, "closed", day)
        if change.action == "resize":
            return self._resized(change, at)
        if change.action == "hours":
            return self._set(at, "hours", change.hours)
        return self._moved(change, at)

    def _opened(self, change: Change, number: int) -> gpd.GeoDataFrame:
        known = [service.id for service in self.inputs.study.standard.services]
        unknown = [service for service in change.services if service not in known]
        for service in unknown:
            near = nearest_name(service, known)
            remedy = say("use one of {names}", names=", ".join(sorted(known)))
            if near:
                remedy = say("did you mean '{name}'?", name=near)
            self.faults.add(change.fault("service", service, say("unknown service id"), remedy))
        # A building that opens with several services is several rows, as in a register.
        fresh = self._fresh(change, number)
        taken = [label for label in fresh.index if label in self.table.index]
        if taken:
            remedy = say("leave id out, or give one the study has not")
            reason = say("a facility is called by this id already")
            self.faults.add(change.fault("id", taken[0], reason, remedy))
        if unknown or taken:
            return self.table
        whole = self._placed(pd.concat([self.table, fresh]))
        # The rule of duplicates is that of a study's own list; only rows of this change may be refused by it.
        standing = whole[open_in(whole, self.inputs.year)]
        twice = merge_duplicates(standing.reset_index(names="_label"))[1]
        mine = twice[(twice["file"] == change.file) & (twice["row"] == change.row)]
        for reason in mine["reason"]:
            remedy = say("leave the row out, or give another name")
            self.faults.add(change.fault("name", change.name, reason, remedy))
        return self.table if len(mine) else whole

    def _fresh(self, change: Change, number: int) -> gpd.GeoDataFrame:
        """Make a row for every service that opens, with the columns and types of the register."""
        label = change.id or f"scenario-{number}"
        several = len(change.services) > 1
        labels = [f"{label}:{service}" if several else label for service in change.services]
        rows = self.table.iloc[:0].reindex(pd.Index(labels, name=self.table.index.name, dtype="str"))
        texts = {
            "name": change.name,
            "service": list(change.services),
            "hours": change.hours,
            "serves": change.serves,
            "source": change.file,
        }
        fresh = rows.assign(
            **{name: pd.Series(text, index=rows.index, dtype="str") for name, text in texts.items()}
        )
        fresh["row"] = change.row
        if change.capacity is not None:
            fresh["capacity"] = change.capacity
        fresh = fresh.set_geometry([change.shape] * len(rows), crs=self.table.crs)
        return fresh.astype({name: kind for name, kind in self.table.dtypes.items() if name != "geometry"})

    def _placed(self, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Fill in district and village of rows that have none, from where they lie."""
        waiting = table["district"].isna().to_numpy() | table["village"].isna().to_numpy()
        rows = table[waiting].drop(columns=["district", "village"])
        rows = assign_villages(assign_districts(rows, self.inputs.districts), self.inputs.villages)
        out = table.copy()
        for name in ("district", "village"):
            out.loc[waiting, name] = rows[name]
        return out

    def _set(self, at: int, column: str, value: Any) -> gpd.GeoDataFrame:
        out = self.table.copy()
        out.iloc[at, out.columns.get_loc(column)] = value
        return out

    def _resized(self, change: Change, at: int) -> gpd.GeoDataFrame:
        if change.capacity is not None:
            return self._set(at, "capacity", change.capacity)
        now = float(self.table["capacity"].iloc[at])
        if np.isnan(now):
            reason = say("the facility has no known capacity")
            self.faults.add(change.fault("factor", change.factor, reason, say("give capacity")))
            return self.table
        return self._set(at, "capacity", now * float(change.factor or 0.0))

    def _moved(self, change: Change, at: int) -> gpd.GeoDataFrame:
        shapes = self.table.geometry.to_numpy().copy()
        shapes[at] = change.shape
        moved = self.table.set_geometry(gpd.GeoSeries(shapes, index=self.table.index, crs=self.table.crs))
        for name in ("district", "village"):
            moved[name] = moved[name].mask(np.arange(len(moved)) == at)
        if "polygon" in moved:  # the edge it was entered at is not where it is now
            drawn = moved["polygon"].to_numpy(dtype=object).copy()
            drawn[at] = None
            moved["polygon"] = pd.Series(drawn, index=moved.index, dtype=object)
        return self._placed(moved)

    def _found(self, change: Change) -> int | None:
        """Find the open facility a change speaks of; what keeps it from being found is noted."""
        open_now = open_in(self.table, self.inputs.year).to_numpy(dtype=bool)
        if change.id:
            if change.id not in self.table.index:
                near = nearest_name(change.id, map(str, self.table.index))
                remedy = say("use an id of the study's facilities")
                if near:
                    remedy = say("did you mean '{name}'?", name=near)
                self.faults.add(change.fault("id", change.id, say("no such facility"), remedy))
                return None
            at = int(self.table.index.get_loc(change.id))
            if not open_now[at]:
                reason = say("the facility is not open in {year}", year=self.inputs.year)
                remedy = say("leave the row out, or audit another year")
                self.faults.add(change.fault("id", change.id, reason, remedy))
                return None
            return at
        matching = open_now.copy()
        if change.services:
            matching &= self.table["service"].isin(change.services).to_numpy(dtype=bool)
        if change.name:
            return self._only(
                change, np.flatnonzero(matching & (self.table["name"] == change.name).to_numpy(dtype=bool))
            )
        return self._at_place(change, np.flatnonzero(matching))

    def _only(self, change: Change, found: np.ndarray[Any, Any]) -> int | None:
        if len(found) == 1:
            return int(found[0])
        if len(found):
            labels = ", ".join(str(label) for label in self.table.index[found][:5])
            reason = say(
                "{many} open {many:facility has|facilities have} this name: {names}",
                many=len(found),
                names=labels,
            )
            remedy = say("give the id")
        else:
            near = nearest_name(change.name, self.table["name"].unique())
            reason = say("no facility open in {year} has this name", year=self.inputs.year)
            remedy = say("did you mean '{name}'?", name=near) if near else say("give the id")
        self.faults.add(change.fault("name", change.name, reason, remedy))
        return None

    def _at_place(self, change: Change, rows: np.ndarray[Any, Any]) -> int | None:
        """Find the nearest facility to a point, within :data:`AT_PLACE_M`."""
        shapes = self.table.geometry.to_numpy()[rows]
        rows = rows[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        here = self.table.geometry.to_numpy()[rows]
        x, y = change.shape.x, change.shape.y
        many = len(rows)
        _, _, metres = _GEOD.inv(np.full(many, x), np.full(many, y), shapely.get_x(here), shapely.get_y(here))
        if many and np.min(metres) <= AT_PLACE_M:
            return int(rows[int(np.argmin(metres))])
        reason = say("no open facility of this kind within {metres} m", metres=f"{AT_PLACE_M:g}")
        if many:
            reason = say(
                "no open facility of this kind within {metres} m; the nearest is {away} m away",
                metres=f"{AT_PLACE_M:g}",
                away=f"{np.min(metres):,.0f}",
            )
        self.faults.add(change.fault("geometry", f"{x:.6f}, {y:.6f}", reason, say("give the id")))
        return None


# --- residents ------------------------------------------------------------------------------------------


def _grown(inputs: Inputs, demand: gpd.GeoDataFrame, change: Change, faults: FaultLog) -> gpd.GeoDataFrame:
    """Multiply the people of a village or district; groups grow with the whole, places stay."""
    found = _unit(inputs, change)
    if isinstance(found, tuple):
        column, label = found
    else:
        faults.add(found)
        return demand
    mine = (demand[column] == label).to_numpy(dtype=bool)
    people = float(demand["population"].to_numpy(dtype=float)[mine].sum())
    # A factor of nothing is nothing: people cannot be placed where nobody lives.
    if not people:
        remedy = say("name a place where people live")
        faults.add(change.fault(column, label, say("nobody lives there, so nothing can grow"), remedy))
        return demand
    factor = change.factor if change.factor is not None else (people + float(change.people or 0.0)) / people
    if factor < 0:
        reason = say("more people go than live there ({people})", people=f"{people:,.0f}")
        faults.add(change.fault("people", change.people, reason, say("give a smaller number")))
        return demand
    # Groups grow by the same factor, so that no group becomes larger than the population.
    counts = ["population", *inputs.study.demand.groups]
    return demand.assign(
        **{name: np.where(mine, demand[name].to_numpy(dtype=float) * factor, demand[name]) for name in counts}
    )


def _unit(inputs: Inputs, change: Change) -> tuple[str, str] | Fault:
    """Find the column and label of the unit that grows, by code or name."""
    towns, district = inputs.districts, ""
    if change.district:
        if towns is None:
            reason, remedy = say("the study has no districts"), say("name a village")
            return change.fault("district", change.district, reason, remedy)
        codes = _codes(towns, change.district)
        if len(codes) != 1:
            return _no_unit("district", change.district, codes, towns, change)
        district = codes[0]
    if not change.village:
        return "district", district
    villages = inputs.villages
    if villages is None:
        reason, remedy = say("the study has no villages"), say("name a district")
        return change.fault("village", change.village, reason, remedy)
    inside = villages if not district else villages[villages["district"] == district]
    codes = _codes(inside, change.village)
    return (
        ("village", codes[0])
        if len(codes) == 1
        else _no_unit("village", change.village, codes, inside, change)
    )


def _codes(units: gpd.GeoDataFrame, word: str) -> list[str]:
    labels = [str(code) for code in units.index]
    if plain_text(word) in labels:
        return [plain_text(word)]
    return [label for label, name in zip(labels, units["name"], strict=True) if name == word]


def _no_unit(column: str, word: str, codes: list[str], units: gpd.GeoDataFrame, change: Change) -> Fault:
    if codes:
        remedy = say("write the code, or the district too") if column == "village" else say("write the code")
        listed = ", ".join(codes[:5])
        reason = say("{many} have this name: {names}", many=len(codes), names=listed)
        return change.fault(column, word, reason, remedy)
    near = nearest_name(word, [*units["name"], *map(str, units.index)])
    remedy = say("did you mean '{name}'?", name=near) if near else say("use a code or name of the study's")
    reason = say("no such village") if column == "village" else say("no such district")
    return change.fault(column, word, reason, remedy)


# --- roads ----------------------------------------------------------------------------------------------


def _changed_roads(networks: Mapping[str, Roads], change: Change, faults: FaultLog) -> dict[str, Roads]:
    """Change every network; those that share their lines share the new ones too."""
    first = next(iter(networks.values()))
    line = _line(first, change)
    if line is None:
        remedy = say("give a number from 0 to {last}", last=len(first.u) - 1)
        faults.add(change.fault("edge", change.edge, say("no such edge"), remedy))
        return dict(networks)
    together: dict[int, list[str]] = {}
    for name, roads in networks.items():
        together.setdefault(id(roads.lines), []).append(name)
    out, done = dict(networks), False
    for names in together.values():
        before = [networks[name] for name in names]
        after = _road_change(before, line, change)
        if after is not None:
            done = done or after[0] is not before[0]
            out.update(zip(names, after, strict=True))
    if not done:
        faults.add(_nowhere(change))
    return {name: out[name] for name in networks}


def _line(roads: Roads, change: Change) -> shapely.LineString | None:
    """Return the line of a change in the metre CRS; that of an edge by its number in the first network."""
    if change.shape is None:
        edge = -1 if change.edge is None else change.edge
        return roads.lines[edge] if 0 <= edge < len(roads.lines) else None
    return gpd.GeoSeries([change.shape], crs="EPSG:4326").to_crs(roads.crs).iloc[0]


def _road_change(networks: Sequence[Roads], line: shapely.LineString, change: Change) -> list[Roads] | None:
    if change.action == "close_road":
        # An edge by its number is closed alone: not those within reach of a drawn line.
        within = 1e-3 if change.shape is None else ALONG_M
        return close_road(networks, line, along_m=_within(change, within))
    return add_road(
        networks,
        line,
        highway=change.highway,
        oneway_word=change.oneway,
        crossings=change.crossings,
        within_m=_within(change, JOIN_WITHIN_M),
    )


def _within(change: Change, usual: float) -> float:
    """Return the tolerance of a change, the usual one where it names none; none at all is a tolerance too."""
    return usual if change.within_m is None else max(change.within_m, _TOUCHING_M)


def _within_text(change: Change, usual: float) -> str:
    return f"{usual if change.within_m is None else change.within_m:g}"


def _nowhere(change: Change) -> Fault:
    if change.action == "close_road":
        within = _within_text(change, ALONG_M)
        reason = say("close_road: no road runs along the line within {metres} m", metres=within)
        remedy = say("draw it along the road")
    else:
        reason = say(
            "add_road: neither end is within {metres} m of a road, or no traveller may use class '{name}'",
            metres=_within_text(change, JOIN_WITHIN_M),
            name=change.highway,
        )
        remedy = say("draw it on to a road, or give within_m")
    return change.fault("geometry" if change.shape is not None else "edge", "", reason, remedy)
