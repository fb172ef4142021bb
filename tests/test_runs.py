"""Runs: when a kept one is current, what a damaged one ends in, and what is never replaced."""

import json
import os
import shutil
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pytest

from conftest import edit
from lifecircle.audit import find_run, find_runs, fingerprint, run_audit, write_run
from lifecircle.errors import UnusableInputError
from lifecircle.files import (
    Results,
    cache_folder,
    check_file,
    check_folder,
    complete_folder,
    files_of,
    load_arrays,
    save_arrays,
)
from lifecircle.findings import RUN, load_findings
from lifecircle.ledger import same_run
from lifecircle.maps import MapOrder, draw_study, read_plans, years_of
from lifecircle.study import copy_example, read_study

KIND = Results("mark.json", ("mark.json", "a.txt", "b.txt", "c.txt"))


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Give a toy town that has been audited."""
    from conftest import TOYTOWN  # noqa: PLC0415 - beside its use

    study = tmp_path_factory.mktemp("runs") / "town"
    shutil.copytree(TOYTOWN, study)
    run_audit(study, out=study / "results")
    return study


@pytest.fixture
def town(audited, tmp_path):
    return shutil.copytree(audited, tmp_path / "town")


def hashed(study, year=2025):
    return fingerprint(read_study(study), year)


# ---------------------------------------------------------------------------------------------------------
# Current or not


def test_a_kept_run_is_taken_where_nothing_changed(town, caplog, monkeypatch):
    monkeypatch.setattr("lifecircle.audit._run.run_audit", None)
    assert find_run(town).fingerprint == hashed(town)
    summary = town / "results" / "2025" / "summary.json"
    assert json.loads(summary.read_bytes())["fingerprint"] == find_run(town).fingerprint
    assert not caplog.text


def test_several_years_at_once_are_what_each_is_alone(town, tmp_path):
    """What years share is read and searched once; their files hold the same bytes."""
    years = (2022, 2023, 2024)
    together = find_runs(town, years)
    for year, found in zip(years, together, strict=True):
        assert found.fingerprint == hashed(town, year)
        write_run(found, tmp_path / "together")
        write_run(run_audit(town, year), tmp_path / "alone")
        one, other = tmp_path / "together" / str(year), tmp_path / "alone" / str(year)
        assert same_run(one, other)
    assert together[1].result("culture").previous is not None  # a gym opened in 2023


def test_a_changed_profile_is_never_served_from_an_old_run(town, caplog):
    before = find_run(town).result("reading").value
    edit(town / "standard.toml", "minutes = 15", "minutes = 10")
    after = find_run(town).result("reading")
    assert after.target.minutes == 10
    assert after.value < before
    assert "computed again" in caplog.text


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("standard.toml", "goal = 0.9", "goal = 0.8"),
        ("study.toml", 'language = "en"', 'language = "zh"'),
        ("study.toml", "Toy Town", "Toytown"),
        ("study.toml", '[roads]\nfile = "roads.geojson"', '[roads]\nfile = "roads.geojson"\nbuffer_m = 1.0'),
        ("study.toml", "[standard]", '[publish]\norganisation = "Office"\n\n[standard]'),
        ("residents.csv", "id,", "id ,"),
        ("roads.geojson", "Main Street", "High Street"),
        ("facilities.csv", "Toy library", "Library"),
        ("districts.geojson", "{", "{ "),
    ],
)
def test_whatever_alters_a_run_alters_its_fingerprint(toytown, file, old, new):
    before = hashed(toytown)
    edit(toytown / file, old, new)
    assert hashed(toytown) != before


@pytest.mark.parametrize(
    "new",
    [
        "[publish]\nmin_people = 9\n\n",
        '[atlas]\ndata_date = "2025-01-01"\n\n',
        "[siting]\nspacing_m = 100\n\n",
    ],
)
def test_what_alters_no_file_of_a_run_does_not(toytown, new):
    before = hashed(toytown)
    edit(toytown / "study.toml", "[standard]", new + "[standard]")
    assert hashed(toytown) == before


def test_the_fingerprint_is_the_same_wherever_the_study_lies(toytown, tmp_path):
    moved = shutil.copytree(toytown, tmp_path / "elsewhere" / "town")
    assert hashed(moved) == hashed(toytown)
    assert hashed(toytown, 2024) != hashed(toytown, 2025)


def test_a_file_of_the_year_before_counts_as_well(toytown):
    shutil.copy(toytown / "residents.csv", toytown / "before.csv")
    edit(
        toytown / "study.toml",
        'file = "residents.csv"',
        'file = { 2000 = "before.csv", 2025 = "residents.csv" }',
    )
    before = hashed(toytown), hashed(toytown, 2027)
    edit(toytown / "before.csv", "id,", "id ,")
    assert hashed(toytown) != before[0]
    assert hashed(toytown, 2027) == before[1]  # neither 2027 nor 2026 reads it


@pytest.mark.parametrize("ending", [".shp", ".dbf", ".shx", ".prj", ".cpg"])
def test_every_file_of_a_shapefile_counts(toytown, ending):
    gpd.read_file(toytown / "districts.geojson").to_file(toytown / "districts.shp")
    edit(toytown / "study.toml", "districts.geojson", "districts.shp")
    (toytown / "districts.txt").write_text("not one of them")
    assert len(files_of(toytown / "districts.shp")) == 5
    before = hashed(toytown)
    (toytown / "districts.txt").write_text("other")
    assert hashed(toytown) == before
    part = toytown / f"districts{ending}"
    part.write_bytes(part.read_bytes() + b" ")
    assert hashed(toytown) != before


# ---------------------------------------------------------------------------------------------------------
# Damaged


@pytest.mark.parametrize("name", ["summary.json", "results.gpkg", "ranks.parquet", "rejects.csv"])
@pytest.mark.parametrize("harm", ["gone", "cut", "empty", "flipped"])
def test_a_damaged_run_is_reported_and_computed_again(town, caplog, name, harm):
    whole = find_run(town)
    path = town / "results" / "2025" / name
    raw = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        middle = len(raw) // 2
        flipped = raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]
        path.write_bytes({"cut": raw[:middle], "empty": b"", "flipped": flipped}[harm])
    if raw or harm == "gone":
        with pytest.raises(UnusableInputError, match=name.replace(".", r"\.")):
            load_findings(path.parent)
    again = find_run(town)
    assert [one.value for one in again.targets] == [one.value for one in whole.targets]
    assert ("computed again" in caplog.text) == ((town / "results" / "2025" / "summary.json").exists())
    run_audit(town, out=town / "results")  # and a damaged run can be replaced
    assert load_findings(path.parent).fingerprint == whole.fingerprint


def test_a_summary_that_is_no_summary(town):
    folder = town / "results" / "2025"
    (folder / "checksums.txt").unlink()
    for text in ("[]", "{}", '{"schema": 1}', "[" * 100_000, '{"schema": 1, "targets": [3]}', "\udcff"):
        (folder / "summary.json").write_text(text, errors="surrogateescape")
        with pytest.raises(UnusableInputError, match="damaged run"):
            load_findings(folder)
        assert find_run(town).fingerprint


def test_any_flipped_bit_of_a_cache_entry_is_found():
    save_arrays("x", "key", {"a": np.arange(3.0), "b": np.array(["x", "yz"])}, {"n": 1})
    path = cache_folder("x") / "key.arrays"
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        raw = bytearray(whole)
        raw[bit // 8] ^= 1 << bit % 8
        path.write_bytes(raw)
        assert load_arrays("x", "key") is None
    path.write_bytes(whole)
    assert load_arrays("x", "key", ["a", "b"])[1] == {"n": 1}
    assert load_arrays("x", "key", ["a", "c"]) is None


def test_an_audit_goes_on_whatever_stands_in_the_cache(toytown):
    whole = run_audit(toytown)
    for path in cache_folder("").rglob("*.arrays"):
        path.write_bytes(path.read_bytes()[:100])
    again = run_audit(toytown)
    assert [one.value for one in again.targets] == [one.value for one in whole.targets]


def test_damaged_plans_are_reported(tmp_path):
    plan = tmp_path / "plan.json"
    for text in ("", "[]", "[" * 100_000, '{"study": "toytown", "sites": [{"lon": "x"}]}', "\x00"):
        plan.write_text(text)
        with pytest.raises(UnusableInputError, match="not a siting plan"):
            read_plans([plan], study="toytown")


# ---------------------------------------------------------------------------------------------------------
# What is never replaced


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("LIFECIRCLE_CACHE", str(tmp_path_factory.mktemp("cache")))


def test_only_results_are_replaced(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    check_folder(target, KIND)  # empty: nothing to lose
    (target / "thesis.docx").write_text("mine")
    for text in ("{}", '{"schema": 1}', '{"schema": "x", "study": "y"}', "schema study"):
        (target / "mark.json").write_text(text)
        with pytest.raises(UnusableInputError, match="no earlier results"):
            check_folder(target, KIND)
    with pytest.raises(UnusableInputError, match="no earlier results"), complete_folder(target, KIND):
        pytest.fail("it is refused before anything is written")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UnusableInputError, match="a file stands here"):
        check_folder(tmp_path / "file", KIND)
    with pytest.raises(UnusableInputError, match="is a file, not a folder"):
        check_folder(tmp_path / "file" / "deeper" / "out", KIND)
    with pytest.raises(UnusableInputError, match="the name is too long"):
        check_folder(tmp_path / ("a" * 300), KIND)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out"]
    assert (target / "thesis.docx").read_text() == "mine"


def test_what_people_keep_beside_results_stays(tmp_path):
    target = tmp_path / "out"
    for study in "ab":
        with complete_folder(target, KIND) as fresh:
            (fresh / "mark.json").write_text(f'{{"schema": 1, "study": "{study}"}}')
            (fresh / f"{study}.txt").write_text(study)
        (target / "notes").mkdir(exist_ok=True)
        (target / "notes" / "one.md").write_text("mine")
        (target / f"link{study}").symlink_to("nowhere")
    assert sorted(path.name for path in target.iterdir()) == ["b.txt", "linka", "linkb", "mark.json", "notes"]
    assert (target / "notes" / "one.md").read_text() == "mine"
    assert os.listdir(tmp_path) == ["out"]  # noqa: PTH208 - hidden ones as well


def test_a_link_to_results_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    with complete_folder(tmp_path / "out", KIND) as fresh:
        (fresh / "mark.json").write_text('{"schema": 1, "study": "a"}')
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "mark.json").is_file()


def test_a_page_and_pictures_of_others_are_never_replaced(toytown, tmp_path):
    mine = tmp_path / "map.html"
    mine.write_text("<html>mine</html>")
    for place, match in (
        (mine, "not written by lifecircle"),
        (tmp_path, "a folder stands"),
        ("/dev/null", "no plain"),
    ):
        with pytest.raises(UnusableInputError, match=match):
            draw_study(toytown, MapOrder(out=type(tmp_path)(place)))
    pytest.importorskip("matplotlib")
    (tmp_path / "reading-2025.png").write_bytes(b"\x89PNG mine")
    with pytest.raises(UnusableInputError, match=r"reading-2025\.png"):
        draw_study(toytown, MapOrder(out=tmp_path / "own.html", static=tmp_path))
    assert mine.read_text() == "<html>mine</html>"
    assert not (tmp_path / "own.html").exists()
    (tmp_path / "reading-2025.png").unlink()
    for _ in range(2):  # our own are
        draw_study(toytown, MapOrder(out=tmp_path / "own.html", static=tmp_path))
    check_file(tmp_path / "new.html", b"mark")


def test_the_example_is_copied_whole_or_not_at_all(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", broken)
    with pytest.raises(UnusableInputError, match="the disk is full"):
        copy_example(tmp_path / "demo")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kilobytes", [4, 20, 60])
def test_a_full_disk_leaves_nothing_and_says_so(toytown, kilobytes):
    resource = pytest.importorskip("resource")
    limits = (kilobytes * 1024, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    done = subprocess.run(
        [sys.executable, "-m", "lifecircle", "audit", str(toytown)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits),
    )
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Remedy: " in done.stderr
    assert not (toytown / "results").exists()


def test_years_that_no_study_has():
    for text in ("0000", "9999", "0001-9999", "1949"):
        with pytest.raises(UnusableInputError, match="no year that a study can be audited for"):
            years_of(text)


def test_an_audit_refuses_its_place_before_it_reads(toytown, monkeypatch):
    monkeypatch.setattr("lifecircle.audit._run.prepare", None)
    folder = toytown / "out" / "2025"
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(UnusableInputError, match="no earlier results"):
        run_audit(toytown, out=toytown / "out")
    assert RUN.mark not in os.listdir(folder)  # noqa: PTH208 - names alone
    for year in (0, -1, 10_000):
        with pytest.raises(UnusableInputError, match="no year"):
            run_audit(toytown, year)
