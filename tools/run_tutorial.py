"""Run the commands of the tutorial and of the README as a reader would, and compare what they print.

    python tools/run_tutorial.py BIN

``BIN`` is the folder of the installed ``lifecircle``. A block ``console`` of the tutorial holds lines ``$
command`` and what is printed; a line ``...`` stands for any lines. A block ``sh`` of the README that makes
a study is run as it stands, in a home folder with the raw files of the example in ``~/data``. A command may
end with 1, which says that something was found.
"""

# ruff: noqa: INP001, T201 - a script beside the package, which prints

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "docs" / "tutorial.md"
README = ROOT / "README.md"
EXAMPLE = ROOT / "data" / "geo" / "haiyan"
RAW = (
    "roads.parquet",
    "residents.parquet",
    "towns.geojson",
    "villages.csv",
    "culture.xlsx",
    "sports.geojson",
)
ANY = "..."
FINE = (0, 1)
BLOCK = re.compile(r"^```(?P<kind>console|sh)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def steps_of(text: str) -> list[tuple[str, list[str]]]:
    r"""Return the commands of the console blocks of a text, each with the lines it prints.

    >>> steps_of("```console\n$ echo a\na\n```\n")
    [('echo a', ['a'])]
    """
    steps: list[tuple[str, list[str]]] = []
    for block in BLOCK.finditer(text):
        if block["kind"] != "console":
            continue
        for line in block["text"].splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    return steps


def study_blocks(text: str) -> list[str]:
    """Return the shell blocks of a text that make a study."""
    return [
        one["text"] for one in BLOCK.finditer(text) if one["kind"] == "sh" and "lifecircle new" in one["text"]
    ]


def unlike(expected: list[str], printed: list[str]) -> str:
    """Return what is wrong with the lines printed, empty where they are as expected.

    >>> unlike(["a", "...", "c"], ["a", "b", "b", "c"]), unlike(["a"], ["b"])
    ('', "expected 'a'")
    """
    at, free = 0, False
    for line in expected:
        if line == ANY:
            free = True
            continue
        found = next((i for i in range(at, len(printed)) if printed[i] == line), None)
        if found is None or (not free and found != at):
            return f"expected {line!r}"
        at, free = found + 1, False
    return "" if free or at == len(printed) else f"more is printed: {printed[at]!r}"


def run(command: str, folder: Path, environment: dict[str, str]) -> tuple[int, list[str]]:
    """Run one command in a folder; returns its exit status and the lines of its standard output."""
    print(f"$ {command}", flush=True)
    ended = subprocess.run(  # noqa: S602 - the commands of our own docs
        command, shell=True, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    return ended.returncode, [line.rstrip() for line in ended.stdout.splitlines()]


def follow_tutorial(home: Path, environment: dict[str, str]) -> list[str]:
    """Run every command of the tutorial; returns what is not as it says."""
    wrong = []
    for command, expected in steps_of(TUTORIAL.read_text("utf-8")):
        status, printed = run(command, home, environment)
        if status not in FINE:
            wrong.append(f"{command}: ended with {status}")
        if expected and (fault := unlike(expected, printed)):
            wrong.append(f"{command}: {fault}\n  printed: " + "\n  ".join(printed[:40]))
    return wrong


def follow_readme(home: Path, environment: dict[str, str]) -> list[str]:
    """Run every block of the README that makes a study; returns what ends badly."""
    wrong = []
    for block in study_blocks(README.read_text("utf-8")):
        # As one shell, as `cd` holds for what follows; each line must end well.
        lines = block.replace("less ", "cat ").splitlines()
        script = "\n".join(f"{line.partition('  #')[0]}\ns=$?; [ $s -le 1 ] || exit $s" for line in lines)
        own = home / "own"
        own.mkdir(exist_ok=True)
        status, printed = run(script, own, environment)
        if status not in FINE:
            wrong.append(f"README: ended with {status}\n  " + "\n  ".join(printed[-20:]))
    return wrong


def main(binaries: Path) -> int:
    """Run both beside each other; returns the number of commands that did not do as the docs say."""
    with tempfile.TemporaryDirectory() as home:
        data = Path(home) / "data"
        data.mkdir()
        for name in RAW:
            (data / name).write_bytes((EXAMPLE / name).read_bytes())
        environment = {
            **os.environ, "HOME": home, "PATH": f"{binaries.resolve()}{os.pathsep}{os.environ['PATH']}",
            "PAGER": "cat", "COLUMNS": "200",
        }  # fmt: skip
        with ThreadPoolExecutor() as both:
            started = [both.submit(one, Path(home), environment) for one in (follow_tutorial, follow_readme)]
        wrong = [line for one in started for line in one.result()]
    print(*wrong, sep="\n")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
