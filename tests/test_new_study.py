"""A new study: what each file is taken for, what is guessed of it, and that the study is read and audited."""

import errno
import os
import shutil
import tomllib

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from commands import run as lifecircle
from conftest import ROOT, TOYTOWN
from lifecircle.audit import run_audit
from lifecircle.datum import bd09_from_wgs84, gcj02_from_wgs84
from lifecircle.errors import MissingFileError, UnusableInputError, system_errors
from lifecircle.forms import FormOrder, write_forms
from lifecircle.new_study import NewOrder, look_at, match_words, role_of, write_study
from lifecircle.standards import load_standard
from lifecircle.study import example_folder, read_study
from lifecircle.wording import word

EXAMPLE = example_folder()


@pytest.fixture(scope="module")
def standard():
    return load_standard("haiyan-2025")


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """Write a study from the example's own files, shown as raw ones: (what was made, its study.toml)."""
    raw = tmp_path_factory.mktemp("raw")
    for path in EXAMPLE.iterdir():
        if path.is_file() and path.name != "study.toml":
            shutil.copy(path, raw)
    made = write_study(raw.parent / "haiyan-new", [raw])
    return made, tomllib.loads(made.path.read_text("utf-8"))


def written(path):
    return tomllib.loads(path.read_text("utf-8"))


def first_role(path, standard):
    return role_of(look_at(path)[0], standard).name


# --- the example, whose own study.toml is the answer ---------------------------------------------------


def own_study():
    return tomllib.loads((EXAMPLE / "study.toml").read_text("utf-8"))


def file_names(part):
    return {one["file"].rpartition("/")[2] for one in (part if isinstance(part, list) else [part])}


@pytest.mark.parametrize(
    "part", ["roads", "demand", "districts", "villages", "facilities", "outlets", "barriers"]
)
def test_every_file_of_the_example_is_what_its_study_says(example, part):
    assert file_names(example[1][part]) == file_names(own_study()[part])


def test_figures_sites_land_and_labels_of_the_example(example):
    made, own = example[1], own_study()
    assert file_names([made["indicators"], *made["indicators"]["more"]]) == file_names(
        [own["indicators"], *own["indicators"]["more"]]
    )
    assert made["siting"]["candidates"].endswith(own["siting"]["candidates"])
    assert made["siting"]["works"] == own["siting"]["works"]
    land = {"farmland", "redline", "development"}
    assert set(made["siting"]["exclude"]) == land
    assert made["siting"]["exclude"]["development"]["outside"] is True
    assert made["atlas"]["labels"].endswith(own["atlas"]["labels"])


def test_datums_services_and_groups_of_the_example(example):
    made, own = example[1], own_study()
    by_file = {one["file"].rpartition("/")[2]: one for one in made["facilities"]}
    for theirs in own["facilities"]:
        ours = by_file[theirs["file"]]
        assert ours.get("datum", "wgs84") == theirs.get("datum", "wgs84"), theirs["file"]
        assert ours.get("services", {}) == theirs.get("services", {}), theirs["file"]
    assert made["demand"]["groups"] == own["demand"]["groups"]
    assert by_file["welfare.csv"]["columns"] == {"carers": "持证护理人员"}
    assert made["outlets"]["services"] == own["outlets"]["services"]
    income = next(one for one in made["indicators"]["more"] if "target" in one)
    assert income["items"] == own["indicators"]["more"][-1]["items"]
    assert (made["year"], made["language"], made["standard"]) == (2025, "zh", {"use": "haiyan-2025"})
    assert made["synthetic"] is True


def test_what_is_not_used_is_named_with_its_reason(example):
    made, _ = example
    left_out = {shown.path.name: role.name for shown, role in made.left_out}
    assert left_out == {
        "README.md": "unknown",
        "faults.csv": "unknown",
        "designed.csv": "unplaced_villages",
        "named-projects.csv": "changes",
    }
    text, lines = made.path.read_text("utf-8"), "\n".join(made.lines())
    for name in left_out:
        assert name in text
        assert name in lines


def test_every_guess_is_marked_and_the_number_is_said(example):
    made, _ = example
    marked = [line for line in made.path.read_text("utf-8").splitlines() if line.startswith("# 猜测：")]
    assert len(marked) == made.guesses > 30
    assert f"共有 {made.guesses} 处猜测" in made.lines()[-1]


