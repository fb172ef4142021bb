"""Own the check of residents that stand far apart: everybody spread over four places, the rate again.

A table of village centres puts a whole village at one place, often where the venues are. Rules:

1. the spacing of a place is its distance to the next place of the table; rows within a metre are one place;
2. a place is coarse for a target when its spacing is over an eighth (``coarse_share``) of the usual reach,
   which is the limit at the usual speed;
3. when more than half (``coarse_people``) of the people the target counts live at coarse places, each of
   these is split in four, a quarter of its spacing to the east or west and as much to the north or south, the
   middles of the quarters of a square as wide as the spacing;
4. a quarter without a road takes no part: the others have its people; where none has a road, the place stays;
5. a change of the rate over ``coarse_change``, or another verdict, means that the data are insufficient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import cKDTree

from lifecircle.audit._prepare import worked_out_once
from lifecircle.limits import within_limit
from lifecircle.reach import usable
from lifecircle.reading import CoarseReading

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit._prepare import Inputs
    from lifecircle.audit._searches import Searches
    from lifecircle.standards import CircleTarget

    Floats = npt.NDArray[np.float64]

_ONE_PLACE_M = 1.0
_QUARTERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]]) / 4.0


@worked_out_once
def spacing_m(inputs: Inputs) -> Floats:
    """Find the distance of each resident's place to the next place: (demand,), NaN where there is none."""
    spacing = np.full(len(inputs.demand), np.nan)
    placed = np.flatnonzero(np.isfinite(inputs.metres).all(axis=1))
    cells = np.round(inputs.metres[placed] / _ONE_PLACE_M)
    places, member = np.unique(cells, axis=0, return_inverse=True)
    if len(places) > 1:
        distances, _ = cKDTree(places * _ONE_PLACE_M).query(places * _ONE_PLACE_M, k=2)
        spacing[placed] = distances[member.ravel(), 1]
    return spacing


@worked_out_once
def _quarters(inputs: Inputs) -> gpd.GeoDataFrame:
    """Split every resident's place in four: (demand * 4,) points in the metre CRS, None for none."""
    middles, spacing = inputs.metres, spacing_m(inputs)
    places = middles[:, None, :] + _QUARTERS[None] * spacing[:, None, None]
    points = np.full(4 * len(middles), None, dtype=object)
    known = np.repeat(np.isfinite(spacing), 4)
    points[known] = shapely.points(places.reshape(-1, 2)[known])
    return gpd.GeoDataFrame({"population": np.ones(len(points))}, geometry=points, crs=inputs.crs)


def check_coarse(
    target: CircleTarget,
    inputs: Inputs,
    searches: Searches,
    people: Floats,
    covered: npt.NDArray[np.bool_],
) -> CoarseReading | None:
    """Check a target whose residents are coarse; None where they are not.

    Parameters
    ----------
    people : (demand,) people the target counts
    covered : (demand,) who is covered as they stand
    """
    setting = inputs.study.reading
    roads = inputs.networks[target.profile]
    limit_m = setting.coarse_share * target.minutes * 60 * roads.profile.access_ms
    spacing = spacing_m(inputs)
    with np.errstate(invalid="ignore"):
        coarse = spacing > limit_m
    total = float(people.sum())
    share = float(people[coarse].sum()) / total if total > 0 else 0.0
    if share <= setting.coarse_people:
        return None
    homes = searches.snapped(roads, _quarters(inputs))
    on_roads = usable(roads, homes, limit_min=target.minutes).reshape(-1, 4)
    in_time = within_limit(searches.rule_seconds_of(target, homes), target.minutes * 60).reshape(-1, 4)
    counted = on_roads.sum(axis=1)
    spread = np.where(
        coarse & (counted > 0), (in_time & on_roads).sum(axis=1) / np.maximum(counted, 1), covered
    )
    return CoarseReading(
        target=target.id,
        people=share,
        limit_m=limit_m,
        spacing_m=_middle(spacing[coarse], people[coarse]),
        value=float(people[covered].sum() / total),
        spread=float((people * spread).sum() / total),
    )


def _middle(values: Floats, weights: Floats) -> float:
    """Give the value that half of the weight lies at or below."""
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2)])
