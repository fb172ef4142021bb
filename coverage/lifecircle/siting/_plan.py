"""Define what a solve returns: the sites chosen and the certificate; not how they were found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from lifecircle.siting._certificate import is_proved

Status = Literal["optimal", "feasible", "infeasible"]


@dataclass(frozen=True)
class SecondAim:
    """Second objective, which decides among sets that are equally good by the first.

    Attributes
    ----------
    objective : ``max_cover`` most people covered, or ``p_median`` least weighted sum of costs
    status : ``optimal`` only when the plan is, and no set with its value is better by this aim
    value, bound : as of a plan, among the sets that hold its value
    """

    objective: str
    status: Status
    value: float
    bound: float


@dataclass(frozen=True)
class SitingPlan:
    """A plan and what is proved about it.

    Attributes
    ----------
    objective : that of the problem
    status : ``optimal`` only when value and bound differ by at most a millionth of the value; ``feasible``
        with a plan and the bound as far as it was proved; ``infeasible`` with ``reason``
    sites : new sites, in the order of the costs' columns: labels where the costs have them, else positions
    value : value of the plan with the existing sites, counted from the sites: people for the coverings (the
        least share of any group for max_min_cover), the weighted sum for p_median, the largest cost for
        p_center, the number of open sites for full_cover; NaN where there is no plan
    bound : no allowed plan is better than this
    closed : existing sites that are closed or given up for another
    reason : note for the reader; empty where nothing is unusual
    unreachable : residents that no site reaches, where everyone must be served
    second : for ``p_center`` and ``max_min_cover``, whose value is that of many sets, what decides among them
    """

    objective: str
    status: Status
    sites: tuple[Any, ...]
    value: float
    bound: float
    closed: tuple[Any, ...] = ()
    reason: str = ""
    unreachable: tuple[Any, ...] = ()
    second: SecondAim | None = None

    @property
    def gap(self) -> float:
        """Return the difference of bound and value, as a share of the value.

        >>> SitingPlan("max_cover", "feasible", (3,), value=200.0, bound=201.0).gap
        0.005
        """
        if self.value == self.bound:
            return 0.0
        return abs(self.bound - self.value) / abs(self.value) if self.value else math.inf


def status_of(value: float, bound: float) -> Status:
    """Return the status that a value and a bound prove."""
    return "optimal" if is_proved(value, bound) else "feasible"
