"""What was read: places that lie elsewhere, figures that are doubted, the report and where it is printed.

The town is at 117 E, 36.13 N: Main Street runs 1,000 m east from its origin, Cross Street 1,000 m north
from its middle. One minute on foot is 83.33 m.
"""

import json
import re
import shutil

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyproj
import pytest
import shapely
from click.testing import CliRunner

from lifecircle.audit import prepare, run, run_audit
from lifecircle.cli import cli
from lifecircle.datum import bd09_from_wgs84, gcj02_from_wgs84
from lifecircle.demand import village_centres
from lifecircle.errors import UnusableInputError
from lifecircle.findings import load_findings
from lifecircle.reading import reading_lines, reading_rows
from lifecircle.study import example_folder, read_study
from lifecircle.wording import explain

CHINA, CANARIES = (117.0, 36.13), (-15.43, 28.12)
STREETS = [[(0, 0), (500, 0)], [(500, 0), (1000, 0)], [(500, 0), (500, 1000)]]
HOMES = [(100, 10), (200, -10), (800, 10), (900, -10), (490, 700), (510, 800)]  # 102 m apart in pairs
HALLS = [(500, 10), (600, -10)]

STUDY = """id = "s"
name = "S"
year = 2025
language = "{language}"
[roads]
file = "roads.geojson"
[demand]
file = "homes.csv"
[districts]
file = "towns.geojson"
[[facilities]]
file = "halls.csv"
[standard]
use = "mine.toml"
"""
STANDARD = """id = "mine"
[[service]]
id = "hall"
[[target]]
id = "hall"
kind = "circle"
require = {{ hall = {halls} }}
minutes = 15
goal = 0.9
"""


class Town:
    """Writes the files of a study whose places are metres from an origin."""

    def __init__(self, folder, origin=CHINA, *, language="en", halls=1):
        self.folder, self.origin = folder, origin
        lon, lat = origin
        self.crs = pyproj.CRS.from_proj4(
            f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1 +ellps=WGS84 +units=m +no_defs"
        )
        folder.mkdir(exist_ok=True)
        self.write("study.toml", STUDY.format(language=language))
        self.write("mine.toml", STANDARD.format(halls=halls))
        self.roads(STREETS)
        self.table("homes.csv", HOMES, population=100)
        self.table("halls.csv", HALLS, service="hall", name=[f"Hall {i}" for i in range(len(HALLS))])
        self.layer("towns.geojson", [shapely.box(-3000, -3000, 3000, 3000)], name="T", urban=True)

    def write(self, name, text):
        """Write a text file."""
        (self.folder / name).write_text(text, "utf-8")

    def add(self, text):
        """Add lines to the study."""
        self.write("study.toml", (self.folder / "study.toml").read_text("utf-8") + text)

    def degrees(self, places):
        """Give lon and lat of places."""
        points = gpd.GeoSeries(gpd.points_from_xy(*np.transpose(places)), crs=self.crs).to_crs("EPSG:4326")
        return points.x.to_numpy(), points.y.to_numpy()

    def table(self, file, places, /, *, moved=lambda lon, lat: (lon, lat), **columns):
        """Write a table of places, moved by a mistake."""
        lon, lat = moved(*self.degrees(places))
        pd.DataFrame({"lon": lon, "lat": lat, **columns}).to_csv(self.folder / file, index=False)

    def layer(self, file, shapes, /, *, moved=None, **columns):
        """Write a layer of shapes, moved by a mistake."""
        layer = gpd.GeoDataFrame(columns, geometry=shapes, crs=self.crs, index=range(len(shapes)))
        layer = layer.to_crs("EPSG:4326")
        if moved is not None:
            layer.geometry = shapely.transform(layer.geometry.to_numpy(), moved)
        layer.to_file(self.folder / file, driver="GeoJSON")

    def roads(self, courses, moved=None):
        """Write streets."""
        lines = [shapely.LineString(course) for course in courses]
        self.layer("roads.geojson", lines, moved=moved, highway=["residential"] * len(lines))

    def fault(self):
        """Give the one fault of the study, in one line."""
        with pytest.raises(UnusableInputError) as caught:
            run_audit(self.folder)
        (fault,) = caught.value.faults
        return str(fault)


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path / "town")


