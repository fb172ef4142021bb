"""Opportunities: against the plain definition, and against PySAL."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.errors import UnusableInputError
from lifecircle.measures import cost_to_nth, cumulative_opportunities, exponential_decay, gravity


def table(seed):
    random = np.random.default_rng(seed)
    costs = random.random((9, 7)) * 60
    costs[random.random((9, 7)) > 0.6] = np.inf
    return costs, random.integers(0, 20, 7).astype(float)


@given(st.integers(0, 10**6))
def test_definitions(seed):
    costs, supply = table(seed)
    found = cumulative_opportunities(costs, supply, limits=[10, 30])
    assert found[10].to_numpy() == pytest.approx(np.where(costs <= 10, supply, 0).sum(axis=1))
    assert found[30].to_numpy() == pytest.approx(np.where(costs <= 30, supply, 0).sum(axis=1))
    counted = cumulative_opportunities(costs, limits=[30])[30]
    assert counted.tolist() == (costs <= 30).sum(axis=1).tolist()
    weights = np.where(costs <= 30, 0.5 ** (np.where(costs < np.inf, costs, 0) / 15), 0)
    potential = gravity(costs, supply, decay=exponential_decay(15), limit=30)
    assert potential.to_numpy() == pytest.approx((weights * supply).sum(axis=1))
    ordered = np.sort(costs, axis=1)
    for n in (1, 3, 7):
        nth = cost_to_nth(costs, n).to_numpy()
        assert nth == pytest.approx(
            np.where(ordered[:, n - 1] < np.inf, ordered[:, n - 1], np.nan), nan_ok=True
        )


def test_sums_are_those_of_pysal():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fca = pytest.importorskip("access.fca", reason="the peer whose figures are compared")
    costs, supply = table(1)
    rows, columns = np.nonzero(np.isfinite(costs))
    theirs = fca.weighted_catchment(
        pd.DataFrame({"geoid": range(7), "doc": supply}),
        pd.DataFrame({"origin": columns, "dest": rows, "cost": costs[rows, columns]}),
        max_cost=30,
        loc_value="doc",
        weight_fn=lambda cost: 0.5 ** (cost / 15),
    )
    ours = gravity(costs, supply, decay=exponential_decay(15), limit=30)
    assert ours[theirs.index].to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-12)


def test_faults():
    with pytest.raises(UnusableInputError, match="above 0"):
        cost_to_nth([[1.0]], 0)
    with pytest.raises(UnusableInputError, match="negative"):
        cumulative_opportunities([[-1.0]], limits=[1])
    with pytest.raises(UnusableInputError, match="at least 0"):
        gravity([[1.0]], [-1], decay=exponential_decay(1))
    assert cumulative_opportunities([[1.0, 1.0]], [np.nan, 2], limits=[1]).iloc[0, 0] == 2
