"""Find facilities that are listed twice: surely the same, and perhaps the same."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
from rapidfuzz import fuzz
from scipy.spatial import cKDTree

from lifecircle.errors import say
from lifecircle.tables import no_rejects, reject_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas as gpd
    import numpy.typing as npt

    Positions = npt.NDArray[np.intp]

DUPLICATE_M = 30.0
"""Facilities of one name and service nearer than this, open at the same time, are one (inclusive)."""

_TOUCH_M = 0.001  # what rounding degrees to eight digits may move a place
_SPHERE_M, _SPHERE_SLACK = 6_378_137.0, 1.01  # no distance on the sphere is shorter than this makes good


def merge_duplicates(facilities: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the facilities without those that are listed twice.

    Two rows are one facility where service and name are equal (and there is a name), they lie within
    :data:`DUPLICATE_M` of each other and both are open on some day. The first row is kept, and later rows
    are compared with kept rows: of three in a line, the outer two too far apart, the middle one is left out.

    Parameters
    ----------
    facilities : as from :func:`read_facilities`, of one file or of several

    Returns
    -------
    facilities : GeoDataFrame
        Without the later rows.
    rejects : DataFrame
        One row for each row left out, naming the one that is kept.
    """
    first = _twins(facilities)
    late = np.flatnonzero(first >= 0)
    table = facilities.iloc[late]
    labels, source, row = (facilities.index, facilities["source"], facilities["row"])
    rejects = [
        reject_rows(
            str(file),
            part["row"].to_numpy(),
            column="name",
            value=part["name"].to_numpy(dtype=object),
            reason=[
                say(
                    "listed twice: the same service, name and place as {label} ({file}, row {row})",
                    label=labels[one],
                    file=source.iloc[one],
                    row=row.iloc[one],
                )
                for one in first[late[(table["source"] == file).to_numpy()]]
            ],
            remedy=say("delete one of the two rows"),
        )
        for file, part in table.groupby("source", sort=False)
    ]
    return facilities[first < 0], pd.concat(rejects, ignore_index=True) if rejects else no_rejects()


