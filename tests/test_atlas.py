"""The map page as text: what it holds, what it refuses, that it is the same every time."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import folium
import folium.plugins
import numpy as np
import pytest
from branca.element import Element, JavascriptLink
from hypothesis import given, settings
from hypothesis import strategies as st

import atlas_town
from lifecircle.atlas import OfflineFigure, UnknownAssetError, attribute, draw_atlas
from lifecircle.atlas._offline import json_text, vendored
from lifecircle.errors import LifecircleError, UnusableInputError
from lifecircle.findings import Count, GroupResult, Publication
from lifecircle.notebook import folium_map
from lifecircle.page_data import (
    AREA_COLOURS,
    UNIT_COLOURS,
    figures,
    minutes_text,
    people_text,
    percent_text,
    read_payload,
    status_codes,
)
from lifecircle.page_data._figure_text import goal_text
from lifecircle.page_data._page_content import counted, page_data
from lifecircle.page_data._village_rows import village_counts
from lifecircle.standards import IndicatorTarget, Straight
from lifecircle.wording import Words

HOSTILE = [
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\"'><b>&amp;`${window.hacked=1}\\",
    "{{ 7 * 7 }}{% raise %}{# x #}",
    "长" * 500,
    "مكتبة\u200f abc <!-- -->",
]


@pytest.fixture(scope="module")
def town():
    return atlas_town.town()


def page_of(findings, folder: Path, **options: Any) -> str:
    return draw_atlas([findings], folder / "page.html", **options).read_text("utf-8")


def data_of(page: str) -> dict[str, Any]:
    return read_payload(page).page


class Outline(HTMLParser):
    """Collects a page's elements with their attributes, and its text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._silent = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in {"script", "style"}

    def handle_endtag(self, tag):
        """Leave a script or style."""
        self._silent = self._silent and tag not in {"script", "style"}

    def handle_data(self, data):
        """Note text that shows."""
        self.text += "" if self._silent else data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """List the attributes of every element of a kind."""
        return [attrs for name, attrs in self.tags if name == tag]


# ---------------------------------------------------------------------------------------------------------
# Figures as text


@given(st.floats(0, 1), st.floats(0.001, 1))
@settings(deadline=None, max_examples=300)
def test_a_rate_below_its_goal_never_reads_as_the_goal(value, goal):
    shown = float(percent_text(value).removesuffix("%"))
    assert shown <= value * 100 + 1e-9
    assert shown > value * 100 - 0.1 - 1e-9
    if value < goal:
        assert percent_text(value) != goal_text(goal) or round(goal * 1000) != goal * 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9996, "99.9%"),
        (0.29, "29.0%"),
        (0.57, "57.0%"),
        (1.0, "100.0%"),
        (0.0, "0.0%"),
        (1 - 1e-12, "99.9%"),
        (None, "—"),
    ],
)
def test_rates_are_truncated_and_free_of_float_noise(value, text):
    assert percent_text(value) == text


@given(st.floats(0, 600), st.integers(1, 600))
@settings(deadline=None, max_examples=300)
def test_minutes_over_a_limit_never_read_as_the_limit(minutes, limit):
    shown = float(minutes_text(minutes))
    if minutes <= limit:
        assert shown <= limit
    elif minutes > limit + 1e-7:
        assert shown > limit


def test_part_of_a_person_is_not_nobody():
    assert [people_text(value) for value in (0.0, 0.2, 0.5001, 12345.6)] == ["0", "<1", "1", "12,346"]


def test_both_languages_have_every_word_with_the_same_gaps():
    zh, en = Words("zh").section("page"), Words("en").section("page")
    assert zh.keys() == en.keys()
    for key, text in zh.items():
        assert sorted(re.findall(r"\{\w*\}", text)) == sorted(re.findall(r"\{\w*\}", en[key])), key
        assert not re.search("[\u2e80-\u9fff\uff00-\uffef]", en[key]), key


# ---------------------------------------------------------------------------------------------------------
# The page


