"""Choose where to put new sites: from costs and people to a plan with a certificate.

A plan holds the sites, their value together with the existing sites, and a bound that no other choice can
exceed. Where bound and value are equal, the plan is proved to be the best. This room knows no study and
draws no map.
"""

from __future__ import annotations

from lifecircle.siting._curve import SitingCurve, siting_curve
from lifecircle.siting._plan import SecondAim, SitingPlan
from lifecircle.siting._plan_facts import candidates, catchments, near_ties, open_sites, shared_catchments
from lifecircle.siting._problem import OBJECTIVES, SitingProblem, siting_problem
from lifecircle.siting._solver import solve, solve_siting

__all__ = [
    "OBJECTIVES",
    "SecondAim",
    "SitingCurve",
    "SitingPlan",
    "SitingProblem",
    "candidates",
    "catchments",
    "near_ties",
    "open_sites",
    "shared_catchments",
    "siting_curve",
    "siting_problem",
    "solve",
    "solve_siting",
]
