"""Read ``study.toml`` and check it as a whole; not the files it names."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyproj
from pydantic import AfterValidator, Field, ValidationError

from lifecircle.errors import Fault, FaultLog, MissingFileError, UnusableInputError, say
from lifecircle.standards import Standard, checked_document, load_standard, meant_key, read_document
from lifecircle.study._other_parts import (
    AtlasPart,
    PublishPart,
    ReadingPart,
    RoadsPart,
    SitingPart,
    StandardPart,
)
from lifecircle.study._residents_parts import CrosswalkPart, DemandPart  # noqa: TC001 - pydantic needs them
from lifecircle.study._table_parts import (
    DistrictsPart,
    FacilitiesPart,
    IndicatorsPart,
    LayerPart,
    ListPart,
    Part,
    VillagesPart,
    YearlyFile,
)
from lifecircle.tables import database_snapshot, is_database, shown_address, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lifecircle.standards import Target

STUDY_FILE = "study.toml"

FIRST_YEAR, LAST_YEAR = 1950, 2200


def _known_crs(value: str) -> str:
    try:
        pyproj.CRS.from_user_input(value)
    except pyproj.exceptions.CRSError:
        reason = say("no coordinate system of this name")
        raise ValueError(reason, say("write EPSG:n, such as EPSG:4549")) from None
    return value


class _Document(Part):
    id: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    name: str = ""
    year: Annotated[int, Field(ge=1950, le=2200)]
    crs: Annotated[str, AfterValidator(_known_crs)] | None = None
    language: Literal["zh", "en"] = "zh"
    synthetic: bool = False
    max_rejected: Annotated[float, Field(ge=0, le=1)] = 0.05
    roads: RoadsPart
    demand: DemandPart
    districts: DistrictsPart | None = None
    villages: VillagesPart | None = None
    facilities: Annotated[tuple[FacilitiesPart, ...], Field(min_length=1)]
    indicators: IndicatorsPart | None = None
    outlets: ListPart | None = None
    barriers: LayerPart | None = None
    crosswalk: CrosswalkPart | None = None
    publish: PublishPart = PublishPart()
    siting: SitingPart = SitingPart()
    atlas: AtlasPart = AtlasPart()
    reading: ReadingPart = ReadingPart()
    standard: StandardPart


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``study.toml``, derived from the model that reads it.

    Returns
    -------
    schema : draft 2020-12; what a schema cannot say, such as services that the profile does not know, is
        checked when a study is read.

    >>> study_schema()["required"]
    ['id', 'year', 'roads', 'demand', 'facilities', 'standard']
    """
    schema = _Document.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": STUDY_FILE}


