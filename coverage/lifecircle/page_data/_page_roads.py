"""The roads as the page searches them: whole numbers, simplified lines, a flat projection; no search.

Times are whole hundredths of a second, positions whole tenths of a metre from an origin in the roads' own
metre CRS. The page turns a longitude and latitude into that CRS by a polynomial fitted over the roads, whose
largest error is measured and stands in the header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.datum import way_between
from lifecircle.reach import FACILITY_CAP_M, LEG_SHARE, TRIED_EDGES

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.page_data._packed_columns import Columns, SectionWriter
    from lifecircle.reach import Snap
    from lifecircle.roads import Profile, Roads

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

PER_SECOND = 100
"""Parts of a second in which the page searches."""
CLOSED = -1
"""Time of a direction that is not allowed."""

_UNIT_M = 0.1
_TOLERANCES_M = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0)  # the first with few enough vertices is taken
_VERTICES_PER_EDGE = 2.0  # between the ends; more make the page larger than its budget
_BARRIER_VERTICES = 20_000
_RANKS = {"motorway": 3, "trunk": 3, "primary": 3, "secondary": 2, "tertiary": 1}
_FIT_ERROR_M = 0.005
_MAX_DEGREE = 8


@dataclass(frozen=True, eq=False)
class Network:
    """The roads in whole numbers.

    ``x``, ``y`` : (junction,) and ``px``, ``py`` : (vertex,) of the lines between their ends, edge by edge,
    ``points`` : (edge,) how many each has; all in ``unit_m`` from ``origin``. ``u``, ``v`` : (edge,) end
    junctions. ``forward``, ``backward`` : (edge,) hundredths of a second, :data:`CLOSED` where not allowed.
    ``rate`` : hundredths of a second a metre, on roads and legs. ``barriers`` : (vertex,) ``bx``, ``by``,
    ``barrier_sizes`` vertices each, ``barrier_areas`` 1 where the ring bounds an area. ``rank`` : (edge,) how
    far off a map still draws the road, by its class: 3 the greatest, 0 the least and those of unknown class.
    """

    origin: tuple[float, float]
    tolerance_m: float
    rate: float
    x: Ints
    y: Ints
    u: Ints
    v: Ints
    forward: Ints
    backward: Ints
    points: Ints
    px: Ints
    py: Ints
    bx: Ints
    by: Ints
    barrier_sizes: Ints
    barrier_areas: Ints
    rank: Ints
    to_metres: dict[str, Any]
    to_degrees: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Places:
    """Where points join a network: ``edge`` (-1: none), ``along`` it and ``leg``, in hundredths of a second.

    ``along`` is measured from the edge's first junction, at the time of its forward direction, or of its
    backward one where forward is closed.
    """

    edge: Ints
    along: Ints
    leg: Ints


def searchable(profile: Profile) -> bool:
    """Return whether the page can search for a profile: one flat speed, on the roads as on the legs."""
    return profile.speed_kmh is not None and profile.speed_kmh == profile.access_kmh


def network_of(roads: Roads) -> Network:
    """Put roads in whole numbers, their lines simplified; all closed where the page cannot search them."""
    usable = searchable(roads.profile)
    shut = np.full(len(roads.u), CLOSED, dtype=np.int64)
    lines, tolerance = _simplified(roads.lines)
    low = np.floor(np.min(roads.xy, axis=0)) if len(roads.xy) else np.zeros(2)
    counts = shapely.get_num_coordinates(lines)
    inner = np.ones(int(counts.sum()), dtype=bool)
    ends = np.cumsum(counts)
    inner[ends - 1] = inner[ends - counts] = False
    points = _whole((shapely.get_coordinates(lines) - low) / _UNIT_M)[inner]
    junctions = _whole((roads.xy - low) / _UNIT_M)
    barriers = _barriers(roads)
    vertices = _whole((shapely.get_coordinates(barriers) - low) / _UNIT_M)
    to_metres, to_degrees = _projection(roads, low)
    return Network(
        origin=(float(low[0]), float(low[1])),
        tolerance_m=tolerance,
        rate=PER_SECOND / roads.profile.access_ms,
        x=junctions[:, 0],
        y=junctions[:, 1],
        u=roads.u.astype(np.int64),
        v=roads.v.astype(np.int64),
        forward=_hundredths(roads.forward_s) if usable else shut,
        backward=_hundredths(roads.backward_s) if usable else shut,
        points=(counts - 2).astype(np.int64),
        px=points[:, 0],
        py=points[:, 1],
        bx=vertices[:, 0],
        by=vertices[:, 1],
        barrier_sizes=shapely.get_num_coordinates(barriers).astype(np.int64),
        barrier_areas=(shapely.get_type_id(barriers) == shapely.GeometryType.LINEARRING).astype(np.int64),
        rank=np.array([_RANKS.get(name.removesuffix("_link"), 0) for name in roads.highway], dtype=np.int64),
        to_metres=to_metres,
        to_degrees=to_degrees,
    )


def places_of(network: Network, roads: Roads, snapped: Snap) -> Places:
    """Put a snap in whole numbers: a place that is no junction of a one-way edge does not become one."""
    edge = snapped.edge
    on = edge >= 0
    whole = base_of(network)[np.where(on, edge, 0)] if len(network.u) else np.zeros(len(edge), dtype=np.int64)
    along = _whole(snapped.share * whole)
    oneway = (np.minimum(network.forward, network.backward) == CLOSED)[edge] if on.any() else on
    inside = oneway & (snapped.share > 0) & (snapped.share < 1) & (whole >= 2)
    along = np.where(inside, np.clip(along, 1, np.maximum(whole - 1, 1)), along)
    leg = _whole(np.nan_to_num(snapped.leg_m) / roads.profile.access_ms * PER_SECOND)
    return Places(edge, np.where(on, along, 0), np.where(on, leg, 0))


def base_of(network: Network) -> Ints:
    """Return the time along an edge that places are measured in: backward where forward is closed."""
    return np.maximum(np.where(network.forward >= 0, network.forward, network.backward), 0)


def _whole(numbers: Floats) -> Ints:
    whole: Ints = np.floor(numbers + 0.5).astype(np.int64)
    return whole


def _hundredths(seconds: Floats) -> Ints:
    open_ = np.isfinite(seconds)
    return np.where(open_, _whole(np.where(open_, seconds, 0.0) * PER_SECOND), CLOSED)


def _simplified(lines: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.object_], float]:
    """Leave out vertices that move a line by little, a line that begins and ends at one place as it is."""
    loops = shapely.is_closed(lines)
    for tolerance in _TOLERANCES_M:
        fewer = shapely.simplify(lines, tolerance, preserve_topology=False)
        fewer[loops] = shapely.simplify(lines[loops], tolerance, preserve_topology=True)
        if (shapely.get_num_coordinates(fewer) - 2).sum() <= _VERTICES_PER_EDGE * len(lines):
            break
    return np.asarray(fewer, dtype=object), tolerance


def _barriers(roads: Roads) -> npt.NDArray[np.object_]:
    """Return the barriers as lines and closed rings, simplified."""
    parts = shapely.get_parts(shapely.get_parts(roads.barriers))
    areas = shapely.get_dimensions(parts) == 2
    rings = shapely.get_rings(parts[areas])
    lines = parts[shapely.get_dimensions(parts) == 1]
    every = np.concatenate([lines, rings])
    for tolerance in _TOLERANCES_M:
        fewer = shapely.simplify(every, tolerance, preserve_topology=True)
        if shapely.get_num_coordinates(fewer).sum() <= _BARRIER_VERTICES:
            break
    return np.asarray(fewer, dtype=object)


# ---------------------------------------------------------------------------------------------------------
# The flat projection


def _projection(roads: Roads, low: Floats) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fit polynomials from degrees to metres from the origin and back, over the roads and 2 km around."""
    back = way_between(roads.crs, "EPSG:4326")
    there = way_between("EPSG:4326", roads.crs)
    xy = roads.xy if len(roads.xy) else np.zeros((1, 2))
    (left, bottom), (right, top) = xy.min(axis=0) - 2000.0, xy.max(axis=0) + 2000.0
    side = np.linspace(0.0, 1.0, 21)
    edge_x = np.concatenate([left + (right - left) * side] * 2 + [np.full(21, left), np.full(21, right)])
    edge_y = np.concatenate([np.full(21, bottom), np.full(21, top)] + [bottom + (top - bottom) * side] * 2)
    lon, lat = back.transform(edge_x, edge_y)

    def metres(at: Floats) -> Floats:
        """Turn degrees into metres from the origin."""
        return np.column_stack(there.transform(at[:, 0], at[:, 1])) - low

    def degrees(at: Floats) -> Floats:
        """Turn metres from the origin into degrees."""
        return np.column_stack(back.transform(at[:, 0] + low[0], at[:, 1] + low[1]))

    per_degree = np.array([111_320.0 * np.cos(np.radians(np.mean(lat))), 111_320.0])
    return (
        _fitted(metres, (min(lon), min(lat)), (max(lon), max(lat)), np.ones(2)),
        _fitted(degrees, (left - low[0], bottom - low[1]), (right - low[0], top - low[1]), per_degree),
    )


