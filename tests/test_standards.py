"""Standards: what a profile may say, which faults are reported, what ships, and the verdict."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from conftest import ROOT
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.standards import (
    PROFILES,
    CapacityTarget,
    CircleTarget,
    IndicatorTarget,
    PresenceTarget,
    Service,
    Standard,
    Text,
    load_standard,
    milestone,
    read_target,
    read_toml,
    shipped_standards,
    threshold,
    trend_verdict,
    verdict,
)

SERVICES = """
[[service]]
id = "library"
name = { zh = "图书馆", en = "library" }
class = "mandatory"
[[service]]
id = "gym"
class = "public_benefit"
also = ["fitness_venue"]
"""

CULTURE = """
[[target]]
id = "culture"
kind = "circle"
require = { mandatory = 1, public_benefit = 2 }
minutes = 15
"""


def written(folder, text, name="profile.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder, text):
    return load_standard(written(folder, text))


def faults_in(folder, text):
    with pytest.raises(UnusableInputError) as caught:
        load_standard("profile.toml", folder=written(folder, text).parent)
    assert all(fault.reason and fault.remedy for fault in caught.value.faults)
    return {fault.place: fault for fault in caught.value.faults}


def circle(**changes):
    return CircleTarget.model_validate(
        {"id": "culture", "require": {"library": 1}, "minutes": 15, "goal": 0.9, "due": 2025, **changes}
    )


def indicator(**changes):
    return IndicatorTarget.model_validate(
        {"id": "gap", "unit": "points", "goal": 5, "due": 2025, "direction": "down", **changes}
    )


# What a profile may say


def test_minimal_profile_gets_its_defaults(tmp_path):
    standard = loaded(tmp_path, SERVICES + CULTURE)
    culture = standard.target("culture")
    assert isinstance(culture, CircleTarget)
    assert (standard.id, standard.name.get("zh")) == ("profile", "profile")
    assert (culture.profile, culture.group, culture.area, culture.accounting) == (
        "walk",
        "all",
        "all",
        "reach",
    )
    assert (culture.goal, culture.due, culture.tolerance, culture.straight) == (None, None, 0.0, None)
    assert (culture.baseline, culture.milestones, culture.open_at) == ({}, {}, None)
    assert culture.name == Text(zh="culture", en="culture")
    assert culture.grade == "setting"
    assert standard.service("library").name.get("en") == "library"


def test_design_example_loads_as_written(tmp_path):
    standard = loaded(
        tmp_path,
        """
        [[service]]
        id = "library"; name = { zh = "图书馆", en = "library" }; class = "mandatory"
        tier = "county"; department = "文化广电旅游体育局"; ownership = "public"
        [[service]]
        id = "gym"; class = "public_benefit"
        [[target]]
        id = "culture"; kind = "circle"; department = "文化广电旅游体育局"
        require = { mandatory = 1, public_benefit = 2 }
        minutes = 15; profile = "walk"; group = "all"; area = "all"
        goal = 1.0; due = 2025; baseline = { 2020 = 0.55 }; milestones = { 2023 = 0.8 }; tolerance = 0.0
        open_at = "Sat 10:00"
        straight = { urban_m = 1000, rural_m = 1500, centre = "committee", distinct_site_m = 0 }
        denominator = "常住人口"; source = "..."; date = "2021"; grade = "secondary"
        """.replace("; ", "\n"),
    )
    culture = standard.target("culture")
    assert isinstance(culture, CircleTarget)
    assert (culture.baseline, culture.milestones) == ({2020: 0.55}, {2023: 0.8})
    assert culture.straight is not None
    assert (culture.straight.urban_m, culture.straight.rural_m) == (1000.0, 1500.0)


def test_rule_counts_by_class_further_class_and_service(tmp_path):
    standard = loaded(
        tmp_path,
        SERVICES
        + """
        [[target]]
        id = "mixed"
        kind = "presence"
        unit = "village"
        minimum = 2
        require = { mandatory = 1, gym = 3, fitness_venue = 1 }
        """,
    )
    mixed = standard.target("mixed")
    assert isinstance(mixed, PresenceTarget)
    assert standard.venues(mixed) == {"mandatory": {"library"}, "gym": {"gym"}, "fitness_venue": {"gym"}}
    assert mixed.needed == {"mandatory": 2, "gym": 3, "fitness_venue": 2}
    assert standard.venues(indicator()) == {}


def test_straight_radius_left_out_is_that_of_the_other_area():
    straight = circle(straight={"urban_m": 1000}).straight
    assert straight is not None
    assert (straight.urban_m, straight.rural_m, straight.grade) == (1000.0, 1000.0, "setting")


def test_one_language_or_plain_text_stands_for_both():
    assert Text.model_validate({"zh": "图书馆"}).get("en") == "图书馆"
    assert Text.model_validate("library") == Text(zh="library", en="library")


def test_provenance_is_returned_for_each_key():
    target = circle(
        source="plan",
        date="2021",
        grade="secondary",
        settings=["minutes"],
        sources={"require": {"source": "county", "date": "2022-12-28", "grade": "primary"}},
        straight={"urban_m": 1000, "source": "city"},
    )
    assert target.provenance("goal").source == "plan"
    assert target.provenance("minutes").grade == "setting"
    assert target.provenance("require").date == "2022-12-28"
    assert (target.provenance("straight").source, target.provenance("straight").grade) == (
        "city",
        "unverified",
    )
    with pytest.raises(KeyError, match="minuts"):
        target.provenance("minuts")


def test_dates_may_be_toml_dates(tmp_path):
    dated = CULTURE + 'source = "plan"\ndate = 2022-12-28\ngrade = "primary"\n'
    assert loaded(tmp_path, SERVICES + dated).target("culture").date == "2022-12-28"
    assert circle(source="plan", date=2021).date == "2021"


def test_models_are_frozen_and_name_what_they_have(tmp_path):
    standard = loaded(tmp_path, SERVICES + CULTURE)
    with pytest.raises(ValidationError, match="frozen"):
        standard.target("culture").goal = 1.0
    with pytest.raises(KeyError, match="it has culture"):
        standard.target("cultur")
    with pytest.raises(KeyError, match="it has library, gym"):
        standard.service("pool")


def test_models_made_in_python_obey_the_same_rules():
    service = Service.model_validate({"id": "library", "class": "mandatory"})
    with pytest.raises(ValidationError, match="no class or service of this name"):
        Standard.model_validate({"id": "mine", "service": [service], "target": [circle(require={"pool": 1})]})
    with pytest.raises(ValidationError, match="more than a share can be"):
        circle(goal=90)
    whole = Standard.model_validate({"id": "mine", "service": [service], "target": [circle()]})
    assert whole.venues(whole.target("culture")) == {"library": {"library"}}


def test_unit_of_a_capacity_names_its_base():
    beds = {"id": "beds", "require": {"ward": 1}}
    assert CapacityTarget.model_validate(beds).unit == "per 1000"
    assert CapacityTarget.model_validate({**beds, "per": 10000}).unit == "per 10000"


@pytest.mark.parametrize("name", PROFILES)
def test_every_known_travel_profile_is_accepted(name):
    assert circle(profile=name).profile == name


# Faults

PRESENCE = '[[target]]\nid = "one"\nkind = "presence"\nrequire = { library = 1 }\nunit = "village"\n'
CAPACITY = '[[target]]\nid = "one"\nkind = "capacity"\nrequire = { library = 1 }\n'
INDICATOR = '[[target]]\nid = "one"\nkind = "indicator"\nunit = "share"\n'
CIRCLE = CULTURE.replace("culture", "one")
DUE = "goal = 0.9\ndue = 2025\n"


@pytest.mark.parametrize(
    ("text", "place", "reason", "remedy"),
    [
        ('titel = "x"\n', "key 'titel'", "unknown key", "title|target|use one of"),
        ("[[targets]]\n", "key 'targets'", "unknown key", "did you mean 'target'"),
        (CIRCLE + "minuts = 3\n", "target[1] 'one'.minuts", "unknown key", "did you mean 'minutes'"),
        (PRESENCE + "minutes = 3\n", "target[1] 'one'.minutes", "unknown key", "use one of|did you mean"),
        (
            CIRCLE + "straight = { urban_m = 5, rural = 3 }\n",
            "target[1] 'one'.straight.rural",
            "unknown key",
            "'rural_m'",
        ),
        (
            CIRCLE.replace("mandatory", "mandatry"),
            "target[1] 'one'.require.mandatry",
            "no class",
            "'mandatory'",
        ),
        (PRESENCE.replace("library", "pool"), "target[1] 'one'.require.pool", "no class", "mandatory"),
        (
            CIRCLE.replace("= 2 }", "= 0 }"),
            "target[1] 'one'.require.public_benefit",
            "greater than or",
            "1 or more",
        ),
        (
            CIRCLE.replace("= 2 }", "= 1.5 }"),
            "target[1] 'one'.require.public_benefit",
            "whole number",
            "whole number",
        ),
        (CIRCLE.replace("minutes = 15", ""), "target[1] 'one'.minutes", "missing key", "add minutes"),
        (
            CIRCLE.replace("minutes = 15", "minutes = 0"),
            "target[1] 'one'.minutes",
            "greater than 0",
            "more than 0",
        ),
        (
            '[[target]]\nid = "a"\nkind = "circle"\nminutes = 5\n',
            "target[1] 'a'.require",
            "missing key",
            "add",
        ),
        (CIRCLE + "goal = 90\n", "target[1] 'one'.goal", "share", r"90 % is 0\.9"),
        (PRESENCE + "goal = -0.1\n", "target[1] 'one'.goal", "less than 0", "0 or more"),
        (CAPACITY + "goal = -1\n", "target[1] 'one'.goal", "less than 0", "0 or more"),
        (INDICATOR + "goal = 1.5\n", "target[1] 'one'.goal", "share", "from 0 to 1"),
        (CIRCLE + 'goal = "0.9"\n', "target[1] 'one'.goal", "number", "give a number"),
        (CIRCLE + "goal = nan\n", "target[1] 'one'.goal", "finite", "finite"),
        (CIRCLE + "tolerance = -0.1\n", "target[1] 'one'.tolerance", "less than 0", "0 or more"),
        (CIRCLE + "due = 20255\n", "target[1] 'one'.due", "less than or equal", "2100 or less"),
        (
            CIRCLE + DUE + "milestones = { 2025 = 0.8 }\n",
            "target[1] 'one'.milestones.2025",
            "not before",
            "before",
        ),
        (
            CIRCLE + DUE + "baseline = { 2026 = 0.8 }\n",
            "target[1] 'one'.baseline.2026",
            "not before",
            "before",
        ),
        (
            CIRCLE + DUE + "baseline = { 2022 = 0.1 }\nmilestones = { 2022 = 0.2 }\n",
            "target[1] 'one'.milestones.2022",
            "not after the baseline",
            "later years",
        ),
        (
            CIRCLE + DUE + "milestones = { 2022 = 0.5, 2023 = 0.4 }\n",
            "target[1] 'one'.milestones.2023",
            "below that of 2022",
            "nearer to the goal",
        ),
        (
            CIRCLE + DUE + "milestones = { 2022 = 0.95 }\n",
            "target[1] 'one'.milestones.2022",
            "further",
            "between",
        ),
        (
            CIRCLE + "goal = 1\nmilestones = { 2022 = 0.9 }\n",
            "target[1] 'one'.milestones",
            "without a due",
            "due =",
        ),
        (
            CIRCLE + DUE + "baseline = { 20x = 0.1 }\n",
            "target[1] 'one'.baseline.20x",
            "whole number",
            "whole number",
        ),
        (CIRCLE + 'profile = "wlak"\n', "target[1] 'one'.profile", "words allowed", "did you mean 'walk'"),
        (CIRCLE + 'area = "town"\n', "target[1] 'one'.area", "words allowed", "all, urban, rural"),
        (CIRCLE + 'open_at = "Saturday"\n', "target[1] 'one'.open_at", "form", "Sat 10:00"),
        (CIRCLE + 'open_at = "Sat 24:00"\n', "target[1] 'one'.open_at", "form", "Sat 10:00"),
        (CIRCLE + 'grade = "first"\n', "target[1] 'one'.grade", "words allowed", "primary, secondary"),
        (CIRCLE + 'grade = "primary"\n', "target[1] 'one'.source", "without a source", "setting"),
        (CIRCLE + 'date = "May 2021"\n', "target[1] 'one'.date", "form", "2022-12-28"),
        (CIRCLE + 'settings = ["minuts"]\n', "target[1] 'one'.settings[1]", "no such key", "'minutes'"),
        (
            CIRCLE + 'sources.minuts = { source = "x" }\n',
            "target[1] 'one'.sources.minuts",
            "no such key",
            "'minutes'",
        ),
        (
            CIRCLE + 'settings = ["minutes"]\nsources.minutes = { source = "x" }\n',
            "target[1] 'one'.sources.minutes",
            "both a setting and sourced",
            "not in both",
        ),
        (
            CIRCLE + "straight = { urban_m = 0 }\n",
            "target[1] 'one'.straight.urban_m",
            "greater than 0",
            "more than 0",
        ),
        (
            CIRCLE + 'straight = { centre = "free" }\n',
            "target[1] 'one'.straight.urban_m",
            "missing key",
            "add",
        ),
        (PRESENCE.replace('unit = "village"', ""), "target[1] 'one'.unit", "missing key", "add unit"),
        (PRESENCE.replace("village", "vilage"), "target[1] 'one'.unit", "words allowed", "'village'"),
        (CAPACITY + "per = 0\n", "target[1] 'one'.per", "greater than 0", "more than 0"),
        (INDICATOR + 'direction = "dwn"\n', "target[1] 'one'.direction", "words allowed", "'down'"),
        ('[[target]]\nid = "one"\nkind = "circel"\n', "target[1] 'one'.kind", "unknown kind", "'circle'"),
        ('[[target]]\nid = "one"\n', "target[1] 'one'.kind", "missing key", "circle, presence"),
        (CIRCLE.replace('"one"', '"One"'), "target[1] 'One'.id", "form", "small letters"),
        (CIRCLE + PRESENCE, "target[2] 'one'.id", r"target\[1\] again", "own id"),
        ('[[service]]\nid = "gym"\n', "service[3] 'gym'.id", r"service\[2\] again", "own id"),
        (
            '[[service]]\nid = "a"\nclass = "gym"\n',
            "service[3] 'a'.class",
            "named as a service",
            "another name",
        ),
        (
            '[[service]]\nid = "a"\nalso = ["gym"]\n',
            "service[3] 'a'.also[1]",
            "named as a service",
            "another name",
        ),
        ('[[service]]\nid = "a"\nclas = "x"\n', "service[3] 'a'.clas", "unknown key", "'class'"),
        ('[[service]]\nid = "a"\ntier = "city"\n', "service[3] 'a'.tier", "words allowed", "county"),
        ("[target]\n", "key 'target'", "list", r"\[ \.\.\. \]"),
    ],
)
def test_fault_is_reported_with_place_and_remedy(tmp_path, text, place, reason, remedy):
    whole = text + SERVICES if text.startswith(("titel", "[[targets")) else SERVICES + text
    faults = faults_in(tmp_path, whole)
    assert list(faults) == [place]
    fault = faults[place]
    assert fault.file == "profile.toml"
    assert re.search(reason, fault.reason)
    assert re.search(remedy, fault.remedy)


def test_service_may_be_a_class_of_its_own(tmp_path):
    standard = loaded(tmp_path, SERVICES + '[[service]]\nid = "pool"\nclass = "pool"\n')
    assert standard.service("pool").classes == {"pool"}


def test_all_faults_are_reported_at_once(tmp_path):
    faults = faults_in(
        tmp_path,
        SERVICES
        + """
        [[service]]
        id = "library"
        tier = "city"
        [[target]]
        id = "culture"
        kind = "circle"
        require = { mandatry = 1, gym = 0 }
        minutes = 0
        goal = 90
        due = 2025
        milestones = { 2026 = 0.5 }
        open_at = "noon"
        [[target]]
        id = "culture"
        kind = "presence"
        """,
    )
    assert set(faults) == {
        "service[3] 'library'.id",
        "service[3] 'library'.tier",
        "target[1] 'culture'.require.mandatry",
        "target[1] 'culture'.require.gym",
        "target[1] 'culture'.minutes",
        "target[1] 'culture'.goal",
        "target[1] 'culture'.milestones.2026",
        "target[1] 'culture'.open_at",
        "target[2] 'culture'.id",
        "target[2] 'culture'.require",
        "target[2] 'culture'.unit",
    }
    assert faults["target[1] 'culture'.goal"].value == "90"


def test_two_faults_of_one_key_are_both_reported(tmp_path):
    text = SERVICES + CIRCLE + DUE + "milestones = { 2022 = 0.5, 2026 = 0.4 }\n"
    with pytest.raises(UnusableInputError) as caught:
        loaded(tmp_path, text)
    assert [fault.place for fault in caught.value.faults] == ["target[1] 'one'.milestones.2026"] * 2


def test_broken_toml_names_its_line(tmp_path):
    (fault,) = faults_in(tmp_path, 'id = "x"\nname = {\n').values()
    assert (fault.file, fault.place, fault.value) == ("profile.toml", "line 2, column 9", "name = {")
    assert fault.reason.startswith("broken TOML")
    (fault,) = faults_in(tmp_path, 'id = "x"\nid = """x').values()
    assert fault.place == "line 2"


