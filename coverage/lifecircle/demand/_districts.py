"""Read districts (polygons, codes and classes), and find the district that contains a point."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.datum import to_wgs84
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.tables import Column, Schema, check_table, plain_texts, read_table, strange_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.tables import Checked, Source, Table

_log = logging.getLogger(__name__)

OUTSIDE = "(outside)"
"""District of residents who live in none: a row of every table, so that totals stay whole."""

BORDER_DEG = 1e-8
"""Degrees to a polygon that count as on its border (inclusive): about a millimetre, projection noise."""

DISTRICT_COLUMNS = Schema(
    "districts",
    (
        Column("code", "text", say("official code, unique"), filled=True),
        Column("name", "text", say("name of the district"), required=True, filled=True),
        Column("urban", "flag", say("whether urban targets hold in it")),
    ),
    part="[districts]",
)
"""Columns of a district layer; its index, named ``code``, is the code, or the name where no code is given."""

_POLYGONS = (3, 6)


def read_districts(
    source: Source, *, datum: str = "wgs84", columns: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """Read the polygons of districts.

    Parameters
    ----------
    source : path, GeoDataFrame or table with polygons
    datum : of its coordinates, where the layer does not say
    columns : canonical name -> name of the column in the file

    Returns
    -------
    GeoDataFrame
        Columns ``name`` (str), ``urban`` (boolean, NA where unknown), polygons in EPSG:4326; index ``code``:
        the column code, or the name where there is none.

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A column or a polygon is missing, a cell cannot be read, or two rows have the same code; all at once.

    >>> town = gpd.GeoDataFrame({"name": ["Town"]}, geometry=[shapely.box(120, 30, 121, 31)], crs="EPSG:4326")
    >>> districts = read_districts(town)
    >>> districts.index.tolist(), districts["name"].tolist()
    (['Town'], ['Town'])
    """
    table = read_table(source)
    faults = FaultLog()
    # Columns and polygons are checked apart, so that faults of both are reported together.
    with faults.catching():
        for fault in strange_names(columns or {}, DISTRICT_COLUMNS.names, file=table.name):
            faults.add(fault)
        checked = check_table(table, DISTRICT_COLUMNS, columns=columns)
        for row, column, value, reason, remedy in checked.rejects.drop(columns="file").itertuples(
            index=False
        ):
            faults.add(Fault(table.name, f"row {row}, column '{column}'", str(value), reason, remedy))
        label = "code" if "code" in checked.found else "name"
        _note_doubles(table, checked, label, faults)
    with faults.catching():
        shapes = _polygons(table, datum, faults)
    faults.raise_any()
    urban = checked.frame.get("urban", pd.Series(pd.NA, index=table.frame.index, dtype="boolean"))
    districts = gpd.GeoDataFrame(
        {"name": checked.frame["name"], "urban": urban}, geometry=shapes, crs="EPSG:4326"
    )
    return districts.set_axis(pd.Index(checked.frame[label].astype("str"), name="code"))


def assign_districts(demand: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Return the rows with the district of each, as a copy.

    1. The polygon it lies in or on the border of; of several, the one with the lowest label.
    2. Without coordinates: its own column ``district``, matched by code, else by name.
    3. Otherwise ``(outside)``.

    Where the column and the polygon disagree, the polygon is used, and a warning counts these rows.

    Parameters
    ----------
    demand : GeoDataFrame
        Points or None in EPSG:4326 (facilities too).
    districts : GeoDataFrame or None
        As from :func:`read_districts`. None or an empty one leaves a column ``district`` as it is.

    Returns
    -------
    GeoDataFrame
        With ``district`` (str): a label of ``districts`` or ``(outside)``.

    >>> town = gpd.GeoDataFrame({"name": ["Town"]}, geometry=[shapely.box(120, 30, 121, 31)], crs="EPSG:4326")
    >>> homes = gpd.GeoDataFrame(geometry=gpd.points_from_xy([120.5, 125.0], [30.5, 30.5], crs="EPSG:4326"))
    >>> assign_districts(homes, read_districts(town))["district"].tolist()
    ['Town', '(outside)']
    """
    own = plain_texts(demand["district"]) if "district" in demand.columns else _texts("", demand.index)
    if districts is None or districts.empty:
        return demand.assign(district=own.where(own != "", OUTSIDE))
    inside = lowest_polygon(demand, districts)
    stated = known_label(own, districts)
    # Only a warning: addresses follow old borders for years, while polygons are the present ones.
    differ = (stated != "") & (inside != "") & (stated != inside)
    if differ.any():
        _log.warning(
            "%d rows name another district than the one they lie in; the place decides", int(differ.sum())
        )
    unknown = (own != "") & (own != OUTSIDE) & (stated == "")
    if unknown.any():
        words = ", ".join(sorted(set(own[unknown]))[:5])
        _log.warning("%d rows name a district that is not in the layer: %s", int(unknown.sum()), words)
    # A resident with coordinates outside every polygon stays outside, whatever the column states: otherwise a
    # wrong point would be counted in a district it is not in.
    placeless = demand.geometry.isna().to_numpy()
    label = inside.where((inside != "") | ~placeless, stated)
    return demand.assign(district=label.where(label != "", OUTSIDE))


