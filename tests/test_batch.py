"""Many studies at once: the same bytes as one after another, whatever is killed, damaged or done already."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import browser
from batch_towns import IDS, contents, make_towns, merged, run_one_after_another
from commands import run as lifecircle
from conftest import edit, in_whole_campaign
from lifecircle.batch import BatchOrder, run_batch
from lifecircle.errors import MissingExtraError, UnusableInputError
from lifecircle.findings import load_findings
from lifecircle.ledger import open_register
from lifecircle.wording import percent

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    """Give four studies, which no test changes."""
    return make_towns(tmp_path_factory.mktemp("batch") / "towns")


@pytest.fixture(scope="module")
def plain(towns):
    """Give the findings of the four, and the folder of their runs, one after another."""
    out = towns[0].parent.parent / "plain"
    return run_one_after_another(towns, out), out


@pytest.fixture(scope="module")
def done(towns):
    """Give a batch of the four in the local pool."""
    return run_batch(BatchOrder(tuple(towns), out=towns[0].parent.parent / "out"))


def states(batch):
    return {one.id: one.state for one in batch.outcomes}


def test_the_runs_are_those_of_one_after_another(done, plain):
    assert states(done) == dict.fromkeys(IDS, "done")
    found, expected = contents(done.out), contents(plain[1])
    assert len(expected) == 4 * 9
    assert found == expected


def test_the_merged_table_holds_every_figure_of_every_study(done, plain):
    table = pd.read_parquet(done.out / "findings.parquet")
    rows = []
    for name in IDS:
        for result in plain[0][name].targets:
            rows.append((name, result.target.id, "", result.value, result.status, result.count.people))
            rows += [
                (name, result.target.id, one.code, one.value, one.status, one.count.people)
                for one in result.districts
            ]
    columns = ["study", "target", "district", "value", "status", "people"]
    expected = pd.DataFrame(rows, columns=columns)
    pd.testing.assert_frame_equal(table[columns], expected, check_dtype=False)
    people = table[(table["target"] == "reading") & (table["district"] == "")].set_index("study")["people"]
    assert people.to_dict() == {"ash": 276, "birch": 277, "cedar": 278, "dune": 279}  # 275 and the number
    buckets = table[["covered", "beyond", "disconnected", "unsnapped"]].sum(axis=1)
    assert (buckets == table["people"]).all()
    text = pd.read_csv(done.out / "findings.csv", dtype={"district": str}, keep_default_na=False)
    assert len(text) == len(table)
    assert text["district"].tolist() == table["district"].tolist()


def test_the_partitions_are_one_table_of_residents(done, plain):
    table = pd.read_parquet(done.out / "residents")
    assert table.groupby("study", observed=True).size().to_dict() == dict.fromkeys(IDS, 7)
    assert table["population"].sum() == 4 * 275 + 1 + 2 + 3 + 4
    one = gpd.read_parquet(done.out / "residents" / "study=ash" / "part-0.parquet").set_index("id")
    expected = plain[0]["ash"].seconds["reading"]
    pd.testing.assert_series_equal(
        one["seconds_reading"], expected, check_names=False, check_index_type=False
    )
    assert one.crs == "EPSG:4326"
    districts = gpd.read_parquet(done.out / "districts" / "study=dune" / "part-0.parquet")
    assert districts["code"].tolist() == ["01", "02"]
    assert districts["value_reading"].notna().all()


def test_one_register_holds_the_runs_in_the_order_of_the_studies(done):
    with open_register(done.out) as register:
        runs = register.runs()
        history = register.history("cedar", "reading", districts=[""])
        assert not register.changed_rows(results=True)
    assert runs["study"].tolist() == list(IDS)
    assert history["people"].tolist() == [278.0]


def test_a_second_batch_runs_nothing_and_changes_nothing(done, towns):
    before, runs = merged(done.out), contents(done.out)
    again = run_batch(BatchOrder(tuple(towns), out=done.out))
    assert states(again) == dict.fromkeys(IDS, "kept")
    assert (merged(done.out), contents(done.out)) == (before, runs)
    with open_register(done.out) as register:
        assert len(register.runs()) == 4


def test_a_resumed_batch_runs_what_is_missing_alone(towns, done, tmp_path):
    """Two of four are done; of the other two one has a run without a record, as a killed task leaves."""
    out = shutil.copytree(done.out, tmp_path / "out")
    before = contents(out)
    (out / "tasks" / "birch.json").unlink()
    (out / "dune" / "2025" / "summary.json").unlink()
    again = run_batch(BatchOrder(tuple(towns), out=out))
    assert states(again) == {"ash": "kept", "birch": "done", "cedar": "kept", "dune": "done"}
    after = {key: one for key, one in contents(out).items() if key[1].startswith("2025/")}
    assert after.keys() == before.keys()
    # The way back to the study is part of the evidence: these runs lie elsewhere.
    changed = {key for key in before if after[key] != before[key]}
    assert {file for _, file in changed} <= {"2025/evidence.json", "2025/checksums.txt"}
    plain = json.loads((out / "batch.json").read_text())
    assert plain["counts"] == {"done": 2, "kept": 2, "failed": 0}


@in_whole_campaign
def test_a_damaged_partition_is_made_again(towns, tmp_path):
    out = tmp_path / "out"
    run_batch(BatchOrder(tuple(towns[:2]), out=out))
    path = out / "residents" / "study=ash" / "part-0.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    again = run_batch(BatchOrder(tuple(towns[:2]), out=out))
    assert states(again) == {"ash": "done", "birch": "kept"}
    assert path.read_bytes() == whole


@in_whole_campaign
def test_a_study_whose_input_changed_is_run_again_alone(tmp_path):
    towns, out = make_towns(tmp_path / "towns", IDS[:3]), tmp_path / "out"
    run_batch(BatchOrder(tuple(towns), out=out))
    edit(towns[1] / "residents.csv", "r2,500500,3377000,50,", "r2,500500,3377000,60,")
    again = run_batch(BatchOrder(tuple(towns), out=out))
    assert states(again) == {"ash": "kept", "birch": "done", "cedar": "kept"}
    table = pd.read_parquet(out / "findings.parquet")
    mine = table[(table["study"] == "birch") & (table["target"] == "reading") & (table["district"] == "")]
    assert mine["people"].tolist() == [287.0]


@in_whole_campaign
def test_the_merged_files_are_of_the_studies_of_the_batch_alone(towns, tmp_path):
    out = tmp_path / "out"
    run_batch(BatchOrder(tuple(towns[:2]), out=out))
    run_batch(BatchOrder(tuple(towns[1:3]), out=out))
    for name in ("residents", "districts"):
        assert sorted(one.name for one in (out / name).iterdir()) == ["study=birch", "study=cedar"]
    assert set(pd.read_parquet(out / "findings.parquet")["study"]) == {"birch", "cedar"}
    assert (out / "ash" / "2025" / "summary.json").is_file()  # its run stays


def test_without_a_folder_runs_go_where_an_audit_puts_them(tmp_path, monkeypatch):
    towns = make_towns(tmp_path / "towns", IDS[:1])
    monkeypatch.chdir(tmp_path)
    batch = run_batch(BatchOrder(tuple(towns), year=2024))
    assert batch.out == tmp_path / "batch"
    assert load_findings(towns[0] / "results" / "2024").year == 2024


def test_the_page_shows_every_district_and_study_without_a_network(done, driver):
    page = browser.opened(driver, (done.out / "index.html").as_uri())
    assert page.run("return document.querySelectorAll('#map path').length") == 8
    rows = "return [...document.querySelectorAll('#rows tr')].map((row) => row.innerText)"
    assert len(page.run(rows)) == 4
    targets = page.run("return [...document.querySelectorAll('#target option')].map((one) => one.value)")
    assert targets == ["reading", "culture", "health"]
    table = pd.read_parquet(done.out / "findings.parquet")
    for target in targets:
        page.run("window.lifecircle.show(arguments[0])", target)
        whole = table[(table["target"] == target) & (table["district"] == "")]
        told = page.run(rows)
        assert all(percent(value) in row for value, row in zip(whole["value"], told, strict=True))
        titles = page.run("return [...document.querySelectorAll('#map title')].map((one) => one.textContent)")
        apart = table[(table["target"] == target) & table["district"].isin(["01", "02"])]
        assert [percent(None if pd.isna(one) else one) for one in apart["value"]] == [
            title.split(": ")[1].split("%")[0].strip() + " %" if "%" in title else "—" for title in titles
        ]
    assert "Synthetic example" in page.run("return document.getElementById('stamp').textContent")
    assert page.requests() == [(done.out / "index.html").as_uri()]
    assert not page.complaints()


# ---------------------------------------------------------------------------------------------------------
# What goes wrong


def test_two_studies_of_one_id_are_refused_before_anything_is_run(towns, tmp_path):
    twins = [*towns[:2], *make_towns(tmp_path / "others", ("ash", "elm"))]
    with pytest.raises(UnusableInputError, match="two studies have one id") as refused:
        run_batch(BatchOrder(tuple(twins), out=tmp_path / "out"))
    assert [fault.value for fault in refused.value.faults] == ["ash"]
    assert not (tmp_path / "out").exists()


@in_whole_campaign
def test_a_study_that_fails_is_reported_and_stops_no_other(tmp_path):
    towns = make_towns(tmp_path / "towns")
    edit(towns[1] / "residents.csv", "population", "crowd")
    (towns[2] / "study.toml").write_text("no toml at all [")
    missing = tmp_path / "towns" / "nowhere"
    batch = run_batch(BatchOrder((*towns, missing), out=tmp_path / "out"))
    assert [one.state for one in batch.outcomes] == ["done", "failed", "failed", "done", "failed"]
    faults = {one.id: " ".join(one.faults) for one in batch.failed}
    assert "residents.csv" in faults["birch"]
    assert "study.toml" in faults[str(towns[2])]
    assert "no study here" in faults[str(missing)]
    assert "residents.csv" in (tmp_path / "out" / "logs" / "birch.log").read_text()
    table = pd.read_parquet(tmp_path / "out" / "findings.parquet")
    assert sorted(table["study"].unique()) == ["ash", "dune"]
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "birch" in page
    assert "Studies that failed" in page
    edit(towns[1] / "residents.csv", "crowd", "population")
    again = run_batch(BatchOrder((*towns[:2], towns[3]), out=tmp_path / "out"))
    assert states(again) == {"ash": "kept", "birch": "done", "dune": "kept"}


def test_a_folder_of_other_things_is_left_alone(towns, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UnusableInputError, match="no earlier batch"):
        run_batch(BatchOrder(tuple(towns[:1]), out=tmp_path))
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


def children():
    """List the worker processes of this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
            words = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and b"_pool_worker" in words:
            found.append(int(path.parent.name))
    return found


