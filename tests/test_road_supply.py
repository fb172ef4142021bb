"""How complete the roads are by district, counted by hand, and when coverage would measure missing roads."""

import json
import shutil

import pytest

from commands import run as lifecircle
from lifecircle.audit import prepare, run
from lifecircle.doctor import DistrictRoads, check_study, checkup_page, missing_roads, road_supply
from lifecircle.study import read_study


def district(**figures):
    usual = {
        "code": "a", "name": "A", "area_km2": 10.0, "road_km": 20.0, "people": 1000.0, "near_100": 0.9,
        "near_500": 1.0, "islands": 0, "island_km": 0.0, "island_people": 0.0, "target": "t",
        "counted": 1000.0, "lost": 0.0, "beyond": 100.0,
    }  # fmt: skip
    return DistrictRoads(**{**usual, **figures})


@pytest.mark.parametrize(
    ("figures", "others", "doubted"),
    [
        ({}, [1.0, 0.9], False),
        ({"near_500": 0.75}, [0.95, 0.95, 0.1], False),  # exactly 20 points below the median
        ({"near_500": 0.74}, [0.95, 0.95, 0.1], True),
        ({"near_500": 0.80}, [], False),
        ({"near_500": 0.79}, [], True),
        ({"lost": 50.0, "beyond": 49.0}, [1.0], True),  # 5 % of those counted, inclusive
        ({"lost": 49.0, "beyond": 0.0}, [1.0], False),
        ({"lost": 200.0, "beyond": 200.0}, [1.0], False),
        ({"people": 0.0, "near_500": None}, [1.0], False),
    ],
)
def test_a_district_is_doubted_by_the_rule(figures, others, doubted):
    one = district(**figures)
    supply = [one, *(district(near_500=share) for share in others)]
    assert missing_roads(supply, one) is doubted


def test_figures_per_area_and_person():
    one = district()
    assert (one.km_per_km2, one.km_per_1000) == (2.0, 20.0)
    assert district(area_km2=None).km_per_km2 is None
    assert district(people=0.0).km_per_1000 is None


