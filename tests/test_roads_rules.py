"""Travel profiles: which ways, in which direction, how fast."""

import math

import pytest

from lifecircle.errors import UnusableInputError
from lifecircle.roads import MODES, PROFILES, allowed_way, oneway, profile, way_kmh

STREET = {"highway": "residential"}


@pytest.mark.parametrize(
    ("tags", "walk", "drive"),
    [
        (STREET, True, True),
        ({}, False, False),
        ({"highway": "footway"}, True, False),
        ({"highway": "steps"}, True, False),
        ({"highway": "cycleway"}, True, False),
        ({"highway": "track"}, True, False),
        ({"highway": "trunk"}, True, True),
        ({"highway": "trunk", "motorroad": "yes"}, False, True),
        ({"highway": "trunk", "motorroad": "yes", "foot": "yes"}, True, True),
        ({"highway": "motorway"}, False, True),
        ({"highway": "motorway_link", "foot": "yes"}, False, True),
        ({"highway": "construction"}, False, False),
        ({"highway": "proposed"}, False, False),
        ({"highway": "corridor"}, False, False),
        ({"highway": "platform"}, False, False),
        ({"highway": "busway"}, False, False),
        ({"highway": "pedestrian", "area": "yes"}, False, False),
        ({"route": "ferry"}, False, False),
        ({"highway": "service", "route": "ferry"}, False, False),
        ({**STREET, "foot": "no"}, False, True),
        ({**STREET, "foot": "private"}, False, True),
        ({**STREET, "access": "private"}, False, False),
        ({**STREET, "access": "no"}, False, False),
        ({**STREET, "access": "destination"}, True, True),
        ({**STREET, "access": "no", "foot": "designated"}, True, False),
        ({**STREET, "access": "no", "motor_vehicle": "yes"}, False, True),
        ({**STREET, "vehicle": "no"}, True, False),
        ({**STREET, "motorcar": "yes", "vehicle": "no"}, True, True),
        ({**STREET, "access": "bus"}, True, False),
        ({"highway": "service", "service": "private"}, False, False),
        ({"highway": "service", "service": "driveway"}, True, True),
        ({"highway": "service", "service": "parking_aisle"}, True, True),
        ({"highway": "service", "service": "emergency_access"}, True, False),
        ({**STREET, "oneway": "reversible"}, True, False),
        ({"highway": "主干路"}, True, False),
    ],
)
def test_allowed_ways(tags, walk, drive):
    assert allowed_way(tags, "walk") is walk
    assert allowed_way(tags, "drive") is drive


def test_a_wheelchair_takes_no_steps_and_nothing_closed_to_it():
    assert allowed_way(STREET, "wheelchair")
    assert not allowed_way({"highway": "steps"}, "wheelchair")
    assert not allowed_way({**STREET, "wheelchair": "no"}, "wheelchair")
    assert not allowed_way({**STREET, "access": "private", "wheelchair": "yes"}, "wheelchair")
    assert allowed_way({"highway": "steps"}, "walk_aged")


def test_merged_ways_are_allowed_only_as_a_whole():
    assert allowed_way({"highway": ["primary", "footway"]}, "walk")
    assert not allowed_way({"highway": ["primary", "footway"]}, "drive")
    assert not allowed_way({"highway": ["trunk", "motorway"]}, "walk")
    assert not allowed_way({**STREET, "access": ["yes", "private"]}, "walk")


