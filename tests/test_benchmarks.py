"""The benchmark suite runs: its smallest part, without the peers, as a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def smallest(tmp_path_factory):
    pytest.importorskip("numba", reason="the compiled yardsticks need the extra fast")
    out = tmp_path_factory.mktemp("performance")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--alone", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((out / "results.json").read_text("utf-8")), (out / "performance.md").read_text("utf-8")


def test_every_question_is_raced(smallest):
    results, _ = smallest
    asked = {(race["task"], race["network"]) for race in results["races"]}
    assert asked == {
        ("nearest", "2 k, drive"),
        ("nearest", "2 k, walk"),
        ("within", "2 k, drive"),
        ("within", "2 k, walk"),
        ("nearest_k", "2 k, drive"),
        ("best for scipy", "2 k, drive"),
        ("snap", "0.2 k to 1 k"),
    }


def test_every_answer_equals_the_reference(smallest):
    results, _ = smallest
    for race in results["races"]:
        for timing in race["timings"]:
            assert timing["agreement"]["kind"] in {"exact", "bound"}, (race["title"], timing)


def test_every_contestant_ran_every_round(smallest):
    results, _ = smallest
    rounds = {len(timing["rounds_s"]) for race in results["races"] for timing in race["timings"]}
    assert rounds == {2}


def test_the_network_is_road_like(smallest):
    results, _ = smallest
    (network,) = results["networks"]
    assert 1_600 < network["junctions"] < 2_100
    assert 2.4 < network["edges_per_junction"] < 2.8
    assert network["edges"]["drive"] < network["edges"]["walk"]


def test_the_page_has_a_row_for_every_contestant_and_no_path(smallest):
    results, page = smallest
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for race in results["races"]:
        assert f"### {race['network']}: {race['title']}" in page
        for timing in race["timings"]:
            assert any(timing["settings"] in row for row in rows), timing["name"]
    assert not re.search(r"/(home|root|tmp|work|Users)/", page)


def test_every_choice_of_sites_is_bounded(smallest):
    results, page = smallest
    asked = [(row["instance"], row["question"]) for row in results["siting"]["rows"]]
    assert len(asked) == len(set(asked)) == 9
    for row in results["siting"]["rows"]:
        sign = -1 if row["question"].startswith("fewest") else 1
        assert sign * row["bound"] >= sign * row["value"] - 1e-9
        assert f"| {row['instance']} | {row['question']} |" in page
