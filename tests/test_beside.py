"""Work beside this process: the answers, errors and ends of one process, with a copy or without."""

import logging
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from lifecircle import beside as room
from lifecircle.beside import allow_copies, beside

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux copies a process")


@pytest.fixture(params=["copied", "here"])
def either(request, monkeypatch):
    """Let this process copy itself, and not."""
    monkeypatch.setattr(room._Allowed, "copies", request.param == "copied")
    return request.param


@pytest.fixture
def copies(monkeypatch):
    monkeypatch.setattr(room._Allowed, "copies", True)


def no_child_is_left():
    """Look for processes of this one, but for the server that runs the commands of tests."""
    running = [pid for one in Path("/proc/self/task").glob("*/children") for pid in one.read_text().split()]
    return all("commands.py" in Path(f"/proc/{pid}/cmdline").read_text() for pid in running)


def test_the_answer_is_that_of_the_work(either):
    before = {"a": [1, 2]}
    with beside(lambda: (os.getpid(), before)) as begun:
        process, answer = begun.answer()
    assert answer == before
    assert (process != os.getpid()) == (either == "copied")
    assert no_child_is_left()


@pytest.mark.usefixtures("copies")
def test_a_large_answer_comes_whole():
    with beside(lambda: bytes(range(256)) * 100_000) as begun:
        assert begun.answer() == bytes(range(256)) * 100_000


@pytest.mark.usefixtures("either")
def test_an_error_is_raised_here_as_without_a_copy():
    def work():
        raise OSError(28, "No space left on device", "a.csv")

    with pytest.raises(OSError, match="No space left") as caught, beside(work) as begun:
        begun.answer()
    assert caught.value.filename == "a.csv"
    assert no_child_is_left()


@pytest.mark.usefixtures("copies")
@pytest.mark.parametrize("way", ["killed", "no answer that can be sent"])
def test_what_a_copy_does_not_answer_is_worked_out_here(way):
    here = os.getpid()

    def work():
        if os.getpid() == here:
            return "here"
        if way == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        return lambda: None

    with beside(work) as begun:
        assert begun.answer() == "here"
    assert no_child_is_left()


@pytest.mark.usefixtures("copies")
def test_a_copy_that_does_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(room, "_SILENT_S", 0.1)
    here = os.getpid()
    with beside(lambda: "here" if os.getpid() == here else time.sleep(60)) as begun:
        assert begun.answer() == "here"
    assert no_child_is_left()


@pytest.mark.usefixtures("copies")
def test_a_copy_that_works_long_is_waited_for(monkeypatch):
    monkeypatch.setattr(room, "_SILENT_S", 0.1)

    def work():
        end = time.process_time() + 0.5
        while time.process_time() < end:
            pass
        return os.getpid()

    with beside(work) as begun:
        assert begun.answer() != os.getpid()


@pytest.mark.usefixtures("copies")
def test_a_copy_ends_with_the_block_when_something_else_fails():
    begun_at = time.monotonic()
    with pytest.raises(ValueError, match="meanwhile"), beside(lambda: time.sleep(60)):
        raise ValueError("meanwhile")
    assert time.monotonic() - begun_at < 10
    assert no_child_is_left()


@pytest.mark.usefixtures("copies")
def test_a_system_that_makes_no_process_is_no_error(monkeypatch, caplog):
    def refused():
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone
    with caplog.at_level(logging.INFO), beside(os.getpid) as begun:
        assert begun.answer() == os.getpid()
    assert "no process beside this one" in caplog.text
    assert len(os.listdir("/proc/self/fd")) == open_before  # noqa: PTH208 - names alone


@pytest.mark.usefixtures("either")
def test_one_processor_copies_nothing():
    allow_copies(1)
    with beside(os.getpid) as begun:
        assert begun.answer() == os.getpid()
