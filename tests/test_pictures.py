"""Every picture of the docs is shown somewhere and made by a command that is named."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT

PICTURES = sorted([*(ROOT / "docs" / "pictures").iterdir(), *(ROOT / "maps").iterdir()])
BY_HAND = {"form-facilities.png", "form-figures.png", "form-guide.png"}
"""Sheets of a spreadsheet that a person filled in: no command fills them in."""


def texts(*patterns: str) -> str:
    return "\n".join(path.read_text("utf-8") for pattern in patterns for path in sorted(ROOT.glob(pattern)))


@pytest.mark.parametrize("name", [path.name for path in PICTURES])
def test_every_picture_is_made_by_a_command_and_shown(name):
    shown = texts("docs/*.md", "README*.md")
    assert name in shown or re.sub(r"-[^-.]+\.", "-*.", name) in shown, "no page of the docs shows it"
    makers = texts("tools/*.py", "benchmarks/*.py", "Makefile")
    stem = name.rsplit(".", 1)[0]
    parts = stem.split("-")
    named = any(
        f"{'-'.join(parts[:at])}-{{" in makers and f"{'-'.join(parts[:at])}-" in makers
        for at in range(1, len(parts))
    )
    assert name in makers or stem in makers or named or name in BY_HAND, "no command makes it"
