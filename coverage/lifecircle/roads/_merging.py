"""Merge two networks: official lines first, and of the other what no official line runs along.

Both networks are read for one profile in one CRS, each by its own rules. The rule of the merge, step by step:

1. Each edge of the second network is looked at every 10 m. A point of it is *there already* where an official
   line passes within ``within_m`` and runs within 30 degrees of the edge's own direction there.
2. Stretches that are there already and at least twice ``within_m`` long are left out, and so are whole edges
   that are there already over their whole length, however short. What is left between two such stretches and
   shorter than ``within_m`` is left out too: the lines only wander.
3. A stretch that would be left out stays all the same where the official lines do not lead from its one end
   to the other, by less than twice its length and four times ``within_m``: a ramp beside the road it leaves.
4. All these stretches are added with their own class, direction and speed.
5. An end of an added stretch where the second network went on along a stretch that is left out is drawn on to
   the nearest official line that runs along that stretch, within twice ``within_m``, which is cut there.
   Other ends stay: what the second network does not join (a bridge, the street below)
   the merge does not either.

The rule knows no levels: a street below a viaduct of the official lines counts as the viaduct.

Everything is counted: edges and kilometres of both networks that were used and left out, ends that were
joined and ends for which no official line was near enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import scipy.sparse
import shapely
from scipy.sparse.csgraph import dijkstra
from shapely import ops

from lifecircle.roads._topology import Pieces, assemble, collapse, with_ends

if TYPE_CHECKING:
    from lifecircle.roads._network import FloatArray, LongArray, ObjectArray, Roads
    from lifecircle.roads._topology import BoolArray

MERGE_WITHIN_M: Final = 15.0
"""Usual metres within which a road that runs along an official line is the same road (inclusive)."""

MOST_MERGE_M: Final = 100.0
"""Largest such distance that may be set: beyond it the next street is taken for this one."""

_STEP_M: Final = 10.0
_ALONG: Final = float(np.cos(np.radians(30.0)))
_AT_JUNCTION_M: Final = 1.0  # metres to a junction that count as the junction
_SEARCHES: Final = 256
_BLOCK: Final = 200_000  # points that are compared at a time, so that memory stays bounded


@dataclass(frozen=True)
class MergeCount:
    """What a merge used and left out: edges and metres of each network, and the ends it joined."""

    official: int
    official_m: float
    added: int
    added_m: float
    same: int
    same_m: float
    joined: int
    loose: int

    def notes(self) -> tuple[str, ...]:
        """Return the counts as codes for the reading report."""
        return (
            f"merge_official:{self.official}|{self.official_m / 1000:.1f}",
            f"merge_added:{self.added}|{self.added_m / 1000:.1f}",
            f"merge_same:{self.same}|{self.same_m / 1000:.1f}",
            f"merge_joined:{self.joined}|{self.loose}",
        )


def merge_roads(
    official: Roads, second: Roads, *, within_m: float = MERGE_WITHIN_M
) -> tuple[Roads, MergeCount]:
    """Return the official network with the roads of another that it lacks, and the counts.

    Parameters
    ----------
    official, second : networks of one profile in one CRS
    within_m : metres, inclusive, within which roads of one direction are the same road

    Returns
    -------
    roads, count

    >>> import geopandas as gpd
    >>> from lifecircle.roads import read_roads
    >>> def lines(*wkt):
    ...     moved = gpd.GeoSeries.from_wkt(wkt, crs="EPSG:4549").translate(5e5, 3.38e6)
    ...     return read_roads(gpd.GeoDataFrame(geometry=moved), crs="EPSG:4549")
    >>> street = lines("LINESTRING (0 0, 400 0)")
    >>> osm = lines("LINESTRING (0 6, 200 6)", "LINESTRING (200 6, 400 6)", "LINESTRING (200 6, 200 300)")
    >>> roads, count = merge_roads(street, osm)
    >>> roads.length_m.round().tolist(), count.added, count.same, count.joined
    ([200.0, 300.0, 200.0], 1, 2, 1)
    """
    runs = _runs(second, _there_already(official, second, within_m), within_m)
    runs = _with_links(official, second, runs, within_m)
    parts = _added_parts(second, runs)
    lines, start, end, xy, touched = parts.lines, parts.start, parts.end, parts.xy, parts.touched
    # Only ends that the second network joined to a stretch that is left out are looked for.
    ends = np.unique(np.concatenate([start, end]))
    wanted = ends[touched[ends]]
    going = _Going(parts.left_node, parts.left_toward)
    edge, along, where, found = _nearest_places(official, xy, wanted, going, 2 * within_m)
    moved = wanted[found]
    base, node_of = _cut_official(official, edge[found], along[found], where[found])
    number = len(base.xy) + np.arange(len(xy))
    number[moved] = node_of
    places = np.vstack([base.xy, xy])
    start, end = number[start], number[end]
    drawn = with_ends(lines, places[start], places[end]) if len(lines) else lines
    added = Pieces(
        drawn,
        start,
        end,
        places,
        np.where(parts.stated, parts.length_m, shapely.length(drawn)) if len(lines) else parts.length_m,
        parts.forward_kmh,
        parts.backward_kmh,
        parts.highway,
    )
    merged = assemble(
        collapse(_together(replace(base, xy=places), added)),
        crs=official.crs,
        profile=official.profile,
        name="merge",
    )
    left = runs[~runs["kept"].to_numpy(dtype=bool)]
    count = MergeCount(
        official=len(official.u),
        official_m=float(official.length_m.sum()),
        added=len(lines),
        added_m=float(added.length_m.sum()),
        same=len(left),
        same_m=float(left["metres"].sum()),
        joined=int(found.sum()),
        loose=int((~found).sum()),
    )
    reading = replace(official.reading, notes=(*official.reading.notes, *_read_of(second), *count.notes()))
    return merged.with_reading(reading), count


def _read_of(second: Roads) -> tuple[str, ...]:
    """Return what was read of the second source, and which of its class words nobody knows, as codes."""
    own = second.reading
    if not own.rows:
        return ()
    unknown = [code for code in own.left_out if code.partition(":")[0].startswith("unknown_class")]
    return (f"merge_read:{own.rows}|{own.used}|{own.rows - own.used}", *own.notes, *unknown)


# --- what is there already --------------------------------------------------------------------------------


def _samples(roads: Roads) -> pd.DataFrame:
    """List points along every edge: edge, from and to as shares of it, x, y, and the direction there."""
    length = shapely.length(roads.lines)
    count = np.maximum(np.ceil(length / _STEP_M - 1e-9).astype(np.int64), 1)
    edge = np.repeat(np.arange(len(count)), count)
    at = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    first, last = at / count[edge], (at + 1) / count[edge]
    ends = [
        shapely.get_coordinates(shapely.line_interpolate_point(roads.lines[edge], share, normalized=True))
        for share in (first, (first + last) / 2, last)
    ]
    toward = _unit(ends[2] - ends[0])
    return pd.DataFrame(
        {
            "edge": edge,
            "first": first,
            "last": last,
            "x": ends[1][:, 0],
            "y": ends[1][:, 1],
            "dx": toward[:, 0],
            "dy": toward[:, 1],
        }
    )


def _segments(lines: ObjectArray) -> tuple[ObjectArray, FloatArray, LongArray]:
    """Return the straight segments of lines, the direction of each (segment, 2), its line."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    same = line[1:] == line[:-1]
    one, other = xy[:-1][same], xy[1:][same]
    size = np.hypot(*(other - one).T)
    long = size > 0
    one, other, size = one[long], other[long], size[long]
    shapes: ObjectArray = shapely.linestrings(np.stack([one, other], axis=1))
    return shapes, (other - one) / size[:, None], line[:-1][same][long].astype(np.int64)


