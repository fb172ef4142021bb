"""What the page shows of a capacity target within reach: who finds a place, and how full venues are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecircle.counting import in_area, urban_class
from lifecircle.findings import CapacityResult, equity_lines, reach_lines
from lifecircle.page_data._target_text import OUTSIDE

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.findings import Findings, TargetResult
    from lifecircle.page_data._packed_columns import SectionWriter
    from lifecircle.wording import Words

    Floats = npt.NDArray[np.float64]

_ENOUGH, _BELOW, _LOW, _NONE, _NO_ROAD, _UNCOUNTED = 10, 2, 3, 4, 5, 6
"""Classes of residents: places of their colours in ``PAINTED`` of ``drawing.js``, none that of a district."""
_MAJORITY = 0.5


def supply_data(
    findings: Findings, result: TargetResult, words: Words, writer: SectionWriter
) -> dict[str, Any] | None:
    """Keep what is within reach by a capacity target; None where the run or edition has nothing of it."""
    name = result.target.id
    if not isinstance(result, CapacityResult) or result.reach is None:
        return None
    if f"near_score_{name}" not in findings.home_supply:
        return None
    circles = {one.target.id: one.target.name.get(words.language) for one in findings.targets}
    place = f"{findings.year}/{name}"
    score = findings.home_supply[f"near_score_{name}"].to_numpy(dtype=float)
    unknown = _unknown(findings, result)
    served = _served_classes(findings, result)
    return {
        "lines": [*reach_lines(result, words.language, circles), *equity_lines(result, words.language)],
        "served": None
        if served is None
        else writer.keep(f"{place}/near_served", np.where(unknown >= 0, unknown, served)),
        "score": writer.keep(
            f"{place}/near_score", np.where(unknown >= 0, unknown, _score_classes(result, score))
        ),
        "venues": writer.listed(_venues(findings, result)),
    }


def _people(findings: Findings, group: str) -> Floats:
    people: Floats = findings.demand["population" if group == "all" else group].to_numpy(dtype=float)
    return people


def _unknown(findings: Findings, result: CapacityResult) -> npt.NDArray[np.int64]:
    """Return the class of whom the target does not count or no road is near, -1 for the others."""
    demand, reach = findings.demand, result.reach
    assert reach is not None  # its caller asked
    urban = urban_class(
        demand,
        findings.districts if len(findings.districts) else None,
        findings.villages if len(findings.villages) else None,
    )
    counts = in_area(urban, result.target.area) & (demand["district"].astype("str") != OUTSIDE).to_numpy()
    counts &= _people(findings, reach.users) > 0
    found = np.where(counts, -1, _UNCOUNTED)
    if reach.circle in findings.status:
        found[counts & (findings.status[reach.circle] == "unsnapped").to_numpy()] = _NO_ROAD
    return found


def _served_classes(findings: Findings, result: CapacityResult) -> npt.NDArray[np.int64] | None:
    """Return what most people of a place find: a place, full venues, or none; None without a norm."""
    name, reach, supply = result.target.id, result.reach, findings.home_supply
    if reach is None or f"near_served_{name}" not in supply:
        return None
    people = _people(findings, reach.users)
    served, full = (supply[f"near_{part}_{name}"].to_numpy(dtype=float) for part in ("served", "full"))
    return np.select([served >= _MAJORITY * people, full >= _MAJORITY * people], [_ENOUGH, _LOW], _NONE)


def _score_classes(result: CapacityResult, score: Floats) -> npt.NDArray[np.int64]:
    """Return how much there is for a resident beside the norm: none, less than half, less, enough."""
    norm = result.milestone or result.target.goal
    if not norm:
        norm = result.reach.count.score if result.reach is not None else None
    marks = (norm or 0.0) * (1 - 1e-9)
    return np.select([score <= 0, score < marks / 2, score < marks], [_NONE, _LOW, _BELOW], _ENOUGH)


def _venues(findings: Findings, result: CapacityResult) -> list[list[Any]]:
    """List the venues with places: longitude, latitude, name, places, places taken, the fullest first."""
    name, supply = result.target.id, findings.venue_supply
    column = getattr(result.target, "of", "")
    if f"near_load_{name}" not in supply:
        return []
    facilities = findings.facilities
    mine = supply[f"near_load_{name}"].reindex(facilities.index).dropna()
    points = facilities.geometry.loc[mine.index]
    amounts = pd.to_numeric(facilities[column].loc[mine.index], errors="coerce")
    rows = [
        [round(point.x, 5), round(point.y, 5), str(label), float(amount), round(float(load), 3)]
        for point, label, amount, load in zip(
            points, facilities["name"].loc[mine.index], amounts, mine, strict=True
        )
        if point is not None and not point.is_empty and amount > 0
    ]
    return sorted(rows, key=lambda row: (-row[4] / row[3], -row[3]))