def test_page_says_what_it_is_in_its_head(town, tmp_path):
    outline = Outline(page_of(town, tmp_path))
    assert outline.all("html") == [{"lang": "zh-CN"}]
    metas = outline.all("meta")
    assert metas[0] == {"charset": "utf-8"}
    policy = metas[1]
    assert policy["http-equiv"] == "Content-Security-Policy"
    for part in (
        "default-src 'none'",
        "connect-src 'none'",
        "img-src data: blob:",
        "script-src 'unsafe-inline'",
    ):
        assert part in policy["content"]
    assert "frame-ancestors" not in policy["content"]
    assert {"name": "renderer", "content": "webkit"} in metas
    viewports = [meta["content"] for meta in metas if meta.get("name") == "viewport"]
    assert viewports == ["width=device-width, initial-scale=1"]
    assert "海盐县（示例） 2025年公共服务可达性" in outline.text


def test_page_names_no_outside_file(town, tmp_path):
    outline = Outline(page_of(town, tmp_path))
    for tag, attrs in outline.tags:
        for name in ("src", "href", "srcset", "data"):
            value = attrs.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, value)


@pytest.mark.parametrize(
    ("language", "synthetic", "stamp"),
    [
        ("zh", True, "合成示例"),
        ("en", True, "Synthetic example, not real data"),
        ("zh", False, "工作底图，未经地图审核不得公开"),
    ],
)
def test_page_is_stamped_in_its_body(town, tmp_path, language, synthetic, stamp):
    text = Outline(page_of(dataclasses.replace(town, synthetic=synthetic), tmp_path, language=language)).text
    assert stamp in text
    assert ("未送审" if language == "zh" else "not submitted") in text
    assert ("界线仅供参考，不作划界依据" if language == "zh" else "settle no border") in text
    assert synthetic == ("工作底图" not in text and "Working map" not in text)


def test_publication_stands_in_the_margin(town, tmp_path):
    publication = Publication(organisation="海盐县<b>", date="2026-03-01", review_number="浙S(2026)1号")
    text = Outline(page_of(dataclasses.replace(town, publication=publication), tmp_path)).text
    assert "海盐县<b>" in text
    assert "2026-03-01" in text
    assert "浙S(2026)1号" not in text  # nor beside the stamp that it must not be made public
    assert "未送审" not in text
    public = Outline(
        page_of(dataclasses.replace(town, publication=publication), tmp_path, edition="public")
    ).text
    assert "浙S(2026)1号" in public
    assert "不得公开" not in public


def test_same_findings_give_the_same_bytes(town, tmp_path):
    first = draw_atlas([town], tmp_path / "a" / "one.html").read_bytes()
    second = draw_atlas([atlas_town.town()], tmp_path / "two.html").read_bytes()
    assert first == second
    assert str(tmp_path).encode() not in first


def test_another_process_gives_the_same_bytes(town, tmp_path):
    draw_atlas([town], tmp_path / "here.html")
    script = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "import atlas_town; from lifecircle.atlas import draw_atlas\n"
        "draw_atlas([atlas_town.town()], sys.argv[1])"
    )
    beside = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "coverage")]
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "there.html"), *beside], check=True)
    assert (tmp_path / "here.html").read_bytes() == (tmp_path / "there.html").read_bytes()


def test_drawing_leaves_folium_as_it_was(town, tmp_path):
    def state():
        kinds = (folium.Map, folium.GeoJson, folium.LayerControl, folium.Marker, folium.FeatureGroup)
        return json.dumps(
            [[getattr(kind, name, None) for name in ("default_js", "default_css")] for kind in kinds]
        )

    before = state()
    page_of(town, tmp_path)
    folium_map(town).get_root().render()
    assert state() == before
    assert not any(folium.Map._includes.values())


def test_figures_in_the_page_are_those_of_the_findings(town, tmp_path):
    data = data_of(page_of(town, tmp_path))
    (year,) = data["years"]
    assert [target["id"] for target in year["targets"]] == ["culture", "clinic", "literacy", "places"]
    for target, result in zip(year["targets"][:2], town.targets[:2], strict=True):
        count = result.count
        assert target["value"] == percent_text(result.value)
        assert target["people"]["total"] == f"{count.people:,.0f}"
        assert target["people"]["covered"] == f"{count.covered:,.0f}"
        rates = [percent_text(one.value) for one in result.districts]
        assert [row["rate"] for row in target["districts"]] == rates
        assert [row["left"] for row in target["districts"]] == [
            f"{one.count.people - one.count.covered:,.0f}" for one in result.districts
        ]
        assert dict(target["facts"])["目标值"] == "100%（2025年）"
    literacy = year["targets"][2]
    assert literacy["value"] == "41.25 %"
    assert literacy["people"] is None
    assert literacy["answers"] is None


