"""Spot checks: the sample's chances, the way to walk, what comes back, and an interval that holds."""

import numpy as np
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from lifecircle.audit import prepare, run_audit
from lifecircle.cli import cli
from lifecircle.errors import UnusableInputError
from lifecircle.spot_check import (
    FOLDER,
    STRATA,
    Sample,
    allocate,
    draw_sample,
    estimate,
    read_results,
    read_sample,
    spot_check_study,
    strata_of,
    trace_paths,
)
from lifecircle.study import read_study
from lifecircle.wording import word


@pytest.fixture
def toy(toytown):
    return run_audit(toytown, out=toytown / "results")


def test_the_border_is_inclusive_on_both_sides():
    seconds = np.array([839.9, 840.0, 900.0, 960.0, 960.1, np.nan])
    covered = np.array([True, True, True, False, False, False])
    found = strata_of(seconds, covered, 900.0).tolist()
    assert found == ["covered", "borderline", "borderline", "borderline", "uncovered", "uncovered"]


def test_the_toy_town_is_drawn_whole_and_adds_up(toy):
    sample = draw_sample(toy, "reading", size=50)
    assert sample.points["people"].sum() + sample.left_out == toy.result("reading").count.people
    assert set(sample.points["probability"]) == {1.0}
    assert sample.points.loc["r3", "stratum"] == "borderline"  # 15 minutes exactly
    assert sample.covered == toy.result("reading").count.covered
    # All are checked: the estimate is exact, and its interval has no width.
    truth = sample.points["covered"].astype(bool).copy()
    truth["r3"] = False
    found = estimate(sample, truth)
    assert found.corrected == pytest.approx((sample.covered - 40) / sample.people)
    assert found.low == pytest.approx(found.corrected) == pytest.approx(found.high)
    assert found.wrong["borderline"] == (0, 1)


def test_a_seed_gives_the_same_sample_and_another_one_another(toy):
    one, two = (draw_sample(toy, "reading", size=4, seed=seed).points for seed in (1, 1))
    pd.testing.assert_frame_equal(one, two)
    drawn = {tuple(draw_sample(toy, "reading", size=4, seed=seed).points.index) for seed in range(20)}
    assert len(drawn) > 1


def test_the_chance_recorded_is_the_chance_of_being_drawn(toy):
    counts = pd.Series(0.0, index=toy.demand.index)
    chance = {}
    for seed in range(400):
        points = draw_sample(toy, "reading", size=4, seed=seed).points
        counts[points.index] += 1
        chance |= points["probability"].to_dict()
    for label, probability in chance.items():
        assert counts[label] / 400 == pytest.approx(probability, abs=0.08), label


def test_shares_never_exceed_a_stratum():
    assert allocate({"borderline": 100, "covered": 100, "uncovered": 100}, 3) == dict.fromkeys(STRATA, 1)
    assert sum(allocate({"borderline": 7, "covered": 900, "uncovered": 30}, 100).values()) == 100
    assert allocate({"borderline": 1, "covered": 1, "uncovered": 1}, 100) == dict.fromkeys(STRATA, 1)


# ---------------------------------------------------------------------------------------------------------
# The way


@pytest.mark.parametrize("target", ["reading", "culture", "health"])
def test_a_way_takes_the_seconds_that_the_audit_found(toytown, toy, target):
    sample = draw_sample(toy, target, size=50)
    inputs = prepare(read_study(toytown))
    paths = trace_paths(sample, inputs, inputs.networks["walk"])
    timed = sample.points["minutes"].dropna()
    assert set(paths) == set(timed.index)
    for label, minutes in timed.items():
        assert paths[label].seconds / 60 == pytest.approx(minutes), label
        walked = paths[label].line.length + sum(paths[label].legs_m)
        assert walked / (5 / 3.6) == pytest.approx(paths[label].seconds)
        assert sum(metres for _, metres in paths[label].turns) == pytest.approx(paths[label].line.length)


