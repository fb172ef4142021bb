"""Readers and whole commands on mutated inputs: a sample here, all of them under ``make test-all``.

``tests/fuzzing.py`` mutates, ``tests/fuzz_oracle.py`` runs and judges. A failure prints how to repeat it.
"""

import contextlib
import random
import shutil
from pathlib import Path

import pytest

import fuzz_oracle
import fuzz_town
from conftest import seeds
from fuzzing import TABLE_FORMATS, write_table

READERS, COMMANDS, BATCH = 8000, 2000, 25
"""Cases of the whole campaign, and how many make one test; a twentieth of them is the sample."""

MOST_MB = 1000


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Make the valid town once: its study, a run, a plan, a pbf and a cache."""
    return fuzz_oracle.make_town(tmp_path_factory.mktemp("fuzz"))


def _memory_mb(kind):
    """Give the memory this process holds (VmRSS) or has held at most since that was forgotten (VmHWM)."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    line = next(one for one in status.read_text().splitlines() if one.startswith(kind))
    return int(line.split()[1]) / 1e3


@pytest.fixture(autouse=True)
def _forgotten_peak():
    """Forget the peak of what ran before in this process."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _fails(run, first, tmp_path, town):
    outcomes, held = [], _memory_mb("VmRSS")  # what other tests have left here is not counted
    for seed in range(first * BATCH, (first + 1) * BATCH):
        folder = tmp_path / str(seed)
        folder.mkdir()
        outcomes.append(run(seed, folder, town))
        shutil.rmtree(folder)
    assert _memory_mb("VmHWM") - held < MOST_MB
    return [f"\n{one}\nat {one.frame}" for one in outcomes if one.problems]


@pytest.mark.parametrize("batch", seeds(READERS // 20 // BATCH, whole=READERS // BATCH))
def test_a_reader_gives_a_result_or_an_error_of_its_own(batch, tmp_path, town):
    assert not _fails(fuzz_oracle.run_reader, batch, tmp_path, town)


@pytest.mark.parametrize("batch", seeds(COMMANDS // 80 // BATCH, whole=COMMANDS // BATCH))
def test_a_command_ends_in_order(batch, tmp_path, town):
    assert not _fails(fuzz_oracle.run_whole_command, batch, tmp_path, town)


@pytest.mark.parametrize("role", sorted(fuzz_oracle.TABLES))
def test_what_is_not_mutated_is_read(role, tmp_path):
    """The fuzzer starts from valid tables: were they refused, it would look at nothing but refusals."""
    draft = fuzz_town.draft(role)
    for suffix in TABLE_FORMATS:
        if draft.shapes is None and suffix in {"gpkg", "shp"}:
            continue
        path = tmp_path / f"{role}.{suffix}"
        write_table(draft.copy(), path, _NoExtras(0))
        if draft.shapes is not None and suffix in {"csv", "xlsx"} and role != "roads":
            continue  # a point or polygon as text is not read
        if suffix == "shp" and (role == "changes_shapes" or any(len(name) > 10 for name in draft.names)):
            continue  # a shapefile cuts names, and holds one kind of shape
        if role in {"roads", "edges", "barriers"} and suffix == "xlsx":
            continue  # no office keeps its roads in a workbook
        if role == "edges" and suffix not in {"csv", "parquet"}:
            continue
        if role == "changes" and suffix == "geojson":
            continue  # a closure has no place
        if suffix == "gdb" and draft.shapes is not None and len({one.geom_type for one in draft.shapes}) > 1:
            continue  # a layer there has one kind of geometry
        fuzz_oracle.TABLES[role](path, _NoExtras(0))


class _NoExtras(random.Random):
    """Draws the first of every choice, and nothing that happens seldom."""

    def choice(self, seq):
        return seq[0]

    def random(self):
        return 0.99


def test_the_same_seed_is_the_same_case(tmp_path, town):
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
    first, second = (fuzz_oracle.run_reader(7, tmp_path / str(number), town) for number in (1, 2))
    assert first.steps == second.steps
    assert first.name == second.name
