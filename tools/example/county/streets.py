"""Lay canals and streets on the straight drafting board; bending them onto the ground belongs to the network.

The board is cut by long lines: main roads, canals and an expressway. Canals and the expressway are
strips with a line on each bank. Between the cuts lie cells, and each cell is split again and again by
new streets until its blocks are as small as the building fields ask for. A street ends on the street
that bounded the block it split, so most junctions have three arms, as in a grown place; some blocks are
split crosswise, which makes four.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from county.plan import Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

# Kinds of line; the network turns them into highway classes.
PRIMARY, SECONDARY, TERTIARY, LANE, BANK, FRONTAGE, STREET, STUB, LINK, CANAL, EXPRESSWAY = range(11)
ROADS = (PRIMARY, SECONDARY, TERTIARY)
CANAL_HALF_M, DUAL_HALF_M, EXPRESSWAY_HALF_M = 16.0, 11.0, 32.0


@dataclass(frozen=True)
class Cuts:
    """The long lines, per axis: coordinate and kind per cut, half width per cut and interval."""

    at: tuple[Floats, Floats]
    kind: tuple[Ints, Ints]
    half: tuple[Floats, Floats]  # (cut, interval along it)
    wet: tuple[Bools, Bools]  # whether the strip holds water there


@dataclass
class Lines:
    """Straight streets under construction: axis 0 runs north on the board, axis 1 runs east."""

    axis: list[Ints] = field(default_factory=list)
    at: list[Floats] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    host_low: list[Ints] = field(default_factory=list)  # line it ends on; -1 free end; -2-n: corner n
    host_high: list[Ints] = field(default_factory=list)
    kind: list[Ints] = field(default_factory=list)
    bridge: list[Bools] = field(default_factory=list)
    flow: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(  # noqa: PLR0913 - one argument for each column of a line
        self,
        axis: int,
        at: Floats,
        low: Floats,
        high: Floats,
        *,
        hosts: tuple[Ints, Ints],
        kind: Any,
        bridge: Any = False,
        flow: Any = 0,
    ) -> Ints:
        """Append lines and return their numbers."""
        size = len(at)
        self.axis.append(np.full(size, axis))
        self.at.append(np.asarray(at, dtype=float))
        self.low.append(np.asarray(low, dtype=float))
        self.high.append(np.asarray(high, dtype=float))
        self.host_low.append(np.asarray(hosts[0], dtype=np.int64))
        self.host_high.append(np.asarray(hosts[1], dtype=np.int64))
        self.kind.append(np.broadcast_to(np.asarray(kind, dtype=np.int64), size).copy())
        self.bridge.append(np.broadcast_to(np.asarray(bridge, dtype=bool), size).copy())
        self.flow.append(np.broadcast_to(np.asarray(flow, dtype=np.int64), size).copy())
        numbers = np.arange(self.count, self.count + size)
        self.count += size
        return numbers

    def column(self, name: str) -> Any:
        """Join one column of all lines added so far."""
        return np.concatenate(getattr(self, name))


@dataclass(frozen=True)
class Board:
    """Junctions and streets on the board. ``ends``: (street, 2) junction numbers."""

    xy: Floats
    ends: Ints
    kind: Ints
    bridge: Bools
    flow: Ints  # 1: one-way from the first end to the second; -1: against; 0: not decided here
    line: Ints  # number of the street an edge is part of, -1 on crossings
    ramps: Floats  # (interchange, 6): east and north of the crossing, then its corners SW, SE, NW, NE
    cuts: Cuts


def lay_streets(plan: Plan, seed: int, *, coarseness: float) -> Board:
    """Lay every street of the county.

    ``coarseness`` multiplies all block sizes: larger means fewer streets.
    """
    rng = np.random.default_rng([seed, 10])
    cuts = _cuts(plan, rng)
    lines = Lines()
    corners, crossings = _crossings(cuts, rng)
    sides = _sides(cuts, lines, corners)
    cells = _cell_boxes(cuts, sides)
    _split(plan, lines, cells, rng, coarseness=coarseness)
    _connect_strips(plan, cuts, lines, sides, rng)
    return _junctions(lines, corners, crossings, missing=_missing_banks(lines, plan, rng), cuts=cuts)


# ------------------------------------------------------------------------------------ the long lines


def _cuts(plan: Plan, rng: np.random.Generator) -> Cuts:
    """Choose where main roads, canals and the expressway cut the board."""
    corner = plan.outline.buffer(2_600).bounds
    ring = np.array([(x, y) for x in corner[0::2] for y in corner[1::2]])
    board = plan.warp.board(np.concatenate([ring, plan.centres]))
    low, high = board[:4].min(axis=0) - 800, board[:4].max(axis=0) + 800
    hubs = board[4:]
    at, kind = [], []
    for axis in (0, 1):
        places, kinds = _axis_cuts(
            hubs[:, axis], float(low[axis]), float(high[axis]), rng, expressway=axis == 0
        )
        at.append(places)
        kind.append(kinds)
    half, wet = [], []
    for axis in (0, 1):
        widths, water = _strip_widths(plan, at, kind[axis], axis, rng)
        half.append(widths)
        wet.append(water)
    return Cuts((at[0], at[1]), (kind[0], kind[1]), (half[0], half[1]), (wet[0], wet[1]))


def _axis_cuts(
    hubs: Floats, low: float, high: float, rng: np.random.Generator, *, expressway: bool
) -> tuple[Floats, Ints]:
    """Put roads through town centres, fill wide gaps with more, and a canal between neighbouring roads."""
    roads = [(float(hubs[0]), PRIMARY)]
    for hub in hubs[1:]:
        if min(abs(hub - place) for place, _ in roads) > 1_500:
            roads.append((float(hub), SECONDARY))
    ends = [(low, TERTIARY), *sorted(roads), (high, TERTIARY)]
    filled = [ends[0]]
    for place, kind in ends[1:]:
        gap = place - filled[-1][0]
        parts = max(1, round(gap / 2_700))
        start = filled[-1][0]
        filled += [
            (start + gap * part / parts + rng.uniform(-250, 250), TERTIARY) for part in range(1, parts)
        ]
        filled.append((place, kind))
    cuts = list(filled)
    for (west, _), (east, _) in itertools.pairwise(filled):
        if east - west > 1_300:
            cuts.append((west + (east - west) * rng.uniform(0.36, 0.64), CANAL))
    if expressway:
        cuts.append((float(hubs[0]) - 6_300.0, EXPRESSWAY))
    cuts.sort()
    kept = [cuts[0]]
    for place, kind in cuts[1:]:
        if place - kept[-1][0] < 260:
            kept[-1] = min(kept[-1], (place, kind), key=lambda cut: (cut[1] != EXPRESSWAY, cut[1]))
        else:
            kept.append((place, kind))
    return np.array([place for place, _ in kept]), np.array([kind for _, kind in kept])


def _strip_widths(
    plan: Plan, at: list[Floats], kind: Ints, axis: int, rng: np.random.Generator
) -> tuple[Floats, Bools]:
    """Decide half widths per cut and interval: no canals in hills, double roads where it is dense."""
    across, along = at[axis], at[1 - axis]
    share = np.linspace(0.05, 0.95, 7)
    steps = along[:-1, None] + np.diff(along)[:, None] * share[None]
    x, y = np.broadcast_arrays(across[:, None, None], steps[None])
    board = np.stack([x, y] if axis == 0 else [y, x], axis=-1).reshape(-1, 2)
    block = plan.fields.at(plan.fields.block_m, plan.warp.ground(board)).reshape(x.shape)
    hilly = ((block > 2_000) & (block < 1e8)).mean(axis=2) > 0.25
    dense = (block < 200).mean(axis=2) > 0.45
    outer = ((block > 1e8) | (block == 1_500)).mean(axis=2) > 0.9
    canal = (kind == CANAL)[:, None] & ~hilly & (rng.random(hilly.shape) > 0.05)
    dual = (
        np.isin(kind, (PRIMARY, SECONDARY))[:, None] & (dense | (kind == PRIMARY)[:, None] & ~hilly) & ~outer
    )
    half = np.where(canal, CANAL_HALF_M, np.where(dual, DUAL_HALF_M, 0.0))
    return np.where((kind == EXPRESSWAY)[:, None], EXPRESSWAY_HALF_M, half), canal


@dataclass(frozen=True)
class Corners:
    """Corner junctions of all cells: ``number`` (east cell, north cell, corner), corners SW, SE, NW, NE."""

    number: Ints
    xy: Floats


@dataclass(frozen=True)
class Crossings:
    """Short streets across strips where cuts meet, and the expressway's interchanges."""

    ends: Ints
    kind: Ints
    bridge: Bools
    flow: Ints
    ramps: Floats


