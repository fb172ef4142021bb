"""Scenarios on the toy town (its places and metres are in ``test_audit``): each action counted by hand.

At 5 km/h 15 minutes are 1,250 m. Covered today: reading r1, r2, r3, r5 (215 people); culture r2, r5 (75);
health, of those over 60, r4 (15).
"""

import json
import shutil

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from conftest import TOYTOWN, edit
from lifecircle.audit import prepare, run_audit
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.scenario import (
    Change,
    apply_changes,
    read_changes,
    run_scenario,
    summary_lines,
    write_scenario,
)
from lifecircle.study import read_study

DEGREES = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True)
PER_SECOND = 5 / 3.6


def point(x, y):
    return shapely.Point(DEGREES.transform(500000 + x, 3377000 + y))


def line(*points):
    return shapely.LineString([DEGREES.transform(500000 + x, 3377000 + y) for x, y in points])


@pytest.fixture(scope="module")
def study():
    return read_study(TOYTOWN)


def scenario(study, *changes):
    """Run a scenario; whatever it changes, its people add up."""
    done = run_scenario(study, changes)
    for one in done.targets:
        assert one.covered_after == pytest.approx(one.covered_before + one.won - one.lost + one.come)
        for parts in (one.districts, [part for part in one.groups if part.code == "all"]):
            if one.target != "health" or parts is one.districts:
                assert sum(part.won for part in parts) == pytest.approx(one.won)
                assert sum(part.lost for part in parts) == pytest.approx(one.lost)
        for part in (*one.districts, *one.groups):
            grown = part.people_after - part.people_before
            gained = part.covered_after - part.covered_before
            assert gained == pytest.approx(part.won - part.lost) or grown
    return done


def moved(done, target, change):
    table = done.residents
    return set(table.loc[(table["target"] == target) & (table["change"] == change), "resident"])


# --- each action, by hand -------------------------------------------------------------------------------


def test_open(study):
    done = scenario(study, Change("open", services=("library",), name="New", shape=point(2000, 1000)))
    reading = done.target("reading")
    assert (reading.won, reading.lost, reading.covered_after) == (30, 0, 245)  # r4, at its own door
    assert (reading.value_before, reading.value_after) == (215 / 275, 245 / 275)
    assert reading.saved_min == pytest.approx(30 * 2000 / PER_SECOND / 60)
    assert reading.gaps_closed == ("reading-001",)
    groups = {part.code: part.won for part in reading.groups}
    assert groups == {"all": 30, "under3": 0, "over60": 15, "urban": 0, "rural": 30}
    # culture: r4's second gym is 1,500 m away still, but the library 2,000 m away no longer counts
    assert done.target("culture").saved_min == pytest.approx(30 * 500 / PER_SECOND / 60)
    assert not done.target("health").changed


def test_a_venue_away_from_every_road_is_refused_unless_a_road_comes_first(study):
    place = point(2000, 1600)  # East Road ends 600 m south of it, at r4's door
    far = Change("open", services=("library",), name="New", shape=place)
    swapped = Change("open", services=("gym",), name="Pin", shape=shapely.Point(place.y, place.x))
    unknown = Change("close", name="Nowhere")
    with pytest.raises(
        UnusableInputError, match=r"(?s)name.*Nowhere.*no road within 300 m.*no road within 300 m"
    ):
        run_scenario(study, [far, swapped, unknown])
    road = Change("add_road", shape=line((2000, 1000), (2000, 1600)), highway="footway")
    reading = scenario(study, road, far).target("reading")
    assert (reading.won, reading.lost, reading.covered_after) == (30, 0, 245)  # r4, by the new way
    assert reading.saved_min == pytest.approx(30 * (2000 - 600) / PER_SECOND / 60)


def test_open_several_services_in_one_building(study):
    # r1 lacks a second gym or park within 1,250 m, r3 both; the building at (600, 0) brings r1 the second
    done = scenario(study, Change("open", services=("gym", "clinic"), name="House", shape=point(600, 0)))
    assert moved(done, "culture", "won") == {"r1"}
    assert moved(done, "health", "won") == {"r1", "r2", "r5"}  # r5: 650 + 30 m
    assert done.after.facilities.index[-2:].tolist() == ["scenario-1:gym", "scenario-1:clinic"]