def test_services_are_named_in_the_pages_language(town, tmp_path):
    for language, name in (("zh", "文化礼堂"), ("en", "culture hall")):
        (year,) = data_of(page_of(town, tmp_path, language=language))["years"]
        shown = [year["services"][service] for service in year["targets"][0]["services"]]
        assert shown == [name, {"zh": "图书馆", "en": "library"}[language]]


def rung(figures_of: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in figures_of["ladder"]["rungs"] if one["name"] == name]
    return found


def test_ladder_is_that_of_the_findings(town):
    culture = figures(town, town.targets[0], Words("en"))
    names = ["accepted", "straight line", "road distance", "reach", "open hours", "any one venue"]
    assert [one["name"] for one in culture["ladder"]["rungs"]] == names
    for name, accounting in zip(names, atlas_town.LADDER.values(), strict=True):
        one = rung(culture, name)
        if accounting is None:
            assert (one["villages"], one["people"], one["share"], one["value"]) == ("—", "—", "—", None)
        else:
            assert one["villages"] == str(accounting.villages)
            assert one["people"] == f"{accounting.people:,.0f}"
            assert one["share"] == percent_text(accounting.value)
    assert rung(culture, "open hours")["text"] == "no hour is set, or no hours are known"
    assert (
        "1,000 m (urban) or 1,500 m (rural) around the village committee" in rung(culture, names[1])["text"]
    )
    assert [one["by"] for one in culture["ladder"]["rungs"]] == ["villages"] * 2 + ["people"] * 4
    assert [one["name"] for one in culture["ladder"]["rungs"] if one["verdict"]] == ["reach"]
    assert [one["name"] for one in culture["ladder"]["rungs"] if one["aside"]] == ["any one venue"]
    assert culture["ladder"]["why"].startswith("Reported 98.6%, by reach 65.1%")
    clinic = figures(town, town.targets[1], Words("zh"))
    assert clinic["ladder"]["why"] == "同一指标的几种算法："
    assert rung(clinic, "直线复算")["text"] == "未设直线半径"


def test_ladder_names_the_hour_and_the_one_radius(town):
    culture = town.targets[0]
    target = culture.target.model_copy(
        update={"open_at": "Sat 10:00", "straight": Straight(urban_m=500.0, rural_m=500.0, centre="free")}
    )
    result = dataclasses.replace(
        culture, target=target, accountings=culture.accountings | {"open": atlas_town.LADDER["reach"]}
    )
    printed = figures(town, result, Words("zh"))
    assert rung(printed, "开放时段")["text"] == "只计周六 10:00 开放的设施"
    assert "以任一点（圆须含村委会）为圆心，500 米直线圆" in rung(printed, "直线复算")["text"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"status": "missed"},
            "only at 8.13 km/h the verdict turns (at the usual speed: a limit of 24.4 min)",
        ),
        ({"status": "met", "flip_kmh": 4.8, "flip_minutes": 14.4}, "below 4.80 km/h the verdict turns"),
        ({"flip_kmh": None, "flip_minutes": 21.0}, "the verdict turns at a limit of 21.0 minutes"),
        ({"flip_kmh": None, "flip_minutes": None}, "no speed turns it: some people are disconnected"),
    ],
)
def test_flip_point_is_shown_either_way(town, change, told):
    result = dataclasses.replace(town.targets[0], **change)
    printed = figures(town, result, Words("en"))["margin"]
    assert dict(printed["facts"])["Flip point"].startswith(told)
    assert dict(printed["facts"])["Borderline"].startswith("321 people")
    assert [row[1] for row in printed["band"]] == ["4 km/h", "5 km/h", "6 km/h"]
    assert [row[2] for row in printed["band"]] == ["40.0%", percent_text(result.value), "90.0%"]
    assert [point[:2] for point in printed["curve"]] == [list(point) for point in result.curve]


