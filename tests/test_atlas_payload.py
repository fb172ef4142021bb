"""The data in the page: a container that reads back, times on their side of a limit, whole-number roads."""

from __future__ import annotations

import dataclasses
import json
import struct

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import atlas_roads
import atlas_town
from atlas_asking import ask
from lifecircle.atlas import draw_atlas
from lifecircle.errors import LifecircleError, UnusableInputError
from lifecircle.limits import within_limit
from lifecircle.page_data import STATUS_CODES, PayloadError, encoded, page_payload, read_payload
from lifecircle.page_data._answers import STEP_S, steps_of
from lifecircle.page_data._packed_columns import SectionWriter, compressed, raw_bytes, unpack
from lifecircle.page_data._page_roads import (
    CLOSED,
    keep_network,
    line_vertices,
    network_of,
    places_of,
    projected,
    read_network,
)
from lifecircle.page_data._times import find_times, graph_of
from lifecircle.publication import MapSetting
from lifecircle.reach import nearest_seconds, snap
from lifecircle.wording import Words

NUMBERS = st.lists(st.integers(-(2**30) + 1, 2**30 - 1), max_size=90)


# ---------------------------------------------------------------------------------------------------------
# The container


@given(st.lists(NUMBERS, max_size=5), st.data())
@settings(deadline=None, max_examples=80)
def test_columns_read_back(columns, data):
    writer, names = SectionWriter(), []
    for number, column in enumerate(columns):
        since = data.draw(st.sampled_from([None, *names])) if names else None
        names.append(writer.keep(f"column {number}", np.array(column, dtype=np.int64), since=since))
    page, read = unpack(writer.packed({"name": "海盐", "none": None}))
    assert page == {"name": "海盐", "none": None}
    for column, name in zip(columns, names, strict=True):
        assert read[name].tolist() == column
    assert len(read) == len({tuple(column) for column in columns})


def test_encodings_are_chosen_for_what_they_save():
    rng = np.random.default_rng(1)
    writer = SectionWriter()
    walk = np.cumsum(rng.integers(-9, 10, 3000)) + 10**6
    writer.keep("walk", walk)
    writer.keep("noise", rng.integers(0, 200, 3000))
    writer.keep("again", walk + (np.arange(3000) % 500 == 7), since="walk")
    writer.keep("signs", rng.integers(-50, 50, 3000))
    told = {name: (section.encoding, section.width) for name, section in writer.sections.items()}
    assert told == {
        "walk": ("delta", 3),
        "noise": ("plain", 1),
        "again": ("since", 1),
        "signs": ("zigzag", 1),
    }


def test_a_column_is_kept_once_and_under_one_name():
    writer = SectionWriter()
    assert writer.keep("a", [1, 2, 3]) == "a"
    assert writer.keep("b", np.array([1, 2, 3], dtype=np.uint8)) == "a"
    assert writer.listed(["x"]) == writer.listed(["x"]) == 0
    with pytest.raises(ValueError, match="two sections are named 'a'"):
        writer.keep("a", [4])
    with pytest.raises(ValueError, match="'large' holds a number of 1073741824"):
        writer.keep("large", [2**30])
    read = unpack(writer.packed({}))[1]
    assert list(read) == ["a"]
    with pytest.raises(ValueError, match="read-only"):
        read["a"][0] = 5


def test_the_container_is_found_in_pages_files_and_bytes(tmp_path):
    writer = SectionWriter()
    writer.keep("a", [5])
    raw = writer.packed({"x": 1})
    page = f'<p></p><script type="application/octet-stream" id="lifecircle-data">{encoded(raw)}</script>'
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    for given_ in (raw, compressed(raw), page, page.encode(), path):
        assert raw_bytes(given_) == raw
    assert compressed(raw)[4:8] == b"\0\0\0\0"  # no clock
    assert compressed(raw) == compressed(bytes(raw))


