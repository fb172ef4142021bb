"""Read residents from a population raster: GeoTIFF of any CRS, its bands or files beside it for groups.

The raster is read in windows around the districts, twice: once to see what stands in it, once to keep the
cells with people. A cell that a border cuts is divided by area; what lies in no district is counted as
outside.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.datum import way_between
from lifecircle.demand._cell_values import (
    ValueCount,
    density_doubt,
    too_dense,
    undeclared_nodata,
    value_faults,
)
from lifecircle.demand._districts import disjoint
from lifecircle.demand._raster_cells import (
    Pieces,
    applied,
    corners_of,
    ground_km2,
    pieces_of,
    whole_cells,
    window_of,
)
from lifecircle.errors import Fault, MissingExtraError, MissingFileError, UnusableInputError, say
from lifecircle.tables import is_raster, no_rejects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_log = logging.getLogger(__name__)

MOST_CELLS = 5_000_000
"""Cells with people that are read at most (inclusive)."""

MOST_READ = 2_000_000_000
"""Cells of a file that are looked at, at most (inclusive): a minute or two."""

_SIDE = 1024
_MOST_BLOCK = 1 << 26
_ROUNDING = 1e-6
_DENSITY_WORDS = ("density", "densidad", "_pd_", "per_km", "km2", "密度")


@dataclass(frozen=True, eq=False)
class Surface:
    """Residents as they were made of a raster or of polygons, and what became of the people of the source.

    ``demand`` : as from ``read_demand``, with ``extent_m``, the side of the cell or polygon that the people
    of a row were counted in; ``rejects`` : reject rows; ``found`` : people in the source, or in the part of
    it that was read; ``outside`` : those of them in no district, who are not in ``demand``; ``rows``,
    ``used`` : rows or cells with people in the source, and those that ``demand`` is made of; ``notes`` :
    codes (see ``reason`` in wording), ``doubts`` : those of them to warn of.
    """

    demand: gpd.GeoDataFrame
    rejects: pd.DataFrame
    found: float
    outside: float = 0.0
    rows: int = 0
    used: int = 0
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def read_raster(  # noqa: PLR0913 - one keyword for each key of [demand] in a study
    path: str | Path,
    *,
    population: str = "population",
    groups: Mapping[str, str | Path] | None = None,
    per: Literal["cell", "km2"] = "cell",
    nodata: Sequence[float] = (),
    districts: gpd.GeoDataFrame | None = None,
) -> Surface:
    """Read residents from a population raster.

    1. Cells without data, and values named in ``nodata``, hold nobody. One negative, infinite or impossibly
       large value, or the largest number of the file's type, is taken as no data and named; several are
       faults.
    2. With districts, only the cells around them are read. A cell that a border cuts is divided by area, and
       its parts stand inside their district; people in no district are counted as outside.
    3. A row of the answer is a cell or its part in a district, at its middle.

    Parameters
    ----------
    path : GeoTIFF with a CRS
    population : band of the residents, by number or description; the first where it has no such band
    groups : name of a group -> band by number or description, or another GeoTIFF of the same cells
    per : whether values are people in the cell, or people per square kilometre
    nodata : further values that mean no data
    districts : as from ``read_districts``

    Returns
    -------
    surface : its cells with people; ``extent_m`` is the side of a square as large as a cell

    Raises
    ------
    MissingFileError
        A file is not there.
    MissingExtraError
        Without rasterio.
    UnusableInputError
        No CRS, values that are no people, a group larger than the population, bands that do not lie on each
        other, no cell with people, or too many of them; all faults found together.
    """
    rasterio = _rasterio()
    with ExitStack() as stack:
        bands = _opened(stack, rasterio, Path(path), population, groups or {})
        raster = _Raster(bands, per, tuple(nodata), districts)
        counts = raster.counted()
        return raster.surface(counts)


def _rasterio() -> Any:
    try:
        import rasterio  # noqa: PLC0415 - an extra: only who has rasters needs it
    except ImportError as error:
        raise MissingExtraError("rasterio", "raster") from error
    return rasterio


@dataclass(frozen=True, eq=False)
class _Band:
    """One band of an open file: whose people it counts, and the name of the file in faults."""

    group: str
    file: str
    source: Any
    number: int

    @property
    def where(self) -> tuple[str, str]:
        """File and band, as faults name them."""
        return self.file, say("band {number}", number=self.number)

    def read(self, window: Any) -> Floats:
        """Read a window as float64, NaN for cells that the file declares as no data.

        Raises
        ------
        UnusableInputError
            The file cannot be read.
        """
        try:
            masked = self.source.read(self.number, window=window, masked=True)
        except (_rasterio().errors.RasterioError, OSError) as error:
            raise _unreadable(self.file, error) from error
        values: Floats = np.ma.filled(masked.astype(np.float64), np.nan)
        scale, offset = self.source.scales[self.number - 1], self.source.offsets[self.number - 1]
        return values * scale + offset if (scale, offset) != (1.0, 0.0) else values


def _opened(
    stack: ExitStack, rasterio: Any, path: Path, population: str, groups: Mapping[str, str | Path]
) -> list[_Band]:
    """Open the file of the residents and those of groups, and find the band of each.

    Raises
    ------
    UnusableInputError
        With every file and band at fault.
    """
    first = _open(stack, rasterio, path)
    faults: list[Fault] = []
    number = _number(first, population) or 1
    bands = [_Band("population", str(path), first, number)]
    for group, given in groups.items():
        if is_raster(given):
            other = _open(stack, rasterio, Path(given))
            bands.append(_Band(group, str(given), other, 1))
            if not _same_cells(first, other):
                reason = say("its cells are not those of {file}", file=path.name)
                remedy = say("resample it to the same cells, keeping the sums")
                faults.append(
                    Fault(str(given), say("grid"), f"{other.width} x {other.height}", reason, remedy)
                )
            continue
        found = _number(first, str(given))
        if found is None:
            names = ", ".join(
                [str(at) for at in first.indexes] + [text for text in first.descriptions if text]
            )
            remedy = say("use one of {names}", names=names)
            faults.append(Fault(str(path), f"groups.{group}", str(given), say("no such band"), remedy))
            continue
        bands.append(_Band(group, str(path), first, found))
    for band in bands:
        faults += _unusable(band)
    if faults:
        raise UnusableInputError(dict.fromkeys(faults))
    return bands


def _open(stack: ExitStack, rasterio: Any, path: Path) -> Any:
    if not path.is_file():
        raise MissingFileError([Fault(str(path), "", "", say("no such file"), say("check the path"))])
    try:
        with warnings.catch_warnings():
            # That it lies nowhere is a fault of ours, with a remedy.
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            # Only this driver: GDAL would follow another kind of file to other files and servers.
            return stack.enter_context(rasterio.open(path, driver="GTiff"))
    except (rasterio.errors.RasterioError, OSError, ValueError) as error:
        raise _unreadable(str(path), error) from error


def _unreadable(file: str, error: Exception) -> UnusableInputError:
    why = " ".join(str(error).split())[:200]
    reason = say("cannot be read as a GeoTIFF: {why}", why=why)
    remedy = say("export the raster again as GeoTIFF")
    return UnusableInputError([Fault(file, "", "", reason, remedy)])


def _number(source: Any, text: str) -> int | None:
    """Return the band of a number or a description; None where there is none."""
    plain = text.strip().lower().removeprefix("band").strip()
    if plain.isascii() and plain.isdigit() and int(plain) in source.indexes:
        return int(plain)
    named = [at for at, name in zip(source.indexes, source.descriptions, strict=True) if name == text]
    return named[0] if named else None


def _same_cells(one: Any, other: Any) -> bool:
    """Return whether two rasters have the same cells, to a hundredth of one."""
    if one.crs != other.crs or one.shape != other.shape:
        return False
    size = abs(one.transform.a) + abs(one.transform.b)
    corners = [(0, 0), (one.width, 0), (0, one.height), (one.width, one.height)]
    apart = [np.subtract(applied(one.transform, *at), applied(other.transform, *at)) for at in corners]
    return bool(np.abs(apart).max() <= size / 100)


def _unusable(band: _Band) -> list[Fault]:
    """Return what makes a file unusable before a value is read."""
    source, faults = band.source, []
    if source.crs is None:
        reason = say("the raster has no coordinate system")
        remedy = say("write it into the file: gdal_edit.py -a_srs EPSG:n {file}", file=Path(band.file).name)
        faults.append(Fault(band.file, say("coordinate system"), "", reason, remedy))
    elif source.transform.is_identity or not (
        np.isfinite(source.transform).all() and source.transform.determinant != 0
    ):
        reason = say("the raster says not where its cells lie")
        remedy = say("export it again with its position (a GeoTIFF, or the .tfw file beside it)")
        faults.append(Fault(band.file, say("grid"), "", reason, remedy))
    dtype = np.dtype(source.dtypes[band.number - 1])
    if not (np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)):
        reason, remedy = say("values of this type are no counts of people"), say("export it as float32")
        faults.append(Fault(*band.where, str(dtype), reason, remedy))
    high, wide = source.block_shapes[band.number - 1]
    if high * wide > _MOST_BLOCK:
        reason = say("the file is stored in blocks too large for the memory")
        remedy = say("store it in tiles: gdal_translate -co TILED=YES")
        faults.append(Fault(band.file, "", f"{wide} x {high}", reason, remedy))
    return faults


@dataclass(eq=False)
class _Kept:
    """What is kept of the blocks read so far."""

    pieces: list[Pieces] = field(default_factory=list)
    counts: list[Floats] = field(default_factory=list)
    people: float = 0.0
    cells: int = 0
    used: int = 0
    faults: list[Fault] = field(default_factory=list)
    density: list[tuple[float, float]] = field(default_factory=list)


class _Raster:
    """The bands of a study's residents: looked through once, then read."""

    def __init__(
        self,
        bands: list[_Band],
        per: Literal["cell", "km2"],
        nodata: tuple[float, ...],
        districts: gpd.GeoDataFrame | None,
    ) -> None:
        self.bands, self.per, self.nodata = bands, per, nodata
        self.source = bands[0].source
        try:
            self.crs = pyproj.CRS.from_user_input(self.source.crs.to_wkt())
            self.to_degrees = way_between(self.crs, "EPSG:4326")
        except pyproj.exceptions.ProjError:  # CRSError is one
            raise UnusableInputError([self._no_ground()]) from None
        self.districts = None if districts is None or districts.empty else disjoint(districts)
        self.window = window_of(
            self.source, self.crs, None if self.districts is None else self.districts.total_bounds
        )
        self._check_size(bands[0].file)

    def _check_size(self, file: str) -> None:
        rows, columns = self.window[1] - self.window[0], self.window[3] - self.window[2]
        if rows <= 0 or columns <= 0:
            reason = say("no cell of the raster lies near the districts")
            remedy = say("check its coordinate system ({crs}), or cut it out again", crs=self.crs.to_string())
            raise UnusableInputError([Fault(file, say("grid"), "", reason, remedy)])
        if rows * columns > MOST_READ:
            reason = say("more cells than are looked at: {count:,}", count=rows * columns)
            remedy = say("give districts, around which alone it is read, or cut the raster to the study")
            raise UnusableInputError([Fault(file, say("grid"), "", reason, remedy)])

    def _no_ground(self) -> Fault:
        reason = say("the cells of the raster lie nowhere on the globe")
        remedy = say("check its coordinate system and its position")
        return Fault(self.bands[0].file, say("grid"), str(self.source.crs)[:80], reason, remedy)

    def blocks(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield windows of bounded size: first and last row and column."""
        top, bottom, left, right = self.window
        for row in range(top, bottom, _SIDE):
            for column in range(left, right, _SIDE):
                yield row, min(row + _SIDE, bottom), column, min(column + _SIDE, right)

    def _read(self, band: _Band, block: tuple[int, int, int, int]) -> Floats:
        top, bottom, left, right = block
        values = band.read(((top, bottom), (left, right)))
        for value in self.nodata:
            values[np.isclose(values, value, rtol=1e-6, atol=0.0)] = np.nan
        return values

    def counted(self) -> list[tuple[ValueCount, dict[float, int]]]:
        """Look through every band: what stands in it, and which values are no data undeclared.

        Raises
        ------
        UnusableInputError
            With the values of all bands that are no people.
        """
        found, faults = [], []
        for band in self.bands:
            count = ValueCount()
            for block in self.blocks():
                count.add(self._read(band, block).ravel())
            hidden = undeclared_nodata(count, band.source.dtypes[band.number - 1])
            faults += value_faults(count, hidden, band.where)
            found.append((count, hidden))
        if faults:
            raise UnusableInputError(faults)
        return found

    def surface(self, counts: list[tuple[ValueCount, dict[float, int]]]) -> Surface:
        """Read the cells with people.

        Raises
        ------
        UnusableInputError
            No cell has people, too many have, one has more than its ground can hold, or a group is larger
            than the population.
        """
        kept = _Kept()
        for block in self.blocks():
            self._keep(kept, block, [hidden for _, hidden in counts])
            if len(kept.faults) >= _MOST_FAULTS:
                break
        file = self.bands[0].file
        if not kept.faults and not kept.used:
            reason, remedy = say("no cell with people"), say("check the band, and its value for no data")
            kept.faults.append(Fault(*self.bands[0].where, "", reason, remedy))
        if kept.faults:
            raise UnusableInputError(kept.faults[:_MOST_FAULTS])
        demand = self._demand(kept)
        notes, doubts = self._notes(kept, counts)
        inside = float(demand["population"].sum())
        _log.debug("%s: %d cells with people, %d rows", file, kept.cells, len(demand))
        return Surface(
            demand=demand,
            rejects=no_rejects(),
            found=kept.people,
            outside=max(kept.people - inside, 0.0),
            rows=kept.cells,
            used=kept.used,
            notes=(*notes, *doubts),
            doubts=doubts,
        )

    def _keep(self, kept: _Kept, block: tuple[int, int, int, int], hidden: list[dict[float, int]]) -> None:
        """Keep the cells of a block that have people, cut at the borders of districts."""
        layers = []
        for band, values in zip(self.bands, hidden, strict=True):
            layer = self._read(band, block)
            for value in values:
                layer[layer == value] = np.nan
            layers.append(layer)
        rows, columns = np.nonzero(np.nan_to_num(layers[0]) > 0)
        if not len(rows):
            return
        corners = corners_of(self.source, self.to_degrees, block, (rows, columns))
        area = ground_km2(corners)[rows, columns]
        if not (area > 0).all():  # NaN is not
            raise UnusableInputError([self._no_ground()])
        raw = np.column_stack([layer[rows, columns] for layer in layers])
        people = raw * area[:, None] if self.per == "km2" else raw
        cells = np.column_stack([rows + block[0] + 1, columns + block[2] + 1])
        kept.faults += too_dense(people[:, 0] / area, cells, raw[:, 0], self.bands[0].where)
        kept.faults += self._group_faults(people, cells)
        kept.density.append((float((people[:, 0] ** 2 / area).sum()), float(people[:, 0].sum())))
        people = np.minimum(np.nan_to_num(people), people[:, :1])
        kept.people += float(people[:, 0].sum())
        kept.cells += len(rows)
        quads = corners.quads(rows, columns)
        pieces = whole_cells(quads) if self.districts is None else pieces_of(quads, self.districts)
        kept.used += len(np.unique(pieces.cell))
        kept.pieces.append(pieces.at(cells, np.sqrt(area) * 1000.0))
        kept.counts.append(people[pieces.cell] * pieces.share[:, None])
        if sum(len(part) for part in kept.counts) > MOST_CELLS:
            reason = say("more cells with people than are read: {count:,}", count=MOST_CELLS)
            remedy = say("give districts, cut the raster to the study, or join cells by their sums")
            raise UnusableInputError([Fault(self.bands[0].file, say("grid"), "", reason, remedy)])

    def _group_faults(self, people: Floats, cells: npt.NDArray[np.intp]) -> list[Fault]:
        """Return faults of cells whose group is unknown, or larger than everybody there."""
        faults = []
        for at, band in enumerate(self.bands[1:], 1):
            unknown = np.isnan(people[:, at])
            larger = ~unknown & (people[:, at] > people[:, 0] * (1 + _ROUNDING) + _ROUNDING)
            for wrong, reason, remedy in (
                (
                    unknown,
                    say("no value for group {group} where people live", group=band.group),
                    say("fill the cell, with 0 where nobody belongs to the group"),
                ),
                (
                    larger,
                    say("group {group} is larger than the population", group=band.group),
                    say("mend one of the two counts"),
                ),
            ):
                if wrong.any():
                    first = int(np.flatnonzero(wrong)[0])
                    where = say(
                        "{band}, row {row}, column {column} ({count} cells)",
                        band=band.where[1],
                        row=cells[first][0],
                        column=cells[first][1],
                        count=int(wrong.sum()),
                    )
                    faults.append(Fault(band.file, where, f"{people[first, at]:g}", reason, remedy))
        return faults

    def _demand(self, kept: _Kept) -> gpd.GeoDataFrame:
        pieces = Pieces.joined(kept.pieces)
        values = np.concatenate(kept.counts)
        labels = [""] * len(values)
        if self.districts is not None:
            codes = self.districts.index.astype("str").to_numpy(dtype=object)
            labels = [
                f":{code}" if cut else "" for code, cut in zip(codes[pieces.unit], pieces.cut, strict=True)
            ]
        names = [f"r{row}c{column}{end}" for (row, column), end in zip(pieces.place, labels, strict=True)]
        columns = {band.group: values[:, at] for at, band in enumerate(self.bands)}
        return gpd.GeoDataFrame(
            {**columns, "extent_m": pieces.extent_m},
            index=pd.Index(names, name="id", dtype="str"),
            geometry=shapely.points(pieces.point),
            crs="EPSG:4326",
        )

    def _notes(
        self, kept: _Kept, counts: list[tuple[ValueCount, dict[float, int]]]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return remarks for the reading report, and those to warn of."""
        top, bottom, left, right = self.window
        read, there = (bottom - top) * (right - left), self.source.width * self.source.height
        notes = [f"raster_cells:{self.source.width}|{self.source.height}|{self.source.crs.to_string()[:60]}"]
        if read < there:
            notes.append(f"raster_window:{read:,}|{there:,}")
        if counts[0][0].missing:
            notes.append(f"raster_missing:{counts[0][0].missing:,}")
        found: dict[tuple[str, float], tuple[list[str], int]] = {}
        for band, (_, hidden) in zip(self.bands, counts, strict=True):
            for value, cells in hidden.items():
                numbers, most = found.get((Path(band.file).name, value), ([], 0))
                found[Path(band.file).name, value] = [*numbers, str(band.number)], max(most, cells)
        doubts = [
            f"raster_nodata:{file}|{', '.join(numbers)}|{value:g}|{cells:,}"
            for (file, value), (numbers, cells) in found.items()
        ]
        squares, people = np.sum(kept.density, axis=0)
        words = " ".join([Path(self.bands[0].file).name, *(text or "" for text in self.source.descriptions)])
        named = any(word in words.lower() for word in _DENSITY_WORDS)
        doubt = density_doubt(np.array([squares / people]), np.array([people]), per=self.per, named=named)
        return tuple(notes), (*doubts, *([doubt] if doubt else []))


_MOST_FAULTS = 20
