"""The check of residents that stand far apart: everybody spread over four places, the rate again.

A table of village centres puts a whole village at one place, often where the venues are. Rules:

1. the spacing of a place is its distance to the next place of the table, or the side of the cell or polygon
   that its people were counted in; rows within a metre are one place;
2. a place is coarse for a target when its spacing is over an eighth (``coarse_share``) of the usual reach,
   which is the limit at the usual speed;
3. when more than half (``coarse_people``) of the people the target counts live at coarse places, each of
   these is split in four, a quarter of its spacing to the east or west and as much to the north or south, the
   middles of the quarters of a square as wide as the spacing;
4. a quarter without a road takes no part: the others have its people; where none has a road, the place stays;
5. a change of the rate over ``coarse_change``, or another verdict, means that the data are insufficient;
6. where people were counted in a cell of a raster or in a polygon, they may all live in the part of it that
   is in time, or in the other. Of a coarse one the smaller part of its people is unsure, and unsure people
   over ``coarse_change``, or who would turn the verdict, mean that the data are insufficient too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import cKDTree

from lifecircle.audit._inputs import cached_per_inputs
from lifecircle.limits import within_limit
from lifecircle.reach import usable
from lifecircle.reading import CoarseReading

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.audit._searches import Searches
    from lifecircle.standards import CircleTarget

    Floats = npt.NDArray[np.float64]

_ONE_PLACE_M = 1.0
_QUARTERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]]) / 4.0


@cached_per_inputs
def spacing_m(inputs: Inputs) -> Floats:
    """Find the distance of each resident's place to the next place: (demand,), NaN where there is none."""
    spacing = np.full(len(inputs.demand), np.nan)
    placed = np.flatnonzero(np.isfinite(inputs.metres).all(axis=1))
    cells = np.round(inputs.metres[placed] / _ONE_PLACE_M)
    places, member = np.unique(cells, axis=0, return_inverse=True)
    if len(places) > 1:
        distances, _ = cKDTree(places * _ONE_PLACE_M).query(places * _ONE_PLACE_M, k=2)
        spacing[placed] = distances[member.ravel(), 1]
    if "extent_m" in inputs.demand:
        # People who were counted in a cell or a polygon live anywhere in it, however near the next one is.
        own = inputs.demand["extent_m"].to_numpy(dtype=float)
        spacing = np.where(np.isfinite(inputs.metres).all(axis=1), np.fmax(spacing, own), np.nan)
    return spacing


@cached_per_inputs
def _quarters(inputs: Inputs) -> gpd.GeoDataFrame:
    """Split every resident's place in four: (demand * 4,) points in the metre CRS, None for none."""
    middles, spacing = inputs.metres, spacing_m(inputs)
    places = middles[:, None, :] + _QUARTERS[None] * spacing[:, None, None]
    points = np.full(4 * len(middles), None, dtype=object)
    known = np.repeat(np.isfinite(spacing), 4)
    points[known] = shapely.points(places.reshape(-1, 2)[known])
    return gpd.GeoDataFrame({"population": np.ones(len(points))}, geometry=points, crs=inputs.crs)


@dataclass(frozen=True, eq=False)
class CoarsePlaces:
    """Residents that stand far apart: (demand,) flags, their share of the people, and the limit in metres."""

    coarse: npt.NDArray[np.bool_]
    share: float
    limit_m: float


@dataclass(frozen=True, eq=False)
class Quarters:
    """What is found from the quarters of coarse places: (demand, 4) flags."""

    places: CoarsePlaces
    on_roads: npt.NDArray[np.bool_]
    in_time: npt.NDArray[np.bool_]


def coarse_places(target: CircleTarget, inputs: Inputs, people: Floats) -> CoarsePlaces | None:
    """Find the residents that are too far apart for a target; None where rule 3 does not ask for a check.

    Parameters
    ----------
    people : (demand,) people the target counts
    """
    setting = inputs.study.reading
    limit_m = setting.coarse_share * target.minutes * 60 * inputs.networks[target.profile].profile.access_ms
    with np.errstate(invalid="ignore"):
        coarse = spacing_m(inputs) > limit_m
    total = float(people.sum())
    share = float(people[coarse].sum()) / total if total > 0 else 0.0
    return None if share <= setting.coarse_people else CoarsePlaces(coarse, share, limit_m)


def spread_over_quarters(
    target: CircleTarget, inputs: Inputs, searches: Searches, places: CoarsePlaces
) -> Quarters:
    """Search from the quarters of every place."""
    roads = inputs.networks[target.profile]
    homes = searches.snapped(roads, _quarters(inputs))
    on_roads = usable(roads, homes, limit_min=target.minutes).reshape(-1, 4)
    in_time = within_limit(searches.rule_seconds_of(target, homes), target.minutes * 60).reshape(-1, 4)
    return Quarters(places, on_roads, in_time)


def check_coarse(
    target: CircleTarget,
    inputs: Inputs,
    quarters: Quarters | None,
    people: Floats,
    covered: npt.NDArray[np.bool_],
) -> CoarseReading | None:
    """Compare the rate with that of residents spread over the quarters; None where nobody is coarse.

    Parameters
    ----------
    people : (demand,) people the target counts
    covered : (demand,) who is covered as they stand
    """
    if quarters is None:
        return None
    places, spacing, total = quarters.places, spacing_m(inputs), float(people.sum())
    counted = quarters.on_roads.sum(axis=1)
    spread = np.where(
        places.coarse & (counted > 0),
        (quarters.in_time & quarters.on_roads).sum(axis=1) / np.maximum(counted, 1),
        covered,
    )
    parted = _spread_before(inputs) & places.coarse
    spread = np.where(parted, covered, spread)
    return CoarseReading(
        target=target.id,
        people=places.share,
        limit_m=places.limit_m,
        spacing_m=_middle(spacing[places.coarse], people[places.coarse]),
        value=float(people[covered].sum() / total),
        spread=float((people * spread).sum() / total),
        unsure=_unsure(inputs, places.coarse, people, spread) / total,
    )


def _spread_before(inputs: Inputs) -> npt.NDArray[np.bool_]:
    """Return which rows are parts of a polygon that was spread already: (demand,)."""
    if "counted_in" not in inputs.demand:
        return np.zeros(len(inputs.demand), dtype=bool)
    parted: npt.NDArray[np.bool_] = inputs.demand["counted_in"].duplicated(keep=False).to_numpy(dtype=bool)
    return parted


def _unsure(inputs: Inputs, coarse: npt.NDArray[np.bool_], people: Floats, share: Floats) -> float:
    """Count the people of coarse cells and polygons who are on the smaller side of the limit there.

    Parameters
    ----------
    coarse : (demand,) rows that are coarse
    share : (demand,) share of the row's people who are in time
    """
    if "extent_m" not in inputs.demand:
        return 0.0
    rows = np.flatnonzero(coarse & inputs.demand["extent_m"].notna().to_numpy())
    units = np.arange(len(people))
    if "counted_in" in inputs.demand:
        units = inputs.demand["counted_in"].factorize()[0]
    whole = np.bincount(units[rows], weights=people[rows])
    within = np.bincount(units[rows], weights=(people * share)[rows])
    return float(np.minimum(within, whole - within).sum())


def _middle(values: Floats, weights: Floats) -> float:
    """Return the value that half of the weight lies at or below."""
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2)])