def test_without_a_goal_nothing_turns(town):
    target = town.targets[0].target.model_copy(update={"goal": None, "due": None})
    printed = figures(town, dataclasses.replace(town.targets[0], target=target), Words("en"))
    assert dict(printed["margin"]["facts"])["Flip point"] == "no goal is set, so nothing can turn"
    assert printed["margin"]["turn"] is None


def test_unsnapped_people_give_bounds_where_they_show(town):
    count = Count(1000.0, 900.0, 50.0, 0.0, 50.0)
    printed = figures(town, dataclasses.replace(town.targets[0], count=count), Words("en"))
    assert dict(printed["margin"]["facts"])["Data defects"].startswith("90.0% if all")
    few = Count(100_000.0, 90_000.0, 9_999.0, 0.0, 1.0)
    printed = figures(town, dataclasses.replace(town.targets[0], count=few), Words("en"))
    assert "Data defects" not in dict(printed["margin"]["facts"])


def test_headline_names_the_year_before_and_what_is_short(town):
    culture = town.targets[0]
    facts = dict(figures(town, culture, Words("en"))["facts"])
    assert facts["Goal"] == "100% (due 2025)"
    assert facts["Year before"] == f"{percent_text(culture.previous)}, +3.2 points"
    left, data = culture.count.uncovered, culture.count.unsnapped
    assert facts["Not covered"] == f"{left:,.0f} people, {data:,.0f} of them for defects of the data"
    assert "Still needed" not in facts  # the goal is everybody: what is left says it
    lower = dataclasses.replace(culture, shortfall_people=12.0)
    assert (
        dict(figures(town, lower, Words("en"))["facts"])["Still needed"] == "12 more people must be covered"
    )
    assert "Milestone" not in facts
    worse = dataclasses.replace(culture, previous=culture.value + 0.0121, milestone=0.8)
    early = dict(figures(dataclasses.replace(town, year=2024), worse, Words("en"))["facts"])
    assert early["Milestone"] == "80%"
    assert early["Year before"].endswith(", −1.2 points")


def test_groups_and_variants_are_those_of_the_findings(town):
    printed = figures(town, town.targets[0], Words("zh"))
    assert printed["groups"][1] == ["60岁及以上", "1,000", "70.0%", "300"]
    assert [row[1] for row in printed["variants"]] == ["25.0%", "50.0%", "60.0%", "7 人", "65 人", "4 人"]


def test_rule_and_source_stand_in_the_panel(town):
    assert (
        figures(town, town.targets[0], Words("zh"))["rule"]
        == "步行 15 分钟以内到达图书馆 1 处、文化礼堂 1 处"
    )
    pending = figures(town, town.targets[3], Words("zh"))
    assert not pending["computed"]
    assert pending["reason"] == "设施表没有“beds”列"
    assert dict(pending["facts"]) == {"目标值": "4.5 / 1000人（2025年）"}
    assert dict(pending["basis"])["规则"] == "托育机构 1 处"
    assert dict(pending["basis"])["责任部门"] == "卫生健康局"
    assert pending["ladder"] is pending["margin"] is None


def test_shares_of_any_kind_print_in_per_cent(town):
    target = IndicatorTarget(id="visits", name="visits", unit="share", goal=0.9)
    printed = figures(town, dataclasses.replace(town.targets[2], target=target, value=0.8999), Words("en"))
    assert printed["value"] == "89.9%"
    assert dict(printed["facts"])["Goal"] == "90%"


def test_villages_differ_where_official_and_lived_counts_do(town, tmp_path):
    data = data_of(page_of(town, tmp_path))
    (year,) = data["years"]
    villages = year["targets"][0]["villages"]
    assert villages["counts"] == ["验收", "直线", "可达"]
    assert [(one["village"], one["kind"]) for one in villages["differ"][-1:]] == [(2, "under")]
    assert {one["village"] for one in villages["differ"] if one["kind"] == "over"} == {0, 1}
    states = data["lists"][villages["states"]]
    assert states[:6] == ["110", "110", "101", "111", "111", "11-"]
    names = data["lists"][year["villages"]["names"]]
    for one in villages["differ"]:
        assert one["gap"]["place"][1] == names[one["village"]]
    assert year["targets"][1]["villages"] is None


