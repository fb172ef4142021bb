"""Keep the roads of a region once, as mapped arrays, and read the part of a district from them.

::

    roads/walk/xy.npy, u.npy, ...       the region: one file for an array, mapped, never read whole
    330424/roads.roadpart               a district: which edges of each, and the keys of their networks

Every worker of a machine maps the same files, so that the system keeps them in memory once, and copies only
the edges of its district. Edges stay in the order of the region: a point that is equally near to two edges
joins the same one in the district and in the region.
"""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyproj
import shapely

from lifecircle.errors import Fault, MissingFileError, UnusableInputError, say, system_errors
from lifecircle.files import written
from lifecircle.roads._network import Roads, RoadsReading, frozen, shapes_in
from lifecircle.roads._profiles import profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lifecircle.roads._network import LongArray
    from lifecircle.roads._profiles import Profile

ROAD_PART: Final = ".roadpart"
"""Ending of the file that names a part of a road store."""

_VERSION: Final = 1
_FACTS: Final = "store.json"
_NUMBERS: Final = ("xy", "u", "v", "length_m", "forward_s", "backward_s")
_ARRAYS: Final = (*_NUMBERS, "highway", "places", "starts")
_LONGEST: Final = 50_000_000  # bytes of a part's description; one of a large district has a hundredth


def write_road_store(roads: Roads, folder: str | Path) -> Path:
    """Write a network as mapped arrays, unless the very same stands there; barriers are left out.

    Parameters
    ----------
    roads : of the whole region
    folder : one for each network

    Returns
    -------
    folder : the same

    Raises
    ------
    UnusableInputError
        When the system refuses to write.
    """
    folder = Path(folder)
    with system_errors(folder):
        if _facts(folder).get("key") == roads.network_key:
            return folder
        folder.mkdir(parents=True, exist_ok=True)
        # The facts go first and come last: arrays without them, or of two networks, are never read.
        (folder / _FACTS).unlink(missing_ok=True)
        names, code = np.unique(roads.highway.astype(str), return_inverse=True)
        sizes = shapely.get_num_coordinates(roads.lines)
        arrays: dict[str, Any] = {name: getattr(roads, name) for name in _NUMBERS}
        arrays["highway"] = code.astype(np.int32)
        arrays["places"] = shapely.get_coordinates(roads.lines)
        arrays["starts"] = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        for name in _ARRAYS:
            with written(folder / f"{name}.npy") as fresh:
                np.save(fresh, np.ascontiguousarray(arrays[name]), allow_pickle=False)
        facts = {
            "schema": _VERSION,
            "key": roads.network_key,
            "profile": roads.profile.id,
            "crs": roads.crs.to_wkt(),
            "classes": names.tolist(),
        }
        with written(folder / _FACTS) as fresh:
            fresh.write_text(json.dumps(facts, ensure_ascii=False, indent=1), "utf-8")
    return folder


def edges_near(roads: Roads, area: Any, buffer_m: float) -> LongArray:
    """Return the numbers of the edges that come within a distance of an area, inclusive, in order: (edge,).

    Parameters
    ----------
    area : as for :meth:`Roads.near`
    buffer_m : metres
    """
    shapes = shapes_in([area] if isinstance(area, shapely.Geometry) else area, roads.crs, "area")
    found = roads.tree.query(shapely.union_all(shapes), predicate="dwithin", distance=buffer_m)
    return np.sort(found).astype(np.int64)


def write_road_part(path: str | Path, parts: Iterable[tuple[Roads, LongArray, Path]]) -> None:
    """Write which edges of stores are the roads of a district.

    Parameters
    ----------
    path : file that ends with :data:`ROAD_PART`
    parts : for each list of ways: the network that a store holds, the numbers of the district's edges,
        ascending, and the folder of the store, which is named relative to the file
    """
    plain = []
    for roads, edges, store in parts:
        part = _taken(roads, edges, lines=roads.lines[edges], highway=roads.highway[edges])
        near = Path(os.path.relpath(store, Path(path).parent)).as_posix()
        plain.append({"store": near, "key": part.network_key, "edges": _spans(edges)})
    with written(path) as fresh:
        fresh.write_text(json.dumps({"schema": _VERSION, "parts": plain}), "utf-8")


def read_road_part(path: str | Path, used: Profile, *, crs: Any = None) -> Roads:
    """Read the roads of a district from the stores of its region.

    Parameters
    ----------
    path : the part
    used : profile whose ways one of the stores is of
    crs : metre CRS that is asked for; the store has its own, and no other is made of it

    Returns
    -------
    roads : equal to the network that :func:`write_road_part` was given, at the profile's speed

    Raises
    ------
    MissingFileError
        There is no such part, or a store is not there.
    UnusableInputError
        Either is damaged, or no store is of this profile's ways, or it is in another CRS.
    """
    path = Path(path)
    modes = []
    for one in _read_parts(path):
        folder = path.parent / one["store"]
        facts = _facts(folder)
        if not facts:
            reason, remedy = say("the roads it is a part of are not there"), say("split the region again")
            raise MissingFileError([Fault(str(path), "store", str(one["store"]), reason, remedy)])
        stored = profile(str(facts["profile"]))
        if stored.ways != used.ways:
            modes.append(stored.id)
            continue
        if crs is not None and pyproj.CRS.from_user_input(crs) != pyproj.CRS.from_wkt(str(facts["crs"])):
            reason = say("the roads were measured in another coordinate system")
            remedy = say("split the region again")
            raise UnusableInputError([Fault(str(path), "crs", str(crs), reason, remedy)])
        try:
            part = _mapped_part(folder, facts, stored, one["edges"])
        except (OSError, ValueError, IndexError, KeyError, TypeError) as error:
            raise UnusableInputError([_damaged(path, str(error))]) from None
        if part.network_key != one["key"]:
            raise UnusableInputError([_damaged(path, say("the roads of the region have changed"))])
        many = len(part.u)
        part = part.with_reading(RoadsReading(rows=many, used=many))
        return part if used == stored else part.with_profile(used)
    reason = say(
        "these roads were read for {stored}, not for {used}", stored=", ".join(modes) or "-", used=used.id
    )
    raise UnusableInputError([Fault(str(path), "profile", used.id, reason, say("split the region again"))])


