"""A siting study from end to end: candidates, plan, curve, proof by the audit, explanation, remedies.

The solver knows only costs and people, and the audit knows no plan. This room makes the problem from a study,
and returns the plan only if an audit of the plan gives the same figure. Of a presence target the plan says
which units get a facility first; of a capacity target there is only what is missing.
"""

from lifecircle.siting_study._explanation import Explanation, Sensitivity, SiteFacts, Tie
from lifecircle.siting_study._places_missing import PlacesMissing, TownPlaces, places_missing
from lifecircle.siting_study._plan_files import FOLDER
from lifecircle.siting_study._remedies import Remedy
from lifecircle.siting_study._siting_files import plan_facts, plan_layer, write_study
from lifecircle.siting_study._siting_steps import CurvePoint, SiteStudy, site_study
from lifecircle.siting_study._siting_table import PlanTable, site_table
from lifecircle.siting_study._siting_text import (
    goal_lines,
    head_lines,
    reason_lines,
    short_notes,
    study_lines,
    why_line,
)
from lifecircle.siting_study._solver_call import OBJECTIVES
from lifecircle.siting_study._study_of_kind import (
    AnyStudy,
    findings_of,
    printed,
    reasons_of,
    study_of,
    write_any,
)
from lifecircle.siting_study._unit_choice import (
    Certificate,
    count_proof,
    most_people,
    share_sites,
    units_for,
    units_needed,
)
from lifecircle.siting_study._unit_files import unit_facts, write_units
from lifecircle.siting_study._unit_sites import UnitSite
from lifecircle.siting_study._unit_study import UnitStudy, unit_study
from lifecircle.siting_study._unit_text import unit_lines, unit_table

__all__ = [
    "FOLDER",
    "OBJECTIVES",
    "AnyStudy",
    "Certificate",
    "CurvePoint",
    "Explanation",
    "PlacesMissing",
    "PlanTable",
    "Remedy",
    "Sensitivity",
    "SiteFacts",
    "SiteStudy",
    "Tie",
    "TownPlaces",
    "UnitSite",
    "UnitStudy",
    "count_proof",
    "findings_of",
    "goal_lines",
    "head_lines",
    "most_people",
    "places_missing",
    "plan_facts",
    "plan_layer",
    "printed",
    "reason_lines",
    "reasons_of",
    "share_sites",
    "short_notes",
    "site_study",
    "site_table",
    "study_lines",
    "study_of",
    "unit_facts",
    "unit_lines",
    "unit_study",
    "unit_table",
    "units_for",
    "units_needed",
    "why_line",
    "write_any",
    "write_study",
    "write_units",
]
