"""A study's maps: years, editions, mask, labels and base layers, from study.toml and the command line."""

from __future__ import annotations

import json
import re
import shutil

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner

import atlas_town
from atlas_town import data_of
from conftest import TOYTOWN, edit
from lifecircle.atlas import UnknownAssetError, draw_atlas, page_figure
from lifecircle.atlas._base_maps import base_maps
from lifecircle.audit import prepare, read_networks, run_audit
from lifecircle.cli import cli
from lifecircle.errors import UnusableInputError
from lifecircle.maps import MapOrder, draw_study, map_setting, years_of
from lifecircle.publication import MapSetting, roads_without_masked, without_masked
from lifecircle.study import BaseLayer, read_study

OFFLINE = "img-src data: blob:; "


def policy_of(page: str) -> str:
    return re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Give a toy town with runs of two years, to draw from again and again."""
    study = shutil.copytree(TOYTOWN, tmp_path_factory.mktemp("kept") / "toytown")
    for year in (2024, 2025):
        run_audit(study, year, out=study / "results")
    return study


@pytest.fixture
def study(kept, tmp_path):
    """Give a copy of it that a test may change."""
    return shutil.copytree(kept, tmp_path / "toytown")


# ---------------------------------------------------------------------------------------------------------
# Years


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2025", (2025,)),
        ("2021,2025", (2021, 2025)),
        ("2023-2025, 2021", (2021, 2023, 2024, 2025)),
        ("2024-2024", (2024,)),
    ],
)
def test_years_as_people_write_them(text, years):
    assert years_of(text) == years


@pytest.mark.parametrize("text", ["", "25", "2025-2021", "2021;2022", "soon"])
def test_years_that_are_none_are_refused(text):
    with pytest.raises(UnusableInputError, match=r"no span of years.*Remedy: write 2021-2023,2025"):
        years_of(text)


def test_left_out_the_years_are_the_studys_and_the_one_before(study):
    (path,) = draw_study(study)
    assert path == study / "maps" / "toytown.html"
    assert [one["year"] for one in data_of(path.read_text("utf-8"))["years"]] == [2024, 2025]


def test_a_year_the_files_do_not_reach_is_left_out(study):
    edit(study / "study.toml", 'file = "residents.csv"', 'file = { 2025 = "residents.csv" }')
    shutil.rmtree(study / "results" / "2024")
    (path,) = draw_study(study)
    assert [one["year"] for one in data_of(path.read_text("utf-8"))["years"]] == [2025]
    with pytest.raises(UnusableInputError, match="no file for 2024 or before"):
        draw_study(study, MapOrder(years=(2024, 2025)))


def test_a_year_without_a_run_is_computed_in_memory(study):
    (drawn,) = draw_study(study, MapOrder(years=(2023, 2025)))
    assert [one["year"] for one in data_of(drawn.read_text("utf-8"))["years"]] == [2023, 2025]
    assert not (study / "results" / "2023").exists()


def test_drawn_twice_the_page_has_the_same_bytes(study, tmp_path):
    (first,) = draw_study(study, MapOrder(out=tmp_path / "a.html"))
    (second,) = draw_study(study, MapOrder(out=tmp_path / "b.html"))
    assert first.read_bytes() == second.read_bytes()


# ---------------------------------------------------------------------------------------------------------
# The command


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)


def test_command_takes_years_edition_language_and_a_folder_for_pictures(study, tmp_path):
    pytest.importorskip("matplotlib", reason="maps on paper need the extra print")
    done = run(
        "atlas",
        study,
        "--years",
        "2025",
        "--edition",
        "public",
        "--language",
        "zh",
        "--static",
        tmp_path / "maps",
    )
    assert done.exit_code == 0, done.output
    page = (study / "maps" / "toytown-public-zh.html").read_text("utf-8")
    data = data_of(page)
    assert (data["about"]["edition"], data["language"], len(data["years"])) == ("public", "zh", 1)
    assert not data.get("roads")
    names = {path.name for path in (tmp_path / "maps").iterdir()}
    assert names == {f"{one}-2025.png" for one in ("reading", "health", "culture")}
    assert done.output.splitlines()[0].endswith("toytown-public-zh.html")
    assert len(done.output.splitlines()) == 4


def test_internal_page_holds_the_roads_unless_they_are_left_out(study, tmp_path):
    assert run("atlas", study, "--out", tmp_path / "with.html").exit_code == 0
    assert run("atlas", study, "--no-roads", "--out", tmp_path / "without.html").exit_code == 0
    with_roads, without = ((tmp_path / f"{name}.html").read_text("utf-8") for name in ("with", "without"))
    assert data_of(with_roads)["roads"] is not None
    assert data_of(without)["roads"] is None
    assert data_of(with_roads)["about"]["edition"] == "internal"


def plan_file(folder, **facts):
    folder.mkdir()
    site = {"id": "K1", "name": "示例地块", "lon": 120.9, "lat": 30.5, "service": "library", "people": 40.0}
    plan = {
        "study": "toytown",
        "target": "reading",
        "year": 2025,
        "objective": "max_cover",
        "status": "optimal",
        "value": 255.0,
        "bound": 255.0,
        "gap": 0.0,
        "sites": [site],
        "curve": [{"sites": 0, "people": 215.0}, {"sites": 1, "people": 255.0}],
    }
    (folder / "plan.json").write_text(json.dumps(plan | facts), "utf-8")
    return folder


def test_the_page_shows_a_plan_by_its_folder_or_file(study, tmp_path):
    folder = plan_file(tmp_path / "plan")
    for number, given in enumerate((folder, folder / "plan.json")):
        out = tmp_path / f"{number}.html"
        assert run("atlas", study, "--no-roads", "--plan", given, "--out", out).exit_code == 0
        page = out.read_text("utf-8")
        (plan,) = data_of(page)["plans"]
        assert (plan["line"], plan["curve"]) == ("255 people covered, proved best", [[0, 215.0], [1, 255.0]])
        assert plan["sites"][0]["name"] == "示例地块"
        assert 'lifecirclePage.layer("plans")' in page


def test_pictures_have_one_of_the_plan_and_replace_no_other_file(study, tmp_path):
    pytest.importorskip("matplotlib", reason="maps on paper need the extra print")
    order = MapOrder(
        out=tmp_path / "page.html",
        roads=False,
        static=tmp_path / "pictures",
        plans=(plan_file(tmp_path / "plan"),),
    )
    picture = tmp_path / "pictures" / "reading-2025-plan.png"
    assert picture in draw_study(study, order)
    assert picture.read_bytes().startswith(b"\x89PNG")
    picture.write_text("notes of mine", "utf-8")
    with pytest.raises(UnusableInputError, match=r"reading-2025-plan\.png"):
        draw_study(study, order)
    assert picture.read_text("utf-8") == "notes of mine"


def test_faults_of_all_plans_at_once_and_no_page(study, tmp_path):
    other = plan_file(tmp_path / "other", study="elsewhere")
    broken = plan_file(tmp_path / "broken")
    (broken / "plan.json").write_text("[", "utf-8")
    order = MapOrder(plans=(other, broken, tmp_path / "nowhere"), out=tmp_path / "page.html")
    with pytest.raises(UnusableInputError, match=r"(?s)another study.*not a siting plan.*no plan here"):
        draw_study(study, order)
    assert not (tmp_path / "page.html").exists()


def test_the_public_edition_does_not_take_roads(study):
    with pytest.raises(UnusableInputError, match=r"the public edition holds no roads.*leave out --roads"):
        draw_study(study, MapOrder(edition="public", roads=True))


def test_roads_of_the_page_are_those_of_the_audit(study):
    declared = read_study(study)
    alone, audited = read_networks(declared, 2025), prepare(declared, 2025).networks
    assert {name: roads.key for name, roads in alone.items()} == {
        name: roads.key for name, roads in audited.items()
    }


# ---------------------------------------------------------------------------------------------------------
# What study.toml says of maps


def test_setting_of_a_study(study):
    (study / "around.csv").write_text(
        "name,lon,lat,kind\n平湖市,121.02,30.70,\n杭州湾,121.0,30.4,water\n", "utf-8"
    )
    square = gpd.GeoDataFrame(geometry=[shapely.box(120.9, 30.5, 120.91, 30.51)], crs="EPSG:4326")
    square.to_file(study / "mask.geojson")
    with (study / "study.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[publish]\nmask = "mask.geojson"\nmin_people = 30\n'
            '[atlas]\nbase = ["osm"]\nlabels = "around.csv"\ndata_date = "2025-12-31"\n'
        )
    setting = map_setting(read_study(study))
    assert (setting.min_people, setting.base, setting.data_date) == (30, ("osm",), "2025-12-31")
    assert setting.labels["kind"].tolist() == ["neighbour", "water"]
    assert shapely.equals(setting.mask[0], square.geometry.iloc[0])
    (path,) = draw_study(study)
    page = path.read_text("utf-8")
    assert "Data as of: 2025-12-31" in page
    assert '"杭州湾"' in page or "\\u676d\\u5dde\\u6e7e" in page


def test_faults_of_labels_are_reported_with_their_rows(study):
    (study / "around.csv").write_text(
        "name,lon,lat,kind\n平湖市,121.02,30.70,city\n,121.0,30.4,water\n海,,,water\n", "utf-8"
    )
    with (study / "study.toml").open("a", encoding="utf-8") as file:
        file.write('\n[publish]\nmask = "nowhere.gpkg"\n[atlas]\nlabels = "around.csv"\n')
    with pytest.raises(UnusableInputError) as caught:
        map_setting(read_study(study))
    text = str(caught.value)
    assert "nowhere.gpkg" in text
    assert "row 2, column 'kind': unknown kind (found: city). Remedy: write neighbour or water" in text
    assert "row 3, column 'name'" in text
    assert "row 4" in text


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ('base = ["amap"]', r"drawn in GCJ-02.*found: amap"),
        ('base = ["baidu_vec"]', r"drawn in BD-09"),
        ('base = ["腾讯"]', r"drawn in GCJ-02"),
        ('base = ["openstreetmap"]', r"not one of the words allowed.*found: openstreetmap"),
        ('base = ["tianditu_img"]', r"tianditu layers need a key.*Remedy: add tianditu_key"),
        ('label = "a.csv"', r"unknown key.*did you mean 'labels'"),
    ],
)
def test_base_layers_that_are_refused(study, line, match):
    with (study / "study.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[atlas]\n{line}\n")
    with pytest.raises(UnusableInputError, match=match):
        read_study(study)


def test_the_study_and_the_page_know_the_same_base_layers():
    assert list(base_maps(BaseLayer.__args__, tianditu_key="k")) == list(BaseLayer.__args__)


# ---------------------------------------------------------------------------------------------------------
# Base layers in the page


@pytest.fixture(scope="module")
def town():
    return atlas_town.town(residents=300)


def test_without_base_layers_no_host_may_be_asked(town):
    page = page_figure([town]).render()
    assert OFFLINE in policy_of(page)
    assert "tile.openstreetmap.org" not in page
    assert "tianditu" not in page.replace("base_tianditu", "")


def test_the_policy_lists_exactly_the_hosts_asked_for(town):
    page = page_figure([town], setting=MapSetting(base=("osm",))).render()
    assert "img-src data: blob: https://tile.openstreetmap.org; " in policy_of(page)
    assert "connect-src 'none'" in policy_of(page)
    both = MapSetting(base=("tianditu_vec", "tianditu_img"), tianditu_key="a&b")
    page = page_figure([town], setting=both).render()
    hosts = " ".join(f"https://t{number}.tianditu.gov.cn" for number in range(8))
    assert f"img-src data: blob: {hosts}; " in policy_of(page)
    for layer in ("vec", "cva", "img", "cia"):
        assert f"{layer}_w/wmts?SERVICE=WMTS" in page
    assert "tk=a%26b" in page
    assert "tk=a&b" not in page


@pytest.mark.parametrize(
    ("base", "match"),
    [(("高德",), "GCJ-02"), (("carto",), "no such base layer"), (("tianditu_vec",), "asks for a key")],
)
def test_python_callers_are_refused_the_same(town, tmp_path, base, match):
    with pytest.raises(UnusableInputError, match=match):
        draw_atlas([town], tmp_path / "a.html", setting=MapSetting(base=base))
    assert not list(tmp_path.iterdir())


def test_other_tiles_are_still_refused(town):
    folium = pytest.importorskip("folium")
    figure = page_figure([town], setting=MapSetting(base=("osm",)))
    page_map = next(child for child in figure._children.values() if isinstance(child, folium.Map))
    page_map.add_child(folium.TileLayer("https://tiles.example.org/{z}/{x}/{y}.png", attr="x"))
    with pytest.raises(UnknownAssetError, match=r"tiles\.example\.org"):
        figure.render()


# ---------------------------------------------------------------------------------------------------------
# The mask


def test_nothing_in_the_mask_is_drawn_and_no_figure_changes(town):
    venue = town.facilities.geometry.iloc[0]
    area = venue.buffer(0.02)
    masked = without_masked(town, [area])
    hidden = [place is not None and area.intersects(place) for place in town.demand.geometry]
    assert sum(hidden) > 3
    assert masked.demand.geometry.isna().to_numpy()[hidden].all()
    assert len(masked.demand) == len(town.demand)
    assert masked.targets == town.targets
    for layer in (masked.facilities, masked.villages, masked.demand):
        assert not layer.geometry.dropna().intersects(area).any()
    assert town.facilities.index[0] not in masked.facilities.index
    assert not (masked.nearest == town.facilities.index[0]).any(axis=None)
    inside = shapely.intersects_xy(area, masked.gaps["lon"].astype(float), masked.gaps["lat"].astype(float))
    assert not inside.any()
    assert without_masked(town, []) is town


def test_roads_in_the_mask_are_left_out():
    roads = atlas_town.crossroads()
    west = shapely.box(atlas_town.WEST, 30.52, atlas_town.WEST + 0.01, 30.54)
    kept = roads_without_masked(roads, [west])
    assert len(kept.u) == 1
    (line,) = gpd.GeoSeries(kept.lines, crs=roads.crs).to_crs("EPSG:4326")
    assert np.allclose(
        shapely.get_x(shapely.get_point(line, [0, -1])), (atlas_town.WEST + atlas_town.EAST) / 2
    )


@pytest.mark.parametrize("edition", ["internal", "public"])
def test_the_mask_is_in_no_edition(town, tmp_path, edition):
    venue = town.facilities.iloc[[0]]
    area = venue.geometry.iloc[0].buffer(0.02)
    name = str(venue["name"].iloc[0])
    path = draw_atlas([town], tmp_path / "a.html", edition=edition, setting=MapSetting(mask=(area,)))
    page = path.read_text("utf-8")
    assert name not in page
    assert name not in str(data_of(page))
    assert name in str(data_of(draw_atlas([town], tmp_path / "b.html", edition=edition).read_text("utf-8")))