def kill_when_begun(log):
    """Kill every worker of this process once a task has begun to write its log."""

    def wait():
        until = time.monotonic() + 120
        while time.monotonic() < until and not (log.is_file() and log.stat().st_size):
            time.sleep(0.002)
        for process in children():
            os.kill(process, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="workers are found in /proc")
def test_a_worker_killed_in_the_middle_changes_nothing(towns, plain, tmp_path):
    out = tmp_path / "out"
    kill_when_begun(out / "logs" / "birch.log")
    batch = run_batch(BatchOrder(tuple(towns), out=out))
    assert states(batch) == dict.fromkeys(IDS, "done")
    assert max(one.attempts for one in batch.outcomes) == 2
    found, expected = contents(out), contents(plain[1])
    # The way back to the study is part of the evidence: these runs lie elsewhere.
    different = {key for key in expected if found.get(key) != expected[key]}
    assert {file for _, file in different} <= {"2025/evidence.json", "2025/checksums.txt"}
    assert found.keys() == expected.keys()


@in_whole_campaign
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="workers are found in /proc")
def test_a_task_killed_too_often_is_reported(towns, tmp_path):
    out = tmp_path / "out"
    kill_when_begun(out / "logs" / "ash.log")
    batch = run_batch(BatchOrder(tuple(towns[:1]), out=out, tries=1))
    assert states(batch) == {"ash": "failed"}
    assert "killed 1 times" in batch.failed[0].faults[0]
    assert states(run_batch(BatchOrder(tuple(towns[:1]), out=out))) == {"ash": "done"}


def test_dask_that_is_missing_names_the_extra(towns, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"lifecircle\[cluster\]"):
        run_batch(BatchOrder(tuple(towns[:1]), out=tmp_path / "out", workers=1))


def test_a_batch_without_a_cluster_loads_no_dask():
    code = "import sys, lifecircle.batch; assert not {'dask', 'distributed'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------------------------------------------------
# The command


@in_whole_campaign
def test_the_command_prints_counts_and_ends_with_a_status(towns, done, tmp_path):
    told = lifecircle("batch", *towns, "--out", done.out)
    assert told.returncode == 0, told.stderr
    assert "0 done, 4 kept" in told.stdout
    assert not told.stderr  # progress is for terminals
    assert lifecircle("batch", *towns, "--out", done.out, "--strict").returncode == 1  # reading is missed
    refused = lifecircle("batch", towns[0], tmp_path / "nowhere", "--out", tmp_path / "out", "--strict")
    assert refused.returncode == 2
    assert "failed" in refused.stdout
    assert "nowhere" in refused.stdout
    assert lifecircle("batch", towns[0], "--scheduler", "tcp://x:1", "--workers", "1").returncode == 2
    assert lifecircle("batch", towns[0], "--solve", "whole").returncode == 2