def with_version(raw: bytes, version: int) -> bytes:
    return raw[:4] + struct.pack("<H", version) + raw[6:]


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda raw: b"PK" + raw, "no script element"),
        (lambda raw: raw[:6], "do not begin with LCAT"),
        (lambda raw: with_version(raw, 2), "of version 2, this version reads 1: upgrade"),
        (lambda raw: raw[:40], "cut off in the header"),
        (lambda raw: raw[:-1], "cut off in a section"),
        (lambda raw: compressed(raw)[:-3], "are damaged"),
        (lambda _: "<p>no map</p>", "no script element with the id 'lifecircle-data'"),
        (lambda raw: f'<script id="lifecircle-data">*{encoded(raw)}</script>', "are damaged"),
    ],
)
def test_other_bytes_are_refused(damage, match):
    writer = SectionWriter()
    writer.keep("a", np.arange(100))
    with pytest.raises(PayloadError, match=match) as caught:
        read_payload(damage(writer.packed({"x": 1})))
    assert isinstance(caught.value, LifecircleError)
    assert isinstance(caught.value, ValueError)


# ---------------------------------------------------------------------------------------------------------
# Times


@given(
    st.lists(st.one_of(st.floats(0, 5000), st.floats(899.9, 900.1), st.just(np.nan)), max_size=40),
    st.one_of(st.just(900.0), st.floats(1, 4000)),
)
@settings(deadline=None, max_examples=200)
def test_steps_are_near_and_on_their_side_of_the_limit(seconds, limit):
    times = np.array(seconds, dtype=float)
    steps = steps_of(times, limit)
    known = np.isfinite(times)
    assert ((steps >= 0) == known).all()
    assert (np.abs(steps * STEP_S - times)[known] < STEP_S + 1e-6).all()
    assert (within_limit(steps * STEP_S, limit) == within_limit(times, limit))[known].all()


# ---------------------------------------------------------------------------------------------------------
# Roads


@pytest.fixture(scope="module")
def roads():
    return atlas_roads.roads(np.random.default_rng(4), side=14)


def test_roads_read_back(roads):
    network = network_of(roads)
    writer = SectionWriter()
    told = keep_network(network, roads.profile, writer)
    page, columns = unpack(writer.packed({"roads": json.loads(json.dumps(told))}))
    read = read_network(page["roads"], columns)
    for name, value in vars(network).items():
        if isinstance(value, np.ndarray):
            assert (value == getattr(read, name)).all(), name
    assert page["roads"]["legShare"] == 0.25
    assert page["roads"]["capMetres"] == 300.0
    assert page["roads"]["triedEdges"] == 8


def test_roads_are_those_of_the_engine_up_to_rounding(roads):
    network = network_of(roads)
    for whole, seconds in ((network.forward, roads.forward_s), (network.backward, roads.backward_s)):
        assert ((whole == CLOSED) == ~np.isfinite(seconds)).all()
        open_ = np.isfinite(seconds)
        assert np.abs(whole[open_] / 100 - seconds[open_]).max() <= 0.005 + 1e-9
    x, y, sizes = line_vertices(network)
    at = np.column_stack([x, y]) * 0.1 + network.origin
    drawn = shapely.linestrings(at, indices=np.repeat(np.arange(len(sizes)), sizes))
    assert shapely.hausdorff_distance(drawn, roads.lines, densify=0.05).max() <= network.tolerance_m + 0.08


def test_the_flat_projection_is_good_to_centimetres(roads):
    network = network_of(roads)
    rng = np.random.default_rng(2)
    box = gpd.GeoSeries(roads.lines, crs=roads.crs).to_crs(4326).total_bounds
    places = rng.uniform(box[:2] - 0.01, box[2:] + 0.01, (500, 2))
    there = pyproj.Transformer.from_crs("EPSG:4326", roads.crs, always_xy=True)
    exact = np.column_stack(there.transform(*places.T)) - network.origin
    flat = projected(network.to_metres, places)
    assert np.hypot(*(flat - exact).T).max() < 0.01
    assert network.to_metres["error_m"] < 0.01
    assert np.abs(projected(network.to_degrees, flat) - places).max() < 2e-7


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_pages_search_finds_what_the_engine_does(seed, k):
    findings, network = atlas_roads.study(seed, homes=300)
    whole = network_of(network)
    homes, venues = snap(network, findings.demand), snap(network, findings.facilities)
    member = np.flatnonzero(findings.facilities["service"].isin(["library", "hall"]))
    found = find_times(
        whole,
        graph_of(whole),
        homes=places_of(whole, network, homes),
        venues=places_of(whole, network, venues),
        member=member,
        k=k,
    )
    seconds, position = nearest_seconds(network, homes, venues.take(member), k=len(member), limit_min=10_000)
    known = np.isfinite(seconds[:, :k])
    assert (np.isfinite(found.hundredths) == known).all()
    assert np.abs(found.hundredths[known] / 100 - seconds[:, :k][known]).max() < 0.15
    every = np.isfinite(seconds)
    for home, row in enumerate(found.venue):  # another venue than the engine's only where both are as near
        assert len(set(row[row >= 0])) == (row >= 0).sum()
        own = dict(zip(member[position[home, every[home]]], seconds[home, every[home]], strict=True))
        for rank in np.flatnonzero(row >= 0):
            assert abs(own[row[rank]] - found.hundredths[home, rank] / 100) < 0.15


