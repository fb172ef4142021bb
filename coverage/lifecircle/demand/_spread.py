"""Spread the people of polygons: evenly, or over buildings or residential land, to a grid or to buildings.

A polygon's people stay in it, to the person. Where it has no building, they are spread evenly, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from lifecircle.datum import metre_crs, to_wgs84, way_between
from lifecircle.demand._cell_values import MOST_PER_KM2
from lifecircle.demand._raster import MOST_CELLS, Surface
from lifecircle.demand._raster_cells import inner_points
from lifecircle.demand._residents import counted_rows
from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.tables import (
    Column,
    Schema,
    check_table,
    join_rejects,
    plain_texts,
    read_table,
    reject_rows,
    rejected_rows,
    too_many_rejects,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lifecircle.tables import Source, Table

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

GRID_M = 100.0
"""Side of the grid where a study gives none."""

_POLYGONS = (3, 6)
_OVERLAP = 0.01
_SLIVER_M2 = 1e-3
_NAMED = 5


@dataclass(frozen=True, eq=False)
class Ground:
    """Buildings or land that people are spread over.

    ``shapes`` : (feature,) polygons in WGS84; ``weight`` : (feature,) what a whole feature weighs, per square
    metre where ``by_area``; ``rows``, ``used`` : rows of the layer, and those used; ``notes`` : codes.
    """

    shapes: Any
    weight: Floats
    by_area: bool
    rejects: pd.DataFrame
    rows: int
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> int:
        """Return the number of features that people are spread over."""
        return len(self.shapes)


def read_ground(  # noqa: PLR0913 - one keyword for each key of [demand.spread] in a study
    source: Source,
    *,
    weight: str | None = None,
    floors: str | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
    datum: str = "wgs84",
    max_rejected: float = 0.05,
) -> Ground:
    """Read buildings or residential land.

    Parameters
    ----------
    source : layer of polygons
    weight : column that weighs a feature by itself, such as its dwellings; left out, its area does
    floors : column of floors, by which the area is multiplied; a blank cell is one floor, and counted
    only : column -> values that count as residential; left out, every feature does
    datum : of its coordinates, where the layer does not say
    max_rejected : largest share of rows that may be rejected (inclusive)

    Returns
    -------
    ground : features with a weight

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A column is missing, there is no polygon, or more than ``max_rejected`` of the rows are rejected.
    """
    table = read_table(source)
    if getattr(table.frame, "active_geometry_name", None) is None:
        remedy = say("give a layer of polygons (gpkg, shp, geojson, parquet)")
        reason = say("buildings or land without polygons")
        raise UnusableInputError([Fault(table.name, "", "", reason, remedy)])
    named = {"weight": weight, "floors": floors, **{f"only {name}": name for name in only or {}}}
    mapped = {name: column for name, column in named.items() if column is not None}
    columns = tuple(
        Column(name, "text", say("use of the land"), required=True)
        if name.startswith("only ")
        else Column(name, "number", say("weight of the feature"), required=True, low=0.0)
        for name in mapped
    )
    checked = check_table(table, Schema("ground", columns), columns=mapped)
    shapes = _valid(to_wgs84(table.frame, datum=datum, file=table.name).geometry.to_numpy())
    drawn = ~shapely.is_missing(shapes)
    rejects = join_rejects([checked.rejects, _undrawn(table, drawn)])
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    keep = drawn & ~table.frame.index.isin(rejects["row"])
    for name, values in (only or {}).items():
        keep &= plain_texts(checked.frame[f"only {name}"]).isin(list(values)).to_numpy()
    factor = np.ones(len(table.frame))
    notes = []
    for name in ("weight", "floors"):
        if name in checked.frame:
            factor = checked.frame[name].to_numpy(dtype=float)
            blank = np.isnan(factor) & keep
            factor = np.where(np.isnan(factor), 1.0 if name == "floors" else 0.0, factor)
            if blank.any():
                notes.append(f"ground_{name}_blank:{int(blank.sum())}")
    keep &= factor > 0
    if not keep.any():
        reason, remedy = (
            say("no building or land with a weight"),
            say("check the columns and values that count"),
        )
        raise UnusableInputError([Fault(table.name, "", "", reason, remedy)])
    return Ground(shapes[keep], factor[keep], weight is None, rejects, len(table.frame), tuple(notes))


def _undrawn(table: Table, drawn: npt.NDArray[np.bool_]) -> pd.DataFrame:
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[~drawn],
        column="geometry",
        value="",
        reason=say("no polygon"),
        remedy=say("draw the polygon, or delete the row"),
    )


def _valid(shapes: Any) -> Any:
    """Return the polygons of shapes, repaired where they cross themselves; None where there is none."""
    found = np.full(len(shapes), None, dtype=object)
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    mended = shapely.make_valid(np.where(finite, shapes, None))
    area = np.isin(shapely.get_type_id(mended), _POLYGONS)
    found[area] = mended[area]
    # Repaired shapes may have lines beside their polygons.
    for at in np.flatnonzero(shapely.get_type_id(mended) == 7):
        parts = shapely.get_parts(mended[at])
        parts = parts[np.isin(shapely.get_type_id(parts), _POLYGONS)]
        found[at] = shapely.union_all(parts) if len(parts) else None
    found[shapely.area(found) <= 0] = None
    return found


def read_spread(  # noqa: PLR0913 - one keyword for each key of [demand] in a study
    source: Source,
    *,
    population: str = "population",
    groups: Mapping[str, str] | None = None,
    datum: str = "wgs84",
    columns: Mapping[str, str] | None = None,
    ground: Ground | None = None,
    to: Literal["grid", "buildings"] = "grid",
    grid_m: float = GRID_M,
    crs: Any = None,
    max_rejected: float = 0.05,
) -> Surface:
    """Read polygons with people, and spread the people of each over its ground; rows of points stay points.

    Parameters
    ----------
    source : layer of polygons with counts
    population, groups, datum, columns, max_rejected : as for ``read_demand``
    ground : buildings or land, as from :func:`read_ground`; left out, people live evenly all over
    to : ``grid``, a row for each polygon and cell; ``buildings``, one for each polygon and feature
    grid_m : side of the cells
    crs : metre CRS of the grid; left out, that of the area

    Returns
    -------
    surface : rows inside their polygon; groups are spread as the population is. ``extent_m`` is the side of
        a square as large as the polygon, or as the feature; ``counted_in`` the id of the polygon for its
        parts, of the row itself where it is a whole building or cell

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        As for ``read_demand``; also where the grid would have too many cells.
    """
    rows = counted_rows(
        source,
        population=population,
        groups=groups,
        datum=datum,
        columns=columns,
        max_rejected=max_rejected,
    )
    table, demand = rows.table, rows.frame
    shapes = np.full(len(demand), None, dtype=object)
    broken = np.zeros(len(demand), dtype=bool)
    if getattr(table.frame, "active_geometry_name", None) is not None:
        raw = to_wgs84(table.frame, datum=datum, file=table.name).geometry.to_numpy()
        drawn = np.isin(shapely.get_type_id(raw), _POLYGONS)
        shapes = _valid(np.where(drawn, raw, None))
        broken = drawn & ~shapely.is_valid(raw) & ~shapely.is_missing(shapes)
    good = rows.good
    metres = pyproj.CRS.from_user_input(crs) if crs is not None else _crs_of(demand)
    flat = np.full(len(shapes), None, dtype=object)
    flat[good] = _projected(shapes[good], metres)
    crowded = _crowded(table, demand, flat, good)
    rejects = join_rejects([rows.rejects, crowded]) if len(crowded) else rows.rejects
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    good = good & ~table.frame.index.isin(crowded["row"])
    demand, flat, numbers = demand[good], flat[good], table.frame.index.to_numpy()[good]
    notes, doubts = [], _overlaps(flat, demand["population"].to_numpy(dtype=float), numbers)
    if (broken & good).any():
        listed = ", ".join(str(row) for row in table.frame.index[broken & good][:_NAMED])
        notes.append(f"polygons_mended:{int((broken & good).sum())}|{listed}")
    pieces, bare = _pieces(flat, ground, metres, to=to, grid_m=grid_m, file=table.name)
    if len(bare):
        people = float(demand["population"].iloc[bare].sum())
        notes.append(f"spread_evenly:{len(bare)}|{people:,.0f}")
    spread = _spread_rows(demand, pieces, flat, metres)
    return Surface(
        demand=spread,
        rejects=table.as_seen(rejects),
        found=float(demand["population"].sum()),
        rows=len(table.frame),
        used=len(table.frame) - rejected_rows(rejects),
        notes=(*notes, *doubts),
        doubts=doubts,
    )


def _crs_of(demand: gpd.GeoDataFrame) -> pyproj.CRS:
    return metre_crs(demand.geometry.x.to_numpy(), demand.geometry.y.to_numpy())


def _projected(shapes: Any, crs: pyproj.CRS) -> Any:
    forward = way_between("EPSG:4326", crs)
    return shapely.transform(shapes, lambda xy: np.column_stack(forward.transform(xy[:, 0], xy[:, 1])))


def _crowded(table: Table, demand: gpd.GeoDataFrame, flat: Any, good: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return reject rows for polygons with more people than can live on their ground."""
    km2 = shapely.area(flat) / 1e6
    people = demand["population"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = good & (km2 > 0) & (people / km2 > MOST_PER_KM2)
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[wrong],
        column="population",
        value=people[wrong],
        reason=[say("more people than can live on {area} km2", area=f"{area:.4g}") for area in km2[wrong]],
        remedy=say("mend the count, or the polygon"),
    )


