"""Read residents, and assign the districts and villages they belong to; no resident is left out.

This room reads points and polygons with counts. It knows no roads and no services.
"""

from lifecircle.demand._districts import (
    BORDER_DEG,
    DISTRICT_COLUMNS,
    OUTSIDE,
    assign_districts,
    read_districts,
)
from lifecircle.demand._residents import DEMAND_COLUMNS, read_demand
from lifecircle.demand._villages import (
    ACCEPTED_COLUMNS,
    VILLAGE_COLUMNS,
    accepted_targets,
    assign_villages,
    read_accepted,
    read_villages,
    village_centres,
    with_districts,
)

__all__ = [
    "ACCEPTED_COLUMNS",
    "BORDER_DEG",
    "DEMAND_COLUMNS",
    "DISTRICT_COLUMNS",
    "OUTSIDE",
    "VILLAGE_COLUMNS",
    "accepted_targets",
    "assign_districts",
    "assign_villages",
    "read_accepted",
    "read_demand",
    "read_districts",
    "read_villages",
    "village_centres",
    "with_districts",
]
