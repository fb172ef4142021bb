"""Turn the board's streets into the county's road network: bent, clipped to land, classed, one-way, numbered.

Owns junction and edge tables, canals and the expressway as barriers, the planted fragment and the
network's figures. It does not decide where streets run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from county import streets
from county.plan import BEYOND_M, HAMLET_PEOPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from county.plan import Plan
    from county.streets import Board

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

GRID_M = 1 / 64  # coordinates are whole 64ths of a metre: short in binary, so that the file packs well
DYKE_M = 60.0  # the coast road's distance from the shore
PIECE_M = 75.0  # streets longer than this get vertices between
ON_FOOT = ("footway", "path", "pedestrian", "steps")


@dataclass(frozen=True)
class Network:
    """Roads as tables. ``uv``: (edge, 2); ``lines``: geometry per edge, digitised u to v."""

    xy: Floats
    uv: Ints
    lines: NDArray[np.object_]
    highway: NDArray[np.object_]
    oneway: NDArray[np.bool_]
    bridge: NDArray[np.bool_]
    length_m: Floats
    fragment: NDArray[np.bool_]  # per junction: part of the planted fragment
    canals: list[Any]
    expressways: list[Any]
    dyke: Any


@dataclass(frozen=True)
class Draft:
    """Edges before they are numbered; ``xy`` on the ground, ``board`` on the board (NaN if added later)."""

    xy: Floats
    board: Floats
    uv: Ints
    kind: Ints
    bridge: NDArray[np.bool_]
    flow: Ints
    line: Ints

    def __getitem__(self, chosen: Any) -> Draft:
        """Choose edges."""
        parts = (self.uv, self.kind, self.bridge, self.flow, self.line)
        return Draft(self.xy, self.board, *(part[chosen] for part in parts))

    def joined(self, xy: Floats, uv: Ints, kind: Any, *, bridge: Any = False, flow: Any = 0) -> Draft:
        """Append junctions and edges."""
        size = len(uv)
        return Draft(
            np.concatenate([self.xy, xy.reshape(-1, 2)]),
            np.concatenate([self.board, np.full((xy.size // 2, 2), np.nan)]),
            np.concatenate([self.uv, uv]),
            np.concatenate([self.kind, np.broadcast_to(kind, size)]),
            np.concatenate([self.bridge, np.broadcast_to(bridge, size)]),
            np.concatenate([self.flow, np.broadcast_to(flow, size)]),
            np.concatenate([self.line, np.full(size, -1)]),
        )


def build_network(plan: Plan, seed: int, *, edges: int) -> Network:
    """Build the network with about the wanted number of edges, by trying block sizes.

    Raises
    ------
    ValueError
        When the wanted number is out of what the plan can carry.
    """
    coarseness = float(np.sqrt(44_000 * len(plan.towns) / 9 / edges))
    for _ in range(3):
        board = streets.lay_streets(plan, seed, coarseness=coarseness)
        draft = _draft(plan, board)
        if abs(len(draft.uv) / edges - 1) < 0.03:
            break
        coarseness *= float((len(draft.uv) / edges) ** 0.62)
    if not 0.7 < len(draft.uv) / edges < 1.4:
        raise ValueError(f"{edges} edges do not fit {len(plan.towns)} towns: got {len(draft.uv)}")
    return _finish(plan, draft, board, seed)


def _draft(plan: Plan, board: Board) -> Draft:
    """Bend the board, keep what lies on land, add the coast road, keep the largest part."""
    xy = plan.warp.ground(board.xy)
    draft = Draft(xy, board.xy, board.ends, board.kind, board.bridge, board.flow, board.line)
    draft = draft[draft.uv[:, 0] != draft.uv[:, 1]]
    pair = np.sort(draft.uv, axis=1)
    draft = draft[np.unique(pair[:, 0] * len(xy) + pair[:, 1], return_index=True)[1]]
    water = shapely.union_all([plan.sea.buffer(DYKE_M), plan.lake.buffer(25)])
    land = plan.outline.buffer(BEYOND_M)
    shapely.prepare(land)
    shapely.prepare(water)
    dry = shapely.contains_xy(land, xy[:, 0], xy[:, 1]) & ~shapely.contains_xy(water, xy[:, 0], xy[:, 1])
    straight = shapely.linestrings(xy[draft.uv])
    shapely.prepare(plan.lake)
    draft = draft[~shapely.intersects(plan.lake, straight)]
    both = dry[draft.uv].all(axis=1)
    cut = dry[draft.uv].any(axis=1) & ~both & (draft.kind != streets.BANK)
    draft = _coast_road(draft[both], draft[cut], dry, water, plan)
    draft = _expressway(plan, draft, board, land, water)
    return _largest(draft)


def _coast_road(inland: Draft, cut: Draft, dry: NDArray[np.bool_], water: Any, plan: Plan) -> Draft:
    """End streets that run into the water at its edge and join their ends along the shore."""
    inner = np.where(dry[cut.uv[:, 0]], cut.uv[:, 0], cut.uv[:, 1])
    outer = np.where(dry[cut.uv[:, 0]], cut.uv[:, 1], cut.uv[:, 0])
    rays = shapely.linestrings(np.stack([inland.xy[inner], inland.xy[outer]], axis=1))
    reach = plan.outline.buffer(-20)
    draft = inland
    for shore in _parts(water.boundary):
        hits = shapely.intersection(rays, shore)
        crossed = ~shapely.is_empty(hits) & shapely.intersects(rays, reach)
        if not crossed.any():
            continue
        first = np.array([shapely.get_coordinates(hit)[0] for hit in hits[crossed]])
        gap = np.hypot(*(first - inland.xy[inner[crossed]]).T)
        keep = gap > 12
        place = shapely.line_locate_point(shore, shapely.points(first[keep]))
        order = np.argsort(place)
        fresh = np.concatenate([[True], np.diff(place[order]) > 15.0])
        spots, place = first[keep][order][fresh], place[order][fresh]
        base = len(draft.xy)
        number = np.arange(len(spots)) + base
        tails = inner[crossed][keep][order][fresh]
        kinds, flows = cut.kind[crossed][keep][order][fresh], np.zeros(len(spots), dtype=int)
        draft = draft.joined(spots, np.column_stack([tails, number]), kinds, flow=flows)
        near = np.diff(place) < 5_000
        draft = _along(draft, shore, place, number, near)
    return draft


def _along(draft: Draft, shore: Any, place: Floats, number: Ints, near: NDArray[np.bool_]) -> Draft:
    """Join successive junctions on the shore by edges that follow it, with a junction every 250 m at most."""
    for step in np.nonzero(near)[0]:
        pieces = max(1, round((place[step + 1] - place[step]) / 260))
        stops = np.linspace(place[step], place[step + 1], pieces + 1)[1:-1]
        spots = shapely.get_coordinates(shapely.line_interpolate_point(shore, stops))
        base = len(draft.xy)
        chain = np.array([number[step], *range(base, base + len(stops)), number[step + 1]])
        draft = draft.joined(spots, np.column_stack([chain[:-1], chain[1:]]), streets.LANE)
    return draft


def _expressway(plan: Plan, draft: Draft, board: Board, land: Any, water: Any) -> Draft:
    """Lay both carriageways of the expressway and the ramps of its interchanges."""
    reached = np.isin(board.ramps[:, 2:].astype(int), draft.uv).all(axis=1)
    ramps = board.ramps[reached]
    ramps = ramps[np.argsort(ramps[:, 1])]
    at, kind = board.cuts.at[0], board.cuts.kind[0]
    for middle in at[kind == streets.EXPRESSWAY]:
        south, north = board.cuts.at[1][0], board.cuts.at[1][-1]
        for side in (-1, 1):
            stops = [ramps[:, 1] - 330.0, ramps[:, 1] + 330.0]
            along = np.unique(np.concatenate([*stops, np.arange(south, north, 1_900.0)]))
            line = np.column_stack([np.full(len(along), middle + 8.0 * side), along])
            ground = plan.warp.ground(line)
            dry = shapely.contains_xy(land, *ground.T) & ~shapely.contains_xy(water, *ground.T)
            ground, along, line = ground[dry], along[dry], line[dry]
            base = len(draft.xy)
            number = np.arange(base, base + len(ground))
            pairs = np.column_stack([number[:-1], number[1:]])[:: 1 if side > 0 else -1]
            draft = draft.joined(ground, pairs, streets.EXPRESSWAY, flow=side)
            draft.board[base : base + len(line)] = line
            for ramp in ramps:
                for offset, corner in ((-330.0, 2 if side < 0 else 3), (330.0, 4 if side < 0 else 5)):
                    stop = number[np.abs(along - ramp[1] - offset) < 1e-6]
                    if not len(stop):  # the interchange lies beyond the end of the expressway
                        continue
                    leaves = (offset < 0) == (side > 0)
                    ends = (stop[0], int(ramp[corner])) if leaves else (int(ramp[corner]), stop[0])
                    draft = draft.joined(np.empty((0, 2)), np.array([ends]), streets.LINK, flow=2)
    return draft


def _largest(draft: Draft) -> Draft:
    """Keep the largest connected part."""
    size = len(draft.xy)
    joined = coo_matrix((np.ones(len(draft.uv)), draft.uv.T), shape=(size, size))
    label = connected_components(joined, directed=False)[1]
    main = np.bincount(label[draft.uv[:, 0]]).argmax()
    return draft[label[draft.uv[:, 0]] == main]


def _finish(plan: Plan, draft: Draft, board: Board, seed: int) -> Network:
    rng = np.random.default_rng([seed, 20])
    draft, cut_out = _cut_fragment(plan, draft)
    used, renumbered = np.unique(draft.uv, return_inverse=True)
    rounded = np.round(draft.xy / GRID_M) * GRID_M
    rank = np.argsort(_hilbert(rounded[used]), kind="stable")
    place = np.empty(len(used), dtype=np.int64)
    place[rank] = np.arange(len(used))
    uv = place[renumbered.reshape(-1, 2)]
    lines, length = _bend(plan, draft, rounded)
    highway = _classes(plan, draft, rng)
    oneway, against = _directions(uv, draft, highway, plan, rng)
    lines[against] = shapely.reverse(lines[against])
    uv = np.where(against[:, None], uv[:, ::-1], uv)
    order = np.lexsort((uv[:, 1], uv[:, 0]))
    canals, expressways = _strips(plan, board)
    bridge, canals = _bridged(lines, highway, draft.bridge, canals)
    return Network(
        rounded[used][rank],
        uv[order],
        lines[order],
        highway[order],
        oneway[order],
        bridge[order],
        length[order],
        cut_out[used][rank],
        canals,
        expressways,
        plan.sea.buffer(DYKE_M).boundary,
    )


def _cut_fragment(plan: Plan, draft: Draft) -> tuple[Draft, NDArray[np.bool_]]:
    """Cut one hamlet's lanes off the network, as when a bridge is missing from the road data.

    Returns
    -------
    draft, cut_off
        The rest of the edges, and which junctions (of all) are on the fragment.
    """
    size = len(draft.xy)
    for x, y, radius in _lone_hamlets(plan, draft):
        near = np.hypot(*(draft.xy - (x, y)).T) < radius
        within = draft.uv[near[draft.uv].all(axis=1)]
        if len(within) < 4:
            continue
        joined = coo_matrix((np.ones(len(within)), within.T), shape=(size, size))
        label = connected_components(joined, directed=False)[1]
        own = near & (label == np.bincount(label[within[:, 0]]).argmax())
        main = _largest(draft[~near[draft.uv].any(axis=1)])
        rest = np.zeros(size, dtype=bool)
        rest[main.uv] = True
        return draft[own[draft.uv].all(axis=1) | rest[draft.uv].all(axis=1)], own
    raise ValueError("no hamlet has lanes of its own to cut off: ask for more edges or another seed")


def _lone_hamlets(plan: Plan, draft: Draft) -> Floats:
    """List one town's hamlets that no larger road passes, the most remote first: place and radius (n, 3)."""
    hamlets = plan.clusters[plan.clusters[:, 4] == HAMLET_PEOPLE]
    tile = plan.towns[min(6, len(plan.towns) - 1)].buffer(-400)
    chosen = hamlets[shapely.contains_xy(tile, hamlets[:, 0], hamlets[:, 1])][:, :3] * (1, 1, 1.9)
    large = np.isin(draft.kind, (*streets.ROADS, streets.EXPRESSWAY))
    roads = shapely.linestrings(draft.xy[draft.uv[large]])
    stops = cKDTree(shapely.get_coordinates(shapely.segmentize(roads, 30.0)))
    chosen = chosen[stops.query(chosen[:, :2])[0] > chosen[:, 2] + 20]
    spread = ((chosen[:, None, :2] - plan.clusters[None, :, :2]) ** 2).sum(axis=2)
    return chosen[np.argsort(-np.partition(spread, 1, axis=1)[:, 1], kind="stable")]