def swapped(lon, lat):
    return lat, lon


def by(degrees_east=0.0, degrees_north=0.0):
    return lambda lon, lat: (lon + degrees_east, lat + degrees_north)


def shifted(east=0.0, north=0.0):
    return lambda xy: xy + np.array([east, north])


def test_a_sound_town_has_a_report_and_no_warning(town):
    findings = run_audit(town.folder)
    assert findings.warnings == ()
    assert [(one.role, one.rows, one.used, one.placed, one.near) for one in findings.reading.inputs] == [
        ("districts", 1, 1, None, 1.0),
        ("demand", 6, 6, 6, 1.0),
        ("facilities", 2, 2, 2, 1.0),
        ("roads", 3, 3, None, None),
    ]
    network = findings.reading.networks[0]
    assert (network.fragments, network.short, network.largest) == (1, 0, 1.0)
    assert network.length_m == pytest.approx(2000, abs=0.5)
    assert (network.homes.rows, network.homes.people, network.homes.off_rows) == (6, 600.0, 0)
    assert findings.reading.in_districts == 1.0
    assert (findings.result("hall").status, findings.result("hall").value) == ("met", 1.0)


# ---------------------------------------------------------------------------------------------------------
# Places that lie elsewhere


@pytest.mark.parametrize(
    ("name", "columns"), [("homes.csv", {"population": 100}), ("halls.csv", {"service": "hall", "name": "H"})]
)
@pytest.mark.parametrize(
    "mistake",
    [
        (CANARIES, swapped, "exchange the two columns"),
        (CHINA, by(3), "central meridian -3 degrees away"),
        (CHINA, by(-6), r"central meridian \+6 degrees away"),
        (CHINA, by(1), "check the file and its datum"),
        (CHINA, by(0, 0.36), "check the file and its datum"),
    ],
)
def test_a_table_elsewhere_is_refused_and_the_mistake_named(tmp_path, name, columns, mistake):
    origin, moved, said = mistake
    town = Town(tmp_path / "town", origin)
    town.table(name, HOMES, moved=moved, **columns)
    fault = town.fault()
    assert fault.startswith(f"{name}, 6 of 6 rows: they lie over 1.25 km away from the roads")
    assert re.search(said, fault)


@pytest.mark.parametrize(
    ("moved", "said"),
    [(shifted(3), "central meridian -3"), (shifted(1), "coordinate system of the districts")],
)
def test_districts_elsewhere_are_refused(town, moved, said):
    town.layer("towns.geojson", [shapely.box(-3000, -3000, 3000, 3000)], moved=moved, name="T", urban=True)
    fault = town.fault()
    assert fault.startswith("towns.geojson, 1 row: only 0.0% of the residents live in one")
    assert said in fault


def test_villages_and_barriers_elsewhere_are_refused(town):
    town.add('[villages]\nfile = "villages.csv"\n[barriers]\nfile = "water.geojson"\n')
    town.table(
        "villages.csv", [(0, 0), (500, 500)], moved=by(3), code=["1", "2"], name=["a", "b"], district="T"
    )
    town.layer("water.geojson", [shapely.box(0, 20, 50, 30)], moved=shifted(3), name="w")
    with pytest.raises(UnusableInputError) as caught:
        run_audit(town.folder)
    assert [fault.file for fault in caught.value.faults] == ["villages.csv", "water.geojson"]


def test_roads_elsewhere_are_reported_once(town):
    town.roads(STREETS, moved=shifted(2, 2))
    assert town.fault().startswith("roads.geojson, every table: no table lies near these roads")


