"""Population rasters: every person of the file is in a district or outside, and what is no count is named."""

import sys

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from shapely.geometry import Polygon, box

from lifecircle.demand import read_districts, read_raster
from lifecircle.errors import MissingExtraError, MissingFileError, UnusableInputError

CRS = "EPSG:4549"
WEST, NORTH, SIZE = 500000.0, 3380000.0, 100.0
HERE = rasterio.Affine(SIZE, 0, WEST, 0, -SIZE, NORTH)
CELLS = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0], [0.0, 64.0, 128.0]])


def write(path, bands, *, crs=CRS, nodata=None, transform=HERE, dtype="float32", **others):
    bands = np.atleast_3d(np.asarray(bands, dtype=dtype).T).T
    profile = {"driver": "GTiff", "height": bands.shape[1], "width": bands.shape[2], "count": len(bands)}
    profile |= {"dtype": dtype, "crs": crs, "nodata": nodata, "transform": transform} | others
    with rasterio.open(path, "w", **profile) as out:
        out.write(bands)
    return path


def towns(*shapes, crs=CRS):
    codes = [f"0{n}" for n in range(1, len(shapes) + 1)]
    layer = gpd.GeoDataFrame({"code": codes, "name": codes}, geometry=list(shapes), crs=crs)
    return read_districts(layer)


def near(x, y, right, top):
    """Give a box by cells from the north-west corner."""
    return box(WEST + SIZE * x, NORTH - SIZE * top, WEST + SIZE * right, NORTH - SIZE * y)


def test_every_cell_with_people_is_a_row_at_its_middle(tmp_path):
    surface = read_raster(write(tmp_path / "a.tif", CELLS, nodata=-9.0))
    assert surface.demand["population"].tolist() == [1, 2, 4, 8, 16, 32, 64, 128]
    assert surface.demand.index[0] == "r1c1"
    assert surface.demand.index[-1] == "r3c3"
    assert surface.found == CELLS.sum()
    middle = surface.demand.to_crs(CRS).geometry
    assert middle.x.iloc[0] == pytest.approx(WEST + 50, abs=0.01)
    assert middle.y.iloc[0] == pytest.approx(NORTH - 50, abs=0.01)
    assert surface.demand["extent_m"].to_numpy() == pytest.approx(100, rel=1e-3)


def test_cells_are_cut_at_borders_by_area_and_nobody_is_lost(tmp_path):
    # The border of the two towns runs through the middle column at 1.25, and neither has the last row.
    one, other = near(0, 0, 1.25, 2), near(1.25, 0, 3, 2)
    surface = read_raster(write(tmp_path / "a.tif", CELLS), districts=towns(one, other))
    inside = surface.demand
    by_town = (
        inside.sjoin(towns(one, other).reset_index(), predicate="within").groupby("code")["population"].sum()
    )
    assert by_town["01"] == pytest.approx(1 + 8 + 0.25 * (2 + 16), abs=1e-3)
    assert by_town["02"] == pytest.approx(4 + 32 + 0.75 * (2 + 16), abs=1e-3)
    assert surface.outside == pytest.approx(64 + 128, abs=1e-3)
    assert inside["population"].sum() + surface.outside == pytest.approx(surface.found, rel=1e-12)
    assert {"r1c2:01", "r1c2:02"} <= set(inside.index)


def test_ground_of_two_districts_is_counted_once(tmp_path):
    overlapping = towns(near(0, 0, 2, 3), near(1, 0, 3, 3))
    surface = read_raster(write(tmp_path / "a.tif", CELLS), districts=overlapping)
    assert surface.demand["population"].sum() == pytest.approx(CELLS.sum(), rel=1e-6)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32651", "EPSG:4490", "EPSG:3857"])
def test_any_crs_gives_the_same_cells(tmp_path, crs):
    there = pyproj.Transformer.from_crs(CRS, crs, always_xy=True).transform(WEST + 5000, NORTH - 5000)
    step = 0.001 if pyproj.CRS(crs).is_geographic else 100.0
    at = rasterio.Affine(step, 0, there[0], 0, -step, there[1])
    surface = read_raster(write(tmp_path / "a.tif", CELLS, crs=crs, transform=at))
    first = surface.demand.to_crs(crs).geometry.iloc[0]
    assert (first.x, first.y) == pytest.approx((there[0] + step / 2, there[1] - step / 2), abs=step / 1000)


def test_a_turned_raster_lies_where_its_transform_says(tmp_path):
    turned = rasterio.Affine(60, 80, WEST, 80, -60, NORTH)
    surface = read_raster(write(tmp_path / "a.tif", CELLS, transform=turned))
    last = surface.demand.to_crs(CRS).geometry.iloc[-1]
    assert last.x == pytest.approx(WEST + 2.5 * 60 + 2.5 * 80, abs=0.01)
    assert last.y == pytest.approx(NORTH + 2.5 * 80 - 2.5 * 60, abs=0.01)