def test_close(study):
    done = scenario(study, Change("close", id="L1"))
    reading = done.target("reading")
    assert (reading.won, reading.lost, reading.cut_off) == (0, 215, 245)
    assert reading.gaps_opened == ("reading-001", "reading-002", "reading-003", "reading-005")
    assert done.target("culture").covered_after == 0
    by_name = scenario(study, Change("close", name="Toy library"))
    by_place = scenario(study, Change("close", services=("library",), shape=point(1030, 40)))
    assert by_name.targets == by_place.targets == done.targets


def test_move(study):
    done = scenario(study, Change("move", id="L1", shape=point(2000, 0)))
    assert moved(done, "reading", "won") == {"r4"}
    assert moved(done, "reading", "lost") == {"r1", "r2", "r3"}
    assert moved(done, "reading", "farther") == {"r5"}  # from 280 to 780 m
    assert done.target("reading").saved_min == pytest.approx(
        (30 * 1000 - 100 * 1000 - 50 * 1000 - 40 * 1000 - 25 * 500) / PER_SECOND / 60
    )
    assert done.after.facilities.loc["L1", "district"] == "02"


def test_resize_and_hours_change_the_register(study):
    inputs = prepare(study)
    now = apply_changes(
        inputs,
        [Change("resize", id="L1", capacity=40.0), Change("hours", id="L1", hours="Mo-Su 08:00-21:00")],
    )
    assert now.register.loc["L1", ["capacity", "hours"]].tolist() == [40.0, "Mo-Su 08:00-21:00"]
    twice = apply_changes(now, [Change("resize", id="L1", factor=1.5)])
    assert twice.register.loc["L1", "capacity"] == 60.0
    assert inputs.register.loc["L1", "hours"] == ""  # the inputs stay as they are


def test_evening_hours_count_where_the_target_says_when(toytown):
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L2,Far library,library,504000,3377400,2010,\n")
    edit(toytown / "standard.toml", "goal = 0.9", 'goal = 0.9\nopen_at = "Mon 19:00"\naccounting = "open"')
    text = (toytown / "facilities.csv").read_text("utf-8").splitlines()
    rows = [row + (",hours" if at == 0 else ",Mo-Fr 09:00-17:00") for at, row in enumerate(text)]
    (toytown / "facilities.csv").write_text("\n".join(rows) + "\n", "utf-8")
    done = run_scenario(toytown, [Change("hours", id="L1", hours="Mo-Su 09:00-21:00")])
    reading = done.target("reading")
    assert (reading.value_before, reading.value_after) == (0.0, 215 / 275)


def test_grow(study):
    done = scenario(study, Change("grow", district="West Bank", factor=2.0))
    reading = done.target("reading")
    assert (reading.won, reading.lost, reading.come) == (0, 0, 215)
    assert (reading.people_after, reading.covered_after) == (490, 430)
    more = scenario(study, Change("grow", district="01", people=215.0))
    assert more.targets == done.targets
    assert done.after.demand.loc["r1", ["population", "under3", "over60"]].tolist() == [200, 8, 40]


def test_add_a_road(study):
    # from r7's reach to East Road: 10 people at (3000, 0), who had no road within 500 m
    done = scenario(study, Change("add_road", shape=line((3000, 0), (2000, 0))))
    assert done.target("reading").connected == 10
    seconds = done.after.seconds["reading"]["r7"]
    assert seconds == pytest.approx(2000 / PER_SECOND)
    # a footbridge from the lane's end to the park's street: r3 is 1,250 m from the park, at the limit
    over = scenario(study, Change("add_road", shape=line((1000, 1250), (2000, 500)), highway="footway"))
    assert moved(over, "health", "won") == {"r3"}
    assert over.target("health").won == 12


def test_close_a_road(study):
    done = scenario(study, Change("close_road", shape=line((1500, 0), (2000, 0))))  # the bridge
    assert done.target("reading").cut_off == 30
    # at 500 m of East Road the park falls on r4's side: gyms alone are left for the west
    assert moved(done, "culture", "cut_off") == {"r4"}
    assert np.isnan(done.after.seconds["culture"]["r4"])


