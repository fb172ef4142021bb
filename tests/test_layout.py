"""The shape of the package: floors, no upward import, and a source root that never shadows coverage.py."""

import ast
import importlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lifecircle
from conftest import ROOT
from sources import PACKAGE, nodes_of

FLOORS = {
    "errors": 0,
    "files": 1,
    "wording": 1,
    "headings": 1,
    "cells": 1,
    "costs": 1,
    "beside": 1,
    "limits": 1,
    "compiled": 1,
    "stages": 1,
    "sealed_page": 1,
    "hours": 2,
    "datum": 2,
    "tables": 2,
    "standards": 2,
    "measures": 2,
    "siting": 2,
    "roads": 3,
    "facilities": 3,
    "demand": 3,
    "candidates": 3,
    "indicators": 3,
    "study": 3,
    "reading": 3,
    "reach": 4,
    "counting": 4,
    "findings": 4,
    "publication": 5,
    "interchange": 5,
    "legend": 5,
    "ledger": 5,
    "report": 5,
    "database": 6,
    "page_data": 6,
    "audit": 6,
    "paper": 7,
    "atlas": 7,
    "attribution": 7,
    "scenario": 7,
    "verification": 7,
    "doctor": 7,
    "closing_impact": 7,
    "spot_check": 7,
    "forms": 7,
    "fetch": 7,
    "rectification": 7,
    "locate": 7,
    "notebook": 8,
    "maps": 8,
    "siting_study": 8,
    "new_study": 8,
    "batch": 9,
    "yearbook": 9,
    "cli": 10,
    "__main__": 11,
}


def rooms():
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if room != "__init__":
            yield room, path


def imported_rooms(path):
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
            if node.module == "lifecircle":
                names = [f"lifecircle.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("lifecircle."))


def test_every_room_has_a_floor():
    assert {room for room, _ in rooms()} == set(FLOORS)


def test_imports_run_downward_only():
    upward = [
        f"{path.relative_to(PACKAGE)} (floor {FLOORS[room]}) imports {other} (floor {FLOORS[other]})"
        for room, path in rooms()
        for other in imported_rooms(path)
        if other != room and FLOORS[other] >= FLOORS[room]
    ]
    assert not upward


def test_nothing_below_the_audit_reads_a_study():
    assert not [
        path
        for room, path in rooms()
        if FLOORS[room] < FLOORS["audit"] and room != "study" and "study" in imported_rooms(path)
    ]


def test_only_the_command_line_prints_or_exits():
    called = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for room, path in rooms()
        if room not in {"cli", "__main__"}
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"print", "sys.exit", "logging.basicConfig"}
    ]
    assert not called


def private_imports(path, own=""):
    """List the private modules of other rooms that a file imports."""
    for node in nodes_of(path):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if (
                parts[0] == "lifecircle"
                and any(part.startswith("_") for part in parts[2:])
                and parts[1] != own
            ):
                yield f"{path.relative_to(ROOT)} imports {name}"


def test_no_room_imports_a_private_module_of_another():
    within = [one for room, path in rooms() for one in private_imports(path, room)]
    beside = [one for path in (ROOT / "benchmarks").glob("*.py") for one in private_imports(path)]
    assert not within + beside


def test_no_test_reaches_past_the_face_of_a_room():
    """What a room shows is imported from the room; of a module alone nothing private is imported."""
    past = []
    for path in sorted((ROOT / "tests").glob("*.py")):
        for node in nodes_of(path):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            room, _, inner = module.removeprefix("lifecircle.").partition(".")
            if not module.startswith("lifecircle."):
                continue
            face = importlib.import_module(f"lifecircle.{room}")
            for alias in node.names:
                shown = inner and alias.name in getattr(face, "__all__", ())
                bare = alias.name.startswith("_") and not hasattr(face, "__path__")
                if shown or bare:
                    past.append(f"{path.name} imports {alias.name} from {module}")
    assert not past


def test_a_file_name_is_used_once_in_the_package():
    homes = {}
    for path in [*PACKAGE.rglob("*.py"), *(PACKAGE / "atlas" / "page").glob("*.js")]:
        if not path.stem.startswith("__"):
            homes.setdefault(path.stem.lstrip("_"), []).append(str(path.relative_to(PACKAGE)))
    assert len(homes) > 100
    assert not [paths for paths in homes.values() if len(paths) > 1]


def test_source_root_is_no_package():
    assert not (ROOT / "coverage" / "__init__.py").exists()
    assert [path.name for path in (ROOT / "coverage").iterdir() if path.name != "__pycache__"] == [
        "lifecircle"
    ]


def test_coverage_py_is_what_the_root_imports():
    code = "import coverage; print(coverage.Coverage.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Coverage", done.stderr


def test_public_names_load():
    assert all(getattr(lifecircle, name) is not None for name in lifecircle.__all__)
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = lifecircle.nothing_here


def test_import_is_light():
    heavy = {"numpy", "pandas", "osmnx", "folium", "pydantic"}
    code = f"import sys, lifecircle.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_wheel_holds_only_the_package(tmp_path):
    hatchling = pytest.importorskip("hatchling.build", reason="hatchling builds the wheel")
    here = Path.cwd()
    os.chdir(ROOT)
    try:
        name = hatchling.build_wheel(str(tmp_path))
    finally:
        os.chdir(here)
    names = zipfile.ZipFile(tmp_path / name).namelist()
    assert {entry.split("/")[0] for entry in names} == {"lifecircle", name.rsplit("-", 3)[0] + ".dist-info"}
    for needed in ("lifecircle/py.typed", "lifecircle/wording.toml", "lifecircle/example/study.toml"):
        assert needed in names
    example = {name for name in names if name.startswith("lifecircle/example/")}
    assert not [name for name in example if name.endswith(".py")]
