"""A synthetic town for tests of surfaces: houses with whole people, and everything else made of them.

Streets are a bent grid, houses stand along them, statistical blocks are real polygons (the cells nearest to
seeds, cut at the border of two districts that runs aslant). A raster, polygons with counts, footprints and
totals are all counted from the houses, so that every surface has one truth.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely

from conftest import TOYTOWN

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:4549"
WEST, SOUTH, SIDE, STREETS = 500000.0, 3377000.0, 4000.0, 21
STANDARD = (TOYTOWN / "standard.toml").read_text("utf-8")
CLINICS = [(501010.0, 3378030.0), (502990.0, 3379210.0), (502870.0, 3377890.0), (501130.0, 3379530.0)]

STUDY = """id = "surfaces"
year = 2025
crs = "EPSG:4549"
language = "en"
synthetic = true
[roads]
file = "roads.gpkg"
{demand}
[districts]
file = "districts.gpkg"
[[facilities]]
file = "facilities.csv"
datum = "EPSG:4549"
[standard]
use = "standard.toml"
"""

TOTALS = """[demand.totals]
file = "totals.csv"
groups = { over60 = "over60" }
"""


@dataclass(frozen=True, eq=False)
class Town:
    """The truth: ``houses`` and ``blocks`` with people, ``districts``, ``roads``, ``clinics``."""

    houses: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    clinics: list[tuple[float, float]]

    @property
    def totals(self) -> pd.DataFrame:
        """People by district, counted house by house."""
        return self.houses.groupby("district")[["population", "over60"]].sum()


def _bent(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bend the grid of streets, so that no cell of a raster follows it."""
    return np.column_stack([x + 60 * np.sin(y / 500), y + 80 * np.sin(x / 700)])


