"""Weights that fall with cost: how much a venue counts that is so many seconds away.

A decay takes an array of costs (0 or more, in any unit) and returns weights of the same shape. None of them
ends anything at a limit but those that say so; a catchment has a limit of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lifecircle.errors import Fault, UnusableInputError, say
from lifecircle.limits import within_limit

Floats: TypeAlias = npt.NDArray[np.float64]
Decay: TypeAlias = Callable[[Floats], Floats]
"""A function of costs (pair,) that returns weights (pair,), 0 or more."""


def step_decay(weights: Mapping[float, float]) -> Decay:
    """Return weights that are the same up to each limit, inclusive, and 0 beyond the last.

    Parameters
    ----------
    weights : limit -> weight, 0 or more

    Returns
    -------
    decay : function of costs

    Raises
    ------
    UnusableInputError
        There is no step, or a limit or weight is negative or no number.

    References
    ----------
    Luo and Qi (2009), An enhanced two-step floating catchment area (E2SFCA) method, Health & Place 15.

    >>> step_decay({600: 1.0, 1200: 0.68})(np.array([600.0, 601.0, 1201.0])).tolist()
    [1.0, 0.68, 0.0]
    """
    steps = sorted(weights.items())
    if not steps:
        raise UnusableInputError([_fault("step", "{}", say("there is no step"))])
    for limit, weight in steps:
        _positive("step", limit, zero=True)
        _positive("step", weight, zero=True)

    def decay(costs: Floats) -> Floats:
        """Return the weight of the step that each cost is in."""
        found = np.zeros(np.shape(costs))
        for limit, weight in reversed(steps):
            found[within_limit(costs, limit)] = weight
        return found

    return decay


def gaussian_decay(width: float) -> Decay:
    """Return exp(-cost^2 / (2 width^2)): 1 at the door, 0.61 at the width.

    Parameters
    ----------
    width : standard deviation, in the units of the costs, > 0

    Returns
    -------
    decay : function of costs

    Raises
    ------
    UnusableInputError
        The width is not above 0.

    References
    ----------
    As ``access.weights.gaussian`` of PySAL.

    >>> gaussian_decay(20)(np.array([0.0, 20.0])).round(3).tolist()
    [1.0, 0.607]
    """
    _positive("width", width)
    return lambda costs: np.exp(-costs * costs / (2 * width * width))


def gaussian_to_zero(limit: float) -> Decay:
    """Return the Gaussian that is 1 at the door and falls to 0 at the limit.

    (exp(-(cost / limit)^2 / 2) - exp(-1/2)) / (1 - exp(-1/2)), 0 beyond.

    Parameters
    ----------
    limit : size of the catchment, in the units of the costs, > 0

    Returns
    -------
    decay : function of costs

    Raises
    ------
    UnusableInputError
        The limit is not above 0.

    References
    ----------
    Dai (2010), Black residential segregation, disparities in spatial access to health care facilities, and
    late-stage breast cancer diagnosis in metropolitan Detroit, Health & Place 16.

    >>> gaussian_to_zero(900)(np.array([0.0, 900.0, 901.0])).tolist()
    [1.0, 0.0, 0.0]
    """
    _positive("limit", limit)
    end = math.exp(-0.5)
    return lambda costs: np.maximum(0.0, (np.exp(-0.5 * (costs / limit) ** 2) - end) / (1 - end))


def power_decay(exponent: float, *, least: float, scale: float = 1.0) -> Decay:
    """Return (max(cost, least) / scale)^-exponent, the weights of a gravity model.

    Parameters
    ----------
    exponent : > 0
    least : smallest cost, > 0, smaller ones count as this one: a venue at the door would weigh without bound
    scale : cost at which the weight is 1, > 0

    Returns
    -------
    decay : function of costs

    Raises
    ------
    UnusableInputError
        A parameter is not above 0.

    References
    ----------
    Hansen (1959), How accessibility shapes land use, Journal of the American Institute of Planners 25; as
    ``access.weights.gravity`` of PySAL with ``alpha = -exponent``.

    >>> power_decay(2, least=60, scale=60)(np.array([0.0, 120.0])).tolist()
    [1.0, 0.25]
    """
    for name, value in (("exponent", exponent), ("least", least), ("scale", scale)):
        _positive(name, value)
    return lambda costs: np.power(np.maximum(costs, least) / scale, -exponent)


def exponential_decay(half: float) -> Decay:
    """Return 2^(-cost / half): half the weight at ``half``, a quarter at twice that.

    Parameters
    ----------
    half : > 0, in the units of the costs

    Returns
    -------
    decay : function of costs

    Raises
    ------
    UnusableInputError
        The half is not above 0.

    References
    ----------
    As the decay ``exponential`` of R5 and r5r, whose cutoff is the half.

    >>> exponential_decay(600)(np.array([0.0, 600.0, 1200.0])).tolist()
    [1.0, 0.5, 0.25]
    """
    _positive("half", half)
    return lambda costs: np.exp2(-costs / half)


def linear_decay(limit: float, *, width: float | None = None) -> Decay:
    """Return weights that fall in a straight line; from 1 at the door to 0 at the limit without a width.

    Parameters
    ----------
    limit : > 0; with a width, where the weight is one half
    width : length of the fall from 1 to 0, > 0, at most twice the limit

    Returns
    -------
    decay : function of costs

    Raises
    ------
    UnusableInputError
        A parameter is not above 0, or the fall begins before the door.

    References
    ----------
    With a width as the decay ``linear`` of R5 and r5r, which counts whole seconds.

    >>> linear_decay(100)(np.array([0.0, 25.0, 200.0])).tolist()
    [1.0, 0.75, 0.0]
    >>> linear_decay(100, width=20)(np.array([90.0, 100.0, 110.0])).tolist()
    [1.0, 0.5, 0.0]
    """
    _positive("limit", limit)
    fall = limit if width is None else width
    _positive("width", fall)
    end = limit if width is None else limit + width / 2
    if end < fall:
        raise UnusableInputError([_fault("width", fall, say("the fall begins before the door"))])
    return lambda costs: np.clip((end - costs) / fall, 0.0, 1.0)


def logistic_decay(middle: float, spread: float) -> Decay:
    """Return a falling S: 1 at the door, about one half at the middle.

    (1 + exp(-middle pi / (spread sqrt 3))) / (1 + exp((cost - middle) pi / (spread sqrt 3))).

    Parameters
    ----------
    middle : > 0
    spread : standard deviation of the logistic distribution, > 0

    Returns
    -------
    decay : function of costs

    Raises
    ------
    UnusableInputError
        A parameter is not above 0.

    References
    ----------
    Bauer and Groneberg (2016), Measuring spatial accessibility of health care providers, PLOS ONE 11; as the
    decay ``logistic`` of R5 and r5r.

    >>> logistic_decay(1800, 600)(np.array([0.0, 1800.0])).round(3).tolist()
    [1.0, 0.502]
    """
    _positive("middle", middle)
    _positive("spread", spread)
    steep = math.pi / (spread * math.sqrt(3))
    # exp of a large number would overflow; with minus it only becomes 0.
    return lambda costs: (
        (1 + math.exp(-middle * steep))
        * np.where(
            costs < middle,
            1 / (1 + np.exp(np.minimum(0.0, (costs - middle) * steep))),
            (fall := np.exp(np.minimum(0.0, (middle - costs) * steep))) / (1 + fall),
        )
    )


def kernel_decay(limit: float) -> Decay:
    """Return 3/4 (1 - (cost / limit)^2), 0 beyond the limit.

    Parameters
    ----------
    limit : size of the catchment, > 0

    Returns
    -------
    decay : function of costs

    Raises
    ------
    UnusableInputError
        The limit is not above 0.

    References
    ----------
    Guagliardo (2004), Spatial accessibility of primary care, International Journal of Health Geographics 3;
    Epanechnikov's kernel.

    >>> kernel_decay(10)(np.array([0.0, 5.0, 11.0])).tolist()
    [0.75, 0.5625, 0.0]
    """
    _positive("limit", limit)
    return lambda costs: np.maximum(0.0, 0.75 * (1 - (costs / limit) ** 2))


def _positive(name: str, value: float, *, zero: bool = False) -> None:
    if not (value > 0 or (zero and value == 0)) or math.isinf(value):
        reason = say("not a number of at least 0") if zero else say("not a number above 0")
        raise UnusableInputError([_fault(name, value, reason)])


def _fault(name: str, value: object, reason: str) -> Fault:
    return Fault("(decay)", name, str(value), reason, say("give another number"))
