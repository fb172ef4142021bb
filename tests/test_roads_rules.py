"""Travel profiles: which ways, in which direction, how fast."""

import math

import pytest

from lifecircle.errors import UnusableInputError
from lifecircle.roads import MODES, PROFILES, allowed_way, oneway, open_against, profile, way_kmh

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


@pytest.mark.parametrize(
    ("tags", "allowed"),
    [
        (STREET, True),
        ({}, False),
        ({"highway": "cycleway"}, True),
        ({"highway": "path"}, True),
        ({"highway": "track"}, True),
        ({"highway": "living_street"}, True),
        ({"highway": "trunk"}, True),
        ({"highway": "trunk", "motorroad": "yes"}, False),
        ({"highway": "trunk", "motorroad": "yes", "bicycle": "yes"}, True),
        ({"highway": "motorway"}, False),
        ({"highway": "motorway_link", "bicycle": "yes"}, False),
        ({"highway": "steps"}, False),
        ({"highway": "steps", "bicycle": "yes"}, False),
        ({"highway": "footway"}, False),
        ({"highway": "footway", "bicycle": "yes"}, True),
        ({"highway": "footway", "bicycle": "designated"}, True),
        ({"highway": "footway", "bicycle": "dismount"}, False),
        ({"highway": "pedestrian"}, False),
        ({"highway": "pedestrian", "bicycle": "permissive"}, True),
        ({"highway": "pedestrian", "bicycle": "yes", "area": "yes"}, False),
        ({"highway": "bridleway"}, False),
        ({"highway": "busway"}, False),
        ({"highway": "construction"}, False),
        ({"highway": "elevator"}, False),
        ({"route": "ferry", "bicycle": "yes"}, False),
        ({**STREET, "bicycle": "no"}, False),
        ({**STREET, "bicycle": "dismount"}, False),
        ({**STREET, "bicycle": "use_sidepath"}, False),
        ({**STREET, "vehicle": "no"}, False),
        ({**STREET, "vehicle": "no", "bicycle": "yes"}, True),
        ({**STREET, "motor_vehicle": "no"}, True),
        ({**STREET, "foot": "no"}, True),
        ({**STREET, "access": "private"}, False),
        ({**STREET, "access": "no", "bicycle": "designated"}, True),
        ({**STREET, "access": "destination"}, True),
        ({"highway": "service", "service": "private"}, False),
        ({"highway": "service", "service": "emergency_access"}, True),
        ({**STREET, "oneway": "reversible"}, True),
        ({"highway": ["cycleway", "footway"]}, False),
        ({"highway": "主干路"}, True),
    ],
)
def test_allowed_ways_of_riders(tags, allowed):
    assert allowed_way(tags, "cycle") is allowed
    assert allowed_way(tags, "ebike") is allowed


@pytest.mark.parametrize(
    ("tags", "direction", "against"),
    [
        ({}, 0, False),
        ({"oneway": "yes"}, 1, False),
        ({"oneway": "-1"}, -1, False),
        ({"oneway": "no"}, 0, False),
        ({"oneway": "yes", "oneway:bicycle": "no"}, 0, True),
        ({"oneway:bicycle": "yes"}, 1, False),
        ({"oneway": "yes", "oneway:bicycle": "-1"}, -1, False),
        ({"oneway": "yes", "oneway:vehicle": "no"}, 0, False),
        ({"oneway": "yes", "oneway:motor_vehicle": "no"}, 1, False),
        ({"oneway": "yes", "cycleway": "opposite"}, 0, True),
        ({"oneway": "yes", "cycleway": "opposite_lane"}, 0, True),
        ({"oneway": "-1", "cycleway": "opposite_track"}, 0, True),
        ({"oneway": "yes", "cycleway": "lane"}, 1, False),
        ({"oneway": "yes", "cycleway:left": "opposite_lane"}, 0, True),
        ({"oneway": "yes", "cycleway:right": "opposite"}, 0, True),
        ({"oneway": "yes", "cycleway:left": "lane", "cycleway:left:oneway": "-1"}, 0, True),
        ({"oneway": "yes", "cycleway:left": "track", "cycleway:left:oneway": "no"}, 0, True),
        ({"oneway": "yes", "cycleway:right": "lane", "cycleway:right:oneway": "yes"}, 1, False),
        ({"oneway": "-1", "cycleway:left": "lane", "cycleway:left:oneway": "-1"}, -1, False),
        ({"oneway": "-1", "cycleway:left": "lane", "cycleway:left:oneway": "yes"}, 0, True),
        ({"oneway": "yes", "oneway:bicycle": "yes", "cycleway": "opposite"}, 1, False),
        ({"junction": "roundabout"}, 1, False),
        ({"junction": "roundabout", "oneway:bicycle": "no"}, 0, True),
        ({"junction": "roundabout", "oneway": "no"}, 0, False),
        ({"oneway": "yes", "cycleway": ["opposite", "lane"]}, 1, False),
    ],
)
def test_direction_of_riding(tags, direction, against):
    tags = {**STREET, **tags}
    assert oneway(tags, "cycle") == oneway(tags, "ebike") == direction
    assert open_against(tags, "cycle") is against
    assert oneway(tags, "walk") == 0
    assert not open_against(tags, "walk")
    assert not open_against(tags, "drive")


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
        "cycle": 12.0,
        "ebike": 18.0,
        "drive": None,
    }
    assert set(MODES) <= set(PROFILES)
    bands = {"cycle": (10 / 12, 1, 15 / 12), "ebike": (15 / 18, 1, 20 / 18)}
    for name, used in PROFILES.items():
        assert used.band == bands.get(name, (4 / 5, 1, 6 / 5))
        assert used.mode in MODES
        assert used.version
        assert used.source
        assert used.ways.source
    assert PROFILES["drive"].access_kmh == 5
    assert not PROFILES["drive"].uniform
    assert PROFILES["wheelchair"].access_ms == pytest.approx(0.8)
    assert PROFILES["walk"].ways == PROFILES["walk_aged"].ways != PROFILES["wheelchair"].ways
    assert PROFILES["cycle"].ways == PROFILES["ebike"].ways != PROFILES["walk"].ways
    assert PROFILES["cycle"].uniform
    assert PROFILES["ebike"].access_kmh == 18
    assert profile("cycle", speed_kmh=15).access_kmh == 15


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
        ("bike", None, "unknown mode or profile.*did you mean 'ebike'.*known: walk"),
        ("cycle", {"primary": 15}, "no such road class.*one number"),
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
