"""What maps show of presence, capacity and indicators: classes of districts, units with and without."""

from __future__ import annotations

import dataclasses
import math

import pytest
import shapely

import atlas_town
from lifecircle.findings import DistrictResult, IndicatorResult, UnitCount, UnitWithout
from lifecircle.legend import STEP_COLOURS
from lifecircle.page_data import AREA_COLOURS, HOLDS, LACKS, area_classes, one_figure, unit_marks
from lifecircle.page_data._target_map import UNKNOWN
from lifecircle.publication import public_findings, without_masked
from lifecircle.standards import IndicatorTarget
from lifecircle.wording import Words


@pytest.fixture(scope="module")
def town():
    return atlas_town.with_kinds(atlas_town.town(residents=300))


def with_districts(values, *, value=None, status="reported", **facts):
    """Make an indicator of some districts."""
    target = IndicatorTarget(id="one", name={"zh": "一", "en": "one"}, **({"unit": "km"} | facts))
    rows = tuple(DistrictResult(code, code, None, figure, status) for code, figure in values.items())
    return IndicatorResult(target, value, status, "", districts=rows)


def test_districts_are_classed_by_their_verdicts(town):
    classes = area_classes(town, town.result("beds"), Words("zh"))
    assert [classes.of[code] for code in town.districts.index] == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert [text for _, text in classes.rows] == [
        "达到目标值（≥ 4.5 / 1000人）",
        "未达到目标值（< 4.5 / 1000人）",
        "未知或不判定",
    ]
    assert classes.colour("nowhere") == AREA_COLOURS["unknown"]


def test_a_figure_that_shall_fall_is_reached_from_above(town):
    result = with_districts({"a": 3.0}, value=3.0, status="met", goal=4.0, direction="down")
    assert area_classes(town, result, Words("en")).rows[0][1] == "Goal reached (≤ 4 km)"
    assert area_classes(town, result, Words("en")).rows[1][1] == "Goal not reached (> 4 km)"


def test_before_the_due_year_the_milestone_is_named(town):
    plain = with_districts({"a": 3.0}, status="on_track", goal=4.0, due=2030, milestones={2025: 2.5})
    classes = area_classes(town, dataclasses.replace(plain, milestone=2.5), Words("en"))
    assert classes.rows[0][1] == "Milestone reached (≥ 2.5 km)"
    assert classes.of == {"a": 0}


def test_without_a_goal_few_values_are_a_class_each(town):
    classes = area_classes(town, with_districts({"a": 3.0, "b": 2.0, "c": 3.0, "d": None}), Words("zh"))
    assert [text for _, text in classes.rows] == ["2 km", "3 km", "未知或不判定"]
    assert classes.of == {"a": 1, "b": 0, "c": 1}
    assert [colour for colour, _ in classes.rows[:2]] == [STEP_COLOURS[1], STEP_COLOURS[3]]


def test_without_a_goal_many_values_are_five_equal_steps_up_to_their_edge(town):
    values = {str(number): float(number) for number in range(11)}
    classes = area_classes(town, with_districts(values), Words("zh"))
    assert [text for _, text in classes.rows][:2] == ["0 km–2 km", "2 km–4 km"]
    assert [classes.of[code] for code in values] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4]


def test_districts_that_no_goal_judges_are_classed_by_their_values(town):
    years = with_districts({"a": 81.0, "b": 83.0}, value=82.0, status="reported", goal=82.0, unit="years")
    classes = area_classes(town, years, Words("en"))
    assert classes.of == {"a": 0, "b": 1}
    assert not classes.parts


def test_districts_that_add_up_to_the_whole_are_not_judged_by_its_goal(town):
    parts = with_districts({"a": 3.0, "b": 2.0}, value=5.0, status="missed", goal=24.0)
    classes = area_classes(town, parts, Words("zh"))
    assert classes.parts
    assert classes.note
    assert [text for _, text in classes.rows] == ["2 km", "3 km"]
    assert not area_classes(town, dataclasses.replace(parts, value=2.6), Words("zh")).note


def test_who_has_one_figure(town):
    assert one_figure(town.result("bus_share"))
    assert area_classes(town, town.result("bus_share"), Words("zh")) is None
    assert not one_figure(town.result("beds"))
    assert not one_figure(town.result("places"))  # has no figure at all


