"""Which venues are grounds of schools that are opened to the public: a target is read with them and without.

A school's ground is open for some hours and by the school's leave, so that a rate that rests on them is
another thing than one of public sites. A register says which they are in a column ``school_ground``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifecircle.audit._searches import venue_classes

if TYPE_CHECKING:
    import numpy.typing as npt

    from lifecircle.audit._inputs import Inputs
    from lifecircle.standards import CircleTarget

    Flags = npt.NDArray[np.bool_]


def school_grounds(target: CircleTarget, inputs: Inputs) -> Flags | None:
    """Return which venues of a target are grounds of schools: (facility,); None where none is."""
    if "school_ground" not in inputs.facilities:
        return None
    classes = venue_classes(target, inputs.study.standard, inputs.facilities)
    used: Flags = np.logical_or.reduce(list(classes.values()))
    grounds: Flags = used & inputs.facilities["school_ground"].eq(other=True).fillna(value=False).to_numpy(
        bool
    )
    return grounds if grounds.any() else None


def without_grounds(target: CircleTarget, inputs: Inputs, opened: Flags | None) -> Flags | None:
    """Return which venues count where no ground of a school does: (facility,); None where there is none.

    ``opened`` : (facility,) the venues that the target counts, None for all
    """
    grounds = school_grounds(target, inputs)
    if grounds is None:
        return None
    return ~grounds if opened is None else opened & ~grounds