@pytest.mark.parametrize(
    ("tags", "direction"),
    [
        ({}, 0),
        ({"oneway": "yes"}, 1),
        ({"oneway": "1"}, 1),
        ({"oneway": True}, 1),
        ({"oneway": "True"}, 1),
        ({"oneway": "-1"}, -1),
        ({"oneway": "reverse"}, -1),
        ({"oneway": "no"}, 0),
        ({"oneway": "alternating"}, 0),
        ({"oneway": "yes", "oneway:motor_vehicle": "no"}, 0),
        ({"oneway": float("nan")}, 0),
        ({"junction": "roundabout"}, 1),
        ({"junction": "circular"}, 1),
        ({"junction": "roundabout", "oneway": "no"}, 0),
        ({"highway": "motorway"}, 1),
        ({"highway": "motorway_link"}, 1),
        ({"highway": "motorway", "oneway": "no"}, 0),
        ({"highway": "trunk"}, 0),
    ],
)
def test_direction_of_driving(tags, direction):
    assert oneway({**STREET, **tags}, "drive") == direction
    assert oneway({**STREET, **tags}, "walk") == 0


def test_walkers_mind_their_own_one_way_alone():
    assert oneway({**STREET, "oneway:foot": "yes"}, "walk") == 1
    assert oneway({**STREET, "oneway:foot": "-1"}, "wheelchair") == -1
    assert oneway({**STREET, "oneway:foot": "yes"}, "drive") == 0


@pytest.mark.parametrize(
    ("name", "kmh"),
    [
        ("motorway", 90),
        ("trunk_link", 85),
        ("primary", 65),
        ("secondary", 55),
        ("tertiary_link", 40),
        ("unclassified", 25),
        ("residential", 25),
        ("road", 25),
        ("service", 15),
        ("living_street", 10),
    ],
)
def test_speed_of_driving(name, kmh):
    assert way_kmh({"highway": name}, "drive") == kmh
    assert way_kmh({"highway": name}, "walk") == 5


def test_of_merged_classes_the_slowest_speed_counts():
    assert way_kmh({"highway": ["primary", "living_street"]}, "drive") == 10
    assert math.isnan(way_kmh({"highway": ["primary", "footway"]}, "drive"))


def test_profiles_hold_the_speeds_of_the_design():
    assert {name: used.speed_kmh for name, used in PROFILES.items()} == {
        "walk": 5.0,
        "walk_aged": 3.24,
        "walk_child": 3.24,
        "wheelchair": 2.88,
        "drive": None,
    }
    for used in PROFILES.values():
        slow, usual, fast = used.band
        assert (slow, usual, fast) == (4 / 5, 1, 6 / 5)
        assert used.mode in MODES
        assert used.version
        assert used.source
        assert used.ways.source
    assert PROFILES["drive"].access_kmh == 5
    assert not PROFILES["drive"].uniform
    assert PROFILES["wheelchair"].access_ms == pytest.approx(0.8)
    assert PROFILES["walk"].ways == PROFILES["walk_aged"].ways != PROFILES["wheelchair"].ways


def test_a_new_speed_takes_the_access_leg_along_where_the_whole_trip_scales():
    assert profile("walk", speed_kmh=4).access_kmh == 4
    drive = profile("drive", speed_kmh=30)
    assert (drive.class_speed("motorway"), drive.access_kmh) == (30, 5)
    assert not allowed_way({"highway": "footway"}, drive)
    assert profile("drive", speed_kmh={"primary": 50}).class_speed("primary") == 50
    assert profile("drive", speed_kmh={"primary": 50}).class_speed("service") == 15
    assert profile("walk") is PROFILES["walk"]


@pytest.mark.parametrize(
    ("mode", "speed", "match"),
    [
        ("cycle", None, "not available yet.*use one of walk"),
        ("ebike", None, "not available yet"),
        ("wlak", None, "unknown mode or profile.*did you mean 'walk'"),
        ("walk", 0, "positive number.*for example 5.0"),
        ("walk", float("nan"), "positive number"),
        ("walk", True, "positive number"),
        ("walk", {"primary": 5}, "no such road class.*one number"),
        ("drive", {"footway": 5}, "no such road class.*motorway"),
        ("drive", {"primary": -5}, "positive number"),
    ],
)
def test_what_is_no_profile_or_speed(mode, speed, match):
    with pytest.raises(UnusableInputError, match=match):
        profile(mode, speed_kmh=speed)