def test_units_hold_or_lack_at_their_places(town):
    units = unit_marks(town, town.result("clinics"), Words("zh"))
    assert [mark.state for mark in units.marks] == [LACKS if at in {2, 7} else HOLDS for at in range(12)]
    first = units.without[0]
    place = town.villages.geometry.iloc[2]
    assert (first.lon, first.lat) == (place.x, place.y)
    assert (first.lacks, first.people) == ("卫生室", "420")
    assert first.district == town.districts["name"][town.villages["district"].iloc[2]]
    assert units.legend == ((HOLDS, "具备（10 个）"), (LACKS, "缺少（2 个）"))
    assert unit_marks(town, town.result("beds"), Words("zh")) is None


def of_units(town, units, **facts):
    result = town.result("clinics")
    target = result.target.model_copy(update=facts)
    return unit_marks(town, dataclasses.replace(result, target=target, units=units), Words("zh"))


def test_only_units_of_the_area_are_drawn(town):
    urban = town.villages["district"].map(town.districts["urban"]).astype("boolean")
    findings = dataclasses.replace(town, villages=town.villages.assign(urban=urban))
    count = int(urban.sum())
    units = of_units(findings, UnitCount("village", count, count), area="urban")
    assert [mark.code for mark in units.marks] == [str(code) for code in town.villages.index[urban]]


def test_where_unknown_units_are_not_all_named_nobody_is_said_to_hold(town):
    known = of_units(town, UnitCount("village", 12, 10, (), 2, ("V00", "V05")))
    assert [mark.state for mark in known.marks].count(UNKNOWN) == 2
    assert len(known.marks) == 12
    units = of_units(town, UnitCount("village", 12, 3, (), 9, ("V00", "V05")))
    assert {mark.state for mark in units.marks} == {UNKNOWN}
    assert units.note
    assert [state for state, _ in units.legend] == [UNKNOWN]


def test_outlets_without_stand_at_their_gaps_and_one_the_mask_took_is_left_out(town):
    lacking = tuple(UnitWithout(code, code, ("clinic",)) for code in ("o1", "o2", "o3"))
    units = of_units(town, UnitCount("outlet", 9, 6, lacking), unit="outlet")
    assert [mark.code for mark in units.marks] == ["o1", "o2"]  # the third has no gap
    assert math.isclose(units.marks[0].lon, town.villages.geometry.iloc[2].x)
    assert units.marks[0].people == ""
    assert units.note


def test_districts_stand_at_a_point_inside(town):
    lacking = (UnitWithout("330424104", "沈荡镇", ("clinic",)),)
    units = of_units(town, UnitCount("district", 9, 8, lacking), unit="district")
    assert len(units.marks) == 9

    inside = [
        shape.contains(shapely.Point(mark.lon, mark.lat))
        for mark, shape in zip(units.marks, town.districts.geometry, strict=True)
    ]
    assert all(inside)
    assert [mark.name for mark in units.without] == ["沈荡镇"]


def test_what_a_village_rule_finds_lacking_is_in_words(town):
    lacking = (UnitWithout("V01", "村", ("recurrent|operating",)),)
    units = of_units(town, UnitCount("village", 12, 11, lacking))
    assert units.without[0].lacks == "经常性收入、经营性收入"


def test_the_public_edition_names_units_without_but_not_the_people_of_small_ones(town):
    (public,) = public_findings([town], min_people=20)
    units = unit_marks(public, public.result("clinics"), Words("zh"))
    own = unit_marks(town, town.result("clinics"), Words("zh"))
    assert [mark.people for mark in own.without] == ["420", "3"]
    assert [mark.people for mark in units.without] == ["420", "*"]
    assert [(mark.name, mark.lon, mark.lat) for mark in units.marks] == [
        (mark.name, mark.lon, mark.lat) for mark in own.marks
    ]
    beds = (town.result("beds"), public.result("beds"))
    assert beds[0].districts == beds[1].districts
    assert set(public.gaps["people"].dropna() % 20) == {0}


def test_a_masked_unit_is_neither_drawn_nor_listed(town):
    place = town.villages.geometry.iloc[2]
    units = unit_marks(without_masked(town, [place.buffer(0.0005)]), town.result("clinics"), Words("zh"))
    assert str(town.villages.index[2]) not in {mark.code for mark in units.marks}
    assert len(units.marks) == 11
    assert len(units.without) == 1
