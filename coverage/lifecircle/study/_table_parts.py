"""The parts of ``study.toml`` that name tables: districts, villages, lists of places, registered figures."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypedDict

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lifecircle.errors import say

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


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TablePart(Part):
    """A table in a file; ``layer``, ``sheet``, ``header_row`` : where in it, see ``tables.read_table``."""

    file: YearlyFile
    layer: str | None = None
    sheet: str | None = None
    header_row: HeaderRow | None = None

    @property
    def where(self) -> TablePlace:
        """Return the layer, sheet and header row, for :func:`lifecircle.tables.read_table`."""
        return {"layer": self.layer, "sheet": self.sheet, "header_row": self.header_row}


class LayerPart(Part):
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
