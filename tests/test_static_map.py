"""Maps on paper: what stands on them, the same bytes every time, and a font for every character."""

from __future__ import annotations

import dataclasses
import itertools
import sys
import zlib
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

import atlas_town
import lifecircle as lc
from lifecircle.errors import LifecircleError, MissingExtraError, UnusableInputError
from lifecircle.findings import Publication
from lifecircle.page_data import AREA_COLOURS, CELL_COLOURS, margin, stamp
from lifecircle.paper import (
    Drawing,
    FontError,
    _fonts,
    _paper_legend,
    _paper_map,
    _paper_sheet,
    draw_static,
    static_maps,
)
from lifecircle.paper._paper_sheet import shortened, wrapped
from lifecircle.publication import MapSetting, public_findings
from lifecircle.wording import Words

pytest.importorskip("matplotlib", reason="maps on paper need the extra print")


@pytest.fixture(scope="module", autouse=True)
def _fonts_there():
    if not any(_fonts._file(name) for name in _fonts.CJK_FAMILIES):
        pytest.skip("no Chinese font on this machine")


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    monkeypatch.setattr(_paper_sheet, "DPI", 60)  # most of the time of a map goes into its pixels


@pytest.fixture(scope="module")
def town():
    return atlas_town.town(residents=300)


def texts_of(monkeypatch, draw) -> list[str]:
    """Draw, and give every text that was put on the sheet."""
    seen: list[list[str]] = []
    monkeypatch.setattr(_paper_sheet, "check_characters", lambda texts: seen.append(list(texts)))
    draw()
    return seen[0]


def pixels(path) -> np.ndarray:
    """Read a PNG as red, green and blue: (row, column, 3)."""
    image = pytest.importorskip("matplotlib.image").imread(path)
    return np.round(image[:, :, :3] * 255).astype(int)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_same_findings_give_the_same_bytes(town, tmp_path, ending):
    first, second = (lc.static_map(town, "culture", tmp_path / f"{name}.{ending}") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert first.read_bytes().startswith(start)
    for word in (b"CreationDate", b"<dc:date>", b"Matplotlib", str(tmp_path).encode()):
        assert word not in first.read_bytes()


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        (
            "zh",
            [
                "海盐县（示例） · 品质文化生活圈 · 2025年",
                "工作底图，未经地图审核不得公开",
                "界线仅供参考，不作划界依据",
                "审图号：未送审",
                "编制单位：海盐县民政局",
                "编制日期：2026-03-01",
                "数据截止日期：2025-12-31",
                "底图来源：本研究的道路与界线数据",
                "北",
                "5 km",
                "武原街道",
                "杭州湾",
            ],
        ),
        (
            "en",
            [
                "海盐县（示例） · Culture circle · 2025",
                "Working map, not to be made public before it has passed map review",
                "Map review number: not submitted",
                "Data as of: 2025-12-31",
                "N",
            ],
        ),
    ],
)
def test_a_map_carries_all_that_a_map_must(town, tmp_path, monkeypatch, language, wanted):
    real = dataclasses.replace(
        town, synthetic=False, publication=Publication("海盐县民政局", "2026-03-01", "")
    )
    labels = gpd.GeoDataFrame(
        {"name": ["杭州湾"], "kind": ["water"]}, geometry=[shapely.Point(121.0, 30.42)], crs="EPSG:4326"
    )
    setting = MapSetting(labels=labels, data_date="2025-12-31")
    texts = texts_of(
        monkeypatch,
        lambda: lc.static_map(real, "culture", tmp_path / "a.png", language=language, setting=setting),
    )
    assert [text for text in wanted if text not in texts] == []
    assert any("EPSG:4549" in text for text in texts)
    assert any(("15 分钟" if language == "zh" else "15 min") in text for text in texts)


