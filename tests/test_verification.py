"""Verifying a run: nothing is found untouched, and one byte of anything is named."""

import json

import pytest

from conftest import edit
from lifecircle.audit import run_audit
from lifecircle.errors import MissingFileError, UnusableInputError
from lifecircle.findings import CHECKSUMS, RUN, seal
from lifecircle.ledger import EVIDENCE
from lifecircle.verification import verify_run


@pytest.fixture
def run(toytown, tmp_path):
    """Give the folder of a run of the toy town."""
    run_audit(toytown, 2025, out=tmp_path / "results")
    return tmp_path / "results" / "2025"


def test_an_untouched_run_holds(run):
    found = verify_run(run)
    assert found.holds
    assert found.lines() == ["verified: files, inputs, method and a second computation agree"]


@pytest.mark.parametrize("name", [name for name in RUN.files if name not in {CHECKSUMS, EVIDENCE}])
def test_one_byte_of_a_result(run, name):
    content = bytearray((run / name).read_bytes())
    content[-1] ^= 1
    (run / name).write_bytes(content)
    assert f"file_changed:{name}" in verify_run(run).codes


@pytest.mark.parametrize("name", ["residents.csv", "facilities.csv", "roads.geojson"])
def test_one_byte_of_an_input(toytown, run, name):
    with (toytown / name).open("ab") as file:
        file.write(b"\n")
    assert verify_run(run).codes == (f"input_changed:{name}",)


def test_an_input_that_is_gone(toytown, run):
    (toytown / "facilities.csv").unlink()
    codes = verify_run(run).codes
    assert codes[0].startswith(("input_missing", "not_computed_again"))
    assert "facilities.csv" in " ".join(codes)


def test_study_and_standard(toytown, run):
    edit(toytown / "standard.toml", "goal = 0.25", "goal = 0.3")
    edit(toytown / "study.toml", "synthetic = true", "synthetic = true  # a remark")
    codes = verify_run(run).codes
    assert {code.partition(":")[0] for code in codes} == {"study_changed", "standard_changed"}


def test_evidence_edited_by_hand_with_its_checksum(run):
    """Whoever writes the checksums again is found by the register beside the run."""
    plain = json.loads((run / EVIDENCE).read_text("utf-8"))
    plain["software"] = "9.9"
    (run / EVIDENCE).write_text(json.dumps(plain), "utf-8")
    assert f"file_changed:{EVIDENCE}" in verify_run(run).codes
    seal(run)
    codes = verify_run(run).codes
    assert "register_knows_not" in codes
    assert any(code.startswith("software_changed:9.9") for code in codes)


def test_a_result_that_does_not_follow(run):
    """With checksums and register out of the way, computing it again still finds the file."""
    edit(run / "gaps.csv", "culture", "cultura")
    seal(run)
    (run.parent / "ledger.sqlite").unlink()
    assert verify_run(run).codes == ("result_differs:gaps.csv",)


def test_another_version_of_the_method(run, monkeypatch):
    monkeypatch.setattr("lifecircle.verification.METHOD_VERSION", "2099.1")
    assert verify_run(run).codes == ("method_changed:2026.1|2099.1",)


def test_a_damaged_register_is_named_and_left(run):
    (run.parent / "ledger.sqlite").write_bytes(b"x" * 5000)
    assert verify_run(run).codes == ("register_damaged",)
    assert (run.parent / "ledger.sqlite").read_bytes() == b"x" * 5000


def test_no_evidence_no_study(run, toytown, tmp_path):
    toytown.rename(tmp_path / "elsewhere")
    with pytest.raises(UnusableInputError, match="--study"):
        verify_run(run)
    assert verify_run(run, tmp_path / "elsewhere").holds
    (run / EVIDENCE).unlink()
    with pytest.raises(MissingFileError):
        verify_run(run, tmp_path / "elsewhere")
