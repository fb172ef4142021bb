"""Draw the synthetic county: outline, hills, towns, villages and how densely each place is built.

Everything lies in metres east and north (EPSG:4549). The outline is drawn by hand and scaled to the
county's area; town areas follow the published ones; the places of towns, villages and hills are made up.
Roads are not laid here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy import ndimage
from scipy.spatial import cKDTree

from county.units import COUNTY_CODE, TOWN_UNITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CRS = "EPSG:4549"
SEAT = np.array([590_390.0, 3_378_480.0])  # 120.942 E, 30.528 N
COUNTY_AREA_KM2 = 584.96
CELL_M = 50.0  # grid of the building fields
HAMLET_PEOPLE = 0.22  # how densely people live in hamlets, which marks them among the clusters
BEYOND_M = 1_200.0  # roads are kept this far beyond the land border
TILT = np.deg2rad(11.0)  # the streets' main direction, along the coast

# The outline in km east and north of the seat, clockwise: first the coast, then the land border.
COAST_KM = [
    (9.0, 10.8), (8.2, 8.4), (6.4, 6.3), (5.4, 4.4), (4.0, 2.2), (3.2, 0.2), (2.8, -2.0), (2.7, -4.6),
    (2.3, -6.8), (3.0, -7.8), (2.9, -8.8), (1.5, -10.3), (0.6, -11.8), (-0.7, -13.6), (-1.0, -15.5),
    (-1.9, -17.0), (-2.4, -18.1), (-3.8, -18.5),
]  # fmt: skip
LAND_KM = [
    (-5.4, -18.2), (-7.8, -18.6), (-8.8, -17.3), (-9.4, -15.4), (-9.9, -13.0), (-11.6, -11.6),
    (-13.1, -10.0), (-13.7, -7.9), (-14.4, -6.4), (-16.4, -4.9), (-17.8, -3.2), (-19.3, -1.9),
    (-20.4, 0.4), (-20.0, 3.0), (-19.2, 5.3), (-17.2, 7.9), (-14.6, 8.1), (-12.0, 7.5), (-9.4, 8.7),
    (-7.0, 9.7), (-4.0, 9.1), (-1.0, 8.9), (2.0, 10.5), (4.5, 11.3), (6.9, 11.2),
]  # fmt: skip
# Hill: east, north, half axes (km), turn (degrees).
HILLS_KM = [
    (-7.2, -12.6, 1.9, 0.9, 20), (-4.2, -11.6, 1.5, 0.7, -15), (-8.0, -16.2, 1.0, 1.5, 10),
    (-2.6, -16.4, 0.8, 1.1, 0), (-1.8, -12.3, 1.0, 0.8, 40), (1.5, -8.7, 0.8, 0.55, 30),
    (-5.0, -16.6, 0.9, 0.7, 0), (-10.3, -10.6, 0.8, 0.5, 45),
]  # fmt: skip
LAKE_KM = (-6.35, -14.7, 0.75, 0.5, 25)  # at the foot of the hills


@dataclass(frozen=True)
class TownSketch:
    """What is drawn by hand for one town: where its centre lies, how large it and its built-up area are."""

    code: str
    name: str
    east_km: float
    north_km: float
    area_km2: float
    built_km: float
    turn_deg: float
    urban_weight: float  # people of one urban community, relative to the others


SKETCHES = (
    TownSketch("330424001", "武原街道", -0.3, 0.0, 70.94, 2.4, 9, 1.75),
    TownSketch("330424002", "西塘桥街道", 3.6, 6.6, 56.82, 1.45, -14, 0.95),
    TownSketch("330424004", "秦山街道", -0.4, -6.9, 54.97, 1.15, 16, 0.62),
    TownSketch("330424005", "望海街道", -3.7, 4.1, 44.00, 1.25, -8, 0.85),
    TownSketch("330424101", "沈荡镇", -10.6, 4.3, 66.03, 0.8, 22, 1.15),
    TownSketch("330424102", "百步镇", -16.6, 2.8, 64.71, 0.8, -20, 1.15),
    TownSketch("330424103", "于城镇", -7.6, -0.6, 42.96, 0.7, 12, 0.95),
    TownSketch("330424105", "澉浦镇", -4.6, -13.9, 115.4, 0.75, 30, 0.95),
    TownSketch("330424106", "通元镇", -9.2, -6.1, 69.13, 0.8, -16, 1.15),
)


@dataclass(frozen=True)
class Warp:
    """Bend the drafting board (straight cuts) onto the ground, so that canals and roads curve and towns turn.

    ``waves`` holds one row per sine wave: direction vector (2), amplitude vector (2), phase. ``hubs``: east,
    north on the board, angle and radius of each town's turn.
    """

    origin: Floats
    waves: Floats
    hubs: Floats

    def shift(self, board: Floats) -> Floats:
        """Compute the displacement, on the board, of points (n, 2)."""
        moved = np.zeros_like(board)
        for kx, ky, ax, ay, phase in self.waves:
            swing = np.sin(kx * board[:, 0] + ky * board[:, 1] + phase)
            moved += swing[:, None] * np.array([ax, ay])
        for x, y, angle, radius in self.hubs:
            offset = board - (x, y)
            turn = angle * np.exp(-((offset**2).sum(axis=1)) / radius**2)
            cos, sin = np.cos(turn) - 1, np.sin(turn)
            moved[:, 0] += offset[:, 0] * cos - offset[:, 1] * sin
            moved[:, 1] += offset[:, 0] * sin + offset[:, 1] * cos
        return moved

    def ground(self, board: Floats) -> Floats:
        """Map points (n, 2) of the board to metres east and north."""
        bent = board + self.shift(board)
        cos, sin = np.cos(TILT), np.sin(TILT)
        turned = np.column_stack([bent[:, 0] * cos + bent[:, 1] * sin, -bent[:, 0] * sin + bent[:, 1] * cos])
        return turned + self.origin

    def board(self, ground: Floats) -> Floats:
        """Map metres east and north back to the board, by fixed-point iteration."""
        offset = ground - self.origin
        cos, sin = np.cos(TILT), np.sin(TILT)
        target = np.column_stack(
            [offset[:, 0] * cos - offset[:, 1] * sin, offset[:, 0] * sin + offset[:, 1] * cos]
        )
        guess = target.copy()
        for _ in range(60):
            guess = 0.5 * guess + 0.5 * (target - self.shift(guess))
        return guess


@dataclass(frozen=True)
class Units:
    """Villages and communities in code order; ``xy`` is the heart of each."""

    codes: list[str]
    names: list[str]
    town: NDArray[np.int64]
    community: NDArray[np.bool_]
    urban: NDArray[np.bool_]
    xy: Floats


@dataclass(frozen=True)
class Fields:
    """Raster over the county's box: wanted block size (m) and how densely people live, both (row, column)."""

    west: float
    south: float
    block_m: Floats
    people: Floats

    def at(self, grid: Floats, xy: Floats) -> Floats:
        """Read a raster at points (n, 2); outside the box the nearest cell answers."""
        column = np.clip(((xy[:, 0] - self.west) / CELL_M).astype(int), 0, grid.shape[1] - 1)
        row = np.clip(((xy[:, 1] - self.south) / CELL_M).astype(int), 0, grid.shape[0] - 1)
        return grid[row, column]


