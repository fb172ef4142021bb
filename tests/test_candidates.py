"""Candidate sites: what a list may say, the land they lie on, and rows that cannot be used."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lifecircle.candidates import on_land, read_candidates, read_land, service_list
from lifecircle.errors import UnusableInputError

METRES = "EPSG:4549"


def layer(*shapes, **columns):
    table = gpd.GeoDataFrame(columns or {"name": [""] * len(shapes)}, geometry=list(shapes), crs=METRES)
    return table.to_crs("EPSG:4326")


def square(x, y, size=20.0):
    return shapely.box(500000 + x, 3377000 + y, 500000 + x + size, 3377000 + y + size)


def point(x, y):
    return shapely.Point(500000 + x, 3377000 + y)


def test_points_and_parcels_with_chinese_columns():
    table = layer(
        point(0, 0),
        square(100, 100),
        编号=["A", "B"],
        候选点=["甲", "乙"],
        估算投资=[60, None],
        必选=["是", "否"],
    )
    found, rejects = read_candidates(table)
    assert not len(rejects)
    assert found.index.tolist() == ["A", "B"]
    assert found["name"].tolist() == ["甲", "乙"]
    assert found["cost"].iloc[0] == 60
    assert found["required"].tolist() == [True, False]
    assert found["area"].isna().tolist() == [True, False]
    middle = found.geometry.to_crs(METRES).iloc[1]
    assert middle.distance(point(110, 110)) < 0.01


def test_a_parcel_is_built_in_inside_itself():
    bent = square(0, 0, 60).difference(square(20, 20, 60))
    found, _ = read_candidates(layer(bent))
    assert bent.contains(found.geometry.to_crs(METRES).iloc[0])


def test_candidates_at_one_place_are_merged_and_listed():
    table = layer(
        point(0, 0),
        point(0, 10),
        point(0, 21),
        point(5, 0),
        services=["", "", "", "gym"],
        required=[0, 1, 0, 0],
    )
    found, rejects = read_candidates(table)
    # the required one stands, and another service is another thing
    assert found.index.tolist() == ["2", "3", "4"]
    assert rejects["row"].tolist() == [1]
    assert "the same place as candidate 2" in rejects["reason"].iloc[0]


def test_faults_are_reported_together():
    table = pd.DataFrame(
        {
            "lon": [120.0, 120.1, 30.5],
            "lat": [30.5, 30.5, 120.0],
            "cost": [3, -5, 3],
            "services": ["gim", "", ""],
            "required": [1, 0, 0],
            "forbidden": [1, 0, 0],
        }
    )
    with pytest.raises(UnusableInputError) as caught:
        read_candidates(table, known_services=["gym", "library"])
    text = str(caught.value)
    assert "row 1, column 'services': unknown service id (found: gim). Remedy: did you mean 'gym'?" in text
    assert "row 1, column 'required': required and forbidden at once" in text
    assert "row 2, column 'cost': negative (-5)" in text
    assert "row 3, column 'lat': coordinate is out of range (120)" in text


def test_a_row_without_a_place_is_a_reject():
    table = pd.DataFrame({"lon": [120.0, None], "lat": [30.5, 30.5], "cost": [-5, 3]})
    _, rejects = read_candidates(table, max_rejected=1.0)
    assert rejects["row"].tolist() == [1, 2]
    with pytest.raises(UnusableInputError, match="rejected"):
        read_candidates(table)


def test_land_is_seen_by_area_for_parcels_and_by_place_for_points():
    found, _ = read_candidates(
        layer(point(0, 0), point(-0.5, 50), square(-19, 200), square(-20, 300), square(-19.98, 400))
    )
    land = read_land(layer(shapely.box(500000, 3376000, 501000, 3379000)))
    # the parcels overlap by 20, 0 and 0.4 square metres
    assert on_land(found, land, crs=METRES).tolist() == [True, False, True, False, False]


def test_land_is_polygons():
    with pytest.raises(UnusableInputError, match="land is drawn as polygons"):
        read_land(layer(point(0, 0)))
    endless = shapely.transform(shapely.box(0, 0, 1, 1), lambda xy: np.where(xy == 1, np.inf, xy))
    with pytest.raises(UnusableInputError, match=r"row 2.*no polygon on the globe"):
        read_land(gpd.GeoDataFrame(geometry=[shapely.box(120, 30, 121, 31), endless], crs=4326))
    with pytest.raises(UnusableInputError, match="no polygons"):
        read_land(pd.DataFrame({"a": [1]}))


def test_services_of_a_cell():
    assert service_list("library；gym; ") == ("library", "gym")
