"""Divide the change between two years into what it is made of, as an account and not as a cause.

``compare_years`` reads a study for two years, makes the years that never were between them (some factors as
in the later year, all others as in the earlier) and divides the change of every target and district among
the factors. It looks for no reason in the world: a part says what the figure would have been, no more.
"""

from lifecircle.attribution._account import (
    ChangePart,
    ChangeRow,
    Stored,
    YearComparison,
    account,
    compare_years,
)
from lifecircle.attribution._change_files import (
    FOLDER,
    board_rows,
    comparison_folder,
    plain_comparison,
    write_comparison,
)
from lifecircle.attribution._change_text import change_lines
from lifecircle.attribution._counterfactual import Counterfactuals, mixed_register
from lifecircle.attribution._factors import CHAINED, GROUPS, Difference, difference
from lifecircle.attribution._figures import figures
from lifecircle.attribution._road_changes import RoadChanges, road_changes
from lifecircle.attribution._shares import Share, coalitions, group_shares, owen_shares, shapley_shares
from lifecircle.attribution._venue_changes import VenueChange, VenueChanges, venue_changes
from lifecircle.demand import same_surface

__all__ = [
    "CHAINED",
    "FOLDER",
    "GROUPS",
    "ChangePart",
    "ChangeRow",
    "Counterfactuals",
    "Difference",
    "RoadChanges",
    "Share",
    "Stored",
    "VenueChange",
    "VenueChanges",
    "YearComparison",
    "account",
    "board_rows",
    "change_lines",
    "coalitions",
    "compare_years",
    "comparison_folder",
    "difference",
    "figures",
    "group_shares",
    "mixed_register",
    "owen_shares",
    "plain_comparison",
    "road_changes",
    "same_surface",
    "shapley_shares",
    "venue_changes",
    "write_comparison",
]
