"""Files of map programs: KML, KMZ and GPX, with their Chinese fields, never unpacked without bound."""

import contextlib
import json
import random
import zipfile

import pytest

from conftest import seeds
from lifecircle.errors import LifecircleError, UnusableInputError
from lifecircle.facilities import read_facilities
from lifecircle.tables import _xml_places, read_table

KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>图书馆</name>
<Placemark><name>县图书馆</name><ExtendedData><Data name="类别"><value>library</value></Data>
<SchemaData><SimpleData name="容纳人数">120人</SimpleData></SchemaData></ExtendedData>
<Point><coordinates>120.9,30.5,0</coordinates></Point></Placemark></Folder>
<Folder><name>公园</name><Placemark><name>公园甲</name><ExtendedData>
<Data name="类别"><value>park</value></Data>
</ExtendedData><MultiGeometry><Point><coordinates>120.9,30.5</coordinates></Point><Polygon>
<outerBoundaryIs><LinearRing>
<coordinates>120.9,30.5 120.92,30.5 120.92,30.52 120.9,30.52 120.9,30.5</coordinates>
</LinearRing></outerBoundaryIs>
</Polygon></MultiGeometry></Placemark></Folder></Document></kml>"""


def kmz(path, *parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts:
            book.writestr(name, content)
    return path


def test_placemarks_are_rows_with_their_folders_and_fields(tmp_path):
    (tmp_path / "a.kml").write_text(KML, "utf-8")
    table = read_table(tmp_path / "a.kml").frame
    assert table["folder"].tolist() == ["图书馆", "公园"]
    assert table["容纳人数"].tolist()[0] == "120人"
    facilities, rejects = read_facilities(tmp_path / "a.kml")
    assert facilities["service"].tolist() == ["library", "park"]
    assert facilities["capacity"].tolist()[0] == 120
    assert rejects.empty
    # the label of an area is no second place: the park is its polygon, at its centre
    assert facilities.geometry.x.round(6).tolist() == [120.9, 120.91]
    assert facilities["polygon"].iloc[1].area == pytest.approx(0.0004)


def test_a_kmz_is_the_kml_in_it(tmp_path):
    path = kmz(tmp_path / "a.kmz", ("files/icon.txt", "x"), ("doc.kml", KML))
    assert read_table(path).frame["name"].tolist() == ["县图书馆", "公园甲"]


@pytest.mark.parametrize("encoding", ["gb2312", "GBK", "gb18030"])
def test_an_old_declared_encoding_is_read(tmp_path, encoding):
    (tmp_path / "a.kml").write_bytes(KML.replace("UTF-8", encoding).encode(encoding))
    assert read_table(tmp_path / "a.kml").frame["name"].tolist() == ["县图书馆", "公园甲"]


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(_xml_places, "KML_MB", 1)
    path = kmz(tmp_path / "a.kmz", ("doc.kml", b"<kml>" + b" " * 3_000_000))
    assert path.stat().st_size < 10_000
    with pytest.raises(UnusableInputError, match=r"holds 3 MB, more than 1 MB"):
        read_table(path)
    (tmp_path / "b.kml").write_bytes(b"<kml>" + b" " * 3_000_000 + b"</kml>")
    with pytest.raises(UnusableInputError, match=r"holds 3 MB, more than 1 MB"):
        read_table(tmp_path / "b.kml")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.kml", '<!DOCTYPE k [<!ENTITY a "aaaa">]><kml>&a;</kml>', "document type"),
        ("a.kml", "<kml><Placemark>", "cannot be read as XML"),
        ("a.kml", '{"type": "FeatureCollection"}', "another kind"),
        ("a.kml", "<kml></kml>", "empty table"),
        ("a.gpx", "<gpx><trk/></gpx>", "empty table"),
        ("a.kmz", "<kml></kml>", "another kind"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(UnusableInputError, match=message):
        read_table(tmp_path / name)


def test_broken_archives_and_shapes(tmp_path):
    (tmp_path / "a.kmz").write_bytes(kmz(tmp_path / "b.kmz", ("doc.kml", KML)).read_bytes()[:200])
    for path in (tmp_path / "a.kmz", kmz(tmp_path / "c.kmz", ("doc.txt", "x"))):
        with pytest.raises(UnusableInputError, match=r"cannot be read|holds no \.kml"):
            read_table(path)
    odd = KML.replace("120.9,30.5,0", "east,north").replace("120.92,30.5 120.92,30.52 120.9,30.52", "")
    (tmp_path / "d.kml").write_text(odd, "utf-8")
    shapes = read_table(tmp_path / "d.kml").frame.geometry
    assert shapes.iloc[0] is None  # no numbers: the row is rejected for having no place
    assert shapes.iloc[1].geom_type == "Point"  # of a ring of two corners the label is left


def test_waypoints_are_places_and_tracks_are_counted(tmp_path):
    (tmp_path / "a.gpx").write_text(
        '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
        '<wpt lat="30.5" lon="120.9"><name>甲</name><type>library</type></wpt>'
        '<trk><trkseg><trkpt lat="1" lon="2"/></trkseg></trk></gpx>',
        "utf-8",
    )
    table = read_table(tmp_path / "a.gpx")
    assert table.notes == ("lines_left_out:1",)
    facilities, _ = read_facilities(tmp_path / "a.gpx")
    assert facilities["name"].tolist() == ["甲"]
    assert (facilities.geometry.iloc[0].x, facilities.geometry.iloc[0].y) == (120.9, 30.5)


@pytest.mark.parametrize("seed", seeds(40, whole=600))
def test_mutated_files_end_in_a_table_or_a_fault(tmp_path, seed):
    """Bytes changed, cut and doubled past the beginning: never anything but an error of this package."""
    rng = random.Random(seed)
    whole = {
        ".kml": KML.encode(),
        ".gpx": b'<?xml version="1.0"?><gpx><wpt lat="30.5" lon="120.9"><name>a</name></wpt></gpx>',
        ".json": json.dumps(
            {
                "elements": [
                    {"type": "way", "id": 1, "tags": {"a": "b"}, "geometry": [{"lon": 1, "lat": 2}] * 4}
                ]
            }
        ).encode(),
    }
    for suffix, content in whole.items():
        mutated = bytearray(content)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(10, len(mutated))
            kind = rng.randrange(4)
            if kind == 0:
                mutated[at] = rng.randrange(256)
            elif kind == 1:
                del mutated[at : at + rng.randint(1, 30)]
            elif kind == 2:
                mutated[at:at] = mutated[at : at + 40]
            else:
                mutated[at:at] = rng.choice([b"nan", b"1e999", b"null", b"[]", b"<", b"&#x0;", b'"', b"\xff"])
        path = tmp_path / f"a{suffix}"
        path.write_bytes(bytes(mutated))
        with contextlib.suppress(LifecircleError):
            read_facilities(path, service="library", max_rejected=1)
