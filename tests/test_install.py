"""What installing rests on: bounds, the oldest set, what each dependency is for, versions, the citation."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import ROOT
from lifecircle.findings import METHOD_VERSION

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def tool(name):
    found = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


def direct():
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    return [Requirement(text) for name, lines in groups.items() if name != "all" for text in lines]


def pins(name):
    lines = (ROOT / name).read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one): held for one, held in pairs}


def test_every_dependency_has_a_lower_bound():
    assert not [str(one) for one in direct() if ">=" not in str(one.specifier)]


def test_the_oldest_set_is_that_of_the_bounds():
    """After a bound was changed: ``python tools/try_dependencies.py write``."""
    oldest = pins("tests/oldest.txt")
    bounds = tool("try_dependencies").lower_bounds()
    assert len(bounds) > 25
    differ = {
        name: (held, oldest.get(name))
        for name, held in bounds.items()
        if Requirement(f"x=={held}").specifier.contains(oldest.get(name, "0")) is False
    }
    assert not differ


def test_what_is_pinned_fits_the_bounds():
    held = pins("constraints.txt")
    assert not [str(one) for one in direct() if not one.specifier.contains(held[canonicalize_name(one.name)])]


def test_every_dependency_says_what_it_is_for():
    names = {canonicalize_name(one.name) for one in direct()}
    assert set(tool("dependency_sizes").REASONS) == names
    page = (ROOT / "docs" / "install.md").read_text("utf-8")
    listed = re.findall(
        r"^\| ([\w-]+) \| (?:\w*) \| [\d.]+ \| (?:[\d.]+|others need it) \|", page, flags=re.MULTILINE
    )
    assert sorted(listed) == sorted(names)


def test_importing_the_package_loads_no_dependency():
    """Not a measurement (0.02 to 0.09 s): nothing that would make it slow may be loaded."""
    names = json.dumps(
        sorted({"numpy", "pandas", "pydantic", "click", "shapely", "scipy", "pyarrow", "numba"})
    )
    code = f"import sys, lifecircle; print(sorted(set({names}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- versions and the citation ----

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
CFF_KEYS = {
    *("abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers"),
    *("keywords", "license", "license-url", "message", "preferred-citation", "references", "repository"),
    *("repository-artifact", "repository-code", "title", "type", "url", "version"),
}
"""The keys of the Citation File Format 1.2.0."""


def test_the_citation_has_the_fields_of_its_format_and_says_what_the_package_says():
    assert set(CITATION) <= CFF_KEYS
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION)  # what the format demands
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert str(CITATION["version"]) == PROJECT["version"] == version("lifecircle")
    assert CITATION["license"] == PROJECT["license"]
    assert [one["name"] for one in CITATION["authors"]] == [one["name"] for one in PROJECT["authors"]]
    assert all(isinstance(word, str) for word in CITATION["keywords"])


def test_the_version_of_the_method_has_its_form_and_is_explained():
    assert re.fullmatch(r"20\d\d\.[1-9]\d*", METHOD_VERSION)
    assert f"`{METHOD_VERSION}`" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.md")), ids=lambda path: path.stem
)
def test_each_template_of_an_issue_has_a_head_and_asks_for_no_persons(path):
    _, head, body = path.read_text("utf-8").split("---\n", 2)
    found = yaml.safe_load(head)
    assert set(found) == {"name", "about"}
    assert re.search(r"[\u4e00-\u9fff]", found["name"])
    assert body.count("**") >= 4