def test_a_lower_setting_lets_a_table_pass(town):
    town.table("halls.csv", HALLS, moved=by(1), service="hall", name="H")
    town.add("[reading]\nnear_min = 0\n")
    findings = run_audit(town.folder)
    assert findings.result("hall").status == "data_insufficient"
    assert findings.result("hall").reason == "venues_off_roads:hall|2|0|1"
    assert "rows_far:halls.csv|2|2" in findings.warnings


def test_a_notable_share_elsewhere_is_warned_of_with_the_mistake(tmp_path):
    town = Town(tmp_path / "town", CANARIES)
    good, bad = town.degrees(HOMES), town.degrees(HOMES[:2])
    frame = pd.DataFrame({"lon": [*good[0], *bad[1]], "lat": [*good[1], *bad[0]], "population": 100})
    frame.to_csv(town.folder / "homes.csv", index=False)
    warnings = run_audit(town.folder).warnings
    assert {"rows_far:homes.csv|2|8", "rows_fit_swapped:homes.csv|2"} <= set(warnings)
    assert "outside_districts:25.0%" in warnings
    assert all(explain(code, language) for code in warnings for language in ("zh", "en"))


@pytest.mark.parametrize(("datum", "shift"), [("gcj02", gcj02_from_wgs84), ("bd09", bd09_from_wgs84)])
def test_a_shifted_datum_shows_by_the_distance_to_the_road(town, datum, shift):
    places = [(x, 8) for x in range(5, 1000, 20)] + [(508, y) for y in range(5, 1000, 20)]
    town.table("halls.csv", places, service="hall", name="H")
    assert run_audit(town.folder).warnings == ()
    town.table("halls.csv", places, moved=shift, service="hall", name="H")
    assert any(code.startswith(f"rows_fit_{datum}:halls.csv|") for code in run_audit(town.folder).warnings)


# ---------------------------------------------------------------------------------------------------------
# Figures that are doubted


def test_most_people_without_a_road_get_no_verdict(town):
    town.table("homes.csv", [(100, 10), (1700, 10), (1800, 10)], population=100)
    findings = run_audit(town.folder)
    result = findings.result("hall")
    assert (result.status, result.reason) == ("data_insufficient", "people_off_roads:66.7%")
    assert [one.status for one in result.districts] == ["data_insufficient"]
    homes = findings.reading.networks[0].homes
    assert (homes.off, homes.off_people) == ({"far": 2}, 200.0)
    assert [(one.id, round(one.metres), one.people) for one in homes.named] == [
        ("4", 800, 100),
        ("3", 700, 100),
    ]
    assert "homes_off_roads:walk|200|66.7%" in findings.warnings


def test_broken_roads_get_no_verdict(town):
    town.roads([[(300 * i, 0), (300 * i + 200, 0)] for i in range(4)])
    result = run_audit(town.folder).result("hall")
    assert (result.status, result.reason) == ("data_insufficient", "roads_broken:25.0%")


def test_enough_venues_but_not_on_the_roads_get_no_verdict(town):
    town.write("mine.toml", STANDARD.format(halls=2))
    town.table("halls.csv", [(500, 10), (500, -350)], service="hall", name=["near", "far"])
    findings = run_audit(town.folder)
    result = findings.result("hall")
    assert (result.status, result.reason) == ("data_insufficient", "venues_off_roads:hall|2|1|2")
    (off,) = findings.reading.networks[0].venues.named
    assert (off.name, off.reason, round(off.metres)) == ("far", "far", 350)
    assert set(findings.gaps["reason"]) == {"venues_off_roads"}