def test_the_turns_of_a_way_counted_by_hand(toytown, toy):
    sample = draw_sample(toy, "reading", size=50)
    inputs = prepare(read_study(toytown))
    paths = trace_paths(sample, inputs, inputs.networks["walk"])
    assert [(side, round(metres)) for side, metres in paths["r4"].turns] == [("south", 1000), ("west", 1000)]
    assert [(side, round(metres)) for side, metres in paths["r1"].turns] == [("east", 1000)]


# ---------------------------------------------------------------------------------------------------------
# What comes back


@pytest.fixture
def handed_out(toytown, toy):
    assert toy.year == 2025
    sample, folder = spot_check_study(toytown, "reading", size=50)
    return sample, folder / "spot-check.xlsx"


def fill(path, answers):
    """Fill the list in: id -> (minutes, yes or no)."""
    book = openpyxl.load_workbook(path)
    sheet = book[word("sheet", "spot_list", "en")]
    heads = {cell.value: cell.column for cell in sheet[3]}
    rows = {sheet.cell(row, 1).value: row for row in range(4, sheet.max_row + 1)}
    for label, (minutes, reached) in answers.items():
        row = rows.get(label, sheet.max_row + 1)
        sheet.cell(row, 1, label)
        sheet.cell(row, heads["actual minutes"], minutes)
        sheet.cell(row, heads["can be reached"], reached)
    book.save(path)


def test_a_sample_is_read_back_as_it_was(handed_out):
    sample, path = handed_out
    again = read_sample(path.parent)
    pd.testing.assert_frame_equal(again.points, sample.points, check_dtype=False)
    assert (again.seed, again.people, again.sizes) == (sample.seed, sample.people, sample.sizes)
    assert {one.name for one in path.parent.iterdir()} == set(FOLDER.files)
    book = openpyxl.load_workbook(path)
    assert len(book.sheetnames) == len(sample.points) + 1


def test_minutes_are_judged_by_the_limit_inclusive(handed_out):
    sample, path = handed_out
    answers = {
        "r1": (15, "yes"),
        "r2": (15.1, None),
        "r3": (16, "是"),
        "r5": (None, "no"),
        "r4": (10, "yes"),
        "r6": (None, "否"),
    }
    fill(path, answers)
    found = read_results(path, sample)
    assert found.to_dict() == {"r1": True, "r2": False, "r3": False, "r5": False, "r4": True, "r6": False}


def test_every_fault_of_a_sheet_comes_at_once(handed_out):
    sample, path = handed_out
    fill(
        path,
        {
            "r1": ("soon", "yes"),
            "r2": (-1, "yes"),
            "r3": (None, "yes"),
            "r4": (3, "perhaps"),
            "r99": (3, "yes"),
        },
    )
    with pytest.raises(UnusableInputError) as caught:
        read_results(path, sample)
    text = "\n".join(map(str, caught.value.faults))
    assert len(caught.value.faults) == 5
    for part in (
        "no minutes (found: soon)",
        "no minutes (found: -1)",
        "without minutes",
        "neither yes nor no",
        "no resident of this sample (found: r99)",
    ):
        assert part in text
    assert text.count("spot-check.xlsx, row ") == 5


def test_a_stratum_that_nobody_looked_at_is_a_fault(handed_out):
    sample, path = handed_out
    with pytest.raises(UnusableInputError, match="0 residents of '临界' were checked"):
        read_results(path, sample)


def test_a_target_without_minutes_and_an_unknown_one_are_refused(toy):
    with pytest.raises(UnusableInputError, match="no circle of this id"):
        draw_sample(toy, "readin", size=10)
    with pytest.raises(UnusableInputError, match="too few to check"):
        draw_sample(toy, "reading", size=2)