def test_close_an_edge_by_its_number(study):
    inputs = prepare(study)
    roads = inputs.networks["walk"]
    middle = shapely.get_coordinates(shapely.line_interpolate_point(roads.lines, 0.5, normalized=True))
    bridge = int(np.hypot(*(middle - (501750, 3377000)).T).argmin())
    by_number = scenario(study, Change("close_road", edge=bridge))
    by_line = scenario(study, Change("close_road", shape=line((1500, 0), (2000, 0))))
    assert by_number.targets == by_line.targets


def test_changes_stack_in_order(study):
    done = scenario(
        study,
        Change("open", services=("library",), id="L2", name="New", shape=point(2000, 1000)),
        Change("move", id="L2", shape=point(0, 0)),
        Change("close", id="L1"),
    )
    assert moved(done, "reading", "lost") == {"r3", "r5"}  # 2,250 and 1,280 m to (0, 0)
    assert done.target("reading").lost == 40 + 25


def test_the_year_before_is_the_study_s_own(study):
    done = scenario(study, Change("open", services=("clinic",), name="New", shape=point(0, 0)))
    assert done.after.result("health").previous == done.before.result("health").previous == 30 / 74


# --- a scenario is a full audit of the edited study -----------------------------------------------------


def assert_same_audit(after, audited):
    """Two audits say the same of every target and of every resident."""
    for one, other in zip(after.targets, audited.targets, strict=True):
        assert (one.value, one.status, one.count) == (other.value, other.status, other.count)
        assert one.districts == other.districts
        assert one.groups == other.groups
        assert one.band == other.band
        assert one.variants == other.variants
    pd.testing.assert_frame_equal(after.seconds, audited.seconds, atol=1e-6, rtol=0)
    pd.testing.assert_frame_equal(after.status, audited.status)
    pd.testing.assert_frame_equal(after.people, audited.people)
    assert list(after.gaps["people"]) == list(audited.gaps["people"])


def test_a_closure_and_an_opening_equal_the_audit_of_the_edited_study(toytown):
    edit(toytown / "facilities.csv", "L1,Toy library,library,501000,3377000,2010,", "")
    with (toytown / "facilities.csv").open("a", encoding="utf-8") as file:
        file.write("L2,New library,library,501500,3377000,2025,\n")
    audited = run_audit(toytown)
    done = run_scenario(
        TOYTOWN,
        [
            Change("close", id="L1"),
            Change("open", id="L2", services=("library",), name="New library", shape=point(1500, 0)),
        ],
    )
    assert_same_audit(done.after, audited)


def test_roads_equal_the_audit_of_the_edited_study(toytown):
    path = toytown / "roads.geojson"
    layer = gpd.read_file(path)
    cut = [((501000, 3378250), (502000, 3377500)), ((502000, 3377000), (502000, 3377500))]
    cut += [((502000, 3377500), (502000, 3378000))]
    lines = [shapely.LineString(ends) for ends in cut]
    kept = layer[~layer["name"].isin(["East Road", "Island Path"])]
    new = gpd.GeoDataFrame(
        {"name": "", "highway": ["footway", "residential", "residential"]}, geometry=lines, crs=layer.crs
    )
    path.unlink()
    pd.concat([kept, new]).to_file(path, driver="GeoJSON")
    audited = run_audit(toytown)
    done = run_scenario(
        TOYTOWN,
        [
            Change("add_road", shape=line((1000, 1250), (2000, 500)), highway="footway"),
            Change("close_road", shape=line((4000, 0), (4000, 500))),
        ],
    )
    assert_same_audit(done.after, audited)


def test_growth_equals_the_audit_of_the_edited_study(toytown):
    edit(toytown / "residents.csv", "r4,502000,3378000,30,0,15", "r4,502000,3378000,60,0,30")
    edit(toytown / "residents.csv", "r7,503000,3377000,10,0,4", "r7,503000,3377000,20,0,8")
    done = run_scenario(TOYTOWN, [Change("grow", district="East Bank", people=40.0)])
    assert_same_audit(done.after, run_audit(toytown))


# --- files ----------------------------------------------------------------------------------------------

PINS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"action": "open", "service": "library", "name": "Pin"},
            "geometry": {"type": "Point", "coordinates": list(point(2000, 1000).coords[0])},
        }
    ],
}