@dataclass(frozen=True)
class Plan:
    """The drawing board with everything on it."""

    scale: float
    outline: Any
    sea: Any
    hills: Any
    lake: Any
    towns: list[Any]
    town_codes: list[str]
    town_names: list[str]
    centres: Floats
    sketches: list[TownSketch]
    warp: Warp
    units: Units
    clusters: Floats  # east, north, radius, wanted block, people density
    fields: Fields


@dataclass(frozen=True)
class Ground:
    """Land and water, and the towns on it."""

    sketches: list[TownSketch]
    outline: Any
    sea: Any
    hills: Any
    lake: Any
    tiles: list[Any]
    centres: Floats


def draw_plan(seed: int, *, towns: int = 9) -> Plan:
    """Draw the county: outline, towns, villages, clusters and fields.

    ``towns`` other than 9 scales the outline and adds made-up towns, for benchmarks.
    """
    sketches = _sketches(seed, towns=towns)
    factor = float(np.sqrt(sum(sketch.area_km2 for sketch in sketches) / COUNTY_AREA_KM2))
    raw = shapely.Polygon(COAST_KM + LAND_KM)
    scale = float(np.sqrt(COUNTY_AREA_KM2 / raw.area)) * factor
    outline = _smooth(_placed(raw, scale))
    outline = _scaled_to(outline, sum(sketch.area_km2 for sketch in sketches) * 1e6)
    sea = _sea(outline, scale)
    hills = shapely.union_all([_ellipse(hill, scale=scale) for hill in HILLS_KM]).intersection(outline)
    lake = _ellipse(LAKE_KM, scale=scale)
    centres = SEAT + np.array([(sketch.east_km, sketch.north_km) for sketch in sketches]) * 1000 * scale
    polygons = _tiles(outline, centres, np.array([sketch.area_km2 for sketch in sketches]) * 1e6)
    warp = _warp(seed, centres, sketches)
    ground = Ground(sketches, outline, sea, hills, lake, polygons, centres)
    units = _units(seed, ground)
    clusters = _clusters(seed, ground, units)
    return Plan(
        scale,
        outline,
        sea,
        hills,
        lake,
        polygons,
        [sketch.code for sketch in sketches],
        [sketch.name for sketch in sketches],
        centres,
        sketches,
        warp,
        units,
        clusters,
        _fields(ground, clusters),
    )