def _plain_name(name: str) -> str:
    """Return a name without blanks and in plain forms of letters, as two clerks may have typed it."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def _twins(facilities: gpd.GeoDataFrame) -> np.ndarray[Any, Any]:
    """Return the position of the earlier row that each row repeats, -1 for none: (facility,)."""
    first = np.full(len(facilities), -1, dtype=np.intp)
    name = facilities["name"].map(_plain_name)
    # Only names that occur twice are measured: distances of a whole county would be slow.
    twice = pd.DataFrame({"service": facilities["service"], "name": name}).duplicated(keep=False)
    placed = facilities.geometry.notna() & ~facilities.geometry.is_empty
    at = np.flatnonzero((twice & (name != "") & placed).to_numpy(dtype=bool))
    if not len(at):
        return first
    alike = facilities.iloc[at]
    near = _near(alike, DUPLICATE_M)
    one, other = near.T
    what = pd.factorize(pd.MultiIndex.from_arrays([alike["service"], name.iloc[at]]))[0]
    same = (what[one] == what[other]) & _together(alike, near)
    for early, late in near[same]:
        if first[at[late]] < 0 and first[at[early]] < 0:
            first[at[late]] = at[early]
    return first


def _near(facilities: gpd.GeoDataFrame, metres: float) -> Positions:
    """Return the pairs of rows within a distance (inclusive): (pair, 2), in table order."""
    lon, lat = facilities.geometry.x.to_numpy(), facilities.geometry.y.to_numpy()
    east, north = np.radians(lon), np.radians(lat)
    globe = np.column_stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
    # On a sphere in three dimensions, because degrees are no distances; the true distance is checked below.
    near = cKDTree(globe * _SPHERE_M).query_pairs(metres * _SPHERE_SLACK, output_type="ndarray")
    # In the order of the table, so that the answer does not depend on the tree.
    near = near[np.lexsort((near[:, 0], near[:, 1]))]
    one, other = near.T
    _, _, apart_m = pyproj.Geod(ellps="WGS84").inv(lon[one], lat[one], lon[other], lat[other])
    close: Positions = near[np.asarray(apart_m) <= metres + _TOUCH_M]
    return close


def _together(facilities: gpd.GeoDataFrame, pairs: Positions) -> npt.NDArray[np.bool_]:
    """Return which pairs are both open on some day: a hall that closed and reopened is no double."""
    opened, closed = (facilities[name].to_numpy(dtype="datetime64[D]") for name in ("opened", "closed"))
    opened = np.where(np.isnat(opened), np.datetime64("0001-01-01"), opened)
    closed = np.where(np.isnat(closed), np.datetime64("9999-12-31"), closed)
    one, other = pairs.T
    found: npt.NDArray[np.bool_] = np.maximum(opened[one], opened[other]) < np.minimum(
        closed[one], closed[other]
    )
    return found


SIMILAR_M = 60.0
"""Facilities of one service and nearly one name this near or nearer may be one (inclusive)."""

SAME_NAME = 90.0
"""Similarity of names, 0 to 100, from which two facilities may be one (inclusive)."""

_DISTINGUISHING = re.compile(
    r"\d+|[一二三四五六七八九十百甲乙丙丁东南西北中上下前后左右内外新老]"
    r"|(?<![a-z])[a-z](?![a-z])"
)


def similar_rows(facilities: gpd.GeoDataFrame) -> Positions:
    """Return pairs of rows that may be one facility: one service, nearly one name, close, both open some day.

    Facilities whose names differ in numbers, directions or single letters are never taken for one,
    such as 第一社区 and 第二社区. The pairs returned include those that :func:`merge_duplicates` would merge.

    Parameters
    ----------
    facilities : as from :func:`read_facilities`

    Returns
    -------
    pairs : (pair, 2) positions, the earlier row first

    >>> import geopandas as gpd
    >>> rows = {"name": ["县图书馆（总馆）", "县图书馆(总馆)"], "service": "library"}
    >>> rows |= {"opened": pd.NaT, "closed": pd.NaT}
    >>> places = gpd.points_from_xy([120.9, 120.9], [30.5, 30.5], crs="EPSG:4326")
    >>> similar_rows(gpd.GeoDataFrame(rows, geometry=places)).tolist()
    [[0, 1]]
    """
    placed = (facilities.geometry.notna() & ~facilities.geometry.is_empty).to_numpy(dtype=bool)
    name = facilities["name"].astype("str").to_numpy(dtype=object)
    at = np.flatnonzero(placed & facilities["name"].map(_plain_name).ne("").to_numpy(dtype=bool))
    if not len(at):
        return np.empty((0, 2), dtype=np.intp)
    alike = facilities.iloc[at]
    near = _near(alike, SIMILAR_M)
    service = alike["service"].to_numpy(dtype=object)
    near = near[(service[near[:, 0]] == service[near[:, 1]]) & _together(alike, near)]
    mine = name[at]
    found = [(early, late) for early, late in near.tolist() if one_name(mine[early], mine[late])]
    pairs: Positions = at[np.array(found, dtype=np.intp).reshape(-1, 2)]
    return pairs


def one_name(one: str, other: str) -> bool:
    """Return whether two names may be of one facility: :data:`SAME_NAME` alike, with the same numbers.

    Parameters
    ----------
    one, other : names

    Returns
    -------
    same : bool

    >>> one_name("武原街道图书馆", "武原街道 图书馆"), one_name("武原第一幼儿园", "武原第二幼儿园")
    (True, False)
    """
    # Before blanks are taken away: a letter of its own, as in "club A", is one beside a blank.
    signs = [_DISTINGUISHING.findall(unicodedata.normalize("NFKC", name).casefold()) for name in (one, other)]
    if signs[0] != signs[1]:
        return False
    one, other = (_plain_name(name).casefold() for name in (one, other))
    return one == other or fuzz.ratio(one, other) >= SAME_NAME


_FILLED_IN = ("capacity", "hours", "serves", "polygon")


def merge_similar(
    facilities: gpd.GeoDataFrame, sources: Collection[str]
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the facilities with similar rows merged into the earlier one, where the later list asks for it.

    What is blank in the row that stays (capacity, hours, units served, edge) is filled in from the other.

    Parameters
    ----------
    facilities : of one list or several
    sources : names of the lists whose rows are to be merged

    Returns
    -------
    facilities : without the rows that were merged
    rejects : the log: one row for each, with what it was merged into and what was filled in there
    """
    into: dict[int, int] = {}
    for early, late in similar_rows(facilities).tolist():
        if facilities["source"].iloc[late] in sources and late not in into and early not in into:
            into[late] = early
    if not into:
        return facilities, no_rejects()
    merged, rejects = facilities.copy(), []
    for late, early in sorted(into.items()):
        filled = []
        for column in (name for name in _FILLED_IN if name in merged):
            place = merged.columns.get_loc(column)
            if _blank(merged.iat[early, place]) and not _blank(merged.iat[late, place]):
                merged.iat[early, place] = merged.iat[late, place]
                filled.append(column)
        rejects.append(_merged(facilities, late, early, filled))
    gone = np.isin(np.arange(len(facilities)), list(into))
    return merged[~gone], pd.concat(rejects, ignore_index=True)


def _blank(cell: object) -> bool:
    return cell is None or cell == "" or cell is pd.NaT or (isinstance(cell, float) and np.isnan(cell))


def _merged(facilities: gpd.GeoDataFrame, late: int, early: int, filled: list[str]) -> pd.DataFrame:
    """Return the row of the log for one that was merged."""
    row, kept = facilities.iloc[late], facilities.iloc[early]
    words = {
        "name": kept["name"],
        "label": facilities.index[early],
        "file": kept["source"],
        "row": kept["row"],
    }
    reason = say("merged into '{name}', {label} ({file}, row {row})", **words)
    if filled:
        reason = say(
            "merged into '{name}', {label} ({file}, row {row}), where {columns} were filled in",
            columns=", ".join(filled),
            **words,
        )
    return reject_rows(
        str(row["source"]),
        np.array([row["row"]], dtype=np.int64),
        column="name",
        value=np.array([row["name"]], dtype=object),
        reason=reason,
        remedy=say("delete one of the two rows"),
    )