def _crossings(cuts: Cuts, rng: np.random.Generator) -> tuple[Corners, Crossings]:
    """Make the junctions where cuts cross, and the short streets that lead across each strip."""
    nx, ny = len(cuts.at[0]), len(cuts.at[1])
    wide_x, wide_y = cuts.half[0], cuts.half[1].T
    wet_x, wet_y = cuts.wet[0], cuts.wet[1].T
    number = np.arange((nx - 1) * (ny - 1) * 4).reshape(nx - 1, ny - 1, 4)
    xy = np.empty((nx - 1, ny - 1, 4, 2))
    xy[:, :, (0, 2), 0] = (cuts.at[0][:-1, None] + wide_x[:-1])[:, :, None]
    xy[:, :, (1, 3), 0] = (cuts.at[0][1:, None] - wide_x[1:])[:, :, None]
    xy[:, :, (0, 1), 1] = (cuts.at[1][None, :-1] + wide_y[:, :-1])[:, :, None]
    xy[:, :, (2, 3), 1] = (cuts.at[1][None, 1:] - wide_y[:, 1:])[:, :, None]
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(1, nx - 1), np.arange(1, ny - 1), indexing="ij"))
    sw, se = number[i - 1, j - 1, 3], number[i, j - 1, 2]
    nw, ne = number[i - 1, j, 1], number[i, j, 0]
    east_dual = ((wide_y[i - 1, j] == DUAL_HALF_M) | (wide_y[i, j] == DUAL_HALF_M)).astype(int)
    north_dual = ((wide_x[i, j - 1] == DUAL_HALF_M) | (wide_x[i, j] == DUAL_HALF_M)).astype(int)
    # One end, other end, half width crossed, kind crossed, wet, kind of the crossing street, its flow.
    pairs = []
    kind_x, kind_y = cuts.kind[0][i], cuts.kind[1][j]
    pairs.append((sw, se, wide_x[i, j - 1], kind_x, wet_x[i, j - 1], kind_y, east_dual))
    pairs.append((nw, ne, wide_x[i, j], kind_x, wet_x[i, j], kind_y, -east_dual))
    pairs.append((sw, nw, wide_y[i - 1, j], kind_y, wet_y[i - 1, j], kind_x, -north_dual))
    pairs.append((se, ne, wide_y[i, j], kind_y, wet_y[i, j], kind_x, north_dual))
    one, two, width, crossed, wet, own, flow = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    joined = width == 0
    size = number.size
    merge = coo_matrix((np.ones(joined.sum()), (one[joined], two[joined])), shape=(size, size))
    label = connected_components(merge, directed=False)[1]
    allowed = ~joined & (
        np.isin(own, ROADS) | (~wet & (crossed != EXPRESSWAY)) | (rng.random(len(own)) < 0.05)
    )
    own = np.where(own == CANAL, LANE, np.where(own == EXPRESSWAY, FRONTAGE, own))
    ends = np.column_stack([label[one], label[two]])[allowed]
    flat = xy.reshape(-1, 2)
    first = np.unique(label, return_index=True)[1]
    toll = (kind_x == EXPRESSWAY) & np.isin(kind_y, (PRIMARY, SECONDARY))
    ramps = np.column_stack([cuts.at[0][i], cuts.at[1][j], *(label[corner] for corner in (sw, se, nw, ne))])[
        toll
    ]
    bridge = wet | (crossed == EXPRESSWAY)
    return Corners(label[number], flat[first]), Crossings(
        ends, own[allowed], bridge[allowed], flow[allowed], ramps
    )


