"""The parts of ``study.toml`` that say where residents live, and what their units were before."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from lifecircle.errors import say
from lifecircle.study._table_parts import Datum, Part, TablePart, YearlyFile
from lifecircle.tables import is_raster


class SpreadPart(Part):
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
