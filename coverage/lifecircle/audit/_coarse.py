"""The check of residents whose place is not known to the metre: spread over four places, the rate again.

A table of village centres puts a whole village at one place, often where the venues are; a raster puts the
people of a cell at its middle. Rules:

1. the extent of a row is the side of the cell, polygon or village that its people were counted in; its
   spacing is that extent, and without one the distance to the next place of the table. Rows within a metre
   are one place;
2. a place is coarse for a target when its spacing is over an eighth (``coarse_share``) of the usual reach,
   which is the limit at the usual speed;
3. when more than half (``coarse_people``) of the people the target counts live at coarse places, each of
   these is split in four, a quarter of its spacing to the east or west and as much to the north or south, the
   middles of the quarters of a square as wide as the spacing;
4. a quarter without a road takes no part: the others have its people; where none has a road, the place stays;
5. a change of the rate over ``coarse_change``, or another verdict, means that the data are insufficient;
6. rows of a known extent are split in the same way, however fine they are, where the limit may run through
   them: those whose time is within twice the walk across them of the limit, and those without a road. The
   rows of a polygon that was spread evenly are its parts already;
7. of a cell, polygon or village that is partly in time it is unknown who lives where. The rate may be off by
   the change of rule 5 in these rows and by three standard errors, everybody of a unit taken to live at one
   place in it and each unit by itself, so that the errors of many cells cancel. What the rate may be off by
   is ``unsure``; over ``unsure_max``, or where it would turn the verdict, the data are insufficient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from lifecircle.audit._counted import village_of
from lifecircle.audit._inputs import cached_per_inputs
from lifecircle.limits import within_limit
from lifecircle.reach import usable
from lifecircle.reading import CoarseReading

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._searches import Answer, Searches
    from lifecircle.standards import CircleTarget

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

_ONE_PLACE_M = 1.0
_QUARTERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]]) / 4.0
_WALKS_ACROSS = 2.0
_STANDARD_ERRORS = 3.0


@cached_per_inputs
def extent_m(inputs: Inputs) -> Floats:
    """Find the side of the cell, polygon or village that each row was counted in: (demand,), NaN for none.

    A village that is drawn as a polygon, and whose people are one row, is the extent of that row.
    """
    placed = np.isfinite(inputs.metres).all(axis=1)
    own = np.full(len(inputs.demand), np.nan)
    if "extent_m" in inputs.demand:
        own = inputs.demand["extent_m"].to_numpy(dtype=float)
    sides: Floats = _village_sides(inputs)
    if len(sides):
        village = village_of(inputs)
        rows = np.bincount(village[village >= 0], minlength=len(sides))
        alone = (village >= 0) & (rows[village] == 1) & np.isnan(own)
        own = np.where(alone, sides[village], own)
    return np.where(placed, own, np.nan)


def _village_sides(inputs: Inputs) -> Floats:
    """Return the side of a square as large as each village: (village,), NaN for a point; empty for none."""
    if inputs.villages is None or not len(inputs.villages):
        return np.zeros(0)
    shapes = inputs.villages.geometry.to_numpy()
    if not (shapely.get_dimensions(shapes) == 2).any():
        return np.zeros(0)
    area = shapely.area(inputs.villages.to_crs(inputs.crs).geometry.to_numpy())
    return np.sqrt(np.where(area > 0, area, np.nan))


@cached_per_inputs
def spacing_m(inputs: Inputs) -> Floats:
    """Find how far each row may be from where its people live: (demand,), NaN where there is no place."""
    spacing = np.full(len(inputs.demand), np.nan)
    placed = np.flatnonzero(np.isfinite(inputs.metres).all(axis=1))
    cells = np.round(inputs.metres[placed] / _ONE_PLACE_M)
    places, member = np.unique(cells, axis=0, return_inverse=True)
    if len(places) > 1:
        distances, _ = cKDTree(places * _ONE_PLACE_M).query(places * _ONE_PLACE_M, k=2)
        spacing[placed] = distances[member.ravel(), 1]
    # People who were counted in a cell or a polygon live anywhere in it, however near or far the next one is.
    own = extent_m(inputs)
    return np.where(np.isnan(own), spacing, own)


def _quartered(inputs: Inputs, rows: Ints) -> gpd.GeoDataFrame:
    """Split the places of rows in four: (row * 4,) points in the metre CRS, None for none."""
    spacing = spacing_m(inputs)[rows]
    places = inputs.metres[rows][:, None, :] + _QUARTERS[None] * spacing[:, None, None]
    points = np.full(4 * len(rows), None, dtype=object)
    known = np.repeat(np.isfinite(spacing), 4)
    points[known] = shapely.points(places.reshape(-1, 2)[known])
    return gpd.GeoDataFrame({"population": np.ones(len(points))}, geometry=points, crs=inputs.crs)


@cached_per_inputs
def _all_quarters(inputs: Inputs) -> gpd.GeoDataFrame:
    return _quartered(inputs, np.arange(len(inputs.demand)))


@dataclass(frozen=True, eq=False)
class CoarsePlaces:
    """Rows whose people may live elsewhere than the row stands.

    ``coarse`` : (demand,) which are coarse by rule 3, none where it asks for no check; ``share`` : of the
    people, at places wider than ``limit_m``; ``rows`` : positions of the rows to split, ascending.
    """

    coarse: Flags
    share: float
    limit_m: float
    rows: Ints


@dataclass(frozen=True, eq=False)
class Quarters:
    """What is found from the quarters of ``places.rows``: (row, 4) flags."""

    places: CoarsePlaces
    on_roads: Flags
    in_time: Flags


def coarse_places(
    target: CircleTarget, inputs: Inputs, people: Floats, answer: Answer
) -> CoarsePlaces | None:
    """Find the rows whose extent or spacing matters to a target; None where there are none.

    Parameters
    ----------
    people : (demand,) people the target counts
    answer : of the target's rule with all venues, from where the rows stand
    """
    setting = inputs.study.reading
    speed_ms = inputs.networks[target.profile].profile.access_ms
    limit_m = setting.coarse_share * target.minutes * 60 * speed_ms
    with np.errstate(invalid="ignore"):
        coarse = spacing_m(inputs) > limit_m
    total = float(people.sum())
    share = float(people[coarse].sum()) / total if total > 0 else 0.0
    if share <= setting.coarse_people:
        coarse = np.zeros(len(people), dtype=bool)
    split = coarse | (_straddling(target, inputs, answer, speed_ms) & (people > 0))
    if not split.any() and not _parted(inputs).any():
        return None
    return CoarsePlaces(coarse, share, limit_m, np.flatnonzero(split))


def _straddling(target: CircleTarget, inputs: Inputs, answer: Answer, speed_ms: float) -> Flags:
    """Return the rows of a known extent through which the limit may run: (demand,), rule 6."""
    extent = extent_m(inputs)
    known = np.isfinite(extent) & ~_parted(inputs)
    if not known.any():
        return known
    across = _WALKS_ACROSS * extent / speed_ms
    off = ~(answer.snapped & np.isfinite(answer.seconds))
    with np.errstate(invalid="ignore"):
        near = np.abs(answer.seconds - target.minutes * 60) <= across
    return known & (off | near)


def spread_over_quarters(
    target: CircleTarget, inputs: Inputs, searches: Searches, places: CoarsePlaces
) -> Quarters:
    """Search from the quarters of the places that are split."""
    roads, rows = inputs.networks[target.profile], places.rows
    if not len(rows):
        nothing = np.zeros((0, 4), dtype=bool)
        return Quarters(places, nothing, nothing)
    if places.coarse.any():  # most rows are split, for most targets
        every = (4 * rows[:, None] + np.arange(4)).ravel()
        homes = searches.snapped(roads, _all_quarters(inputs)).take(every)
    else:
        homes = inputs.snapped(roads, _quartered(inputs, rows), keep=False)
    on_roads = usable(roads, homes, limit_min=target.minutes).reshape(-1, 4)
    in_time = within_limit(searches.rule_seconds_of(target, homes), target.minutes * 60).reshape(-1, 4)
    return Quarters(places, on_roads, in_time)


@dataclass(frozen=True, eq=False)
class CoarseCheck:
    """The check of a target, and for every district what its rate may be off by: code -> share."""

    reading: CoarseReading
    by_district: Mapping[str, float] = field(default_factory=dict)


def check_coarse(
    target: CircleTarget, inputs: Inputs, quarters: Quarters | None, people: Floats, covered: Flags
) -> CoarseCheck | None:
    """Compare the rate with that of residents spread over the quarters; None where nothing is to be said.

    Parameters
    ----------
    people : (demand,) people the target counts
    covered : (demand,) who is covered as they stand
    """
    if quarters is None:
        return None
    places, spacing, total = quarters.places, spacing_m(inputs), float(people.sum())
    counted = quarters.on_roads.sum(axis=1)
    share = covered.astype(float)
    share[places.rows] = np.where(
        counted > 0,
        (quarters.in_time & quarters.on_roads).sum(axis=1) / np.maximum(counted, 1),
        share[places.rows],
    )
    share = np.where(_parted(inputs), covered, share)
    units = _units(inputs, people, share, covered)
    unsure, partly = _unsure(units, total), units[_is_partly(units)]
    if not places.coarse.any() and not unsure:
        return None
    seen = places.coarse if places.coarse.any() else np.isin(_unit_numbers(inputs), partly.index)
    reading = CoarseReading(
        target=target.id,
        people=places.share,
        limit_m=places.limit_m,
        spacing_m=_middle(spacing[seen], people[seen]),
        value=float(people[covered].sum() / total),
        spread=float((people * share).sum() / total),
        unsure=unsure,
        partly=float(partly["people"].sum() / total),
    )
    return CoarseCheck(reading, _by_district(inputs, people, share, covered) if unsure else {})


def _parted(inputs: Inputs) -> Flags:
    """Return which rows are parts of a polygon that was spread already: (demand,)."""
    if "counted_in" not in inputs.demand:
        return np.zeros(len(inputs.demand), dtype=bool)
    parted: Flags = inputs.demand["counted_in"].duplicated(keep=False).to_numpy(dtype=bool)
    return parted


def _unit_numbers(inputs: Inputs) -> Ints:
    """Return a number for each cell, polygon or village that people were counted in: (demand,)."""
    if "counted_in" in inputs.demand:
        numbers: Ints = inputs.demand["counted_in"].factorize()[0]
        return numbers
    return np.arange(len(inputs.demand))


def _units(inputs: Inputs, people: Floats, share: Floats, covered: Flags) -> pd.DataFrame:
    """Sum rows of a known extent by unit: people, and those in time when spread and as the rows stand."""
    known = np.isfinite(extent_m(inputs)) & (people > 0)
    rows = pd.DataFrame({"people": people, "spread": people * share, "stands": people * covered})[known]
    return rows.groupby(_unit_numbers(inputs)[known]).sum()


def _is_partly(units: pd.DataFrame) -> pd.Series[bool]:
    """Return which units are partly in time."""
    return (units["spread"] > 0) & (units["spread"] < units["people"])


def _unsure(units: pd.DataFrame, total: float) -> float:
    """Return what a rate may be off by, as rule 7 says: a share of all people."""
    if total <= 0 or units.empty:
        return 0.0
    change = abs(float(units["spread"].sum() - units["stands"].sum()))
    error = float(np.sqrt((units["spread"] * (units["people"] - units["spread"])).clip(lower=0.0).sum()))
    return min((change + _STANDARD_ERRORS * error) / total, 1.0)


def _by_district(inputs: Inputs, people: Floats, share: Floats, covered: Flags) -> dict[str, float]:
    """Return what the rate of each district may be off by: code -> share of its people."""
    found, district = {}, inputs.demand["district"].to_numpy()
    for code in pd.unique(district):
        here = np.where(district == code, people, 0.0)
        found[str(code)] = _unsure(_units(inputs, here, share, covered), float(here.sum()))
    return found


def _middle(values: Floats, weights: Floats) -> float:
    """Return the value that half of the weight lies at or below."""
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2)])