@dataclass(frozen=True)
class Sides:
    """Line numbers of the banks before and after each cut, per interval; the same where it is single."""

    before: tuple[Ints, Ints]
    after: tuple[Ints, Ints]


def _sides(cuts: Cuts, lines: Lines, corners: Corners) -> Sides:
    """Make the lines along both banks of every cut, from crossing to crossing."""
    before, after = [], []
    for axis in (0, 1):
        at, along, half = cuts.at[axis], cuts.at[1 - axis], cuts.half[axis]
        number = corners.number if axis == 0 else corners.number.transpose(1, 0, 2)[:, :, [0, 2, 1, 3]]
        kind = np.where(
            cuts.kind[axis] == CANAL, BANK, np.where(cuts.kind[axis] == EXPRESSWAY, FRONTAGE, cuts.kind[axis])
        )
        kinds = np.repeat(kind[:, None], len(along) - 1, axis=1)
        kinds = np.where((kinds == BANK) & (half == 0), LANE, kinds)
        banks = []
        for side in (-1, 1):
            lookup = np.full((len(at), len(along) - 1), -1, dtype=np.int64)
            if side > 0:  # a single line has one bank, made already
                lookup = np.where(half == 0, banks[0], -1)
            cut = np.arange(1, len(at)) if side < 0 else np.arange(len(at) - 1)
            cell = cut - 1 if side < 0 else cut
            low, high = (number[cell][:, :, corner] for corner in ((1, 3) if side < 0 else (0, 2)))
            where = np.nonzero(lookup[cut] < 0)
            place = (at[cut][:, None] + side * half[cut])[where]
            ends = (corners.xy[low[where], 1 - axis], corners.xy[high[where], 1 - axis])
            dual = (half == DUAL_HALF_M)[cut][where].astype(int)
            made = lines.add(
                axis,
                place,
                *ends,
                hosts=(-2 - low[where], -2 - high[where]),
                kind=kinds[cut][where],
                flow=dual * side * (1 if axis == 0 else -1),
            )
            lookup[cut[where[0]], where[1]] = made
            banks.append(lookup)
        before.append(banks[0])
        after.append(banks[1])
    return Sides((before[0], before[1]), (after[0], after[1]))