def test_public_map_is_made_of_reduced_findings(town, tmp_path, monkeypatch):
    texts = texts_of(
        monkeypatch, lambda: lc.static_map(town, "culture", tmp_path / "a.png", edition="public")
    )
    assert any("公开版" in text for text in texts)
    public = lc.static_map(town, "culture", tmp_path / "b.png", edition="public")
    (reduced,) = public_findings([town])
    again = draw_static(
        Drawing(reduced, reduced.result("culture"), Words("zh"), "public", MapSetting()),
        tmp_path / "c.png",
        size="A4",
    )
    assert public.read_bytes() == again.read_bytes()


def test_residents_have_the_colours_of_the_legend(town, tmp_path):
    seen = {
        tuple(colour)
        for colour in pixels(lc.static_map(town, "culture", tmp_path / "a.png"))[::2, ::2].reshape(-1, 3)
    }
    for name in ("covered", "beyond_0", "beyond_1", "beyond_2", "disconnected"):
        code = CELL_COLOURS[name].removeprefix("#")
        assert tuple(int(code[at : at + 2], 16) for at in (0, 2, 4)) in seen, name


def test_larger_paper_has_a_larger_map_and_nearly_the_same_type(town, tmp_path, monkeypatch):
    views: list[Any] = []
    draw = _paper_map.draw_map
    monkeypatch.setattr(
        _paper_legend,
        "draw_map",
        lambda one, sheet, view: (views.append((sheet, view)), draw(one, sheet, view)),
    )
    small, large = (
        lc.static_map(town, "clinic", tmp_path / f"{size}.png", size=size) for size in ("A4", "A3")
    )
    (a4, first), (a3, second) = views
    assert 1.0 < a3.factor / a4.factor < 1.2
    assert first.metres_per_mm / second.metres_per_mm > 1.45
    assert second.frame[2] / 420 > first.frame[2] / 297  # the map has more of the sheet
    assert len(second.numbered) >= len(first.numbered)
    ratio = np.array(pixels(large).shape[:2]) / np.array(pixels(small).shape[:2])
    assert ratio == pytest.approx([2**0.5, 2**0.5], abs=0.005)
    assert pixels(small).shape[:2] == (496, 701)


def test_scale_bar_is_as_long_as_it_says(town, tmp_path, monkeypatch):
    drawn: list[Any] = []
    scale = _paper_map._scale_and_north
    monkeypatch.setattr(
        _paper_map, "_scale_and_north", lambda axes, *rest: (drawn.append(axes), scale(axes, *rest))
    )
    lc.static_map(town, "culture", tmp_path / "a.png")
    bar = next(line for line in drawn[0].lines if len(line.get_xdata()) == 4)
    assert np.ptp(bar.get_xdata()) == 5000.0
    assert drawn[0].get_xlim()[1] - drawn[0].get_xlim()[0] > np.ptp(bar.get_xdata()) * 5
    wide, high = (np.ptp(limits) for limits in (drawn[0].get_xlim(), drawn[0].get_ylim()))
    *_, width, height = drawn[0].get_position().bounds
    assert wide / high == pytest.approx(width * 297 / (height * 210))


def test_every_target_with_a_figure_has_a_map(town, tmp_path):
    paths = static_maps([atlas_town.with_kinds(town)], tmp_path / "maps", language="en")
    names = ["culture", "clinic", "literacy", "clinics", "beds", "bus_share"]
    assert [path.name for path in paths] == [f"{name}-2025.png" for name in names]
    assert len({zlib.crc32(path.read_bytes()) for path in paths}) == len(names)


def plan_of(town, people: float | None = 312.0):
    """Propose two sites for the first circle."""
    homes = town.demand.geometry.dropna()
    sites = [
        {"lon": homes.iloc[row].x, "lat": homes.iloc[row].y, "name": f"地块{row}", "service": "library"}
        | {"people": people}
        for row in (3, 90)
    ]
    return {
        "target": "culture", "year": town.year, "objective": "max_cover", "status": "optimal", "sites": sites,
        "value": 900.0, "bound": 900.0, "gap": 0.0, "people": 1000.0, "covered_before": 276.0,
        "covered_after": 900.0,
    }  # fmt: skip


