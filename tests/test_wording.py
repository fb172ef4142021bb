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


TOLD_BY = {"Fault": (3, 4), "Conflict": (2, 3), "_Fault": (3, 4)}
ROOMS = (
    "tables/_schema.py",
    "tables/_rejects.py",
    "facilities",
    "demand",
    "candidates.py",
    "datum/_located.py",
    "audit/_auto_datum.py",
    "standards",
    "study.py",
    "indicators.py",
)


def plain_parts(node):
    """Yield the texts of an expression that stand in it plainly, and not in a message."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
        return
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        if not isinstance(node, ast.Constant) or node.value:
            yield ast.unparse(node)
        return
    inner = (node.body, node.orelse) if isinstance(node, ast.IfExp) else ast.iter_child_nodes(node)
    for child in inner if not isinstance(node, (ast.Subscript, ast.Compare)) else ():
        yield from plain_parts(child)


def told(path):
    """Every reason and remedy that a file gives to a fault, a conflict or reject rows; and what is raised."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        parts = [node.args[at] for at in TOLD_BY.get(name, ()) if at < len(node.args)]
        if name == "reject_rows":
            parts = [word.value for word in node.keywords if word.arg in {"reason", "remedy"}]
        if isinstance(node, ast.Assign) and {"reason", "remedy"} & {
            getattr(target, "id", "") for target in node.targets
        }:
            parts = [node.value]
        for part in parts:
            yield from (f"{path.name}:{node.lineno}: {text}" for text in plain_parts(part))


def test_the_rooms_that_read_inputs_say_their_faults_as_messages():
    package = ROOT / "coverage/lifecircle"
    files = [
        path
        for room in ROOMS
        for path in ([package / room] if room.endswith(".py") else (package / room).glob("*.py"))
    ]
    assert len(files) > len(ROOMS)
    assert [text for path in files for text in told(path)] == []


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
