"""Every picture of the docs is shown somewhere and made by a command that is named."""

from __future__ import annotations

import pytest

from conftest import ROOT

PICTURES = sorted([*(ROOT / "docs" / "pictures").iterdir(), *(ROOT / "maps").iterdir()])
BY_HAND = {"form-facilities.png", "form-figures.png", "form-guide.png"}
"""Sheets of a spreadsheet that a person filled in: no command fills them in."""


def texts(*patterns: str) -> str:
    return "\n".join(path.read_text("utf-8") for pattern in patterns for path in sorted(ROOT.glob(pattern)))


@pytest.mark.parametrize("name", [path.name for path in PICTURES])
def test_every_picture_is_made_by_a_command_and_shown(name):
    stem, ending = name.rsplit(".", 1)
    parts = stem.split("-")
    begins = ["-".join(parts[:at]) for at in range(1, len(parts))]
    shown = texts("docs/*.md", "README*.md")
    assert name in shown or any(f"{begin}-*.{ending}" in shown for begin in begins), "no page shows it"
    makers = texts("tools/*.py", "benchmarks/*.py", "Makefile")
    named = any(f"{begin}-{{" in makers for begin in begins)  # as in f"haiyan-{language}.png"
    assert name in makers or stem in makers or named or name in BY_HAND, "no command makes it"