def test_text_that_is_not_utf8_names_its_line(tmp_path):
    path = tmp_path / "profile.toml"
    path.write_bytes('id = "x"\n# 图书馆\n'.encode("gb18030"))
    with pytest.raises(UnusableInputError, match=r"line 2: not UTF-8 text.*save the file as UTF-8"):
        load_standard(path)


def test_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "profile.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SERVICES.encode())
    assert len(load_standard(path).services) == 2


@pytest.mark.parametrize("name", shipped_standards())
def test_every_class_a_shipped_standard_asks_for_has_a_name(name):
    """Reports print the rule: a class without a name would stand there as its code."""
    standard = load_standard(name)
    asked = {one for target in standard.targets for one in getattr(target, "require", {})}
    classes = asked - {service.id for service in standard.services}
    known = tomllib.loads((ROOT / "coverage/lifecircle/wording.toml").read_text("utf-8"))
    assert classes <= set(known["class"])
    assert classes <= set(known["class_many"])


def test_unknown_standard_names_those_shipped(tmp_path):
    with pytest.raises(UnusableInputError, match=r"did you mean 'haiyan-2025'.*gb50180.*\.toml") as caught:
        load_standard("haiyan", folder=tmp_path)
    assert not isinstance(caught.value, MissingFileError)
    with pytest.raises(MissingFileError, match=r"mine\.toml: no such profile"):
        load_standard("mine.toml", folder=tmp_path)
    with pytest.raises(MissingFileError, match="no such profile"):
        load_standard(tmp_path / "haiyan-2025")