def _there_already(official: Roads, second: Roads, within_m: float) -> pd.DataFrame:
    """Return the points along the second network, with a column that says whether each is there already."""
    samples = _samples(second)
    shapes, toward, _ = _segments(official.lines)
    tree = shapely.STRtree(shapes)
    there = np.zeros(len(samples), dtype=bool)
    own = samples[["dx", "dy"]].to_numpy()
    for begin in range(0, len(samples), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        points = shapely.points(samples["x"].to_numpy()[block], samples["y"].to_numpy()[block])
        at, segment = tree.query(points, predicate="dwithin", distance=within_m)
        along = np.abs((own[block][at] * toward[segment]).sum(axis=1)) >= _ALONG
        there[begin + at[along]] = True
    return samples.assign(there=there)


def _runs(second: Roads, samples: pd.DataFrame, within_m: float) -> pd.DataFrame:
    """Divide edges into stretches to add and to leave out: edge, first, last (shares), metres, kept."""
    length = second.length_m
    whole = samples.groupby("edge")["there"].transform("all").to_numpy(dtype=bool)
    runs = _grouped(samples.assign(kept=~samples["there"]), length)
    # A side street is near the road it leaves for some metres: that is no part of that road.
    runs.loc[~runs["kept"] & (runs["metres"] < 2 * within_m), "kept"] = True
    whole_edges = np.unique(samples["edge"].to_numpy()[whole])
    runs.loc[runs["edge"].isin(whole_edges), "kept"] = False
    runs = _grouped(runs, length)
    # What is left between two stretches of one road is where its two drawings wander apart.
    inner = runs["edge"].eq(runs["edge"].shift()) & runs["edge"].eq(runs["edge"].shift(-1))
    runs.loc[runs["kept"] & inner & (runs["metres"] < within_m), "kept"] = False
    return _grouped(runs, length)


def _grouped(runs: pd.DataFrame, length: FloatArray) -> pd.DataFrame:
    """Join neighbouring stretches of an edge that have one fate."""
    fresh = runs["edge"].ne(runs["edge"].shift()) | runs["kept"].ne(runs["kept"].shift())
    found = runs.groupby(fresh.cumsum(), sort=True).agg(
        edge=("edge", "first"), first=("first", "first"), last=("last", "last"), kept=("kept", "first")
    )
    metres = (found["last"] - found["first"]).to_numpy() * length[found["edge"].to_numpy()]
    return found.assign(metres=metres).reset_index(drop=True)


def _with_links(official: Roads, second: Roads, runs: pd.DataFrame, within_m: float) -> pd.DataFrame:
    """Keep stretches whose ends the official lines do not connect."""
    left = np.flatnonzero(~runs["kept"].to_numpy(dtype=bool))
    if not len(left):
        return runs
    edge, metres = runs["edge"].to_numpy()[left], runs["metres"].to_numpy()[left]
    places = []
    for name, side in (("first", 1), ("last", -1)):
        share = runs[name].to_numpy()[left]
        points = shapely.line_interpolate_point(second.lines[edge], share, normalized=True)
        going = _Going(np.arange(len(left)), _direction(second, edge, share, side))
        places.append(
            _nearest_places(official, shapely.get_coordinates(points), going.node, going, 2 * within_m)
        )
    (one, one_at, _, first_found), (other, other_at, _, last_found) = places
    most = 2 * metres + 4 * within_m
    led = _leads(official, (one, one_at), (other, other_at), most) & first_found & last_found
    kept = runs["kept"].to_numpy(dtype=bool).copy()
    kept[left[~led]] = True
    return _grouped(runs.assign(kept=kept), second.length_m)


def _leads(
    official: Roads, one: tuple[LongArray, FloatArray], other: tuple[LongArray, FloatArray], most: FloatArray
) -> BoolArray:
    """Return whether a network leads between pairs of places within metres (pair,), one-way streets open.

    ``one``, ``other`` : edge and share along it.
    """
    length = official.length_m
    lengths = scipy.sparse.coo_array(
        (length, (official.u, official.v)), shape=(len(official.xy), len(official.xy))
    )
    # The shortest of parallel edges: a sparse array would add them up.
    shortest = pd.DataFrame({"u": lengths.coords[0], "v": lengths.coords[1], "m": lengths.data})
    shortest = shortest.groupby(["u", "v"], as_index=False)["m"].min()
    graph = scipy.sparse.csr_array((shortest["m"], (shortest["u"], shortest["v"])), shape=lengths.shape)
    led: BoolArray = (one[0] == other[0]) & (np.abs(one[1] - other[1]) * length[one[0]] <= most)
    ends = [
        (
            official.u[place[0]],
            place[1] * length[place[0]],
            official.v[place[0]],
            (1 - place[1]) * length[place[0]],
        )
        for place in (one, other)
    ]
    open_pairs = np.flatnonzero(~led)
    # Pairs of like bound together, so that few searches go far.
    open_pairs = open_pairs[np.argsort(most[open_pairs], kind="stable")]
    for begin in range(0, len(open_pairs), _SEARCHES):
        pairs = open_pairs[begin : begin + _SEARCHES]
        for node, leg in (ends[0][:2], ends[0][2:]):
            metres = dijkstra(graph, directed=False, indices=node[pairs], limit=float(most[pairs].max()))
            row = np.arange(len(pairs))
            for goal, last in (ends[1][:2], ends[1][2:]):
                led[pairs] |= leg[pairs] + metres[row, goal[pairs]] + last[pairs] <= most[pairs]
    return led


# --- what is added ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Parts:
    """Stretches to add: lines (part,), ends as nodes, xy (node, 2), and which nodes a stretch left out has.

    ``left_node``, ``left_toward`` : (end of a stretch left out,) its node and the direction along there.
    ``stated`` : whether the length is stated rather than drawn; speeds and classes as in ``Pieces``.
    """

    lines: ObjectArray
    start: LongArray
    end: LongArray
    xy: FloatArray
    touched: BoolArray
    left_node: LongArray
    left_toward: FloatArray
    length_m: FloatArray
    stated: BoolArray
    forward_kmh: FloatArray
    backward_kmh: FloatArray
    highway: ObjectArray


def _added_parts(second: Roads, runs: pd.DataFrame) -> _Parts:
    """Cut the second network into the stretches that are added."""
    edge = runs["edge"].to_numpy()
    kept = runs["kept"].to_numpy(dtype=bool)
    first, last = runs["first"].to_numpy(), runs["last"].to_numpy()
    begins, ends = first == 0, last == 1
    # Ends inside an edge become nodes of their own: the stretch that follows on there shares it.
    inner = len(second.xy) + np.arange(len(runs))
    start = np.where(begins, second.u[edge], inner - 1).astype(np.int64)
    end = np.where(ends, second.v[edge], inner).astype(np.int64)
    cut = shapely.line_interpolate_point(second.lines[edge], last, normalized=True)
    xy = np.vstack([second.xy, shapely.get_coordinates(cut)])
    touched = np.zeros(len(xy), dtype=bool)
    touched[start[~kept]] = touched[end[~kept]] = True
    lines = second.lines[edge].copy()
    for at in np.flatnonzero(kept & ~(begins & ends)):
        lines[at] = ops.substring(second.lines[edge[at]], first[at], last[at], normalized=True)
    left = np.flatnonzero(~kept)
    toward = [
        _direction(second, edge[left], share, within)
        for share, within in ((first[left], 1), (last[left], -1))
    ]
    of = edge[kept]
    drawn = shapely.length(second.lines[of])
    return _Parts(
        lines[kept],
        start[kept],
        end[kept],
        xy,
        touched,
        np.concatenate([start[left], end[left]]),
        np.vstack(toward),
        runs["metres"].to_numpy()[kept],
        np.abs(second.length_m[of] - drawn) > 1e-6 * drawn,
        *_kmh(second, of),
        second.highway[of],
    )


def _direction(roads: Roads, edges: LongArray, share: FloatArray, side: int) -> FloatArray:
    """Return the direction of edges over the next 10 m from a share of their length: (edge, 2)."""
    length = shapely.length(roads.lines[edges])
    step = np.minimum(_STEP_M / np.maximum(length, 1e-9), 1.0)
    here, there = (
        shapely.get_coordinates(
            shapely.line_interpolate_point(roads.lines[edges], np.clip(at, 0.0, 1.0), normalized=True)
        )
        for at in (share, share + side * step)
    )
    return _unit(there - here)


def _unit(toward: FloatArray) -> FloatArray:
    size = np.hypot(*toward.T)[:, None]
    unit: FloatArray = np.divide(toward, size, out=np.zeros_like(toward), where=size > 0)
    return unit


@dataclass(frozen=True)
class _Going:
    """Directions in which stretches that are left out go on from nodes: node (end,), toward (end, 2)."""

    node: LongArray
    toward: FloatArray


def _kmh(roads: Roads, edges: LongArray) -> tuple[FloatArray, FloatArray]:
    """Return the speeds along and against edges, 0 where closed."""
    along, against = (
        np.where(np.isfinite(seconds[edges]), roads.length_m[edges] / seconds[edges] * 3.6, 0.0)
        for seconds in (roads.forward_s, roads.backward_s)
    )
    return along, against


def _nearest_places(
    official: Roads, xy: FloatArray, nodes: LongArray, going: _Going, most_m: float
) -> tuple[LongArray, FloatArray, FloatArray, BoolArray]:
    """Find for nodes the nearest place on an official line along the stretches that are left out there.

    Returns
    -------
    edge, share along it, where (node, 2), and whether a line is near enough.
    """
    shapes, toward, line = _segments(official.lines)
    points = shapely.points(xy[nodes])
    at, segment = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=most_m)
    # One row for each stretch that goes on from the node: its direction decides, the nearest of them counts.
    ends = pd.DataFrame({"node": going.node, "dx": going.toward[:, 0], "dy": going.toward[:, 1]})
    pairs = pd.DataFrame({"at": at, "segment": segment, "node": nodes[at]}).merge(ends, on="node")
    way = toward[pairs["segment"].to_numpy()]
    along = np.abs(pairs["dx"].to_numpy() * way[:, 0] + pairs["dy"].to_numpy() * way[:, 1]) >= _ALONG
    pairs = pairs[along]
    metres = shapely.distance(points[pairs["at"].to_numpy()], shapes[pairs["segment"].to_numpy()])
    # At a junction several edges are equally near: the lowest number, so that a run can be repeated.
    best = pairs.assign(metres=metres, edge=line[pairs["segment"].to_numpy()])
    best = best.sort_values(["at", "metres", "edge"]).drop_duplicates("at")
    edge, found = np.zeros(len(nodes), np.int64), np.zeros(len(nodes), dtype=bool)
    edge[best["at"].to_numpy()], found[best["at"].to_numpy()] = best["edge"].to_numpy(), True
    share = shapely.line_locate_point(official.lines[edge], points, normalized=True)
    length = shapely.length(official.lines[edge])
    share = np.where(share * length <= _AT_JUNCTION_M, 0.0, share)
    share = np.where((1 - share) * length <= _AT_JUNCTION_M, 1.0, share)
    place = shapely.line_interpolate_point(official.lines[edge], share, normalized=True)
    return edge, share, shapely.get_coordinates(place), found