# --- read, checked, audited ---------------------------------------------------------------------------


def test_the_toy_town_has_the_results_of_its_own_study(toytown, tmp_path):
    """Metres without a declared zone, groups and profile are found: the figures are those counted by hand."""
    made = write_study(tmp_path / "new", [path for path in toytown.iterdir() if path.name != "study.toml"])
    assert (made.missing, made.left_out) == ((), ())
    ours, theirs = run_audit(made.path.parent), run_audit(toytown)
    assert [one.value for one in ours.targets] == [one.value for one in theirs.targets]
    assert [one.status for one in ours.targets] == [one.status for one in theirs.targets]


def test_paths_are_relative_and_the_same_files_give_the_same_text(toytown, tmp_path):
    one = write_study(tmp_path / "a" / "town", [toytown])
    two = write_study(tmp_path / "b" / "town", [toytown])
    text = one.path.read_text("utf-8")
    assert text == two.path.read_text("utf-8")
    assert str(tmp_path) not in text
    assert ".." not in text
    assert written(one.path)["roads"]["file"] == "roads.geojson"


def test_files_elsewhere_are_copied_and_said_and_those_inside_stay(toytown, tmp_path):
    """A name that is taken gets a number; a file that is there already in the same bytes is used."""
    folder = tmp_path / "new"
    (folder / "data").mkdir(parents=True)
    shutil.copy(toytown / "roads.geojson", folder / "data")
    shutil.copy(toytown / "districts.geojson", folder)
    (folder / "facilities.csv").write_text("something else\n")
    files = [folder / "data" / "roads.geojson", *(toytown / name for name in TABLES)]
    made = write_study(folder, files)
    plain = written(made.path)
    assert plain["roads"]["file"] == "data/roads.geojson"
    assert plain["districts"]["file"] == "districts.geojson"
    assert plain["facilities"][0]["file"] == "facilities-2.csv"
    assert made.copied == ("residents.csv", "facilities-2.csv", "standard.toml")
    assert "residents.csv, facilities-2.csv, standard.toml" in "\n".join(made.lines())
    assert (folder / "facilities.csv").read_text() == "something else\n"
    assert (folder / "facilities-2.csv").read_bytes() == (toytown / "facilities.csv").read_bytes()


TABLES = ("districts.geojson", "residents.csv", "facilities.csv", "standard.toml")


def test_a_copy_that_fails_leaves_nothing_behind(toytown, tmp_path, monkeypatch):
    def full(source, target):
        if source.name == "facilities.csv":
            raise OSError(28, "No space left on device")
        return copy(source, target)

    copy = shutil.copyfile
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(UnusableInputError, match="the disk is full"):
        write_study(tmp_path / "new", [toytown])
    assert list((tmp_path / "new").iterdir()) == []


def test_a_study_that_is_there_is_never_replaced(toytown):
    before = (toytown / "study.toml").read_bytes()
    with pytest.raises(UnusableInputError, match="there is a study here already"):
        write_study(toytown, [toytown])
    assert (toytown / "study.toml").read_bytes() == before