# ---------------------------------------------------------------------------------------------------------
# Findings in the page


def earlier(findings, year=2024):
    """Give findings of another year in which some residents differ."""
    return dataclasses.replace(findings, year=year)


@pytest.mark.parametrize("with_roads", [True, False])
@pytest.mark.parametrize("case", ["", "empty", "all", "one"])
def test_payload_equals_the_findings_and_the_page_the_payload(tmp_path, case, with_roads):
    findings, network = atlas_roads.study(3, case=case)
    before, _ = atlas_roads.study(3, case=case, venues=20)
    before = earlier(before)
    raw = page_payload([before, findings], Words("zh"), network if with_roads else None)
    payload = read_payload(raw)
    assert payload.years == [2024, 2025]
    asked = [
        {"kind": "answers", "year": one.year, "target": target}
        for one in (before, findings)
        for target in atlas_roads.TARGETS
    ]
    told = iter(ask(tmp_path, raw, asked))
    for one in (before, findings):
        for target in atlas_roads.TARGETS:
            answers, page = payload.answers(one.year, target), next(told)
            searched = payload.target(one.year, target)["answers"]["factor"]
            assert searched == (1.0 if with_roads else None)
            seconds = one.seconds[target].to_numpy()
            known = np.isfinite(seconds)
            assert (np.isfinite(answers.seconds) == known).all()
            assert (np.abs(answers.seconds - seconds)[known] < STEP_S).all()
            assert [STATUS_CODES[code] for code in answers.bucket] == list(one.status[target])
            limit = 60 * one.result(target).target.minutes
            assert (within_limit(answers.seconds, limit) == (one.status[target] == "covered")).all()
            assert (answers.people == one.people[target]).all()
            assert (answers.nearest == one.facilities.index.get_indexer(one.nearest[target])).all()
            for row in one.result(target).districts:
                mine = (one.demand["district"] == row.code).to_numpy()
                for code, name in enumerate(STATUS_CODES[1:], 1):
                    assert answers.people[mine & (answers.status == code)].sum() == getattr(row.count, name)
            minutes = np.where(answers.steps >= 0, answers.steps / 1200, np.nan)
            assert np.array_equal(np.array(page["minutes"], dtype=float), minutes, equal_nan=True)
            assert page["status"] == answers.status.tolist()
            assert page["bucket"] == answers.bucket.tolist()
            assert page["nearest"] == (answers.nearest + 1).tolist()
            assert page["people"] == (10 * answers.people).tolist()
            assert page["steps"] == [steps.T.tolist() for steps in answers.classes.values()]


def test_a_run_without_times_by_class_keeps_the_rule_s(tmp_path):
    findings, network = atlas_roads.study(5)
    bare = dataclasses.replace(findings, ranks=findings.ranks.iloc[:, :0])
    raw = page_payload([bare], Words("en"), network)
    payload = read_payload(raw)
    assert payload.target(2025, "culture")["answers"]["classes"] == []
    answers = payload.answers(2025, "culture")
    assert np.nanmax(np.abs(answers.seconds - findings.seconds["culture"])) < STEP_S
    told = ask(tmp_path, raw, [{"kind": "answers", "year": 2025, "target": "culture"}])
    assert [one is None for one in told[0]["minutes"]] == np.isnan(answers.seconds).tolist()
    asked = [{"kind": "can", "year": 2025, "target": target} for target in atlas_roads.TARGETS]
    assert ask(tmp_path, raw, asked) == [False, True]


