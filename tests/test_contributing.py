"""CONTRIBUTING.md: its floors are those of the layout test, and every file it names is there."""

import re
from pathlib import Path

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


def test_ten_changes_name_where_to_begin():
    assert len(CHANGES) == 10
    for change in CHANGES:
        title, _, steps = change.partition("\n")
        first = steps.split("\n2. ")[0]
        assert files_named(first), title
        assert "tests/" in steps or "a test" in steps or "The tests" in steps, title