def test_missing_files_are_named_all_at_once_and_nothing_is_written(tmp_path):
    with pytest.raises(MissingFileError) as raised:
        write_study(tmp_path / "new", [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert [fault.file for fault in raised.value.faults] == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnusableInputError, match="no files to make a study from"):
        write_study(tmp_path / "new", [tmp_path / "empty"])
    assert not (tmp_path / "new").exists()


def test_parts_that_are_missing_are_stood_in_for_and_said(tmp_path):
    shutil.copy(TOYTOWN / "roads.geojson", tmp_path)
    made = write_study(tmp_path / "new", [tmp_path / "roads.geojson"])
    assert made.missing == ("demand", "facilities")
    study = read_study(made.path)
    assert (study.demand.file, study.facilities[0].file) == ("residents.csv", "facilities.csv")
    assert sum("only stands for it" in line for line in made.lines()) == 2


# --- a list whose file alone says its service -------------------------------------------------------------

PLACES = pd.DataFrame({"名称": ["东村", "西村"], "经度": [120.91, 120.93], "纬度": [30.51, 30.52]})


@pytest.mark.parametrize(
    ("stem", "service"),
    [
        ("卫生室", "village_clinic"),
        ("海盐县卫生室名单2025", "village_clinic"),
        ("village clinics 2024", "village_clinic"),
        ("文化礼堂", "culture_hall"),
        ("健身点", "fitness_site"),
        ("托育园", "nursery"),
        ("养老照料中心", "elder_care_station"),
        ("公交站", "bus_stop"),
        ("小学", "primary_school"),
        ("卫生院", "town_health_centre"),
        ("社区卫生服务中心", "community_health_centre"),
        ("kindergarten_nursery", "kindergarten_nursery"),
        # Two services, a word of several, one that the profile has not, and what only sounds like one.
        ("图书馆和小学", None),
        ("中小学", None),
        ("农家书屋", None),
        ("pet_clinic", None),
        ("清单", None),
    ],
)
def test_a_list_is_of_the_one_service_its_file_is_called_after(tmp_path, stem, service):
    PLACES.to_csv(tmp_path / f"{stem}.csv", index=False)
    made = write_study(tmp_path / "new", [tmp_path / f"{stem}.csv"], NewOrder(profile="haiyan-2025"))
    assert written(made.path)["facilities"][0].get("service") == service


def test_places_without_a_name_are_of_the_service_of_their_file(standard, tmp_path):
    for stem in ("公交站", "places"):
        PLACES[["经度", "纬度"]].to_csv(tmp_path / f"{stem}.csv", index=False)
    assert first_role(tmp_path / "公交站.csv", standard) == "facilities"
    assert first_role(tmp_path / "places.csv", standard) == "unknown"


@pytest.mark.parametrize(
    ("language", "first", "count"),
    [("zh", "村卫生室 (village_clinic)", "等，共 47 项"), ("en", "library (library)", "... (47 in all)")],
)
def test_a_list_of_no_known_service_names_those_there_are(tmp_path, standard, language, first, count):
    stem = "村室" if language == "zh" else "list"
    PLACES.to_csv(tmp_path / f"{stem}.csv", index=False)
    order = NewOrder(profile="haiyan-2025", language=language)
    made = write_study(tmp_path / "new", [tmp_path / f"{stem}.csv"], order)
    line = next(line for line in made.lines() if 'service = "' in line)
    assert len(line) < 450
    assert first in line
    assert count in line
    text = made.path.read_text("utf-8")
    comments = "".join(line for line in text.splitlines() if line.startswith("#"))
    assert all(f"{one.name.get(language)} ({one.id})" in comments for one in standard.services)


# --- roles ---------------------------------------------------------------------------------------------


def polygons(names, **columns):
    boxes = [shapely.box(120 + at / 10, 30, 120.1 + at / 10, 30.1) for at in range(len(names))]
    return gpd.GeoDataFrame({"name": names, **columns}, geometry=boxes, crs="EPSG:4326")


def lines(**columns):
    drawn = [shapely.LineString([(120, 30), (120.01, 30)])]
    return gpd.GeoDataFrame(columns, geometry=drawn, crs="EPSG:4326")


@pytest.mark.parametrize(
    ("file", "frame", "role"),
    [
        ("a.geojson", lines(highway=["path"]), "roads"),
        ("水系.geojson", lines(name=["河"]), "barriers"),
        ("b.geojson", lines(waterway=["canal"]), "barriers"),
        ("c.geojson", polygons(["甲镇", "乙街道"]), "districts"),
        ("d.geojson", polygons(["甲", "乙"], code=["330424001", "330424002"]), "districts"),
        ("e.geojson", polygons(["甲", "乙"], 人口=[10, 20]), "demand"),
        ("f.geojson", polygons(["甲", "乙"], code=["330424001001", "330424001002"]), "villages"),
        ("g.geojson", polygons(["A", "B"], 类别=["体育公园", "体育公园"]), "facilities"),
        ("公园.geojson", polygons(["A", "B"]), "facilities"),
        ("h.geojson", polygons(["永久基本农田"]), "exclude"),
    ],
)
def test_the_role_of_a_layer(tmp_path, standard, file, frame, role):
    frame.to_file(tmp_path / file)
    assert first_role(tmp_path / file, standard) == role


@pytest.mark.parametrize(
    ("file", "text", "role"),
    [
        ("a.csv", "lon,lat,people\n120,30,5\n", "demand"),
        ("b.csv", "经度,纬度,甲乙丙\n120,30,5\n", "demand"),
        ("c.csv", "名称,类别,经度,纬度\n甲,图书馆,120,30\n", "facilities"),
        ("d.csv", "名称,类别,地址\n甲,图书馆,河滨路1号\n", "addresses"),
        ("e.csv", "名称,地址\n甲,河滨路1号\n", "addresses"),
        ("f.csv", "code,name,lon,lat\n330424001001,甲,120,30\n", "villages"),
        ("g.csv", "code,name\n330424001001,甲\n", "unplaced_villages"),
        ("h.csv", "code,name\n330424001,甲\n", "unplaced_districts"),
        ("i.csv", "指标,年份,数值\n家庭医生签约率,2024,86%\n", "indicators"),
        ("j.csv", "指标,年份,数值\n钢产量,2024,86\n", "unknown"),
        ("k.csv", "action,id\nclose,L1\n", "changes"),
        ("l.csv", "u,v,length\n1,2,100\n", "roads"),
        ("m.csv", 'wkt,等级\n"LINESTRING (120 30, 121 30)",村道\n', "roads"),
        ("验收名单.csv", "村名,备注\n甲村,\n", "accepted"),
        ("n.csv", "p,q\n1,2\n", "unknown"),
        ("o.csv", "", "unknown"),
        ("p.txt", "p,q\n1,2\n", "unknown"),
        ("q.csv", "name,kind,lon,lat\n平湖市,neighbour,120,30\n", "labels"),
        ("r.csv", "name,works,cost,lon,lat\n甲,新建,5,120,30\n", "candidates"),
    ],
)
def test_the_role_of_a_table(tmp_path, standard, file, text, role):
    (tmp_path / file).write_text(text, "utf-8")
    assert first_role(tmp_path / file, standard) == role


def test_a_raster_counts_residents_and_a_graph_is_roads(tmp_path, standard):
    for name, role in (("people.tif", "demand"), ("city.graphml", "roads"), ("city.osm.pbf", "roads")):
        (tmp_path / name).write_bytes(b"")
        assert first_role(tmp_path / name, standard) == role


def test_parts_of_a_shapefile_are_no_files_of_their_own(tmp_path):
    polygons(["甲镇"]).to_file(tmp_path / "towns.shp")
    made = write_study(tmp_path / "new", [tmp_path])
    assert [part.name for part in made.parts] == ["towns.shp"]
    assert made.left_out == ()
    assert {".dbf", ".shx", ".prj"} <= {path.suffix for path in (tmp_path / "new").iterdir()}


# --- words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("library", "library"),
        ("图书馆", "library"),
        ("文化礼堂", "culture_hall"),
        ("社会福利中心", "welfare_centre"),
        ("养老服务照料中心", "elder_care_station"),
        ("Bus Stop", "bus_stop"),
        ("宠物医院", None),
        ("驾校", None),
        ("汽车美容中心", None),
        ("停车场", None),
    ],
)
def test_a_word_means_a_service_or_none(standard, text, service):
    match = match_words([text], standard)
    found = {**dict.fromkeys(match.exact), **match.services}.get(text)
    assert (text if text in match.exact else found) == service
    assert (match.unmatched == {text: 1}) == (service is None)


