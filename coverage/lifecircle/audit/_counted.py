"""Ask the tables of a year who counts where; the answers are cached per inputs.

The rules are those of :mod:`lifecircle.counting`; here they meet the study's tables and settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifecircle import counting
from lifecircle.audit._inputs import cached_per_inputs

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.standards import CapacityTarget, CircleTarget


@cached_per_inputs
def urban_class(inputs: Inputs) -> npt.NDArray[np.int8]:
    """Classify the residents as urban, rural or unknown: (demand,), see :func:`counting.urban_class`."""
    return counting.urban_class(inputs.demand, inputs.districts, inputs.villages)


def in_area(target: CircleTarget | CapacityTarget, inputs: Inputs) -> npt.NDArray[np.bool_]:
    """Return which residents live in the area a target is about: (demand,)."""
    if target.area == "all":
        return np.ones(len(inputs.demand), dtype=bool)
    return counting.in_area(urban_class(inputs), target.area)


def counted_people(
    target: CircleTarget | CapacityTarget, inputs: Inputs
) -> tuple[str, npt.NDArray[np.float64]]:
    """Count the people a target is about: (why it cannot be assessed, or empty; people (demand,)).

    Where a target is about one area and the class of more residents is unknown than the study tolerates, it
    is not assessable; fewer are left out and named in the notes.
    """
    return counting.people_counted(
        inputs.demand,
        urban_class(inputs),
        group=target.group,
        area=target.area,
        max_unknown=inputs.study.max_rejected,
    )


def people_of_unknown_class(target: CircleTarget | CapacityTarget, inputs: Inputs) -> float:
    """Count everyone who may or may not live in the area a target is about."""
    people = inputs.demand["population"].to_numpy(dtype=float)
    return counting.people_of_unknown_class(people, urban_class(inputs), target.area)


@cached_per_inputs
def village_of(inputs: Inputs) -> npt.NDArray[np.intp]:
    """Return the position of each resident's village among the villages, -1 for none: (demand,)."""
    return counting.village_positions(inputs.demand, inputs.villages)