def _hilbert(xy: Floats) -> Ints:
    """Order places along a Hilbert curve, 2**12 cells a side."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    x, y = ((xy - low) / (high - low + 1e-9) * 4095).astype(np.int64).T
    key = np.zeros(len(xy), dtype=np.int64)
    side = 2048
    while side:
        right, upper = ((x & side) > 0).astype(np.int64), ((y & side) > 0).astype(np.int64)
        key += side * side * ((3 * right) ^ upper)
        turn = (upper == 0) & (right == 1)
        x, y = np.where(turn, 4095 - x, x), np.where(turn, 4095 - y, y)
        swap = upper == 0
        x, y = np.where(swap, y, x), np.where(swap, x, y)
        side //= 2
    return key


def _bend(plan: Plan, draft: Draft, rounded: Floats) -> tuple[NDArray[np.object_], Floats]:
    """Draw each edge with vertices between, so that long streets curve like the ground they were bent to."""
    start, end = draft.uv.T
    straight = np.hypot(*(draft.xy[end] - draft.xy[start]).T)
    known = ~np.isnan(draft.board[draft.uv]).any(axis=(1, 2))
    pieces = np.where(known, np.maximum(1, np.round(straight / PIECE_M)), 1).astype(int)
    edge = np.repeat(np.arange(len(start)), pieces + 1)
    first = np.cumsum(pieces + 1) - (pieces + 1)
    share = (np.arange(len(edge)) - first[edge]) / pieces[edge]
    one, two = draft.board[start][edge], draft.board[end][edge]
    between = (share > 0) & (share < 1)
    xy = np.empty((len(edge), 2))
    xy[share == 0] = rounded[start]
    xy[share == 1] = rounded[end]
    bent = plan.warp.ground((one + (two - one) * share[:, None])[between])
    xy[between] = np.round(bent / GRID_M) * GRID_M
    lines = shapely.linestrings(xy, indices=edge)
    return lines, shapely.length(lines)


def _classes(plan: Plan, draft: Draft, rng: np.random.Generator) -> NDArray[np.object_]:
    """Give every edge an OpenStreetMap highway class; a street keeps its class along its length."""
    count = int(draft.line.max()) + 2
    dice = rng.random(count)[draft.line]
    middle = draft.xy[draft.uv].mean(axis=1)
    block = plan.fields.at(plan.fields.block_m, middle)
    town, hill = block < 130, (block > 2_000) & (block < 1e8)
    street = np.select(
        [
            hill & (dice < 0.15),
            hill,
            ~town & (block > 250),
            dice < 0.13,
            dice < 0.165,
            dice < 0.27,
            dice < 0.45,
        ],
        ["steps", "path", "unclassified", "footway", "pedestrian", "living_street", "service"],
        "residential",
    )
    stub = np.select([dice < 0.30, dice < 0.42], ["footway", "residential"], "service")
    names = {
        streets.PRIMARY: "primary",
        streets.SECONDARY: "secondary",
        streets.TERTIARY: "tertiary",
        streets.LANE: "unclassified",
        streets.FRONTAGE: "service",
        streets.EXPRESSWAY: "motorway",
    }
    highway = np.full(len(draft.uv), "secondary_link", dtype=object)
    for kind, name in names.items():
        highway[draft.kind == kind] = name
    highway[(draft.kind == streets.LINK) & (draft.flow == 2)] = "motorway_link"
    for kind, values in ((streets.STREET, street), (streets.STUB, stub)):
        highway[draft.kind == kind] = values[draft.kind == kind]
    bank = draft.kind == streets.BANK
    highway[bank] = np.where(town, "footway", "path")[bank]
    return highway


def _directions(
    uv: Ints, draft: Draft, highway: NDArray[np.object_], plan: Plan, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Choose one-way edges: carriageways, ramps, many town streets; all that can be driven stays reachable.

    Returns
    -------
    oneway, against
        Whether an edge is one-way, and whether it must be reversed to run u to v.
    """
    count = int(draft.line.max()) + 2
    dice, sign = rng.random(count)[draft.line], np.where(rng.random(count) < 0.5, 1, -1)[draft.line]
    block = plan.fields.at(plan.fields.block_m, draft.xy[draft.uv].mean(axis=1))
    share = np.select([block < 100, block < 250], [1.0, 0.97], 0.0)
    chosen = (draft.kind == streets.STREET) & (dice < share) & ~np.isin(highway, ON_FOOT)
    flow = np.where(draft.flow != 0, np.sign(draft.flow), np.where(chosen, sign, 0))
    drive = np.nonzero(~np.isin(highway, ON_FOOT))[0]
    size = int(uv.max()) + 1
    tail, head = uv[drive].T
    ahead, back = flow[drive] >= 0, flow[drive] <= 0
    one_way = coo_matrix(
        (np.ones(ahead.sum() + back.sum()), (np.r_[tail[ahead], head[back]], np.r_[head[ahead], tail[back]])),
        shape=(size, size),
    )
    label = connected_components(one_way, directed=True, connection="strong")[1]
    split = drive[
        (label[tail] != label[head]) & (draft.kind[drive] != streets.EXPRESSWAY) & (draft.flow[drive] != 2)
    ]
    flow[split] = 0
    return flow != 0, flow < 0


