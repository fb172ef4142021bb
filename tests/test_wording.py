"""The catalogue: both languages everywhere, and rates that never flatter."""

import ast
import string
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from lifecircle.wording import explain, percent, truncated_percent, word


def catalogue():
    return tomllib.loads((ROOT / "coverage/lifecircle/wording.toml").read_text("utf-8"))


def fields(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def templates():
    """Every text that the package gives to ``say``: (template, where it stands)."""
    for path in sorted((ROOT / "coverage/lifecircle").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say" and node.args:
                yield ast.literal_eval(node.args[0]), f"{path.name}:{node.lineno}"


def test_every_message_has_a_chinese_sentence_with_the_same_fields():
    known = catalogue()["message"]
    assert [f"{where}: {text}" for text, where in templates() if text not in known] == []
    for text, entry in known.items():
        assert fields(entry["zh"]) == fields(text), text


def test_every_entry_has_both_languages():
    for kind, entries in catalogue().items():
        if kind == "message":
            continue
        for name, entry in entries.items():
            assert set(entry) == {"zh", "en"}, f"{kind}.{name}"
            assert entry["zh"].count("{") == entry["en"].count("{"), f"{kind}.{name}"


def test_an_unknown_name_is_shown_as_it_is():
    assert word("group", "students", "zh") == "students"


def test_reasons():
    assert explain("", "zh") == ""
    assert explain("group_missing:under3", "zh") == "居民数据没有该人群：under3"


@pytest.mark.parametrize(
    ("value", "text"), [(0.9996, "99.9 %"), (1.0, "100.0 %"), (0.29, "29.0 %"), (0.0, "0.0 %"), (None, "—")]
)
def test_percent(value, text):
    assert percent(value) == text


@given(st.floats(0, 1))
def test_a_printed_rate_is_never_above_the_rate(value):
    shown = truncated_percent(value)
    assert shown / 100 <= value + 1e-15
    assert value * 100 - shown < 0.1 + 1e-9


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_below_the_goal_never_prints_as_the_goal(covered, more):
    assert percent(covered / (covered + more)) != "100.0 %"