@pytest.mark.usefixtures("toy")
def test_the_command_draws_and_estimates(toytown):
    asked = ["spot-check", str(toytown), "--target", "reading"]
    drawn = CliRunner().invoke(cli, [*asked, "--size", "50"])
    assert drawn.exit_code == 0, drawn.output
    path = toytown / "results/2025-spot-check-reading" / "spot-check.xlsx"
    fill(
        path,
        {
            "r1": (12, "yes"),
            "r2": (6, "yes"),
            "r3": (16, "yes"),
            "r4": (24, "yes"),
            "r5": (3, "yes"),
            "r6": (None, "no"),
        },
    )
    done = CliRunner().invoke(cli, [*asked, "--filled", str(path)])
    assert done.exit_code == 0, done.output
    assert "computed coverage 78.1 %; corrected by the spot check 63.6 %" in done.output
    neither = CliRunner().invoke(cli, asked)
    assert neither.exit_code == 2
    assert "give --size" in neither.output


# ---------------------------------------------------------------------------------------------------------
# The interval


def town(rng, size=4000):
    """Make a town of residents with computed and true cover: wrong most often at the border."""
    people = rng.integers(1, 120, size).astype(float)
    minutes = rng.gamma(4.0, 3.0, size)
    covered = minutes <= 15
    stratum = strata_of(minutes * 60, covered, 900.0)
    chance = np.select([stratum == "borderline", covered], [0.35, 0.08], 0.12)
    truth = np.where(rng.random(size) < chance, ~covered, covered)
    return people, minutes, covered, stratum, truth


def drawn_from(world, size, rng):
    people, minutes, covered, stratum, _ = world
    frame = {name: np.flatnonzero(stratum == name) for name in STRATA}
    sizes = {name: len(rows) for name, rows in frame.items()}
    number = allocate(sizes, size)
    at = np.concatenate([rng.choice(frame[name], number[name], replace=False) for name in STRATA])
    points = pd.DataFrame(
        {
            "stratum": stratum[at],
            "probability": [number[name] / sizes[name] for name in stratum[at]],
            "people": people[at],
            "minutes": minutes[at],
            "covered": covered[at],
            "venue": "",
        },
        index=at.astype(str),
    )
    return Sample("town", 2025, "t", "", 0, 15.0, people.sum(), people[covered].sum(), sizes, points, 0.0), at


ROUNDS = 600
TOLERANCE = 0.027
"""Three standard errors of a share of 95 % in 600 rounds."""


@pytest.mark.parametrize("size", [200, 100])
def test_the_interval_covers_the_truth_in_95_of_100_field_checks(size):
    """Simulate field checks of a town, seeded: the truth is in 95 % +- 2.7 points of the intervals."""
    rng = np.random.default_rng(20260301)
    world = town(rng)
    people, truth = world[0], world[4]
    share = people[truth].sum() / people.sum()
    hits, errors = 0, []
    for _ in range(ROUNDS):
        sample, at = drawn_from(world, size, rng)
        found = estimate(sample, pd.Series(truth[at], index=at.astype(str)))
        hits += found.low <= share <= found.high
        errors.append(found.corrected - share)
    assert hits / ROUNDS == pytest.approx(0.95, abs=TOLERANCE)
    # No bias: the mean error is within three of its own standard errors.
    assert abs(np.mean(errors)) <= 3 * np.std(errors) / np.sqrt(ROUNDS)


def test_nobody_found_wrong_is_not_certainty():
    rng = np.random.default_rng(3)
    world = town(rng)
    sample, at = drawn_from(world, 60, rng)
    found = estimate(sample, pd.Series(world[2][at], index=at.astype(str)))
    assert found.corrected == pytest.approx(found.computed)
    assert found.high - found.low > 0.02


def test_who_was_not_checked_is_counted_and_a_stratum_without_two_is_refused():
    rng = np.random.default_rng(4)
    world = town(rng)
    sample, at = drawn_from(world, 60, rng)
    answers = pd.Series(world[4][at], index=at.astype(str))
    assert estimate(sample, answers.iloc[:-10]).missing == 10
    with pytest.raises(ValueError, match="2 are needed"):
        estimate(sample, answers[sample.points["stratum"] == "covered"])
