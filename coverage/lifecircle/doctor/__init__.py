"""Check the inputs of a study before any result: what is wrong, how much it matters, and how to mend it.

Nothing is changed. The audit's own readings are used; what is looked at here besides is where rows contradict
each other or their unit.
"""

from lifecircle.doctor._check_order import Checkup, check_study
from lifecircle.doctor._check_page import checkup_page
from lifecircle.doctor._input_problem import SEVERITIES, Problem

__all__ = ["SEVERITIES", "Checkup", "Problem", "check_study", "checkup_page"]