def test_villages_without_reach_are_listed_but_do_not_differ(town, tmp_path):
    villages = town.villages.drop(columns=["reached_culture", "straight_culture"])
    villages["accepted_culture"] = [True, False] * (len(villages) // 2)  # as a GeoPackage gives it back
    fewer = dataclasses.replace(town, villages=villages)
    assert village_counts(villages, "culture") == {"accepted": [True, False] * (len(villages) // 2)}
    shown = data_of(page_of(fewer, tmp_path))["years"][0]["targets"][0]["villages"]
    assert (shown["counts"], shown["reached"], shown["differ"]) == (["验收"], False, [])


def test_gaps_are_listed_by_people_and_never_look_smaller(town, tmp_path):
    (year,) = data_of(page_of(town, tmp_path, language="en"))["years"]
    gaps = town.gaps[town.gaps["target"] == "culture"].sort_values("people", ascending=False, kind="stable")
    listed = year["targets"][0]["gaps"]
    assert len(listed) == len(gaps) > 30
    assert year["targets"][0]["gapCount"] == len(gaps)
    for row, gap in zip(listed, gaps.to_dict("records"), strict=True):
        assert row["people"] == f"{gap['people']:,.0f} people"
        assert row["place"] == [gap["district"], gap["village"]]
        if gap["reason"] == "beyond":
            minutes, over = re.findall(r"[\d.]+", row["facts"][0])
            assert gap["minutes"] <= float(minutes) < gap["minutes"] + 0.1 + 1e-9
            assert gap["minutes"] - 15 <= float(over) < gap["minutes"] - 15 + 0.1 + 1e-9
        assert (row["at"] is None) == bool(np.isnan(gap["lon"]))


def test_years_share_what_they_have_in_common(town, tmp_path):
    before = dataclasses.replace(town, year=2024)
    page = draw_atlas([town, before], tmp_path / "page.html").read_text("utf-8")
    alone = draw_atlas([before], tmp_path / "alone.html").read_text("utf-8")
    data = data_of(page)
    assert [entry["year"] for entry in data["years"]] == [2024, 2025]
    venues = {"2024/facilities/key"}  # which venue is which in the other year
    assert set(read_payload(page).columns) == set(read_payload(alone).columns) | venues
    assert "2024–2025" in Outline(page).text


def test_residents_a_target_does_not_count_have_no_bucket(town):
    urban = town.demand["district"].map(town.districts["urban"]).fillna(value=True).to_numpy(dtype=bool)
    people = town.people.assign(culture=town.people["culture"].where(~urban, 0.0))
    rural = dataclasses.replace(town, people=people)
    somebody = (town.demand["population"] > 0).to_numpy()
    assert (counted(rural, town.targets[0]) == (~urban & somebody)).all()
    assert (status_codes(rural, town.targets[0])[urban] == 0).all()
    assert (counted(town, town.targets[0]) == somebody).all()


def test_nothing_to_show_is_still_a_page(town, tmp_path):
    nobody = town.demand.iloc[:0]
    empty = dataclasses.replace(
        town,
        demand=nobody,
        facilities=town.facilities.iloc[:0],
        districts=town.districts.iloc[:0],
        gaps=town.gaps.iloc[:0],
        seconds=town.seconds.iloc[:0],
        status=town.status.iloc[:0],
        nearest=town.nearest.iloc[:0],
        people=town.people.iloc[:0],
        villages=town.villages.iloc[:0],
        targets=(
            dataclasses.replace(
                town.targets[0], value=None, count=None, districts=(), reason="nobody_counted"
            ),
        ),
    )
    (target,) = data_of(page_of(empty, tmp_path))["years"][0]["targets"]
    assert target["value"] == "—"
    assert target["reason"] == "没有属于该口径的居民"


def test_roads_are_a_layer_only_where_given(town, tmp_path):
    with_roads = page_of(town, tmp_path, roads=atlas_town.crossroads())
    assert data_of(with_roads)["roads"]
    assert 'lifecirclePage.layer("roads")' in with_roads
    without = page_of(town, tmp_path)
    assert data_of(without)["roads"] is None
    assert 'lifecirclePage.layer("roads")' not in without


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda _: [], "no findings to draw"),
        (
            lambda one: [one, dataclasses.replace(one, study="other", year=2024)],
            "several studies.*haiyan, other",
        ),
        (lambda one: [one, one], "same year twice.*2025"),
    ],
)
def test_findings_one_page_cannot_hold_are_refused(town, tmp_path, make, match):
    with pytest.raises(UnusableInputError, match=match):
        draw_atlas(make(town), tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------------------
# Names are text


def test_names_cannot_end_the_script_or_run_a_template(town, tmp_path):
    names = atlas_town.with_names(town, HOSTILE)
    page = page_of(names, tmp_path)
    plain = page_of(town, tmp_path)
    assert len(re.findall(r"(?i)</script", page)) == len(re.findall(r"(?i)</script", plain))
    data = data_of(page)
    assert sorted(HOSTILE) == sorted(set(data["lists"][data["years"][0]["facilities"]["names"]]))
    assert not Outline(page).all("img")


@pytest.mark.parametrize("name", HOSTILE)
def test_title_and_heading_hold_the_name_as_text(town, tmp_path, name):
    outline = Outline(page_of(dataclasses.replace(town, name=name), tmp_path, language="en"))
    assert outline.text.count(name) == 2


def test_notebook_layers_hold_names_as_text(town):
    page = folium_map(atlas_town.with_names(town, HOSTILE)).get_root().render()
    assert not re.search(r"</script><script>window\.hacked", page)
    assert "&#123;&#123; 7 * 7 }}" in page or "\\u0026#123;\\u0026#123; 7 * 7 }}" in page
    assert not Outline(page).all("img")


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_json_in_the_page_reads_back_and_stays_inside(text):
    written = json_text({"name": [text]})
    assert json.loads(written) == {"name": [text]}
    assert "<" not in written
    assert not re.search(r"\{[{%#]", written)


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_escaped_names_show_as_they_are(text):
    escaped = attribute(text)
    assert not set(escaped) & set("<>\"'{`$\\")


# ---------------------------------------------------------------------------------------------------------
# Assets


def figure_with(*children: Element) -> OfflineFigure:
    figure = OfflineFigure("a page", seed="one")
    made = folium.Map(tiles=None, location=[30.5, 120.9])
    figure.add_child(made)
    for child in children:
        made.add_child(child)
    return figure


class FarScript(folium.elements.JSCSSMixin):
    """A plugin that needs a script nobody carries."""

    default_js = [("far", "https://example.org/far@1/far.js")]  # noqa: RUF012 - as folium has it


@pytest.mark.parametrize(
    ("child", "match"),
    [
        (FarScript, "https://example.org/far@1/far.js"),
        (folium.plugins.MarkerCluster, r"leaflet\.markercluster\.js"),
        (lambda: folium.TileLayer("OpenStreetMap"), r"tile\.openstreetmap\.org"),
        (lambda: folium.Marker([30.5, 120.9], icon=folium.Icon(color="red")), "awesome-markers"),
    ],
)
def test_elements_that_need_the_network_are_refused_by_name(child, match):
    with pytest.raises(UnknownAssetError, match=match) as caught:
        figure_with(child()).render()
    assert isinstance(caught.value, LifecircleError)
    assert isinstance(caught.value, LookupError)
    assert "Remedy" in str(caught.value)


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="https://example.org/a.png">',
        '<script src="//example.org/a.js"></script>',
        "<style>p { background: url(https://example.org/a.png) }</style>",
        "<style>@import 'https://example.org/a.css';</style>",
        '<div style="background: url(a.png)"></div>',
        '<svg><image href="a.png"/></svg>',
    ],
)
def test_markup_that_would_fetch_is_refused(markup):
    figure = figure_with()
    figure.html.add_child(Element(markup))
    with pytest.raises(UnknownAssetError, match=r"a\.(png|js|css)"):
        figure.render()


