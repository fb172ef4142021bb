"""A siting study from end to end: candidates, plan, curve, proof by the audit, explanation, remedies.

The solver knows only costs and people, and the audit knows no plan. This room makes the problem from a study,
and returns the plan only if an audit of the plan gives the same figure.
"""

from lifecircle.siting_study._explanation import Explanation, Sensitivity, SiteFacts, Tie
from lifecircle.siting_study._remedies import Remedy
from lifecircle.siting_study._siting_files import FOLDER, plan_facts, plan_layer, write_study
from lifecircle.siting_study._siting_steps import CurvePoint, SiteStudy, site_study
from lifecircle.siting_study._siting_text import (
    note_line,
    plan_lines,
    reason_lines,
    site_table,
    study_lines,
    why_line,
)
from lifecircle.siting_study._solver_call import OBJECTIVES

__all__ = [
    "FOLDER",
    "OBJECTIVES",
    "CurvePoint",
    "Explanation",
    "Remedy",
    "Sensitivity",
    "SiteFacts",
    "SiteStudy",
    "Tie",
    "note_line",
    "plan_facts",
    "plan_layer",
    "plan_lines",
    "reason_lines",
    "site_study",
    "site_table",
    "study_lines",
    "why_line",
    "write_study",
]
