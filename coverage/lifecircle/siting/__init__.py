"""Own where to put new sites: from costs and people to a plan with a certificate; no study, no map.

A plan says which sites, what they are worth with those that exist, and a bound that no other choice can
beat. Where bound and value meet, the plan is proved to be best.
"""

from __future__ import annotations

from lifecircle.siting._plan import SitingPlan
from lifecircle.siting._problem import OBJECTIVES, SitingProblem, siting_problem
from lifecircle.siting._solve import solve, solve_siting

__all__ = [
    "OBJECTIVES",
    "SitingPlan",
    "SitingProblem",
    "siting_problem",
    "solve",
    "solve_siting",
]
