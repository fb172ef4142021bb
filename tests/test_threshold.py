"""The village threshold: a curve over the share of people asked for, inclusive at each."""

import math

import numpy as np

from lifecircle.measures import VILLAGE_SHARES, villages_reached

COVERED = np.array([10.0, 9.0, 8.0, 5.0, 4.0, 0.0])
PEOPLE = np.array([10.0, 10.0, 10.0, 10.0, 10.0, 0.0])


def test_villages_at_each_share_by_hand():
    curve = villages_reached(COVERED, PEOPLE)
    assert tuple(curve.index) == VILLAGE_SHARES == (0.5, 0.8, 0.9, 1.0)
    assert curve["villages"].tolist() == [4, 3, 2, 1]
    assert curve["people"].tolist() == [40.0, 30.0, 20.0, 10.0]
    assert curve["value"].tolist() == [0.8, 0.6, 0.4, 0.2]


def test_noise_of_sums_does_not_decide():
    tenth = np.array([0.1 + 0.2, 0.3])
    assert villages_reached(tenth[1:], tenth[:1])["villages"].tolist() == [1, 1, 1, 1]


def test_nobody_anywhere():
    curve = villages_reached(np.zeros(2), np.zeros(2), shares=(0.0, 1.0))
    assert curve["villages"].tolist() == [0, 0]
    assert all(math.isnan(value) for value in curve["value"])
    assert villages_reached(np.zeros(0), np.zeros(0)).shape == (4, 3)
