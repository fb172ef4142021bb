"""How firmly a verdict stands: flip point, curve, borderline people and shortfall, by hand and by law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.measures import borderline, coverage_at, curve_over_speed, flip_seconds, shortfall

SECONDS = np.array([300.0, 600.0, 600.0, 900.0, 1200.0, np.inf])
PEOPLE = np.array([10.0, 20.0, 5.0, 15.0, 30.0, 20.0])  # 100 in all, 20 of them cut off


def test_coverage_at_a_limit_is_inclusive():
    assert coverage_at(SECONDS, PEOPLE, 900.0) == 0.5
    assert coverage_at(SECONDS, PEOPLE, 899.9) == 0.35
    assert coverage_at(SECONDS, PEOPLE, 0.0) == 0.0
    assert coverage_at(np.array([0.0]), np.array([2.0]), 0.0) == 1.0


def test_coverage_at_another_speed():
    assert coverage_at(SECONDS, PEOPLE, 900.0, factor=4 / 3) == 0.8  # 1,200 s become 900
    assert coverage_at(SECONDS, PEOPLE, 900.0, factor=2 / 3) == 0.35  # 600 s become 900, 900 s become 1,350
    assert coverage_at(SECONDS, PEOPLE, 900.0, factor=1e6) == 0.8  # no speed joins what is cut off


def test_without_people_there_is_no_share():
    nobody = np.zeros(6)
    assert coverage_at(SECONDS, nobody, 900.0) is None
    assert coverage_at(np.zeros(0), np.zeros(0), 900.0) is None
    assert curve_over_speed(SECONDS, nobody, 900.0, usual_kmh=5.0, speeds_kmh=[4.0, 5.0]) == ()
    assert flip_seconds(SECONDS, nobody, 0.5) is None
    assert borderline(SECONDS, nobody, 900.0) == 0


def test_curve_pairs_speeds_with_shares():
    curve = curve_over_speed(SECONDS, PEOPLE, 900.0, usual_kmh=6.0, speeds_kmh=[2.0, 4.0, 6.0, 8.0])
    # at 2 km/h the 300 s are 900; at 4 km/h 600 s are; at 8 km/h 1,200 s are
    assert curve == ((2.0, 0.1), (4.0, 0.35), (6.0, 0.5), (8.0, 0.8))


@pytest.mark.parametrize(
    ("threshold", "seconds"),
    [
        (0.01, 300.0),
        (0.1, 300.0),  # just equal
        (0.1001, 600.0),
        (0.3, 600.0),  # a tie: the 20 and the 5 arrive together
        (0.35, 600.0),
        (0.36, 900.0),
        (0.5, 900.0),
        (0.8, 1200.0),
        (0.81, None),  # those cut off would be needed
        (1.0, None),
        (0.0, None),  # held with nobody covered: no limit turns it
    ],
)
def test_flip_is_the_time_at_which_the_threshold_is_first_reached(threshold, seconds):
    assert flip_seconds(SECONDS, PEOPLE, threshold) == seconds
    mixed = np.array([3, 5, 0, 4, 2, 1])
    assert flip_seconds(SECONDS[mixed], PEOPLE[mixed], threshold) == seconds


def test_everyone_within_reach_makes_a_full_share():
    """A total of fractions does not keep the last of them out."""
    people = np.full(3000, 0.1)
    assert flip_seconds(np.linspace(1.0, 3000.0, 3000), people, 1.0) == 3000.0
    assert coverage_at(np.linspace(1.0, 3000.0, 3000), people, 3000.0) == 1.0


def test_a_row_without_people_never_turns_a_verdict():
    assert flip_seconds(np.array([100.0, 200.0]), np.array([0.0, 4.0]), 0.5) == 200.0
    assert flip_seconds(np.array([np.inf, np.nan]), np.array([1.0, 1.0]), 0.5) is None


def test_borderline_is_inclusive_on_either_side():
    assert borderline(SECONDS, PEOPLE, 900.0) == 15
    assert borderline(SECONDS, PEOPLE, 660.0) == 25
    assert borderline(SECONDS, PEOPLE, 540.0) == 25
    assert borderline(SECONDS, PEOPLE, 660.1) == 0
    assert borderline(SECONDS, PEOPLE, 539.9) == 0
    assert borderline(SECONDS, PEOPLE, 900.0, margin_s=300.0) == 20 + 5 + 15 + 30
    assert borderline(SECONDS, PEOPLE, 900.0, margin_s=0.0) == 15


@pytest.mark.parametrize(
    ("covered", "people", "threshold", "further"),
    [
        (215, 275, 0.9, 33),  # 247.5 are needed
        (90, 100, 0.9, 0),
        (89, 100, 0.9, 1),
        (3, 10, 0.3, 0),  # 0.3 x 10 is more than 3 by the last bit only
        (7, 10, 0.7, 0),
        (95, 100, 0.9, 0),
        (0, 10, 1.0, 10),
        (0, 0, 0.9, 0),
        (0, 10, 0.0, 0),
        (10.25, 20.5, 0.5, 0),
        (10.0, 20.5, 0.5, 1),  # a quarter of a person is a person
    ],
)
def test_shortfall(covered, people, threshold, further):
    assert shortfall(covered, people, threshold) == further


FEW = settings(max_examples=200, deadline=None, derandomize=True)
towns = st.lists(
    st.tuples(st.one_of(st.integers(0, 3600), st.just(np.inf)), st.integers(0, 500)), min_size=1, max_size=30
)
shares = st.integers(1, 1000).map(lambda share: share / 1000)


@FEW
@given(towns, shares)
def test_at_the_flip_the_threshold_holds_and_just_below_it_does_not(town, threshold):
    seconds, people = (np.array(column, dtype=float) for column in zip(*town, strict=True))
    flip = flip_seconds(seconds, people, threshold)
    if flip is None:
        best = coverage_at(seconds, people, 1e9)
        assert best is None or best < threshold
    else:
        assert coverage_at(seconds, people, flip) >= threshold
        assert coverage_at(seconds, people, flip - 1e-3) < threshold


@FEW
@given(towns, shares, st.integers(60, 1800))
def test_the_flip_speed_turns_the_verdict_at_the_own_limit(town, threshold, limit):
    seconds, people = (np.array(column, dtype=float) for column in zip(*town, strict=True))
    flip = flip_seconds(seconds, people, threshold)
    if flip:  # at 0 s no speed is too slow
        assert coverage_at(seconds, people, limit, factor=flip / limit) >= threshold
        assert coverage_at(seconds, people, limit, factor=0.9999 * flip / limit) < threshold


@FEW
@given(towns, shares)
def test_the_shortfall_is_what_turns_the_verdict_and_one_person_fewer_is_not(town, threshold):
    people = sum(count for _, count in town)
    covered = sum(count for second, count in town if second <= 900)
    further = shortfall(covered, people, threshold)
    if people:
        assert (covered + further) / people >= threshold
        assert further == 0 or (covered + further - 1) / people < threshold


@FEW
@given(towns)
def test_the_curve_never_falls(town):
    seconds, people = (np.array(column, dtype=float) for column in zip(*town, strict=True))
    speeds = np.linspace(2.5, 7.5, 21)
    values = [
        value for _, value in curve_over_speed(seconds, people, 900.0, usual_kmh=5.0, speeds_kmh=speeds)
    ]
    assert values == sorted(values)
