"""Read and clean a list of candidate sites, and find the excluded land that each is on.

This module knows no roads, residents or targets; which candidate is worth building is computed above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.spatial import cKDTree

from lifecircle.datum import PLACE_KEYS, areas, locate, to_wgs84
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.tables import (
    Column,
    Schema,
    check_table,
    join_rejects,
    nearest_name,
    no_rejects,
    read_table,
    reject_rows,
    row_labels,
    strange_names,
    too_many_rejects,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from lifecircle.tables import Checked, Source, Table

_ID = Column("id", "text", say("what the candidate is called by, unique in the file"))

CANDIDATE_COLUMNS = Schema(
    "candidates",
    (
        Column("name", "text", say("what people call the place")),
        Column("works", "text", say("kind of works, such as new_building")),
        Column("tenure", "text", say("whose the land or building is")),
        Column("land_use", "text", say("planned use of the land")),
        Column("cost", "number", say("estimated cost"), unit="10,000 yuan", low=0.0),
        Column("suitability", "number", say("how suitable, 0 to 1"), low=0.0),
        Column("services", "text", say("service ids it would give, with ; between them")),
        Column("required", "flag", say("must be built")),
        Column("forbidden", "flag", say("must not be built")),
    ),
    part="[siting]",
)
"""Columns of a candidate table, beside ``area`` (its polygon or None); index ``id``, EPSG:4326."""

SAME_PLACE_M = 10.0
"""Candidates of the same services nearer than this are one (inclusive)."""

OVERLAP_M2 = 1.0
"""A parcel lies on some land when more of it than this does; a point when it is inside or on the border."""

_POLYGONS = (3, 6)
_TOUCH_M = 1e-3
_SLACK = 1.01  # what the scale of a projection may change a distance


def read_candidates(
    source: Source,
    *,
    datum: str = "wgs84",
    columns: Mapping[str, str] | None = None,
    known_services: Iterable[str] | None = None,
    max_rejected: float = 0.05,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read a list of candidate sites: points, or polygons such as parcels, buildings and school grounds.

    A polygon counts at its centroid, or at a point inside it where the centroid is outside.

    Parameters
    ----------
    source : table with a geometry, or ``lon`` and ``lat``
    datum : of its coordinates
    columns : canonical name -> name of the column in the file
    known_services : ids a row may name; left out, any may stand
    max_rejected : largest share of rows that may be rejected (inclusive)

    Returns
    -------
    candidates : GeoDataFrame
        Columns of :data:`CANDIDATE_COLUMNS` (texts empty, ``cost`` and ``suitability`` NaN, flags False where
        the file says nothing), ``area`` (its polygon in EPSG:4326 or None), points; index ``id``
    rejects : one row for each fault, and for each candidate that repeats one above it

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        Missing columns, unknown services, required and forbidden at once, or too many rejects.

    >>> table = pd.DataFrame({"id": ["a"], "name": ["Yard"], "lon": [120.9], "lat": [30.5]})
    >>> candidates, rejects = read_candidates(table)
    >>> candidates["name"].to_dict(), len(rejects)
    ({'a': 'Yard'}, 0)
    """
    table = read_table(source)
    faults = FaultLog()
    mapped = dict(columns or {})
    with faults.catching():
        schema = Schema(CANDIDATE_COLUMNS.name, (_ID, *CANDIDATE_COLUMNS.columns), CANDIDATE_COLUMNS.part)
        for fault in strange_names(mapped, (*schema.names, *PLACE_KEYS), file=table.name):
            faults.add(fault)
        checked = check_table(table, schema, columns=mapped)
    with faults.catching():
        located = locate(table.frame, datum=datum, file=table.name, columns=mapped)
    with faults.catching():
        drawn = areas(table.frame, datum=datum, file=table.name)
    faults.raise_any()
    # Faults of the file, not of rows: a required candidate that is silently left out changes the plan.
    for fault in (*_unknown_services(table, checked, known_services), *_contradictions(table, checked)):
        faults.add(fault)
    placeless = located.reason != ""
    rejects = join_rejects(
        [
            checked.rejects,
            reject_rows(
                table.name,
                table.frame.index.to_numpy()[placeless],
                column=located.column[placeless],
                value=located.value[placeless],
                reason=located.reason[placeless],
                remedy=located.remedy[placeless],
            ),
        ]
    )
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        faults.add(excess)
    faults.raise_any()
    # The polygon is kept beside the point: excluded land is measured on the parcel, the way on the point.
    frame = _filled(checked).assign(area=drawn)
    candidates = gpd.GeoDataFrame(frame, geometry=_inside(located.points, drawn), crs="EPSG:4326")
    candidates = candidates.set_axis(row_labels(table, checked.found.get("id")).astype("str"))
    good = ~table.frame.index.isin(rejects["row"])
    kept, repeated = merge_candidates(candidates[good], file=table.name, rows=table.frame.index[good])
    return kept, join_rejects([rejects, repeated])