@dataclass(frozen=True)
class Study:
    """A study as declared, with its standard loaded.

    ``folder`` : where its paths start; ``standard`` : without the targets that the study leaves out;
    ``left_out`` : those; ``snapshots`` : tables of databases that were read, by their address.
    """

    folder: Path
    id: str
    name: str
    year: int
    crs: str | None
    language: Literal["zh", "en"]
    synthetic: bool
    max_rejected: float
    roads: RoadsPart
    demand: DemandPart
    districts: DistrictsPart | None
    villages: VillagesPart | None
    facilities: tuple[FacilitiesPart, ...]
    indicators: IndicatorsPart | None
    outlets: ListPart | None
    barriers: LayerPart | None
    crosswalk: CrosswalkPart | None
    publish: PublishPart
    siting: SitingPart
    atlas: AtlasPart
    reading: ReadingPart
    standard: Standard
    standard_path: Path | None
    left_out: tuple[Target, ...] = ()
    snapshots: dict[str, Path | UnusableInputError] = field(default_factory=dict, compare=False, repr=False)

    @property
    def whole_standard(self) -> Standard:
        """Return the standard with the targets that the study leaves out, which come last."""
        return self.standard.model_copy(update={"targets": (*self.standard.targets, *self.left_out)})

    @property
    def side_files(self) -> tuple[YearlyFile, ...]:
        """Return the files that residents are made of beside their table, and those of other surfaces."""
        others = [(one.file, *one.side_files) for one in self.demand.surfaces.values()]
        return (*self.demand.side_files, *(file for files in others for file in files))

    def path_in(self, file: YearlyFile, year: int) -> Path:
        """Return the file of a year: the one given, or the latest not after the year.

        Raises
        ------
        UnusableInputError
            When every file given is of a later year, a database refuses, or the file lies outside the study's
            folder: a run keeps and verifies what the folder holds, and a path from elsewhere may lead
            anywhere.
        """
        if isinstance(file, str):
            return self._path_of(file)
        # Never a later file: an audit of 2022 must not count what was built in 2024.
        past = [given for given in file if given <= year]
        if not past:
            raise UnusableInputError(
                [
                    Fault(
                        STUDY_FILE,
                        "file",
                        ", ".join(str(given) for given in sorted(file)),
                        say("no file for {year} or before", year=year),
                        say("add a file for {year} or an earlier year", year=year),
                    )
                ]
            )
        return self._path_of(file[max(past)])

    def name_of(self, path: str | Path) -> str:
        """Name a file from the study's folder, wherever that lies; a database by its address."""
        if is_database(path):
            return shown_address(str(path))
        if (kept := snapshot_of(path)) is not None:
            return kept.address
        path = Path(path)
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.name

    def _path_of(self, file: str) -> Path:
        """Return where a file lies; a table of a database is read once for a study, into a file of its own.

        Raises
        ------
        UnusableInputError
            The database refuses, or the path leads out of the folder.
        """
        if not is_database(file):
            return self._inside(file)
        if file not in self.snapshots:
            try:
                self.snapshots[file] = database_snapshot(file).path
            except UnusableInputError as error:
                # The next question must not wait for the same server again.
                self.snapshots[file] = error
        found = self.snapshots[file]
        if isinstance(found, UnusableInputError):
            raise found
        return found

    def _inside(self, file: str) -> Path:
        """Return the path of a file in the folder.

        Raises
        ------
        UnusableInputError
            It leads out of the folder.
        """
        if "://" in file:  # a database has no folder
            return self.folder / file
        plain = PureWindowsPath(file)  # knows both kinds of slash and drive letters
        depth = 0
        for part in plain.parts:
            depth += -1 if part == ".." else 1
            if depth < 0 or plain.anchor:
                reason = say("a file outside the study's folder")
                remedy = say("copy it into the folder of the study")
                raise UnusableInputError([Fault(STUDY_FILE, "file", file, reason, remedy)])
        path = self.folder / file
        # A link may lead anywhere too; the folder itself may be reached by one.
        if path.is_symlink() or path.parent != self.folder:
            here = Path(os.path.realpath(self.folder))
            if not Path(os.path.realpath(path)).is_relative_to(here):
                reason = say("a file outside the study's folder")
                remedy = say("copy it into the folder of the study")
                raise UnusableInputError([Fault(STUDY_FILE, "file", file, reason, remedy)])
        return path


def read_study(folder: str | Path) -> Study:
    """Read and check ``study.toml`` in a folder (or the file itself).

    Parameters
    ----------
    folder : folder of the study, or its ``study.toml``

    Returns
    -------
    study : checked, with its standard loaded

    Raises
    ------
    MissingFileError
        When there is no ``study.toml``.
    FaultyStudyError
        With every fault of the document and of its standard, and the parts without fault.
    UnusableInputError
        The document is not TOML.

    >>> from lifecircle.study import example_folder
    >>> read_study(example_folder()).id
    'haiyan'
    """
    path = Path(folder)
    if path.is_dir() or path.suffix != ".toml":
        path = path / STUDY_FILE
    if not path.is_file():
        remedy = say("name a folder that holds a {file}", file=STUDY_FILE)
        raise MissingFileError([Fault(str(path), "", "", say("no study here"), remedy)])
    plain = read_document(path)
    faults = FaultLog()
    document, stand_ins = None, frozenset[str]()
    with faults.catching():
        document = checked_document(plain, _Document, file=str(path))
    if document is None:
        # With faults the rest is read all the same: a check of the tables then shows their faults in the same
        # run.
        document, stand_ins = _readable(plain)
    standard = None
    if "standard" not in stand_ins:
        with faults.catching():
            standard = load_standard(document.standard.use, folder=path.parent)
    if standard is None:
        stand_ins |= {"standard"}
    else:
        for fault in (*_unknown_services(document, standard), *_unknown_targets(document, standard)):
            faults.add(fault)
    own = path.parent / document.standard.use if standard is not None else path.parent
    standard = standard or Standard.model_validate({"id": "none"})
    left_out = [one for one in standard.targets if one.id in document.standard.leave_out]
    study = Study(
        folder=path.parent,
        standard=_without(standard, left_out),
        standard_path=own if own.is_file() else None,
        left_out=tuple(left_out),
        **{name: getattr(document, name) for name in _Document.model_fields if name != "standard"},
    )
    if faults.faults:
        raise FaultyStudyError(faults.faults, study, stand_ins)
    return study