def test_too_few_venues_anywhere_is_no_broken_road(town):
    town.write("mine.toml", STANDARD.format(halls=3))
    town.roads([*STREETS, [(0, 400), (0, 1000)]])
    town.table("homes.csv", [*HOMES, (10, 700)], population=100)  # the last on a street that joins nothing
    findings = run_audit(town.folder)
    result = findings.result("hall")
    assert (result.value, result.status, result.reason) == (0.0, "missed", "too_few_venues:hall|2|3")
    assert findings.status["hall"].tolist() == ["beyond"] * 6 + ["disconnected"]
    assert (result.count.beyond, result.count.disconnected, result.count.people) == (600, 100, 700)
    assert set(findings.gaps["reason"]) == {"too_few_venues"}
    assert findings.gaps["people"].sum() == 700
    assert "class_short:hall|hall|2025|2|3" in findings.warnings


def test_a_home_on_a_stub_goes_to_the_street_and_is_counted(town):
    town.roads([*STREETS, [(200, 45), (220, 45)]])
    town.table("homes.csv", [(210, 50), (700, 10)], population=100)
    findings = run_audit(town.folder)
    assert findings.result("hall").value == 1.0
    homes = findings.reading.networks[0].homes
    assert (homes.moved, homes.moved_people, homes.on_fragment) == (1, 100.0, 0)
    assert findings.seconds["hall"].iloc[0] * 5 / 3.6 == pytest.approx(50 + 290 + 10, abs=0.1)
    toml = (town.folder / "study.toml").read_text("utf-8").replace("[demand]", "prefer_main_m = 44\n[demand]")
    town.write("study.toml", toml)
    findings = run_audit(town.folder)
    assert findings.status["hall"].tolist() == ["disconnected", "covered"]
    (stuck,) = findings.reading.networks[0].homes.named
    assert (stuck.reason, round(stuck.metres), round(stuck.fragment_m)) == ("fragment", 50, 20)
    assert "homes_on_fragments:walk|100|50.0%|500" in findings.warnings


# ---------------------------------------------------------------------------------------------------------
# Coarse residents


def test_the_quarters_of_coarse_places_by_hand(town):
    """Two places 1,000 m apart on a street, a hall at each. Everybody lives at a hall: 100 %.

    Spread: a quarter of 1,000 m east or west, as far north or south. The street is 2,400 m long, so a quarter
    has a leg of 250 m and 250 m of street to the hall: 500 m, within 1,250 m. With a limit of 4
    minutes (333 m, of which a leg has a quarter, 83 m) no quarter has a road, and the places stay.
    """
    town.roads([[(-700, 0), (1700, 0)]])
    town.table("homes.csv", [(0, 0), (0, 0), (1000, 0)], population=100)
    town.table("halls.csv", [(0, 0), (1000, 0)], service="hall", name=["a", "b"])
    (check,) = run_audit(town.folder).reading.coarse
    assert check.spacing_m == pytest.approx(1000, abs=1.5)
    assert check.limit_m == pytest.approx(156.25)
    assert (check.people, check.value, check.spread) == (1.0, 1.0, 1.0)
    town.write("mine.toml", STANDARD.format(halls=1).replace("minutes = 15", "minutes = 4"))
    (check,) = run_audit(town.folder).reading.coarse
    assert (check.value, check.spread) == (1.0, 1.0)


def test_coarse_residents_whose_rate_changes_get_no_verdict(town):
    """Each place has a hall on a spur; its quarters lie on streets from which nobody gets there in time."""
    spur = [[(0, 0), (0, 100)], [(2000, 0), (2000, 100)]]
    far = [[(x, y), (x + 1000, y)] for x in (-500, 1500) for y in (-500, 500)]
    town.roads(
        [
            *spur,
            *far,
            [(0, 0), (-9000, 0)],
            *([(-9000, 0), (x - 500, y)] for x in (0, 2000) for y in (-500, 500)),
        ]
    )
    town.layer("towns.geojson", [shapely.box(-9000, -9000, 9000, 9000)], name="T", urban=True)
    town.table("homes.csv", [(0, 50), (2000, 50)], population=100)
    town.table("halls.csv", [(0, 60), (2000, 60)], service="hall", name=["a", "b"])
    town.add("[reading]\nfragment_min = 0\n")
    result = run_audit(town.folder).result("hall")
    assert result.value == 1.0
    assert result.status == "data_insufficient"
    assert result.reason.startswith("coarse_demand:2000|100.0%|")


