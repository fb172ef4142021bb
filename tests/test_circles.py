"""The rule of a circle: times against brute force, straight circles against every subset and every middle."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import milp, minimize

from lifecircle.measures import holds_rule, largest_distinct, rule_seconds, settlement_centres

EDGE_M = 0.01  # no claim is made of circles this near to just fitting


def slowest_over_classes(times, classes, require):
    """Rule time by sorting all venues of each class, for each resident."""
    out = []
    for row in times:
        worst = 0.0
        for name, count in require.items():
            mine = sorted(second for second, member in zip(row, classes[name], strict=True) if member)
            worst = max(worst, mine[count - 1] if len(mine) >= count else np.inf)
        out.append(worst)
    return out


def sites_can_be_chosen(points, members, wanted, spacing):
    """Try every way to give the places of the rule to different venues far enough apart."""
    places = [name for name, count in wanted.items() for _ in range(count)]
    return any(
        all(members[name][venue] for name, venue in zip(places, chosen, strict=True))
        and all(np.hypot(*(points[a] - points[b])) >= spacing for a, b in itertools.combinations(chosen, 2))
        for chosen in itertools.permutations(range(len(points)), len(places))
    )


def smallest_circle(points):
    """Radius of the smallest circle around some points, by every pair and every three of them."""
    candidates = [points[0]]
    for one, other in itertools.combinations(points, 2):
        candidates.append((one + other) / 2)
    for three in itertools.combinations(points, 3):
        a, b, c = (np.asarray(each) for each in three)
        matrix = 2 * np.array([b - a, c - a])
        if abs(np.linalg.det(matrix)) > 1e-9:
            candidates.append(np.linalg.solve(matrix, [b @ b - a @ a, c @ c - a @ a]))
    return min(max(np.hypot(*(point - middle)) for point in points) for middle in candidates)


def holds(centre, radius, venues, classes, require, **keywords):
    return bool(
        holds_rule(
            np.array([centre], dtype=float),
            np.array([radius], dtype=float),
            venues=np.asarray(venues, dtype=float).reshape(-1, 2),
            classes={name: np.asarray(member, dtype=bool) for name, member in classes.items()},
            require=require,
            **keywords,
        )[0]
    )


def random_town(seed, venues, side=100.0):
    rng = np.random.default_rng(seed)
    classes = {"a": rng.random(venues) < 0.5, "b": rng.random(venues) < 0.6}
    return rng.uniform(-side, side, (venues, 2)), classes, {"a": 1, "b": int(rng.integers(1, 3))}


# --- rule time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_rule_time_is_that_of_sorting_all_venues(seed):
    rng = np.random.default_rng(seed)
    times = rng.choice([60.0, 120.0, 300.0, 900.0, np.inf], (30, 12)) + rng.choice([0.0, 0.5], (30, 12))
    _, classes, require = random_town(seed, 12)
    per_class = []
    for name, count in require.items():
        mine = np.sort(times[:, classes[name]], axis=1)
        enough = mine.shape[1] >= count
        per_class.append(mine[:, count - 1] if enough else np.full(len(times), np.inf))
    assert rule_seconds(per_class).tolist() == slowest_over_classes(times, classes, require)


def test_one_class_is_its_own_time_and_a_missing_one_is_never():
    assert rule_seconds([np.array([5.0, np.inf])]).tolist() == [5.0, np.inf]
    assert rule_seconds([np.array([5.0]), np.array([np.inf]), np.array([9.0])]).tolist() == [np.inf]


# --- the circle around the centre -------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_straight_circle_counts_the_venues_within_its_radius(seed):
    venues, classes, require = random_town(seed, 15)
    rng = np.random.default_rng(seed + 1000)
    centres, radii = rng.uniform(-120, 120, (25, 2)), rng.uniform(20, 150, 25)
    inside = np.hypot(*(venues[None] - centres[:, None]).transpose(2, 0, 1)) <= radii[:, None]
    counted = [
        all((near & classes[name]).sum() >= count for name, count in require.items()) for near in inside
    ]
    found = holds_rule(centres, radii, venues=venues, classes=classes, require=require)
    assert found.tolist() == counted


def test_the_radius_is_inclusive_and_each_circle_has_its_own():
    require, classes = {"a": 2}, {"a": [True, True]}
    assert holds((0, 0), 1000, [(1000, 0), (0, -1000)], classes, require)
    assert not holds((0, 0), 999.99, [(1000, 0), (0, -1000)], classes, require)
    both = holds_rule(
        np.zeros((2, 2)),
        np.array([1000.0, 1500.0]),
        venues=np.array([[1200.0, 0.0]]),
        classes={"a": np.array([True])},
        require={"a": 1},
    )
    assert both.tolist() == [False, True]


def test_without_venues_of_a_class_or_without_a_centre_nothing_holds():
    assert not holds((0, 0), 100, [], {"a": []}, {"a": 1})
    assert not holds((0, 0), 100, [(0, 0)], {"a": [True], "b": [False]}, {"a": 1, "b": 1})
    for free in (False, True):
        assert not holds((np.nan, 0), 100, [(0, 0)], {"a": [True]}, {"a": 1}, free=free)
    none = holds_rule(
        np.zeros((0, 2)),
        np.zeros(0),
        venues=np.zeros((1, 2)),
        classes={"a": np.ones(1, bool)},
        require={"a": 1},
    )
    assert none.shape == (0,)


def test_a_venue_of_two_classes_counts_for_both_until_sites_must_be_distinct():
    classes, require = {"a": [True], "b": [True]}, {"a": 1, "b": 1}
    assert holds((0, 0), 100, [(10, 0)], classes, require)
    assert not holds((0, 0), 100, [(10, 0)], classes, require, distinct_site_m=1e-9)


# --- distinct sites ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_distinct_sites_are_those_of_trying_every_choice(seed):
    rng = np.random.default_rng(seed)
    venues = rng.uniform(-100, 100, (7, 2)).round(rng.choice([-1, 0]))  # coarse ones repeat places
    classes = {"a": rng.random(7) < 0.6, "b": rng.random(7) < 0.6}
    require = {"a": int(rng.integers(1, 3)), "b": int(rng.integers(1, 3))}
    spacing = float(rng.choice([1, 40, 80, 120]))
    expected = sites_can_be_chosen(venues, classes, require, spacing)
    assert holds((0, 0), 1000, venues, classes, require, distinct_site_m=spacing) == expected


@pytest.mark.parametrize("seed", range(30))
def test_distinct_sites_against_an_integer_programme(seed):
    """Larger than trying every choice allows: one binary number for each venue and role."""
    rng = np.random.default_rng(seed)
    many, spacing = 30, float(rng.choice([30, 60, 90]))
    venues = rng.uniform(-100, 100, (many, 2))
    classes = {"a": rng.random(many) < 0.4, "b": rng.random(many) < 0.5}
    require = {"a": int(rng.integers(1, 5)), "b": int(rng.integers(1, 5))}
    roles = np.vstack([classes["a"], classes["b"]])
    near = np.hypot(*(venues[:, None] - venues[None]).transpose(2, 0, 1)) < spacing
    rows, low, high = [], [], []
    for role, count in enumerate(require.values()):
        row = np.zeros((2, many))
        row[role] = roles[role]
        rows, low, high = [*rows, row.ravel()], [*low, count], [*high, np.inf]
    for one, other in np.argwhere(np.triu(near)):
        row = np.zeros((2, many))
        row[:, [one, other]] = 1
        rows, low, high = [*rows, row.ravel()], [*low, -np.inf], [*high, 1]
    solved = milp(
        np.zeros(2 * many), integrality=np.ones(2 * many), bounds=(0, 1), constraints=(rows, low, high)
    )
    assert solved.status in (0, 2)  # solved, or proved impossible
    assert holds((0, 0), 1000, venues, classes, require, distinct_site_m=spacing) == (solved.status == 0)


@pytest.mark.parametrize("seed", range(30))
def test_largest_distinct_is_that_of_every_subset(seed):
    rng = np.random.default_rng(seed)
    points, spacing = rng.uniform(0, 100, (9, 2)), float(rng.uniform(10, 90))
    largest = max(
        size
        for size in range(10)
        for chosen in itertools.combinations(points, size)
        if all(np.hypot(*(a - b)) >= spacing for a, b in itertools.combinations(chosen, 2))
    )
    assert largest_distinct(points, spacing) == largest


def test_spacing_is_inclusive_and_one_place_is_one_site():
    two, classes = [(0, 0), (100, 0)], {"a": [True, True]}
    assert holds((0, 0), 500, two, classes, {"a": 2}, distinct_site_m=100)
    assert not holds((0, 0), 500, two, classes, {"a": 2}, distinct_site_m=100.1)
    assert not holds((0, 0), 500, [(5, 5), (5, 5)], classes, {"a": 2}, distinct_site_m=0.5)
    assert holds((0, 0), 500, [(5, 5), (5, 5)], classes, {"a": 2})
    assert largest_distinct(np.zeros((3, 2)), 0.0) == 3
    assert largest_distinct(np.zeros((3, 2)), 1.0) == 1
    assert largest_distinct(np.zeros((0, 2)), 1.0) == 0


def test_taking_the_first_free_is_not_enough():
    """The middle venue of three is first in the list; only the outer two are far enough apart."""
    assert holds((0, 0), 500, [(50, 0), (0, 0), (100, 0)], {"a": [True] * 3}, {"a": 2}, distinct_site_m=80)
    # the only mandatory site is the middle one, and then no second site is left
    classes = {"a": [True, False, False], "b": [False, True, True]}
    row = [(50, 0), (0, 0), (100, 0)]
    assert not holds((0, 0), 500, row, classes, {"a": 1, "b": 1}, distinct_site_m=80)


# --- any circle that holds the centre ---------------------------------------------------------------


def test_two_venues_two_radii_apart_fit_when_the_centre_lies_between_them():
    ends, classes = [(-1000, 0), (1000, 0)], {"a": [True, True]}
    assert holds((0, 0), 1000, ends, classes, {"a": 2}, free=True)
    assert holds((0, 1000), 1000, ends, classes, {"a": 2}, free=True)  # on the circle
    assert not holds((0, 1000.1), 1000, ends, classes, {"a": 2}, free=True)
    assert not holds((0, 0), 999.9, ends, classes, {"a": 2}, free=True)
    assert not holds((0, 0), 999.9, ends, classes, {"a": 2})


def test_three_venues_on_a_line_and_the_reach_of_two_radii():
    line, classes = [(0, 0), (900, 0), (1800, 0)], {"a": [True] * 3}
    assert holds((0, 0), 900, line, classes, {"a": 3}, free=True)
    assert holds((1800, 0), 900, line, classes, {"a": 3}, free=True)
    assert not holds((-1, 0), 900, line, classes, {"a": 3}, free=True)
    assert holds((-1, 0), 900, line, classes, {"a": 2}, free=True)
    assert not holds((0, 0), 900, line, classes, {"a": 2}, distinct_site_m=901, free=False)
    assert holds((0, 0), 900, line, classes, {"a": 2}, distinct_site_m=1800, free=True)


def test_a_lone_venue_is_held_up_to_two_radii_away():
    one = {"a": [True]}
    assert holds((0, 0), 500, [(1000, 0)], one, {"a": 1}, free=True)
    assert not holds((0, 0), 500, [(1000.1, 0)], one, {"a": 1}, free=True)
    assert holds((0, 0), 500, [(0, 0)], one, {"a": 1}, free=True)
    assert holds((0, 0), 500, [(0, 0)] * 3, {"a": [True] * 3}, {"a": 3}, free=True)  # all in one place


@pytest.mark.parametrize("corners", [3, 4, 5, 7])
def test_corners_of_a_polygon_fit_its_own_circle_exactly(corners):
    angles = 2 * np.pi * np.arange(corners) / corners
    ring = 1000 * np.column_stack([np.cos(angles), np.sin(angles)]) + [500_000.3, 3_377_000.7]
    classes = {"a": [True] * corners}
    middle = (500_000.3, 3_377_000.7)
    assert holds(middle, 1000, ring, classes, {"a": corners}, free=True)
    assert not holds(middle, 999.99, ring, classes, {"a": corners}, free=True)


@pytest.mark.parametrize("seed", range(80))
def test_free_circles_are_those_of_the_smallest_circle_of_every_choice(seed):
    """A choice of venues fits where the smallest circle around it and the centre is small enough."""
    venues, classes, require = random_town(seed, 8)
    centre = np.zeros(2)
    places = [name for name, count in require.items() for _ in range(count)]
    least = np.inf
    for chosen in itertools.product(range(8), repeat=len(places)):
        filled = all(classes[name][venue] for name, venue in zip(places, chosen, strict=True))
        one_each = all(
            len({venue for name, venue in zip(places, chosen, strict=True) if name == each}) == count
            for each, count in require.items()
        )
        if filled and one_each:
            least = min(least, smallest_circle(np.vstack([centre, venues[sorted(set(chosen))]])))
    for radius in (30.0, 50.0, 70.0, 90.0):
        if abs(radius - least) > EDGE_M:
            assert holds(centre, radius, venues, classes, require, free=True) == (least <= radius)
    if np.isfinite(least):
        assert holds(centre, least, venues, classes, require, free=True)
        assert not holds(centre, least - EDGE_M, venues, classes, require, free=True)


@pytest.mark.parametrize("seed", range(12))
def test_free_circles_with_distinct_sites_against_a_grid_of_middles(seed):
    """A dense grid of middles can only find circles; where it finds one with room to spare, so must we."""
    rng = np.random.default_rng(seed)
    venues, classes, require = random_town(seed, 9)
    radius, spacing, step = 70.0, float(rng.choice([20, 60, 100])), 6.0
    across = np.arange(-radius, radius + step, step)
    middles = np.array([(x, y) for x in across for y in across if np.hypot(x, y) <= radius])
    keywords = {"venues": venues, "classes": classes, "require": require, "distinct_site_m": spacing}
    on_grid = holds_rule(middles, np.full(len(middles), radius), **keywords).any()
    wider = holds_rule(middles, np.full(len(middles), radius + step), **keywords).any()
    found = holds((0, 0), radius, venues, classes, require, distinct_site_m=spacing, free=True)
    assert on_grid <= found <= wider


@pytest.mark.parametrize("seed", range(10))
def test_the_smallest_circle_of_the_test_is_itself_smallest(seed):
    points = np.random.default_rng(seed).uniform(-100, 100, (5, 2))
    sought = minimize(
        lambda middle: np.hypot(*(points - middle).T).max(),
        points.mean(axis=0),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000},
    )
    assert smallest_circle(points) == pytest.approx(sought.fun, abs=1e-3)


# --- laws -------------------------------------------------------------------------------------------

FEW = settings(max_examples=60, deadline=None, derandomize=True)
towns = st.tuples(
    st.integers(0, 10_000), st.integers(1, 10), st.booleans(), st.sampled_from([0.0, 30.0, 80.0])
)


@FEW
@given(towns, st.floats(20, 150))
def test_more_venues_never_lower(town, radius):
    seed, many, free, spacing = town
    venues, classes, require = random_town(seed, many)
    fewer = {name: member[:-1] for name, member in classes.items()}
    keywords = {"distinct_site_m": spacing, "free": free}
    assert holds((0, 0), radius, venues[:-1], fewer, require, **keywords) <= holds(
        (0, 0), radius, venues, classes, require, **keywords
    )


@FEW
@given(towns, st.floats(20, 150), st.floats(0, 50))
def test_a_larger_radius_never_lowers(town, radius, more):
    seed, many, free, spacing = town
    venues, classes, require = random_town(seed, many)
    keywords = {"distinct_site_m": spacing, "free": free}
    assert holds((0, 0), radius, venues, classes, require, **keywords) <= holds(
        (0, 0), radius + more, venues, classes, require, **keywords
    )


@FEW
@given(towns, st.floats(20, 150), st.floats(0, 50))
def test_spacing_never_raises_and_freedom_never_lowers(town, radius, more):
    seed, many, free, spacing = town
    venues, classes, require = random_town(seed, many)
    town = ((0, 0), radius, venues, classes, require)
    assert holds(*town, distinct_site_m=spacing + more, free=free) <= holds(
        *town, distinct_site_m=spacing, free=free
    )
    assert holds(*town, distinct_site_m=spacing) <= holds(*town, distinct_site_m=spacing, free=True)


# --- where people live ------------------------------------------------------------------------------


def test_settlement_centre_is_the_home_nearest_to_the_mean():
    places = np.array([[0, 0], [100, 0], [40, 0], [500, 500], [np.nan, np.nan], [7, 7], [9, 9]], dtype=float)
    people = np.array([10.0, 30.0, 0.0, 5.0, 99.0, 50.0, 0.0])
    village = np.array([0, 0, 0, 1, 1, -1, 2])
    # village 0: mean at x = 75; the empty house at 40 does not count, so the home at 100 is nearest
    centres = settlement_centres(places, people, village, 4)
    assert centres[:2].tolist() == [[100, 0], [500, 500]]
    assert np.isnan(centres[2:]).all()  # nobody lives in the third, and nobody is listed in the fourth


def test_of_homes_equally_near_the_first_row_counts():
    places = np.array([[10.0, 0.0], [-10.0, 0.0]])
    assert settlement_centres(places, np.ones(2), np.zeros(2, dtype=int), 1).tolist() == [[10, 0]]


@pytest.mark.parametrize("seed", range(5))
def test_settlement_centres_are_those_of_one_village_at_a_time(seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform([500_000, 3_377_000], [501_000, 3_378_000], (200, 2))
    people, village = rng.integers(0, 40, 200).astype(float), rng.integers(-1, 12, 200)
    centres = settlement_centres(places, people, village, 12)
    for one in range(12):
        mine = np.flatnonzero((village == one) & (people > 0))
        mean = np.average(places[mine], axis=0, weights=people[mine])
        assert centres[one].tolist() == min(
            places[mine].tolist(), key=lambda home, to=mean: np.hypot(*(home - to))
        )


# --- time -------------------------------------------------------------------------------------------


def county(villages, venues):
    """Give villages and venues of a county 25 km wide, half of the venues in nine towns."""
    rng = np.random.default_rng(3)
    towns = rng.uniform(0, 25_000, (9, 2))
    in_town = towns[rng.integers(0, 9, venues // 2)] + rng.normal(0, 800, (venues // 2, 2))
    places = np.vstack([in_town, rng.uniform(0, 25_000, (venues - len(in_town), 2))])
    rare = np.arange(venues) % 20 == 0
    radii = np.where(rng.random(villages) < 0.4, 1000.0, 1500.0)
    return rng.uniform(0, 25_000, (villages, 2)), radii, places, {"a": rare, "b": ~rare}


@pytest.mark.parametrize(
    ("villages", "venues", "seconds", "keywords"),
    [
        (122, 600, 1.0, {"free": True}),
        (122, 600, 1.0, {"free": True, "distinct_site_m": 100.0}),
        (2000, 3000, 0.5, {}),
    ],
)
def test_a_county_is_quick(villages, venues, seconds, keywords):
    centres, radii, places, classes = county(villages, venues)
    began = time.perf_counter()
    found = holds_rule(centres, radii, venues=places, classes=classes, require={"a": 1, "b": 2}, **keywords)
    took = time.perf_counter() - began
    assert 0 < found.sum() < villages
    assert took < seconds


def test_many_venues_on_few_sites_are_reported_at_once():
    """Four clusters of thirty are four sites, whichever of the thirty are picked."""
    rng = np.random.default_rng(5)
    corners = np.array([[0, 0], [300, 0], [0, 300], [300, 300]])
    venues = np.repeat(corners, 30, axis=0) + rng.uniform(0, 20, (120, 2))
    began = time.perf_counter()
    assert largest_distinct(venues, 100.0) == 4
    classes = {"a": np.arange(120) % 2 == 0, "b": np.arange(120) % 2 == 1}
    for free in (False, True):
        assert holds((0, 0), 500, venues, classes, {"a": 2, "b": 2}, distinct_site_m=100, free=free)
        assert not holds((0, 0), 500, venues, classes, {"a": 2, "b": 3}, distinct_site_m=100, free=free)
    assert time.perf_counter() - began < 2
