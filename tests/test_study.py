"""study.toml: what it may say, and every fault at once."""

import pytest

from conftest import edit
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.study import DemandPart, SurfacePart, read_study


def test_toy_town_reads(toytown):
    study = read_study(toytown)
    assert (study.id, study.year, study.language, study.synthetic) == ("toytown", 2025, "en", True)
    assert study.max_rejected == 0.05
    assert [target.id for target in study.standard.targets] == ["reading", "culture", "health"]
    assert read_study(toytown / "study.toml") == study


def test_further_tables_of_figures_and_outlets(toytown):
    text = (toytown / "study.toml").read_text("utf-8")
    assert read_study(toytown).indicators is None
    added = """
    [indicators]
    file = "figures.csv"
    [[indicators.more]]
    file = { 2021 = "old.csv", 2024 = "new.csv" }
    target = "income"
    items = { own = "own income" }
    [outlets]
    file = "outlets.csv"
    service = "shop"
    """
    (toytown / "study.toml").write_text(text + added, "utf-8")
    study = read_study(toytown)
    assert [study.path_in(part.file, 2023).name for part in study.indicators.files] == [
        "figures.csv",
        "old.csv",
    ]
    assert study.indicators.files[1].items == {"own": "own income"}
    assert study.outlets.service == "shop"
    (toytown / "study.toml").write_text(text + added.replace("items", "itmes"), "utf-8")
    with pytest.raises(UnusableInputError, match=r"indicators\.more\[1\].*did you mean 'items'"):
        read_study(toytown)


def test_missing_study_names_the_file(tmp_path):
    with pytest.raises(MissingFileError, match=r"study\.toml: no study here.*Remedy: name a folder"):
        read_study(tmp_path)


def test_all_faults_at_once_with_the_nearest_key(toytown):
    edit(toytown / "study.toml", 'language = "en"', 'langauge = "en"')
    edit(toytown / "study.toml", "year = 2025", 'year = "soon"')
    edit(toytown / "study.toml", 'population = "population"', 'populatoin = "population"')
    with pytest.raises(UnusableInputError) as caught:
        read_study(toytown)
    text = str(caught.value)
    assert len(caught.value.faults) == 3
    assert "'langauge'" in text
    assert "'language'" in text
    assert "'population'" in text
    assert "soon" in text
    assert all(fault.file.endswith("study.toml") and fault.remedy for fault in caught.value.faults)


def test_broken_toml_names_the_line(toytown):
    edit(toytown / "study.toml", "synthetic = true", "synthetic = yes")
    with pytest.raises(UnusableInputError, match=r"study\.toml.*line 6"):
        read_study(toytown)


def test_roads_need_one_source(toytown):
    edit(toytown / "study.toml", 'file = "roads.geojson"', 'file = "roads.geojson"\nplace = "Haiyan"')
    with pytest.raises(UnusableInputError, match="either file or place"):
        read_study(toytown)


@pytest.mark.parametrize("datum", ["gcj-02", "4549", "EPSG4549"])
def test_unknown_datum(toytown, datum):
    text = (toytown / "study.toml").read_text()
    (toytown / "study.toml").write_text(text.replace("EPSG:4549", datum, 2).replace(datum, "EPSG:4549", 1))
    with pytest.raises(
        UnusableInputError, match=f"{datum}.*wgs84, gcj02, bd09, auto or EPSG:n|wgs84.*{datum}"
    ):
        read_study(toytown)


def test_unknown_standard_names_those_shipped(toytown):
    edit(toytown / "study.toml", '"standard.toml"', '"haiyan-2035"')
    with pytest.raises(UnusableInputError, match="haiyan-2025"):
        read_study(toytown)


def test_a_file_per_year_is_the_latest_not_after(toytown):
    edit(
        toytown / "study.toml",
        'file = "residents.csv"',
        'file = { 2021 = "old.csv", 2024 = "residents.csv" }',
    )
    study = read_study(toytown)
    assert study.path_in(study.demand.file, 2023).name == "old.csv"
    assert study.path_in(study.demand.file, 2024).name == "residents.csv"
    with pytest.raises(UnusableInputError, match=r"no file for 2020 or before.*Remedy: add a file for 2020"):
        study.path_in(study.demand.file, 2020)


def test_a_list_of_an_unknown_service(toytown):
    edit(toytown / "study.toml", 'file = "facilities.csv"', 'file = "facilities.csv"\nservice = "libary"')
    with pytest.raises(UnusableInputError, match=r"facilities\[1\].*no such service.*libary.*library"):
        read_study(toytown)


@pytest.mark.parametrize("crs", ["x", "", "EPSG:99999"])
def test_a_coordinate_system_that_is_none_is_a_fault_of_its_key(toytown, crs):
    edit(toytown / "study.toml", 'crs = "EPSG:4549"', f'crs = "{crs}"')
    with pytest.raises(UnusableInputError, match=r"study\.toml, key 'crs': no coordinate system"):
        read_study(toytown)


def test_files_are_named_from_the_folder_of_the_study(toytown):
    study = read_study(toytown)
    assert study.name_of(study.path_in(study.demand.file, 2025)) == "residents.csv"
    assert study.name_of(toytown.parent / "elsewhere.csv") == "elsewhere.csv"
    assert study.name_of("postgresql://me:pw@host/db?table=t") == "postgresql://***@host/db?table=t"


def test_keys_of_residents_that_are_not_used_are_not_in_what_a_run_follows_from():
    plain = SurfacePart(file="a.csv").model_dump(mode="json")
    assert plain == {
        "file": "a.csv", "layer": None, "sheet": None, "header_row": None, "population": "population",
        "groups": {}, "datum": "wgs84", "columns": {},
    }  # fmt: skip
    used = DemandPart(file={2021: "a.tif", 2024: "b.tif"}, breaks=(2024,), nodata=(-1.0,), per="cell")
    assert {"breaks": [2024], "nodata": [-1.0], "per": "cell"}.items() <= used.model_dump(mode="json").items()


def test_files_beside_the_residents_are_known():
    part = SurfacePart(
        file="a.tif",
        groups={"over60": "2", "under3": "young.tif", "aged": {2021: "c.tif"}},
        totals={"file": "totals.csv"},
    )
    assert part.side_files == ("young.tif", {2021: "c.tif"}, "totals.csv")
    spread = SurfacePart(file="a.gpkg", spread={"over": "houses.gpkg"})
    assert spread.side_files == ("houses.gpkg",)
