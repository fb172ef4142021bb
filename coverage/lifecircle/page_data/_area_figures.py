"""The figures of a village, or of the groups in a town, added up from the run's own people and buckets.

Maps on paper print them; the page adds the same up from its columns. A run holds the figures of districts
itself (:class:`lifecircle.findings.DistrictResult`). The public edition has none of these: its cells hold
rounded numbers of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecircle.counting import people_by_village, people_in_buckets, village_positions
from lifecircle.findings import BUCKETS, Count, as_circle
from lifecircle.page_data._answers import STATUS_CODES, status_codes
from lifecircle.wording import village_text

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.findings import Findings, TargetResult

    Flags = npt.NDArray[np.bool_]

AGED = "over60"
_EVERYONE = "all"


@dataclass(frozen=True)
class VillageFigures:
    """What one target says of one village; ``aged_left`` is None without a group of 60 and over.

    ``district`` : code, empty where none is known; ``people``, ``covered`` : whom the target counts there.
    """

    code: str
    name: str
    district: str
    people: float
    covered: float
    aged_left: float | None = None

    @property
    def left(self) -> float:
        """People not covered."""
        return self.people - self.covered

    @property
    def rate(self) -> float | None:
        """Share covered, None where the target counts nobody."""
        return self.covered / self.people if self.people > 0 else None


def _statuses(findings: Findings, result: TargetResult) -> npt.NDArray[np.str_]:
    return np.array(STATUS_CODES)[status_codes(findings, result)]


def _whole(column: pd.Series[float]) -> npt.NDArray[np.float64]:
    people: npt.NDArray[np.float64] = column.fillna(0.0).to_numpy(dtype=np.float64)
    return people


def village_figures(findings: Findings, result: TargetResult) -> tuple[VillageFigures, ...]:
    """Add up what a circle counts in every village, in the order of the villages.

    Returns
    -------
    figures : one for every village, people 0 where the target counts nobody; empty for other kinds
    """
    target, villages = result.target.id, findings.villages
    if target not in findings.people or not len(villages):
        return ()
    status, place = _statuses(findings, result), village_positions(findings.demand, villages)
    people = np.where(status != "", _whole(findings.people[target]), 0.0)
    sums = [
        people_by_village(np.where(where, people, 0.0), place, villages=len(villages))
        for where in (status != "", status == BUCKETS[0])
    ]
    aged = None
    # A target for infants says nothing of the aged: the column has a meaning where everyone counts.
    if AGED in findings.demand and getattr(result.target, "group", "") == _EVERYONE:
        left = np.where((status != "") & (status != BUCKETS[0]), _whole(findings.demand[AGED]), 0.0)
        aged = people_by_village(left, place, villages=len(villages))
    districts = villages["district"] if "district" in villages else pd.Series("", index=villages.index)
    return tuple(
        VillageFigures(
            str(code),
            village_text(str(name)),
            "" if pd.isna(district) else str(district),
            float(sums[0][row]),
            float(sums[1][row]),
            None if aged is None else float(aged[row]),
        )
        for row, (code, name, district) in enumerate(
            zip(villages.index, villages["name"], districts, strict=True)
        )
    )


def area_count(findings: Findings, result: TargetResult, where: Flags, group: str = _EVERYONE) -> Count:
    """Add up a circle's people by bucket in an area: of everyone it counts, or of a group of the residents.

    Parameters
    ----------
    where : (demand,) who lives in the area
    group : ``all`` or a column of the residents
    """
    status = _statuses(findings, result)
    column = findings.people[result.target.id] if group == _EVERYONE else findings.demand[group]
    sums = people_in_buckets(_whole(column), status, BUCKETS, where)
    return Count(sum(sums), *sums)


def area_groups(findings: Findings, result: TargetResult, where: Flags) -> list[tuple[str, Count]]:
    """Add up the groups of a circle in an area: those that the run reports and counts by resident."""
    names = [one.group for one in as_circle(result).groups if one.group in findings.demand]
    counts = [(name, area_count(findings, result, where, name)) for name in names]
    return [(name, count) for name, count in counts if count.people > 0]