def _fitted(
    function: Any, first: tuple[float, float], last: tuple[float, float], metres: Floats
) -> dict[str, Any]:
    """Fit the polynomial of least degree that is good enough; its error is measured on another grid.

    Its terms are rounded to a hundredth of a millimetre, as solvers of different machines differ further on.
    """
    digits = 5 + round(float(np.log10(metres.max())))
    low, high = np.asarray(first), np.asarray(last)
    middle, half = np.round((low + high) / 2, 6), np.round(np.maximum((high - low) / 2, 1e-6), 6)
    nodes = np.cos(np.pi * (np.arange(25) + 0.5) / 25)
    known, tested = _grid(nodes), _grid(np.linspace(-1.0, 1.0, 33))
    wanted, expected = function(known * half + middle), function(tested * half + middle)
    for degree in range(1, _MAX_DEGREE + 1):
        powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
        terms = np.round(np.linalg.lstsq(_monomials(known, powers), wanted, rcond=None)[0], digits)
        error = float(np.max(np.hypot(*((_monomials(tested, powers) @ terms - expected) * metres).T)))
        if error <= _FIT_ERROR_M:
            break
    return {
        "middle": middle.tolist(),
        "half": half.tolist(),
        "powers": powers,
        "terms": terms.T.tolist(),
        "error_m": float(f"{error:.2g}"),
    }


