"""Read where residents live, how many they are and of which groups; no resident is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.datum import PLACE_KEYS, locate, to_wgs84
from lifecircle.errors import Fault, FaultLog, UnusableInputError, say
from lifecircle.tables import (
    Column,
    Schema,
    check_table,
    join_rejects,
    read_table,
    reject_rows,
    row_labels,
    strange_names,
    too_many_rejects,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifecircle.datum import Located
    from lifecircle.tables import Checked, Source, Table

_ID = Column("id", "text", say("what the row is called by, unique in the file"))

MOST_PEOPLE = 1e8
"""Largest number of people in a row (inclusive): no place has more, a city region a third."""

DEMAND_COLUMNS = Schema(
    "demand",
    (
        Column(
            "population",
            "number",
            say("residents"),
            unit="people",
            required=True,
            filled=True,
            low=0.0,
            high=MOST_PEOPLE,
        ),
        Column("district", "text", say("code or name of their district")),
        Column("village", "text", say("code or name of their village")),
    ),
    part="[demand]",
)
"""Columns of a demand table, with one float64 column of people for each group; index ``id``, EPSG:4326.

``district`` and ``village`` are there where the source has them, empty where it says nothing.
"""

_ROUNDING = 1e-9
_POLYGONS = (3, 6)
_EQUAL_AREA = "EPSG:6933"


def read_demand(  # noqa: PLR0913 - one keyword for each key of [demand] in a study
    source: Source,
    *,
    population: str = "population",
    groups: Mapping[str, str] | None = None,
    datum: str = "wgs84",
    columns: Mapping[str, str] | None = None,
    max_rejected: float = 0.05,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read where residents live and how many they are; rows with a faulty count become reject rows.

    Residents without usable coordinates are kept, without geometry: they are counted as unsnapped. Where
    coordinates are written but cannot be used, the row is also listed among the rejects.

    Parameters
    ----------
    source : path, DataFrame with lon and lat, or GeoDataFrame (its CRS decides)
        Polygons count at their centroid.
    population : str
        Column of the residents; the default also finds the usual names of this column.
    groups : mapping, optional
        Name of a group -> column of its count, which is at most the population.
    datum : str
        ``wgs84``, ``gcj02``, ``bd09`` or ``EPSG:n`` of the coordinates.
    columns : mapping, optional
        Canonical name -> name of the column in the file, as in ``{"district": "所属镇"}``.
    max_rejected : float
        Largest share of rows that may be rejected or noted (inclusive).

    Returns
    -------
    demand : GeoDataFrame
        Columns of :data:`DEMAND_COLUMNS` and the groups, points (or None) in EPSG:4326; of a layer with
        polygons also ``extent_m``, the side of a square as large as the polygon. Index ``id``: the
        column id where it is present and unique, else the row number.
    rejects : DataFrame
        One row for each fault: file, row, column, value, reason, remedy.

    Raises
    ------
    MissingFileError
        The file is not there.
    UnusableInputError
        A column is missing, the table is empty, the coordinates look swapped, or more than ``max_rejected``
        of the rows are rejected; all faults of the file together.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"lon": [120.9, None], "lat": [30.5, None], "population": [40, 2]})
    >>> demand, rejects = read_demand(table)
    >>> demand["population"].tolist(), demand.geometry.isna().tolist(), len(rejects)
    ([40.0, 2.0], [False, True], 0)
    """
    rows = counted_rows(
        source,
        population=population,
        groups=groups,
        datum=datum,
        columns=columns,
        max_rejected=max_rejected,
    )
    return rows.frame[rows.good], rows.table.as_seen(rows.rejects)


@dataclass(frozen=True, eq=False)
class CountedRows:
    """All rows of a demand table as read.

    ``frame`` : (row,) with counts and points; ``good`` : (row,) which have usable counts; ``rejects`` :
    reject rows by the numbers of ``table``.
    """

    table: Table
    frame: gpd.GeoDataFrame
    good: np.ndarray[Any, Any]
    rejects: pd.DataFrame


