"""Read ``study.toml`` and check it as a whole; not the files it names.

A study is a folder. Paths in ``study.toml`` are relative to it; a file may be given once or per year,
and the file of a year is the latest one not after it.
"""

from __future__ import annotations

import copy
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

import pyproj
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from lifecircle.datum import shifted_tiles
from lifecircle.errors import Fault, FaultLog, MissingFileError, UnusableInputError, say, system_errors
from lifecircle.files import whole_folder
from lifecircle.standards import Standard, checked_document, load_standard, meant_key, read_document
from lifecircle.tables import database_snapshot, is_database, is_raster, shown_address, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterable

STUDY_FILE = "study.toml"

FIRST_YEAR, LAST_YEAR = 1950, 2200

YearlyFile = str | dict[int, str]
HeaderRow = Annotated[int, Field(ge=1)]


class TablePlace(TypedDict):
    """Layer, sheet and header row of a table in its file."""

    layer: str | None
    sheet: str | None
    header_row: int | None


_DATUM = r"wgs84|gcj02|bd09|auto|EPSG:\d+"


def _known_datum(value: str) -> str:
    if re.fullmatch(_DATUM, value):
        return value
    raise ValueError(
        say("a datum is wgs84, gcj02, bd09, auto or EPSG:n"), say("write one of these, such as EPSG:4549")
    )


Datum = Annotated[str, AfterValidator(_known_datum), Field(json_schema_extra={"pattern": f"^(?:{_DATUM})$"})]


def _known_crs(value: str) -> str:
    try:
        pyproj.CRS.from_user_input(value)
    except pyproj.exceptions.CRSError:
        reason = say("no coordinate system of this name")
        raise ValueError(reason, say("write EPSG:n, such as EPSG:4549")) from None
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RoadsPart(_Part):
    """``[roads]``: a file, or a place name fetched through OSMnx; and how a table of lines is read.

    ``join_m``, ``layer``, ``columns``, ``classes``, ``datum``, ``split_crossings`` : see
    :func:`lifecircle.roads.read_roads`; a table of lines alone knows them. ``merge`` : a second source whose
    roads are added where none of ``file`` runs along them. ``prefer_main_m`` : how much
    longer an access leg may be so as not to end on a fragment whose roads are together shorter than
    ``fragment_m``.
    """

    file: YearlyFile | None = None
    place: str | None = None
    buffer_m: Annotated[float, Field(ge=0)] = 3000.0
    join_m: Annotated[float, Field(ge=0, le=5)] = 0.1
    layer: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    classes: dict[str, str] = Field(default_factory=dict)
    datum: Datum | None = None
    split_crossings: bool | None = None
    merge: YearlyFile | None = None
    merge_within_m: Annotated[float, Field(ge=1, le=100)] = 15.0
    prefer_main_m: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 50.0
    fragment_m: Annotated[float, Field(ge=0)] = 500.0

    @model_validator(mode="after")
    def _one_source(self) -> RoadsPart:
        if (self.file is None) == (self.place is None):
            raise ValueError(
                say("give either file or place"), say("give the roads one source: file = ... or place = ...")
            )
        if self.merge is not None and self.file is None:
            raise ValueError(
                say("only a file of roads can be merged with another"),
                say("write file = ... beside merge, or leave merge out"),
            )
        return self


class TablePart(_Part):
    """A table in a file; ``layer``, ``sheet``, ``header_row`` : where in it, see ``tables.read_table``."""

    file: YearlyFile
    layer: str | None = None
    sheet: str | None = None
    header_row: HeaderRow | None = None

    @property
    def where(self) -> TablePlace:
        """Return the layer, sheet and header row, for :func:`lifecircle.tables.read_table`."""
        return {"layer": self.layer, "sheet": self.sheet, "header_row": self.header_row}


class SpreadPart(_Part):
    """``[demand.spread]``: over what the people of polygons are spread, and to what.

    ``over`` : buildings or residential land, whose area weighs them, times ``floors``, or the column
    ``weight`` alone; left out, people live evenly all over. ``only`` : column -> values that count.
    """

    to: Literal["grid", "buildings"] = "grid"
    grid_m: Annotated[float, Field(ge=10, le=5000)] = 100.0
    over: YearlyFile | None = None
    layer: str | None = None
    datum: Datum = "wgs84"
    weight: str | None = None
    floors: str | None = None
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> SpreadPart:
        if self.over is None and (self.to == "buildings" or self.weight or self.floors or self.only):
            raise ValueError(
                say("buildings or land are described, but not given"),
                say("add over = ..., the layer of them"),
            )
        if self.weight and self.floors:
            raise ValueError(
                say("weight and floors exclude each other"),
                say("keep weight for a column that weighs alone, or floors to multiply the area"),
            )
        return self