def test_file_goes_before_a_shipped_standard(tmp_path):
    written(tmp_path, SERVICES, "gb50180")
    assert len(load_standard("gb50180", folder=tmp_path).services) == 2
    assert len(load_standard("gb50180", folder=tmp_path / "elsewhere").services) > 2


def test_services_from_another_profile_are_added(tmp_path):
    written(tmp_path, SERVICES, "base.toml")
    text = 'services_from = "base.toml"\n[[service]]\nid = "pool"\n' + CULTURE
    standard = loaded(tmp_path, text)
    assert [service.id for service in standard.services] == ["pool", "library", "gym"]
    assert standard.venues(standard.target("culture"))["mandatory"] == {"library"}


def test_services_from_a_ring_or_a_faulty_profile_are_refused(tmp_path):
    written(tmp_path, 'services_from = "profile.toml"\n', "base.toml")
    with pytest.raises(UnusableInputError, match="break the ring"):
        loaded(tmp_path, 'services_from = "base.toml"\n')
    written(tmp_path, "[[service]]\n", "base.toml")
    with pytest.raises(UnusableInputError, match=r"base\.toml, service\[1\]\.id: missing key"):
        loaded(tmp_path, 'services_from = "base.toml"\n')
    with pytest.raises(UnusableInputError, match=r"key 'services_from'.*text in quotes"):
        loaded(tmp_path, "services_from = 3\n")