def _overlaps(flat: Any, people: Floats, rows: Any) -> tuple[str, ...]:
    """Return a code that names overlapping polygons, with the people who may be counted twice."""
    known = np.flatnonzero(~shapely.is_missing(flat))
    one, other = shapely.STRtree(flat[known]).query(flat[known], predicate="intersects")
    one, other = known[one[one < other]], known[other[one < other]]
    common = shapely.area(shapely.intersection(flat[one], flat[other]))
    area = shapely.area(flat)
    wrong = common > _OVERLAP * np.minimum(area[one], area[other])
    if not wrong.any():
        return ()
    one, other, common = one[wrong], other[wrong], common[wrong]
    twice = np.minimum(people[one] * common / area[one], people[other] * common / area[other]).sum()
    pairs = ", ".join(f"{rows[a]}-{rows[b]}" for a, b in list(zip(one, other, strict=True))[:_NAMED])
    return (f"polygons_overlap:{len(one)}|{pairs}|{twice:,.0f}",)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Parts of polygons: (part,) polygon, weight, shape in metres, label, side of origin, cut from it."""

    polygon: Ints
    weight: Floats
    shape: Any
    label: npt.NDArray[np.object_]
    extent_m: Floats
    cut: npt.NDArray[np.bool_]

    def take(self, which: Any) -> _Parts:
        """Return some of the parts, by position or flag."""
        return _Parts(
            self.polygon[which],
            self.weight[which],
            self.shape[which],
            self.label[which],
            self.extent_m[which],
            self.cut[which],
        )

    @classmethod
    def joined(cls, parts: Sequence[_Parts]) -> _Parts:
        """Return the parts of several one after another."""
        names = cls.__dataclass_fields__
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _pieces(  # noqa: PLR0913 - polygons, what they are spread over, and how
    flat: Any, ground: Ground | None, crs: pyproj.CRS, *, to: str, grid_m: float, file: str
) -> tuple[_Parts, Ints]:
    """Return the parts people are spread over, and the positions of polygons without ground of their own."""
    drawn = np.flatnonzero(~shapely.is_missing(flat))
    whole = _whole(flat, drawn)
    if ground is None:
        return _gridded(whole, grid_m, file), np.zeros(0, dtype=np.intp)
    on = _on_ground(flat, drawn, ground, crs)
    bare = np.setdiff1d(drawn, on.polygon)
    evenly = _gridded(_whole(flat, bare), grid_m, file)
    return _Parts.joined([on if to == "buildings" else _gridded(on, grid_m, file), evenly]), bare


def _whole(flat: Any, which: Ints) -> _Parts:
    area = shapely.area(flat[which])
    labels = np.full(len(which), "", dtype=object)
    return _Parts(which, area, flat[which], labels, np.sqrt(area), np.zeros(len(which), dtype=bool))


def _on_ground(flat: Any, drawn: Ints, ground: Ground, crs: pyproj.CRS) -> _Parts:
    """Cut buildings or land at the polygons' borders: a part of a feature has that share of its weight."""
    features = _projected(ground.shapes, crs)
    tree = shapely.STRtree(features)
    polygon, feature = tree.query(flat[drawn], predicate="intersects")
    inside = tree.query(flat[drawn], predicate="covers")
    uncut = np.isin(polygon * len(features) + feature, inside[0] * len(features) + inside[1])
    shape = features[feature].copy()
    shape[~uncut] = shapely.intersection(shape[~uncut], flat[drawn][polygon[~uncut]])
    area, full = shapely.area(shape), shapely.area(features)
    weight = ground.weight[feature] * (area if ground.by_area else area / full[feature])
    labels = np.array([str(number) for number in range(1, len(features) + 1)], dtype=object)
    keep = (area > _SLIVER_M2) & (weight > 0)
    whole = np.zeros(len(weight), dtype=bool)
    parts = _Parts(drawn[polygon], weight, shape, labels[feature], np.sqrt(full[feature]), whole)
    return parts.take(np.flatnonzero(keep))