def test_the_bundled_county_at_village_centres_is_not_silent(tmp_path):
    """Residents at village centres give 93.5 % where 86.4 % is true."""
    inputs = prepare(read_study(example_folder()))
    columns = ["population", *inputs.study.demand.groups]
    lonlat = village_centres(inputs.villages, "EPSG:4326")
    centres = pd.DataFrame(lonlat, index=inputs.villages.index, columns=["lon", "lat"])
    folder = shutil.copytree(example_folder(), tmp_path / "county")
    inputs.demand.groupby("village")[columns].sum().join(centres).to_csv(
        folder / "residents.csv", index=False
    )
    text = (folder / "study.toml").read_text("utf-8").replace("residents.parquet", "residents.csv")
    text = text.replace('"age_0_2"', '"under3"').replace('"age_60"', '"over60"')
    (folder / "study.toml").write_text(text, "utf-8")
    findings = run_audit(folder)
    culture = findings.result("culture")
    assert (round(culture.value, 3), culture.status) == (0.935, "data_insufficient")
    assert culture.reason == "coarse_demand:956|93.5%|82.6%"
    assert any(code.startswith("coarse_residents:culture|100.0%|156|956|") for code in findings.warnings)


# ---------------------------------------------------------------------------------------------------------
# Where it is printed


def test_the_report_is_the_same_when_read_back(town, tmp_path):
    town.table("homes.csv", [(100, 10), (1700, 10)], population=100)
    findings = run_audit(town.folder, out=tmp_path / "out")
    top = json.loads((tmp_path / "out/2025/summary.json").read_text("utf-8"))
    assert top["reading"]["networks"][0]["homes"]["off"] == {"far": 1}
    assert load_findings(tmp_path / "out/2025").reading == findings.reading


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheet_and_the_lines_name_what_is_off_the_roads(tmp_path, language):
    town = Town(tmp_path / "town", language=language)
    town.table("halls.csv", [(500, 10), (500, -350)], service="hall", name=["near", "Far Hall"])
    findings = run_audit(town.folder, out=tmp_path / "out")
    book = openpyxl.load_workbook(tmp_path / "out/2025/scoreboard.xlsx")
    sheet = book["数据读取" if language == "zh" else "what was read"]
    cells = [str(cell.value) for row in sheet.iter_rows() for cell in row]
    assert any("Far Hall" in cell for cell in cells)
    assert any("halls.csv" in cell for cell in cells)
    lines = reading_lines(findings.reading, language)
    assert any("Far Hall" in line and "350" in line for line in lines)
    assert not any("Far Hall" in line for line in reading_lines(findings.reading, language, public=True))
    assert all(
        "{" not in str(value) for row in reading_rows(findings.reading, language) for value in row.values()
    )


def test_the_terminal_says_what_was_read(town, tmp_path):
    done = CliRunner().invoke(cli, ["audit", str(town.folder), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "residents homes.csv: 6 rows, 6 used" in done.output


def test_rows_left_out_are_counted_by_reason(town):
    frame = pd.read_csv(town.folder / "homes.csv").astype({"population": object})
    frame.loc[1, "population"] = "-3"
    frame.loc[2, "population"] = "many"
    frame.to_csv(town.folder / "homes.csv", index=False)
    town.write("study.toml", "max_rejected = 0.5\n" + (town.folder / "study.toml").read_text("utf-8"))
    demand = run(prepare(read_study(town.folder))).reading.inputs[1]
    assert (demand.rows, demand.used, sum(demand.left_out.values()), len(demand.left_out)) == (6, 4, 2, 2)