class Layer(BaseModel):
    """A model of another room, with a key of two possible types."""

    model_config = ConfigDict(extra="forbid")
    file: str | dict[int, str]


class Document(BaseModel):
    """A document of another room."""

    model_config = ConfigDict(extra="forbid")
    roads: Layer
    facilities: tuple[Layer, ...] = ()


def test_any_model_can_be_read_from_toml(tmp_path):
    path = written(tmp_path, '[roads]\nfile = { 2021 = "a", 2024 = "b" }\n')
    assert read_toml(path, Document).roads.file == {2021: "a", 2024: "b"}
    path = written(tmp_path, '[roads]\nfile = 3\n[[facilities]]\nfile = "x"\nfil = "y"\n[demnd]\n')
    with pytest.raises(UnusableInputError) as caught:
        read_toml(path, Document)
    assert [(fault.place, fault.remedy) for fault in caught.value.faults] == [
        ("roads.file", 'write text in quotes: "..."'),
        ("facilities[1].fil", "did you mean 'file'?"),
        ("key 'demnd'", "use one of facilities, roads"),
    ]
    with pytest.raises(MissingFileError, match="no such file"):
        read_toml(tmp_path / "none.toml", Document)


def test_target_read_back_names_its_faults():
    with pytest.raises(UnusableInputError, match=r"summary.json, key 'minuts': unknown key.*'minutes'"):
        read_target({"id": "a", "kind": "circle", "minuts": 1, "require": {"x": 1}}, file="summary.json")
    with pytest.raises(UnusableInputError, match=r"key 'kind': unknown kind \(found: circel\).*'circle'"):
        read_target({"id": "a", "kind": "circel"})