def test_another_speed_of_the_same_ways_is_a_factor(tmp_path):
    findings, network = atlas_roads.study(6)
    brisk = network.at_speed(6.0)
    raw = page_payload([findings], Words("en"), brisk)
    payload = read_payload(raw)
    assert payload.target(2025, "clinic")["answers"]["factor"] == pytest.approx(6.0 / 5.0)
    seconds = findings.seconds["clinic"].to_numpy()
    answers = payload.answers(2025, "clinic")
    assert np.nanmax(np.abs(answers.seconds - seconds)) < STEP_S
    (told,) = ask(tmp_path, raw, [{"kind": "answers", "year": 2025, "target": "clinic"}])
    assert np.array_equal(
        np.array(told["minutes"], dtype=float),
        np.where(answers.steps >= 0, answers.steps / 1200, np.nan),
        equal_nan=True,
    )


def test_roads_without_a_flat_speed_are_lines_only(tmp_path):
    findings, network = atlas_roads.study(1)
    slow = dataclasses.replace(network.profile, access_kmh=2.0)
    raw = page_payload([findings], Words("en"), dataclasses.replace(network, profile=slow))
    payload = read_payload(raw)
    assert payload.page["roads"]["profile"] is None
    assert payload.network is None
    told = ask(tmp_path, raw, [{"kind": "can", "year": 2025, "target": "clinic"}, {"kind": "lines"}])
    assert told[0] is False
    assert sum(told[1]["sizes"]) == len(told[1]["x"]) >= 2 * len(network.lines)


def test_lines_are_drawn_where_the_roads_are(tmp_path):
    findings, network = atlas_roads.study(2)
    (lines,) = ask(tmp_path, page_payload([findings], Words("en"), network), [{"kind": "lines"}])
    lon = (np.array(lines["x"]) - 0.5) * 360
    lat = np.degrees(2 * np.arctan(np.exp((0.5 - np.array(lines["y"])) * 2 * np.pi))) - 90
    drawn = gpd.GeoSeries(gpd.points_from_xy(lon, lat, crs=4326)).to_crs(network.crs).to_numpy()
    edge = np.repeat(np.arange(len(network.lines)), lines["sizes"])
    assert shapely.distance(drawn, network.lines[edge]).max() < 0.15


def test_venues_hold_their_year_of_opening():
    findings, network = atlas_roads.study(2)
    payload = read_payload(page_payload([findings], Words("en"), network))
    told = payload.year(2025)["facilities"]["opened"]
    assert payload.columns[told].tolist() == findings.facilities["opened"].dt.year.tolist()
    unknown = read_payload(page_payload([atlas_town.town()], Words("en")))
    assert not unknown.columns[unknown.year(2025)["facilities"]["opened"]].any()


def test_people_are_whole_parts_of_a_person():
    findings, _ = atlas_roads.study(2)
    payload = read_payload(page_payload([findings], Words("en")))
    assert payload.target(2025, "culture")["answers"]["per"] == 100  # quarters of a person
    whole = read_payload(page_payload([atlas_town.town()], Words("en")))
    assert whole.target(2025, "culture")["answers"]["per"] == 1


def test_a_second_year_costs_little():
    findings, network = atlas_roads.study(2, homes=3000)
    before, _ = atlas_roads.study(2, homes=3000)
    one = len(compressed(page_payload([findings], Words("en"), network)))
    two = len(compressed(page_payload([earlier(before), findings], Words("en"), network)))
    assert two < 1.35 * one


def test_what_the_page_does_not_have_is_named():
    payload = read_payload(page_payload([atlas_town.town()], Words("en")))
    with pytest.raises(KeyError, match="no year 1999; it has 2025"):
        payload.year(1999)
    with pytest.raises(KeyError, match="no target 'x'; it has culture, clinic"):
        payload.answers(2025, "x")
    assert payload.answers(2025, "literacy") is None


# ---------------------------------------------------------------------------------------------------------
# Plans