def test_a_list_with_a_word_of_no_service_stands_as_a_comment(toytown, tmp_path):
    """One list in use, one left out with its reason: the study is read, and the word is named."""
    (tmp_path / "other.csv").write_text("name,service,x,y\nA,library,500000,3377000\nB,zoo,500000,3377000\n")
    made = write_study(tmp_path / "new", [toytown, tmp_path / "other.csv"])
    (part,) = [one for one in made.parts if one.name == "other.csv"]
    assert not part.active
    assert [fault.value for fault in part.against] == ["zoo"]
    assert len(read_study(made.path).facilities) == 1
    text = made.path.read_text("utf-8")
    assert '# file = "other.csv"' in text
    assert "no service of the profile is like: zoo (1)" in text
    assert str(tmp_path) not in text


def test_rows_of_a_map_have_their_services_by_its_classes(tmp_path):
    """AMap's answers: a library, a pet clinic that is none, GCJ-02 without roads to compare with."""
    rows = '县图书馆,图书馆,140500,海盐县,"120.94,30.52"\n爱宠诊所,动物医疗,090701,海盐县,"120.94,30.53"\n'
    (tmp_path / "poi.csv").write_text("name,type,typecode,adname,location\n" + rows, "utf-8")
    made = write_study(tmp_path / "new", [tmp_path / "poi.csv"])
    (part,) = written(made.path)["facilities"]
    assert part == {"file": "poi.csv", "services": "amap", "datum": "gcj02"}
    assert made.parts[0].read == (1, 0)
    assert "1 行是指标表里的服务，1 行不是" in made.path.read_text("utf-8")