# What ships


@pytest.fixture(scope="module")
def haiyan():
    return load_standard("haiyan-2025")


def test_shipped_standards_load_under_their_own_ids():
    assert shipped_standards() == ("gb50180", "haiyan-2025", "haiyan-2026-2030")
    assert [load_standard(name).id for name in shipped_standards()] == list(shipped_standards())
    assert load_standard("GB50180") == load_standard("gb50180")


@pytest.mark.parametrize("name", shipped_standards())
def test_shipped_targets_are_sourced_dated_graded_and_countable(name):
    standard = load_standard(name)
    for target in standard.targets:
        assert target.source, target.id
        assert target.date[:4].isdigit(), target.id
        assert target.grade in {"primary", "secondary"}, target.id
        assert target.denominator, target.id
        assert target.department, target.id
        assert target.name.zh != target.name.en, target.id
        assert all(standard.venues(target).values()), target.id
        for field in type(target).model_fields:
            assert target.provenance(field).grade


@pytest.mark.parametrize("name", shipped_standards())
def test_shipped_targets_survive_json(name):
    for target in load_standard(name).targets:
        plain = target.model_dump(mode="json", by_alias=True, exclude_none=True)
        assert read_target(json.loads(json.dumps(plain))) == target


@pytest.mark.parametrize("name", shipped_standards())
def test_shipped_services_are_named_and_placed(name):
    for service in load_standard(name).services:
        assert service.name.zh != service.name.en
        assert service.classes
        assert service.tier
        assert service.department


def test_haiyan_has_the_circles_and_their_twins(haiyan):
    circles = [target.id for target in haiyan.targets if target.kind == "circle"]
    assert circles == [
        "culture",
        "civic",
        "fitness",
        "fitness_rural",
        "nursery",
        "elder_care",
        "clinic",
        "bus",
    ]
    for name in ("culture", "civic", "fitness", "nursery", "elder_care", "clinic", "bus"):
        assert haiyan.target(f"{name}_presence").kind == "presence"
    assert {target.kind for target in haiyan.targets} == {"circle", "presence", "capacity", "indicator"}


@pytest.mark.parametrize(
    ("target", "kind", "goal"),
    [
        ("culture", "circle", 1.0),
        ("civic", "circle", 1.0),
        ("fitness", "circle", None),
        ("fitness_presence", "presence", None),
        ("fitness_rural", "circle", None),
        ("nursery_places", "capacity", 4.5),
        ("nursery", "circle", 1.0),
        ("kindergarten_inclusive", "indicator", 0.9),
        ("kindergarten_grade_two", "indicator", 0.8),
        ("modern_schools", "indicator", 24),
        ("elder_care_presence", "presence", 1.0),
        ("elder_carers", "capacity", 27),
        ("mental_health_rooms", "presence", 1.0),
        ("chinese_medicine_villages", "presence", 1.0),
        ("clinic", "circle", None),
        ("clinic_visit_rate", "indicator", 0.9),
        ("culture_system_towns", "presence", 1.0),
        ("civic_points", "presence", 1.0),
        ("good_governance_villages", "presence", 0.5),
        ("village_income", "indicator", 1.0),
        ("bus", "circle", None),
        ("equity_gap_urban_rural", "indicator", None),
        ("equity_gap_districts", "indicator", None),
        ("culture_projects", "presence", 1.0),
        ("welfare_projects", "presence", 1.0),
        ("family_doctors", "indicator", 1.0),
        ("check_ups", "indicator", 1.0),
        ("health_literacy", "indicator", 0.4),
        ("mediation_county", "presence", 1.0),
        ("mediation_towns", "presence", 1.0),
        ("civic_index", "presence", 1.0),
    ],
)
def test_haiyan_figures_are_the_plans(haiyan, target, kind, goal):
    found = haiyan.target(target)
    assert (found.kind, found.goal, found.due) == (kind, goal, None if goal is None else 2025)
    assert (found.baseline, found.milestones) == ({}, {})


