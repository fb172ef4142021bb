"""Check the inputs of a study before any result: what is wrong, how much it matters, and how to mend it.

Nothing is changed; a mended copy is written beside the study where it is asked for. The audit's own readings
are used; what is looked at here besides is where rows contradict each other or their unit.
"""

from lifecircle.doctor._check_order import Checkup, check_study
from lifecircle.doctor._check_page import checkup_page
from lifecircle.doctor._input_problem import SEVERITIES, Problem
from lifecircle.doctor._mended_copy import MendedCopy, mend_study
from lifecircle.doctor._mends import Mend
from lifecircle.doctor._register_match import RegisterMatch, matched, write_matches
from lifecircle.doctor._road_checks import missing_roads
from lifecircle.doctor._road_supply import DistrictRoads, road_supply

__all__ = [
    "SEVERITIES",
    "Checkup",
    "DistrictRoads",
    "Mend",
    "MendedCopy",
    "Problem",
    "RegisterMatch",
    "check_study",
    "checkup_page",
    "matched",
    "mend_study",
    "missing_roads",
    "road_supply",
    "write_matches",
]
