"""Own villages and communities: their centres, classes and accepted lists, and whose a place is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.datum import locate
from lifecircle.demand._districts import OUTSIDE, known_label, lowest_polygon
from lifecircle.errors import FaultLog, UnusableInputError
from lifecircle.tables import (
    Column,
    Schema,
    check_table,
    join_rejects,
    read_table,
    reject_rows,
    too_many_rejects,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.datum import Located
    from lifecircle.tables import Checked, Source, Table

_log = logging.getLogger(__name__)

VILLAGE_COLUMNS = Schema(
    "villages",
    (
        Column("code", "text", "official code, 12 digits, unique", required=True, filled=True),
        Column("name", "text", "name of the village or community", required=True, filled=True),
        Column("district", "text", "code or name of its district"),
        Column("class", "text", "statistical urban-rural code: 1.. urban, 2.. rural"),
        Column("urban", "flag", "whether it is urban; decides before class"),
    ),
)
"""Columns of a village table; more are one flag ``accepted_<target>`` for each accepted list."""

ACCEPTED = "accepted_"
_POLYGONS = (3, 6)


def read_villages(
    source: Source, *, datum: str = "wgs84", max_rejected: float = 0.05
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read villages and communities, as centres (lon, lat) or as polygons.

    Returns
    -------
    villages : GeoDataFrame
        Index ``code``; columns of :data:`VILLAGE_COLUMNS` but the code (``urban`` boolean, NA where neither
        it nor the class says), one boolean ``accepted_<target>`` for each accepted list, and the geometry of
        the source in EPSG:4326.
    rejects : DataFrame
        One row for each fault, as for villages without a code or without a centre.

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A column is missing, or more than ``max_rejected`` of the rows are rejected.
    """
    table = read_table(source)
    accepted = [str(name) for name in table.frame.columns if str(name).startswith(ACCEPTED)]
    schema = Schema(
        VILLAGE_COLUMNS.name,
        (*VILLAGE_COLUMNS.columns, *(Column(name, "flag", "on the accepted list") for name in accepted)),
    )
    faults = FaultLog()
    with faults.catching():
        checked = check_table(table, schema)
    with faults.catching():
        located = locate(table.frame, datum=datum, file=table.name)
    faults.raise_any()
    rejects = join_rejects([checked.rejects, _centreless(table, located), _doubles(table, checked)])
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    frame = checked.frame
    columns: dict[str, Any] = {
        "name": frame["name"],
        "district": frame.get("district", pd.Series("", index=frame.index, dtype="str")).fillna(""),
        "class": frame.get("class", pd.Series("", index=frame.index, dtype="str")).fillna(""),
        "urban": _urban(frame),
        **{name: frame[name].fillna(value=False).astype(bool) for name in accepted},
    }
    villages = gpd.GeoDataFrame(columns, geometry=_shapes(table, located), crs="EPSG:4326")
    good = ~table.frame.index.isin(rejects["row"])
    return villages.set_axis(pd.Index(frame["code"].astype("str"), name="code"))[good], rejects