@pytest.mark.parametrize(("services", "expected"), [("library,bus_stop", None), ("library,park", "osm")])
def test_a_fetched_list_uses_its_services_unless_the_profile_lacks_one(tmp_path, services, expected):
    """Objects of OpenStreetMap with ids of services: with one that the profile has not, by their classes."""
    one, two = services.split(",")
    rows = f"way/1,A,{one},library,,120.9,30.5\nway/2,B,{two},,bus_stop,120.9,30.6\n"
    (tmp_path / "f.csv").write_text("id,name,service,amenity,highway,lon,lat\n" + rows, "utf-8")
    made = write_study(tmp_path / "new", [tmp_path / "f.csv"])
    assert written(made.path)["facilities"][0].get("services") == expected
    assert (made.parts[0].read, made.parts[0].against) == ((2, 0), [])


@pytest.mark.parametrize(
    ("file", "names", "service"),
    [
        ("list.csv", ["甲镇卫生院", "乙镇卫生院"], "town_health_centre"),
        ("公交站-2024.csv", ["甲", "乙"], "bus_stop"),
        ("list.csv", ["甲", "乙"], None),
    ],
)
def test_one_service_of_all_rows(tmp_path, file, names, service):
    rows = "".join(f"{name},120.0{at},30\n" for at, name in enumerate(names))
    (tmp_path / file).write_text("名称,经度,纬度\n" + rows, "utf-8")
    made = write_study(tmp_path / "new", [tmp_path / file])
    (part,) = made.parts
    assert part.settings.keys.get("service") == service
    assert (part.against == []) == (service is not None)


# --- columns, rows, sheets, years -----------------------------------------------------------------------


def test_of_two_headings_with_one_meaning_the_fuller_is_taken(tmp_path):
    (tmp_path / "a.csv").write_text(
        "名称,学校名称,类别,经度,纬度\n,甲,小学,120,30\n,乙,小学,120,31\n", "utf-8"
    )
    made = write_study(tmp_path / "new", [tmp_path / "a.csv"])
    assert written(made.path)["facilities"][0]["columns"] == {"name": "学校名称"}


def test_columns_of_survey_layers_are_known_by_their_names(tmp_path):
    towns = (
        polygons(["x", "y"])
        .drop(columns="name")
        .assign(XZQMC=["甲镇", "乙镇"], XZQDM=["330424101", "330424102"])
    )
    towns.to_file(tmp_path / "xzq.geojson")
    made = write_study(tmp_path / "new", [tmp_path / "xzq.geojson"])
    assert written(made.path)["districts"]["columns"] == {"name": "XZQMC", "code": "XZQDM"}


def test_headings_that_no_one_knows_are_known_by_what_stands_under_them(tmp_path):
    rows = "".join(f"{at},甲{at}号,图书馆,120.1234{at},30.5432{at}\n" for at in range(3))
    (tmp_path / "a.csv").write_text("序号,叫什么,干什么用,JD,WD\n" + rows, "utf-8")
    made = write_study(tmp_path / "new", [tmp_path / "a.csv"])
    part = written(made.path)["facilities"][0]
    assert part["columns"] == {"name": "叫什么", "service": "干什么用", "lon": "JD", "lat": "WD"}
    assert made.parts[0].read == (3, 0)


@pytest.mark.parametrize("heading", ["POP2000", "2020年常住人口", "人口_2020", "Total Population 2020"])
def test_a_count_of_people_with_its_year(tmp_path, heading):
    (tmp_path / "a.csv").write_text(f"lon,lat,{heading},户数\n120,30,5,2\n", "utf-8")
    made = write_study(tmp_path / "new", [tmp_path / "a.csv"])
    assert written(made.path)["demand"]["columns"] == {"population": heading}


def test_a_count_of_people_under_any_name(tmp_path):
    (tmp_path / "a.csv").write_text("lon,lat,甲乙丙\n120,30,5\n120,31,6\n", "utf-8")
    made = write_study(tmp_path / "new", [tmp_path / "a.csv"])
    assert written(made.path)["demand"]["columns"] == {"population": "甲乙丙"}


