"""The list of gaps: places where people a target counts are not covered, and why.

A gap is a cluster of uncovered residents of one village (one district, where their village is not known)
with one reason, each within :data:`LINK_M` of another. It stands at the resident nearest to their
weighted mean place, and gives the minutes and venues of this resident: all figures in a row are of one place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from lifecircle.audit._basis import GAP_REASONS
from lifecircle.audit._inputs import cached_per_inputs
from lifecircle.limits import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from lifecircle.audit._circles import Circle
    from lifecircle.audit._inputs import Inputs

LINK_M = 500.0  # a setting
_PART = 20_000
"""Uncovered residents that are linked at once; a unit is never divided."""

GAP_COLUMNS = (
    "id", "target", "district", "village", "lon", "lat", "people", "minutes", "nearest", "reason",
    "mean_minutes", "venues",
)  # fmt: skip
"""``minutes`` is the rule time at the gap's place, ``nearest`` the venue that it leads to, ``mean_minutes``
the mean over the gap's people, ``venues`` the venue of every class that the place asks for (see
:func:`lifecircle.findings.venue_lines`)."""
GAP_FIGURES = frozenset({"lon", "lat", "people", "minutes", "mean_minutes"})


def find_gaps(circle: Circle, inputs: Inputs) -> pd.DataFrame:
    """List a target's gaps, most people first, with the columns :data:`GAP_COLUMNS`."""
    target = circle.result.target.id
    left = np.flatnonzero((circle.status != "covered") & (circle.people > 0))
    cluster = gap_clusters(left, circle.status, inputs)
    order = np.argsort(cluster, kind="stable")
    ends = np.flatnonzero(np.diff(cluster[order], append=-1))
    facts = _Facts.of(circle, inputs)
    members = np.split(left[order], ends[:-1] + 1) if len(left) else []
    rows = sorted((_gap(mine, facts) for mine in members), key=lambda row: (-row["people"], row["first"]))
    for number, row in enumerate(rows, 1):
        row |= {"id": f"{target}-{number:03d}", "target": target}
    table = pd.DataFrame(rows, columns=list(GAP_COLUMNS))
    return table.astype({name: "float64" if name in GAP_FIGURES else "str" for name in GAP_COLUMNS})


@dataclass(frozen=True, eq=False)
class _Facts:
    """Facts of each resident, (demand,) each: places (NaN where none), people, answers, names of units.

    ``ranks``, ``venues`` : class -> (demand,) seconds to the last venue the rule asks of the class, NaN where
    there is none, and its name; ``asked`` : class -> how many the rule asks for.
    """

    lonlat: npt.NDArray[np.float64]
    people: npt.NDArray[np.float64]
    seconds: npt.NDArray[np.float64]
    status: npt.NDArray[np.str_]
    nearest: npt.NDArray[np.object_]
    district: npt.NDArray[np.object_]
    village: npt.NDArray[np.object_]
    ranks: Mapping[str, npt.NDArray[np.float64]]
    venues: Mapping[str, npt.NDArray[np.object_]]
    asked: Mapping[str, int]
    reasons: Mapping[str, str]
    speed_ms: float | None
    lacking: tuple[str, ...]

    @classmethod
    def of(cls, circle: Circle, inputs: Inputs) -> _Facts:
        """Gather the facts of one circle."""
        names = np.append(inputs.facilities["name"].to_numpy(dtype=object), "")
        target = circle.result.target
        return cls(
            inputs.lonlat,
            circle.people,
            circle.seconds,
            circle.status,
            np.where(circle.status == "unsnapped", "", names[circle.venue]),
            *_units(inputs),
            ranks={name: times[:, -1] for name, times in circle.ranks.items()},
            venues={name: names[venue[:, -1]] for name, venue in circle.venues.items()},
            asked=getattr(target, "require", {}),
            reasons={"beyond": GAP_REASONS.get(getattr(target, "accounting", ""), "beyond")},
            speed_ms=circle.speed_ms,
            lacking=circle.lacking,
        )


@cached_per_inputs
def _units(inputs: Inputs) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Name each resident's district and village: (demand,) each."""
    return (
        _names(inputs.demand, "district", inputs.districts),
        _names(inputs.demand, "village", inputs.villages),
    )


def _names(demand: pd.DataFrame, column: str, units: pd.DataFrame | None) -> npt.NDArray[np.object_]:
    """Name each resident's unit; its label where the unit has no name, empty where there is none."""
    labels = demand[column].fillna("") if column in demand else pd.Series("", index=demand.index)
    named = labels if units is None else labels.map(units["name"]).fillna(labels)
    out: npt.NDArray[np.object_] = named.to_numpy(dtype=object)
    return out


