"""Coordinates: the Chinese shifts against published pairs and laws, the metre CRS, places of tables."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPoint, Point, Polygon

from lifecircle.datum import (
    SCALE_TOLERANCE,
    areas,
    bd09_from_wgs84,
    check_metre_crs,
    gcj02_from_wgs84,
    is_projected,
    locate,
    metre_crs,
    scale_error,
    to_wgs84,
    wgs84_from_bd09,
    wgs84_from_gcj02,
)
from lifecircle.errors import ProjectionError, UnusableInputError

# Published pairs that several open implementations test themselves with: WGS84 -> GCJ-02.
GCJ_PAIRS = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]
# WGS84 -> BD-09, published likewise; the second by an implementation that differs by some millimetres.
BD_PAIRS = [
    ((116.404, 39.915), (116.41662724378733, 39.922699552216216), 1e-4),
    ((121.0917077, 30.6107779), (121.10271732371203, 30.61484572185035), 0.02),
]
SHIFTS = [(gcj02_from_wgs84, wgs84_from_gcj02), (bd09_from_wgs84, wgs84_from_bd09)]

inside_lon = st.floats(72.004 + 0.021, 137.8347 - 0.021)
inside_lat = st.floats(0.8293 + 0.021, 55.8271 - 0.021)


def metres(lon1, lat1, lon2, lat2):
    return pyproj.Geod(ellps="WGS84").inv(lon1, lat1, lon2, lat2)[2]


@pytest.mark.parametrize(("wgs84", "gcj02"), GCJ_PAIRS)
def test_gcj02_gives_the_published_values(wgs84, gcj02):
    assert gcj02_from_wgs84(*wgs84) == pytest.approx(gcj02, abs=1e-10)
    assert wgs84_from_gcj02(*gcj02) == pytest.approx(wgs84, abs=1e-9)


@pytest.mark.parametrize(("wgs84", "bd09", "off_m"), BD_PAIRS)
def test_bd09_gives_the_published_values(wgs84, bd09, off_m):
    assert metres(*bd09_from_wgs84(*wgs84), *bd09) < off_m
    assert metres(*wgs84_from_bd09(*bd09), *wgs84) < off_m


def test_bd09_adds_the_published_second_shift():
    # Published: GCJ-02 116.404, 39.915 is BD-09 116.41036949371029, 39.92133699351021.
    lon, lat = bd09_from_wgs84(*wgs84_from_gcj02(116.404, 39.915))
    assert (lon, lat) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-8)


@pytest.mark.parametrize(("there", "back"), SHIFTS)
@settings(deadline=None, max_examples=200)
@given(lon=inside_lon, lat=inside_lat)
def test_round_trip_closes_well_inside(there, back, lon, lat):
    assert metres(*back(*there(lon, lat)), lon, lat) < 0.001
    assert metres(*there(*back(lon, lat)), lon, lat) < 0.001


@pytest.mark.parametrize("shift", [shift for pair in SHIFTS for shift in pair])
@settings(deadline=None, max_examples=100)
@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
def test_shift_is_identity_outside_and_small_inside(shift, lon, lat):
    x, y = shift(lon, lat)
    if 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271:
        # GCJ-02 moves by less than a kilometre, BD-09 by about one more.
        assert 10 < metres(lon, lat, x, y) < 3000
    else:
        assert (x, y) == (lon, lat)


def test_bd09_moves_an_east_chinese_town_by_about_a_kilometre():
    assert 900 < metres(120.947, 30.526, *bd09_from_wgs84(120.947, 30.526)) < 1300


@pytest.mark.parametrize("shift", [shift for pair in SHIFTS for shift in pair])
def test_shift_takes_scalars_arrays_and_missing_values_without_changing_them(shift):
    lon, lat = np.array([120.9, np.nan, 0.0]), np.array([30.5, 30.5, np.nan])
    before = lon.copy(), lat.copy()
    x, y = shift(lon, lat)
    assert x.dtype == y.dtype == np.float64
    assert np.isnan(x[1])
    assert np.isnan(y[2])
    np.testing.assert_array_equal((lon, lat), before)
    assert (float(shift(120.9, 30.5)[0]), float(shift(120.9, 30.5)[1])) == (x[0], y[0])
    assert shift(120.9, [30.0, 31.0])[0].shape == (2,)
    assert shift([], [])[0].shape == (0,)


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (120.95, 30.52, 4549),
        (114.06, 22.54, 4547),
        (116.65, 26.26, 4548),
        (118.4999, 30.0, 4548),
        (118.5, 30.0, 4549),
        (75.0, 38.0, 4534),
        (73.7, 38.0, 4534),
        (134.7, 48.0, 4554),
        (-46.63, -23.55, 32723),
        (2.35, 48.86, 32631),
        (179.99, -17.0, 32760),
        (180.0, -17.0, 32760),
        (-180.0, 0.0, 32601),
        (139.69, 35.69, 32654),
    ],
)
def test_metre_crs_is_the_zone_of_the_area(lon, lat, epsg):
    crs = metre_crs([lon], [lat])
    assert crs.to_epsg() == epsg
    check_metre_crs(crs, lon, lat)


def test_metre_crs_is_chosen_by_the_middle_of_many_points():
    assert metre_crs([120.9] * 9 + [0.0, np.nan], [30.5] * 9 + [0.0, 30.5]).to_epsg() == 4549


def test_metre_crs_needs_a_point():
    with pytest.raises(ProjectionError, match="no point has a place"):
        metre_crs([np.nan], [30.0])


@pytest.mark.parametrize(
    ("crs", "reason"),
    [
        ("EPSG:4326", "not projected"),
        ("EPSG:3857", "web Mercator"),
        ("EPSG:2263", "foot"),
        ("EPSG:4534", "scale is off by"),
        ("EPSG:3395", "scale is off by"),
        ("EPSG:6933", "scale is off by"),
    ],
)
def test_check_metre_crs_refuses_what_cannot_measure(crs, reason):
    with pytest.raises(ProjectionError, match=rf"{reason}.*Remedy: .*EPSG:4549"):
        check_metre_crs(pyproj.CRS(crs), [120.8, 121.1], [30.3, 30.7])


def test_scale_error_agrees_with_geodesic_distances():
    crs = pyproj.CRS.from_epsg(4549)
    lon, lat = 121.5, 30.0
    to_metres = pyproj.Transformer.from_crs(4326, crs, always_xy=True)
    x, y = to_metres.transform([lon, lon], [lat - 0.001, lat + 0.001])
    plane = np.hypot(x[1] - x[0], y[1] - y[0])
    measured = plane / metres(lon, lat - 0.001, lon, lat + 0.001) - 1
    assert scale_error(crs, [lon], [lat]) == pytest.approx(measured, rel=1e-3)
    assert 0 < measured < SCALE_TOLERANCE


def test_scale_error_is_of_the_worst_corner():
    crs = pyproj.CRS.from_epsg(4549)
    assert (
        scale_error(crs, [120.0, 123.0], [30.0, 30.0]) == scale_error(crs, [123.0], [30.0]) > SCALE_TOLERANCE
    )
    with pytest.raises(ProjectionError, match=r"off by 0\.10%|off by 0\.1"):
        check_metre_crs(crs, [120.0, 123.0], [30.0, 30.0])


@pytest.mark.parametrize(
    ("datum", "projected"),
    [("wgs84", False), ("GCJ-02", False), ("bd09", False), ("EPSG:4490", False), ("EPSG:4549", True)],
)
def test_is_projected(datum, projected):
    assert is_projected(datum) is projected


@pytest.mark.parametrize(
    ("datum", "message"),
    [
        (
            "auto",
            r"towns\.csv, datum: a datum is detected only beside roads, .*\. Remedy: declare it",
        ),
        ("wgs72", r"unknown datum \(found: wgs72\)\. Remedy: declare wgs84, gcj02, bd09 or EPSG:n"),
        ("EPSG:999999", "no such EPSG code"),
        ("EPSG:5703", "no horizontal coordinates"),
    ],
)
def test_unusable_datum_is_reported(datum, message):
    with pytest.raises(UnusableInputError, match=message):
        locate(pd.DataFrame({"lon": [1.0], "lat": [2.0]}), datum=datum, file="towns.csv")


def coordinates(located):
    return [None if point is None else (point.x, point.y) for point in located.points]


@pytest.mark.parametrize(
    "names",
    [("lon", "lat"), ("LON", "Lat"), ("lng", "lat"), ("longitude", "latitude"), ("经度", "纬度"), ("x", "y")],
)
def test_degrees_are_found_under_their_usual_names(names):
    located = locate(pd.DataFrame({names[1]: [30.5], names[0]: ["120.9"]}))
    assert coordinates(located) == [(120.9, 30.5)]
    assert located.used == names


def test_named_columns_decide():
    frame = pd.DataFrame({"lon": [1.0], "lat": [2.0], "gps e": [120.9], "gps n": [30.5]})
    assert coordinates(locate(frame, columns={"lon": "gps e", "lat": "gps n"})) == [(120.9, 30.5)]
    with pytest.raises(UnusableInputError, match=r"column 'gps': missing column.*did you mean 'gps n'\?"):
        locate(frame, columns={"lon": "gps"})


@pytest.mark.parametrize(
    ("lon", "lat", "reason", "column", "value"),
    [
        (None, 30.5, "no coordinate", "lon", ""),
        ("120.9", " ", "no coordinate", "lat", ""),
        ("east", "30.5", "coordinate is not a number", "lon", "east"),
        ("120.9", "30°30'x", "coordinate is not a number", "lat", "30°30'x"),
        ("120.9", "inf", "coordinate is not a number", "lat", "inf"),
        ("", "north", "coordinate is not a number", "lat", "north"),
        (180.001, 30.5, "coordinate is out of range", "lon", "180.001"),
        (120.9, -90.5, "coordinate is out of range", "lat", "-90.5"),
    ],
)
def test_row_without_a_place_says_why(lon, lat, reason, column, value):
    good = [120.9, 120.8, 120.7]
    frame = pd.DataFrame({"lon": [*good, lon], "lat": [30.5, 30.5, 30.5, lat]}, dtype=object)
    located = locate(frame)
    assert (located.reason[3], located.column[3], located.value[3]) == (reason, column, value)
    assert located.blank.tolist() == [False, False, False, reason == "no coordinate"]
    assert coordinates(located)[3] is None
    assert located.reason[:3].tolist() == [""] * 3
    assert located.remedy[3]


@pytest.mark.parametrize("place", [(180.0, 90.0), (-180.0, -90.0), (0.0, 0.0)])
def test_range_of_degrees_is_inclusive(place):
    assert coordinates(locate(pd.DataFrame([place], columns=["lon", "lat"]))) == [place]


@pytest.mark.parametrize(("datum", "shift"), [("gcj02", gcj02_from_wgs84), ("bd09", bd09_from_wgs84)])
def test_shifted_columns_come_back(datum, shift):
    lon, lat = shift([120.9, 121.0], [30.5, 30.6])
    located = locate(pd.DataFrame({"lon": lon, "lat": lat}), datum=datum)
    assert np.array(coordinates(located)) == pytest.approx(np.array([[120.9, 30.5], [121.0, 30.6]]), abs=1e-9)


def test_projected_columns_are_easting_then_northing():
    x, y = pyproj.Transformer.from_crs(4326, 4549, always_xy=True).transform(120.9, 30.5)
    located = locate(pd.DataFrame({"y": [y], "x": [x]}), datum="EPSG:4549")
    assert coordinates(located)[0] == pytest.approx((120.9, 30.5), abs=1e-9)
    lost = locate(pd.DataFrame({"x": [x, x, 1e30], "y": [y, y, 1e30]}), datum="EPSG:4549")
    assert lost.reason.tolist() == ["", "", "coordinate has no place in WGS84"]


def test_geographic_epsg_reads_degrees():
    located = locate(pd.DataFrame({"lon": [120.9], "lat": [30.5]}), datum="EPSG:4490")
    assert coordinates(located)[0] == pytest.approx((120.9, 30.5), abs=1e-9)


def test_missing_coordinates_name_what_is_there():
    with pytest.raises(UnusableInputError) as caught:
        locate(pd.DataFrame({"latt": [1], "people": [2]}), file="a.csv")
    assert len(caught.value.faults) == 2
    assert "columns present: latt, people" in str(caught.value)
    assert "did you mean 'latt'? (coordinates are wgs84)" in str(caught.value)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [([30.5, 30.6, 120.9], [120.9, 121.0, 30.5]), ([43.8, 39.5], [87.6, 75.9])],
    ids=["lat no latitude", "western China only after swapping"],
)
def test_swapped_degrees_are_refused(lon, lat):
    with pytest.raises(
        UnusableInputError, match=r"lon and lat look swapped in 2 of . rows.*exchange the two"
    ):
        locate(pd.DataFrame({"lon": lon, "lat": lat}))
    with pytest.raises(UnusableInputError, match="look swapped"):
        locate(gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=4326))


@pytest.mark.parametrize("place", [(15.6, 78.2), (25.8, 71.1), (-46.6, -23.5), (0.1, 51.5), (87.6, 43.8)])
def test_places_anywhere_on_earth_do_not_look_swapped(place):
    assert coordinates(locate(pd.DataFrame([place], columns=["lon", "lat"]))) == [place]


def test_half_swapped_rows_are_row_faults():
    located = locate(pd.DataFrame({"lon": [120.9, 30.5], "lat": [30.5, 120.9]}))
    assert located.reason.tolist() == ["", "coordinate is out of range"]


def test_swapped_metres_are_refused():
    x, y = pyproj.Transformer.from_crs(4326, 4549, always_xy=True).transform(120.9, 30.5)
    with pytest.raises(
        UnusableInputError, match=r"easting \(x\) and northing \(y\) look swapped in 1 of 1 row"
    ):
        locate(pd.DataFrame({"x": [y], "y": [x]}), datum="EPSG:4549")


def test_metres_declared_as_degrees_are_refused():
    with pytest.raises(UnusableInputError, match=r"2 of 2 look like metres.*declare datum = 'EPSG:n'"):
        locate(pd.DataFrame({"x": [586000.0, 587000.0], "y": [3376000.0, 3377000.0]}))


def layer(*shapes, crs=4326):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=crs)


def test_layer_is_located_by_its_own_crs():
    metric = layer(Point(120.9, 30.5)).to_crs(4549)
    assert coordinates(locate(metric))[0] == pytest.approx((120.9, 30.5), abs=1e-9)
    wrongly_labelled = layer(Point(metric.geometry.x[0], metric.geometry.y[0]), crs=4326)
    assert coordinates(locate(wrongly_labelled, datum="EPSG:4549"))[0] == pytest.approx(
        (120.9, 30.5), abs=1e-9
    )


def test_layer_without_crs_is_in_the_declared_datum():
    lon, lat = gcj02_from_wgs84(120.9, 30.5)
    assert coordinates(locate(layer(Point(120.9, 30.5), crs=None))) == [(120.9, 30.5)]
    assert coordinates(locate(layer(Point(lon, lat), crs=None), datum="gcj02"))[0] == pytest.approx(
        (120.9, 30.5)
    )
    with pytest.raises(UnusableInputError, match="look like metres"):
        locate(layer(Point(586000, 3376000), crs=None))


def test_polygons_and_multipoints_are_at_their_centroid_and_lines_nowhere():
    square = Polygon([(120, 30), (121, 30), (121, 31), (120, 31)])
    shapes = [
        square,
        MultiPoint([(1, 1), (3, 1)]),
        LineString([(0, 0), (1, 1)]),
        None,
        Point(),
        Point(200, 10),
    ]
    located = locate(layer(*shapes))
    assert coordinates(located) == [(120.5, 30.5), (2.0, 1.0), None, None, None, None]
    assert located.reason.tolist() == [
        "",
        "",
        "not a point or polygon",
        "empty geometry",
        "empty geometry",
        "coordinate is out of range",
    ]
    assert located.value.tolist() == ["", "", "LineString", "", "", "200, 10"]
    assert set(located.column) == {"geometry"}


def test_layer_whose_crs_is_no_place_on_earth_is_refused():
    plan = pyproj.CRS.from_wkt('LOCAL_CS["building site",UNIT["metre",1]]')
    with pytest.raises(UnusableInputError, match="not related to WGS84"):
        locate(layer(Point(1, 1), crs=plan))


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize(("crs", "low"), [(4326, (120, 30)), (4549, (5e5, 3.38e6))])
def test_a_ring_without_end_is_no_area(datum, crs, low):
    square = shapely.box(*low, low[0] + 1, low[1] + 1)
    # Written into the bytes: a ring made from coordinates has to be closed.
    endless = shapely.from_wkb(
        shapely.to_wkb(square).replace(np.float64(low[0]).tobytes(), np.float64(np.inf).tobytes())
    )
    found = areas(gpd.GeoDataFrame(geometry=[square, endless], crs=crs), datum=datum)
    assert [one is None for one in found] == [False, True]


def test_to_wgs84_moves_whole_shapes_and_leaves_the_frame():
    square = Polygon([(120, 30), (120.1, 30), (120.1, 30.1), (120, 30.1)])
    shifted = layer(
        shapely.transform(square, lambda xy: np.column_stack(gcj02_from_wgs84(xy[:, 0], xy[:, 1])))
    )
    before = shifted.copy()
    back = to_wgs84(shifted, datum="gcj02")
    assert shapely.hausdorff_distance(back.geometry[0], square) < 1e-9
    assert back.crs.to_epsg() == 4326
    assert shifted.geometry[0].equals(before.geometry[0])
    metric = layer(square, None).to_crs(4549)
    assert shapely.hausdorff_distance(to_wgs84(metric).geometry[0], square) < 1e-9
    assert to_wgs84(metric).geometry[1] is None
    # A projected layer of shifted coordinates: first its projection is undone, then the shift.
    twice = to_wgs84(shifted.to_crs(4549), datum="gcj02")
    assert shapely.hausdorff_distance(twice.geometry[0], square) < 1e-8
    unlabelled = gpd.GeoDataFrame(geometry=list(metric.geometry), crs=None)
    assert shapely.hausdorff_distance(to_wgs84(unlabelled, datum="EPSG:4549").geometry[0], square) < 1e-9
    with pytest.raises(UnusableInputError, match="look like metres"):
        to_wgs84(unlabelled)


def test_a_shape_with_coordinates_that_are_no_numbers_lies_nowhere():
    endless = shapely.Polygon([(120, 30), (121, np.inf), (121, 30)])
    layer = gpd.GeoDataFrame(geometry=[endless, shapely.Point(120, 30)], crs="EPSG:4326")
    located = locate(layer, file="parks.gpkg")
    assert located.reason.tolist() == ["coordinate is out of range", ""]
    assert located.points[0] is None