def _note_doubles(table: Table, checked: Checked, label: str, faults: FaultLog) -> None:
    labels = checked.frame[label]
    for value, rows in labels[labels != ""].groupby(labels, sort=False):
        if len(rows) > 1:
            place = f"rows {', '.join(str(row) for row in rows.index)}, column '{checked.found[label]}'"
            remedy = say("merge the parts of one district, and give different ones different codes")
            faults.add(
                Fault(table.name, place, str(value), say("the same {label} twice", label=label), remedy)
            )


def _polygons(table: Table, datum: str, faults: FaultLog) -> Any:
    """Return the polygons of a layer in WGS84, valid."""
    if getattr(table.frame, "active_geometry_name", None) is None:
        remedy = say("give a layer of polygons (gpkg, shp, geojson, parquet)")
        raise UnusableInputError([Fault(table.name, "", "", say("districts have no polygons"), remedy)])
    shapes = to_wgs84(table.frame, datum=datum, file=table.name).geometry.to_numpy()
    area = np.isin(shapely.get_type_id(shapes), _POLYGONS) & ~shapely.is_empty(shapes)
    # A wrong projection gives coordinates off the globe or infinite.
    west, south, east, north = shapely.bounds(shapes).T
    area &= (west >= -180) & (south >= -90) & (east <= 180) & (north <= 90)
    for row, shape in zip(table.frame.index[~area], shapes[~area], strict=True):
        found = "" if shape is None else shape.geom_type
        faults.add(
            Fault(
                table.name,
                f"row {row}",
                found,
                say("no polygon on the globe"),
                say("draw the district, or delete the row"),
            )
        )
    # Repaired with a warning and not refused: one bad vertex must not stop the audit of a county.
    broken = area & ~shapely.is_valid(shapes)
    if broken.any():
        rows = ", ".join(str(row) for row in table.frame.index[broken])
        _log.warning("%s: polygons that cross themselves were mended (rows %s)", table.name, rows)
        shapes = shapes.copy()
        shapes[broken] = shapely.make_valid(shapes[broken])  # those off the globe may have no sides to mend
    return shapes


def disjoint(districts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return districts that do not overlap: ground of several belongs to the one with the lowest label."""
    shapes = districts.geometry.to_numpy().copy()
    labels = districts.index.astype("str")
    order = sorted(range(len(labels)), key=lambda position: _rank(labels[position]))
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    later = rank[one] > rank[other]
    overlap = shapely.area(shapely.intersection(shapes[one[later]], shapes[other[later]])) > 0
    pairs = list(zip(one[later][overlap], other[later][overlap], strict=True))
    own = shapes.copy()
    for loser, winner in pairs:
        shapes[loser] = shapely.difference(shapes[loser], own[winner])
    if pairs:
        _log.warning("%d pairs of districts overlap; the lowest code has the ground of both", len(pairs))
    return districts.set_geometry(gpd.GeoSeries(shapes, index=districts.index, crs=districts.crs))


def lowest_polygon(demand: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> pd.Series[Any]:
    """Return the lowest label of the polygons that contain or touch each point; empty where there is none."""
    labels = districts.index.astype("str")
    order = np.array(sorted(range(len(labels)), key=lambda position: _rank(labels[position])))
    shapes = districts.geometry.to_numpy()[order]
    points = shapely.STRtree(demand.geometry.to_numpy())
    which, point = points.query(shapes, predicate="dwithin", distance=BORDER_DEG)
    lowest = np.full(len(demand), len(order))
    np.minimum.at(lowest, point, which)
    names = np.append(labels.to_numpy(dtype=object)[order], "")
    return pd.Series(names[lowest], index=demand.index, dtype="str")


def _rank(label: str) -> tuple[bool, int, str]:
    """Return a key that orders labels: numbers by size, then texts by their letters."""
    number = label.isascii() and label.isdigit()
    return (not number, int(label) if number else 0, label)


def known_label(own: pd.Series[Any], districts: gpd.GeoDataFrame) -> pd.Series[Any]:
    """Return the label of the district each row states: by code, else by name; empty where neither."""
    labels = districts.index.astype("str")
    names = pd.Series(labels, index=districts["name"].astype("str"))
    by_name = names[~names.index.duplicated(keep=False)]
    return own.where(own.isin(labels), own.map(by_name).fillna("")).astype("str")


def _texts(value: str, index: pd.Index[Any]) -> pd.Series[Any]:
    return pd.Series(value, index=index, dtype="str")