def _sketches(seed: int, *, towns: int) -> list[TownSketch]:
    """Give the nine towns, fewer, or more with made-up ones set far from all others."""
    chosen = list(SKETCHES[:towns])
    if towns <= len(SKETCHES):
        return chosen
    rng = np.random.default_rng([seed, 1])
    box = shapely.Polygon(COAST_KM + LAND_KM).buffer(-0.8)
    tries = rng.uniform((-20.4, -18.6), (9.0, 11.3), size=(40 * towns + 4000, 2))
    tries = tries[shapely.contains_xy(box, tries[:, 0], tries[:, 1])]
    placed = np.array([(sketch.east_km, sketch.north_km) for sketch in chosen])
    far = ((tries[:, None] - placed[None]) ** 2).sum(axis=2).min(axis=1)
    for number in range(len(SKETCHES), towns):
        best = int(far.argmax())
        east, north = tries[best]
        far = np.minimum(far, ((tries - tries[best]) ** 2).sum(axis=1))
        chosen.append(
            TownSketch(
                f"{COUNTY_CODE}{201 + number - len(SKETCHES):03d}",
                f"示例镇{number + 1}",
                float(east),
                float(north),
                65.0,
                0.95,
                float(rng.uniform(-22, 22)),
                1.0,
            )
        )
    return chosen


def _placed(shape: Any, scale: float) -> Any:
    return shapely.transform(shape, lambda xy: SEAT + xy * 1000 * scale)


def _smooth(polygon: Any) -> Any:
    """Round corners (Chaikin) so that the outline is drawn, not ruled."""
    xy = shapely.get_coordinates(polygon)[:-1]
    for _ in range(3):
        following = np.roll(xy, -1, axis=0)
        xy = np.stack([0.75 * xy + 0.25 * following, 0.25 * xy + 0.75 * following], axis=1).reshape(-1, 2)
    return shapely.Polygon(xy)