def assign_villages(places: gpd.GeoDataFrame, villages: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Give every row the village it belongs to, as a copy.

    1. What its own column ``village`` says, matched by code, else by a name that only one village of its
       district has.
    2. The polygon it lies in, where villages are polygons.
    3. The nearest centre in its own district.
    4. Otherwise empty.

    Parameters
    ----------
    places : points or None in EPSG:4326, with ``district`` as :func:`assign_districts` gives it
    villages : as from :func:`read_villages`; None leaves a column ``village`` as it is

    Returns
    -------
    GeoDataFrame
        With ``village`` (str), a label of ``villages`` or empty.
    """
    own = (
        places["village"].fillna("").astype("str")
        if "village" in places.columns
        else pd.Series("", index=places.index, dtype="str")
    )
    if villages is None:
        return places.assign(village=own)
    label = _named(own, places, villages)
    unknown = (own != "") & (label == "")
    if unknown.any():
        words = ", ".join(sorted(set(own[unknown]))[:5])
        _log.warning("%d rows name a village that is not in the table: %s", int(unknown.sum()), words)
    if np.isin(shapely.get_type_id(villages.geometry.to_numpy()), _POLYGONS).all() and len(villages):
        label = label.where(label != "", lowest_polygon(places, villages))
    return places.assign(village=label.where(label != "", _nearest_centre(places, villages)))


def with_districts(villages: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Give villages the label of their district: by its code or name, else by the polygon they lie in."""
    if districts is None or districts.empty:
        return villages
    stated = known_label(villages["district"].astype("str"), districts)
    centres = villages.set_geometry(shapely.centroid(villages.geometry.to_numpy()), crs=villages.crs)
    inside = lowest_polygon(centres, districts)
    label = stated.where(stated != "", inside)
    return villages.assign(district=label.where(label != "", OUTSIDE))


def village_centres(villages: gpd.GeoDataFrame, crs: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give the centre of each village in a CRS: (village, 2)."""
    places: np.ndarray[Any, np.dtype[np.float64]] = shapely.get_coordinates(
        shapely.centroid(villages.to_crs(crs).geometry.to_numpy())
    )
    return places


def _named(own: pd.Series[Any], places: pd.DataFrame, villages: pd.DataFrame) -> pd.Series[Any]:
    """Match what rows say of their village, by code, else by name within the district; empty where not."""
    labels = villages.index.astype("str")
    by_name = pd.Series(labels, index=pd.MultiIndex.from_arrays([villages["district"], villages["name"]]))
    by_name = by_name[~by_name.index.duplicated(keep=False)]
    keys = pd.MultiIndex.from_arrays([places["district"].astype("str"), own])
    found = pd.Series(by_name.reindex(keys).to_numpy(), index=own.index, dtype="object").fillna("")
    return own.where(own.isin(labels), found.astype("str")).astype("str")


def _nearest_centre(places: gpd.GeoDataFrame, villages: gpd.GeoDataFrame) -> pd.Series[Any]:
    """Find the village of the same district whose centre is nearest; empty where there is none."""
    found = np.full(len(places), "", dtype=object)
    placed = (places.geometry.notna() & ~places.geometry.is_empty).to_numpy()
    shape = places.geometry.to_numpy()
    labels = villages.index.astype("str").to_numpy(dtype=object)
    centres = shapely.get_coordinates(shapely.centroid(villages.geometry.to_numpy()))
    squeeze = np.array([np.cos(np.radians(centres[:, 1].mean() if len(centres) else 0.0)), 1.0])
    district = places["district"].to_numpy()
    for one in pd.unique(villages["district"]):
        mine = np.flatnonzero((villages["district"] == one).to_numpy())
        rows = np.flatnonzero(placed & (district == one))
        if len(rows):
            tree = cKDTree(centres[mine] * squeeze)
            _, which = tree.query(shapely.get_coordinates(shape[rows]) * squeeze)
            found[rows] = labels[mine[which]]
    return pd.Series(found, index=places.index, dtype="str")


def _urban(frame: pd.DataFrame) -> pd.Series[Any]:
    """Tell the urban class: the flag, else the first digit of the statistical code."""
    nothing = pd.Series(pd.NA, index=frame.index, dtype="boolean")
    code = frame.get("class", pd.Series("", index=frame.index, dtype="str")).fillna("").astype("str")
    by_class = nothing.mask(code.str.startswith("1"), other=True).mask(code.str.startswith("2"), other=False)
    return frame.get("urban", nothing).astype("boolean").fillna(by_class)


def _shapes(table: Table, located: Located) -> Any:
    """Keep polygons where the source has them, else the centres."""
    if getattr(table.frame, "active_geometry_name", None) is None:
        return list(located.points)
    shapes = table.frame.geometry.to_crs("EPSG:4326") if table.frame.crs else table.frame.geometry
    return list(shapes)


def _centreless(table: Table, located: Located) -> pd.DataFrame:
    wrong = located.reason != ""
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[wrong],
        column=located.column[wrong],
        value=located.value[wrong],
        reason=[f"village without a centre: {reason}" for reason in located.reason[wrong]],
        remedy=located.remedy[wrong],
    )


def _doubles(table: Table, checked: Checked) -> pd.DataFrame:
    code = checked.frame["code"]
    twice = (code.duplicated(keep="first") & (code != "")).to_numpy(dtype=bool)
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[twice],
        column=checked.found["code"],
        value=code[twice].to_numpy(dtype=object),
        reason="the same code as a village above",
        remedy="give every village its own code",
    )


def accepted_targets(villages: Mapping[str, Any] | pd.DataFrame) -> list[str]:
    """Name the targets the villages hold an accepted list for."""
    return [str(name).removeprefix(ACCEPTED) for name in villages if str(name).startswith(ACCEPTED)]