def _damaged(path: Path, what: str) -> Fault:
    reason = say("the part of the roads cannot be used: {what}", what=what)
    return Fault(str(path), "", "", reason, say("split the region again"))


def _read_parts(path: Path) -> list[dict[str, Any]]:
    """Return the parts that a file names: store, key, edges.

    Raises
    ------
    MissingFileError, UnusableInputError
        It is not there, or names none.
    """
    if not path.is_file():
        remedy = say("check the path, relative to the current folder")
        raise MissingFileError([Fault(str(path), "", "", say("there is no such file"), remedy)])
    if path.stat().st_size > _LONGEST:
        raise UnusableInputError([_damaged(path, say("it is too long"))])
    try:
        plain = json.loads(path.read_bytes())
        parts: list[dict[str, Any]] = [
            {
                "store": str(one["store"]),
                "key": str(one["key"]),
                "edges": [(int(first), int(last)) for first, last in one["edges"]],
            }
            for one in plain["parts"]
        ]
        whole = plain["schema"] == _VERSION and all(_ascending(one["edges"]) for one in parts)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole, parts = False, []
    if not whole:
        raise UnusableInputError([_damaged(path, say("it is no part of a road store"))])
    return parts


def _ascending(spans: Sequence[tuple[int, int]]) -> bool:
    """Return whether spans come one after another, none within another."""
    return all(0 <= first <= last for first, last in spans) and all(
        one[1] < other[0] for one, other in pairwise(spans)
    )


def _facts(folder: Path) -> dict[str, Any]:
    """Return what a store says of itself; empty where there is none, or one of another version."""
    try:
        facts = json.loads((folder / _FACTS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) and facts.get("schema") == _VERSION else {}


def _spans(edges: LongArray) -> list[tuple[int, int]]:
    """Return ascending numbers as spans of the first and the last of neighbours, both inclusive."""
    if not len(edges):
        return []
    breaks = np.flatnonzero(np.diff(edges) != 1)
    firsts, lasts = np.r_[0, breaks + 1], np.r_[breaks, len(edges) - 1]
    return list(zip(edges[firsts].tolist(), edges[lasts].tolist(), strict=True))


def _mapped_part(
    folder: Path, facts: dict[str, Any], stored: Profile, spans: Sequence[tuple[int, int]]
) -> Roads:
    """Return the edges of some spans from a store, copying nothing else."""
    held = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
    if spans and spans[-1][1] >= len(held["starts"]) - 1:
        # before they are written out: a damaged number may stand for billions
        raise IndexError(spans[-1][1])
    edges = np.concatenate([np.arange(first, last + 1) for first, last in spans] or [np.empty(0, np.int64)])
    starts, sizes = held["starts"][edges], held["starts"][edges + 1] - held["starts"][edges]
    within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    places = np.asarray(held["places"][np.repeat(starts, sizes) + within])
    lines = shapely.linestrings(places, indices=np.repeat(np.arange(len(edges)), sizes))
    classes = np.array(facts["classes"], dtype=object)[held["highway"][edges]]
    nothing = np.empty(0, dtype=object)
    whole = Roads(
        crs=pyproj.CRS.from_wkt(facts["crs"]),
        profile=stored,
        lines=nothing,
        highway=nothing,
        **{name: held[name] for name in _NUMBERS},
    )
    return _taken(whole, edges, lines=lines, highway=classes)


def _taken(roads: Roads, edges: LongArray, *, lines: Any, highway: Any) -> Roads:
    """Return the network of some edges, edges and junctions in the order they had."""
    u, v = np.asarray(roads.u[edges]), np.asarray(roads.v[edges])
    kept = np.unique(np.concatenate([u, v]))
    return Roads(
        crs=roads.crs,
        profile=roads.profile,
        xy=frozen(np.asarray(roads.xy[kept])),
        u=frozen(np.searchsorted(kept, u).astype(np.int32)),
        v=frozen(np.searchsorted(kept, v).astype(np.int32)),
        length_m=frozen(np.asarray(roads.length_m[edges])),
        forward_s=frozen(np.asarray(roads.forward_s[edges])),
        backward_s=frozen(np.asarray(roads.backward_s[edges])),
        lines=frozen(lines),
        highway=frozen(highway),
    )
