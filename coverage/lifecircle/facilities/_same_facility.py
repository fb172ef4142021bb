"""Find the same facility in the register files of two years: a renamed library is no closure and no opening.

Steps, each for rows that no earlier step has paired; the service is always the same:

1. the same id, where the lists have ids: the names equal, or the places within :data:`SAME_ID_M`;
2. the same name, once in each, within :data:`SAME_NAME_M`;
3. nearly one name (:func:`lifecircle.facilities.one_name`), within :data:`LIKE_NAME_M`, the nearest first;
4. any name within :data:`lifecircle.facilities.DUPLICATE_M`, the nearest first.

Row numbers are no ids. What a difference means is decided by who asks.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.facilities._double_rows import DUPLICATE_M, one_name
from lifecircle.facilities._open_facilities import open_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import numpy.typing as npt

    Positions = npt.NDArray[np.intp]

SAME_ID_M = 500.0
"""One id and one service, names that differ: the same venue up to this far apart (inclusive)."""

SAME_NAME_M = 2000.0
"""One service and one name, both unique: the same venue up to this far apart (inclusive)."""

LIKE_NAME_M = 200.0
"""One service and nearly one name: the same venue up to this far apart (inclusive)."""

SAME_PLACE_M = 1.0
"""Coordinates that differ by no more than this are the same place."""

RULES: Final = ("id", "name", "like_name", "place")
"""By what two rows are one facility, the surest first."""


@dataclass(frozen=True, eq=False)
class SameFacilities:
    """Rows of two registers that are one facility.

    ``pairs`` : (pair, 2) positions, ascending by the first; ``rule`` : (pair,) one of :data:`RULES`;
    ``metres`` : (pair,) how far their places are apart, NaN where one has none.
    """

    pairs: Positions
    rule: npt.NDArray[np.object_]
    metres: npt.NDArray[np.float64]


class YearRegister:
    """The register of a year with what facilities are recognised by: (facility,) each."""

    def __init__(self, table: gpd.GeoDataFrame, crs: Any) -> None:
        """Take a register and the metre CRS in which distances are measured, the same for both years."""
        self.table = table
        self.called = self.table["name"].fillna("").astype("str").to_numpy(dtype=object)
        self.service = self.table["service"].astype("str").to_numpy(dtype=object)
        self.name = self.table["name"].fillna("").map(plain_letters).to_numpy(dtype=object)
        self.source = self.table["source"].astype("str").to_numpy(dtype=object)
        self.id = _ids(self.table)
        shapes = self.table.geometry.to_crs(crs).to_numpy()
        self.xy = np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])

    def open_rows(self, year: int) -> Positions:
        """Return the positions of the venues open on 31 December of a year."""
        return np.flatnonzero(open_in(self.table, year).to_numpy(dtype=bool))


def plain_letters(name: object) -> str:
    """Return a name without blanks and in plain forms of letters, as two clerks may have typed it."""
    return "".join(unicodedata.normalize("NFKC", str(name)).split()).casefold()


def _ids(table: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Return the id of every venue in its list, empty where the list has none but row numbers."""
    labels = table.index.astype("str")
    stems = [Path(str(source)).stem for source in table["source"]]
    ids = np.array(
        [label.removeprefix(f"{stem}:") for label, stem in zip(labels, stems, strict=True)], dtype=object
    )
    row = table["row"].astype("str").to_numpy(dtype=object)
    for source in pd.unique(table["source"]):
        mine = (table["source"] == source).to_numpy(dtype=bool)
        if (ids[mine] == row[mine]).all():
            ids[mine] = ""
    return ids


