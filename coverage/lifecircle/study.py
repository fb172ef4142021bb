"""Own ``study.toml``: what a study may say, checked whole; not the files it names.

A study is a folder. Paths in ``study.toml`` are relative to it; a file may be given once or per year,
and the file of a year is the latest one not after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pyproj
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lifecircle.datum import shifted_tiles
from lifecircle.errors import Fault, FaultLog, MissingFileError, UnusableInputError, say
from lifecircle.standards import Standard, load_standard, read_toml

STUDY_FILE = "study.toml"

FIRST_YEAR, LAST_YEAR = 1950, 2200

YearlyFile = str | dict[int, str]


def _known_datum(value: str) -> str:
    if value in {"wgs84", "gcj02", "bd09", "auto"} or re.fullmatch(r"EPSG:\d+", value):
        return value
    message = "a datum is wgs84, gcj02, bd09, auto or EPSG:n"
    raise ValueError(message)


Datum = Annotated[str, AfterValidator(_known_datum)]


def _known_crs(value: str) -> str:
    try:
        pyproj.CRS.from_user_input(value)
    except pyproj.exceptions.CRSError:
        message = "no coordinate system of this name; write EPSG:n, such as EPSG:4549"
        raise ValueError(message) from None
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RoadsPart(_Part):
    """``[roads]``: a file, or a place name fetched through OSMnx; and how a table of lines is read.

    ``join_m``, ``layer``, ``columns``, ``classes``, ``datum``, ``split_crossings`` : see
    :func:`lifecircle.roads.read_roads`; a table of lines alone knows them. ``prefer_main_m`` : how much
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
    split_crossings: bool = False
    prefer_main_m: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 50.0
    fragment_m: Annotated[float, Field(ge=0)] = 500.0

    @model_validator(mode="after")
    def _one_source(self) -> RoadsPart:
        if (self.file is None) == (self.place is None):
            message = "give either file or place"
            raise ValueError(message)
        return self


class DemandPart(_Part):
    """``[demand]``: where residents live, the column that counts them, and groups among them."""

    file: YearlyFile
    population: str = "population"
    groups: dict[str, str] = Field(default_factory=dict)
    datum: Datum = "wgs84"


class LayerPart(_Part):
    """``[districts]``, ``[barriers]``: one layer."""

    file: YearlyFile
    datum: Datum = "wgs84"


class VillagesPart(LayerPart):
    """``[villages]``: a table of centres or a layer, and accepted lists by target in files of their own."""

    accepted: dict[str, YearlyFile] = Field(default_factory=dict)


class FacilitiesPart(_Part):
    """``[[facilities]]``: one list of facilities, as an office keeps it."""

    file: YearlyFile
    datum: Datum = "wgs84"
    service: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    services: dict[str, str] = Field(default_factory=dict)


class IndicatorsFile(_Part):
    """One table of registered figures.

    ``target`` and ``year`` : of every row, where the table has no such column. ``items`` : item of a rule for
    every village -> its column, for a table with a column for each.
    """

    file: YearlyFile
    columns: dict[str, str] = Field(default_factory=dict)
    target: str | None = None
    year: int | None = None
    items: dict[str, str] = Field(default_factory=dict)


class IndicatorsPart(IndicatorsFile):
    """``[indicators]``: registered figures, and ``[[indicators.more]]`` for further tables."""

    more: tuple[IndicatorsFile, ...] = ()

    @property
    def files(self) -> tuple[IndicatorsFile, ...]:
        """Every table, in order."""
        return (self, *self.more)


class PublishPart(_Part):
    """``[publish]``: what stands in the margin of a map, and what is left out of the public edition."""

    organisation: str = ""
    date: str = ""
    review_number: str = ""
    mask: str | None = None
    min_people: Annotated[int, Field(ge=1)] = 20


class LandPart(_Part):
    """One kind of land in ``siting.exclude``: a layer, and what lying on it means for a candidate.

    ``effect`` : exclude leaves the candidate out, tell says so in the sheets alone; ``outside`` : what is
    meant is the land outside the polygons, as with an urban development boundary.
    """

    file: YearlyFile
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
    """Tell whether works are paid for once or every year: longer hours every year unless the study says so.

    >>> basis_of_cost("evening_hours", None), basis_of_cost("new_building", UnitCost(cost=1, paid="year"))
    ('year', 'year')
    """
    if cost is not None and cost.paid is not None:
        return cost.paid
    return "year" if works == "evening_hours" else "once"


class SitingPart(_Part):
    """``[siting]``: where new sites may stand, on which land not, and what works cost."""

    candidates: YearlyFile | None = None
    datum: Datum = "wgs84"
    columns: dict[str, str] = Field(default_factory=dict)
    works: dict[str, Works] = Field(default_factory=dict)
    services: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    exclude: dict[str, YearlyFile | LandPart] = Field(default_factory=dict)
    costs: dict[Works, UnitCost] = Field(default_factory=dict)
    separation_m: Annotated[float, Field(ge=0)] = 0.0
    spacing_m: Annotated[float, Field(gt=0)] = 250.0


