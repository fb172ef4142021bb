"""The notebook of the documentation: run from top to bottom, shown offline, nothing of a machine in it."""

import json
import re
import subprocess
import sys

import pytest

from conftest import ROOT, in_whole_campaign

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def cells():
    return json.loads(NOTEBOOK.read_text("utf-8"))["cells"]


def outputs():
    return [output for cell in cells() for output in cell.get("outputs", [])]


def test_every_cell_was_run_in_order_and_none_failed():
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert len(code) >= 8
    assert {output["output_type"] for output in outputs()} <= {"stream", "execute_result", "display_data"}


def test_it_is_small_and_shows_its_maps_offline():
    assert NOTEBOOK.stat().st_size <= 1_500_000
    kinds = [kind for output in outputs() for kind in output.get("data", {})]
    assert "image/png" in kinds
    pages = ["".join(one["data"]["text/html"]) for one in outputs() if "text/html" in one.get("data", {})]
    page = max(pages, key=len)
    assert "leaflet" in page.lower()
    # Nothing is fetched: no script, style or picture by address.
    assert not re.search(r"(?:src|href)=(?:&quot;|\")https?://[^&\"]*\.(?:js|css|png)", page)


def test_nothing_of_a_machine_stands_in_it():
    text = NOTEBOOK.read_text("utf-8")
    assert not re.search(r"/(?:home|root|tmp|work|Users)/", text)
    assert " at 0x" not in text
    assert "notebook.ipynb" in (ROOT / "docs" / "interchange.md").read_text("utf-8")


@in_whole_campaign
def test_it_shows_the_same_when_it_is_run_again():
    pytest.importorskip("nbclient", reason="runs notebooks")
    pytest.importorskip("ipykernel", reason="runs notebooks")
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "run_notebook.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
