"""Make candidate sites, the land they may not stand on, and the named projects as a file of changes.

Every village and community that is not urban gets an idle building and a parcel; some towns a school ground.
All is made up: places, owners, uses and costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from county.files import degrees, write_csv, write_geojson

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from county.people import Residents
    from county.plan import Plan
    from county.venues import Register

    Floats = NDArray[np.float64]

FIELD_M, LOT_M = (420.0, 260.0), (38.0, 26.0)
PROJECTS = (
    "culture_art_centre",
    "history_culture_centre",
    "heritage_museum",
    "national_fitness_centre",
    "elderly_university",
    "welfare_centre",
)


def write_land(plan: Plan, residents: Residents, folder: Path, seed: int) -> None:
    """Write farmland.geojson, redline.geojson and development.geojson."""
    rng = np.random.default_rng([seed, 70])
    homes = shapely.STRtree(shapely.points(residents.xy[~np.isnan(residents.xy[:, 0])]))
    fields: list[Any] = []
    for heart, urban in zip(plan.units.xy, plan.units.urban, strict=True):
        for angle in rng.uniform(0, 2 * np.pi, 0 if urban else 10):
            centre = heart + rng.uniform(350, 1_100) * np.array([np.cos(angle), np.sin(angle)])
            field = _block(centre, FIELD_M, float(rng.uniform(-0.2, 0.2)))
            crowded = len(homes.query(field, predicate="intersects")) > 0
            if not crowded and plan.outline.contains(field):
                fields.append(field)
    farmland = shapely.get_parts(shapely.set_precision(shapely.union_all(fields), 0.5))
    _write_polygons(list(farmland), "永久基本农田", folder / "farmland.geojson")
    protected = shapely.union_all([plan.hills, plan.lake]).buffer(60, quad_segs=3)
    _write_polygons(list(shapely.get_parts(protected)), "生态保护红线", folder / "redline.geojson")
    built = [
        shapely.buffer(shapely.Point(centre), sketch.built_km * 1_150, quad_segs=6)
        for centre, sketch in zip(plan.centres, plan.sketches, strict=True)
    ]
    inside = shapely.intersection(shapely.union_all(built), plan.outline)
    _write_polygons(list(shapely.get_parts(inside)), "城镇开发边界", folder / "development.geojson")


def write_candidates(plan: Plan, residents: Residents, folder: Path, seed: int) -> None:
    """Write candidates.geojson: idle buildings and school grounds as points, parcels as polygons."""
    rng = np.random.default_rng([seed, 71])
    features: list[dict[str, Any]] = []
    for unit in np.flatnonzero(~plan.units.urban):
        own = residents.xy[(residents.unit == unit) & ~np.isnan(residents.xy[:, 0])]
        if not len(own):
            continue
        name = plan.units.names[unit].removesuffix("村委会").removesuffix("居委会")
        far = np.hypot(*(own - residents.committee[unit]).T)
        idle = own[np.argsort(far, kind="stable")[int(len(own) * rng.uniform(0.35, 0.6))]]
        owner, use = "村集体", "公共管理与公共服务用地"
        site = Site(f"{name}村闲置校舍", "闲置用房改造", owner, use, (38, 85))
        _add(features, site, idle + rng.uniform(-20, 20, 2), rng)
        lot = own[int(rng.integers(len(own)))] + rng.uniform(-110, 110, 2)
        owner = "国有" if rng.random() < 0.3 else "村集体"
        use = "留白用地" if rng.random() < 0.4 else "农村社区服务设施用地"
        _add(features, Site(f"{name}村地块", "新建", owner, use, (130, 260)), lot, rng, size=LOT_M)
        if rng.random() < 0.25:
            place = own[int(rng.integers(len(own)))] + rng.uniform(-15, 15, 2)
            _add(features, Site(f"{name}小学运动场", "开放校园", "教育局", "教育用地", (8, 20)), place, rng)
    write_geojson(features, folder / "candidates.geojson")


def write_projects(register: Register, folder: Path) -> None:
    """Write named-projects.csv: what the county would be without the named projects, as closures."""
    rows = [row for row in register.rows if row["service"] in PROJECTS]
    frame = pd.DataFrame(
        {"action": "close", "id": [row["id"] for row in rows], "name": [row["name"] for row in rows]}
    )
    write_csv(frame, folder / "named-projects.csv")


@dataclass(frozen=True)
class Site:
    """What a list of candidates says of one; ``cost`` is the span its cost is drawn from, 10,000 yuan."""

    name: str
    works: str
    tenure: str
    use: str
    cost: tuple[float, float]


def _add(
    features: list[dict[str, Any]],
    site: Site,
    xy: Floats,
    rng: np.random.Generator,
    *,
    size: tuple[float, float] | None = None,
) -> None:
    shape = shapely.Point(xy) if size is None else _block(xy, size, float(rng.uniform(-0.3, 0.3)))
    ring = degrees(shapely.get_coordinates(shape)).tolist()
    point = size is None
    features.append(
        {
            "type": "Feature",
            "properties": {
                "id": f"K{len(features) + 1:03d}",
                "name": f"示例·{site.name}",
                "works": site.works,
                "tenure": site.tenure,
                "land_use": site.use,
                "cost": round(float(rng.uniform(*site.cost))),
                "services": "small_gym" if site.works == "开放校园" else "",
                "suitability": round(float(rng.uniform(0.4, 1.0)), 2),
            },
            "geometry": {
                "type": "Point" if point else "Polygon",
                "coordinates": ring[0] if point else [ring],
            },
        }
    )


def _block(centre: Floats, size: tuple[float, float], turn: float) -> Any:
    """Draw a turned rectangle around a place."""
    half = np.array(size) / 2
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    cos, sin = np.cos(turn), np.sin(turn)
    return shapely.Polygon(corners @ np.array([[cos, sin], [-sin, cos]]) + centre)


def _write_polygons(parts: list[Any], name: str, path: Path) -> None:
    order = sorted(parts, key=lambda part: shapely.bounds(part).tolist())
    features = [
        {
            "type": "Feature",
            "properties": {"name": name, "area_ha": round(part.area / 1e4, 1)},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    degrees(shapely.get_coordinates(ring)).tolist()
                    for ring in (part.exterior, *part.interiors)
                ],
            },
        }
        for part in order
        if part.geom_type == "Polygon"
    ]
    write_geojson(features, path)
