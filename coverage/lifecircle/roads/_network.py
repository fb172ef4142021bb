"""Define the frozen network: the fields of :class:`Roads` and the facts computed from them.

This module does not read files, does not build networks and does not search.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import scipy.sparse
import shapely
from scipy.sparse.csgraph import connected_components

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.roads._profiles import Profile, Rule, Speed
from lifecircle.roads._profiles import profile as find_profile

if TYPE_CHECKING:
    import pyproj

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
LongArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]

_PART = 1 << 16
"""Lines of which the coordinates are taken at once."""


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view of an array; the caller's own array stays writable."""
    view = array.view()
    view.setflags(write=False)
    return view


def no_geometries() -> ObjectArray:
    """Return an empty array of geometries."""
    return frozen(np.empty(0, dtype=object))


def hilbert_order(xy: FloatArray) -> LongArray:
    """Return the order of points (point, 2) along a Hilbert curve; points of one cell by x, then y."""
    curve = gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1])).hilbert_distance().to_numpy()
    return np.lexsort((xy[:, 1], xy[:, 0], curve)).astype(np.int64)


@dataclass(frozen=True)
class RoadsReading:
    """What was read of a road source, what was not, and why; empty where roads were made in another way.

    Attributes
    ----------
    rows : rows of the table, ways with a class of an OSM file, or edges of a graph.
    used : rows that the profile may use and that are in the network.
    left_out : reason code -> rows that are not.
    joined : places where lines were joined that did not share an end point.
    misses : (lon, lat, metres) of dead ends that miss another line by more than ``join_m`` and up to 5 m.
    suggested_join_m : the ``join_m`` that would join nearly all of them; None where no value stands out.
    crossings : pairs of lines of one level that cross without a junction.
    length_m : length of the network as it was read.
    length_without_class_m : length of its roads of unknown class.
    notes : codes of what else a reader should know, with their arguments (``class_column:fclass``).
    """

    rows: int = 0
    used: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    joined: int = 0
    misses: tuple[tuple[float, float, float], ...] = ()
    suggested_join_m: float | None = None
    crossings: int = 0
    length_m: float = 0.0
    length_without_class_m: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Roads:
    """A road network for one travel profile, measured in metres.

    ::

        u o---------------------o v        lines[e] runs from junction u[e] to junction v[e]
          forward_s[e] -> <- backward_s[e]  inf: not allowed in that direction

    Fragments are kept. Loops and parallel edges are kept. Edges run from junction to junction and keep
    their whole course, so that a point may stand anywhere along them. Every length is positive.

    Attributes
    ----------
    crs : metre CRS of every coordinate.
    profile : travel profile that the ways and the seconds are for.
    xy : (junction, 2), in ``crs``; junctions are numbered along a Hilbert curve, so neighbours are
        near in memory.
    u, v : (edge,) end junctions; edges are ordered by (u, v).
    length_m : (edge,) planar length of the line; where the source had no line, the length it stated.
    forward_s, backward_s : (edge,) seconds u -> v and v -> u at the usual speed, inf where not allowed.
    lines : (edge,) LineStrings; the first point is junction u's, the last is v's.
    highway : (edge,) road class for display, empty where unknown.
    barriers : geometries in ``crs`` that an access leg may not cross.
    reading : what was read of the source; no part of the key.
    """

    crs: pyproj.CRS
    profile: Profile
    xy: FloatArray
    u: IntArray
    v: IntArray
    length_m: FloatArray
    forward_s: FloatArray
    backward_s: FloatArray
    lines: ObjectArray
    highway: ObjectArray
    barriers: ObjectArray = field(default_factory=no_geometries)
    reading: RoadsReading = field(default_factory=RoadsReading)

    def __repr__(self) -> str:
        """Return the profile, the size and the CRS; arrays are not printed."""
        name = ":".join(self.crs.to_authority() or (self.crs.name,))
        return f"Roads({self.profile.id}, {len(self.xy)} junctions, {len(self.u)} edges, {name})"

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Return the spatial index of ``lines``."""
        return shapely.STRtree(self.lines)

    @cached_property
    def components(self) -> IntArray:
        """Return the fragment of each junction, one-way or not; 0 has the longest roads."""
        n = len(self.xy)
        links = scipy.sparse.coo_array((np.ones(len(self.u), np.int8), (self.u, self.v)), shape=(n, n))
        count, label = connected_components(links, directed=False)
        length = np.bincount(label[self.u], weights=self.length_m, minlength=count)
        longest_first = np.argsort(-length, kind="stable")
        rank = np.empty(count, np.int32)
        rank[longest_first] = np.arange(count)
        return frozen(rank[label])

    @cached_property
    def reversed_csr(self) -> tuple[LongArray, IntArray, FloatArray]:
        """Return every allowed direction reversed, as CSR rows: (indptr, indices, seconds).

        Row j lists the junctions i that lead to j, with the seconds i -> j. A search outward from the
        facilities over these rows therefore gives seconds from resident to facility. Parallel edges stay.
        """
        ahead, back = np.isfinite(self.forward_s), np.isfinite(self.backward_s)
        head = np.concatenate([self.v[ahead], self.u[back]])
        tail = np.concatenate([self.u[ahead], self.v[back]])
        seconds = np.concatenate([self.forward_s[ahead], self.backward_s[back]])
        order = np.lexsort((seconds, tail, head))
        indptr = np.zeros(len(self.xy) + 1, np.int64)
        np.cumsum(np.bincount(head, minlength=len(self.xy)), out=indptr[1:])
        return frozen(indptr), frozen(tail[order].astype(np.int32)), frozen(seconds[order])

    @cached_property
    def network_key(self) -> str:
        """Return the SHA-256 of the network without barriers: arrays, lines, CRS, profile, rule version."""
        digest = hashlib.sha256(self.crs.to_wkt().encode())
        digest.update(json.dumps(plain_facts(self.profile), sort_keys=True, ensure_ascii=False).encode())
        for array in (self.xy, self.length_m, self.forward_s, self.backward_s):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        for numbers in (self.u, self.v):
            digest.update(np.ascontiguousarray(numbers, dtype="<i4").tobytes())
        for lines in _parts(self.lines):
            digest.update(_line_wkb(lines))
        digest.update("\0".join(self.highway.tolist()).encode())
        return digest.hexdigest()

    @cached_property
    def key(self) -> str:
        """Return the SHA-256 of everything the network holds: :attr:`network_key` and the barriers."""
        digest = hashlib.sha256(self.network_key.encode())
        for shape in shapely.to_wkb(self.barriers, byte_order=1, output_dimension=2):
            digest.update(shape)
        return digest.hexdigest()

    def at_speed(self, speed_kmh: Speed) -> Roads:
        """Return the same network at another speed; lines, tree and snaps stay good.

        Parameters
        ----------
        speed_kmh : km/h on every way, or km/h by road class.

        Raises
        ------
        UnusableInputError
            A speed that is not a positive number, or a class the profile does not have.
        """
        return self.with_profile(self.profile.at_speed(speed_kmh))

    def with_profile(self, name: str | Profile) -> Roads:
        """Return the same network for another profile (or its id) that may use the same ways.

        Raises
        ------
        UnusableInputError
            The profile's list of ways is another one, so other ways would have to be read.
        """
        # Walkers of any age share their ways: the roads are read once and only the seconds differ.
        profile = find_profile(name)
        if profile.ways != self.profile.ways:
            reason = say(
                "it may use other ways than '{profile}', which these roads were read for",
                profile=self.profile.id,
            )
            remedy = say("read the roads again with mode='{mode}'", mode=profile.id)
            fault = Fault("", "profile", profile.id, reason, remedy)
            raise UnusableInputError([fault])
        # Ways are equal, so who may pass stays; only the seconds are computed again, from the class.
        kmh = np.array([profile.class_speed(name) for name in self.highway], np.float64)
        own = self._stated_kmh()
        factor = self.profile.factor_to(profile)
        if factor is not None:
            # A speed that the source states is no class speed: it changes as all of them do.
            kmh = np.where(np.isfinite(own), own * factor, kmh)
        if np.isnan(kmh).any():
            names = sorted(set(self.highway[np.isnan(kmh)]))
            reason = say(
                "profile '{profile}' has no speed for class '{name}'", profile=profile.id, name=names[0]
            )
            raise UnusableInputError(
                [Fault("", "highway", names[0], reason, say("give one flat speed, or read the roads again"))]
            )
        seconds = self.length_m / (kmh / 3.6)
        changed = replace(
            self,
            profile=profile,
            forward_s=frozen(np.where(np.isfinite(self.forward_s), seconds, np.inf)),
            backward_s=frozen(np.where(np.isfinite(self.backward_s), seconds, np.inf)),
        )
        return _sharing(self, changed, "tree", "components")

    def _stated_kmh(self) -> FloatArray:
        """Return the speed of edges that do not go at that of their class, NaN of the others: (edge,)."""
        stated = np.full(len(self.u), np.nan)
        if self.profile.speed_kmh is not None:
            return stated
        kmh = self.length_m / np.minimum(self.forward_s, self.backward_s) * 3.6
        usual = np.array([self.profile.class_speed(name) for name in self.highway], np.float64)
        differs = ~(np.abs(kmh - usual) <= 1e-6 * usual)
        return np.where(differs & (kmh > 0), kmh, stated)

    def with_reading(self, reading: RoadsReading) -> Roads:
        """Return the same network with this reading report, its lengths filled in."""
        unknown = self.highway == ""
        filled = replace(
            reading,
            length_m=float(self.length_m.sum()),
            length_without_class_m=float(self.length_m[unknown].sum()),
        )
        return _sharing(
            self, replace(self, reading=filled), "tree", "components", "reversed_csr", "network_key", "key"
        )

    def with_barriers(self, geometries: Any) -> Roads:
        """Return the same network with these barriers instead of its own.

        Parameters
        ----------
        geometries : GeoSeries or GeoDataFrame (put into ``crs``), or shapely geometries already in ``crs``.
            Missing and empty ones are left out.

        Raises
        ------
        UnusableInputError
            A GeoSeries or GeoDataFrame without a CRS.
        """
        shapes = shapes_in(geometries, self.crs, "barriers")
        changed = replace(self, barriers=frozen(shapes))
        return _sharing(self, changed, "tree", "components", "reversed_csr", "network_key")

    def sharing(self, other: Roads) -> Roads:
        """Return the same network with the arrays of another one, where those hold the same.

        Profiles often may use the same ways, each read by its own rules. Equal lines are then held once, and
        points are snapped to them once.

        Parameters
        ----------
        other : network read of the same source for another profile
        """
        held = {
            name: getattr(other, name)
            for name in ("xy", "u", "v", "length_m", "highway")
            if np.array_equal(getattr(self, name), getattr(other, name))
        }
        size = shapely.get_num_coordinates
        if len(self.lines) == len(other.lines) and np.array_equal(size(self.lines), size(other.lines)):
            same = all(
                np.array_equal(shapely.get_coordinates(one), shapely.get_coordinates(two))
                for one, two in zip(_parts(self.lines), _parts(other.lines), strict=True)
            )
            held |= {"lines": other.lines} if same else {}
        whole = {"xy", "u", "v", "length_m", "lines"} <= set(held)
        changed = replace(self, **held)
        changed = _sharing(self, changed, "reversed_csr", "network_key", "key")
        return _sharing(other, changed, "tree", "components") if whole else self

    def near(self, area: Any, buffer_m: float = 0.0) -> Roads:
        """Return the edges that come within a distance of an area; whole edges, never cut ones.

        Parameters
        ----------
        area : GeoSeries or GeoDataFrame (put into ``crs``), or a shapely geometry already in ``crs``.
        buffer_m : distance in metres, inclusive. Take at least limit x speed, so that nobody near the
            border of the area loses a way.

        Raises
        ------
        UnusableInputError
            No road is that near, or the area has no CRS.
        """
        shapes = shapes_in([area] if isinstance(area, shapely.Geometry) else area, self.crs, "area")
        found = self.tree.query(shapely.union_all(shapes), predicate="dwithin", distance=buffer_m)
        if not len(found):
            reason = say("no road comes within {metres:g} m of the area", metres=buffer_m)
            raise UnusableInputError(
                [Fault("", "area", "", reason, say("check the CRS of the area, or widen the buffer"))]
            )
        return self._taking(np.sort(found))

    def only(self, wanted: npt.NDArray[np.bool_]) -> Roads:
        """Return the network of the wanted edges (edge,), and the junctions they touch."""
        return self._taking(np.flatnonzero(wanted))

    def _taking(self, edges: LongArray) -> Roads:
        """Return the network of some edges, junctions numbered as if there had been no others."""
        kept = np.unique(np.concatenate([self.u[edges], self.v[edges]]))
        # Numbered again, as a reading of these roads alone would: equal networks then have equal keys.
        order = hilbert_order(self.xy[kept])
        number = np.full(len(self.xy), -1, np.int32)
        number[kept[order]] = np.arange(len(kept), dtype=np.int32)
        edges = edges[np.lexsort((number[self.v[edges]], number[self.u[edges]]))]
        return replace(
            self,
            xy=frozen(self.xy[kept[order]]),
            u=frozen(number[self.u[edges]]),
            v=frozen(number[self.v[edges]]),
            length_m=frozen(self.length_m[edges]),
            forward_s=frozen(self.forward_s[edges]),
            backward_s=frozen(self.backward_s[edges]),
            lines=frozen(self.lines[edges]),
            highway=frozen(self.highway[edges]),
        )


def _parts(lines: ObjectArray) -> Iterator[ObjectArray]:
    for begin in range(0, len(lines), _PART):
        yield lines[begin : begin + _PART]


def _line_wkb(lines: ObjectArray) -> bytes:
    """Return the well-known binary of lines one after another: little-endian, two dimensions.

    The same bytes as :func:`shapely.to_wkb` gives, without an object for each line.
    """
    if (shapely.get_type_id(lines) != shapely.GeometryType.LINESTRING).any():
        return b"".join(shapely.to_wkb(lines, byte_order=1, output_dimension=2).tolist())
    count = shapely.get_num_coordinates(lines)
    head = np.zeros(len(lines), np.dtype([("order", "u1"), ("kind", "<u4"), ("count", "<u4")]))
    head["order"], head["kind"], head["count"] = 1, 2, count
    size = head.itemsize + 16 * count.astype(np.int64)
    begin = np.cumsum(size) - size
    held = np.empty(int(size.sum()), np.uint8)
    at = (begin[:, None] + np.arange(head.itemsize)).ravel()
    body = np.ones(len(held), dtype=bool)
    body[at] = False
    held[at] = head.view(np.uint8)
    held[body] = np.ascontiguousarray(shapely.get_coordinates(lines), dtype="<f8").view(np.uint8).ravel()
    return held.tobytes()


def _sharing(old: Roads, new: Roads, *facts: str) -> Roads:
    """Copy cached facts that the change leaves true from the old network to the new one."""
    for name in facts:
        if name in old.__dict__:
            new.__dict__[name] = old.__dict__[name]
    return new


def shapes_in(geometries: Any, crs: pyproj.CRS, what: str) -> ObjectArray:
    """Return the geometries that are not missing as an array in a CRS; plain shapely ones are in it already.

    Raises
    ------
    UnusableInputError
        A GeoSeries or GeoDataFrame without a CRS.
    """
    if not isinstance(geometries, (gpd.GeoDataFrame, gpd.GeoSeries)):
        return _present(np.array(list(geometries), dtype=object))
    if geometries.crs is None:
        remedy = say("set it with .set_crs(...), or store the file with its CRS")
        raise UnusableInputError([Fault("", what, "", say("the geometries have no CRS"), remedy)])
    return _present(geometries.to_crs(crs).geometry.to_numpy())


def _present(shapes: ObjectArray) -> ObjectArray:
    there: ObjectArray = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    return there


def plain_facts(value: Any) -> Any:
    """Return a profile as plain, ordered data that json can write."""
    if isinstance(value, (Profile, Rule)):
        # Fields that came later and are empty are left out, so that the keys of older networks stay.
        held = [item.name for item in fields(value) if item.default is MISSING or getattr(value, item.name)]
        return {name: plain_facts(getattr(value, name)) for name in held}
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    if isinstance(value, (tuple, list)):
        return [plain_facts(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): plain_facts(item) for name, item in value.items()}
    return value