def _scaled_to(polygon: Any, area_m2: float) -> Any:
    factor = float(np.sqrt(area_m2 / polygon.area))
    return shapely.transform(polygon, lambda xy: SEAT + (xy - SEAT) * factor)


def _sea(outline: Any, scale: float) -> Any:
    """Cut the water east of the coast out of a wide box."""
    coast = SEAT + np.array(COAST_KM) * 1000 * scale
    inland = coast - np.array([2_500.0 * scale, 0.0])
    far = 60_000 * scale
    ring = [
        coast[0],
        *inland[2:-2],
        coast[-1],
        (coast[-1, 0] - 300, coast[-1, 1] - far),
        (SEAT[0] + far, coast[-1, 1] - far),
        (SEAT[0] + far, coast[0, 1] + far),
        (coast[0, 0] + 300, coast[0, 1] + far),
    ]
    return shapely.difference(shapely.Polygon(ring).buffer(0), outline)


def _ellipse(shape: tuple[float, float, float, float, float], *, scale: float) -> Any:
    east, north, half_a, half_b, turn = shape
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    wobble = 1 + 0.12 * np.sin(3 * angle + east) + 0.07 * np.sin(5 * angle + north)
    x, y = half_a * np.cos(angle) * wobble, half_b * np.sin(angle) * wobble
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    ring = np.column_stack([x * cos - y * sin + east, x * sin + y * cos + north])
    return shapely.Polygon(SEAT + ring * 1000 * scale)


def _tiles(outline: Any, centres: Floats, areas: Floats) -> list[Any]:
    """Tile the outline with one cell per town (a power diagram), with the wanted areas within 0.1 %."""
    wanted = areas * outline.area / areas.sum()
    weights = np.zeros(len(centres))
    wide = outline.buffer(1_500)
    for _ in range(600 if len(areas) <= len(SKETCHES) else 25):
        bent = [
            shapely.transform(shapely.segmentize(cell, 400), _wiggle)
            for cell in _cells(wide, centres, weights)
        ]
        tiles = shapely.intersection(shapely.set_precision(bent, 0.5), outline, grid_size=0.5)
        got = shapely.area(tiles)
        if np.abs(got / wanted - 1).max() < 0.001:
            break
        weights += 0.5 * (wanted - got) / np.pi
    return list(tiles)


def _cells(box: Any, centres: Floats, weights: Floats) -> list[Any]:
    """Cut the box into power cells with half planes."""
    far = 400_000.0
    cells = []
    for centre, weight in zip(centres, weights, strict=True):
        cell = box
        for other in np.argsort(((centres - centre) ** 2).sum(axis=1))[1:30]:
            apart = centres[other] - centre
            gap = float(np.hypot(*apart))
            along = apart / gap
            foot = centre + along * (gap**2 + weight - weights[other]) / (2 * gap)
            side = np.array([-along[1], along[0]])
            corners = [foot + side * far, foot - side * far]
            cell = cell.intersection(
                shapely.Polygon([*corners, corners[1] - along * far, corners[0] - along * far])
            )
        cells.append(cell)
    return cells


def _wiggle(xy: Floats) -> Floats:
    """Bend town borders a little; the same place always moves the same way, so neighbours stay neighbours."""
    x, y = (xy[:, 0] - SEAT[0]) / 1000, (xy[:, 1] - SEAT[1]) / 1000
    east = 150 * np.sin(1.9 * y + 0.6) + 90 * np.sin(3.7 * y + 1.1 * x)
    north = 150 * np.sin(1.7 * x + 2.0) + 90 * np.sin(4.1 * x - 0.8 * y)
    return xy + np.column_stack([east, north])


