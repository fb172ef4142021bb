"""People of polygons spread over their ground: each polygon keeps its people, to the person."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.geometry import Polygon, box

from lifecircle.demand import read_ground, read_spread
from lifecircle.errors import UnusableInputError

CRS = "EPSG:4549"
X, Y = 500000.0, 3380000.0


def square(x, y, right, top):
    return box(X + x, Y + y, X + right, Y + top)


def layer(shapes, crs=CRS, **columns):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


def metres(surface):
    return surface.demand.to_crs(CRS).geometry


BLOCKS = layer(
    [square(0, 0, 300, 200), square(300, 0, 400, 100)],
    id=["a", "b"],
    population=[60.0, 7.0],
    aged=[30.0, 2.0],
)


def test_people_live_evenly_all_over_by_area():
    surface = read_spread(BLOCKS, groups={"over60": "aged"}, grid_m=100, crs=CRS)
    demand = surface.demand
    sums = demand.groupby("counted_in")[["population", "over60"]].sum()
    assert sums.to_numpy().tolist() == pytest.approx(np.array([[60, 30], [7, 2]]))
    a = demand[demand["counted_in"] == "a"]
    assert a["population"].to_numpy() == pytest.approx(np.full(6, 10.0), rel=1e-6)
    assert a.index[0] == "a:5000_33800"
    assert a["extent_m"].to_numpy() == pytest.approx(np.sqrt(300 * 200), rel=1e-6)
    places = metres(surface)[(demand["counted_in"] == "a").to_numpy()]
    assert sorted(zip(places.x.round(3), places.y.round(3), strict=True)) == [
        (X + x, Y + y) for x in (50, 150, 250) for y in (50, 150)
    ]
    assert (surface.found, surface.rows, surface.used) == (67.0, 2, 2)


def test_every_row_lies_in_its_polygon_even_where_that_is_bent():
    bent = Polygon(
        [(X, Y), (X + 900, Y), (X + 900, Y + 30), (X + 30, Y + 30), (X + 30, Y + 900), (X, Y + 900)]
    )
    surface = read_spread(layer([bent], population=[100.0]), grid_m=1000, crs=CRS)
    assert shapely.dwithin(metres(surface).to_numpy(), bent, 1e-3).all()
    assert surface.demand["population"].sum() == pytest.approx(100)


def test_people_are_spread_over_footprints_by_area_floors_or_a_column():
    houses = layer(
        [square(10, 10, 20, 20), square(150, 50, 170, 70), square(290, 90, 310, 110)],
        floors=[6, 1, 1],
        homes=[1, 1, 2],
        use=["home", "home", "shop"],
    )
    blocks = layer([square(0, 0, 300, 200)], id=["a"], population=[100.0])
    # The last house stands across the border: half of its ground lies in the block.
    area = np.array([100.0, 400.0, 200.0])
    for keys, weight in (
        ({}, area),
        ({"floors": "floors"}, area * [6, 1, 1]),
        ({"weight": "homes"}, np.array([1.0, 1.0, 1.0])),
        ({"only": {"use": ["home"]}}, area[:2]),
    ):
        surface = read_spread(blocks, ground=read_ground(houses, **keys), to="buildings", crs=CRS)
        expected = 100 * weight / weight.sum()
        assert surface.demand["population"].to_numpy() == pytest.approx(expected, rel=1e-5)
    assert surface.demand.index.tolist() == ["a:1", "a:2"]
    assert surface.demand["extent_m"].to_numpy() == pytest.approx([10, 20], rel=1e-3)


def test_footprints_of_a_cell_are_one_row_at_the_one_nearest_their_middle():
    houses = layer(
        [square(10, 10, 20, 20), square(40, 10, 50, 20), square(80, 10, 90, 20), square(110, 10, 120, 20)]
    )
    blocks = layer([square(0, 0, 300, 200)], id=["a"], population=[40.0])
    surface = read_spread(blocks, ground=read_ground(houses), grid_m=100, crs=CRS)
    assert surface.demand["population"].to_numpy() == pytest.approx([30.0, 10.0], rel=1e-6)
    assert metres(surface).x.to_numpy() == pytest.approx([X + 45, X + 115], abs=1e-3)


def test_residential_land_is_cut_by_the_grid_and_by_the_polygons():
    land = layer([square(-100, 0, 150, 100), square(500, 500, 600, 600)])
    blocks = layer([square(0, 0, 300, 200), square(300, 0, 400, 100)], id=["a", "b"], population=[60.0, 7.0])
    surface = read_spread(blocks, ground=read_ground(land), grid_m=100, crs=CRS)
    a = surface.demand[surface.demand["counted_in"] == "a"]["population"]
    assert a.to_numpy() == pytest.approx([40.0, 20.0], rel=1e-6)
    # The other block has no land: its people are spread evenly, and that is counted.
    assert surface.demand["population"].sum() == pytest.approx(67)
    assert "spread_evenly:1|7" in surface.notes


def test_polygons_that_cross_themselves_are_mended_and_named():
    bow = Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])
    surface = read_spread(layer([bow], population=[10.0]), grid_m=500, crs=CRS)
    assert surface.demand["population"].sum() == pytest.approx(10)
    assert surface.notes == ("polygons_mended:1|1",)
    assert surface.demand["extent_m"].to_numpy() == pytest.approx(np.sqrt(5000), rel=1e-3)


def test_overlapping_polygons_are_named_with_the_people_counted_twice():
    blocks = layer(
        [square(0, 0, 100, 100), square(50, 0, 150, 100), square(150, 0, 250, 100)],
        population=[40.0, 60.0, 9],
    )
    surface = read_spread(blocks, crs=CRS)
    # Half of each lies in the other: 20 of the first, 30 of the second; the fewer may be there twice.
    assert surface.doubts == ("polygons_overlap:1|1-2|20",)


def test_more_people_than_can_live_in_a_polygon_are_a_reject_row():
    blocks = layer([square(0, 0, 300, 200)] * 40 + [square(0, 0, 10, 10)], population=[5.0] * 40 + [1e7])
    surface = read_spread(blocks, crs=CRS)
    assert surface.demand["population"].sum() == pytest.approx(200)
    assert surface.rejects["row"].tolist() == [41]
    assert surface.rejects["reason"].tolist() == ["more people than can live on 0.0001 km2"]


def test_points_among_polygons_stay_points_and_the_placeless_stay():
    mixed = layer(
        [square(0, 0, 100, 100), shapely.Point(X + 500, Y), None],
        id=["a", "p", "q"],
        population=[1.0, 2.0, 3.0],
    )
    demand = read_spread(mixed, grid_m=500, crs=CRS, max_rejected=1.0).demand
    assert demand["population"].tolist() == [1.0, 2.0, 3.0]
    assert demand.geometry.isna().tolist() == [False, False, True]
    assert demand.index.tolist()[1:] == ["p", "q"]


def test_a_grid_without_end_is_refused():
    vast = layer([square(0, 0, 90000, 90000)], population=[1.0])
    with pytest.raises(UnusableInputError, match="the grid would have more than 5,000,000 cells"):
        read_spread(vast, grid_m=10, crs=CRS)


def test_ground_at_fault_is_named():
    with pytest.raises(UnusableInputError, match="without polygons"):
        read_ground(pd.DataFrame({"a": [1]}))
    houses = layer([square(0, 0, 10, 10), square(0, 0, 20, 20)], floors=[np.nan, 2])
    ground = read_ground(houses, floors="floors")
    assert (ground.weight.tolist(), ground.notes) == ([1.0, 2.0], ("ground_floors_blank:1",))
    blank = read_ground(houses, weight="floors")
    assert (blank.used, blank.notes) == (1, ("ground_weight_blank:1",))
    with pytest.raises(UnusableInputError, match="missing column"):
        read_ground(houses, floors="storeys")
    with pytest.raises(UnusableInputError, match="no building or land with a weight"):
        read_ground(houses, only={"floors": ["none"]})
    wrong = read_ground(layer([square(0, 0, 10, 10)] * 30, floors=[2] * 29 + [-1]), floors="floors")
    assert wrong.rejects["reason"].tolist() == ["negative"]
