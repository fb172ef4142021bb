"""The kit: which wheels a system needs is read from the wheels, and the starters ask no network."""

from __future__ import annotations

import ast
import importlib.util
import sys
import zipfile

import pytest
from packaging.requirements import Requirement

from conftest import ROOT

STARTERS = ROOT / "tools" / "kit"


@pytest.fixture(scope="module")
def kit():
    found = importlib.util.spec_from_file_location("make_kit", ROOT / "tools" / "make_kit.py")
    module = importlib.util.module_from_spec(found)
    sys.modules["make_kit"] = module
    found.loader.exec_module(module)
    return module


def wheel(folder, name, *needs):
    """Write a wheel that holds nothing but what it needs."""
    path = folder / f"{name}.whl"
    project, version = name.split("-")[:2]
    lines = [f"Name: {project}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in needs)]
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(
            f"{project}-{version}.dist-info/METADATA", "\n".join(lines) + "\n\nRequires-Dist: text\n"
        )
    return path


def named(requirements):
    return sorted(str(one) for one in requirements)


@pytest.fixture
def wheels(tmp_path):
    return [
        wheel(
            tmp_path,
            "app-1.0-py3-none-any",
            'tz; sys_platform == "win32"',
            "lib>=2",
            'fast[x]; extra == "fast"',
        ),
        wheel(tmp_path, "lib-2.1-cp311-cp311-win_amd64", 'never; python_version < "3"'),
        wheel(tmp_path, "lib-2.1-cp311-cp311-manylinux_2_28_x86_64", 'fork; platform_system != "Windows"'),
        wheel(tmp_path, "fork-1.0-cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64"),
        wheel(tmp_path, "tz-1.0-cp312-cp312-win_amd64"),  # of another Python
        wheel(tmp_path, "fast-1.0-cp38-abi3-win_amd64", 'more; extra == "x"'),
        wheel(tmp_path, "fast-1.0-cp311-cp311-manylinux_2_34_x86_64"),  # of a newer Linux than offices have
        wheel(tmp_path, "more-0.9-py2.py3-none-any"),
    ]


def test_what_lacks_is_named_by_system(kit, wheels):
    windows, linux = kit.SYSTEMS
    assert named(kit.lacking(wheels, windows, [Requirement("app")])) == ['tz; sys_platform == "win32"']
    assert kit.lacking(wheels, linux, [Requirement("app")]) == []
    assert named(kit.lacking(wheels, windows, [Requirement("app[fast]")])) == ['tz; sys_platform == "win32"']
    assert named(kit.lacking(wheels, linux, [Requirement("app[fast]")])) == ['fast[x]; extra == "fast"']
    without_more = [path for path in wheels if not path.name.startswith("more")]
    assert 'more; extra == "x"' in named(kit.lacking(without_more, windows, [Requirement("app[fast]")]))


def test_a_wheel_of_another_version_lacks(kit, wheels):
    assert named(kit.lacking(wheels, kit.SYSTEMS[0], [Requirement("lib>=3")])) == ["lib>=3"]


def test_each_system_gets_its_own_wheels(kit, wheels):
    windows, linux = (set(kit.fitting(wheels, system)) for system in kit.SYSTEMS)
    assert windows == {"app", "lib", "fast", "more"}
    assert linux == {"app", "lib", "fork", "more"}


def test_the_zip_holds_what_a_person_opens(kit, wheels, tmp_path):
    out = tmp_path / "kit.zip"
    kit.pack(wheels, out)
    first = out.read_bytes()
    kit.pack(reversed(wheels), out)
    assert out.read_bytes() == first
    with zipfile.ZipFile(out) as packed:
        names = {name.removeprefix(f"{kit.KIT}/") for name in packed.namelist()}
        assert {"开始.bat", "start.sh", "start.py", "说明.txt", "LICENSE", "README.zh.md"} <= names
        assert {f"wheels/{path.name}" for path in wheels} <= names
        assert packed.getinfo(f"{kit.KIT}/start.sh").external_attr >> 16 == 0o100755
        batch = packed.read(f"{kit.KIT}/开始.bat")
        shell = packed.read(f"{kit.KIT}/start.sh")
    assert batch.count(b"\r\n") == batch.count(b"\n") > 10
    assert b"\r" not in shell


def test_both_starters_start_the_same_file_and_no_label_is_missing():
    batch, shell = ((STARTERS / name).read_text("utf-8") for name in ("开始.bat", "start.sh"))
    assert "start.py" in batch
    assert "start.py" in shell
    lines = [line.strip() for line in batch.splitlines()]
    labels = {line[1:] for line in lines if line.startswith(":")}
    wanted = {
        word for line in lines for at, word in enumerate(line.split()) if line.split()[at - 1] == "goto"
    }
    assert labels >= wanted
    # A batch file is read in the code page of the system until chcp: nothing but ASCII may stand before it.
    before = batch.partition("chcp 65001")[0]
    assert before.isascii()
    assert batch.partition("chcp 65001")[1]


def test_what_sets_up_asks_no_registry_and_needs_python_alone():
    text = (STARTERS / "start.py").read_text("utf-8")
    tree = ast.parse(text)
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)
    installs = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == "install"]
    assert len(installs) == text.count('"--no-index"') == text.count('"--find-links"') == 1


def test_every_dependency_of_the_kit_is_pinned(kit):
    """The kit takes the versions everything was checked with."""
    pins = kit.pinned()
    assert len(pins) > 50
    assert {"numpy", "pandas", "tzdata", "numba", "highspy", "matplotlib", "python-docx"} <= set(pins)