def _warp(seed: int, centres: Floats, sketches: list[TownSketch]) -> Warp:
    """Bend the board in waves from 12 km down to 700 m and turn it about each town."""
    rng = np.random.default_rng([seed, 2])
    waves = []
    for length, amplitude, count in ((12_500, 520, 3), (5_200, 170, 4), (2_100, 45, 4), (720, 9, 4)):
        for _ in range(count):
            angle, lean = rng.uniform(0, 2 * np.pi, 2)
            size = amplitude * rng.uniform(0.6, 1.0)
            waves.append(
                (
                    2 * np.pi / length * np.cos(angle),
                    2 * np.pi / length * np.sin(angle),
                    size * np.cos(lean),
                    size * np.sin(lean),
                    rng.uniform(0, 2 * np.pi),
                )
            )
    bare = Warp(SEAT, np.array(waves), np.zeros((0, 4)))
    hubs = np.column_stack(
        [
            bare.board(centres),
            np.deg2rad([s.turn_deg for s in sketches]),
            [1000 * (s.built_km + 1.0) for s in sketches],
        ]
    )
    return Warp(SEAT, np.array(waves), hubs)


def _units(seed: int, ground: Ground) -> Units:
    """Set the heart of each community near its town's centre, of each village in the rest of the town."""
    rng = np.random.default_rng([seed, 3])
    codes: list[str] = []
    names: list[str] = []
    town: list[int] = []
    hearts: list[Floats] = []
    listed = {key.split()[0]: text for key, text in TOWN_UNITS.items()}
    for number, sketch in enumerate(ground.sketches):
        lines = listed.get(sketch.code, _made_up(number)).split("\n")
        rows = [line.split(maxsplit=1) for line in lines if line.strip()]
        inner = [is_community(row[0]) for row in rows]
        hearts.append(_hearts(rng, ground, number, inner=np.array(inner)))
        codes += [sketch.code + row[0] for row in rows]
        names += [row[1] for row in rows]
        town += [number] * len(rows)
    xy = np.round(np.concatenate(hearts), 1)
    towns = np.array(town)
    community = np.array([is_community(code[-3:]) for code in codes])
    built = np.array([sketch.built_km for sketch in ground.sketches])[towns] * 1000
    urban = community | (np.hypot(*(xy - ground.centres[towns]).T) < built + 250)
    return Units(codes, names, towns, community, urban, xy)


def is_community(suffix: str) -> bool:
    """Mark communities (001-199, and from 400), not villages (200-399), by the code's last digits."""
    return int(suffix) < 200 or int(suffix) >= 400


def _made_up(number: int) -> str:
    return "\n".join(
        [f"001 示例社区{number + 1}"] + [f"{200 + k} 示例村{number + 1}-{k + 1}" for k in range(12)]
    )


def _hearts(rng: np.random.Generator, ground: Ground, town: int, *, inner: NDArray[np.bool_]) -> Floats:
    """Spread communities evenly over the built-up circle and villages over the rest of the tile (Lloyd)."""
    tile, centre = ground.tiles[town], ground.centres[town]
    middle, radius = shapely.Point(centre), ground.sketches[town].built_km * 1000
    built = middle.buffer(radius * 0.95).intersection(tile.buffer(-150))
    wild = shapely.union_all([ground.hills.buffer(250), ground.lake.buffer(150), middle.buffer(radius * 0.7)])
    open_land = tile.buffer(-350).difference(wild)
    hearts = np.empty((len(inner), 2))
    hearts[inner] = _spread(rng, built, int(inner.sum()))
    if inner.sum() == 1:
        hearts[inner] = centre
    hearts[~inner] = _spread(rng, open_land, int((~inner).sum()))
    return hearts


