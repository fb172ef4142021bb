"""Layers of lines and barriers: which is meant, and files that are not what their name says."""

import json

import geopandas as gpd
import networkx as nx
import pytest
import shapely
from shapely import LineString, Point

from lifecircle.errors import UnusableInputError
from lifecircle.roads import read_barriers, read_roads, roads_from_graph

X, Y = 500_000.0, 3_380_000.0
FRAME = "EPSG:4549"
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="a">'
    "<SrcDataSource>%s</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
)
READERS = [read_roads, lambda path: read_barriers(path, crs=FRAME)]


def lines(*classes):
    shapes = [LineString([(X + 100 * i, Y), (X + 100 * i + 100, Y)]) for i in range(len(classes))]
    return gpd.GeoDataFrame({"highway": classes}, geometry=shapes, crs=FRAME)


def test_the_layer_of_edges_of_an_osmnx_file_is_read(tmp_path):
    path = tmp_path / "graph.gpkg"
    gpd.GeoDataFrame({"osmid": [1]}, geometry=[Point(X, Y)], crs=FRAME).to_file(path, layer="nodes")
    edges = lines("path", "path").assign(u=[1, 2], v=[2, 3])
    edges.geometry = edges.geometry.reverse()
    edges.to_file(path, layer="edges")
    roads = read_roads(path)
    assert (len(roads.u), roads.components.max()) == (2, 0)
    assert roads.reading.notes == ("layer_used:edges|2",)


def test_of_several_layers_of_lines_one_is_named(tmp_path):
    path = tmp_path / "roads.gpkg"
    lines("path").to_file(path, layer="town")
    lines("path", "steps").to_file(path, layer="county")
    with pytest.raises(UnusableInputError, match=r"several layers: town, county. Remedy: .*layer = 'town'"):
        read_roads(path)
    assert len(read_roads(path, layer="county").u) == 2
    with pytest.raises(UnusableInputError, match=r"no such layer.*town, county"):
        read_roads(path, layer="village")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "r.gpkg",
            VRT % "b.geojson",
        ),
        (
            "r.shp",
            VRT % "/vsicurl/http://127.0.0.1:9/b",
        ),
        (
            "r.geojson",
            VRT % "b.geojson",
        ),
        (
            "r.geojson",
            '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read b.geojson"}',
        ),
        ("r.geojson", "/vsicurl/http://127.0.0.1:9/b.geojson"),
        ("r.parquet", "PK"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path, read, name, content):
    """Hostile case 27."""
    lines("path").to_crs(4326).to_file(tmp_path / "b.geojson")
    (tmp_path / name).write_text(content)
    with pytest.raises(UnusableInputError, match=r"cannot be read as \.\w+: it is a file of another kind"):
        read(tmp_path / name)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", ['"link"', r'"\u006cink"', '"Link"'])
def test_a_crs_that_is_a_link_is_refused(tmp_path, read, kind):
    """Hostile case 28."""
    path = tmp_path / "r.geojson"
    document = json.loads(lines("path").to_crs(4326).to_json())
    document["crs"] = {"type": "KIND", "properties": {"href": "http://127.0.0.1:9/crs.wkt"}}
    path.write_text(json.dumps(document).replace('"KIND"', kind))
    with pytest.raises(UnusableInputError, match=r"crs: the coordinate system is a link"):
        read(path)


@pytest.mark.parametrize("read", READERS)
def test_a_line_of_one_point_is_named(tmp_path, read):
    """Hostile case 06."""
    path = tmp_path / "r.geojson"
    document = json.loads(lines("path", "path").to_crs(4326).to_json())
    document["features"][1]["geometry"]["coordinates"] = [[120, 30]]
    path.write_text(json.dumps(document))
    with pytest.raises(UnusableInputError, match=r"r.geojson, row 2, column 'geometry'"):
        read(path)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("cut", [5, 0])
def test_geometries_cut_in_parquet_are_named(tmp_path, read, cut):
    """Hostile cases 04 and 04b."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = tmp_path / "r.parquet"
    lines("path", "path", "path").to_parquet(path)
    table = pq.read_table(path)
    cells = [cell if i != 2 else cell[:cut] for i, cell in enumerate(table.column("geometry").to_pylist())]
    at = table.schema.get_field_index("geometry")
    pq.write_table(
        table.set_column(at, "geometry", pa.array(cells, pa.binary())).replace_schema_metadata(
            table.schema.metadata
        ),
        path,
    )
    with pytest.raises(UnusableInputError, match=r"r.parquet, row 3, column 'geometry'"):
        read(path)


def test_barriers_that_are_not_on_the_earth_are_named():
    """Hostile case 09."""
    frame = gpd.GeoDataFrame(
        geometry=[LineString([(120, 30), (120, 31)]), LineString([(120, -181), (120, 30)])], crs=4326
    )
    with pytest.raises(
        UnusableInputError, match=r"barriers, row 1, column 'geometry': .*\(found: 120 -181\)"
    ):
        read_barriers(frame, crs=FRAME)
    with pytest.raises(
        UnusableInputError, match=r"row 2, column 'geometry': coordinates are not on the earth"
    ):
        read_roads(frame)


@pytest.mark.parametrize(
    "crs",
    [
        "{'init': 'epsg:4326'}",
        {"init": "epsg:4326"},
        "{'init': 'epsg:4326', 'no_defs': True}",
        "+init=epsg:4326 +type=crs",
        "epsg:4326",
        "{'datum': 'WGS84', 'ellps': 'WGS84', 'proj': 'longlat'}",
    ],
)
def test_the_crs_of_older_graphs_is_read(tmp_path, crs):
    """Case 18."""
    graph = nx.MultiDiGraph(crs=crs)
    graph.add_node(1, x=117.0, y=36.1302929)
    graph.add_node(2, x=117.0055546, y=36.1302928)
    graph.add_edge(1, 2, highway="residential")
    graph.add_edge(2, 1, highway=[])
    assert roads_from_graph(graph).length_m == pytest.approx([500], rel=2e-3)
    path = tmp_path / "old.graphml"
    text = nx.MultiDiGraph(graph, crs=str(crs))
    for *_, data in text.edges(data=True):
        data["highway"] = "residential"
    nx.write_graphml(text, path)
    roads = read_roads(path)
    assert roads.length_m == pytest.approx([500], rel=2e-3)
    assert (roads.reading.rows, roads.reading.used) == (2, 2)


def test_a_crs_that_is_none_is_named_on_one_line():
    graph = nx.MultiDiGraph(crs="{'a':\n[")
    graph.add_node(1, x=1, y=1)
    graph.add_edge(1, 1, highway="path")
    with pytest.raises(
        UnusableInputError, match=r"'crs': this is not a coordinate system .*EPSG:4326"
    ) as error:
        roads_from_graph(graph)
    assert "\n" not in str(error.value)


def test_shapes_are_read_as_they_were_without_a_datum():
    frame = gpd.GeoDataFrame(geometry=[shapely.box(X, Y, X + 1, Y + 1)], crs=FRAME)
    (shape,) = read_barriers(frame, crs=FRAME, datum="wgs84")
    assert shape.equals_exact(frame.geometry.iloc[0], 0)