def test_every_form_of_file_gives_the_same_changes(tmp_path):
    x, y = point(2000, 1000).coords[0]
    forms = {
        "pins.geojson": json.dumps(PINS),
        "pins.json": json.dumps(PINS),
        "changes.csv": f"action,service,name,lon,lat\nopen,library,Pin,{x!r},{y!r}\n",
        "中文.csv": f"操作,类别,名称,经度,纬度\nopen,library,Pin,{x!r},{y!r}\n",
        "changes.toml": '[[change]]\naction = "open"\nservice = "library"\nname = "Pin"\n'
        f"lon = {x!r}\nlat = {y!r}\n",
        "plan.json": json.dumps(
            {"schema": 1, "sites": [{"id": "", "name": "Pin", "service": "library", "lon": x, "lat": y}]}
        ),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text, "utf-8")
    frame = pd.read_csv(tmp_path / "changes.csv")
    frame.to_excel(tmp_path / "changes.xlsx", index=False)
    gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy([x], [y]), crs="EPSG:4326").to_file(
        tmp_path / "changes.gpkg", layer="changes"
    )
    for path in sorted(tmp_path.iterdir()):
        (change,) = read_changes(path)
        assert (change.action, change.services, change.name) == ("open", ("library",), "Pin"), path.name
        assert change.shape.distance(point(2000, 1000)) < 1e-9, path.name


def test_lines_in_text_files(tmp_path):
    drawn = line((1000, 1250), (2000, 500))
    (tmp_path / "a.csv").write_text(f'action,highway,wkt\nadd_road,footway,"{drawn.wkt}"\n', "utf-8")
    points = [list(pair) for pair in drawn.coords]
    (tmp_path / "a.toml").write_text(
        f'[[change]]\naction = "add_road"\nhighway = "footway"\nline = {points}\n', "utf-8"
    )
    for name in ("a.csv", "a.toml"):
        (change,) = read_changes(tmp_path / name)
        assert change.shape.hausdorff_distance(drawn) < 1e-9


FAULTY = """action,id,service,name,lon,lat,capacity,hours,factor,people,district
opn,,library,,120,30.5,,,,,
open,,librry,X,120.0208,30.52,,,,,
close,L9,,,,,,,,,
close,,,Toy gym,,,,,,,
hours,L1,,,,,,whenever,,,
resize,L1,,,,,-3,,,,
grow,,,,,,,,2,5,West Bank
grow,,,,,,,,2,,Wst Bank
move,L1,,,,,,,,,
close,C1,,,,,,,,,
open,,library,Toy library,{lon},{lat},,,,,
open,L1,gym,Y,120.0208,30.52,,,,,
grow,,,,,,,,,-500,West Bank
"""


def test_all_faults_of_all_files_at_once(toytown, tmp_path):
    lon, lat = point(1010, 0).coords[0]
    (tmp_path / "faulty.csv").write_text(FAULTY.format(lon=lon, lat=lat), "utf-8")
    (tmp_path / "roads.csv").write_text(
        'action,wkt,highway\nadd_road,"LINESTRING (120.05 30.6, 120.06 30.6)",footway\n'
        'close_road,"LINESTRING (120.05 30.6, 120.06 30.6)",\nadd_road,,\n',
        "utf-8",
    )
    with pytest.raises(UnusableInputError) as caught:
        run_scenario(toytown, [tmp_path / "faulty.csv", tmp_path / "roads.csv"])
    text = str(caught.value)
    for part in (
        "row 2, column 'action': unknown action (found: opn). Remedy: did you mean 'open'?",
        "row 3, column 'service': unknown service id (found: librry). Remedy: did you mean 'library'?",
        "row 4, column 'id': no such facility (found: L9)",
        "row 5, column 'name': no facility open in 2025 has this name (found: Toy gym)",
        "row 6, column 'hours': hours that cannot be read",
        "row 7, column 'capacity': negative",
        "row 8, column 'factor': factor and people are both given",
        "row 9, column 'district': no such district (found: Wst Bank). Remedy: did you mean 'West Bank'?",
        "row 10, column 'geometry': move: no place is given",
        "row 11, column 'id': the facility is not open in 2025 (found: C1)",
        "row 12, column 'name': listed twice",
        "row 13, column 'id': a facility is called by this id already (found: L1)",
        "row 14, column 'people': more people go than live there (215)",
        "roads.csv, row 2, column 'geometry': add_road: neither end is within 25 m of a road",
        "roads.csv, row 3, column 'geometry': close_road: no road runs along the line",
        "roads.csv, row 4, column 'geometry': add_road: no line is given",
    ):
        assert part in text
    assert len(caught.value.faults) == 16