def _spread(rng: np.random.Generator, shape: Any, count: int) -> Floats:
    """Place points evenly but not regularly in a shape: a few steps of Lloyd's method on random samples."""
    west, south, east, north = shape.bounds
    samples = rng.uniform((west, south), (east, north), size=(6_000, 2))
    samples = samples[shapely.contains_xy(shape, samples[:, 0], samples[:, 1])]
    points = samples[:count].copy()
    for _ in range(14):
        owner = cKDTree(points).query(samples)[1]
        sizes = np.maximum(np.bincount(owner, minlength=count), 1)
        means = np.column_stack(
            [np.bincount(owner, samples[:, axis], minlength=count) / sizes for axis in (0, 1)]
        )
        points = means
    return samples[cKDTree(samples).query(points)[1]]


def _clusters(seed: int, ground: Ground, units: Units) -> Floats:
    """List every built-up cluster: town cores, one per community, a main one and hamlets per village."""
    rng = np.random.default_rng([seed, 4])
    rows = []
    for sketch, (x, y) in zip(ground.sketches, ground.centres, strict=True):
        radius = sketch.built_km * 1000
        rows += [
            (x, y, radius, 108.0, 0.45),
            (x, y, radius * 0.72, 92.0, 0.85),
            (x, y, radius * 0.42, 78.0, 1.3),
        ]
    for number, (x, y) in enumerate(units.xy):
        if units.community[number]:
            rows.append((x, y, 300.0, 84.0, 1.0))
            continue
        rows.append((x, y, rng.uniform(170, 250), 84.0, 0.30))
        for _ in range(int(rng.integers(2, 5))):
            distance, angle = rng.uniform(450, 1_050), rng.uniform(0, 2 * np.pi)
            spot = np.array([x + distance * np.cos(angle), y + distance * np.sin(angle)])
            if ground.tiles[units.town[number]].contains(shapely.Point(spot)):
                rows.append((*spot, rng.uniform(80, 140), 88.0, HAMLET_PEOPLE))
    clusters = np.array(rows)
    wild = shapely.union_all([ground.hills, ground.lake.buffer(80)])
    dry = ~shapely.contains_xy(wild, clusters[:, 0], clusters[:, 1])
    return clusters[dry]


def _fields(ground: Ground, clusters: Floats) -> Fields:
    """Paint wanted block sizes and people densities on a raster of the county's box."""
    west, south, east, north = ground.outline.buffer(BEYOND_M + 400).bounds
    columns, rows = int((east - west) / CELL_M) + 1, int((north - south) / CELL_M) + 1
    x = west + (np.arange(columns) + 0.5) * CELL_M
    y = south + (np.arange(rows) + 0.5) * CELL_M
    grid_x, grid_y = (axis.ravel() for axis in np.meshgrid(x, y))
    inside = shapely.contains_xy(ground.outline, grid_x, grid_y).reshape(rows, columns)
    near = ndimage.distance_transform_edt(~inside) * CELL_M < BEYOND_M
    block = np.where(inside, 1_000.0, np.where(near, 1_500.0, 1e9))
    people = np.zeros((rows, columns))
    for cx, cy, radius, size, density in clusters:
        window = _window(x, cx, radius * 1.7), _window(y, cy, radius * 1.7)
        gap = np.hypot(x[window[0]][None] - cx, y[window[1]][:, None] - cy) / radius
        part = block[window[1], window[0]]
        part[:] = np.minimum(part, np.where(gap < 1, size, np.where(gap < 1.6, size * 2.2, 1e9)))
        crowd = people[window[1], window[0]]
        crowd[:] = np.maximum(crowd, density * np.clip(1.35 - gap, 0, 1))
    for shape, size in ((ground.hills, 2_600.0), (ground.lake, 2_600.0), (ground.sea, 1e9)):
        covered = shapely.contains_xy(shape, grid_x, grid_y).reshape(rows, columns)
        block = np.where(covered, np.maximum(block, size), block)
        people = np.where(covered, 0.0, people)
    return Fields(west, south, block, np.where(inside, people, 0.0))


def _window(axis: Floats, centre: float, radius: float) -> slice:
    return slice(int(np.searchsorted(axis, centre - radius)), int(np.searchsorted(axis, centre + radius)))
