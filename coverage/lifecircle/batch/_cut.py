"""Cut the prepared inputs of a region to one district: pure functions from tables to tables.

The rows are those of the region's audit, after everything that offices' files need: the datum, the classes,
the merging of double rows. So a district counts exactly what the region counts in it.

The border rule. Whoever is within a limit gets there by roads no farther from home than the limit at the
fastest speed. The margin is for what decides where a place joins the roads: the longest legs of residents
and venues, the preference for the main network, and the length under which a fragment is short. An edge
nearer than that has its whole fragment, or as much of it as makes it no short one, within the roads kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.roads import profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.standards import CircleTarget, Standard
    from lifecircle.study import Study

_BETWEEN_CODES = re.compile(r"[,，;；、|/\s]+")
_MANY_GATES = "MultiPoint"

LEGS_M = 500.0 + 300.0
"""Longest access legs of a resident and of a venue, metres."""

NEAR_LIMIT_MIN = 1.0
"""Minutes beyond a limit within which people are counted as near it."""

_ALWAYS = ("walk_aged", "wheelchair")


def border_m(study: Study) -> float:
    """Return the metres beyond a district within which its roads and venues are kept.

    Parameters
    ----------
    study : of the region; its standard has the limits, its roads the preference for the main network

    Returns
    -------
    metres : limit x fastest speed of any circle, or its straight radius if that is larger, and the margin

    >>> from lifecircle.study import example_folder, read_study
    >>> round(border_m(read_study(example_folder())))
    6683
    """
    return reach_m(study.standard) + LEGS_M + study.roads.prefer_main_m + study.roads.fragment_m


def reach_m(standard: Standard) -> float:
    """Return how far anybody gets within the limit of any circle, in metres, at the fast end of the band."""
    circles = [target for target in standard.targets if target.kind == "circle"]
    return max((_reach(target) for target in circles), default=0.0)


def _reach(target: CircleTarget) -> float:
    names = {str(target.profile), *map(str, target.modes), *_ALWAYS}
    minutes = target.minutes + NEAR_LIMIT_MIN
    radii = [] if target.straight is None else [target.straight.urban_m, target.straight.rural_m]
    return max(*(minutes * _fastest_kmh(name) / 0.06 for name in names), *map(float, radii))


def _fastest_kmh(name: str) -> float:
    """Return the fastest that anybody of a profile goes: the fast end of the band around its speeds."""
    used = profile(name)
    speeds = [used.access_kmh, used.speed_kmh or 0.0, *(kmh for _, kmh in used.class_kmh)]
    return max(speeds) * max(1.0, *used.band)


@dataclass(frozen=True, eq=False)
class Cut:
    """The tables of one district, by the part of ``study.toml`` they are of; a part without rows is left out.

    ``elsewhere`` : residents whose village lies in another district; they count here without a village.
    """

    code: str
    name: str
    tables: Mapping[str, pd.DataFrame]
    elsewhere: int


def cut_district(inputs: Inputs, code: str, *, buffer_m: float) -> Cut:
    """Return the tables of one district, with what lies within a distance of it.

    Parameters
    ----------
    inputs : of the region, prepared
    code : of one of its districts
    buffer_m : metres from the district, inclusive, within which venues and barriers are kept

    Returns
    -------
    cut : residents, venues, villages, the district itself, registered figures, outlets, barriers
    """
    assert inputs.districts is not None  # whoever splits by districts has asked for them
    district = inputs.districts.loc[[code]]
    area = district.to_crs(inputs.crs).geometry.iloc[0]
    villages = _villages(inputs, code)
    own = {code} if villages is None else {code, *map(str, villages.index)}
    demand, elsewhere = _demand(inputs, code, own)
    tables: dict[str, pd.DataFrame | None] = {
        "demand": demand,
        "districts": district.reset_index(names="code"),
        "villages": None if villages is None else villages.reset_index(names="code"),
        "facilities": _facilities(inputs, code, area, own=own, buffer_m=buffer_m),
        "outlets": _outlets(inputs, code),
        "indicators": _indicators(inputs, code, own),
        "barriers": _barriers(inputs, area, buffer_m),
    }
    present = {part: table for part, table in tables.items() if table is not None and len(table)}
    return Cut(code, str(district["name"].iloc[0]), present, elsewhere)


def people_outside(inputs: Inputs) -> float:
    """Return the people of a region who live in none of its districts, and so in none of the cuts."""
    assert inputs.districts is not None
    known = inputs.demand["district"].isin(inputs.districts.index.astype("str"))
    return float(inputs.demand.loc[~known, "population"].sum())


def _demand(inputs: Inputs, code: str, own: set[str]) -> tuple[gpd.GeoDataFrame, int]:
    """Return the residents of a district, and how many of them name a village of another one."""
    mine = inputs.demand[(inputs.demand["district"] == code).to_numpy()]
    village = mine["village"].astype("str")
    strange = (village != "") & ~village.isin(own)
    plain = mine.assign(village=village.where(~strange, ""))
    return plain.drop(columns="extent_m", errors="ignore").reset_index(names="id"), int(strange.sum())


def _villages(inputs: Inputs, code: str) -> gpd.GeoDataFrame | None:
    if inputs.villages is None:
        return None
    return inputs.villages[(inputs.villages["district"] == code).to_numpy()]


def _facilities(
    inputs: Inputs, code: str, area: shapely.Geometry, *, own: set[str], buffer_m: float
) -> gpd.GeoDataFrame:
    """Return the register of a district: what lies in it or near it, and what serves its units from afar."""
    register = inputs.register
    shapes = inputs.sites.geometry.to_numpy()
    if "polygon" in register:
        drawn = gpd.GeoSeries(register["polygon"], crs="EPSG:4326").to_crs(inputs.crs).to_numpy()
        shapes = np.where(shapely.is_missing(drawn), shapes, drawn)
    shapely.prepare(area)
    near = shapely.dwithin(area, shapes, buffer_m) | (register["district"] == code).to_numpy()
    if "serves" in register:
        near |= _serving(register["serves"], own)
    mine = register[near]
    village = mine["village"].astype("str")
    plain = mine.assign(village=village.where(village.isin(own), ""))
    return _as_drawn(plain.drop(columns=["source", "row", "district"])).reset_index(names="id")


def _serving(serves: pd.Series[Any], own: set[str]) -> npt.NDArray[np.bool_]:
    """Return which facilities list a unit of the district among those they serve: (facility,)."""
    texts = serves.fillna("").astype("str")
    listed = [not own.isdisjoint(_BETWEEN_CODES.split(text)) if text else False for text in texts]
    return np.array(listed, dtype=bool)


def _as_drawn(facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Put the polygon of a facility back where its place is, and its gates into the column of entrances."""
    columns = [str(name) for name in facilities.columns if name not in {"geometry", "polygon"}]
    # Offices' own columns hold anything; a column of a file holds one kind.
    words = {
        name: facilities[name].map(lambda cell: None if pd.isna(cell) else str(cell))
        for name in columns
        if facilities[name].dtype == object
    }
    plain = facilities.assign(**words)
    if "polygon" not in facilities:
        return plain
    drawn = facilities["polygon"].to_numpy(dtype=object)
    gated = np.array([getattr(shape, "geom_type", "") == _MANY_GATES for shape in drawn], dtype=bool)
    polygon = ~shapely.is_missing(drawn) & ~gated
    places = np.where(polygon, drawn, facilities.geometry.to_numpy())
    plain = plain.drop(columns="polygon").set_geometry(
        gpd.GeoSeries(places, index=facilities.index, crs="EPSG:4326")
    )
    if gated.any():
        plain = plain.assign(
            entrances=[_gates(shape) if has else "" for shape, has in zip(drawn, gated, strict=True)]
        )
    return plain


