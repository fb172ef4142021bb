"""Compare rows of the register with each other and with the units they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.datum import bd09_from_wgs84, gcj02_from_wgs84
from lifecircle.doctor._effects import in_district, placed_at, without
from lifecircle.doctor._input_problem import SAMPLES, Problem
from lifecircle.errors import say
from lifecircle.facilities import similar_rows
from lifecircle.hours import open_week

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lifecircle.audit import Inputs
    from lifecircle.findings import Findings

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
            say("moves no rate of this year"),
            places=tuple(places[:SAMPLES]),
        )


def similar_names(inputs: Inputs, findings: Findings | None = None) -> Iterator[Problem]:
    """Find venues of one service and nearly one name close together, both open: perhaps one venue twice.

    Parameters
    ----------
    findings : of the year, for what the later rows move
    """
    here = inputs.facilities
    pairs = similar_rows(here)
    if len(pairs):
        rows = [
            f"{one.name} {one['name']} / {other.name} {other['name']}"
            for one, other in ((here.iloc[early], here.iloc[late]) for early, late in pairs.tolist())
        ]
        later = here.iloc[pairs[:, 1]]
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
            "" if findings is None else without(inputs, findings, set(later.index)),
            places=_places(later),
        )


def shifted_rows(
    inputs: Inputs, source: str, datum: str, findings: Findings | None = None
) -> Iterator[Problem]:
    """Find rows of a shifted list that are in WGS84 already: far from the village they serve.

    Parameters
    ----------
    source : name of the list
    datum : its declared datum, ``gcj02`` or ``bd09``
    findings : of the year, for what their right places move
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
    written = np.column_stack(_BACK[datum](lon, lat))
    declared = _metres_to(lon, lat, goal, inputs)
    as_given = _metres_to(written[:, 0], written[:, 1], goal, inputs)
    usual = float(np.median(declared))
    strange = (declared - as_given > _SHIFT_LEAST_M) & (as_given <= _SHIFT_NEAR * usual)
    if strange.any():
        rows = mine[strange]
        reason = say(
            "rows that seem to be in WGS84, in a list declared {datum}: far from the village they serve",
            datum=datum,
        )
        right = {
            str(label): (float(x), float(y))
            for label, (x, y) in zip(rows.index, written[strange], strict=True)
        }
        yield Problem(
            "error",
            "shifted_rows",
            source,
            int(strange.sum()),
            reason,
            say("keep such rows in a list of their own, declared wgs84"),
            _named(rows),
            "" if findings is None else placed_at(inputs, findings, right),
            places=_places(rows),
        )


def elsewhere(inputs: Inputs, findings: Findings | None = None) -> Iterator[Problem]:
    """Find venues whose stated district is not the one they stand in.

    Parameters
    ----------
    findings : of the year, for what counting them where their row says moves
    """
    if inputs.districts is None or inputs.stated is None:
        return
    register = inputs.register
    by_word = {str(label): str(label) for label in inputs.districts.index}
    by_word |= {str(name): str(label) for label, name in inputs.districts["name"].items()}
    stated = inputs.stated.reindex(register.index).fillna("").map(lambda word: by_word.get(word, ""))
    wrong = ((stated != "") & (stated != register["district"].astype("str"))).to_numpy(dtype=bool)
    if wrong.any():
        rows = register[wrong]
        yield Problem(
            "warning",
            "elsewhere",
            "facilities",
            len(rows),
            say("venues that stand in another district than their row says"),
            say("correct the coordinates or the district"),
            _named(rows),
            "" if findings is None else in_district(inputs, findings, stated[wrong].to_dict()),
            places=_places(rows),
        )


def _named(rows: gpd.GeoDataFrame) -> tuple[str, ...]:
    """Name the samples of a problem: id and name."""
    return tuple(f"{label} {name}" for label, name in zip(rows.index, rows["name"], strict=True))[:SAMPLES]


def _places(rows: gpd.GeoDataFrame) -> tuple[tuple[float, float], ...]:
    """Return the places of the samples of a problem that have one."""
    points = rows.geometry[rows.geometry.notna() & ~rows.geometry.is_empty]
    return tuple(zip(points.x.tolist(), points.y.tolist(), strict=True))[:SAMPLES]


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


_HOURS_APART = 2.0  # hours a week; a closing day or a lunch hour is more


def hours_disagree(inputs: Inputs) -> Iterator[Problem]:
    """Find venues whose stated hours a week, or evenings and weekends, are not what their hours say."""
    register = inputs.register
    stated = [name for name in ("hours_per_week", "weekday", "evening", "weekend") if name in register]
    if not stated:
        return
    rows, places = [], []
    for at, text in enumerate(register["hours"].astype("str")):
        week = open_week(text)
        if week is None:
            continue
        said = {
            "hours_per_week": week.hours,
            "weekday": week.weekday,
            "evening": week.evening,
            "weekend": week.weekend,
        }
        wrong = [name for name in stated if _disagrees(register[name].iloc[at], said[name])]
        if wrong:
            cells = ", ".join(f"{name} {register[name].iloc[at]} / {said[name]}" for name in wrong)
            rows.append(f"{register.index[at]} {register['name'].iloc[at]}: {text} ({cells})")
            places.append(at)
    if rows:
        yield Problem(
            "warning",
            "hours_disagree",
            "facilities",
            len(rows),
            say("the hours of a venue and its hours a week, evenings or weekends disagree"),
            say("correct one of them; where open hours count, the hours are used"),
            tuple(rows[:SAMPLES]),
            say("moves no rate of reach: only targets that count open hours use them"),
            places=_places(register.iloc[places]),
        )


def _disagrees(stated: Any, found: Any) -> bool:
    if pd.isna(stated):
        return False
    if isinstance(found, bool):
        return bool(stated) != found
    return bool(abs(float(stated) - found) > _HOURS_APART)
