"""A batch on a Dask cluster: a scheduler and two worker processes on this machine, started here."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest

from batch_towns import IDS, contents, make_towns, merged, run_one_after_another
from conftest import in_whole_campaign
from lifecircle.batch import BatchOrder, run_batch
from lifecircle.errors import UnusableInputError

if os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") != "1":
    pytest.importorskip("distributed", reason="the extra cluster is not installed")


class Cluster:
    """A scheduler with two workers, each a process of its own, on loopback."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--scheduler-file", self.file, "--port", "0")
        until = time.monotonic() + 120
        while not self.file.is_file() or not self.file.stat().st_size:
            assert time.monotonic() < until, "the scheduler did not start"
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text())["address"]
        self.workers = [self.add_worker() for _ in range(2)]

    def add_worker(self):
        """Start a worker without the nanny that would start it again."""
        words = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0")
        return self._start("worker", self.address, *words, "--local-directory", self.folder)

    def _start(self, kind, *words):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}"]
        log = (self.folder / f"{kind}-{time.monotonic_ns()}.log").open("wb")
        self.stack.callback(log.close)
        words = (*words, "--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")
        process = subprocess.Popen([*command, *map(str, words)], stdout=log, stderr=log)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with ExitStack() as stack:
        yield Cluster(tmp_path_factory.mktemp("cluster"), stack)


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    return make_towns(tmp_path_factory.mktemp("batch") / "towns")


@pytest.fixture(scope="module")
def plain(towns):
    """Give the files of the runs one after another, in this process."""
    out = towns[0].parent.parent / "plain"
    run_one_after_another(towns, out)
    return contents(out)


@pytest.fixture(scope="module")
def local(towns):
    """Give the merged files of the local pool."""
    return merged(run_batch(BatchOrder(tuple(towns), out=towns[0].parent.parent / "local")).out)


def states(batch):
    return {one.id: one.state for one in batch.outcomes}


def test_the_runs_are_those_of_one_after_another(cluster, towns, plain, local):
    out = towns[0].parent.parent / "first"
    batch = run_batch(BatchOrder(tuple(towns), out=out, scheduler=cluster.address))
    assert states(batch) == dict.fromkeys(IDS, "done")
    assert contents(out) == plain
    assert merged(out) == local
    again = run_batch(BatchOrder(tuple(towns), out=out, scheduler=cluster.address))
    assert states(again) == dict.fromkeys(IDS, "kept")
    assert merged(out) == local


@in_whole_campaign
def test_a_resumed_batch_runs_what_is_missing_alone(cluster, towns, plain):
    out = towns[0].parent.parent / "resumed"
    run_batch(BatchOrder(tuple(towns[:3]), out=out, scheduler=cluster.address))
    (out / "tasks" / "ash.json").unlink()
    batch = run_batch(BatchOrder(tuple(towns), out=out, scheduler=cluster.address))
    assert states(batch) == {"ash": "done", "birch": "kept", "cedar": "kept", "dune": "done"}
    assert contents(out) == plain


@in_whole_campaign
def test_a_worker_killed_in_the_middle_changes_nothing(cluster, towns, plain, local):
    out = towns[0].parent.parent / "killed"
    victim, killed = cluster.workers[0], threading.Event()

    def kill():
        until = time.monotonic() + 120
        while time.monotonic() < until and len(list(out.glob("logs/*.log"))) < 2:
            time.sleep(0.002)  # two tasks run: one of them on the worker that is killed
        os.kill(victim.pid, signal.SIGKILL)
        killed.set()

    threading.Thread(target=kill, daemon=True).start()
    batch = run_batch(BatchOrder(tuple(towns), out=out, scheduler=cluster.address))
    assert killed.wait(60)
    assert victim.wait(60) == -signal.SIGKILL
    assert states(batch) == dict.fromkeys(IDS, "done")
    assert contents(out) == plain
    assert merged(out) == local
    cluster.workers[0] = cluster.add_worker()


@in_whole_campaign
def test_a_scheduler_killed_in_the_middle_loses_nothing_that_was_finished(towns, plain, local, tmp_path):
    """What was finished stays; the rest is reported with what to do, and the same command completes it."""
    out = towns[0].parent.parent / "lost"
    with ExitStack() as stack:
        lost = Cluster(tmp_path, stack)

        def kill():
            until = time.monotonic() + 120
            while time.monotonic() < until and not list(out.glob("tasks/*.json")):
                time.sleep(0.002)
            os.kill(lost.scheduler.pid, signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()
        batch = run_batch(BatchOrder(tuple(towns), out=out, scheduler=lost.address))
        assert lost.scheduler.wait(60) == -signal.SIGKILL
    assert set(states(batch)) == set(IDS)
    assert set(states(batch).values()) <= {"done", "kept", "failed"}
    assert batch.failed
    assert all("run the same command again" in fault for one in batch.failed for fault in one.faults)
    whole = {name for name, state in states(batch).items() if state != "failed"}
    assert whole
    again = run_batch(BatchOrder(tuple(towns), out=out))
    assert {name for name, state in states(again).items() if state == "kept"} >= whole
    assert set(states(again).values()) <= {"done", "kept"}
    assert contents(out) == plain
    assert merged(out) == local


@in_whole_campaign
def test_a_study_that_fails_stops_no_other(cluster, towns, tmp_path):
    broken = make_towns(tmp_path / "towns", ("elm",))[0]
    (broken / "facilities.csv").unlink()
    batch = run_batch(BatchOrder((broken, towns[0]), out=tmp_path / "out", scheduler=cluster.address))
    assert states(batch) == {"elm": "failed", "ash": "done"}
    assert "facilities.csv" in batch.failed[0].faults[0]


@in_whole_campaign
def test_a_cluster_of_this_machine(towns, plain):
    out = towns[0].parent.parent / "own"
    batch = run_batch(BatchOrder(tuple(towns), out=out, workers=2))
    assert states(batch) == dict.fromkeys(IDS, "done")
    assert contents(out) == plain


def test_a_scheduler_that_does_not_answer_is_refused(towns, tmp_path, monkeypatch):
    monkeypatch.setattr("lifecircle.batch._cluster._WAIT_S", 1.0)
    with pytest.raises(UnusableInputError, match="no scheduler answers"):
        run_batch(BatchOrder(tuple(towns[:1]), out=tmp_path / "out", scheduler="tcp://127.0.0.1:9"))
    with pytest.raises(UnusableInputError, match="no scheduler answers"):
        run_batch(BatchOrder(tuple(towns[:1]), out=tmp_path / "out", scheduler="nonsense"))
