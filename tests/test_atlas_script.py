"""The page's modules: how they become one script, and their own tests under Node."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import lifecircle.atlas
from atlas_asking import node
from lifecircle.atlas._layers import OLDEST_CHROMIUM
from lifecircle.atlas._script import page_script

PAGE = Path(lifecircle.atlas.__file__).parent / "page"
TESTS = sorted(Path(__file__).parent.glob("page/*.test.js"))


def test_modules_pass_their_own_tests():
    assert TESTS
    ran = subprocess.run(
        [node(), "--test", "--test-reporter=tap", *map(str, TESTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(re.search(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)[1]) >= len(TESTS)


def test_every_module_is_in_the_page_once():
    script = page_script()
    carried = re.findall(r"^const (\w+)_module = ", script, re.MULTILINE)
    modules = sorted(path.stem for path in PAGE.glob("*.js"))
    assert sorted(carried) == modules
    assert carried[-1] == "page"
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)


def test_the_script_parses_as_a_classic_one(tmp_path):
    path = tmp_path / "page.cjs"
    path.write_text(page_script(), encoding="utf-8")
    subprocess.run([node(), "--check", str(path)], check=True)


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"page.js": 'import { two } from "./sum.js";', "sum.js": "export const one = 1;"}, "'two'"),
        ({"page.js": 'import sum from "./sum.js";', "sum.js": ""}, "cannot carry: import sum"),
        ({"page.js": "export default 1;"}, "cannot carry: export default"),
        ({"page.js": "export let one = 1;"}, "cannot carry: export let"),
        (
            {
                "page.js": 'import { a } from "./sum.js";\nexport const b = 1;',
                "sum.js": 'import { b } from "./page.js";\nexport const a = 1;',
            },
            "circle: page -> sum -> page",
        ),
    ],
)
def test_what_the_page_cannot_carry_is_refused(files, match):
    with pytest.raises(ValueError, match=re.escape(match)):
        page_script(read=files.__getitem__)


def test_modules_are_of_a_size_to_read():
    long = {path.name: len(path.read_text("utf-8").splitlines()) for path in PAGE.glob("*.js")}
    assert {name: lines for name, lines in long.items() if lines > 700} == {}


NEWER = (  # than the oldest Chromium stated: what came after version 88, in scripts and style sheets
    r"\.at\(", r"\.findLast", r"Object\.hasOwn", "structuredClone", r"\.toSorted", "groupBy", r"static \{",
    "roundRect", "createConicGradient", "randomUUID", "showModal", "popover", r":has\(", r"color-mix\(",
    r"\d[ds]v[hw]\b", "@layer", "@container", "subgrid", "text-wrap", r"light-dark\(", "overflow: ?clip",
)  # fmt: skip


@pytest.mark.parametrize("pattern", NEWER)
def test_nothing_newer_than_the_oldest_browser_is_used(pattern):
    assert OLDEST_CHROMIUM == 88
    text = page_script() + (PAGE / "page.css").read_text("utf-8")
    assert not re.search(pattern, text), (
        f"{pattern} needs a newer Chromium: raise OLDEST_CHROMIUM and its test"
    )