class TotalsPart(TablePart):
    """``[demand.totals]``: known totals of districts or villages that residents are held to.

    ``groups`` : group -> column of its total; ``year`` : of the totals, for the crosswalk of units.
    """

    unit: Literal["district", "village"] = "district"
    columns: dict[str, str] = Field(default_factory=dict)
    groups: dict[str, str] = Field(default_factory=dict)
    year: int | None = None


class SurfacePart(TablePart):
    """Residents from one file: where they live, how many they are, and how they were made of it.

    ``groups`` : group -> column, band, or raster of its own. ``per``, ``nodata`` : of a raster, see
    :func:`lifecircle.demand.read_raster`; ``spread`` : of polygons; ``totals`` : what they are held to.
    """

    population: str = "population"
    groups: dict[str, YearlyFile] = Field(default_factory=dict)
    datum: Datum = "wgs84"
    columns: dict[str, str] = Field(default_factory=dict)
    per: Literal["cell", "km2"] | None = None
    nodata: tuple[float, ...] = ()
    spread: SpreadPart | None = None
    totals: TotalsPart | None = None

    @model_validator(mode="after")
    def _one_population(self) -> SurfacePart:
        if "population" in self.columns and self.population != "population":
            raise ValueError(
                say("the column of the population is named twice"),
                say("keep either population = ... or columns.population"),
            )
        return self

    @model_validator(mode="after")
    def _fits_its_file(self) -> SurfacePart:
        files = [self.file] if isinstance(self.file, str) else list(self.file.values())
        rasters = [is_raster(file) for file in files]
        if not any(rasters) and (self.per is not None or self.nodata):
            raise ValueError(say("per and nodata are of rasters"), say("leave them out for a table"))
        if all(rasters) and (self.spread is not None or self.datum != "wgs84" or self.columns):
            raise ValueError(
                say("a raster has its own coordinate system, and no columns or polygons"),
                say("leave out datum, columns and spread"),
            )
        if not any(rasters) and any(isinstance(given, dict) for given in self.groups.values()):
            raise ValueError(
                say("only rasters of groups are given by year"), say("name the column of the group")
            )
        return self

    @property
    def side_files(self) -> tuple[YearlyFile, ...]:
        """Return the files beside the table or raster that the residents are made of."""
        spread = None if self.spread is None else self.spread.over
        totals = None if self.totals is None else self.totals.file
        groups = [given for given in self.groups.values() if isinstance(given, dict) or is_raster(given)]
        return tuple(file for file in (*groups, spread, totals) if file is not None)

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out keys that came later and are not used: a run made before them is still current."""
        plain: dict[str, Any] = dump(self)
        fields = type(self).model_fields
        return {
            name: value
            for name, value in plain.items()
            if name not in _LATER_KEYS
            or getattr(self, name) != fields[name].get_default(call_default_factory=True)
        }


_LATER_KEYS = frozenset({"per", "nodata", "spread", "totals", "surfaces", "breaks"})


class DemandPart(SurfacePart):
    """``[demand]``: where residents live, the column that counts them, and groups among them.

    ``surfaces`` : other surfaces of the same residents, whose values are reported beside the verdict;
    ``breaks`` : years from which on the residents come from another surface.
    """

    surfaces: dict[str, SurfacePart] = Field(default_factory=dict)
    breaks: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _breaks_begin_files(self) -> DemandPart:
        begun = {year for file in (self.file, *self.side_files) if isinstance(file, dict) for year in file}
        strange = [year for year in self.breaks if year not in begun]
        if strange:
            raise ValueError(
                say("no file of the residents begins in {year}", year=strange[0]),
                say("give the file of that year: file = {{ {year} = ... }}", year=strange[0]),
            )
        return self


class CrosswalkPart(TablePart):
    """``[crosswalk]``: which units of today old ones became, by share and day.

    ``rates``, ``amounts`` : targets whose registered figures are rates, or amounts that add up; left out, the
    unit decides.
    """

    columns: dict[str, str] = Field(default_factory=dict)
    rates: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()


class LayerPart(_Part):
    """``[barriers]``: one layer of a file."""

    file: YearlyFile
    layer: str | None = None
    datum: Datum = "wgs84"


class DistrictsPart(TablePart):
    """``[districts]``: polygons with names, and codes where they have any."""

    datum: Datum = "wgs84"
    columns: dict[str, str] = Field(default_factory=dict)


class VillagesPart(DistrictsPart):
    """``[villages]``: a table of centres or a layer, and accepted lists by target in files of their own."""

    accepted: dict[str, YearlyFile] = Field(default_factory=dict)


class ListPart(TablePart):
    """``[outlets]``, and what every list of places has.

    ``services`` : what the file calls a service -> its id, or the map by whose classes its rows are known.
    """

    datum: Datum = "wgs84"
    service: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    services: dict[str, str] | Literal["osm", "amap"] = Field(default_factory=dict)


class FacilitiesPart(ListPart):
    """``[[facilities]]``: one list of facilities, as an office keeps it.

    ``merge_duplicates`` : whether rows of nearly one name and place are merged and logged; ``entrances`` : a
    table of the places where its facilities are entered, in the same datum.
    """

    merge_duplicates: bool = False
    entrances: YearlyFile | None = None


class IndicatorsFile(TablePart):
    """One table of registered figures.

    ``target`` and ``year`` : of every row, where the table has no such column. ``items`` : item of a rule for
    every village -> its column, for a table with a column for each.
    """

    columns: dict[str, str] = Field(default_factory=dict)
    target: str | None = None
    year: int | None = None
    items: dict[str, str] = Field(default_factory=dict)


class IndicatorsPart(IndicatorsFile):
    """``[indicators]``: registered figures, and ``[[indicators.more]]`` for further tables."""

    more: tuple[IndicatorsFile, ...] = ()

    @property
    def files(self) -> tuple[IndicatorsFile, ...]:
        """Return every table, in order."""
        return (self, *self.more)


class PublishPart(_Part):
    """``[publish]``: what stands in the margin of a map, and what is left out of the public edition."""

    organisation: str = ""
    date: str = ""
    review_number: str = ""
    mask: str | None = None
    min_people: Annotated[int, Field(ge=1)] = 20


class LandPart(TablePart):
    """One kind of land in ``siting.exclude``: a layer, and what lying on it means for a candidate.

    ``effect`` : exclude leaves the candidate out, tell says so in the sheets alone; ``outside`` : what is
    meant is the land outside the polygons, as with an urban development boundary.
    """

    datum: Datum = "wgs84"
    effect: Literal["exclude", "tell"] = "exclude"
    outside: bool = False


class UnitCost(_Part):
    """A unit cost in 10,000 yuan: of one, or of a metre for roads; with its source and grade.

    ``paid`` : once, or every year; left out, see :func:`basis_of_cost`.
    """

    cost: Annotated[float, Field(gt=0)]
    paid: Literal["once", "year"] | None = None
    source: str = ""
    grade: Literal["primary", "secondary", "unverified", "setting"] = "setting"


Works = Literal[
    "open_gate", "school_ground", "evening_hours", "link_m", "footbridge_m", "idle_building", "new_building"
]


def basis_of_cost(works: str, cost: UnitCost | None) -> Literal["once", "year"]:
    """Return whether works are paid for once or every year; longer hours every year by default.

    Parameters
    ----------
    works : id of the works
    cost : unit cost of the study, if any

    Returns
    -------
    basis : ``once`` or ``year``

    >>> basis_of_cost("evening_hours", None), basis_of_cost("new_building", UnitCost(cost=1, paid="year"))
    ('year', 'year')
    """
    if cost is not None and cost.paid is not None:
        return cost.paid
    return "year" if works == "evening_hours" else "once"


class SitingPart(_Part):
    """``[siting]``: where new sites may stand, on which land not, and what works cost."""

    candidates: YearlyFile | None = None
    layer: str | None = None
    sheet: str | None = None
    header_row: HeaderRow | None = None
    datum: Datum = "wgs84"
    columns: dict[str, str] = Field(default_factory=dict)
    works: dict[str, Works] = Field(default_factory=dict)
    services: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    exclude: dict[str, YearlyFile | LandPart] = Field(default_factory=dict)
    costs: dict[Works, UnitCost] = Field(default_factory=dict)
    separation_m: Annotated[float, Field(ge=0)] = 0.0
    spacing_m: Annotated[float, Field(gt=0)] = 250.0

    @property
    def where(self) -> TablePlace:
        """Return the layer, sheet and header row of the candidates in their file."""
        return {"layer": self.layer, "sheet": self.sheet, "header_row": self.header_row}


BaseLayer = Literal["osm", "tianditu_vec", "tianditu_img"]


def _true_datum(name: object) -> object:
    datum = shifted_tiles(name) if isinstance(name, str) else ""
    if datum:
        reason = say(
            "these tiles are drawn in {datum}, on which all else stands hundreds of metres off its place",
            datum=datum,
        )
        raise ValueError(reason, say("use osm, tianditu_vec or tianditu_img"))
    return name


class AtlasPart(_Part):
    """``[atlas]``: online base layers to offer, names of neighbours and waters, until when the data reach."""

    base: tuple[Annotated[BaseLayer, BeforeValidator(_true_datum)], ...] = ()
    tianditu_key: str = ""
    labels: str | None = None
    data_date: str = ""

    @model_validator(mode="after")
    def _key_for_tianditu(self) -> AtlasPart:
        if any(name.startswith("tianditu") for name in self.base) and not self.tianditu_key:
            raise ValueError(
                say("tianditu layers need a key of tianditu.gov.cn, which stands in the page"),
                say("add tianditu_key = ..."),
            )
        return self


Share = Annotated[float, Field(ge=0, le=1)]


class ReadingPart(_Part):
    """``[reading]``: from which point on what was read is doubted; every share is from 0 to 1.

    ``near_min`` : least share of a table's rows near the roads; with less it is unusable.
    ``far_warn`` : share of rows or people off the roads, or outside the districts, above which is warned.
    ``unsnapped_max`` : share of a target's people without a road above which its data are insufficient.
    ``fragment_min`` : least share of the roads that their largest fragment has.
    ``coarse_share`` : share of the usual reach above which the spacing of residents is coarse.
    ``coarse_people`` : share of people at coarse places above which is warned and checked.
    ``coarse_change`` : change of the rate in that check above which the data are insufficient.
    ``rough_max`` : share of a target's venues placed by address or at a village's centre (grades C and D)
    above which its data are insufficient.
    """

    near_min: Share = 0.01
    far_warn: Share = 0.1
    unsnapped_max: Share = 0.5
    fragment_min: Share = 0.5
    coarse_share: Share = 0.125
    coarse_people: Share = 0.5
    coarse_change: Share = 0.02
    rough_max: Share = 0.25


class StandardPart(_Part):
    """``[standard]``: a profile shipped with the package, or a path."""

    use: str


class _Document(_Part):
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

    ``folder`` : where its paths start; ``snapshots`` : tables of databases that were read, by their address.
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
    snapshots: dict[str, Path | UnusableInputError] = field(default_factory=dict, compare=False, repr=False)

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
        return self.folder / file


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
        for fault in _unknown_services(document, standard):
            faults.add(fault)
    own = path.parent / document.standard.use if standard is not None else path.parent
    study = Study(
        folder=path.parent,
        standard=standard or Standard.model_validate({"id": "none"}),
        standard_path=own if own.is_file() else None,
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


def example_folder() -> Path:
    """Return the bundled synthetic study: in the installed package, else in the repository.

    Returns
    -------
    folder : not to be written to

    >>> (example_folder() / "study.toml").is_file()
    True
    """
    packaged = Path(__file__).parent / "example"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "data" / "geo" / "haiyan"


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


def copy_example(folder: str | Path) -> Path:
    """Copy the bundled synthetic study into a new folder, whole or not at all.

    Parameters
    ----------
    folder : a new or empty folder

    Returns
    -------
    folder : the same, as a path

    Raises
    ------
    UnusableInputError
        When the folder is there already and not empty.
    """
    folder = Path(folder)
    with system_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            reason = say("already there and not empty")
            raise UnusableInputError(
                [Fault(str(folder), "", "", reason, say("name a new folder for the example"))]
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder) as fresh:
            shutil.copytree(
                example_folder(),
                fresh,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__", "results", "maps"),
            )
    return folder
