"""The parts of ``study.toml`` beside residents and lists: roads, maps, siting, what is doubted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from lifecircle.datum import shifted_tiles
from lifecircle.errors import say
from lifecircle.study._table_parts import Datum, HeaderRow, Part, TablePart, TablePlace, YearlyFile


class RoadsPart(Part):
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


class PublishPart(Part):
    """``[publish]``: what stands in the margin of a map, and what is left out of the public edition."""

    organisation: str = ""
    date: str = ""
    review_number: str = ""
    mask: str | None = None
    min_people: Annotated[int, Field(ge=1)] = 20


class LandPart(TablePart):
    """One kind of land in ``siting.exclude``: a layer, and what lying on it means for a candidate.

    ``effect`` : ``exclude`` leaves the candidate out, ``tell`` only says so in the sheets; ``outside`` : what
    is meant is the land outside the polygons, as with an urban development boundary.
    """

    datum: Datum = "wgs84"
    effect: Literal["exclude", "tell"] = "exclude"
    outside: bool = False


class UnitCost(Part):
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


class SitingPart(Part):
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


class AtlasPart(Part):
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


class ReadingPart(Part):
    """``[reading]``: from which point on what was read is doubted; every share is from 0 to 1.

    ``near_min`` : least share of a table's rows near the roads; with less it is unusable.
    ``far_warn`` : share of rows or people off the roads, or outside the districts, above which is warned.
    ``unsnapped_max`` : share of a target's people without a road above which its data are insufficient.
    ``fragment_min`` : least share of the roads that their largest fragment has.
    ``coarse_share`` : share of the usual reach above which the spacing of residents is coarse.
    ``coarse_people`` : share of people at coarse places above which is warned and checked.
    ``coarse_change`` : change of the rate in that check above which the data are insufficient.
    ``unsure_max`` : what a rate may be off by, for people in cells and polygons, above which they are.
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
    unsure_max: Share = 0.01
    rough_max: Share = 0.25


class StandardPart(Part):
    """``[standard]``: a profile shipped with the package, or a path.

    ``leave_out`` : targets of it that this study does not audit; they are listed without a verdict.
    """

    use: str
    leave_out: tuple[str, ...] = ()