# ---------------------------------------------------------------------------------------- the blocks


@dataclass(frozen=True)
class Boxes:
    """Blocks: ``edge`` (block, west south east north) coordinates and ``host`` the lines they lie on."""

    edge: Floats
    host: Ints

    def __getitem__(self, chosen: Any) -> Boxes:
        """Choose blocks."""
        return Boxes(self.edge[chosen], self.host[chosen])


def _cell_boxes(cuts: Cuts, sides: Sides) -> Boxes:
    x, y = cuts.at
    wide_x, wide_y = cuts.half[0], cuts.half[1].T
    west, east = x[:-1, None] + wide_x[:-1], x[1:, None] - wide_x[1:]
    south, north = y[None, :-1] + wide_y[:, :-1], y[None, 1:] - wide_y[:, 1:]
    edge = np.stack([west, south, east, north], axis=-1).reshape(-1, 4)
    host = np.stack(
        [sides.after[0][:-1], sides.after[1][:-1].T, sides.before[0][1:], sides.before[1][1:].T], axis=-1
    ).reshape(-1, 4)
    return Boxes(edge, host)


def _split(plan: Plan, lines: Lines, boxes: Boxes, rng: np.random.Generator, *, coarseness: float) -> None:
    """Split blocks until each is about as large as the finest place in it asks for; then add dead ends."""
    finest = _finest(plan.fields.block_m)
    leaves = []
    for _ in range(14):
        wanted = coarseness * _wanted(plan, finest, boxes) * np.exp(rng.normal(0, 0.30, len(boxes.edge)))
        size = boxes.edge[:, 2:] - boxes.edge[:, :2]
        big = size.max(axis=1) > 1.45 * wanted
        leaves.append(boxes[~big])
        boxes, wanted, size = boxes[big], wanted[big], size[big]
        if not len(boxes.edge):
            break
        cross = (size.min(axis=1) > 1.25 * wanted) & (rng.random(len(wanted)) < 0.5)
        boxes = _divide(lines, boxes, size, cross, rng)
    _dead_ends(
        plan,
        lines,
        Boxes(*(np.concatenate(part) for part in zip(*((b.edge, b.host) for b in leaves), strict=True))),
        rng,
    )