def test_a_group_larger_than_the_population_is_none(tmp_path):
    (tmp_path / "a.csv").write_text("lon,lat,人口,60岁以上,残疾人\n120,30,5,6,1\n", "utf-8")
    made = write_study(tmp_path / "new", [tmp_path / "a.csv"])
    assert written(made.path)["demand"]["groups"] == {"disabled": "残疾人"}


def test_titles_sheets_and_encoding(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "图书馆"
    for row in (["某县设施表"], ["名称", "类别", "经度", "纬度"], ["甲", "图书馆", 120, 30]):
        book.active.append(row)
    other = book.create_sheet("人口")
    for row in (["经度", "纬度", "常住人口"], [120, 30, 5]):
        other.append(row)
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "b.csv").write_bytes("名称,类别,经度,纬度\n乙,文化馆,120,30\n".encode("gb18030"))
    made = write_study(tmp_path / "new", [tmp_path / "a.xlsx", tmp_path / "b.csv"])
    plain = written(made.path)
    assert (plain["demand"]["sheet"], plain["facilities"][0]["sheet"]) == ("人口", "图书馆")
    assert plain["facilities"][0]["header_row"] == 2
    assert "GB18030" in made.path.read_text("utf-8")


def test_files_of_several_years_are_one_part(toytown, tmp_path):
    for year in (2021, 2024):
        shutil.copy(toytown / "residents.csv", tmp_path / f"homes-{year}.csv")
    files = [toytown / "roads.geojson", tmp_path / "homes-2021.csv", tmp_path / "homes-2024.csv"]
    made = write_study(tmp_path / "new", files)
    plain = written(made.path)
    assert plain["demand"]["file"] == {"2021": "homes-2021.csv", "2024": "homes-2024.csv"}
    assert plain["year"] == 2024


def test_the_second_table_of_a_kind_is_a_comment(toytown, tmp_path):
    shutil.copy(toytown / "residents.csv", tmp_path / "more.csv")
    text = (tmp_path / "more.csv").read_text("utf-8")
    (tmp_path / "more.csv").write_text(text + text.splitlines()[-1].replace("r7", "r8") + "\n", "utf-8")
    made = write_study(tmp_path / "new", [toytown, tmp_path / "more.csv"])
    assert read_study(made.path).demand.file == "more.csv"  # the longer one
    (part,) = [one for one in made.parts if one.name == "residents.csv"]
    assert "'more.csv' is taken" in part.against[0].reason


def test_villages_stand_for_residents_where_nothing_else_does(tmp_path):
    (tmp_path / "v.csv").write_text("代码,名称,经度,纬度,人口\n330424001001,甲,120,30,50\n", "utf-8")
    made = write_study(tmp_path / "new", [tmp_path / "v.csv"])
    plain = written(made.path)
    assert plain["demand"]["file"] == plain["villages"]["file"] == "v.csv"
    assert "较粗略" in made.path.read_text("utf-8")


# --- datums ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def venues():
    """Give 174 venues of the example in WGS84: lon, lat, service."""
    return pd.read_csv(EXAMPLE / "education.csv")[["name", "service", "lon", "lat"]]


@pytest.mark.parametrize(
    ("datum", "shift"), [("wgs84", None), ("gcj02", gcj02_from_wgs84), ("bd09", bd09_from_wgs84)]
)
def test_the_datum_is_found_from_the_roads(tmp_path, venues, datum, shift):
    if shift is not None:
        lon, lat = shift(venues["lon"].to_numpy(), venues["lat"].to_numpy())
        venues = venues.assign(lon=lon, lat=lat)
    venues.to_csv(tmp_path / "a.csv", index=False)
    made = write_study(tmp_path / "new", [EXAMPLE / "roads.parquet", tmp_path / "a.csv"])
    assert written(made.path)["facilities"][0].get("datum", "wgs84") == datum
    assert f"坐标系按 {datum}：" in made.path.read_text("utf-8")