PLAN = {
    "target": "clinic",
    "year": 2025,
    "objective": "max_cover",
    "status": "optimal",
    "service": "clinic",
    "sites": [{"lon": 120.9, "lat": 30.5, "people": 12.0}, {"lon": 120.91, "lat": 30.51, "name": "乙"}],
    "value": 120.0,
    "bound": 120.0,
    "gap": 0.0,
    "curve": [(1, 80.0), (2, 120.0)],
}


def test_plans_labels_and_margin_stand_in_the_page(tmp_path):
    labels = gpd.GeoDataFrame(
        {"name": ["杭州湾"], "kind": ["water"]}, geometry=gpd.points_from_xy([121.0], [30.3]), crs="EPSG:4326"
    )
    setting = MapSetting(labels=labels, data_date="2025-10-31")
    path = tmp_path / "page.html"
    page = draw_atlas([atlas_town.town()], path, language="en", plans=[PLAN], setting=setting)
    told = read_payload(page).page
    (plan,) = told["plans"]
    assert plan["title"] == "2 new sites: most people covered"
    assert plan["line"] == "120 people covered, proved best"
    assert plan["sites"][0] == {
        "lon": 120.9,
        "lat": 30.5,
        "name": "site 1",
        "services": atlas_town.SERVICE_NAMES["clinic"]["en"],
        "people": 12.0,
        "peopleText": "12 people newly",
        "service": "clinic",
        "facts": ["", "", ""],
    }
    assert (plan["value"], plan["bound"], plan["gap"]) == (120.0, 120.0, 0.0)
    assert plan["curve"] == [[1, 80.0], [2, 120.0]]
    about = told["about"]
    assert about["labels"] == [{"name": "杭州湾", "kind": "water", "at": [30.3, 121.0]}]
    assert about["dataDate"] == "2025-10-31"
    assert "2025-10-31" in about["margin"]["data_date"]
    assert "(EPSG:4549)" in about["margin"]["crs"]


TOLD = PLAN | {
    "people": 1000.0,
    "covered_before": 864.1,
    "covered_after": 881.9,
    "goal": 1.0,
    "attainable": 941.99,
    "goal_attainable": False,
    "free": 140,
    "curve": [(0, 864.1), (30, 912.9)],
    "sites": [
        {
            "lon": 120.9,
            "lat": 30.5,
            "people": 12.0,
            "works": "idle_building",
            "tenure": "leased",
            "cost": 61.0,
        }
        | {"groups": {"over60": 5.0, "rural": 12.0}, "band": (8.0, 12.0, 14.0)},
        {
            "lon": 120.91,
            "lat": 30.51,
            "people": 8.0,
            "works": "new_building",
            "tenure": "owned",
            "cost": 130.0,
        },
    ],
    "sensitivity": [{"speed": "slow", "people": 68.0, "best": 73.0}],
    "own_target": {
        "districts": [
            {"code": "a", "name": "<b>Town</b>", "value_before": 0.5, "value_after": 0.6, "won": 20.0},
            {"code": "b", "name": "Other", "value_before": 0.5, "value_after": 0.5, "won": 0.0},
        ],
        "groups": [
            {"code": "all", "name": "all", "value_before": 0.86, "value_after": 0.88, "won": 20.0},
            {"code": "over60", "name": "over60", "value_before": 0.8, "value_after": 0.9, "won": 5.0},
        ],
    },
    "remedies": [
        {
            "kind": "link",
            "name": "dear",
            "lon": 120.9,
            "lat": 30.5,
            "people": 90.0,
            "cost": 9.0,
            "people_per_cost": 10.0,
        },
        {"kind": "link", "name": "free", "lon": 120.9, "lat": 30.5, "people": 99.0},
        {"kind": "footbridge", "name": "cheap", "lon": 120.9, "lat": 30.5, "people": 80.0, "cost": 4.0}
        | {"people_per_cost": 20.0},
        {
            "kind": "evening_hours",
            "name": "late",
            "lon": 120.9,
            "lat": 30.5,
            "people": 7.0,
            "accounting": "open",
        }
        | {"paid": "year", "cost": 6.0, "people_per_cost": 1.2},
    ],
}


