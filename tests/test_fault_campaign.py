"""Faults of the disk on every command that writes: a sample here, all under ``make test-all``.

``fault_campaign.py`` says what a fault is and what must hold after it; run as a program it tries them all and
writes the table of ``docs/reliability.md``.
"""

import random

import pytest

import fault_campaign
from conftest import ROOT, WHOLE_CAMPAIGN, in_whole_campaign
from fault_campaign import DEEDS, SEED, Campaign, damaged, faults_of

SAMPLE = ("audit", "locate", "new --forms")
"""Commands of a sample: a run, a page, a new folder."""


@pytest.fixture(scope="module")
def campaign():
    started = Campaign(tuple(DEEDS) if WHOLE_CAMPAIGN else SAMPLE)
    if started.shim is None:
        started.close()
        pytest.skip("faults of the disk are made by a small C library: there is no compiler here")
    started.start()
    yield started
    started.close()


@in_whole_campaign
@pytest.mark.parametrize("name", list(DEEDS) if WHOLE_CAMPAIGN else SAMPLE)
def test_nothing_is_lost_and_the_next_run_ends_right(campaign, name):
    faults = faults_of(campaign.base(name), None if WHOLE_CAMPAIGN else 1)
    chosen = faults if WHOLE_CAMPAIGN else random.Random(f"{SEED} {name}").sample(faults, 3)
    wrong = [
        trial for trial in (campaign.attempt(name, fault) for fault in chosen) if trial.lost or trial.problems
    ]
    assert not wrong, "\n\n".join(map(str, wrong))


def test_every_command_that_writes_is_tried():
    """A command added to the package is added to the campaign, or said here why not."""
    from lifecircle.cli import cli  # noqa: PLC0415 - after the module's own imports

    tried = {deed.words[0] for deed in DEEDS.values()}
    # batch has tests of its own; demo is audit and atlas on a copy; verify and schema write nothing
    assert set(cli.commands) - tried <= {"batch", "demo", "schema", "verify"}


def test_a_damaged_file_is_damaged_and_the_same_each_time():
    content = bytes(range(256)) * 4
    for seed in range(9):
        assert damaged(content, seed) != content
        assert damaged(content, seed) == damaged(content, seed)


def test_the_page_says_how_to_repeat_what_it_reports():
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    table = text.split(fault_campaign.BEGIN)[1].split(fault_campaign.END)[0]
    assert f"--seed {SEED}" in table
    assert table.count("lost: nothing") == 2
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    assert rows
    assert {row[1].strip(" `") for row in rows} <= set(DEEDS)
    assert {int(row[-2]) for row in rows} == {0}