def _strips(plan: Plan, board: Board) -> tuple[list[Any], list[Any]]:
    """Draw the water between canal banks and the expressway's bed as polygons on the ground."""
    land = plan.outline.buffer(BEYOND_M).difference(plan.sea.buffer(DYKE_M + 35))
    canals, beds = [], []
    for axis in (0, 1):
        cuts, along = board.cuts.at[axis], board.cuts.at[1 - axis]
        for cut, kind in enumerate(board.cuts.kind[axis]):
            wet = (
                board.cuts.wet[axis][cut]
                if kind == streets.CANAL
                else np.full(len(along) - 1, kind == streets.EXPRESSWAY)
            )
            for start, stop in _runs(wet):
                reach = np.arange(along[start], along[stop] + 1, 50.0)
                place = np.full(len(reach), cuts[cut])
                line = np.column_stack([place, reach] if axis == 0 else [reach, place])
                half = streets.CANAL_HALF_M - 6 if kind == streets.CANAL else 15.0
                strip = (
                    shapely.LineString(plan.warp.ground(line))
                    .simplify(0.5)
                    .buffer(half, cap_style="flat", join_style="mitre")
                )
                (canals if kind == streets.CANAL else beds).append(strip)
    return _tidy(canals, land), _tidy(beds, land)


