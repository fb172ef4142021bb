"""Repair OpenStreetMap files that people edited by hand: the order and the numbers that osmium needs.

An editor such as JOSM writes new objects with negative numbers, leaves deleted ones in, and puts nodes behind
the ways that use them. Such a file is written again to a temporary folder; any other file is used
as it is. This module does not know roads.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from lifecircle.errors import Fault, UnusableInputError, machine_fault, say
from lifecircle.files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

_NUMBER: Final = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d{1,3})?")
_WHOLE: Final = re.compile(r"-?\d{1,18}")
_COUNT: Final = re.compile(r"\d{1,9}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ORDER: Final = {"node": 0, "way": 1, "relation": 2}
_SHOWN = 10
_DEGREES: Final = {"lat": 90.0, "lon": 180.0}

Member = tuple[str, int, str]


@dataclass(frozen=True)
class UsableOsm:
    """A file that osmium reads whole. ``deleted`` : objects that the file marks as deleted."""

    path: str
    deleted: int = 0


@dataclass
class _Things:
    """What a file holds, by kind and number; the last of several versions counts."""

    nodes: dict[int, tuple[float, float]] = field(default_factory=dict)
    ways: dict[int, tuple[list[int], dict[str, str]]] = field(default_factory=dict)
    relations: dict[int, tuple[list[Member], dict[str, str]]] = field(default_factory=dict)


@contextmanager
def usable_osm(path: str) -> Iterator[UsableOsm]:
    """Yield a file that osmium reads whole: the one given, or a tidy copy of it while the block lasts.

    Raises
    ------
    UnusableInputError
        XML that is broken, or an attribute (``lat``, ``lon``, ``id``, ``version``) that is none.
    """
    untidy, read = _look(path)
    if not untidy:
        yield UsableOsm(path)
        return
    things, deleted = read()
    with scratch_folder() as folder:
        copy = str(folder / "tidy.osm.pbf")
        with _read_errors(path):  # what may be read may still not be written: a key of 5,000 letters
            _write(things, copy)
        yield UsableOsm(copy, deleted)


def _look(path: str) -> tuple[bool, Callable[[], tuple[_Things, int]]]:
    """Return whether a file is untidy, and the function that reads all it holds."""
    if path.lower().endswith(".pbf"):
        return _untidy_pbf(path), lambda: _read_pbf(path)
    scan = _Scan(path)
    scan.run()
    return scan.untidy, lambda: _read_xml(path)


# --------------------------------------------------------------------------------------------------------
# XML


class _Scan:
    """One pass over an OSM file in XML, that checks every attribute osmium needs."""

    def __init__(self, path: str, things: _Things | None = None) -> None:
        self.path = path
        self.things = things
        self.untidy = False
        self.deleted = 0
        self.faults: list[Fault] = []
        self._last = -1
        self._seen: set[tuple[str, int]] = set()
        self._number: int | None = None
        self._skipped = False
        self._tags: dict[str, str] = {}
        self._refs: list[int] = []
        self._members: list[Member] = []
        self._depth = 0
        self._parser = expat.ParserCreate()

    def run(self) -> None:
        """Read the file.

        Raises
        ------
        UnusableInputError
            With the faults found, ten at most.
        """
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._entity
        try:
            with _opened(self.path) as file:
                self._parser.ParseFile(file)
        except _Stop:
            pass
        except (expat.ExpatError, OSError, EOFError, zlib.error, ValueError, LookupError) as error:
            self.faults.append(unreadable_osm(self.path, error))
        if self.faults:
            raise UnusableInputError(self.faults)

    def _start(self, name: str, found: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name != "osm":
            reason = say("this is no OSM file: it begins with <{name}>", name=name[:40])
            self._stop(Fault(self.path, self._line, "", reason, say("export the map data as an .osm file")))
        if name in _ORDER:
            self._begin(name, found)
        elif self._number is None:
            return
        elif name == "nd":
            ref = self._whole(found, "ref")
            self.untidy |= ref < 0
            self._refs.append(ref)
        elif name == "tag":
            self._tags[found.get("k", "")] = found.get("v", "")
        elif name == "member":
            ref = self._whole(found, "ref")
            self.untidy |= ref < 0
            self._members.append((found.get("type", ""), ref, found.get("role", "")))

    def _begin(self, kind: str, found: Mapping[str, str]) -> None:
        self._number = self._whole(found, "id")
        self._tags, self._refs, self._members = {}, [], []
        self._skipped = found.get("action") == "delete" or found.get("visible", "true").lower() in {
            "false",
            "no",
        }
        self.deleted += self._skipped
        # osmium needs nodes before ways and ways before relations; editors write them in the order of the
        # edits.
        rank, before = _ORDER[kind], self._last
        self._last = max(rank, before)
        if kind != "node":
            self.untidy |= (kind, self._number) in self._seen
            self._seen.add((kind, self._number))
        self.untidy |= self._skipped or self._number < 0 or rank < before or self._odd(found)
        if not _COUNT.fullmatch(found.get("version", "1")) and found.get("version") != "-1":
            remedy = say("write a whole number, or leave the attribute out")
            self._fault("version", found, say("a version is a whole number from 0 on"), remedy)
        if kind == "node" and not self._skipped:
            place = self._place(found)
            if place is not None and self.things is not None:
                self.things.nodes[self._number] = place

    @staticmethod
    def _odd(found: Mapping[str, str]) -> bool:
        """Return whether attributes that are not needed would stop osmium."""
        counts = all(_COUNT.fullmatch(found.get(key, "1")) for key in ("uid", "version"))
        whole = _WHOLE.fullmatch(found.get("changeset", "1")) and not found.get("changeset", "1").startswith(
            "-"
        )
        time = "timestamp" not in found or _TIME.fullmatch(found["timestamp"])
        visible = found.get("visible", "true") in {"true", "false"}
        return not (counts and whole and time and visible)

    def _place(self, found: Mapping[str, str]) -> tuple[float, float] | None:
        if "lat" not in found and "lon" not in found:
            return None
        degrees = {}
        for key, most in _DEGREES.items():
            text = found.get(key, "").strip()
            number = float(text) if _NUMBER.fullmatch(text) else float("nan")
            if not abs(number) <= most:
                reason = say("{key} is a number from -{most} to {most}", key=key, most=f"{most:g}")
                self._fault(key, found, reason, say("mend the node, or delete it"))
                number = 0.0
            degrees[key] = number
            self.untidy |= text != found.get(key)
        return degrees["lon"], degrees["lat"]

    def _whole(self, found: Mapping[str, str], key: str) -> int:
        if _WHOLE.fullmatch(found.get(key, "")):
            return int(found[key])
        self._fault(key, found, say("{key} is a whole number", key=key), say("export the file again"))
        return 0

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name not in _ORDER or self._number is None:
            return
        number, self._number = self._number, None
        if self.things is None or name == "node":
            return
        kept: dict[int, Any] = self.things.ways if name == "way" else self.things.relations
        kept.pop(number, None)
        if not self._skipped:
            kept[number] = (self._refs if name == "way" else self._members, self._tags)

    def _entity(self, *_: object) -> None:
        reason = say("the file defines XML entities, which map data has no need of")
        self._stop(Fault(self.path, self._line, "", reason, say("export the map data as an .osm file")))

    @property
    def _line(self) -> str:
        return f"line {self._parser.CurrentLineNumber}"

    def _fault(self, key: str, found: Mapping[str, str], reason: str, remedy: str) -> None:
        value = " ".join(found.get(key, "").split())[:60]
        self.faults.append(Fault(self.path, f"{self._line}, attribute {key!r}", value, reason, remedy))
        if len(self.faults) >= _SHOWN:
            raise _Stop

    def _stop(self, fault: Fault) -> None:
        self.faults.append(fault)
        raise _Stop


class _Stop(Exception):  # noqa: N818 - no error: it ends the reading of a file whose faults are known
    """Enough faults are known."""


def _opened(path: str) -> AbstractContextManager[Any]:
    lower = path.lower()
    if lower.endswith(".gz"):
        return gzip.open(path, "rb")
    if lower.endswith(".bz2"):
        return bz2.open(path, "rb")
    return Path(path).open("rb")


def _read_xml(path: str) -> tuple[_Things, int]:
    things = _Things()
    scan = _Scan(path, things)
    scan.run()
    return things, scan.deleted


# --------------------------------------------------------------------------------------------------------
# PBF


def _untidy_pbf(path: str) -> bool:
    """Return whether a pbf file is out of order, or holds new or deleted objects."""
    import osmium  # noqa: PLC0415 - only needed for OSM files

    with _read_errors(path):
        with osmium.io.Reader(path, osmium.osm.NOTHING) as reader:
            # A file that states its order in the header does not have to be read twice.
            if reader.header().get("sorting") == "Type_then_ID":
                return False
        last = 0
        thing: Any
        for thing in osmium.FileProcessor(path):
            rank = 0 if thing.is_node() else 1 if thing.is_way() else 2
            if rank < last or thing.id < 0 or not thing.visible:
                return True
            last = rank
        return False


def _read_pbf(path: str) -> tuple[_Things, int]:
    import osmium  # noqa: PLC0415 - only needed for OSM files

    things, deleted = _Things(), 0
    kinds = {"n": "node", "w": "way", "r": "relation"}
    thing: Any
    with _read_errors(path):
        for thing in osmium.FileProcessor(path):
            kept: dict[int, Any] = (
                things.nodes if thing.is_node() else things.ways if thing.is_way() else things.relations
            )
            # The last version of an object counts: an earlier one must not stay where the last one is
            # deleted.
            kept.pop(thing.id, None)
            if not thing.visible:
                deleted += 1
            elif isinstance(thing, osmium.osm.Node):
                if thing.location.valid():
                    things.nodes[thing.id] = (thing.location.lon, thing.location.lat)
            elif isinstance(thing, osmium.osm.Way):
                things.ways[thing.id] = ([node.ref for node in thing.nodes], dict(thing.tags))
            elif isinstance(thing, osmium.osm.Relation):
                members = [(kinds.get(each.type, ""), each.ref, each.role) for each in thing.members]
                things.relations[thing.id] = (members, dict(thing.tags))
    return things, deleted


@contextmanager
def _read_errors(path: str) -> Iterator[None]:
    """Raise what osmium raises at a broken file as a message for the reader.

    Raises
    ------
    UnusableInputError
        The file cannot be read.
    """
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        raise UnusableInputError([unreadable_osm(path, error)]) from error


def unreadable_osm(path: str, error: Exception) -> Fault:
    """Return the fault of a file at which a reader stops, or of the machine that failed in the reading."""
    machine = machine_fault(error, path)
    if machine is not None:
        return machine
    found = " ".join(str(error).split())[:200] or type(error).__name__
    return Fault(path, "", found, say("this is not a readable OSM file"), say("download or export it again"))


# --------------------------------------------------------------------------------------------------------
# The tidy copy


def _write(things: _Things, path: str) -> None:
    """Write nodes, ways and relations in the order of their numbers; new ones get free numbers."""
    import osmium  # noqa: PLC0415 - only needed for OSM files
    from osmium.osm import mutable  # noqa: PLC0415 - only needed for OSM files

    used = {ref for refs, _ in things.ways.values() for ref in refs}
    nodes = _numbers({*things.nodes, *used})
    ways = _numbers({*things.ways, *_members_of(things, "way")})
    relations = _numbers({*things.relations, *_members_of(things, "relation")})
    number = {"node": nodes, "way": ways, "relation": relations}
    letter = {"node": "n", "way": "w", "relation": "r"}
    with osmium.SimpleWriter(path) as writer:
        for node in sorted(things.nodes, key=nodes.__getitem__):
            writer.add_node(mutable.Node(id=nodes[node], location=things.nodes[node]))
        for way in sorted(things.ways, key=ways.__getitem__):
            refs, tags = things.ways[way]
            writer.add_way(mutable.Way(id=ways[way], nodes=[nodes[ref] for ref in refs], tags=tags))
        for relation in sorted(things.relations, key=relations.__getitem__):
            members, tags = things.relations[relation]
            kept = [
                (letter[kind], number[kind].get(ref, ref), role)
                for kind, ref, role in members
                if kind in letter and (ref >= 0 or ref in number[kind])
            ]
            writer.add_relation(mutable.Relation(id=relations[relation], members=kept, tags=tags))


def _members_of(things: _Things, kind: str) -> set[int]:
    return {ref for members, _ in things.relations.values() for named, ref, _ in members if named == kind}


def _numbers(found: set[int]) -> dict[int, int]:
    """Return the number of each object: its own from 1 on; new objects follow the highest."""
    most = max(found, default=0)
    new = sorted((number for number in found if number < 1), reverse=True)
    kept = {number: number for number in found if number > 0}
    return kept | {number: max(most, 0) + rank for rank, number in enumerate(new, start=1)}