@functools.cache
def town() -> Town:
    """Make the town, always the same."""
    rng = np.random.default_rng(20251127)
    at = np.linspace(0, SIDE, STREETS)
    steps = np.linspace(0, SIDE, 10 * (STREETS - 1) + 1)
    corner = np.array([WEST, SOUTH])
    lines = []
    for k in at:
        lines.append(corner + _bent(np.full_like(steps, k), steps))
        lines.append(corner + _bent(steps, np.full_like(steps, k)))
    pieces = [line[i : i + 11] for line in lines for i in range(0, len(line) - 1, 10)]
    shapes = [shapely.LineString(piece) for piece in pieces]
    roads = gpd.GeoDataFrame({"highway": "residential"}, index=range(len(shapes)), geometry=shapes, crs=CRS)
    # Houses stand 5 to 45 m off a street, thicker in the middle of the town.
    spots = []
    while len(spots) < 900:
        along, street, off = rng.uniform(0, SIDE), rng.choice(at), rng.choice([-1, 1]) * rng.uniform(5, 45)
        x, y = (along, street + off) if rng.random() < 0.5 else (street + off, along)
        middle = np.hypot(x - SIDE / 2, y - SIDE / 2) / SIDE
        if rng.random() > middle and 50 < x < SIDE - 50 and 50 < y < SIDE - 50:
            spots.append((x, y))
    xy = corner + _bent(*np.array(spots).T)
    people = rng.integers(1, 9, len(xy))
    houses = gpd.GeoDataFrame(
        {"population": people, "over60": rng.binomial(people, 0.3)},
        geometry=gpd.points_from_xy(*xy.T),
        crs=CRS,
        index=pd.Index([f"h{n}" for n in range(len(xy))], name="id"),
    )
    frame = shapely.box(WEST - 300, SOUTH - 300, WEST + SIDE + 300, SOUTH + SIDE + 300)
    bends = [(-500, 700), (1650, 1490), (2300, 2710), (4800, 3333)]
    border = shapely.LineString([(WEST + x, SOUTH + y) for x, y in bends])
    halves = sorted(shapely.ops.split(frame, border).geoms, key=lambda one: one.centroid.y)
    districts = gpd.GeoDataFrame({"code": ["01", "02"], "name": ["South", "North"]}, geometry=halves, crs=CRS)
    seeds = shapely.MultiPoint(corner + rng.uniform(0, SIDE, (90, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame))
    parts = [shapely.intersection(cell, half) for half in halves for cell in cells]
    blocks = gpd.GeoDataFrame(geometry=[one for one in parts if one.area > 1], crs=CRS)
    blocks["code"] = [f"b{n}" for n in range(len(blocks))]
    inside = houses.sjoin(districts, predicate="within")
    houses["district"] = inside["code"].reindex(houses.index)
    found = houses.drop(columns="district").sjoin(blocks[["code", "geometry"]], predicate="within")
    counts = found.groupby("code")[["population", "over60"]].sum().reindex(blocks["code"]).fillna(0)
    blocks = blocks.assign(**{name: counts[name].to_numpy().astype(int) for name in counts})
    return Town(houses, districts, blocks[blocks["population"] > 0].reset_index(drop=True), roads, CLINICS)


def another_town(kind: str, seed: int) -> Town:
    """Make a town from a seed: ``urban``, a grid of 200 m, or ``rural``, hamlets on roads 750 m apart.

    One piece of road in eight is missing, so that ways are not straight.
    """
    rng = np.random.default_rng(seed)
    rural = kind == "rural"
    side, streets, houses = (9000.0, 13, 1500) if rural else (SIDE, STREETS, 900)
    at, corner = np.linspace(0, side, streets), np.array([WEST, SOUTH])
    steps = np.linspace(0, side, 10 * (streets - 1) + 1)
    lines = []
    for k in at:
        lines.append(corner + _bent(np.full_like(steps, k), steps))
        lines.append(corner + _bent(steps, np.full_like(steps, k)))
    pieces = [line[i : i + 11] for line in lines for i in range(0, len(line) - 1, 10)]
    kept = np.flatnonzero(rng.random(len(pieces)) > 0.12)
    shapes = [shapely.LineString(pieces[at]) for at in kept]
    roads = gpd.GeoDataFrame({"highway": "residential"}, index=range(len(shapes)), geometry=shapes, crs=CRS)
    hamlets = [(rng.uniform(300, side - 300), rng.choice(at[1:-1])) for _ in range(60)]
    spots = []
    while len(spots) < houses:
        if rural:
            along, street = hamlets[rng.integers(len(hamlets))]
            turned, off = along > side / 2, rng.choice([-1, 1]) * rng.uniform(5, 90)
            along += rng.normal(0, 120)
        else:
            along, street, turned = rng.uniform(0, side), rng.choice(at), rng.random() < 0.5
            off = rng.choice([-1, 1]) * rng.uniform(5, 45)
        x, y = (street + off, along) if turned else (along, street + off)
        thick = rural or rng.random() > np.hypot(x - side / 2, y - side / 2) / side
        if thick and 50 < x < side - 50 and 50 < y < side - 50:
            spots.append((x, y))
    xy, people = corner + _bent(*np.array(spots).T), rng.integers(1, 9, houses)
    homes = gpd.GeoDataFrame(
        {"population": people, "over60": rng.binomial(people, 0.3)},
        geometry=gpd.points_from_xy(*xy.T),
        crs=CRS,
        index=pd.Index([f"h{n}" for n in range(houses)], name="id"),
    )
    west, middle, east = WEST - 300, WEST + side / 2, WEST + side + 300
    halves = [
        shapely.box(west, SOUTH - 300, middle, SOUTH + side + 300),
        shapely.box(middle, SOUTH - 300, east, SOUTH + side + 300),
    ]
    districts = gpd.GeoDataFrame({"code": ["01", "02"], "name": ["West", "East"]}, geometry=halves, crs=CRS)
    homes["district"] = np.where(xy[:, 0] < middle, "01", "02")
    seeds = shapely.MultiPoint(corner + rng.uniform(0, side, (rng.integers(40, 400), 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=shapely.union_all(halves)))
    blocks = gpd.GeoDataFrame({"code": [f"b{n}" for n in range(len(cells))]}, geometry=list(cells), crs=CRS)
    inside = homes.sjoin(blocks, predicate="within").groupby("code")[["population", "over60"]].sum()
    counts = inside.reindex(blocks["code"]).fillna(0).astype(int)
    blocks = blocks.assign(**{name: counts[name].to_numpy() for name in counts})
    many = rng.integers(8, 20) if rural else rng.integers(4, 9)
    clinics = corner + _bent(*rng.uniform(side * 0.1, side * 0.9, (2, many)))
    lived_in = blocks[blocks["population"] > 0].reset_index(drop=True)
    return Town(homes, districts, lived_in, roads, [tuple(xy) for xy in clinics.tolist()])


def write_town(folder: Path, demand: str, *, of: Town | None = None) -> Path:
    """Write a study of the town whose residents are declared by ``demand``."""
    folder.mkdir(parents=True, exist_ok=True)
    made = of or town()
    made.roads.to_file(folder / "roads.gpkg")
    made.districts.to_file(folder / "districts.gpkg")
    venues = [
        {"id": f"{service}{n}", "name": f"{service} {n}", "service": service, "x": x, "y": y}
        for service in ("clinic", "library")
        for n, (x, y) in enumerate(made.clinics)
    ]
    pd.DataFrame(venues).to_csv(folder / "facilities.csv", index=False)
    (folder / "standard.toml").write_text(STANDARD, "utf-8")
    (folder / "study.toml").write_text(STUDY.format(demand=demand), "utf-8")
    made.totals.rename_axis("code").to_csv(folder / "totals.csv")
    return folder


def write_houses(folder: Path, *, of: Town | None = None) -> None:
    """Write the houses as points."""
    made = (of or town()).houses
    places = pd.DataFrame({"x": made.geometry.x, "y": made.geometry.y})
    made.drop(columns=["geometry", "district"]).join(places).to_csv(folder / "houses.csv")


def write_blocks(folder: Path) -> None:
    """Write the blocks with their people, and footprints that are larger where more people live."""
    made = town()
    made.blocks.to_file(folder / "blocks.gpkg")
    half = np.sqrt(made.houses["population"].to_numpy() * 30.0) / 2
    x, y = made.houses.geometry.x.to_numpy(), made.houses.geometry.y.to_numpy()
    shapes = shapely.box(x - half, y - half, x + half, y + half)
    layer = gpd.GeoDataFrame({"floors": 1}, index=range(len(shapes)), geometry=shapes, crs=CRS)
    layer.to_file(folder / "footprints.gpkg")


def write_raster(
    path: Path,
    size_m: float,
    *,
    crs: str = CRS,
    nodata: float | None = -1.0,
    of: Town | None = None,
    shift: tuple[float, float] = (0.3, 0.7),
    **others: object,
) -> None:
    """Write the people of the houses by cell: band 1 the population, band 2 over 60.

    ``shift`` : of the raster's corner, in cells.
    """
    houses = (of or town()).houses.to_crs(crs)
    x, y = houses.geometry.x.to_numpy(), houses.geometry.y.to_numpy()
    step = size_m if pyproj.CRS(crs).is_projected else size_m / 111000.0
    west, north = x.min() - (7 + shift[0]) * step, y.max() + (7 + shift[1]) * step
    column, row = ((x - west) // step).astype(int), ((north - y) // step).astype(int)
    shape = (int(row.max()) + 9, int(column.max()) + 9)
    bands = np.zeros((2, *shape), dtype="float32")
    for band, name in enumerate(("population", "over60")):
        np.add.at(bands[band], (row, column), houses[name].to_numpy())
    if nodata is not None:
        bands[:, bands[0] == 0] = nodata
    profile = {
        "driver": "GTiff", "height": shape[0], "width": shape[1], "count": 2, "dtype": "float32",
        "nodata": nodata, "transform": rasterio.Affine(step, 0, west, 0, -step, north), "crs": crs,
    }  # fmt: skip
    with rasterio.open(path, "w", **(profile | others)) as out:
        out.write(bands)
        out.descriptions = ("population", "over60")