def merge_candidates(
    candidates: gpd.GeoDataFrame, *, file: str, rows: pd.Index[Any]
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return candidates without repetitions: the same services within :data:`SAME_PLACE_M`.

    A row that is required is kept before one that is not.

    Parameters
    ----------
    candidates : as from :func:`read_candidates`
    file : name of the file
    rows : row number of each candidate in the file

    Returns
    -------
    candidates : without the repeated ones
    rejects : one row for each repeated candidate
    """
    if len(candidates) < 2:
        return candidates, no_rejects()
    metres = candidates.geometry.to_crs(candidates.estimate_utm_crs())
    places = np.column_stack([metres.x, metres.y])
    # Required rows first, so that of two equal sites the required one is kept.
    order = np.argsort(~candidates["required"].to_numpy(dtype=bool), kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    pairs = cKDTree(places).query_pairs(SAME_PLACE_M * _SLACK, output_type="ndarray")
    lon, lat = candidates.geometry.x.to_numpy(), candidates.geometry.y.to_numpy()
    one, other = pairs.T
    # The tree measures in a UTM zone, whose scale differs a little: it only finds the pairs to measure.
    _, _, apart_m = pyproj.Geod(ellps="WGS84").inv(lon[one], lat[one], lon[other], lat[other])
    pairs = pairs[np.asarray(apart_m) <= SAME_PLACE_M + _TOUCH_M]
    services = candidates["services"].to_numpy(dtype=object)
    stands = np.arange(len(candidates))
    first = np.where(rank[pairs[:, 0]] < rank[pairs[:, 1]], pairs[:, 0], pairs[:, 1])
    later = pairs.sum(axis=1) - first
    for one, other in sorted(zip(first, later, strict=True), key=lambda pair: (rank[pair[0]], rank[pair[1]])):
        # Compared with kept rows only: in a chain of three near sites the outer two both stay.
        if services[one] == services[other] and stands[one] == one and stands[other] == other:
            stands[other] = one
    gone = np.flatnonzero(stands != np.arange(len(candidates)))
    rejects = reject_rows(
        file,
        rows.to_numpy()[gone],
        column="geometry",
        value=candidates["name"].to_numpy(dtype=object)[gone],
        reason=[
            say("the same place as candidate {label}", label=candidates.index[one]) for one in stands[gone]
        ],
        remedy=say("delete one of the two rows"),
    )
    return candidates[stands == np.arange(len(candidates))], rejects


def on_land(candidates: gpd.GeoDataFrame, land: gpd.GeoDataFrame, *, crs: Any) -> npt.NDArray[np.bool_]:
    """Return which candidates are on some land.

    Parameters
    ----------
    candidates : as from :func:`read_candidates`; one with an ``area`` lies on the land when it overlaps it by
        more than :data:`OVERLAP_M2`
    land : polygons
    crs : metre CRS to measure in

    Returns
    -------
    on : (candidate,) bool

    >>> yard = gpd.GeoDataFrame(geometry=[shapely.Point(120.9, 30.5)], crs="EPSG:4326")
    >>> farm = gpd.GeoDataFrame(geometry=[shapely.box(120, 30, 121, 31)], crs="EPSG:4326")
    >>> on_land(yard.assign(area=None), farm, crs="EPSG:4549").tolist()
    [True]
    """
    tree = shapely.STRtree(shapely.make_valid(land.to_crs(crs).geometry.to_numpy()))
    points = candidates.geometry.to_crs(crs).to_numpy()
    inside = np.zeros(len(candidates), dtype=bool)
    inside[tree.query(points, predicate="intersects")[0]] = True
    areas = gpd.GeoSeries(candidates["area"].to_numpy(), crs="EPSG:4326").to_crs(crs).to_numpy()
    drawn = np.flatnonzero(~shapely.is_missing(areas))
    row, shape = tree.query(areas[drawn], predicate="intersects")
    overlap = np.zeros(len(candidates))
    np.add.at(
        overlap, drawn[row], shapely.area(shapely.intersection(areas[drawn[row]], tree.geometries[shape]))
    )
    inside[drawn] = overlap[drawn] > OVERLAP_M2
    return inside


def read_land(source: Source, *, datum: str = "wgs84") -> gpd.GeoDataFrame:
    """Read the polygons of one kind of land, such as permanent farmland, in EPSG:4326.

    Parameters
    ----------
    source : layer of polygons
    datum : of its coordinates, where the layer does not state it

    Returns
    -------
    land : polygons in EPSG:4326, repaired where they cross themselves

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        It holds no polygons.
    """
    table = read_table(source)
    if getattr(table.frame, "active_geometry_name", None) is None:
        remedy = say("give a layer of polygons (gpkg, shp, geojson, parquet)")
        fault = Fault(table.name, "", "", say("no polygons in it"), remedy)
        raise UnusableInputError([fault])
    land = to_wgs84(table.frame, datum=datum, file=table.name)
    kind = shapely.get_type_id(land.geometry.to_numpy())
    wrong = ~np.isin(kind, (-1, *_POLYGONS))
    if wrong.any():
        row = table.frame.index[int(wrong.argmax())]
        found = land.geometry.iloc[int(wrong.argmax())].geom_type
        reason, remedy = say("land is drawn as polygons"), say("delete what is none")
        fault = Fault(table.name, f"row {row}", found, reason, remedy)
        raise UnusableInputError([fault])
    shapes = land.geometry.to_numpy()
    nothing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    endless = table.frame.index[~nothing & ~np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    if len(endless):
        reason, remedy = (
            say("no polygon on the globe"),
            say("draw the shape of this row again, or delete the row"),
        )
        raise UnusableInputError(
            [Fault(table.name, say("row {row}", row=row), "", reason, remedy) for row in endless]
        )
    return (
        land[["geometry"]]
        if land.geometry.name == "geometry"
        else land.rename_geometry("geometry")[["geometry"]]
    )


def _inside(points: npt.NDArray[np.object_], areas: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return points with those outside their own polygon moved into it."""
    out = points.copy()
    for at, (point, area) in enumerate(zip(points, areas, strict=True)):
        if point is not None and area is not None and not shapely.covers(area, point):
            out[at] = shapely.point_on_surface(area)
    return out


def _filled(checked: Checked) -> pd.DataFrame:
    """Return the declared columns in order, those the file lacks filled with empty values."""
    rows, frame = checked.frame.index, checked.frame
    out: dict[str, Any] = {}
    for column in CANDIDATE_COLUMNS.columns:
        if column.kind == "text":
            given = frame.get(column.name, pd.Series("", index=rows))
            out[column.name] = given.fillna("").astype("str")
        elif column.kind == "flag":
            given = frame.get(column.name, pd.Series(pd.NA, index=rows, dtype="boolean"))
            out[column.name] = given.fillna(value=False).astype(bool)
        else:
            out[column.name] = frame.get(column.name, pd.Series(np.nan, index=rows, dtype="float64"))
    return pd.DataFrame(out, index=rows)


def service_list(text: str) -> tuple[str, ...]:
    """Return the services of a cell.

    Parameters
    ----------
    text : services separated by commas, semicolons, bars or blanks

    Returns
    -------
    services : ids, in order

    >>> service_list("library; gym；")
    ('library', 'gym')
    """
    return tuple(part.strip() for part in text.replace("；", ";").split(";") if part.strip())


def _unknown_services(table: Table, checked: Checked, known: Iterable[str] | None) -> list[Fault]:
    if known is None or "services" not in checked.frame:
        return []
    names, faults = sorted(known), []
    for row, text in checked.frame["services"].items():
        for service in service_list(str(text)):
            if service not in names:
                near = nearest_name(service, names)
                remedy = (
                    say("did you mean '{name}'?", name=near)
                    if near
                    else say("use one of {names}", names=", ".join(names))
                )
                place = f"row {row}, column '{checked.found['services']}'"
                faults.append(Fault(table.name, place, service, say("unknown service id"), remedy))
    return faults


def _contradictions(table: Table, checked: Checked) -> list[Fault]:
    if not {"required", "forbidden"} <= set(checked.frame.columns):
        return []
    both = checked.frame["required"].fillna(value=False) & checked.frame["forbidden"].fillna(value=False)
    return [
        Fault(
            table.name,
            f"row {row}, column '{checked.found['required']}'",
            "",
            say("required and forbidden at once"),
            say("keep one of the two"),
        )
        for row in checked.frame.index[both.to_numpy(dtype=bool)]
    ]
