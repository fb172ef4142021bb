"""Fixtures shared by all tests: the toy town, whose every answer is counted by hand in its notes."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

import browser
import postgres
from lifecircle.audit import run_audit

ROOT = Path(__file__).parent.parent
TOYTOWN = Path(__file__).parent / "toytown"
WHOLE_CAMPAIGN = os.environ.get("LIFECIRCLE_CAMPAIGN") == "all"


def seeds(sample, *, whole):
    """Give the seeds of a random campaign: a sample, or the whole of it under ``make test-all``."""
    return range(whole if WHOLE_CAMPAIGN else sample)


collect_ignore = ["fault_child.py"]  # run in a process of its own, under a library that makes faults
in_whole_campaign = pytest.mark.skipif(not WHOLE_CAMPAIGN, reason="a part of make test-all")


@pytest.fixture
def toytown(tmp_path):
    """Give a fresh copy of the toy town's study folder."""
    return Path(shutil.copytree(TOYTOWN, tmp_path / "toytown"))


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """Give a browser of the module's own, or skip where there is none."""
    with browser.chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def database():
    """Give a PostgreSQL server of the module's own, or skip where there is none."""
    with postgres.server() as started:
        yield started


@pytest.fixture(scope="session")
def county_run(tmp_path_factory):
    """Give what makes the run of a year of the example: once, whichever process of tests needs it first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "county-runs"
    folder.mkdir(exist_ok=True)

    def made(year):
        with FileLock(folder / "lock"):
            if not (folder / "results" / str(year)).is_dir():
                run_audit(ROOT / "data" / "geo" / "haiyan", year, out=folder / "results")
        return folder / "results" / str(year)

    return made


@pytest.fixture(scope="session")
def shared_data():
    """Give the folder of real inputs beside the repository, or skip with the reason."""
    folder = Path(os.environ.get("LIFECIRCLE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real inputs are not beside the repository (set LIFECIRCLE_SHARED_DATA)")
    return folder


def edit(path, old, new):
    """Replace a text that must be there in a file."""
    text = path.read_text("utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new), "utf-8")
