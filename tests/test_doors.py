"""Venues drawn as polygons: entered at the best place of their edge, counted by hand on the toy town."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from conftest import edit
from lifecircle.audit import prepare, run_audit
from lifecircle.audit._doors import MOST, SPACING_M, find_doors
from lifecircle.facilities import read_facilities
from lifecircle.scenario import Change, run_scenario
from lifecircle.study import read_study
from test_audit import PER_SECOND

ORIGIN = (500_000.0, 3_377_000.0)
METRES = "EPSG:4549"
FAR = np.array([500_000.0, 3_300_000.0])


def drawn(folder, shape, **properties):
    """Put the library of the toy town in a file of its own, drawn as a shape in metres from the origin."""
    edit(folder / "facilities.csv", "L1,Toy library,library,501000,3377000,2010,\n", "")
    moved = shapely.transform(shape, lambda xy: xy + ORIGIN)
    feature = {
        "type": "Feature",
        "properties": {"id": "L1", "name": "Toy library", "service": "library", **properties},
        "geometry": json.loads(shapely.to_geojson(moved)),
    }
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    document = {"type": "FeatureCollection", "crs": crs, "features": [feature]}
    (folder / "library.geojson").write_text(json.dumps(document), "utf-8")
    edit(
        folder / "study.toml",
        "[standard]",
        f'[[facilities]]\nfile = "library.geojson"\ndatum = "{METRES}"\n\n[standard]',
    )


def seconds(findings, metres):
    found = findings.seconds["reading"]
    return found[list(metres)].tolist() == pytest.approx(
        [one / PER_SECOND for one in metres.values()], abs=1e-3
    )


def test_a_ground_is_reached_at_the_edge_that_is_nearest_to_each(toytown):
    # Its south edge lies 50 m from Main Street, its east edge 100 m from North Lane.
    drawn(toytown, shapely.box(600, 50, 900, 350))
    findings = run_audit(toytown)
    assert seconds(
        findings,
        {
            "r1": 600 + 50,  # along Main Street to the south-west corner
            "r2": 100 + 50,
            "r3": 1250 - 350 + 100,  # down North Lane to the north-east corner
            "r5": 30 + 250 + 100 + 50,
            "r4": 2000 + 100 + 50,
        },
    )
    assert findings.nearest["reading"]["r3"] == "L1"
    assert "polygon" not in findings.facilities


def test_a_park_whose_middle_is_far_from_every_road_is_not_lost(toytown):
    drawn(toytown, shapely.box(100, 20, 900, 1000))  # its centroid lies 490 m from the nearest road
    findings = run_audit(toytown)
    assert seconds(findings, {"r1": 100 + 20, "r3": 250 + 100})
    # r2 faces the middle of the south edge: the nearest door is at most half a spacing aside
    assert 20 <= findings.seconds["reading"]["r2"] * PER_SECOND <= 20 + SPACING_M / 2
    venues = findings.reading.networks[0].venues
    assert (venues.off_rows, venues.named) == (0, ())


def test_a_park_far_from_every_road_is_named(toytown):
    drawn(toytown, shapely.box(100, 2000, 900, 2500))
    findings = run_audit(toytown)
    assert [one.id for one in findings.reading.networks[0].venues.named] == ["L1"]


def test_several_venues_of_a_rule_are_several_though_one_has_many_entrances(toytown):
    # Culture asks for a library and two of gyms and parks; many doors of one park are one park.
    text = (toytown / "facilities.csv").read_text("utf-8")
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(("G2", "P1"))]
    (toytown / "facilities.csv").write_text("".join(lines), "utf-8")
    drawn(toytown, shapely.box(600, 50, 900, 350))
    edit(toytown / "library.geojson", '"service": "library"', '"service": "sports_park"')
    edit(toytown / "facilities.csv", "G1,", "L2,Toy library,library,501000,3377000,2010,\nG1,")
    inputs = prepare(read_study(toytown))
    assert len(inputs.doors) >= 1200 / SPACING_M
    findings = run_audit(toytown)
    # r2: gym at its place 0 m, ground 150 m, library 500 m; r1: gym 500 m, ground 650 m, library 1000 m
    found = findings.seconds["culture"]
    assert found[["r1", "r2"]].tolist() == pytest.approx([1000 / PER_SECOND, 500 / PER_SECOND], abs=1e-3)
    ranks = findings.ranks["culture", "public_benefit", 2]
    assert ranks[["r1", "r2"]].tolist() == pytest.approx([650 / PER_SECOND, 150 / PER_SECOND], abs=1e-3)


def test_a_register_keeps_polygons_beside_a_column_called_area():
    shapes = [shapely.box(120.0, 30.0, 120.01, 30.01), shapely.Point(120.1, 30.1)]
    table = gpd.GeoDataFrame({"service": "hall", "area": [5.0, 6.0]}, geometry=shapes, crs=4326)
    register, rejects = read_facilities(table)
    assert rejects.empty
    assert register["area"].tolist() == [5.0, 6.0]
    assert register["polygon"].iloc[0].equals(shapes[0])
    assert register["polygon"].iloc[1] is None
    assert register.geometry.tolist() == [shapes[0].centroid, shapes[1]]
    assert "polygon" not in read_facilities(table.iloc[1:])[0]


def test_doors_are_spread_over_every_line_of_an_edge():
    ring = shapely.Polygon(
        [(0, 0), (1000, 0), (1000, 1000), (0, 1000)], [[(400, 400), (600, 400), (600, 600), (400, 600)]]
    )
    sites = gpd.GeoDataFrame(geometry=[shapely.Point(500, 500)], crs="EPSG:32650")
    areas = gpd.GeoSeries([shapely.transform(ring, lambda xy: xy + FAR)], crs="EPSG:32650")
    sites["polygon"] = areas.to_crs(4326).to_numpy()
    doors = find_doors(sites)
    xy = shapely.get_coordinates(doors.table.geometry.to_numpy()) - FAR
    assert len(doors) == pytest.approx(4800 / max(SPACING_M, 4800 / MOST), abs=8)  # a hair over: one more
    assert (doors.row == 0).all()
    edge = shapely.points(xy)
    assert shapely.distance(ring.boundary, edge).max() < 1e-3
    gaps = np.sort(shapely.line_locate_point(shapely.LineString(ring.exterior.coords), edge))
    assert np.diff(gaps).max() <= 12 + 1e-2
    assert {(0, 0), (400, 600)} <= {(round(x), round(y)) for x, y in xy}
    wide = sites.assign(polygon=shapely.box(120.0, 30.0, 121.0, 31.0))
    assert MOST <= len(find_doors(wide)) <= MOST + 4
    assert len(find_doors(sites.drop(columns="polygon"))) == 0
    assert len(find_doors(sites.assign(polygon=pd.Series([None], dtype=object)))) == 0


def test_a_moved_venue_leaves_its_edge_behind_and_others_may_open_beside_it(toytown):
    drawn(toytown, shapely.box(600, 50, 900, 350))
    there = gpd.GeoSeries([shapely.Point(502_000, 3_377_000)], crs=METRES).to_crs(4326).iloc[0]
    done = run_scenario(
        toytown,
        [
            Change("move", id="L1", shape=there, row=1, file="changes"),
            Change("open", name="New", services=("gym",), shape=there, row=2, file="changes"),
        ],
    )
    found = done.after.seconds["reading"]
    assert found[["r4", "r5"]].tolist() == pytest.approx([1000 / PER_SECOND, 780 / PER_SECOND], abs=1e-3)
