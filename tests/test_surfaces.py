"""Surfaces of one synthetic truth: points, polygons and rasters give one audit, or say that they cannot."""

import json
import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio

from conftest import edit
from lifecircle.attribution import compare_years
from lifecircle.audit import run_audit
from lifecircle.errors import UnusableInputError
from lifecircle.findings import load_findings
from lifecircle.reading import reading_lines
from surface_town import TOTALS, town, write_blocks, write_houses, write_raster, write_town

POINTS = '[demand]\nfile = "houses.csv"\ndatum = "EPSG:4549"\ngroups = { over60 = "over60" }\n'
RASTER = '[demand]\nfile = "people.tif"\ngroups = { over60 = "over60" }\n'
BLOCKS = '[demand]\nfile = "blocks.gpkg"\ngroups = { over60 = "over60" }\n'
EVEN = BLOCKS + "[demand.spread]\ngrid_m = 100\n"
BUILDINGS = BLOCKS + '[demand.spread]\nto = "buildings"\nover = "footprints.gpkg"\nfloors = "floors"\n'
CELLS = BLOCKS + '[demand.spread]\ngrid_m = 50\nover = "footprints.gpkg"\n'


def target(findings, name="reading"):
    return next(one for one in findings.targets if one.target.id == name)


def by_district(findings):
    return findings.demand.groupby("district")[["population", "over60"]].sum()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with every file of the town, and a way to declare its residents."""
    place = write_town(tmp_path_factory.mktemp("town") / "study", POINTS)
    write_houses(place)
    write_blocks(place)
    for name, size, crs in (
        ("people.tif", 25.0, "EPSG:4549"),
        ("degrees.tif", 25.0, "EPSG:4326"),
        ("utm.tif", 25.0, "EPSG:32651"),
        ("coarse.tif", 400.0, "EPSG:4549"),
    ):
        write_raster(place / name, size, crs=crs)
    return place


@pytest.fixture
def study(folder, tmp_path):
    """Give a study of the town whose residents are declared as asked."""

    def declared(demand):
        place = tmp_path / f"s{len(list(tmp_path.iterdir()))}"
        shutil.copytree(folder, place)
        return write_town(place, demand)

    return declared


@pytest.fixture(scope="module")
def truth(folder):
    return run_audit(folder)


@pytest.mark.parametrize(
    "demand",
    [
        RASTER,
        RASTER.replace("people", "degrees"),
        RASTER.replace("people", "utm"),
        RASTER.replace("people", "coarse"),
        EVEN,
        BUILDINGS,
        CELLS,
    ],
    ids=["metres", "degrees", "another zone", "coarse raster", "even", "buildings", "built-up cells"],
)
def test_every_surface_of_one_truth_has_its_people_and_its_rate_or_says_it_cannot(study, truth, demand):
    findings = run_audit(study(demand + TOTALS))
    pd.testing.assert_frame_equal(
        by_district(findings), town().totals.astype(float), check_names=False, check_dtype=False
    )
    for code, people in town().totals["population"].items():
        counted = {one.code: one.count.people for one in target(findings).districts}
        assert counted[code] == people
    found, true = target(findings), target(truth)
    assert found.status == "data_insufficient" or abs(found.value - true.value) <= 0.005
    coarse = "coarse" in demand or "grid_m = 100" in demand
    assert (found.status == "data_insufficient") is coarse
    assert found.reason.startswith("coarse_extent:") is coarse


def test_the_balance_adds_up_to_the_person_and_is_printed(study):
    findings = run_audit(study(RASTER + TOTALS))
    balance = findings.reading.residents
    everybody = int(town().houses["population"].sum())
    assert balance.found == everybody == balance.assigned + balance.outside + balance.unsnapped
    assert balance.surface == everybody
    line = f"balance of the people: {everybody:,} in = {everybody:,} assigned + 0 outside + 0 unsnapped"
    assert line in reading_lines(findings.reading, "en")
    assert any("人口收支" in line for line in reading_lines(findings.reading, "zh"))


def test_people_beyond_the_border_are_counted_as_outside_and_left_out(study):
    place = study(RASTER)
    towns = gpd.read_file(place / "districts.gpkg")
    towns[towns["code"] == "02"].to_file(place / "districts.gpkg")
    findings = run_audit(place)
    balance, totals = findings.reading.residents, town().totals["population"]
    # Only the window around the district is read. Cells on the border are divided by area and not by houses,
    # so that the district may have a few people more or fewer than live there.
    assert balance.assigned == pytest.approx(totals["02"], abs=30)
    assert 0 < balance.outside < totals["01"]
    assert balance.assigned + balance.outside + balance.unsnapped == balance.found
    assert findings.demand["population"].sum() == pytest.approx(balance.assigned, abs=0.5)
    notes = next(one.notes for one in findings.reading.inputs if one.role == "demand")
    assert any(code.startswith("raster_outside:") for code in notes)


def test_a_plain_table_of_residents_has_no_balance_and_no_new_key(truth, tmp_path, folder):
    run_audit(folder, out=tmp_path)
    plain = json.loads((tmp_path / "2025" / "summary.json").read_text("utf-8"))
    assert truth.reading.residents is None
    assert "residents" not in plain["reading"]
    assert all("surfaces" not in one for one in plain["targets"])


def test_rasters_and_files_beside_them_are_inputs_with_their_hashes(study, tmp_path):
    place = study(BUILDINGS + TOTALS)
    run_audit(place, out=tmp_path / "out")
    plain = json.loads((tmp_path / "out" / "2025" / "summary.json").read_text("utf-8"))
    roles = {one["role"]: one for one in plain["inputs"]}
    assert {"demand", "demand_ground", "demand_totals"} <= roles.keys()
    assert all(len(one["sha256"]) == 64 for one in plain["inputs"])
    loaded = load_findings(tmp_path / "out" / "2025")
    assert loaded.reading.residents.found == town().totals["population"].sum()
    before = plain["fingerprint"]
    edit(place / "totals.csv", "659", "658")
    run_audit(place, out=tmp_path / "out")
    after = json.loads((tmp_path / "out" / "2025" / "summary.json").read_text("utf-8"))
    assert after["fingerprint"] != before


def test_other_surfaces_stand_beside_the_verdict_and_do_not_change_it(study, truth, tmp_path):
    demand = (
        POINTS
        + '[demand.surfaces.raster]\nfile = "people.tif"\ngroups = { over60 = "over60" }\n'
        + '[demand.surfaces.coarse]\nfile = "coarse.tif"\n'
    )
    place = study(demand)
    findings = run_audit(place, out=tmp_path)
    own, alone = target(findings), target(truth)
    assert (own.value, own.status) == (alone.value, alone.status)
    for name in ("people.tif", "coarse.tif"):
        other = run_audit(study(RASTER.replace("people.tif", name)))
        label = "raster" if name == "people.tif" else "coarse"
        assert own.surfaces[label] == target(other).value
    low, high = min(own.value, *own.surfaces.values()), max(own.value, *own.surfaces.values())
    note = next(one for one in own.notes if one.startswith("surfaces:"))
    assert note.startswith("surfaces:3|")
    assert low < high
    # The coarse raster is read without groups: a target of the aged has no value on it, which is said.
    assert target(findings, "health").surfaces["coarse"] is None
    assert "surfaces_without:coarse" in target(findings, "health").notes
    plain = json.loads((tmp_path / "2025" / "summary.json").read_text("utf-8"))
    entry = next(one for one in plain["targets"] if one["id"] == "reading")
    assert entry["surfaces"] == dict(own.surfaces)
    roles = [one["role"] for one in plain["inputs"]]
    assert roles.count("demand_surface") == 2
    assert target(load_findings(tmp_path / "2025")).surfaces == dict(own.surfaces)


def test_a_surface_that_would_turn_the_verdict_is_named(study, truth):
    other = run_audit(study(RASTER.replace("people.tif", "coarse.tif")))
    values = sorted([target(truth).value, target(other).value])
    goal = sum(values) / 2
    place = study(POINTS + '[demand.surfaces.coarse]\nfile = "coarse.tif"\n')
    edit(place / "standard.toml", "goal = 0.9", f"goal = {goal!r}")
    found = target(run_audit(place))
    assert "surfaces_verdict:coarse" in found.notes
    assert found.status == ("met" if target(truth).value >= goal else "missed")


def yearly(place, demand):
    """Declare the raster of one truth until 2023, and the same residents a cell farther east from 2024 on."""
    with rasterio.open(place / "people.tif") as source:
        bands, profile = source.read(), source.profile
    here = profile["transform"]
    profile["transform"] = rasterio.Affine(here.a, 0, here.c + 4 * here.a, 0, here.e, here.f)
    with rasterio.open(place / "moved.tif", "w", **profile) as out:
        out.write(bands)
    text = (place / "study.toml").read_text("utf-8")
    assert demand in text
    return place


BOTH = '[demand]\nfile = { 2021 = "people.tif", 2024 = "moved.tif" }\ngroups = { over60 = "2" }\n'


@pytest.mark.parametrize("declared", [False, True])
def test_a_change_of_surface_between_years_is_declared_or_warned_of(study, declared):
    demand = BOTH + ("breaks = [2024]\n" if declared else "")
    place = yearly(study(demand), demand)
    findings = run_audit(place, 2024)
    assert ("surface_changed:2023|2024" in findings.warnings) is not declared
    assert "year_before_surface:2023" in target(findings).previous_notes
    later = run_audit(place, 2025)
    assert not any(code.startswith("surface_changed") for code in later.warnings)
    account = compare_years(place, 2023, 2024)
    row = next(one for one in account.rows if one.target.id == "reading" and not one.code)
    assert [part.name for part in row.breaks] == ["surface"]
    assert row.parts == ()
    assert any(code.startswith("surface_undeclared:2023|2024") for code in account.notes) is not declared


def test_a_break_without_a_file_of_that_year_is_a_fault(study):
    with pytest.raises(UnusableInputError, match="no file of the residents begins in 2022"):
        run_audit(study(BOTH + "breaks = [2022]\n"))


def test_a_declared_break_holds_where_the_places_stay(study):
    demand = BOTH + "breaks = [2024]\n"
    place = yearly(study(demand), demand)
    with rasterio.open(place / "people.tif") as source:
        bands, profile = source.read(), source.profile
    rng = np.random.default_rng(7)
    bands[0][bands[0] > 0] *= rng.uniform(1.0, 3.0, int((bands[0] > 0).sum()))
    with rasterio.open(place / "moved.tif", "w", **profile) as out:
        out.write(bands)
    account = compare_years(place, 2023, 2024)
    row = next(one for one in account.rows if one.target.id == "reading" and not one.code)
    assert [part.name for part in row.breaks] == ["surface"]


def test_a_district_without_residents_on_the_surface_keeps_its_people_as_unsnapped(study):
    place = study(RASTER + TOTALS)
    with rasterio.open(place / "people.tif", "r+") as source:
        bands = source.read()
        bands[:, : bands.shape[1] * 9 // 10] = -1.0
        source.write(bands)
    findings = run_audit(place)
    totals = town().totals["population"]
    balance = findings.reading.residents
    assert balance.unsnapped == totals["02"]
    assert balance.found == totals.sum()
    assert any(code.startswith(f"people_unplaced:{totals['02']:,}|02") for code in findings.warnings)


def test_a_district_without_residents_is_named(study):
    place = study(RASTER)
    with rasterio.open(place / "people.tif", "r+") as source:
        bands = source.read()
        bands[:, : bands.shape[1] * 9 // 10] = -1.0
        source.write(bands)
    assert "districts_empty:1|02" in run_audit(place).warnings


def test_a_surface_far_from_the_totals_is_doubted(study):
    place = study(RASTER + TOTALS)
    with rasterio.open(place / "people.tif", "r+") as source:
        bands = source.read()
        bands[bands > 0] *= 3
        source.write(bands)
    findings = run_audit(place)
    assert any(code.startswith("totals_far:") for code in findings.warnings)
    pd.testing.assert_frame_equal(
        by_district(findings), town().totals.astype(float), check_names=False, check_dtype=False
    )


@pytest.mark.parametrize(
    ("demand", "match"),
    [
        (POINTS + 'per = "km2"\n', "per and nodata are of rasters"),
        (RASTER + 'datum = "gcj02"\n', "a raster has its own coordinate system"),
        (BLOCKS + '[demand.spread]\nfloors = "floors"\n', "described, but not given"),
        (
            BLOCKS + '[demand.spread]\nover = "footprints.gpkg"\nfloors = "floors"\nweight = "floors"\n',
            "weight and floors exclude each other",
        ),
        (
            RASTER + '[demand.totals]\nfile = "totals.csv"\nunit = "village"\n',
            "totals of units that the study",
        ),
        (POINTS + "brakes = [2024]\n", "did you mean 'breaks'"),
    ],
)
def test_keys_that_do_not_fit_are_faults(study, demand, match):
    with pytest.raises(UnusableInputError, match=match):
        run_audit(study(demand))


def test_faults_of_the_raster_its_totals_and_other_surfaces_come_at_once(study):
    raster = RASTER.replace('= "over60" }', '= "2" }')
    place = study(raster + TOTALS + '[demand.surfaces.other]\nfile = "none.tif"\n')
    edit(place / "totals.csv", "01,", "O1,")
    with rasterio.open(place / "people.tif") as source:
        bands, profile = source.read(), source.profile
    with rasterio.open(place / "people.tif", "w", **(profile | {"crs": None})) as out:
        out.write(bands)
    with pytest.raises(UnusableInputError) as caught:
        run_audit(place)
    told = [(fault.file.rpartition("/")[2], str(fault.reason)) for fault in caught.value.faults]
    assert told == [
        ("people.tif", "the raster has no coordinate system"),
        ("totals.csv", "unknown unit"),
        ("none.tif", "no such file"),
    ]