def _gridded(parts: _Parts, grid_m: float, file: str) -> _Parts:
    """Cut parts along a grid whose lines are multiples of its side, and join what lies in one cell."""
    low = np.floor(shapely.bounds(parts.shape) / grid_m)
    spans = (low[:, 2:] - low[:, :2] + 1).prod(axis=1) if len(low) else np.zeros(0)
    if spans.sum() > MOST_CELLS:
        reason = say("the grid would have more than {count:,} cells", count=MOST_CELLS)
        remedy = say("widen it (grid_m), or leave out polygons without people")
        raise UnusableInputError([Fault(file, "grid_m", f"{grid_m:g}", reason, remedy)])
    found = []
    for at, (left, bottom, right, top) in enumerate(low):
        lines = np.meshgrid(np.arange(left, right + 1), np.arange(bottom, top + 1))
        column, row = (axis.ravel() for axis in lines)
        shape: Any = np.array([parts.shape[at]], dtype=object)
        share = np.ones(1)
        if len(column) > 1:
            boxes = shapely.box(column * grid_m, row * grid_m, (column + 1) * grid_m, (row + 1) * grid_m)
            shapely.prepare(parts.shape[at])
            shape = np.where(
                shapely.covers(parts.shape[at], boxes), boxes, shapely.intersection(boxes, parts.shape[at])
            )
            share = shapely.area(shape) / shapely.area(parts.shape[at])
        keep = shapely.area(shape) > _SLIVER_M2
        found.append(
            _Parts(
                np.full(int(keep.sum()), parts.polygon[at]),
                parts.weight[at] * share[keep],
                shape[keep],
                np.array([f"{c:.0f}_{r:.0f}" for c, r in zip(column[keep], row[keep], strict=True)], object),
                np.full(int(keep.sum()), parts.extent_m[at]),
                np.full(int(keep.sum()), keep.sum() > 1 and parts.extent_m[at] > grid_m),
            )
        )
    return _merged(_Parts.joined(found), grid_m) if found else parts