def _finest(block_m: Floats) -> list[Floats]:
    """Build rasters of the smallest wanted block within windows of 1, 3, 7, 15 ... cells."""
    return [block_m] + [ndimage.minimum_filter(block_m, size=2**k - 1) for k in range(2, 8)]


def _wanted(plan: Plan, finest: list[Floats], boxes: Boxes) -> Floats:
    """Read the smallest wanted block size inside each block."""
    size = (boxes.edge[:, 2:] - boxes.edge[:, :2]).max(axis=1)
    middle = plan.warp.ground((boxes.edge[:, 2:] + boxes.edge[:, :2]) / 2)
    level = np.clip(np.floor(np.log2(np.maximum(size, 1) / 50 + 1)), 1, len(finest)).astype(int) - 1
    wanted = np.empty(len(size))
    for number, raster in enumerate(finest):
        here = level == number
        wanted[here] = plan.fields.at(raster, middle[here])
    return wanted


def _divide(lines: Lines, boxes: Boxes, size: Floats, cross: Bools, rng: np.random.Generator) -> Boxes:
    """Split each block by a street across its longer side, or crosswise, and return the parts."""
    parts = []
    share = rng.uniform(0.36, 0.64, (len(size), 2))
    tall = size[:, 1] * rng.uniform(0.85, 1.18, len(size)) > size[:, 0]
    for axis in (0, 1):  # 0: a street that runs north splits west from east
        own = np.nonzero(tall == (axis == 1))[0]
        if not len(own):
            continue
        edge, host = boxes.edge[own], boxes.host[own]
        place = edge[:, axis] + size[own, axis] * share[own, axis]
        span = edge[:, 1 - axis], edge[:, 3 - axis]
        made = lines.add(axis, place, *span, hosts=(host[:, 1 - axis], host[:, 3 - axis]), kind=STREET)
        halves = []
        for keep, replaced in ((0, 2 + axis), (2, axis)):
            part_edge, part_host = edge.copy(), host.copy()
            part_edge[:, replaced], part_host[:, replaced] = place, made
            halves.append(Boxes(part_edge, part_host))
            del keep
        both = cross[own]
        parts += [half[~both] for half in halves]
        other = 1 - axis
        second = edge[both, other] + size[own][both, other] * share[own][both, other]
        for half in (halves[0][both], halves[1][both]):
            span = half.edge[:, axis], half.edge[:, 2 + axis]
            line = lines.add(
                other, second, *span, hosts=(half.host[:, axis], half.host[:, 2 + axis]), kind=STREET
            )
            for replaced in (2 + other, other):
                part_edge, part_host = half.edge.copy(), half.host.copy()
                part_edge[:, replaced], part_host[:, replaced] = second, line
                parts.append(Boxes(part_edge, part_host))
    return Boxes(np.concatenate([part.edge for part in parts]), np.concatenate([part.host for part in parts]))


