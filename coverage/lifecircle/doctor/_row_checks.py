"""Compare rows of the register with each other and with the units they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from lifecircle.datum import bd09_from_wgs84, gcj02_from_wgs84
from lifecircle.doctor._input_problem import SAMPLES, Problem
from lifecircle.errors import say
from lifecircle.facilities import similar_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lifecircle.audit import Inputs

    Floats = npt.NDArray[np.float64]

RENAMED_M = 50.0
"""A venue that opens this near to one that closes within the same days is taken for the same, renamed."""

RENAMED_DAYS = 31
_SHIFT_LEAST_M = 250.0
_SHIFT_NEAR = 1.5
_BACK = {"gcj02": gcj02_from_wgs84, "bd09": bd09_from_wgs84}


def renamed(inputs: Inputs) -> Iterator[Problem]:
    """Find venues that close where another of the service opens: renamed, not closed and opened."""
    register = inputs.register
    if not {"opened", "closed"} <= set(register.columns):
        return
    closing = register[register["closed"].notna()]
    opening = register[register["opened"].notna()]
    pairs = _near_pairs(closing, opening, inputs, RENAMED_M)
    rows, places = [], []
    for left, right in pairs:
        old, new = closing.iloc[left], opening.iloc[right]
        days = abs((new["opened"] - old["closed"]).days)
        if old["service"] == new["service"] and old.name != new.name and days <= RENAMED_DAYS:
            rows.append(f"{old.name} {old['name']} → {new.name} {new['name']}")
            places.append((float(new.geometry.x), float(new.geometry.y)))
    if rows:
        yield Problem(
            "note",
            "renamed",
            "facilities",
            len(rows),
            say("a venue closes where another of its service opens: renamed, not closed and opened"),
            say("give both rows one id, so that a renaming is no change of supply"),
            tuple(rows[:SAMPLES]),
            places=tuple(places[:SAMPLES]),
        )


def similar_names(inputs: Inputs) -> Iterator[Problem]:
    """Find venues of one service and nearly one name close together, both open: perhaps one venue twice."""
    here = inputs.facilities
    rows, places = [], []
    for left, right in similar_rows(here).tolist():
        one, other = here.iloc[left], here.iloc[right]
        rows.append(f"{one.name} {one['name']} / {other.name} {other['name']}")
        places.append((float(one.geometry.x), float(one.geometry.y)))
    if rows:
        yield Problem(
            "warning",
            "similar_names",
            "facilities",
            len(rows),
            say("two venues of one service and nearly one name stand close together"),
            say(
                "if they are one, delete a row or write merge_duplicates = true; rules of several count both"
            ),
            tuple(rows[:SAMPLES]),
            places=tuple(places[:SAMPLES]),
        )


def shifted_rows(inputs: Inputs, source: str, datum: str) -> Iterator[Problem]:
    """Find rows of a shifted list that are in WGS84 already: far from the village they serve.

    Parameters
    ----------
    source : name of the list
    datum : its declared datum, ``gcj02`` or ``bd09``
    """
    if datum not in _BACK or inputs.villages is None or "serves" not in inputs.register:
        return
    mine = inputs.register[inputs.register["source"] == source]
    serves = mine["serves"].astype("str")
    mine = mine[serves.isin(inputs.villages.index.astype("str")).to_numpy()]
    mine = mine[mine.geometry.notna() & ~mine.geometry.is_empty]
    if len(mine) < 2 * SAMPLES:
        return  # how far a venue is from its village is measured on the list itself
    centres = inputs.villages.to_crs(inputs.crs).geometry.representative_point()
    goal = centres.set_axis(centres.index.astype("str")).reindex(mine["serves"].astype("str")).to_numpy()
    lon, lat = mine.geometry.x.to_numpy(), mine.geometry.y.to_numpy()
    declared = _metres_to(lon, lat, goal, inputs)
    as_given = _metres_to(*_BACK[datum](lon, lat), goal, inputs)
    usual = float(np.median(declared))
    strange = (declared - as_given > _SHIFT_LEAST_M) & (as_given <= _SHIFT_NEAR * usual)
    if strange.any():
        rows = mine[strange]
        reason = say(
            "rows that seem to be in WGS84, in a list declared {datum}: far from the village they serve",
            datum=datum,
        )
        yield Problem(
            "error",
            "shifted_rows",
            source,
            int(strange.sum()),
            reason,
            say("keep such rows in a list of their own, declared wgs84"),
            tuple(f"{label} {name}" for label, name in zip(rows.index, rows["name"], strict=True))[:SAMPLES],
            places=tuple(zip(rows.geometry.x.tolist(), rows.geometry.y.tolist(), strict=True))[:SAMPLES],
        )


def elsewhere(inputs: Inputs) -> Iterator[Problem]:
    """Find venues whose stated district is not the one they stand in."""
    register = inputs.register
    if inputs.districts is None or "stated_district" not in register:
        return
    stated = register["stated_district"].astype("str")
    wrong = (stated != "") & (stated != register["district"].astype("str"))
    if wrong.any():
        rows = register[wrong.to_numpy()]
        yield Problem(
            "warning",
            "elsewhere",
            "facilities",
            len(rows),
            say("venues that stand in another district than their row says"),
            say("correct the coordinates or the district"),
            tuple(f"{label} {name}" for label, name in zip(rows.index, rows["name"], strict=True))[:SAMPLES],
        )


def _metres_to(lon: Any, lat: Any, goal: Any, inputs: Inputs) -> Floats:
    shapes = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(inputs.crs).to_numpy()
    return np.asarray(shapely.distance(shapes, goal), dtype=np.float64)


def _near_pairs(
    one: gpd.GeoDataFrame, other: gpd.GeoDataFrame, inputs: Inputs, within_m: float
) -> Sequence[tuple[int, int]]:
    """List the rows of two tables that stand within a distance: positions (one, other), in order."""
    if one.empty or other.empty:
        return ()
    shapes = [table.to_crs(inputs.crs).geometry.to_numpy() for table in (one, other)]
    left, right = shapely.STRtree(shapes[1]).query(shapes[0], predicate="dwithin", distance=within_m)
    return sorted(zip(left.tolist(), right.tolist(), strict=True))
