"""Hold all that one year's audit is computed from, and what follows from it alone.

Nothing is read here: ``_prepare`` reads the files of a study.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import shapely

from lifecircle.audit._doors import Doors, at_best_door, at_own_place, find_doors
from lifecircle.audit._placement import usual_reach_m
from lifecircle.facilities import open_in
from lifecircle.reach import snap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import geopandas as gpd
    import numpy.typing as npt
    import pandas as pd

    from lifecircle.findings import InputRecord
    from lifecircle.indicators import Indicators
    from lifecircle.reach import Snap
    from lifecircle.reading import InputReading
    from lifecircle.roads import Roads
    from lifecircle.study import Study

_Fact = TypeVar("_Fact")


@dataclass(frozen=True)
class SurfacePeople:
    """People of a surface that are not among the residents, and what it had before they were held to totals.

    ``outside`` : left out, as they live in no district; ``surface`` : where totals are known, None where they
    are not used.
    """

    outside: float = 0.0
    surface: float | None = None


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that one year's audit is computed from.

    ``networks`` : travel profile -> roads; profiles that differ only in speed share their lines.
    ``register`` : every facility, with ``district`` and ``village``, open in the year or not.
    ``read`` : what was read of every file; ``in_districts`` : share of the people who live in one;
    ``doubts`` : codes of warnings about where the inputs lie. ``outlets`` : service windows, shops and other
    units that hold venues, with ``district``; ``indicators`` : registered figures of all years. ``surfaces``
    : name -> residents on another surface; ``people`` : what became of the people of a raster, of polygons
    that are spread, or of residents held to totals. ``stated`` : the district that each row of the register
    names, None where no list does.
    """

    study: Study
    year: int
    networks: Mapping[str, Roads]
    demand: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame | None
    villages: gpd.GeoDataFrame | None
    register: gpd.GeoDataFrame
    rejects: pd.DataFrame
    records: tuple[InputRecord, ...]
    outlets: gpd.GeoDataFrame | None = None
    indicators: Indicators | None = None
    read: tuple[InputReading, ...] = ()
    in_districts: float | None = None
    doubts: tuple[str, ...] = ()
    surfaces: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    people: SurfacePeople | None = None
    stated: pd.Series[str] | None = None

    @cached_property
    def opened(self) -> npt.NDArray[np.intp]:
        """Positions in the register of the facilities open on 31 December of the year."""
        return np.flatnonzero(open_in(self.register, self.year).to_numpy())

    @cached_property
    def facilities(self) -> gpd.GeoDataFrame:
        """The facilities open on 31 December of the year."""
        return self.register.iloc[self.opened]

    @cached_property
    def lonlat(self) -> npt.NDArray[np.float64]:
        """Places of the residents in degrees: (demand, 2), NaN where they have none."""
        return coordinates(self.demand)

    @cached_property
    def homes(self) -> gpd.GeoDataFrame:
        """The residents in the metre CRS."""
        return self.demand.to_crs(self.crs)

    @cached_property
    def sites(self) -> gpd.GeoDataFrame:
        """The register in the metre CRS."""
        return self.register.to_crs(self.crs)

    @cached_property
    def metres(self) -> npt.NDArray[np.float64]:
        """Places of the residents in the metre CRS: (demand, 2), NaN where they have none."""
        return coordinates(self.homes)

    @cached_property
    def venue_metres(self) -> npt.NDArray[np.float64]:
        """Places of the facilities in the metre CRS: (facility, 2), NaN where they have none."""
        return coordinates(self.sites)[self.opened]

    def in_metres(self, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return the residents or the register in the metre CRS, projected once; others as they are."""
        return self.homes if table is self.demand else self.sites if table is self.register else table

    @cached_property
    def doors(self) -> Doors:
        """Where the facilities that are drawn as polygons are entered."""
        return find_doors(self.sites)

    @property
    def entered_at_centre(self) -> list[str]:
        """Name the venues whose edge or gates join no road, so that their own place stands for them."""
        if not len(self.doors):
            return []
        roads = next(iter(self.networks.values()))
        mine = at_own_place(
            self._joined(roads, self.sites), self._joined(roads, self.doors.table), self.doors.row
        )
        names = self.register["name"]
        return [
            f"{self.register.index[at]} {names.iloc[at]}".replace("|", " ").strip() for at in mine.tolist()
        ]

    def _joined(self, roads: Roads, table: gpd.GeoDataFrame, *, keep: bool = True) -> Snap:
        """Join places to roads with the study's preference for the main network."""
        part = self.study.roads
        return snap(roads, table, keep=keep, prefer_main_m=part.prefer_main_m, fragment_m=part.fragment_m)

    def snapped(self, roads: Roads, table: gpd.GeoDataFrame, *, keep: bool = True) -> Snap:
        """Join a table in the metre CRS to roads, with the study's preference for the main network.

        A facility of the register that is drawn as a polygon joins them at the best place of its edge.
        """
        own = self._joined(roads, table, keep=keep)
        if table is not self.sites or not len(self.doors):
            return own
        doors = self._joined(roads, self.doors.table, keep=keep)
        return at_best_door(own, doors, self.doors.row, self.doors.gated)

    @property
    def reach_m(self) -> float:
        """The usual reach: how far anybody gets within the largest limit of a circle."""
        return usual_reach_m(self.study.standard)

    @property
    def crs(self) -> Any:
        """The metre CRS, of all networks."""
        return next(iter(self.networks.values())).crs


def coordinates(table: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    """Return the coordinates of points as they stand: (row, 2), NaN where there is no point."""
    shapes = table.geometry.to_numpy()
    return np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])


def cached_per_inputs(of: Callable[[Inputs], _Fact]) -> Callable[[Inputs], _Fact]:
    """Cache a function's result per :class:`Inputs` object, for as long as that object lives."""
    kept: WeakKeyDictionary[Inputs, _Fact] = WeakKeyDictionary()

    @wraps(of)
    def fact(inputs: Inputs) -> _Fact:
        """Return the result that is cached for these inputs."""
        if inputs not in kept:
            kept[inputs] = of(inputs)
        return kept[inputs]

    return fact
