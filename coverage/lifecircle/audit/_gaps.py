"""Own the list of gaps: places where people a target counts are not covered, and why.

A gap is a cluster of uncovered residents of one village (one district, where there are no villages)
with one reason, each within :data:`LINK_M` of another. It stands at the resident nearest to their
weighted mean place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit._circles import Circle
    from lifecircle.audit._prepare import Inputs

LINK_M = 500.0  # a setting
GAP_COLUMNS = ("id", "target", "district", "village", "lon", "lat", "people", "minutes", "nearest", "reason")
_FIGURES = frozenset({"lon", "lat", "people", "minutes"})


def find_gaps(circle: Circle, inputs: Inputs) -> pd.DataFrame:
    """List a target's gaps, most people first, with the columns :data:`GAP_COLUMNS`."""
    target, people = circle.result.target.id, circle.people
    left = np.flatnonzero((circle.status != "covered") & (people > 0))
    demand = inputs.demand
    cluster = _clusters(left, circle, inputs)
    rows = [
        _gap(left[cluster == number], circle, people, inputs) for number in range(cluster.max(initial=-1) + 1)
    ]
    rows.sort(key=lambda row: (-row["people"], row["first"]))
    names = _unit_names(inputs)
    for number, row in enumerate(rows, 1):
        row["id"] = f"{target}-{number:03d}"
        row["target"] = target
        for unit in ("district", "village"):
            label = demand[unit].iat[row["first"]] if unit in demand else ""
            row[unit] = names[unit].get(label, "" if pd.isna(label) else label)
    table = pd.DataFrame(rows, columns=list(GAP_COLUMNS))
    return table.astype({name: "float64" if name in _FIGURES else "str" for name in GAP_COLUMNS})


def _unit_names(inputs: Inputs) -> dict[str, dict[str, str]]:
    return {
        "district": {} if inputs.districts is None else inputs.districts["name"].to_dict(),
        "village": {} if inputs.villages is None else inputs.villages["name"].to_dict(),
    }


def _clusters(left: npt.NDArray[np.intp], circle: Circle, inputs: Inputs) -> npt.NDArray[np.intp]:
    """Give the number of the cluster of every uncovered resident, in order of their first resident."""
    if not len(left):
        return np.zeros(0, dtype=np.intp)
    demand = inputs.demand.iloc[left]
    places = demand.to_crs(next(iter(inputs.networks.values())).crs).geometry
    unit = demand["village"] if "village" in demand else demand["district"]
    key = pd.factorize(unit.astype(str) + "\0" + circle.status[left])[0]
    placed = np.flatnonzero(places.notna() & ~places.is_empty)
    points = np.column_stack([places.iloc[placed].x, places.iloc[placed].y])
    pairs = (
        cKDTree(points).query_pairs(LINK_M, output_type="ndarray") if len(placed) else np.zeros((0, 2), int)
    )
    a, b = placed[pairs[:, 0]], placed[pairs[:, 1]]
    same = key[a] == key[b]
    lost = np.flatnonzero(~np.isin(np.arange(len(left)), placed))
    if len(lost):  # residents without a place: one gap per unit
        head = pd.Series(lost).groupby(key[lost]).transform("first").to_numpy()
        a, b, same = np.r_[a, head], np.r_[b, lost], np.r_[same, np.ones(len(lost), dtype=bool)]
    links = coo_array((np.ones(same.sum()), (a[same], b[same])), shape=(len(left), len(left)))
    label: npt.NDArray[np.intp] = connected_components(links, directed=False)[1].astype(np.intp)
    return label


def _gap(
    mine: npt.NDArray[np.intp], circle: Circle, people: npt.NDArray[np.float64], inputs: Inputs
) -> dict[str, Any]:
    weight = people[mine]
    places = inputs.demand.geometry.iloc[mine]
    placed = (places.notna() & ~places.is_empty).to_numpy()
    lon = lat = np.nan
    head = mine[0]
    if placed.any():
        xy = np.column_stack([places[placed].x, places[placed].y])
        apart = xy - np.average(xy, axis=0, weights=weight[placed])
        apart[:, 0] *= np.cos(np.radians(xy[:, 1]))
        nearest = np.argmin((apart**2).sum(axis=1))
        head = mine[placed][nearest]
        lon, lat = xy[nearest]
    seconds = circle.seconds[mine]
    finite = np.isfinite(seconds)
    venue = circle.venue[head]
    names = inputs.facilities["name"]
    return {
        "first": int(mine[0]),
        "lon": round(float(lon), 6),
        "lat": round(float(lat), 6),
        "people": float(weight.sum()),
        "minutes": float(np.average(seconds[finite], weights=weight[finite]) / 60)
        if finite.any()
        else np.nan,
        "nearest": str(names.iat[venue]) if venue >= 0 and circle.status[head] != "unsnapped" else "",
        "reason": str(circle.status[mine[0]]),
    }
