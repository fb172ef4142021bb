"""What a verdict may rest on: the grades of the positions of the venues that a target counts.

1. Grades are A surveyed, B of a map provider, C of an address, D the centre of a village; unknown where the
   register says nothing. An unknown grade is neither good nor rough: nothing changes for it.
2. A verdict that holds with the venues of grade D and not without them is none: the data are insufficient.
3. Nor is there a verdict where venues of grade C and D are more than a stated share (``rough_max``) of all
   venues that the target counts by their position.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifecircle.audit._inputs import cached_per_inputs
from lifecircle.facilities import GRADES
from lifecircle.reading import PositionReading

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    import pandas as pd

    from lifecircle.audit._inputs import Inputs
    from lifecircle.findings import TargetResult

    Flags = npt.NDArray[np.bool_]

GOOD = frozenset({"met", "on_track"})
"""Verdicts that a venue of grade D does not support."""

NAMED = 100


@dataclass(frozen=True)
class VenueGrades:
    """How many venues a target counts by their position, of each grade; the rest are of unknown grade."""

    venues: int = 0
    address: int = 0
    village_centre: int = 0

    @property
    def share(self) -> float:
        """Share of the venues that are placed by their address or at a village's centre."""
        return (self.address + self.village_centre) / self.venues if self.venues else 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """The note that a result carries: nothing where no position is rough."""
        if not self.address + self.village_centre:
            return ()
        return (f"rough_positions:{self.venues}|{self.address}|{self.village_centre}",)


@cached_per_inputs
def _graded(inputs: Inputs) -> npt.NDArray[np.str_] | None:
    """Return the grade of every open facility: (facility,); None where none has one."""
    if "grade" not in inputs.facilities:
        return None
    grades = inputs.facilities["grade"].fillna("").astype(str).to_numpy(dtype=str)
    return grades if (grades != "").any() else None


def village_centred(inputs: Inputs) -> Flags | None:
    """Return which open facilities are placed at a village's centre: (facility,); None where none is."""
    grades = _graded(inputs)
    if grades is None or not (grades == "D").any():
        return None
    flags: Flags = grades == "D"
    return flags


def counted_grades(inputs: Inputs, counted: Flags) -> VenueGrades:
    """Count the grades of the venues that a target counts by their position.

    Parameters
    ----------
    counted : (facility,) which open facilities they are
    """
    grades = _graded(inputs)
    if grades is None:
        return VenueGrades(int(counted.sum()))
    mine = grades[counted]
    return VenueGrades(len(mine), int((mine == "C").sum()), int((mine == "D").sum()))


def of_services(inputs: Inputs, services: Iterable[str]) -> Flags:
    """Return which open facilities give one of the services: (facility,)."""
    flags: Flags = inputs.facilities["service"].isin(set(services)).to_numpy(dtype=bool)
    return flags


def too_rough(grades: VenueGrades, inputs: Inputs) -> str:
    """Return why positions so rough give no verdict, empty where they do; the largest share is inclusive."""
    if grades.share <= inputs.study.reading.rough_max:
        return ""
    rough = grades.address + grades.village_centre
    return f"positions_too_rough:{grades.venues}|{rough}|{grades.share:.1%}"


def rests_on_centres(status: str, without: str, grades: VenueGrades) -> str:
    """Return why a good verdict is none: without the venues of grade D it would not hold; else empty.

    Parameters
    ----------
    status, without : the verdict with all venues, and without those of grade D
    """
    if status not in GOOD or without in GOOD:
        return ""
    return f"rests_on_village_centres:{grades.village_centre}"


def report_positions(inputs: Inputs, results: Iterable[TargetResult]) -> tuple[PositionReading, ...]:
    """Count the grades of the register and of every target's services; nothing where there are no grades."""
    grades = _graded(inputs)
    if grades is None:
        return ()
    everything = np.ones(len(grades), dtype=bool)
    found = [_reading("", everything, inputs, grades)]
    for result in results:
        mine = of_services(inputs, result.venues)
        if result.venues and np.isin(grades[mine], ["C", "D"]).any():
            found.append(replace(_reading(result.target.id, mine, inputs, grades), withheld=withheld(result)))
    return tuple(found)


def withheld(result: TargetResult) -> str:
    """Return the reason for which the positions of its venues gave a result no verdict, else empty."""
    name = result.reason.partition(":")[0]
    return result.reason if name in {"positions_too_rough", "rests_on_village_centres"} else ""


def _reading(target: str, mine: Flags, inputs: Inputs, grades: npt.NDArray[np.str_]) -> PositionReading:
    """Count the grades of some venues; those at village centres are named for the whole register alone."""
    counts = {name: int((grades[mine] == name).sum()) for name in GRADES}
    centred = inputs.facilities[mine & (grades == "D")].head(0 if target else NAMED)
    labels = zip(centred.index, _names(centred), strict=True)
    return PositionReading(
        target=target,
        venues=int(mine.sum()),
        grades=counts,
        unknown=int(mine.sum()) - sum(counts.values()),
        village_centres=tuple(str(name) or str(label) for label, name in labels),
    )


def _names(table: pd.DataFrame) -> list[Any]:
    return table["name"].fillna("").tolist() if "name" in table else [""] * len(table)