def test_haiyan_culture_rule_and_its_sources(haiyan):
    culture = haiyan.target("culture")
    assert (culture.require, culture.minutes) == ({"mandatory": 1, "public_benefit": 2}, 15)
    assert (culture.straight.urban_m, culture.straight.rural_m, culture.straight.centre) == (
        1000,
        1500,
        "committee",
    )
    assert culture.provenance("straight").grade == culture.provenance("require").grade == "primary"
    assert culture.provenance("goal").grade == "secondary"
    assert culture.provenance("open_at").grade == "setting"
    venues = haiyan.venues(culture)
    assert venues["mandatory"] == {
        "library", "culture_centre", "museum", "town_culture_station", "culture_hall", "city_reading_room",
        "culture_post",
    }  # fmt: skip
    assert venues["public_benefit"] >= {"elderly_activity_centre", "sports_park", "small_gym"}
    assert haiyan.venues(haiyan.target("fitness"))["fitness_venue"] >= {
        "sports_park",
        "small_gym",
        "fitness_site",
    }


def test_haiyan_groups_areas_and_settings(haiyan):
    nursery, aged, fitness = (haiyan.target(name) for name in ("nursery", "elder_care", "fitness"))
    assert (nursery.group, nursery.area, nursery.minutes) == ("under3", "urban", 15)
    assert nursery.provenance("minutes").grade == "primary"
    assert (aged.group, aged.profile, aged.provenance("minutes").grade) == ("over60", "walk", "setting")
    assert (fitness.area, fitness.minutes, haiyan.target("fitness_rural").area) == ("urban", 10, "rural")
    assert haiyan.target("nursery_places").group == "all"
    assert (haiyan.target("elder_carers").per, haiyan.target("elder_carers").group) == (10000, "over60")
    assert [haiyan.target(name).provenance("minutes").grade for name in ("clinic", "bus")] == ["setting"] * 2


def test_next_plan_has_the_same_services_and_no_target(haiyan):
    coming = load_standard("haiyan-2026-2030")
    assert coming.targets == ()
    assert coming.services == haiyan.services
    assert coming.notes is not None
    assert "not yet published" in coming.notes.get("en")


def test_gb50180_tiers_are_not_cumulative():
    standard = load_standard("gb50180")
    seen: set[str] = set()
    for minutes, radius, grade in ((15, 1000, "secondary"), (10, 500, "primary"), (5, 300, "secondary")):
        tier = [target for target in standard.targets if target.minutes == minutes]
        services = set().union(*(names for target in tier for names in standard.venues(target).values()))
        assert services
        assert not services & seen
        seen |= services
        assert {(target.straight.urban_m, target.straight.rural_m) for target in tier} == {(radius, radius)}
        assert {target.grade for target in tier} == {grade}
        assert {target.provenance("straight").grade for target in tier} == {grade}
        assert {target.provenance("require").grade for target in tier} == {"setting"}
        assert {target.goal for target in tier} == {None}
    assert seen == {service.id for service in standard.services}


# The verdict


@pytest.mark.parametrize(
    ("year", "value", "status"),
    [
        (2024, 0.9, "on_track"),
        (2024, 0.8999, "reported"),  # no baseline: nothing says how far it should be
        (2025, 0.9, "met"),
        (2025, 0.8999999, "missed"),
        (2026, 0.95, "met"),
        (2026, 0.2, "missed"),
        (2025, None, "not_assessable"),
        (2025, float("nan"), "not_assessable"),
    ],
)
def test_verdict_before_of_and_after_the_due_year(year, value, status):
    assert verdict(circle(), year, value) == status


def test_rate_below_its_goal_never_meets_it():
    assert verdict(circle(goal=1.0), 2025, 0.99996) == "missed"
    assert verdict(circle(goal=1.0), 2025, 1.0) == "met"


def test_without_goal_or_due_year():
    assert verdict(circle(goal=None), 2025, 0.1) == "reported"
    assert (milestone(circle(goal=None), 2025), threshold(circle(goal=None), 2025)) == (None, None)
    assert verdict(circle(due=None), 2019, 0.9) == "met"
    assert verdict(circle(due=None), 2019, 0.8) == "missed"


def test_tolerance_lowers_the_bar_by_exactly_itself():
    target = circle(goal=0.3, tolerance=0.1)
    assert threshold(target, 2025) == 0.2
    assert milestone(target, 2025) == 0.3
    assert verdict(target, 2025, 0.2) == "met"
    assert verdict(target, 2025, 0.1999999) == "missed"
    assert verdict(target, 2024, 0.2) == "on_track"