def test_northing_and_easting_in_each_others_column(tmp_path, venues):
    points = gpd.GeoSeries.from_xy(venues["lon"], venues["lat"], crs="EPSG:4326").to_crs("EPSG:4549")
    venues.drop(columns=["lon", "lat"]).assign(x=points.y, y=points.x).to_csv(tmp_path / "a.csv", index=False)
    made = write_study(tmp_path / "new", [EXAMPLE / "roads.parquet", tmp_path / "a.csv"])
    part = written(made.path)["facilities"][0]
    assert (part["datum"], part["columns"]) == ("EPSG:4549", {"x": "y", "y": "x"})


# --- profile, forms, hostile texts ------------------------------------------------------------------------


def test_the_profile_among_the_files_is_used_and_another_is_named(toytown, tmp_path):
    shutil.copy(toytown / "standard.toml", tmp_path / "zzz.toml")
    made = write_study(tmp_path / "new", [toytown, tmp_path / "zzz.toml"])
    assert written(made.path)["standard"] == {"use": "standard.toml"}
    assert [shown.path.name for shown, _ in made.left_out] == ["study.toml", "zzz.toml"]
    asked = write_study(tmp_path / "b", [toytown / "roads.geojson"], NewOrder("gb50180", 2023, "zh"))
    assert (asked.language, written(asked.path)["year"]) == ("zh", 2023)
    assert written(asked.path)["standard"] == {"use": "gb50180"}


def test_a_form_that_was_filled_in_is_recognised_with_its_datum(tmp_path):
    write_forms(tmp_path / "forms", FormOrder())
    path = tmp_path / "forms" / "卫生健康局.xlsx"
    book = openpyxl.load_workbook(path)
    for at, value in enumerate(["H1", "甲镇卫生院", "卫生院", "", "", "", 120.9, 30.5], 1):
        book["设施"].cell(5, at, value or None)
    for cell in book["登记数据"]["H"][4:]:
        cell.value = 80
    (row,) = [cell.row for cell in book["填表说明"]["A"] if cell.value == "全表坐标系"]
    book["填表说明"].cell(row, 2, word("form_datum", "gcj02", "zh"))
    book.save(path)
    made = write_study(tmp_path / "new", [path])
    plain = written(made.path)
    (part,) = plain["facilities"]
    assert (part["sheet"], part["datum"], part["services"]) == (
        "设施",
        "gcj02",
        {"卫生院": "town_health_centre"},
    )
    assert plain["indicators"]["sheet"] == "登记数据"
    assert made.left_out == ()


def test_forms_that_are_not_filled_in_are_named(tmp_path):
    write_forms(tmp_path / "forms", FormOrder(profile="gb50180"))
    made = write_study(tmp_path / "new", [tmp_path / "forms"])
    reasons = {shown.name: role.evidence for shown, role in made.left_out}
    assert "forms are recognised themselves" in reasons.pop("study-lines.toml")
    assert reasons
    assert {str(reason) for reason in reasons.values()} == {"empty table: no row under the column names"}


def test_the_command_says_what_it_took_each_file_for(toytown, tmp_path):
    done = lifecircle("new", tmp_path / "town", toytown)
    assert (done.returncode, done.stderr) == (0, "")
    assert "roads.geojson -> roads (7 lines)" in done.stdout.splitlines()
    assert "study.toml: no data (a study.toml, which is not looked into)" in done.stdout.splitlines()
    again = lifecircle("new", tmp_path / "town", toytown)
    assert again.returncode == 2
    assert "there is a study here already" in again.stderr


