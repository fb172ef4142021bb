"""The ground of the page: kinds of barriers from the words of tables, shapes as the page unpacks them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from lifecircle.page_data._packed_columns import SectionWriter, unpack
from lifecircle.page_data._page_ground import GROUND_COLOURS, keep_ground
from lifecircle.publication import MapSetting, shown_ground
from lifecircle.roads import BARRIER_KINDS, barrier_kind, read_barrier_kinds

BOUNDS = [[30.0, 120.0], [30.2, 120.2]]
LAKE = shapely.Polygon(
    shapely.Point(120.1, 30.1).buffer(0.02).exterior.coords,
    [shapely.Point(120.1, 30.1).buffer(0.005).exterior.coords],
)
RIVER = shapely.LineString([(119.0, 30.05), (121.0, 30.05)])
FENCE = shapely.LineString([(120.01, 30.15), (120.02, 30.16)])


def layer(**columns: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[LAKE, RIVER, FENCE], crs="EPSG:4326")


def unpacked(ground: gpd.GeoDataFrame) -> tuple[dict, list[tuple[str, int, np.ndarray]]]:
    """Give what the header holds, and kind, sort and places of every line, as the page reads them."""
    writer = SectionWriter()
    told = keep_ground(ground, BOUNDS, writer)
    _, columns = unpack(writer.packed({}))
    own = {name: columns[place] for name, place in told["columns"].items()}
    places = np.column_stack([own["lon"], own["lat"]]) / 1e5
    parts = np.split(places, np.cumsum(own["sizes"])[:-1])
    kinds = [told["kinds"][kind] for kind in own["kind"]]
    return told, list(zip(kinds, own["area"].tolist(), parts, strict=True))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("canal", "water"), ("lake", "water"), ("河流", "water"), ("水库", "water"), ("杭州湾", "water"),
        ("railway", "railway"), ("沪杭铁路", "railway"), ("light_rail", "railway"),
        ("expressway", "expressway"), ("motorway_link", "expressway"), ("高速公路", "expressway"),
        ("wall", "wall"), ("围墙", "wall"), ("hedge", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_words_of_offices_and_of_openstreetmap_name_the_kind(word, kind):
    assert barrier_kind(word) == kind
    assert kind in ("", *BARRIER_KINDS)


def test_kinds_and_names_come_from_the_columns_there_are():
    ground = read_barrier_kinds(layer(类型=["湖泊", "铁路", None], 名称=["南北湖", " ", None]))
    assert ground["kind"].tolist() == ["water", "railway", ""]
    assert ground["name"].tolist() == ["南北湖", "", ""]
    mixed = read_barrier_kinds(layer(natural=["water", None, None], barrier=[None, None, "wall"]))
    assert mixed["kind"].tolist() == ["water", "", "wall"]
    assert read_barrier_kinds(layer())["kind"].tolist() == ["", "", ""]


def test_shapes_are_cut_to_the_study_and_stay_what_they_are():
    told, lines = unpacked(read_barrier_kinds(layer(kind=["lake", "rail", "x"], name=["Lake", "Line", ""])))
    assert [(kind, area) for kind, area, _ in lines] == [("water", 1), ("water", 2), ("railway", 0), ("", 0)]
    lake = shapely.Polygon(lines[0][2], [lines[1][2]])
    assert lake.symmetric_difference(LAKE).area < 0.01 * LAKE.area
    river = shapely.LineString(lines[2][2])
    assert river.bounds == pytest.approx((119.97, 30.05, 120.23, 30.05))  # 15 % around the study
    assert [name for name, *_ in told["names"]] == ["Lake"]
    _, lat, lon = told["names"][0]
    assert LAKE.contains(shapely.Point(lon, lat))
    assert keep_ground(None, BOUNDS, SectionWriter()) is None
    assert keep_ground(read_barrier_kinds(layer())[:0], BOUNDS, SectionWriter()) is None


def test_many_vertices_are_simplified():
    rough = shapely.LineString(
        [(120.0 + i / 2e5, 30.1 + 1e-5 * (i % 2)) for i in range(30_000)]  # a shore of a metre's waves
    )
    ground = gpd.GeoDataFrame({"kind": ["water"], "name": [""]}, geometry=[rough], crs="EPSG:4326")
    _, ((_, _, places),) = unpacked(ground)
    assert len(places) <= 12_000
    assert shapely.LineString(places).hausdorff_distance(rough) < 3e-5


def test_a_mask_cuts_the_ground():
    ground = read_barrier_kinds(layer(kind=["lake", "rail", ""]))
    hidden = shapely.box(120.09, 30.0, 120.3, 30.2)
    shown = shown_ground(MapSetting(ground=ground, mask=(hidden,)), None)
    assert shapely.area(shapely.intersection(shown.geometry.to_numpy(), hidden)).max() < 1e-12
    assert shown["kind"].tolist() == ground["kind"].tolist()
    assert shown_ground(MapSetting(), None) is None


def test_colours_stand_in_the_page():
    told, _ = unpacked(read_barrier_kinds(layer(kind=["lake", "rail", ""])))
    assert told["colours"] == GROUND_COLOURS
    assert set(told["kinds"]) == {"", *BARRIER_KINDS}