def test_a_plan_is_shown_whole(tmp_path):
    page = draw_atlas([atlas_town.town()], tmp_path / "page.html", language="en", plans=[TOLD])
    (plan,) = read_payload(page).page["plans"]
    story = plan["story"]
    assert story["effect"] == "Rate 86.4% → 88.1%, 18 people newly covered"
    assert story["ceiling"] == (
        "Goal 100%: 30 sites reach 91.2%, all 140 candidates 94.1%: "
        "the goal cannot be reached by sites alone."
    )
    assert story["facts"] == [
        ["Cost", "191.0 × 10,000 yuan · 95,500 yuan a person"],
        ["Works", "1 × idle building, 1 × new building"],
        ["Tenure", "1 × leased, 1 × owned"],
    ]
    assert plan["sites"][0]["facts"] == [
        "idle building · leased · 61.0 × 10,000 yuan · 50,833 yuan a person",
        "of them 5 60 and over",
        "slow / usual / fast: 8 / 12 / 14",
    ]
    assert story["towns"] == [["<b>Town</b>", "50.0%", "60.0%", "20"]]
    assert story["groups"] == [["60 and over", "80.0%", "90.0%", "5"]]
    assert story["speeds"] == [["slow", "68", "73"]]
    names = [[one["name"] for one in part["rows"]] for part in story["remedies"]]
    assert names == [["cheap", "dear", "free"], ["late"]]  # another accounting is a list of its own
    assert story["curve"] == [[0, pytest.approx(0.8641)], [30, pytest.approx(0.9129)]]
    assert story["most"] == pytest.approx(0.94199)
    unknown = [{**TOLD["sites"][0], "cost": None}, TOLD["sites"][1]]
    plans = [
        TOLD | {"goal_attainable": True, "enough": 7},
        TOLD | {"goal_attainable": True, "sites": unknown},
        PLAN,
    ]
    page = draw_atlas([atlas_town.town()], tmp_path / "page.html", language="en", plans=plans)
    first, second, bare = (one["story"] for one in read_payload(page).page["plans"])
    assert first["ceiling"] == "Goal 100%: 7 sites reach it."
    assert second["ceiling"] == "Goal 100%: 30 sites reach 91.2%, all candidates 94.1%."
    assert second["facts"][0] == ["Cost", "130.0 × 10,000 yuan, 1 unknown"]
    assert (bare["effect"], bare["ceiling"], bare["facts"], bare["curve"]) == ("", "", [], [])


def test_a_public_page_shows_nothing_more_of_a_plan(tmp_path):
    page = draw_atlas([atlas_town.town()], tmp_path / "page.html", plans=[TOLD], edition="public")
    (plan,) = read_payload(page).page["plans"]
    story = plan["story"]
    assert not any(story[part] for part in story)
    assert [site["facts"] for site in plan["sites"]] == [["", "", ""]] * 2
    assert [site["people"] for site in plan["sites"]] == [None, None]


def test_a_plan_that_is_not_proved_shows_its_bound(tmp_path):
    loose = PLAN | {"status": "feasible", "bound": 130.0, "gap": 10 / 120}
    median = PLAN | {"objective": "p_median"}
    page = draw_atlas([atlas_town.town()], tmp_path / "page.html", language="en", plans=[loose, median])
    first, second = read_payload(page).page["plans"]
    assert first["line"] == "120 people covered, not proved best, at most 130"
    assert second["line"] == "proved best"  # its value is no number of people


def test_a_public_page_shows_where_a_plan_builds_and_not_for_how_many(tmp_path):
    page = draw_atlas([atlas_town.town()], tmp_path / "page.html", plans=[PLAN], edition="public")
    (plan,) = read_payload(page).page["plans"]
    assert [site["people"] for site in plan["sites"]] == [None, None]
    assert (plan["value"], plan["bound"], plan["curve"], plan["line"]) == (None, None, [], "已证明最优")


def test_plans_that_lack_something_are_refused_together(tmp_path):
    broken = {name: value for name, value in PLAN.items() if name != "bound"}
    nowhere = PLAN | {"sites": [{"lon": 120.9}]}
    with pytest.raises(UnusableInputError, match=r"(?s)plan 0.*bound.*plan 1, site 0"):
        draw_atlas([atlas_town.town()], tmp_path / "page.html", plans=[broken, nowhere])
    assert not list(tmp_path.iterdir())