def test_every_refused_address_is_reported_at_once():
    figure = figure_with(FarScript(), folium.TileLayer("OpenStreetMap"))
    figure.header.add_child(JavascriptLink("https://example.org/near.js"), name="near")
    with pytest.raises(UnknownAssetError) as caught:
        figure.render()
    assert len(caught.value.addresses) == 3


def test_a_stock_folium_map_renders_twice_alike_and_offline():
    children = (folium.Marker([30.5, 120.9], popup="p", tooltip="t"), folium.Circle([30.5, 120.9], radius=9))
    figure = figure_with(*children)
    page = figure.render()
    assert page == figure.render()
    again = figure_with(
        folium.Marker([30.5, 120.9], popup="p", tooltip="t"), folium.Circle([30.5, 120.9], radius=9)
    )
    assert page == again.render()
    assert not [attrs for attrs in Outline(page).all("script") if "src" in attrs]
    assert "sourceMappingURL" not in page
    assert "Redistributions in binary form must reproduce" in page


def test_another_seed_gives_other_identifiers():
    one, two = figure_with(), figure_with()
    two.seed = "two"
    assert one.render() != two.render()


def test_only_identifiers_of_elements_are_replaced():
    figure = figure_with()
    figure.html.add_child(Element("<p>d41d8cd98f00b204e9800998ecf8427e</p>"))
    assert "d41d8cd98f00b204e9800998ecf8427e" in figure.render()


