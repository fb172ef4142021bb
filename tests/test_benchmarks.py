"""The benchmark suite runs: its smallest part, without the peers, as a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import atlas_page, cities, cost_model

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
        ("repair", "2 k, drive"),
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
    assert len(asked) == len(set(asked)) == 12
    for row in results["siting"]["rows"]:
        sign = -1 if row["question"].startswith("fewest") else 1
        assert sign * row["bound"] >= sign * row["value"] - 1e-9
        assert f"| {row['instance']} | {row['question']} |" in page


# ---------------------------------------------------------------------------------------------------------
# The section on the map page


def page_results(**figures):
    page = {"page": "lifecircle", "county": "30 k cells", "holds": "all", "rounds": 3, **figures}
    return {"machine": {"cores": "2"}, "pages": [page], "took_s": 600.0}


def test_the_map_pages_section_says_what_holds_and_what_is_not_there_yet():
    told = atlas_page.section(page_results(file_mb=1.5, interactive_ms=1200.0, what_if_ms=None))
    assert "| 30 k cells: file | <= 2 MB | 1.5 MB | holds |" in told
    assert "| 30 k cells: interactive | <= 1000 ms | 1,200 ms | does not hold |" in told
    assert "| 30 k cells: what-if p95 | <= 100 ms | not there yet |  |" in told
    assert "200 k cells" not in told


def test_either_command_keeps_the_others_section(tmp_path):
    path = tmp_path / "performance.md"
    path.write_text("# Performance\n\nraces\n", "utf-8")
    for figure in (1.5, 1.7):
        atlas_page.write_section(page_results(file_mb=figure), path)
    text = path.read_text("utf-8")
    assert text.startswith("# Performance\n\nraces\n\n<!--")
    assert text.count(atlas_page.START) == 1
    assert "1.7 MB" in text
    assert "1.5 MB" not in text
    assert atlas_page.kept_section(path) == atlas_page.section(page_results(file_mb=1.7))
    assert atlas_page.without_section(text) == "# Performance\n\nraces\n\n"


@pytest.mark.parametrize("task", ["graph", "roads", "made"])
def test_what_a_region_costs_is_measured_at_any_size(task):
    command = [sys.executable, "-m", "benchmarks.scale", task, "3000"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = json.loads(told)
    assert found["task"] == task
    assert 2500 < found["junctions"] <= 3000
    assert found["peak_mb"] > 0
    if task == "graph":
        assert found["agrees_with_scipy"]
        assert found["reached"] == 1.0
    if task == "roads":
        assert 0 < found["part_edges"] <= found["edges"]


def test_the_page_on_scale_is_that_of_its_points():
    points = json.loads(cost_model.POINTS.read_text("utf-8"))
    assert cost_model.section(points) in cost_model.PAGE.read_text("utf-8")


def test_a_line_is_fitted_to_what_follows_one():
    line = cost_model.fit_line([1.0, 3.0, 10.0], [7.0, 11.0, 25.0])
    assert (line.start, line.per) == pytest.approx((5.0, 2.0))
    through_nothing = cost_model.fit_line([1.0, 2.0], [1.0, 4.0])  # a start below 0 is none
    assert through_nothing.start == 0.0


def test_a_public_city_is_read_by_its_publishers_formula(tmp_path):
    rng = np.random.default_rng(3)
    degrees = np.column_stack([rng.uniform(40.79, 40.82, 60), rng.uniform(-73.93, -73.88, 60)])
    lines = [f"{lat:.7f}\t{lon:.7f}\t{people}" for people, (lat, lon) in enumerate(degrees, start=1)]
    path = tmp_path / "town.txt"
    path.write_text("\n".join(["60\t9999\tp\tS ", *lines]), "utf-8")
    instance = cities.read_city(path, 600.0)
    lat, lon = np.radians(np.round(degrees, 7)).T
    cosine = np.cos(lat)[:, None] * np.cos(lat) * np.cos(lon[:, None] - lon)
    metres = 6_378_100 * np.arccos(np.clip(cosine + np.sin(lat)[:, None] * np.sin(lat), -1, 1))
    np.fill_diagonal(metres, 0.0)
    found = np.zeros((60, 60), dtype=bool)
    found[instance.metres.tocoo().row, instance.metres.tocoo().col] = True
    assert (found == (metres <= 600)).all()
    assert instance.people.tolist() == list(range(1, 61))
    each = [[a, b] for a in range(60) for b in range(a)]
    best = max(instance.people[found[:, pair].any(axis=1)].sum() for pair in each)
    (row,) = cities.race_city(instance, {2: best}, 5.0)["rows"]
    assert (row["value"], row["bound"]) == (best, best)
