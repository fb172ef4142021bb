"""Questions put to the page's own modules, run under Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lifecircle.page_data import encoded

ASK = Path(__file__).parent / "page" / "ask.js"


def node() -> str:
    """Find Node, or skip; fail where the run demands everything optional."""
    found = shutil.which("node")
    if found:
        return found
    reason = "node is not installed, so the page's modules cannot be run alone"
    if os.environ.get("LIFECIRCLE_REQUIRE_OPTIONAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def ask(folder: Path, raw: bytes, questions: list[dict[str, Any]]) -> list[Any]:
    """Put questions to the page's modules over a container."""
    data, asked = folder / "data.txt", folder / "questions.json"
    data.write_text(encoded(raw), encoding="ascii")
    asked.write_text(json.dumps(questions), encoding="utf-8")
    ran = subprocess.run(
        [node(), str(ASK), str(data), str(asked)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