def gap_clusters(
    left: npt.NDArray[np.intp], status: npt.NDArray[np.str_], inputs: Inputs
) -> npt.NDArray[np.intp]:
    """Return the number of the gap of every uncovered resident, in order of their first resident.

    Parameters
    ----------
    left : (uncovered,) positions of the uncovered residents, ascending
    status : (demand,) the bucket of every resident
    """
    if not len(left):
        return np.zeros(0, dtype=np.intp)
    # Unit and bucket of each, as one number: only residents that share both are one gap.
    key = _unit_numbers(inputs)[left] * len(STATUSES)
    for number, bucket in enumerate(STATUSES):
        key[status[left] == bucket] += number
    metres = inputs.metres[left]
    placed = np.isfinite(metres).all(axis=1)
    label = np.empty(len(left), dtype=np.intp)
    begun = 0
    for mine in _by_key(np.flatnonzero(placed), key):
        label[mine] = begun + _linked(metres[mine], key[mine])
        begun = int(label[mine].max()) + 1
    # Residents without a place: one gap for each unit.
    label[~placed] = begun + np.unique(key[~placed], return_inverse=True)[1]
    numbered: npt.NDArray[np.intp] = pd.factorize(label)[0]
    return numbered


@cached_per_inputs
def _unit_numbers(inputs: Inputs) -> npt.NDArray[np.intp]:
    """Return a number for each resident's village, or district where none is known: (demand,)."""
    demand = inputs.demand
    district: npt.NDArray[np.intp] = pd.factorize(demand["district"].fillna("").astype(str))[0]
    if "village" not in demand:
        return district
    # The column is there in every study, and empty where a study has no villages.
    village, names = pd.factorize(demand["village"].fillna("").astype(str))
    unknown = (names == "")[village]
    numbers: npt.NDArray[np.intp] = np.where(unknown, len(names) + district, village)
    return numbers


def _by_key(rows: npt.NDArray[np.intp], key: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    """Yield rows in parts that divide no key, so that the pairs of a province are never held at once."""
    order = rows[np.argsort(key[rows], kind="stable")]
    begin = np.flatnonzero(np.diff(key[order], prepend=-1))
    # A part ends with the first key that brings it to the size.
    part = np.unique(begin[np.unique(begin // _PART, return_index=True)[1]])
    yield from np.split(order, part[1:]) if len(order) else ()


def _linked(points: npt.NDArray[np.float64], key: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return a number for each point, equal where points of one key are linked by steps of at most LINK_M."""
    a, b = cKDTree(points).query_pairs(LINK_M, output_type="ndarray").T
    same = key[a] == key[b]
    links = coo_array((np.ones(same.sum(), np.int8), (a[same], b[same])), shape=(len(points), len(points)))
    label: npt.NDArray[np.intp] = connected_components(links, directed=False)[1].astype(np.intp)
    return label


def _gap(mine: npt.NDArray[np.intp], facts: _Facts) -> dict[str, Any]:
    """Return one gap: the resident nearest to the weighted mean place stands for it."""
    weight, lonlat, seconds = facts.people[mine], facts.lonlat[mine], facts.seconds[mine]
    placed = np.flatnonzero(np.isfinite(lonlat[:, 0]))
    head = mine[0]
    if len(placed):
        share = weight[placed] / weight[placed].sum()
        apart = lonlat[placed] - share @ lonlat[placed]
        apart[:, 0] *= np.cos(np.radians(lonlat[placed[0], 1]))
        head = mine[placed[np.argmin((apart**2).sum(axis=1))]]
    finite = np.isfinite(seconds)
    mean = (weight[finite] @ seconds[finite]) / weight[finite].sum() / 60 if finite.any() else np.nan
    reason = str(facts.status[mine[0]])
    return {
        "first": int(mine[0]),
        "district": facts.district[mine[0]],
        "village": facts.village[mine[0]],
        "lon": round(float(facts.lonlat[head, 0]), 6),
        "lat": round(float(facts.lonlat[head, 1]), 6),
        "people": float(weight.sum()),
        "minutes": float(facts.seconds[head]) / 60,
        "nearest": facts.nearest[head],
        "reason": _reason(reason, facts),
        "mean_minutes": float(mean),
        "venues": "" if reason == "unsnapped" else _venues_at(int(head), facts),
    }


def _venues_at(head: int, facts: _Facts) -> str:
    """Name the venue of every class that a place's rule ends with, and how far it is, as JSON.

    Nothing for a rule of one venue by minutes: the columns of the gap say it all.
    """
    if sum(facts.asked.values()) == 1 and facts.speed_ms is None:
        return ""
    lines = []
    for name, times in facts.ranks.items():
        known = bool(np.isfinite(times[head]))
        line: dict[str, Any] = {"class": name, "count": facts.asked[name]}
        line["venue"] = str(facts.venues[name][head]) if known else ""
        if facts.speed_ms is None:
            line["minutes"] = float(times[head]) / 60 if known else None
        else:
            line["metres"] = float(times[head]) * facts.speed_ms if known else None
        lines.append(line)
    return json.dumps(lines, ensure_ascii=False) if lines else ""


def _reason(status: str, facts: _Facts) -> str:
    """Name why people are not covered: their bucket, unless there are too few venues anywhere."""
    if facts.lacking and status != "unsnapped":
        return facts.lacking[0].partition(":")[0]
    return facts.reasons.get(status, status)
