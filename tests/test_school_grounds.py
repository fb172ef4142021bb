"""Grounds of schools opened to the public: the verdict counts them, the rate without stands beside."""

import json

import pytest

from commands import run as lifecircle
from lifecircle.audit import run_audit
from lifecircle.findings import as_circle
from lifecircle.publication import public_findings


@pytest.fixture
def school(toytown):
    """Give the toy town where the library is the ground of a school, and a public one stands far east."""
    rows = (toytown / "facilities.csv").read_text("utf-8").splitlines()
    rows = [
        rows[0] + ",school_ground,open_to_public",
        rows[1] + ",是,是",
        *(row + ",," for row in rows[2:]),
        "L2,Library of the far east,library,502000,3378000,2010,,否,是",
        "L3,Closed school,library,500000,3377000,2010,,是,否",
    ]
    (toytown / "facilities.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return toytown


def reading(findings):
    return next(one for one in findings.targets if one.target.id == "reading")


def test_both_rates_are_counted_by_hand(school):
    findings = run_audit(school)
    result = as_circle(reading(findings))
    people = findings.people["reading"].sum()
    # With the school: 15 minutes are 1,250 m. r1 (1000 m), r2 (500), r3 (1250), r5 (280); r4 by the other.
    assert result.value == pytest.approx((100 + 50 + 40 + 25 + 30) / people)
    # Without it: r4 alone, 0 m from the far library.
    assert result.variants["without_school_grounds"] == pytest.approx(30 / people)
    # a ground that is not opened serves nobody
    assert "L3" not in findings.facilities.index


def test_they_stand_beside_the_verdict_in_all_that_people_read(school, tmp_path):
    done = lifecircle("audit", school, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if "school grounds" in line)
    assert "with the school grounds opened to the public" in line
    assert line.startswith("15-minute reading circle: ")
    summary = json.loads((tmp_path / "out" / "2025" / "summary.json").read_text("utf-8"))
    target = next(one for one in summary["targets"] if one["id"] == "reading")
    assert target["variants"]["without_school_grounds"] < target["value"]
    text = (tmp_path / "out" / "2025" / "scoreboard.csv").read_text("utf-8-sig")
    assert "school grounds opened to the public" in text


def test_without_such_grounds_nothing_is_said(toytown):
    findings = run_audit(toytown)
    assert all("without_school_grounds" not in as_circle(one).variants for one in findings.targets)


def test_the_public_edition_keeps_it_back(school):
    """Two rates of one target give away the few people whom the school alone covers."""
    findings = run_audit(school)
    (public,) = public_findings([findings])
    assert as_circle(reading(public)).variants == {}


def test_an_unknown_flag_counts_as_no_school(toytown):
    text = (toytown / "facilities.csv").read_text("utf-8").splitlines()
    rows = [text[0] + ",学校场地", *(row + "," for row in text[1:])]
    (toytown / "facilities.csv").write_text("\n".join(rows) + "\n", "utf-8")
    assert "without_school_grounds" not in as_circle(reading(run_audit(toytown))).variants
