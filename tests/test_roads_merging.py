"""Official lines with the roads of a second source that they lack, counted by hand on small towns."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString

from lifecircle.errors import UnusableInputError
from lifecircle.roads import read_roads

X, Y, FRAME = 500_000.0, 3_380_000.0, "EPSG:4549"


def table(*lines, **columns):
    shapes = [LineString([(X + x, Y + y) for x, y in line]) for line in lines]
    return gpd.GeoDataFrame(columns, index=range(len(lines)), geometry=shapes, crs=FRAME)


def merged(official, second, **settings):
    roads = read_roads(official, crs=FRAME, merge=second, **settings)
    notes = dict(note.partition(":")[::2] for note in roads.reading.notes if note.startswith("merge_"))
    counts = {name.removeprefix("merge_"): value for name, value in notes.items() if name != "merge_read"}
    return roads, counts


STREET = [(0, 0), (1000, 0)]


@pytest.mark.parametrize(("apart", "within", "added"), [(15, 15, 0), (15.1, 15, 1), (4, 3, 1), (99, 100, 0)])
def test_a_line_along_an_official_one_is_the_same_road(apart, within, added):
    roads, counts = merged(table(STREET), table([(0, apart), (1000, apart)]), merge_within_m=within)
    assert counts["official"] == "1|1.0"
    assert counts["added"] == f"{added}|{added:.1f}"
    assert counts["same"] == f"{1 - added}|{1 - added:.1f}"
    assert roads.length_m.sum() == pytest.approx(1000 * (1 + added))


@pytest.mark.parametrize(("degrees", "added"), [(29, 0), (31, 1)])
def test_only_a_line_of_the_same_direction_is_the_same_road(degrees, added):
    """A short line across the official one is near it all along."""
    along = 12 * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    middle = np.array([500.0, 0.0])
    second = table([tuple(middle - along), tuple(middle + along)])
    assert merged(table(STREET), second)[1]["added"].startswith(f"{added}|")


def test_a_side_street_is_added_and_joined_where_the_other_source_joins_it():
    second = table([(0, 6), (400, 6)], [(400, 6), (1000, 6)], [(400, 6), (400, 300)])
    roads, counts = merged(table(STREET), second)
    assert counts == {"official": "1|1.0", "added": "1|0.3", "same": "2|1.0", "joined": "1|0"}
    assert roads.components.max() == 0
    # the side street is drawn on to the official line, which is cut there
    assert sorted(roads.length_m) == pytest.approx([300, 400, 600])


def test_what_the_other_source_does_not_join_stays_apart():
    """A footbridge over the street, with no junction with it; and a path that ends beside it."""
    second = table([(0, 6), (1000, 6)], [(500, -100), (500, 100)], [(700, 20), (700, 200)])
    roads, counts = merged(table(STREET), second)
    assert counts["added"] == "2|0.4"
    assert counts["joined"] == "0|0"
    assert roads.components.max() == 2


def test_a_long_road_that_leaves_the_official_one_is_cut_where_it_leaves():
    second = table([(0, 5), (500, 5), (500, 405)])
    roads, counts = merged(table(STREET), second)
    assert counts["joined"] == "1|0"
    assert roads.components.max() == 0
    assert roads.length_m.sum() == pytest.approx(1400, abs=16)


def test_a_link_between_official_roads_that_do_not_meet_is_kept():
    """A ramp beside two roads which the official lines do not connect."""
    official = table([(0, 0), (500, 0)], [(510, 10), (1000, 10)])
    second = table([(0, 0), (450, 0)], [(450, 0), (600, 10)], [(600, 10), (1000, 10)])
    roads, counts = merged(official, second)
    assert counts["added"].startswith("1|")
    assert roads.components.max() == 0


def test_merging_a_network_with_itself_changes_nothing():
    lines = table([(0, 0), (300, 0)], [(300, 0), (600, 0)], [(300, 0), (300, 200)], [(300, 200), (600, 0)])
    alone = read_roads(lines, crs=FRAME)
    roads, counts = merged(lines, lines)
    assert counts["added"] == "0|0.0"
    assert roads.length_m == pytest.approx(alone.length_m)
    assert shapely.equals_exact(roads.lines, alone.lines, 1e-6).all()
    assert roads.forward_s == pytest.approx(alone.forward_s)


def test_directions_classes_and_speeds_of_both_are_kept():
    official = table(STREET, highway="secondary", oneway="yes")
    second = table([(0, 200), (1000, 200)], highway="tertiary", oneway="-1")
    roads, _ = merged(official, second, mode="drive")
    assert sorted(roads.highway) == ["secondary", "tertiary"]
    for edge, name in enumerate(roads.highway):
        kmh, eastward = {"secondary": (55, True), "tertiary": (40, False)}[name]
        drawn_east = roads.xy[roads.v[edge], 0] > roads.xy[roads.u[edge], 0]
        open_s, closed_s = (roads.forward_s, roads.backward_s)[:: 1 if drawn_east == eastward else -1]
        assert open_s[edge] == pytest.approx(3600 / kmh)
        assert np.isinf(closed_s[edge])


@pytest.mark.shared_data
def test_a_real_town_gets_back_the_ways_its_official_lines_lack(shared_data, tmp_path):
    path = shared_data / "sao_paulo" / "spo_osm.pbf"
    osm = read_roads(path)
    main = np.isin(osm.highway, ["primary", "secondary", "tertiary", "trunk", "residential"])
    shifted = shapely.transform(osm.lines[main], lambda xy: xy + 3)
    official = gpd.GeoDataFrame({"highway": osm.highway[main]}, geometry=shifted, crs=osm.crs)
    alone = read_roads(official, crs=osm.crs)
    roads = read_roads(official, crs=osm.crs, merge=path)
    share = [np.bincount(one.components).max() / len(one.xy) for one in (alone, osm, roads)]
    assert share[2] >= share[1] - 0.002
    assert alone.length_m.sum() < roads.length_m.sum() < osm.length_m.sum()
    official.to_parquet(tmp_path / "official.parquet")
    kept = [read_roads(tmp_path / "official.parquet", crs=osm.crs, merge=path, keep=True) for _ in range(2)]
    assert kept[0].key == kept[1].key == roads.key
    assert kept[1].reading.notes == roads.reading.notes
    assert f"merge_read:{osm.reading.rows}|{osm.reading.used}|{osm.reading.rows - osm.reading.used}" in (
        roads.reading.notes
    )


def test_a_distance_that_is_none():
    with pytest.raises(UnusableInputError, match="1 to 100 metres"):
        read_roads(table(STREET), merge=table(STREET), merge_within_m=0)
    with pytest.raises(UnusableInputError, match="1 to 100 metres"):
        read_roads(table(STREET), merge=table(STREET), merge_within_m=float("nan"))