def _merged(parts: _Parts, grid_m: float) -> _Parts:
    """Join the parts of one polygon in one cell: their weight, at the part nearest to their middle.

    What is joined stands at one place for the whole cell, so that its extent is at least the cell.
    """
    key = pd.MultiIndex.from_arrays([parts.polygon, parts.label])
    codes, _ = pd.factorize(key)
    if len(np.unique(codes)) == len(codes):
        return parts
    xy = shapely.get_coordinates(shapely.centroid(parts.shape))
    weight: Floats = np.bincount(codes, weights=parts.weight).astype(np.float64)
    middle = np.column_stack([np.bincount(codes, weights=parts.weight * axis) / weight for axis in xy.T])
    apart = np.hypot(*(xy - middle[codes]).T)
    order = np.lexsort((np.arange(len(codes)), apart, codes))
    first = order[np.searchsorted(codes[order], np.arange(len(weight)))]
    extent = np.zeros(len(weight))
    np.maximum.at(extent, codes, parts.extent_m)
    extent = np.where(np.bincount(codes) > 1, np.maximum(extent, grid_m), extent)
    cut = np.bincount(codes, weights=parts.cut) > 0
    return _Parts(parts.polygon[first], weight, parts.shape[first], parts.label[first], extent, cut)


def _spread_rows(demand: gpd.GeoDataFrame, parts: _Parts, flat: Any, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Return the rows of the parts, and the rows without a polygon as they are."""
    sums = np.bincount(parts.polygon, weights=parts.weight, minlength=len(demand))
    share = parts.weight / sums[parts.polygon]
    back = way_between(crs, "EPSG:4326")
    lon, lat = back.transform(*shapely.get_coordinates(inner_points(parts.shape)).T)
    order = np.lexsort((np.arange(len(share)), parts.polygon))
    own = demand.iloc[parts.polygon[order]]
    counts = [name for name in demand.columns if name not in {"district", "village", "geometry", "extent_m"}]
    spread = own.assign(**{name: own[name].to_numpy() * share[order] for name in counts})
    names = [f"{row}:{label}" for row, label in zip(own.index, parts.label[order], strict=True)]
    spread = spread.set_axis(pd.Index(names, name="id", dtype="str"))
    spread = spread.set_geometry(gpd.points_from_xy(lon[order], lat[order], crs="EPSG:4326"))
    spread["extent_m"] = parts.extent_m[order]
    # People of a building live there. Those of a polygon, or of land wider than the grid, anywhere in it.
    spread["counted_in"] = np.where(parts.cut[order], own.index.astype("str"), spread.index)
    rest = demand[shapely.is_missing(flat)]
    if rest.empty:
        return spread
    rest = rest.set_axis(rest.index.astype("str").rename("id")).assign(extent_m=np.nan)
    rest["counted_in"] = rest.index.astype("str")
    return gpd.GeoDataFrame(pd.concat([spread, rest]), crs="EPSG:4326")