def _bridged(
    lines: NDArray[np.object_], highway: NDArray[np.object_], bridge: NDArray[np.bool_], canals: list[Any]
) -> tuple[NDArray[np.bool_], list[Any]]:
    """Mark larger roads over water as bridges; where a lane meets water, the water ends beside it."""
    tree = shapely.STRtree(lines)
    large = ~np.isin(highway, (*ON_FOOT, "residential", "service", "living_street", "unclassified"))
    over = tree.query(canals, predicate="intersects")[1]
    bridge = bridge.copy()
    bridge[over[large[over]]] = True
    canal, edge = tree.query(canals, predicate="dwithin", distance=2.0)
    kept = []
    for number, shape in enumerate(canals):
        lanes = edge[(canal == number) & ~bridge[edge]]
        dug = shape.difference(shapely.union_all(shapely.buffer(lines[lanes], 4.0))) if len(lanes) else shape
        kept += [part for part in _parts(dug) if part.area > 2_500]
    return bridge, kept


def _tidy(strips: list[Any], land: Any) -> list[Any]:
    clipped = [part for strip in strips for part in _parts(strip.intersection(land))]
    tidy = shapely.set_precision(clipped, 0.25)
    return [
        part for shape in tidy for part in _parts(shape) if part.geom_type == "Polygon" and part.area > 400
    ]


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """List (start, stop) of every run of true flags; stop is exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _parts(shape: Any) -> list[Any]:
    return list(getattr(shape, "geoms", [shape]))


def figures(uv: Ints, length_m: Floats, oneway: NDArray[np.bool_]) -> dict[str, float]:
    """Measure a network: edge lengths, junction arms and one-way streets, each street counted once.

    ``uv``: (street, 2) junction numbers. Shares are fractions.
    """
    arms = np.bincount(uv.ravel())
    arms = arms[arms > 0]
    shares = {f"junctions with {n} arm{'s' if n > 1 else ''}": float((arms == n).mean()) for n in (1, 3, 4)}
    return {
        "mean edge length (m)": float(length_m.mean()),
        "median edge length (m)": float(np.median(length_m)),
        **shares,
        "one-way edges": float(oneway.mean()),
    }