def test_density_is_multiplied_by_the_ground_of_the_cell(tmp_path):
    path = write(
        tmp_path / "a.tif",
        CELLS * 100,
        crs="EPSG:4326",
        transform=rasterio.Affine(0.001, 0, 120, 0, -0.001, 60),
    )
    surface = read_raster(path, per="km2")
    geod = pyproj.Geod(ellps="WGS84")
    for label, people in surface.demand["population"].items():
        row, column = (int(part) - 1 for part in label[1:].split("c"))
        west, north = 120 + 0.001 * column, 60 - 0.001 * row
        area, _ = geod.geometry_area_perimeter(box(west, north - 0.001, west + 0.001, north))
        assert people == pytest.approx(CELLS[row, column] * 100 * abs(area) / 1e6, rel=1e-5)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (-200.0, "float32"),
        (3.4e38, "float32"),
        (np.inf, "float32"),
        (65535, "uint16"),
        (-32768, "int16"),
        (255, "uint8"),
        (65535, "float32"),
    ],
)
def test_a_value_that_is_no_data_undeclared_is_found_and_named(tmp_path, value, dtype):
    cells = np.minimum(CELLS, 100).copy()
    cells[2, 0] = value
    surface = read_raster(write(tmp_path / "a.tif", cells, dtype=dtype))
    assert surface.demand["population"].sum() == np.minimum(CELLS, 100).sum()
    assert surface.doubts[0].startswith("raster_nodata:a.tif|1|")
    assert surface.doubts[0].endswith("|1")
    silent = read_raster(tmp_path / "a.tif", nodata=[value])
    assert silent.doubts == ()


def test_declared_nodata_and_nan_hold_nobody_and_are_counted(tmp_path):
    cells = CELLS.copy()
    cells[0, 0], cells[1, 1] = -99.0, np.nan
    surface = read_raster(write(tmp_path / "a.tif", cells, nodata=-99.0))
    assert surface.demand["population"].sum() == CELLS.sum() - 1 - 16
    assert "raster_missing:2" in surface.notes
    assert surface.doubts == ()


def test_several_negative_values_are_a_fault_that_names_them(tmp_path):
    cells = CELLS.copy()
    cells[0, 0], cells[1, 1] = -99.0, -3.5
    with pytest.raises(
        UnusableInputError, match=r"band 1: values below zero.*-99 \(1\), -3.5 \(1\).*nodata = \[-99\]"
    ):
        read_raster(write(tmp_path / "a.tif", cells))


def test_a_large_but_plausible_count_is_kept(tmp_path):
    cells = CELLS.copy()
    cells[0, 0] = 200.0
    surface = read_raster(write(tmp_path / "a.tif", cells, dtype="uint8"))
    assert surface.demand["population"].sum() == cells.sum()


def test_a_thousand_million_people_in_a_cell_are_a_fault(tmp_path):
    cells = CELLS.copy()
    cells[1, 2] = 1e9
    with pytest.raises(UnusableInputError, match="band 1, row 2, column 3: more people than can live"):
        read_raster(write(tmp_path / "a.tif", cells))


def test_a_raster_without_crs_or_position_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(UnusableInputError, match=r"no coordinate system.*gdal_edit.py -a_srs"):
        read_raster(write(tmp_path / "a.tif", CELLS, crs=None))
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        path = write(tmp_path / "b.tif", CELLS, transform=rasterio.Affine.identity())
    with pytest.raises(UnusableInputError, match="says not where its cells lie"):
        read_raster(path)


def test_what_is_no_geotiff_is_a_fault(tmp_path):
    with pytest.raises(MissingFileError):
        read_raster(tmp_path / "none.tif")
    (tmp_path / "a.tif").write_bytes(b"<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>")
    with pytest.raises(UnusableInputError, match="cannot be read as a GeoTIFF"):
        read_raster(tmp_path / "a.tif")
    path = write(tmp_path / "b.tif", np.arange(1.0, 90001.0).reshape(300, 300) % 9, compress="deflate")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(UnusableInputError, match="cannot be read"):
        read_raster(path)


def test_a_raster_elsewhere_than_the_districts_is_a_fault(tmp_path):
    far = towns(box(600000, 3300000, 601000, 3301000))
    with pytest.raises(UnusableInputError, match="no cell of the raster lies near the districts"):
        read_raster(write(tmp_path / "a.tif", CELLS), districts=far)


def test_nobody_anywhere_is_a_fault(tmp_path):
    with pytest.raises(UnusableInputError, match="no cell with people"):
        read_raster(write(tmp_path / "a.tif", CELLS * 0))


