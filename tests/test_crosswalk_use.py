"""A study with a crosswalk: history and totals of old units stand on those of today."""

import shutil

import pandas as pd
import pytest

from conftest import edit
from lifecircle.audit import open_study, prepare, run_audit
from lifecircle.errors import UnusableInputError
from surface_town import town, write_blocks, write_houses, write_raster, write_town

INDICATOR = """
[[target]]
id = "parks"
kind = "indicator"
name = { zh = "公园面积", en = "Park area" }
department = "Parks"
unit = "公顷"
direction = "up"
source = "made up"
date = "2021"
grade = "setting"
[[target]]
id = "rate"
kind = "indicator"
name = { zh = "比率", en = "Rate" }
department = "Parks"
unit = "share"
direction = "up"
source = "made up"
date = "2021"
grade = "setting"
"""

VILLAGES = pd.DataFrame(
    {
        "code": ["v1", "v2", "v3"],
        "name": ["One", "Two", "Three"],
        "district": ["01", "01", "02"],
        "lon": [120.005, 120.03, 120.02],
        "lat": [30.515, 30.517, 30.54],
    }
)
CHANGES = pd.DataFrame(
    [
        ("90", "01", 0.75, "2023-07-01", "Old Town", 2000),
        ("90", "02", 0.25, "2023-07-01", "Old Town", 2000),
        ("91", "02", 1.0, "2023-07-01", "Hill Town", 600),
        ("w1", "v1", 1.0, "2023-07-01", "Upper One", None),
        ("w2", "v1", 1.0, "2023-07-01", "Lower One", None),
        ("w3", "v3", 1.0, "2023-07-01", "Old Three", None),
        ("w9", "v2", 1.0, "2023-07-01", "Idle", None),
    ],
    columns=["from", "to", "share", "date", "from_name", "people"],
)
FIGURES = pd.DataFrame(
    [
        ("parks", 2021, "90", "", 8.0),
        ("parks", 2021, "Hill Town", "", 3.0),
        ("parks", 2024, "01", "", 7.0),
        ("parks", 2024, "02", "", 6.0),
        ("rate", 2021, "90", "", 0.4),
        ("rate", 2021, "91", "", 0.8),
    ],
    columns=["target", "year", "district", "village", "value"],
)
DEMAND = '[demand]\nfile = "people.tif"\ngroups = { over60 = "2" }\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = write_town(tmp_path_factory.mktemp("units") / "study", DEMAND)
    write_houses(place)
    write_blocks(place)
    write_raster(place / "people.tif", 50.0)
    with (place / "standard.toml").open("a", encoding="utf-8") as file:
        file.write(INDICATOR)
    edit(
        place / "study.toml",
        "[standard]",
        '[villages]\nfile = "villages.csv"\naccepted = { reading = "accepted.csv" }\n'
        '[indicators]\nfile = "figures.csv"\n[crosswalk]\nfile = "units.csv"\n[standard]',
    )
    VILLAGES.to_csv(place / "villages.csv", index=False)
    CHANGES.to_csv(place / "units.csv", index=False)
    FIGURES.to_csv(place / "figures.csv", index=False)
    pd.DataFrame({"code": ["w1", "w2", "w3"]}).to_csv(place / "accepted.csv", index=False)
    return place


@pytest.fixture
def study(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "study")


def prepare_ok(place):
    return prepare(open_study(place))


def values(inputs, target, year):
    table = inputs.indicators.table
    rows = table[(table["target"] == target) & (table["year"] == year)]
    return rows.set_index("district")["value"].to_dict()


def test_figures_of_old_districts_stand_on_those_of_today(study):
    inputs = prepare_ok(study)
    assert values(inputs, "parks", 2021) == {"01": 6.0, "02": 5.0}
    assert values(inputs, "parks", 2024) == {"01": 7.0, "02": 6.0}
    mean = (0.25 * 2000 * 0.4 + 600 * 0.8) / (0.25 * 2000 + 600)
    assert values(inputs, "rate", 2021) == {"01": 0.4, "02": pytest.approx(mean)}
    record = {one.role: one for one in inputs.records}["crosswalk"]
    assert (record.path, len(record.sha256)) == ("units.csv", 64)
    reading = {one.role: one for one in inputs.read}["crosswalk"]
    assert (reading.rows, reading.used, reading.left_out) == (7, 6, {"crosswalk_idle": 1})


def test_villages_are_accepted_where_all_their_old_ones_are(study):
    assert prepare_ok(study).villages["accepted_reading"].to_dict() == {"v1": True, "v2": False, "v3": True}
    pd.DataFrame({"name": ["Upper One", "Two"]}).to_csv(study / "accepted.csv", index=False)
    inputs = prepare_ok(study)
    assert inputs.villages["accepted_reading"].to_dict() == {"v1": False, "v2": True, "v3": False}
    notes = {one.role: one.notes for one in inputs.read}["accepted"]
    assert "accepted_partly:v1" in notes


def test_totals_of_old_districts_hold_the_residents_of_today(study):
    people = town().totals["population"].sum()
    pd.DataFrame({"code": ["90", "91"], "population": [people - 601, 601]}).to_csv(
        study / "old.csv", index=False
    )
    edit(study / "study.toml", "[districts]", '[demand.totals]\nfile = "old.csv"\n[districts]')
    findings = run_audit(study)
    found = findings.demand.groupby("district")["population"].sum()
    assert found.sum() == people
    part = 0.75 * (people - 601)
    assert abs(found["01"] - part) < 1
    assert found["01"] % 1 == 0
    assert findings.reading.residents.found == people


def test_a_faulty_crosswalk_is_reported_with_the_other_faults(study):
    CHANGES.assign(share=0.5).to_csv(study / "units.csv", index=False)
    edit(study / "facilities.csv", "service", "servcie")
    with pytest.raises(UnusableInputError) as caught:
        run_audit(study)
    files = {fault.file.rpartition("/")[2] for fault in caught.value.faults}
    assert {"units.csv", "facilities.csv"} <= files


def test_what_a_table_names_decides_as_declared(study):
    edit(
        study / "study.toml",
        '[crosswalk]\nfile = "units.csv"',
        '[crosswalk]\nfile = "units.csv"\nrates = ["parks"]',
    )
    inputs = prepare_ok(study)
    mean = (0.25 * 2000 * 8.0 + 600 * 3.0) / (0.25 * 2000 + 600)
    assert values(inputs, "parks", 2021) == {"01": 8.0, "02": pytest.approx(mean)}
