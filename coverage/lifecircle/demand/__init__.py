"""Read residents, and assign the districts and villages they belong to; no resident is left out.

This room reads points, polygons and rasters with counts, holds them to known totals, and brings what is known
of old units to those of today. It knows no roads and no services.
"""

from lifecircle.demand._apportion import apportion
from lifecircle.demand._crosswalk import Crosswalk, move_counts, move_names, read_crosswalk
from lifecircle.demand._districts import (
    BORDER_DEG,
    DISTRICT_COLUMNS,
    OUTSIDE,
    assign_districts,
    read_districts,
)
from lifecircle.demand._known_totals import Constrained, Totals, constrain, read_totals
from lifecircle.demand._raster import Surface, read_raster
from lifecircle.demand._residents import DEMAND_COLUMNS, read_demand
from lifecircle.demand._spread import GRID_M, Ground, read_ground, read_spread
from lifecircle.demand._surface_change import same_surface
from lifecircle.demand._unit_history import MovedFigures, accepted_today, move_figures
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
    "GRID_M",
    "OUTSIDE",
    "VILLAGE_COLUMNS",
    "Constrained",
    "Crosswalk",
    "Ground",
    "MovedFigures",
    "Surface",
    "Totals",
    "accepted_targets",
    "accepted_today",
    "apportion",
    "assign_districts",
    "assign_villages",
    "constrain",
    "move_counts",
    "move_figures",
    "move_names",
    "read_accepted",
    "read_crosswalk",
    "read_demand",
    "read_districts",
    "read_ground",
    "read_raster",
    "read_spread",
    "read_totals",
    "read_villages",
    "same_surface",
    "village_centres",
    "with_districts",
]