def _gates(shape: Any) -> str:
    return "; ".join(f"{float(x)!r},{float(y)!r}" for x, y in shapely.get_coordinates(shape))


def _outlets(inputs: Inputs, code: str) -> gpd.GeoDataFrame | None:
    if inputs.outlets is None:
        return None
    mine = inputs.outlets[(inputs.outlets["district"] == code).to_numpy()]
    return _as_drawn(mine.drop(columns=["source", "row"])).reset_index(names="id")


def _indicators(inputs: Inputs, code: str, own: set[str]) -> pd.DataFrame | None:
    """Return the figures of a district and its villages; the district's also stand for the whole study."""
    if inputs.indicators is None:
        return None
    table = inputs.indicators.table.drop(columns=["file", "row"])
    of_village = (table["village"] != "").to_numpy()
    villages = table[of_village & table["village"].isin(own).to_numpy()]
    district = table[~of_village & (table["district"] == code).to_numpy()]
    # Alone, the district is the whole study: the same figure is registered for both.
    whole = district.assign(district="")
    found = pd.concat([whole, district, villages], ignore_index=True)
    return found.assign(value=[repr(float(value)) for value in found["value"]])


def _barriers(inputs: Inputs, area: shapely.Geometry, buffer_m: float) -> gpd.GeoDataFrame | None:
    shapes = next(iter(inputs.networks.values())).barriers
    if not len(shapes):
        return None
    near = shapes[shapely.dwithin(area, shapes, buffer_m)]
    return gpd.GeoDataFrame(geometry=near, crs=inputs.crs)
