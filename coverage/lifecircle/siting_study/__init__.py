"""A siting study from end to end: candidates, plan, curve, proof by the audit, explanation, remedies.

The solver knows only costs and people, and the audit knows no plan. This room makes the problem from a study,
and returns the plan only if an audit of the plan gives the same figure.
"""

from lifecircle.siting_study._explanation import Explanation, Sensitivity, SiteFacts, Tie
from lifecircle.siting_study._remedies import Remedy
from lifecircle.siting_study._siting_files import FOLDER, plan_facts, plan_layer, write_study
from lifecircle.siting_study._siting_steps import CurvePoint, SiteStudy, site_study
from lifecircle.siting_study._siting_table import PlanTable, site_table
from lifecircle.siting_study._siting_text import (
    goal_lines,
    head_lines,
    note_lines,
    reason_lines,
    short_notes,
    study_lines,
    why_line,
)
from lifecircle.siting_study._solver_call import OBJECTIVES

__all__ = [
    "FOLDER",
    "OBJECTIVES",
    "CurvePoint",
    "Explanation",
    "PlanTable",
    "Remedy",
    "Sensitivity",
    "SiteFacts",
    "SiteStudy",
    "Tie",
    "goal_lines",
    "head_lines",
    "note_lines",
    "plan_facts",
    "plan_layer",
    "reason_lines",
    "short_notes",
    "site_study",
    "site_table",
    "study_lines",
    "why_line",
    "write_study",
]