def test_files_that_are_no_changes(tmp_path):
    for name, text, told in (
        ("a.toml", "[[change", "broken TOML"),
        ("b.toml", "[[chnge]]\naction = 'open'\n", "unknown key: chnge"),
        ("c.json", "{}", "neither GeoJSON nor a plan"),
        ("d.csv", "service\nlibrary\n", "column 'action'"),
        ("e.csv", 'action,wkt\nadd_road,"LINE (1 2)"\n', "not a shape"),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        with pytest.raises(UnusableInputError, match=told.replace("[", r"\[")):
            read_changes(tmp_path / name)
    with pytest.raises(MissingFileError):
        read_changes(tmp_path / "none.toml")


def test_what_is_written(study, tmp_path):
    done = run_scenario(
        study,
        [
            Change("open", services=("library",), name="New", shape=point(2000, 1000)),
            Change("close", id="G1"),
            Change("add_road", shape=line((1000, 1250), (2000, 500)), highway="footway"),
        ],
    )
    for name in ("a", "b"):
        write_scenario(done, tmp_path / name)
    one, other = ((tmp_path / name) for name in ("a", "b"))
    assert sorted(path.name for path in one.iterdir()) == [
        "comparison.json",
        "comparison.xlsx",
        "scenario.gpkg",
    ]
    for name in ("comparison.json", "comparison.xlsx", "scenario.gpkg"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    top = json.loads((one / "comparison.json").read_text("utf-8"))
    assert str(tmp_path) not in json.dumps(top)
    reading = next(target for target in top["targets"] if target["target"] == "reading")
    assert reading["won"] == 30
    assert set(pyogrio.list_layers(one / "scenario.gpkg")[:, 0]) == {
        "winners", "losers", "changed_sites", "changed_roads",
    }  # fmt: skip
    winners = gpd.read_file(one / "scenario.gpkg", layer="winners")
    assert winners.loc[winners["change"] == "won", "resident"].tolist() == ["r4", "r3"]
    book = openpyxl.load_workbook(one / "comparison.xlsx")
    assert book.sheetnames == ["summary", "targets", "districts", "groups", "changes"]
    heads = [cell.value for cell in book["targets"][3]]
    assert dict(zip(heads, [cell.value for cell in book["targets"][4]], strict=True))["newly covered"] == 30
    write_scenario(done, one)  # an earlier result is replaced
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.docx").write_text("mine")
    with pytest.raises(UnusableInputError, match="no earlier results"):
        write_scenario(done, tmp_path / "own")
    assert (tmp_path / "own" / "thesis.docx").read_text() == "mine"


def test_it_is_written_in_both_languages(study):
    done = run_scenario(study, [Change("open", services=("library",), name="New", shape=point(2000, 1000))])
    english, chinese = (summary_lines(done, language) for language in ("en", "zh"))
    assert english[2].startswith("15-minute reading circle: from 78.1 % to 89.0 % (+10.91 points).")
    assert "30 people are newly covered (among them 60 and over 15" in english[2]
    assert "新增覆盖 30 人" in chinese[2]
    assert len(english) == len(chinese)


def test_bytes_of_a_study_copied_elsewhere_are_the_same(tmp_path):
    (tmp_path / "pins.geojson").write_text(json.dumps(PINS), "utf-8")
    for name in ("x", "y"):
        shutil.copytree(TOYTOWN, tmp_path / name)
        done = run_scenario(tmp_path / name, tmp_path / "pins.geojson")
        assert done.id == "pins"
        write_scenario(done, tmp_path / name / "out")
    texts = [(tmp_path / name / "out" / "comparison.json").read_bytes() for name in ("x", "y")]
    assert texts[0] == texts[1]