def test_milestones_given_between_and_before():
    target = circle(goal=1.0, baseline={2020: 0.5}, milestones={2023: 0.8})
    expected = {2018: 0.5, 2020: 0.5, 2021: 0.6, 2022: 0.7, 2023: 0.8, 2024: 0.9, 2025: 1.0, 2030: 1.0}
    assert {year: milestone(target, year) for year in expected} == expected


def test_milestone_from_the_baseline_alone_or_from_milestones_alone():
    linear = circle(goal=1.0, baseline={2020: 0.6})
    assert [milestone(linear, year) for year in (2021, 2022, 2023, 2024)] == [0.68, 0.76, 0.84, 0.92]
    assert verdict(linear, 2023, 0.84) == "on_track"
    assert verdict(linear, 2023, 0.8399999999) == "behind"
    later = circle(goal=1.0, milestones={2023: 0.8})
    assert [milestone(later, year) for year in (2021, 2023, 2024)] == [0.8, 0.8, 0.9]
    assert [verdict(later, 2022, value) for value in (0.7, 0.8)] == ["reported", "on_track"]
    assert [verdict(later, 2023, value) for value in (0.7, 0.8)] == ["behind", "on_track"]
    assert milestone(circle(goal=0.9), 2021) is None
    assert threshold(circle(goal=0.9), 2021) == 0.9


def test_indicator_may_have_to_fall():
    gap = indicator(baseline={2021: 9}, milestones={2023: 7}, tolerance=0.5)
    assert [milestone(gap, year) for year in (2021, 2022, 2023, 2024, 2025)] == [9, 8, 7, 6, 5]
    assert threshold(gap, 2025) == 5.5
    assert [verdict(gap, 2025, value) for value in (5.5, 5.6)] == ["met", "missed"]
    assert [verdict(gap, 2023, value) for value in (7.5, 7.6)] == ["on_track", "behind"]
    with pytest.raises(ValidationError, match="above that of 2022"):
        indicator(milestones={2022: 7, 2023: 8})


