"""What a study says of its maps, in plain values, and what every edition leaves out; reads no file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lifecircle.findings import Findings
    from lifecircle.roads import Roads

Edition = Literal["internal", "public"]
EDITIONS: tuple[Edition, ...] = ("internal", "public")


@dataclass(frozen=True, eq=False)
class MapSetting:
    """What stands in and around a study's maps besides its findings.

    Attributes
    ----------
    min_people : fewest people that a figure of the public edition describes.
    mask : areas in EPSG:4326 where no edition draws anything.
    base : online base layers to offer, none by default.
    tianditu_key : the key that the base layers of Tianditu need.
    labels : points in EPSG:4326 with ``name`` and ``kind``, such as neighbours and the bay.
    data_date : until when the data were collected, printed as it is.
    ground : barriers in EPSG:4326 with ``kind`` and ``name``, drawn as ground: water, railways, expressways.
    """

    min_people: int = 20
    mask: tuple[shapely.Geometry, ...] = ()
    base: tuple[str, ...] = ()
    tianditu_key: str = ""
    labels: gpd.GeoDataFrame | None = None
    data_date: str = ""
    ground: gpd.GeoDataFrame | None = None


def without_masked(findings: Findings, mask: Sequence[shapely.Geometry]) -> Findings:
    """Take everything off the map that lies in the mask; the figures of the tables stay what they are.

    Residents there lose their place, venues, gaps and villages there are left out. The mask is not drawn.
    """
    if not mask:
        return findings
    area = shapely.union_all(list(mask))
    shapely.prepare(area)
    demand = findings.demand.copy()
    demand.geometry = np.where(_in(demand, area), None, demand.geometry.to_numpy())
    hidden = _in(findings.facilities, area)
    names = set(findings.facilities["name"][hidden]) - set(findings.facilities["name"][~hidden])
    gaps = findings.gaps
    shown = gaps[~shapely.intersects_xy(area, gaps["lon"].astype(float), gaps["lat"].astype(float))]
    masked = set(findings.facilities.index[hidden])
    return replace(
        findings,
        demand=demand,
        facilities=findings.facilities[~hidden],
        villages=findings.villages[~_in(findings.villages, area)],
        gaps=shown.assign(
            nearest=shown["nearest"].where(~shown["nearest"].isin(names), None),
            venues=[_unnamed(text, names) for text in shown.get("venues", [""] * len(shown))],
        ),
        nearest=findings.nearest.where(~findings.nearest.isin(masked), None),
        rank_venues=findings.rank_venues.where(~findings.rank_venues.isin(masked)),
    )


def _unnamed(venues: object, names: set[str]) -> str:
    """Leave out of a gap's venues the lines of those that are masked."""
    lines = json.loads(venues) if isinstance(venues, str) and venues else []
    kept = [line for line in lines if line["venue"] not in names]
    return json.dumps(kept, ensure_ascii=False) if kept else ""


def roads_without_masked(roads: Roads, mask: Sequence[shapely.Geometry]) -> Roads:
    """Leave out the edges of roads that touch the mask, whole edges and never cut ones."""
    if not mask:
        return roads
    area = shapely.union_all(gpd.GeoSeries(list(mask), crs="EPSG:4326").to_crs(roads.crs).to_numpy())
    shapely.prepare(area)
    return roads.only(~shapely.intersects(area, roads.lines))


def shown_ground(setting: MapSetting, roads: Roads | None) -> gpd.GeoDataFrame | None:
    """Return the barriers to draw as ground, cut where the mask lies.

    Those of the setting with their kinds; without any, those that the roads hold, of unknown kind.
    """
    ground = setting.ground
    if ground is None:
        if roads is None or not len(roads.barriers):
            return None
        shapes = gpd.GeoSeries(roads.barriers, crs=roads.crs).to_crs("EPSG:4326")
        ground = gpd.GeoDataFrame({"kind": "", "name": ""}, geometry=shapes, index=shapes.index)
    if not setting.mask:
        return ground
    area = shapely.union_all(list(setting.mask))
    return ground.set_geometry(ground.geometry.make_valid().difference(area))


def _in(frame: gpd.GeoDataFrame, area: shapely.Geometry) -> npt.NDArray[np.bool_]:
    """Return which rows touch an area."""
    shapes: npt.NDArray[Any] = frame.geometry.to_numpy()
    inside: npt.NDArray[np.bool_] = np.asarray(shapely.intersects(area, shapes), dtype=bool)
    return inside
