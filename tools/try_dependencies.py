"""Run the tests with the oldest or the newest versions of all dependencies, in their own environment.

    python tools/try_dependencies.py oldest [PYTEST WORDS...]
    python tools/try_dependencies.py newest [PYTEST WORDS...]
    python tools/try_dependencies.py write

The oldest are those of ``tests/oldest.txt``: every direct dependency at the lower bound of
``pyproject.toml``, and what these need in turn. ``write`` resolves that file again (with uv, in a scratch
environment): run it after a bound was changed. The newest are whatever is published today. Both have every
extra; what only checks (pytest, ruff, mypy, the peers that figures are compared with) is that of
``constraints.txt`` for the oldest. There a warning of what newer libraries take away is no error: it is no
fault of an old set.
"""

# ruff: noqa: INP001, S603 - a script beside the package, which runs the programs it installed

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
OLDEST = ROOT / "tests" / "oldest.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PYTHON = "bin/python" if os.name != "nt" else "Scripts/python.exe"
CALM = ("-W", "ignore::DeprecationWarning", "-W", "ignore::FutureWarning")
HEAD = "# The oldest versions supported, written by tools/try_dependencies.py from pyproject.toml.\n"


def environment(folder: Path, *packages: str) -> Path:
    """Make an environment with packages installed; returns its Python."""
    venv.create(folder, with_pip=True, clear=True)
    python = folder / PYTHON
    _install(python, "pip>=25.1")
    _install(python, *packages)
    return python


def _install(python: Path, *words: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check")
    clean = {**os.environ, "PYTHONPATH": ""}
    subprocess.run([python, "-m", "pip", "install", *quiet, *words], cwd=ROOT, env=clean, check=True)


def lower_bounds() -> dict[str, str]:
    """Return the lower bound of every direct dependency, by its name."""
    groups = {"": PROJECT["project"]["dependencies"], **PROJECT["project"]["optional-dependencies"]}
    found = {}
    for text in (line for name, lines in groups.items() if name != "all" for line in lines):
        one = Requirement(text)
        found[canonicalize_name(one.name)] = next(at.version for at in one.specifier if at.operator == ">=")
    return found


def checking_tools() -> list[str]:
    """Return the lines of ``constraints.txt`` that pin what only checks."""
    names = {canonicalize_name(re.split(r"[<>=]", line)[0]) for line in PROJECT["dependency-groups"]["dev"]}
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return [line for line in lines if canonicalize_name(line.partition("==")[0]) in names]


def write() -> None:
    """Resolve the oldest versions and write them."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        python = environment(scratch / "uv", "uv")
        (scratch / "tools.txt").write_text("\n".join(checking_tools()) + "\n", "utf-8")
        words = ["--no-header", "--no-annotate", "--resolution", "lowest-direct", "--python-version", "3.11"]
        words += ["--extra", "all", "--group", "dev", "--constraint", str(scratch / "tools.txt")]
        done = subprocess.run(
            [python, "-m", "uv", "pip", "compile", "--quiet", *words, "pyproject.toml"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
    OLDEST.write_text(HEAD + done.stdout, "utf-8")


def try_set(which: str, words: list[str]) -> int:
    """Install a set and run the tests; returns the exit status of pytest."""
    folder = ROOT / "build" / f"venv-{which}"
    if which == "oldest":
        python, calm = environment(folder, "--requirement", str(OLDEST)), CALM
        _install(python, "--no-deps", "--editable", ".")
    else:
        python, calm = environment(folder, "--group", "dev", "--editable", ".[all]"), ()
    subprocess.run([python, "-m", "pip", "check"], check=True)
    given = words or ["--numprocesses", "auto", "--dist", "loadfile"]
    return subprocess.run([python, "-m", "pytest", *calm, *given], cwd=ROOT, check=False).returncode


def main(words: list[str]) -> int:
    """Do what the first word asks."""
    if words[:1] == ["write"]:
        write()
        return 0
    if words[:1] in (["oldest"], ["newest"]):
        return try_set(words[0], words[1:])
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
