"""Find what a problem of the register may move: by running the audit with it mended, or by an upper bound.

The audit is run with the rows as they may be meant and compared target by target; for venues that join no
road, the people are counted whom they could cover at most.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from lifecircle.audit import run, venue_classes
from lifecircle.errors import say
from lifecircle.findings import as_circle

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import geopandas as gpd

    from lifecircle.audit import Inputs
    from lifecircle.errors import Message
    from lifecircle.findings import Findings

_LEAST = 0.0005
"""Share below which a change prints as no point at all."""


def without(inputs: Inputs, findings: Findings, labels: Collection[str]) -> Message:
    """Return what leaving out venues of the register moves.

    Parameters
    ----------
    inputs, findings : of the year as it stands
    labels : ids of the venues
    """
    return _compared(inputs, findings, inputs.register[~inputs.register.index.isin(list(labels))])


def placed_at(inputs: Inputs, findings: Findings, places: Mapping[str, tuple[float, float]]) -> Message:
    """Return what other places of venues move.

    Parameters
    ----------
    places : id -> (lon, lat) in WGS84
    """
    register = inputs.register.copy()
    points = register.geometry.to_numpy().copy()
    at = register.index.get_indexer(list(places))
    points[at] = shapely.points(np.array(list(places.values())))
    return _compared(inputs, findings, register.set_geometry(points, crs=register.crs))


def in_district(inputs: Inputs, findings: Findings, stated: Mapping[str, str]) -> Message:
    """Return what counting venues in the district that their row states moves.

    Parameters
    ----------
    stated : id -> label of the district
    """
    districts = inputs.register["district"].astype("str").copy()
    districts.loc[list(stated)] = list(stated.values())
    return _compared(inputs, findings, inputs.register.assign(district=districts))


def at_most_near(inputs: Inputs, findings: Findings, labels: Collection[str]) -> Message:
    """Return the most that venues without a road could move: uncovered people within the straight reach.

    Nobody walks farther along roads than straight, so that no venue could cover more of them than these.
    """
    mine = inputs.facilities.index.isin(list(labels))
    most: tuple[float, str] = (0.0, "")
    for result in findings.targets:
        count = as_circle(result).count
        if count is None or not count.people or result.target.id not in findings.people:
            continue
        target: Any = result.target
        classes = venue_classes(target, inputs.study.standard, inputs.facilities)
        used = mine & np.logical_or.reduce(list(classes.values()))
        places = inputs.venue_metres[used]
        places = places[np.isfinite(places).all(axis=1)]
        if not len(places):
            continue
        profile = inputs.networks[target.profile].profile
        speeds = [profile.access_kmh, profile.speed_kmh or 0.0, *(kmh for _, kmh in profile.class_kmh)]
        reach_m = target.minutes * 60 * max(speeds) / 3.6
        known = np.asarray(np.isfinite(inputs.metres).all(axis=1), dtype=np.bool_)
        near = np.zeros(len(inputs.metres), dtype=np.bool_)
        homes = shapely.points(inputs.metres[known])
        near[known] = shapely.dwithin(homes, shapely.MultiPoint(places), reach_m)
        uncovered = (findings.status[target.id] != "covered").to_numpy(dtype=bool)
        share = float(findings.people[target.id].to_numpy(dtype=float)[near & uncovered].sum() / count.people)
        most = max(most, (share, target.name.get(findings.language)))
    return _points(*most)


def _compared(inputs: Inputs, findings: Findings, register: gpd.GeoDataFrame) -> Message:
    """Return the share that differs most when the audit is run with another register."""
    # The cached parts of the inputs belong to the register they were made of: a new object has none of them.
    other = run(replace(inputs, register=register))
    most: tuple[float, str] = (0.0, "")
    for before, after in zip(findings.targets, other.targets, strict=True):
        if before.value is None or after.value is None or not before.is_share:
            continue
        changed = abs(float(after.value) - float(before.value))
        most = max(most, (changed, before.target.name.get(findings.language)))
    return _points(*most)


def _points(share: float, target: str) -> Message:
    if share < _LEAST:
        return say("moves no rate")
    return say("moves '{target}' by up to {points} points", target=target, points=f"{share * 100:.1f}")