@given(
    baseline=st.floats(0, 1),
    goal=st.floats(0, 1),
    year=st.integers(2015, 2030),
    values=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_milestone_lies_on_the_way_and_more_is_never_worse(baseline, goal, year, values):
    target = circle(goal=goal, baseline={2020: baseline})
    turn = milestone(target, year)
    assert turn is not None
    assert min(baseline, goal) <= turn <= max(baseline, goal)
    good = [verdict(target, year, value) in {"met", "on_track"} for value in sorted(values)]
    assert good[1] >= good[0]


@pytest.mark.parametrize(
    ("due", "wrong", "status"),
    [
        (None, [False, False], "met"),
        (None, [False, True], "missed"),
        (None, [None, True], "missed"),
        (None, [None, False], "not_assessable"),
        (None, [], "not_assessable"),
        (2025, [False], "met"),
        (2026, [False], "on_track"),
        (2026, [True], "behind"),
    ],
)
def test_a_trend_is_judged_by_what_moved(due, wrong, status):
    target = IndicatorTarget.model_validate({"id": "gap", "unit": "ratio", "trend": "shrinking", "due": due})
    assert target.direction == "down"
    assert trend_verdict(target, 2025, wrong) == status
    assert verdict(target, 2025, 0.3) == "reported"


# Keys of single kinds


PRESENCE = {"kind": "presence", "id": "p", "require": {"hall": 1}, "unit": "village"}
INDICATOR = {"kind": "indicator", "id": "i", "unit": "share"}


@pytest.mark.parametrize(
    ("target", "key", "reason"),
    [
        ({**PRESENCE, "unit": "town"}, "unit", "not one of the words allowed"),
        ({**PRESENCE, "tier": "hamlet"}, "tier", ""),
        ({**PRESENCE, "assign": "place"}, "assign", ""),
        ({**PRESENCE, "outlets": ["shop"]}, "outlets", "means nothing for unit 'village'"),
        ({**PRESENCE, "within_m": 20}, "within_m", "means nothing for unit 'village'"),
        ({**PRESENCE, "unit": "district", "committee": "village"}, "committee", "means nothing for unit"),
        ({**PRESENCE, "unit": "outlet", "within_m": -1}, "within_m", ""),
        ({**PRESENCE, "committee": ["village"]}, "committee", ""),
        ({**INDICATOR, "each": {"a": 1}, "computed": {"gap": "districts"}}, "computed", "both computed"),
        ({**INDICATOR, "unit": "yuan", "each": {"a": 1}}, "unit", "a rule for every village gives a share"),
        ({**INDICATOR, "each_unit": "yuan"}, "each_unit", "a unit of no rule"),
        ({**INDICATOR, "trend": "shrinking", "goal": 0.1}, "trend", "both a goal and a trend"),
        ({**INDICATOR, "trend": "shrinking", "direction": "up"}, "direction", "a figure that has to shrink"),
        ({**INDICATOR, "trend": "growing"}, "trend", ""),
        (
            {**INDICATOR, "computed": {"gap": "urban_rural", "measure": "gini"}},
            "computed.measure",
            "districts",
        ),
        ({**INDICATOR, "computed": {"gap": "towns"}}, "computed.gap", ""),
        ({**INDICATOR, "by": "hamlet"}, "by", ""),
    ],
)
def test_keys_that_do_not_go_together_are_reported_at_their_key(target, key, reason):
    with pytest.raises(UnusableInputError) as caught:
        read_target(target)
    faults = {fault.place.removeprefix("key ").strip("'"): fault for fault in caught.value.faults}
    assert key in faults, faults
    assert faults[key].remedy
    if reason and key != "unit":
        assert reason in faults[key].reason


def test_a_target_written_out_in_full_reads_back():
    for target in (PRESENCE, {**PRESENCE, "unit": "district"}, {**PRESENCE, "unit": "outlet"}, INDICATOR):
        made = read_target(target)
        assert read_target(made.model_dump(mode="json", by_alias=True)) == made


def test_a_tier_chooses_among_the_services_of_a_class(tmp_path):
    services = """
    [[service]]
    id = "hospital"
    class = "medicine"
    tier = "county"
    [[service]]
    id = "room"
    class = "medicine"
    tier = "town"
    """
    rule = """
    [[target]]
    id = "towns"
    kind = "presence"
    unit = "district"
    require = { medicine = 1 }
    """
    standard = loaded(tmp_path, services + rule + 'tier = "town"')
    assert standard.venues(standard.target("towns")) == {"medicine": {"room"}}
    (fault,) = faults_in(tmp_path, services + rule + 'tier = "village"').values()
    assert (fault.reason, fault.place) == (
        "no service of tier 'village'",
        "target[1] 'towns'.require.medicine",
    )
    assert "county, town" in fault.remedy


def test_a_gap_is_counted_of_circles_that_are_there(tmp_path):
    gap = """
    [[target]]
    id = "gap"
    kind = "indicator"
    unit = "share"
    trend = "shrinking"
    computed = { gap = "urban_rural", circles = ["cultur"] }
    """
    (fault,) = faults_in(tmp_path, SERVICES + CULTURE + gap).values()
    assert (fault.reason, fault.remedy) == ("no circle of this id", "did you mean 'culture'?")
    standard = loaded(tmp_path, SERVICES + CULTURE + gap.replace("cultur", "culture"))
    assert standard.target("gap").computed.measure == "difference"


def test_haiyan_has_what_a_verdict_of_every_kind_needs(haiyan):
    income, points = haiyan.target("village_income"), haiyan.target("civic_points")
    assert (income.each, income.each_unit, income.committee) == (
        {"recurrent": 200, "operating": 80}, "万元", "village",
    )  # fmt: skip
    assert (points.unit, points.outlets, points.within_m) == ("outlet", ("service_window",), 50)
    gaps = [target for target in haiyan.targets if target.id.startswith("equity_gap")]
    assert [target.trend for target in gaps] == ["shrinking"] * 3
    assert [target.computed and target.computed.gap for target in gaps] == ["urban_rural", "districts", None]
    for target in haiyan.targets:
        if target.kind == "indicator":
            assert target.goal is not None or target.trend


# The documentation


@pytest.fixture(scope="module")
def page():
    return (Path(__file__).parents[1] / "docs" / "standards.md").read_text(encoding="utf-8")


def test_documented_example_loads(tmp_path, page):
    example = next(block for block in page.split("```toml\n")[1:] if "[[target]]" in block).split("```")[0]
    standard = loaded(tmp_path, example)
    assert standard.id == "mine"
    assert standard.venues(standard.target("culture"))["mandatory"] >= {"reading_corner", "library"}


def test_documentation_knows_every_key(page):
    models = (Service, CircleTarget, PresenceTarget, CapacityTarget, IndicatorTarget)
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert {key for key in keys if not re.search(rf"`{key}`|^{key} = ", page, re.MULTILINE)} == set()


@pytest.mark.parametrize("name", shipped_standards())
def test_documentation_lists_what_ships_with_its_grade(name, page):
    assert f"### {name}\n" in page
    section = page.split(f"### {name}\n")[1].split("\n### ")[0]
    for target in load_standard(name).targets:
        (row,) = [line for line in section.splitlines() if f"`{target.id}`" in line]
        assert f"| {target.grade} |" in row


@pytest.mark.parametrize(
    "keys",
    [
        "goal = 1\ndue = 2030\nbaseline = { 2020 = 1" + "0" * 400 + " }\n",
        "goal = 1\ndue = 2030\nmilestones = { " + "2" * 5000 + " = 0.5 }\n",
        f"goal = 1{'0' * 400}\ndue = 2030\n",
        "goal = 0.9\ndue = 2030\nmilestones = { 2025 = 1e308 }\n",
    ],
)
def test_numbers_that_no_float_and_no_year_holds_are_faults(tmp_path, keys):
    (tmp_path / "mine.toml").write_text(CIRCLE + keys, "utf-8")
    with pytest.raises(UnusableInputError, match=r"mine\.toml"):
        load_standard(tmp_path / "mine.toml")


def test_an_id_that_is_a_list_hides_no_other_fault(tmp_path):
    text = 'id = "x"\n[[service]]\nid = ["a"]\nclass = "c"\n'
    text += '[[target]]\nid = "t"\nkind = "circle"\nminutes = -1\n'
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    with pytest.raises(UnusableInputError, match=r"(?s)service\[1\].*minutes"):
        load_standard(tmp_path / "mine.toml")
