"""Answers of Overpass: objects with tags are rows, whatever way their shape is given."""

import json

import pytest

from lifecircle.errors import UnusableInputError
from lifecircle.tables import read_table

RING = [(120.9, 30.5), (120.91, 30.5), (120.91, 30.51), (120.9, 30.5)]
CORNERS = [{"lon": lon, "lat": lat} for lon, lat in RING]
ELEMENTS = [
    {"type": "node", "id": 1, "lon": 120.9, "lat": 30.5, "tags": {"amenity": "library", "name": "甲"}},
    *({"type": "node", "id": 10 + at, "lon": lon, "lat": lat} for at, (lon, lat) in enumerate(RING)),
    {"type": "way", "id": 2, "nodes": [10, 11, 12, 10], "tags": {"leisure": "park", "id": "x"}},
    {"type": "way", "id": 3, "geometry": CORNERS, "tags": {"leisure": "park"}},
    {"type": "way", "id": 4, "nodes": [1, 99], "center": {"lon": 120.8, "lat": 30.4},
     "tags": {"shop": "yes"}},
    {"type": "relation", "id": 5, "tags": {"leisure": "park"},
     "members": [{"type": "way", "role": "outer", "geometry": CORNERS[:3]},
                 {"type": "way", "role": "outer", "geometry": CORNERS[2:]}, "odd"]},
    {"type": "relation", "id": 6, "members": None, "tags": {"leisure": "park"}},
]  # fmt: skip


def write(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def test_objects_with_tags_are_rows(tmp_path):
    path = write(tmp_path / "a.json", {"version": 0.6, "osm3s": {"copyright": "x"}, "elements": ELEMENTS})
    table = read_table(path).frame
    assert table["id"].tolist() == ["node/1", "way/2", "way/3", "way/4", "relation/5", "relation/6"]
    kinds = [None if shape is None else shape.geom_type for shape in table.geometry]
    assert kinds == ["Point", "Polygon", "Polygon", "Point", "Polygon", None]
    assert table.geometry.iloc[1].equals(table.geometry.iloc[4])
    assert table["name"].tolist()[0] == "甲"


@pytest.mark.parametrize("elements", [{"a": 1}, [1], None])
def test_what_is_no_answer_is_refused(tmp_path, elements):
    path = tmp_path / "a.json"
    path.write_text(
        '{"elements": [' + json.dumps(elements)[1:]
        if elements == [1]
        else json.dumps({"elements": elements}),
        "utf-8",
    )
    with pytest.raises(UnusableInputError):
        read_table(path)


def test_an_answer_without_objects_is_an_empty_table(tmp_path):
    with pytest.raises(UnusableInputError, match="empty table"):
        read_table(write(tmp_path / "a.json", {"elements": []}))


def test_geojson_with_a_field_of_that_name_stays_geojson(tmp_path):
    feature = {
        "type": "Feature",
        "properties": {"elements": "1"},
        "geometry": {"type": "Point", "coordinates": [120, 30]},
    }
    assert (
        len(
            read_table(write(tmp_path / "a.json", {"type": "FeatureCollection", "features": [feature]})).frame
        )
        == 1
    )
