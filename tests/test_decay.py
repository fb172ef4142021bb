"""Decays: their values at the door, at the limit and beyond, and no weight below 0."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.errors import UnusableInputError
from lifecircle.measures import (
    exponential_decay,
    gaussian_decay,
    gaussian_to_zero,
    kernel_decay,
    linear_decay,
    logistic_decay,
    power_decay,
    step_decay,
)

EVERY = {
    "step": step_decay({600: 1.0, 1200: 0.68, 1800: 0.22}),
    "gaussian": gaussian_decay(600),
    "gaussian_to_zero": gaussian_to_zero(1800),
    "power": power_decay(1.5, least=60, scale=600),
    "exponential": exponential_decay(600),
    "linear": linear_decay(1800),
    "linear_width": linear_decay(1800, width=600),
    "logistic": logistic_decay(1800, 600),
    "kernel": kernel_decay(1800),
}


@pytest.mark.parametrize("name", EVERY)
@given(st.lists(st.floats(0, 1e7), min_size=2))
def test_weights_never_rise_with_cost_and_are_never_negative(name, costs):
    weights = EVERY[name](np.sort(np.array(costs)))
    assert (weights >= 0).all()
    assert (np.diff(weights) <= 1e-12).all()


def test_values_counted_by_hand():
    at = np.array([0.0, 600.0, 900.0, 1800.0, 2400.0])
    assert EVERY["step"](at).tolist() == [1.0, 1.0, 0.68, 0.22, 0.0]
    assert EVERY["exponential"](at) == pytest.approx([1, 0.5, 2**-1.5, 0.125, 0.0625])
    assert EVERY["gaussian"](at) == pytest.approx(np.exp([0, -0.5, -1.125, -4.5, -8]))
    assert EVERY["linear"](at) == pytest.approx([1, 2 / 3, 0.5, 0, 0])
    assert EVERY["linear_width"](np.array([1500.0, 1650.0, 1800.0, 2100.0])).tolist() == [1, 0.75, 0.5, 0]
    assert EVERY["kernel"](at) == pytest.approx([0.75, 2 / 3, 0.5625, 0, 0])
    assert EVERY["power"](at) == pytest.approx([10**1.5, 1, 1.5**-1.5, 3**-1.5, 4**-1.5])


def test_the_logistic_decay_is_that_of_bauer_and_groneberg():
    middle, spread = 1800.0, 600.0
    costs = np.linspace(0, 5000, 101)
    plain = 1 + np.exp((costs - middle) * np.pi / (spread * np.sqrt(3)))
    assert EVERY["logistic"](costs) == pytest.approx(plain[0] / plain)


@pytest.mark.parametrize(
    "made",
    [
        lambda: step_decay({}),
        lambda: step_decay({-1: 1}),
        lambda: step_decay({1: -1}),
        lambda: gaussian_decay(0),
        lambda: gaussian_to_zero(float("nan")),
        lambda: power_decay(2, least=0),
        lambda: exponential_decay(float("inf")),
        lambda: linear_decay(10, width=30),
        lambda: logistic_decay(10, 0),
        lambda: kernel_decay(-1),
    ],
)
def test_parameters_that_make_no_decay(made):
    with pytest.raises(UnusableInputError):
        made()