def _grid(nodes: Floats) -> Floats:
    a, b = np.meshgrid(nodes, nodes)
    return np.column_stack([a.ravel(), b.ravel()])


def _monomials(at: Floats, powers: list[tuple[int, int]]) -> Floats:
    return np.column_stack([at[:, 0] ** i * at[:, 1] ** j for i, j in powers])


def projected(polynomial: dict[str, Any], at: npt.ArrayLike) -> Floats:
    """Put places (place, 2) through a polynomial of the header."""
    scaled = (np.asarray(at, dtype=float) - polynomial["middle"]) / polynomial["half"]
    powers = [(int(i), int(j)) for i, j in polynomial["powers"]]
    terms: Floats = np.array(polynomial["terms"], dtype=float)
    return np.asarray(_monomials(scaled, powers) @ terms.T)


# ---------------------------------------------------------------------------------------------------------
# In and out of the container

_COLUMNS = ("points", "bx", "by", "barrier_sizes", "barrier_areas", "rank")


def keep_network(network: Network, profile: Profile, writer: SectionWriter) -> dict[str, Any]:
    """Put a network in the container; returns what its header says of it.

    Edges stand by their first junction: how many each junction has, then how much higher each end's number
    is. Lines stand as steps from vertex to vertex, times as what they differ from the length of the line.
    """
    degree = np.bincount(network.u, minlength=len(network.x))
    step_x, step_y = _steps(network)
    base = _expected(network)
    forward = np.where(network.forward == CLOSED, 0, network.forward - base)
    backward = np.where(network.backward == CLOSED, 0, network.backward - base)
    closed = (network.forward == CLOSED) + 2 * (network.backward == CLOSED)
    columns = {
        "x": network.x,
        "y": network.y,
        "degree": degree,
        "to": network.v - network.u,
        "step_x": step_x,
        "step_y": step_y,
        "forward": forward,
        "closed": closed,
        **{name: getattr(network, name) for name in _COLUMNS},
    }
    kept = {name: writer.keep(f"roads/{name}", column) for name, column in columns.items()}
    kept["backward"] = writer.keep("roads/backward", backward, since=kept["forward"])
    return {
        "junctions": len(network.x),
        "edges": len(network.u),
        "columns": kept,
        "origin": list(network.origin),
        "unitMetres": _UNIT_M,
        "toleranceMetres": network.tolerance_m,
        "profile": profile.id if searchable(profile) else None,
        "speedKmh": profile.speed_kmh,
        "rate": network.rate,
        "perSecond": PER_SECOND,
        "capMetres": FACILITY_CAP_M,
        "legShare": LEG_SHARE,
        "triedEdges": TRIED_EDGES,
        "toMetres": network.to_metres,
        "toDegrees": network.to_degrees,
    }


