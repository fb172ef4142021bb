"""The keys of ``[roads]`` in study.toml reach the reading of the roads."""

import geopandas as gpd
import pytest

from conftest import edit
from lifecircle.audit import run_audit
from lifecircle.errors import UnusableInputError
from lifecircle.reading import reading_lines
from lifecircle.verification import verify_run


def test_keys_of_the_study_decide_on_the_roads(toytown):
    keys = 'file = "roads.geojson"\ncolumns = { highway = "NAME" }\nclasses = { "Main Street" = "footway" }'
    edit(toytown / "study.toml", 'file = "roads.geojson"', keys)
    served = (run_audit(toytown).status == "covered").to_numpy().sum()
    edit(toytown / "study.toml", keys, 'file = "roads.geojson"')
    whole = (run_audit(toytown).status == "covered").to_numpy().sum()
    assert 0 < served < whole


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ('columns = { highway = "kind" }', r"columns.highway: the road table has no column of this name"),
        ('datum = "GCJ"', r"a datum is wgs84, gcj02, bd09, auto or EPSG:n"),
        ("join_m = 6", r"join_m"),
        ('layer = "town"', r"a .geojson file has no layer"),
        ('classes = { a = "b" }', r"classes.a: this is no road class"),
    ],
)
def test_keys_that_say_nothing_are_refused(toytown, keys, match):
    edit(toytown / "study.toml", 'file = "roads.geojson"', f'file = "roads.geojson"\n{keys}')
    with pytest.raises(UnusableInputError, match=match):
        run_audit(toytown)


def test_a_study_adds_the_roads_that_its_official_lines_lack(toytown):
    """Official roads without the lane to r3 and r4; the toy town's own roads bring it back."""
    whole = run_audit(toytown)
    roads = gpd.read_file(toytown / "roads.geojson")
    longest = roads.assign(m=roads.geometry.length).nlargest(1, "m")[["geometry"]]
    longest.to_file(toytown / "official.gpkg")
    edit(toytown / "study.toml", 'file = "roads.geojson"', 'file = "official.gpkg"')
    poor = run_audit(toytown)
    edit(toytown / "study.toml", 'file = "official.gpkg"', 'file = "official.gpkg"\nmerge = "roads.geojson"')
    merged = run_audit(toytown, out=toytown / "results")
    assert merged.status.equals(whole.status)
    assert not poor.status.equals(whole.status)
    assert merged.seconds.to_numpy() == pytest.approx(whole.seconds.to_numpy(), nan_ok=True)
    roles = {one.role: one.path for one in merged.inputs}
    assert (roles["roads"], roles["merge"]) == ("official.gpkg", "roads.geojson")
    lines = "\n".join(reading_lines(merged.reading, "en"))
    assert "added where no official road runs along" in lines
    assert verify_run(toytown / "results" / "2025", toytown).holds
    with (toytown / "roads.geojson").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert not verify_run(toytown / "results" / "2025", toytown).holds


def test_only_files_are_merged(toytown):
    edit(toytown / "study.toml", 'file = "roads.geojson"', 'place = "town"\nmerge = "roads.geojson"')
    with pytest.raises(UnusableInputError, match="only a file of roads can be merged"):
        run_audit(toytown)


def test_the_reading_says_what_ends_and_what_is_cut_off(toytown):
    findings = run_audit(toytown)
    (network, *_) = findings.reading.networks
    roads = gpd.read_file(toytown / "roads.geojson")
    assert network.length_m == pytest.approx(float(roads.geometry.length.sum()), rel=1e-6)
    assert network.dead_end_m <= network.length_m
    assert network.island_m == pytest.approx(network.length_m * (1 - network.largest))
    assert sum(one.length_m for one in network.islands) == pytest.approx(network.island_m)
    public = "\n".join(reading_lines(findings.reading, "en", public=True))
    internal = "\n".join(reading_lines(findings.reading, "en"))
    assert ("1 island" in internal) == (network.island_m > 0)
    assert "island" not in public


def test_layers_of_one_file_geodatabase_are_inputs_like_others(toytown):
    whole = run_audit(toytown)
    for name in ("roads", "districts"):
        layer = gpd.read_file(toytown / f"{name}.geojson")
        mode = "w" if name == "roads" else "a"
        layer.to_file(toytown / "town.gdb", driver="OpenFileGDB", layer=name, mode=mode)
        edit(toytown / "study.toml", f'file = "{name}.geojson"', f'file = "town.gdb"\nlayer = "{name}"')
    findings = run_audit(toytown, out=toytown / "results")
    assert findings.status.equals(whole.status)
    (toytown / "town.gdb" / "somebody.lock").touch()
    assert verify_run(toytown / "results" / "2025", toytown).holds
    (part, *_) = sorted((toytown / "town.gdb").glob("*.gdbtable"))
    part.write_bytes(part.read_bytes() + b"x")
    assert not verify_run(toytown / "results" / "2025", toytown).holds