def _cut_official(
    official: Roads, edge: LongArray, share: FloatArray, where: FloatArray
) -> tuple[Pieces, LongArray]:
    """Cut official edges at shares of their length; return the pieces and the node of each cut."""
    node = np.where(share == 0, official.u[edge], official.v[edge]).astype(np.int64)
    inner = (share > 0) & (share < 1)
    cuts = pd.DataFrame({"edge": edge[inner], "share": share[inner]})
    # Ends that meet an edge at one point are one junction.
    cut = cuts.groupby(["edge", "share"], sort=True).ngroup().to_numpy()
    node[inner] = len(official.xy) + cut
    different = cuts.assign(cut=cut).drop_duplicates("cut").sort_values("cut")
    xy = np.empty((len(different), 2))
    xy[cut] = where[inner]
    stops = pd.concat(
        [
            pd.DataFrame({"edge": np.arange(len(official.u)), "share": 0.0, "node": official.u}),
            pd.DataFrame(
                {
                    "edge": different["edge"],
                    "share": different["share"],
                    "node": len(official.xy) + different["cut"],
                }
            ),
            pd.DataFrame({"edge": np.arange(len(official.u)), "share": 1.0, "node": official.v}),
        ]
    ).sort_values(["edge", "share"], kind="stable")
    of, at, nodes = (stops[name].to_numpy() for name in ("edge", "share", "node"))
    follows = of[1:] == of[:-1]
    of, first, last = of[:-1][follows], at[:-1][follows], at[1:][follows]
    start, end = nodes[:-1][follows].astype(np.int64), nodes[1:][follows].astype(np.int64)
    places = np.vstack([official.xy, xy])
    lines = official.lines[of].copy()
    cut_ones = np.flatnonzero((first > 0) | (last < 1))
    for each in cut_ones:
        lines[each] = ops.substring(official.lines[of[each]], first[each], last[each], normalized=True)
    if len(cut_ones):
        lines[cut_ones] = with_ends(lines[cut_ones], places[start[cut_ones]], places[end[cut_ones]])
    length = official.length_m[of] * (last - first)
    pieces = Pieces(lines, start, end, places, length, *_kmh(official, of), official.highway[of])
    return pieces, node


def _together(one: Pieces, other: Pieces) -> Pieces:
    """Return the pieces of both; they share their nodes."""
    names = ("lines", "start", "end", "length_m", "forward_kmh", "backward_kmh", "highway")
    both: dict[str, Any] = {
        name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in names
    }
    return Pieces(xy=other.xy, **both)