def counted_rows(  # noqa: PLR0913 - one keyword for each key of [demand] in a study
    source: Source,
    *,
    population: str,
    groups: Mapping[str, str] | None,
    datum: str,
    columns: Mapping[str, str] | None,
    max_rejected: float,
) -> CountedRows:
    """Read all rows of a demand table, as :func:`read_demand` does, those at fault with the others.

    Raises
    ------
    UnusableInputError
        As for :func:`read_demand`.
    """
    table = read_table(source)
    counts = dict(groups or {})
    faults = FaultLog()
    # Groups come last in the mapping, so that a column of a study is never read under two meanings.
    mapped = dict(columns or {})
    if population != "population":
        mapped["population"] = population
    with faults.catching():
        schema = _demand_schema(counts)
        for fault in strange_names(mapped, (*schema.names, *PLACE_KEYS), file=table.name):
            faults.add(fault)
        checked = check_table(table, schema, columns={**mapped, **counts})
    with faults.catching():
        located = locate(table.frame, datum=datum, file=table.name, columns=mapped)
    faults.raise_any()
    uncounted = join_rejects(
        [checked.rejects, *(_larger_than_all(table, checked, group) for group in counts)]
    )
    # Only a faulty count removes a row. A faulty place does not: these people exist and stay in the
    # denominator.
    good = ~table.frame.index.isin(uncounted["row"])
    rejects = join_rejects([uncounted, _misplaced(table, located, good)])
    # Both kinds count here: a file with many faulty places would give a rate of the rest, which misleads.
    excess = too_many_rejects(rejects, len(table.frame), max_rejected, table.name)
    if excess is not None:
        raise UnusableInputError([excess])
    sides = _sides(table, datum)
    shown = [name for name in ("population", *counts, "district", "village") if name in checked.frame.columns]
    demand = gpd.GeoDataFrame(checked.frame[shown], geometry=list(located.points), crs="EPSG:4326")
    if sides is not None:
        demand["extent_m"] = sides
    demand = demand.set_axis(row_labels(table, checked.found.get("id")))
    return CountedRows(table, demand, good, rejects)


def _sides(table: Table, datum: str) -> np.ndarray[Any, Any] | None:
    """Return the side of a square as large as each polygon: (row,) metres, NaN for a point; None for none.

    People who are counted at the middle of a polygon live anywhere in it.
    """
    if getattr(table.frame, "active_geometry_name", None) is None:
        return None
    shapes = table.frame.geometry.to_numpy()
    drawn = np.isin(shapely.get_type_id(shapes), _POLYGONS) & np.isfinite(shapely.bounds(shapes)).all(axis=1)
    if not drawn.any():
        return None
    places = to_wgs84(table.frame[drawn], datum=datum, file=table.name).to_crs(_EQUAL_AREA)
    sides = np.full(len(shapes), np.nan)
    area = np.abs(shapely.area(places.geometry.to_numpy()))
    sides[drawn] = np.sqrt(np.where(np.isfinite(area) & (area > 0), area, np.nan))
    return sides


def _demand_schema(groups: Mapping[str, str]) -> Schema:
    """Return the schema of the demand table with one column for each group.

    Raises
    ------
    UnusableInputError
        When a group has the name of a column.
    """
    taken = {_ID.name, "geometry", *DEMAND_COLUMNS.names}
    clash = [
        Fault("groups", name, "", say("a column has this name"), say("call the group otherwise"))
        for name in groups
        if name in taken
    ]
    if clash:
        raise UnusableInputError(clash)
    counts = tuple(
        Column(
            name,
            "number",
            say("residents of group {name}", name=name),
            unit="people",
            required=True,
            filled=True,
            low=0.0,
            high=MOST_PEOPLE,
        )
        for name in groups
    )
    return Schema(DEMAND_COLUMNS.name, (_ID, *DEMAND_COLUMNS.columns, *counts), DEMAND_COLUMNS.part)


def _larger_than_all(table: Table, checked: Checked, group: str) -> pd.DataFrame:
    """Return reject rows where a group counts more people than the population."""
    count, everyone = checked.frame[group], checked.frame["population"]
    wrong = (count > everyone * (1.0 + _ROUNDING)).to_numpy(dtype=bool)
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[wrong],
        column=checked.found[group],
        value=count[wrong].to_numpy(dtype=object),
        reason=[
            say("larger than the population ({total})", total=f"{total:.10g}") for total in everyone[wrong]
        ],
        remedy=say("mend one of the two counts"),
    )


def _misplaced(table: Table, located: Located, counted: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return reject rows for counted residents whose coordinates cannot be used."""
    noted = (located.reason != "") & ~located.blank & counted
    return reject_rows(
        table.name,
        table.frame.index.to_numpy()[noted],
        column=located.column[noted],
        value=located.value[noted],
        reason=[
            say("{reason}; the residents are kept as unsnapped", reason=reason)
            for reason in located.reason[noted]
        ],
        remedy=located.remedy[noted],
    )