def test_groups_are_bands_by_number_or_name_or_files_of_the_same_cells(tmp_path):
    path = tmp_path / "a.tif"
    write(path, np.stack([CELLS, CELLS / 4]))
    with rasterio.open(path, "r+") as out:
        out.descriptions = ("all", "aged")
    write(tmp_path / "young.tif", CELLS / 8)
    groups = {"over60": "aged", "again": "2", "under3": tmp_path / "young.tif"}
    demand = read_raster(path, groups=groups).demand
    assert demand["over60"].tolist() == demand["again"].tolist() == (demand["population"] / 4).tolist()
    assert demand["under3"].tolist() == (demand["population"] / 8).tolist()
    assert read_raster(path, population="aged").found == CELLS.sum() / 4
    with pytest.raises(UnusableInputError, match=r"no such band.*use one of 1, 2, all, aged"):
        read_raster(path, groups={"over60": "old"})
    write(tmp_path / "young.tif", CELLS[:2])
    with pytest.raises(UnusableInputError, match=r"its cells are not those of a.tif"):
        read_raster(path, groups=groups)


def test_a_group_that_is_unknown_or_too_large_is_a_fault_that_names_the_cell(tmp_path):
    cells = CELLS / 2
    cells[0, 1], cells[1, 2] = np.nan, 33.0
    with pytest.raises(UnusableInputError) as caught:
        read_raster(write(tmp_path / "a.tif", np.stack([CELLS, cells])), groups={"over60": "2"})
    told = [(fault.place, str(fault.reason)) for fault in caught.value.faults]
    assert told == [
        ("band 2, row 1, column 2 (1 cells)", "no value for group over60 where people live"),
        ("band 2, row 2, column 3 (1 cells)", "group over60 is larger than the population"),
    ]


def test_a_density_read_as_counts_is_suspected_and_the_other_way_round(tmp_path):
    counts = read_raster(write(tmp_path / "a.tif", np.full((3, 3), 5000.0)))
    assert any(code.startswith("raster_looks_density:") for code in counts.doubts)
    named = read_raster(write(tmp_path / "pop_density.tif", CELLS))
    assert any(code.startswith("raster_looks_density:") for code in named.doubts)
    density = read_raster(write(tmp_path / "b.tif", np.full((3, 3), 5.0)), per="km2")
    assert any(code.startswith("raster_looks_counts:") for code in density.doubts)
    for plain in (read_raster(tmp_path / "b.tif"), read_raster(tmp_path / "a.tif", per="km2")):
        assert plain.doubts == ()


def test_reading_in_small_windows_changes_nothing(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    cells = rng.integers(0, 5, (70, 90)).astype("float32")
    path = write(tmp_path / "a.tif", cells, nodata=-1.0)
    shape = Polygon([(WEST + 500, NORTH - 900), (WEST + 7700, NORTH - 300), (WEST + 4000, NORTH - 6500)])
    shape = shape.segmentize(100)  # a long line between two places is not the same line in degrees
    whole = read_raster(path, districts=towns(shape))
    monkeypatch.setattr("lifecircle.demand._raster._SIDE", 16)
    small = read_raster(path, districts=towns(shape))
    assert small.found == pytest.approx(whole.found)
    sums = [one.demand["population"].sort_index() for one in (whole, small)]
    assert sums[0].index.equals(sums[1].index)
    assert sums[1].to_numpy() == pytest.approx(sums[0].to_numpy())
    # The oracle cuts every cell in metres, one by one.
    inside = sum(
        float(cells[row, column])
        * shapely.intersection(near(column, row, column + 1, row + 1), shape).area
        / SIZE**2
        for row in range(70)
        for column in range(90)
    )
    assert whole.demand["population"].sum() == pytest.approx(inside, rel=1e-4)


def test_too_many_cells_are_refused_and_not_read(tmp_path, monkeypatch):
    path = write(tmp_path / "a.tif", CELLS)
    monkeypatch.setattr("lifecircle.demand._raster.MOST_CELLS", 3)
    with pytest.raises(UnusableInputError, match="more cells with people than are read"):
        read_raster(path)
    monkeypatch.setattr("lifecircle.demand._raster.MOST_READ", 8)
    with pytest.raises(UnusableInputError, match="more cells than are looked at: 9"):
        read_raster(path)


def test_scaled_values_are_read_as_what_they_mean(tmp_path):
    path = write(tmp_path / "a.tif", CELLS * 10, dtype="int32")
    with rasterio.open(path, "r+") as out:
        out.scales = (0.1,)
    assert read_raster(path).found == pytest.approx(CELLS.sum())


def test_cells_off_the_globe_are_a_fault(tmp_path):
    far = rasterio.Affine(SIZE, 0, 1e12, 0, -SIZE, 1e12)
    with pytest.raises(UnusableInputError, match="lie nowhere on the globe"):
        read_raster(write(tmp_path / "a.tif", CELLS, transform=far))


def test_without_rasterio_the_extra_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "a.tif", CELLS)
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lifecircle\[raster\]'"):
        read_raster(path)