@pytest.mark.parametrize("edition", ["internal", "public"])
def test_a_plan_has_a_picture_with_its_sites(town, tmp_path, monkeypatch, edition):
    seen: dict[str, list[str]] = {}
    monkeypatch.setattr(
        _paper_sheet, "check_characters", lambda texts: seen.update({str(len(seen)): list(texts)})
    )
    plans = [plan_of(town), plan_of(town), plan_of(town) | {"year": 1999}, plan_of(town) | {"target": "none"}]
    paths = static_maps([town], tmp_path, language="zh", edition=edition, plans=plans)
    drawn = [path.name for path in paths]
    assert [name for name in drawn if "plan" in name] == [
        f"culture-{town.year}-plan.png",
        f"culture-{town.year}-plan-2.png",
    ]
    texts = seen[str(drawn.index(f"culture-{town.year}-plan.png"))]
    title = " ".join(texts)
    assert ("覆盖率 27.6% → 90.0%，新覆盖 624 人" in title) == (edition == "internal")
    assert {"地块3", "地块90", "1", "2", "选址方案的新址"} <= set(texts)
    assert ("新增 312 人" in texts) == (edition == "internal")
    assert "新增 2 处：" in title
    plain = seen[str(drawn.index(f"culture-{town.year}.png"))]
    assert "地块3" not in plain


def test_the_sites_of_a_plan_have_its_colour_where_they_lie(town, tmp_path, monkeypatch):
    found = []
    draw = _paper_map.draw_map

    def drawn(*given):
        axes = draw(*given)
        found.extend(line.get_xydata() for line in axes.findobj(_is_site))
        return axes

    monkeypatch.setattr(_paper_legend, "draw_map", drawn)
    static_maps([town], tmp_path, kinds=(), plans=[plan_of(town)])
    ground = _paper_map.Ground(town)
    sites = np.array([(one["lon"], one["lat"]) for one in plan_of(town)["sites"]])
    assert np.allclose(np.sort(np.concatenate(found), axis=0), np.sort(ground.points(sites), axis=0))


def _is_site(line) -> bool:
    return hasattr(line, "get_markerfacecolor") and line.get_markerfacecolor() == "#0f5132"


def test_what_cannot_be_drawn_is_reported_with_all_faults(town, tmp_path):
    with pytest.raises(UnusableInputError) as caught:
        lc.static_map(town, "literacy", tmp_path / "a.jpg", size="A5")
    text = str(caught.value)
    assert "jpg" in text
    assert "A4, A3" in text
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyError, match="no target 'nope'"):
        lc.static_map(town, "nope", tmp_path / "a.png")


def test_units_without_are_numbered_and_listed(town, tmp_path, monkeypatch):
    kinds = atlas_town.with_kinds(town)
    texts = texts_of(monkeypatch, lambda: lc.static_map(kinds, "clinics", tmp_path / "a.png"))
    first = kinds.villages.iloc[2]
    assert f"{kinds.districts['name'][first['district']]} · {first['name']}" in texts
    assert {"具备（10 个）", "缺少（2 个）", "具备者占比", "缺少的村（社区） 2 个", "420 人"} <= set(texts)
    assert texts.count("1") == 2  # on the map and beside it


def test_districts_of_a_capacity_bear_their_figures_and_colours(town, tmp_path, monkeypatch):
    kinds = atlas_town.with_kinds(town)
    path = tmp_path / "a.png"
    texts = texts_of(monkeypatch, lambda: lc.static_map(kinds, "beds", path))
    assert {"3.9 / 1000人", "5.5 / 1000人", "达到目标值（≥ 4.5 / 1000人）"} <= set(texts)
    shown = pixels(path).reshape(-1, 3)
    for name in ("reached", "below"):
        colour = AREA_COLOURS[name]
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(shown - wanted).max(axis=1) <= 2).sum() > 5000


