"""Files: written whole or not at all, and a cache that may be killed, shared or spoilt at any moment."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from conftest import ROOT
from lifecircle.demand import read_demand
from lifecircle.files import cache_folder, content_key, files_of, load_arrays, save_arrays, written
from lifecircle.reach import snap
from lifecircle.roads import read_roads

ARRAYS = {"a": np.arange(5.0), "b": np.array([[1, 2], [3, 4]], dtype=np.int32)}
TOYTOWN = ROOT / "tests" / "toytown" / "roads.geojson"


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path / "cache"))


def test_the_cache_is_where_the_user_wants_it(monkeypatch, tmp_path):
    assert cache_folder("osm") == tmp_path / "cache" / "osm"
    monkeypatch.delenv("LIFECIRCLE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("osm") == tmp_path / "lifecircle" / "osm"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder("osm") == tmp_path / ".cache" / "lifecircle" / "osm"


def test_what_is_kept_is_read_back():
    assert load_arrays("x", "key") is None
    save_arrays("x", "key", ARRAYS, {"name": "路网"})
    arrays, facts = load_arrays("x", "key")
    assert facts == {"name": "路网"}
    assert set(arrays) == {"a", "b"}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


@pytest.mark.parametrize("size", [0, 1, 100, -1, -30])
def test_an_entry_cut_short_is_made_again(size, caplog):
    save_arrays("x", "key", ARRAYS, {})
    path = cache_folder("x") / "key.arrays"
    path.write_bytes(path.read_bytes()[:size])
    assert load_arrays("x", "key") is None
    assert "made again" in caplog.text


def test_a_flipped_bit_is_noticed():
    save_arrays("x", "key", ARRAYS, {})
    path = cache_folder("x") / "key.arrays"
    whole = path.read_bytes()
    at = whole.index(ARRAYS["a"].tobytes())
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert load_arrays("x", "key") is None


@pytest.mark.parametrize("step", ["half", "fsync", "replace"])
def test_a_process_killed_at_any_step_leaves_the_next_run_right(step):
    """Die at the step as a kill would: no handler runs, no file is tidied up."""
    code = f"""
import os, pathlib, numpy as np
from lifecircle.files import _array_cache, save_arrays
def die(*_, **__): os._exit(9)
if "{step}" == "half":
    packed = _array_cache._packed
    _array_cache._packed = lambda *told: (part if at < 2 else die() for at, part in enumerate(packed(*told)))
elif "{step}" == "fsync":
    os.fsync = die
else:
    pathlib.Path.replace = die
save_arrays("x", "key", {{"a": np.arange(5.0)}}, {{}})
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 9
    assert load_arrays("x", "key") is None
    save_arrays("x", "key", ARRAYS, {})
    assert load_arrays("x", "key") is not None


def test_two_processes_at_once():
    code = """
import numpy as np
from lifecircle.files import load_arrays, save_arrays
for turn in range(60):
    save_arrays("x", "key", {"a": np.full(20000, 7.0)}, {})
    arrays, _ = load_arrays("x", "key")
    assert (arrays["a"] == 7.0).all()
"""
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]


def test_a_folder_that_cannot_be_written_is_done_without(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("a file where a folder should be")
    monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path / "file"))
    save_arrays("x", "key", ARRAYS, {})
    assert load_arrays("x", "key") is None
    assert read_roads(TOYTOWN, keep=True).key == read_roads(TOYTOWN).key


def test_kept_roads_are_the_roads(tmp_path):
    source = Path(tmp_path / "roads.geojson")
    source.write_bytes(TOYTOWN.read_bytes())
    fresh = read_roads(source, keep=True)
    entries = list(cache_folder("roads").iterdir())
    kept = read_roads(source, keep=True)
    assert list(cache_folder("roads").iterdir()) == entries
    assert kept.crs == fresh.crs
    assert kept.key == fresh.key
    del kept.__dict__["key"], kept.__dict__["network_key"]
    assert kept.key == fresh.key  # worked out again from what was kept
    assert (kept.lines == fresh.lines).all()


def test_kept_roads_of_a_changed_file_profile_or_crs_are_others(tmp_path):
    source = Path(tmp_path / "roads.geojson")
    source.write_bytes(TOYTOWN.read_bytes())
    keys = {read_roads(source, keep=True).key}
    keys.add(read_roads(source, keep=True, mode="walk_aged").key)
    keys.add(read_roads(source, keep=True, crs="EPSG:32651").key)
    source.write_text(source.read_text().replace("3378250", "3378300"))
    keys.add(read_roads(source, keep=True).key)
    assert len(keys) == 4


def test_kept_snaps_are_the_snaps():
    roads = read_roads(TOYTOWN)
    homes, _ = read_demand(ROOT / "tests" / "toytown" / "residents.csv", datum="EPSG:4549")
    fresh = snap(roads, homes, keep=True)
    entries = list(cache_folder("snaps").iterdir())
    kept = snap(roads, homes, keep=True)
    assert list(cache_folder("snaps").iterdir()) == entries
    assert kept.lines is roads.lines
    for name in ("edge", "share", "leg_m", "reason"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(fresh, name))
        assert getattr(kept, name).dtype == getattr(fresh, name).dtype
    snap(roads, homes, cap_m=10.0, keep=True)
    snap(roads.with_barriers([shapely.LineString([(500000, 3377000), (500001, 3377001)])]), homes, keep=True)
    snap(roads, homes.iloc[1:], keep=True)
    assert len(list(cache_folder("snaps").iterdir())) == 4


def test_a_shapefile_is_all_its_files(tmp_path):
    for suffix in (".shp", ".dbf"):
        (tmp_path / f"a{suffix}").write_bytes(suffix.encode())
    before = content_key(tmp_path / "a.shp")
    (tmp_path / "a.dbf").write_bytes(b"other")
    assert content_key(tmp_path / "a.shp") != before


def test_written_flushes_before_it_moves(monkeypatch, tmp_path):
    told = []
    fsync = os.fsync
    replace = Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (told.append("fsync"), fsync(fd))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (told.append("replace"), replace(self, to))[1])
    with written(tmp_path / "a.txt") as fresh:
        fresh.write_text("whole")
    assert told[:2] == ["fsync", "replace"]


def test_a_raster_is_known_with_what_stands_beside_it_and_read_in_pieces(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(bytes(range(256)) * 8192)  # two pieces of a megabyte
    before = content_key(path)
    (tmp_path / "a.tif.aux.xml").write_text("<PAMDataset/>", "utf-8")
    assert files_of(path) == [path, tmp_path / "a.tif.aux.xml"]
    after = content_key(path)
    assert after != before
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert content_key(path) not in {before, after}
