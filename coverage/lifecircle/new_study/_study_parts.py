"""Choose which table becomes which part of a study, and try to read each part as it is written.

A part that cannot be read as guessed is written as a comment, so that the rest of the study can be used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from lifecircle.candidates import read_candidates
from lifecircle.demand import read_demand, read_districts, read_villages
from lifecircle.errors import Fault, LifecircleError, UnusableInputError, say
from lifecircle.facilities import classified, looks_like, read_facilities
from lifecircle.indicators import read_indicators
from lifecircle.new_study._part_settings import PartSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from lifecircle.new_study._role import Role
    from lifecircle.new_study._shown_table import ShownTable
    from lifecircle.standards import Standard

ONE_ONLY: Final = ("roads", "demand", "districts", "villages", "barriers", "candidates", "labels", "outlets")
"""Roles of which a study has one table."""

_YEAR: Final = re.compile(r"(?<!\d)(19[5-9]\d|20\d\d|21\d\d)(?!\d)")


@dataclass
class StudyPart:
    """One part of the study that is written: its tables by year, its settings, and what stands against it.

    ``shown`` : one table, or one for each year (``years``); ``against`` : why it is only a comment, empty
    where it is in use; ``read`` : rows and rejected rows, where it was read.
    """

    role: str
    shown: list[ShownTable]
    evidence: str
    sure: bool
    years: list[int] = field(default_factory=list)
    settings: PartSettings = field(default_factory=PartSettings)
    against: list[Fault] = field(default_factory=list)
    read: tuple[int, int] | None = None
    kept: bool = False
    """In use although something stands against it: a study must have such a part."""

    @property
    def active(self) -> bool:
        """Return whether the part is in use, and no comment."""
        return self.kept or not self.against

    @property
    def name(self) -> str:
        """Return the name of its table, or of all its years'."""
        return ", ".join(one.name for one in self.shown)


def parts_of(looked: Sequence[tuple[ShownTable, Role]]) -> list[StudyPart]:
    """Return the parts that tables may become: files that differ by a year in their names are one.

    Parameters
    ----------
    looked : tables and what each is for, those without a part in a study left out before

    Returns
    -------
    parts : in the order of the tables; of a role that a study has once, all but the best have ``against``
    """
    grouped: dict[tuple[str, ...], list[tuple[ShownTable, Role]]] = {}
    for shown, role in looked:
        stem = _YEAR.sub("*", shown.path.stem)
        key = (
            role.name,
            str(shown.path.parent),
            stem,
            shown.path.suffix,
            shown.layer or "",
            shown.sheet or "",
        )
        grouped.setdefault(key, []).append((shown, role))
    parts = []
    for members in grouped.values():
        years = [int(found[-1]) for shown, _ in members if (found := _YEAR.findall(shown.path.stem))]
        if len(members) > 1 and len(set(years)) == len(members):
            ordered = sorted(zip(years, [shown for shown, _ in members], strict=True), key=lambda one: one[0])
            role = members[0][1]
            parts.append(
                StudyPart(role.name, [one for _, one in ordered], role.evidence, role.sure, sorted(years))
            )
        else:
            parts += [StudyPart(role.name, [shown], role.evidence, role.sure) for shown, role in members]
    for name in ONE_ONLY:
        same = [part for part in parts if part.role == name]
        for part in sorted(same, key=_rank)[1:]:
            reason = say(
                "a study has one table of this kind, and '{other}' is taken", other=min(same, key=_rank).name
            )
            remedy = say("if this is the right one, write it in the other's part")
            part.against.append(Fault("", "", "", reason, remedy))
    return parts


def _rank(part: StudyPart) -> tuple[bool, bool, int]:
    """Sort sure roles first, then map files that hold a network, then the table with most rows."""
    last = part.shown[-1]
    return not part.sure, last.kind not in {"osm", "graphml"} and part.role == "roads", -len(last.frame)


def try_part(part: StudyPart, standard: Standard, units: Mapping[str, pd.DataFrame | None]) -> Any:
    """Read a part as it will be written, and note what stands against it.

    Parameters
    ----------
    part : with its settings; ``against`` and ``read`` are set
    standard : services and targets
    units : ``districts`` and ``villages`` as read before, for figures

    Returns
    -------
    read : what the reader returns, None where it cannot be read or is not tried
    """
    shown, keys = part.shown[-1], part.settings.keys
    source: Any = shown.path if shown.table is None else shown.table
    services, names = keys.get("services"), {one.id: one.name.both() for one in standard.services}
    catalogue = looks_like(shown.table) if shown.table is not None and isinstance(services, str) else None
    if catalogue is not None:
        source, services = classified(source, catalogue, names).table, None
    common = {name: keys[name] for name in ("datum", "columns") if name in keys}
    readers: dict[str, Callable[[], Any]] = {
        "demand": lambda: read_demand(source, groups=keys.get("groups"), **common),
        "districts": lambda: read_districts(source, **common),
        "villages": lambda: read_villages(source, **common),
        "candidates": lambda: read_candidates(source, **common),
        "outlets": lambda: read_facilities(source, services=keys.get("services"), **common),
        "facilities": lambda: read_facilities(
            source,
            service=keys.get("service"),
            services=services,
            known_services=names,
            **common,
        ),
        "indicators": lambda: read_indicators(
            source,
            standard=standard,
            districts=units.get("districts"),
            villages=units.get("villages"),
            **{name: keys[name] for name in ("columns", "target", "items") if name in keys},
        ),
    }
    # What a raster counts cannot be seen by reading it: its check compares it with known totals.
    if part.role not in readers or shown.kind == "raster":
        return None
    try:
        read = readers[part.role]()
    except LifecircleError as error:
        part.against += faults_in(error)
        return None
    if isinstance(read, tuple):
        part.read = len(read[0]), len(read[1])
        return read[0]
    part.read = (len(read.table), len(read.rejects)) if part.role == "indicators" else (len(read), 0)
    return read


def faults_in(error: LifecircleError) -> list[Fault]:
    """Return the first faults of an error, for a part they stand against; raise it if the machine failed.

    Raises
    ------
    UnusableInputError
        The error itself, where it says nothing of the file.
    """
    if error.of_system:
        raise error
    if isinstance(error, UnusableInputError):
        # The part says which file; a path of this computer has no business in a study.
        return [replace(fault, file="") for fault in error.faults[:5]]
    return [Fault("", "", "", str(error), "")]