BaseLayer = Literal["osm", "tianditu_vec", "tianditu_img"]


def _true_datum(name: object) -> object:
    datum = shifted_tiles(name) if isinstance(name, str) else ""
    if datum:
        message = (
            f"these tiles are drawn in {datum}, on which everything else stands hundreds of metres off its "
            "place; use osm, tianditu_vec or tianditu_img"
        )
        raise ValueError(message)
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
            message = "tianditu layers need tianditu_key (a key of tianditu.gov.cn, which stands in the page)"
            raise ValueError(message)
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
    """

    near_min: Share = 0.01
    far_warn: Share = 0.1
    unsnapped_max: Share = 0.5
    fragment_min: Share = 0.5
    coarse_share: Share = 0.125
    coarse_people: Share = 0.5
    coarse_change: Share = 0.02


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
    districts: LayerPart | None = None
    villages: VillagesPart | None = None
    facilities: Annotated[tuple[FacilitiesPart, ...], Field(min_length=1)]
    indicators: IndicatorsPart | None = None
    outlets: FacilitiesPart | None = None
    barriers: LayerPart | None = None
    publish: PublishPart = PublishPart()
    siting: SitingPart = SitingPart()
    atlas: AtlasPart = AtlasPart()
    reading: ReadingPart = ReadingPart()
    standard: StandardPart


@dataclass(frozen=True)
class Study:
    """A study as declared, with its standard loaded. ``folder`` is where its paths start."""

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
    districts: LayerPart | None
    villages: VillagesPart | None
    facilities: tuple[FacilitiesPart, ...]
    indicators: IndicatorsPart | None
    outlets: FacilitiesPart | None
    barriers: LayerPart | None
    publish: PublishPart
    siting: SitingPart
    atlas: AtlasPart
    reading: ReadingPart
    standard: Standard
    standard_path: Path | None

    def path_in(self, file: YearlyFile, year: int) -> Path:
        """Find the file that holds in a year: the one given, or the latest not after the year.

        Raises
        ------
        UnusableInputError
            When every file given is of a later year.
        """
        if isinstance(file, str):
            return self.folder / file
        past = [given for given in file if given <= year]
        if not past:
            raise UnusableInputError(
                [
                    Fault(
                        STUDY_FILE,
                        "file",
                        ", ".join(str(given) for given in sorted(file)),
                        f"no file for {year} or before",
                        f"add a file for {year} or an earlier year",
                    )
                ]
            )
        return self.folder / file[max(past)]


def read_study(folder: str | Path) -> Study:
    """Read and check ``study.toml`` in a folder (or the file itself).

    Raises
    ------
    MissingFileError
        When there is no ``study.toml``.
    UnusableInputError
        With every fault of the document and of its standard.
    """
    path = Path(folder)
    if path.is_dir() or path.suffix != ".toml":
        path = path / STUDY_FILE
    if not path.is_file():
        raise MissingFileError(
            [Fault(str(path), "", "", "no study here", f"name a folder that holds a {STUDY_FILE}")]
        )
    document = read_toml(path, _Document)
    faults = FaultLog()
    standard = None
    with faults.catching():
        standard = load_standard(document.standard.use, folder=path.parent)
    if standard is not None:
        for fault in _unknown_services(document, standard):
            faults.add(fault)
    faults.raise_any()
    assert standard is not None
    own = path.parent / document.standard.use
    return Study(
        folder=path.parent,
        standard=standard,
        standard_path=own if own.is_file() else None,
        **{name: getattr(document, name) for name in _Document.model_fields if name != "standard"},
    )


def check_year(year: int) -> int:
    """Give a year back if a study can be audited for it.

    Raises
    ------
    UnusableInputError
        When it is before :data:`FIRST_YEAR` or after :data:`LAST_YEAR`.
    """
    if FIRST_YEAR <= year <= LAST_YEAR:
        return year
    reason = say("no year that a study can be audited for")
    remedy = say("give a year from {first} to {last}", first=FIRST_YEAR, last=LAST_YEAR)
    raise UnusableInputError([Fault("", "year", str(year), reason, remedy)])


def example_folder() -> Path:
    """Find the bundled synthetic study: in the installed package, else in the repository beside it."""
    packaged = Path(__file__).parent / "example"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "data" / "geo" / "haiyan"


def _unknown_services(document: _Document, standard: Standard) -> list[Fault]:
    """Services that the study's facility lists name and its standard does not know."""
    services = {service.id for service in standard.services}
    faults = []
    for number, part in enumerate(document.facilities, 1):
        named = {*part.services.values(), *([part.service] if part.service else [])}
        faults += [
            Fault(
                STUDY_FILE,
                f"facilities[{number}]",
                name,
                f"the standard {standard.id!r} has no such service",
                f"use one of {', '.join(sorted(services))}",
            )
            for name in sorted(named - services)
        ]
    return faults