def same_facilities(
    first: YearRegister, second: YearRegister, mine: Positions, theirs: Positions
) -> SameFacilities:
    """Pair rows of two registers that are one facility.

    Parameters
    ----------
    first, second : registers of an earlier and a later year, measured in one CRS
    mine, theirs : positions of the rows of each that are to be paired

    Returns
    -------
    same : the pairs, and by what they are one

    >>> import geopandas as gpd
    >>> places = gpd.points_from_xy([120.9], [30.5], crs="EPSG:4326")
    >>> rows = {"name": "馆", "service": "library", "source": "a.csv", "row": 2}
    >>> one = gpd.GeoDataFrame(rows, geometry=places, index=["L1"])
    >>> two = one.assign(name="新馆")
    >>> first, second = (YearRegister(table, "EPSG:4549") for table in (one, two))
    >>> same_facilities(first, second, np.array([0]), np.array([0])).rule.tolist()
    ['id']
    """
    one, other = first.table, second.table
    if one is other or (
        one.index.equals(other.index)
        and np.array_equal(first.service, second.service)
        and np.array_equal(first.name, second.name)
    ):
        both = np.intersect1d(mine, theirs)
        found = [(int(at), int(at), "id") for at in both]
    else:
        found = [(a, b, "id") for a, b in _by_key(first, second, mine, theirs, by_id=True)]
    for rule in RULES[1:]:
        left = np.setdiff1d(mine, [a for a, _, _ in found])
        right = np.setdiff1d(theirs, [b for _, b, _ in found])
        if rule == "name":
            found += [(a, b, rule) for a, b in _by_key(first, second, left, right, by_id=False)]
        else:
            found += [
                (a, b, rule) for a, b in _by_place(first, second, left, right, named=rule == "like_name")
            ]
    found.sort()
    pairs: Positions = np.array([(a, b) for a, b, _ in found], dtype=np.intp).reshape(-1, 2)
    apart = np.hypot(*(first.xy[pairs[:, 0]] - second.xy[pairs[:, 1]]).T)
    return SameFacilities(pairs, np.array([rule for _, _, rule in found], dtype=object), apart)


def _by_key(
    first: YearRegister, second: YearRegister, mine: Positions, theirs: Positions, *, by_id: bool
) -> Iterator[tuple[int, int]]:
    """Pair rows of one service and one id, or one name, that stand once in each register."""
    one, other = (_once(part, rows, by_id=by_id) for part, rows in ((first, mine), (second, theirs)))
    for key, a in one.items():
        b = other.get(key, -1)
        if a < 0 or b < 0:
            continue
        away = float(np.hypot(*(first.xy[a] - second.xy[b])))
        named_alike = first.name[a] == second.name[b]
        # The same id with another name far away is another facility; without a place, id or name decides.
        near = not away > (SAME_ID_M if by_id else SAME_NAME_M)
        if near or (by_id and named_alike):
            yield a, b


def _once(part: YearRegister, rows: Positions, *, by_id: bool) -> dict[tuple[str, str], int]:
    """Index rows by service and id or name; -1 for a key that stands more than once."""
    found: dict[tuple[str, str], int] = {}
    words = part.id if by_id else part.name
    for row in rows.tolist():
        if words[row]:
            key = (part.service[row], words[row])
            found[key] = -1 if key in found else row
    return found


def _by_place(
    first: YearRegister, second: YearRegister, mine: Positions, theirs: Positions, *, named: bool
) -> list[tuple[int, int]]:
    """Pair rows of one service that are near each other, the nearest first, each once.

    ``named`` : nearly one name within :data:`LIKE_NAME_M`, else any name within :data:`DUPLICATE_M`
    """
    mine = mine[np.isfinite(first.xy[mine]).all(axis=1)]
    theirs = theirs[np.isfinite(second.xy[theirs]).all(axis=1)]
    if not len(mine) or not len(theirs):
        return []
    near = cKDTree(first.xy[mine]).query_ball_tree(
        cKDTree(second.xy[theirs]), LIKE_NAME_M if named else DUPLICATE_M
    )
    possible = [
        (
            float(np.hypot(*(first.xy[a] - second.xy[b]))) > SAME_PLACE_M,
            first.name[a] != second.name[b],
            float(np.hypot(*(first.xy[a] - second.xy[b]))),
            int(a),
            int(b),
        )
        for a, others in zip(mine, near, strict=True)
        for b in theirs[others]
        if first.service[a] == second.service[b]
        and (not named or (first.name[a] and one_name(first.called[a], second.called[b])))
    ]
    taken: tuple[set[int], set[int]] = (set(), set())
    found = []
    for *_, a, b in sorted(possible):
        if a not in taken[0] and b not in taken[1]:
            taken[0].add(a)
            taken[1].add(b)
            found.append((a, b))
    return found