@pytest.mark.parametrize(
    ("target", "wanted"), [("bus_share", "全县一个数"), ("places", "没有数值，地图只画界线")]
)
def test_no_sheet_is_empty(town, tmp_path, monkeypatch, target, wanted):
    kinds = atlas_town.with_kinds(town)
    texts = texts_of(monkeypatch, lambda: lc.static_map(kinds, target, tmp_path / "a.png"))
    assert any(wanted in text for text in texts)
    assert set(kinds.districts["name"]) <= set(texts)


def test_a_character_without_a_glyph_is_an_error_that_names_the_remedy(town, tmp_path):
    named = atlas_town.with_names(town, ["\U00013080 县"])
    with pytest.raises(
        FontError, match=r"U\+13080.*Remedy: install a Chinese font.*fonts-noto-cjk"
    ) as caught:
        lc.static_map(named, "culture", tmp_path / "a.png")
    assert isinstance(caught.value, LifecircleError)
    assert isinstance(caught.value, LookupError)
    assert not (tmp_path / "a.png").exists()


def test_without_a_chinese_font_chinese_is_an_error(town, tmp_path, monkeypatch):
    monkeypatch.setattr(_fonts, "CJK_FAMILIES", ("No Such Font",))
    with pytest.raises(FontError, match="in DejaVu Sans"):
        lc.static_map(town, "culture", tmp_path / "a.png")


def test_the_chinese_face_is_taken_by_name():
    name = _fonts.families()[0]
    assert name in _fonts.CJK_FAMILIES
    assert not name.endswith((" JP", " KR", " TC", " HK"))


def test_without_matplotlib_the_error_names_the_extra(town, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"lifecircle\[print\]"):
        lc.static_map(town, "culture", tmp_path / "a.png")


@pytest.mark.parametrize("name", ["$x_1$ & <b>", "长" * 80, "(A)", "مكتبة"[:0] + "x"])
def test_names_are_only_ever_text(town, tmp_path, monkeypatch, name):
    texts = texts_of(
        monkeypatch,
        lambda: lc.static_map(atlas_town.with_names(town, [name]), "culture", tmp_path / "a.png"),
    )
    assert name in texts


def test_drawing_leaves_matplotlib_as_it_was(town, tmp_path):
    mpl = pytest.importorskip("matplotlib")
    before = dict(mpl.rcParams)
    lc.static_map(town, "culture", tmp_path / "a.png")
    assert dict(mpl.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_lines_break_where_they_may():
    text = "步行 15 分钟以内到达必备类设施 1 处、公益类设施 2 处，另见 EPSG:4549"
    lines = wrapped(text, 30, 7.5)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(not line.startswith(("，", "、")) for line in lines)
    assert all(len(line) <= 22 for line in lines)
    assert any("EPSG:4549" in line for line in lines)
    assert list(itertools.chain(wrapped("", 10, 7))) == [""]


def test_a_word_longer_than_a_line_is_cut_and_nothing_is_lost():
    name = "x" * 90
    lines = wrapped(f"a {name} b", 30, 7.5)
    assert "".join(lines).replace(" ", "") == f"a{name}b"
    assert all(len(line) <= 21 for line in lines)
    assert [shortened(name, room, 7.5) for room in (0.0, -3.0)] == ["…", "…"]


@pytest.mark.parametrize("edition", ["internal", "public"])
@pytest.mark.parametrize("number", ["", "浙S(2026)1号"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_review_number_and_not_for_publication_never_stand_together(town, edition, number, language):
    real = dataclasses.replace(town, synthetic=False, publication=Publication("", "", number))
    words = Words(language)
    texts = " ".join(
        [stamp(real, words, edition), *margin(real, words, edition=edition, setting=MapSetting()).values()]
    )
    forbidden = "不得公开" in texts or "not to be made public" in texts
    assert forbidden == (edition == "internal")
    assert ("浙S(2026)1号" in texts) == (edition == "public" and bool(number))
    assert ("未送审" in texts or "not submitted" in texts) == (not number)