class FaultyStudyError(UnusableInputError):
    """A study that cannot be used, with its parts without fault, so that their tables can still be checked.

    ``rest`` : the study without the parts at fault; ``stand_ins`` : parts of it that stand for what must be
    there and is not usable: nothing is to be read of them. ``standard`` is one where the profile is at fault.
    """

    def __init__(self, faults: Iterable[Fault], rest: Study, stand_ins: frozenset[str]) -> None:
        super().__init__(faults)
        self.rest = rest
        self.stand_ins = stand_ins


_STAND_INS: dict[str, Any] = {
    "id": "study",
    "year": LAST_YEAR,
    "roads": {"file": ""},
    "demand": {"file": ""},
    "facilities": [{"file": ""}],
    "standard": {"use": ""},
}
_MOST_FAULTS = 200


def _readable(plain: dict[str, Any]) -> tuple[_Document, frozenset[str]]:
    """Return the parts of a document without fault; required parts at fault are replaced by stand-ins."""
    rest, stand_ins = copy.deepcopy(plain), set[str]()
    for _ in range(_MOST_FAULTS):
        try:
            return _Document.model_validate(rest), frozenset(stand_ins)
        except ValidationError as error:
            if error.error_count() > _MOST_FAULTS:
                break
            # One fault at a time: removing a part often removes other faults of it that pydantic lists.
            first = error.errors()[0]
        loc = first["loc"]
        if first["type"] == "missing" and len(loc) == 1:
            stand_ins.add(str(loc[0]))
            rest[str(loc[0])] = _STAND_INS[str(loc[0])]
        else:
            _leave_out(rest, loc, unknown=first["type"] == "extra_forbidden")
    return _Document.model_validate(_STAND_INS), frozenset(_STAND_INS)


def _leave_out(rest: dict[str, Any], loc: tuple[str | int, ...], *, unknown: bool) -> None:
    """Remove a fault from a document: a mistyped key is corrected, any other fault removes its part.

    A table that is read in another way than its part states would show faults that it does not have.
    """
    *place, name = loc
    part: Any = rest.get(str(loc[0]))
    holder: Any = rest
    for step in place:
        inside = step in holder if isinstance(holder, dict) else isinstance(step, int)
        holder = holder[step] if inside else None
    if unknown and isinstance(holder, dict):
        value, meant = holder.pop(name), meant_key(_Document, loc)
        if meant is not None:
            holder.setdefault(meant, value)
    elif isinstance(part, list) and len(loc) > 1 and isinstance(loc[1], int):
        del part[loc[1]]
    else:
        rest.pop(str(loc[0]), None)


def check_year(year: int) -> int:
    """Return a year if a study can be audited for it.

    Parameters
    ----------
    year : the audited year

    Returns
    -------
    year : the same

    Raises
    ------
    UnusableInputError
        When it is before :data:`FIRST_YEAR` or after :data:`LAST_YEAR`.

    >>> check_year(2025)
    2025
    """
    if FIRST_YEAR <= year <= LAST_YEAR:
        return year
    reason = say("no year that a study can be audited for")
    remedy = say("give a year from {first} to {last}", first=FIRST_YEAR, last=LAST_YEAR)
    raise UnusableInputError([Fault("", "year", str(year), reason, remedy)])


def _without(standard: Standard, targets: Sequence[Target]) -> Standard:
    """Return a standard without some of its targets; the standard itself where there are none."""
    if not targets:
        return standard
    kept = tuple(one for one in standard.targets if one not in targets)
    return standard.model_copy(update={"targets": kept})


def _unknown_targets(document: _Document, standard: Standard) -> list[Fault]:
    """Return faults for targets that the study leaves out and the standard does not have."""
    known = [one.id for one in standard.targets]
    return [
        Fault(
            STUDY_FILE,
            "standard.leave_out",
            name,
            say("no such target"),
            say("use one of {names}", names=", ".join(known)),
        )
        for name in document.standard.leave_out
        if name not in known
    ]


def _unknown_services(document: _Document, standard: Standard) -> list[Fault]:
    """Return faults for services that the facility lists name and the standard does not know."""
    services = {service.id for service in standard.services}
    faults = []
    for number, part in enumerate(document.facilities, 1):
        words = part.services.values() if isinstance(part.services, dict) else ()
        named = {*words, *([part.service] if part.service else [])}
        faults += [
            Fault(
                STUDY_FILE,
                f"facilities[{number}]",
                name,
                say("the standard '{standard}' has no such service", standard=standard.id),
                say("use one of {names}", names=", ".join(sorted(services))),
            )
            for name in sorted(named - services)
        ]
    return faults