def test_vendored_files_are_those_of_the_manifest():
    folder = resources.files("lifecircle.atlas") / "vendor"
    rows = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert rows
    for row in rows:
        assert set(row) == {"package", "version", "file", "sha256", "licence"}
        assert hashlib.sha256(vendored(row["file"])).hexdigest() == row["sha256"]
    there = {
        path.relative_to(str(folder)).as_posix() for path in Path(str(folder)).rglob("*") if path.is_file()
    }
    assert there == {row["file"] for row in rows} | {"manifest.json"}
    assert b"BSD 2-Clause" in vendored("leaflet.LICENSE")
    with pytest.raises(UnknownAssetError, match=r"nothing\.js"):
        vendored("nothing.js")


# ---------------------------------------------------------------------------------------------------------
# Notebooks


def test_notebook_map_is_plain_folium(town):
    made = folium_map(town, target="clinic")
    assert isinstance(made, folium.Map)
    kinds = [type(child) for child in made._children.values()]
    assert kinds.count(folium.GeoJson) == 2
    assert kinds.count(folium.FeatureGroup) == 2
    assert made.get_root().render() == folium_map(atlas_town.town(), target="clinic").get_root().render()
    assert "iframe" in made._repr_html_()
    with pytest.raises(KeyError, match="no target 'nope'"):
        folium_map(town, target="nope")


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("clinics", (UNIT_COLOURS["holds"], UNIT_COLOURS["lacks"], "具备与缺少", "缺 卫生室")),
        ("beds", (AREA_COLOURS["reached"], AREA_COLOURS["below"], "3.9 / 1000人")),
        ("bus_share", ("全县一个数 31.0%", "武原街道")),
    ],
)
def test_notebook_map_of_a_target_without_travel_times(town, target, wanted):
    page = folium_map(atlas_town.with_kinds(town), target=target).get_root().render()
    assert [text for text in wanted if text not in page and json.dumps(text)[1:-1] not in page] == []


def test_notebook_map_of_a_run_without_circles(town):
    only = dataclasses.replace(town, targets=town.targets[2:])
    assert "居民点" not in folium_map(only).get_root().render()


def test_colours_and_classes_have_words(town):
    data = page_data([town], Words("zh"))
    for name in data["cellColours"]:
        assert data["words"].keys() & {name, f"villages_{name}", f"change_key_{name}"}, name
    assert len(data["rateTexts"]) == len(data["rateColours"]) == len(data["rateBreaks"]) + 1


def test_town_and_country_stand_beside_the_headline(town):
    sides = tuple(
        GroupResult(name, Count(1000.0, covered, 1000.0 - covered, 0.0, 0.0), covered / 1000)
        for name, covered in (("urban", 950.0), ("rural", 702.0))
    )
    both = dataclasses.replace(town.targets[0], groups=sides)
    facts = dict(figures(town, both, Words("zh"))["facts"])
    assert facts["城乡"] == "城镇居民 95.0%，农村居民 70.2%"
    one = dataclasses.replace(town.targets[0], groups=sides[:1])
    assert "城乡" not in dict(figures(town, one, Words("zh"))["facts"])