def written(toytown, roads, residents):
    """Write roads (metres from 500000, 3377000) and residents (east, north, people) into the toy town."""
    lines = [
        {
            "type": "Feature",
            "properties": {"highway": "residential"},
            "geometry": {
                "type": "LineString",
                "coordinates": [[500_000 + x, 3_377_000 + y] for x, y in line],
            },
        }
        for line in roads
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    (toytown / "roads.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "crs": crs, "features": lines}), "utf-8"
    )
    rows = [
        f"r{at},{500_000 + x},{3_377_000 + y},{people},0,0" for at, (x, y, people) in enumerate(residents)
    ]
    (toytown / "residents.csv").write_text(
        "\n".join(["id,x,y,population,age_0_2,age_60", *rows, ""]), "utf-8"
    )


def test_roads_and_homes_are_counted_by_hand(toytown):
    """2 km of street, and 300 m apart from it; homes on it, 100 m, 100.5 m, 500 m and 501 m away."""
    written(
        toytown,
        [[(0, 0), (2000, 0)], [(0, 1500), (300, 1500)]],
        [(100, 0, 10), (200, 100, 20), (300, 100.5, 30), (400, 500, 40), (500, 501, 50), (100, 1500, 60)],
    )
    inputs = prepare(read_study(toytown), 2025)
    supply = road_supply(inputs, run(inputs))
    road_km = sum(one.road_km for one in supply)
    people = sum(one.people for one in supply)
    outside = float(inputs.demand["population"].sum()) - people
    assert road_km == pytest.approx(2.3, abs=1e-6)
    assert (people, outside) == (210, 0)
    assert sum(one.people * (one.near_100 or 0) for one in supply) == pytest.approx(10 + 20 + 60)
    assert sum(one.people * (one.near_500 or 0) for one in supply) == pytest.approx(10 + 20 + 30 + 40 + 60)
    assert sum(one.islands for one in supply) == 1
    assert sum(one.island_km for one in supply) == pytest.approx(0.3, abs=1e-6)
    assert sum(one.island_people for one in supply) == 60


def test_the_check_names_islands_with_people_and_km(toytown):
    written(
        toytown,
        [[(0, 0), (2000, 0)], [(0, 1500), (300, 1500)]],
        [(100, 0, 10), (100, 1500, 60)],
    )
    checkup = check_study(toytown)
    (islands,) = [one for one in checkup.problems if one.kind == "islands"]
    assert islands.count == 1
    assert "0.3 km and 60 people, of 2.3 km and 70" in str(islands.reason)
    assert "points" in str(islands.effect)
    assert islands.places
    assert "0.30 km, 60 people" in islands.rows[0]
    (missing,) = [one for one in checkup.problems if one.kind == "missing_roads"]
    assert "60 people" in str(missing.effect)
    page = checkup_page(checkup)
    assert 'class="doubtful"' in page
    assert "How complete the roads are" in page
    plain = checkup.plain()["roads"]
    assert sum(one["road_km"] for one in plain) == pytest.approx(2.3, abs=1e-6)
    assert any(one["missing_roads"] for one in plain)


def test_one_way_streets_that_lead_nowhere_are_pieces(toytown):
    study = (toytown / "standard.toml").read_text("utf-8")
    assert "drive" not in study
    written(toytown, [[(0, 0), (2000, 0)], [(2000, 0), (2000, 900)]], [(100, 0, 10), (2000, 600, 60)])
    roads = json.loads((toytown / "roads.geojson").read_text("utf-8"))
    roads["features"][1]["properties"]["oneway"] = "yes"
    (toytown / "roads.geojson").write_text(json.dumps(roads), "utf-8")
    (toytown / "standard.toml").write_text(study.replace('profile = "walk"', 'profile = "cycle"', 1), "utf-8")
    network = next(
        one for one in run(prepare(read_study(toytown), 2025)).reading.networks if "cycle" in one.profiles
    )
    assert (network.one_way_pieces, network.one_way_m, network.one_way_people) == (1, pytest.approx(900), 60)
    (found,) = [one for one in check_study(toytown).problems if one.kind == "one_way_pieces"]
    assert "0.9 km, 60 people" in str(found.reason)


def test_ends_that_miss_are_reported_with_the_value_that_mends_them(toytown):
    streets = [[(100 * at, 0), (100 * at + 99.2, 0)] for at in range(30)]
    written(toytown, streets, [(100, 0, 10)])
    problems = {one.kind: one for one in check_study(toytown).problems}
    assert "join_m = 1" in str(problems["unjoined_ends"].remedy)
    assert problems["unjoined_ends"].count == 29
    study = (toytown / "study.toml").read_text("utf-8")
    (toytown / "study.toml").write_text(
        study.replace('file = "roads.geojson"', 'file = "roads.geojson"\njoin_m = 1.0'), "utf-8"
    )
    mended = {one.kind for one in check_study(toytown).problems}
    assert not {"unjoined_ends", "islands"} & mended


def test_the_command_prints_the_table(toytown):
    done = lifecircle("check", toytown)
    assert "How complete the roads are, by district" in done.stdout
    assert "within 500 m" in done.stdout


@pytest.mark.shared_data
def test_ninghua_reports_its_pieces(toytown, shared_data):
    """By car eleven parts of the small extract are joined by one-way streets in one direction alone."""
    study = (toytown / "study.toml").read_text("utf-8")
    path = shared_data / "ninghua" / "ninghua.osm"
    shutil.copy(path, toytown / "ninghua.osm")
    study = study.replace('file = "roads.geojson"', 'file = "ninghua.osm"').replace('crs = "EPSG:4549"\n', "")
    study = study.replace('datum = "EPSG:4549"', "").replace('[districts]\nfile = "districts.geojson"\n', "")
    (toytown / "study.toml").write_text(study, "utf-8")
    standard = (toytown / "standard.toml").read_text("utf-8")
    (toytown / "standard.toml").write_text(
        standard.replace('profile = "walk"', 'profile = "drive"', 1), "utf-8"
    )
    homes = [f"r{at},{116.6495 + 0.0008 * at},{26.263 + 0.0008 * at},10,0,0" for at in range(11)]
    (toytown / "residents.csv").write_text(
        "\n".join(["id,lon,lat,population,age_0_2,age_60", *homes, ""]), "utf-8"
    )
    (toytown / "facilities.csv").write_text(
        "id,name,service,lon,lat\nL1,library,library,116.6549,26.2628\n", "utf-8"
    )
    problems = {one.kind: one for one in check_study(toytown).problems}
    assert problems["one_way_pieces"].count == 10
    assert "6.6 km" in str(problems["one_way_pieces"].reason)
    assert "9.5 of 18.7 km" in str(problems["dead_ends"].reason)
