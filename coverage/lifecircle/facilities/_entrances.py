"""Read where facilities are entered: gates listed in a column of the register, or in a table of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from lifecircle.datum import locate
from lifecircle.errors import say
from lifecircle.tables import Column, Schema, check_table, join_rejects, plain_texts, reject_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from lifecircle.tables import Table

ENTRANCE_COLUMNS = Schema(
    "entrances",
    (
        Column("facility", "text", say("id of the facility it leads to"), required=True, filled=True),
        Column("name", "text", say("what people call the entrance")),
    ),
)
"""Columns of a table of entrances, beside their coordinates."""

_BETWEEN = re.compile(r"[;；|｜\n]+")


def gates_in(cells: pd.Series[Any], *, datum: str, file: str) -> tuple[npt.NDArray[np.object_], list[int]]:
    """Return the entrances written in the cells of a column, as in ``120.9,30.5; 120.91,30.51``.

    Parameters
    ----------
    cells : (row,)
    datum : of the coordinates
    file : its name in faults

    Returns
    -------
    gates : (row,) MultiPoint in WGS84, None where a cell is blank or holds no place
    wrong : rows of the table where a part is no place

    >>> cells = pd.Series(["120.9,30.5;120.91,30.51", "", "north"])
    >>> gates, wrong = gates_in(cells, datum="wgs84", file="a.csv")
    >>> [None if one is None else len(one.geoms) for one in gates], wrong
    ([2, None, None], [2])
    """
    texts = plain_texts(cells)
    parts = [[part.strip() for part in _BETWEEN.split(text) if part.strip()] for text in texts]
    of = np.repeat(np.arange(len(texts)), [len(one) for one in parts])
    gates: npt.NDArray[np.object_] = np.full(len(texts), None, dtype=object)
    if not len(of):
        return gates, []
    flat = pd.DataFrame({"location": [part for one in parts for part in one]})
    points = locate(flat, datum=datum, file=file, columns={"location": "location"}).points
    placed = np.array([point is not None for point in points], dtype=bool)
    for row in np.unique(of[placed]):
        gates[row] = shapely.MultiPoint(list(points[placed & (of == row)]))
    return gates, [int(texts.index[row]) for row in np.unique(of[~placed])]


def with_entrances(
    facilities: gpd.GeoDataFrame, table: Table, *, datum: str, columns: Mapping[str, str] | None = None
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return facilities entered at the places of a table alone, where it lists any of them.

    Parameters
    ----------
    facilities : as from :func:`read_facilities`, of one list
    table : columns ``facility`` (an id of the list) and coordinates
    datum : of the coordinates
    columns : canonical name -> name in the table

    Returns
    -------
    facilities : with the entrances as a MultiPoint in the column ``polygon``
    rejects : a row for each entrance without a place, or of no facility in the list

    Raises
    ------
    UnusableInputError
        There is no column ``facility``, or no coordinates.
    """
    mapped = dict(columns or {})
    named = {name: file for name, file in mapped.items() if name in ENTRANCE_COLUMNS.names}
    checked = check_table(table, ENTRANCE_COLUMNS, columns=named)
    located = locate(table.frame, datum=datum, file=table.name, columns=mapped)
    labels = facilities.index.astype("str")
    of = checked.frame["facility"].astype("str").to_numpy(dtype=object)
    unknown = ~np.isin(of, labels) & (of != "")
    rows = table.frame.index.to_numpy()
    lost = located.reason != ""
    rejects = [
        checked.rejects,
        reject_rows(
            table.name,
            rows[lost],
            column=located.column[lost],
            value=located.value[lost],
            reason=located.reason[lost],
            remedy=located.remedy[lost],
        ),
        reject_rows(
            table.name,
            rows[unknown],
            column=checked.found["facility"],
            value=of[unknown],
            reason=say("an entrance of a facility that the list does not have"),
            remedy=say("write the id of a facility, or delete the row"),
        ),
    ]
    drawn = _drawn(facilities)
    for at, label in enumerate(labels):
        mine = (of == label) & ~lost
        if mine.any():
            drawn[at] = shapely.MultiPoint(list(located.points[mine]))
    return facilities.assign(polygon=pd.Series(drawn, index=facilities.index, dtype=object)), join_rejects(
        rejects
    )


def _drawn(facilities: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Return what is drawn of every facility so far: (facility,), None where nothing is."""
    drawn: npt.NDArray[np.object_] = np.full(len(facilities), None, dtype=object)
    if "polygon" in facilities:
        drawn[:] = facilities["polygon"].to_numpy(dtype=object)
    return drawn