def _dead_ends(plan: Plan, lines: Lines, leaves: Boxes, rng: np.random.Generator) -> None:
    """Run a dead-end lane into some finished blocks from one of their sides."""
    size = leaves.edge[:, 2:] - leaves.edge[:, :2]
    block = plan.fields.at(
        plan.fields.block_m, plan.warp.ground((leaves.edge[:, 2:] + leaves.edge[:, :2]) / 2)
    )
    chosen = (rng.random(len(size)) < 0.19) & (size.min(axis=1) > 36) & (block < 1e8)
    leaves, size = leaves[chosen], size[chosen]
    side = rng.integers(0, 4, len(size))
    place = rng.uniform(0.3, 0.7, len(size))
    length = np.minimum(rng.uniform(0.25, 0.7, len(size)), 170 / size.max(axis=1))
    free = np.full(len(size), -1)
    for number in range(4):
        own = side == number
        edge, host = leaves.edge[own], leaves.host[own]
        axis = (
            number % 2
        )  # coordinate along which the lane runs: west and east sides 0, south and north sides 1
        reach = size[own, axis] * length[own]
        at = edge[:, 1 - axis] + size[own, 1 - axis] * place[own]
        if number < 2:
            span = edge[:, axis], edge[:, axis] + reach
            hosts = host[:, number], free[own]
        else:
            span = edge[:, 2 + axis] - reach, edge[:, 2 + axis]
            hosts = free[own], host[:, number]
        lines.add(1 - axis, at, *span, hosts=hosts, kind=STUB)


def _connect_strips(plan: Plan, cuts: Cuts, lines: Lines, sides: Sides, rng: np.random.Generator) -> None:
    """Lead streets across strips: often over a median, seldom over a canal or the expressway."""
    at = lines.column("at")
    hosts = np.concatenate([lines.column("host_low"), lines.column("host_high")])
    places = np.concatenate([at, at])
    order = np.lexsort((places, hosts))
    hosts, places = hosts[order], places[order]
    for axis in (0, 1):
        cut, interval = np.nonzero(cuts.half[axis] > 0)
        for number, step in zip(cut, interval, strict=True):
            one, two = sides.before[axis][number, step], sides.after[axis][number, step]
            if one < 0 or two < 0:
                continue
            spot = places[np.searchsorted(hosts, one) : np.searchsorted(hosts, one, side="right")]
            middle = np.column_stack([np.full(len(spot), cuts.at[axis][number]), spot])
            ground = plan.warp.ground(middle if axis == 0 else middle[:, ::-1])
            kind = int(cuts.kind[axis][number])
            gap = _gaps_across(plan, ground, kind) * rng.uniform(0.8, 1.25, len(spot))
            ends = (float(cuts.at[1 - axis][step]), float(cuts.at[1 - axis][step + 1]))
            taken = _spaced(spot, gap, 160.0 if kind == CANAL else 90.0, *ends)
            if not len(taken):
                continue
            low, high = (cuts.at[axis][number] + sign * cuts.half[axis][number, step] for sign in (-1, 1))
            size = len(taken)
            lines.add(
                1 - axis,
                spot[taken],
                np.full(size, low),
                np.full(size, high),
                hosts=(np.full(size, one), np.full(size, two)),
                kind=LANE if kind in (CANAL, EXPRESSWAY) else LINK,
                bridge=kind in (CANAL, EXPRESSWAY),
            )


def _gaps_across(plan: Plan, ground: Floats, kind: int) -> Floats:
    """Give the wanted distance between streets across a strip at places (n, 2): short in towns."""
    if kind == EXPRESSWAY:
        return np.full(len(ground), 1_500.0)
    if kind == CANAL:
        built = np.array([sketch.built_km * 1_050 for sketch in plan.sketches])
        apart = np.hypot(*(ground[:, None] - plan.centres[None]).transpose(2, 0, 1)) < built
        return np.where(apart.any(axis=1), 380.0, 3_000.0)
    return np.where(plan.fields.at(plan.fields.block_m, ground) < 200, 150.0, 420.0)