def test_the_command_writes_forms(tmp_path):
    done = lifecircle("new", "--forms", tmp_path / "forms", "--profile", "haiyan-2025", "--language", "en")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"written: {tmp_path / 'forms' / '民政局.xlsx'}" in done.stdout.splitlines()
    assert lifecircle("new", "--forms", tmp_path / "forms").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--forms", "x", "a.csv"), "--forms takes no FILE"),
        (("--forms", "x", "--study", "s", "--profile", "p"), "--study has a profile of its own"),
        (("x", "a.csv", "--study", "s"), "--study goes with --forms"),
    ],
)
def test_words_that_would_not_be_used_are_refused(words, said):
    done = lifecircle("new", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_texts_of_a_file_stay_in_their_comment_or_between_their_quotes(tmp_path):
    """A name with quotes, line ends or a table's brackets writes no key of the study."""
    name = 'a"\n[evil]\nx = 1'
    (tmp_path / "a.csv").write_text('lon,lat,population,"b\n[evil]\ny = 1"\n120,30,5,6\n', "utf-8")
    table = pd.DataFrame({"name": ["甲"], "service": [name], "lon": [120.0], "lat": [30.0]})
    table.to_csv(tmp_path / "f.csv", index=False)
    folder = tmp_path / 'new "study"'
    made = write_study(folder, [tmp_path / "a.csv", tmp_path / "f.csv"])
    plain = written(made.path)
    assert "evil" not in plain
    assert plain["id"] == "new-study"
    assert plain["name"] == 'new "study"'


def test_real_inputs_are_recognised(tmp_path, shared_data, standard):
    """Central Sao Paulo, Futian, Ninghua, and the lists of Haiyan's units, all as they were published."""
    roles = {
        "sao_paulo/spo_osm.pbf": "roads",
        "sao_paulo/spo_hexgrid.csv": "demand",
        "futian/futian.graphml": "roads",
        "ninghua/ninghua.osm": "roads",
        "haiyan/streets_330424.csv": "unplaced_districts",
        "haiyan/villages_330424.csv": "unplaced_villages",
        "haiyan/haiyan_population_facts.csv": "unknown",
    }
    assert {name: first_role(shared_data / name, standard) for name in roles} == roles
    made = write_study(tmp_path / "sp", [shared_data / "sao_paulo"])
    assert (made.missing, made.language) == (("facilities",), "en")


CASES = ROOT.parent / "shared" / "cases" / "field"


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the repository")
@pytest.mark.parametrize(
    "case", sorted(CASES.glob("*/study*")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_every_file_of_the_cases_is_what_their_study_says(tmp_path, case):
    own = tomllib.loads((case / "study.toml").read_text("utf-8"))
    made = write_study(tmp_path / "new", [path for path in case.iterdir() if path.name != "study.toml"])
    plain = written(made.path)
    unreadable = {"homes.csv"} if case.parent.name.startswith("13") else set()
    for part in ("roads", "demand", "districts", "facilities"):
        expected = file_names(own[part]) - unreadable
        assert not expected or file_names(plain[part]) == expected
    assert plain["standard"]["use"].endswith("mine.toml")
    read_study(made.path)


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        ("lifecircle.new_study._study_parts.read_demand", "residents.parquet"),
        ("lifecircle.new_study._study_parts.read_districts", "towns.geojson"),
        ("lifecircle.new_study._new_steps.read_roads", "roads.parquet"),
        ("lifecircle.new_study._part_settings.raw_places", "residents.parquet"),
    ],
)
@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOSPC])
def test_a_disk_that_fails_on_trial_is_no_fault_of_the_file(tmp_path, monkeypatch, reader, name, number):
    """The command ends with the fault of the disk; no study says for good that the file is damaged."""

    def failing(*_, **__):
        with system_errors(name):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(reader, failing)
    with pytest.raises(UnusableInputError) as caught:
        write_study(tmp_path / "new", [EXAMPLE / name])
    assert caught.value.of_system
    assert not (tmp_path / "new" / "study.toml").exists()


@pytest.mark.parametrize(
    ("opened", "name"),
    [
        ("lifecircle.new_study._shown_table.openpyxl.load_workbook", "culture.xlsx"),
        ("lifecircle.new_study._shown_table.pyogrio.list_layers", "areas.gpkg"),
        ("lifecircle.standards._load.Path.read_bytes", "own.toml"),
    ],
)
def test_a_disk_that_fails_in_looking_is_no_fault_of_the_file(tmp_path, monkeypatch, opened, name):
    """A form whose first look fails would lose its datum, a file of layers all but one, without a word."""
    path = tmp_path / name
    shutil.copy(EXAMPLE / "culture.xlsx", path)

    def failing(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(opened, failing)
    with pytest.raises(UnusableInputError, match="the disk reports an error"):
        look_at(path)


@pytest.mark.parametrize(
    ("opened", "name"),
    [("lifecircle.roads._tidy._opened", "roads.osm"), ("networkx.read_graphml", "roads.graphml")],
)
def test_a_disk_that_fails_under_the_roads_is_no_fault_of_the_file(tmp_path, monkeypatch, opened, name):
    path = tmp_path / name
    path.write_text("<osm version='0.6'></osm>")

    def failing(*_, **__):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(opened, failing)
    with pytest.raises(UnusableInputError, match="too many files are open"):
        write_study(tmp_path / "new", [path])