def read_network(stored: dict[str, Any], columns: Columns) -> Network:
    """Read a network back from the container."""
    own = {name: columns[place].astype(np.int64) for name, place in stored["columns"].items()}
    own.setdefault("rank", np.zeros(stored["edges"], dtype=np.int64))  # pages made before roads had ranks
    u = np.repeat(np.arange(stored["junctions"]), own["degree"])
    v = u + own["to"]
    x, y = own["x"], own["y"]
    bare = Network(
        origin=tuple(stored["origin"]),
        tolerance_m=stored["toleranceMetres"],
        rate=stored["rate"],
        x=x,
        y=y,
        u=u,
        v=v,
        forward=u,
        backward=u,
        px=_walked(x[u], own["step_x"], own["points"]),
        py=_walked(y[u], own["step_y"], own["points"]),
        to_metres=stored["toMetres"],
        to_degrees=stored["toDegrees"],
        **{name: own[name] for name in _COLUMNS},
    )
    base = _expected(bare)
    closed = own["closed"]
    return Network(
        **{
            **vars(bare),
            "forward": np.where(closed & 1, CLOSED, base + own["forward"]),
            "backward": np.where(closed & 2, CLOSED, base + own["backward"]),
        }
    )


def line_vertices(network: Network) -> tuple[Ints, Ints, Ints]:
    """Return every vertex of every line, ends included: x, y, and how many each edge has."""
    sizes = network.points + 2
    ends = np.cumsum(sizes)
    first, last = ends - sizes, ends - 1
    inner = np.ones(int(sizes.sum()), dtype=bool)
    inner[first] = inner[last] = False
    out = []
    for inside, at in ((network.px, network.x), (network.py, network.y)):
        column = np.empty(len(inner), dtype=np.int64)
        column[inner], column[first], column[last] = inside, at[network.u], at[network.v]
        out.append(column)
    return out[0], out[1], sizes


def _expected(network: Network) -> Ints:
    """Time each edge by the length of its simplified line, added up in whole centimetres: (edge,)."""
    x, y, sizes = line_vertices(network)
    dx, dy = np.diff(x, append=0).astype(float), np.diff(y, append=0).astype(float)
    parts = np.floor(np.sqrt(dx * dx + dy * dy) * (100 * _UNIT_M) + 0.5).astype(np.int64)
    total = np.concatenate([[0], np.cumsum(parts)])
    ends = np.cumsum(sizes)
    length = total[ends - 1] - total[ends - sizes]
    return _whole(length * (network.rate / 100))


def _steps(network: Network) -> tuple[Ints, Ints]:
    """Return the step to each vertex between the ends from the one before it: (vertex,) twice."""
    first = np.cumsum(network.points) - network.points
    starting = network.points > 0
    out = []
    for inside, at in ((network.px, network.x), (network.py, network.y)):
        step = np.diff(inside, prepend=0)
        step[first[starting]] = inside[first[starting]] - at[network.u[starting]]
        out.append(step)
    return out[0], out[1]


def _walked(start: Ints, step: Ints, points: Ints) -> Ints:
    """Undo :func:`_steps` for one coordinate."""
    total = np.cumsum(step)
    first = np.cumsum(points) - points
    before = np.where(first > 0, total[np.maximum(first, 1) - 1], 0) if len(total) else np.zeros_like(first)
    return total + np.repeat(start - before, points)