def _spaced(places: Floats, gap: Floats, margin: float, low: float, high: float) -> Ints:
    """Choose places in order so that each is at least its gap after the last chosen and off both ends."""
    chosen: list[int] = []
    last = low
    for number, place in enumerate(places):
        near = max(gap[number] / 2, margin)  # the strip's ends are crossed by the roads there
        if place - last >= (gap[number] if chosen else near) and place < high - near:
            chosen.append(number)
            last = place
    return np.array(chosen, dtype=np.int64)


# ------------------------------------------------------------------------------------- the junctions


def _junctions(lines: Lines, corners: Corners, crossings: Crossings, *, missing: Bools, cuts: Cuts) -> Board:
    """Turn lines into junctions and streets; ends that meet a line within a few metres share a junction.

    ``missing``: lines that are not there, though others end on them.
    """
    axis, at = lines.column("axis"), lines.column("at")
    ends = [lines.column("host_low"), lines.column("host_high")]
    spans = [lines.column("low"), lines.column("high")]
    count = lines.count
    number = np.tile(np.arange(count), 2)
    host, span = np.concatenate(ends), np.concatenate(spans)
    end_node = np.full(2 * count, -1, dtype=np.int64)
    end_node[host < -1] = -2 - host[host < -1]
    nodes = [corners.xy]
    total = len(corners.xy)

    free = np.nonzero(host == -1)[0]
    end_node[free] = total + np.arange(len(free))
    nodes.append(_points(axis[number[free]], at[number[free]], span[free]))
    total += len(free)

    hung = np.nonzero(host >= 0)[0]
    place = at[number[hung]]
    order = np.lexsort((place, host[hung]))
    hung, place = hung[order], place[order]
    owner = host[hung]
    fresh = np.ones(len(hung), dtype=bool)
    fresh[1:] = (owner[1:] != owner[:-1]) | (np.diff(place) > 8.0)
    group = np.cumsum(fresh) - 1
    groups = int(group[-1]) + 1
    mean = np.bincount(group, place) / np.bincount(group)
    first = np.nonzero(fresh)[0]
    end_node[hung] = total + group
    nodes.append(_points(axis[owner[first]], at[owner[first]], mean))
    node = np.concatenate([end_node, total + np.arange(groups)])
    line = np.concatenate([number, owner[first]])
    coordinate = np.concatenate([span, mean])
    rank = np.concatenate([np.repeat([0, 2], count), np.ones(groups, dtype=int)])
    order = np.lexsort((coordinate, rank, line))
    line, node = line[order], node[order]
    inner = line[1:] == line[:-1]
    pairs = np.column_stack([node[:-1], node[1:]])[inner]
    owners = line[:-1][inner]
    kept = ~missing[owners]
    pairs, owners = pairs[kept], owners[kept]
    return Board(
        np.concatenate(nodes),
        np.concatenate([pairs, crossings.ends]),
        np.concatenate([lines.column("kind")[owners], crossings.kind]),
        np.concatenate([lines.column("bridge")[owners], crossings.bridge]),
        np.concatenate([lines.column("flow")[owners], crossings.flow]),
        np.concatenate([owners, np.full(len(crossings.ends), -1)]),
        crossings.ramps,
        cuts,
    )


def _points(axis: Ints, at: Floats, along: Floats) -> Floats:
    return np.where((axis == 0)[:, None], np.column_stack([at, along]), np.column_stack([along, at]))


def _missing_banks(lines: Lines, plan: Plan, rng: np.random.Generator) -> Bools:
    """Leave out many bank and frontage roads in the country: there, lanes end at the water."""
    kind = lines.column("kind")
    axis, at = lines.column("axis"), lines.column("at")
    middle = _points(axis, at, (lines.column("low") + lines.column("high")) / 2)
    block = plan.fields.at(plan.fields.block_m, plan.warp.ground(middle))
    bridged = np.zeros(lines.count, dtype=bool)
    for end in ("host_low", "host_high"):
        hosts = lines.column(end)[lines.column("bridge")]
        bridged[hosts[hosts >= 0]] = True
    return np.isin(kind, (BANK, FRONTAGE)) & (block > 250) & ~bridged & (rng.random(lines.count) < 0.62)
