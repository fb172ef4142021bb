"""CONTRIBUTING.md: its floors are true, every file it names is there, and docstrings begin as it asks."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import lifecircle
from test_layout import FLOORS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "coverage" / "lifecircle"
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
CHANGES = re.split(r"^### ", TEXT.split("## Where does a change go")[1], flags=re.MULTILINE)[1:]


def files_named(text):
    """List the paths between backquotes: what ends like a file or a folder."""
    found = re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|toml|md|js)|(?:\w+/)+\w*)`", text)
    return [name for name in found if name != "study.toml"]


def where(name):
    """Return the places that a named file may stand at."""
    return [ROOT / name, PACKAGE / name]


def test_the_floors_are_those_of_the_layout_test():
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", TEXT, flags=re.MULTILINE)
    assert {room: int(floor) for floor, room, _ in rows} == FLOORS
    assert len(rows) == len(FLOORS)
    assert [int(floor) for floor, _, _ in rows] == sorted(FLOORS.values())
    assert all(owns.strip() for _, _, owns in rows)


def test_every_file_that_is_named_is_there():
    names = files_named(TEXT)
    assert len(names) > 50
    assert not [name for name in names if not any(path.exists() for path in where(name))]


def test_the_changes_name_where_to_begin():
    assert len(CHANGES) == 11
    for change in CHANGES:
        title, _, steps = change.partition("\n")
        first = steps.split("\n2. ")[0]
        assert files_named(first), title
        assert "tests/" in steps or "a test" in steps or "The tests" in steps, title


PLAIN_ROOMS = (
    *("candidates", "cells", "compiled", "datum", "demand", "errors", "facilities", "files", "headings"),
    *("hours", "indicators", "limits", "measures", "reach", "reading", "roads", "siting", "standards"),
    *("study", "tables", "wording", "forms", "new_study"),
)
"""Rooms whose texts are in plain English; add a room here once its texts are."""

NOT_PLAIN = {"Own", "Owns", "Tell", "Tells", "Give", "Gives", "Say", "Says"}


def docstrings(source):
    """List (name, docstring) of a module, its classes and its functions, those within others too."""
    tree = ast.parse(source)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    found = [("(module)", ast.get_docstring(tree))]
    found += [(node.name, ast.get_docstring(node)) for node in ast.walk(tree) if isinstance(node, kinds)]
    return [(name, text) for name, text in found if text]


def first_words_not_plain(source):
    """List the names whose docstring begins with a word that CONTRIBUTING.md does not allow."""
    return [name for name, text in docstrings(source) if text.split()[0].strip(".,:;") in NOT_PLAIN]


def test_the_check_of_first_words_finds_each_of_them():
    source = '"""Own all."""\nclass A:\n    """A."""\n    def b(self):\n        """Tell it."""\n'
    source += 'def c():\n    """Give it."""\ndef d():\n    """Return it."""\n'
    assert first_words_not_plain(source) == ["(module)", "c", "b"]


@pytest.mark.parametrize("room", PLAIN_ROOMS)
def test_docstrings_of_plain_rooms_begin_with_a_plain_word(room):
    paths = sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    found = [(path, first_words_not_plain(path.read_text("utf-8"))) for path in paths]
    assert sum(len(docstrings(path.read_text("utf-8"))) for path in paths) > 2 * len(paths) - 1
    assert all(docstrings(path.read_text("utf-8"))[0][0] == "(module)" for path in paths)
    assert not [f"{path.relative_to(PACKAGE)}: {name}" for path, names in found for name in names]


def test_public_functions_have_parameters_and_examples():
    public = [getattr(lifecircle, name) for name in lifecircle.__all__]
    texts = [inspect.getdoc(one) or "" for one in public if inspect.isfunction(one)]
    assert len(texts) > 20
    assert sum("Parameters\n------" in text for text in texts) >= 0.9 * len(texts)
    assert sum(">>> " in text for text in texts) >= 0.7 * len(texts)
